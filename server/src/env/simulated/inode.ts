/**
 * One simulated file: what the device surely holds, what the process sees, and the changes in between.
 *
 * `current` is what reads return. `durable` is what survives any crash. Every change that no sync has covered is in
 * `unsynced` (completed, in order of completion) or in `inFlight` (issued, not completed). A crash decides the fate
 * of each of them: kept, dropped, or torn at 512 or 4096 bytes, and not necessarily in the order of issue.
 */

import { Image } from './image.ts';
import type { SimulatedRandom } from './random.ts';

/** A change of contents. A `size` change only ever cuts or extends with zeros. */
export type FileChange =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array; sequence: number }
  | { readonly kind: 'size'; readonly sizeBytes: number; sequence: number };

/**
 * How harsh a crash is.
 *
 * ordered       kept changes form a prefix of the order of issue, the last one possibly torn; names likewise
 * adversarial   each change on its own may be kept, dropped or torn, in any order; a longer size may survive without
 *               its bytes; names likewise on their own
 * lost          nothing unsynced survives
 * kept          everything unsynced survives (a killed process on a living machine)
 */
export type CrashProfile = 'ordered' | 'adversarial' | 'lost' | 'kept';

/** A file without its name. */
export class Inode {
  readonly id: number;
  durable = new Image();
  current = new Image();
  unsynced: FileChange[] = [];
  inFlight: FileChange[] = [];
  /** Size once all issued changes have completed: what the disk has granted room for. */
  grantedBytes = 0;
  private lastSequence = 0;

  constructor(id: number) {
    this.id = id;
  }

  /** Applies a completed change to what the process sees. */
  complete(change: FileChange): void {
    const index = this.inFlight.indexOf(change);
    if (index >= 0) this.inFlight.splice(index, 1);
    apply(this.current, change);
    change.sequence = ++this.lastSequence;
    this.unsynced.push(change);
  }

  /** A mark for `sync`: it covers exactly the changes completed up to now. */
  get completedSequence(): number {
    return this.lastSequence;
  }

  sync(upToSequence: number): void {
    let covered = 0;
    while (covered < this.unsynced.length && this.unsynced[covered]!.sequence <= upToSequence) {
      apply(this.durable, this.unsynced[covered]!);
      covered++;
    }
    if (covered === this.unsynced.length) this.unsynced.length = 0;
    else this.unsynced.splice(0, covered);
  }

  /**
   * A sync that failed: the kernel marks the pages clean all the same. What it covered is then on the device or not,
   * nobody knows, and a later successful sync does not bring it back.
   */
  failSync(upToSequence: number, random: SimulatedRandom): void {
    const rest = this.unsynced.filter((change) => change.sequence > upToSequence);
    for (const change of this.unsynced) {
      if (change.sequence <= upToSequence && random.chance(0.5)) apply(this.durable, change);
    }
    this.unsynced = rest;
  }

  /** Power fails. Afterwards `current` equals `durable`. */
  crash(random: SimulatedRandom, profile: CrashProfile): void {
    const changes = this.inFlight.length > 0 ? this.unsynced.concat(this.inFlight) : this.unsynced;
    if (changes.length > 0) {
      if (profile === 'kept') for (const change of changes) apply(this.durable, change);
      else if (profile === 'ordered') this.keepPrefix(changes, random);
      else if (profile === 'adversarial') this.keepAny(changes, random);
      this.unsynced = [];
      this.inFlight = [];
    }
    this.current = this.durable.share();
    this.grantedBytes = this.current.sizeBytes;
  }

  fork(): Inode {
    const copy = new Inode(this.id);
    copy.durable = this.durable.share();
    copy.current = this.current.share();
    copy.unsynced = this.unsynced.slice();
    copy.inFlight = this.inFlight.slice();
    copy.grantedBytes = this.grantedBytes;
    copy.lastSequence = this.lastSequence;
    return copy;
  }

  private keepPrefix(changes: readonly FileChange[], random: SimulatedRandom): void {
    const kept = random.int(changes.length + 1);
    for (let index = 0; index < kept; index++) apply(this.durable, changes[index]!);
    const torn = changes[kept];
    if (torn?.kind === 'write' && random.chance(0.5)) this.tear(torn.offset, torn.bytes, random);
  }

  private keepAny(changes: readonly FileChange[], random: SimulatedRandom): void {
    // Some crashes lose nearly all, some nearly nothing: a fixed rate would make both ends too rare.
    const keepRate = [0, 0.1, 0.5, 0.9, 1][random.int(5)]!;
    const tearRate = [0, 0.1, 0.5][random.int(3)]!;
    const order = random.chance(0.5) ? changes.slice() : shuffleBetweenCuts(changes, random);
    let end = 0;
    for (const change of order) {
      if (change.kind === 'write') end = Math.max(end, change.offset + change.bytes.length);
      if (random.chance(tearRate)) {
        if (change.kind === 'write') this.tear(change.offset, change.bytes, random);
      } else if (random.chance(keepRate)) {
        apply(this.durable, change);
      }
    }
    // The new size reached the device, the bytes did not: they read as zeros, or as what the blocks held before.
    if (end > this.durable.sizeBytes && random.chance(0.25)) {
      const start = this.durable.sizeBytes;
      this.durable.truncate(random.between(start + 1, end));
      if (random.chance(0.25)) this.durable.write(start, random.bytes(this.durable.sizeBytes - start));
    }
  }

  /** Writes some sectors of a write: a prefix, a suffix, or any. */
  private tear(offset: number, bytes: Uint8Array, random: SimulatedRandom): void {
    const sectorBytes = random.chance(0.5) ? 512 : 4096;
    const first = Math.floor(offset / sectorBytes);
    const count = Math.floor((offset + bytes.length - 1) / sectorBytes) - first + 1;
    const mode = random.int(3);
    const cut = random.int(count + 1);
    for (let index = 0; index < count; index++) {
      const isKept = mode === 0 ? index < cut : mode === 1 ? index >= cut : random.chance(0.5);
      if (!isKept) continue;
      const start = Math.max(0, (first + index) * sectorBytes - offset);
      const end = Math.min(bytes.length, (first + index + 1) * sectorBytes - offset);
      this.durable.write(offset + start, bytes.subarray(start, end));
    }
  }
}

function apply(image: Image, change: FileChange): void {
  if (change.kind === 'write') image.write(change.offset, change.bytes);
  else image.truncate(change.sizeBytes);
}

/** File systems do not move writes over a change of size of the same file. */
function shuffleBetweenCuts(changes: readonly FileChange[], random: SimulatedRandom): FileChange[] {
  const result: FileChange[] = [];
  let run: FileChange[] = [];
  for (const change of changes) {
    if (change.kind === 'write') {
      run.push(change);
      continue;
    }
    result.push(...random.shuffle(run), change);
    run = [];
  }
  result.push(...random.shuffle(run));
  return result;
}
