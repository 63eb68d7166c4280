/** citext: comparisons of texts in lower case, and functions that ignore case. */
import { compareText } from '../../../types/scalars.ts';
import type { CallSite, FunctionContext, ScalarFunction, SetFunction } from '../contract.ts';
import { regexpFunctions, regexpSetFunctions } from '../regexp.ts';
import { type FunctionTable, type Implementation, pureTable, setFunction } from '../registry.ts';

const lower = (text: string): string => text.toLowerCase();
const order = (left: string, right: string): number => compareText(lower(left), lower(right));

function comparisons(
  prefix: string,
  suffixes: Record<string, (order: number) => boolean>,
): Record<string, Implementation> {
  return Object.fromEntries(
    Object.entries(suffixes).map(([suffix, test]) => [
      `${prefix}${suffix}`,
      (left: string, right: string) => test(order(left, right)),
    ]),
  );
}

const TESTS = {
  lt: (result: number) => result < 0,
  le: (result: number) => result <= 0,
  gt: (result: number) => result > 0,
  ge: (result: number) => result >= 0,
};

/** Calls another function with the flag `i` unless the flags say `c`. */
function ignoringCase(name: string, flagsAt: number): ScalarFunction {
  return {
    make: (context: FunctionContext, site: CallSite) => {
      const found = regexpFunctions[name]!;
      const call = (found.pure ?? found.make(context, site)) as (...args: unknown[]) => never;
      return (...args) => call(...withFlag(args as unknown[], flagsAt));
    },
  };
}

function withFlag(args: unknown[], flagsAt: number): unknown[] {
  const flags = (args[flagsAt] as string | undefined) ?? '';
  const result = args.slice();
  result[flagsAt] = flags.includes('c') ? flags : `${flags}i`;
  return result;
}

function setIgnoringCase(name: string): SetFunction {
  return setFunction(false, (context, site) => {
    const call = regexpSetFunctions[name]!.make(context, site) as (...args: unknown[]) => never;
    return ((...args: unknown[]) => call(...withFlag(args, 2))) as never;
  });
}

/** Replaces all occurrences whatever their case. */
function replace(text: string, from: string, to: string): string {
  if (from === '') return text;
  const haystack = lower(text);
  const needle = lower(from);
  // Lower case must not move characters for positions to be the same.
  if (haystack.length !== text.length) return text;
  let result = '';
  let at = 0;
  for (let found = haystack.indexOf(needle); found >= 0; found = haystack.indexOf(needle, at)) {
    result += text.slice(at, found) + to;
    at = found + needle.length;
  }
  return result + text.slice(at);
}

function splitPart(text: string, separator: string, field: number): string {
  const pieces: string[] = [];
  const haystack = lower(text);
  const needle = lower(separator);
  let at = 0;
  if (needle !== '') {
    for (let found = haystack.indexOf(needle); found >= 0; found = haystack.indexOf(needle, at)) {
      pieces.push(text.slice(at, found));
      at = found + needle.length;
    }
  }
  pieces.push(text.slice(at));
  return pieces.at(field > 0 ? field - 1 : field) ?? '';
}

function translate(text: string, from: string, to: string): string {
  const map = new Map<string, string>();
  const targets = [...to];
  [...from].forEach((character, index) => {
    for (const variant of [character.toLowerCase(), character.toUpperCase()]) {
      if (!map.has(variant)) map.set(variant, targets[index] ?? '');
    }
  });
  return [...text].map((character) => map.get(character) ?? character).join('');
}

export const citextFunctions: FunctionTable = {
  ...pureTable({
    ...comparisons('citext_', {
      eq: (result) => result === 0,
      ne: (result) => result !== 0,
      ...TESTS,
    }),
    ...comparisons('citext_pattern_', TESTS),
    citext_cmp: order,
    citext_pattern_cmp: order,
    citext_smaller: (left: string, right: string) => (order(left, right) < 0 ? left : right),
    citext_larger: (left: string, right: string) => (order(left, right) > 0 ? left : right),
    'citext.strpos/2': (text: string, part: string) => {
      const found = lower(text).indexOf(lower(part));
      return found < 0 ? 0 : [...lower(text).slice(0, found)].length + 1;
    },
    'citext.replace/3': replace,
    'citext.split_part/3': splitPart,
    'citext.translate/3': translate,
  }),
  'citext.regexp_match/2': ignoringCase('regexp_match', 2),
  'citext.regexp_match/3': ignoringCase('regexp_match', 2),
  'citext.regexp_replace/3': ignoringCase('textregexreplace', 3),
  'citext.regexp_replace/4': ignoringCase('textregexreplace', 3),
  'citext.regexp_split_to_array/2': ignoringCase('regexp_split_to_array', 2),
  'citext.regexp_split_to_array/3': ignoringCase('regexp_split_to_array', 2),
};

export const citextSetFunctions: Record<string, SetFunction> = {
  'citext.regexp_matches/2': setIgnoringCase('regexp_matches'),
  'citext.regexp_matches/3': setIgnoringCase('regexp_matches'),
  'citext.regexp_split_to_table/2': setIgnoringCase('regexp_split_to_table'),
  'citext.regexp_split_to_table/3': setIgnoringCase('regexp_split_to_table'),
};
