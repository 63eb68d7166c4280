/**
 * Encoded nodes: the recursive unit of a column payload (docs/format/segment.md).
 *
 * A node is a 32-byte header, a body, and child nodes inside the body. Three families decode to different targets: integers (bool, int16,
 * int32, int64, decimal64, codes, lengths), floats (float32, float64) and bytes (bytes16, varlen). NULLs are not the nodes' business:
 * the column fills them with a neighbour's value and keeps a bitmap beside.
 */

import { check } from '../corruption.ts';
import type { IntegerTarget } from './bitpack.ts';

export const NODE_HEADER_BYTES = 32;

/** Codes on disk: never renumber. */
export const ENCODING = {
  constant: 1,
  raw: 2,
  frame: 3,
  delta: 4,
  runLength: 5,
  dictionary: 6,
  decimalFloat: 7,
  strings: 8,
} as const;
/** As shown in views and EXPLAIN. */
export type EncodingName =
  | 'constant'
  | 'raw'
  | 'frame'
  | 'delta'
  | 'run-length'
  | 'dictionary'
  | 'decimal-float'
  | 'strings';

/** Codes on disk: never renumber. */
export const FAMILY = { integer: 1, float64: 2, float32: 3, bytes16: 4, varlen: 5 } as const;

export interface NodeHeader {
  encoding: number;
  family: number;
  width: number;
  flags: number;
  count: number;
  /** Header, body and children; a multiple of 8. */
  length: number;
  aux: number;
  base: bigint;
  factor: bigint;
  /** Where the node and its body begin in the payload. */
  at: number;
  body: number;
}

/** Largest magnitude at which doubles still hold every integer. */
export const SAFE = 9007199254740992;

/** A test on integers: inclusive bounds, or membership. `negate` turns a range into its complement (for `<>`). */
export type IntegerTest =
  | { readonly kind: 'range'; readonly low: bigint; readonly high: bigint; readonly negate: boolean }
  | { readonly kind: 'set'; readonly values: readonly bigint[] };

/** Rows to look at: all of [start, end), or those listed in `selection[0..count)`. Survivors are written to `selection` from 0. */
export interface Candidates {
  readonly start: number;
  readonly end: number;
  /** -1 = dense. */
  readonly count: number;
}

/** Tests candidates; see {@link Candidates}. Writes the survivors to `selection` from 0 and returns their number. */
export type PreparedFilter = (candidates: Candidates, selection: Uint16Array) => number;

export abstract class IntegerNode {
  readonly count: number;
  /** Every value is within +-2^53, so numbers are exact. */
  abstract readonly isSafe: boolean;

  constructor(count: number) {
    this.count = count;
  }

  abstract readonly encoding: EncodingName;
  /** Low bits of the values [start, end), as many as the target's elements hold. */
  abstract decode32(start: number, end: number, target: IntegerTarget, to: number): void;
  /** The values as pairs of 32-bit words (low, high), as a BigInt64Array's memory holds them; `to` counts values. */
  abstract decode64(start: number, end: number, target: Int32Array, to: number): void;
  /** The values as doubles: exact when `isSafe`. */
  abstract decodeNumbers(start: number, end: number, target: Float64Array, to: number): void;
  abstract numberAt(index: number): number;
  abstract bigintAt(index: number): bigint;
  /** Does once what a test costs per column, so that the result can be run window by window. */
  abstract prepare(test: IntegerTest): PreparedFilter;
  /** Throws PayloadDamage if any index, code or length inside is impossible. */
  abstract validate(): void;
}

export abstract class FloatNode {
  readonly count: number;
  constructor(count: number) {
    this.count = count;
  }
  abstract readonly encoding: EncodingName;
  abstract decode(start: number, end: number, target: Float64Array | Float32Array, to: number): void;
  abstract at(index: number): number;
  abstract validate(): void;
}

/** Receives variable-length values during decoding; grows its own buffers. */
export interface BytesSink {
  append(bytes: Uint8Array, start: number, end: number): void;
}

export abstract class BytesNode {
  readonly count: number;
  constructor(count: number) {
    this.count = count;
  }
  abstract readonly encoding: EncodingName;
  abstract decode(start: number, end: number, sink: BytesSink): void;
  /** A view into the payload: copy before the block is released. */
  abstract at(index: number): Uint8Array;
  abstract validate(): void;
}

/** Reads and checks a node header at `at`; all later arithmetic may rely on `length` lying inside the payload. */
export function readHeader(bytes: Uint8Array, at: number): NodeHeader {
  check(at % 8 === 0 && at + NODE_HEADER_BYTES <= bytes.length, `node header at ${at} of ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, NODE_HEADER_BYTES);
  const length = view.getUint32(8, true);
  check(
    length % 8 === 0 && length >= NODE_HEADER_BYTES && at + length <= bytes.length,
    `node length ${length} at ${at} of ${bytes.length}`,
  );
  return {
    encoding: view.getUint8(0),
    family: view.getUint8(1),
    width: view.getUint8(2),
    flags: view.getUint8(3),
    count: view.getUint32(4, true),
    length,
    aux: view.getUint32(12, true),
    base: view.getBigInt64(16, true),
    factor: view.getBigInt64(24, true),
    at,
    body: at + NODE_HEADER_BYTES,
  };
}

/** Checks that `byteLength` bytes at `offset` lie in the node. */
export function checkInside(header: NodeHeader, offset: number, byteLength: number, what: string): void {
  check(
    offset >= header.body && offset + byteLength <= header.at + header.length,
    `${what} of ${byteLength} bytes does not fit its node`,
  );
}

/** Views of a payload; the payload must be 8-byte aligned (the block layer sees to it). */
export function uint32View(bytes: Uint8Array, offset: number, count: number): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset + offset, count);
}

export function align8(length: number): number {
  return (length + 7) & ~7;
}

/** Builds a payload of nested nodes. */
export class PayloadBuilder {
  private bytes: Uint8Array;
  private view: DataView;
  length = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(align8(Math.max(64, capacity)));
    this.view = new DataView(this.bytes.buffer);
  }

  /** Zeroed room, 8-byte aligned; returns its offset. */
  reserve(byteLength: number): number {
    const at = this.length;
    const end = at + align8(byteLength);
    if (end > this.bytes.length) {
      const larger = new Uint8Array(align8(Math.max(this.bytes.length * 2, end)));
      larger.set(this.bytes.subarray(0, at));
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    this.length = end;
    return at;
  }

  /** Writes a header; `endNode` fills in the length. */
  beginNode(
    encoding: number,
    family: number,
    count: number,
    fields: { width?: number; flags?: number; aux?: number; base?: bigint; factor?: bigint } = {},
  ): number {
    const at = this.reserve(NODE_HEADER_BYTES);
    this.view.setUint8(at, encoding);
    this.view.setUint8(at + 1, family);
    this.view.setUint8(at + 2, fields.width ?? 0);
    this.view.setUint8(at + 3, fields.flags ?? 0);
    this.view.setUint32(at + 4, count, true);
    this.view.setUint32(at + 12, fields.aux ?? 0, true);
    this.view.setBigInt64(at + 16, fields.base ?? 0n, true);
    this.view.setBigInt64(at + 24, fields.factor ?? 0n, true);
    return at;
  }

  endNode(at: number): void {
    this.view.setUint32(at + 8, this.length - at, true);
  }

  /** Views of reserved room: valid until the next `reserve`. */
  words(at: number, count: number): Uint32Array {
    return new Uint32Array(this.bytes.buffer, at, count);
  }

  slice8(at: number, byteLength: number): Uint8Array {
    return this.bytes.subarray(at, at + byteLength);
  }

  data(): DataView {
    return this.view;
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}

/** A chosen way to write a node: the result of analysis. */
export interface NodePlan {
  readonly encoding: EncodingName;
  /** Bytes the node will take, header included. */
  readonly size: number;
  write(out: PayloadBuilder): void;
}

// Scratch space of decoding, a stack because nodes nest. A throw only loses an entry.
const SCRATCH_VALUES = 1024;
const intScratch: Int32Array[] = [];
const floatScratch: Float64Array[] = [];

/** Values per chunk of two-step decoding: small enough for the first-level cache. */
export const CHUNK = SCRATCH_VALUES;

export function takeInts(): Int32Array {
  return intScratch.pop() ?? new Int32Array(SCRATCH_VALUES);
}
export function giveInts(scratch: Int32Array): void {
  intScratch.push(scratch);
}
export function takeFloats(): Float64Array {
  return floatScratch.pop() ?? new Float64Array(SCRATCH_VALUES);
}
export function giveFloats(scratch: Float64Array): void {
  floatScratch.push(scratch);
}

/** Stores an exact integer as two words. */
export function storeNumber64(target: Int32Array, slot: number, value: number): void {
  target[2 * slot] = value >>> 0;
  target[2 * slot + 1] = Math.floor(value / 4294967296);
}
