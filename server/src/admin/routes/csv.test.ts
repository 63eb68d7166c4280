import { describe, expect, it } from 'vitest';
import { CsvReader, guessDelimiter, guessType } from './csv.ts';

function records(text: string, step: number): (string | null)[][] {
  const reader = new CsvReader({});
  const found: (string | null)[][] = [];
  const take = (fields: { text: string; isQuoted: boolean }[]): void => {
    found.push(fields.map((field) => (!field.isQuoted && field.text === '' ? null : field.text)));
  };
  for (let at = 0; at < text.length; at += step) reader.push(text.slice(at, at + step), take);
  reader.end(take);
  return found;
}

describe('CSV', () => {
  const text = 'a,b\r\n1,"x, ""y""\nz"\r\n\r\n2,""\r\n3,\n"4",é';
  it.each([1, 2, 3, 5, 1000])('is read alike in pieces of %i', (step) => {
    expect(records(text, step)).toEqual([
      ['a', 'b'],
      ['1', 'x, "y"\nz'],
      ['2', ''],
      ['3', null],
      ['4', 'é'],
    ]);
  });

  it('tells delimiters and types', () => {
    expect(guessDelimiter('a;b;c\n1;2,5;3\n', '"')).toBe(';');
    expect(guessType(['1', '22'])).toBe('integer');
    expect(guessType(['1', '22222222222'])).toBe('bigint');
    expect(guessType(['007'])).toBe('text');
    expect(guessType(['1.5', '2'])).toBe('numeric');
    expect(guessType(['2024-01-01'])).toBe('date');
    expect(guessType(['x', '1'])).toBe('text');
  });
});
