/**
 * How the session runs a plan. Implemented by `executor/driver.ts` (row executor) and later by the pipelines.
 *
 * Life   `instantiate` compiles the plan once (per session, kept with its prepared statement); every execution is
 *        `start`, any number of `step`, `close`. After `close` it may be started again with other parameters: nothing is compiled anew.
 * Time   `step` runs at most about `sliceMicros` and then answers 'suspended'; a short statement is 'done' in its first step, without a promise.
 */

import type { Oid } from '../base/brands.ts';
import type { DbError } from '../base/error.ts';
import type { WaitSignal } from '../base/suspend.ts';
import type { CatalogReader, SearchPath } from '../catalog/contract.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type { FunctionContext } from '../sql/functions/contract.ts';
import type { TableStore } from '../table/contract.ts';
import type { LockManager, Snapshot, Transaction } from '../txn/contract.ts';
import type { Datum } from '../types/datum.ts';
import type { Activity, RoutineHost } from './routines.ts';

/** Receives the rows of a plan; the values are in `frame` at the slots of PhysicalPlan.columns and only until the call returns. */
export interface RowSink {
  row(frame: readonly Datum[]): void;
  /** Checked between rows: true makes `step` answer 'congested' until the caller calls again. */
  isCongested(): boolean;
}

/** What stays the same for all executions of one session. The function context is one long-lived object: read its `format` and timestamps at call time, never copy them at bind time. */
export interface ExecutorServices {
  readonly tables: TableStore;
  readonly locks: LockManager;
  readonly functionContext: FunctionContext;
  monotonicMicros(): number;
  readonly sliceMicros: number;
  /** Bytes all operators of one statement may use together, and the hard limit. */
  workMemoryBytes(): number;
  /**
   * chosen: somebody has set work_mem, so it is kept to; else it is a minimum that memory in plenty may exceed.
   * force: nearly everything is written out (`fastpostgres.spill`, for tests).
   */
  spilling?(): 'auto' | 'chosen' | 'force';
  lockTimeoutMicros(): number;
  /** Current role for privilege checks (SET ROLE is honoured). */
  currentRole(): Oid;
  catalog(): CatalogReader;
  searchPath(): SearchPath;
  /** The error a cancelled, timed-out or terminated statement must end with; null = go on. A plain field read on the hot path. */
  interrupt(): DbError | null;
  /** Queues a deferred constraint check for commit (or SET CONSTRAINTS IMMEDIATE). */
  deferConstraint(check: () => void): void;
  /** True when SET CONSTRAINTS (or INITIALLY DEFERRED) defers this constraint now. */
  isConstraintDeferred(constraintOid: Oid, initiallyDeferred: boolean): boolean;
  /** UPDATE of a catalog's row by a superuser; 0A000 for columns that follow from the objects. */
  changeCatalogRow?(relationOid: Oid, oldRow: readonly Datum[], newRow: readonly Datum[]): void;
  /** Grows with every change of a setting: what was derived from settings holds while it stays. Absent = ask every time. */
  settingsVersion?(): number;
  /** Functions of users; absent where there is no session around (workers, tests). */
  readonly routines?: RoutineHost;
  readonly activity?: Activity;
}

export interface ExecutionContext {
  readonly transaction: Transaction;
  readonly snapshot: Snapshot;
  readonly parameters: readonly Datum[];
  /** Record of planner/explain that operators fill for EXPLAIN ANALYZE; null = not measured. */
  readonly instrumentation: object | null;
}

export type StepResult =
  /** No more rows; `rowCount` and the command tag are final. */
  | 'done'
  /** maxRows were delivered and there may be more. */
  | 'limit'
  /** The time slice is used up: let the loop turn, then call again. */
  | 'suspended'
  /** The sink is full: wait for it, then call again. */
  | 'congested'
  /** Wait for the promise (lock, block read), then call again. */
  | WaitSignal;

export interface Execution {
  /** Set by who keeps executions for reuse: a statement is using it. */
  isTaken?: boolean;
  readonly plan: PhysicalPlan;
  /** Checks privileges of plan.relations, opens the operators. */
  start(context: ExecutionContext): void;
  /** Delivers up to `maxRows` rows (0 = all). Throws the statement's DbError. */
  step(maxRows: number, sink: RowSink): StepResult;
  /** Rows returned (SELECT) or changed (DML), for the command tag. */
  readonly rowCount: number;
  /** Releases everything held for this execution; safe at any time and twice. */
  close(): void;
}
