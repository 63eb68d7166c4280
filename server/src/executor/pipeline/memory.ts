/** Allocation in the shared memory: first fit over a list of free ranges, kept by the main thread alone. */
import { assert } from '../../base/error.ts';

interface Range {
  at: number;
  size: number;
}

const ALIGNMENT = 64;

export class MemoryRanges {
  /** Ascending, never adjacent. */
  private readonly free: Range[];
  private used = 0;

  constructor(start: number, end: number) {
    const at = Math.ceil(start / ALIGNMENT) * ALIGNMENT;
    this.free = [{ at, size: end - at }];
  }

  get usedBytes(): number {
    return this.used;
  }

  static rounded(bytes: number): number {
    return Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
  }

  /** Address of `bytes` rounded up to 64, or -1. The bytes hold whatever was there before. */
  allocate(bytes: number): number {
    const size = MemoryRanges.rounded(bytes);
    for (let index = 0; index < this.free.length; index++) {
      const range = this.free[index]!;
      if (range.size < size) continue;
      const { at } = range;
      range.at += size;
      range.size -= size;
      if (range.size === 0) this.free.splice(index, 1);
      this.used += size;
      return at;
    }
    return -1;
  }

  release(at: number, bytes: number): void {
    const size = MemoryRanges.rounded(bytes);
    let low = 0;
    let high = this.free.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.free[middle]!.at < at) low = middle + 1;
      else high = middle;
    }
    const before = this.free[low - 1];
    const after = this.free[low];
    assert(
      (before === undefined || before.at + before.size <= at) &&
        (after === undefined || at + size <= after.at),
      `range ${at} of ${size} bytes released twice`,
    );
    this.used -= size;
    const joinsBefore = before !== undefined && before.at + before.size === at;
    const joinsAfter = after !== undefined && at + size === after.at;
    if (joinsBefore && joinsAfter) {
      before.size += size + after.size;
      this.free.splice(low, 1);
    } else if (joinsBefore) before.size += size;
    else if (joinsAfter) {
      after.at = at;
      after.size += size;
    } else this.free.splice(low, 0, { at, size });
  }
}
