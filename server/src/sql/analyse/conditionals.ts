/** CASE, COALESCE, GREATEST and LEAST. */
import { DbError } from '../../base/error.ts';
import { as, type Node, positionOf } from '../parse/ast.ts';
import type { CaseExpr, Expr } from '../tree.ts';
import { coerceToBoolean, coerceToCommonType, selectCommonType, selectCommonTypmod } from './coerce.ts';
import { op, transformAExpr } from './comparisons.ts';
import { analysed, transformExpr } from './expressions.ts';
import * as T from './oids.ts';
import type { Scope } from './scope.ts';
import { typeLabel } from './type-name.ts';

export interface RawCase {
  arg?: Node;
  args?: Node[];
  defresult?: Node;
  location?: number;
}

const LATERAL_HINT = 'You might be able to move the set-returning function into a LATERAL FROM item.';

export function transformCase(scope: Scope, raw: RawCase): Expr {
  const before = scope.lastSetReturning;
  let arg: Expr | null = null;
  let placeholder: Expr | null = null;
  if (raw.arg) {
    arg = transformExpr(scope, raw.arg);
    if (arg.typeOid === T.UNKNOWN) arg = coerceToCommonType(scope, arg, T.TEXT, 'CASE');
    placeholder = { kind: 'caseTest', typeOid: arg.typeOid, typmod: arg.typmod, collation: arg.collation };
  }
  const whens: CaseExpr['whens'] = [];
  for (const item of raw.args ?? []) {
    const when = as(item, 'CaseWhen') as { expr?: Node; result?: Node; location?: number };
    const test = placeholder
      ? transformAExpr(scope, {
          kind: 'AEXPR_OP',
          name: op('='),
          lexpr: analysed(placeholder),
          rexpr: when.expr,
          location: when.location,
        })
      : transformExpr(scope, when.expr!);
    whens.push({
      condition: coerceToBoolean(scope, test, 'CASE/WHEN'),
      result: transformExpr(scope, when.result!),
    });
  }
  const otherwise: Expr = raw.defresult
    ? transformExpr(scope, raw.defresult)
    : { kind: 'const', value: null, typeOid: T.UNKNOWN, typmod: -1, collation: 0 };
  const results = [otherwise, ...whens.map((when) => when.result)];
  const common = selectCommonType(scope, results, 'CASE');
  for (const when of whens) when.result = coerceToCommonType(scope, when.result, common, 'CASE/WHEN');
  const defaultResult = coerceToCommonType(scope, otherwise, common, 'CASE/ELSE');
  if (scope.lastSetReturning !== before)
    throw new DbError('feature_not_supported', 'set-returning functions are not allowed in CASE', {
      hint: LATERAL_HINT,
    }).at(scope.lastSetReturning?.position);
  return {
    kind: 'case',
    arg,
    whens,
    defaultResult,
    typeOid: common,
    typmod: selectCommonTypmod([defaultResult, ...whens.map((when) => when.result)], common),
    collation: 0,
    position: positionOf(raw.location),
  };
}

export function transformCoalesce(scope: Scope, raw: { args?: Node[]; location?: number }): Expr {
  const before = scope.lastSetReturning;
  const args = (raw.args ?? []).map((arg) => transformExpr(scope, arg));
  const common = selectCommonType(scope, args, 'COALESCE');
  const coerced = args.map((arg) => coerceToCommonType(scope, arg, common, 'COALESCE'));
  if (scope.lastSetReturning !== before)
    throw new DbError('feature_not_supported', 'set-returning functions are not allowed in COALESCE', {
      hint: LATERAL_HINT,
    }).at(scope.lastSetReturning?.position);
  return {
    kind: 'coalesce',
    args: coerced,
    typeOid: common,
    typmod: selectCommonTypmod(coerced, common),
    collation: 0,
    position: positionOf(raw.location),
  };
}

export function transformMinMax(scope: Scope, raw: { op?: string; args?: Node[]; location?: number }): Expr {
  const name = raw.op === 'IS_LEAST' ? 'LEAST' : 'GREATEST';
  const args = (raw.args ?? []).map((arg) => transformExpr(scope, arg));
  const common = selectCommonType(scope, args, name);
  const coerced = args.map((arg) => coerceToCommonType(scope, arg, common, name));
  const position = positionOf(raw.location);
  if (!scope.catalog.orderingOperators(common).less)
    throw new DbError(
      'undefined_function',
      `could not identify a comparison function for type ${typeLabel(scope.context, common)}`,
    ).at(position);
  return {
    kind: 'minmax',
    op: name === 'LEAST' ? 'least' : 'greatest',
    args: coerced,
    typeOid: common,
    typmod: selectCommonTypmod(coerced, common),
    collation: 0,
    position,
  };
}
