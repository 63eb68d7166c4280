/** The regular expression functions and operators, and SIMILAR TO. */
import { DbError } from '../../base/error.ts';
import type { Datum } from '../../types/datum.ts';
import { characterCount, characterOffset } from '../../types/scalars.ts';
import type { SetFunction } from './contract.ts';
import {
  applyOption,
  compileRegex,
  DEFAULT_FLAGS,
  type Regex,
  type RegexFlags,
  type RegexMatch,
} from './regex/index.ts';
import { boundTable, type FunctionTable, type Implementation, pureTable, setFunction } from './registry.ts';
import { textArray } from './text.ts';

interface Options {
  flags: RegexFlags;
  isGlobal: boolean;
}

/** Reads a flags argument; `g` is refused where it makes no sense. */
function parseFlags(text: string): Options {
  const flags = { ...DEFAULT_FLAGS };
  let isGlobal = false;
  for (const letter of text) {
    if (letter === 'g') isGlobal = true;
    else if (!applyOption(flags, letter)) {
      throw new DbError('invalid_parameter_value', `invalid regular expression option: "${letter}"`);
    }
  }
  return { flags, isGlobal };
}

function withoutGlobal(text: string, name: string, hint?: string): RegexFlags {
  const { flags, isGlobal } = parseFlags(text);
  if (isGlobal) {
    throw new DbError(
      'invalid_parameter_value',
      `${name}() does not support the "global" option`,
      hint === undefined ? {} : { hint },
    );
  }
  return flags;
}

const INSENSITIVE: RegexFlags = { ...DEFAULT_FLAGS, ignoreCase: true };

function group(text: string, match: RegexMatch, index: number): string | null {
  const start = match.starts[index]!;
  return start < 0 ? null : text.slice(start, match.ends[index]!);
}

/** Successive matches; an empty match advances by one character. */
function* matches(regex: Regex, text: string, from = 0, skipEmptyAtEnd = false): Generator<RegexMatch> {
  let at = from;
  while (at <= text.length) {
    const match = regex.search(text, at);
    if (match === null) return;
    const [start, end] = [match.starts[0]!, match.ends[0]!];
    if (skipEmptyAtEnd && start === end && start >= text.length) return;
    yield match;
    at = end > start ? end : end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
  }
}

/** The groups of a match, or the whole match when there are none. */
function captured(regex: Regex, text: string, match: RegexMatch): (string | null)[] {
  if (regex.groupCount === 0) return [group(text, match, 0)];
  return Array.from({ length: regex.groupCount }, (_, index) => group(text, match, index + 1));
}

/** Expands \1 … \9, \& and \\ of a replacement. */
function expand(replacement: string, text: string, match: RegexMatch): string {
  if (!replacement.includes('\\')) return replacement;
  let result = '';
  for (let at = 0; at < replacement.length; at++) {
    const character = replacement[at]!;
    if (character !== '\\') {
      result += character;
      continue;
    }
    const next = replacement[++at];
    if (next === undefined) result += '\\';
    else if (next === '&') result += group(text, match, 0) ?? '';
    else if (next >= '1' && next <= '9') {
      const index = Number(next);
      if (index < match.starts.length) result += group(text, match, index) ?? '';
    } else if (next === '\\') result += '\\';
    else result += `\\${next}`;
  }
  return result;
}

/** Replaces the n-th match (0 = all) at or after `from`. */
function replace(regex: Regex, text: string, replacement: string, from: number, n: number): string {
  if (n === 1) {
    const match = regex.search(text, from);
    if (match === null) return text;
    const [start, end] = [match.starts[0]!, match.ends[0]!];
    return text.slice(0, start) + expand(replacement, text, match) + text.slice(end);
  }
  let result = '';
  let copied = 0;
  let count = 0;
  for (const match of matches(regex, text, from)) {
    count++;
    if (n !== 0 && count !== n) continue;
    result += text.slice(copied, match.starts[0]!) + expand(replacement, text, match);
    copied = match.ends[0]!;
    if (n !== 0) break;
  }
  return copied === 0 && result === '' ? text : result + text.slice(copied);
}

/** regexp_split: empty matches at the ends and right after a match do not split. */
function* split(regex: Regex, text: string): Generator<string> {
  let copied = 0;
  for (const match of matches(regex, text)) {
    const [start, end] = [match.starts[0]!, match.ends[0]!];
    if (start === end && (start >= text.length || start === copied)) {
      if (start >= text.length) break;
      continue;
    }
    yield text.slice(copied, start);
    copied = end;
  }
  yield text.slice(copied);
}

function checkStart(start: number, name = 'start'): void {
  if (start <= 0)
    throw new DbError('invalid_parameter_value', `invalid value for parameter "${name}": ${start}`);
}
function checkCount(n: number, name: string): void {
  if (n < 0) throw new DbError('invalid_parameter_value', `invalid value for parameter "${name}": ${n}`);
}

function countMatches(text: string, pattern: string, start: number, flags: string): number {
  checkStart(start);
  const regex = compileRegex(pattern, withoutGlobal(flags, 'regexp_count'));
  let count = 0;
  for (const _match of matches(regex, text, offsetOf(text, start))) count++;
  return count;
}

/** UTF-16 offset of a character position counted from 1; beyond the text: past its end. */
function offsetOf(text: string, start: number): number {
  const offset = characterOffset(text, start - 1);
  return start - 1 > characterCount(text) ? text.length + 1 : offset;
}

function nthMatch(regex: Regex, text: string, start: number, n: number): RegexMatch | null {
  let count = 0;
  for (const match of matches(regex, text, offsetOf(text, start))) if (++count === n) return match;
  return null;
}

function instr(
  text: string,
  pattern: string,
  start: number,
  n: number,
  endOption: number,
  flags: string,
  subexpression: number,
): number {
  checkStart(start);
  checkStart(n, 'n');
  if (endOption !== 0 && endOption !== 1) {
    throw new DbError('invalid_parameter_value', `invalid value for parameter "endoption": ${endOption}`);
  }
  checkCount(subexpression, 'subexpr');
  const regex = compileRegex(pattern, withoutGlobal(flags, 'regexp_instr'));
  const match = subexpression > regex.groupCount ? null : nthMatch(regex, text, start, n);
  if (match === null || match.starts[subexpression]! < 0) return 0;
  const at = endOption === 0 ? match.starts[subexpression]! : match.ends[subexpression]!;
  return characterCount(text.slice(0, at)) + 1;
}

function substr(
  text: string,
  pattern: string,
  start: number,
  n: number,
  flags: string,
  subexpression: number,
): string | null {
  checkStart(start);
  checkStart(n, 'n');
  checkCount(subexpression, 'subexpr');
  const regex = compileRegex(pattern, withoutGlobal(flags, 'regexp_substr'));
  const match = subexpression > regex.groupCount ? null : nthMatch(regex, text, start, n);
  return match === null ? null : group(text, match, subexpression);
}

function replaceExtended(
  text: string,
  pattern: string,
  replacement: string,
  start: number,
  n: number,
  flags: string,
): string {
  checkStart(start);
  checkCount(n, 'n');
  const options = parseFlags(flags);
  return replace(compileRegex(pattern, options.flags), text, replacement, offsetOf(text, start), n);
}

function firstMatch(text: string, pattern: string, flags: string): Datum {
  const hint = 'Use the regexp_matches function instead.';
  const regex = compileRegex(pattern, withoutGlobal(flags, 'regexp_match', hint));
  const match = regex.search(text, 0);
  return match === null ? null : textArray(captured(regex, text, match));
}

/** Rewrites a SIMILAR TO pattern into an advanced regular expression. */
export function similarToRegex(pattern: string, escapeCharacter: string | null): string {
  let escapeText = '\\';
  if (escapeCharacter !== null) {
    if ([...escapeCharacter].length > 1) {
      throw new DbError('invalid_escape_sequence', 'invalid escape string', {
        hint: 'Escape string must be empty or one character.',
      });
    }
    escapeText = escapeCharacter;
  }
  let result = '^(?:';
  let isAfterEscape = false;
  let isInBracket = false;
  let quoteCount = 0;
  for (const character of pattern) {
    if (isAfterEscape) {
      if (character === '"' && !isInBracket) {
        // The part between the two quote marks is what substring(… similar …) returns.
        if (quoteCount === 0) result += '){1,1}?(';
        else if (quoteCount === 1) result += '){1,1}(?:';
        else {
          throw new DbError(
            'invalid_use_of_escape_character',
            'SQL regular expression may not contain more than two escape-double-quote separators',
          );
        }
        quoteCount++;
      } else result += `\\${character}`;
      isAfterEscape = false;
    } else if (character === escapeText) isAfterEscape = true;
    else if (isInBracket) {
      if (character === '\\') result += '\\';
      result += character;
      if (character === ']') isInBracket = false;
    } else {
      switch (character) {
        case '[':
          result += character;
          isInBracket = true;
          break;
        case '%':
          result += '.*';
          break;
        case '_':
          result += '.';
          break;
        case '(':
          result += '(?:';
          break;
        case '\\':
        case '.':
        case '^':
        case '$':
          result += `\\${character}`;
          break;
        default:
          result += character;
      }
    }
  }
  return `${result})$`;
}

/** Operators keep their last compiled expression: patterns are nearly always constants. */
function operator(flags: RegexFlags, isNegated: boolean) {
  return (): Implementation => {
    let lastPattern: string | null = null;
    let regex: Regex | null = null;
    return (text: string, pattern: string) => {
      if (pattern !== lastPattern) {
        regex = compileRegex(pattern, flags);
        lastPattern = pattern;
      }
      return regex!.test(text) !== isNegated;
    };
  };
}

const operators = boundTable({
  textregexeq: operator(DEFAULT_FLAGS, false),
  textregexne: operator(DEFAULT_FLAGS, true),
  texticregexeq: operator(INSENSITIVE, false),
  texticregexne: operator(INSENSITIVE, true),
  nameregexeq: operator(DEFAULT_FLAGS, false),
  nameregexne: operator(DEFAULT_FLAGS, true),
  nameicregexeq: operator(INSENSITIVE, false),
  nameicregexne: operator(INSENSITIVE, true),
});

function textRegexReplace(text: string, pattern: string, replacement: string, flags: string): string {
  // A digit would be the start position of another form of the call.
  if (/^[0-9]/.test(flags)) {
    throw new DbError('invalid_parameter_value', `invalid regular expression option: "${flags[0]}"`, {
      hint: 'If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly.',
    });
  }
  const options = parseFlags(flags);
  return replace(compileRegex(pattern, options.flags), text, replacement, 0, options.isGlobal ? 0 : 1);
}

let lastPattern: string | null = null;
let lastRegex: Regex | null = null;

/** Patterns are nearly always constants: the last one is kept at hand. */
function replaceFirst(text: string, pattern: string, replacement: string): string {
  if (pattern !== lastPattern || lastRegex === null) {
    lastRegex = compileRegex(pattern);
    lastPattern = pattern;
  }
  return replace(lastRegex, text, replacement, 0, 1);
}

function firstSubstring(text: string, pattern: string): string | null {
  const regex = compileRegex(pattern);
  const match = regex.search(text, 0);
  return match === null ? null : group(text, match, regex.groupCount > 0 ? 1 : 0);
}

export const regexpFunctions: FunctionTable = {
  ...operators,
  ...pureTable({
    textregexsubstr: firstSubstring,
    '#2074': (text: string, pattern: string, escapeCharacter: string) =>
      firstSubstring(text, similarToRegex(pattern, escapeCharacter)),
    textregexreplace_noopt: replaceFirst,
    textregexreplace: textRegexReplace,
    textregexreplace_extended: replaceExtended,
    textregexreplace_extended_no_flags: (
      text: string,
      pattern: string,
      replacement: string,
      start: number,
      n: number,
    ) => replaceExtended(text, pattern, replacement, start, n, ''),
    textregexreplace_extended_no_n: (text: string, pattern: string, replacement: string, start: number) =>
      replaceExtended(text, pattern, replacement, start, 1, ''),
    similar_escape: (pattern: string | null, escapeCharacter: string | null) =>
      pattern === null ? null : similarToRegex(pattern, escapeCharacter),
    similar_to_escape_2: (pattern: string, escapeCharacter: string) =>
      similarToRegex(pattern, escapeCharacter),
    similar_to_escape_1: (pattern: string) => similarToRegex(pattern, null),
    regexp_like: (text: string, pattern: string, flags: string) =>
      compileRegex(pattern, withoutGlobal(flags, 'regexp_like')).test(text),
    regexp_like_no_flags: (text: string, pattern: string) => compileRegex(pattern).test(text),
    regexp_match: firstMatch,
    regexp_match_no_flags: (text: string, pattern: string) => firstMatch(text, pattern, ''),
    regexp_count: countMatches,
    regexp_count_no_flags: (text: string, pattern: string, start: number) =>
      countMatches(text, pattern, start, ''),
    regexp_count_no_start: (text: string, pattern: string) => countMatches(text, pattern, 1, ''),
    regexp_instr: instr,
    regexp_instr_no_subexpr: (
      text: string,
      pattern: string,
      start: number,
      n: number,
      endOption: number,
      flags: string,
    ) => instr(text, pattern, start, n, endOption, flags, 0),
    regexp_instr_no_flags: (text: string, pattern: string, start: number, n: number, endOption: number) =>
      instr(text, pattern, start, n, endOption, '', 0),
    regexp_instr_no_endoption: (text: string, pattern: string, start: number, n: number) =>
      instr(text, pattern, start, n, 0, '', 0),
    regexp_instr_no_n: (text: string, pattern: string, start: number) =>
      instr(text, pattern, start, 1, 0, '', 0),
    regexp_instr_no_start: (text: string, pattern: string) => instr(text, pattern, 1, 1, 0, '', 0),
    regexp_substr: substr,
    regexp_substr_no_subexpr: (text: string, pattern: string, start: number, n: number, flags: string) =>
      substr(text, pattern, start, n, flags, 0),
    regexp_substr_no_flags: (text: string, pattern: string, start: number, n: number) =>
      substr(text, pattern, start, n, '', 0),
    regexp_substr_no_n: (text: string, pattern: string, start: number) =>
      substr(text, pattern, start, 1, '', 0),
    regexp_substr_no_start: (text: string, pattern: string) => substr(text, pattern, 1, 1, '', 0),
    regexp_split_to_array: (text: string, pattern: string, flags: string) =>
      textArray([...split(compileRegex(pattern, withoutGlobal(flags, 'regexp_split_to_array')), text)]),
    regexp_split_to_array_no_flags: (text: string, pattern: string) =>
      textArray([...split(compileRegex(pattern), text)]),
  }),
};

function* allMatches(text: string, pattern: string, flags: string): Generator<Datum> {
  const options = parseFlags(flags);
  const regex = compileRegex(pattern, options.flags);
  for (const match of matches(regex, text)) {
    yield textArray(captured(regex, text, match));
    if (!options.isGlobal) return;
  }
}

export const regexpSetFunctions: Record<string, SetFunction> = {
  regexp_matches: setFunction(false, () => allMatches),
  regexp_matches_no_flags: setFunction(
    false,
    () => (text: string, pattern: string) => allMatches(text, pattern, ''),
  ),
  regexp_split_to_table: setFunction(
    false,
    () => (text: string, pattern: string, flags: string) =>
      split(compileRegex(pattern, withoutGlobal(flags, 'regexp_split_to_table')), text),
  ),
  regexp_split_to_table_no_flags: setFunction(
    false,
    () => (text: string, pattern: string) => split(compileRegex(pattern), text),
  ),
};
