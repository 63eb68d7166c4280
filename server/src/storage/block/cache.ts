/**
 * The block cache: decompressed payloads in shared memory, found and pinned by all threads.
 *
 * Memory   one SharedArrayBuffer: control words, a hash directory, one record per 16 KB page, the pages. A block occupies consecutive
 *          pages, so kernels see one range of bytes.
 * Eviction CLOCK in address order: the hand walks over the pages, gives every referenced block a second chance, passes over pinned ones
 *          and takes the first run of consecutive pages that is long enough. So large blocks need no separate class of frames.
 * Locking  one spin lock around look-up, insertion and eviction (some tens of nanoseconds; a sweep up to microseconds). Unpinning is one
 *          atomic subtraction. A thread that dies inside the lock ends the process (the supervisor restarts it), so no recovery here.
 */
import { assert, internalError } from '../../base/error.ts';

export const PAGE_BYTES = 16_384;

const LOCK = 0;
const HAND = 1;
const HITS = 2;
const MISSES = 3;
const EVICTIONS = 4;
const USED_PAGES = 5;
const CONTROL_WORDS = 64;

// Words of a page record; those of a block are in the record of its first page.
const PAGE_WORDS = 8;
const FILE = 0;
/** Offset in units of 64 bytes: 32 bits reach 256 GB. */
const UNIT = 1;
const PAGES = 2;
const LENGTH = 3;
const PINS = 4;
const REFERENCED = 5;
const STATE = 6;

const FREE = 0;
const LOADING = 1;
const READY = 2;
const CONTINUED = 3;

/** What the cache did so far, for views. */
export interface CacheCounters {
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
  readonly usedPages: number;
  readonly pages: number;
}

/** Shared memory for a cache of about `bytes` of payload. */
export function createCacheMemory(bytes: number): SharedArrayBuffer {
  const pages = Math.max(16, Math.floor(bytes / PAGE_BYTES));
  return new SharedArrayBuffer(layout(pages).total);
}

interface Layout {
  readonly pages: number;
  readonly slots: number;
  readonly directory: number;
  readonly records: number;
  readonly data: number;
  readonly total: number;
}

function layout(pages: number): Layout {
  let slots = 64;
  while (slots < pages * 2) slots *= 2;
  const directory = CONTROL_WORDS * 4;
  const records = directory + slots * 4;
  const data = Math.ceil((records + pages * PAGE_WORDS * 4) / PAGE_BYTES) * PAGE_BYTES;
  return { pages, slots, directory, records, data, total: data + pages * PAGE_BYTES };
}

/** The number of pages that a memory of this size was made for. */
function pagesOf(total: number): number {
  let pages = Math.floor(total / PAGE_BYTES);
  while (layout(pages).total > total) pages--;
  return pages;
}

/** One thread's handle on the shared cache. */
export class BlockCache {
  readonly memory: SharedArrayBuffer;
  readonly pageCount: number;
  private readonly control: Int32Array;
  private readonly directory: Int32Array;
  private readonly records: Int32Array;
  private readonly mask: number;
  private readonly dataAt: number;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    const shape = layout(pagesOf(memory.byteLength));
    this.pageCount = shape.pages;
    this.control = new Int32Array(memory, 0, CONTROL_WORDS);
    this.directory = new Int32Array(memory, shape.directory, shape.slots);
    this.records = new Int32Array(memory, shape.records, shape.pages * PAGE_WORDS);
    this.mask = shape.slots - 1;
    this.dataAt = shape.data;
  }

  get payloadBytes(): number {
    return this.pageCount * PAGE_BYTES;
  }

  private lock(): void {
    while (Atomics.compareExchange(this.control, LOCK, 0, 1) !== 0);
  }

  private unlock(): void {
    Atomics.store(this.control, LOCK, 0);
  }

  private home(file: number, unit: number): number {
    let hash = Math.imul(file, 0x9e3779b1) ^ Math.imul(unit, 0x85ebca6b);
    hash ^= hash >>> 15;
    return Math.imul(hash, 0x2c1b3c6d) >>> 7;
  }

  /** Directory slot of a block, or the complement of the free slot where it would go. */
  private slotOf(file: number, unit: number): number {
    const { directory, records, mask } = this;
    for (let slot = this.home(file, unit) & mask; ; slot = (slot + 1) & mask) {
      const page = directory[slot]! - 1;
      if (page < 0) return ~slot;
      const record = page * PAGE_WORDS;
      if (records[record + FILE] === (file | 0) && records[record + UNIT] === (unit | 0)) return slot;
    }
  }

  /** Pins a block that is in the cache and ready; -1 otherwise. */
  pin(file: number, offset: number): number {
    const unit = offset / 64;
    this.lock();
    const slot = this.slotOf(file, unit);
    let page = -1;
    if (slot >= 0) {
      const record = (this.directory[slot]! - 1) * PAGE_WORDS;
      if (this.records[record + STATE] === READY) {
        Atomics.add(this.records, record + PINS, 1);
        this.records[record + REFERENCED] = 1;
        page = record / PAGE_WORDS;
      }
    }
    this.control[page < 0 ? MISSES : HITS]!++;
    this.unlock();
    return page;
  }

  unpin(page: number): void {
    const before = Atomics.sub(this.records, page * PAGE_WORDS + PINS, 1);
    if (before <= 0) throw internalError(`unpin of page ${page} without a pin`);
  }

  /**
   * Room for a payload that is about to be loaded, pinned once; -1 when the block is there already, is being loaded by another thread, or
   * no room can be made. Then the caller keeps a private copy.
   */
  reserve(file: number, offset: number, length: number): number {
    const wanted = Math.max(1, Math.ceil(length / PAGE_BYTES));
    if (wanted * 4 > this.pageCount) return -1;
    const unit = offset / 64;
    this.lock();
    let page = -1;
    if (this.slotOf(file, unit) < 0) {
      page = this.sweep(wanted);
      if (page >= 0) {
        // The sweep moved directory entries: look for the slot again.
        const slot = ~this.slotOf(file, unit);
        this.directory[slot] = page + 1;
        const record = page * PAGE_WORDS;
        this.records[record + FILE] = file;
        this.records[record + UNIT] = unit;
        this.records[record + PAGES] = wanted;
        this.records[record + LENGTH] = length;
        this.records[record + REFERENCED] = 1;
        this.records[record + STATE] = LOADING;
        Atomics.store(this.records, record + PINS, 1);
        for (let next = 1; next < wanted; next++)
          this.records[record + next * PAGE_WORDS + STATE] = CONTINUED;
        this.control[USED_PAGES]! += wanted;
      }
    }
    this.unlock();
    return page;
  }

  /** The payload was copied in: others may find it. The pin stays with the caller. */
  publish(page: number): void {
    this.lock();
    this.records[page * PAGE_WORDS + STATE] = READY;
    this.unlock();
  }

  /** Loading failed: gives the room back. */
  cancel(page: number): void {
    this.lock();
    Atomics.store(this.records, page * PAGE_WORDS + PINS, 0);
    this.evict(page);
    this.unlock();
  }

  /** View of a payload; valid while pinned. */
  bytes(page: number): Uint8Array {
    return new Uint8Array(this.memory, this.address(page), this.records[page * PAGE_WORDS + LENGTH]);
  }

  /** Byte position of a payload in the shared memory. */
  address(page: number): number {
    return this.dataAt + page * PAGE_BYTES;
  }

  /** Blocks found, without making an object. */
  get hits(): number {
    return this.control[HITS]! >>> 0;
  }

  /** Blocks that had to be read. */
  get misses(): number {
    return this.control[MISSES]! >>> 0;
  }

  counters(): CacheCounters {
    return {
      hits: this.control[HITS]! >>> 0,
      misses: this.control[MISSES]! >>> 0,
      evictions: this.control[EVICTIONS]! >>> 0,
      usedPages: this.control[USED_PAGES]!,
      pages: this.pageCount,
    };
  }

  /** Finds `wanted` consecutive pages, evicting; -1 when pins leave no such run. Under the lock. */
  private sweep(wanted: number): number {
    const { records, pageCount } = this;
    let page = this.control[HAND]!;
    let runStart = page;
    // Two rounds clear all second chances; a third of `wanted` closes a run that wraps around.
    let budget = 2 * pageCount + wanted;
    while (budget > 0) {
      if (page >= pageCount) {
        page = 0;
        runStart = 0;
      }
      const record = page * PAGE_WORDS;
      const state = records[record + STATE]!;
      const length = state === FREE ? 1 : state === CONTINUED ? 1 : records[record + PAGES]!;
      budget -= length;
      if (state === CONTINUED) {
        // The hand stands inside a block whose first page was passed: skip its rest.
        page++;
        runStart = page;
        continue;
      }
      page += length;
      if (state !== FREE) {
        if (Atomics.load(records, record + PINS) > 0) runStart = page;
        else if (records[record + REFERENCED] === 1) {
          records[record + REFERENCED] = 0;
          runStart = page;
        }
      }
      if (page - runStart >= wanted) {
        for (let victim = runStart; victim < page; ) {
          const span =
            records[victim * PAGE_WORDS + STATE] === FREE ? 1 : records[victim * PAGE_WORDS + PAGES]!;
          if (records[victim * PAGE_WORDS + STATE] !== FREE) {
            this.evict(victim);
            this.control[EVICTIONS]!++;
          }
          victim += span;
        }
        this.control[HAND] = runStart + wanted;
        return runStart;
      }
    }
    return -1;
  }

  /** Removes a block from directory and pages. Under the lock. */
  private evict(page: number): void {
    const { directory, records, mask } = this;
    const record = page * PAGE_WORDS;
    const pages = records[record + PAGES]!;
    let hole = this.slotOf(records[record + FILE]! >>> 0, records[record + UNIT]! >>> 0);
    assert(hole >= 0 && directory[hole] === page + 1, `cache directory lost page ${page}`);
    // Linear probing without tombstones: entries behind the hole move up unless that would pass their home.
    directory[hole] = 0;
    for (let slot = (hole + 1) & mask; directory[slot] !== 0; slot = (slot + 1) & mask) {
      const other = (directory[slot]! - 1) * PAGE_WORDS;
      const home = this.home(records[other + FILE]! >>> 0, records[other + UNIT]! >>> 0) & mask;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        directory[hole] = directory[slot]!;
        directory[slot] = 0;
        hole = slot;
      }
    }
    for (let index = 0; index < pages; index++) records[record + index * PAGE_WORDS + STATE] = FREE;
    this.control[USED_PAGES]! -= pages;
  }
}
