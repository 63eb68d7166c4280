/** Text forms and orders of the small types: bool, integers, floats, text, bytea, uuid, tid, pg_lsn. */
import { DbError } from '../base/error.ts';
import { Tid } from './datum.ts';
import type { Numeric } from './numeric.ts';
import { makeNumeric, numericCompare } from './numeric-core.ts';
import { isSpace, parseNumeric } from './numeric-text.ts';

export function invalidSyntax(type: string, text: string): DbError {
  return new DbError('invalid_text_representation', `invalid input syntax for type ${type}: "${text}"`);
}

export function outOfRange(type: string, text: string): DbError {
  return new DbError('numeric_value_out_of_range', `value "${text}" is out of range for type ${type}`);
}

/** Trims what C's isspace accepts. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

const BOOLEAN_WORDS: readonly (readonly [string, number, boolean])[] = [
  ['true', 1, true],
  ['false', 1, false],
  ['yes', 1, true],
  ['no', 1, false],
  ['on', 2, true],
  ['off', 2, false],
];

/** Accepts unique prefixes of true, false, yes, no, on, off, and 1, 0; null otherwise. */
export function parseBooleanWord(word: string): boolean | null {
  if (word === 't' || word === '1') return true;
  if (word === 'f' || word === '0') return false;
  const lower = word.toLowerCase();
  for (const [full, shortest, value] of BOOLEAN_WORDS) {
    if (lower.length >= shortest && lower.length <= full.length && full.startsWith(lower)) return value;
  }
  return null;
}

export function parseBoolean(text: string): boolean {
  const value = parseBooleanWord(trimSpace(text));
  if (value === null) throw invalidSyntax('boolean', text);
  return value;
}

/** Digits with sign and surrounding space, or null. */
function integerDigits(text: string): string | null {
  const body = trimSpace(text);
  let at = body[0] === '+' || body[0] === '-' ? 1 : 0;
  if (at === body.length) return null;
  for (; at < body.length; at++) {
    const code = body.charCodeAt(at);
    if (code < 48 || code > 57) return null;
  }
  return body;
}

function parseSmallInteger(text: string, type: string, low: number, high: number): number {
  const digits = integerDigits(text);
  if (digits === null) throw invalidSyntax(type, text);
  const value = Number(digits);
  if (value < low || value > high) throw outOfRange(type, text);
  return value + 0;
}

export function parseInt2(text: string): number {
  return parseSmallInteger(text, 'smallint', -32768, 32767);
}

export function parseInt4(text: string): number {
  return parseSmallInteger(text, 'integer', -2147483648, 2147483647);
}

export function parseInt8(text: string): bigint {
  const digits = integerDigits(text);
  if (digits === null) throw invalidSyntax('bigint', text);
  if (digits.length <= 15) return BigInt(Number(digits));
  const value = BigInt(digits[0] === '+' ? digits.slice(1) : digits);
  if (value > 9223372036854775807n || value < -9223372036854775808n) throw outOfRange('bigint', text);
  return value;
}

/** Unsigned 32 bit; negative numbers down to -2^31 wrap, as in PostgreSQL. */
export function parseOid(text: string, type = 'oid'): number {
  const digits = integerDigits(text);
  if (digits === null) throw invalidSyntax(type, text);
  const value = Number(digits);
  if (value > 4294967295 || value < -2147483648) throw outOfRange(type, text);
  return value >>> 0;
}

/** xid and cid take what strtoul takes, without complaint. */
export function parseUnsignedLoose(text: string, bits: 32 | 64): bigint {
  const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|\d+)/.exec(text);
  if (match === null) return 0n;
  const digits = match[2]!;
  const magnitude = /^0[0-7]+$/.test(digits)
    ? BigInt(`0o${digits.slice(1)}`)
    : BigInt(digits.replace(/^0+(?=\d)/, ''));
  return BigInt.asUintN(bits, match[1] === '-' ? -magnitude : magnitude);
}

const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

function parseFloatWord(text: string, type: string): number {
  const body = trimSpace(text);
  if (FLOAT.test(body)) return Number(body);
  switch (body.toLowerCase()) {
    case 'nan':
    case '+nan':
    case '-nan':
      return Number.NaN;
    case 'inf':
    case '+inf':
    case 'infinity':
    case '+infinity':
      return Number.POSITIVE_INFINITY;
    case '-inf':
    case '-infinity':
      return Number.NEGATIVE_INFINITY;
  }
  throw invalidSyntax(type, text);
}

function hasNonzeroDigit(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 101 || code === 69) return false;
    if (code >= 49 && code <= 57) return true;
  }
  return false;
}

export function parseFloat8(text: string): number {
  const value = parseFloatWord(text, 'double precision');
  checkFloatRange(value, text, 'double precision');
  return value;
}

export function parseFloat4(text: string): number {
  const value = toFloat4(parseFloatWord(text, 'real'), text);
  checkFloatRange(value, text, 'real');
  return value;
}

/**
 * Rounds a parsed number to float4 as if in one step: where the double lies exactly between two float4 values, the decimal text
 * itself decides.
 */
function toFloat4(double: number, text: string): number {
  const rounded = Math.fround(double);
  if (!Number.isFinite(rounded) || rounded === double || rounded === 0) return rounded;
  const spacing = 2 ** (Math.floor(Math.log2(Math.abs(double))) - 23);
  if (Math.abs(double - rounded) * 2 !== spacing) return rounded;
  const order = numericCompare(parseNumeric(text), exactNumeric(double));
  if (order === 0) return rounded;
  return Math.fround(double + (order * spacing) / 4);
}

/** The exact decimal value of a double. */
function exactNumeric(value: number): Numeric {
  let scale = 0;
  let scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    scale++;
  }
  // value = scaled / 2^scale = scaled * 5^scale / 10^scale
  return makeNumeric(BigInt(scaled) * 5n ** BigInt(scale), scale);
}

function checkFloatRange(value: number, text: string, type: string): void {
  const overflowed =
    (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) && !/inf/i.test(text);
  if (overflowed || (value === 0 && hasNonzeroDigit(text))) {
    throw new DbError('numeric_value_out_of_range', `"${trimSpace(text)}" is out of range for type ${type}`);
  }
}

/** Lays out decimal digits as C's %g does, switching to an exponent below 10^-4 and from 10^`threshold` on. */
function layoutFloat(shortest: string, threshold: number): string {
  // shortest: JavaScript's d.ddde±x or plain notation
  const negative = shortest.charCodeAt(0) === 45;
  let body = negative ? shortest.slice(1) : shortest;
  let exponent = 0;
  const mark = body.indexOf('e');
  if (mark >= 0) {
    exponent = Number(body.slice(mark + 1));
    body = body.slice(0, mark);
  }
  const point = body.indexOf('.');
  const integer = point < 0 ? body : body.slice(0, point);
  let digits = point < 0 ? body : integer + body.slice(point + 1);
  exponent += integer.length - 1;
  let leading = 0;
  while (leading < digits.length - 1 && digits.charCodeAt(leading) === 48) leading++;
  digits = digits.slice(leading);
  exponent -= leading;
  let end = digits.length;
  while (end > 1 && digits.charCodeAt(end - 1) === 48) end--;
  digits = digits.slice(0, end);
  const sign = negative ? '-' : '';
  if (digits === '0') return `${sign}0`;
  if (exponent < -4 || exponent >= threshold) {
    const magnitude = Math.abs(exponent);
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${magnitude < 10 ? '0' : ''}${magnitude}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return sign + digits.padEnd(exponent + 1, '0');
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

const TWO_54 = 2 ** 54;

/**
 * JavaScript's shortest digits may name the exact middle between two doubles and rely on rounding to even when read; PostgreSQL
 * then prints one digit more. Middles short enough to print exist only among large integers.
 */
function withoutMidpoint(value: number): string {
  const shortest = String(value);
  const exact = BigInt(Math.abs(value));
  const spacing = BigInt(2 ** (Math.floor(Math.log2(Math.abs(value))) - 52));
  const isMiddle = (text: string): boolean => {
    const distance = exact - shortestInteger(text);
    return (distance < 0n ? -distance : distance) * 2n === spacing;
  };
  if (!isMiddle(shortest)) return shortest;
  for (let digits = 15; digits < 17; digits++) {
    const text = value.toPrecision(digits);
    if (Number(text) === value && !isMiddle(text)) return text;
  }
  return value.toPrecision(17);
}

/** Magnitude of an integral decimal text, with or without exponent. */
function shortestInteger(text: string): bigint {
  const mark = text.indexOf('e');
  const body = (mark < 0 ? text : text.slice(0, mark)).replace('-', '');
  if (mark < 0) return BigInt(body);
  const point = body.indexOf('.');
  const decimals = point < 0 ? 0 : body.length - point - 1;
  return BigInt(body.replace('.', '')) * 10n ** BigInt(Number(text.slice(mark + 1)) - decimals);
}

/** Significant digits as C's printf rounds them: an exact tie goes to the even digit, where toPrecision rounds up. */
export function toDigits(value: number, digits: number): string {
  const text = value.toPrecision(digits);
  const next = value.toExponential(digits);
  if (next[next.indexOf('e') - 1] !== '5') return text;
  const exact = value.toExponential(100);
  const mark = exact.indexOf('e');
  const mantissa = exact.slice(0, mark).replace('-', '').replace('.', '');
  const isTie = mantissa[digits] === '5' && /^0*$/.test(mantissa.slice(digits + 1));
  if (!isTie || Number(mantissa[digits - 1]) % 2 !== 0) return text;
  const kept = mantissa.slice(0, digits);
  const body = digits === 1 ? kept : `${kept[0]}.${kept.slice(1)}`;
  return Number(`${value < 0 ? '-' : ''}${body}${exact.slice(mark)}`).toPrecision(digits);
}

export function formatFloat8(value: number, extraFloatDigits: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return 'Infinity';
  if (value === Number.NEGATIVE_INFINITY) return '-Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  if (extraFloatDigits > 0) {
    if (Number.isInteger(value) && value < 1e15 && value > -1e15) return String(value);
    const magnitude = value < 0 ? -value : value;
    if (magnitude >= 1e-4 && magnitude < 1e15) return String(value);
    return layoutFloat(magnitude >= TWO_54 ? withoutMidpoint(value) : String(value), 15);
  }
  const digits = Math.max(1, 15 + extraFloatDigits);
  return layoutFloat(toDigits(value, digits), digits);
}

export function formatFloat4(value: number, extraFloatDigits: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return 'Infinity';
  if (value === Number.NEGATIVE_INFINITY) return '-Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  if (extraFloatDigits > 0) return layoutFloat(shortestFloat4(value), 6);
  const digits = Math.max(1, 6 + extraFloatDigits);
  return layoutFloat(toDigits(value, digits), digits);
}

/** toPrecision rounds exact ties up; the even digit is wanted. */
function evenTie(value: number, text: string, digits: number): string {
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  const decimals = digits - 1 - exponent;
  // Only with few decimals is the product exact, and only then can there be a tie.
  if (decimals < 0 || decimals > 12) return text;
  const scaled = Math.abs(value) * 10 ** decimals;
  if (scaled % 1 !== 0.5) return text;
  const down = Math.floor(scaled);
  if (down % 2 !== 0) return text;
  const lower = (Math.sign(value) * down) / 10 ** decimals;
  return Math.fround(lower) === value ? lower.toPrecision(digits) : text;
}

/** Shortest decimal that reads back as the same float4. */
export function shortestFloat4(value: number): string {
  const spacing = 2 ** Math.max(-149, Math.floor(Math.log2(Math.abs(value))) - 23);
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    const read = Number(text);
    // The exact middle between two float4 values would rely on rounding to even when read.
    if (Math.fround(read) === value && Math.abs(read - value) * 2 !== spacing)
      return evenTie(value, text, digits);
  }
  return value.toPrecision(9);
}

/** NaN equals itself and is greater than everything. */
export function compareFloat(left: number, right: number): number {
  if (left < right) return -1;
  if (left > right) return 1;
  if (left === right) return 0;
  if (Number.isNaN(left)) return Number.isNaN(right) ? 0 : 1;
  return -1;
}

/**
 * UTF-8 byte order (the "C" collation). UTF-16 code units sort the same way except that surrogates (code points from 0x10000
 * on) must come after 0xE000 … 0xFFFF.
 */
export function compareText(left: string, right: string): number {
  const length = left.length < right.length ? left.length : right.length;
  for (let at = 0; at < length; at++) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a !== b) {
      if (a < 0xd800 || b < 0xd800) return a - b;
      return (a >= 0xe000 ? a - 0x800 : a + 0x2000) - (b >= 0xe000 ? b - 0x800 : b + 0x2000);
    }
  }
  return left.length - right.length;
}

export function trimTrailingSpaces(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
  return end === text.length ? text : text.slice(0, end);
}

/** char(n) order: trailing blanks do not count. */
export function compareBpchar(left: string, right: string): number {
  return compareText(trimTrailingSpaces(left), trimTrailingSpaces(right));
}

export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = left.length < right.length ? left.length : right.length;
  for (let at = 0; at < length; at++) {
    const difference = left[at]! - right[at]!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Number of characters (code points). */
export function characterCount(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length - 1; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0xd800 && code < 0xdc00) {
      count--;
      at++;
    }
  }
  return count;
}

/** UTF-16 index of the character number `characters` (or the end). */
export function characterOffset(text: string, characters: number): number {
  if (characters <= 0) return 0;
  let at = 0;
  for (; at < text.length && characters > 0; characters--) {
    const code = text.charCodeAt(at);
    at += code >= 0xd800 && code < 0xdc00 && at + 1 < text.length ? 2 : 1;
  }
  return at;
}

/** varchar(n): cuts blanks beyond n characters, refuses anything else (22001). An explicit cast cuts silently. */
export function coerceVarchar(text: string, typmod: number, isExplicit = false): string {
  if (typmod < 4) return text;
  const limit = typmod - 4;
  if (text.length <= limit) return text;
  const cut = characterOffset(text, limit);
  if (cut >= text.length) return text;
  if (!isExplicit && !onlySpacesFrom(text, cut)) {
    throw new DbError('string_data_right_truncation', `value too long for type character varying(${limit})`);
  }
  return text.slice(0, cut);
}

/** char(n): pads with blanks to n characters. */
export function coerceBpchar(text: string, typmod: number, isExplicit = false): string {
  if (typmod < 4) return text;
  const limit = typmod - 4;
  const count = characterCount(text);
  if (count === limit) return text;
  if (count < limit) return text + ' '.repeat(limit - count);
  const cut = characterOffset(text, limit);
  if (!isExplicit && !onlySpacesFrom(text, cut)) {
    throw new DbError('string_data_right_truncation', `value too long for type character(${limit})`);
  }
  return text.slice(0, cut);
}

function onlySpacesFrom(text: string, start: number): boolean {
  for (let at = start; at < text.length; at++) if (text.charCodeAt(at) !== 32) return false;
  return true;
}

/** name: at most 63 bytes, cut at a character. */
export function truncateName(text: string): string {
  if (text.length <= 21 || Buffer.byteLength(text) <= 63) return text;
  let bytes = 0;
  let at = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > 63) break;
    at += character.length;
  }
  return text.slice(0, at);
}

/** "char": one byte; bytes above 127 print as \ooo. */
export function parseSingleChar(text: string): string {
  if (text.length === 0) return '';
  const code = text.charCodeAt(0);
  if (code === 92 && /^\\[0-3][0-7]{2}$/.test(text))
    return byteToSingleChar(Number.parseInt(text.slice(1), 8));
  if (code < 128) return text[0]!;
  return byteToSingleChar(Buffer.from(text.slice(0, 2))[0]!);
}

export function byteToSingleChar(byte: number): string {
  if (byte === 0) return '';
  return byte < 128 ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
}

export function singleCharToByte(text: string): number {
  if (text === '') return 0;
  return text.length === 4 ? Number.parseInt(text.slice(1), 8) : text.charCodeAt(0) & 255;
}

function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  if (code >= 65 && code <= 70) return code - 55;
  return -1;
}

export function parseHex(text: string, start: number): Uint8Array {
  const bytes = new Uint8Array((text.length - start) >> 1);
  let length = 0;
  for (let at = start; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === 32 || code === 10 || code === 9 || code === 13) {
      at++;
      continue;
    }
    const high = hexValue(code);
    if (high < 0) throw invalidHexDigit(text, at);
    if (at + 1 >= text.length) {
      throw new DbError('invalid_parameter_value', 'invalid hexadecimal data: odd number of digits');
    }
    const low = hexValue(text.charCodeAt(at + 1));
    if (low < 0) throw invalidHexDigit(text, at + 1);
    bytes[length++] = high * 16 + low;
    at += 2;
  }
  return length === bytes.length ? bytes : bytes.slice(0, length);
}

function invalidHexDigit(text: string, at: number): DbError {
  return new DbError(
    'invalid_parameter_value',
    `invalid hexadecimal digit: "${String.fromCodePoint(text.codePointAt(at)!)}"`,
  );
}

export function parseBytea(text: string): Uint8Array {
  if (text.charCodeAt(0) === 92 && text[1] === 'x') return parseHex(text, 2);
  const source = Buffer.from(text);
  const bytes = new Uint8Array(source.length);
  let length = 0;
  for (let at = 0; at < source.length; ) {
    const byte = source[at]!;
    if (byte !== 92) {
      bytes[length++] = byte;
      at++;
      continue;
    }
    const a = source[at + 1]!;
    const b = source[at + 2]!;
    const c = source[at + 3]!;
    if (a >= 48 && a <= 51 && b >= 48 && b <= 55 && c >= 48 && c <= 55) {
      bytes[length++] = (a - 48) * 64 + (b - 48) * 8 + (c - 48);
      at += 4;
    } else if (a === 92) {
      bytes[length++] = 92;
      at += 2;
    } else throw new DbError('invalid_text_representation', 'invalid input syntax for type bytea');
  }
  return bytes.slice(0, length);
}

export function bytesToHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

export function formatBytea(bytes: Uint8Array, style: 'hex' | 'escape'): string {
  if (style === 'hex') return `\\x${bytesToHex(bytes)}`;
  let text = '';
  for (const byte of bytes) {
    if (byte === 92) text += '\\\\';
    else if (byte < 32 || byte > 126) text += `\\${byte.toString(8).padStart(3, '0')}`;
    else text += String.fromCharCode(byte);
  }
  return text;
}

const PLAIN_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** 36 lower-case characters; braces and hyphens after any four digits are accepted. */
export function parseUuid(text: string): string {
  if (PLAIN_UUID.test(text)) return text;
  let body = text;
  if (body[0] === '{' && body.endsWith('}')) body = body.slice(1, -1);
  if (!/^[0-9a-fA-F]{4}(?:-?[0-9a-fA-F]{4}){7}$/.test(body)) throw invalidSyntax('uuid', text);
  return hexToUuid(body.replaceAll('-', '').toLowerCase());
}

export function hexToUuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export function uuidToBytes(uuid: string): Uint8Array {
  return new Uint8Array(Buffer.from(uuid.replaceAll('-', ''), 'hex'));
}

export function parseTid(text: string): Tid {
  const match = /^\s*\(\s*(\d+),\s*(\d+)\)/.exec(text);
  if (match === null || Number(match[1]) > 4294967295 || Number(match[2]) > 65535)
    throw invalidSyntax('tid', text);
  return new Tid(Number(match[1]), Number(match[2]));
}

export function parseLsn(text: string): string {
  const match = /^([0-9a-fA-F]{1,8})\/([0-9a-fA-F]{1,8})$/.exec(text);
  if (match === null) throw invalidSyntax('pg_lsn', text);
  return formatLsn(lsnValue(text));
}

/** pg_lsn text as an integer. */
export function lsnValue(text: string): bigint {
  const slash = text.indexOf('/');
  return (BigInt(`0x${text.slice(0, slash)}`) << 32n) | BigInt(`0x${text.slice(slash + 1)}`);
}

export function formatLsn(value: bigint): string {
  return `${(value >> 32n).toString(16).toUpperCase()}/${(value & 0xffffffffn).toString(16).toUpperCase()}`;
}
