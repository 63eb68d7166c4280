/**
 * Rule: transitive equality. From `a = b` and a condition on `a` alone (`a = 5`, `a < 5`, `a IN (…)`) the same condition on
 * `b` follows. Equalities between columns themselves are closed transitively later, in the join region's classes.
 */
import { expressionKey } from '../expression/key.ts';
import { containsSubquery, isVolatile } from '../expression/properties.ts';
import { asTree, type LExpr } from '../expression/walk.ts';
import type { PlannerState } from '../state.ts';

/** The predicates (same objects first) and what follows from them. */
export function inferEqualities(state: PlannerState, predicates: LExpr[]): LExpr[] {
  const parent = new Map<number, number>();
  const find = (slot: number): number => {
    let at = slot;
    for (let up = parent.get(at); up !== undefined && up !== at; up = parent.get(at)) at = up;
    return at;
  };
  const members = new Map<number, number[]>();
  let found = false;
  for (const p of predicates) {
    const pair = slotEquality(state, p);
    if (pair === null) continue;
    const [a, b] = pair.map(find);
    if (a === b) continue;
    parent.set(b, a);
    found = true;
    const list = members.get(a) ?? [a];
    list.push(...(members.get(b) ?? [b]));
    members.set(a, list);
    members.delete(b);
  }
  if (!found) return predicates;
  const seen = new Set(predicates.filter((p) => !containsSubquery(p)).map(expressionKey));
  const result = [...predicates];
  for (const p of predicates) {
    const slot = restrictedSlot(state, p);
    if (slot < 0) continue;
    for (const other of members.get(find(slot)) ?? []) {
      if (other === slot || state.slots[other].typeOid !== state.slots[slot].typeOid) continue;
      const copy = withSlot(p, state.slot(other));
      const key = expressionKey(copy);
      if (seen.has(key)) continue;
      seen.add(key);
      result.push(copy);
    }
  }
  return result;
}

/** `slot = slot` of one type, compared by its default equality. */
function slotEquality(state: PlannerState, p: LExpr): [number, number] | null {
  if (p.kind !== 'operator' || p.args.length !== 2) return null;
  const [left, right] = p.args as [LExpr, LExpr];
  if (left.kind !== 'slot' || right.kind !== 'slot' || left.typeOid !== right.typeOid) return null;
  // char(n) is equal across different paddings, so only conditions that ignore padding too could be copied.
  if (left.typeOid === 1042 || left.typeOid === 1700) return null;
  return state.catalog.operator(p.operatorOid)?.btreeStrategy === 3 ? [left.slot, right.slot] : null;
}

/** Slot of a condition `slot operator constant-like`, or -1. */
function restrictedSlot(state: PlannerState, p: LExpr): number {
  if (p.kind !== 'operator' && p.kind !== 'arrayOperator') return -1;
  if (p.args.length !== 2 || state.catalog.operator(p.operatorOid)?.btreeStrategy === 0) return -1;
  const [left, right] = p.args as [LExpr, LExpr];
  if (left.kind !== 'slot') return -1;
  const isConstant = right.kind === 'const' || right.kind === 'param';
  return isConstant && !isVolatile(state.catalog, p) ? left.slot : -1;
}

function withSlot(p: LExpr, slot: LExpr): LExpr {
  if (p.kind === 'operator' || p.kind === 'arrayOperator')
    return { ...p, args: [asTree(slot), p.args[1]] } as LExpr;
  return p;
}
