/** Filters that are a range of one column: they run as kernels over the frame, before the fused loop. */
import type { CompareOperator, Node, ParamValue } from './spec.ts';

const INT64_LOW = -(1n << 63n);
const INT64_HIGH = (1n << 63n) - 1n;

/** Rows with low <= value <= high (or, negated, without); an empty range has low > high. */
export interface IntegerRange {
  readonly kind: 'integer';
  readonly column: number;
  readonly low: bigint;
  readonly high: bigint;
  readonly negate: boolean;
}

/** The same for doubles, with PostgreSQL's order: NaN is greatest. */
export interface FloatRange {
  readonly kind: 'float';
  readonly column: number;
  readonly low: number;
  readonly high: number;
  readonly nanPasses: boolean;
  readonly negate: boolean;
}

export type ColumnRange = IntegerRange | FloatRange;

const MIRROR: Readonly<Record<CompareOperator, CompareOperator>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** The range that a comparison of a column (times a positive constant) with a parameter is; null when the node is something else. */
export function rangeOf(node: Node, params: readonly ParamValue[]): ColumnRange | null {
  if (node.op !== 'compare') return null;
  if (node.left.op === 'param') return oriented(node.right, MIRROR[node.operator], node.left, params);
  return oriented(node.left, node.operator, node.right, params);
}

function oriented(
  side: Node,
  operator: CompareOperator,
  constant: Node,
  params: readonly ParamValue[],
): ColumnRange | null {
  const scaled = scaledParam(constant, params);
  if (scaled === null) return null;
  let factor = 1n;
  let column = side;
  while (column.op === 'scale') {
    factor *= column.factor;
    column = column.arg;
  }
  if (column.op !== 'column') return null;
  if (typeof scaled === 'number') return floatRange(column.column, operator, scaled);
  if (column.type.kind === 'float' || column.type.kind === 'string') return null;
  return integerRange(column.column, operator, scaled, factor);
}

function scaledParam(node: Node, params: readonly ParamValue[]): ParamValue | null {
  if (node.op === 'param') return params[node.param]!;
  if (node.op !== 'scale') return null;
  const inner = scaledParam(node.arg, params);
  return typeof inner === 'bigint' ? inner * node.factor : null;
}

function floorDivide(value: bigint, factor: bigint): bigint {
  const quotient = value / factor;
  return value < 0n && quotient * factor !== value ? quotient - 1n : quotient;
}

/** column * factor (operator) bound, solved for the column. */
function integerRange(
  column: number,
  operator: CompareOperator,
  bound: bigint,
  factor: bigint,
): IntegerRange {
  const floor = floorDivide(bound, factor);
  const isExact = floor * factor === bound;
  const range = (low: bigint, high: bigint, negate = false): IntegerRange => ({
    kind: 'integer',
    column,
    low,
    high,
    negate,
  });
  const nothing = range(1n, 0n);
  switch (operator) {
    case '=':
      return isExact ? range(floor, floor) : nothing;
    case '<>':
      return isExact ? range(floor, floor, true) : range(INT64_LOW, INT64_HIGH);
    case '<':
      return range(INT64_LOW, isExact ? floor - 1n : floor);
    case '<=':
      return range(INT64_LOW, floor);
    case '>':
      return range(floor + 1n, INT64_HIGH);
    case '>=':
      return range(isExact ? floor : floor + 1n, INT64_HIGH);
  }
}

const bits = new DataView(new ArrayBuffer(8));

/** The neighbouring double; `value` is finite. */
function nextAfter(value: number, up: boolean): number {
  if (value === 0) return up ? Number.MIN_VALUE : -Number.MIN_VALUE;
  bits.setFloat64(0, value);
  bits.setBigInt64(0, bits.getBigInt64(0) + (value > 0 === up ? 1n : -1n));
  return bits.getFloat64(0);
}

function floatRange(column: number, operator: CompareOperator, bound: number): FloatRange | null {
  // Comparisons with NaN and infinities are left to the fused loop.
  if (!Number.isFinite(bound)) return null;
  const range = (low: number, high: number, nanPasses: boolean, negate = false): FloatRange => ({
    kind: 'float',
    column,
    low,
    high,
    nanPasses,
    negate,
  });
  switch (operator) {
    case '=':
      return range(bound, bound, false);
    case '<>':
      return range(bound, bound, false, true);
    case '<':
      return range(-Infinity, nextAfter(bound, false), false);
    case '<=':
      return range(-Infinity, bound, false);
    case '>':
      return range(nextAfter(bound, true), Infinity, true);
    case '>=':
      return range(bound, Infinity, true);
  }
}

/** Intersection of two integer ranges of one column, where neither is negated. */
export function intersect(left: IntegerRange, right: IntegerRange): IntegerRange {
  return {
    ...left,
    low: left.low > right.low ? left.low : right.low,
    high: left.high < right.high ? left.high : right.high,
  };
}
