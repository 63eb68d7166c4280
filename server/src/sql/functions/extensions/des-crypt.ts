/**
 * The DES schemes of crypt(3): the traditional one of two characters of salt and the extended one (`_`, rounds, salt).
 *
 * Written for correctness, bit by bit: one password costs about a millisecond. Tables: FIPS 46-3.
 */
import { DbError } from '../../../base/error.ts';
import { spend } from '../../../base/work.ts';

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const FIRST = [58, 60, 62, 64, 57, 59, 61, 63].flatMap((row) =>
  Array.from({ length: 8 }, (_, at) => row - 8 * at - 1),
);
const LAST = FIRST.reduce<number[]>((inverse, from, to) => {
  inverse[from] = to;
  return inverse;
}, []);
const EXPANSION = Array.from({ length: 48 }, (_, at) => (4 * Math.floor(at / 6) + (at % 6) + 31) % 32);
// biome-ignore format: tables
const PERMUTATION = [
  16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
].map((bit) => bit - 1);
// biome-ignore format: tables
const CHOICE_1 = [
  57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
  63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
].map((bit) => bit - 1);
// biome-ignore format: tables
const CHOICE_2 = [
  14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
  41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
].map((bit) => bit - 1);
const SHIFTS = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];
/** Eight boxes of four rows of sixteen. */
// biome-ignore format: tables
const BOX_ROWS: readonly (readonly number[])[] = [
  [14,4,13,1,2,15,11,8,3,10,6,12,5,9,0,7, 0,15,7,4,14,2,13,1,10,6,12,11,9,5,3,8, 4,1,14,8,13,6,2,11,15,12,9,7,3,10,5,0, 15,12,8,2,4,9,1,7,5,11,3,14,10,0,6,13],
  [15,1,8,14,6,11,3,4,9,7,2,13,12,0,5,10, 3,13,4,7,15,2,8,14,12,0,1,10,6,9,11,5, 0,14,7,11,10,4,13,1,5,8,12,6,9,3,2,15, 13,8,10,1,3,15,4,2,11,6,7,12,0,5,14,9],
  [10,0,9,14,6,3,15,5,1,13,12,7,11,4,2,8, 13,7,0,9,3,4,6,10,2,8,5,14,12,11,15,1, 13,6,4,9,8,15,3,0,11,1,2,12,5,10,14,7, 1,10,13,0,6,9,8,7,4,15,14,3,11,5,2,12],
  [7,13,14,3,0,6,9,10,1,2,8,5,11,12,4,15, 13,8,11,5,6,15,0,3,4,7,2,12,1,10,14,9, 10,6,9,0,12,11,7,13,15,1,3,14,5,2,8,4, 3,15,0,6,10,1,13,8,9,4,5,11,12,7,2,14],
  [2,12,4,1,7,10,11,6,8,5,3,15,13,0,14,9, 14,11,2,12,4,7,13,1,5,0,15,10,3,9,8,6, 4,2,1,11,10,13,7,8,15,9,12,5,6,3,0,14, 11,8,12,7,1,14,2,13,6,15,0,9,10,4,5,3],
  [12,1,10,15,9,2,6,8,0,13,3,4,14,7,5,11, 10,15,4,2,7,12,9,5,6,1,13,14,0,11,3,8, 9,14,15,5,2,8,12,3,7,0,4,10,1,13,11,6, 4,3,2,12,9,5,15,10,11,14,1,7,6,0,8,13],
  [4,11,2,14,15,0,8,13,3,12,9,7,5,10,6,1, 13,0,11,7,4,9,1,10,14,3,5,12,2,15,8,6, 1,4,11,13,12,3,7,14,10,15,6,8,0,5,9,2, 6,11,13,8,1,4,10,7,9,5,0,15,14,2,3,12],
  [13,2,8,4,6,15,11,1,10,9,3,14,5,0,12,7, 1,15,13,8,10,3,7,4,12,5,6,11,0,14,9,2, 7,11,4,1,9,12,14,2,0,6,10,13,15,3,5,8, 2,1,14,7,4,10,8,13,15,12,9,0,3,5,6,11],
];
/** Units of base/work.ts for one encryption. */
const ENCRYPTION_UNITS = 1500;

type Bits = Uint8Array;

function pick(bits: Bits, from: readonly number[]): Bits {
  const result = new Uint8Array(from.length);
  for (let at = 0; at < from.length; at++) result[at] = bits[from[at]!]!;
  return result;
}

function schedule(key: Bits): Bits[] {
  let halves = pick(key, CHOICE_1);
  return SHIFTS.map((shift) => {
    const turned = new Uint8Array(56);
    for (let at = 0; at < 28; at++) {
      turned[at] = halves[(at + shift) % 28]!;
      turned[28 + at] = halves[28 + ((at + shift) % 28)]!;
    }
    halves = turned;
    return pick(halves, CHOICE_2);
  });
}

/** Encrypts `count` times in a row. Each bit set in `salt` swaps two outputs of the expansion. */
function encrypt(block: Bits, keys: readonly Bits[], salt: number, count: number): Bits {
  const expansion = EXPANSION.slice();
  for (let bit = 0; bit < 24; bit++) {
    if (((salt >>> bit) & 1) === 0) continue;
    const other = expansion[bit]!;
    expansion[bit] = expansion[bit + 24]!;
    expansion[bit + 24] = other;
  }
  const mixed = pick(block, FIRST);
  let left: Bits = mixed.slice(0, 32);
  let right: Bits = mixed.slice(32);
  for (let time = 0; time < count; time++) {
    spend(ENCRYPTION_UNITS);
    for (const key of keys) {
      const substituted = new Uint8Array(32);
      for (let box = 0; box < 8; box++) {
        let index = 0;
        for (let bit = 0; bit < 6; bit++)
          index = (index << 1) | (right[expansion[box * 6 + bit]!]! ^ key[box * 6 + bit]!);
        const row = ((index >> 4) & 2) | (index & 1);
        const value = BOX_ROWS[box]![row * 16 + ((index >> 1) & 15)]!;
        for (let bit = 0; bit < 4; bit++) substituted[box * 4 + bit] = (value >> (3 - bit)) & 1;
      }
      const next = pick(substituted, PERMUTATION);
      for (let bit = 0; bit < 32; bit++) next[bit]! ^= left[bit]!;
      left = right;
      right = next;
    }
    [left, right] = [right, left];
  }
  const joined = new Uint8Array(64);
  joined.set(left);
  joined.set(right, 32);
  return pick(joined, LAST);
}

/** Seven bits of each character, the eighth (parity) zero. */
function keyBits(bytes: Uint8Array): Bits {
  const bits = new Uint8Array(64);
  for (let at = 0; at < 8; at++) {
    const byte = (bytes[at] ?? 0) & 0x7f;
    for (let bit = 0; bit < 7; bit++) bits[at * 8 + bit] = (byte >> (6 - bit)) & 1;
  }
  return bits;
}

function hashText(bits: Bits): string {
  let text = '';
  for (let at = 0; at < 66; at += 6) {
    let value = 0;
    for (let bit = 0; bit < 6; bit++) value = (value << 1) | (bits[at + bit] ?? 0);
    text += ALPHABET[value];
  }
  return text;
}

function number(text: string): number {
  let value = 0;
  for (let at = 0; at < text.length; at++) {
    const code = ALPHABET.indexOf(text[at]!);
    if (code < 0) throw new DbError('invalid_parameter_value', 'invalid salt');
    value |= code << (6 * at);
  }
  return value;
}

/** Errors: 22023 invalid salt. */
export function desCrypt(password: Uint8Array, setting: string): string {
  const end = password.indexOf(0);
  const bytes = end < 0 ? password : password.subarray(0, end);
  if (setting.startsWith('_')) {
    if (setting.length < 9) throw new DbError('invalid_parameter_value', 'invalid salt');
    const count = number(setting.slice(1, 5));
    const salt = number(setting.slice(5, 9));
    if (count === 0) throw new DbError('invalid_parameter_value', 'invalid salt');
    let key = keyBits(bytes.subarray(0, 8));
    for (let at = 8; at < bytes.length; at += 8) {
      const mixed = encrypt(key, schedule(key), 0, 1);
      const more = keyBits(bytes.subarray(at, at + 8));
      key = mixed.map((bit, index) => bit ^ more[index]!);
    }
    return setting.slice(0, 9) + hashText(encrypt(new Uint8Array(64), schedule(key), salt, count));
  }
  if (setting.length < 2) throw new DbError('invalid_parameter_value', 'invalid salt');
  const salt = number(setting.slice(0, 2));
  return setting.slice(0, 2) + hashText(encrypt(new Uint8Array(64), schedule(keyBits(bytes)), salt, 25));
}

function saltText(value: number, count: number): string {
  let text = '';
  for (let at = 0; at < count; at++) text += ALPHABET[(value >>> (6 * at)) & 63];
  return text;
}

export function desSalt(random: Uint8Array): string {
  return saltText(random[0]! | (random[1]! << 8), 2);
}

/** `rounds` is odd: even ones would show weak keys. */
export function extendedDesSalt(random: Uint8Array, rounds: number): string {
  const value = random[0]! | (random[1]! << 8) | (random[2]! << 16);
  return `_${saltText(rounds, 4)}${saltText(value, 4)}`;
}
