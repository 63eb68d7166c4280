import { useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import type { TableDetails } from '../../api/client.ts';
import { useApi } from '../../api/useApi.ts';
import { formatBytes, formatCount } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { navigate, patchParams, useRoute } from '../../lib/router.ts';
import { qualifiedName } from '../../lib/sql/quote.ts';
import { Badge } from '../../ui/Badge.tsx';
import { Button } from '../../ui/Button.tsx';
import { DataTable } from '../../ui/DataTable.tsx';
import { Failure, Loading } from '../../ui/states.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { copyText } from '../../ui/toast.tsx';
import { openTab } from '../query/tabs.ts';
import { Diagram } from './Diagram.tsx';
import { kindName } from './kinds.ts';
import { RowsView } from './RowsView.tsx';
import { StorageView } from './StorageView.tsx';

const ImportDialog = lazy(async () => ({ default: (await import('./ImportDialog.tsx')).ImportDialog }));

const TABS = [
  'data',
  'columns',
  'constraints',
  'indexes',
  'triggers',
  'privileges',
  'storage',
  'ddl',
  'dependencies',
  'diagram',
] as const;
type Tab = (typeof TABS)[number];

export function RelationView({ oid }: { oid: number }) {
  const client = useQueryClient();
  const { params } = useRoute();
  const details = useApi('GET /tables/:oid', { params: { oid } });
  const [isImporting, setImporting] = useState(false);
  if (details.isPending) return <Loading />;
  if (details.isError) return <Failure error={details.error} onRetry={() => void details.refetch()} />;
  const table = details.data;
  const isStored = ['r', 'm', 'p'].includes(table.kind);
  const wanted = params.get('tab') as Tab | null;
  const tab: Tab = wanted !== null && TABS.includes(wanted) ? wanted : 'data';
  const names: Readonly<Record<Tab, string>> = {
    data: t('Data'),
    columns: t('Columns ({count})', { count: table.columns.length }),
    constraints: t('Constraints ({count})', { count: table.constraints.length }),
    indexes: t('Indexes ({count})', { count: table.indexes.length }),
    triggers: t('Triggers ({count})', { count: table.triggers.length + table.policies.length }),
    privileges: t('Privileges'),
    storage: t('Storage'),
    ddl: t('DDL'),
    dependencies: t('Dependencies'),
    diagram: t('Diagram'),
  };
  const shown = TABS.filter((one) => one !== 'storage' || isStored);
  return (
    <div className="flex h-full min-h-0 flex-col">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-(--line) px-3 py-1.5">
        <h2 className="m-0 text-sm font-semibold">
          <span className="text-(--muted)">{table.schema}.</span>
          {table.name}
        </h2>
        <Badge>{kindName(table.kind)}</Badge>
        {isStored && (
          <span className="text-(--muted)">
            {t('about {count} rows', { count: formatCount(Math.max(0, table.estimatedRows)) })} ·{' '}
            {formatBytes(Number(table.sizeBytes))}
            {Number(table.indexBytes) > 0 &&
              ` + ${t('indexes {size}', { size: formatBytes(Number(table.indexBytes)) })}`}
          </span>
        )}
        <span className="text-(--muted)">{t('owner {name}', { name: table.owner })}</span>
        {table.comment !== null && <span className="truncate text-(--muted) italic">{table.comment}</span>}
        <span className="flex-1" />
        <Button
          onClick={() => {
            openTab(`select *\nfrom ${qualifiedName(table.schema, table.name)}\nlimit 100;`);
            navigate(['query']);
          }}
        >
          {t('Open as SQL')}
        </Button>
        {(table.kind === 'r' || table.kind === 'p') && (
          <Button icon="upload" onClick={() => setImporting(true)}>
            {t('Import')}
          </Button>
        )}
      </header>
      <Tabs
        label={t('About the table')}
        className="shrink-0 border-b border-(--line) bg-(--raised) px-1 pt-1"
        selected={tab}
        onSelect={(id) => patchParams({ tab: id })}
        items={shown.map((one) => ({ id: one, label: names[one] }))}
      />
      <div className="min-h-0 flex-1 overflow-auto">{body(tab, table)}</div>
      {isImporting && (
        <Suspense>
          <ImportDialog
            table={table}
            onClose={() => setImporting(false)}
            onDone={() => void client.invalidateQueries()}
          />
        </Suspense>
      )}
    </div>
  );
}

function body(tab: Tab, table: TableDetails) {
  switch (tab) {
    case 'data':
      return <RowsView table={table} />;
    case 'columns':
      return (
        <DataTable
          label={t('Columns')}
          rows={table.columns}
          keyOf={(column) => String(column.number)}
          columns={[
            {
              id: 'number',
              title: '#',
              isNumber: true,
              cell: (column) => column.number,
              sort: (column) => column.number,
            },
            {
              id: 'name',
              title: t('Name'),
              isMono: true,
              cell: (column) => (
                <>
                  {column.name} {column.isPrimaryKey && <Badge tone="accent">{t('key')}</Badge>}
                </>
              ),
              sort: (column) => column.name,
            },
            {
              id: 'type',
              title: t('Type'),
              isMono: true,
              cell: (column) => column.type,
              sort: (column) => column.type,
            },
            { id: 'null', title: t('NULL'), cell: (column) => (column.isNotNull ? t('no') : t('yes')) },
            {
              id: 'default',
              title: t('Default'),
              isMono: true,
              cell: (column) =>
                column.identity !== ''
                  ? column.identity === 'a'
                    ? 'generated always as identity'
                    : 'generated by default as identity'
                  : column.generated !== ''
                    ? `generated always as (${column.default ?? ''}) stored`
                    : (column.default ?? ''),
            },
            { id: 'collation', title: t('Collation'), cell: (column) => column.collation ?? '' },
            { id: 'comment', title: t('Comment'), cell: (column) => column.comment ?? '' },
          ]}
        />
      );
    case 'constraints':
      return (
        <DataTable
          label={t('Constraints')}
          rows={table.constraints}
          keyOf={(one) => one.name}
          empty={t('No constraint but NOT NULL.')}
          columns={[
            { id: 'name', title: t('Name'), isMono: true, cell: (one) => one.name, sort: (one) => one.name },
            {
              id: 'kind',
              title: t('Kind'),
              cell: (one) =>
                ({
                  c: t('check'),
                  f: t('foreign key'),
                  p: t('primary key'),
                  u: t('unique'),
                  x: t('exclusion'),
                  t: t('trigger'),
                })[one.kind] ?? one.kind,
              sort: (one) => one.kind,
            },
            { id: 'definition', title: t('Definition'), isMono: true, cell: (one) => one.definition },
            {
              id: 'valid',
              title: '',
              cell: (one) => !one.isValidated && <Badge tone="warn">{t('not validated')}</Badge>,
            },
          ]}
        />
      );
    case 'indexes':
      return (
        <DataTable
          label={t('Indexes')}
          rows={table.indexes}
          keyOf={(index) => String(index.oid)}
          empty={t('No index.')}
          columns={[
            {
              id: 'name',
              title: t('Name'),
              isMono: true,
              cell: (index) => (
                <>
                  {index.name} {index.isPrimary && <Badge tone="accent">{t('key')}</Badge>}{' '}
                  {index.isUnique && !index.isPrimary && <Badge>{t('unique')}</Badge>}{' '}
                  {!index.isValid && <Badge tone="danger">{t('invalid')}</Badge>}
                </>
              ),
              sort: (index) => index.name,
            },
            { id: 'definition', title: t('Definition'), isMono: true, cell: (index) => index.definition },
            {
              id: 'size',
              title: t('Size'),
              isNumber: true,
              cell: (index) => formatBytes(Number(index.sizeBytes)),
              sort: (index) => Number(index.sizeBytes),
            },
            {
              id: 'scans',
              title: t('Scans'),
              isNumber: true,
              cell: (index) => formatCount(index.scans),
              sort: (index) => Number(index.scans),
            },
            {
              id: 'read',
              title: t('Rows read'),
              isNumber: true,
              cell: (index) => formatCount(index.rowsRead),
              sort: (index) => Number(index.rowsRead),
            },
          ]}
        />
      );
    case 'triggers':
      return (
        <>
          <DataTable
            label={t('Triggers')}
            rows={table.triggers}
            keyOf={(one) => one.name}
            empty={t('No trigger.')}
            columns={[
              { id: 'name', title: t('Name'), isMono: true, cell: (one) => one.name },
              { id: 'definition', title: t('Definition'), isMono: true, cell: (one) => one.definition },
              {
                id: 'on',
                title: '',
                cell: (one) => !one.isEnabled && <Badge tone="warn">{t('disabled')}</Badge>,
              },
            ]}
          />
          <h3 className="m-0 px-3 pt-3 text-xs font-semibold">
            {t('Row policies')}{' '}
            {table.isRowSecurityOn ? <Badge tone="good">{t('on')}</Badge> : <Badge>{t('off')}</Badge>}
          </h3>
          <DataTable
            label={t('Row policies')}
            rows={table.policies}
            keyOf={(one) => one.name}
            empty={t('No policy.')}
            columns={[
              { id: 'name', title: t('Name'), isMono: true, cell: (one) => one.name },
              { id: 'command', title: t('Command'), cell: (one) => one.command },
              {
                id: 'kind',
                title: t('Kind'),
                cell: (one) => (one.isPermissive ? t('permissive') : t('restrictive')),
              },
              { id: 'using', title: t('Using'), isMono: true, cell: (one) => one.using ?? '' },
              { id: 'check', title: t('Check'), isMono: true, cell: (one) => one.check ?? '' },
            ]}
          />
        </>
      );
    case 'privileges':
      return (
        <>
          <DataTable
            label={t('Privileges')}
            rows={table.privileges}
            keyOf={(one) => `${one.grantee} ${one.privilege} ${one.column} ${one.grantor}`}
            empty={t('Nothing is granted: only the owner {name} and superusers may use it.', {
              name: table.owner,
            })}
            columns={[
              { id: 'grantee', title: t('Role'), cell: (one) => one.grantee, sort: (one) => one.grantee },
              {
                id: 'privilege',
                title: t('Privilege'),
                cell: (one) => one.privilege,
                sort: (one) => one.privilege,
              },
              { id: 'column', title: t('Column'), isMono: true, cell: (one) => one.column ?? '' },
              { id: 'grantor', title: t('Granted by'), cell: (one) => one.grantor },
              { id: 'option', title: '', cell: (one) => one.isGrantable && <Badge>{t('may grant')}</Badge> },
            ]}
          />
          <p className="px-3">
            <a href={`#/security?tab=access&relation=${encodeURIComponent(`${table.schema}.${table.name}`)}`}>
              {t('Who can do what on this, and why')}
            </a>
          </p>
        </>
      );
    case 'storage':
      return <StorageView table={table} />;
    case 'ddl':
      return (
        <div className="p-2">
          <Button icon="copy" onClick={() => void copyText(table.ddl, t('DDL copied.'))}>
            {t('Copy')}
          </Button>
          <pre className="mono mt-2 mb-0 break-words whitespace-pre-wrap">{table.ddl}</pre>
        </div>
      );
    case 'dependencies':
      return (
        <div className="grid gap-4 p-3 md:grid-cols-2">
          <ObjectList title={t('It needs')} objects={table.dependsOn} empty={t('Nothing but its schema.')} />
          <ObjectList title={t('Needed by')} objects={table.dependents} empty={t('Nothing needs it.')} />
        </div>
      );
    case 'diagram':
      return <Diagram schema={table.schema} focus={table.name} />;
  }
}

function ObjectList({
  title,
  objects,
  empty,
}: {
  title: string;
  objects: readonly { kind: string; name: string }[];
  empty: string;
}) {
  return (
    <section aria-label={title}>
      <h3 className="m-0 mb-1 text-xs font-semibold">{title}</h3>
      {objects.length === 0 ? (
        <p className="m-0 text-(--muted)">{empty}</p>
      ) : (
        <ul className="m-0 p-0">
          {objects.map((one) => (
            <li key={`${one.kind} ${one.name}`} className="list-none border-b border-(--line) py-0.5">
              <span className="text-(--muted)">{one.kind}</span> <span className="mono">{one.name}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
