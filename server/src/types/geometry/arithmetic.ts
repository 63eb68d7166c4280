/**
 * Checked float8 arithmetic, fuzzy comparison, and the geometry of points, segments, lines and boxes.
 *
 * PostgreSQL compares coordinates with a tolerance of 1e-6; all predicates here keep its choice of fuzzy or exact comparison.
 */
import { DbError } from '../../base/error.ts';
import { Box, Line, Point, Segment } from './shapes.ts';

const EPSILON = 1e-6;
const { abs, sqrt } = Math;
const isInfinite = (value: number): boolean =>
  value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;

function overflow(): DbError {
  return new DbError('numeric_value_out_of_range', 'value out of range: overflow');
}
function underflow(): DbError {
  return new DbError('numeric_value_out_of_range', 'value out of range: underflow');
}

export function plus(left: number, right: number): number {
  const result = left + right;
  if (isInfinite(result) && !isInfinite(left) && !isInfinite(right)) throw overflow();
  return result;
}
export function minus(left: number, right: number): number {
  const result = left - right;
  if (isInfinite(result) && !isInfinite(left) && !isInfinite(right)) throw overflow();
  return result;
}
export function times(left: number, right: number): number {
  const result = left * right;
  if (isInfinite(result) && !isInfinite(left) && !isInfinite(right)) throw overflow();
  if (result === 0 && left !== 0 && right !== 0) throw underflow();
  return result;
}
export function divide(left: number, right: number): number {
  if (right === 0 && !Number.isNaN(left)) throw new DbError('division_by_zero', 'division by zero');
  const result = left / right;
  if (isInfinite(result) && !isInfinite(left)) throw overflow();
  if (result === 0 && left !== 0 && !isInfinite(right)) throw underflow();
  return result;
}

export const isZero = (value: number): boolean => abs(value) <= EPSILON;
export const isEqual = (left: number, right: number): boolean =>
  left === right || abs(left - right) <= EPSILON;
export const isLess = (left: number, right: number): boolean => left + EPSILON < right;
export const isLessOrEqual = (left: number, right: number): boolean => left <= right + EPSILON;
export const isMore = (left: number, right: number): boolean => left > right + EPSILON;
export const isMoreOrEqual = (left: number, right: number): boolean => left + EPSILON >= right;

export function hypotenuse(x: number, y: number): number {
  if (isInfinite(x) || isInfinite(y)) return Number.POSITIVE_INFINITY;
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  const [larger, smaller] = abs(x) < abs(y) ? [abs(y), abs(x)] : [abs(x), abs(y)];
  if (smaller === 0) return larger;
  const ratio = smaller / larger;
  const result = larger * sqrt(1 + ratio * ratio);
  if (isInfinite(result)) throw overflow();
  if (result === 0) throw underflow();
  return result;
}

/** Points. */
const sameFloat = (left: number, right: number): boolean =>
  left === right || (Number.isNaN(left) && Number.isNaN(right));

export function pointsEqual(left: Point, right: Point): boolean {
  if (Number.isNaN(left.x) || Number.isNaN(left.y) || Number.isNaN(right.x) || Number.isNaN(right.y)) {
    return sameFloat(left.x, right.x) && sameFloat(left.y, right.y);
  }
  return isEqual(left.x, right.x) && isEqual(left.y, right.y);
}
export function distance(left: Point, right: Point): number {
  return hypotenuse(minus(left.x, right.x), minus(left.y, right.y));
}
export function slope(left: Point, right: Point): number {
  if (isEqual(left.x, right.x)) return Number.POSITIVE_INFINITY;
  if (isEqual(left.y, right.y)) return 0;
  return divide(minus(left.y, right.y), minus(left.x, right.x));
}
/** Slope of the perpendicular of the line through two points. */
function inverseSlope(left: Point, right: Point): number {
  if (isEqual(left.x, right.x)) return 0;
  if (isEqual(left.y, right.y)) return Number.POSITIVE_INFINITY;
  return divide(minus(left.x, right.x), minus(right.y, left.y));
}
export const addPoints = (left: Point, right: Point): Point =>
  new Point(plus(left.x, right.x), plus(left.y, right.y));
export const subtractPoints = (left: Point, right: Point): Point =>
  new Point(minus(left.x, right.x), minus(left.y, right.y));
/** Points multiply and divide as complex numbers. */
export const multiplyPoints = (left: Point, right: Point): Point =>
  new Point(
    minus(times(left.x, right.x), times(left.y, right.y)),
    plus(times(left.x, right.y), times(left.y, right.x)),
  );
export function dividePoints(left: Point, right: Point): Point {
  const square = plus(times(right.x, right.x), times(right.y, right.y));
  return new Point(
    divide(plus(times(left.x, right.x), times(left.y, right.y)), square),
    divide(minus(times(right.x, left.y), times(right.y, left.x)), square),
  );
}
export const middle = (left: Point, right: Point): Point =>
  new Point(divide(plus(left.x, right.x), 2), divide(plus(left.y, right.y), 2));

/** Lines. */
export function slopeLine(point: Point, m: number): Line {
  if (isInfinite(m)) return new Line(-1, 0, point.x);
  if (m === 0) return new Line(0, -1, point.y);
  const c = minus(point.y, times(m, point.x));
  return new Line(m, -1, c === 0 ? 0 : c);
}
export function lineSlope({ a, b }: Line): number {
  if (isZero(a)) return 0;
  if (isZero(b)) return Number.POSITIVE_INFINITY;
  return divide(a, -b);
}
function lineInverseSlope({ a, b }: Line): number {
  if (isZero(a)) return Number.POSITIVE_INFINITY;
  if (isZero(b)) return 0;
  return divide(b, a);
}
export function linesMeet(one: Line, other: Line): Point | null {
  let [first, second] = [one, other];
  if (isZero(first.b)) {
    if (isZero(second.b)) return null;
    [first, second] = [second, first];
  }
  if (isEqual(second.a, times(first.a, divide(second.b, first.b)))) return null;
  const x = divide(
    minus(times(first.b, second.c), times(second.b, first.c)),
    minus(times(first.a, second.b), times(second.a, first.b)),
  );
  const y = divide(-plus(times(first.a, x), first.c), first.b);
  // Minus zero would print as such.
  return new Point(x === 0 ? 0 : x, y === 0 ? 0 : y);
}
export function linesEqual(left: Line, right: Line): boolean {
  const parts = [left.a, left.b, left.c, right.a, right.b, right.c];
  if (parts.some(Number.isNaN)) {
    return sameFloat(left.a, right.a) && sameFloat(left.b, right.b) && sameFloat(left.c, right.c);
  }
  let ratio = 1;
  if (!isZero(right.a)) ratio = divide(left.a, right.a);
  else if (!isZero(right.b)) ratio = divide(left.b, right.b);
  else if (!isZero(right.c)) ratio = divide(left.c, right.c);
  return (
    isEqual(left.a, times(ratio, right.a)) &&
    isEqual(left.b, times(ratio, right.b)) &&
    isEqual(left.c, times(ratio, right.c))
  );
}
export function linesPerpendicular(left: Line, right: Line): boolean {
  if (isZero(left.a)) return isZero(right.b);
  if (isZero(right.a)) return isZero(left.b);
  if (isZero(left.b)) return isZero(right.a);
  if (isZero(right.b)) return isZero(left.a);
  return isEqual(divide(times(left.a, right.a), times(left.b, right.b)), -1);
}
export function lineDistance(left: Line, right: Line): number {
  if (linesMeet(left, right) !== null) return 0;
  let ratio = 1;
  const usable = (value: number): boolean => !isZero(value) && !Number.isNaN(value);
  if (usable(left.a) && usable(right.a)) ratio = divide(left.a, right.a);
  else if (usable(left.b) && usable(right.b)) ratio = divide(left.b, right.b);
  return divide(abs(minus(left.c, times(ratio, right.c))), hypotenuse(left.a, left.b));
}
export const isOnLine = (line: Line, point: Point): boolean =>
  isZero(plus(plus(times(line.a, point.x), times(line.b, point.y)), line.c));

/** A closest point with its distance. */
export interface Closest {
  readonly point: Point;
  readonly distance: number;
}
export function closestOnLine(line: Line, point: Point): Closest {
  const found = linesMeet(slopeLine(point, lineInverseSlope(line)), line);
  return found === null
    ? { point, distance: Number.NaN }
    : { point: found, distance: distance(found, point) };
}

/** Segments. */
export const segmentSlope = ({ start, end }: Segment): number => slope(start, end);
export const segmentLine = (segment: Segment): Line => slopeLine(segment.start, segmentSlope(segment));
export const segmentLength = ({ start, end }: Segment): number => distance(start, end);
export const segmentsParallel = (left: Segment, right: Segment): boolean =>
  isEqual(segmentSlope(left), segmentSlope(right));
export const segmentsPerpendicular = (left: Segment, right: Segment): boolean =>
  isEqual(segmentSlope(left), inverseSlope(right.start, right.end));
export const segmentsEqual = (left: Segment, right: Segment): boolean =>
  pointsEqual(left.start, right.start) && pointsEqual(left.end, right.end);
export const isOnSegment = ({ start, end }: Segment, point: Point): boolean =>
  isEqual(plus(distance(point, start), distance(point, end)), distance(start, end));

export function segmentMeetsLine(segment: Segment, line: Line): Point | null {
  const found = linesMeet(segmentLine(segment), line);
  if (found === null || !isOnSegment(segment, found)) return null;
  if (pointsEqual(segment.start, found)) return segment.start;
  return pointsEqual(segment.end, found) ? segment.end : found;
}
export function segmentsMeet(left: Segment, right: Segment): Point | null {
  const found = segmentMeetsLine(left, segmentLine(right));
  return found !== null && isOnSegment(right, found) ? found : null;
}
export function closestToLine(segment: Segment, line: Line): Closest {
  const found = segmentMeetsLine(segment, line);
  if (found !== null) return { point: found, distance: 0 };
  const fromStart = closestOnLine(line, segment.start).distance;
  const fromEnd = closestOnLine(line, segment.end).distance;
  return fromStart < fromEnd
    ? { point: segment.start, distance: fromStart }
    : { point: segment.end, distance: fromEnd };
}
export function closestOnSegment(segment: Segment, point: Point): Closest {
  const perpendicular = slopeLine(point, inverseSlope(segment.start, segment.end));
  const found = closestToLine(segment, perpendicular).point;
  return { point: found, distance: distance(found, point) };
}
const nearer = (best: Closest, other: Closest): Closest => (other.distance < best.distance ? other : best);
/** The point of `segment` closest to `other`. */
export function closestBetween(segment: Segment, other: Segment): Closest {
  const found = segmentsMeet(segment, other);
  if (found !== null) return { point: found, distance: 0 };
  let best = closestOnSegment(segment, other.start);
  best = nearer(best, closestOnSegment(segment, other.end));
  for (const point of [segment.start, segment.end]) {
    best = nearer(best, { point, distance: closestOnSegment(other, point).distance });
  }
  return best;
}

/** Boxes. */
export function boxesOverlap(left: Box, right: Box): boolean {
  return (
    isLessOrEqual(left.low.x, right.high.x) &&
    isLessOrEqual(right.low.x, left.high.x) &&
    isLessOrEqual(left.low.y, right.high.y) &&
    isLessOrEqual(right.low.y, left.high.y)
  );
}
export function boxContainsBox(outer: Box, inner: Box): boolean {
  return (
    isMoreOrEqual(outer.high.x, inner.high.x) &&
    isLessOrEqual(outer.low.x, inner.low.x) &&
    isMoreOrEqual(outer.high.y, inner.high.y) &&
    isLessOrEqual(outer.low.y, inner.low.y)
  );
}
export const boxContainsPoint = (box: Box, point: Point): boolean =>
  box.high.x >= point.x && box.low.x <= point.x && box.high.y >= point.y && box.low.y <= point.y;
export const boxArea = ({ high, low }: Box): number => times(minus(high.x, low.x), minus(high.y, low.y));
export const boxCenter = ({ high, low }: Box): Point => middle(high, low);

/** The four sides: left, top, bottom, right. */
export function boxSides({ high, low }: Box): Segment[] {
  const topLeft = new Point(low.x, high.y);
  const bottomRight = new Point(high.x, low.y);
  return [
    new Segment(low, topLeft),
    new Segment(high, topLeft),
    new Segment(low, bottomRight),
    new Segment(high, bottomRight),
  ];
}
/** Where a segment meets a box: the point of it closest to the box's centre. */
export function segmentMeetsBox(box: Box, segment: Segment): Point | null {
  const { start, end } = segment;
  const around = new Box(
    new Point(Math.max(start.x, end.x), Math.max(start.y, end.y)),
    new Point(Math.min(start.x, end.x), Math.min(start.y, end.y)),
  );
  if (!boxesOverlap(around, box)) return null;
  const point = closestOnSegment(segment, boxCenter(box)).point;
  if (boxContainsPoint(box, start) || boxContainsPoint(box, end)) return point;
  return boxSides(box).some((side) => segmentsMeet(side, segment) !== null) ? point : null;
}
export function closestOnBox(box: Box, point: Point): Closest {
  if (boxContainsPoint(box, point)) return { point, distance: 0 };
  return boxSides(box)
    .map((side) => closestOnSegment(side, point))
    .reduce(nearer);
}
export function closestOnBoxTo(box: Box, segment: Segment): Closest {
  const found = segmentMeetsBox(box, segment);
  if (found !== null) return { point: found, distance: 0 };
  return boxSides(box)
    .map((side) => closestBetween(side, segment))
    .reduce(nearer);
}
