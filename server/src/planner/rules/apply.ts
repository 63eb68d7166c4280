/** The order in which the rules run over a logical plan. */
import type { LogicalNode } from '../logical/algebra.ts';
import type { PlannerState } from '../state.ts';
import { pushDownPredicates } from './push-down.ts';

/** Rewrites the plan; `required` are the slots its consumer reads. */
export function applyRules(
  state: PlannerState,
  root: LogicalNode,
  _required: ReadonlySet<number>,
): LogicalNode {
  return pushDownPredicates(state, root);
}
