/** Sets of code points as sorted, disjoint ranges [from, to], and the character classes of POSIX. */

export type CharSet = readonly (readonly [number, number])[];

export const MAX_CODE_POINT = 0x10ffff;
export const ANY: CharSet = [[0, MAX_CODE_POINT]];

/** Sorts and merges ranges. */
export function normalize(ranges: readonly (readonly [number, number])[]): CharSet {
  const sorted = [...ranges].sort((left, right) => left[0] - right[0]);
  const result: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = result.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}

export function complement(set: CharSet): CharSet {
  const result: [number, number][] = [];
  let next = 0;
  for (const [from, to] of set) {
    if (from > next) result.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= MAX_CODE_POINT) result.push([next, MAX_CODE_POINT]);
  return result;
}

export function includes(set: CharSet, code: number): boolean {
  let low = 0;
  let high = set.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const [from, to] = set[middle]!;
    if (code < from) high = middle;
    else if (code > to) low = middle + 1;
    else return true;
  }
  return false;
}

/** The other-case forms of one code point, itself included. */
export function caseVariants(code: number): number[] {
  const text = String.fromCodePoint(code);
  const variants = new Set([code]);
  for (const other of [text.toLowerCase(), text.toUpperCase()]) {
    const point = other.codePointAt(0)!;
    if (String.fromCodePoint(point) === other) variants.add(point);
  }
  return [...variants];
}

/** Adds other-case letters. Ranges wider than any alphabet are searched only up to their first few thousand members. */
export function foldCase(set: CharSet): CharSet {
  const extra: [number, number][] = [];
  for (const [from, to] of set) {
    const end = Math.min(to, from + 5000);
    for (let code = from; code <= end; code++)
      for (const variant of caseVariants(code)) extra.push([variant, variant]);
  }
  return normalize([...set, ...extra]);
}

/** Builds a class from a predicate on single characters; computed once each. */
function classFrom(matches: (text: string) => boolean, limit = 0x1ffff): CharSet {
  const result: [number, number][] = [];
  let start = -1;
  for (let code = 0; code <= limit + 1; code++) {
    const isIn = code <= limit && !(code >= 0xd800 && code <= 0xdfff) && matches(String.fromCodePoint(code));
    if (isIn && start < 0) start = code;
    else if (!isIn && start >= 0) {
      result.push([start, code - 1]);
      start = -1;
    }
  }
  return result;
}

const ASCII_CLASSES: Readonly<Record<string, CharSet>> = {
  blank: [
    [9, 9],
    [32, 32],
  ],
  cntrl: [
    [0, 31],
    [127, 159],
  ],
  digit: [[48, 57]],
  xdigit: [
    [48, 57],
    [65, 70],
    [97, 102],
  ],
};

const PROPERTY_CLASSES: Readonly<Record<string, RegExp>> = {
  alpha: /\p{L}/u,
  alnum: /[\p{L}\p{N}]/u,
  upper: /\p{Lu}/u,
  lower: /\p{Ll}/u,
  punct: /[\p{P}\p{S}]/u,
  space: /[\s]/u,
  graph: /[^\s\p{C}]/u,
  print: /[^\p{C}\n\r\t\f\v]/u,
};

const computed = new Map<string, CharSet>();

/** A class by its POSIX name; null when there is none. */
export function namedClass(name: string): CharSet | null {
  const known = computed.get(name);
  if (known !== undefined) return known;
  let set: CharSet;
  if (Object.hasOwn(ASCII_CLASSES, name)) set = ASCII_CLASSES[name]!;
  else if (Object.hasOwn(PROPERTY_CLASSES, name)) {
    const property = PROPERTY_CLASSES[name]!;
    set = classFrom((text) => property.test(text));
  } else if (name === 'word') set = normalize([...namedClass('alnum')!, [95, 95]]);
  else if (name === 'ascii') set = [[0, 127]];
  else return null;
  computed.set(name, set);
  return set;
}
