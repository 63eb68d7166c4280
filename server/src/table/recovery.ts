/**
 * Start: the manifest's tables are put back, then the log's commits after the checkpoint are applied in order.
 *
 * Redo knows only commits: a commit record carries (or completes) all changes of its transaction, so nothing is ever
 * undone and every restored row is visible to all. Commits that begin before `applyLsn` are in the images already.
 * Doing it twice gives the same: redo writes nothing to disk but the log's own tail.
 */
import type { Oid, RowId, Xid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import { readRun } from '../index/index-run.ts';
import { NumericTree } from '../index/numeric-tree.ts';
import type { BlockRef, LogEnd, LogRecord, SegmentDescriptor } from '../storage/contract.ts';
import { decodeSegmentDescriptor, SegmentReader, segmentBlocks } from '../storage/index.ts';
import { RECORD_COMMIT, RECORD_PART, RECORD_PART_ABORT, RECORD_PART_TRUNCATE } from '../txn/ports.ts';
import {
  BLOB_INDEX_RUN,
  BLOB_REGION_IMAGE,
  BLOB_STATISTICS,
  RUN_PARTS,
  SECTION_SEQUENCES,
  SECTION_STORE,
  type StoreSection,
} from './checkpoint.ts';
import { type DurableHalf, RECORD_SEQUENCE } from './durability.ts';
import { buildIndex, indexSegment } from './index-build.ts';
import { LogReader } from './log-reader.ts';
import { MemorySegment } from './memory-segment.ts';
import {
  OPERATION_ALTER_TABLE,
  OPERATION_CREATE_INDEX,
  OPERATION_CREATE_SEQUENCE,
  OPERATION_CREATE_TABLE,
  OPERATION_DELETE,
  OPERATION_DROP_INDEX,
  OPERATION_DROP_SEQUENCE,
  OPERATION_DROP_TABLE,
  OPERATION_INSERT,
  OPERATION_SEGMENT,
  OPERATION_TRUNCATE,
  OPERATION_UPDATE,
} from './operations.ts';
import { BaseRegion, REGION_ROWS } from './region.ts';
import { restoreImage } from './region-image.ts';
import { indexFromText, sequenceFromText, type TypeResolver, tableFromText } from './schema-codec.ts';
import { TableImplementation } from './table.ts';
import { TableIndex } from './table-index.ts';

/** What a start found. */
export interface RecoveryReport {
  readonly log: LogEnd;
  /** Transactions applied from the log. */
  readonly commits: number;
  readonly tables: number;
  /** The manifest must be written anew before anything else happens. */
  readonly needsCheckpoint: boolean;
  /** Orphan files removed. */
  readonly removedFiles: readonly string[];
}

/** See the module comment. */
export class Recovery {
  private readonly half: DurableHalf;
  private readonly resolve: TypeResolver;
  private readonly parts = new Map<number, { chunks: Uint8Array[]; length: number }>();
  private readonly incomplete = new Set<TableIndex>();
  private applyLsn = 0;
  private maximumXid = 0;
  private commits = 0;

  constructor(half: DurableHalf, resolve: TypeResolver) {
    this.half = half;
    this.resolve = resolve;
  }

  async run(): Promise<RecoveryReport> {
    const { half } = this;
    const { storage, store } = half;
    const { header } = storage.manifest.current;
    const section = this.readSection<StoreSection>(SECTION_STORE);
    this.applyLsn = section?.applyLsn ?? 0;
    this.maximumXid = header.nextXid - 1;
    store.nextOid = Math.max(store.nextOid, header.nextOid);
    const isClean = section?.isClean === true;
    let hasUnlogged = false;
    for (const oid of storage.manifest.current.tables()) {
      if ((await this.loadTable(oid, isClean)) === 'unlogged') hasUnlogged = true;
    }
    // From here on: what differs from the manifest.
    half.directory.touched.clear();
    const sequences = this.readSection<Record<string, string>>(SECTION_SEQUENCES) ?? {};
    for (const [oid, text] of Object.entries(sequences)) this.putSequence(Number(oid), text);
    const { log } = storage;
    log.onRedo(RECORD_COMMIT, (record) => this.redoCommit(record));
    log.onRedo(RECORD_PART, (record) => this.redoPart(record));
    log.onRedo(RECORD_PART_TRUNCATE, (record) => this.redoPartTruncate(record));
    log.onRedo(RECORD_PART_ABORT, (record) => void this.parts.delete(record.xid));
    log.onRedo(RECORD_SEQUENCE, (record) => this.redoSequence(record));
    const end = await log.recover(header.checkpointLsn);
    this.parts.clear();
    if (this.commits > 0 && isClean) await this.emptyUnlogged();
    for (const table of store.tables.values()) {
      table.rows.finishRestore();
      for (const index of table.tableIndexes) {
        if (!this.incomplete.has(index)) continue;
        const conflict = await buildIndex(table.rows, index, store.commits, () => store.yieldToLoop());
        if (conflict !== null) {
          throw new DbError(
            'index_corrupted',
            `index "${index.schema.name}" has duplicate keys after recovery`,
          );
        }
      }
    }
    store.commits.raiseNext((this.maximumXid + 1) as Xid);
    const removedFiles = await storage.files.sweepOrphans();
    half.checkpointer.noteStart(header.checkpointLsn);
    if (isClean && hasUnlogged) {
      // From now on a crash empties unlogged tables: the manifest must no longer have their rows.
      for (const [oid, entry] of half.directory.tables) {
        if (entry.persistence === 'unlogged') half.directory.touched.add(oid);
      }
    }
    return {
      log: end,
      commits: this.commits,
      tables: store.tables.size,
      needsCheckpoint: isClean && hasUnlogged,
      removedFiles,
    };
  }

  private readSection<T>(name: string): T | null {
    const bytes = this.half.storage.manifest.current.section(name);
    return bytes === null ? null : (JSON.parse(Buffer.from(bytes).toString('utf8')) as T);
  }

  // ------------------------------------------------------------------------------------------------ manifest

  private async loadTable(oid: Oid, isClean: boolean): Promise<string> {
    const { half } = this;
    const { storage, store } = half;
    const stored = storage.manifest.current.table(oid);
    if (stored === null) throw new DbError('data_corrupted', `manifest has no directory for table ${oid}`);
    const reader = new LogReader(stored.extra);
    const segmentCount = reader.u32();
    const schema = tableFromText(reader.text(), this.resolve);
    const table = new TableImplementation(store, schema);
    store.tables.set(oid, table);
    const { rows } = table;
    const hasRows = schema.persistence === 'permanent' || isClean;
    if (hasRows) {
      while (rows.regions.length < segmentCount) rows.regions.push(undefined);
      for (const descriptor of stored.segments) {
        const columns = descriptor.columns.length;
        const region = new BaseRegion(
          descriptor.segment,
          descriptor.rowCount,
          new SegmentReader(descriptor, storage.blocks),
          columns,
          0 as Xid,
          0,
        );
        rows.addBase(region);
        rows.liveRows += descriptor.rowCount;
        table.modifications += descriptor.rowCount;
        half.adoptRegion(region, descriptor);
      }
      for (const blob of stored.blobs) {
        if (blob.kind !== BLOB_REGION_IMAGE) continue;
        restoreImage(rows, blob.key, await storage.blocks.readBlob(blob.ref));
      }
      for (const region of rows.regions) {
        if (region === undefined) continue;
        region.state.imagedAt = store.changeTick;
        region.state.changedAt = 0;
      }
      for (const blob of stored.blobs) {
        const region = blob.kind === BLOB_REGION_IMAGE ? rows.regions[blob.key] : undefined;
        if (region !== undefined) region.state.image = blob.ref;
      }
      for (const blob of stored.blobs) {
        if (blob.kind !== BLOB_STATISTICS) continue;
        store.statistician.restore(table, await storage.blocks.readBlob(blob.ref));
        half.checkpointer.noteStatistics(table, blob.ref);
      }
    }
    const runs = new Map<number, Map<number, BlockRef>>();
    for (const blob of stored.blobs) {
      if (blob.kind !== BLOB_INDEX_RUN) continue;
      const indexOid = Math.floor(blob.key / RUN_PARTS);
      const parts = runs.get(indexOid) ?? new Map<number, BlockRef>();
      parts.set(blob.key % RUN_PARTS, blob.ref);
      runs.set(indexOid, parts);
    }
    const indexCount = reader.u32();
    for (let at = 0; at < indexCount; at++) {
      const index = this.makeIndex(table, reader.text());
      const parts = runs.get(index.schema.indexOid);
      if (!index.isAttached) continue;
      if (parts === undefined || !hasRows) {
        this.incomplete.add(index);
        continue;
      }
      const refs = [...parts.entries()].sort(([left], [right]) => left - right).map(([, ref]) => ref);
      const bytes: Uint8Array[] = [];
      for (const ref of refs) bytes.push(await storage.blocks.readBlob(ref));
      const tree = await readRun(bytes, () => store.yieldToLoop());
      index.codec.isNumeric = tree instanceof NumericTree;
      index.replaceTree(tree);
      half.checkpointer.noteRun(index, refs);
    }
    half.directory.set(oid, half.entryOf(table));
    half.checkpointer.noteTable(oid);
    return schema.persistence;
  }

  private makeIndex(table: TableImplementation, text: string): TableIndex {
    const { schema, needsFunctions } = indexFromText(text, this.resolve);
    const index = new TableIndex(
      schema,
      table.schema.columns.map((column) => column.notNull),
      !needsFunctions,
    );
    index.storedText = text;
    this.half.store.attachToTable(table, index);
    return index;
  }

  private putSequence(oid: Oid, text: string): void {
    const { store, directory } = this.half;
    const state = sequenceFromText(text);
    const existing = store.sequences.get(oid);
    if (existing !== undefined) existing.replace(state);
    else store.newSequence(oid, state).isPublished = true;
    directory.sequences.add(oid);
  }

  private async emptyUnlogged(): Promise<void> {
    const { half } = this;
    for (const [oid, entry] of half.directory.tables) {
      if (entry.persistence !== 'unlogged') continue;
      this.truncate(oid);
    }
  }

  // ------------------------------------------------------------------------------------------------ log

  private redoPart(record: LogRecord): void {
    this.seen(record.xid);
    const stream = this.parts.get(record.xid) ?? { chunks: [], length: 0 };
    stream.chunks.push(record.payload.slice());
    stream.length += record.payload.length;
    this.parts.set(record.xid, stream);
  }

  private redoPartTruncate(record: LogRecord): void {
    const keep = new LogReader(record.payload).u64();
    const stream = this.parts.get(record.xid);
    if (stream === undefined) return;
    this.parts.set(record.xid, { chunks: [this.join(stream).subarray(0, keep)], length: keep });
  }

  private join(stream: { chunks: Uint8Array[]; length: number }): Uint8Array {
    const bytes = new Uint8Array(stream.length);
    let at = 0;
    for (const chunk of stream.chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  private seen(xid: number): void {
    if (xid > this.maximumXid) this.maximumXid = xid;
  }

  private async redoCommit(record: LogRecord): Promise<void> {
    this.seen(record.xid);
    const stream = this.parts.get(record.xid);
    this.parts.delete(record.xid);
    if (record.start < this.applyLsn) return;
    const head = new LogReader(record.payload);
    const streamed = head.u64();
    head.i64();
    const front = new LogReader(head.bytes(head.u32()).slice());
    if ((stream?.length ?? 0) !== streamed) {
      throw new DbError(
        'data_corrupted',
        `commit of transaction ${record.xid} at ${record.start} misses parts of its log`,
        {
          detail: `It streamed ${streamed} bytes, ${stream?.length ?? 0} were found.`,
        },
      );
    }
    // The record's memory is the reader's: operations may take turns, so they work on a copy.
    const rest = record.payload.subarray(head.position);
    const segments = new Map<string, SegmentDescriptor>();
    while (!front.isAtEnd) {
      const oid = front.u32();
      const descriptor = decodeSegmentDescriptor(front.bytes(front.u32()));
      segments.set(`${oid}/${descriptor.segment}`, descriptor);
    }
    const bytes =
      stream === undefined
        ? rest.slice()
        : this.join({ chunks: [...stream.chunks, rest], length: streamed + rest.length });
    await this.apply(new LogReader(bytes), segments, record.end);
    this.commits++;
  }

  private redoSequence(record: LogRecord): void {
    if (record.start < this.applyLsn) return;
    const reader = new LogReader(record.payload);
    const oid = reader.u32();
    const text = reader.text();
    // Its sequence may have been dropped by a later commit that the checkpoint has.
    if (this.half.store.sequences.has(oid)) this.putSequence(oid, text);
  }

  private table(oid: Oid): TableImplementation {
    const table = this.half.store.tables.get(oid);
    if (table === undefined)
      throw new DbError('data_corrupted', `log names table ${oid}, which does not exist`);
    return table;
  }

  private refresh(table: TableImplementation): void {
    this.half.directory.set(table.storageId, this.half.entryOf(table));
  }

  private rowId(reader: LogReader): RowId {
    const segment = reader.u32();
    return (segment * REGION_ROWS + reader.u16()) as RowId;
  }

  private async apply(
    reader: LogReader,
    segments: ReadonlyMap<string, SegmentDescriptor>,
    end: number,
  ): Promise<void> {
    const { store, directory } = this.half;
    while (!reader.isAtEnd) {
      const operation = reader.u8();
      switch (operation) {
        case OPERATION_INSERT:
        case OPERATION_UPDATE: {
          const table = this.table(reader.u32());
          table.redoPut(this.rowId(reader), reader);
          break;
        }
        case OPERATION_DELETE: {
          const table = this.table(reader.u32());
          table.redoDelete(this.rowId(reader));
          break;
        }
        case OPERATION_SEGMENT: {
          const oid = reader.u32();
          const descriptor = segments.get(`${oid}/${reader.u32()}`);
          // Without one the rows were taken back later in the same transaction.
          if (descriptor !== undefined) await this.redoSegment(this.table(oid), descriptor, end);
          break;
        }
        case OPERATION_CREATE_TABLE: {
          const schema = tableFromText(reader.text(), this.resolve);
          const table = new TableImplementation(store, schema);
          store.tables.set(schema.tableOid, table);
          this.refresh(table);
          break;
        }
        case OPERATION_DROP_TABLE: {
          const table = this.table(reader.u32());
          store.tables.delete(table.storageId);
          for (const index of table.tableIndexes) store.indexOwners.delete(index.schema.indexOid);
          store.dropRows(table, table.rows);
          directory.remove(table.storageId);
          break;
        }
        case OPERATION_ALTER_TABLE: {
          const schema = tableFromText(reader.text(), this.resolve);
          const table = this.table(schema.tableOid);
          table.rows.setSchema(schema);
          this.refresh(table);
          break;
        }
        case OPERATION_TRUNCATE:
          this.truncate(reader.u32());
          break;
        case OPERATION_CREATE_INDEX: {
          const table = this.table(reader.u32());
          const index = this.makeIndex(table, reader.text());
          if (index.isAttached) await buildIndex(table.rows, index, store.commits, () => store.yieldToLoop());
          this.refresh(table);
          break;
        }
        case OPERATION_DROP_INDEX: {
          const indexOid = reader.u32();
          const table = store.indexOwners.get(indexOid);
          if (table === undefined)
            throw new DbError('data_corrupted', `log names index ${indexOid}, which does not exist`);
          store.detachFromTable(table, table.index(indexOid));
          this.refresh(table);
          break;
        }
        case OPERATION_CREATE_SEQUENCE: {
          const oid = reader.u32();
          this.putSequence(oid, reader.text());
          break;
        }
        case OPERATION_DROP_SEQUENCE: {
          const oid = reader.u32();
          store.sequences.delete(oid);
          directory.sequences.delete(oid);
          break;
        }
        default:
          throw new DbError('data_corrupted', `log has unknown operation ${operation}`);
      }
    }
  }

  private truncate(oid: Oid): void {
    const { store } = this.half;
    const table = this.table(oid);
    const before = table.rows;
    table.replaceRows(store.newRowStore(before.schema));
    for (const index of table.tableIndexes) index.clear();
    store.dropRows(table, before);
    this.refresh(table);
  }

  private async redoSegment(
    table: TableImplementation,
    descriptor: SegmentDescriptor,
    end: number,
  ): Promise<void> {
    const { half } = this;
    const files = new Set(segmentBlocks(descriptor).map((block) => block.file));
    for (const file of files) half.storage.files.claim(file);
    const region = new BaseRegion(
      descriptor.segment,
      descriptor.rowCount,
      new MemorySegment([], 0),
      descriptor.columns.length,
      0 as Xid,
      0,
    );
    table.rows.addBase(region);
    table.rows.liveRows += descriptor.rowCount;
    table.modifications += descriptor.rowCount;
    half.adoptRegion(region, descriptor);
    half.holdForLog(files, end);
    for (const file of files) half.storage.files.release(file);
    for (const index of table.tableIndexes) {
      if (index.isAttached) await indexSegment(table.rows, index, region, () => half.store.yieldToLoop());
    }
  }
}
