/** What the grammar library does not say of an error: its SQLSTATE, PostgreSQL's hints, and what a misspelt keyword was meant to be. */
import { DbError } from '../../base/error.ts';
import type { ConditionName } from '../../base/sqlstate.ts';
import { KEYWORDS } from './keywords.ts';
import type { SqlParser } from './parser.ts';
import { editDistance } from './spelling.ts';

/** Texts above this size get no spelling hint: each guess costs a parse. */
const HINT_SIZE_MAX = 10_000;
const GUESS_COUNT_MAX = 6;

const CONDITIONS: [RegExp, ConditionName][] = [
  [/^(invalid Unicode|invalid Unicode surrogate pair)/, 'syntax_error'],
  [/^unsafe use of \\'/, 'nonstandard_use_of_escape_character'],
  [/^(stack depth limit exceeded)/, 'statement_too_complex'],
  [/^out of memory/, 'out_of_memory'],
  [/^invalid byte sequence/, 'character_not_in_repertoire'],
  [/^LIMIT #,# syntax/, 'syntax_error'],
  [/^frame (start|end)/, 'windowing_error'],
  [/^precision for type float/, 'invalid_parameter_value'],
  [/^current database cannot be changed/, 'feature_not_supported'],
  [/(not (yet )?(implemented|supported)|cannot be marked|no longer supported)/, 'feature_not_supported'],
];

const HINTS: [RegExp, (message: string, text: string, position: number) => string | undefined][] = [
  [
    /^invalid Unicode escape$/,
    (_message, text, position) =>
      /u&/i.test(text.slice(0, position + 4))
        ? 'Unicode escapes must be \\XXXX or \\+XXXXXX.'
        : 'Unicode escapes must be \\uXXXX or \\UXXXXXXXX.',
  ],
  [/^LIMIT #,# syntax/, () => 'Use separate LIMIT and OFFSET clauses.'],
  [
    /^unsafe use of \\'/,
    () => "Use '' to write quotes in strings. \\' is insecure in client-only encodings.",
  ],
];

/** Makes the error PostgreSQL would raise for a message of the grammar. `position` counts characters from 1, 0 = none. */
export function grammarError(parser: SqlParser, text: string, message: string, position: number): DbError {
  let condition: ConditionName = 'syntax_error';
  for (const [pattern, name] of CONDITIONS) {
    if (pattern.test(message)) {
      condition = name;
      break;
    }
  }
  if (message === 'invalid Unicode escape' && /\be'/i.test(text)) condition = 'invalid_escape_sequence';
  let hint: string | undefined;
  for (const [pattern, make] of HINTS) if (pattern.test(message)) hint = make(message, text, position);
  if (hint === undefined && message.startsWith('syntax error') && text.length <= HINT_SIZE_MAX)
    hint = keywordHint(parser, text, position);
  return new DbError(condition, message, {
    position: position > 0 ? position : undefined,
    ...(hint === undefined ? {} : { hint }),
  });
}

interface Word {
  text: string;
  start: number;
  end: number;
}

/** Unquoted words of the text outside strings and comments, in order. */
function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  const pattern = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|[A-Za-z_][A-Za-z0-9_$]*/g;
  for (const match of text.matchAll(pattern)) {
    const first = match[0].charCodeAt(0);
    if (first === 39 || first === 34 || first === 45 || first === 47) continue;
    words.push({ text: match[0], start: match.index, end: match.index + match[0].length });
  }
  return words;
}

/** UTF-16 offset of a 1-based character position. */
function unitOffset(text: string, position: number): number {
  let unit = 0;
  for (let count = 1; count < position && unit < text.length; count++)
    unit += text.codePointAt(unit)! > 0xffff ? 2 : 1;
  return unit;
}

/**
 * Looks for a misspelt keyword: the word at the error, or one of the two before it, is replaced by a keyword of similar
 * spelling; a guess counts only when the text then parses, or fails clearly later.
 */
function keywordHint(parser: SqlParser, text: string, position: number): string | undefined {
  if (position <= 0) return undefined;
  const offset = unitOffset(text, position);
  const words = wordsOf(text);
  const at = words.findIndex((word) => word.start >= offset);
  const candidates: Word[] = [];
  const here = at >= 0 && words[at].start === offset ? at : -1;
  if (here >= 0) candidates.push(words[here]);
  const before = here >= 0 ? here - 1 : at >= 0 ? at - 1 : words.length - 1;
  for (let index = before; index >= 0 && index > before - 2; index--) candidates.push(words[index]);
  let best: { word: Word; keyword: string; failure: number } | null = null;
  let guesses = 0;
  for (const word of candidates) {
    const lower = word.text.toLowerCase();
    // A word that is a keyword is spelt as it was meant.
    if (KEYWORDS.has(lower)) continue;
    const limit = lower.length <= 3 ? 1 : 2;
    const near: { keyword: string; distance: number }[] = [];
    for (const keyword of KEYWORDS.keys()) {
      if (keyword === lower || Math.abs(keyword.length - lower.length) > limit || keyword.length < 2)
        continue;
      const distance = editDistance(lower, keyword, limit);
      if (distance <= limit) near.push({ keyword, distance });
    }
    near.sort((left, right) => left.distance - right.distance);
    for (const { keyword } of near.slice(0, 4)) {
      if (guesses++ >= GUESS_COUNT_MAX) return best ? describe(best) : undefined;
      const corrected = text.slice(0, word.start) + keyword + text.slice(word.end);
      const failure = parser.failurePosition(corrected);
      if (failure === 0) return describe({ word, keyword });
      const progressed = failure - (keyword.length - word.text.length) > position + 1;
      if (progressed && (best === null || failure > best.failure)) best = { word, keyword, failure };
    }
  }
  return best ? describe(best) : undefined;
}

function describe(guess: { word: Word; keyword: string }): string {
  return `Did you mean "${guess.keyword.toUpperCase()}" instead of "${guess.word.text}"?`;
}
