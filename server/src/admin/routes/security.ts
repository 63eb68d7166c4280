/** Roles, memberships, grants, default privileges, and the reasons behind a permission. */
import type { AccessResponse, GrantEntry, RoleEntry } from '../contract.ts';
import { notFound } from '../http/failure.ts';
import { type AdminContext, ask } from './context.ts';

const ROLES = `
select r.oid, r.rolname, r.rolsuper, r.rolcanlogin, r.rolcreaterole, r.rolcreatedb, r.rolreplication, r.rolbypassrls, r.rolinherit,
  r.rolconnlimit, r.rolvaliduntil::text, r.rolname like 'pg!_%' escape '!', coalesce(array_to_json(r.rolconfig)::text, '[]'),
  (select count(*) from pg_class c where c.relowner = r.oid and c.relkind in ('r', 'v', 'm', 'p', 'S', 'f'))
from pg_roles r order by 12, 2`;

const MEMBERSHIPS = `
select g.rolname, m.rolname, a.admin_option, pg_get_userbyid(a.grantor) from pg_auth_members a
join pg_roles g on g.oid = a.roleid join pg_roles m on m.oid = a.member order by 1, 2`;

/** Every grant as kind, schema, object, column, grantee, grantor, privilege, grantable. */
const GRANTS = `
select * from (
select case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'f' then 'foreign table' else 'table' end as kind,
  n.nspname::text as schema, c.relname::text as object, null::text as column_name, x.grantee, x.grantor, x.privilege_type, x.is_grantable
from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) x where c.relacl is not null and n.nspname not in ('pg_catalog', 'information_schema')
union all
select 'column', n.nspname::text, c.relname::text, a.attname::text, x.grantee, x.grantor, x.privilege_type, x.is_grantable
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace, aclexplode(a.attacl) x
where a.attacl is not null and n.nspname not in ('pg_catalog', 'information_schema')
union all
select 'schema', null, n.nspname::text, null, x.grantee, x.grantor, x.privilege_type, x.is_grantable
from pg_namespace n, aclexplode(n.nspacl) x where n.nspacl is not null and n.nspname not in ('pg_catalog', 'information_schema')
union all
select 'function', n.nspname::text, p.oid::regprocedure::text, null, x.grantee, x.grantor, x.privilege_type, x.is_grantable
from pg_proc p join pg_namespace n on n.oid = p.pronamespace, aclexplode(p.proacl) x where p.proacl is not null and n.nspname not in ('pg_catalog', 'information_schema')
union all
select 'database', null, d.datname::text, null, x.grantee, x.grantor, x.privilege_type, x.is_grantable
from pg_database d, aclexplode(d.datacl) x where d.datacl is not null and d.datname = current_database()
) g`;

const DEFAULTS = `
select pg_get_userbyid(d.defaclrole), (select nspname from pg_namespace n where n.oid = d.defaclnamespace),
  case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' else 'schemas' end,
  case when x.grantee = 0 then 'PUBLIC' else pg_get_userbyid(x.grantee) end, string_agg(x.privilege_type, ',' order by x.privilege_type)
from pg_default_acl d, aclexplode(d.defaclacl) x group by 1, 2, 3, 4 order by 1, 2, 3, 4`;

const PRIVILEGES = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'];

export function securityRoutes(context: AdminContext): void {
  const { router } = context;

  router.on('GET /security/roles', async ({ session }) => {
    const roles = await ask(session, ROLES);
    const memberships = await ask(session, MEMBERSHIPS);
    return {
      roles: roles.map(
        (row): RoleEntry => ({
          oid: Number(row[0]),
          name: row[1] ?? '',
          isSuperuser: row[2] === 't',
          canLogin: row[3] === 't',
          canCreateRole: row[4] === 't',
          canCreateDatabase: row[5] === 't',
          isReplication: row[6] === 't',
          bypassesRowSecurity: row[7] === 't',
          inherits: row[8] === 't',
          connectionLimit: Number(row[9]),
          validUntil: row[10],
          isBuiltIn: row[11] === 't',
          memberOf: memberships
            .filter(([, member]) => member === row[1])
            .map(([role, , isAdmin, grantor]) => ({ role: role ?? '', isAdmin: isAdmin === 't', grantor })),
          members: memberships.filter(([role]) => role === row[1]).map(([, member]) => member ?? ''),
          settings: JSON.parse(row[12] ?? '[]') as string[],
          ownedObjects: Number(row[13]),
        }),
      ),
    };
  });

  router.on('GET /security/grants', async ({ session, query }) => {
    const limit = query.limit ?? 2000;
    const rows = await ask(
      session,
      `select kind, schema, object, column_name, case when grantee = 0 then 'PUBLIC' else pg_get_userbyid(grantee) end, pg_get_userbyid(grantor),
         string_agg(privilege_type, ',' order by privilege_type), coalesce(string_agg(privilege_type, ',' order by privilege_type) filter (where is_grantable), '')
       from (${GRANTS}) x
       where ($1 = '' or $1 = case when grantee = 0 then 'PUBLIC' else pg_get_userbyid(grantee)::text end)
         and ($2 = '' or schema = $2 or kind = 'schema' and object = $2) and strpos(lower(object), lower($3)) > 0
       group by 1, 2, 3, 4, 5, 6 order by 2 nulls first, 3, 4 nulls first, 5 limit ${limit + 1}`,
      [query.role ?? '', query.schema ?? '', query.search ?? ''],
    );
    const list = (text: string | null): string[] => (text === null || text === '' ? [] : text.split(','));
    const defaults = await ask(session, DEFAULTS);
    return {
      grants: rows.slice(0, limit).map(
        (row): GrantEntry => ({
          kind: row[0] ?? '',
          schema: row[1],
          object: row[2] ?? '',
          column: row[3],
          grantee: row[4] ?? '',
          grantor: row[5] ?? '',
          privileges: list(row[6]),
          grantable: list(row[7]),
        }),
      ),
      isTruncated: rows.length > limit,
      defaults: defaults.map((row) => ({
        owner: row[0] ?? '',
        schema: row[1],
        kind: row[2] ?? '',
        grantee: row[3] ?? '',
        privileges: list(row[4]),
      })),
    };
  });

  router.on('GET /security/access', async ({ session, query }) => {
    const [head] = await ask(
      session,
      `select n.nspname || '.' || c.relname, pg_get_userbyid(c.relowner) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = $1::oid`,
      [String(query.oid)],
    );
    if (head === undefined) throw notFound('there is no such relation');
    const owner = head[1] ?? '';
    const roles = await ask(
      session,
      `select rolname, rolsuper, rolinherit from pg_roles where ($1 <> '' and rolname = $1) or ($1 = '' and rolname not like 'pg!_%' escape '!') order by rolname limit 200`,
      [query.role ?? ''],
    );
    const memberships = await ask(session, MEMBERSHIPS);
    const grants = await ask(
      session,
      `select case when x.grantee = 0 then 'PUBLIC' else pg_get_userbyid(x.grantee) end, pg_get_userbyid(x.grantor), x.privilege_type
       from pg_class c, aclexplode(coalesce(c.relacl, acldefault('r'::"char", c.relowner))) x where c.oid = $1::oid`,
      [String(query.oid)],
    );
    const inherits = new Map(
      (await ask(session, 'select rolname, rolinherit from pg_roles')).map(([name, flag]) => [
        name,
        flag === 't',
      ]),
    );
    /** The chain of memberships from a role to one that satisfies `wanted`. */
    const path = (role: string, wanted: (name: string) => boolean): string[] | null => {
      const from = new Map<string, string>([[role, '']]);
      const open = [role];
      while (open.length > 0) {
        const at = open.shift()!;
        if (wanted(at)) {
          const chain: string[] = [];
          for (let step = at; step !== ''; step = from.get(step) ?? '') chain.unshift(step);
          return chain;
        }
        if (inherits.get(at) !== true) continue;
        for (const [group, member] of memberships)
          if (member === at && group !== null && !from.has(group)) {
            from.set(group, at);
            open.push(group);
          }
      }
      return null;
    };
    const explain = (
      role: string,
      isSuperuser: boolean,
      privilege: string,
    ): AccessResponse['entries'][number] => {
      if (isSuperuser) return { role, privilege, isAllowed: true, because: [`${role} is a superuser`] };
      const toOwner = path(role, (name) => name === owner);
      const steps = (chain: readonly string[]): string[] =>
        chain.slice(1).map((group, index) => `${chain[index]} is a member of ${group}`);
      if (toOwner !== null)
        return {
          role,
          privilege,
          isAllowed: true,
          because: [...steps(toOwner), `${owner} owns the relation`],
        };
      const granted = grants.filter(([, , type]) => type === privilege);
      const toGrantee = path(role, (name) => granted.some(([grantee]) => grantee === name));
      if (toGrantee !== null) {
        const grant = granted.find(([grantee]) => grantee === toGrantee.at(-1));
        return {
          role,
          privilege,
          isAllowed: true,
          because: [...steps(toGrantee), `${grant?.[1]} granted ${privilege} to ${grant?.[0]}`],
        };
      }
      const everybody = granted.find(([grantee]) => grantee === 'PUBLIC');
      if (everybody !== undefined)
        return {
          role,
          privilege,
          isAllowed: true,
          because: [`${everybody[1]} granted ${privilege} to PUBLIC`],
        };
      return {
        role,
        privilege,
        isAllowed: false,
        because: [`nobody granted ${privilege} to ${role} or a role it inherits from`],
      };
    };
    return {
      relation: head[0] ?? '',
      owner,
      entries: roles.flatMap(([role, isSuperuser]) =>
        PRIVILEGES.map((privilege) => explain(role ?? '', isSuperuser === 't', privilege)),
      ),
    };
  });

  router.on('GET /security/checks', async ({ session }) => {
    const findings: {
      severity: 'ok' | 'notice' | 'warning' | 'critical';
      sentence: string;
      sql: string | null;
    }[] = [];
    const supers = await ask(
      session,
      `select rolname from pg_roles where rolsuper and rolcanlogin order by 1`,
    );
    findings.push({
      severity: supers.length > 2 ? 'warning' : 'ok',
      sentence: `${supers.length} ${supers.length === 1 ? 'role' : 'roles'} with login ${supers.length === 1 ? 'is a superuser' : 'are superusers'}: ${supers.map(([name]) => name).join(', ')}.`,
      sql: `select rolname from pg_roles where rolsuper and rolcanlogin`,
    });
    const open = await ask(
      session,
      `select n.nspname from pg_namespace n, aclexplode(n.nspacl) x where x.grantee = 0 and x.privilege_type = 'CREATE' and n.nspname not like 'pg!_temp%' escape '!'`,
    );
    for (const [schema] of open)
      findings.push({
        severity: 'warning',
        sentence: `Everybody may create objects in schema ${schema}, where other people's statements may find them first.`,
        sql: `REVOKE CREATE ON SCHEMA "${schema}" FROM PUBLIC;`,
      });
    const writable = await ask(
      session,
      `select n.nspname || '.' || c.relname, string_agg(x.privilege_type, ', ') from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) x
       where x.grantee = 0 and x.privilege_type in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE') and n.nspname not in ('pg_catalog', 'information_schema') group by 1 limit 50`,
    );
    for (const [name, privileges] of writable)
      findings.push({
        severity: 'warning',
        sentence: `Everybody may ${privileges} on ${name}.`,
        sql: `REVOKE ${privileges} ON ${name} FROM PUBLIC;`,
      });
    const bypass = await ask(
      session,
      `select rolname from pg_roles where rolbypassrls and not rolsuper order by 1`,
    );
    if (bypass.length > 0)
      findings.push({
        severity: 'notice',
        sentence: `Row-level security does not bind ${bypass.map(([name]) => name).join(', ')}.`,
        sql: null,
      });
    const ssl = await ask(session, `select setting from pg_settings where name = 'ssl'`);
    if (ssl[0]?.[0] !== 'on')
      findings.push({
        severity: 'notice',
        sentence: 'TLS is off: passwords are protected by SCRAM, everything else travels in clear.',
        sql: null,
      });
    return { checkedAt: context.now(), findings };
  });
}
