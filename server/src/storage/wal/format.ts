/**
 * Bytes of the write-ahead log (docs/format/wal.md).
 *
 * The log is one stream of bytes addressed by LSN, cut into files of `segmentBytes`. Every segment begins with a 64-byte header that is part
 * of the stream; a record that crosses the boundary goes on behind it. A record begins at a multiple of 8 and its 32-byte header never
 * crosses: when fewer bytes are left they are zero and the record begins in the next segment.
 */
import type { Lsn, Xid } from '../../base/brands.ts';
import { crc32 } from '../checksum.ts';

export const LOG_DIRECTORY = 'wal';
export const SEGMENT_HEADER_BYTES = 64;
export const RECORD_HEADER_BYTES = 32;
export const DEFAULT_SEGMENT_BYTES = 16 * 1024 * 1024;
/** Longest record: a little above the largest value. */
export const RECORD_LIMIT = 2 ** 30 + 2 ** 20;

/** Types of the log itself. */
export const RECORD_TYPE = {
  /** Ends every write batch: payload u64 = the position known durable when the batch was taken. */
  mark: 1,
  /** First record after every opening: payload 16 random bytes, so that the chain never repeats an older future. */
  start: 2,
} as const;

const SEGMENT_MAGIC = 0x4c415746; // "FWAL"
const VERSION = 1;

// Offsets in a record's header.
export const AT_CRC = 0;
export const AT_LENGTH = 4;
export const AT_PREVIOUS = 8;
export const AT_TYPE = 12;
export const AT_XID = 16;
export const AT_LSN = 24;

/** Identity of a log, the same in all its segments. */
export interface LogIdentity {
  readonly segmentBytes: number;
  readonly timeline: number;
  readonly systemIdentifier: bigint;
}

/** File name as PostgreSQL forms it: timeline, high and low half of the segment number, 8 hexadecimal digits each. */
export function segmentName(identity: LogIdentity, segment: number): string {
  const perHigh = 4294967296 / identity.segmentBytes;
  const hex = (value: number): string => value.toString(16).toUpperCase().padStart(8, '0');
  return hex(identity.timeline) + hex(Math.floor(segment / perHigh)) + hex(segment % perHigh);
}

export function segmentPath(identity: LogIdentity, segment: number): string {
  return `${LOG_DIRECTORY}/${segmentName(identity, segment)}`;
}

/** Segment number of a directory entry, null for other names. */
export function segmentOfName(identity: LogIdentity, name: string): number | null {
  const match = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/.exec(name);
  if (match === null || Number.parseInt(match[1]!, 16) !== identity.timeline) return null;
  const perHigh = 4294967296 / identity.segmentBytes;
  const low = Number.parseInt(match[3]!, 16);
  return low < perHigh ? Number.parseInt(match[2]!, 16) * perHigh + low : null;
}

/** First position of a log: segment 1, so that 0 is never a valid LSN. */
export function firstLsn(identity: LogIdentity): Lsn {
  return (identity.segmentBytes + SEGMENT_HEADER_BYTES) as Lsn;
}

/** Where a record may begin at or after `lsn`: behind segment headers, with room for its own header. */
export function recordStart(lsn: number, segmentBytes: number): number {
  const offset = lsn % segmentBytes;
  if (offset < SEGMENT_HEADER_BYTES) return lsn - offset + SEGMENT_HEADER_BYTES;
  if (segmentBytes - offset < RECORD_HEADER_BYTES) return lsn - offset + segmentBytes + SEGMENT_HEADER_BYTES;
  return lsn;
}

export function writeSegmentHeader(
  target: Uint8Array,
  at: number,
  identity: LogIdentity,
  segment: number,
): void {
  const view = new DataView(target.buffer, target.byteOffset + at, SEGMENT_HEADER_BYTES);
  for (let index = 0; index < SEGMENT_HEADER_BYTES; index += 4) view.setUint32(index, 0, true);
  view.setUint32(0, SEGMENT_MAGIC, true);
  view.setUint32(4, VERSION, true);
  view.setBigUint64(8, identity.systemIdentifier, true);
  view.setBigUint64(16, BigInt(segment) * BigInt(identity.segmentBytes), true);
  view.setUint32(24, identity.timeline, true);
  view.setUint32(28, identity.segmentBytes, true);
  view.setUint32(60, crc32(target, at, at + 60), true);
}

/** Null when the header is right for this segment, else what is wrong. */
export function checkSegmentHeader(bytes: Uint8Array, identity: LogIdentity, segment: number): string | null {
  if (bytes.length < SEGMENT_HEADER_BYTES) return 'file ends inside the segment header';
  const expected = new Uint8Array(SEGMENT_HEADER_BYTES);
  writeSegmentHeader(expected, 0, identity, segment);
  for (let index = 0; index < SEGMENT_HEADER_BYTES; index++)
    if (bytes[index] !== expected[index]) return describeHeader(bytes, identity, segment);
  return null;
}

function describeHeader(bytes: Uint8Array, identity: LogIdentity, segment: number): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, SEGMENT_HEADER_BYTES);
  if (view.getUint32(60, true) !== crc32(bytes, 0, 60)) return 'segment header checksum does not match';
  if (view.getBigUint64(8, true) !== identity.systemIdentifier) return 'segment of another system';
  return `segment header of position ${view.getBigUint64(16, true)}, not ${segment * identity.segmentBytes}`;
}

/** Bytes a record takes in the stream, segment headers apart. */
export function paddedLength(length: number): number {
  return (length + 7) & ~7;
}

/** Fills in a record's header in front of its payload (at `at + 32`) and its checksum. Returns the checksum. */
export function sealRecord(
  target: Uint8Array,
  words: Uint32Array,
  at: number,
  payloadLength: number,
  type: number,
  xid: Xid,
  lsn: number,
  previousCrc: number,
): number {
  const word = at >>> 2;
  const length = RECORD_HEADER_BYTES + payloadLength;
  words[word + 1] = length;
  words[word + 2] = previousCrc;
  words[word + 3] = type;
  words[word + 4] = xid >>> 0;
  words[word + 5] = Math.floor(xid / 4294967296);
  words[word + 6] = lsn >>> 0;
  words[word + 7] = Math.floor(lsn / 4294967296);
  for (let index = at + length; index < at + paddedLength(length); index++) target[index] = 0;
  const crc = crc32(target, at + 4, at + paddedLength(length));
  words[word] = crc;
  return crc;
}
