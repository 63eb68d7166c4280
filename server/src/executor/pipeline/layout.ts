/**
 * Where things are in shared memory.
 *
 * A frame is one column of one run of rows (a segment or a batch of the delta), kept narrow: value = base + code, the code 0, 1, 2, 4 or 8 bytes
 * wide (0: every row has the value `base`), or a float, or a code into the frame's dictionary. NULLs have a bitmap beside, 1 = present.
 *
 * Each worker owns one work area:
 *   0      parameters of the running morsel (see PARAM)
 *   4096   bitmap of rows that pass, 65,536 bits
 *   12288  dictionary remaps, string tests, group table, group states: placed by the worker
 */

/** Widths of frame codes. */
export type FrameWidth = 0 | 1 | 2 | 4 | 8;

/** Plain data about one frame; the bytes are in shared memory. */
export interface FrameInfo {
  readonly id: number;
  /** `text`: a reference (length and address) a row, the bytes beside. `coded`: a dictionary whose entries have references at `references`. */
  readonly kind: 'integer' | 'float32' | 'float64' | 'dictionary' | 'text' | 'coded';
  readonly rowCount: number;
  readonly width: FrameWidth;
  /** Byte address of the codes; 8-byte aligned. */
  readonly address: number;
  /** Byte address of the validity bitmap, 0 = no NULL. */
  readonly validity: number;
  /** Exact bounds of the values (integers); 0 for others and where every row is NULL. */
  readonly low: bigint;
  readonly high: bigint;
  /** Entries by code, for dictionaries. */
  readonly dictionary: readonly Uint8Array[] | null;
  /** `coded`: address of the entries' references, 8 bytes each. */
  readonly references?: number;
  /** Strings: every byte is a character. */
  readonly isAscii?: boolean;
}

export const MORSEL_ROWS = 65_536;
/** Words of 64 rows handed to one call of compiled code: 2,048 rows, so that V8 swaps in optimised code between calls. */
export const CALL_WORDS = 32;

export const WORK_AREA_BYTES = 8 << 20;
export const PARAM_OFFSET = 0;
export const BITMAP_OFFSET = 4096;
export const DYNAMIC_OFFSET = BITMAP_OFFSET + MORSEL_ROWS / 8;

/** Most columns, params, groups and accumulators of one pipeline: so that all parameters fit their page. */
export const LIMITS = { columns: 48, params: 96, groups: 16, accumulators: 64, stringTests: 32 } as const;

/** Byte offsets in the parameter page. */
export const PARAM = {
  /** Per column 16 bytes: address of the codes (i32), address of the validity bitmap (i32), base (i64). */
  column: (index: number) => index * 16,
  /** Eight bytes each. */
  constant: (index: number) => 48 * 16 + index * 8,
  /** Per group 16 bytes: low value (i64), code of NULL (i32), stride in bytes (i32). In hash mode the first i32 is the address of the remap. */
  group: (index: number) => 48 * 16 + 96 * 8 + index * 16,
  /** Address of the table of a string test (i32). */
  stringTest: (index: number) => 48 * 16 + 96 * 8 + 16 * 16 + index * 4,
  /** Address of the group states (i32). */
  states: 48 * 16 + 96 * 8 + 16 * 16 + 32 * 4,
  /** Hash mode: address of the table (i32), its mask (i32), number of groups so far (i32). */
  table: 48 * 16 + 96 * 8 + 16 * 16 + 32 * 4 + 4,
  mask: 48 * 16 + 96 * 8 + 16 * 16 + 32 * 4 + 8,
  groupCount: 48 * 16 + 96 * 8 + 16 * 16 + 32 * 4 + 12,
  /** Address of the bitmap of rows that pass (i32). */
  bitmap: 48 * 16 + 96 * 8 + 16 * 16 + 32 * 4 + 16,
} as const;
