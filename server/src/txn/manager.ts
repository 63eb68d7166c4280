/**
 * Transaction manager: begin, group commit, rollback, the horizon, and the two queues of work after the end.
 *
 * Commit of a writer, in this order:
 *   1. `beforeCommit` actions and preparations (bulk segments are written and synced).
 *   2. One record with the whole private log is appended; its place decides the commit order.
 *   3. The log calls back when it is durable, in log order; the xid and its sub-xids get the next commit sequence, then
 *      the visible sequence moves. Only now do others see it, locks fall and the client is answered.
 * A crash before the record is durable leaves nothing of the transaction; after it, everything.
 * With `synchronous: false` step 3 does not wait for its own record, only for the publication of earlier ones.
 *
 * Rollback marks the xids aborted (from then on nobody sees or waits for them) and takes the changes back, long lists in
 * slices between turns.
 *
 * Garbage: changes that superseded something wait in commit order until the horizon has passed their sequence.
 */
import { type CommitSequence, FIRST_NORMAL_XID, type Lsn, type Xid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import { CommitTable } from './commit-table.ts';
import type { IsolationLevel, Transaction, TransactionManager } from './contract.ts';
import { type LockEntry, LockManagerImplementation } from './locks.ts';
import { LogBuffer } from './log-buffer.ts';
import {
  type CommitLog,
  RECORD_COMMIT,
  RECORD_PART,
  RECORD_PART_ABORT,
  RECORD_PART_TRUNCATE,
  type TurnClock,
  type VersionTarget,
} from './ports.ts';
import {
  implementationOf,
  type TransactionHost,
  TransactionImplementation,
  UNDO_WORDS,
} from './transaction.ts';

interface PendingCommit {
  transaction: TransactionImplementation;
  /** Where its record begins, or a little before. */
  start: Lsn;
  isReady: boolean;
  resolve: () => void;
}

interface Work {
  sequence: number;
  targets: VersionTarget[];
  words: number[];
  position: number;
}

/** Changes taken back at once on rollback; more are sliced. */
const ROLLBACK_AT_ONCE = 512;
const SLICE_ENTRIES = 512;
const SLICE_MICROS = 2000;
/** Superseded versions dropped by each commit on its way. */
const GARBAGE_PER_COMMIT = 32;

/** See the module comment. */
export class TransactionManagerImplementation implements TransactionManager, TransactionHost {
  readonly table: CommitTable;
  readonly locks: LockManagerImplementation;
  private readonly clock: TurnClock;
  private log: CommitLog | null = null;
  private firstActive: TransactionImplementation | null = null;
  private readonly byXid = new Map<number, TransactionImplementation>();
  private pending: PendingCommit[] = [];
  private garbage: Work[] = [];
  private garbageStart = 0;
  private rollbacks: Work[] = [];
  /** Since the start, for the statistics views. */
  readonly activity = { commits: 0, rollbacks: 0 };
  private isWorking = false;
  private readonly buffers: LogBuffer[] = [];
  private asyncFlushTimer: unknown;
  /** End of the last asynchronous commit that is not known durable. */
  private unflushedLsn: Lsn | null = null;
  /** First log position of each xid that has streamed parts: redo must start there. */
  private readonly streaming = new Map<number, Lsn>();
  private horizonCache = 0;
  private horizonAt = -1;
  /** Set by holders beside transactions (workers, backups): the oldest sequence they need. */
  externalHorizon: (() => number) | null = null;

  constructor(options: { clock: TurnClock; nextXid?: Xid; sequence?: CommitSequence }) {
    this.clock = options.clock;
    this.table = new CommitTable({
      nextXid: options.nextXid ?? FIRST_NORMAL_XID,
      sequence: options.sequence ?? (1 as CommitSequence),
    });
    this.locks = new LockManagerImplementation(
      {
        activeTransactions: () => this.activeTransactions(),
        transactionOfXid: (xid) => this.byXid.get(xid),
      },
      options.clock,
    );
  }

  /** Before this, commits are not logged (recovery, memory-only engines). */
  attachLog(log: CommitLog): void {
    this.log = log;
  }

  // ---------------------------------------------------------------------------------------------- begin, end

  begin(options: {
    isolation: IsolationLevel;
    readOnly: boolean;
    sessionId: number;
  }): TransactionImplementation {
    const transaction = new TransactionImplementation(this, options);
    const first = this.firstActive;
    transaction.nextActive = first;
    if (first !== null) first.previousActive = transaction;
    this.firstActive = transaction;
    return transaction;
  }

  commit(transaction: Transaction, options: { synchronous: boolean }): Promise<void> | null {
    const subject = implementationOf(transaction);
    if (subject.state !== 'active') {
      this.rollback(subject);
      return null;
    }
    try {
      subject.runBeforeCommit();
    } catch (error) {
      this.rollback(subject);
      throw error;
    }
    if (subject.preparations !== null) return this.prepareAndCommit(subject, options);
    return this.appendAndPublish(subject, options);
  }

  private async prepareAndCommit(
    transaction: TransactionImplementation,
    options: { synchronous: boolean },
  ): Promise<void> {
    try {
      const preparations = transaction.preparations ?? [];
      for (let index = 0; index < preparations.length; index++) await preparations[index]();
      transaction.preparations = null;
      if (transaction.state !== 'active') {
        throw new DbError(
          'transaction_rollback',
          'the transaction was rolled back while it was being committed',
        );
      }
    } catch (error) {
      this.rollback(transaction);
      throw error;
    }
    await this.appendAndPublish(transaction, options);
  }

  private appendAndPublish(
    transaction: TransactionImplementation,
    options: { synchronous: boolean },
  ): Promise<void> | null {
    this.activity.commits++;
    if (transaction.xid === 0) {
      transaction.state = 'committed';
      this.unlink(transaction);
      transaction.releaseLocksTo(0);
      if (transaction.hasAdvisoryLocks) this.locks.unlockAllAdvisory(transaction);
      transaction.runCommitActions();
      return null;
    }
    const buffer = transaction.takeLog();
    const log = this.log;
    if (buffer === null || buffer.position === 0 || log === null) {
      if (buffer !== null) this.giveBack(buffer);
      this.publish(transaction);
      return options.synchronous ? this.flushEarlier() : null;
    }
    let lsn: Lsn;
    const start = log.insertLsn;
    try {
      lsn = this.appendCommit(log, transaction, buffer);
    } catch (error) {
      this.giveBack(buffer);
      this.rollback(transaction);
      throw error;
    }
    this.giveBack(buffer);
    if (!options.synchronous && this.pending.length === 0) {
      this.unflushedLsn = lsn;
      this.flushSoon(log);
      this.publish(transaction);
      return null;
    }
    transaction.isCommitting = true;
    return new Promise<void>((resolve) => {
      const entry: PendingCommit = { transaction, start, isReady: !options.synchronous, resolve };
      this.pending.push(entry);
      if (options.synchronous) {
        log.requestFlush(lsn, () => {
          entry.isReady = true;
          this.publishReady();
        });
      } else {
        this.unflushedLsn = lsn;
        this.flushSoon(log);
      }
    });
  }

  /** A synchronous commit covers asynchronous ones before it, also when it has nothing of its own to make durable. */
  private flushEarlier(): Promise<void> | null {
    const { log, unflushedLsn } = this;
    if (log === null || unflushedLsn === null) return null;
    return new Promise<void>((resolve) => {
      log.requestFlush(unflushedLsn, () => {
        if (this.unflushedLsn === unflushedLsn) this.unflushedLsn = null;
        resolve();
      });
    });
  }

  /** RECORD_COMMIT: streamed bytes u64, wall clock µs i64, length of front u32, front, then the rest of the private log. */
  private appendCommit(log: CommitLog, transaction: TransactionImplementation, buffer: LogBuffer): Lsn {
    const length = buffer.length;
    const front = transaction.commitFront;
    const frontLength = front?.length ?? 0;
    const head = 20 + frontLength;
    buffer.ensure(head);
    buffer.bytes.copyWithin(head, 0, length);
    buffer.view.setBigUint64(0, BigInt(buffer.streamed), true);
    buffer.view.setBigInt64(8, this.clock.wallMicros(), true);
    buffer.view.setUint32(16, frontLength, true);
    if (front !== null) buffer.bytes.set(front.bytes.subarray(0, frontLength), 20);
    return log.append(RECORD_COMMIT, transaction.xid, buffer.bytes, 0, length + head, true);
  }

  private publishReady(): void {
    let count = 0;
    while (count < this.pending.length && this.pending[count].isReady) {
      const entry = this.pending[count++];
      this.publish(entry.transaction);
      entry.resolve();
    }
    if (count > 0) this.pending.splice(0, count);
  }

  private publish(transaction: TransactionImplementation): void {
    const table = this.table;
    const sequence = table.nextSequence();
    table.setCommitted(transaction.xid, sequence);
    this.byXid.delete(transaction.xid);
    if (this.streaming.size > 0) this.streaming.delete(transaction.xid);
    if (transaction.subXids !== null) {
      for (const xid of transaction.subXids) {
        table.setCommitted(xid, sequence);
        this.byXid.delete(xid);
      }
    }
    table.publish(sequence);
    transaction.state = 'committed';
    this.unlink(transaction);
    if (transaction.garbageCount > 0) {
      this.garbage.push({
        sequence,
        targets: transaction.undoTargets,
        words: transaction.undoWords,
        position: 0,
      });
    }
    transaction.releaseLocksTo(0);
    if (transaction.hasAdvisoryLocks) this.locks.unlockAllAdvisory(transaction);
    transaction.runCommitActions();
    this.locks.wakeEndWaiters(transaction);
    if (this.garbage.length > this.garbageStart) this.collect(GARBAGE_PER_COMMIT);
  }

  rollback(transaction: Transaction): void {
    const subject = implementationOf(transaction);
    if (subject.hasEnded || subject.isCommitting) return;
    subject.state = 'aborted';
    this.activity.rollbacks++;
    const buffer = subject.takeLog();
    if (buffer !== null) {
      if (buffer.streamed > 0 && this.log !== null) {
        this.log.append(RECORD_PART_ABORT, subject.xid, new Uint8Array(0), 0, 0, true);
      }
      this.giveBack(buffer);
    }
    if (subject.xid !== 0) {
      this.streaming.delete(subject.xid);
      this.table.setAborted(subject.xid);
      this.byXid.delete(subject.xid);
      for (const xid of subject.subXids ?? []) {
        this.table.setAborted(xid);
        this.byXid.delete(xid);
      }
    }
    this.unlink(subject);
    // Actions first: they give tables back the rows that the undo entries speak of.
    subject.runRollbackActions();
    const count = subject.undoTargets.length;
    const work: Work = {
      sequence: 0,
      targets: subject.undoTargets,
      words: subject.undoWords,
      position: count,
    };
    subject.undoTargets = [];
    subject.undoWords = [];
    if (count > 0) {
      if (count <= ROLLBACK_AT_ONCE) this.undoSome(work, count);
      else {
        this.rollbacks.push(work);
        this.workSoon();
      }
    }
    subject.releaseLocksTo(0);
    if (subject.hasAdvisoryLocks) this.locks.unlockAllAdvisory(subject);
    this.locks.wakeEndWaiters(subject);
  }

  private unlink(transaction: TransactionImplementation): void {
    const next = transaction.nextActive;
    const previous = transaction.previousActive;
    if (previous === null) {
      if (this.firstActive === transaction) this.firstActive = next;
    } else previous.nextActive = next;
    if (next !== null) next.previousActive = previous;
    transaction.nextActive = null;
    transaction.previousActive = null;
  }

  *activeTransactions(): Generator<TransactionImplementation> {
    for (let at = this.firstActive; at !== null; at = at.nextActive) yield at;
  }

  // ---------------------------------------------------------------------------------------------- horizon, garbage

  horizon(): CommitSequence {
    let oldest: number = this.table.visibleSequence;
    for (let at = this.firstActive; at !== null; at = at.nextActive) {
      const sequence = at.oldestSequence;
      if (sequence >= 0 && sequence < oldest) oldest = sequence;
    }
    if (this.externalHorizon !== null) oldest = Math.min(oldest, this.externalHorizon());
    return oldest as CommitSequence;
  }

  /** A horizon that may be a little old (never too new): for hot paths. */
  recentHorizon(): number {
    const visible = this.table.visibleSequence;
    if (visible - this.horizonAt >= 8 || this.horizonAt < 0) {
      this.horizonCache = this.horizon();
      this.horizonAt = visible;
    }
    return this.horizonCache;
  }

  /** Oldest xid that is undecided or whose undo has not ended; rows naming older xids may be frozen when visible to all. */
  oldestUndecidedXid(): Xid {
    let oldest: number = this.table.nextXid;
    for (let at = this.firstActive; at !== null; at = at.nextActive) {
      if (at.xid !== 0 && at.xid < oldest) oldest = at.xid;
    }
    for (const entry of this.pending) oldest = Math.min(oldest, entry.transaction.xid);
    for (const work of this.rollbacks) {
      for (let at = 3; at < work.position * UNDO_WORDS; at += UNDO_WORDS)
        oldest = Math.min(oldest, work.words[at]);
    }
    return oldest as Xid;
  }

  /** Commits whose record begins before this are published; null = all that were appended. */
  firstPendingLsn(): Lsn | null {
    return this.pending.length > 0 ? this.pending[0].start : null;
  }

  /** First log position that holds parts of an undecided transaction, or null. */
  firstStreamedLsn(): Lsn | null {
    let first: Lsn | null = null;
    for (const lsn of this.streaming.values()) if (first === null || lsn < first) first = lsn;
    return first;
  }

  /** Xids with streamed parts that are undecided. */
  streamingXids(): Xid[] {
    return [...this.streaming.keys()] as Xid[];
  }

  nextXidForDisplay(): Xid {
    return this.table.nextXid;
  }

  snapshotForDisplay(): { readonly xmax: Xid; readonly running: readonly Xid[] } {
    const running = new Set<Xid>();
    for (let at = this.firstActive; at !== null; at = at.nextActive)
      if (at.xid !== 0) running.add(at.xid as Xid);
    for (const entry of this.pending) running.add(entry.transaction.xid as Xid);
    return { xmax: this.table.nextXid, running: [...running].sort((left, right) => left - right) };
  }

  statusForDisplay(xid: Xid): 'committed' | 'aborted' | 'in progress' | null {
    if (!this.table.knows(xid)) return null;
    if (this.table.isCommitted(xid)) return 'committed';
    return this.table.isAborted(xid) ? 'aborted' : 'in progress';
  }

  /** Superseded changes that wait for the horizon. */
  get garbageBacklog(): number {
    return this.garbage.length - this.garbageStart;
  }

  /** Drops superseded versions below the horizon, at most about `limit` changes. True if more could be dropped now. */
  collect(limit: number): boolean {
    const horizon = this.horizon();
    while (this.garbageStart < this.garbage.length && limit > 0) {
      const work = this.garbage[this.garbageStart];
      if (work.sequence > horizon) return false;
      const total = work.targets.length;
      while (work.position < total && limit > 0) {
        const at = work.position * UNDO_WORDS;
        work.targets[work.position].prune(work.words[at], work.words[at + 1], work.words[at + 2]);
        work.position++;
        limit--;
      }
      if (work.position < total) {
        this.workSoon();
        return true;
      }
      this.garbageStart++;
    }
    if (this.garbageStart > 1024 && this.garbageStart * 2 > this.garbage.length) {
      this.garbage = this.garbage.slice(this.garbageStart);
      this.garbageStart = 0;
    }
    const isMore =
      this.garbageStart < this.garbage.length && this.garbage[this.garbageStart].sequence <= horizon;
    if (isMore && limit <= 0) this.workSoon();
    return isMore;
  }

  /** True when no rollback is still being taken back. */
  get isIdle(): boolean {
    return this.rollbacks.length === 0;
  }

  private workSoon(): void {
    if (this.isWorking) return;
    this.isWorking = true;
    this.clock.nextTurn(() => this.workSlice());
  }

  private workSlice(): void {
    this.isWorking = false;
    const end = this.clock.monotonicMicros() + SLICE_MICROS;
    while (this.rollbacks.length > 0) {
      const work = this.rollbacks[0];
      this.undoSome(work, SLICE_ENTRIES);
      if (work.position === 0) this.rollbacks.shift();
      if (this.clock.monotonicMicros() >= end) break;
    }
    if (this.rollbacks.length > 0) {
      this.workSoon();
      return;
    }
    while (this.clock.monotonicMicros() < end) {
      if (!this.collect(SLICE_ENTRIES)) return;
    }
  }

  private undoSome(work: Work, count: number): void {
    const stop = Math.max(0, work.position - count);
    while (work.position > stop) {
      const index = --work.position;
      const at = index * UNDO_WORDS;
      work.targets[index].undo(
        work.words[at],
        work.words[at + 1],
        work.words[at + 2],
        work.words[at + 3] as Xid,
      );
    }
  }

  // ---------------------------------------------------------------------------------------------- TransactionHost

  assignXid(transaction: TransactionImplementation): Xid {
    const xid = this.table.assign();
    this.byXid.set(xid, transaction);
    return xid;
  }

  takeLogBuffer(): LogBuffer {
    return this.buffers.pop() ?? new LogBuffer();
  }

  private giveBack(buffer: LogBuffer): void {
    buffer.reset();
    if (this.buffers.length < 64) this.buffers.push(buffer);
  }

  streamLog(transaction: TransactionImplementation, buffer: LogBuffer): void {
    if (this.log === null) {
      buffer.streamed += buffer.length;
      buffer.length = 0;
      return;
    }
    const start = this.log.insertLsn;
    this.log.append(RECORD_PART, transaction.xid, buffer.bytes, 0, buffer.length);
    if (!this.streaming.has(transaction.xid)) this.streaming.set(transaction.xid, start);
    buffer.streamed += buffer.length;
    buffer.length = 0;
  }

  truncateStreamed(transaction: TransactionImplementation, keepBytes: number): void {
    if (this.log === null) return;
    const payload = new Uint8Array(8);
    new DataView(payload.buffer).setBigUint64(0, BigInt(keepBytes), true);
    this.log.append(RECORD_PART_TRUNCATE, transaction.xid, payload, 0, 8);
  }

  releaseTable(entry: LockEntry, mask: number): void {
    this.locks.releaseTable(entry, mask);
  }

  wakeEndWaiters(transaction: TransactionImplementation): void {
    this.locks.wakeEndWaiters(transaction);
  }

  private flushSoon(log: CommitLog): void {
    if (this.asyncFlushTimer !== undefined) return;
    this.asyncFlushTimer = this.clock.setTimer(
      () => {
        this.asyncFlushTimer = undefined;
        const { unflushedLsn } = this;
        log.requestFlush(log.insertLsn, () => {
          if (this.unflushedLsn === unflushedLsn) this.unflushedLsn = null;
        });
      },
      10,
      { background: true },
    );
  }
}
