/** Reading and writing of fixed-size binary wire values (big-endian). */
import { DbError } from '../base/error.ts';

export function view(bytes: Uint8Array, size: number): DataView {
  if (bytes.length < size) throw new DbError('protocol_violation', 'insufficient data left in message');
  if (bytes.length > size) throw new DbError('invalid_binary_representation', 'incorrect binary data format');
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function int16Bytes(value: number): Uint8Array {
  return Uint8Array.of((value >> 8) & 255, value & 255);
}

export function int32Bytes(value: number): Uint8Array {
  return Uint8Array.of((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

export function int64Bytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt.asIntN(64, value));
  return bytes;
}

export function float32Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value);
  return bytes;
}

export function float64Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return bytes;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 text from the wire; 22021 when invalid or with a zero byte. */
export function utf8Text(bytes: Uint8Array): string {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw invalidUtf8(bytes);
  }
  if (text.includes('\0')) {
    throw new DbError('character_not_in_repertoire', 'invalid byte sequence for encoding "UTF8": 0x00');
  }
  return text;
}

/** Length of the valid sequence at `at`, 0 when invalid. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  const length =
    lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  for (let index = 1; index < length; index++) if ((bytes[at + index]! & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1]!;
  if ((lead === 0xe0 && second < 0xa0) || (lead === 0xed && second > 0x9f)) return 0;
  if ((lead === 0xf0 && second < 0x90) || (lead === 0xf4 && second > 0x8f)) return 0;
  return length;
}

/** PostgreSQL's error naming the first invalid sequence. */
export function invalidUtf8(bytes: Uint8Array): DbError {
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) break;
    at += length;
  }
  const lead = bytes[at] ?? 0;
  const claimed =
    lead < 0x80
      ? 1
      : (lead & 0xe0) === 0xc0
        ? 2
        : (lead & 0xf0) === 0xe0
          ? 3
          : (lead & 0xf8) === 0xf0
            ? 4
            : 1;
  const shown = [...bytes.subarray(at, Math.min(at + claimed, bytes.length))].map(
    (byte) => `0x${byte.toString(16).padStart(2, '0')}`,
  );
  return new DbError(
    'character_not_in_repertoire',
    `invalid byte sequence for encoding "UTF8": ${shown.join(' ')}`,
  );
}

/** Sequential reader for composite wire formats. */
export class WireReader {
  private readonly bytes: Uint8Array;
  private readonly data: DataView;
  private at = 0;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  private need(size: number): number {
    const start = this.at;
    if (size < 0 || start + size > this.bytes.length)
      throw new DbError('protocol_violation', 'insufficient data left in message');
    this.at = start + size;
    return start;
  }
  int32(): number {
    return this.data.getInt32(this.need(4));
  }
  uint32(): number {
    return this.data.getUint32(this.need(4));
  }
  take(size: number): Uint8Array {
    const start = this.need(size);
    return this.bytes.subarray(start, start + size);
  }
  get left(): number {
    return this.bytes.length - this.at;
  }
}

/** Concatenates parts. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += part.length;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
