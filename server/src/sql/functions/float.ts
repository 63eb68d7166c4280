/** Arithmetic and mathematical functions of float4 and float8. */
import { DbError } from '../../base/error.ts';
import { roundHalfEven } from '../../types/datetime-parse.ts';
import { numericFromFloat4, numericFromFloat8 } from '../../types/numeric-text.ts';
import { compareFloat } from '../../types/scalars.ts';
import { rangeError } from './integer.ts';
import { boundTable, type FunctionTable, type Implementation, pureTable } from './registry.ts';

function overflow(): DbError {
  return new DbError('numeric_value_out_of_range', 'value out of range: overflow');
}
function underflow(): DbError {
  return new DbError('numeric_value_out_of_range', 'value out of range: underflow');
}
function outOfRange(): DbError {
  return new DbError('numeric_value_out_of_range', 'input is out of range');
}
const isInfinite = (value: number): boolean =>
  value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;

function add(left: number, right: number): number {
  const result = left + right;
  if (isInfinite(result) && !isInfinite(left) && !isInfinite(right)) throw overflow();
  return result;
}
function subtract(left: number, right: number): number {
  const result = left - right;
  if (isInfinite(result) && !isInfinite(left) && !isInfinite(right)) throw overflow();
  return result;
}
function multiply(left: number, right: number): number {
  const result = left * right;
  if (isInfinite(result) && !isInfinite(left) && !isInfinite(right)) throw overflow();
  if (result === 0 && left !== 0 && right !== 0) throw underflow();
  return result;
}
function divide(left: number, right: number): number {
  if (right === 0 && !Number.isNaN(left)) throw new DbError('division_by_zero', 'division by zero');
  const result = left / right;
  if (isInfinite(result) && !isInfinite(left)) throw overflow();
  if (result === 0 && left !== 0 && !isInfinite(right)) throw underflow();
  return result;
}

/** The float4 variants round to single precision and check that range. */
function single(operation: (left: number, right: number) => number): (left: number, right: number) => number {
  return (left, right) => {
    const wide = operation(left, right);
    const result = Math.fround(wide);
    if (isInfinite(result) && !isInfinite(wide)) throw overflow();
    if (result === 0 && wide !== 0) throw underflow();
    return result;
  };
}

function four(name: string, wrap: typeof single | null): Record<string, Implementation> {
  const of = (operation: (left: number, right: number) => number) =>
    wrap === null ? operation : wrap(operation);
  return {
    [`${name}pl`]: of(add),
    [`${name}mi`]: of(subtract),
    [`${name}mul`]: of(multiply),
    [`${name}div`]: of(divide),
  };
}

function toInteger(value: number, low: number, high: number, type: string): number {
  const rounded = roundHalfEven(value);
  if (!(rounded >= low && rounded <= high)) throw rangeError(type);
  return rounded + 0;
}

function toBigint(value: number): bigint {
  const rounded = roundHalfEven(value);
  if (!(rounded >= -(2 ** 63) && rounded < 2 ** 63)) throw rangeError('bigint');
  return BigInt(rounded);
}

function power(base: number, exponent: number): number {
  if (Number.isNaN(base)) return exponent === 0 ? 1 : Number.NaN;
  if (Number.isNaN(exponent)) return base === 1 ? 1 : Number.NaN;
  if (base === 0 && exponent < 0) {
    throw new DbError('invalid_argument_for_power_function', 'zero raised to a negative power is undefined');
  }
  if (base < 0 && !isInfinite(exponent) && Math.floor(exponent) !== exponent) {
    throw new DbError(
      'invalid_argument_for_power_function',
      'a negative number raised to a non-integer power yields a complex result',
    );
  }
  // JavaScript answers NaN for ±1 to an infinite power.
  if (isInfinite(exponent) && Math.abs(base) === 1) return 1;
  const result = base ** exponent;
  if (isInfinite(result) && !isInfinite(base) && !isInfinite(exponent)) throw overflow();
  if (result === 0 && base !== 0 && !isInfinite(base) && !isInfinite(exponent)) throw underflow();
  return result;
}

function logarithm(name: 'log' | 'log10'): (value: number) => number {
  return (value) => {
    if (value === 0) throw new DbError('invalid_argument_for_logarithm', 'cannot take logarithm of zero');
    if (value < 0)
      throw new DbError('invalid_argument_for_logarithm', 'cannot take logarithm of a negative number');
    return Math[name](value);
  };
}

/** Domain-checked function of a finite argument. */
function checked(
  compute: (value: number) => number,
  isValid: (value: number) => boolean,
): (value: number) => number {
  return (value) => {
    if (Number.isNaN(value)) return value;
    if (!isValid(value)) throw outOfRange();
    return compute(value);
  };
}
const finite = (value: number): boolean => !isInfinite(value);
const withinOne = (value: number): boolean => value >= -1 && value <= 1;

const RADIANS_PER_DEGREE = Math.PI / 180;
const SIN_30 = Math.sin(30 * RADIANS_PER_DEGREE);
const ONE_MINUS_COS_60 = 1 - Math.cos(60 * RADIANS_PER_DEGREE);
const ASIN_HALF = Math.asin(0.5);
const ACOS_HALF = Math.acos(0.5);
const ATAN_ONE = Math.atan(1);
const TAN_45 = sinQuadrant(45) / cosQuadrant(45);
const COT_45 = cosQuadrant(45) / sinQuadrant(45);

/** Degree functions are exact at the multiples of 30 and 45 where they should be: PostgreSQL's construction. */
function sinQuadrant(degrees: number): number {
  return degrees <= 30 ? Math.sin(degrees * RADIANS_PER_DEGREE) / SIN_30 / 2 : cosZero(90 - degrees);
}
function cosZero(degrees: number): number {
  if (degrees > 60) return Math.sin((90 - degrees) * RADIANS_PER_DEGREE) / SIN_30 / 2;
  return 1 - (1 - Math.cos(degrees * RADIANS_PER_DEGREE)) / ONE_MINUS_COS_60 / 2;
}
function cosQuadrant(degrees: number): number {
  return degrees <= 60 ? cosZero(degrees) : Math.sin((90 - degrees) * RADIANS_PER_DEGREE) / SIN_30 / 2;
}

function sinDegrees(value: number): number {
  let degrees = value % 360;
  let sign = 1;
  if (degrees < 0) {
    degrees = -degrees;
    sign = -1;
  }
  if (degrees > 180) {
    degrees = 360 - degrees;
    sign = -sign;
  }
  if (degrees > 90) degrees = 180 - degrees;
  return sign * sinQuadrant(degrees);
}
function cosDegrees(value: number): number {
  let degrees = Math.abs(value % 360);
  let sign = 1;
  if (degrees > 180) degrees = 360 - degrees;
  if (degrees > 90) {
    degrees = 180 - degrees;
    sign = -1;
  }
  return sign * cosQuadrant(degrees);
}
function tanDegrees(value: number): number {
  let degrees = value % 360;
  let sign = 1;
  if (degrees < 0) {
    degrees = -degrees;
    sign = -1;
  }
  if (degrees > 180) {
    degrees = 360 - degrees;
    sign = -sign;
  }
  if (degrees > 90) {
    degrees = 180 - degrees;
    sign = -sign;
  }
  const result = sign * (sinQuadrant(degrees) / cosQuadrant(degrees) / TAN_45);
  return result === 0 ? 0 : result;
}
function cotDegrees(value: number): number {
  let degrees = value % 360;
  let sign = 1;
  if (degrees < 0) {
    degrees = -degrees;
    sign = -1;
  }
  if (degrees > 180) {
    degrees = 360 - degrees;
    sign = -sign;
  }
  if (degrees > 90) {
    degrees = 180 - degrees;
    sign = -sign;
  }
  const result = sign * (cosQuadrant(degrees) / sinQuadrant(degrees) / COT_45);
  return result === 0 ? 0 : result;
}
function asinQuadrant(value: number): number {
  return value <= 0.5 ? (Math.asin(value) / ASIN_HALF) * 30 : 90 - (Math.acos(value) / ACOS_HALF) * 60;
}
function acosQuadrant(value: number): number {
  return value <= 0.5 ? 90 - (Math.asin(value) / ASIN_HALF) * 30 : (Math.acos(value) / ACOS_HALF) * 60;
}

/** Error function and its complement are absent from PostgreSQL 15; bucket search is shared by all widths. */
function widthBucket(operand: number, low: number, high: number, count: number): number {
  if (count <= 0)
    throw new DbError('invalid_argument_for_width_bucket_function', 'count must be greater than zero');
  if (Number.isNaN(operand) || Number.isNaN(low) || Number.isNaN(high)) {
    throw new DbError(
      'invalid_argument_for_width_bucket_function',
      'operand, lower bound, and upper bound cannot be NaN',
    );
  }
  if (isInfinite(low) || isInfinite(high)) {
    throw new DbError('invalid_argument_for_width_bucket_function', 'lower and upper bounds must be finite');
  }
  let result: number;
  if (low < high) {
    if (operand < low) return 0;
    if (operand >= high) result = count + 1;
    else
      result =
        Math.floor(
          isInfinite(high - low)
            ? ((operand / 2 - low / 2) / (high / 2 - low / 2)) * count
            : count * ((operand - low) / (high - low)),
        ) + 1;
    if (operand < high && result > count) result = count;
  } else if (low > high) {
    if (operand > low) return 0;
    if (operand <= high) result = count + 1;
    else
      result =
        Math.floor(
          isInfinite(low - high)
            ? ((low / 2 - operand / 2) / (low / 2 - high / 2)) * count
            : count * ((low - operand) / (low - high)),
        ) + 1;
    if (operand > high && result > count) result = count;
  } else {
    throw new DbError('invalid_argument_for_width_bucket_function', 'lower bound cannot equal upper bound');
  }
  if (result > 2147483647) throw rangeError('integer');
  return result;
}

const pure: Record<string, Implementation> = {
  ...four('float8', null),
  ...four('float48', null),
  ...four('float84', null),
  ...four('float4', single),
  float8um: (value: number) => -value,
  float4um: (value: number) => -value,
  float8up: (value: number) => value,
  float4up: (value: number) => value,
  float8abs: Math.abs,
  float4abs: Math.abs,
  ftod: (value: number) => value,
  dtof: (value: number) => {
    const result = Math.fround(value);
    if (isInfinite(result) && !isInfinite(value)) throw overflow();
    if (result === 0 && value !== 0) throw underflow();
    return result;
  },
  dtoi2: (value: number) => toInteger(value, -32768, 32767, 'smallint'),
  dtoi4: (value: number) => toInteger(value, -2147483648, 2147483647, 'integer'),
  dtoi8: toBigint,
  ftoi2: (value: number) => toInteger(value, -32768, 32767, 'smallint'),
  ftoi4: (value: number) => toInteger(value, -2147483648, 2147483647, 'integer'),
  ftoi8: toBigint,
  float8_numeric: (value: number) => numericFromFloat8(value),
  float4_numeric: (value: number) => numericFromFloat4(value),
  dceil: Math.ceil,
  dfloor: Math.floor,
  dround: (value: number) =>
    Number.isInteger(value) || !Number.isFinite(value) ? value : roundHalfEven(value),
  dtrunc: Math.trunc,
  dsign: (value: number) => (value > 0 ? 1 : value < 0 ? -1 : 0),
  dsqrt: (value: number) => {
    if (value < 0) {
      throw new DbError(
        'invalid_argument_for_power_function',
        'cannot take square root of a negative number',
      );
    }
    return Math.sqrt(value);
  },
  dcbrt: Math.cbrt,
  dpow: power,
  dexp: (value: number) => {
    const result = Math.exp(value);
    if (isInfinite(result) && !isInfinite(value)) throw overflow();
    if (result === 0 && !isInfinite(value)) throw underflow();
    return result;
  },
  dlog1: logarithm('log'),
  dlog10: logarithm('log10'),
  dpi: () => Math.PI,
  degrees: (value: number) => divide(value, RADIANS_PER_DEGREE),
  radians: (value: number) => multiply(value, RADIANS_PER_DEGREE),
  dsin: checked(Math.sin, finite),
  dcos: checked(Math.cos, finite),
  dtan: checked(Math.tan, finite),
  dcot: checked((value) => 1 / Math.tan(value), finite),
  dasin: checked(Math.asin, withinOne),
  dacos: checked(Math.acos, withinOne),
  datan: Math.atan,
  datan2: Math.atan2,
  dsinh: Math.sinh,
  dcosh: Math.cosh,
  dtanh: Math.tanh,
  dasinh: Math.asinh,
  dacosh: checked(Math.acosh, (value) => value >= 1),
  datanh: checked(Math.atanh, withinOne),
  dsind: checked(sinDegrees, finite),
  dcosd: checked(cosDegrees, finite),
  dtand: checked(tanDegrees, finite),
  dcotd: checked(cotDegrees, finite),
  dasind: checked((value) => (value >= 0 ? asinQuadrant(value) : -asinQuadrant(-value)), withinOne),
  dacosd: checked((value) => (value >= 0 ? acosQuadrant(value) : 90 + asinQuadrant(-value)), withinOne),
  datand: (value: number) => (Math.atan(value) / ATAN_ONE) * 45,
  datan2d: (left: number, right: number) => (Math.atan2(left, right) / ATAN_ONE) * 45,
  width_bucket_float8: widthBucket,
  in_range_float8_float8: inRange,
  in_range_float4_float8: inRange,
};

/** RANGE frames: is value within base ± offset? NaN sorts last. */
function inRange(value: number, base: number, offset: number, isSubtract: boolean, isLess: boolean): boolean {
  if (Number.isNaN(offset) || offset < 0) {
    throw new DbError(
      'invalid_preceding_or_following_size',
      'invalid preceding or following size in window function',
    );
  }
  if (Number.isNaN(value)) return Number.isNaN(base) ? true : !isLess;
  if (Number.isNaN(base)) return isLess;
  if (isInfinite(offset) && isInfinite(base) && (isSubtract ? base > 0 : base < 0)) return true;
  const sum = isSubtract ? base - offset : base + offset;
  return isLess ? compareFloat(value, sum) <= 0 : compareFloat(value, sum) >= 0;
}

export const floatFunctions: FunctionTable = {
  ...pureTable(pure),
  ...boundTable({
    drandom: (context) => () => context.random(),
    setseed: (context) => (seed: number) => {
      if (!(seed >= -1 && seed <= 1)) {
        throw new DbError(
          'invalid_parameter_value',
          `setseed parameter ${seed} is out of allowed range [-1,1]`,
        );
      }
      context.setSeed(seed);
      return '';
    },
  }),
};
