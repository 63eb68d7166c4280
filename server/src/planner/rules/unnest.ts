/**
 * Rule: subqueries in conditions and targets become joins.
 *
 * | form                                   | becomes                                                         |
 * | -------------------------------------- | --------------------------------------------------------------- |
 * | EXISTS (q)                             | semi join                                                       |
 * | NOT EXISTS (q)                         | anti join                                                       |
 * | x IN (q), x op ANY (q)                 | semi join                                                       |
 * | x NOT IN (q), x op ALL (q)             | anti join, null-aware where NULLs are possible                  |
 * | correlated scalar aggregate            | grouped by the correlation, left joined (inner where NULL fails)|
 * | correlated scalar lookup by unique key | left join                                                       |
 *
 * Uncorrelated scalar and EXISTS subqueries stay: they run once. So does what {@link decorrelate} cannot make independent.
 */
import { makeConst, makeOperator } from '../expression/make.ts';
import { isNotNull, isVolatilePlan } from '../expression/properties.ts';
import { asTree, type LExpr, mapChildren, type SubqueryExpr, someExpr } from '../expression/walk.ts';
import type { LFilter, LJoin, LogicalNode } from '../logical/algebra.ts';
import {
  mapNodeChildren,
  mapNodeExpressions,
  outerSlots,
  providedSlots,
  substituteSlots,
  usedSlots,
} from '../logical/nodes.ts';
import type { PlannerState } from '../state.ts';
import { decorrelate } from './decorrelate.ts';

export interface UnnestOptions {
  /** Correlated scalar subqueries too. Without, they stay subplans, which wins when few outer rows are left. */
  scalars: boolean;
}

export interface UnnestResult {
  node: LogicalNode;
  /** Correlated scalar subqueries that were (or could have been) unnested. */
  scalars: number;
}

export function unnestSubqueries(
  state: PlannerState,
  root: LogicalNode,
  options: UnnestOptions,
): UnnestResult {
  const rule = new Unnesting(state, options);
  const node = rule.visit(root);
  return { node, scalars: rule.scalars };
}

class Unnesting {
  private readonly state: PlannerState;
  private readonly options: UnnestOptions;
  scalars = 0;

  constructor(state: PlannerState, options: UnnestOptions) {
    this.state = state;
    this.options = options;
  }

  visit(input: LogicalNode): LogicalNode {
    // Inner levels first, so that a nested subquery is a join by the time its parent is looked at.
    const node = mapNodeExpressions(
      mapNodeChildren(input, (child) => this.visit(child)),
      (expr) => this.visitExpression(expr),
    );
    switch (node.kind) {
      case 'filter':
        return this.unnestFilter(node);
      case 'join': {
        const lateral = this.unnestLateral(node);
        if (lateral !== null) return lateral;
        if (node.type !== 'inner') return node;
        const special = node.predicates.filter(hasSubquery);
        if (special.length === 0) return node;
        const rest = node.predicates.filter((p) => !hasSubquery(p));
        return this.unnestFilter({
          kind: 'filter',
          child: { ...node, predicates: rest },
          predicates: special,
        });
      }
      case 'project': {
        if (!node.exprs.some((item) => hasSubquery(item.expr))) return node;
        // A join keeps no order: it goes below a sort, and not at all above a limit, whose rows are few anyway.
        const sort = node.child.kind === 'sort' ? node.child : null;
        if (sort === null && deliversOrder(node.child)) return node;
        let child = sort === null ? node.child : sort.child;
        if (sort !== null && deliversOrder(child)) return node;
        const exprs = node.exprs.map((item) => {
          const result = this.unnestScalars(item.expr, child);
          child = result.node;
          return { ...item, expr: result.expr };
        });
        return { ...node, child: sort === null ? child : { ...sort, child }, exprs };
      }
      default:
        return node;
    }
  }

  /** LATERAL whose right side can be made independent is an ordinary join. */
  private unnestLateral(node: LJoin): LogicalNode | null {
    if (node.type !== 'inner' && node.type !== 'left') return null;
    const leftSlots = providedSlots(node.left);
    if (![...outerSlots(node.right)].some((slot) => leftSlots.has(slot))) return null;
    if (isVolatilePlan(this.state.catalog, node.right)) return null;
    const inner = decorrelate(this.state, node.right, leftSlots, 'rows');
    if (inner === null || inner.scalarAggregate !== null || inner.replacement.size > 0) return null;
    return { ...node, right: inner.node, predicates: [...node.predicates, ...inner.predicates] };
  }

  private visitExpression(expr: LExpr): LExpr {
    const below = mapChildren(expr, (child) => this.visitExpression(child));
    if (below.kind !== 'subquery') return below;
    const plan = this.visit(below.plan);
    return plan === below.plan ? below : { ...below, plan };
  }

  private unnestFilter(node: LFilter): LogicalNode {
    if (!node.predicates.some(hasSubquery)) return node;
    let child = node.child;
    const plain = node.predicates.filter((p) => !hasSubquery(p));
    const rest: LExpr[] = [];
    for (const predicate of node.predicates) {
      if (!hasSubquery(predicate)) continue;
      const joined = this.unnestCondition(predicate, child);
      if (joined !== null) {
        child = joined;
        continue;
      }
      const result = this.unnestScalars(predicate, child);
      child = result.node;
      rest.push(result.expr);
    }
    const predicates = [...plain, ...rest];
    return predicates.length === 0 ? child : { kind: 'filter', child, predicates };
  }

  /** A whole conjunct that is a test of a subquery: semi or anti join. */
  private unnestCondition(predicate: LExpr, outer: LogicalNode): LogicalNode | null {
    let negated = false;
    let at = predicate;
    while (at.kind === 'bool' && at.op === 'not') {
      negated = !negated;
      at = at.args[0] as LExpr;
    }
    if (at.kind !== 'subquery' || isVolatilePlan(this.state.catalog, at.plan)) return null;
    if (at.type === 'exists') {
      const outerProvided = providedSlots(outer);
      if (![...outerSlots(at.plan)].some((slot) => outerProvided.has(slot))) return null;
      const inner = decorrelate(this.state, at.plan, outerProvided, 'existence');
      if (inner === null || inner.scalarAggregate !== null) return null;
      return {
        kind: 'join',
        type: negated ? 'anti' : 'semi',
        left: outer,
        right: inner.node,
        predicates: inner.predicates,
        nullAware: false,
      };
    }
    if (at.type === 'any' && !negated) return this.semiJoin(at, outer);
    if (at.type === 'any' || at.type === 'all') return this.antiJoin(at, outer, negated);
    return null;
  }

  /** left op right for each column; null unless it is a conjunction. */
  private comparisons(expr: SubqueryExpr, replacement: ReadonlyMap<number, LExpr>): LExpr[] | null {
    if (expr.left.length > 1 && expr.operatorName !== '=' && expr.operatorName !== null) return null;
    if (
      expr.left.length > 1 &&
      expr.operatorOids.some((oid) => this.state.catalog.operator(oid)?.name !== '=')
    )
      return null;
    return expr.left.map((left, i) =>
      makeOperator(
        this.state.catalog,
        expr.operatorOids[i],
        left,
        substituteSlots(expr.right[i], replacement),
      ),
    );
  }

  private semiJoin(expr: SubqueryExpr, outer: LogicalNode): LogicalNode | null {
    if (expr.left.some(hasSubquery)) return null;
    const outerProvided = providedSlots(outer);
    const inner = decorrelate(this.state, expr.plan, outerProvided, 'set');
    if (inner === null || (inner.scalarAggregate !== null && inner.predicates.length > 0)) return null;
    const comparisons = this.comparisons(expr, inner.replacement);
    if (comparisons === null) return null;
    return {
      kind: 'join',
      type: 'semi',
      left: outer,
      right: inner.node,
      predicates: [...inner.predicates, ...comparisons],
      nullAware: false,
    };
  }

  /** NOT IN, and `op ALL`: no row of the subquery for which the comparison is not false (not true, for ALL). */
  private antiJoin(expr: SubqueryExpr, outer: LogicalNode, negated: boolean): LogicalNode | null {
    const isAny = expr.type === 'any';
    // NOT (x op ALL) is a test of its own that stays a subplan.
    if (isAny !== negated || expr.left.some(hasSubquery)) return null;
    const outerProvided = providedSlots(outer);
    const inner = decorrelate(this.state, expr.plan, outerProvided, 'set');
    if (inner === null || inner.scalarAggregate !== null) return null;
    let comparisons = this.comparisons(expr, inner.replacement);
    if (comparisons === null) return null;
    if (!isAny) {
      // x op ALL (q): an anti join on the negated operator.
      if (comparisons.length !== 1 || comparisons[0].kind !== 'operator') return null;
      const operator = this.state.catalog.operator(comparisons[0].operatorOid);
      const negator = operator === null ? null : this.state.catalog.operator(operator.negator);
      if (!negator) return null;
      comparisons = [
        makeOperator(this.state.catalog, negator.oid, comparisons[0].args[0], comparisons[0].args[1]),
      ];
    }
    const notNull = (node: LogicalNode, item: LExpr): boolean => {
      const nullable = nullableSlots(node);
      return isNotNull(
        this.state.catalog,
        item,
        (slot) => this.state.slots[slot].notNull && !nullable.has(slot),
      );
    };
    const isSafe = comparisons.every(
      (item) => item.kind === 'operator' && notNull(outer, item.args[0]) && notNull(inner.node, item.args[1]),
    );
    // With further conditions a NULL key matters only among the rows that meet them: only the subplan tells.
    if (!isSafe && (inner.predicates.length > 0 || comparisons.length > 1)) return null;
    return {
      kind: 'join',
      type: 'anti',
      left: outer,
      right: inner.node,
      predicates: [...inner.predicates, ...comparisons],
      nullAware: !isSafe,
    };
  }

  /** Joins in the scalar subqueries of an expression; those that cannot be stay. */
  private unnestScalars(expr: LExpr, input: LogicalNode): { node: LogicalNode; expr: LExpr } {
    let node = input;
    const deep = (e: LExpr): LExpr => {
      // Subqueries under CASE and COALESCE may never run; computing them for all rows could fail or cost much.
      if (e.kind === 'case' || e.kind === 'coalesce') return e;
      if (e.kind === 'subquery' && e.type === 'scalar') {
        const joined = this.joinScalar(e, node);
        if (joined === null) return e;
        node = joined.node;
        return joined.value;
      }
      return mapChildren(e, deep);
    };
    return { expr: deep(expr), node };
  }

  private joinScalar(expr: SubqueryExpr, outer: LogicalNode): { node: LogicalNode; value: LExpr } | null {
    const { state } = this;
    const outerProvided = providedSlots(outer);
    if (![...outerSlots(expr.plan)].some((slot) => outerProvided.has(slot))) return null;
    if (isVolatilePlan(state.catalog, expr.plan)) return null;
    const inner = decorrelate(state, expr.plan, outerProvided, 'rows');
    if (inner === null) return null;
    let value = substituteSlots(expr.right[0], inner.replacement);
    const provided = providedSlots(inner.node);
    if (inner.scalarAggregate !== null) {
      // A missing group counts zero rows; all other aggregates are NULL, as the left join makes them.
      const counts = new Map<number, LExpr>();
      for (const { slot, call } of inner.scalarAggregate.aggregates)
        if (state.catalog.function(call.aggregateOid)?.name === 'count') {
          const read = state.slot(slot);
          counts.set(slot, {
            kind: 'coalesce',
            args: [asTree(read), makeConst(read.typeOid, 0n)],
            typeOid: read.typeOid,
            typmod: -1,
            collation: 0,
          });
        } else if (!isNullOnEmpty(call.aggregateOid)) return null;
      value = substituteSlots(value, counts);
    } else {
      if (!isAtMostOne(inner.node, inner.predicates, provided)) return null;
      // What the subquery computes (not just reads) must be NULL when it finds nothing.
      if (value.kind !== 'slot' || !provided.has(value.slot)) return null;
    }
    this.scalars++;
    if (!this.options.scalars) return null;
    return {
      node: {
        kind: 'join',
        type: 'left',
        left: outer,
        right: inner.node,
        predicates: inner.predicates,
        nullAware: false,
      },
      value,
    };
  }
}

/** Aggregates that are not NULL over no rows, other than count: regr_count and the hypothetical-set ones. */
const NOT_NULL_ON_EMPTY = new Set([2818, 3986, 3988, 3990, 3992]);
function isNullOnEmpty(aggregateOid: number): boolean {
  return !NOT_NULL_ON_EMPTY.has(aggregateOid);
}

/** True when the rows come in an order that somebody asked for. */
export function deliversOrder(node: LogicalNode): boolean {
  switch (node.kind) {
    case 'sort':
    case 'limit':
    case 'lockRows':
      return true;
    case 'distinct':
      return node.on;
    case 'project':
    case 'projectSet':
      return deliversOrder(node.child);
    default:
      return false;
  }
}

function hasSubquery(expr: LExpr): boolean {
  return someExpr(expr, (e) => e.kind === 'subquery');
}

/** Slots that an outer join somewhere in the plan may set to NULL. */
function nullableSlots(node: LogicalNode, into: Set<number> = new Set()): Set<number> {
  if (node.kind === 'join') {
    if (node.type === 'left' || node.type === 'full') providedSlots(node.right, into);
    if (node.type === 'full') providedSlots(node.left, into);
    nullableSlots(node.left, into);
    nullableSlots(node.right, into);
  } else if ('child' in node && node.child !== undefined) nullableSlots(node.child, into);
  else if (node.kind === 'setOperation') for (const child of node.children) nullableSlots(child, into);
  return into;
}

/** The equalities fix a unique key of the single table below: at most one row for each outer row. */
function isAtMostOne(
  node: LogicalNode,
  predicates: readonly LExpr[],
  provided: ReadonlySet<number>,
): boolean {
  let at = node;
  const all = [...predicates];
  while (at.kind === 'filter' || at.kind === 'project') {
    if (at.kind === 'filter') all.push(...at.predicates);
    at = at.child;
  }
  if (at.kind === 'aggregate' && at.sets === null)
    return fixes(new Set(at.groups.map((group) => group.slot)), all, provided);
  if (at.kind !== 'scan') return false;
  const { scan } = { scan: at };
  return scan.relation.indexes.some((index) => {
    if (!index.unique || !index.valid || index.predicate !== null) return false;
    const slots = index.keyColumns.map((column) => scan.columns.get(column - 1) ?? -1);
    return !slots.includes(-1) && fixes(new Set(slots), all, provided);
  });
}

function fixes(
  slots: ReadonlySet<number>,
  predicates: readonly LExpr[],
  provided: ReadonlySet<number>,
): boolean {
  const fixed = new Set<number>();
  for (const predicate of predicates) {
    if (predicate.kind !== 'operator' || predicate.args.length !== 2) continue;
    predicate.args.forEach((arg, i) => {
      const read = arg as LExpr;
      if (read.kind !== 'slot' || !slots.has(read.slot)) return;
      for (const slot of usedSlots(predicate.args[1 - i])) if (provided.has(slot)) return;
      fixed.add(read.slot);
    });
  }
  return [...slots].every((slot) => fixed.has(slot));
}
