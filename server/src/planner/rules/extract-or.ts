/**
 * Rule: an OR over several tables still restricts each of them.
 *
 * From `(n1 = 'FRANCE' AND n2 = 'GERMANY') OR (n1 = 'GERMANY' AND n2 = 'FRANCE')` follows `n1 IN ('FRANCE', 'GERMANY')`
 * (TPC-H Q7, Q19). The OR itself stays where it is; its selectivity is corrected by what the new condition takes away already.
 */
import { expressionKey } from '../expression/key.ts';
import { makeAnd, makeBool, splitConjuncts } from '../expression/make.ts';
import { containsSubquery, isVolatile } from '../expression/properties.ts';
import type { LExpr } from '../expression/walk.ts';
import { usedSlots } from '../logical/nodes.ts';
import type { PlannerState } from '../state.ts';
import { selectivity } from '../statistics/selectivity.ts';
import { simplify } from './simplify.ts';

/** The condition on `slots` alone that every arm of the OR implies, or null. */
export function extractFromOr(
  state: PlannerState,
  predicate: LExpr,
  slots: ReadonlySet<number>,
): LExpr | null {
  if (predicate.kind !== 'bool' || predicate.op !== 'or' || containsSubquery(predicate)) return null;
  const arms: LExpr[] = [];
  for (const arm of predicate.args) {
    const own = splitConjuncts(arm).filter((part) => {
      if (isVolatile(state.catalog, part)) return false;
      let some = false;
      for (const slot of usedSlots(part)) {
        if (!slots.has(slot)) return false;
        some = true;
      }
      return some;
    });
    const all = makeAnd(own);
    if (all === null) return null;
    arms.push(all);
  }
  const derived = simplify(state, makeBool('or', arms));
  if (derived.kind === 'const') return null;
  correctSelectivity(state, predicate, derived);
  return derived;
}

function correctSelectivity(state: PlannerState, predicate: LExpr, derived: LExpr): void {
  const key = expressionKey(predicate);
  const known = state.orCorrections.get(key) ?? {
    whole: selectivity(state, predicate),
    derived: new Map<string, number>(),
  };
  known.derived.set(expressionKey(derived), selectivity(state, derived));
  state.orCorrections.set(key, known);
}
