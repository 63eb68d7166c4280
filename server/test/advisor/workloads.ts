/** The campaign's tables and workloads: TPC-H, a pgbench-like schema without secondary indexes, and both together. */
import { readdirSync, readFileSync } from 'node:fs';
import type pg from 'pg';
import { generateTable, TABLES } from '../../../bench/tpch/generate.ts';

export interface WeightedStatement {
  readonly sql: string;
  readonly calls: number;
}

const TPCH = new URL('../../../bench/tpch/', import.meta.url);
const QUERIES = new URL('../sql/tpch/', import.meta.url);
const INSERT_ROWS = 500;

/** Rows by INSERT of many: the driver has no COPY of its own. Values are the generator's, which have no quotes of any kind but '. */
async function insertLines(client: pg.Client, table: string, lines: readonly string[]): Promise<void> {
  for (let at = 0; at < lines.length; at += INSERT_ROWS) {
    const rows = lines.slice(at, at + INSERT_ROWS).map((line) => {
      const values = line.split('|').map((value) => `'${value.replaceAll("'", "''")}'`);
      return `(${values.join(',')})`;
    });
    await client.query(`insert into ${table} values ${rows.join(',')}`);
  }
}

/** TPC-H at a small scale, with its primary keys, analysed. */
export async function loadTpch(client: pg.Client, scale: number): Promise<void> {
  await client.query(readFileSync(new URL('schema.sql', TPCH), 'utf8'));
  for (const table of TABLES) {
    let rest = '';
    for (const chunk of generateTable(table, scale)) {
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      await insertLines(client, table, lines);
    }
  }
  for (const [table, key] of [
    ['region', 'r_regionkey'],
    ['nation', 'n_nationkey'],
    ['supplier', 's_suppkey'],
    ['part', 'p_partkey'],
    ['partsupp', 'ps_partkey, ps_suppkey'],
    ['customer', 'c_custkey'],
    ['orders', 'o_orderkey'],
    ['lineitem', 'l_orderkey, l_linenumber'],
  ])
    await client.query(`alter table ${table} add primary key (${key})`);
  await client.query('analyze');
}

/** Accounts, tellers, branches, history; primary keys only. */
export async function loadBank(client: pg.Client, accounts: number): Promise<void> {
  await client.query(`
    create table bank_branches (bid int primary key, bbalance int not null);
    create table bank_tellers (tid int primary key, bid int not null, tbalance int not null);
    create table bank_accounts (aid int primary key, bid int not null, abalance int not null, email text not null, opened timestamp not null);
    create table bank_history (tid int not null, bid int not null, aid int not null, delta int not null, mtime timestamp not null);
    insert into bank_branches select n, 0 from generate_series(1, 20) n;
    insert into bank_tellers select n, n % 20 + 1, 0 from generate_series(1, 200) n;
    insert into bank_accounts select n, n % 20 + 1, (n * 7919::bigint % 100003)::int, 'Person' || n || '@example.org',
      timestamp '2020-01-01' + n * interval '13 minutes' from generate_series(1, ${accounts}) n;
    insert into bank_history select n % 200 + 1, n % 20 + 1, (n * 104729::bigint % ${accounts})::int + 1, n % 1000 - 500,
      timestamp '2024-01-01' + n * interval '1 minute' from generate_series(1, ${accounts * 2}) n;
    analyze`);
}

/** The 22 queries of the specification, once each; the view of the 15th as the specification's variant has it, in WITH. */
export function tpchWorkload(): WeightedStatement[] {
  return readdirSync(QUERIES)
    .filter((name) => /^q\d\d\.sql$/.test(name))
    .sort()
    .map((name) => {
      const [first, second] = readFileSync(new URL(name, QUERIES), 'utf8').split(';');
      const view = /^\s*create view (\w+ \([^)]*\)) as/i.exec(first);
      const sql = view === null ? first : `with ${view[1]} as (${first.slice(view[0].length)})\n${second}`;
      return { sql, calls: 1 };
    });
}

/** Point statements of the TPC-B kind, and the look-ups an application adds to them. */
export function bankWorkload(): WeightedStatement[] {
  return [
    { sql: 'update bank_accounts set abalance = abalance + 17 where aid = 4711', calls: 1000 },
    { sql: 'select abalance from bank_accounts where aid = 4711', calls: 1000 },
    { sql: 'update bank_tellers set tbalance = tbalance + 17 where tid = 42', calls: 1000 },
    { sql: 'update bank_branches set bbalance = bbalance + 17 where bid = 7', calls: 1000 },
    { sql: 'insert into bank_history values (42, 7, 4711, 17, now())', calls: 1000 },
    { sql: 'select sum(delta), count(*) from bank_history where aid = 4711', calls: 300 },
    { sql: 'select * from bank_history where aid = 4711 order by mtime desc limit 10', calls: 200 },
    {
      sql: "select count(*) from bank_history where tid = 42 and mtime > timestamp '2024-01-20'",
      calls: 50,
    },
    { sql: 'select aid, abalance from bank_accounts order by abalance desc limit 10', calls: 20 },
    { sql: "select aid from bank_accounts where lower(email) = 'person4711@example.org'", calls: 100 },
    {
      sql: "select count(*) from bank_accounts where date_trunc('day', opened) = timestamp '2020-01-15'",
      calls: 20,
    },
    {
      sql: 'select a.aid, h.delta from bank_accounts a join bank_history h using (aid) where a.abalance = 500',
      calls: 20,
    },
  ];
}

/** Distinct statements for the clock: every third a query of TPC-H, the others point and range statements. */
export function manyStatements(count: number): WeightedStatement[] {
  const queries = tpchWorkload();
  const points = bankWorkload();
  return Array.from({ length: count }, (_, number) => {
    const isQuery = number % 10 === 0;
    const list = isQuery ? queries : points;
    const { sql, calls } = list[(isQuery ? number / 10 : number) % list.length];
    return { sql: `/* ${number} */ ${sql.replaceAll('4711', String(1 + number * 7))}`, calls };
  });
}
