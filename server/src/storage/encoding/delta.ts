/**
 * Delta: differences to the previous value, in a frame of reference. For sorted and nearly sorted columns (keys, timestamps).
 *
 * Every 128th value is an anchor, kept as it is, so a position costs at most 127 additions. Only used when all values are within +-2^53
 * and the differences span less than 2^32.
 */

import { check } from '../corruption.ts';
import { type IntegerTarget, pack, planeWords, unpack, widthOf } from './bitpack.ts';
import { prepareByValue } from './filter.ts';
import {
  align8,
  checkInside,
  ENCODING,
  FAMILY,
  giveInts,
  IntegerNode,
  type IntegerTest,
  NODE_HEADER_BYTES,
  type NodeHeader,
  type NodePlan,
  type PreparedFilter,
  SAFE,
  storeNumber64,
  takeInts,
  uint32View,
} from './node.ts';

export const DELTA_ANCHOR_EVERY = 128;

export class DeltaNode extends IntegerNode {
  readonly encoding = 'delta';
  readonly isSafe = true;
  private readonly width: number;
  private readonly base: number;
  private readonly anchors: Float64Array;
  private readonly words: Uint32Array;

  constructor(bytes: Uint8Array, header: NodeHeader) {
    super(header.count);
    const anchors = Math.ceil(header.count / DELTA_ANCHOR_EVERY);
    check(
      header.width <= 32 && header.aux === anchors,
      `delta of width ${header.width}, ${header.aux} anchors`,
    );
    const words = planeWords(header.count, header.width);
    checkInside(header, header.body, anchors * 8 + words * 4, 'delta');
    this.width = header.width;
    this.base = Number(header.base);
    this.anchors = new Float64Array(bytes.buffer, bytes.byteOffset + header.body, anchors);
    this.words = uint32View(bytes, header.body + anchors * 8, words);
  }

  private blockStart(index: number): number {
    return index - (index % DELTA_ANCHOR_EVERY);
  }

  decode32(start: number, end: number, target: IntegerTarget, to: number): void {
    const scratch = takeInts();
    for (let block = this.blockStart(start); block < end; block += DELTA_ANCHOR_EVERY) {
      const until = Math.min(end, block + DELTA_ANCHOR_EVERY);
      unpack(this.words, this.width, block, until, scratch, 0, this.base);
      let value = this.anchors[block / DELTA_ANCHOR_EVERY]! | 0;
      if (block >= start) target[to++] = value;
      for (let index = block + 1; index < until; index++) {
        value = (value + scratch[index - block]!) | 0;
        if (index >= start) target[to++] = value;
      }
    }
    giveInts(scratch);
  }

  decodeNumbers(start: number, end: number, target: Float64Array, to: number): void {
    const scratch = takeInts();
    const base = this.base;
    for (let block = this.blockStart(start); block < end; block += DELTA_ANCHOR_EVERY) {
      const until = Math.min(end, block + DELTA_ANCHOR_EVERY);
      unpack(this.words, this.width, block, until, scratch, 0, 0);
      let value = this.anchors[block / DELTA_ANCHOR_EVERY]!;
      if (block >= start) target[to++] = value;
      for (let index = block + 1; index < until; index++) {
        value += base + (scratch[index - block]! >>> 0);
        if (index >= start) target[to++] = value;
      }
    }
    giveInts(scratch);
  }

  decode64(start: number, end: number, target: Int32Array, to: number): void {
    const scratch = takeInts();
    const base = this.base;
    for (let block = this.blockStart(start); block < end; block += DELTA_ANCHOR_EVERY) {
      const until = Math.min(end, block + DELTA_ANCHOR_EVERY);
      unpack(this.words, this.width, block, until, scratch, 0, 0);
      let value = this.anchors[block / DELTA_ANCHOR_EVERY]!;
      if (block >= start) storeNumber64(target, to++, value);
      for (let index = block + 1; index < until; index++) {
        value += base + (scratch[index - block]! >>> 0);
        if (index >= start) storeNumber64(target, to++, value);
      }
    }
    giveInts(scratch);
  }

  numberAt(index: number): number {
    const block = this.blockStart(index);
    const scratch = takeInts();
    unpack(this.words, this.width, block, index + 1, scratch, 0, 0);
    let value = this.anchors[block / DELTA_ANCHOR_EVERY]!;
    for (let step = 1; step <= index - block; step++) value += this.base + (scratch[step]! >>> 0);
    giveInts(scratch);
    return value;
  }

  bigintAt(index: number): bigint {
    return BigInt(this.numberAt(index));
  }

  prepare(test: IntegerTest): PreparedFilter {
    return prepareByValue(this, test);
  }

  validate(): void {
    const scratch = new Float64Array(DELTA_ANCHOR_EVERY);
    for (let block = 0; block < this.count; block += DELTA_ANCHOR_EVERY) {
      const until = Math.min(this.count, block + DELTA_ANCHOR_EVERY);
      this.decodeNumbers(block, until, scratch, 0);
      for (let index = 0; index < until - block; index++)
        check(
          Number.isInteger(scratch[index]!) && Math.abs(scratch[index]!) <= SAFE,
          `delta value ${scratch[index]} at ${block + index}`,
        );
    }
  }
}

/** Size of a delta node whose differences lie in [least, greatest]. */
export function deltaSize(count: number, least: number, greatest: number): number {
  const anchors = Math.ceil(count / DELTA_ANCHOR_EVERY);
  return NODE_HEADER_BYTES + align8(anchors * 8 + planeWords(count, widthOf(greatest - least)) * 4);
}

/** `base + offsets[i]` are the values; differences lie in [least, greatest] with a span below 2^32. */
export function planDelta(
  base: number,
  offsets: Float64Array,
  count: number,
  least: number,
  greatest: number,
): NodePlan {
  const width = widthOf(greatest - least);
  const anchors = Math.ceil(count / DELTA_ANCHOR_EVERY);
  const words = planeWords(count, width);
  return {
    encoding: 'delta',
    size: deltaSize(count, least, greatest),
    write: (out) => {
      const node = out.beginNode(ENCODING.delta, FAMILY.integer, count, {
        width,
        aux: anchors,
        base: BigInt(least),
      });
      const at = out.reserve(anchors * 8 + words * 4);
      for (let anchor = 0; anchor < anchors; anchor++)
        out.data().setFloat64(at + anchor * 8, base + offsets[anchor * DELTA_ANCHOR_EVERY]!, true);
      const codes = new Uint32Array(count);
      for (let index = 1; index < count; index++)
        if (index % DELTA_ANCHOR_EVERY !== 0) codes[index] = offsets[index]! - offsets[index - 1]! - least;
      pack(codes, count, width, out.words(at + anchors * 8, words), 0);
      out.endNode(node);
    },
  };
}
