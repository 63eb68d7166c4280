/**
 * Strings: the bytes of all values one after the other, their lengths as a child node, and every 64th start as an anchor, so that one
 * value costs the sum of at most 63 lengths.
 */
import { check, PayloadDamage } from '../corruption.ts';
import {
  align8,
  BytesNode,
  type BytesSink,
  CHUNK,
  checkInside,
  ENCODING,
  FAMILY,
  giveInts,
  type IntegerNode,
  NODE_HEADER_BYTES,
  type NodeHeader,
  type NodePlan,
  takeInts,
  uint32View,
} from './node.ts';

export const STRING_ANCHOR_EVERY = 64;

export class StringsNode extends BytesNode {
  readonly encoding = 'strings';
  readonly lengths: IntegerNode;
  private readonly anchors: Uint32Array;
  private readonly bytes: Uint8Array;

  constructor(
    bytes: Uint8Array,
    header: NodeHeader,
    openInteger: (bytes: Uint8Array, at: number) => { node: IntegerNode; end: number },
  ) {
    super(header.count);
    const anchors = Math.ceil(header.count / STRING_ANCHOR_EVERY);
    check(header.aux === anchors, `${header.aux} anchors for ${header.count} strings`);
    checkInside(header, header.body, anchors * 4, 'string anchors');
    this.anchors = uint32View(bytes, header.body, anchors);
    const child = openInteger(bytes, header.body + align8(anchors * 4));
    this.lengths = child.node;
    check(this.lengths.count === header.count, 'as many lengths as strings');
    const total = Number(header.base);
    check(total >= 0, 'string bytes');
    checkInside(header, child.end, total, 'string bytes');
    this.bytes = bytes.subarray(child.end, child.end + total);
  }

  private tooLong(end: number): never {
    throw new PayloadDamage(`string ends at ${end} of ${this.bytes.length}`);
  }

  /** Start of value `index`. */
  private startOf(index: number): number {
    const anchor = Math.floor(index / STRING_ANCHOR_EVERY);
    let start = this.anchors[anchor]!;
    const first = anchor * STRING_ANCHOR_EVERY;
    if (index > first) {
      const scratch = takeInts();
      this.lengths.decode32(first, index, scratch, 0);
      for (let step = 0; step < index - first; step++) start += scratch[step]! >>> 0;
      giveInts(scratch);
    }
    return start;
  }

  decode(start: number, end: number, sink: BytesSink): void {
    if (start >= end) return;
    let at = this.startOf(start);
    const scratch = takeInts();
    for (let from = start; from < end; from += CHUNK) {
      const until = Math.min(end, from + CHUNK);
      this.lengths.decode32(from, until, scratch, 0);
      for (let index = 0; index < until - from; index++) {
        const next = at + (scratch[index]! >>> 0);
        if (next > this.bytes.length) this.tooLong(next);
        sink.append(this.bytes, at, next);
        at = next;
      }
    }
    giveInts(scratch);
  }

  at(index: number): Uint8Array {
    const start = this.startOf(index);
    const end = start + this.lengths.numberAt(index);
    if (end > this.bytes.length) this.tooLong(end);
    return this.bytes.subarray(start, end);
  }

  /** For sinks that take ranges whole: start offsets of [start, end] (one more than values) and the bytes they point into. */
  range(start: number, end: number, offsets: Uint32Array): { bytes: Uint8Array; from: number; to: number } {
    const from = start < end ? this.startOf(start) : 0;
    this.lengths.decode32(start, end, offsets, 1);
    offsets[0] = 0;
    let total = 0;
    for (let index = 1; index <= end - start; index++) {
      total += offsets[index]!;
      offsets[index] = total;
    }
    if (from + total > this.bytes.length) this.tooLong(from + total);
    return { bytes: this.bytes, from, to: from + total };
  }

  validate(): void {
    this.lengths.validate();
    let at = 0;
    for (let index = 0; index < this.count; index++) {
      if (index % STRING_ANCHOR_EVERY === 0)
        check(this.anchors[index / STRING_ANCHOR_EVERY] === at, `string anchor at ${index}`);
      at += this.lengths.numberAt(index);
    }
    check(at === this.bytes.length, `string lengths sum to ${at} of ${this.bytes.length}`);
  }
}

/** `offsets` has count + 1 entries from 0; `bytes` are those of all values. */
export function planStrings(
  offsets: Uint32Array,
  count: number,
  bytes: Uint8Array,
  lengths: NodePlan,
): NodePlan {
  const anchors = Math.ceil(count / STRING_ANCHOR_EVERY);
  const total = offsets[count]! - offsets[0]!;
  return {
    encoding: 'strings',
    size: NODE_HEADER_BYTES + align8(anchors * 4) + lengths.size + align8(total),
    write: (out) => {
      const node = out.beginNode(ENCODING.strings, FAMILY.varlen, count, {
        aux: anchors,
        base: BigInt(total),
      });
      const at = out.reserve(anchors * 4);
      const words = out.words(at, anchors);
      for (let anchor = 0; anchor < anchors; anchor++)
        words[anchor] = offsets[anchor * STRING_ANCHOR_EVERY]! - offsets[0]!;
      lengths.write(out);
      const data = out.reserve(total);
      out.slice8(data, total).set(bytes.subarray(offsets[0]!, offsets[count]!));
      out.endNode(node);
    },
  };
}
