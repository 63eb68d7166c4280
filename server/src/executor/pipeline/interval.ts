/**
 * Interval analysis: bounds of every integer expression over one morsel, from the exact bounds of its columns and the parameters.
 *
 * It is the whole overflow story of compiled code: a pipeline runs over a morsel only when every intermediate value provably fits 64 bits and
 * the bounds of its SQL type; otherwise the row executor runs the statement and raises PostgreSQL's error if there is one. So compiled
 * code contains no checks, and its integer and decimal results are exact.
 */
import type { ArithmeticOperator, IntegerBounds, Node, ParamValue } from './spec.ts';

export interface Interval {
  readonly low: bigint;
  readonly high: bigint;
}

/** Bounds of each column of the morsel (null: a column that is no integer, or has no value at all). */
export interface IntervalContext {
  readonly columns: readonly (Interval | null)[];
  readonly params: readonly ParamValue[];
  /** Bounds of a tuple's field; null: it is no integer, or there is no value. */
  readonly field?: (table: number, field: number) => Interval | null;
  /** Bounds of what a sum adds up. */
  readonly term?: (table: number, field: number) => Interval | null;
}

/** Why a pipeline cannot run over a morsel; the statement then goes to the row executor. */
export class NotCompilable {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

const INT64_LOW = -(1n << 63n);
const INT64_HIGH = (1n << 63n) - 1n;

const BOUNDS: Readonly<Record<IntegerBounds, Interval>> = {
  int2: { low: -32768n, high: 32767n },
  int4: { low: -2147483648n, high: 2147483647n },
  int8: { low: INT64_LOW, high: INT64_HIGH },
  // Well inside of PostgreSQL's ranges and away from the codes of infinity.
  date: { low: -2451000n, high: 100_000_000n },
  timestamp: { low: -211_000_000_000_000_000n, high: 8_640_000_000_000_000_000n },
};

/** Days since 2000-01-01 of the years 1 to 200,000: parts of dates before count differently. */
const AFTER_CHRIST: Interval = { low: -730_119n, high: 72_000_000n };
const EMPTY: Interval = { low: 0n, high: 0n };
const TRUTH: Interval = { low: 0n, high: 1n };

function checked(interval: Interval, bounds: Interval, what: string): Interval {
  if (interval.low < bounds.low || interval.high > bounds.high)
    throw new NotCompilable(`${what} may leave its range`);
  return interval;
}

function hull(left: Interval, right: Interval): Interval {
  return {
    low: left.low < right.low ? left.low : right.low,
    high: left.high > right.high ? left.high : right.high,
  };
}

/**
 * Bounds of the node's value where it is not NULL; the empty interval [0, 0] for doubles and strings.
 * Errors   NotCompilable when an intermediate value may leave its range.
 */
export function intervalOf(node: Node, context: IntervalContext): Interval {
  switch (node.op) {
    case 'column':
      return context.columns[node.column] ?? EMPTY;
    case 'param': {
      const value = context.params[node.param];
      return typeof value === 'bigint' ? { low: value, high: value } : EMPTY;
    }
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'mod': {
      const left = intervalOf(node.left, context);
      const right = intervalOf(node.right, context);
      if (node.type.kind === 'float') return EMPTY;
      return checked(combine(node.op, left, right), BOUNDS[node.bounds ?? 'int8'], node.op);
    }
    case 'neg': {
      const { low, high } = intervalOf(node.arg, context);
      if (node.type.kind === 'float') return EMPTY;
      return checked({ low: -high, high: -low }, BOUNDS[node.bounds ?? 'int8'], 'neg');
    }
    case 'scale': {
      const { low, high } = intervalOf(node.arg, context);
      return checked({ low: low * node.factor, high: high * node.factor }, BOUNDS.int8, 'scale');
    }
    case 'toFloat': {
      const interval = intervalOf(node.arg, context);
      // Up to 2^53 the conversion and the one division are rounded as PostgreSQL's parse of the digits is.
      if (node.arg.type.kind !== 'float' && node.divisor !== 1)
        checked(interval, { low: -(1n << 53n), high: 1n << 53n }, 'conversion to double');
      return EMPTY;
    }
    case 'compare': {
      intervalOf(node.left, context);
      intervalOf(node.right, context);
      return TRUTH;
    }
    case 'and':
    case 'or': {
      for (const arg of node.args) intervalOf(arg, context);
      return TRUTH;
    }
    case 'not':
    case 'isNull':
      intervalOf(node.arg, context);
      return TRUTH;
    case 'stringTest':
      if (node.otherwise !== undefined) intervalOf(node.otherwise, context);
      return TRUTH;
    case 'field':
      return checked(context.field?.(node.table, node.field) ?? EMPTY, BOUNDS.int8, 'a sum');
    case 'number':
      return { low: BigInt(node.value), high: BigInt(node.value) };
    case 'stringRef':
      return EMPTY;
    case 'stringEqual':
    case 'like':
      return TRUTH;
    case 'substring':
      intervalOf(node.start, context);
      intervalOf(node.length, context);
      return EMPTY;
    case 'trimEnd':
      return EMPTY;
    case 'datePart': {
      const { low, high } = intervalOf(node.arg, context);
      checked({ low, high }, AFTER_CHRIST, 'a date');
      if (node.part !== 'year')
        return { low: 1n, high: node.part === 'month' ? 12n : node.part === 'day' ? 31n : 366n };
      return {
        low: 1998n + low / (low < 0n ? 360n : 367n),
        high: 2002n + high / (high < 0n ? 367n : 360n),
      };
    }
    case 'compareAverage':
      return averageTruth(node, context);
    case 'stringCompare':
      intervalOf(node.left, context);
      intervalOf(node.right, context);
      return TRUTH;
    case 'stringLength':
      intervalOf(node.arg, context);
      return { low: 0n, high: (1n << 30n) - 1n };
    case 'floorDiv': {
      const { low, high } = intervalOf(node.arg, context);
      return { low: floorDivide(low, node.divisor), high: floorDivide(high, node.divisor) };
    }
    case 'floorMod':
      intervalOf(node.arg, context);
      return { low: 0n, high: node.divisor - 1n };
    case 'call':
      for (const arg of node.args) intervalOf(arg, context);
      if (node.type.kind === 'string') return EMPTY;
      return node.type.kind === 'bool' ? TRUTH : BOUNDS[node.typeOids.at(-1) === 23 ? 'int4' : 'int8'];
    case 'case': {
      let result = node.otherwise === null ? null : intervalOf(node.otherwise, context);
      for (const branch of node.branches) {
        intervalOf(branch.when, context);
        const value = intervalOf(branch.result, context);
        result = result === null ? value : hull(result, value);
      }
      return result ?? EMPTY;
    }
    case 'coalesce':
      return node.args.map((arg) => intervalOf(arg, context)).reduce(hull);
  }
}

/**
 * Comparing left * count with factor * sum is the same as comparing left with the rounded quotient when two different values are further
 * apart than the rounding: PostgreSQL keeps at least 16 significant digits, so below 10^8 at least 8 after the point.
 */
function averageTruth(node: Extract<Node, { op: 'compareAverage' }>, context: IntervalContext): Interval {
  const left = intervalOf(node.left, context);
  const sum = intervalOf(node.sum, context);
  const count = intervalOf(node.count, context);
  const factor = intervalOf(node.factor, context);
  const scale = scaleOf(node.sum);
  // Equal quotients must have a short decimal form: the factor may only have the primes of 10.
  if (factor.low !== factor.high || factor.low <= 0n || 1_000_000n % factor.low !== 0n)
    throw new NotCompilable('an average times an odd factor');
  const term = node.sum.op === 'field' ? (context.term?.(node.sum.table, node.sum.field) ?? null) : null;
  if (term === null) throw new NotCompilable('an average of unknown size');
  const digits = BigInt(scale + node.factorScale + scaleOf(node.left));
  // Values below 10^4 have 16 digits or more after the point, those below 10^8 twelve.
  const isSmall = widest(term) < 10_000n * 10n ** BigInt(scale);
  const limit = isSmall ? 10n ** 15n : 10n ** 11n;
  const isFar = count.high * 10n ** digits * (widest(factor) + 1n) < limit;
  if (!isFar || widest(term) >= 100_000_000n * 10n ** BigInt(scale))
    throw new NotCompilable('an average too close to call');
  const shift = scale + node.factorScale - scaleOf(node.left);
  const products = [
    combine('mul', combine('mul', left, count), power(shift)),
    combine('mul', combine('mul', factor, sum), power(-shift)),
  ];
  for (const product of products) checked(product, BOUNDS.int8, 'a comparison with an average');
  return TRUTH;
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return quotient * divisor > value ? quotient - 1n : quotient;
}

function scaleOf(node: Node): number {
  return node.type.kind === 'decimal' ? node.type.scale : 0;
}

function power(exponent: number): Interval {
  const value = exponent > 0 ? 10n ** BigInt(exponent) : 1n;
  return { low: value, high: value };
}

function combine(op: ArithmeticOperator, left: Interval, right: Interval): Interval {
  if (op === 'add') return { low: left.low + right.low, high: left.high + right.high };
  if (op === 'sub') return { low: left.low - right.high, high: left.high - right.low };
  if (op === 'div' || op === 'mod') {
    // Whatever the divisor, a quotient is no further from 0 than the dividend, a remainder no further than the divisor.
    const reach = widest(op === 'div' ? left : right);
    const limit = op === 'mod' && reach > 0n ? reach - 1n : reach;
    return { low: left.low < 0n || op === 'div' ? -limit : 0n, high: limit };
  }
  const products = [
    left.low * right.low,
    left.low * right.high,
    left.high * right.low,
    left.high * right.high,
  ];
  return products.map((product) => ({ low: product, high: product })).reduce(hull);
}

function widest({ low, high }: Interval): bigint {
  const left = low < 0n ? -low : low;
  const right = high < 0n ? -high : high;
  return left > right ? left : right;
}

/** True when `rows` values within the interval may add up to more than 64 bits hold. */
export function mayOverflowSum(interval: Interval, rows: number): boolean {
  const count = BigInt(rows);
  return interval.low * count < INT64_LOW || interval.high * count > INT64_HIGH;
}
