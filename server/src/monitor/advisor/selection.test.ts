import { describe, expect, it } from 'vitest';
import { type SelectionProblem, select } from './selection.ts';

/** A small generator of its own, so that a failure can be repeated. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Statements whose cost is a product of factors of the indexes they can use, in pairs that help each other. */
function randomProblem(seed: number, candidateCount: number): SelectionProblem {
  const next = generator(seed);
  const statementCount = 10;
  const factors = Array.from({ length: statementCount }, () =>
    Array.from({ length: candidateCount }, () => (next() < 0.3 ? 0.05 + next() * 0.9 : 1)),
  );
  const base = Array.from({ length: statementCount }, () => 100 + next() * 10_000);
  return {
    weights: base.map(() => 1 + Math.floor(next() * 100)),
    candidates: Array.from({ length: candidateCount }, (_, candidate) => ({
      size: 1000 + next() * 100_000,
      writeCost: next() * 20_000,
      statements: factors.flatMap((row, statement) => (row[candidate] < 1 ? [statement] : [])),
    })),
    cost: (statement, chosen) =>
      chosen.reduce((cost, candidate) => cost * factors[statement][candidate], base[statement]),
    budgetBytes: 300_000,
    maximum: 20,
  };
}

function bruteForce(problem: SelectionProblem): number {
  let best = Number.POSITIVE_INFINITY;
  for (let mask = 0; mask < 1 << problem.candidates.length; mask++) {
    const chosen = problem.candidates.flatMap((_, index) => ((mask >> index) & 1 ? [index] : []));
    if (chosen.reduce((sum, index) => sum + problem.candidates[index].size, 0) > problem.budgetBytes)
      continue;
    let cost = chosen.reduce((sum, index) => sum + problem.candidates[index].writeCost, 0);
    for (const [statement, weight] of problem.weights.entries())
      cost += weight * problem.cost(statement, chosen);
    if (cost < best) best = cost;
  }
  return best;
}

describe('selection of indexes', () => {
  it('is within 5 % of the best of all sets', async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const problem = randomProblem(seed, 10);
      const { cost, costBefore } = await select(problem);
      const best = bruteForce(problem);
      const regret = (cost - best) / Math.max(1, costBefore - best);
      expect(regret).toBeLessThan(0.05);
    }
  });

  it('keeps to the budget and the number of indexes', async () => {
    const problem = { ...randomProblem(7, 12), budgetBytes: 60_000, maximum: 2 };
    const { chosen } = await select(problem);
    expect(chosen.length).toBeLessThanOrEqual(2);
    expect(chosen.reduce((sum, index) => sum + problem.candidates[index].size, 0)).toBeLessThanOrEqual(
      60_000,
    );
  });

  it('chooses nothing that writes pay more for than reads gain', async () => {
    const { chosen } = await select({
      candidates: [{ size: 10, writeCost: 1000, statements: [0] }],
      weights: [1],
      cost: (_, set) => (set.length === 0 ? 100 : 1),
      budgetBytes: 1000,
      maximum: 5,
    });
    expect(chosen).toEqual([]);
  });
});
