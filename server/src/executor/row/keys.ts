/**
 * Key tables: every distinct combination of key values gets a dense number, in order of first sight.
 *
 * Each key column is turned into a 32-bit code: integers of at most 32 bits are their own code, other types go through a Map
 * from their hash key to a running number. Codes are combined in an open-addressing table over one Int32Array, so neither a
 * group nor a build row of a hash join costs a JavaScript object. A single column that is not an integer needs no second
 * table: its running number is the answer. NULLs form one extra code word (a bit per column); whether they match each
 * other is the caller's choice.
 */
import { assert } from '../../base/error.ts';
import type { PlanSortKey } from '../../planner/physical.ts';
import type { TypeSupport } from '../../types/contract.ts';
import { type Datum, OpaqueDatum, SqlArray, SqlRecord } from '../../types/datum.ts';
import { Interval, TimeTz } from '../../types/interval.ts';
import { Jsonb } from '../../types/jsonb.ts';
import { Numeric } from '../../types/numeric.ts';
import type { FunctionResolver } from '../functions.ts';

/** Equal values give equal Map keys, across the types that one equality operator compares (int4 = int8). */
export type MapKey = string | number | bigint | boolean;
export type KeyOf = (value: Datum) => MapKey;

const INT32_TYPES = new Set([
  16, 21, 23, 26, 28, 29, 1082, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 24,
]);
const BIGINT_TYPES = new Set([20, 1114, 1184, 5069]);
const PLAIN_STRING_TYPES = new Set([18, 19, 25, 1043, 2950, 705, 2275]);

function keyOfBigint(value: Datum): MapKey {
  if (typeof value === 'number') return value;
  const number = Number(value as bigint);
  return Number.isSafeInteger(number) ? number : (value as bigint);
}
const keyOfItself: KeyOf = (value) => value as MapKey;

/** Hash key of a type's values. */
export function keyOf(typeOid: number, support: () => TypeSupport): KeyOf {
  if (INT32_TYPES.has(typeOid) || PLAIN_STRING_TYPES.has(typeOid)) return keyOfItself;
  if (typeOid === 700 || typeOid === 701) return keyOfItself;
  if (BIGINT_TYPES.has(typeOid)) return keyOfBigint;
  const found = support();
  return (value) => found.hashKey(value);
}

/** True if values of the type are integers of 32 bits that serve as their own code. */
export function isInt32Key(typeOid: number): boolean {
  return INT32_TYPES.has(typeOid);
}

/** Hash key of a value whose type is not at hand: by what it is. */
function keyOfAny(resolver: FunctionResolver): KeyOf {
  const numeric = resolver.typeSupport(1700);
  return (value) => {
    if (typeof value !== 'object' || value === null) return keyOfBigint(value);
    if (value instanceof Numeric) return numeric.hashKey(value);
    const typeOid =
      value instanceof SqlArray
        ? null
        : value instanceof SqlRecord || value instanceof OpaqueDatum
          ? value.typeOid
          : value instanceof Interval
            ? 1186
            : value instanceof TimeTz
              ? 1266
              : value instanceof Jsonb
                ? 3802
                : 17;
    if (typeOid !== null) return resolver.typeSupport(typeOid).hashKey(value);
    const ofElement = keyOfAny(resolver);
    return (value as SqlArray).elements
      .map((element) => (element === null ? '0' : `1${String(ofElement(element))}`))
      .join('\u0001');
  };
}

/** Key columns of whole rows: `keys` in slot order, or none when only default equality is known. */
export function rowKeyColumns(
  width: number,
  keys: readonly PlanSortKey[],
  resolver: FunctionResolver,
): KeyColumn[] {
  const columns: KeyColumn[] = [];
  for (let index = 0; index < width; index++) {
    if (keys.length !== width) columns.push({ int32: false, keyOf: keyOfAny(resolver) });
    else {
      const { typeOid } = keys[index]!.expr;
      columns.push({
        int32: isInt32Key(typeOid),
        keyOf: keyOf(typeOid, () => resolver.typeSupport(typeOid)),
      });
    }
  }
  return columns;
}

export interface KeyColumn {
  /** Values are integers below 2^32 (or booleans). */
  int32: boolean;
  keyOf: KeyOf;
}

/** Tables are not made larger than for so many keys on an estimate alone; growing is cheap. */
export const KEYS_EXPECTED_MAX = 1 << 14;

export class KeyTable {
  /** Distinct keys so far; they are numbered 0 … count - 1. */
  count = 0;
  private readonly columns: readonly KeyColumn[];
  private readonly interners: (Map<MapKey, number> | null)[];
  /** Code words of a key: one a column and one of NULL bits. */
  private readonly width: number;
  private readonly scratch: Int32Array;
  private codes: Int32Array;
  private slots: Int32Array;
  private mask: number;
  /** Single column that is not an integer: the interner alone decides; the number of the NULL key or -1. */
  private readonly direct: boolean;
  private nullNumber = -1;

  constructor(columns: readonly KeyColumn[], expectedCount = 0) {
    assert(columns.length <= 31, `a key has ${columns.length} columns`);
    this.columns = columns;
    this.interners = columns.map((column) => (column.int32 ? null : new Map<MapKey, number>()));
    this.direct = columns.length === 1 && !columns[0]!.int32;
    this.width = columns.length + 1;
    this.scratch = new Int32Array(this.width);
    let capacity = 64;
    while (capacity * 0.6 < expectedCount && capacity < 1 << 22) capacity *= 2;
    this.mask = capacity - 1;
    this.slots = new Int32Array(this.direct ? 1 : capacity);
    this.codes = new Int32Array(this.direct ? 1 : capacity * this.width);
  }

  /** Bytes held, roughly: Map entries count 60. */
  get bytes(): number {
    let total = this.codes.byteLength + this.slots.byteLength;
    for (const interner of this.interners) if (interner !== null) total += interner.size * 60;
    return total;
  }

  clear(): void {
    this.count = 0;
    this.nullNumber = -1;
    this.slots.fill(0);
    for (const interner of this.interners) interner?.clear();
  }

  /** Begins a key; then give every column by `put` or `seek`. */
  begin(): void {
    this.scratch[this.width - 1] = 0;
  }

  /** Gives column `index` of a key that is to be inserted. */
  put(index: number, value: Datum): void {
    if (value === null) {
      this.scratch[index] = 0;
      this.scratch[this.width - 1]! |= 1 << index;
      return;
    }
    const interner = this.interners[index];
    if (interner === null || interner === undefined) {
      this.scratch[index] = value as unknown as number;
      return;
    }
    const key = this.columns[index]!.keyOf(value);
    let code = interner.get(key);
    if (code === undefined) {
      code = this.direct ? this.count++ : interner.size;
      interner.set(key, code);
    }
    this.scratch[index] = code;
  }

  /** Gives column `index` of a key that is only looked for; false = no such key exists. */
  seek(index: number, value: Datum): boolean {
    return this.seekBy(index, value, this.columns[index]!.keyOf);
  }

  /** As `seek`, for a value of another type with its own hash key function. */
  seekBy(index: number, value: Datum, keyOfValue: KeyOf): boolean {
    if (value === null) {
      this.scratch[index] = 0;
      this.scratch[this.width - 1]! |= 1 << index;
      return true;
    }
    const interner = this.interners[index];
    if (interner === null || interner === undefined) {
      this.scratch[index] = value as unknown as number;
      return true;
    }
    const code = interner.get(keyOfValue(value));
    if (code === undefined) return false;
    this.scratch[index] = code;
    return true;
  }

  /** Number of the key given by `put`; a new one if it is equal to `count` before the call. */
  insert(): number {
    const { scratch, width } = this;
    if (this.direct) {
      if (scratch[1] === 0) return scratch[0]!;
      if (this.nullNumber < 0) this.nullNumber = this.count++;
      return this.nullNumber;
    }
    let position = this.hash() & this.mask;
    const { codes, slots } = this;
    for (;;) {
      const entry = slots[position]!;
      if (entry === 0) break;
      const base = (entry - 1) * width;
      let equal = true;
      for (let word = 0; word < width; word++) {
        if (codes[base + word] !== scratch[word]) {
          equal = false;
          break;
        }
      }
      if (equal) return entry - 1;
      position = (position + 1) & this.mask;
    }
    const number = this.count++;
    const base = number * width;
    if (base + width > this.codes.length) {
      const grown = new Int32Array(this.codes.length * 2);
      grown.set(this.codes);
      this.codes = grown;
    }
    for (let word = 0; word < width; word++) this.codes[base + word] = scratch[word]!;
    slots[position] = number + 1;
    if (this.count > this.slots.length * 0.6) this.grow();
    return number;
  }

  /** Number of the key given by `seek`, or -1. */
  find(): number {
    const { scratch, width, codes, slots, mask } = this;
    if (this.direct) return scratch[1] === 0 ? scratch[0]! : this.nullNumber;
    let position = this.hash() & mask;
    for (;;) {
      const entry = slots[position]!;
      if (entry === 0) return -1;
      const base = (entry - 1) * width;
      let equal = true;
      for (let word = 0; word < width; word++) {
        if (codes[base + word] !== scratch[word]) {
          equal = false;
          break;
        }
      }
      if (equal) return entry - 1;
      position = (position + 1) & mask;
    }
  }

  private hash(): number {
    const { scratch, width } = this;
    let hash = 0;
    for (let word = 0; word < width; word++) {
      hash = Math.imul(hash ^ scratch[word]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash >>> 0;
  }

  private grow(): void {
    const { width, codes } = this;
    const capacity = this.slots.length * 2;
    const mask = capacity - 1;
    const slots = new Int32Array(capacity);
    for (let number = 0; number < this.count; number++) {
      let hash = 0;
      const base = number * width;
      for (let word = 0; word < width; word++) {
        hash = Math.imul(hash ^ codes[base + word]!, 0x9e3779b1);
        hash ^= hash >>> 15;
      }
      let position = (hash >>> 0) & mask;
      while (slots[position] !== 0) position = (position + 1) & mask;
      slots[position] = number + 1;
    }
    this.slots = slots;
    this.mask = mask;
  }
}

/** 32-bit hash of a Map key; equal keys have equal hashes. Decides which temporary file a row goes to. */
export function hashOfKey(key: MapKey): number {
  if (typeof key === 'number') {
    if ((key | 0) === key) return mixHash(0x51ed27, key);
    return mixHash(mixHash(0x51ed27, key / 4294967296), key);
  }
  if (typeof key === 'boolean') return key ? 1 : 2;
  const text = typeof key === 'string' ? key : key.toString();
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash;
}

export function mixHash(hash: number, word: number): number {
  hash = Math.imul(hash ^ word, 0x9e3779b1);
  return hash ^ (hash >>> 15);
}
