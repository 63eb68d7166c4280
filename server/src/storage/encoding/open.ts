/** Opens encoded nodes: the one place that knows all encodings. */
import { check } from '../corruption.ts';
import { ConstantIntegers, openConstantBytes, openConstantFloats } from './constant.ts';
import { DecimalFloatNode } from './decimal-float.ts';
import { DeltaNode } from './delta.ts';
import { DictionaryBytes, DictionaryFloats, DictionaryIntegers } from './dictionary.ts';
import { FrameNode } from './frame.ts';
import {
  type BytesNode,
  ENCODING,
  FAMILY,
  type FloatNode,
  type IntegerNode,
  NODE_HEADER_BYTES,
  type NodeHeader,
  readHeader,
} from './node.ts';
import { RawFloats, RawIntegers, RawUuids } from './raw.ts';
import { RunLengthNode } from './run-length.ts';
import { StringsNode } from './strings.ts';

/** Nesting of honest payloads ends at four; more is damage, not recursion. */
const DEPTH_LIMIT = 6;

function enter(bytes: Uint8Array, at: number, depth: number, families: readonly number[]): NodeHeader {
  check(depth < DEPTH_LIMIT, 'nodes nested too deeply');
  const header = readHeader(bytes, at);
  check(families.includes(header.family), `node family ${header.family}`);
  return header;
}

function unknown(header: NodeHeader): never {
  check(false, `encoding ${header.encoding} of family ${header.family}`);
  throw header;
}

export function openInteger(bytes: Uint8Array, at: number, depth = 0): { node: IntegerNode; end: number } {
  const header = enter(bytes, at, depth, [FAMILY.integer]);
  const end = header.at + header.length;
  switch (header.encoding) {
    case ENCODING.constant:
      return { node: new ConstantIntegers(header.count, header.base), end };
    case ENCODING.raw:
      return { node: new RawIntegers(bytes, header), end };
    case ENCODING.frame:
      return { node: new FrameNode(bytes, header), end };
    case ENCODING.delta:
      return { node: new DeltaNode(bytes, header), end };
    case ENCODING.runLength: {
      const ends = openInteger(bytes, header.body, depth + 1);
      const values = openInteger(bytes, ends.end, depth + 1);
      check(values.end <= end, 'runs do not fit their node');
      return { node: new RunLengthNode(header.count, ends.node, values.node), end };
    }
    case ENCODING.dictionary: {
      const codes = openInteger(bytes, header.body, depth + 1);
      const values = openInteger(bytes, codes.end, depth + 1);
      check(codes.node.count === header.count && values.end <= end, 'dictionary does not fit its node');
      return { node: new DictionaryIntegers(codes.node, values.node), end };
    }
    default:
      return unknown(header);
  }
}

export function openFloat(bytes: Uint8Array, at: number, depth = 0): { node: FloatNode; end: number } {
  const header = enter(bytes, at, depth, [FAMILY.float64, FAMILY.float32]);
  const end = header.at + header.length;
  switch (header.encoding) {
    case ENCODING.constant:
      return { node: openConstantFloats(header), end };
    case ENCODING.raw:
      return { node: new RawFloats(bytes, header), end };
    case ENCODING.decimalFloat:
      return { node: new DecimalFloatNode(bytes, header, (b, a) => openInteger(b, a, depth + 1)), end };
    case ENCODING.dictionary: {
      const codes = openInteger(bytes, header.body, depth + 1);
      const values = openFloat(bytes, codes.end, depth + 1);
      check(codes.node.count === header.count && values.end <= end, 'dictionary does not fit its node');
      return { node: new DictionaryFloats(codes.node, values.node), end };
    }
    default:
      return unknown(header);
  }
}

export function openBytes(bytes: Uint8Array, at: number, depth = 0): { node: BytesNode; end: number } {
  const header = enter(bytes, at, depth, [FAMILY.bytes16, FAMILY.varlen]);
  const end = header.at + header.length;
  switch (header.encoding) {
    case ENCODING.constant:
      return { node: openConstantBytes(bytes, header), end };
    case ENCODING.raw:
      return { node: new RawUuids(bytes, header), end };
    case ENCODING.strings:
      return { node: new StringsNode(bytes, header, (b, a) => openInteger(b, a, depth + 1)), end };
    case ENCODING.dictionary: {
      const codes = openInteger(bytes, header.body, depth + 1);
      const values = openBytes(bytes, codes.end, depth + 1);
      check(codes.node.count === header.count && values.end <= end, 'dictionary does not fit its node');
      return { node: new DictionaryBytes(codes.node, values.node), end };
    }
    default:
      return unknown(header);
  }
}

export { NODE_HEADER_BYTES };
