import { describe, expect, it } from 'vitest';
import type { Lsn, Xid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { Disk, OpenMode } from '../../env/contract.ts';
import { SimulatedCrash, SimulatedDisk } from '../../env/simulated/disk.ts';
import { SimulatedRandom } from '../../env/simulated/random.ts';
import type { LogOptions } from '../contract.ts';
import { TestClock } from '../testing/clock.ts';
import { generator } from '../testing/columns.ts';
import { LOG_DIRECTORY, recordStart, segmentName, segmentOfName } from './format.ts';
import { Log } from './log.ts';

const SEGMENT = 4096;
const SYSTEM = 77n;
const TYPE = 20;

interface Setup {
  readonly log: Log;
  readonly clock: TestClock;
  readonly fatal: Error[];
}

function openLog(disk: Disk, seed: number, durable = 0, options: Partial<LogOptions> = {}): Setup {
  const clock = new TestClock();
  const fatal: Error[] = [];
  const log = new Log({ disk, clock, random: new SimulatedRandom(seed) }, SYSTEM, durable as Lsn, {
    segmentBytes: SEGMENT,
    onFatal: (error) => fatal.push(error),
    ...options,
  });
  return { log, clock, fatal };
}

/** Lets everything that needs no timer come to rest. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Content that says which record it is. */
function payloadOf(id: number, length: number): Uint8Array {
  const payload = new Uint8Array(Math.max(8, length));
  new DataView(payload.buffer).setUint32(0, id, true);
  new DataView(payload.buffer).setUint32(4, payload.length, true);
  for (let index = 8; index < payload.length; index++) payload[index] = (id * 31 + index) & 255;
  return payload;
}

function idOf(payload: Uint8Array): number {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const id = view.getUint32(0, true);
  let isWhole = view.getUint32(4, true) === payload.length;
  for (let index = 8; index < payload.length; index++)
    if (payload[index] !== ((id * 31 + index) & 255)) isWhole = false;
  expect(isWhole, `record ${id}`).toBe(true);
  return id;
}

async function replay(
  disk: SimulatedDisk,
  from: Lsn,
  seed = 1,
  durable = 0,
): Promise<{ ids: number[]; setup: Setup }> {
  const setup = openLog(disk, seed, durable);
  const ids: number[] = [];
  setup.log.onRedo(TYPE, (record) => {
    ids.push(idOf(record.payload));
  });
  await setup.log.recover(from);
  return { ids, setup };
}

async function freshLog(
  seed = 1,
  options: Partial<LogOptions> = {},
): Promise<{ disk: SimulatedDisk; from: Lsn; setup: Setup }> {
  const disk = new SimulatedDisk({ seed });
  const setup = openLog(disk, seed, 0, options);
  const from = await setup.log.create();
  await disk.syncDirectory('');
  return { disk, from, setup };
}

describe('the log', () => {
  it('gives back what was appended, across segments and after reopening', async () => {
    const { disk, from, setup } = await freshLog();
    const random = generator(3);
    const ends: Lsn[] = [];
    for (let id = 0; id < 200; id++) {
      const payload = payloadOf(id, Math.floor(random() * (id % 20 === 0 ? 20000 : 300)));
      ends.push(
        id % 3 === 0
          ? setup.log.appendParts(TYPE, 5 as Xid, [payload.subarray(0, 3), payload.subarray(3)])
          : setup.log.append(TYPE, 5 as Xid, payload),
      );
      if (id % 7 === 0) await setup.log.waitFlushed(ends.at(-1)!);
    }
    expect(ends).toEqual([...ends].sort((left, right) => left - right));
    await setup.log.close();
    const { ids, setup: again } = await replay(disk, from);
    expect(ids).toEqual(Array.from({ length: 200 }, (_, id) => id));
    // And goes on.
    await again.log.waitFlushed(again.log.append(TYPE, 6 as Xid, payloadOf(200, 50)));
    await again.log.close();
    expect((await replay(disk, from)).ids.length).toBe(201);
  });

  it('tells xid, positions and exact payload', async () => {
    const { disk, from, setup } = await freshLog();
    const xid = (2 ** 40 + 3) as Xid;
    const end = setup.log.append(TYPE, xid, new Uint8Array([9, 8, 7]));
    const whole = new Uint8Array([1, 2, 3, 4, 5, 6]);
    setup.log.append(TYPE, xid, whole, 2, 5);
    await setup.log.close();
    const again = openLog(disk, 2);
    const seen: { xid: number; end: number; payload: number[] }[] = [];
    again.log.onRedo(TYPE, (record) => {
      seen.push({ xid: record.xid, end: record.end, payload: Array.from(record.payload) });
      expect(record.end - record.start).toBe(40);
    });
    await again.log.recover(from);
    expect(seen[0]).toEqual({ xid, end, payload: [9, 8, 7] });
    expect(seen[1]!.payload).toEqual([3, 4, 5]);
  });

  it('works beyond 2^32 and near 2^53', async () => {
    for (const high of [2 ** 32 - SEGMENT, 2 ** 53 - 64 * SEGMENT]) {
      const disk = new SimulatedDisk({ seed: 4 });
      await disk.mkdir(LOG_DIRECTORY);
      const setup = openLog(disk, 4);
      const from = (high + 64) as Lsn;
      await (setup.log as unknown as { openAt(...parts: unknown[]): Promise<void> }).openAt(
        from,
        0,
        from,
        [],
      );
      for (let id = 0; id < 100; id++) setup.log.append(TYPE, 3 as Xid, payloadOf(id, 100));
      await setup.log.close();
      expect((await replay(disk, from)).ids.length).toBe(100);
    }
  });

  it('runs callbacks in order, once, after the sync', async () => {
    const { setup } = await freshLog();
    const order: number[] = [];
    const ends = Array.from({ length: 20 }, (_, id) => setup.log.append(TYPE, 3 as Xid, payloadOf(id, 20)));
    for (const id of [3, 1, 2, 19, 7])
      setup.log.requestFlush(ends[id]!, () => {
        expect(setup.log.flushedLsn).toBeGreaterThanOrEqual(ends[id]!);
        order.push(id);
      });
    expect(order).toEqual([]);
    await setup.log.waitFlushed(ends[19]!);
    expect(order).toEqual([1, 2, 3, 7, 19]);
    setup.log.requestFlush(ends[0]!, () => order.push(0));
    expect(order.at(-1)).toBe(0);
  });

  it('survives a crash at every operation: all that was acknowledged is there, nothing is invented', async () => {
    let survivals = 0;
    for (let seed = 1; seed <= 4; seed++) {
      for (let crashAt = 1; crashAt < 110; crashAt++) {
        const disk = new SimulatedDisk({ seed: seed * 1000 + crashAt });
        const first = openLog(disk, seed);
        const from = await first.log.create();
        await disk.syncDirectory('');
        const acknowledged: number[] = [];
        const appended: number[] = [];
        let next = 0;
        disk.crashAtOperation(crashAt);
        const done = await workload(first, seed + crashAt, () => next++, appended, acknowledged);
        if (!done) disk.restart();
        else {
          disk.crash();
          disk.restart();
        }
        // Recover, itself crashing at some operation once, then for good.
        disk.crashAtOperation(1 + (crashAt % 9));
        let recovered = await replay(disk, from, seed + 10).catch((error: unknown) => {
          if (!(error instanceof SimulatedCrash) && !(error instanceof DbError && error.severity === 'PANIC'))
            throw error;
          return null;
        });
        if (recovered === null) disk.restart();
        disk.crashAtOperation(1e9);
        recovered ??= await replay(disk, from, seed + 20);
        const { ids } = recovered;
        expect(ids, `seed ${seed}, crash ${crashAt}`).toEqual(appended.slice(0, ids.length));
        expect(ids.length).toBeGreaterThanOrEqual(acknowledged.length);
        survivals++;
        // A second life: what recovery gave stays, what comes after is kept too.
        const after: number[] = [];
        const known = ids.slice();
        await workload(recovered.setup, seed, () => 10000 + next++, known, after, 4);
        disk.crash();
        disk.restart();
        const last = await replay(disk, from, seed + 30);
        expect(last.ids, `seed ${seed}, crash ${crashAt}, second life`).toEqual(
          known.slice(0, last.ids.length),
        );
        expect(last.ids.length).toBeGreaterThanOrEqual(ids.length + after.length);
      }
    }
    expect(survivals).toBe(4 * 109);
  });

  it('would show a log that acknowledges before the disk has it', async () => {
    // A test of the test: with writes that are not durable the same crashes must lose acknowledged records soon.
    let caughtAt = 0;
    for (let seed = 1; seed <= 100 && caughtAt === 0; seed++) {
      const disk = new SimulatedDisk({ seed });
      const lying: Disk = new Proxy<Disk>(disk, {
        get(target, name) {
          const member = Reflect.get(target, name) as unknown;
          if (name === 'open')
            return (path: string, mode: OpenMode) =>
              target.open(path, mode === 'write-durable' ? 'write' : mode);
          return typeof member === 'function' ? member.bind(target) : member;
        },
      });
      const setup = openLog(lying, seed);
      const from = await setup.log.create();
      await disk.syncDirectory('');
      const acknowledged: number[] = [];
      let next = 0;
      await workload(setup, seed, () => next++, [], acknowledged);
      disk.crash();
      disk.restart();
      const survived = await replay(disk, from, seed + 1).then(
        ({ ids }) => ids.length,
        () => -1,
      );
      if (survived < acknowledged.length) caughtAt = seed;
    }
    expect(caughtAt).toBeGreaterThan(0);
  });

  it('reports a flipped bit in every byte, or loses nothing that was covered', async () => {
    const { disk, from, setup } = await freshLog(8);
    const random = generator(8);
    const count = 40;
    for (let id = 0; id < count; id++) {
      const end = setup.log.append(TYPE, 3 as Xid, payloadOf(id, Math.floor(random() * 400)));
      if (id % 4 === 0) await setup.log.waitFlushed(end);
    }
    await setup.log.close();
    const names = (await disk.list(LOG_DIRECTORY)).filter((name) => /^[0-9A-F]{24}$/.test(name));
    expect(names.length).toBeGreaterThan(2);
    let reported = 0;
    for (const name of names) {
      const path = `${LOG_DIRECTORY}/${name}`;
      const size = (await disk.stat(path))!.sizeBytes;
      for (let offset = 0; offset < size; offset += 5) {
        const fork = disk.fork();
        const file = await fork.open(path, 'write');
        const byte = new Uint8Array(1);
        await file.read(offset, byte);
        byte[0]! ^= 1 << (offset % 8);
        await file.writeAll(offset, [byte]);
        await file.close();
        try {
          const { ids } = await replay(fork, from, 9);
          expect(ids, `${name} ${offset}`).toEqual(Array.from({ length: count }, (_, id) => id));
        } catch (error) {
          expect(error).toBeInstanceOf(DbError);
          expect((error as DbError).code).toBe('XX001');
          expect((error as DbError).message).toContain(name);
          reported++;
        }
      }
    }
    expect(reported).toBeGreaterThan(1800);
  });

  it('refuses missing, cut and swapped segments by name', async () => {
    const { disk, from, setup } = await freshLog(9);
    for (let id = 0; id < 60; id++) {
      setup.log.append(TYPE, 3 as Xid, payloadOf(id, 300));
      if (id % 5 === 0) await setup.log.waitFlushed(setup.log.insertLsn);
    }
    await setup.log.close();
    const identity = { segmentBytes: SEGMENT, timeline: 1, systemIdentifier: SYSTEM };
    const path = (segment: number): string => `${LOG_DIRECTORY}/${segmentName(identity, segment)}`;
    const refuses = async (change: (disk: SimulatedDisk) => Promise<void>, name: string): Promise<void> => {
      const fork = disk.fork();
      await change(fork);
      await expect(replay(fork, from)).rejects.toThrow(name);
    };
    for (const segment of [1, 2, 3]) {
      await refuses((fork) => fork.unlink(path(segment)), segmentName(identity, segment));
      for (const size of [0, 10, 64, 1000, SEGMENT - 8])
        await refuses(
          async (fork) => {
            const file = await fork.open(path(segment), 'write');
            await file.truncate(size);
            await file.close();
          },
          segmentName(identity, segment),
        );
    }
    await refuses(
      async (fork) => {
        await fork.rename(path(1), 'hold');
        await fork.rename(path(2), path(1));
        await fork.rename('hold', path(2));
      },
      segmentName(identity, 1),
    );
  });

  it('never acknowledges after a failed sync, and the next start keeps what was acknowledged', async () => {
    for (let at = 1; at < 12; at++) {
      const { disk, from, setup } = await freshLog(20 + at);
      disk.fail({ operation: 'sync', effect: 'EIO', at, path: '0000' });
      const acknowledged: number[] = [];
      for (let id = 0; id < 30 && setup.fatal.length === 0; id++) {
        try {
          await setup.log.waitFlushed(setup.log.append(TYPE, 3 as Xid, payloadOf(id, 200)));
          acknowledged.push(id);
        } catch (error) {
          expect((error as DbError).severity).toBe('PANIC');
        }
      }
      expect(setup.fatal.length).toBe(1);
      expect(() => setup.log.append(TYPE, 3 as Xid, payloadOf(99, 8))).toThrow('write-ahead log failed');
      disk.crash('kept');
      disk.restart();
      const { ids } = await replay(disk, from);
      expect(ids.slice(0, acknowledged.length)).toEqual(acknowledged);
    }
  });

  it('recycles segments and never takes old records for new ones', async () => {
    const { disk, setup } = await freshLog(30, { spareSegments: 2 });
    let from = setup.log.insertLsn;
    for (let round = 0; round < 12; round++) {
      for (let id = 0; id < 20; id++) setup.log.append(TYPE, 3 as Xid, payloadOf(round * 20 + id, 250));
      await setup.log.waitFlushed(setup.log.insertLsn);
      if (round % 3 === 2) {
        from = setup.log.flushedLsn;
        await setup.log.truncateBefore(from);
      }
    }
    const names = await disk.list(LOG_DIRECTORY);
    expect(names.length).toBeLessThan(10);
    const wanted = await replay(disk.fork(), from);
    disk.crash('lost');
    disk.restart();
    expect((await replay(disk, from)).ids).toEqual(wanted.ids);
  });

  it('refuses ordinary records on a full disk, keeps room for commits, and resumes', async () => {
    const { disk, setup } = await freshLog(40, { segmentBytes: 65536 });
    disk.capacityBytes = 65536 * 3;
    let refused = false;
    const payload = payloadOf(1, 1000);
    for (let id = 0; id < 400 && !refused; id++) {
      try {
        await setup.log.waitFlushed(setup.log.append(TYPE, 3 as Xid, payload));
      } catch (error) {
        expect((error as DbError).code).toBe('53100');
        refused = true;
      }
    }
    expect(refused).toBe(true);
    const end = setup.log.append(TYPE, 3 as Xid, payloadOf(2, 20), 0, 20, true);
    await setup.log.waitFlushed(end);
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    await settle();
    setup.clock.fire();
    await settle();
    await setup.log.waitFlushed(setup.log.append(TYPE, 3 as Xid, payload));
    expect(setup.fatal).toEqual([]);
    await setup.log.close();
  });

  it('marks a pause so that the last batch is covered', async () => {
    const { disk, from, setup } = await freshLog(50);
    await setup.log.waitFlushed(setup.log.append(TYPE, 3 as Xid, payloadOf(0, 100)));
    const end = setup.log.insertLsn;
    await settle();
    setup.clock.fire();
    await settle();
    expect(setup.log.insertLsn).toBeGreaterThan(end);
    const quiet = setup.log.insertLsn;
    setup.clock.fire();
    setup.clock.fire();
    await settle();
    expect(setup.log.insertLsn).toBe(quiet);
    disk.crash('kept');
    disk.restart();
    const recovered = openLog(disk, 51);
    recovered.log.onRedo(TYPE, () => {});
    expect((await recovered.log.recover(from)).claimedDurable).toBeGreaterThanOrEqual(end);
  });
});

describe('names and positions', () => {
  it('are PostgreSQL’s', () => {
    const identity = { segmentBytes: 2 ** 24, timeline: 1, systemIdentifier: 1n };
    expect(segmentName(identity, 1)).toBe('000000010000000000000001');
    expect(segmentName(identity, 256)).toBe('000000010000000100000000');
    expect(segmentOfName(identity, '000000010000000100000003')).toBe(259);
    expect(segmentOfName(identity, '000000020000000100000003')).toBeNull();
  });

  it('leave room for a whole record header', () => {
    expect(recordStart(4096, 4096)).toBe(4096 + 64);
    expect(recordStart(8192 - 24, 4096)).toBe(8192 + 64);
    expect(recordStart(8192 - 32, 4096)).toBe(8192 - 32);
  });
});

/** Appends and waits until done or the disk dies; true when it came to its end. */
async function workload(
  setup: Setup,
  seed: number,
  nextId: () => number,
  appended: number[],
  acknowledged: number[],
  rounds = 12,
): Promise<boolean> {
  const random = generator(seed);
  try {
    for (let round = 0; round < rounds; round++) {
      const ids: number[] = [];
      for (let left = 1 + Math.floor(random() * 4); left > 0; left--) {
        const id = nextId();
        ids.push(id);
        appended.push(id);
        setup.log.append(TYPE, 3 as Xid, payloadOf(id, Math.floor(random() * (random() < 0.1 ? 6000 : 400))));
      }
      await setup.log.waitFlushed(setup.log.insertLsn);
      acknowledged.push(...ids);
      if (random() < 0.2) setup.clock.fire();
    }
    return true;
  } catch (error) {
    expect((error as DbError).severity).toBe('PANIC');
    return false;
  }
}
