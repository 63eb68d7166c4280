/** Roles and memberships, grants, and who can do what on a table and why. */
import { useState } from 'react';
import type { HealthFinding, RoleEntry } from '../../api/client.ts';
import { useApi } from '../../api/useApi.ts';
import { formatCount } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { navigate, patchParams, useRoute } from '../../lib/router.ts';
import { quoteName } from '../../lib/sql/quote.ts';
import { Badge, type Tone } from '../../ui/Badge.tsx';
import { Button } from '../../ui/Button.tsx';
import { DataTable } from '../../ui/DataTable.tsx';
import { CheckField, SelectField, TextField } from '../../ui/fields.tsx';
import { Page, Panel } from '../../ui/Page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { openTab } from '../query/tabs.ts';

export function SecurityPage() {
  const { params } = useRoute();
  const tab = params.get('tab') ?? 'roles';
  return (
    <Page title={t('Security')} isPadded={false}>
      <Tabs
        label={t('Security')}
        className="border-b border-(--line) bg-(--raised) px-1 pt-1"
        selected={tab}
        onSelect={(id) => patchParams({ tab: id, search: null }, {})}
        items={[
          { id: 'roles', label: t('Roles') },
          { id: 'grants', label: t('Grants') },
          { id: 'access', label: t('Who can do what') },
          { id: 'checks', label: t('Checks') },
        ]}
      />
      {tab === 'roles' && <Roles />}
      {tab === 'grants' && <Grants />}
      {tab === 'access' && <Access />}
      {tab === 'checks' && <Checks />}
    </Page>
  );
}

function attributesOf(role: RoleEntry): string[] {
  return [
    role.isSuperuser ? t('superuser') : '',
    role.canLogin ? t('login') : '',
    role.canCreateRole ? t('creates roles') : '',
    role.canCreateDatabase ? t('creates databases') : '',
    role.isReplication ? t('replication') : '',
    role.bypassesRowSecurity ? t('bypasses row security') : '',
    role.inherits ? '' : t('does not inherit'),
  ].filter((one) => one !== '');
}

function Roles() {
  const { params } = useRoute();
  const roles = useApi('GET /security/roles');
  const [hasBuiltIn, setBuiltIn] = useState(false);
  if (roles.isError) return <Failure error={roles.error} onRetry={() => void roles.refetch()} />;
  if (roles.data === undefined) return <Loading />;
  const shown = roles.data.roles.filter((role) => hasBuiltIn || !role.isBuiltIn);
  const selected = roles.data.roles.find((role) => role.name === params.get('role'));
  const edit = (sql: string): void => {
    openTab(sql);
    navigate(['query']);
  };
  return (
    <>
      <div className="flex flex-wrap items-center gap-3 px-2 py-1">
        <CheckField
          label={t('Built-in roles')}
          checked={hasBuiltIn}
          onChange={(event) => setBuiltIn(event.target.checked)}
        />
        <span className="flex-1" />
        <Button icon="plus" onClick={() => edit('create role new_role login;')}>
          {t('Role')}
        </Button>
      </div>
      <DataTable
        label={t('Roles')}
        rows={shown}
        keyOf={(role) => role.name}
        selected={selected?.name ?? null}
        onOpen={(role) => patchParams({ role: role.name }, {})}
        columns={[
          { id: 'name', title: t('Role'), cell: (role) => role.name, sort: (role) => role.name },
          {
            id: 'attributes',
            title: t('May'),
            cell: (role) => (
              <span className="flex flex-wrap gap-1">
                {attributesOf(role).map((one) => (
                  <Badge key={one} tone={role.isSuperuser && one === t('superuser') ? 'warn' : 'plain'}>
                    {one}
                  </Badge>
                ))}
              </span>
            ),
          },
          {
            id: 'member',
            title: t('Member of'),
            cell: (role) =>
              role.memberOf.map((one) => one.role + (one.isAdmin ? ` (${t('admin')})` : '')).join(', '),
          },
          { id: 'members', title: t('Members'), cell: (role) => role.members.join(', ') },
          {
            id: 'owned',
            title: t('Owns'),
            isNumber: true,
            cell: (role) => formatCount(role.ownedObjects),
            sort: (role) => role.ownedObjects,
          },
          {
            id: 'limit',
            title: t('Connections'),
            isNumber: true,
            cell: (role) => (role.connectionLimit < 0 ? '∞' : role.connectionLimit),
          },
          { id: 'until', title: t('Password until'), cell: (role) => role.validUntil ?? '' },
        ]}
      />
      {selected !== undefined && (
        <div className="p-3">
          <Panel
            title={selected.name}
            actions={
              <>
                <Button onClick={() => edit(`grant some_role to ${quoteName(selected.name)};`)}>
                  {t('Grant a role')}
                </Button>
                <Button onClick={() => edit(`alter role ${quoteName(selected.name)} nologin;`)}>
                  {t('Change')}
                </Button>
                <Button onClick={() => patchParams({ tab: 'grants' }, {})}>
                  {t('What was granted to it')}
                </Button>
              </>
            }
          >
            <Memberships roles={roles.data.roles} name={selected.name} />
            {selected.settings.length > 0 && (
              <p className="mono m-0 px-3 pb-2">{selected.settings.join(' · ')}</p>
            )}
          </Panel>
        </div>
      )}
    </>
  );
}

/** The roles a role acts as, through every membership; a cycle ends where it is met again. */
function Memberships({ roles, name }: { roles: readonly RoleEntry[]; name: string }) {
  const byName = new Map(roles.map((role) => [role.name, role]));
  const branch = (role: string, path: readonly string[]) => {
    const above = byName.get(role)?.memberOf ?? [];
    if (above.length === 0) return null;
    return (
      <ul className="m-0 pl-4">
        {above.map((one) => (
          <li key={one.role}>
            {one.role} {one.isAdmin && <Badge>{t('admin')}</Badge>}
            {!path.includes(one.role) && branch(one.role, [...path, one.role])}
          </li>
        ))}
      </ul>
    );
  };
  const tree = branch(name, [name]);
  return (
    <div className="p-3">
      <p className="m-0 text-(--muted)">
        {tree === null ? t('It is a member of no other role.') : t('It acts as:')}
      </p>
      {tree}
    </div>
  );
}

function Grants() {
  const { params } = useRoute();
  const role = params.get('role') ?? '';
  const search = params.get('search') ?? '';
  const roles = useApi('GET /security/roles', {}, { staleMillis: 60_000 });
  const grants = useApi('GET /security/grants', {
    query: { limit: 2000, ...(role === '' ? {} : { role }), ...(search === '' ? {} : { search }) },
  });
  return (
    <>
      <div className="flex flex-wrap items-center gap-3 px-2 py-1">
        <SelectField
          label={t('Role')}
          isLabelHidden
          value={role}
          onChange={(event) => patchParams({ role: event.target.value })}
        >
          <option value="">{t('every role')}</option>
          {roles.data?.roles.map((one) => (
            <option key={one.name}>{one.name}</option>
          ))}
        </SelectField>
        <TextField
          label={t('Search objects')}
          isLabelHidden
          type="search"
          placeholder={t('Search objects')}
          value={search}
          onChange={(event) => patchParams({ search: event.target.value })}
        />
        {grants.data?.isTruncated === true && <Badge tone="warn">{t('only the first are shown')}</Badge>}
      </div>
      {grants.isError ? (
        <Failure error={grants.error} onRetry={() => void grants.refetch()} />
      ) : grants.data === undefined ? (
        <Loading />
      ) : (
        <>
          <DataTable
            label={t('Grants')}
            rows={grants.data.grants}
            keyOf={(one) =>
              `${one.kind} ${one.schema} ${one.object} ${one.column} ${one.grantee} ${one.grantor}`
            }
            empty={t('Nothing is granted.')}
            columns={[
              { id: 'kind', title: t('Kind'), cell: (one) => one.kind, sort: (one) => one.kind },
              {
                id: 'object',
                title: t('Object'),
                isMono: true,
                cell: (one) =>
                  `${one.schema === null ? '' : `${one.schema}.`}${one.object}${one.column === null ? '' : `(${one.column})`}`,
                sort: (one) => `${one.schema}.${one.object}`,
              },
              { id: 'grantee', title: t('To'), cell: (one) => one.grantee, sort: (one) => one.grantee },
              {
                id: 'privileges',
                title: t('Privileges'),
                cell: (one) =>
                  one.privileges
                    .map((privilege) => privilege + (one.grantable.includes(privilege) ? '*' : ''))
                    .join(', '),
              },
              {
                id: 'grantor',
                title: t('Granted by'),
                cell: (one) => one.grantor,
                sort: (one) => one.grantor,
              },
            ]}
          />
          <h2 className="m-0 px-3 pt-4 pb-1 text-xs font-semibold">{t('Default privileges')}</h2>
          <DataTable
            label={t('Default privileges')}
            rows={grants.data.defaults}
            keyOf={(one) => `${one.owner} ${one.schema} ${one.kind} ${one.grantee}`}
            empty={t('None: new objects belong to their owner alone.')}
            columns={[
              { id: 'owner', title: t('Objects made by'), cell: (one) => one.owner },
              { id: 'schema', title: t('In schema'), cell: (one) => one.schema ?? t('any') },
              { id: 'kind', title: t('Kind'), cell: (one) => one.kind },
              { id: 'grantee', title: t('To'), cell: (one) => one.grantee },
              { id: 'privileges', title: t('Privileges'), cell: (one) => one.privileges.join(', ') },
            ]}
          />
        </>
      )}
    </>
  );
}

function Access() {
  const { params } = useRoute();
  const relation = params.get('relation') ?? '';
  const role = params.get('role') ?? '';
  const [typed, setTyped] = useState(relation);
  const dot = relation.indexOf('.');
  const schema = dot < 0 ? undefined : relation.slice(0, dot);
  const name = dot < 0 ? relation : relation.slice(dot + 1);
  const found = useApi(
    'GET /catalog/tree',
    { query: { search: name, limit: 1000, ...(schema === undefined ? {} : { schema }) } },
    { isEnabled: relation !== '', staleMillis: 10_000 },
  );
  const suggestions = useApi(
    'GET /catalog/tree',
    { query: { search: typed.slice(typed.indexOf('.') + 1), limit: 30 } },
    { staleMillis: 10_000 },
  );
  const roles = useApi('GET /security/roles', {}, { staleMillis: 60_000 });
  const oid = found.data?.relations.find((one) => one.name === name)?.oid;
  const access = useApi(
    'GET /security/access',
    { query: { oid: oid ?? 1, ...(role === '' ? {} : { role }) } },
    { isEnabled: oid !== undefined },
  );
  return (
    <>
      <form
        className="flex flex-wrap items-center gap-2 px-2 py-1"
        onSubmit={(event) => {
          event.preventDefault();
          patchParams({ relation: typed }, {});
        }}
      >
        <TextField
          label={t('Table')}
          isLabelHidden
          list="access-relations"
          placeholder={t('Table or view')}
          className="mono w-64"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <datalist id="access-relations">
          {suggestions.data?.relations.map((one) => (
            <option key={one.oid} value={`${one.schema}.${one.name}`} />
          ))}
        </datalist>
        <SelectField
          label={t('Role')}
          isLabelHidden
          value={role}
          onChange={(event) => patchParams({ role: event.target.value })}
        >
          <option value="">{t('every role')}</option>
          {roles.data?.roles.map((one) => (
            <option key={one.name}>{one.name}</option>
          ))}
        </SelectField>
        <Button type="submit" tone="primary">
          {t('Explain')}
        </Button>
      </form>
      {relation === '' ? (
        <Empty title={t('Who can do what on a table, and why.')}>
          {t('Name a table; each line tells the steps from the role to the reason.')}
        </Empty>
      ) : found.data !== undefined && oid === undefined ? (
        <Empty title={t('There is no table {name}.', { name: relation })} />
      ) : access.isError ? (
        <Failure error={access.error} onRetry={() => void access.refetch()} />
      ) : access.data === undefined ? (
        <Loading />
      ) : (
        <>
          <p className="m-0 px-3 py-1 text-(--muted)">
            {t('{name} belongs to {owner}', { name: access.data.relation, owner: access.data.owner })}
          </p>
          <DataTable
            label={t('Who can do what')}
            rows={access.data.entries}
            keyOf={(one) => `${one.role} ${one.privilege}`}
            columns={[
              { id: 'role', title: t('Role'), cell: (one) => one.role, sort: (one) => one.role },
              {
                id: 'privilege',
                title: t('Privilege'),
                cell: (one) => one.privilege,
                sort: (one) => one.privilege,
              },
              {
                id: 'allowed',
                title: t('Allowed'),
                cell: (one) => (
                  <Badge tone={one.isAllowed ? 'good' : 'plain'}>
                    {one.isAllowed ? t('✓ yes') : t('✗ no')}
                  </Badge>
                ),
                sort: (one) => (one.isAllowed ? 0 : 1),
              },
              { id: 'because', title: t('Because'), cell: (one) => one.because.join(' → ') },
            ]}
          />
        </>
      )}
    </>
  );
}

const TONES: Readonly<Record<HealthFinding['severity'], Tone>> = {
  ok: 'good',
  notice: 'accent',
  warning: 'warn',
  critical: 'danger',
};

function Checks() {
  const checks = useApi('GET /security/checks');
  if (checks.isError) return <Failure error={checks.error} onRetry={() => void checks.refetch()} />;
  if (checks.data === undefined) return <Loading />;
  return (
    <ul className="m-0 mx-auto flex max-w-4xl flex-col gap-2 p-3" aria-label={t('Checks')}>
      {checks.data.findings.map((finding) => (
        <li
          key={finding.sentence}
          className="flex list-none flex-wrap items-start gap-3 rounded border border-(--line) px-3 py-2"
        >
          <Badge tone={TONES[finding.severity]}>{finding.severity}</Badge>
          <span className="min-w-60 flex-1">{finding.sentence}</span>
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
