/**
 * Chooses an encoding per column block by cost: bytes, weighted a little for slower decoding. What decides is measured on all values
 * where one pass tells (range, runs, differences) and on a sample where it does not (distinct values, common divisor).
 */

import { packedWords, widthOf } from './bitpack.ts';
import { ByteTable } from './byte-table.ts';
import { planConstantBytes, planConstantFloat, planConstantInteger } from './constant.ts';
import { planDecimalFloat } from './decimal-float.ts';
import { deltaSize, planDelta } from './delta.ts';
import { DICTIONARY_LIMIT, planDictionary } from './dictionary.ts';
import { planFrame } from './frame.ts';
import { align8, FAMILY, NODE_HEADER_BYTES, type NodePlan } from './node.ts';
import { planRawFloats, planRawIntegers, planRawUuids } from './raw.ts';
import { planRunLength } from './run-length.ts';
import { planStrings } from './strings.ts';

/** A plan and what the analysis learnt on the way. */
export interface Choice {
  readonly plan: NodePlan;
  /** Distinct values: exact where a dictionary or a small range told, else estimated. */
  readonly distinct: number;
  /** Least and greatest value of a string dictionary, which knows them anyway. */
  readonly bounds?: readonly [Uint8Array, Uint8Array];
}

/** Relative cost of decoding a byte, by encoding. */
const WEIGHT = { frame: 1, runLength: 1, dictionary: 1.1, delta: 1.2 } as const;
/** Ranges up to this are counted exactly with one byte a value. */
const EXACT_RANGE = 1 << 20;
const SAMPLE = 1024;
/** Spans from here on cannot be offsets held in doubles. */
const SPAN_LIMIT = 2 ** 53;
/** A dictionary is sorted by comparison: not worth it for more strings. */
const STRING_DICTIONARY_LIMIT = 16_384;

/** Duj1-like estimate from the number of values seen once in a sample (Haas and others, VLDB 1995). */
export function estimateDistinct(count: number, sampled: number, distinct: number, once: number): number {
  if (sampled >= count) return distinct;
  const denominator = 1 - ((1 - sampled / count) * once) / sampled;
  return Math.min(count, Math.max(distinct, Math.round(distinct / Math.max(denominator, 1e-9))));
}

function sampleDistinct(values: Float64Array): number {
  const count = values.length;
  const step = Math.max(1, Math.floor(count / SAMPLE));
  const seen = new Map<number, number>();
  let sampled = 0;
  for (let index = 0; index < count; index += step, sampled++)
    seen.set(values[index]!, (seen.get(values[index]!) ?? 0) + 1);
  let once = 0;
  for (const times of seen.values()) if (times === 1) once++;
  return estimateDistinct(count, sampled, seen.size, once);
}

/** Integers whose exact values are doubles (within +-2^53). */
export function chooseNumbers(values: Float64Array, depth = 0): Choice {
  const count = values.length;
  if (count === 0) return { plan: planConstantInteger(0, 0n), distinct: 0 };
  let least = values[0]!;
  let greatest = least;
  for (let index = 1; index < count; index++) {
    const value = values[index]!;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return chooseBounded(values, least, greatest, depth);
}

/** The same when the bounds are known. */
export function chooseBounded(values: Float64Array, least: number, greatest: number, depth = 0): Choice {
  const count = values.length;
  if (greatest - least >= SPAN_LIMIT)
    return { plan: planRawIntegers(toBigints(values)), distinct: sampleDistinct(values) };
  const offsets = least === 0 ? values : new Float64Array(count);
  if (least !== 0) for (let index = 0; index < count; index++) offsets[index] = values[index]! - least;
  return chooseOffsets(BigInt(least), least, offsets, greatest - least, depth);
}

/** Integers of all 64 bits. */
export function chooseBigints(values: BigInt64Array): Choice {
  if (values.length === 0) return { plan: planConstantInteger(0, 0n), distinct: 0 };
  let least = values[0]!;
  let greatest = least;
  for (const value of values) {
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  const approximate = (): Float64Array => Float64Array.from(values, Number);
  if (greatest - least >= BigInt(SPAN_LIMIT))
    return { plan: planRawIntegers(values), distinct: sampleDistinct(approximate()) };
  const offsets = new Float64Array(values.length);
  for (let index = 0; index < values.length; index++) offsets[index] = Number(values[index]! - least);
  return chooseOffsets(least, null, offsets, Number(greatest - least), 0);
}

function toBigints(values: Float64Array): BigInt64Array {
  return BigInt64Array.from(values, (value) => BigInt(value));
}

/** `base` as a number when base and all values are safe, else null (then no differences are tried). */
function chooseOffsets(
  base: bigint,
  safeBase: number | null,
  offsets: Float64Array,
  largest: number,
  depth: number,
): Choice {
  const count = offsets.length;
  if (largest === 0) return { plan: planConstantInteger(count, base), distinct: 1 };
  let runs = 1;
  let leastStep = Number.POSITIVE_INFINITY;
  let greatestStep = Number.NEGATIVE_INFINITY;
  let previous = offsets[0]!;
  for (let index = 1; index < count; index++) {
    const step = offsets[index]! - previous;
    previous = offsets[index]!;
    if (step !== 0) runs++;
    if (step < leastStep) leastStep = step;
    if (step > greatestStep) greatestStep = step;
  }
  const factor = commonDivisor(offsets, largest);
  const frame = planFrame(base, offsets, count, largest, factor);
  let best: NodePlan = frame;
  let cost = frame.size * WEIGHT.frame;

  if (safeBase !== null && count > 1 && greatestStep - leastStep < 4294967296 && depth < 3) {
    const size = deltaSize(count, leastStep, greatestStep) * WEIGHT.delta;
    if (size < cost) {
      best = planDelta(safeBase, offsets, count, leastStep, greatestStep);
      cost = size;
    }
  }
  if (depth < 2 && safeBase !== null && runs * 4 <= count) {
    const plan = planRuns(safeBase, offsets, runs, depth);
    if (plan.size * WEIGHT.runLength < cost) {
      best = plan;
      cost = plan.size * WEIGHT.runLength;
    }
  }
  if (depth > 0) return { plan: best, distinct: 0 };

  let distinct: number;
  let present: Uint8Array | null = null;
  if (largest <= EXACT_RANGE && largest <= count * 64) {
    present = new Uint8Array(largest + 1);
    for (let index = 0; index < count; index++) present[offsets[index]!] = 1;
    distinct = 0;
    for (let value = 0; value <= largest; value++) distinct += present[value]!;
  } else distinct = sampleDistinct(offsets);

  if (distinct <= DICTIONARY_LIMIT && distinct * 4 < count) {
    const guess =
      2 * NODE_HEADER_BYTES +
      (packedWords(count, widthOf(distinct - 1)) + packedWords(distinct, widthOf(largest))) * 4;
    // A plan of runs may still beat it with codes; only try when there is something to win.
    if (guess * WEIGHT.dictionary < cost) {
      const plan = planIntegerDictionary(base, offsets, largest, present);
      if (plan !== null && plan.plan.size * WEIGHT.dictionary < cost) return plan;
    }
  }
  return { plan: best, distinct };
}

/** Greatest common divisor of all offsets; 1 as soon as a sample says so. */
function commonDivisor(offsets: Float64Array, largest: number): number {
  let divisor = largest;
  const step = Math.max(1, Math.floor(offsets.length / 64));
  for (let index = 0; index < offsets.length; index += step) divisor = divide(divisor, offsets[index]!);
  if (divisor === 1) return 1;
  for (let index = 0; index < offsets.length; index++) {
    if (offsets[index]! % divisor !== 0) divisor = divide(divisor, offsets[index]!);
    if (divisor === 1) return 1;
  }
  return divisor;
}

function divide(left: number, right: number): number {
  while (right !== 0) [left, right] = [right, left % right];
  return left;
}

function planRuns(base: number, offsets: Float64Array, runs: number, depth: number): NodePlan {
  const count = offsets.length;
  const ends = new Float64Array(runs);
  const values = new Float64Array(runs);
  let run = 0;
  for (let index = 0; index < count; index++) {
    if (index + 1 === count || offsets[index + 1] !== offsets[index]) {
      ends[run] = index + 1;
      values[run++] = base + offsets[index]!;
    }
  }
  return planRunLength(
    count,
    chooseNumbers(ends, depth + 1).plan,
    chooseNumbers(values, depth + 1).plan,
    runs,
  );
}

function planIntegerDictionary(
  base: bigint,
  offsets: Float64Array,
  largest: number,
  present: Uint8Array | null,
): Choice | null {
  const count = offsets.length;
  const codes = new Float64Array(count);
  let sorted: Float64Array;
  if (present !== null) {
    const rank = new Int32Array(largest + 1);
    let size = 0;
    for (let value = 0; value <= largest; value++) if (present[value] === 1) rank[value] = size++;
    sorted = new Float64Array(size);
    for (let value = 0, slot = 0; value <= largest; value++) if (present[value] === 1) sorted[slot++] = value;
    for (let index = 0; index < count; index++) codes[index] = rank[offsets[index]!]!;
  } else {
    const seen = new Set<number>();
    for (let index = 0; index < count; index++) {
      seen.add(offsets[index]!);
      if (seen.size * 4 > count) return null;
    }
    sorted = Float64Array.from(seen).sort();
    const rank = new Map<number, number>();
    for (let slot = 0; slot < sorted.length; slot++) rank.set(sorted[slot]!, slot);
    for (let index = 0; index < count; index++) codes[index] = rank.get(offsets[index]!)!;
  }
  const top = sorted.at(-1)!;
  const values = planFrame(base, sorted, sorted.length, top, commonDivisor(sorted, top));
  const plan = planDictionary(FAMILY.integer, count, chooseNumbers(codes, 1).plan, values, sorted.length);
  return { plan, distinct: sorted.length };
}

/** Doubles or floats, compared bit for bit. */
export function chooseFloats(values: Float64Array | Float32Array): Choice {
  const count = values.length;
  const family = values instanceof Float64Array ? FAMILY.float64 : FAMILY.float32;
  if (count === 0) return { plan: planConstantFloat(0, family, 0), distinct: 0 };
  let isConstant = true;
  let hasMinusZero = false;
  for (let index = 0; index < count; index++) {
    if (!Object.is(values[index], values[0])) isConstant = false;
    if (Object.is(values[index], -0)) hasMinusZero = true;
  }
  if (isConstant) return { plan: planConstantFloat(count, family, values[0]!), distinct: 1 };
  const doubles = values instanceof Float64Array ? values : Float64Array.from(values);
  let distinct = sampleDistinct(doubles);
  let best = planRawFloats(values);
  if (values instanceof Float64Array) {
    const plan = planDecimalFloat(values, (integers) => chooseNumbers(integers, 1).plan);
    if (plan !== null && plan.size < best.size * 0.95) best = plan;
  }
  // Keys of a Map do not tell -0 from 0.
  if (!hasMinusZero && distinct * 4 < count && distinct <= DICTIONARY_LIMIT) {
    const seen = new Set<number>();
    for (const value of doubles) {
      seen.add(value);
      if (seen.size * 4 > count) break;
    }
    if (seen.size * 4 <= count) {
      // The typed array's sort puts NaN last, as PostgreSQL orders it.
      const sorted = Float64Array.from(seen).sort();
      distinct = sorted.length;
      const rank = new Map<number, number>();
      for (let slot = 0; slot < sorted.length; slot++) rank.set(sorted[slot]!, slot);
      const codes = Float64Array.from(doubles, (value) => rank.get(value)!);
      const table = planRawFloats(family === FAMILY.float64 ? sorted : Float32Array.from(sorted));
      const plan = planDictionary(family, count, chooseNumbers(codes, 1).plan, table, sorted.length);
      if (plan.size * WEIGHT.dictionary < best.size) best = plan;
    }
  }
  return { plan: best, distinct };
}

/** 16 bytes a value. */
export function chooseUuids(bytes: Uint8Array, count: number): Choice {
  if (count === 0) return { plan: planConstantBytes(0, FAMILY.bytes16, new Uint8Array(16)), distinct: 0 };
  let isConstant = true;
  for (let index = 16; index < count * 16 && isConstant; index++)
    isConstant = bytes[index] === bytes[index % 16];
  if (isConstant) return { plan: planConstantBytes(count, FAMILY.bytes16, bytes.slice(0, 16)), distinct: 1 };
  const offsets = new Uint32Array(count + 1);
  for (let index = 0; index <= count; index++) offsets[index] = index * 16;
  return {
    plan: planRawUuids(bytes.subarray(0, count * 16)),
    distinct: sampleStrings(offsets, bytes, count).distinct,
  };
}

function sampleStrings(offsets: Uint32Array, bytes: Uint8Array, count: number): { distinct: number } {
  const step = Math.max(1, Math.floor(count / SAMPLE));
  const table = new ByteTable(SAMPLE * 4);
  let sampled = 0;
  for (let index = 0; index < count; index += step, sampled++)
    table.add(bytes, offsets[index]!, offsets[index + 1]!);
  return { distinct: estimateDistinct(count, sampled, table.size, table.seenOnce()) };
}

/** Variable-length values; rows under NULL (validity bit 0) take any value. `offsets` has count + 1 entries. */
export function chooseStrings(
  offsets: Uint32Array,
  bytes: Uint8Array,
  count: number,
  validity: Uint8Array | null,
): Choice {
  if (count === 0) return { plan: planConstantBytes(0, FAMILY.varlen, new Uint8Array(0)), distinct: 0 };
  const lengths = new Float64Array(count);
  for (let index = 0; index < count; index++) lengths[index] = offsets[index + 1]! - offsets[index]!;
  const total = offsets[count]! - offsets[0]!;
  let { distinct } = sampleStrings(offsets, bytes, count);
  if (distinct <= STRING_DICTIONARY_LIMIT && distinct * 2 <= count + 2) {
    const table = new ByteTable(Math.min(count, STRING_DICTIONARY_LIMIT));
    const codes = new Float64Array(count);
    let previous = -1;
    let fits = true;
    for (let index = 0; index < count; index++) {
      const isNull = validity !== null && (validity[index >>> 3]! & (1 << (index & 7))) === 0;
      if (!isNull) {
        previous = table.add(bytes, offsets[index]!, offsets[index + 1]!);
        if (table.size > STRING_DICTIONARY_LIMIT || table.size * 2 > count + 2) {
          fits = false;
          break;
        }
      }
      codes[index] = Math.max(0, previous);
    }
    if (fits && table.size > 0) {
      distinct = table.size;
      const order = table.sorted();
      const rank = new Float64Array(order.length);
      for (let slot = 0; slot < order.length; slot++) rank[order[slot]!] = slot;
      for (let index = 0; index < count; index++) codes[index] = rank[codes[index]!]!;
      const bounds = [table.copy(order[0]!), table.copy(order.at(-1)!)] as const;
      if (table.size === 1)
        return { plan: planConstantBytes(count, FAMILY.varlen, table.copy(0)), distinct: 1, bounds };
      const packed = table.pack(order);
      const values = planStrings(
        packed.offsets,
        order.length,
        packed.bytes,
        chooseNumbers(packed.lengths, 1).plan,
      );
      const plan = planDictionary(FAMILY.varlen, count, chooseNumbers(codes, 1).plan, values, order.length);
      if (plan.size < (NODE_HEADER_BYTES * 2 + align8(total) + count) * 0.8)
        return { plan, distinct, bounds };
    }
  }
  return { plan: planStrings(offsets, count, bytes, chooseNumbers(lengths, 1).plan), distinct };
}
