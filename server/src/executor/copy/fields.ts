/**
 * Splits one line of COPY text or CSV into fields, without strings: fields are byte ranges, NULL is a flag.
 * Fields with escapes or quotes are written out into a scratch buffer; all others stay where they are.
 */

const BACKSLASH = 92;

export class FieldSplitter {
  count = 0;
  /** Field i is bytes [start[i], end[i]) of `source[i]`. */
  readonly source: Uint8Array[] = [];
  start = new Int32Array(64);
  end = new Int32Array(64);
  /** 1 = NULL. */
  isNull = new Uint8Array(64);
  /** CSV: 1 = the field had quotes. */
  wasQuoted = new Uint8Array(64);
  /** The line holds a byte that is not plain ASCII (or a zero byte): its encoding must be checked. */
  isUnusual = false;
  private scratch = new Uint8Array(1024);
  private scratchEnd = 0;
  private readonly delimiter: number;
  private readonly nullBytes: Uint8Array;

  constructor(delimiter: string, nullText: string) {
    this.delimiter = delimiter.charCodeAt(0);
    this.nullBytes = new TextEncoder().encode(nullText);
  }

  private add(source: Uint8Array, start: number, end: number, isNull: boolean, quoted: boolean): void {
    const index = this.count++;
    if (index >= this.start.length) this.grow();
    this.source[index] = source;
    this.start[index] = start;
    this.end[index] = end;
    this.isNull[index] = isNull ? 1 : 0;
    this.wasQuoted[index] = quoted ? 1 : 0;
  }

  private grow(): void {
    const double = <T extends Int32Array | Uint8Array>(array: T): T => {
      const grown = new (array.constructor as new (length: number) => T)(array.length * 2);
      grown.set(array);
      return grown;
    };
    this.start = double(this.start);
    this.end = double(this.end);
    this.isNull = double(this.isNull);
    this.wasQuoted = double(this.wasQuoted);
  }

  private matchesNull(bytes: Uint8Array, start: number, end: number): boolean {
    const { nullBytes } = this;
    if (end - start !== nullBytes.length) return false;
    for (let index = 0; index < nullBytes.length; index++)
      if (bytes[start + index] !== nullBytes[index]) return false;
    return true;
  }

  private room(size: number): Uint8Array {
    if (this.scratchEnd + size > this.scratch.length) {
      // Fields already written keep the old buffer.
      this.scratch = new Uint8Array(Math.max(size, this.scratch.length * 2));
      this.scratchEnd = 0;
    }
    return this.scratch;
  }

  splitText(bytes: Uint8Array, start: number, end: number): void {
    const { delimiter } = this;
    this.count = 0;
    this.scratchEnd = 0;
    let fieldStart = start;
    // Negative after a zero byte, above 127 after one with the high bit.
    let seen = 0;
    for (;;) {
      let at = fieldStart;
      let escaped = false;
      for (; at < end; at++) {
        const byte = bytes[at]!;
        if (byte === delimiter) break;
        seen |= byte | (byte - 1);
        if (byte === BACKSLASH) {
          escaped = true;
          at++;
          if (at < end) seen |= bytes[at]! | (bytes[at]! - 1);
        }
      }
      if (at > end) at = end;
      if (!escaped) this.add(bytes, fieldStart, at, this.matchesNull(bytes, fieldStart, at), false);
      else if (this.matchesNull(bytes, fieldStart, at)) this.add(bytes, fieldStart, at, true, false);
      else this.unescape(bytes, fieldStart, at);
      if (at >= end) {
        this.isUnusual = (seen & ~127) !== 0;
        return;
      }
      fieldStart = at + 1;
    }
  }

  private unescape(bytes: Uint8Array, start: number, end: number): void {
    const target = this.room(end - start);
    const begin = this.scratchEnd;
    let out = begin;
    for (let at = start; at < end; at++) {
      let byte = bytes[at]!;
      if (byte === BACKSLASH && at + 1 < end) {
        byte = bytes[++at]!;
        switch (byte) {
          case 98:
            byte = 8;
            break;
          case 102:
            byte = 12;
            break;
          case 110:
            byte = 10;
            break;
          case 114:
            byte = 13;
            break;
          case 116:
            byte = 9;
            break;
          case 118:
            byte = 11;
            break;
          case 120: {
            const high = hexDigit(at + 1 < end ? bytes[at + 1]! : 0);
            if (high < 0) break;
            at++;
            byte = high;
            const low = hexDigit(at + 1 < end ? bytes[at + 1]! : 0);
            if (low >= 0) {
              at++;
              byte = high * 16 + low;
            }
            break;
          }
          default:
            if (byte >= 48 && byte <= 55) {
              let value = byte - 48;
              for (let digits = 1; digits < 3 && at + 1 < end; digits++) {
                const digit = bytes[at + 1]! - 48;
                if (digit < 0 || digit > 7) break;
                value = value * 8 + digit;
                at++;
              }
              byte = value & 255;
            }
        }
      }
      target[out++] = byte;
    }
    this.scratchEnd = out;
    this.add(target, begin, out, false, false);
  }

  splitCsv(bytes: Uint8Array, start: number, end: number, quote: number, escapeByte: number): void {
    const { delimiter } = this;
    this.count = 0;
    this.scratchEnd = 0;
    let at = start;
    this.isUnusual = true;
    for (;;) {
      const fieldStart = at;
      while (at < end && bytes[at] !== delimiter && bytes[at] !== quote) at++;
      if (at >= end || bytes[at] === delimiter) {
        this.add(bytes, fieldStart, at, this.matchesNull(bytes, fieldStart, at), false);
      } else at = this.quotedField(bytes, fieldStart, end, quote, escapeByte);
      if (at >= end) return;
      at++;
    }
  }

  /** A field with quotes somewhere; returns where it ends. */
  private quotedField(
    bytes: Uint8Array,
    start: number,
    end: number,
    quote: number,
    escapeByte: number,
  ): number {
    const target = this.room(end - start);
    const begin = this.scratchEnd;
    let out = begin;
    let inside = false;
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (!inside) {
        if (byte === this.delimiter) break;
        if (byte === quote) inside = true;
        else target[out++] = byte;
        continue;
      }
      if (byte === escapeByte && at + 1 < end && (bytes[at + 1] === quote || bytes[at + 1] === escapeByte)) {
        target[out++] = bytes[++at]!;
      } else if (byte === quote) inside = false;
      else target[out++] = byte;
    }
    this.scratchEnd = out;
    this.add(target, begin, out, false, true);
    return at;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  if (byte >= 65 && byte <= 70) return byte - 55;
  if (byte >= 97 && byte <= 102) return byte - 87;
  return -1;
}
