/**
 * Ranges: values, bounds and the algebra over them (range types of PostgreSQL, chapter 8.17).
 *
 * A bound without value is infinite. Values are canonical: a range without points is `isEmpty` and holds no bounds; ranges of
 * discrete types are written [lower,upper).
 */
import { DbError } from '../base/error.ts';
import type { TypeSupport } from './contract.ts';
import { type Datum, OpaqueDatum } from './datum.ts';

export class Range extends OpaqueDatum {
  readonly typeOid: number;
  readonly isEmpty: boolean;
  /** null = infinite. */
  readonly lower: Datum;
  readonly upper: Datum;
  readonly lowerInclusive: boolean;
  readonly upperInclusive: boolean;

  constructor(
    typeOid: number,
    isEmpty: boolean,
    lower: Datum,
    upper: Datum,
    lowerInclusive: boolean,
    upperInclusive: boolean,
  ) {
    super();
    this.typeOid = typeOid;
    this.isEmpty = isEmpty;
    this.lower = lower;
    this.upper = upper;
    this.lowerInclusive = lowerInclusive;
    this.upperInclusive = upperInclusive;
  }
}

/** Ranges in ascending order, none empty, no two of them touching. */
export class Multirange extends OpaqueDatum {
  readonly typeOid: number;
  readonly ranges: readonly Range[];

  constructor(typeOid: number, ranges: readonly Range[]) {
    super();
    this.typeOid = typeOid;
    this.ranges = ranges;
  }
}

/** One end of a range. */
export interface Bound {
  /** null = infinite. */
  readonly value: Datum;
  readonly inclusive: boolean;
  readonly isLower: boolean;
}

/** The next value of a discrete subtype; the value itself where there is none (infinite dates). Errors when out of range. */
export type Successor = (value: Datum) => Datum;

/** A range type and all that can be done with its values. */
export class RangeType {
  readonly oid: number;
  readonly name: string;
  readonly multirangeOid: number;
  readonly multirangeName: string;
  readonly subtypeOid: number;
  private readonly subtypeSupport: () => TypeSupport;
  private readonly successor: Successor | null;
  private cached: TypeSupport | null = null;

  constructor(parts: {
    oid: number;
    name: string;
    multirangeOid: number;
    multirangeName: string;
    subtypeOid: number;
    subtype: () => TypeSupport;
    successor: Successor | null;
  }) {
    this.oid = parts.oid;
    this.name = parts.name;
    this.multirangeOid = parts.multirangeOid;
    this.multirangeName = parts.multirangeName;
    this.subtypeOid = parts.subtypeOid;
    this.subtypeSupport = parts.subtype;
    this.successor = parts.successor;
  }

  get subtype(): TypeSupport {
    return (this.cached ??= this.subtypeSupport());
  }

  get empty(): Range {
    return new Range(this.oid, true, null, null, false, false);
  }

  /** Compares two values of the subtype. */
  compareValues(left: Datum, right: Datum): number {
    const { compare, name } = this.subtype;
    if (compare === undefined)
      throw new DbError('undefined_function', `could not identify a comparison function for type ${name}`);
    return compare(left, right);
  }

  /** A range in canonical form; 22000 when the bounds are the wrong way round. */
  make(lower: Datum, upper: Datum, lowerInclusive: boolean, upperInclusive: boolean): Range {
    let from = lower;
    let to = upper;
    let hasFrom = lowerInclusive && from !== null;
    let hasTo = upperInclusive && to !== null;
    if (from !== null && to !== null) {
      const order = this.compareValues(from, to);
      if (order > 0) {
        throw new DbError(
          'data_exception',
          'range lower bound must be less than or equal to range upper bound',
        );
      }
      if (order === 0 && !(hasFrom && hasTo)) return this.empty;
    }
    if (this.successor !== null) {
      if (from !== null && !hasFrom) {
        const next = this.successor(from);
        hasFrom = next !== from;
        from = next;
      }
      if (to !== null && hasTo) {
        const next = this.successor(to);
        hasTo = next === to;
        to = next;
      }
      if (from !== null && to !== null) {
        const order = this.compareValues(from, to);
        if (order > 0 || (order === 0 && !(hasFrom && hasTo))) return this.empty;
      }
    }
    return new Range(this.oid, false, from, to, hasFrom, hasTo);
  }

  fromBounds(lower: Bound, upper: Bound): Range {
    return this.make(lower.value, upper.value, lower.inclusive, upper.inclusive);
  }

  /** Order of bounds, infinities and inclusion considered. */
  compareBounds(left: Bound, right: Bound): number {
    if (left.value === null || right.value === null) return compareInfinite(left, right);
    const order = this.compareValues(left.value, right.value);
    if (order !== 0) return order;
    if (!left.inclusive && !right.inclusive)
      return left.isLower === right.isLower ? 0 : left.isLower ? 1 : -1;
    if (!left.inclusive) return left.isLower ? 1 : -1;
    if (!right.inclusive) return right.isLower ? -1 : 1;
    return 0;
  }

  /** btree order: empty first, then by lower, then by upper bound. */
  compare(left: Range, right: Range): number {
    if (left.isEmpty || right.isEmpty) return left.isEmpty === right.isEmpty ? 0 : left.isEmpty ? -1 : 1;
    return (
      this.compareBounds(lowerBound(left), lowerBound(right)) ||
      this.compareBounds(upperBound(left), upperBound(right))
    );
  }

  /** Whether nothing lies between an upper and a lower bound, and they share nothing. */
  areAdjacent(upper: Bound, lower: Bound): boolean {
    if (upper.value === null || lower.value === null) return false;
    const order = this.compareValues(upper.value, lower.value);
    if (order > 0) return false;
    if (order === 0) return upper.inclusive !== lower.inclusive;
    if (this.successor === null) return false;
    return this.make(upper.value, lower.value, !upper.inclusive, !lower.inclusive).isEmpty;
  }

  isAdjacent(left: Range, right: Range): boolean {
    if (left.isEmpty || right.isEmpty) return false;
    return (
      this.areAdjacent(upperBound(left), lowerBound(right)) ||
      this.areAdjacent(upperBound(right), lowerBound(left))
    );
  }

  contains(outer: Range, inner: Range): boolean {
    if (inner.isEmpty) return true;
    if (outer.isEmpty) return false;
    return (
      this.compareBounds(lowerBound(outer), lowerBound(inner)) <= 0 &&
      this.compareBounds(upperBound(outer), upperBound(inner)) >= 0
    );
  }

  containsValue(range: Range, value: Datum): boolean {
    if (range.isEmpty) return false;
    if (range.lower !== null) {
      const order = this.compareValues(range.lower, value);
      if (order > 0 || (order === 0 && !range.lowerInclusive)) return false;
    }
    if (range.upper !== null) {
      const order = this.compareValues(range.upper, value);
      if (order < 0 || (order === 0 && !range.upperInclusive)) return false;
    }
    return true;
  }

  overlaps(left: Range, right: Range): boolean {
    if (left.isEmpty || right.isEmpty) return false;
    return (
      this.compareBounds(lowerBound(left), upperBound(right)) <= 0 &&
      this.compareBounds(lowerBound(right), upperBound(left)) <= 0
    );
  }

  isBefore(left: Range, right: Range): boolean {
    return !left.isEmpty && !right.isEmpty && this.compareBounds(upperBound(left), lowerBound(right)) < 0;
  }

  /** `left` does not reach beyond `right` on the right. */
  isOverLeft(left: Range, right: Range): boolean {
    return !left.isEmpty && !right.isEmpty && this.compareBounds(upperBound(left), upperBound(right)) <= 0;
  }

  isOverRight(left: Range, right: Range): boolean {
    return !left.isEmpty && !right.isEmpty && this.compareBounds(lowerBound(left), lowerBound(right)) >= 0;
  }

  /** `strict`: a gap between the two is an error, else it is filled (range_merge). */
  union(left: Range, right: Range, strict: boolean): Range {
    if (left.isEmpty) return right;
    if (right.isEmpty) return left;
    if (strict && !this.overlaps(left, right) && !this.isAdjacent(left, right))
      throw new DbError('data_exception', 'result of range union would not be contiguous');
    const lower =
      this.compareBounds(lowerBound(left), lowerBound(right)) < 0 ? lowerBound(left) : lowerBound(right);
    const upper =
      this.compareBounds(upperBound(left), upperBound(right)) > 0 ? upperBound(left) : upperBound(right);
    return this.fromBounds(lower, upper);
  }

  intersect(left: Range, right: Range): Range {
    if (!this.overlaps(left, right)) return this.empty;
    const lower =
      this.compareBounds(lowerBound(left), lowerBound(right)) >= 0 ? lowerBound(left) : lowerBound(right);
    const upper =
      this.compareBounds(upperBound(left), upperBound(right)) <= 0 ? upperBound(left) : upperBound(right);
    return this.fromBounds(lower, upper);
  }

  /** What of `left` is not in `right`: no, one or two ranges. */
  difference(left: Range, right: Range): Range[] {
    if (left.isEmpty) return [];
    if (!this.overlaps(left, right)) return [left];
    const parts: Range[] = [];
    if (this.compareBounds(lowerBound(left), lowerBound(right)) < 0)
      parts.push(this.make(left.lower, right.lower, left.lowerInclusive, !right.lowerInclusive));
    if (this.compareBounds(upperBound(left), upperBound(right)) > 0)
      parts.push(this.make(right.upper, left.upper, !right.upperInclusive, left.upperInclusive));
    return parts.filter((part) => !part.isEmpty);
  }

  /** The - operator: the result must be one range. */
  minus(left: Range, right: Range): Range {
    if (left.isEmpty || right.isEmpty) return left;
    if (
      this.compareBounds(lowerBound(left), lowerBound(right)) < 0 &&
      this.compareBounds(upperBound(left), upperBound(right)) > 0
    )
      throw new DbError('data_exception', 'result of range difference would not be contiguous');
    return this.difference(left, right)[0] ?? this.empty;
  }

  /** Sorts, drops empty ranges and joins those that touch. */
  makeMultirange(ranges: readonly Range[]): Multirange {
    const sorted = ranges.filter((range) => !range.isEmpty).sort((a, b) => this.compare(a, b));
    const result: Range[] = [];
    for (const range of sorted) {
      const last = result.at(-1);
      if (last !== undefined && (this.overlaps(last, range) || this.isAdjacent(last, range)))
        result[result.length - 1] = this.union(last, range, false);
      else result.push(range);
    }
    return new Multirange(this.multirangeOid, result);
  }

  /** Order of multiranges: range by range, then the shorter first. */
  compareMultiranges(left: Multirange, right: Multirange): number {
    const count = Math.min(left.ranges.length, right.ranges.length);
    for (let index = 0; index < count; index++) {
      const order = this.compare(left.ranges[index]!, right.ranges[index]!);
      if (order !== 0) return order;
    }
    return left.ranges.length - right.ranges.length;
  }
}

export function lowerBound(range: Range): Bound {
  return { value: range.lower, inclusive: range.lowerInclusive, isLower: true };
}

export function upperBound(range: Range): Bound {
  return { value: range.upper, inclusive: range.upperInclusive, isLower: false };
}

function compareInfinite(left: Bound, right: Bound): number {
  if (left.value === null && right.value === null)
    return left.isLower === right.isLower ? 0 : left.isLower ? -1 : 1;
  if (left.value === null) return left.isLower ? -1 : 1;
  return right.isLower ? 1 : -1;
}
