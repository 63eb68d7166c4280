/**
 * Rule: conjuncts common to all arms of an OR are taken out of it.
 *
 * `(a AND b) OR (a AND c)` becomes `a AND (b OR c)`. In TPC-H Q19 this frees the join condition that every arm repeats.
 */
import type { BoolExpr } from '../../sql/tree.ts';
import { expressionKey } from '../expression/key.ts';
import { makeAnd, makeBool, splitConjuncts } from '../expression/make.ts';
import { containsSubquery, isVolatile } from '../expression/properties.ts';
import type { LExpr } from '../expression/walk.ts';
import type { PlannerState } from '../state.ts';

export function factorOr(state: PlannerState, expr: BoolExpr): LExpr {
  if (expr.op !== 'or' || expr.args.length < 2) return expr;
  if (!expr.args.every((arg) => arg.kind === 'bool' && arg.op === 'and')) {
    // One arm may itself be a common conjunct: a OR (a AND b) is a; only worth a look when some arm is an AND.
    if (!expr.args.some((arg) => arg.kind === 'bool' && arg.op === 'and')) return expr;
  }
  const arms = expr.args.map((arg) => splitConjuncts(arg));
  const common: LExpr[] = [];
  const commonKeys = new Set<string>();
  const keySets = arms.map((arm) => new Set(arm.filter((e) => !containsSubquery(e)).map(expressionKey)));
  for (const item of arms[0]) {
    if (containsSubquery(item) || isVolatile(state.catalog, item)) continue;
    const key = expressionKey(item);
    if (!commonKeys.has(key) && keySets.every((set) => set.has(key))) {
      common.push(item);
      commonKeys.add(key);
    }
  }
  if (common.length === 0) return expr;
  const rest: LExpr[] = [];
  for (const arm of arms) {
    const remaining = makeAnd(
      arm.filter((item) => containsSubquery(item) || !commonKeys.has(expressionKey(item))),
    );
    // An arm without anything left is true wherever the common part is.
    if (remaining === null) return makeAnd(common) as LExpr;
    rest.push(remaining);
  }
  return makeBool('and', [...common, makeBool('or', rest)]);
}
