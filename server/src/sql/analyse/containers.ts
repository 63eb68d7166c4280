/** Arrays, rows, subscripts and field selection. */
import { DbError } from '../../base/error.ts';
import { FIXED_ARRAYS } from '../../types/geometry/index.ts';
import {
  type A_ArrayExpr,
  type A_Indirection,
  as,
  type Node,
  positionOf,
  type RowExpr as RawRowExpr,
  stringOf,
} from '../parse/ast.ts';
import type { Expr } from '../tree.ts';
import {
  baseType,
  canCoerce,
  coerceToCommonType,
  coerceToTarget,
  elementTypeOf,
  selectCommonType,
} from './coerce.ts';
import { missingField, selectField } from './columns.ts';
import { op } from './comparisons.ts';
import { transformExpr } from './expressions.ts';
import { makeCall } from './functions.ts';
import { exprPosition, rawPosition } from './location.ts';
import * as T from './oids.ts';
import { makeOperator } from './operators.ts';
import type { Scope } from './scope.ts';
import { expandRowArgs } from './targets.ts';
import { typeLabel } from './type-name.ts';

export function transformArray(
  scope: Scope,
  raw: A_ArrayExpr,
  arrayType: number,
  elementType: number,
  typmod: number,
): Expr {
  const { catalog } = scope;
  let multidimensional = false;
  const elements = (raw.elements ?? []).map((node) => {
    const nested = as(node, 'A_ArrayExpr') as A_ArrayExpr | undefined;
    if (nested) {
      multidimensional = true;
      return transformArray(scope, nested, arrayType, elementType, typmod);
    }
    const expr = transformExpr(scope, node);
    if (!multidimensional && catalog.type(expr.typeOid)?.isTrueArray) multidimensional = true;
    return expr;
  });
  const position = positionOf(raw.location);
  const isHard = arrayType !== 0;
  let coerceTo: number;
  if (arrayType) {
    coerceTo = multidimensional ? arrayType : elementType;
  } else {
    if (elements.length === 0)
      throw new DbError('indeterminate_datatype', 'cannot determine type of empty array', {
        hint: 'Explicitly cast to the desired type, for example ARRAY[]::integer[].',
      }).at(position);
    coerceTo = selectCommonType(scope, elements, 'ARRAY');
    if (multidimensional) {
      arrayType = coerceTo;
      elementType = elementTypeOf(catalog, arrayType);
      if (!elementType)
        throw new DbError(
          'undefined_object',
          `could not find element type for data type ${typeLabel(scope.context, arrayType)}`,
        ).at(position);
    } else {
      elementType = coerceTo;
      arrayType = catalog.type(elementType)?.arrayOid ?? 0;
      if (!arrayType)
        throw new DbError(
          'undefined_object',
          `could not find array type for data type ${typeLabel(scope.context, elementType)}`,
        ).at(position);
    }
  }
  const coerced = elements.map((element) => {
    if (!isHard) return coerceToCommonType(scope, element, coerceTo, 'ARRAY');
    const result = coerceToTarget(
      scope,
      element,
      element.typeOid,
      coerceTo,
      typmod,
      'explicit',
      'explicitCast',
      exprPosition(element),
    );
    if (!result)
      throw new DbError(
        'cannot_coerce',
        `cannot cast type ${typeLabel(scope.context, element.typeOid)} to ${typeLabel(scope.context, coerceTo)}`,
      ).at(exprPosition(element));
    return result;
  });
  return {
    kind: 'array',
    elementType,
    elements: coerced,
    multidimensional,
    typeOid: arrayType,
    typmod:
      coerced.length > 0 && coerced.every((item) => item.typmod === coerced[0].typmod)
        ? coerced[0].typmod
        : -1,
    collation: scope.typeOf(arrayType).collation,
    position,
  };
}

export function transformRow(scope: Scope, raw: RawRowExpr): Expr {
  const args = expandRowArgs(scope, raw.args ?? []);
  if (args.length > 1664)
    throw new DbError('too_many_columns', 'ROW expressions can have at most 1664 entries').at(
      positionOf(raw.location),
    );
  return {
    kind: 'row',
    args,
    fieldNames: args.map((_, index) => `f${index + 1}`),
    typeOid: T.RECORD,
    typmod: -1,
    collation: 0,
    position: positionOf(raw.location),
  };
}

export function transformIndirection(scope: Scope, raw: A_Indirection): Expr {
  let result = transformExpr(scope, raw.arg!);
  const steps = raw.indirection ?? [];
  let subscripts: { uidx?: Node; lidx?: Node; is_slice?: boolean }[] = [];
  const flush = (): void => {
    if (subscripts.length > 0) result = makeSubscript(scope, result, subscripts);
    subscripts = [];
  };
  for (const step of steps) {
    if ('A_Indices' in step) {
      subscripts.push(step.A_Indices as { uidx?: Node; lidx?: Node; is_slice?: boolean });
      continue;
    }
    if ('A_Star' in step)
      throw new DbError('feature_not_supported', 'row expansion via "*" is not supported here').at(
        result.position,
      );
    flush();
    const name = stringOf(step);
    const field = selectField(scope, result, name, result.position);
    if (field) {
      result = field;
      continue;
    }
    // Function in field notation.
    try {
      result = makeCall(
        scope,
        { funcname: [step] },
        {
          args: [result],
          argumentNames: [null],
          filter: null,
          orderedCount: 0,
          lastSetReturningBefore: scope.lastSetReturning,
        },
        result.position,
      );
    } catch (error) {
      if (error instanceof DbError && error.code === '42883')
        throw missingField(scope, result, name, result.position);
      throw error;
    }
  }
  flush();
  return result;
}

/** Builds `container[…]`, for reading. */
export function makeSubscript(
  scope: Scope,
  container: Expr,
  indices: readonly { uidx?: Node; lidx?: Node; is_slice?: boolean }[],
): Expr {
  const base = baseType(scope.catalog, container.typeOid, container.typmod);
  const type = scope.typeOf(base.typeOid);
  if (type.oid === 3802) return makeJsonbSubscript(scope, container, indices);
  if (
    !type.elementOid ||
    (type.length !== -1 && !type.isTrueArray && type.oid !== T.NAME && !FIXED_ARRAYS.has(type.oid))
  )
    throw new DbError(
      'datatype_mismatch',
      `cannot subscript type ${typeLabel(scope.context, container.typeOid)} because it does not support subscripting`,
    ).at(exprPosition(container));
  const isSlice = indices.some((item) => item.is_slice);
  const { upper, lower } = transformIndices(scope, indices, isSlice);
  const elementType = type.oid === T.NAME ? T.CHAR_TYPE : type.elementOid;
  return {
    kind: 'subscript',
    arg: container,
    upper,
    lower,
    assignment: null,
    typeOid: isSlice ? base.typeOid : elementType,
    typmod: base.typmod,
    collation: isSlice ? type.collation : (scope.catalog.type(elementType)?.collation ?? 0),
    position: container.position,
  };
}

export function transformIndices(
  scope: Scope,
  indices: readonly { uidx?: Node; lidx?: Node; is_slice?: boolean }[],
  isSlice: boolean,
): { upper: (Expr | null)[]; lower: (Expr | null)[] | null } {
  const index = (node: Node | undefined): Expr | null => {
    if (!node) return null;
    const expr = transformExpr(scope, node);
    const result = coerceToTarget(
      scope,
      expr,
      expr.typeOid,
      T.INT4,
      -1,
      'assignment',
      'implicitCast',
      expr.position,
    );
    if (!result)
      throw new DbError('datatype_mismatch', 'array subscript must have type integer').at(exprPosition(expr));
    return result;
  };
  const upper: (Expr | null)[] = [];
  const lower: (Expr | null)[] = [];
  for (const item of indices) {
    // In a slice a single subscript means 1:n.
    if (isSlice && !item.is_slice)
      lower.push({ kind: 'const', value: 1, typeOid: T.INT4, typmod: -1, collation: 0 });
    else lower.push(index(item.lidx));
    upper.push(index(item.uidx));
  }
  return { upper, lower: isSlice ? lower : null };
}

/** One subscript of a jsonb value, as an integer or a text. */
export function jsonSubscript(
  scope: Scope,
  item: { uidx?: Node; is_slice?: boolean },
  position: number | undefined,
): Expr {
  if (item.is_slice || !item.uidx)
    throw new DbError('datatype_mismatch', 'jsonb subscript does not support slices').at(
      item.uidx ? rawPosition(item.uidx) : position,
    );
  const index = transformExpr(scope, item.uidx);
  const fits = [T.INT4, T.TEXT].filter(
    (type) => index.typeOid !== T.UNKNOWN && canCoerce(scope, [index.typeOid], [type], 'implicit'),
  );
  if (index.typeOid !== T.UNKNOWN && fits.length !== 1)
    throw new DbError(
      'datatype_mismatch',
      `subscript type ${typeLabel(scope.context, index.typeOid)} is not supported`,
      {
        hint:
          fits.length === 0
            ? 'jsonb subscript must be coercible to either integer or text.'
            : 'jsonb subscript must be coercible to only one type, integer or text.',
      },
    ).at(exprPosition(index));
  const target = index.typeOid === T.UNKNOWN ? T.TEXT : fits[0]!;
  const key = coerceToTarget(
    scope,
    index,
    index.typeOid,
    target,
    -1,
    'implicit',
    'implicitCast',
    exprPosition(index),
  );
  if (!key)
    throw new DbError('datatype_mismatch', 'jsonb subscript must have text type').at(exprPosition(index));
  return key;
}

function makeJsonbSubscript(
  scope: Scope,
  container: Expr,
  indices: readonly { uidx?: Node; is_slice?: boolean }[],
): Expr {
  let result = container;
  for (const item of indices) {
    const key = jsonSubscript(scope, item, container.position);
    result = makeOperator(scope, op('->'), result, key, container.position);
  }
  return result;
}
