/**
 * Paths: priced ways to compute something, before any plan node exists.
 *
 * The search compares many paths and throws most away, so a path is four numbers, an order and a recipe; `make` builds the
 * plan nodes of the winner only. Orders are lists of sort keys over slots.
 */
import type { SortKey } from '../sql/tree.ts';
import type { LExpr } from './expression/walk.ts';
import type { LogicalNode } from './logical/algebra.ts';
import type { PlanExpr, PlanNode, PlanNodeBase } from './physical.ts';
import type { PlannerState } from './state.ts';

export interface Path {
  rows: number;
  width: number;
  startup: number;
  total: number;
  order: readonly SortKey[];
  make(): PlanNode;
}

/** What the consumer would like: rows in an order, and only the first `rows` of them. */
export interface Wanted {
  order: readonly SortKey[];
  rows: number;
}

export const ANY: Wanted = { order: [], rows: Number.POSITIVE_INFINITY };

/** What the parts of physical planning ask of each other. */
export interface NodePlanner {
  readonly state: PlannerState;
  plan(node: LogicalNode, wanted: Wanted): Path;
  /** Plans the subqueries inside an expression. */
  lower(expr: LExpr): PlanExpr;
  /** Cost of evaluating the (lowered) expressions once. */
  expressionCost(exprs: readonly LExpr[]): number;
  /** The conditions with those that run a subplan for every row last. */
  cheapFirst(exprs: readonly LExpr[]): LExpr[];
  /** The same in units of cpu_operator_cost. */
  operators(exprs: readonly LExpr[]): number;
}

export function nodeBase(path: {
  rows: number;
  width: number;
  startup: number;
  total: number;
}): PlanNodeBase {
  return {
    id: -1,
    outputs: [],
    startupCost: path.startup,
    totalCost: path.total,
    estimatedRows: clampRows(path.rows),
    width: path.width,
  };
}

export function clampRows(rows: number): number {
  return rows <= 1 || Number.isNaN(rows) ? 1 : Math.round(Math.min(rows, 1e15));
}

/** True when rows in order `have` are also in order `want`. `fixed` slots hold one value and do not matter. */
export function satisfiesOrder(
  have: readonly SortKey[],
  want: readonly SortKey[],
  fixed: ReadonlySet<number> = NONE,
): boolean {
  return commonOrder(have, want, fixed) === want.length;
}

const NONE: ReadonlySet<number> = new Set();

/** Number of leading keys of `want` that `have` delivers. */
export function commonOrder(
  have: readonly SortKey[],
  want: readonly SortKey[],
  fixed: ReadonlySet<number> = NONE,
): number {
  let h = 0;
  let w = 0;
  while (w < want.length) {
    const slot = keySlot(want[w]);
    if (slot >= 0 && fixed.has(slot)) {
      w++;
      continue;
    }
    while (h < have.length && fixed.has(keySlot(have[h]))) h++;
    if (h >= have.length) break;
    const key = have[h];
    if (
      keySlot(key) !== slot ||
      slot < 0 ||
      key.descending !== want[w].descending ||
      key.nullsFirst !== want[w].nullsFirst
    )
      break;
    h++;
    w++;
  }
  return w;
}

export function keySlot(key: SortKey): number {
  const expr = key.expr as LExpr;
  return expr.kind === 'slot' ? expr.slot : -1;
}

/** Cost of fetching the first `rows` rows. */
export function costOfRows(path: Path, rows: number): number {
  if (rows >= path.rows) return path.total;
  return path.startup + (path.total - path.startup) * (rows / Math.max(1, path.rows));
}

/** A row count for a cost formula in which 0 means all. */
export function finite(rows: number): number {
  return Number.isFinite(rows) ? rows : 0;
}
