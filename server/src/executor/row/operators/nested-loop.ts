/** Nested loop: the inner side runs anew for every outer row and may read its slots. */
import type { NestedLoopNode } from '../../../planner/physical.ts';
import type { ExecutionState } from '../../state.ts';
import { ExpressionCompiler, type Test } from '../expression/compile.ts';
import type { Operator } from './operator.ts';

export class NestedLoop implements Operator {
  private readonly state: ExecutionState;
  private readonly node: NestedLoopNode;
  private readonly outer: Operator;
  private readonly inner: Operator;
  private readonly condition: Test | null;
  private phase: 'outer' | 'inner' | 'check' = 'outer';
  private innerOpened = false;
  private matched = false;

  constructor(state: ExecutionState, node: NestedLoopNode, outer: Operator, inner: Operator) {
    this.state = state;
    this.node = node;
    this.outer = outer;
    this.inner = inner;
    this.condition = new ExpressionCompiler(state, state.environment.resolver).testOrNull(node.condition);
  }

  open(): void {
    this.outer.open();
    this.phase = 'outer';
    this.innerOpened = false;
  }

  rescan(): void {
    this.outer.rescan();
    this.phase = 'outer';
  }

  close(): void {
    this.outer.close();
    this.inner.close();
    this.innerOpened = false;
  }

  next(): boolean {
    const { state, condition, inner } = this;
    const { type } = this.node;
    const { frame } = state;
    for (;;) {
      if (this.phase === 'outer') {
        if (!this.outer.next()) return false;
        if (this.innerOpened) inner.rescan();
        else {
          inner.open();
          this.innerOpened = true;
        }
        this.matched = false;
        this.phase = 'inner';
      }
      if (this.phase === 'inner') {
        state.tick();
        if (!inner.next()) {
          this.phase = 'outer';
          if (this.matched || type === 'inner' || type === 'semi') continue;
          if (type === 'left') for (const slot of this.node.inner.outputs) frame[slot] = null;
          return true;
        }
        this.phase = 'check';
      }
      const passes = condition === null || condition(frame);
      this.phase = 'inner';
      if (!passes) continue;
      this.matched = true;
      if (type === 'inner' || type === 'left') return true;
      this.phase = 'outer';
      if (type === 'semi') return true;
    }
  }
}
