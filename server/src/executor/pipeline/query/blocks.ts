/**
 * Working memory of queries: a range of the shared memory from which every thread takes blocks of 64 KiB times a power of two.
 *
 * A buddy allocator whose state lies in the shared memory itself, before the blocks: a lock word, then for each smallest block the size of the free run
 * that starts there, then the statement that owns it. Held for microseconds, never across a call. Memory of a statement is given back by its
 * number, whoever took it, so a worker that died leaks nothing once its statement is over.
 */
import { NotCompilable } from '../interval.ts';

export const BLOCK_BYTES = 65_536;
const FREE = 0;
const INNER = -1;

/** A statement's share of the blocks, in the words that all its threads see: [0] stop, [1] blocks it has, [2] blocks it may have. */
export type StatementWords = Int32Array;
export const STATEMENT_WORDS = { stop: 0, used: 1, most: 2, bytes: 12 } as const;

export class BlockAllocator {
  private readonly lock: Int32Array;
  /** By smallest block: order + 1 where a run begins, 0 inside of one. */
  private readonly order: Int8Array;
  /** By smallest block: owner where a run begins, 0 = free. */
  private readonly owner: Int32Array;
  private readonly start: number;
  private readonly count: number;
  private readonly topOrder: number;

  /** Bytes of the state that lies at `at`; the blocks follow, aligned to 64 KiB. */
  constructor(memory: WebAssembly.Memory, at: number, blocks: number) {
    this.count = blocks;
    this.lock = new Int32Array(memory.buffer, at, 16);
    this.owner = new Int32Array(memory.buffer, at + 64, blocks);
    this.order = new Int8Array(memory.buffer, at + 64 + blocks * 4, blocks);
    this.start = at + BlockAllocator.stateBytes(blocks);
    this.topOrder = 31 - Math.clz32(blocks);
  }

  static stateBytes(blocks: number): number {
    return Math.ceil((64 + blocks * 5) / BLOCK_BYTES) * BLOCK_BYTES;
  }

  /** Once, by the thread that made the memory. `blocks` is a power of two. */
  initialise(): void {
    this.order.fill(0);
    this.owner.fill(FREE);
    this.order[0] = this.topOrder + 1;
  }

  /** Bytes that a request gets. */
  static rounded(bytes: number): number {
    let size = BLOCK_BYTES;
    while (size < bytes) size *= 2;
    return size;
  }

  /** Address of a block of at least `bytes`, not cleared. Errors: NotCompilable when there is none, or the statement has its share. */
  allocate(bytes: number, statement: number, words: StatementWords): number {
    let order = 0;
    while (BLOCK_BYTES * 2 ** order < bytes) order++;
    const used = Atomics.add(words, STATEMENT_WORDS.used, 2 ** order) + 2 ** order;
    if (used > Atomics.load(words, STATEMENT_WORDS.most)) throw new NotCompilable('more than work_mem');
    this.enter();
    try {
      // First fit over runs: a run's length leads to the next one.
      let best = INNER;
      let bestOrder = 127;
      for (let block = 0; block < this.count; ) {
        const size = this.order[block]! - 1;
        if (this.owner[block] === FREE && size >= order && size < bestOrder) {
          best = block;
          bestOrder = size;
          if (size === order) break;
        }
        block += 2 ** size;
      }
      if (best === INNER) throw new NotCompilable('no room in the working memory of pipelines');
      while (bestOrder > order) {
        bestOrder--;
        const half = best + 2 ** bestOrder;
        this.order[half] = bestOrder + 1;
        this.owner[half] = FREE;
      }
      this.order[best] = order + 1;
      this.owner[best] = statement;
      return this.start + best * BLOCK_BYTES;
    } finally {
      this.leave();
    }
  }

  /** Gives back what a statement owns. */
  releaseAll(statement: number): void {
    this.enter();
    try {
      for (let block = 0; block < this.count; block += 2 ** (this.order[block]! - 1))
        if (this.owner[block] === statement) this.owner[block] = FREE;
      this.join();
    } finally {
      this.leave();
    }
  }

  release(address: number, words: StatementWords): void {
    this.enter();
    try {
      const block = (address - this.start) / BLOCK_BYTES;
      Atomics.sub(words, STATEMENT_WORDS.used, 2 ** (this.order[block]! - 1));
      this.owner[block] = FREE;
      this.join();
    } finally {
      this.leave();
    }
  }

  /** Joins free neighbours that are halves of one block. */
  private join(): void {
    for (let block = 0; block < this.count; ) {
      const size = this.order[block]! - 1;
      const length = 2 ** size;
      const buddy = block ^ length;
      if (
        this.owner[block] === FREE &&
        size < this.topOrder &&
        buddy < this.count &&
        this.owner[buddy] === FREE &&
        this.order[buddy] === this.order[block]
      ) {
        const first = Math.min(block, buddy);
        this.order[Math.max(block, buddy)] = 0;
        this.order[first] = size + 2;
        block = first;
        continue;
      }
      block += length;
    }
  }

  private enter(): void {
    while (Atomics.compareExchange(this.lock, 0, 0, 1) !== 0);
  }

  private leave(): void {
    Atomics.store(this.lock, 0, 0);
  }
}
