/** Second-stage compression of whole payloads. Checksums are the block layer's: LZ4 alone accepts damaged input. */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { compressSync, uncompressSync } from 'lz4-napi';
import type { BlockCodec } from './contract.ts';
import { check } from './corruption.ts';

/** Codes on disk: never renumber. */
export const CODEC_CODE = { none: 0, lz4: 1, zstd: 2 } as const;

/** Payloads below this are not worth a try. */
const COMPRESS_FROM = 512;
const zstdOptions = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Compresses as asked; falls back to `none` when it would not get smaller (with `auto`: by less than an eighth). */
export function compress(payload: Uint8Array, codec: BlockCodec): { code: number; bytes: Uint8Array } {
  if (codec === 'none' || payload.length < COMPRESS_FROM) return { code: CODEC_CODE.none, bytes: payload };
  if (codec === 'lz4') {
    const bytes = compressSync(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength));
    return bytes.length < payload.length
      ? { code: CODEC_CODE.lz4, bytes }
      : { code: CODEC_CODE.none, bytes: payload };
  }
  const bytes = zstdCompressSync(payload, zstdOptions);
  const limit = codec === 'auto' ? payload.length * 0.875 : payload.length;
  return bytes.length < limit ? { code: CODEC_CODE.zstd, bytes } : { code: CODEC_CODE.none, bytes: payload };
}

/** Exactly `rawLength` bytes or PayloadDamage; never allocates more than that. */
export function decompress(code: number, stored: Uint8Array, rawLength: number): Uint8Array {
  if (code === CODEC_CODE.none) {
    check(stored.length === rawLength, `payload of ${stored.length} bytes, not ${rawLength}`);
    return stored;
  }
  let raw: Uint8Array | null = null;
  try {
    if (code === CODEC_CODE.zstd)
      raw = zstdDecompressSync(stored, { maxOutputLength: Math.max(1, rawLength) });
    else if (code === CODEC_CODE.lz4) {
      // The block format begins with its length: check before it is believed.
      const claimed = stored[0]! | (stored[1]! << 8) | (stored[2]! << 16) | (stored[3]! << 24);
      check(claimed === rawLength, `LZ4 block of ${claimed} bytes, not ${rawLength}`);
      raw = uncompressSync(Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength));
    }
  } catch {
    raw = null;
  }
  check(raw !== null && raw.length === rawLength, `payload of codec ${code} does not decompress`);
  return raw;
}
