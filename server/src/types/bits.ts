/**
 * Bit strings (bit, bit varying): text and binary forms, length coercion, order and bitwise arithmetic.
 *
 * The bytes hold the first bit highest; bits behind `length` are zero.
 */
import { DbError } from '../base/error.ts';
import { concatBytes, int32Bytes, WireReader } from './binary.ts';
import { OpaqueDatum } from './datum.ts';
import { OID } from './oid.ts';
import { compareBytes } from './scalars.ts';

/** Most bits of a value: the length counts bits in an int4. */
const MAX_BITS = 2147483647;

export class BitString extends OpaqueDatum {
  /** bit and bit varying share values: the static type says which it is. */
  readonly typeOid: number = OID.VARBIT;
  /** Number of bits. */
  readonly length: number;
  readonly bytes: Uint8Array;

  constructor(length: number, bytes: Uint8Array) {
    super();
    this.length = length;
    this.bytes = bytes;
  }
}

export const EMPTY_BITS = new BitString(0, new Uint8Array(0));

const byteCount = (bits: number): number => (bits + 7) >> 3;

/** Zeroes the unused bits of the last byte. */
function masked(length: number, bytes: Uint8Array): BitString {
  const spare = length & 7;
  if (spare !== 0) bytes[bytes.length - 1]! &= 0xff << (8 - spare);
  return new BitString(length, bytes);
}

function invalidDigit(text: string, at: number, kind: 'binary' | 'hexadecimal'): DbError {
  return new DbError(
    'invalid_text_representation',
    `"${String.fromCodePoint(text.codePointAt(at)!)}" is not a valid ${kind} digit`,
  );
}

/** Reads "101", "b101" or "x5"; no length is applied. */
export function parseBits(text: string): BitString {
  const mark = text[0];
  if (mark === 'x' || mark === 'X') {
    const digits = text.length - 1;
    const bytes = new Uint8Array((digits + 1) >> 1);
    for (let index = 0; index < digits; index++) {
      const digit = Number.parseInt(text[index + 1]!, 16);
      if (Number.isNaN(digit)) throw invalidDigit(text, index + 1, 'hexadecimal');
      bytes[index >> 1]! |= (index & 1) === 0 ? digit << 4 : digit;
    }
    return new BitString(digits * 4, bytes);
  }
  const start = mark === 'b' || mark === 'B' ? 1 : 0;
  const length = text.length - start;
  const bytes = new Uint8Array(byteCount(length));
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index + start);
    if (code === 49) bytes[index >> 3]! |= 128 >> (index & 7);
    else if (code !== 48) throw invalidDigit(text, index + start, 'binary');
  }
  return new BitString(length, bytes);
}

export function formatBits(value: BitString): string {
  let text = '';
  for (const byte of value.bytes) text += byte.toString(2).padStart(8, '0');
  return text.slice(0, value.length);
}

function resized(value: BitString, length: number): BitString {
  const bytes = new Uint8Array(byteCount(length));
  bytes.set(value.bytes.subarray(0, Math.min(value.bytes.length, bytes.length)));
  return masked(length, bytes);
}

/** bit(n): exactly n bits (22026), an explicit cast cuts or pads at the right. */
export function coerceBit(value: BitString, typmod: number, isExplicit = false): BitString {
  if (typmod <= 0 || typmod === value.length) return value;
  if (!isExplicit) {
    throw new DbError(
      'string_data_length_mismatch',
      `bit string length ${value.length} does not match type bit(${typmod})`,
    );
  }
  return resized(value, typmod);
}

/** bit varying(n): at most n bits (22001), an explicit cast cuts. */
export function coerceVarbit(value: BitString, typmod: number, isExplicit = false): BitString {
  if (typmod <= 0 || value.length <= typmod) return value;
  if (!isExplicit) {
    throw new DbError('string_data_right_truncation', `bit string too long for type bit varying(${typmod})`);
  }
  return resized(value, typmod);
}

export function compareBits(left: BitString, right: BitString): number {
  const length = Math.min(left.bytes.length, right.bytes.length);
  return (
    compareBytes(left.bytes.subarray(0, length), right.bytes.subarray(0, length)) ||
    Math.sign(left.length - right.length)
  );
}

/** Wire form: int32 number of bits, then the bytes. */
export function sendBits(value: BitString): Uint8Array {
  return concatBytes([int32Bytes(value.length), value.bytes]);
}

export function receiveBits(bytes: Uint8Array): BitString {
  const reader = new WireReader(bytes);
  const length = reader.int32();
  if (length < 0) throw new DbError('invalid_binary_representation', 'invalid length in external bit string');
  const body = reader.take(byteCount(length)).slice();
  if (reader.left > 0) throw new DbError('invalid_binary_representation', 'incorrect binary data format');
  return masked(length, body);
}

/** Storage: u8 unused bits of the last byte, then the bytes. */
export function encodeBits(value: BitString): Uint8Array {
  const result = new Uint8Array(value.bytes.length + 1);
  result[0] = value.bytes.length * 8 - value.length;
  result.set(value.bytes, 1);
  return result;
}

export function decodeBits(bytes: Uint8Array): BitString {
  return new BitString((bytes.length - 1) * 8 - bytes[0]!, bytes.slice(1));
}

export function bitAt(value: BitString, index: number): 0 | 1 {
  return (value.bytes[index >> 3]! & (128 >> (index & 7))) === 0 ? 0 : 1;
}

export function concatBits(left: BitString, right: BitString): BitString {
  const length = left.length + right.length;
  if (length > MAX_BITS) {
    throw new DbError(
      'program_limit_exceeded',
      `bit string length exceeds the maximum allowed (${MAX_BITS})`,
    );
  }
  const bytes = new Uint8Array(byteCount(length));
  bytes.set(left.bytes);
  const shift = left.length & 7;
  let at = left.length >> 3;
  for (const byte of right.bytes) {
    bytes[at]! |= byte >> shift;
    at++;
    if (shift !== 0 && at < bytes.length) bytes[at]! |= (byte << (8 - shift)) & 255;
  }
  return new BitString(length, bytes);
}

/** Bits [start, end), clipped to the value. */
export function sliceBits(value: BitString, start: number, end: number): BitString {
  const from = Math.max(0, start);
  const to = Math.min(value.length, end);
  if (to <= from) return EMPTY_BITS;
  const length = to - from;
  const bytes = new Uint8Array(byteCount(length));
  const shift = from & 7;
  for (let index = 0, at = from >> 3; index < bytes.length; index++, at++) {
    bytes[index] =
      (value.bytes[at]! << shift) | (shift === 0 ? 0 : (value.bytes[at + 1] ?? 0) >> (8 - shift));
  }
  return masked(length, bytes);
}

/** SQL's substring: `start` counts from 1; `count` null = to the end. */
export function substringBits(value: BitString, start: number, count: number | null): BitString {
  if (count === null) return sliceBits(value, start - 1, value.length);
  if (count < 0) throw new DbError('substring_error', 'negative substring length not allowed');
  return sliceBits(value, start - 1, start - 1 + count);
}

export function overlayBits(value: BitString, part: BitString, start: number, count: number): BitString {
  if (start <= 0) throw new DbError('substring_error', 'negative substring length not allowed');
  if (start + count > 2147483647) throw new DbError('numeric_value_out_of_range', 'integer out of range');
  const head = substringBits(value, 1, start - 1);
  return concatBits(concatBits(head, part), substringBits(value, start + count, null));
}

export function positionOfBits(part: BitString, value: BitString): number {
  if (value.length === 0 || part.length > value.length) return 0;
  if (part.length === 0) return 1;
  const first = bitAt(part, 0);
  for (let at = 0; at + part.length <= value.length; at++) {
    if (bitAt(value, at) !== first) continue;
    if (compareBits(sliceBits(value, at, at + part.length), part) === 0) return at + 1;
  }
  return 0;
}

type Combine = (left: number, right: number) => number;
const COMBINE: Readonly<Record<'AND' | 'OR' | 'XOR', Combine>> = {
  AND: (left, right) => left & right,
  OR: (left, right) => left | right,
  XOR: (left, right) => left ^ right,
};

export function combineBits(left: BitString, right: BitString, operator: 'AND' | 'OR' | 'XOR'): BitString {
  if (left.length !== right.length) {
    throw new DbError('string_data_length_mismatch', `cannot ${operator} bit strings of different sizes`);
  }
  const combine = COMBINE[operator];
  return new BitString(
    left.length,
    left.bytes.map((byte, index) => combine(byte, right.bytes[index]!)),
  );
}

export function invertBits(value: BitString): BitString {
  return masked(
    value.length,
    value.bytes.map((byte) => ~byte & 255),
  );
}

/** Positive counts shift to the left, negative ones to the right; the length stays. */
export function shiftBits(value: BitString, count: number): BitString {
  const result = new Uint8Array(value.bytes.length);
  if (Math.abs(count) >= value.length) return new BitString(value.length, result);
  if (count >= 0) {
    result.set(sliceBits(value, count, value.length).bytes);
    return new BitString(value.length, result);
  }
  const zeros = new BitString(-count, new Uint8Array(byteCount(-count)));
  return concatBits(zeros, sliceBits(value, 0, value.length + count));
}

export function withBit(value: BitString, index: number, bit: number): BitString {
  checkIndex(value, index);
  if (bit !== 0 && bit !== 1) throw new DbError('invalid_parameter_value', 'new bit must be 0 or 1');
  const bytes = value.bytes.slice();
  const mask = 128 >> (index & 7);
  bytes[index >> 3] = bit === 1 ? bytes[index >> 3]! | mask : bytes[index >> 3]! & ~mask;
  return new BitString(value.length, bytes);
}

/** get_bit: counts from 0. */
export function bitAtChecked(value: BitString, index: number): number {
  checkIndex(value, index);
  return bitAt(value, index);
}

function checkIndex(value: BitString, index: number): void {
  if (index < 0 || index >= value.length) {
    throw new DbError(
      'array_subscript_error',
      `bit index ${index} out of valid range (0..${value.length - 1})`,
    );
  }
}

export function countBits(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) {
    let rest = byte;
    for (; rest !== 0; rest &= rest - 1) count++;
  }
  return count;
}

/** A wider request counts as no width at all, as PostgreSQL does: its longest bit string. */
const MAX_INTEGER_BITS = 2_147_483_640;
/** Text of a longer value would not fit the runtime's strings (about 512 M units). */
const MAX_VALUE_BYTES = 0x1fffffe8 / 8;

/** The lowest `typmod` (none: 1) bits of an integer, sign-extended at the left. */
export function bitsFromInteger(value: bigint, typmod: number): BitString {
  const length = typmod <= 0 || typmod > MAX_INTEGER_BITS ? 1 : typmod;
  const size = byteCount(length);
  if (size > MAX_VALUE_BYTES) {
    throw new DbError('program_limit_exceeded', `invalid memory alloc request size ${size + 8}`);
  }
  const bytes = new Uint8Array(size);
  let rest = value << BigInt(bytes.length * 8 - length);
  for (let at = bytes.length - 1; at >= 0; at--) {
    if (bytes.length > 16 && at < bytes.length - 9) {
      bytes[at] = value < 0n ? 255 : 0;
      continue;
    }
    bytes[at] = Number(rest & 255n);
    rest >>= 8n;
  }
  return masked(length, bytes);
}

/** The bits as a signed integer of `width` bits; a shorter value counts from zero. */
export function bitsToInteger(value: BitString, width: 32 | 64): bigint {
  if (value.length > width) {
    throw new DbError('numeric_value_out_of_range', `${width === 32 ? 'integer' : 'bigint'} out of range`);
  }
  let result = 0n;
  for (const byte of value.bytes) result = (result << 8n) | BigInt(byte);
  return BigInt.asIntN(width, result >> BigInt(value.bytes.length * 8 - value.length));
}
