/** Twins of gather and of the conversions between bitmaps and positions. */
import { internalError } from '../../base/error.ts';
import { checkBitmap, unsigned } from './views.ts';

/** See {@link Kernels.gather}. */
export function gather(
  source: Uint8Array,
  width: number,
  sourceCount: number,
  positions: Uint8Array,
  positionWidth: number,
  target: Uint8Array,
  count: number,
): void {
  const from = unsigned(source, width, sourceCount) as Uint32Array;
  const at = unsigned(positions, positionWidth, count) as Uint32Array;
  const out = unsigned(target, width, count) as Uint32Array;
  for (let index = 0; index < count; index++) {
    const position = at[index]!;
    if (position >= sourceCount) throw internalError(`kernel: position ${position} of ${sourceCount}`);
    out[index] = from[position]!;
  }
}

/** See {@link Kernels.select}. */
export function select(bitmap: Uint8Array, count: number, target: Uint8Array, targetWidth: number): number {
  checkBitmap(bitmap, count);
  const out = unsigned(target, targetWidth, Math.floor(target.length / targetWidth)) as Uint32Array;
  let found = 0;
  const bytes = (count + 7) >>> 3;
  for (let index = 0; index < bytes; index++) {
    let bits = bitmap[index]!;
    if (index === bytes - 1 && (count & 7) !== 0) bits &= (1 << (count & 7)) - 1;
    for (; bits !== 0; bits &= bits - 1) {
      if (found >= out.length) throw internalError(`kernel: more than ${out.length} positions`);
      out[found++] = index * 8 + (31 - Math.clz32(bits & -bits));
    }
  }
  return found;
}

/** See {@link Kernels.countBits}. */
export function countBits(bitmap: Uint8Array, count: number): number {
  checkBitmap(bitmap, count);
  let found = 0;
  const bytes = (count + 7) >>> 3;
  for (let index = 0; index < bytes; index++) {
    let bits = bitmap[index]!;
    if (index === bytes - 1 && (count & 7) !== 0) bits &= (1 << (count & 7)) - 1;
    for (; bits !== 0; bits &= bits - 1) found++;
  }
  return found;
}
