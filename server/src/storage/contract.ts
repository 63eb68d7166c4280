/**
 * What the storage room gives to the rooms above it: files and bytes, nothing about visibility.
 *
 *   directory/
 *     superblock.0, superblock.1     alternating roots of the manifest (docs/format/manifest.md)
 *     data/XXXXXXXX.blk              block files: columns, blobs, index runs, manifest nodes (docs/format/block.md, segment.md)
 *     wal/TTTTTTTTXXXXXXXXYYYYYYYY   16 MB log segments (docs/format/wal.md)
 *
 * Life of a start: `openStorage` (reads the manifest) -> `log.recover(manifest.current.header.checkpointLsn, redo)` -> rooms above
 * rebuild their state -> `files.sweepOrphans()` -> ready. Every file written is immutable from `finish()` on.
 *
 * Errors: a block, manifest node or log record that fails its checksum raises `data_corrupted` (XX001) naming file and offset;
 * a full disk raises `disk_full` (53100); a failed sync is fatal (see {@link LogOptions.onFatal}).
 */
import type { CommitSequence, Lsn, Oid, Xid } from '../base/brands.ts';
import type { PhysicalType } from '../types/contract.ts';
import type { ColumnVector } from '../types/vector.ts';

// ---------------------------------------------------------------------------------------------------------------- blocks

/** Where a block lies: file number, byte offset of its header, stored bytes with header and padding. Plain data, also in WAL records. */
export interface BlockRef {
  readonly file: number;
  readonly offset: number;
  readonly length: number;
}

/** A block used as an opaque blob (delta images, row-id maps, index nodes); rooms above give the bytes their meaning. */
export type BlobRef = BlockRef;

export type BlockKind = 'column' | 'blob' | 'manifest' | 'index';
/** Second-stage compression of a whole payload. `auto` tries zstd level 1 and keeps it when it saves at least an eighth. */
export type BlockCodec = 'none' | 'lz4' | 'zstd' | 'auto';

/** A payload held in the block cache. `bytes` stay valid and unmoved until `release`; never write to them. */
export interface PinnedBlock {
  readonly bytes: Uint8Array;
  /** Byte position of `bytes` in the cache's shared memory (for native kernels), -1 when the block is not in it (too large). */
  readonly address: number;
  release(): void;
}

/**
 * Read access to blocks. One interface for both kinds of thread, so the code above it is the same:
 * on the main thread `acquire` of a block that is not cached starts the read and throws `WaitSignal` (base/suspend.ts);
 * on workers it reads synchronously.
 */
export interface BlockSource {
  acquire(ref: BlockRef): PinnedBlock;
  /**
   * As `acquire` for a reader that keeps the block open between calls: the source may take it back during a later acquire on this
   * thread and then calls `revoked` first (the block is released by the source; do not release it again).
   */
  lease(ref: BlockRef, revoked: () => void): PinnedBlock;
  /** Loads a block into the cache; resolves when `acquire` will (very likely) not wait. */
  prefetch(ref: BlockRef): Promise<void>;
  /** A private copy of a payload, bypassing the cache (checkpoint images, recovery). */
  readBlob(ref: BlobRef): Promise<Uint8Array>;
}

/** Writes one new block file, front to back. Nothing is visible to others until `finish` resolved. */
export interface BlockFileWriter {
  /** Number of the file being written; becomes the `file` of every ref. */
  readonly file: number;
  /** Bytes appended so far: start a new file when this passes {@link BLOCK_FILE_TARGET_BYTES}. */
  readonly size: number;
  /** Buffers one block (payload below 1 GB) and returns its final address at once. The payload is copied or compressed before return. */
  append(kind: BlockKind, payload: Uint8Array, codec?: BlockCodec): BlockRef;
  /** As `append`, for a payload that another thread compressed. */
  appendCompressed(kind: BlockKind, stored: Uint8Array, code: number, rawLength: number): BlockRef;
  /** Waits until all but the last buffer have been handed to the disk: call between large appends to bound memory. */
  drain(): Promise<void>;
  /** Writes the rest, syncs file and directory. Afterwards the file is durable and held once (see {@link BlockFiles.release}). */
  finish(): Promise<void>;
  /** Removes the file. */
  abandon(): Promise<void>;
}

/**
 * The set of block files. A file is removed when the durable manifest no longer names it and nobody holds it.
 * Hold rules: `finish()` leaves one hold for the creator; a table version, snapshot or WAL-only segment that names a file holds it.
 */
export interface BlockFiles {
  create(): Promise<BlockFileWriter>;
  hold(file: number): void;
  release(file: number): void;
  /** For redo: a log record names this file; keep it (hold it once) and never give out its number again. Throws XX001 if it is missing. */
  claim(file: number): void;
  /** After recovery: removes every block file named neither by the manifest nor by a hold. Returns the removed names. */
  sweepOrphans(): Promise<string[]>;
  /** Reads every block of every file of the current manifest and checks it; yields the damage found as errors (empty = sound). */
  verify(): Promise<Error[]>;
}

/** A writer above this size should be finished and a new one begun. */
export const BLOCK_FILE_TARGET_BYTES = 256 * 1024 * 1024;

// -------------------------------------------------------------------------------------------------------------- segments

/** Rows in a segment: offsets fit 16 bits. */
export const SEGMENT_MAX_ROWS = 65_536;
/** A segment whose variable-length bytes pass this is cut earlier (a single larger row is still allowed). */
export const SEGMENT_MAX_BYTES = 64 * 1024 * 1024;

/**
 * One value in physical form outside of a vector: bool (0/1), int16, int32, float32, float64 as number; int64, decimal64 as bigint;
 * bytes16, varlen as bytes.
 */
export type PhysicalValue = number | bigint | Uint8Array;

/**
 * Summary of a column block. Order is physical: integers by value, floats with NaN greatest and -0 = 0, bytes by memcmp. For varlen
 * the rooms above may only use it for types whose order (or equality) is that of their bytes.
 */
export interface ZoneMap {
  readonly nullCount: number;
  /** Estimate of distinct non-null values, at least 1 when any is present. */
  readonly distinct: number;
  /** Lower and upper bound of the non-null values; null when there are none. */
  readonly min: PhysicalValue | null;
  readonly max: PhysicalValue | null;
  /** False when a bound was truncated (varlen above 32 bytes): it then still bounds but is no value of the column. */
  readonly minExact: boolean;
  readonly maxExact: boolean;
  /** Sum of the byte lengths of a varlen column (0 for fixed types). */
  readonly totalBytes: number;
}

export interface ColumnDescriptor {
  readonly physical: PhysicalType;
  readonly zone: ZoneMap;
  /** Null when the zone map says all: every value NULL, or one exact value without NULLs. */
  readonly block: BlockRef | null;
  /** Name of the root encoding, for views and EXPLAIN ('constant', 'for', 'dictionary', ...). */
  readonly encoding: string;
}

/** A sealed, immutable run of rows. Plain data; `encodeSegmentDescriptor` makes the bytes for WAL records. */
export interface SegmentDescriptor {
  /** Segment number within its table: row id = segment * 65536 + offset. */
  readonly segment: number;
  readonly rowCount: number;
  /** By storage position of the column. Columns added later are missing here: the table room supplies their default. */
  readonly columns: readonly ColumnDescriptor[];
  /** Commit sequence per row as an int64 column without NULLs; frozen rows have 0, so a fully frozen segment is a constant without a block. */
  readonly sequence: ColumnDescriptor;
  /** The transaction that bulk-loaded it and is not known committed; 0 = none. */
  readonly owner: Xid;
}

export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';

/** A pushed predicate over one column, by storage position; a conjunction is an array of them. NULL never satisfies a comparison. */
export type ColumnPredicate =
  | {
      readonly column: number;
      readonly kind: 'compare';
      readonly operator: ComparisonOperator;
      readonly value: PhysicalValue;
    }
  | {
      readonly column: number;
      readonly kind: 'range';
      readonly low: PhysicalValue;
      readonly lowInclusive: boolean;
      readonly high: PhysicalValue;
      readonly highInclusive: boolean;
    }
  | { readonly column: number; readonly kind: 'in'; readonly values: readonly PhysicalValue[] }
  /** varlen only: bytes begin with `prefix` (LIKE 'abc%'). */
  | { readonly column: number; readonly kind: 'prefix'; readonly prefix: Uint8Array }
  /** Anything else that only looks at the value; asked once per distinct value where the encoding lists them. Bytes are borrowed. */
  | { readonly column: number; readonly kind: 'test'; readonly test: (value: PhysicalValue) => boolean }
  | { readonly column: number; readonly kind: 'isNull' }
  | { readonly column: number; readonly kind: 'isNotNull' };

/** How a column's values follow from its codes: listed by code, or value = base + factor * code. NULL rows have any code. */
export interface CodeForm {
  readonly codeBytes: 1 | 2 | 4;
  /** No code is above this. */
  readonly largest: number;
  readonly base: bigint;
  readonly factor: bigint;
  /** By code, ascending in physical order; null for base and factor. */
  readonly values: readonly PhysicalValue[] | null;
  /** Some rows are NULL: their codes mean nothing. */
  readonly hasNulls: boolean;
}

/** Input of sealing. `sequences`: one commit sequence per row, or one number for all (0 = frozen). */
export interface SegmentInput {
  readonly segment: number;
  readonly rowCount: number;
  readonly columns: readonly ColumnVector[];
  readonly sequences: Float64Array | number;
  readonly owner?: Xid;
}

/** One column of an {@link EncodedSegment}. */
export interface EncodedSegmentColumn {
  readonly physical: PhysicalType;
  readonly zone: ZoneMap;
  readonly encoding: string;
  /** Null = constant, no block. */
  readonly payload: Uint8Array | null;
  /** How to compress the payload when it is written. */
  readonly codec: BlockCodec;
  /** Set when the payload is compressed already (`code` as in docs/format/block.md). */
  readonly compressed?: { readonly code: number; readonly rawLength: number };
}

/** A segment encoded but not yet written: pure data, made on any thread (`encodeSegment` of segment/writer.ts), transferable. */
export interface EncodedSegment {
  readonly segment: number;
  readonly rowCount: number;
  readonly owner: Xid;
  /** The sequence column is last. */
  readonly columns: readonly EncodedSegmentColumn[];
}

/**
 * Reads one segment through a {@link BlockSource}; cheap to construct. May throw `WaitSignal` on the main thread: every method
 * either completes or has no effect, so calling again is safe.
 */
export interface SegmentReaderContract {
  readonly descriptor: SegmentDescriptor;
  /**
   * Decodes rows [start, end) into `target`, which gets count, validity, and (re)used or grown buffers: an existing buffer of
   * sufficient size and right type is filled from its beginning. `column` = SEQUENCE_COLUMN reads the commit sequences (int64).
   */
  readColumn(column: number, start: number, end: number, target: ColumnVector): void;
  /** The same for chosen rows, ascending or not. */
  gather(column: number, positions: Uint16Array, count: number, target: ColumnVector): void;
  /** The code form of a column's block, the same object as long as the reader lives; null when its encoding has none. */
  codeForm(column: number): CodeForm | null;
  /** Codes of rows [start, end) into target[0...]; only for columns with a code form, elements of at least `codeBytes`. */
  readCodes(column: number, start: number, end: number, target: Uint8Array | Uint16Array | Uint32Array): void;
  /** Codes of chosen rows. */
  gatherCodes(
    column: number,
    positions: Uint16Array,
    count: number,
    target: Uint8Array | Uint16Array | Uint32Array,
  ): void;
  /** Presence bits of rows [start, end) from bit 0 of `target`; false (and nothing written) when the column has no NULL. */
  readValidity(column: number, start: number, end: number, target: Uint8Array): boolean;
  /** One value, null when NULL. varlen: a private copy. */
  value(column: number, position: number): PhysicalValue | null;
  /** Commit sequence of one row. */
  sequenceAt(position: number): CommitSequence;
  /**
   * Rows of [start, end) satisfying all predicates, evaluated on the encoded form: positions within the segment, ascending, into
   * `selection` (length >= end - start). Returns their number.
   */
  scan(predicates: readonly ColumnPredicate[], start: number, end: number, selection: Uint16Array): number;
  /** True when the zone maps prove that no row satisfies all predicates. Reads no block. */
  canSkip(predicates: readonly ColumnPredicate[]): boolean;
  /** Blocks that the given columns need (for prefetch). */
  blocks(columns: readonly number[]): BlockRef[];
  /** Gives back the blocks it keeps open. Usable again afterwards. */
  close(): void;
}

/** Pseudo column position: the commit sequences of a segment. */
export const SEQUENCE_COLUMN = -1;

// -------------------------------------------------------------------------------------------------------------- manifest

/** The part of the manifest rewritten at every commit of it. */
export interface ManifestHeader {
  /** First log position still needed: redo starts here. */
  readonly checkpointLsn: Lsn;
  /** Log position known durable when the manifest was written; a bad record before it is corruption. */
  readonly durableLsn: Lsn;
  /** Rows of the segments and delta images are those committed at or below this sequence. */
  readonly commitSequence: CommitSequence;
  readonly nextXid: Xid;
  readonly nextOid: Oid;
  /** Transactions in flight when the checkpoint took its snapshot. */
  readonly inFlight: readonly Xid[];
}

/** Names a blob the manifest keeps alive: delta image chunks, delete sets, index runs. `kind` and `key` belong to the rooms above. */
export interface NamedBlob {
  readonly kind: number;
  readonly key: number;
  readonly ref: BlobRef;
}

/** Everything durable about one table. */
export interface TableDirectory {
  readonly segments: readonly SegmentDescriptor[];
  readonly blobs: readonly NamedBlob[];
  /** Free-form bytes of the table room (next segment number, index directory ...). */
  readonly extra: Uint8Array;
}

/** An immutable version of the manifest. */
export interface ManifestView {
  readonly generation: number;
  readonly systemIdentifier: bigint;
  readonly header: ManifestHeader;
  /** Storage ids of all tables, ascending. */
  tables(): number[];
  table(storageId: number): TableDirectory | null;
  /** Free-form named sections for the rooms above (catalog boot data, sequences ...). */
  section(name: string): Uint8Array | null;
  sectionNames(): string[];
}

/** A private draft of the next manifest. Only one may be open. */
export interface ManifestEdit {
  setHeader(changes: Partial<ManifestHeader>): void;
  setTable(storageId: number, directory: TableDirectory): void;
  dropTable(storageId: number): void;
  setSection(name: string, bytes: Uint8Array | null): void;
  /**
   * Atomic: changed nodes are written and synced, then the superblock is written and synced, then files no longer named are removed
   * (unless held). All block files named must be finished. Rejects with the disk's error; the old manifest then stays in force.
   */
  commit(): Promise<ManifestView>;
  abandon(): void;
}

export interface ManifestStore {
  readonly current: ManifestView;
  begin(): ManifestEdit;
}

// ------------------------------------------------------------------------------------------------------------------- WAL

/** Record types 0-15 belong to the log itself; rooms above choose from 16-255 and register a redo handler for each. */
export type LogRecordType = number;
export const FIRST_USER_RECORD_TYPE = 16;

/** A record during replay. `payload` is valid only inside the handler. */
export interface LogRecord {
  readonly type: LogRecordType;
  readonly xid: Xid;
  /** First byte of the record. */
  readonly start: Lsn;
  /** First byte after it: what `append` returned. */
  readonly end: Lsn;
  readonly payload: Uint8Array;
}

export type RedoHandler = (record: LogRecord) => void | Promise<void>;

/** How the log ended. `corrupt` is never returned by `recover` (it throws XX001); `inspect` returns it. */
export interface LogEnd {
  readonly verdict: 'tail' | 'corrupt';
  /** End of the last good record: where the next one goes. */
  readonly end: Lsn;
  readonly records: number;
  /** Segment file and offset in it where reading stopped, and why. */
  readonly segmentName: string;
  readonly offset: number;
  readonly reason: string;
  /** Largest durable position any batch claims. */
  readonly claimedDurable: Lsn;
}

export interface LogOptions {
  /** Power of two, default 16 MB (tests use less). */
  segmentBytes?: number;
  timeline?: number;
  /** Segments kept for reuse instead of being removed. Default 4. */
  spareSegments?: number;
  /** A write or sync failed: nothing more will be acknowledged; the process must end and recover. */
  onFatal: (error: Error) => void;
  /** Milliseconds without commits after which a mark is appended so that the last batch is covered. Default 200. */
  markAfterMillis?: number;
}

export interface WriteAheadLog {
  /**
   * Reads from `from`, calls the redo handler of each record in order, decides tail or corruption (throws XX001 with segment and
   * offset), rewrites the tail, and opens the log for appending. Types without a handler raise XX001.
   */
  recover(from: Lsn): Promise<LogEnd>;
  /** Registers redo for a record type. Before `recover`. */
  onRedo(type: LogRecordType, handler: RedoHandler): void;

  /**
   * Adds a record to the buffer; synchronous, no promise. Returns the end position: pass it to `requestFlush`.
   * Throws 53100 when no log space is left (with `reserve` it may use the emergency reserve: commits and aborts).
   */
  append(
    type: LogRecordType,
    xid: Xid,
    payload: Uint8Array,
    start?: number,
    end?: number,
    reserve?: boolean,
  ): Lsn;
  appendParts(type: LogRecordType, xid: Xid, parts: readonly Uint8Array[]): Lsn;
  /** End of what was appended (= start of the next record, segment header apart). */
  readonly insertLsn: Lsn;
  /** Everything before this is durable. */
  readonly flushedLsn: Lsn;
  /** Bytes appended and not yet durable: bulk writers await `waitFlushed` when this is large. */
  readonly unflushedBytes: number;
  /** Group commit: `callback` runs (in LSN order, on the main thread) once `lsn` is durable; at once when it is. Never called after a fatal error. */
  requestFlush(lsn: Lsn, callback: () => void): void;
  waitFlushed(lsn: Lsn): Promise<void>;
  /** Lets segments wholly before `lsn` be recycled. Call after the manifest with that checkpointLsn is durable. */
  truncateBefore(lsn: Lsn): Promise<void>;
  /** Flushes, appends a last mark, closes the files. */
  close(): Promise<void>;
}

// ---------------------------------------------------------------------------------------------------------------- facade

export interface Storage {
  readonly files: BlockFiles;
  readonly blocks: BlockSource;
  readonly manifest: ManifestStore;
  readonly log: WriteAheadLog;
  /**
   * Encodes (and compresses) a segment without holding the event loop: on encoder threads where the host gave some, else column by column
   * with turns given back. The columns must not change until it resolves.
   */
  encodeSegment(input: SegmentInput): Promise<EncodedSegment>;
  /** Encodes nothing: appends the blocks of an encoded segment to an open file. */
  writeSegment(writer: BlockFileWriter, segment: EncodedSegment): SegmentDescriptor;
  /** What a worker needs to build its own synchronous {@link BlockSource} (`openWorkerBlocks`): structured-cloneable. */
  workerShare(): StorageShare;
  close(): Promise<void>;
}

/** Handed to workers at start. */
export interface StorageShare {
  readonly directory: string;
  readonly cacheMemory: SharedArrayBuffer;
  readonly systemIdentifier: bigint;
}
