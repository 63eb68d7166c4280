/** Statements that wait for a table while another session changes it: they see the table as it is when they get it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createRealEnvironment } from '../../src/env/real/environment.ts';
import { type RunningServer, startServer } from '../../src/main/server.ts';

const root = mkdtempSync(join(tmpdir(), 'fastpostgres-locks-'));
let server: RunningServer;
let holder: pg.Client;
let waiter: pg.Client;

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ host: root, port: server.port, user: 'postgres', database: 'postgres' });
  await client.connect();
  return client;
}

beforeAll(async () => {
  const base = createRealEnvironment(root);
  const host = {
    ...base.host,
    onSignal: () => {},
    onFatal: () => {},
    writeOut: () => {},
    writeError: () => {},
    variable: (name: string) => (name === 'FASTPOSTGRES_PASSWORD' ? 'x' : base.host.variable(name)),
  };
  server = await startServer(
    { ...base, host },
    { dataDirectory: root, port: 0, httpPort: 0, host: '127.0.0.1', passwordFile: null, settings: [] },
  );
  holder = await connect();
  waiter = await connect();
});

afterAll(async () => {
  await holder.end();
  await waiter.end();
  await server.stop();
  rmSync(root, { recursive: true, force: true });
});

beforeEach(async () => {
  await holder.query(
    'drop table if exists t; create table t (a int, b text); insert into t values (1, $$one$$)',
  );
});

/** Runs `work` in the waiter while the holder changes t and commits. */
async function during<T>(change: string, work: () => Promise<T>): Promise<T> {
  await holder.query('begin; lock table t in access exclusive mode');
  const outcome = work().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  for (;;) {
    const { rows } = await holder.query(`select 1 from pg_stat_activity where wait_event_type = 'Lock'`);
    if (rows.length > 0) break;
  }
  await holder.query(change);
  await holder.query('commit');
  const result = await outcome;
  if ('error' in result) throw result.error;
  return result.value;
}

it('sees rows committed while it waited', async () => {
  const { rows } = await during(`insert into t values (2, 'two')`, () =>
    waiter.query('select * from t order by a'),
  );
  expect(rows).toEqual([
    { a: 1, b: 'one' },
    { a: 2, b: 'two' },
  ]);
});

it('takes on columns added meanwhile', async () => {
  const { rows } = await during('alter table t add column c int default 5', () =>
    waiter.query('select * from t where a < 100'),
  );
  expect(rows).toEqual([{ a: 1, b: 'one', c: 5 }]);
});

it('refuses to change the columns of a portal that was described', async () => {
  await expect(
    during('alter table t add column c int default 5', () =>
      waiter.query('select * from t where a < $1', [100]),
    ),
  ).rejects.toMatchObject({ code: '0A000', message: 'cached plan must not change result type' });
  const { rowCount } = await during('alter table t add column d int', () =>
    waiter.query('update t set a = $1', [4]),
  );
  expect(rowCount).toBe(1);
});

it('writes under the new definition', async () => {
  await during('alter table t alter column a type bigint, add column c int default 7', () =>
    waiter.query('insert into t (a, b) values (2, $$two$$)'),
  );
  const { rows } = await waiter.query('select * from t order by a');
  expect(rows).toEqual([
    { a: '1', b: 'one', c: 7 },
    { a: '2', b: 'two', c: 7 },
  ]);
});

it('names the column that is gone', async () => {
  await expect(
    during('alter table t drop column b', () => waiter.query('select b from t')),
  ).rejects.toMatchObject({ code: '42703', message: 'column "b" does not exist' });
});

it('finds the table that took the name', async () => {
  await expect(during('drop table t', () => waiter.query('update t set a = 3'))).rejects.toMatchObject({
    code: '42P01',
  });
  await holder.query('create table t (a int, b text); insert into t values (1, $$one$$)');
  const { rowCount } = await during('drop table t; create table t as select 8 as a', () =>
    waiter.query('update t set a = 3'),
  );
  expect(rowCount).toBe(1);
});

it('runs a prepared statement under the new definition', async () => {
  await waiter.query('prepare p as insert into t (a) values ($1)');
  await during('alter table t add column c int default 9', () => waiter.query('execute p (4)'));
  const { rows } = await waiter.query('select c from t where a = 4');
  expect(rows).toEqual([{ c: 9 }]);
  await waiter.query('deallocate p');
});

it('explains what is there afterwards', async () => {
  const { rows } = await during('create index t_a on t (a)', () =>
    waiter.query('explain analyze select * from t where a = 1'),
  );
  expect(rows.length).toBeGreaterThan(0);
});

it('lets two transactions create indexes of one table side by side', async () => {
  await holder.query('begin; create index t_first on t (a)');
  const outcome = waiter.query('create index t_second on t (b)').then(
    () => null,
    (error: unknown) => error,
  );
  // Commands that define things do not show what they wait for.
  await new Promise((resolve) => setTimeout(resolve, 100));
  await holder.query('commit');
  expect(await outcome).toBeNull();
  const { rows } = await holder.query(
    `select relhasindex, (select count(*)::int from pg_index where indrelid = c.oid) from pg_class c where relname = 't'`,
  );
  expect(rows).toEqual([{ relhasindex: true, count: 2 }]);
});

it('keeps an index whose rival is rolled back', async () => {
  await holder.query('begin; create index t_first on t (a)');
  const outcome = waiter.query('create index t_second on t (b)');
  // Commands that define things do not show what they wait for.
  await new Promise((resolve) => setTimeout(resolve, 100));
  await holder.query('rollback');
  await outcome;
  const { rows } = await holder.query(`select relhasindex from pg_class where relname = 't'`);
  expect(rows).toEqual([{ relhasindex: true }]);
});
