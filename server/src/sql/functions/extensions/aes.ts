/** AES (FIPS 197) on single blocks, for pgcrypto's raw encryption. Tables are computed, not listed. */
import { DbError } from '../../../base/error.ts';

const BOX = new Uint8Array(256);
const INVERSE_BOX = new Uint8Array(256);

const double = (value: number): number => ((value << 1) ^ (value & 0x80 ? 0x11b : 0)) & 255;
function multiply(left: number, right: number): number {
  let result = 0;
  for (let factor = left, bits = right; bits > 0; bits >>= 1, factor = double(factor)) {
    if (bits & 1) result ^= factor;
  }
  return result;
}

// Walk the field by its generator 3 and the inverse of it at the same time.
for (let value = 1, inverse = 1, count = 0; count < 255; count++) {
  const turned = inverse ^ (inverse << 1) ^ (inverse << 2) ^ (inverse << 3) ^ (inverse << 4);
  BOX[value] = ((turned ^ (turned >> 8)) & 255) ^ 0x63;
  value = value ^ double(value);
  inverse = multiply(inverse, 0xf6);
}
BOX[0] = 0x63;
for (let value = 0; value < 256; value++) INVERSE_BOX[BOX[value]!] = value;

export const AES_BLOCK = 16;

export class Aes {
  private readonly keys: Uint8Array;
  private readonly rounds: number;

  /** The key is filled up with zeroes to 16, 24 or 32 bytes. */
  constructor(key: Uint8Array) {
    const size = key.length <= 16 ? 16 : key.length <= 24 ? 24 : 32;
    if (key.length > 32) {
      throw new DbError('external_routine_invocation_exception', 'Cannot use "aes": Key was too big');
    }
    const words = size / 4;
    this.rounds = words + 6;
    const keys = new Uint8Array(16 * (this.rounds + 1));
    keys.set(key);
    let factor = 1;
    for (let at = size; at < keys.length; at += 4) {
      let part = [...keys.subarray(at - 4, at)];
      if ((at / 4) % words === 0) {
        part = [...part.slice(1), part[0]!].map((byte) => BOX[byte]!);
        part[0] = part[0]! ^ factor;
        factor = double(factor);
      } else if (words > 6 && (at / 4) % words === 4) part = part.map((byte) => BOX[byte]!);
      for (let index = 0; index < 4; index++) keys[at + index] = keys[at + index - size]! ^ part[index]!;
    }
    this.keys = keys;
  }

  private addKey(block: Uint8Array, round: number): void {
    for (let index = 0; index < 16; index++) block[index] = block[index]! ^ this.keys[round * 16 + index]!;
  }

  encrypt(input: Uint8Array): Uint8Array {
    const block = Uint8Array.from(input);
    this.addKey(block, 0);
    for (let round = 1; round <= this.rounds; round++) {
      const shifted = Uint8Array.from(block, (_, index) => BOX[block[(index * 5) & 15]!]!);
      block.set(shifted);
      if (round < this.rounds) mix(block, [2, 3, 1, 1]);
      this.addKey(block, round);
    }
    return block;
  }

  decrypt(input: Uint8Array): Uint8Array {
    const block = Uint8Array.from(input);
    for (let round = this.rounds; round > 0; round--) {
      this.addKey(block, round);
      if (round < this.rounds) mix(block, [14, 11, 13, 9]);
      const shifted = Uint8Array.from(block, (_, index) => INVERSE_BOX[block[(index * 13) & 15]!]!);
      block.set(shifted);
    }
    this.addKey(block, 0);
    return block;
  }
}

function mix(block: Uint8Array, factors: readonly [number, number, number, number]): void {
  for (let column = 0; column < 16; column += 4) {
    const part = [...block.subarray(column, column + 4)];
    for (let row = 0; row < 4; row++) {
      let sum = 0;
      for (let index = 0; index < 4; index++) sum ^= multiply(part[index]!, factors[(index - row + 4) & 3]!);
      block[column + row] = sum;
    }
  }
}
