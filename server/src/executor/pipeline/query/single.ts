/** An aggregate without keys: the workers' one tuple each become one. */
import type { StoreSpec } from './ir.ts';
import { DEAD, isWideField, TUPLE_NEXT, tupleLayout } from './layout.ts';

/** Adds all tuples to the first and marks the others dead. */
export function combineSingles(
  spec: StoreSpec,
  memory: WebAssembly.Memory,
  tuples: readonly number[],
  wide: readonly boolean[],
): void {
  const view = new DataView(memory.buffer);
  const { offsets } = tupleLayout(spec);
  const [into, ...others] = tuples;
  if (into === undefined) return;
  for (const from of others) {
    spec.fields.forEach((field, index) => {
      const { op, arg } = spec.accumulators[field.accumulator]!;
      const left = into + offsets[index]!;
      const right = from + offsets[index]!;
      if (arg?.type.kind === 'float' && op !== 'count') {
        const one = view.getFloat64(left, true);
        const other = view.getFloat64(right, true);
        view.setFloat64(left, op === 'sum' ? one + other : better(op, one, other), true);
        return;
      }
      if (arg?.type.kind === 'string' && op !== 'count') {
        if (isFurther(op, view, right, left)) view.setBigInt64(left, view.getBigInt64(right, true), true);
        return;
      }
      const one = view.getBigInt64(left, true);
      const other = view.getBigInt64(right, true);
      if (op === 'min' || op === 'max') {
        view.setBigInt64(left, (op === 'min') === one < other ? one : other, true);
        return;
      }
      if (!isWideField(spec, field) || wide[index] !== true) {
        view.setBigInt64(left, one + other, true);
        return;
      }
      const sum =
        ((view.getBigInt64(left + 8, true) + view.getBigInt64(right + 8, true)) << 64n) +
        BigInt.asUintN(64, one) +
        BigInt.asUintN(64, other);
      view.setBigInt64(left, BigInt.asIntN(64, sum), true);
      view.setBigInt64(left + 8, BigInt.asIntN(64, sum >> 64n), true);
    });
    view.setUint32(from + TUPLE_NEXT, DEAD, true);
  }
}

const LENGTH_MASK = 0x3fffffff;

/** Whether the string at `one` comes before (min) or after (max) that at `other`; 0 = there is none. */
function isFurther(op: 'min' | 'max' | 'sum', view: DataView, one: number, other: number): boolean {
  if (view.getBigInt64(one, true) === 0n) return false;
  if (view.getBigInt64(other, true) === 0n) return true;
  const bytes = (at: number): Buffer =>
    Buffer.from(
      view.buffer as ArrayBuffer,
      view.getUint32(at, true),
      view.getUint32(at + 4, true) & LENGTH_MASK,
    );
  const order = Buffer.compare(bytes(one), bytes(other));
  return op === 'min' ? order < 0 : order > 0;
}

/** PostgreSQL's order of doubles: NaN is greatest. */
function better(op: 'min' | 'max', left: number, right: number): number {
  const isLess = left < right || (Number.isNaN(right) && !Number.isNaN(left));
  return isLess === (op === 'min') ? left : right;
}
