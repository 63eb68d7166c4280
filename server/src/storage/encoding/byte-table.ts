/** Open-addressing table of distinct byte strings with their order of arrival; for dictionaries and distinct estimates. */
import { compareBytes } from '../byte-order.ts';

export class ByteTable {
  size = 0;
  private slots: Int32Array;
  private hashes: Int32Array;
  private sources: Uint8Array[] = [];
  private starts: number[] = [];
  private ends: number[] = [];
  private times: number[] = [];

  constructor(expected: number) {
    let capacity = 64;
    while (capacity < expected * 2) capacity *= 2;
    this.slots = new Int32Array(capacity).fill(-1);
    this.hashes = new Int32Array(capacity);
  }

  /** Position of the string in order of first arrival. The bytes are borrowed for the table's life. */
  add(bytes: Uint8Array, start: number, end: number): number {
    let hash = 0x811c9dc5 ^ (end - start);
    let index = start;
    // Four bytes a multiplication: the chain of multiplications is what takes the time.
    for (; index + 4 <= end; index += 4) {
      const word =
        bytes[index]! | (bytes[index + 1]! << 8) | (bytes[index + 2]! << 16) | (bytes[index + 3]! << 24);
      hash = Math.imul(hash ^ word, 0x85ebca6b);
      hash ^= hash >>> 13;
    }
    for (; index < end; index++) hash = Math.imul(hash ^ bytes[index]!, 0x01000193);
    hash ^= hash >>> 15;
    hash = Math.imul(hash, 0x2c1b3c6d);
    hash ^= hash >>> 13;
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    while (true) {
      const entry = this.slots[slot]!;
      if (entry < 0) break;
      if (this.hashes[slot] === hash && this.equals(entry, bytes, start, end)) {
        this.times[entry]!++;
        return entry;
      }
      slot = (slot + 1) & mask;
    }
    const entry = this.size++;
    this.slots[slot] = entry;
    this.hashes[slot] = hash;
    this.sources.push(bytes);
    this.starts.push(start);
    this.ends.push(end);
    this.times.push(1);
    if (this.size * 2 > this.slots.length) this.rehash();
    return entry;
  }

  private equals(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.starts[entry]!;
    if (this.ends[entry]! - from !== end - start) return false;
    const source = this.sources[entry]!;
    for (let index = 0; index < end - start; index++)
      if (source[from + index] !== bytes[start + index]) return false;
    return true;
  }

  private rehash(): void {
    const { slots, hashes } = this;
    this.slots = new Int32Array(slots.length * 2).fill(-1);
    this.hashes = new Int32Array(slots.length * 2);
    const mask = this.slots.length - 1;
    for (let old = 0; old < slots.length; old++) {
      if (slots[old]! < 0) continue;
      let slot = hashes[old]! & mask;
      while (this.slots[slot]! >= 0) slot = (slot + 1) & mask;
      this.slots[slot] = slots[old]!;
      this.hashes[slot] = hashes[old]!;
    }
  }

  seenOnce(): number {
    let once = 0;
    for (const times of this.times) if (times === 1) once++;
    return once;
  }

  view(entry: number): Uint8Array {
    return this.sources[entry]!.subarray(this.starts[entry], this.ends[entry]);
  }

  copy(entry: number): Uint8Array {
    return this.view(entry).slice();
  }

  /** Entries in ascending byte order. */
  sorted(): Int32Array {
    const views = Array.from({ length: this.size }, (_, entry) => this.view(entry));
    return Int32Array.from(
      Array.from(views.keys()).sort((left, right) => compareBytes(views[left]!, views[right]!)),
    );
  }

  /** All values in the given order, one after the other. */
  pack(order: Int32Array): { offsets: Uint32Array; bytes: Uint8Array; lengths: Float64Array } {
    const offsets = new Uint32Array(order.length + 1);
    const lengths = new Float64Array(order.length);
    for (let slot = 0; slot < order.length; slot++) {
      lengths[slot] = this.ends[order[slot]!]! - this.starts[order[slot]!]!;
      offsets[slot + 1] = offsets[slot]! + lengths[slot]!;
    }
    const bytes = new Uint8Array(offsets[order.length]!);
    for (let slot = 0; slot < order.length; slot++) bytes.set(this.view(order[slot]!), offsets[slot]);
    return { offsets, bytes, lengths };
  }
}
