/**
 * Storage bytes of any value (docs/format/values.md): fixed-size types little-endian, `varlen` types by their `encode`. Used
 * for array elements, composite fields, index keys and spilled rows.
 */
import { assertNever, internalError } from '../base/error.ts';
import type { PhysicalType, TypeSupport } from './contract.ts';
import type { Datum } from './datum.ts';
import { hexToUuid, uuidToBytes } from './scalars.ts';

const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = new Uint8Array(scratch.buffer);

/** Physical type used for single values: never decimal64, which depends on a typmod. */
export function valuePhysical(support: TypeSupport): PhysicalType {
  return support.physical(-1);
}

export function encodeValue(support: TypeSupport, value: Datum): Uint8Array {
  const physical = valuePhysical(support);
  switch (physical) {
    case 'bool':
      return Uint8Array.of(value === true ? 1 : 0);
    case 'int16':
      scratch.setInt16(0, value as number, true);
      return scratchBytes.slice(0, 2);
    case 'int32':
      scratch.setInt32(0, value as number, true);
      return scratchBytes.slice(0, 4);
    case 'int64':
      scratch.setBigInt64(0, BigInt.asIntN(64, BigInt(value as number | bigint)), true);
      return scratchBytes.slice(0, 8);
    case 'float32':
      scratch.setFloat32(0, value as number, true);
      return scratchBytes.slice(0, 4);
    case 'float64':
      scratch.setFloat64(0, value as number, true);
      return scratchBytes.slice(0, 8);
    case 'bytes16':
      return uuidToBytes(value as string);
    case 'varlen':
      if (support.encode === undefined) throw internalError(`type ${support.name} has no storage form`);
      return support.encode(value);
    case 'decimal64':
      throw internalError('decimal64 is a column form');
    default:
      return assertNever(physical, 'encodeValue');
  }
}

/** `isBigint`: whether int64 values of this type are bigints (int8, timestamps) or numbers (time). */
export function decodeValue(support: TypeSupport, bytes: Uint8Array): Datum {
  const physical = valuePhysical(support);
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (physical) {
    case 'bool':
      return bytes[0] !== 0;
    case 'int16':
      return data.getInt16(0, true);
    case 'int32':
      return isUnsigned(support.oid) ? data.getUint32(0, true) : data.getInt32(0, true);
    case 'int64':
      return isNumberInt64(support.oid)
        ? Number(data.getBigInt64(0, true))
        : isUnsigned64(support.oid)
          ? data.getBigUint64(0, true)
          : data.getBigInt64(0, true);
    case 'float32':
      return data.getFloat32(0, true);
    case 'float64':
      return data.getFloat64(0, true);
    case 'bytes16':
      return hexToUuid(Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('hex'));
    case 'varlen':
      if (support.decode === undefined) throw internalError(`type ${support.name} has no storage form`);
      return support.decode(bytes);
    case 'decimal64':
      throw internalError('decimal64 is a column form');
    default:
      return assertNever(physical, 'decodeValue');
  }
}

/** time: microseconds as a number. */
export function isNumberInt64(oid: number): boolean {
  return oid === 1083;
}

/** xid8 is an unsigned 64-bit value. */
export function isUnsigned64(oid: number): boolean {
  return oid === 5069;
}

/** oid, xid, cid and the reg types hold unsigned 32-bit values. */
export function isUnsigned(oid: number): boolean {
  switch (oid) {
    case 26:
    case 28:
    case 29:
    case 24:
    case 2202:
    case 2203:
    case 2204:
    case 2205:
    case 2206:
    case 3734:
    case 3769:
    case 4089:
    case 4096:
    case 4191:
      return true;
    default:
      return false;
  }
}
