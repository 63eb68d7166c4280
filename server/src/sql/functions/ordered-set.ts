/** Ordered-set aggregates (percentiles, mode) and hypothetical-set aggregates (rank …). Input arrives sorted. */
import { DbError } from '../../base/error.ts';
import { addIntervals, multiplyInterval, subtractIntervals } from '../../types/datetime-arithmetic.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import type { Interval } from '../../types/interval.ts';
import { OID } from '../../types/oid.ts';
import { plainAggregate } from './aggregate-parts.ts';
import type { AggregateFunction, CallSite, FunctionContext } from './contract.ts';

class SortedState {
  readonly rows: Datum[] = [];
}

function checkFraction(fraction: number): void {
  if (!(fraction >= 0 && fraction <= 1)) {
    throw new DbError('numeric_value_out_of_range', `percentile value ${fraction} is not between 0 and 1`);
  }
}

/** Smallest value whose position is at or beyond the fraction. */
function discrete(rows: readonly Datum[], fraction: number): Datum {
  return rows[Math.max(1, Math.ceil(fraction * rows.length)) - 1]!;
}

function continuous(rows: readonly Datum[], fraction: number, isInterval: boolean): Datum {
  const position = fraction * (rows.length - 1);
  const first = Math.floor(position);
  const second = Math.ceil(position);
  const low = rows[first]!;
  if (first === second) return low;
  const high = rows[second]!;
  const proportion = position - first;
  if (isInterval) {
    return addIntervals(
      low as Interval,
      multiplyInterval(subtractIntervals(high as Interval, low as Interval), proportion),
    );
  }
  return (low as number) + proportion * ((high as number) - (low as number));
}

type Percentile = (rows: readonly Datum[], fraction: number) => Datum;

function collect(
  final: (state: SortedState, direct: Datum, site: CallSite, context: FunctionContext) => Datum,
): AggregateFunction {
  return plainAggregate<SortedState>(
    (context, site) => ({
      strict: true,
      createState: () => new SortedState(),
      step: (state: SortedState, value: Datum) => {
        state.rows.push(value);
      },
      final: (state: SortedState, direct: Datum) => final(state, direct, site, context),
    }),
    'o',
  );
}

function single(percentile: Percentile): AggregateFunction {
  return collect((state, direct) => {
    if (direct === null || direct === undefined) return null;
    checkFraction(direct as number);
    return state.rows.length === 0 ? null : percentile(state.rows, direct as number);
  });
}

function multiple(percentile: Percentile, elementType: (site: CallSite) => number): AggregateFunction {
  return collect((state, direct, site) => {
    if (direct === null || direct === undefined || state.rows.length === 0) return null;
    const fractions = direct as SqlArray;
    const results = fractions.elements.map((fraction) => {
      if (fraction === null) return null;
      checkFraction(fraction as number);
      return percentile(state.rows, fraction as number);
    });
    return new SqlArray(elementType(site), results, fractions.dimensions, fractions.lowerBounds);
  });
}

/** The sorted column's type: the last argument. */
const sortedType = (site: CallSite): number => site.argumentTypes.at(-1)!;

const mode = collect((state, _direct, site, context) => {
  const { compare } = context.typeSupport(sortedType(site));
  let best: Datum = null;
  let bestCount = 0;
  let current: Datum = null;
  let count = 0;
  for (const value of state.rows) {
    if (current !== null && compare!(current, value) === 0) count++;
    else {
      current = value;
      count = 1;
    }
    if (count > bestCount) {
      best = current;
      bestCount = count;
    }
  }
  return best;
});

class RowsState {
  readonly rows: Datum[][] = [];
}

/** Counts rows before and equal to the hypothetical row. */
function hypothetical(
  final: (before: number, distinctBefore: number, equal: number, total: number) => Datum,
): AggregateFunction {
  return plainAggregate<RowsState>((context, site) => {
    const keyCount = site.sortKeys?.length ?? Math.floor(site.argumentTypes.length / 2);
    const types = site.argumentTypes.slice(-keyCount);
    const comparers = types.map((type) => context.typeSupport(type).compare!);
    const keys = site.sortKeys ?? types.map(() => ({ descending: false, nullsFirst: false }));
    const compareRows = (left: readonly Datum[], right: readonly Datum[]): number => {
      for (let index = 0; index < keyCount; index++) {
        const a = left[index] ?? null;
        const b = right[index] ?? null;
        if (a === null || b === null) {
          if (a === b) continue;
          return (a === null) === keys[index]!.nullsFirst ? -1 : 1;
        }
        const order = comparers[index]!(a, b);
        if (order !== 0) return keys[index]!.descending ? -order : order;
      }
      return 0;
    };
    return {
      strict: false,
      createState: () => new RowsState(),
      step: (state: RowsState, ...args: Datum[]) => {
        state.rows.push(args.slice(-keyCount));
      },
      final: (state: RowsState, ...direct: Datum[]) => {
        let before = 0;
        let distinct = 0;
        let equal = 0;
        let previous: readonly Datum[] | null = null;
        for (const row of state.rows) {
          const order = compareRows(row, direct);
          if (order < 0) {
            before++;
            if (previous === null || compareRows(previous, row) !== 0) distinct++;
            previous = row;
          } else if (order === 0) equal++;
          else break;
        }
        return final(before, distinct, equal, state.rows.length);
      },
    };
  }, 'h');
}

export function orderedSetAggregates(): [number, AggregateFunction][] {
  const floats: Percentile = (rows, fraction) => continuous(rows, fraction, false);
  const intervals: Percentile = (rows, fraction) => continuous(rows, fraction, true);
  return [
    [3972, single(discrete)],
    [3974, single(floats)],
    [3976, single(intervals)],
    [3978, multiple(discrete, sortedType)],
    [3980, multiple(floats, () => OID.FLOAT8)],
    [3982, multiple(intervals, () => OID.INTERVAL)],
    [3984, mode],
    [3986, hypothetical((before) => BigInt(before + 1))],
    [3988, hypothetical((before, _distinct, _equal, total) => (total === 0 ? 0 : before / total))],
    [3990, hypothetical((before, _distinct, equal, total) => (before + equal + 1) / (total + 1))],
    [3992, hypothetical((_before, distinct) => BigInt(distinct + 1))],
  ];
}
