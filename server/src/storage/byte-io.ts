/** Little-endian writer and bounds-checked reader for descriptors, manifest nodes and log records. */
import { check, PayloadDamage } from './corruption.ts';

/** Grows as needed; `finish` gives an exact private copy. */
export class ByteWriter {
  private bytes: Uint8Array;
  private view: DataView;
  length = 0;

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  private grow(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }

  u8(value: number): this {
    this.grow(1);
    this.bytes[this.length++] = value;
    return this;
  }

  u16(value: number): this {
    this.grow(2);
    this.view.setUint16(this.length, value, true);
    this.length += 2;
    return this;
  }

  u32(value: number): this {
    this.grow(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
    return this;
  }

  /** A non-negative integer below 2^53 as 8 bytes. */
  u53(value: number): this {
    this.grow(8);
    this.view.setUint32(this.length, value >>> 0, true);
    this.view.setUint32(this.length + 4, Math.floor(value / 4294967296), true);
    this.length += 8;
    return this;
  }

  i64(value: bigint): this {
    this.grow(8);
    this.view.setBigInt64(this.length, value, true);
    this.length += 8;
    return this;
  }

  u64(value: bigint): this {
    this.grow(8);
    this.view.setBigUint64(this.length, value, true);
    this.length += 8;
    return this;
  }

  f64(value: number): this {
    this.grow(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
    return this;
  }

  raw(source: Uint8Array): this {
    this.grow(source.length);
    this.bytes.set(source, this.length);
    this.length += source.length;
    return this;
  }

  /** u32 length, then the bytes. */
  sized(source: Uint8Array): this {
    return this.u32(source.length).raw(source);
  }

  text(value: string): this {
    return this.sized(new TextEncoder().encode(value));
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** Throws PayloadDamage instead of reading past the end. */
export class ByteReader {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  position: number;

  constructor(bytes: Uint8Array, position = 0) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = position;
  }

  private take(count: number): number {
    const at = this.position;
    if (at + count > this.bytes.length)
      throw new PayloadDamage(`${count} bytes wanted at ${at} of ${this.bytes.length}`);
    this.position = at + count;
    return at;
  }

  get remaining(): number {
    return this.bytes.length - this.position;
  }

  u8(): number {
    return this.bytes[this.take(1)]!;
  }

  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  u53(): number {
    const at = this.take(8);
    const high = this.view.getUint32(at + 4, true);
    check(high < 0x200000, 'integer above 2^53');
    return high * 4294967296 + this.view.getUint32(at, true);
  }

  i64(): bigint {
    return this.view.getBigInt64(this.take(8), true);
  }

  u64(): bigint {
    return this.view.getBigUint64(this.take(8), true);
  }

  f64(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  /** A private copy. */
  raw(count: number): Uint8Array {
    const at = this.take(count);
    return this.bytes.slice(at, at + count);
  }

  sized(): Uint8Array {
    return this.raw(this.u32());
  }

  text(): string {
    return new TextDecoder().decode(this.sized());
  }

  /** A count of items of at least `itemBytes` each: refuses what cannot be there, before anything is allocated. */
  count(itemBytes: number): number {
    const count = this.u32();
    check(count * itemBytes <= this.remaining, `count ${count} exceeds the data`);
    return count;
  }
}
