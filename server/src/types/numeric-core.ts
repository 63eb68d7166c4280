/**
 * Exact decimal arithmetic with PostgreSQL's result scales.
 *
 * A finite {@link Numeric} is `coefficient * 10^-scale`. The coefficient is a JavaScript number while it is a safe integer and a
 * bigint otherwise; every result goes through {@link makeNumeric} (or an equivalent check), so equal values of equal scale have
 * equal coefficients. Number arithmetic is trusted only when the result lies within ±(2^53 - 1): a sum or product of two safe
 * integers whose exact value is outside of that range never rounds to something inside.
 *
 * Source  PostgreSQL 15 manual 8.1.2; the scale rules were checked against the server by differential tests.
 */
import { DbError } from '../base/error.ts';
import { Numeric } from './numeric.ts';

export const NUMERIC_NAN = new Numeric(0, 0, 'NaN');
export const NUMERIC_INFINITY = new Numeric(0, 0, 'Infinity');
export const NUMERIC_NEGATIVE_INFINITY = new Numeric(0, 0, '-Infinity');
export const NUMERIC_ZERO = new Numeric(0, 0);
export const NUMERIC_ONE = new Numeric(1, 0);

/** PostgreSQL's limits: digits a result scale is chosen for, largest chosen scale, largest scale, digits before the point. */
export const MIN_SIGNIFICANT_DIGITS = 16;
export const MAX_DISPLAY_SCALE = 1000;
export const MAX_SCALE = 16383;
export const MAX_INTEGER_DIGITS = 131072;

const MAX_SAFE = Number.MAX_SAFE_INTEGER;
const MAX_SAFE_BIG = BigInt(MAX_SAFE);

/** 10^0 … 10^15: powers that are safe integers. */
export const SMALL_POWERS: readonly number[] = Array.from({ length: 16 }, (_, index) =>
  Number(10n ** BigInt(index)),
);
const bigPowers: bigint[] = Array.from({ length: 64 }, (_, index) => 10n ** BigInt(index));

/** 10^exponent, exponent >= 0. */
export function powerOfTen(exponent: number): bigint {
  if (exponent < 4096) {
    const known = bigPowers[exponent];
    if (known !== undefined) return known;
    return (bigPowers[exponent] = 10n ** BigInt(exponent));
  }
  return 10n ** BigInt(exponent);
}

export function overflowError(): DbError {
  return new DbError('numeric_value_out_of_range', 'value overflows numeric format');
}

export function divisionByZero(): DbError {
  return new DbError('division_by_zero', 'division by zero');
}

/** Number of decimal digits of |coefficient|; 1 for zero. */
export function digitCount(coefficient: number | bigint): number {
  if (typeof coefficient === 'number') {
    const magnitude = coefficient < 0 ? -coefficient : coefficient;
    for (let digits = 1; digits < 16; digits++) if (magnitude < SMALL_POWERS[digits]!) return digits;
    return 16;
  }
  return (coefficient < 0n ? -coefficient : coefficient).toString().length;
}

/** A finite value; normalises the coefficient and checks PostgreSQL's range. */
export function makeNumeric(coefficient: number | bigint, scale: number): Numeric {
  if (typeof coefficient === 'number') return new Numeric(coefficient + 0, scale);
  if (coefficient <= MAX_SAFE_BIG && coefficient >= -MAX_SAFE_BIG)
    return new Numeric(Number(coefficient), scale);
  if (scale > MAX_SCALE) throw overflowError();
  // 400,000 bits are below 131,072 digits; only huge values pay for counting digits.
  if (coefficient > HUGE || coefficient < -HUGE) {
    const limit =
      scale === 0
        ? (integerLimit ??= powerOfTen(MAX_INTEGER_DIGITS))
        : powerOfTen(MAX_INTEGER_DIGITS + scale);
    if (coefficient >= limit || coefficient <= -limit) throw overflowError();
  }
  return new Numeric(coefficient, scale);
}
const HUGE = 1n << 400_000n;
let integerLimit: bigint | null = null;

/** Coefficient of `value` at a scale not below its own. */
export function coefficientAt(value: Numeric, scale: number): bigint {
  const missing = scale - value.scale;
  return missing === 0 ? BigInt(value.coefficient) : BigInt(value.coefficient) * powerOfTen(missing);
}

export function isZero(value: Numeric): boolean {
  return value.coefficient === 0 && value.kind === 'finite';
}

/** -1, 0 or 1; NaN counts as 1. */
export function numericSign(value: Numeric): number {
  if (value.kind !== 'finite') return value.kind === '-Infinity' ? -1 : 1;
  return value.coefficient > 0 ? 1 : value.coefficient < 0 ? -1 : 0;
}

export function numericNegate(value: Numeric): Numeric {
  if (value.kind === 'finite') {
    const { coefficient } = value;
    return new Numeric(typeof coefficient === 'number' ? 0 - coefficient : -coefficient, value.scale);
  }
  if (value.kind === 'NaN') return value;
  return value.kind === 'Infinity' ? NUMERIC_NEGATIVE_INFINITY : NUMERIC_INFINITY;
}

export function numericAbs(value: Numeric): Numeric {
  if (value.kind === '-Infinity') return NUMERIC_INFINITY;
  return value.kind === 'finite' && value.coefficient < 0 ? numericNegate(value) : value;
}

export function numericAdd(left: Numeric, right: Numeric): Numeric {
  if (left.kind !== 'finite' || right.kind !== 'finite') return addSpecial(left, right);
  const a = left.coefficient;
  const b = right.coefficient;
  if (typeof a === 'number' && typeof b === 'number') {
    let result: number;
    let scale = left.scale;
    if (scale === right.scale) result = a + b;
    else if (scale < right.scale) {
      const shift = right.scale - scale;
      scale = right.scale;
      result = shift < 16 ? scaledSum(a, SMALL_POWERS[shift]!, b) : Number.NaN;
    } else {
      const shift = scale - right.scale;
      result = shift < 16 ? scaledSum(b, SMALL_POWERS[shift]!, a) : Number.NaN;
    }
    if (result <= MAX_SAFE && result >= -MAX_SAFE) return new Numeric(result, scale);
  }
  const scale = left.scale > right.scale ? left.scale : right.scale;
  return makeNumeric(coefficientAt(left, scale) + coefficientAt(right, scale), scale);
}

function scaledSum(value: number, factor: number, other: number): number {
  const product = value * factor;
  return product <= MAX_SAFE && product >= -MAX_SAFE ? product + other : Number.NaN;
}

function addSpecial(left: Numeric, right: Numeric): Numeric {
  if (left.kind === 'NaN' || right.kind === 'NaN') return NUMERIC_NAN;
  if (left.kind === 'finite') return right;
  if (right.kind === 'finite') return left;
  return left.kind === right.kind ? left : NUMERIC_NAN;
}

export function numericSubtract(left: Numeric, right: Numeric): Numeric {
  if (left.kind === 'finite' && right.kind === 'finite' && left.scale === right.scale) {
    const a = left.coefficient;
    const b = right.coefficient;
    if (typeof a === 'number' && typeof b === 'number') {
      const result = a - b;
      if (result <= MAX_SAFE && result >= -MAX_SAFE) return new Numeric(result, left.scale);
    }
  }
  return numericAdd(left, numericNegate(right));
}

export function numericMultiply(left: Numeric, right: Numeric): Numeric {
  if (left.kind !== 'finite' || right.kind !== 'finite') return multiplySpecial(left, right);
  const a = left.coefficient;
  const b = right.coefficient;
  const scale = left.scale + right.scale;
  if (typeof a === 'number' && typeof b === 'number' && scale <= MAX_SCALE) {
    const product = a * b;
    if (product <= MAX_SAFE && product >= -MAX_SAFE) return new Numeric(product + 0, scale);
  }
  const product = BigInt(a) * BigInt(b);
  if (scale > MAX_SCALE)
    return makeNumeric(roundedQuotient(product, powerOfTen(scale - MAX_SCALE)), MAX_SCALE);
  return makeNumeric(product, scale);
}

function multiplySpecial(left: Numeric, right: Numeric): Numeric {
  if (left.kind === 'NaN' || right.kind === 'NaN') return NUMERIC_NAN;
  const sign = numericSign(left) * numericSign(right);
  return sign === 0 ? NUMERIC_NAN : sign > 0 ? NUMERIC_INFINITY : NUMERIC_NEGATIVE_INFINITY;
}

/** dividend / divisor rounded half away from zero. */
export function roundedQuotient(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const remainder = dividend - quotient * divisor;
  const twice = remainder < 0n ? -2n * remainder : 2n * remainder;
  if (twice >= (divisor < 0n ? -divisor : divisor))
    return dividend < 0n === divisor < 0n ? quotient + 1n : quotient - 1n;
  return quotient;
}

/** Weight (exponent) and value of the first base-10000 digit, as PostgreSQL stores the number; 0 and 0 for zero. */
export function leadingDigit(value: Numeric): { weight: number; digit: number } {
  const { coefficient } = value;
  if (coefficient === 0) return { weight: 0, digit: 0 };
  const text =
    typeof coefficient === 'number'
      ? Math.abs(coefficient).toString()
      : (coefficient < 0n ? -coefficient : coefficient).toString();
  const exponent = text.length - 1 - value.scale;
  const weight = Math.floor(exponent / 4);
  const taken = exponent - 4 * weight + 1;
  let digit = Number(text.slice(0, taken));
  for (let missing = taken - text.length; missing > 0; missing--) digit *= 10;
  return { weight, digit };
}

export function clampDisplayScale(scale: number): number {
  return scale < 0 ? 0 : scale > MAX_DISPLAY_SCALE ? MAX_DISPLAY_SCALE : scale;
}

/** Scale of left / right: at least 16 significant digits, counted in base-10000 weights, and not below either input's. */
export function divisionScale(left: Numeric, right: Numeric): number {
  const first = leadingDigit(left);
  const second = leadingDigit(right);
  let weight = first.weight - second.weight;
  if (first.digit <= second.digit) weight--;
  return clampDisplayScale(Math.max(MIN_SIGNIFICANT_DIGITS - weight * 4, left.scale, right.scale));
}

export function numericDivide(left: Numeric, right: Numeric): Numeric {
  if (left.kind !== 'finite' || right.kind !== 'finite') {
    if (left.kind === 'NaN' || right.kind === 'NaN') return NUMERIC_NAN;
    if (left.kind === 'finite') return NUMERIC_ZERO;
    if (right.kind !== 'finite') return NUMERIC_NAN;
    const sign = numericSign(right);
    if (sign === 0) throw divisionByZero();
    return sign > 0 ? left : numericNegate(left);
  }
  if (right.coefficient === 0) throw divisionByZero();
  return divideToScale(left, right, divisionScale(left, right));
}

/** left / right rounded half away from zero to `scale`. */
export function divideToScale(left: Numeric, right: Numeric, scale: number): Numeric {
  const shift = scale - left.scale + right.scale;
  let dividend = BigInt(left.coefficient);
  let divisor = BigInt(right.coefficient);
  if (shift >= 0) dividend *= powerOfTen(shift);
  else divisor *= powerOfTen(-shift);
  return makeNumeric(roundedQuotient(dividend, divisor), scale);
}

/** div(a, b): quotient truncated towards zero. */
export function numericDivideTruncated(left: Numeric, right: Numeric): Numeric {
  if (left.kind !== 'finite' || right.kind !== 'finite') return numericDivide(left, right);
  if (right.coefficient === 0) throw divisionByZero();
  const scale = Math.max(left.scale, right.scale);
  return makeNumeric(coefficientAt(left, scale) / coefficientAt(right, scale), 0);
}

/** Remainder with the sign of the dividend. */
export function numericModulo(left: Numeric, right: Numeric): Numeric {
  if (left.kind !== 'finite' || right.kind !== 'finite') {
    if (left.kind === 'NaN' || right.kind === 'NaN') return NUMERIC_NAN;
    if (left.kind !== 'finite') {
      if (isZero(right)) throw divisionByZero();
      return NUMERIC_NAN;
    }
    return left;
  }
  if (right.coefficient === 0) throw divisionByZero();
  const a = left.coefficient;
  const b = right.coefficient;
  if (left.scale === right.scale && typeof a === 'number' && typeof b === 'number') {
    return new Numeric((a % b) + 0, left.scale);
  }
  const scale = Math.max(left.scale, right.scale);
  return makeNumeric(coefficientAt(left, scale) % coefficientAt(right, scale), scale);
}

/** btree order: NaN greatest, equal to itself. */
export function numericCompare(left: Numeric, right: Numeric): number {
  if (left.kind !== 'finite' || right.kind !== 'finite') return specialRank(left) - specialRank(right);
  const a = left.coefficient;
  const b = right.coefficient;
  if (left.scale === right.scale) return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === 'number' && typeof b === 'number') {
    const shift = left.scale - right.scale;
    if (shift < 16 && shift > -16) {
      const x = shift < 0 ? a * SMALL_POWERS[-shift]! : a;
      const y = shift > 0 ? b * SMALL_POWERS[shift]! : b;
      if (Math.abs(x) <= MAX_SAFE && Math.abs(y) <= MAX_SAFE) return x - y;
    }
  }
  const signDifference = numericSign(left) - numericSign(right);
  if (signDifference !== 0) return signDifference;
  const scale = Math.max(left.scale, right.scale);
  const x = coefficientAt(left, scale);
  const y = coefficientAt(right, scale);
  return x < y ? -1 : x > y ? 1 : 0;
}

function specialRank(value: Numeric): number {
  return value.kind === 'finite' ? 0 : value.kind === '-Infinity' ? -1 : value.kind === 'Infinity' ? 1 : 2;
}

/** Rounds half away from zero to `scale` decimals; a negative scale rounds before the point. */
export function numericRound(value: Numeric, scale: number): Numeric {
  return changeScale(value, scale, roundedQuotient);
}

/** Cuts towards zero at `scale` decimals. */
export function numericTruncate(value: Numeric, scale: number): Numeric {
  return changeScale(value, scale, (dividend, divisor) => dividend / divisor);
}

function changeScale(
  value: Numeric,
  scale: number,
  divide: (dividend: bigint, divisor: bigint) => bigint,
): Numeric {
  if (value.kind !== 'finite') return value;
  if (scale > MAX_SCALE) scale = MAX_SCALE;
  if (scale < -MAX_INTEGER_DIGITS) scale = -MAX_INTEGER_DIGITS;
  const drop = value.scale - scale;
  if (drop === 0) return value;
  if (drop < 0) {
    if (typeof value.coefficient === 'number' && drop > -16) {
      const product = value.coefficient * SMALL_POWERS[-drop]!;
      if (product <= MAX_SAFE && product >= -MAX_SAFE) return new Numeric(product, scale);
    }
    return makeNumeric(BigInt(value.coefficient) * powerOfTen(-drop), scale);
  }
  if (digitCount(value.coefficient) < drop) return new Numeric(0, Math.max(scale, 0));
  const kept = divide(BigInt(value.coefficient), powerOfTen(drop));
  return scale >= 0 ? makeNumeric(kept, scale) : makeNumeric(kept * powerOfTen(-scale), 0);
}

export function numericFloor(value: Numeric): Numeric {
  if (value.kind !== 'finite') return value;
  const truncated = numericTruncate(value, 0);
  return value.coefficient < 0 && numericCompare(truncated, value) !== 0
    ? numericSubtract(truncated, NUMERIC_ONE)
    : truncated;
}

export function numericCeil(value: Numeric): Numeric {
  if (value.kind !== 'finite') return value;
  const truncated = numericTruncate(value, 0);
  return value.coefficient > 0 && numericCompare(truncated, value) !== 0
    ? numericAdd(truncated, NUMERIC_ONE)
    : truncated;
}

/** Smallest scale that holds the value. */
export function numericMinimumScale(value: Numeric): number {
  let { coefficient, scale } = value;
  if (coefficient === 0) return 0;
  while (scale > 0) {
    if (typeof coefficient === 'number') {
      if (coefficient % 10 !== 0) break;
      coefficient /= 10;
    } else {
      if (coefficient % 10n !== 0n) break;
      coefficient /= 10n;
    }
    scale--;
  }
  return scale;
}

/** Equal numbers give equal keys, whatever their scales. */
export function numericHashKey(value: Numeric): number | string {
  if (value.kind !== 'finite') return value.kind;
  if (value.scale === 0)
    return typeof value.coefficient === 'number' ? value.coefficient : value.coefficient.toString();
  const scale = numericMinimumScale(value);
  const reduced = scale === value.scale ? value.coefficient : numericTruncate(value, scale).coefficient;
  if (scale === 0) return typeof reduced === 'number' ? reduced : reduced.toString();
  return `${reduced}e-${scale}`;
}
