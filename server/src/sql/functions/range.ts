/** Functions and operators over ranges and multiranges. */
import { DbError, internalError } from '../../base/error.ts';
import type { Datum, SqlArray } from '../../types/datum.ts';
import type { Numeric } from '../../types/numeric.ts';
import { numericSubtract } from '../../types/numeric-core.ts';
import { numericToFloat8 } from '../../types/numeric-text.ts';
import { lowerBound, Multirange, Range, type RangeType, upperBound } from '../../types/range.ts';
import { plainAggregate } from './aggregate-parts.ts';
import type { AggregateFunction, CallSite, FunctionContext, SetFunction } from './contract.ts';
import { boundTable, type FunctionTable, type Implementation, pureTable, setFunction } from './registry.ts';

type Either = Range | Multirange;

const COMPARISONS: readonly (readonly [string, (order: number) => boolean])[] = [
  ['eq', (order) => order === 0],
  ['ne', (order) => order !== 0],
  ['lt', (order) => order < 0],
  ['le', (order) => order <= 0],
  ['gt', (order) => order > 0],
  ['ge', (order) => order >= 0],
];

/** The range type behind a range or multirange type. */
export function rangeTypeOf(context: FunctionContext, typeOid: number): RangeType {
  const support = context.typeSupport(typeOid);
  const found = support.range ?? support.multirange;
  if (found === undefined) throw internalError(`type ${support.name} is not a range type`);
  return found;
}

/** Ranges of a value: a multirange's own, or the range itself unless it is empty. */
function parts(value: Either): readonly Range[] {
  if (value instanceof Range) return value.isEmpty ? [] : [value];
  return value.ranges;
}

function anyOverlap(type: RangeType, left: Either, right: Either): boolean {
  const mine = parts(left);
  const theirs = parts(right);
  for (let a = 0, b = 0; a < mine.length && b < theirs.length; ) {
    if (type.overlaps(mine[a]!, theirs[b]!)) return true;
    if (type.isBefore(mine[a]!, theirs[b]!)) a++;
    else b++;
  }
  return false;
}

/** Every range of `inner` lies in one of `outer`; both ascending, those of `outer` not touching. */
function containsAll(type: RangeType, outer: Either, inner: Either): boolean {
  const containers = parts(outer);
  let at = 0;
  for (const range of parts(inner)) {
    while (at < containers.length && type.isBefore(containers[at]!, range)) at++;
    if (at >= containers.length || !type.contains(containers[at]!, range)) return false;
  }
  return true;
}

function containsValue(type: RangeType, value: Multirange, element: Datum): boolean {
  let low = 0;
  let high = value.ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const range = value.ranges[middle]!;
    if (type.containsValue(range, element)) return true;
    if (range.upper === null || type.compareValues(range.upper, element) > 0) high = middle;
    else low = middle + 1;
  }
  return false;
}

function isBefore(type: RangeType, left: Either, right: Either): boolean {
  const last = parts(left).at(-1);
  const first = parts(right)[0];
  return last !== undefined && first !== undefined && type.isBefore(last, first);
}

function isOverLeft(type: RangeType, left: Either, right: Either): boolean {
  const mine = parts(left).at(-1);
  const theirs = parts(right).at(-1);
  return mine !== undefined && theirs !== undefined && type.isOverLeft(mine, theirs);
}

function isOverRight(type: RangeType, left: Either, right: Either): boolean {
  const mine = parts(left)[0];
  const theirs = parts(right)[0];
  return mine !== undefined && theirs !== undefined && type.isOverRight(mine, theirs);
}

function isAdjacent(type: RangeType, left: Either, right: Either): boolean {
  const mine = parts(left);
  const theirs = parts(right);
  if (mine.length === 0 || theirs.length === 0) return false;
  return (
    type.areAdjacent(upperBound(mine.at(-1)!), lowerBound(theirs[0]!)) ||
    type.areAdjacent(upperBound(theirs.at(-1)!), lowerBound(mine[0]!))
  );
}

function minusAll(type: RangeType, left: Multirange, right: Multirange): Multirange {
  let rest: Range[] = [...left.ranges];
  for (const taken of right.ranges) rest = rest.flatMap((range) => type.difference(range, taken));
  return type.makeMultirange(rest);
}

function intersectAll(type: RangeType, left: Multirange, right: Multirange): Multirange {
  const result: Range[] = [];
  for (let a = 0, b = 0; a < left.ranges.length && b < right.ranges.length; ) {
    const mine = left.ranges[a]!;
    const theirs = right.ranges[b]!;
    if (type.overlaps(mine, theirs)) result.push(type.intersect(mine, theirs));
    if (type.compareBounds(upperBound(mine), upperBound(theirs)) < 0) a++;
    else b++;
  }
  return type.makeMultirange(result);
}

/** The smallest range over all ranges. */
function span(type: RangeType, value: Multirange): Range {
  const first = value.ranges[0];
  return first === undefined
    ? type.empty
    : type.fromBounds(lowerBound(first), upperBound(value.ranges.at(-1)!));
}

function invalidFlags(): DbError {
  return new DbError('syntax_error', 'invalid range bound flags', {
    hint: 'Valid values are "[]", "[)", "(]", and "()".',
  });
}

function construct(type: RangeType, lower: Datum, upper: Datum, flags: string | null): Range {
  if (flags === null)
    throw new DbError('data_exception', 'range constructor flags argument must not be null');
  if (!/^[[(][\])]$/.test(flags)) throw invalidFlags();
  return type.make(lower, upper, flags[0] === '[', flags[1] === ']');
}

function nullMember(): DbError {
  return new DbError('null_value_not_allowed', 'multirange values cannot contain null members');
}

function fromArray(type: RangeType, array: SqlArray): Multirange {
  if (array.dimensions.length > 1) {
    throw new DbError(
      'cardinality_violation',
      'multiranges cannot be constructed from multidimensional arrays',
    );
  }
  if (array.elements.includes(null)) throw nullMember();
  return type.makeMultirange(array.elements as readonly Range[]);
}

type Make = (context: FunctionContext, site: CallSite) => Implementation;

/** A function that needs the range type of its first argument. */
const withType =
  (make: (type: RangeType) => Implementation): Make =>
  (context, site) =>
    make(rangeTypeOf(context, site.argumentTypes[0]!));

/** The same, of the second argument. */
const withSecondType =
  (make: (type: RangeType) => Implementation): Make =>
  (context, site) =>
    make(rangeTypeOf(context, site.argumentTypes[1]!));

/** A function that makes values of its result type. */
const withResult =
  (make: (type: RangeType) => Implementation): Make =>
  (context, site) =>
    make(rangeTypeOf(context, site.resultType));

const KINDS = ['range', 'multirange'] as const;

/** Predicates between any two of range and multirange: `range_overlaps_multirange` … */
function pairs(
  word: string,
  test: (type: RangeType, left: Either, right: Either) => boolean,
): Record<string, Make> {
  const table: Record<string, Make> = {};
  const make = withType((type) => (left: Either, right: Either) => test(type, left, right));
  for (const left of KINDS)
    for (const right of KINDS)
      table[left === 'range' && right === 'range' ? `range_${word}` : `${left}_${word}_${right}`] = make;
  return table;
}

const table: Record<string, Make> = {
  ...pairs('overlaps', anyOverlap),
  ...pairs('contains', containsAll),
  ...pairs('contained_by', (type, left, right) => containsAll(type, right, left)),
  ...pairs('before', isBefore),
  ...pairs('after', (type, left, right) => isBefore(type, right, left)),
  ...pairs('overleft', isOverLeft),
  ...pairs('overright', isOverRight),
  ...pairs('adjacent', isAdjacent),
  range_contains_elem: withType(
    (type) => (range: Range, element: Datum) => type.containsValue(range, element),
  ),
  elem_contained_by_range: withSecondType(
    (type) => (element: Datum, range: Range) => type.containsValue(range, element),
  ),
  multirange_contains_elem: withType(
    (type) => (value: Multirange, element: Datum) => containsValue(type, value, element),
  ),
  elem_contained_by_multirange: withSecondType(
    (type) => (element: Datum, value: Multirange) => containsValue(type, value, element),
  ),
  range_constructor2: withResult(
    (type) => (lower: Datum, upper: Datum) => type.make(lower, upper, true, false),
  ),
  range_constructor3: withResult(
    (type) => (lower: Datum, upper: Datum, flags: string | null) => construct(type, lower, upper, flags),
  ),
  range_union: withType((type) => (left: Range, right: Range) => type.union(left, right, true)),
  range_merge: withType((type) => (left: Range, right: Range) => type.union(left, right, false)),
  range_intersect: withType((type) => (left: Range, right: Range) => type.intersect(left, right)),
  range_minus: withType((type) => (left: Range, right: Range) => type.minus(left, right)),
  multirange_constructor0: withResult((type) => () => new Multirange(type.multirangeOid, [])),
  multirange_constructor1: withResult((type) => (range: Range) => type.makeMultirange([range])),
  multirange_constructor2: withResult((type) => (array: SqlArray) => fromArray(type, array)),
  multirange_union: withType(
    (type) => (left: Multirange, right: Multirange) => type.makeMultirange([...left.ranges, ...right.ranges]),
  ),
  multirange_minus: withType((type) => (left: Multirange, right: Multirange) => minusAll(type, left, right)),
  multirange_intersect: withType(
    (type) => (left: Multirange, right: Multirange) => intersectAll(type, left, right),
  ),
  range_merge_from_multirange: withType((type) => (value: Multirange) => span(type, value)),
  range_cmp: withType((type) => (left: Range, right: Range) => Math.sign(type.compare(left, right))),
  multirange_cmp: withType(
    (type) => (left: Multirange, right: Multirange) => Math.sign(type.compareMultiranges(left, right)),
  ),
  int4range_canonical: () => (range: Range) => range,
  int8range_canonical: () => (range: Range) => range,
  daterange_canonical: () => (range: Range) => range,
  int4range_subdiff: () => (left: number, right: number) => left - right,
  numrange_subdiff: () => (left: Numeric, right: Numeric) => numericToFloat8(numericSubtract(left, right)),
  int8range_subdiff: () => (left: bigint, right: bigint) => Number(left) - Number(right),
  daterange_subdiff: () => (left: number, right: number) => left - right,
  tsrange_subdiff: () => (left: bigint, right: bigint) => (Number(left) - Number(right)) / 1e6,
  tstzrange_subdiff: () => (left: bigint, right: bigint) => (Number(left) - Number(right)) / 1e6,
};
for (const [word, test] of COMPARISONS) {
  table[`range_${word}`] = withType((type) => (left: Range, right: Range) => test(type.compare(left, right)));
  table[`multirange_${word}`] = withType(
    (type) => (left: Multirange, right: Multirange) => test(type.compareMultiranges(left, right)),
  );
}

export const rangeFunctions: FunctionTable = {
  ...pureTable({
    range_lower: (range: Range) => range.lower,
    range_upper: (range: Range) => range.upper,
    range_empty: (range: Range) => range.isEmpty,
    range_lower_inc: (range: Range) => range.lowerInclusive,
    range_upper_inc: (range: Range) => range.upperInclusive,
    range_lower_inf: (range: Range) => !range.isEmpty && range.lower === null,
    range_upper_inf: (range: Range) => !range.isEmpty && range.upper === null,
    multirange_lower: (value: Multirange) => value.ranges[0]?.lower ?? null,
    multirange_upper: (value: Multirange) => value.ranges.at(-1)?.upper ?? null,
    multirange_empty: (value: Multirange) => value.ranges.length === 0,
    multirange_lower_inc: (value: Multirange) => value.ranges[0]?.lowerInclusive ?? false,
    multirange_upper_inc: (value: Multirange) => value.ranges.at(-1)?.upperInclusive ?? false,
    multirange_lower_inf: (value: Multirange) => value.ranges.length > 0 && value.ranges[0]!.lower === null,
    multirange_upper_inf: (value: Multirange) =>
      value.ranges.length > 0 && value.ranges.at(-1)!.upper === null,
  }),
  ...boundTable(table),
};

export const rangeSetFunctions: Readonly<Record<string, SetFunction>> = {
  multirange_unnest: setFunction(false, () => (value: Multirange) => value.ranges),
};

class RangeList {
  readonly ranges: Range[] = [];
  isNull = true;
}

/** range_agg: the union of all values as a multirange. */
const rangeAggregate: AggregateFunction = plainAggregate<RangeList>((context, site) => {
  const type = rangeTypeOf(context, site.argumentTypes[0]!);
  return {
    createState: () => new RangeList(),
    step: (state: RangeList, value: Either) => {
      state.isNull = false;
      state.ranges.push(...parts(value));
    },
    merge: (target, source) => {
      if (!source.isNull) target.isNull = false;
      target.ranges.push(...source.ranges);
    },
    final: (state) => (state.isNull ? null : type.makeMultirange(state.ranges)),
  };
});

class Intersection {
  value: Either | null = null;
}

const intersectAggregate: AggregateFunction = plainAggregate<Intersection>((context, site) => {
  const type = rangeTypeOf(context, site.argumentTypes[0]!);
  const add = (state: Intersection, value: Either): void => {
    const { value: before } = state;
    if (before === null) state.value = value;
    else if (before instanceof Range) state.value = type.intersect(before, value as Range);
    else state.value = intersectAll(type, before, value as Multirange);
  };
  return {
    createState: () => new Intersection(),
    step: add,
    merge: (target, source) => {
      if (source.value !== null) add(target, source.value);
    },
    final: (state) => state.value,
  };
});

export const rangeAggregates: readonly (readonly [number, AggregateFunction])[] = [
  [4301, rangeAggregate],
  [6227, rangeAggregate],
  [4450, intersectAggregate],
  [4389, intersectAggregate],
];
