/** tsquery: a tree of words and operators. */
import { DbError } from '../../base/error.ts';
import { OpaqueDatum } from '../datum.ts';
import { OID } from '../oid.ts';
import { compareText } from '../scalars.ts';
import { LexemeReader } from './lexeme.ts';
import { LEXEME_BYTES_MAX, POSITION_MAX, quoteLexeme } from './vector.ts';

export interface QueryWord {
  readonly kind: 'word';
  readonly word: string;
  /** Bit w is set when weight w (0 = D … 3 = A) is wanted; 0 = any. */
  readonly weights: number;
  readonly isPrefix: boolean;
}
export type QueryNode =
  | QueryWord
  | { readonly kind: 'not'; readonly operand: QueryNode }
  | {
      readonly kind: 'and' | 'or';
      readonly distance?: undefined;
      readonly left: QueryNode;
      readonly right: QueryNode;
    }
  | {
      readonly kind: 'phrase';
      readonly distance: number;
      readonly left: QueryNode;
      readonly right: QueryNode;
    };

/** `root` is null for a query without words. */
export class TsQuery extends OpaqueDatum {
  readonly typeOid = OID.TSQUERY;
  readonly root: QueryNode | null;
  constructor(root: QueryNode | null) {
    super();
    this.root = root;
  }
}

const PRIORITY = { or: 1, and: 2, phrase: 3, not: 4, word: 5 } as const;
const MAX_DEPTH = 2000;

export function phraseDistanceError(): DbError {
  return new DbError(
    'invalid_parameter_value',
    `distance in phrase operator must be an integer value between zero and ${POSITION_MAX + 1} inclusive`,
  );
}

/** What becomes of a word of the text: itself, or a subtree; null = nothing is left of it. */
export type WordMaker<Node> = (word: string, weights: number, isPrefix: boolean) => Node;

export interface QueryBuilder<Node> {
  word: WordMaker<Node>;
  join(kind: 'and' | 'or' | 'phrase', distance: number, left: Node, right: Node): Node;
  not(operand: Node): Node;
}

/**
 * Reads the operator syntax shared by tsquery's input and to_tsquery. Returns null for a text without words.
 */
export function readQuery<Node>(text: string, builder: QueryBuilder<Node>): Node | null {
  const reader = new LexemeReader(text, 'tsquery');
  let depth = 0;

  const operator = (): { kind: 'and' | 'or' | 'phrase'; distance: number } | null => {
    reader.skipSpace();
    const character = text[reader.at];
    if (character === '&' || character === '|') {
      reader.at++;
      return { kind: character === '&' ? 'and' : 'or', distance: 0 };
    }
    if (character === '<') {
      const found = /^<(?:-|(\d+))>/.exec(text.slice(reader.at, reader.at + 24));
      if (found === null) throw reader.syntax();
      const distance = found[1] === undefined ? 1 : Number(found[1]);
      if (distance > POSITION_MAX + 1) throw phraseDistanceError();
      reader.at += found[0].length;
      return { kind: 'phrase', distance };
    }
    return null;
  };

  const operand = (): Node => {
    if (++depth > MAX_DEPTH) {
      throw new DbError('statement_too_complex', 'stack depth limit exceeded');
    }
    reader.skipSpace();
    const character = text[reader.at];
    let result: Node;
    if (character === '!') {
      reader.at++;
      result = builder.not(operand());
    } else if (character === '(') {
      reader.at++;
      result = expression(0);
      reader.skipSpace();
      if (text[reader.at] !== ')') throw reader.syntax();
      reader.at++;
    } else {
      const word = reader.word();
      if (word === null) {
        throw new DbError('syntax_error', `no operand in tsquery: "${text}"`);
      }
      let weights = 0;
      let isPrefix = false;
      if (text[reader.at] === ':') {
        reader.at++;
        for (;;) {
          const letter = text[reader.at]?.toUpperCase() ?? '';
          if (letter === '*') isPrefix = true;
          else if (letter !== '' && 'DCBA'.includes(letter)) weights |= 1 << 'DCBA'.indexOf(letter);
          else break;
          reader.at++;
        }
      }
      result = builder.word(word, weights, isPrefix);
    }
    depth--;
    return result;
  };

  /** Precedence climbing; operators of one priority group from the left. */
  const expression = (minimum: number): Node => {
    let left = operand();
    for (;;) {
      const before = reader.at;
      const found = operator();
      if (found === null || PRIORITY[found.kind] < minimum) {
        reader.at = before;
        return left;
      }
      const right = expression(PRIORITY[found.kind] + 1);
      left = builder.join(found.kind, found.distance, left, right);
    }
  };

  reader.skipSpace();
  if (reader.at >= text.length) return null;
  const result = expression(0);
  reader.skipSpace();
  if (reader.at < text.length) throw reader.syntax();
  return result;
}

export function checkedWord(word: string, weights: number, isPrefix: boolean): QueryNode {
  if (Buffer.byteLength(word) > LEXEME_BYTES_MAX) {
    throw new DbError('program_limit_exceeded', 'word is too long in tsquery');
  }
  return { kind: 'word', word, weights, isPrefix };
}

export function joinNodes(
  kind: 'and' | 'or' | 'phrase',
  distance: number,
  left: QueryNode,
  right: QueryNode,
): QueryNode {
  return kind === 'phrase' ? { kind, distance, left, right } : { kind, left, right };
}

export function parseQuery(text: string): TsQuery {
  return new TsQuery(
    readQuery<QueryNode>(text, {
      word: checkedWord,
      join: joinNodes,
      not: (operand) => ({ kind: 'not', operand }),
    }),
  );
}

function wordText({ word, weights, isPrefix }: QueryWord): string {
  if (weights === 0 && !isPrefix) return quoteLexeme(word);
  const letters = ['A', 'B', 'C', 'D'].filter((_, index) => (weights & (8 >> index)) !== 0).join('');
  return `${quoteLexeme(word)}:${isPrefix ? '*' : ''}${letters}`;
}

const phraseSymbol = (distance: number): string => (distance === 1 ? '<->' : `<${distance}>`);

function nodeText(node: QueryNode, outer: number, isRightOfPhrase: boolean): string {
  if (node.kind === 'word') return wordText(node);
  const own = PRIORITY[node.kind];
  let text: string;
  if (node.kind === 'not') text = `!${nodeText(node.operand, own, false)}`;
  else {
    const symbol = node.kind === 'phrase' ? phraseSymbol(node.distance) : node.kind === 'and' ? '&' : '|';
    const right = nodeText(node.right, own, node.kind === 'phrase');
    text = `${nodeText(node.left, own, false)} ${symbol} ${right}`;
  }
  return own < outer || (node.kind === 'phrase' && isRightOfPhrase) ? `( ${text} )` : text;
}

export function formatQuery(query: TsQuery): string {
  return query.root === null ? '' : nodeText(query.root, 0, false);
}

export function nodeCount(node: QueryNode | null): number {
  if (node === null) return 0;
  if (node.kind === 'word') return 1;
  if (node.kind === 'not') return 1 + nodeCount(node.operand);
  return 1 + nodeCount(node.left) + nodeCount(node.right);
}

/** All words, from left to right. */
export function queryWords(node: QueryNode | null, words: QueryWord[] = []): QueryWord[] {
  if (node === null) return words;
  if (node.kind === 'word') words.push(node);
  else if (node.kind === 'not') queryWords(node.operand, words);
  else {
    queryWords(node.left, words);
    queryWords(node.right, words);
  }
  return words;
}

const RANK = { word: 0, not: 1, and: 2, or: 3, phrase: 4 } as const;

export function compareNodes(left: QueryNode, right: QueryNode): number {
  if (left.kind !== right.kind) return RANK[right.kind] - RANK[left.kind];
  if (left.kind === 'word') {
    const other = right as QueryWord;
    return (
      compareText(left.word, other.word) ||
      left.weights - other.weights ||
      Number(left.isPrefix) - Number(other.isPrefix)
    );
  }
  if (left.kind === 'not') return compareNodes(left.operand, (right as typeof left).operand);
  const other = right as typeof left;
  return (
    compareNodes(left.left, other.left) ||
    compareNodes(left.right, other.right) ||
    (other.distance ?? 0) - (left.distance ?? 0)
  );
}

/** The order of the type's btree class: smaller queries first. */
export function compareQueries(left: TsQuery, right: TsQuery): number {
  const byCount = nodeCount(left.root) - nodeCount(right.root);
  if (byCount !== 0 || left.root === null || right.root === null) return byCount;
  const size = (query: TsQuery): number =>
    queryWords(query.root).reduce((sum, { word }) => sum + Buffer.byteLength(word) + 1, 0);
  return size(left) - size(right) || compareNodes(left.root, right.root);
}
