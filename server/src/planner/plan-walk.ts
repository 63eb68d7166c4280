/** Generic traversal of physical plans, for the planner's last pass, EXPLAIN and whoever inspects plans. */
import { assertNever } from '../base/error.ts';
import type { LExpr } from './expression/walk.ts';
import type { PlanExpr, PlanNode } from './physical.ts';

export function planChildren(node: PlanNode): PlanNode[] {
  switch (node.kind) {
    case 'seqScan':
    case 'indexScan':
    case 'virtualScan':
    case 'valuesScan':
    case 'functionScan':
    case 'workTableScan':
    case 'cteScan':
    case 'result':
      return [];
    case 'nestedLoop':
    case 'hashJoin':
    case 'mergeJoin':
      return [node.outer, node.inner];
    case 'append':
      return node.children;
    case 'setOperation':
      return [node.left, node.right];
    case 'recursiveUnion':
      return [node.base, node.recursive];
    default:
      return [node.child];
  }
}

/** Calls `visit` with every expression but plain constants that the node itself evaluates. `sources` kept for EXPLAIN only are not visited. */
export function forEachPlanExpression(node: PlanNode, visit: (expr: LExpr) => void): void {
  const one = (expr: PlanExpr | null | undefined): void => {
    if (expr !== null && expr !== undefined && expr.kind !== 'const') visit(expr);
  };
  switch (node.kind) {
    case 'seqScan':
      for (const item of node.pushed) one(item.value);
      one(node.filter);
      one(node.tid);
      return;
    case 'indexScan':
      node.equal.forEach(one);
      one(node.lower?.value);
      one(node.upper?.value);
      one(node.anyOf);
      one(node.filter);
      return;
    case 'virtualScan':
      one(node.key?.value);
      one(node.filter);
      return;
    case 'cteScan':
    case 'workTableScan':
      one(node.filter);
      return;
    case 'result':
      one(node.condition);
      return;
    case 'valuesScan':
      for (const row of node.rows) row.forEach(one);
      one(node.filter);
      return;
    case 'functionScan':
      for (const item of node.functions) one(item.expr);
      one(node.filter);
      return;
    case 'project':
    case 'projectSet':
      for (const item of node.exprs) one(item.expr);
      return;
    case 'filter':
      one(node.condition);
      return;
    case 'nestedLoop':
      one(node.condition);
      return;
    case 'hashJoin':
    case 'mergeJoin':
      for (const key of node.keys) {
        one(key.outer);
        one(key.inner);
      }
      one(node.condition);
      return;
    case 'materialize':
    case 'append':
      return;
    case 'sort':
      for (const key of node.keys) one(key.expr);
      one(node.bound);
      return;
    case 'limit':
      one(node.limit);
      one(node.offset);
      for (const key of node.tiesKeys ?? []) one(key.expr);
      return;
    case 'unique':
      for (const key of node.keys) one(key.expr);
      return;
    case 'aggregate':
      for (const group of node.groups) one(group.expr);
      for (const item of node.aggregates) {
        item.args.forEach(one);
        item.directArgs.forEach(one);
        for (const key of item.orderBy) one(key.expr);
        one(item.filter);
      }
      one(node.having);
      return;
    case 'window':
      for (const key of node.partitionBy) one(key.expr);
      for (const key of node.orderBy) one(key.expr);
      one(node.frame.start.offset);
      one(node.frame.end.offset);
      for (const item of node.functions) {
        item.args.forEach(one);
        one(item.filter);
      }
      return;
    case 'setOperation':
    case 'recursiveUnion':
      return;
    case 'lockRows':
      one(node.recheck);
      return;
    case 'modify':
      node.row.forEach(one);
      node.oldRow?.forEach(one);
      one(node.recheck);
      if (node.onConflict !== null) {
        node.onConflict.row.forEach(one);
        one(node.onConflict.where);
      }
      for (const item of node.returning) one(item.expr);
      for (const check of node.viewChecks ?? []) one(check.condition);
      for (const action of node.mergeActions) {
        one(action.condition);
        action.row.forEach(one);
      }
      return;
    default:
      assertNever(node, 'forEachPlanExpression');
  }
}

/** Every node of the tree, parents first. */
export function forEachPlanNode(node: PlanNode, visit: (node: PlanNode) => void): void {
  visit(node);
  for (const child of planChildren(node)) forEachPlanNode(child, visit);
}
