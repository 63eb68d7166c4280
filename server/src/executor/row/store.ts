/**
 * Rows kept by an operator, column by column.
 *
 * One JavaScript array a column: integers stay small-integer arrays and floats stay double arrays in V8, which the
 * collector need not walk. Sizes are sampled, one row in 32, and charged to the statement.
 */

import type { Datum } from '../../types/datum.ts';
import { SqlArray, SqlRecord } from '../../types/datum.ts';
import type { MemoryAccount } from '../state.ts';

/** Roughly what a value costs in memory beyond its array element. */
export function datumBytes(value: Datum): number {
  switch (typeof value) {
    case 'string':
      return 16 + value.length;
    case 'bigint':
      return 24;
    case 'number':
      return 4;
    case 'object':
      if (value === null) return 0;
      if (value instanceof Uint8Array) return 80 + value.byteLength;
      if (value instanceof SqlArray) return 80 + sumBytes(value.elements);
      if (value instanceof SqlRecord) return 80 + sumBytes(value.fields);
      return 48;
    default:
      return 0;
  }
}

function sumBytes(values: readonly Datum[]): number {
  let total = 0;
  for (const value of values) total += 8 + datumBytes(value);
  return total;
}

const SAMPLE_MASK = 31;

/** A cleared store keeps room for so many rows. */
const KEPT_ROWS = 1024;

export class RowStore {
  readonly slots: readonly number[];
  readonly columns: Datum[][];
  count = 0;
  /** Charged to the statement so far. */
  bytes = 0;
  private readonly memory: MemoryAccount;

  constructor(slots: readonly number[], memory: MemoryAccount) {
    this.slots = slots;
    this.columns = slots.map(() => []);
    this.memory = memory;
  }

  /** Appends the row in the frame; returns its number. */
  save(frame: readonly Datum[]): number {
    const { slots, columns } = this;
    const row = this.count;
    if ((row & SAMPLE_MASK) === 0) this.charge(frame);
    for (let column = 0; column < slots.length; column++) columns[column]!.push(frame[slots[column]!]!);
    this.count = row + 1;
    return row;
  }

  /** Overwrites row `row` with the frame's. */
  replace(row: number, frame: readonly Datum[]): void {
    const { slots, columns } = this;
    for (let column = 0; column < slots.length; column++) columns[column]![row] = frame[slots[column]!]!;
  }

  /** Copies row `row` into the frame. */
  restore(row: number, frame: Datum[]): void {
    const { slots, columns } = this;
    for (let column = 0; column < slots.length; column++) frame[slots[column]!] = columns[column]![row]!;
  }

  /** Copies row `row` into other slots, column by column. */
  restoreTo(row: number, frame: Datum[], slots: readonly number[]): void {
    const { columns } = this;
    for (let column = 0; column < slots.length; column++) frame[slots[column]!] = columns[column]![row]!;
  }

  clear(): void {
    // Short ones keep their room: a recursion clears its working table in every round.
    for (let column = 0; column < this.columns.length; column++) {
      if (this.count > KEPT_ROWS) this.columns[column] = [];
      else this.columns[column]!.length = 0;
    }
    this.count = 0;
    this.memory.release(this.bytes);
    this.bytes = 0;
  }

  private charge(frame: readonly Datum[]): void {
    let bytes = 8 * this.slots.length;
    for (const slot of this.slots) bytes += datumBytes(frame[slot]!);
    bytes *= SAMPLE_MASK + 1;
    this.memory.reserve(bytes);
    this.bytes += bytes;
  }
}
