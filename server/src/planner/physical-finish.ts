/**
 * The last pass over a plan: from the top down every node learns which of its slots are needed above. Unneeded columns,
 * expressions and aggregates go; `outputs` and widths are set; nodes are numbered.
 */
import { assertNever } from '../base/error.ts';
import { isParallelSafe, isVolatile } from './expression/properties.ts';
import type { LExpr } from './expression/walk.ts';
import { usedSlots } from './logical/nodes.ts';
import type { PhysicalPlan, PlanNode, ScanColumn } from './physical.ts';
import { forEachPlanExpression, forEachPlanNode, planChildren } from './plan-walk.ts';
import type { PlannerState } from './state.ts';
import { rowWidth } from './statistics/width.ts';

type Slots = Set<number>;

/** Numbers the nodes of all trees of the plan: main tree first, then subplans, then CTEs. */
export function numberNodes(plan: Pick<PhysicalPlan, 'root' | 'subplans' | 'ctes'>): void {
  let next = 0;
  const number = (node: PlanNode): void => {
    node.id = next++;
  };
  forEachPlanNode(plan.root, number);
  for (const subplan of plan.subplans) forEachPlanNode(subplan.root, number);
  for (const cte of plan.ctes) forEachPlanNode(cte.root, number);
}

/** Sets `outputs` below `node`; returns the slots the subtree reads from outside (correlation). */
export function assignOutputs(state: PlannerState, node: PlanNode, required: ReadonlySet<number>): Slots {
  const finish = new OutputPass(state);
  return finish.visit(node, required).free;
}

interface Visited {
  provides: Slots;
  free: Slots;
}

function union(...sets: Iterable<number>[]): Slots {
  const result: Slots = new Set();
  for (const set of sets) for (const slot of set) result.add(slot);
  return result;
}

function minus(left: ReadonlySet<number>, right: ReadonlySet<number>): Slots {
  const result: Slots = new Set();
  for (const slot of left) if (!right.has(slot)) result.add(slot);
  return result;
}

class OutputPass {
  private readonly state: PlannerState;

  constructor(state: PlannerState) {
    this.state = state;
  }

  visit(node: PlanNode, required: ReadonlySet<number>): Visited {
    const { provides, free } = this.node(node, required);
    node.outputs = [];
    // Set operations copy column by column into all of their outputs.
    const all = node.kind === 'setOperation' || node.kind === 'recursiveUnion' || node.kind === 'append';
    if (all) node.outputs = [...node.slots];
    else for (const slot of provides) if (required.has(slot)) node.outputs.push(slot);
    if (node.kind !== 'modify' || node.returning.length > 0) node.width = rowWidth(this.state, node.outputs);
    if (this.state.parallelSafe) this.checkParallel(node);
    return { provides: new Set(node.outputs), free };
  }

  private checkParallel(node: PlanNode): void {
    if (node.kind === 'modify' || node.kind === 'lockRows' || node.kind === 'virtualScan') {
      this.state.parallelSafe = false;
      return;
    }
    const { catalog } = this.state;
    forEachPlanExpression(node, (expr) => {
      if (!isParallelSafe(catalog, expr)) this.state.parallelSafe = false;
    });
    const callable = (oid: number): void => {
      if (catalog.function(oid)?.parallel !== 's') this.state.parallelSafe = false;
    };
    if (node.kind === 'aggregate') for (const item of node.aggregates) callable(item.aggregateOid);
    if (node.kind === 'window') for (const item of node.functions) callable(item.functionOid);
  }

  private used(node: PlanNode): Slots {
    const result: Slots = new Set();
    forEachPlanExpression(node, (expr) => usedSlots(expr, result));
    return result;
  }

  /** One child whose slots pass through; `own` are produced here. */
  private through(
    node: PlanNode,
    child: PlanNode,
    required: ReadonlySet<number>,
    own: Iterable<number> = [],
  ): Visited {
    const used = this.used(node);
    const produced = union(own);
    const below = this.visit(child, union(minus(required as Slots, produced), used));
    const provides = union(below.provides, produced);
    return { provides, free: union(below.free, minus(used, provides)) };
  }

  private pruneColumns(columns: ScanColumn[], needed: ReadonlySet<number>): ScanColumn[] {
    return columns.filter((column) => needed.has(column.slot));
  }

  private node(node: PlanNode, required: ReadonlySet<number>): Visited {
    switch (node.kind) {
      case 'seqScan':
      case 'indexScan':
      case 'virtualScan': {
        const used = this.used(node);
        const all = new Set(node.columns.map((column) => column.slot));
        const needed = union(required, used);
        if (node.kind !== 'virtualScan')
          node.pruned = node.columns.filter((column) => !needed.has(column.slot));
        node.columns = this.pruneColumns(node.columns, needed);
        const provides = new Set(node.columns.map((column) => column.slot));
        if (node.kind !== 'virtualScan' && node.rowIdSlot >= 0) {
          all.add(node.rowIdSlot);
          // The condition of a sample reads it, too.
          if (needed.has(node.rowIdSlot)) provides.add(node.rowIdSlot);
          else node.rowIdSlot = -1;
        }
        return { provides, free: minus(used, all) };
      }
      case 'result':
        // A plan without rows still names its slots, for outer joins to null.
        return { provides: new Set(node.outputs), free: this.used(node) };
      case 'valuesScan':
      case 'cteScan':
      case 'workTableScan': {
        const provides = new Set(node.slots);
        return { provides, free: minus(this.used(node), provides) };
      }
      case 'functionScan': {
        const provides = new Set(node.functions.flatMap((item) => item.slots));
        if (node.ordinalitySlot >= 0) provides.add(node.ordinalitySlot);
        return { provides, free: minus(this.used(node), provides) };
      }
      case 'project': {
        const keep = node.exprs.filter(
          (item) => required.has(item.slot) || isVolatile(this.state.catalog, item.expr as LExpr),
        );
        node.exprs = keep;
        return this.through(
          node,
          node.child,
          required,
          keep.map((item) => item.slot),
        );
      }
      case 'projectSet':
        return this.through(
          node,
          node.child,
          required,
          node.exprs.map((item) => item.slot),
        );
      case 'window': {
        node.functions = node.functions.filter((item) => required.has(item.slot));
        return this.through(
          node,
          node.child,
          required,
          node.functions.map((item) => item.slot),
        );
      }
      case 'filter':
      case 'materialize':
      case 'sort':
      case 'limit':
      case 'unique':
        return this.through(node, node.child, required);
      case 'nestedLoop': {
        const used = this.used(node);
        const wanted = union(required, used);
        const inner = this.visit(node.inner, wanted);
        const outer = this.visit(node.outer, union(wanted, inner.free));
        const keepsInner = node.type === 'inner' || node.type === 'left';
        const free = union(outer.free, minus(union(inner.free, used), union(outer.provides, inner.provides)));
        return { provides: keepsInner ? union(outer.provides, inner.provides) : outer.provides, free };
      }
      case 'hashJoin':
      case 'mergeJoin': {
        const used = this.used(node);
        const wanted = union(required, used);
        const inner = this.visit(node.inner, wanted);
        const outer = this.visit(node.outer, wanted);
        const both = union(outer.provides, inner.provides);
        const provides =
          node.type === 'semi' || node.type === 'anti'
            ? outer.provides
            : node.type === 'rightSemi' || node.type === 'rightAnti'
              ? inner.provides
              : both;
        return { provides, free: union(outer.free, inner.free, minus(used, both)) };
      }
      case 'aggregate': {
        const having: Slots = node.having === null ? new Set() : usedSlots(node.having as LExpr);
        node.aggregates = node.aggregates.filter((item) => required.has(item.slot) || having.has(item.slot));
        node.grouping = node.grouping.filter((item) => required.has(item.slot) || having.has(item.slot));
        const inputs: Slots = new Set();
        const { having: condition } = node;
        node.having = null;
        forEachPlanExpression(node, (expr) => usedSlots(expr, inputs));
        node.having = condition;
        const below = this.visit(node.child, inputs);
        const provides = new Set([
          ...node.groups.map((group) => group.slot),
          ...node.aggregates.map((item) => item.slot),
          ...node.grouping.map((item) => item.slot),
        ]);
        return {
          provides,
          free: union(below.free, minus(inputs, below.provides), minus(having, provides)),
        };
      }
      case 'append': {
        const keep = node.slots.map((slot) => required.has(slot));
        node.slots = node.slots.filter((_, i) => keep[i]);
        node.maps = node.maps.map((map) => map.filter((_, i) => keep[i]));
        const free = node.children.map((child, i) => this.visit(child, new Set(node.maps[i])).free);
        return { provides: new Set(node.slots), free: union(...free) };
      }
      case 'setOperation': {
        const left = this.visit(node.left, new Set(node.leftSlots));
        const right = this.visit(node.right, new Set(node.rightSlots));
        return { provides: new Set(node.slots), free: union(left.free, right.free) };
      }
      case 'recursiveUnion': {
        const base = this.visit(node.base, new Set(node.baseSlots));
        const recursive = this.visit(node.recursive, new Set(node.recursiveSlots));
        return { provides: new Set(node.slots), free: union(base.free, recursive.free) };
      }
      case 'lockRows': {
        const used = this.used(node);
        const needed = union(required, used);
        for (const mark of node.marks) needed.add(mark.rowIdSlot);
        const below = this.visit(node.child, needed);
        // A newer version is read into the slots the rows above and the recheck use.
        for (const mark of node.marks) mark.columns = this.pruneColumns(mark.columns, needed);
        return { provides: below.provides, free: union(below.free, minus(used, below.provides)) };
      }
      case 'modify': {
        const used = this.used(node);
        const own = new Set(node.returning.map((item) => item.slot));
        node.targetColumns = this.pruneColumns(node.targetColumns, used);
        if (node.onConflict !== null)
          node.onConflict.excludedColumns = this.pruneColumns(node.onConflict.excludedColumns, used);
        const needed = union(used);
        if (node.rowIdSlot >= 0) needed.add(node.rowIdSlot);
        const below = this.visit(node.child, needed);
        const visible = union(
          below.provides,
          node.targetColumns.map((column) => column.slot),
        );
        for (const column of node.onConflict?.excludedColumns ?? []) visible.add(column.slot);
        return { provides: own, free: union(below.free, minus(used, union(visible, own))) };
      }
      default:
        return assertNever(node, 'OutputPass.node');
    }
  }
}

/** True when some node of the tree writes or locks rows. */
export function writes(node: PlanNode): boolean {
  return node.kind === 'modify' || node.kind === 'lockRows' || planChildren(node).some(writes);
}
