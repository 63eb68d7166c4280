/**
 * Collects (key, row id) entries in any order and gives them back sorted: how indexes are built in bulk.
 *
 * Keys are sorted by a least-significant-digit radix sort of 48-bit heads (numbers: of the double's 64 bits), byte keys
 * then recursively by the next six bytes where heads are equal. Every pass gives the turn back after a slice.
 * Order     stable: entries with equal keys keep the order in which they were added, which callers make ascending row ids.
 */

import { headOf } from './byte-tree.ts';
import type { KeyBuffer } from './contract.ts';

/** Elements moved between two yields: about two milliseconds. */
const SLICE = 1 << 17;
/** Runs up to this length are sorted by comparison. */
const SMALL_RUN = 48;

/** See the module comment. */
export class EntrySorter {
  count = 0;
  readonly isNumeric: boolean;
  numbers: Float64Array;
  rows: Float64Array;
  /** 1 = counts for uniqueness. */
  marks: Uint8Array;
  starts: Uint32Array;
  lengths: Uint32Array;
  bytes: Uint8Array = new Uint8Array(1024);
  /** After `sort`: positions of entries in order. */
  order: Uint32Array = new Uint32Array(0);
  private used = 0;
  private readonly yieldToLoop: () => Promise<void>;
  private moved = 0;

  constructor(isNumeric: boolean, yieldToLoop: () => Promise<void>, expected = 1024) {
    this.isNumeric = isNumeric;
    this.yieldToLoop = yieldToLoop;
    const capacity = Math.max(16, expected);
    this.numbers = new Float64Array(isNumeric ? capacity : 0);
    this.rows = new Float64Array(capacity);
    this.marks = new Uint8Array(capacity);
    this.starts = new Uint32Array(isNumeric ? 0 : capacity);
    this.lengths = new Uint32Array(isNumeric ? 0 : capacity);
  }

  add(key: KeyBuffer, row: number, mark: number): void {
    if (this.count === this.rows.length) this.grow();
    const at = this.count++;
    this.rows[at] = row;
    this.marks[at] = mark;
    if (this.isNumeric) {
      this.numbers[at] = key.number;
      return;
    }
    if (this.used + key.length > this.bytes.length) {
      const bytes = new Uint8Array(Math.max(this.bytes.length * 2, this.used + key.length));
      bytes.set(this.bytes.subarray(0, this.used));
      this.bytes = bytes;
    }
    this.starts[at] = this.used;
    this.lengths[at] = key.length;
    for (let index = 0; index < key.length; index++) this.bytes[this.used + index] = key.bytes[index];
    this.used += key.length;
  }

  addNumber(number: number, row: number, mark: number): void {
    if (this.count === this.rows.length) this.grow();
    const at = this.count++;
    this.numbers[at] = number;
    this.rows[at] = row;
    this.marks[at] = mark;
  }

  private grow(): void {
    const capacity = this.rows.length * 2;
    const rows = new Float64Array(capacity);
    rows.set(this.rows);
    this.rows = rows;
    const marks = new Uint8Array(capacity);
    marks.set(this.marks);
    this.marks = marks;
    if (this.isNumeric) {
      const numbers = new Float64Array(capacity);
      numbers.set(this.numbers);
      this.numbers = numbers;
    } else {
      const starts = new Uint32Array(capacity);
      starts.set(this.starts);
      this.starts = starts;
      const lengths = new Uint32Array(capacity);
      lengths.set(this.lengths);
      this.lengths = lengths;
    }
  }

  /** Order of two entries by key alone. */
  compare(left: number, right: number, depth = 0): number {
    if (this.isNumeric) {
      const a = this.numbers[left];
      const b = this.numbers[right];
      return a < b ? -1 : a > b ? 1 : 0;
    }
    const leftLength = this.lengths[left];
    const rightLength = this.lengths[right];
    const common = Math.min(leftLength, rightLength);
    const leftStart = this.starts[left];
    const rightStart = this.starts[right];
    const { bytes } = this;
    for (let index = depth; index < common; index++) {
      const difference = bytes[leftStart + index] - bytes[rightStart + index];
      if (difference !== 0) return difference;
    }
    return leftLength - rightLength;
  }

  async sort(): Promise<void> {
    const { count } = this;
    const order = new Uint32Array(count);
    let isSorted = true;
    for (let at = 0; at < count; at++) {
      order[at] = at;
      if (at > 0 && isSorted && this.compare(at - 1, at) > 0) isSorted = false;
      if ((at & (SLICE - 1)) === SLICE - 1) await this.yieldToLoop();
    }
    this.order = order;
    if (isSorted) {
      await this.orderRows();
      return;
    }
    const scratch = new Uint32Array(count);
    const high = new Uint32Array(count);
    const low = new Uint32Array(count);
    await this.sortRange(0, count, 0, scratch, high, low);
    await this.orderRows();
  }

  /** Orders entries with equal keys by row id. */
  private async orderRows(): Promise<void> {
    const { order, rows } = this;
    let start = 0;
    let isAscending = true;
    for (let at = 1; at <= this.count; at++) {
      if (at < this.count && this.compare(order[at - 1], order[at]) === 0) {
        if (rows[order[at - 1]] > rows[order[at]]) isAscending = false;
      } else {
        if (!isAscending)
          order.subarray(start, at).sort((left, right) => rows[left] - rows[right] || left - right);
        start = at;
        isAscending = true;
      }
      if ((at & (SLICE - 1)) === 0) await this.yieldToLoop();
    }
  }

  private async pause(elements: number): Promise<void> {
    this.moved += elements;
    if (this.moved < SLICE) return;
    this.moved = 0;
    await this.yieldToLoop();
  }

  private async sortRange(
    start: number,
    end: number,
    depth: number,
    scratch: Uint32Array,
    high: Uint32Array,
    low: Uint32Array,
  ): Promise<void> {
    const count = end - start;
    if (count < 2) return;
    if (count <= SMALL_RUN) {
      this.insertionSort(start, end, depth);
      await this.pause(count * 4);
      return;
    }
    for (let from = start; from < end; from += SLICE) {
      const stop = Math.min(end, from + SLICE);
      this.fillDigits(from, stop, depth, high, low);
      await this.pause(stop - from);
    }
    const width = this.isNumeric ? 8 : 6;
    for (let digit = 0; digit < width; digit++) await this.pass(start, end, digit, scratch, high, low);
    if (this.isNumeric) return;
    // Where six bytes were equal the next six decide.
    let runStart = start;
    for (let at = start + 1; at <= end; at++) {
      if (at < end) {
        const left = this.order[at - 1];
        const right = this.order[at];
        if (high[left] === high[right] && low[left] === low[right]) continue;
      }
      if (at - runStart > 1) {
        const longest = this.longest(runStart, at);
        if (longest > depth + 6 || this.shortest(runStart, at) < depth + 6) {
          const isShort = this.shortest(runStart, at) < depth + 6;
          // Padding makes a short key equal to one with zero bytes there: compare those in full.
          if (isShort) this.comparisonSort(runStart, at, depth);
          else await this.sortRange(runStart, at, depth + 6, scratch, high, low);
        }
      }
      runStart = at;
      await this.pause(1);
    }
  }

  private longest(start: number, end: number): number {
    let longest = 0;
    for (let at = start; at < end; at++) longest = Math.max(longest, this.lengths[this.order[at]]);
    return longest;
  }

  private shortest(start: number, end: number): number {
    let shortest = Infinity;
    for (let at = start; at < end; at++) shortest = Math.min(shortest, this.lengths[this.order[at]]);
    return shortest;
  }

  private insertionSort(start: number, end: number, depth: number): void {
    const { order } = this;
    for (let at = start + 1; at < end; at++) {
      const entry = order[at];
      let to = at;
      while (to > start && this.compare(order[to - 1], entry, depth) > 0) {
        order[to] = order[to - 1];
        to--;
      }
      order[to] = entry;
    }
  }

  private comparisonSort(start: number, end: number, depth: number): void {
    this.order.subarray(start, end).sort((left, right) => this.compare(left, right, depth) || left - right);
  }

  /** Digits by entry number (not position): high and low 32 bits in unsigned order. */
  private fillDigits(start: number, end: number, depth: number, high: Uint32Array, low: Uint32Array): void {
    const { order } = this;
    if (this.isNumeric) {
      const floats = new Float64Array(1);
      const words = new Uint32Array(floats.buffer);
      for (let at = start; at < end; at++) {
        const entry = order[at];
        floats[0] = this.numbers[entry] + 0;
        const top = words[1];
        if (top >>> 31 === 1) {
          high[entry] = ~top;
          low[entry] = ~words[0];
        } else {
          high[entry] = top | 0x80000000;
          low[entry] = words[0];
        }
      }
    } else {
      for (let at = start; at < end; at++) {
        const entry = order[at];
        const from = this.starts[entry] + depth;
        const rest = Math.max(0, this.lengths[entry] - depth);
        const head = headOf(this.bytes.subarray(from, from + Math.min(6, rest)), Math.min(6, rest));
        high[entry] = Math.floor(head / 4294967296);
        low[entry] = head >>> 0;
      }
    }
  }

  private async pass(
    start: number,
    end: number,
    digit: number,
    scratch: Uint32Array,
    high: Uint32Array,
    low: Uint32Array,
  ): Promise<void> {
    const { order } = this;
    const words = digit < 4 ? low : high;
    const shift = (digit & 3) * 8;
    const counts = new Uint32Array(257);
    for (let from = start; from < end; from += SLICE) {
      const stop = Math.min(end, from + SLICE);
      for (let at = from; at < stop; at++) counts[((words[order[at]] >>> shift) & 255) + 1]++;
      await this.pause(stop - from);
    }
    for (let value = 0; value < 256; value++) if (counts[value + 1] === end - start) return;
    for (let value = 0; value < 256; value++) counts[value + 1] += counts[value];
    let at = start;
    while (at < end) {
      const stop = Math.min(end, at + SLICE);
      for (; at < stop; at++) {
        const entry = order[at];
        scratch[start + counts[(words[entry] >>> shift) & 255]++] = entry;
      }
      await this.pause(SLICE);
    }
    order.set(scratch.subarray(start, end), start);
  }
}
