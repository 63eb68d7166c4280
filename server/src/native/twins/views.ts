/** Typed views over byte views, with the checks that the addon makes. */
import { internalError } from '../../base/error.ts';

export type UnsignedView = Uint8Array | Uint16Array | Uint32Array | BigUint64Array;
export type SignedView = Int8Array | Int16Array | Int32Array | BigInt64Array;

export function checkRoom(bytes: Uint8Array, width: number, count: number): void {
  if (bytes.length < width * count)
    throw internalError(`kernel: ${bytes.length} bytes for ${count} values of ${width} bytes`);
}

export function checkBitmap(bytes: Uint8Array, count: number): void {
  if (bytes.length < (count + 7) >>> 3)
    throw internalError(`kernel: bitmap of ${bytes.length} bytes for ${count} rows`);
}

export function unsigned(bytes: Uint8Array, width: number, count: number): UnsignedView {
  checkRoom(bytes, width, count);
  switch (width) {
    case 1:
      return bytes.subarray(0, count);
    case 2:
      return new Uint16Array(bytes.buffer, bytes.byteOffset, count);
    case 4:
      return new Uint32Array(bytes.buffer, bytes.byteOffset, count);
    case 8:
      return new BigUint64Array(bytes.buffer, bytes.byteOffset, count);
    default:
      throw internalError(`kernel: width ${width}`);
  }
}

export function signed(bytes: Uint8Array, width: number, count: number): SignedView {
  checkRoom(bytes, width, count);
  switch (width) {
    case 1:
      return new Int8Array(bytes.buffer, bytes.byteOffset, count);
    case 2:
      return new Int16Array(bytes.buffer, bytes.byteOffset, count);
    case 4:
      return new Int32Array(bytes.buffer, bytes.byteOffset, count);
    case 8:
      return new BigInt64Array(bytes.buffer, bytes.byteOffset, count);
    default:
      throw internalError(`kernel: width ${width}`);
  }
}

/** The 32-bit halves of 8-byte values: low word first. */
export function halves(bytes: Uint8Array, count: number): Uint32Array {
  checkRoom(bytes, 8, count);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, count * 2);
}
