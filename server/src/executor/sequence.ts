/** A statement that rules turned into several: each sees what those before it did. */
import type { PhysicalPlan } from '../planner/physical.ts';
import type { Execution, ExecutionContext, RowSink, StepResult } from './contract.ts';

/** Rows of the queries that are not the statement's result go nowhere. */
const NO_SINK: RowSink = { row: () => undefined, isCongested: () => false };

export class SequenceExecution implements Execution {
  readonly plan: PhysicalPlan;
  private readonly parts: readonly Execution[];
  private readonly main: number;
  private context: ExecutionContext | null = null;
  /** The part that runs, and whether it was started. */
  private current = 0;
  private isStarted = false;
  private count = 0;

  constructor(plan: PhysicalPlan, parts: readonly Execution[], main: number) {
    this.plan = plan;
    this.parts = parts;
    this.main = main;
  }

  get rowCount(): number {
    return this.count;
  }

  start(context: ExecutionContext): void {
    this.close();
    this.context = context;
    this.current = 0;
    this.isStarted = false;
    this.count = 0;
  }

  step(maxRows: number, sink: RowSink): StepResult {
    for (;;) {
      const part = this.parts[this.current];
      const { context } = this;
      if (part === undefined || context === null) return 'done';
      if (!this.isStarted) {
        const { transaction } = context;
        part.start(this.current === 0 ? context : { ...context, snapshot: transaction.statementSnapshot() });
        this.isStarted = true;
      }
      const isMain = this.current === this.main;
      const result = isMain ? part.step(maxRows, sink) : part.step(0, NO_SINK);
      if (result !== 'done') return result;
      if (isMain) this.count = part.rowCount;
      part.close();
      if (!part.plan.readOnly) context.transaction.advanceCommand();
      this.current++;
      this.isStarted = false;
    }
  }

  close(): void {
    for (const part of this.parts) part.close();
    this.context = null;
  }
}
