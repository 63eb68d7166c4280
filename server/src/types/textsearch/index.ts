/** TypeSupport of tsvector and tsquery. The storage bytes are those of the wire. */
import { DbError } from '../../base/error.ts';
import { concatBytes, int16Bytes, int32Bytes, utf8Text } from '../binary.ts';
import type { TypeSupport } from '../contract.ts';
import { OID } from '../oid.ts';
import {
  checkedWord,
  compareQueries,
  formatQuery,
  joinNodes,
  nodeCount,
  parseQuery,
  type QueryNode,
  TsQuery,
} from './query.ts';
import { compareVectors, formatVector, makeVector, parseVector, type TsVector } from './vector.ts';

class Reader {
  private readonly bytes: Uint8Array;
  private at = 0;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new DbError('protocol_violation', 'insufficient data left in message');
    return value;
  }
  uint16(): number {
    return this.byte() * 256 + this.byte();
  }
  int32(): number {
    return (this.uint16() << 16) | this.uint16();
  }
  text(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0) throw new DbError('protocol_violation', 'invalid string in message');
    const text = utf8Text(this.bytes.subarray(this.at, end));
    this.at = end + 1;
    return text;
  }
  end(): void {
    if (this.at < this.bytes.length) {
      throw new DbError('invalid_binary_representation', 'incorrect binary data format');
    }
  }
}

const terminated = (text: string): Uint8Array => Buffer.from(`${text}\0`);

function sendVector({ lexemes }: TsVector): Uint8Array {
  const parts: Uint8Array[] = [int32Bytes(lexemes.length)];
  for (const { word, positions } of lexemes) {
    parts.push(terminated(word), int16Bytes(positions.length));
    for (const entry of positions) parts.push(int16Bytes(entry));
  }
  return concatBytes(parts);
}

function receiveVector(bytes: Uint8Array): TsVector {
  const reader = new Reader(bytes);
  const count = reader.int32();
  if (count < 0 || count > 0x0fffffff) throw new DbError('internal_error', 'invalid size of tsvector');
  const words: { word: string; positions: number[] }[] = [];
  for (let index = 0; index < count; index++) {
    const word = reader.text();
    const positions: number[] = [];
    for (let left = reader.uint16(); left > 0; left--) positions.push(reader.uint16());
    words.push({ word, positions });
  }
  reader.end();
  return makeVector(words);
}

const OPERATOR_CODES = { not: 1, and: 2, or: 3, phrase: 4 } as const;

function sendNode(node: QueryNode, parts: Uint8Array[]): void {
  if (node.kind === 'word') {
    parts.push(Uint8Array.of(1, node.weights, node.isPrefix ? 1 : 0), terminated(node.word));
    return;
  }
  parts.push(Uint8Array.of(2, OPERATOR_CODES[node.kind]));
  if (node.kind === 'phrase') parts.push(int16Bytes(node.distance));
  if (node.kind === 'not') sendNode(node.operand, parts);
  else {
    // The right operand stands first.
    sendNode(node.right, parts);
    sendNode(node.left, parts);
  }
}

function sendQuery({ root }: TsQuery): Uint8Array {
  const parts: Uint8Array[] = [int32Bytes(nodeCount(root))];
  if (root !== null) sendNode(root, parts);
  return concatBytes(parts);
}

function receiveNode(reader: Reader, depth: number): QueryNode {
  if (depth > 2000) throw new DbError('statement_too_complex', 'stack depth limit exceeded');
  const type = reader.byte();
  if (type === 1) {
    const weights = reader.byte();
    const isPrefix = reader.byte() !== 0;
    if (weights > 15) throw new DbError('internal_error', 'invalid tsquery: invalid weight bitmap');
    return checkedWord(reader.text(), weights, isPrefix);
  }
  if (type !== 2) throw new DbError('internal_error', `unrecognized tsquery node type: ${type}`);
  const operator = reader.byte();
  if (operator === 1) return { kind: 'not', operand: receiveNode(reader, depth + 1) };
  const kind = operator === 2 ? 'and' : operator === 3 ? 'or' : operator === 4 ? 'phrase' : null;
  if (kind === null) throw new DbError('internal_error', `unrecognized tsquery operator type: ${operator}`);
  const distance = kind === 'phrase' ? reader.uint16() : 0;
  const right = receiveNode(reader, depth + 1);
  return joinNodes(kind, distance, receiveNode(reader, depth + 1), right);
}

function receiveQuery(bytes: Uint8Array): TsQuery {
  const reader = new Reader(bytes);
  const root = reader.int32() === 0 ? null : receiveNode(reader, 0);
  reader.end();
  return new TsQuery(root);
}

const vectorSupport: TypeSupport = {
  oid: OID.TSVECTOR,
  name: 'tsvector',
  length: -1,
  input: (text) => parseVector(text),
  output: (value) => formatVector(value as TsVector),
  receive: receiveVector,
  send: (value) => sendVector(value as TsVector),
  compare: (left, right) => compareVectors(left as TsVector, right as TsVector),
  hashKey: (value) => formatVector(value as TsVector),
  physical: () => 'varlen',
  encode: (value) => sendVector(value as TsVector),
  decode: receiveVector,
};

const querySupport: TypeSupport = {
  oid: OID.TSQUERY,
  name: 'tsquery',
  length: -1,
  input: (text) => parseQuery(text),
  output: (value) => formatQuery(value as TsQuery),
  receive: receiveQuery,
  send: (value) => sendQuery(value as TsQuery),
  compare: (left, right) => compareQueries(left as TsQuery, right as TsQuery),
  hashKey: (value) => formatQuery(value as TsQuery),
  physical: () => 'varlen',
  encode: (value) => sendQuery(value as TsQuery),
  decode: receiveQuery,
};

export function textSearchSupports(): TypeSupport[] {
  return [vectorSupport, querySupport];
}
