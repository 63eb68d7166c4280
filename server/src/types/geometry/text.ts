/**
 * Text forms of the geometric types. The reader accepts every spelling of PostgreSQL: with or without the outer parentheses,
 * brackets for open paths, braces for lines, angle brackets for circles.
 */
import { DbError } from '../../base/error.ts';
import { formatFloat8, invalidSyntax, parseFloat8 } from '../scalars.ts';
import { pointsEqual, segmentSlope, slopeLine } from './arithmetic.ts';
import { Box, Circle, Line, makeBox, Path, Point, Polygon, Segment } from './shapes.ts';

const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);
const NUMBER = /[ \t\n\v\f\r]*([+-]?(?:inf(?:inity)?|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?))[ \t\n\v\f\r]*/iy;

class Reader {
  readonly text: string;
  private readonly type: string;
  at = 0;

  constructor(text: string, type: string) {
    this.text = text;
    this.type = type;
  }

  fail(): DbError {
    return invalidSyntax(this.type, this.text);
  }
  get next(): string {
    return this.text[this.at] ?? '';
  }
  take(character: string): boolean {
    if (this.next !== character) return false;
    this.at++;
    return true;
  }
  skipSpace(): void {
    while (isSpace(this.text.charCodeAt(this.at))) this.at++;
  }
  end(): void {
    if (this.at < this.text.length) throw this.fail();
  }

  number(): number {
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.text);
    if (found === null) throw this.fail();
    this.at = NUMBER.lastIndex;
    try {
      return parseFloat8(found[1]!);
    } catch (error) {
      if (error instanceof DbError && error.code === '22003') {
        throw new DbError(
          'numeric_value_out_of_range',
          `"${found[1]!}" is out of range for type double precision`,
        );
      }
      throw error;
    }
  }

  pair(): Point {
    this.skipSpace();
    const isDelimited = this.take('(');
    const x = this.number();
    if (!this.take(',')) throw this.fail();
    const y = this.number();
    if (isDelimited) {
      if (!this.take(')')) throw this.fail();
      this.skipSpace();
    }
    return new Point(x, y);
  }

  /** True when the character at `position` is the last opening parenthesis of the text. */
  isLastParenthesis(position: number): boolean {
    return this.text.lastIndexOf('(') === position;
  }

  /** A list of points with optional delimiters around it. */
  list(count: number, mayBeOpen: boolean): { points: Point[]; isOpen: boolean } {
    let depth = 0;
    this.skipSpace();
    const isOpen = this.next === '[';
    if (isOpen) {
      if (!mayBeOpen) throw this.fail();
      depth++;
      this.at++;
    } else if (this.next === '(') {
      let inner = this.at + 1;
      while (isSpace(this.text.charCodeAt(inner))) inner++;
      if (this.text[inner] === '(' || this.isLastParenthesis(this.at)) {
        depth++;
        this.at = inner;
      }
    }
    const points: Point[] = [];
    for (let index = 0; index < count; index++) {
      points.push(this.pair());
      this.take(',');
    }
    while (depth > 0) {
      if (!this.take(')') && !(isOpen && depth === 1 && this.take(']'))) throw this.fail();
      depth--;
      this.skipSpace();
    }
    return { points, isOpen };
  }

  /** How many pairs the commas of the text make; 22P02 when they make none. */
  pairCount(): number {
    let commas = 0;
    for (let at = this.text.indexOf(','); at >= 0; at = this.text.indexOf(',', at + 1)) commas++;
    if (commas % 2 === 0) throw this.fail();
    return (commas + 1) / 2;
  }
}

export function parsePoint(text: string): Point {
  const reader = new Reader(text, 'point');
  const point = reader.pair();
  reader.end();
  return point;
}

export function parseSegment(text: string): Segment {
  const reader = new Reader(text, 'lseg');
  const { points } = reader.list(2, true);
  reader.end();
  return new Segment(points[0]!, points[1]!);
}

export function parseBox(text: string): Box {
  const reader = new Reader(text, 'box');
  const { points } = reader.list(2, false);
  reader.end();
  return makeBox(points[0]!, points[1]!);
}

export function parseLine(text: string): Line {
  const reader = new Reader(text, 'line');
  reader.skipSpace();
  if (reader.take('{')) {
    const a = reader.number();
    if (!reader.take(',')) throw reader.fail();
    const b = reader.number();
    if (!reader.take(',')) throw reader.fail();
    const c = reader.number();
    if (!reader.take('}')) throw reader.fail();
    reader.skipSpace();
    reader.end();
    if (Math.abs(a) <= 1e-6 && Math.abs(b) <= 1e-6) {
      throw new DbError(
        'invalid_text_representation',
        'invalid line specification: A and B cannot both be zero',
      );
    }
    return new Line(a, b, c);
  }
  const { points } = reader.list(2, true);
  reader.end();
  if (pointsEqual(points[0]!, points[1]!)) {
    throw new DbError(
      'invalid_text_representation',
      'invalid line specification: must be two distinct points',
    );
  }
  return slopeLine(points[0]!, segmentSlope(new Segment(points[0]!, points[1]!)));
}

export function parsePath(text: string): Path {
  const reader = new Reader(text, 'path');
  const count = reader.pairCount();
  reader.skipSpace();
  let isWrapped = false;
  if (reader.next === '(' && reader.isLastParenthesis(reader.at)) {
    isWrapped = true;
    reader.at++;
  }
  const { points, isOpen } = reader.list(count, true);
  if (isWrapped) {
    if (!reader.take(')')) throw reader.fail();
    reader.skipSpace();
  }
  reader.end();
  return new Path(points, !isOpen);
}

export function parsePolygon(text: string): Polygon {
  const reader = new Reader(text, 'polygon');
  const { points } = reader.list(reader.pairCount(), false);
  reader.end();
  return new Polygon(points);
}

export function parseCircle(text: string): Circle {
  const reader = new Reader(text, 'circle');
  let depth = 0;
  reader.skipSpace();
  if (reader.take('<')) depth++;
  else if (reader.next === '(') {
    let inner = reader.at + 1;
    while (isSpace(text.charCodeAt(inner))) inner++;
    if (text[inner] === '(') {
      depth++;
      reader.at = inner;
    }
  }
  const center = reader.pair();
  reader.take(',');
  const radius = reader.number();
  if (radius < 0) throw reader.fail();
  while (depth > 0) {
    if (!reader.take(')') && !(depth === 1 && reader.take('>'))) throw reader.fail();
    depth--;
    reader.skipSpace();
  }
  reader.end();
  return new Circle(center, radius);
}

function pointText(point: Point, digits: number): string {
  return `(${formatFloat8(point.x, digits)},${formatFloat8(point.y, digits)})`;
}

function listText(points: readonly Point[], digits: number): string {
  return points.map((point) => pointText(point, digits)).join(',');
}

/** Text of any shape; `digits` is extra_float_digits. */
export function formatShape(
  value: Point | Segment | Line | Box | Path | Polygon | Circle,
  digits: number,
): string {
  if (value instanceof Point) return pointText(value, digits);
  if (value instanceof Segment) return `[${listText([value.start, value.end], digits)}]`;
  if (value instanceof Box) return listText([value.high, value.low], digits);
  if (value instanceof Polygon) return `(${listText(value.points, digits)})`;
  if (value instanceof Circle) {
    return `<${pointText(value.center, digits)},${formatFloat8(value.radius, digits)}>`;
  }
  if (value instanceof Line) {
    return `{${[value.a, value.b, value.c].map((part) => formatFloat8(part, digits)).join(',')}}`;
  }
  const list = listText(value.points, digits);
  return value.isClosed ? `(${list})` : `[${list}]`;
}
