/**
 * The private log of one transaction: the bytes of its changes, appended to the write-ahead log in one record at commit.
 *
 * Nothing of a transaction is in the write-ahead log before it commits, except parts streamed early because the buffer
 * passed its bound (RECORD_PART). Positions count from the transaction's first byte, streamed or not.
 */

/** Fewer bytes are copied one by one faster than a view is made. */
const SHORT_PART_BYTES = 64;

/** Little-endian growable byte buffer. */
export class LogBuffer {
  bytes: Uint8Array = new Uint8Array(1024);
  view: DataView = new DataView(this.bytes.buffer);
  length = 0;
  /** Bytes already streamed into the write-ahead log before `bytes[0]`. */
  streamed = 0;

  get position(): number {
    return this.streamed + this.length;
  }

  reset(): void {
    this.length = 0;
    this.streamed = 0;
    if (this.bytes.length > 1 << 16) {
      this.bytes = new Uint8Array(1024);
      this.view = new DataView(this.bytes.buffer);
    }
  }

  ensure(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    let capacity = this.bytes.length * 2;
    while (capacity < needed) capacity *= 2;
    const bytes = new Uint8Array(capacity);
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  u8(value: number): void {
    this.ensure(1);
    this.bytes[this.length++] = value;
  }

  u16(value: number): void {
    this.ensure(2);
    this.view.setUint16(this.length, value, true);
    this.length += 2;
  }

  u32(value: number): void {
    this.ensure(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** A non-negative integer below 2^53 as unsigned 64 bit. */
  u64(value: number): void {
    this.ensure(8);
    this.view.setUint32(this.length, value >>> 0, true);
    this.view.setUint32(this.length + 4, Math.floor(value / 4294967296), true);
    this.length += 8;
  }

  i64(value: bigint): void {
    this.ensure(8);
    this.view.setBigInt64(this.length, value, true);
    this.length += 8;
  }

  f64(value: number): void {
    this.ensure(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  raw(bytes: Uint8Array): void {
    this.ensure(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Bytes out of the middle of others: short ones without a view of them. */
  part(source: Uint8Array, start: number, length: number): void {
    if (length > SHORT_PART_BYTES) {
      this.raw(source.subarray(start, start + length));
      return;
    }
    this.ensure(length);
    const { bytes } = this;
    const at = this.length;
    for (let index = 0; index < length; index++) bytes[at + index] = source[start + index];
    this.length = at + length;
  }

  text(value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    this.u32(bytes.length);
    this.raw(bytes);
  }
}
