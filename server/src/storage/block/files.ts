/** The set of block files: writing new ones, knowing who still needs which, removing the rest. */
import { assert } from '../../base/error.ts';
import { type Disk, EnvironmentError, type File } from '../../env/contract.ts';
import type { BlockCodec, BlockFiles, BlockFileWriter, BlockKind, BlockRef } from '../contract.ts';
import { dataCorrupted } from '../corruption.ts';
import { translateDiskError } from '../disk-error.ts';
import {
  BLOCK_HEADER_BYTES,
  blockLength,
  checkFileHeader,
  decodeBlock,
  encodeBlock,
  encodeFileHeader,
  encodeStored,
  FILE_HEADER_REF_LENGTH,
  KIND_CODE,
  parseHeader,
} from './format.ts';
import { BLOCK_DIRECTORY, blockFileName, blockFileNumber } from './names.ts';
import { readFully } from './source.ts';

/** Bytes collected before they go to the disk. */
const WRITE_BYTES = 4 * 1024 * 1024;

export interface BlockFileSetOptions {
  /** A file was removed: close handles on it. */
  onRemoved?: (file: number) => void;
  /** A removal failed; the file stays until the next sweep. */
  onWarning?: (error: Error) => void;
}

export class BlockFileSet implements BlockFiles {
  private readonly disk: Disk;
  private readonly systemIdentifier: bigint;
  private readonly options: BlockFileSetOptions;
  private readonly holds = new Map<number, number>();
  /** Files that exist, by our own knowledge. */
  private readonly existing = new Set<number>();
  /** Files of the durable manifest. */
  private named: ReadonlySet<number> = new Set();
  private next = 1;
  private readonly removals = new Set<Promise<void>>();

  private constructor(disk: Disk, systemIdentifier: bigint, options: BlockFileSetOptions) {
    this.disk = disk;
    this.systemIdentifier = systemIdentifier;
    this.options = options;
  }

  static async open(
    disk: Disk,
    systemIdentifier: bigint,
    options: BlockFileSetOptions = {},
  ): Promise<BlockFileSet> {
    const set = new BlockFileSet(disk, systemIdentifier, options);
    await disk.mkdir(BLOCK_DIRECTORY);
    for (const name of await disk.list(BLOCK_DIRECTORY)) {
      const number = blockFileNumber(name);
      if (number === null) continue;
      set.existing.add(number);
      set.next = Math.max(set.next, number + 1);
    }
    return set;
  }

  /** Numbers from here on were never given out. Kept in the manifest so that a removed file's number does not return. */
  get nextNumber(): number {
    return this.next;
  }

  /** At opening: the manifest's idea of the next number. */
  raiseNextNumber(next: number): void {
    this.next = Math.max(this.next, next);
  }

  /** A new manifest is durable: files it no longer names go, unless held. */
  setNamed(named: ReadonlySet<number>): void {
    const before = this.named;
    this.named = named;
    for (const file of before) this.removeIfUnused(file);
  }

  async create(): Promise<BlockFileWriter> {
    const number = this.next++;
    let file: File;
    try {
      file = await this.disk.open(blockFileName(number), 'create-new');
    } catch (error) {
      throw translateDiskError(error);
    }
    this.existing.add(number);
    this.hold(number);
    return new FileWriter(this, this.disk, file, number, this.systemIdentifier);
  }

  hold(file: number): void {
    this.holds.set(file, (this.holds.get(file) ?? 0) + 1);
  }

  release(file: number): void {
    const holds = this.holds.get(file);
    assert(holds !== undefined, `release of block file ${file} that nobody holds`);
    if (holds > 1) this.holds.set(file, holds - 1);
    else {
      this.holds.delete(file);
      this.removeIfUnused(file);
    }
  }

  claim(file: number): void {
    if (!this.existing.has(file)) throw dataCorrupted(blockFileName(file), 0, 'the file is missing');
    this.next = Math.max(this.next, file + 1);
    this.hold(file);
  }

  private removeIfUnused(file: number): void {
    if (this.named.has(file) || this.holds.has(file) || !this.existing.has(file)) return;
    this.existing.delete(file);
    this.options.onRemoved?.(file);
    const removal = this.disk.unlink(blockFileName(file)).catch((error: unknown) => {
      // The next start's sweep tries again; the name stays unused until then because numbers only grow.
      if (error instanceof Error) this.options.onWarning?.(error);
    });
    this.removals.add(removal);
    void removal.then(() => this.removals.delete(removal));
  }

  async sweepOrphans(): Promise<string[]> {
    const removed: string[] = [];
    for (const name of await this.disk.list(BLOCK_DIRECTORY)) {
      const number = blockFileNumber(name);
      if (number === null || this.named.has(number) || this.holds.has(number)) continue;
      this.existing.delete(number);
      await this.disk.unlink(blockFileName(number));
      removed.push(name);
    }
    return removed;
  }

  async verify(): Promise<Error[]> {
    const damage: Error[] = [];
    for (const number of [...this.named].sort((left, right) => left - right)) {
      try {
        await this.verifyFile(number);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        damage.push(
          error instanceof EnvironmentError && error.code === 'ENOENT'
            ? dataCorrupted(blockFileName(number), 0, 'the file is missing')
            : error,
        );
      }
    }
    return damage;
  }

  private async verifyFile(number: number): Promise<void> {
    const file = await this.disk.open(blockFileName(number), 'read');
    try {
      const size = await file.size();
      const header = new Uint8Array(FILE_HEADER_REF_LENGTH);
      const count = await readFully(file, 0, header);
      checkFileHeader(number, header.subarray(0, count), this.systemIdentifier);
      const head = new Uint8Array(BLOCK_HEADER_BYTES);
      for (let offset = FILE_HEADER_REF_LENGTH; offset < size; ) {
        const got = await readFully(file, offset, head);
        const length = blockLength(parseHeader(number, offset, head.subarray(0, got), size - offset));
        const block = new Uint8Array(length);
        await readFully(file, offset, block);
        decodeBlock({ file: number, offset, length }, block);
        offset += length;
      }
    } finally {
      await file.close();
    }
  }

  /** Used by the writer when a file is given up. */
  async discard(number: number): Promise<void> {
    this.release(number);
    await Promise.allSettled([...this.removals]);
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.removals]);
  }
}

class FileWriter implements BlockFileWriter {
  readonly file: number;
  size = 0;
  private readonly set: BlockFileSet;
  private readonly disk: Disk;
  private readonly handle: File;
  private parts: Uint8Array[] = [];
  private partsAt = 0;
  private buffered = 0;
  /** The chain of writes; a failed one makes `drain` and `finish` reject. */
  private writes: Promise<void> = Promise.resolve();
  private isOpen = true;

  constructor(set: BlockFileSet, disk: Disk, handle: File, file: number, systemIdentifier: bigint) {
    this.set = set;
    this.disk = disk;
    this.handle = handle;
    this.file = file;
    this.push(encodeFileHeader(file, systemIdentifier));
  }

  append(kind: BlockKind, payload: Uint8Array, codec: BlockCodec = 'none'): BlockRef {
    assert(this.isOpen, `append to finished block file ${this.file}`);
    const offset = this.size;
    const block = encodeBlock(this.file, offset, KIND_CODE[kind], payload, codec);
    this.push(block);
    return { file: this.file, offset, length: block.length };
  }

  appendCompressed(kind: BlockKind, stored: Uint8Array, code: number, rawLength: number): BlockRef {
    assert(this.isOpen, `append to finished block file ${this.file}`);
    const offset = this.size;
    const block = encodeStored(this.file, offset, KIND_CODE[kind], stored, code, rawLength);
    this.push(block);
    return { file: this.file, offset, length: block.length };
  }

  private push(block: Uint8Array): void {
    this.parts.push(block);
    this.size += block.length;
    this.buffered += block.length;
    if (this.buffered >= WRITE_BYTES) this.flush();
  }

  private flush(): void {
    const { parts, partsAt } = this;
    if (parts.length === 0) return;
    this.parts = [];
    this.partsAt = this.size;
    this.buffered = 0;
    this.writes = this.writes.then(() => this.handle.writeAll(partsAt, parts));
    // Reported by whoever awaits next; not as an unhandled rejection in between.
    this.writes.catch(() => {});
  }

  async drain(): Promise<void> {
    try {
      await this.writes;
    } catch (error) {
      throw translateDiskError(error);
    }
  }

  async finish(): Promise<void> {
    assert(this.isOpen, `block file ${this.file} finished twice`);
    this.isOpen = false;
    this.flush();
    try {
      await this.writes;
      await this.handle.dataSync();
      await this.handle.close();
      await this.disk.syncDirectory(BLOCK_DIRECTORY);
    } catch (error) {
      throw translateDiskError(error);
    }
  }

  async abandon(): Promise<void> {
    this.isOpen = false;
    await this.writes.catch(() => {});
    await this.handle.close().catch(() => {});
    await this.set.discard(this.file);
  }
}
