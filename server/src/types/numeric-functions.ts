/**
 * sqrt, exp, ln, log, power and factorial of numeric.
 *
 * Transcendental values are computed in binary fixed point with guard bits far beyond the result scale and rounded once, so they
 * equal PostgreSQL's (which computes with guard digits too) except where its own last digit is off by one.
 */
import { DbError } from '../base/error.ts';
import { spend } from '../base/work.ts';
import { Numeric } from './numeric.ts';
import {
  clampDisplayScale,
  coefficientAt,
  digitCount,
  divideToScale,
  divisionByZero,
  leadingDigit,
  MAX_DISPLAY_SCALE,
  MIN_SIGNIFICANT_DIGITS,
  makeNumeric,
  NUMERIC_INFINITY,
  NUMERIC_NAN,
  NUMERIC_NEGATIVE_INFINITY,
  NUMERIC_ONE,
  NUMERIC_ZERO,
  numericCompare,
  numericMinimumScale,
  numericMultiply,
  numericNegate,
  numericRound,
  numericSign,
  numericSubtract,
  overflowError,
  powerOfTen,
  roundedQuotient,
} from './numeric-core.ts';
import { numericToFloat8, parseNumeric } from './numeric-text.ts';

const LOG10_E = 0.434294481903252;
/** |x| beyond which exp(x) over- or underflows: three times PostgreSQL's largest result scale. */
const EXP_LIMIT = 6000;

function bitLength(value: bigint): number {
  const hex = value.toString(16);
  return hex.length * 4 - Math.clz32(Number.parseInt(hex[0]!, 16)) + 28;
}

/** Floor of the square root by Newton's method, started above the root. */
export function integerSqrt(value: bigint): bigint {
  if (value < 2n) return value;
  let guess = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (guess + value / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

export function numericSqrt(value: Numeric): Numeric {
  if (value.kind === 'NaN' || value.kind === 'Infinity') return value;
  if (numericSign(value) < 0) {
    throw new DbError('invalid_argument_for_power_function', 'cannot take square root of a negative number');
  }
  const { weight } = leadingDigit(value);
  const resultWeight = weight >= 0 ? Math.trunc((weight * 4) / 2) + 1 : 1 - Math.trunc((1 - weight * 4) / 2);
  const scale = clampDisplayScale(Math.max(MIN_SIGNIFICANT_DIGITS - resultWeight, value.scale));
  return numericSqrtToScale(value, scale);
}

/** Square root of a non-negative finite value, rounded to `scale`. */
export function numericSqrtToScale(value: Numeric, scale: number): Numeric {
  // One guard digit pair: root of value * 10^(2(scale + 1)), then rounded.
  const shift = 2 * (scale + 1) - value.scale;
  const scaled =
    shift >= 0
      ? BigInt(value.coefficient) * powerOfTen(shift)
      : BigInt(value.coefficient) / powerOfTen(-shift);
  return makeNumeric(roundedQuotient(integerSqrt(scaled), 10n), scale);
}

/** value as binary fixed point with `bits` fraction bits. */
function toFixed(value: Numeric, bits: number): bigint {
  return (BigInt(value.coefficient) << BigInt(bits)) / powerOfTen(value.scale);
}

function fromFixed(value: bigint, bits: number, scale: number): Numeric {
  return makeNumeric(roundedQuotient(value * powerOfTen(scale), 1n << BigInt(bits)), scale);
}

/** atanh(numerator/denominator) in fixed point. */
function atanhRatio(numerator: bigint, denominator: bigint, bits: number): bigint {
  // Shifts of negative numbers never reach zero.
  if (numerator < 0n) return -atanhRatio(-numerator, denominator, bits);
  let term = (numerator << BigInt(bits)) / denominator;
  const square = (term * term) >> BigInt(bits);
  let sum = 0n;
  for (let odd = 1n; term !== 0n; odd += 2n) {
    sum += term / odd;
    term = (term * square) >> BigInt(bits);
  }
  return sum;
}

let ln2Bits = 0;
let ln2Value = 0n;
function ln2(bits: number): bigint {
  if (bits > ln2Bits) {
    ln2Value = (2n * atanhRatio(1n, 3n, bits + 16)) >> 16n;
    ln2Bits = bits;
  }
  return ln2Value >> BigInt(ln2Bits - bits);
}

/** Natural logarithm of a positive value, with about `bits` correct fraction bits. */
function lnFixed(value: Numeric, bits: number): bigint {
  const roots = Math.max(4, Math.min(40, Math.floor(Math.sqrt(bits / 3))));
  const work = bits + 64 + 2 * roots;
  // value = mantissa * 2^exponent with mantissa in [0.75, 1.5)
  const numerator = BigInt(value.coefficient);
  const denominator = powerOfTen(value.scale);
  let exponent = bitLength(numerator) - bitLength(denominator);
  let mantissa =
    exponent >= 0
      ? (numerator << BigInt(work)) / (denominator << BigInt(exponent))
      : (numerator << BigInt(work - exponent)) / denominator;
  const one = 1n << BigInt(work);
  if (mantissa * 2n >= one * 3n) {
    mantissa >>= 1n;
    exponent++;
  } else if (mantissa * 4n < one * 3n) {
    mantissa <<= 1n;
    exponent--;
  }
  // Close to 1 the series converges by itself; square roots there would only cost accuracy.
  const distance = mantissa > one ? mantissa - one : one - mantissa;
  let applied = 0;
  if (distance > one >> 20n) {
    for (; applied < roots; applied++) mantissa = integerSqrt(mantissa << BigInt(work));
  }
  const ratio = atanhRatio(mantissa - one, mantissa + one, work);
  const logarithm = ratio << BigInt(1 + applied);
  return (logarithm >> BigInt(work - bits)) + BigInt(exponent) * ln2(bits);
}

/** e^x for |x| < 2^15, fixed point; `bits` fraction bits of the input and the result. */
function expFixed(x: bigint, bits: number): bigint {
  const magnitudeBits = Math.max(0, bitLength(x < 0n ? -x : x) - bits);
  const halvings = 12;
  const work = bits + 64 + Math.ceil(2 ** Math.min(magnitudeBits, 14) * 1.5) + halvings;
  const shifted = x << BigInt(work - bits);
  const log2 = ln2(work);
  let exponent = shifted / log2;
  let rest = shifted - exponent * log2;
  if (rest < 0n) {
    rest += log2;
    exponent -= 1n;
  }
  rest >>= BigInt(halvings);
  let term = 1n << BigInt(work);
  let sum = 0n;
  for (let index = 1n; term !== 0n; index++) {
    sum += term;
    term = ((term * rest) >> BigInt(work)) / index;
  }
  for (let square = 0; square < halvings; square++) sum = (sum * sum) >> BigInt(work);
  sum >>= BigInt(work - bits);
  return exponent >= 0n ? sum << exponent : sum >> -exponent;
}

function bitsFor(decimals: number): number {
  return Math.ceil((decimals + 12) * 3.3219280948873626) + 32;
}

const POINT_NINE = parseNumeric('0.9');
const ONE_POINT_ONE = parseNumeric('1.1');

/** Decimal weight of ln(value): what PostgreSQL estimates to choose scales. */
function lnDecimalWeight(value: Numeric): number {
  if (numericSign(value) <= 0) return 0;
  if (numericCompare(value, POINT_NINE) >= 0 && numericCompare(value, ONE_POINT_ONE) <= 0) {
    const difference = numericSubtract(value, NUMERIC_ONE);
    if (difference.coefficient === 0) return 0;
    const { weight, digit } = leadingDigit(difference);
    return weight * 4 + Math.trunc(Math.log10(digit));
  }
  const { weight, digit } = leadingDigit(value);
  const digits = digit * 10000 + secondDigit(value);
  const logarithm = Math.log(digits) + (weight * 4 - 4) * 2.302585092994046;
  return Math.trunc(Math.log10(Math.abs(logarithm)));
}

/** The base-10000 digit after the leading one. */
function secondDigit(value: Numeric): number {
  const { weight } = leadingDigit(value);
  const text = BigInt(value.coefficient).toString().replace('-', '');
  const taken = text.length - 1 - value.scale - 4 * weight + 1;
  return Number(text.slice(taken, taken + 4).padEnd(4, '0') || '0');
}

function logarithmError(value: Numeric): DbError | null {
  const sign = numericSign(value);
  if (value.kind === 'NaN') return null;
  if (sign < 0)
    return new DbError('invalid_argument_for_logarithm', 'cannot take logarithm of a negative number');
  if (sign === 0) return new DbError('invalid_argument_for_logarithm', 'cannot take logarithm of zero');
  return null;
}

function lnToScale(value: Numeric, scale: number): Numeric {
  const bits = bitsFor(scale);
  return fromFixed(lnFixed(value, bits), bits, scale);
}

export function numericLn(value: Numeric): Numeric {
  const error = logarithmError(value);
  if (error !== null) throw error;
  if (value.kind !== 'finite') return value;
  const scale = clampDisplayScale(Math.max(MIN_SIGNIFICANT_DIGITS - lnDecimalWeight(value), value.scale));
  return lnToScale(value, scale);
}

/** Logarithm of `value` to `base`. */
export function numericLog(base: Numeric, value: Numeric): Numeric {
  if (base.kind === 'NaN' || value.kind === 'NaN') return NUMERIC_NAN;
  const error = logarithmError(base) ?? logarithmError(value);
  if (error !== null) throw error;
  if (base.kind !== 'finite') return value.kind !== 'finite' ? NUMERIC_NAN : NUMERIC_ZERO;
  if (value.kind !== 'finite') return NUMERIC_INFINITY;
  const baseWeight = lnDecimalWeight(base);
  const valueWeight = lnDecimalWeight(value);
  const resultWeight = valueWeight - baseWeight;
  const scale = clampDisplayScale(Math.max(MIN_SIGNIFICANT_DIGITS - resultWeight, base.scale, value.scale));
  const baseScale = clampDisplayScale(scale + resultWeight - baseWeight + 8);
  const valueScale = clampDisplayScale(scale + resultWeight - valueWeight + 8);
  const baseLogarithm = lnToScale(base, baseScale);
  if (baseLogarithm.coefficient === 0) throw divisionByZero();
  return divideToScale(lnToScale(value, valueScale), baseLogarithm, scale);
}

/** e^value rounded to `scale`. */
function expToScale(value: Numeric, scale: number): Numeric {
  const approximate = numericToFloat8(value);
  if (Math.abs(approximate) >= EXP_LIMIT) {
    if (approximate > 0) throw overflowError();
    return new Numeric(0, scale);
  }
  const bits = bitsFor(scale + Math.max(0, Math.ceil(approximate * LOG10_E)));
  return fromFixed(expFixed(toFixed(value, bits), bits), bits, scale);
}

export function numericExp(value: Numeric): Numeric {
  if (value.kind !== 'finite') return value.kind === '-Infinity' ? NUMERIC_ZERO : value;
  const weight = Math.max(-2000, Math.min(2000, numericToFloat8(value) * LOG10_E));
  const scale = clampDisplayScale(Math.max(MIN_SIGNIFICANT_DIGITS - Math.trunc(weight), value.scale));
  return expToScale(value, scale);
}

function isInteger(value: Numeric): boolean {
  return numericMinimumScale(value) === 0;
}

export function numericPower(base: Numeric, exponent: Numeric): Numeric {
  if (base.kind !== 'finite' || exponent.kind !== 'finite') return powerSpecial(base, exponent);
  if (base.coefficient === 0 && exponent.coefficient < 0) {
    throw new DbError('invalid_argument_for_power_function', 'zero raised to a negative power is undefined');
  }
  const integral = isInteger(exponent);
  if (base.coefficient < 0 && !integral) {
    throw new DbError(
      'invalid_argument_for_power_function',
      'a negative number raised to a non-integer power yields a complex result',
    );
  }
  if (integral) {
    const whole = numericRound(exponent, 0).coefficient;
    if (whole >= -2147483648 && whole <= 2147483647) return integerPower(base, Number(whole), exponent.scale);
  }
  if (base.coefficient === 0) return new Numeric(0, MIN_SIGNIFICANT_DIGITS);
  const negative = base.coefficient < 0;
  if (negative) base = numericNegate(base);
  const baseWeight = lnDecimalWeight(base);
  const roughScale = Math.max(8 - baseWeight, 0);
  const rough = numericToFloat8(numericMultiply(lnToScale(base, roughScale), exponent));
  if (Math.abs(rough) > 2000 * 3.01) {
    if (rough > 0) throw overflowError();
    return new Numeric(0, MAX_DISPLAY_SCALE);
  }
  const weight = Math.trunc(rough * LOG10_E);
  const scale = clampDisplayScale(Math.max(MIN_SIGNIFICANT_DIGITS - weight, base.scale, exponent.scale));
  // Relative accuracy of the result needs ln(base) * exponent to `scale + weight` digits.
  const extra = Math.max(0, weight) + Math.max(0, digitCount(exponent.coefficient) - exponent.scale) + 8;
  const logarithm = lnToScale(base, scale + extra);
  const product = new Numeric(
    BigInt(logarithm.coefficient) * BigInt(exponent.coefficient),
    logarithm.scale + exponent.scale,
  );
  const result = expToScale(product, scale);
  const odd = negative && BigInt(numericRound(exponent, 0).coefficient) % 2n !== 0n;
  return odd ? numericNegate(result) : result;
}

function integerPower(base: Numeric, exponent: number, exponentScale: number): Numeric {
  let weight = 0;
  if (base.coefficient !== 0) {
    const digits = BigInt(base.coefficient).toString().replace('-', '');
    const head = digits.slice(0, 17);
    weight = exponent * (Math.log10(Number(head)) + (digits.length - head.length) - base.scale);
  }
  // Integer exponents keep 16 decimals whatever the size of the result.
  const scale = clampDisplayScale(Math.max(MIN_SIGNIFICANT_DIGITS, base.scale, exponentScale));
  if (weight > 32768 * 4) throw overflowError();
  if (weight + 1 < -scale) return new Numeric(0, scale);
  if (exponent === 0) return makeNumeric(powerOfTen(scale), scale);
  if (base.coefficient === 0) {
    if (exponent < 0) throw divisionByZero();
    return new Numeric(0, scale);
  }
  // Exact below a size; above it, keep as many leading digits as the result scale can show plus guard digits.
  const magnitude = Math.abs(exponent);
  const significant = Math.ceil(scale + Math.max(0, weight)) + 24 + digitCount(magnitude) * 2;
  let resultMantissa = 1n;
  let resultScale = 0;
  let factor = BigInt(base.coefficient);
  let factorScale = base.scale;
  for (let bits = magnitude; ; ) {
    if (bits % 2 === 1) {
      resultMantissa *= factor;
      resultScale += factorScale;
      [resultMantissa, resultScale] = shorten(resultMantissa, resultScale, significant);
    }
    bits = Math.floor(bits / 2);
    if (bits === 0) break;
    factor *= factor;
    factorScale *= 2;
    [factor, factorScale] = shorten(factor, factorScale, significant);
  }
  if (exponent > 0) {
    const shift = scale - resultScale;
    return makeNumeric(
      shift >= 0 ? resultMantissa * powerOfTen(shift) : roundedQuotient(resultMantissa, powerOfTen(-shift)),
      scale,
    );
  }
  const shift = scale + resultScale;
  return makeNumeric(
    shift >= 0
      ? roundedQuotient(powerOfTen(shift), resultMantissa)
      : roundedQuotient(1n, resultMantissa * powerOfTen(-shift)),
    scale,
  );
}

function shorten(mantissa: bigint, scale: number, digits: number): [bigint, number] {
  const bits = bitLength(mantissa < 0n ? -mantissa : mantissa);
  const excess = Math.floor(bits * 0.30103) - digits;
  if (excess <= 8) return [mantissa, scale];
  return [mantissa / powerOfTen(excess), scale - excess];
}

function powerSpecial(base: Numeric, exponent: Numeric): Numeric {
  if (base.kind === 'NaN')
    return exponent.kind === 'finite' && exponent.coefficient === 0 ? NUMERIC_ONE : NUMERIC_NAN;
  if (exponent.kind === 'NaN') return numericCompare(base, NUMERIC_ONE) === 0 ? NUMERIC_ONE : NUMERIC_NAN;
  if (exponent.kind !== 'finite') {
    const magnitude = numericCompare(numericSign(base) < 0 ? numericNegate(base) : base, NUMERIC_ONE);
    if (numericCompare(base, NUMERIC_ONE) === 0) return NUMERIC_ONE;
    if (exponent.kind === '-Infinity' && numericSign(base) === 0) {
      throw new DbError(
        'invalid_argument_for_power_function',
        'zero raised to a negative power is undefined',
      );
    }
    if (magnitude === 0) return NUMERIC_ONE;
    return magnitude > 0 === (exponent.kind === 'Infinity') ? NUMERIC_INFINITY : NUMERIC_ZERO;
  }
  const sign = numericSign(exponent);
  if (sign === 0) return NUMERIC_ONE;
  if (base.kind === 'Infinity') return sign > 0 ? NUMERIC_INFINITY : NUMERIC_ZERO;
  if (!isInteger(exponent)) {
    throw new DbError(
      'invalid_argument_for_power_function',
      'a negative number raised to a non-integer power yields a complex result',
    );
  }
  const odd = BigInt(numericRound(exponent, 0).coefficient) % 2n !== 0n;
  if (sign < 0) return NUMERIC_ZERO;
  return odd ? NUMERIC_NEGATIVE_INFINITY : NUMERIC_INFINITY;
}

export function numericFactorial(value: bigint): Numeric {
  if (value < 0n)
    throw new DbError('numeric_value_out_of_range', 'factorial of a negative number is undefined');
  if (value > 32177n) throw overflowError();
  // Grows with the square of the digits.
  if (value > 500n) spend(Number((value * value) / 25n));
  return makeNumeric(productRange(2n, value), 0);
}

/** Product of first … last, split in halves so that factors stay of equal size. */
function productRange(first: bigint, last: bigint): bigint {
  if (first > last) return 1n;
  if (last - first < 8n) {
    let product = first;
    for (let factor = first + 1n; factor <= last; factor++) product *= factor;
    return product;
  }
  const middle = (first + last) / 2n;
  return productRange(first, middle) * productRange(middle + 1n, last);
}

export function numericGcd(left: Numeric, right: Numeric): Numeric {
  if (left.kind !== 'finite' || right.kind !== 'finite') return NUMERIC_NAN;
  const scale = Math.max(left.scale, right.scale);
  return makeNumeric(gcdBig(coefficientAt(left, scale), coefficientAt(right, scale)), scale);
}

export function numericLcm(left: Numeric, right: Numeric): Numeric {
  if (left.kind !== 'finite' || right.kind !== 'finite') return NUMERIC_NAN;
  const scale = Math.max(left.scale, right.scale);
  const a = coefficientAt(left, scale);
  const b = coefficientAt(right, scale);
  if (a === 0n || b === 0n) return new Numeric(0, scale);
  const product = (a / gcdBig(a, b)) * b;
  return makeNumeric(product < 0n ? -product : product, scale);
}

export function gcdBig(left: bigint, right: bigint): bigint {
  let a = left < 0n ? -left : left;
  let b = right < 0n ? -right : right;
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}
