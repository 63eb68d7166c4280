/**
 * Password preparation for SCRAM (RFC 4013), as PostgreSQL applies it: a password that is not valid UTF-8 or contains prohibited
 * characters is used as it is.
 */

/** Mapped to nothing (RFC 3454 table B.1). */
function isMappedToNothing(code: number): boolean {
  return (
    code === 0xad ||
    code === 0x34f ||
    code === 0x1806 ||
    (code >= 0x180b && code <= 0x180d) ||
    (code >= 0x200b && code <= 0x200d) ||
    code === 0x2060 ||
    (code >= 0xfe00 && code <= 0xfe0f) ||
    code === 0xfeff
  );
}

/** Non-ASCII spaces (table C.1.2) become a space. */
function isNonAsciiSpace(code: number): boolean {
  return (
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200b) ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}

/** Prohibited output (tables C.1.2, C.2.1, C.2.2, C.3 to C.9). */
function isProhibited(code: number): boolean {
  return (
    isNonAsciiSpace(code) ||
    code <= 0x1f ||
    (code >= 0x7f && code <= 0x9f) ||
    code === 0x6dd ||
    code === 0x70f ||
    code === 0x180e ||
    (code >= 0x200c && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x2063) ||
    (code >= 0x206a && code <= 0x206f) ||
    (code >= 0x2ff0 && code <= 0x2ffb) ||
    (code >= 0xd800 && code <= 0xf8ff) ||
    code === 0xfeff ||
    (code >= 0xfdd0 && code <= 0xfdef) ||
    (code >= 0xfff9 && code <= 0xffff) ||
    (code >= 0x1d173 && code <= 0x1d17a) ||
    (code & 0xfffe) === 0xfffe ||
    (code >= 0xe0000 && code <= 0xe007f) ||
    (code >= 0xf0000 && code <= 0x10ffff) ||
    code === 0x340 ||
    code === 0x341
  );
}

/** The prepared password; the original when preparation does not apply. */
export function saslprep(password: string): string {
  let isAscii = true;
  for (let index = 0; index < password.length; index++) {
    const code = password.charCodeAt(index);
    if (code < 0x20 || code > 0x7e) {
      isAscii = false;
      break;
    }
  }
  if (isAscii) return password;
  let mapped = '';
  for (const character of password) {
    const code = character.codePointAt(0) as number;
    if (isMappedToNothing(code)) continue;
    mapped += isNonAsciiSpace(code) ? ' ' : character;
  }
  const normalised = mapped.normalize('NFKC');
  if (normalised === '') return password;
  for (const character of normalised) if (isProhibited(character.codePointAt(0) as number)) return password;
  return normalised;
}
