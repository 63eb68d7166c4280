/** The schema tree, completion, diagrams. Paged by name: a hundred thousand tables cost no more than the page that is looked at. */
import type { ForeignKeyEntry, SchemaTable, TreeEntry } from '../contract.ts';
import type { AdminContext } from './context.ts';
import { ask } from './context.ts';

const SCHEMA_TABLES_MAX = 5000;
const TREE_PAGE = 500;
const TREE_KINDS = 'rvmpfS';
/** Separates schema and name in a page's position; no name contains it. */
const SEPARATOR = '\u0001';

const IS_OWN_SCHEMA = `n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname not like 'pg!_temp!_%' escape '!' and n.nspname not like 'pg!_toast!_temp!_%' escape '!'`;

const COLUMNS = `
from picked c
left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
order by c.nspname, c.relname, a.attnum`;

const SCHEMA_SQL = `
with picked as (
  select c.oid, n.nspname, c.relname, c.relkind, c.reltuples
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'v', 'm', 'p', 'f') and ${IS_OWN_SCHEMA}
  order by n.nspname, c.relname limit ${SCHEMA_TABLES_MAX + 1})
select c.nspname, c.relname, c.relkind, c.reltuples::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull ${COLUMNS}`;

const DIAGRAM_SQL = `
with picked as (
  select c.oid, n.nspname, c.relname, c.relkind, c.reltuples
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'f') and n.nspname = $1
  order by c.relname limit 1000)
select c.nspname, c.relname, c.relkind, c.reltuples::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull ${COLUMNS}`;

const FOREIGN_KEYS_SQL = `
select k.conname, n.nspname, c.relname,
  array_to_string(array(select a.attname from unnest(k.conkey) with ordinality u(num, pos) join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.num order by u.pos), chr(1)),
  tn.nspname, t.relname,
  array_to_string(array(select a.attname from unnest(k.confkey) with ordinality u(num, pos) join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.num order by u.pos), chr(1))
from pg_constraint k
join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
join pg_class t on t.oid = k.confrelid join pg_namespace tn on tn.oid = t.relnamespace
where k.contype = 'f'`;

const PRIMARY_KEYS_SQL = `
select n.nspname, c.relname,
  array_to_string(array(select a.attname from unnest(k.conkey) with ordinality u(num, pos) join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.num order by u.pos), chr(1))
from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
where k.contype = 'p' and n.nspname = $1`;

/** Tables out of rows of one column each. */
export function tablesOf(rows: readonly (string | null)[][]): SchemaTable[] {
  const tables = new Map<string, SchemaTable>();
  for (const [schema, name, kind, estimatedRows, column, type, notNull] of rows) {
    const key = `${schema}${SEPARATOR}${name}`;
    let table = tables.get(key);
    if (table === undefined) {
      table = {
        schema: schema ?? '',
        name: name ?? '',
        kind: kind ?? '',
        estimatedRows: estimatedRows ?? '0',
        columns: [],
      };
      tables.set(key, table);
    }
    if (column !== null) table.columns.push({ name: column, type: type ?? '', isNotNull: notNull === 't' });
  }
  return [...tables.values()];
}

function foreignKeysOf(rows: readonly (string | null)[][]): ForeignKeyEntry[] {
  const list = (text: string | null): string[] => (text === null || text === '' ? [] : text.split(SEPARATOR));
  return rows.map(([name, schema, table, columns, targetSchema, targetTable, targetColumns]) => ({
    name: name ?? '',
    schema: schema ?? '',
    table: table ?? '',
    columns: list(columns),
    targetSchema: targetSchema ?? '',
    targetTable: targetTable ?? '',
    targetColumns: list(targetColumns),
  }));
}

const FUNCTIONS_SQL = `select n.nspname, p.proname, pg_get_function_arguments(p.oid), coalesce(pg_get_function_result(p.oid), ''), p.prokind
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace`;

export function catalogRoutes(context: AdminContext): void {
  let systemFunctions: Promise<(string | null)[][]> | null = null;
  const { router } = context;

  router.on('GET /schema', async ({ session }) => {
    const tables = tablesOf(await ask(session, SCHEMA_SQL));
    const isTruncated = tables.length > SCHEMA_TABLES_MAX;
    const [version] = await ask(session, 'select fastpostgres_catalog_version()::text').catch(() => []);
    return {
      tables: isTruncated ? tables.slice(0, SCHEMA_TABLES_MAX) : tables,
      isTruncated,
      ...(version?.[0] == null ? {} : { version: version[0] }),
    };
  });

  router.on('GET /catalog/schemas', async ({ session }) => {
    const rows = await ask(
      session,
      `select n.nspname, pg_get_userbyid(n.nspowner),
         n.nspname in ('pg_catalog', 'information_schema') or n.nspname like 'pg!_%' escape '!',
         (select count(*) from pg_class c where c.relnamespace = n.oid and c.relkind in ('r', 'v', 'm', 'p', 'f', 'S')),
         (select count(*) from pg_proc p where p.pronamespace = n.oid),
         (select count(*) from pg_type t where t.typnamespace = n.oid and t.typtype in ('d', 'e', 'r')
            or t.typnamespace = n.oid and t.typtype = 'c' and exists (select 1 from pg_class c where c.oid = t.typrelid and c.relkind = 'c'))
       from pg_namespace n
       where n.nspname not like 'pg!_temp!_%' escape '!' and n.nspname not like 'pg!_toast%' escape '!'
       order by 3, 1`,
    );
    return {
      schemas: rows.map(([name, owner, isSystem, relations, functions, types]) => ({
        name: name ?? '',
        owner: owner ?? '',
        isSystem: isSystem === 't',
        relations: Number(relations),
        functions: Number(functions),
        types: Number(types),
      })),
    };
  });

  router.on('GET /catalog/tree', async ({ session, query }) => {
    const limit = query.limit ?? TREE_PAGE;
    const kinds = [...(query.kinds ?? TREE_KINDS)].filter((kind) => 'rvmpfScitI'.includes(kind));
    const [afterSchema, afterName] = (query.after ?? '').split(SEPARATOR);
    const conditions = [`c.relkind = any (string_to_array($1, null)::"char"[])`];
    const parameters: string[] = [kinds.join('')];
    const add = (text: string, ...values: string[]): void => {
      conditions.push(text.replaceAll(/\?/g, () => `$${parameters.push(values.shift() ?? '')}`));
    };
    if (query.schema === undefined) conditions.push(IS_OWN_SCHEMA);
    else add('n.nspname = ?', query.schema);
    if (query.search !== undefined && query.search !== '')
      add('strpos(lower(c.relname), ?) > 0', query.search.toLowerCase());
    if (afterName !== undefined) add('(n.nspname, c.relname) > (?::name, ?::name)', afterSchema, afterName);
    const rows = await ask(
      session,
      `select c.oid, n.nspname, c.relname, c.relkind, greatest(c.reltuples, 0)::text
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where ${conditions.join(' and ')} order by n.nspname, c.relname limit ${limit + 1}`,
      parameters,
    );
    const relations = rows.slice(0, limit).map(
      ([oid, schema, name, kind, estimatedRows]): TreeEntry => ({
        oid: Number(oid),
        schema: schema ?? '',
        name: name ?? '',
        kind: kind ?? '',
        estimatedRows: Number(estimatedRows),
      }),
    );
    const last = relations.at(-1);
    return {
      relations,
      next: rows.length > limit && last !== undefined ? `${last.schema}${SEPARATOR}${last.name}` : null,
    };
  });

  router.on('GET /catalog/completion', async ({ session }) => {
    // Those of the system are the same for everybody as long as the server runs.
    systemFunctions ??= ask(
      session,
      `${FUNCTIONS_SQL} where n.nspname = 'pg_catalog' and p.proname !~ '(_recv|_send|_in|_out|sel|joinsel|support|handler)$'
         and p.prorettype <> 2281 order by p.proname limit 6000`,
    );
    systemFunctions.catch(() => {
      systemFunctions = null;
    });
    const functions = [
      ...(await ask(
        session,
        `${FUNCTIONS_SQL} where n.nspname not in ('pg_catalog', 'information_schema') and p.prorettype <> 2281 order by p.proname limit 6000`,
      )),
      ...(await systemFunctions),
    ];
    const types = await ask(
      session,
      `select distinct format_type(t.oid, null) from pg_type t join pg_namespace n on n.oid = t.typnamespace
       where t.typtype in ('b', 'd', 'e', 'r', 'm') and t.typelem = 0 and n.nspname <> 'information_schema' order by 1`,
    );
    const settings = await ask(session, 'select name from pg_settings order by name');
    return {
      functions: functions.map(([schema, name, args, result, kind]) => ({
        schema: schema ?? '',
        name: name ?? '',
        arguments: args ?? '',
        result: result ?? '',
        kind: kind ?? 'f',
      })),
      foreignKeys: foreignKeysOf(await ask(session, `${FOREIGN_KEYS_SQL} limit 20000`)),
      types: types.map(([name]) => name ?? ''),
      searchPath: [...session.searchPath],
      settings: settings.map(([name]) => name ?? ''),
    };
  });

  router.on('GET /catalog/diagram', async ({ session, query }) => {
    const tables = tablesOf(await ask(session, DIAGRAM_SQL, [query.schema]));
    const foreignKeys = foreignKeysOf(
      await ask(session, `${FOREIGN_KEYS_SQL} and (n.nspname = $1 or tn.nspname = $1)`, [query.schema]),
    );
    const primaryKeys = await ask(session, PRIMARY_KEYS_SQL, [query.schema]);
    return {
      tables,
      foreignKeys,
      primaryKeys: primaryKeys.map(([schema, table, columns]) => ({
        schema: schema ?? '',
        table: table ?? '',
        columns: (columns ?? '').split(SEPARATOR),
      })),
    };
  });
}
