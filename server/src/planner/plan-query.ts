/**
 * Entry of the planner: typed query in, physical plan out.
 *
 * 1. logical plan (`logical/`), 2. rules (`rules/`), 3. join order and access paths by cost (`join-order/`, `physical-*`),
 * 4. outputs, pruning, numbering (`physical-finish`).
 */

import { baseType } from '../sql/analyse/coerce.ts';
import type { Query, TargetEntry } from '../sql/tree.ts';
import type { PlanOptions } from './contract.ts';
import { DISABLE_COST } from './cost/model.ts';
import { planPointStatement } from './fast-path.ts';
import type { LogicalNode } from './logical/algebra.ts';
import { buildLogicalPlan, fixColumns } from './logical/query.ts';
import type { OutputColumn, PhysicalPlan } from './physical.ts';
import { assignOutputs, numberNodes } from './physical-finish.ts';
import { ANY, type Path } from './physical-path.ts';
import { PhysicalPlanner } from './physical-planner.ts';
import { commonTablesReadOnce } from './read-once.ts';
import { applyRules } from './rules/apply.ts';
import { PlannerState } from './state.ts';

/**
 * Plans one statement.
 *
 * Errors  DbError 0A000 for what no operator can do; XX000 when the tree breaks an invariant.
 * Cost    TPC-H queries about 1 ms warm; point statements well below 0.1 ms.
 */
export function planQuery(query: Query, options: PlanOptions): PhysicalPlan {
  const isSelect = query.command === 'select';
  const fast = options.isPointPlanningOff === true ? null : planFast(query, options);
  if (fast !== null) return fast;
  const state = new PlannerState(options);
  const built = buildLogicalPlan(state, query);
  const fixed =
    isSelect || built.columns.length > 0 ? fixColumns(state, built) : { node: built.node, slots: [] };
  const chosen = choosePlan(state, fixed.node);
  const root = chosen.path.make();

  assignOutputs(state, root, new Set(fixed.slots));
  const { subplans } = chosen.planner;
  for (const subplan of subplans) assignOutputs(state, subplan.root, new Set(subplan.outputs));
  const ctes: PhysicalPlan['ctes'] = [];
  state.ctes.forEach((cte, i) => {
    const cteRoot = chosen.planner.cteRoot(i);
    assignOutputs(state, cteRoot, new Set(cte.outputs));
    ctes.push({
      name: cte.name,
      root: cteRoot,
      outputs: cte.outputs,
      modifies: cte.modifies,
      readOnce: false,
    });
  });
  for (const cte of commonTablesReadOnce({ root, subplans, ctes })) ctes[cte].readOnce = true;
  return finishPlan(state, query, { root, slots: fixed.slots, subplans, ctes });
}

/** A plan for a point statement, or null when it is not one. */
function planFast(query: Query, options: PlanOptions): PhysicalPlan | null {
  const state = new PlannerState(options);
  const fast = planPointStatement(state, query);
  return fast === null ? null : finishPlan(state, query, { ...fast, subplans: [], ctes: [] });
}

function finishPlan(
  state: PlannerState,
  query: Query,
  parts: Pick<PhysicalPlan, 'root' | 'subplans' | 'ctes'> & { slots: readonly number[] },
): PhysicalPlan {
  const { options } = state;
  const entries = query.command === 'select' ? query.targets : query.returning;
  const visible = entries.filter((target) => !target.junk);
  const plan: PhysicalPlan = {
    command: query.command,
    root: parts.root,
    slotCount: state.slots.length,
    columns: parts.slots.map((slot, i) => outputColumn(state, visible[i], slot)),
    subplans: parts.subplans,
    ctes: parts.ctes,
    workTableCount: state.workTableCount,
    parameterTypes: [...options.parameterTypes],
    relations: state.relations,
    parallelSafe: state.parallelSafe && state.readOnly,
    readOnly: state.readOnly,
    catalogVersion: options.catalog.version,
    targets: query.targets,
  };
  numberNodes(plan);
  return plan;
}

interface Candidate {
  planner: PhysicalPlanner;
  path: Path;
}

/**
 * Unnesting a correlated scalar subquery computes it for all outer values at once; running it per row wins when few outer
 * rows are left. Where there is such a subquery both plans are made and the cheaper one is taken.
 */
function choosePlan(state: PlannerState, root: LogicalNode): Candidate {
  const chosen = choosePlanForRows(state, root);
  const { settings } = state;
  if (chosen.path.total < settings.pipelineCostMin || !state.readOnly) return chosen;
  // Pipelines read whole columns and probe hash tables; both cost them a small part of what they cost rows.
  state.settings = {
    ...settings,
    enableNestedLoop: false,
    enableIndexScan: false,
    workMemBytes: PIPELINE_BYTES,
  };
  const columnar = planWith(state, root, true);
  state.settings = settings;
  const isPossible = columnar.path.total < DISABLE_COST;
  return isPossible && columnar.path.total * PIPELINE_SHARE < chosen.path.total ? columnar : chosen;
}

/** What pipelines need of the row executor's time for the same plan, carefully. */
const PIPELINE_SHARE = 0.1;
/** Their working memory is not the statement's. */
const PIPELINE_BYTES = 1024 * 1024 * 1024;

function choosePlanForRows(state: PlannerState, root: LogicalNode): Candidate {
  const unnested = planWith(state, root, true);
  if (unnested.scalars === 0) return unnested;
  const nested = planWith(state, root, false);
  return nested.path.total < unnested.path.total ? nested : unnested;
}

function planWith(
  state: PlannerState,
  root: LogicalNode,
  unnestScalars: boolean,
): Candidate & { scalars: number } {
  const ctes = state.ctes.map((cte) => applyRules(state, cte.node, { unnestScalars }));
  const logical = applyRules(state, root, { unnestScalars });
  const planner = new PhysicalPlanner(
    state,
    ctes.map((cte) => cte.node),
  );
  for (let i = 0; i < ctes.length; i++) planner.planCte(i);
  const fraction = state.settings.cursorTupleFraction;
  let path = planner.plan(logical.node, ANY);
  if (fraction < 1) path = planner.plan(logical.node, { order: [], rows: Math.max(1, path.rows * fraction) });
  return { planner, path, scalars: logical.scalars + ctes.reduce((sum, cte) => sum + cte.scalars, 0) };
}

function outputColumn(state: PlannerState, target: TargetEntry | undefined, slot: number): OutputColumn {
  const info = state.slots[slot];
  // Clients are told the base type of a domain.
  const type = baseType(
    state.catalog,
    target?.expr.typeOid ?? info.typeOid,
    target?.expr.typmod ?? info.typmod,
  );
  return {
    name: target?.name ?? '?column?',
    typeOid: type.typeOid,
    typmod: type.typmod,
    slot,
    originTable: target?.originTable ?? 0,
    originColumn: target?.originColumn ?? 0,
  };
}
