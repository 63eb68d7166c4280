/**
 * Bytes of numeric: PostgreSQL's binary wire format, and our compact storage format (docs/format/values.md).
 *
 * Storage: byte 0 = kind (bits 0-1: 0 finite, 1 NaN, 2 Infinity, 3 -Infinity), sign (bit 2), scale (bits 3-7, 31 = a u16 LE
 * with the scale follows); then the magnitude of the coefficient, little-endian, without leading zero bytes.
 */
import { DbError } from '../base/error.ts';
import { Numeric } from './numeric.ts';
import {
  makeNumeric,
  NUMERIC_INFINITY,
  NUMERIC_NAN,
  NUMERIC_NEGATIVE_INFINITY,
  powerOfTen,
} from './numeric-core.ts';

const KINDS = ['finite', 'NaN', 'Infinity', '-Infinity'] as const;

export function encodeNumeric(value: Numeric): Uint8Array {
  if (value.kind !== 'finite') return Uint8Array.of(KINDS.indexOf(value.kind));
  const { coefficient, scale } = value;
  const negative = coefficient < 0;
  const wide = scale >= 31;
  const head = (negative ? 4 : 0) | ((wide ? 31 : scale) << 3);
  if (typeof coefficient === 'number') {
    const bytes = new Uint8Array(wide ? 10 : 8);
    let length = 0;
    bytes[length++] = head;
    if (wide) {
      bytes[length++] = scale & 255;
      bytes[length++] = scale >> 8;
    }
    for (let rest = negative ? -coefficient : coefficient; rest > 0; rest = Math.floor(rest / 256))
      bytes[length++] = rest % 256;
    return bytes.subarray(0, length);
  }
  let hex = (negative ? -coefficient : coefficient).toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  const magnitude = Buffer.from(hex, 'hex').reverse();
  const start = wide ? 3 : 1;
  const bytes = new Uint8Array(start + magnitude.length);
  bytes[0] = head;
  if (wide) {
    bytes[1] = scale & 255;
    bytes[2] = scale >> 8;
  }
  bytes.set(magnitude, start);
  return bytes;
}

export function decodeNumeric(bytes: Uint8Array): Numeric {
  const head = bytes[0]!;
  const kind = head & 3;
  if (kind !== 0) return kind === 1 ? NUMERIC_NAN : kind === 2 ? NUMERIC_INFINITY : NUMERIC_NEGATIVE_INFINITY;
  let scale = head >> 3;
  let start = 1;
  if (scale === 31) {
    scale = bytes[1]! | (bytes[2]! << 8);
    start = 3;
  }
  const negative = (head & 4) !== 0;
  if (bytes.length - start <= 6) {
    let magnitude = 0;
    for (let index = bytes.length - 1; index >= start; index--) magnitude = magnitude * 256 + bytes[index]!;
    return new Numeric(negative ? -magnitude : magnitude, scale);
  }
  const reversed = Buffer.from(bytes.subarray(start)).reverse();
  const magnitude = BigInt(`0x${reversed.toString('hex')}`);
  return makeNumeric(negative ? -magnitude : magnitude, scale);
}

/** ndigits, weight, sign, dscale (int16 each), then base-10000 digits (int16 each), all big-endian. */
export function sendNumeric(value: Numeric): Uint8Array {
  if (value.kind !== 'finite') {
    const bytes = new Uint8Array(8);
    const sign = value.kind === 'NaN' ? 0xc000 : value.kind === 'Infinity' ? 0xd000 : 0xf000;
    bytes[4] = sign >> 8;
    // The server sends this scale with infinities.
    if (value.kind !== 'NaN') bytes[7] = 0x20;
    return bytes;
  }
  const digits: number[] = [];
  const { coefficient, scale } = value;
  let weight = 0;
  if (coefficient !== 0) {
    const pad = (4 - (scale % 4)) % 4;
    let text = (coefficient < 0 ? -coefficient : coefficient).toString() + '0'.repeat(pad);
    const lead = (4 - (text.length % 4)) % 4;
    text = '0'.repeat(lead) + text;
    const groups = text.length / 4;
    weight = groups - 1 - (scale + pad) / 4;
    for (let group = 0; group < groups; group++) digits.push(Number(text.slice(group * 4, group * 4 + 4)));
    while (digits.length > 0 && digits[digits.length - 1] === 0) digits.pop();
  }
  const bytes = new Uint8Array(8 + 2 * digits.length);
  const view = new DataView(bytes.buffer);
  view.setInt16(0, digits.length);
  view.setInt16(2, weight);
  view.setUint16(4, coefficient < 0 ? 0x4000 : 0);
  view.setInt16(6, scale);
  for (let index = 0; index < digits.length; index++) view.setInt16(8 + 2 * index, digits[index]!);
  return bytes;
}

export function receiveNumeric(bytes: Uint8Array): Numeric {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8) throw new DbError('protocol_violation', 'insufficient data left in message');
  const count = view.getUint16(0);
  const weight = view.getInt16(2);
  const sign = view.getUint16(4);
  const scale = view.getUint16(6);
  if (sign !== 0 && sign !== 0x4000) {
    if (sign === 0xc000) return NUMERIC_NAN;
    if (sign === 0xd000) return NUMERIC_INFINITY;
    if (sign === 0xf000) return NUMERIC_NEGATIVE_INFINITY;
    throw new DbError('invalid_binary_representation', 'invalid sign in external "numeric" value');
  }
  if (scale > 16383)
    throw new DbError('invalid_binary_representation', 'invalid scale in external "numeric" value');
  if (bytes.length < 8 + 2 * count)
    throw new DbError('protocol_violation', 'insufficient data left in message');
  let text = '';
  for (let index = 0; index < count; index++) {
    const digit = view.getInt16(8 + 2 * index);
    if (digit < 0 || digit > 9999) {
      throw new DbError('invalid_binary_representation', 'invalid digit in external "numeric" value');
    }
    text += digit.toString().padStart(4, '0');
  }
  let coefficient = BigInt(text === '' ? '0' : text);
  const shift = scale + (weight - count + 1) * 4;
  // Digits below the announced scale are cut, as PostgreSQL does.
  coefficient = shift >= 0 ? coefficient * powerOfTen(shift) : coefficient / powerOfTen(-shift);
  return makeNumeric(sign === 0x4000 ? -coefficient : coefficient, scale);
}
