/**
 * The kernels: what the addon and its TypeScript twins both do, bit for bit.
 *
 * Shape   columns are Uint8Array views whose first `count * width` bytes are little-endian values; `width` is 1, 2, 4 or 8. Views must be
 *         aligned to their width (wasm memory and typed arrays are). Views over shared memory are welcome.
 * Bitmap  one bit per row, least significant first, (count + 7) >> 3 bytes; bits past the count are written as zero.
 * Owner   everything is borrowed until return; nothing outside of the stated ranges is read or written.
 * Errors  TypeError when a view is too short or misaligned: a bug of the caller, never a matter of data.
 * Cost    crossing to the addon costs 50 to 150 ns with four views: call per batch of hundreds of values, never per row.
 */
export interface Kernels {
  /** 'avx2', 'sse42' or 'scalar' of the addon; 'typescript' for the twins. */
  instructionSet(): string;

  /**
   * Rows with (x - low) <= (high - low) modulo 2^(8 width), complemented by `negate`: =, <, <=, >, >=, BETWEEN and <> on signed and unsigned
   * integers and on frame-of-reference codes. `intersect` keeps only rows set in `target` before.
   */
  filterRange(
    values: Uint8Array,
    width: number,
    count: number,
    low: bigint,
    high: bigint,
    negate: boolean,
    target: Uint8Array,
    intersect: boolean,
  ): void;
  /** low <= x <= high on doubles; NaN passes when `nanPasses`; complemented by `negate`. */
  filterRangeF64(
    values: Uint8Array,
    count: number,
    low: number,
    high: number,
    nanPasses: boolean,
    negate: boolean,
    target: Uint8Array,
    intersect: boolean,
  ): void;
  /** Rows whose code (width 1 or 2) has a non-zero byte in `table`; codes beyond the table fail. */
  filterCodes(
    codes: Uint8Array,
    width: number,
    count: number,
    table: Uint8Array,
    target: Uint8Array,
    intersect: boolean,
  ): void;

  /** target[i] = base + code[start + i]: codes of 1 to 57 bits, least significant bit first, without gaps. */
  unpackBits(
    source: Uint8Array,
    bits: number,
    start: number,
    base: bigint,
    target: Uint8Array,
    targetWidth: number,
    count: number,
  ): void;
  /** target[i] = source[i] - base, the source taken as signed, the result modulo the target's width. */
  narrow(
    source: Uint8Array,
    sourceWidth: number,
    base: bigint,
    target: Uint8Array,
    targetWidth: number,
    count: number,
  ): void;
  /** Run r fills the rows up to ends[r] (32-bit, ascending, the last is `count`) with values[r]. */
  expandRuns(
    values: Uint8Array,
    width: number,
    ends: Uint8Array,
    runCount: number,
    target: Uint8Array,
    count: number,
  ): void;

  /** CRC-32C of `source`, continuing from the checksum of the bytes before it (0 = none). */
  crc32c(source: Uint8Array, previous: number): number;

  /** 32-bit hash of each value, sign-extended to 64 bits, into 4-byte `target`. */
  hashFixed(values: Uint8Array, width: number, count: number, seed: number, target: Uint8Array): void;
  /** MurmurHash3 (x86, 32 bits) of the bytes [offsets[i], offsets[i + 1]); `offsets` are count + 1 values of 4 bytes. */
  hashBytes(source: Uint8Array, offsets: Uint8Array, count: number, seed: number, target: Uint8Array): void;

  /** target[i] = source[positions[i]]; positions are 2 or 4 bytes wide. */
  gather(
    source: Uint8Array,
    width: number,
    sourceCount: number,
    positions: Uint8Array,
    positionWidth: number,
    target: Uint8Array,
    count: number,
  ): void;

  /** Positions of the set bits into `target` (width 2 or 4, room for those that are set); returns their number. */
  select(bitmap: Uint8Array, count: number, target: Uint8Array, targetWidth: number): number;
  /** Number of set bits among the first `count`. */
  countBits(bitmap: Uint8Array, count: number): number;
  /**
   * Cuts at most `limit` whole lines of delimited text, from byte `start`, each of exactly `fields` fields; returns their number. Stops before a line
   * with a backslash, a carriage return or a zero byte, with another number of fields, or without its newline. Into `ends` (4-byte positions, room for
   * limit * fields + 1): field f of line r is the bytes between ends[r * fields + f] + 1 and ends[r * fields + f + 1]; ends[0] = start - 1 modulo 2^32.
   */
  cutLines(
    source: Uint8Array,
    start: number,
    delimiter: number,
    fields: number,
    limit: number,
    ends: Uint8Array,
  ): number;
  /**
   * Numbers -digits.digits of one field of cut lines as integers scaled by 10^scale, smaller than `limit` (at most 1e15), of at most 15 digits with those
   * the scale adds; a point only when `hasPoint`, at most `scale` decimals. Target width 2, 4 or 8. Stops at the first row of another form; returns the rows done.
   */
  parseDecimals(
    source: Uint8Array,
    ends: Uint8Array,
    fields: number,
    field: number,
    rows: number,
    scale: number,
    hasPoint: boolean,
    limit: number,
    width: number,
    target: Uint8Array,
  ): number;
  /** Days since 2000-01-01 of yyyy-mm-dd (4-byte target); stops at other forms and at days that need the calendar (29 February …). Returns the rows done. */
  parseDates(
    source: Uint8Array,
    ends: Uint8Array,
    fields: number,
    field: number,
    rows: number,
    target: Uint8Array,
  ): number;
  /**
   * Copies a field of each line behind target[at], filled up with blanks to `least` bytes (only ASCII then), and writes where each ends into
   * offsets[1 …] (4 bytes). Stops at a field of more than `most` bytes and when the target is full; returns the rows done.
   */
  copyFields(
    source: Uint8Array,
    ends: Uint8Array,
    fields: number,
    field: number,
    rows: number,
    least: number,
    most: number,
    target: Uint8Array,
    at: number,
    offsets: Uint8Array,
  ): number;
  /** Gives whole pages inside `memory` back to the operating system; they read as zero afterwards. Returns the bytes, 0 for the twin. */
  decommit(memory: Uint8Array): number;
}

/** What only the addon has, for tests. */
export interface NativeKernels extends Kernels {
  instructionSets(): string[];
  /** False when it cannot run here. For the whole process. */
  useInstructionSet(name: string): boolean;
  /** An ArrayBuffer that ends at an inaccessible page. */
  guardedBuffer(sizeBytes: number): ArrayBuffer;
}
