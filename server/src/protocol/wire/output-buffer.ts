/**
 * The bytes of one socket turn: backend messages are written one behind the other into a preallocated buffer.
 *
 * Owner   `take` hands out a view of what was written; the buffer may be written again only after `reuse` (the bytes reached the
 *         kernel) or it goes on in a fresh one (`replace`).
 */
const INITIAL_BYTES = 16 << 10;
const KEPT_BYTES_MAX = 256 << 10;

export class OutputBuffer {
  private buffer: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  private position = 0;
  /** Offset of the length of the message being written, -1 between messages. */
  private messageStart = -1;

  get length(): number {
    return this.position;
  }

  /** View of everything written. */
  take(): Uint8Array {
    return this.buffer.subarray(0, this.position);
  }

  reuse(): void {
    this.position = 0;
    if (this.buffer.length > KEPT_BYTES_MAX) this.buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  }

  replace(): void {
    this.buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
    this.position = 0;
  }

  /** Begins a message: type byte and room for its length. */
  begin(type: number): void {
    this.reserve(5);
    this.buffer[this.position] = type;
    this.messageStart = this.position + 1;
    this.position += 5;
  }

  /** Ends the message begun last. */
  end(): void {
    this.patchInt32(this.messageStart, this.position - this.messageStart);
    this.messageStart = -1;
  }

  /** Drops the message begun last (its encoding failed half way). */
  abandon(): void {
    this.position = this.messageStart - 1;
    this.messageStart = -1;
  }

  get isInsideMessage(): boolean {
    return this.messageStart >= 0;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.position++] = value;
  }

  int16(value: number): void {
    this.reserve(2);
    const { buffer } = this;
    buffer[this.position] = value >> 8;
    buffer[this.position + 1] = value;
    this.position += 2;
  }

  int32(value: number): void {
    this.reserve(4);
    this.patchInt32(this.position, value);
    this.position += 4;
  }

  bytes(source: Uint8Array): void {
    this.reserve(source.length);
    this.buffer.set(source, this.position);
    this.position += source.length;
  }

  /** Zero-terminated string; a NUL inside would end it early and is cut there. */
  cString(text: string): void {
    this.reserve(text.length * 3 + 1);
    this.position += this.buffer.write(text, this.position, 'utf8');
    this.buffer[this.position++] = 0;
  }

  nullField(): void {
    this.int32(-1);
  }

  /** A field: int32 length, then the UTF-8 bytes of the text. */
  textField(text: string): void {
    const { length } = text;
    this.reserve(length * 3 + 4);
    const start = this.position + 4;
    const { buffer } = this;
    if (length <= 16) {
      let index = 0;
      for (; index < length; index++) {
        const code = text.charCodeAt(index);
        if (code >= 0x80) break;
        buffer[start + index] = code;
      }
      if (index === length) {
        this.patchInt32(this.position, length);
        this.position = start + length;
        return;
      }
    }
    const written = buffer.write(text, start, 'utf8');
    this.patchInt32(this.position, written);
    this.position = start + written;
  }

  bytesField(source: Uint8Array): void {
    this.reserve(source.length + 4);
    this.patchInt32(this.position, source.length);
    this.buffer.set(source, this.position + 4);
    this.position += source.length + 4;
  }

  /** A field with a 32-bit integer in decimal. */
  integerTextField(value: number): void {
    this.reserve(16);
    const { buffer } = this;
    let start = this.position + 4;
    let rest = value;
    if (rest < 0) {
      buffer[start++] = 0x2d;
      rest = -rest;
    }
    let digits = 1;
    for (let bound = 10; rest >= bound; bound *= 10) digits++;
    let at = start + digits;
    do {
      const next = Math.trunc(rest / 10);
      buffer[--at] = 0x30 + (rest - next * 10);
      rest = next;
    } while (rest > 0);
    const end = start + digits;
    this.patchInt32(this.position, end - this.position - 4);
    this.position = end;
  }

  int16Field(value: number): void {
    this.int32(2);
    this.int16(value);
  }

  int32Field(value: number): void {
    this.reserve(8);
    this.patchInt32(this.position, 4);
    this.patchInt32(this.position + 4, value);
    this.position += 8;
  }

  int64Field(value: bigint): void {
    this.reserve(12);
    this.patchInt32(this.position, 8);
    this.buffer.writeBigInt64BE(value, this.position + 4);
    this.position += 12;
  }

  float64Field(value: number): void {
    this.reserve(12);
    this.patchInt32(this.position, 8);
    this.buffer.writeDoubleBE(value, this.position + 4);
    this.position += 12;
  }

  float32Field(value: number): void {
    this.reserve(8);
    this.patchInt32(this.position, 4);
    this.buffer.writeFloatBE(value, this.position + 4);
    this.position += 8;
  }

  private patchInt32(at: number, value: number): void {
    const { buffer } = this;
    buffer[at] = value >>> 24;
    buffer[at + 1] = value >>> 16;
    buffer[at + 2] = value >>> 8;
    buffer[at + 3] = value;
  }

  private reserve(count: number): void {
    const needed = this.position + count;
    if (needed <= this.buffer.length) return;
    let size = this.buffer.length * 2;
    while (size < needed) size *= 2;
    const larger = Buffer.allocUnsafeSlow(size);
    this.buffer.copy(larger, 0, 0, this.position);
    this.buffer = larger;
  }
}
