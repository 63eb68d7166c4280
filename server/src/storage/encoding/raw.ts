/** Raw: values as they are, `width` bits each (8, 16, 32, 64; 128 for bytes16), little-endian. */

import { check } from '../corruption.ts';
import type { IntegerTarget } from './bitpack.ts';
import { prepareByValue } from './filter.ts';
import {
  align8,
  BytesNode,
  type BytesSink,
  checkInside,
  ENCODING,
  FAMILY,
  FloatNode,
  IntegerNode,
  type IntegerTest,
  NODE_HEADER_BYTES,
  type NodeHeader,
  type NodePlan,
  type PreparedFilter,
} from './node.ts';

/** 64-bit integers whose range is too wide for a frame. */
export class RawIntegers extends IntegerNode {
  readonly encoding = 'raw';
  readonly isSafe = false;
  private readonly values: BigInt64Array;
  private readonly words: Int32Array;

  constructor(bytes: Uint8Array, header: NodeHeader) {
    super(header.count);
    check(header.width === 64, `raw integers of width ${header.width}`);
    checkInside(header, header.body, header.count * 8, 'raw integers');
    this.values = new BigInt64Array(bytes.buffer, bytes.byteOffset + header.body, header.count);
    this.words = new Int32Array(bytes.buffer, bytes.byteOffset + header.body, header.count * 2);
  }

  decode32(start: number, end: number, target: IntegerTarget, to: number): void {
    for (let index = start; index < end; index++) target[to++] = this.words[2 * index]!;
  }

  decode64(start: number, end: number, target: Int32Array, to: number): void {
    target.set(this.words.subarray(2 * start, 2 * end), 2 * to);
  }

  decodeNumbers(start: number, end: number, target: Float64Array, to: number): void {
    for (let index = start; index < end; index++) target[to++] = Number(this.values[index]!);
  }

  numberAt(index: number): number {
    return Number(this.values[index]!);
  }

  bigintAt(index: number): bigint {
    return this.values[index]!;
  }

  prepare(test: IntegerTest): PreparedFilter {
    return prepareByValue(this, test);
  }

  validate(): void {}
}

export class RawFloats extends FloatNode {
  readonly encoding = 'raw';
  private readonly values: Float64Array | Float32Array;

  constructor(bytes: Uint8Array, header: NodeHeader) {
    super(header.count);
    const isDouble = header.family === FAMILY.float64;
    check(header.width === (isDouble ? 64 : 32), `raw floats of width ${header.width}`);
    checkInside(header, header.body, header.count * (isDouble ? 8 : 4), 'raw floats');
    const at = bytes.byteOffset + header.body;
    this.values = isDouble
      ? new Float64Array(bytes.buffer, at, header.count)
      : new Float32Array(bytes.buffer, at, header.count);
  }

  decode(start: number, end: number, target: Float64Array | Float32Array, to: number): void {
    target.set(this.values.subarray(start, end), to);
  }

  at(index: number): number {
    return this.values[index]!;
  }

  validate(): void {}
}

export class RawUuids extends BytesNode {
  readonly encoding = 'raw';
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, header: NodeHeader) {
    super(header.count);
    check(header.width === 128, `raw uuids of width ${header.width}`);
    checkInside(header, header.body, header.count * 16, 'raw uuids');
    this.bytes = bytes.subarray(header.body, header.body + header.count * 16);
  }

  decode(start: number, end: number, sink: BytesSink): void {
    for (let index = start; index < end; index++) sink.append(this.bytes, index * 16, index * 16 + 16);
  }

  at(index: number): Uint8Array {
    return this.bytes.subarray(index * 16, index * 16 + 16);
  }

  validate(): void {}
}

function planRaw(family: number, width: number, count: number, source: Uint8Array): NodePlan {
  return {
    encoding: 'raw',
    size: NODE_HEADER_BYTES + align8(source.length),
    write: (out) => {
      const node = out.beginNode(ENCODING.raw, family, count, { width });
      const at = out.reserve(source.length);
      out.slice8(at, source.length).set(source);
      out.endNode(node);
    },
  };
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

export function planRawIntegers(values: BigInt64Array): NodePlan {
  return planRaw(FAMILY.integer, 64, values.length, bytesOf(values));
}

export function planRawFloats(values: Float64Array | Float32Array): NodePlan {
  const isDouble = values instanceof Float64Array;
  return planRaw(
    isDouble ? FAMILY.float64 : FAMILY.float32,
    isDouble ? 64 : 32,
    values.length,
    bytesOf(values),
  );
}

export function planRawUuids(bytes: Uint8Array): NodePlan {
  return planRaw(FAMILY.bytes16, 128, bytes.length / 16, bytes);
}
