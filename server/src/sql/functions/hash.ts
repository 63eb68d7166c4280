/**
 * hashint4(), hashtext() … and their _extended forms, with PostgreSQL's values. One {@link Hasher} a type answers both.
 */
import { DbError } from '../../base/error.ts';
import { float64Bytes, int16Bytes, int32Bytes } from '../../types/binary.ts';
import type { TypeSupport } from '../../types/contract.ts';
import type { Datum, SqlArray, SqlRecord, Tid } from '../../types/datum.ts';
import { hashBytes, hashBytesExtended, hashInteger, hashIntegerExtended } from '../../types/hash-bytes.ts';
import type { Interval, TimeTz } from '../../types/interval.ts';
import { isJsonArray } from '../../types/json-text.ts';
import type { Jsonb, JsonValue } from '../../types/jsonb.ts';
import { macBytes } from '../../types/mac-address.ts';
import type { NetworkAddress } from '../../types/network.ts';
import { Numeric } from '../../types/numeric.ts';
import { OID } from '../../types/oid.ts';
import type { Multirange, Range } from '../../types/range.ts';
import { lsnValue, singleCharToByte, trimTrailingSpaces, uuidToBytes } from '../../types/scalars.ts';
import type { FunctionContext } from './contract.ts';
import { boundTable, type FunctionTable, type Implementation } from './registry.ts';

/** Hash of one type: 32 bits, and 64 bits from a seed. */
interface Hasher {
  plain(value: Datum): number;
  extended(value: Datum, seed: bigint): bigint;
}

function ofBytes(bytes: (value: Datum) => Uint8Array): Hasher {
  return {
    plain: (value) => hashBytes(bytes(value)),
    extended: (value, seed) => hashBytesExtended(bytes(value), seed),
  };
}

function ofInteger(integer: (value: Datum) => number): Hasher {
  return {
    plain: (value) => hashInteger(integer(value)),
    extended: (value, seed) => hashIntegerExtended(integer(value), seed),
  };
}

/** int8 hashes as int4 where the values are equal: both halves are folded. */
function foldInt8(value: bigint): number {
  const low = Number(BigInt.asIntN(32, value));
  const high = Number(BigInt.asIntN(32, value >> 32n));
  return low ^ (value >= 0n ? high : ~high);
}

const littleEndian = (bytes: Uint8Array): Uint8Array => bytes.slice().reverse();

const integerHasher = ofInteger((value) => (value as number) | 0);
const bigintHasher = ofInteger((value) => foldInt8(BigInt(value as bigint | number)));
const textHasher = ofBytes((value) => Buffer.from(value as string));
const bpcharHasher = ofBytes((value) => Buffer.from(trimTrailingSpaces(value as string)));

/** A signed "char" widened to an int. */
const charHasher = ofInteger((value) => (singleCharToByte(value as string) << 24) >> 24);

const floatBytes = ofBytes((value) => {
  const number = value as number;
  // All NaNs are one.
  return littleEndian(float64Bytes(Number.isNaN(number) ? Number.NaN : number));
});
/** Both zeros hash as 0, the seed for the extended form. */
const floatHasher: Hasher = {
  plain: (value) => (value === 0 ? 0 : floatBytes.plain(value)),
  extended: (value, seed) => (value === 0 ? seed : floatBytes.extended(value, seed)),
};

/** Base-10000 digits without leading and trailing zeros, and the weight of the first. */
function numericDigits(value: Numeric): { digits: number[]; weight: number } {
  const { coefficient, scale } = value;
  let text = (coefficient < 0 ? -coefficient : coefficient).toString();
  const padding = scale > 0 ? (4 - (scale % 4)) % 4 : 0;
  text += '0'.repeat(padding + Math.max(0, -scale));
  const fraction = Math.max(0, Math.ceil(scale / 4));
  text = text.padStart(Math.ceil(text.length / 4) * 4, '0');
  const digits: number[] = [];
  for (let at = 0; at < text.length; at += 4) digits.push(Number(text.slice(at, at + 4)));
  let weight = digits.length - fraction - 1;
  let start = 0;
  while (start < digits.length && digits[start] === 0) {
    start++;
    weight--;
  }
  let end = digits.length;
  while (end > start && digits[end - 1] === 0) end--;
  return { digits: digits.slice(start, end), weight };
}

function digitBytes(digits: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(digits.length * 2);
  digits.forEach((digit, index) => {
    bytes[2 * index] = digit & 255;
    bytes[2 * index + 1] = digit >> 8;
  });
  return bytes;
}

const numericHasher: Hasher = {
  plain: (value) => {
    const number = value as Numeric;
    if (number.kind !== 'finite') return 0;
    const { digits, weight } = numericDigits(number);
    return digits.length === 0 ? -1 : hashBytes(digitBytes(digits)) ^ weight;
  },
  extended: (value, seed) => {
    const number = value as Numeric;
    if (number.kind !== 'finite') return seed;
    const { digits, weight } = numericDigits(number);
    if (digits.length === 0) return BigInt.asIntN(64, seed - 1n);
    return BigInt.asIntN(64, hashBytesExtended(digitBytes(digits), seed) ^ BigInt(weight));
  },
};

/** Microseconds with months of 30 and days of 24 hours, the low 64 bits. */
const intervalHasher = ofInteger((value) => {
  const interval = value as Interval;
  const days = BigInt(interval.months) * 30n + BigInt(interval.days);
  return foldInt8(BigInt.asIntN(64, interval.microseconds + days * 86_400_000_000n));
});

const timetzHasher: Hasher = {
  plain: (value) => {
    const time = value as TimeTz;
    return foldedTime(time) ^ hashInteger(time.zoneSeconds);
  },
  extended: (value, seed) => {
    const time = value as TimeTz;
    return BigInt.asIntN(
      64,
      bigintHasher.extended(BigInt(time.microseconds), seed) ^ hashIntegerExtended(time.zoneSeconds, seed),
    );
  },
};
function foldedTime(time: TimeTz): number {
  return bigintHasher.plain(BigInt(time.microseconds));
}

/** Family, width and address, as inet_data keeps them. */
const networkHasher = ofBytes((value) => {
  const { bytes, bits } = value as NetworkAddress;
  return Uint8Array.of(bytes.length === 4 ? 2 : 3, bits, ...bytes);
});

/** tid: block as two 16-bit halves, high first, then the offset. */
const tidHasher = ofBytes((value) => {
  const { block, offset } = value as Tid;
  return Uint8Array.of(
    ...littleEndian(int16Bytes(block >>> 16)),
    ...littleEndian(int16Bytes(block & 0xffff)),
    ...littleEndian(int16Bytes(offset)),
  );
});

const BY_TYPE: ReadonlyMap<number, Hasher> = new Map<number, Hasher>([
  [OID.BOOL, ofInteger((value) => (value === true ? 1 : 0))],
  [OID.INT2, integerHasher],
  [OID.INT4, integerHasher],
  [OID.INT8, bigintHasher],
  [OID.OID, integerHasher],
  [OID.XID, integerHasher],
  [OID.CID, integerHasher],
  [OID.XID8, bigintHasher],
  [OID.DATE, integerHasher],
  [OID.TIME, bigintHasher],
  [OID.TIMESTAMP, bigintHasher],
  [OID.TIMESTAMPTZ, bigintHasher],
  [OID.TIMETZ, timetzHasher],
  [OID.INTERVAL, intervalHasher],
  [OID.FLOAT4, floatHasher],
  [OID.FLOAT8, floatHasher],
  [OID.NUMERIC, numericHasher],
  [OID.TEXT, textHasher],
  [OID.VARCHAR, textHasher],
  [OID.NAME, textHasher],
  [OID.BPCHAR, bpcharHasher],
  [OID.QCHAR, charHasher],
  [OID.BYTEA, ofBytes((value) => value as Uint8Array)],
  [OID.UUID, ofBytes((value) => uuidToBytes(value as string))],
  [OID.MACADDR, ofBytes((value) => Uint8Array.from(macBytes(value as string)))],
  [OID.MACADDR8, ofBytes((value) => Uint8Array.from(macBytes(value as string)))],
  [OID.INET, networkHasher],
  [OID.CIDR, networkHasher],
  [OID.PG_LSN, ofInteger((value) => foldInt8(BigInt.asIntN(64, lsnValue(value as string))))],
  [OID.TID, tidHasher],
  [
    OID.OIDVECTOR,
    ofBytes((value) =>
      Uint8Array.from(
        (value as SqlArray).elements.flatMap((oid) => [...littleEndian(int32Bytes(oid as number))]),
      ),
    ),
  ],
  [
    OID.JSONB,
    {
      plain: (value) => hashJson((value as Jsonb).value),
      extended: (value, seed) => hashJsonWide((value as Jsonb).value, seed),
    },
  ],
]);

const rotateLeft = (value: number): number => (value << 1) | (value >>> 31);
const U64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const S64 = (value: bigint): bigint => BigInt.asIntN(64, value);
/** Rotates each half of the word by one bit, keeping the halves apart. */
const rotateHalves = (value: bigint): bigint =>
  U64(((value << 1n) & 0xfffffffefffffffen) | ((value >> 31n) & 0x100000001n));

function noHash(support: TypeSupport): DbError {
  return new DbError('undefined_function', `could not identify a hash function for type ${support.name}`);
}

/** Hash of values of a type; composed for arrays, rows and ranges. */
export function hasherOf(context: FunctionContext, typeOid: number): Hasher {
  const known = BY_TYPE.get(typeOid);
  if (known !== undefined) return known;
  const support = context.typeSupport(typeOid);
  if (support.range !== undefined) return rangeHasher(context, support);
  if (support.multirange !== undefined) return multirangeHasher(context, support);
  if (support.elementType !== undefined) return arrayHasher(context, support.elementType);
  // Enums hash by the label's place: labels have no identity of their own here.
  if (support.enumLabels !== undefined) return textHasher;
  if (support.compositeFields !== undefined || typeOid === OID.RECORD) return recordHasher(context);
  if (support.physical(-1) === 'int32') return integerHasher;
  throw noHash(support);
}

function arrayHasher(context: FunctionContext, elementType: number): Hasher {
  const element = hasherOf(context, elementType);
  return {
    plain: (value) => {
      let result = 1;
      for (const item of (value as SqlArray).elements)
        result = (Math.imul(result, 31) + (item === null ? 0 : element.plain(item))) | 0;
      return result;
    },
    extended: (value, seed) => {
      let result = 1n;
      for (const item of (value as SqlArray).elements)
        result = U64((result << 5n) - result + (item === null ? 0n : element.extended(item, seed)));
      return S64(result);
    },
  };
}

function recordHasher(context: FunctionContext): Hasher {
  const hashers = (record: SqlRecord): Hasher[] => record.fieldTypes.map((type) => hasherOf(context, type));
  return {
    plain: (value) => {
      const record = value as SqlRecord;
      const each = hashers(record);
      let result = 0;
      record.fields.forEach((field, index) => {
        result = (Math.imul(result, 31) + (field === null ? 0 : each[index]!.plain(field))) | 0;
      });
      return result;
    },
    extended: (value, seed) => {
      const record = value as SqlRecord;
      const each = hashers(record);
      let result = 0n;
      record.fields.forEach((field, index) => {
        result = U64((result << 5n) - result + (field === null ? 0n : each[index]!.extended(field, seed)));
      });
      return S64(result);
    },
  };
}

function rangeFlags(range: Range): number {
  if (range.isEmpty) return 1;
  return (
    (range.lowerInclusive ? 2 : 0) |
    (range.upperInclusive ? 4 : 0) |
    (range.lower === null ? 8 : 0) |
    (range.upper === null ? 16 : 0)
  );
}

function rangeHasher(context: FunctionContext, support: TypeSupport): Hasher {
  const element = hasherOf(context, support.range!.subtypeOid);
  return {
    plain: (value) => {
      const range = value as Range;
      const lower = range.lower === null ? 0 : element.plain(range.lower);
      const upper = range.upper === null ? 0 : element.plain(range.upper);
      return (rotateLeft(hashInteger(rangeFlags(range)) ^ lower) ^ upper) | 0;
    },
    extended: (value, seed) => {
      const range = value as Range;
      const lower = range.lower === null ? 0n : U64(element.extended(range.lower, seed));
      const upper = range.upper === null ? 0n : U64(element.extended(range.upper, seed));
      const flags = U64(hashIntegerExtended(rangeFlags(range), seed));
      return S64(rotateHalves(flags ^ lower) ^ upper);
    },
  };
}

function multirangeHasher(context: FunctionContext, support: TypeSupport): Hasher {
  const element = hasherOf(context, support.multirange!.subtypeOid);
  return {
    plain: (value) => {
      let result = 1;
      for (const range of (value as Multirange).ranges) {
        let one = hashInteger(rangeFlags(range));
        one ^= range.lower === null ? 0 : element.plain(range.lower);
        one = rotateLeft(one);
        one ^= range.upper === null ? 0 : element.plain(range.upper);
        result = (Math.imul(result, 31) + one) | 0;
      }
      return result;
    },
    extended: (value, seed) => {
      let result = 1n;
      for (const range of (value as Multirange).ranges) {
        let one = U64(hashIntegerExtended(rangeFlags(range), seed));
        one ^= range.lower === null ? 0n : U64(element.extended(range.lower, seed));
        one = rotateHalves(one);
        one ^= range.upper === null ? 0n : U64(element.extended(range.upper, seed));
        result = U64((result << 5n) - result + one);
      }
      return S64(result);
    },
  };
}

const JSON_ARRAY = 0x40000000;
const JSON_OBJECT = 0x20000000;

/** Walks scalars, keys and container starts in jsonb's order. */
function walkJson(
  value: JsonValue,
  container: (flag: number) => void,
  scalar: (value: JsonValue) => void,
): void {
  if (typeof value !== 'object' || value === null || value instanceof Numeric) scalar(value);
  else if (isJsonArray(value)) {
    container(JSON_ARRAY);
    for (const item of value) walkJson(item, container, scalar);
  } else {
    container(JSON_OBJECT);
    for (const [key, item] of value.entries) {
      scalar(key);
      walkJson(item, container, scalar);
    }
  }
}

/** A lone scalar is kept as an array of one. */
function asContainer(value: JsonValue): JsonValue {
  return typeof value !== 'object' || value === null || value instanceof Numeric ? [value] : value;
}

function isEmptyContainer(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Numeric) return false;
  return isJsonArray(value) ? value.length === 0 : value.entries.length === 0;
}

function hashJson(value: JsonValue): number {
  if (isEmptyContainer(value)) return 0;
  let result = 0;
  walkJson(
    asContainer(value),
    (flag) => {
      result ^= flag;
    },
    (scalar) => {
      let one: number;
      if (scalar === null) one = 1;
      else if (typeof scalar === 'string') one = textHasher.plain(scalar);
      else if (scalar instanceof Numeric) one = numericHasher.plain(scalar);
      else one = scalar === true ? 2 : 4;
      result = rotateLeft(result) ^ one;
    },
  );
  return result | 0;
}

function hashJsonWide(value: JsonValue, seed: bigint): bigint {
  if (isEmptyContainer(value)) return seed;
  let result = 0n;
  walkJson(
    asContainer(value),
    (flag) => {
      result ^= (BigInt(flag) << 32n) | BigInt(flag);
    },
    (scalar) => {
      let one: bigint;
      if (scalar === null) one = U64(seed + 1n);
      else if (typeof scalar === 'string') one = U64(textHasher.extended(scalar, seed));
      else if (scalar instanceof Numeric) one = U64(numericHasher.extended(scalar, seed));
      else if (seed !== 0n) one = U64(hashIntegerExtended(scalar === true ? 1 : 0, seed));
      else one = scalar === true ? 2n : 4n;
      result = rotateHalves(result) ^ one;
    },
  );
  return S64(result);
}

/** prosrc of a hash function, its extended twin, and the type whose values it takes (0: the call's). */
const FUNCTIONS: readonly (readonly [string, string, number])[] = [
  ['hashint2', 'hashint2extended', OID.INT2],
  ['hashint4', 'hashint4extended', OID.INT4],
  ['hashint8', 'hashint8extended', OID.INT8],
  ['hashoid', 'hashoidextended', OID.OID],
  ['hashchar', 'hashcharextended', OID.QCHAR],
  ['hashfloat4', 'hashfloat4extended', OID.FLOAT4],
  ['hashfloat8', 'hashfloat8extended', OID.FLOAT8],
  ['hash_numeric', 'hash_numeric_extended', OID.NUMERIC],
  ['hashtext', 'hashtextextended', OID.TEXT],
  ['hashname', 'hashnameextended', OID.NAME],
  ['hashbpchar', 'hashbpcharextended', OID.BPCHAR],
  ['uuid_hash', 'uuid_hash_extended', OID.UUID],
  ['time_hash', 'time_hash_extended', OID.TIME],
  ['timetz_hash', 'timetz_hash_extended', OID.TIMETZ],
  ['timestamp_hash', 'timestamp_hash_extended', OID.TIMESTAMP],
  ['interval_hash', 'interval_hash_extended', OID.INTERVAL],
  ['hashinet', 'hashinetextended', OID.INET],
  ['hashmacaddr', 'hashmacaddrextended', OID.MACADDR],
  ['hashmacaddr8', 'hashmacaddr8extended', OID.MACADDR8],
  ['pg_lsn_hash', 'pg_lsn_hash_extended', OID.PG_LSN],
  ['hashtid', 'hashtidextended', OID.TID],
  ['hashoidvector', 'hashoidvectorextended', OID.OIDVECTOR],
  ['jsonb_hash', 'jsonb_hash_extended', OID.JSONB],
  ['hash_array', 'hash_array_extended', 0],
  ['hash_record', 'hash_record_extended', 0],
  ['hash_range', 'hash_range_extended', 0],
  ['hash_multirange', 'hash_multirange_extended', 0],
  ['hashenum', 'hashenumextended', 0],
];

const table: Parameters<typeof boundTable>[0] = {};
for (const [plain, extended, type] of FUNCTIONS) {
  table[plain] = (context, site): Implementation => {
    const hasher = hasherOf(context, type || site.argumentTypes[0]!);
    return (value: Datum) => hasher.plain(value);
  };
  table[extended] = (context, site): Implementation => {
    const hasher = hasherOf(context, type || site.argumentTypes[0]!);
    return (value: Datum, seed: bigint) => hasher.extended(value, seed);
  };
}

export const hashFunctions: FunctionTable = boundTable(table);
