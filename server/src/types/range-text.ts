/** Text forms of ranges ("[1,5)", "empty") and multiranges ("{[1,5),[7,9)}"). */
import { DbError } from '../base/error.ts';
import { isSpace } from './numeric-text.ts';

/** A range literal taken apart; a missing bound is null. */
export interface RangeParts {
  readonly isEmpty: boolean;
  readonly lower: string | null;
  readonly upper: string | null;
  readonly lowerInclusive: boolean;
  readonly upperInclusive: boolean;
}

const EMPTY_WORD = 'empty';

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  return at;
}

export function splitRangeText(text: string): RangeParts {
  const malformed = (detail: string): DbError =>
    new DbError('invalid_text_representation', `malformed range literal: "${text}"`, { detail });
  let at = skipSpace(text, 0);
  if (text.slice(at, at + 5).toLowerCase() === EMPTY_WORD) {
    at = skipSpace(text, at + 5);
    if (at < text.length) throw malformed('Junk after "empty" key word.');
    return { isEmpty: true, lower: null, upper: null, lowerInclusive: false, upperInclusive: false };
  }
  const open = text[at];
  if (open !== '[' && open !== '(') throw malformed('Missing left parenthesis or bracket.');
  at++;
  const bound = (): string | null => {
    if (text[at] === ',' || text[at] === ')' || text[at] === ']') return null;
    let value = '';
    let isQuoted = false;
    while (isQuoted || !(text[at] === ',' || text[at] === ')' || text[at] === ']')) {
      let character = text[at++];
      if (character === undefined) throw malformed('Unexpected end of input.');
      if (character === '\\') {
        character = text[at++];
        if (character === undefined) throw malformed('Unexpected end of input.');
        value += character;
      } else if (character === '"') {
        if (!isQuoted) isQuoted = true;
        else if (text[at] === '"') {
          value += '"';
          at++;
        } else isQuoted = false;
      } else value += character;
    }
    return value;
  };
  const lower = bound();
  if (text[at] !== ',') throw malformed('Missing comma after lower bound.');
  at++;
  const upper = bound();
  const close = text[at];
  if (close !== ']' && close !== ')') throw malformed('Too many commas.');
  at = skipSpace(text, at + 1);
  if (at < text.length) throw malformed('Junk after right parenthesis or bracket.');
  return { isEmpty: false, lower, upper, lowerInclusive: open === '[', upperInclusive: close === ']' };
}

export function formatRangeText(parts: RangeParts): string {
  if (parts.isEmpty) return EMPTY_WORD;
  const bound = (text: string | null): string => (text === null ? '' : quoteBound(text));
  return `${parts.lowerInclusive ? '[' : '('}${bound(parts.lower)},${bound(parts.upper)}${parts.upperInclusive ? ']' : ')'}`;
}

function quoteBound(text: string): string {
  if (text !== '' && !/["\\()[\],\s]/.test(text)) return text;
  return `"${text.replace(/["\\]/g, '$&$&')}"`;
}

/** The range literals of a multirange literal. */
export function splitMultirangeText(text: string): string[] {
  const malformed = (detail: string): DbError =>
    new DbError('invalid_text_representation', `malformed multirange literal: "${text}"`, { detail });
  let at = skipSpace(text, 0);
  if (text[at] !== '{') throw malformed('Missing left brace.');
  at++;
  const ranges: string[] = [];
  let seen = 0;
  let state: 'before' | 'range' | 'quoted' | 'after' | 'done' = 'before';
  let start = 0;
  for (; state !== 'done'; at++) {
    const character = text[at];
    if (character === undefined) throw malformed('Unexpected end of input.');
    if (isSpace(text.charCodeAt(at))) continue;
    switch (state) {
      case 'before':
        if (character === '[' || character === '(') {
          start = at;
          state = 'range';
        } else if (character === '}' && seen === 0) state = 'done';
        else if (text.slice(at, at + 5).toLowerCase() === EMPTY_WORD) {
          seen++;
          at += 4;
          state = 'after';
        } else throw malformed('Expected range start.');
        break;
      case 'range':
        if (character === ']' || character === ')') {
          ranges.push(text.slice(start, at + 1));
          seen++;
          state = 'after';
        } else if (character === '"') state = 'quoted';
        else if (character === '\\') at++;
        break;
      case 'quoted':
        if (character === '\\') at++;
        else if (character === '"') {
          if (text[at + 1] === '"') at++;
          else state = 'range';
        }
        break;
      default:
        if (character === ',') state = 'before';
        else if (character === '}') state = 'done';
        else throw malformed('Expected comma or end of multirange.');
    }
  }
  at = skipSpace(text, at);
  if (at < text.length) throw malformed('Junk after closing right brace.');
  return ranges;
}
