/** One contract for ordered indexes: entries (key, rowId), ordered by key and then by row id. */
import type { RowId } from '../base/brands.ts';

const NO_BYTES = new Uint8Array(0);

/**
 * A key in its comparable form. Single integer-like keys are a double (`number`); all others are bytes whose memcmp order is
 * the order of the index. Reused by its owner; trees copy what they keep.
 */
export class KeyBuffer {
  number = 0;
  bytes: Uint8Array = NO_BYTES;
  length = 0;

  ensure(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(64, this.bytes.length * 2, this.length + count));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  byte(value: number): void {
    this.ensure(1);
    this.bytes[this.length++] = value;
  }

  copyFrom(other: KeyBuffer): void {
    this.number = other.number;
    this.length = 0;
    this.ensure(other.length);
    this.bytes.set(other.bytes.subarray(0, other.length));
    this.length = other.length;
  }

  equals(other: KeyBuffer): boolean {
    if (this.length !== other.length || this.number !== other.number) return false;
    for (let index = 0; index < this.length; index++)
      if (this.bytes[index] !== other.bytes[index]) return false;
    return true;
  }
}

/**
 * Keys from `from` (inclusive) to `to` (exclusive for bytes, inclusive for numbers). Numbers: open ends are ±Infinity
 * plus NULL marks, see key-codec. Bytes: `to` of length 0 is open.
 */
export class KeyRange {
  readonly from = new KeyBuffer();
  readonly to = new KeyBuffer();
  isEmpty = false;
}

/** A position that survives changes of the tree between calls. */
export interface IndexCursor {
  /** Begins anew over `range`. */
  reset(range: KeyRange, backward: boolean): void;
  /** Moves on; false at the end. */
  next(): boolean;
  readonly rowId: RowId;
}

export interface OrderedIndex {
  readonly size: number;
  /** Bytes of memory, roughly. */
  readonly bytes: number;
  /** False if the entry was there already. */
  insert(key: KeyBuffer, rowId: RowId): boolean;
  /** False if it was not there. */
  remove(key: KeyBuffer, rowId: RowId): boolean;
  cursor(): IndexCursor;
  /** Counts up with every change, for flush decisions. */
  readonly changes: number;
}
