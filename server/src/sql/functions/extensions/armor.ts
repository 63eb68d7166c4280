/** ASCII armour of OpenPGP (RFC 4880 §6): base64 in lines between a header and a footer, with a checksum. */
import { DbError } from '../../../base/error.ts';

const BEGIN = '-----BEGIN PGP MESSAGE-----';
const END = '-----END PGP MESSAGE-----';
const LINE = 76;

function checksum(bytes: Uint8Array): Uint8Array {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit++) {
      crc <<= 1;
      if ((crc & 0x1000000) !== 0) crc ^= 0x1864cfb;
    }
  }
  return Uint8Array.of((crc >> 16) & 255, (crc >> 8) & 255, crc & 255);
}

export function armor(bytes: Uint8Array, headers: readonly (readonly [string, string])[]): string {
  const lines = [BEGIN];
  for (const [key, value] of headers) lines.push(`${key}: ${value}`);
  lines.push('');
  const body = Buffer.from(bytes).toString('base64');
  for (let at = 0; at < body.length; at += LINE) lines.push(body.slice(at, at + LINE));
  lines.push(`=${Buffer.from(checksum(bytes)).toString('base64')}`, END, '');
  return lines.join('\n');
}

function corrupt(): DbError {
  return new DbError('external_routine_invocation_exception', 'Corrupt ascii-armor');
}

/** Headers and body of armoured text. */
function parts(text: string): { headers: [string, string][]; body: string; check: string } {
  const lines = text.split(/\r?\n/);
  const begin = lines.findIndex((line) => /^-----BEGIN .*-----\s*$/.test(line));
  const end = lines.findIndex((line, at) => at > begin && /^-----END .*-----\s*$/.test(line));
  if (begin < 0 || end < 0) throw corrupt();
  const headers: [string, string][] = [];
  let at = begin + 1;
  for (; at < end && lines[at]!.trim() !== ''; at++) {
    const colon = lines[at]!.indexOf(': ');
    if (colon < 0) break;
    headers.push([lines[at]!.slice(0, colon), lines[at]!.slice(colon + 2)]);
  }
  const rest = lines.slice(at, end).filter((line) => line.trim() !== '');
  const check = rest.at(-1);
  if (check === undefined || !/^=[A-Za-z0-9+/]{4}\s*$/.test(check)) throw corrupt();
  return { headers, body: rest.slice(0, -1).join(''), check: check.trim().slice(1) };
}

export function dearmor(text: string): Uint8Array {
  const { body, check } = parts(text);
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(body)) throw corrupt();
  const bytes = new Uint8Array(Buffer.from(body, 'base64'));
  if (Buffer.from(checksum(bytes)).toString('base64') !== check) throw corrupt();
  return bytes;
}

export function armorHeaders(text: string): [string, string][] {
  return parts(text).headers;
}
