/** LIMIT, OFFSET and WITH TIES; and Unique over sorted input. */
import { DbError } from '../../../base/error.ts';
import type { LimitNode, PlanSortKey, UniqueNode } from '../../../planner/physical.ts';
import type { Datum } from '../../../types/datum.ts';
import type { ExecutionState } from '../../state.ts';
import { type Evaluate, ExpressionCompiler } from '../expression/compile.ts';
import { compareUnder, type KeyOrder, keyOrder } from '../sorter.ts';
import type { Operator } from './operator.ts';

/** Remembers key values and tells whether the frame's are equal to them. */
class KeyMemory {
  private readonly state: ExecutionState;
  private readonly runs: Evaluate[];
  private readonly orders: KeyOrder[];
  private values: Datum[] = [];

  constructor(state: ExecutionState, keys: readonly PlanSortKey[]) {
    const { resolver } = state.environment;
    const compiler = new ExpressionCompiler(state, resolver);
    this.state = state;
    this.runs = keys.map(({ expr }) => compiler.compile(expr));
    this.orders = keys.map((key) => keyOrder(key, resolver));
  }

  evaluate(): Datum[] {
    return this.runs.map((run) => run(this.state.frame));
  }

  remember(values: Datum[]): void {
    this.values = values;
  }

  equals(values: readonly Datum[]): boolean {
    for (let index = 0; index < this.orders.length; index++) {
      if (compareUnder(this.orders[index]!, this.values[index]!, values[index]!) !== 0) return false;
    }
    return true;
  }
}

export class Limit implements Operator {
  private readonly state: ExecutionState;
  private readonly child: Operator;
  private readonly limit: Evaluate | null;
  private readonly offset: Evaluate | null;
  private readonly ties: KeyMemory | null;
  private phase: 'start' | 'skip' | 'emit' | 'ties' | 'done' = 'start';
  private skip = 0;
  private remaining = Number.POSITIVE_INFINITY;
  private pending = false;

  constructor(state: ExecutionState, node: LimitNode, child: Operator) {
    const compiler = new ExpressionCompiler(state, state.environment.resolver);
    this.state = state;
    this.child = child;
    this.limit = node.limit === null ? null : compiler.compile(node.limit);
    this.offset = node.offset === null ? null : compiler.compile(node.offset);
    this.ties = node.tiesKeys === null ? null : new KeyMemory(state, node.tiesKeys);
  }

  open(): void {
    this.phase = 'start';
    this.pending = false;
    this.child.open();
  }

  rescan(): void {
    this.phase = 'start';
    this.pending = false;
    this.child.rescan();
  }

  close(): void {
    this.child.close();
    this.phase = 'done';
  }

  next(): boolean {
    if (this.phase === 'start') this.start();
    if (this.phase === 'skip') {
      while (this.skip > 0) {
        if (!this.child.next()) {
          this.phase = 'done';
          return false;
        }
        this.skip--;
      }
      this.phase = 'emit';
    }
    if (this.phase === 'emit') {
      if (this.remaining <= 0) {
        this.phase = 'done';
        return false;
      }
      if (!this.pending) {
        if (!this.child.next()) {
          this.phase = 'done';
          return false;
        }
        this.pending = true;
      }
      if (this.ties !== null && this.remaining === 1) {
        this.ties.remember(this.ties.evaluate());
        this.phase = 'ties';
      }
      this.remaining--;
      this.pending = false;
      return true;
    }
    if (this.phase === 'ties') {
      if (!this.pending) {
        if (!this.child.next()) {
          this.phase = 'done';
          return false;
        }
        this.pending = true;
      }
      const isTie = this.ties!.equals(this.ties!.evaluate());
      this.pending = false;
      if (isTie) return true;
      this.phase = 'done';
    }
    return false;
  }

  private start(): void {
    const { frame } = this.state;
    const offset = this.offset?.(frame) ?? null;
    if (offset !== null && (offset as bigint) < 0) {
      throw new DbError('invalid_row_count_in_result_offset_clause', 'OFFSET must not be negative');
    }
    const limit = this.limit?.(frame) ?? null;
    if (limit !== null && (limit as bigint) < 0) {
      throw new DbError('invalid_row_count_in_limit_clause', 'LIMIT must not be negative');
    }
    this.skip = offset === null ? 0 : Number(offset as bigint);
    this.remaining = limit === null ? Number.POSITIVE_INFINITY : Number(limit as bigint);
    this.phase = this.remaining === 0 ? 'done' : 'skip';
  }
}

/** Drops rows whose keys equal the row before. */
export class Unique implements Operator {
  private readonly child: Operator;
  private readonly keys: KeyMemory;
  private hasRow = false;
  private pending = false;

  constructor(state: ExecutionState, node: UniqueNode, child: Operator) {
    this.child = child;
    this.keys = new KeyMemory(state, node.keys);
  }

  open(): void {
    this.hasRow = false;
    this.pending = false;
    this.child.open();
  }

  rescan(): void {
    this.hasRow = false;
    this.pending = false;
    this.child.rescan();
  }

  close(): void {
    this.child.close();
  }

  next(): boolean {
    for (;;) {
      if (!this.pending) {
        if (!this.child.next()) return false;
        this.pending = true;
      }
      const values = this.keys.evaluate();
      this.pending = false;
      if (this.hasRow && this.keys.equals(values)) continue;
      this.keys.remember(values);
      this.hasRow = true;
      return true;
    }
  }
}
