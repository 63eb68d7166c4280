/**
 * Frame of reference with bit packing: value = base + factor * code. The factor is the greatest common divisor of the differences, so that
 * money in whole units or timestamps in whole seconds need no bits for their zeros.
 */

import { check } from '../corruption.ts';
import { NATIVE_FROM, nativeKernels } from '../kernels.ts';
import { type IntegerTarget, pack, packedWords, unpack, unpackOne, widthOf } from './bitpack.ts';
import { filterMembers, filterPlane, keepAll, prepareByValue } from './filter.ts';
import {
  align8,
  CHUNK,
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

const INT32_LIMIT = 2147483648;

export class FrameNode extends IntegerNode {
  readonly encoding = 'frame';
  readonly isSafe: boolean;
  readonly width: number;
  readonly base: bigint;
  readonly factor: bigint;
  /** The plane of codes, or of their low 32 bits when the width is above 32. */
  readonly words: Uint32Array;
  /** The bytes of the plane, for native kernels. */
  private readonly packed: Uint8Array;
  private readonly highWords: Uint32Array | null;
  private readonly baseNumber: number;
  private readonly factorNumber: number;
  private readonly baseLow: number;
  private readonly baseHigh: number;
  /** All values fit 32 signed bits. */
  private readonly isNarrow: boolean;

  constructor(bytes: Uint8Array, header: NodeHeader) {
    super(header.count);
    check(
      header.width <= 64 && header.factor > 0n,
      `frame of width ${header.width}, factor ${header.factor}`,
    );
    this.width = header.width;
    this.base = header.base;
    this.factor = header.factor;
    const count = packedWords(header.count, header.width);
    checkInside(header, header.body, count * 4, 'frame');
    if (header.width <= 32) {
      this.words = uint32View(bytes, header.body, count);
      this.highWords = null;
    } else {
      this.words = uint32View(bytes, header.body, header.count + 1);
      this.highWords = uint32View(bytes, header.body + 4 * (header.count + 1), count - header.count - 1);
    }
    this.packed = bytesOf(this.words, 0);
    const top = header.base + header.factor * ((1n << BigInt(header.width)) - 1n);
    this.isSafe = header.base >= -BigInt(SAFE) && top <= BigInt(SAFE);
    this.isNarrow = header.base >= -BigInt(INT32_LIMIT) && top < BigInt(INT32_LIMIT);
    this.baseNumber = Number(header.base);
    this.factorNumber = Number(header.factor);
    this.baseLow = Number(BigInt.asIntN(32, header.base));
    this.baseHigh = Number(BigInt.asIntN(32, header.base >> 32n));
  }

  private planeWidth(): number {
    return Math.min(this.width, 32);
  }

  decode32(start: number, end: number, target: IntegerTarget, to: number): void {
    if (this.factor === 1n) {
      const native = end - start >= NATIVE_FROM && this.width > 0 ? nativeKernels() : null;
      if (native !== null && this.width <= 32) {
        const bytes = bytesOf(target, to);
        native.unpackBits(
          this.packed,
          this.width,
          start,
          this.base,
          bytes,
          target.BYTES_PER_ELEMENT,
          end - start,
        );
        return;
      }
      unpack(this.words, this.planeWidth(), start, end, target, to, this.baseLow);
      return;
    }
    unpack(this.words, this.planeWidth(), start, end, target, to, 0);
    const factor = Number(BigInt.asIntN(32, this.factor));
    const base = this.baseLow;
    for (let slot = to; slot < to + end - start; slot++)
      target[slot] = base + Math.imul(target[slot]!, factor);
  }

  decode64(start: number, end: number, target: Int32Array, to: number): void {
    const native =
      end - start >= NATIVE_FROM && this.factor === 1n && this.width > 0 && this.width <= 32
        ? nativeKernels()
        : null;
    if (native !== null) {
      native.unpackBits(this.packed, this.width, start, this.base, bytesOf(target, 2 * to), 8, end - start);
      return;
    }
    const scratch = takeInts();
    for (let from = start; from < end; from += CHUNK) {
      const until = Math.min(end, from + CHUNK);
      this.chunk64(from, until, target, to, scratch);
      to += until - from;
    }
    giveInts(scratch);
  }

  private chunk64(start: number, end: number, target: Int32Array, to: number, scratch: Int32Array): void {
    const length = end - start;
    if (this.isNarrow) {
      this.decode32(start, end, scratch, 0);
      for (let index = 0, slot = 2 * to; index < length; index++, slot += 2) {
        const value = scratch[index]!;
        target[slot] = value;
        target[slot + 1] = value >> 31;
      }
    } else if (this.width <= 32 && this.factor === 1n) {
      unpack(this.words, this.width, start, end, scratch, 0, 0);
      const low = this.baseLow >>> 0;
      const high = this.baseHigh;
      for (let index = 0, slot = 2 * to; index < length; index++, slot += 2) {
        const sum = low + (scratch[index]! >>> 0);
        target[slot] = sum | 0;
        target[slot + 1] = sum > 4294967295 ? high + 1 : high;
      }
    } else if (this.isSafe) {
      for (let index = 0; index < length; index++)
        storeNumber64(target, to + index, this.numberAt(start + index));
    } else {
      for (let index = 0, slot = 2 * to; index < length; index++, slot += 2) {
        const value = this.bigintAt(start + index);
        target[slot] = Number(BigInt.asIntN(32, value));
        target[slot + 1] = Number(BigInt.asIntN(32, value >> 32n));
      }
    }
  }

  decodeNumbers(start: number, end: number, target: Float64Array, to: number): void {
    if (this.width > 32) {
      for (let index = start; index < end; index++) target[to++] = this.numberAt(index);
      return;
    }
    const scratch = takeInts();
    for (let from = start; from < end; from += CHUNK) {
      const until = Math.min(end, from + CHUNK);
      unpack(this.words, this.width, from, until, scratch, 0, 0);
      for (let index = 0; index < until - from; index++)
        target[to++] = this.baseNumber + this.factorNumber * (scratch[index]! >>> 0);
    }
    giveInts(scratch);
  }

  /** Codes [start, end); only for widths up to 32. */
  decodeCodes(start: number, end: number, target: IntegerTarget, to: number): void {
    const native = end - start >= NATIVE_FROM && this.width > 0 ? nativeKernels() : null;
    if (native !== null)
      native.unpackBits(
        this.packed,
        this.width,
        start,
        0n,
        bytesOf(target, to),
        target.BYTES_PER_ELEMENT,
        end - start,
      );
    else unpack(this.words, this.width, start, end, target, to, 0);
  }

  private codeAt(index: number): number {
    if (this.width === 0) return 0;
    if (this.width <= 32) return unpackOne(this.words, this.width, index);
    return this.words[index]! + unpackOne(this.highWords!, this.width - 32, index) * 4294967296;
  }

  numberAt(index: number): number {
    return this.baseNumber + this.factorNumber * this.codeAt(index);
  }

  bigintAt(index: number): bigint {
    if (this.isSafe) return BigInt(this.numberAt(index));
    const code =
      this.width <= 32
        ? BigInt(this.codeAt(index))
        : BigInt(this.words[index]!) | (BigInt(unpackOne(this.highWords!, this.width - 32, index)) << 32n);
    return this.base + this.factor * code;
  }

  prepare(test: IntegerTest): PreparedFilter {
    const { words, width } = this;
    if (width === 0 || width > 31) return prepareByValue(this, test);
    const largest = 2 ** width - 1;
    if (test.kind === 'set') {
      if (width > 20) return prepareByValue(this, test);
      const wanted = new Uint8Array(largest + 1);
      let any = false;
      for (const value of test.values) {
        const offset = value - this.base;
        if (offset < 0n || offset % this.factor !== 0n || offset / this.factor > BigInt(largest)) continue;
        wanted[Number(offset / this.factor)] = 1;
        any = true;
      }
      if (!any) return () => 0;
      return (candidates, selection) => filterMembers(words, width, wanted, candidates, selection);
    }
    const { negate } = test;
    const none: PreparedFilter = () => 0;
    const low = ceilDivide(test.low - this.base, this.factor);
    const high = floorDivide(test.high - this.base, this.factor);
    if (low > high || high < 0n || low > BigInt(largest)) return negate ? keepAll : none;
    const lowCode = low < 0n ? 0 : Number(low);
    const highCode = high > BigInt(largest) ? largest : Number(high);
    if (lowCode === 0 && highCode === largest) return negate ? none : keepAll;
    const span = highCode - lowCode;
    return (candidates, selection) => filterPlane(words, width, lowCode, span, negate, candidates, selection);
  }

  validate(): void {}
}

function bytesOf(view: ArrayBufferView & { readonly BYTES_PER_ELEMENT: number }, from: number): Uint8Array {
  const skipped = from * view.BYTES_PER_ELEMENT;
  return new Uint8Array(view.buffer, view.byteOffset + skipped, view.byteLength - skipped);
}

function floorDivide(left: bigint, right: bigint): bigint {
  const quotient = left / right;
  return left < 0n && left % right !== 0n ? quotient - 1n : quotient;
}

function ceilDivide(left: bigint, right: bigint): bigint {
  return -floorDivide(-left, right);
}

/** Plans a frame over non-negative offsets (exact integers below 2^53, `largest` the greatest) from `base`. */
export function planFrame(
  base: bigint,
  offsets: Float64Array | Uint32Array,
  count: number,
  largest: number,
  factor: number,
): NodePlan {
  const width = widthOf(largest / factor);
  const words = packedWords(count, width);
  return {
    encoding: 'frame',
    size: NODE_HEADER_BYTES + align8(words * 4),
    write: (out) => {
      const node = out.beginNode(ENCODING.frame, FAMILY.integer, count, {
        width,
        base,
        factor: BigInt(factor),
      });
      const at = out.reserve(words * 4);
      let codes = offsets;
      if (factor !== 1) {
        codes = new Float64Array(count);
        for (let index = 0; index < count; index++) codes[index] = offsets[index]! / factor;
      }
      pack(codes, count, width, out.words(at, words), 0);
      out.endNode(node);
    },
  };
}
