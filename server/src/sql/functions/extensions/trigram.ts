/** pg_trgm: similarity of texts by their trigrams. */
import type { FunctionContext } from '../contract.ts';
import { boundTable, type FunctionTable, type Implementation } from '../registry.ts';
import { textArray } from '../text.ts';

const { fround } = Math;
const WORD = /[\p{L}\p{N}]+/gu;

function wordTrigrams(word: string): string[] {
  const characters = [' ', ' ', ...word, ' '];
  const result: string[] = [];
  for (let at = 0; at + 3 <= characters.length; at++) result.push(characters.slice(at, at + 3).join(''));
  return result;
}

/** Trigrams in the order of the text, with repeats. */
function sequence(text: string): { trigrams: string[]; isStart: boolean[]; isEnd: boolean[] } {
  const trigrams: string[] = [];
  const isStart: boolean[] = [];
  const isEnd: boolean[] = [];
  for (const [word] of text.toLowerCase().matchAll(WORD)) {
    const own = wordTrigrams(word);
    own.forEach((trigram, index) => {
      trigrams.push(trigram);
      isStart.push(index === 0);
      isEnd.push(index === own.length - 1);
    });
  }
  return { trigrams, isStart, isEnd };
}

const trigramSet = (text: string): Set<string> => new Set(sequence(text).trigrams);

export function similarity(left: string, right: string): number {
  const a = trigramSet(left);
  const b = trigramSet(right);
  if (a.size === 0 || b.size === 0) return 0;
  let common = 0;
  for (const trigram of a) if (b.has(trigram)) common++;
  return fround(common / (a.size + b.size - common));
}

/** The greatest similarity between the first text's trigrams and an extent of the second's; strict ones are whole words. */
export function wordSimilarity(first: string, second: string, isStrict: boolean): number {
  const wanted = trigramSet(first);
  const { trigrams, isStart, isEnd } = sequence(second);
  if (wanted.size === 0 || trigrams.length === 0) return 0;
  let best = 0;
  for (let from = 0; from < trigrams.length; from++) {
    if (isStrict ? !isStart[from] : !wanted.has(trigrams[from]!)) continue;
    const inside = new Set<string>();
    let common = 0;
    for (let to = from; to < trigrams.length; to++) {
      const trigram = trigrams[to]!;
      if (!inside.has(trigram)) {
        inside.add(trigram);
        if (wanted.has(trigram)) common++;
      }
      if (isStrict ? !isEnd[to] : !wanted.has(trigram)) continue;
      // Trigrams of the first text that are not in the extent count against it, as do those of the extent.
      best = Math.max(best, common / (wanted.size + inside.size - common));
      if (inside.size > wanted.size / Math.max(best, 0.01)) break;
    }
  }
  return fround(best);
}

function shown(text: string): string[] {
  const isAscii = (trigram: string): boolean => Buffer.byteLength(trigram) === 3;
  return [...trigramSet(text)]
    .sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
    .map((trigram) => (isAscii(trigram) ? trigram : `0x${Buffer.from(trigram).toString('hex').slice(0, 6)}`));
}

function threshold(context: FunctionContext, name: string, fallback: number): number {
  const value = Number(context.session.setting(`pg_trgm.${name}`));
  return Number.isFinite(value) && context.session.setting(`pg_trgm.${name}`) !== undefined
    ? value
    : fallback;
}

type Measure = (left: string, right: string) => number;
const swapped =
  (measure: Measure): Measure =>
  (left, right) =>
    measure(right, left);
const word: Measure = (left, right) => wordSimilarity(left, right, false);
const strict: Measure = (left, right) => wordSimilarity(left, right, true);

const above =
  (measure: Measure, name: string, fallback: number) =>
  (context: FunctionContext): Implementation => {
    const least = fround(threshold(context, name, fallback));
    return (left: string, right: string) => measure(left, right) >= least;
  };
const distance = (measure: Measure) => (): Implementation => (left: string, right: string) =>
  fround(1 - measure(left, right));

export const trigramFunctions: FunctionTable = boundTable({
  similarity: () => similarity,
  word_similarity: () => word,
  strict_word_similarity: () => strict,
  show_trgm: () => (text: string) => textArray(shown(text)),
  show_limit: (context) => () => fround(threshold(context, 'similarity_threshold', 0.3)),
  set_limit: (context) => (limit: number) => {
    context.session.setSetting('pg_trgm.similarity_threshold', String(limit), false);
    return limit;
  },
  similarity_op: above(similarity, 'similarity_threshold', 0.3),
  word_similarity_op: above(word, 'word_similarity_threshold', 0.6),
  word_similarity_commutator_op: above(swapped(word), 'word_similarity_threshold', 0.6),
  strict_word_similarity_op: above(strict, 'strict_word_similarity_threshold', 0.5),
  strict_word_similarity_commutator_op: above(swapped(strict), 'strict_word_similarity_threshold', 0.5),
  similarity_dist: distance(similarity),
  word_similarity_dist_op: distance(word),
  word_similarity_dist_commutator_op: distance(swapped(word)),
  strict_word_similarity_dist_op: distance(strict),
  strict_word_similarity_dist_commutator_op: distance(swapped(strict)),
});
