/**
 * Bit packing: unsigned codes of `width` bits, least significant bit first in little-endian 32-bit words, without gaps.
 *
 * Widths up to 32 are one plane of `packedWords(count, width)` words. Wider codes (33 to 53 here; the format allows 64) are two planes:
 * first the low 32 bits of every code as whole words, then the high `width - 32` bits packed. Every plane ends with one zero word so that
 * a reader may always load the word after the one it needs.
 */
import { assert } from '../../base/error.ts';
import * as middle from './unpack-middle.ts';
import * as narrow from './unpack-narrow.ts';
import * as wide from './unpack-wide.ts';

/** Targets of unpacking; stores wrap to the element's size. */
export type IntegerTarget = Int32Array | Uint32Array | Int16Array | Uint16Array | Uint8Array;

type Kernel = (
  words: Uint32Array,
  at: number,
  groups: number,
  target: IntegerTarget,
  to: number,
  base: number,
) => void;

const kernels: readonly (Kernel | null)[] = [
  null,
  narrow.unpack1,
  narrow.unpack2,
  narrow.unpack3,
  narrow.unpack4,
  narrow.unpack5,
  narrow.unpack6,
  narrow.unpack7,
  narrow.unpack8,
  narrow.unpack9,
  narrow.unpack10,
  narrow.unpack11,
  middle.unpack12,
  middle.unpack13,
  middle.unpack14,
  middle.unpack15,
  middle.unpack16,
  middle.unpack17,
  middle.unpack18,
  middle.unpack19,
  middle.unpack20,
  middle.unpack21,
  wide.unpack22,
  wide.unpack23,
  wide.unpack24,
  wide.unpack25,
  wide.unpack26,
  wide.unpack27,
  wide.unpack28,
  wide.unpack29,
  wide.unpack30,
  wide.unpack31,
];

/** Words of one plane of `count` codes of `width` (0 to 32) bits, with the closing zero word. Width 0 has no plane. */
export function planeWords(count: number, width: number): number {
  return width === 0 ? 0 : Math.ceil((count * width) / 32) + 1;
}

/** Words of `count` codes of `width` (0 to 64) bits. */
export function packedWords(count: number, width: number): number {
  return width <= 32 ? planeWords(count, width) : count + 1 + planeWords(count, width - 32);
}

/** Bits needed for codes 0 to `largest` (below 2^53). */
export function widthOf(largest: number): number {
  if (largest < 4294967296) return 32 - Math.clz32(largest);
  return 64 - Math.clz32(Math.floor(largest / 4294967296));
}

/** Packs codes into `words` from word `at`; the words must be zero. Codes are integers in [0, 2^width), width at most 53. */
export function pack(
  codes: Float64Array | Uint32Array,
  count: number,
  width: number,
  words: Uint32Array,
  at: number,
): void {
  assert(width <= 53, `packing width ${width}`);
  if (width === 0) return;
  if (width <= 32) {
    packPlane(codes, count, width, words, at);
    return;
  }
  for (let index = 0; index < count; index++) words[at + index] = codes[index] % 4294967296;
  const high = new Uint32Array(count);
  for (let index = 0; index < count; index++) high[index] = Math.floor(codes[index] / 4294967296);
  packPlane(high, count, width - 32, words, at + count + 1);
}

function packPlane(
  codes: Float64Array | Uint32Array,
  count: number,
  width: number,
  words: Uint32Array,
  at: number,
): void {
  if (width === 32) {
    for (let index = 0; index < count; index++) words[at + index] = codes[index];
    return;
  }
  let filled = 0;
  let current = 0;
  for (let index = 0; index < count; index++) {
    const code = codes[index] | 0;
    current |= code << filled;
    filled += width;
    if (filled >= 32) {
      words[at++] = current;
      filled -= 32;
      // A shift by 32 would be a shift by 0 in JavaScript: the code ended exactly at the word.
      current = filled === 0 ? 0 : code >>> (width - filled);
    }
  }
  if (filled > 0) words[at] = current;
}

/** One code of a plane of `width` 1 to 32. */
export function unpackOne(words: Uint32Array, width: number, index: number): number {
  const bit = index * width;
  const word = Math.floor(bit / 32);
  const shift = bit & 31;
  const mask = width === 32 ? 0xffffffff : 2 ** width - 1;
  return (((words[word] >>> shift) | ((words[word + 1] << 1) << (31 - shift))) & mask) >>> 0;
}

/**
 * Writes `base + code` (modulo the target's size) of the codes [start, end) to target[to...]. `words` is one plane, width 0 to 32.
 */
export function unpack(
  words: Uint32Array,
  width: number,
  start: number,
  end: number,
  target: IntegerTarget,
  to: number,
  base: number,
): void {
  if (width === 0) {
    target.fill(base, to, to + end - start);
    return;
  }
  if (width === 32) {
    for (let index = start; index < end; index++) target[to++] = (base + words[index]) | 0;
    return;
  }
  const mask = 2 ** width - 1;
  // Up to the next group of 32, whole groups by the kernel, then the rest.
  const head = Math.min(end, (start + 31) & ~31);
  let index = start;
  for (; index < head; index++) {
    const bit = index * width;
    const word = bit >>> 5;
    const shift = bit & 31;
    target[to++] = base + (((words[word] >>> shift) | ((words[word + 1] << 1) << (31 - shift))) & mask);
  }
  const groups = (end - index) >>> 5;
  if (groups > 0) {
    kernels[width]!(words, (index >>> 5) * width, groups, target, to, base);
    to += groups * 32;
    index += groups * 32;
  }
  for (; index < end; index++) {
    const bit = index * width;
    const word = bit >>> 5;
    const shift = bit & 31;
    target[to++] = base + (((words[word] >>> shift) | ((words[word + 1] << 1) << (31 - shift))) & mask);
  }
}
