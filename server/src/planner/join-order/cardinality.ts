/** Expected rows of joins, with knowledge of keys: an equality over a unique key finds at most one row. */
import type { LExpr } from '../expression/walk.ts';
import { usedSlots } from '../logical/nodes.ts';
import type { PlannerState } from '../state.ts';
import { plainSlot, slotStatistics } from '../statistics/column.ts';
import { clamp, selectivity } from '../statistics/selectivity.ts';
import type { RegionEdge } from './region.ts';

/** What cardinality estimation knows of a leaf. */
export interface LeafKeys {
  mask: number;
  slots: ReadonlySet<number>;
  /** Rows before its own filters: what a unique key's selectivity refers to. */
  rawRows: number;
  uniqueKeys: ReadonlySet<number>[];
  /** Slots fixed to one value by the leaf's own filters. */
  fixed: ReadonlySet<number>;
}

/** Selectivity of the inner join of two sets over `edges` (those that become applicable). */
export function joinSelectivity(
  state: PlannerState,
  edges: readonly RegionEdge[],
  leaves: readonly LeafKeys[],
): number {
  let result = 1;
  /** Equality groups: a class, or a single edge outside any class. */
  const groups = new Map<string, RegionEdge[]>();
  edges.forEach((edge, i) => {
    if (edge.predicates.length === 0) return;
    if (edge.equalClass >= 0) {
      const key = `c${edge.equalClass}`;
      const list = groups.get(key);
      if (list === undefined) groups.set(key, [edge]);
      else list.push(edge);
    } else if (edge.predicates.every((p) => isEquality(state, p))) groups.set(`e${i}`, [edge]);
    else for (const predicate of edge.predicates) result *= selectivity(state, predicate);
  });
  // Unique keys covered by several equalities together.
  for (;;) {
    let best: { leaf: LeafKeys; covered: string[] } | null = null;
    for (const leaf of leaves)
      for (const key of leaf.uniqueKeys) {
        if (key.size - countIn(key, leaf.fixed) <= 0) continue;
        const covered: string[] = [];
        const missing = new Set([...key].filter((slot) => !leaf.fixed.has(slot)));
        for (const [name, list] of groups) {
          let hit = false;
          for (const edge of list)
            for (const predicate of edge.predicates)
              for (const slot of equalitySlots(predicate))
                if (missing.has(slot)) {
                  hit = true;
                  missing.delete(slot);
                }
          if (hit) covered.push(name);
        }
        if (
          missing.size === 0 &&
          covered.length > 1 &&
          (best === null || covered.length > best.covered.length)
        )
          best = { leaf, covered };
      }
    if (best === null) break;
    result /= Math.max(1, best.leaf.rawRows);
    for (const name of best.covered) groups.delete(name);
  }
  for (const list of groups.values()) {
    let smallest = 1;
    for (const edge of list) {
      let own = 1;
      for (const predicate of edge.predicates) own *= equalityOf(state, predicate, leaves);
      smallest = Math.min(smallest, own);
    }
    result *= smallest;
  }
  return clamp(result);
}

function countIn(key: ReadonlySet<number>, set: ReadonlySet<number>): number {
  let count = 0;
  for (const slot of key) if (set.has(slot)) count++;
  return count;
}

function isEquality(state: PlannerState, expr: LExpr): boolean {
  if (expr.kind !== 'operator' || expr.args.length !== 2) return false;
  return state.catalog.operator(expr.operatorOid)?.name === '=';
}

function equalitySlots(expr: LExpr): number[] {
  if (expr.kind !== 'operator') return [];
  return expr.args.map((arg) => plainSlot(arg)).filter((slot) => slot >= 0);
}

/** Selectivity of `a = b`; a unique key on one side gives 1 / its table's rows. */
function equalityOf(state: PlannerState, expr: LExpr, leaves: readonly LeafKeys[]): number {
  // Both sides are fixed to one value, which an earlier rule made the same: nothing is left to select.
  const slots = equalitySlots(expr);
  if (slots.length === 2 && slots.every((slot) => leaves.some((leaf) => leaf.fixed.has(slot)))) return 1;
  for (const slot of slots)
    for (const leaf of leaves)
      if (leaf.slots.has(slot) && leaf.uniqueKeys.some((key) => key.size === 1 && key.has(slot)))
        return 1 / Math.max(1, leaf.rawRows);
  return selectivity(state, expr);
}

/** Share of left rows that have a match on the right. */
export function semiSelectivity(
  state: PlannerState,
  predicates: readonly LExpr[],
  leftSlots: ReadonlySet<number>,
  leftRows: number,
  rightRows: number,
): number {
  let result = 1;
  let matches = rightRows;
  const residual: number[] = [];
  let hasKey = false;
  for (const predicate of predicates) {
    if (isEquality(state, predicate) && predicate.kind === 'operator') {
      let left = 0;
      let right = 0;
      for (const arg of predicate.args) {
        const isLeft = [...usedSlots(arg)].some((slot) => leftSlots.has(slot));
        let distinct = 0;
        const slot = plainSlot(arg);
        if (slot >= 0) distinct = slotStatistics(state, slot).distinct;
        if (isLeft) left = distinct;
        else right = distinct;
      }
      if (left > 0 && right > 0) {
        hasKey = true;
        const nd1 = Math.min(left, Math.max(1, leftRows));
        const nd2 = Math.min(right, Math.max(1, rightRows));
        matches = Math.min(matches, rightRows / Math.max(1, nd2));
        result *= nd1 <= nd2 ? 1 : nd2 / nd1;
        continue;
      }
      residual.push(0.5);
      continue;
    }
    residual.push(selectivity(state, predicate));
  }
  for (const s of residual)
    result *= hasKey || matches > 1 ? 1 - (1 - s) ** Math.max(1, Math.min(matches, 1000)) : s;
  return clamp(result);
}
