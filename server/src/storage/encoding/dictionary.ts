/**
 * Dictionary: the distinct values, ascending, and per row the position in them. Codes and values are child nodes, so codes may be
 * run-length encoded and values framed. Because the order of codes is the order of values, range predicates become code ranges.
 */

import { check, PayloadDamage } from '../corruption.ts';
import type { IntegerTarget } from './bitpack.ts';
import { filterMembers } from './filter.ts';
import { FrameNode } from './frame.ts';
import {
  BytesNode,
  type BytesSink,
  CHUNK,
  ENCODING,
  FloatNode,
  giveInts,
  IntegerNode,
  type IntegerTest,
  NODE_HEADER_BYTES,
  type NodePlan,
  type PreparedFilter,
  takeInts,
} from './node.ts';

/** Most values a dictionary may have. */
export const DICTIONARY_LIMIT = 65_536;

/** Out of line: the message must not be built where nothing is wrong. */
function badCode(code: number, size: number): never {
  throw new PayloadDamage(`dictionary code ${code} of ${size}`);
}

/** Checks the codes once per use: a code beyond the values is damage. */
function codesInto(codes: IntegerNode, size: number, start: number, end: number, target: Int32Array): void {
  codes.decode32(start, end, target, 0);
  let largest = 0;
  for (let index = 0; index < end - start; index++) largest |= target[index]!;
  if (largest >>> 0 < size) return;
  for (let index = 0; index < end - start; index++)
    if (target[index]! >>> 0 >= size) badCode(target[index]! >>> 0, size);
}

/** Keeps the candidates whose code is marked in `wanted`. */
export function prepareCodes(codes: IntegerNode, wanted: Uint8Array): PreparedFilter {
  const first = wanted.indexOf(1);
  if (first < 0) return () => 0;
  const last = wanted.lastIndexOf(1);
  let isRange = true;
  for (let code = first; code <= last; code++) if (wanted[code] !== 1) isRange = false;
  if (isRange) return codes.prepare({ kind: 'range', low: BigInt(first), high: BigInt(last), negate: false });
  if (
    codes instanceof FrameNode &&
    codes.width > 0 &&
    codes.width <= 16 &&
    codes.base === 0n &&
    codes.factor === 1n
  )
    return (candidates, selection) => filterMembers(codes.words, codes.width, wanted, candidates, selection);
  const values: bigint[] = [];
  for (let code = first; code <= last; code++) if (wanted[code] === 1) values.push(BigInt(code));
  return codes.prepare({ kind: 'set', values });
}

function checkCodes(codes: IntegerNode, size: number): void {
  codes.validate();
  const scratch = takeInts();
  for (let from = 0; from < codes.count; from += CHUNK)
    codesInto(codes, size, from, Math.min(codes.count, from + CHUNK), scratch);
  giveInts(scratch);
}

export class DictionaryIntegers extends IntegerNode {
  readonly encoding = 'dictionary';
  readonly isSafe: boolean;
  readonly codes: IntegerNode;
  readonly values: IntegerNode;
  private readonly valueWords: Int32Array;

  constructor(codes: IntegerNode, values: IntegerNode) {
    super(codes.count);
    check(values.count > 0 && values.count <= DICTIONARY_LIMIT, `dictionary of ${values.count} values`);
    this.codes = codes;
    this.values = values;
    this.isSafe = values.isSafe;
    this.valueWords = new Int32Array(values.count * 2);
    values.decode64(0, values.count, this.valueWords, 0);
  }

  decode32(start: number, end: number, target: IntegerTarget, to: number): void {
    const scratch = takeInts();
    for (let from = start; from < end; from += CHUNK) {
      const until = Math.min(end, from + CHUNK);
      codesInto(this.codes, this.values.count, from, until, scratch);
      for (let index = 0; index < until - from; index++) target[to++] = this.valueWords[2 * scratch[index]!]!;
    }
    giveInts(scratch);
  }

  decode64(start: number, end: number, target: Int32Array, to: number): void {
    const scratch = takeInts();
    for (let from = start; from < end; from += CHUNK) {
      const until = Math.min(end, from + CHUNK);
      codesInto(this.codes, this.values.count, from, until, scratch);
      for (let index = 0; index < until - from; index++, to++) {
        const code = scratch[index]!;
        target[2 * to] = this.valueWords[2 * code]!;
        target[2 * to + 1] = this.valueWords[2 * code + 1]!;
      }
    }
    giveInts(scratch);
  }

  decodeNumbers(start: number, end: number, target: Float64Array, to: number): void {
    for (let index = start; index < end; index++) target[to++] = this.numberAt(index);
  }

  private codeAt(index: number): number {
    const code = this.codes.numberAt(index);
    if (!(code >= 0 && code < this.values.count)) badCode(code, this.values.count);
    return code;
  }

  numberAt(index: number): number {
    return this.values.numberAt(this.codeAt(index));
  }

  bigintAt(index: number): bigint {
    return this.values.bigintAt(this.codeAt(index));
  }

  prepare(test: IntegerTest): PreparedFilter {
    const passing = new Uint16Array(this.values.count);
    const found = this.values.prepare(test)({ start: 0, end: this.values.count, count: -1 }, passing);
    const wanted = new Uint8Array(this.values.count);
    for (let index = 0; index < found; index++) wanted[passing[index]!] = 1;
    return prepareCodes(this.codes, wanted);
  }

  validate(): void {
    this.values.validate();
    checkCodes(this.codes, this.values.count);
  }
}

export class DictionaryFloats extends FloatNode {
  readonly encoding = 'dictionary';
  readonly codes: IntegerNode;
  readonly values: FloatNode;
  private readonly decoded: Float64Array;

  constructor(codes: IntegerNode, values: FloatNode) {
    super(codes.count);
    check(values.count > 0 && values.count <= DICTIONARY_LIMIT, `dictionary of ${values.count} values`);
    this.codes = codes;
    this.values = values;
    this.decoded = new Float64Array(values.count);
    values.decode(0, values.count, this.decoded, 0);
  }

  decode(start: number, end: number, target: Float64Array | Float32Array, to: number): void {
    const scratch = takeInts();
    for (let from = start; from < end; from += CHUNK) {
      const until = Math.min(end, from + CHUNK);
      codesInto(this.codes, this.values.count, from, until, scratch);
      for (let index = 0; index < until - from; index++) target[to++] = this.decoded[scratch[index]!]!;
    }
    giveInts(scratch);
  }

  at(index: number): number {
    const code = this.codes.numberAt(index);
    if (!(code >= 0 && code < this.values.count)) badCode(code, this.values.count);
    return this.decoded[code]!;
  }

  validate(): void {
    this.values.validate();
    checkCodes(this.codes, this.values.count);
  }
}

/** A dictionary's values one after the other; `starts` has one entry more than values. */
interface FlatTable {
  readonly starts: Uint32Array;
  readonly bytes: Uint8Array;
  readonly longest: number;
}

/** Copies the values of `count` codes to `target` from `to` on; returns the new end. */
function copyValues(
  codes: Int32Array,
  count: number,
  row: number,
  validity: Uint8Array | null,
  starts: Uint32Array,
  source: Uint8Array,
  target: Uint8Array,
  to: number,
  offsets: Uint32Array,
): number {
  for (let index = 0; index < count; index++, row++) {
    const code = codes[index]!;
    let from = starts[code]!;
    const stop = starts[code + 1]!;
    if (validity === null || (validity[row >>> 3]! & (1 << (row & 7))) !== 0) {
      if (stop - from > 64) {
        target.set(source.subarray(from, stop), to);
        to += stop - from;
      } else while (from < stop) target[to++] = source[from++]!;
    }
    offsets[row + 1] = to;
  }
  return to;
}

export class DictionaryBytes extends BytesNode {
  readonly encoding = 'dictionary';
  readonly codes: IntegerNode;
  readonly values: BytesNode;
  private readonly views: Uint8Array[];
  /** All values one after the other, made at the first range decode. */
  private table: FlatTable | null = null;

  constructor(codes: IntegerNode, values: BytesNode) {
    super(codes.count);
    check(values.count > 0 && values.count <= DICTIONARY_LIMIT, `dictionary of ${values.count} values`);
    this.codes = codes;
    this.values = values;
    this.views = new Array(values.count);
  }

  /** Value of a code as a view of the payload; made once. */
  valueOfCode(code: number): Uint8Array {
    return (this.views[code] ??= this.values.at(code));
  }

  /**
   * Values [start, end) as offsets (from 0) and bytes. `bytesFor` gives a buffer of at least so many bytes. Rows whose bit in `validity`
   * (bit 0 = row `start`) is 0 become empty.
   */
  decodeFlat(
    start: number,
    end: number,
    validity: Uint8Array | null,
    offsets: Uint32Array,
    bytesFor: (length: number) => Uint8Array,
  ): void {
    const { starts, bytes: source, longest } = (this.table ??= this.flatten());
    let target = bytesFor(Math.min(end - start, CHUNK) * longest);
    let to = 0;
    offsets[0] = 0;
    const codes = takeInts();
    for (let from = start; from < end; from += CHUNK) {
      const count = Math.min(end - from, CHUNK);
      codesInto(this.codes, this.values.count, from, from + count, codes);
      // Room for the worst of the chunk: then the inner loops need no test.
      if (to + count * longest > target.length) {
        const larger = bytesFor(to + (end - from) * longest);
        if (larger !== target) larger.set(target.subarray(0, to));
        target = larger;
      }
      to = copyValues(codes, count, from - start, validity, starts, source, target, to, offsets);
    }
    giveInts(codes);
  }

  private flatten(): FlatTable {
    const starts = new Uint32Array(this.values.count + 1);
    for (let code = 0; code < this.values.count; code++)
      starts[code + 1] = starts[code]! + this.valueOfCode(code).length;
    const bytes = new Uint8Array(starts[this.values.count]!);
    let longest = 0;
    for (let code = 0; code < this.values.count; code++) {
      bytes.set(this.valueOfCode(code), starts[code]);
      longest = Math.max(longest, this.valueOfCode(code).length);
    }
    return { starts, bytes, longest };
  }

  decode(start: number, end: number, sink: BytesSink): void {
    const scratch = takeInts();
    for (let from = start; from < end; from += CHUNK) {
      const until = Math.min(end, from + CHUNK);
      codesInto(this.codes, this.values.count, from, until, scratch);
      for (let index = 0; index < until - from; index++) {
        const value = this.valueOfCode(scratch[index]!);
        sink.append(value, 0, value.length);
      }
    }
    giveInts(scratch);
  }

  at(index: number): Uint8Array {
    const code = this.codes.numberAt(index);
    if (!(code >= 0 && code < this.values.count)) badCode(code, this.values.count);
    return this.valueOfCode(code);
  }

  validate(): void {
    this.values.validate();
    checkCodes(this.codes, this.values.count);
  }
}

export function planDictionary(
  family: number,
  count: number,
  codes: NodePlan,
  values: NodePlan,
  size: number,
): NodePlan {
  return {
    encoding: 'dictionary',
    size: NODE_HEADER_BYTES + codes.size + values.size,
    write: (out) => {
      const node = out.beginNode(ENCODING.dictionary, family, count, { aux: size, flags: 1 });
      codes.write(out);
      values.write(out);
      out.endNode(node);
    },
  };
}
