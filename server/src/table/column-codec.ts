/**
 * How one column's values move between their forms: Datum (row executor), delta cell, vector, physical value, log bytes.
 *
 * One codec per physical type, specialised for the few cases where a Datum differs from its physical value (unsigned
 * int32, time as number, decimals, uuid). Codecs are stateless and shared by all chunks of a column.
 */

import { internalError } from '../base/error.ts';
import { readShortAscii, SHORT_READ_BYTES, SHORT_WRITE_LENGTH, writeShortAscii } from '../base/short-text.ts';
import type { LogBuffer } from '../txn/log-buffer.ts';
import type { PhysicalType, TypeSupport } from '../types/contract.ts';
import type { Datum } from '../types/datum.ts';
import { Numeric } from '../types/numeric.ts';
import { OID } from '../types/oid.ts';
import { isNumberInt64, isUnsigned, isUnsigned64 } from '../types/value-bytes.ts';
import type { ColumnVector, FixedValues } from '../types/vector.ts';
import { decimalScale } from '../types/vector-io.ts';
import { VarHeap } from './heap.ts';
import type { LogReader } from './log-reader.ts';

/** A value without its SQL meaning, as zone maps and segment readers give it. */
export type PhysicalValue = number | bigint | Uint8Array;

/** Null marks of delta cells. */
export const CELL_PRESENT = 0;
export const CELL_NULL = 1;
/** The row is older than the column: its value is the column's missing value. */
export const CELL_MISSING = 2;

/** One column of a delta chunk. varlen: `values` holds addresses (or up to 4 inline bytes), `lengths` the byte counts. */
export interface ChunkColumn {
  readonly values: FixedValues | Uint32Array;
  readonly lengths: Int32Array | null;
  readonly nulls: Uint8Array;
}

/** See the module comment. */
export interface ColumnCodec {
  readonly physical: PhysicalType;
  /** Bytes per row of the fixed part. */
  readonly width: number;
  /** Stores a non-null value in the cell. */
  store(column: ChunkColumn, row: number, value: Datum, heap: VarHeap): void;
  load(column: ChunkColumn, row: number, heap: VarHeap): Datum;
  /** The cell's value in physical form (varlen: a private copy). */
  loadPhysical(column: ChunkColumn, row: number, heap: VarHeap): PhysicalValue;
  fromPhysical(value: PhysicalValue): Datum;
  /** Physical form for predicates; null when the column cannot hold the value exactly. */
  toPhysical(value: Datum): PhysicalValue | null;
  fromVector(vector: ColumnVector, row: number): Datum;
  /** Copies a non-null vector value into the cell. */
  storeFromVector(column: ChunkColumn, row: number, vector: ColumnVector, at: number, heap: VarHeap): void;
  /** Copies a non-null cell into another cell (varlen: a new heap cell). */
  copy(
    source: ChunkColumn,
    from: number,
    sourceHeap: VarHeap,
    target: ChunkColumn,
    to: number,
    heap: VarHeap,
  ): void;
  /** Gives a varlen cell's memory back. */
  drop(column: ChunkColumn, row: number, heap: VarHeap): void;
  /** Appends the non-null cell's bytes to the log. */
  log(buffer: LogBuffer, column: ChunkColumn, row: number, heap: VarHeap): void;
  /** The same for a vector value. */
  logVector(buffer: LogBuffer, vector: ColumnVector, at: number): void;
  /** Stores the value at the reader's position. */
  replay(reader: LogReader, column: ChunkColumn, row: number, heap: VarHeap): void;
  /** Sets vector[at] from a non-null cell. varlen vectors are built with {@link VectorBuilder}. */
  toVector(column: ChunkColumn, row: number, vector: ColumnVector, at: number, heap: VarHeap): void;
}

abstract class FixedCodec implements ColumnCodec {
  abstract readonly physical: PhysicalType;
  abstract readonly width: number;
  abstract store(column: ChunkColumn, row: number, value: Datum): void;
  abstract load(column: ChunkColumn, row: number): Datum;
  abstract fromPhysical(value: PhysicalValue): Datum;
  abstract toPhysical(value: Datum): PhysicalValue | null;
  abstract fromVector(vector: ColumnVector, row: number): Datum;
  abstract log(buffer: LogBuffer, column: ChunkColumn, row: number): void;
  abstract logVector(buffer: LogBuffer, vector: ColumnVector, at: number): void;
  abstract replay(reader: LogReader, column: ChunkColumn, row: number): void;

  loadPhysical(column: ChunkColumn, row: number): PhysicalValue {
    return (column.values as FixedValues)[row];
  }

  storeFromVector(column: ChunkColumn, row: number, vector: ColumnVector, at: number): void {
    (column.values as FixedValues)[row] = (vector.values as FixedValues)[at];
  }

  copy(source: ChunkColumn, from: number, _sourceHeap: VarHeap, target: ChunkColumn, to: number): void {
    (target.values as FixedValues)[to] = (source.values as FixedValues)[from];
  }

  drop(): void {}

  toVector(column: ChunkColumn, row: number, vector: ColumnVector, at: number): void {
    (vector.values as FixedValues)[at] = (column.values as FixedValues)[row];
  }
}

class BoolCodec extends FixedCodec {
  readonly physical = 'bool';
  readonly width = 1;
  store(column: ChunkColumn, row: number, value: Datum): void {
    (column.values as Uint8Array)[row] = value ? 1 : 0;
  }
  load(column: ChunkColumn, row: number): Datum {
    return (column.values as Uint8Array)[row] !== 0;
  }
  fromPhysical(value: PhysicalValue): Datum {
    return value !== 0;
  }
  toPhysical(value: Datum): PhysicalValue {
    return value ? 1 : 0;
  }
  fromVector(vector: ColumnVector, row: number): Datum {
    return (vector.values as Uint8Array)[row] !== 0;
  }
  log(buffer: LogBuffer, column: ChunkColumn, row: number): void {
    buffer.u8((column.values as Uint8Array)[row]);
  }
  logVector(buffer: LogBuffer, vector: ColumnVector, at: number): void {
    buffer.u8((vector.values as Uint8Array)[at]);
  }
  replay(reader: LogReader, column: ChunkColumn, row: number): void {
    (column.values as Uint8Array)[row] = reader.u8();
  }
}

class Int16Codec extends FixedCodec {
  readonly physical = 'int16';
  readonly width = 2;
  store(column: ChunkColumn, row: number, value: Datum): void {
    (column.values as Int16Array)[row] = value as number;
  }
  load(column: ChunkColumn, row: number): Datum {
    return (column.values as Int16Array)[row];
  }
  fromPhysical(value: PhysicalValue): Datum {
    return value as number;
  }
  toPhysical(value: Datum): PhysicalValue | null {
    return typeof value === 'number' ? value : null;
  }
  fromVector(vector: ColumnVector, row: number): Datum {
    return (vector.values as Int16Array)[row];
  }
  log(buffer: LogBuffer, column: ChunkColumn, row: number): void {
    buffer.u16((column.values as Int16Array)[row] & 0xffff);
  }
  logVector(buffer: LogBuffer, vector: ColumnVector, at: number): void {
    buffer.u16((vector.values as Int16Array)[at] & 0xffff);
  }
  replay(reader: LogReader, column: ChunkColumn, row: number): void {
    (column.values as Int16Array)[row] = reader.u16();
  }
}

class Int32Codec extends FixedCodec {
  readonly physical = 'int32';
  readonly width = 4;
  store(column: ChunkColumn, row: number, value: Datum): void {
    (column.values as Int32Array)[row] = value as number;
  }
  load(column: ChunkColumn, row: number): Datum {
    return (column.values as Int32Array)[row];
  }
  fromPhysical(value: PhysicalValue): Datum {
    return value as number;
  }
  toPhysical(value: Datum): PhysicalValue | null {
    return typeof value === 'number' ? value : null;
  }
  fromVector(vector: ColumnVector, row: number): Datum {
    return (vector.values as Int32Array)[row];
  }
  log(buffer: LogBuffer, column: ChunkColumn, row: number): void {
    buffer.u32((column.values as Int32Array)[row] >>> 0);
  }
  logVector(buffer: LogBuffer, vector: ColumnVector, at: number): void {
    buffer.u32((vector.values as Int32Array)[at] >>> 0);
  }
  replay(reader: LogReader, column: ChunkColumn, row: number): void {
    (column.values as Int32Array)[row] = reader.u32();
  }
}

class Unsigned32Codec extends Int32Codec {
  override load(column: ChunkColumn, row: number): Datum {
    return (column.values as Int32Array)[row] >>> 0;
  }
  override fromPhysical(value: PhysicalValue): Datum {
    return (value as number) >>> 0;
  }
  /** Physical order is signed: predicates on unsigned columns are evaluated on values, except equality. */
  override toPhysical(value: Datum): PhysicalValue | null {
    return typeof value === 'number' ? value | 0 : null;
  }
  override fromVector(vector: ColumnVector, row: number): Datum {
    return (vector.values as Int32Array)[row] >>> 0;
  }
}

class Int64Codec extends FixedCodec {
  readonly physical: PhysicalType = 'int64';
  readonly width = 8;
  store(column: ChunkColumn, row: number, value: Datum): void {
    (column.values as BigInt64Array)[row] = value as bigint;
  }
  load(column: ChunkColumn, row: number): Datum {
    return (column.values as BigInt64Array)[row];
  }
  fromPhysical(value: PhysicalValue): Datum {
    return value as bigint;
  }
  toPhysical(value: Datum): PhysicalValue | null {
    return typeof value === 'bigint' ? value : null;
  }
  fromVector(vector: ColumnVector, row: number): Datum {
    return (vector.values as BigInt64Array)[row];
  }
  log(buffer: LogBuffer, column: ChunkColumn, row: number): void {
    buffer.i64((column.values as BigInt64Array)[row]);
  }
  logVector(buffer: LogBuffer, vector: ColumnVector, at: number): void {
    buffer.i64((vector.values as BigInt64Array)[at]);
  }
  replay(reader: LogReader, column: ChunkColumn, row: number): void {
    (column.values as BigInt64Array)[row] = reader.i64();
  }
}

/** xid8 */
class Unsigned64Codec extends Int64Codec {
  override load(column: ChunkColumn, row: number): Datum {
    return BigInt.asUintN(64, (column.values as BigInt64Array)[row]);
  }
  override fromPhysical(value: PhysicalValue): Datum {
    return BigInt.asUintN(64, value as bigint);
  }
  override toPhysical(value: Datum): PhysicalValue | null {
    return typeof value === 'bigint' ? BigInt.asIntN(64, value) : null;
  }
  override fromVector(vector: ColumnVector, row: number): Datum {
    return BigInt.asUintN(64, (vector.values as BigInt64Array)[row]);
  }
}

/** time: microseconds below 2^37 as a number. */
class TimeCodec extends Int64Codec {
  override store(column: ChunkColumn, row: number, value: Datum): void {
    (column.values as BigInt64Array)[row] = BigInt(value as number);
  }
  override load(column: ChunkColumn, row: number): Datum {
    return Number((column.values as BigInt64Array)[row]);
  }
  override fromPhysical(value: PhysicalValue): Datum {
    return Number(value as bigint);
  }
  override toPhysical(value: Datum): PhysicalValue | null {
    return typeof value === 'number' ? BigInt(value) : null;
  }
  override fromVector(vector: ColumnVector, row: number): Datum {
    return Number((vector.values as BigInt64Array)[row]);
  }
}

class Float32Codec extends FixedCodec {
  readonly physical = 'float32';
  readonly width = 4;
  store(column: ChunkColumn, row: number, value: Datum): void {
    (column.values as Float32Array)[row] = value as number;
  }
  load(column: ChunkColumn, row: number): Datum {
    return (column.values as Float32Array)[row];
  }
  fromPhysical(value: PhysicalValue): Datum {
    return value as number;
  }
  toPhysical(value: Datum): PhysicalValue | null {
    return typeof value === 'number' && Object.is(Math.fround(value), value) ? value : null;
  }
  fromVector(vector: ColumnVector, row: number): Datum {
    return (vector.values as Float32Array)[row];
  }
  log(buffer: LogBuffer, column: ChunkColumn, row: number): void {
    buffer.f64((column.values as Float32Array)[row]);
  }
  logVector(buffer: LogBuffer, vector: ColumnVector, at: number): void {
    buffer.f64((vector.values as Float32Array)[at]);
  }
  replay(reader: LogReader, column: ChunkColumn, row: number): void {
    (column.values as Float32Array)[row] = reader.f64();
  }
}

class Float64Codec extends FixedCodec {
  readonly physical = 'float64';
  readonly width = 8;
  store(column: ChunkColumn, row: number, value: Datum): void {
    (column.values as Float64Array)[row] = value as number;
  }
  load(column: ChunkColumn, row: number): Datum {
    return (column.values as Float64Array)[row];
  }
  fromPhysical(value: PhysicalValue): Datum {
    return value as number;
  }
  toPhysical(value: Datum): PhysicalValue | null {
    return typeof value === 'number' ? value : null;
  }
  fromVector(vector: ColumnVector, row: number): Datum {
    return (vector.values as Float64Array)[row];
  }
  log(buffer: LogBuffer, column: ChunkColumn, row: number): void {
    buffer.f64((column.values as Float64Array)[row]);
  }
  logVector(buffer: LogBuffer, vector: ColumnVector, at: number): void {
    buffer.f64((vector.values as Float64Array)[at]);
  }
  replay(reader: LogReader, column: ChunkColumn, row: number): void {
    (column.values as Float64Array)[row] = reader.f64();
  }
}

const DECIMAL_NAN = 9223372036854775807n;

/** numeric(p, s) with p at most 18, as the integer value * 10^s. */
class DecimalCodec extends Int64Codec {
  override readonly physical = 'decimal64';
  private readonly scale: number;
  constructor(scale: number) {
    super();
    this.scale = scale;
  }
  override store(column: ChunkColumn, row: number, value: Datum): void {
    const physical = this.toPhysical(value);
    if (physical === null) throw internalError('a numeric value does not fit the column it was coerced to');
    (column.values as BigInt64Array)[row] = physical as bigint;
  }
  override load(column: ChunkColumn, row: number): Datum {
    return this.fromPhysical((column.values as BigInt64Array)[row]);
  }
  override fromPhysical(value: PhysicalValue): Datum {
    const scaled = value as bigint;
    if (scaled === DECIMAL_NAN) return new Numeric(0, 0, 'NaN');
    const small = Number(scaled);
    return new Numeric(Number.isSafeInteger(small) ? small : scaled, this.scale);
  }
  override toPhysical(value: Datum): PhysicalValue | null {
    if (!(value instanceof Numeric)) return null;
    if (value.kind === 'NaN') return DECIMAL_NAN;
    if (value.kind !== 'finite') return null;
    let coefficient = BigInt(value.coefficient);
    if (value.scale < this.scale) coefficient *= 10n ** BigInt(this.scale - value.scale);
    else if (value.scale > this.scale) {
      const divisor = 10n ** BigInt(value.scale - this.scale);
      if (coefficient % divisor !== 0n) return null;
      coefficient /= divisor;
    }
    if (BigInt.asIntN(64, coefficient) !== coefficient || coefficient === DECIMAL_NAN) return null;
    return coefficient;
  }
  override fromVector(vector: ColumnVector, row: number): Datum {
    return this.fromPhysical((vector.values as BigInt64Array)[row]);
  }
}

/** 16-byte values; the Datum is a uuid in text form. */
class Bytes16Codec extends FixedCodec {
  readonly physical = 'bytes16';
  readonly width = 16;
  store(column: ChunkColumn, row: number, value: Datum): void {
    (column.values as Uint8Array).set(uuidBytes(value as string), row * 16);
  }
  load(column: ChunkColumn, row: number): Datum {
    return uuidText((column.values as Uint8Array).subarray(row * 16, row * 16 + 16));
  }
  override loadPhysical(column: ChunkColumn, row: number): PhysicalValue {
    return (column.values as Uint8Array).slice(row * 16, row * 16 + 16);
  }
  fromPhysical(value: PhysicalValue): Datum {
    return uuidText(value as Uint8Array);
  }
  toPhysical(value: Datum): PhysicalValue | null {
    return typeof value === 'string' ? uuidBytes(value) : null;
  }
  fromVector(vector: ColumnVector, row: number): Datum {
    return uuidText((vector.values as Uint8Array).subarray(row * 16, row * 16 + 16));
  }
  override storeFromVector(column: ChunkColumn, row: number, vector: ColumnVector, at: number): void {
    (column.values as Uint8Array).set(
      (vector.values as Uint8Array).subarray(at * 16, at * 16 + 16),
      row * 16,
    );
  }
  override copy(source: ChunkColumn, from: number, _heap: VarHeap, target: ChunkColumn, to: number): void {
    (target.values as Uint8Array).set(
      (source.values as Uint8Array).subarray(from * 16, from * 16 + 16),
      to * 16,
    );
  }
  log(buffer: LogBuffer, column: ChunkColumn, row: number): void {
    buffer.raw((column.values as Uint8Array).subarray(row * 16, row * 16 + 16));
  }
  logVector(buffer: LogBuffer, vector: ColumnVector, at: number): void {
    buffer.raw((vector.values as Uint8Array).subarray(at * 16, at * 16 + 16));
  }
  replay(reader: LogReader, column: ChunkColumn, row: number): void {
    (column.values as Uint8Array).set(reader.bytes(16), row * 16);
  }
  override toVector(column: ChunkColumn, row: number, vector: ColumnVector, at: number): void {
    (vector.values as Uint8Array).set(
      (column.values as Uint8Array).subarray(row * 16, row * 16 + 16),
      at * 16,
    );
  }
}

function uuidBytes(text: string): Uint8Array {
  return Buffer.from(text.replaceAll('-', ''), 'hex');
}

function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Values of at most this many bytes live in the address word itself. */
const INLINE_BYTES = 4;

/** Node's direct UTF-8 entry points, which its type package leaves out. */
interface Utf8Buffer extends Buffer {
  utf8Write(text: string, offset: number, length: number): number;
  utf8Slice(start: number, end: number): string;
}

const scratch = Buffer.alloc(1 << 16) as Utf8Buffer;

class VarlenCodec implements ColumnCodec {
  readonly physical: PhysicalType = 'varlen';
  readonly width = 8;
  private readonly support: TypeSupport;
  constructor(support: TypeSupport) {
    this.support = support;
  }
  protected encode(value: Datum): Uint8Array {
    const encode = this.support.encode;
    if (encode === undefined) throw internalError(`type ${this.support.name} has no storage form`);
    return encode.call(this.support, value);
  }
  protected decode(bytes: Uint8Array): Datum {
    const decode = this.support.decode;
    if (decode === undefined) throw internalError(`type ${this.support.name} has no storage form`);
    return decode.call(this.support, bytes);
  }
  store(column: ChunkColumn, row: number, value: Datum, heap: VarHeap): void {
    this.storeBytes(column, row, this.encode(value), heap);
  }
  storeBytes(column: ChunkColumn, row: number, bytes: Uint8Array, heap: VarHeap): void {
    const length = bytes.length;
    (column.lengths as Int32Array)[row] = length;
    if (length <= INLINE_BYTES) {
      let word = 0;
      for (let index = length - 1; index >= 0; index--) word = (word << 8) | bytes[index];
      column.values[row] = word >>> 0;
    } else {
      column.values[row] = heap.write(bytes);
    }
  }
  /** A view (heap) or a small copy (inline). */
  protected view(column: ChunkColumn, row: number, heap: VarHeap): Uint8Array {
    const length = (column.lengths as Int32Array)[row];
    const word = column.values[row] as number;
    if (length <= INLINE_BYTES) {
      const bytes = new Uint8Array(length);
      for (let index = 0; index < length; index++) bytes[index] = (word >>> (8 * index)) & 255;
      return bytes;
    }
    const offset = VarHeap.offset(word);
    return heap.block(word).subarray(offset, offset + length);
  }
  load(column: ChunkColumn, row: number, heap: VarHeap): Datum {
    return this.decode(this.view(column, row, heap));
  }
  loadPhysical(column: ChunkColumn, row: number, heap: VarHeap): PhysicalValue {
    return Uint8Array.from(this.view(column, row, heap));
  }
  fromPhysical(value: PhysicalValue): Datum {
    return this.decode(value as Uint8Array);
  }
  toPhysical(value: Datum): PhysicalValue | null {
    return value === null ? null : this.encode(value);
  }
  fromVector(vector: ColumnVector, row: number): Datum {
    const offsets = vector.offsets as Uint32Array;
    return this.decode((vector.bytes as Uint8Array).subarray(offsets[row], offsets[row + 1]));
  }
  storeFromVector(column: ChunkColumn, row: number, vector: ColumnVector, at: number, heap: VarHeap): void {
    const offsets = vector.offsets as Uint32Array;
    this.storeBytes(column, row, (vector.bytes as Uint8Array).subarray(offsets[at], offsets[at + 1]), heap);
  }
  copy(
    source: ChunkColumn,
    from: number,
    sourceHeap: VarHeap,
    target: ChunkColumn,
    to: number,
    heap: VarHeap,
  ): void {
    this.storeBytes(target, to, this.view(source, from, sourceHeap), heap);
  }
  drop(column: ChunkColumn, row: number, heap: VarHeap): void {
    const length = (column.lengths as Int32Array)[row];
    if (length > INLINE_BYTES) heap.release(column.values[row] as number, length);
    (column.lengths as Int32Array)[row] = 0;
  }
  log(buffer: LogBuffer, column: ChunkColumn, row: number, heap: VarHeap): void {
    const length = (column.lengths as Int32Array)[row];
    const word = column.values[row] as number;
    buffer.u32(length);
    if (length > INLINE_BYTES) {
      buffer.part(heap.block(word), VarHeap.offset(word), length);
      return;
    }
    for (let index = 0; index < length; index++) buffer.u8((word >>> (8 * index)) & 255);
  }
  logVector(buffer: LogBuffer, vector: ColumnVector, at: number): void {
    const offsets = vector.offsets as Uint32Array;
    const bytes = (vector.bytes as Uint8Array).subarray(offsets[at], offsets[at + 1]);
    buffer.u32(bytes.length);
    buffer.raw(bytes);
  }
  replay(reader: LogReader, column: ChunkColumn, row: number, heap: VarHeap): void {
    this.storeBytes(column, row, reader.bytes(reader.u32()), heap);
  }
  toVector(column: ChunkColumn, row: number, vector: ColumnVector, at: number, heap: VarHeap): void {
    // Offsets ascend: callers fill rows in order.
    const offsets = vector.offsets as Uint32Array;
    const length = (column.lengths as Int32Array)[row];
    const start = offsets[at];
    let bytes = vector.bytes as Uint8Array;
    if (start + length > bytes.length) {
      const grown = new Uint8Array(Math.max(bytes.length * 2, start + length, 1024));
      grown.set(bytes);
      vector.bytes = bytes = grown;
    }
    const word = column.values[row] as number;
    if (length <= INLINE_BYTES) {
      for (let index = 0; index < length; index++) bytes[start + index] = (word >>> (8 * index)) & 255;
    } else {
      const offset = VarHeap.offset(word);
      bytes.set(heap.block(word).subarray(offset, offset + length), start);
    }
    offsets[at + 1] = start + length;
  }
}

/** Types whose Datum is a string stored as its UTF-8 bytes: text, varchar, name, json. */
const TEXT_OIDS = new Set<number>([OID.TEXT, OID.VARCHAR, OID.NAME, OID.JSON]);

/** Strings without the detour over a byte array per value. */
class TextCodec extends VarlenCodec {
  protected override encode(value: Datum): Uint8Array {
    return Buffer.from(value as string, 'utf8');
  }
  protected override decode(bytes: Uint8Array): Datum {
    const short = bytes.length <= SHORT_READ_BYTES ? readShortAscii(bytes, 0, bytes.length) : null;
    return short ?? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  }
  override store(column: ChunkColumn, row: number, value: Datum, heap: VarHeap): void {
    const text = value as string;
    if (text.length * 3 > scratch.length) {
      super.store(column, row, value, heap);
      return;
    }
    const isShort = text.length <= SHORT_WRITE_LENGTH && writeShortAscii(text, scratch, 0);
    const length = isShort ? text.length : scratch.utf8Write(text, 0, text.length * 3);
    (column.lengths as Int32Array)[row] = length;
    if (length <= INLINE_BYTES) {
      let word = 0;
      for (let index = length - 1; index >= 0; index--) word = (word << 8) | scratch[index];
      column.values[row] = word >>> 0;
      return;
    }
    const address = heap.allocate(length);
    const block = heap.block(address);
    const offset = VarHeap.offset(address);
    if (isShort) for (let index = 0; index < length; index++) block[offset + index] = scratch[index];
    else scratch.copy(block, offset, 0, length);
    column.values[row] = address;
  }
  override load(column: ChunkColumn, row: number, heap: VarHeap): Datum {
    const length = (column.lengths as Int32Array)[row];
    const word = column.values[row] as number;
    if (length <= INLINE_BYTES) {
      if (length === 0) return '';
      scratch[0] = word & 255;
      scratch[1] = (word >>> 8) & 255;
      scratch[2] = (word >>> 16) & 255;
      scratch[3] = word >>> 24;
      return readShortAscii(scratch, 0, length) ?? scratch.utf8Slice(0, length);
    }
    const offset = VarHeap.offset(word);
    const block = heap.block(word) as Utf8Buffer;
    const short = length <= SHORT_READ_BYTES ? readShortAscii(block, offset, length) : null;
    return short ?? block.utf8Slice(offset, offset + length);
  }
}

/** The codec of a column. `typmod` gives the scale of decimals. */
export function columnCodec(support: TypeSupport, typmod: number, physical: PhysicalType): ColumnCodec {
  switch (physical) {
    case 'bool':
      return new BoolCodec();
    case 'int16':
      return new Int16Codec();
    case 'int32':
      return isUnsigned(support.oid) ? new Unsigned32Codec() : new Int32Codec();
    case 'int64':
      if (isNumberInt64(support.oid)) return new TimeCodec();
      return isUnsigned64(support.oid) ? new Unsigned64Codec() : new Int64Codec();
    case 'float32':
      return new Float32Codec();
    case 'float64':
      return new Float64Codec();
    case 'decimal64':
      return new DecimalCodec(decimalScale(typmod));
    case 'bytes16':
      return new Bytes16Codec();
    case 'varlen':
      return TEXT_OIDS.has(support.oid) || support.oid === OID.BPCHAR
        ? new TextCodec(support)
        : new VarlenCodec(support);
  }
}

/** True when the physical order of a column is the SQL order of its type (so pushed comparisons are exact). */
export function isPhysicalOrder(support: TypeSupport, physical: PhysicalType): boolean {
  if (physical === 'varlen') return TEXT_OIDS.has(support.oid) || support.oid === OID.BYTEA;
  if (physical === 'int32') return !isUnsigned(support.oid);
  return !isUnsigned64(support.oid);
}

/** True when equality of physical values is equality of SQL values. */
export function isPhysicalEquality(support: TypeSupport, physical: PhysicalType): boolean {
  if (physical === 'varlen') return TEXT_OIDS.has(support.oid) || support.oid === OID.BYTEA;
  return true;
}
