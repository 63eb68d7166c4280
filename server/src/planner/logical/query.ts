/**
 * From a typed query to the logical plan of one query level.
 *
 * Order of operators, from the bottom: FROM and WHERE, grouping, HAVING, window functions, set-returning targets that
 * sorting needs, DISTINCT, sort, row locks, the other set-returning targets, limit. Plain target expressions are not
 * computed here: they are handed up as expressions, and whoever consumes the query fixes them where it must.
 */
import { assert, internalError } from '../../base/error.ts';
import { equalExpr } from '../../sql/equal.ts';
import type { Query, SortKey } from '../../sql/tree.ts';
import { expressionKey } from '../expression/key.ts';
import { splitConjuncts } from '../expression/make.ts';
import { returnsSet } from '../expression/properties.ts';
import { asTree, type LExpr, mapChildren, mapSortKeys } from '../expression/walk.ts';
import { type PlannerState, typeOf } from '../state.ts';
import type { LogicalNode } from './algebra.ts';
import { bindCommonTables } from './common-tables.ts';
import { buildFromList, rowIdSlot } from './from.ts';
import { fixGroupKeys, type GroupKey } from './group-keys.ts';
import { addGrouping } from './grouping.ts';
import { buildModify } from './modify.ts';
import { materialise } from './project.ts';
import { type BuildContext, type BuiltQuery, convertExpression, newScope, type Scope } from './scope.ts';
import { buildSetOperation } from './set-operation.ts';
import { dedupe } from './sort-keys.ts';
import { addWindows, convertWindows, windowExpressions } from './windows.ts';

/** Builds the logical plan of a statement. */
export function buildLogicalPlan(state: PlannerState, query: Query): BuiltQuery {
  const context: BuildContext = {
    state,
    buildQuery: (inner, parent) => buildQuery(context, inner, parent),
  };
  return buildQuery(context, query, null);
}

/** The variants of a change of a table with children, one after the other. */
function buildVariants(context: BuildContext, variants: readonly Query[], parent: Scope | null): BuiltQuery {
  const built = variants.map((variant) => buildQuery(context, { ...variant, variants: undefined }, parent));
  const { state } = context;
  const slotsOf = (item: BuiltQuery): number[] =>
    item.columns.map((column) => (column.kind === 'slot' ? column.slot : -1));
  const slots = slotsOf(built[0]!).map((slot) => state.newSlot(state.slots[slot]!));
  return {
    node: {
      kind: 'setOperation',
      op: 'union',
      all: true,
      children: built.map(({ node }) => node),
      maps: built.map(slotsOf),
      slots,
      keys: [],
    },
    columns: slots.map((slot): LExpr => state.slot(slot)),
    simple: false,
  };
}

function buildQuery(context: BuildContext, analysed: Query, parent: Scope | null): BuiltQuery {
  const { state } = context;
  let query = analysed;
  if (query.variants !== undefined && query.variants.length > 1)
    return buildVariants(context, query.variants, parent);
  const scope = newScope(query, parent);
  for (const entry of query.rangeTable) {
    if (entry.kind === 'relation') state.addRelation(entry);
    // A view that was expanded still needs the caller's privilege on itself.
    else if (entry.kind === 'subquery' && entry.viewOid !== 0) state.addView(entry);
  }
  bindCommonTables(context, scope);
  if (query.command !== 'select') return buildModify(context, scope);

  let simple =
    query.groupBy.length === 0 &&
    !query.hasAggregates &&
    query.groupingSets === null &&
    query.having === null &&
    query.distinct === 'none' &&
    query.orderBy.length === 0 &&
    query.limit === null &&
    query.offset === null &&
    query.setOperation === null &&
    query.rowMarks.length === 0 &&
    !query.hasWindowFunctions &&
    !query.hasTargetSets;

  let node: LogicalNode;
  if (query.setOperation !== null) {
    node = buildSetOperation(context, scope, query.setOperation);
  } else {
    node = buildFromList(context, scope, query.from);
    if (query.where !== null) {
      const predicates = splitConjuncts(convertExpression(context, scope, query.where));
      node = { kind: 'filter', child: node, predicates };
    }
  }

  let groupKeys: readonly (GroupKey | null)[] = [];
  if (query.groupBy.length > 0) ({ query, keys: groupKeys } = fixGroupKeys(context, scope));

  // Targets come first: converting them collects the aggregates and window functions of this level.
  let targets = query.targets.map((target) => convertExpression(context, scope, target.expr));
  // A key that is also a target is that very target: its subqueries must not be built twice.
  const converted = targets;
  const convertKey = (expr: LExpr): LExpr => {
    const at = query.targets.findIndex(
      (target) => target.expr === expr || equalExpr(target.expr, asTree(expr)),
    );
    return at >= 0 ? converted[at] : convertExpression(context, scope, expr);
  };
  const convertKeys = (keys: SortKey[]): SortKey[] => mapSortKeys(keys, convertKey);
  let having = query.having === null ? [] : splitConjuncts(convertExpression(context, scope, query.having));
  let orderBy = convertKeys(query.orderBy);
  let distinctKeys = convertKeys(query.distinctOn);

  const windows = convertWindows(context, scope);
  let rewrite = (expr: LExpr): LExpr => expr;
  let convertGroupKey = convertKey;
  // Set-returning functions that rows are grouped by, or windows ordered by, come below: everything above sees their values.
  const expandBelow = (keys: readonly LExpr[]): ((expr: LExpr) => LExpr) | null => {
    const sets = keys.filter(returnsSet);
    if (sets.length === 0) return null;
    const expanded = expandSets(state, node, sets);
    node = expanded.node;
    const values = new Map(sets.map((key, i) => [expressionKey(key), expanded.exprs[i]]));
    const replace = (expr: LExpr): LExpr =>
      values.get(expressionKey(expr)) ?? (returnsSet(expr) ? mapChildren(expr, replace) : expr);
    targets = targets.map(replace);
    having = having.map(replace);
    orderBy = mapSortKeys(orderBy, replace);
    distinctKeys = mapSortKeys(distinctKeys, replace);
    return replace;
  };
  const groupedSets = expandBelow(
    query.groupBy.filter((_, i) => groupKeys[i] === null).map((key) => convertKey(key.expr)),
  );
  if (groupedSets !== null) {
    convertGroupKey = (expr) => groupedSets(convertKey(expr));
    rewrite = groupedSets;
  }
  const grouped =
    query.groupBy.length > 0 || query.groupingSets !== null || query.hasAggregates || query.having !== null;
  if (grouped || scope.aggregates.length > 0) {
    const grouping = addGrouping(context, scope, node, { convertKey: convertGroupKey, fixed: groupKeys }, [
      ...targets,
      ...having,
      ...orderBy.map((key) => key.expr),
      ...distinctKeys.map((key) => key.expr),
      ...windowExpressions(windows).map(rewrite),
    ]);
    node = grouping.node;
    const below = rewrite;
    rewrite = (expr) => grouping.rewrite(below(expr));
    targets = targets.map(rewrite);
    having = having.map(rewrite);
    orderBy = mapSortKeys(orderBy, rewrite);
    distinctKeys = mapSortKeys(distinctKeys, rewrite);
    if (having.length > 0) node = { kind: 'filter', child: node, predicates: having };
    simple = false;
  }
  if (windows.length > 0) {
    const below = rewrite;
    const windowed = expandBelow(windowExpressions(windows).map(below));
    if (windowed !== null) rewrite = (expr) => windowed(below(expr));
    node = addWindows(state, node, windows, rewrite);
    simple = false;
  }

  orderBy = orderBy.filter((key) => asExpr(key).kind !== 'const');
  const sortKeys = new Set(orderBy.map((key) => expressionKey(key.expr)));

  // Set-returning functions are expanded below DISTINCT, or below the sort when a sort key uses them.
  const setsBelow = query.distinct !== 'none' || orderBy.some((key) => returnsSet(key.expr));
  if (setsBelow && targets.some(returnsSet)) {
    const expanded = expandSets(state, node, [
      ...targets,
      ...orderBy.map(asExpr),
      ...distinctKeys.map(asExpr),
    ]);
    node = expanded.node;
    targets = targets.map((_, i) => expanded.exprs[i]);
    orderBy = orderBy.map((key, i) => ({ ...key, expr: asTree(expanded.exprs[targets.length + i]) }));
    distinctKeys = distinctKeys.map((key, i) => ({
      ...key,
      expr: asTree(expanded.exprs[targets.length + orderBy.length + i]),
    }));
  }

  const visible = query.targets.map((target, i) => (target.junk ? -1 : i)).filter((i) => i >= 0);
  if (query.distinct !== 'none') {
    const wanted = query.distinct === 'all' ? visible.map((i) => targets[i]) : targets;
    const fixed = materialise(
      state,
      node,
      [...wanted, ...distinctKeys.map(asExpr), ...orderBy.map(asExpr)],
      true,
    );
    node = fixed.node;
    const slotOf = (expr: LExpr): LExpr => fixed.lookup(expr) ?? expr;
    targets = targets.map(slotOf);
    distinctKeys = dedupe(mapSortKeys(distinctKeys, slotOf));
    orderBy = mapSortKeys(orderBy, slotOf);
    if (query.distinct === 'all') {
      node = { kind: 'distinct', child: node, keys: distinctKeys, on: false, order: [] };
    } else {
      node = { kind: 'distinct', child: node, keys: distinctKeys, on: true, order: orderBy };
    }
  }

  if (orderBy.length > 0) {
    const fixed = materialise(state, node, orderBy.map(asExpr));
    node = fixed.node;
    orderBy = dedupe(orderBy.map((key, i) => ({ ...key, expr: asTree(fixed.exprs[i]) })));
    targets = targets.map((expr) => replaceByKey(expr, fixed.lookup, sortKeys));
    // DISTINCT ON already delivers its rows in that order.
    if (query.distinct !== 'on') node = { kind: 'sort', child: node, keys: orderBy };
  }

  if (query.rowMarks.length > 0) {
    const marks = query.rowMarks.flatMap((mark) => {
      const scan = scope.bindings[mark.relation]?.scan;
      if (!scan || scan.relation.virtualRows !== null) return [];
      rowIdSlot(state, scan);
      return [{ mark, scan }];
    });
    if (marks.length > 0) node = { kind: 'lockRows', child: node, marks };
  }

  if (targets.some(returnsSet)) {
    const expanded = expandSets(state, node, targets);
    node = expanded.node;
    targets = expanded.exprs;
  }

  if (query.limit !== null || query.offset !== null) {
    node = {
      kind: 'limit',
      child: node,
      limit: query.limit === null ? null : convertExpression(context, scope, query.limit),
      offset: query.offset === null ? null : convertExpression(context, scope, query.offset),
      tiesKeys: query.withTies ? orderBy : null,
    };
  }
  return { node, columns: visible.map((i) => targets[i]), simple };
}

function asExpr(key: SortKey): LExpr {
  return key.expr;
}

/** Uses a slot computed for a sort key wherever a target contains that very expression. */
function replaceByKey(
  expr: LExpr,
  lookup: (expr: LExpr) => LExpr | undefined,
  sortKeys: ReadonlySet<string>,
): LExpr {
  if (expr.kind === 'slot' || expr.kind === 'const') return expr;
  if (sortKeys.has(expressionKey(expr))) {
    const slot = lookup(expr);
    if (slot !== undefined) return slot;
  }
  return mapChildren(expr, (child) => replaceByKey(child, lookup, sortKeys));
}

/**
 * Takes the set-returning calls out of `exprs` into ProjectSet nodes, innermost calls first. What is no set is computed by the last of
 * them too, in the order of the list: as in PostgreSQL also for a row whose sets are empty.
 */
function expandSets(
  state: PlannerState,
  input: LogicalNode,
  exprs: readonly LExpr[],
): { node: LogicalNode; exprs: LExpr[] } {
  let node = input;
  let current = [...exprs];
  const isPlain = exprs.map((expr) => expr.kind !== 'slot' && expr.kind !== 'const' && !returnsSet(expr));
  while (current.some(returnsSet)) {
    const calls = new Map<string, { expr: LExpr; slot: number }>();
    /** The calls, and places of plain expressions between them. */
    const steps: ({ expr: LExpr; slot: number } | number)[] = [];
    const extract = (expr: LExpr): LExpr => {
      const below = mapChildren(expr, extract);
      if (!(below.kind === 'function' || below.kind === 'operator') || !below.returnsSet) return below;
      // Its arguments still hold sets found in this round: it waits for the next one.
      if (below.args.some((arg) => usesAny(arg, calls))) return below;
      const key = expressionKey(below);
      let call = calls.get(key);
      if (call === undefined) {
        call = { expr: below, slot: state.newSlot(typeOf(below)) };
        calls.set(key, call);
        steps.push(call);
      }
      return state.slot(call.slot);
    };
    current = current.map((expr, at) => {
      if (!isPlain[at]) return extract(expr);
      steps.push(at);
      return expr;
    });
    assert(calls.size > 0, 'set-returning calls without a leaf call');
    const isLast = !current.some(returnsSet);
    const computed = steps.flatMap((step) => {
      if (typeof step !== 'number') return [step];
      if (!isLast) return [];
      const expr = current[step]!;
      const slot = state.newSlot(typeOf(expr));
      current[step] = state.slot(slot);
      return [{ expr, slot }];
    });
    node = { kind: 'projectSet', child: node, exprs: computed };
  }
  return { node, exprs: current };
}

function usesAny(expr: LExpr, calls: ReadonlyMap<string, { slot: number }>): boolean {
  if (expr.kind === 'slot') {
    for (const call of calls.values()) if (call.slot === expr.slot) return true;
    return false;
  }
  let found = false;
  mapChildren(expr, (child) => {
    found ||= usesAny(child, calls);
    return child;
  });
  return found;
}

/** Fixes the columns of the outermost query in slots, without repeating volatile or expensive work. */
export function fixColumns(state: PlannerState, built: BuiltQuery): { node: LogicalNode; slots: number[] } {
  const fixed = materialise(state, built.node, built.columns);
  const slots = fixed.exprs.map((expr) => {
    if (expr.kind !== 'slot') throw internalError('a result column without a slot');
    return expr.slot;
  });
  return { node: fixed.node, slots };
}
