/**
 * Groupings: aggregates, DISTINCT and set operations. Each is priced by hashing and, where an order is there or asked for,
 * over sorted input.
 */
import { assert } from '../base/error.ts';
import type { SortKey } from '../sql/tree.ts';
import { hashAggregateCost, sortCost, sortedAggregateCost } from './cost/model.ts';
import { INT8, makeAnd, makeConst } from './expression/make.ts';
import type { LExpr } from './expression/walk.ts';
import type { LAggregate, LDistinct, LogicalNode, LSetOperation } from './logical/algebra.ts';
import type { AggregateNode, PlanAggregate, PlanExpr, PlanSortKey } from './physical.ts';
import {
  ANY,
  costOfRows,
  finite,
  keySlot,
  type NodePlanner,
  nodeBase,
  type Path,
  satisfiesOrder,
  type Wanted,
} from './physical-path.ts';
import { minMaxByIndex } from './rules/min-max.ts';
import type { PlannerState } from './state.ts';
import { groupCount } from './statistics/groups.ts';
import { conjunctionSelectivity } from './statistics/selectivity.ts';
import { rowWidth } from './statistics/width.ts';

/** What groupings need of the planner of nodes. */
export interface SortingPlanner extends NodePlanner {
  lowerAll(exprs: readonly LExpr[]): PlanExpr[];
  lowerKeys(keys: readonly SortKey[]): PlanSortKey[];
  /** The node's rows in the given order: by itself, or through a sort over `unordered`. */
  planSorted(node: LogicalNode, keys: readonly SortKey[], rows: number, unordered?: Path): Path;
}

export function planAggregate(
  planner: SortingPlanner,
  node: LAggregate,
  having: readonly LExpr[],
  wanted: Wanted,
): Path {
  const quick = minMaxByIndex(planner.state, node);
  if (quick !== null) {
    const withHaving: LogicalNode =
      having.length === 0 ? quick : { kind: 'filter', child: quick, predicates: [...having] };
    return planner.plan(withHaving, wanted);
  }
  const { state } = planner;
  const groupKeys = node.groups.map((group) => group.key);
  // Grouping sets null what they leave out, so their input order cannot serve.
  const orderFor =
    node.sets === null && groupKeys.length > 0 && node.groups.every((g) => g.expr.kind === 'slot')
      ? arrangeKeys(groupKeys, wanted.order)
      : [];
  const hashInput = planner.plan(node.child, ANY);
  const groups = node.groups.map((group) => ({
    expr: planner.lower(group.expr),
    slot: group.slot,
    equalityOid: group.key.equalityOid,
  }));
  const aggregates: PlanAggregate[] = node.aggregates.map(({ slot, call }) => ({
    slot,
    aggregateOid: call.aggregateOid,
    args: planner.lowerAll(call.args),
    directArgs: planner.lowerAll(call.directArgs),
    orderBy: planner.lowerKeys(call.orderBy),
    distinct: call.distinct,
    filter: call.filter === null ? null : planner.lower(call.filter),
    star: call.star,
    typeOid: call.typeOid,
    typmod: call.typmod,
    source: call,
  }));
  const lowered = planner.lowerAll(having);
  const perRow =
    planner.operators(groups.map((g) => g.expr as LExpr)) +
    planner.operators(
      aggregates.flatMap((a) => [...(a.args as LExpr[]), ...(a.filter === null ? [] : [a.filter as LExpr])]),
    );
  const slots = [
    ...groups.map((g) => g.slot),
    ...aggregates.map((a) => a.slot),
    ...node.grouping.map((g) => g.slot),
  ];
  const width = rowWidth(state, slots);
  const build = (
    input: Path,
    strategy: AggregateNode['strategy'],
    groupCountValue: number,
    order: readonly SortKey[],
  ): Path => {
    const rows = Math.max(1, groupCountValue * conjunctionSelectivity(state, having));
    const cost =
      strategy === 'hashed' || strategy === 'mixed'
        ? hashAggregateCost(
            state.settings,
            input,
            input.rows,
            groupCountValue,
            groups.length,
            aggregates.length + perRow,
            width,
          )
        : strategy === 'plain'
          ? plainCost(state, input, aggregates.length + perRow)
          : sortedAggregateCost(
              state.settings,
              input,
              input.rows,
              groupCountValue,
              groups.length,
              aggregates.length + perRow,
            );
    cost.total += groupCountValue * planner.expressionCost(lowered as LExpr[]);
    const path: Path = {
      rows,
      width,
      ...cost,
      order,
      make: () => {
        const result: AggregateNode = {
          ...nodeBase(path),
          kind: 'aggregate',
          strategy,
          child: input.make(),
          groups: orderGroups(groups, order, node.sets !== null),
          sets: node.sets,
          grouping: node.grouping,
          aggregates,
          having: makeAnd(lowered) as PlanExpr | null,
        };
        return result;
      },
    };
    return path;
  };
  if (node.groups.length === 0 && node.sets === null) return build(hashInput, 'plain', 1, []);
  let count: number;
  if (node.sets === null)
    count = groupCount(
      state,
      node.groups.map((g) => g.expr),
      hashInput.rows,
    );
  else {
    count = 0;
    for (const set of node.sets)
      count += groupCount(
        state,
        set.map((i) => node.groups[i].expr),
        hashInput.rows,
      );
  }
  // What the aggregate hands up has that many values.
  for (const group of node.groups) {
    const info = state.slots[group.slot];
    if (info.origin === null && info.distinct === 0)
      info.distinct = groupCount(state, [group.expr], hashInput.rows);
  }
  if (node.sets !== null) return build(hashInput, 'mixed', count, []);
  const hashed = build(hashInput, 'hashed', count, []);
  if (orderFor.length === 0) return hashed;
  const wantsIt = wanted.order.length > 0 && satisfiesOrder(orderFor, wanted.order);
  // The first groups need the first rows only.
  const inputRows = wantsIt ? wanted.rows * (hashInput.rows / Math.max(1, count)) : Number.POSITIVE_INFINITY;
  const sortedInput = planner.planSorted(node.child, orderFor, inputRows, hashInput);
  const sorted = build(sortedInput, 'sorted', count, orderFor);
  const hashedTotal = wantsIt
    ? sortCost(state.settings, hashed, hashed.rows, finite(wanted.rows), width).total
    : hashed.total;
  const sortedTotal = wantsIt ? costOfRows(sorted, Math.min(wanted.rows, sorted.rows)) : sorted.total;
  return sortedTotal < hashedTotal ? sorted : hashed;
}

export function planDistinct(planner: SortingPlanner, node: LDistinct, wanted: Wanted): Path {
  const keys = node.on ? mergeOrder(node.keys, node.order) : arrangeKeys(node.keys, wanted.order);
  const unordered = planner.plan(node.child, ANY);
  const exprs = node.keys.map((key): LExpr => key.expr);
  const count = groupCount(planner.state, exprs, unordered.rows);
  const uniqueKeys = planner.lowerKeys(node.keys);
  if (node.on && node.keys.length === 0) {
    // DISTINCT ON (constant): one row.
    const sorted =
      node.order.length === 0 ? unordered : planner.planSorted(node.child, node.order, 1, unordered);
    const path: Path = {
      ...sorted,
      rows: 1,
      make: () => ({
        ...nodeBase(path),
        kind: 'limit',
        child: sorted.make(),
        limit: makeConst(INT8, 1n),
        offset: null,
        tiesKeys: null,
      }),
    };
    return path;
  }
  const sortedInput = planner.planSorted(node.child, keys, Number.POSITIVE_INFINITY, unordered);
  const sorted: Path = {
    rows: count,
    width: sortedInput.width,
    startup: sortedInput.startup,
    total: sortedInput.total + sortedInput.rows * planner.state.settings.cpuOperatorCost * keys.length,
    order: keys,
    make: () => ({ ...nodeBase(sorted), kind: 'unique', child: sortedInput.make(), keys: uniqueKeys }),
  };
  if (node.on) return sorted;
  const cost = hashAggregateCost(
    planner.state.settings,
    unordered,
    unordered.rows,
    count,
    keys.length,
    0,
    unordered.width,
  );
  const hashed: Path = {
    rows: count,
    width: rowWidth(planner.state, node.keys.map(keySlot)),
    ...cost,
    order: [],
    make: () => ({
      ...nodeBase(hashed),
      kind: 'aggregate',
      strategy: 'hashed',
      child: unordered.make(),
      groups: node.keys.map((key, i) => ({
        expr: uniqueKeys[i].expr,
        slot: keySlot(key),
        equalityOid: key.equalityOid,
      })),
      sets: null,
      grouping: [],
      aggregates: [],
      having: null,
    }),
  };
  const wantsIt = wanted.order.length > 0 && satisfiesOrder(keys, wanted.order);
  const hashedTotal = wantsIt
    ? sortCost(planner.state.settings, hashed, hashed.rows, finite(wanted.rows), hashed.width).total
    : costOfRows(hashed, wanted.rows);
  const sortedTotal = costOfRows(sorted, wanted.rows);
  return sortedTotal < hashedTotal ? sorted : hashed;
}

export function planSetOperation(planner: SortingPlanner, node: LSetOperation, wanted: Wanted): Path {
  const { state } = planner;
  const width = rowWidth(state, node.slots);
  const keys = planner.lowerKeys(node.keys);
  const children = node.children.map((child) =>
    planner.plan(child, node.op === 'union' && node.all ? { order: [], rows: wanted.rows } : ANY),
  );
  if (node.op === 'union') {
    const rows = children.reduce((sum, child) => sum + child.rows, 0);
    const append: Path = {
      rows,
      width,
      startup: children[0].startup,
      total: children.reduce((sum, child) => sum + child.total, 0) + rows * state.settings.cpuTupleCost * 0.5,
      order: [],
      make: () => ({
        ...nodeBase(append),
        kind: 'append',
        children: children.map((child) => child.make()),
        maps: node.maps,
        slots: node.slots,
      }),
    };
    if (node.all) return append;
    // UNION without columns has at most one row.
    const cost = hashAggregateCost(
      state.settings,
      append,
      rows,
      rows,
      Math.max(1, node.slots.length),
      0,
      width,
    );
    const path: Path = {
      rows: Math.max(1, rows),
      width,
      ...cost,
      order: [],
      make: () => ({
        ...nodeBase(path),
        kind: 'aggregate',
        strategy: 'hashed',
        child: append.make(),
        groups: node.slots.map((slot, i) => ({
          expr: state.slot(slot),
          slot,
          equalityOid: keys[i]?.equalityOid ?? 0,
        })),
        sets: null,
        grouping: [],
        aggregates: [],
        having: null,
      }),
    };
    return path;
  }
  assert(children.length === 2, 'INTERSECT and EXCEPT take two inputs');
  const [left, right] = children;
  const rows = node.op === 'intersect' ? Math.min(left.rows, right.rows) : left.rows;
  const path: Path = {
    rows,
    width,
    startup:
      left.total +
      right.total +
      (left.rows + right.rows) * state.settings.cpuOperatorCost * Math.max(1, node.slots.length),
    total:
      left.total +
      right.total +
      (left.rows + right.rows) * state.settings.cpuOperatorCost * Math.max(1, node.slots.length) +
      rows * state.settings.cpuTupleCost,
    order: [],
    make: () => ({
      ...nodeBase(path),
      kind: 'setOperation',
      op: node.op as 'intersect' | 'except',
      all: node.all,
      left: left.make(),
      right: right.make(),
      leftSlots: node.maps[0],
      rightSlots: node.maps[1],
      slots: node.slots,
      keys,
    }),
  };
  return path;
}

function plainCost(state: PlannerState, input: Path, units: number): { startup: number; total: number } {
  const startup = input.total + input.rows * units * state.settings.cpuOperatorCost;
  return { startup, total: startup + state.settings.cpuTupleCost };
}

/** The keys, those of `wanted` first and in its directions, so that one order serves both. */
function arrangeKeys(keys: readonly SortKey[], wanted: readonly SortKey[]): SortKey[] {
  const result: SortKey[] = [];
  const left = [...keys];
  for (const want of wanted) {
    const at = left.findIndex((key) => keySlot(key) >= 0 && keySlot(key) === keySlot(want));
    if (at < 0) break;
    result.push(want);
    left.splice(at, 1);
  }
  return [...result, ...left];
}

/** DISTINCT ON: the order starts with the keys (in the order's directions), then the rest of it. */
function mergeOrder(keys: readonly SortKey[], order: readonly SortKey[]): SortKey[] {
  const result = [...order];
  const seen = new Set(order.map(keySlot));
  for (const key of keys) if (!seen.has(keySlot(key))) result.push(key);
  return result;
}

function orderGroups<T extends { slot: number }>(
  groups: T[],
  order: readonly SortKey[],
  hasSets: boolean,
): T[] {
  if (order.length === 0 || hasSets) return groups;
  const first = order
    .map((key) => groups.find((group) => group.slot === keySlot(key)))
    .filter((g) => g !== undefined);
  return [...first, ...groups.filter((group) => !first.includes(group))];
}
