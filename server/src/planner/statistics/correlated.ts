/**
 * Conditions on columns that have to do with each other, by extended statistics (CREATE STATISTICS).
 *
 * Equalities with constants only: a combination among the most common ones has a known share; else a dependency of degree f
 * makes the second condition as good as implied for a share f of the rows: P(a, b) = P(a) (f + (1 - f) P(b)).
 */
import type { GroupStatistics } from '../../table/contract.ts';
import type { Datum } from '../../types/datum.ts';
import type { LExpr } from '../expression/walk.ts';
import { usedSlots } from '../logical/nodes.ts';
import type { PlannerState } from '../state.ts';
import { plainSlot } from './column.ts';

interface Equality {
  readonly predicate: LExpr;
  readonly typeOid: number;
  /** Undefined: a parameter. */
  readonly value: Datum | undefined;
}

/**
 * The share of rows that pass those of the conditions that can be judged together, and the conditions that are left.
 * `alone` gives the share of one condition.
 */
export function correlatedSelectivity(
  state: PlannerState,
  predicates: readonly LExpr[],
  alone: (predicate: LExpr) => number,
): { share: number; rest: readonly LExpr[] } {
  const { statistics } = state.options;
  if (statistics.groups === undefined || predicates.length < 2) return { share: 1, rest: predicates };
  const tables = new Map<number, Map<number, Equality>>();
  for (const predicate of predicates) {
    const found = equalityOf(state, predicate);
    if (found === null) continue;
    const columns = tables.get(found.tableOid) ?? new Map<number, Equality>();
    // A second condition on the same column stays with the rest.
    if (!columns.has(found.column)) columns.set(found.column, found.equality);
    tables.set(found.tableOid, columns);
  }
  let share = 1;
  const judged = new Set<LExpr>();
  for (const [tableOid, columns] of tables) {
    if (columns.size < 2) continue;
    const groups = statistics.groups(tableOid);
    if (groups.length === 0) continue;
    for (const group of groups) {
      const common = commonShare(state, group, columns);
      if (common === null) continue;
      share *= common;
      for (const column of group.columns) {
        judged.add((columns.get(column) as Equality).predicate);
        columns.delete(column);
      }
    }
    for (;;) {
      const dependency = strongest(groups, columns);
      if (dependency === null) break;
      const { predicate } = columns.get(dependency.to) as Equality;
      share *= dependency.degree + (1 - dependency.degree) * alone(predicate);
      judged.add(predicate);
      columns.delete(dependency.to);
    }
  }
  return { share, rest: judged.size === 0 ? predicates : predicates.filter((one) => !judged.has(one)) };
}

/** `column = constant`, or a parameter. */
function equalityOf(
  state: PlannerState,
  expr: LExpr,
): { tableOid: number; column: number; equality: Equality } | null {
  if (expr.kind !== 'operator' || expr.args.length !== 2) return null;
  const operator = state.catalog.operator(expr.operatorOid);
  if (operator === null || operator.btreeStrategy !== 3) return null;
  const [left, right] = expr.args as [LExpr, LExpr];
  const slot = plainSlot(left);
  if (slot < 0 || usedSlots(right).size > 0) return null;
  const { origin } = state.slots[slot];
  if (origin === null || origin.column < 0) return null;
  const value =
    right.kind === 'const' &&
    (operator.leftType === operator.rightType || operator.rightType === left.typeOid)
      ? right.value
      : undefined;
  return { ...origin, equality: { predicate: expr, typeOid: left.typeOid, value } };
}

/** Share of the combination asked for, when it is one of the most common. */
function commonShare(
  state: PlannerState,
  group: GroupStatistics,
  columns: ReadonlyMap<number, Equality>,
): number | null {
  if (group.mostCommon.length === 0) return null;
  const asked: { value: Datum; compare: (left: Datum, right: Datum) => number }[] = [];
  for (const column of group.columns) {
    const equality = columns.get(column);
    const compare =
      equality === undefined ? undefined : state.catalog.type(equality.typeOid)?.support.compare;
    if (equality?.value === undefined || equality.value === null || compare === undefined) return null;
    asked.push({ value: equality.value, compare });
  }
  const found = group.mostCommon.find(({ values }) =>
    asked.every(({ value, compare }, at) => values[at] !== null && compare(values[at], value) === 0),
  );
  return found?.fraction ?? null;
}

/** The dependency among the columns that explains most: by the most columns, then by degree. */
function strongest(
  groups: readonly GroupStatistics[],
  columns: ReadonlyMap<number, Equality>,
): GroupStatistics['dependencies'][number] | null {
  let best: GroupStatistics['dependencies'][number] | null = null;
  for (const { dependencies } of groups)
    for (const dependency of dependencies) {
      if (!columns.has(dependency.to) || !dependency.from.every((column) => columns.has(column))) continue;
      if (
        best === null ||
        dependency.from.length > best.from.length ||
        (dependency.from.length === best.from.length && dependency.degree > best.degree)
      )
        best = dependency;
    }
  return best;
}

/**
 * Distinct combinations of columns of one table, given each column's own: known combinations first, the widest of them, the
 * others as if independent.
 */
export function distinctCombinations(
  state: PlannerState,
  tableOid: number,
  columns: ReadonlyMap<number, number>,
): number {
  const left = new Map(columns);
  let result = 1;
  const groups = left.size < 2 ? [] : (state.options.statistics.groups?.(tableOid) ?? []);
  for (;;) {
    let best: GroupStatistics['distinct'][number] | null = null;
    for (const { distinct } of groups)
      for (const known of distinct)
        if (
          (best === null || known.columns.length > best.columns.length) &&
          known.columns.every((column) => left.has(column))
        )
          best = known;
    if (best === null) break;
    result *= Math.max(1, best.count);
    for (const column of best.columns) left.delete(column);
  }
  for (const distinct of left.values()) result *= distinct;
  return result;
}
