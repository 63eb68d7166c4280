/**
 * Row locks (SELECT … FOR UPDATE and the like) of one table, in memory.
 *
 * A lock is (row, transaction, mode), kept until its transaction ends or rolls back to a savepoint before it. Updates and
 * deletes need no entry here: the undecided version says it all.
 */
import type { RowId, Xid } from '../base/brands.ts';
import type { RowLockMode } from '../txn/contract.ts';
import { rowModeCovers, rowModesConflict } from '../txn/lock-modes.ts';
import type { TransactionImplementation } from '../txn/transaction.ts';

interface Holder {
  transaction: TransactionImplementation;
  xid: Xid;
  mode: RowLockMode;
}

/** See the module comment. */
export class RowLocks {
  private readonly rows = new Map<number, Holder[]>();
  private readonly byTransaction = new Map<TransactionImplementation, Set<number>>();

  get isEmpty(): boolean {
    return this.rows.size === 0;
  }

  /** The xid of a transaction whose lock on the row conflicts with `mode`, or 0. */
  conflict(rowId: RowId, transaction: TransactionImplementation, mode: RowLockMode): Xid {
    const holders = this.rows.get(rowId);
    if (holders === undefined) return 0 as Xid;
    for (const holder of holders) {
      if (holder.transaction !== transaction && rowModesConflict(holder.mode, mode))
        return holder.transaction.xid;
    }
    return 0 as Xid;
  }

  /** Adds or strengthens; true if a new entry was made (to be undone singly). */
  add(rowId: RowId, transaction: TransactionImplementation, xid: Xid, mode: RowLockMode): boolean {
    let holders = this.rows.get(rowId);
    if (holders === undefined) {
      holders = [];
      this.rows.set(rowId, holders);
    }
    for (const holder of holders) {
      if (holder.transaction === transaction && rowModeCovers(holder.mode, mode)) return false;
    }
    holders.push({ transaction, xid, mode });
    let held = this.byTransaction.get(transaction);
    if (held === undefined) {
      held = new Set();
      this.byTransaction.set(transaction, held);
      const release = (): void => this.releaseAll(transaction);
      transaction.onCommit(release);
      transaction.onRollback(release);
    }
    held.add(rowId);
    return true;
  }

  /** Takes back the newest lock of the transaction on the row. */
  removeLast(rowId: RowId, xid: Xid): void {
    const holders = this.rows.get(rowId);
    if (holders === undefined) return;
    for (let index = holders.length - 1; index >= 0; index--) {
      if (holders[index].xid !== xid) continue;
      holders.splice(index, 1);
      break;
    }
    if (holders.length === 0) this.rows.delete(rowId);
  }

  private releaseAll(transaction: TransactionImplementation): void {
    const held = this.byTransaction.get(transaction);
    if (held === undefined) return;
    this.byTransaction.delete(transaction);
    for (const rowId of held) {
      const holders = this.rows.get(rowId);
      if (holders === undefined) continue;
      const kept = holders.filter((holder) => holder.transaction !== transaction);
      if (kept.length === 0) this.rows.delete(rowId);
      else this.rows.set(rowId, kept);
    }
  }
}
