/**
 * Making a subquery's plan independent of the outer row, after Neumann and Kemper, "Unnesting Arbitrary Queries".
 *
 * Correlated conditions are pulled up through the plan until they can become the condition of a join with the outer side.
 * Through a grouping they pass when they are equalities `inner = outer`: the inner side becomes a further key, so the
 * aggregate is computed for all outer values at once. What cannot be pulled up (outer references in limits, windows, inner
 * sides of outer joins …) makes the whole attempt fail; the subquery then stays a subplan with parameters.
 */

import { containsSubquery, isVolatile } from '../expression/properties.ts';
import { asTree, type LExpr } from '../expression/walk.ts';
import type { LAggregate, LogicalNode } from '../logical/algebra.ts';
import { defaultKey } from '../logical/grouping.ts';
import {
  forEachExpression,
  outerSlots,
  providedSlots,
  substituteSlots,
  usedSlots,
} from '../logical/nodes.ts';
import { type PlannerState, typeOf } from '../state.ts';

export interface Decorrelated {
  node: LogicalNode;
  /** Conditions over both the outer side and `node`. */
  predicates: LExpr[];
  /** Slots of projections that read outer slots: to be replaced wherever they are used above. */
  replacement: Map<number, LExpr>;
  /** The plan was an aggregate without GROUP BY: outer rows without a group had one row nevertheless. */
  scalarAggregate: LAggregate | null;
}

/** What the consumer sees of the rows: only whether there is one, which ones there are, or each of them. */
export type Consumer = 'existence' | 'set' | 'rows';

/** Null when it cannot be done. */
export function decorrelate(
  state: PlannerState,
  plan: LogicalNode,
  outer: ReadonlySet<number>,
  consumer: Consumer,
): Decorrelated | null {
  return new Decorrelation(state, outer).pull(plan, consumer);
}

class Decorrelation {
  private readonly state: PlannerState;
  private readonly outer: ReadonlySet<number>;

  constructor(state: PlannerState, outer: ReadonlySet<number>) {
    this.state = state;
    this.outer = outer;
  }

  private isCorrelated(expr: LExpr): boolean {
    for (const slot of usedSlots(expr)) if (this.outer.has(slot)) return true;
    return false;
  }

  private isDependent(node: LogicalNode): boolean {
    for (const slot of outerSlots(node)) if (this.outer.has(slot)) return true;
    return false;
  }

  private independent(node: LogicalNode): Decorrelated {
    return { node, predicates: [], replacement: new Map(), scalarAggregate: null };
  }

  pull(node: LogicalNode, consumer: Consumer): Decorrelated | null {
    // A condition or join above lets a row's existence depend on which row it is.
    const selected: Consumer = consumer === 'existence' ? 'set' : consumer;
    if (!this.isDependent(node)) {
      const result = this.independent(node);
      const bottom = skipProjections(node);
      if (bottom.kind === 'aggregate' && bottom.groups.length === 0 && bottom.sets === null)
        result.scalarAggregate = bottom;
      return result;
    }
    switch (node.kind) {
      case 'filter': {
        const below = this.pull(node.child, selected);
        if (below === null) return null;
        // A condition on an aggregate without groups (HAVING) may hold for a group that no longer exists.
        if (below.scalarAggregate !== null) return null;
        const stay: LExpr[] = [];
        for (const original of node.predicates) {
          const predicate = substituteSlots(original, below.replacement);
          if (!this.isCorrelated(predicate)) stay.push(predicate);
          else if (isVolatile(this.state.catalog, predicate) || containsSubquery(predicate)) return null;
          else below.predicates.push(predicate);
        }
        return {
          ...below,
          node: stay.length === 0 ? below.node : { kind: 'filter', child: below.node, predicates: stay },
        };
      }
      case 'join': {
        const left = this.pull(node.left, selected);
        if (left === null || left.scalarAggregate !== null) return null;
        const right = this.isDependent(node.right)
          ? node.type === 'inner'
            ? this.pull(node.right, selected)
            : null
          : this.independent(node.right);
        if (right === null || right.scalarAggregate !== null || node.type === 'full') return null;
        const replacement = new Map([...left.replacement, ...right.replacement]);
        const stay: LExpr[] = [];
        const up: LExpr[] = [...left.predicates, ...right.predicates];
        for (const original of node.predicates) {
          const predicate = substituteSlots(original, replacement);
          if (!this.isCorrelated(predicate)) stay.push(predicate);
          else if (
            node.type === 'inner' &&
            !isVolatile(this.state.catalog, predicate) &&
            !containsSubquery(predicate)
          )
            up.push(predicate);
          else return null;
        }
        // Conditions above a semi or anti join may only read its left side: those pulled from there do.
        return {
          node: { ...node, left: left.node, right: right.node, predicates: stay },
          predicates: up,
          replacement,
          scalarAggregate: null,
        };
      }
      case 'project': {
        const below = this.pull(node.child, consumer);
        if (below === null) return null;
        const exprs: { expr: LExpr; slot: number }[] = [];
        for (const item of node.exprs) {
          const expr = substituteSlots(item.expr, below.replacement);
          if (isVolatile(this.state.catalog, expr)) return null;
          // Above an aggregate whose groups may be missing everything is computed by the consumer.
          if (this.isCorrelated(expr) || below.scalarAggregate !== null)
            below.replacement.set(item.slot, expr);
          else exprs.push({ ...item, expr });
        }
        return {
          ...below,
          node: exprs.length === 0 ? below.node : { kind: 'project', child: below.node, exprs },
        };
      }
      case 'aggregate':
        return this.pullThroughAggregate(node);
      case 'distinct': {
        if (node.on) return null;
        const below = this.pull(node.child, consumer === 'rows' ? 'set' : consumer);
        if (below === null || below.scalarAggregate !== null || below.replacement.size > 0) return null;
        if (consumer !== 'rows') return below;
        const keys = [...node.keys];
        const seen = new Set(keys.flatMap((key) => [...usedSlots(key.expr)]));
        const provided = providedSlots(below.node);
        for (const predicate of below.predicates) {
          if (this.equalSides(predicate, provided) === null) return null;
          for (const slot of usedSlots(predicate)) {
            if (!provided.has(slot) || seen.has(slot)) continue;
            seen.add(slot);
            keys.push(defaultKey({ state: this.state }, this.state.slot(slot)));
          }
        }
        return { ...below, node: { ...node, child: below.node, keys } };
      }
      case 'sort': {
        for (const key of node.keys) if (this.isCorrelated(key.expr)) return null;
        const below = this.pull(node.child, consumer);
        if (below === null || consumer !== 'rows') return below;
        return below.replacement.size > 0 ? null : { ...below, node: { ...node, child: below.node } };
      }
      case 'limit': {
        const isWhole =
          consumer === 'existence' &&
          node.offset === null &&
          (node.limit === null ||
            (node.limit.kind === 'const' && (node.limit.value === null || Number(node.limit.value) > 0)));
        return isWhole ? this.pull(node.child, consumer) : null;
      }
      default:
        return null;
    }
  }

  private pullThroughAggregate(node: LAggregate): Decorrelated | null {
    if (node.sets !== null) return null;
    let readsOuter = false;
    const below = this.pull(node.child, 'rows');
    if (below === null || below.scalarAggregate !== null) return null;
    const mapped = substituteInAggregate(node, below.replacement);
    forEachExpression({ ...mapped, child: { kind: 'result' } }, (expr) => {
      readsOuter ||= this.isCorrelated(expr);
    });
    if (readsOuter) return null;
    const provided = providedSlots(below.node);
    const groups = [...mapped.groups];
    const predicates: LExpr[] = [];
    for (const predicate of below.predicates) {
      const sides = this.equalSides(predicate, provided);
      if (sides === null || predicate.kind !== 'operator') return null;
      const { inner, outer, innerFirst } = sides;
      let group = groups.find(
        (item) => item.expr.kind === 'slot' && inner.kind === 'slot' && item.expr.slot === inner.slot,
      );
      if (group === undefined) {
        const slot = inner.kind === 'slot' ? inner.slot : this.state.newSlot(typeOf(inner));
        group = { expr: inner, slot, key: defaultKey({ state: this.state }, this.state.slot(slot)) };
        if (group.key.equalityOid === 0) return null;
        groups.push(group);
      }
      const read = this.state.slot(group.slot);
      predicates.push({
        ...predicate,
        args: innerFirst ? [asTree(read), asTree(outer)] : [asTree(outer), asTree(read)],
      });
    }
    return {
      node: { ...mapped, child: below.node, groups },
      predicates,
      replacement: new Map(),
      scalarAggregate: node.groups.length === 0 ? node : null,
    };
  }

  /** `inner expression = outer expression` by a type's own equality. */
  private equalSides(
    predicate: LExpr,
    provided: ReadonlySet<number>,
  ): { inner: LExpr; outer: LExpr; innerFirst: boolean } | null {
    if (predicate.kind !== 'operator' || predicate.args.length !== 2) return null;
    const operator = this.state.catalog.operator(predicate.operatorOid);
    if (operator === null || operator.btreeStrategy !== 3) return null;
    const [left, right] = predicate.args as [LExpr, LExpr];
    const isInner = (expr: LExpr): boolean => {
      let some = false;
      for (const slot of usedSlots(expr)) {
        if (!provided.has(slot)) return false;
        some = true;
      }
      return some;
    };
    const isOuter = (expr: LExpr): boolean => {
      for (const slot of usedSlots(expr)) if (provided.has(slot)) return false;
      return true;
    };
    if (isInner(left) && isOuter(right)) return { inner: left, outer: right, innerFirst: true };
    if (isInner(right) && isOuter(left)) return { inner: right, outer: left, innerFirst: false };
    return null;
  }
}

function skipProjections(node: LogicalNode): LogicalNode {
  let at = node;
  while (at.kind === 'project') at = at.child;
  return at;
}

function substituteInAggregate(node: LAggregate, replacement: ReadonlyMap<number, LExpr>): LAggregate {
  if (replacement.size === 0) return node;
  return {
    ...node,
    groups: node.groups.map((group) => ({ ...group, expr: substituteSlots(group.expr, replacement) })),
    aggregates: node.aggregates.map((item) => ({
      ...item,
      call: substituteSlots(item.call, replacement) as typeof item.call,
    })),
  };
}
