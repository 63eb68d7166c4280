/**
 * Input straight from UTF-8 bytes into columns, without strings: COPY's hot path.
 *
 * `fieldAppender` gives, for a column, a function that parses bytes [start, end) of a text field (escapes already resolved) and
 * appends the value. The common spelling of each type is parsed digit by digit; anything unusual goes through the type's `input`
 * function, which also makes the error messages.
 */
import { dateFromCivil, MICROSECONDS_PER_DAY } from './calendar.ts';
import type { FormatContext, TypeSupport } from './contract.ts';
import { OID } from './oid.ts';
import { utf8Slice, type VectorBuilder } from './vector-io.ts';

export type FieldAppender = (bytes: Uint8Array, start: number, end: number) => void;

const FAILED = Number.NaN;

/** A decimal integer of at most 15 digits; NaN when the bytes are anything else. */
export function parseIntegerBytes(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const first = bytes[at];
  const isNegative = first === 45;
  if (isNegative) at++;
  const digits = end - at;
  if (digits < 1 || digits > 15) return FAILED;
  let value = 0;
  for (; at < end; at++) {
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) return FAILED;
    value = value * 10 + digit;
  }
  return isNegative ? 0 - value : value;
}

/** Digits with an optional point as an integer scaled by 10^scale; NaN when not of that form, too long or too precise. */
export function parseDecimalBytes(bytes: Uint8Array, start: number, end: number, scale: number): number {
  let at = start;
  const isNegative = bytes[at] === 45;
  if (isNegative) at++;
  if (end - at > 16 || at >= end) return FAILED;
  let value = 0;
  let decimals = -1;
  let digits = 0;
  for (; at < end; at++) {
    const digit = bytes[at]! - 48;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digits++;
      if (decimals >= 0) decimals++;
    } else if (digit === -2 && decimals < 0) decimals = 0;
    else return FAILED;
  }
  if (digits === 0) return FAILED;
  if (decimals < 0) decimals = 0;
  if (decimals > scale || digits - decimals + scale > 15) return FAILED;
  for (; decimals < scale; decimals++) value *= 10;
  return isNegative ? 0 - value : value;
}

function two(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - 48;
  const ones = bytes[at + 1]! - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : FAILED;
}

/** Days since 2000-01-01 of `yyyy-mm-dd`; NaN for other spellings and for days that need the calendar (29 to 31). */
export function parseDateBytes(bytes: Uint8Array, start: number): number {
  if (bytes[start + 4] !== 45 || bytes[start + 7] !== 45) return FAILED;
  const year = two(bytes, start) * 100 + two(bytes, start + 2);
  const month = two(bytes, start + 5);
  const day = two(bytes, start + 8);
  if (!(year > 0 && month >= 1 && month <= 12 && day >= 1)) return FAILED;
  if (
    day > 28 &&
    (month === 2 || day > 31 || (day === 31 && (month === 4 || month === 6 || month === 9 || month === 11)))
  )
    return FAILED;
  const key = year * 12 + month;
  if (key === lastMonthKey) return lastMonthStart + day;
  lastMonthKey = key;
  lastMonthStart = dateFromCivil(year, month, 1) - 1;
  return lastMonthStart + day;
}
// Dates of one column cluster: the last month's first day is remembered.
let lastMonthKey = -1;
let lastMonthStart = 0;

/** Microseconds of `hh:mm:ss[.ffffff]`; NaN for other spellings. */
export function parseTimeBytes(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 8 || bytes[start + 2] !== 58 || bytes[start + 5] !== 58) return FAILED;
  const hour = two(bytes, start);
  const minute = two(bytes, start + 3);
  const second = two(bytes, start + 6);
  if (!(hour < 24 && minute < 60 && second < 60)) return FAILED;
  let fraction = 0;
  if (end > start + 8) {
    if (bytes[start + 8] !== 46 || end > start + 15 || end === start + 9) return FAILED;
    for (let at = start + 9; at < start + 15; at++) {
      const digit = at < end ? bytes[at]! - 48 : 0;
      if (digit < 0 || digit > 9) return FAILED;
      fraction = fraction * 10 + digit;
    }
  }
  return ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction;
}

const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** Plain decimals whose digits and power of ten are exact doubles, so that one division rounds correctly; else NaN. */
export function parseFloatBytes(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const isNegative = bytes[at] === 45;
  if (isNegative) at++;
  if (end - at > 16 || at >= end) return FAILED;
  let value = 0;
  let decimals = -1;
  let digits = 0;
  for (; at < end; at++) {
    const digit = bytes[at]! - 48;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digits++;
      if (decimals >= 0) decimals++;
    } else if (digit === -2 && decimals < 0) decimals = 0;
    else return FAILED;
  }
  if (digits === 0 || digits > 15) return FAILED;
  const magnitude = decimals > 0 ? value / POWERS[decimals]! : value;
  return isNegative ? -magnitude : magnitude;
}

/** Number of characters when all bytes are ASCII, else -1. */
function asciiLength(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) if (bytes[at]! > 127) return -1;
  return end - start;
}

/** The appender of one column; `support` and `typmod` are the builder's. */
export function fieldAppender(builder: VectorBuilder, context: FormatContext): FieldAppender {
  const { support, typmod } = builder;
  const slow: FieldAppender = (bytes, start, end) =>
    builder.append(support.input(utf8Slice(bytes, start, end), typmod, context));
  return fastAppender(builder, support, typmod, slow) ?? slow;
}

function fastAppender(
  builder: VectorBuilder,
  support: TypeSupport,
  typmod: number,
  slow: FieldAppender,
): FieldAppender | null {
  switch (support.oid) {
    case OID.INT2:
    case OID.INT4: {
      const limit = support.oid === OID.INT2 ? 32767 : 2147483647;
      return (bytes, start, end) => {
        const value = parseIntegerBytes(bytes, start, end);
        if (value >= -limit && value <= limit) builder.appendNumber(value);
        else slow(bytes, start, end);
      };
    }
    case OID.INT8:
      return (bytes, start, end) => {
        const value = parseIntegerBytes(bytes, start, end);
        if (Number.isNaN(value)) slow(bytes, start, end);
        else builder.appendSafeInteger(value);
      };
    case OID.NUMERIC: {
      if (builder.physical !== 'decimal64') return null;
      const { scale } = builder;
      const limit = 10 ** Math.min(15, (typmod - 4) >> 16);
      return (bytes, start, end) => {
        const value = parseDecimalBytes(bytes, start, end, scale);
        if (value < limit && value > -limit) builder.appendSafeInteger(value);
        else slow(bytes, start, end);
      };
    }
    case OID.FLOAT8:
      return (bytes, start, end) => {
        const value = parseFloatBytes(bytes, start, end);
        if (Number.isNaN(value)) slow(bytes, start, end);
        else builder.appendNumber(value);
      };
    case OID.BOOL:
      return (bytes, start, end) => {
        const byte = bytes[start];
        if (end - start === 1 && (byte === 116 || byte === 102)) builder.appendNumber(byte === 116 ? 1 : 0);
        else slow(bytes, start, end);
      };
    case OID.DATE:
      return (bytes, start, end) => {
        const value = end - start === 10 ? parseDateBytes(bytes, start) : FAILED;
        if (Number.isNaN(value)) slow(bytes, start, end);
        else builder.appendNumber(value);
      };
    case OID.TIMESTAMP: {
      if (typmod >= 0 && typmod < 6) return null;
      return (bytes, start, end) => {
        const length = end - start;
        const separator = bytes[start + 10];
        if (length >= 19 && length <= 26 && (separator === 32 || separator === 84)) {
          const date = parseDateBytes(bytes, start);
          const time = parseTimeBytes(bytes, start + 11, end);
          // Years 1715 to 2285 are safe integers in microseconds.
          if (date > -100_000 && date < 100_000 && !Number.isNaN(time)) {
            builder.appendSafeInteger(date * MICROSECONDS_PER_DAY + time);
            return;
          }
        }
        slow(bytes, start, end);
      };
    }
    case OID.TEXT:
      return (bytes, start, end) => builder.appendBytes(bytes, start, end);
    case OID.VARCHAR: {
      const limit = typmod < 4 ? Number.POSITIVE_INFINITY : typmod - 4;
      return (bytes, start, end) => {
        if (end - start <= limit) builder.appendBytes(bytes, start, end);
        else slow(bytes, start, end);
      };
    }
    case OID.BPCHAR: {
      if (typmod < 4) return (bytes, start, end) => builder.appendBytes(bytes, start, end);
      const width = typmod - 4;
      return (bytes, start, end) => {
        const length = asciiLength(bytes, start, end);
        if (length < 0 || length > width) {
          slow(bytes, start, end);
          return;
        }
        const target = builder.reserveBytes(width);
        const at = builder.byteCount;
        for (let index = 0; index < length; index++) target[at + index] = bytes[start + index]!;
        for (let index = length; index < width; index++) target[at + index] = 32;
        builder.commitBytes(width);
      };
    }
    default:
      return null;
  }
}
