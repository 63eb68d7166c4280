/**
 * Storage bytes of jsonb (docs/format/values.md).
 *
 * A value is a tag byte and its body: 0 null, 1 false, 2 true, 3 string (length, UTF-8), 4 number (length, numeric's storage
 * bytes), 5 array (count, values), 6 object (count, then key length, key, value; keys in jsonb's order). Lengths and counts are
 * LEB128.
 */
import { DbError } from '../base/error.ts';
import { isJsonArray, type JsonObject } from './json-text.ts';
import type { JsonValue } from './jsonb.ts';
import { Numeric } from './numeric.ts';
import { decodeNumeric, encodeNumeric } from './numeric-codec.ts';

class Writer {
  private buffer = Buffer.allocUnsafe(128);
  private length = 0;

  private reserve(size: number): void {
    if (this.length + size <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + size));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }
  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }
  count(value: number): void {
    while (value >= 128) {
      this.byte((value & 127) | 128);
      value = Math.floor(value / 128);
    }
    this.byte(value);
  }
  text(value: string): void {
    const size = Buffer.byteLength(value);
    this.count(size);
    this.reserve(size);
    this.buffer.write(value, this.length);
    this.length += size;
  }
  bytes(value: Uint8Array): void {
    this.count(value.length);
    this.reserve(value.length);
    this.buffer.set(value, this.length);
    this.length += value.length;
  }
  finish(): Uint8Array {
    return new Uint8Array(this.buffer.subarray(0, this.length));
  }
}

function write(writer: Writer, value: JsonValue): void {
  if (value === null) writer.byte(0);
  else if (typeof value === 'boolean') writer.byte(value ? 2 : 1);
  else if (typeof value === 'string') {
    writer.byte(3);
    writer.text(value);
  } else if (value instanceof Numeric) {
    writer.byte(4);
    writer.bytes(encodeNumeric(value));
  } else if (isJsonArray(value)) {
    writer.byte(5);
    writer.count(value.length);
    for (const item of value) write(writer, item);
  } else {
    const { entries } = value as JsonObject;
    writer.byte(6);
    writer.count(entries.length);
    for (const [key, item] of entries) {
      writer.text(key);
      write(writer, item);
    }
  }
}

export function encodeJson(value: JsonValue): Uint8Array {
  const writer = new Writer();
  write(writer, value);
  return writer.finish();
}

class Reader {
  private readonly buffer: Buffer;
  private at = 0;
  constructor(bytes: Uint8Array) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  private count(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.buffer[this.at++];
      if (byte === undefined) throw corrupted();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }
  private slice(): Buffer {
    const size = this.count();
    if (this.at + size > this.buffer.length) throw corrupted();
    this.at += size;
    return this.buffer.subarray(this.at - size, this.at);
  }
  value(): JsonValue {
    switch (this.buffer[this.at++]) {
      case 0:
        return null;
      case 1:
        return false;
      case 2:
        return true;
      case 3:
        return this.slice().toString();
      case 4:
        return decodeNumeric(this.slice());
      case 5: {
        const items: JsonValue[] = [];
        for (let left = this.count(); left > 0; left--) items.push(this.value());
        return items;
      }
      case 6: {
        const entries: (readonly [string, JsonValue])[] = [];
        for (let left = this.count(); left > 0; left--) entries.push([this.slice().toString(), this.value()]);
        return { entries };
      }
      default:
        throw corrupted();
    }
  }
}

function corrupted(): DbError {
  return new DbError('data_corrupted', 'stored jsonb value is malformed');
}

export function decodeJson(bytes: Uint8Array): JsonValue {
  return new Reader(bytes).value();
}
