/**
 * Rows of a region as a blob: everything a snapshot sees of a slot region, or what lies over the base rows of a base
 * region. docs/format/checkpoint.md has the byte table.
 *
 *   count u32, then per row: offset u16, kind u8 (0 = the base row is dead, 1 = row follows), row as in log records
 */
import { FROZEN_XID, type RowId } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import type { CommitTable } from '../txn/commit-table.ts';
import { LogBuffer } from '../txn/log-buffer.ts';
import type { TransactionImplementation } from '../txn/transaction.ts';
import { CELL_MISSING, CELL_PRESENT, type ColumnCodec } from './column-codec.ts';
import { LogReader } from './log-reader.ts';
import { logRow } from './operations.ts';
import { LINK_BASE, LINK_NONE, REGION_ROWS, type Region, type SlotRegion } from './region.ts';
import { FOUND_SLOT, type RowStore } from './row-store.ts';

const ROW_DEAD = 0;
const ROW_FOLLOWS = 1;
const ROWS_PER_SLICE = 1024;

/** An encoded image. `isSettled` is false if the region has changes the snapshot does not see: it must be imaged again. */
export interface RegionImage {
  readonly bytes: Uint8Array;
  readonly rowCount: number;
  readonly liveCount: number;
  readonly isSettled: boolean;
}

/** Codecs as of the checkpoint, while the table may be altered under it. */
export async function imageRegion(
  rows: RowStore,
  region: Region,
  codecs: readonly (ColumnCodec | null)[],
  transaction: TransactionImplementation,
  sequence: number,
  commits: CommitTable,
  yieldToLoop: () => Promise<void>,
): Promise<RegionImage> {
  const buffer = new LogBuffer();
  buffer.u32(0);
  const sequenceLow = sequence | 0;
  let rowCount = 0;
  let liveCount = 0;
  let isSettled = true;
  const count = region.kind === 'base' ? region.rowCount : region.used;
  for (let offset = 0; offset < count; offset++) {
    if ((offset & (ROWS_PER_SLICE - 1)) === ROWS_PER_SLICE - 1) await yieldToLoop();
    const rowId = (region.segment * REGION_ROWS + offset) as RowId;
    const link = rows.link(rowId);
    if (link === LINK_BASE) continue;
    if (link === LINK_NONE) {
      if (region.kind === 'slots') continue;
      buffer.u16(offset);
      buffer.u8(ROW_DEAD);
      rowCount++;
      continue;
    }
    if (!isDecided(rows, rowId, link, sequenceLow, commits)) isSettled = false;
    rows.resolve(rowId, sequenceLow, transaction, 0);
    if (rows.found === FOUND_SLOT) {
      buffer.u16(offset);
      buffer.u8(ROW_FOLLOWS);
      logRow(buffer, codecs, rows.slots, rows.chunk, rows.index);
      rowCount++;
      liveCount++;
    } else if (rows.found !== LINK_NONE) {
      // The base row itself is what the snapshot sees: nothing to say.
    } else if (region.kind === 'base') {
      buffer.u16(offset);
      buffer.u8(ROW_DEAD);
      rowCount++;
    }
  }
  buffer.view.setUint32(0, rowCount, true);
  return { bytes: buffer.bytes.slice(0, buffer.length), rowCount, liveCount, isSettled };
}

/** True if every version of the row is either seen by the snapshot's sequence or rolled back. */
function isDecided(
  rows: RowStore,
  rowId: RowId,
  link: number,
  sequenceLow: number,
  commits: CommitTable,
): boolean {
  rows.locate(rowId, link);
  if (rows.found !== FOUND_SLOT) return true;
  const { chunk, index } = rows;
  const xmin = chunk.xmin[index];
  const xmax = chunk.xmax[index];
  return commits.isCommittedAt(xmin, sequenceLow) && (xmax === 0 || commits.isCommittedAt(xmax, sequenceLow));
}

/** Puts the rows of an image back; they are visible to everybody. */
export function restoreImage(rows: RowStore, segment: number, bytes: Uint8Array): void {
  const reader = new LogReader(bytes);
  const count = reader.u32();
  for (let at = 0; at < count; at++) {
    const rowId = (segment * REGION_ROWS + reader.u16()) as RowId;
    if (reader.u8() === ROW_DEAD) rows.restoreDead(rowId);
    else rows.restoreRow(rowId, reader);
  }
}

/** Reads a row in log form into a slot. */
export function replayRow(
  reader: LogReader,
  codecs: readonly (ColumnCodec | null)[],
  region: SlotRegion,
  offset: number,
): void {
  const chunk = region.ensureChunk(offset, codecs);
  const index = offset - chunk.start;
  const count = reader.u16();
  for (let column = 0; column < count; column++) {
    const mark = reader.u8();
    const codec = codecs[column];
    if (mark === CELL_PRESENT && (codec === null || codec === undefined)) {
      throw new DbError('data_corrupted', `stored row has a value for dropped column ${column}`);
    }
    if (codec === null || codec === undefined) continue;
    const cells = chunk.columns[column] ?? region.addColumn(chunk, column, codec);
    if (mark === CELL_PRESENT) codec.replay(reader, cells, index, region.heap);
    cells.nulls[index] = mark;
  }
  // Columns added after the row was written.
  for (let column = count; column < codecs.length; column++) {
    const cells = chunk.columns[column];
    if (cells !== undefined) cells.nulls[index] = CELL_MISSING;
  }
  chunk.xmin[index] = FROZEN_XID;
  chunk.xmax[index] = 0;
  chunk.previous[index] = 0;
  chunk.cmin[index] = 0;
  chunk.cmax[index] = 0;
  chunk.flags[index] = 0;
}
