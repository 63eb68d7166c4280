/** Dictionary of the strings of one vector: codes in order of first appearance. */
import type { ColumnVector } from '../../types/vector.ts';

/** Codes (1 or 2 bytes each) and entries; NULLs have code 0. */
export interface Dictionary {
  readonly codes: Uint8Array;
  readonly entries: readonly Uint8Array[];
  readonly width: 1 | 2;
}

/** A method of Buffer that its types leave out. */
interface Latin1Buffer {
  latin1Slice(start: number, end: number): string;
}

/** More entries than this, or nearly all rows distinct, and codes are worth nothing. */
const ENTRIES_MAX = 16_384;
const SAMPLE_ROWS = 4096;

/** Builds it; `vector` is varlen and has at most 65,536 rows. Null when nearly every row has a value of its own. */
export function dictionaryOf(vector: ColumnVector): Dictionary | null {
  const { count } = vector;
  const offsets = vector.offsets!;
  const bytes = vector.bytes!;
  const codes = new Uint16Array(Math.max(count, 1));
  const entries: Uint8Array[] = [];
  // Strings of at most one byte (flags) by table, others by their Latin-1 text, which is one-to-one with bytes.
  const single = new Int32Array(257).fill(-1);
  const others = new Map<string, number>();
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) as unknown as Latin1Buffer;
  for (let row = 0; row < count; row++) {
    if (entries.length > ENTRIES_MAX || (row === SAMPLE_ROWS && entries.length * 2 > SAMPLE_ROWS))
      return null;
    if (vector.validity !== null && ((vector.validity[row >>> 3]! >>> (row & 7)) & 1) === 0) continue;
    const start = offsets[row]!;
    const end = offsets[row + 1]!;
    let code: number;
    if (end - start <= 1) {
      const key = end === start ? 256 : bytes[start]!;
      code = single[key]!;
      if (code < 0) {
        code = entries.push(bytes.slice(start, end)) - 1;
        single[key] = code;
      }
    } else {
      const key = buffer.latin1Slice(start, end);
      const known = others.get(key);
      if (known !== undefined) code = known;
      else {
        code = entries.push(bytes.slice(start, end)) - 1;
        others.set(key, code);
      }
    }
    codes[row] = code;
  }
  if (entries.length === 0) entries.push(new Uint8Array(0));
  if (entries.length > 256) return { codes: new Uint8Array(codes.buffer), entries, width: 2 };
  return { codes: Uint8Array.from(codes), entries, width: 1 };
}
