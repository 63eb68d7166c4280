/** Functions and operators of tsvector. */
import { DbError } from '../../../base/error.ts';
import { type Datum, SqlArray } from '../../../types/datum.ts';
import { OID } from '../../../types/oid.ts';
import type { TsQuery } from '../../../types/textsearch/query.ts';
import {
  compareVectors,
  makeVector,
  packPosition,
  positionOf,
  TsVector,
  weightOf,
} from '../../../types/textsearch/vector.ts';
import type { SetFunction } from '../contract.ts';
import { type FunctionTable, type Implementation, pureTable, setFunction } from '../registry.ts';
import { textArray } from '../text.ts';
import { matches } from './match.ts';

function weightNumber(letter: string): number {
  const found = letter.length === 1 ? 'DCBA'.indexOf(letter.toUpperCase()) : -1;
  if (found >= 0) return found;
  throw new DbError('internal_error', `unrecognized weight: ${letter === '' ? 0 : letter.charCodeAt(0)}`);
}

function lexemeArray(array: SqlArray): string[] {
  const words: string[] = [];
  for (const word of array.elements) {
    if (word === null) {
      throw new DbError('null_value_not_allowed', 'lexeme array may not contain nulls');
    }
    words.push(word as string);
  }
  return words;
}

const reweighted = (vector: TsVector, weight: number, only: ReadonlySet<string> | null): TsVector =>
  new TsVector(
    vector.lexemes.map((lexeme) =>
      only === null || only.has(lexeme.word)
        ? {
            word: lexeme.word,
            positions: lexeme.positions.map((entry) => packPosition(positionOf(entry), weight)),
          }
        : lexeme,
    ),
  );

/** Positions of the right vector continue those of the left one. */
function concatenate(left: TsVector, right: TsVector): TsVector {
  let last = 0;
  for (const { positions } of left.lexemes) {
    for (const entry of positions) last = Math.max(last, positionOf(entry));
  }
  const moved = right.lexemes.map(({ word, positions }) => ({
    word,
    positions: positions.map((entry) => packPosition(positionOf(entry) + last, weightOf(entry))),
  }));
  return makeVector([...left.lexemes, ...moved]);
}

function without(vector: TsVector, words: ReadonlySet<string>): TsVector {
  return new TsVector(vector.lexemes.filter(({ word }) => !words.has(word)));
}

function filter(vector: TsVector, weights: SqlArray): TsVector {
  const wanted = new Set<number>();
  for (const letter of weights.elements) {
    if (letter === null) {
      throw new DbError('null_value_not_allowed', 'weight array may not contain nulls');
    }
    const found = 'DCBA'.indexOf((letter as string).toUpperCase());
    if (found < 0 || letter === '') {
      throw new DbError('invalid_parameter_value', `unrecognized weight: "${letter as string}"`);
    }
    wanted.add(found);
  }
  const lexemes = vector.lexemes
    .map(({ word, positions }) => ({
      word,
      positions: positions.filter((entry) => wanted.has(weightOf(entry))),
    }))
    .filter(({ positions }) => positions.length > 0);
  return new TsVector(lexemes);
}

function fromArray(array: SqlArray): TsVector {
  const words = lexemeArray(array);
  if (words.includes('')) {
    throw new DbError('zero_length_character_string', 'lexeme array may not contain empty strings');
  }
  return makeVector(words.map((word) => ({ word, positions: [] })));
}

const comparison = (test: (order: number) => boolean) => (left: TsVector, right: TsVector) =>
  test(compareVectors(left, right));

const table: Record<string, Implementation> = {
  tsvector_lt: comparison((order) => order < 0),
  tsvector_le: comparison((order) => order <= 0),
  tsvector_eq: comparison((order) => order === 0),
  tsvector_ne: comparison((order) => order !== 0),
  tsvector_ge: comparison((order) => order >= 0),
  tsvector_gt: comparison((order) => order > 0),
  tsvector_cmp: (left: TsVector, right: TsVector) => Math.sign(compareVectors(left, right)),
  tsvector_length: (vector: TsVector) => vector.lexemes.length,
  tsvector_strip: (vector: TsVector) =>
    new TsVector(vector.lexemes.map(({ word }) => ({ word, positions: [] }))),
  tsvector_setweight: (vector: TsVector, weight: string) => reweighted(vector, weightNumber(weight), null),
  tsvector_setweight_by_filter: (vector: TsVector, weight: string, words: SqlArray) =>
    reweighted(
      vector,
      weightNumber(weight),
      new Set(words.elements.filter((word) => word !== null) as string[]),
    ),
  tsvector_concat: concatenate,
  tsvector_delete_str: (vector: TsVector, word: string) => without(vector, new Set([word])),
  tsvector_delete_arr: (vector: TsVector, words: SqlArray) =>
    without(vector, new Set(words.elements.filter((word) => word !== null) as string[])),
  tsvector_filter: filter,
  tsvector_to_array: (vector: TsVector) => textArray(vector.lexemes.map(({ word }) => word)),
  array_to_tsvector: fromArray,
  ts_match_vq: (vector: TsVector, query: TsQuery) => matches(vector, query.root),
  ts_match_qv: (query: TsQuery, vector: TsVector) => matches(vector, query.root),
};

export const vectorFunctions: FunctionTable = pureTable(table);

export const vectorSetFunctions: Record<string, SetFunction> = {
  tsvector_unnest: setFunction(
    true,
    () =>
      function* (vector: TsVector): Generator<readonly Datum[]> {
        for (const { word, positions } of vector.lexemes) {
          if (positions.length === 0) yield [word, null, null];
          else {
            yield [
              word,
              new SqlArray(OID.INT2, positions.map(positionOf)),
              textArray(positions.map((entry) => 'DCBA'[weightOf(entry)]!)),
            ];
          }
        }
      },
  ),
};
