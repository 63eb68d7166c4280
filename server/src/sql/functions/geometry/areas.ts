/** Functions and operators of path, polygon and circle. */
import { DbError } from '../../../base/error.ts';
import * as A from '../../../types/geometry/areas.ts';
import * as G from '../../../types/geometry/arithmetic.ts';
import { type Box, Circle, makeBox, Path, Point, Polygon } from '../../../types/geometry/shapes.ts';
import { type FunctionTable, type Implementation, pureTable } from '../registry.ts';
import { measured } from './points.ts';

type PointMove = (left: Point, right: Point) => Point;
const movePath =
  (move: PointMove) =>
  (path: Path, by: Point): Path =>
    new Path(
      path.points.map((point) => move(point, by)),
      path.isClosed,
    );

const paths: Record<string, Implementation> = {
  path_area: A.pathArea,
  path_length: A.pathLength,
  path_npoints: (path: Path) => path.points.length,
  path_isclosed: (path: Path) => path.isClosed,
  path_isopen: (path: Path) => !path.isClosed,
  path_close: (path: Path) => new Path(path.points, true),
  path_open: (path: Path) => new Path(path.points, false),
  path_n_lt: (left: Path, right: Path) => left.points.length < right.points.length,
  path_n_le: (left: Path, right: Path) => left.points.length <= right.points.length,
  path_n_eq: (left: Path, right: Path) => left.points.length === right.points.length,
  path_n_ge: (left: Path, right: Path) => left.points.length >= right.points.length,
  path_n_gt: (left: Path, right: Path) => left.points.length > right.points.length,
  path_inter: A.pathsMeet,
  path_distance: A.pathDistance,
  path_add: (left: Path, right: Path) =>
    left.isClosed || right.isClosed ? null : new Path([...left.points, ...right.points], false),
  path_add_pt: movePath(G.addPoints),
  path_sub_pt: movePath(G.subtractPoints),
  path_mul_pt: movePath(G.multiplyPoints),
  path_div_pt: movePath(G.dividePoints),
  path_poly: (path: Path) => {
    if (!path.isClosed) {
      throw new DbError('invalid_parameter_value', 'open path cannot be converted to polygon');
    }
    return new Polygon(path.points);
  },
  on_ppath: A.isOnPath,
  '#1426': (path: Path, point: Point) => A.isOnPath(point, path),
  dist_ppath: A.pointPathDistance,
  dist_pathp: (path: Path, point: Point) => A.pointPathDistance(point, path),
};

const polygons: Record<string, Implementation> = {
  poly_left: (left: Polygon, right: Polygon) => left.bounds.high.x < right.bounds.low.x,
  poly_overleft: (left: Polygon, right: Polygon) => left.bounds.high.x <= right.bounds.high.x,
  poly_right: (left: Polygon, right: Polygon) => left.bounds.low.x > right.bounds.high.x,
  poly_overright: (left: Polygon, right: Polygon) => left.bounds.low.x >= right.bounds.low.x,
  poly_below: (left: Polygon, right: Polygon) => left.bounds.high.y < right.bounds.low.y,
  poly_overbelow: (left: Polygon, right: Polygon) => left.bounds.high.y <= right.bounds.high.y,
  poly_above: (left: Polygon, right: Polygon) => left.bounds.low.y > right.bounds.high.y,
  poly_overabove: (left: Polygon, right: Polygon) => left.bounds.low.y >= right.bounds.low.y,
  poly_same: A.polygonsSame,
  poly_overlap: A.polygonsOverlap,
  poly_contain: A.polygonContains,
  poly_contained: (inner: Polygon, outer: Polygon) => A.polygonContains(outer, inner),
  poly_contain_pt: A.polygonContainsPoint,
  pt_contained_poly: (point: Point, polygon: Polygon) => A.polygonContainsPoint(polygon, point),
  poly_distance: A.polygonDistance,
  dist_ppoly: A.polygonDistanceToPoint,
  dist_polyp: (polygon: Polygon, point: Point) => A.polygonDistanceToPoint(point, polygon),
  poly_npoints: (polygon: Polygon) => polygon.points.length,
  poly_center: (polygon: Polygon) => A.circleOfPolygon(polygon).center,
  poly_box: (polygon: Polygon) => polygon.bounds,
  poly_path: (polygon: Polygon) => new Path(polygon.points, true),
  poly_circle: A.circleOfPolygon,
  box_poly: ({ high, low }: Box) =>
    new Polygon([low, new Point(low.x, high.y), high, new Point(high.x, low.y)]),
};

const reach = (left: Circle, right: Circle): number => G.distance(left.center, right.center);
const circleArea = (circle: Circle): number => G.times(G.times(circle.radius, circle.radius), Math.PI);
const circleContains = (outer: Circle, inner: Circle): boolean =>
  G.isLessOrEqual(reach(outer, inner), G.minus(outer.radius, inner.radius));
const holdsPoint = (circle: Circle, point: Point): boolean =>
  G.distance(circle.center, point) <= circle.radius;
const beyond = (length: number): number => (Number.isNaN(length) ? length : Math.max(length, 0));
const toPolygon = (circle: Circle, polygon: Polygon): number =>
  beyond(G.minus(A.polygonDistanceToPoint(circle.center, polygon), circle.radius));
const toPoint = (point: Point, circle: Circle): number =>
  beyond(G.minus(G.distance(point, circle.center), circle.radius));

const moveCircle =
  (move: PointMove) =>
  (circle: Circle, by: Point): Circle =>
    new Circle(move(circle.center, by), circle.radius);

function circlePolygon(count: number, circle: Circle): Polygon {
  if (G.isZero(circle.radius)) {
    throw new DbError('feature_not_supported', 'cannot convert circle with radius zero to polygon');
  }
  if (count < 2) throw new DbError('invalid_parameter_value', 'must request at least 2 points');
  const step = G.divide(2 * Math.PI, count);
  const points = Array.from({ length: count }, (_, index) => {
    const angle = G.times(step, index);
    return new Point(
      G.minus(circle.center.x, G.times(circle.radius, Math.cos(angle))),
      G.plus(circle.center.y, G.times(circle.radius, Math.sin(angle))),
    );
  });
  return new Polygon(points);
}

const circles: Record<string, Implementation> = {
  cr_circle: (center: Point, radius: number) => new Circle(center, radius),
  ...measured('circle', circleArea as (value: never) => number, ['lt', 'le', 'eq', 'ne', 'ge', 'gt']),
  circle_same: (left: Circle, right: Circle) =>
    ((Number.isNaN(left.radius) && Number.isNaN(right.radius)) || G.isEqual(left.radius, right.radius)) &&
    G.pointsEqual(left.center, right.center),
  circle_overlap: (left: Circle, right: Circle) =>
    G.isLessOrEqual(reach(left, right), G.plus(left.radius, right.radius)),
  circle_contain: circleContains,
  circle_contained: (inner: Circle, outer: Circle) => circleContains(outer, inner),
  circle_contain_pt: holdsPoint,
  pt_contained_circle: (point: Point, circle: Circle) => holdsPoint(circle, point),
  circle_left: (left: Circle, right: Circle) =>
    G.isLess(G.plus(left.center.x, left.radius), G.minus(right.center.x, right.radius)),
  circle_overleft: (left: Circle, right: Circle) =>
    G.isLessOrEqual(G.plus(left.center.x, left.radius), G.plus(right.center.x, right.radius)),
  circle_right: (left: Circle, right: Circle) =>
    G.isMore(G.minus(left.center.x, left.radius), G.plus(right.center.x, right.radius)),
  circle_overright: (left: Circle, right: Circle) =>
    G.isMoreOrEqual(G.minus(left.center.x, left.radius), G.minus(right.center.x, right.radius)),
  circle_below: (left: Circle, right: Circle) =>
    G.isLess(G.plus(left.center.y, left.radius), G.minus(right.center.y, right.radius)),
  circle_overbelow: (left: Circle, right: Circle) =>
    G.isLessOrEqual(G.plus(left.center.y, left.radius), G.plus(right.center.y, right.radius)),
  circle_above: (left: Circle, right: Circle) =>
    G.isMore(G.minus(left.center.y, left.radius), G.plus(right.center.y, right.radius)),
  circle_overabove: (left: Circle, right: Circle) =>
    G.isMoreOrEqual(G.minus(left.center.y, left.radius), G.minus(right.center.y, right.radius)),
  circle_area: circleArea,
  circle_diameter: (circle: Circle) => G.times(circle.radius, 2),
  circle_radius: (circle: Circle) => circle.radius,
  circle_center: (circle: Circle) => circle.center,
  circle_distance: (left: Circle, right: Circle) =>
    beyond(G.minus(reach(left, right), G.plus(left.radius, right.radius))),
  dist_pc: toPoint,
  dist_cpoint: (circle: Circle, point: Point) => toPoint(point, circle),
  dist_cpoly: toPolygon,
  dist_polyc: (polygon: Polygon, circle: Circle) => toPolygon(circle, polygon),
  circle_add_pt: moveCircle(G.addPoints),
  circle_sub_pt: moveCircle(G.subtractPoints),
  circle_mul_pt: (circle: Circle, by: Point) =>
    new Circle(G.multiplyPoints(circle.center, by), G.times(circle.radius, G.hypotenuse(by.x, by.y))),
  circle_div_pt: (circle: Circle, by: Point) =>
    new Circle(G.dividePoints(circle.center, by), G.divide(circle.radius, G.hypotenuse(by.x, by.y))),
  circle_box: ({ center, radius }: Circle) => {
    const delta = G.divide(radius, Math.SQRT2);
    return makeBox(
      new Point(G.plus(center.x, delta), G.plus(center.y, delta)),
      new Point(G.minus(center.x, delta), G.minus(center.y, delta)),
    );
  },
  box_circle: (box: Box) => {
    const center = G.boxCenter(box);
    return new Circle(center, G.distance(center, box.high));
  },
  circle_poly: circlePolygon,
  '#1544': (circle: Circle) => circlePolygon(12, circle),
};

export const areaFunctions: FunctionTable = pureTable({ ...paths, ...polygons, ...circles });
