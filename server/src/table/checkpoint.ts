/**
 * Checkpoints: background, incremental, each one a snapshot.
 *
 *   1. In one turn: the visible sequence S, the log position A from which commits are not in S (the first record of a
 *      commit not yet published, else the end of the log), the position R <= A where the parts of undecided transactions
 *      begin, and the committed structure. A transaction pins S.
 *   2. Regions changed since their last image are imaged as of S into a new block file; indexes that changed are written
 *      as runs. Both in slices; the engine goes on.
 *   3. File finished and synced; log flushed up to the end of step 1; new manifest. Then the log before R is let go.
 *
 * Redo after this starts at R and applies commits at or after A. A crash before the manifest leaves the old checkpoint in
 * force and an orphan file that the next start removes.
 * Indexes may be newer than S: entries are hints, and none that a row of S needs goes while S is pinned.
 */
import type { CommitSequence, Lsn, Oid } from '../base/brands.ts';
import { ByteTree } from '../index/byte-tree.ts';
import type { OrderedIndex } from '../index/contract.ts';
import { writeRun } from '../index/index-run.ts';
import { NumericTree } from '../index/numeric-tree.ts';
import {
  BLOCK_FILE_TARGET_BYTES,
  type BlockFileWriter,
  type BlockRef,
  type ColumnDescriptor,
  type NamedBlob,
  type SegmentDescriptor,
  type TableDirectory,
} from '../storage/contract.ts';
import { segmentBlocks } from '../storage/index.ts';
import { LogBuffer } from '../txn/log-buffer.ts';
import type { TransactionImplementation } from '../txn/transaction.ts';
import type { CapturedTable } from './directory.ts';
import type { DurableHalf } from './durability.ts';
import { MemorySegment } from './memory-segment.ts';
import type { BaseRegion } from './region.ts';
import { imageRegion } from './region-image.ts';
import { sequenceToText } from './schema-codec.ts';
import { sealTable, wantsSealing } from './seal.ts';
import type { TableImplementation } from './table.ts';
import type { TableIndex } from './table-index.ts';

/** Kinds of blobs in a table's directory. */
export const BLOB_REGION_IMAGE = 1;
export const BLOB_INDEX_RUN = 2;
export const BLOB_STATISTICS = 3;
/** Key of an index run part: index oid * PARTS + part. */
export const RUN_PARTS = 65536;
export const SECTION_STORE = 'store';
export const SECTION_SEQUENCES = 'sequences';

/** The store's own section of the manifest. */
export interface StoreSection {
  /** Commits whose record begins before this are in the images. */
  applyLsn: number;
  /** Written by an orderly shutdown: unlogged tables have their rows. */
  isClean: boolean;
}

/** What is on disk of an index. */
interface IndexImage {
  parts: BlockRef[];
  /** The tree that was written, and its count of changes then. */
  tree: OrderedIndex;
  changes: number;
}

/** The moment a checkpoint is of. */
interface Moment {
  readonly pin: TransactionImplementation;
  readonly sequence: number;
  readonly tick: number;
  readonly isFinal: boolean;
  /** The table's directory must be written whether rows changed or not. */
  readonly isNew: boolean;
  /** Files that should become free: what is in use there is written again. */
  readonly wasteful: ReadonlySet<number>;
}

/** Where blocks go. */
interface Sink {
  openFile(): Promise<BlockFileWriter>;
  append(kind: 'blob' | 'index', bytes: Uint8Array): Promise<BlockRef>;
}

/** See the module comment. One at a time. */
export class Checkpointer {
  private readonly half: DurableHalf;
  private chain: Promise<void> = Promise.resolve();
  private readonly runs = new WeakMap<TableIndex, IndexImage>();
  /** Statistics on disk, by the table they are of. */
  private readonly statistics = new WeakMap<TableImplementation, BlockRef>();
  /** Tables named by the current manifest. */
  private readonly named = new Set<Oid>();
  private lastLogPosition = 0;
  /** Sizes of block files as far as we wrote them. */
  private readonly fileSizes = new Map<number, number>();

  constructor(half: DurableHalf) {
    this.half = half;
  }

  /** Recovery tells what the manifest holds. */
  noteRun(index: TableIndex, parts: BlockRef[]): void {
    this.runs.set(index, { parts, tree: index.tree, changes: index.tree.changes });
  }

  noteStatistics(table: TableImplementation, ref: BlockRef): void {
    this.statistics.set(table, ref);
  }

  noteTable(oid: Oid): void {
    this.named.add(oid);
  }

  noteStart(lsn: Lsn): void {
    this.lastLogPosition = lsn;
  }

  /** Log bytes since the last checkpoint. */
  get logBytes(): number {
    return this.half.storage.log.insertLsn - this.lastLogPosition;
  }

  /** Runs work that must not overlap with a checkpoint. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.chain.then(work);
    this.chain = result.then(
      () => {},
      () => {},
    );
    return result;
  }

  /** Since the start, for the statistics views. Times in milliseconds since 1970. */
  readonly activity = { count: 0, lastMillis: 0, durationMillis: 0, isRunning: false };

  run(isFinal: boolean): Promise<void> {
    return this.exclusive(async () => {
      this.activity.isRunning = true;
      const start = this.nowMillis();
      try {
        await this.checkpoint(isFinal);
      } finally {
        this.activity.isRunning = false;
        this.activity.count++;
        this.activity.lastMillis = this.nowMillis();
        this.activity.durationMillis += this.activity.lastMillis - start;
      }
    });
  }

  private nowMillis(): number {
    return this.half.store.wallMillis();
  }

  /** Seals and compacts what is due without a checkpoint. */
  sealDue(): Promise<void> {
    return this.exclusive(() => this.sealAll());
  }

  private async sealAll(): Promise<void> {
    const { half } = this;
    for (const entry of [...half.directory.tables.values()]) {
      if (half.store.tables.get(entry.table.storageId) === entry.table && wantsSealing(half, entry.table)) {
        await sealTable(half, entry.table);
      }
    }
  }

  private async checkpoint(isFinal: boolean): Promise<void> {
    const { half } = this;
    const { storage, store, directory } = half;
    const { transactions } = store;
    await this.sealAll();
    // Step 1: one turn.
    const applyLsn = transactions.firstPendingLsn() ?? storage.log.insertLsn;
    const redoLsn = Math.min(applyLsn, transactions.firstStreamedLsn() ?? applyLsn) as Lsn;
    const flushLsn = storage.log.insertLsn;
    const tick = store.changeTick;
    const pin = transactions.begin({ isolation: 'repeatable read', readOnly: true, sessionId: 0 });
    const { sequence }: { sequence: CommitSequence } = pin.statementSnapshot();
    const inFlight = transactions.streamingXids();
    const nextXid = transactions.table.nextXid;
    const { nextOid } = store;
    const touched = new Set(directory.touched);
    directory.touched.clear();
    const captured = new Map<Oid, CapturedTable>();
    for (const [oid, entry] of directory.tables) {
      const trees = new Map<Oid, { tree: OrderedIndex; changes: number }>();
      for (const [indexOid, { index }] of entry.indexes) {
        trees.set(indexOid, { tree: index.tree, changes: index.tree.changes });
      }
      captured.set(oid, { ...entry, trees });
      entry.rows.pin();
    }
    const sequences: Record<string, string> = {};
    for (const oid of directory.sequences) {
      const sequenceObject = store.sequences.get(oid);
      if (sequenceObject !== undefined) sequences[oid] = sequenceToText(sequenceObject.durableState());
    }

    const edit = storage.manifest.begin();
    const files: BlockFileWriter[] = [];
    const finished = new Set<BlockFileWriter>();
    let isCommitted = false;
    try {
      const openFile = async (): Promise<BlockFileWriter> => {
        let file = files.at(-1);
        if (file === undefined || file.size > BLOCK_FILE_TARGET_BYTES) {
          file = await storage.files.create();
          files.push(file);
        }
        return file;
      };
      const append = async (kind: 'blob' | 'index', bytes: Uint8Array): Promise<BlockRef> => {
        const file = await openFile();
        const ref = file.append(kind, bytes, 'auto');
        await file.drain();
        return ref;
      };
      const sink: Sink = { openFile, append };
      // Step 2.
      const settle: (() => void)[] = [];
      const wasteful = this.wastefulFiles(captured);
      for (const [oid, entry] of captured) {
        const isNew = touched.has(oid) || !this.named.has(oid);
        const written = await this.writeTable(
          entry,
          { pin, sequence, tick, isFinal, isNew, wasteful },
          sink,
          settle,
        );
        if (written !== null) edit.setTable(oid, written);
      }
      for (const oid of this.named) if (!captured.has(oid)) edit.dropTable(oid);
      // Step 3.
      for (const file of files) {
        await file.finish();
        finished.add(file);
        this.fileSizes.set(file.file, file.size);
      }
      await storage.log.waitFlushed(flushLsn);
      edit.setHeader({
        checkpointLsn: redoLsn,
        durableLsn: storage.log.flushedLsn,
        commitSequence: sequence,
        nextXid,
        nextOid,
        inFlight,
      });
      const section: StoreSection = { applyLsn, isClean: isFinal };
      edit.setSection(SECTION_STORE, Buffer.from(JSON.stringify(section)));
      edit.setSection(SECTION_SEQUENCES, Buffer.from(JSON.stringify(sequences)));
      await edit.commit();
      isCommitted = true;
      this.named.clear();
      for (const oid of captured.keys()) this.named.add(oid);
      for (const action of settle) action();
      this.lastLogPosition = flushLsn;
      half.releaseLogHolds(applyLsn);
    } finally {
      if (!isCommitted) {
        edit.abandon();
        for (const oid of touched) directory.touched.add(oid);
      }
      for (const file of files) {
        if (finished.has(file)) storage.files.release(file.file);
        else await file.abandon().catch(() => {});
      }
      transactions.rollback(pin);
      for (const entry of captured.values()) entry.rows.unpin();
    }
    await storage.log.truncateBefore(redoLsn);
  }

  /** Files whose blocks are mostly out of use. Their sizes are known as far as the last block in use. */
  private wastefulFiles(captured: ReadonlyMap<Oid, CapturedTable>): Set<number> {
    const files = new Map<number, { live: number; end: number }>();
    const note = (ref: BlockRef): void => {
      const file = files.get(ref.file) ?? { live: 0, end: this.fileSizes.get(ref.file) ?? 0 };
      file.live += ref.length;
      file.end = Math.max(file.end, ref.offset + ref.length);
      files.set(ref.file, file);
    };
    for (const { table, rows, indexes } of captured.values()) {
      const statistics = this.statistics.get(table);
      if (statistics !== undefined) note(statistics);
      for (const region of rows.regions) {
        if (region === undefined) continue;
        if (region.state.image !== null) note(region.state.image);
        if (region.kind === 'base' && region.descriptor !== null)
          segmentBlocks(region.descriptor).forEach(note);
      }
      for (const { index } of indexes.values()) this.runs.get(index)?.parts.forEach(note);
    }
    for (const file of [...this.fileSizes.keys()]) if (!files.has(file)) this.fileSizes.delete(file);
    const wasteful = new Set<number>();
    for (const [file, { live, end }] of files)
      if (end > this.half.settings.wasteBytes && live < end * LIVE_SHARE) wasteful.add(file);
    return wasteful;
  }

  /** Copies the blocks of a segment out of wasteful files; null if it has none there. */
  private async moveSegment(
    region: BaseRegion,
    wasteful: ReadonlySet<number>,
    sink: Sink,
  ): Promise<SegmentDescriptor | null> {
    const { descriptor } = region;
    if (descriptor === null || wasteful.size === 0) return null;
    if (!segmentBlocks(descriptor).some((block) => wasteful.has(block.file))) return null;
    const { blocks } = this.half.storage;
    const move = async (column: ColumnDescriptor): Promise<ColumnDescriptor> => {
      const { block } = column;
      if (block === null) return column;
      const payload = await blocks.readBlob(block);
      const file = await sink.openFile();
      const moved = file.append('column', payload, block.length < payload.length ? 'auto' : 'none');
      await file.drain();
      return { ...column, block: moved };
    };
    const columns: ColumnDescriptor[] = [];
    for (const column of descriptor.columns) columns.push(await move(column));
    return { ...descriptor, segment: region.segment, columns, sequence: await move(descriptor.sequence) };
  }

  /** Images what changed of one table and sets its directory; false if nothing did. */
  private async writeTable(
    entry: CapturedTable,
    moment: Moment,
    sink: Sink,
    settle: (() => void)[],
  ): Promise<TableDirectory | null> {
    const { pin, sequence, tick, isFinal } = moment;
    const { append, openFile } = sink;
    const { half } = this;
    const { store } = half;
    const yieldToLoop = (): Promise<void> => store.yieldToLoop();
    const isStored = entry.persistence === 'permanent' || (entry.persistence === 'unlogged' && isFinal);
    let isChanged = moment.isNew;
    const segments: SegmentDescriptor[] = [];
    const blobs: NamedBlob[] = [];
    const { rows } = entry;
    for (let segment = 0; isStored && segment < rows.regions.length; segment++) {
      const region = rows.regions[segment];
      if (region === undefined) continue;
      const { state } = region;
      if (region.kind === 'base') {
        if (region.isDropped || !rows.isBaseVisible(region, sequence | 0, pin, 0)) {
          if (region.owner !== 0) isChanged = true;
          continue;
        }
        if (region.descriptor === null && region.reader instanceof MemorySegment) {
          // Rows of an unlogged bulk load, in memory only so far.
          const { columns } = region.reader;
          region.descriptor = await half.encode(await openFile(), segment, region.rowCount, columns);
        }
        const moved = await this.moveSegment(region, moment.wasteful, sink);
        if (moved !== null) {
          isChanged = true;
          segments.push(moved);
          const { changedAt } = state;
          settle.push(() => {
            half.regionGone(entry.table, region);
            half.adoptRegion(region, moved);
            // Moving is no change of rows.
            state.changedAt = changedAt;
          });
        } else if (region.descriptor !== null) segments.push({ ...region.descriptor, segment });
      }
      const isWasteful = state.image !== null && moment.wasteful.has(state.image.file);
      if (state.imagedAt < state.changedAt || isWasteful) {
        isChanged = true;
        const needsImage = region.kind === 'slots' || region.headCount > 0;
        if (needsImage) {
          const image = await imageRegion(
            rows,
            region,
            entry.codecs,
            pin,
            sequence,
            store.commits,
            yieldToLoop,
          );
          const ref = image.rowCount > 0 ? await append('blob', image.bytes) : null;
          state.image = ref;
          state.imagedAt = -1;
          settle.push(() => {
            state.imagedAt = image.isSettled ? tick : -1;
          });
        } else {
          state.image = null;
          settle.push(() => {
            state.imagedAt = tick;
          });
        }
      }
      if (state.image !== null) blobs.push({ kind: BLOB_REGION_IMAGE, key: segment, ref: state.image });
    }
    for (const [indexOid, { index }] of entry.indexes) {
      const captured = entry.trees.get(indexOid);
      if (!isStored || captured === undefined || index.relevant === null) continue;
      const { tree } = captured;
      let run = this.runs.get(index);
      const isWasteful = run?.parts.some((ref) => moment.wasteful.has(ref.file)) === true;
      if (run === undefined || run.tree !== tree || run.changes !== captured.changes || isWasteful) {
        isChanged = true;
        const parts: Uint8Array[] = [];
        if (tree instanceof NumericTree || tree instanceof ByteTree) {
          await writeRun(tree, (part) => parts.push(part), yieldToLoop);
        }
        const refs: BlockRef[] = [];
        for (const part of parts) refs.push(await append('index', part));
        run = { parts: refs, tree, changes: captured.changes };
        const done = run;
        settle.push(() => this.runs.set(index, done));
      }
      for (let part = 0; part < run.parts.length; part++) {
        blobs.push({ kind: BLOB_INDEX_RUN, key: indexOid * RUN_PARTS + part, ref: run.parts[part] });
      }
    }
    if (isStored) {
      const { table } = entry;
      const unstored = store.statistician.unstored(table);
      const known = this.statistics.get(table);
      if (unstored !== null) {
        isChanged = true;
        const ref = await append('blob', unstored.bytes);
        settle.push(() => {
          this.statistics.set(table, ref);
          unstored.settled();
        });
        blobs.push({ kind: BLOB_STATISTICS, key: 0, ref });
      } else if (known !== undefined) {
        let ref = known;
        if (moment.wasteful.has(known.file)) {
          isChanged = true;
          ref = await append('blob', await half.storage.blocks.readBlob(known));
          settle.push(() => this.statistics.set(table, ref));
        }
        blobs.push({ kind: BLOB_STATISTICS, key: 0, ref });
      }
    }
    return isChanged ? { segments, blobs, extra: tableExtra(entry, rows.regions.length) } : null;
  }
}

/** Part of a file that must be in use; below it what is used moves to a new file so that the old one can go. */
const LIVE_SHARE = 0.4;
/** extra: segments u32, schema text, index count u32, then index texts. */
export function tableExtra(entry: CapturedTable, segmentCount: number): Uint8Array {
  const buffer = new LogBuffer();
  buffer.u32(segmentCount);
  buffer.text(entry.schemaText);
  buffer.u32(entry.indexes.size);
  for (const { text } of entry.indexes.values()) buffer.text(text);
  return buffer.bytes.slice(0, buffer.length);
}
