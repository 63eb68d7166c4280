/**
 * Background care: checkpoints by log volume, freezing of old xids, statistics of tables that changed.
 *
 * One slow timer looks; the work itself runs in slices. A failed checkpoint leaves the old one in force; it is reported
 * and tried again.
 */
import type { Clock, Timer } from '../env/contract.ts';
import type { DurableHalf } from './durability.ts';
import { freezeTables } from './freeze.ts';
import type { TableImplementation } from './table.ts';

const INTERVAL_MILLIS = 250;
/** Small hot tables change by their whole size all the time: they are analysed at most so often. */
const REST_MICROS = 10_000_000;
/** A full disk stays full for a while. */
const RETRY_MICROS = 10_000_000;
/** Xids held before rows are frozen to let the commit table shrink. */
const FREEZE_AFTER_XIDS = 1 << 19;

/** Tables are analysed in one look until so many rows were counted. */
const ANALYZE_ROWS_PER_LOOK = 5_000;

/** See the module comment. */
export class Maintenance {
  private readonly half: DurableHalf;
  private readonly clock: Clock;
  private readonly warn: (error: Error) => void;
  private timer: Timer | undefined;
  private isBusy = false;
  private isStopped = true;
  /** When each table was analysed last (µs, monotonic). */
  private readonly analyzedAt = new WeakMap<TableImplementation, number>();
  /** After a failure nothing is tried before this time (µs, monotonic). */
  private notBefore = 0;

  constructor(half: DurableHalf, clock: Clock, warn: (error: Error) => void) {
    this.half = half;
    this.clock = clock;
    this.warn = warn;
  }

  start(): void {
    this.isStopped = false;
    this.arm();
  }

  stop(): void {
    this.isStopped = true;
    this.clock.clearTimer(this.timer);
  }

  private arm(): void {
    this.timer = this.clock.setTimer(() => void this.look(), INTERVAL_MILLIS, { background: true });
  }

  /** The table that changed most; a few small ones a look, so that they do not come in one go. */
  private async analyzeSome(): Promise<void> {
    const { statistician, tables } = this.half.store;
    const now = this.clock.monotonicMicros();
    const due = [...tables.values()]
      .filter(
        (table) => statistician.isDue(table) && (this.analyzedAt.get(table) ?? -Infinity) < now - REST_MICROS,
      )
      .sort((left, right) => statistician.changes(right) - statistician.changes(left));
    let rows = 0;
    for (const table of due) {
      if (rows > ANALYZE_ROWS_PER_LOOK || this.isStopped) return;
      rows += table.rows.liveRows;
      this.analyzedAt.set(table, now);
      await statistician.analyze(table);
      table.activity.analyses++;
      table.activity.lastAnalyze = this.clock.wallMicros();
    }
  }

  private async look(): Promise<void> {
    if (this.isStopped || this.isBusy) return;
    if (this.clock.monotonicMicros() < this.notBefore) {
      this.arm();
      return;
    }
    this.isBusy = true;
    try {
      const { store, settings, checkpointer } = this.half;
      store.transactions.collect(512);
      if (store.commits.windowUse > FREEZE_AFTER_XIDS) await freezeTables(store);
      const isLogLong =
        settings.checkpointLogBytes > 0 && checkpointer.logBytes > settings.checkpointLogBytes;
      if (isLogLong) await checkpointer.run(false);
      else if (store.arena.usedBytes > settings.deltaBytes) await checkpointer.sealDue();
      await this.analyzeSome();
    } catch (error) {
      this.notBefore = this.clock.monotonicMicros() + RETRY_MICROS;
      if (error instanceof Error) this.warn(error);
    } finally {
      this.isBusy = false;
      if (!this.isStopped) this.arm();
    }
  }
}
