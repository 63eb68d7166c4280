/** Equalities that hash and merge joins can use. */
import { containsSubquery } from '../expression/properties.ts';
import type { LExpr } from '../expression/walk.ts';
import { commonType } from '../expression/widen.ts';
import { usedSlots } from '../logical/nodes.ts';
import type { PlanExpr } from '../physical.ts';
import type { PlannerState } from '../state.ts';

export interface JoinKey {
  outer: PlanExpr;
  inner: PlanExpr;
  operatorOid: number;
}

/** True for an equality operator whose values hash. */
export function hashable(state: PlannerState, expr: LExpr): boolean {
  if (expr.kind !== 'operator' || expr.args.length !== 2) return false;
  const operator = state.catalog.operator(expr.operatorOid);
  return operator?.canHash === true && operator.name === '=' && !containsSubquery(expr);
}

/** The predicate as `outer expression = inner expression`, or null. */
export function joinKey(
  state: PlannerState,
  predicate: LExpr,
  outerSlots: ReadonlySet<number>,
  innerSlots: ReadonlySet<number>,
): JoinKey | null {
  if (!hashable(state, predicate) || predicate.kind !== 'operator') return null;
  const [left, right] = predicate.args as [LExpr, LExpr];
  let outer: LExpr;
  let inner: LExpr;
  if (readsSome(left, outerSlots, innerSlots) && readsSome(right, innerSlots, outerSlots)) {
    outer = left;
    inner = right;
  } else if (readsSome(right, outerSlots, innerSlots) && readsSome(left, innerSlots, outerSlots)) {
    outer = right;
    inner = left;
  } else return null;
  const common = commonType(state.catalog, outer, inner, predicate.operatorOid);
  if (common === null) return null;
  return { outer: common.left as PlanExpr, inner: common.right as PlanExpr, operatorOid: common.operatorOid };
}

/** Reads at least one slot of `own` and none of `other` (slots of enclosing queries do not matter). */
function readsSome(expr: LExpr, own: ReadonlySet<number>, other: ReadonlySet<number>): boolean {
  let some = false;
  const slots = slotsOf(expr);
  for (const slot of slots) {
    if (other.has(slot)) return false;
    if (own.has(slot)) some = true;
  }
  return some;
}

const slotCache = new WeakMap<object, Set<number>>();

function slotsOf(expr: LExpr): Set<number> {
  let slots = slotCache.get(expr);
  if (slots === undefined) {
    slots = usedSlots(expr);
    slotCache.set(expr, slots);
  }
  return slots;
}
