/**
 * The write-ahead log: appending, group commit, recovery.
 *
 * Appending is synchronous into a memory buffer that already has the form of the stream. One batch at a time goes to the disk: when the
 * sync of the last one is done, everything appended meanwhile becomes the next batch, closed by a mark that says how much was durable when
 * it was taken. `flushedLsn` moves when the batch's sync returned, then the callbacks run in LSN order.
 *
 * Crash story: docs/format/wal.md. A failed write or sync is fatal: nothing is acknowledged any more and the process must end; the next
 * start rewrites the part of the log that nobody vouched for before it trusts it.
 */
import type { Lsn, Xid } from '../../base/brands.ts';
import { assert, DbError, internalError } from '../../base/error.ts';
import type { Clock, Disk, Random, Timer } from '../../env/contract.ts';
import { EnvironmentError } from '../../env/contract.ts';
import {
  FIRST_USER_RECORD_TYPE,
  type LogEnd,
  type LogOptions,
  type LogRecordType,
  type RedoHandler,
  type WriteAheadLog,
} from '../contract.ts';
import { dataCorrupted } from '../corruption.ts';
import {
  DEFAULT_SEGMENT_BYTES,
  firstLsn,
  LOG_DIRECTORY,
  type LogIdentity,
  paddedLength,
  RECORD_HEADER_BYTES,
  RECORD_LIMIT,
  RECORD_TYPE,
  recordStart,
  SEGMENT_HEADER_BYTES,
  sealRecord,
  segmentPath,
  writeSegmentHeader,
} from './format.ts';
import { LogReader, type LogWalk, readSegment } from './reader.ts';
import { isTemporaryName, SegmentFiles } from './segments.ts';

const BUFFER_BYTES = 1024 * 1024;
/** A batch starts by itself when this much waits, so that bulk loads do not pile up memory. */
const EAGER_FLUSH_BYTES = 512 * 1024;
/** Kept free of ordinary records when the disk is full: commits and aborts may use it. */
const RESERVE_PARTS = 16;
const SMALL_COPY = 48;
const NO_XID = 0 as Xid;

/** Memory in stream form, from `start` on. */
interface StreamBuffer {
  bytes: Uint8Array;
  words: Uint32Array;
  used: number;
  start: number;
}

function newBuffer(capacity: number): StreamBuffer {
  const bytes = new Uint8Array(capacity);
  return { bytes, words: new Uint32Array(bytes.buffer), used: 0, start: 0 };
}

interface Waiter {
  readonly lsn: number;
  readonly callback: () => void;
  readonly fail: ((error: Error) => void) | null;
}

export class Log implements WriteAheadLog {
  private readonly disk: Disk;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly options: LogOptions;
  private readonly identity: LogIdentity;
  private readonly durableKnown: number;
  private readonly handlers = new Map<number, RedoHandler>();
  private readonly files: SegmentFiles;

  private active = newBuffer(BUFFER_BYTES);
  private idle = newBuffer(BUFFER_BYTES);
  /** End of the last record. */
  private insert = 0;
  private previousCrc = 0;
  private flushed = 0;
  /** Waiters in LSN order; `waitersFrom` is the first that is still waiting. */
  private waiters: Waiter[] = [];
  private waitersFrom = 0;
  private isFlushing = false;
  private isFlushScheduled = false;
  private isOpen = false;
  private failure: Error | null = null;
  private markTimer: Timer | undefined;
  /** End of the last record that is not a mark: a later mark covers it. */
  private lastDataEnd = 0;
  /** Largest durable position a written mark claims. */
  private claimed = 0;
  private flushDone: (() => void)[] = [];
  private readonly scratch = new Uint8Array(16);

  constructor(
    environment: { disk: Disk; clock: Clock; random: Random },
    systemIdentifier: bigint,
    durableKnown: Lsn,
    options: LogOptions,
  ) {
    this.disk = environment.disk;
    this.clock = environment.clock;
    this.random = environment.random;
    this.options = options;
    this.durableKnown = durableKnown;
    const segmentBytes = options.segmentBytes ?? DEFAULT_SEGMENT_BYTES;
    assert(
      segmentBytes >= 4096 && segmentBytes <= 2 ** 30 && (segmentBytes & (segmentBytes - 1)) === 0,
      `log segment size ${segmentBytes}`,
    );
    this.identity = { segmentBytes, timeline: options.timeline ?? 1, systemIdentifier };
    this.files = new SegmentFiles(this.disk, this.clock, this.identity, options.spareSegments ?? 4, (error) =>
      this.fail(error),
    );
  }

  get insertLsn(): Lsn {
    return this.insert as Lsn;
  }

  get flushedLsn(): Lsn {
    return this.flushed as Lsn;
  }

  get unflushedBytes(): number {
    return this.insert - this.flushed;
  }

  onRedo(type: LogRecordType, handler: RedoHandler): void {
    assert(type >= FIRST_USER_RECORD_TYPE && type <= 255, `log record type ${type}`);
    assert(!this.handlers.has(type), `two redo handlers for record type ${type}`);
    this.handlers.set(type, handler);
  }

  // ------------------------------------------------------------------------------------------------------------ opening

  /** Makes the first segment of a new log and opens it. Returns where redo would start. */
  async create(): Promise<Lsn> {
    await this.disk.mkdir(LOG_DIRECTORY);
    const first = firstLsn(this.identity);
    await this.openAt(first, 0, first, []);
    return first;
  }

  async recover(from: Lsn): Promise<LogEnd> {
    const reader = new LogReader(this.disk, this.identity, this.durableKnown);
    const walk = await reader.walk(from, (record) => {
      if (record.type < FIRST_USER_RECORD_TYPE) return undefined;
      const handler = this.handlers.get(record.type);
      if (handler === undefined)
        throw new DbError('data_corrupted', `log record at ${record.start} has unknown type ${record.type}`);
      return handler(record);
    });
    const { end } = walk;
    if (end.verdict === 'corrupt')
      throw dataCorrupted(
        `${LOG_DIRECTORY}/${end.segmentName}`,
        end.offset,
        `${end.reason}, but the log was durable up to ${end.claimedDurable}`,
      );
    await this.rewriteTail(walk, from);
    const { segmentBytes } = this.identity;
    const last = Math.floor((end.end - 1) / segmentBytes);
    await this.openAt(
      end.end,
      walk.lastCrc,
      end.claimedDurable,
      walk.segments.filter((segment) => segment <= last),
    );
    return end;
  }

  /**
   * What was read may have come from the page cache and never have reached the disk (a failed sync, then a crash of the process only):
   * every segment from the last vouched-for position to the end is written anew, synced and renamed into place. Segments behind the end
   * are removed, so that nothing stale can follow the new records.
   */
  private async rewriteTail(walk: LogWalk, from: Lsn): Promise<void> {
    const { segmentBytes } = this.identity;
    const end = walk.end.end as number;
    const lastSegment = Math.floor((end - 1) / segmentBytes);
    for (const name of await this.disk.list(LOG_DIRECTORY))
      if (isTemporaryName(name)) await this.disk.unlink(`${LOG_DIRECTORY}/${name}`);
    for (const segment of walk.segments)
      if (segment > lastSegment) await this.disk.unlink(segmentPath(this.identity, segment));
    await this.disk.syncDirectory(LOG_DIRECTORY);
    const vouchedFor = Math.max(walk.end.claimedDurable, from);
    for (
      let segment = Math.min(lastSegment, Math.floor(vouchedFor / segmentBytes));
      segment <= lastSegment;
      segment++
    ) {
      const bytes = new Uint8Array(segmentBytes);
      const old = await readSegment(this.disk, this.identity, segment);
      if (old === null) {
        // Only possible when the log ends exactly where this segment would begin.
        if (end > segment * segmentBytes + SEGMENT_HEADER_BYTES)
          throw dataCorrupted(segmentPath(this.identity, segment), 0, 'segment is missing');
        writeSegmentHeader(bytes, 0, this.identity, segment);
      } else bytes.set(segment === lastSegment ? old.subarray(0, end - segment * segmentBytes) : old);
      const temporary = `${LOG_DIRECTORY}/xlogtemp.tail`;
      const file = await this.disk.open(temporary, 'create');
      try {
        await file.writeAll(0, [bytes]);
        await file.dataSync();
      } finally {
        await file.close();
      }
      await this.disk.rename(temporary, segmentPath(this.identity, segment));
      await this.disk.syncDirectory(LOG_DIRECTORY);
    }
  }

  private async openAt(end: Lsn, crc: number, claimed: number, existing: readonly number[]): Promise<void> {
    const { segmentBytes } = this.identity;
    const last = Math.floor((end - 1) / segmentBytes);
    this.files.adopt(existing.includes(last) ? last : last - 1, existing);
    this.insert = end;
    this.flushed = end;
    this.claimed = claimed;
    this.previousCrc = crc;
    this.active.start = end;
    this.active.used = 0;
    if (!existing.includes(last)) {
      // A new log: its header is part of the first batch.
      this.active.start = last * segmentBytes;
      this.active.used = SEGMENT_HEADER_BYTES;
      writeSegmentHeader(this.active.bytes, 0, this.identity, last);
    }
    this.isOpen = true;
    // The rewritten part is durable now; say so, and cut the chain off from any older future.
    const start = this.append(RECORD_TYPE.start, NO_XID, this.random.bytes(16));
    await this.waitFlushed(start);
  }

  // ---------------------------------------------------------------------------------------------------------- appending

  append(
    type: LogRecordType,
    xid: Xid,
    payload: Uint8Array,
    start = 0,
    end = payload.length,
    reserve = false,
  ): Lsn {
    const length = RECORD_HEADER_BYTES + end - start;
    const total = paddedLength(length);
    const buffer = this.active;
    const { segmentBytes } = this.identity;
    const offset = this.insert & (segmentBytes - 1);
    if (
      this.isOpen &&
      !this.files.isFull &&
      offset >= SEGMENT_HEADER_BYTES &&
      offset + total <= segmentBytes &&
      buffer.used + total <= buffer.bytes.length
    ) {
      const at = buffer.used;
      const to = at + RECORD_HEADER_BYTES;
      const { bytes } = buffer;
      if (end - start <= SMALL_COPY)
        for (let index = start, slot = to; index < end; index++) bytes[slot++] = payload[index]!;
      else bytes.set(start === 0 && end === payload.length ? payload : payload.subarray(start, end), to);
      this.previousCrc = sealRecord(
        bytes,
        buffer.words,
        at,
        end - start,
        type,
        xid,
        this.insert,
        this.previousCrc,
      );
      buffer.used = at + total;
      this.insert += total;
    } else this.appendSlow(type, xid, [payload.subarray(start, end)], length, reserve);
    return this.appended(type);
  }

  appendParts(type: LogRecordType, xid: Xid, parts: readonly Uint8Array[]): Lsn {
    let length = RECORD_HEADER_BYTES;
    for (const part of parts) length += part.length;
    this.appendSlow(type, xid, parts, length, false);
    return this.appended(type);
  }

  private appended(type: LogRecordType): Lsn {
    if (type !== RECORD_TYPE.mark) {
      this.lastDataEnd = this.insert;
      if (this.markTimer === undefined) this.armMarkTimer();
      if (this.active.used >= EAGER_FLUSH_BYTES) this.scheduleFlush();
    }
    return this.insert as Lsn;
  }

  /** Boundaries of segments and buffers, and a full disk. */
  private appendSlow(
    type: LogRecordType,
    xid: Xid,
    parts: readonly Uint8Array[],
    length: number,
    reserve: boolean,
  ): void {
    if (this.failure !== null) throw this.failure;
    assert(this.isOpen, 'the log is not open');
    if (length > RECORD_LIMIT)
      throw new DbError('program_limit_exceeded', `log record of ${length} bytes is too long`);
    const { segmentBytes } = this.identity;
    const total = paddedLength(length);
    const start = recordStart(this.insert, segmentBytes);
    if (this.files.isFull && type >= FIRST_USER_RECORD_TYPE) this.checkRoom(start, total, reserve);
    const record = new Uint8Array(total);
    let at = RECORD_HEADER_BYTES;
    for (const part of parts) {
      record.set(part, at);
      at += part.length;
    }
    const crc = sealRecord(
      record,
      new Uint32Array(record.buffer),
      0,
      length - RECORD_HEADER_BYTES,
      type,
      xid,
      start,
      this.previousCrc,
    );
    this.previousCrc = crc;
    this.fillTo(start);
    this.writeStream(record);
  }

  private checkRoom(start: number, total: number, reserve: boolean): void {
    const { segmentBytes } = this.identity;
    const kept = reserve ? 0 : segmentBytes / RESERVE_PARTS;
    if (start + total + kept > this.files.preparedEnd)
      throw new DbError('disk_full', 'could not write to the write-ahead log: No space left on device', {
        hint: 'Writing resumes by itself when space is available.',
      });
  }

  /** Zeros (and a segment header) up to a record's start. */
  private fillTo(start: number): void {
    const { segmentBytes } = this.identity;
    while (this.insert < start) {
      const offset = this.insert % segmentBytes;
      if (offset === 0) this.enterSegment();
      else this.writeRaw(new Uint8Array(Math.min(start, this.insert - offset + segmentBytes) - this.insert));
    }
  }

  private writeStream(record: Uint8Array): void {
    const { segmentBytes } = this.identity;
    for (let at = 0; at < record.length; ) {
      const offset = this.insert % segmentBytes;
      if (offset === 0) {
        this.enterSegment();
        continue;
      }
      const length = Math.min(record.length - at, segmentBytes - offset);
      this.writeRaw(record.subarray(at, at + length));
      at += length;
    }
  }

  private enterSegment(): void {
    const { segmentBytes } = this.identity;
    const segment = this.insert / segmentBytes;
    const header = new Uint8Array(SEGMENT_HEADER_BYTES);
    writeSegmentHeader(header, 0, this.identity, segment);
    this.writeRaw(header);
  }

  private writeRaw(bytes: Uint8Array): void {
    let buffer = this.active;
    const needed = buffer.used + bytes.length;
    if (needed > buffer.bytes.length) {
      const larger = newBuffer(Math.max(buffer.bytes.length * 2, Math.ceil(needed / 4096) * 4096));
      larger.bytes.set(buffer.bytes.subarray(0, buffer.used));
      larger.used = buffer.used;
      larger.start = buffer.start;
      this.active = buffer = larger;
    }
    buffer.bytes.set(bytes, buffer.used);
    buffer.used += bytes.length;
    this.insert += bytes.length;
  }

  // ----------------------------------------------------------------------------------------------------------- flushing

  requestFlush(lsn: Lsn, callback: () => void): void {
    if (lsn <= this.flushed) {
      callback();
      return;
    }
    this.wait({ lsn, callback, fail: null });
  }

  waitFlushed(lsn: Lsn): Promise<void> {
    if (lsn <= this.flushed) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.wait({ lsn, callback: resolve, fail: reject });
    });
  }

  private wait(waiter: Waiter): void {
    if (this.failure !== null) {
      waiter.fail?.(this.failure);
      return;
    }
    if (waiter.lsn > this.insert)
      throw internalError(`wait for log position ${waiter.lsn} beyond ${this.insert}`);
    const { waiters } = this;
    let at = waiters.length;
    while (at > this.waitersFrom && waiters[at - 1]!.lsn > waiter.lsn) at--;
    if (at === waiters.length) waiters.push(waiter);
    else waiters.splice(at, 0, waiter);
    this.scheduleFlush();
  }

  /** The batch is taken at the end of this turn of the loop, so that commits of all sessions served in it go together. */
  private scheduleFlush(): void {
    if (this.isFlushing || this.isFlushScheduled || this.failure !== null) return;
    this.isFlushScheduled = true;
    this.clock.nextTurn(() => {
      this.isFlushScheduled = false;
      if (!this.isFlushing && this.failure === null) void this.flushLoop();
    });
  }

  /**
   * Batch after batch while someone waits. The next batch is handed to the disk before the callbacks of the last one run, so that the device
   * works while sessions answer their clients. `force`: also when there is nothing but a mark to write.
   */
  private async flushLoop(force = false): Promise<void> {
    this.isFlushing = true;
    try {
      let batch = this.takeBatch(force);
      let writing = batch === null ? null : this.writeBatch(batch);
      while (batch !== null) {
        await writing;
        if (this.failure !== null) break;
        this.flushed = batch.start + batch.used;
        this.idle = batch.bytes.length > 4 * BUFFER_BYTES ? newBuffer(BUFFER_BYTES) : batch;
        batch = this.isFlushWanted() ? this.takeBatch(false) : null;
        writing = batch === null ? null : this.writeBatch(batch);
        // Awaited at the top of the loop; until then a failure must not count as unhandled.
        writing?.catch(() => {});
        this.wake();
        if (batch === null && this.isFlushWanted()) {
          batch = this.takeBatch(false);
          writing = batch === null ? null : this.writeBatch(batch);
        }
      }
    } catch (error) {
      this.fail(error instanceof Error ? error : internalError(String(error)));
    }
    this.isFlushing = false;
    const done = this.flushDone;
    this.flushDone = [];
    for (const callback of done) callback();
  }

  private isFlushWanted(): boolean {
    const last = this.waiters.at(-1);
    return (
      this.failure === null &&
      ((last !== undefined && last.lsn > this.flushed) || this.active.used >= EAGER_FLUSH_BYTES)
    );
  }

  /** Closes what was appended with a mark; appending goes on in the other buffer. */
  private takeBatch(force: boolean): StreamBuffer | null {
    if (this.active.used === 0 && !force) return null;
    this.putMark();
    const batch = this.active;
    this.active = this.idle;
    this.active.start = this.insert;
    this.active.used = 0;
    return batch;
  }

  private putMark(): void {
    const view = new DataView(this.scratch.buffer);
    view.setUint32(0, this.flushed >>> 0, true);
    view.setUint32(4, Math.floor(this.flushed / 4294967296), true);
    this.claimed = this.flushed;
    this.append(RECORD_TYPE.mark, NO_XID, this.scratch, 0, 8);
  }

  /** Writes a batch piece by piece at segment borders; each piece is durable before the next segment is begun. */
  private async writeBatch(batch: StreamBuffer): Promise<void> {
    const { segmentBytes } = this.identity;
    for (let at = 0; at < batch.used; ) {
      const lsn = batch.start + at;
      const segment = Math.floor(lsn / segmentBytes);
      const offset = lsn % segmentBytes;
      const length = Math.min(batch.used - at, segmentBytes - offset);
      const file = await this.files.file(segment);
      await this.writeRetrying(file, offset, batch.bytes.subarray(at, at + length));
      at += length;
      if (offset + length >= segmentBytes / 4) this.files.prepareAhead(segment + 1);
      if (at < batch.used) await this.files.closeBefore(segment);
    }
  }

  /** A full disk delays a write (copy-on-write file systems know it even for allocated files); anything else is fatal. */
  private async writeRetrying(
    file: { writeAll(offset: number, parts: readonly Uint8Array[]): Promise<void> },
    offset: number,
    bytes: Uint8Array,
  ): Promise<void> {
    while (true) {
      try {
        await file.writeAll(offset, [bytes]);
        return;
      } catch (error) {
        if (!(error instanceof EnvironmentError) || error.code !== 'ENOSPC' || !this.isOpen) throw error;
        await this.clock.sleep(1000);
      }
    }
  }

  private wake(): void {
    const { waiters } = this;
    let from = this.waitersFrom;
    while (from < waiters.length && waiters[from]!.lsn <= this.flushed) {
      const waiter = waiters[from]!;
      // Before the call: a callback may append and wait again.
      this.waitersFrom = ++from;
      try {
        waiter.callback();
      } catch (error) {
        this.fail(error instanceof Error ? error : internalError(String(error)));
        return;
      }
    }
    if (this.waitersFrom === waiters.length) {
      waiters.length = 0;
      this.waitersFrom = 0;
    } else if (this.waitersFrom > 1024) {
      waiters.splice(0, this.waitersFrom);
      this.waitersFrom = 0;
    }
  }

  private fail(error: Error): void {
    if (this.failure !== null) return;
    const failure = new DbError('io_error', `write-ahead log failed: ${error.message}`);
    failure.severity = 'PANIC';
    this.failure = failure;
    this.isOpen = false;
    this.clock.clearTimer(this.markTimer);
    const waiting = this.waiters.slice(this.waitersFrom);
    this.waiters = [];
    this.waitersFrom = 0;
    for (const waiter of waiting) waiter.fail?.(failure);
    this.options.onFatal(failure);
  }

  // -------------------------------------------------------------------------------------------------------------- pauses

  private armMarkTimer(): void {
    this.markTimer = this.clock.setTimer(() => this.onPause(), this.options.markAfterMillis ?? 200, {
      background: true,
    });
  }

  /** Writes out what nobody waits for, then a mark that covers the last batch, then is quiet. */
  private onPause(): void {
    this.markTimer = undefined;
    if (!this.isOpen) return;
    if (this.flushed < this.lastDataEnd) {
      this.scheduleFlush();
      this.armMarkTimer();
    } else if (this.claimed < this.lastDataEnd) {
      if (!this.isFlushing) void this.flushMark();
      this.armMarkTimer();
    }
  }

  private async flushMark(): Promise<void> {
    if (this.isFlushing) return;
    await this.flushLoop(true);
    if (this.waitersFrom < this.waiters.length) this.scheduleFlush();
  }

  // ---------------------------------------------------------------------------------------------------------- truncation

  async truncateBefore(lsn: Lsn): Promise<void> {
    assert(lsn <= this.flushed, `log truncated at ${lsn} before it is durable`);
    await this.files.recycleBefore(Math.floor(lsn / this.identity.segmentBytes));
  }

  async close(): Promise<void> {
    this.clock.clearTimer(this.markTimer);
    this.markTimer = undefined;
    if (this.isOpen) {
      if (this.flushed < this.insert) await this.waitFlushed(this.insert as Lsn);
      while (this.isFlushing) await new Promise<void>((resolve) => this.flushDone.push(resolve));
      if (this.failure === null && this.claimed < this.lastDataEnd) await this.flushMark();
      this.isOpen = false;
      this.clock.clearTimer(this.markTimer);
    }
    await this.files.close();
  }
}
