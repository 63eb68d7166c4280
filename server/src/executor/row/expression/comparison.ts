/** Short cuts for comparisons whose operands are plain JavaScript values: no call into the function library. */
import type { FunctionExpr, OperatorExpr } from '../../../sql/tree.ts';
import type { Datum } from '../../../types/datum.ts';
import type { Evaluate, ExpressionCompiler, Test } from './compile.ts';

type Comparison = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';
/** number: integers held as numbers; bigint: 64-bit values; mixed: one of each; string: equality only. */
type ValueClass = 'number' | 'bigint' | 'mixed' | 'string';

const PREFIXES: readonly (readonly [string, ValueClass])[] = [
  ['int4', 'number'],
  ['int2', 'number'],
  ['int24', 'number'],
  ['int42', 'number'],
  ['oid', 'number'],
  ['date_', 'number'],
  ['time_', 'number'],
  ['int8', 'bigint'],
  ['timestamp_', 'bigint'],
  ['int48', 'mixed'],
  ['int84', 'mixed'],
  ['int28', 'mixed'],
  ['int82', 'mixed'],
];

const CLASSES = new Map<string, { value: ValueClass; op: Comparison }>();
for (const [prefix, value] of PREFIXES) {
  for (const op of ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const) CLASSES.set(prefix + op, { value, op });
}
for (const prefix of ['text', 'name']) {
  for (const op of ['eq', 'ne'] as const) CLASSES.set(prefix + op, { value: 'string', op });
}

/** The comparison as a condition, specialised by operand shape; null when the function is none of the known ones. */
export function comparisonTest(compiler: ExpressionCompiler, expr: FunctionExpr | OperatorExpr): Test | null {
  const resolved = compiler.resolver.scalar(expr.functionOid, {
    argumentTypes: expr.args.map((arg) => arg.typeOid),
    resultType: expr.typeOid,
    variadic: false,
    collation: 0,
  });
  const known = CLASSES.get(resolved.source);
  if (known === undefined) return null;
  const [leftExpr, rightExpr] = expr.args;
  const left = compiler.node(leftExpr!);
  const right = compiler.node(rightExpr!);
  if (left.constant && right.constant) return null;
  const slot = slotOf(leftExpr!);
  if (slot >= 0 && right.constant) {
    if (right.value === null) return () => false;
    if (known.value === 'number') return numberSlotConstant(known.op, slot, right.value as number);
    if (known.value === 'bigint') return bigintSlotConstant(known.op, slot, right.value as bigint);
    if (known.value === 'string') return stringSlotConstant(known.op, slot, right.value as string);
  }
  const rightSlot = slotOf(rightExpr!);
  if (slot >= 0 && rightSlot >= 0 && known.value === 'number') return numberSlots(known.op, slot, rightSlot);
  const value = comparisonValue(resolved.source, left.run, right.run, leftExpr!.typeOid)!;
  return (frame) => value(frame) === true;
}

function slotOf(expr: { kind: string }): number {
  return expr.kind === 'slot' ? (expr as unknown as { slot: number }).slot : -1;
}

function numberSlotConstant(op: Comparison, slot: number, value: number): Test {
  switch (op) {
    case 'eq':
      return (frame) => frame[slot] === value;
    case 'ne':
      return (frame) => frame[slot] !== value && frame[slot] !== null;
    case 'lt':
      return (frame) => frame[slot] !== null && (frame[slot] as number) < value;
    case 'le':
      return (frame) => frame[slot] !== null && (frame[slot] as number) <= value;
    case 'gt':
      return (frame) => frame[slot] !== null && (frame[slot] as number) > value;
    case 'ge':
      return (frame) => frame[slot] !== null && (frame[slot] as number) >= value;
  }
}

function bigintSlotConstant(op: Comparison, slot: number, value: bigint): Test {
  switch (op) {
    case 'eq':
      return (frame) => frame[slot] === value;
    case 'ne':
      return (frame) => frame[slot] !== value && frame[slot] !== null;
    case 'lt':
      return (frame) => frame[slot] !== null && (frame[slot] as bigint) < value;
    case 'le':
      return (frame) => frame[slot] !== null && (frame[slot] as bigint) <= value;
    case 'gt':
      return (frame) => frame[slot] !== null && (frame[slot] as bigint) > value;
    case 'ge':
      return (frame) => frame[slot] !== null && (frame[slot] as bigint) >= value;
  }
}

function stringSlotConstant(op: Comparison, slot: number, value: string): Test {
  if (op === 'eq') return (frame) => frame[slot] === value;
  return (frame) => frame[slot] !== value && frame[slot] !== null;
}

function numberSlots(op: Comparison, left: number, right: number): Test {
  switch (op) {
    case 'eq':
      return (frame) => frame[left] === frame[right] && frame[left] !== null;
    case 'ne':
      return (frame) => frame[left] !== frame[right] && frame[left] !== null && frame[right] !== null;
    case 'lt':
      return (frame) =>
        frame[left] !== null && frame[right] !== null && (frame[left] as number) < (frame[right] as number);
    case 'le':
      return (frame) =>
        frame[left] !== null && frame[right] !== null && (frame[left] as number) <= (frame[right] as number);
    case 'gt':
      return (frame) =>
        frame[left] !== null && frame[right] !== null && (frame[left] as number) > (frame[right] as number);
    case 'ge':
      return (frame) =>
        frame[left] !== null && frame[right] !== null && (frame[left] as number) >= (frame[right] as number);
  }
}

type Ordered = number;

/** The comparison as a value; null when `source` is not a known one. */
export function comparisonValue(
  source: string,
  left: Evaluate,
  right: Evaluate,
  _typeOid: number,
): Evaluate | null {
  const known = CLASSES.get(source);
  if (known === undefined) return null;
  if (known.value === 'mixed') {
    // Numbers and bigints are ordered by value in JavaScript, but never strictly equal.
    const compare = (frame: Datum[]): number | null => {
      const a = left(frame);
      if (a === null) return null;
      const b = right(frame);
      if (b === null) return null;
      return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
    };
    return ordered(known.op, compare);
  }
  switch (known.op) {
    case 'eq':
      return (frame) => {
        const a = left(frame);
        if (a === null) return null;
        const b = right(frame);
        return b === null ? null : a === b;
      };
    case 'ne':
      return (frame) => {
        const a = left(frame);
        if (a === null) return null;
        const b = right(frame);
        return b === null ? null : a !== b;
      };
    case 'lt':
      return (frame) => {
        const a = left(frame);
        if (a === null) return null;
        const b = right(frame);
        return b === null ? null : (a as Ordered) < (b as Ordered);
      };
    case 'le':
      return (frame) => {
        const a = left(frame);
        if (a === null) return null;
        const b = right(frame);
        return b === null ? null : (a as Ordered) <= (b as Ordered);
      };
    case 'gt':
      return (frame) => {
        const a = left(frame);
        if (a === null) return null;
        const b = right(frame);
        return b === null ? null : (a as Ordered) > (b as Ordered);
      };
    case 'ge':
      return (frame) => {
        const a = left(frame);
        if (a === null) return null;
        const b = right(frame);
        return b === null ? null : (a as Ordered) >= (b as Ordered);
      };
  }
}

function ordered(op: Comparison, compare: (frame: Datum[]) => number | null): Evaluate {
  const accepts = {
    eq: (order: number) => order === 0,
    ne: (order: number) => order !== 0,
    lt: (order: number) => order < 0,
    le: (order: number) => order <= 0,
    gt: (order: number) => order > 0,
    ge: (order: number) => order >= 0,
  }[op];
  return (frame) => {
    const order = compare(frame);
    return order === null ? null : accepts(order);
  };
}

const INTEGER_TYPES = new Set([20, 21, 23, 26]);

/** Order across two integer types, or null for others. */
export function looseComparison(
  leftType: number,
  rightType: number,
): ((left: Datum, right: Datum) => number) | null {
  if (!INTEGER_TYPES.has(leftType) || !INTEGER_TYPES.has(rightType)) return null;
  return (left, right) =>
    (left as number) < (right as number) ? -1 : (left as number) > (right as number) ? 1 : 0;
}
