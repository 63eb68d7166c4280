/** `en.json` lists every text of the console: run with UPDATE=1 to write it anew. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const SOURCE = join(import.meta.dirname, '..');
const CATALOGUE = join(import.meta.dirname, 'en.json');

/** Texts in calls of t('…'). A text that is not written there cannot be translated. */
function textsOf(code: string): { texts: string[]; unreadable: string[] } {
  const texts: string[] = [];
  const unreadable: string[] = [];
  for (const match of code.matchAll(
    /(?<![\w.$])t\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^)\s]*))/g,
  )) {
    if (match[1] !== undefined || match[2] !== undefined)
      texts.push((match[1] ?? match[2]).replace(/\\(.)/g, '$1'));
    else unreadable.push(match[3]);
  }
  return { texts, unreadable };
}

describe('texts', () => {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter(
    (name) => /\.tsx?$/.test(name) && !/\.test\.ts$|messages\.ts$/.test(name),
  );
  const found = files.map((name) => ({ name, ...textsOf(readFileSync(join(SOURCE, name), 'utf8')) }));

  it('are written out where they are used', () => {
    expect(
      found.filter((file) => file.unreadable.length > 0).map(({ name, unreadable }) => [name, unreadable]),
    ).toEqual([]);
  });

  it('are all in the catalogue', () => {
    const texts = [...new Set(found.flatMap((file) => file.texts))].sort();
    const catalogue = `${JSON.stringify(Object.fromEntries(texts.map((text) => [text, text])), null, 2)}\n`;
    if (process.env.UPDATE === '1') writeFileSync(CATALOGUE, catalogue);
    expect(readFileSync(CATALOGUE, 'utf8')).toBe(catalogue);
  });
});
