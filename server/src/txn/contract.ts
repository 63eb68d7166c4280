/** What transactions give to all rooms above. Implemented by `txn/`. */
import type { CommitSequence, Xid } from '../base/brands.ts';

export type IsolationLevel = 'read committed' | 'repeatable read' | 'serializable';

/** What a statement sees: commits at or before `sequence`, and its own transaction's changes before `commandId`. */
export interface Snapshot {
  readonly sequence: CommitSequence;
  /** The transaction whose uncommitted rows are visible (its sub-transactions included). */
  readonly transaction: Transaction;
  /** Own changes of commands numbered below this are visible. */
  readonly commandId: number;
}

export interface Transaction {
  /** Top-level xid, 0 until the first write. */
  readonly xid: Xid;
  readonly isolation: IsolationLevel;
  readonly readOnly: boolean;
  /** The xid that writes are stamped with now (the innermost sub-transaction's); assigns one on first use. */
  writeXid(): Xid;
  /** True if `xid` is this transaction or a sub-transaction of it that has not rolled back. */
  owns(xid: Xid): boolean;
  /** Snapshot for a new statement (READ COMMITTED: fresh; else the transaction's). */
  statementSnapshot(): Snapshot;
  /** Changes written by this transaction so far, and their bytes in the log. */
  logUse(): { readonly records: number; readonly bytes: number };
  /** The latest committed state plus own changes: for catalogs and unique checks. */
  latestSnapshot(): Snapshot;
  /**
   * READ COMMITTED: no statement, portal or cursor of this transaction is open, so vacuum need not keep what its earlier snapshots saw.
   * Sessions call it between statements.
   */
  releaseSnapshots(): void;
  readonly commandId: number;
  /** Makes the changes of the current command visible to the next one. */
  advanceCommand(): void;
  /** Runs when the transaction ends (after the commit is durable and visible, or after the rollback). */
  onCommit(action: () => void): void;
  onRollback(action: () => void): void;
  /** Runs inside commit before the commit record is written (deferred checks, catalog flush). May throw. */
  beforeCommit(action: () => void): void;
  /** Savepoints: each has a sub-xid when it writes. `onRollback` actions registered inside run on rollback to it. */
  beginSubtransaction(name: string): void;
  releaseSubtransaction(name: string): void;
  rollbackToSubtransaction(name: string): void;
  /** Statement atomicity: an implicit sub-transaction that costs nothing until something is written. */
  beginStatement(): StatementMark;
  rollbackStatement(mark: StatementMark): void;
  /** SET TRANSACTION READ ONLY after the first statement: later writes raise 25006. */
  setReadOnly(isReadOnly: boolean): void;
  readonly state: 'active' | 'failed' | 'committed' | 'aborted';
}

export interface StatementMark {
  readonly depth: number;
}

/** PostgreSQL's eight table lock modes, weakest first. */
export type TableLockMode =
  | 'AccessShare'
  | 'RowShare'
  | 'RowExclusive'
  | 'ShareUpdateExclusive'
  | 'Share'
  | 'ShareRowExclusive'
  | 'Exclusive'
  | 'AccessExclusive';
/** PostgreSQL's four row lock modes, weakest first. */
export type RowLockMode = 'KeyShare' | 'Share' | 'NoKeyUpdate' | 'Update';
export type WaitPolicy = 'wait' | 'nowait' | 'skip';

export interface LockWaitOptions {
  policy: WaitPolicy;
  /** Microseconds, 0 = no limit (lock_timeout). */
  timeoutMicros: number;
}

export interface LockManager {
  /**
   * Takes a table or object lock for the rest of the transaction.
   * Returns null when granted at once; otherwise a promise that resolves when granted and rejects with
   * 40P01 (deadlock), 55P03 (lock_timeout or NOWAIT) or 57014 (cancelled).
   */
  lockTable(
    transaction: Transaction,
    tableOid: number,
    mode: TableLockMode,
    options: LockWaitOptions,
  ): Promise<void> | null;
  /** Waits until `xid` has ended. Null when it already has. Same rejections. */
  waitForTransaction(waiter: Transaction, xid: Xid, options: LockWaitOptions): Promise<void> | null;
  lockAdvisory(
    owner: Transaction | object,
    key: bigint,
    shared: boolean,
    options: LockWaitOptions,
  ): Promise<void> | null;
  /** Without waiting: false if another owner holds a conflicting one. */
  tryLockAdvisory(owner: Transaction | object, key: bigint, shared: boolean): boolean;
  unlockAdvisory(owner: object, key: bigint, shared: boolean): boolean;
  /** Every session-level lock of `owner` (a session). Transaction-level ones end with their transaction. */
  unlockAllAdvisory(owner: object): void;
  /** Makes every wait of `transaction` reject with 57014 (cancel) or the given error. */
  cancelWaits(transaction: Transaction, error: Error): void;
  /** Sessions that `session` waits for; empty when it does not wait. */
  blockersOf(session: number): number[];
  /** What `session` waits for; null when for no lock. */
  waitKindOf(session: number): 'relation' | 'transactionid' | 'advisory' | null;
  /** Lock requests that wait now. */
  readonly waitingCount: number;
  /** Deadlocks found since the start. */
  readonly deadlocks: number;
  /** Rows for pg_locks. */
  snapshotLocks(): readonly LockInfo[];
}

export interface LockInfo {
  kind: 'relation' | 'transactionid' | 'tuple' | 'advisory';
  relation: number | null;
  key: bigint | null;
  xid: number | null;
  holderXid: number;
  sessionId: number;
  mode: string;
  granted: boolean;
}

export interface TransactionManager {
  readonly locks: LockManager;
  begin(options: { isolation: IsolationLevel; readOnly: boolean; sessionId: number }): Transaction;
  /**
   * Commits. Without writes: synchronous, returns null. With writes: appends the commit record, and the promise resolves when
   * it is durable (synchronous_commit) and visible.
   */
  commit(transaction: Transaction, options: { synchronous: boolean }): Promise<void> | null;
  rollback(transaction: Transaction): void;
  /** Oldest sequence any snapshot may still need. */
  horizon(): CommitSequence;
  nextXidForDisplay(): Xid;
  /** What pg_current_snapshot shows: the next xid, and those before it that are undecided, ascending. */
  snapshotForDisplay(): { readonly xmax: Xid; readonly running: readonly Xid[] };
  /** How the transaction ended; null when that is no longer known. The xid must not be in the future. */
  statusForDisplay(xid: Xid): 'committed' | 'aborted' | 'in progress' | null;
}
