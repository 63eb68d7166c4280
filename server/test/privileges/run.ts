/**
 * Random privilege decisions against PostgreSQL 15: the same random roles, memberships, grants and revokes run on both, then every
 * has_*_privilege and pg_has_role answer for every role, object and privilege is compared.
 *
 *   node server/test/privileges/run.ts --postgres CONNINFO --server CONNINFO [--rounds N] [--seed N]
 *
 * Both connections are superusers of scratch databases: the objects made are dropped again. Statements must also fail alike (SQLSTATE).
 */
import { spawnSync } from 'node:child_process';

const words = process.argv.slice(2);
const option = (name: string, otherwise: string): string => {
  const at = words.indexOf(name);
  return at >= 0 ? (words[at + 1] ?? otherwise) : otherwise;
};
const rounds = Number(option('--rounds', '20'));
let state = Number(option('--seed', '1'));

/** mulberry32: one seed, one test. */
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
}
const below = (limit: number): number => Math.floor(random() * limit);
const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;
const some = <T>(items: readonly T[]): T[] => {
  const chosen = items.filter(() => random() < 0.4);
  return chosen.length > 0 ? chosen : [pick(items)];
};

const ROLES = Array.from({ length: 8 }, (_, index) => `pr_${index}`);
const PREDEFINED = ['pg_read_all_data', 'pg_write_all_data', 'pg_monitor', 'pg_read_all_settings'];
const TABLES = ['pt_0', 'pt_1', 'pt_view'];
const KINDS: Record<string, { on: string; names: string[]; privileges: string[]; ask: string }> = {
  table: {
    on: 'TABLE',
    names: TABLES.map((name) => `ps.${name}`),
    privileges: ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'],
    ask: 'has_table_privilege',
  },
  sequence: {
    on: 'SEQUENCE',
    names: ['ps.pq'],
    privileges: ['USAGE', 'SELECT', 'UPDATE'],
    ask: 'has_sequence_privilege',
  },
  schema: { on: 'SCHEMA', names: ['ps'], privileges: ['USAGE', 'CREATE'], ask: 'has_schema_privilege' },
  type: { on: 'TYPE', names: ['ps.pe'], privileges: ['USAGE'], ask: 'has_type_privilege' },
};
const COLUMN_PRIVILEGES = ['SELECT', 'INSERT', 'UPDATE', 'REFERENCES'];

/** Statements of one round, each run by a random role; its errors are part of the comparison. */
function statements(): string[] {
  const list: string[] = [];
  for (const role of ROLES)
    list.push(
      `CREATE ROLE ${role}${random() < 0.3 ? ' NOINHERIT' : ''}${random() < 0.1 ? ' CREATEROLE' : ''}`,
    );
  for (let index = 0; index < 12; index++)
    list.push(
      `GRANT ${pick([...ROLES, ...PREDEFINED])} TO ${pick(ROLES)}${random() < 0.3 ? ' WITH ADMIN OPTION' : ''}`,
    );
  list.push(
    'CREATE SCHEMA ps',
    `ALTER DEFAULT PRIVILEGES IN SCHEMA ps GRANT ${some(['SELECT', 'INSERT', 'UPDATE']).join(', ')} ON TABLES TO ${pick(ROLES)}`,
    'CREATE TABLE ps.pt_0 (a int, b int, c int)',
    'CREATE TABLE ps.pt_1 (a int, b int, c int)',
    'CREATE VIEW ps.pt_view AS SELECT * FROM ps.pt_0',
    'CREATE SEQUENCE ps.pq',
    "CREATE TYPE ps.pe AS ENUM ('a')",
    `ALTER TABLE ps.pt_1 OWNER TO ${pick(ROLES)}`,
    `ALTER SEQUENCE ps.pq OWNER TO ${pick(ROLES)}`,
  );
  for (let index = 0; index < 60; index++) {
    const kind = KINDS[pick(['table', 'table', 'table', ...Object.keys(KINDS)])]!;
    const grantee = random() < 0.1 ? 'PUBLIC' : pick(ROLES);
    const isGrant = random() < 0.7;
    let what = random() < 0.15 ? 'ALL' : some(kind.privileges).join(', ');
    if (kind.on === 'TABLE' && random() < 0.35)
      what = some(COLUMN_PRIVILEGES)
        .map((privilege) => `${privilege} (${some(['a', 'b', 'c']).join(', ')})`)
        .join(', ');
    const option = random() < 0.3;
    const by = random() < 0.4 ? pick(ROLES) : null;
    if (by !== null) list.push(`SET ROLE ${by}`);
    list.push(
      isGrant
        ? `GRANT ${what} ON ${kind.on} ${pick(kind.names)} TO ${grantee}${option && grantee !== 'PUBLIC' ? ' WITH GRANT OPTION' : ''}`
        : `REVOKE ${option ? 'GRANT OPTION FOR ' : ''}${what} ON ${kind.on} ${pick(kind.names)} FROM ${grantee}${random() < 0.6 ? ' CASCADE' : ''}`,
    );
    if (by !== null) list.push('RESET ROLE');
  }
  for (let index = 0; index < 3; index++) list.push(`REVOKE ${pick(ROLES)} FROM ${pick(ROLES)}`);
  return list;
}

/** One query that lists every decision as text. */
function questions(): string {
  const values = (items: readonly string[]): string =>
    `(VALUES ${items.map((item) => `('${item}')`).join(', ')})`;
  const roles = `${values(ROLES)} r(role)`;
  const withOption = (items: readonly string[]): string[] =>
    items.flatMap((item) => [item, `${item} WITH GRANT OPTION`]);
  const parts = Object.values(KINDS).map(
    ({ names, privileges, ask }) =>
      `SELECT '${ask}', role, o, p, ${ask}(role, o, p)::text FROM ${roles}, ${values(names)} n(o), ${values(withOption(privileges))} q(p)`,
  );
  const columnPrivileges = values(withOption(COLUMN_PRIVILEGES));
  const tables = values(TABLES.map((name) => `ps.${name}`));
  parts.push(
    `SELECT 'column', role, o || '.' || c, p, has_column_privilege(role, o, c, p)::text FROM ${roles}, ${tables} n(o), ${values(['a', 'b', 'c'])} k(c), ${columnPrivileges} q(p)`,
    `SELECT 'any column', role, o, p, has_any_column_privilege(role, o, p)::text FROM ${roles}, ${tables} n(o), ${columnPrivileges} q(p)`,
    `SELECT 'member', role, o, p, pg_has_role(role, o, p)::text FROM ${roles}, ${values([...ROLES, ...PREDEFINED])} n(o), ${values(['MEMBER', 'USAGE', 'MEMBER WITH ADMIN OPTION'])} q(p)`,
    `SELECT 'database', role, current_database()::text, p, has_database_privilege(role, current_database(), p)::text FROM ${roles}, ${values(['CREATE', 'CONNECT', 'TEMPORARY'])} q(p)`,
  );
  return `SELECT * FROM (${parts.join(' UNION ALL ')}) x(kind, role, object, privilege, answer) ORDER BY 1, 2, 3, 4;`;
}

const CLEANUP = [
  'RESET ROLE',
  'DROP SCHEMA IF EXISTS ps CASCADE',
  ...ROLES.map((role) => `DROP OWNED BY ${role} CASCADE`),
  ...ROLES.map((role) => `DROP ROLE IF EXISTS ${role}`),
];

function run(connection: string, script: string): string[] {
  const result = spawnSync('psql', [connection, '-XAqt', '-v', 'VERBOSITY=sqlstate', '-f', '-'], {
    input: script,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (result.status !== 0) throw new Error(`psql failed: ${result.stderr}`);
  return result.stdout.split('\n');
}

const connections = [option('--postgres', ''), option('--server', '')];
if (connections.includes(''))
  throw new Error('usage: run.ts --postgres CONNINFO --server CONNINFO [--rounds N] [--seed N]');

let decisions = 0;
const differences: string[] = [];
for (let round = 0; round < rounds; round++) {
  const list = statements();
  const script = [
    ...CLEANUP.map((text) => `${text};`),
    // \echo keeps an answer for each statement: its SQLSTATE, 00000 when it succeeded.
    ...list.map((text) => `${text};\n\\echo :SQLSTATE`),
    '\\echo decisions',
    questions(),
    ...CLEANUP.map((text) => `${text};`),
  ].join('\n');
  const [expected, actual] = connections.map((connection) => run(connection, script)) as [string[], string[]];
  const start = expected.indexOf('decisions');
  if (actual.indexOf('decisions') !== start) {
    differences.push(`round ${round}: ${start} against ${actual.indexOf('decisions')} statements answered`);
    continue;
  }
  list.forEach((text, index) => {
    if (expected[index] !== actual[index])
      differences.push(
        `round ${round}: ${text}: PostgreSQL ${expected[index]}, FastPostgres ${actual[index]}`,
      );
  });
  for (let line = start + 1; line < expected.length; line++) {
    if (expected[line] === '') continue;
    decisions++;
    if (expected[line] !== actual[line])
      differences.push(
        `round ${round}: PostgreSQL ${expected[line]}, FastPostgres ${actual[line] ?? 'nothing'}`,
      );
  }
}
console.log(`${decisions} decisions, ${differences.length} differences`);
for (const difference of differences.slice(0, 40)) console.log(difference);
process.exitCode = differences.length > 0 ? 1 : 0;
