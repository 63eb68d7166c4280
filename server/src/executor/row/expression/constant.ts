/** Values of expressions without a statement around them: what the planner folds, defaults, EXECUTE's arguments. */
import type { PlanExpr } from '../../../planner/physical.ts';
import type { Datum } from '../../../types/datum.ts';
import type { FunctionResolver } from '../../functions.ts';
import { ExpressionCompiler } from './compile.ts';

/** Value of an expression over constants. Throws what its functions throw. */
export function evaluateConstant(expr: PlanExpr, resolver: FunctionResolver): Datum {
  return new ExpressionCompiler(null, resolver).compile(expr)([]);
}
