/**
 * The commit table: xid -> commit sequence, in shared memory.
 *
 * Shape      `words[xid & mask]`: 0 in progress, -1 aborted, else the low 32 bits of the commit sequence (never 0 or -1).
 *            Xids and sequences in shared memory are their low 32 bits; all live ones lie within 2^31 of each other, so
 *            signed subtraction orders them.
 * Window     covers [base, next). An xid below base is committed and visible to all ("frozen"): before the base
 *            advances, every row that names such an xid is rewritten to FROZEN_XID or gone.
 * Order      the word of an xid is stored before the visible sequence that covers it (both with Atomics.store), so a
 *            reader that took sequence S finds every commit at or below S decided.
 * Crash      nothing here is durable; recovery starts with an empty window.
 */
import { type CommitSequence, FIRST_NORMAL_XID, FROZEN_XID, type Xid } from '../base/brands.ts';
import { assert } from '../base/error.ts';

export const STATUS_IN_PROGRESS = 0;
export const STATUS_ABORTED = -1;

const CONTROL_VISIBLE = 0;
const CONTROL_BASE = 1;

/** See the module comment. One instance per engine. */
export class CommitTable {
  words: Int32Array;
  mask: number;
  /** Int32 words shared with workers: visible sequence (low 32 bits), base xid (low 32 bits). */
  readonly control: Int32Array = new Int32Array(new SharedArrayBuffer(64));
  private base: number;
  private baseLow: number;
  private next: number;
  private visible: number;
  private readonly maximumWindow: number;

  constructor(options: {
    nextXid: Xid;
    sequence: CommitSequence;
    windowSize?: number;
    maximumWindow?: number;
  }) {
    const size = options.windowSize ?? 1 << 16;
    assert((size & (size - 1)) === 0, `commit window ${size} is no power of two`);
    this.words = new Int32Array(new SharedArrayBuffer(size * 4));
    this.mask = size - 1;
    this.maximumWindow = options.maximumWindow ?? 1 << 28;
    this.next = Math.max(options.nextXid, FIRST_NORMAL_XID);
    this.base = this.next;
    this.baseLow = this.base | 0;
    this.visible = options.sequence;
    Atomics.store(this.control, CONTROL_VISIBLE, this.visible | 0);
    Atomics.store(this.control, CONTROL_BASE, this.baseLow);
  }

  get nextXid(): Xid {
    return this.next as Xid;
  }

  get baseXid(): Xid {
    return this.base as Xid;
  }

  get visibleSequence(): CommitSequence {
    return this.visible as CommitSequence;
  }

  /** Xids still held in the window: vacuum freezes when this grows. */
  get windowUse(): number {
    return this.next - this.base;
  }

  assign(): Xid {
    let xid = this.next;
    while (xid >>> 0 < FIRST_NORMAL_XID) xid++;
    if (xid - this.base >= this.words.length) this.grow();
    Atomics.store(this.words, xid & this.mask, STATUS_IN_PROGRESS);
    this.next = xid + 1;
    return xid as Xid;
  }

  /** After recovery: no xid below `next` is in use. */
  raiseNext(next: Xid): void {
    assert(this.windowUse === 0, 'xids are in use');
    this.next = Math.max(this.next, next);
    this.advanceBase(this.next as Xid);
  }

  /** Draws the sequence of the next commit; `publish` makes it visible. */
  nextSequence(): CommitSequence {
    let sequence = this.visible + 1;
    while ((sequence | 0) === 0 || (sequence | 0) === -1) sequence++;
    return sequence as CommitSequence;
  }

  setCommitted(xid: Xid, sequence: CommitSequence): void {
    Atomics.store(this.words, xid & this.mask, sequence | 0);
  }

  publish(sequence: CommitSequence): void {
    this.visible = sequence;
    Atomics.store(this.control, CONTROL_VISIBLE, sequence | 0);
  }

  setAborted(xid: Xid): void {
    Atomics.store(this.words, xid & this.mask, STATUS_ABORTED);
  }

  /** Status word of an xid given by its low 32 bits; xids below the window read as the committed status `frozenStatus`. */
  status(low: number): number {
    if (low === FROZEN_XID || ((low - this.baseLow) | 0) < 0) return this.frozenStatus();
    return this.words[low & this.mask];
  }

  /** False for xids below the window, whose end is forgotten. */
  knows(low: number): boolean {
    return low !== FROZEN_XID && ((low - this.baseLow) | 0) >= 0;
  }

  /** A committed status that is at or below every live snapshot. */
  private frozenStatus(): number {
    const low = (this.visible - 0x40000000) | 0;
    return low === 0 || low === -1 ? 1 : low;
  }

  /** True if the xid (low 32 bits) committed at or before the sequence (low 32 bits). */
  isCommittedAt(low: number, sequenceLow: number): boolean {
    if (low === FROZEN_XID || ((low - this.baseLow) | 0) < 0) return true;
    const word = this.words[low & this.mask];
    return word !== STATUS_IN_PROGRESS && word !== STATUS_ABORTED && ((word - sequenceLow) | 0) <= 0;
  }

  isCommitted(low: number): boolean {
    if (low === FROZEN_XID || ((low - this.baseLow) | 0) < 0) return true;
    const word = this.words[low & this.mask];
    return word !== STATUS_IN_PROGRESS && word !== STATUS_ABORTED;
  }

  isAborted(low: number): boolean {
    if (low === FROZEN_XID || ((low - this.baseLow) | 0) < 0) return false;
    return this.words[low & this.mask] === STATUS_ABORTED;
  }

  isInProgress(low: number): boolean {
    if (low === FROZEN_XID || ((low - this.baseLow) | 0) < 0) return false;
    return this.words[low & this.mask] === STATUS_IN_PROGRESS;
  }

  /** The full xid of low 32 bits taken from a live row. */
  fullXid(low: number): Xid {
    if (low === FROZEN_XID) return FROZEN_XID;
    const distance = (low - this.baseLow) | 0;
    return (this.base + distance) as Xid;
  }

  /** Forgets xids below `base`; the caller has proved that no row names them any more. */
  advanceBase(base: Xid): void {
    assert(base >= this.base && base <= this.next, `commit window cannot move from ${this.base} to ${base}`);
    this.base = base;
    this.baseLow = base | 0;
    Atomics.store(this.control, CONTROL_BASE, this.baseLow);
  }

  private grow(): void {
    const size = this.words.length * 2;
    assert(
      size <= this.maximumWindow,
      `too many transaction ids (${size / 2}) are held by rows that old snapshots need`,
    );
    const words = new Int32Array(new SharedArrayBuffer(size * 4));
    for (let xid = this.base; xid < this.next; xid++) words[xid & (size - 1)] = this.words[xid & this.mask];
    this.words = words;
    this.mask = size - 1;
  }
}
