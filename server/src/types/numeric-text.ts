/** Text, typmod and conversions of numeric. */
import { DbError } from '../base/error.ts';
import { Numeric } from './numeric.ts';
import {
  digitCount,
  MAX_INTEGER_DIGITS,
  MAX_SCALE,
  makeNumeric,
  NUMERIC_INFINITY,
  NUMERIC_NAN,
  NUMERIC_NEGATIVE_INFINITY,
  numericRound,
  overflowError,
  powerOfTen,
} from './numeric-core.ts';
import { toDigits } from './scalars.ts';

/** Precision and scale of a numeric typmod, null when unconstrained. Scale may be negative (-1000 … 1000). */
export function numericTypmod(typmod: number): { precision: number; scale: number } | null {
  if (typmod < 4) return null;
  const packed = typmod - 4;
  return { precision: (packed >> 16) & 0xffff, scale: ((packed & 0x7ff) ^ 1024) - 1024 };
}

export function packNumericTypmod(precision: number, scale: number): number {
  return ((precision << 16) | (scale & 0x7ff)) + 4;
}

/** Rounds to the scale of the typmod and checks its precision (22003). */
export function applyNumericTypmod(value: Numeric, typmod: number): Numeric {
  const limits = numericTypmod(typmod);
  if (limits === null) return value;
  const { precision, scale } = limits;
  if (value.kind !== 'finite') {
    if (value.kind === 'NaN') return value;
    throw new DbError('numeric_value_out_of_range', 'numeric field overflow', {
      detail: `A field with precision ${precision}, scale ${scale} cannot hold an infinite value.`,
    });
  }
  const rounded = value.scale === scale ? value : numericRound(value, scale);
  const integerDigits = precision - scale;
  if (rounded.coefficient !== 0 && digitCount(rounded.coefficient) - rounded.scale > integerDigits) {
    throw new DbError('numeric_value_out_of_range', 'numeric field overflow', {
      detail: `A field with precision ${precision}, scale ${scale} must round to an absolute value less than ${integerDigits !== 0 ? `10^${integerDigits}` : '1'}.`,
    });
  }
  return rounded;
}

function invalid(text: string): DbError {
  return new DbError('invalid_text_representation', `invalid input syntax for type numeric: "${text}"`);
}

export function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

/** Parses PostgreSQL's numeric input; 22P02 when malformed, 22003 when out of range. */
export function parseNumeric(text: string): Numeric {
  let at = 0;
  let end = text.length;
  while (at < end && isSpace(text.charCodeAt(at))) at++;
  while (end > at && isSpace(text.charCodeAt(end - 1))) end--;
  const start = at;
  let negative = false;
  let code = text.charCodeAt(at);
  if (at < end && (code === 43 || code === 45)) {
    negative = code === 45;
    at++;
  }
  let coefficient = 0;
  let digits = 0;
  let fraction = 0;
  let seenPoint = false;
  let seenDigit = false;
  let position = at;
  for (; position < end; position++) {
    code = text.charCodeAt(position);
    if (code >= 48 && code <= 57) {
      seenDigit = true;
      if (digits !== 0 || code !== 48) digits++;
      if (digits <= 15) coefficient = coefficient * 10 + (code - 48);
      if (seenPoint) fraction++;
    } else if (code === 46 && !seenPoint) seenPoint = true;
    else break;
  }
  if (!seenDigit) return parseSpecial(text, start, end);
  let exponent = 0;
  const mantissaEnd = position;
  if (position < end) {
    if (code !== 101 && code !== 69) throw invalid(text);
    const exponentText = text.slice(position + 1, end);
    if (!isSignedInteger(exponentText)) throw invalid(text);
    exponent = Number(exponentText);
    if (exponent >= 1073741823 || exponent <= -1073741823) throw overflowError();
  }
  if (digits <= 15 && exponent === 0 && fraction <= MAX_SCALE)
    return new Numeric(negative ? 0 - coefficient : coefficient, fraction);
  let scale = fraction - exponent;
  // Before the digits are read: reading a million of them takes seconds.
  if (digits - scale > MAX_INTEGER_DIGITS || scale > MAX_SCALE) throw overflowError();
  let big = BigInt(digits <= 15 ? coefficient : text.slice(at, mantissaEnd).replace('.', ''));
  if (scale < 0) {
    if (big !== 0n) big *= powerOfTen(-scale);
    scale = 0;
  }
  return makeNumeric(negative ? -big : big, scale);
}

function isSignedInteger(text: string): boolean {
  let at = 0;
  if (text[0] === '+' || text[0] === '-') at++;
  if (at === text.length) return false;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 48 || code > 57) return false;
  }
  return true;
}

function parseSpecial(text: string, start: number, end: number): Numeric {
  switch (text.slice(start, end).toLowerCase()) {
    case 'nan':
      return NUMERIC_NAN;
    case 'inf':
    case '+inf':
    case 'infinity':
    case '+infinity':
      return NUMERIC_INFINITY;
    case '-inf':
    case '-infinity':
      return NUMERIC_NEGATIVE_INFINITY;
    default:
      throw invalid(text);
  }
}

/** Digits with exactly `scale` decimals. */
export function formatNumeric(value: Numeric): string {
  if (value.kind !== 'finite') return value.kind;
  return formatScaled(value.coefficient, value.scale);
}

/** Prints coefficient * 10^-scale. */
export function formatScaled(coefficient: number | bigint, scale: number): string {
  if (scale === 0) return coefficient.toString();
  const negative = coefficient < 0;
  let digits = (negative ? -coefficient : coefficient).toString();
  if (digits.length <= scale) digits = digits.padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${negative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}

export function numericFromInteger(value: number | bigint): Numeric {
  return typeof value === 'number' ? new Numeric(value, 0) : makeNumeric(value, 0);
}

/** float8 to numeric: 15 significant digits, as PostgreSQL converts. */
export function numericFromFloat8(value: number): Numeric {
  return fromFloat(value, 15);
}

/** float4 to numeric: 6 significant digits. */
export function numericFromFloat4(value: number): Numeric {
  return fromFloat(value, 6);
}

function fromFloat(value: number, digits: number): Numeric {
  if (Number.isNaN(value)) return NUMERIC_NAN;
  if (value === Number.POSITIVE_INFINITY) return NUMERIC_INFINITY;
  if (value === Number.NEGATIVE_INFINITY) return NUMERIC_NEGATIVE_INFINITY;
  const rounded = toDigits(value, digits);
  // As a double the rounded text may not exist: the greatest round up to infinity, the smallest have fewer digits.
  const size = Math.abs(value);
  return parseNumeric(
    size > 1e300 || (size < 1e-290 && size > 0) ? rounded.replace(/\.?0+(?=e)/, '') : String(Number(rounded)),
  );
}

/** Exact value of a double (used where PostgreSQL does not go through 15 digits). */
export function numericToFloat8(value: Numeric): number {
  if (value.kind !== 'finite')
    return value.kind === 'NaN'
      ? Number.NaN
      : value.kind === 'Infinity'
        ? Number.POSITIVE_INFINITY
        : Number.NEGATIVE_INFINITY;
  if (value.scale === 0 && typeof value.coefficient === 'number') return value.coefficient;
  // Both are exact doubles below 2^53 and 10^22, so one correctly rounded division gives the nearest double.
  if (typeof value.coefficient === 'number' && value.scale <= 15)
    return value.coefficient / Number(powerOfTen(value.scale));
  return Number(`${value.coefficient}e-${value.scale}`);
}

/** Rounds to an integer and checks the range. `typeName` is smallint, integer or bigint. */
export function numericToInteger(
  value: Numeric,
  typeName: 'smallint' | 'integer' | 'bigint',
): number | bigint {
  if (value.kind !== 'finite') {
    const what = value.kind === 'NaN' ? 'NaN' : 'infinity';
    throw new DbError('feature_not_supported', `cannot convert ${what} to ${typeName}`);
  }
  const rounded = value.scale === 0 ? value.coefficient : numericRound(value, 0).coefficient;
  const limit =
    typeName === 'smallint' ? 32768n : typeName === 'integer' ? 2147483648n : 9223372036854775808n;
  if (rounded >= limit || rounded < -limit)
    throw new DbError('numeric_value_out_of_range', `${typeName} out of range`);
  return typeName === 'bigint' ? BigInt(rounded) : Number(rounded);
}
