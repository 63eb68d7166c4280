/**
 * PostgreSQL's hash functions over bytes and integers: Bob Jenkins' lookup3 with its own seeds. Values are what hashtext() and
 * others answer, so that partitions and comparisons by hash agree with PostgreSQL's on little-endian machines.
 */
const INITIAL = 0x9e3779b9 + 3923095;

const rotate = (value: number, count: number): number => (value << count) | (value >>> (32 - count));

/** Three 32-bit words of state. */
class Mixer {
  a: number;
  b: number;
  c: number;

  constructor(length: number, seed: bigint) {
    const start = (INITIAL + length) | 0;
    this.a = start;
    this.b = start;
    this.c = start;
    if (seed !== 0n) {
      this.a = (this.a + Number((seed >> 32n) & 0xffffffffn)) | 0;
      this.b = (this.b + Number(seed & 0xffffffffn)) | 0;
      this.mix();
    }
  }

  mix(): void {
    let { a, b, c } = this;
    a = (a - c) | 0;
    a ^= rotate(c, 4);
    c = (c + b) | 0;
    b = (b - a) | 0;
    b ^= rotate(a, 6);
    a = (a + c) | 0;
    c = (c - b) | 0;
    c ^= rotate(b, 8);
    b = (b + a) | 0;
    a = (a - c) | 0;
    a ^= rotate(c, 16);
    c = (c + b) | 0;
    b = (b - a) | 0;
    b ^= rotate(a, 19);
    a = (a + c) | 0;
    c = (c - b) | 0;
    c ^= rotate(b, 4);
    b = (b + a) | 0;
    this.a = a;
    this.b = b;
    this.c = c;
  }

  final(): void {
    let { a, b, c } = this;
    c ^= b;
    c = (c - rotate(b, 14)) | 0;
    a ^= c;
    a = (a - rotate(c, 11)) | 0;
    b ^= a;
    b = (b - rotate(a, 25)) | 0;
    c ^= b;
    c = (c - rotate(b, 16)) | 0;
    a ^= c;
    a = (a - rotate(c, 4)) | 0;
    b ^= a;
    b = (b - rotate(a, 14)) | 0;
    c ^= b;
    c = (c - rotate(b, 24)) | 0;
    this.a = a;
    this.b = b;
    this.c = c;
  }

  /** 64 bits: b above c. */
  wide(): bigint {
    return BigInt.asIntN(64, (BigInt(this.b >>> 0) << 32n) | BigInt(this.c >>> 0));
  }
}

function run(bytes: Uint8Array, seed: bigint): Mixer {
  const mixer = new Mixer(bytes.length, seed);
  const word = (at: number): number =>
    bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  let at = 0;
  for (; bytes.length - at >= 12; at += 12) {
    mixer.a = (mixer.a + word(at)) | 0;
    mixer.b = (mixer.b + word(at + 4)) | 0;
    mixer.c = (mixer.c + word(at + 8)) | 0;
    mixer.mix();
  }
  const rest = bytes.length - at;
  // The lowest byte of c is left for the length.
  for (let index = rest - 1; index >= 0; index--) {
    const byte = bytes[at + index]!;
    if (index >= 8) mixer.c = (mixer.c + (byte << (8 * (index - 7)))) | 0;
    else if (index >= 4) mixer.b = (mixer.b + (byte << (8 * (index - 4)))) | 0;
    else mixer.a = (mixer.a + (byte << (8 * index))) | 0;
  }
  mixer.final();
  return mixer;
}

/** hash_any: a signed 32-bit number. */
export function hashBytes(bytes: Uint8Array): number {
  return run(bytes, 0n).c | 0;
}

/** hash_any_extended: a signed 64-bit number; with seed 0 its low half is {@link hashBytes}. */
export function hashBytesExtended(bytes: Uint8Array, seed: bigint): bigint {
  return run(bytes, seed).wide();
}

/** hash_uint32. */
export function hashInteger(value: number): number {
  const mixer = new Mixer(4, 0n);
  mixer.a = (mixer.a + value) | 0;
  mixer.final();
  return mixer.c | 0;
}

export function hashIntegerExtended(value: number, seed: bigint): bigint {
  const mixer = new Mixer(4, seed);
  mixer.a = (mixer.a + value) | 0;
  mixer.final();
  return mixer.wide();
}
