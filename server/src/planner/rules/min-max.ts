/**
 * Rule: `SELECT min(column) FROM table` reads one entry of an index on the column.
 *
 * Applies to ungrouped aggregates without FILTER over a plain table (with or without conditions) when all are min or max of
 * an indexed column. Each becomes a scalar subquery `SELECT column … WHERE column IS NOT NULL ORDER BY column LIMIT 1`.
 */
import { INT8, makeConst } from '../expression/make.ts';
import { asTree, type LExpr } from '../expression/walk.ts';
import type { LAggregate, LogicalNode, LScan } from '../logical/algebra.ts';
import { substituteSlots } from '../logical/nodes.ts';
import { type PlannerState, typeOf } from '../state.ts';

export function minMaxByIndex(state: PlannerState, node: LAggregate): LogicalNode | null {
  if (
    node.groups.length > 0 ||
    node.sets !== null ||
    node.aggregates.length === 0 ||
    node.grouping.length > 0
  )
    return null;
  const { child } = node;
  const scan =
    child.kind === 'scan'
      ? child
      : child.kind === 'filter' && child.child.kind === 'scan'
        ? child.child
        : null;
  if (scan === null || scan.relation.virtualRows !== null) return null;
  const predicates = child.kind === 'filter' ? child.predicates : [];
  const exprs: { expr: LExpr; slot: number }[] = [];
  for (const { slot, call } of node.aggregates) {
    if (call.filter !== null || call.args.length !== 1 || call.distinct || call.orderBy.length > 0)
      return null;
    const arg = call.args[0] as LExpr;
    const operatorOid = state.catalog.function(call.aggregateOid)?.aggregate?.sortOperator ?? 0;
    if (operatorOid === 0 || arg.kind !== 'slot') return null;
    const column = [...scan.columns].find(([, own]) => own === arg.slot)?.[0];
    if (column === undefined || column < 0) return null;
    const isIndexed = scan.relation.indexes.some(
      (index) =>
        index.valid &&
        index.predicate === null &&
        index.accessMethod === 'btree' &&
        index.keyColumns[0] === column + 1,
    );
    if (!isIndexed) return null;
    const copy = copyScan(state, scan);
    const key = copy.map.get(arg.slot) as LExpr;
    const descending = state.catalog.orderingOperators(arg.typeOid).greater === operatorOid;
    const conditions = predicates.map((predicate) => substituteSlots(predicate, copy.map));
    if (conditions.some((c) => c.kind === 'subquery')) return null;
    conditions.push({
      kind: 'nullTest',
      arg: asTree(key),
      isNull: false,
      argIsRow: false,
      typeOid: 16,
      typmod: -1,
      collation: 0,
    });
    const sort: LogicalNode = {
      kind: 'sort',
      child: { kind: 'filter', child: copy.scan, predicates: conditions },
      keys: [
        {
          expr: asTree(key),
          operatorOid,
          equalityOid: state.catalog.orderingOperators(arg.typeOid).equal,
          descending,
          nullsFirst: descending,
        },
      ],
    };
    exprs.push({
      slot,
      expr: {
        kind: 'subquery',
        type: 'scalar',
        left: [],
        operatorOids: [],
        operatorName: null,
        right: [key],
        plan: { kind: 'limit', child: sort, limit: makeConst(INT8, 1n), offset: null, tiesKeys: null },
        ...typeOf(call),
      },
    });
  }
  return { kind: 'project', child: { kind: 'result' }, exprs };
}

/** The same table once more, with slots of its own. */
export function copyScan(state: PlannerState, scan: LScan): { scan: LScan; map: Map<number, LExpr> } {
  const columns = new Map<number, number>();
  const map = new Map<number, LExpr>();
  for (const [column, slot] of scan.columns) {
    const info = state.slots[slot];
    const fresh = state.newSlot(info, info);
    columns.set(column, fresh);
    map.set(slot, state.slot(fresh));
  }
  return { scan: { ...scan, columns, rowIdSlot: -1 }, map };
}
