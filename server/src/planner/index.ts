/** Public names of the planner. */
export {
  type ConstantEvaluator,
  DEFAULT_PLANNER_SETTINGS,
  type PlannerSettings,
  type PlanOptions,
  type StatisticsProvider,
} from './contract.ts';
export {
  DEFAULT_EXPLAIN_OPTIONS,
  type ExplainOptions,
  explainPlan,
  type NodeInstrumentation,
  type PlanInstrumentation,
  type PlanTimes,
} from './explain/index.ts';
export { planQuery } from './plan-query.ts';
export { forEachPlanExpression, forEachPlanNode, planChildren } from './plan-walk.ts';
