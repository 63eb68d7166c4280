/** Project and filter. */
import type { FilterNode, ProjectNode } from '../../../planner/physical.ts';
import type { ExecutionState } from '../../state.ts';
import { type Evaluate, ExpressionCompiler, type Test } from '../expression/compile.ts';
import { maySuspend } from '../walk.ts';
import type { Operator } from './operator.ts';

export class Project implements Operator {
  private readonly state: ExecutionState;
  private readonly child: Operator;
  private readonly runs: Evaluate[];
  private readonly slots: number[];
  private readonly maySuspend: boolean;
  private pending = false;
  private progress = 0;

  constructor(state: ExecutionState, node: ProjectNode, child: Operator) {
    const { resolver } = state.environment;
    const compiler = new ExpressionCompiler(state, resolver);
    this.state = state;
    this.child = child;
    this.runs = node.exprs.map(({ expr }) => compiler.compile(expr));
    this.slots = node.exprs.map(({ slot }) => slot);
    this.maySuspend = node.exprs.some(({ expr }) => maySuspend(expr, resolver));
  }

  open(): void {
    this.pending = false;
    this.child.open();
  }

  rescan(): void {
    this.pending = false;
    this.child.rescan();
  }

  close(): void {
    this.child.close();
  }

  next(): boolean {
    const { runs, slots } = this;
    const { frame } = this.state;
    if (!this.maySuspend) {
      if (!this.child.next()) return false;
      for (let index = 0; index < runs.length; index++) frame[slots[index]!] = runs[index]!(frame);
      return true;
    }
    if (!this.pending) {
      if (!this.child.next()) return false;
      this.pending = true;
      this.progress = 0;
    }
    for (; this.progress < runs.length; this.progress++) {
      frame[slots[this.progress]!] = runs[this.progress]!(frame);
    }
    this.pending = false;
    return true;
  }
}

export class Filter implements Operator {
  private readonly state: ExecutionState;
  private readonly child: Operator;
  private readonly condition: Test;
  /** The condition reads nothing of the child: it is asked before the child starts. */
  private readonly oneTime: boolean;
  private decided: boolean | null = null;
  private pending = false;
  removed = 0;

  constructor(state: ExecutionState, node: FilterNode, child: Operator) {
    this.state = state;
    this.child = child;
    this.condition = new ExpressionCompiler(state, state.environment.resolver).test(node.condition);
    this.oneTime = node.oneTime === true;
  }

  open(): void {
    this.pending = false;
    this.decided = null;
    this.removed = 0;
    this.child.open();
  }

  rescan(): void {
    this.pending = false;
    this.decided = null;
    this.child.rescan();
  }

  close(): void {
    this.child.close();
  }

  next(): boolean {
    const { frame } = this.state;
    if (this.oneTime) {
      this.decided ??= this.condition(frame);
      return this.decided && this.child.next();
    }
    for (;;) {
      if (!this.pending) {
        if (!this.child.next()) return false;
        this.pending = true;
      }
      const passes = this.condition(frame);
      this.pending = false;
      if (passes) return true;
      this.removed++;
    }
  }
}
