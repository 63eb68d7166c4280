/**
 * The transaction block of a session: PostgreSQL's states between BEGIN and COMMIT, seen from the statements.
 *
 * none      no transaction
 * implicit  opened by a statement; ends with it (simple query) or at Sync (extended query)
 * block     after BEGIN
 * failed    a statement in a block failed; only ROLLBACK, ROLLBACK TO and COMMIT (as rollback) are accepted
 *
 * In `failed` without savepoints the transaction is already rolled back and its locks are free.
 */
import { DbError } from '../base/error.ts';
import type { IsolationLevel, Transaction, TransactionManager } from '../txn/contract.ts';
import type { SessionSettings } from './settings/session-settings.ts';

/** Name of the savepoints of exception blocks. */
const INTERNAL_SAVEPOINT = '\0function';

export type BlockState = 'none' | 'implicit' | 'block' | 'failed';

export interface TransactionModes {
  isolation?: IsolationLevel;
  readOnly?: boolean;
  deferrable?: boolean;
}

export class TransactionBlock {
  state: BlockState = 'none';
  /** Wall clock at the start of the transaction, microseconds since 2000-01-01. */
  startTimestamp = 0n;
  private current: Transaction | null = null;
  private readonly savepoints: string[] = [];
  /** READ ONLY as it was when each savepoint was set: its end brings that back. */
  private readonly readOnlyBefore: boolean[] = [];
  /** Of the open transaction, or the one that failed: AND CHAIN goes on with them. */
  private isDeferrable = false;
  private failedModes: TransactionModes | null = null;
  private hasRunStatement = false;
  private readonly manager: TransactionManager;
  private readonly settings: SessionSettings;
  private readonly sessionId: number;
  private readonly wallTimestamp: () => bigint;
  /** Called after every end of a transaction, with whether it committed. */
  private readonly ended: (committed: boolean) => void;

  constructor(options: {
    manager: TransactionManager;
    settings: SessionSettings;
    sessionId: number;
    wallTimestamp: () => bigint;
    ended: (committed: boolean) => void;
  }) {
    this.manager = options.manager;
    this.settings = options.settings;
    this.sessionId = options.sessionId;
    this.wallTimestamp = options.wallTimestamp;
    this.ended = options.ended;
  }

  get status(): 'I' | 'T' | 'E' {
    return this.state === 'block' ? 'T' : this.state === 'failed' ? 'E' : 'I';
  }

  /** The open transaction; null in `none` and after a failure without savepoints. */
  get transaction(): Transaction | null {
    return this.current;
  }

  /** Characteristics of the open or failed transaction. */
  get modes(): TransactionModes {
    const { current } = this;
    if (current === null) return this.failedModes ?? {};
    return { isolation: current.isolation, readOnly: current.readOnly, deferrable: this.isDeferrable };
  }

  /** Savepoints that stand. */
  get depth(): number {
    return this.savepoints.length;
  }

  get isInBlock(): boolean {
    return this.state === 'block' || this.state === 'failed';
  }

  /** The transaction a statement runs in: opens an implicit one when none is open. 25P02 in a failed block. */
  forStatement(): Transaction {
    if (this.state === 'failed') throw abortedBlock();
    if (this.current === null) {
      this.open({});
      this.state = 'implicit';
    }
    this.hasRunStatement = true;
    return this.current as Transaction;
  }

  begin(modes: TransactionModes): 'started' | 'already' {
    if (this.state === 'failed') throw abortedBlock();
    if (this.state === 'block') {
      this.changeModes(modes);
      return 'already';
    }
    if (this.current === null) this.open(modes);
    else this.changeModes(modes);
    this.state = 'block';
    return 'started';
  }

  /** SET TRANSACTION and BEGIN with modes: before the first statement the transaction is simply opened anew. */
  changeModes(modes: TransactionModes): void {
    const { isolation, readOnly, deferrable } = modes;
    const old = this.current;
    if (old === null) return;
    const wantsIsolation = isolation !== undefined && isolation !== old.isolation;
    if (wantsIsolation && (this.hasRunStatement || this.savepoints.length > 0)) {
      throw this.savepoints.length > 0
        ? new DbError(
            'active_sql_transaction',
            'SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction',
          )
        : new DbError(
            'active_sql_transaction',
            'SET TRANSACTION ISOLATION LEVEL must be called before any query',
          );
    }
    if (readOnly === false && old.readOnly && this.savepoints.length > 0) {
      throw new DbError(
        'active_sql_transaction',
        'cannot set transaction read-write mode inside a read-only transaction',
      );
    }
    if (readOnly === false && old.readOnly && this.hasRunStatement) {
      throw new DbError('active_sql_transaction', 'transaction read-write mode must be set before any query');
    }
    if (deferrable !== undefined) {
      const refusal =
        this.savepoints.length > 0
          ? 'SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction'
          : this.hasRunStatement
            ? 'SET TRANSACTION [NOT] DEFERRABLE must be called before any query'
            : null;
      if (refusal !== null) throw new DbError('active_sql_transaction', refusal);
      this.isDeferrable = deferrable;
    }
    const wantsReadOnly = readOnly !== undefined && readOnly !== old.readOnly;
    if (!wantsIsolation && !wantsReadOnly) return;
    if (this.hasRunStatement || this.savepoints.length > 0) {
      old.setReadOnly(readOnly ?? old.readOnly);
      return;
    }
    this.manager.rollback(old);
    this.current = this.manager.begin({
      isolation: isolation ?? old.isolation,
      readOnly: readOnly ?? old.readOnly,
      sessionId: this.sessionId,
    });
  }

  savepoint(name: string): void {
    const transaction = this.inBlock('SAVEPOINT');
    transaction.beginSubtransaction(name);
    this.savepoints.push(name);
    this.readOnlyBefore.push(transaction.readOnly);
    this.settings.beginLevel();
  }

  /** A subtransaction of a function's exception block: in implicit transactions too, and with a name no user can write. */
  beginInternal(): void {
    const transaction = this.current;
    if (transaction === null) throw new DbError('internal_error', 'no transaction for a subtransaction');
    transaction.beginSubtransaction(INTERNAL_SAVEPOINT);
    this.savepoints.push(INTERNAL_SAVEPOINT);
    this.readOnlyBefore.push(transaction.readOnly);
    this.settings.beginLevel();
  }

  releaseInternal(): void {
    if (this.current === null || this.savepoints.at(-1) !== INTERNAL_SAVEPOINT) return;
    this.current.releaseSubtransaction(INTERNAL_SAVEPOINT);
    this.popSavepoint();
    this.settings.releaseLevel();
  }

  rollbackInternal(): void {
    if (this.current === null || this.savepoints.at(-1) !== INTERNAL_SAVEPOINT) return;
    this.current.rollbackToSubtransaction(INTERNAL_SAVEPOINT);
    this.current.releaseSubtransaction(INTERNAL_SAVEPOINT);
    this.popSavepoint();
    this.settings.popLevel();
  }

  /** Opens a transaction for a procedure that has ended its own. */
  openImplicit(modes: TransactionModes): void {
    if (this.current !== null) return;
    this.open(modes);
    this.state = 'implicit';
    this.hasRunStatement = true;
  }

  private popSavepoint(): void {
    this.savepoints.pop();
    const before = this.readOnlyBefore.pop();
    if (before !== undefined) this.current?.setReadOnly(before);
  }

  release(name: string): void {
    const transaction = this.inBlock('RELEASE SAVEPOINT');
    const index = this.savepoints.lastIndexOf(name);
    if (index < 0) throw noSuchSavepoint(name);
    transaction.releaseSubtransaction(name);
    while (this.savepoints.length > index) {
      this.popSavepoint();
      this.settings.releaseLevel();
    }
  }

  rollbackTo(name: string): void {
    if (!this.isInBlock) throw notInBlock('ROLLBACK TO SAVEPOINT');
    const index = this.savepoints.lastIndexOf(name);
    if (index < 0 || this.current === null) throw noSuchSavepoint(name);
    this.current.rollbackToSubtransaction(name);
    while (this.savepoints.length > index + 1) {
      this.popSavepoint();
      this.settings.popLevel();
    }
    const before = this.readOnlyBefore.at(-1);
    if (before !== undefined) this.current.setReadOnly(before);
    this.settings.rollbackLevel();
    this.state = 'block';
  }

  /**
   * Ends the transaction by commit. Returns null when nothing had to be waited for. In a failed block it is a rollback.
   * A commit that fails (deferred constraint, disk) leaves no transaction behind.
   */
  commit(): Promise<void> | null {
    const transaction = this.current;
    if (transaction === null || this.state === 'failed') {
      this.rollback();
      return null;
    }
    let pending: Promise<void> | null;
    try {
      pending = this.manager.commit(transaction, {
        synchronous: this.settings.get('synchronous_commit') !== 'off',
      });
    } catch (error) {
      this.rollback();
      throw error;
    }
    if (pending === null) {
      this.finish(true);
      return null;
    }
    return pending.then(
      () => this.finish(true),
      (error: unknown) => {
        if (transaction.state === 'active' || transaction.state === 'failed')
          this.manager.rollback(transaction);
        this.finish(false);
        throw error;
      },
    );
  }

  rollback(): void {
    const transaction = this.current;
    if (transaction !== null) this.manager.rollback(transaction);
    if (this.state !== 'none') this.finish(false);
  }

  /** After an error: an implicit transaction is gone, a block is failed. */
  fail(): void {
    switch (this.state) {
      case 'none':
        return;
      case 'implicit':
        this.rollback();
        return;
      case 'failed':
        return;
      case 'block': {
        while (this.savepoints.at(-1) === INTERNAL_SAVEPOINT) this.rollbackInternal();
        const innermost = this.savepoints[this.savepoints.length - 1];
        if (this.current !== null) {
          if (innermost !== undefined) this.current.rollbackToSubtransaction(innermost);
          else {
            this.failedModes = this.modes;
            this.manager.rollback(this.current);
            this.current = null;
          }
        }
        this.settings.rollbackLevel();
        this.state = 'failed';
      }
    }
  }

  private open(modes: TransactionModes): void {
    this.startTimestamp = this.wallTimestamp();
    this.hasRunStatement = false;
    this.isDeferrable = modes.deferrable ?? this.settings.boolean('default_transaction_deferrable');
    this.current = this.manager.begin({
      isolation: modes.isolation ?? (this.settings.get('default_transaction_isolation') as IsolationLevel),
      readOnly: modes.readOnly ?? this.settings.boolean('default_transaction_read_only'),
      sessionId: this.sessionId,
    });
    this.settings.beginTransaction();
  }

  private finish(committed: boolean): void {
    this.current = null;
    this.failedModes = null;
    if (this.savepoints.length > 0) {
      this.savepoints.length = 0;
      this.readOnlyBefore.length = 0;
    }
    this.state = 'none';
    if (committed) this.settings.commitTransaction();
    else this.settings.rollbackTransaction();
    this.ended(committed);
  }

  private inBlock(command: string): Transaction {
    if (this.state === 'failed') throw abortedBlock();
    if (this.state !== 'block' || this.current === null) throw notInBlock(command);
    return this.current;
  }
}

export function abortedBlock(): DbError {
  return new DbError(
    'in_failed_sql_transaction',
    'current transaction is aborted, commands ignored until end of transaction block',
  );
}

export function notInBlock(command: string): DbError {
  return new DbError('no_active_sql_transaction', `${command} can only be used in transaction blocks`);
}

function noSuchSavepoint(name: string): DbError {
  return new DbError('invalid_savepoint_specification', `savepoint "${name}" does not exist`);
}
