import { beforeAll, describe, expect, it } from 'vitest';
import { chooseKernels } from '../../native/index.ts';
import type { PhysicalType } from '../../types/contract.ts';
import { compareBytes } from '../byte-order.ts';
import type {
  BlockRef,
  BlockSource,
  ColumnPredicate,
  PhysicalValue,
  PinnedBlock,
  SegmentDescriptor,
} from '../contract.ts';
import { PayloadDamage } from '../corruption.ts';
import { useKernels } from '../kernels.ts';
import {
  emptyVector,
  generator,
  generatorsOf,
  physicalTypes,
  show,
  type Value,
  valuesOf,
  vectorOf,
} from '../testing/columns.ts';
import { decodeRange, openColumn, validateColumn } from './column-decode.ts';
import { encodeColumn } from './column-encode.ts';
import { decodeSegmentDescriptor, encodeSegmentDescriptor } from './descriptor.ts';
import { valueTest } from './predicate.ts';
import { SegmentReader } from './reader.ts';
import { encodeSegment } from './writer.ts';
import { compareValues, judgeZone } from './zone-map.ts';

/** Payloads in memory instead of files. */
class MemorySource implements BlockSource {
  readonly payloads: Uint8Array[] = [];
  add(payload: Uint8Array): BlockRef {
    this.payloads.push(payload);
    return { file: 1, offset: (this.payloads.length - 1) * 64, length: payload.length };
  }
  acquire(ref: BlockRef): PinnedBlock {
    return { bytes: this.payloads[ref.offset / 64]!, address: -1, release: () => {} };
  }
  lease(ref: BlockRef): PinnedBlock {
    return this.acquire(ref);
  }
  prefetch(): Promise<void> {
    return Promise.resolve();
  }
  readBlob(ref: BlockRef): Promise<Uint8Array> {
    return Promise.resolve(this.acquire(ref).bytes.slice());
  }
}

function readerOf(columns: { physical: PhysicalType; values: Value[] }[]): SegmentReader {
  const rowCount = columns[0]!.values.length;
  const encoded = encodeSegment({
    segment: 7,
    rowCount,
    columns: columns.map((column) => vectorOf(column.physical, column.values)),
    sequences: Float64Array.from({ length: rowCount }, (_, row) => 1000 + (row % 3)),
  });
  const source = new MemorySource();
  const described = encoded.columns.map((column) => ({
    physical: column.physical,
    zone: column.zone,
    encoding: column.encoding,
    block: column.payload === null ? null : source.add(column.payload),
  }));
  const sequence = described.pop()!;
  const descriptor: SegmentDescriptor = {
    segment: 7,
    rowCount,
    columns: described,
    sequence,
    owner: encoded.owner,
  };
  // Through bytes, as the manifest keeps it.
  const copy = decodeSegmentDescriptor(encodeSegmentDescriptor(descriptor));
  expect(copy).toEqual(descriptor);
  return new SegmentReader(copy, source);
}

function isSame(left: Value, right: Value): boolean {
  return left instanceof Uint8Array && right instanceof Uint8Array
    ? compareBytes(left, right) === 0
    : Object.is(left, right);
}

function expectValues(found: Value[], wanted: Value[], what: string): void {
  if (found.length === wanted.length && found.every((value, index) => isSame(value, wanted[index]!))) return;
  expect(found.map(show), what).toEqual(wanted.map(show));
}

function expectRows(selection: Uint16Array, found: number, wanted: number[], what: () => string): void {
  if (found === wanted.length && wanted.every((row, index) => selection[index] === row)) return;
  expect(Array.from(selection.subarray(0, found)), what()).toEqual(wanted);
}

/** All predicates worth trying against a column: bounds taken from its values and around them. */
function predicatesFor(values: Value[], physical: PhysicalType, random: () => number): ColumnPredicate[] {
  const present = values.filter((value): value is PhysicalValue => value !== null);
  const pick = (): PhysicalValue | undefined => present[Math.floor(random() * present.length)];
  const out: ColumnPredicate[] = [
    { column: 0, kind: 'isNull' },
    { column: 0, kind: 'isNotNull' },
  ];
  const value = pick();
  if (value === undefined) return out;
  for (const operator of ['=', '<>', '<', '<=', '>', '>='] as const)
    out.push({ column: 0, kind: 'compare', operator, value });
  const [low, high] = [pick()!, pick()!].sort(compareValues);
  for (const lowInclusive of [true, false])
    out.push({
      column: 0,
      kind: 'range',
      low: low!,
      high: high!,
      lowInclusive,
      highInclusive: !lowInclusive,
    });
  out.push({ column: 0, kind: 'in', values: [pick()!, pick()!, pick()!] });
  if (typeof value === 'bigint' && value < 2n ** 63n - 1n)
    out.push({ column: 0, kind: 'compare', operator: '=', value: value + 1n });
  if (physical === 'varlen')
    out.push({ column: 0, kind: 'prefix', prefix: (value as Uint8Array).slice(0, 3) });
  return out;
}

function accepts(predicate: ColumnPredicate, value: Value): boolean {
  if (predicate.kind === 'isNull') return value === null;
  if (predicate.kind === 'isNotNull') return value !== null;
  return value !== null && valueTest(predicate)(value);
}

function checkColumn(physical: PhysicalType, values: Value[], random: () => number, what: string): void {
  const reader = readerOf([{ physical, values }]);
  const count = values.length;
  const target = emptyVector(physical);
  reader.readColumn(0, 0, count, target);
  expectValues(valuesOf(target), values, `${what}: all`);
  // Reused target, odd borders.
  for (let round = 0; round < 4; round++) {
    const start = Math.floor(random() * (count + 1));
    const end = start + Math.floor(random() * (count - start + 1));
    reader.readColumn(0, start, end, target);
    expectValues(valuesOf(target), values.slice(start, end), `${what}: ${start} to ${end}`);
  }
  for (const size of [Math.min(3, count), count]) {
    const positions = Uint16Array.from({ length: size }, () => Math.floor(random() * count));
    reader.gather(0, positions, size, target);
    expectValues(
      valuesOf(target),
      Array.from(positions, (row) => values[row]!),
      `${what}: gather ${size}`,
    );
  }
  for (let round = 0; round < 5; round++) {
    const row = Math.floor(random() * count);
    expect(show(reader.value(0, row)), `${what}: value ${row}`).toBe(show(values[row]!));
  }
  const form = reader.codeForm(0);
  if (form !== null) {
    const codes =
      form.codeBytes === 1
        ? new Uint8Array(count)
        : form.codeBytes === 2
          ? new Uint16Array(count)
          : new Uint32Array(count);
    reader.readCodes(0, 0, count, codes);
    const isLarge = physical === 'int64' || physical === 'decimal64';
    const decoded = Array.from(codes, (code, row): Value => {
      if (values[row] === null) return null;
      if (form.values !== null) return form.values[code]!;
      const value = form.base + form.factor * BigInt(code);
      return isLarge ? value : Number(value);
    });
    expectValues(decoded, values, `${what}: codes`);
  }
  if (form !== null) {
    const all = new Uint32Array(count);
    reader.readCodes(0, 0, count, all);
    for (const step of [1, 2, 40]) {
      const positions = Uint16Array.from({ length: Math.ceil(count / step) }, (_, index) => index * step);
      const picked = new Uint32Array(positions.length);
      reader.gatherCodes(0, positions, positions.length, picked);
      if (positions.some((row, index) => picked[index] !== all[row])) expect.fail(`${what}: gathered codes`);
    }
  }
  const bits = new Uint8Array((count + 7) >>> 3);
  const hasNulls = reader.readValidity(0, 0, count, bits);
  expect(hasNulls || !values.includes(null)).toBe(true);
  if (hasNulls)
    for (let row = 0; row < count; row++)
      if (((bits[row >>> 3]! >> (row & 7)) & 1) !== (values[row] === null ? 0 : 1))
        expect.fail(`${what}: validity ${row}`);
  const selection = new Uint16Array(count);
  const zone = reader.descriptor.columns[0]!.zone;
  for (const predicate of predicatesFor(values, physical, random)) {
    const start = Math.floor(random() * count * 0.3);
    const wanted: number[] = [];
    for (let row = start; row < count; row++) if (accepts(predicate, values[row]!)) wanted.push(row);
    const found = reader.scan([predicate], start, count, selection);
    const shown = (): string =>
      JSON.stringify(predicate, (_, one) => (typeof one === 'bigint' ? `${one}n` : one));
    expectRows(selection, found, wanted, () => `${what}: ${shown()}`);
    // The same after another predicate has thinned the candidates.
    const both = reader.scan([{ column: 0, kind: 'isNotNull' }, predicate], start, count, selection);
    const thinned = predicate.kind === 'isNull' ? [] : wanted;
    expectRows(selection, both, thinned, () => `${what}: not null and ${shown()}`);
    const verdict = judgeZone(zone, count, predicate);
    const matching = values.filter((value) => accepts(predicate, value)).length;
    if (verdict === 'none') expect(matching, `${what}: zone none for ${shown()}`).toBe(0);
    if (verdict === 'all') expect(matching, `${what}: zone all for ${shown()}`).toBe(count);
  }
  const present = values.filter((value): value is PhysicalValue => value !== null);
  expect(zone.nullCount).toBe(count - present.length);
  for (const value of present)
    if (compareValues(zone.min!, value) > 0 || compareValues(zone.max!, value) < 0)
      expect.fail(`${what}: bounds`);
}

// With the addon where it is built: the same tests then hold it against the same oracle.
for (const native of [false, true])
  describe(`columns of a segment${native ? ', native kernels' : ''}`, () => {
    beforeAll(() =>
      useKernels(chooseKernels({ platform: process.platform, architecture: process.arch, native }).kernels),
    );

    const counts = native
      ? [256, 2100]
      : [1, 2, 7, 8, 31, 32, 33, 63, 64, 65, 127, 128, 129, 257, 1023, 1025, 2100];
    for (const physical of physicalTypes) {
      for (const [name, make] of Object.entries(generatorsOf(physical))) {
        it(`come back: ${physical}, ${name}`, () => {
          const random = generator(physical.length * 1000 + name.length);
          for (const count of counts) {
            for (const nulls of count <= 300 ? [0, 0.5] : [0, 0.1]) {
              const values = Array.from({ length: count }, (_, index) =>
                random() < nulls ? null : make(random, index),
              );
              checkColumn(physical, values, random, `${count} rows, ${nulls} null`);
            }
          }
        });
      }
    }

    it('come back for every count from 1 to 300', () => {
      const random = generator(5);
      for (let count = 1; count <= 300; count++) {
        for (const physical of ['int32', 'int64', 'varlen', 'float64'] as const) {
          const makers = Object.values(generatorsOf(physical));
          const make = makers[count % makers.length]!;
          const values = Array.from({ length: count }, (_, index) =>
            random() < 0.1 ? null : make(random, index),
          );
          const reader = readerOf([{ physical, values }]);
          const target = emptyVector(physical);
          reader.readColumn(0, 0, count, target);
          expectValues(valuesOf(target), values, `${physical} ${count}`);
        }
      }
    });

    it('of nothing but NULL need no block', () => {
      const reader = readerOf([{ physical: 'varlen', values: [null, null, null] }]);
      expect(reader.descriptor.columns[0]!.block).toBeNull();
      const target = emptyVector('varlen');
      reader.readColumn(0, 0, 3, target);
      expect(valuesOf(target)).toEqual([null, null, null]);
      expect(Array.from(target.offsets!.subarray(0, 4))).toEqual([0, 0, 0, 0]);
    });

    it('keep bytes under NULL empty whatever the encoding', () => {
      const word = new TextEncoder().encode('abcdefgh');
      const values = Array.from({ length: 500 }, (_, row) => (row % 3 === 0 ? null : word));
      const reader = readerOf([{ physical: 'varlen', values }]);
      const target = emptyVector('varlen');
      reader.readColumn(0, 1, 500, target);
      expectValues(valuesOf(target), values.slice(1), 'nulls');
      expect(target.offsets![499]).toBe(8 * values.slice(1).filter((value) => value !== null).length);
    });

    it('use the encoding that fits', () => {
      const encodingOf = (physical: PhysicalType, make: (index: number) => Value): string =>
        encodeColumn(
          vectorOf(
            physical,
            Array.from({ length: 5000 }, (_, index) => make(index)),
          ),
        ).encoding;
      const random = generator(1);
      expect(encodingOf('int32', () => 1)).toBe('constant');
      expect(encodingOf('int32', (index) => index * 3)).toBe('delta');
      expect(encodingOf('int32', (index) => Math.floor(index / 500) * 7919)).toBe('run-length');
      expect(encodingOf('int32', () => Math.floor(random() * 1000))).toBe('frame');
      expect(encodingOf('int64', () => [1n, 10n ** 12n, 5n][Math.floor(random() * 3)]!)).toBe('dictionary');
      expect(encodingOf('float64', () => Math.round(random() * 10000) / 100)).toBe('decimal-float');
      expect(encodingOf('float64', () => random())).toBe('raw');
      expect(encodingOf('varlen', (index) => new TextEncoder().encode(['A', 'R', 'N'][index % 3]!))).toBe(
        'dictionary',
      );
      expect(encodingOf('varlen', (index) => new TextEncoder().encode(`unique ${index}`))).toBe('strings');
      // Hundreds need six bits, not thirteen.
      const hundreds = encodeColumn(
        vectorOf(
          'decimal64',
          Array.from({ length: 8192 }, () => 100n * (1n + BigInt(Math.floor(random() * 50)))),
        ),
      );
      expect(hundreds.payload!.length).toBeLessThan(8192);
    });

    it('read commit sequences', () => {
      const reader = readerOf([{ physical: 'int32', values: [1, 2, 3, 4] }]);
      expect([0, 1, 2, 3].map((row) => reader.sequenceAt(row))).toEqual([1000, 1001, 1002, 1000]);
    });
  });

describe('damaged payloads', () => {
  it('end in an error or in other values, never in a crash or a hang', () => {
    const random = generator(99);
    let refused = 0;
    for (const physical of physicalTypes) {
      for (const make of Object.values(generatorsOf(physical))) {
        const values = Array.from({ length: 200 }, (_, index) =>
          random() < 0.1 ? null : make(random, index),
        );
        const encoded = encodeColumn(vectorOf(physical, values));
        if (encoded.payload === null) continue;
        for (let round = 0; round < 60; round++) {
          const payload = encoded.payload.slice();
          const flips = 1 + Math.floor(random() * 3);
          for (let flip = 0; flip < flips; flip++)
            payload[Math.floor(random() * Math.min(payload.length, round < 40 ? 160 : payload.length))]! ^=
              1 << Math.floor(random() * 8);
          const cut =
            random() < 0.2 ? payload.slice(0, Math.floor((random() * payload.length) / 8) * 8) : payload;
          try {
            const column = openColumn(cut, physical, 200);
            validateColumn(column);
            decodeRange(column, 0, 200, emptyVector(physical));
          } catch (error) {
            expect(error).toBeInstanceOf(PayloadDamage);
            refused++;
          }
        }
      }
    }
    expect(refused).toBeGreaterThan(500);
  });
});
