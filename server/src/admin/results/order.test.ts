import { describe, expect, it } from 'vitest';
import { HeldResult } from './held-result.ts';
import { compareNumericText, dateKey } from './order.ts';

describe('order of text forms', () => {
  it('of numbers is exact', () => {
    const sorted = ['-Infinity', '-10', '-9.5', '-0.10', '0', '0.1', '2', '10', '9007199254740993', 'Infinity', 'NaN'];
    const shuffled = [...sorted].reverse().sort(compareNumericText);
    expect(shuffled).toEqual(sorted);
    expect(compareNumericText('9007199254740992', '9007199254740993')).toBeLessThan(0);
    expect(compareNumericText('1.0', '1.000')).toBe(0);
    expect(compareNumericText('-0', '0.00')).toBe(0);
  });

  it('of dates knows Christ, far years and the infinities', () => {
    const sorted = ['-infinity', '0044-03-15 BC', '0001-01-01', '1999-12-31', '2024-01-01', '10000-01-01', 'infinity'];
    const keys = sorted.map(dateKey);
    expect([...keys].sort()).toEqual(keys);
  });

  it('of a view sorts, filters and keeps NULL last', () => {
    const result = new HeldResult('r', [
      { name: 'n', typeOid: 20, typeName: 'bigint' },
      { name: 't', typeOid: 25, typeName: 'text' },
    ]);
    for (const row of [['10', 'b'], ['9', null], [null, 'ä'], ['-1', '']]) result.append(row, true);
    const view = result.view([{ column: 0, descending: false }], []) ?? [];
    expect([...view].map((row) => result.cell(row, 0))).toEqual(['-1', '9', '10', null]);
    const filtered = result.view([], [{ column: 1, operator: 'is not null' }]) ?? [];
    expect([...filtered].map((row) => result.cell(row, 1))).toEqual(['b', 'ä', '']);
    expect(result.profile(0)).toMatchObject({ nulls: 1, distinct: 3, minimum: '-1', maximum: '10' });
  });
});
