import { describe, expect, it } from 'vitest';
import { placeOfPosition, wordEnd } from './statement.ts';

describe('places in SQL text', () => {
  it('turns a character position into line and column', () => {
    expect(placeOfPosition('select foo', 8)).toEqual({ line: 1, column: 8 });
    expect(placeOfPosition('select\n  foo', 10)).toEqual({ line: 2, column: 3 });
    expect(placeOfPosition('', 1)).toEqual({ line: 1, column: 1 });
    expect(placeOfPosition('ab', 99)).toEqual({ line: 1, column: 3 });
  });

  it('counts characters, not UTF-16 units', () => {
    expect(placeOfPosition("select '🐘', foo", 13)).toEqual({ line: 1, column: 14 });
  });

  it('finds the end of the word', () => {
    expect(wordEnd('select foo_bar from t', { line: 1, column: 8 })).toBe(15);
    expect(wordEnd('select )', { line: 1, column: 8 })).toBe(9);
  });
});
