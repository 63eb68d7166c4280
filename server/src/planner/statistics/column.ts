/** What is known of the values in a slot, and positions of constants among them. */
import type { ColumnStatistics } from '../../table/contract.ts';
import type { Datum } from '../../types/datum.ts';
import { Interval } from '../../types/interval.ts';
import { Numeric } from '../../types/numeric.ts';
import type { LExpr } from '../expression/walk.ts';
import type { PlannerState } from '../state.ts';

/** PostgreSQL's guess where it knows nothing. */
export const DEFAULT_DISTINCT = 200;
/** Rows assumed of a table without any statistics (PostgreSQL: ten pages). */
export const DEFAULT_TABLE_ROWS = 1000;

export interface SlotStatistics {
  /** Rows of the stored table; 0 when the value is computed. */
  tableRows: number;
  distinct: number;
  nullFraction: number;
  column: ColumnStatistics | null;
}

/** The slot an expression passes on unchanged (through relabelling and collation), or -1. */
export function plainSlot(expr: LExpr): number {
  let at = expr;
  while (at.kind === 'relabel' || at.kind === 'collate') at = at.arg as LExpr;
  return at.kind === 'slot' ? at.slot : -1;
}

const cache = new WeakMap<PlannerState, Map<number, SlotStatistics>>();

export function slotStatistics(state: PlannerState, slot: number): SlotStatistics {
  let known = cache.get(state);
  if (known === undefined) {
    known = new Map();
    cache.set(state, known);
  }
  let statistics = known.get(slot);
  if (statistics === undefined) {
    statistics = computeStatistics(state, slot);
    known.set(slot, statistics);
  }
  return statistics;
}

function computeStatistics(state: PlannerState, slot: number): SlotStatistics {
  const info = state.slots[slot];
  if (info.origin === null) {
    const distinct = info.distinct > 0 ? info.distinct : info.typeOid === 16 ? 2 : DEFAULT_DISTINCT;
    return { tableRows: 0, distinct, nullFraction: info.notNull ? 0 : 0.005, column: null };
  }
  const { tableOid, column } = info.origin;
  const rows = tableRows(state, tableOid);
  const statistics = state.options.statistics.column(tableOid, column);
  let distinct = statistics?.distinctCount ?? 0;
  // A negative count is a share of the rows, as in pg_statistic.
  if (distinct < 0) distinct = -distinct * rows;
  if (isUniqueColumn(state, tableOid, column)) distinct = rows;
  if (distinct <= 0) distinct = info.typeOid === 16 ? 2 : Math.min(DEFAULT_DISTINCT, rows);
  return {
    tableRows: rows,
    distinct: Math.max(1, Math.min(distinct, Math.max(rows, 1))),
    nullFraction: info.notNull ? 0 : (statistics?.nullFraction ?? 0.005),
    column: statistics,
  };
}

export function tableRows(state: PlannerState, tableOid: number): number {
  return Math.max(1, state.options.statistics.estimate(tableOid)?.rows ?? DEFAULT_TABLE_ROWS);
}

function isUniqueColumn(state: PlannerState, tableOid: number, column: number): boolean {
  const relation = state.catalog.relation(tableOid);
  return (
    relation?.indexes.some(
      (index) =>
        index.unique &&
        index.valid &&
        index.predicate === null &&
        index.keyColumns.length === 1 &&
        index.keyColumns[0] === column + 1,
    ) ?? false
  );
}

/** Number on a line for interpolation inside a histogram bucket; NaN when the type has none. */
export function scalarOf(value: Datum): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof Numeric)
    return value.kind === 'finite' ? Number(value.coefficient) / 10 ** value.scale : Number.NaN;
  if (value instanceof Interval)
    return value.months * 30 * 86400e6 + value.days * 86400e6 + Number(value.microseconds);
  if (typeof value === 'string') {
    // First bytes as a fraction in base 256.
    let result = 0;
    let scale = 1;
    for (let i = 0; i < Math.min(8, value.length); i++) {
      scale /= 256;
      result += Math.min(255, value.charCodeAt(i)) * scale;
    }
    return result;
  }
  return Number.NaN;
}

/**
 * Share of the non-null, not-most-common values that are below `value` (or equal, as good as), by the histogram, else by
 * minimum and maximum; null when neither helps.
 */
export function fractionBelow(
  state: PlannerState,
  typeOid: number,
  column: ColumnStatistics,
  value: Datum,
): number | null {
  const compare = state.catalog.type(typeOid)?.support.compare;
  if (compare === undefined || value === null) return null;
  const { histogram } = column;
  if (histogram.length >= 2) {
    if (compare(value, histogram[0]) <= 0) return 0;
    if (compare(value, histogram[histogram.length - 1]) >= 0) return 1;
    let low = 0;
    let high = histogram.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (compare(histogram[middle], value) <= 0) low = middle;
      else high = middle;
    }
    return (low + within(histogram[low], histogram[high], value)) / (histogram.length - 1);
  }
  if (column.minimum === null || column.maximum === null) return null;
  if (compare(value, column.minimum) < 0) return 0;
  if (compare(value, column.maximum) > 0) return 1;
  return within(column.minimum, column.maximum, value);
}

function within(low: Datum, high: Datum, value: Datum): number {
  const a = scalarOf(low);
  const b = scalarOf(high);
  const x = scalarOf(value);
  if (Number.isNaN(a) || Number.isNaN(b) || Number.isNaN(x) || b <= a) return 0.5;
  return Math.min(1, Math.max(0, (x - a) / (b - a)));
}
