/** WITH RECURSIVE: the base rows, then rounds over the rows of the round before. */
import type { RecursiveUnionNode, WorkTableScanNode } from '../../../planner/physical.ts';
import type { Datum } from '../../../types/datum.ts';
import type { ExecutionState } from '../../state.ts';
import { ExpressionCompiler, type Test } from '../expression/compile.ts';
import { KeyTable, rowKeyColumns } from '../keys.ts';
import { RowStore } from '../store.ts';
import type { Operator } from './operator.ts';

/** Rows of the last round, as the recursive side reads them. */
export interface WorkTable {
  rows: RowStore;
  /** Counts rounds over all executions, so that what was computed from earlier rows is known as stale. */
  round: number;
}

export class RecursiveUnion implements Operator {
  private readonly state: ExecutionState;
  private readonly node: RecursiveUnionNode;
  private readonly base: Operator;
  private readonly recursive: Operator;
  private readonly workTable: WorkTable;
  private nextRows: RowStore;
  private seen: KeyTable | null;
  /** The row between its input slots and the output slots; the two may overlap. */
  private readonly values: Datum[];
  private seenCount = 0;
  private phase: 'base' | 'recursive' | 'done' = 'base';
  private recursiveOpened = false;

  constructor(
    state: ExecutionState,
    node: RecursiveUnionNode,
    base: Operator,
    buildRecursive: () => Operator,
  ) {
    this.state = state;
    this.node = node;
    this.base = base;
    this.workTable = { rows: new RowStore(node.slots, state.memory), round: 0 };
    this.nextRows = new RowStore(node.slots, state.memory);
    state.workTables[node.workTable] = this.workTable;
    this.recursive = buildRecursive();
    this.seen = null;
    this.values = node.slots.map(() => null);
  }

  open(): void {
    this.clear();
    this.recursiveOpened = false;
    this.base.open();
  }

  rescan(): void {
    this.clear();
    this.base.rescan();
  }

  close(): void {
    this.clear();
    this.base.close();
    this.recursive.close();
    this.recursiveOpened = false;
    this.phase = 'done';
  }

  private clear(): void {
    this.workTable.rows.clear();
    this.nextRows.clear();
    this.phase = 'base';
    this.seenCount = 0;
    this.seen = null;
    if (this.node.distinct) {
      const { resolver } = this.state.environment;
      this.seen = new KeyTable(rowKeyColumns(this.node.slots.length, this.node.keys, resolver));
    }
  }

  next(): boolean {
    const { state, node } = this;
    for (;;) {
      state.tick();
      if (this.phase === 'base') {
        if (!this.base.next()) {
          this.startRound();
          continue;
        }
        if (this.accept(node.baseSlots)) return true;
      } else if (this.phase === 'recursive') {
        if (!this.recursiveOpened) {
          this.recursive.open();
          this.recursiveOpened = true;
        }
        if (!this.recursive.next()) {
          this.startRound();
          continue;
        }
        if (this.accept(node.recursiveSlots)) return true;
      } else return false;
    }
  }

  /** Copies the row to the output slots and to the next round, unless it was seen before. */
  private accept(slots: readonly number[]): boolean {
    const { seen, node, values } = this;
    const { frame } = this.state;
    for (let index = 0; index < values.length; index++) values[index] = frame[slots[index]!]!;
    if (seen !== null) {
      seen.begin();
      for (let index = 0; index < values.length; index++) seen.put(index, values[index]!);
      if (seen.insert() < this.seenCount) return false;
      this.seenCount++;
    }
    for (let index = 0; index < values.length; index++) frame[node.slots[index]!] = values[index]!;
    this.nextRows.save(frame);
    return true;
  }

  private startRound(): void {
    const { workTable } = this;
    if (this.nextRows.count === 0) {
      this.phase = 'done';
      return;
    }
    const finished = workTable.rows;
    workTable.rows = this.nextRows;
    workTable.round++;
    finished.clear();
    this.nextRows = finished;
    if (this.phase === 'recursive' || this.recursiveOpened) this.recursive.rescan();
    this.phase = 'recursive';
  }
}

export class WorkTableScan implements Operator {
  private readonly state: ExecutionState;
  private readonly node: WorkTableScanNode;
  private readonly filter: Test | null;
  private row = 0;
  private pending = false;

  constructor(state: ExecutionState, node: WorkTableScanNode) {
    this.state = state;
    this.node = node;
    this.filter = new ExpressionCompiler(state, state.environment.resolver).testOrNull(node.filter);
  }

  open(): void {
    this.rescan();
  }

  rescan(): void {
    this.row = 0;
    this.pending = false;
  }

  close(): void {
    this.rescan();
  }

  next(): boolean {
    const { state, node, filter } = this;
    const { frame } = state;
    const rows = state.workTables[node.workTable]!.rows;
    for (;;) {
      if (!this.pending) {
        state.tick();
        if (this.row >= rows.count) return false;
        rows.restoreTo(this.row++, frame, node.slots);
        if (filter === null) return true;
        this.pending = true;
      }
      const passes = filter!(frame);
      this.pending = false;
      if (passes) return true;
    }
  }
}
