/**
 * A disk in memory that keeps unsynced changes apart and, on a crash, does with them what a real one may.
 *
 * Two ways of use:
 * - with a simulation: every operation takes virtual time, several may be in flight, completion order is by the seed
 * - without: operations complete at once; the fastest way to run tens of thousands of crashes
 *
 * A crash test:
 * ```ts
 * const disk = new SimulatedDisk({ seed });
 * disk.crashAtOperation(n);                 // the n-th change, sync or name operation from now
 * await workload(disk).catch(ignoreCrash);  // everything rejects with SimulatedCrash from then on
 * disk.restart();                           // the surviving bytes, readable again
 * await recover(disk);
 * ```
 * `fork()` copies the whole state cheaply: from one run, many different crashes can be tried.
 */

import type { DirectoryLock, Disk, File, FileStatus, OpenMode } from '../contract.ts';
import { EnvironmentError, type EnvironmentErrorCode } from '../contract.ts';
import { normalizePath } from '../file-helpers.ts';
import { type CrashProfile, type FileChange, Inode } from './inode.ts';
import { Namespace, parentOf } from './namespace.ts';
import { SimulatedRandom } from './random.ts';
import { type Simulation, traceKind } from './simulation.ts';

/** The machine lost power: nothing this process does reaches the disk any more. */
export class SimulatedCrash extends EnvironmentError {
  constructor(subject: string) {
    super('ECANCELED', subject, `simulated crash at "${subject}"`);
  }
}

/** Kinds of operation a fault may hit. */
export type DiskOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'rename'
  | 'unlink'
  | 'directory';

/** A fault to come. */
export interface DiskFault {
  readonly operation: DiskOperation;
  /**
   * EIO and ENOSPC reject; `short` writes or reads only a part; `flip` changes one bit of what a read returns.
   * A failing sync loses what it covered by chance, as Linux does.
   */
  readonly effect: 'EIO' | 'ENOSPC' | 'short' | 'flip';
  /** Hits the n-th matching operation from now, 1 the next. */
  readonly at: number;
  /** And so many after it; default none. */
  readonly more?: number;
  /** Only files whose path contains this. */
  readonly path?: string;
}

/** Probability of each fault per operation. */
export interface DiskFaultRates {
  readonly readError?: number;
  readonly writeError?: number;
  readonly syncError?: number;
  readonly shortWrite?: number;
}

/** Options of a simulated disk. */
export interface SimulatedDiskOptions {
  /** Seed of crashes, faults and latencies; taken from the simulation if there is one. */
  readonly seed?: number;
  readonly simulation?: Simulation;
  readonly profile?: CrashProfile;
  readonly capacityBytes?: number;
  readonly rates?: DiskFaultRates;
  /** Virtual latency, uniform in [first, last]; only with a simulation. Default 20 to 200. */
  readonly latencyMicros?: readonly [number, number];
  /** After a crash pending operations never settle instead of rejecting: then no code of the dead process runs. */
  readonly hangAfterCrash?: boolean;
  readonly root?: string;
}

/** See the module comment. */
export class SimulatedDisk implements Disk {
  readonly root: string;
  profile: CrashProfile;
  capacityBytes: number;
  rates: DiskFaultRates;
  /** Changes, syncs and name operations so far; reads do not count. */
  operationCount = 0;
  /** Called before each counted operation, with its number; for tests that fork at every step. */
  onOperation: ((count: number) => void) | undefined;
  readonly random: SimulatedRandom;
  readonly simulation: Simulation | undefined;
  private readonly options: SimulatedDiskOptions;
  private names = new Namespace();
  private faults: { fault: DiskFault; left: number; more: number }[] = [];
  private crashAt = Number.POSITIVE_INFINITY;
  private isDown = false;
  /** Grows with every crash: files opened before it are dead for ever. */
  private era = 0;
  private isLocked = false;
  private nextInode = 1;
  private usedBytes = 0;
  private crashListeners: (() => void)[] = [];

  constructor(options: SimulatedDiskOptions = {}) {
    this.options = options;
    this.root = options.root ?? '/simulated';
    this.simulation = options.simulation;
    this.random = options.simulation
      ? options.simulation.random.fork()
      : new SimulatedRandom(options.seed ?? 1);
    this.profile = options.profile ?? 'adversarial';
    this.capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY;
    this.rates = options.rates ?? {};
  }

  // ------------------------------------------------------------------------------------------- what tests drive

  /** Power fails at the n-th counted operation from now: that operation is issued but never completes. */
  crashAtOperation(count: number): void {
    this.crashAt = this.operationCount + count;
  }

  /** Power fails now. Everything in use rejects (or hangs) until the holder opens it anew after `restart`. */
  crash(profile: CrashProfile = this.profile): void {
    this.era++;
    this.isDown = true;
    this.isLocked = false;
    this.crashAt = Number.POSITIVE_INFINITY;
    this.simulation?.record(traceKind.diskCrash, this.operationCount, this.era);
    for (const inode of this.names.inodes()) inode.crash(this.random, profile);
    this.names.crash(this.random, profile);
    this.usedBytes = 0;
    for (const inode of this.names.inodes()) this.usedBytes += inode.grantedBytes;
    const listeners = this.crashListeners;
    this.crashListeners = [];
    for (const listener of listeners) listener();
  }

  /** Power is back: the disk can be opened again. Faults that did not happen are forgotten. */
  restart(): void {
    this.isDown = false;
    this.faults = [];
  }

  get isCrashed(): boolean {
    return this.isDown;
  }

  /** Resolves at the next crash: what a harness races against when operations hang. */
  whenCrashed(): Promise<void> {
    return new Promise((resolve) => this.crashListeners.push(resolve));
  }

  /** An independent copy of the whole state, unsynced changes included, with a random stream of its own. */
  fork(seed?: number): SimulatedDisk {
    const copy = new SimulatedDisk({
      ...this.options,
      simulation: undefined,
      seed: seed ?? this.random.seed(),
      profile: this.profile,
      capacityBytes: this.capacityBytes,
      rates: this.rates,
    });
    copy.names = this.names.fork();
    copy.nextInode = this.nextInode;
    copy.usedBytes = this.usedBytes;
    copy.isDown = this.isDown;
    return copy;
  }

  fail(fault: DiskFault): void {
    this.faults.push({ fault, left: fault.at, more: fault.more ?? 0 });
  }

  /** Bit rot: changes one bit on the device and in what is read. */
  flipBit(path: string, offset: number, bit: number): void {
    const inode = this.fileAt(path, 'read');
    for (const image of [inode.durable, inode.current]) {
      if (offset >= image.sizeBytes) continue;
      const byte = new Uint8Array(1);
      image.read(offset, byte);
      byte[0]! ^= 1 << bit;
      image.write(offset, byte);
    }
  }

  filePaths(): string[] {
    return this.names.filePaths();
  }

  /** What would be read after a crash that loses all unsynced changes; undefined if the name would be gone. */
  durableBytes(path: string): Uint8Array | undefined {
    const entry = this.names.getDurable(path);
    return entry === undefined || entry === 'directory' ? undefined : entry.durable.bytes();
  }

  currentBytes(path: string): Uint8Array {
    return this.fileAt(path, 'read').current.bytes();
  }

  /** Changes of contents and names a crash could still undo. */
  get unsyncedCount(): number {
    let count = this.names.pendingCount;
    for (const inode of this.names.inodes()) count += inode.unsynced.length + inode.inFlight.length;
    return count;
  }

  // ----------------------------------------------------------------------------------------- the contract: Disk

  open(path: string, mode: OpenMode): Promise<File> {
    return this.perform(path, () => this.openSync(path, mode));
  }

  openSync(path: string, mode: OpenMode): File {
    normalizePath(path);
    this.checkUp(path, this.era);
    this.throwFault('open', path);
    let entry = this.names.get(path);
    if (entry === 'directory') throw failure('EISDIR', path, 'open file');
    if (entry && mode === 'create-new') throw failure('EEXIST', path, 'open file');
    if (!entry) {
      if (mode === 'read' || mode === 'write' || mode === 'write-durable')
        throw failure('ENOENT', path, 'open file');
      this.checkParent(path);
      const inode = new Inode(this.nextInode++);
      this.count(path, () => this.names.link(path, inode));
      entry = inode;
    }
    return new SimulatedFile(this, path, entry, mode !== 'read', mode === 'write-durable', this.era);
  }

  rename(from: string, to: string): Promise<void> {
    return this.perform(from, () => {
      normalizePath(from);
      normalizePath(to);
      this.throwFault('rename', from);
      if (!this.names.get(from)) throw failure('ENOENT', from, 'rename file');
      if (this.names.get(to) === 'directory') throw failure('EISDIR', to, 'rename file');
      this.checkParent(to);
      const replaced = this.names.get(to);
      this.count(from, () => this.names.rename(from, to));
      if (replaced && replaced !== 'directory' && from !== to) this.usedBytes -= replaced.grantedBytes;
    });
  }

  unlink(path: string): Promise<void> {
    return this.perform(path, () => {
      this.throwFault('unlink', path);
      const inode = this.fileAt(path, 'remove');
      this.count(path, () => this.names.unlink(path));
      this.usedBytes -= inode.grantedBytes;
    });
  }

  mkdir(path: string): Promise<void> {
    return this.perform(path, () => {
      normalizePath(path);
      this.throwFault('directory', path);
      const parts = path.split('/');
      for (let length = 1; length <= parts.length; length++) {
        const prefix = parts.slice(0, length).join('/');
        const entry = this.names.get(prefix);
        if (entry !== undefined && entry !== 'directory') throw failure('EEXIST', prefix, 'create directory');
        if (entry === undefined) this.count(prefix, () => this.names.link(prefix, 'directory'));
      }
    });
  }

  removeDirectory(path: string): Promise<void> {
    return this.perform(path, () => {
      this.throwFault('directory', path);
      if (this.names.get(path) === undefined) throw failure('ENOENT', path, 'remove directory');
      if (this.names.get(path) !== 'directory') throw failure('ENOTDIR', path, 'remove directory');
      if (this.names.list(path).length > 0) throw failure('ENOTEMPTY', path, 'remove directory');
      this.count(path, () => this.names.unlink(path));
    });
  }

  list(path: string): Promise<string[]> {
    return this.perform(path, () => {
      normalizePath(path);
      const entry = this.names.get(path);
      if (entry === undefined) throw failure('ENOENT', path, 'open directory');
      if (entry !== 'directory') throw failure('ENOTDIR', path, 'open directory');
      return this.names.list(path);
    });
  }

  stat(path: string): Promise<FileStatus | undefined> {
    return this.perform(path, () => {
      normalizePath(path);
      const entry = this.names.get(path);
      if (entry === undefined) return undefined;
      if (entry === 'directory') return { sizeBytes: 0, isDirectory: true, modifiedMicros: 0 };
      return { sizeBytes: entry.current.sizeBytes, isDirectory: false, modifiedMicros: 0 };
    });
  }

  syncDirectory(path: string): Promise<void> {
    return this.perform(path, () => {
      normalizePath(path);
      this.throwFault('sync', path);
      if (this.names.get(path) !== 'directory') throw failure('ENOENT', path, 'fsync directory');
      this.count(path, undefined);
      this.names.sync(path);
      this.simulation?.record(traceKind.diskSync, hashText(path));
    });
  }

  free(): Promise<number> {
    return this.perform('', () => Math.max(0, this.capacityBytes - this.usedBytes));
  }

  lock(name: string): Promise<DirectoryLock> {
    return this.perform(name, () => {
      normalizePath(name);
      if (this.isLocked) {
        throw new EnvironmentError(
          'ELOCKED',
          this.root,
          `data directory "${this.root}" is in use by another process`,
        );
      }
      this.isLocked = true;
      const era = this.era;
      return {
        release: () => {
          if (era === this.era) this.isLocked = false;
          return Promise.resolve();
        },
      };
    });
  }

  // ------------------------------------------------------------------------------- used by SimulatedFile as well

  /** Runs an operation at its (virtual) time and turns its outcome into a promise. */
  perform<T>(subject: string, action: () => T): Promise<T> {
    const era = this.era;
    const attempt = (): Promise<T> => {
      try {
        this.checkUp(subject, era);
        return Promise.resolve(action());
      } catch (error) {
        if (error instanceof SimulatedCrash && this.options.hangAfterCrash) return new Promise<T>(() => {});
        return Promise.reject(error);
      }
    };
    const simulation = this.simulation;
    if (!simulation) return attempt();
    return new Promise((resolve, reject) => {
      simulation.schedule(this.latency(), () => attempt().then(resolve, reject));
    });
  }

  /** Counts one change; `issue` records it, then the crash (if it is this one's turn) decides about it. */
  count(subject: string, issue: (() => void) | undefined): void {
    this.onOperation?.(this.operationCount);
    this.operationCount++;
    issue?.();
    this.simulation?.record(traceKind.diskName, hashText(subject), this.operationCount);
    if (this.operationCount >= this.crashAt) {
      this.crash();
      throw new SimulatedCrash(subject);
    }
  }

  checkUp(subject: string, era: number): void {
    if (this.isDown || era !== this.era) throw new SimulatedCrash(subject);
  }

  /** The effect of a fault that is due now for this operation, if any. */
  fault(operation: DiskOperation, path: string): DiskFault['effect'] | undefined {
    for (const entry of this.faults) {
      const { fault } = entry;
      if (fault.operation !== operation || (fault.path !== undefined && !path.includes(fault.path))) continue;
      if (--entry.left > 0) continue;
      if (entry.more-- <= 0) this.faults.splice(this.faults.indexOf(entry), 1);
      this.simulation?.record(traceKind.fault, hashText(operation), hashText(path));
      return fault.effect;
    }
    const { readError = 0, writeError = 0, syncError = 0, shortWrite = 0 } = this.rates;
    if (operation === 'read' && readError > 0 && this.random.chance(readError)) return 'EIO';
    if (operation === 'sync' && syncError > 0 && this.random.chance(syncError)) return 'EIO';
    if (operation === 'write' && writeError > 0 && this.random.chance(writeError)) return 'EIO';
    if (operation === 'write' && shortWrite > 0 && this.random.chance(shortWrite)) return 'short';
    return undefined;
  }

  /** Room for `growthBytes` more; takes it. */
  reserve(growthBytes: number): number {
    const granted = Math.max(0, Math.min(growthBytes, this.capacityBytes - this.usedBytes));
    this.usedBytes += granted;
    return granted;
  }

  releaseBytes(count: number): void {
    this.usedBytes -= count;
  }

  private latency(): number {
    const [first, last] = this.options.latencyMicros ?? [20, 200];
    return this.random.between(first, last);
  }

  private throwFault(operation: DiskOperation, path: string): void {
    const effect = this.fault(operation, path);
    if (effect === 'EIO' || effect === 'ENOSPC') throw failure(effect, path, operation);
  }

  private fileAt(path: string, action: string): Inode {
    normalizePath(path);
    const entry = this.names.get(path);
    if (entry === undefined) throw failure('ENOENT', path, `${action} file`);
    if (entry === 'directory') throw failure('EISDIR', path, `${action} file`);
    return entry;
  }

  private checkParent(path: string): void {
    const entry = this.names.get(parentOf(path));
    if (entry === undefined) throw failure('ENOENT', path, 'open file');
    if (entry !== 'directory') throw failure('ENOTDIR', path, 'open file');
  }
}

/** An open file of a simulated disk. */
class SimulatedFile implements File {
  readonly path: string;
  private readonly disk: SimulatedDisk;
  private readonly inode: Inode;
  private readonly isWritable: boolean;
  /** Every write is followed by a sync of its own: two counted operations, so that a crash may come between. */
  private readonly isDurable: boolean;
  private readonly era: number;
  private readonly pathHash: number;
  private isOpen = true;

  constructor(
    disk: SimulatedDisk,
    path: string,
    inode: Inode,
    isWritable: boolean,
    isDurable: boolean,
    era: number,
  ) {
    this.disk = disk;
    this.isDurable = isDurable;
    this.path = path;
    this.inode = inode;
    this.isWritable = isWritable;
    this.era = era;
    this.pathHash = hashText(path);
  }

  read(offset: number, target: Uint8Array): Promise<number> {
    return this.disk.perform(this.path, () => this.readSync(offset, target));
  }

  readSync(offset: number, target: Uint8Array): number {
    this.check('read file');
    const effect = this.disk.fault('read', this.path);
    if (effect === 'EIO' || effect === 'ENOSPC') throw failure('EIO', this.path, 'read file');
    const wanted = effect === 'short' && target.length > 1 ? target.subarray(0, target.length >> 1) : target;
    const count = this.inode.current.read(offset, wanted);
    if (effect === 'flip' && count > 0) target[this.disk.random.int(count)]! ^= 1 << this.disk.random.int(8);
    this.disk.simulation?.record(traceKind.diskRead, this.pathHash, offset, count);
    return count;
  }

  async write(offset: number, source: Uint8Array): Promise<number> {
    const count = await this.issueAndComplete(offset, source);
    if (this.isDurable) await this.dataSync();
    return count;
  }

  private issueAndComplete(offset: number, source: Uint8Array): Promise<number> {
    let issued: { change: FileChange; count: number };
    try {
      issued = this.issueWrite(offset, source);
    } catch (error) {
      return this.disk.perform(this.path, () => {
        throw error;
      });
    }
    return this.disk.perform(this.path, () => {
      this.inode.complete(issued.change);
      return issued.count;
    });
  }

  writeSync(offset: number, source: Uint8Array): number {
    const { change, count } = this.issueWrite(offset, source);
    this.inode.complete(change);
    if (this.isDurable) this.dataSyncSync();
    return count;
  }

  async writeAll(offset: number, parts: readonly Uint8Array[]): Promise<void> {
    const source = concatenate(parts);
    for (let done = 0; done < source.length; )
      done += await this.issueAndComplete(offset + done, source.subarray(done));
    if (this.isDurable) await this.dataSync();
  }

  writeAllSync(offset: number, parts: readonly Uint8Array[]): void {
    const source = concatenate(parts);
    for (let done = 0; done < source.length; ) done += this.writeSync(offset + done, source.subarray(done));
  }

  dataSync(): Promise<void> {
    // The promise covers what had completed when it was made, not what completes while the device works.
    const covered = this.inode.completedSequence;
    return this.disk.perform(this.path, () => this.syncUpTo(covered));
  }

  dataSyncSync(): void {
    this.syncUpTo(this.inode.completedSequence);
  }

  size(): Promise<number> {
    return this.disk.perform(this.path, () => this.sizeSync());
  }

  sizeSync(): number {
    this.check('stat file');
    return this.inode.current.sizeBytes;
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.disk.perform(this.path, () => this.resize(sizeBytes, 'truncate'));
  }

  preallocate(sizeBytes: number): Promise<void> {
    return this.disk.perform(this.path, () => this.preallocateSync(sizeBytes));
  }

  preallocateSync(sizeBytes: number): void {
    if (sizeBytes > this.sizeSync()) this.resize(sizeBytes, 'write');
  }

  close(): Promise<void> {
    return this.disk.perform(this.path, () => this.closeSync());
  }

  closeSync(): void {
    this.check('close file');
    this.isOpen = false;
  }

  private syncUpTo(sequence: number): void {
    this.check('fdatasync file');
    const effect = this.disk.fault('sync', this.path);
    if (effect === 'EIO' || effect === 'ENOSPC') {
      this.inode.failSync(sequence, this.disk.random);
      throw failure(effect, this.path, 'fdatasync file');
    }
    this.disk.count(this.path, undefined);
    this.inode.sync(sequence);
    this.disk.simulation?.record(traceKind.diskSync, this.pathHash, sequence);
  }

  private issueWrite(offset: number, source: Uint8Array): { change: FileChange; count: number } {
    this.checkWritable('write file');
    const effect = this.disk.fault('write', this.path);
    if (effect === 'EIO' || effect === 'ENOSPC') throw failure(effect, this.path, 'write file');
    let count = source.length;
    if (effect === 'short' && count > 1) count = this.disk.random.between(1, count - 1);
    const growth = offset + count - this.inode.grantedBytes;
    if (growth > 0) {
      const granted = this.disk.reserve(growth);
      this.inode.grantedBytes += granted;
      if (granted < growth) count = Math.max(0, count - (growth - granted));
      if (count === 0 && source.length > 0) throw failure('ENOSPC', this.path, 'write file');
    }
    const change: FileChange = { kind: 'write', offset, bytes: source.slice(0, count), sequence: 0 };
    this.disk.count(this.path, () => this.inode.inFlight.push(change));
    this.disk.simulation?.record(traceKind.diskWrite, this.pathHash, offset, count);
    return { change, count };
  }

  private resize(sizeBytes: number, operation: DiskOperation): void {
    this.checkWritable('truncate file');
    const effect = this.disk.fault(operation, this.path);
    if (effect === 'EIO' || effect === 'ENOSPC') throw failure(effect, this.path, 'truncate file');
    const growth = sizeBytes - this.inode.grantedBytes;
    if (growth > 0) {
      const granted = this.disk.reserve(growth);
      if (granted < growth) {
        this.disk.releaseBytes(granted);
        throw failure('ENOSPC', this.path, 'extend file');
      }
    } else {
      this.disk.releaseBytes(-growth);
    }
    this.inode.grantedBytes = sizeBytes;
    const change: FileChange = { kind: 'size', sizeBytes, sequence: 0 };
    this.disk.count(this.path, () => this.inode.inFlight.push(change));
    this.inode.complete(change);
    this.disk.simulation?.record(traceKind.diskTruncate, this.pathHash, sizeBytes);
  }

  private check(action: string): void {
    this.disk.checkUp(this.path, this.era);
    if (!this.isOpen) throw failure('EBADF', this.path, action);
  }

  private checkWritable(action: string): void {
    this.check(action);
    if (!this.isWritable) throw failure('EBADF', this.path, action);
  }
}

function failure(code: EnvironmentErrorCode, path: string, action: string): EnvironmentError {
  return new EnvironmentError(code, path, `could not ${action} "${path}": ${code}`);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  let size = 0;
  for (const part of parts) size += part.length;
  const result = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}

/** FNV-1a over code units, for the trace. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash;
}
