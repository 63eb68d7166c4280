/** Polymorphic types: which actual types `anyelement` and its family stand for in one call (manual 38.2.5). */
import type { Oid } from '../../base/brands.ts';
import { DbError, internalError } from '../../base/error.ts';
import type { Expr } from '../tree.ts';
import { baseTypeOid, canCoerce, elementTypeOf, selectCommonType } from './coerce.ts';
import * as T from './oids.ts';
import type { Scope } from './scope.ts';
import { typeLabel } from './type-name.ts';

/** Range ↔ subtype and multirange ↔ range are not modelled by the catalog contract: the range's own oid stands in. */
function genericParts(scope: Scope, inputs: readonly Oid[], targets: readonly Oid[]) {
  const elements: Oid[] = [];
  const arrays: Oid[] = [];
  const ranges: Oid[] = [];
  const compatible: { oid: Oid; isArray: boolean }[] = [];
  targets.forEach((target, index) => {
    let input = inputs[index];
    switch (target) {
      case T.ANYELEMENT:
      case T.ANYNONARRAY:
      case T.ANYENUM:
        elements.push(input);
        break;
      case T.ANYARRAY:
        if (input !== T.UNKNOWN) input = baseTypeOid(scope.catalog, input);
        arrays.push(input);
        break;
      case T.ANYRANGE:
      case T.ANYMULTIRANGE:
        ranges.push(input === T.UNKNOWN ? input : baseTypeOid(scope.catalog, input));
        break;
      case T.ANYCOMPATIBLE:
      case T.ANYCOMPATIBLENONARRAY:
        compatible.push({ oid: input, isArray: false });
        break;
      case T.ANYCOMPATIBLEARRAY:
        compatible.push({
          oid: input === T.UNKNOWN ? input : baseTypeOid(scope.catalog, input),
          isArray: true,
        });
        break;
    }
  });
  return { elements, arrays, ranges, compatible };
}

export function isGenericConsistent(scope: Scope, inputs: readonly Oid[], targets: readonly Oid[]): boolean {
  const { catalog } = scope;
  const { elements, arrays, ranges, compatible } = genericParts(scope, inputs, targets);
  let element = 0;
  for (const oid of elements) {
    if (oid === T.UNKNOWN) continue;
    if (element && element !== oid) return false;
    element = oid;
  }
  let array = 0;
  for (const oid of arrays) {
    if (oid === T.UNKNOWN) continue;
    if (array && array !== oid) return false;
    array = oid;
  }
  let range = 0;
  for (const oid of ranges) {
    if (oid === T.UNKNOWN) continue;
    const kind = catalog.type(oid)?.kind;
    if (kind !== 'r' && kind !== 'm') return false;
    if (range && range !== oid) return false;
    range = oid;
  }
  if (array) {
    // anyarray may itself come in (pg_statistic): no element type to check.
    if (array === T.ANYARRAY) {
      if (element) return false;
    } else {
      const inner = elementTypeOf(catalog, array);
      if (!inner) return false;
      if (element && inner !== element) return false;
      element ||= inner;
    }
  }
  for (let index = 0; index < targets.length; index++) {
    if (targets[index] === T.ANYNONARRAY && element && elementTypeOf(catalog, element)) return false;
    if (targets[index] === T.ANYENUM && element && catalog.type(element)?.kind !== 'e') return false;
  }
  if (compatible.length > 0) {
    const parts: Oid[] = [];
    for (const item of compatible) {
      if (item.oid === T.UNKNOWN) continue;
      if (item.isArray) {
        const inner = elementTypeOf(catalog, item.oid);
        if (!inner) return false;
        parts.push(inner);
      } else parts.push(item.oid);
    }
    if (parts.length > 0) {
      const common = selectCommonTypeOfOids(scope, parts);
      if (!common) return false;
      if (!parts.every((oid) => canCoerce(scope, [oid], [common], 'implicit'))) return false;
      if (targets.includes(T.ANYCOMPATIBLENONARRAY) && elementTypeOf(catalog, common)) return false;
    }
  }
  return true;
}

function selectCommonTypeOfOids(scope: Scope, oids: readonly Oid[]): Oid {
  return selectCommonType(
    scope,
    oids.map((typeOid) => ({ kind: 'caseTest', typeOid, typmod: -1, collation: 0 }) as Expr),
    null,
  );
}

/**
 * Settles polymorphic arguments: replaces the `any…` types in `declared` by what they stand for in this call and returns the
 * call's actual result type. Errors as PostgreSQL words them (42804).
 */
export function resolveGenericTypes(
  scope: Scope,
  inputs: readonly Oid[],
  declared: Oid[],
  resultType: Oid,
): Oid {
  const { catalog, context } = scope;
  if (!declared.some(T.isPolymorphic) && !T.isPolymorphic(resultType)) return resultType;
  const label = (oid: Oid): string => typeLabel(context, oid);
  const mismatch = (message: string, detail?: string): DbError =>
    new DbError('datatype_mismatch', message, detail ? { detail } : {});
  let hasUnknown = false;
  let hasFamily1 = false;
  let element = 0;
  let array = 0;
  let range = 0;
  let multirange = 0;
  const family2: Oid[] = [];
  let hasFamily2 = false;
  declared.forEach((target, index) => {
    if (!T.isPolymorphic(target)) return;
    let input = inputs[index];
    if (T.isPolymorphicFamily2(target)) {
      hasFamily2 = true;
      if (input === T.UNKNOWN) return;
      if (target === T.ANYCOMPATIBLEARRAY) {
        input = baseTypeOid(catalog, input);
        const inner = elementTypeOf(catalog, input);
        if (!inner)
          throw mismatch(`argument declared anycompatiblearray is not an array but type ${label(input)}`);
        family2.push(inner);
      } else family2.push(input);
      return;
    }
    hasFamily1 = true;
    if (input === T.UNKNOWN) {
      hasUnknown = true;
      return;
    }
    if (target === T.ANYARRAY) {
      input = baseTypeOid(catalog, input);
      if (array && array !== input)
        throw mismatch(
          'arguments declared "anyarray" are not all alike',
          `${label(array)} versus ${label(input)}`,
        );
      array = input;
    } else if (target === T.ANYRANGE) {
      input = baseTypeOid(catalog, input);
      if (range && range !== input)
        throw mismatch(
          'arguments declared "anyrange" are not all alike',
          `${label(range)} versus ${label(input)}`,
        );
      range = input;
    } else if (target === T.ANYMULTIRANGE) {
      multirange = baseTypeOid(catalog, input);
    } else {
      if (element && element !== input)
        throw mismatch(
          'arguments declared "anyelement" are not all alike',
          `${label(element)} versus ${label(input)}`,
        );
      element = input;
    }
  });
  if (hasFamily1) {
    if (array) {
      const inner = array === T.ANYARRAY ? T.ANYELEMENT : elementTypeOf(catalog, array);
      if (!inner) throw mismatch(`argument declared anyarray is not an array but type ${label(array)}`);
      if (!element) element = inner;
      else if (inner !== element)
        throw mismatch(
          'argument declared anyarray is not consistent with argument declared anyelement',
          `${label(array)} versus ${label(element)}`,
        );
    }
    if (!element && !range && !multirange) {
      if (!hasUnknown) throw internalError('no polymorphic argument');
      throw mismatch('could not determine polymorphic type because input has type unknown');
    }
    if (declared.includes(T.ANYNONARRAY) && element !== T.ANYELEMENT && elementTypeOf(catalog, element))
      throw mismatch(`type matched to anynonarray is an array type: ${label(element)}`);
    if (declared.includes(T.ANYENUM) && catalog.type(element)?.kind !== 'e')
      throw mismatch(`type matched to anyenum is not an enum type: ${label(element)}`);
  }
  let common = 0;
  if (hasFamily2) {
    if (family2.length > 0) {
      common = selectCommonTypeOfOids(scope, family2);
      if (!common) {
        // Says which two do not fit.
        selectCommonType(
          scope,
          family2.map((typeOid) => ({ kind: 'caseTest', typeOid, typmod: -1, collation: 0 }) as Expr),
          'arguments of anycompatible family',
        );
        throw internalError('no common type');
      }
      common = common === T.UNKNOWN ? T.TEXT : common;
    } else common = T.TEXT;
  }
  const arrayOf = (oid: Oid): Oid => {
    if (array && oid === element) return array;
    const found = catalog.type(oid)?.arrayOid ?? 0;
    if (!found)
      throw new DbError('undefined_object', `could not find array type for data type ${label(oid)}`);
    return found;
  };
  const actual = (oid: Oid): Oid => {
    switch (oid) {
      case T.ANYELEMENT:
      case T.ANYNONARRAY:
      case T.ANYENUM:
        return element;
      case T.ANYARRAY:
        return arrayOf(element);
      case T.ANYRANGE:
        return range;
      case T.ANYMULTIRANGE:
        return multirange;
      case T.ANYCOMPATIBLE:
      case T.ANYCOMPATIBLENONARRAY:
        return common;
      case T.ANYCOMPATIBLEARRAY: {
        const found = catalog.type(common)?.arrayOid ?? 0;
        if (!found)
          throw new DbError('undefined_object', `could not find array type for data type ${label(common)}`);
        return found;
      }
      default:
        return oid;
    }
  };
  for (let index = 0; index < declared.length; index++) {
    const target = declared[index];
    if (!T.isPolymorphic(target)) continue;
    if (T.isPolymorphicFamily2(target) || inputs[index] === T.UNKNOWN) declared[index] = actual(target);
    else declared[index] = actual(target) || target;
  }
  if (!T.isPolymorphic(resultType)) return resultType;
  const result = actual(resultType);
  if (!result)
    throw mismatch(
      `could not determine polymorphic type ${label(resultType)} because input has type unknown`,
    );
  return result;
}
