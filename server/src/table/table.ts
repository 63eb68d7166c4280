/**
 * A table: its rows, its indexes, its row locks, joined into the operations of `contract.ts`.
 *
 * Every write is one synchronous turn: outcome check, unique check, new version, index entries, undo entry, log bytes.
 * A probe that would have to read from disk throws WaitSignal before anything was changed; the statement repeats the
 * whole call.
 */
import type { RowId, Xid } from '../base/brands.ts';
import { FROZEN_XID } from '../base/brands.ts';
import { internalError } from '../base/error.ts';
import { isSuspension, type WaitSignal } from '../base/suspend.ts';
import type { CommitTable } from '../txn/commit-table.ts';
import type { RowLockMode, Snapshot, Transaction } from '../txn/contract.ts';
import type { VersionTarget } from '../txn/ports.ts';
import { implementationOf, type TransactionImplementation } from '../txn/transaction.ts';
import type { Datum } from '../types/datum.ts';
import type { ColumnVector } from '../types/vector.ts';
import { TableActivity } from './activity.ts';
import { ScanBatchCursor } from './batch-scan.ts';
import type {
  BatchCursor,
  ColumnStatistics,
  GroupStatistics,
  IndexScanOptions,
  IndexSchema,
  ParallelScan,
  RowCursor,
  RowOutcome,
  ScanOptions,
  Table,
  TableSchema,
  UniqueConflict,
} from './contract.ts';
import { IndexScanCursor } from './index-scan.ts';
import type { LogReader } from './log-reader.ts';
import { logRow, logRowHeader, OPERATION_DELETE, OPERATION_INSERT, OPERATION_UPDATE } from './operations.ts';
import { parallelScan } from './parallel-scan.ts';
import {
  type BaseRegion,
  LINK_BASE,
  LINK_NONE,
  REGION_ROWS,
  VERSION_KEYS_CHANGED,
  VERSION_TOMBSTONE,
  VERSION_UNIQUE_CHANGED,
} from './region.ts';
import { RowLocks } from './row-locks.ts';
import { FOUND_NONE, FOUND_SLOT, type RowStore } from './row-store.ts';
import { readColumns, ScanCursor } from './scan.ts';
import type { TableIndex } from './table-index.ts';

const UNDO_INSERT = 1;
const UNDO_UPDATE = 2;
const UNDO_DELETE = 3;
const UNDO_TOMBSTONE = 4;
const UNDO_LOCK = 5;
const UNDO_REGION = 6;

/** What a table needs from its store. */
export interface TableHost {
  readonly commits: CommitTable;
  horizon(): number;
  newRowStore(schema: TableSchema): RowStore;
  insertBatch(
    table: TableImplementation,
    transaction: TransactionImplementation,
    columns: readonly ColumnVector[],
    rowCount: number,
  ): Promise<void>;
  statistics(table: TableImplementation, column: number): ColumnStatistics;
  groupStatistics(table: TableImplementation): readonly GroupStatistics[];
  /** A change was made: dirty marks, delta budget. */
  changed(table: TableImplementation, rowId: RowId): void;
  /** The load of a region was rolled back. */
  dropRegion(table: TableImplementation, region: BaseRegion): void;
  /** Runs `action` again when a block it waited for has come. */
  retryLater(signal: WaitSignal, action: () => void): void;
}

/**
 * What undo lists name: the table together with the rows it had then. TRUNCATE gives a table new rows; a rollback gives
 * the old ones back first and then takes changes back, so entries of the wrong incarnation are void.
 */
class Incarnation implements VersionTarget {
  private readonly table: TableImplementation;
  private readonly rows: RowStore;
  constructor(table: TableImplementation, rows: RowStore) {
    this.table = table;
    this.rows = rows;
  }
  undo(kind: number, first: number, second: number, xid: Xid): void {
    if (this.table.rows === this.rows) this.table.undo(kind, first, second, xid);
  }
  prune(kind: number, first: number, second: number): void {
    if (this.table.rows === this.rows) this.table.prune(kind, first, second);
  }
}

/** See the module comment. */
export class TableImplementation implements Table {
  readonly storageId: number;
  readonly isLogged: boolean;
  rows: RowStore;
  tableIndexes: TableIndex[] = [];
  readonly locks = new RowLocks();
  /** Rows inserted, updated and deleted since the start, for statistics. */
  modifications = 0;
  readonly activity = new TableActivity();
  private readonly host: TableHost;
  private target: Incarnation;

  constructor(host: TableHost, schema: TableSchema) {
    this.host = host;
    this.storageId = schema.tableOid;
    this.isLogged = schema.persistence === 'permanent';
    this.rows = host.newRowStore(schema);
    this.target = new Incarnation(this, this.rows);
  }

  /** Gives the table other rows (TRUNCATE and its rollback). */
  replaceRows(rows: RowStore): void {
    this.rows = rows;
    this.target = new Incarnation(this, rows);
  }

  get schema(): TableSchema {
    return this.rows.schema;
  }

  get indexes(): readonly IndexSchema[] {
    return this.tableIndexes.map((index) => index.schema);
  }

  // ------------------------------------------------------------------------------------------------ reads

  scan(options: ScanOptions): RowCursor {
    this.activity.sequentialScans++;
    return new ScanCursor(this.rows, options, this.activity);
  }

  scanBatches(options: Omit<ScanOptions, 'slots'>): BatchCursor {
    this.noteWholeScan();
    return new ScanBatchCursor(this.rows, options);
  }

  parallelScan(options: ScanOptions): ParallelScan {
    this.noteWholeScan();
    return parallelScan(this.rows, options);
  }

  /** Scans by batches do not count row by row. */
  private noteWholeScan(): void {
    this.activity.sequentialScans++;
    this.activity.sequentialRows += this.rows.liveRows;
  }

  indexScan(options: IndexScanOptions): RowCursor {
    return new IndexScanCursor(this.rows, this.index(options.indexOid), options, this.activity);
  }

  index(indexOid: number): TableIndex {
    for (const index of this.tableIndexes) if (index.schema.indexOid === indexOid) return index;
    throw internalError(`table ${this.schema.name} has no index ${indexOid}`);
  }

  fetch(
    rowId: RowId,
    snapshot: Snapshot,
    columns: readonly number[],
    slots: readonly number[],
    frame: Datum[],
  ): boolean {
    const { rows } = this;
    const transaction = implementationOf(snapshot.transaction);
    if (rows.resolve(rowId, snapshot.sequence | 0, transaction, snapshot.commandId) === FOUND_NONE)
      return false;
    readColumns(rows, rowId, columns, slots, frame);
    return true;
  }

  // ------------------------------------------------------------------------------------------------ insert

  insert(transaction: Transaction, row: readonly Datum[]): { rowId: RowId } | { conflict: UniqueConflict } {
    const writer = implementationOf(transaction);
    const indexes = this.tableIndexes;
    for (let at = 0; at < indexes.length; at++) {
      const index = indexes[at];
      const conflict = this.checkNewKey(index, writer, row, null);
      if (conflict !== null) return { conflict };
    }
    const xid = writer.writeXid();
    const rowId = this.rows.insert(row, xid, writer.commandId);
    if (this.isLogged) {
      const buffer = writer.logBuffer();
      logRowHeader(buffer, OPERATION_INSERT, this.storageId, rowId);
      logRow(buffer, this.rows.codecs, this.rows.slots, this.rows.chunk, this.rows.index);
    }
    for (let at = 0; at < indexes.length; at++) {
      const index = indexes[at];
      if (index.schema.predicate !== null && !index.covers(row)) continue;
      index.insert(index.key, rowId);
    }
    writer.recordUndo(this.target, UNDO_INSERT, rowId, 0, xid, false);
    if (this.isLogged) writer.logged();
    this.activity.inserted++;
    this.host.changed(this, rowId);
    return { rowId };
  }

  findConflict(
    transaction: Transaction,
    row: readonly Datum[],
    indexOid: number | null,
  ): UniqueConflict | null {
    for (const index of this.tableIndexes) {
      if (indexOid !== null && index.schema.indexOid !== indexOid) continue;
      const conflict = this.checkNewKey(index, implementationOf(transaction), row, null);
      if (conflict !== null) return conflict;
    }
    return null;
  }

  keyHolders(transaction: Transaction, row: readonly Datum[], indexOid: number): { live: number; xid: Xid } {
    const index = this.index(indexOid);
    const writer = implementationOf(transaction);
    const seen = new Set<RowId>();
    let live = 0;
    let xid = 0;
    if (index.schema.predicate !== null && !index.covers(row)) return { live, xid: xid as Xid };
    index.encodeRow(row, index.key);
    const cursor = index.probe(index.key);
    while (cursor.next()) {
      if (seen.has(cursor.rowId)) continue;
      seen.add(cursor.rowId);
      const holder = this.keyHolder(index, cursor.rowId, writer);
      if (holder === 0) live++;
      else if (holder > 0) xid = holder;
    }
    return { live, xid: xid as Xid };
  }

  /** Leaves the row's key in `index.key`; finds a row that forbids it. `self` is the row being updated. */
  private checkNewKey(
    index: TableIndex,
    writer: TransactionImplementation,
    row: readonly Datum[],
    self: RowId | null,
  ): UniqueConflict | null {
    if (index.schema.predicate !== null && !index.covers(row)) return null;
    const hasNull = index.encodeRow(row, index.key);
    return this.conflictOfKey(index, writer, hasNull, self);
  }

  /** A row other than `self` that forbids the key in `index.key`. */
  conflictOfKey(
    index: TableIndex,
    writer: TransactionImplementation,
    hasNull: boolean,
    self: RowId | null,
  ): UniqueConflict | null {
    if (!index.schema.unique || (hasNull && !index.schema.nullsNotDistinct)) return null;
    const cursor = index.probe(index.key);
    while (cursor.next()) {
      if (cursor.rowId === self) continue;
      const holder = this.keyHolder(index, cursor.rowId, writer);
      if (holder >= 0) return { indexOid: index.schema.indexOid, rowId: cursor.rowId, xid: holder as Xid };
    }
    return null;
  }

  /**
   * Does the row hold the key in `index.key`, as far as a writer must care? -1 no; 0 yes, decided (or own); else the xid
   * of the transaction whose end decides.
   */
  private keyHolder(index: TableIndex, rowId: RowId, writer: TransactionImplementation): number {
    const { rows } = this;
    const { commits } = this.host;
    let link = rows.link(rowId);
    let undecided = 0;
    while (link !== LINK_NONE) {
      rows.locate(rowId, link);
      if (rows.found !== FOUND_SLOT) {
        const owner = rows.base.owner | 0;
        if (rows.base.isDropped || (owner !== 0 && commits.isAborted(owner))) return -1;
        if (!index.matchesFound(rows, index.key)) return -1;
        if (owner !== 0 && commits.isInProgress(owner) && !writer.ownsLow(owner))
          return commits.fullXid(owner);
        return undecided;
      }
      const { chunk, index: at } = rows;
      const xmin = chunk.xmin[at];
      const previous = chunk.previous[at];
      const isOwn = writer.ownsLow(xmin);
      if (commits.isAborted(xmin)) {
        link = previous;
        continue;
      }
      const isForeign = !isOwn && commits.isInProgress(xmin);
      if ((chunk.flags[at] & VERSION_TOMBSTONE) === 0) {
        const xmax = chunk.xmax[at];
        if (xmax !== 0 && !commits.isAborted(xmax)) {
          if (writer.ownsLow(xmax) || commits.isCommitted(xmax)) return -1;
          if (index.matchesFound(rows, index.key)) return commits.fullXid(xmax);
        } else if (index.matchesFound(rows, index.key)) {
          return isForeign ? commits.fullXid(xmin) : undecided;
        }
      }
      if (!isForeign) return -1;
      // If the foreign change is rolled back, the version behind it counts again.
      undecided = commits.fullXid(xmin);
      link = previous;
    }
    return -1;
  }

  // ------------------------------------------------------------------------------------------------ update, delete, lock

  /** Decides whether the newest version may be changed now; null = yes, the current location is it. */
  private checkWritable(
    writer: TransactionImplementation,
    snapshot: Snapshot,
    rowId: RowId,
    mode: RowLockMode,
  ): RowOutcome | null {
    const { rows } = this;
    const { commits } = this.host;
    const sequenceLow = snapshot.sequence | 0;
    for (;;) {
      const link = rows.link(rowId);
      if (link === LINK_NONE) return { kind: 'deleted' };
      if (link === LINK_BASE) {
        rows.locate(rowId, link);
        const { base } = rows;
        if (base.isDropped) return { kind: 'deleted' };
        if (base.owner !== 0 && writer.ownsLow(base.owner | 0) && base.ownerCommand >= snapshot.commandId) {
          return { kind: 'self' };
        }
        break;
      }
      rows.locate(rowId, link);
      const { chunk, index } = rows;
      const xmin = chunk.xmin[index];
      const isTombstone = (chunk.flags[index] & VERSION_TOMBSTONE) !== 0;
      if (xmin !== FROZEN_XID && !commits.isCommittedAt(xmin, sequenceLow)) {
        if (commits.isAborted(xmin)) {
          this.cleanAborted(rowId);
          continue;
        }
        if (writer.ownsLow(xmin)) {
          if (chunk.cmin[index] >= snapshot.commandId) return { kind: 'self' };
        } else if (commits.isInProgress(xmin)) {
          const isHarmless =
            mode === 'KeyShare' &&
            !isTombstone &&
            (chunk.flags[index] & VERSION_UNIQUE_CHANGED) === 0 &&
            chunk.previous[index] !== LINK_NONE;
          if (isHarmless) break;
          return { kind: 'wait', xid: commits.fullXid(xmin) };
        } else if (!isTombstone && (chunk.xmax[index] === 0 || commits.isAborted(chunk.xmax[index]))) {
          return { kind: 'updated', rowId };
        }
      }
      if (isTombstone) return { kind: 'deleted' };
      const xmax = chunk.xmax[index];
      if (xmax !== 0) {
        if (commits.isAborted(xmax)) {
          chunk.xmax[index] = 0;
          continue;
        }
        if (writer.ownsLow(xmax))
          return chunk.cmax[index] >= snapshot.commandId ? { kind: 'self' } : { kind: 'deleted' };
        if (commits.isInProgress(xmax)) return { kind: 'wait', xid: commits.fullXid(xmax) };
        return { kind: 'deleted' };
      }
      break;
    }
    if (!this.locks.isEmpty) {
      const xid = this.locks.conflict(rowId, writer, mode);
      if (xid !== 0) return { kind: 'wait', xid };
    }
    return null;
  }

  update(
    transaction: Transaction,
    snapshot: Snapshot,
    rowId: RowId,
    row: readonly Datum[],
    changed: readonly number[],
  ): RowOutcome | { kind: 'conflict'; conflict: UniqueConflict } {
    const writer = implementationOf(transaction);
    const { rows } = this;
    const indexes = this.tableIndexes;
    let flags = 0;
    let touched: TableIndex[] | null = null;
    for (let at = 0; at < indexes.length; at++) {
      const index = indexes[at];
      if (index.relevant !== null && !touches(index.relevant, changed)) continue;
      (touched ??= []).push(index);
    }
    let outcome = this.checkWritable(writer, snapshot, rowId, 'NoKeyUpdate');
    if (outcome !== null) return outcome;
    if (touched !== null) {
      // Keep those whose key really differs from the newest version's.
      const changedIndexes: TableIndex[] = [];
      const link = rows.link(rowId);
      for (const index of touched) {
        rows.locate(rowId, link);
        const wasCovered = index.encodeFound(rows, index.other) !== null;
        const isCovered = index.schema.predicate === null || index.covers(row);
        if (isCovered) index.encodeRow(row, index.key);
        const isSame =
          wasCovered === isCovered &&
          (!isCovered ||
            (index.codec.isNumeric
              ? index.key.number === index.other.number
              : index.key.equals(index.other)));
        if (isSame) continue;
        flags |= VERSION_KEYS_CHANGED;
        if (index.schema.unique) flags |= VERSION_UNIQUE_CHANGED;
        changedIndexes.push(index);
      }
      if ((flags & VERSION_UNIQUE_CHANGED) !== 0 && !this.locks.isEmpty) {
        outcome = this.checkWritable(writer, snapshot, rowId, 'Update');
        if (outcome !== null) return outcome;
      }
      for (const index of changedIndexes) {
        const conflict = this.checkNewKey(index, writer, row, rowId);
        if (conflict !== null) return { kind: 'conflict', conflict };
      }
      touched = changedIndexes;
    }
    const xid = writer.writeXid();
    const slot = rows.addVersion(rowId, row, xid, writer.commandId, flags);
    if (this.isLogged) {
      const buffer = writer.logBuffer();
      logRowHeader(buffer, OPERATION_UPDATE, this.storageId, rowId);
      logRow(buffer, rows.codecs, rows.slots, rows.chunk, rows.index);
    }
    if (touched !== null) {
      for (const index of touched) {
        if (index.schema.predicate !== null && !index.covers(row)) continue;
        index.insert(index.key, rowId);
      }
    }
    writer.recordUndo(this.target, UNDO_UPDATE, rowId, slot, xid, true);
    if (this.isLogged) writer.logged();
    this.activity.updated++;
    this.host.changed(this, rowId);
    return { kind: 'ok', rowId };
  }

  delete(transaction: Transaction, snapshot: Snapshot, rowId: RowId): RowOutcome {
    const writer = implementationOf(transaction);
    const outcome = this.checkWritable(writer, snapshot, rowId, 'Update');
    if (outcome !== null) return outcome;
    const { rows } = this;
    const xid = writer.writeXid();
    if (rows.found === FOUND_SLOT) {
      rows.markDeleted(rowId, xid, writer.commandId);
      writer.recordUndo(this.target, UNDO_DELETE, rowId, rows.link(rowId) - 1, xid, true);
    } else {
      const slot = rows.addVersion(rowId, null, xid, writer.commandId, VERSION_TOMBSTONE);
      writer.recordUndo(this.target, UNDO_TOMBSTONE, rowId, slot, xid, true);
    }
    rows.liveRows--;
    this.activity.deleted++;
    if (this.isLogged) {
      logRowHeader(writer.logBuffer(), OPERATION_DELETE, this.storageId, rowId);
      writer.logged();
    }
    this.host.changed(this, rowId);
    return { kind: 'ok', rowId };
  }

  lock(transaction: Transaction, snapshot: Snapshot, rowId: RowId, mode: RowLockMode): RowOutcome {
    const writer = implementationOf(transaction);
    const outcome = this.checkWritable(writer, snapshot, rowId, mode);
    if (outcome !== null) return outcome;
    const xid = writer.writeXid();
    if (this.locks.add(rowId, writer, xid, mode))
      writer.recordUndo(this.target, UNDO_LOCK, rowId, 0, xid, false);
    return { kind: 'ok', rowId };
  }

  insertBatch(transaction: Transaction, columns: readonly ColumnVector[], rowCount: number): Promise<void> {
    this.activity.inserted += rowCount;
    return this.host.insertBatch(this, implementationOf(transaction), columns, rowCount);
  }

  // ------------------------------------------------------------------------------------------------ undo

  undo(kind: number, first: number, second: number, xid: Xid): void {
    const rowId = first as RowId;
    const { rows } = this;
    if (kind === UNDO_REGION) {
      const region = rows.regions[first];
      if (region?.kind === 'base' && !region.isDropped) this.host.dropRegion(this, region);
      return;
    }
    if (kind === UNDO_LOCK) {
      this.locks.removeLast(rowId, xid);
      return;
    }
    const link = rows.link(rowId);
    if (link <= 0) return;
    rows.locate(rowId, link);
    const low = xid | 0;
    if (kind === UNDO_DELETE) {
      // The version may have moved (sealing); its deleter names it just as well.
      if (rows.chunk.xmax[rows.index] !== low) return;
      rows.chunk.xmax[rows.index] = 0;
      rows.liveRows++;
    } else {
      // Someone may have cleaned up before us: then the newest version is another's.
      if (rows.chunk.xmin[rows.index] !== low) return;
      if (kind !== UNDO_INSERT && link - 1 !== second) return;
      this.dropNewest(rowId);
    }
    this.host.changed(this, rowId);
  }

  /** Takes off a newest version whose transaction is aborted, with its index entries. */
  private dropNewest(rowId: RowId): void {
    const { rows } = this;
    const link = rows.link(rowId);
    rows.locate(rowId, link);
    const flags = rows.chunk.flags[rows.index];
    const previous = rows.chunk.previous[rows.index];
    if (previous === LINK_NONE) {
      // Predecessors of an undecided version are never pruned, so this version created the row.
      for (const index of this.tableIndexes) {
        rows.locate(rowId, link);
        if (index.isAttached && index.encodeFound(rows, index.key) !== null) index.remove(index.key, rowId);
      }
      rows.releaseSlot(link - 1, true);
      rows.removeRow(rowId);
      rows.liveRows--;
      return;
    }
    if ((flags & VERSION_KEYS_CHANGED) !== 0) this.removeEntriesOf(rowId, link, previous);
    rows.popVersion(rowId);
    if ((flags & VERSION_TOMBSTONE) !== 0) rows.liveRows++;
  }

  /** Removes the index entries of one version unless a version from `remaining` on has the same key. */
  private removeEntriesOf(rowId: RowId, link: number, remaining: number): void {
    const { rows } = this;
    for (const index of this.tableIndexes) {
      if (!index.isAttached) continue;
      rows.locate(rowId, link);
      if (index.encodeFound(rows, index.key) === null) continue;
      let isUsed = false;
      for (let at = remaining; at !== LINK_NONE && !isUsed; ) {
        rows.locate(rowId, at);
        if (rows.found !== FOUND_SLOT || (rows.chunk.flags[rows.index] & VERSION_TOMBSTONE) === 0) {
          isUsed = index.matchesFound(rows, index.key);
          rows.locate(rowId, at);
        }
        at = rows.found === FOUND_SLOT ? rows.chunk.previous[rows.index] : LINK_NONE;
      }
      if (!isUsed) index.remove(index.key, rowId);
    }
  }

  /** A writer met a version of an aborted transaction whose undo has not come so far. */
  private cleanAborted(rowId: RowId): void {
    const { rows } = this;
    const { commits } = this.host;
    for (;;) {
      const link = rows.link(rowId);
      if (link <= 0) return;
      rows.locate(rowId, link);
      if (!commits.isAborted(rows.chunk.xmin[rows.index])) return;
      this.dropNewest(rowId);
    }
  }

  // ------------------------------------------------------------------------------------------------ redo

  /** Start-up: a committed insert or update from the log. */
  redoPut(rowId: RowId, reader: LogReader): void {
    const { rows } = this;
    const link = rows.link(rowId);
    const old = new Map<TableIndex, { number: number; bytes: Uint8Array }>();
    if (link > 0) {
      for (const index of this.tableIndexes) {
        rows.locate(rowId, link);
        if (!index.isAttached || index.encodeFound(rows, index.key) === null) continue;
        old.set(index, { number: index.key.number, bytes: index.key.bytes.slice(0, index.key.length) });
      }
    }
    rows.restoreRow(rowId, reader);
    const current = rows.link(rowId);
    for (const index of this.tableIndexes) {
      rows.locate(rowId, current);
      if (!index.isAttached) continue;
      const isCovered = index.encodeFound(rows, index.key) !== null;
      const before = old.get(index);
      if (isCovered) index.insert(index.key, rowId);
      if (before === undefined) continue;
      const { other } = index;
      other.length = 0;
      other.ensure(before.bytes.length);
      other.bytes.set(before.bytes);
      other.length = before.bytes.length;
      other.number = before.number;
      if (!isCovered || !index.key.equals(other)) index.remove(other, rowId);
    }
    this.host.changed(this, rowId);
  }

  /** Start-up: a committed delete from the log. Entries of base rows stay behind as hints. */
  redoDelete(rowId: RowId): void {
    const { rows } = this;
    const link = rows.link(rowId);
    if (link > 0) {
      for (const index of this.tableIndexes) {
        rows.locate(rowId, link);
        if (index.isAttached && index.encodeFound(rows, index.key) !== null) index.remove(index.key, rowId);
      }
    }
    rows.restoreDead(rowId);
    this.host.changed(this, rowId);
  }

  // ------------------------------------------------------------------------------------------------ prune

  /** Remembers a bulk region of the transaction. */
  recordRegion(transaction: TransactionImplementation, region: BaseRegion): void {
    transaction.recordUndo(this.target, UNDO_REGION, region.segment, 0, region.owner, true);
  }

  prune(kind: number, first: number, second: number): void {
    const rowId = first as RowId;
    if (kind === UNDO_REGION) {
      // Visible to everybody: from now on no owner is looked up.
      const region = this.rows.regions[first];
      if (region?.kind === 'base') region.owner = 0 as Xid;
      return;
    }
    try {
      this.pruneRow(rowId);
    } catch (error) {
      if (!isSuspension(error) || !('promise' in error)) throw error;
      this.host.retryLater(error, () => this.prune(kind, first, second));
    }
  }

  /**
   * Drops what no snapshot sees of this row: versions behind the first one that everybody sees, and the row itself when
   * that one is deleted for everybody. Reads every key it needs before it changes anything.
   */
  private pruneRow(rowId: RowId): void {
    const { rows } = this;
    const { commits } = this.host;
    const horizonLow = this.host.horizon() | 0;
    const head = rows.link(rowId);
    let link = head;
    while (link > 0) {
      rows.locate(rowId, link);
      if (commits.isCommittedAt(rows.chunk.xmin[rows.index], horizonLow)) break;
      link = rows.chunk.previous[rows.index];
    }
    if (link <= 0) return;
    const anchor = link;
    rows.locate(rowId, anchor);
    const { chunk, index } = rows;
    chunk.xmin[index] = FROZEN_XID;
    const xmax = chunk.xmax[index];
    const isTombstone = (chunk.flags[index] & VERSION_TOMBSTONE) !== 0;
    const isDead =
      anchor === head && (isTombstone || (xmax !== 0 && commits.isCommittedAt(xmax, horizonLow)));
    let keysChanged = (chunk.flags[index] & VERSION_KEYS_CHANGED) !== 0;
    const garbage: number[] = [];
    for (let at = chunk.previous[index]; at !== LINK_NONE; ) {
      garbage.push(at);
      if (at === LINK_BASE) break;
      rows.locate(rowId, at);
      if ((rows.chunk.flags[rows.index] & VERSION_KEYS_CHANGED) !== 0) keysChanged = true;
      at = rows.chunk.previous[rows.index];
    }
    if (isDead) {
      if (!isTombstone) garbage.unshift(anchor);
      this.removeKeys(rowId, garbage, LINK_NONE);
      for (const at of garbage) if (at > 0) rows.releaseSlot(at - 1, true);
      if (isTombstone) rows.releaseSlot(anchor - 1, true);
      rows.removeRow(rowId);
      return;
    }
    if (garbage.length === 0) return;
    if (keysChanged) this.removeKeys(rowId, garbage, head);
    rows.locate(rowId, anchor);
    rows.chunk.previous[rows.index] = LINK_NONE;
    for (const at of garbage) if (at > 0) rows.releaseSlot(at - 1, true);
  }

  /** Removes index entries of the versions in `garbage` whose keys no version from `remaining` up to the garbage has. */
  private removeKeys(rowId: RowId, garbage: readonly number[], remaining: number): void {
    const { rows } = this;
    const stop = garbage[0];
    const removals: { index: TableIndex; number: number; bytes: Uint8Array }[] = [];
    for (const index of this.tableIndexes) {
      if (!index.isAttached) continue;
      for (const at of garbage) {
        rows.locate(rowId, at);
        if (index.encodeFound(rows, index.key) === null) continue;
        let isUsed = false;
        for (let other = remaining; other !== LINK_NONE && other !== stop && !isUsed; ) {
          rows.locate(rowId, other);
          if ((rows.chunk.flags[rows.index] & VERSION_TOMBSTONE) === 0)
            isUsed = index.matchesFound(rows, index.key);
          rows.locate(rowId, other);
          other = rows.chunk.previous[rows.index];
        }
        if (!isUsed) {
          removals.push({
            index,
            number: index.key.number,
            bytes: index.key.bytes.slice(0, index.key.length),
          });
        }
      }
    }
    for (const removal of removals) {
      const { key } = removal.index;
      key.number = removal.number;
      key.length = 0;
      key.ensure(removal.bytes.length);
      key.bytes.set(removal.bytes);
      key.length = removal.bytes.length;
      removal.index.remove(key, rowId);
    }
  }

  // ------------------------------------------------------------------------------------------------ figures

  estimate(): { rows: number; bytes: number; deltaRows: number } {
    let bytes = 0;
    let deltaRows = 0;
    for (const region of this.rows.slotRegions) {
      if (region === undefined) continue;
      bytes += region.heap.bytes;
      for (const chunk of region.chunks) for (const block of chunk.blocks) bytes += block.bytes;
      deltaRows += region.rows;
    }
    for (const region of this.rows.regions) {
      if (region !== undefined && region.kind === 'base') bytes += region.storedBytes;
    }
    return { rows: Math.max(0, this.rows.liveRows), bytes, deltaRows };
  }

  indexBytes(indexOid: number): number {
    for (const index of this.tableIndexes) if (index.schema.indexOid === indexOid) return index.tree.bytes;
    return 0;
  }

  groupStatistics(): readonly GroupStatistics[] {
    return this.host.groupStatistics(this);
  }

  statistics(column: number): ColumnStatistics {
    return this.host.statistics(this, column);
  }

  /** Segment and offset of a row id, for those who address regions. */
  static regionOf(rowId: RowId): number {
    return Math.floor(rowId / REGION_ROWS);
  }
}

function touches(relevant: readonly number[], changed: readonly number[]): boolean {
  for (let at = 0; at < relevant.length; at++) if (changed.includes(relevant[at])) return true;
  return false;
}
