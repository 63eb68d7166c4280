/**
 * Common tables whose rows need not be kept: one reader in the whole plan, and that reader goes through them once.
 *
 * Such a table is handed on row by row, so an endless or very deep recursion holds its working table and nothing else.
 * Volatile functions and rescans make the difference between reading twice and evaluating twice, so anything that might
 * start its input again ends the search: the inner side of loops, merge joins, row locks and updates
 * (their rechecks).
 */
import type { PhysicalPlan, PlanNode } from './physical.ts';
import { planChildren } from './plan-walk.ts';

/** The common tables, by number, that are read once from first row to last (or less). */
export function commonTablesReadOnce(plan: Pick<PhysicalPlan, 'root' | 'subplans' | 'ctes'>): Set<number> {
  const readers = new Map<number, number>();
  const count = (node: PlanNode): void => {
    if (node.kind === 'cteScan') readers.set(node.cte, (readers.get(node.cte) ?? 0) + 1);
    for (const child of planChildren(node)) count(child);
  };
  const result = new Set<number>();
  if (plan.ctes.length === 0) return result;
  for (const { root } of [plan, ...plan.subplans, ...plan.ctes]) count(root);
  const follow = (node: PlanNode): void => {
    if (node.kind === 'cteScan') {
      if (readers.get(node.cte) === 1 && !plan.ctes[node.cte].modifies) result.add(node.cte);
    } else for (const child of inputsReadOnce(node)) follow(child);
  };
  follow(plan.root);
  return result;
}

/** Inputs the node opens once and never starts again while it is not started again itself. */
function inputsReadOnce(node: PlanNode): PlanNode[] {
  switch (node.kind) {
    case 'nestedLoop':
    case 'mergeJoin':
      return [node.outer];
    case 'recursiveUnion':
      return [node.base];
    case 'modify':
      return node.command === 'insert' && node.onConflict === null ? [node.child] : [];
    case 'lockRows':
      return [];
    default:
      return planChildren(node);
  }
}
