/**
 * Blocks in a block file (docs/format/block.md): a 64-byte header and a payload, padded to 64 bytes. The checksum covers the file's number
 * and the offset too, so a block that was written or read at the wrong place is as damaged as one with a flipped bit.
 */
import { assert } from '../../base/error.ts';
import { crc32 } from '../checksum.ts';
import { compress, decompress } from '../compression.ts';
import type { BlockCodec, BlockKind, BlockRef } from '../contract.ts';
import { dataCorrupted, locate } from '../corruption.ts';
import { blockFileName } from './names.ts';

export const BLOCK_HEADER_BYTES = 64;
export const BLOCK_ALIGNMENT = 64;
const MAGIC = 0x4b425046; // "FPBK"
const VERSION = 1;
/** The checksum's place in the header. */
const CHECKSUM_AT = 16;
/** Payloads end below 1 GB so that lengths stay small signed integers. */
export const PAYLOAD_LIMIT = 2 ** 30;

export const KIND_CODE: Readonly<Record<BlockKind | 'file', number>> = {
  file: 0,
  column: 1,
  blob: 2,
  manifest: 3,
  index: 4,
};
const FILE_HEADER_PAYLOAD = 32;

export interface ParsedHeader {
  kind: number;
  codec: number;
  storedLength: number;
  rawLength: number;
  checksum: number;
}

function paddedLength(storedLength: number): number {
  return BLOCK_HEADER_BYTES + Math.ceil(storedLength / BLOCK_ALIGNMENT) * BLOCK_ALIGNMENT;
}

const prefix = new Uint8Array(12);
const prefixView = new DataView(prefix.buffer);
const noChecksum = new Uint8Array(4);

/** Checksum of a whole block at its place; the checksum field itself counts as zero. */
function blockChecksum(file: number, offset: number, block: Uint8Array): number {
  prefixView.setUint32(0, file, true);
  prefixView.setUint32(4, offset >>> 0, true);
  prefixView.setUint32(8, Math.floor(offset / 4294967296), true);
  let crc = crc32(prefix, 0, 12);
  crc = crc32(block, 0, CHECKSUM_AT, crc);
  crc = crc32(noChecksum, 0, 4, crc);
  return crc32(block, CHECKSUM_AT + 4, block.length, crc);
}

/** The bytes of a block to be written at `offset` of `file`. */
export function encodeBlock(
  file: number,
  offset: number,
  kind: number,
  payload: Uint8Array,
  codec: BlockCodec,
): Uint8Array {
  assert(payload.length < PAYLOAD_LIMIT, `block payload of ${payload.length} bytes`);
  const { code, bytes } = compress(payload, codec);
  return encodeStored(file, offset, kind, bytes, code, payload.length);
}

/** The same for a payload that is compressed already. */
export function encodeStored(
  file: number,
  offset: number,
  kind: number,
  stored: Uint8Array,
  code: number,
  rawLength: number,
): Uint8Array {
  assert(rawLength < PAYLOAD_LIMIT && stored.length < PAYLOAD_LIMIT, `block payload of ${rawLength} bytes`);
  assert(offset % BLOCK_ALIGNMENT === 0, `block offset ${offset}`);
  const block = new Uint8Array(paddedLength(stored.length));
  const view = new DataView(block.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, VERSION);
  view.setUint8(5, kind);
  view.setUint8(6, code);
  view.setUint32(8, stored.length, true);
  view.setUint32(12, rawLength, true);
  block.set(stored, BLOCK_HEADER_BYTES);
  view.setUint32(CHECKSUM_AT, blockChecksum(file, offset, block), true);
  return block;
}

/** The first block of every file: which file of which system it is. */
export function encodeFileHeader(file: number, systemIdentifier: bigint): Uint8Array {
  const payload = new Uint8Array(FILE_HEADER_PAYLOAD);
  const view = new DataView(payload.buffer);
  view.setBigUint64(0, systemIdentifier, true);
  view.setUint32(8, file, true);
  return encodeBlock(file, 0, KIND_CODE.file, payload, 'none');
}

export const FILE_HEADER_REF_LENGTH = paddedLength(FILE_HEADER_PAYLOAD);

/** Reads header fields without the checksum; throws XX001 when they cannot be a block's. `available` bounds the length. */
export function parseHeader(
  file: number,
  offset: number,
  bytes: Uint8Array,
  available: number,
): ParsedHeader {
  const name = blockFileName(file);
  if (bytes.length < BLOCK_HEADER_BYTES) throw dataCorrupted(name, offset, 'file ends inside a block header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, BLOCK_HEADER_BYTES);
  if (view.getUint32(0, true) !== MAGIC || view.getUint8(4) !== VERSION)
    throw dataCorrupted(name, offset, 'no block header');
  const storedLength = view.getUint32(8, true);
  if (storedLength >= PAYLOAD_LIMIT || paddedLength(storedLength) > available)
    throw dataCorrupted(name, offset, `block of ${storedLength} bytes passes the end of the file`);
  return {
    kind: view.getUint8(5),
    codec: view.getUint8(6),
    storedLength,
    rawLength: view.getUint32(12, true),
    checksum: view.getUint32(CHECKSUM_AT, true),
  };
}

/** Stored bytes of a block with this header. */
export function blockLength(header: ParsedHeader): number {
  return paddedLength(header.storedLength);
}

/** Checks a whole block and returns its payload, decompressed (a view of `block` when it was not compressed). */
export function decodeBlock(ref: BlockRef, block: Uint8Array): { kind: number; payload: Uint8Array } {
  const name = blockFileName(ref.file);
  if (block.length < ref.length)
    throw dataCorrupted(name, ref.offset, `file ends inside a block of ${ref.length} bytes`);
  const header = parseHeader(ref.file, ref.offset, block, block.length);
  if (blockLength(header) !== ref.length)
    throw dataCorrupted(name, ref.offset, `block of ${blockLength(header)} bytes, not ${ref.length}`);
  if (header.checksum !== blockChecksum(ref.file, ref.offset, block))
    throw dataCorrupted(name, ref.offset, 'block checksum does not match');
  const stored = block.subarray(BLOCK_HEADER_BYTES, BLOCK_HEADER_BYTES + header.storedLength);
  try {
    return { kind: header.kind, payload: decompress(header.codec, stored, header.rawLength) };
  } catch (error) {
    throw locate(error, name, ref.offset);
  }
}

/** Checks the header block of a file. */
export function checkFileHeader(file: number, bytes: Uint8Array, systemIdentifier: bigint): void {
  const { kind, payload } = decodeBlock({ file, offset: 0, length: FILE_HEADER_REF_LENGTH }, bytes);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  if (kind !== KIND_CODE.file || payload.length !== FILE_HEADER_PAYLOAD || view.getUint32(8, true) !== file)
    throw dataCorrupted(blockFileName(file), 0, 'not a file header');
  if (view.getBigUint64(0, true) !== systemIdentifier)
    throw dataCorrupted(
      blockFileName(file),
      0,
      `file of system ${view.getBigUint64(0, true)}, not ${systemIdentifier}`,
    );
}
