/** Reading blocks through the cache: asynchronously on the main thread, synchronously on workers. */
import { WaitSignal } from '../../base/suspend.ts';
import { type Disk, EnvironmentError, type File } from '../../env/contract.ts';
import type { BlockRef, BlockSource, PinnedBlock } from '../contract.ts';
import { dataCorrupted } from '../corruption.ts';
import type { BlockCache } from './cache.ts';
import { checkFileHeader, decodeBlock, FILE_HEADER_REF_LENGTH } from './format.ts';
import { blockFileName } from './names.ts';

/** Open files kept by one thread. */
const OPEN_FILES = 128;

/** A block in the cache. */
class CachedBlock implements PinnedBlock {
  readonly bytes: Uint8Array;
  readonly address: number;
  private readonly cache: BlockCache;
  private page: number;

  constructor(cache: BlockCache, page: number) {
    this.cache = cache;
    this.page = page;
    this.bytes = cache.bytes(page);
    this.address = cache.address(page);
  }

  release(): void {
    if (this.page < 0) return;
    this.cache.unpin(this.page);
    this.page = -1;
  }
}

/** A block the cache had no room for. */
class PrivateBlock implements PinnedBlock {
  readonly bytes: Uint8Array;
  readonly address = -1;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  release(): void {}
}

/** A block a reader keeps open between calls. */
class Lease implements PinnedBlock {
  readonly bytes: Uint8Array;
  readonly address: number;
  private readonly block: PinnedBlock;
  private readonly owner: BlockSourceBase;
  readonly revoked: () => void;

  constructor(owner: BlockSourceBase, block: PinnedBlock, revoked: () => void) {
    this.owner = owner;
    this.block = block;
    this.bytes = block.bytes;
    this.address = block.address;
    this.revoked = revoked;
  }

  release(): void {
    if (this.owner.forget(this)) this.block.release();
  }
}

/** What both kinds of thread share: leases and the copy into the cache. */
abstract class BlockSourceBase implements BlockSource {
  protected readonly disk: Disk;
  readonly cache: BlockCache;
  protected readonly systemIdentifier: bigint;
  /** In order of age; the oldest goes first. */
  private readonly leases = new Set<Lease>();
  private leasedBytes = 0;
  private readonly leaseBudget: number;

  constructor(disk: Disk, cache: BlockCache, systemIdentifier: bigint, leaseBudget: number) {
    this.disk = disk;
    this.cache = cache;
    this.systemIdentifier = systemIdentifier;
    this.leaseBudget = leaseBudget;
  }

  abstract acquire(ref: BlockRef): PinnedBlock;
  abstract prefetch(ref: BlockRef): Promise<void>;
  abstract readBlob(ref: BlockRef): Promise<Uint8Array>;

  lease(ref: BlockRef, revoked: () => void): PinnedBlock {
    const lease = new Lease(this, this.acquire(ref), revoked);
    this.leases.add(lease);
    this.leasedBytes += lease.bytes.length;
    for (const oldest of this.leases) {
      if (this.leasedBytes <= this.leaseBudget || oldest === lease) break;
      oldest.release();
      oldest.revoked();
    }
    return lease;
  }

  /** False when the lease was gone already. */
  forget(lease: Lease): boolean {
    if (!this.leases.delete(lease)) return false;
    this.leasedBytes -= lease.bytes.length;
    return true;
  }

  /** Puts a payload into the cache when there is room; the result is pinned for the caller. */
  protected keep(ref: BlockRef, payload: Uint8Array): PinnedBlock {
    const page = this.cache.reserve(ref.file, ref.offset, payload.length);
    if (page < 0) return new PrivateBlock(aligned(payload));
    const block = new CachedBlock(this.cache, page);
    block.bytes.set(payload);
    this.cache.publish(page);
    return block;
  }

  protected find(ref: BlockRef): PinnedBlock | null {
    const page = this.cache.pin(ref.file, ref.offset);
    return page < 0 ? null : new CachedBlock(this.cache, page);
  }
}

/** Payload views must start at a multiple of 8 in their buffer. */
function aligned(payload: Uint8Array): Uint8Array {
  return payload.byteOffset % 8 === 0 ? payload : payload.slice();
}

function missing(error: unknown, file: number): unknown {
  return error instanceof EnvironmentError && error.code === 'ENOENT'
    ? dataCorrupted(blockFileName(file), 0, 'the file is missing')
    : error;
}

/** The main thread's source. */
export class MainBlockSource extends BlockSourceBase {
  private readonly files = new Map<number, Promise<File>>();
  private readonly loading = new Map<string, Promise<void>>();
  /** Blocks loaded without room in the cache, until the statement that waits comes back for them. */
  private readonly parked = new Map<string, PinnedBlock>();

  acquire(ref: BlockRef): PinnedBlock {
    const found = this.find(ref);
    if (found !== null) return found;
    const key = keyOf(ref);
    const parked = this.parked.get(key);
    if (parked !== undefined) {
      this.parked.delete(key);
      return parked;
    }
    throw new WaitSignal(this.load(ref, key));
  }

  prefetch(ref: BlockRef): Promise<void> {
    const found = this.find(ref);
    if (found === null) return this.load(ref, keyOf(ref));
    found.release();
    return Promise.resolve();
  }

  async readBlob(ref: BlockRef): Promise<Uint8Array> {
    const payload = await this.read(ref);
    return payload.slice();
  }

  /** Single flight per block. */
  private load(ref: BlockRef, key: string): Promise<void> {
    let loading = this.loading.get(key);
    if (loading === undefined) {
      loading = this.loadOnce(ref, key).finally(() => this.loading.delete(key));
      // A prefetch nobody awaits must not become an unhandled rejection; every awaiter still sees the error.
      loading.catch(() => {});
      this.loading.set(key, loading);
    }
    return loading;
  }

  private async loadOnce(ref: BlockRef, key: string): Promise<void> {
    const block = this.keep(ref, await this.read(ref));
    if (block instanceof PrivateBlock) {
      this.parked.set(key, block);
      // A statement that was cancelled never comes back: bound what waits for it.
      for (const oldest of this.parked.keys()) {
        if (this.parked.size <= 16) break;
        this.parked.delete(oldest);
      }
    } else block.release();
  }

  private async read(ref: BlockRef): Promise<Uint8Array> {
    const file = await this.file(ref.file);
    const stored = new Uint8Array(ref.length);
    const count = await readFully(file, ref.offset, stored);
    return decodeBlock(ref, stored.subarray(0, count)).payload;
  }

  /** The open file, its header checked once. */
  private file(number: number): Promise<File> {
    const known = this.files.get(number);
    if (known !== undefined) {
      this.files.delete(number);
      this.files.set(number, known);
      return known;
    }
    const opened = this.openFile(number);
    this.files.set(number, opened);
    opened.catch(() => this.files.delete(number));
    for (const oldest of this.files.keys()) {
      if (this.files.size <= OPEN_FILES) break;
      this.closeFile(oldest);
    }
    return opened;
  }

  private async openFile(number: number): Promise<File> {
    let file: File;
    try {
      file = await this.disk.open(blockFileName(number), 'read');
    } catch (error) {
      throw missing(error, number);
    }
    const header = new Uint8Array(FILE_HEADER_REF_LENGTH);
    const count = await readFully(file, 0, header);
    try {
      checkFileHeader(number, header.subarray(0, count), this.systemIdentifier);
    } catch (error) {
      await file.close();
      throw error;
    }
    return file;
  }

  /** Forgets a file (removed, or too many are open). Reads in flight keep the handle until they end. */
  closeFile(number: number): void {
    const file = this.files.get(number);
    if (file === undefined) return;
    this.files.delete(number);
    const inFlight = [...this.loading.values()];
    void Promise.allSettled(inFlight)
      .then(() => file)
      .then((opened) => opened.close())
      .catch(() => {});
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.loading.values()]);
    const files = [...this.files.values()];
    this.files.clear();
    for (const file of await Promise.allSettled(files))
      if (file.status === 'fulfilled') await file.value.close();
  }
}

/** A worker's source: blocking reads. */
export class WorkerBlockSource extends BlockSourceBase {
  private readonly files = new Map<number, File>();

  acquire(ref: BlockRef): PinnedBlock {
    return this.find(ref) ?? this.keep(ref, this.read(ref));
  }

  prefetch(ref: BlockRef): Promise<void> {
    this.acquire(ref).release();
    return Promise.resolve();
  }

  readBlob(ref: BlockRef): Promise<Uint8Array> {
    return Promise.resolve(this.read(ref).slice());
  }

  private read(ref: BlockRef): Uint8Array {
    const stored = new Uint8Array(ref.length);
    const count = readFullySync(this.file(ref.file), ref.offset, stored);
    return decodeBlock(ref, stored.subarray(0, count)).payload;
  }

  private file(number: number): File {
    const known = this.files.get(number);
    if (known !== undefined) return known;
    let file: File;
    try {
      file = this.disk.openSync(blockFileName(number), 'read');
    } catch (error) {
      throw missing(error, number);
    }
    const header = new Uint8Array(FILE_HEADER_REF_LENGTH);
    try {
      checkFileHeader(number, header.subarray(0, readFullySync(file, 0, header)), this.systemIdentifier);
    } catch (error) {
      file.closeSync();
      throw error;
    }
    this.files.set(number, file);
    for (const [oldest, opened] of this.files) {
      if (this.files.size <= OPEN_FILES) break;
      this.files.delete(oldest);
      opened.closeSync();
    }
    return file;
  }

  close(): void {
    for (const file of this.files.values()) file.closeSync();
    this.files.clear();
  }
}

function keyOf(ref: BlockRef): string {
  return `${ref.file}:${ref.offset}`;
}

/** Reads until `target` is full or the file ends; returns the count. */
export async function readFully(file: File, offset: number, target: Uint8Array): Promise<number> {
  let done = 0;
  while (done < target.length) {
    const count = await file.read(offset + done, target.subarray(done));
    if (count === 0) break;
    done += count;
  }
  return done;
}

export function readFullySync(file: File, offset: number, target: Uint8Array): number {
  let done = 0;
  while (done < target.length) {
    const count = file.readSync(offset + done, target.subarray(done));
    if (count === 0) break;
    done += count;
  }
  return done;
}
