/**
 * The account of the statement that runs: time, rows, blocks and log bytes, handed to the monitor when it ends.
 */
import type { PhysicalPlan } from '../planner/physical.ts';
import type { CompiledStatement } from './compiled-statement.ts';
import type { StatementRecord } from './monitor-port.ts';
import type { BackendSession } from './session.ts';

export class StatementMeasurement {
  private readonly session: BackendSession;
  /** Null outside a statement. */
  private record: StatementRecord | null = null;
  /** Rows of the measured statement; its runner sets it. */
  rows = 0;
  /** Plan of the measured statement, null for commands. */
  plan: PhysicalPlan | null = null;
  private fromMicros = 0;
  private walBytes = 0;
  private blocksHitBefore = 0;
  private blocksReadBefore = 0;

  constructor(session: BackendSession) {
    this.session = session;
  }

  /** A message of the client begins. */
  enter(): void {
    this.record = null;
    const { monitor, clock } = this.session.engine;
    if (monitor?.isTracking === true && this.session.entry.isInternal !== true)
      this.start(clock.monotonicMicros());
  }

  /** The statement that runs from here on has this account; what ran before under another is finished. */
  measure(compiled: CompiledStatement, text: string = compiled.text): void {
    const { monitor } = this.session.engine;
    if (monitor === null || !monitor.isTracking || this.session.entry.isInternal === true) return;
    compiled.record ??= monitor.record(this.session.roleOid(), this.session.entry.databaseOid, text);
    this.begin(compiled.record);
  }

  /** As `measure`, for commands without a plan. */
  measureText(text: string): void {
    const { session } = this;
    const { monitor } = session.engine;
    if (monitor !== null && session.entry.isInternal !== true)
      this.begin(monitor.record(session.roleOid(), session.entry.databaseOid, text));
  }

  addWalBytes(bytes: number): void {
    this.walBytes += bytes;
  }

  finish(): void {
    const { record, session } = this;
    if (record === null) return;
    this.record = null;
    const { monitor, clock } = session.engine;
    if (monitor === null) return;
    const now = clock.monotonicMicros();
    const { blocks } = monitor;
    monitor.finished(session, record, {
      micros: now - this.fromMicros,
      rows: this.rows,
      plan: this.plan,
      walBytes: this.walBytes,
      blocksHit: blocks.hits - this.blocksHitBefore,
      blocksRead: blocks.misses - this.blocksReadBefore,
    });
    this.start(now);
  }

  /** After an error: the account is closed without a record. */
  abandon(): void {
    this.record = null;
  }

  private begin(record: StatementRecord): void {
    this.finish();
    this.record = record;
    this.rows = 0;
    this.plan = null;
    this.session.entry.queryId = record.queryId;
  }

  private start(nowMicros: number): void {
    const { monitor } = this.session.engine;
    if (monitor === null) return;
    this.fromMicros = nowMicros;
    this.walBytes = 0;
    const { blocks } = monitor;
    this.blocksHitBefore = blocks.hits;
    this.blocksReadBefore = blocks.misses;
  }
}
