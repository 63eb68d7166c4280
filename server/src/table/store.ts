/**
 * All tables, indexes and sequences of one database: DDL, bulk loads, statistics, background care.
 *
 * DDL is transactional by registration: a change takes effect at once for its own transaction (others are kept out by
 * the table lock and do not see the catalog rows), a rollback action takes it back, a commit action makes drops real.
 */
import type { Oid, RowId, Xid } from '../base/brands.ts';
import { DbError, internalError } from '../base/error.ts';
import { WaitSignal } from '../base/suspend.ts';
import type { CommitTable } from '../txn/commit-table.ts';
import type { Transaction } from '../txn/contract.ts';
import type { TransactionManagerImplementation } from '../txn/manager.ts';
import { implementationOf, type TransactionImplementation } from '../txn/transaction.ts';
import type { Datum } from '../types/datum.ts';
import type { ColumnVector } from '../types/vector.ts';
import { Arena } from './arena.ts';
import { BULK_MINIMUM_ROWS, type BulkHost, BulkLoad, vectorRow } from './bulk.ts';
import type {
  AnalyzedTable,
  ColumnGroup,
  ColumnStatistics,
  GroupStatistics,
  IndexSchema,
  SequenceHandle,
  SequenceState,
  Table,
  TableSchema,
  TableStore,
} from './contract.ts';
import { Epochs } from './epochs.ts';
import { buildIndex } from './index-build.ts';
import { MemorySegment } from './memory-segment.ts';
import type { BaseRegion } from './region.ts';
import { LINK_BASE, REGION_ROWS } from './region.ts';
import { RowStore } from './row-store.ts';
import { Sequence } from './sequence.ts';
import { Statistician } from './statistician.ts';
import { type TableHost, TableImplementation } from './table.ts';
import { TableIndex } from './table-index.ts';

/** The part of the clock that background work needs. */
export interface StoreClock {
  monotonicMicros(): number;
  wallMicros?(): bigint;
  yieldToLoop(): Promise<void>;
}

/** What the durable half adds; see durability.ts. Without one the store lives in memory only. */
export interface Durability {
  createTable(transaction: TransactionImplementation, schema: TableSchema): void;
  dropTable(transaction: TransactionImplementation, tableOid: Oid): void;
  alterTable(transaction: TransactionImplementation, schema: TableSchema): void;
  truncate(transaction: TransactionImplementation, tableOid: Oid): void;
  createIndex(transaction: TransactionImplementation, tableOid: Oid, schema: IndexSchema): void;
  dropIndex(transaction: TransactionImplementation, tableOid: Oid, indexOid: Oid): void;
  createSequence(transaction: TransactionImplementation, sequence: Sequence): void;
  dropSequence(transaction: TransactionImplementation, sequenceOid: Oid): void;
  /** Logs a sequence's state outside of any transaction. */
  logSequence(sequenceOid: Oid, state: SequenceState): void;
  /** A bulk region begins. */
  beginRegion(table: TableImplementation, region: BaseRegion, transaction: TransactionImplementation): void;
  /** A bulk region is full: encode and write it; the commit waits for it. */
  writeRegion(table: TableImplementation, region: BaseRegion, transaction: TransactionImplementation): void;
  /** Resolves when less of the transaction's bulk rows is on its way; null = not too much now. */
  bulkBacklog(transaction: TransactionImplementation): Promise<void> | null;
  /** Storage of a dropped region may go. */
  regionGone(table: TableImplementation, region: BaseRegion): void;
  checkpoint(): Promise<void>;
  seal(table: TableImplementation): Promise<void>;
  /** Writes segments anew that have many dead or updated rows. */
  compact(table: TableImplementation): Promise<void>;
}

/** See the module comment. */
export class TableStoreImplementation implements TableStore, TableHost, BulkHost {
  readonly tables = new Map<Oid, TableImplementation>();
  readonly indexOwners = new Map<Oid, TableImplementation>();
  readonly sequences = new Map<Oid, Sequence>();
  readonly commits: CommitTable;
  readonly epochs = new Epochs();
  readonly arena = new Arena();
  readonly transactions: TransactionManagerImplementation;
  durability: Durability | null = null;
  /** Counts changes; regions remember when they last changed. */
  changeTick = 1;
  /** Next free object id; the durable half keeps it over restarts. */
  nextOid = 16384;
  private readonly clock: StoreClock;
  /** Rows replaced by an undecided TRUNCATE. */
  private readonly parkedRows = new Set<RowStore>();
  private readonly bulkLoads = new Map<TransactionImplementation, Map<TableImplementation, BulkLoad>>();
  readonly statistician: Statistician;

  constructor(transactions: TransactionManagerImplementation, clock: StoreClock) {
    this.transactions = transactions;
    this.commits = transactions.table;
    this.clock = clock;
    this.statistician = new Statistician(transactions, () => clock.yieldToLoop());
  }

  /** Rows of all tables, replaced ones that a rollback may bring back included. */
  *allRowStores(): Generator<RowStore> {
    for (const table of [...this.tables.values()]) yield table.rows;
    yield* this.parkedRows;
  }

  // ------------------------------------------------------------------------------------------------ TableHost

  horizon(): number {
    return this.transactions.horizon();
  }

  newRowStore(schema: TableSchema): RowStore {
    return new RowStore(schema, this.arena, this.commits, this.epochs);
  }

  changed(table: TableImplementation, rowId: RowId): void {
    table.modifications++;
    const region = table.rows.regions[Math.floor(rowId / REGION_ROWS)];
    if (region !== undefined) region.state.changedAt = ++this.changeTick;
  }

  retryLater(signal: WaitSignal, action: () => void): void {
    signal.promise.then(action, () => {
      // The block could not be read. What was to be pruned stays; readers of it get the error themselves.
    });
  }

  yieldToLoop(): Promise<void> {
    return this.clock.yieldToLoop();
  }

  // ------------------------------------------------------------------------------------------------ tables

  table(tableOid: Oid): Table {
    return this.implementation(tableOid);
  }

  implementation(tableOid: Oid): TableImplementation {
    const table = this.tables.get(tableOid);
    if (table === undefined) throw internalError(`could not open table storage ${tableOid}`);
    return table;
  }

  createTable(transaction: Transaction, schema: TableSchema): Table {
    const writer = implementationOf(transaction);
    if (this.tables.has(schema.tableOid))
      throw internalError(`table storage ${schema.tableOid} exists already`);
    const table = new TableImplementation(this, schema);
    this.tables.set(schema.tableOid, table);
    writer.onRollback(() => this.forgetTable(table));
    if (schema.persistence !== 'temporary') this.durability?.createTable(writer, schema);
    return table;
  }

  dropTable(transaction: Transaction, tableOid: Oid): void {
    const writer = implementationOf(transaction);
    const table = this.implementation(tableOid);
    writer.onCommit(() => this.forgetTable(table));
    if (table.schema.persistence !== 'temporary') this.durability?.dropTable(writer, tableOid);
  }

  private forgetTable(table: TableImplementation): void {
    if (this.tables.get(table.storageId) !== table) return;
    this.tables.delete(table.storageId);
    for (const index of table.tableIndexes) this.indexOwners.delete(index.schema.indexOid);
    this.dropRows(table, table.rows);
  }

  /** Frees rows once no reader can stand on them. */
  dropRows(table: TableImplementation, rows: RowStore): void {
    rows.whenUnpinned(() => {
      for (const region of rows.regions) {
        if (region?.kind !== 'base') continue;
        region.isDropped = true;
        this.durability?.regionGone(table, region);
      }
      rows.drop();
    });
  }

  alterTable(transaction: Transaction, schema: TableSchema): void {
    const writer = implementationOf(transaction);
    const table = this.implementation(schema.tableOid);
    const before = table.schema;
    // A table without any stored row (truncated for a rewrite) may take any form.
    if (table.rows.regions.length > 0) this.checkAlter(before, schema);
    table.rows.setSchema(schema);
    writer.onRollback(() => table.rows.setSchema(before));
    if (schema.persistence !== 'temporary') this.durability?.alterTable(writer, schema);
  }

  /** A column's values stay where they are: their physical form may not change. */
  private checkAlter(before: TableSchema, after: TableSchema): void {
    for (let at = 0; at < before.columns.length; at++) {
      const old = before.columns[at];
      const column = after.columns[at];
      if (column === undefined)
        throw internalError(`column ${old.name} is missing from the new table schema`);
      if (old.dropped || column.dropped) continue;
      const from = old.support.physical(old.typmod);
      const to = column.support.physical(column.typmod);
      const isSameScale =
        from !== 'decimal64' ||
        ((old.typmod ^ column.typmod) & 0x7ff) === 0 ||
        ((old.typmod - 4) & 0x7ff) === ((column.typmod - 4) & 0x7ff);
      if (from !== to || !isSameScale) {
        throw internalError(
          `column ${column.name} cannot change its physical type from ${from} to ${to} without a rewrite`,
        );
      }
    }
  }

  truncate(transaction: Transaction, tableOid: Oid): void {
    const writer = implementationOf(transaction);
    const table = this.implementation(tableOid);
    this.finishBulk(writer, table);
    this.bulkLoads.get(writer)?.delete(table);
    const before = table.rows;
    const trees = table.tableIndexes.map((index) => ({
      index,
      tree: index.tree,
      isNumeric: index.codec.isNumeric,
    }));
    table.replaceRows(this.newRowStore(before.schema));
    for (const index of table.tableIndexes) index.clear();
    const fresh = table.rows;
    this.parkedRows.add(before);
    writer.onRollback(() => {
      this.parkedRows.delete(before);
      table.replaceRows(before);
      for (const { index, tree, isNumeric } of trees) {
        index.codec.isNumeric = isNumeric;
        index.replaceTree(tree);
      }
      this.dropRows(table, fresh);
    });
    writer.onCommit(() => {
      this.parkedRows.delete(before);
      this.dropRows(table, before);
    });
    if (table.schema.persistence !== 'temporary') this.durability?.truncate(writer, tableOid);
  }

  // ------------------------------------------------------------------------------------------------ indexes

  async createIndex(
    transaction: Transaction,
    tableOid: Oid,
    schema: IndexSchema,
  ): Promise<{ conflict: null } | { conflict: readonly Datum[] }> {
    const writer = implementationOf(transaction);
    const table = this.implementation(tableOid);
    this.finishBulk(writer, table);
    const index = new TableIndex(
      schema,
      table.schema.columns.map((column) => column.notNull),
    );
    const conflict = await buildIndex(table.rows, index, this.commits, () => this.clock.yieldToLoop());
    if (conflict !== null) return { conflict };
    if (writer.hasEnded)
      throw new DbError('transaction_rollback', 'the transaction ended while the index was built');
    this.attachToTable(table, index);
    writer.onRollback(() => this.detachFromTable(table, index));
    if (table.schema.persistence !== 'temporary') this.durability?.createIndex(writer, tableOid, schema);
    return { conflict: null };
  }

  /** Registers a built index. */
  attachToTable(table: TableImplementation, index: TableIndex): void {
    table.tableIndexes = [...table.tableIndexes, index];
    this.indexOwners.set(index.schema.indexOid, table);
  }

  detachFromTable(table: TableImplementation, index: TableIndex): void {
    table.tableIndexes = table.tableIndexes.filter((other) => other !== index);
    this.indexOwners.delete(index.schema.indexOid);
  }

  dropIndex(transaction: Transaction, indexOid: Oid): void {
    const writer = implementationOf(transaction);
    const table = this.indexOwners.get(indexOid);
    if (table === undefined) throw internalError(`could not open index storage ${indexOid}`);
    const index = table.index(indexOid);
    // Gone at once for this transaction (nobody else can be here); what it misses meanwhile a rollback takes back too.
    this.detachFromTable(table, index);
    writer.onRollback(() => this.attachToTable(table, index));
    if (table.schema.persistence !== 'temporary')
      this.durability?.dropIndex(writer, table.storageId, indexOid);
  }

  /**
   * Gives an index its functions back after a start (expressions, predicate) and fills it if it could not be stored. Must
   * run for every expression or partial index before its table is written.
   */
  async attachIndex(schema: IndexSchema): Promise<void> {
    const table = this.indexOwners.get(schema.indexOid);
    if (table === undefined) throw internalError(`could not open index storage ${schema.indexOid}`);
    const index = table.index(schema.indexOid);
    if (index.isAttached) {
      index.schema = schema;
      return;
    }
    const fresh = new TableIndex(
      schema,
      table.schema.columns.map((column) => column.notNull),
    );
    await buildIndex(table.rows, fresh, this.commits, () => this.clock.yieldToLoop());
    table.tableIndexes = table.tableIndexes.map((other) => (other === index ? fresh : other));
  }

  // ------------------------------------------------------------------------------------------------ sequences

  createSequence(transaction: Transaction, sequenceOid: Oid, state: SequenceState): void {
    const writer = implementationOf(transaction);
    const sequence = this.newSequence(sequenceOid, state);
    writer.onRollback(() => this.sequences.delete(sequenceOid));
    writer.beforeCommit(() => this.durability?.createSequence(writer, sequence));
    writer.onCommit(() => {
      sequence.isPublished = true;
    });
    if (this.durability !== null) writer.writeXid();
  }

  /** Registers a sequence (also recovery). */
  newSequence(sequenceOid: Oid, state: SequenceState): Sequence {
    const sequence = new Sequence(sequenceOid, String(sequenceOid), state, (oid, logged) =>
      this.durability?.logSequence(oid, logged),
    );
    this.sequences.set(sequenceOid, sequence);
    return sequence;
  }

  sequence(sequenceOid: Oid): SequenceHandle {
    const sequence = this.sequences.get(sequenceOid);
    if (sequence === undefined) throw internalError(`could not open sequence storage ${sequenceOid}`);
    return sequence;
  }

  alterSequence(transaction: Transaction, sequenceOid: Oid, state: SequenceState): void {
    const writer = implementationOf(transaction);
    const sequence = this.sequence(sequenceOid) as Sequence;
    const before = sequence.state;
    sequence.replace(state);
    writer.onRollback(() => sequence.replace(before));
    if (sequence.isPublished) {
      writer.beforeCommit(() => this.durability?.createSequence(writer, sequence));
      if (this.durability !== null) writer.writeXid();
    }
  }

  dropSequence(transaction: Transaction, sequenceOid: Oid): void {
    const writer = implementationOf(transaction);
    writer.onCommit(() => this.sequences.delete(sequenceOid));
    this.durability?.dropSequence(writer, sequenceOid);
  }

  // ------------------------------------------------------------------------------------------------ bulk loads

  async insertBatch(
    table: TableImplementation,
    transaction: TransactionImplementation,
    columns: readonly ColumnVector[],
    rowCount: number,
  ): Promise<void> {
    let load = this.bulkLoads.get(transaction)?.get(table);
    if (load === undefined && rowCount < BULK_MINIMUM_ROWS) {
      for (let row = 0; row < rowCount; row++) {
        await this.insertOne(table, transaction, vectorRow(table, columns, row));
        if ((row & 255) === 255) await this.yieldToLoop();
      }
      return;
    }
    if (load === undefined) {
      load = new BulkLoad(table, transaction, this);
      let loads = this.bulkLoads.get(transaction);
      if (loads === undefined) {
        loads = new Map();
        this.bulkLoads.set(transaction, loads);
        const forget = (): void => void this.bulkLoads.delete(transaction);
        transaction.onCommit(forget);
        transaction.onRollback(forget);
        (transaction.preparations ??= []).push(async () => {
          for (const each of this.bulkLoads.get(transaction)?.values() ?? []) each.finishRegion();
        });
      }
      loads.set(table, load);
    }
    await load.add(columns, rowCount);
  }

  private async insertOne(
    table: TableImplementation,
    transaction: TransactionImplementation,
    row: Datum[],
  ): Promise<void> {
    for (;;) {
      try {
        const outcome = table.insert(transaction, row);
        if (!('conflict' in outcome)) return;
        const { conflict } = outcome;
        const wait = conflict.xid === 0 ? null : this.waitFor(transaction, conflict.xid);
        if (wait !== null) await wait;
        else if (conflict.xid === 0) throw this.uniqueViolation(table, conflict.indexOid, row);
      } catch (error) {
        if (!(error instanceof WaitSignal)) throw error;
        await error.promise;
      }
    }
  }

  waitFor(transaction: TransactionImplementation, xid: Xid): Promise<void> | null {
    return this.transactions.locks.waitForTransaction(transaction, xid, { policy: 'wait', timeoutMicros: 0 });
  }

  describeConflict(table: TableImplementation, indexOid: number, rowId: RowId): DbError {
    table.rows.locate(rowId, LINK_BASE);
    return this.uniqueViolation(table, indexOid, table.rows.loadRow());
  }

  /** 23505 as PostgreSQL words it; the schema name is added above. */
  private uniqueViolation(table: TableImplementation, indexOid: number, row: readonly Datum[]): DbError {
    const { schema } = table.index(indexOid);
    const names: string[] = [];
    const values: string[] = [];
    for (const key of schema.keys) {
      const column = key.column >= 0 ? table.schema.columns[key.column] : null;
      names.push(column?.name ?? 'expression');
      const value = key.column >= 0 ? row[key.column] : (key.expression?.(row) ?? null);
      values.push(value === null ? 'null' : key.support.output(value, PLAIN_FORMAT));
    }
    return new DbError(
      'unique_violation',
      `duplicate key value violates unique constraint "${schema.name}"`,
      {
        detail: `Key (${names.join(', ')})=(${values.join(', ')}) already exists.`,
        table: table.schema.name,
        constraint: schema.name,
      },
    );
  }

  regionAdded(table: TableImplementation, region: BaseRegion, transaction: TransactionImplementation): void {
    table.recordRegion(transaction, region);
    if (table.schema.persistence !== 'temporary') this.durability?.beginRegion(table, region, transaction);
  }

  regionFull(table: TableImplementation, region: BaseRegion, xid: Xid): void {
    const owner = [...this.bulkLoads.keys()].find((transaction) => transaction.owns(xid));
    if (owner !== undefined && table.schema.persistence !== 'temporary')
      this.durability?.writeRegion(table, region, owner);
  }

  bulkBacklog(transaction: TransactionImplementation): Promise<void> | null {
    return this.durability?.bulkBacklog(transaction) ?? null;
  }

  private finishBulk(transaction: TransactionImplementation, table: TableImplementation): void {
    this.bulkLoads.get(transaction)?.get(table)?.finishRegion();
  }

  dropRegion(table: TableImplementation, region: BaseRegion): void {
    table.rows.liveRows -= region.rowCount;
    const { reader } = region;
    // Keys are read before the rows go; entries are hints, so this may take its time.
    region.isDropped = true;
    for (const load of this.bulkLoads.values()) if (load.get(table)?.region === region) load.delete(table);
    void this.removeEntries(table, region, reader instanceof MemorySegment).finally(() => {
      if (table.rows.regions[region.segment] === region) table.rows.regions[region.segment] = undefined;
      this.durability?.regionGone(table, region);
    });
  }

  private async removeEntries(
    table: TableImplementation,
    region: BaseRegion,
    isInMemory: boolean,
  ): Promise<void> {
    if (!isInMemory) return;
    const { rows } = table;
    for (const index of table.tableIndexes) {
      if (!index.isAttached) continue;
      for (let offset = 0; offset < region.rowCount; offset++) {
        if (table.rows !== rows || rows.regions[region.segment] !== region) return;
        const rowId = (region.segment * REGION_ROWS + offset) as RowId;
        rows.locate(rowId, LINK_BASE);
        if (index.encodeFound(rows, index.key) !== null) index.remove(index.key, rowId);
        if ((offset & 1023) === 1023) await this.yieldToLoop();
      }
    }
  }

  // ------------------------------------------------------------------------------------------------ care

  /** Milliseconds since 1970, 0 where the clock does not know. */
  wallMillis(): number {
    return Number((this.clock.wallMicros?.() ?? 0n) / 1000n);
  }

  async vacuum(tableOid: Oid): Promise<void> {
    const table = this.implementation(tableOid);
    while (this.transactions.collect(2048)) await this.yieldToLoop();
    await this.durability?.compact(table);
    table.activity.vacuums++;
    table.activity.lastVacuum = this.clock.wallMicros?.() ?? 0n;
  }

  *analyzed(): Generator<AnalyzedTable> {
    for (const [relationOid, table] of this.tables) {
      const analyzed = this.statistician.analyzed(table);
      if (analyzed.columns.size > 0) yield { relationOid, ...analyzed };
    }
  }

  groupStatistics(table: TableImplementation): readonly GroupStatistics[] {
    return this.statistician.groups(table);
  }

  statistics(table: TableImplementation, column: number): ColumnStatistics {
    return this.statistician.column(table, column);
  }

  async analyze(tableOid: Oid, transaction?: Transaction, groups?: readonly ColumnGroup[]): Promise<void> {
    const table = this.implementation(tableOid);
    const own = transaction === undefined ? null : implementationOf(transaction);
    await this.statistician.analyze(table, own, groups);
    table.activity.analyses++;
    table.activity.lastAnalyze = this.clock.wallMicros?.() ?? 0n;
  }

  async seal(tableOid: Oid): Promise<void> {
    await this.durability?.seal(this.implementation(tableOid));
  }

  async checkpoint(): Promise<void> {
    await this.durability?.checkpoint();
  }
}

/** Neutral formats for values in error details. */
const PLAIN_FORMAT = {
  dateStyle: 'ISO',
  dateOrder: 'MDY',
  intervalStyle: 'postgres',
  timeZone: 'UTC',
  extraFloatDigits: 1,
  byteaOutput: 'hex',
  transactionTimestamp: 0n,
} as const;
