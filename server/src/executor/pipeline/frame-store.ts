/**
 * The cache of frames: columns of table regions, decoded once into narrow form in shared memory, for all statements and workers.
 *
 * Owner     the main thread allocates, fills, pins and evicts; workers only read frames of morsels they were given, which are pinned until every
 *           worker has confirmed that it stopped.
 * Identity  a frame belongs to a region object of the table room, whose rows never change; a region that is still growing gets a new frame.
 * Bound     the size of the shared memory; the least recently used frame that is not pinned goes first.
 */
import type { Kernels } from '../../native/index.ts';
import type { ColumnVector } from '../../types/vector.ts';
import { type Dictionary, dictionaryOf } from './dictionary.ts';
import { NotCompilable } from './interval.ts';
import type { FrameInfo, FrameWidth } from './layout.ts';
import { MemoryRanges } from './memory.ts';
import type { PipelineColumn } from './spec.ts';

/** Added to a column's number for its frame of references. */
const STRINGS = 1 << 20;
/** Longer strings are not shared between frames, nor any once the pool holds this much. */
const INTERNED_LENGTH_MAX = 128;
const POOL_BYTES_MAX = 32 * 1024 * 1024;
const SLAB_BYTES = 256 * 1024;
/** Bytes behind a string that may be read with it. */
const STRING_PADDING = 16;

const ROOMY_BYTES_MIN = 64 * 1024 * 1024;

export interface Frame {
  readonly info: FrameInfo;
  /** Bytes allocated at `start`. */
  readonly start: number;
  readonly bytes: number;
  pins: number;
  /** Workers that know it, one bit each. */
  knownBy: number;
  /** Where the cache holds it; null for frames of one statement. */
  readonly home: Map<number, Frame> | null;
  readonly column: number;
  /** `coded`: the strings by code, for tests that the main thread makes. */
  readonly entries?: readonly Uint8Array[] | null;
}

/** Bit of a string reference: equal strings that have it have equal references. */
export const INTERNED = 1n << 62n;

/** No room: every frame is pinned. Wait for running statements, or give up. */
export class NoRoom {
  static readonly instance = new NoRoom();
  private constructor() {}
}

export class FrameStore {
  readonly memory: WebAssembly.Memory;
  private readonly ranges: MemoryRanges;
  private readonly capacity: number;
  private readonly kernels: Kernels;
  private readonly regions = new WeakMap<object, Map<number, Frame>>();
  /** In order of use, oldest first. */
  private readonly cached = new Set<Frame>();
  private readonly bytes: Uint8Array;
  private nextId = 1;
  private readonly interned = new Map<string, bigint>();
  private poolBytes = 0;
  private slabAt = 0;
  private slabLeft = 0;
  /** Frames given up since the workers were last told. */
  dropped: number[] = [];
  filled = 0;
  hits = 0;

  constructor(options: { memory: WebAssembly.Memory; start: number; end: number; kernels: Kernels }) {
    this.memory = options.memory;
    this.ranges = new MemoryRanges(options.start, options.end);
    this.capacity = options.end - options.start;
    this.kernels = options.kernels;
    this.bytes = new Uint8Array(options.memory.buffer);
  }

  /** So much is free that several regions may be decoded side by side without waiting for each other's room. */
  get isRoomy(): boolean {
    return this.capacity >= ROOMY_BYTES_MIN && this.ranges.usedBytes * 2 < this.capacity;
  }

  /** Columns of regions that were found to have too many distinct strings: not decoded again for a dictionary. */
  private readonly undictionaried = new WeakMap<object, Set<number>>();

  /** Errors: NotCompilable when the column is known to have no dictionary. */
  expectDictionary(region: object, column: number): void {
    if (this.undictionaried.get(region)?.has(column) === true)
      throw new NotCompilable('too many distinct strings');
  }

  /** The pinned frame of references of a region's string column, if it is there. */
  findStrings(region: object, rowCount: number, column: number): Frame | null {
    return this.find(region, rowCount, column + STRINGS);
  }

  /** The pinned frame of a region's column, if it is there. */
  find(region: object, rowCount: number, column: number): Frame | null {
    const home = this.regions.get(region);
    const frame = home?.get(column);
    if (frame === undefined) return null;
    if (frame.info.rowCount !== rowCount) {
      home!.delete(column);
      if (frame.pins === 0) this.forget(frame);
      return null;
    }
    this.hits++;
    frame.pins++;
    this.cached.delete(frame);
    this.cached.add(frame);
    return frame;
  }

  /**
   * Makes and pins the frame of a vector; `region` null = for one statement only. With a `dictionary` the vector's bytes are not looked at.
   * Errors   NoRoom; NotCompilable for values that have no frame (NaN among decimals).
   */
  fill(
    region: object | null,
    column: PipelineColumn,
    vector: ColumnVector,
    dictionary: Dictionary | null = null,
  ): Frame {
    const frame = this.make(region, column, vector, dictionary);
    frame.pins = 1;
    this.filled++;
    if (frame.home !== null) {
      frame.home.set(column.column, frame);
      this.cached.add(frame);
    }
    return frame;
  }

  /** Like `fill`, for a string column that query pipelines read. */
  fillStrings(
    region: object | null,
    column: PipelineColumn,
    vector: ColumnVector,
    dictionary: Dictionary | null = null,
  ): Frame {
    const rowCount = vector.count;
    const built = dictionary ?? dictionaryOf(vector);
    const offsets = vector.offsets;
    const codesBytes = built === null ? rowCount * 8 : (rowCount * built.width + 7) & ~7;
    const validityBytes = vector.validity === null ? 0 : ((rowCount + 63) >>> 6) << 3;
    const entryBytes = built === null ? 0 : built.entries.length * 8;
    let textBytes = STRING_PADDING;
    const references: bigint[] = [];
    if (built === null) textBytes += offsets![rowCount]! - offsets![0]!;
    else {
      for (const entry of built.entries) {
        const reference = this.intern(entry);
        references.push(reference);
        if (reference === 0n) textBytes += entry.length;
      }
    }
    const bytes = MemoryRanges.rounded(codesBytes + validityBytes + entryBytes + textBytes);
    const start = this.allocate(bytes);
    const validity = vector.validity === null ? 0 : start + codesBytes;
    let at = start + codesBytes + validityBytes + entryBytes;
    if (vector.validity !== null) {
      this.bytes.fill(0, validity, validity + validityBytes);
      this.bytes.set(vector.validity.subarray(0, (rowCount + 7) >>> 3), validity);
    }
    let isAscii = true;
    if (built === null) {
      const first = offsets![0]!;
      const text = vector.bytes!.subarray(first, offsets![rowCount]!);
      this.bytes.set(text, at);
      isAscii = onlyAscii(text);
      const words = new Uint32Array(this.memory.buffer, start, rowCount * 2);
      for (let row = 0; row < rowCount; row++) {
        words[2 * row] = at + offsets![row]! - first;
        words[2 * row + 1] = offsets![row + 1]! - offsets![row]!;
      }
    } else {
      this.bytes.set(built.codes.subarray(0, rowCount * built.width), start);
      const table = new BigInt64Array(
        this.memory.buffer,
        start + codesBytes + validityBytes,
        references.length,
      );
      built.entries.forEach((entry, code) => {
        isAscii &&= onlyAscii(entry);
        table[code] = references[code]!;
        if (references[code] !== 0n) return;
        this.bytes.set(entry, at);
        table[code] = BigInt(at) | (BigInt(entry.length) << 32n);
        at += entry.length;
      });
    }
    const home = region === null ? null : (this.regions.get(region) ?? new Map<number, Frame>());
    if (region !== null) this.regions.set(region, home!);
    const frame: Frame = {
      info: {
        id: this.nextId++,
        kind: built === null ? 'text' : 'coded',
        rowCount,
        width: built === null ? 8 : built.width,
        address: start,
        validity,
        low: 0n,
        high: 0n,
        dictionary: null,
        references: built === null ? 0 : start + codesBytes + validityBytes,
        isAscii,
      },
      start,
      bytes,
      pins: 1,
      knownBy: 0,
      home,
      column: column.column + STRINGS,
      entries: built?.entries ?? null,
    };
    this.filled++;
    if (home !== null) {
      home.set(frame.column, frame);
      this.cached.add(frame);
    }
    return frame;
  }

  /** Reference of a string that all frames share, 0 = it is kept in the frame itself. Never given back: the pool is small. */
  intern(bytes: Uint8Array): bigint {
    if (bytes.length > INTERNED_LENGTH_MAX) return 0n;
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const known = this.interned.get(key);
    if (known !== undefined) return known;
    if (this.slabLeft < bytes.length + STRING_PADDING) {
      if (this.poolBytes + SLAB_BYTES > POOL_BYTES_MAX) return 0n;
      const slab = this.ranges.allocate(SLAB_BYTES);
      if (slab < 0) return 0n;
      this.poolBytes += SLAB_BYTES;
      this.slabAt = slab;
      this.slabLeft = SLAB_BYTES;
    }
    const at = this.slabAt;
    this.bytes.set(bytes, at);
    const size = (bytes.length + 7) & ~7;
    this.slabAt += size;
    this.slabLeft -= size;
    const reference = BigInt(at) | (BigInt(bytes.length) << 32n) | INTERNED;
    this.interned.set(key, reference);
    return reference;
  }

  unpin(frame: Frame): void {
    frame.pins--;
    if (frame.pins > 0) return;
    const isCurrent = frame.home !== null && frame.home.get(frame.column) === frame;
    if (!isCurrent) this.forget(frame);
  }

  /** The worker at this place was replaced by one that knows nothing. */
  forgetWorker(worker: number): void {
    for (const frame of this.cached) frame.knownBy &= ~(1 << worker);
  }

  private forget(frame: Frame): void {
    this.cached.delete(frame);
    this.ranges.release(frame.start, frame.bytes);
    this.dropped.push(frame.info.id);
  }

  /** Makes room by giving up frames nobody uses. */
  private allocate(bytes: number): number {
    for (;;) {
      const at = this.ranges.allocate(bytes);
      if (at >= 0) return at;
      let victim: Frame | null = null;
      for (const frame of this.cached) {
        if (frame.pins === 0) {
          victim = frame;
          break;
        }
      }
      if (victim === null) throw NoRoom.instance;
      victim.home?.delete(victim.column);
      this.forget(victim);
    }
  }

  private make(
    region: object | null,
    column: PipelineColumn,
    vector: ColumnVector,
    dictionary: Dictionary | null,
  ): Frame {
    const rowCount = vector.count;
    let home: Map<number, Frame> | null = null;
    if (region !== null) {
      home = this.regions.get(region) ?? new Map();
      this.regions.set(region, home);
    }
    const validityBytes = vector.validity === null ? 0 : ((rowCount + 63) >>> 6) << 3;
    const plan = this.planCodes(region, column, vector, dictionary);
    const codesBytes = (rowCount * plan.width + 7) & ~7;
    const bytes = MemoryRanges.rounded(codesBytes + validityBytes);
    const start = this.allocate(bytes);
    plan.write(this.bytes.subarray(start, start + rowCount * plan.width));
    let validity = 0;
    if (vector.validity !== null) {
      validity = start + codesBytes;
      this.bytes.fill(0, validity, validity + validityBytes);
      this.bytes.set(vector.validity.subarray(0, (rowCount + 7) >>> 3), validity);
    }
    return {
      info: {
        id: this.nextId++,
        kind: plan.kind,
        rowCount,
        width: plan.width,
        address: start,
        validity,
        low: plan.low,
        high: plan.high,
        dictionary: plan.dictionary,
      },
      start,
      bytes,
      pins: 0,
      knownBy: 0,
      home,
      column: column.column,
    };
  }

  private planCodes(
    region: object | null,
    column: PipelineColumn,
    vector: ColumnVector,
    known: Dictionary | null,
  ): Pick<FrameInfo, 'kind' | 'width' | 'low' | 'high' | 'dictionary'> & { write(target: Uint8Array): void } {
    const { count } = vector;
    if (vector.physical === 'varlen') {
      const built = known ?? dictionaryOf(vector);
      if (built === null) {
        if (region !== null) {
          const columns = this.undictionaried.get(region) ?? new Set<number>();
          this.undictionaried.set(region, columns.add(column.column));
        }
        throw new NotCompilable('too many distinct strings');
      }
      const { codes, entries, width } = built;
      return {
        kind: 'dictionary',
        width,
        low: 0n,
        high: 0n,
        dictionary: entries,
        write: (target) => target.set(codes.subarray(0, count * width)),
      };
    }
    const values = vector.values!;
    const source = new Uint8Array(values.buffer, values.byteOffset, count * values.BYTES_PER_ELEMENT);
    if (values instanceof Float64Array || values instanceof Float32Array) {
      return {
        kind: values instanceof Float64Array ? 'float64' : 'float32',
        width: values instanceof Float64Array ? 8 : 4,
        low: 0n,
        high: 0n,
        dictionary: null,
        write: (target) => target.set(source),
      };
    }
    const { low, high } = boundsOf(vector);
    // decimal64 keeps NaN as the largest integer.
    if (column.type.kind === 'decimal' && high === 0x7fffffffffffffffn)
      throw new NotCompilable('NaN among decimals');
    const span = high - low;
    const width: FrameWidth =
      span === 0n ? 0 : span < 256n ? 1 : span < 65536n ? 2 : span < 1n << 32n ? 4 : 8;
    return {
      kind: 'integer',
      width,
      low,
      high,
      dictionary: null,
      write: (target) => {
        // Booleans are unsigned bytes below 128: read as signed they are the same.
        if (width > 0) this.kernels.narrow(source, values.BYTES_PER_ELEMENT, low, target, width, count);
      },
    };
  }
}

/** Bounds of the values that are present; [0, 0] when none is. Values under a NULL do not count, so their codes may wrap. */
function boundsOf(vector: ColumnVector): { low: bigint; high: bigint } {
  const { values, validity, count } = vector;
  if (values instanceof BigInt64Array) return boundsOf64(values, validity, count);
  const numbers = values as Int32Array;
  let low = Infinity;
  let high = -Infinity;
  for (let row = 0; row < count; row++) {
    if (validity !== null && ((validity[row >>> 3]! >>> (row & 7)) & 1) === 0) continue;
    const value = numbers[row]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low > high ? { low: 0n, high: 0n } : { low: BigInt(low), high: BigInt(high) };
}

/** By halves: a bigint per row would cost ten times as much. */
function boundsOf64(
  values: BigInt64Array,
  validity: Uint8Array | null,
  count: number,
): { low: bigint; high: bigint } {
  const words = new Int32Array(values.buffer, values.byteOffset, count * 2);
  let lowUpper = 0x7fffffff;
  let lowWord = 0xffffffff;
  let highUpper = -0x80000000;
  let highWord = 0;
  let any = false;
  for (let row = 0; row < count; row++) {
    if (validity !== null && ((validity[row >>> 3]! >>> (row & 7)) & 1) === 0) continue;
    any = true;
    const word = words[2 * row]! >>> 0;
    const upper = words[2 * row + 1]!;
    if (upper < lowUpper || (upper === lowUpper && word < lowWord)) {
      lowUpper = upper;
      lowWord = word;
    }
    if (upper > highUpper || (upper === highUpper && word > highWord)) {
      highUpper = upper;
      highWord = word;
    }
  }
  if (!any) return { low: 0n, high: 0n };
  return {
    low: (BigInt(lowUpper) << 32n) | BigInt(lowWord),
    high: (BigInt(highUpper) << 32n) | BigInt(highWord),
  };
}

function onlyAscii(bytes: Uint8Array): boolean {
  let seen = 0;
  for (let at = 0; at < bytes.length; at++) seen |= bytes[at]!;
  return seen < 128;
}
