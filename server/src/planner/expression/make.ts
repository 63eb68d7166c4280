/** Constructors of common expressions. */
import type { Oid } from '../../base/brands.ts';
import type { CatalogReader } from '../../catalog/contract.ts';
import type { BoolExpr, ConstExpr, OperatorExpr } from '../../sql/tree.ts';
import type { Datum } from '../../types/datum.ts';
import { asTree, type LExpr } from './walk.ts';

export const BOOL = 16;
export const INT4 = 23;
export const INT8 = 20;

export function makeConst(typeOid: Oid, value: Datum, collation: Oid = 0, typmod = -1): ConstExpr {
  return { kind: 'const', typeOid, typmod, collation, value };
}

export const TRUE: ConstExpr = makeConst(BOOL, true);
export const FALSE: ConstExpr = makeConst(BOOL, false);
export const NULL_BOOL: ConstExpr = makeConst(BOOL, null);

export function makeBool(op: 'and' | 'or' | 'not', args: LExpr[]): BoolExpr {
  return { kind: 'bool', op, args: args.map(asTree), typeOid: BOOL, typmod: -1, collation: 0 };
}

/** Conjunction of a list; null for an empty one. */
export function makeAnd(predicates: readonly LExpr[]): LExpr | null {
  if (predicates.length === 0) return null;
  if (predicates.length === 1) return predicates[0];
  return makeBool('and', [...predicates]);
}

export function makeOperator(
  catalog: CatalogReader,
  operatorOid: Oid,
  left: LExpr,
  right: LExpr,
): OperatorExpr {
  const operator = catalog.operator(operatorOid);
  return {
    kind: 'operator',
    operatorOid,
    functionOid: operator?.functionOid ?? 0,
    args: [asTree(left), asTree(right)],
    returnsSet: false,
    typeOid: operator?.resultType ?? BOOL,
    typmod: -1,
    collation: 0,
  };
}

/** Top-level conjuncts of a condition, nested ANDs flattened without recursion on their depth. */
export function splitConjuncts(condition: LExpr | null, into: LExpr[] = []): LExpr[] {
  if (condition === null) return into;
  const stack: LExpr[] = [condition];
  while (stack.length > 0) {
    const expr = stack.pop() as LExpr;
    if (expr.kind === 'bool' && expr.op === 'and')
      for (let i = expr.args.length - 1; i >= 0; i--) stack.push(expr.args[i]);
    else into.push(expr);
  }
  return into;
}
