/**
 * Sorted immutable runs: how an index lies on disk. docs/format/index-run.md has the byte table.
 *
 * A run is cut into parts of at most {@link PART_BYTES} before compression; each part stands alone. Keys are delta-coded
 * (numbers) or prefix-coded (bytes), row ids delta-coded against the entry before.
 */
import { DbError } from '../base/error.ts';
import { type ByteCursor, ByteTree, ByteTreeBuilder } from './byte-tree.ts';
import { KeyBuffer, KeyRange } from './contract.ts';
import { NumericTree, NumericTreeBuilder } from './numeric-tree.ts';

const PART_BYTES = 1 << 20;
const FORM_NUMERIC = 1;
const FORM_BYTES = 2;
/** Entries written between two yields. */
const ENTRIES_PER_SLICE = 16384;

class RunWriter {
  bytes: Uint8Array = new Uint8Array(PART_BYTES + 65536);
  length = 5;
  count = 0;

  reset(form: number): void {
    this.bytes[0] = form;
    this.length = 5;
    this.count = 0;
  }

  finish(): Uint8Array {
    new DataView(this.bytes.buffer).setUint32(1, this.count, true);
    return this.bytes.slice(0, this.length);
  }

  /** LEB128 of a non-negative integer below 2^53. */
  varint(value: number): void {
    while (value >= 128) {
      this.bytes[this.length++] = (value % 128) | 128;
      value = Math.floor(value / 128);
    }
    this.bytes[this.length++] = value;
  }

  signed(value: number): void {
    this.varint(value < 0 ? -value * 2 - 1 : value * 2);
  }

  f64(value: number): void {
    new DataView(this.bytes.buffer).setFloat64(this.length, value, true);
    this.length += 8;
  }
}

class RunReader {
  private readonly bytes: Uint8Array;
  position = 5;
  readonly form: number;
  readonly count: number;

  constructor(bytes: Uint8Array) {
    if (bytes.length < 5) throw damaged();
    this.bytes = bytes;
    this.form = bytes[0];
    this.count = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1, true);
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      if (this.position >= this.bytes.length) throw damaged();
      const byte = this.bytes[this.position++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }

  signed(): number {
    const value = this.varint();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  f64(): number {
    const value = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.position).getFloat64(0, true);
    this.position += 8;
    return value;
  }

  copy(target: KeyBuffer, from: number, length: number): void {
    if (this.position + length > this.bytes.length) throw damaged();
    target.length = from;
    target.ensure(length);
    target.bytes.set(this.bytes.subarray(this.position, this.position + length), from);
    target.length = from + length;
    this.position += length;
  }
}

function damaged(): DbError {
  return new DbError('index_corrupted', 'index run is shorter than its header claims');
}

/** Kinds of a numeric entry's key: the difference to the one before, or a double in full (first, NULL marks). */
const KEY_FULL = 1;

/** Writes the whole tree, part by part, giving the turn back between slices; the tree may change meanwhile. */
export async function writeRun(
  tree: NumericTree | ByteTree,
  emit: (part: Uint8Array) => void,
  yieldToLoop: () => Promise<void>,
): Promise<void> {
  const writer = new RunWriter();
  const isNumeric = tree instanceof NumericTree;
  writer.reset(isNumeric ? FORM_NUMERIC : FORM_BYTES);
  let previousRow = 0;
  let previousNumber = 0;
  const previousKey = new KeyBuffer();
  const key = new KeyBuffer();
  const range = new KeyRange();
  range.from.number = -Infinity;
  range.to.number = Infinity;
  const cursor = tree.cursor();
  cursor.reset(range, false);
  let inSlice = 0;
  while (cursor.next()) {
    if (isNumeric) {
      const { key: number } = cursor as ReturnType<NumericTree['cursor']>;
      const difference = number - previousNumber;
      if (writer.count > 0 && Number.isSafeInteger(difference) && Number.isSafeInteger(number)) {
        writer.varint(difference * 2);
      } else {
        writer.varint(KEY_FULL);
        writer.f64(number);
      }
      previousNumber = number;
    } else {
      (cursor as ByteCursor).copyKey(key);
      let shared = 0;
      if (writer.count > 0) {
        const limit = Math.min(key.length, previousKey.length);
        while (shared < limit && key.bytes[shared] === previousKey.bytes[shared]) shared++;
      }
      writer.varint(shared);
      writer.varint(key.length - shared);
      writer.bytes.set(key.bytes.subarray(shared, key.length), writer.length);
      writer.length += key.length - shared;
      previousKey.copyFrom(key);
    }
    writer.signed(cursor.rowId - previousRow);
    previousRow = cursor.rowId;
    writer.count++;
    if (writer.length >= PART_BYTES) {
      emit(writer.finish());
      writer.reset(isNumeric ? FORM_NUMERIC : FORM_BYTES);
      previousRow = 0;
    }
    if (++inSlice >= ENTRIES_PER_SLICE) {
      inSlice = 0;
      await yieldToLoop();
    }
  }
  emit(writer.finish());
}

/** Rebuilds the tree from its parts in order. */
export async function readRun(
  parts: readonly Uint8Array[],
  yieldToLoop: () => Promise<void>,
): Promise<NumericTree | ByteTree> {
  const isNumeric = parts.length > 0 && parts[0][0] === FORM_NUMERIC;
  if (isNumeric) {
    const tree = new NumericTree();
    const builder = new NumericTreeBuilder(tree);
    for (const part of parts) {
      const reader = new RunReader(part);
      let number = 0;
      let row = 0;
      for (let at = 0; at < reader.count; at++) {
        const step = reader.varint();
        number = step === KEY_FULL ? reader.f64() : number + step / 2;
        row += reader.signed();
        builder.add(number, row);
      }
      await yieldToLoop();
    }
    builder.finish();
    return tree;
  }
  const tree = new ByteTree();
  const builder = new ByteTreeBuilder(tree);
  const key = new KeyBuffer();
  for (const part of parts) {
    const reader = new RunReader(part);
    let row = 0;
    key.length = 0;
    for (let at = 0; at < reader.count; at++) {
      const shared = reader.varint();
      const length = reader.varint();
      if (shared > key.length) throw damaged();
      reader.copy(key, shared, length);
      row += reader.signed();
      builder.add(key.bytes, 0, key.length, row);
    }
    await yieldToLoop();
  }
  builder.finish();
  return tree;
}
