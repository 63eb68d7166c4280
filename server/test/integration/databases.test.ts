/** Several databases in one server: isolation, templates, restart, settings that sessions start with. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRealEnvironment } from '../../src/env/real/environment.ts';
import { type RunningServer, startServer } from '../../src/main/server.ts';

const root = mkdtempSync(join(tmpdir(), 'fastpostgres-databases-'));
let server: RunningServer;

async function start(): Promise<RunningServer> {
  const base = createRealEnvironment(root);
  const environment = {
    ...base,
    host: {
      ...base.host,
      onSignal: () => {},
      onFatal: () => {},
      writeOut: () => {},
      writeError: () => {},
      variable: (name: string) => (name === 'FASTPOSTGRES_PASSWORD' ? 'secret' : base.host.variable(name)),
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

async function run(database: string, ...statements: string[]): Promise<unknown[][]> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: 'postgres',
    password: 'secret',
    database,
  });
  await client.connect();
  try {
    let rows: unknown[][] = [];
    for (const text of statements)
      rows = (await client.query({ text, rowMode: 'array' })).rows as unknown[][];
    return rows;
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

describe('databases', () => {
  it('have objects of their own and share roles', async () => {
    await run('postgres', 'create table t (a int)', 'insert into t values (1)', 'create database other');
    await expect(run('other', 'select * from t')).rejects.toThrow('relation "t" does not exist');
    await run('other', 'create role shared_role', 'create table t (a int)', 'insert into t values (2)');
    expect(await run('postgres', "select count(*)::int from pg_roles where rolname = 'shared_role'")).toEqual(
      [[1]],
    );
    expect(await run('postgres', 'select a from t')).toEqual([[1]]);
    expect(await run('other', 'select a from t')).toEqual([[2]]);
  });

  it('are copied from a template with everything in it', async () => {
    await run(
      'postgres',
      "create type mood as enum ('sad', 'happy')",
      'create table p (id serial primary key, m mood, check (id > 0))',
      "insert into p (m) values ('happy')",
      'create view v as select m, id + 1 as next from p',
      'create index on p ((id * 2))',
      'create database copy template postgres',
    );
    expect(await run('copy', 'select * from v')).toEqual([['happy', 2]]);
    expect(await run('copy', "insert into p (m) values ('sad') returning id")).toEqual([[2]]);
    await expect(run('copy', 'insert into p values (1)')).rejects.toThrow('duplicate key');
    await run('copy', 'drop view v', 'drop table p', 'drop type mood');
    expect(await run('postgres', 'select count(*)::int from p')).toEqual([[1]]);
  });

  it('survive a restart and go whole', async () => {
    await server.stop();
    server = await start();
    expect(await run('other', 'select a from t')).toEqual([[2]]);
    await run('postgres', 'drop database copy', 'alter database other rename to renamed');
    await expect(run('copy', 'select 1')).rejects.toThrow('database "copy" does not exist');
    expect(await run('renamed', 'select current_database()::text')).toEqual([['renamed']]);
    await expect(run('renamed', 'drop database renamed')).rejects.toThrow(
      'cannot drop the currently open database',
    );
  });

  it('give their sessions the settings kept for them', async () => {
    await run(
      'postgres',
      "alter database renamed set work_mem = '7MB'",
      "alter role postgres set app.tenant = 'x'",
    );
    expect(await run('renamed', "select current_setting('work_mem'), current_setting('app.tenant')")).toEqual(
      [['7MB', 'x']],
    );
    expect(await run('postgres', "select current_setting('work_mem')")).toEqual([['4MB']]);
  });
});
