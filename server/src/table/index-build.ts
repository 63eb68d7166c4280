/** Builds an index over the rows a table has: every version that any snapshot may see gets its entry. */
import type { RowId } from '../base/brands.ts';
import { WaitSignal } from '../base/suspend.ts';
import { ByteTree, ByteTreeBuilder } from '../index/byte-tree.ts';
import { EntrySorter } from '../index/entry-sorter.ts';
import { KeyTooWide } from '../index/key-codec.ts';
import { NumericTree, NumericTreeBuilder } from '../index/numeric-tree.ts';
import type { CommitTable } from '../txn/commit-table.ts';
import type { Datum } from '../types/datum.ts';
import type { ColumnVector } from '../types/vector.ts';
import { isPresent, newVector } from './memory-segment.ts';
import { type BaseRegion, LINK_BASE, LINK_NONE, REGION_ROWS, VERSION_TOMBSTONE } from './region.ts';
import { FOUND_SLOT, type RowStore } from './row-store.ts';
import type { TableIndex } from './table-index.ts';

const WINDOW = 4096;
const ROWS_PER_SLICE = 2048;

/**
 * Fills `index` (empty before). Returns the values of a key that two live rows share, or null.
 * The caller holds a lock that keeps writers out (or runs before anyone can write).
 */
export async function buildIndex(
  rows: RowStore,
  index: TableIndex,
  commits: CommitTable,
  yieldToLoop: () => Promise<void>,
): Promise<readonly Datum[] | null> {
  for (;;) {
    try {
      return await build(rows, index, commits, yieldToLoop);
    } catch (error) {
      if (!(error instanceof KeyTooWide)) throw error;
      index.codec.isNumeric = false;
      index.clear();
    }
  }
}

async function build(
  rows: RowStore,
  index: TableIndex,
  commits: CommitTable,
  yieldToLoop: () => Promise<void>,
): Promise<readonly Datum[] | null> {
  const wasNumeric = index.codec.isNumeric;
  const sorter = new EntrySorter(wasNumeric, yieldToLoop, Math.max(1024, rows.liveRows));
  for (let segment = 0; segment < rows.regions.length; segment++) {
    const region = rows.regions[segment];
    if (region === undefined) continue;
    if (region.kind === 'base') {
      if (region.isDropped || (region.owner !== 0 && commits.isAborted(region.owner | 0))) continue;
      if (index.relevant !== null) await collectBase(rows, index, region, sorter, yieldToLoop);
      else await collectRows(rows, index, commits, segment, region.rowCount, sorter, yieldToLoop, false);
      if (region.heads !== null && index.relevant !== null) {
        await collectRows(rows, index, commits, segment, region.rowCount, sorter, yieldToLoop, true);
      }
    } else {
      await collectRows(rows, index, commits, segment, region.used, sorter, yieldToLoop, false);
    }
    if (index.codec.isNumeric !== wasNumeric) throw new KeyTooWide();
  }
  await sorter.sort();
  if (index.schema.unique) {
    const duplicate = findDuplicate(sorter);
    if (duplicate >= 0) return loadKey(rows, index, sorter.rows[duplicate] as RowId);
  }
  await fill(index, sorter, yieldToLoop);
  return null;
}

/** Adds the rows of one base region to an index that has entries already (redo of a bulk load). */
export async function indexSegment(
  rows: RowStore,
  index: TableIndex,
  region: BaseRegion,
  yieldToLoop: () => Promise<void>,
): Promise<void> {
  for (let offset = 0; offset < region.rowCount; offset++) {
    const rowId = (region.segment * REGION_ROWS + offset) as RowId;
    const hasNull = await waiting(() => {
      rows.locate(rowId, LINK_BASE);
      return index.encodeFound(rows, index.key);
    });
    if (hasNull !== null) index.insert(index.key, rowId);
    if ((offset & 1023) === 1023) await yieldToLoop();
  }
}

/** Base rows without newer versions, column by column. */
async function collectBase(
  rows: RowStore,
  index: TableIndex,
  region: BaseRegion,
  sorter: EntrySorter,
  yieldToLoop: () => Promise<void>,
): Promise<void> {
  const columns = index.relevant as readonly number[];
  const vectors: (ColumnVector | null)[] = columns.map((column) =>
    column < region.columnCount ? newVector(rows.codecs[column]?.physical ?? 'bool', WINDOW) : null,
  );
  const values: Datum[] = [];
  const { unique, nullsNotDistinct } = index.schema;
  for (let start = 0; start < region.rowCount; start += WINDOW) {
    const end = Math.min(region.rowCount, start + WINDOW);
    for (let at = 0; at < columns.length; at++) {
      const vector = vectors[at];
      if (vector !== null) await waiting(() => region.reader.readColumn(columns[at], start, end, vector));
    }
    for (let offset = start; offset < end; offset++) {
      if (region.heads !== null && region.heads[offset] !== 0) continue;
      for (let at = 0; at < columns.length; at++) {
        const vector = vectors[at];
        const codec = rows.codecs[columns[at]];
        if (vector === null || codec === null) values[at] = codec === null ? null : rows.missing[columns[at]];
        else values[at] = isPresent(vector, offset - start) ? codec.fromVector(vector, offset - start) : null;
      }
      const hasNull = index.codec.encode(values, index.key);
      const counts = unique && (!hasNull || nullsNotDistinct) ? 1 : 0;
      sorter.add(index.key, region.segment * REGION_ROWS + offset, counts);
    }
    await yieldToLoop();
  }
}

/** All versions of rows, one by one. */
async function collectRows(
  rows: RowStore,
  index: TableIndex,
  commits: CommitTable,
  segment: number,
  count: number,
  sorter: EntrySorter,
  yieldToLoop: () => Promise<void>,
  isOverlayOnly: boolean,
): Promise<void> {
  for (let offset = 0; offset < count; offset++) {
    if ((offset & (ROWS_PER_SLICE - 1)) === ROWS_PER_SLICE - 1) await yieldToLoop();
    const rowId = (segment * REGION_ROWS + offset) as RowId;
    const head = rows.link(rowId);
    if (head === LINK_NONE || (isOverlayOnly && head === LINK_BASE)) continue;
    // The newest version that is not rolled back decides whether the row is alive.
    let isNewest = true;
    for (let link = head; link !== LINK_NONE; ) {
      rows.locate(rowId, link);
      const isSlot = rows.found === FOUND_SLOT;
      const previous = isSlot ? rows.chunk.previous[rows.index] : LINK_NONE;
      const isAborted = isSlot && commits.isAborted(rows.chunk.xmin[rows.index]);
      if (!isAborted) {
        const isTombstone = isSlot && (rows.chunk.flags[rows.index] & VERSION_TOMBSTONE) !== 0;
        const xmax = isSlot ? rows.chunk.xmax[rows.index] : 0;
        const isDeleted = isTombstone || (xmax !== 0 && !commits.isAborted(xmax));
        if (!isTombstone) {
          const current = link;
          const hasNull = await waiting(() => {
            rows.locate(rowId, current);
            return index.encodeFound(rows, index.key);
          });
          if (hasNull !== null) {
            const { unique, nullsNotDistinct } = index.schema;
            const counts = isNewest && !isDeleted && unique && (!hasNull || nullsNotDistinct) ? 1 : 0;
            sorter.add(index.key, rowId, counts);
          }
        }
        isNewest = false;
      }
      link = previous;
    }
  }
}

/** Repeats a read until its blocks are there. */
export async function waiting<T>(read: () => T): Promise<T> {
  for (;;) {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof WaitSignal)) throw error;
      await error.promise;
    }
  }
}

/** Entry number of the second of two live rows with one key, or -1. */
function findDuplicate(sorter: EntrySorter): number {
  const { order } = sorter;
  let live = -1;
  for (let at = 0; at < sorter.count; at++) {
    const entry = order[at];
    if (at > 0 && sorter.compare(order[at - 1], entry) !== 0) live = -1;
    if (sorter.marks[entry] === 0) continue;
    if (live >= 0 && sorter.rows[live] !== sorter.rows[entry]) return entry;
    live = entry;
  }
  return -1;
}

async function loadKey(rows: RowStore, index: TableIndex, rowId: RowId): Promise<readonly Datum[]> {
  return waiting(() => {
    rows.locate(rowId, rows.link(rowId));
    const row = rows.loadRow();
    return index.schema.keys.map((key) =>
      key.column >= 0 ? row[key.column] : (key.expression?.(row) ?? null),
    );
  });
}

async function fill(index: TableIndex, sorter: EntrySorter, yieldToLoop: () => Promise<void>): Promise<void> {
  const { order, rows } = sorter;
  let lastEntry = -1;
  const isRepeated = (entry: number): boolean =>
    lastEntry >= 0 && rows[lastEntry] === rows[entry] && sorter.compare(lastEntry, entry) === 0;
  if (sorter.isNumeric) {
    const tree = new NumericTree();
    const builder = new NumericTreeBuilder(tree);
    for (let at = 0; at < sorter.count; at++) {
      const entry = order[at];
      if (!isRepeated(entry)) builder.add(sorter.numbers[entry], rows[entry]);
      lastEntry = entry;
      if ((at & 0xffff) === 0xffff) await yieldToLoop();
    }
    builder.finish();
    index.replaceTree(tree);
    return;
  }
  const tree = new ByteTree();
  const builder = new ByteTreeBuilder(tree);
  for (let at = 0; at < sorter.count; at++) {
    const entry = order[at];
    if (!isRepeated(entry))
      builder.add(sorter.bytes, sorter.starts[entry], sorter.lengths[entry], rows[entry]);
    lastEntry = entry;
    if ((at & 0x7fff) === 0x7fff) await yieldToLoop();
  }
  builder.finish();
  index.replaceTree(tree);
}
