import { describe, expect, it } from 'vitest';
import { layoutDiagram, TABLE_WIDTH } from './diagram-layout.ts';

const table = (key: string) => ({ key, height: 60 });

describe('diagram', () => {
  it('puts referenced tables left of those that refer to them, also in a cycle', () => {
    const { places } = layoutDiagram(['region', 'customer', 'orders', 'alone', 'a', 'b'].map(table), [
      { from: 'orders', to: 'customer' },
      { from: 'customer', to: 'region' },
      { from: 'a', to: 'b' },
      { from: 'b', to: 'a' },
      { from: 'orders', to: 'orders' },
    ]);
    const x = (key: string): number => places.get(key)?.x ?? Number.NaN;
    expect(x('region')).toBeLessThan(x('customer'));
    expect(x('customer')).toBeLessThan(x('orders'));
    expect(places.size).toBe(6);
  });

  it('lets no tables overlap', () => {
    const tables = Array.from({ length: 120 }, (_, index) => table(`t${index}`));
    const edges = tables
      .slice(1, 90)
      .map((one, index) => ({ from: one.key, to: `t${Math.floor(index / 3)}` }));
    const list = [...layoutDiagram(tables, edges).places.values()];
    for (let left = 0; left < list.length; left++) {
      for (let right = left + 1; right < list.length; right++) {
        const isApart =
          Math.abs(list[left].x - list[right].x) >= TABLE_WIDTH ||
          Math.abs(list[left].y - list[right].y) >= 60;
        expect(isApart).toBe(true);
      }
    }
  });
});
