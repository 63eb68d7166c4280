/** Both trees against a sorted array: random inserts, removes, ranges in both directions, changes under a cursor. */
import { describe, expect, test } from 'vitest';
import type { RowId } from '../base/brands.ts';
import { ByteTree, ByteTreeBuilder } from './byte-tree.ts';
import { KeyBuffer, KeyRange, type OrderedIndex } from './contract.ts';
import { EntrySorter } from './entry-sorter.ts';
import { NumericTree } from './numeric-tree.ts';

function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % limit;
  };
}

function setKey(tree: OrderedIndex, value: number, target: KeyBuffer): KeyBuffer {
  target.length = 0;
  target.number = tree instanceof NumericTree ? value : 0;
  if (tree instanceof ByteTree) {
    // A long common prefix and tails of different lengths.
    const text = `customer#${String(value).padStart(6, '0')}${'z'.repeat(value % 7)}`;
    for (const byte of Buffer.from(text)) target.byte(byte);
    target.byte(0);
  }
  return target;
}

describe.each(['numeric', 'byte'] as const)('%s tree', (kind) => {
  const make = (): NumericTree | ByteTree => (kind === 'numeric' ? new NumericTree() : new ByteTree());

  test.each([1, 2, 3, 4, 5])('random operations, seed %i', (seed) => {
    const random = generator(seed);
    const tree = make();
    const oracle = new Set<string>();
    const key = new KeyBuffer();
    for (let step = 0; step < 6_000; step++) {
      const value = seed % 2 === 0 ? random(300) : random(5000);
      const row = random(40) as RowId;
      setKey(tree, value, key);
      const name = `${value}/${row}`;
      if (random(100) < (step < 4_000 ? 70 : 30)) {
        expect(tree.insert(key, row)).toBe(!oracle.has(name));
        oracle.add(name);
      } else {
        expect(tree.remove(key, row)).toBe(oracle.delete(name));
      }
    }
    expect(tree.size).toBe(oracle.size);
    const entries = [...oracle]
      .map((name) => name.split('/').map(Number))
      .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    for (let round = 0; round < 20; round++) {
      const low = random(5000);
      const high = low + random(800);
      const range = new KeyRange();
      setKey(tree, low, range.from);
      setKey(tree, high, range.to);
      const isInclusive = tree instanceof NumericTree;
      const expected = entries.filter(
        ([value]) => value >= low && (isInclusive ? value <= high : value < high),
      );
      for (const backward of [false, true]) {
        const cursor = tree.cursor();
        cursor.reset(range, backward);
        const rows: number[] = [];
        while (cursor.next()) rows.push(cursor.rowId);
        expect(rows).toEqual((backward ? expected.toReversed() : expected).map(([, row]) => row));
      }
    }
  });

  test('ascending and descending bulk', () => {
    for (const step of [1, -1]) {
      const tree = make();
      const key = new KeyBuffer();
      for (let at = 0; at < 5000; at++)
        tree.insert(setKey(tree, step > 0 ? at : 5000 - at, key), at as RowId);
      expect(tree.size).toBe(5000);
      const range = new KeyRange();
      range.from.number = -Infinity;
      range.to.number = Infinity;
      const cursor = tree.cursor();
      cursor.reset(range, false);
      let count = 0;
      while (cursor.next()) count++;
      expect(count).toBe(5000);
      for (let at = 0; at < 5000; at++)
        expect(tree.remove(setKey(tree, step > 0 ? at : 5000 - at, key), at as RowId)).toBe(true);
      expect(tree.size).toBe(0);
    }
  });

  test('a cursor survives changes around it', () => {
    for (const backward of [false, true]) {
      const tree = make();
      const key = new KeyBuffer();
      for (let at = 2; at < 3000; at += 2) tree.insert(setKey(tree, at, key), at as RowId);
      const range = new KeyRange();
      range.from.number = -Infinity;
      range.to.number = Infinity;
      const cursor = tree.cursor();
      cursor.reset(range, backward);
      const seen: number[] = [];
      while (cursor.next()) {
        seen.push(cursor.rowId);
        // Odd entries appear behind, the current one goes.
        tree.remove(setKey(tree, cursor.rowId, key), cursor.rowId);
        tree.insert(setKey(tree, cursor.rowId + (backward ? 1 : -1), key), (cursor.rowId + 1) as RowId);
      }
      const expected = Array.from({ length: 1499 }, (_, at) => at * 2 + 2);
      expect(seen).toEqual(backward ? expected.toReversed() : expected);
    }
  });
});

test('the sorter orders like comparison, numbers and bytes', async () => {
  const random = generator(42);
  for (const isNumeric of [true, false]) {
    const sorter = new EntrySorter(isNumeric, async () => {});
    const key = new KeyBuffer();
    const names: string[] = [];
    for (let at = 0; at < 8_000; at++) {
      key.length = 0;
      const value = random(3) === 0 ? random(1000) - 500 : random(1 << 22) - (1 << 21);
      key.number = value;
      const text = `${'prefix'.repeat(random(3))}${value % 97}\u0001${value}`;
      for (const byte of Buffer.from(text)) key.byte(byte);
      key.byte(0);
      names.push(isNumeric ? String(value) : Buffer.from(key.bytes.slice(0, key.length)).toString('latin1'));
      sorter.add(key, at, 1);
    }
    await sorter.sort();
    for (let at = 1; at < sorter.count; at++) {
      const left = sorter.order[at - 1];
      const right = sorter.order[at];
      if (isNumeric) expect(Number(names[left])).toBeLessThanOrEqual(Number(names[right]));
      else expect(names[left] <= names[right]).toBe(true);
      if (names[left] === names[right]) expect(left).toBeLessThan(right);
    }
    if (!isNumeric) {
      const tree = new ByteTree();
      const builder = new ByteTreeBuilder(tree);
      for (const entry of sorter.order)
        builder.add(sorter.bytes, sorter.starts[entry], sorter.lengths[entry], entry);
      builder.finish();
      expect(tree.size).toBe(8_000);
    }
  }
});
