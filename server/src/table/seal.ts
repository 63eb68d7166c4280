/**
 * Sealing and compaction: a region's settled rows become a new immutable segment under the same segment number, so row
 * ids and indexes stay as they are.
 *
 *   1. Plan (one turn): the region takes no new rows; for each row remember the link of its settled version: one version,
 *      seen by everybody, not deleted, nothing behind it; or the base row itself. All others are holes of the segment.
 *   2. Encode column by column and write the file, in slices; an epoch keeps the planned slots from being reused.
 *   3. Switch (one turn): rows whose link is as planned now live in the segment. Rows changed meanwhile keep their chain
 *      over it; versions in the old region's own slots move to the version pool, and a planned version behind newer ones
 *      becomes the base row.
 *
 * Nothing is logged: contents are the same. A crash leaves the old manifest, whose images and log still describe the
 * rows, and an orphan file.
 */
import type { RowId, Xid } from '../base/brands.ts';
import type { BlockFileWriter } from '../storage/contract.ts';
import type { ColumnVector } from '../types/vector.ts';
import type { DurableHalf } from './durability.ts';
import { waiting } from './index-build.ts';
import { isPresent, MemorySegment, newVector, setNull } from './memory-segment.ts';
import { BaseRegion, LINK_BASE, LINK_NONE, REGION_ROWS, type Region } from './region.ts';
import { FOUND_SLOT, type RowStore } from './row-store.ts';
import type { TableImplementation } from './table.ts';

/** A base region is written anew when this share of its rows has newer versions or is dead. */
const OVERLAY_SHARE = 0.25;
/** Smallest slot region that an explicit seal turns into a segment. */
const MINIMUM_ROWS = 256;
const ROWS_PER_SLICE = 8192;

/** True if a checkpoint should seal or compact something of this table first. */
export function wantsSealing(_half: DurableHalf, table: TableImplementation): boolean {
  if (!table.isLogged) return false;
  return table.rows.regions.some((region) => region !== undefined && isDue(region, false));
}

function isDue(region: Region, isForced: boolean): boolean {
  if (region.kind === 'slots') return region.used >= REGION_ROWS || (isForced && region.rows >= MINIMUM_ROWS);
  if (region.isDropped || region.descriptor === null || region.owner !== 0) return false;
  return region.headCount > Math.max(MINIMUM_ROWS, region.rowCount * OVERLAY_SHARE);
}

/** Seals what is due; `isForced`: also regions that are not full. Runs within the checkpointer's exclusion. */
export async function sealTable(
  half: DurableHalf,
  table: TableImplementation,
  isForced = false,
): Promise<void> {
  const { rows } = table;
  const due = rows.regions.filter(
    (region): region is Region => region !== undefined && isDue(region, isForced),
  );
  if (due.length === 0) return;
  rows.pin();
  const epoch = half.store.epochs.enter();
  try {
    let file: BlockFileWriter | null = null;
    const done: (() => void)[] = [];
    for (const region of due) {
      file ??= await half.storage.files.create();
      const finish = await sealRegion(half, table, rows, region, file);
      if (finish !== null) done.push(finish);
    }
    if (file !== null) {
      await file.finish();
      if (table.rows === rows && half.store.tables.get(table.storageId) === table)
        for (const finish of done) finish();
      half.storage.files.release(file.file);
    }
  } finally {
    half.store.epochs.leave(epoch);
    rows.unpin();
  }
}

/** Steps 1 and 2; returns step 3, or null if nothing can be sealed. */
async function sealRegion(
  half: DurableHalf,
  table: TableImplementation,
  rows: RowStore,
  region: Region,
  file: BlockFileWriter,
): Promise<(() => void) | null> {
  const { store } = half;
  const { commits } = store;
  const horizonLow = store.horizon() | 0;
  if (region.kind === 'slots' && rows.isOpen === region) rows.closeOpenRegion();
  rows.forgetFreeRows(region.segment);
  const count = region.kind === 'slots' ? region.used : region.rowCount;
  const plan = new Int32Array(count);
  let settled = 0;
  for (let offset = 0; offset < count; offset++) {
    const rowId = (region.segment * REGION_ROWS + offset) as RowId;
    const link = rows.link(rowId);
    if (link === LINK_NONE) continue;
    if (link !== LINK_BASE) {
      rows.locate(rowId, link);
      const { chunk, index } = rows;
      if (
        chunk.xmax[index] !== 0 ||
        chunk.previous[index] !== LINK_NONE ||
        chunk.flags[index] % 2 === 1 ||
        !commits.isCommittedAt(chunk.xmin[index], horizonLow)
      ) {
        continue;
      }
    }
    plan[offset] = link;
    settled++;
  }
  if (settled === 0) return null;
  const { codecs } = rows;
  const vectors: ColumnVector[] = [];
  for (let column = 0; column < codecs.length; column++) {
    vectors.push(await columnVector(half, rows, region, plan, column));
  }
  const descriptor = await half.encode(file, region.segment, count, vectors);
  await file.drain();
  return () => {
    if (rows.regions[region.segment] !== region || rows.codecs.length < codecs.length) return;
    const sealed = new BaseRegion(
      region.segment,
      count,
      new MemorySegment([], count),
      codecs.length,
      0 as Xid,
      0,
    );
    switchOver(rows, region, sealed, plan);
    half.adoptRegion(sealed, descriptor);
    if (region.kind === 'base') half.regionGone(table, region);
  };
}

/** One column of all planned rows; holes are NULL. */
async function columnVector(
  half: DurableHalf,
  rows: RowStore,
  region: Region,
  plan: Int32Array,
  column: number,
): Promise<ColumnVector> {
  const codec = rows.codecs[column];
  const count = plan.length;
  const physical = codec?.physical ?? 'bool';
  const target = newVector(physical, count);
  target.count = count;
  const source = newVector(physical, ROWS_PER_SLICE);
  const hasBase = region.kind === 'base' && column < region.columnCount && codec !== null;
  const missing =
    codec === null || rows.missing[column] === null ? null : codec.toPhysical(rows.missing[column]);
  for (let start = 0; start < count; start += ROWS_PER_SLICE) {
    const end = Math.min(count, start + ROWS_PER_SLICE);
    if (hasBase) await waiting(() => (region as BaseRegion).reader.readColumn(column, start, end, source));
    for (let offset = start; offset < end; offset++) {
      const link = plan[offset];
      let value: number | bigint | Uint8Array | null = null;
      if (codec !== null && link === LINK_BASE) {
        if (!hasBase) value = missing;
        else if (isPresent(source, offset - start)) {
          if (physical === 'varlen') {
            const offsets = source.offsets as Uint32Array;
            value = (source.bytes as Uint8Array).subarray(
              offsets[offset - start],
              offsets[offset - start + 1],
            );
          } else if (physical === 'bytes16') {
            value = (source.values as Uint8Array).subarray((offset - start) * 16, (offset - start) * 16 + 16);
          } else value = (source.values as Float64Array)[offset - start];
        }
      } else if (codec !== null && link > 0) {
        rows.locate(0 as RowId, link);
        const cells = rows.chunk.columns[column];
        const mark = cells === undefined ? 2 : cells.nulls[rows.index];
        if (cells !== undefined && mark === 0) value = codec.loadPhysical(cells, rows.index, rows.slots.heap);
        else if (mark === 2) value = missing;
      }
      put(target, offset, value);
    }
    await half.store.yieldToLoop();
  }
  return target;
}

function put(target: ColumnVector, row: number, value: number | bigint | Uint8Array | null): void {
  if (target.offsets !== null) {
    const start = target.offsets[row];
    if (value === null) {
      setNull(target, row, target.count);
      target.offsets[row + 1] = start;
      return;
    }
    const bytes = value as Uint8Array;
    let store = target.bytes as Uint8Array;
    if (start + bytes.length > store.length) {
      const grown = new Uint8Array(Math.max(store.length * 2, start + bytes.length, 4096));
      grown.set(store.subarray(0, start));
      target.bytes = store = grown;
    }
    store.set(bytes, start);
    target.offsets[row + 1] = start + bytes.length;
    return;
  }
  if (value === null) setNull(target, row, target.count);
  else if (target.physical === 'bytes16') (target.values as Uint8Array).set(value as Uint8Array, row * 16);
  else (target.values as Float64Array)[row] = value as number;
}

/** Step 3. */
function switchOver(rows: RowStore, region: Region, sealed: BaseRegion, plan: Int32Array): void {
  const dead: number[] = [];
  for (let offset = 0; offset < plan.length; offset++) {
    const rowId = (region.segment * REGION_ROWS + offset) as RowId;
    const planned = plan[offset];
    const link = rows.link(rowId);
    if (link === LINK_NONE) {
      dead.push(offset);
      continue;
    }
    if (link === planned) {
      if (link === LINK_BASE) continue;
      rows.locate(rowId, link);
      if (rows.chunk.xmax[rows.index] === 0) {
        if (region.kind === 'base') rows.releaseSlot(link - 1, true);
        else rows.deltaVersions--;
        continue;
      }
    }
    sealed.setLink(offset, rows.rebaseChain(rowId, link, planned, region.kind === 'slots' ? region : null));
  }
  for (const offset of dead) {
    sealed.setLink(offset, LINK_NONE);
    sealed.deadCount++;
  }
  rows.regions[region.segment] = sealed;
  if (region.kind === 'slots') rows.dropSlotRegion(region);
  else if (rows.found === FOUND_SLOT) rows.found = 0;
}
