/**
 * What sessions tell whoever watches the server, and the SQL functions that answer from what was seen. Implemented by `monitor/`.
 *
 * Hot path: a statement costs one `finished` call; its record is looked up once and kept with the compiled statement.
 */
import type { Oid } from '../base/brands.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type { DatumFunction } from '../sql/functions/contract.ts';
import type { Datum } from '../types/datum.ts';
import type { ParsedStatement } from './engine.ts';
import type { BackendSession } from './session.ts';

/** The account of one statement of one role; opaque but for its number. */
export interface StatementRecord {
  readonly queryId: bigint;
}

export interface FinishedStatement {
  readonly micros: number;
  readonly rows: number;
  readonly walBytes: number;
  readonly blocksHit: number;
  readonly blocksRead: number;
  /** Null for commands. */
  readonly plan: PhysicalPlan | null;
}

/** A command whose progress is shown until it ends. */
export interface RunningCommand {
  end(): void;
}

export interface SessionMonitor {
  /** False: statements are not measured (fastpostgres.track_statements). */
  readonly isTracking: boolean;
  /** The account of a text: literals do not matter. */
  record(userOid: Oid, databaseOid: Oid, text: string): StatementRecord;
  finished(session: BackendSession, record: StatementRecord, finished: FinishedStatement): void;
  failed(session: BackendSession, code: string): void;
  /** Null for commands that nobody watches. */
  commandStarted(session: BackendSession, statement: ParsedStatement): RunningCommand | null;
  sessionOpened(session: BackendSession): void;
  sessionClosed(session: BackendSession): void;
  /** Blocks found in the cache and read, so far. */
  readonly blocks: { readonly hits: number; readonly misses: number };
  /** End of the log. */
  logPosition(): number;
  /** A function of the monitor by prosrc; null = not one of them. */
  scalar(name: string, session: BackendSession): DatumFunction | null;
  set(
    name: string,
    session: BackendSession,
  ): ((...args: Datum[]) => Iterable<Datum | readonly Datum[]>) | null;
}
