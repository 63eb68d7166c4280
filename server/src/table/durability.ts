/**
 * The durable half of the store: what DDL, sequences and bulk loads write into the log, and the hold on block files.
 * Checkpoints are in checkpoint.ts, reading back in recovery.ts.
 */
import { INVALID_XID, type Oid } from '../base/brands.ts';
import type { BlockFileWriter, EncodedSegment, SegmentDescriptor, Storage } from '../storage/contract.ts';
import { encodeSegmentDescriptor, SegmentReader, segmentBlocks } from '../storage/index.ts';
import { LogBuffer } from '../txn/log-buffer.ts';
import type { TransactionImplementation } from '../txn/transaction.ts';
import type { ColumnVector } from '../types/vector.ts';
import { Checkpointer } from './checkpoint.ts';
import type { IndexSchema, SequenceState, TableSchema } from './contract.ts';
import { Directory, type DirectoryTable } from './directory.ts';
import type { MemorySegment } from './memory-segment.ts';
import {
  OPERATION_ALTER_TABLE,
  OPERATION_CREATE_INDEX,
  OPERATION_CREATE_SEQUENCE,
  OPERATION_CREATE_TABLE,
  OPERATION_DROP_INDEX,
  OPERATION_DROP_SEQUENCE,
  OPERATION_DROP_TABLE,
  OPERATION_SEGMENT,
  OPERATION_TRUNCATE,
} from './operations.ts';
import type { BaseRegion } from './region.ts';
import { indexToText, sequenceToText, tableToText } from './schema-codec.ts';
import { sealTable } from './seal.ts';
import type { Sequence } from './sequence.ts';
import type { Durability, TableStoreImplementation } from './store.ts';
import type { TableImplementation } from './table.ts';

/** Log record of this room beside the transactions' own; docs/format/wal-records.md. */
export const RECORD_SEQUENCE = 20;

/** Settings of the durable store. */
export interface DurabilitySettings {
  /** Log bytes after which a checkpoint begins by itself; 0 = never. */
  checkpointLogBytes: number;
  /** Bytes of unsealed rows beyond which full regions are sealed. */
  deltaBytes: number;
  /** Block files smaller than this are left alone however little of them is in use. */
  wasteBytes: number;
}

export const DEFAULT_SETTINGS: DurabilitySettings = {
  checkpointLogBytes: 128 * 1024 * 1024,
  deltaBytes: 256 * 1024 * 1024,
  wasteBytes: 1024 * 1024,
};

/** The writer of one transaction's bulk segments. */
interface BulkWriter {
  file: BlockFileWriter | null;
  /** Complete files, held once each for us. */
  finished: number[];
  /** Regions in the current file. */
  waiting: BaseRegion[];
  /** Regions on their way. */
  backlog: number;
  isAbandoned?: boolean;
  chain: Promise<void>;
  failure: unknown;
}

/** A bulk file is completed above this size, so that the memory of its rows can go. */
const BULK_FILE_BYTES = 32 * 1024 * 1024;
/** Regions being encoded or written beyond which the loader waits. */
const BULK_BACKLOG_REGIONS = 4;

/** See the module comment. */
export class DurableHalf implements Durability {
  readonly storage: Storage;
  readonly store: TableStoreImplementation;
  readonly directory = new Directory();
  readonly checkpointer: Checkpointer;
  readonly settings: DurabilitySettings;
  private readonly logHolds: { lsn: number; files: number[] }[] = [];
  private readonly bulkWriters = new Map<TransactionImplementation, BulkWriter>();

  constructor(storage: Storage, store: TableStoreImplementation, settings: DurabilitySettings) {
    this.storage = storage;
    this.store = store;
    this.settings = settings;
    this.checkpointer = new Checkpointer(this);
  }

  // ------------------------------------------------------------------------------------------------ directory

  entryOf(table: TableImplementation): DirectoryTable {
    return {
      table,
      schemaText: tableToText(table.schema),
      persistence: table.schema.persistence,
      codecs: table.rows.codecs,
      rows: table.rows,
      indexes: new Map(
        table.tableIndexes.map((index) => [
          index.schema.indexOid,
          { text: index.storedText ?? indexToText(index.schema), index },
        ]),
      ),
    };
  }

  private refresh(tableOid: Oid, change: (entry: DirectoryTable) => Partial<DirectoryTable>): void {
    const entry = this.directory.tables.get(tableOid);
    if (entry !== undefined) this.directory.set(tableOid, { ...entry, ...change(entry) });
  }

  /** Starts an operation in the transaction's log; structure counts as a write even on unlogged tables. */
  private operation(transaction: TransactionImplementation, kind: number): LogBuffer {
    transaction.writeXid();
    const buffer = transaction.logBuffer();
    buffer.u8(kind);
    return buffer;
  }

  createTable(transaction: TransactionImplementation, schema: TableSchema): void {
    const text = tableToText(schema);
    this.operation(transaction, OPERATION_CREATE_TABLE).text(text);
    transaction.logged();
    const table = this.store.implementation(schema.tableOid);
    transaction.onCommit(() => {
      this.directory.set(schema.tableOid, {
        table,
        schemaText: text,
        persistence: schema.persistence,
        codecs: table.rows.codecs,
        rows: table.rows,
        indexes: new Map(),
      });
    });
  }

  dropTable(transaction: TransactionImplementation, tableOid: Oid): void {
    this.operation(transaction, OPERATION_DROP_TABLE).u32(tableOid);
    transaction.logged();
    transaction.onCommit(() => this.directory.remove(tableOid));
  }

  alterTable(transaction: TransactionImplementation, schema: TableSchema): void {
    const text = tableToText(schema);
    this.operation(transaction, OPERATION_ALTER_TABLE).text(text);
    transaction.logged();
    const { codecs } = this.store.implementation(schema.tableOid).rows;
    transaction.onCommit(() => this.refresh(schema.tableOid, () => ({ schemaText: text, codecs })));
  }

  truncate(transaction: TransactionImplementation, tableOid: Oid): void {
    this.operation(transaction, OPERATION_TRUNCATE).u32(tableOid);
    transaction.logged();
    const { rows } = this.store.implementation(tableOid);
    transaction.onCommit(() => this.refresh(tableOid, () => ({ rows, codecs: rows.codecs })));
  }

  createIndex(transaction: TransactionImplementation, tableOid: Oid, schema: IndexSchema): void {
    const text = indexToText(schema);
    const buffer = this.operation(transaction, OPERATION_CREATE_INDEX);
    buffer.u32(tableOid);
    buffer.text(text);
    transaction.logged();
    const table = this.store.implementation(tableOid);
    const index = table.index(schema.indexOid);
    transaction.onCommit(() =>
      this.refresh(tableOid, (entry) => ({
        indexes: new Map([...entry.indexes, [schema.indexOid, { text, index }]]),
      })),
    );
  }

  dropIndex(transaction: TransactionImplementation, tableOid: Oid, indexOid: Oid): void {
    this.operation(transaction, OPERATION_DROP_INDEX).u32(indexOid);
    transaction.logged();
    transaction.onCommit(() =>
      this.refresh(tableOid, (entry) => ({
        indexes: new Map([...entry.indexes].filter(([oid]) => oid !== indexOid)),
      })),
    );
  }

  // ------------------------------------------------------------------------------------------------ sequences

  /** Runs before the commit record: writes the state the sequence has then. */
  createSequence(transaction: TransactionImplementation, sequence: Sequence): void {
    const buffer = this.operation(transaction, OPERATION_CREATE_SEQUENCE);
    buffer.u32(sequence.oid);
    buffer.text(sequenceToText(sequence.durableState()));
    transaction.logged();
    transaction.onCommit(() => this.directory.sequences.add(sequence.oid));
  }

  dropSequence(transaction: TransactionImplementation, sequenceOid: Oid): void {
    this.operation(transaction, OPERATION_DROP_SEQUENCE).u32(sequenceOid);
    transaction.logged();
    transaction.onCommit(() => this.directory.sequences.delete(sequenceOid));
  }

  logSequence(sequenceOid: Oid, state: SequenceState): void {
    const buffer = new LogBuffer();
    buffer.u32(sequenceOid);
    buffer.text(sequenceToText(state));
    this.storage.log.append(RECORD_SEQUENCE, INVALID_XID, buffer.bytes, 0, buffer.length, true);
  }

  // ------------------------------------------------------------------------------------------------ bulk segments

  /** A bulk region begins: its place among the other changes of the transaction. */
  beginRegion(table: TableImplementation, region: BaseRegion, transaction: TransactionImplementation): void {
    if (!table.isLogged) return;
    const buffer = this.operation(transaction, OPERATION_SEGMENT);
    buffer.u32(table.storageId);
    buffer.u32(region.segment);
    transaction.logged();
  }

  /** A region of a bulk load is complete: it is encoded and written; the commit waits for it and logs where it lies. */
  writeRegion(table: TableImplementation, region: BaseRegion, transaction: TransactionImplementation): void {
    if (!table.isLogged) return;
    let writer = this.bulkWriters.get(transaction);
    if (writer === undefined) {
      writer = { file: null, finished: [], waiting: [], backlog: 0, chain: Promise.resolve(), failure: null };
      this.bulkWriters.set(transaction, writer);
      const own = writer;
      (transaction.preparations ??= []).push(() => this.finishBulk(transaction, own));
      transaction.onRollback(() => {
        this.bulkWriters.delete(transaction);
        void own.chain.then(async () => {
          own.isAbandoned = true;
          await own.file?.abandon();
          own.file = null;
          for (const file of own.finished.splice(0)) this.storage.files.release(file);
        });
      });
    }
    const own = writer;
    const xid = region.owner;
    const { rows } = table;
    own.backlog++;
    const { columns } = region.reader as MemorySegment;
    const encoding = this.encodeColumns(region.segment, region.rowCount, columns);
    // Awaited in the chain; a failure before that must not count as unhandled.
    encoding.catch(() => {});
    own.chain = own.chain
      .then(async () => {
        const encoded = await encoding;
        if (region.isDropped || own.failure !== null || own.isAbandoned === true) return;
        own.file ??= await this.storage.files.create();
        const descriptor = this.storage.writeSegment(own.file, encoded);
        await own.file.drain();
        if (region.isDropped || rows.regions[region.segment] !== region) return;
        region.descriptor = descriptor;
        own.waiting.push(region);
        if (own.file.size > BULK_FILE_BYTES) await this.finishBulkFile(own);
      })
      .catch((error: unknown) => {
        own.failure = error;
      })
      .finally(() => {
        own.backlog--;
      });
    (transaction.preparations ??= []).push(async () => {
      const { descriptor } = region;
      if (descriptor === null || !transaction.owns(xid)) return;
      const front = (transaction.commitFront ??= new LogBuffer());
      front.u32(table.storageId);
      const bytes = encodeSegmentDescriptor(descriptor);
      front.u32(bytes.length);
      front.raw(bytes);
      transaction.onCommit(() => {
        if (!region.isDropped) this.adoptRegion(region, descriptor);
        this.holdForLog(
          new Set(segmentBlocks(descriptor).map((block) => block.file)),
          this.storage.log.insertLsn,
        );
      });
    });
  }

  /** Loaders wait here when encoding and writing fall behind; null = go on. */
  bulkBacklog(transaction: TransactionImplementation): Promise<void> | null {
    const writer = this.bulkWriters.get(transaction);
    return writer === undefined || writer.backlog <= BULK_BACKLOG_REGIONS ? null : writer.chain;
  }

  /** Completes the current file; its regions are read from there from now on, so that their memory goes. */
  private async finishBulkFile(writer: BulkWriter): Promise<void> {
    const { file } = writer;
    if (file === null) return;
    await file.finish();
    writer.finished.push(file.file);
    writer.file = null;
    for (const region of writer.waiting.splice(0)) {
      if (region.descriptor !== null && !region.isDropped) {
        region.reader = new SegmentReader(region.descriptor, this.storage.blocks);
      }
    }
  }

  private async finishBulk(transaction: TransactionImplementation, writer: BulkWriter): Promise<void> {
    await writer.chain;
    if (writer.failure !== null) throw writer.failure;
    this.bulkWriters.delete(transaction);
    if (writer.isAbandoned === true) return;
    await this.finishBulkFile(writer);
    const release = (): void => {
      for (const file of writer.finished.splice(0)) this.storage.files.release(file);
    };
    transaction.onRollback(release);
    // Last of all preparations, so that on commit the regions take their own holds first.
    (transaction.preparations ??= []).push(async () => transaction.onCommit(release));
  }

  /** Encodes off the main thread where it can, and appends the blocks. */
  async encode(
    file: BlockFileWriter,
    segment: number,
    rowCount: number,
    columns: readonly ColumnVector[],
  ): Promise<SegmentDescriptor> {
    return this.storage.writeSegment(file, await this.encodeColumns(segment, rowCount, columns));
  }

  private encodeColumns(
    segment: number,
    rowCount: number,
    columns: readonly ColumnVector[],
  ): Promise<EncodedSegment> {
    return this.storage.encodeSegment({
      segment,
      rowCount,
      columns: columns.map((column) => exactly(column, rowCount)),
      sequences: 0,
      owner: INVALID_XID,
    });
  }

  /**
   * A log record names these files: they stay until a checkpoint lies behind it, whatever becomes of the rows meanwhile,
   * because redo will ask for them.
   */
  holdForLog(files: Iterable<number>, lsn: number): void {
    const held = [...files];
    for (const file of held) this.storage.files.hold(file);
    this.logHolds.push({ lsn, files: held });
  }

  /** A checkpoint is in force; redo applies nothing that begins before `applyLsn`. */
  releaseLogHolds(applyLsn: number): void {
    while (this.logHolds.length > 0 && this.logHolds[0].lsn <= applyLsn) {
      for (const file of this.logHolds.shift()?.files ?? []) this.storage.files.release(file);
    }
  }

  /** The region reads from disk from now on; its blocks are held. */
  adoptRegion(region: BaseRegion, descriptor: SegmentDescriptor): void {
    region.descriptor = descriptor;
    region.reader = new SegmentReader(descriptor, this.storage.blocks);
    region.storedBytes = 0;
    for (const block of segmentBlocks(descriptor)) region.storedBytes += block.length;
    region.heldFiles = [...new Set(segmentBlocks(descriptor).map((block) => block.file))];
    for (const file of region.heldFiles) this.storage.files.hold(file);
    region.state.changedAt = ++this.store.changeTick;
  }

  regionGone(_table: TableImplementation, region: BaseRegion): void {
    const files = region.heldFiles;
    region.heldFiles = [];
    for (const file of files) this.storage.files.release(file);
  }

  // ------------------------------------------------------------------------------------------------ care

  checkpoint(): Promise<void> {
    return this.checkpointer.run(false);
  }

  async compact(table: TableImplementation): Promise<void> {
    if (table.isLogged) await this.checkpointer.exclusive(() => sealTable(this, table));
  }

  async seal(table: TableImplementation): Promise<void> {
    await this.checkpointer.exclusive(() => sealTable(this, table, true));
  }
}

/** The vector cut to its rows, as the encoder wants it. */
export function exactly(column: ColumnVector, rowCount: number): ColumnVector {
  if (column.physical === 'varlen') {
    const offsets = (column.offsets as Uint32Array).subarray(0, rowCount + 1);
    return {
      ...column,
      count: rowCount,
      offsets,
      bytes: (column.bytes as Uint8Array).subarray(0, offsets[rowCount]),
    };
  }
  const width = column.physical === 'bytes16' ? 16 : 1;
  const values = (column.values as Uint8Array).subarray(0, rowCount * width) as ColumnVector['values'];
  const validity = column.validity === null ? null : column.validity.subarray(0, (rowCount + 7) >> 3);
  return { ...column, count: rowCount, values, validity };
}
