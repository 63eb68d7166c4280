/** Aggregates under both executors: the row executor is the truth, compiled pipelines must give the same rows. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRealEnvironment } from '../../src/env/real/environment.ts';
import { type RunningServer, startServer } from '../../src/main/server.ts';

const root = mkdtempSync(join(tmpdir(), 'fastpostgres-pipelines-'));
let server: RunningServer;
let client: pg.Client;

beforeAll(async () => {
  const base = createRealEnvironment(root);
  const environment = {
    ...base,
    host: {
      ...base.host,
      onSignal: () => {},
      onFatal: () => {},
      writeOut: () => {},
      writeError: () => {},
      variable: (name: string) =>
        name === 'FASTPOSTGRES_PASSWORD' ? 'correct horse' : base.host.variable(name),
    },
  };
  server = await startServer(environment, {
    dataDirectory: root,
    port: 0,
    httpPort: 0,
    host: '127.0.0.1',
    passwordFile: null,
    settings: [],
  });
  client = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: 'postgres',
    password: 'correct horse',
    database: 'postgres',
  });
  await client.connect();
  await client.query(`create table facts (
    id int not null, small int2, medium int4, large int8, price numeric(12,2) not null, rate numeric(6,4),
    ratio float8, flag char(1), name varchar(20), day date not null, at timestamp, ok boolean)`);
  // Enough rows at once go to a region of their own; the rest stays in the delta.
  await client.query(`insert into facts select
      i, (i % 300)::int2, case when i % 7 = 0 then null else i % 1000 - 500 end, i::int8 * 1000003 % 99999999977,
      (i * 37 % 100000)::numeric / 100, case when i % 11 = 0 then null else (i % 9999)::numeric / 10000 end,
      case when i % 13 = 0 then null else i % 64 * 0.25 end,
      case i % 4 when 0 then 'A' when 1 then 'N' when 2 then 'R' end,
      case when i % 5 = 0 then null else 'name ' || i % 40 end,
      date '1995-01-01' + i % 2000, timestamp '1995-01-01 12:00:00' + (i % 2000) * interval '1 day', i % 3 = 0
    from generate_series(1, 9000) as g(i)`);
  await client.query(
    `insert into facts values (9001, null, null, null, 0.01, null, null, null, null, '2001-02-03', null, null)`,
  );
  await client.query(`update facts set price = price + 1, flag = 'U' where id % 101 = 0`);
  await client.query(`delete from facts where id % 97 = 0`);
}, 60_000);

afterAll(async () => {
  await client?.end();
  await server?.stop();
  rmSync(root, { recursive: true, force: true });
});

async function rows(executor: string, sql: string): Promise<string[]> {
  await client.query(`set fastpostgres.executor = ${executor}`);
  const { rows: found } = await client.query({ text: sql, rowMode: 'array' });
  return found.map((row) => JSON.stringify(row));
}

const STATEMENTS: readonly string[] = [
  'select count(*), sum(price), avg(price), min(price), max(price) from facts',
  'select count(*), count(medium), sum(medium), avg(medium), min(medium), max(medium) from facts',
  'select sum(large), avg(large), min(large), max(large), sum(small), avg(small) from facts',
  'select sum(ratio), avg(ratio), min(ratio), max(ratio), count(ratio) from facts',
  'select min(day), max(day), min(at), max(at) from facts',
  `select flag, count(*), sum(price * (1 - rate)), sum(price * (1 - rate) * (1 + rate)), avg(rate)
     from facts where day <= date '1998-12-01' - interval '90 day' group by flag order by flag`,
  `select sum(price * rate) from facts where day >= date '1996-01-01' and day < date '1996-01-01' + interval '1 year'
     and rate between 0.05 and 0.7 and small < 240`,
  'select name, flag, count(*), sum(medium) from facts group by name, flag order by 1, 2',
  'select medium, count(*), sum(price) from facts group by medium order by medium',
  'select day, ok, count(*) from facts group by day, ok order by day, ok',
  'select small, ok, min(price), max(rate) from facts where medium is not null group by small, ok order by 1, 2',
  `select name, count(*) from facts where name like 'name 1%' and flag <> 'A' group by name order by name`,
  `select count(*) from facts where name in ('name 3', 'name 4') or flag = 'R'`,
  'select count(*) filter (where ok), sum(price) filter (where medium > 0), max(medium) filter (where not ok) from facts',
  `select sum(case when flag = 'A' then price else 0 end), sum(case when ok then medium end) from facts`,
  'select coalesce(medium, -1), count(*) from facts group by coalesce(medium, -1) order by 1 limit 7',
  'select flag, sum(price) from facts group by flag having sum(price) > 100000 order by sum(price) desc',
  'select count(*), sum(price), max(ratio) from facts where id < 0',
  'select flag, count(*) from facts where id < 0 group by flag',
  `select count(*) from facts where at > timestamp '1996-06-01' and day <> date '1997-01-01' and large % 2 = 0`,
  'select count(*) from facts where (medium > 0 or ok) and not (small = 7 and medium is null)',
  'select sum(-medium), sum(medium + small), sum(medium * 3 - large), sum(price - rate) from facts',
  'select count(*) from facts where ratio >= 3.25 and ratio < 12 and ratio <> 5',
  'select sum(ratio * 2), sum(ratio + medium), avg(price::float8) from facts',
  'select id % 3, count(*) from facts group by id % 3 order by 1',
  'select medium / 7, medium % 7, count(*), sum(large / 1000), sum(large % (small + 1)) from facts group by 1, 2 order by 1, 2',
  'select sum(case when small <> 0 then medium / small end) from facts',
  'select (select max(price) from facts where small = 5), sum(price) from facts where small = 5',
  'select count(*) from facts where medium in (1, 2, 3, -4, -5)',
  'select ok, count(ok), count(name), count(flag) from facts group by ok order by ok',
];

describe('compiled pipelines', () => {
  for (const sql of STATEMENTS) {
    it(sql.replace(/\s+/g, ' '), async () => {
      const expected = await rows('row', sql);
      expect(await rows('compiled', sql)).toEqual(expected);
      // Warm: frames come from the cache; without the addon too.
      await client.query('set fastpostgres.native_kernels = off');
      expect(await rows('compiled', sql)).toEqual(expected);
      await client.query('set fastpostgres.native_kernels = on');
    });
  }

  it('sees the own transaction and its snapshot', async () => {
    const sql = 'select count(*), sum(price), max(id) from facts';
    await client.query('begin isolation level repeatable read');
    const before = await rows('compiled', sql);
    const other = new pg.Client({
      host: '127.0.0.1',
      port: server.port,
      user: 'postgres',
      password: 'correct horse',
      database: 'postgres',
    });
    await other.connect();
    await other.query(`update facts set price = price * 2 where id < 500`);
    await other.query(`delete from facts where id between 600 and 700`);
    expect(await rows('compiled', sql)).toEqual(before);
    await client
      .query(
        `insert into facts select 20000 + i, 1, 1, 1, 5, null, null, 'Z', null, '2000-01-01', null, true from generate_series(1, 2000) as g(i)`,
      )
      .catch((error) => {
        throw error;
      });
    expect(await rows('compiled', sql)).toEqual(await rows('row', sql));
    await client.query('rollback');
    expect(await rows('compiled', sql)).toEqual(await rows('row', sql));
    await other.end();
  });

  it('raises the errors of the row executor', async () => {
    await client.query('set fastpostgres.executor = compiled');
    await expect(client.query('select sum(medium * 2000000000) from facts')).rejects.toMatchObject({
      code: '22003',
    });
    await expect(client.query('select sum(1 / (medium - medium)) from facts')).rejects.toMatchObject({
      code: '22012',
    });
  });

  it('tells in EXPLAIN ANALYZE which executor ran and why', async () => {
    const explain = async (executor: string, sql: string) =>
      (await rows(executor, `explain analyze ${sql}`))
        .map((row) => (JSON.parse(row) as string[])[0])
        .join('\n');
    const sql = `select flag, sum(price) from facts where day < date '1998-01-01' group by flag`;
    const compiled = await explain('compiled', sql);
    expect(compiled).toMatch(/Executor: compiled/);
    expect(compiled).toMatch(/Kernels: (?:avx2|sse42|scalar|wasm-simd128)/);
    expect(compiled).toMatch(/Segments: total=\d+ skipped by zone map=0/);
    expect(compiled).toMatch(/Modules: compiled=\d+ time=/);
    expect(compiled).not.toMatch(/never executed/);
    expect(await explain('row', sql)).toMatch(/Executor: row \(fastpostgres\.executor is row\)/);
    expect(await explain('compiled', 'select sum(id % 3) from facts')).toMatch(/Executor: (?:row|compiled)/);
    expect(await explain('compiled', `select count(*) from facts where day > date '2150-01-01'`)).toMatch(
      /rows=1 /,
    );
  });

  it('is cancelled while it runs', async () => {
    await client.query('set fastpostgres.executor = compiled');
    await client.query('set statement_timeout = 1');
    const outcomes: string[] = [];
    for (let round = 0; round < 20; round++) {
      await client
        .query('select name, medium, day, count(*), sum(price * rate) from facts group by name, medium, day')
        .then(() => outcomes.push('done'))
        .catch((error: { code: string }) => outcomes.push(error.code));
    }
    await client.query('set statement_timeout = 0');
    expect(new Set(outcomes).has('57014')).toBe(true);
    expect([...new Set(outcomes)].every((outcome) => outcome === 'done' || outcome === '57014')).toBe(true);
    expect(await rows('compiled', STATEMENTS[0]!)).toEqual(await rows('row', STATEMENTS[0]!));
  });
});
