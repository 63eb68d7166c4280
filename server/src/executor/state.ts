/**
 * The state of one running statement: its frame, its surroundings and its budgets.
 *
 * One object lives as long as the instantiated operator tree. `environment` is replaced when a cached tree is opened again
 * (another transaction, other parameters), so closures read it through the state and never copy it.
 */

import type { Oid, Xid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import { SuspendSignal, WaitSignal } from '../base/suspend.ts';
import type { CatalogReader } from '../catalog/contract.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type { Expr } from '../sql/tree.ts';
import type { Table } from '../table/contract.ts';
import type { Snapshot, Transaction, WaitPolicy } from '../txn/contract.ts';
import type { Datum } from '../types/datum.ts';
import type { AfterQueue } from './constraints/queue.ts';
import type { ExecutorServices } from './contract.ts';
import type { FunctionResolver } from './functions.ts';
import type { Instrumentation } from './instrument.ts';
import type { PipelineService } from './pipeline/service.ts';
import type { SubplanRunner } from './row/expression/subplan.ts';
import type { CteStore } from './row/operators/cte-scan.ts';
import type { WorkTable } from './row/operators/recursive-union.ts';

/** Where operators put rows that exceed the statement's memory. Absent = such statements end with 53200. */
export interface SpillStore {
  /** Makes an empty temporary file; it disappears with `close`. */
  create(): SpillFile;
}

/** A temporary file: appended once, then read at any offset. Synchronous, because spilling happens inside a slice. */
export interface SpillFile {
  append(bytes: Uint8Array): void;
  read(offset: number, target: Uint8Array): number;
  readonly size: number;
  close(): void;
}

/** Everything around one execution. */
export interface ExecutionEnvironment {
  readonly services: ExecutorServices;
  /** As the transaction sees it at the start of the execution. */
  readonly catalog: CatalogReader;
  readonly resolver: FunctionResolver;
  readonly transaction: Transaction;
  readonly snapshot: Snapshot;
  readonly parameters: readonly Datum[];
  readonly sessionId: number;
  /** Bytes the operators of the statement may hold together. */
  readonly memoryLimitBytes: number;
  /** From here on operators write to temporary files, if there is a spill store. */
  readonly spillLimitBytes: number;
  readonly spill: SpillStore | null;
  /** Working memory of a query that runs as pipelines; beyond it the row executor runs it, which spills. Null = what there is. */
  readonly pipelineBytes: number | null;
  /** Compiled pipelines on workers, or null where there are none (tests, workers themselves). */
  readonly pipelines: PipelineService | null;
  /** Reads a serialised expression of the catalog (defaults, checks, generated columns). */
  readonly parseExpression: (text: string) => Expr;
  /** Record for EXPLAIN ANALYZE, or null. */
  readonly instrumentation: Instrumentation | null;
}

/** Rows between two looks at the clock; a row rarely costs more than 2 µs, so a look comes every half millisecond. */
const TICKS_PER_LOOK = 256;
const TICKS_PER_TEST_SLICE = 6;

export class ExecutionState {
  readonly plan: PhysicalPlan;
  readonly frame: Datum[];
  environment: ExecutionEnvironment;
  readonly memory: MemoryAccount;
  /** Value of the innermost CASE argument (or array element) under evaluation. */
  caseValue: Datum = null;
  readonly subplans = new Map<string, SubplanRunner>();
  readonly ctes: (CteStore | null)[];
  readonly workTables: (WorkTable | null)[];
  /** Checks and actions that run after the statement's own rows: foreign keys. */
  after: AfterQueue | null = null;
  /** Rows changed by the top-level modification, for the command tag. */
  processed = 0;
  /** Calls of user functions that were left by a suspension, by their place. */
  readonly calls: { pending: unknown }[] = [];
  private ticks = 0;
  private deadline = Number.POSITIVE_INFINITY;
  private readonly tableCache = new Map<Oid, Table>();

  constructor(plan: PhysicalPlan, environment: ExecutionEnvironment) {
    this.plan = plan;
    this.environment = environment;
    this.frame = new Array<Datum>(plan.slotCount).fill(null);
    this.memory = new MemoryAccount(environment.memoryLimitBytes);
    this.memory.soft = environment.spill === null ? Number.POSITIVE_INFINITY : environment.spillLimitBytes;
    this.ctes = plan.ctes.map(() => null);
    this.workTables = new Array<WorkTable | null>(plan.workTableCount).fill(null);
  }

  /** Called by every leaf and every long loop before it takes a step; may throw SuspendSignal or the cancel error. */
  tick(): void {
    if (--this.ticks < 0) this.look();
  }

  /** Starts a slice; the first look comes soon so that one slow row cannot hide another. */
  beginSlice(): void {
    this.checkInterrupt();
    const { services } = this.environment;
    // Slices of length 0 are for tests: a suspension every few ticks (each level of operators may take one per entry).
    this.ticks = services.sliceMicros > 0 ? TICKS_PER_LOOK : TICKS_PER_TEST_SLICE;
    const { activity } = services;
    // A statement inside a function shares the slice of the statement that called the function.
    if (activity !== undefined && activity.depth > 1) {
      this.deadline = activity.deadline;
      return;
    }
    this.deadline = services.monotonicMicros() + services.sliceMicros;
    if (activity !== undefined) activity.deadline = this.deadline;
  }

  /** Runs without slices: on a worker, or where the caller cannot yield. */
  beginUnbounded(): void {
    this.checkInterrupt();
    this.ticks = TICKS_PER_LOOK;
    this.deadline = Number.POSITIVE_INFINITY;
  }

  checkInterrupt(): void {
    const pending = this.environment.services.interrupt();
    if (pending !== null) throw pending;
  }

  /** Looks at the clock and the cancel flag now. */
  look(): void {
    this.ticks = TICKS_PER_LOOK;
    this.checkInterrupt();
    if (this.environment.services.monotonicMicros() >= this.deadline) throw SuspendSignal.instance;
  }

  table(oid: Oid): Table {
    let table = this.tableCache.get(oid);
    if (table === undefined) {
      table = this.environment.services.tables.table(oid);
      this.tableCache.set(oid, table);
    }
    return table;
  }

  /** Forgets what belongs to the previous execution. */
  reset(environment: ExecutionEnvironment): void {
    this.environment = environment;
    if (this.tableCache.size > 0) this.tableCache.clear();
    this.memory.reset(environment.memoryLimitBytes);
    this.memory.soft = environment.spill === null ? Number.POSITIVE_INFINITY : environment.spillLimitBytes;
    this.processed = 0;
    this.after = null;
    if (this.subplans.size > 0) for (const runner of this.subplans.values()) runner.reset();
    for (const cte of this.ctes) cte?.reset();
    for (const call of this.calls) call.pending = null;
  }

  /** Leaves with a WaitSignal until `promise` is settled; null = nothing to wait for. The caller repeats its attempt afterwards. */
  waitFor(promise: Promise<void> | null): void {
    if (promise !== null) throw new WaitSignal(promise);
  }

  /** Waits until transaction `xid` has ended. */
  waitForTransaction(xid: Xid, policy: WaitPolicy = 'wait'): void {
    const { services, transaction } = this.environment;
    this.waitFor(
      services.locks.waitForTransaction(transaction, xid, {
        policy,
        timeoutMicros: services.lockTimeoutMicros(),
      }),
    );
  }
}

/** Counts the bytes that a statement's operators hold; estimates, not exact sizes. */
export class MemoryAccount {
  used = 0;
  peak = 0;
  limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  reset(limit: number): void {
    this.used = 0;
    this.peak = 0;
    this.limit = limit;
  }

  /** Above this operators that can write to temporary files do so. */
  soft = Number.POSITIVE_INFINITY;

  /** True when an operator that holds `ownBytes` should write to temporary files: it is one of those that matter. */
  mustSpill(ownBytes: number): boolean {
    return this.used > this.soft && ownBytes * 8 > this.soft;
  }

  /** Errors 53200 when the hard limit is passed. */
  reserve(bytes: number): void {
    this.used += bytes;
    if (this.used > this.peak) this.peak = this.used;
    if (this.used > this.limit) {
      throw new DbError('out_of_memory', 'out of memory', {
        detail: `Failed on request of size ${Math.round(bytes)} in the memory of the statement.`,
        hint: 'Increase work_mem or hash_mem_multiplier, or reduce the number of rows the statement keeps.',
      });
    }
  }

  release(bytes: number): void {
    this.used -= bytes;
  }
}
