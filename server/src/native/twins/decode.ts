/** Twins of the decoding kernels. */
import { internalError } from '../../base/error.ts';
import { checkRoom, signed, type UnsignedView, unsigned } from './views.ts';

/** See {@link Kernels.unpackBits}. */
export function unpackBits(
  source: Uint8Array,
  bits: number,
  start: number,
  base: bigint,
  target: Uint8Array,
  targetWidth: number,
  count: number,
): void {
  if (bits < 1 || bits > 57) throw internalError(`kernel: codes of ${bits} bits`);
  if ((start + count) * bits > source.length * 8)
    throw internalError(`kernel: ${source.length} bytes for ${start + count} codes of ${bits} bits`);
  const out = unsigned(target, targetWidth, count);
  if (bits <= 25 && !(out instanceof BigUint64Array)) {
    const from = Number(BigInt.asIntN(32, base));
    const mask = 2 ** bits - 1;
    for (let index = 0; index < count; index++) {
      const bit = (start + index) * bits;
      const at = Math.floor(bit / 8);
      // Bytes past the end read as undefined, which `|` takes as 0.
      const word = source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24);
      out[index] = (from + ((word >>> (bit & 7)) & mask)) | 0;
    }
    return;
  }
  const mask = (1n << BigInt(bits)) - 1n;
  for (let index = 0; index < count; index++) {
    const bit = (start + index) * bits;
    const at = Math.floor(bit / 8);
    let word = 0n;
    for (let k = Math.min(7, source.length - 1 - at); k >= 0; k--)
      word = (word << 8n) | BigInt(source[at + k]!);
    store(out, index, base + ((word >> BigInt(bit & 7)) & mask));
  }
}

function store(out: UnsignedView, index: number, value: bigint): void {
  if (out instanceof BigUint64Array) out[index] = value;
  else out[index] = Number(BigInt.asUintN(32, value));
}

/** See {@link Kernels.narrow}. */
export function narrow(
  source: Uint8Array,
  sourceWidth: number,
  base: bigint,
  target: Uint8Array,
  targetWidth: number,
  count: number,
): void {
  const out = unsigned(target, targetWidth, count);
  if (out instanceof BigUint64Array) {
    const values = signed(source, sourceWidth, count);
    for (let index = 0; index < count; index++) out[index] = BigInt(values[index]!) - base;
    return;
  }
  // Below 64 bits only the low halves matter.
  const from = Number(BigInt.asIntN(32, base));
  checkRoom(source, sourceWidth, count);
  if (sourceWidth === 8) {
    const words = new Int32Array(source.buffer, source.byteOffset, count * 2);
    for (let index = 0; index < count; index++) out[index] = words[2 * index]! - from;
    return;
  }
  const values = signed(source, sourceWidth, count) as Int32Array;
  for (let index = 0; index < count; index++) out[index] = values[index]! - from;
}

/** See {@link Kernels.expandRuns}. */
export function expandRuns(
  values: Uint8Array,
  width: number,
  ends: Uint8Array,
  runCount: number,
  target: Uint8Array,
  count: number,
): void {
  const from = unsigned(values, width, runCount);
  const out = unsigned(target, width, count);
  const last = unsigned(ends, 4, runCount) as Uint32Array;
  let row = 0;
  for (let run = 0; run < runCount; run++) {
    const end = last[run]!;
    if (end < row || end > count) throw internalError(`kernel: run ends at ${end} after ${row} of ${count}`);
    (out as Uint8Array).fill(from[run] as number, row, end);
    row = end;
  }
  if (row !== count) throw internalError(`kernel: runs end at ${row}, not ${count}`);
}
