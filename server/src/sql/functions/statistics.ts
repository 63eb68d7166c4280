/**
 * Variance, deviation, covariance and regression aggregates.
 *
 * Floats use the Youngs-Cramer recurrence that PostgreSQL uses, so that results agree to the last bit for equal input order;
 * integers and numerics keep exact sums.
 */

import { DbError } from '../../base/error.ts';
import type { Datum } from '../../types/datum.ts';
import { Numeric } from '../../types/numeric.ts';
import {
  divideToScale,
  divisionScale,
  makeNumeric,
  NUMERIC_NAN,
  NUMERIC_ZERO,
  numericMultiply,
  numericSubtract,
} from '../../types/numeric-core.ts';
import { numericSqrtToScale } from '../../types/numeric-functions.ts';
import { NumericSum } from '../../types/numeric-sum.ts';
import { plainAggregate } from './aggregate-parts.ts';
import type { AggregateFunction } from './contract.ts';

class FloatMoments {
  n = 0;
  sx = 0;
  sxx = 0;
}

const isInfinite = (value: number): boolean =>
  value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;

function overflow(): DbError {
  return new DbError('numeric_value_out_of_range', 'value out of range: overflow');
}

function addFloat(state: FloatMoments, value: number): void {
  const previousSum = state.sx;
  const previousCount = state.n;
  state.n += 1;
  state.sx += value;
  if (previousCount > 0) {
    const difference = value * state.n - state.sx;
    state.sxx += (difference * difference) / (state.n * previousCount);
    if (isInfinite(state.sx) || isInfinite(state.sxx)) {
      if (!isInfinite(previousSum) && !isInfinite(value)) throw overflow();
      state.sxx = Number.NaN;
    }
  } else if (!Number.isFinite(value)) state.sxx = Number.NaN;
}

function mergeFloat(target: FloatMoments, source: FloatMoments): void {
  if (source.n === 0) return;
  if (target.n === 0) {
    target.n = source.n;
    target.sx = source.sx;
    target.sxx = source.sxx;
    return;
  }
  const n = target.n + source.n;
  const difference = target.sx / target.n - source.sx / source.n;
  target.sxx += source.sxx + (target.n * source.n * difference * difference) / n;
  target.n = n;
  target.sx += source.sx;
}

function floatVariance(isSample: boolean, isRoot: boolean): AggregateFunction {
  return plainAggregate<FloatMoments>(() => ({
    createState: () => new FloatMoments(),
    step: addFloat as (state: FloatMoments, ...args: never[]) => void,
    merge: mergeFloat,
    final: (state) => {
      if (state.n === 0 || (isSample && state.n <= 1)) return null;
      const variance = state.sxx / (isSample ? state.n - 1 : state.n);
      return isRoot ? Math.sqrt(variance) : variance;
    },
  }));
}

class ExactMoments {
  readonly sum = new NumericSum();
  readonly squares = new NumericSum();
  hasSpecial = false;
}

function exactVariance(
  toNumeric: (value: never) => Numeric,
  isSample: boolean,
  isRoot: boolean,
): AggregateFunction {
  return plainAggregate<ExactMoments>(() => ({
    createState: () => new ExactMoments(),
    step: (state: ExactMoments, value: never) => {
      const number = toNumeric(value);
      state.sum.add(number);
      if (number.kind !== 'finite') state.hasSpecial = true;
      else state.squares.add(numericMultiply(number, number));
    },
    merge: (target, source) => {
      target.sum.merge(source.sum);
      target.squares.merge(source.squares);
      target.hasSpecial ||= source.hasSpecial;
    },
    final: (state) => {
      const n = state.sum.count;
      if (n === 0 || (isSample && n <= 1)) return null;
      if (state.hasSpecial) return NUMERIC_NAN;
      const count = new Numeric(n, 0);
      const sum = state.sum.total();
      const numerator = numericSubtract(
        numericMultiply(count, state.squares.total()),
        numericMultiply(sum, sum),
      );
      if (numerator.coefficient <= 0) return NUMERIC_ZERO;
      const denominator = numericMultiply(count, new Numeric(isSample ? n - 1 : n, 0));
      const scale = divisionScale(numerator, denominator);
      const variance = divideToScale(numerator, denominator, scale);
      return isRoot ? numericSqrtToScale(variance, scale) : variance;
    },
  }));
}

class Regression {
  n = 0;
  sx = 0;
  sxx = 0;
  sy = 0;
  syy = 0;
  sxy = 0;
}

/** Y is the first argument, X the second. */
function addPair(state: Regression, y: number, x: number): void {
  const { n: previous, sx: previousX, sy: previousY } = state;
  state.n += 1;
  state.sx += x;
  state.sy += y;
  if (previous > 0) {
    const differenceX = x * state.n - state.sx;
    const differenceY = y * state.n - state.sy;
    const scale = 1 / (state.n * previous);
    state.sxx += differenceX * differenceX * scale;
    state.syy += differenceY * differenceY * scale;
    state.sxy += differenceX * differenceY * scale;
    if (
      isInfinite(state.sx) ||
      isInfinite(state.sxx) ||
      isInfinite(state.sy) ||
      isInfinite(state.syy) ||
      isInfinite(state.sxy)
    ) {
      const isFiniteX = !isInfinite(previousX) && !isInfinite(x);
      const isFiniteY = !isInfinite(previousY) && !isInfinite(y);
      if (
        ((isInfinite(state.sx) || isInfinite(state.sxx)) && isFiniteX) ||
        ((isInfinite(state.sy) || isInfinite(state.syy)) && isFiniteY) ||
        (isInfinite(state.sxy) && isFiniteX && isFiniteY)
      ) {
        throw overflow();
      }
      if (isInfinite(state.sxx)) state.sxx = Number.NaN;
      if (isInfinite(state.syy)) state.syy = Number.NaN;
      if (isInfinite(state.sxy)) state.sxy = Number.NaN;
    }
  } else {
    if (!Number.isFinite(x)) state.sxx = state.sxy = Number.NaN;
    if (!Number.isFinite(y)) state.syy = state.sxy = Number.NaN;
  }
}

function regression(final: (state: Regression) => Datum, needs = 1): AggregateFunction {
  return plainAggregate<Regression>(() => ({
    createState: () => new Regression(),
    step: addPair as (state: Regression, ...args: never[]) => void,
    merge: (target, source) => {
      if (source.n === 0) return;
      if (target.n === 0) {
        Object.assign(target, source);
        return;
      }
      const n = target.n + source.n;
      const differenceX = target.sx / target.n - source.sx / source.n;
      const differenceY = target.sy / target.n - source.sy / source.n;
      const weight = (target.n * source.n) / n;
      target.sxx += source.sxx + weight * differenceX * differenceX;
      target.syy += source.syy + weight * differenceY * differenceY;
      target.sxy += source.sxy + weight * differenceX * differenceY;
      target.sx += source.sx;
      target.sy += source.sy;
      target.n = n;
    },
    final: (state) => (state.n < needs ? null : final(state)),
  }));
}

export function statisticalAggregates(): [number, AggregateFunction][] {
  const fromNumber = (value: number): Numeric => new Numeric(value, 0);
  const fromBigint = (value: bigint): Numeric => makeNumeric(value, 0);
  const same = (value: Numeric): Numeric => value;
  const result: [number, AggregateFunction][] = [];
  // OIDs of (int8, int4, int2, float4, float8, numeric) for each function name.
  const families: readonly [readonly number[], boolean, boolean][] = [
    [[2154, 2155, 2156, 2157, 2158, 2159], true, true],
    [[2712, 2713, 2714, 2715, 2716, 2717], true, true],
    [[2724, 2725, 2726, 2727, 2728, 2729], false, true],
    [[2148, 2149, 2150, 2151, 2152, 2153], true, false],
    [[2641, 2642, 2643, 2644, 2645, 2646], true, false],
    [[2718, 2719, 2720, 2721, 2722, 2723], false, false],
  ];
  for (const [oids, isSample, isRoot] of families) {
    const [int8, int4, int2, float4, float8, numeric] = oids as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const ofInteger = exactVariance(fromNumber, isSample, isRoot);
    const ofFloat = floatVariance(isSample, isRoot);
    result.push(
      [int8, exactVariance(fromBigint, isSample, isRoot)],
      [int4, ofInteger],
      [int2, ofInteger],
      [float4, ofFloat],
      [float8, ofFloat],
      [numeric, exactVariance(same, isSample, isRoot)],
    );
  }
  result.push(
    [2818, regression((state) => BigInt(state.n), 0)],
    [2819, regression((state) => state.sxx)],
    [2820, regression((state) => state.syy)],
    [2821, regression((state) => state.sxy)],
    [2822, regression((state) => state.sx / state.n)],
    [2823, regression((state) => state.sy / state.n)],
    [
      2824,
      regression((state) =>
        state.sxx === 0 ? null : state.syy === 0 ? 1 : (state.sxy * state.sxy) / (state.sxx * state.syy),
      ),
    ],
    [2825, regression((state) => (state.sxx === 0 ? null : state.sxy / state.sxx))],
    [
      2826,
      regression((state) =>
        state.sxx === 0 ? null : (state.sy - (state.sx * state.sxy) / state.sxx) / state.n,
      ),
    ],
    [2827, regression((state) => state.sxy / state.n)],
    [2828, regression((state) => state.sxy / (state.n - 1), 2)],
    [
      2829,
      regression((state) =>
        state.sxx === 0 || state.syy === 0 ? null : state.sxy / Math.sqrt(state.sxx * state.syy),
      ),
    ],
  );
  return result;
}
