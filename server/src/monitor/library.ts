/**
 * What the console keeps for people: saved queries, history, workspace, alert rules, webhook, audit log. One internal table.
 *
 * Whose entry it is, is the session's user; nobody reaches another one's. Alert rules are read by everybody who may read statistics and
 * changed by superusers; the webhook is a superuser's; the audit log is written by the server alone and never changed.
 */
import { DbError } from '../base/error.ts';
import type { BackendSession } from '../session/session.ts';
import type { TableStore } from '../table/contract.ts';
import type { TransactionManager } from '../txn/contract.ts';
import type { Datum } from '../types/datum.ts';
import { type InternalRow, InternalTable } from './internal-table.ts';

const LIBRARY_OID = 9001;
const COLUMNS = [
  ['id', 20],
  ['kind', 25],
  ['owner', 25],
  ['at', 1184],
  ['value', 25],
] as const;
const ID = 0;
const KIND = 1;
const OWNER = 2;
const AT = 3;
const VALUE = 4;

const PERSONAL = new Set(['query', 'history', 'workspace']);
const KINDS = new Set([...PERSONAL, 'alert', 'webhook', 'audit']);
/** Entries of one kind that one owner may have; history forgets its oldest. */
const ENTRIES_MAX = 5000;
const HISTORY_KEPT = 2000;
const VALUE_MAX = 4_200_000;
const READ_ALL_STATS = 3375;

export interface LibraryEntry {
  readonly id: bigint;
  readonly at: bigint;
  readonly owner: string;
  readonly value: string;
}

export class Library {
  /** Told when alert rules or the webhook change. */
  onAlertsChanged: () => void = () => {};
  private readonly table: InternalTable;
  private nextId = 1n;

  constructor(tables: TableStore, transactions: TransactionManager) {
    this.table = new InternalTable(tables, transactions, LIBRARY_OID, 'fastpostgres_library', COLUMNS);
  }

  async open(): Promise<void> {
    await this.table.prepare();
    for (const { values } of this.table.read([])) {
      const id = values[ID] as bigint;
      if (id >= this.nextId) this.nextId = id + 1n;
    }
  }

  list(
    session: BackendSession,
    kind: string,
    search: string,
    before: bigint | null,
    maximum: number,
  ): LibraryEntry[] {
    const owner = this.readableOwner(session, kind);
    const needle = search.toLowerCase();
    return this.rowsOf(session, kind)
      .filter(({ values }) => owner === null || values[OWNER] === owner)
      .filter(({ values }) => before === null || (values[ID] as bigint) < before)
      .filter(({ values }) => needle === '' || (values[VALUE] as string).toLowerCase().includes(needle))
      .sort((left, right) => ((left.values[ID] as bigint) < (right.values[ID] as bigint) ? 1 : -1))
      .slice(0, Math.max(0, maximum))
      .map(({ values }) => entryOf(values));
  }

  put(session: BackendSession, kind: string, id: bigint | null, value: string): bigint {
    this.checkWritable(session, kind);
    if (value.length > VALUE_MAX)
      throw new DbError('program_limit_exceeded', `entry is longer than ${VALUE_MAX} characters`);
    const owner = session.functionContext.session.sessionUser;
    const transaction = session.block.forStatement();
    const own = this.rowsOf(session, kind).filter(
      ({ values }) => !PERSONAL.has(kind) || values[OWNER] === owner,
    );
    const now = session.wallTimestamp();
    let given = id;
    if (id !== null) {
      const found = own.find(({ values }) => values[ID] === id);
      if (found === undefined) throw new DbError('no_data_found', `there is no such ${kind}`);
      this.table.update(transaction, found.rowId, [id, kind, found.values[OWNER], now, value]);
    } else {
      if (kind === 'history') this.forgetOldest(session, own);
      else if (own.length >= ENTRIES_MAX)
        throw new DbError('program_limit_exceeded', `no more than ${ENTRIES_MAX} entries of kind ${kind}`);
      given = this.nextId++;
      this.table.insert(transaction, [given, kind, owner, now, value]);
    }
    if (!PERSONAL.has(kind)) transaction.onCommit(() => this.onAlertsChanged());
    return given as bigint;
  }

  delete(session: BackendSession, kind: string, id: bigint | null): bigint {
    this.checkWritable(session, kind);
    const owner = session.functionContext.session.sessionUser;
    const transaction = session.block.forStatement();
    let count = 0n;
    for (const { rowId, values } of this.rowsOf(session, kind)) {
      if (PERSONAL.has(kind) && values[OWNER] !== owner) continue;
      if (id !== null && values[ID] !== id) continue;
      this.table.delete(transaction, rowId);
      count++;
    }
    if (!PERSONAL.has(kind)) transaction.onCommit(() => this.onAlertsChanged());
    return count;
  }

  /** The server's own: an action in the console. */
  async audit(owner: string, at: bigint, value: string): Promise<void> {
    await this.table.write((transaction) => {
      this.table.insert(transaction, [this.nextId++, 'audit', owner, at, value]);
    });
  }

  /** Entries for the server itself. */
  entries(kind: string): LibraryEntry[] {
    return this.table
      .read([{ column: KIND, operator: '=', value: kind }])
      .map(({ values }) => entryOf(values));
  }

  private rowsOf(session: BackendSession, kind: string): InternalRow[] {
    return this.table.rows(session.block.forStatement(), [{ column: KIND, operator: '=', value: kind }]);
  }

  private forgetOldest(session: BackendSession, own: readonly InternalRow[]): void {
    if (own.length < HISTORY_KEPT + 200) return;
    const oldest = [...own]
      .sort((left, right) => ((left.values[ID] as bigint) < (right.values[ID] as bigint) ? -1 : 1))
      .slice(0, own.length - HISTORY_KEPT);
    for (const { rowId } of oldest) this.table.delete(session.block.forStatement(), rowId);
  }

  /** Whose entries the session may read: a name, or null for all. */
  private readableOwner(session: BackendSession, kind: string): string | null {
    if (!KINDS.has(kind)) throw new DbError('invalid_parameter_value', `there is no kind "${kind}"`);
    const own = session.functionContext.session.sessionUser;
    if (PERSONAL.has(kind)) return own;
    if (kind === 'webhook') {
      requireSuperuser(session);
      return null;
    }
    const catalog = session.catalog();
    const mayReadAll = catalog.hasPrivilegesOfRole(session.roleOid(), READ_ALL_STATS);
    if (kind === 'audit') return mayReadAll ? null : own;
    if (!mayReadAll) throw new DbError('insufficient_privilege', 'permission denied for alert rules');
    return null;
  }

  private checkWritable(session: BackendSession, kind: string): void {
    if (!KINDS.has(kind)) throw new DbError('invalid_parameter_value', `there is no kind "${kind}"`);
    if (session.block.forStatement().readOnly) {
      throw new DbError(
        'read_only_sql_transaction',
        'cannot execute fastpostgres_library_put() in a read-only transaction',
      );
    }
    if (kind === 'audit')
      throw new DbError('insufficient_privilege', 'the audit log is written by the server alone');
    if (!PERSONAL.has(kind)) requireSuperuser(session);
  }
}

function requireSuperuser(session: BackendSession): void {
  if (session.catalog().role(session.roleOid())?.superuser !== true)
    throw new DbError('insufficient_privilege', 'must be superuser to change alerts');
}

function entryOf(values: readonly Datum[]): LibraryEntry {
  return {
    id: values[ID] as bigint,
    at: values[AT] as bigint,
    owner: values[OWNER] as string,
    value: values[VALUE] as string,
  };
}
