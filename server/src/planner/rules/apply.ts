/** The order in which the rules run over a logical plan. Constant folding runs wherever expressions are made. */
import type { LogicalNode } from '../logical/algebra.ts';
import type { PlannerState } from '../state.ts';
import { pushDownPredicates } from './push-down.ts';
import { reduceAggregates } from './reduce-aggregate.ts';
import { semiToInner } from './semi-to-inner.ts';
import { unnestSubqueries } from './unnest.ts';

export interface RuleOptions {
  unnestScalars: boolean;
}

/** Rewrites the plan. `scalars`: correlated scalar subqueries whose unnesting is a matter of cost. */
export function applyRules(
  state: PlannerState,
  root: LogicalNode,
  options: RuleOptions,
): { node: LogicalNode; scalars: number } {
  const unnested = unnestSubqueries(state, root, { scalars: options.unnestScalars });
  const pushed = pushDownPredicates(state, unnested.node);
  const reduced = reduceAggregates(state, semiToInner(state, pushed));
  return { node: reduced, scalars: unnested.scalars };
}
