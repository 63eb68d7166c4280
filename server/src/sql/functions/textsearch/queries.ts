/** Functions and operators of tsquery. */
import {
  compareNodes,
  compareQueries,
  formatQuery,
  joinNodes,
  nodeCount,
  phraseDistanceError,
  type QueryNode,
  queryWords,
  TsQuery,
} from '../../../types/textsearch/query.ts';
import { POSITION_MAX } from '../../../types/textsearch/vector.ts';
import { type FunctionTable, type Implementation, pureTable } from '../registry.ts';

function join(kind: 'and' | 'or' | 'phrase', distance: number, left: TsQuery, right: TsQuery): TsQuery {
  if (left.root === null) return right;
  if (right.root === null) return left;
  return new TsQuery(joinNodes(kind, distance, left.root, right.root));
}

function phrase(left: TsQuery, right: TsQuery, distance: number): TsQuery {
  if (distance < 0 || distance > POSITION_MAX + 1) throw phraseDistanceError();
  return join('phrase', distance, left, right);
}

/** The query without negations, which an index cannot use; undefined = anything matches. */
function indexable(node: QueryNode): QueryNode | undefined {
  switch (node.kind) {
    case 'word':
      return node;
    case 'not':
      return undefined;
    case 'or': {
      const left = indexable(node.left);
      const right = indexable(node.right);
      return left === undefined || right === undefined ? undefined : { ...node, left, right };
    }
    default: {
      const left = indexable(node.left);
      const right = indexable(node.right);
      if (left === undefined) return right;
      return right === undefined ? left : { ...node, left, right };
    }
  }
}

function tree(query: TsQuery): string {
  if (query.root === null) return '';
  const root = indexable(query.root);
  return root === undefined ? 'T' : formatQuery(new TsQuery(root));
}

const wordSet = (query: TsQuery): Set<string> => new Set(queryWords(query.root).map(({ word }) => word));

function contains(outer: TsQuery, inner: TsQuery): boolean {
  const words = wordSet(outer);
  for (const word of wordSet(inner)) if (!words.has(word)) return false;
  return true;
}

/** Operands of a chain of one commutative operator, sorted; anything else is one operand. */
function operands(node: QueryNode, kind: QueryNode['kind']): QueryNode[] {
  if (node.kind === kind && (node.kind === 'and' || node.kind === 'or')) {
    return [...operands(node.left, kind), ...operands(node.right, kind)];
  }
  return [node];
}

/** A normal form: operands of `&` and `|` flattened, ordered, each once. */
function normal(node: QueryNode): QueryNode {
  if (node.kind === 'word') return node;
  if (node.kind === 'not') return { kind: 'not', operand: normal(node.operand) };
  if (node.kind === 'phrase') return { ...node, left: normal(node.left), right: normal(node.right) };
  return chain(node.kind, operands(node, node.kind).map(normal).sort(rewriteOrder));
}

/** Joins ordered operands, each once, in the shape PostgreSQL gives them: it decides in which order they are printed. */
function chain(kind: 'and' | 'or', parts: readonly QueryNode[]): QueryNode {
  const distinct = parts.filter((part, index) => index === 0 || rewriteOrder(parts[index - 1]!, part) !== 0);
  let result = distinct[0]!;
  if (distinct.length === 1) return result;
  const [, second, ...others] = distinct;
  result = joinNodes(kind, 0, second!, result);
  // The last comes next, then the one before it.
  for (const part of others.reverse()) result = joinNodes(kind, 0, part, result);
  return result;
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** The checksum by which PostgreSQL orders words while it rewrites. */
function wordChecksum(word: string): number {
  let value = -1;
  for (const byte of Buffer.from(word)) value = CRC_TABLE[((value >>> 24) ^ byte) & 255]! ^ (value << 8);
  return ~value;
}

/** Operators before words, words by falling checksum. */
function rewriteOrder(left: QueryNode, right: QueryNode): number {
  if (left.kind === 'word' && right.kind === 'word') {
    return wordChecksum(right.word) - wordChecksum(left.word) || compareNodes(left, right);
  }
  if (left.kind === 'word' || right.kind === 'word') return left.kind === 'word' ? 1 : -1;
  return compareNodes(left, right);
}

/** Replaces `target` in a normal form; null = nothing is left. */
function replace(node: QueryNode, target: QueryNode, substitute: QueryNode | null): QueryNode | null {
  if (compareNodes(node, target) === 0) return substitute;
  if (node.kind === 'word') return node;
  if (node.kind === 'not') {
    const inner = replace(node.operand, target, substitute);
    return inner === null ? null : { kind: 'not', operand: inner };
  }
  if (node.kind === 'phrase') {
    const left = replace(node.left, target, substitute);
    const right = replace(node.right, target, substitute);
    if (left === null || right === null) return left ?? right;
    return { ...node, left, right };
  }
  const kind = node.kind;
  let parts = operands(node, kind);
  if (target.kind === kind) {
    // Some of the operands together may be the target.
    const wanted = operands(target, kind);
    const has = (part: QueryNode): boolean => parts.some((mine) => compareNodes(mine, part) === 0);
    if (wanted.every(has)) {
      parts = parts.filter((part) => !wanted.some((other) => compareNodes(part, other) === 0));
      if (substitute !== null) parts.push(substitute);
      return parts.length === 0 ? null : chain(kind, [...parts].sort(rewriteOrder));
    }
  }
  const changed = parts
    .map((part) => replace(part, target, substitute))
    .filter((part): part is QueryNode => part !== null);
  return changed.length === 0 ? null : chain(kind, changed.map(normal).sort(rewriteOrder));
}

/** ts_rewrite(query, target, substitute). */
export function rewriteQuery(query: TsQuery, target: TsQuery, substitute: TsQuery): TsQuery {
  if (query.root === null || target.root === null) return query;
  const before = normal(query.root);
  const after = replace(
    before,
    normal(target.root),
    substitute.root === null ? null : normal(substitute.root),
  );
  if (after !== null && compareNodes(before, after) === 0) return new TsQuery(before);
  return new TsQuery(after);
}

const comparison = (test: (order: number) => boolean) => (left: TsQuery, right: TsQuery) =>
  test(compareQueries(left, right));

const table: Record<string, Implementation> = {
  tsquery_lt: comparison((order) => order < 0),
  tsquery_le: comparison((order) => order <= 0),
  tsquery_eq: comparison((order) => order === 0),
  tsquery_ne: comparison((order) => order !== 0),
  tsquery_ge: comparison((order) => order >= 0),
  tsquery_gt: comparison((order) => order > 0),
  tsquery_cmp: (left: TsQuery, right: TsQuery) => Math.sign(compareQueries(left, right)),
  tsquery_and: (left: TsQuery, right: TsQuery) => join('and', 0, left, right),
  tsquery_or: (left: TsQuery, right: TsQuery) => join('or', 0, left, right),
  tsquery_phrase: (left: TsQuery, right: TsQuery) => phrase(left, right, 1),
  tsquery_phrase_distance: phrase,
  tsquery_not: (query: TsQuery) =>
    query.root === null ? query : new TsQuery({ kind: 'not', operand: query.root }),
  tsquery_numnode: (query: TsQuery) => nodeCount(query.root),
  tsquerytree: tree,
  tsq_mcontains: contains,
  tsq_mcontained: (inner: TsQuery, outer: TsQuery) => contains(outer, inner),
  tsquery_rewrite: rewriteQuery,
};

export const queryFunctions: FunctionTable = pureTable(table);
