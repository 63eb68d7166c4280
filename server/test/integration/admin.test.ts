/** The admin API over HTTP against a running server: what the console builds on, and what it must refuse. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { QueryEvent } from '../../src/admin/contract.ts';
import type { RunningServer } from '../../src/main/server.ts';
import { ConsoleBrowser, PASSWORD, startConsoleServer } from './console-browser.ts';

const root = mkdtempSync(join(tmpdir(), 'fastpostgres-admin-'));
let server: RunningServer;
let database: pg.Client;

class Browser extends ConsoleBrowser {
  constructor() {
    super(() => `http://127.0.0.1:${server.httpPort}`);
  }
}

const admin = new Browser();

beforeAll(async () => {
  server = await startConsoleServer(root);
  database = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: 'postgres',
    password: PASSWORD,
    database: 'postgres',
  });
  await database.connect();
  await database.query(`create table secret (id int primary key, word text)`);
  await database.query(`insert into secret values (1, 'hidden')`);
  await database.query(`create table item (id int8 primary key, name text, price numeric, made timestamptz)`);
  await database.query(
    `insert into item select i, 'item ' || i, i / 7.0, timestamptz '2024-01-01' + i * interval '1 hour' from generate_series(1, 3000) i`,
  );
  await database.query(`create role nobody_much login password 'a long password'`);
  expect(await admin.login()).toBe(200);
}, 60_000);

afterAll(async () => {
  await database?.end();
  await server?.stop();
  rmSync(root, { recursive: true, force: true });
});

describe('sessions', () => {
  it('want a login, a token and our own page', async () => {
    const stranger = new Browser();
    expect((await stranger.call('GET /session')).status).toBe(401);
    expect((await stranger.call('POST /query', { body: {} })).status).toBe(401);
    const robbed = new Browser();
    robbed.cookie = admin.cookie;
    expect((await robbed.call('POST /query', { body: { sql: 'select 1' } })).status).toBe(403);
    const cross = await admin.call('POST /query', {
      body: { sql: 'select 1' },
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    expect(cross.status).toBe(403);
    const foreign = await admin.call('POST /query', {
      body: { sql: 'select 1' },
      headers: { origin: 'http://evil.example' },
    });
    expect(foreign.status).toBe(403);
  });

  it('send strict headers', async () => {
    const { headers } = await admin.call('GET /session');
    expect(headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('end by logout', async () => {
    const guest = new Browser();
    await guest.login();
    expect((await guest.call('POST /logout')).status).toBe(200);
    expect((await guest.call('GET /session')).status).toBe(401);
  });

  it('have connections of their own for each tab', async () => {
    const [first] = (
      await admin.call('POST /query', { body: { sql: 'begin; select pg_backend_pid()', connection: 'a' } })
    ).body.results.slice(-1);
    const [second] = (
      await admin.call('POST /query', { body: { sql: 'select pg_backend_pid()', connection: 'b' } })
    ).body.results;
    expect(first.rows[0][0]).not.toBe(second.rows[0][0]);
    const { connections } = (await admin.call('GET /connections')).body;
    expect(connections.find(({ connection }) => connection === 'a')?.transactionStatus).toBe('T');
    const ended = await admin.call('POST /transaction', { body: { connection: 'a', action: 'rollback' } });
    expect(ended.body.transactionStatus).toBe('I');
  });
});

describe('results', () => {
  it('keep NULL apart from the empty text, and every digit', async () => {
    const [result] = await admin.query(
      `select null::text as n, '' as e, 9007199254740993::int8 as big, 1.10::numeric as exact, 'NaN'::float8 as nan`,
    );
    expect(result.rows).toEqual([[null, '', '9007199254740993', '1.10', 'NaN']]);
    const { text } = await admin.call('GET /results/:id/export', {
      path: `/results/${result.id}/export`,
      query: { format: 'ndjson' },
    });
    expect(text).toBe('{"n":null,"e":"","big":9007199254740993,"exact":1.10,"nan":"NaN"}\n');
  });

  it('become Parquet files', async () => {
    const [result] = await admin.query(
      `select i::int8 as big, i::numeric / 3 as exact, null::text as nothing, i % 2 = 0 as even, 'first word ' || i as words from generate_series(1, 10) i`,
    );
    const response = await fetch(
      `http://127.0.0.1:${server.httpPort}/api/v1/results/${result.id}/export?format=parquet`,
      { headers: { cookie: admin.cookie } },
    );
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.subarray(0, 4).toString()).toBe('PAR1');
    expect(bytes.subarray(-4).toString()).toBe('PAR1');
    expect(bytes.includes(Buffer.from('first word'))).toBe(true);
  });

  it('stream as they come', async () => {
    const { text } = await admin.call('POST /query/stream', {
      body: { sql: 'select i from generate_series(1, 5000) i; select 1/0', pageSize: 3 },
    });
    const events = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as QueryEvent);
    expect(events.map(({ type }) => type).filter((type) => type !== 'progress')).toEqual([
      'columns',
      'rows',
      'complete',
      'columns',
      'end',
    ]);
    const last = events.at(-1);
    expect(last?.type === 'end' && last.error?.code).toBe('22012');
  });

  it('are sorted and filtered by type on the server', async () => {
    const [result] = await admin.query(
      `select i::int8 as i, (i * 37 % 101)::numeric as n, case when i % 3 = 0 then null else 'v' || i end as s from generate_series(1, 1000) i`,
    );
    const { body } = await admin.call('POST /rows', {
      body: {
        id: result.id,
        offset: 0,
        limit: 2,
        sort: [
          { column: 1, descending: true },
          { column: 0, descending: true },
        ],
        filter: [
          { column: 2, operator: 'is not null' },
          { column: 0, operator: '<=', value: '300' },
        ],
      },
    });
    expect(body.total).toBe(200);
    expect(body.rows[0][1]).toBe('100');
    expect(Number(body.rows[0][0])).toBeGreaterThan(Number(body.rows[1][0]));
  });

  it('belong to their session', async () => {
    const [result] = await admin.query('select 42');
    const other = new Browser();
    await other.login();
    const stolen = await other.call('POST /rows', { body: { id: result.id, offset: 0, limit: 1 } });
    expect(stolen.status).toBe(404);
  });

  it('take typed parameters', async () => {
    const { body } = await admin.call('POST /query', {
      body: {
        sql: 'select $1 + 1, $2',
        parameters: [
          { value: '41', type: 'int4' },
          { value: null, type: 'text' },
        ],
      },
    });
    expect(body.results[0].rows).toEqual([['42', null]]);
  });

  it('of EXPLAIN ANALYZE leave nothing behind', async () => {
    const { body } = await admin.call('POST /explain', {
      body: { sql: `insert into item values (99999, 'x', 1, now())`, analyze: true },
    });
    expect(JSON.parse(body.plan)[0].Plan['Node Type']).toBeDefined();
    const [count] = await admin.query('select count(*) from item where id = 99999');
    expect(count.rows).toEqual([['0']]);
  });
});

describe('tables', () => {
  const oidOf = async (name: string): Promise<number> => {
    const [result] = await admin.query(`select '${name}'::regclass::oid`);
    return Number(result.rows[0][0]);
  };

  it('are described, paged and filtered', async () => {
    const oid = await oidOf('item');
    const { body: details } = await admin.call('GET /tables/:oid', { path: `/tables/${oid}` });
    expect(details.columns.map(({ name }) => name)).toEqual(['id', 'name', 'price', 'made']);
    expect(details.ddl).toContain('CREATE TABLE public.item');
    const { body } = await admin.call('POST /tables/:oid/rows', {
      path: `/tables/${oid}/rows`,
      body: {
        offset: 0,
        limit: 5,
        filter: [{ column: 'name', operator: 'contains', value: '99' }],
        sort: [{ column: 'id', descending: false }],
        isCounted: true,
      },
    });
    expect(body.keyColumns).toEqual(['id']);
    expect(body.rows[0][0]).toBe('99');
    expect(Number(body.count)).toBe(57);
  });

  it('take staged edits all or none, and notice what others changed', async () => {
    const oid = await oidOf('item');
    const path = `/tables/${oid}/edits/apply`;
    const edits = [
      { kind: 'update', key: { id: '1' }, values: { name: "it's" }, before: { name: 'item 1' } },
      { kind: 'delete', key: { id: '2' } },
    ];
    const preview = await admin.call('POST /tables/:oid/edits/preview', {
      path: `/tables/${oid}/edits/preview`,
      body: { edits },
    });
    expect(preview.body.statements[0]).toContain(`SET name = CAST('it''s' AS text)`);
    expect(
      (await admin.call('POST /tables/:oid/edits/apply', { path, body: { edits } })).body.isApplied,
    ).toBe(true);
    const again = await admin.call('POST /tables/:oid/edits/apply', {
      path,
      body: {
        edits: [
          { kind: 'update', key: { id: '3' }, values: { name: null } },
          { kind: 'update', key: { id: '1' }, values: { name: 'b' }, before: { name: 'item 1' } },
        ],
      },
    });
    expect(again.body).toMatchObject({ isApplied: false, failedEdit: 1 });
    const [kept] = await admin.query('select name from item where id = 3');
    expect(kept.rows).toEqual([['item 3']]);
  });

  it('take CSV files in pieces', async () => {
    const created = await admin.call('POST /imports', {
      body: {
        schema: 'public',
        table: 'imported',
        columns: ['a', null, 'b'],
        options: { hasHeader: true, delimiter: ';' },
        create: [
          { name: 'a', type: 'integer' },
          { name: 'b', type: 'text' },
        ],
      },
    });
    const { id } = created.body;
    const file = new TextEncoder().encode('a;skip;b\r\n1;x;"two\nlines; ""q"""\r\n2;y;\r\n3;z;"€"');
    for (let at = 0; at < file.length; at += 7)
      await admin.call('POST /imports/:id/chunk', {
        path: `/imports/${id}/chunk`,
        bytes: file.slice(at, at + 7),
      });
    const done = await admin.call('POST /imports/:id/finish', { path: `/imports/${id}/finish` });
    expect(done.body).toMatchObject({ state: 'done', rows: 3 });
    const [rows] = await admin.query('select a, b from imported order by a');
    expect(rows.rows).toEqual([
      ['1', 'two\nlines; "q"'],
      ['2', null],
      ['3', '€'],
    ]);
  });
});

describe('monitoring', () => {
  it('adds statements up whatever their constants', async () => {
    for (const name of ['a', 'b', 'c'])
      await database.query(`select count(*) from item where name = '${name}'`);
    const { body } = await admin.call('GET /monitor/statements', {
      query: { search: 'from item where name' },
    });
    const found = body.statements.find(({ query }) => query === 'select count(*) from item where name = $1');
    expect(found?.calls).toBe('3');
    const details = await admin.call('GET /monitor/statements/:queryId', {
      path: `/monitor/statements/${found?.queryId}`,
    });
    expect(details.body.histogram.reduce((sum, { calls }) => sum + calls, 0)).toBe(3);
  });

  it('shows who blocks whom', async () => {
    const blocker = new pg.Client({
      host: '127.0.0.1',
      port: server.port,
      user: 'postgres',
      password: PASSWORD,
      database: 'postgres',
    });
    await blocker.connect();
    await blocker.query('begin');
    await blocker.query('update item set price = 0 where id = 10');
    const blocked = database.query('update item set price = 1 where id = 10');
    let locks = (await admin.call('GET /monitor/locks')).body;
    for (let tries = 0; locks.roots.length === 0 && tries < 50; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      locks = (await admin.call('GET /monitor/locks')).body;
    }
    expect(locks.sentences[0]?.text).toMatch(/idle in transaction.* blocks 1 session/);
    await blocker.query('rollback');
    await blocked;
    await blocker.end();
  });

  it('answers every question of the dashboard', async () => {
    await new Promise((resolve) => setTimeout(resolve, 1200));
    const overview = (await admin.call('GET /monitor/overview')).body;
    expect(overview.metrics.memory_resident_bytes).toBeGreaterThan(1e6);
    const history = (await admin.call('GET /monitor/metrics', { query: { names: 'statements,sessions' } }))
      .body;
    expect(history.series.map(({ name }) => name)).toEqual(['statements', 'sessions']);
    expect(history.times.length).toBeGreaterThan(0);
    for (const key of [
      'GET /monitor/sessions',
      'GET /monitor/slow',
      'GET /monitor/waits',
      'GET /monitor/progress',
      'GET /monitor/tables',
      'GET /monitor/storage',
      'GET /monitor/sequences',
      'GET /monitor/settings',
      'GET /monitor/health',
      'GET /security/roles',
      'GET /security/grants',
      'GET /security/checks',
      'GET /catalog/completion',
      'GET /schema',
    ] as const)
      expect([key, (await admin.call(key)).status]).toEqual([key, 200]);
    const metrics = await fetch(`http://127.0.0.1:${server.httpPort}/metrics`);
    expect(await metrics.text()).toMatch(/fastpostgres_statement_duration_seconds_count \d+/);
  });

  it('advises what pays and nothing that exists', async () => {
    await database.query('create table wide (id int primary key, tag text, pad text)');
    await database.query(
      `insert into wide select i, 't' || i % 5000, repeat('x', 40) from generate_series(1, 20000) i`,
    );
    await database.query('analyze wide');
    const statements = [
      { sql: `select * from wide where tag = 't7'`, calls: 100 },
      { sql: 'select * from wide where id = 5', calls: 100 },
    ];
    const { body } = await admin.call('POST /advisor/run', { body: { statements, minTableBytes: 1000 } });
    expect(body.advice.map(({ table, columns }) => [table, columns])).toEqual([['wide', ['tag']]]);
    const verified = await admin.call('POST /advisor/verify', {
      body: { sql: body.advice[0].sql, statements: [statements[0].sql] },
    });
    expect(verified.body.isPublished).toBe(false);
    expect(verified.body.statements[0].millisAfter).toBeLessThan(
      verified.body.statements[0].millisBefore ?? 0,
    );
    const [indexes] = await admin.query(`select count(*) from pg_indexes where tablename = 'wide'`);
    expect(indexes.rows).toEqual([['1']]);
  });
});

describe('a role without privileges', () => {
  it('sees nothing it may not', async () => {
    const guest = new Browser();
    expect(await guest.login('nobody_much', 'a long password')).toBe(200);
    await admin.query(`select 'a statement of the administrator'`);
    await admin.call('POST /saved-queries', { body: { name: 'mine', sql: 'select 1' } });
    const oid = Number((await admin.query(`select 'secret'::regclass::oid`))[0].rows[0][0]);
    expect(
      (
        await guest.call('POST /tables/:oid/rows', {
          path: `/tables/${oid}/rows`,
          body: { offset: 0, limit: 5 },
        })
      ).status,
    ).toBe(403);
    expect((await guest.call('GET /tables/:oid/storage', { path: `/tables/${oid}/storage` })).status).toBe(
      403,
    );
    const statements = await guest.call('GET /monitor/statements', { query: { search: 'administrator' } });
    expect(statements.body.statements).toEqual([]);
    const seen = (await guest.call('GET /monitor/sessions')).text;
    expect(seen).not.toContain('administrator');
    expect((await guest.call('GET /saved-queries')).body.queries).toEqual([]);
    expect((await guest.call('GET /history')).text).not.toContain('administrator');
    expect((await guest.call('GET /monitor/slow')).text).not.toContain('administrator');
    expect((await guest.call('GET /monitor/overview')).body.metrics).toEqual({});
    for (const key of ['GET /monitor/metrics', 'GET /monitor/waits', 'GET /alerts'] as const)
      expect([key, (await guest.call(key)).status]).toEqual([key, 403]);
    const rule = {
      name: 'x',
      metric: 'sessions',
      comparison: '>',
      threshold: 1,
      forSeconds: 0,
      severity: 'notice',
      isEnabled: true,
    };
    expect((await guest.call('POST /alerts', { body: rule })).status).toBe(403);
    expect((await guest.call('POST /monitor/statements/reset')).status).toBe(403);
    const audit = await guest.call('GET /audit');
    expect(audit.body.entries.every(({ user }) => user === 'nobody_much')).toBe(true);
    const advice = await guest.call('POST /advisor/what-if', {
      body: { sql: 'select * from secret where word = $$x$$', indexes: ['create index on secret (word)'] },
    });
    expect(advice.status).toBe(403);
    const other = await guest.call('POST /monitor/sessions/signal', {
      body: {
        processId: Number((await admin.query('select pg_backend_pid()'))[0].rows[0][0]),
        action: 'terminate',
      },
    });
    expect(other.status).toBe(403);
  });
});

describe('what the console keeps', () => {
  it('stays with its role', async () => {
    const saved = await admin.call('POST /saved-queries', {
      body: { name: 'two', folder: 'f', sql: 'select 2' },
    });
    await admin.call('POST /saved-queries', { body: { id: saved.body.id, name: 'three', sql: 'select 3' } });
    const { queries } = (await admin.call('GET /saved-queries')).body;
    expect(queries.find(({ id }) => id === saved.body.id)).toMatchObject({ name: 'three', sql: 'select 3' });
    await admin.call('POST /workspace', { body: { value: '{"tabs":1}' } });
    await admin.call('POST /workspace', { body: { value: '{"tabs":2}' } });
    expect((await admin.call('GET /workspace')).body.value).toBe('{"tabs":2}');
    expect((await admin.call('POST /saved-queries/delete', { body: { id: saved.body.id } })).status).toBe(
      200,
    );
    expect((await admin.call('POST /saved-queries/delete', { body: { id: saved.body.id } })).status).toBe(
      404,
    );
  });
});

describe('guessing passwords', () => {
  it('is refused by address and never locks the role out', async () => {
    const guesser = new Browser();
    let refused = 0;
    for (let tries = 0; tries < 12; tries++)
      if ((await guesser.login('nobody_much', `wrong ${tries}`)) === 429) refused++;
    expect(refused).toBe(2);
    // The role itself logs in through the ordinary door, and other roles from the same address go on.
    const own = new pg.Client({
      host: '127.0.0.1',
      port: server.port,
      user: 'nobody_much',
      password: 'a long password',
      database: 'postgres',
    });
    await own.connect();
    await own.end();
    expect(await new Browser().login()).toBe(200);
  }, 60_000);
});

describe('plans and waits', () => {
  it('keep the plan of slow statements, without constants', async () => {
    await database.query(
      `select count(*) from item a, item b where a.price < b.price and a.name <> 'constant'`,
    );
    const { body } = await admin.call('GET /monitor/statements', {
      query: { search: 'from item a, item b' },
    });
    const details = await admin.call('GET /monitor/statements/:queryId', {
      path: `/monitor/statements/${body.statements[0].queryId}`,
    });
    const [plan] = details.body.plans;
    expect(plan.plan).toContain('Node Type');
    expect(plan.plan).not.toContain('constant');
    const slow = await admin.call('GET /monitor/slow');
    expect(slow.body.statements.some(({ plan: text }) => text !== null)).toBe(true);
    expect(slow.text).not.toContain("'constant'");
  });

  it('tell a sleep from a lock', async () => {
    const sleeping = database.query('select pg_sleep(1)');
    let found = '';
    for (let tries = 0; found === '' && tries < 40; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const { sessions } = (await admin.call('GET /monitor/sessions')).body;
      found = sessions.find(({ query }) => query === 'select pg_sleep(1)')?.waitEvent ?? '';
    }
    expect(found).toBe('PgSleep');
    await sleeping;
  });
});
