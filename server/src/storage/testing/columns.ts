/** Test helpers: columns from plain values and back, and generators of awkward data. */
import type { PhysicalType } from '../../types/contract.ts';
import type { ColumnVector, FixedValues } from '../../types/vector.ts';
import type { PhysicalValue } from '../contract.ts';

export type Value = PhysicalValue | null;

/** A small seeded generator (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function emptyVector(physical: PhysicalType): ColumnVector {
  return { physical, count: 0, values: null, offsets: null, bytes: null, validity: null };
}

export function vectorOf(physical: PhysicalType, values: readonly Value[]): ColumnVector {
  const count = values.length;
  const vector = emptyVector(physical);
  vector.count = count;
  if (values.includes(null)) {
    vector.validity = new Uint8Array((count + 7) >>> 3);
    values.forEach((value, index) => {
      if (value !== null) vector.validity![index >>> 3]! |= 1 << (index & 7);
    });
  }
  if (physical === 'varlen') {
    vector.offsets = new Uint32Array(count + 1);
    let total = 0;
    for (let index = 0; index < count; index++) {
      total += (values[index] as Uint8Array | null)?.length ?? 0;
      vector.offsets[index + 1] = total;
    }
    vector.bytes = new Uint8Array(total);
    for (let index = 0; index < count; index++)
      if (values[index] !== null) vector.bytes.set(values[index] as Uint8Array, vector.offsets[index]);
    return vector;
  }
  if (physical === 'bytes16') {
    const bytes = new Uint8Array(count * 16);
    values.forEach((value, index) => {
      if (value !== null) bytes.set(value as Uint8Array, index * 16);
    });
    vector.values = bytes;
    return vector;
  }
  const large = physical === 'int64' || physical === 'decimal64';
  const target: FixedValues = large
    ? new BigInt64Array(count)
    : physical === 'float64'
      ? new Float64Array(count)
      : physical === 'float32'
        ? new Float32Array(count)
        : physical === 'int32'
          ? new Int32Array(count)
          : physical === 'int16'
            ? new Int16Array(count)
            : new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    const value = values[index];
    if (value !== null && value !== undefined) (target as Float64Array)[index] = value as number;
  }
  vector.values = target;
  return vector;
}

export function valuesOf(vector: ColumnVector): Value[] {
  const out: Value[] = [];
  for (let index = 0; index < vector.count; index++) {
    if (vector.validity !== null && (vector.validity[index >>> 3]! & (1 << (index & 7))) === 0)
      out.push(null);
    else if (vector.physical === 'varlen')
      out.push(vector.bytes!.slice(vector.offsets![index], vector.offsets![index + 1]));
    else if (vector.physical === 'bytes16')
      out.push((vector.values as Uint8Array).slice(index * 16, index * 16 + 16));
    else out.push(vector.values![index] as PhysicalValue);
  }
  return out;
}

/** Comparable text of a value, telling -0 from 0. */
export function show(value: Value): string {
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return `b:${Array.from(value).join(',')}`;
  return Object.is(value, -0) ? '-0' : `${typeof value}:${value}`;
}

const encoder = new TextEncoder();

/** Named ways to fill a column of a physical type; `random` in [0, 1). */
export function generatorsOf(
  physical: PhysicalType,
): Record<string, (random: () => number, index: number) => Value> {
  const integer = (low: number, span: number) => (random: () => number) => low + Math.floor(random() * span);
  switch (physical) {
    case 'bool':
      return {
        mixed: (random) => (random() < 0.5 ? 0 : 1),
        rare: (random) => (random() < 0.01 ? 1 : 0),
        one: () => 1,
      };
    case 'int16':
      return {
        full: integer(-32768, 65536),
        small: integer(-3, 7),
        steps: (_, index) => (index % 32000) - 16000,
        runs: (_, index) => Math.floor(index / 37),
        factor: (random) => Math.floor(random() * 20) * 50 - 500,
      };
    case 'int32':
      return {
        full: integer(-2147483648, 4294967296),
        extremes: (random) => (random() < 0.5 ? -2147483648 : 2147483647),
        sorted: (random, index) => index * 4 + Math.floor(random() * 4),
        falling: (_, index) => 7 - index * 7,
        few: (random) => [5, -1000000, 77, 2000000000][Math.floor(random() * 4)]!,
        dates: integer(-2900, 2600),
        runs: (_, index) => Math.floor(index / 50) * 13,
        constant: () => -42,
        factor: (random) => Math.floor(random() * 50) * 100,
        wide: integer(-1073741824, 2147483648),
      };
    case 'int64':
    case 'decimal64':
      return {
        full: (random) =>
          BigInt.asIntN(
            64,
            (BigInt(Math.floor(random() * 2 ** 32)) << 32n) | BigInt(Math.floor(random() * 2 ** 32)),
          ),
        extremes: (random) => (random() < 0.5 ? -(2n ** 63n) : 2n ** 63n - 1n),
        high: (random) => 2n ** 62n + BigInt(Math.floor(random() * 1000)),
        low: (random) => -(2n ** 63n) + BigInt(Math.floor(random() * 2 ** 40)),
        money: (random) => BigInt(90000 + Math.floor(random() * 10000000)),
        hundreds: (random) => BigInt(100 * (1 + Math.floor(random() * 50))),
        times: (_, index) => 700000000000000n + BigInt(index) * 1000000n,
        jitter: (random, index) =>
          700000000000000n + BigInt(index) * 1000n + BigInt(Math.floor(random() * 999)),
        wide: (random) => BigInt(Math.floor((random() - 0.5) * 2 ** 52)),
        few: (random) => [1n, -(2n ** 63n), 2n ** 63n - 1n][Math.floor(random() * 3)]!,
        runs: (_, index) => BigInt(Math.floor(index / 41)) * 10n ** 12n,
      };
    case 'float32':
      return {
        any: (random) => Math.fround((random() - 0.5) * 1e10),
        few: (random) => Math.fround([0.1, Number.NaN, Number.NEGATIVE_INFINITY][Math.floor(random() * 3)]!),
        zeros: (random) => (random() < 0.5 ? -0 : 0),
      };
    case 'float64':
      return {
        any: (random) => (random() - 0.5) * 1e300,
        decimals: (random) => Math.round(random() * 1e6) / 100,
        mostly: (random) => (random() < 0.05 ? Math.PI * random() : Math.round(random() * 1e4) / 10),
        special: (random) =>
          [Number.NaN, -0, 0, Number.POSITIVE_INFINITY, 5e-324, 1.7976931348623157e308][
            Math.floor(random() * 6)
          ]!,
        few: (random) => [1.5, Math.E, Number.NaN, -7][Math.floor(random() * 4)]!,
        constant: () => 3.25,
        integers: (random) => Math.floor(random() * 1e9) * 1000,
      };
    case 'bytes16':
      return {
        any: (random) => Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256)),
        same: () => new Uint8Array(16).fill(9),
      };
    case 'varlen':
      return {
        words: (random) => encoder.encode(['AIR', 'RAIL', '', 'TRUCK', 'SHIP'][Math.floor(random() * 5)]!),
        unique: (random, index) =>
          encoder.encode(`Customer#${index.toString().padStart(9, '0')}${'x'.repeat(random() * 30)}`),
        bytes: (random) =>
          Uint8Array.from({ length: Math.floor(random() * 50) }, () => Math.floor(random() * 256)),
        same: () => encoder.encode('constant text that is longer than thirty-two bytes'),
        high: (random) => new Uint8Array(30 + Math.floor(random() * 6)).fill(255),
        empty: () => new Uint8Array(0),
        long: (random) => new Uint8Array(Math.floor(random() * 300)).fill(65),
      };
  }
}

export const physicalTypes: readonly PhysicalType[] = [
  'bool',
  'int16',
  'int32',
  'int64',
  'decimal64',
  'float32',
  'float64',
  'bytes16',
  'varlen',
];
