/**
 * The Blowfish scheme of crypt(3), known as bcrypt (Provos and Mazières, "A Future-Adaptable Password Scheme", 1999).
 *
 * Blowfish's tables are the hexadecimal digits of the fraction of pi: computed on first use instead of written down.
 */
import { DbError } from '../../../base/error.ts';
import { spend } from '../../../base/work.ts';

const SUBKEYS = 18;
const BOXES = 4 * 256;
/** Units of base/work.ts for one key schedule. */
const SCHEDULE_UNITS = 3000;
const KEY_BYTES_MAX = 72;
const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

let digits: Uint32Array | null = null;

/** Words of pi's fraction, 32 bits each, by Machin's formula. */
function wordsOfPi(): Uint32Array {
  if (digits !== null) return digits;
  const count = SUBKEYS + BOXES;
  const guard = 64n;
  const bits = BigInt(count * 32) + guard;
  const inverseTangent = (divisor: bigint): bigint => {
    const square = divisor * divisor;
    let term = (1n << bits) / divisor;
    let sum = term;
    for (let odd = 3n, sign = -1n; term !== 0n; odd += 2n, sign = -sign) {
      term /= square;
      sum += (sign * term) / odd;
    }
    return sum;
  };
  const pi = 4n * (4n * inverseTangent(5n) - inverseTangent(239n));
  const fraction = (pi - (3n << bits)) >> guard;
  const hex = fraction.toString(16).padStart(count * 8, '0');
  digits = Uint32Array.from({ length: count }, (_, at) => Number.parseInt(hex.slice(at * 8, at * 8 + 8), 16));
  return digits;
}

class Blowfish {
  private readonly subkeys: Uint32Array;
  private readonly boxes: Uint32Array;
  private left = 0;
  private right = 0;

  constructor() {
    const words = wordsOfPi();
    this.subkeys = words.slice(0, SUBKEYS);
    this.boxes = words.slice(SUBKEYS);
  }

  /** Encrypts the block (left, right) in place. */
  private encrypt(): void {
    const { subkeys, boxes } = this;
    let { left, right } = this;
    for (let round = 0; round < 16; round += 2) {
      left ^= subkeys[round]!;
      right ^=
        ((boxes[left >>> 24]! + boxes[256 + ((left >>> 16) & 255)]!) ^ boxes[512 + ((left >>> 8) & 255)]!) +
        boxes[768 + (left & 255)]!;
      right ^= subkeys[round + 1]!;
      left ^=
        ((boxes[right >>> 24]! + boxes[256 + ((right >>> 16) & 255)]!) ^
          boxes[512 + ((right >>> 8) & 255)]!) +
        boxes[768 + (right & 255)]!;
    }
    this.left = right ^ subkeys[17]!;
    this.right = left ^ subkeys[16]!;
  }

  /** Mixes the key into the subkeys, then replaces subkeys and boxes by encryptions chained with the salt. */
  expand(key: Uint32Array, salt: Uint32Array | null): void {
    const { subkeys, boxes } = this;
    for (let index = 0; index < SUBKEYS; index++) subkeys[index]! ^= key[index % key.length]!;
    this.left = 0;
    this.right = 0;
    let at = 0;
    const fill = (table: Uint32Array): void => {
      for (let index = 0; index < table.length; index += 2) {
        if (salt !== null) {
          this.left ^= salt[at & 3]!;
          this.right ^= salt[(at + 1) & 3]!;
          at += 2;
        }
        this.encrypt();
        table[index] = this.left;
        table[index + 1] = this.right;
      }
    };
    fill(subkeys);
    fill(boxes);
  }

  encryptWords(words: Uint32Array): void {
    for (let index = 0; index < words.length; index += 2) {
      this.left = words[index]!;
      this.right = words[index + 1]!;
      this.encrypt();
      words[index] = this.left;
      words[index + 1] = this.right;
    }
  }
}

/** Six bits a character, most significant first. */
function encode(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const value = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    for (let part = 0; part < Math.min(4, left + 1); part++)
      text += ALPHABET[(value >>> (18 - 6 * part)) & 63];
  }
  return text;
}

function decode(text: string): Uint8Array | null {
  const bytes: number[] = [];
  let value = 0;
  let bits = 0;
  for (const character of text) {
    const code = ALPHABET.indexOf(character);
    if (code < 0) return null;
    value = ((value << 6) | code) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >>> bits) & 255);
    }
  }
  return Uint8Array.from(bytes.slice(0, 16));
}

/** The password with its final NUL, over and over, as words. `isSigned`: the fault that `$2x$` preserves. */
function keyWords(password: Uint8Array, isSigned: boolean): Uint32Array {
  const key = new Uint8Array(Math.min(password.length, KEY_BYTES_MAX) + 1);
  key.set(password.subarray(0, KEY_BYTES_MAX));
  const words = new Uint32Array(SUBKEYS);
  let at = 0;
  for (let index = 0; index < SUBKEYS; index++) {
    let word = 0;
    for (let byte = 0; byte < 4; byte++) {
      const value = key[at]!;
      word = (word << 8) | (isSigned ? (value << 24) >> 24 : value);
      at = (at + 1) % key.length;
    }
    words[index] = word;
  }
  return words;
}

function words(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.length >> 2 }, (_, at) => view.getUint32(at * 4));
}

/** `$2a$cost$salt` and hash. Errors: 22023 invalid salt. */
export function blowfishCrypt(password: Uint8Array, setting: string): string {
  const found = /^\$2([ax])\$(\d\d)\$([./A-Za-z0-9]{22})/.exec(setting);
  const cost = Number(found?.[2] ?? 0);
  const salt = found === null ? null : decode(found[3]!);
  if (found === null || salt === null || cost < 4 || cost > 31)
    throw new DbError('invalid_parameter_value', 'invalid salt');
  const saltWords = words(salt);
  const key = keyWords(password, found[1] === 'x');
  const cipher = new Blowfish();
  cipher.expand(key, saltWords);
  const rounds = 2 ** cost;
  for (let round = 0; round < rounds; round++) {
    spend(2 * SCHEDULE_UNITS);
    cipher.expand(key, null);
    cipher.expand(saltWords, null);
  }
  const text = words(Buffer.from('OrpheanBeholderScryDoubt'));
  for (let round = 0; round < 64; round++) cipher.encryptWords(text);
  const hash = new Uint8Array(24);
  const view = new DataView(hash.buffer);
  for (let at = 0; at < text.length; at++) view.setUint32(at * 4, text[at]!);
  return `$2${found[1]}$${found[2]}$${encode(salt)}${encode(hash.subarray(0, 23))}`;
}

/** gen_salt('bf', cost): a setting of 16 random bytes. */
export function blowfishSalt(random: Uint8Array, cost: number): string {
  return `$2a$${String(cost).padStart(2, '0')}$${encode(random)}`;
}
