/** TypeSupport of the geometric types. */
import { DbError } from '../../base/error.ts';
import { concatBytes, int32Bytes, WireReader } from '../binary.ts';
import type { TypeSupport } from '../contract.ts';
import type { Datum } from '../datum.ts';
import { OID } from '../oid.ts';
import { Box, Circle, Line, makeBox, Path, Point, Polygon, Segment } from './shapes.ts';
import {
  formatShape,
  parseBox,
  parseCircle,
  parseLine,
  parsePath,
  parsePoint,
  parsePolygon,
  parseSegment,
} from './text.ts';

type Shape = Point | Segment | Line | Box | Path | Polygon | Circle;

function floatsOf(value: Shape): number[] {
  if (value instanceof Point) return [value.x, value.y];
  if (value instanceof Segment) return [value.start.x, value.start.y, value.end.x, value.end.y];
  if (value instanceof Line) return [value.a, value.b, value.c];
  if (value instanceof Box) return [value.high.x, value.high.y, value.low.x, value.low.y];
  if (value instanceof Circle) return [value.center.x, value.center.y, value.radius];
  return value.points.flatMap((point) => [point.x, point.y]);
}

function floatBytes(values: readonly number[], isLittle: boolean): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  const data = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) data.setFloat64(index * 8, value, isLittle);
  return bytes;
}

/** All floats of a wire or storage form of `count` of them. */
function readFloats(bytes: Uint8Array, count: number, isLittle: boolean): number[] {
  if (bytes.length < count * 8) {
    throw new DbError('protocol_violation', 'insufficient data left in message');
  }
  if (bytes.length > count * 8) {
    throw new DbError('invalid_binary_representation', 'incorrect binary data format');
  }
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, index) => data.getFloat64(index * 8, isLittle));
}

function pointsFrom(floats: readonly number[]): Point[] {
  const points: Point[] = [];
  for (let index = 0; index + 1 < floats.length; index += 2) {
    points.push(new Point(floats[index]!, floats[index + 1]!));
  }
  return points;
}

function badBinary(message: string): DbError {
  return new DbError('invalid_binary_representation', message);
}

interface ShapeKind {
  readonly oid: number;
  readonly name: string;
  readonly length: number;
  readonly parse: (text: string) => Shape;
  /** Number of floats of fixed-size shapes; path and polygon have a header of their own. */
  readonly floats: number;
  readonly make: (floats: readonly number[]) => Shape;
  readonly check?: (value: Shape) => void;
}

const fixedShapes: ShapeKind[] = [
  {
    oid: OID.POINT,
    name: 'point',
    length: 16,
    parse: parsePoint,
    floats: 2,
    make: ([x, y]) => new Point(x!, y!),
  },
  {
    oid: OID.LSEG,
    name: 'lseg',
    length: 32,
    parse: parseSegment,
    floats: 4,
    make: (floats) => new Segment(...(pointsFrom(floats) as [Point, Point])),
  },
  {
    oid: OID.LINE,
    name: 'line',
    length: 24,
    parse: parseLine,
    floats: 3,
    make: ([a, b, c]) => new Line(a!, b!, c!),
    check: (value) => {
      const { a, b } = value as Line;
      if (Math.abs(a) <= 1e-6 && Math.abs(b) <= 1e-6) {
        throw badBinary('invalid line specification: A and B cannot both be zero');
      }
    },
  },
  {
    oid: OID.BOX,
    name: 'box',
    length: 32,
    parse: parseBox,
    floats: 4,
    make: (floats) => makeBox(...(pointsFrom(floats) as [Point, Point])),
  },
  {
    oid: OID.CIRCLE,
    name: 'circle',
    length: 24,
    parse: parseCircle,
    floats: 3,
    make: ([x, y, radius]) => new Circle(new Point(x!, y!), radius!),
    check: (value) => {
      if ((value as Circle).radius < 0) throw badBinary('invalid radius in external "circle" value');
    },
  },
];

const common = {
  output: (value: Datum, context: { extraFloatDigits: number }): string =>
    formatShape(value as Shape, context.extraFloatDigits),
  hashKey: (value: Datum): string => formatShape(value as Shape, 1),
  physical: () => 'varlen' as const,
};

function fixedSupport(kind: ShapeKind): TypeSupport {
  return {
    ...common,
    oid: kind.oid,
    name: kind.name,
    length: kind.length,
    input: kind.parse,
    receive: (bytes) => {
      const value = kind.make(readFloats(bytes, kind.floats, false));
      kind.check?.(value);
      return value;
    },
    send: (value) => floatBytes(floatsOf(value as Shape), false),
    encode: (value) => floatBytes(floatsOf(value as Shape), true),
    decode: (bytes) => kind.make(readFloats(bytes, kind.floats, true)),
  };
}

const MAX_POINTS = 0x7ffffff;

function readPoints(reader: WireReader, type: string): Point[] {
  const count = reader.int32();
  if (count <= 0 || count >= MAX_POINTS) {
    throw badBinary(`invalid number of points in external "${type}" value`);
  }
  return pointsFrom(readFloats(reader.take(reader.left), count * 2, false));
}

const pathSupport: TypeSupport = {
  ...common,
  oid: OID.PATH,
  name: 'path',
  length: -1,
  input: parsePath,
  receive: (bytes) => {
    const reader = new WireReader(bytes);
    const isClosed = reader.take(1)[0] !== 0;
    return new Path(readPoints(reader, 'path'), isClosed);
  },
  send: (value) => {
    const { points, isClosed } = value as Path;
    return concatBytes([
      Uint8Array.of(isClosed ? 1 : 0),
      int32Bytes(points.length),
      floatBytes(floatsOf(value as Path), false),
    ]);
  },
  encode: (value) =>
    concatBytes([Uint8Array.of((value as Path).isClosed ? 1 : 0), floatBytes(floatsOf(value as Path), true)]),
  decode: (bytes) => new Path(storedPoints(bytes.subarray(1)), bytes[0] === 1),
};

const storedPoints = (bytes: Uint8Array): Point[] =>
  pointsFrom(readFloats(bytes, Math.floor(bytes.length / 8), true));

const polygonSupport: TypeSupport = {
  ...common,
  oid: OID.POLYGON,
  name: 'polygon',
  length: -1,
  input: parsePolygon,
  receive: (bytes) => new Polygon(readPoints(new WireReader(bytes), 'polygon')),
  send: (value) =>
    concatBytes([
      int32Bytes((value as Polygon).points.length),
      floatBytes(floatsOf(value as Polygon), false),
    ]),
  encode: (value) => floatBytes(floatsOf(value as Polygon), true),
  decode: (bytes) => new Polygon(storedPoints(bytes)),
};

export function geometrySupports(): TypeSupport[] {
  return [...fixedShapes.map(fixedSupport), pathSupport, polygonSupport];
}

/** Parts of the shapes that subscripts reach, counted from 0: coordinates of point and line, corners of lseg and box. */
export function shapeParts(value: Datum): readonly (number | Point)[] {
  if (value instanceof Segment) return [value.start, value.end];
  if (value instanceof Box) return [value.high, value.low];
  return floatsOf(value as Point | Line);
}

/** The shape with one part replaced, unchanged for NULL; 2202E when it has no such part. */
export function withShapePart(value: Datum, index: number, part: Datum): Datum {
  if (part === null) return value;
  const parts = [...shapeParts(value)];
  if (index < 0 || index >= parts.length) {
    throw new DbError('array_subscript_error', 'array subscript out of range');
  }
  parts[index] = part as number | Point;
  if (value instanceof Segment) return new Segment(parts[0] as Point, parts[1] as Point);
  if (value instanceof Box) return new Box(parts[0] as Point, parts[1] as Point);
  if (value instanceof Line) return new Line(...(parts as [number, number, number]));
  return new Point(...(parts as [number, number]));
}

/** Types whose values are subscripted as arrays of fixed length. */
export const FIXED_ARRAYS: ReadonlySet<number> = new Set([OID.POINT, OID.LSEG, OID.LINE, OID.BOX]);
