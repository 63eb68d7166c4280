/** Walks over plans as plain data: which slots a subtree reads from outside, and whether repeating it may differ. */
import type { PhysicalPlan, PlanExpr, PlanNode } from '../../planner/physical.ts';
import type { FunctionResolver } from '../functions.ts';
import { candidateOf } from '../offload/shippable.ts';

const WRITTEN_KEYS = new Set(['slot', 'rowIdSlot', 'ordinalitySlot']);
const WRITTEN_LISTS = new Set(['slots', 'outputs']);
/** Values that are not part of the tree. */
const SKIPPED_KEYS = new Set(['value', 'source', 'conditions']);

/** Slots that the expression or subtree reads but nothing inside it writes; `volatile` when a work table or a volatile function is inside. */
export interface Dependencies {
  slots: number[];
  /** Work tables of recursions that enclose it. */
  workTables: number[];
  volatile: boolean;
}

export function dependencies(
  root: PlanNode | PlanExpr,
  plan: PhysicalPlan,
  resolver: FunctionResolver,
): Dependencies {
  const read = new Set<number>();
  const written = new Set<number>();
  const seenSubplans = new Set<number>();
  const seenCtes = new Set<number>();
  const recursions = new Set<number>();
  const scanned = new Set<number>();
  let isVolatile = false;

  const visit = (value: unknown, key: string): void => {
    if (Array.isArray(value)) {
      if (WRITTEN_LISTS.has(key)) for (const slot of value) written.add(slot as number);
      else for (const item of value) visit(item, key);
      return;
    }
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
    const node = value as Record<string, unknown>;
    const kind = node.kind;
    if (kind === 'const') return;
    if (kind === 'slot') {
      read.add(node.slot as number);
      return;
    }
    if (kind === 'subPlan') {
      for (const slot of node.parameters as number[]) read.add(slot);
      const number = node.plan as number;
      if (!seenSubplans.has(number)) {
        seenSubplans.add(number);
        visit(plan.subplans[number]?.root, 'root');
      }
    } else if (kind === 'cteScan') {
      const number = node.cte as number;
      if (!seenCtes.has(number)) {
        seenCtes.add(number);
        visit(plan.ctes[number]?.root, 'root');
      }
    } else if (kind === 'workTableScan') scanned.add(node.workTable as number);
    else if (kind === 'recursiveUnion') recursions.add(node.workTable as number);
    else if (kind === 'modify' || kind === 'lockRows') isVolatile = true;
    if ((kind === 'function' || kind === 'operator') && typeof node.functionOid === 'number') {
      if (resolver.volatility(node.functionOid) === 'v') isVolatile = true;
    }
    for (const [name, child] of Object.entries(node)) {
      if (WRITTEN_KEYS.has(name) && typeof child === 'number') {
        if (child >= 0) written.add(child);
      } else if (name === 'value' && typeof kind === 'undefined') {
        visit(child, name);
      } else if (!SKIPPED_KEYS.has(name)) visit(child, name);
    }
  };
  visit(root, 'root');
  const workTables = [...scanned].filter((workTable) => !recursions.has(workTable));
  return {
    slots: [...read].filter((slot) => !written.has(slot)),
    workTables,
    volatile: isVolatile || workTables.length > 0,
  };
}

/** Plan expressions directly below a node of an expression tree. */
export function expressionChildren(expr: PlanExpr): PlanExpr[] {
  const found: PlanExpr[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item);
      return;
    }
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
    const node = value as Record<string, unknown>;
    if (typeof node.kind === 'string' && 'typeOid' in node) {
      found.push(value as PlanExpr);
      return;
    }
    for (const child of Object.values(node)) visit(child);
  };
  for (const [name, child] of Object.entries(expr)) if (name !== 'value') visit(child);
  return found;
}

/** True if the expression may leave by a suspension in the middle: it holds a subplan, a volatile function or what may move to another thread. */
export function maySuspend(expr: PlanExpr, resolver: FunctionResolver): boolean {
  return suspensionPoints(expr, resolver) > 0;
}

/** Number of subplans, volatile calls and parts that may move to another thread (stops counting at two). */
export function suspensionPoints(expr: PlanExpr, resolver: FunctionResolver): number {
  let count = 0;
  const visit = (node: PlanExpr): void => {
    if (count >= 2 || node.kind === 'const') return;
    const candidate = resolver.offload === undefined ? null : candidateOf(node, resolver);
    if (candidate !== null) {
      count++;
      for (const input of candidate.computed) visit(input);
      return;
    }
    if (node.kind === 'subPlan') count++;
    else if (
      (node.kind === 'function' || node.kind === 'operator') &&
      (resolver.volatility(node.functionOid) === 'v' || resolver.isRoutine?.(node.functionOid) === true)
    )
      count++;
    for (const child of expressionChildren(node)) visit(child);
  };
  visit(expr);
  return count;
}
