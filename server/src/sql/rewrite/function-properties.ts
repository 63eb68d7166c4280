/** Questions about typed expressions that decide whether a function may be replaced by its body. */
import type { Oid } from '../../base/brands.ts';
import type { CatalogReader } from '../../catalog/contract.ts';
import type { Expr } from '../tree.ts';
import { forEachChild, someExpr } from '../walk.ts';

type Volatility = 'i' | 's' | 'v';

/** Types whose text form depends on no setting: bool, bytea, int8, int2, int4, text, oid, json, float4, float8, bpchar, varchar, numeric, uuid, jsonb. */
const PLAIN_TEXT_FORM: ReadonlySet<Oid> = new Set([
  16, 17, 20, 21, 23, 25, 26, 114, 700, 701, 1042, 1043, 1700, 2950, 3802,
]);

function functionsOf(catalog: CatalogReader, expr: Expr): Oid[] {
  switch (expr.kind) {
    case 'function':
    case 'operator':
    case 'distinct':
    case 'nullif':
    case 'arrayOperator':
    case 'window':
      return [expr.functionOid];
    case 'aggregate':
      return [expr.aggregateOid];
    case 'rowCompare':
      return expr.operatorOids.map((oid) => catalog.operator(oid)?.functionOid ?? 0);
    default:
      return [];
  }
}

function nodeVolatility(catalog: CatalogReader, expr: Expr): Volatility {
  if (expr.kind === 'sqlValue' || expr.kind === 'subLink') return 's';
  if (expr.kind === 'currentOf' || expr.kind === 'default') return 'v';
  if (expr.kind === 'ioCast')
    return PLAIN_TEXT_FORM.has(expr.typeOid) && PLAIN_TEXT_FORM.has(expr.arg.typeOid) ? 'i' : 's';
  let worst: Volatility = 'i';
  for (const oid of functionsOf(catalog, expr)) {
    const volatility = catalog.function(oid)?.volatility ?? 'v';
    if (volatility === 'v') return 'v';
    if (volatility === 's') worst = 's';
  }
  return worst;
}

/** The worst of what the expression calls; subqueries are looked into. */
export function volatilityOf(catalog: CatalogReader, expr: Expr): Volatility {
  let worst: Volatility = 'i';
  someExpr(expr, (node) => {
    const volatility = nodeVolatility(catalog, node);
    if (volatility === 'v') worst = 'v';
    else if (volatility === 's' && worst === 'i') worst = 's';
    return worst === 'v';
  });
  return worst;
}

export function isVolatileExpr(catalog: CatalogReader, expr: Expr): boolean {
  return volatilityOf(catalog, expr) === 'v';
}

/** May give something else than NULL although a value it is made of is NULL. */
export function isNonStrict(catalog: CatalogReader, expr: Expr): boolean {
  return someExpr(expr, (node) => {
    switch (node.kind) {
      case 'const':
      case 'param':
      case 'var':
      case 'relabel':
      case 'collate':
      case 'ioCast':
      case 'arrayCast':
      case 'fieldSelect':
        return false;
      case 'caseTest':
        // The element of an array cast: strict as the whole.
        return false;
      case 'bool':
        return node.op !== 'not';
      case 'subscript':
        return node.assignment !== null;
      case 'function':
      case 'operator':
      case 'arrayOperator':
        return catalog.function(node.functionOid)?.strict !== true;
      default:
        return true;
    }
  });
}

/** Calls in the expression, each with the cost its function declares, in operators. */
export function operatorCost(catalog: CatalogReader, expr: Expr): number {
  let cost = expr.kind === 'ioCast' ? 2 : 0;
  for (const oid of functionsOf(catalog, expr)) cost += catalog.function(oid)?.cost ?? 1;
  forEachChild(expr, (child) => {
    cost += operatorCost(catalog, child);
  });
  return cost;
}
