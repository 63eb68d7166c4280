/** to_ascii: text's bytes, read in a single-byte encoding, with the accents taken off. */
import { DbError } from '../../base/error.ts';
import type { Implementation } from './registry.ts';
import { encodingByName, encodingName } from './system.ts';

const ENCODING_UTF8 = 6;

/** By encoding number (LATIN1, LATIN2, LATIN9, WIN1250): the letters for bytes 128 to 255. */
const LETTERS: ReadonlyMap<number, string> = new Map([
  [
    8,
    '                                  cL Y  "Ca  -R     \'u .,      ?  AAAAACEEEEIIII NOOOOOxOUUUUYTBaaaaaaaceeeeiiii nooo           ',
  ],
  [
    9,
    '                                 A L LS "SSTZ-ZZ a,l\'ls ,sstz"zz  AAALCCCEEEEIIDDNNOOOOxRUUUUYTBraaaalccceeeeiiddnnoo           ',
  ],
  [
    16,
    '                                  cL YS sCa  -R     Zu .z   EeY?  AAAAACEEEEIIII NOOOOOxOUUUUYTBaaaaaaaceeeeiiii nooo           ',
  ],
  [
    29,
    '  \' "    %S<STZZ `\'"".--  s>stzz   L A  "CS  -RZ  ,l\'u .,as L"lz  AAALCCCEEEEIIDDNNOOOOxRUUUUYTBraaaalccceeeeiiddnnoo           ',
  ],
]);

/** The server's text is UTF-8 whatever encoding is named: its bytes are taken one by one, as PostgreSQL does. */
function toAscii(text: string, encoding: number): string {
  const letters = LETTERS.get(encoding);
  if (letters === undefined) {
    throw new DbError(
      'feature_not_supported',
      `encoding conversion from ${encodingName(encoding)} to ASCII not supported`,
    );
  }
  let result = '';
  for (const byte of Buffer.from(text))
    result += byte < 128 ? String.fromCharCode(byte) : letters[byte - 128]!;
  return result;
}

export const asciiFunctions: Record<string, Implementation> = {
  to_ascii_default: (text: string) => toAscii(text, ENCODING_UTF8),
  to_ascii_enc: (text: string, encoding: number) => {
    if (encodingName(encoding) === '') {
      throw new DbError('undefined_object', `${encoding} is not a valid encoding code`);
    }
    return toAscii(text, encoding);
  },
  to_ascii_encname: (text: string, name: string) => {
    const encoding = encodingByName(name);
    if (encoding < 0) throw new DbError('undefined_object', `${name} is not a valid encoding name`);
    return toAscii(text, encoding);
  },
};
