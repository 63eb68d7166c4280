/**
 * One column of a segment: from a ColumnVector to a payload with zone map (docs/format/segment.md, "column payload").
 * Pure: runs on any thread.
 */
import { assert, internalError } from '../../base/error.ts';
import type { PhysicalType } from '../../types/contract.ts';
import type { ColumnVector } from '../../types/vector.ts';
import { compareBytes } from '../byte-order.ts';
import type { BlockCodec, PhysicalValue, ZoneMap } from '../contract.ts';
import {
  type Choice,
  chooseBigints,
  chooseBounded,
  chooseFloats,
  chooseStrings,
  chooseUuids,
} from '../encoding/choose.ts';
import { PayloadBuilder } from '../encoding/node.ts';

export const COLUMN_MAGIC = 0x31435046; // "FPC1"
export const COLUMN_HEADER_BYTES = 32;

/** Codes on disk: never renumber. */
export const PHYSICAL_CODE: Readonly<Record<PhysicalType, number>> = {
  bool: 1,
  int16: 2,
  int32: 3,
  int64: 4,
  float32: 5,
  float64: 6,
  decimal64: 7,
  bytes16: 8,
  varlen: 9,
};

/** Bounds of varlen columns keep this many bytes. */
export const BOUND_BYTES = 32;

export interface EncodedColumn {
  physical: PhysicalType;
  zone: ZoneMap;
  encoding: string;
  payload: Uint8Array | null;
  codec: BlockCodec;
}

export function isPresent(validity: Uint8Array | null, index: number): boolean {
  return validity === null || (validity[index >>> 3]! & (1 << (index & 7))) !== 0;
}

export function countNulls(validity: Uint8Array | null, count: number): number {
  if (validity === null) return 0;
  let present = 0;
  for (let index = 0; index < count >>> 3; index++) {
    let bits = validity[index]!;
    bits -= (bits >> 1) & 0x55;
    bits = (bits & 0x33) + ((bits >> 2) & 0x33);
    present += (bits + (bits >> 4)) & 0x0f;
  }
  for (let index = count & ~7; index < count; index++) if (isPresent(validity, index)) present++;
  return count - present;
}

export function encodeColumn(vector: ColumnVector): EncodedColumn {
  const { physical, count } = vector;
  const nullCount = countNulls(vector.validity, count);
  if (nullCount === count) {
    const zone = {
      nullCount,
      distinct: 0,
      min: null,
      max: null,
      minExact: true,
      maxExact: true,
      totalBytes: 0,
    };
    return { physical, zone, encoding: 'constant', payload: null, codec: 'none' };
  }
  const validity = nullCount === 0 ? null : vector.validity;
  const analysed = analyse(vector, validity);
  const { plan, distinct } = analysed.choice;
  const bounds = cutBounds(physical, analysed.min, analysed.max);
  const zone: ZoneMap = {
    nullCount,
    distinct: Math.max(1, Math.min(distinct, count - nullCount)),
    ...bounds,
    totalBytes: analysed.totalBytes,
  };
  const isConstant = plan.encoding === 'constant' && nullCount === 0 && zone.minExact && zone.maxExact;
  if (isConstant) return { physical, zone, encoding: 'constant', payload: null, codec: 'none' };

  const bitmapBytes = validity === null ? 0 : (count + 7) >>> 3;
  const out = new PayloadBuilder(COLUMN_HEADER_BYTES + bitmapBytes + 8 + plan.size);
  out.reserve(COLUMN_HEADER_BYTES);
  const bitmapAt = bitmapBytes > 0 ? out.reserve(bitmapBytes) : 0;
  if (validity !== null) {
    const bits = out.slice8(bitmapAt, bitmapBytes);
    bits.set(validity.subarray(0, bitmapBytes));
    // Bits past the end are zero on disk whatever the caller's buffer held.
    if ((count & 7) !== 0) bits[bitmapBytes - 1]! &= (1 << (count & 7)) - 1;
  }
  const root = out.length;
  plan.write(out);
  const header = out.data();
  header.setUint32(0, COLUMN_MAGIC, true);
  header.setUint32(4, count, true);
  header.setUint32(8, nullCount, true);
  header.setUint32(12, bitmapAt, true);
  header.setUint32(16, root, true);
  header.setUint8(20, PHYSICAL_CODE[physical]);
  const payload = out.finish();
  const mayCompress = plan.encoding === 'raw' || plan.encoding === 'strings' || analysed.hasLargeDictionary;
  return { physical, zone, encoding: plan.encoding, payload, codec: mayCompress ? 'auto' : 'none' };
}

interface Analysis {
  choice: Choice;
  min: PhysicalValue;
  max: PhysicalValue;
  totalBytes: number;
  hasLargeDictionary: boolean;
}

function analyse(vector: ColumnVector, validity: Uint8Array | null): Analysis {
  const { count } = vector;
  switch (vector.physical) {
    case 'bool':
    case 'int16':
    case 'int32':
      return analyseSmall(vector.values as Uint8Array | Int16Array | Int32Array, count, validity);
    case 'int64':
    case 'decimal64':
      return analyseLarge(vector.values as BigInt64Array, count, validity);
    case 'float32':
    case 'float64':
      return analyseFloats(vector.values as Float64Array | Float32Array, count, validity);
    case 'bytes16':
      return analyseUuids(vector.values as Uint8Array, count, validity);
    case 'varlen':
      return analyseStrings(vector, count, validity);
  }
}

function firstPresent(validity: Uint8Array | null, count: number): number {
  let index = 0;
  while (index < count && !isPresent(validity, index)) index++;
  assert(index < count, 'column without values');
  return index;
}

function numbersResult(numbers: Float64Array, convert: (value: number) => PhysicalValue): Analysis {
  let min = numbers[0]!;
  let max = min;
  for (let index = 1; index < numbers.length; index++) {
    if (numbers[index]! < min) min = numbers[index]!;
    if (numbers[index]! > max) max = numbers[index]!;
  }
  return {
    choice: chooseBounded(numbers, min, max),
    min: convert(min),
    max: convert(max),
    totalBytes: 0,
    hasLargeDictionary: false,
  };
}

function analyseSmall(
  values: Uint8Array | Int16Array | Int32Array,
  count: number,
  validity: Uint8Array | null,
): Analysis {
  const numbers = new Float64Array(count);
  if (validity === null) for (let index = 0; index < count; index++) numbers[index] = values[index]!;
  else {
    let previous = values[firstPresent(validity, count)]!;
    for (let index = 0; index < count; index++) {
      if (isPresent(validity, index)) previous = values[index]!;
      numbers[index] = previous;
    }
  }
  return numbersResult(numbers, (value) => value);
}

function analyseLarge(values: BigInt64Array, count: number, validity: Uint8Array | null): Analysis {
  const words = new Int32Array(values.buffer, values.byteOffset, count * 2);
  const numbers = new Float64Array(count);
  let isSafe = true;
  let source = validity === null ? 0 : firstPresent(validity, count);
  for (let index = 0; index < count; index++) {
    if (validity === null || isPresent(validity, index)) source = index;
    const high = words[2 * source + 1]!;
    if (high >= 0x200000 || high < -0x200000) {
      isSafe = false;
      break;
    }
    numbers[index] = high * 4294967296 + (words[2 * source]! >>> 0);
  }
  if (isSafe) return numbersResult(numbers, (value) => BigInt(value));
  const filled = new BigInt64Array(count);
  source = firstPresent(validity, count);
  let min = values[source]!;
  let max = min;
  for (let index = 0; index < count; index++) {
    if (isPresent(validity, index)) source = index;
    const value = values[source]!;
    filled[index] = value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { choice: chooseBigints(filled), min, max, totalBytes: 0, hasLargeDictionary: false };
}

function analyseFloats(
  values: Float64Array | Float32Array,
  count: number,
  validity: Uint8Array | null,
): Analysis {
  const filled = values instanceof Float64Array ? new Float64Array(count) : new Float32Array(count);
  let previous = values[firstPresent(validity, count)]!;
  let min = previous;
  let max = previous;
  for (let index = 0; index < count; index++) {
    if (isPresent(validity, index)) previous = values[index]!;
    filled[index] = previous;
    // NaN is greater than all: it becomes the maximum at once and the minimum only when nothing else is there.
    if (previous < min || Number.isNaN(min)) min = previous;
    if (previous > max || Number.isNaN(previous)) max = previous;
  }
  const zero = (value: number): number => (value === 0 ? 0 : value);
  return {
    choice: chooseFloats(filled),
    min: Object.is(min, max) ? min : zero(min),
    max: Object.is(min, max) ? max : zero(max),
    totalBytes: 0,
    hasLargeDictionary: false,
  };
}

function analyseUuids(values: Uint8Array, count: number, validity: Uint8Array | null): Analysis {
  const filled = new Uint8Array(count * 16);
  let source = firstPresent(validity, count);
  let min = values.subarray(source * 16, source * 16 + 16);
  let max = min;
  for (let index = 0; index < count; index++) {
    if (isPresent(validity, index)) source = index;
    const value = values.subarray(source * 16, source * 16 + 16);
    filled.set(value, index * 16);
    if (compareBytes(value, min) < 0) min = value;
    if (compareBytes(value, max) > 0) max = value;
  }
  return {
    choice: chooseUuids(filled, count),
    min: min.slice(),
    max: max.slice(),
    totalBytes: 0,
    hasLargeDictionary: false,
  };
}

function analyseStrings(vector: ColumnVector, count: number, validity: Uint8Array | null): Analysis {
  const offsets = vector.offsets!;
  const bytes = vector.bytes!;
  if (validity !== null)
    for (let index = 0; index < count; index++)
      if (offsets[index + 1] !== offsets[index] && !isPresent(validity, index))
        throw internalError('NULL with bytes in a varlen column');
  const choice = chooseStrings(offsets, bytes, count, validity);
  const [min, max] = choice.bounds ?? boundsOfStrings(offsets, bytes, count, validity);
  return {
    choice,
    min,
    max,
    totalBytes: offsets[count]! - offsets[0]!,
    hasLargeDictionary: choice.plan.encoding === 'dictionary' && choice.distinct > 256,
  };
}

function boundsOfStrings(
  offsets: Uint32Array,
  bytes: Uint8Array,
  count: number,
  validity: Uint8Array | null,
): [Uint8Array, Uint8Array] {
  let min = firstPresent(validity, count);
  let max = min;
  for (let index = min + 1; index < count; index++) {
    if (!isPresent(validity, index)) continue;
    if (compareAt(offsets, bytes, index, min) < 0) min = index;
    else if (compareAt(offsets, bytes, index, max) > 0) max = index;
  }
  return [bytes.slice(offsets[min], offsets[min + 1]), bytes.slice(offsets[max], offsets[max + 1])];
}

/** Byte order of two values of a column, without views: a view a row would cost more than the comparison. */
function compareAt(offsets: Uint32Array, bytes: Uint8Array, left: number, right: number): number {
  const leftStart = offsets[left]!;
  const rightStart = offsets[right]!;
  const leftLength = offsets[left + 1]! - leftStart;
  const rightLength = offsets[right + 1]! - rightStart;
  const length = Math.min(leftLength, rightLength);
  for (let index = 0; index < length; index++) {
    const difference = bytes[leftStart + index]! - bytes[rightStart + index]!;
    if (difference !== 0) return difference;
  }
  return leftLength - rightLength;
}

/** Cuts long bounds so that they still bound: the lower by dropping bytes, the upper by raising the last byte that can be raised. */
function cutBounds(
  physical: PhysicalType,
  min: PhysicalValue,
  max: PhysicalValue,
): Pick<ZoneMap, 'min' | 'max' | 'minExact' | 'maxExact'> {
  if (physical !== 'varlen') return { min, max, minExact: true, maxExact: true };
  const low = min as Uint8Array;
  const high = max as Uint8Array;
  const minExact = low.length <= BOUND_BYTES;
  let maxExact = high.length <= BOUND_BYTES;
  let upper = high;
  if (!maxExact) {
    upper = high.slice(0, BOUND_BYTES);
    let last = BOUND_BYTES - 1;
    while (last >= 0 && upper[last] === 255) last--;
    if (last < 0) {
      // Thirty-two times 0xff has no short upper bound: keep the value.
      upper = high;
      maxExact = true;
    } else {
      upper = upper.slice(0, last + 1);
      upper[last]!++;
    }
  }
  return { min: minExact ? low : low.slice(0, BOUND_BYTES), max: upper, minExact, maxExact };
}
