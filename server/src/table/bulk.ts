/**
 * Bulk loading: rows arrive as vectors and go into base regions owned by the loading transaction.
 *
 * A small batch (and nothing large before it in the transaction) goes row by row into the delta. Otherwise vectors are
 * collected in a memory segment of up to 65,536 rows that is readable at once (by its owner), indexed as it grows, and
 * handed on when full (`host.regionFull`: to disk). What the commit finds unfinished is finished before its record.
 */
import type { RowId, Xid } from '../base/brands.ts';
import type { DbError } from '../base/error.ts';
import type { TransactionImplementation } from '../txn/transaction.ts';
import type { Datum } from '../types/datum.ts';
import type { ColumnVector } from '../types/vector.ts';
import { isPresent, MemorySegment, newVector, setNull } from './memory-segment.ts';
import { BaseRegion, LINK_BASE, REGION_ROWS } from './region.ts';
import type { TableImplementation } from './table.ts';

/** Batches below this go row by row unless the transaction already loads in bulk. */
export const BULK_MINIMUM_ROWS = 1024;
/** Varlen bytes of a region that end it early. */
const REGION_BYTES = 48 * 1024 * 1024;

export interface BulkHost {
  yieldToLoop(): Promise<void>;
  /** The region takes no more rows; starts its way to disk. */
  regionFull(table: TableImplementation, region: BaseRegion, xid: Xid): void;
  /** Waits while too much is on its way to disk. */
  bulkBacklog(transaction: TransactionImplementation): Promise<void> | null;
  describeConflict(table: TableImplementation, indexOid: number, rowId: RowId): DbError;
  waitFor(transaction: TransactionImplementation, xid: Xid): Promise<void> | null;
  regionAdded(table: TableImplementation, region: BaseRegion, transaction: TransactionImplementation): void;
}

/** The unfinished region of one transaction and table. */
export class BulkLoad {
  readonly table: TableImplementation;
  private readonly host: BulkHost;
  private readonly transaction: TransactionImplementation;
  private vectors: ColumnVector[] = [];
  private capacity = 0;
  region: BaseRegion | null = null;

  constructor(table: TableImplementation, transaction: TransactionImplementation, host: BulkHost) {
    this.table = table;
    this.transaction = transaction;
    this.host = host;
  }

  async add(columns: readonly ColumnVector[], rowCount: number): Promise<void> {
    let done = 0;
    const isAdopted = rowCount === REGION_ROWS && this.adopt(columns);
    while (done < rowCount) {
      const region = isAdopted ? this.region! : this.openRegion(rowCount - done);
      const count = Math.min(rowCount - done, REGION_ROWS - region.rowCount, 4096);
      const first = region.rowCount;
      if (!isAdopted) this.append(columns, done, count, first);
      region.rowCount = first + count;
      this.table.rows.liveRows += count;
      this.table.modifications += count;
      for (const index of this.table.tableIndexes) {
        await this.indexRows(index.schema.indexOid, region, first, first + count);
      }
      done += count;
      if (region.rowCount >= REGION_ROWS || this.byteSize() > REGION_BYTES) {
        this.finishRegion();
        await this.host.bulkBacklog(this.transaction);
      }
      await this.host.yieldToLoop();
    }
  }

  /** Ends the current region, if any. */
  finishRegion(): void {
    const { region } = this;
    this.region = null;
    this.vectors = [];
    this.capacity = 0;
    if (region !== null && region.rowCount > 0) this.host.regionFull(this.table, region, region.owner);
  }

  private byteSize(): number {
    let bytes = 0;
    for (const vector of this.vectors) {
      if (vector.offsets !== null) bytes += vector.offsets[this.region?.rowCount ?? 0];
    }
    return bytes;
  }

  private openRegion(wanted: number): BaseRegion {
    const { rows } = this.table;
    const xid = this.transaction.writeXid();
    // A savepoint or a new command starts a region of its own: owner and command are the region's.
    if (
      this.region !== null &&
      (this.region.owner !== xid || this.region.ownerCommand !== this.transaction.commandId)
    ) {
      this.finishRegion();
    }
    if (this.region !== null) {
      this.grow(Math.min(REGION_ROWS, this.region.rowCount + wanted));
      return this.region;
    }
    const segment = rows.reserveSegment();
    this.vectors = rows.codecs.map((codec) => newVector(codec?.physical ?? 'bool', 0));
    this.capacity = 0;
    this.grow(Math.min(REGION_ROWS, Math.max(wanted, 4096)));
    const region = new BaseRegion(
      segment,
      0,
      new MemorySegment(this.vectors, 0),
      this.vectors.length,
      xid,
      this.transaction.commandId,
    );
    rows.addBase(region);
    this.region = region;
    this.host.regionAdded(this.table, region, this.transaction);
    return region;
  }

  /** Makes a whole region's worth of columns the new region as they are; false when there is a region to fill first or a column is missing. */
  private adopt(columns: readonly ColumnVector[]): boolean {
    const { codecs } = this.table.rows;
    const isFitting = codecs.every(
      (codec, column) =>
        columns[column]?.count === REGION_ROWS && columns[column]?.physical === (codec?.physical ?? 'bool'),
    );
    if (!isFitting) return false;
    if (this.region !== null && this.region.rowCount > 0) {
      const xid = this.transaction.writeXid();
      if (this.region.owner === xid && this.region.ownerCommand === this.transaction.commandId) return false;
    }
    this.openRegion(0);
    for (const [column, vector] of this.vectors.entries()) {
      const source = columns[column]!;
      vector.values = source.values;
      vector.offsets = source.offsets;
      vector.bytes = source.bytes;
      vector.validity = source.validity;
      vector.count = REGION_ROWS;
    }
    this.capacity = REGION_ROWS;
    return true;
  }

  private grow(needed: number): void {
    if (needed <= this.capacity) return;
    const capacity = Math.min(REGION_ROWS, Math.max(needed, this.capacity * 2));
    for (const vector of this.vectors) {
      const fresh = newVector(vector.physical, capacity);
      if (vector.physical === 'varlen') {
        (fresh.offsets as Uint32Array).set(vector.offsets as Uint32Array);
        vector.offsets = fresh.offsets;
      } else {
        (fresh.values as Uint8Array).set(vector.values as Uint8Array);
        vector.values = fresh.values;
      }
      if (vector.validity !== null) {
        const validity = new Uint8Array((capacity + 7) >> 3).fill(255);
        validity.set(vector.validity);
        vector.validity = validity;
      }
    }
    this.capacity = capacity;
  }

  private append(columns: readonly ColumnVector[], from: number, count: number, at: number): void {
    for (let column = 0; column < this.vectors.length; column++) {
      const target = this.vectors[column];
      const source = columns[column];
      target.count = at + count;
      if (source === undefined || source.physical !== target.physical) {
        // A dropped column, or one the loader left out.
        for (let row = 0; row < count; row++) {
          setNull(target, at + row, this.capacity);
          if (target.offsets !== null) target.offsets[at + row + 1] = target.offsets[at + row];
        }
        continue;
      }
      if (target.physical === 'varlen') {
        const offsets = target.offsets as Uint32Array;
        const sourceOffsets = source.offsets as Uint32Array;
        const begin = sourceOffsets[from];
        const length = sourceOffsets[from + count] - begin;
        const start = offsets[at];
        let bytes = target.bytes as Uint8Array;
        if (start + length > bytes.length) {
          const grown = new Uint8Array(Math.max(bytes.length * 2, start + length, 65536));
          grown.set(bytes.subarray(0, start));
          target.bytes = bytes = grown;
        }
        bytes.set((source.bytes as Uint8Array).subarray(begin, begin + length), start);
        for (let row = 1; row <= count; row++) offsets[at + row] = start + sourceOffsets[from + row] - begin;
      } else {
        const width = target.physical === 'bytes16' ? 16 : 1;
        (target.values as Uint8Array).set(
          (source.values as Uint8Array).subarray(from * width, (from + count) * width),
          at * width,
        );
      }
      if (source.validity !== null) {
        for (let row = 0; row < count; row++) {
          if (!isPresent(source, from + row)) setNull(target, at + row, this.capacity);
        }
      }
    }
  }

  /** Adds index entries of rows [start, end), checking uniqueness; waits for undecided conflicts. */
  private async indexRows(indexOid: number, region: BaseRegion, start: number, end: number): Promise<void> {
    const { table, transaction } = this;
    const { rows } = table;
    const index = table.index(indexOid);
    for (let offset = start; offset < end; offset++) {
      const rowId = (region.segment * REGION_ROWS + offset) as RowId;
      for (;;) {
        rows.locate(rowId, LINK_BASE);
        const hasNull = index.encodeFound(rows, index.key);
        if (hasNull === null) break;
        const conflict = table.conflictOfKey(index, transaction, hasNull, rowId);
        if (conflict === null) {
          index.insert(index.key, rowId);
          break;
        }
        const wait = conflict.xid === 0 ? null : this.host.waitFor(transaction, conflict.xid);
        if (conflict.xid === 0) throw this.host.describeConflict(table, indexOid, rowId);
        if (wait !== null) await wait;
      }
      if ((offset & 1023) === 1023) await this.host.yieldToLoop();
    }
  }
}

/** Datum of a vector column, for row-by-row insertion of small batches. */
export function vectorRow(
  table: TableImplementation,
  columns: readonly ColumnVector[],
  row: number,
): Datum[] {
  return table.rows.codecs.map((codec, column) => {
    const vector = columns[column];
    if (codec === null || vector === undefined || !isPresent(vector, row)) return null;
    return codec.fromVector(vector, row);
  });
}
