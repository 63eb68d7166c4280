/** The session's temporary schema: its oid, tables emptied at every commit, its end. */
import type { Oid } from '../base/brands.ts';
import type { Transaction } from '../txn/contract.ts';
import type { BackendSession } from './session.ts';

export class TemporaryObjects {
  private readonly session: BackendSession;
  /** 0 = none yet. */
  namespaceOid: Oid = 0;
  /** ON COMMIT DELETE ROWS. */
  private readonly emptiedAtCommit = new Set<Oid>();

  constructor(session: BackendSession) {
    this.session = session;
  }

  setNamespace(oid: Oid): void {
    this.namespaceOid = oid;
    this.session.settings.version++;
  }

  emptyAtCommit(relationOid: Oid): void {
    this.emptiedAtCommit.add(relationOid);
  }

  /** A command of the open transaction made, changed or dropped something in the schema. */
  noteChange(): void {
    this.changedIn = this.session.block.transaction;
  }

  private changedIn: Transaction | null = null;

  /** True when the open transaction has operated on temporary objects. */
  isUsed(): boolean {
    const { transaction } = this.session.block;
    if (transaction === null || this.namespaceOid === 0) return false;
    if (this.changedIn === transaction) return true;
    const catalog = this.session.catalog();
    return this.session.engine.transactions.locks
      .snapshotLocks()
      .some(
        ({ kind, relation, sessionId }) =>
          kind === 'relation' &&
          sessionId === this.session.sessionId &&
          relation !== null &&
          catalog.relation(relation)?.persistence === 't',
      );
  }

  /** Before a commit. A transaction that wrote nothing has put no rows into them. */
  beforeCommit(): void {
    if (this.emptiedAtCommit.size === 0) return;
    const { transaction } = this.session.block;
    if (transaction === null || transaction.xid === 0) return;
    for (const oid of this.emptiedAtCommit) {
      if (this.session.catalog().relation(oid) === null) this.emptiedAtCommit.delete(oid);
      else this.session.engine.tables.truncate(transaction, oid);
    }
  }

  /** At the end of the session (null), or by DISCARD in its transaction. */
  async drop(transaction: Transaction | null): Promise<void> {
    if (this.namespaceOid !== 0)
      await this.session.engine.utility.dropTemporary?.(this.namespaceOid, transaction);
  }
}
