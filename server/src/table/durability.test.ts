/** What survives which end: unlogged and temporary tables, sealing under changes, compaction, large transactions. */
import { describe, expect, test } from 'vitest';
import type { RowId } from '../base/brands.ts';
import { RealClock } from '../env/real/clock.ts';
import { SimulatedDisk } from '../env/simulated/disk.ts';
import { SimulatedRandom } from '../env/simulated/random.ts';
import type { Datum } from '../types/datum.ts';
import { OID, typeSupport } from '../types/index.ts';
import type { TableSchema } from './contract.ts';
import { type OpenedStore, openTableStore } from './index.ts';
import { waiting } from './index-build.ts';
import { testIndex, testSchema } from './testing.ts';

function open(disk: SimulatedDisk): Promise<OpenedStore> {
  return openTableStore({
    environment: { disk, clock: new RealClock(), random: new SimulatedRandom(3) },
    typeSupport,
    cacheBytes: 1 << 21,
    logSegmentBytes: 256 * 1024,
    settings: { checkpointLogBytes: 0 },
    onFatal: () => {},
  });
}

const COLUMNS = [
  ['id', OID.INT4],
  ['label', OID.TEXT],
] as const;

function begin(opened: OpenedStore): ReturnType<OpenedStore['transactions']['begin']> {
  return opened.transactions.begin({ isolation: 'read committed', readOnly: false, sessionId: 1 });
}

async function count(opened: OpenedStore, oid: number): Promise<number> {
  const reader = begin(opened);
  const cursor = opened.store.table(oid).scan({
    snapshot: reader.latestSnapshot(),
    columns: [0, 1],
    slots: [0, 1],
    predicates: [],
  });
  const frame: Datum[] = [];
  let rows = 0;
  while (await waiting(() => cursor.next(frame))) rows++;
  opened.transactions.rollback(reader);
  expect(opened.store.table(oid).estimate().rows).toBe(rows);
  return rows;
}

async function fill(opened: OpenedStore, oid: number, from: number, to: number): Promise<void> {
  const transaction = begin(opened);
  const table = opened.store.table(oid);
  for (let id = from; id < to; id++) table.insert(transaction, [id, `row ${id}`]);
  await opened.transactions.commit(transaction, { synchronous: true });
}

async function create(
  opened: OpenedStore,
  oid: number,
  persistence: TableSchema['persistence'],
): Promise<void> {
  const transaction = begin(opened);
  const schema = testSchema(oid, COLUMNS, persistence);
  opened.store.createTable(transaction, schema);
  await opened.store.createIndex(transaction, oid, testIndex(oid + 1, schema, [0], { unique: true }));
  await opened.transactions.commit(transaction, { synchronous: true });
}

describe('persistence', () => {
  test('what ANALYZE learned survives an orderly end and a crash after a checkpoint', async () => {
    const disk = new SimulatedDisk({ seed: 2 });
    let opened = await open(disk);
    await create(opened, 100, 'permanent');
    await fill(opened, 100, 0, 2000);
    await opened.store.analyze(100);
    await fill(opened, 100, 2000, 2030);
    const learned = [0, 1].map((column) => opened.store.table(100).statistics(column));
    expect(learned[0].histogram.length).toBe(101);
    for (const end of ['shutdown', 'crash'] as const) {
      if (end === 'shutdown') await opened.shutdown();
      else {
        await opened.checkpointer?.run(false);
        disk.crash('ordered');
        disk.restart();
      }
      opened = await open(disk);
      expect([0, 1].map((column) => opened.store.table(100).statistics(column))).toEqual(learned);
      const table = opened.store.tables.get(100);
      expect(table === undefined ? null : opened.store.statistician.changes(table)).toBe(30);
    }
    await opened.shutdown();
  });

  test('unlogged rows survive an orderly end and not a crash; temporary tables survive neither', async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    let opened = await open(disk);
    await create(opened, 100, 'permanent');
    await create(opened, 200, 'unlogged');
    await create(opened, 300, 'temporary');
    for (const oid of [100, 200, 300]) await fill(opened, oid, 0, 10);
    await opened.shutdown();
    opened = await open(disk);
    expect(opened.store.tables.has(300)).toBe(false);
    expect([await count(opened, 100), await count(opened, 200)]).toEqual([10, 10]);
    await fill(opened, 200, 10, 20);
    disk.crash();
    disk.restart();
    opened = await open(disk);
    expect([await count(opened, 100), await count(opened, 200)]).toEqual([10, 0]);
    await fill(opened, 200, 0, 5);
    await opened.store.checkpoint();
    disk.crash();
    disk.restart();
    opened = await open(disk);
    expect([await count(opened, 100), await count(opened, 200)]).toEqual([10, 0]);
    await opened.shutdown();
  });

  test('a transaction larger than its buffer, with a savepoint taken back, is whole after a crash', async () => {
    const disk = new SimulatedDisk({ seed: 2 });
    let opened = await open(disk);
    await create(opened, 100, 'permanent');
    for (const ends of ['commit', 'crash'] as const) {
      const transaction = begin(opened);
      const table = opened.store.table(100);
      const base = ends === 'commit' ? 0 : 100_000;
      const label = 'x'.repeat(200);
      for (let id = 0; id < 2000; id++) table.insert(transaction, [base + id, label]);
      transaction.beginSubtransaction('s');
      for (let id = 2000; id < 6000; id++) table.insert(transaction, [base + id, label]);
      transaction.rollbackToSubtransaction('s');
      for (let id = 6000; id < 9000; id++) table.insert(transaction, [base + id, label]);
      if (ends === 'commit') await opened.transactions.commit(transaction, { synchronous: true });
      else await opened.storage?.log.waitFlushed(opened.storage.log.insertLsn);
      disk.crash();
      disk.restart();
      opened = await open(disk);
      expect(await count(opened, 100)).toBe(5000);
    }
    await opened.shutdown();
  });
});

describe('sealing', () => {
  test('rows changed while a region is sealed keep their newest state, for old snapshots too', async () => {
    const disk = new SimulatedDisk({ seed: 3 });
    let opened = await open(disk);
    await create(opened, 100, 'permanent');
    await fill(opened, 100, 0, 2000);
    const table = opened.store.table(100);
    const old = opened.transactions.begin({ isolation: 'repeatable read', readOnly: true, sessionId: 2 });
    const oldSnapshot = old.statementSnapshot();
    const undecided = begin(opened);
    table.update(undecided, undecided.latestSnapshot(), 7 as RowId, [7, 'undecided'], [1]);
    const sealing = opened.store.seal(100);
    const writer = begin(opened);
    for (let id = 100; id < 200; id++) {
      const snapshot = writer.latestSnapshot();
      if (id % 2 === 0) table.update(writer, snapshot, id as RowId, [id, 'changed'], [1]);
      else table.delete(writer, snapshot, id as RowId);
    }
    await opened.transactions.commit(writer, { synchronous: true });
    await sealing;
    const read = async (snapshot: typeof oldSnapshot): Promise<Map<number, string>> => {
      const cursor = table.scan({ snapshot, columns: [0, 1], slots: [0, 1], predicates: [] });
      const frame: Datum[] = [];
      const rows = new Map<number, string>();
      while (await waiting(() => cursor.next(frame))) rows.set(frame[0] as number, frame[1] as string);
      return rows;
    };
    const before = await read(oldSnapshot);
    expect(before.size).toBe(2000);
    expect(before.get(150)).toBe('row 150');
    const fresh = begin(opened);
    const after = await read(fresh.latestSnapshot());
    expect(after.size).toBe(1950);
    expect(after.get(150)).toBe('changed');
    expect(after.has(151)).toBe(false);
    expect(after.get(7)).toBe('row 7');
    opened.transactions.rollback(undecided);
    opened.transactions.rollback(fresh);
    opened.transactions.rollback(old);
    await opened.store.checkpoint();
    disk.crash();
    disk.restart();
    opened = await open(disk);
    expect(await count(opened, 100)).toBe(1950);
    // Change more than a quarter: VACUUM writes the segment anew and the versions go.
    const again = begin(opened);
    const live = opened.store.table(100);
    for (let id = 1000; id < 1900; id++)
      live.update(again, again.latestSnapshot(), id as RowId, [id, 'again'], [1]);
    await opened.transactions.commit(again, { synchronous: true });
    // Statistics in the background may hold a snapshot for a moment.
    const { rows } = opened.store.implementation(100);
    for (let attempt = 0; attempt < 100 && rows.deltaVersions > 0; attempt++) {
      await opened.store.vacuum(100);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(opened.store.implementation(100).rows.deltaVersions).toBe(0);
    expect(await count(opened, 100)).toBe(1950);
    await opened.shutdown();
    opened = await open(disk);
    expect(await count(opened, 100)).toBe(1950);
    await opened.shutdown();
  });
});
