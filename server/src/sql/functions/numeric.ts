/** Functions and operators of numeric. */
import { DbError } from '../../base/error.ts';
import { Numeric } from '../../types/numeric.ts';
import {
  NUMERIC_ONE,
  numericAbs,
  numericAdd,
  numericCeil,
  numericCompare,
  numericDivide,
  numericDivideTruncated,
  numericFloor,
  numericMinimumScale,
  numericModulo,
  numericMultiply,
  numericNegate,
  numericRound,
  numericSign,
  numericSubtract,
  numericTruncate,
} from '../../types/numeric-core.ts';
import {
  numericExp,
  numericGcd,
  numericLcm,
  numericLn,
  numericLog,
  numericPower,
  numericSqrt,
} from '../../types/numeric-functions.ts';
import {
  applyNumericTypmod,
  formatNumeric,
  numericFromInteger,
  numericToFloat8,
  numericToInteger,
} from '../../types/numeric-text.ts';
import { formatLsn } from '../../types/scalars.ts';
import { pureTable } from './registry.ts';

const TEN = new Numeric(10, 0);
/** Requested scales are clamped as PostgreSQL clamps them. */
const clampScale = (scale: number): number => Math.max(-16383, Math.min(16383, scale));

function widthBucket(operand: Numeric, low: Numeric, high: Numeric, count: number): number {
  const invalid = (message: string): DbError =>
    new DbError('invalid_argument_for_width_bucket_function', message);
  if (count <= 0) throw invalid('count must be greater than zero');
  if (operand.kind === 'NaN' || low.kind === 'NaN' || high.kind === 'NaN') {
    throw invalid('operand, lower bound, and upper bound cannot be NaN');
  }
  if (low.kind !== 'finite' || high.kind !== 'finite') throw invalid('lower and upper bounds must be finite');
  const order = numericCompare(low, high);
  if (order === 0) throw invalid('lower bound cannot equal upper bound');
  const toLow = numericCompare(operand, low);
  const toHigh = numericCompare(operand, high);
  if (order < 0 ? toLow < 0 : toLow > 0) return 0;
  if (order < 0 ? toHigh >= 0 : toHigh <= 0) {
    if (count === 2147483647) throw new DbError('numeric_value_out_of_range', 'integer out of range');
    return count + 1;
  }
  const distance = numericSubtract(operand, low);
  const width = numericSubtract(high, low);
  const bucket = numericDivideTruncated(numericMultiply(distance, numericFromInteger(count)), width);
  return Math.min(count, Number(bucket.coefficient) + 1);
}

function inRange(
  value: Numeric,
  base: Numeric,
  offset: Numeric,
  isSubtract: boolean,
  isLess: boolean,
): boolean {
  if (offset.kind === 'NaN' || numericSign(offset) < 0) {
    throw new DbError(
      'invalid_preceding_or_following_size',
      'invalid preceding or following size in window function',
    );
  }
  if (value.kind === 'NaN') return base.kind === 'NaN' ? true : !isLess;
  if (base.kind === 'NaN') return isLess;
  if (offset.kind === 'Infinity' && base.kind === (isSubtract ? 'Infinity' : '-Infinity')) return true;
  const bound = isSubtract ? numericSubtract(base, offset) : numericAdd(base, offset);
  const order = numericCompare(value, bound);
  return isLess ? order <= 0 : order >= 0;
}

export const numericFunctions = pureTable({
  numeric_add: numericAdd,
  numeric_sub: numericSubtract,
  numeric_mul: numericMultiply,
  numeric_div: numericDivide,
  numeric_div_trunc: numericDivideTruncated,
  numeric_mod: numericModulo,
  numeric_uminus: numericNegate,
  numeric_uplus: (value: Numeric) => value,
  numeric_abs: numericAbs,
  numeric_inc: (value: Numeric) => numericAdd(value, NUMERIC_ONE),
  numeric_sign: (value: Numeric) => (value.kind === 'NaN' ? value : new Numeric(numericSign(value), 0)),
  numeric_round: (value: Numeric, scale: number) => roundTo(value, scale, numericRound),
  numeric_trunc: (value: Numeric, scale: number) => roundTo(value, scale, numericTruncate),
  numeric_ceil: numericCeil,
  numeric_floor: numericFloor,
  numeric_sqrt: numericSqrt,
  numeric_exp: numericExp,
  numeric_ln: numericLn,
  numeric_log: numericLog,
  numeric_power: numericPower,
  numeric_gcd: numericGcd,
  numeric_lcm: numericLcm,
  numeric_scale: (value: Numeric) => (value.kind === 'finite' ? value.scale : null),
  numeric_min_scale: (value: Numeric) => (value.kind === 'finite' ? numericMinimumScale(value) : null),
  numeric_trim_scale: (value: Numeric) =>
    value.kind === 'finite' ? numericTruncate(value, numericMinimumScale(value)) : value,
  numeric: (value: Numeric, typmod: number) => applyNumericTypmod(value, typmod),
  numeric_int2: (value: Numeric) => numericToInteger(value, 'smallint'),
  numeric_int4: (value: Numeric) => numericToInteger(value, 'integer'),
  numeric_int8: (value: Numeric) => numericToInteger(value, 'bigint'),
  numeric_float4: (value: Numeric) => toFloat4(value),
  numeric_float8: (value: Numeric) => toFloat8(value),
  numeric_pg_lsn: (value: Numeric) => {
    if (value.kind !== 'finite') {
      throw new DbError(
        'feature_not_supported',
        `cannot convert ${value.kind === 'NaN' ? 'NaN' : 'infinity'} to pg_lsn`,
      );
    }
    const whole = BigInt(numericRound(value, 0).coefficient);
    if (whole < 0n || whole > 0xffffffffffffffffn)
      throw new DbError('invalid_parameter_value', 'pg_lsn out of range');
    return formatLsn(whole);
  },
  width_bucket_numeric: widthBucket,
  in_range_numeric_numeric: inRange,
  '#1741': (value: Numeric) => numericLog(TEN, value),
  '#1481': (value: Numeric) => numericLog(TEN, value),
  '#1708': (value: Numeric) => numericRound(value, 0),
  '#1710': (value: Numeric) => numericTruncate(value, 0),
});

/** A negative scale rounds before the point; the result shows no decimals then. */
function roundTo(value: Numeric, scale: number, change: (value: Numeric, scale: number) => Numeric): Numeric {
  return change(value, clampScale(scale));
}

function toFloat8(value: Numeric): number {
  const result = numericToFloat8(value);
  if (value.kind === 'finite' && (!Number.isFinite(result) || (result === 0 && value.coefficient !== 0))) {
    throw new DbError(
      'numeric_value_out_of_range',
      `"${formatNumeric(value)}" is out of range for type double precision`,
    );
  }
  return result;
}

function toFloat4(value: Numeric): number {
  const result = Math.fround(numericToFloat8(value));
  if (value.kind === 'finite' && (!Number.isFinite(result) || (result === 0 && value.coefficient !== 0))) {
    throw new DbError('numeric_value_out_of_range', 'value out of range');
  }
  return result;
}
