/**
 * Decimal floats (ALP, Afroozeh, Kuffo and Boncz, SIGMOD 2024): doubles that were decimals are stored as integers.
 *
 * With exponent e and factor f, n = round(v * 10^e * 10^-f) and v is recovered as n * 10^f * 10^-e. Values that do not come back bit for bit
 * are exceptions, kept whole with their positions; their integer repeats a neighbour's so that it costs nothing.
 */
import { check } from '../corruption.ts';
import {
  align8,
  CHUNK,
  checkInside,
  ENCODING,
  FAMILY,
  FloatNode,
  giveFloats,
  type IntegerNode,
  NODE_HEADER_BYTES,
  type NodeHeader,
  type NodePlan,
  takeFloats,
  uint32View,
} from './node.ts';

const powers = Array.from({ length: 19 }, (_, exponent) => Number(`1e${exponent}`));
const inverses = Array.from({ length: 19 }, (_, exponent) => Number(`1e-${exponent}`));

/** Integers beyond this are not tried: sums with the base must stay exact. */
const INTEGER_LIMIT = 2 ** 50;
const SAMPLE = 256;

export class DecimalFloatNode extends FloatNode {
  readonly encoding = 'decimal-float';
  private readonly integers: IntegerNode;
  private readonly scale: number;
  private readonly inverse: number;
  private readonly positions: Uint32Array;
  private readonly exceptions: Float64Array;

  constructor(
    bytes: Uint8Array,
    header: NodeHeader,
    openInteger: (bytes: Uint8Array, at: number) => { node: IntegerNode; end: number },
  ) {
    super(header.count);
    check(
      header.width <= 18 && header.flags <= header.width,
      `decimal exponents ${header.width}, ${header.flags}`,
    );
    const child = openInteger(bytes, header.body);
    this.integers = child.node;
    check(this.integers.count === header.count, 'as many integers as floats');
    this.scale = powers[header.flags]!;
    this.inverse = inverses[header.width]!;
    const values = child.end + align8(header.aux * 4);
    checkInside(header, child.end, align8(header.aux * 4) + header.aux * 8, 'float exceptions');
    this.positions = uint32View(bytes, child.end, header.aux);
    this.exceptions = new Float64Array(bytes.buffer, bytes.byteOffset + values, header.aux);
  }

  /** First exception at or after a position. */
  private exceptionFrom(index: number): number {
    let low = 0;
    let high = this.positions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.positions[middle]! < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  decode(start: number, end: number, target: Float64Array | Float32Array, to: number): void {
    const scratch = takeFloats();
    const { scale, inverse } = this;
    for (let from = start; from < end; from += CHUNK) {
      const until = Math.min(end, from + CHUNK);
      this.integers.decodeNumbers(from, until, scratch, 0);
      const slot = to + from - start;
      for (let index = 0; index < until - from; index++)
        target[slot + index] = scratch[index]! * scale * inverse;
    }
    giveFloats(scratch);
    for (let index = this.exceptionFrom(start); index < this.positions.length; index++) {
      const position = this.positions[index]!;
      if (position >= end) break;
      target[to + position - start] = this.exceptions[index]!;
    }
  }

  at(index: number): number {
    const exception = this.exceptionFrom(index);
    if (this.positions[exception] === index) return this.exceptions[exception]!;
    return this.integers.numberAt(index) * this.scale * this.inverse;
  }

  validate(): void {
    this.integers.validate();
    for (let index = 0; index < this.positions.length; index++)
      check(
        this.positions[index]! < this.count &&
          (index === 0 || this.positions[index - 1]! < this.positions[index]!),
        `float exception at ${this.positions[index]}`,
      );
  }
}

function encodeOne(value: number, exponent: number, factor: number): number {
  return Math.round(value * powers[exponent]! * inverses[factor]!);
}

function survives(value: number, integer: number, exponent: number, factor: number): boolean {
  return (
    Math.abs(integer) <= INTEGER_LIMIT &&
    !Object.is(value, -0) &&
    Object.is(integer * powers[factor]! * inverses[exponent]!, value)
  );
}

/** Finds the exponents on a sample and plans the node; null when fewer than nine tenths of the sample survive. */
export function planDecimalFloat(
  values: Float64Array,
  planIntegers: (values: Float64Array) => NodePlan,
): NodePlan | null {
  const count = values.length;
  const step = Math.max(1, Math.floor(count / SAMPLE));
  let best = { hits: 0, exponent: 0, factor: 0, spread: 0 };
  let sampled = 0;
  for (let index = 0; index < count; index += step) sampled++;
  for (let exponent = 0; exponent <= 18; exponent++) {
    // Small exponents first: fewer digits, smaller integers.
    for (let factor = 0; factor <= exponent; factor++) {
      if (factor > 0 && exponent - factor > 15) continue;
      let hits = 0;
      let spread = 0;
      for (let index = 0; index < count; index += step) {
        const integer = encodeOne(values[index]!, exponent, factor);
        if (survives(values[index]!, integer, exponent, factor)) {
          hits++;
          spread = Math.max(spread, Math.abs(integer));
        }
      }
      if (hits > best.hits || (hits === best.hits && spread < best.spread))
        best = { hits, exponent, factor, spread };
    }
    if (best.hits === sampled) break;
  }
  if (best.hits * 10 < sampled * 9) return null;
  const integers = new Float64Array(count);
  const positions: number[] = [];
  let previous = 0;
  for (let index = 0; index < count; index++) {
    const integer = encodeOne(values[index]!, best.exponent, best.factor);
    if (survives(values[index]!, integer, best.exponent, best.factor)) previous = integer === 0 ? 0 : integer;
    else positions.push(index);
    integers[index] = previous;
  }
  const child = planIntegers(integers);
  return {
    encoding: 'decimal-float',
    size: NODE_HEADER_BYTES + child.size + align8(positions.length * 4) + positions.length * 8,
    write: (out) => {
      const node = out.beginNode(ENCODING.decimalFloat, FAMILY.float64, count, {
        width: best.exponent,
        flags: best.factor,
        aux: positions.length,
      });
      child.write(out);
      const at = out.reserve(positions.length * 4);
      out.words(at, positions.length).set(positions);
      const data = out.reserve(positions.length * 8);
      for (let index = 0; index < positions.length; index++)
        out.data().setFloat64(data + index * 8, values[positions[index]!]!, true);
      out.endNode(node);
    },
  };
}
