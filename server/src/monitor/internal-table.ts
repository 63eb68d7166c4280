/**
 * Tables of the monitor's own: ordinary, logged, recovered tables without an entry in the catalogs, so that no dump, no DROP and no user
 * meets them. They are reached through functions that check who asks.
 *
 * Crash story  as any table: what was committed is there.
 */
import type { Oid, RowId } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import type { ScanPredicate, Table, TableStore } from '../table/contract.ts';
import type { Transaction, TransactionManager } from '../txn/contract.ts';
import type { Datum } from '../types/datum.ts';
import { typeSupport } from '../types/index.ts';

export interface InternalRow {
  readonly rowId: RowId;
  readonly values: readonly Datum[];
}

export class InternalTable {
  private readonly oid: Oid;
  private readonly name: string;
  private readonly columns: readonly (readonly [name: string, typeOid: Oid])[];
  private readonly tables: TableStore;
  private readonly transactions: TransactionManager;

  constructor(
    tables: TableStore,
    transactions: TransactionManager,
    oid: Oid,
    name: string,
    columns: readonly (readonly [name: string, typeOid: Oid])[],
  ) {
    this.tables = tables;
    this.transactions = transactions;
    this.oid = oid;
    this.name = name;
    this.columns = columns;
  }

  /** Null before the first write. */
  private get table(): Table | null {
    try {
      return this.tables.table(this.oid);
    } catch {
      return null;
    }
  }

  /** Makes the table if it is not there yet. */
  async prepare(): Promise<void> {
    if (this.table !== null) return;
    await this.write((transaction) => {
      this.tables.createTable(transaction, {
        tableOid: this.oid,
        name: this.name,
        persistence: 'permanent',
        columns: this.columns.map(([name, typeOid]) => ({
          name,
          typeOid,
          typmod: -1,
          support: typeSupport(typeOid),
          notNull: false,
          dropped: false,
          missingValue: null,
        })),
      });
    });
  }

  /** Rows that pass; may leave by a suspension, then it is called again. */
  rows(transaction: Transaction, predicates: readonly ScanPredicate[]): InternalRow[] {
    const { table } = this;
    if (table === null) return [];
    const columns = this.columns.map((_, index) => index);
    const cursor = table.scan({
      snapshot: transaction.latestSnapshot(),
      columns,
      slots: columns,
      predicates,
    });
    const frame: Datum[] = new Array<Datum>(columns.length).fill(null);
    const found: InternalRow[] = [];
    while (cursor.next(frame)) found.push({ rowId: cursor.rowId, values: frame.slice(0, columns.length) });
    cursor.close();
    return found;
  }

  insert(transaction: Transaction, values: readonly Datum[]): void {
    this.required().insert(transaction, values);
  }

  update(transaction: Transaction, rowId: RowId, values: readonly Datum[]): void {
    const changed = values.map((_, index) => index);
    const outcome = this.required().update(transaction, transaction.latestSnapshot(), rowId, values, changed);
    if (outcome.kind !== 'ok') throw busy();
  }

  delete(transaction: Transaction, rowId: RowId): void {
    const outcome = this.required().delete(transaction, transaction.latestSnapshot(), rowId);
    if (outcome.kind !== 'ok' && outcome.kind !== 'deleted') throw busy();
  }

  private required(): Table {
    const { table } = this;
    if (table === null)
      throw new DbError('object_not_in_prerequisite_state', `${this.name} is not ready yet`);
    return table;
  }

  /** A transaction of the server's own, outside any session. */
  async write(work: (transaction: Transaction) => void): Promise<void> {
    const transaction = this.transactions.begin({
      isolation: 'read committed',
      readOnly: false,
      sessionId: 0,
    });
    try {
      work(transaction);
    } catch (error) {
      this.transactions.rollback(transaction);
      throw error;
    }
    const committed = this.transactions.commit(transaction, { synchronous: false });
    if (committed !== null) await committed;
  }

  /** Reads outside any session. */
  read(predicates: readonly ScanPredicate[]): InternalRow[] {
    const transaction = this.transactions.begin({
      isolation: 'read committed',
      readOnly: true,
      sessionId: 0,
    });
    try {
      return this.rows(transaction, predicates);
    } finally {
      this.transactions.rollback(transaction);
    }
  }
}

function busy(): DbError {
  return new DbError('lock_not_available', 'another session is changing this entry', {
    hint: 'Try again.',
  });
}
