/**
 * Extended statistics: what columns have to do with each other, from a sample of rows (PostgreSQL's chapter "Extended
 * Statistics"). Distinct combinations, functional dependencies and the most common combinations of a group of columns.
 */
import type { Datum } from '../types/datum.ts';
import type { ColumnGroup, GroupStatistics, TableColumn } from './contract.ts';
import { estimateDistinct } from './statistics.ts';

/** Entries of mostCommon. */
const TARGET = 100;
/** Below this a dependency says nothing. */
const DEGREE_MIN = 0.01;

type Key = string;

/**
 * Statistics of one group. `samples[i]` are the values of the group's i-th column, row by row; `totalRows` is the table's row
 * count.
 */
export function computeGroupStatistics(
  group: ColumnGroup,
  columns: readonly TableColumn[],
  samples: readonly (readonly Datum[])[],
  totalRows: number,
): GroupStatistics {
  const rows = samples[0].length;
  // Values as small numbers, so that combinations are compared cheaply.
  const codes = group.columns.map((column, at) => encode(columns[column], samples[at]));
  const members = group.columns.map((_, at) => at);
  const combination = (row: number, of: readonly number[]): Key => {
    let key = '';
    for (const member of of) key += `${codes[member][row]},`;
    return key;
  };
  const distinct: { columns: number[]; count: number }[] = [];
  if (group.wantsDistinct)
    for (const subset of subsets(members)) {
      if (subset.length < 2) continue;
      const counts = new Map<Key, { count: number }>();
      for (let row = 0; row < rows; row++) {
        const key = combination(row, subset);
        const known = counts.get(key);
        if (known === undefined) counts.set(key, { count: 1 });
        else known.count++;
      }
      distinct.push({
        columns: subset.map((member) => group.columns[member]),
        count: estimateDistinct(counts, rows, totalRows),
      });
    }
  const dependencies: { from: number[]; to: number; degree: number }[] = [];
  if (group.wantsDependencies)
    for (const from of subsets(members))
      for (const to of members) {
        if (from.length === members.length || from.includes(to)) continue;
        const degree = dependencyDegree(rows, (row) => combination(row, from), codes[to]);
        if (degree >= DEGREE_MIN)
          dependencies.push({
            from: from.map((member) => group.columns[member]),
            to: group.columns[to],
            degree,
          });
      }
  return {
    oid: group.oid,
    columns: group.columns,
    distinct,
    dependencies,
    mostCommon: group.wantsMostCommon
      ? mostCommonOf(
          rows,
          group.columns.map((column) => columns[column]),
          codes,
          samples,
          combination,
        )
      : [],
  };
}

/** Equal values get equal numbers; NULL is 0. */
function encode(column: TableColumn, values: readonly Datum[]): Uint32Array {
  const numbers = new Map<string | number | bigint | boolean, number>();
  return Uint32Array.from(values, (value) => {
    if (value === null) return 0;
    const key = column.support.hashKey(value);
    let number = numbers.get(key);
    if (number === undefined) {
      number = numbers.size + 1;
      numbers.set(key, number);
    }
    return number;
  });
}

/** Non-empty subsets, in the order of their members. */
function* subsets(members: readonly number[]): Generator<number[]> {
  for (let bits = 1; bits < 1 << members.length; bits++)
    yield members.filter((member) => (bits & (1 << member)) !== 0);
}

/** Share of rows whose combination of `from` always goes with one value of `to`. */
function dependencyDegree(rows: number, from: (row: number) => Key, to: Uint32Array): number {
  const seen = new Map<Key, { to: number; count: number; isConsistent: boolean }>();
  for (let row = 0; row < rows; row++) {
    const key = from(row);
    const known = seen.get(key);
    if (known === undefined) seen.set(key, { to: to[row], count: 1, isConsistent: true });
    else {
      known.count++;
      if (known.to !== to[row]) known.isConsistent = false;
    }
  }
  let supporting = 0;
  for (const { count, isConsistent } of seen.values()) if (isConsistent) supporting += count;
  return rows === 0 ? 0 : supporting / rows;
}

function mostCommonOf(
  rows: number,
  columns: readonly TableColumn[],
  codes: readonly Uint32Array[],
  samples: readonly (readonly Datum[])[],
  combination: (row: number, of: readonly number[]) => Key,
): GroupStatistics['mostCommon'] {
  const members = columns.map((_, at) => at);
  const single = codes.map((column) => {
    const counts = new Map<number, number>();
    for (const code of column) counts.set(code, (counts.get(code) ?? 0) + 1);
    return counts;
  });
  const groups = new Map<Key, { row: number; count: number }>();
  for (let row = 0; row < rows; row++) {
    const key = combination(row, members);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { row, count: 1 });
    else known.count++;
  }
  // Equally common ones in their order, so that a sample in another order gives the same list.
  const inOrder = (left: number, right: number): number => {
    for (const member of members) {
      const [first, second] = [samples[member][left], samples[member][right]];
      if (first === null || second === null) continue;
      const { support } = columns[member];
      const order = support.compare?.call(support, first, second) ?? 0;
      if (order !== 0) return order;
    }
    return 0;
  };
  const isComplete = groups.size <= TARGET;
  const average = rows / Math.max(1, groups.size);
  return [...groups.values()]
    .sort((left, right) => right.count - left.count || inOrder(left.row, right.row))
    .slice(0, TARGET)
    .filter(({ count }) => isComplete || (count > 1 && count > average * 1.25))
    .map(({ row, count }) => ({
      values: members.map((member) => samples[member][row]),
      fraction: count / rows,
      baseFraction: members.reduce(
        (product, member) => product * ((single[member].get(codes[member][row]) ?? 0) / rows),
        1,
      ),
    }));
}
