/**
 * Point statements: SELECT, UPDATE or DELETE of one table by all columns of a unique key.
 *
 * There is nothing to search for, so the plan is written down directly: one index scan, the other conditions as its filter,
 * targets or new values above. Everything else returns null and takes the long way. Kept equal to what the long way makes
 * (a test compares the two).
 */
import { internalError } from '../base/error.ts';
import type { Query } from '../sql/tree.ts';
import { indexScanCost } from './cost/model.ts';
import { sameExpression } from './expression/key.ts';
import { makeAnd, splitConjuncts } from './expression/make.ts';
import { containsSubquery, isParallelSafe, isVolatile } from './expression/properties.ts';
import type { LExpr } from './expression/walk.ts';
import type { LScan } from './logical/algebra.ts';
import { bindScan, newScan, rowIdSlot } from './logical/from.ts';
import { newRow } from './logical/modify.ts';
import { usedSlots } from './logical/nodes.ts';
import { type BuildContext, convertExpression, newScope } from './logical/scope.ts';
import type { IndexScanNode, ModifyNode, PlanExpr, PlanNode, ScanColumn } from './physical.ts';
import { type ColumnPredicate, columnPredicate } from './physical-scan.ts';
import { type PlannerState, typeOf } from './state.ts';
import { tableRows } from './statistics/column.ts';
import { rowWidth } from './statistics/width.ts';

export interface FastPlan {
  root: PlanNode;
  /** Slots of the result's columns. */
  slots: number[];
}

export function planPointStatement(state: PlannerState, query: Query): FastPlan | null {
  if (query.variants !== undefined || !isCandidate(query)) return null;
  const entry = query.rangeTable[0];
  if (entry.kind !== 'relation' || entry.sample !== null) return null;
  const scan = newScan(state, entry);
  const { relation } = scan;
  if (relation.virtualRows !== null || relation.indexes.length === 0) return null;
  const context: BuildContext = {
    state,
    buildQuery: () => {
      throw internalError('a point statement has no subqueries');
    },
  };
  const scope = newScope(query, null);
  scope.bindings[1] = bindScan(state, scan);
  const predicates = splitConjuncts(convertExpression(context, scope, query.where as LExpr));
  const own = new Set(scan.columns.values());
  const equal: ColumnPredicate[] = [];
  for (const predicate of predicates) {
    if (containsSubquery(predicate) || isVolatile(state.catalog, predicate)) return null;
    const simple = columnPredicate(state, scan, own, predicate);
    if (simple !== null && simple.operator === '=') equal.push(simple);
  }
  for (const index of relation.indexes) {
    if (!index.unique || !index.valid || index.predicate !== null || index.accessMethod !== 'btree') continue;
    const keys: ColumnPredicate[] = [];
    for (const column of index.keyColumns) {
      const key = equal.find((item) => item.column === column - 1);
      if (key === undefined) break;
      keys.push(key);
    }
    if (keys.length !== index.keyColumns.length) continue;
    const used = new Set(keys.map((key) => key.source));
    const filter = makeAnd(predicates.filter((predicate) => !used.has(predicate)));
    const cost = indexScanCost(state.settings, tableRows(state, relation.oid), 1, 1, 0);
    const node: IndexScanNode = {
      id: 0,
      outputs: [],
      startupCost: cost.startup,
      totalCost: cost.total,
      estimatedRows: 1,
      width: 0,
      kind: 'indexScan',
      relationOid: relation.oid,
      alias: scan.alias,
      indexOid: index.oid,
      indexName: index.name,
      columns: [],
      pruned: [],
      equal: keys.map((key) => key.value as PlanExpr),
      lower: null,
      upper: null,
      anyOf: null,
      backward: false,
      conditions: keys.map((key) => key.source as PlanExpr),
      filter: filter as PlanExpr | null,
      rowIdSlot: -1,
    };
    state.addRelation(entry);
    return query.command === 'select'
      ? finishSelect(state, context, scope, scan, node)
      : finishModify(state, context, scope, scan, node, predicates);
  }
  return null;
}

function isCandidate(query: Query): boolean {
  if (query.command !== 'select' && query.command !== 'update' && query.command !== 'delete') return false;
  const { from } = query;
  return (
    query.rangeTable.length === 1 &&
    from.length === 1 &&
    from[0].kind === 'relationRef' &&
    query.where !== null &&
    (query.viewChecks?.length ?? 0) === 0 &&
    query.commonTables.length === 0 &&
    query.groupBy.length === 0 &&
    query.groupingSets === null &&
    query.having === null &&
    query.distinct === 'none' &&
    query.orderBy.length === 0 &&
    query.limit === null &&
    query.offset === null &&
    query.setOperation === null &&
    query.rowMarks.length === 0 &&
    query.mergeActions.length === 0 &&
    !query.hasAggregates &&
    !query.hasWindowFunctions &&
    !query.hasSubLinks &&
    !query.hasTargetSets
  );
}

/** Puts the columns that `needed` slots read into the scan, the others aside. */
function setColumns(
  state: PlannerState,
  scan: LScan,
  node: IndexScanNode,
  needed: ReadonlySet<number>,
): ScanColumn[] {
  const all: ScanColumn[] = [];
  for (const [column, slot] of scan.columns) {
    const info = state.slots[slot];
    const item = { column, slot, typeOid: info.typeOid, typmod: info.typmod };
    all.push(item);
    if (needed.has(slot)) node.columns.push(item);
    else (node.pruned as ScanColumn[]).push(item);
  }
  return all;
}

function finishSelect(
  state: PlannerState,
  context: BuildContext,
  scope: ReturnType<typeof newScope>,
  scan: LScan,
  node: IndexScanNode,
): FastPlan {
  const slots: number[] = [];
  const exprs: { expr: PlanExpr; slot: number }[] = [];
  const read = new Set<number>();
  for (const target of scope.query.targets) {
    if (target.junk) continue;
    const expr = convertExpression(context, scope, target.expr);
    usedSlots(expr, read);
    const known = expr.kind === 'slot' ? expr.slot : bySameKey(state, exprs, expr);
    if (known >= 0) slots.push(known);
    else {
      const slot = state.newSlot(typeOf(expr));
      exprs.push({ expr: expr as PlanExpr, slot });
      slots.push(slot);
      if (!isParallelSafe(state.catalog, expr)) state.parallelSafe = false;
    }
  }
  const needed = new Set(read);
  if (node.filter !== null) {
    usedSlots(node.filter as LExpr, needed);
    if (!isParallelSafe(state.catalog, node.filter as LExpr)) state.parallelSafe = false;
  }
  setColumns(state, scan, node, needed);
  node.outputs = node.columns.map((column) => column.slot).filter((slot) => read.has(slot));
  node.width = rowWidth(state, node.outputs);
  if (exprs.length === 0) return { root: node, slots };
  const outputs = [...new Set(slots)];
  const root: PlanNode = {
    id: 0,
    outputs,
    startupCost: node.startupCost,
    totalCost: node.totalCost,
    estimatedRows: 1,
    width: rowWidth(state, outputs),
    kind: 'project',
    child: node,
    exprs,
  };
  return { root, slots };
}

/** Slot of an equal target already computed, or -1. */
function bySameKey(
  state: PlannerState,
  exprs: readonly { expr: PlanExpr; slot: number }[],
  expr: LExpr,
): number {
  const same = exprs.find((item) => sameExpression(item.expr as LExpr, expr));
  return same === undefined || isVolatile(state.catalog, expr) ? -1 : same.slot;
}

function finishModify(
  state: PlannerState,
  context: BuildContext,
  scope: ReturnType<typeof newScope>,
  scan: LScan,
  node: IndexScanNode,
  predicates: readonly LExpr[],
): FastPlan {
  const { query } = scope;
  state.readOnly = false;
  state.parallelSafe = false;
  const isUpdate = query.command === 'update';
  const row = isUpdate ? newRow(context, scope, scan.relation, query.targets, false) : [];
  const returning = query.returning
    .filter((item) => !item.junk)
    .map((item) => {
      const expr = convertExpression(context, scope, item.expr);
      return { expr: expr as PlanExpr, slot: state.newSlot(typeOf(expr)) };
    });
  node.rowIdSlot = rowIdSlot(state, scan);
  const recheck = makeAnd(predicates) as PlanExpr | null;
  const read = new Set<number>();
  for (const expr of row) if (expr !== null) usedSlots(expr, read);
  for (const item of returning) usedSlots(item.expr as LExpr, read);
  if (recheck !== null) usedSlots(recheck as LExpr, read);
  setColumns(state, scan, node, read);
  node.outputs = [...node.columns.map((column) => column.slot), node.rowIdSlot];
  node.width = rowWidth(state, node.outputs);
  const slots = returning.map((item) => item.slot);
  const root: ModifyNode = {
    id: 0,
    outputs: slots,
    startupCost: node.startupCost,
    totalCost: node.totalCost + state.settings.cpuTupleCost,
    estimatedRows: slots.length > 0 ? 1 : 0,
    width: rowWidth(state, slots),
    kind: 'modify',
    command: isUpdate ? 'update' : 'delete',
    relationOid: scan.relation.oid,
    alias: scan.alias,
    child: node,
    row: row as (PlanExpr | null)[],
    rowIdSlot: node.rowIdSlot,
    targetColumns: node.columns,
    recheck,
    onConflict: null,
    returning,
    mergeActions: [],
  };
  return { root, slots };
}
