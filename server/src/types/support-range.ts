/** TypeSupport of ranges and multiranges, builtin and user-defined. */
import { DbError } from '../base/error.ts';
import { concatBytes, int32Bytes, WireReader } from './binary.ts';
import { DATE_INFINITY, DATE_NEGATIVE_INFINITY } from './calendar.ts';
import type { FormatContext, SortKeyWriter, TypeSupport } from './contract.ts';
import type { Datum } from './datum.ts';
import { OID } from './oid.ts';
import { Multirange, Range, RangeType, type Successor } from './range.ts';
import { formatRangeText, splitMultirangeText, splitRangeText } from './range-text.ts';
import { decodeValue, encodeValue } from './value-bytes.ts';

const EMPTY = 1;
const LOWER_INCLUSIVE = 2;
const UPPER_INCLUSIVE = 4;
const LOWER_INFINITE = 8;
const UPPER_INFINITE = 16;

function flagsOf(value: Range): number {
  if (value.isEmpty) return EMPTY;
  return (
    (value.lowerInclusive ? LOWER_INCLUSIVE : 0) |
    (value.upperInclusive ? UPPER_INCLUSIVE : 0) |
    (value.lower === null ? LOWER_INFINITE : 0) |
    (value.upper === null ? UPPER_INFINITE : 0)
  );
}

function parseRange(type: RangeType, text: string, typmod: number, context: FormatContext): Range {
  const parts = splitRangeText(text);
  if (parts.isEmpty) return type.empty;
  const bound = (written: string | null): Datum =>
    written === null ? null : type.subtype.input(written, typmod, context);
  return type.make(bound(parts.lower), bound(parts.upper), parts.lowerInclusive, parts.upperInclusive);
}

function formatRange(type: RangeType, value: Range, context: FormatContext): string {
  const bound = (datum: Datum): string | null =>
    datum === null ? null : type.subtype.output(datum, context);
  return formatRangeText({
    isEmpty: value.isEmpty,
    lower: bound(value.lower),
    upper: bound(value.upper),
    lowerInclusive: value.lowerInclusive,
    upperInclusive: value.upperInclusive,
  });
}

/** Wire form: u8 flags, then each finite bound with its int32 size. */
function sendRange(type: RangeType, value: Range, context: FormatContext): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(flagsOf(value))];
  for (const bound of [value.lower, value.upper]) {
    if (bound === null) continue;
    const bytes = type.subtype.send(bound, context);
    parts.push(int32Bytes(bytes.length), bytes);
  }
  return concatBytes(parts);
}

function receiveRange(type: RangeType, bytes: Uint8Array, typmod: number, context: FormatContext): Range {
  const reader = new WireReader(bytes);
  const flags = reader.take(1)[0]! & 31;
  const isEmpty = (flags & EMPTY) !== 0;
  const bound = (infinite: number): Datum => {
    if (isEmpty || (flags & infinite) !== 0) return null;
    return type.subtype.receive(reader.take(reader.int32()), typmod, context);
  };
  const lower = bound(LOWER_INFINITE);
  const upper = bound(UPPER_INFINITE);
  if (reader.left > 0) throw new DbError('invalid_binary_representation', 'incorrect binary data format');
  if (isEmpty) return type.empty;
  return type.make(lower, upper, (flags & LOWER_INCLUSIVE) !== 0, (flags & UPPER_INCLUSIVE) !== 0);
}

/** Storage: u8 flags, then u32 size of the lower bound when both are there, then the bounds. Little-endian. */
function encodeRange(type: RangeType, value: Range): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(flagsOf(value))];
  const lower = value.lower === null ? null : encodeValue(type.subtype, value.lower);
  const upper = value.upper === null ? null : encodeValue(type.subtype, value.upper);
  if (lower !== null && upper !== null) {
    const size = new Uint8Array(4);
    new DataView(size.buffer).setUint32(0, lower.length, true);
    parts.push(size);
  }
  if (lower !== null) parts.push(lower);
  if (upper !== null) parts.push(upper);
  return concatBytes(parts);
}

function decodeRange(type: RangeType, bytes: Uint8Array): Range {
  const flags = bytes[0]!;
  if ((flags & EMPTY) !== 0) return type.empty;
  const hasLower = (flags & LOWER_INFINITE) === 0;
  const hasUpper = (flags & UPPER_INFINITE) === 0;
  let at = 1;
  let lowerSize = bytes.length - 1;
  if (hasLower && hasUpper) {
    lowerSize = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(1, true);
    at = 5;
  }
  const lower = hasLower ? decodeValue(type.subtype, bytes.subarray(at, at + lowerSize)) : null;
  if (hasLower) at += lowerSize;
  const upper = hasUpper ? decodeValue(type.subtype, bytes.subarray(at)) : null;
  return new Range(
    type.oid,
    false,
    lower,
    upper,
    (flags & LOWER_INCLUSIVE) !== 0,
    (flags & UPPER_INCLUSIVE) !== 0,
  );
}

function rangeKey(type: RangeType, value: Range): string {
  const bound = (datum: Datum): string => {
    if (datum === null) return '';
    const key = String(type.subtype.hashKey(datum));
    return `${key.length}:${key}`;
  };
  return `${flagsOf(value)}|${bound(value.lower)}|${bound(value.upper)}`;
}

/** Index key: 0 empty, 1 a range; lower bound: 0 infinite or 1, value, 0 inclusive or 1; upper bound: 0, value, 0 exclusive or 1; 1 infinite. */
function writeRangeKey(type: RangeType, value: Range, writer: SortKeyWriter): void {
  if (value.isEmpty) {
    writer.byte(0);
    return;
  }
  writer.byte(1);
  if (value.lower === null) writer.byte(0);
  else {
    writer.byte(1);
    writer.value(type.subtype, value.lower);
    writer.byte(value.lowerInclusive ? 0 : 1);
  }
  if (value.upper === null) writer.byte(1);
  else {
    writer.byte(0);
    writer.value(type.subtype, value.upper);
    writer.byte(value.upperInclusive ? 1 : 0);
  }
}

export function rangeSupport(type: RangeType): TypeSupport {
  return {
    oid: type.oid,
    name: type.name,
    length: -1,
    range: type,
    input: (text, typmod, context) => parseRange(type, text, typmod, context),
    output: (value, context) => formatRange(type, value as Range, context),
    receive: (bytes, typmod, context) => receiveRange(type, bytes, typmod, context),
    send: (value, context) => sendRange(type, value as Range, context),
    compare: (left, right) => type.compare(left as Range, right as Range),
    hashKey: (value) => rangeKey(type, value as Range),
    physical: () => 'varlen',
    encode: (value) => encodeRange(type, value as Range),
    decode: (bytes) => decodeRange(type, bytes),
    sortKey: (value, writer) => writeRangeKey(type, value as Range, writer),
  };
}

/** Storage of a multirange: per range u32 size and its bytes. */
function encodeMultirange(type: RangeType, value: Multirange): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const range of value.ranges) {
    const bytes = encodeRange(type, range);
    const size = new Uint8Array(4);
    new DataView(size.buffer).setUint32(0, bytes.length, true);
    parts.push(size, bytes);
  }
  return concatBytes(parts);
}

function decodeMultirange(type: RangeType, bytes: Uint8Array): Multirange {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ranges: Range[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = data.getUint32(at, true);
    ranges.push(decodeRange(type, bytes.subarray(at + 4, at + 4 + size)));
    at += 4 + size;
  }
  return new Multirange(type.multirangeOid, ranges);
}

export function multirangeSupport(type: RangeType): TypeSupport {
  return {
    oid: type.multirangeOid,
    name: type.multirangeName,
    length: -1,
    multirange: type,
    input: (text, typmod, context) =>
      type.makeMultirange(splitMultirangeText(text).map((part) => parseRange(type, part, typmod, context))),
    output: (value, context) =>
      `{${(value as Multirange).ranges.map((range) => formatRange(type, range, context)).join(',')}}`,
    receive: (bytes, typmod, context) => {
      const reader = new WireReader(bytes);
      const count = reader.int32();
      const ranges: Range[] = [];
      for (let index = 0; index < count; index++)
        ranges.push(receiveRange(type, reader.take(reader.int32()), typmod, context));
      if (reader.left > 0) throw new DbError('invalid_binary_representation', 'incorrect binary data format');
      return type.makeMultirange(ranges);
    },
    send: (value, context) => {
      const { ranges } = value as Multirange;
      const parts: Uint8Array[] = [int32Bytes(ranges.length)];
      for (const range of ranges) {
        const bytes = sendRange(type, range, context);
        parts.push(int32Bytes(bytes.length), bytes);
      }
      return concatBytes(parts);
    },
    compare: (left, right) => type.compareMultiranges(left as Multirange, right as Multirange),
    hashKey: (value) => (value as Multirange).ranges.map((range) => rangeKey(type, range)).join(';'),
    physical: () => 'varlen',
    encode: (value) => encodeMultirange(type, value as Multirange),
    decode: (bytes) => decodeMultirange(type, bytes),
    sortKey: (value, writer) => {
      for (const range of (value as Multirange).ranges) {
        writer.byte(1);
        writeRangeKey(type, range, writer);
      }
      writer.byte(0);
    },
  };
}

function outOfRange(message: string): DbError {
  return new DbError('numeric_value_out_of_range', message);
}

const nextInt4: Successor = (value) => {
  if (value === 2147483647) throw outOfRange('integer out of range');
  return (value as number) + 1;
};
const nextInt8: Successor = (value) => {
  if (value === 9223372036854775807n) throw outOfRange('bigint out of range');
  return (value as bigint) + 1n;
};
/** Infinite dates have no successor. */
const nextDate: Successor = (value) => {
  const day = value as number;
  if (day === DATE_INFINITY || day === DATE_NEGATIVE_INFINITY) return value;
  if (day >= LAST_DATE) throw new DbError('datetime_field_overflow', 'date out of range');
  return day + 1;
};
/** 5874897-12-31. */
const LAST_DATE = 2145031948;

const BUILTIN: readonly (readonly [number, string, number, string, number, Successor | null])[] = [
  [OID.INT4RANGE, 'int4range', OID.INT4MULTIRANGE, 'int4multirange', OID.INT4, nextInt4],
  [OID.NUMRANGE, 'numrange', OID.NUMMULTIRANGE, 'nummultirange', OID.NUMERIC, null],
  [OID.TSRANGE, 'tsrange', OID.TSMULTIRANGE, 'tsmultirange', OID.TIMESTAMP, null],
  [OID.TSTZRANGE, 'tstzrange', OID.TSTZMULTIRANGE, 'tstzmultirange', OID.TIMESTAMPTZ, null],
  [OID.DATERANGE, 'daterange', OID.DATEMULTIRANGE, 'datemultirange', OID.DATE, nextDate],
  [OID.INT8RANGE, 'int8range', OID.INT8MULTIRANGE, 'int8multirange', OID.INT8, nextInt8],
];

/** Ranges and multiranges that every database has. */
export function builtinRangeSupports(resolve: (oid: number) => TypeSupport): TypeSupport[] {
  return BUILTIN.flatMap(([oid, name, multirangeOid, multirangeName, subtypeOid, successor]) => {
    const type = new RangeType({
      oid,
      name,
      multirangeOid,
      multirangeName,
      subtypeOid,
      subtype: () => resolve(subtypeOid),
      successor,
    });
    return [rangeSupport(type), multirangeSupport(type)];
  });
}
