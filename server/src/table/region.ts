/**
 * Where rows live. A table's row ids are cut into regions of 65,536 (the segment number); each region is one of
 *
 * - slot region: unsealed rows in chunks of shared memory that grow from 64 rows, columnar, with version headers and a
 *   side heap. The same shape serves as pool for further versions of rows (then its slots are no row ids);
 * - base region: an immutable run of rows (a sealed segment, or bulk rows in memory that will become one) under a sparse
 *   overlay of version chains.
 *
 * Link       how a row names its newest version: 0 nothing (no row), -1 the base row itself, n > 0 version slot n - 1.
 *            Slot = slot-region number * 65536 + offset. The overlay of a base region stores ~link, so that its zeroed
 *            memory means "base row".
 */
import type { Xid } from '../base/brands.ts';
import { assert } from '../base/error.ts';
import type { BlockRef, CodeForm, SegmentDescriptor } from '../storage/contract.ts';
import type { PhysicalType } from '../types/contract.ts';
import type { ColumnVector, FixedValues } from '../types/vector.ts';
import type { Arena, ArenaBlock } from './arena.ts';
import { CELL_MISSING, type ChunkColumn, type ColumnCodec, type PhysicalValue } from './column-codec.ts';
import { VarHeap } from './heap.ts';

export const REGION_ROWS = 65536;
export const LINK_NONE = 0;
export const LINK_BASE = -1;

/** Version flags. */
export const VERSION_TOMBSTONE = 1;
/** Some index key differs from the version before. */
export const VERSION_KEYS_CHANGED = 2;
/** A key of a unique index differs: a KEY SHARE lock has to wait for it. */
export const VERSION_UNIQUE_CHANGED = 4;

/** Rows [start, start + capacity) of a slot region. Words are the low 32 bits of xids and command ids. */
export interface Chunk {
  readonly start: number;
  readonly capacity: number;
  readonly xmin: Int32Array;
  readonly xmax: Int32Array;
  readonly previous: Int32Array;
  readonly head: Int32Array;
  readonly cmin: Int32Array;
  readonly cmax: Int32Array;
  readonly flags: Uint8Array;
  readonly columns: (ChunkColumn | undefined)[];
  readonly blocks: ArenaBlock[];
}

/** Index of the chunk that holds an offset: sizes are 64, 64, 128, 256 … 32768. */
export function chunkIndex(offset: number): number {
  return 32 - Math.clz32(offset >>> 6);
}

export function chunkStart(index: number): number {
  return index === 0 ? 0 : 64 << (index - 1);
}

/** What checkpoints remember of a region. */
export class RegionState {
  /** Tick of the last change. */
  changedAt = 0;
  /** Tick before which all changes are in `image`. */
  imagedAt = -1;
  /** The image of its rows on disk; null = none needed. */
  image: BlockRef | null = null;
}

/** See the module comment. */
export class SlotRegion {
  readonly kind = 'slots';
  readonly state = new RegionState();
  /** Number in the table's list of slot regions. */
  readonly number: number;
  /** Segment number of its rows, -1 for a version pool. */
  readonly segment: number;
  readonly chunks: Chunk[] = [];
  readonly heap: VarHeap;
  /** Slots handed out so far. */
  used = 0;
  /** Slots given back, for reuse as versions (pool) or rows. */
  readonly free: number[] = [];
  /** Rows of this region that exist (heads not 0). */
  rows = 0;
  private readonly arena: Arena;

  constructor(number: number, segment: number, arena: Arena) {
    this.number = number;
    this.segment = segment;
    this.arena = arena;
    this.heap = new VarHeap(arena);
  }

  get slotBase(): number {
    return this.number * REGION_ROWS;
  }

  /** Chunk of an offset; it exists for every offset below `used`. */
  chunk(offset: number): Chunk {
    return this.chunks[32 - Math.clz32(offset >>> 6)];
  }

  /** Makes sure that the chunk of `offset` exists. */
  ensureChunk(offset: number, codecs: readonly (ColumnCodec | null)[]): Chunk {
    const index = chunkIndex(offset);
    while (this.chunks.length <= index) this.chunks.push(this.newChunk(this.chunks.length, codecs));
    return this.chunks[index];
  }

  private newChunk(index: number, codecs: readonly (ColumnCodec | null)[]): Chunk {
    const start = chunkStart(index);
    const capacity = index === 0 ? 64 : start;
    let bytes = capacity * 25;
    bytes = (bytes + 7) & ~7;
    for (const codec of codecs) if (codec !== null) bytes += columnBytes(codec, capacity);
    const block = this.arena.allocate(bytes);
    const { buffer } = block;
    let at = block.offset;
    const words = (): Int32Array => {
      const array = new Int32Array(buffer, at, capacity);
      at += capacity * 4;
      return array;
    };
    const xmin = words();
    const xmax = words();
    const previous = words();
    const head = words();
    const cmin = words();
    const cmax = words();
    const flags = new Uint8Array(buffer, at, capacity);
    at = (at + capacity + 7) & ~7;
    const columns: (ChunkColumn | undefined)[] = [];
    for (const codec of codecs) {
      if (codec === null) {
        columns.push(undefined);
        continue;
      }
      columns.push(makeColumn(codec, capacity, buffer, at));
      at += columnBytes(codec, capacity);
    }
    return { start, capacity, xmin, xmax, previous, head, cmin, cmax, flags, columns, blocks: [block] };
  }

  /** A column added to the table after the chunk was made: all its cells read as the missing value. */
  addColumn(chunk: Chunk, position: number, codec: ColumnCodec): ChunkColumn {
    const block = this.arena.allocate(columnBytes(codec, chunk.capacity));
    chunk.blocks.push(block);
    const column = makeColumn(codec, chunk.capacity, block.buffer, block.offset);
    column.nulls.fill(CELL_MISSING);
    while (chunk.columns.length <= position) chunk.columns.push(undefined);
    chunk.columns[position] = column;
    return column;
  }

  drop(): void {
    for (const chunk of this.chunks) for (const block of chunk.blocks) this.arena.release(block);
    this.chunks.length = 0;
    this.heap.drop();
    this.free.length = 0;
    this.used = 0;
  }
}

function columnBytes(codec: ColumnCodec, capacity: number): number {
  const values = codec.physical === 'varlen' ? 8 : codec.width;
  return ((capacity * values + 7) & ~7) + ((capacity + 7) & ~7);
}

function makeColumn(
  codec: ColumnCodec,
  capacity: number,
  buffer: SharedArrayBuffer,
  offset: number,
): ChunkColumn {
  const isVarlen = codec.physical === 'varlen';
  const valueBytes = (capacity * (isVarlen ? 8 : codec.width) + 7) & ~7;
  const nulls = new Uint8Array(buffer, offset + valueBytes, capacity);
  if (isVarlen) {
    return {
      values: new Uint32Array(buffer, offset, capacity),
      lengths: new Int32Array(buffer, offset + capacity * 4, capacity),
      nulls,
    };
  }
  return { values: fixedArray(codec.physical, buffer, offset, capacity), lengths: null, nulls };
}

/** The typed array of a physical type over existing memory. */
export function fixedArray(
  physical: PhysicalType,
  buffer: SharedArrayBuffer | ArrayBuffer,
  offset: number,
  count: number,
): FixedValues {
  switch (physical) {
    case 'bool':
      return new Uint8Array(buffer, offset, count);
    case 'int16':
      return new Int16Array(buffer, offset, count);
    case 'int32':
      return new Int32Array(buffer, offset, count);
    case 'int64':
    case 'decimal64':
      return new BigInt64Array(buffer, offset, count);
    case 'float32':
      return new Float32Array(buffer, offset, count);
    case 'float64':
      return new Float64Array(buffer, offset, count);
    default:
      assert(physical === 'bytes16', `type ${physical} has no fixed array`);
      return new Uint8Array(buffer, offset, count * 16);
  }
}

/** Bytes per value of a fixed physical type. */
export function fixedWidth(physical: PhysicalType): number {
  switch (physical) {
    case 'bool':
      return 1;
    case 'int16':
      return 2;
    case 'int32':
    case 'float32':
      return 4;
    case 'bytes16':
      return 16;
    default:
      return 8;
  }
}

/** Pushed predicate in the shape of storage's segment readers. */
export type BasePredicate =
  | {
      readonly column: number;
      readonly kind: 'compare';
      readonly operator: '=' | '<>' | '<' | '<=' | '>' | '>=';
      readonly value: PhysicalValue;
    }
  | { readonly column: number; readonly kind: 'in'; readonly values: readonly PhysicalValue[] }
  /** Any other test of the value; readers ask once per distinct value where they can. */
  | { readonly column: number; readonly kind: 'test'; readonly test: (value: PhysicalValue) => boolean }
  | { readonly column: number; readonly kind: 'isNull' }
  | { readonly column: number; readonly kind: 'isNotNull' };

/** The part of a segment reader that base regions use; storage's SegmentReader and MemorySegment satisfy it. */
export interface BaseReader {
  readColumn(column: number, start: number, end: number, target: ColumnVector): void;
  gather(column: number, positions: Uint16Array, count: number, target: ColumnVector): void;
  value(column: number, position: number): PhysicalValue | null;
  scan(predicates: readonly BasePredicate[], start: number, end: number, selection: Uint16Array): number;
  canSkip(predicates: readonly BasePredicate[]): boolean;
  /** Columns as codes, where the reader has them (see storage's CodeForm). */
  codeForm?(column: number): CodeForm | null;
  readCodes?(column: number, start: number, end: number, target: Uint8Array | Uint16Array): void;
  readValidity?(column: number, start: number, end: number, target: Uint8Array): boolean;
  gatherCodes?(column: number, positions: Uint16Array, count: number, target: Uint32Array): void;
}

/** An immutable run of rows with an overlay of newer versions. */
export class BaseRegion {
  readonly kind = 'base';
  readonly state = new RegionState();
  /** Where its rows lie on disk; null while they are in memory only. */
  descriptor: SegmentDescriptor | null = null;
  /** Its blocks are held (see storage's BlockFiles). */
  heldFiles: number[] = [];
  readonly segment: number;
  rowCount: number;
  reader: BaseReader;
  /** Columns the reader has; later ones read as missing. */
  columnCount: number;
  /** ~link per row, allocated when the first row gets a newer version. */
  heads: Int32Array | null = null;
  /** Entries of `heads` that are not 0. */
  headCount = 0;
  /** Of those, rows that are dead to everybody. */
  deadCount = 0;
  /** Bulk-loading transaction while it may be undecided, 0 = visible to all. */
  owner: Xid;
  /** Command of the owner that loaded it. */
  ownerCommand: number;
  /** Bytes on disk (or in memory for bulk rows). */
  storedBytes = 0;
  /** Rows of a failed load: invisible to all until dropped. */
  isDropped = false;

  constructor(
    segment: number,
    rowCount: number,
    reader: BaseReader,
    columnCount: number,
    owner: Xid,
    ownerCommand: number,
  ) {
    this.segment = segment;
    this.rowCount = rowCount;
    this.reader = reader;
    this.columnCount = columnCount;
    this.owner = owner;
    this.ownerCommand = ownerCommand;
  }

  link(offset: number): number {
    if (offset >= this.rowCount) return LINK_NONE;
    return this.heads === null ? LINK_BASE : ~this.heads[offset];
  }

  setLink(offset: number, link: number): void {
    const heads = (this.heads ??= new Int32Array(new SharedArrayBuffer(this.rowCount * 4)));
    const before = heads[offset];
    const after = ~link;
    if (before === 0 && after !== 0) this.headCount++;
    else if (before !== 0 && after === 0) this.headCount--;
    Atomics.store(heads, offset, after);
  }
}

export type Region = SlotRegion | BaseRegion;
