/**
 * One transaction: its xids, snapshots, savepoints, undo list, private log and end actions.
 *
 * Sub-transactions    a savepoint is a frame of lengths (undo, log, locks, actions); it gets an xid of its own when it
 *                     first writes. Rolling back to it marks its xids aborted and takes its changes back.
 * Statements          a mark of the same lengths; taking a statement back undoes its changes at once under the same xid.
 * Undo list           (target, kind, first, second) per change. After a commit the same list, kept as garbage, tells
 *                     which superseded versions to drop once the horizon has passed.
 */

import type { CommitSequence, Xid } from '../base/brands.ts';
import { assert, DbError } from '../base/error.ts';
import type { CommitTable } from './commit-table.ts';
import type { IsolationLevel, Snapshot, StatementMark, Transaction } from './contract.ts';
import type { LockEntry } from './locks.ts';
import type { LogBuffer } from './log-buffer.ts';
import type { VersionTarget } from './ports.ts';

/** What a transaction needs from its manager. */
export interface TransactionHost {
  readonly table: CommitTable;
  assignXid(transaction: TransactionImplementation): Xid;
  takeLogBuffer(): LogBuffer;
  /** Streams the buffer into the write-ahead log because it passed its bound. */
  streamLog(transaction: TransactionImplementation, buffer: LogBuffer): void;
  truncateStreamed(transaction: TransactionImplementation, keepBytes: number): void;
  releaseTable(entry: LockEntry, mask: number): void;
  wakeEndWaiters(transaction: TransactionImplementation): void;
}

class SnapshotImplementation implements Snapshot {
  readonly sequence: CommitSequence;
  readonly transaction: TransactionImplementation;
  readonly commandId: number;
  constructor(sequence: CommitSequence, transaction: TransactionImplementation, commandId: number) {
    this.sequence = sequence;
    this.transaction = transaction;
    this.commandId = commandId;
  }
}

/** Lengths to fall back to. */
interface Frame extends StatementMark {
  readonly depth: number;
  readonly undoLength: number;
  readonly logPosition: number;
  readonly lockLength: number;
  readonly commitLength: number;
  readonly rollbackLength: number;
  readonly beforeLength: number;
}

interface Subtransaction {
  name: string;
  frame: Frame;
  xid: Xid;
}

/** Words per undo entry beside its target. */
export const UNDO_WORDS = 4;

type Action = () => void;

/** See the module comment. */
export class TransactionImplementation implements Transaction {
  xid: Xid = 0 as Xid;
  readonly isolation: IsolationLevel;
  readOnly: boolean;
  readonly sessionId: number;
  state: Transaction['state'] = 'active';
  commandId = 0;
  hasAdvisoryLocks = false;
  /** Its commit record is in the log: the outcome is no longer ours to choose. */
  isCommitting = false;
  /** Oldest snapshot this transaction may still read with; -1 = none. Read by the horizon. */
  oldestSequence = -1;
  nextActive: TransactionImplementation | null = null;
  previousActive: TransactionImplementation | null = null;

  undoTargets: VersionTarget[] = [];
  undoWords: number[] = [];
  /** Undo entries that leave garbage on commit. */
  garbageCount = 0;
  /** Sub-xids that live (released ones too); null = none. */
  subXids: Xid[] | null = null;
  endWaiters: unknown[] = [];
  /** What redo must know before it applies the log of this transaction (bulk segments); null = nothing. */
  commitFront: LogBuffer | null = null;
  /** Work that must be finished before the commit record, in order (bulk segments). */
  preparations: (() => Promise<void>)[] | null = null;

  private readonly host: TransactionHost;
  private transactionSnapshot: SnapshotImplementation | null = null;
  private stack: Subtransaction[] | null = null;
  private log: LogBuffer | null = null;
  private lockEntries: LockEntry[] = [];
  private lockModes: number[] = [];
  private lockIndex: Map<LockEntry, number> | null = null;
  private commitActions: Action[] | null = null;
  private rollbackActions: Action[] | null = null;
  private beforeActions: Action[] | null = null;

  constructor(
    host: TransactionHost,
    options: { isolation: IsolationLevel; readOnly: boolean; sessionId: number },
  ) {
    this.host = host;
    this.isolation = options.isolation;
    this.readOnly = options.readOnly;
    this.sessionId = options.sessionId;
  }

  get hasEnded(): boolean {
    return this.state === 'committed' || this.state === 'aborted';
  }

  setReadOnly(isReadOnly: boolean): void {
    this.readOnly = isReadOnly;
  }

  /** The session found an error: until rollback only rollback is allowed. */
  markFailed(): void {
    if (this.state === 'active') this.state = 'failed';
  }

  // ---------------------------------------------------------------------------------------------- xids, snapshots

  writeXid(): Xid {
    const stack = this.stack;
    if (stack !== null && stack.length > 0) {
      if (this.xid === 0) this.xid = this.host.assignXid(this);
      const top = stack[stack.length - 1];
      if (top.xid === 0) {
        top.xid = this.host.assignXid(this);
        (this.subXids ??= []).push(top.xid);
      }
      return top.xid;
    }
    if (this.xid === 0) {
      assert(!this.hasEnded, 'a transaction that has ended cannot write');
      this.xid = this.host.assignXid(this);
    }
    return this.xid;
  }

  owns(xid: Xid): boolean {
    return xid !== 0 && (xid === this.xid || (this.subXids?.includes(xid) ?? false));
  }

  /** `owns` by the low 32 bits as rows hold them. */
  ownsLow(low: number): boolean {
    if (this.xid === 0) return false;
    if ((this.xid | 0) === low) return true;
    const subs = this.subXids;
    if (subs === null) return false;
    for (let index = subs.length - 1; index >= 0; index--) if ((subs[index] | 0) === low) return true;
    return false;
  }

  statementSnapshot(): Snapshot {
    if (this.isolation === 'read committed') return this.latestSnapshot();
    const first = this.transactionSnapshot;
    if (first === null) {
      this.transactionSnapshot = this.latestSnapshot() as SnapshotImplementation;
      return this.transactionSnapshot;
    }
    if (first.commandId === this.commandId) return first;
    return new SnapshotImplementation(first.sequence, this, this.commandId);
  }

  latestSnapshot(): Snapshot {
    const sequence = this.host.table.visibleSequence;
    if (this.oldestSequence < 0) this.oldestSequence = sequence;
    return new SnapshotImplementation(sequence, this, this.commandId);
  }

  /**
   * READ COMMITTED: no statement, portal or cursor of this transaction runs, so nothing it took so far is needed any
   * more and vacuum may pass it.
   */
  releaseSnapshots(): void {
    if (this.transactionSnapshot === null) this.oldestSequence = -1;
  }

  advanceCommand(): void {
    this.commandId++;
  }

  // ---------------------------------------------------------------------------------------------- changes

  /** Remembers a change; `leavesGarbage` if its commit supersedes something. */
  recordUndo(
    target: VersionTarget,
    kind: number,
    first: number,
    second: number,
    xid: Xid,
    leavesGarbage: boolean,
  ): void {
    this.undoTargets.push(target);
    this.undoWords.push(kind, first, second, xid);
    if (leavesGarbage) this.garbageCount++;
  }

  /** The buffer for the bytes of a change; finish with `logged`. */
  logBuffer(): LogBuffer {
    return (this.log ??= this.host.takeLogBuffer());
  }

  get logOrNull(): LogBuffer | null {
    return this.log;
  }

  /** Complete changes handed to `logged`. */
  private changes = 0;

  logUse(): { records: number; bytes: number } {
    return { records: this.changes, bytes: this.log?.position ?? 0 };
  }

  /** After each complete change in the buffer: streams it when large. */
  logged(): void {
    this.changes++;
    const log = this.log;
    if (log !== null && log.length > 1 << 18) this.host.streamLog(this, log);
  }

  takeLog(): LogBuffer | null {
    const log = this.log;
    this.log = null;
    return log;
  }

  // ---------------------------------------------------------------------------------------------- actions

  onCommit(action: Action): void {
    (this.commitActions ??= []).push(action);
  }

  onRollback(action: Action): void {
    (this.rollbackActions ??= []).push(action);
  }

  beforeCommit(action: Action): void {
    (this.beforeActions ??= []).push(action);
  }

  /** Runs `beforeCommit` actions, also those they register. */
  runBeforeCommit(): void {
    const actions = this.beforeActions;
    if (actions === null) return;
    for (let index = 0; index < actions.length; index++) actions[index]();
    actions.length = 0;
  }

  runCommitActions(): void {
    const actions = this.commitActions;
    this.commitActions = null;
    this.rollbackActions = null;
    if (actions !== null) for (const action of actions) action();
  }

  /** Latest first, down to `length`. */
  runRollbackActions(length = 0): void {
    const actions = this.rollbackActions;
    if (actions === null) return;
    while (actions.length > length) (actions.pop() as Action)();
  }

  // ---------------------------------------------------------------------------------------------- sub-transactions

  beginSubtransaction(name: string): void {
    (this.stack ??= []).push({ name, frame: this.frame(), xid: 0 as Xid });
  }

  releaseSubtransaction(name: string): void {
    const stack = this.stack ?? [];
    const index = this.findSubtransaction(name);
    // The xids stay in subXids: they are now simply ours.
    stack.length = index;
  }

  rollbackToSubtransaction(name: string): void {
    const stack = this.stack ?? [];
    const index = this.findSubtransaction(name);
    this.rollbackFrame(stack[index].frame, index);
    if (this.state === 'failed') this.state = 'active';
    stack.push({ name, frame: this.frame(), xid: 0 as Xid });
  }

  private findSubtransaction(name: string): number {
    const stack = this.stack ?? [];
    for (let index = stack.length - 1; index >= 0; index--) if (stack[index].name === name) return index;
    throw new DbError('invalid_savepoint_specification', `savepoint "${name}" does not exist`);
  }

  beginStatement(): StatementMark {
    return this.frame();
  }

  rollbackStatement(mark: StatementMark): void {
    this.rollbackFrame(mark as Frame, mark.depth);
    if (this.state === 'failed') this.state = 'active';
  }

  private frame(): Frame {
    return {
      depth: this.stack?.length ?? 0,
      undoLength: this.undoTargets.length,
      logPosition: this.log?.position ?? 0,
      lockLength: this.lockEntries.length,
      commitLength: this.commitActions?.length ?? 0,
      rollbackLength: this.rollbackActions?.length ?? 0,
      beforeLength: this.beforeActions?.length ?? 0,
    };
  }

  /** Takes back everything after `frame`; sub-transactions from `depth` on end. */
  private rollbackFrame(frame: Frame, depth: number): void {
    const stack = this.stack;
    let hadXid = false;
    if (stack !== null) {
      for (let index = stack.length - 1; index >= depth; index--) {
        if (stack[index].xid !== 0) hadXid = true;
      }
    }
    // Actions first: they give tables back the rows that the undo entries speak of.
    this.runRollbackActions(frame.rollbackLength);
    this.undoTo(frame.undoLength);
    if (hadXid && stack !== null)
      this.abortSubXids((stack.slice(depth).find((sub) => sub.xid !== 0) as Subtransaction).xid);
    if (stack !== null && stack.length > depth) stack.length = depth;
    const log = this.log;
    if (log !== null && log.position > frame.logPosition) {
      if (frame.logPosition < log.streamed) {
        this.host.truncateStreamed(this, frame.logPosition);
        log.streamed = frame.logPosition;
        log.length = 0;
      } else {
        log.length = frame.logPosition - log.streamed;
      }
    }
    if (this.commitActions !== null)
      this.commitActions.length = Math.min(this.commitActions.length, frame.commitLength);
    if (this.beforeActions !== null)
      this.beforeActions.length = Math.min(this.beforeActions.length, frame.beforeLength);
    this.releaseLocksTo(frame.lockLength);
    this.commandId++;
    if (hadXid) this.host.wakeEndWaiters(this);
  }

  /** Sub-xids are assigned in ascending order, so those of the ended part are the tail. */
  private abortSubXids(from: Xid): void {
    const subs = this.subXids;
    while (subs !== null && subs.length > 0 && subs[subs.length - 1] >= from) {
      this.host.table.setAborted(subs.pop() as Xid);
    }
  }

  private undoTo(length: number): void {
    const words = this.undoWords;
    for (let index = this.undoTargets.length - 1; index >= length; index--) {
      const at = index * UNDO_WORDS;
      this.undoTargets[index].undo(words[at], words[at + 1], words[at + 2], words[at + 3] as Xid);
    }
    if (this.undoTargets.length > length) {
      this.undoTargets.length = length;
      words.length = length * UNDO_WORDS;
    }
  }

  // ---------------------------------------------------------------------------------------------- table locks

  lockMaskOf(entry: LockEntry): number {
    const index = this.lockIndex;
    if (index !== null) return index.get(entry) ?? 0;
    let mask = 0;
    for (let at = 0; at < this.lockEntries.length; at++) {
      if (this.lockEntries[at] === entry) mask |= 1 << this.lockModes[at];
    }
    return mask;
  }

  addLock(entry: LockEntry, mode: number): void {
    this.lockEntries.push(entry);
    this.lockModes.push(mode);
    if (this.lockIndex !== null) {
      this.lockIndex.set(entry, (this.lockIndex.get(entry) ?? 0) | (1 << mode));
    } else if (this.lockEntries.length > 24) {
      this.rebuildLockIndex();
    }
  }

  forEachLock(visit: (entry: LockEntry, mask: number) => void): void {
    for (let at = 0; at < this.lockEntries.length; at++) visit(this.lockEntries[at], 1 << this.lockModes[at]);
  }

  releaseLocksTo(length: number): void {
    for (let at = this.lockEntries.length - 1; at >= length; at--) {
      const entry = this.lockEntries[at];
      const mode = this.lockModes[at];
      // The last ones; setting the length instead is slow in V8.
      this.lockEntries.pop();
      this.lockModes.pop();
      if (this.lockIndex !== null) {
        const mask = (this.lockIndex.get(entry) ?? 0) & ~(1 << mode);
        if (mask === 0) this.lockIndex.delete(entry);
        else this.lockIndex.set(entry, mask);
      }
      this.host.releaseTable(entry, 1 << mode);
    }
  }

  private rebuildLockIndex(): void {
    const index = new Map<LockEntry, number>();
    for (let at = 0; at < this.lockEntries.length; at++) {
      const entry = this.lockEntries[at];
      index.set(entry, (index.get(entry) ?? 0) | (1 << this.lockModes[at]));
    }
    this.lockIndex = index;
  }
}

/** Every transaction that reaches this engine was made by its manager. */
export function implementationOf(transaction: Transaction): TransactionImplementation {
  return transaction as TransactionImplementation;
}
