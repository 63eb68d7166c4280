/** The whole server in this process, on a real directory, spoken to by the `pg` driver over TCP and the Unix socket. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRealEnvironment } from '../../src/env/real/environment.ts';
import { type RunningServer, startServer } from '../../src/main/server.ts';

const root = mkdtempSync(join(tmpdir(), 'fastpostgres-test-'));
let server: RunningServer;

async function start(): Promise<RunningServer> {
  const base = createRealEnvironment(root);
  const environment = {
    ...base,
    host: {
      ...base.host,
      // The test process has its own signals and output.
      onSignal: () => {},
      onFatal: () => {},
      writeOut: () => {},
      writeError: () => {},
      variable: (name: string) =>
        name === 'FASTPOSTGRES_PASSWORD' ? 'correct horse' : base.host.variable(name),
    },
  };
  return startServer(environment, {
    dataDirectory: root,
    port: 0,
    httpPort: 0,
    host: '127.0.0.1',
    passwordFile: null,
    settings: [],
  });
}

async function connect(options: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: 'postgres',
    password: 'correct horse',
    database: 'postgres',
    ...options,
  });
  await client.connect();
  return client;
}

async function withClient<T>(
  work: (client: pg.Client) => Promise<T>,
  options: pg.ClientConfig = {},
): Promise<T> {
  const client = await connect(options);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  server = await start();
});

afterAll(async () => {
  await server.stop();
  rmSync(root, { recursive: true, force: true });
});

describe('a server on a real directory', () => {
  it('lets in who knows the password, and the owner of the socket without one', async () => {
    const rows = await withClient(async (client) => (await client.query('select current_user as me')).rows);
    expect(rows).toEqual([{ me: 'postgres' }]);
    await expect(connect({ password: 'wrong' })).rejects.toMatchObject({ code: '28P01' });
    await expect(connect({ user: 'nobody' })).rejects.toMatchObject({ code: '28P01' });
    await expect(connect({ database: 'nowhere' })).rejects.toMatchObject({ code: '3D000' });
    await withClient(async (client) => client.query('select 1'), { host: root, password: undefined });
  });

  it('answers types exactly, by text and with parameters', async () => {
    await withClient(async (client) => {
      const { rows } = await client.query(
        "select 9223372036854775807::int8 a, 0.10::numeric(10,2) b, true c, 'grüße'::text d, date '2024-02-29' e, null f, $1::int4 + 1 g",
        [41],
      );
      expect(rows[0]).toMatchObject({
        a: '9223372036854775807',
        b: '0.10',
        c: true,
        d: 'grüße',
        f: null,
        g: 42,
      });
    });
  });

  it('reports errors with code and position', async () => {
    await withClient(async (client) => {
      await expect(client.query('select nothing_there')).rejects.toMatchObject({
        code: '42703',
        position: '8',
      });
      await expect(client.query('selekt 1')).rejects.toMatchObject({ code: '42601', position: '1' });
      await expect(client.query('select 1/0')).rejects.toMatchObject({ code: '22012' });
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    });
  });

  it('keeps transactions apart and rolls back to savepoints', async () => {
    const first = await connect();
    const second = await connect();
    try {
      await first.query('create table isolation(id int primary key, value text)');
      await first.query('begin');
      await first.query("insert into isolation values (1, 'one')");
      expect((await second.query('select count(*)::int as n from isolation')).rows).toEqual([{ n: 0 }]);
      await first.query('savepoint s');
      await expect(first.query("insert into isolation values (1, 'again')")).rejects.toMatchObject({
        code: '23505',
      });
      await expect(first.query('select 1')).rejects.toMatchObject({ code: '25P02' });
      await first.query('rollback to s');
      await first.query('commit');
      expect((await second.query('select * from isolation')).rows).toEqual([{ id: 1, value: 'one' }]);
    } finally {
      await first.end();
      await second.end();
    }
  });

  it('keeps cursors from before a savepoint over an error inside it, and ends those from inside', async () => {
    await withClient(async (client) => {
      await client.query('begin');
      await client.query('declare outer_one cursor for select generate_series(1, 3) n');
      expect((await client.query('fetch 1 from outer_one')).rows).toEqual([{ n: 1 }]);
      await client.query('savepoint s');
      await client.query('declare inner_one scroll cursor for select generate_series(1, 3) n');
      await client.query('fetch 1 from inner_one');
      await expect(client.query('select 1/0')).rejects.toMatchObject({ code: '22012' });
      await client.query('rollback to s');
      expect((await client.query('fetch 1 from outer_one')).rows).toEqual([{ n: 2 }]);
      await expect(client.query('fetch 1 from inner_one')).rejects.toMatchObject({ code: '34000' });
      await client.query('rollback to s');
      await client.query('declare broken cursor for select 1/(2 - n) from generate_series(1, 3) n');
      await client.query('release s');
      await client.query('savepoint s');
      await expect(client.query('fetch all from broken')).rejects.toMatchObject({ code: '22012' });
      await client.query('rollback to s');
      await expect(client.query('fetch 1 from broken')).rejects.toMatchObject({ code: '55000' });
      await client.query('rollback');
    });
  });

  it('asks for the privilege on a view itself, system views included', async () => {
    await withClient(async (client) => {
      await client.query('create role onlooker; create view guarded as select 1 as one');
      await client.query('create view shared as select one from guarded; grant select on shared to onlooker');
      await client.query('set role onlooker');
      for (const text of ['select * from guarded', 'select passwd from pg_shadow'])
        await expect(client.query(text)).rejects.toMatchObject({ code: '42501' });
      expect((await client.query('select one from shared')).rows).toEqual([{ one: 1 }]);
      expect((await client.query('select count(*) > 0 as ok from pg_roles')).rows).toEqual([{ ok: true }]);
    });
  });

  it('refuses ON CONFLICT on rows a REPEATABLE READ snapshot does not show', async () => {
    await withClient(async (client) => {
      const other = await connect();
      try {
        await client.query('create table upserted(id int primary key, n int)');
        await client.query('insert into upserted values (1, 0)');
        const attempt = async (change: string, upsert: string): Promise<unknown> => {
          await client.query('begin isolation level repeatable read');
          await client.query('select count(*) from upserted');
          await other.query(change);
          const outcome = await client.query(upsert).then(
            (result) => result.rowCount,
            (error: { code: string }) => error.code,
          );
          await client.query('rollback');
          return outcome;
        };
        const nothing = 'insert into upserted values (2, 5) on conflict do nothing';
        expect(await attempt('insert into upserted values (2, 0)', nothing)).toBe('40001');
        const update = 'on conflict (id) do update set n = upserted.n + 1';
        expect(
          await attempt('insert into upserted values (3, 0)', `insert into upserted values (3, 5) ${update}`),
        ).toBe('40001');
        expect(
          await attempt(
            'update upserted set n = 10 where id = 1',
            `insert into upserted values (1, 5) ${update}`,
          ),
        ).toBe('40001');
        expect(await attempt('select 1', `insert into upserted values (1, 5) ${update}`)).toBe(1);
        expect(
          await attempt('select 1', 'insert into upserted values (9, 5), (9, 6) on conflict do nothing'),
        ).toBe(1);
      } finally {
        await other.end();
      }
    });
  });

  it('cancels a long statement while others go on', async () => {
    const busy = await connect();
    const other = await connect();
    try {
      const pid = (await busy.query('select pg_backend_pid() as pid')).rows[0].pid;
      const running = busy.query(
        'select count(*) from generate_series(1, 20000) a, generate_series(1, 20000) b',
      );
      const outcome = running.then(
        () => 'finished',
        (error: { code: string }) => error.code,
      );
      for (let round = 0; round < 5; round++) await other.query('select 1');
      await other.query('select pg_cancel_backend($1)', [pid]);
      expect(await outcome).toBe('57014');
      await busy.query('select 1');
    } finally {
      await busy.end();
      await other.end();
    }
  });

  it('makes a plan anew when a definition changed while it waited', async () => {
    const first = await connect();
    const second = await connect();
    try {
      await first.query('create table changing(i int primary key, v int)');
      await first.query('insert into changing values (1, 10), (2, 20)');
      await first.query('begin');
      await first.query('alter table changing alter v type bigint');
      const waiting = second.query('select sum(v) as total from changing');
      await first.query('commit');
      // The sum of bigint is numeric: the new definition's type.
      expect((await waiting).fields[0]!.dataTypeID).toBe(1700);
      expect((await waiting).rows).toEqual([{ total: '30' }]);
    } finally {
      await first.end();
      await second.end();
    }
  });

  it('delivers notifications when the transaction commits', async () => {
    const listener = await connect();
    const sender = await connect();
    try {
      const received = new Promise<pg.Notification>((resolve) => listener.on('notification', resolve));
      await listener.query('listen news');
      await sender.query("notify news, 'hello'");
      expect(await received).toMatchObject({ channel: 'news', payload: 'hello' });
    } finally {
      await listener.end();
      await sender.end();
    }
  });

  it('has everything after a restart', async () => {
    await withClient(async (client) => {
      await client.query(
        'create table lasting(id serial primary key, amount numeric(12,2) check (amount > 0))',
      );
      await client.query('insert into lasting(amount) select g * 1.25 from generate_series(1, 1000) g');
      await client.query('delete from lasting where id % 10 = 0');
    });
    await server.stop();
    server = await start();
    await withClient(async (client) => {
      const { rows } = await client.query(
        'select count(*)::int n, sum(amount) total, max(id) last from lasting',
      );
      expect(rows).toEqual([{ n: 900, total: '562500.00', last: 999 }]);
      await expect(client.query('insert into lasting(amount) values (-1)')).rejects.toMatchObject({
        code: '23514',
      });
      const inserted = await client.query(
        'insert into lasting(amount) values (1) returning id > 1000 as fresh',
      );
      expect(inserted.rows).toEqual([{ fresh: true }]);
    });
  });
});
