/**
 * The storage room as one object: opening and creating a data directory, and what workers need of it.
 *
 * Creating writes the marker `creating` first and removes it last: a directory that has it was never finished and is emptied and made
 * anew. A directory without superblocks but with data or log files is damage, never "empty".
 */
import type { Lsn } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import type { Clock, Disk, Random, Workers } from '../env/contract.ts';
import { BlockCache, createCacheMemory } from './block/cache.ts';
import { BlockFileSet } from './block/files.ts';
import { BLOCK_DIRECTORY } from './block/names.ts';
import { MainBlockSource, WorkerBlockSource } from './block/source.ts';
import type {
  BlockFileWriter,
  EncodedSegment,
  LogOptions,
  SegmentDescriptor,
  SegmentInput,
  Storage,
  StorageShare,
} from './contract.ts';
import { dataCorrupted } from './corruption.ts';
import { Manifest } from './manifest/store.ts';
import { readSuperblocks, superblockName, writeSuperblock } from './manifest/superblock.ts';
import { SegmentEncoders } from './segment/encoders.ts';
import { writeSegment } from './segment/writer.ts';
import { LOG_DIRECTORY } from './wal/format.ts';
import { Log } from './wal/log.ts';

const CREATING = 'creating';

export interface StorageOptions {
  /** Memory of the block cache in bytes. */
  readonly cacheBytes: number;
  readonly log: LogOptions;
  /** Threads that encode segments; without them the main thread does it in slices. */
  readonly encoders?: { readonly workers: Workers; readonly threads: number };
  /** Damage that was repaired, files that could not be removed. */
  readonly onWarning?: (error: Error) => void;
}

export interface StorageEnvironment {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
}

class StorageRoom implements Storage {
  readonly files: BlockFileSet;
  readonly blocks: MainBlockSource;
  readonly manifest: Manifest;
  readonly log: Log;
  readonly cache: BlockCache;
  private readonly encoders: SegmentEncoders;
  private readonly directory: string;
  private readonly systemIdentifier: bigint;

  constructor(
    directory: string,
    systemIdentifier: bigint,
    parts: {
      files: BlockFileSet;
      blocks: MainBlockSource;
      manifest: Manifest;
      log: Log;
      cache: BlockCache;
      encoders: SegmentEncoders;
    },
  ) {
    this.encoders = parts.encoders;
    this.directory = directory;
    this.systemIdentifier = systemIdentifier;
    this.files = parts.files;
    this.blocks = parts.blocks;
    this.manifest = parts.manifest;
    this.log = parts.log;
    this.cache = parts.cache;
  }

  encodeSegment(input: SegmentInput): Promise<EncodedSegment> {
    return this.encoders.encode(input);
  }

  writeSegment(writer: BlockFileWriter, segment: EncodedSegment): SegmentDescriptor {
    return writeSegment(writer, segment);
  }

  workerShare(): StorageShare {
    return {
      directory: this.directory,
      cacheMemory: this.cache.memory,
      systemIdentifier: this.systemIdentifier,
    };
  }

  async close(): Promise<void> {
    await this.encoders.close();
    await this.log.close();
    await this.files.close();
    await this.blocks.close();
  }
}

/** True when the directory holds a database (or the damaged remains of one): then open it, never create. */
export async function hasDatabase(disk: Disk): Promise<boolean> {
  if ((await disk.stat(CREATING)) !== undefined) return false;
  for (const name of [superblockName(0), superblockName(1), BLOCK_DIRECTORY, LOG_DIRECTORY])
    if ((await disk.stat(name)) !== undefined) return true;
  return false;
}

/** Makes an empty database in a directory that has none. The log is open; nothing needs recovery. */
export async function createStorage(
  environment: StorageEnvironment,
  options: StorageOptions,
): Promise<StorageRoom> {
  const { disk, random } = environment;
  if (await hasDatabase(disk))
    throw new DbError('duplicate_file', `directory "${disk.root}" already contains a database`);
  const marker = await disk.open(CREATING, 'create');
  await marker.dataSync();
  await marker.close();
  await disk.syncDirectory('');
  await clear(disk);
  const bytes = random.bytes(8);
  // Positive as a signed integer, like PostgreSQL's system identifier in practice.
  const systemIdentifier = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true) >> 1n;
  const cache = new BlockCache(createCacheMemory(options.cacheBytes));
  const blocks = new MainBlockSource(disk, cache, systemIdentifier, cache.payloadBytes / 4);
  const files = await BlockFileSet.open(disk, systemIdentifier, {
    onRemoved: (file) => blocks.closeFile(file),
    onWarning: options.onWarning,
  });
  const log = new Log(environment, systemIdentifier, 0 as Lsn, options.log);
  const manifest = Manifest.create(disk, files, systemIdentifier);
  const first = await log.create();
  await disk.syncDirectory('');
  const edit = manifest.begin();
  edit.setHeader({ checkpointLsn: first, durableLsn: log.flushedLsn });
  await edit.commit();
  await disk.unlink(CREATING);
  await disk.syncDirectory('');
  return new StorageRoom(disk.root, systemIdentifier, {
    files,
    blocks,
    manifest,
    log,
    cache,
    encoders: startEncoders(environment, options),
  });
}

function startEncoders(environment: StorageEnvironment, options: StorageOptions): SegmentEncoders {
  const { encoders } = options;
  return new SegmentEncoders(environment.clock, encoders?.workers ?? null, encoders?.threads ?? 0);
}

/** Empties what an interrupted creation left. */
async function clear(disk: Disk): Promise<void> {
  for (const directory of [BLOCK_DIRECTORY, LOG_DIRECTORY]) {
    if ((await disk.stat(directory)) === undefined) continue;
    for (const name of await disk.list(directory)) await disk.unlink(`${directory}/${name}`);
  }
  for (let slot = 0; slot < 2; slot++)
    if ((await disk.stat(superblockName(slot))) !== undefined) await disk.unlink(superblockName(slot));
  await disk.syncDirectory('');
}

/**
 * Opens an existing database: the manifest is read, the log is not yet: register redo handlers, then
 * `log.recover(manifest.current.header.checkpointLsn)`, then `files.sweepOrphans()`. Throws XX001 naming the damaged file.
 */
export async function openStorage(
  environment: StorageEnvironment,
  options: StorageOptions,
): Promise<StorageRoom> {
  const { disk } = environment;
  const superblocks = await readSuperblocks(disk);
  if (superblocks === null)
    throw dataCorrupted(superblockName(0), 0, `directory "${disk.root}" has no superblock`);
  const { newest } = superblocks;
  const cache = new BlockCache(createCacheMemory(options.cacheBytes));
  const blocks = new MainBlockSource(disk, cache, newest.systemIdentifier, cache.payloadBytes / 4);
  const files = await BlockFileSet.open(disk, newest.systemIdentifier, {
    onRemoved: (file) => blocks.closeFile(file),
    onWarning: options.onWarning,
  });
  const manifest = await Manifest.open(disk, files, blocks, newest);
  for (const { slot, damage } of superblocks.stale) {
    if (damage !== null) options.onWarning?.(damage);
    await writeSuperblock(disk, newest, slot);
  }
  if (superblocks.stale.length > 0) await disk.syncDirectory('');
  const log = new Log(environment, newest.systemIdentifier, manifest.current.header.durableLsn, options.log);
  return new StorageRoom(disk.root, newest.systemIdentifier, {
    files,
    blocks,
    manifest,
    log,
    cache,
    encoders: startEncoders(environment, options),
  });
}

/** On a worker: blocks through the shared cache, read synchronously. `disk` is the worker's own door to the data directory. */
export function openWorkerBlocks(disk: Disk, share: StorageShare): WorkerBlockSource {
  const cache = new BlockCache(share.cacheMemory);
  return new WorkerBlockSource(disk, cache, share.systemIdentifier, cache.payloadBytes / 16);
}

export type { StorageRoom };
