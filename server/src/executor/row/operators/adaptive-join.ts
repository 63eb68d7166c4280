/**
 * A nested loop that the planner chose because it expected a handful of rows is a trap when the estimate is wrong: the cost grows with the
 * product of the inputs. Where the inner side does not depend on the outer row and an equality joins them, the loop is run
 * through a hash table instead: for one outer row that costs the same, and the order of the outer rows is kept.
 */
import type { HashJoinNode, NestedLoopNode, PlanExpr } from '../../../planner/physical.ts';
import type { ExecutionState } from '../../state.ts';
import { hashesEqual } from '../expression/arrays.ts';
import { dependencies } from '../walk.ts';

/** The same join by hashing, or null where the loop must stay. */
export function asHashJoin(node: NestedLoopNode, state: ExecutionState): HashJoinNode | null {
  if (node.condition === null) return null;
  const { resolver } = state.environment;
  const inner = node.inner.kind === 'materialize' ? node.inner.child : node.inner;
  const conjuncts =
    node.condition.kind === 'bool' && node.condition.op === 'and' ? node.condition.args : [node.condition];
  const keys: HashJoinNode['keys'] = [];
  const rest: PlanExpr[] = [];
  const readsOnly = (expr: PlanExpr, outputs: readonly number[]): boolean => {
    const found = dependencies(expr, state.plan, resolver);
    return !found.volatile && found.slots.length > 0 && found.slots.every((slot) => outputs.includes(slot));
  };
  for (const conjunct of conjuncts as readonly PlanExpr[]) {
    if (
      conjunct.kind === 'operator' &&
      conjunct.args.length === 2 &&
      resolver.operatorName(conjunct.operatorOid) === '='
    ) {
      const [left, right] = conjunct.args as [PlanExpr, PlanExpr];
      const { source } = resolver.scalar(conjunct.functionOid, {
        argumentTypes: [left.typeOid, right.typeOid],
        resultType: 16,
        variadic: false,
        collation: 0,
      });
      if (hashesEqual(source)) {
        const { operatorOid } = conjunct;
        if (readsOnly(left, node.outer.outputs) && readsOnly(right, inner.outputs)) {
          keys.push({ outer: left, inner: right, operatorOid });
          continue;
        }
        if (readsOnly(right, node.outer.outputs) && readsOnly(left, inner.outputs)) {
          keys.push({ outer: right, inner: left, operatorOid });
          continue;
        }
      }
    }
    rest.push(conjunct);
  }
  if (keys.length === 0) return null;
  const found = dependencies(inner, state.plan, resolver);
  if (found.volatile || found.slots.length > 0) return null;
  const condition: PlanExpr | null =
    rest.length === 0
      ? null
      : rest.length === 1
        ? rest[0]!
        : ({ ...node.condition, kind: 'bool', op: 'and', args: rest } as PlanExpr);
  const { type, outer, id, outputs, startupCost, totalCost, estimatedRows, width } = node;
  return {
    kind: 'hashJoin',
    type,
    outer,
    inner,
    keys,
    condition,
    nullAware: false,
    id,
    outputs,
    startupCost,
    totalCost,
    estimatedRows,
    width,
  };
}
