/**
 * Rows as bytes in temporary files. Every value carries a tag, so a file needs no schema; values read back are equal to those written.
 *
 * | tag | value                | bytes                                             |
 * | --- | -------------------- | ------------------------------------------------- |
 * | 0   | NULL                 |                                                   |
 * | 1,2 | false, true          |                                                   |
 * | 3   | 32-bit integer       | int32                                             |
 * | 4   | other number         | float64                                           |
 * | 5   | 64-bit integer       | int64                                             |
 * | 6   | text                 | length u32, UTF-8                                 |
 * | 7   | bytes                | length u32, bytes                                 |
 * | 8   | numeric, safe        | coefficient float64, scale u16                    |
 * | 9   | numeric, other       | kind u8, scale u16, coefficient as text           |
 * | 10  | interval             | months i32, days i32, microseconds i64            |
 * | 11  | timetz               | microseconds f64, zone seconds i32                |
 * | 12  | array                | element type u32, dimensions, lower bounds, items |
 * | 13  | row                  | type u32, count, types, names, fields             |
 * | 14  | ctid                 | block f64, offset f64                             |
 * | 15  | any other type       | type oid u32, length u32, TypeSupport.encode      |
 *
 * Numbers are little-endian. Files live as long as a statement and are never read by another process.
 */
import { internalError } from '../../base/error.ts';
import type { TypeSupport } from '../../types/contract.ts';
import { type Datum, type OpaqueDatum, SqlArray, SqlRecord, Tid } from '../../types/datum.ts';
import { Interval, TimeTz } from '../../types/interval.ts';
import { Jsonb } from '../../types/jsonb.ts';
import { Numeric } from '../../types/numeric.ts';

const JSONB = 3802;
const KINDS = ['finite', 'NaN', 'Infinity', '-Infinity'] as const;

/** Appends values to a buffer that grows. */
export class RowEncoder {
  buffer = Buffer.allocUnsafeSlow(1 << 16);
  length = 0;
  private readonly support: (typeOid: number) => TypeSupport;

  constructor(support: (typeOid: number) => TypeSupport) {
    this.support = support;
  }

  private room(size: number): void {
    if (this.length + size <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.length + size));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }

  private tag(tag: number, size: number): void {
    this.room(size + 1);
    this.buffer[this.length++] = tag;
  }

  private int32(value: number): void {
    this.buffer.writeInt32LE(value | 0, this.length);
    this.length += 4;
  }
  private float64(value: number): void {
    this.buffer.writeDoubleLE(value, this.length);
    this.length += 8;
  }
  private int64(value: bigint): void {
    this.buffer.writeBigInt64LE(value, this.length);
    this.length += 8;
  }
  private text(value: string): void {
    this.room(value.length * 3 + 4);
    const size = this.buffer.write(value, this.length + 4, 'utf8');
    this.int32(size);
    this.length += size;
  }
  private bytes(value: Uint8Array): void {
    this.room(value.length + 4);
    this.int32(value.length);
    this.buffer.set(value, this.length);
    this.length += value.length;
  }
  private numbers(values: readonly number[]): void {
    this.room(values.length * 4 + 4);
    this.int32(values.length);
    for (const value of values) this.int32(value);
  }

  value(value: Datum): void {
    switch (typeof value) {
      case 'boolean':
        this.tag(value ? 2 : 1, 0);
        return;
      case 'number':
        if ((value | 0) === value && !Object.is(value, -0)) {
          this.tag(3, 4);
          this.int32(value);
        } else {
          this.tag(4, 8);
          this.float64(value);
        }
        return;
      case 'bigint':
        this.tag(5, 8);
        this.int64(value);
        return;
      case 'string':
        this.tag(6, 0);
        this.text(value);
        return;
      default:
        this.object(value);
    }
  }

  private object(value: Exclude<Datum, boolean | number | bigint | string>): void {
    if (value === null) this.tag(0, 0);
    else if (value instanceof Numeric) this.numeric(value);
    else if (value instanceof Uint8Array) {
      this.tag(7, 0);
      this.bytes(value);
    } else if (value instanceof Interval) {
      this.tag(10, 16);
      this.int32(value.months);
      this.int32(value.days);
      this.int64(value.microseconds);
    } else if (value instanceof TimeTz) {
      this.tag(11, 12);
      this.float64(value.microseconds);
      this.int32(value.zoneSeconds);
    } else if (value instanceof SqlArray) {
      this.tag(12, 4);
      this.int32(value.elementType);
      this.numbers(value.dimensions);
      this.numbers(value.lowerBounds);
      this.room(4);
      this.int32(value.elements.length);
      for (const element of value.elements) this.value(element);
    } else if (value instanceof SqlRecord) {
      this.tag(13, 4);
      this.int32(value.typeOid);
      this.numbers(value.fieldTypes);
      this.room(8);
      this.int32(value.fieldNames.length);
      for (const name of value.fieldNames) this.text(name);
      this.room(4);
      this.int32(value.fields.length);
      for (const field of value.fields) this.value(field);
    } else if (value instanceof Tid) {
      this.tag(14, 16);
      this.float64(value.block);
      this.float64(value.offset);
    } else {
      const typeOid = value instanceof Jsonb ? JSONB : (value as OpaqueDatum).typeOid;
      const { encode, name } = this.support(typeOid);
      if (encode === undefined)
        throw internalError(`values of type ${name} cannot be written to a temporary file`);
      this.tag(15, 4);
      this.int32(typeOid);
      this.bytes(encode(value));
    }
  }

  private numeric(value: Numeric): void {
    if (value.kind === 'finite' && typeof value.coefficient === 'number') {
      this.tag(8, 10);
      this.float64(value.coefficient);
      this.buffer.writeUInt16LE(value.scale, this.length);
      this.length += 2;
      return;
    }
    this.tag(9, 3);
    this.buffer[this.length++] = KINDS.indexOf(value.kind);
    this.buffer.writeUInt16LE(value.scale, this.length);
    this.length += 2;
    this.text(String(value.coefficient));
  }
}

/** Reads what {@link RowEncoder} wrote, from `position`. */
export class RowDecoder {
  position = 0;
  private readonly support: (typeOid: number) => TypeSupport;
  private buffer: Buffer = Buffer.alloc(0);

  constructor(support: (typeOid: number) => TypeSupport) {
    this.support = support;
  }

  begin(buffer: Buffer, position: number): void {
    this.buffer = buffer;
    this.position = position;
  }

  private int32(): number {
    const value = this.buffer.readInt32LE(this.position);
    this.position += 4;
    return value;
  }
  private float64(): number {
    const value = this.buffer.readDoubleLE(this.position);
    this.position += 8;
    return value;
  }
  private int64(): bigint {
    const value = this.buffer.readBigInt64LE(this.position);
    this.position += 8;
    return value;
  }
  private uint16(): number {
    const value = this.buffer.readUInt16LE(this.position);
    this.position += 2;
    return value;
  }
  private text(): string {
    const size = this.int32();
    const value = this.buffer.toString('utf8', this.position, this.position + size);
    this.position += size;
    return value;
  }
  private bytes(): Uint8Array {
    const size = this.int32();
    const value = new Uint8Array(this.buffer.subarray(this.position, this.position + size));
    this.position += size;
    return value;
  }
  private numbers(): number[] {
    return Array.from({ length: this.int32() }, () => this.int32());
  }
  private values(): Datum[] {
    return Array.from({ length: this.int32() }, () => this.value());
  }

  value(): Datum {
    const tag = this.buffer[this.position++];
    switch (tag) {
      case 0:
        return null;
      case 1:
        return false;
      case 2:
        return true;
      case 3:
        return this.int32();
      case 4:
        return this.float64();
      case 5:
        return this.int64();
      case 6:
        return this.text();
      case 7:
        return this.bytes();
      case 8: {
        const coefficient = this.float64();
        return new Numeric(coefficient, this.uint16());
      }
      case 9: {
        const kind = KINDS[this.buffer[this.position++]!]!;
        const scale = this.uint16();
        const text = this.text();
        return new Numeric(kind === 'finite' ? BigInt(text) : Number(text), scale, kind);
      }
      case 10: {
        const months = this.int32();
        const days = this.int32();
        return new Interval(months, days, this.int64());
      }
      case 11: {
        const microseconds = this.float64();
        return new TimeTz(microseconds, this.int32());
      }
      case 12: {
        const elementType = this.int32() >>> 0;
        const dimensions = this.numbers();
        const lowerBounds = this.numbers();
        return new SqlArray(elementType, this.values(), dimensions, lowerBounds);
      }
      case 13: {
        const typeOid = this.int32() >>> 0;
        const fieldTypes = this.numbers().map((type) => type >>> 0);
        const names = Array.from({ length: this.int32() }, () => this.text());
        return new SqlRecord(typeOid, this.values(), fieldTypes, names);
      }
      case 14: {
        const block = this.float64();
        return new Tid(block, this.float64());
      }
      case 15: {
        const { decode } = this.support(this.int32() >>> 0);
        return decode!(this.bytes());
      }
      default:
        throw internalError(`unexpected tag ${tag} in a temporary file`);
    }
  }
}
