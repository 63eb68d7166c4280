/**
 * JSON text: a parser that builds jsonb values, a validator for json, the printer, and the order of jsonb.
 *
 * Errors carry PostgreSQL's detail and context lines. Nesting is bounded so that hostile input ends in 54001, not in an
 * exhausted stack.
 */
import { DbError } from '../base/error.ts';
import type { JsonValue } from './jsonb.ts';
import { Numeric } from './numeric.ts';
import { numericCompare, numericHashKey } from './numeric-core.ts';
import { formatNumeric, parseNumeric } from './numeric-text.ts';
import { compareText } from './scalars.ts';

export type JsonObject = { readonly entries: readonly (readonly [string, JsonValue])[] };
export const MAX_JSON_DEPTH = 6400;

export function isJsonArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export function isJsonObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && 'entries' in value && !Array.isArray(value);
}

/** jsonb sorts keys by byte length, then bytes. */
export function compareKeys(left: string, right: string): number {
  const leftLength = keyLength(left);
  const rightLength = keyLength(right);
  return leftLength !== rightLength ? leftLength - rightLength : compareText(left, right);
}

function keyLength(key: string): number {
  return Buffer.byteLength(key);
}

/** An object from pairs in input order: keys sorted, the last of equal keys kept. */
export function makeJsonObject(pairs: readonly (readonly [string, JsonValue])[]): JsonObject {
  const byKey = new Map<string, JsonValue>();
  for (const [key, value] of pairs) byKey.set(key, value);
  const entries = [...byKey];
  if (entries.length > 1) entries.sort((left, right) => compareKeys(left[0], right[0]));
  return { entries };
}

/** Value of a key by binary search; undefined when missing. */
export function jsonField(object: JsonObject, key: string): JsonValue | undefined {
  const { entries } = object;
  if (entries.length <= 8) {
    for (const entry of entries) if (entry[0] === key) return entry[1];
    return undefined;
  }
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = compareKeys(entries[middle]![0], key);
    if (order === 0) return entries[middle]![1];
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return undefined;
}

/**
 * What a {@link JsonScanner} reports. Offsets are UTF-16 positions in the text: `start` of the value's first character, `end`
 * behind its last.
 */
export interface JsonHandler {
  scalar(
    kind: 'string' | 'number' | 'true' | 'false' | 'null',
    start: number,
    end: number,
    text: string,
  ): void;
  objectStart(start: number): void;
  key(name: string): void;
  objectEnd(start: number, end: number): void;
  arrayStart(start: number): void;
  arrayEnd(start: number, end: number): void;
}

/** Walks JSON text once, calling a handler. */
export class JsonScanner {
  readonly text: string;
  private readonly handler: JsonHandler | null;
  private at = 0;
  private depth = 0;

  constructor(text: string, handler: JsonHandler | null) {
    this.text = text;
    this.handler = handler;
  }

  run(): void {
    this.value('Expected JSON value, but found ');
    this.skipSpace();
    if (this.at < this.text.length) throw this.unexpected('Expected end of input, but found ');
  }

  private skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code === 32 || code === 10 || code === 9 || code === 13) this.at++;
      else return;
    }
  }

  private value(expectation: string): void {
    this.skipSpace();
    const start = this.at;
    const { handler, text } = this;
    switch (text.charCodeAt(start)) {
      case 123: {
        this.enter();
        this.at++;
        handler?.objectStart(start);
        this.skipSpace();
        if (text.charCodeAt(this.at) === 125) this.at++;
        else {
          for (
            let expected = 'Expected string or "}", but found ';
            ;
            expected = 'Expected string, but found '
          ) {
            this.skipSpace();
            if (text.charCodeAt(this.at) !== 34) throw this.unexpected(expected);
            const name = this.string();
            handler?.key(name);
            this.skipSpace();
            if (text.charCodeAt(this.at) !== 58) throw this.unexpected('Expected ":", but found ');
            this.at++;
            this.value('Expected JSON value, but found ');
            this.skipSpace();
            const next = text.charCodeAt(this.at);
            if (next === 44) this.at++;
            else if (next === 125) {
              this.at++;
              break;
            } else throw this.unexpected('Expected "," or "}", but found ');
          }
        }
        this.depth--;
        handler?.objectEnd(start, this.at);
        return;
      }
      case 91: {
        this.enter();
        this.at++;
        handler?.arrayStart(start);
        this.skipSpace();
        if (text.charCodeAt(this.at) === 93) this.at++;
        else {
          for (
            let expected = 'Expected array element or "]", but found ';
            ;
            expected = 'Expected JSON value, but found '
          ) {
            this.value(expected);
            this.skipSpace();
            const next = text.charCodeAt(this.at);
            if (next === 44) this.at++;
            else if (next === 93) {
              this.at++;
              break;
            } else throw this.unexpected('Expected "," or "]", but found ');
          }
        }
        this.depth--;
        handler?.arrayEnd(start, this.at);
        return;
      }
      case 34: {
        const value = this.string();
        handler?.scalar('string', start, this.at, value);
        return;
      }
      default: {
        const code = text.charCodeAt(start);
        if (code === 45 || (code >= 48 && code <= 57)) {
          this.number();
          handler?.scalar('number', start, this.at, text.slice(start, this.at));
          return;
        }
        const token = this.token();
        if (token === 'true' || token === 'false' || token === 'null') {
          this.at += token.length;
          handler?.scalar(token, start, this.at, token);
          return;
        }
        throw this.unexpected(expectation);
      }
    }
  }

  private enter(): void {
    if (++this.depth > MAX_JSON_DEPTH) {
      throw new DbError('statement_too_complex', 'stack depth limit exceeded', {
        hint: 'Increase the configuration parameter "max_stack_depth" (currently 2048kB), after ensuring the platform\'s stack depth limit is adequate.',
      });
    }
  }

  /** The word or single character at the current position, as PostgreSQL's lexer would cut it. */
  private token(): string {
    const { text } = this;
    let end = this.at;
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end);
      const isWord =
        (code >= 48 && code <= 57) ||
        (code >= 65 && code <= 90) ||
        (code >= 97 && code <= 122) ||
        code === 95 ||
        code > 127;
      if (!isWord) break;
    }
    return end > this.at ? text.slice(this.at, end) : String.fromCodePoint(text.codePointAt(this.at) ?? 32);
  }

  private number(): void {
    const { text } = this;
    const start = this.at;
    let at = start;
    const digits = (): boolean => {
      const from = at;
      while (text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57) at++;
      return at > from;
    };
    if (text.charCodeAt(at) === 45) at++;
    let isValid = true;
    if (text.charCodeAt(at) === 48) at++;
    else isValid = digits();
    if (isValid && text.charCodeAt(at) === 46) {
      at++;
      isValid = digits();
    }
    if (isValid && (text.charCodeAt(at) | 32) === 101) {
      at++;
      if (text.charCodeAt(at) === 43 || text.charCodeAt(at) === 45) at++;
      isValid = digits();
    }
    // Anything glued to the number makes one invalid token of both.
    const numberEnd = at;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      const isWord =
        (code >= 48 && code <= 57) ||
        (code >= 65 && code <= 90) ||
        (code >= 97 && code <= 122) ||
        code === 95 ||
        code > 127;
      if (!isWord) break;
    }
    if (!isValid || at !== numberEnd) throw this.invalidToken(text.slice(start, at), at);
    this.at = numberEnd;
  }

  private string(): string {
    const { text } = this;
    const start = this.at + 1;
    let at = start;
    let result: string | null = null;
    let copied = start;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === 34) break;
      if (Number.isNaN(code)) throw this.invalidToken(text.slice(this.at, at), at);
      if (code < 32) {
        throw this.syntax(
          `Character with value 0x${code.toString(16).padStart(2, '0')} must be escaped.`,
          at,
        );
      }
      if (code !== 92) {
        at++;
        continue;
      }
      result = (result ?? '') + text.slice(copied, at);
      const escaped = text[at + 1];
      if (escaped === undefined) throw this.invalidToken(text.slice(this.at, at + 1), at + 1);
      const simple = SIMPLE_ESCAPES[escaped];
      if (simple !== undefined) {
        result += simple;
        at += 2;
      } else if (escaped === 'u') {
        const digits = text.slice(at + 2, at + 6);
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) {
          throw this.syntax(
            '"\\u" must be followed by four hexadecimal digits.',
            at + 2 + (/^[0-9a-fA-F]*/.exec(digits)?.[0].length ?? 0) + 1,
          );
        }
        const unit = Number.parseInt(digits, 16);
        at += 6;
        if (this.handler === null) continue;
        if (unit === 0) {
          throw new DbError('untranslatable_character', 'unsupported Unicode escape sequence', {
            detail: '\\u0000 cannot be converted to text.',
            where: this.where(at),
          });
        }
        if (unit >= 0xdc00 && unit <= 0xdfff)
          throw this.syntax('Unicode low surrogate must follow a high surrogate.', at);
        if (unit >= 0xd800 && unit < 0xdc00) {
          const low = /^\\u([0-9a-fA-F]{4})/.exec(text.slice(at, at + 6));
          const lowUnit = low === null ? 0 : Number.parseInt(low[1]!, 16);
          if (lowUnit >= 0xd800 && lowUnit < 0xdc00) {
            throw this.syntax('Unicode high surrogate must not follow a high surrogate.', at + 6);
          }
          if (lowUnit < 0xdc00 || lowUnit > 0xdfff) {
            throw this.syntax(
              'Unicode low surrogate must follow a high surrogate.',
              low === null ? at + 1 : at + 6,
            );
          }
          result += String.fromCharCode(unit, lowUnit);
          at += 6;
        } else result += String.fromCharCode(unit);
      } else {
        const shown = String.fromCodePoint(text.codePointAt(at + 1)!);
        throw this.syntax(`Escape sequence "\\${shown}" is invalid.`, at + 1 + shown.length);
      }
      copied = at;
    }
    this.at = at + 1;
    return result === null ? text.slice(start, at) : result + text.slice(copied, at);
  }

  private unexpected(expectation: string): DbError {
    this.skipSpace();
    if (this.at >= this.text.length) return this.syntax('The input string ended unexpectedly.', this.at);
    const code = this.text.charCodeAt(this.at);
    if (code === 34) {
      const start = this.at;
      this.string();
      return this.syntax(`${expectation}"${this.text.slice(start, this.at)}".`, this.at);
    }
    if (code === 45 || (code >= 48 && code <= 57)) {
      const start = this.at;
      this.number();
      return this.syntax(`${expectation}"${this.text.slice(start, this.at)}".`, this.at);
    }
    const token = this.token();
    const isKnown = '{}[],:'.includes(token) || token === 'true' || token === 'false' || token === 'null';
    const end = this.at + token.length;
    return isKnown ? this.syntax(`${expectation}"${token}".`, end) : this.invalidToken(token, end);
  }

  private invalidToken(token: string, end: number): DbError {
    return this.syntax(`Token "${token}" is invalid.`, end);
  }

  private syntax(detail: string, end: number): DbError {
    return new DbError('invalid_text_representation', 'invalid input syntax for type json', {
      detail,
      where: this.where(end),
    });
  }

  /** The context line: the text around the error, shortened as PostgreSQL does. */
  private where(end: number): string {
    const { text } = this;
    let lineNumber = 1;
    let lineStart = 0;
    for (let at = 0; at < end; at++) {
      if (text.charCodeAt(at) === 10) {
        lineNumber++;
        lineStart = at + 1;
      }
    }
    let start = lineStart;
    while (end - start >= 50) start++;
    if (start - lineStart <= 3) start = lineStart;
    const prefix = start > lineStart ? '...' : '';
    const suffix =
      end < text.length && text.charCodeAt(end) !== 10 && text.charCodeAt(end) !== 13 ? '...' : '';
    return `JSON data, line ${lineNumber}: ${prefix}${text.slice(start, end)}${suffix}`;
  }
}

const SIMPLE_ESCAPES: Readonly<Record<string, string | undefined>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** PostgreSQL's limits of one jsonb container (jsonb.h: JSONB_MAX_ELEMS, JSONB_MAX_PAIRS, JENTRY_OFFLENMASK). */
const ARRAY_ELEMENTS_MAX = 33_554_431;
const OBJECT_PAIRS_MAX = 14_913_080;
const CONTAINER_BYTES_MAX = 268_435_455;
/** Bytes of a number of up to four digits. */
const NUMBER_BYTES = 8;
const SHARED_NUMBER_DIGITS = 3;

class JsonBuilder implements JsonHandler {
  result: JsonValue = null;
  private readonly stack: ({ keys: string[]; values: JsonValue[] } | JsonValue[])[] = [];
  /** Bytes of all scalars so far, about as PostgreSQL would store them. */
  private bytes = 0;
  /** Short numbers are shared: arrays of them take a pointer an element. */
  private readonly numbers = new Map<string, JsonValue>();

  private add(value: JsonValue): void {
    const top = this.stack.at(-1);
    if (top === undefined) {
      this.result = value;
      return;
    }
    if (this.bytes > CONTAINER_BYTES_MAX) {
      const parts = Array.isArray(top) ? 'array elements' : 'object elements';
      throw new DbError(
        'program_limit_exceeded',
        `total size of jsonb ${parts} exceeds the maximum of ${CONTAINER_BYTES_MAX} bytes`,
      );
    }
    if (Array.isArray(top)) {
      if (top.length >= ARRAY_ELEMENTS_MAX) throw tooMany('array elements', ARRAY_ELEMENTS_MAX);
      top.push(value);
    } else {
      if (top.values.length >= OBJECT_PAIRS_MAX) throw tooMany('object pairs', OBJECT_PAIRS_MAX);
      top.values.push(value);
    }
  }

  private number(text: string): JsonValue {
    this.bytes += NUMBER_BYTES + (text.length >> 1);
    if (text.length > SHARED_NUMBER_DIGITS) return parseNumeric(text);
    let value = this.numbers.get(text);
    if (value === undefined) {
      value = parseNumeric(text);
      this.numbers.set(text, value);
    }
    return value;
  }

  scalar(
    kind: 'string' | 'number' | 'true' | 'false' | 'null',
    _start: number,
    _end: number,
    text: string,
  ): void {
    if (kind === 'string') this.bytes += text.length;
    this.add(
      kind === 'string'
        ? text
        : kind === 'number'
          ? this.number(text)
          : kind === 'null'
            ? null
            : kind === 'true',
    );
  }
  objectStart(): void {
    this.stack.push({ keys: [], values: [] });
  }
  key(name: string): void {
    (this.stack.at(-1) as { keys: string[] }).keys.push(name);
  }
  objectEnd(): void {
    const { keys, values } = this.stack.pop() as { keys: string[]; values: JsonValue[] };
    this.add(makeJsonObject(keys.map((key, index) => [key, values[index]!] as const)));
  }
  arrayStart(): void {
    this.stack.push([]);
  }
  arrayEnd(): void {
    this.add(this.stack.pop() as JsonValue[]);
  }
}

function tooMany(what: string, most: number): DbError {
  return new DbError(
    'program_limit_exceeded',
    `number of jsonb ${what} exceeds the maximum allowed (${most})`,
  );
}

/** Parses text into a jsonb value. */
export function parseJson(text: string): JsonValue {
  const builder = new JsonBuilder();
  new JsonScanner(text, builder).run();
  return builder.result;
}

/** Throws when the text is not JSON. */
export function validateJson(text: string): void {
  new JsonScanner(text, null).run();
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes exactly these
const NEEDS_ESCAPE = /["\\\u0000-\u001f]/;

/** A JSON string literal. */
export function quoteJson(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`;
  let result = '"';
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    switch (code) {
      case 34:
        result += '\\"';
        break;
      case 92:
        result += '\\\\';
        break;
      case 8:
        result += '\\b';
        break;
      case 9:
        result += '\\t';
        break;
      case 10:
        result += '\\n';
        break;
      case 12:
        result += '\\f';
        break;
      case 13:
        result += '\\r';
        break;
      default:
        result += code < 32 ? `\\u${code.toString(16).padStart(4, '0')}` : text[at];
    }
  }
  return `${result}"`;
}

/** jsonb's text form. */
export function formatJson(value: JsonValue): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'string') return quoteJson(value);
  if (value instanceof Numeric) return formatNumeric(value);
  if (isJsonArray(value)) return `[${value.map(formatJson).join(', ')}]`;
  return `{${(value as JsonObject).entries.map(([key, item]) => `${quoteJson(key)}: ${formatJson(item)}`).join(', ')}}`;
}

/** Indented text of jsonb_pretty. */
export function formatJsonPretty(value: JsonValue, indent = ''): string {
  const inner = `${indent}    `;
  if (typeof value === 'object' && value !== null && !(value instanceof Numeric)) {
    if (isJsonArray(value)) {
      if (value.length === 0) return `[\n${indent}]`;
      return `[\n${value.map((item) => inner + formatJsonPretty(item, inner)).join(',\n')}\n${indent}]`;
    }
    const { entries } = value as JsonObject;
    if (entries.length === 0) return `{\n${indent}}`;
    return `{\n${entries.map(([key, item]) => `${inner}${quoteJson(key)}: ${formatJsonPretty(item, inner)}`).join(',\n')}\n${indent}}`;
  }
  return formatJson(value);
}

function rank(value: JsonValue): number {
  if (value === null) return 0;
  if (typeof value === 'string') return 1;
  if (value instanceof Numeric) return 2;
  if (typeof value === 'boolean') return 3;
  return isJsonArray(value) ? 4 : 5;
}

/** btree order of jsonb: object > array > boolean > number > string > null; an empty top-level array is the least. */
export function compareJson(left: JsonValue, right: JsonValue): number {
  const leftEmpty = isJsonArray(left) && left.length === 0;
  const rightEmpty = isJsonArray(right) && right.length === 0;
  if (leftEmpty !== rightEmpty) return leftEmpty ? -1 : 1;
  return compareInner(left, right);
}

function compareInner(left: JsonValue, right: JsonValue): number {
  const leftRank = rank(left);
  const rightRank = rank(right);
  if (leftRank !== rightRank) return leftRank - rightRank;
  if (typeof left === 'string') return compareText(left, right as string);
  if (left instanceof Numeric) return numericCompare(left, right as Numeric);
  if (typeof left === 'boolean') return Number(left) - Number(right);
  if (left === null) return 0;
  if (isJsonArray(left)) {
    const other = right as readonly JsonValue[];
    if (left.length !== other.length) return left.length - other.length;
    for (let index = 0; index < left.length; index++) {
      const order = compareInner(left[index]!, other[index]!);
      if (order !== 0) return order;
    }
    return 0;
  }
  const mine = (left as JsonObject).entries;
  const theirs = (right as JsonObject).entries;
  if (mine.length !== theirs.length) return mine.length - theirs.length;
  for (let index = 0; index < mine.length; index++) {
    const order =
      compareText(mine[index]![0], theirs[index]![0]) || compareInner(mine[index]![1], theirs[index]![1]);
    if (order !== 0) return order;
  }
  return 0;
}

/** Equal values give equal text, whatever the scales of their numbers. */
export function jsonHashKey(value: JsonValue): string {
  if (value instanceof Numeric) return String(numericHashKey(value));
  if (typeof value === 'object' && value !== null) {
    if (isJsonArray(value)) return `[${value.map(jsonHashKey).join(',')}]`;
    return `{${(value as JsonObject).entries.map(([key, item]) => `${quoteJson(key)}:${jsonHashKey(item)}`).join(',')}}`;
  }
  return formatJson(value);
}
