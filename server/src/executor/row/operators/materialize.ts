/** Keeps its child's rows so that they can be read again without running it. */
import type { MaterializeNode } from '../../../planner/physical.ts';
import type { ExecutionState } from '../../state.ts';
import { RowStore } from '../store.ts';
import { dependencies } from '../walk.ts';
import type { Operator } from './operator.ts';

export class Materialize implements Operator {
  private readonly state: ExecutionState;
  private readonly child: Operator;
  private readonly rows: RowStore;
  private readonly keepsRows: boolean;
  private complete = false;
  private position = 0;

  constructor(state: ExecutionState, node: MaterializeNode, child: Operator) {
    this.state = state;
    this.child = child;
    this.rows = new RowStore(node.outputs, state.memory);
    const found = dependencies(node.child, state.plan, state.environment.resolver);
    this.keepsRows = found.slots.length === 0 && !found.volatile;
  }

  open(): void {
    this.clear();
    this.child.open();
  }

  rescan(): void {
    this.position = 0;
    if (this.keepsRows) return;
    this.clear();
    this.child.rescan();
  }

  close(): void {
    this.clear();
    this.child.close();
  }

  private clear(): void {
    this.rows.clear();
    this.complete = false;
    this.position = 0;
  }

  next(): boolean {
    const { state, rows } = this;
    if (this.position < rows.count) {
      state.tick();
      rows.restore(this.position++, state.frame);
      return true;
    }
    if (this.complete) return false;
    if (!this.child.next()) {
      this.complete = true;
      return false;
    }
    rows.save(state.frame);
    this.position++;
    return true;
  }
}
