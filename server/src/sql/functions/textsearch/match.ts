/**
 * Whether a query matches: three-valued, because a vector without positions cannot decide phrases.
 *
 * A phrase operand gives the positions where it ends; a negated one the positions where it does not ("all but these").
 */
import type { QueryNode, QueryWord } from '../../../types/textsearch/query.ts';
import { lowerBound, positionOf, type TsVector, weightOf } from '../../../types/textsearch/vector.ts';

export type Verdict = 'no' | 'maybe' | 'yes';

export interface Places {
  positions: number[];
  isNegated: boolean;
  width: number;
}

/** Answers for one word of the query; fills `places` when they are asked for. */
export type WordTest = (word: QueryWord, places: Places | null) => Verdict;

const emptyPlaces = (): Places => ({ positions: [], isNegated: false, width: 0 });

function merge(
  places: Places | null,
  left: Places,
  right: Places,
  emit: { both: boolean; left: boolean; right: boolean },
  leftOffset: number,
  rightOffset: number,
): Verdict {
  const result: number[] = [];
  let [l, r] = [0, 0];
  while (l < left.positions.length || r < right.positions.length) {
    const a = l < left.positions.length ? left.positions[l]! + leftOffset : Number.POSITIVE_INFINITY;
    const b = r < right.positions.length ? right.positions[r]! + rightOffset : Number.POSITIVE_INFINITY;
    if (a === b) {
      if (emit.both) result.push(a);
      l++;
      r++;
    } else if (a < b) {
      if (emit.left) result.push(a);
      l++;
    } else {
      if (emit.right) result.push(b);
      r++;
    }
    if (!emit.both && !emit.left && r >= right.positions.length) break;
  }
  if (places !== null) places.positions = result;
  return result.length > 0 ? 'yes' : 'no';
}

const BOTH = { both: true, left: false, right: false };
const LEFT_ONLY = { both: false, left: true, right: false };
const RIGHT_ONLY = { both: false, left: false, right: true };
const ANY = { both: true, left: true, right: true };

function phrase(node: QueryNode, test: WordTest, places: Places): Verdict {
  switch (node.kind) {
    case 'word':
      return test(node, places);
    case 'not': {
      const inner = phrase(node.operand, test, places);
      if (inner === 'no') {
        places.isNegated = true;
        return 'yes';
      }
      if (inner === 'maybe') return inner;
      if (places.positions.length > 0) {
        places.isNegated = !places.isNegated;
        return 'yes';
      }
      if (places.isNegated) {
        places.isNegated = false;
        return 'no';
      }
      return 'yes';
    }
    case 'or': {
      const left = emptyPlaces();
      const right = emptyPlaces();
      const l = phrase(node.left, test, left);
      const r = phrase(node.right, test, right);
      if (l === 'no' && r === 'no') return 'no';
      if (l === 'maybe' || r === 'maybe') return 'maybe';
      if (l === 'no') left.width = 0;
      if (r === 'no') right.width = 0;
      const width = Math.max(left.width, right.width);
      const [leftOffset, rightOffset] = [width - left.width, width - right.width];
      places.width = width;
      if (left.isNegated || right.isNegated) {
        const emit = left.isNegated ? (right.isNegated ? BOTH : LEFT_ONLY) : RIGHT_ONLY;
        merge(places, left, right, emit, leftOffset, rightOffset);
        places.isNegated = true;
        return 'yes';
      }
      return merge(places, left, right, ANY, leftOffset, rightOffset);
    }
    default: {
      const left = emptyPlaces();
      const right = emptyPlaces();
      const l = phrase(node.left, test, left);
      if (l === 'no') return 'no';
      const r = phrase(node.right, test, right);
      if (r === 'no') return 'no';
      if (l === 'maybe' || r === 'maybe') return 'maybe';
      let [leftOffset, rightOffset] = [0, 0];
      if (node.kind === 'phrase') {
        leftOffset = node.distance + right.width;
        places.width = node.distance + left.width + right.width;
      } else {
        const width = Math.max(left.width, right.width);
        [leftOffset, rightOffset] = [width - left.width, width - right.width];
        places.width = width;
      }
      if (left.isNegated && right.isNegated) {
        merge(places, left, right, ANY, leftOffset, rightOffset);
        places.isNegated = true;
        return 'yes';
      }
      const emit = left.isNegated ? RIGHT_ONLY : right.isNegated ? LEFT_ONLY : BOTH;
      return merge(places, left, right, emit, leftOffset, rightOffset);
    }
  }
}

/** Evaluates a query; phrases that cannot be decided do not match. */
export function evaluateQuery(node: QueryNode, test: WordTest): Verdict {
  switch (node.kind) {
    case 'word':
      return test(node, null);
    case 'not': {
      const inner = evaluateQuery(node.operand, test);
      return inner === 'yes' ? 'no' : inner === 'no' ? 'yes' : 'maybe';
    }
    case 'and': {
      const left = evaluateQuery(node.left, test);
      if (left === 'no') return 'no';
      const right = evaluateQuery(node.right, test);
      return right === 'no' ? 'no' : left === 'maybe' ? left : right;
    }
    case 'or': {
      const left = evaluateQuery(node.left, test);
      if (left === 'yes') return 'yes';
      const right = evaluateQuery(node.right, test);
      return right === 'yes' ? 'yes' : left === 'maybe' ? left : right;
    }
    case 'phrase':
      return phrase(node, test, emptyPlaces()) === 'yes' ? 'yes' : 'no';
  }
}

/** A word test against a vector. */
export function vectorTest(vector: TsVector): WordTest {
  const { lexemes } = vector;
  return ({ word, weights, isPrefix }, places) => {
    let verdict: Verdict = 'no';
    const found: number[] = [];
    for (let at = lowerBound(lexemes, word); at < lexemes.length; at++) {
      const lexeme = lexemes[at]!;
      if (isPrefix ? !lexeme.word.startsWith(word) : lexeme.word !== word) break;
      if (weights === 0 && places === null) return 'yes';
      if (lexeme.positions.length === 0) {
        // Unknown weights match; unknown places leave it open.
        if (places === null) return 'yes';
        if (verdict === 'no') verdict = 'maybe';
      } else {
        for (const entry of lexeme.positions) {
          if (weights !== 0 && (weights & (1 << weightOf(entry))) === 0) continue;
          verdict = 'yes';
          found.push(positionOf(entry));
        }
      }
      if (!isPrefix) break;
    }
    if (places !== null && verdict === 'yes') {
      places.positions = [...new Set(found)].sort((left, right) => left - right);
    }
    return verdict;
  };
}

export function matches(vector: TsVector, root: QueryNode | null): boolean {
  return root !== null && evaluateQuery(root, vectorTest(vector)) !== 'no';
}
