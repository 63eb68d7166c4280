/**
 * From SQL values to index keys and from scan bounds to key ranges.
 *
 * Numeric form   one key column of an integer-like type: the value as a double, negated for DESC, NULL as an infinity.
 *                An int8 or timestamp beyond ±2^53 does not fit: `encode` then throws {@link KeyTooWide} and the index
 *                is rebuilt in byte form.
 * Byte form      per key column a mark (00 NULL first, 01 value, 02 NULL last) unless the column can hold no NULL, then
 *                a self-delimiting encoding whose memcmp order is the SQL order, inverted for DESC. docs/format/index-key.md
 *                states it byte by byte.
 */
import { DbError, internalError } from '../base/error.ts';
import type { SortKeyWriter, TypeSupport } from '../types/contract.ts';
import { type Datum, SqlArray } from '../types/datum.ts';
import { Interval, TimeTz } from '../types/interval.ts';
import { Numeric } from '../types/numeric.ts';
import { lsnValue, singleCharToByte } from '../types/scalars.ts';
import { isUnsigned } from '../types/value-bytes.ts';
import type { KeyBuffer, KeyRange } from './contract.ts';

/** What the codec must know of one key column. */
export interface KeyColumn {
  readonly support: TypeSupport;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  /** No NULL can occur: no mark is written (byte form only). */
  readonly notNull: boolean;
}

/** An integer that a double cannot hold. */
export class KeyTooWide extends Error {}

const BOOL = 16;
const BYTEA = 17;
const INT8 = 20;
const FLOAT4 = 700;
const FLOAT8 = 701;
const BPCHAR = 1042;
const TIME = 1083;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;
const INTERVAL = 1186;
const TIMETZ = 1266;
const NUMERIC = 1700;
const UUID = 2950;
const INTEGER_OIDS = new Set<number>([
  21, 23, 26, 24, 28, 29, 1082, 1083, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191,
]);
const BIGINT_OIDS = new Set<number>([INT8, TIMESTAMP, TIMESTAMPTZ, 790]);
const PG_LSN = 3220;
const QCHAR = 18;
/** Text-like; macaddr and macaddr8 are lower-case hexadecimal, which sorts as the bytes do. */
const TEXT_OIDS = new Set<number>([25, 1043, 19, 18, 2275, 705, 829, 774]);

/** Longest key in bytes; PostgreSQL's btree refuses rows above 2704. */
export const MAX_KEY_BYTES = 8191;

/** True if keys of this type can be doubles. */
export function isNumericKey(support: TypeSupport): boolean {
  return INTEGER_OIDS.has(support.oid) || BIGINT_OIDS.has(support.oid);
}

function toKeyNumber(value: Datum): number {
  if (typeof value === 'number') return value;
  const number = Number(value as bigint);
  if (!Number.isSafeInteger(number)) {
    // The infinities of timestamps are the int64 limits: they too need the byte form.
    throw new KeyTooWide();
  }
  return number;
}

/** Encodes keys of one index; see the module comment. */
export class KeyCodec {
  readonly columns: readonly KeyColumn[];
  isNumeric: boolean;
  private readonly indexName: string;

  constructor(columns: readonly KeyColumn[], indexName: string) {
    this.columns = columns;
    this.indexName = indexName;
    this.isNumeric = columns.length === 1 && isNumericKey(columns[0].support);
  }

  /** Writes the key; true if any key value is NULL. */
  encode(values: readonly Datum[], target: KeyBuffer): boolean {
    target.length = 0;
    if (this.isNumeric) return this.encodeNumber(values[0], target);
    target.number = 0;
    let hasNull = false;
    for (let index = 0; index < this.columns.length; index++) {
      const value = values[index];
      if (value === null) hasNull = true;
      this.writeColumn(this.columns[index], value, target);
    }
    if (target.length > MAX_KEY_BYTES) {
      throw new DbError(
        'program_limit_exceeded',
        `index row size ${target.length} exceeds btree version 4 maximum ${MAX_KEY_BYTES} for index "${this.indexName}"`,
        {
          hint: 'Values larger than 1/3 of a buffer page cannot be indexed.\nConsider a function index of an MD5 hash of the value, or use full text indexing.',
        },
      );
    }
    return hasNull;
  }

  private encodeNumber(value: Datum, target: KeyBuffer): boolean {
    const column = this.columns[0];
    if (value === null) {
      target.number = column.nullsFirst ? -Infinity : Infinity;
      return true;
    }
    const number = toKeyNumber(value);
    target.number = column.descending ? 0 - number : number;
    return false;
  }

  private writeColumn(column: KeyColumn, value: Datum, target: KeyBuffer): void {
    if (value === null) {
      if (column.notNull) throw internalError('NULL in an index column declared NOT NULL');
      target.byte(column.nullsFirst ? 0 : 2);
      return;
    }
    if (!column.notNull) target.byte(1);
    const start = target.length;
    writeValue(column.support, value, target);
    if (column.descending) for (let at = start; at < target.length; at++) target.bytes[at] ^= 255;
  }

  /**
   * The key range of a scan. `equal` binds the first keys, then the bounds apply to the next one, in value order.
   * Returns false if nothing can match.
   */
  range(
    equal: readonly Datum[],
    equalIsNull: readonly boolean[] | undefined,
    lower: { value: Datum; inclusive: boolean } | null,
    upper: { value: Datum; inclusive: boolean } | null,
    target: KeyRange,
  ): boolean {
    target.isEmpty = true;
    for (let index = 0; index < equal.length; index++) {
      if (equal[index] === null && equalIsNull?.[index] !== true) return false;
    }
    if (lower !== null && lower.value === null) return false;
    if (upper !== null && upper.value === null) return false;
    target.isEmpty = false;
    if (this.isNumeric) return this.numberRange(equal, lower, upper, target);
    const { from, to } = target;
    from.length = 0;
    from.number = 0;
    to.number = 0;
    for (let index = 0; index < equal.length; index++)
      this.writeColumn(this.columns[index], equal[index], from);
    to.length = 0;
    to.copyFrom(from);
    if (lower === null && upper === null) {
      if (!successor(to)) to.length = 0;
      return true;
    }
    const column = this.columns[equal.length];
    if (column === undefined) throw internalError('an index bound lies behind the last key');
    // In key order a descending column swaps the bounds.
    const first = column.descending ? upper : lower;
    const last = column.descending ? lower : upper;
    if (first !== null) {
      this.writeColumn(column, first.value, from);
      if (!first.inclusive && !successor(from)) {
        target.isEmpty = true;
        return false;
      }
    } else if (!column.notNull) {
      // Skip NULLs that come first.
      from.byte(1);
    }
    if (last !== null) {
      this.writeColumn(column, last.value, to);
      if (last.inclusive && !successor(to)) to.length = 0;
    } else if (!column.notNull) {
      to.byte(2);
    } else if (!successor(to)) {
      to.length = 0;
    }
    return true;
  }

  private numberRange(
    equal: readonly Datum[],
    lower: { value: Datum; inclusive: boolean } | null,
    upper: { value: Datum; inclusive: boolean } | null,
    target: KeyRange,
  ): boolean {
    const { from, to } = target;
    from.length = 0;
    to.length = 0;
    const column = this.columns[0];
    if (equal.length > 0) {
      if (equal[0] !== null) {
        const wide = wideSide(equal[0]);
        if (wide !== 0) {
          target.isEmpty = true;
          return false;
        }
      }
      this.encodeNumber(equal[0], from);
      to.number = from.number;
      return true;
    }
    if (lower === null && upper === null) {
      from.number = -Infinity;
      to.number = Infinity;
      return true;
    }
    // NULLs sit at the infinities: a bounded scan stays within the finite numbers.
    let low = -Number.MAX_VALUE;
    let high = Number.MAX_VALUE;
    if (lower !== null) {
      const side = wideSide(lower.value);
      if (side > 0) target.isEmpty = true;
      else if (side === 0) low = toKeyNumber(lower.value) + (lower.inclusive ? 0 : 1);
    }
    if (upper !== null) {
      const side = wideSide(upper.value);
      if (side < 0) target.isEmpty = true;
      else if (side === 0) high = toKeyNumber(upper.value) - (upper.inclusive ? 0 : 1);
    }
    from.number = column.descending ? 0 - high : low;
    to.number = column.descending ? 0 - low : high;
    return !target.isEmpty;
  }
}

/** 0 if the value fits a double exactly, else the side on which it lies beyond. */
function wideSide(value: Datum): number {
  if (typeof value !== 'bigint') return 0;
  if (value > 9007199254740991n) return 1;
  return value < -9007199254740991n ? -1 : 0;
}

/** The smallest byte string above every string that begins with the key; false if there is none. */
function successor(key: KeyBuffer): boolean {
  while (key.length > 0 && key.bytes[key.length - 1] === 255) key.length--;
  if (key.length === 0) return false;
  key.bytes[key.length - 1]++;
  return true;
}

function writeInt32(value: number, target: KeyBuffer): void {
  target.ensure(4);
  const { bytes } = target;
  const at = target.length;
  bytes[at] = (value >>> 24) ^ 128;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
  target.length = at + 4;
}

function writeInt64(value: bigint, target: KeyBuffer): void {
  const biased = BigInt.asUintN(64, value) ^ 0x8000000000000000n;
  const high = Number(biased >> 32n);
  const low = Number(biased & 0xffffffffn);
  target.ensure(8);
  const { bytes } = target;
  const at = target.length;
  bytes[at] = high >>> 24;
  bytes[at + 1] = high >>> 16;
  bytes[at + 2] = high >>> 8;
  bytes[at + 3] = high;
  bytes[at + 4] = low >>> 24;
  bytes[at + 5] = low >>> 16;
  bytes[at + 6] = low >>> 8;
  bytes[at + 7] = low;
  target.length = at + 8;
}

const floatBytes = new DataView(new ArrayBuffer(8));

/** IEEE order with -0 = 0 and NaN greatest. */
function writeFloat64(value: number, target: KeyBuffer): void {
  floatBytes.setFloat64(0, value === 0 ? 0 : value);
  let high = floatBytes.getUint32(0);
  let low = floatBytes.getUint32(4);
  if (Number.isNaN(value)) {
    high = 0xffffffff;
    low = 0xffffffff;
  } else if (high >>> 31 === 1) {
    high = ~high >>> 0;
    low = ~low >>> 0;
  } else {
    high = (high | 0x80000000) >>> 0;
  }
  target.ensure(8);
  const at = target.length;
  target.bytes[at] = high >>> 24;
  target.bytes[at + 1] = high >>> 16;
  target.bytes[at + 2] = high >>> 8;
  target.bytes[at + 3] = high;
  target.bytes[at + 4] = low >>> 24;
  target.bytes[at + 5] = low >>> 16;
  target.bytes[at + 6] = low >>> 8;
  target.bytes[at + 7] = low;
  target.length = at + 8;
}

/** 00 becomes 00 FF, the end is 00 00. */
function writeEscaped(source: Uint8Array, target: KeyBuffer): void {
  target.ensure(source.length * 2 + 2);
  const { bytes } = target;
  let at = target.length;
  for (let index = 0; index < source.length; index++) {
    const byte = source[index];
    bytes[at++] = byte;
    if (byte === 0) bytes[at++] = 255;
  }
  bytes[at++] = 0;
  bytes[at++] = 0;
  target.length = at;
}

const textScratch = Buffer.alloc(1024);

/** UTF-8 and a 00 (PostgreSQL's text has no NUL). */
function writeText(text: string, target: KeyBuffer): void {
  if (text.length * 3 <= textScratch.length) {
    const length = textScratch.write(text, 0, 'utf8');
    target.ensure(length + 1);
    const { bytes } = target;
    let at = target.length;
    for (let index = 0; index < length; index++) bytes[at++] = textScratch[index];
    bytes[at++] = 0;
    target.length = at;
    return;
  }
  const encoded = Buffer.from(text, 'utf8');
  target.ensure(encoded.length + 1);
  target.bytes.set(encoded, target.length);
  target.length += encoded.length;
  target.byte(0);
}

/**
 * numeric: class (00 -Infinity, 01 negative, 02 zero, 03 positive, 04 Infinity, 05 NaN); for finite non-zero values the
 * decimal exponent of the first digit (int32, sign-flipped) and pairs of digits + 1, ended by 00; negative ones inverted.
 */
function writeNumeric(value: Numeric, target: KeyBuffer): void {
  if (value.kind !== 'finite') {
    target.byte(value.kind === 'NaN' ? 5 : value.kind === 'Infinity' ? 4 : 0);
    return;
  }
  const coefficient = value.coefficient;
  if (coefficient === 0 || coefficient === 0n) {
    target.byte(2);
    return;
  }
  const isNegative = coefficient < 0;
  const digits = String(coefficient).slice(isNegative ? 1 : 0);
  const significant = digits.replace(/0+$/, '');
  const exponent = digits.length - value.scale;
  target.byte(isNegative ? 1 : 3);
  const start = target.length;
  writeInt32(exponent, target);
  for (let at = 0; at < significant.length; at += 2) {
    const pair =
      (significant.charCodeAt(at) - 48) * 10 +
      (at + 1 < significant.length ? significant.charCodeAt(at + 1) - 48 : 0);
    target.byte(pair + 1);
  }
  target.byte(0);
  if (isNegative) for (let at = start; at < target.length; at++) target.bytes[at] ^= 255;
}

function writeInterval(value: Interval, target: KeyBuffer): void {
  const days = BigInt(value.months) * 30n + BigInt(value.days);
  const total = days * 86_400_000_000n + value.microseconds;
  // 128 bits: months can reach beyond 64 bits of microseconds.
  const biased = BigInt.asUintN(128, total) ^ (1n << 127n);
  writeUnsigned64(biased >> 64n, target);
  writeUnsigned64(biased & 0xffffffffffffffffn, target);
}

function writeUnsigned64(value: bigint, target: KeyBuffer): void {
  writeInt64(BigInt.asIntN(64, value ^ 0x8000000000000000n), target);
}

/** Elements with a mark each (01 value, 02 NULL: NULLs sort last), 00 at the end, then the dimensions. */
function writeArray(support: TypeSupport, value: SqlArray, target: KeyBuffer): void {
  const element = elementSupport(support);
  for (const item of value.elements) {
    if (item === null) target.byte(2);
    else {
      target.byte(1);
      writeValue(element, item, target);
    }
  }
  target.byte(0);
  target.byte(value.dimensions.length);
  for (let index = 0; index < value.dimensions.length; index++) writeInt32(value.dimensions[index], target);
  for (let index = 0; index < value.lowerBounds.length; index++) writeInt32(value.lowerBounds[index], target);
}

let resolveElement: ((oid: number) => TypeSupport) | null = null;

/** Tells the codec how to find element types of arrays; called once at start. */
export function setElementTypes(resolve: (oid: number) => TypeSupport): void {
  resolveElement = resolve;
}

function elementSupport(support: TypeSupport): TypeSupport {
  if (support.elementType === undefined || resolveElement === null) throw unorderable(support);
  return resolveElement(support.elementType);
}

function unorderable(support: TypeSupport): DbError {
  return new DbError('feature_not_supported', `an index on type ${support.name} is not supported`);
}

/** What a type of its own room writes its key with. */
class KeyWriter implements SortKeyWriter {
  private readonly target: KeyBuffer;
  constructor(target: KeyBuffer) {
    this.target = target;
  }
  byte(value: number): void {
    this.target.byte(value);
  }
  raw(bytes: Uint8Array): void {
    writeRaw(bytes, this.target);
  }
  escaped(bytes: Uint8Array): void {
    writeEscaped(bytes, this.target);
  }
  text(text: string): void {
    writeText(text, this.target);
  }
  int32(value: number): void {
    writeInt32(value, this.target);
  }
  float64(value: number): void {
    writeFloat64(value, this.target);
  }
  value(support: TypeSupport, value: Datum): void {
    writeValue(support, value, this.target);
  }
}

/** True if values of the type can be index keys. */
export function isIndexable(support: TypeSupport): boolean {
  const { oid } = support;
  return (
    isNumericKey(support) ||
    TEXT_OIDS.has(oid) ||
    [BOOL, BYTEA, FLOAT4, FLOAT8, BPCHAR, TIME, INTERVAL, TIMETZ, NUMERIC, UUID, PG_LSN, 5069].includes(
      oid,
    ) ||
    support.elementType !== undefined ||
    support.sortKey !== undefined
  );
}

/** Appends the order-preserving encoding of a non-null value. */
function writeValue(support: TypeSupport, value: Datum, target: KeyBuffer): void {
  const { oid } = support;
  if (support.sortKey !== undefined) {
    support.sortKey(value, new KeyWriter(target));
  } else if (typeof value === 'string') {
    if (oid === BPCHAR) writeText(value.replace(/ +$/, ''), target);
    else if (oid === UUID) writeRaw(Buffer.from(value.replaceAll('-', ''), 'hex'), target);
    else if (oid === PG_LSN) writeUnsigned64(lsnValue(value), target);
    else if (oid === QCHAR) target.byte(singleCharToByte(value));
    else if (TEXT_OIDS.has(oid)) writeText(value, target);
    else throw unorderable(support);
  } else if (typeof value === 'number') {
    const physical = support.physical(-1);
    if (physical === 'float64' || physical === 'float32') writeFloat64(value, target);
    else if (physical === 'int64') writeInt64(BigInt(value), target);
    else if (isUnsigned(oid)) writeUnsigned32(value, target);
    else writeInt32(value, target);
  } else if (typeof value === 'bigint') {
    if (oid === 5069) writeUnsigned64(value, target);
    else writeInt64(value, target);
  } else if (typeof value === 'boolean') target.byte(value ? 1 : 0);
  else if (value instanceof Numeric) writeNumeric(value, target);
  else if (value instanceof Uint8Array) writeEscaped(value, target);
  else if (value instanceof Interval) writeInterval(value, target);
  else if (value instanceof TimeTz) {
    writeInt64(BigInt(value.microseconds) + BigInt(value.zoneSeconds) * 1_000_000n, target);
    writeInt32(value.zoneSeconds, target);
  } else if (value instanceof SqlArray) writeArray(support, value, target);
  else throw unorderable(support);
}

function writeUnsigned32(value: number, target: KeyBuffer): void {
  writeInt32((value ^ 0x80000000) | 0, target);
}

function writeRaw(bytes: Uint8Array, target: KeyBuffer): void {
  target.ensure(bytes.length);
  target.bytes.set(bytes, target.length);
  target.length += bytes.length;
}
