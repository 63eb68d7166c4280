/**
 * Rule: an aggregate that is joined on its group key needs only the groups the other side can ask for.
 *
 * Unnesting makes "aggregate everything, then join" of a correlated subquery. When a small filtered table takes part in the
 * same chain of equalities (TPC-H Q17: 200 parts of 200,000; Q20), its keys are semi-joined to the aggregate's input first.
 * The table is read twice for it, so it must be much smaller than what is saved.
 */
import { makeOperator } from '../expression/make.ts';
import { containsSubquery, isVolatile } from '../expression/properties.ts';
import type { LExpr } from '../expression/walk.ts';
import type { LAggregate, LJoin, LogicalNode, LScan } from '../logical/algebra.ts';
import { mapNodeChildren, providedSlots, substituteSlots } from '../logical/nodes.ts';
import type { PlannerState } from '../state.ts';
import { tableRows } from '../statistics/column.ts';
import { conjunctionSelectivity } from '../statistics/selectivity.ts';
import { copyScan } from './min-max.ts';
import { deliversOrder } from './unnest.ts';

/** The filter must leave less than this share of its table. */
const SELECTIVE = 0.2;
/** Rows the aggregate's largest table must have, in multiples of the filtered table. */
const MUCH_LARGER = 4;

export function reduceAggregates(state: PlannerState, root: LogicalNode): LogicalNode {
  const node = mapNodeChildren(root, (child) => reduceAggregates(state, child));
  return node.kind === 'join' && node.type === 'inner' ? reduceInRegion(state, node) : node;
}

interface Filtered {
  scan: LScan;
  predicates: LExpr[];
  slot: number;
}

function reduceInRegion(state: PlannerState, root: LJoin): LogicalNode {
  const leaves: LogicalNode[] = [];
  const equalities: [number, number, number][] = [];
  collect(state, root, leaves, equalities);
  const aggregates = leaves.filter((leaf) => aggregateOf(leaf) !== null);
  if (aggregates.length === 0) return root;
  const replaced = new Map<LogicalNode, LogicalNode>();
  for (const leaf of aggregates) {
    const aggregate = aggregateOf(leaf) as LAggregate;
    // A join would lose the order that aggregates like string_agg may rely on.
    if (deliversOrder(aggregate.child)) continue;
    for (const group of aggregate.groups) {
      if (group.expr.kind !== 'slot') continue;
      const source = findFiltered(state, leaves, sameAs(group.slot, equalities), equalities, group.slot);
      if (
        source === null ||
        largestTable(state, aggregate.child) <
          MUCH_LARGER * tableRows(state, source.filtered.scan.relation.oid)
      )
        continue;
      const { scan, map } = copyScan(state, source.filtered.scan);
      const predicates = source.filtered.predicates.map((predicate) => substituteSlots(predicate, map));
      const reduced: LAggregate = {
        ...aggregate,
        child: {
          kind: 'join',
          type: 'semi',
          left: aggregate.child,
          right: { kind: 'filter', child: scan, predicates },
          predicates: [
            makeOperator(
              state.catalog,
              source.operatorOid,
              group.expr,
              map.get(source.filtered.slot) as LExpr,
            ),
          ],
          nullAware: false,
        },
      };
      replaced.set(leaf, withAggregate(leaf, reduced));
      break;
    }
  }
  return replaced.size === 0 ? root : rebuild(root, replaced);
}

function collect(
  state: PlannerState,
  node: LogicalNode,
  leaves: LogicalNode[],
  equalities: [number, number, number][],
): void {
  if (node.kind !== 'join' || node.type !== 'inner') {
    leaves.push(node);
    return;
  }
  for (const predicate of node.predicates) {
    if (predicate.kind !== 'operator' || predicate.args.length !== 2) continue;
    const [left, right] = predicate.args as [LExpr, LExpr];
    if (left.kind !== 'slot' || right.kind !== 'slot' || left.typeOid !== right.typeOid) continue;
    if (state.catalog.operator(predicate.operatorOid)?.btreeStrategy === 3)
      equalities.push([left.slot, right.slot, predicate.operatorOid]);
  }
  collect(state, node.left, leaves, equalities);
  collect(state, node.right, leaves, equalities);
}

/** All slots equal to `slot`. */
function sameAs(slot: number, equalities: readonly [number, number, number][]): Set<number> {
  const result = new Set([slot]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const [a, b] of equalities)
      if (result.has(a) !== result.has(b)) {
        result.add(a).add(b);
        grown = true;
      }
  }
  return result;
}

function findFiltered(
  state: PlannerState,
  leaves: readonly LogicalNode[],
  slots: ReadonlySet<number>,
  equalities: readonly [number, number, number][],
  own: number,
): { filtered: Filtered; operatorOid: number } | null {
  let best: Filtered | null = null;
  let bestShare = SELECTIVE;
  for (const leaf of leaves) {
    if (leaf.kind !== 'filter' || leaf.child.kind !== 'scan' || leaf.child.relation.virtualRows !== null)
      continue;
    const { child: scan, predicates } = leaf;
    if (predicates.some((p) => containsSubquery(p) || isVolatile(state.catalog, p))) continue;
    const provided = providedSlots(scan);
    const slot = [...provided].find((s) => slots.has(s));
    if (slot === undefined) continue;
    const share = conjunctionSelectivity(state, predicates);
    if (share < bestShare) {
      best = { scan, predicates, slot };
      bestShare = share;
    }
  }
  if (best === null) return null;
  const operator = equalities.find(([a, b]) => a === own || b === own)?.[2];
  return operator === undefined ? null : { filtered: best, operatorOid: operator };
}

/** The aggregate of a leaf, below conditions and projections. */
function aggregateOf(node: LogicalNode): LAggregate | null {
  let at = node;
  while (at.kind === 'filter' || at.kind === 'project') at = at.child;
  return at.kind === 'aggregate' && at.sets === null ? at : null;
}

function withAggregate(node: LogicalNode, aggregate: LAggregate): LogicalNode {
  if (node.kind === 'filter' || node.kind === 'project')
    return { ...node, child: withAggregate(node.child, aggregate) };
  return aggregate;
}

function largestTable(state: PlannerState, node: LogicalNode): number {
  switch (node.kind) {
    case 'scan':
      return tableRows(state, node.relation.oid);
    case 'join':
      return Math.max(largestTable(state, node.left), largestTable(state, node.right));
    case 'filter':
    case 'project':
      return largestTable(state, node.child);
    default:
      return 0;
  }
}

function rebuild(node: LogicalNode, replaced: ReadonlyMap<LogicalNode, LogicalNode>): LogicalNode {
  const known = replaced.get(node);
  if (known !== undefined) return known;
  if (node.kind !== 'join' || node.type !== 'inner') return node;
  return { ...node, left: rebuild(node.left, replaced), right: rebuild(node.right, replaced) };
}
