/** A flipped bit in any file is reported with the name of the file, or was in bytes that do not matter: never wrong rows. */
import { describe, expect, test } from 'vitest';
import { RealClock } from '../env/real/clock.ts';
import { SimulatedDisk } from '../env/simulated/disk.ts';
import { SimulatedRandom } from '../env/simulated/random.ts';
import type { Datum } from '../types/datum.ts';
import { OID, typeSupport } from '../types/index.ts';
import { type OpenedStore, openTableStore } from './index.ts';
import { waiting } from './index-build.ts';
import { testIndex, testSchema } from './testing.ts';

async function open(disk: SimulatedDisk, warnings: string[]): Promise<OpenedStore> {
  return openTableStore({
    environment: { disk, clock: new RealClock(), random: new SimulatedRandom(5) },
    typeSupport,
    cacheBytes: 1 << 20,
    logSegmentBytes: 64 * 1024,
    settings: { checkpointLogBytes: 0 },
    onFatal: () => {},
    onWarning: (error) => warnings.push(error.message),
  });
}

async function content(opened: OpenedStore): Promise<string> {
  const reader = opened.transactions.begin({ isolation: 'repeatable read', readOnly: true, sessionId: 1 });
  const snapshot = reader.statementSnapshot();
  const lines: string[] = [];
  for (const oid of [...opened.store.tables.keys()].sort()) {
    const table = opened.store.table(oid);
    const columns = [0, 1, 2];
    const frame: Datum[] = [];
    const cursor = table.scan({ snapshot, columns, slots: columns, predicates: [] });
    while (await waiting(() => cursor.next(frame))) lines.push(JSON.stringify([oid, ...frame]));
  }
  opened.transactions.rollback(reader);
  return lines.join('\n');
}

/** A directory with sealed segments, images, an index, and commits that are in the log only. */
async function build(): Promise<{ disk: SimulatedDisk; text: string; withoutLast: string }> {
  const disk = new SimulatedDisk({ seed: 9 });
  const opened = await open(disk, []);
  const { store, transactions } = opened;
  const begin = (): ReturnType<typeof transactions.begin> =>
    transactions.begin({ isolation: 'read committed', readOnly: false, sessionId: 1 });
  const schema = testSchema(100, [
    ['id', OID.INT4],
    ['value', OID.FLOAT8],
    ['label', OID.TEXT],
  ]);
  let transaction = begin();
  const table = store.createTable(transaction, schema);
  await store.createIndex(transaction, 100, testIndex(101, schema, [0], { unique: true, primary: true }));
  for (let id = 0; id < 600; id++) table.insert(transaction, [id, id / 7, `label ${(id * 7919) % 1000}`]);
  await transactions.commit(transaction, { synchronous: true });
  await store.seal(100);
  transaction = begin();
  for (let id = 600; id < 700; id++) table.insert(transaction, [id, id / 7, null]);
  await transactions.commit(transaction, { synchronous: true });
  await store.checkpoint();
  let withoutLast = '';
  for (let batch = 0; batch < 5; batch++) {
    transaction = begin();
    for (let at = 0; at < 20; at++) table.insert(transaction, [1000 + batch * 20 + at, -1, 'in the log']);
    if (batch === 4) withoutLast = await content(opened);
    await transactions.commit(transaction, { synchronous: true });
  }
  const text = await content(opened);
  disk.crash('ordered');
  disk.restart();
  return { disk, text, withoutLast };
}

describe('bit rot', () => {
  test('120 flips, each alone', async () => {
    const { disk, text, withoutLast } = await build();
    const random = new SimulatedRandom(77);
    const verdicts = { named: 0, harmless: 0, tail: 0 };
    const paths = disk.filePaths();
    for (let round = 0; round < 120; round++) {
      const copy = disk.fork(round);
      const path = paths[round % paths.length];
      const size = copy.currentBytes(path).length;
      if (size === 0) continue;
      // Log segments are mostly empty space: aim at their beginning every other time.
      const limit = path.startsWith('wal/') && round % 2 === 0 ? Math.min(size, 20_000) : size;
      const offset = random.int(limit);
      copy.flipBit(path, offset, random.int(8));
      const warnings: string[] = [];
      try {
        const opened = await open(copy, warnings);
        const shown = await content(opened);
        if (shown === text) verdicts.harmless++;
        else {
          // Allowed only for the last batch of the log, which nothing later vouches for.
          expect(shown, `${path} at ${offset}`).toBe(withoutLast);
          expect(path.startsWith('wal/')).toBe(true);
          verdicts.tail++;
        }
      } catch (error) {
        const message = (error as Error).message;
        expect(message, `${path} at ${offset}`).toContain(path.split('/').at(-1));
        verdicts.named++;
      }
    }
    expect(verdicts.named).toBeGreaterThan(15);
  });
});
