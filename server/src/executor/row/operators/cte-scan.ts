/**
 * Reads a CTE that is evaluated once and shared by all its readers; rows are pulled when the first reader needs them. A CTE
 * that is read once is not kept: its reader takes each row as it comes.
 */
import { assert } from '../../../base/error.ts';
import type { CteScanNode } from '../../../planner/physical.ts';
import type { Datum } from '../../../types/datum.ts';
import type { ExecutionState } from '../../state.ts';
import { ExpressionCompiler, type Test } from '../expression/compile.ts';
import { RowStore } from '../store.ts';
import { dependencies } from '../walk.ts';
import { buildOperator } from './build.ts';
import type { Operator } from './operator.ts';

/** The shared rows of one CTE. */
export class CteStore {
  readonly rows: RowStore;
  /** Its one reader goes through it once. */
  readonly isReadOnce: boolean;
  private readonly state: ExecutionState;
  private readonly root: Operator;
  /** Outer slots the CTE reads: with other values in them it is evaluated anew. */
  private readonly outerSlots: readonly number[];
  private outerValues: Datum[] = [];
  /** Work tables it reads: in the next round it is evaluated anew. */
  private readonly workTables: readonly number[];
  private rounds: number[] = [];
  private opened = false;
  private complete = false;

  constructor(state: ExecutionState, cte: number) {
    const plan = state.plan.ctes[cte];
    assert(plan !== undefined, `common table ${cte} does not exist`);
    this.state = state;
    this.root = buildOperator(plan.root, state);
    this.rows = new RowStore(plan.outputs, state.memory);
    this.isReadOnce = plan.readOnce;
    const outside = plan.modifies ? null : dependencies(plan.root, state.plan, state.environment.resolver);
    this.outerSlots = outside?.slots ?? [];
    this.workTables = outside?.workTables ?? [];
  }

  /** A new execution begins. */
  reset(): void {
    if (this.opened) this.root.close();
    this.rows.clear();
    this.opened = false;
    this.complete = false;
  }

  /** A reader starts again; drops the rows when the outer values changed. */
  readerRestarts(): void {
    if (!this.opened) return;
    if (this.isReadOnce) {
      this.complete = false;
      this.root.rescan();
      return;
    }
    if (this.outerSlots.length === 0 && this.workTables.length === 0) return;
    const { frame } = this.state;
    const isSame =
      this.outerSlots.every((slot, index) => frame[slot] === this.outerValues[index]) &&
      this.workTables.every((table, index) => this.roundOf(table) === this.rounds[index]);
    if (isSame) return;
    this.rows.clear();
    this.complete = false;
    this.noteOutside();
    this.root.rescan();
  }

  private roundOf(workTable: number): number {
    return this.state.workTables[workTable]?.round ?? 0;
  }

  private noteOutside(): void {
    this.outerValues = this.outerSlots.map((slot) => this.state.frame[slot]!);
    this.rounds = this.workTables.map((table) => this.roundOf(table));
  }

  /** Copies row `row` into other slots, column by column; false when there are fewer. */
  read(row: number, slots: readonly number[]): boolean {
    const { frame } = this.state;
    if (this.isReadOnce) {
      if (!this.advance()) return false;
      const { slots: outputs } = this.rows;
      for (let column = 0; column < slots.length; column++) frame[slots[column]!] = frame[outputs[column]!]!;
      return true;
    }
    if (!this.pull(row)) return false;
    this.rows.restoreTo(row, frame, slots);
    return true;
  }

  /** Makes row `row` available; false when there are fewer. */
  private pull(row: number): boolean {
    while (row >= this.rows.count) {
      if (!this.advance()) return false;
      this.rows.save(this.state.frame);
    }
    return true;
  }

  /** The next row of the CTE itself, into its output slots. */
  private advance(): boolean {
    if (this.complete) return false;
    if (!this.opened) {
      this.noteOutside();
      this.root.open();
      this.opened = true;
    }
    if (this.root.next()) return true;
    this.complete = true;
    return false;
  }

  /** Runs a data-modifying CTE to its end although nobody reads it. */
  drain(): void {
    while (this.pull(this.rows.count));
  }

  close(): void {
    this.reset();
  }
}

/** The store of CTE `cte`, made at first use. */
export function cteStore(state: ExecutionState, cte: number): CteStore {
  const known = state.ctes[cte];
  if (known !== null && known !== undefined) return known;
  const made = new CteStore(state, cte);
  state.ctes[cte] = made;
  return made;
}

export class CteScan implements Operator {
  private readonly state: ExecutionState;
  private readonly node: CteScanNode;
  private readonly filter: Test | null;
  private readonly store: CteStore;
  private row = 0;
  private pending = false;
  private started = false;

  constructor(state: ExecutionState, node: CteScanNode) {
    this.state = state;
    this.node = node;
    this.filter = new ExpressionCompiler(state, state.environment.resolver).testOrNull(node.filter);
    this.store = cteStore(state, node.cte);
  }

  open(): void {
    this.rescan();
  }

  rescan(): void {
    this.row = 0;
    this.pending = false;
    this.started = false;
  }

  close(): void {
    this.rescan();
  }

  next(): boolean {
    const { state, node, filter, store } = this;
    const { frame } = state;
    if (!this.started) {
      store.readerRestarts();
      this.started = true;
    }
    for (;;) {
      if (!this.pending) {
        state.tick();
        if (!store.read(this.row, node.slots)) return false;
        this.row++;
        if (filter === null) return true;
        this.pending = true;
      }
      const passes = filter!(frame);
      this.pending = false;
      if (passes) return true;
    }
  }
}
