/**
 * inet and cidr: IPv4 and IPv6 addresses with a network length. Text forms follow the BIND parsers PostgreSQL uses.
 */
import { DbError } from '../base/error.ts';
import { OpaqueDatum } from './datum.ts';
import { OID } from './oid.ts';
import { compareBytes, invalidSyntax } from './scalars.ts';

export class NetworkAddress extends OpaqueDatum {
  /** inet and cidr share values: the static type says which it is. */
  readonly typeOid: number = OID.INET;
  /** 4 or 16 bytes. */
  readonly bytes: Uint8Array;
  /** Length of the network part. */
  readonly bits: number;

  constructor(bytes: Uint8Array, bits: number) {
    super();
    this.bytes = bytes;
    this.bits = bits;
  }

  get maxBits(): number {
    return this.bytes.length * 8;
  }
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

interface Parsed {
  bytes: number[];
  bits: number;
}

/** "/n" at `at` to the end; null when something else. */
function widthAt(text: string, at: number, limit: number): number | null {
  let bits = 0;
  let index = at;
  if (index >= text.length) return null;
  for (; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (!isDigit(code)) return null;
    bits = bits * 10 + code - 48;
    if (bits > limit) return null;
  }
  return bits;
}

/** Reads decimal octets up to the end or "/"; `strict` refuses a dot at the end. */
function parseOctets(text: string, strict: boolean): { bytes: number[]; at: number } | null {
  const bytes: number[] = [];
  let at = 0;
  while (isDigit(text.charCodeAt(at))) {
    let value = 0;
    for (; isDigit(text.charCodeAt(at)); at++) {
      value = value * 10 + text.charCodeAt(at) - 48;
      if (value > 255) return null;
    }
    if (bytes.length === 4) return null;
    bytes.push(value);
    if (at >= text.length || text[at] === '/') return { bytes, at };
    if (text[at] !== '.') return null;
    at++;
    if (strict && !isDigit(text.charCodeAt(at))) return null;
  }
  return { bytes, at };
}

function parseInet4(text: string): Parsed | null {
  const octets = parseOctets(text, false);
  if (octets === null || octets.bytes.length === 0) return null;
  const { bytes, at } = octets;
  let bits: number | null = bytes.length === 4 ? 32 : null;
  if (at < text.length) {
    if (text[at] !== '/') return null;
    bits = widthAt(text, at + 1, 32);
  }
  if (bits === null || bits >> 3 > bytes.length) return null;
  while (bytes.length < 4) bytes.push(0);
  return { bytes, bits };
}

function parseCidr4(text: string): Parsed | null {
  let bytes: number[];
  let at: number;
  if (/^0[xX][0-9a-fA-F]/.test(text)) {
    bytes = [];
    at = 2;
    let digits = 0;
    for (; at < text.length && /[0-9a-fA-F]/.test(text[at]!); at++, digits++) {
      const digit = Number.parseInt(text[at]!, 16);
      if ((digits & 1) === 0) bytes.push(digit << 4);
      else bytes[bytes.length - 1]! |= digit;
    }
    if (bytes.length > 4) return null;
  } else {
    const octets = parseOctets(text, true);
    if (octets === null || octets.bytes.length === 0) return null;
    ({ bytes, at } = octets);
  }
  let bits: number | null = null;
  if (at < text.length) {
    if (text[at] !== '/') return null;
    bits = widthAt(text, at + 1, 32);
    if (bits === null) return null;
  }
  if (bits === null) {
    // No width: the historical class of the network, widened to what was written.
    const first = bytes[0]!;
    bits = first >= 240 ? 32 : first >= 224 ? 8 : first >= 192 ? 24 : first >= 128 ? 16 : 8;
    bits = Math.max(bits, bytes.length * 8);
    if (bits === 8 && first === 224) bits = 4;
  }
  while (bytes.length < 4) bytes.push(0);
  return { bytes, bits };
}

/** IPv6's width: no leading zeros. */
function width6(text: string, at: number): number | null {
  return /^(?:0|[1-9]\d{0,2})$/.test(text.slice(at)) ? widthAt(text, at, 128) : null;
}

/** A dotted tail of an IPv6 address: octets without leading zeros, perhaps a width. */
function parseTail4(text: string): { bytes: number[]; bits: number | null } | null {
  const slash = text.indexOf('/');
  const body = slash < 0 ? text : text.slice(0, slash);
  if (!/^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){0,3}$/.test(body)) return null;
  const bytes = body.split('.').map(Number);
  if (bytes.some((byte) => byte > 255)) return null;
  while (bytes.length < 4) bytes.push(0);
  if (slash < 0) return { bytes, bits: null };
  const bits = width6(text, slash + 1);
  return bits === null ? null : { bytes, bits };
}

function parseInet6(text: string): Parsed | null {
  const bytes: number[] = [];
  let at = 0;
  if (text[0] === ':') {
    if (text[1] !== ':') return null;
    at = 1;
  }
  let token = at;
  let gap = -1;
  let digits = 0;
  let value = 0;
  let bits: number | null = null;
  for (; at < text.length; at++) {
    const character = text[at]!;
    if (/[0-9a-fA-F]/.test(character)) {
      value = value * 16 + Number.parseInt(character, 16);
      if (++digits > 4) return null;
      continue;
    }
    if (character === ':') {
      token = at + 1;
      if (digits === 0) {
        if (gap >= 0) return null;
        gap = bytes.length;
        continue;
      }
      if (token >= text.length || bytes.length + 2 > 16) return null;
      bytes.push(value >> 8, value & 255);
      digits = 0;
      value = 0;
      continue;
    }
    if (character === '.' && bytes.length + 4 <= 16) {
      const tail = parseTail4(text.slice(token));
      if (tail === null) return null;
      bytes.push(...tail.bytes);
      bits = tail.bits;
      digits = 0;
      break;
    }
    if (character === '/') {
      bits = width6(text, at + 1);
      if (bits === null) return null;
      break;
    }
    return null;
  }
  if (digits > 0) {
    if (bytes.length + 2 > 16) return null;
    bytes.push(value >> 8, value & 255);
  }
  if (gap >= 0) {
    if (bytes.length === 16) return null;
    bytes.splice(gap, 0, ...new Array<number>(16 - bytes.length).fill(0));
  }
  return bytes.length === 16 ? { bytes, bits: bits ?? 128 } : null;
}

/** True when bits behind the network part are all zero. */
export function isNetwork(value: NetworkAddress): boolean {
  return compareBytes(maskedBytes(value.bytes, value.bits), value.bytes) === 0;
}

export function parseNetwork(text: string, isCidr: boolean): NetworkAddress {
  const parsed = text.includes(':') ? parseInet6(text) : isCidr ? parseCidr4(text) : parseInet4(text);
  if (parsed === null) throw invalidSyntax(isCidr ? 'cidr' : 'inet', text);
  const value = new NetworkAddress(Uint8Array.from(parsed.bytes), parsed.bits);
  if (isCidr && !isNetwork(value)) {
    throw new DbError('invalid_text_representation', `invalid cidr value: "${text}"`, {
      detail: 'Value has bits set to right of mask.',
    });
  }
  return value;
}

/** Address without width. */
export function formatHost(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const words: number[] = [];
  for (let at = 0; at < 16; at += 2) words.push(bytes[at]! * 256 + bytes[at + 1]!);
  let base = -1;
  let run = 1;
  for (let at = 0; at < 8; at++) {
    let end = at;
    while (end < 8 && words[end] === 0) end++;
    if (end - at > run) {
      base = at;
      run = end - at;
    }
    at = Math.max(at, end - 1);
  }
  let text = '';
  for (let at = 0; at < 8; at++) {
    if (base >= 0 && at >= base && at < base + run) {
      if (at === base) text += ':';
      continue;
    }
    if (at !== 0) text += ':';
    // An IPv4 address in IPv6's clothes.
    const isMapped =
      at === 6 &&
      base === 0 &&
      (run === 6 || (run === 7 && words[7] !== 1) || (run === 5 && words[5] === 0xffff));
    if (isMapped) return text + bytes.slice(12).join('.');
    text += words[at]!.toString(16);
  }
  if (base >= 0 && base + run === 8) text += ':';
  return text;
}

export function formatInet(value: NetworkAddress): string {
  const host = formatHost(value.bytes);
  return value.bits === value.maxBits ? host : `${host}/${value.bits}`;
}

/** With the width always shown: cidr, and text(inet). */
export function formatCidr(value: NetworkAddress): string {
  return `${formatHost(value.bytes)}/${value.bits}`;
}

/** abbrev(cidr): whole octets or words of the network part only. */
export function formatCidrShort(value: NetworkAddress): string {
  const { bits } = value;
  const bytes = maskedBytes(value.bytes, bits);
  if (bytes.length === 4) {
    const octets = [...bytes.subarray(0, (bits + 7) >> 3)];
    return `${bits === 0 ? '0' : octets.join('.')}/${bits}`;
  }
  if (bits === 0) return '::/0';
  const words = Math.max(2, (bits + 15) >> 4);
  const word = (index: number): number => bytes[2 * index]! * 256 + bytes[2 * index + 1]!;
  let zeroStart = 0;
  let zeroLength = 0;
  let start = 0;
  let length = 0;
  for (let index = 0; index < words; index++) {
    if (word(index) === 0) {
      if (length === 0) start = index;
      length++;
    } else if (length > 0 && zeroLength < length) {
      zeroStart = start;
      zeroLength = length;
      length = 0;
    }
  }
  if (length > 0 && zeroLength < length) {
    zeroStart = start;
    zeroLength = length;
  }
  const isMapped =
    zeroLength !== words &&
    zeroStart === 0 &&
    (zeroLength === 6 ||
      (zeroLength === 5 && bytes[10] === 255 && bytes[11] === 255) ||
      (zeroLength === 7 && bytes[14] !== 0 && bytes[15] !== 1));
  let text = '';
  for (let index = 0; index < words; index++) {
    if (zeroLength !== 0 && index >= zeroStart && index < zeroStart + zeroLength) {
      if (index === zeroStart) text += ':';
      if (index === words - 1) text += ':';
    } else if (isMapped && index > 5) {
      text += `${index === 6 ? ':' : '.'}${bytes[2 * index]!}`;
      if (index !== 7 || bits > 120) text += `.${bytes[2 * index + 1]!}`;
    } else text += `${text === '' ? '' : ':'}${word(index).toString(16)}`;
  }
  return `${text}/${bits}`;
}

/** The address with all bits behind `bits` zero. */
export function maskedBytes(bytes: Uint8Array, bits: number): Uint8Array {
  return bytes.map((byte, index) => {
    const kept = bits - index * 8;
    return kept >= 8 ? byte : kept <= 0 ? 0 : byte & (0xff << (8 - kept)) & 255;
  });
}

/** Compares the first `bits` bits. */
export function comparePrefix(left: Uint8Array, right: Uint8Array, bits: number): number {
  return compareBytes(maskedBytes(left, bits), maskedBytes(right, bits));
}

/** IPv4 before IPv6, then the common network part, then the shorter network, then the address. */
export function compareNetwork(left: NetworkAddress, right: NetworkAddress): number {
  if (left.bytes.length !== right.bytes.length) return left.bytes.length - right.bytes.length;
  return (
    comparePrefix(left.bytes, right.bytes, Math.min(left.bits, right.bits)) ||
    left.bits - right.bits ||
    compareBytes(left.bytes, right.bytes)
  );
}

const FAMILY_IP4 = 2;
const FAMILY_IP6 = 3;

/** Wire form: u8 family, u8 width, u8 is cidr, u8 size, address. */
export function sendNetwork(value: NetworkAddress, isCidr: boolean): Uint8Array {
  const { bytes } = value;
  return Uint8Array.of(
    bytes.length === 4 ? FAMILY_IP4 : FAMILY_IP6,
    value.bits,
    isCidr ? 1 : 0,
    bytes.length,
    ...bytes,
  );
}

export function receiveNetwork(bytes: Uint8Array, isCidr: boolean): NetworkAddress {
  const name = isCidr ? 'cidr' : 'inet';
  const invalid = (what: string): DbError =>
    new DbError('invalid_binary_representation', `invalid ${what} in external "${name}" value`);
  if (bytes.length < 4) throw new DbError('protocol_violation', 'insufficient data left in message');
  const family = bytes[0]!;
  if (family !== FAMILY_IP4 && family !== FAMILY_IP6) throw invalid('address family');
  const size = family === FAMILY_IP4 ? 4 : 16;
  if (bytes[1]! > size * 8) throw invalid('bits');
  if (bytes[3] !== size) throw invalid('length');
  if (bytes.length !== 4 + size) throw new DbError('protocol_violation', 'insufficient data left in message');
  const value = new NetworkAddress(bytes.slice(4), bytes[1]!);
  if (isCidr && !isNetwork(value)) {
    throw new DbError('invalid_binary_representation', 'invalid external "cidr" value', {
      detail: 'Value has bits set to right of mask.',
    });
  }
  return value;
}

/** Storage: u8 width, then 4 or 16 bytes. */
export function encodeNetwork(value: NetworkAddress): Uint8Array {
  return Uint8Array.of(value.bits, ...value.bytes);
}

export function decodeNetwork(bytes: Uint8Array): NetworkAddress {
  return new NetworkAddress(bytes.slice(1), bytes[0]!);
}

/** The address as an integer. */
export function networkInteger(value: NetworkAddress): bigint {
  let result = 0n;
  for (const byte of value.bytes) result = (result << 8n) | BigInt(byte);
  return result;
}

/** inet + n: the address must stay within its family. */
export function shiftNetwork(value: NetworkAddress, offset: bigint): NetworkAddress {
  let rest = networkInteger(value) + offset;
  if (rest < 0n || rest >> BigInt(value.maxBits) !== 0n)
    throw new DbError('numeric_value_out_of_range', 'result is out of range');
  const bytes = new Uint8Array(value.bytes.length);
  for (let at = bytes.length - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 255n);
    rest >>= 8n;
  }
  return new NetworkAddress(bytes, value.bits);
}

/**
 * Index key: u8 size of the address; the network part as two-bit codes (00 end, 01 zero, 10 one), so that a shorter network
 * sorts before those inside it; the address.
 */
export function networkSortKey(value: NetworkAddress): Uint8Array {
  const { bytes, bits, maxBits } = value;
  const codes = new Uint8Array((maxBits + 4) >> 2);
  for (let index = 0; index < bits; index++) {
    const isSet = (bytes[index >> 3]! & (128 >> (index & 7))) !== 0;
    codes[index >> 2]! |= (isSet ? 2 : 1) << (6 - 2 * (index & 3));
  }
  const result = new Uint8Array(1 + codes.length + bytes.length);
  result[0] = bytes.length;
  result.set(codes, 1);
  result.set(bytes, 1 + codes.length);
  return result;
}
