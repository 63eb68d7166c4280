/**
 * Column statistics from a sample of rows, in the meaning of PostgreSQL's pg_stats.
 *
 * The sample is spread evenly over the table. Distinct values are estimated as Haas and Stokes' Duj1 does
 * (n*d / (n - f1 + f1*n/N)), the estimator PostgreSQL uses.
 */
import type { Datum } from '../types/datum.ts';
import type { ColumnStatistics, TableColumn } from './contract.ts';

/** Entries of mostCommon and histogram, as default_statistics_target. */
const TARGET = 100;

export const EMPTY_STATISTICS: ColumnStatistics = {
  nullFraction: 0,
  distinctCount: 0,
  averageWidth: 8,
  minimum: null,
  maximum: null,
  mostCommon: [],
  histogram: [],
  correlation: 0,
};

/** Statistics of one column. `sample` is in physical order; `totalRows` is the table's row count. */
export function computeStatistics(
  column: TableColumn,
  sample: readonly Datum[],
  totalRows: number,
): ColumnStatistics {
  if (sample.length === 0) return EMPTY_STATISTICS;
  const { support } = column;
  const present: Datum[] = [];
  const positions: number[] = [];
  let width = 0;
  const groups = new Map<string | number | bigint | boolean, { value: Datum; count: number }>();
  for (let at = 0; at < sample.length; at++) {
    const value = sample[at];
    if (value === null) continue;
    positions.push(present.length);
    present.push(value);
    width += widthOf(value, support.length);
    const key = support.hashKey(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { value, count: 1 });
    else group.count++;
  }
  const nullFraction = 1 - present.length / sample.length;
  if (present.length === 0) return { ...EMPTY_STATISTICS, nullFraction: 1 };
  const distinctCount = estimateDistinct(groups, present.length, totalRows * (1 - nullFraction));
  const averageWidth = Math.max(1, Math.round(width / present.length));
  const { compare } = support;
  // Equally common ones in their order, so that a sample in another order gives the same list.
  const byCount = [...groups.values()].sort(
    (left, right) => right.count - left.count || (compare?.call(support, left.value, right.value) ?? 0),
  );
  const isComplete = groups.size <= TARGET && distinctCount <= groups.size * 1.05;
  const averageCount = present.length / Math.max(1, distinctCount);
  const mostCommon = byCount
    .slice(0, TARGET)
    .filter((group) => isComplete || (group.count > 1 && group.count > averageCount * 1.25))
    .map((group) => ({ value: group.value, fraction: group.count / sample.length }));
  if (compare === undefined) {
    return {
      nullFraction,
      distinctCount,
      averageWidth,
      minimum: null,
      maximum: null,
      mostCommon,
      histogram: [],
      correlation: 0,
    };
  }
  const order = positions.sort(
    (left, right) => compare.call(support, present[left], present[right]) || left - right,
  );
  const common = new Set(mostCommon.map((entry) => support.hashKey(entry.value)));
  const rest = order.map((at) => present[at]).filter((value) => !common.has(support.hashKey(value)));
  const histogram: Datum[] = [];
  if (rest.length >= 2) {
    const bounds = Math.min(TARGET, rest.length - 1);
    for (let at = 0; at <= bounds; at++) histogram.push(rest[Math.round((at * (rest.length - 1)) / bounds)]);
  }
  return {
    nullFraction,
    distinctCount,
    averageWidth,
    minimum: present[order[0]],
    maximum: present[order[order.length - 1]],
    mostCommon,
    histogram,
    correlation: rankCorrelation(order),
  };
}

function widthOf(value: Datum, length: number): number {
  if (length > 0) return length;
  if (typeof value === 'string') return value.length + 1;
  return value instanceof Uint8Array ? value.length + 1 : 8;
}

/** Haas and Stokes' Duj1, see the module comment. */
export function estimateDistinct(
  groups: ReadonlyMap<unknown, { count: number }>,
  sampled: number,
  total: number,
): number {
  if (sampled >= total) return groups.size;
  let singles = 0;
  for (const group of groups.values()) if (group.count === 1) singles++;
  const estimate = (sampled * groups.size) / (sampled - singles + (singles * sampled) / total);
  return Math.round(Math.min(total, Math.max(groups.size, estimate)));
}

/** Pearson correlation of value rank and physical position. */
function rankCorrelation(order: readonly number[]): number {
  const count = order.length;
  if (count < 2) return 1;
  const mean = (count - 1) / 2;
  let product = 0;
  let square = 0;
  for (let rank = 0; rank < count; rank++) {
    product += (rank - mean) * (order[rank] - mean);
    square += (rank - mean) * (rank - mean);
  }
  return product / square;
}
