/**
 * The changes of a transaction as bytes: what goes into its private log and comes back in redo.
 * The byte tables are in docs/format/wal-records.md.
 */
import type { RowId } from '../base/brands.ts';
import type { LogBuffer } from '../txn/log-buffer.ts';
import { CELL_NULL, CELL_PRESENT, type ColumnCodec } from './column-codec.ts';
import { type Chunk, REGION_ROWS, type SlotRegion } from './region.ts';

export const OPERATION_INSERT = 1;
export const OPERATION_UPDATE = 2;
export const OPERATION_DELETE = 3;
/** Here the rows of a bulk segment came; where they lie is in the front of the commit record. */
export const OPERATION_SEGMENT = 4;
export const OPERATION_CREATE_TABLE = 10;
export const OPERATION_DROP_TABLE = 11;
export const OPERATION_ALTER_TABLE = 12;
export const OPERATION_TRUNCATE = 13;
export const OPERATION_CREATE_INDEX = 14;
export const OPERATION_DROP_INDEX = 15;
export const OPERATION_CREATE_SEQUENCE = 16;
export const OPERATION_DROP_SEQUENCE = 17;

/** operation u8, storage id u32, segment u32, offset u16 */
export function logRowHeader(buffer: LogBuffer, operation: number, storageId: number, rowId: RowId): void {
  buffer.ensure(11);
  buffer.u8(operation);
  buffer.u32(storageId);
  buffer.u32(Math.floor(rowId / REGION_ROWS));
  buffer.u16(rowId % REGION_ROWS);
}

/** columns u16, then per column: mark u8 (0 value follows, 1 NULL, 2 missing), value. */
export function logRow(
  buffer: LogBuffer,
  codecs: readonly (ColumnCodec | null)[],
  region: SlotRegion,
  chunk: Chunk,
  index: number,
): void {
  buffer.u16(codecs.length);
  for (let column = 0; column < codecs.length; column++) {
    const codec = codecs[column];
    const cells = chunk.columns[column];
    if (codec === null || cells === undefined) {
      buffer.u8(CELL_NULL);
      continue;
    }
    const mark = cells.nulls[index];
    buffer.u8(mark);
    if (mark === CELL_PRESENT) codec.log(buffer, cells, index, region.heap);
  }
}
