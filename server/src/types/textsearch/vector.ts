/**
 * tsvector: distinct lexemes in byte order, each with up to 255 positions and a weight per position.
 *
 * A position is held as PostgreSQL holds it: the weight (0 = D … 3 = A) in the two high bits of 16, the position (1 to 16383) below.
 */
import { DbError } from '../../base/error.ts';
import { OpaqueDatum } from '../datum.ts';
import { OID } from '../oid.ts';
import { compareText } from '../scalars.ts';
import { LexemeReader } from './lexeme.ts';

export const POSITION_MAX = 16383;
export const POSITIONS_MAX = 255;
export const LEXEME_BYTES_MAX = 2046;
const TEXT_BYTES_MAX = 1048575;

export const positionOf = (entry: number): number => entry & POSITION_MAX;
export const weightOf = (entry: number): number => entry >> 14;
export const packPosition = (position: number, weight: number): number =>
  (weight << 14) | Math.min(position, POSITION_MAX);

export interface Lexeme {
  readonly word: string;
  /** Ascending by position, each position once; empty = no positions known. */
  readonly positions: readonly number[];
}

export class TsVector extends OpaqueDatum {
  readonly typeOid = OID.TSVECTOR;
  readonly lexemes: readonly Lexeme[];
  constructor(lexemes: readonly Lexeme[]) {
    super();
    this.lexemes = lexemes;
  }
}

/** Index of the first lexeme that is not less than `word`. */
export function lowerBound(lexemes: readonly Lexeme[], word: string): number {
  let low = 0;
  let high = lexemes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareText(lexemes[middle]!.word, word) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function findLexeme(vector: TsVector, word: string): Lexeme | undefined {
  const found = vector.lexemes[lowerBound(vector.lexemes, word)];
  return found?.word === word ? found : undefined;
}

/** Sorts positions; of equal ones the heaviest stays; at most 255, and none after 16383. */
export function normalisePositions(entries: readonly number[]): number[] {
  const sorted = [...entries].sort((left, right) => positionOf(left) - positionOf(right) || right - left);
  const result: number[] = [];
  for (const entry of sorted) {
    const last = result.at(-1);
    if (last !== undefined && positionOf(last) === positionOf(entry)) continue;
    if (result.length >= POSITIONS_MAX) break;
    result.push(entry);
    if (positionOf(entry) === POSITION_MAX) break;
  }
  return result;
}

/** A vector of words in any order, repeated ones joined. */
export function makeVector(words: Iterable<Lexeme>): TsVector {
  const byWord = new Map<string, number[]>();
  for (const { word, positions } of words) {
    const known = byWord.get(word);
    if (known === undefined) byWord.set(word, [...positions]);
    else known.push(...positions);
  }
  let bytes = 0;
  const lexemes = [...byWord].map(([word, positions]) => {
    bytes += Buffer.byteLength(word) + (positions.length === 0 ? 0 : 2 + positions.length * 2);
    return { word, positions: normalisePositions(positions) };
  });
  if (bytes > TEXT_BYTES_MAX) {
    throw new DbError(
      'program_limit_exceeded',
      `string is too long for tsvector (${bytes} bytes, max ${TEXT_BYTES_MAX} bytes)`,
    );
  }
  lexemes.sort((left, right) => compareText(left.word, right.word));
  return new TsVector(lexemes);
}

export function parseVector(text: string): TsVector {
  const reader = new LexemeReader(text, 'tsvector');
  const words: Lexeme[] = [];
  for (;;) {
    const word = reader.word();
    if (word === null) break;
    const bytes = Buffer.byteLength(word);
    if (bytes > LEXEME_BYTES_MAX) {
      throw new DbError(
        'program_limit_exceeded',
        `word is too long (${bytes} bytes, max ${LEXEME_BYTES_MAX} bytes)`,
      );
    }
    words.push({ word, positions: reader.positions() });
  }
  return makeVector(words);
}

export function quoteLexeme(word: string): string {
  return `'${word.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

const WEIGHT_LETTERS = ['', 'C', 'B', 'A'];

export function formatVector(vector: TsVector): string {
  return vector.lexemes
    .map(({ word, positions }) => {
      const shown = positions.map((entry) => `${positionOf(entry)}${WEIGHT_LETTERS[weightOf(entry)]!}`);
      return shown.length === 0 ? quoteLexeme(word) : `${quoteLexeme(word)}:${shown.join(',')}`;
    })
    .join(' ');
}

/** Bytes of PostgreSQL's stored form: the first criterion of its order. */
function storedSize(vector: TsVector): number {
  let size = 0;
  for (const { word, positions } of vector.lexemes) {
    size += Buffer.byteLength(word);
    if (positions.length > 0) size = ((size + 1) & ~1) + 2 + positions.length * 2;
  }
  return 8 + 4 * vector.lexemes.length + size;
}

/** The order of the type's btree class: no meaning, but total. */
export function compareVectors(left: TsVector, right: TsVector): number {
  const bySize = storedSize(left) - storedSize(right) || left.lexemes.length - right.lexemes.length;
  if (bySize !== 0) return bySize;
  for (let index = 0; index < left.lexemes.length; index++) {
    const a = left.lexemes[index]!;
    const b = right.lexemes[index]!;
    const hasPositions = Number(b.positions.length > 0) - Number(a.positions.length > 0);
    if (hasPositions !== 0) return hasPositions;
    const byWord = compareText(a.word, b.word);
    if (byWord !== 0) return byWord;
    if (a.positions.length !== b.positions.length) return b.positions.length - a.positions.length;
    for (let at = 0; at < a.positions.length; at++) {
      const x = a.positions[at]!;
      const y = b.positions[at]!;
      if (x !== y) return positionOf(y) - positionOf(x) || weightOf(y) - weightOf(x);
    }
  }
  return 0;
}
