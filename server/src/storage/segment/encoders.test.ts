import { afterEach, describe, expect, it } from 'vitest';
import type { Workers } from '../../env/contract.ts';
import { RealWorkers } from '../../env/real/workers.ts';
import { decompress } from '../compression.ts';
import { TestClock } from '../testing/clock.ts';
import { generator, generatorsOf, physicalTypes, vectorOf } from '../testing/columns.ts';
import { SegmentEncoders } from './encoders.ts';
import { encodeSegment } from './writer.ts';

let encoders: SegmentEncoders | null = null;
afterEach(async () => {
  await encoders?.close();
  encoders = null;
});

function input(seed: number) {
  const random = generator(seed);
  const rowCount = 3000;
  return {
    segment: seed,
    rowCount,
    columns: physicalTypes.map((physical) => {
      const make = Object.values(generatorsOf(physical))[0]!;
      return vectorOf(
        physical,
        Array.from({ length: rowCount }, (_, row) => (random() < 0.1 ? null : make(random, row))),
      );
    }),
    sequences: 4,
  };
}

async function expectSame(source: SegmentEncoders, seed: number): Promise<void> {
  const wanted = encodeSegment(input(seed));
  const found = await source.encode(input(seed));
  expect(found.columns.length).toBe(wanted.columns.length);
  found.columns.forEach((column, index) => {
    const other = wanted.columns[index]!;
    expect(column.zone).toEqual(other.zone);
    expect(column.encoding).toBe(other.encoding);
    const raw =
      column.payload === null || column.compressed === undefined
        ? column.payload
        : decompress(column.compressed.code, column.payload, column.compressed.rawLength);
    expect(raw === null ? null : Uint8Array.from(raw)).toEqual(
      other.payload === null ? null : Uint8Array.from(other.payload),
    );
  });
}

describe('segment encoders', () => {
  it('give the same from threads as from here', async () => {
    encoders = new SegmentEncoders(new TestClock(), new RealWorkers('/tmp'), 2);
    const source = encoders;
    await Promise.all([1, 2, 3, 4, 5].map((seed) => expectSame(source, seed)));
  });

  it('work without threads', async () => {
    encoders = new SegmentEncoders(new TestClock(), null, 3);
    await expectSame(encoders, 7);
  });

  it('go on here when a thread dies', async () => {
    const real = new RealWorkers('/tmp');
    const missing: Workers = {
      hardwareThreads: 1,
      channel: () => real.channel(),
      spawn: (_, options) => real.spawn(new URL('./no-such-module.ts', import.meta.url), options),
    };
    encoders = new SegmentEncoders(new TestClock(), missing, 1);
    await expectSame(encoders, 8);
    await expectSame(encoders, 9);
  });
});
