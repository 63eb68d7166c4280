/** How many groups a grouping makes. */

import type { LExpr } from '../expression/walk.ts';
import { usedSlots } from '../logical/nodes.ts';
import type { PlannerState } from '../state.ts';
import { plainSlot, slotStatistics } from './column.ts';
import { distinctCombinations } from './correlated.ts';

/**
 * Expected distinct combinations of `exprs` in `rows` input rows. Columns of one table together give at most its rows, and
 * fewer when only part of the table is left.
 */
export function groupCount(state: PlannerState, exprs: readonly LExpr[], rows: number): number {
  if (exprs.length === 0) return 1;
  /** table oid (or −1 − slot) → distinct values of each column, and the table's rows. */
  const tables = new Map<number, { columns: Map<number, number>; rows: number }>();
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
      const { origin } = state.slots[slot];
      const key = origin?.tableOid ?? -1 - slot;
      const entry = tables.get(key) ?? { columns: new Map<number, number>(), rows: statistics.tableRows };
      // The same column of a table that stands twice in the query counts twice.
      const column = origin?.column ?? 0;
      const known = entry.columns.get(column) ?? 1;
      entry.columns.set(column, known * statistics.distinct);
      tables.set(key, entry);
    }
  }
  let result = computed;
  for (const [tableOid, { columns, rows: tableRows }] of tables) {
    let combinations = distinctCombinations(state, tableOid, columns);
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
