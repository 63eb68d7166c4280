/** pgcrypto: digests, HMAC, password hashes (md5, Blowfish, DES), raw AES, random bytes, ASCII armour. OpenPGP messages are refused by name. */
import { DbError, notSupported } from '../../../base/error.ts';
import { concatBytes } from '../../../types/binary.ts';
import type { SqlArray } from '../../../types/datum.ts';
import { bytesToHex, hexToUuid } from '../../../types/scalars.ts';
import type { FunctionContext } from '../contract.ts';
import { boundTable, type FunctionTable, type Implementation } from '../registry.ts';
import { AES_BLOCK, Aes } from './aes.ts';
import { armor, dearmor } from './armor.ts';
import { blowfishCrypt, blowfishSalt } from './blowfish.ts';
import { desCrypt, desSalt, extendedDesSalt } from './des-crypt.ts';
import { sha1 } from './sha1.ts';

type Digest = (bytes: Uint8Array) => Uint8Array;

function digestOf(context: FunctionContext, name: string): { digest: Digest; block: number } {
  const algorithm = name.toLowerCase();
  switch (algorithm) {
    case 'sha1':
      return { digest: sha1, block: 64 };
    case 'md5':
    case 'sha224':
    case 'sha256':
      return { digest: (bytes) => context.digest(algorithm, bytes), block: 64 };
    case 'sha384':
    case 'sha512':
      return { digest: (bytes) => context.digest(algorithm, bytes), block: 128 };
    default:
      throw new DbError('invalid_parameter_value', `Cannot use "${algorithm}": No such hash algorithm`);
  }
}

const bytesOf = (value: string | Uint8Array): Uint8Array =>
  typeof value === 'string' ? Buffer.from(value) : value;

export function hmac(digest: Digest, block: number, key: Uint8Array, message: Uint8Array): Uint8Array {
  const padded = new Uint8Array(block);
  padded.set(key.length > block ? digest(key) : key);
  const inner = digest(concatBytes([padded.map((byte) => byte ^ 0x36), message]));
  return digest(concatBytes([padded.map((byte) => byte ^ 0x5c), inner]));
}

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function encode64(value: number, count: number): string {
  let result = '';
  for (let rest = value; result.length < count; rest >>>= 6) result += ALPHABET[rest & 63]!;
  return result;
}

/** The md5 scheme of crypt(3): `$1$salt$hash`. */
function md5Crypt(context: FunctionContext, password: Uint8Array, setting: string): string {
  const salt = setting.slice(3).split('$')[0]!.slice(0, 8);
  const saltBytes = Buffer.from(salt);
  const md5 = (...parts: Uint8Array[]): Uint8Array => context.digest('md5', concatBytes(parts));
  const alternate = md5(password, saltBytes, password);
  const parts: Uint8Array[] = [password, Buffer.from('$1$'), saltBytes];
  for (let left = password.length; left > 0; left -= 16)
    parts.push(alternate.subarray(0, Math.min(16, left)));
  for (let bits = password.length; bits > 0; bits >>= 1) {
    parts.push(bits & 1 ? Uint8Array.of(0) : password.subarray(0, 1));
  }
  let final = md5(...parts);
  for (let round = 0; round < 1000; round++) {
    const pieces: Uint8Array[] = [round & 1 ? password : final];
    if (round % 3 !== 0) pieces.push(saltBytes);
    if (round % 7 !== 0) pieces.push(password);
    pieces.push(round & 1 ? final : password);
    final = md5(...pieces);
  }
  let text = '';
  for (const [a, b, c] of [
    [0, 6, 12],
    [1, 7, 13],
    [2, 8, 14],
    [3, 9, 15],
    [4, 10, 5],
  ] as const) {
    text += encode64((final[a]! << 16) | (final[b]! << 8) | final[c]!, 4);
  }
  return `$1$${salt}$${text}${encode64(final[11]!, 2)}`;
}

function crypt(context: FunctionContext, password: string, setting: string): string {
  if (setting.startsWith('$1$')) return md5Crypt(context, Buffer.from(password), setting);
  if (setting.startsWith('$2')) return blowfishCrypt(Buffer.from(password), setting);
  if (setting.startsWith('$')) throw new DbError('invalid_parameter_value', 'invalid salt');
  return desCrypt(Buffer.from(password), setting);
}

function wrongRounds(): DbError {
  return new DbError('invalid_parameter_value', 'gen_salt: Incorrect number of rounds');
}

function generateSalt(context: FunctionContext, type: string, rounds: number): string {
  switch (type.toLowerCase()) {
    case 'md5': {
      if (rounds !== 0 && rounds !== 1000) {
        throw wrongRounds();
      }
      const random = context.randomBytes(6);
      const first = (random[0]! << 16) | (random[1]! << 8) | random[2]!;
      const second = (random[3]! << 16) | (random[4]! << 8) | random[5]!;
      return `$1$${encode64(first, 4)}${encode64(second, 4)}`;
    }
    case 'bf':
      if (rounds !== 0 && (rounds < 4 || rounds > 31)) throw wrongRounds();
      return blowfishSalt(context.randomBytes(16), rounds === 0 ? 6 : rounds);
    case 'des':
      if (rounds !== 0 && rounds !== 25) throw wrongRounds();
      return desSalt(context.randomBytes(2));
    case 'xdes':
      if (rounds !== 0 && (rounds < 1 || rounds > 0xffffff || rounds % 2 === 0)) throw wrongRounds();
      return extendedDesSalt(context.randomBytes(3), rounds === 0 ? 29 * 25 : rounds);
    default:
      throw new DbError('invalid_parameter_value', 'gen_salt: Unknown salt algorithm');
  }
}

interface Cipher {
  readonly aes: Aes;
  readonly isChained: boolean;
  readonly isPadded: boolean;
}

/** `aes`, `aes-cbc`, `aes-ecb`, each with `/pad:pkcs` or `/pad:none`. */
function cipherOf(name: string, key: Uint8Array): Cipher {
  const found = /^([a-z0-9]+)(?:-(cbc|ecb))?(?:\/pad:(pkcs|none))?$/.exec(name.toLowerCase());
  const algorithm = found?.[1];
  if (algorithm === 'bf' || algorithm === 'blowfish' || algorithm === '3des' || algorithm === 'des') {
    throw notSupported(`cipher ${algorithm} of pgcrypto`);
  }
  if (found === null || !/^(?:aes|rijndael|aes128|aes192|aes256)$/.test(algorithm ?? '')) {
    throw new DbError(
      'invalid_parameter_value',
      `Cannot use "${name.toLowerCase()}": No such cipher algorithm`,
    );
  }
  return { aes: new Aes(key), isChained: found[2] !== 'ecb', isPadded: found[3] !== 'none' };
}

function firstVector(given: Uint8Array | null): Uint8Array {
  const vector = new Uint8Array(AES_BLOCK);
  if (given !== null) vector.set(given.subarray(0, AES_BLOCK));
  return vector;
}

function failed(verb: string, reason: string): DbError {
  return new DbError('external_routine_invocation_exception', `${verb} error: ${reason}`);
}

function encrypt(data: Uint8Array, key: Uint8Array, vector: Uint8Array | null, type: string): Uint8Array {
  const { aes, isChained, isPadded } = cipherOf(type, key);
  const padding = isPadded ? AES_BLOCK - (data.length % AES_BLOCK) : 0;
  const input = new Uint8Array(data.length + padding).fill(padding);
  input.set(data);
  if (input.length % AES_BLOCK !== 0) throw failed('encrypt', 'Data not a multiple of block size');
  const output = new Uint8Array(input.length);
  let before = firstVector(vector);
  for (let at = 0; at < input.length; at += AES_BLOCK) {
    const block = input.slice(at, at + AES_BLOCK);
    if (isChained)
      for (let index = 0; index < AES_BLOCK; index++) block[index] = block[index]! ^ before[index]!;
    before = aes.encrypt(block);
    output.set(before, at);
  }
  return output;
}

function decrypt(data: Uint8Array, key: Uint8Array, vector: Uint8Array | null, type: string): Uint8Array {
  const { aes, isChained, isPadded } = cipherOf(type, key);
  if (data.length % AES_BLOCK !== 0 || (isPadded && data.length === 0)) {
    throw failed('decrypt', 'Decryption failed');
  }
  const output = new Uint8Array(data.length);
  let before = firstVector(vector);
  for (let at = 0; at < data.length; at += AES_BLOCK) {
    const block = data.slice(at, at + AES_BLOCK);
    const plain = aes.decrypt(block);
    if (isChained)
      for (let index = 0; index < AES_BLOCK; index++) plain[index] = plain[index]! ^ before[index]!;
    output.set(plain, at);
    before = block;
  }
  if (!isPadded) return output;
  const padding = output.at(-1)!;
  const isValid =
    padding >= 1 && padding <= AES_BLOCK && output.subarray(-padding).every((byte) => byte === padding);
  if (!isValid) throw failed('decrypt', 'Decryption failed');
  return output.slice(0, output.length - padding);
}

function randomUuid(context: FunctionContext): string {
  const bytes = Uint8Array.from(context.randomBytes(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return hexToUuid(bytesToHex(bytes));
}

/** Headers for armor(); keys and values must be plain ASCII without line ends. */
function headersOf(keys: SqlArray, values: SqlArray): [string, string][] {
  if (keys.dimensions.length > 1 || values.dimensions.length > 1)
    throw new DbError('array_subscript_error', 'wrong number of array subscripts');
  if (keys.elements.length !== values.elements.length)
    throw new DbError('array_subscript_error', 'mismatched array dimensions');
  return keys.elements.map((key, index) => {
    const value = values.elements[index];
    for (const [what, text] of [
      ['key', key],
      ['value', value],
    ] as const) {
      if (text === null || text === undefined)
        throw new DbError('null_value_not_allowed', `null value not allowed for header ${what}`);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: everything beyond ASCII is refused
      if (/[^\x00-\x7f]/.test(text as string))
        throw new DbError('invalid_parameter_value', `header ${what} must not contain non-ASCII characters`);
      if ((text as string).includes('\n'))
        throw new DbError('invalid_parameter_value', `header ${what} must not contain newlines`);
    }
    if ((key as string).includes(': '))
      throw new DbError('invalid_parameter_value', 'header key must not contain ": "');
    return [key as string, value as string];
  });
}

const refused = (name: string) => (): Implementation => () => {
  throw notSupported(`function ${name} of pgcrypto`);
};

export const pgcryptoFunctions: FunctionTable = boundTable({
  pg_digest: (context) => (data: string | Uint8Array, type: string) =>
    digestOf(context, type).digest(bytesOf(data)),
  pg_hmac: (context) => (data: string | Uint8Array, key: string | Uint8Array, type: string) => {
    const { digest, block } = digestOf(context, type);
    return hmac(digest, block, bytesOf(key), bytesOf(data));
  },
  pg_crypt: (context) => (password: string, setting: string) => crypt(context, password, setting),
  pg_gen_salt: (context) => (type: string) => generateSalt(context, type, 0),
  pg_gen_salt_rounds: (context) => (type: string, rounds: number) => generateSalt(context, type, rounds),
  pg_encrypt: () => (data: Uint8Array, key: Uint8Array, type: string) => encrypt(data, key, null, type),
  pg_decrypt: () => (data: Uint8Array, key: Uint8Array, type: string) => decrypt(data, key, null, type),
  pg_encrypt_iv: () => (data: Uint8Array, key: Uint8Array, vector: Uint8Array, type: string) =>
    encrypt(data, key, vector, type),
  pg_decrypt_iv: () => (data: Uint8Array, key: Uint8Array, vector: Uint8Array, type: string) =>
    decrypt(data, key, vector, type),
  pg_random_bytes: (context) => (count: number) => {
    if (count < 1 || count > 1024) {
      throw new DbError('external_routine_invocation_exception', 'Length not in range');
    }
    return Uint8Array.from(context.randomBytes(count));
  },
  pg_armor: () => (data: Uint8Array, keys?: SqlArray, values?: SqlArray) =>
    armor(data, keys === undefined || values === undefined ? [] : headersOf(keys, values)),
  pg_dearmor: () => (text: string) => dearmor(text),
  pg_random_uuid: (context) => () => randomUuid(context),
  ...Object.fromEntries(
    [
      ...['sym', 'pub'].flatMap((kind) =>
        ['encrypt', 'decrypt'].flatMap((verb) => [`pgp_${kind}_${verb}_text`, `pgp_${kind}_${verb}_bytea`]),
      ),
      'pgp_key_id_w',
    ].map((name) => [name, refused(name)] as const),
  ),
});

/** Name-based and random UUIDs of uuid-ossp. */
const NAMESPACES: Readonly<Record<string, string>> = {
  uuid_nil: '00000000-0000-0000-0000-000000000000',
  uuid_ns_dns: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
  uuid_ns_url: '6ba7b811-9dad-11d1-80b4-00c04fd430c8',
  uuid_ns_oid: '6ba7b812-9dad-11d1-80b4-00c04fd430c8',
  uuid_ns_x500: '6ba7b814-9dad-11d1-80b4-00c04fd430c8',
};

function named(digest: Digest, version: number, namespace: string, name: string): string {
  const seed = concatBytes([Buffer.from(namespace.replaceAll('-', ''), 'hex'), Buffer.from(name)]);
  const bytes = digest(seed).slice(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | (version << 4);
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return hexToUuid(bytesToHex(bytes));
}

/** Hundreds of nanoseconds between 1582-10-15 and 2000-01-01. */
const GREGORIAN_TO_EPOCH = 0x01b21dd213814000n + 946_684_800n * 10_000_000n;
let lastTimeStamp = 0n;

/** A UUID of time and a node number; the node is random and marked as such, never a hardware address. */
function timed(context: FunctionContext): string {
  let stamp = context.clockTimestamp() * 10n + GREGORIAN_TO_EPOCH;
  if (stamp <= lastTimeStamp) stamp = lastTimeStamp + 1n;
  lastTimeStamp = stamp;
  const random = Uint8Array.from(context.randomBytes(8));
  const bytes = new Uint8Array(16);
  const data = new DataView(bytes.buffer);
  data.setUint32(0, Number(stamp & 0xffffffffn));
  data.setUint16(4, Number((stamp >> 32n) & 0xffffn));
  data.setUint16(6, Number((stamp >> 48n) & 0x0fffn) | 0x1000);
  bytes.set(random, 8);
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  bytes[10] = bytes[10]! | 1;
  return hexToUuid(bytesToHex(bytes));
}

export const uuidFunctions: FunctionTable = boundTable({
  ...Object.fromEntries(Object.entries(NAMESPACES).map(([name, value]) => [name, () => () => value])),
  uuid_generate_v1: (context) => () => timed(context),
  uuid_generate_v1mc: (context) => () => timed(context),
  uuid_generate_v3: (context) => (namespace: string, name: string) =>
    named((bytes) => context.digest('md5', bytes), 3, namespace, name),
  uuid_generate_v4: (context) => () => randomUuid(context),
  uuid_generate_v5: () => (namespace: string, name: string) => named(sha1, 5, namespace, name),
});
