import { describe, expect, it } from 'vitest';
import {
  type EnumerationTarget,
  enumerateExhaustively,
  enumerateGreedily,
  type HyperEdge,
} from './enumerate.ts';

/** Accepts every pair the enumeration offers and remembers it. */
class Recorder implements EnumerationTarget {
  readonly known = new Set<number>();
  readonly pairs = new Set<string>();
  repeated = 0;

  constructor(leaves: number) {
    for (let i = 0; i < leaves; i++) this.known.add(1 << i);
  }
  join(left: number, right: number): boolean {
    const key = left < right ? `${left}-${right}` : `${right}-${left}`;
    if (this.pairs.has(key)) this.repeated++;
    this.pairs.add(key);
    this.known.add(left | right);
    return true;
  }
  has(mask: number): boolean {
    return this.known.has(mask);
  }
  rows(): number {
    return 1;
  }
  joinedRows(): number {
    return 1;
  }
}

function pairsOf(leaves: number, edges: HyperEdge[]): Recorder {
  const recorder = new Recorder(leaves);
  expect(enumerateExhaustively(leaves, edges, recorder, 1_000_000)).toBe(true);
  return recorder;
}

const edge = (a: number, b: number): HyperEdge => ({ left: 1 << a, right: 1 << b });

describe('DPhyp', () => {
  it('meets every pair of connected sets exactly once (counts of Ono and Lohman)', () => {
    for (let n = 2; n <= 9; n++) {
      const chain = pairsOf(
        n,
        Array.from({ length: n - 1 }, (_, i) => edge(i, i + 1)),
      );
      expect(chain.pairs.size).toBe((n ** 3 - n) / 6);
      const star = pairsOf(
        n,
        Array.from({ length: n - 1 }, (_, i) => edge(0, i + 1)),
      );
      expect(star.pairs.size).toBe((n - 1) * 2 ** (n - 2));
      const clique: HyperEdge[] = [];
      for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) clique.push(edge(i, j));
      const all = pairsOf(n, clique);
      expect(all.pairs.size).toBe((3 ** n - 2 ** (n + 1) + 1) / 2);
      expect(chain.repeated + star.repeated + all.repeated).toBe(0);
    }
  });

  it('joins over hyperedges only when both sides are complete', () => {
    // 0-1, 2-3, and {0,1}-{2,3}.
    const recorder = pairsOf(4, [edge(0, 1), edge(2, 3), { left: 0b0011, right: 0b1100 }]);
    expect([...recorder.pairs].sort()).toEqual(['1-2', '3-12', '4-8']);
  });

  it('gives up over its budget', () => {
    const recorder = new Recorder(8);
    const star = Array.from({ length: 7 }, (_, i) => edge(0, i + 1));
    expect(enumerateExhaustively(8, star, recorder, 10)).toBe(false);
  });
});

describe('greedy order', () => {
  it('joins the smallest result first', () => {
    const order: string[] = [];
    const sizes = new Map([
      ['1-2', 100],
      ['2-4', 5],
      ['1-6', 50],
    ]);
    const done = enumerateGreedily([1, 2, 4], {
      join: (a, b) => {
        order.push(`${Math.min(a, b)}-${Math.max(a, b)}`);
        return true;
      },
      has: () => true,
      rows: () => 1,
      joinedRows: (a, b) => sizes.get(`${Math.min(a, b)}-${Math.max(a, b)}`) ?? Number.NaN,
    });
    expect(done).toBe(true);
    expect(order).toEqual(['2-4', '1-6']);
  });

  it('says so when nothing can be joined', () => {
    expect(
      enumerateGreedily([1, 2], {
        join: () => false,
        has: () => true,
        rows: () => 1,
        joinedRows: () => Number.NaN,
      }),
    ).toBe(false);
  });
});
