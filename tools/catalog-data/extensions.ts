/**
 * Writes server/src/catalog/data/extensions.json: which objects the extensions we implement consist of, from a PostgreSQL 15 in
 * which they can be created (run by hand, like generate.ts).
 *
 *   node tools/catalog-data/extensions.ts "host=/tmp/socket port=5432 user=postgres dbname=scratch"
 *
 * Facts only: names, types and properties of functions, operators, casts, classes. Bodies of functions written in SQL stay out;
 * the server has its own implementation of each, under the name `extension.function/arguments`.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const connection = process.argv[2];
if (connection === undefined) throw new Error('usage: extensions.ts CONNINFO');

function sql(text: string): string {
  return execFileSync('psql', [connection!, '-XqAt', '-v', 'ON_ERROR_STOP=1', '-c', text], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
}

function query(text: string): string[][] {
  return sql(`COPY (${text}) TO STDOUT`)
    .replace(/\n$/, '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}

const EXTENSIONS = ['pgcrypto', 'pg_trgm', 'uuid-ossp', 'citext', 'hstore'];

/** Catalogs that may hold members, in the order in which rows can be inserted; how a member's rows are found. */
const CATALOGS: [name: string, where: string][] = [
  ['pg_type', "oid IN (SELECT objid FROM m WHERE classid = 'pg_type'::regclass)"],
  ['pg_proc', "oid IN (SELECT objid FROM m WHERE classid = 'pg_proc'::regclass)"],
  ['pg_aggregate', "aggfnoid::oid IN (SELECT objid FROM m WHERE classid = 'pg_proc'::regclass)"],
  ['pg_operator', "oid IN (SELECT objid FROM m WHERE classid = 'pg_operator'::regclass)"],
  ['pg_cast', "oid IN (SELECT objid FROM m WHERE classid = 'pg_cast'::regclass)"],
  ['pg_opfamily', "oid IN (SELECT objid FROM m WHERE classid = 'pg_opfamily'::regclass)"],
  ['pg_opclass', "oid IN (SELECT objid FROM m WHERE classid = 'pg_opclass'::regclass)"],
  ['pg_amop', "amopfamily IN (SELECT objid FROM m WHERE classid = 'pg_opfamily'::regclass)"],
  ['pg_amproc', "amprocfamily IN (SELECT objid FROM m WHERE classid = 'pg_opfamily'::regclass)"],
];

const REPLACED: Record<string, string> = {
  'pg_proc.prosrc':
    "CASE WHEN prolang = 14 THEN (SELECT extname FROM pg_extension e JOIN pg_depend d ON d.refobjid = e.oid AND d.objid = c.oid AND d.deptype = 'e') || '.' || proname || '/' || pronargs ELSE prosrc END",
  'pg_proc.prolang': 'CASE WHEN prolang = 14 THEN 12 ELSE prolang END',
  'pg_proc.proargdefaults': `(SELECT string_agg(pg_get_function_arg_default(c.oid, a), E'\\x01' ORDER BY a)
     FROM generate_series(1, 100) a WHERE pg_get_function_arg_default(c.oid, a) IS NOT NULL)`,
};

const extensions = EXTENSIONS.map((name) => {
  sql(`CREATE EXTENSION IF NOT EXISTS "${name}"`);
  const [[version, relocatable, trusted, comment]] = query(
    `SELECT e.extversion, v.relocatable, v.trusted, v.comment FROM pg_extension e
       JOIN pg_available_extension_versions v ON v.name = e.extname AND v.version = e.extversion WHERE extname = '${name}'`,
  ) as [string[]];
  const catalogs = CATALOGS.map(([catalog, where]) => {
    const columns = query(
      `SELECT attname, typname FROM pg_attribute a JOIN pg_type t ON t.oid = atttypid
        WHERE attrelid = '${catalog}'::regclass AND attnum > 0 ORDER BY attnum`,
    );
    const list = columns.map(([column, type]) => {
      const replaced = REPLACED[`${catalog}.${column}`];
      if (replaced !== undefined) return `${replaced} AS ${column}`;
      if (type!.startsWith('reg')) return `${column}::oid`;
      if (type === 'pg_node_tree' || type === 'anyarray' || type === '_aclitem') return `NULL AS ${column}`;
      return column!;
    });
    const rows = query(
      `WITH m AS (
         SELECT classid, objid FROM pg_depend WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass
            AND refobjid = (SELECT oid FROM pg_extension WHERE extname = '${name}')
         UNION
         SELECT 'pg_type'::regclass, t.typarray FROM pg_type t JOIN pg_depend d ON d.objid = t.oid AND d.classid = 'pg_type'::regclass
          WHERE d.deptype = 'e' AND t.typarray <> 0 AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = '${name}'))
       SELECT ${list.join(', ')} FROM ${catalog} c WHERE ${where} ORDER BY 1`,
    ).map((row) => row.join('\t'));
    return [catalog, rows] as const;
  }).filter(([, rows]) => rows.length > 0);
  return {
    name,
    version,
    relocatable: relocatable === 't',
    trusted: trusted === 't',
    comment,
    rows: Object.fromEntries(catalogs),
  };
});

writeFileSync(
  new URL('../../server/src/catalog/data/extensions.json', import.meta.url),
  `${JSON.stringify(extensions, null, 0).replaceAll('","', '",\n"')}\n`,
);
console.log(
  extensions.map(({ name, rows }) => `${name}: ${Object.values(rows).flat().length} rows`).join('\n'),
);
