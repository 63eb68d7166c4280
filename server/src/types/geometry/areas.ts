/** Paths, polygons and circles: who is inside of whom, distances and areas. */
import {
  boxContainsBox,
  boxesOverlap,
  closestBetween,
  closestOnSegment,
  distance,
  divide,
  isEqual,
  isLess,
  isLessOrEqual,
  isMore,
  isMoreOrEqual,
  isOnSegment,
  isZero,
  middle,
  minus,
  plus,
  pointsEqual,
  segmentsMeet,
  times,
} from './arithmetic.ts';
import { boundsOf, Circle, type Path, Point, type Polygon, Segment } from './shapes.ts';

/** The edges of a chain of points; the closing one first when the chain is closed. */
function edges(points: readonly Point[], isClosed: boolean): Segment[] {
  const result: Segment[] = [];
  for (let index = 0; index < points.length; index++) {
    if (index > 0) result.push(new Segment(points[index - 1]!, points[index]!));
    else if (isClosed) result.push(new Segment(points.at(-1)!, points[0]!));
  }
  return result;
}
const pathEdges = (path: Path): Segment[] => edges(path.points, path.isClosed);
const polygonEdges = (polygon: Polygon): Segment[] => edges(polygon.points, true);

const ON_EDGE = Number.MAX_SAFE_INTEGER;

/** How the move from `before` to `now` (relative to the tested point) crosses the positive x axis, counted in halves. */
function crossing(x: number, y: number, beforeX: number, beforeY: number): number {
  if (isZero(y)) {
    if (isZero(x)) return ON_EDGE;
    if (isMore(x, 0)) {
      if (isZero(beforeY)) return isMore(beforeX, 0) ? 0 : ON_EDGE;
      return isLess(beforeY, 0) ? 1 : -1;
    }
    if (isZero(beforeY)) return isLess(beforeX, 0) ? 0 : ON_EDGE;
    return 0;
  }
  const sign = isMore(y, 0) ? 1 : -1;
  if (isZero(beforeY)) return isLess(beforeX, 0) ? 0 : sign;
  if ((sign < 0 && isLess(beforeY, 0)) || (sign > 0 && isMore(beforeY, 0))) return 0;
  if (isMoreOrEqual(x, 0) && isMore(beforeX, 0)) return 2 * sign;
  if (isLess(x, 0) && isLessOrEqual(beforeX, 0)) return 0;
  const z = minus(times(minus(x, beforeX), y), times(minus(y, beforeY), x));
  if (isZero(z)) return ON_EDGE;
  if ((sign < 0 && isLess(z, 0)) || (sign > 0 && isMore(z, 0))) return 0;
  return 2 * sign;
}

/** Whether a point lies inside a closed chain or on its edge. */
export function isInside(point: Point, points: readonly Point[]): boolean {
  const firstX = minus(points[0]!.x, point.x);
  const firstY = minus(points[0]!.y, point.y);
  let [beforeX, beforeY, total] = [firstX, firstY, 0];
  for (let index = 1; index <= points.length; index++) {
    const isLast = index === points.length;
    const x = isLast ? firstX : minus(points[index]!.x, point.x);
    const y = isLast ? firstY : minus(points[index]!.y, point.y);
    const cross = crossing(x, y, beforeX, beforeY);
    if (cross === ON_EDGE) return true;
    total += cross;
    [beforeX, beforeY] = [x, y];
  }
  return total !== 0;
}

export function isOnPath(point: Point, path: Path): boolean {
  if (path.isClosed) return isInside(point, path.points);
  const { points } = path;
  let before = distance(point, points[0]!);
  for (let index = 1; index < points.length; index++) {
    const after = distance(point, points[index]!);
    if (isEqual(plus(before, after), distance(points[index - 1]!, points[index]!))) return true;
    before = after;
  }
  return false;
}

export function pathArea(path: Path): number | null {
  if (!path.isClosed) return null;
  const { points } = path;
  let area = 0;
  for (let index = 0; index < points.length; index++) {
    const next = points[(index + 1) % points.length]!;
    area = plus(area, times(points[index]!.x, next.y));
    area = minus(area, times(points[index]!.y, next.x));
  }
  return divide(Math.abs(area), 2);
}
export function pathLength(path: Path): number {
  let length = 0;
  for (const { start, end } of pathEdges(path)) length = plus(length, distance(start, end));
  return length;
}
export function pathsMeet(left: Path, right: Path): boolean {
  if (!boxesOverlap(boundsOf(left.points), boundsOf(right.points))) return false;
  const others = pathEdges(right);
  return pathEdges(left).some((edge) => others.some((other) => segmentsMeet(edge, other) !== null));
}
export function pathDistance(left: Path, right: Path): number | null {
  let least: number | null = null;
  for (const edge of pathEdges(left)) {
    for (const other of pathEdges(right)) {
      const found = closestBetween(edge, other).distance;
      if (least === null || found < least) least = found;
    }
  }
  return least;
}
export function pointPathDistance(point: Point, path: Path): number {
  if (path.points.length === 1) return distance(point, path.points[0]!);
  let least = Number.NaN;
  for (const edge of pathEdges(path)) {
    const found = closestOnSegment(edge, point).distance;
    if (Number.isNaN(least) || found < least) least = found;
  }
  return least;
}

export const polygonContainsPoint = (polygon: Polygon, point: Point): boolean =>
  isInside(point, polygon.points);

export function polygonDistanceToPoint(point: Point, polygon: Polygon): number {
  if (isInside(point, polygon.points)) return 0;
  let least = Number.NaN;
  for (const edge of polygonEdges(polygon)) {
    const found = closestOnSegment(edge, point).distance;
    if (Number.isNaN(least) || found < least) least = found;
  }
  return least;
}
export function polygonsOverlap(left: Polygon, right: Polygon): boolean {
  if (!boxesOverlap(left.bounds, right.bounds)) return false;
  const others = polygonEdges(right);
  return (
    polygonEdges(left).some((edge) => others.some((other) => segmentsMeet(edge, other) !== null)) ||
    isInside(left.points[0]!, right.points) ||
    isInside(right.points[0]!, left.points)
  );
}
export function polygonDistance(left: Polygon, right: Polygon): number {
  if (polygonsOverlap(left, right)) return 0;
  let least = Number.POSITIVE_INFINITY;
  for (const edge of polygonEdges(left)) {
    for (const other of polygonEdges(right)) {
      least = Math.min(least, closestBetween(edge, other).distance);
    }
  }
  return least;
}

/** A segment that touches an edge with its start: goes on behind the end of that edge which lies on the segment. */
function touchingInside(from: Point, to: Point, edge: Segment, polygon: Polygon, index: number): boolean {
  const segment = new Segment(from, to);
  const goOn = (corner: Point): boolean => segmentInside(to, corner, polygon, index);
  if (pointsEqual(from, edge.start)) return isOnSegment(segment, edge.end) ? goOn(edge.end) : true;
  if (pointsEqual(from, edge.end)) return isOnSegment(segment, edge.start) ? goOn(edge.start) : true;
  if (isOnSegment(segment, edge.start)) return goOn(edge.start);
  if (isOnSegment(segment, edge.end)) return goOn(edge.end);
  return true;
}

/** Whether a segment lies wholly inside; edges before `from` are known not to cross it. */
function segmentInside(start: Point, end: Point, polygon: Polygon, from: number): boolean {
  const segment = new Segment(start, end);
  const { points } = polygon;
  let corner = points[from === 0 ? points.length - 1 : from - 1]!;
  for (let index = from; index < points.length; index++) {
    const edge = new Segment(corner, points[index]!);
    if (isOnSegment(edge, start)) {
      if (isOnSegment(edge, end)) return true;
      if (!touchingInside(start, end, edge, polygon, index + 1)) return false;
    } else if (isOnSegment(edge, end)) {
      if (!touchingInside(end, start, edge, polygon, index + 1)) return false;
    } else {
      const found = segmentsMeet(segment, edge);
      if (found !== null) {
        return (
          segmentInside(start, found, polygon, index + 1) && segmentInside(end, found, polygon, index + 1)
        );
      }
    }
    corner = points[index]!;
  }
  return isInside(middle(start, end), points);
}

export function polygonContains(outer: Polygon, inner: Polygon): boolean {
  if (!boxContainsBox(outer.bounds, inner.bounds)) return false;
  return polygonEdges(inner).every(({ start, end }) => segmentInside(start, end, outer, 0));
}

/** Equal up to the first point and the direction. */
export function polygonsSame(left: Polygon, right: Polygon): boolean {
  const count = left.points.length;
  if (count !== right.points.length) return false;
  for (let first = 0; first < count; first++) {
    for (const direction of [1, -1]) {
      let isSame = true;
      for (let index = 0; isSame && index < count; index++) {
        const other = right.points[(first + direction * index + count) % count]!;
        isSame = pointsEqual(left.points[index]!, other);
      }
      if (isSame) return true;
    }
  }
  return false;
}

/** The circle around a polygon's mean point whose radius is the corners' mean distance. */
export function circleOfPolygon(polygon: Polygon): Circle {
  const { points } = polygon;
  let [x, y] = [0, 0];
  for (const point of points) {
    x = plus(x, point.x);
    y = plus(y, point.y);
  }
  const center = new Point(divide(x, points.length), divide(y, points.length));
  let radius = 0;
  for (const point of points) radius = plus(radius, distance(point, center));
  return new Circle(center, divide(radius, points.length));
}
