/**
 * The default text search parser: cuts a document into tokens of PostgreSQL's 23 types.
 *
 * At each place the longest of the readings wins (e-mail, address, host, file, numbers, compound word, word); compound words and
 * addresses are given whole and then in parts.
 */

export const TOKEN = {
  ASCII_WORD: 1,
  WORD: 2,
  NUMBER_WORD: 3,
  EMAIL: 4,
  URL: 5,
  HOST: 6,
  SCIENTIFIC: 7,
  VERSION: 8,
  PART_NUMBER: 9,
  PART: 10,
  PART_ASCII: 11,
  BLANK: 12,
  TAG: 13,
  PROTOCOL: 14,
  COMPOUND_NUMBER: 15,
  COMPOUND_ASCII: 16,
  COMPOUND: 17,
  URL_PATH: 18,
  FILE: 19,
  DECIMAL: 20,
  SIGNED: 21,
  UNSIGNED: 22,
  ENTITY: 23,
} as const;

/** Alias and description by token type - 1. */
export const TOKEN_TYPES: readonly (readonly [string, string])[] = [
  ['asciiword', 'Word, all ASCII'],
  ['word', 'Word, all letters'],
  ['numword', 'Word, letters and digits'],
  ['email', 'Email address'],
  ['url', 'URL'],
  ['host', 'Host'],
  ['sfloat', 'Scientific notation'],
  ['version', 'Version number'],
  ['hword_numpart', 'Hyphenated word part, letters and digits'],
  ['hword_part', 'Hyphenated word part, all letters'],
  ['hword_asciipart', 'Hyphenated word part, all ASCII'],
  ['blank', 'Space symbols'],
  ['tag', 'XML tag'],
  ['protocol', 'Protocol head'],
  ['numhword', 'Hyphenated word, letters and digits'],
  ['asciihword', 'Hyphenated word, all ASCII'],
  ['hword', 'Hyphenated word, all letters'],
  ['url_path', 'URL path'],
  ['file', 'File or path name'],
  ['float', 'Decimal notation'],
  ['int', 'Signed integer'],
  ['uint', 'Unsigned integer'],
  ['entity', 'XML entity'],
];

export interface Token {
  readonly type: number;
  readonly text: string;
}

// Fixed expressions of our own, not of users; sticky, so that they read at one place.
const TAG =
  /<(?:!--[\s\S]*?-->|\?[^>]*\?>|![A-Za-z][^>]*>|\/?[A-Za-z_:][^\s<>"'=/]*(?:\s(?:[^<>"']|"[^"]*"|'[^']*')*)?\/?>)/y;
const ENTITY = /&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[A-Za-z_:][A-Za-z0-9_:.-]*);/y;
const PROTOCOL = /[A-Za-z][A-Za-z0-9]*:\/\//y;
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?';
const HOST = new RegExp(`(?:${LABEL}\\.)+[A-Za-z]{2,}(?![A-Za-z0-9_])(?::[0-9]{2,})?`, 'y');
const ADDRESS = new RegExp(`${LABEL}(?:\\.${LABEL})*(?::[0-9]{2,})?`, 'y');
const URL_PATH = /\/[!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]+/y;
const EMAIL = new RegExp(
  `[A-Za-z0-9](?:[A-Za-z0-9._+-]*[A-Za-z0-9_-])?@(?:${LABEL}\\.)+[A-Za-z]{2,}(?![A-Za-z0-9_])`,
  'y',
);
const FILE =
  /(?:(?:~?\/|\.{1,2}\/)[A-Za-z0-9_][A-Za-z0-9_+-]*(?:[./]+[A-Za-z0-9_+-]+)*\/?|[A-Za-z][A-Za-z0-9]*(?:[./][A-Za-z0-9_][A-Za-z0-9_+-]*)+)/y;
const VERSION = /[0-9]+(?:\.[0-9]+){2,}/y;
const SCIENTIFIC = /[+-]?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]+/y;
const DECIMAL = /[+-]?[0-9]+\.[0-9]+/y;
const SIGNED = /[+-][0-9]+/y;
const UNSIGNED = /[0-9]+/y;
const WORD = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*/uy;
// Each part has a letter, so that 1772-1834 and readline-4.2 are no compounds.
const COMPOUND = /[0-9]*\p{L}[\p{L}\p{M}\p{N}]*(?:-[0-9]*\p{L}[\p{L}\p{M}\p{N}]*)+/uy;
const HAS_DIGIT = /\p{N}/u;
const ASCII_LETTERS = /^[A-Za-z]+$/;

function length(expression: RegExp, text: string, at: number): number {
  expression.lastIndex = at;
  return expression.exec(text)?.[0].length ?? 0;
}

function wordType(word: string, ascii: number, letters: number, mixed: number): number {
  if (ASCII_LETTERS.test(word)) return ascii;
  return HAS_DIGIT.test(word) ? mixed : letters;
}

const isWordCharacter = (text: string, at: number): boolean =>
  at >= 0 && /[\p{L}\p{N}]/u.test(String.fromCodePoint(text.codePointAt(at) ?? 32));

/** Places where a run of blanks is cut although no token begins. */
const STARTS = '<+-&/~.';

export function* tokenize(text: string): Generator<Token> {
  let at = 0;
  let isAfterProtocol = false;
  while (at < text.length) {
    const start = at;
    const character = text[at]!;
    const found = readAt(text, at, character, isAfterProtocol);
    isAfterProtocol = false;
    if (found !== null) {
      for (const token of found.tokens) yield token;
      at = found.end;
      isAfterProtocol = found.tokens[0]!.type === TOKEN.PROTOCOL;
      continue;
    }
    at += text.codePointAt(at)! > 0xffff ? 2 : 1;
    while (
      at < text.length &&
      !STARTS.includes(text[at]!) &&
      !isWordCharacter(text, at) &&
      text[at] !== '_'
    ) {
      at += text.codePointAt(at)! > 0xffff ? 2 : 1;
    }
    yield { type: TOKEN.BLANK, text: text.slice(start, at) };
  }
}

interface Found {
  readonly tokens: readonly Token[];
  readonly end: number;
}

function single(type: number, text: string, at: number, size: number): Found {
  return { tokens: [{ type, text: text.slice(at, at + size) }], end: at + size };
}

function readAt(text: string, at: number, character: string, isAfterProtocol: boolean): Found | null {
  if (character === '<') {
    const size = length(TAG, text, at);
    return size === 0 ? null : single(TOKEN.TAG, text, at, size);
  }
  if (character === '&') {
    const size = length(ENTITY, text, at);
    return size === 0 ? null : single(TOKEN.ENTITY, text, at, size);
  }
  const isStart = isWordCharacter(text, at);
  if (!isStart && !'+-/~._'.includes(character)) return null;
  const protocol = isStart ? length(PROTOCOL, text, at) : 0;
  if (protocol > 0) return single(TOKEN.PROTOCOL, text, at, protocol);

  let best: Found | null = null;
  const offer = (size: number, make: () => Found): void => {
    if (size > 0 && (best === null || at + size > best.end)) best = make();
  };
  const plain = (type: number, size: number): void => offer(size, () => single(type, text, at, size));

  const email = length(EMAIL, text, at);
  plain(TOKEN.EMAIL, email);
  let host = length(HOST, text, at);
  if (host === 0 && isAfterProtocol) host = length(ADDRESS, text, at);
  if (host > 0) {
    const path = length(URL_PATH, text, at + host);
    offer(host + path, () => {
      if (path === 0) return single(TOKEN.HOST, text, at, host);
      return {
        tokens: [
          { type: TOKEN.URL, text: text.slice(at, at + host + path) },
          { type: TOKEN.HOST, text: text.slice(at, at + host) },
          { type: TOKEN.URL_PATH, text: text.slice(at + host, at + host + path) },
        ],
        end: at + host + path,
      };
    });
  }
  plain(TOKEN.VERSION, length(VERSION, text, at));
  plain(TOKEN.SCIENTIFIC, notInWord(text, at, length(SCIENTIFIC, text, at)));
  plain(TOKEN.DECIMAL, notInWord(text, at, length(DECIMAL, text, at)));
  plain(TOKEN.SIGNED, notInWord(text, at, length(SIGNED, text, at)));
  plain(TOKEN.UNSIGNED, notInWord(text, at, length(UNSIGNED, text, at)));
  const compound = isStart ? length(COMPOUND, text, at) : 0;
  offer(compound, () => compoundTokens(text.slice(at, at + compound), at + compound));
  const word = isStart ? length(WORD, text, at) : 0;
  offer(word, () => {
    const type = wordType(text.slice(at, at + word), TOKEN.ASCII_WORD, TOKEN.WORD, TOKEN.NUMBER_WORD);
    return single(type, text, at, word);
  });
  const file = length(FILE, text, at);
  if (/[./]/.test(text.slice(at, at + file))) {
    offer(file, () => single(TOKEN.FILE, text, at, file));
  }
  return best;
}

/** A number glued to letters is no number. */
function notInWord(text: string, at: number, size: number): number {
  return size > 0 && isWordCharacter(text, at + size) ? 0 : size;
}

function compoundTokens(word: string, end: number): Found {
  const parts = word.split('-');
  const isAscii = parts.every((part) => ASCII_LETTERS.test(part));
  const hasDigit = HAS_DIGIT.test(word);
  const tokens: Token[] = [
    {
      type: isAscii ? TOKEN.COMPOUND_ASCII : hasDigit ? TOKEN.COMPOUND_NUMBER : TOKEN.COMPOUND,
      text: word,
    },
  ];
  for (const [index, part] of parts.entries()) {
    if (index > 0) tokens.push({ type: TOKEN.BLANK, text: '-' });
    tokens.push({ type: wordType(part, TOKEN.PART_ASCII, TOKEN.PART, TOKEN.PART_NUMBER), text: part });
  }
  return { tokens, end };
}
