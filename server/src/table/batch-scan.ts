/**
 * Batches of visible rows as vectors, for vectorised consumers.
 *
 * Every batch is dense (`selection` null). Vectors and their buffers belong to the cursor and are overwritten by the
 * next call. System columns are not available here.
 */
import type { RowId } from '../base/brands.ts';
import { implementationOf, type TransactionImplementation } from '../txn/transaction.ts';
import type { ColumnVector } from '../types/vector.ts';
import { CELL_NULL, CELL_PRESENT } from './column-codec.ts';
import type { BatchCursor, ScanBatch, ScanOptions } from './contract.ts';
import { newVector, setNull } from './memory-segment.ts';
import { type CompiledPredicate, compilePredicates } from './predicates.ts';
import { type BasePredicate, type BaseRegion, LINK_BASE, REGION_ROWS, type SlotRegion } from './region.ts';
import { FOUND_NONE, FOUND_SLOT, type RowStore } from './row-store.ts';

export const BATCH_ROWS = 2048;

/** See the module comment. */
export class ScanBatchCursor implements BatchCursor {
  private readonly rows: RowStore;
  private readonly columns: readonly number[];
  private readonly transaction: TransactionImplementation;
  private readonly sequenceLow: number;
  private readonly commandId: number;
  private readonly predicates: readonly CompiledPredicate[];
  private readonly pushed: readonly BasePredicate[];
  private readonly hasUnpushed: boolean;
  private readonly vectors: ColumnVector[];
  private segment = 0;
  private offset = 0;
  /** Rows with newer versions of the base window just delivered are to follow. */
  private overlayEnd = -1;
  private readonly positions = new Uint16Array(BATCH_ROWS);

  constructor(rows: RowStore, options: Omit<ScanOptions, 'slots'>) {
    this.rows = rows;
    this.columns = options.columns;
    this.transaction = implementationOf(options.snapshot.transaction);
    this.sequenceLow = options.snapshot.sequence | 0;
    this.commandId = options.snapshot.commandId;
    this.predicates = compilePredicates(rows, options.predicates);
    this.pushed = this.predicates.flatMap((predicate) =>
      predicate.pushed === null ? [] : [predicate.pushed],
    );
    this.hasUnpushed = this.pushed.length < this.predicates.length;
    this.vectors = options.columns.map((column) =>
      newVector(rows.codecs[column]?.physical ?? 'bool', BATCH_ROWS),
    );
  }

  nextBatch(): ScanBatch | null {
    const { regions } = this.rows;
    while (this.segment < regions.length) {
      const region = regions[this.segment];
      const batch =
        region === undefined
          ? null
          : region.kind === 'slots'
            ? this.fromSlots(region)
            : this.fromBase(region);
      if (batch !== null) return batch;
      this.segment++;
      this.offset = 0;
      this.overlayEnd = -1;
    }
    return null;
  }

  close(): void {
    this.segment = this.rows.regions.length;
  }

  private batch(count: number): ScanBatch {
    return { rowCount: count, columns: this.vectors, selection: null, selectedCount: count };
  }

  private begin(): void {
    for (const vector of this.vectors) beginVector(vector);
  }

  private passes(): boolean {
    for (const { column, test } of this.predicates) if (!test(this.rows.load(column))) return false;
    return true;
  }

  /** Appends the row at the store's current location. */
  private append(count: number): void {
    const { rows } = this;
    for (let at = 0; at < this.columns.length; at++) {
      const column = this.columns[at];
      const vector = this.vectors[at];
      const codec = rows.codecs[column];
      if (codec !== null && rows.found === FOUND_SLOT) {
        const cells = rows.chunk.columns[column];
        const mark = cells === undefined ? -1 : cells.nulls[rows.index];
        if (cells !== undefined && mark === CELL_PRESENT) {
          codec.toVector(cells, rows.index, vector, count, rows.slots.heap);
          continue;
        }
        if (mark === CELL_NULL) {
          appendNull(vector, count);
          continue;
        }
      }
      const value = rows.load(column);
      const physical = value === null || codec === null ? null : codec.toPhysical(value);
      if (physical === null) appendNull(vector, count);
      else if (typeof physical === 'object') appendBytes(vector, count, physical);
      else (vector.values as Float64Array)[count] = physical as number;
    }
  }

  private fromSlots(region: SlotRegion): ScanBatch | null {
    const { rows } = this;
    this.begin();
    let count = 0;
    while (this.offset < region.used && count < BATCH_ROWS) {
      const offset = this.offset++;
      const chunk = region.chunk(offset);
      if (chunk === undefined) break;
      const link = chunk.head[offset - chunk.start];
      if (link === 0) continue;
      const rowId = (region.segment * REGION_ROWS + offset) as RowId;
      if (rows.resolveLink(rowId, link, this.sequenceLow, this.transaction, this.commandId) === FOUND_NONE)
        continue;
      if (this.predicates.length > 0 && !this.passes()) continue;
      this.append(count++);
    }
    return this.finish(count);
  }

  private finish(count: number): ScanBatch | null {
    if (count === 0) return null;
    for (const vector of this.vectors) vector.count = count;
    return this.batch(count);
  }

  private fromBase(region: BaseRegion): ScanBatch | null {
    while (this.offset < region.rowCount && !region.isDropped) {
      if (this.overlayEnd >= 0) {
        const batch = this.fromOverlay(region);
        if (batch !== null) return batch;
        continue;
      }
      const start = this.offset;
      const end = Math.min(region.rowCount, start + BATCH_ROWS);
      const count = this.loadWindow(region, start, end);
      if (region.headCount > 0) this.overlayEnd = end;
      else this.offset = end;
      if (count > 0) return this.batch(count);
    }
    return null;
  }

  private loadWindow(region: BaseRegion, start: number, end: number): number {
    const { rows } = this;
    if (!rows.isBaseVisible(region, this.sequenceLow, this.transaction, this.commandId)) return 0;
    const known = this.pushed.filter((predicate) => predicate.column < region.columnCount);
    if (known.length < this.pushed.length) {
      for (const { column, test } of this.predicates) {
        if (column >= region.columnCount && !test(rows.missing[column])) return 0;
      }
    }
    if (region.reader.canSkip(known)) {
      return 0;
    }
    let count = region.reader.scan(known, start, end, this.positions);
    const { heads } = region;
    if ((heads !== null && region.headCount > 0) || this.hasUnpushed) {
      let kept = 0;
      for (let at = 0; at < count; at++) {
        const position = this.positions[at];
        if (heads !== null && heads[position] !== 0) continue;
        if (this.hasUnpushed) {
          rows.locate((region.segment * REGION_ROWS + position) as RowId, LINK_BASE);
          if (!this.passes()) continue;
        }
        this.positions[kept++] = position;
      }
      count = kept;
    }
    if (count === 0) return 0;
    for (let at = 0; at < this.columns.length; at++) {
      const column = this.columns[at];
      const vector = this.vectors[at];
      if (column >= region.columnCount || rows.codecs[column] === null) {
        this.fillMissing(vector, column, count);
      } else if (count === end - start) region.reader.readColumn(column, start, end, vector);
      else region.reader.gather(column, this.positions, count, vector);
    }
    return count;
  }

  private fillMissing(vector: ColumnVector, column: number, count: number): void {
    beginVector(vector);
    const value = this.rows.missing[column];
    const codec = this.rows.codecs[column];
    const physical = value === null || codec === null ? null : codec.toPhysical(value);
    for (let row = 0; row < count; row++) {
      if (physical === null) appendNull(vector, row);
      else if (typeof physical === 'object') appendBytes(vector, row, physical);
      else (vector.values as Float64Array)[row] = physical as number;
    }
    vector.count = count;
  }

  private fromOverlay(region: BaseRegion): ScanBatch | null {
    const { rows } = this;
    const heads = region.heads as Int32Array;
    this.begin();
    let count = 0;
    let { offset } = this;
    // The position moves only when the batch is complete: a wait in between starts it anew.
    for (; offset < this.overlayEnd && count < BATCH_ROWS; offset++) {
      const head = heads[offset];
      if (head === 0 || ~head === LINK_BASE) continue;
      const rowId = (region.segment * REGION_ROWS + offset) as RowId;
      if (
        rows.resolve(rowId, this.sequenceLow, this.transaction, this.commandId) !== FOUND_NONE &&
        (this.predicates.length === 0 || this.passes())
      ) {
        this.append(count++);
      }
    }
    this.offset = offset;
    if (this.offset >= this.overlayEnd) this.overlayEnd = -1;
    return this.finish(count);
  }
}

/** Makes a vector ready for a batch of single rows; buffers lent by a reader may be too small for one. */
function beginVector(vector: ColumnVector): void {
  vector.count = 0;
  vector.validity = null;
  if (vector.physical === 'varlen') {
    if ((vector.offsets?.length ?? 0) <= BATCH_ROWS) vector.offsets = new Uint32Array(BATCH_ROWS + 1);
    (vector.offsets as Uint32Array)[0] = 0;
    vector.bytes ??= new Uint8Array(0);
  } else {
    const width = vector.physical === 'bytes16' ? 16 : 1;
    if ((vector.values?.length ?? 0) < BATCH_ROWS * width)
      vector.values = newVector(vector.physical, BATCH_ROWS).values;
  }
}

function appendNull(vector: ColumnVector, row: number): void {
  setNull(vector, row, BATCH_ROWS);
  if (vector.offsets !== null) vector.offsets[row + 1] = vector.offsets[row];
}

function appendBytes(vector: ColumnVector, row: number, bytes: Uint8Array): void {
  if (vector.physical === 'bytes16') {
    (vector.values as Uint8Array).set(bytes, row * 16);
    return;
  }
  const offsets = vector.offsets as Uint32Array;
  const start = offsets[row];
  let store = vector.bytes as Uint8Array;
  if (start + bytes.length > store.length) {
    const grown = new Uint8Array(Math.max(store.length * 2, start + bytes.length, 1024));
    grown.set(store);
    vector.bytes = store = grown;
  }
  store.set(bytes, start);
  offsets[row + 1] = start + bytes.length;
}
