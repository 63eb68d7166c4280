/**
 * Segment files: made ahead of need with their full size (so that a commit's sync writes no metadata), recycled when the checkpoint has
 * passed them.
 *
 * A new segment is zeros under a temporary name, synced, renamed, directory synced. A recycled one keeps its old bytes: every record and
 * mark carries its own LSN, so nothing of it can be taken for the new. A full disk is not an error here but a state: appending refuses
 * (53100) before the prepared space ends, and preparing is tried again every second.
 */
import type { Clock, Disk, File, Timer } from '../../env/contract.ts';
import { EnvironmentError } from '../../env/contract.ts';
import { LOG_DIRECTORY, type LogIdentity, segmentOfName, segmentPath } from './format.ts';

const RETRY_MILLIS = 1000;
const TEMPORARY = 'xlogtemp.';

export class SegmentFiles {
  private readonly disk: Disk;
  private readonly clock: Clock;
  private readonly identity: LogIdentity;
  private readonly spareLimit: number;
  private readonly onFatal: (error: Error) => void;
  /** Segments with their full size, durable under their name; opened on demand. */
  private readonly prepared = new Map<number, File | null>();
  private readonly preparing = new Map<number, Promise<void>>();
  /** Last segment that exists in full, counted contiguously from the current one. */
  private lastPrepared = 0;
  /** The last attempt to prepare failed for want of space. */
  isFull = false;
  private failure: Error | null = null;
  private retryTimer: Timer | undefined;
  private wakeRetry: (() => void) | undefined;
  private isClosed = false;

  constructor(
    disk: Disk,
    clock: Clock,
    identity: LogIdentity,
    spareLimit: number,
    onFatal: (error: Error) => void,
  ) {
    this.disk = disk;
    this.clock = clock;
    this.identity = identity;
    this.spareLimit = spareLimit;
    this.onFatal = onFatal;
  }

  /** Position at which prepared space ends. */
  get preparedEnd(): number {
    return (this.lastPrepared + 1) * this.identity.segmentBytes;
  }

  /** After recovery: these segments exist in full; the last is where appending goes on. */
  adopt(last: number, existing: readonly number[]): void {
    for (const segment of existing) this.prepared.set(segment, null);
    this.lastPrepared = last;
  }

  /** The file of a segment, prepared if need be, opened so that completed writes are durable; waits while the disk is full. */
  async file(segment: number): Promise<File> {
    while (!this.prepared.has(segment)) {
      await this.prepare(segment);
      if (this.failure !== null) throw this.failure;
      if (!this.prepared.has(segment)) await this.pause();
    }
    let file = this.prepared.get(segment)!;
    if (file === null || file === undefined) {
      file = await this.disk.open(segmentPath(this.identity, segment), 'write-durable');
      this.prepared.set(segment, file);
    }
    return file;
  }

  /** Starts preparing a segment in the background. */
  prepareAhead(segment: number): void {
    if (this.prepared.has(segment) || this.isClosed) return;
    void this.prepare(segment).then(() => {
      if (this.isFull && !this.isClosed) this.retryLater(segment);
    });
  }

  private retryLater(segment: number): void {
    if (this.retryTimer !== undefined) return;
    this.retryTimer = this.clock.setTimer(
      () => {
        this.retryTimer = undefined;
        this.prepareAhead(segment);
      },
      RETRY_MILLIS,
      { background: true },
    );
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      this.wakeRetry = resolve;
      this.clock.setTimer(resolve, RETRY_MILLIS, { background: true });
    });
  }

  /** Single flight per segment. Never rejects: a full disk sets `isFull`, any other failure is fatal. */
  private prepare(segment: number): Promise<void> {
    let running = this.preparing.get(segment);
    if (running === undefined) {
      running = this.prepareOnce(segment)
        .then(
          () => {
            this.isFull = false;
            this.prepared.set(segment, null);
            if (segment === this.lastPrepared + 1) this.lastPrepared = segment;
          },
          (error: unknown) => {
            if (error instanceof EnvironmentError && error.code === 'ENOSPC') this.isFull = true;
            else {
              this.failure = error as Error;
              this.onFatal(this.failure);
            }
          },
        )
        .finally(() => this.preparing.delete(segment));
      this.preparing.set(segment, running);
    }
    return running;
  }

  private async prepareOnce(segment: number): Promise<void> {
    const temporary = `${LOG_DIRECTORY}/${TEMPORARY}${segment}`;
    const file = await this.disk.open(temporary, 'create');
    try {
      await file.preallocate(this.identity.segmentBytes);
      await file.dataSync();
    } finally {
      await file.close();
    }
    await this.disk.rename(temporary, segmentPath(this.identity, segment));
    await this.disk.syncDirectory(LOG_DIRECTORY);
  }

  /** Segments before `segment` are no longer needed: recycled as future ones, the rest removed. */
  async recycleBefore(segment: number): Promise<void> {
    const names = await this.disk.list(LOG_DIRECTORY);
    const old = names
      .map((name) => segmentOfName(this.identity, name))
      .filter((one): one is number => one !== null && one < segment)
      .sort((left, right) => left - right);
    if (old.length === 0) return;
    for (const number of old) {
      const file = this.prepared.get(number);
      this.prepared.delete(number);
      if (file) await file.close();
      const path = segmentPath(this.identity, number);
      const next = this.lastPrepared + 1;
      const isSpareWanted = next - segment <= this.spareLimit && !this.preparing.has(next);
      const status = isSpareWanted ? await this.disk.stat(path) : undefined;
      if (status?.sizeBytes === this.identity.segmentBytes && !this.preparing.has(next)) {
        await this.rename(path, next);
      } else await this.disk.unlink(path);
    }
    await this.disk.syncDirectory(LOG_DIRECTORY);
  }

  /** Claims the number before the first await, so that nobody prepares it meanwhile. */
  private async rename(path: string, next: number): Promise<void> {
    const renamed = this.disk
      .rename(path, segmentPath(this.identity, next))
      .then(() => this.disk.syncDirectory(LOG_DIRECTORY))
      .then(() => {
        this.prepared.set(next, null);
        this.lastPrepared = Math.max(this.lastPrepared, next);
        this.isFull = false;
      })
      .finally(() => this.preparing.delete(next));
    this.preparing.set(next, renamed);
    await renamed;
    this.wakeRetry?.();
  }

  /** Forgets handles of segments that appending has left behind. */
  async closeBefore(segment: number): Promise<void> {
    for (const [number, file] of this.prepared) {
      if (number >= segment || file === null) continue;
      this.prepared.set(number, null);
      await file.close();
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.clock.clearTimer(this.retryTimer);
    await Promise.allSettled([...this.preparing.values()]);
    for (const file of this.prepared.values()) if (file) await file.close();
    this.prepared.clear();
  }
}

/** Names of half-made segments, to be removed at start. */
export function isTemporaryName(name: string): boolean {
  return name.startsWith(TEMPORARY);
}
