/** macaddr and macaddr8: lower-case text with colons is the value; it sorts as its bytes do. */
import { DbError } from '../base/error.ts';
import { invalidSyntax, trimSpace } from './scalars.ts';

/** The written forms of six bytes; blanks before the first digit are skipped. */
const FORMS = [
  /^([0-9a-f]+):([0-9a-f]+):([0-9a-f]+):([0-9a-f]+):([0-9a-f]+):([0-9a-f]+)$/i,
  /^([0-9a-f]+)-([0-9a-f]+)-([0-9a-f]+)-([0-9a-f]+)-([0-9a-f]+)-([0-9a-f]+)$/i,
  /^([0-9a-f]{1,2})([0-9a-f]{1,2})([0-9a-f]{1,2}):([0-9a-f]{1,2})([0-9a-f]{1,2})([0-9a-f]{1,2})$/i,
  /^([0-9a-f]{1,2})([0-9a-f]{1,2})([0-9a-f]{1,2})-([0-9a-f]{1,2})([0-9a-f]{1,2})([0-9a-f]{1,2})$/i,
  /^([0-9a-f]{1,2})([0-9a-f]{1,2})\.([0-9a-f]{1,2})([0-9a-f]{1,2})\.([0-9a-f]{1,2})([0-9a-f]{1,2})$/i,
  /^([0-9a-f]{1,2})([0-9a-f]{1,2})-([0-9a-f]{1,2})([0-9a-f]{1,2})-([0-9a-f]{1,2})([0-9a-f]{1,2})$/i,
  /^([0-9a-f]{1,2})([0-9a-f]{1,2})([0-9a-f]{1,2})([0-9a-f]{1,2})([0-9a-f]{1,2})([0-9a-f]{1,2})$/i,
] as const;

export function formatMac(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

export function macBytes(text: string): number[] {
  return text.split(':').map((part) => Number.parseInt(part, 16));
}

export function parseMac(text: string): string {
  const body = trimSpace(text);
  for (const form of FORMS) {
    const match = body.length > 64 ? null : form.exec(body);
    if (match === null) continue;
    const bytes = match.slice(1).map((part) => Number.parseInt(part, 16));
    if (bytes.some((byte) => byte > 255)) {
      throw new DbError('numeric_value_out_of_range', `invalid octet value in "macaddr" value: "${text}"`);
    }
    return formatMac(bytes);
  }
  throw invalidSyntax('macaddr', text);
}

/** Six or eight bytes of two digits each, with one kind of separator or none; six become eight by FF FE in the middle. */
export function parseMac8(text: string): string {
  const fail = (): DbError => invalidSyntax('macaddr8', text);
  const body = trimSpace(text);
  const bytes: number[] = [];
  let separator = '';
  let at = 0;
  while (at + 1 < body.length) {
    const pair = body.slice(at, at + 2);
    if (!/^[0-9a-fA-F]{2}$/.test(pair) || bytes.length === 8) throw fail();
    bytes.push(Number.parseInt(pair, 16));
    at += 2;
    const next = body[at];
    if (next === ':' || next === '-' || next === '.') {
      if (separator !== '' && separator !== next) throw fail();
      separator = next;
      at++;
    }
  }
  if (bytes.length === 6) bytes.splice(3, 0, 0xff, 0xfe);
  if (bytes.length !== 8) throw fail();
  return formatMac(bytes);
}

/** macaddr8 → macaddr, possible when the middle is FF FE. */
export function shortenMac(text: string): string {
  const bytes = macBytes(text);
  if (bytes[3] !== 0xff || bytes[4] !== 0xfe) {
    throw new DbError('numeric_value_out_of_range', 'macaddr8 data out of range to convert to macaddr', {
      hint: 'Only addresses that have FF and FE as values in the 4th and 5th bytes from the left, for example xx:xx:xx:ff:fe:xx:xx:xx, are eligible to be converted from macaddr8 to macaddr.',
    });
  }
  bytes.splice(3, 2);
  return formatMac(bytes);
}

export function lengthenMac(text: string): string {
  const bytes = macBytes(text);
  bytes.splice(3, 0, 0xff, 0xfe);
  return formatMac(bytes);
}
