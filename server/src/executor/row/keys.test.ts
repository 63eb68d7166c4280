/** Key tables against a Map over the printed key. */
import { describe, expect, it } from 'vitest';
import type { Datum } from '../../types/datum.ts';
import { typeSupport } from '../../types/index.ts';
import { hashOfKey, isInt32Key, KeyTable, keyOf } from './keys.ts';

const column = (typeOid: number) => ({
  int32: isInt32Key(typeOid),
  keyOf: keyOf(typeOid, () => typeSupport(typeOid)),
});

describe.each([
  ['one integer', [23]],
  ['one text', [25]],
  ['two integers', [23, 1082]],
  ['integer and text', [23, 25]],
  ['bigint, float and boolean', [20, 701, 16]],
])('%s', (_name, types) => {
  it('numbers distinct keys densely in order of first sight', () => {
    const table = new KeyTable(types.map(column));
    const known = new Map<string, number>();
    let state = 5;
    const next = (bound: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * bound);
    };
    const value = (typeOid: number): Datum => {
      if (next(10) === 0) return null;
      if (typeOid === 25) return `k${next(300)}`;
      if (typeOid === 20) return BigInt(next(40)) << 40n;
      if (typeOid === 701) return [0, -0, Number.NaN, 1.5, -7][next(5)]!;
      if (typeOid === 16) return next(2) === 1;
      return next(400) - 200;
    };
    for (let round = 0; round < 20_000; round++) {
      const key = types.map(value);
      const text = key.map((part) => (part === null ? 'null' : String(part === 0 ? 0 : part))).join('|');
      table.begin();
      key.forEach((part, index) => {
        table.put(index, part);
      });
      const number = table.insert();
      const expected = known.get(text) ?? known.size;
      known.set(text, expected);
      expect(number).toBe(expected);
      table.begin();
      expect(key.every((part, index) => table.seek(index, part)) ? table.find() : -1).toBe(expected);
    }
    expect(table.count).toBe(known.size);
  });
});

it('gives equal integers of different types equal keys and hashes', () => {
  const int4 = keyOf(23, () => typeSupport(23));
  const int8 = keyOf(20, () => typeSupport(20));
  expect(int8(5n)).toBe(int4(5));
  expect(hashOfKey(int8(-7n))).toBe(hashOfKey(int4(-7)));
});
