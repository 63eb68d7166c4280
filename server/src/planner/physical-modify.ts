/** The modify node: what is written, and what is checked again when a row turned out to be newer than the snapshot. */
import { makeAnd } from './expression/make.ts';
import type { LExpr } from './expression/walk.ts';
import type { LModify, LogicalNode, LScan } from './logical/algebra.ts';
import { providedSlots, usedSlots } from './logical/nodes.ts';
import type { ModifyNode, PlanExpr, ScanColumn } from './physical.ts';
import { type NodePlanner, nodeBase, type Path } from './physical-path.ts';

export function planModify(
  planner: NodePlanner,
  node: LModify,
  scanColumns: (scan: LScan) => ScanColumn[],
  planChild: (child: LogicalNode) => Path,
): Path {
  const { settings } = planner.state;
  planner.state.readOnly = false;
  const lowerRow = (row: readonly (LExpr | null)[]): (PlanExpr | null)[] =>
    row.map((expr) => (expr === null ? null : planner.lower(expr)));
  const child = planChild(node.child);
  const row = lowerRow(node.row);
  const onConflict =
    node.onConflict === null
      ? null
      : {
          action: node.onConflict.action,
          indexOids: node.onConflict.indexOids,
          row: lowerRow(node.onConflict.row),
          where: node.onConflict.where === null ? null : planner.lower(node.onConflict.where),
          excludedColumns: scanColumns(node.onConflict.excluded),
        };
  const returning = node.returning.map((item) => ({ expr: planner.lower(item.expr), slot: item.slot }));
  const viewChecks = node.viewChecks.map((check) => ({
    viewName: check.viewName,
    condition: planner.lower(check.condition),
  }));
  const mergeActions = node.mergeActions.map((action) => ({
    matched: action.matched,
    command: action.command,
    condition: action.condition === null ? null : planner.lower(action.condition),
    row: lowerRow(action.row),
  }));
  const isInsert = node.command === 'insert';
  const oldRow = node.oldRow?.map((expr) => planner.lower(expr));
  const recheck =
    isInsert || oldRow !== undefined
      ? null
      : makeAnd(
          conditionsOn(node.child, providedSlots(node.target)).map((expr) => planner.lower(expr) as LExpr),
        );
  const path: Path = {
    rows: node.returning.length > 0 ? child.rows : 0,
    width: 0,
    startup: child.startup,
    total: child.total + child.rows * settings.cpuTupleCost,
    order: [],
    make() {
      const result: ModifyNode = {
        ...nodeBase(path),
        estimatedRows: node.returning.length > 0 ? nodeBase(path).estimatedRows : 0,
        kind: 'modify',
        command: node.command === 'merge' ? 'update' : node.command,
        relationOid: node.relation.oid,
        alias: node.alias,
        child: child.make(),
        row,
        rowIdSlot: node.target.rowIdSlot,
        targetColumns: scanColumns(node.target),
        recheck: recheck as PlanExpr | null,
        onConflict,
        ...(oldRow === undefined ? {} : { oldRow }),
        returning,
        ...(viewChecks.length === 0 ? {} : { viewChecks }),
        mergeActions,
      };
      return result;
    },
  };
  return path;
}

/** Conditions of scans and inner joins that read a slot of the target. Semi joins and outer sides are not looked at again. */
export function conditionsOn(root: LogicalNode, slots: ReadonlySet<number>): LExpr[] {
  const result: LExpr[] = [];
  const take = (predicates: readonly LExpr[]): void => {
    for (const predicate of predicates) {
      for (const slot of usedSlots(predicate))
        if (slots.has(slot)) {
          result.push(predicate);
          break;
        }
    }
  };
  const visit = (node: LogicalNode): void => {
    if (node.kind === 'filter') {
      take(node.predicates);
      visit(node.child);
    } else if (node.kind === 'join') {
      if (node.type === 'inner') {
        take(node.predicates);
        visit(node.right);
      }
      visit(node.left);
    } else if (
      node.kind === 'project' ||
      node.kind === 'projectSet' ||
      node.kind === 'sort' ||
      node.kind === 'lockRows'
    )
      visit(node.child);
  };
  visit(root);
  return result;
}
