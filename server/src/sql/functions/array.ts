/** Array functions and operators. */
import { DbError } from '../../base/error.ts';
import { spend } from '../../base/work.ts';
import type { TypeSupport } from '../../types/contract.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import { elementTypeOf } from '../../types/index.ts';
import { OID } from '../../types/oid.ts';
import type { CallSite, FunctionContext } from './contract.ts';
import { boundTable, type FunctionTable, type Implementation, pureTable } from './registry.ts';

const MAX_ELEMENTS = 134217727;

function tooLarge(): DbError {
  return new DbError('program_limit_exceeded', `array size exceeds the maximum allowed (${MAX_ELEMENTS})`);
}

function upperBound(array: SqlArray, dimension: number): number | null {
  const length = array.dimensions[dimension - 1];
  return length === undefined ? null : array.lowerBounds[dimension - 1]! + length - 1;
}

/** Appends at the upper end (or prepends below the lower bound) of a one-dimensional array. */
function push(array: SqlArray | null, value: Datum, elementType: number, atFront: boolean): SqlArray {
  if (array === null || array.dimensions.length === 0) return new SqlArray(elementType, [value]);
  if (array.dimensions.length !== 1)
    throw new DbError('data_exception', 'argument must be empty or one-dimensional array');
  const elements = atFront ? [value, ...array.elements] : [...array.elements, value];
  // Prepending keeps the lower bound.
  return new SqlArray(elementType, elements, [elements.length], [array.lowerBounds[0]!]);
}

function incompatible(detail: string): DbError {
  return new DbError('array_subscript_error', 'cannot concatenate incompatible arrays', { detail });
}

function concatenate(left: SqlArray | null, right: SqlArray | null): SqlArray | null {
  if (left === null) return right;
  if (right === null) return left;
  if (left.dimensions.length === 0) return right;
  if (right.dimensions.length === 0) return left;
  const a = left.dimensions;
  const b = right.dimensions;
  const elements = [...left.elements, ...right.elements];
  if (elements.length > MAX_ELEMENTS) throw tooLarge();
  if (a.length === b.length) {
    for (let index = 1; index < a.length; index++) {
      if (a[index] !== b[index] || left.lowerBounds[index] !== right.lowerBounds[index]) {
        throw incompatible('Arrays with differing element dimensions are not compatible for concatenation.');
      }
    }
    return new SqlArray(left.elementType, elements, [a[0]! + b[0]!, ...a.slice(1)], left.lowerBounds);
  }
  if (a.length === b.length - 1 || a.length === b.length + 1) {
    // One is an element of the other.
    const outer = a.length > b.length ? left : right;
    const inner = a.length > b.length ? right : left;
    for (let index = 0; index < inner.dimensions.length; index++) {
      if (
        outer.dimensions[index + 1] !== inner.dimensions[index] ||
        outer.lowerBounds[index + 1] !== inner.lowerBounds[index]
      ) {
        throw incompatible('Arrays with differing dimensions are not compatible for concatenation.');
      }
    }
    return new SqlArray(
      left.elementType,
      elements,
      [outer.dimensions[0]! + 1, ...outer.dimensions.slice(1)],
      outer.lowerBounds,
    );
  }
  throw incompatible(
    `Arrays of ${a.length} and ${b.length} dimensions are not compatible for concatenation.`,
  );
}

function equality(support: TypeSupport): (left: Datum, right: Datum) => boolean {
  const { compare } = support;
  if (compare === undefined) {
    throw new DbError(
      'undefined_function',
      `could not identify an equality operator for type ${support.name}`,
    );
  }
  return (left, right) => (left === null || right === null ? left === right : compare(left, right) === 0);
}

/** Indexes (into `elements`) of values equal to `wanted`, NULL equal to NULL. */
function* occurrences(
  array: SqlArray,
  wanted: Datum,
  equal: (left: Datum, right: Datum) => boolean,
  from: number,
): Generator<number> {
  for (let index = from; index < array.elements.length; index++) {
    if (equal(array.elements[index]!, wanted)) yield index;
  }
}

function oneDimensional(array: SqlArray, what: string): void {
  if (array.dimensions.length > 1) throw new DbError('feature_not_supported', what);
}

/** Set of an array's non-null elements as hash keys. */
function keys(array: SqlArray, support: TypeSupport): Set<string | number | bigint | boolean> {
  const set = new Set<string | number | bigint | boolean>();
  for (const element of array.elements) if (element !== null) set.add(support.hashKey(element));
  return set;
}

function contains(outer: SqlArray, inner: SqlArray, support: TypeSupport): boolean {
  if (inner.elements.length === 0) return true;
  if (inner.elements.includes(null)) return false;
  const present = keys(outer, support);
  return inner.elements.every((element) => present.has(support.hashKey(element)));
}

function overlap(left: SqlArray, right: SqlArray, support: TypeSupport): boolean {
  const present = keys(left, support);
  return right.elements.some((element) => element !== null && present.has(support.hashKey(element)));
}

function fill(
  value: Datum,
  elementType: number,
  dimensions: SqlArray | null,
  bounds: SqlArray | null,
): SqlArray {
  if (dimensions === null)
    throw new DbError('null_value_not_allowed', 'dimension array or low bound array cannot be null');
  const check = (array: SqlArray): number[] => {
    if (array.dimensions.length > 1) {
      throw new DbError('array_subscript_error', 'wrong number of array subscripts', {
        detail: 'Dimension array must be one dimensional.',
      });
    }
    if (array.elements.includes(null))
      throw new DbError('null_value_not_allowed', 'dimension values cannot be null');
    return array.elements as number[];
  };
  const sizes = check(dimensions);
  const low = bounds === null ? sizes.map(() => 1) : check(bounds);
  if (low.length !== sizes.length) {
    throw new DbError('array_subscript_error', 'wrong number of array subscripts', {
      detail: 'Low bound array has different size than dimensions array.',
    });
  }
  spend(sizes.reduce((product, size) => product * Math.max(size, 0), 1));
  if (sizes.length > 6) {
    throw new DbError(
      'program_limit_exceeded',
      `number of array dimensions (${sizes.length}) exceeds the maximum allowed (6)`,
    );
  }
  let total = sizes.length === 0 ? 0 : 1;
  for (const size of sizes) total *= size;
  if (!(total >= 0 && total <= MAX_ELEMENTS) || sizes.some((size) => size < 0)) throw tooLarge();
  if (total === 0) return new SqlArray(elementType, []);
  return new SqlArray(elementType, repeated(value, total), sizes, low);
}

/** Great arrays grow item by item: the runtime would make a hash table of one made in full length. */
function repeated(value: Datum, count: number): Datum[] {
  if (count <= DENSE_ITEMS) return new Array<Datum>(count).fill(value);
  const items: Datum[] = [];
  for (let index = 0; index < count; index++) items.push(value);
  return items;
}
const DENSE_ITEMS = 1_000_000;

/** Finds the bucket of a value in a sorted array of lower bounds. */
function bucket(value: Datum, thresholds: SqlArray, support: TypeSupport): number {
  if (thresholds.dimensions.length > 1)
    throw new DbError('array_subscript_error', 'thresholds must be one-dimensional array');
  if (thresholds.elements.includes(null))
    throw new DbError('null_value_not_allowed', 'thresholds array must not contain NULLs');
  let low = 0;
  let high = thresholds.elements.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (support.compare!(value, thresholds.elements[middle]!) < 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

const pure: Record<string, Implementation> = {
  array_cat: concatenate,
  array_ndims: (array: SqlArray) => array.dimensions.length || null,
  array_dims: (array: SqlArray) =>
    array.dimensions.length === 0
      ? null
      : array.dimensions
          .map((length, index) => `[${array.lowerBounds[index]}:${array.lowerBounds[index]! + length - 1}]`)
          .join(''),
  array_lower: (array: SqlArray, dimension: number) => array.lowerBounds[dimension - 1] ?? null,
  array_upper: upperBound,
  array_length: (array: SqlArray, dimension: number) => array.dimensions[dimension - 1] ?? null,
  array_cardinality: (array: SqlArray) => array.elements.length,
  trim_array: (array: SqlArray, count: number) => {
    const length = array.dimensions[0] ?? 0;
    if (count < 0 || count > length) {
      throw new DbError(
        'array_subscript_error',
        `number of elements to trim must be between 0 and ${length}`,
      );
    }
    const kept = length - count;
    if (kept === 0) return new SqlArray(array.elementType, []);
    const stride = array.elements.length / length;
    return new SqlArray(
      array.elementType,
      array.elements.slice(0, kept * stride),
      [kept, ...array.dimensions.slice(1)],
      array.dimensions.map(() => 1),
    );
  },
};

/** Element type of the call's array argument, by position. */
function elementOf(context: FunctionContext, site: CallSite, argument: number): number {
  const type = site.argumentTypes[argument] ?? 0;
  return elementTypeOf(type) || (context.typeSupport(type).elementType ?? 0);
}

/** A table entry that needs the support of the array's element type. */
function withElement(argument: number, make: (support: TypeSupport, type: number) => Implementation) {
  return (context: FunctionContext, site: CallSite): Implementation => {
    const type = elementOf(context, site, argument);
    return make(context.typeSupport(type), type);
  };
}

/** Joins the printed elements; NULLs are left out unless a text for them is given. */
function join(
  context: FunctionContext,
): (array: SqlArray, separator: string | null, nullText: string | null) => string | null {
  return (array, separator, nullText) => {
    if (separator === null) return null;
    const support = context.typeSupport(array.elementType);
    const parts: string[] = [];
    for (const element of array.elements) {
      if (element !== null) parts.push(support.output(element, context.format));
      else if (nullText !== null) parts.push(nullText);
    }
    return parts.join(separator);
  };
}

const bound = boundTable({
  array_append: withElement(
    0,
    (_support, type) => (array: SqlArray | null, value: Datum) => push(array, value, type, false),
  ),
  array_prepend: withElement(
    1,
    (_support, type) => (value: Datum, array: SqlArray | null) => push(array, value, type, true),
  ),
  array_position: withElement(0, (support) => {
    const equal = equality(support);
    return (array: SqlArray | null, value: Datum) => {
      if (array === null) return null;
      oneDimensional(array, 'searching for elements in multidimensional arrays is not supported');
      for (const index of occurrences(array, value, equal, 0)) return index + array.lowerBounds[0]!;
      return null;
    };
  }),
  array_position_start: withElement(0, (support) => {
    const equal = equality(support);
    return (array: SqlArray | null, value: Datum, start: number | null) => {
      if (array === null) return null;
      oneDimensional(array, 'searching for elements in multidimensional arrays is not supported');
      if (start === null) throw new DbError('null_value_not_allowed', 'initial position must not be null');
      const low = array.lowerBounds[0] ?? 1;
      for (const index of occurrences(array, value, equal, Math.max(0, start - low))) return index + low;
      return null;
    };
  }),
  array_positions: withElement(0, (support) => {
    const equal = equality(support);
    return (array: SqlArray | null, value: Datum) => {
      if (array === null) return null;
      oneDimensional(array, 'searching for elements in multidimensional arrays is not supported');
      return new SqlArray(
        OID.INT4,
        [...occurrences(array, value, equal, 0)].map((index) => index + array.lowerBounds[0]!),
      );
    };
  }),
  array_remove: withElement(0, (support, type) => {
    const equal = equality(support);
    return (array: SqlArray | null, value: Datum) => {
      if (array === null) return null;
      oneDimensional(array, 'removing elements from multidimensional arrays is not supported');
      const kept = array.elements.filter((element) => !equal(element, value));
      if (kept.length === array.elements.length) return array;
      return kept.length === 0
        ? new SqlArray(type, [])
        : new SqlArray(type, kept, [kept.length], array.lowerBounds);
    };
  }),
  array_replace: withElement(0, (support) => {
    const equal = equality(support);
    return (array: SqlArray | null, from: Datum, to: Datum) => {
      if (array === null) return null;
      return new SqlArray(
        array.elementType,
        array.elements.map((element) => (equal(element, from) ? to : element)),
        array.dimensions,
        array.lowerBounds,
      );
    };
  }),
  arraycontains: withElement(
    0,
    (support) => (left: SqlArray, right: SqlArray) => contains(left, right, support),
  ),
  arraycontained: withElement(
    0,
    (support) => (left: SqlArray, right: SqlArray) => contains(right, left, support),
  ),
  arrayoverlap: withElement(
    0,
    (support) => (left: SqlArray, right: SqlArray) => overlap(left, right, support),
  ),
  array_to_text: (context) => {
    const print = join(context);
    return (array: SqlArray, separator: string) => print(array, separator, null);
  },
  array_to_text_null: (context) => {
    const print = join(context);
    return (array: SqlArray | null, separator: string | null, nullText: string | null) =>
      array === null ? null : print(array, separator, nullText);
  },
  array_fill: (_context, site) => (value: Datum, dimensions: SqlArray | null) =>
    fill(value, site.argumentTypes[0] ?? 0, dimensions, null),
  array_fill_with_lower_bounds:
    (_context, site) => (value: Datum, dimensions: SqlArray | null, bounds: SqlArray | null) => {
      if (bounds === null)
        throw new DbError('null_value_not_allowed', 'dimension array or low bound array cannot be null');
      return fill(value, site.argumentTypes[0] ?? 0, dimensions, bounds);
    },
  width_bucket_array: withElement(
    1,
    (support) => (value: Datum, thresholds: SqlArray) => bucket(value, thresholds, support),
  ),
});

export const arrayFunctions: FunctionTable = { ...pureTable(pure), ...bound };
