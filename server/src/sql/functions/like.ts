/**
 * LIKE and ILIKE.
 *
 * A pattern is compiled once into literal pieces and wildcards: pieces between % are searched left to right, each at its first
 * possible place, which is exact because pieces have fixed lengths in characters. Linear in text times piece length; the common
 * shapes ('abc', 'abc%', '%abc', '%abc%', '%a%b%') use the runtime's substring search.
 */
import { DbError } from '../../base/error.ts';
import { spend } from '../../base/work.ts';
import { boundTable, type FunctionTable, type Implementation, pureTable } from './registry.ts';

/** A run between percent signs: literal text with `null` for each underscore. */
interface Piece {
  /** The whole piece when it has no underscore. */
  readonly literal: string | null;
  /** Characters (code points), null = any one character. */
  readonly characters: readonly (string | null)[];
}

export type LikeMatcher = (text: string) => boolean;

function trailingEscape(): DbError {
  return new DbError('invalid_escape_sequence', 'LIKE pattern must not end with escape character');
}

/** Splits at unescaped percent signs. */
function splitPattern(
  pattern: string,
  escapeCharacter: string | null,
): { pieces: Piece[]; startsOpen: boolean; endsOpen: boolean } {
  const pieces: Piece[] = [];
  let characters: (string | null)[] = [];
  let startsOpen = false;
  let endsOpen = false;
  let first = true;
  const flush = (): void => {
    if (characters.length === 0) return;
    const isLiteral = !characters.includes(null);
    pieces.push({ literal: isLiteral ? characters.join('') : null, characters });
    characters = [];
  };
  const source = [...pattern];
  for (let at = 0; at < source.length; at++) {
    let character = source[at]!;
    endsOpen = false;
    if (character === escapeCharacter) {
      at++;
      if (at === source.length) throw trailingEscape();
      character = source[at]!;
      characters.push(character);
    } else if (character === '%') {
      if (first) startsOpen = true;
      flush();
      endsOpen = true;
    } else characters.push(character === '_' ? null : character);
    first = false;
  }
  flush();
  return { pieces, startsOpen, endsOpen };
}

/** End of a match of `piece` at UTF-16 index `at`, or -1. */
function matchAt(text: string, at: number, piece: Piece): number {
  if (piece.literal !== null) return text.startsWith(piece.literal, at) ? at + piece.literal.length : -1;
  for (const wanted of piece.characters) {
    if (at >= text.length) return -1;
    if (wanted === null) {
      const code = text.charCodeAt(at);
      at += code >= 0xd800 && code < 0xdc00 && at + 1 < text.length ? 2 : 1;
    } else {
      if (!text.startsWith(wanted, at)) return -1;
      at += wanted.length;
    }
  }
  return at;
}

/** First match of `piece` at or after `at`: its end, or -1. */
function findFrom(text: string, at: number, piece: Piece): number {
  if (piece.literal !== null) {
    const found = text.indexOf(piece.literal, at);
    return found < 0 ? -1 : found + piece.literal.length;
  }
  let passed = 0;
  for (let start = at; start <= text.length; ) {
    if ((++passed & 1023) === 0) spend(1024 * 4);
    const end = matchAt(text, start, piece);
    if (end >= 0) return end;
    const code = text.charCodeAt(start);
    start += code >= 0xd800 && code < 0xdc00 ? 2 : 1;
  }
  return -1;
}

/** Start of a match of `piece` that ends at the end of the text, not before `from`; -1 when there is none. */
function matchesTail(text: string, from: number, piece: Piece): boolean {
  if (piece.literal !== null)
    return text.length - piece.literal.length >= from && text.endsWith(piece.literal);
  // Walk back as many characters as the piece has.
  let at = text.length;
  for (let left = piece.characters.length; left > 0; left--) {
    if (at <= from) return false;
    const code = text.charCodeAt(at - 1);
    at -= code >= 0xdc00 && code < 0xe000 && at - 1 > from ? 2 : 1;
  }
  return matchAt(text, at, piece) === text.length;
}

/** Compiles a LIKE pattern. `escape` null = no escape character. */
export function compileLike(pattern: string, escapeCharacter: string | null = '\\'): LikeMatcher {
  const { pieces, startsOpen, endsOpen } = splitPattern(pattern, escapeCharacter);
  if (pieces.length === 0) return startsOpen ? () => true : (text) => text === '';
  if (!startsOpen && !endsOpen && pieces.length === 1) {
    const [only] = pieces as [Piece];
    if (only.literal !== null) {
      const { literal } = only;
      return (text) => text === literal;
    }
    return (text) => matchAt(text, 0, only) === text.length;
  }
  if (pieces.length === 1 && pieces[0]!.literal !== null) {
    const literal = pieces[0]!.literal;
    if (startsOpen && endsOpen) return (text) => text.includes(literal);
    return startsOpen ? (text) => text.endsWith(literal) : (text) => text.startsWith(literal);
  }
  return (text) => {
    let at = 0;
    let next = 0;
    let last = pieces.length;
    if (!startsOpen) {
      at = matchAt(text, 0, pieces[0]!);
      if (at < 0) return false;
      next = 1;
    }
    if (!endsOpen) last--;
    for (; next < last; next++) {
      at = findFrom(text, at, pieces[next]!);
      if (at < 0) return false;
    }
    return endsOpen || matchesTail(text, at, pieces[last]!);
  };
}

/** The pattern's fixed start, for index ranges and zone maps: '' when it starts with a wildcard. */
export function likePrefix(
  pattern: string,
  escapeCharacter: string | null = '\\',
): { prefix: string; isExact: boolean } {
  let prefix = '';
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!;
    if (character === '%' || character === '_') return { prefix, isExact: false };
    if (character === escapeCharacter) {
      at++;
      if (at === pattern.length) throw trailingEscape();
    }
    prefix += pattern[at]!;
  }
  return { prefix, isExact: true };
}

/** Keeps the last compiled pattern: patterns are nearly always constants. */
function cached(compile: (pattern: string) => LikeMatcher): (text: string, pattern: string) => boolean {
  let lastPattern: string | null = null;
  let matcher: LikeMatcher = () => false;
  return (text, pattern) => {
    if (pattern !== lastPattern) {
      matcher = compile(pattern);
      lastPattern = pattern;
    }
    return matcher(text);
  };
}

const fold = (text: string): string => text.toLowerCase();
function compileILike(pattern: string): LikeMatcher {
  const matcher = compileLike(fold(pattern));
  return (text) => matcher(fold(text));
}

/** bytea patterns: the same matcher over one character per byte. */
const latin = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

/** Rewrites a pattern with another escape character into one with a backslash. */
export function likeEscape(pattern: string, escapeCharacter: string): string {
  if ([...escapeCharacter].length > 1) {
    throw new DbError('invalid_escape_sequence', 'invalid escape string', {
      hint: 'Escape string must be empty or one character.',
    });
  }
  if (escapeCharacter === '\\') return pattern;
  if (escapeCharacter === '') return pattern.replaceAll('\\', '\\\\');
  let result = '';
  let wasEscape = false;
  for (const character of pattern) {
    if (character === escapeCharacter && !wasEscape) {
      result += '\\';
      wasEscape = true;
    } else if (character === '\\') {
      result += wasEscape ? '\\' : '\\\\';
      wasEscape = false;
    } else {
      result += character;
      wasEscape = false;
    }
  }
  return result;
}

const like = (negated: boolean, compile: (pattern: string) => LikeMatcher) => () => {
  const match = cached(compile);
  return (negated
    ? (text: string, pattern: string) => !match(text, pattern)
    : match) as unknown as Implementation;
};

export const likeFunctions: FunctionTable = {
  ...boundTable({
    textlike: like(false, compileLike),
    textnlike: like(true, compileLike),
    namelike: like(false, compileLike),
    namenlike: like(true, compileLike),
    texticlike: like(false, compileILike),
    texticnlike: like(true, compileILike),
    nameiclike: like(false, compileILike),
    nameicnlike: like(true, compileILike),
    bytealike: () => {
      const match = cached(compileLike);
      return (text: Uint8Array, pattern: Uint8Array) => match(latin(text), latin(pattern));
    },
    byteanlike: () => {
      const match = cached(compileLike);
      return (text: Uint8Array, pattern: Uint8Array) => !match(latin(text), latin(pattern));
    },
  }),
  ...pureTable({
    like_escape: likeEscape,
    like_escape_bytea: (pattern: Uint8Array, escapeCharacter: Uint8Array) =>
      new Uint8Array(Buffer.from(likeEscape(latin(pattern), latin(escapeCharacter)), 'latin1')),
  }),
};
