/** Putting expressions into slots. */
import { expressionKey } from '../expression/key.ts';
import { isNotNull, isVolatile } from '../expression/properties.ts';
import type { LExpr } from '../expression/walk.ts';
import { type PlannerState, typeOf } from '../state.ts';
import type { LogicalNode } from './algebra.ts';
import { providedSlots } from './nodes.ts';

/**
 * Makes sure every expression is a slot of `node`: those that are not get computed by a projection on top. Equal
 * expressions share a slot, volatile ones only when they are one object (a sort key that is a target). Returns the slots in
 * the order of `exprs`; `lookup` gives the slot made for an expression. With `owned`, a slot of an enclosing query is copied
 * into one of the node's own: for operators that produce their keys (set operations, DISTINCT).
 */
export function materialise(
  state: PlannerState,
  node: LogicalNode,
  exprs: readonly LExpr[],
  owned = false,
): { node: LogicalNode; exprs: LExpr[]; lookup: (expr: LExpr) => LExpr | undefined } {
  const added = new Map<string | LExpr, LExpr>();
  const keyOf = (expr: LExpr): string | LExpr =>
    isVolatile(state.catalog, expr) ? expr : expressionKey(expr);
  const computed: { expr: LExpr; slot: number }[] = [];
  const provided = owned ? providedSlots(node) : null;
  const result = exprs.map((expr): LExpr => {
    if (expr.kind === 'slot' && (provided === null || provided.has(expr.slot))) return expr;
    const key = keyOf(expr);
    let slot = added.get(key);
    if (slot === undefined) {
      const number = state.newSlot(typeOf(expr), {
        notNull: isNotNull(state.catalog, expr, (s) => state.slots[s].notNull),
        distinct: expr.kind === 'const' ? 1 : 0,
      });
      slot = state.slot(number);
      added.set(key, slot);
      computed.push({ expr, slot: number });
    }
    return slot;
  });
  return {
    node: computed.length === 0 ? node : { kind: 'project', child: node, exprs: computed },
    exprs: result,
    lookup: (expr) => (added.size === 0 ? undefined : added.get(keyOf(expr))),
  };
}
