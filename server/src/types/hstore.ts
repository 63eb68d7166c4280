/** hstore's text: `"key"=>"value", …`, keys by length and bytes, each once. Values are held in that canonical form. */
import { DbError } from '../base/error.ts';
import { compareKeys } from './json-text.ts';

const isSpace = (character: string | undefined): boolean =>
  character === ' ' || (character !== undefined && character >= '\t' && character <= '\r');

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

export function formatHstore(pairs: Iterable<readonly [string, string | null]>): string {
  return [...pairs]
    .sort((left, right) => compareKeys(left[0], right[0]))
    .map(([key, value]) => `${quote(key)}=>${value === null ? 'NULL' : quote(value)}`)
    .join(', ');
}

/** Reads any spelling; of equal keys the first stays. */
export function parseHstore(text: string): Map<string, string | null> {
  const pairs = new Map<string, string | null>();
  let at = 0;
  const fail = (): DbError =>
    at >= text.length
      ? new DbError('internal_error', 'Unexpected end of string')
      : new DbError('internal_error', `Syntax error near "${text[at]!}" at position ${at}`);
  const skip = (): void => {
    while (isSpace(text[at])) at++;
  };
  const word = (): { value: string; isQuoted: boolean } => {
    skip();
    let value = '';
    const isQuoted = text[at] === '"';
    if (isQuoted) at++;
    const start = at;
    for (;;) {
      const character = text[at];
      if (character === undefined) {
        if (isQuoted || at === start) throw fail();
        break;
      }
      if (character === '\\') {
        if (at + 1 >= text.length) {
          at = text.length;
          throw fail();
        }
        value += text[at + 1]!;
        at += 2;
        continue;
      }
      if (isQuoted && character === '"') {
        at++;
        break;
      }
      if (!isQuoted && (character === ',' || character === '=' || isSpace(character))) {
        if (at === start) throw fail();
        break;
      }
      value += character;
      at++;
    }
    return { value, isQuoted };
  };
  skip();
  while (at < text.length) {
    const key = word().value;
    skip();
    if (text[at] !== '=') throw fail();
    at++;
    if (text[at] !== '>') throw fail();
    at++;
    const { value, isQuoted } = word();
    if (!pairs.has(key)) pairs.set(key, !isQuoted && value.toLowerCase() === 'null' ? null : value);
    skip();
    if (at >= text.length) break;
    if (text[at] !== ',') throw fail();
    at++;
    skip();
  }
  return new Map([...pairs].sort((left, right) => compareKeys(left[0], right[0])));
}

export function canonicalHstore(text: string): string {
  return formatHstore(parseHstore(text));
}
