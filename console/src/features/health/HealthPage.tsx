/** Health in plain sentences, each with its evidence; alerts, storage, sequences, settings, audit. */
import { useState } from 'react';
import type { HealthFinding } from '../../api/client.ts';
import { useApi, useLive } from '../../api/useApi.ts';
import { formatBytes, formatCount, formatPercent } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { navigate, patchParams, useRoute } from '../../lib/router.ts';
import { Badge, type Tone } from '../../ui/Badge.tsx';
import { Button } from '../../ui/Button.tsx';
import { DataTable } from '../../ui/DataTable.tsx';
import { CheckField, TextField } from '../../ui/fields.tsx';
import { Page } from '../../ui/Page.tsx';
import { Failure, Loading } from '../../ui/states.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { openTab } from '../query/tabs.ts';
import { Alerts } from './Alerts.tsx';

const TABS = ['health', 'alerts', 'storage', 'tables', 'sequences', 'settings', 'audit'] as const;
type Tab = (typeof TABS)[number];

export function HealthPage() {
  const { params } = useRoute();
  const wanted = params.get('tab') as Tab | null;
  const tab: Tab = wanted !== null && TABS.includes(wanted) ? wanted : 'health';
  const names: Readonly<Record<Tab, string>> = {
    health: t('Health'),
    alerts: t('Alerts'),
    storage: t('Storage'),
    tables: t('Table activity'),
    sequences: t('Sequences'),
    settings: t('Settings'),
    audit: t('Audit'),
  };
  return (
    <Page title={t('Health')} isPadded={false}>
      <Tabs
        label={t('Health')}
        className="border-b border-(--line) bg-(--raised) px-1 pt-1"
        selected={tab}
        onSelect={(id) => patchParams({ tab: id, search: null }, {})}
        items={TABS.map((id) => ({ id, label: names[id] }))}
      />
      {tab === 'health' && <Findings />}
      {tab === 'alerts' && <Alerts />}
      {tab === 'storage' && <Storage />}
      {tab === 'tables' && <TableActivity />}
      {tab === 'sequences' && <Sequences />}
      {tab === 'settings' && <Settings />}
      {tab === 'audit' && <Audit />}
    </Page>
  );
}

const TONES: Readonly<Record<HealthFinding['severity'], Tone>> = {
  ok: 'good',
  notice: 'accent',
  warning: 'warn',
  critical: 'danger',
};
const ORDER: readonly HealthFinding['severity'][] = ['critical', 'warning', 'notice', 'ok'];

/** Evidence pages as the server names them, in this console's addresses. */
function linkOf(link: string): string {
  const known: Readonly<Record<string, string>> = {
    '/health/locks': '#/activity?tab=locks',
    '/health/sessions': '#/activity',
    '/health/storage': '#/health?tab=storage',
    '/health/sequences': '#/health?tab=sequences',
    '/health/settings': '#/health?tab=settings',
    '/health/tables': '#/health?tab=tables',
    '/health/statements': '#/statements',
    '/advisor': '#/advisor',
    '/security': '#/security',
  };
  return known[link] ?? `#${link}`;
}

function Findings() {
  const health = useLive('GET /monitor/health', 10_000);
  if (health.isError) return <Failure error={health.error} onRetry={() => void health.refetch()} />;
  if (health.data === undefined) return <Loading />;
  const findings = [...health.data.findings].sort(
    (left, right) => ORDER.indexOf(left.severity) - ORDER.indexOf(right.severity),
  );
  return (
    <ul className="m-0 mx-auto flex max-w-4xl flex-col gap-2 p-3" aria-label={t('Findings')}>
      {findings.map((finding) => (
        <li
          key={finding.id}
          className="flex list-none flex-wrap items-start gap-3 rounded border border-(--line) px-3 py-2"
        >
          <Badge tone={TONES[finding.severity]}>
            {
              { ok: t('✓ fine'), notice: t('notice'), warning: t('warning'), critical: t('critical') }[
                finding.severity
              ]
            }
          </Badge>
          <span className="min-w-60 flex-1">
            {finding.sentence}
            {finding.advice !== null && <span className="block text-(--muted)">{finding.advice}</span>}
          </span>
          {finding.link !== null && <a href={linkOf(finding.link)}>{t('evidence')}</a>}
          {finding.sql !== null && (
            <Button
              onClick={() => {
                openTab(finding.sql ?? '');
                navigate(['query']);
              }}
            >
              {t('as SQL')}
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}

function Storage() {
  const storage = useApi('GET /monitor/storage', {}, { refresh: 30_000 });
  if (storage.isError) return <Failure error={storage.error} onRetry={() => void storage.refetch()} />;
  if (storage.data === undefined) return <Loading />;
  const { data } = storage;
  const facts: [string, string][] = [
    [t('Database'), formatBytes(Number(data.databaseBytes))],
    [t('Write-ahead log'), data.walBytes === null ? '–' : formatBytes(data.walBytes)],
    [
      t('Disk free'),
      data.disk === null
        ? '–'
        : `${formatBytes(data.disk.freeBytes)} (${formatPercent(data.disk.freeBytes / data.disk.totalBytes, 0)})`,
    ],
    [
      t('Growth'),
      data.growthBytesPerDay === null
        ? t('too little history')
        : `${formatBytes(data.growthBytesPerDay)} / d`,
    ],
    [
      t('Disk full'),
      data.fullAt === null ? t('not in sight') : new Date(data.fullAt).toLocaleString('en-GB'),
    ],
  ];
  return (
    <>
      <dl className="m-0 flex flex-wrap gap-x-8 gap-y-2 p-3">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt className="text-xs text-(--muted)">{name}</dt>
            <dd className="m-0 text-base font-semibold">{value}</dd>
          </div>
        ))}
      </dl>
      <DataTable
        label={t('Relations by size')}
        rows={data.relations}
        keyOf={(one) => String(one.oid)}
        initialSort={{ column: 'table', isDescending: true }}
        onOpen={(one) => navigate(['tables', one.schema, one.name], { tab: 'storage' })}
        columns={[
          {
            id: 'name',
            title: t('Table'),
            isMono: true,
            cell: (one) => `${one.schema}.${one.name}`,
            sort: (one) => `${one.schema}.${one.name}`,
          },
          {
            id: 'table',
            title: t('Table size'),
            isNumber: true,
            cell: (one) => formatBytes(Number(one.tableBytes)),
            sort: (one) => Number(one.tableBytes),
          },
          {
            id: 'index',
            title: t('Index size'),
            isNumber: true,
            cell: (one) => formatBytes(Number(one.indexBytes)),
            sort: (one) => Number(one.indexBytes),
          },
          {
            id: 'rows',
            title: t('Rows'),
            isNumber: true,
            cell: (one) => formatCount(one.estimatedRows),
            sort: (one) => one.estimatedRows,
          },
        ]}
      />
    </>
  );
}

function TableActivity() {
  const tables = useApi('GET /monitor/tables', {}, { refresh: 10_000 });
  if (tables.isError) return <Failure error={tables.error} onRetry={() => void tables.refetch()} />;
  if (tables.data === undefined) return <Loading />;
  const time = (at: number | null): string =>
    at === null ? t('never') : new Date(at).toLocaleString('en-GB');
  return (
    <DataTable
      label={t('Table activity')}
      rows={tables.data.tables}
      keyOf={(one) => String(one.oid)}
      onOpen={(one) => navigate(['tables', one.schema, one.name])}
      empty={t('No table yet.')}
      columns={[
        {
          id: 'name',
          title: t('Table'),
          isMono: true,
          cell: (one) => `${one.schema}.${one.name}`,
          sort: (one) => `${one.schema}.${one.name}`,
        },
        {
          id: 'seq',
          title: t('Sequential scans'),
          isNumber: true,
          cell: (one) => formatCount(one.sequentialScans),
          sort: (one) => Number(one.sequentialScans),
        },
        {
          id: 'idx',
          title: t('Index scans'),
          isNumber: true,
          cell: (one) => formatCount(one.indexScans),
          sort: (one) => Number(one.indexScans),
        },
        {
          id: 'ins',
          title: t('Inserted'),
          isNumber: true,
          cell: (one) => formatCount(one.inserted),
          sort: (one) => Number(one.inserted),
        },
        {
          id: 'upd',
          title: t('Updated'),
          isNumber: true,
          cell: (one) => formatCount(one.updated),
          sort: (one) => Number(one.updated),
        },
        {
          id: 'del',
          title: t('Deleted'),
          isNumber: true,
          cell: (one) => formatCount(one.deleted),
          sort: (one) => Number(one.deleted),
        },
        {
          id: 'live',
          title: t('Live rows'),
          isNumber: true,
          cell: (one) => formatCount(one.liveRows),
          sort: (one) => Number(one.liveRows),
        },
        {
          id: 'dead',
          title: t('Dead rows'),
          isNumber: true,
          cell: (one) => formatCount(one.deadRows),
          sort: (one) => Number(one.deadRows),
        },
        {
          id: 'vacuum',
          title: t('Last vacuum'),
          cell: (one) => time(one.lastVacuum),
          sort: (one) => one.lastVacuum ?? 0,
        },
        {
          id: 'analyze',
          title: t('Last analyze'),
          cell: (one) => time(one.lastAnalyze),
          sort: (one) => one.lastAnalyze ?? 0,
        },
      ]}
    />
  );
}

function Sequences() {
  const sequences = useApi('GET /monitor/sequences', {}, { refresh: 30_000 });
  if (sequences.isError) return <Failure error={sequences.error} onRetry={() => void sequences.refetch()} />;
  if (sequences.data === undefined) return <Loading />;
  return (
    <DataTable
      label={t('Sequences')}
      rows={sequences.data.sequences}
      keyOf={(one) => `${one.schema}.${one.name}`}
      empty={t('No sequence.')}
      initialSort={{ column: 'used', isDescending: true }}
      columns={[
        {
          id: 'name',
          title: t('Sequence'),
          isMono: true,
          cell: (one) => `${one.schema}.${one.name}`,
          sort: (one) => one.name,
        },
        { id: 'owner', title: t('Feeds'), isMono: true, cell: (one) => one.ownedBy ?? '' },
        { id: 'type', title: t('Type'), cell: (one) => one.dataType },
        {
          id: 'last',
          title: t('Last value'),
          isNumber: true,
          cell: (one) => (one.lastValue === null ? '–' : formatCount(one.lastValue)),
        },
        { id: 'max', title: t('End'), isNumber: true, cell: (one) => formatCount(one.maximum) },
        {
          id: 'used',
          title: t('Used'),
          isNumber: true,
          cell: (one) => (
            <span className="flex items-center justify-end gap-2">
              <meter aria-label={t('Used')} min={0} max={1} high={0.75} optimum={0} value={one.used} />
              <Badge tone={one.used > 0.9 ? 'danger' : one.used > 0.75 ? 'warn' : 'plain'}>
                {formatPercent(one.used, 1)}
              </Badge>
            </span>
          ),
          sort: (one) => one.used,
        },
      ]}
    />
  );
}

function Settings() {
  const { params } = useRoute();
  const search = (params.get('search') ?? '').toLowerCase();
  const [isChangedOnly, setChangedOnly] = useState(false);
  const settings = useApi('GET /monitor/settings');
  if (settings.isError) return <Failure error={settings.error} onRetry={() => void settings.refetch()} />;
  if (settings.data === undefined) return <Loading />;
  const pending = settings.data.settings.filter((one) => one.isRestartPending);
  const shown = settings.data.settings.filter(
    (one) =>
      (!isChangedOnly || (one.source !== 'default' && one.source !== 'override')) &&
      `${one.name} ${one.description} ${one.category}`.toLowerCase().includes(search),
  );
  return (
    <>
      <div className="flex flex-wrap items-center gap-3 px-2 py-1">
        <TextField
          label={t('Search settings')}
          isLabelHidden
          type="search"
          placeholder={t('Search settings')}
          value={params.get('search') ?? ''}
          onChange={(event) => patchParams({ search: event.target.value })}
        />
        <CheckField
          label={t('Only changed ones')}
          checked={isChangedOnly}
          onChange={(event) => setChangedOnly(event.target.checked)}
        />
        {pending.length > 0 && (
          <Badge tone="warn">
            {t('waiting for a restart: {names}', { names: pending.map((one) => one.name).join(', ') })}
          </Badge>
        )}
      </div>
      <DataTable
        label={t('Settings')}
        rows={shown}
        keyOf={(one) => one.name}
        empty={t('Nothing has that name.')}
        columns={[
          { id: 'name', title: t('Name'), isMono: true, cell: (one) => one.name, sort: (one) => one.name },
          {
            id: 'value',
            title: t('Value'),
            isMono: true,
            cell: (one) => (
              <>
                {one.value} <span className="text-(--muted)">{one.unit}</span>{' '}
                {one.isRestartPending && <Badge tone="warn">{t('after a restart')}</Badge>}
              </>
            ),
          },
          {
            id: 'default',
            title: t('Default'),
            isMono: true,
            cell: (one) => (one.bootValue === one.value ? '' : one.bootValue),
          },
          { id: 'source', title: t('Set by'), cell: (one) => one.source, sort: (one) => one.source ?? '' },
          {
            id: 'context',
            title: t('Changed by'),
            cell: (one) => one.context,
            sort: (one) => one.context ?? '',
          },
          { id: 'description', title: t('Meaning'), className: 'max-w-xl', cell: (one) => one.description },
        ]}
      />
    </>
  );
}

function Audit() {
  const audit = useApi('GET /audit', { query: { limit: 500 } });
  if (audit.isError) return <Failure error={audit.error} onRetry={() => void audit.refetch()} />;
  if (audit.data === undefined) return <Loading />;
  return (
    <DataTable
      label={t('Audit')}
      rows={audit.data.entries}
      keyOf={(one) => one.id}
      empty={t('Nothing was done in the console yet.')}
      columns={[
        {
          id: 'at',
          title: t('At'),
          cell: (one) => new Date(one.at).toLocaleString('en-GB'),
          sort: (one) => one.at,
        },
        { id: 'user', title: t('Role'), cell: (one) => one.user, sort: (one) => one.user },
        { id: 'address', title: t('From'), isMono: true, cell: (one) => one.address },
        { id: 'action', title: t('Action'), cell: (one) => one.action, sort: (one) => one.action },
        {
          id: 'detail',
          title: t('Detail'),
          isMono: true,
          className: 'max-w-2xl',
          cell: (one) => <span className="line-clamp-3 break-all">{one.detail}</span>,
        },
        { id: 'ok', title: '', cell: (one) => !one.isSuccess && <Badge tone="danger">{t('failed')}</Badge> },
      ]}
    />
  );
}
