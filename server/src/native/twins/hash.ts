/** Twins of the hash kernels. */
import { internalError } from '../../base/error.ts';
import { halves, signed, unsigned } from './views.ts';

/** MurmurHash3's finaliser. */
export function mix32(value: number): number {
  let h = value;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** See {@link Kernels.hashFixed}. */
export function hashFixed(
  values: Uint8Array,
  width: number,
  count: number,
  seed: number,
  target: Uint8Array,
): void {
  const out = unsigned(target, 4, count) as Uint32Array;
  if (width === 8) {
    const words = halves(values, count);
    for (let index = 0; index < count; index++)
      out[index] = mix32(words[2 * index]! ^ mix32(words[2 * index + 1]! ^ seed));
    return;
  }
  const from = signed(values, width, count) as Int32Array;
  for (let index = 0; index < count; index++) {
    const value = from[index]!;
    out[index] = mix32(value ^ mix32((value >> 31) ^ seed));
  }
}

function scramble(word: number): number {
  const k = Math.imul(word, 0xcc9e2d51);
  return Math.imul((k << 15) | (k >>> 17), 0x1b873593);
}

/** See {@link Kernels.hashBytes}. */
export function hashBytes(
  source: Uint8Array,
  offsets: Uint8Array,
  count: number,
  seed: number,
  target: Uint8Array,
): void {
  const out = unsigned(target, 4, count) as Uint32Array;
  const bounds = unsigned(offsets, 4, count + 1) as Uint32Array;
  for (let index = 0; index < count; index++) {
    const start = bounds[index]!;
    const end = bounds[index + 1]!;
    if (end < start || end > source.length) throw internalError(`kernel: offsets ${start} to ${end}`);
    let h = seed;
    let at = start;
    for (; end - at >= 4; at += 4) {
      const word = source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24);
      h ^= scramble(word);
      h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
    }
    if (at < end) {
      let word = 0;
      for (let k = end - 1; k >= at; k--) word = (word << 8) | source[k]!;
      h ^= scramble(word);
    }
    out[index] = mix32(h ^ (end - start));
  }
}
