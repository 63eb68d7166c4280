/**
 * The only door to table data. Implemented by `table/` over storage, txn and index.
 *
 * Rows are addressed by RowId. Every read goes through a Snapshot. Cursors write the wanted columns into a *frame*
 * (the statement's register file: one Datum array) at the slots the plan assigned.
 * Suspension: cursors may throw SuspendSignal or WaitSignal (base/suspend.ts) from `next` and can be called again.
 */
import type { Oid, RowId, Xid } from '../base/brands.ts';
import type { LockWaitOptions, RowLockMode, Snapshot, Transaction } from '../txn/contract.ts';
import type { TypeSupport } from '../types/contract.ts';
import type { Datum } from '../types/datum.ts';
import type { ColumnVector } from '../types/vector.ts';

/** Physical description of a table. Column numbers are 0-based attnum - 1; dropped columns stay as holes. */
export interface TableSchema {
  readonly tableOid: Oid;
  readonly name: string;
  readonly persistence: 'permanent' | 'unlogged' | 'temporary';
  readonly columns: readonly TableColumn[];
}

export interface TableColumn {
  readonly name: string;
  readonly typeOid: Oid;
  readonly typmod: number;
  readonly support: TypeSupport;
  readonly notNull: boolean;
  readonly dropped: boolean;
  /** Value of the column in rows stored before it was added (fast ALTER TABLE ADD COLUMN … DEFAULT). */
  readonly missingValue: Datum;
}

export interface IndexSchema {
  readonly indexOid: Oid;
  readonly name: string;
  readonly unique: boolean;
  readonly primary: boolean;
  readonly nullsNotDistinct: boolean;
  readonly keys: readonly IndexKey[];
  /** Columns stored but not part of the key (INCLUDE). */
  readonly included: readonly number[];
  /** Row filter of a partial index, evaluated on a full row by a function handed in from above. */
  readonly predicate: ((row: readonly Datum[]) => boolean) | null;
}

export interface IndexKey {
  /** Table column, or -1 for an expression. */
  readonly column: number;
  readonly expression: ((row: readonly Datum[]) => Datum) | null;
  readonly support: TypeSupport;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export type ComparisonOperator = '=' | '<' | '<=' | '>' | '>=';

/** A predicate the scan applies itself, fully (zone maps, vectorised). `value` is never NULL. */
export type ScanPredicate =
  | { column: number; operator: ComparisonOperator | '<>'; value: Datum }
  | { column: number; operator: 'in'; values: readonly Datum[] }
  | { column: number; operator: 'is null' | 'is not null' };

export interface ScanOptions {
  snapshot: Snapshot;
  /** Wanted columns and the frame slot of each. */
  columns: readonly number[];
  slots: readonly number[];
  predicates: readonly ScanPredicate[];
  /** Called by the cursor before it takes its next step over rows it skips by itself; may throw a suspension or the cancel error. */
  tick?: () => void;
}

/** Range of an index scan over its leading keys. */
export interface IndexScanOptions {
  snapshot: Snapshot;
  columns: readonly number[];
  slots: readonly number[];
  indexOid: Oid;
  /** Equal values of the first keys. A NULL here matches nothing unless its flag in `equalIsNull` is set. */
  equal: readonly Datum[];
  equalIsNull?: readonly boolean[];
  /** Bound on the key after those; null = open. */
  lower: { value: Datum; inclusive: boolean } | null;
  upper: { value: Datum; inclusive: boolean } | null;
  backward: boolean;
  /** As ScanOptions.tick. */
  tick?: () => void;
}

/** System columns a cursor can give beside ordinary ones: pass these as column numbers. */
export const SYSTEM_COLUMN = { ctid: -1, xmin: -2, cmin: -3, xmax: -4, cmax: -5, tableoid: -6 } as const;

export interface RowCursor {
  /** Moves to the next visible row, writes its columns into `frame`; false at the end. */
  next(frame: Datum[]): boolean;
  /** Row id of the current row. */
  readonly rowId: RowId;
  close(): void;
}

/** A batch for vectorised consumers: visible rows only (`selection` = null means all of 0 … rowCount-1). */
export interface ScanBatch {
  rowCount: number;
  columns: readonly ColumnVector[];
  selection: Uint16Array | null;
  selectedCount: number;
}

export interface BatchCursor {
  nextBatch(): ScanBatch | null;
  close(): void;
}

/** Rows of a region that are visible to the scan's snapshot as they stand; immutable. */
export interface RegionView {
  /** Identity for caches of decoded columns: the same object has the same rows, except that a region being loaded grows. */
  readonly key: object;
  readonly rowCount: number;
  /** Id of the first row; the others follow. Absent: they are not known. */
  readonly firstRow?: RowId;
  /** Columns stored; later ones read as the missing value. */
  readonly columnCount: number;
  /** One bit per row, 1 = visible here; null = all. The others come through `rest` if they are visible. */
  readonly mask: Uint8Array | null;
  /** Zone maps prove that no row satisfies the scan's predicates. */
  canSkip(): boolean;
  /** Decodes a whole column. May throw WaitSignal. */
  readColumn(column: number, target: ColumnVector): void;
  /** A varlen column as codes, where it is stored so; else null. May throw WaitSignal. */
  readDictionary?(column: number): RegionDictionary | null;
}

/** A column as codes of `width` bytes (little-endian) into `entries`; NULL rows have any code. */
export interface RegionDictionary {
  readonly codes: Uint8Array;
  readonly width: 1 | 2;
  readonly entries: readonly Uint8Array[];
  /** As in ColumnVector. */
  readonly validity: Uint8Array | null;
}

/** A scan for workers: regions column by column, the remaining visible rows one by one. */
export interface ParallelScan {
  readonly regions: readonly RegionView[];
  readonly rest: RowCursor;
}

/** What happened to a row that a statement wants to lock, update or delete. */
export type RowOutcome =
  | { kind: 'ok'; rowId: RowId }
  /** Another transaction holds it undecided: wait for that xid, then try again. */
  | { kind: 'wait'; xid: Xid }
  /** A newer committed version exists: READ COMMITTED re-checks that version, higher levels raise 40001. */
  | { kind: 'updated'; rowId: RowId }
  | { kind: 'deleted' }
  /** Changed by this very command before (a row is updated once per statement). */
  | { kind: 'self' };

export interface UniqueConflict {
  indexOid: Oid;
  rowId: RowId;
  /** Undecided transaction to wait for, or 0 when the conflicting row is committed (or own). */
  xid: Xid;
}

export interface Table {
  readonly schema: TableSchema;
  readonly indexes: readonly IndexSchema[];
  scan(options: ScanOptions): RowCursor;
  scanBatches(options: Omit<ScanOptions, 'slots'>): BatchCursor;
  /** Predicates only skip regions and filter `rest`: the caller filters rows of regions. */
  parallelScan?(options: ScanOptions): ParallelScan;
  indexScan(options: IndexScanOptions): RowCursor;
  /** Writes the columns of the version of `rowId` visible to `snapshot` into the frame; false if none is. */
  fetch(
    rowId: RowId,
    snapshot: Snapshot,
    columns: readonly number[],
    slots: readonly number[],
    frame: Datum[],
  ): boolean;
  /**
   * Inserts a full row (one Datum per column, dropped ones null) and its index entries; logs it.
   * Unique violations are returned, nothing is then inserted. (Errors 23505 are worded by the executor, which knows names.)
   */
  insert(transaction: Transaction, row: readonly Datum[]): { rowId: RowId } | { conflict: UniqueConflict };
  /** Looks for rows that conflict with `row` on the unique indexes (all, or the given one), without inserting. */
  findConflict(transaction: Transaction, row: readonly Datum[], indexOid: Oid | null): UniqueConflict | null;
  /** Rows that hold the key of `row` in an index: how many are decided (or own), and an undecided transaction to wait for, 0 = none. */
  keyHolders(transaction: Transaction, row: readonly Datum[], indexOid: Oid): { live: number; xid: Xid };
  /** Replaces the row. `changed` lists the columns that may differ (indexes on others are left alone). */
  update(
    transaction: Transaction,
    snapshot: Snapshot,
    rowId: RowId,
    row: readonly Datum[],
    changed: readonly number[],
  ): RowOutcome | { kind: 'conflict'; conflict: UniqueConflict };
  delete(transaction: Transaction, snapshot: Snapshot, rowId: RowId): RowOutcome;
  /** Row lock; on 'ok' it is held until the transaction (or savepoint) ends. */
  lock(transaction: Transaction, snapshot: Snapshot, rowId: RowId, mode: RowLockMode): RowOutcome;
  /** Bulk load: rows as columns, straight from COPY / INSERT … SELECT / CREATE TABLE AS. Checks unique indexes. The columns are the table's from then on. */
  insertBatch(transaction: Transaction, columns: readonly ColumnVector[], rowCount: number): Promise<void>;
  /** Exact number of live rows as of the last commit (cheap estimate allowed to lag by running transactions), pages of 8 kB, bytes. */
  estimate(): { rows: number; bytes: number; deltaRows: number };
  /** Size of one of its indexes in bytes, roughly; 0 when it has no such index. */
  indexBytes(indexOid: number): number;
  statistics(column: number): ColumnStatistics;
  groupStatistics(): readonly GroupStatistics[];
}

/** Kept current by sealing and ANALYZE. */
export interface ColumnStatistics {
  nullFraction: number;
  distinctCount: number;
  averageWidth: number;
  minimum: Datum;
  maximum: Datum;
  mostCommon: readonly { value: Datum; fraction: number }[];
  histogram: readonly Datum[];
  correlation: number;
}

/** Columns whose connections ANALYZE should look at (CREATE STATISTICS). Columns counted from 0, ascending, 2 to 8 of them. */
export interface ColumnGroup {
  /** Of the statistics object. */
  readonly oid: Oid;
  readonly columns: readonly number[];
  readonly wantsDistinct: boolean;
  readonly wantsDependencies: boolean;
  readonly wantsMostCommon: boolean;
}

/** What ANALYZE learned of a group of columns. Lists nobody asked for are empty. */
export interface GroupStatistics {
  readonly oid: Oid;
  readonly columns: readonly number[];
  /** Distinct combinations of each subset of two or more columns. */
  readonly distinct: readonly { readonly columns: readonly number[]; readonly count: number }[];
  /** Share of rows in which the values of `from` decide that of `to`. */
  readonly dependencies: readonly {
    readonly from: readonly number[];
    readonly to: number;
    readonly degree: number;
  }[];
  /** Combinations of all columns; `baseFraction`: what independent columns would give. */
  readonly mostCommon: readonly {
    readonly values: readonly Datum[];
    readonly fraction: number;
    readonly baseFraction: number;
  }[];
}

/** What the last ANALYZE of a table learned. */
export interface AnalyzedTable {
  readonly relationOid: Oid;
  /** Live rows then. */
  readonly rows: number;
  /** By column number, counted from 0. */
  readonly columns: ReadonlyMap<number, ColumnStatistics>;
  readonly groups: readonly GroupStatistics[];
}

/** All tables of one database. DDL calls these inside a transaction; they are undone on rollback. */
export interface TableStore {
  table(tableOid: Oid): Table;
  /** Results of ANALYZE, table by table; guesses are not among them. */
  analyzed(): Iterable<AnalyzedTable>;
  createTable(transaction: Transaction, schema: TableSchema): Table;
  /** Effective at commit; storage is freed when nobody can see it. */
  dropTable(transaction: Transaction, tableOid: Oid): void;
  /** Columns added, dropped (as holes), renamed, retyped without rewrite. */
  alterTable(transaction: Transaction, schema: TableSchema): void;
  truncate(transaction: Transaction, tableOid: Oid): void;
  /** Builds the index over existing rows in slices; rejects with 23505 details on duplicates. */
  createIndex(
    transaction: Transaction,
    tableOid: Oid,
    index: IndexSchema,
  ): Promise<{ conflict: null } | { conflict: readonly Datum[] }>;
  dropIndex(transaction: Transaction, indexOid: Oid): void;
  /**
   * After a start: gives an expression or partial index its functions (they cannot be stored) and fills it. Call it for every such index
   * before its table is written. For other indexes it only refreshes the schema.
   */
  attachIndex(index: IndexSchema): Promise<void>;
  /** Sequence values: not transactional, logged ahead in steps of 32 like PostgreSQL. */
  createSequence(transaction: Transaction, sequenceOid: Oid, state: SequenceState): void;
  sequence(sequenceOid: Oid): SequenceHandle;
  alterSequence(transaction: Transaction, sequenceOid: Oid, state: SequenceState): void;
  dropSequence(transaction: Transaction, sequenceOid: Oid): void;
  vacuum(tableOid: Oid): Promise<void>;
  /**
   * With a transaction, its own rows count too. `groups`: the column groups it looks at, from now on in the background, too;
   * absent = those of the last time.
   */
  analyze(tableOid: Oid, transaction?: Transaction, groups?: readonly ColumnGroup[]): Promise<void>;
  /** Seals the delta of the table into segments (also what a bulk load ends with). */
  seal(tableOid: Oid): Promise<void>;
  checkpoint(): Promise<void>;
}

export interface SequenceState {
  start: bigint;
  increment: bigint;
  minimum: bigint;
  maximum: bigint;
  cache: bigint;
  cycle: boolean;
  lastValue: bigint;
  isCalled: boolean;
}

export interface SequenceHandle {
  readonly state: SequenceState;
  /** Throws 2200H (sequence_generator_limit_exceeded) at the end. Count > 1 reserves a run (CACHE). */
  nextValue(): bigint;
  setValue(value: bigint, isCalled: boolean): void;
}

/** Kept by the executor per statement for locks on rows that others hold. */
export type { LockWaitOptions };
