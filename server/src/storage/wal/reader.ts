/**
 * Reading the log: records in order, and the verdict where they end.
 *
 * A record is good when its length is possible, its LSN is its position, its previous checksum is that of the record before and its own
 * checksum matches. At the first position x where that fails: if some valid mark (behind x, or anything known before) claims that more
 * than x was durable, bytes that were safe have changed: corruption. Otherwise it is the tail of the last, unacknowledged writes.
 */
import type { Lsn, Xid } from '../../base/brands.ts';
import { type Disk, EnvironmentError } from '../../env/contract.ts';
import { readFully } from '../block/source.ts';
import { crc32 } from '../checksum.ts';
import type { LogEnd, LogRecord } from '../contract.ts';
import {
  AT_CRC,
  AT_LENGTH,
  AT_LSN,
  AT_PREVIOUS,
  AT_TYPE,
  AT_XID,
  checkSegmentHeader,
  LOG_DIRECTORY,
  type LogIdentity,
  paddedLength,
  RECORD_HEADER_BYTES,
  RECORD_LIMIT,
  RECORD_TYPE,
  recordStart,
  SEGMENT_HEADER_BYTES,
  segmentName,
  segmentOfName,
  segmentPath,
} from './format.ts';

/** One segment in memory. `bytes` is short when the file is. */
interface Loaded {
  readonly segment: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly damage: string | null;
}

/** Why there is no record, and where it should be. */
class NoRecord {
  readonly reason: string;
  readonly segment: number;
  readonly offset: number;
  constructor(reason: string, segment: number, offset: number) {
    this.reason = reason;
    this.segment = segment;
    this.offset = offset;
  }
}

/** What a walk over the log found, with what appending needs to go on. */
export interface LogWalk {
  readonly end: LogEnd;
  /** Checksum of the last good record (0 when there is none). */
  readonly lastCrc: number;
  /** Segments of this log's timeline on disk. */
  readonly segments: readonly number[];
}

export class LogReader {
  private readonly disk: Disk;
  private readonly identity: LogIdentity;
  private loaded: Loaded | null = null;
  private claimed: number;
  private lastCrc = 0;

  /** `durable`: the least position known durable from elsewhere (the manifest). */
  constructor(disk: Disk, identity: LogIdentity, durable: number) {
    this.disk = disk;
    this.identity = identity;
    this.claimed = durable;
  }

  /** Calls `handle` for every good record from `from` on. */
  async walk(from: Lsn, handle: (record: LogRecord) => void | Promise<void>): Promise<LogWalk> {
    const { segmentBytes } = this.identity;
    let records = 0;
    let end = from as number;
    let stop: NoRecord;
    let badAt: number;
    let isFirst = true;
    while (true) {
      const start = recordStart(end, segmentBytes);
      badAt = end;
      const gap = await this.checkGap(end, start);
      if (gap !== null) {
        stop = gap;
        break;
      }
      badAt = start;
      const record = await this.read(start, isFirst);
      if (record instanceof NoRecord) {
        stop = record;
        break;
      }
      isFirst = false;
      end = record.end;
      records++;
      if (record.type === RECORD_TYPE.mark) this.noteMark(record.payload, record.start);
      const pending = handle(record);
      if (pending !== undefined) await pending;
    }
    const segments = await this.segmentsOnDisk();
    await this.claimsBehind(badAt, segments);
    return {
      end: {
        verdict: this.claimed > badAt ? 'corrupt' : 'tail',
        end: end as Lsn,
        records,
        segmentName: segmentName(this.identity, stop.segment),
        offset: stop.offset,
        reason: stop.reason,
        claimedDurable: this.claimed as Lsn,
      },
      lastCrc: this.lastCrc,
      segments,
    };
  }

  private noteMark(payload: Uint8Array, at: number): void {
    if (payload.length !== 8) return;
    const view = new DataView(payload.buffer, payload.byteOffset, 8);
    const claim = view.getUint32(0, true) + view.getUint32(4, true) * 4294967296;
    if (claim <= at) this.claimed = Math.max(this.claimed, claim);
  }

  /** The zeros between the last record and the place of the next, and the header of a segment that is entered. */
  private async checkGap(end: number, start: number): Promise<NoRecord | null> {
    if (start === end) return null;
    const { segmentBytes } = this.identity;
    if (end % segmentBytes !== 0) {
      const segment = await this.load(Math.floor(end / segmentBytes));
      for (let offset = end % segmentBytes; offset < segmentBytes; offset++)
        if (segment.bytes[offset] !== 0)
          return new NoRecord(
            'bytes after the last record of a segment are not zero',
            segment.segment,
            offset,
          );
    }
    return null;
  }

  /** The record at `start`, or why there is none. */
  private async read(start: number, isFirst: boolean): Promise<LogRecord | NoRecord> {
    const { segmentBytes } = this.identity;
    const segment = await this.load(Math.floor(start / segmentBytes));
    if (segment.damage !== null) return new NoRecord(segment.damage, segment.segment, 0);
    const offset = start % segmentBytes;
    const no = (reason: string): NoRecord => new NoRecord(reason, segment.segment, offset);
    if (segment.bytes.length < offset + RECORD_HEADER_BYTES) return no('file ends inside a record header');
    const length = segment.view.getUint32(offset + AT_LENGTH, true);
    if (length === 0) return no('no record');
    if (length < RECORD_HEADER_BYTES || length > RECORD_LIMIT)
      return no(`impossible record length ${length}`);
    const lsn =
      segment.view.getUint32(offset + AT_LSN, true) +
      segment.view.getUint32(offset + AT_LSN + 4, true) * 4294967296;
    if (lsn !== start) return no(`record of position ${lsn}`);
    const previous = segment.view.getUint32(offset + AT_PREVIOUS, true);
    if (!isFirst && previous !== this.lastCrc) return no('record does not continue the one before');
    const whole = await this.gather(segment, offset, paddedLength(length));
    if (whole instanceof NoRecord) return whole;
    const view = new DataView(whole.bytes.buffer, whole.bytes.byteOffset + whole.at, RECORD_HEADER_BYTES);
    const crc = view.getUint32(AT_CRC, true);
    if (crc !== crc32(whole.bytes, whole.at + 4, whole.at + paddedLength(length)))
      return no(
        whole.bytes === segment.bytes
          ? 'record checksum does not match'
          : `record checksum does not match (it ends in segment ${segmentName(this.identity, Math.floor((whole.end - 1) / segmentBytes))})`,
      );
    this.lastCrc = crc;
    return {
      type: view.getUint8(AT_TYPE),
      xid: (view.getUint32(AT_XID, true) + view.getUint32(AT_XID + 4, true) * 4294967296) as Xid,
      start: start as Lsn,
      end: whole.end as Lsn,
      payload: whole.bytes.subarray(whole.at + RECORD_HEADER_BYTES, whole.at + length),
    };
  }

  /** The bytes of a record as one piece: in place, or collected over segments. */
  private async gather(
    segment: Loaded,
    offset: number,
    total: number,
  ): Promise<{ bytes: Uint8Array; at: number; end: number } | NoRecord> {
    const { segmentBytes } = this.identity;
    const start = segment.segment * segmentBytes + offset;
    if (offset + total <= segmentBytes) {
      if (segment.bytes.length < offset + total)
        return new NoRecord('file ends inside a record', segment.segment, offset);
      return { bytes: segment.bytes, at: offset, end: start + total };
    }
    // Claimed lengths are bounded by what is on disk before anything is allocated.
    const pieces: Uint8Array[] = [segment.bytes.subarray(offset)];
    let have = segmentBytes - offset;
    if (segment.bytes.length !== segmentBytes)
      return new NoRecord('file ends inside a record', segment.segment, offset);
    let next = segment.segment;
    let end = start;
    while (have < total) {
      const loaded = await this.load(++next);
      if (loaded.damage !== null)
        return new NoRecord(
          `record continues in segment ${segmentName(this.identity, next)}: ${loaded.damage}`,
          segment.segment,
          offset,
        );
      const take = Math.min(total - have, segmentBytes - SEGMENT_HEADER_BYTES);
      if (loaded.bytes.length < SEGMENT_HEADER_BYTES + take)
        return new NoRecord(
          `record continues in segment ${segmentName(this.identity, next)}: file is too short`,
          segment.segment,
          offset,
        );
      pieces.push(loaded.bytes.subarray(SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + take));
      have += take;
      end = next * segmentBytes + SEGMENT_HEADER_BYTES + take;
    }
    const bytes = new Uint8Array(total);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return { bytes, at: 0, end };
  }

  private async load(segment: number): Promise<Loaded> {
    if (this.loaded?.segment === segment) return this.loaded;
    const bytes = await readSegment(this.disk, this.identity, segment);
    const damage = bytes === null ? 'segment is missing' : checkSegmentHeader(bytes, this.identity, segment);
    const content = bytes ?? new Uint8Array(0);
    this.loaded = {
      segment,
      bytes: content,
      view: new DataView(content.buffer, content.byteOffset, content.byteLength),
      damage,
    };
    return this.loaded;
  }

  private async segmentsOnDisk(): Promise<number[]> {
    // A missing directory is reported as its missing segment.
    const names =
      (await this.disk.stat(LOG_DIRECTORY)) === undefined ? [] : await this.disk.list(LOG_DIRECTORY);
    return names
      .map((name) => segmentOfName(this.identity, name))
      .filter((one): one is number => one !== null)
      .sort((left, right) => left - right);
  }

  /** Looks for marks behind a bad position: each proves itself by checksum and position. */
  private async claimsBehind(badAt: number, segments: readonly number[]): Promise<void> {
    const { segmentBytes } = this.identity;
    const first = Math.floor(badAt / segmentBytes);
    for (const segment of segments) {
      if (segment < first) continue;
      const { bytes, view } = await this.load(segment);
      const base = segment * segmentBytes;
      const from = segment === first ? Math.ceil((badAt % segmentBytes) / 8) * 8 : SEGMENT_HEADER_BYTES;
      const markLength = RECORD_HEADER_BYTES + 8;
      const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
      const low = (base + AT_LSN) >>> 0;
      for (let offset = from; offset + markLength <= bytes.length; offset += 8) {
        // Cheapest test first, nearly all positions fail it: the low half of the LSN (bases are multiples of the segment size).
        if (words[(offset + AT_LSN) >>> 2] !== low + offset - AT_LSN) continue;
        if (view.getUint32(offset + AT_LENGTH, true) !== markLength) continue;
        if (view.getUint8(offset + AT_TYPE) !== RECORD_TYPE.mark) continue;
        if (view.getUint32(offset + AT_LSN + 4, true) !== Math.floor((base + offset) / 4294967296)) continue;
        if (view.getUint32(offset + AT_CRC, true) !== crc32(bytes, offset + 4, offset + markLength)) continue;
        this.noteMark(bytes.subarray(offset + RECORD_HEADER_BYTES, offset + markLength), base + offset);
      }
    }
  }
}

/** A segment file's bytes (at most `segmentBytes`), null when it does not exist. */
export async function readSegment(
  disk: Disk,
  identity: LogIdentity,
  segment: number,
): Promise<Uint8Array | null> {
  let file: Awaited<ReturnType<Disk['open']>>;
  try {
    file = await disk.open(segmentPath(identity, segment), 'read');
  } catch (error) {
    if (error instanceof EnvironmentError && error.code === 'ENOENT') return null;
    throw error;
  }
  try {
    const bytes = new Uint8Array(Math.min(identity.segmentBytes, await file.size()));
    const count = await readFully(file, 0, bytes);
    return bytes.subarray(0, count);
  } finally {
    await file.close();
  }
}
