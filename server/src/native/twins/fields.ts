/** Twins of the kernels that cut and parse delimited text. */
import { internalError } from '../../base/error.ts';
import { checkRoom, signed, unsigned } from './views.ts';

const NEWLINE = 10;
const RETURN = 13;
const BACKSLASH = 92;

/** See {@link Kernels.cutLines}. */
export function cutLines(
  source: Uint8Array,
  start: number,
  delimiter: number,
  fields: number,
  limit: number,
  ends: Uint8Array,
): number {
  const end = unsigned(ends, 4, limit * fields + 1) as Uint32Array;
  end[0] = start - 1;
  let lines = 0;
  let count = 0;
  let next = 1;
  for (let at = start; at < source.length && lines < limit; at++) {
    const byte = source[at]!;
    if (byte > BACKSLASH && byte !== delimiter) continue;
    if (byte === delimiter) {
      if (++count === fields) return lines;
      end[next++] = at;
    } else if (byte === NEWLINE) {
      if (count + 1 !== fields) return lines;
      end[next++] = at;
      count = 0;
      lines++;
    } else if (byte === BACKSLASH || byte === RETURN || byte === 0) return lines;
  }
  return lines;
}

function checkField(
  source: Uint8Array,
  ends: Uint32Array,
  fields: number,
  field: number,
  rows: number,
): void {
  if (field >= fields) throw internalError(`kernel: field ${field} of ${fields}`);
  if (rows > 0 && ends[rows * fields]! > source.length)
    throw internalError('kernel: a field beyond the source');
}

/** See {@link Kernels.parseDecimals}. */
export function parseDecimals(
  source: Uint8Array,
  ends: Uint8Array,
  fields: number,
  field: number,
  rows: number,
  scale: number,
  hasPoint: boolean,
  limit: number,
  width: number,
  target: Uint8Array,
): number {
  const end = unsigned(ends, 4, rows * fields + 1) as Uint32Array;
  checkField(source, end, fields, field, rows);
  checkRoom(target, width, rows);
  const words = width === 8 ? new Int32Array(target.buffer, target.byteOffset, rows * 2) : null;
  const out = words === null ? (signed(target, width, rows) as Int32Array) : words;
  for (let row = 0; row < rows; row++) {
    const place = row * fields + field;
    let at = (end[place]! + 1) >>> 0;
    const stop = end[place + 1]!;
    const isNegative = at < stop && source[at] === 45;
    if (isNegative) at++;
    if (at >= stop || stop - at > 16) return row;
    let value = 0;
    let digits = 0;
    let decimals = 0;
    let hasSeenPoint = false;
    for (; at < stop; at++) {
      const digit = source[at]! - 48;
      if (digit >= 0 && digit <= 9) {
        value = value * 10 + digit;
        digits++;
        if (hasSeenPoint) decimals++;
      } else if (digit === -2 && hasPoint && !hasSeenPoint) hasSeenPoint = true;
      else return row;
    }
    if (digits === 0 || decimals > scale || digits - decimals + scale > 15) return row;
    for (; decimals < scale; decimals++) value *= 10;
    if (value >= limit) return row;
    if (isNegative) value = 0 - value;
    if (words === null) out[row] = value;
    else {
      words[2 * row] = value;
      words[2 * row + 1] = Math.floor(value / 4294967296);
    }
  }
  return rows;
}

function two(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - 48;
  const ones = bytes[at + 1]! - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : 1000;
}

/** See {@link Kernels.parseDates}. */
export function parseDates(
  source: Uint8Array,
  ends: Uint8Array,
  fields: number,
  field: number,
  rows: number,
  target: Uint8Array,
): number {
  const end = unsigned(ends, 4, rows * fields + 1) as Uint32Array;
  checkField(source, end, fields, field, rows);
  const out = signed(target, 4, rows) as Int32Array;
  for (let row = 0; row < rows; row++) {
    const place = row * fields + field;
    const at = (end[place]! + 1) >>> 0;
    if (end[place + 1]! - at !== 10 || source[at + 4] !== 45 || source[at + 7] !== 45) return row;
    const century = two(source, at);
    const rest = two(source, at + 2);
    const month = two(source, at + 5);
    const day = two(source, at + 8);
    const year = century * 100 + rest;
    if (century > 99 || rest > 99 || year === 0 || month < 1 || month > 12 || day < 1 || day > 31) return row;
    if (
      day > 28 &&
      (month === 2 || (day === 31 && (month === 4 || month === 6 || month === 9 || month === 11)))
    )
      return row;
    const shifted = month <= 2 ? year - 1 : year;
    const era = Math.floor(shifted / 400);
    const yearOfEra = shifted - era * 400;
    const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
    out[row] =
      era * 146097 +
      yearOfEra * 365 +
      Math.floor(yearOfEra / 4) -
      Math.floor(yearOfEra / 100) +
      dayOfYear -
      730425;
  }
  return rows;
}

/** See {@link Kernels.copyFields}. */
export function copyFields(
  source: Uint8Array,
  ends: Uint8Array,
  fields: number,
  field: number,
  rows: number,
  least: number,
  most: number,
  target: Uint8Array,
  at: number,
  offsets: Uint8Array,
): number {
  const end = unsigned(ends, 4, rows * fields + 1) as Uint32Array;
  checkField(source, end, fields, field, rows);
  const out = unsigned(offsets, 4, rows + 1) as Uint32Array;
  let to = at;
  for (let row = 0; row < rows; row++) {
    const place = row * fields + field;
    const from = (end[place]! + 1) >>> 0;
    const length = end[place + 1]! - from;
    const filled = Math.max(length, least);
    if (length > most || filled > target.length - to) return row;
    if (least > 0) for (let index = 0; index < length; index++) if (source[from + index]! > 127) return row;
    for (let index = 0; index < length; index++) target[to + index] = source[from + index]!;
    for (let index = length; index < filled; index++) target[to + index] = 32;
    to += filled;
    out[row + 1] = to;
  }
  return rows;
}
