/**
 * Enumeration of join orders over a hypergraph.
 *
 * DPhyp (Moerkotte and Neumann, "Dynamic Programming Strikes Back", SIGMOD 2008) visits every pair of connected, disjoint
 * sets joined by a hyperedge exactly once. When the pairs would be too many, the search gives up and a greedy one (always
 * join the pair with the smallest result) takes over.
 */

/** A hyperedge between two disjoint, non-empty sets of leaves. */
export interface HyperEdge {
  left: number;
  right: number;
}

export interface EnumerationTarget {
  /** Tries to join two sets that have plans; remembers the result. True when the union now has a plan. */
  join(left: number, right: number): boolean;
  has(mask: number): boolean;
  /** Expected rows of a set that has a plan. */
  rows(mask: number): number;
  /** Rows that joining the two would give, or NaN when they cannot be joined. */
  joinedRows(left: number, right: number): number;
}

class BudgetExceeded {}

export function bitCount(mask: number): number {
  let count = 0;
  for (let m = mask; m !== 0; m &= m - 1) count++;
  return count;
}

function lowest(mask: number): number {
  return mask & -mask;
}

/** Exhaustive search; false when more than `budget` pairs were met (plans found so far stay). */
export function enumerateExhaustively(
  leafCount: number,
  edges: readonly HyperEdge[],
  target: EnumerationTarget,
  budget: number,
): boolean {
  let pairs = 0;
  const simple = new Array<number>(leafCount).fill(0);
  const complex: HyperEdge[] = [];
  for (const edge of edges) {
    if (bitCount(edge.left) === 1 && bitCount(edge.right) === 1) {
      simple[31 - Math.clz32(edge.left)] |= edge.right;
      simple[31 - Math.clz32(edge.right)] |= edge.left;
    } else complex.push(edge);
  }

  const neighbours = (set: number, excluded: number): number => {
    let result = 0;
    for (let m = set; m !== 0; m &= m - 1) result |= simple[31 - Math.clz32(lowest(m))];
    const forbidden = set | excluded;
    result &= ~forbidden;
    for (const { left, right } of complex) {
      // A hypernode is represented by its lowest leaf.
      if ((left & ~set) === 0 && (right & forbidden) === 0 && (right & result) === 0) result |= lowest(right);
      if ((right & ~set) === 0 && (left & forbidden) === 0 && (left & result) === 0) result |= lowest(left);
    }
    return result;
  };
  const connected = (a: number, b: number): boolean => {
    for (let m = a; m !== 0; m &= m - 1) if ((simple[31 - Math.clz32(lowest(m))] & b) !== 0) return true;
    for (const { left, right } of complex)
      if (((left & ~a) === 0 && (right & ~b) === 0) || ((left & ~b) === 0 && (right & ~a) === 0)) return true;
    return false;
  };
  const emitPair = (a: number, b: number): void => {
    if (++pairs > budget) throw new BudgetExceeded();
    target.join(a, b);
  };
  const upTo = (bit: number): number => (bit << 1) - 1;

  const enumerateComplements = (first: number, second: number, excluded: number): void => {
    const near = neighbours(second, excluded | first);
    if (near === 0) return;
    for (let sub = near & -near; sub !== 0; sub = (sub - near) & near) {
      const grown = second | sub;
      if (target.has(grown) && connected(first, grown)) emitPair(first, grown);
    }
    const next = excluded | near;
    for (let sub = near & -near; sub !== 0; sub = (sub - near) & near)
      enumerateComplements(first, second | sub, next);
  };
  const emit = (set: number): void => {
    const excluded = set | (upTo(lowest(set)) & ~0);
    const near = neighbours(set, excluded);
    for (let i = 31 - Math.clz32(near); i >= 0 && near !== 0; i--) {
      const bit = 1 << i;
      if ((near & bit) === 0) continue;
      if (connected(set, bit)) emitPair(set, bit);
      enumerateComplements(set, bit, excluded | (upTo(bit) & near));
    }
  };
  const enumerateSets = (set: number, excluded: number): void => {
    const near = neighbours(set, excluded);
    if (near === 0) return;
    for (let sub = near & -near; sub !== 0; sub = (sub - near) & near) {
      const grown = set | sub;
      if (target.has(grown)) emit(grown);
    }
    const next = excluded | near;
    for (let sub = near & -near; sub !== 0; sub = (sub - near) & near) enumerateSets(set | sub, next);
  };

  try {
    for (let i = leafCount - 1; i >= 0; i--) {
      const bit = 1 << i;
      emit(bit);
      enumerateSets(bit, upTo(bit));
    }
  } catch (signal) {
    if (signal instanceof BudgetExceeded) return false;
    throw signal;
  }
  return true;
}

/** Joins the pair with the smallest result until one set is left; false when it gets stuck. */
export function enumerateGreedily(sets: number[], target: EnumerationTarget): boolean {
  let current = [...sets];
  while (current.length > 1) {
    let best: [number, number] | null = null;
    let bestRows = Number.POSITIVE_INFINITY;
    for (let i = 0; i < current.length; i++)
      for (let j = i + 1; j < current.length; j++) {
        const rows = target.joinedRows(current[i], current[j]);
        if (rows < bestRows) {
          bestRows = rows;
          best = [current[i], current[j]];
        }
      }
    if (best === null) return false;
    const [a, b] = best;
    if (!target.join(a, b)) return false;
    current = current.filter((set) => set !== a && set !== b);
    current.push(a | b);
  }
  return true;
}
