/** Decoding a column payload into vectors and single values. */
import type { PhysicalType } from '../../types/contract.ts';
import type { ColumnVector, FixedValues } from '../../types/vector.ts';
import type { PhysicalValue } from '../contract.ts';
import { check, PayloadDamage } from '../corruption.ts';
import { DictionaryBytes } from '../encoding/dictionary.ts';
import {
  type BytesNode,
  type BytesSink,
  type FloatNode,
  type IntegerNode,
  storeNumber64,
} from '../encoding/node.ts';
import { openBytes, openFloat, openInteger } from '../encoding/open.ts';
import { StringsNode } from '../encoding/strings.ts';
import { COLUMN_HEADER_BYTES, COLUMN_MAGIC, PHYSICAL_CODE } from './column-encode.ts';

/** Any root node. */
export type RootNode =
  | { readonly family: 'integer'; readonly node: IntegerNode }
  | { readonly family: 'float'; readonly node: FloatNode }
  | { readonly family: 'bytes'; readonly node: BytesNode };

/** An opened column payload. Valid while the payload's block is pinned. */
export interface OpenColumn {
  readonly physical: PhysicalType;
  readonly count: number;
  readonly nullCount: number;
  /** One bit per row, 1 = present; null without NULLs. */
  readonly validity: Uint8Array | null;
  readonly root: RootNode;
}

export function familyOf(physical: PhysicalType): RootNode['family'] {
  if (physical === 'float32' || physical === 'float64') return 'float';
  return physical === 'bytes16' || physical === 'varlen' ? 'bytes' : 'integer';
}

/** Opens and checks a payload; `count` is what the descriptor promises. Throws PayloadDamage. */
export function openColumn(payload: Uint8Array, physical: PhysicalType, count: number): OpenColumn {
  check(payload.length >= COLUMN_HEADER_BYTES, `column payload of ${payload.length} bytes`);
  const header = new DataView(payload.buffer, payload.byteOffset, COLUMN_HEADER_BYTES);
  check(header.getUint32(0, true) === COLUMN_MAGIC, 'column magic');
  check(header.getUint32(4, true) === count, `column of ${header.getUint32(4, true)} rows, not ${count}`);
  check(
    header.getUint8(20) === PHYSICAL_CODE[physical],
    `physical type code ${header.getUint8(20)} for ${physical}`,
  );
  const nullCount = header.getUint32(8, true);
  const bitmapAt = header.getUint32(12, true);
  const bitmapBytes = (count + 7) >>> 3;
  check(nullCount <= count && (nullCount === 0) === (bitmapAt === 0), `${nullCount} NULLs of ${count}`);
  check(bitmapAt + bitmapBytes <= payload.length || bitmapAt === 0, 'null bitmap does not fit');
  const rootAt = header.getUint32(16, true);
  const family = familyOf(physical);
  const root = (
    family === 'integer'
      ? { family, node: openInteger(payload, rootAt).node }
      : family === 'float'
        ? { family, node: openFloat(payload, rootAt).node }
        : { family, node: openBytes(payload, rootAt).node }
  ) as RootNode;
  check(root.node.count === count, `root node of ${root.node.count} rows, not ${count}`);
  const validity = bitmapAt === 0 ? null : payload.subarray(bitmapAt, bitmapAt + bitmapBytes);
  return { physical, count, nullCount, validity, root };
}

export function isNullAt(column: OpenColumn, index: number): boolean {
  return column.validity !== null && (column.validity[index >>> 3]! & (1 << (index & 7))) === 0;
}

const wordBuffers = new WeakMap<BigInt64Array, Int32Array>();

/** The 32-bit words of a BigInt64Array (cached: targets are reused). */
export function wordsOf(values: BigInt64Array): Int32Array {
  let words = wordBuffers.get(values);
  if (words === undefined) {
    words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
    wordBuffers.set(values, words);
  }
  return words;
}

function fixedBuffer(physical: PhysicalType, count: number): FixedValues {
  switch (physical) {
    case 'bool':
      return new Uint8Array(count);
    case 'int16':
      return new Int16Array(count);
    case 'int32':
      return new Int32Array(count);
    case 'int64':
    case 'decimal64':
      return new BigInt64Array(count);
    case 'float32':
      return new Float32Array(count);
    case 'float64':
      return new Float64Array(count);
    case 'bytes16':
    case 'varlen':
      return new Uint8Array(count * 16);
  }
}

/** Makes `target` ready for `count` values of a physical type, keeping buffers that are large enough. */
export function prepareTarget(target: ColumnVector, physical: PhysicalType, count: number): void {
  const isSameType = target.physical === physical;
  target.physical = physical;
  target.count = count;
  if (physical === 'varlen') {
    target.values = null;
    if (target.offsets === null || target.offsets.length < count + 1)
      target.offsets = new Uint32Array(count + 1);
    target.bytes ??= new Uint8Array(Math.max(64, count * 8));
    return;
  }
  target.offsets = null;
  target.bytes = null;
  const wanted = physical === 'bytes16' ? count * 16 : count;
  if (!isSameType || target.values === null || target.values.length < wanted)
    target.values = fixedBuffer(physical, count);
}

/** Collects variable-length values into a vector's buffers. */
class VectorSink implements BytesSink {
  private readonly target: ColumnVector;
  private bytes: Uint8Array;
  private readonly offsets: Uint32Array;
  private readonly validity: Uint8Array | null;
  private index = 0;
  private at = 0;

  constructor(target: ColumnVector) {
    this.target = target;
    this.bytes = target.bytes!;
    this.offsets = target.offsets!;
    this.validity = target.validity;
    this.offsets[0] = 0;
  }

  append(source: Uint8Array, start: number, end: number): void {
    // Encodings repeat a neighbour under a NULL; a vector promises no bytes there.
    if (this.validity !== null && (this.validity[this.index >>> 3]! & (1 << (this.index & 7))) === 0)
      end = start;
    const length = end - start;
    const next = this.at + length;
    if (next > this.bytes.length) {
      const larger = new Uint8Array(Math.max(next, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, this.at));
      this.bytes = larger;
      this.target.bytes = larger;
    }
    const bytes = this.bytes;
    if (length <= 24)
      for (let index = start, to = this.at; index < end; index++) bytes[to++] = source[index]!;
    else bytes.set(source.subarray(start, end), this.at);
    this.at = next;
    this.offsets[++this.index] = next;
  }
}

/** bytes16 values into a fixed buffer. */
class UuidSink implements BytesSink {
  private readonly values: Uint8Array;
  private at = 0;
  constructor(values: Uint8Array) {
    this.values = values;
  }
  append(source: Uint8Array, start: number, end: number): void {
    check(end - start === 16, 'uuid length');
    for (let index = start; index < end; index++) this.values[this.at++] = source[index]!;
  }
}

/** Rows [start, end) of the bitmap, moved to bit 0. Reuses `previous` when large enough. */
export function sliceValidity(
  validity: Uint8Array,
  start: number,
  end: number,
  previous: Uint8Array | null,
): Uint8Array {
  const length = (end - start + 7) >>> 3;
  const bits = previous !== null && previous.length >= length ? previous : new Uint8Array(length);
  const shift = start & 7;
  const first = start >>> 3;
  if (shift === 0) bits.set(validity.subarray(first, first + length));
  else
    for (let index = 0; index < length; index++)
      bits[index] =
        (validity[first + index]! >>> shift) | ((validity[first + index + 1] ?? 0) << (8 - shift));
  return bits;
}

/** Decodes rows [start, end) into `target`. */
export function decodeRange(column: OpenColumn, start: number, end: number, target: ColumnVector): void {
  prepareTarget(target, column.physical, end - start);
  target.validity =
    column.validity === null ? null : sliceValidity(column.validity, start, end, target.validity);
  const { root } = column;
  if (root.family === 'integer') {
    if (target.values instanceof BigInt64Array) root.node.decode64(start, end, wordsOf(target.values), 0);
    else root.node.decode32(start, end, target.values as Int32Array | Int16Array | Uint8Array, 0);
  } else if (root.family === 'float') {
    root.node.decode(start, end, target.values as Float64Array | Float32Array, 0);
  } else if (column.physical === 'bytes16') {
    root.node.decode(start, end, new UuidSink(target.values as Uint8Array));
  } else if (root.node instanceof StringsNode) {
    const { bytes, from, to } = root.node.range(start, end, target.offsets!);
    if (target.bytes!.length < to - from) target.bytes = new Uint8Array(to - from);
    target.bytes!.set(bytes.subarray(from, to));
  } else if (root.node instanceof DictionaryBytes) {
    root.node.decodeFlat(start, end, target.validity, target.offsets!, (length) => {
      if (target.bytes!.length < length) target.bytes = new Uint8Array(length);
      return target.bytes!;
    });
  } else {
    root.node.decode(start, end, new VectorSink(target));
  }
}

/** Decodes chosen rows into `target`. */
export function decodePositions(
  column: OpenColumn,
  positions: Uint16Array,
  count: number,
  target: ColumnVector,
): void {
  prepareTarget(target, column.physical, count);
  for (let index = 0; index < count; index++)
    if (positions[index]! >= column.count)
      throw new PayloadDamage(`row ${positions[index]} of ${column.count}`);
  if (column.validity === null) target.validity = null;
  else {
    const length = (count + 7) >>> 3;
    const bits =
      target.validity !== null && target.validity.length >= length ? target.validity : new Uint8Array(length);
    bits.fill(0, 0, length);
    for (let index = 0; index < count; index++)
      if (!isNullAt(column, positions[index]!)) bits[index >>> 3]! |= 1 << (index & 7);
    target.validity = bits;
  }
  if (count === 0) {
    if (target.offsets !== null) target.offsets[0] = 0;
    return;
  }
  const { root } = column;
  let first = positions[0]!;
  let last = first;
  for (let index = 1; index < count; index++) {
    const row = positions[index]!;
    if (row < first) first = row;
    if (row > last) last = row;
  }
  // Dense picks decode the whole span once; sparse ones go row by row.
  const isDense = count * 8 >= last - first + 1 && count > 4;
  if (isDense) pickFromSpan(column, positions, count, first, last + 1, target);
  else if (root.family === 'integer') pickIntegers(root.node, positions, count, target);
  else if (root.family === 'float') {
    const values = target.values as Float64Array | Float32Array;
    for (let index = 0; index < count; index++) values[index] = root.node.at(positions[index]!);
  } else {
    const sink: BytesSink =
      column.physical === 'bytes16' ? new UuidSink(target.values as Uint8Array) : new VectorSink(target);
    for (let index = 0; index < count; index++) {
      const value = root.node.at(positions[index]!);
      sink.append(value, 0, value.length);
    }
  }
}

function pickIntegers(node: IntegerNode, positions: Uint16Array, count: number, target: ColumnVector): void {
  const { values } = target;
  if (!(values instanceof BigInt64Array)) {
    const narrow = values as Int32Array | Int16Array | Uint8Array;
    for (let index = 0; index < count; index++) narrow[index] = node.numberAt(positions[index]!);
  } else if (node.isSafe) {
    const words = wordsOf(values);
    for (let index = 0; index < count; index++) storeNumber64(words, index, node.numberAt(positions[index]!));
  } else for (let index = 0; index < count; index++) values[index] = node.bigintAt(positions[index]!);
}

const spans = new Map<PhysicalType, ColumnVector>();

function pickFromSpan(
  column: OpenColumn,
  positions: Uint16Array,
  count: number,
  start: number,
  end: number,
  target: ColumnVector,
): void {
  const { physical } = column;
  let span = spans.get(physical);
  if (span === undefined) {
    span = { physical, count: 0, values: null, offsets: null, bytes: null, validity: null };
    spans.set(physical, span);
  }
  decodeRange(column, start, end, span);
  if (physical === 'varlen') {
    const sink = new VectorSink(target);
    const offsets = span.offsets!;
    const bytes = span.bytes!;
    for (let index = 0; index < count; index++) {
      const row = positions[index]! - start;
      sink.append(bytes, offsets[row]!, offsets[row + 1]!);
    }
    // A span of long values must not stay with the thread for ever.
    if (bytes.length > 1 << 20) spans.delete(physical);
  } else if (physical === 'bytes16') {
    const sink = new UuidSink(target.values as Uint8Array);
    const values = span.values as Uint8Array;
    for (let index = 0; index < count; index++) {
      const row = positions[index]! - start;
      sink.append(values, row * 16, row * 16 + 16);
    }
  } else if (target.values instanceof BigInt64Array) {
    const from = wordsOf(span.values as BigInt64Array);
    const to = wordsOf(target.values);
    for (let index = 0; index < count; index++) {
      const row = positions[index]! - start;
      to[2 * index] = from[2 * row]!;
      to[2 * index + 1] = from[2 * row + 1]!;
    }
  } else {
    const from = span.values as Int32Array;
    const to = target.values as Int32Array;
    for (let index = 0; index < count; index++) to[index] = from[positions[index]! - start]!;
  }
}

/** One value; bytes are copied. */
export function valueAt(column: OpenColumn, index: number): PhysicalValue | null {
  if (isNullAt(column, index)) return null;
  const { root } = column;
  if (root.family === 'integer')
    return column.physical === 'int64' || column.physical === 'decimal64'
      ? root.node.bigintAt(index)
      : root.node.numberAt(index);
  if (root.family === 'float') return root.node.at(index);
  return root.node.at(index).slice();
}

/** Full check of a payload's inside, beyond what opening checks. */
export function validateColumn(column: OpenColumn): void {
  column.root.node.validate();
  if (column.validity !== null) {
    let present = 0;
    for (let index = 0; index < column.count; index++) if (!isNullAt(column, index)) present++;
    check(column.count - present === column.nullCount, `null bitmap has ${column.count - present} NULLs`);
  }
}
