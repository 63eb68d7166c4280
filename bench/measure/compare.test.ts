import { describe, expect, it } from 'vitest';
import { difference, normalised, orderColumnsOf } from './compare.ts';

const result = (rows: (string | null)[][], isFloat: boolean[] = rows[0].map(() => false)) => ({
  columns: isFloat.map((_, index) => `c${index}`),
  isFloat,
  rows,
});

describe('comparing results', () => {
  it('takes different spellings of the same value for equal', () => {
    expect(normalised('12.3400')).toBe('12.34');
    expect(normalised('120')).toBe('120');
    expect(normalised('-0.00')).toBe('0');
    expect(difference(result([['1.50', 'AIR       ']]), result([['1.5', 'AIR']]), [])).toBeNull();
  });

  it('finds a planted error in the last digit of an exact value', () => {
    const left = result([['90071992547409931234.01']]);
    expect(difference(left, result([['90071992547409931234.02']]), [])).not.toBeNull();
  });

  it('finds a missing row, a null and an extra row', () => {
    expect(difference(result([['1'], ['2']]), result([['1']]), [])).not.toBeNull();
    expect(difference(result([['1']]), result([[null]]), [])).not.toBeNull();
    expect(difference(result([['1'], ['1']]), result([['1'], ['2']]), [])).not.toBeNull();
  });

  it('compares floats within a billionth', () => {
    const float = (value: string) => result([[value]], [true]);
    expect(difference(float('0.33333333333333331'), result([['0.3333333333333333']]), [])).toBeNull();
    expect(difference(float('0.3333333'), result([['0.3333334']]), [])).not.toBeNull();
  });

  it('wants order where ORDER BY fixes it, and only there', () => {
    const left = result([
      ['1', 'a'],
      ['1', 'b'],
      ['2', 'c'],
    ]);
    expect(
      difference(
        left,
        result([
          ['1', 'b'],
          ['1', 'a'],
          ['2', 'c'],
        ]),
        ['c0'],
      ),
    ).toBeNull();
    expect(
      difference(
        left,
        result([
          ['2', 'c'],
          ['1', 'b'],
          ['1', 'a'],
        ]),
        ['c0'],
      ),
    ).not.toBeNull();
    expect(
      difference(
        left,
        result([
          ['2', 'c'],
          ['1', 'b'],
          ['1', 'a'],
        ]),
        [],
      ),
    ).toBeNull();
  });

  it('reads the outermost ORDER BY', () => {
    expect(orderColumnsOf('select a from (select 1 order by z) q order by a desc, b limit 3')).toEqual([
      'a',
      'b',
    ]);
    expect(orderColumnsOf('select sum(a) from t;')).toEqual([]);
  });
});
