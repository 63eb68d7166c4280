/** What distinguishes the machine code of one pipeline for different morsels: widths, NULLs, how groups are found, which sums are wide. */
import type { FrameInfo } from './layout.ts';
import { type AccumulatorSpec, type Node, nodeKey, type PipelineSpec } from './spec.ts';

export interface ColumnVariant {
  readonly kind: FrameInfo['kind'];
  readonly width: FrameInfo['width'];
  readonly nullable: boolean;
}

export interface Variant {
  readonly columns: readonly ColumnVariant[];
  /** plain: one group. dense: a slot per combination of codes. hash: a table in the work area. */
  readonly mode: 'plain' | 'dense' | 'hash';
  /** Filters (indexes) left for the fused loop: the others ran as kernels. */
  readonly filters: readonly number[];
  /** By accumulator: the sum needs 128 bits. */
  readonly wide: readonly boolean[];
}

/** Offsets in one group's state. In hash mode the keys come first, one 8-byte word each and, if any can be NULL, one for their NULL bits. */
export interface StateLayout {
  readonly keyOffsets: readonly number[];
  /** -1 = no key is ever NULL. */
  readonly nullOffset: number;
  readonly accumulatorOffsets: readonly number[];
  readonly bytes: number;
}

export function stateLayout(spec: PipelineSpec, variant: Variant): StateLayout {
  const keyOffsets: number[] = [];
  let at = 0;
  let nullOffset = -1;
  const hasNullKeys = spec.groups.some((group) => isNullable(group, variant.columns));
  if (variant.mode === 'hash') {
    for (let index = 0; index < spec.groups.length; index++) {
      keyOffsets.push(at);
      at += 8;
    }
    if (hasNullKeys) {
      nullOffset = at;
      at += 8;
    }
  }
  const accumulatorOffsets: number[] = [];
  spec.accumulators.forEach((_, index) => {
    const same = sameCount(spec, variant, index);
    if (same >= 0) {
      accumulatorOffsets.push(accumulatorOffsets[same]!);
      return;
    }
    accumulatorOffsets.push(at);
    at += variant.wide[index] ? 16 : 8;
  });
  return { keyOffsets, nullOffset, accumulatorOffsets, bytes: at };
}

/** An earlier accumulator that counts the same rows: count(x) of an x that is never NULL is count(*). -1 = none. */
export function sameCount(spec: PipelineSpec, variant: Variant, index: number): number {
  const { op, arg, filter } = spec.accumulators[index]!;
  if (op !== 'count' || arg === null || isNullable(arg, variant.columns)) return -1;
  const text = nodeKey(filter);
  return spec.accumulators.findIndex(
    (other, at) => at < index && other.op === 'count' && other.arg === null && nodeKey(other.filter) === text,
  );
}

/** Value of a fresh accumulator as 64 bits. Minimum and maximum start at the far end of the order; NaN is the greatest double. */
export function initialBits(accumulator: AccumulatorSpec): bigint {
  if (accumulator.op === 'count' || accumulator.op === 'sum') return 0n;
  // No string yet: no reference is 0.
  if (accumulator.arg?.type.kind === 'string') return 0n;
  const isFloat = accumulator.arg?.type.kind === 'float';
  if (accumulator.op === 'min') return isFloat ? 0x7ff8000000000000n : (1n << 63n) - 1n;
  return isFloat ? BigInt.asIntN(64, 0xfff0000000000000n) : -(1n << 63n);
}

/** Whether a field of a tuple can be NULL. */
export type FieldNullable = (table: number, field: number) => boolean;
const ALWAYS: FieldNullable = () => true;

/** True if the node can be NULL, given which columns can. */
export function isNullable(
  node: Node,
  columns: readonly { nullable: boolean }[],
  fields: FieldNullable = ALWAYS,
): boolean {
  switch (node.op) {
    case 'field':
      return fields(node.table, node.field);
    case 'number':
      return false;
    case 'stringRef':
      return columns[node.column]!.nullable;
    case 'call':
      return node.args.some((arg) => isNullable(arg, columns, fields));
    case 'stringEqual':
    case 'stringCompare':
      return isNullable(node.left, columns, fields) || isNullable(node.right, columns, fields);
    case 'substring':
    case 'like':
    case 'trimEnd':
    case 'datePart':
    case 'stringLength':
    case 'floorDiv':
    case 'floorMod':
      return isNullable(node.arg, columns, fields);
    case 'compareAverage':
      return [node.left, node.sum].some((part) => isNullable(part, columns, fields));
    case 'column':
      return columns[node.column]!.nullable;
    case 'param':
    case 'isNull':
      return false;
    case 'stringTest':
      return true;
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'mod':
    case 'compare':
      return isNullable(node.left, columns, fields) || isNullable(node.right, columns, fields);
    case 'neg':
    case 'scale':
    case 'toFloat':
    case 'not':
      return isNullable(node.arg, columns, fields);
    case 'and':
    case 'or':
      return node.args.some((arg) => isNullable(arg, columns, fields));
    case 'coalesce':
      return node.args.every((arg) => isNullable(arg, columns, fields));
    case 'case':
      return (
        node.otherwise === null ||
        isNullable(node.otherwise, columns, fields) ||
        node.branches.some((branch) => isNullable(branch.result, columns, fields))
      );
  }
}
