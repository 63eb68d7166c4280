/**
 * A join region: a maximal tree of joins, taken apart into leaves, equivalence classes and edges.
 *
 * Predicates of inner joins become edges of their own, whatever join they stood at. Equalities between inner-joined
 * leaves form classes: from `a = b` and `b = c` the edge `a = c` follows, and only one edge of a class counts in a join.
 */

import { expressionKey } from '../expression/key.ts';
import { makeOperator } from '../expression/make.ts';
import { rejectsNull } from '../expression/properties.ts';
import type { LExpr } from '../expression/walk.ts';
import type { LJoin, LogicalJoinType, LogicalNode } from '../logical/algebra.ts';
import { outerSlots, providedSlots, usedSlots } from '../logical/nodes.ts';
import type { PlannerState } from '../state.ts';
import { type ConflictRule, conflictsOf, type TreeOperator } from './conflicts.ts';
import { hashable } from './keys.ts';

/** Masks are 32-bit integers: regions beyond this are split. */
export const REGION_LEAVES_MAX = 30;

export interface RegionEdge {
  type: LogicalJoinType;
  predicates: LExpr[];
  /** Leaves the predicate needs on the two sides (for non-inner joins the sides matter). */
  left: number;
  right: number;
  tes: number;
  rules: ConflictRule[];
  nullAware: boolean;
  /** Equivalence class, or -1. */
  equalClass: number;
}

export interface Region {
  leaves: LogicalNode[];
  edges: RegionEdge[];
  /** Conditions without any leaf (parameters or subqueries only) that decide about every row of the region. */
  constants: LExpr[];
  /** Leaves each leaf needs on its outer side (LATERAL). */
  dependencies: number[];
  /** Equalities inside one leaf that follow from a class; conditions without any leaf of a join below an outer one. */
  leafPredicates: LExpr[][];
}

interface Collected {
  mask: number;
  operators: TreeOperator[];
}

export function collectRegion(state: PlannerState, root: LJoin, lower: (expr: LExpr) => LExpr): Region {
  const leaves: LogicalNode[] = [];
  const slotLeaf = new Map<number, number>();
  const total = countLeaves(root);
  const pending: { join: LJoin; operator: TreeOperator }[] = [];

  const collect = (node: LogicalNode, isRoot: boolean): Collected => {
    if (node.kind !== 'join' || (!isRoot && total > REGION_LEAVES_MAX)) {
      const index = leaves.length;
      leaves.push(node);
      for (const slot of providedSlots(node)) slotLeaf.set(slot, index);
      return { mask: 1 << index, operators: [] };
    }
    const left = collect(node.left, false);
    const right = collect(node.right, false);
    const operator: TreeOperator = {
      type: node.type,
      leftMask: left.mask,
      rightMask: right.mask,
      ses: 0,
      left: left.operators,
      right: right.operators,
      rejectsNull: () => false,
    };
    pending.push({ join: node, operator });
    return { mask: left.mask | right.mask, operators: [...left.operators, ...right.operators, operator] };
  };
  const all = collect(root, true);

  const maskOf = (expr: LExpr): number => {
    let mask = 0;
    for (const slot of usedSlots(expr)) {
      const leaf = slotLeaf.get(slot);
      if (leaf !== undefined) mask |= 1 << leaf;
    }
    return mask;
  };
  const dependencies = leaves.map((leaf, i) => {
    let mask = 0;
    for (const slot of outerSlots(leaf)) {
      const other = slotLeaf.get(slot);
      if (other !== undefined && other !== i) mask |= 1 << other;
    }
    return mask;
  });
  for (const { join, operator } of pending)
    for (const predicate of join.predicates) operator.ses |= maskOf(predicate);
  // LATERAL acts like a condition between the dependent leaves and what they read, and accepts NULLs.
  const lateralOf = (operator: TreeOperator): number => {
    let mask = 0;
    dependencies.forEach((needs, i) => {
      if ((operator.rightMask & (1 << i)) !== 0 && (needs & operator.leftMask) !== 0)
        mask |= (1 << i) | (needs & operator.leftMask);
    });
    return mask;
  };
  for (const { operator } of pending) operator.ses |= lateralOf(operator);

  const edges: RegionEdge[] = [];
  const constants: LExpr[] = [];
  const classes = new EquivalenceClasses();
  const leafPredicates: LExpr[][] = leaves.map(() => []);
  // A join below an outer one may be empty while the region is not.
  const isBelowOuter = new Set(
    pending.flatMap(({ operator }) =>
      operator.type === 'inner' ? [] : [...operator.left, ...operator.right],
    ),
  );
  for (const { join, operator } of pending) {
    const lowered = join.predicates.map(lower);
    if (lateralOf(operator) === 0)
      operator.rejectsNull = (mask) =>
        lowered.some((predicate) => {
          const nulled = [...usedSlots(predicate)].filter((slot) => {
            const leaf = slotLeaf.get(slot);
            return leaf !== undefined && (mask & (1 << leaf)) !== 0;
          });
          return rejectsNull(state.catalog, predicate, new Set(nulled));
        });
    if (join.type !== 'inner') {
      let ses = operator.ses;
      if ((ses & operator.leftMask) === 0) ses |= operator.leftMask;
      if ((ses & operator.rightMask) === 0) ses |= operator.rightMask;
      // Lateral leaves tie their side to what they read.
      const { tes, rules } = conflictsOf(operator, ses);
      edges.push({
        type: join.type,
        predicates: lowered,
        left: tes & operator.leftMask,
        right: tes & operator.rightMask,
        tes,
        rules,
        nullAware: join.nullAware,
        equalClass: -1,
      });
      continue;
    }
    const lateral = lateralOf(operator);
    if (lateral !== 0) {
      const { tes, rules } = conflictsOf(operator, lateral);
      edges.push({
        type: 'inner',
        predicates: [],
        left: tes & operator.leftMask,
        right: tes & operator.rightMask,
        tes,
        rules,
        nullAware: false,
        equalClass: -1,
      });
    }
    for (const predicate of lowered) {
      const ses = maskOf(predicate);
      if (ses === 0) {
        if (isBelowOuter.has(operator))
          for (const leaf of decidingLeaves(join, leaves))
            leafPredicates[leaves.indexOf(leaf)].push(predicate);
        else constants.push(predicate);
        continue;
      }
      const sides = equalSides(state, predicate);
      if (sides !== null) {
        const leftMask = maskOf(sides.left);
        const rightMask = maskOf(sides.right);
        if (isSingle(leftMask) && isSingle(rightMask) && leftMask !== rightMask) {
          classes.add(sides.left, leftMask, sides.right, rightMask, sides.operatorOid);
          continue;
        }
      }
      edges.push(innerEdge(operator, [predicate], ses, maskSides(predicate, maskOf, ses, operator), -1));
    }
  }
  classes.forEach((members, operatorOid, index) => {
    for (let i = 0; i < members.length; i++)
      for (let j = i + 1; j < members.length; j++) {
        const a = members[i];
        const b = members[j];
        const predicate = makeOperator(state.catalog, operatorOid, a.expr, b.expr);
        if (a.mask === b.mask) {
          leafPredicates[31 - Math.clz32(a.mask)].push(predicate);
          continue;
        }
        const operator = joinOf(pending, a.mask, b.mask);
        edges.push(innerEdge(operator, [predicate], a.mask | b.mask, [a.mask, b.mask], index));
      }
  });

  connectComponents(edges, leaves.length, pending, all.mask);
  return { leaves, edges, constants, dependencies, leafPredicates };
}

/** Leaves without whose rows the node has none: as few as there are. */
function decidingLeaves(node: LogicalNode, leaves: readonly LogicalNode[]): LogicalNode[] {
  if (node.kind !== 'join' || leaves.includes(node)) return [node];
  const left = decidingLeaves(node.left, leaves);
  return node.type === 'full' ? [...left, ...decidingLeaves(node.right, leaves)] : left;
}

function countLeaves(node: LogicalNode): number {
  return node.kind === 'join' ? countLeaves(node.left) + countLeaves(node.right) : 1;
}

function isSingle(mask: number): boolean {
  return mask !== 0 && (mask & (mask - 1)) === 0;
}

function innerEdge(
  operator: TreeOperator,
  predicates: LExpr[],
  ses: number,
  sides: [number, number],
  equalClass: number,
): RegionEdge {
  const { tes, rules } = conflictsOf(operator, ses);
  const extra = tes & ~(sides[0] | sides[1]);
  return {
    type: 'inner',
    predicates,
    left: sides[0] | (extra & operator.leftMask),
    right: sides[1] | (extra & ~operator.leftMask),
    tes,
    rules,
    nullAware: false,
    equalClass,
  };
}

/** The operator of the initial tree that joins the two leaves. */
function joinOf(pending: readonly { operator: TreeOperator }[], a: number, b: number): TreeOperator {
  let best: TreeOperator | null = null;
  for (const { operator } of pending) {
    const { leftMask, rightMask } = operator;
    if (((leftMask & a) !== 0 && (rightMask & b) !== 0) || ((leftMask & b) !== 0 && (rightMask & a) !== 0)) {
      best = operator;
      break;
    }
  }
  return best ?? pending[pending.length - 1].operator;
}

/** Two sides of an inner predicate for the hypergraph. */
function maskSides(
  predicate: LExpr,
  maskOf: (expr: LExpr) => number,
  ses: number,
  operator: TreeOperator,
): [number, number] {
  if (predicate.kind === 'operator' && predicate.args.length === 2) {
    const left = maskOf(predicate.args[0]);
    const right = maskOf(predicate.args[1]);
    if (left !== 0 && right !== 0 && (left & right) === 0) return [left, right];
  }
  const left = ses & operator.leftMask;
  if (left !== 0 && (ses & ~left) !== 0) return [left, ses & ~left];
  const low = ses & -ses;
  return [low, ses & ~low];
}

/** `left = right` where both sides can be hashed. */
function equalSides(
  state: PlannerState,
  predicate: LExpr,
): { left: LExpr; right: LExpr; operatorOid: number } | null {
  if (predicate.kind !== 'operator' || predicate.args.length !== 2) return null;
  const [left, right] = predicate.args as [LExpr, LExpr];
  if (left.typeOid !== right.typeOid || !hashable(state, predicate)) return null;
  return { left, right, operatorOid: predicate.operatorOid };
}

interface Member {
  expr: LExpr;
  mask: number;
}

class EquivalenceClasses {
  private readonly classes: { members: Map<string, Member>; operatorOid: number }[] = [];

  add(left: LExpr, leftMask: number, right: LExpr, rightMask: number, operatorOid: number): void {
    const leftKey = expressionKey(left);
    const rightKey = expressionKey(right);
    const found = this.classes.filter(
      (c) => c.operatorOid === operatorOid && (c.members.has(leftKey) || c.members.has(rightKey)),
    );
    const home = found[0] ?? { members: new Map<string, Member>(), operatorOid };
    if (found.length === 0) this.classes.push(home);
    home.members.set(leftKey, { expr: left, mask: leftMask });
    home.members.set(rightKey, { expr: right, mask: rightMask });
    for (const other of found.slice(1)) {
      for (const [key, member] of other.members) home.members.set(key, member);
      this.classes.splice(this.classes.indexOf(other), 1);
    }
  }

  forEach(visit: (members: Member[], operatorOid: number, index: number) => void): void {
    this.classes.forEach((c, i) => {
      visit([...c.members.values()], c.operatorOid, i);
    });
  }
}

/** Cross products: the graph's components are chained by edges without predicates. */
function connectComponents(
  edges: RegionEdge[],
  leafCount: number,
  pending: readonly { operator: TreeOperator }[],
  all: number,
): void {
  const component = Array.from({ length: leafCount }, (_, i) => 1 << i);
  const merge = (mask: number): void => {
    const merged = component.filter((c) => (c & mask) !== 0).reduce((a, b) => a | b, 0);
    for (let i = 0; i < leafCount; i++) if ((component[i] & merged) !== 0) component[i] = merged;
  };
  for (const edge of edges) merge(edge.left | edge.right);
  for (const { operator } of pending)
    if (operator.type !== 'inner') merge(operator.leftMask | operator.rightMask);
  const roots = [...new Set(component)];
  if (roots.length <= 1) return;
  // Any two components may be multiplied.
  for (let i = 0; i < roots.length; i++)
    for (let j = i + 1; j < roots.length; j++) {
      if ((roots[i] & all) === 0) continue;
      edges.push({
        type: 'inner',
        predicates: [],
        left: roots[i],
        right: roots[j],
        tes: 0,
        rules: [],
        nullAware: false,
        equalClass: -1,
      });
    }
}
