/** What transactions need from the rooms around them; handed over when the manager is built. */
import type { Lsn, Xid } from '../base/brands.ts';

/** The part of the write-ahead log that commits use (storage's `WriteAheadLog` satisfies it). */
export interface CommitLog {
  append(type: number, xid: Xid, payload: Uint8Array, start?: number, end?: number, reserve?: boolean): Lsn;
  requestFlush(lsn: Lsn, callback: () => void): void;
  readonly insertLsn: Lsn;
}

/** The part of the clock that waits and background work use (env's `Clock` satisfies it). */
export interface TurnClock<Timer = unknown> {
  wallMicros(): bigint;
  monotonicMicros(): number;
  setTimer(callback: () => void, delayMillis: number, options?: { readonly background?: boolean }): Timer;
  clearTimer(timer: Timer | undefined): void;
  nextTurn(callback: () => void): void;
}

/**
 * A holder of versioned data. Transactions remember what they changed as (target, kind, first, second); the numbers
 * belong to the target.
 */
export interface VersionTarget {
  /** Takes one change back; the transaction's xid is aborted or about to be reused by the same transaction. */
  undo(kind: number, first: number, second: number, xid: Xid): void;
  /** The change is committed and no snapshot needs what was there before: drop it. */
  prune(kind: number, first: number, second: number): void;
}

/** Log record types of this room; docs/format/wal-records.md. */
export const RECORD_COMMIT = 16;
export const RECORD_PART = 17;
export const RECORD_PART_TRUNCATE = 18;
export const RECORD_PART_ABORT = 19;
