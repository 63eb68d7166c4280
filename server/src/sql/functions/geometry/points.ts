/** Functions and operators of point, lseg, line and box. */
import { DbError } from '../../../base/error.ts';
import type { Datum } from '../../../types/datum.ts';
import * as G from '../../../types/geometry/arithmetic.ts';
import { Box, type Line, makeBox, Point, Segment } from '../../../types/geometry/shapes.ts';
import { type FunctionTable, type Implementation, pureTable } from '../registry.ts';

/** A closest point, NULL where none is defined. */
const pointOf = (closest: G.Closest): Datum => (Number.isNaN(closest.distance) ? null : closest.point);

/** The six comparisons of a measure with the tolerance of the geometric types. */
export function measured(
  prefix: string,
  measure: (value: never) => number,
  suffixes: readonly string[] = ['lt', 'le', 'eq', 'ge', 'gt'],
): Record<string, Implementation> {
  const compare: Record<string, (left: number, right: number) => boolean> = {
    lt: G.isLess,
    le: G.isLessOrEqual,
    eq: G.isEqual,
    ne: (left, right) => left !== right && Math.abs(left - right) > 1e-6,
    ge: G.isMoreOrEqual,
    gt: G.isMore,
  };
  const table: Record<string, Implementation> = {};
  for (const suffix of suffixes) {
    const test = compare[suffix]!;
    table[`${prefix}_${suffix}`] = (left: never, right: never) => test(measure(left), measure(right));
  }
  return table;
}

const points: Record<string, Implementation> = {
  construct_point: (x: number, y: number) => new Point(x, y),
  point_left: (left: Point, right: Point) => G.isLess(left.x, right.x),
  point_right: (left: Point, right: Point) => G.isMore(left.x, right.x),
  point_above: (left: Point, right: Point) => G.isMore(left.y, right.y),
  point_below: (left: Point, right: Point) => G.isLess(left.y, right.y),
  point_vert: (left: Point, right: Point) => G.isEqual(left.x, right.x),
  point_horiz: (left: Point, right: Point) => G.isEqual(left.y, right.y),
  point_eq: G.pointsEqual,
  point_ne: (left: Point, right: Point) => !G.pointsEqual(left, right),
  point_distance: G.distance,
  point_slope: G.slope,
  point_add: G.addPoints,
  point_sub: G.subtractPoints,
  point_mul: G.multiplyPoints,
  point_div: G.dividePoints,
  point_box: (point: Point) => new Box(point, point),
  on_pl: (point: Point, line: Line) => G.isOnLine(line, point),
  on_ps: (point: Point, segment: Segment) => G.isOnSegment(segment, point),
  on_pb: (point: Point, box: Box) => G.boxContainsPoint(box, point),
  dist_pl: (point: Point, line: Line) => G.closestOnLine(line, point).distance,
  dist_lp: (line: Line, point: Point) => G.closestOnLine(line, point).distance,
  dist_ps: (point: Point, segment: Segment) => G.closestOnSegment(segment, point).distance,
  dist_sp: (segment: Segment, point: Point) => G.closestOnSegment(segment, point).distance,
  dist_pb: (point: Point, box: Box) => G.closestOnBox(box, point).distance,
  dist_bp: (box: Box, point: Point) => G.closestOnBox(box, point).distance,
  close_pl: (point: Point, line: Line) => pointOf(G.closestOnLine(line, point)),
  close_ps: (point: Point, segment: Segment) => pointOf(G.closestOnSegment(segment, point)),
  close_pb: (point: Point, box: Box) => pointOf(G.closestOnBox(box, point)),
};

const segments: Record<string, Implementation> = {
  lseg_construct: (start: Point, end: Point) => new Segment(start, end),
  lseg_center: (segment: Segment) => G.middle(segment.start, segment.end),
  lseg_length: G.segmentLength,
  lseg_parallel: G.segmentsParallel,
  lseg_perp: G.segmentsPerpendicular,
  lseg_vertical: ({ start, end }: Segment) => G.isEqual(start.x, end.x),
  lseg_horizontal: ({ start, end }: Segment) => G.isEqual(start.y, end.y),
  lseg_eq: G.segmentsEqual,
  lseg_ne: (left: Segment, right: Segment) => !G.segmentsEqual(left, right),
  ...measured('lseg', G.segmentLength as (value: never) => number, ['lt', 'le', 'ge', 'gt']),
  lseg_distance: (left: Segment, right: Segment) => G.closestBetween(left, right).distance,
  lseg_intersect: (left: Segment, right: Segment) => G.segmentsMeet(left, right) !== null,
  lseg_interpt: G.segmentsMeet,
  on_sl: (segment: Segment, line: Line) => G.isOnLine(line, segment.start) && G.isOnLine(line, segment.end),
  on_sb: (segment: Segment, box: Box) =>
    G.boxContainsPoint(box, segment.start) && G.boxContainsPoint(box, segment.end),
  inter_sl: (segment: Segment, line: Line) => G.segmentMeetsLine(segment, line) !== null,
  inter_sb: (segment: Segment, box: Box) => G.segmentMeetsBox(box, segment) !== null,
  dist_sl: (segment: Segment, line: Line) => G.closestToLine(segment, line).distance,
  dist_ls: (line: Line, segment: Segment) => G.closestToLine(segment, line).distance,
  dist_sb: (segment: Segment, box: Box) => G.closestOnBoxTo(box, segment).distance,
  dist_bs: (box: Box, segment: Segment) => G.closestOnBoxTo(box, segment).distance,
  close_ls: (line: Line, segment: Segment) =>
    G.segmentSlope(segment) === G.lineSlope(line) ? null : pointOf(G.closestToLine(segment, line)),
  close_lseg: (left: Segment, right: Segment) =>
    G.segmentSlope(left) === G.segmentSlope(right) ? null : pointOf(G.closestBetween(right, left)),
  close_sb: (segment: Segment, box: Box) => pointOf(G.closestOnBoxTo(box, segment)),
};

const lines: Record<string, Implementation> = {
  line_construct_pp: (start: Point, end: Point) => {
    if (G.pointsEqual(start, end)) {
      throw new DbError('invalid_parameter_value', 'invalid line specification: must be two distinct points');
    }
    return G.slopeLine(start, G.slope(start, end));
  },
  line_eq: G.linesEqual,
  line_distance: G.lineDistance,
  line_interpt: G.linesMeet,
  line_intersect: (left: Line, right: Line) => G.linesMeet(left, right) !== null,
  line_parallel: (left: Line, right: Line) => G.linesMeet(left, right) === null,
  line_perp: G.linesPerpendicular,
  line_vertical: (line: Line) => G.isZero(line.b),
  line_horizontal: (line: Line) => G.isZero(line.a),
  inter_lb: (line: Line, box: Box) => G.boxSides(box).some((side) => G.segmentMeetsLine(side, line) !== null),
};

const shift =
  (move: (left: Point, right: Point) => Point) =>
  (box: Box, by: Point): Box =>
    new Box(move(box.high, by), move(box.low, by));
const scale =
  (change: (left: Point, right: Point) => Point) =>
  (box: Box, by: Point): Box =>
    makeBox(change(box.high, by), change(box.low, by));

const boxes: Record<string, Implementation> = {
  points_box: (one: Point, other: Point) => makeBox(one, other),
  ...measured('box', G.boxArea as (value: never) => number),
  box_same: (left: Box, right: Box) =>
    G.pointsEqual(left.high, right.high) && G.pointsEqual(left.low, right.low),
  box_overlap: G.boxesOverlap,
  box_contain: G.boxContainsBox,
  box_contained: (inner: Box, outer: Box) => G.boxContainsBox(outer, inner),
  box_contain_pt: G.boxContainsPoint,
  box_left: (left: Box, right: Box) => G.isLess(left.high.x, right.low.x),
  box_overleft: (left: Box, right: Box) => G.isLessOrEqual(left.high.x, right.high.x),
  box_right: (left: Box, right: Box) => G.isMore(left.low.x, right.high.x),
  box_overright: (left: Box, right: Box) => G.isMoreOrEqual(left.low.x, right.low.x),
  box_below: (left: Box, right: Box) => G.isLess(left.high.y, right.low.y),
  box_overbelow: (left: Box, right: Box) => G.isLessOrEqual(left.high.y, right.high.y),
  box_above: (left: Box, right: Box) => G.isMore(left.low.y, right.high.y),
  box_overabove: (left: Box, right: Box) => G.isMoreOrEqual(left.low.y, right.low.y),
  box_below_eq: (left: Box, right: Box) => G.isLessOrEqual(left.high.y, right.low.y),
  box_above_eq: (left: Box, right: Box) => G.isMoreOrEqual(left.low.y, right.high.y),
  box_area: G.boxArea,
  box_width: ({ high, low }: Box) => G.minus(high.x, low.x),
  box_height: ({ high, low }: Box) => G.minus(high.y, low.y),
  box_center: G.boxCenter,
  box_distance: (left: Box, right: Box) => G.distance(G.boxCenter(left), G.boxCenter(right)),
  box_diagonal: ({ high, low }: Box) => new Segment(high, low),
  box_intersect: (left: Box, right: Box) =>
    G.boxesOverlap(left, right)
      ? new Box(
          new Point(Math.min(left.high.x, right.high.x), Math.min(left.high.y, right.high.y)),
          new Point(Math.max(left.low.x, right.low.x), Math.max(left.low.y, right.low.y)),
        )
      : null,
  boxes_bound_box: (left: Box, right: Box) =>
    new Box(
      new Point(Math.max(left.high.x, right.high.x), Math.max(left.high.y, right.high.y)),
      new Point(Math.min(left.low.x, right.low.x), Math.min(left.low.y, right.low.y)),
    ),
  box_add: shift(G.addPoints),
  box_sub: shift(G.subtractPoints),
  box_mul: scale(G.multiplyPoints),
  box_div: scale(G.dividePoints),
};

export const pointFunctions: FunctionTable = pureTable({ ...points, ...segments, ...lines, ...boxes });
