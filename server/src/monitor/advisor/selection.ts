/**
 * Choosing a set of indexes: Extend (grow by the best gain per byte), then branch and bound on the best candidates.
 *
 * Pure: a workload's cost under a set is asked from a function and remembered. Cost of reads never grows with more indexes; each index adds
 * its own cost of writes. The bound of a branch: reads as if all remaining candidates were free.
 */

export interface Selectable {
  /** Bytes. */
  readonly size: number;
  /** Cost that writes pay for it, in the unit of the workload's cost. */
  readonly writeCost: number;
  /** Statements it may matter to. */
  readonly statements: readonly number[];
}

export interface SelectionProblem {
  readonly candidates: readonly Selectable[];
  /** Statements' weights. */
  readonly weights: readonly number[];
  /** Cost of a statement under a set of candidates (ascending numbers). */
  cost(statement: number, chosen: readonly number[]): number;
  readonly budgetBytes: number;
  readonly maximum: number;
  /** Stops when it says so: what is best so far is the answer. */
  isOver?(): boolean;
  /** Lets others run; awaited now and then. */
  pause?(): Promise<void>;
}

export interface Selection {
  readonly chosen: readonly number[];
  readonly cost: number;
  readonly costBefore: number;
  /** What each candidate gains alone, its writes paid; short when the time was over before. */
  readonly alone: readonly number[];
  /** Cost of a statement under a set of candidates (ascending numbers); remembered ones cost nothing. */
  costOf(statement: number, chosen: readonly number[]): number;
}

/** A step must save at least this share of the workload's cost. */
const GAIN_MIN = 0.003;
/** Candidates that branch and bound may combine. */
const EXACT_CANDIDATES_MAX = 14;
const NODES_MAX = 50_000;
const NODES_PER_PAUSE = 64;

/** Costs of statements by what matters to them. */
class Costs {
  calls = 0;
  private readonly problem: SelectionProblem;
  private readonly known = new Map<string, number>();
  private readonly relevant: readonly ReadonlySet<number>[];

  constructor(problem: SelectionProblem) {
    this.problem = problem;
    const relevant = problem.weights.map(() => new Set<number>());
    for (const [index, candidate] of problem.candidates.entries())
      for (const statement of candidate.statements) relevant[statement].add(index);
    this.relevant = relevant;
  }

  statement(statement: number, chosen: readonly number[]): number {
    const here = chosen.filter((candidate) => this.relevant[statement].has(candidate));
    const key = `${statement}:${here.join(',')}`;
    let cost = this.known.get(key);
    if (cost === undefined) {
      this.calls++;
      cost = this.problem.cost(statement, here);
      this.known.set(key, cost);
    }
    return cost;
  }

  reads(chosen: readonly number[]): number {
    let total = 0;
    for (const [statement, weight] of this.problem.weights.entries())
      total += weight * this.statement(statement, chosen);
    return total;
  }

  /** What reads cost more under `after` than under `before`, which differ by `candidate`: only its statements change. */
  change(candidate: number, before: readonly number[], after: readonly number[]): number {
    let total = 0;
    for (const statement of this.problem.candidates[candidate].statements)
      total +=
        this.problem.weights[statement] *
        (this.statement(statement, after) - this.statement(statement, before));
    return total;
  }

  writes(chosen: readonly number[]): number {
    let total = 0;
    for (const candidate of chosen) total += this.problem.candidates[candidate].writeCost;
    return total;
  }
}

const ascending = (left: number, right: number): number => left - right;

export async function select(problem: SelectionProblem): Promise<Selection> {
  const costs = new Costs(problem);
  const { candidates } = problem;
  const isOver = (): boolean => problem.isOver?.() === true;
  const pause = async (): Promise<void> => {
    await problem.pause?.();
  };
  const costBefore = costs.reads([]);
  const sizeOf = (chosen: readonly number[]): number =>
    chosen.reduce((sum, candidate) => sum + candidates[candidate].size, 0);

  // Gain of each alone: what cannot help is out.
  const alone: number[] = [];
  for (const [index, candidate] of candidates.entries()) {
    let gain = -candidate.writeCost;
    for (const statement of candidate.statements)
      gain +=
        problem.weights[statement] * (costs.statement(statement, []) - costs.statement(statement, [index]));
    alone.push(gain);
    await pause();
    if (isOver()) break;
  }
  let chosen: number[] = [];
  let cost = costBefore;
  while (chosen.length < problem.maximum && !isOver()) {
    let best: number[] | null = null;
    let bestCost = cost;
    let bestRatio = 0;
    for (const [index] of candidates.entries()) {
      // Alone it may lose and yet win beside others (a join's second side); those without any effect are skipped.
      if (chosen.includes(index) || alone[index] === undefined) continue;
      const next = [...chosen, index].sort(ascending);
      const size = sizeOf(next);
      if (size > problem.budgetBytes) continue;
      const total = cost + candidates[index].writeCost + costs.change(index, chosen, next);
      const ratio = (cost - total) / Math.max(1, candidates[index].size);
      if (cost - total > GAIN_MIN * costBefore && ratio > bestRatio) {
        best = next;
        bestCost = total;
        bestRatio = ratio;
      }
      await pause();
    }
    if (best === null) break;
    chosen = best;
    cost = bestCost;
  }

  // Polish: exactly, over what was chosen and the most promising of the rest.
  const promising = [...candidates.keys()]
    .filter((index) => alone[index] !== undefined && (chosen.includes(index) || alone[index] > 0))
    .sort(
      (left, right) =>
        Number(chosen.includes(right)) - Number(chosen.includes(left)) || alone[right] - alone[left],
    )
    .slice(0, EXACT_CANDIDATES_MAX);
  let nodes = 0;
  /** `open`: what is taken and what may still be; `reads`: its cost of reads. Only what leaves it changes them. */
  const search = async (
    at: number,
    taken: readonly number[],
    open: readonly number[],
    reads: number,
  ): Promise<void> => {
    if (++nodes > NODES_MAX || isOver()) return;
    if (nodes % NODES_PER_PAUSE === 0) await pause();
    const bound = reads + costs.writes(taken);
    if (bound >= cost - 1e-9 * costBefore) return;
    if (at === promising.length) {
      chosen = [...taken].sort(ascending);
      cost = bound;
      return;
    }
    const candidate = promising[at];
    const withNext = [...taken, candidate];
    if (withNext.length <= problem.maximum && sizeOf(withNext) <= problem.budgetBytes)
      await search(at + 1, withNext, open, reads);
    const without = open.filter((other) => other !== candidate);
    await search(at + 1, taken, without, reads + costs.change(candidate, open, without));
  };
  const all = [...promising].sort(ascending);
  await search(0, [], all, costs.reads(all));
  return {
    chosen,
    cost,
    costBefore,
    alone,
    costOf: (statement, set) => costs.statement(statement, set),
  };
}
