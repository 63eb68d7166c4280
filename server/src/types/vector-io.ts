/**
 * Columns of values: readers that make Datums and builders that take them.
 *
 * A reader is specialised by physical and SQL type once and then costs one call a value. decimal64 values are read and written
 * as two 32-bit words, so that no bigint is made while they are safe integers.
 */
import { assertNever, internalError } from '../base/error.ts';
import type { PhysicalType, TypeSupport } from './contract.ts';
import type { Datum } from './datum.ts';
import { Numeric } from './numeric.ts';
import { makeNumeric, NUMERIC_NAN, numericRound } from './numeric-core.ts';
import { numericTypmod } from './numeric-text.ts';
import { OID } from './oid.ts';
import { hexToUuid } from './scalars.ts';
import { isNumberInt64, isUnsigned, isUnsigned64 } from './value-bytes.ts';
import type { ColumnVector, FixedValues } from './vector.ts';

/** decimal64's NaN. */
export const DECIMAL_NAN = 9223372036854775807n;
const TWO_32 = 4294967296;
const TWO_21 = 2097152;

export type VectorReader = (vector: ColumnVector, index: number) => Datum;

/** Scale of a decimal64 column. */
export function decimalScale(typmod: number): number {
  return numericTypmod(typmod)?.scale ?? 0;
}

let wordsSource: FixedValues | null = null;
let wordsView: Int32Array = new Int32Array(0);
/** The 64-bit values as 32-bit words (little-endian machine), cached for runs over one vector. */
function wordsOf(values: FixedValues): Int32Array {
  if (values === wordsSource) return wordsView;
  wordsView = new Int32Array(values.buffer, values.byteOffset, values.byteLength >> 2);
  wordsSource = values;
  return wordsView;
}

/** True when row `index` is NULL. */
export function isNullAt(vector: ColumnVector, index: number): boolean {
  const { validity } = vector;
  return validity !== null && (validity[index >> 3]! & (1 << (index & 7))) === 0;
}

/** Reads values (NULL as null) of a column with this physical type. */
export function vectorReader(physical: PhysicalType, support: TypeSupport, typmod = -1): VectorReader {
  switch (physical) {
    case 'bool':
      return (vector, index) => (isNullAt(vector, index) ? null : vector.values![index] !== 0);
    case 'int16':
    case 'float32':
    case 'float64':
      return (vector, index) => (isNullAt(vector, index) ? null : (vector.values![index] as number));
    case 'int32':
      if (isUnsigned(support.oid)) {
        return (vector, index) => (isNullAt(vector, index) ? null : (vector.values![index] as number) >>> 0);
      }
      return (vector, index) => (isNullAt(vector, index) ? null : (vector.values![index] as number));
    case 'int64':
      if (isNumberInt64(support.oid)) {
        return (vector, index) => {
          if (isNullAt(vector, index)) return null;
          const words = wordsOf(vector.values!);
          return words[2 * index + 1]! * TWO_32 + (words[2 * index]! >>> 0);
        };
      }
      if (isUnsigned64(support.oid)) {
        return (vector, index) =>
          isNullAt(vector, index) ? null : BigInt.asUintN(64, vector.values![index] as bigint);
      }
      return (vector, index) => (isNullAt(vector, index) ? null : (vector.values![index] as bigint));
    case 'decimal64': {
      const scale = decimalScale(typmod);
      return (vector, index) => {
        if (isNullAt(vector, index)) return null;
        const words = wordsOf(vector.values!);
        const high = words[2 * index + 1]!;
        if (high >= -TWO_21 && high < TWO_21)
          return new Numeric(high * TWO_32 + (words[2 * index]! >>> 0), scale);
        const big = vector.values![index] as bigint;
        return big === DECIMAL_NAN ? NUMERIC_NAN : makeNumeric(big, scale);
      };
    }
    case 'bytes16':
      return (vector, index) => {
        if (isNullAt(vector, index)) return null;
        const bytes = vector.values as Uint8Array;
        return hexToUuid(Buffer.from(bytes.buffer, bytes.byteOffset + 16 * index, 16).toString('hex'));
      };
    case 'varlen': {
      if (isUtf8Text(support)) {
        return (vector, index) =>
          isNullAt(vector, index)
            ? null
            : utf8Slice(vector.bytes!, vector.offsets![index]!, vector.offsets![index + 1]!);
      }
      const decode = support.decode;
      if (decode === undefined) throw internalError(`type ${support.name} has no storage form`);
      return (vector, index) =>
        isNullAt(vector, index)
          ? null
          : decode(vector.bytes!.subarray(vector.offsets![index]!, vector.offsets![index + 1]!));
    }
    default:
      return assertNever(physical, 'vectorReader');
  }
}

function isUtf8Text(support: TypeSupport): boolean {
  switch (support.oid) {
    case OID.TEXT:
    case OID.VARCHAR:
    case OID.BPCHAR:
    case OID.NAME:
    case OID.JSON:
      return true;
    default:
      return false;
  }
}

const NO_BYTES = new Uint8Array(0);
let bufferSource: Uint8Array | null = null;
let bufferView: Buffer = Buffer.alloc(0);
/** Text of a byte range; short ASCII runs are assembled without a call into the runtime. */
export function utf8Slice(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length <= 12) {
    let text = '';
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      if (byte > 127) {
        text = '';
        break;
      }
      text += String.fromCharCode(byte);
    }
    if (text.length === length) return text;
  }
  if (bytes !== bufferSource) {
    bufferView = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    bufferSource = bytes;
  }
  return bufferView.toString('utf8', start, end);
}

/** A growing column. `finish` hands out views on the builder's memory; `reset` starts anew with fresh memory. */
export class VectorBuilder {
  readonly physical: PhysicalType;
  readonly support: TypeSupport;
  readonly typmod: number;
  /** Scale of a decimal64 column. */
  readonly scale: number;
  count = 0;
  /** Bytes in use by variable-length values. */
  byteCount = 0;
  private capacity: number;
  /** What the batch before took, and a little more. */
  private expectedBytes = 0;
  private values: FixedValues | null = null;
  private words: Int32Array | null = null;
  private offsets: Uint32Array | null = null;
  private bytes: Buffer | null = null;
  private validity: Uint8Array | null = null;
  private readonly appendPresent: (value: Datum) => void;

  constructor(physical: PhysicalType, support: TypeSupport, typmod = -1, capacity = 1024) {
    this.physical = physical;
    this.support = support;
    this.typmod = typmod;
    this.scale = physical === 'decimal64' ? decimalScale(typmod) : 0;
    this.capacity = Math.max(8, capacity);
    this.allocate();
    this.appendPresent = this.chooseAppend();
  }

  private allocate(): void {
    const { capacity } = this;
    this.values = null;
    this.words = null;
    switch (this.physical) {
      case 'bool':
        this.values = new Uint8Array(capacity);
        break;
      case 'int16':
        this.values = new Int16Array(capacity);
        break;
      case 'int32':
        this.values = new Int32Array(capacity);
        break;
      case 'int64':
      case 'decimal64':
        this.values = new BigInt64Array(capacity);
        this.words = new Int32Array(this.values.buffer);
        break;
      case 'float32':
        this.values = new Float32Array(capacity);
        break;
      case 'float64':
        this.values = new Float64Array(capacity);
        break;
      case 'bytes16':
        this.values = new Uint8Array(capacity * 16);
        break;
      case 'varlen':
        this.offsets = new Uint32Array(capacity + 1);
        this.bytes = Buffer.allocUnsafeSlow(Math.max(64, capacity * 8, this.expectedBytes));
        break;
      default:
        assertNever(this.physical, 'VectorBuilder');
    }
  }

  private grow(): void {
    this.capacity *= 2;
    const { values, offsets, bytes, validity } = this;
    this.allocate();
    if (values !== null) (this.values as Uint8Array).set(values as Uint8Array);
    if (offsets !== null) {
      this.offsets!.set(offsets);
      this.bytes = bytes;
    }
    if (validity !== null) {
      this.validity = new Uint8Array((this.capacity + 7) >> 3);
      this.validity.fill(255, validity.length);
      this.validity.set(validity);
    }
  }

  /** Forgets all values; memory handed out by `finish` stays with its owner. */
  reset(): void {
    this.expectedBytes = this.byteCount + (this.byteCount >> 3);
    this.count = 0;
    this.byteCount = 0;
    this.validity = null;
    this.allocate();
  }

  append(value: Datum): void {
    if (value === null) this.appendNull();
    else this.appendPresent(value);
  }

  appendNull(): void {
    const index = this.next();
    if (this.validity === null) {
      this.validity = new Uint8Array((this.capacity + 7) >> 3).fill(255);
    }
    this.validity[index >> 3]! &= ~(1 << (index & 7));
    if (this.offsets !== null) this.offsets[index + 1] = this.byteCount;
    else if (this.words !== null) this.words[2 * index] = this.words[2 * index + 1] = 0;
    else if (this.physical === 'bytes16') (this.values as Uint8Array).fill(0, 16 * index, 16 * index + 16);
    else (this.values as Int32Array)[index] = 0;
  }

  private next(): number {
    if (this.count === this.capacity) this.grow();
    return this.count++;
  }

  /** bool (0/1), int16, int32, float32, float64. */
  appendNumber(value: number): void {
    const index = this.next();
    (this.values as Float64Array)[index] = value;
  }

  /** int64 and decimal64 from a safe integer. */
  appendSafeInteger(value: number): void {
    const index = this.next();
    const words = this.words!;
    words[2 * index] = value;
    words[2 * index + 1] = Math.floor(value / TWO_32);
  }

  appendBigint(value: bigint): void {
    const index = this.next();
    (this.values as BigInt64Array)[index] = value;
  }

  /** Makes room for `size` bytes of the next varlen value and returns the buffer; write at `byteCount`, then {@link commitBytes}. */
  reserveBytes(size: number): Buffer {
    const needed = this.byteCount + size;
    if (needed > this.bytes!.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes!.length * 2));
      this.bytes!.copy(larger, 0, 0, this.byteCount);
      this.bytes = larger;
    }
    return this.bytes!;
  }

  commitBytes(size: number): void {
    const index = this.next();
    this.byteCount += size;
    this.offsets![index + 1] = this.byteCount;
  }

  appendBytes(source: Uint8Array, start = 0, end = source.length): void {
    const size = end - start;
    const target = this.reserveBytes(size);
    if (size <= 24) for (let at = start, to = this.byteCount; at < end; at++, to++) target[to] = source[at]!;
    else
      target.set(start === 0 && end === source.length ? source : source.subarray(start, end), this.byteCount);
    this.commitBytes(size);
  }

  /**
   * Room for `rows` more values and `size` more bytes of variable length, for writers that fill the memory themselves: they write to `freeValues`, or
   * to the returned buffer from `byteCount` on and to `freeOffsets`, and then call {@link commitRows}.
   */
  makeRoom(rows: number, size: number): Uint8Array {
    while (this.count + rows > this.capacity) this.grow();
    return this.offsets === null ? NO_BYTES : this.reserveBytes(size);
  }

  /** Memory of the fixed-width values from the next one on. */
  freeValues(): Uint8Array {
    const values = this.values!;
    const width = values.BYTES_PER_ELEMENT * (this.physical === 'bytes16' ? 16 : 1);
    const used = this.count * width;
    return new Uint8Array(values.buffer, values.byteOffset + used, values.byteLength - used);
  }

  /** Memory of the offsets, beginning with the end of the last value. */
  freeOffsets(): Uint8Array {
    const offsets = this.offsets!;
    return new Uint8Array(
      offsets.buffer,
      offsets.byteOffset + 4 * this.count,
      offsets.byteLength - 4 * this.count,
    );
  }

  /** Takes over `rows` values written by another hand. */
  commitRows(rows: number): void {
    this.count += rows;
    if (this.offsets !== null) this.byteCount = this.offsets[this.count]!;
  }

  /** Takes back the values behind the first `count`; none of them may be NULL. */
  truncate(count: number): void {
    if (this.count <= count) return;
    this.count = count;
    if (this.offsets !== null) this.byteCount = this.offsets[count]!;
  }

  appendText(text: string): void {
    const target = this.reserveBytes(text.length * 3);
    const at = this.byteCount;
    const { length } = text;
    if (length <= 24) {
      let index = 0;
      for (; index < length; index++) {
        const code = text.charCodeAt(index);
        if (code > 127) break;
        target[at + index] = code;
      }
      if (index === length) {
        this.commitBytes(length);
        return;
      }
    }
    this.commitBytes(target.write(text, at, 'utf8'));
  }

  private appendDecimal(value: Numeric): void {
    if (value.kind !== 'finite') {
      if (value.kind !== 'NaN')
        throw internalError('an infinite numeric cannot be held in a decimal64 column');
      this.appendBigint(DECIMAL_NAN);
      return;
    }
    const { coefficient } = value.scale === this.scale ? value : numericRound(value, this.scale);
    if (typeof coefficient === 'number') this.appendSafeInteger(coefficient);
    else this.appendBigint(coefficient);
  }

  private chooseAppend(): (value: Datum) => void {
    const { support } = this;
    switch (this.physical) {
      case 'bool':
        return (value) => this.appendNumber(value === true ? 1 : 0);
      case 'int16':
      case 'int32':
      case 'float32':
      case 'float64':
        return (value) => this.appendNumber(value as number);
      case 'int64':
        return isNumberInt64(support.oid)
          ? (value) => this.appendSafeInteger(value as number)
          : (value) => this.appendBigint(value as bigint);
      case 'decimal64':
        return (value) => this.appendDecimal(value as Numeric);
      case 'bytes16':
        return (value) => {
          const hex = (value as string).replaceAll('-', '');
          const index = this.next();
          Buffer.from(this.values!.buffer, this.values!.byteOffset + 16 * index, 16).write(hex, 'hex');
        };
      case 'varlen': {
        if (isUtf8Text(support)) return (value) => this.appendText(value as string);
        const encode = support.encode;
        if (encode === undefined) throw internalError(`type ${support.name} has no storage form`);
        return (value) => this.appendBytes(encode(value));
      }
      default:
        return assertNever(this.physical, 'VectorBuilder');
    }
  }

  /** The column so far, as views on this builder's memory. */
  finish(): ColumnVector {
    const { physical, count, values, offsets, bytes, validity } = this;
    return {
      physical,
      count,
      values: values === null ? null : values.subarray(0, physical === 'bytes16' ? count * 16 : count),
      offsets: offsets === null ? null : offsets.subarray(0, count + 1),
      bytes: bytes === null ? null : new Uint8Array(bytes.buffer, bytes.byteOffset, this.byteCount),
      validity: validity === null ? null : validity.subarray(0, (count + 7) >> 3),
    };
  }
}
