/** What the console shows of sizes and statistics, and that editing an alert rule leaves its silence alone. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main/server.ts';
import { ConsoleBrowser, startConsoleServer } from './console-browser.ts';

const root = mkdtempSync(join(tmpdir(), 'fastpostgres-admin-storage-'));
let server: RunningServer;
const admin = new ConsoleBrowser(() => `http://127.0.0.1:${server.httpPort}`);

beforeAll(async () => {
  server = await startConsoleServer(root);
  expect(await admin.login()).toBe(200);
  await admin.query(
    `create table thing (id int primary key, kind text);
     insert into thing select n, 'kind ' || n % 5 from generate_series(1, 5000) n;
     create index thing_kind on thing (kind);
     analyze thing`,
  );
}, 60_000);

afterAll(async () => {
  await server?.stop();
  rmSync(root, { recursive: true, force: true });
});

async function oidOf(name: string): Promise<number> {
  const [result] = await admin.query(`select '${name}'::regclass::oid`);
  return Number(result?.rows[0]?.[0]);
}

it('shows sizes of indexes', async () => {
  const oid = await oidOf('thing');
  const { body } = await admin.call('GET /tables/:oid', { path: `/tables/${oid}` });
  expect(body.indexes.map(({ name }) => name)).toEqual(['thing_pkey', 'thing_kind']);
  for (const index of body.indexes) expect(Number(index.sizeBytes)).toBeGreaterThan(5000);
  const sum = body.indexes.reduce((total, index) => total + Number(index.sizeBytes), 0);
  expect(Number(body.indexBytes)).toBe(sum);
  const storage = await admin.call('GET /monitor/storage');
  const shown = storage.body.relations.find((relation) => relation.name === 'thing');
  expect(Number(shown?.indexBytes)).toBe(sum);
  const [result] = await admin.query(
    `select pg_total_relation_size('thing') - pg_table_size('thing') - pg_indexes_size('thing')`,
  );
  expect(String(result?.rows[0]?.[0])).toBe('0');
});

it('shows statistics of a table of the row store', async () => {
  const { body } = await admin.call('GET /tables/:oid/storage', {
    path: `/tables/${await oidOf('thing')}/storage`,
  });
  const kind = body.columns.find(({ column }) => column === 'kind');
  expect(kind?.distinct).toBe(5);
  expect(kind?.nullFraction).toBe(0);
  expect(kind?.commonValues.length).toBe(5);
  expect(body.columns.find(({ column }) => column === 'id')?.histogramBounds.length).toBeGreaterThan(1);
});

it('keeps the silence of a rule that is edited', async () => {
  const rule = {
    name: 'many sessions',
    metric: 'sessions',
    comparison: '>' as const,
    threshold: 100,
    forSeconds: 0,
    severity: 'notice' as const,
    isEnabled: true,
  };
  const { id } = (await admin.call('POST /alerts', { body: rule })).body;
  const until = Date.now() + 3_600_000;
  await admin.call('POST /alerts/silence', { body: { id, until } });
  await admin.call('POST /alerts', { body: { ...rule, id, threshold: 200 } });
  const { rules } = (await admin.call('GET /alerts')).body;
  expect(rules).toMatchObject([{ threshold: 200, silencedUntil: until }]);
});
