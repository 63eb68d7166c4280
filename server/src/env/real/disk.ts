/**
 * Files of the operating system.
 *
 * Reads, writes and syncs go to libuv's thread pool (the promise forms) or block the calling thread (the `Sync`
 * forms, for threads that own their loop). Callback functions are wrapped here directly: `fs/promises` costs about
 * twice as much per call.
 */

import * as fs from 'node:fs';
import type { DirectoryLock, Disk, File, FileStatus, OpenMode } from '../contract.ts';
import { EnvironmentError } from '../contract.ts';
import { normalizePath } from '../file-helpers.ts';
import { lockDirectory } from './directory-lock.ts';
import { translateError } from './errors.ts';

const openFlags: Readonly<Record<OpenMode, number>> = {
  read: fs.constants.O_RDONLY,
  write: fs.constants.O_RDWR,
  'write-durable': fs.constants.O_RDWR | (fs.constants.O_DSYNC ?? fs.constants.O_SYNC),
  create: fs.constants.O_RDWR | fs.constants.O_CREAT,
  'create-new': fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL,
};

/** PostgreSQL's default: readable and writable by the owner only. */
const fileMode = 0o600;
const directoryMode = 0o700;

/** Zeros are written in pieces of this size when a file is allocated. */
const allocationPieceBytes = 1024 * 1024;
const zeros = new Uint8Array(allocationPieceBytes);

/** At most this many parts per writev call (IOV_MAX on Linux). */
const partsPerCallMax = 1024;

/** A directory tree of the operating system; the root must exist before files are opened. */
export class RealDisk implements Disk {
  readonly root: string;

  constructor(root: string) {
    this.root = root === '/' ? root : root.replace(/\/+$/, '');
  }

  async open(path: string, mode: OpenMode): Promise<File> {
    const absolute = this.absolute(path);
    return await new Promise((resolve, reject) => {
      fs.open(absolute, openFlags[mode], fileMode, (error, descriptor) => {
        if (error) reject(translateError(error, 'open file', path));
        else resolve(new RealFile(path, descriptor));
      });
    });
  }

  openSync(path: string, mode: OpenMode): File {
    try {
      return new RealFile(path, fs.openSync(this.absolute(path), openFlags[mode], fileMode));
    } catch (error) {
      throw translateError(error, 'open file', path);
    }
  }

  async rename(from: string, to: string): Promise<void> {
    const source = this.absolute(from);
    const target = this.absolute(to);
    try {
      await fs.promises.rename(source, target);
    } catch (error) {
      throw translateError(error, 'rename file', from);
    }
  }

  async unlink(path: string): Promise<void> {
    const absolute = this.absolute(path);
    try {
      await fs.promises.unlink(absolute);
    } catch (error) {
      throw translateError(error, 'remove file', path);
    }
  }

  async mkdir(path: string): Promise<void> {
    const absolute = this.absolute(path);
    try {
      await fs.promises.mkdir(absolute, { recursive: true, mode: directoryMode });
    } catch (error) {
      throw translateError(error, 'create directory', path);
    }
  }

  async removeDirectory(path: string): Promise<void> {
    const absolute = this.absolute(path);
    try {
      await fs.promises.rmdir(absolute);
    } catch (error) {
      throw translateError(error, 'remove directory', path);
    }
  }

  async list(path: string): Promise<string[]> {
    const absolute = this.absolute(path);
    try {
      return (await fs.promises.readdir(absolute)).sort();
    } catch (error) {
      throw translateError(error, 'open directory', path);
    }
  }

  async stat(path: string): Promise<FileStatus | undefined> {
    const absolute = this.absolute(path);
    try {
      const status = await fs.promises.stat(absolute);
      return {
        sizeBytes: status.size,
        isDirectory: status.isDirectory(),
        modifiedMicros: Math.round(status.mtimeMs * 1000),
      };
    } catch (error) {
      const translated = translateError(error, 'stat file', path);
      if (translated.code === 'ENOENT' || translated.code === 'ENOTDIR') return undefined;
      throw translated;
    }
  }

  async syncDirectory(path: string): Promise<void> {
    const absolute = this.absolute(path);
    try {
      const handle = await fs.promises.open(absolute, 'r');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    } catch (error) {
      throw translateError(error, 'fsync directory', path);
    }
  }

  async free(): Promise<number> {
    try {
      const status = await fs.promises.statfs(this.root);
      return status.bavail * status.bsize;
    } catch (error) {
      throw translateError(error, 'stat file system of', this.root);
    }
  }

  lock(name: string): Promise<DirectoryLock> {
    return lockDirectory(this.root, this.absolute(name));
  }

  private absolute(path: string): string {
    const relative = normalizePath(path);
    if (relative === '') return this.root;
    return this.root === '/' ? `/${relative}` : `${this.root}/${relative}`;
  }
}

/** An open descriptor. */
class RealFile implements File {
  readonly path: string;
  private descriptor: number;

  constructor(path: string, descriptor: number) {
    this.path = path;
    this.descriptor = descriptor;
  }

  read(offset: number, target: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.live(), target, 0, target.length, offset, (error, count) => {
        if (error) reject(translateError(error, 'read file', this.path));
        else resolve(count);
      });
    });
  }

  readSync(offset: number, target: Uint8Array): number {
    try {
      return fs.readSync(this.live(), target, 0, target.length, offset);
    } catch (error) {
      throw translateError(error, 'read file', this.path);
    }
  }

  write(offset: number, source: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.write(this.live(), source, 0, source.length, offset, (error, count) => {
        if (error) reject(translateError(error, 'write file', this.path));
        else resolve(count);
      });
    });
  }

  writeSync(offset: number, source: Uint8Array): number {
    try {
      return fs.writeSync(this.live(), source, 0, source.length, offset);
    } catch (error) {
      throw translateError(error, 'write file', this.path);
    }
  }

  async writeAll(offset: number, parts: readonly Uint8Array[]): Promise<void> {
    const rest = new PartsLeft(parts);
    while (!rest.isEmpty) {
      const count = await this.writeParts(offset, rest.take());
      rest.advance(count, this.path);
      offset += count;
    }
  }

  writeAllSync(offset: number, parts: readonly Uint8Array[]): void {
    const rest = new PartsLeft(parts);
    while (!rest.isEmpty) {
      let count: number;
      try {
        count = fs.writevSync(this.live(), rest.take(), offset);
      } catch (error) {
        throw translateError(error, 'write file', this.path);
      }
      rest.advance(count, this.path);
      offset += count;
    }
  }

  private writeParts(offset: number, parts: Uint8Array[]): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.writev(this.live(), parts, offset, (error, count) => {
        if (error) reject(translateError(error, 'write file', this.path));
        else resolve(count);
      });
    });
  }

  dataSync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.live(), (error) => {
        if (error) reject(translateError(error, 'fdatasync file', this.path));
        else resolve();
      });
    });
  }

  dataSyncSync(): void {
    try {
      fs.fdatasyncSync(this.live());
    } catch (error) {
      throw translateError(error, 'fdatasync file', this.path);
    }
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.fstat(this.live(), (error, status) => {
        if (error) reject(translateError(error, 'stat file', this.path));
        else resolve(status.size);
      });
    });
  }

  sizeSync(): number {
    try {
      return fs.fstatSync(this.live()).size;
    } catch (error) {
      throw translateError(error, 'stat file', this.path);
    }
  }

  truncate(sizeBytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.ftruncate(this.live(), sizeBytes, (error) => {
        if (error) reject(translateError(error, 'truncate file', this.path));
        else resolve();
      });
    });
  }

  async preallocate(sizeBytes: number): Promise<void> {
    // Node has no fallocate; written zeros also convert the extents, which fallocate would leave to the first write.
    let end = await this.size();
    while (end < sizeBytes) end += await this.write(end, zeros.subarray(0, pieceLength(end, sizeBytes)));
  }

  preallocateSync(sizeBytes: number): void {
    let end = this.sizeSync();
    while (end < sizeBytes) end += this.writeSync(end, zeros.subarray(0, pieceLength(end, sizeBytes)));
  }

  async close(): Promise<void> {
    const descriptor = this.takeDescriptor();
    await new Promise<void>((resolve, reject) => {
      fs.close(descriptor, (error) => {
        if (error) reject(translateError(error, 'close file', this.path));
        else resolve();
      });
    });
  }

  closeSync(): void {
    const descriptor = this.takeDescriptor();
    try {
      fs.closeSync(descriptor);
    } catch (error) {
      throw translateError(error, 'close file', this.path);
    }
  }

  private live(): number {
    if (this.descriptor < 0) throw new EnvironmentError('EBADF', this.path, `file "${this.path}" is closed`);
    return this.descriptor;
  }

  /** Forgets the number before closing: the kernel reuses it at once, and a late write must not hit another file. */
  private takeDescriptor(): number {
    const descriptor = this.live();
    this.descriptor = closedDescriptor;
    return descriptor;
  }
}

/** No descriptor has this number. */
const closedDescriptor = -1;

function pieceLength(end: number, target: number): number {
  // The first piece ends at a piece boundary so that all others are aligned.
  return Math.min(allocationPieceBytes - (end % allocationPieceBytes), target - end);
}

/** The unwritten rest of a list of parts. */
class PartsLeft {
  private readonly parts: readonly Uint8Array[];
  private index = 0;
  private offset = 0;

  constructor(parts: readonly Uint8Array[]) {
    this.parts = parts;
    this.skipEmpty();
  }

  get isEmpty(): boolean {
    return this.index >= this.parts.length;
  }

  take(): Uint8Array[] {
    const taken = this.parts.slice(this.index, this.index + partsPerCallMax);
    if (this.offset > 0) taken[0] = taken[0]!.subarray(this.offset);
    return taken;
  }

  advance(count: number, path: string): void {
    if (count <= 0) throw new EnvironmentError('EIO', path, `write of file "${path}" made no progress`);
    while (count > 0) {
      const left = this.parts[this.index]!.length - this.offset;
      if (count < left) {
        this.offset += count;
        return;
      }
      count -= left;
      this.index++;
      this.offset = 0;
    }
    this.skipEmpty();
  }

  private skipEmpty(): void {
    while (this.index < this.parts.length && this.parts[this.index]!.length === 0) this.index++;
  }
}
