/** Values of the geometric types. Coordinates are float8; NaN and infinities are allowed as PostgreSQL allows them. */
import { OpaqueDatum } from '../datum.ts';
import { OID } from '../oid.ts';

export class Point extends OpaqueDatum {
  readonly typeOid = OID.POINT;
  readonly x: number;
  readonly y: number;
  constructor(x: number, y: number) {
    super();
    this.x = x;
    this.y = y;
  }
}

export class Segment extends OpaqueDatum {
  readonly typeOid = OID.LSEG;
  readonly start: Point;
  readonly end: Point;
  constructor(start: Point, end: Point) {
    super();
    this.start = start;
    this.end = end;
  }
}

/** The line a*x + b*y + c = 0. */
export class Line extends OpaqueDatum {
  readonly typeOid = OID.LINE;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  constructor(a: number, b: number, c: number) {
    super();
    this.a = a;
    this.b = b;
    this.c = c;
  }
}

/** `high` is the upper right corner, `low` the lower left one. */
export class Box extends OpaqueDatum {
  readonly typeOid = OID.BOX;
  readonly high: Point;
  readonly low: Point;
  constructor(high: Point, low: Point) {
    super();
    this.high = high;
    this.low = low;
  }
}

export class Path extends OpaqueDatum {
  readonly typeOid = OID.PATH;
  readonly points: readonly Point[];
  readonly isClosed: boolean;
  constructor(points: readonly Point[], isClosed: boolean) {
    super();
    this.points = points;
    this.isClosed = isClosed;
  }
}

export class Polygon extends OpaqueDatum {
  readonly typeOid = OID.POLYGON;
  readonly points: readonly Point[];
  readonly bounds: Box;
  constructor(points: readonly Point[]) {
    super();
    this.points = points;
    this.bounds = boundsOf(points);
  }
}

export class Circle extends OpaqueDatum {
  readonly typeOid = OID.CIRCLE;
  readonly center: Point;
  readonly radius: number;
  constructor(center: Point, radius: number) {
    super();
    this.center = center;
    this.radius = radius;
  }
}

/** Order of float8 with NaN as the greatest value. */
export function isGreater(left: number, right: number): boolean {
  return !Number.isNaN(right) && (Number.isNaN(left) || left > right);
}

/** A box from any two opposite corners. */
export function makeBox(one: Point, other: Point): Box {
  const [highX, lowX] = isGreater(one.x, other.x) ? [one.x, other.x] : [other.x, one.x];
  const [highY, lowY] = isGreater(one.y, other.y) ? [one.y, other.y] : [other.y, one.y];
  return new Box(new Point(highX, highY), new Point(lowX, lowY));
}

/** The least box around some points. */
export function boundsOf(points: readonly Point[]): Box {
  const first = points[0]!;
  let [lowX, highX, lowY, highY] = [first.x, first.x, first.y, first.y];
  for (const { x, y } of points) {
    if (isGreater(lowX, x)) lowX = x;
    if (isGreater(x, highX)) highX = x;
    if (isGreater(lowY, y)) lowY = y;
    if (isGreater(y, highY)) highY = y;
  }
  return new Box(new Point(highX, highY), new Point(lowX, lowY));
}
