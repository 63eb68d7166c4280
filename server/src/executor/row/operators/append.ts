/** Append, INTERSECT and EXCEPT. */
import type { AppendNode, SetOperationNode } from '../../../planner/physical.ts';
import type { ExecutionState } from '../../state.ts';
import { KeyTable, rowKeyColumns } from '../keys.ts';
import { RowStore } from '../store.ts';
import type { Operator } from './operator.ts';

export class Append implements Operator {
  private readonly state: ExecutionState;
  private readonly node: AppendNode;
  private readonly children: readonly Operator[];
  private readonly opened: boolean[];
  private child = 0;

  constructor(state: ExecutionState, node: AppendNode, children: readonly Operator[]) {
    this.state = state;
    this.node = node;
    this.children = children;
    this.opened = children.map(() => false);
  }

  open(): void {
    this.opened.fill(false);
    this.child = 0;
  }

  rescan(): void {
    this.child = 0;
    for (let index = 0; index < this.children.length; index++) {
      if (this.opened[index]) this.children[index]!.rescan();
    }
  }

  close(): void {
    for (const child of this.children) child.close();
    this.opened.fill(false);
    this.child = this.children.length;
  }

  next(): boolean {
    const { frame } = this.state;
    const { slots, maps } = this.node;
    while (this.child < this.children.length) {
      const child = this.children[this.child]!;
      if (!this.opened[this.child]) {
        child.open();
        this.opened[this.child] = true;
      }
      if (child.next()) {
        const map = maps[this.child]!;
        for (let index = 0; index < slots.length; index++) frame[slots[index]!] = frame[map[index]!]!;
        return true;
      }
      this.child++;
    }
    return false;
  }
}

/** Counts the rows of both sides per distinct row; emits each as often as the operation says. */
export class SetOperation implements Operator {
  private readonly state: ExecutionState;
  private readonly node: SetOperationNode;
  private readonly left: Operator;
  private readonly right: Operator;
  private readonly rows: RowStore;
  private table: KeyTable;
  private leftCounts: number[] = [];
  private rightCounts: number[] = [];
  private phase: 'left' | 'right' | 'emit' = 'left';
  private rightOpened = false;
  private group = 0;
  private repeats = 0;

  constructor(state: ExecutionState, node: SetOperationNode, left: Operator, right: Operator) {
    this.state = state;
    this.node = node;
    this.left = left;
    this.right = right;
    this.rows = new RowStore(node.leftSlots, state.memory);
    this.table = this.makeTable();
  }

  private makeTable(): KeyTable {
    return new KeyTable(
      rowKeyColumns(this.node.leftSlots.length, this.node.keys, this.state.environment.resolver),
    );
  }

  open(): void {
    this.clear();
    this.rightOpened = false;
    this.left.open();
  }

  rescan(): void {
    this.clear();
    this.left.rescan();
    if (this.rightOpened) this.right.rescan();
  }

  close(): void {
    this.clear();
    this.left.close();
    this.right.close();
    this.rightOpened = false;
  }

  private clear(): void {
    this.rows.clear();
    this.table = this.makeTable();
    this.leftCounts = [];
    this.rightCounts = [];
    this.phase = 'left';
    this.group = 0;
    this.repeats = 0;
  }

  private key(slots: readonly number[], inserts: boolean): number {
    const { table } = this;
    const { frame } = this.state;
    table.begin();
    for (let index = 0; index < slots.length; index++) {
      const value = frame[slots[index]!]!;
      if (inserts) table.put(index, value);
      else if (!table.seek(index, value)) return -1;
    }
    return inserts ? table.insert() : table.find();
  }

  next(): boolean {
    const { state, node, rows, leftCounts, rightCounts } = this;
    const { frame } = state;
    if (this.phase === 'left') {
      while (this.left.next()) {
        const group = this.key(node.leftSlots, true);
        if (group === leftCounts.length) {
          leftCounts.push(0);
          rightCounts.push(0);
          rows.save(frame);
        }
        leftCounts[group]!++;
      }
      this.phase = 'right';
    }
    if (this.phase === 'right') {
      if (!this.rightOpened) {
        this.right.open();
        this.rightOpened = true;
      }
      while (this.right.next()) {
        const group = this.key(node.rightSlots, false);
        if (group >= 0) rightCounts[group]!++;
      }
      this.phase = 'emit';
    }
    while (this.group < rows.count) {
      state.tick();
      const group = this.group;
      if (this.repeats < this.wanted(leftCounts[group]!, rightCounts[group]!)) {
        this.repeats++;
        rows.restoreTo(group, frame, node.slots);
        return true;
      }
      this.group++;
      this.repeats = 0;
    }
    return false;
  }

  private wanted(left: number, right: number): number {
    const { op, all } = this.node;
    if (op === 'intersect') return all ? Math.min(left, right) : right > 0 ? 1 : 0;
    return all ? Math.max(0, left - right) : right > 0 ? 0 : 1;
  }
}
