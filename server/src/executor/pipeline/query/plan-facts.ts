/** What plans say about slots, orders and types, for the translation. */
import type { PhysicalPlan, PlanExpr, PlanNode, PlanSortKey } from '../../../planner/physical.ts';
import { NotCompilable } from '../interval.ts';
import type { Binding, Branch } from './branch.ts';

/** The average that a slot is, projections looked through. */
export function averageOf(branch: Branch, slot: number): Extract<Binding, { kind: 'average' }> | null {
  let binding = branch.bindings.get(slot);
  while (binding?.kind === 'expr' && binding.expr.kind === 'slot')
    binding = branch.bindings.get(binding.expr.slot);
  return binding?.kind === 'average' ? binding : null;
}

export function slotsIn(value: unknown, found = new Set<number>()): Set<number> {
  if (value === null || typeof value !== 'object') return found;
  if (Array.isArray(value)) {
    for (const item of value) slotsIn(item, found);
    return found;
  }
  const node = value as { kind?: string; slot?: number };
  if (node.kind === 'const') return found;
  if (node.kind === 'slot') found.add(node.slot!);
  else for (const part of Object.values(node)) slotsIn(part, found);
  return found;
}

/** Keys of the order in which the plan promises its rows; empty = any. */
export function promisedOrder(node: PlanNode): readonly PlanSortKey[] {
  if (node.kind === 'sort') return node.keys;
  if (node.kind !== 'aggregate' || node.strategy !== 'sorted' || node.groups.length === 0) return [];
  let child: PlanNode = node.child;
  while (child.kind === 'filter' || child.kind === 'project' || child.kind === 'materialize')
    child = child.child!;
  if (child.kind !== 'sort') throw new NotCompilable('an order without a sort');
  return child.keys.map((key) => {
    const group = node.groups.find(({ expr }) => sameExpr(expr, key.expr));
    if (group === undefined) throw new NotCompilable('an order by something that is not grouped by');
    const { typeOid, typmod, collation } = key.expr;
    return { ...key, expr: { kind: 'slot', slot: group.slot, typeOid, typmod, collation } };
  });
}

export function sameExpr(left: PlanExpr, right: PlanExpr): boolean {
  const text = (expr: PlanExpr): string =>
    JSON.stringify(expr, (name, part: unknown) =>
      name === 'position' ? undefined : typeof part === 'bigint' ? `${part}n` : part,
    );
  return text(left) === text(right);
}

/** SQL types of the slots that a plan writes. */
export function slotTypes(root: PlanNode, plan: PhysicalPlan): Map<number, number> {
  const types = new Map<number, number>();
  const visit = (value: unknown): void => {
    if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return;
    if (Array.isArray(value)) {
      for (const item of value) visit(item);
      return;
    }
    const part = value as { kind?: string; slot?: number; typeOid?: number; expr?: { typeOid: number } };
    if (part.kind === 'const') return;
    if (typeof part.slot === 'number') {
      const type = part.typeOid ?? part.expr?.typeOid;
      if (type !== undefined) types.set(part.slot, type);
    }
    for (const inner of Object.values(part)) visit(inner);
  };
  visit(root);
  for (const column of plan.columns) types.set(column.slot, column.typeOid);
  if (root.kind === 'append') throw new NotCompilable('a union on top');
  return types;
}
