/** Text forms of arrays ("{1,2,NULL}") and composite values ("(1,abc,)"). */
import { DbError } from '../base/error.ts';
import { type Datum, SqlArray } from './datum.ts';
import { isSpace } from './numeric-text.ts';

/** Most dimensions of an array. */
export const MAX_DIMENSIONS = 6;
const MAX_ELEMENTS = 134217727;

function malformed(text: string, detail?: string): DbError {
  return new DbError(
    'invalid_text_representation',
    `malformed array literal: "${text}"`,
    detail === undefined ? {} : { detail },
  );
}

interface Parsed {
  elements: (string | null)[];
  dimensions: number[];
  lowerBounds: number[] | null;
}

/** Splits an array literal; elements are raw texts, null for NULL. */
export function splitArrayText(text: string, delimiter: string): Parsed {
  let at = 0;
  const skip = (): void => {
    while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  };
  skip();
  const lowerBounds: number[] = [];
  const declared: number[] = [];
  while (text[at] === '[') {
    const match = /^\[([+-]?\d+)(?::([+-]?\d+))?\]/.exec(text.slice(at, at + 64));
    if (match === null)
      throw malformed(
        text,
        /^\[[+-]?\d/.test(text.slice(at, at + 3))
          ? 'Missing "]" after array dimensions.'
          : '"[" must introduce explicitly-specified array dimensions.',
      );
    if (declared.length >= MAX_DIMENSIONS) {
      throw new DbError(
        'program_limit_exceeded',
        `number of array dimensions (${declared.length + 1}) exceeds the maximum allowed (${MAX_DIMENSIONS})`,
      );
    }
    const low = match[2] === undefined ? 1 : Number(match[1]);
    const high = Number(match[2] ?? match[1]);
    if (high < low) throw new DbError('array_subscript_error', 'upper bound cannot be less than lower bound');
    lowerBounds.push(low);
    declared.push(high - low + 1);
    at += match[0].length;
    skip();
  }
  if (declared.length > 0) {
    if (text[at] !== '=') throw malformed(text, 'Missing "=" after array dimensions.');
    at++;
    skip();
    if (text[at] !== '{') throw malformed(text, 'Array contents must start with "{".');
  } else if (text[at] !== '{')
    throw malformed(text, 'Array value must start with "{" or dimension information.');
  const elements: (string | null)[] = [];
  const dimensions: number[] = [];
  let elementDepth = -1;

  const list = (depth: number): void => {
    if (depth >= MAX_DIMENSIONS) {
      throw new DbError(
        'program_limit_exceeded',
        `number of array dimensions (${depth + 1}) exceeds the maximum allowed (${MAX_DIMENSIONS})`,
      );
    }
    at++;
    let count = 0;
    skip();
    if (text[at] === '}') {
      at++;
      if (depth > 0) throw malformed(text, 'Unexpected "}" character.');
      dimensions[depth] ??= 0;
      return;
    }
    for (;;) {
      skip();
      const next = text[at];
      if (next === undefined) throw malformed(text, 'Unexpected end of input.');
      if (next === '{') {
        if (elementDepth >= 0 && elementDepth === depth) throw malformed(text, 'Unexpected "{" character.');
        list(depth + 1);
      } else if (next === '}' || next === delimiter) throw malformed(text, `Unexpected "${next}" character.`);
      else {
        if (elementDepth < 0) {
          if (dimensions.length > depth + 1)
            throw malformed(text, 'Multidimensional arrays must have sub-arrays with matching dimensions.');
          elementDepth = depth;
        } else if (elementDepth !== depth) {
          throw malformed(text, 'Multidimensional arrays must have sub-arrays with matching dimensions.');
        }
        elements.push(element());
        if (elements.length > MAX_ELEMENTS) {
          throw new DbError(
            'program_limit_exceeded',
            `array size exceeds the maximum allowed (${MAX_ELEMENTS})`,
          );
        }
      }
      count++;
      skip();
      const after = text[at];
      if (after === delimiter) {
        at++;
        skip();
        if (text[at] === '}') throw malformed(text, 'Unexpected "}" character.');
      } else if (after === '}') {
        at++;
        break;
      } else if (after === undefined) throw malformed(text, 'Unexpected end of input.');
      else if (after === '{') throw malformed(text, 'Unexpected "{" character.');
      else throw malformed(text, 'Unexpected array element.');
    }
    if (dimensions[depth] === undefined) dimensions[depth] = count;
    else if (dimensions[depth] !== count) {
      throw malformed(text, 'Multidimensional arrays must have sub-arrays with matching dimensions.');
    }
  };

  const element = (): string | null => {
    if (text[at] === '"') {
      let value = '';
      at++;
      for (;;) {
        const character = text[at];
        if (character === undefined) throw malformed(text, 'Unexpected end of input.');
        if (character === '"') break;
        if (character === '\\') {
          at++;
          if (text[at] === undefined) throw malformed(text, 'Unexpected end of input.');
        }
        value += text[at];
        at++;
      }
      at++;
      skip();
      const after = text[at];
      if (after === '"') throw malformed(text, 'Unexpected array element.');
      return value;
    }
    let value = '';
    let hasEscape = false;
    let significant = 0;
    for (;;) {
      const character = text[at];
      if (character === undefined) throw malformed(text, 'Unexpected end of input.');
      if (character === delimiter || character === '}') break;
      if (character === '{') throw malformed(text, 'Unexpected "{" character.');
      if (character === '"') throw malformed(text, 'Unexpected array element.');
      if (character === '\\') {
        hasEscape = true;
        at++;
        if (text[at] === undefined) throw malformed(text, 'Unexpected end of input.');
        value += text[at];
        significant = value.length;
      } else {
        value += character;
        if (!isSpace(character.charCodeAt(0))) significant = value.length;
      }
      at++;
    }
    value = value.slice(0, significant);
    return !hasEscape && value.length === 4 && value.toLowerCase() === 'null' ? null : value;
  };

  list(0);
  skip();
  if (at < text.length) throw malformed(text, 'Junk after closing right brace.');
  if (elements.length === 0) {
    return { elements, dimensions: [], lowerBounds: null };
  }
  if (declared.length > 0) {
    if (
      declared.length !== dimensions.length ||
      declared.some((length, index) => length !== dimensions[index])
    ) {
      throw malformed(text, 'Specified array dimensions do not match array contents.');
    }
  }
  return { elements, dimensions, lowerBounds: declared.length > 0 ? lowerBounds : null };
}

/** Array literal with elements printed by `print`. */
export function formatArrayText(
  value: SqlArray,
  delimiter: string,
  print: (element: Datum) => string,
): string {
  const { dimensions, elements, lowerBounds } = value;
  if (elements.length === 0) return '{}';
  let prefix = '';
  if (lowerBounds.some((bound) => bound !== 1)) {
    prefix = `${dimensions.map((length, index) => `[${lowerBounds[index]}:${lowerBounds[index]! + length - 1}]`).join('')}=`;
  }
  let next = 0;
  const list = (depth: number): string => {
    const parts: string[] = [];
    for (let index = 0; index < dimensions[depth]!; index++) {
      if (depth + 1 < dimensions.length) parts.push(list(depth + 1));
      else {
        const element = elements[next++]!;
        parts.push(element === null ? 'NULL' : quoteElement(print(element), delimiter));
      }
    }
    return `{${parts.join(delimiter)}}`;
  };
  return prefix + list(0);
}

function quoteElement(text: string, delimiter: string): string {
  let needsQuote = text === '' || (text.length === 4 && text.toLowerCase() === 'null');
  let needsEscape = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 34 || code === 92) {
      needsEscape = true;
      break;
    }
    if (code === 123 || code === 125 || isSpace(code) || text[at] === delimiter) needsQuote = true;
  }
  if (needsEscape) return `"${text.replace(/["\\]/g, '\\$&')}"`;
  return needsQuote ? `"${text}"` : text;
}

export function formatRecordText(fields: readonly (string | null)[]): string {
  return `(${fields.map((field) => (field === null ? '' : quoteField(field))).join(',')})`;
}

function quoteField(text: string): string {
  if (text !== '' && !/[()",\\\s]/.test(text)) return text;
  return `"${text.replace(/["\\]/g, '$&$&')}"`;
}

/** Splits "(a,b,)" into `count` raw fields, null for empty ones. */
export function splitRecordText(text: string, count: number): (string | null)[] {
  const broken = (detail: string): DbError =>
    new DbError('invalid_text_representation', `malformed record literal: "${text}"`, { detail });
  let at = 0;
  while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  if (text[at] !== '(') throw broken('Missing left parenthesis.');
  at++;
  const fields: (string | null)[] = [];
  for (let index = 0; index < count; index++) {
    if (index > 0) {
      if (text[at] !== ',') throw broken('Too few columns.');
      at++;
    }
    if (text[at] === ',' || text[at] === ')') {
      fields.push(null);
      continue;
    }
    let value = '';
    let isQuoted = false;
    while (isQuoted || !(text[at] === ',' || text[at] === ')')) {
      let character = text[at++];
      if (character === undefined) throw broken('Unexpected end of input.');
      if (character === '\\') {
        character = text[at++];
        if (character === undefined) throw broken('Unexpected end of input.');
        value += character;
      } else if (character === '"') {
        if (!isQuoted) isQuoted = true;
        else if (text[at] === '"') {
          value += '"';
          at++;
        } else isQuoted = false;
      } else value += character;
    }
    fields.push(value);
  }
  if (text[at] === ',') throw broken('Too many columns.');
  if (text[at] !== ')') throw broken('Unexpected end of input.');
  at++;
  while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  if (at < text.length) throw broken('Junk after right parenthesis.');
  return fields;
}

/** Builds an array from split text. */
export function arrayFromParts(elementType: number, parsed: Parsed, elements: Datum[]): SqlArray {
  if (elements.length === 0) return new SqlArray(elementType, []);
  return new SqlArray(elementType, elements, parsed.dimensions, parsed.lowerBounds ?? undefined);
}
