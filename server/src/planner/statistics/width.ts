/** Average width of values, for EXPLAIN's `width` and for memory estimates. */
import type { PlannerState } from '../state.ts';
import { slotStatistics } from './column.ts';

/** PostgreSQL's guess for a variable-length value without statistics. */
const DEFAULT_WIDTH = 32;

export function slotWidth(state: PlannerState, slot: number): number {
  const info = state.slots[slot];
  const length = state.catalog.type(info.typeOid)?.length ?? 8;
  if (length > 0) return length;
  const average = slotStatistics(state, slot).column?.averageWidth;
  if (average !== undefined && average > 0) return average;
  if (info.typmod > 4 && (info.typeOid === 1042 || info.typeOid === 1043)) {
    const declared = info.typmod - 4;
    return info.typeOid === 1042 || declared <= DEFAULT_WIDTH
      ? declared
      : DEFAULT_WIDTH + (Math.min(declared, 1000) - DEFAULT_WIDTH) / 2;
  }
  return DEFAULT_WIDTH;
}

export function rowWidth(state: PlannerState, slots: Iterable<number>): number {
  let sum = 0;
  for (const slot of slots) sum += slotWidth(state, slot);
  return Math.round(sum);
}
