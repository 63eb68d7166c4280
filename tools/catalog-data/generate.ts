/**
 * Writes server/src/catalog/data/*.json from a freshly initialised PostgreSQL 15 (run by hand when the claimed version changes).
 *
 *   node tools/catalog-data/generate.ts "host=/tmp/socket port=5432 user=postgres dbname=postgres"
 *
 * The cluster must be fresh (initdb -U postgres -E UTF8 --locale=C.UTF-8): everything in it is a fact about the catalogs.
 *
 * Shape  one file per catalog: `columns` (name, type name), `constants` (columns with one value in all rows, given once) and
 *        `rows` (the other columns, tab-separated in COPY's text format).
 * Facts only: node trees and the text of view definitions are left out.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';

const connection = process.argv[2];
if (connection === undefined) throw new Error('usage: generate.ts CONNINFO');
const target = new URL('../../server/src/catalog/data/', import.meta.url);
mkdirSync(target, { recursive: true });

function query(sql: string): string[][] {
  const text = execFileSync(
    'psql',
    [connection!, '-XqAt', '-v', 'ON_ERROR_STOP=1', '-c', `COPY (${sql}) TO STDOUT`],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      env: { ...process.env, PGOPTIONS: '-c search_path=pg_catalog' },
    },
  );
  return text === ''
    ? []
    : text
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => line.split('\t'));
}

/** Catalogs whose rows are dropped: they hold trees or statistics, or state of the generating cluster. */
const EMPTY = new Set(['pg_shdepend', 'pg_statistic', 'pg_largeobject', 'pg_auth_members_none']);

/** Row filters. */
const FILTERS: Record<string, string> = {
  pg_attribute: 'attnum > 0',
  // The locales of the generating machine's C library stay out.
  pg_collation: "collprovider <> 'c' or collname in ('C', 'POSIX', 'ucs_basic', 'C.utf8')",
};

/** Columns replaced by an expression. */
const REPLACED: Record<string, Record<string, string>> = {
  pg_class: {
    reltuples: '-1::real',
    relpages: '0',
    relallvisible: '0',
    relfrozenxid: "'0'::xid",
    relminmxid: "'0'::xid",
  },
  pg_database: {
    datcollate: "'C.UTF-8'",
    datctype: "'C.UTF-8'",
    datfrozenxid: "'3'::xid",
    datminmxid: "'1'::xid",
  },
  pg_proc: {
    // Texts of the defaults, one per line; the server analyses them when a call needs them.
    proargdefaults: `(SELECT string_agg(pg_get_function_arg_default(pg_proc.oid, a), E'\\x01' ORDER BY a)
       FROM generate_series(1, 100) a WHERE pg_get_function_arg_default(pg_proc.oid, a) IS NOT NULL)`,
    // The bodies of the few builtin functions written in SQL stay out: the server has its own implementation of each.
    prosrc: `CASE WHEN prolang = 14 THEN '' ELSE prosrc END`,
    probin: 'NULL::text',
  },
  pg_rewrite: { ev_qual: "'<>'", ev_action: "'()'" },
};

const roles = new Map(query('select rolname, oid from pg_authid').map(([name, oid]) => [name, oid]));

/** aclitem by oid: `grantee=privileges/grantor` with role oids, an empty grantee stays empty (PUBLIC). */
function aclToOids(text: string): string {
  if (text === '\\N') return text;
  const items = text
    .slice(1, -1)
    .split(',')
    .map((item) => {
      const match = /^([^=]*)=([^/]*)\/(.*)$/.exec(item);
      if (match === null) throw new Error(`aclitem ${item}`);
      return `${match[1] === '' ? '' : roles.get(match[1])}=${match[2]}/${roles.get(match[3])}`;
    });
  return `{${items.join(',')}}`;
}

const catalogs = query(
  "select oid, relname from pg_class where relnamespace = 11 and relkind = 'r' order by relname",
).map(([oid, name]) => ({ oid: Number(oid), name: name! }));

let total = 0;
for (const catalog of catalogs) {
  const columns = query(
    `select attname, typname from pg_attribute a join pg_type t on t.oid = atttypid where attrelid = ${catalog.oid} and attnum > 0 order by attnum`,
  ) as [string, string][];
  const expressions = columns.map(([name, type]) => {
    const replaced = REPLACED[catalog.name]?.[name];
    if (replaced !== undefined) return `${replaced} AS ${name}`;
    if (type.startsWith('reg')) return `${name}::oid`;
    if (type === 'pg_node_tree' || type === 'anyarray') return `NULL AS ${name}`;
    return name;
  });
  const order =
    columns[0]![0] === 'oid'
      ? 'oid'
      : columns
          .map((_, i) => i + 1)
          .slice(0, 3)
          .join(', ');
  const key = catalog.name === 'pg_attribute' ? 'attrelid, attnum' : order;
  const rows = EMPTY.has(catalog.name)
    ? []
    : query(
        `select ${expressions.join(', ')} from ${catalog.name} ${FILTERS[catalog.name] === undefined ? '' : `where ${FILTERS[catalog.name]}`} order by ${key}`,
      );
  for (const row of rows)
    columns.forEach(([, type], i) => {
      if (type === '_aclitem') row[i] = aclToOids(row[i]!);
    });
  const constants: Record<string, string> = {};
  const kept: number[] = [];
  columns.forEach(([name], i) => {
    const first = rows[0]?.[i];
    if (rows.length > 1 && rows.every((row) => row[i] === first)) constants[name] = first!;
    else kept.push(i);
  });
  const lines = rows.map((row) => JSON.stringify(kept.map((i) => row[i]).join('\t')));
  const text = `{\n"oid": ${catalog.oid},\n"columns": ${JSON.stringify(columns)},\n"constants": ${JSON.stringify(constants)},\n"rows": [${lines.length === 0 ? '' : `\n${lines.join(',\n')}\n`}]\n}\n`;
  total += text.length;
  writeFileSync(new URL(`${catalog.name}.json`, target), text);
}
console.log(`${catalogs.length} catalogs, ${total} bytes`);

// Column positions as constants, so that code says row[PG_CLASS.relname].
const lines = [
  '/** Positions of the columns of every catalog in its rows. Generated by tools/catalog-data/generate.ts: do not edit. */',
];
for (const catalog of catalogs) {
  const columns = query(
    `select attname from pg_attribute where attrelid = ${catalog.oid} and attnum > 0 order by attnum`,
  );
  lines.push(`export const ${catalog.name.toUpperCase()} = {`);
  lines.push(...columns.map(([name], i) => `  ${name}: ${i},`), '} as const;');
}
writeFileSync(new URL('columns.ts', target), `${lines.join('\n')}\n`);

const imports = [
  '/** The data files by catalog name. Generated by tools/catalog-data/generate.ts: do not edit. */',
  "import type { CatalogData } from '../static-rows.ts';",
  ...catalogs.map(({ name }) => `import ${name} from './${name}.json' with { type: 'json' };`),
  '',
  'export const CATALOG_DATA = {',
  ...catalogs.map(({ name }) => `  ${name},`),
  '} as unknown as Readonly<Record<CatalogName, CatalogData>>;',
  '',
  'export type CatalogName =',
  `${catalogs.map(({ name }) => `  | '${name}'`).join('\n')};`,
];
writeFileSync(new URL('index.ts', target), `${imports.join('\n')}\n`);

/** What information_schema's four tables say about PostgreSQL's features. */
const tables = ['sql_features', 'sql_implementation_info', 'sql_parts', 'sql_sizing'].map(
  (name) =>
    `${JSON.stringify(name)}: [\n${query(`select * from information_schema.${name} order by 1, 3`)
      .map((row) => JSON.stringify(row.join('\t')))
      .join(',\n')}\n]`,
);
writeFileSync(new URL('sql-standard.json', target), `{\n${tables.join(',\n')}\n}\n`);

/** Keywords an identifier must be quoted for: all but the unreserved ones. */
const keywords = query("select word from pg_get_keywords() where catcode <> 'U' order by 1").map(
  ([word]) => word,
);
writeFileSync(new URL('keywords.json', target), `${JSON.stringify(keywords)}\n`);

/** Every keyword: word, category letter, and whether it may be a label without AS. */
const list = query('select word, catcode, barelabel from pg_get_keywords() order by 1').map((row) =>
  row.join(' '),
);
writeFileSync(new URL('keyword-list.json', target), `${JSON.stringify(list)}\n`);
