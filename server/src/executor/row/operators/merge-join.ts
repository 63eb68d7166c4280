/**
 * Merge join over inputs sorted by the keys. The inner rows of one key are kept while outer rows with that key pass.
 */
import type { MergeJoinNode } from '../../../planner/physical.ts';
import type { Datum } from '../../../types/datum.ts';
import type { ExecutionState } from '../../state.ts';
import { type Evaluate, ExpressionCompiler, type Test } from '../expression/compile.ts';
import { compareUnder, type KeyOrder } from '../sorter.ts';
import { RowStore } from '../store.ts';
import type { Operator } from './operator.ts';

export class MergeJoin implements Operator {
  private readonly state: ExecutionState;
  private readonly node: MergeJoinNode;
  private readonly outer: Operator;
  private readonly inner: Operator;
  private readonly outerKeys: Evaluate[];
  private readonly innerKeys: Evaluate[];
  private readonly orders: KeyOrder[];
  private readonly condition: Test | null;
  /** Inner rows of the current key. */
  private readonly group: RowStore;
  private groupKey: Datum[] | null = null;
  private groupMatched: boolean[] = [];
  private groupComplete = false;
  /** First inner row after the group, saved because the frame is shared. */
  private readonly ahead: RowStore;
  private aheadKey: Datum[] | null = null;
  private innerDone = false;
  private outerDone = false;
  private opened = false;
  private phase: 'outer' | 'outerKey' | 'align' | 'pairs' | 'check' | 'flush' | 'drain' | 'done' = 'outer';
  private afterFlush: 'align' | 'drain' = 'align';
  private outerKey: Datum[] = [];
  private readonly outerRow: RowStore;
  private position = 0;
  private matched = false;
  private innerPending = false;

  constructor(state: ExecutionState, node: MergeJoinNode, outer: Operator, inner: Operator) {
    const { resolver } = state.environment;
    const compiler = new ExpressionCompiler(state, resolver);
    this.state = state;
    this.node = node;
    this.outer = outer;
    this.inner = inner;
    this.outerKeys = node.keys.map((key) => compiler.compile(key.outer));
    this.innerKeys = node.keys.map((key) => compiler.compile(key.inner));
    this.orders = node.keys.map((key) => ({
      compare: compiler.comparer(key.outer.typeOid, key.inner.typeOid),
      descending: key.descending,
      nullsFirst: key.nullsFirst,
    }));
    this.condition = compiler.testOrNull(node.condition);
    this.group = new RowStore(node.inner.outputs, state.memory);
    this.ahead = new RowStore(node.inner.outputs, state.memory);
    this.outerRow = new RowStore(node.outer.outputs, state.memory);
  }

  open(): void {
    this.clear();
    this.outer.open();
    this.inner.open();
    this.opened = true;
  }

  rescan(): void {
    this.clear();
    if (this.opened) {
      this.outer.rescan();
      this.inner.rescan();
    }
  }

  close(): void {
    this.clear();
    this.outer.close();
    this.inner.close();
    this.phase = 'done';
  }

  private clear(): void {
    this.group.clear();
    this.ahead.clear();
    this.outerRow.clear();
    this.groupKey = null;
    this.aheadKey = null;
    this.groupMatched = [];
    this.groupComplete = false;
    this.innerDone = false;
    this.outerDone = false;
    this.innerPending = false;
    this.phase = 'outer';
  }

  private get keepsInner(): boolean {
    const { type } = this.node;
    return type === 'right' || type === 'full' || type === 'rightAnti';
  }

  private compare(left: readonly Datum[], right: readonly Datum[]): number {
    for (let index = 0; index < this.orders.length; index++) {
      const order = compareUnder(this.orders[index]!, left[index]!, right[index]!);
      if (order !== 0) return order;
    }
    return 0;
  }

  /** Reads inner rows until the group holds exactly one key; the row after it waits in `ahead`. False at the end. */
  private nextGroup(): boolean {
    const { state, group, ahead } = this;
    const { frame } = state;
    if (this.groupKey === null && this.aheadKey !== null) {
      ahead.restore(0, frame);
      group.save(frame);
      this.groupKey = this.aheadKey;
      this.aheadKey = null;
      ahead.clear();
    }
    while (!this.innerDone) {
      if (!this.innerPending) {
        if (!this.inner.next()) {
          this.innerDone = true;
          break;
        }
        this.innerPending = true;
      }
      const key = this.innerKeys.map((run) => run(frame));
      this.innerPending = false;
      if (this.groupKey === null) {
        this.groupKey = key;
        group.save(frame);
      } else if (this.compare(this.groupKey, key) === 0) group.save(frame);
      else {
        this.aheadKey = key;
        ahead.save(frame);
        break;
      }
    }
    this.groupMatched = new Array<boolean>(group.count).fill(false);
    this.groupComplete = this.groupKey !== null;
    return this.groupKey !== null;
  }

  private dropGroup(): void {
    this.group.clear();
    this.groupKey = null;
    this.groupComplete = false;
  }

  next(): boolean {
    const { state, node, group } = this;
    const { frame } = state;
    const { type } = node;
    for (;;) {
      switch (this.phase) {
        case 'outer':
          state.tick();
          if (!this.outer.next()) {
            this.outerDone = true;
            this.position = 0;
            this.afterFlush = 'drain';
            this.phase = this.keepsInner ? 'flush' : 'done';
            break;
          }
          this.phase = 'outerKey';
          break;
        case 'outerKey':
          this.outerKey = this.outerKeys.map((run) => run(frame));
          this.outerRow.clear();
          this.outerRow.save(frame);
          this.matched = false;
          this.phase = 'align';
          break;
        case 'align': {
          state.tick();
          if (!this.groupComplete && !this.nextGroup()) {
            this.phase = 'pairs';
            this.position = 0;
            break;
          }
          const order = this.compare(this.outerKey, this.groupKey!);
          if (order > 0) {
            this.position = 0;
            this.afterFlush = 'align';
            if (this.keepsInner) this.phase = 'flush';
            else this.dropGroup();
            break;
          }
          this.position = order === 0 && this.outerKey.every((value) => value !== null) ? 0 : group.count;
          this.phase = 'pairs';
          break;
        }
        case 'pairs': {
          if (this.position >= group.count) {
            this.phase = 'outer';
            this.outerRow.restore(0, frame);
            if (this.matched) break;
            if (type === 'left' || type === 'full') {
              for (const slot of node.inner.outputs) frame[slot] = null;
              return true;
            }
            if (type === 'anti') return true;
            break;
          }
          this.outerRow.restore(0, frame);
          group.restore(this.position, frame);
          this.phase = 'check';
          break;
        }
        case 'check': {
          state.tick();
          const row = this.position;
          const passes = this.condition === null || this.condition(frame);
          this.position = row + 1;
          this.phase = 'pairs';
          if (!passes) break;
          this.matched = true;
          const first = !this.groupMatched[row];
          this.groupMatched[row] = true;
          if (type === 'semi') {
            this.phase = 'outer';
            return true;
          }
          if (type === 'anti') {
            this.phase = 'outer';
            break;
          }
          if (type === 'rightAnti' || (type === 'rightSemi' && !first)) break;
          return true;
        }
        case 'flush': {
          while (this.position < group.count) {
            const row = this.position++;
            if (this.groupMatched[row]) continue;
            group.restore(row, frame);
            if (type !== 'rightAnti') for (const slot of node.outer.outputs) frame[slot] = null;
            return true;
          }
          this.dropGroup();
          if (!this.outerDone) {
            this.outerRow.restore(0, frame);
            this.phase = this.afterFlush;
          } else this.phase = 'drain';
          break;
        }
        case 'drain':
          state.tick();
          if (!this.nextGroup()) {
            this.phase = 'done';
            break;
          }
          this.position = 0;
          this.phase = 'flush';
          break;
        case 'done':
          return false;
      }
    }
  }
}
