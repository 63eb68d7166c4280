/** Polymorphic types: which actual types `anyelement` and its family stand for in one call (manual 38.2.5). */
import type { Oid } from '../../base/brands.ts';
import { DbError, internalError } from '../../base/error.ts';
import type { CatalogReader } from '../../catalog/contract.ts';
import type { Expr } from '../tree.ts';
import { baseTypeOid, canCoerce, elementTypeOf, selectCommonType } from './coerce.ts';
import * as T from './oids.ts';
import type { Scope } from './scope.ts';
import { typeLabel } from './type-name.ts';

/** Subtype of a range type, 0 for anything else. */
function subtypeOf(catalog: CatalogReader, oid: Oid): Oid {
  const type = catalog.type(oid);
  return type?.kind === 'r' ? (type.support.range?.subtypeOid ?? 0) : 0;
}

/** Range type of a multirange type, 0 for anything else. */
function rangeOfMultirange(catalog: CatalogReader, oid: Oid): Oid {
  const type = catalog.type(oid);
  return type?.kind === 'm' ? (type.support.multirange?.oid ?? 0) : 0;
}

function multirangeOf(catalog: CatalogReader, rangeOid: Oid): Oid {
  return catalog.type(rangeOid)?.support.range?.multirangeOid ?? 0;
}

/** Actual types of one family's arguments, by the container they came in. */
interface Family {
  element: Oid;
  array: Oid;
  range: Oid;
  multirange: Oid;
}

/** Takes note of `oid`; false when the slot already holds another type. */
function note(family: Family, slot: keyof Family, oid: Oid): boolean {
  if (family[slot] !== 0 && family[slot] !== oid) return false;
  family[slot] = oid;
  return true;
}

export function isGenericConsistent(scope: Scope, inputs: readonly Oid[], targets: readonly Oid[]): boolean {
  const { catalog } = scope;
  const exact: Family = { element: 0, array: 0, range: 0, multirange: 0 };
  const compatible: Family = { element: 0, array: 0, range: 0, multirange: 0 };
  const parts: Oid[] = [];
  for (let index = 0; index < targets.length; index++) {
    const target = targets[index];
    if (!T.isPolymorphic(target) || inputs[index] === T.UNKNOWN) continue;
    const input = inputs[index];
    const base = baseTypeOid(catalog, input);
    switch (target) {
      case T.ANYELEMENT:
      case T.ANYNONARRAY:
      case T.ANYENUM:
        if (!note(exact, 'element', input)) return false;
        break;
      case T.ANYARRAY:
        if (!note(exact, 'array', base)) return false;
        break;
      case T.ANYRANGE:
        if (!note(exact, 'range', base)) return false;
        break;
      case T.ANYMULTIRANGE:
        if (!note(exact, 'multirange', base)) return false;
        break;
      case T.ANYCOMPATIBLE:
      case T.ANYCOMPATIBLENONARRAY:
        parts.push(input);
        break;
      case T.ANYCOMPATIBLEARRAY: {
        const inner = elementTypeOf(catalog, base);
        if (!inner) return false;
        parts.push(inner);
        break;
      }
      case T.ANYCOMPATIBLERANGE: {
        const inner = subtypeOf(catalog, base);
        if (!inner || !note(compatible, 'range', base)) return false;
        parts.push(inner);
        break;
      }
      case T.ANYCOMPATIBLEMULTIRANGE: {
        const range = rangeOfMultirange(catalog, base);
        if (!range || !note(compatible, 'multirange', base)) return false;
        parts.push(subtypeOf(catalog, range));
        break;
      }
    }
  }
  let { element } = exact;
  const agree = (inner: Oid): boolean => {
    if (!inner || (element && inner !== element)) return false;
    element = inner;
    return true;
  };
  if (exact.array) {
    // anyarray may itself come in (pg_statistic): no element type to check.
    if (exact.array === T.ANYARRAY) {
      if (element) return false;
    } else if (!agree(elementTypeOf(catalog, exact.array))) return false;
  }
  if (exact.multirange) {
    const range = rangeOfMultirange(catalog, exact.multirange);
    if (!range || (exact.range && exact.range !== range)) return false;
    exact.range = range;
  }
  if (exact.range && !agree(subtypeOf(catalog, exact.range))) return false;
  for (const target of targets) {
    if (target === T.ANYNONARRAY && element && elementTypeOf(catalog, element)) return false;
    if (target === T.ANYENUM && !element) return false;
    if (target === T.ANYENUM && catalog.type(element)?.kind !== 'e') return false;
  }
  if (parts.length > 0) {
    const common = selectCommonTypeOfOids(scope, parts);
    if (!common) return false;
    if (!parts.every((oid) => canCoerce(scope, [oid], [common], 'implicit'))) return false;
    if (targets.includes(T.ANYCOMPATIBLENONARRAY) && elementTypeOf(catalog, common)) return false;
    if (compatible.multirange) {
      const range = rangeOfMultirange(catalog, compatible.multirange);
      if (compatible.range && compatible.range !== range) return false;
      compatible.range = range;
    }
    // A range cannot be converted: its subtype must be the common type.
    if (compatible.range && subtypeOf(catalog, compatible.range) !== common) return false;
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
  let hasFamily2 = false;
  const exact: Family = { element: 0, array: 0, range: 0, multirange: 0 };
  const compatible: Family = { element: 0, array: 0, range: 0, multirange: 0 };
  const family2: Oid[] = [];
  const noteOrFail = (family: Family, slot: keyof Family, oid: Oid, name: string): void => {
    const before = family[slot];
    if (!note(family, slot, oid))
      throw mismatch(
        `arguments declared "${name}" are not all alike`,
        `${label(before)} versus ${label(oid)}`,
      );
  };
  const rangeSubtype = (oid: Oid, name: string): Oid => {
    const inner = subtypeOf(catalog, oid);
    if (!inner) throw mismatch(`argument declared ${name} is not a range type but type ${label(oid)}`);
    return inner;
  };
  const memberRange = (oid: Oid, name: string): Oid => {
    const range = rangeOfMultirange(catalog, oid);
    if (!range) throw mismatch(`argument declared ${name} is not a multirange type but type ${label(oid)}`);
    return range;
  };
  declared.forEach((target, index) => {
    if (!T.isPolymorphic(target)) return;
    const input = inputs[index];
    if (T.isPolymorphicFamily2(target)) {
      hasFamily2 = true;
      if (input === T.UNKNOWN) return;
      const base = baseTypeOid(catalog, input);
      if (target === T.ANYCOMPATIBLEARRAY) {
        const inner = elementTypeOf(catalog, base);
        if (!inner)
          throw mismatch(`argument declared anycompatiblearray is not an array but type ${label(base)}`);
        family2.push(inner);
      } else if (target === T.ANYCOMPATIBLERANGE) {
        noteOrFail(compatible, 'range', base, 'anycompatiblerange');
        family2.push(rangeSubtype(base, 'anycompatiblerange'));
      } else if (target === T.ANYCOMPATIBLEMULTIRANGE) {
        noteOrFail(compatible, 'multirange', base, 'anycompatiblemultirange');
        family2.push(subtypeOf(catalog, memberRange(base, 'anycompatiblemultirange')));
      } else family2.push(input);
      return;
    }
    hasFamily1 = true;
    if (input === T.UNKNOWN) {
      hasUnknown = true;
      return;
    }
    if (target === T.ANYARRAY) noteOrFail(exact, 'array', baseTypeOid(catalog, input), 'anyarray');
    else if (target === T.ANYRANGE) noteOrFail(exact, 'range', baseTypeOid(catalog, input), 'anyrange');
    else if (target === T.ANYMULTIRANGE)
      noteOrFail(exact, 'multirange', baseTypeOid(catalog, input), 'anymultirange');
    else noteOrFail(exact, 'element', input, 'anyelement');
  });
  if (hasFamily1) {
    const { array } = exact;
    if (array) {
      const inner = array === T.ANYARRAY ? T.ANYELEMENT : elementTypeOf(catalog, array);
      if (!inner) throw mismatch(`argument declared anyarray is not an array but type ${label(array)}`);
      if (!exact.element) exact.element = inner;
      else if (inner !== exact.element)
        throw mismatch(
          'argument declared anyarray is not consistent with argument declared anyelement',
          `${label(array)} versus ${label(exact.element)}`,
        );
    }
    if (exact.multirange) {
      const range = memberRange(exact.multirange, 'anymultirange');
      if (!exact.range) exact.range = range;
      else if (exact.range !== range)
        throw mismatch(
          'argument declared anymultirange is not consistent with argument declared anyrange',
          `${label(exact.multirange)} versus ${label(exact.range)}`,
        );
    } else if (exact.range) exact.multirange = multirangeOf(catalog, exact.range);
    if (exact.range) {
      const inner = rangeSubtype(exact.range, 'anyrange');
      if (!exact.element) exact.element = inner;
      else if (inner !== exact.element)
        throw mismatch(
          'argument declared anyrange is not consistent with argument declared anyelement',
          `${label(exact.range)} versus ${label(exact.element)}`,
        );
    }
    const { element } = exact;
    if (!element) {
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
    if (compatible.multirange) {
      const range = memberRange(compatible.multirange, 'anycompatiblemultirange');
      if (!compatible.range) compatible.range = range;
      else if (compatible.range !== range)
        throw mismatch(
          'argument declared anycompatiblemultirange is not consistent with argument declared anycompatiblerange',
          `${label(compatible.multirange)} versus ${label(compatible.range)}`,
        );
    } else if (compatible.range) compatible.multirange = multirangeOf(catalog, compatible.range);
    if (compatible.range && subtypeOf(catalog, compatible.range) !== common)
      throw mismatch(
        `anycompatiblerange type ${label(compatible.range)} does not match anycompatible type ${label(common)}`,
      );
  }
  const arrayOf = (oid: Oid): Oid => {
    if (exact.array && oid === exact.element) return exact.array;
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
        return exact.element;
      case T.ANYARRAY:
        return arrayOf(exact.element);
      case T.ANYRANGE:
        return exact.range;
      case T.ANYMULTIRANGE:
        return exact.multirange;
      case T.ANYCOMPATIBLERANGE:
        return compatible.range;
      case T.ANYCOMPATIBLEMULTIRANGE:
        return compatible.multirange;
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
  const undetermined = (oid: Oid): DbError =>
    mismatch(`could not determine polymorphic type ${label(oid)} because input has type unknown`);
  for (let index = 0; index < declared.length; index++) {
    const target = declared[index];
    if (!T.isPolymorphic(target)) continue;
    const found = actual(target);
    // A literal cannot become a range: no element type says which.
    if (!found && T.isRangeLike(target)) throw undetermined(target);
    if (T.isPolymorphicFamily2(target) || inputs[index] === T.UNKNOWN) declared[index] = found;
    else declared[index] = found || target;
  }
  if (!T.isPolymorphic(resultType)) return resultType;
  const result = actual(resultType);
  if (!result) throw undetermined(resultType);
  return result;
}
