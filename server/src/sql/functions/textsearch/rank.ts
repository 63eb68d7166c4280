/** ts_rank (how often and how near) and ts_rank_cd (density of covers). Computed in float4 where PostgreSQL does. */
import { DbError } from '../../../base/error.ts';
import type { SqlArray } from '../../../types/datum.ts';
import { type QueryNode, type QueryWord, queryWords, type TsQuery } from '../../../types/textsearch/query.ts';
import {
  type Lexeme,
  lowerBound,
  positionOf,
  type TsVector,
  weightOf,
} from '../../../types/textsearch/vector.ts';
import { evaluateQuery, type WordTest } from './match.ts';

const { fround } = Math;
const DEFAULT_WEIGHTS = [0.1, 0.2, 0.4, 1].map(fround);
const METHOD = { logLength: 1, length: 2, extents: 4, unique: 8, logUnique: 16, ratio: 32 } as const;
const POSITION_LIMIT = 16384;

/** Weights D, C, B, A of a float4[] argument. */
export function readWeights(array: SqlArray | null): number[] {
  if (array === null) return DEFAULT_WEIGHTS;
  if (array.dimensions.length !== 1) {
    throw new DbError('array_subscript_error', 'array of weight must be one-dimensional');
  }
  if (array.elements.length < 4) {
    throw new DbError('array_subscript_error', 'array of weight is too short');
  }
  if (array.elements.includes(null)) {
    throw new DbError('null_value_not_allowed', 'array of weight must not contain nulls');
  }
  return DEFAULT_WEIGHTS.map((fallback, index) => {
    const given = array.elements[index] as number;
    const weight = given >= 0 ? given : fallback;
    if (weight > 1) throw new DbError('invalid_parameter_value', 'weight out of range');
    return weight;
  });
}

function wordCount(vector: TsVector): number {
  return vector.lexemes.reduce((sum, { positions }) => sum + Math.max(positions.length, 1), 0);
}

/** Distinct words of a query, sorted. */
function distinctWords(query: TsQuery): QueryWord[] {
  const byWord = new Map<string, QueryWord>();
  for (const item of queryWords(query.root)) if (!byWord.has(item.word)) byWord.set(item.word, item);
  return [...byWord.values()].sort((left, right) =>
    Buffer.compare(Buffer.from(left.word), Buffer.from(right.word)),
  );
}

function matching(vector: TsVector, { word, isPrefix }: QueryWord): Lexeme[] {
  const result: Lexeme[] = [];
  for (let at = lowerBound(vector.lexemes, word); at < vector.lexemes.length; at++) {
    const lexeme = vector.lexemes[at]!;
    if (isPrefix ? !lexeme.word.startsWith(word) : lexeme.word !== word) break;
    result.push(lexeme);
    if (!isPrefix) break;
  }
  return result;
}

function nearness(distance: number): number {
  if (distance > 100) return fround(1e-30);
  return fround(1 / (1.005 + 0.05 * Math.exp(fround(distance) / 1.5 - 2)));
}

function rankAny(weights: readonly number[], vector: TsVector, query: TsQuery): number {
  const words = distinctWords(query);
  let result = 0;
  for (const item of words) {
    for (const lexeme of matching(vector, item)) {
      const entries = lexeme.positions.length === 0 ? [0] : lexeme.positions;
      let sum = 0;
      let best = -1;
      let bestAt = 0;
      entries.forEach((entry, index) => {
        const weight = weights[weightOf(entry)]!;
        sum = fround(sum + fround(weight / ((index + 1) * (index + 1))));
        if (weight > best) {
          best = weight;
          bestAt = index;
        }
      });
      const rest = fround(fround(best + sum) - fround(best / ((bestAt + 1) * (bestAt + 1))));
      result = fround(result + rest / 1.64493406685);
    }
  }
  return words.length > 0 ? fround(result / words.length) : result;
}

function rankAll(weights: readonly number[], vector: TsVector, query: TsQuery): number {
  const words = distinctWords(query);
  if (words.length < 2) return rankAny(weights, vector, query);
  const unplaced = [POSITION_LIMIT - 1];
  const seen: (readonly number[] | null)[] = words.map(() => null);
  let result = -1;
  words.forEach((item, index) => {
    for (const lexeme of matching(vector, item)) {
      const entries = lexeme.positions.length === 0 ? unplaced : lexeme.positions;
      seen[index] = entries;
      for (let other = 0; other < index; other++) {
        const earlier = seen[other];
        if (earlier === null || earlier === undefined) continue;
        for (const a of entries) {
          for (const b of earlier) {
            let apart = Math.abs(positionOf(a) - positionOf(b));
            if (apart === 0) {
              if (entries !== unplaced && earlier !== unplaced) continue;
              apart = POSITION_LIMIT;
            }
            const product = fround(fround(weights[weightOf(a)]! * weights[weightOf(b)]!) * nearness(apart));
            const current = fround(Math.sqrt(product));
            result = result < 0 ? current : fround(1 - (1 - result) * (1 - current));
          }
        }
      }
    }
  });
  return result;
}

export function rank(weights: readonly number[], vector: TsVector, query: TsQuery, method: number): number {
  const { root } = query;
  if (vector.lexemes.length === 0 || root === null) return 0;
  let result =
    root.kind === 'and' || root.kind === 'phrase'
      ? rankAll(weights, vector, query)
      : rankAny(weights, vector, query);
  if (result < 0) result = fround(1e-20);
  if ((method & METHOD.logLength) !== 0) {
    result = fround(result / (Math.log(wordCount(vector) + 1) / Math.LN2));
  }
  if ((method & METHOD.length) !== 0) result = fround(result / wordCount(vector));
  if ((method & METHOD.unique) !== 0) result = fround(result / vector.lexemes.length);
  if ((method & METHOD.logUnique) !== 0) {
    result = fround(result / (Math.log(vector.lexemes.length + 1) / Math.LN2));
  }
  if ((method & METHOD.ratio) !== 0) result = fround(result / fround(result + 1));
  return result;
}

interface Mention {
  readonly entry: number;
  readonly words: QueryWord[];
}

/** All places of the query's words in the document, in order. */
function mentions(vector: TsVector, root: QueryNode): Mention[] {
  const byPlace = new Map<string, Mention>();
  for (const item of queryWords(root)) {
    for (const lexeme of matching(vector, item)) {
      // Words without positions have no place in a cover.
      for (const entry of lexeme.positions) {
        if (item.weights !== 0 && (item.weights & (1 << weightOf(entry))) === 0) continue;
        const key = `${entry} ${lexeme.word}`;
        const known = byPlace.get(key);
        if (known === undefined) byPlace.set(key, { entry, words: [item] });
        else known.words.push(item);
      }
    }
  }
  return [...byPlace.values()].sort(
    (left, right) =>
      positionOf(left.entry) - positionOf(right.entry) || weightOf(left.entry) - weightOf(right.entry),
  );
}

export function rankCovers(
  weights: readonly number[],
  vector: TsVector,
  query: TsQuery,
  method: number,
): number {
  const { root } = query;
  if (root === null) return 0;
  const inverse = weights.map((weight) => 1 / weight);
  const document = mentions(vector, root);
  if (document.length === 0) return 0;
  let places = new Map<QueryWord, number[]>();
  const test: WordTest = (word, found) => {
    const known = places.get(word);
    if (known === undefined) return 'no';
    if (found !== null) found.positions = [...new Set(known)].sort((left, right) => left - right);
    return 'yes';
  };
  const add = ({ entry, words }: Mention): boolean => {
    for (const word of words) {
      const known = places.get(word);
      if (known === undefined) places.set(word, [positionOf(entry)]);
      else known.push(positionOf(entry));
    }
    return evaluateQuery(root, test) !== 'no';
  };
  let result = 0;
  let extents = 0;
  let distances = 0;
  let previousMiddle = 0;
  let from = 0;
  for (;;) {
    places = new Map();
    let last = from;
    while (last < document.length && !add(document[last]!)) last++;
    if (last >= document.length) break;
    places = new Map();
    let first = last;
    while (first >= from && !add(document[first]!)) first--;
    if (first < from) {
      from++;
      continue;
    }
    let sum = 0;
    for (let at = first; at <= last; at++) sum += inverse[weightOf(document[at]!.entry)]!;
    const start = positionOf(document[first]!.entry);
    const end = positionOf(document[last]!.entry);
    let noise = end - start - (last - first);
    if (noise < 0) noise = Math.floor((last - first) / 2);
    result += (last - first + 1) / sum / (1 + noise);
    const middle = (end + start) / 2;
    if (extents > 0 && middle > previousMiddle) distances += 1 / (middle - previousMiddle);
    previousMiddle = middle;
    extents++;
    from = first + 1;
  }
  if ((method & METHOD.logLength) !== 0) result /= Math.log(wordCount(vector) + 1);
  if ((method & METHOD.length) !== 0) result /= wordCount(vector);
  if ((method & METHOD.extents) !== 0 && extents > 0 && distances > 0) result /= extents / distances;
  if ((method & METHOD.unique) !== 0) result /= vector.lexemes.length;
  if ((method & METHOD.logUnique) !== 0) result /= Math.log(vector.lexemes.length + 1) / Math.LN2;
  if ((method & METHOD.ratio) !== 0) result /= result + 1;
  return fround(result);
}
