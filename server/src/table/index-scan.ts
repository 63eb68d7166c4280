/**
 * Row cursor over a range of an index: entries in key order, each rechecked for visibility and key.
 *
 * A row has at most one visible version and that version has one key, so a row comes at most once although stale
 * entries may name it under other keys.
 */
import type { RowId } from '../base/brands.ts';
import { ByteCursor } from '../index/byte-tree.ts';
import { type IndexCursor, KeyBuffer, KeyRange } from '../index/contract.ts';
import { NumericCursor } from '../index/numeric-tree.ts';
import { implementationOf, type TransactionImplementation } from '../txn/transaction.ts';
import type { Datum } from '../types/datum.ts';
import type { TableActivity } from './activity.ts';
import type { IndexScanOptions, RowCursor } from './contract.ts';
import { FOUND_NONE, type RowStore } from './row-store.ts';
import { readColumns } from './scan.ts';
import type { TableIndex } from './table-index.ts';

/** Entries skipped between two calls of `tick`. */
const TICK_ENTRIES = 256;

/** See the module comment. */
export class IndexScanCursor implements RowCursor {
  rowId: RowId = 0 as RowId;
  private readonly rows: RowStore;
  private readonly index: TableIndex;
  private readonly columns: readonly number[];
  private readonly slots: readonly number[];
  private readonly transaction: TransactionImplementation;
  private readonly sequenceLow: number;
  private readonly commandId: number;
  private readonly cursor: IndexCursor;
  private readonly key = new KeyBuffer();
  /** An entry was taken from the cursor and its row not yet delivered (a wait came between). */
  private isPending = false;
  private isEnded = false;
  private examined = 0;
  private readonly tick: (() => void) | undefined;
  private readonly activity: TableActivity;

  constructor(rows: RowStore, index: TableIndex, options: IndexScanOptions, activity: TableActivity) {
    this.rows = rows;
    this.activity = activity;
    index.activity.scans++;
    this.index = index;
    this.columns = options.columns;
    this.slots = options.slots;
    this.tick = options.tick;
    this.transaction = implementationOf(options.snapshot.transaction);
    this.sequenceLow = options.snapshot.sequence | 0;
    this.commandId = options.snapshot.commandId;
    const range = new KeyRange();
    const { codec } = index;
    if (!codec.range(options.equal, options.equalIsNull, options.lower, options.upper, range))
      this.isEnded = true;
    this.cursor = index.tree.cursor();
    this.cursor.reset(range, options.backward);
  }

  next(frame: Datum[]): boolean {
    if (this.isEnded) return false;
    const { rows, cursor } = this;
    for (;;) {
      if (!this.isPending) {
        if (!cursor.next()) {
          this.isEnded = true;
          return false;
        }
        this.isPending = true;
      }
      const { rowId } = cursor;
      if (
        rows.resolve(rowId, this.sequenceLow, this.transaction, this.commandId) !== FOUND_NONE &&
        this.hasEntryKey()
      ) {
        readColumns(rows, rowId, this.columns, this.slots, frame);
        this.rowId = rowId;
        this.isPending = false;
        this.activity.indexRows++;
        this.index.activity.rows++;
        return true;
      }
      this.isPending = false;
      if (++this.examined >= TICK_ENTRIES) {
        this.examined = 0;
        this.tick?.();
      }
    }
  }

  /** True if the version found has the key of the entry that led to it. */
  private hasEntryKey(): boolean {
    const { cursor, key } = this;
    if (cursor instanceof NumericCursor) key.number = cursor.key;
    else if (cursor instanceof ByteCursor) cursor.copyKey(key);
    if (cursor instanceof NumericCursor && !this.index.codec.isNumeric) {
      // The index went over to byte keys while this scan stands on the old tree: compare in that form.
      return this.index.matchesNumber(this.rows, cursor.key);
    }
    return this.index.matchesFound(this.rows, key);
  }

  close(): void {
    this.isEnded = true;
  }
}
