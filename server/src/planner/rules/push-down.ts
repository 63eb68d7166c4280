/**
 * Rule: conditions move down to where their columns come from, and outer joins whose NULL rows a condition refuses become
 * inner ones on the way.
 *
 * Conditions pass joins (by side), projections (by substitution), aggregates and DISTINCT (when they read only keys),
 * windows (when they read only partition keys), set operations (copied into every input) and sorts. They stop at limits,
 * row locks, recursive unions, and where they are volatile.
 */

import { expressionKey } from '../expression/key.ts';
import { FALSE, splitConjuncts } from '../expression/make.ts';
import { containsSubquery, isVolatile, rejectsNull } from '../expression/properties.ts';
import type { LExpr } from '../expression/walk.ts';
import { mapChildren } from '../expression/walk.ts';
import type { LJoin, LogicalNode } from '../logical/algebra.ts';
import {
  mapNodeChildren,
  mapNodeExpressions,
  outerSlots,
  providedSlots,
  substituteSlots,
  usedSlots,
} from '../logical/nodes.ts';
import type { PlannerState } from '../state.ts';
import { extractFromOr } from './extract-or.ts';
import { inferEqualities } from './infer-equal.ts';
import { simplify } from './simplify.ts';

export function pushDownPredicates(state: PlannerState, node: LogicalNode): LogicalNode {
  return push(state, node, []);
}

function filter(child: LogicalNode, predicates: LExpr[]): LogicalNode {
  return predicates.length === 0 ? child : { kind: 'filter', child, predicates };
}

/** True for a condition that never holds. */
function isNever(predicate: LExpr): boolean {
  return predicate.kind === 'const' && predicate.value !== true;
}

function readsAny(predicate: LExpr, slots: ReadonlySet<number>): boolean {
  for (const slot of usedSlots(predicate)) if (slots.has(slot)) return true;
  return false;
}

/** Subqueries inside expressions get their own run of the rules. */
function rewriteSubqueries(state: PlannerState, expr: LExpr): LExpr {
  const below = mapChildren(expr, (child) => rewriteSubqueries(state, child));
  if (below.kind !== 'subquery') return below;
  const plan = push(state, below.plan, []);
  return plan === below.plan ? below : { ...below, plan };
}

function push(state: PlannerState, input: LogicalNode, incoming: LExpr[]): LogicalNode {
  const predicates = incoming.filter((p) => !(p.kind === 'const' && p.value === true));
  if (predicates.some(isNever)) return { kind: 'empty', slots: [...providedSlots(input)] };
  const node =
    input.kind === 'filter' || input.kind === 'join'
      ? input
      : mapNodeExpressions(input, (expr) => rewriteSubqueries(state, expr));
  switch (node.kind) {
    case 'filter': {
      const own = node.predicates.flatMap((p) =>
        splitConjuncts(simplify(state, rewriteSubqueries(state, p))),
      );
      // A volatile condition keeps its place: what comes from above must not run before it… and may not pass it either.
      if (own.some((p) => isVolatile(state.catalog, p))) {
        const child = push(
          state,
          node.child,
          own.filter((p) => !isVolatile(state.catalog, p)),
        );
        return filter(
          filter(
            child,
            own.filter((p) => isVolatile(state.catalog, p)),
          ),
          predicates,
        );
      }
      return push(state, node.child, dedupe([...own, ...predicates]));
    }
    case 'join':
      return pushJoin(state, node, predicates);
    case 'project': {
      const volatileSlots = new Set<number>();
      const replacement = new Map<number, LExpr>();
      for (const item of node.exprs) {
        if (isVolatile(state.catalog, item.expr) || containsSubquery(item.expr)) volatileSlots.add(item.slot);
        else replacement.set(item.slot, item.expr);
      }
      const stay: LExpr[] = [];
      const down: LExpr[] = [];
      for (const p of predicates) {
        if (isVolatile(state.catalog, p) || readsAny(p, volatileSlots)) stay.push(p);
        else down.push(...splitConjuncts(simplify(state, substituteSlots(p, replacement))));
      }
      return filter({ ...node, child: push(state, node.child, down) }, stay);
    }
    case 'projectSet': {
      const own = new Set(node.exprs.map((item) => item.slot));
      const [stay, down] = partition(predicates, (p) => readsAny(p, own) || isVolatile(state.catalog, p));
      return filter({ ...node, child: push(state, node.child, down) }, stay);
    }
    case 'aggregate': {
      const replacement = new Map<number, LExpr>();
      // With grouping sets a key may be NULL although its expression is not; without keys a condition would lose the one row.
      if (node.sets === null && node.groups.length > 0)
        for (const group of node.groups)
          if (!isVolatile(state.catalog, group.expr)) replacement.set(group.slot, group.expr);
      const provided = providedSlots(node);
      const [down, stay] = partition(predicates, (p) => {
        if (isVolatile(state.catalog, p) || containsSubquery(p)) return false;
        let some = false;
        for (const slot of usedSlots(p)) {
          if (!provided.has(slot)) continue;
          if (!replacement.has(slot)) return false;
          some = true;
        }
        return some;
      });
      return filter(
        {
          ...node,
          child: push(
            state,
            node.child,
            down.map((p) => substituteSlots(p, replacement)),
          ),
        },
        stay,
      );
    }
    case 'window': {
      const keys = new Set(
        node.partitionBy.map((key) =>
          key.expr.kind === ('slot' as never) ? (key.expr as unknown as { slot: number }).slot : -1,
        ),
      );
      const provided = providedSlots(node);
      const [down, stay] = partition(predicates, (p) => {
        if (isVolatile(state.catalog, p)) return false;
        let some = false;
        for (const slot of usedSlots(p)) {
          if (!provided.has(slot)) continue;
          if (!keys.has(slot)) return false;
          some = true;
        }
        return some;
      });
      return filter({ ...node, child: push(state, node.child, down) }, stay);
    }
    case 'distinct': {
      const keys = new Set<number>();
      for (const key of node.keys) for (const slot of usedSlots(key.expr)) keys.add(slot);
      const provided = providedSlots(node);
      const [down, stay] = partition(predicates, (p) => {
        if (isVolatile(state.catalog, p)) return false;
        for (const slot of usedSlots(p)) if (provided.has(slot) && !keys.has(slot)) return false;
        return true;
      });
      return filter({ ...node, child: push(state, node.child, down) }, stay);
    }
    case 'setOperation': {
      const [stay, down] = partition(predicates, (p) => isVolatile(state.catalog, p) || containsSubquery(p));
      const children = node.children.map((child, i) => {
        const replacement = new Map(
          node.slots.map((slot, j): [number, LExpr] => [slot, state.slot(node.maps[i][j])]),
        );
        return push(
          state,
          child,
          down.map((p) => substituteSlots(p, replacement)),
        );
      });
      return filter({ ...node, children }, stay);
    }
    case 'sort':
      return { ...node, child: push(state, node.child, predicates) };
    case 'modify':
      return mapNodeChildren(node, (child) => push(state, child, []));
    default:
      return filter(
        mapNodeChildren(node, (child) => push(state, child, [])),
        predicates,
      );
  }
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const yes: T[] = [];
  const no: T[] = [];
  for (const item of items) (test(item) ? yes : no).push(item);
  return [yes, no];
}

function dedupe(predicates: LExpr[]): LExpr[] {
  const seen = new Set<string>();
  return predicates.filter((p) => {
    if (containsSubquery(p)) return true;
    const key = expressionKey(p);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function pushJoin(state: PlannerState, input: LJoin, fromAbove: LExpr[]): LogicalNode {
  let node = input;
  const leftSlots = providedSlots(node.left);
  const rightSlots = providedSlots(node.right);
  const volatileAbove = fromAbove.filter((p) => isVolatile(state.catalog, p));
  let above = fromAbove.filter((p) => !volatileAbove.includes(p));
  let own = node.predicates.flatMap((p) => splitConjuncts(simplify(state, rewriteSubqueries(state, p))));
  own = own.filter((p) => !(p.kind === 'const' && p.value === true));

  // Outer joins whose made-up NULL rows cannot pass are not outer joins.
  if (node.type === 'full') {
    const keepsLeft = above.some((p) => rejectsNull(state.catalog, p, leftSlots));
    const keepsRight = above.some((p) => rejectsNull(state.catalog, p, rightSlots));
    if (keepsLeft && keepsRight) node = { ...node, type: 'inner' };
    else if (keepsLeft) node = { ...node, type: 'left' };
    else if (keepsRight)
      return pushJoin(state, { ...node, type: 'left', left: node.right, right: node.left }, fromAbove);
  }
  if (node.type === 'left' && above.some((p) => rejectsNull(state.catalog, p, rightSlots)))
    node = { ...node, type: 'inner' };

  const left: LExpr[] = [];
  const right: LExpr[] = [];
  let here: LExpr[] = [];
  const stay: LExpr[] = [...volatileAbove];
  const isLateral = [...outerSlots(node.right)].some((slot) => leftSlots.has(slot));

  switch (node.type) {
    case 'inner': {
      const all = inferEqualities(state, dedupe([...own, ...above]));
      if (all.some(isNever)) return { kind: 'empty', slots: [...leftSlots, ...rightSlots] };
      for (const p of all) {
        const inLeft = readsAny(p, leftSlots);
        const inRight = readsAny(p, rightSlots);
        if (isVolatile(state.catalog, p)) here.push(p);
        else if (inLeft && !inRight) left.push(p);
        else if (inRight && !inLeft) right.push(p);
        else {
          here.push(p);
          const onLeft = extractFromOr(state, p, leftSlots);
          if (onLeft !== null) left.push(...splitConjuncts(onLeft));
          const onRight = extractFromOr(state, p, rightSlots);
          if (onRight !== null) right.push(...splitConjuncts(onRight));
        }
      }
      break;
    }
    case 'left': {
      for (const p of above) {
        if (readsAny(p, rightSlots)) stay.push(p);
        else left.push(p);
      }
      if (own.some(isNever)) {
        // No row of the right side ever matches.
        const leftNode = push(state, node.left, left);
        return filter(
          { ...node, left: leftNode, right: { kind: 'empty', slots: [...rightSlots] }, predicates: [FALSE] },
          stay,
        );
      }
      // What is true of every left row that passes may be assumed of its partners.
      const implied = inferEqualities(state, dedupe([...own, ...left.filter((p) => !containsSubquery(p))]));
      for (const p of implied) {
        const isOwn = own.includes(p);
        if (readsAny(p, rightSlots) && !readsAny(p, leftSlots) && !isVolatile(state.catalog, p))
          right.push(p);
        else if (isOwn) here.push(p);
      }
      break;
    }
    case 'semi':
    case 'anti': {
      left.push(...above);
      if (node.nullAware) {
        here.push(...own);
        break;
      }
      const implied = inferEqualities(state, dedupe([...own, ...above.filter((p) => !containsSubquery(p))]));
      for (const p of implied) {
        const isOwn = own.includes(p);
        const inLeft = readsAny(p, leftSlots);
        const inRight = readsAny(p, rightSlots);
        if (isVolatile(state.catalog, p)) {
          if (isOwn) here.push(p);
        } else if (inRight && !inLeft) right.push(p);
        else if (inLeft && !inRight && node.type === 'semi') left.push(p);
        else if (isOwn) here.push(p);
      }
      break;
    }
    default:
      here = own;
      stay.push(...above);
      above = [];
  }
  const leftNode = push(state, node.left, dedupe(left));
  const rightNode = push(state, node.right, dedupe(right));
  if (leftNode.kind === 'empty' && node.type !== 'full')
    return { kind: 'empty', slots: [...providedSlots(node)] };
  if (rightNode.kind === 'empty' && (node.type === 'inner' || node.type === 'semi') && !isLateral)
    return { kind: 'empty', slots: [...providedSlots(node)] };
  if (rightNode.kind === 'empty' && node.type === 'anti') return filter(leftNode, stay);
  const joined: LogicalNode = { ...node, left: leftNode, right: rightNode, predicates: dedupe(here) };
  return filter(joined, stay);
}
