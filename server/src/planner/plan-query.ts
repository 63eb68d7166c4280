/**
 * Entry of the planner: typed query in, physical plan out.
 *
 * 1. logical plan (`logical/`), 2. rules (`rules/`), 3. join order and access paths by cost (`join-order/`, `physical-*`),
 * 4. outputs, pruning, numbering (`physical-finish`).
 */
import type { Query, TargetEntry } from '../sql/tree.ts';
import type { PlanOptions } from './contract.ts';
import { buildLogicalPlan, fixColumns } from './logical/query.ts';
import type { OutputColumn, PhysicalPlan } from './physical.ts';
import { assignOutputs, numberNodes } from './physical-finish.ts';
import { ANY, type Wanted } from './physical-path.ts';
import { PhysicalPlanner } from './physical-planner.ts';
import { applyRules } from './rules/apply.ts';
import { PlannerState } from './state.ts';

/**
 * Plans one statement.
 *
 * Errors  DbError 0A000 for what no operator can do; XX000 when the tree breaks an invariant.
 * Cost    TPC-H queries about 1 ms warm; point statements well below 0.1 ms.
 */
export function planQuery(query: Query, options: PlanOptions): PhysicalPlan {
  const state = new PlannerState(options);
  const built = buildLogicalPlan(state, query);
  const isSelect = query.command === 'select';
  const fixed =
    isSelect || built.columns.length > 0 ? fixColumns(state, built) : { node: built.node, slots: [] };
  for (const cte of state.ctes) cte.node = applyRules(state, cte.node, new Set(cte.outputs));
  const logical = applyRules(state, fixed.node, new Set(fixed.slots));

  const planner = new PhysicalPlanner(state);
  for (let i = 0; i < state.ctes.length; i++) planner.planCte(i);
  const fraction = state.settings.cursorTupleFraction;
  let wanted: Wanted = ANY;
  if (fraction < 1) wanted = { order: [], rows: Math.max(1, planner.plan(logical, ANY).rows * fraction) };
  const path = planner.plan(logical, wanted);
  const root = path.make();

  const visible = isSelect
    ? query.targets.filter((target) => !target.junk)
    : query.returning.filter((t) => !t.junk);
  const columns = fixed.slots.map((slot, i) => outputColumn(state, visible[i], slot));
  assignOutputs(state, root, new Set(fixed.slots));
  for (const subplan of state.subplans) assignOutputs(state, subplan.root, new Set(subplan.outputs));
  const ctes: PhysicalPlan['ctes'] = [];
  for (const cte of state.ctes) {
    if (cte.plan === null) continue;
    assignOutputs(state, cte.plan, new Set(cte.outputs));
    ctes.push({ name: cte.name, root: cte.plan, outputs: cte.outputs, modifies: cte.modifies });
  }
  const plan: PhysicalPlan = {
    command: query.command,
    root,
    slotCount: state.slots.length,
    columns,
    subplans: state.subplans,
    ctes,
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

function outputColumn(state: PlannerState, target: TargetEntry | undefined, slot: number): OutputColumn {
  const info = state.slots[slot];
  return {
    name: target?.name ?? '?column?',
    typeOid: target?.expr.typeOid ?? info.typeOid,
    typmod: target?.expr.typmod ?? info.typmod,
    slot,
    originTable: target?.originTable ?? 0,
    originColumn: target?.originColumn ?? 0,
  };
}
