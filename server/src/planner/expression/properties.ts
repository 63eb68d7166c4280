/** Questions about expressions that rules ask: volatility, strictness, sets, parallel safety, cost. */
import type { Oid } from '../../base/brands.ts';
import type { CatalogReader } from '../../catalog/contract.ts';
import type { LogicalNode } from '../logical/algebra.ts';
import { childrenOf, forEachExpression, isSubset, outerSlots, usedSlots } from '../logical/nodes.ts';
import { forEachChild, type LExpr, someExpr } from './walk.ts';

function functionOf(expr: LExpr): Oid {
  switch (expr.kind) {
    case 'function':
    case 'operator':
    case 'distinct':
    case 'nullif':
    case 'arrayOperator':
    case 'window':
      return expr.functionOid;
    case 'aggregate':
      return expr.aggregateOid;
    default:
      return 0;
  }
}

/** True when the expression (or a subquery in it) calls a volatile function. */
export function isVolatile(catalog: CatalogReader, expr: LExpr): boolean {
  return someExpr(expr, (e) => {
    if (e.kind === 'subquery') return isVolatilePlan(catalog, e.plan);
    const oid = functionOf(e);
    return oid !== 0 && catalog.function(oid)?.volatility === 'v';
  });
}

export function isVolatilePlan(catalog: CatalogReader, node: LogicalNode): boolean {
  if (node.kind === 'modify' || node.kind === 'lockRows') return true;
  let found = false;
  forEachExpression(node, (expr) => {
    found ||= isVolatile(catalog, expr);
  });
  return found || childrenOf(node).some((child) => isVolatilePlan(catalog, child));
}

/** Only immutable functions, constants at the leaves (parameters count as unknown, so no). */
export function isImmutableCall(catalog: CatalogReader, functionOid: Oid): boolean {
  const descriptor = catalog.function(functionOid);
  return (
    descriptor !== null && descriptor.volatility === 'i' && !descriptor.returnsSet && descriptor.kind === 'f'
  );
}

/** True for calls, constants and columns whose value depends on nothing else: what an index may be built on. */
export function isImmutable(catalog: CatalogReader, expr: LExpr): boolean {
  return !someExpr(expr, (e) => {
    if (e.kind === 'const' || e.kind === 'slot' || e.kind === 'relabel') return false;
    return (e.kind !== 'function' && e.kind !== 'operator') || !isImmutableCall(catalog, functionOf(e));
  });
}

export function isStrictFunction(catalog: CatalogReader, functionOid: Oid): boolean {
  return catalog.function(functionOid)?.strict ?? false;
}

/** Set-returning at its top or anywhere below. */
export function returnsSet(expr: LExpr): boolean {
  return someExpr(expr, (e) => (e.kind === 'function' || e.kind === 'operator') && e.returnsSet);
}

export function containsSubquery(expr: LExpr): boolean {
  return someExpr(expr, (e) => e.kind === 'subquery' || e.kind === 'subPlan');
}

export function containsParam(expr: LExpr): boolean {
  return someExpr(expr, (e) => e.kind === 'param');
}

/** True when the expression is NULL whenever any slot in `nulled` is NULL... and it uses at least one of them. */
export function isNullWhen(catalog: CatalogReader, expr: LExpr, nulled: ReadonlySet<number>): boolean {
  switch (expr.kind) {
    case 'slot':
      return nulled.has(expr.slot);
    case 'function':
    case 'operator':
      return (
        !expr.returnsSet &&
        isStrictFunction(catalog, expr.functionOid) &&
        expr.args.some((arg) => isNullWhen(catalog, arg, nulled))
      );
    case 'relabel':
    case 'ioCast':
    case 'collate':
    case 'fieldSelect':
    case 'arrayCast':
      return isNullWhen(catalog, expr.arg, nulled);
    case 'arrayOperator':
      return isStrictFunction(catalog, expr.functionOid) && isNullWhen(catalog, expr.args[0], nulled);
    case 'bool':
      if (expr.op === 'not') return isNullWhen(catalog, expr.args[0], nulled);
      return false;
    default:
      return false;
  }
}

/** True when a WHERE condition cannot be true if all slots in `nulled` are NULL (so an outer join below it is really an inner one). */
export function rejectsNull(catalog: CatalogReader, condition: LExpr, nulled: ReadonlySet<number>): boolean {
  switch (condition.kind) {
    case 'bool':
      if (condition.op === 'and') return condition.args.some((arg) => rejectsNull(catalog, arg, nulled));
      if (condition.op === 'or') return condition.args.every((arg) => rejectsNull(catalog, arg, nulled));
      return isNullWhen(catalog, condition.args[0], nulled);
    case 'nullTest':
      return !condition.isNull && !condition.argIsRow && isNullWhen(catalog, condition.arg, nulled);
    case 'booleanTest':
      return (
        (condition.test === 'true' || condition.test === 'false' || condition.test === 'notUnknown') &&
        isNullWhen(catalog, condition.arg, nulled)
      );
    case 'const':
      return condition.value !== true;
    case 'subquery':
    case 'subPlan':
      return condition.type === 'any' && condition.left.some((arg) => isNullWhen(catalog, arg, nulled));
    default:
      return isNullWhen(catalog, condition, nulled);
  }
}

/** Never NULL given slots that are never NULL. */
export function isNotNull(
  catalog: CatalogReader,
  expr: LExpr,
  slotNotNull: (slot: number) => boolean,
): boolean {
  switch (expr.kind) {
    case 'const':
      return expr.value !== null;
    case 'slot':
      return slotNotNull(expr.slot);
    case 'relabel':
    case 'collate':
      return isNotNull(catalog, expr.arg, slotNotNull);
    case 'coalesce':
      return expr.args.some((arg) => isNotNull(catalog, arg, slotNotNull));
    case 'nullTest':
    case 'booleanTest':
    case 'distinct':
    case 'row':
      return true;
    case 'bool':
      return expr.args.every((arg) => isNotNull(catalog, arg, slotNotNull));
    case 'subquery':
    case 'subPlan':
      return expr.type === 'exists';
    case 'operator': {
      // Comparisons of non-null values of built-in types are never NULL; other operators might be.
      const operator = catalog.operator(expr.operatorOid);
      return (
        operator !== null &&
        (operator.btreeStrategy !== 0 || operator.name === '<>') &&
        expr.args.every((arg) => isNotNull(catalog, arg, slotNotNull))
      );
    }
    default:
      return false;
  }
}

/** True when every slot the expression reads is in `slots`. */
export function usesOnly(expr: LExpr, slots: ReadonlySet<number>): boolean {
  return isSubset(usedSlots(expr), slots);
}

/** False when anything in the expression must run in the session's own thread. */
export function isParallelSafe(catalog: CatalogReader, expr: LExpr): boolean {
  return !someExpr(expr, (e) => {
    const oid = functionOf(e);
    if (oid === 0) return false;
    const descriptor = catalog.function(oid);
    return descriptor === null || descriptor.parallel !== 's';
  });
}

/** Calls of operators and functions in the expression, each counting as one `cpu_operator_cost`. */
export function operatorCount(expr: LExpr): number {
  let count = 0;
  switch (expr.kind) {
    case 'function':
    case 'operator':
    case 'distinct':
    case 'nullif':
    case 'ioCast':
    case 'minmax':
      count = 1;
      break;
    case 'arrayOperator': {
      const list = expr.args[1];
      // Hashed beyond a handful of elements.
      count = list.kind === 'array' ? Math.min(list.elements.length, 10) / 2 + 0.5 : 2;
      break;
    }
    default:
  }
  forEachChild(expr, (child) => {
    if (expr.kind !== 'arrayOperator' || child.kind !== 'array') count += operatorCount(child);
  });
  return count;
}

export function isCorrelated(expr: LExpr): boolean {
  return someExpr(expr, (e) => e.kind === 'subquery' && outerSlots(e.plan).size > 0);
}
