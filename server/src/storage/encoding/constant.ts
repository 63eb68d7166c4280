/** Constant: one value for all rows. The header holds integers and the bits of floats; bytes are the body (length in `aux`). */

import { check } from '../corruption.ts';
import type { IntegerTarget } from './bitpack.ts';
import { keepAll } from './filter.ts';
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
  SAFE,
} from './node.ts';

export class ConstantIntegers extends IntegerNode {
  readonly encoding = 'constant';
  readonly isSafe: boolean;
  private readonly value: bigint;
  private readonly number: number;

  constructor(count: number, value: bigint) {
    super(count);
    this.value = value;
    this.number = Number(value);
    this.isSafe = Math.abs(this.number) <= SAFE;
  }

  decode32(start: number, end: number, target: IntegerTarget, to: number): void {
    target.fill(Number(BigInt.asIntN(32, this.value)), to, to + end - start);
  }

  decode64(start: number, end: number, target: Int32Array, to: number): void {
    const low = Number(BigInt.asIntN(32, this.value));
    const high = Number(BigInt.asIntN(32, this.value >> 32n));
    for (let slot = to; slot < to + end - start; slot++) {
      target[2 * slot] = low;
      target[2 * slot + 1] = high;
    }
  }

  decodeNumbers(start: number, end: number, target: Float64Array, to: number): void {
    target.fill(this.number, to, to + end - start);
  }

  numberAt(): number {
    return this.number;
  }

  bigintAt(): bigint {
    return this.value;
  }

  prepare(test: IntegerTest): PreparedFilter {
    const passes =
      test.kind === 'set'
        ? test.values.includes(this.value)
        : (this.value >= test.low && this.value <= test.high) !== test.negate;
    return passes ? keepAll : () => 0;
  }

  validate(): void {}
}

export class ConstantFloats extends FloatNode {
  readonly encoding = 'constant';
  private readonly value: number;

  constructor(count: number, value: number) {
    super(count);
    this.value = value;
  }

  decode(start: number, end: number, target: Float64Array | Float32Array, to: number): void {
    target.fill(this.value, to, to + end - start);
  }

  at(): number {
    return this.value;
  }

  validate(): void {}
}

export class ConstantBytes extends BytesNode {
  readonly encoding = 'constant';
  private readonly value: Uint8Array;

  constructor(count: number, value: Uint8Array) {
    super(count);
    this.value = value;
  }

  decode(start: number, end: number, sink: BytesSink): void {
    for (let index = start; index < end; index++) sink.append(this.value, 0, this.value.length);
  }

  at(): Uint8Array {
    return this.value;
  }

  validate(): void {}
}

const bits = new DataView(new ArrayBuffer(8));

export function openConstantFloats(header: NodeHeader): ConstantFloats {
  bits.setBigInt64(0, header.base);
  return new ConstantFloats(header.count, bits.getFloat64(0));
}

export function openConstantBytes(bytes: Uint8Array, header: NodeHeader): ConstantBytes {
  checkInside(header, header.body, header.aux, 'constant');
  check(header.family !== FAMILY.bytes16 || header.aux === 16, 'constant uuid is not 16 bytes');
  return new ConstantBytes(header.count, bytes.subarray(header.body, header.body + header.aux));
}

export function planConstantInteger(count: number, value: bigint): NodePlan {
  return {
    encoding: 'constant',
    size: NODE_HEADER_BYTES,
    write: (out) => out.endNode(out.beginNode(ENCODING.constant, FAMILY.integer, count, { base: value })),
  };
}

export function planConstantFloat(count: number, family: number, value: number): NodePlan {
  bits.setFloat64(0, value);
  const base = bits.getBigInt64(0);
  return {
    encoding: 'constant',
    size: NODE_HEADER_BYTES,
    write: (out) => out.endNode(out.beginNode(ENCODING.constant, family, count, { base })),
  };
}

export function planConstantBytes(count: number, family: number, value: Uint8Array): NodePlan {
  return {
    encoding: 'constant',
    size: NODE_HEADER_BYTES + align8(value.length),
    write: (out) => {
      const node = out.beginNode(ENCODING.constant, family, count, { aux: value.length });
      const at = out.reserve(value.length);
      out.slice8(at, value.length).set(value);
      out.endNode(node);
    },
  };
}
