import { describe, expect, it } from 'vitest';
import type { CommitSequence, Oid, Xid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import { WaitSignal } from '../base/suspend.ts';
import { SimulatedDisk } from '../env/simulated/disk.ts';
import { SimulatedRandom } from '../env/simulated/random.ts';
import { BlockCache, createCacheMemory } from './block/cache.ts';
import { blockFileName } from './block/names.ts';
import type { BlockRef, PinnedBlock, SegmentDescriptor, TableDirectory } from './contract.ts';
import {
  createStorage,
  encodeSegment,
  hasDatabase,
  openStorage,
  openWorkerBlocks,
  SegmentReader,
  type StorageRoom,
} from './index.ts';
import { TestClock } from './testing/clock.ts';
import { emptyVector, generator, valuesOf, vectorOf } from './testing/columns.ts';

const options = (warnings: Error[] = []) => ({
  cacheBytes: 1 << 20,
  log: { segmentBytes: 16384, onFatal: () => {} },
  onWarning: (error: Error) => warnings.push(error),
});

function environment(disk: SimulatedDisk, seed = 1) {
  return { disk, clock: new TestClock(), random: new SimulatedRandom(seed) };
}

async function reopen(disk: SimulatedDisk, warnings: Error[] = []): Promise<StorageRoom> {
  const storage = await openStorage(environment(disk, 2), options(warnings));
  await storage.log.recover(storage.manifest.current.header.checkpointLsn);
  await storage.files.sweepOrphans();
  return storage;
}

/** A segment of rows `first` and following: id, text, nullable number. */
async function addSegment(storage: StorageRoom, segment: number, rows: number): Promise<SegmentDescriptor> {
  const encoded = encodeSegment({
    segment,
    rowCount: rows,
    columns: [
      vectorOf(
        'int32',
        Array.from({ length: rows }, (_, row) => segment * 1000 + row),
      ),
      vectorOf(
        'varlen',
        Array.from({ length: rows }, (_, row) => new TextEncoder().encode(`row ${segment} ${row}`)),
      ),
      vectorOf(
        'int64',
        Array.from({ length: rows }, (_, row) => (row % 3 === 0 ? null : BigInt(row) * 17n)),
      ),
    ],
    sequences: 0,
  });
  const writer = await storage.files.create();
  const descriptor = storage.writeSegment(writer, encoded);
  await writer.finish();
  return descriptor;
}

/** Commits a table of these segments, giving up the writer's hold. */
async function commitTable(
  storage: StorageRoom,
  table: number,
  segments: readonly SegmentDescriptor[],
  release: readonly SegmentDescriptor[],
): Promise<void> {
  const edit = storage.manifest.begin();
  edit.setTable(table, { segments, blobs: [], extra: Uint8Array.of(table) });
  edit.setHeader({ commitSequence: segments.length as CommitSequence });
  await edit.commit();
  for (const segment of release) storage.files.release(segment.columns[0]!.block!.file);
}

/** Reads with the wait protocol of the main thread. */
async function waiting<T>(read: () => T): Promise<T> {
  for (let round = 0; round < 100; round++) {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof WaitSignal)) throw error;
      await error.promise;
    }
  }
  expect.fail('waited a hundred times');
}

async function readAll(storage: StorageRoom, table: number): Promise<string[]> {
  const rows: string[] = [];
  for (const descriptor of storage.manifest.current.table(table)!.segments) {
    const reader = new SegmentReader(descriptor, storage.blocks);
    const id = emptyVector('int32');
    const text = emptyVector('varlen');
    const number = emptyVector('int64');
    await waiting(() => reader.readColumn(0, 0, descriptor.rowCount, id));
    await waiting(() => reader.readColumn(1, 0, descriptor.rowCount, text));
    await waiting(() => reader.readColumn(2, 0, descriptor.rowCount, number));
    const texts = valuesOf(text).map((value) => new TextDecoder().decode(value as Uint8Array));
    const numbers = valuesOf(number);
    valuesOf(id).forEach((value, row) => {
      rows.push(`${value} ${texts[row]} ${numbers[row]}`);
    });
    reader.close();
  }
  return rows;
}

function wantedRows(segments: readonly number[], rows: number): string[] {
  return segments.flatMap((segment) =>
    Array.from(
      { length: rows },
      (_, row) => `${segment * 1000 + row} row ${segment} ${row} ${row % 3 === 0 ? null : row * 17}`,
    ),
  );
}

describe('a database directory', () => {
  it('is made, closed and opened again', async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    expect(await hasDatabase(disk)).toBe(false);
    const storage = await createStorage(environment(disk), options());
    await expect(createStorage(environment(disk), options())).rejects.toMatchObject({ code: '58P02' });
    const one = await addSegment(storage, 1, 500);
    await commitTable(storage, 7, [one], [one]);
    const edit = storage.manifest.begin();
    edit.setSection('catalog', Uint8Array.of(1, 2, 3));
    edit.setHeader({ nextXid: 99 as Xid, nextOid: 5000 as Oid, inFlight: [5 as Xid, 6 as Xid] });
    await edit.commit();
    expect(await readAll(storage, 7)).toEqual(wantedRows([1], 500));
    await storage.close();

    const again = await reopen(disk);
    const { current } = again.manifest;
    expect(current.systemIdentifier).toBe(storage.manifest.current.systemIdentifier);
    expect(current.tables()).toEqual([7]);
    expect(current.section('catalog')).toEqual(Uint8Array.of(1, 2, 3));
    expect(current.header).toMatchObject({ nextXid: 99, nextOid: 5000, inFlight: [5, 6], commitSequence: 1 });
    expect(current.table(7)!.extra).toEqual(Uint8Array.of(7));
    expect(await readAll(again, 7)).toEqual(wantedRows([1], 500));
    expect(await again.files.verify()).toEqual([]);
    await again.close();
  });

  it('is made anew when its making was interrupted, at every operation', async () => {
    for (let crashAt = 1; crashAt < 60; crashAt++) {
      const disk = new SimulatedDisk({ seed: crashAt });
      disk.crashAtOperation(crashAt);
      let made = true;
      await createStorage(environment(disk), options()).catch(() => {
        made = false;
      });
      if (!made) disk.restart();
      disk.crashAtOperation(1e9);
      if (await hasDatabase(disk)) await (await reopen(disk)).close();
      else await (await createStorage(environment(disk, 5), options())).close();
      expect(await hasDatabase(disk)).toBe(true);
      await (await reopen(disk)).close();
    }
  });

  it('refuses to start empty when both superblocks are gone', async () => {
    const disk = new SimulatedDisk({ seed: 3 });
    await (await createStorage(environment(disk), options())).close();
    await disk.unlink('superblock.0');
    await disk.unlink('superblock.1');
    expect(await hasDatabase(disk)).toBe(true);
    await expect(openStorage(environment(disk), options())).rejects.toMatchObject({ code: 'XX001' });
  });

  it('keeps the last committed manifest through a crash at every operation', async () => {
    for (let crashAt = 1; crashAt < 130; crashAt++) {
      const disk = new SimulatedDisk({ seed: 700 + crashAt });
      const storage = await createStorage(environment(disk), options());
      disk.crashAtOperation(crashAt);
      let committed = 0;
      let attempted = 0;
      const segments: SegmentDescriptor[] = [];
      try {
        for (let number = 1; number <= 8; number++) {
          attempted = number;
          const segment = await addSegment(storage, number, 20);
          // Every third commit drops the oldest segment, so that files are removed too.
          if (number % 3 === 0) segments.shift();
          segments.push(segment);
          await commitTable(storage, 7, segments.slice(), [segment]);
          committed = number;
        }
        disk.crash();
      } catch (error) {
        expect(error).toBeInstanceOf(DbError);
      }
      disk.restart();
      disk.crashAtOperation(1e9);
      const again = await reopen(disk);
      const directory: TableDirectory | null = again.manifest.current.table(7);
      const last = directory?.segments.at(-1)?.segment ?? 0;
      expect(last === committed || last === attempted, `crash ${crashAt}: ${last}, ${committed}`).toBe(true);
      if (directory !== null)
        expect(await readAll(again, 7)).toEqual(
          wantedRows(
            directory.segments.map((segment) => segment.segment),
            20,
          ),
        );
      expect(await again.files.verify()).toEqual([]);
      // No orphan survives the sweep.
      const named = new Set(
        directory?.segments.map((segment) => blockFileName(segment.columns[0]!.block!.file)),
      );
      const files = await disk.list('data');
      expect(files.length).toBeLessThanOrEqual(named.size + 14);
      await again.close();
    }
  });

  it('keeps the files of a version of which only one superblock, or perhaps both, were written', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      // The write or the sync of the first or of the second superblock of the second commit fails.
      const operation = seed % 2 === 0 ? 'write' : 'sync';
      const at = 1 + ((seed >> 1) & 1);
      const disk = new SimulatedDisk({ seed: 900 + seed });
      const storage = await createStorage(environment(disk), options());
      const one = await addSegment(storage, 1, 30);
      await commitTable(storage, 7, [one], [one]);
      const two = await addSegment(storage, 2, 30);
      disk.fail({ operation, effect: 'EIO', at, path: 'superblock' });
      const failure = await commitTable(storage, 7, [two], []).catch((error: unknown) => error);
      expect(failure, `${operation} ${at}`).toBeInstanceOf(DbError);
      // The one that wanted the version gives up: the file may be named by a superblock all the same.
      storage.files.release(two.columns[0]!.block!.file);
      await storage.files.close();
      const fork = disk.fork();
      fork.crash();
      fork.restart();
      const again = await reopen(fork);
      const found = again.manifest.current.table(7)!.segments.map((segment) => segment.segment);
      expect([[1], [2]]).toContainEqual(found);
      expect(await readAll(again, 7)).toEqual(wantedRows(found, 30));
      expect(await again.files.verify()).toEqual([]);
      await again.close();
      // A later commit decides, and only its files stay.
      const three = await addSegment(storage, 3, 30);
      await commitTable(storage, 7, [three], [three]);
      await storage.close();
      expect(await disk.stat(blockFileName(two.columns[0]!.block!.file))).toBeUndefined();
      const last = await reopen(disk);
      expect(await readAll(last, 7)).toEqual(wantedRows([3], 30));
      await last.close();
    }
  });

  it('completes short writes and short reads', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const disk = new SimulatedDisk({ seed, rates: { shortWrite: 0.5 } });
      for (let at = 1; at < 40; at += 3) disk.fail({ operation: 'read', effect: 'short', at });
      const storage = await createStorage(environment(disk), options());
      const one = await addSegment(storage, 1, 200);
      await commitTable(storage, 7, [one], [one]);
      expect(await readAll(storage, 7)).toEqual(wantedRows([1], 200));
      await storage.close();
      for (let at = 1; at < 40; at += 2) disk.fail({ operation: 'read', effect: 'short', at });
      const again = await reopen(disk);
      expect(await readAll(again, 7)).toEqual(wantedRows([1], 200));
      expect(await again.files.verify()).toEqual([]);
      await again.close();
    }
  });

  it('removes files only when neither the manifest nor a holder needs them', async () => {
    const disk = new SimulatedDisk({ seed: 4 });
    const storage = await createStorage(environment(disk), options());
    const one = await addSegment(storage, 1, 50);
    const file = one.columns[0]!.block!.file;
    await commitTable(storage, 7, [one], []);
    const exists = async (): Promise<boolean> => (await disk.stat(blockFileName(file))) !== undefined;
    await commitTable(storage, 7, [], []);
    await storage.files.close();
    expect(await exists()).toBe(true);
    storage.files.release(file);
    await storage.files.close();
    expect(await exists()).toBe(false);
    await storage.close();
  });

  it('keeps files that redo claims and refuses when they are missing', async () => {
    const disk = new SimulatedDisk({ seed: 5 });
    const storage = await createStorage(environment(disk), options());
    const one = await addSegment(storage, 1, 50);
    const file = one.columns[0]!.block!.file;
    await storage.close();
    const fork = disk.fork();
    const again = await openStorage(environment(disk), options());
    await again.log.recover(again.manifest.current.header.checkpointLsn);
    again.files.claim(file);
    expect(await again.files.sweepOrphans()).toEqual([]);
    await again.close();
    const other = await reopen(fork);
    expect(await fork.stat(blockFileName(file))).toBeUndefined();
    expect(() => other.files.claim(file)).toThrow(blockFileName(file));
    await other.close();
  });

  it('bounds the number of files that hold manifest nodes', async () => {
    const disk = new SimulatedDisk({ seed: 6 });
    const storage = await createStorage(environment(disk), options());
    for (let table = 1; table <= 60; table++) {
      const edit = storage.manifest.begin();
      edit.setTable(table, { segments: [], blobs: [], extra: Uint8Array.of(table) });
      await edit.commit();
    }
    await storage.files.close();
    expect((await disk.list('data')).length).toBeLessThan(16);
    await storage.close();
    const again = await reopen(disk);
    expect(again.manifest.current.tables().length).toBe(60);
    await again.close();
  });
});

describe('damage', () => {
  it('in any byte of any file is reported by name and never changes what is read', async () => {
    const disk = new SimulatedDisk({ seed: 11 });
    const storage = await createStorage(environment(disk), options());
    const segments = [await addSegment(storage, 1, 60), await addSegment(storage, 2, 60)];
    await commitTable(storage, 7, segments, segments);
    await storage.close();
    const wanted = wantedRows([1, 2], 60);
    const paths = [
      'superblock.0',
      'superblock.1',
      ...(await disk.list('data')).map((name) => `data/${name}`),
    ];
    let reported = 0;
    for (const path of paths) {
      const size = (await disk.stat(path))!.sizeBytes;
      for (let offset = 0; offset < size; offset += size > 2000 ? 13 : 3) {
        const fork = disk.fork();
        fork.flipBit(path, offset, offset % 8);
        const warnings: Error[] = [];
        const found: Error[] = [];
        try {
          const again = await reopen(fork, warnings);
          found.push(...(await again.files.verify()));
          expect(await readAll(again, 7)).toEqual(wanted);
        } catch (error) {
          found.push(error as Error);
        }
        const messages = [...warnings, ...found];
        for (const error of messages)
          expect((error as DbError).code, `${path} ${offset}: ${error}`).toBe('XX001');
        expect(
          messages.some((error) => error.message.includes(path)),
          `${path} ${offset}`,
        ).toBe(true);
        reported++;
      }
    }
    expect(reported).toBeGreaterThan(700);
  });

  it('a missing directory is reported by the file that is missed', async () => {
    const disk = new SimulatedDisk({ seed: 13 });
    const storage = await createStorage(environment(disk), options());
    const segment = await addSegment(storage, 1, 60);
    await commitTable(storage, 7, [segment], [segment]);
    await storage.close();
    for (const directory of ['wal', 'data']) {
      const fork = disk.fork();
      for (const name of await fork.list(directory)) await fork.unlink(`${directory}/${name}`);
      await fork.removeDirectory(directory);
      await expect(reopen(fork)).rejects.toMatchObject({
        code: 'XX001',
        message: expect.stringMatching(new RegExp(`"${directory}/.*missing`)),
      });
    }
  });

  it('a missing or cut block file is reported by name', async () => {
    const disk = new SimulatedDisk({ seed: 12 });
    const storage = await createStorage(environment(disk), options());
    const segment = await addSegment(storage, 1, 60);
    await commitTable(storage, 7, [segment], [segment]);
    await storage.close();
    const path = blockFileName(segment.columns[0]!.block!.file);
    const gone = disk.fork();
    await gone.unlink(path);
    const again = await reopen(gone);
    await expect(readAll(again, 7)).rejects.toThrow(`"${path}" at offset 0: the file is missing`);
    expect((await again.files.verify())[0]!.message).toContain(path);
    const cut = disk.fork();
    const file = await cut.open(path, 'write');
    await file.truncate((await file.size()) - 64);
    await file.close();
    const shorter = await reopen(cut);
    await expect(readAll(shorter, 7)).rejects.toThrow(path);
    expect((await shorter.files.verify())[0]!.message).toContain(path);
  });
});

describe('the block cache', () => {
  it('finds what was put, evicts what is not pinned, and never moves what is', () => {
    const cache = new BlockCache(createCacheMemory(64 * 16384));
    const random = generator(21);
    const pinned = new Map<number, number>();
    const lengths = new Map<number, number>();
    for (let round = 0; round < 20000; round++) {
      const block = Math.floor(random() * 200);
      const file = 1 + (block % 7);
      const offset = block * 64;
      let page = cache.pin(file, offset);
      if (page < 0) {
        const length = lengths.get(block) ?? 1 + Math.floor(random() * 60000);
        lengths.set(block, length);
        page = cache.reserve(file, offset, length);
        if (page < 0) continue;
        expect(cache.pin(file, offset)).toBe(-1);
        cache.bytes(page).fill(block & 255);
        if (random() < 0.05) {
          cache.cancel(page);
          expect(cache.pin(file, offset)).toBe(-1);
          continue;
        }
        cache.publish(page);
      }
      const bytes = cache.bytes(page);
      if (bytes.length !== lengths.get(block) || bytes[0] !== (block & 255) || bytes.at(-1) !== (block & 255))
        expect.fail(`block ${block} changed`);
      if (random() < 0.1 && pinned.size < 6 && !pinned.has(block)) pinned.set(block, page);
      else cache.unpin(page);
      for (const [held, at] of pinned) {
        if (cache.bytes(at)[0] !== (held & 255)) expect.fail(`pinned block ${held} moved`);
        if (random() < 0.05) {
          pinned.delete(held);
          cache.unpin(at);
        }
      }
    }
    for (const page of pinned.values()) cache.unpin(page);
    const { evictions, usedPages, pages } = cache.counters();
    expect(evictions).toBeGreaterThan(1000);
    expect(usedPages).toBeLessThanOrEqual(pages);
    expect(() => cache.unpin(0)).toThrow();
  });

  it('is shared with workers, which read synchronously', async () => {
    const disk = new SimulatedDisk({ seed: 31 });
    const storage = await createStorage(environment(disk), options());
    const segment = await addSegment(storage, 1, 300);
    await commitTable(storage, 7, [segment], [segment]);
    const worker = openWorkerBlocks(disk, storage.workerShare());
    const reader = new SegmentReader(segment, worker);
    expect(reader.value(0, 5)).toBe(1005);
    expect(new TextDecoder().decode(reader.value(1, 299) as Uint8Array)).toBe('row 1 299');
    // What the worker loaded the main thread finds.
    expect(new SegmentReader(segment, storage.blocks).value(0, 6)).toBe(1006);
    reader.close();
    worker.close();
    await storage.close();
  });

  it('serves blocks that do not fit, and takes leases back', async () => {
    const disk = new SimulatedDisk({ seed: 32 });
    const storage = await createStorage(environment(disk), { ...options(), cacheBytes: 16 * 16384 });
    const writer = await storage.files.create();
    const refs: BlockRef[] = [];
    for (let block = 0; block < 30; block++)
      refs.push(writer.append('blob', new Uint8Array(block === 0 ? 300000 : 20000).fill(block)));
    await writer.finish();
    const read = (ref: BlockRef): Promise<PinnedBlock> => waiting(() => storage.blocks.acquire(ref));
    const large = await read(refs[0]!);
    expect(large.address).toBe(-1);
    expect(large.bytes.length).toBe(300000);
    let revoked = 0;
    for (const ref of refs.slice(1)) {
      const lease = await waiting(() => storage.blocks.lease(ref, () => revoked++));
      expect(lease.bytes[0]).toBe(refs.indexOf(ref));
    }
    expect(revoked).toBeGreaterThan(20);
    expect(await storage.blocks.readBlob(refs[3]!)).toEqual(new Uint8Array(20000).fill(3));
    await storage.close();
  });
});

describe('the disk being full', () => {
  it('fails the writer with 53100 and leaves the database usable', async () => {
    const disk = new SimulatedDisk({ seed: 41 });
    const storage = await createStorage(environment(disk), options());
    const one = await addSegment(storage, 1, 50);
    await commitTable(storage, 7, [one], [one]);
    disk.capacityBytes = (await usedBytes(disk)) + 100;
    const writer = await storage.files.create();
    writer.append('blob', new Uint8Array(50000));
    await expect(writer.finish()).rejects.toMatchObject({ code: '53100' });
    await writer.abandon();
    const edit = storage.manifest.begin();
    edit.setSection('x', new Uint8Array(5000));
    await expect(edit.commit()).rejects.toMatchObject({ code: '53100' });
    expect(storage.manifest.current.section('x')).toBeNull();
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    const two = await addSegment(storage, 2, 50);
    await commitTable(storage, 7, [one, two], [two]);
    expect(await readAll(storage, 7)).toEqual(wantedRows([1, 2], 50));
    await storage.close();
    const again = await reopen(disk);
    expect(await readAll(again, 7)).toEqual(wantedRows([1, 2], 50));
  });
});

async function usedBytes(disk: SimulatedDisk): Promise<number> {
  let total = 0;
  for (const path of disk.filePaths()) total += (await disk.stat(path))!.sizeBytes;
  return total;
}
