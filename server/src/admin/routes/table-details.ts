/** Everything about one relation: columns, constraints, indexes, triggers, policies, privileges, dependencies, DDL, storage. */
import type { ConsoleSession } from '../console-sessions.ts';
import type { ColumnStorage, TableDetails } from '../contract.ts';
import { ApiFailure, notFound } from '../http/failure.ts';
import { quoteLiteral, showName } from '../sql/quote.ts';
import { type AdminContext, ask, millis } from './context.ts';

const HEAD = `
select n.nspname, c.relname, c.relkind, pg_get_userbyid(c.relowner), obj_description(c.oid, 'pg_class'), greatest(c.reltuples, 0)::text,
  case when c.relkind in ('r', 'm', 'p', 'i', 'I') then pg_table_size(c.oid) else 0 end::text,
  case when c.relkind in ('r', 'm', 'p') then pg_indexes_size(c.oid) else 0 end::text, c.relrowsecurity
from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = $1::oid`;

const COLUMNS = `
select a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated,
  (select co.collname from pg_collation co where co.oid = a.attcollation and a.attcollation <> 100),
  col_description(a.attrelid, a.attnum),
  exists (select 1 from pg_constraint k where k.conrelid = a.attrelid and k.contype = 'p' and a.attnum = any (k.conkey))
from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped order by a.attnum`;

const CONSTRAINTS = `
select conname, contype, pg_get_constraintdef(oid, true), convalidated from pg_constraint
where conrelid = $1::oid order by contype = 'p' desc, conname`;

const INDEXES = `
select i.indexrelid, c.relname, pg_get_indexdef(i.indexrelid), i.indisunique, i.indisprimary, i.indisvalid,
  pg_relation_size(i.indexrelid)::text, pg_stat_get_numscans(i.indexrelid)::text, pg_stat_get_tuples_returned(i.indexrelid)::text,
  exists (select 1 from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x') and k.conrelid = i.indrelid)
from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = $1::oid order by i.indisprimary desc, c.relname`;

const TRIGGERS = `
select tgname, pg_get_triggerdef(oid), tgenabled <> 'D' from pg_trigger where tgrelid = $1::oid and not tgisinternal order by tgname`;

const POLICIES = `
select polname, case polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE' when 'd' then 'DELETE' else 'ALL' end,
  polpermissive, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)
from pg_policy where polrelid = $1::oid order by polname`;

const PRIVILEGES = `
select case when x.grantee = 0 then 'PUBLIC' else pg_get_userbyid(x.grantee) end, pg_get_userbyid(x.grantor), x.privilege_type, x.is_grantable, null::name
from pg_class c, aclexplode(coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))) x where c.oid = $1::oid
union all
select case when x.grantee = 0 then 'PUBLIC' else pg_get_userbyid(x.grantee) end, pg_get_userbyid(x.grantor), x.privilege_type, x.is_grantable, a.attname
from pg_attribute a, aclexplode(a.attacl) x where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped and a.attacl is not null
order by 1, 5 nulls first, 3`;

const DEPENDS_ON = `
select distinct case c.relkind when 'r' then 'table' when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'i' then 'index' else 'relation' end,
  n.nspname || '.' || c.relname
from pg_depend d join pg_class c on c.oid = d.refobjid join pg_namespace n on n.oid = c.relnamespace
where d.refclassid = 1259 and d.refobjid <> $1::oid and d.deptype in ('n', 'a')
  and (d.classid = 1259 and d.objid = $1::oid
    or d.classid = 2618 and d.objid in (select oid from pg_rewrite where ev_class = $1::oid)
    or d.classid = 2604 and d.objid in (select oid from pg_attrdef where adrelid = $1::oid)
    or d.classid = 2606 and d.objid in (select oid from pg_constraint where conrelid = $1::oid))
order by 1, 2`;

const DEPENDENTS = `
select distinct kind, name from (
  select case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'relation' end, n.nspname || '.' || c.relname
  from pg_depend d join pg_rewrite r on r.oid = d.objid join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
  where d.classid = 2618 and d.refclassid = 1259 and d.refobjid = $1::oid and c.oid <> $1::oid
  union all
  select 'foreign key', n.nspname || '.' || c.relname || '.' || k.conname
  from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
  where k.confrelid = $1::oid
  union all
  select 'sequence', n.nspname || '.' || c.relname
  from pg_depend d join pg_class c on c.oid = d.objid join pg_namespace n on n.oid = c.relnamespace
  where d.classid = 1259 and d.refclassid = 1259 and d.refobjid = $1::oid and c.relkind = 'S'
) x(kind, name) order by 1, 2`;

const STATISTICS = `
select seq_scan::text, coalesce(idx_scan, 0)::text, n_tup_ins::text, n_tup_upd::text, n_tup_del::text, n_live_tup::text, n_dead_tup::text,
  extract(epoch from greatest(last_vacuum, last_autovacuum))::text, extract(epoch from greatest(last_analyze, last_autoanalyze))::text
from pg_stat_all_tables where relid = $1::oid`;

export function tableDetailRoutes(context: AdminContext): void {
  const { router } = context;

  router.on('GET /tables/:oid', async ({ session, params }) => tableDetails(session, params.oid));

  router.on('GET /tables/:oid/storage', async ({ session, params }) => {
    const oid = String(params.oid);
    const [allowed] = await ask(
      session,
      `select has_table_privilege($1::oid, 'SELECT') or has_any_column_privilege($1::oid, 'SELECT') from pg_class where oid = $1::oid`,
      [oid],
    );
    if (allowed === undefined) throw notFound('there is no such relation');
    if (allowed[0] !== 't')
      throw new ApiFailure(403, { code: '42501', message: 'permission denied for this table' });
    const rows = await ask(
      session,
      `select column_name, segments, rows, sealed_rows, delta_rows, compressed_bytes, plain_bytes, encodings, zone_map_quality
       from fastpostgres_table_storage($1::oid)`,
      [oid],
    );
    const statistics = await ask(
      session,
      `select s.attname, s.null_frac::text, s.n_distinct::text, s.correlation::text,
         to_json(s.most_common_vals::text::text[])::text, to_json(s.most_common_freqs)::text, to_json(s.histogram_bounds::text::text[])::text
       from pg_stats s join pg_class c on c.relname = s.tablename join pg_namespace n on n.oid = c.relnamespace and n.nspname = s.schemaname
       where c.oid = $1::oid`,
      [oid],
    ).catch(() => []);
    const known = new Map(statistics.map((row) => [row[0], row]));
    const columns = rows
      .filter(([name]) => name !== null)
      .map((row): ColumnStorage => {
        const [, nullFraction, distinct, correlation, values, frequencies, bounds] = known.get(row[0]) ?? [];
        const list = <T>(text: string | null | undefined): T[] =>
          text == null ? [] : (JSON.parse(text) as T[]);
        const common = list<string>(values);
        const shares = list<number>(frequencies);
        return {
          column: row[0] ?? '',
          compressedBytes: Number(row[5]),
          plainBytes: Number(row[6]),
          encodings: JSON.parse(row[7] ?? '[]') as ColumnStorage['encodings'],
          zoneMapQuality: row[8] === null ? null : Number(row[8]),
          nullFraction: nullFraction == null ? null : Number(nullFraction),
          distinct: distinct == null ? null : Number(distinct),
          correlation: correlation == null ? null : Number(correlation),
          commonValues: common.slice(0, 20).map((value, at) => ({ value, frequency: shares[at] ?? 0 })),
          histogramBounds: list<string>(bounds),
        };
      });
    const first = rows[0];
    const sum = (pick: (column: ColumnStorage) => number): number =>
      columns.reduce((total, column) => total + pick(column), 0);
    return {
      rows: Number(first?.[2] ?? 0),
      segments: Number(first?.[1] ?? 0),
      sealedRows: Number(first?.[3] ?? 0),
      deltaRows: Number(first?.[4] ?? 0),
      compressedBytes: sum((column) => column.compressedBytes),
      plainBytes: sum((column) => column.plainBytes),
      columns,
    };
  });
}

export async function tableDetails(session: ConsoleSession, relation: number): Promise<TableDetails> {
  const oid = [String(relation)];
  const [head] = await ask(session, HEAD, oid);
  if (head === undefined) throw notFound('there is no such relation');
  const [schema, name, kind, owner, comment, estimatedRows, sizeBytes, indexBytes, rowSecurity] = head;
  const columns = (await ask(session, COLUMNS, oid)).map((row) => ({
    number: Number(row[0]),
    name: row[1] ?? '',
    type: row[2] ?? '',
    isNotNull: row[3] === 't',
    default: row[4],
    identity: row[5] ?? '',
    generated: row[6] ?? '',
    collation: row[7],
    comment: row[8],
    isPrimaryKey: row[9] === 't',
  }));
  const constraints = (await ask(session, CONSTRAINTS, oid)).map((row) => ({
    name: row[0] ?? '',
    kind: row[1] ?? '',
    definition: row[2] ?? '',
    isValidated: row[3] === 't',
  }));
  const indexRows = await ask(session, INDEXES, oid);
  const indexes = indexRows.map((row) => ({
    oid: Number(row[0]),
    name: row[1] ?? '',
    definition: row[2] ?? '',
    isUnique: row[3] === 't',
    isPrimary: row[4] === 't',
    isValid: row[5] === 't',
    sizeBytes: row[6] ?? '0',
    scans: row[7] ?? '0',
    rowsRead: row[8] ?? '0',
    lastUsedAt: null,
  }));
  const triggers = (await ask(session, TRIGGERS, oid)).map((row) => ({
    name: row[0] ?? '',
    definition: row[1] ?? '',
    isEnabled: row[2] === 't',
  }));
  const policies = (await ask(session, POLICIES, oid)).map((row) => ({
    name: row[0] ?? '',
    command: row[1] ?? '',
    isPermissive: row[2] === 't',
    using: row[3],
    check: row[4],
  }));
  const privileges = (await ask(session, PRIVILEGES, oid)).map((row) => ({
    grantee: row[0] ?? '',
    grantor: row[1] ?? '',
    privilege: row[2] ?? '',
    isGrantable: row[3] === 't',
    column: row[4],
  }));
  const pairs = async (sql: string): Promise<{ kind: string; name: string }[]> =>
    (await ask(session, sql, oid)).map((row) => ({ kind: row[0] ?? '', name: row[1] ?? '' }));
  const [statistics] = await ask(session, STATISTICS, oid);
  const view =
    kind === 'v' || kind === 'm'
      ? ((await ask(session, 'select pg_get_viewdef($1::oid, true)', oid))[0]?.[0] ?? '')
      : '';
  const details: Omit<TableDetails, 'ddl'> = {
    oid: relation,
    schema: schema ?? '',
    name: name ?? '',
    kind: kind ?? '',
    owner: owner ?? '',
    comment,
    estimatedRows: Number(estimatedRows),
    sizeBytes: sizeBytes ?? '0',
    indexBytes: indexBytes ?? '0',
    isRowSecurityOn: rowSecurity === 't',
    columns,
    constraints,
    indexes,
    triggers,
    policies,
    privileges,
    dependsOn: await pairs(DEPENDS_ON),
    dependents: await pairs(DEPENDENTS),
    statistics:
      statistics === undefined
        ? null
        : {
            sequentialScans: statistics[0] ?? '0',
            indexScans: statistics[1] ?? '0',
            inserted: statistics[2] ?? '0',
            updated: statistics[3] ?? '0',
            deleted: statistics[4] ?? '0',
            liveRows: statistics[5] ?? '0',
            deadRows: statistics[6] ?? '0',
            lastVacuum: millis(statistics[7]),
            lastAnalyze: millis(statistics[8]),
          },
  };
  const ofConstraints = new Set(indexRows.filter((row) => row[9] === 't').map((row) => row[1]));
  return { ...details, ddl: ddlOf(details, view, ofConstraints) };
}

/** Statements that make the relation anew: itself, its indexes, triggers, policies, comments. */
function ddlOf(
  table: Omit<TableDetails, 'ddl'>,
  view: string,
  indexesOfConstraints: ReadonlySet<string | null>,
): string {
  const full = `${showName(table.schema)}.${showName(table.name)}`;
  const statements: string[] = [];
  if (table.kind === 'v' || table.kind === 'm') {
    const word = table.kind === 'v' ? 'VIEW' : 'MATERIALIZED VIEW';
    statements.push(`CREATE ${word} ${full} AS\n${view.trim().replace(/;$/, '')};`);
  } else if (table.kind === 'r' || table.kind === 'p' || table.kind === 'f') {
    const lines = table.columns.map((column) => {
      let line = `  ${showName(column.name)} ${column.type}`;
      if (column.collation !== null) line += ` COLLATE ${showName(column.collation)}`;
      if (column.generated === 's') line += ` GENERATED ALWAYS AS (${column.default}) STORED`;
      else if (column.identity !== '')
        line += ` GENERATED ${column.identity === 'a' ? 'ALWAYS' : 'BY DEFAULT'} AS IDENTITY`;
      else if (column.default !== null) line += ` DEFAULT ${column.default}`;
      if (column.isNotNull && !column.isPrimaryKey && column.identity === '') line += ' NOT NULL';
      return line;
    });
    for (const constraint of table.constraints)
      if (constraint.kind !== 't')
        lines.push(`  CONSTRAINT ${showName(constraint.name)} ${constraint.definition}`);
    statements.push(`CREATE TABLE ${full} (\n${lines.join(',\n')}\n);`);
  } else if (table.kind === 'S') statements.push(`CREATE SEQUENCE ${full};`);
  for (const index of table.indexes)
    if (!indexesOfConstraints.has(index.name)) statements.push(`${index.definition};`);
  for (const trigger of table.triggers) statements.push(`${trigger.definition};`);
  if (table.isRowSecurityOn) statements.push(`ALTER TABLE ${full} ENABLE ROW LEVEL SECURITY;`);
  for (const policy of table.policies) {
    statements.push(
      `CREATE POLICY ${showName(policy.name)} ON ${full}${policy.isPermissive ? '' : ' AS RESTRICTIVE'} FOR ${policy.command}` +
        `${policy.using === null ? '' : ` USING (${policy.using})`}${policy.check === null ? '' : ` WITH CHECK (${policy.check})`};`,
    );
  }
  const word =
    table.kind === 'v'
      ? 'VIEW'
      : table.kind === 'm'
        ? 'MATERIALIZED VIEW'
        : table.kind === 'S'
          ? 'SEQUENCE'
          : 'TABLE';
  if (table.comment !== null)
    statements.push(`COMMENT ON ${word} ${full} IS ${quoteLiteral(table.comment)};`);
  for (const column of table.columns)
    if (column.comment !== null)
      statements.push(
        `COMMENT ON COLUMN ${full}.${showName(column.name)} IS ${quoteLiteral(column.comment)};`,
      );
  return statements.join('\n\n');
}
