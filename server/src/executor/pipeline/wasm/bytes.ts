/** Growing byte buffer with WebAssembly's variable-length integers (specification 5.2). */
export class ByteWriter {
  private bytes: Uint8Array = new Uint8Array(256);
  length = 0;

  u8(value: number): void {
    if (this.length === this.bytes.length) this.grow(1);
    this.bytes[this.length++] = value;
  }

  /** Unsigned LEB128, up to 32 bits. */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 128) {
      this.u8((rest & 127) | 128);
      rest >>>= 7;
    }
    this.u8(rest);
  }

  /** Signed LEB128, up to 32 bits. */
  signed(value: number): void {
    let rest = value | 0;
    for (;;) {
      const byte = rest & 127;
      rest >>= 7;
      if ((rest === 0 && (byte & 64) === 0) || (rest === -1 && (byte & 64) !== 0)) {
        this.u8(byte);
        return;
      }
      this.u8(byte | 128);
    }
  }

  /** Signed LEB128, up to 64 bits. */
  signed64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    for (;;) {
      const byte = Number(rest & 127n);
      rest >>= 7n;
      if ((rest === 0n && (byte & 64) === 0) || (rest === -1n && (byte & 64) !== 0)) {
        this.u8(byte);
        return;
      }
      this.u8(byte | 128);
    }
  }

  f64(value: number): void {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value, true);
    for (let index = 0; index < 8; index++) this.u8(view.getUint8(index));
  }

  /** Length-prefixed name. Names are ours, ASCII, never a user's. */
  name(text: string): void {
    this.unsigned(text.length);
    for (let index = 0; index < text.length; index++) this.u8(text.charCodeAt(index) & 127);
  }

  append(other: ByteWriter): void {
    if (this.length + other.length > this.bytes.length) this.grow(other.length);
    this.bytes.set(other.bytes.subarray(0, other.length), this.length);
    this.length += other.length;
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private grow(atLeast: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + atLeast));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}
