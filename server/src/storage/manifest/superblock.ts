/**
 * Superblocks: the two roots of the manifest (docs/format/manifest.md).
 *
 * A commit writes the slot of its generation's parity, syncs, then the other slot with the same content, syncs. So at every instant one slot
 * is whole, and outside of a commit both are equal: damage to one is reported and repaired from the other instead of silently falling back
 * to an older state.
 */
import { type Disk, EnvironmentError, type File } from '../../env/contract.ts';
import { readFully } from '../block/source.ts';
import { crc32 } from '../checksum.ts';
import type { BlockRef } from '../contract.ts';
import { dataCorrupted } from '../corruption.ts';

export const SUPERBLOCK_BYTES = 4096;
const MAGIC = 0x3142535046n; // "FPSB1"
const VERSION = 1;
const CHECKSUM_AT = SUPERBLOCK_BYTES - 4;

export interface Superblock {
  readonly generation: number;
  readonly systemIdentifier: bigint;
  readonly root: BlockRef;
}

export function superblockName(slot: number): string {
  return `superblock.${slot}`;
}

export function encodeSuperblock(superblock: Superblock, slot: number): Uint8Array {
  const bytes = new Uint8Array(SUPERBLOCK_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, MAGIC, true);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, slot, true);
  view.setBigUint64(16, superblock.systemIdentifier, true);
  view.setBigUint64(24, BigInt(superblock.generation), true);
  view.setUint32(32, superblock.root.file, true);
  view.setBigUint64(36, BigInt(superblock.root.offset), true);
  view.setUint32(44, superblock.root.length, true);
  view.setUint32(CHECKSUM_AT, crc32(bytes, 0, CHECKSUM_AT), true);
  return bytes;
}

/** Throws XX001 naming the slot's file. */
export function decodeSuperblock(bytes: Uint8Array, slot: number): Superblock {
  const name = superblockName(slot);
  if (bytes.length !== SUPERBLOCK_BYTES) throw dataCorrupted(name, bytes.length, 'file is too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(CHECKSUM_AT, true) !== crc32(bytes, 0, CHECKSUM_AT))
    throw dataCorrupted(name, 0, 'superblock checksum does not match');
  if (view.getBigUint64(0, true) !== MAGIC || view.getUint32(12, true) !== slot)
    throw dataCorrupted(name, 0, 'not a superblock of this slot');
  if (view.getUint32(8, true) !== VERSION)
    throw dataCorrupted(name, 8, `format version ${view.getUint32(8, true)} is not known`);
  return {
    systemIdentifier: view.getBigUint64(16, true),
    generation: Number(view.getBigUint64(24, true)),
    root: {
      file: view.getUint32(32, true),
      offset: Number(view.getBigUint64(36, true)),
      length: view.getUint32(44, true),
    },
  };
}

/** What the two slots hold. */
export interface SuperblockState {
  readonly newest: Superblock;
  /** Slots that are damaged or older than the newest, with what is wrong. */
  readonly stale: readonly { readonly slot: number; readonly damage: Error | null }[];
}

/** Null when neither file exists (no database here). Throws XX001 when files exist but none is valid. */
export async function readSuperblocks(disk: Disk): Promise<SuperblockState | null> {
  const found: (Superblock | Error)[] = [];
  let exist = 0;
  for (let slot = 0; slot < 2; slot++) {
    let file: File;
    try {
      file = await disk.open(superblockName(slot), 'read');
    } catch (error) {
      if (!(error instanceof EnvironmentError) || error.code !== 'ENOENT') throw error;
      found.push(dataCorrupted(superblockName(slot), 0, 'the file is missing'));
      continue;
    }
    exist++;
    try {
      const bytes = new Uint8Array(SUPERBLOCK_BYTES);
      const count = await readFully(file, 0, bytes);
      found.push(decodeSuperblock(bytes.subarray(0, count), slot));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      found.push(error);
    } finally {
      await file.close();
    }
  }
  if (exist === 0) return null;
  const valid = found.filter((one) => !(one instanceof Error)) as Superblock[];
  if (valid.length === 0) throw found[0];
  const newest = valid.reduce((left, right) => (right.generation > left.generation ? right : left));
  const stale: { slot: number; damage: Error | null }[] = [];
  found.forEach((one, slot) => {
    if (one instanceof Error) stale.push({ slot, damage: one });
    else if (one.generation < newest.generation) stale.push({ slot, damage: null });
  });
  return { newest, stale };
}

/** Writes and syncs one slot. */
export async function writeSuperblock(disk: Disk, superblock: Superblock, slot: number): Promise<void> {
  const file = await disk.open(superblockName(slot), 'create');
  try {
    await file.writeAll(0, [encodeSuperblock(superblock, slot)]);
    await file.dataSync();
  } finally {
    await file.close();
  }
}
