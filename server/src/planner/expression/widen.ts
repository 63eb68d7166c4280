/** Giving two sides of a comparison one type without changing its outcome. */
import type { Oid } from '../../base/brands.ts';
import type { CatalogReader } from '../../catalog/contract.ts';
import { asTree, type LExpr } from './walk.ts';

const TEXT = 25;
const VARCHAR = 1043;
const NUMERIC_RANK = new Map<Oid, number>([
  [21, 1],
  [23, 2],
  [20, 3],
  [1700, 4],
]);
const FLOAT_RANK = new Map<Oid, number>([
  [700, 1],
  [701, 2],
]);

/** `expr` as a value of `target` when every value of its type has exactly one there, else null. */
export function widen(catalog: CatalogReader, expr: LExpr, target: Oid): LExpr | null {
  const source = expr.typeOid;
  if (source === target) return expr;
  if ((source === VARCHAR && target === TEXT) || (source === TEXT && target === VARCHAR))
    return {
      kind: 'relabel',
      arg: asTree(expr),
      form: 'implicitCast',
      typeOid: target,
      typmod: -1,
      collation: expr.collation,
    };
  const isWider =
    (NUMERIC_RANK.get(source) ?? 99) < (NUMERIC_RANK.get(target) ?? 0) ||
    (FLOAT_RANK.get(source) ?? 99) < (FLOAT_RANK.get(target) ?? 0);
  if (!isWider) return null;
  const cast = catalog.cast(source, target);
  if (cast === null || cast.method !== 'f' || cast.functionOid === 0) return null;
  return {
    kind: 'function',
    functionOid: cast.functionOid,
    args: [asTree(expr)],
    returnsSet: false,
    form: 'implicitCast',
    variadic: false,
    typeOid: target,
    typmod: -1,
    collation: 0,
  };
}

/** Both sides of an equality in one type, with that type's own operator, for hashing and merging; null when impossible. */
export function commonType(
  catalog: CatalogReader,
  left: LExpr,
  right: LExpr,
  operatorOid: Oid,
): { left: LExpr; right: LExpr; operatorOid: Oid } | null {
  if (left.typeOid === right.typeOid) return { left, right, operatorOid };
  const asRight = widen(catalog, left, right.typeOid);
  if (asRight !== null) {
    const { equal } = catalog.orderingOperators(right.typeOid);
    return equal === 0 ? null : { left: asRight, right, operatorOid: equal };
  }
  const asLeft = widen(catalog, right, left.typeOid);
  if (asLeft !== null) {
    const { equal } = catalog.orderingOperators(left.typeOid);
    return equal === 0 ? null : { left, right: asLeft, operatorOid: equal };
  }
  // Types of one representation compared through their base type's operator (oid and regclass, name and text …).
  const operator = catalog.operator(operatorOid);
  if (operator !== null && operator.leftType === operator.rightType) return { left, right, operatorOid };
  return null;
}
