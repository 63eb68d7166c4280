/** Functions and operators of text, varchar, bpchar, name and bytea. Positions count characters from 1. */
import { DbError } from '../../base/error.ts';
import { utf8Text } from '../../types/binary.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import { OID } from '../../types/oid.ts';
import {
  bytesToHex,
  characterCount,
  characterOffset,
  coerceBpchar,
  coerceVarchar,
  parseBytea,
  parseHex,
  trimTrailingSpaces,
  truncateName,
} from '../../types/scalars.ts';
import { quoteIdentifier } from '../parse/keywords.ts';
import { asciiFunctions } from './ascii.ts';
import { rangeError } from './integer.ts';
import { boundTable, type FunctionTable, type Implementation, pureTable } from './registry.ts';

const MAX_TEXT = 0x1fffffe8 - 4096;

/** Strings end near 512 M units in the runtime; PostgreSQL's limit is 1 GB. */
function checkLength(length: number): void {
  if (length > MAX_TEXT) throw new DbError('program_limit_exceeded', 'requested length too large');
}

/** True when every UTF-16 unit is a character by itself. */
function isSimple(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0xd800 && code < 0xe000) return false;
  }
  return true;
}

/** Slice by characters [start, end) counted from 0. */
function sliceCharacters(text: string, start: number, end: number): string {
  if (start >= end) return '';
  const from = characterOffset(text, start);
  // Without a surrogate in front, the offset is the count: nothing after it shifts either unless a surrogate comes.
  if (end >= text.length && isSimple(text)) return text.slice(from);
  return text.slice(from, from + characterOffset(text.slice(from, from + 2 * (end - start)), end - start));
}

export function substring(text: string, start: number, length: number | null): string {
  if (length !== null && length < 0)
    throw new DbError('substring_error', 'negative substring length not allowed');
  const from = Math.max(start, 1) - 1;
  const end = length === null ? Number.POSITIVE_INFINITY : start - 1 + length;
  if (end <= from) return '';
  return sliceCharacters(text, from, Math.min(end, text.length + 1));
}

function substringBytes(bytes: Uint8Array, start: number, length: number | null): Uint8Array {
  if (length !== null && length < 0)
    throw new DbError('substring_error', 'negative substring length not allowed');
  const from = Math.max(start, 1) - 1;
  const end = length === null ? bytes.length : Math.max(from, start - 1 + length);
  return bytes.slice(from, end);
}

/** Position of `part` in characters from 1, 0 when absent. */
function position(text: string, part: string): number {
  const found = text.indexOf(part);
  if (found < 0) return 0;
  return isSimple(text) ? found + 1 : characterCount(text.slice(0, found)) + 1;
}

function trim(text: string, characters: string, isStart: boolean, isEnd: boolean): string {
  const set = new Set(characters);
  let start = 0;
  let end = text.length;
  if (isStart) {
    while (start < end) {
      const character = String.fromCodePoint(text.codePointAt(start)!);
      if (!set.has(character)) break;
      start += character.length;
    }
  }
  if (isEnd) {
    while (end > start) {
      const low = text.charCodeAt(end - 1);
      const size = low >= 0xdc00 && low < 0xe000 && end - 2 >= start ? 2 : 1;
      if (!set.has(text.slice(end - size, end))) break;
      end -= size;
    }
  }
  return text.slice(start, end);
}

function trimBytes(bytes: Uint8Array, set: Uint8Array, isStart: boolean, isEnd: boolean): Uint8Array {
  let start = 0;
  let end = bytes.length;
  if (isStart) while (start < end && set.includes(bytes[start]!)) start++;
  if (isEnd) while (end > start && set.includes(bytes[end - 1]!)) end--;
  return bytes.slice(start, end);
}

function pad(text: string, length: number, fill: string, isLeft: boolean): string {
  if (length <= 0) return '';
  checkLength(length);
  const count = characterCount(text);
  if (count >= length) return sliceCharacters(text, 0, length);
  if (fill === '') return text;
  const missing = length - count;
  const fillCharacters = [...fill];
  const whole = Math.floor(missing / fillCharacters.length);
  const padding =
    fill.repeat(whole) + fillCharacters.slice(0, missing - whole * fillCharacters.length).join('');
  return isLeft ? padding + text : text + padding;
}

function repeat(text: string, count: number): string {
  if (count <= 0) return '';
  checkLength(text.length * count);
  return text.repeat(count);
}

function translate(text: string, from: string, to: string): string {
  const source = [...from];
  const target = [...to];
  const map = new Map<string, string>();
  source.forEach((character, index) => {
    if (!map.has(character)) map.set(character, target[index] ?? '');
  });
  let result = '';
  for (const character of text) result += map.get(character) ?? character;
  return result;
}

/** Upper-cases letters that start a word; words are runs of letters and digits. */
function initcap(text: string): string {
  let result = '';
  let wasWord = false;
  for (const character of text) {
    const isWord = /[\p{L}\p{N}]/u.test(character);
    result += wasWord ? lower(character) : upper(character);
    wasWord = isWord;
  }
  return result;
}

/** Simple case mapping: one character stays one character. */
function upper(text: string): string {
  const mapped = text.toUpperCase();
  if (mapped.length === text.length) return mapped;
  return [...text]
    .map((character) =>
      character.toUpperCase().length === character.length ? character.toUpperCase() : character,
    )
    .join('');
}
function lower(text: string): string {
  const mapped = text.toLowerCase();
  if (mapped.length === text.length) return mapped;
  return [...text]
    .map((character) =>
      character.toLowerCase().length === character.length ? character.toLowerCase() : character,
    )
    .join('');
}

function splitPart(text: string, delimiter: string, field: number): string {
  if (field === 0) throw new DbError('invalid_parameter_value', 'field position must not be zero');
  if (text === '') return '';
  if (delimiter === '') return field === 1 || field === -1 ? text : '';
  const parts = text.split(delimiter);
  return (field > 0 ? parts[field - 1] : parts[parts.length + field]) ?? '';
}

function overlay(text: string, replacement: string, start: number, length: number): string {
  if (start <= 0) throw new DbError('substring_error', 'negative substring length not allowed');
  if (start + length > 2147483647) throw rangeError('integer');
  return substring(text, 1, start - 1) + replacement + substring(text, start + length, null);
}

function overlayBytes(bytes: Uint8Array, replacement: Uint8Array, start: number, length: number): Uint8Array {
  if (start <= 0) throw new DbError('substring_error', 'negative substring length not allowed');
  return new Uint8Array(
    Buffer.concat([
      bytes.subarray(0, start - 1),
      replacement,
      bytes.subarray(Math.max(0, start - 1 + length)),
    ]),
  );
}

function chr(code: number): string {
  if (code < 0) throw new DbError('invalid_parameter_value', 'character number must be positive');
  if (code === 0) throw new DbError('program_limit_exceeded', 'null character not permitted');
  if (code > 0x10ffff)
    throw new DbError('program_limit_exceeded', `requested character too large for encoding: ${code}`);
  if (code >= 0xd800 && code <= 0xdfff) {
    throw new DbError('program_limit_exceeded', `requested character not valid for encoding: ${code}`);
  }
  return String.fromCodePoint(code);
}

export function quoteLiteral(text: string): string {
  const escaped = text.replaceAll("'", "''");
  return text.includes('\\') ? `E'${escaped.replaceAll('\\', '\\\\')}'` : `'${escaped}'`;
}

/** Splits a qualified identifier; unquoted parts fold to lower case. */
export function parseIdentifier(text: string, isStrict: boolean): string[] {
  const invalid = (detail?: string): DbError =>
    new DbError(
      'invalid_parameter_value',
      `string is not a valid identifier: "${text}"`,
      detail === undefined ? {} : { detail },
    );
  const parts: string[] = [];
  let at = 0;
  const skip = (): void => {
    while (at < text.length && /\s/.test(text[at]!)) at++;
  };
  skip();
  let isAfterDot = false;
  for (;;) {
    if (text[at] === '"') {
      let name = '';
      at++;
      for (;;) {
        const end = text.indexOf('"', at);
        if (end < 0) throw invalid('String has unclosed double quotes.');
        name += text.slice(at, end);
        at = end + 1;
        if (text[at] !== '"') break;
        name += '"';
        at++;
      }
      if (name === '') throw invalid('Quoted identifier must not be empty.');
      parts.push(name);
    } else {
      const start = at;
      if (at < text.length && /[A-Za-z_\u0080-\uffff]/.test(text[at]!)) {
        while (at < text.length && /[A-Za-z0-9_$\u0080-\uffff]/.test(text[at]!)) at++;
      }
      if (at === start) {
        if (text[at] === '.') throw invalid('No valid identifier before ".".');
        if (isAfterDot) throw invalid('No valid identifier after ".".');
        throw invalid();
      }
      parts.push(text.slice(start, at).replace(/[A-Z]+/g, (letters) => letters.toLowerCase()));
    }
    skip();
    if (text[at] === '.') {
      isAfterDot = true;
      at++;
      skip();
    } else if (at >= text.length) return parts;
    else {
      if (isStrict) throw invalid();
      return parts;
    }
  }
}

export function textArray(items: readonly (string | null)[]): SqlArray {
  return new SqlArray(OID.TEXT, items);
}

/** string_to_array: a NULL separator splits characters, an empty one does not split. */
export function splitText(
  text: string,
  separator: string | null,
  nullText: string | null,
): (string | null)[] {
  if (text === '') return [];
  const parts = separator === null ? [...text] : separator === '' ? [text] : text.split(separator);
  return nullText === null ? parts : parts.map((part) => (part === nullText ? null : part));
}

/** Encodings of encode() and decode(). */
function encodeBytes(bytes: Uint8Array, format: string): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (format.toLowerCase()) {
    case 'hex':
      return bytesToHex(bytes);
    case 'base64':
      return buffer.toString('base64').replace(/.{76}(?=.)/g, '$&\n');
    case 'escape': {
      let text = '';
      for (const byte of bytes) {
        if (byte === 0 || byte > 127) text += `\\${byte.toString(8).padStart(3, '0')}`;
        else text += byte === 92 ? '\\\\' : String.fromCharCode(byte);
      }
      return text;
    }
    default:
      throw new DbError('invalid_parameter_value', `unrecognized encoding: "${format}"`);
  }
}

function decodeBytes(text: string, format: string): Uint8Array {
  switch (format.toLowerCase()) {
    case 'hex':
      return parseHex(text, 0);
    case 'base64': {
      for (const character of text) {
        if (!/[A-Za-z0-9+/=\s]/.test(character)) {
          throw new DbError(
            'invalid_parameter_value',
            `invalid symbol "${character}" found while decoding base64 sequence`,
          );
        }
      }
      const compact = text.replace(/\s/g, '');
      if (compact.length % 4 !== 0) {
        throw new DbError('invalid_parameter_value', 'invalid base64 end sequence', {
          hint: 'Input data is missing padding, is truncated, or is otherwise corrupted.',
        });
      }
      return new Uint8Array(Buffer.from(compact, 'base64'));
    }
    case 'escape':
      return parseBytea(text.startsWith('\\x') ? `\\\\${text.slice(1)}` : text);
    default:
      throw new DbError('invalid_parameter_value', `unrecognized encoding: "${format}"`);
  }
}

const ENCODINGS: Readonly<Record<string, BufferEncoding>> = {
  utf8: 'utf8',
  unicode: 'utf8',
  latin1: 'latin1',
  iso88591: 'latin1',
  sqlascii: 'latin1',
};

/** @param role said of the name when there is no such encoding */
function encodingOf(name: string, role = ''): BufferEncoding {
  const key = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  const encoding = Object.hasOwn(ENCODINGS, key) ? ENCODINGS[key] : undefined;
  if (encoding === undefined)
    throw new DbError('invalid_parameter_value', `invalid ${role}encoding name "${name}"`);
  return encoding;
}

function toEncoding(text: string, name: string): Uint8Array {
  const encoding = encodingOf(name, 'destination ');
  if (encoding === 'latin1') {
    for (const character of text) {
      if (character.codePointAt(0)! > 255) {
        const bytes = [...Buffer.from(character)].map((byte) => `0x${byte.toString(16)}`).join(' ');
        throw new DbError(
          'untranslatable_character',
          `character with byte sequence ${bytes} in encoding "UTF8" has no equivalent in encoding "${name.toUpperCase()}"`,
        );
      }
    }
  }
  return new Uint8Array(Buffer.from(text, encoding));
}

function fromEncoding(bytes: Uint8Array, name: string, role = 'source '): string {
  const encoding = encodingOf(name, role);
  return encoding === 'utf8' ? utf8Text(bytes) : Buffer.from(bytes).toString(encoding);
}

function byteIndex(bytes: Uint8Array, index: number): number {
  if (index < 0 || index >= bytes.length) {
    throw new DbError('array_subscript_error', `index ${index} out of valid range, 0..${bytes.length - 1}`);
  }
  return index;
}

function bitIndex(bytes: Uint8Array, index: bigint): number {
  if (index < 0n || index >= BigInt(bytes.length) * 8n) {
    throw new DbError(
      'array_subscript_error',
      `index ${index} out of valid range, 0..${bytes.length * 8 - 1}`,
    );
  }
  return Number(index);
}

function unistr(text: string): string {
  return text.replace(
    /\\(?:\\|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|\+([0-9a-fA-F]{6})|([0-9a-fA-F]{4})|)/g,
    (whole, a?: string, b?: string, c?: string, d?: string) => {
      if (whole === '\\\\') return '\\';
      const digits = a ?? b ?? c ?? d;
      if (digits === undefined) {
        throw new DbError('syntax_error', 'invalid Unicode escape', {
          hint: 'Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.',
        });
      }
      const code = Number.parseInt(digits, 16);
      if (code === 0 || code > 0x10ffff)
        throw new DbError(
          'invalid_parameter_value',
          `invalid Unicode code point: ${digits.toUpperCase().padStart(4, '0')}`,
        );
      return String.fromCodePoint(code);
    },
  );
}

function normalForm(name: string): 'NFC' | 'NFD' | 'NFKC' | 'NFKD' {
  const form = name.toUpperCase();
  if (form === 'NFC' || form === 'NFD' || form === 'NFKC' || form === 'NFKD') return form;
  throw new DbError('invalid_parameter_value', `invalid normalization form: ${name}`);
}

const pure: Record<string, Implementation> = {
  textcat: (left: string, right: string) => {
    checkLength(left.length + right.length);
    return left + right;
  },
  textlen: characterCount,
  bpcharlen: (text: string) => characterCount(trimTrailingSpaces(text)),
  textoctetlen: (text: string) => Buffer.byteLength(text),
  bpcharoctetlen: (text: string) => Buffer.byteLength(text),
  byteaoctetlen: (bytes: Uint8Array) => bytes.length,
  '#1811': (text: string) => Buffer.byteLength(text) * 8,
  '#1810': (bytes: Uint8Array) => bytes.length * 8,
  upper,
  lower,
  initcap,
  text_substr: substring,
  text_substr_no_len: (text: string, start: number) => substring(text, start, null),
  textpos: position,
  textoverlay: overlay,
  textoverlay_no_len: (text: string, replacement: string, start: number) =>
    overlay(text, replacement, start, characterCount(replacement)),
  text_left: (text: string, count: number) =>
    count >= 0
      ? sliceCharacters(text, 0, count)
      : sliceCharacters(text, 0, Math.max(0, characterCount(text) + count)),
  text_right: (text: string, count: number) => {
    // The smallest integer has no opposite.
    if (count === -2147483648) return text;
    const length = characterCount(text);
    return sliceCharacters(text, count >= 0 ? Math.max(0, length - count) : Math.min(length, -count), length);
  },
  text_reverse: (text: string) =>
    isSimple(text) ? text.split('').reverse().join('') : [...text].reverse().join(''),
  text_starts_with: (text: string, prefix: string) => text.startsWith(prefix),
  lpad: (text: string, length: number, fill: string) => pad(text, length, fill, true),
  rpad: (text: string, length: number, fill: string) => pad(text, length, fill, false),
  '#879': (text: string, length: number) => pad(text, length, ' ', true),
  '#880': (text: string, length: number) => pad(text, length, ' ', false),
  btrim: (text: string, characters: string) => trim(text, characters, true, true),
  btrim1: (text: string) => trim(text, ' ', true, true),
  ltrim: (text: string, characters: string) => trim(text, characters, true, false),
  ltrim1: (text: string) => trim(text, ' ', true, false),
  rtrim: (text: string, characters: string) => trim(text, characters, false, true),
  rtrim1: trimTrailingSpaces,
  repeat,
  replace_text: (text: string, from: string, to: string) => {
    if (from === '') return text;
    const result = text.replaceAll(from, () => to);
    checkLength(result.length);
    return result;
  },
  translate,
  split_part: splitPart,
  ascii: (text: string) => text.codePointAt(0) ?? 0,
  chr,
  quote_ident: quoteIdentifier,
  quote_literal: quoteLiteral,
  quote_nullable: (text: string | null) => (text === null ? 'NULL' : quoteLiteral(text)),
  parse_ident: (text: string, isStrict: boolean) => textArray(parseIdentifier(text, isStrict)),
  text_to_array: (text: string | null, separator: string | null) =>
    text === null ? null : textArray(splitText(text, separator, null)),
  text_to_array_null: (text: string | null, separator: string | null, nullText: string | null) =>
    text === null ? null : textArray(splitText(text, separator, nullText)),
  unistr,
  unicode_normalize_func: (text: string, form: string) => text.normalize(normalForm(form)),
  unicode_is_normalized: (text: string, form: string) => text.normalize(normalForm(form)) === text,
  // casts
  text_name: truncateName,
  name_text: (text: string) => text,
  char_text: (text: string) => text,
  char_bpchar: (text: string) => text,
  name_bpchar: (text: string) => text,
  bpchar_name: (text: string) => truncateName(trimTrailingSpaces(text)),
  varchar: (text: string, typmod: number, isExplicit: boolean) => coerceVarchar(text, typmod, isExplicit),
  bpchar: (text: string, typmod: number, isExplicit: boolean) => coerceBpchar(text, typmod, isExplicit),
  booltext: (value: boolean) => (value ? 'true' : 'false'),
  nameconcatoid: (name: string, oid: number) => {
    const suffix = `_${oid}`;
    let base = name;
    while (Buffer.byteLength(base) + suffix.length > 63) base = base.slice(0, -1);
    return base + suffix;
  },
  // bytea
  byteacat: (left: Uint8Array, right: Uint8Array) => new Uint8Array(Buffer.concat([left, right])),
  bytea_substr: substringBytes,
  bytea_substr_no_len: (bytes: Uint8Array, start: number) => substringBytes(bytes, start, null),
  byteapos: (bytes: Uint8Array, part: Uint8Array) =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(part) + 1,
  byteaoverlay: overlayBytes,
  byteaoverlay_no_len: (bytes: Uint8Array, replacement: Uint8Array, start: number) =>
    overlayBytes(bytes, replacement, start, replacement.length),
  byteatrim: (bytes: Uint8Array, set: Uint8Array) => trimBytes(bytes, set, true, true),
  bytealtrim: (bytes: Uint8Array, set: Uint8Array) => trimBytes(bytes, set, true, false),
  byteartrim: (bytes: Uint8Array, set: Uint8Array) => trimBytes(bytes, set, false, true),
  byteaGetByte: (bytes: Uint8Array, index: number) => bytes[byteIndex(bytes, index)]!,
  byteaSetByte: (bytes: Uint8Array, index: number, value: number) => {
    const result = bytes.slice();
    result[byteIndex(bytes, index)] = value;
    return result;
  },
  byteaGetBit: (bytes: Uint8Array, index: bigint) => {
    const at = bitIndex(bytes, index);
    return (bytes[at >> 3]! >> (at & 7)) & 1;
  },
  byteaSetBit: (bytes: Uint8Array, index: bigint, value: number) => {
    const at = bitIndex(bytes, index);
    if (value !== 0 && value !== 1) throw new DbError('invalid_parameter_value', 'new bit must be 0 or 1');
    const result = bytes.slice();
    result[at >> 3] = (result[at >> 3]! & ~(1 << (at & 7))) | (value << (at & 7));
    return result;
  },
  bytea_bit_count: (bytes: Uint8Array) => {
    let count = 0;
    for (let byte of bytes) for (; byte !== 0; byte &= byte - 1) count++;
    return BigInt(count);
  },
  binary_encode: encodeBytes,
  binary_decode: decodeBytes,
  pg_convert_to: toEncoding,
  pg_convert_from: fromEncoding,
  pg_convert: (bytes: Uint8Array, source: string, target: string) =>
    toEncoding(fromEncoding(bytes, source), target),
  length_in_encoding: (bytes: Uint8Array, name: string) => characterCount(fromEncoding(bytes, name, '')),
  ...asciiFunctions,
};

/** Text of an argument of any type; booleans print as t and f here. */
type Printer = (value: Datum) => string;

function printers(
  context: Parameters<Parameters<typeof boundTable>[0][string]>[0],
  types: readonly number[],
): Printer[] {
  return types.map((type) => {
    const support = context.typeSupport(type);
    return (value) => support.output(value, context.format);
  });
}

/** Arguments of a VARIADIC "any" call: the array's elements when it was written with VARIADIC. */
export function spreadVariadic(
  args: readonly Datum[],
  fixed: number,
  isVariadic: boolean,
): { values: Datum[]; elementType: number | null; isNull: boolean } {
  if (!isVariadic) return { values: args.slice(fixed), elementType: null, isNull: false };
  const array = args[fixed];
  if (array === null || array === undefined) return { values: [], elementType: null, isNull: true };
  return {
    values: [...(array as SqlArray).elements],
    elementType: (array as SqlArray).elementType,
    isNull: false,
  };
}

const HASHES = ['sha224', 'sha256', 'sha384', 'sha512'] as const;

const bound = boundTable({
  text_concat: (context, site) => {
    const print = printers(context, site.variadic ? [] : site.argumentTypes);
    return (...args: Datum[]) => {
      const { values, elementType, isNull } = spreadVariadic(args, 0, site.variadic);
      if (isNull) return null;
      let result = '';
      values.forEach((value, index) => {
        if (value === null) return;
        result +=
          elementType === null
            ? print[index]!(value)
            : context.typeSupport(elementType).output(value, context.format);
      });
      return result;
    };
  },
  text_concat_ws: (context, site) => {
    const print = printers(context, site.variadic ? [] : site.argumentTypes.slice(1));
    return (...args: Datum[]) => {
      const separator = args[0] as string | null;
      if (separator === null) return null;
      const { values, elementType, isNull } = spreadVariadic(args, 1, site.variadic);
      if (isNull) return null;
      const parts: string[] = [];
      values.forEach((value, index) => {
        if (value === null) return;
        parts.push(
          elementType === null
            ? print[index]!(value)
            : context.typeSupport(elementType).output(value, context.format),
        );
      });
      return parts.join(separator);
    };
  },
  // The SQL-language variants cast their polymorphic argument to text.
  '#1285': (context, site) => {
    const print = castToText(context, site.argumentTypes[0]!);
    return (value: Datum) => quoteLiteral(print(value));
  },
  '#1290': (context, site) => {
    const print = castToText(context, site.argumentTypes[0]!);
    return (value: Datum) => (value === null ? 'NULL' : quoteLiteral(print(value)));
  },
  '#2003': (context, site) => {
    const print = castToText(context, site.argumentTypes[1]!);
    return (left: string, right: Datum) => left + print(right);
  },
  '#2004': (context, site) => {
    const print = castToText(context, site.argumentTypes[0]!);
    return (left: Datum, right: string) => print(left) + right;
  },
  md5_text: (context) => (text: string) => bytesToHex(context.digest('md5', Buffer.from(text))),
  md5_bytea: (context) => (bytes: Uint8Array) => bytesToHex(context.digest('md5', bytes)),
  ...Object.fromEntries(
    HASHES.map((name) => [
      `${name}_bytea`,
      (context: Parameters<Parameters<typeof boundTable>[0][string]>[0]) => (bytes: Uint8Array) =>
        context.digest(name, bytes),
    ]),
  ),
});

/** A cast to text: as output, but booleans in full and char(n) without padding. */
export function castToText(
  context: Parameters<Parameters<typeof boundTable>[0][string]>[0],
  type: number,
): Printer {
  if (type === OID.BOOL) return (value) => (value === true ? 'true' : 'false');
  if (type === OID.BPCHAR) return (value) => trimTrailingSpaces(value as string);
  const support = context.typeSupport(type);
  return (value) => support.output(value, context.format);
}

export const textFunctions: FunctionTable = { ...pureTable(pure), ...bound };
