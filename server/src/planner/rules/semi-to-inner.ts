/**
 * Rule: a semi join whose right side has at most one match is an inner join, which can be reordered more freely.
 *
 * Holds when the equalities cover all groups of an aggregate, all keys of a DISTINCT, or a unique key of a table.
 */

import type { LExpr } from '../expression/walk.ts';
import type { LogicalNode } from '../logical/algebra.ts';
import { mapNodeChildren, usedSlots } from '../logical/nodes.ts';
import type { PlannerState } from '../state.ts';

export function semiToInner(state: PlannerState, root: LogicalNode): LogicalNode {
  const node = mapNodeChildren(root, (child) => semiToInner(state, child));
  if (node.kind !== 'join' || node.type !== 'semi') return node;
  const keys = uniqueKeys(node.right);
  if (keys.length === 0) return node;
  const equal = new Set<number>();
  for (const predicate of node.predicates) {
    if (predicate.kind !== 'operator' || predicate.args.length !== 2) continue;
    if (state.catalog.operator(predicate.operatorOid)?.btreeStrategy !== 3) continue;
    predicate.args.forEach((arg, i) => {
      const read = arg as LExpr;
      if (read.kind === 'slot' && !usedSlots(predicate.args[1 - i]).has(read.slot)) equal.add(read.slot);
    });
  }
  const isUnique = keys.some((key) => key.length > 0 && key.every((slot) => equal.has(slot)));
  return isUnique ? { ...node, type: 'inner' } : node;
}

function uniqueKeys(node: LogicalNode): number[][] {
  switch (node.kind) {
    case 'filter':
    case 'project':
    case 'sort':
    case 'limit':
      return uniqueKeys(node.child);
    case 'aggregate':
      return node.sets === null ? [node.groups.map((group) => group.slot)] : [];
    case 'distinct':
      return node.on ? [] : [node.keys.flatMap((key) => [...usedSlots(key.expr)])];
    case 'scan':
      return node.relation.indexes
        .filter((index) => index.unique && index.valid && index.predicate === null)
        .map((index) => index.keyColumns.map((column) => node.columns.get(column - 1) ?? -1));
    default:
      return [];
  }
}
