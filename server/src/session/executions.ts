/** The operator trees of one session: kept for reuse, stepped in slices. */
import type { Execution, RowSink, StepResult } from '../executor/contract.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type { Transaction } from '../txn/contract.ts';
import type { Datum } from '../types/datum.ts';
import type { ResultSink } from './contract.ts';
import type { BackendSession } from './session.ts';

/** Operator trees kept per session. */
const KEPT_EXECUTIONS_MAX = 256;

class CountingRowSink implements RowSink {
  delivered = 0;
  /** Follows the session's while that is another one. */
  sink: ResultSink;
  constructor(sink: ResultSink) {
    this.sink = sink;
  }
  row(frame: readonly Datum[]): void {
    this.delivered++;
    this.sink.row(frame);
  }
  isCongested(): boolean {
    return this.sink.isCongested();
  }
}

export class Executions {
  readonly rowSink: CountingRowSink;
  /** One operator tree of each plan that was run lately, taken or idle. */
  private readonly kept = new Map<PhysicalPlan, Execution>();
  private readonly session: BackendSession;

  constructor(session: BackendSession) {
    this.session = session;
    this.rowSink = new CountingRowSink(session.sink);
  }

  /**
   * Takes the table locks of a plan before it starts. Null = granted at once; else a promise for when they are: then the tables may
   * have changed, so the statement must be compiled again, and only a snapshot taken from then on shows what their holders did.
   */
  lockRelations(plan: PhysicalPlan, transaction: Transaction): Promise<void> | null {
    const { relations } = plan;
    for (let index = 0; index < relations.length; index++) {
      const pending = this.lockRelation(plan, index, transaction);
      if (pending === null) continue;
      // Later levels look at the database as it was when their first statement came, not when it got its lock.
      if (transaction.isolation !== 'read committed') transaction.statementSnapshot();
      return this.lockRest(plan, index + 1, transaction, pending);
    }
    return null;
  }

  private lockRelation(plan: PhysicalPlan, index: number, transaction: Transaction): Promise<void> | null {
    const { relationOid, lockMode } = plan.relations[index]!;
    const { services } = this.session;
    return services.locks.lockTable(transaction, relationOid, lockMode, {
      policy: 'wait',
      timeoutMicros: services.lockTimeoutMicros(),
    });
  }

  private async lockRest(
    plan: PhysicalPlan,
    next: number,
    transaction: Transaction,
    first: Promise<void>,
  ): Promise<void> {
    await this.wait(first);
    for (let index = next; index < plan.relations.length; index++) {
      const pending = this.lockRelation(plan, index, transaction);
      if (pending !== null) await this.wait(pending);
    }
  }

  /** Waits for a lock, as pg_stat_activity shows it. */
  private async wait(lock: Promise<void>): Promise<void> {
    this.session.noteWait();
    try {
      await lock;
    } finally {
      this.session.entry.waitEventType = null;
      this.session.entry.waitEvent = null;
    }
    this.session.checkInterrupt();
  }

  /** Compiles until all locks of the plan are held without waiting for one. */
  async lockedPlan(compile: () => PhysicalPlan): Promise<PhysicalPlan> {
    for (;;) {
      const plan = compile();
      const waiting = this.lockRelations(plan, this.session.block.forStatement());
      if (waiting === null) return plan;
      await waiting;
    }
  }

  /** Starts and runs an execution to its end. Null = finished in the first slice. */
  runToEnd(
    execution: Execution,
    transaction: Transaction,
    parameters: readonly Datum[],
    sink: RowSink = this.rowSink,
  ): Promise<void> | null {
    this.rowSink.delivered = 0;
    execution.start({
      transaction,
      snapshot: transaction.statementSnapshot(),
      parameters,
      instrumentation: null,
    });
    const result = execution.step(0, sink);
    if (result === 'done' || result === 'limit') return null;
    return this.stepOn(execution, 0, sink, result).then(() => undefined);
  }

  /** Runs a plan inside the current transaction to its end; rows go to `row`. Returns the number of rows. */
  async runPlan(
    plan: PhysicalPlan,
    parameters: readonly Datum[],
    row: ((frame: readonly Datum[]) => void) | null,
  ): Promise<number> {
    const rows = await this.runInto(plan, parameters, { row: row ?? (() => {}), isCongested: () => false });
    if (!plan.readOnly) this.session.block.forStatement().advanceCommand();
    return rows;
  }

  /** As `runPlan`, to a reader that may ask for a pause (COPY TO) or with instrumentation (EXPLAIN ANALYZE). */
  async runInto(
    plan: PhysicalPlan,
    parameters: readonly Datum[],
    sink: RowSink,
    instrumentation: object | null = null,
  ): Promise<number> {
    const transaction = this.session.block.forStatement();
    const execution = this.session.engine.compiler.instantiate(plan, this.session.services);
    try {
      execution.start({
        transaction,
        snapshot: transaction.statementSnapshot(),
        parameters,
        instrumentation,
      });
      const first = execution.step(0, sink);
      if (first !== 'done' && first !== 'limit') await this.stepOn(execution, 0, sink, first);
      return execution.rowCount;
    } finally {
      execution.close();
    }
  }

  /** Goes on after a suspension until the rows asked for are delivered. */
  async stepOn(
    execution: Execution,
    maxRows: number,
    sink: RowSink,
    first: StepResult,
  ): Promise<'done' | 'limit'> {
    let result = first;
    while (result !== 'done' && result !== 'limit') {
      result = await this.awaitStep(execution, sink, result, () =>
        maxRows === 0 ? 0 : maxRows - this.rowSink.delivered,
      );
    }
    return result;
  }

  /** Waits for what the last step asked for, then steps again. */
  async awaitStep(
    execution: Execution,
    sink: RowSink,
    result: StepResult,
    remainingRows: () => number,
  ): Promise<StepResult> {
    if (result === 'suspended') await this.session.engine.clock.yieldToLoop();
    else if (result === 'congested') await this.session.sink.drained();
    else if (typeof result === 'object') {
      this.session.noteWait();
      try {
        await result.promise;
      } finally {
        this.session.entry.waitEventType = null;
        this.session.entry.waitEvent = null;
      }
    }
    this.session.checkInterrupt();
    return execution.step(remainingRows(), sink);
  }

  acquireExecution(plan: PhysicalPlan): Execution {
    const kept = this.kept.get(plan);
    if (kept !== undefined && kept.isTaken !== true) {
      kept.isTaken = true;
      return kept;
    }
    const execution: Execution = this.session.engine.compiler.instantiate(plan, this.session.services);
    execution.isTaken = true;
    return execution;
  }

  releaseExecution(plan: PhysicalPlan, execution: Execution): void {
    execution.close();
    execution.isTaken = false;
    // One of each plan is kept where it is; taking it out and putting it back would cost a point query a tenth of its time.
    const kept = this.kept.get(plan);
    if (kept === execution) return;
    if (kept !== undefined) {
      // The other one is in the hands of a statement around this.
      if (kept.isTaken === true) this.kept.set(plan, execution);
      return;
    }
    if (this.kept.size >= KEPT_EXECUTIONS_MAX) {
      const oldest = this.kept.keys().next();
      if (!oldest.done) this.kept.delete(oldest.value);
    }
    this.kept.set(plan, execution);
  }

  closeAll(): void {
    for (const execution of this.kept.values()) execution.close();
    this.kept.clear();
  }
}
