/**
 * Sorts row numbers in slices: short runs by the built-in sort, then merges from the bottom up. The state of the merge is kept in
 * fields, so a suspension loses nothing. Equal rows keep their order.
 */

import { notSupported } from '../../base/error.ts';
import type { PlanSortKey } from '../../planner/physical.ts';
import type { Datum } from '../../types/datum.ts';
import type { FunctionResolver } from '../functions.ts';
import type { ExecutionState } from '../state.ts';

export type RowOrder = (left: number, right: number) => number;

/** Rows sorted by one call of the built-in sort: well under a millisecond. */
const RUN_ROWS = 2048;

export class Sorter {
  private readonly state: ExecutionState;
  private readonly order: RowOrder;
  private readonly count: number;
  private source: Uint32Array;
  private target: Uint32Array;
  private runStart = 0;
  private width = RUN_ROWS;
  private low = 0;
  private left = 0;
  private right = 0;
  private out = 0;
  private merging = false;

  constructor(state: ExecutionState, count: number, order: RowOrder) {
    this.state = state;
    this.order = order;
    this.count = count;
    this.source = new Uint32Array(count);
    for (let row = 0; row < count; row++) this.source[row] = row;
    this.target = count > RUN_ROWS ? new Uint32Array(count) : this.source;
  }

  /** Bytes of the two arrays. */
  static bytes(count: number): number {
    return count * 8;
  }

  /** Sorts to the end; may suspend and is then called again. */
  run(): Uint32Array {
    const { state, order, count } = this;
    while (this.runStart < count) {
      state.tick();
      const end = Math.min(this.runStart + RUN_ROWS, count);
      this.source.subarray(this.runStart, end).sort(order);
      this.runStart = end;
      state.look();
    }
    while (this.width < count) {
      while (this.low < count) {
        const middle = Math.min(this.low + this.width, count);
        const high = Math.min(this.low + 2 * this.width, count);
        if (!this.merging) {
          this.left = this.low;
          this.right = middle;
          this.out = this.low;
          this.merging = true;
        }
        this.merge(middle, high);
        this.merging = false;
        this.low = high;
      }
      this.low = 0;
      this.width *= 2;
      const swap = this.source;
      this.source = this.target;
      this.target = swap;
    }
    return this.source;
  }

  private merge(middle: number, high: number): void {
    const { state, order, source, target } = this;
    while (this.out < high) {
      state.tick();
      // Steps between two looks are done on locals.
      let { left, right, out } = this;
      const stop = Math.min(high, out + 8);
      while (out < stop) {
        if (left < middle && (right >= high || order(source[left]!, source[right]!) <= 0))
          target[out++] = source[left++]!;
        else target[out++] = source[right++]!;
      }
      this.left = left;
      this.right = right;
      this.out = out;
    }
  }
}

/** Order of two values that are not NULL. */
export type ValueOrder = (left: Datum, right: Datum) => number;

const NUMBER_TYPES = new Set([21, 23, 26, 1082, 1083]);
const BIGINT_TYPES = new Set([20, 1114, 1184]);

/** Ascending order of a type's values. */
export function valueOrder(typeOid: number, resolver: FunctionResolver): ValueOrder {
  if (NUMBER_TYPES.has(typeOid)) return (left, right) => (left as number) - (right as number);
  if (BIGINT_TYPES.has(typeOid)) {
    return (left, right) =>
      (left as bigint) < (right as bigint) ? -1 : (left as bigint) > (right as bigint) ? 1 : 0;
  }
  const support = resolver.typeSupport(typeOid);
  if (support.compare === undefined) throw notSupported(`sorting of type ${support.name}`);
  return (left, right) => support.compare!(left, right);
}

export interface KeyOrder {
  readonly compare: ValueOrder;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export function keyOrder(key: PlanSortKey, resolver: FunctionResolver): KeyOrder {
  return {
    compare: valueOrder(key.expr.typeOid, resolver),
    descending: key.descending,
    nullsFirst: key.nullsFirst,
  };
}

/** Order of two values under a sort key, NULLs included. */
export function compareUnder(key: KeyOrder, left: Datum, right: Datum): number {
  if (left === null) return right === null ? 0 : key.nullsFirst ? -1 : 1;
  if (right === null) return key.nullsFirst ? 1 : -1;
  const order = key.compare(left, right);
  return key.descending ? -order : order;
}

/** Order of rows whose key values are in columns. */
export function rowOrder(keys: readonly KeyOrder[], columns: readonly (readonly Datum[])[]): RowOrder {
  if (keys.length === 1) {
    const key = keys[0]!;
    const column = columns[0]!;
    return (left, right) => compareUnder(key, column[left]!, column[right]!);
  }
  return (left, right) => {
    for (let index = 0; index < keys.length; index++) {
      const column = columns[index]!;
      const order = compareUnder(keys[index]!, column[left]!, column[right]!);
      if (order !== 0) return order;
    }
    return 0;
  };
}
