/** Twins of the filter kernels. One loop per width, eight rows a byte. */
import { checkBitmap, checkRoom, halves } from './views.ts';

/** Writes one byte of the bitmap for each eight rows; `pass` answers 1 or 0. */
function writeRows(
  count: number,
  target: Uint8Array,
  intersect: boolean,
  pass: (row: number) => number,
): void {
  checkBitmap(target, count);
  for (let at = 0; at < count; at += 8) {
    const end = Math.min(8, count - at);
    let bits = 0;
    for (let k = 0; k < end; k++) bits |= pass(at + k) << k;
    const index = at >>> 3;
    target[index] = intersect ? target[index]! & bits : bits;
  }
}

function rangeNarrow(
  values: Uint8Array | Uint16Array | Uint32Array,
  count: number,
  low: number,
  span: number,
  flip: number,
  target: Uint8Array,
  intersect: boolean,
): void {
  // Bitmap bytes in two steps: whole groups without a test of the end, then the rest.
  const whole = count & ~7;
  // A shift instead of a mask: unsigned 32-bit numbers stay unsigned.
  const unused = 32 - 8 * values.BYTES_PER_ELEMENT;
  const wrap = (x: number) => (((x - low) << unused) >>> unused) >>> 0;
  for (let at = 0; at < whole; at += 8) {
    let bits = 0;
    for (let k = 0; k < 8; k++) bits |= (wrap(values[at + k]!) <= span ? 1 : 0) << k;
    bits ^= flip;
    const index = at >>> 3;
    target[index] = intersect ? target[index]! & bits : bits;
  }
  if (whole === count) return;
  let bits = 0;
  for (let k = whole; k < count; k++) bits |= (wrap(values[k]!) <= span ? 1 : 0) << (k - whole);
  bits = (bits ^ flip) & ((1 << (count - whole)) - 1);
  const index = whole >>> 3;
  target[index] = intersect ? target[index]! & bits : bits;
}

/** See {@link Kernels.filterRange}. */
export function filterRange(
  values: Uint8Array,
  width: number,
  count: number,
  low: bigint,
  high: bigint,
  negate: boolean,
  target: Uint8Array,
  intersect: boolean,
): void {
  checkRoom(values, width, count);
  checkBitmap(target, count);
  const flip = negate ? 255 : 0;
  if (width === 8) {
    // By halves: a 64-bit subtraction with borrow, then an unsigned comparison, without a bigint per row.
    const words = halves(values, count);
    const lowWord = Number(BigInt.asUintN(32, low));
    const lowUpper = Number(BigInt.asUintN(32, low >> 32n));
    const span = BigInt.asUintN(64, high - low);
    const spanWord = Number(BigInt.asUintN(32, span));
    const spanUpper = Number(span >> 32n);
    writeRows(count, target, intersect, (row) => {
      const word = words[2 * row]!;
      const difference = (word - lowWord) >>> 0;
      const upper = (words[2 * row + 1]! - lowUpper - (word < lowWord ? 1 : 0)) >>> 0;
      const passes = upper < spanUpper || (upper === spanUpper && difference <= spanWord);
      return passes === negate ? 0 : 1;
    });
    return;
  }
  const bits = 8 * width;
  const from = Number(BigInt.asUintN(bits, low));
  const span = Number(BigInt.asUintN(bits, high - low));
  if (width === 1) rangeNarrow(values, count, from, span, flip, target, intersect);
  else if (width === 2) {
    rangeNarrow(
      new Uint16Array(values.buffer, values.byteOffset, count),
      count,
      from,
      span,
      flip,
      target,
      intersect,
    );
  } else {
    rangeNarrow(
      new Uint32Array(values.buffer, values.byteOffset, count),
      count,
      from,
      span,
      flip,
      target,
      intersect,
    );
  }
}

/** See {@link Kernels.filterRangeF64}. */
export function filterRangeF64(
  values: Uint8Array,
  count: number,
  low: number,
  high: number,
  nanPasses: boolean,
  negate: boolean,
  target: Uint8Array,
  intersect: boolean,
): void {
  checkRoom(values, 8, count);
  const numbers = new Float64Array(values.buffer, values.byteOffset, count);
  writeRows(count, target, intersect, (row) => {
    const x = numbers[row]!;
    const passes = Number.isNaN(x) ? nanPasses : low <= x && x <= high;
    return passes === negate ? 0 : 1;
  });
}

/** See {@link Kernels.filterCodes}. */
export function filterCodes(
  codes: Uint8Array,
  width: number,
  count: number,
  table: Uint8Array,
  target: Uint8Array,
  intersect: boolean,
): void {
  checkRoom(codes, width, count);
  const view = width === 1 ? codes : new Uint16Array(codes.buffer, codes.byteOffset, count);
  // An index past the table reads as undefined: not above 0.
  writeRows(count, target, intersect, (row) => ((table[view[row]!] ?? 0) > 0 ? 1 : 0));
}
