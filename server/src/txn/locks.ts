/**
 * Lock manager: table locks, waits for transactions, advisory locks, and the waits-for graph over all of them.
 *
 * Fast path    a table lock without conflict is two array pushes and a counter; no promise, no search of holders.
 * Queue        a request that conflicts with a holder or with an earlier waiter waits in first-come order.
 * Deadlock     checked when a wait begins: a depth-first search over sessions; a cycle through the newcomer refuses it
 *              with 40P01. Waits are the only edges that appear, so checking at that moment finds every cycle.
 * Nodes        the graph is over sessions: one session waits for at most one thing.
 */

import type { Xid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import type { LockInfo, LockManager, LockWaitOptions, TableLockMode, Transaction } from './contract.ts';
import { MODE_CONFLICTS, MODE_NAMES, MODE_NUMBER } from './lock-modes.ts';
import type { TurnClock } from './ports.ts';
import { implementationOf, type TransactionImplementation } from './transaction.ts';

/** State of one lockable table or object. */
export class LockEntry {
  readonly oid: number;
  readonly counts: Int32Array = new Int32Array(8);
  grantedMask = 0;
  queue: Waiter[] = [];
  constructor(oid: number) {
    this.oid = oid;
  }
}

interface AdvisoryHolder {
  owner: object;
  session: number | object;
  shared: boolean;
  count: number;
}

interface AdvisoryEntry {
  key: bigint;
  holders: AdvisoryHolder[];
  queue: Waiter[];
}

interface Waiter {
  session: number | object;
  transaction: TransactionImplementation | null;
  kind: 'table' | 'xid' | 'advisory';
  mode: number;
  entry: LockEntry | null;
  xid: Xid;
  holder: TransactionImplementation | null;
  advisory: AdvisoryEntry | null;
  owner: object | null;
  resolve: () => void;
  reject: (error: Error) => void;
  timer: unknown;
}

export interface LockHost {
  /** Every transaction that has not ended. */
  activeTransactions(): Iterable<TransactionImplementation>;
  transactionOfXid(xid: Xid): TransactionImplementation | undefined;
}

/** See the module comment. */
export class LockManagerImplementation implements LockManager {
  private readonly entries = new Map<number, LockEntry>();
  private readonly advisories = new Map<bigint, AdvisoryEntry>();
  private readonly waiting = new Map<number | object, Waiter>();
  /** Deadlocks found since the start. */
  deadlocks = 0;
  private readonly host: LockHost;
  private readonly clock: TurnClock;
  databaseOid = 5;

  constructor(host: LockHost, clock: TurnClock) {
    this.host = host;
    this.clock = clock;
  }

  lockTable(
    transaction: Transaction,
    tableOid: number,
    mode: TableLockMode,
    options: LockWaitOptions,
  ): Promise<void> | null {
    const holder = implementationOf(transaction);
    const number = MODE_NUMBER[mode];
    let entry = this.entries.get(tableOid);
    if (entry === undefined) {
      entry = new LockEntry(tableOid);
      this.entries.set(tableOid, entry);
    }
    const own = holder.lockMaskOf(entry);
    if ((own >> number) & 1) return null;
    const conflicts = MODE_CONFLICTS[number];
    if (this.isGrantable(entry, own, conflicts) && (entry.queue.length === 0 || own !== 0)) {
      this.grant(holder, entry, number);
      return null;
    }
    if (options.policy !== 'wait') {
      throw new DbError('lock_not_available', `could not obtain lock on relation with OID ${tableOid}`);
    }
    const waiter = this.newWaiter(holder.sessionId, holder, 'table');
    waiter.entry = entry;
    waiter.mode = number;
    entry.queue.push(waiter);
    // A request that conflicts with nothing but stands behind non-conflicting waiters is granted here.
    this.grantQueue(entry);
    if (!entry.queue.includes(waiter)) return null;
    return this.wait(waiter, options);
  }

  waitForTransaction(waiter: Transaction, xid: Xid, options: LockWaitOptions): Promise<void> | null {
    const holder = this.host.transactionOfXid(xid);
    if (holder === undefined || holder.hasEnded || !holder.owns(xid)) return null;
    const self = implementationOf(waiter);
    if (holder === self) return null;
    if (options.policy !== 'wait') {
      throw new DbError('lock_not_available', 'could not obtain lock on row');
    }
    const entry = this.newWaiter(self.sessionId, self, 'xid');
    entry.xid = xid;
    entry.holder = holder;
    holder.endWaiters.push(entry);
    return this.wait(entry, options);
  }

  lockAdvisory(
    owner: Transaction | object,
    key: bigint,
    shared: boolean,
    options: LockWaitOptions,
  ): Promise<void> | null {
    const session = sessionOf(owner);
    let entry = this.advisories.get(key);
    if (entry === undefined) {
      entry = { key, holders: [], queue: [] };
      this.advisories.set(key, entry);
    }
    const held = entry.holders.find((holder) => holder.owner === owner && holder.shared === shared);
    if (held !== undefined) {
      held.count++;
      return null;
    }
    const isOwnSession = entry.holders.some((holder) => holder.session === session);
    if (!this.advisoryConflict(entry, session, shared) && (entry.queue.length === 0 || isOwnSession)) {
      this.grantAdvisory(entry, owner, session, shared);
      return null;
    }
    if (options.policy !== 'wait') {
      throw new DbError('lock_not_available', 'could not obtain advisory lock');
    }
    const waiter = this.newWaiter(session, isTransaction(owner) ? owner : null, 'advisory');
    waiter.advisory = entry;
    waiter.owner = owner;
    waiter.mode = shared ? MODE_NUMBER.Share : MODE_NUMBER.Exclusive;
    entry.queue.push(waiter);
    this.grantAdvisoryQueue(entry);
    if (!entry.queue.includes(waiter)) return null;
    return this.wait(waiter, options);
  }

  tryLockAdvisory(owner: Transaction | object, key: bigint, shared: boolean): boolean {
    try {
      this.lockAdvisory(owner, key, shared, { policy: 'nowait', timeoutMicros: 0 });
      return true;
    } catch (error) {
      if (error instanceof DbError && error.code === '55P03') return false;
      throw error;
    }
  }

  unlockAdvisory(owner: object, key: bigint, shared: boolean): boolean {
    const entry = this.advisories.get(key);
    const index =
      entry?.holders.findIndex((holder) => holder.owner === owner && holder.shared === shared) ?? -1;
    if (entry === undefined || index < 0) return false;
    const holder = entry.holders[index];
    if (--holder.count === 0) {
      entry.holders.splice(index, 1);
      this.settleAdvisory(entry);
    }
    return true;
  }

  /** Gives back every advisory lock of an owner (pg_advisory_unlock_all, end of session or transaction). */
  unlockAllAdvisory(owner: object): void {
    for (const entry of [...this.advisories.values()]) {
      const before = entry.holders.length;
      entry.holders = entry.holders.filter((holder) => holder.owner !== owner);
      if (entry.holders.length !== before) this.settleAdvisory(entry);
    }
  }

  cancelWaits(transaction: Transaction, error: Error): void {
    const waiter = this.waiting.get(implementationOf(transaction).sessionId);
    if (waiter !== undefined) this.fail(waiter, error);
  }

  /** True if the transaction already holds a lock of this mode on the table. */
  holdsTable(transaction: TransactionImplementation, tableOid: number, mode: TableLockMode): boolean {
    const entry = this.entries.get(tableOid);
    return entry !== undefined && ((transaction.lockMaskOf(entry) >> MODE_NUMBER[mode]) & 1) === 1;
  }

  /** Called when a transaction (or the part of it after a savepoint) gives a lock back. */
  releaseTable(entry: LockEntry, mask: number): void {
    for (let mode = 0; mask !== 0; mode++, mask >>= 1) {
      if ((mask & 1) === 0) continue;
      if (--entry.counts[mode] === 0) entry.grantedMask &= ~(1 << mode);
    }
    if (entry.queue.length > 0) this.grantQueue(entry);
    else if (entry.grantedMask === 0 && this.entries.size > 4096) this.entries.delete(entry.oid);
  }

  /** Wakes everyone who waited for the end of the transaction (or of a sub-transaction of it). */
  wakeEndWaiters(transaction: TransactionImplementation): void {
    const waiters = transaction.endWaiters;
    if (waiters.length === 0) return;
    transaction.endWaiters = [];
    for (const waiter of waiters as Waiter[]) this.finish(waiter);
  }

  snapshotLocks(): readonly LockInfo[] {
    const rows: LockInfo[] = [];
    for (const transaction of this.host.activeTransactions()) {
      transaction.forEachLock((entry, mask) => {
        for (let mode = 0; mode < 8; mode++) {
          if ((mask >> mode) & 1) rows.push(tableInfo(entry, mode, transaction, true));
        }
      });
      if (transaction.xid !== 0) {
        rows.push({
          kind: 'transactionid',
          relation: null,
          key: null,
          xid: transaction.xid,
          holderXid: transaction.xid,
          sessionId: transaction.sessionId,
          mode: 'ExclusiveLock',
          granted: true,
        });
      }
    }
    for (const entry of this.advisories.values()) {
      for (const holder of entry.holders) {
        rows.push({
          kind: 'advisory',
          relation: null,
          key: entry.key,
          xid: null,
          holderXid: 0,
          sessionId: typeof holder.session === 'number' ? holder.session : 0,
          mode: holder.shared ? 'ShareLock' : 'ExclusiveLock',
          granted: true,
        });
      }
    }
    for (const waiter of this.waiting.values()) {
      rows.push({
        kind: waiter.kind === 'table' ? 'relation' : waiter.kind === 'xid' ? 'transactionid' : 'advisory',
        relation: waiter.entry?.oid ?? null,
        key: waiter.advisory?.key ?? null,
        xid: waiter.kind === 'xid' ? waiter.xid : null,
        holderXid: waiter.transaction?.xid ?? 0,
        sessionId: typeof waiter.session === 'number' ? waiter.session : 0,
        mode: waiter.kind === 'xid' ? 'ShareLock' : MODE_NAMES[waiter.mode],
        granted: false,
      });
    }
    return rows;
  }

  waitKindOf(session: number): 'relation' | 'transactionid' | 'advisory' | null {
    const kind = this.waiting.get(session)?.kind;
    return kind === undefined
      ? null
      : kind === 'table'
        ? 'relation'
        : kind === 'xid'
          ? 'transactionid'
          : 'advisory';
  }

  get waitingCount(): number {
    return this.waiting.size;
  }

  /** Sessions that `session` waits for (pg_blocking_pids); empty when it does not wait. */
  blockersOf(session: number): number[] {
    const waiter = this.waiting.get(session);
    if (waiter === undefined) return [];
    return [...new Set(this.blockers(waiter))].filter((node) => typeof node === 'number');
  }

  private isGrantable(entry: LockEntry, own: number, conflicts: number): boolean {
    let conflicting = entry.grantedMask & conflicts;
    for (let mode = 0; conflicting !== 0; mode++, conflicting >>= 1) {
      if ((conflicting & 1) === 1 && entry.counts[mode] > ((own >> mode) & 1)) return false;
    }
    return true;
  }

  private grant(holder: TransactionImplementation, entry: LockEntry, mode: number): void {
    entry.counts[mode]++;
    entry.grantedMask |= 1 << mode;
    holder.addLock(entry, mode);
  }

  private grantQueue(entry: LockEntry): void {
    let earlier = 0;
    for (let index = 0; index < entry.queue.length; ) {
      const waiter = entry.queue[index];
      const holder = implementationOf(waiter.transaction as Transaction);
      const conflicts = MODE_CONFLICTS[waiter.mode];
      const own = holder.lockMaskOf(entry);
      // One who already holds a lock here may pass waiters: they wait for it, not it for them.
      if (this.isGrantable(entry, own, conflicts) && ((earlier & conflicts) === 0 || own !== 0)) {
        entry.queue.splice(index, 1);
        this.grant(holder, entry, waiter.mode);
        this.settle(waiter);
        waiter.resolve();
      } else {
        earlier |= 1 << waiter.mode;
        index++;
      }
    }
  }

  private advisoryConflict(entry: AdvisoryEntry, session: number | object, shared: boolean): boolean {
    return entry.holders.some((holder) => holder.session !== session && !(shared && holder.shared));
  }

  private grantAdvisory(
    entry: AdvisoryEntry,
    owner: object,
    session: number | object,
    shared: boolean,
  ): void {
    entry.holders.push({ owner, session, shared, count: 1 });
    if (isTransaction(owner)) owner.hasAdvisoryLocks = true;
  }

  private grantAdvisoryQueue(entry: AdvisoryEntry): void {
    for (let index = 0; index < entry.queue.length; ) {
      const waiter = entry.queue[index];
      const shared = waiter.mode === MODE_NUMBER.Share;
      const isBehind = entry.queue
        .slice(0, index)
        .some((other) => !(shared && other.mode === MODE_NUMBER.Share));
      if (!isBehind && !this.advisoryConflict(entry, waiter.session, shared)) {
        entry.queue.splice(index, 1);
        this.grantAdvisory(entry, waiter.owner as object, waiter.session, shared);
        this.settle(waiter);
        waiter.resolve();
      } else {
        index++;
      }
    }
  }

  private settleAdvisory(entry: AdvisoryEntry): void {
    this.grantAdvisoryQueue(entry);
    if (entry.holders.length === 0 && entry.queue.length === 0) this.advisories.delete(entry.key);
  }

  private newWaiter(
    session: number | object,
    transaction: TransactionImplementation | null,
    kind: Waiter['kind'],
  ): Waiter {
    const nothing = (): void => {};
    return {
      session,
      transaction,
      kind,
      mode: 0,
      entry: null,
      xid: 0 as Xid,
      holder: null,
      advisory: null,
      owner: null,
      resolve: nothing,
      reject: nothing,
      timer: undefined,
    };
  }

  private wait(waiter: Waiter, options: LockWaitOptions): Promise<void> {
    this.waiting.set(waiter.session, waiter);
    const cycle = this.findCycle(waiter);
    if (cycle !== null) {
      this.deadlocks++;
      const detail = this.describeCycle(cycle);
      this.remove(waiter);
      throw new DbError('deadlock_detected', 'deadlock detected', {
        detail,
        hint: 'See server log for query details.',
      });
    }
    return new Promise<void>((resolve, reject) => {
      waiter.resolve = resolve;
      waiter.reject = reject;
      if (options.timeoutMicros > 0) {
        waiter.timer = this.clock.setTimer(() => {
          this.fail(waiter, new DbError('lock_not_available', 'canceling statement due to lock timeout'));
        }, options.timeoutMicros / 1000);
      }
    });
  }

  /** Takes a waiter out of all registers; the caller settles its promise. */
  private settle(waiter: Waiter): void {
    if (this.waiting.get(waiter.session) === waiter) this.waiting.delete(waiter.session);
    if (waiter.timer !== undefined) this.clock.clearTimer(waiter.timer);
    waiter.timer = undefined;
  }

  private finish(waiter: Waiter): void {
    this.settle(waiter);
    waiter.resolve();
  }

  private remove(waiter: Waiter): void {
    this.settle(waiter);
    if (waiter.entry !== null) {
      waiter.entry.queue = waiter.entry.queue.filter((other) => other !== waiter);
      this.grantQueue(waiter.entry);
    }
    if (waiter.advisory !== null) {
      waiter.advisory.queue = waiter.advisory.queue.filter((other) => other !== waiter);
      this.settleAdvisory(waiter.advisory);
    }
    if (waiter.holder !== null) {
      waiter.holder.endWaiters = waiter.holder.endWaiters.filter((other) => other !== waiter);
    }
  }

  private fail(waiter: Waiter, error: Error): void {
    this.remove(waiter);
    waiter.reject(error);
  }

  private *blockers(waiter: Waiter): Generator<number | object> {
    if (waiter.holder !== null) yield waiter.holder.sessionId;
    if (waiter.entry !== null) {
      const conflicts = MODE_CONFLICTS[waiter.mode];
      for (const transaction of this.host.activeTransactions()) {
        if (transaction !== waiter.transaction && (transaction.lockMaskOf(waiter.entry) & conflicts) !== 0) {
          yield transaction.sessionId;
        }
      }
      const own = waiter.transaction?.lockMaskOf(waiter.entry) ?? 0;
      if (own === 0) {
        for (const other of waiter.entry.queue) {
          if (other === waiter) break;
          if ((conflicts >> other.mode) & 1) yield other.session;
        }
      }
    }
    if (waiter.advisory !== null) {
      const shared = waiter.mode === MODE_NUMBER.Share;
      for (const holder of waiter.advisory.holders) {
        if (holder.session !== waiter.session && !(shared && holder.shared)) yield holder.session;
      }
      for (const other of waiter.advisory.queue) {
        if (other === waiter) break;
        if (!(shared && other.mode === MODE_NUMBER.Share)) yield other.session;
      }
    }
  }

  /** Path of waiters from `start` back to its session, or null. */
  private findCycle(start: Waiter): Waiter[] | null {
    const visited = new Set<number | object>();
    const path: Waiter[] = [];
    const visit = (waiter: Waiter): boolean => {
      path.push(waiter);
      for (const session of this.blockers(waiter)) {
        if (session === start.session) return true;
        if (visited.has(session)) continue;
        visited.add(session);
        const next = this.waiting.get(session);
        if (next !== undefined && visit(next)) return true;
      }
      path.pop();
      return false;
    };
    return visit(start) ? path : null;
  }

  private describeCycle(cycle: readonly Waiter[]): string {
    return cycle
      .map((waiter, index) => {
        const blocker = cycle[(index + 1) % cycle.length];
        return `Process ${nodeName(waiter.session)} waits for ${this.describeWait(waiter)}; blocked by process ${nodeName(blocker.session)}.`;
      })
      .join('\n');
  }

  private describeWait(waiter: Waiter): string {
    if (waiter.kind === 'xid') return `ShareLock on transaction ${waiter.xid}`;
    if (waiter.entry !== null) {
      return `${MODE_NAMES[waiter.mode]} on relation ${waiter.entry.oid} of database ${this.databaseOid}`;
    }
    const key = BigInt.asUintN(64, waiter.advisory?.key ?? 0n);
    return `${MODE_NAMES[waiter.mode]} on advisory lock [${this.databaseOid},${key >> 32n},${key & 0xffffffffn},1]`;
  }
}

function isTransaction(owner: object): owner is TransactionImplementation {
  return 'writeXid' in owner;
}

function sessionOf(owner: object): number | object {
  const session = (owner as { sessionId?: unknown }).sessionId;
  return typeof session === 'number' ? session : owner;
}

function nodeName(session: number | object): string {
  return typeof session === 'number' ? String(session) : '0';
}

function tableInfo(
  entry: LockEntry,
  mode: number,
  transaction: TransactionImplementation,
  granted: boolean,
): LockInfo {
  return {
    kind: 'relation',
    relation: entry.oid,
    key: null,
    xid: null,
    holderXid: transaction.xid,
    sessionId: transaction.sessionId,
    mode: MODE_NAMES[mode],
    granted,
  };
}
