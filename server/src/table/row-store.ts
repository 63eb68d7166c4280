/**
 * The rows of one table: regions by segment number, version chains, visibility, undo and pruning. No indexes, no log, no
 * locks: those are joined to it in table.ts.
 *
 * Chain      newest version first. A reader takes the first version whose creator it sees; if that version is a
 *            tombstone, or its deleter (`xmax`) is seen too, the row does not exist for it. A superseded version keeps
 *            xmax 0: being behind a visible version is what hides it.
 * Publication  payload and header with plain stores, then one atomic store of the row's head.
 * Reuse      a slot cut out of a chain is handed out again only when no reader epoch that was open then is still open.
 */
import { FROZEN_XID, type RowId, type Xid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import type { CommitTable } from '../txn/commit-table.ts';
import type { TransactionImplementation } from '../txn/transaction.ts';
import type { Datum } from '../types/datum.ts';
import type { Arena } from './arena.ts';
import { CELL_MISSING, CELL_NULL, CELL_PRESENT, type ColumnCodec, columnCodec } from './column-codec.ts';
import type { TableSchema } from './contract.ts';
import type { Epochs } from './epochs.ts';
import type { LogReader } from './log-reader.ts';
import {
  type BaseRegion,
  type Chunk,
  LINK_BASE,
  LINK_NONE,
  REGION_ROWS,
  type Region,
  SlotRegion,
  VERSION_TOMBSTONE,
} from './region.ts';
import { replayRow } from './region-image.ts';

export const FOUND_NONE = 0;
export const FOUND_SLOT = 1;
export const FOUND_BASE = 2;

const MAX_SEGMENTS = 2 ** 31;

/** See the module comment. */
export class RowStore {
  schema: TableSchema;
  codecs: (ColumnCodec | null)[] = [];
  missing: Datum[] = [];
  /** By segment number; holes where a region was dropped. */
  readonly regions: (Region | undefined)[] = [];
  readonly slotRegions: (SlotRegion | undefined)[] = [];
  /** Rows that exist: inserted and not deleted, running transactions counted as if they committed. */
  liveRows = 0;
  /** Versions in slot regions that some row names. */
  deltaVersions = 0;

  // Where the last `resolve` (or `locate`) found its version.
  chunk!: Chunk;
  index = 0;
  slots!: SlotRegion;
  base!: BaseRegion;
  offset = 0;
  found = FOUND_NONE;

  private readonly arena: Arena;
  private readonly commits: CommitTable;
  private readonly epochs: Epochs;
  private openRegion: SlotRegion | null = null;
  private pool: SlotRegion | null = null;
  private readonly freeVersions: number[] = [];
  private readonly freeRows: number[] = [];
  private pins = 0;
  private afterPins: (() => void) | null = null;

  constructor(schema: TableSchema, arena: Arena, commits: CommitTable, epochs: Epochs) {
    this.schema = schema;
    this.arena = arena;
    this.commits = commits;
    this.epochs = epochs;
    this.setSchema(schema);
  }

  setSchema(schema: TableSchema): void {
    this.schema = schema;
    this.codecs = schema.columns.map((column) =>
      column.dropped
        ? null
        : columnCodec(column.support, column.typmod, column.support.physical(column.typmod)),
    );
    this.missing = schema.columns.map((column) => column.missingValue);
  }

  /** Segment number for new rows. */
  nextSegment(): number {
    const segment = this.regions.length;
    if (segment >= MAX_SEGMENTS) {
      throw new DbError('program_limit_exceeded', `table "${this.schema.name}" has no row ids left`);
    }
    return segment;
  }

  // ------------------------------------------------------------------------------------------------ slots

  private newSlotRegion(segment: number): SlotRegion {
    let number = this.slotRegions.indexOf(undefined);
    if (number < 0) number = this.slotRegions.length;
    if (number >= 32767) {
      throw new DbError('out_of_memory', `too many unsealed rows in table "${this.schema.name}"`);
    }
    const region = new SlotRegion(number, segment, this.arena);
    this.slotRegions[number] = region;
    return region;
  }

  /** Adds a slot region for the given segment (recovery puts rows back at their ids). */
  slotRegionFor(segment: number): SlotRegion {
    const existing = this.regions[segment];
    if (existing !== undefined && existing.kind === 'slots') return existing;
    const region = this.newSlotRegion(segment);
    while (this.regions.length < segment) this.regions.push(undefined);
    this.regions[segment] = region;
    return region;
  }

  /** A row id for a new row. */
  allocateRow(): RowId {
    const free = this.freeRows.pop();
    if (free !== undefined) return free as RowId;
    let region = this.openRegion;
    if (region === null || region.used >= REGION_ROWS) {
      region = this.slotRegionFor(this.nextSegment());
      this.openRegion = region;
    }
    return (region.segment * REGION_ROWS + region.used++) as RowId;
  }

  /** Slot for a further version of some row. */
  private allocateVersion(): number {
    const free = this.freeVersions.pop();
    if (free !== undefined) return free;
    let { pool } = this;
    if (pool === null || pool.used >= REGION_ROWS) {
      pool = this.newSlotRegion(-1);
      this.pool = pool;
    }
    return pool.slotBase + pool.used++;
  }

  /** Points the current location at a slot. */
  private toSlot(slot: number): void {
    const region = this.slotRegions[slot >>> 16] as SlotRegion;
    const offset = slot & 0xffff;
    const chunk = region.chunks[32 - Math.clz32(offset >>> 6)];
    this.slots = region;
    this.chunk = chunk;
    this.index = offset - chunk.start;
    this.found = FOUND_SLOT;
  }

  // ------------------------------------------------------------------------------------------------ links

  link(rowId: RowId): number {
    const region = this.regions[Math.floor(rowId / REGION_ROWS)];
    if (region === undefined) return LINK_NONE;
    const offset = rowId % REGION_ROWS;
    if (region.kind === 'base') return region.isDropped ? LINK_NONE : region.link(offset);
    if (offset >= region.used) return LINK_NONE;
    const chunk = region.chunks[32 - Math.clz32(offset >>> 6)];
    return chunk === undefined ? LINK_NONE : chunk.head[offset - chunk.start];
  }

  private setLink(rowId: RowId, link: number): void {
    const region = this.regions[Math.floor(rowId / REGION_ROWS)] as Region;
    const offset = rowId % REGION_ROWS;
    if (region.kind === 'base') {
      region.setLink(offset, link);
      return;
    }
    const chunk = region.chunks[32 - Math.clz32(offset >>> 6)];
    const before = chunk.head[offset - chunk.start];
    if (before === 0 && link !== 0) region.rows++;
    else if (before !== 0 && link === 0) region.rows--;
    Atomics.store(chunk.head, offset - chunk.start, link);
  }

  /** Moves the current location to what a link of this row names. */
  locate(rowId: RowId, link: number): number {
    if (link > 0) {
      this.toSlot(link - 1);
      return FOUND_SLOT;
    }
    if (link === LINK_BASE) {
      this.base = this.regions[Math.floor(rowId / REGION_ROWS)] as BaseRegion;
      this.offset = rowId % REGION_ROWS;
      this.found = FOUND_BASE;
      return FOUND_BASE;
    }
    this.found = FOUND_NONE;
    return FOUND_NONE;
  }

  // ------------------------------------------------------------------------------------------------ visibility

  /** Finds the version of the row that the snapshot sees and makes it the current location. */
  resolve(
    rowId: RowId,
    sequenceLow: number,
    transaction: TransactionImplementation,
    commandId: number,
  ): number {
    return this.resolveLink(rowId, this.link(rowId), sequenceLow, transaction, commandId);
  }

  resolveLink(
    rowId: RowId,
    link: number,
    sequenceLow: number,
    transaction: TransactionImplementation,
    commandId: number,
  ): number {
    const { commits } = this;
    while (link > 0) {
      this.toSlot(link - 1);
      const { chunk, index } = this;
      const xmin = chunk.xmin[index];
      if (
        xmin === FROZEN_XID ||
        commits.isCommittedAt(xmin, sequenceLow) ||
        (chunk.cmin[index] < commandId && transaction.ownsLow(xmin))
      ) {
        const xmax = chunk.xmax[index];
        if (
          (chunk.flags[index] & VERSION_TOMBSTONE) !== 0 ||
          (xmax !== 0 &&
            (commits.isCommittedAt(xmax, sequenceLow) ||
              (chunk.cmax[index] < commandId && transaction.ownsLow(xmax))))
        ) {
          this.found = FOUND_NONE;
          return FOUND_NONE;
        }
        return FOUND_SLOT;
      }
      link = chunk.previous[index];
    }
    if (link === LINK_BASE) {
      this.locate(rowId, LINK_BASE);
      if (this.isBaseVisible(this.base, sequenceLow, transaction, commandId)) return FOUND_BASE;
    }
    this.found = FOUND_NONE;
    return FOUND_NONE;
  }

  isBaseVisible(
    base: BaseRegion,
    sequenceLow: number,
    transaction: TransactionImplementation,
    commandId: number,
  ): boolean {
    const { owner } = base;
    if (owner === 0) return !base.isDropped;
    const low = owner | 0;
    return (
      this.commits.isCommittedAt(low, sequenceLow) ||
      (base.ownerCommand < commandId && transaction.ownsLow(low))
    );
  }

  // ------------------------------------------------------------------------------------------------ values

  /** A column of the current location. Base rows may throw WaitSignal. */
  load(column: number): Datum {
    const codec = this.codecs[column];
    if (codec === null) return null;
    if (this.found === FOUND_SLOT) {
      const cells = this.chunk.columns[column];
      if (cells === undefined) return this.missing[column];
      const mark = cells.nulls[this.index];
      if (mark !== CELL_PRESENT) return mark === CELL_NULL ? null : this.missing[column];
      return codec.load(cells, this.index, this.slots.heap);
    }
    if (column >= this.base.columnCount) return this.missing[column];
    const value = this.base.reader.value(column, this.offset);
    return value === null ? null : codec.fromPhysical(value);
  }

  /** All columns of the current location (dropped ones NULL). */
  loadRow(): Datum[] {
    const row: Datum[] = [];
    for (let column = 0; column < this.codecs.length; column++) row.push(this.load(column));
    return row;
  }

  // ------------------------------------------------------------------------------------------------ changes

  private fillSlot(region: SlotRegion, offset: number, row: readonly Datum[]): void {
    const chunk = region.ensureChunk(offset, this.codecs);
    const index = offset - chunk.start;
    const { codecs } = this;
    for (let column = 0; column < codecs.length; column++) {
      const codec = codecs[column];
      if (codec === null) continue;
      const cells = chunk.columns[column] ?? region.addColumn(chunk, column, codec);
      const value = row[column];
      if (value === null || value === undefined) cells.nulls[index] = CELL_NULL;
      else {
        codec.store(cells, index, value, region.heap);
        cells.nulls[index] = CELL_PRESENT;
      }
    }
    this.chunk = chunk;
    this.index = index;
    this.slots = region;
    this.found = FOUND_SLOT;
  }

  private stamp(xid: Xid, command: number, previous: number, flags: number): void {
    const { chunk, index } = this;
    chunk.xmin[index] = xid | 0;
    chunk.xmax[index] = 0;
    chunk.cmin[index] = command;
    chunk.cmax[index] = 0;
    chunk.previous[index] = previous;
    chunk.flags[index] = flags;
    this.deltaVersions++;
  }

  /** Adds a row; the current location is its slot afterwards. */
  insert(row: readonly Datum[], xid: Xid, command: number): RowId {
    const rowId = this.allocateRow();
    const region = this.regions[Math.floor(rowId / REGION_ROWS)] as SlotRegion;
    const offset = rowId % REGION_ROWS;
    try {
      this.fillSlot(region, offset, row);
    } catch (error) {
      this.freeRows.push(rowId);
      throw error;
    }
    this.stamp(xid, command, LINK_NONE, 0);
    this.setLink(rowId, region.slotBase + offset + 1);
    this.liveRows++;
    return rowId;
  }

  /** Adds a version on top of the row's chain; returns its slot. */
  addVersion(rowId: RowId, row: readonly Datum[] | null, xid: Xid, command: number, flags: number): number {
    const slot = this.allocateVersion();
    const region = this.slotRegions[slot >>> 16] as SlotRegion;
    try {
      if (row !== null) this.fillSlot(region, slot & 0xffff, row);
      else {
        region.ensureChunk(slot & 0xffff, this.codecs);
        this.toSlot(slot);
      }
    } catch (error) {
      this.freeVersions.push(slot);
      throw error;
    }
    this.stamp(xid, command, this.link(rowId), flags);
    this.setLink(rowId, slot + 1);
    return slot;
  }

  /** Marks the newest version deleted. The head must be a slot. */
  markDeleted(rowId: RowId, xid: Xid, command: number): void {
    this.locate(rowId, this.link(rowId));
    this.chunk.cmax[this.index] = command;
    Atomics.store(this.chunk.xmax, this.index, xid | 0);
  }

  /** Cuts the newest version off (its transaction rolled back). */
  popVersion(rowId: RowId): void {
    const link = this.link(rowId);
    this.toSlot(link - 1);
    const previous = this.chunk.previous[this.index];
    this.setLink(rowId, previous);
    this.releaseSlot(link - 1, true);
  }

  /** Ends a row whose id lies in a slot region: it may be given to a new row. */
  removeRow(rowId: RowId): void {
    const region = this.regions[Math.floor(rowId / REGION_ROWS)] as Region;
    if (region.kind === 'base') {
      const before = region.link(rowId % REGION_ROWS);
      if (before !== LINK_NONE) region.deadCount++;
      region.setLink(rowId % REGION_ROWS, LINK_NONE);
      return;
    }
    this.setLink(rowId, LINK_NONE);
    this.epochs.retire(() => this.freeRows.push(rowId));
  }

  // ------------------------------------------------------------------------------------------------ restoring

  /** Start-up: the row is what the reader holds, decided and visible to all, whatever it was before. */
  restoreRow(rowId: RowId, reader: LogReader): void {
    const segment = Math.floor(rowId / REGION_ROWS);
    const offset = rowId % REGION_ROWS;
    const region = this.regions[segment];
    if (region?.kind === 'base') {
      let link = region.link(offset);
      if (link === LINK_NONE) {
        this.liveRows++;
        if (region.deadCount > 0) region.deadCount--;
      }
      if (link > 0) this.dropCells(link - 1);
      else {
        link = this.allocateVersion() + 1;
        this.deltaVersions++;
      }
      const slots = this.slotRegions[(link - 1) >>> 16] as SlotRegion;
      replayRow(reader, this.codecs, slots, (link - 1) & 0xffff);
      region.setLink(offset, link);
      return;
    }
    const slots = this.slotRegionFor(segment);
    if (offset >= slots.used) slots.used = offset + 1;
    const isNew = this.link(rowId) === LINK_NONE;
    if (!isNew) this.dropCells(slots.slotBase + offset);
    replayRow(reader, this.codecs, slots, offset);
    if (isNew) {
      this.setLink(rowId, slots.slotBase + offset + 1);
      this.liveRows++;
      this.deltaVersions++;
    }
  }

  /** Start-up: the row is gone for everybody. */
  restoreDead(rowId: RowId): void {
    const link = this.link(rowId);
    if (link === LINK_NONE) return;
    this.liveRows--;
    if (link > 0) {
      this.dropCells(link - 1);
      this.deltaVersions--;
      const region = this.slotRegions[(link - 1) >>> 16];
      if (region !== undefined && region.segment < 0) this.freeVersions.push(link - 1);
    }
    const region = this.regions[Math.floor(rowId / REGION_ROWS)] as Region;
    if (region.kind === 'base') region.deadCount++;
    this.setLink(rowId, LINK_NONE);
  }

  /** Start-up is over: gaps become free row ids, the last region goes on being filled. */
  finishRestore(): void {
    for (const region of this.regions) {
      if (region === undefined || region.kind !== 'slots') continue;
      for (let offset = 0; offset < region.used; offset++) {
        const chunk = region.ensureChunk(offset, this.codecs);
        if (chunk.head[offset - chunk.start] === LINK_NONE) {
          this.freeRows.push(region.segment * REGION_ROWS + offset);
        }
      }
      if (region.used < REGION_ROWS) this.openRegion = region;
    }
  }

  private dropCells(slot: number): void {
    const region = this.slotRegions[slot >>> 16] as SlotRegion;
    const offset = slot & 0xffff;
    const chunk = region.chunk(offset);
    const index = offset - chunk.start;
    for (let column = 0; column < chunk.columns.length; column++) {
      const cells = chunk.columns[column];
      const codec = this.codecs[column];
      if (
        cells !== undefined &&
        codec !== null &&
        codec !== undefined &&
        cells.nulls[index] === CELL_PRESENT
      ) {
        codec.drop(cells, index, region.heap);
      }
    }
  }

  // ------------------------------------------------------------------------------------------------ giving back

  /** Keeps the rows readable for a checkpoint although the table is dropped meanwhile. */
  pin(): void {
    this.pins++;
  }

  unpin(): void {
    if (--this.pins > 0) return;
    const action = this.afterPins;
    this.afterPins = null;
    action?.();
  }

  whenUnpinned(action: () => void): void {
    if (this.pins === 0) action();
    else this.afterPins = action;
  }

  /** Gives back the memory of a version that no chain names. */
  releaseSlot(slot: number, isOutOfChain: boolean): void {
    const region = this.slotRegions[slot >>> 16];
    if (region === undefined) return;
    if (isOutOfChain) this.deltaVersions--;
    const reclaim = (): void => {
      const offset = slot & 0xffff;
      const chunk = region.chunk(offset);
      if (chunk === undefined) return;
      const index = offset - chunk.start;
      if ((chunk.flags[index] & VERSION_TOMBSTONE) === 0) {
        for (let column = 0; column < chunk.columns.length; column++) {
          const cells = chunk.columns[column];
          const codec = this.codecs[column];
          if (
            cells !== undefined &&
            codec !== null &&
            codec !== undefined &&
            cells.nulls[index] === CELL_PRESENT
          ) {
            codec.drop(cells, index, region.heap);
            cells.nulls[index] = CELL_NULL;
          }
        }
      }
      chunk.xmin[index] = 0;
      chunk.previous[index] = 0;
      // A home slot belongs to its row id: it returns with the row.
      if (region.segment < 0) this.freeVersions.push(slot);
    };
    if (this.epochs.isQuiet) reclaim();
    else this.epochs.retire(reclaim);
  }

  /**
   * A chain whose region becomes a segment: a version that the segment has (`planned`) becomes the base row, versions in
   * `home`'s own slots move to the pool. Returns the chain's new head link.
   */
  rebaseChain(rowId: RowId, head: number, planned: number, home: SlotRegion | null): number {
    let newHead = head;
    let parent = 0;
    for (let link = head; link > 0; ) {
      this.locate(rowId, link);
      const previous = this.chunk.previous[this.index];
      let current = link;
      if (link === planned && parent !== 0 && this.chunk.xmax[this.index] === 0) {
        this.toSlot(parent - 1);
        this.chunk.previous[this.index] = LINK_BASE;
        if (home === null || (link - 1) >>> 16 !== home.number) this.releaseSlot(link - 1, true);
        else this.deltaVersions--;
        return newHead;
      }
      if (home !== null && (link - 1) >>> 16 === home.number) {
        current = this.moveToPool(link - 1) + 1;
        if (parent === 0) newHead = current;
        else {
          this.toSlot(parent - 1);
          this.chunk.previous[this.index] = current;
        }
      }
      parent = current;
      link = previous;
    }
    return newHead;
  }

  /** Copies a version into a slot of the pool. */
  private moveToPool(slot: number): number {
    const target = this.allocateVersion();
    const region = this.slotRegions[target >>> 16] as SlotRegion;
    const to = region.ensureChunk(target & 0xffff, this.codecs);
    const toIndex = (target & 0xffff) - to.start;
    this.toSlot(slot);
    const { chunk, index, slots } = this;
    to.xmin[toIndex] = chunk.xmin[index];
    to.xmax[toIndex] = chunk.xmax[index];
    to.cmin[toIndex] = chunk.cmin[index];
    to.cmax[toIndex] = chunk.cmax[index];
    to.flags[toIndex] = chunk.flags[index];
    to.previous[toIndex] = chunk.previous[index];
    if ((chunk.flags[index] & VERSION_TOMBSTONE) !== 0) return target;
    for (let column = 0; column < this.codecs.length; column++) {
      const codec = this.codecs[column];
      if (codec === null) continue;
      const cells = chunk.columns[column];
      const toCells = to.columns[column] ?? region.addColumn(to, column, codec);
      const mark = cells === undefined ? CELL_MISSING : cells.nulls[index];
      toCells.nulls[toIndex] = mark;
      if (cells !== undefined && mark === CELL_PRESENT)
        codec.copy(cells, index, slots.heap, toCells, toIndex, region.heap);
    }
    return target;
  }

  /** Adds an immutable run of rows under a new segment number. */
  addBase(region: BaseRegion): void {
    while (this.regions.length < region.segment) this.regions.push(undefined);
    this.regions[region.segment] = region;
  }

  /** Reserves a segment number. */
  reserveSegment(): number {
    const segment = this.nextSegment();
    this.regions.push(undefined);
    return segment;
  }

  /** No more rows go to the current open region (it is about to be sealed or written). */
  closeOpenRegion(): void {
    this.openRegion = null;
  }

  /** After recovery: the region goes on being filled. */
  continueRegion(region: SlotRegion): void {
    if (region.used < REGION_ROWS) this.openRegion = region;
  }

  get isOpen(): SlotRegion | null {
    return this.openRegion;
  }

  /** Forgets freed row ids of a segment that changes its form. */
  forgetFreeRows(segment: number): void {
    let kept = 0;
    for (const rowId of this.freeRows) {
      if (Math.floor(rowId / REGION_ROWS) !== segment) this.freeRows[kept++] = rowId;
    }
    this.freeRows.length = kept;
  }

  addFreeRow(rowId: RowId): void {
    this.freeRows.push(rowId);
  }

  dropSlotRegion(region: SlotRegion): void {
    this.slotRegions[region.number] = undefined;
    if (this.openRegion === region) this.openRegion = null;
    if (this.pool === region) this.pool = null;
    const drop = (): void => region.drop();
    if (this.epochs.isQuiet) drop();
    else this.epochs.retire(drop);
  }

  /** Frees everything (table dropped or truncated). */
  drop(): void {
    for (const region of this.slotRegions) if (region !== undefined) this.dropSlotRegion(region);
    this.regions.length = 0;
    this.freeRows.length = 0;
    this.freeVersions.length = 0;
  }
}
