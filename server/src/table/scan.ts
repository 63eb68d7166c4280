/**
 * Row cursor over a whole table.
 *
 * Slot regions are walked row by row. Base regions are read in windows: the reader filters on the encoded form, wanted
 * columns of the survivors are decoded at once, and rows with an overlay are resolved singly.
 * Between calls the cursor holds only row numbers; a window is computed completely or not at all, so a WaitSignal in
 * between loses nothing.
 */
import { FROZEN_XID, type RowId } from '../base/brands.ts';
import type { CodeForm } from '../storage/contract.ts';
import { implementationOf, type TransactionImplementation } from '../txn/transaction.ts';
import { type Datum, Tid } from '../types/datum.ts';
import type { ColumnVector } from '../types/vector.ts';
import type { TableActivity } from './activity.ts';
import type { ColumnCodec } from './column-codec.ts';
import { type RowCursor, type ScanOptions, SYSTEM_COLUMN } from './contract.ts';
import { isPresent, newVector } from './memory-segment.ts';
import { type CompiledPredicate, compilePredicates } from './predicates.ts';
import { type BasePredicate, type BaseRegion, LINK_BASE, REGION_ROWS, type SlotRegion } from './region.ts';
import { FOUND_NONE, FOUND_SLOT, type RowStore } from './row-store.ts';

/** Rows skipped between two calls of `tick`. */
const TICK_ROWS = 512;
const WINDOW_ROWS = 1024;

/** ctid of a row id and back: 256 rows a block. */
export function tidOfRow(rowId: RowId): Tid {
  return new Tid(Math.floor(rowId / 256), (rowId % 256) + 1);
}

export function rowOfTid(tid: Tid): RowId {
  return (tid.block * 256 + tid.offset - 1) as RowId;
}

/** Writes columns of the store's current location into the frame. */
export function readColumns(
  rows: RowStore,
  rowId: RowId,
  columns: readonly number[],
  slots: readonly number[],
  frame: Datum[],
): void {
  for (let at = 0; at < columns.length; at++) {
    const column = columns[at];
    frame[slots[at]] = column >= 0 ? rows.load(column) : systemColumn(rows, rowId, column);
  }
}

/** A system column of the store's current location. */
export function systemColumn(rows: RowStore, rowId: RowId, column: number): Datum {
  switch (column) {
    case SYSTEM_COLUMN.ctid:
      return tidOfRow(rowId);
    case SYSTEM_COLUMN.tableoid:
      return rows.schema.tableOid;
  }
  if (rows.found !== FOUND_SLOT) {
    if (column === SYSTEM_COLUMN.xmin) return rows.base.owner === 0 ? FROZEN_XID : rows.base.owner >>> 0;
    return column === SYSTEM_COLUMN.cmin ? rows.base.ownerCommand : 0;
  }
  const { chunk, index } = rows;
  switch (column) {
    case SYSTEM_COLUMN.xmin:
      return chunk.xmin[index] >>> 0;
    case SYSTEM_COLUMN.xmax:
      return chunk.xmax[index] >>> 0;
    case SYSTEM_COLUMN.cmin:
      return chunk.cmin[index];
    default:
      return chunk.xmax[index] === 0 ? chunk.cmin[index] : chunk.cmax[index];
  }
}

/** More distinct values than this are decoded row by row. */
const SHARED_VALUES_MAX = 4095;
/** Decoded values by code, as long as the reader that owns the form lives. */
const sharedValues = new WeakMap<CodeForm, (Datum | undefined)[]>();

/** See the module comment. */
export class ScanCursor implements RowCursor {
  rowId: RowId = 0 as RowId;
  private readonly rows: RowStore;
  private readonly columns: readonly number[];
  private readonly slots: readonly number[];
  private readonly transaction: TransactionImplementation;
  private readonly sequenceLow: number;
  private readonly commandId: number;
  private readonly predicates: readonly CompiledPredicate[];
  private readonly pushed: readonly BasePredicate[];
  private readonly unpushed: readonly CompiledPredicate[];
  private segment = 0;
  private offset = 0;
  private examined = 0;
  private readonly tick: (() => void) | undefined;
  // The current window of a base region.
  private windowCount = -1;
  private windowAt = 0;
  private windowEnd = 0;
  private readonly positions = new Uint16Array(WINDOW_ROWS);
  private readonly candidates = new Uint16Array(WINDOW_ROWS);
  private vectors: ColumnVector[] | null = null;
  /** Columns delivered as codes in this window: their values by code, decoded at first use. */
  private readonly decoded: ((Datum | undefined)[] | null)[] = [];
  private readonly codes: Uint32Array[] = [];
  private readonly forms: CodeForm[] = [];
  private overlay = 0;
  private readonly activity: TableActivity;

  constructor(rows: RowStore, options: ScanOptions, activity: TableActivity) {
    this.rows = rows;
    this.activity = activity;
    this.columns = options.columns;
    this.slots = options.slots;
    this.tick = options.tick;
    this.transaction = implementationOf(options.snapshot.transaction);
    this.sequenceLow = options.snapshot.sequence | 0;
    this.commandId = options.snapshot.commandId;
    this.predicates = options.predicates.length === 0 ? [] : compilePredicates(rows, options.predicates);
    this.pushed = this.predicates.flatMap((predicate) =>
      predicate.pushed === null ? [] : [predicate.pushed],
    );
    this.unpushed = this.predicates.filter((predicate) => predicate.pushed === null);
  }

  next(frame: Datum[]): boolean {
    const { regions } = this.rows;
    while (this.segment < regions.length) {
      const region = regions[this.segment];
      if (region !== undefined) {
        if (region.kind === 'slots') {
          if (this.nextInSlots(region, frame)) {
            this.activity.sequentialRows++;
            return true;
          }
        } else if (this.nextInBase(region, frame)) {
          this.activity.sequentialRows++;
          return true;
        }
      }
      this.segment++;
      this.offset = 0;
      this.windowCount = -1;
    }
    return false;
  }

  close(): void {
    this.segment = this.rows.regions.length;
    this.vectors = null;
  }

  /** Positions are stored before this is called: it may throw. */
  private skipped(count: number): void {
    this.examined += count;
    if (this.examined < TICK_ROWS) return;
    this.examined = 0;
    this.tick?.();
  }

  private nextInSlots(region: SlotRegion, frame: Datum[]): boolean {
    const { rows } = this;
    while (this.offset < region.used) {
      const { offset } = this;
      const chunk = region.chunk(offset);
      if (chunk === undefined) break;
      const link = chunk.head[offset - chunk.start];
      this.offset = offset + 1;
      if (link === 0) {
        this.skipped(1);
        continue;
      }
      const rowId = (region.segment * REGION_ROWS + offset) as RowId;
      if (rows.resolveLink(rowId, link, this.sequenceLow, this.transaction, this.commandId) === FOUND_NONE) {
        this.skipped(1);
        continue;
      }
      if (this.predicates.length > 0 && !this.passes(rowId)) {
        this.skipped(1);
        continue;
      }
      readColumns(rows, rowId, this.columns, this.slots, frame);
      this.rowId = rowId;
      return true;
    }
    return false;
  }

  private passes(rowId: RowId): boolean {
    const { predicates, rows } = this;
    for (let at = 0; at < predicates.length; at++) {
      const { column, test } = predicates[at];
      if (!test(column >= 0 ? rows.load(column) : systemColumn(rows, rowId, column))) return false;
    }
    return true;
  }

  private nextInBase(region: BaseRegion, frame: Datum[]): boolean {
    const { rows } = this;
    for (;;) {
      if (this.windowCount < 0) {
        if (this.offset >= region.rowCount || region.isDropped) return false;
        this.loadWindow(region);
      }
      if (this.windowAt < this.windowCount) {
        const position = this.positions[this.windowAt];
        this.emit(region, this.windowAt, position, frame);
        this.windowAt++;
        return true;
      }
      // Rows of the window with newer versions.
      const { heads } = region;
      if (heads !== null) {
        while (this.overlay < this.windowEnd) {
          const { overlay } = this;
          const head = heads[overlay];
          if (head === 0 || ~head === LINK_BASE) {
            this.overlay = overlay + 1;
            continue;
          }
          const rowId = (region.segment * REGION_ROWS + overlay) as RowId;
          const found = rows.resolve(rowId, this.sequenceLow, this.transaction, this.commandId);
          const isWanted = found !== FOUND_NONE && this.passes(rowId);
          if (isWanted) readColumns(rows, rowId, this.columns, this.slots, frame);
          this.overlay = overlay + 1;
          if (isWanted) {
            this.rowId = rowId;
            return true;
          }
        }
      }
      this.offset = this.windowEnd;
      this.windowCount = -1;
      this.skipped(TICK_ROWS);
    }
  }

  private loadWindow(region: BaseRegion): void {
    const { rows } = this;
    const start = this.offset;
    const end = Math.min(region.rowCount, start + WINDOW_ROWS);
    let count = 0;
    const isVisible = rows.isBaseVisible(region, this.sequenceLow, this.transaction, this.commandId);
    const known = this.pushed.filter((predicate) => predicate.column < region.columnCount);
    const isRefuted = known.length < this.pushed.length && !this.missingPass(region);
    if (isVisible && !isRefuted && !region.reader.canSkip(known)) {
      count = region.reader.scan(known, start, end, this.candidates);
      const { heads } = region;
      if (heads !== null && region.headCount > 0) {
        let kept = 0;
        for (let at = 0; at < count; at++) {
          const position = this.candidates[at];
          if (heads[position] === 0) this.candidates[kept++] = position;
        }
        count = kept;
      }
      count = this.filterUnpushed(region, count);
      this.gatherColumns(region, count);
    }
    this.positions.set(this.candidates.subarray(0, count));
    this.windowCount = count;
    this.windowAt = 0;
    this.windowEnd = end;
    this.overlay = start;
  }

  /** Pushed predicates over columns that the region is older than: all its rows have the missing value. */
  private missingPass(region: BaseRegion): boolean {
    return this.predicates.every(
      (predicate) =>
        predicate.column < region.columnCount || predicate.test(this.rows.missing[predicate.column]),
    );
  }

  private filterUnpushed(region: BaseRegion, count: number): number {
    if (this.unpushed.length === 0) return count;
    const { rows } = this;
    let kept = 0;
    for (let at = 0; at < count; at++) {
      const position = this.candidates[at];
      const rowId = (region.segment * REGION_ROWS + position) as RowId;
      rows.locate(rowId, LINK_BASE);
      let isWanted = true;
      for (const predicate of this.unpushed) {
        const { column } = predicate;
        const value = column >= 0 ? rows.load(column) : systemColumn(rows, rowId, column);
        rows.locate(rowId, LINK_BASE);
        if (!predicate.test(value)) {
          isWanted = false;
          break;
        }
      }
      if (isWanted) this.candidates[kept++] = position;
    }
    return kept;
  }

  private gatherColumns(region: BaseRegion, count: number): void {
    const vectors = (this.vectors ??= this.columns.map((column) =>
      newVector(column >= 0 ? (this.rows.codecs[column]?.physical ?? 'bool') : 'bool', 0),
    ));
    for (let at = 0; at < this.columns.length; at++) {
      const column = this.columns[at];
      this.decoded[at] = null;
      if (column < 0 || column >= region.columnCount || this.rows.codecs[column] === null) continue;
      if (!this.gatherCodes(region, at, column, count))
        region.reader.gather(column, this.candidates, count, vectors[at]);
    }
  }

  /** Few distinct values that cost something to decode are decoded once each and then shared: Datums are immutable. */
  private gatherCodes(region: BaseRegion, at: number, column: number, count: number): boolean {
    const { reader } = region;
    const physical = this.rows.codecs[column]?.physical;
    if (reader.codeForm === undefined || reader.gatherCodes === undefined) return false;
    if (physical !== 'varlen' && physical !== 'decimal64' && physical !== 'int64') return false;
    const form = reader.codeForm(column);
    if (form === null || form.hasNulls || form.largest > SHARED_VALUES_MAX) return false;
    let values = sharedValues.get(form);
    if (values === undefined) {
      values = new Array<Datum | undefined>(form.largest + 1).fill(undefined);
      sharedValues.set(form, values);
    }
    this.codes[at] ??= new Uint32Array(WINDOW_ROWS);
    reader.gatherCodes(column, this.candidates, count, this.codes[at]);
    this.decoded[at] = values;
    this.forms[at] = form;
    return true;
  }

  private decode(at: number, codec: ColumnCodec, code: number): Datum {
    const form = this.forms[at];
    const value = form.values === null ? form.base + form.factor * BigInt(code) : form.values[code];
    const datum = codec.fromPhysical(value);
    (this.decoded[at] as (Datum | undefined)[])[code] = datum;
    return datum;
  }

  private emit(region: BaseRegion, at: number, position: number, frame: Datum[]): void {
    const { rows } = this;
    const rowId = (region.segment * REGION_ROWS + position) as RowId;
    const vectors = this.vectors as ColumnVector[];
    for (let index = 0; index < this.columns.length; index++) {
      const column = this.columns[index];
      let value: Datum;
      if (column < 0) {
        rows.locate(rowId, LINK_BASE);
        value = systemColumn(rows, rowId, column);
      } else {
        const codec = rows.codecs[column];
        if (codec === null) value = null;
        else if (column >= region.columnCount) value = rows.missing[column];
        else if (this.decoded[index] !== null) {
          const code = this.codes[index][at];
          value = this.decoded[index]?.[code] ?? this.decode(index, codec, code);
        } else value = isPresent(vectors[index], at) ? codec.fromVector(vectors[index], at) : null;
      }
      frame[this.slots[index]] = value;
    }
    this.rowId = rowId;
  }
}
