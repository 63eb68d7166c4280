/** How many groups a grouping makes. */

import type { LExpr } from '../expression/walk.ts';
import { usedSlots } from '../logical/nodes.ts';
import type { PlannerState } from '../state.ts';
import { plainSlot, slotStatistics } from './column.ts';

/**
 * Expected distinct combinations of `exprs` in `rows` input rows. Columns of one table together give at most its rows, and
 * fewer when only part of the table is left.
 */
export function groupCount(state: PlannerState, exprs: readonly LExpr[], rows: number): number {
  if (exprs.length === 0) return 1;
  /** table oid (or −1 − slot) → distinct combinations so far, and the table's rows. */
  const tables = new Map<number, { distinct: number; rows: number }>();
  let computed = 1;
  const seen = new Set<number>();
  for (const expr of exprs) {
    if (expr.kind === 'const') continue;
    if (plainSlot(expr) < 0 && expr.typeOid === 16) {
      computed *= 2;
      continue;
    }
    for (const slot of usedSlots(expr)) {
      if (seen.has(slot)) continue;
      seen.add(slot);
      const statistics = slotStatistics(state, slot);
      const key = state.slots[slot].origin?.tableOid ?? -1 - slot;
      const entry = tables.get(key) ?? { distinct: 1, rows: statistics.tableRows };
      entry.distinct *= statistics.distinct;
      tables.set(key, entry);
    }
  }
  let result = computed;
  for (const { distinct, rows: tableRows } of tables.values()) {
    let combinations = distinct;
    if (tableRows > 0) {
      combinations = Math.min(combinations, tableRows);
      // Drawing `rows` of `tableRows` rows leaves so many of the combinations (Yao, approximated).
      if (rows < tableRows)
        combinations *= 1 - (1 - rows / tableRows) ** (tableRows / Math.max(1, combinations));
    }
    result *= Math.max(1, combinations);
  }
  return Math.max(1, Math.min(result, rows));
}
