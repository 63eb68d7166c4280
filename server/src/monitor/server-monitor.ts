/**
 * Watches the server: what statements cost, what sessions wait for, how the metrics develop. Answers the statistics functions.
 *
 * Threads  all of it on the main thread. A statement costs a few additions; a timer looks at the sessions ten times a second and reads the
 *          metrics once a second.
 */
import type { Oid } from '../base/brands.ts';
import type { Clock, Host, Timer } from '../env/contract.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type { ParsedStatement } from '../session/engine.ts';
import type {
  FinishedStatement,
  RunningCommand,
  SessionMonitor,
  StatementRecord,
} from '../session/monitor-port.ts';
import type { SessionRegistry } from '../session/registry.ts';
import type { BackendSession } from '../session/session.ts';
import type { ServerSettings } from '../session/settings/session-settings.ts';
import type { DatumFunction } from '../sql/functions/contract.ts';
import type { TableStore } from '../table/contract.ts';
import type { TransactionManager } from '../txn/contract.ts';
import type { Datum } from '../types/datum.ts';
import { advisorScalar, advisorSet } from './advisor/functions.ts';
import { Alerts } from './alerts.ts';
import { scalarFunctionOf, setFunctionOf } from './functions.ts';
import { Library } from './library.ts';
import { MetricHistory } from './metric-history.ts';
import { METRIC_DEFINITIONS, MetricReader, type ServerCounters } from './metrics.ts';
import { planNumber, planText } from './plan-record.ts';
import { ProgressBoard } from './progress.ts';
import { PrometheusEndpoint } from './prometheus.ts';
import { SlowLog } from './slow-log.ts';
import { type StatementAccount, StatementStatistics } from './statement-statistics.ts';
import { WaitSamples } from './wait-samples.ts';

const TICK_MILLIS = 100;
const TICKS_PER_SECOND = 10;
const STATEMENTS_MAX = 5000;
/** Plans of statements at least this slow are kept in words. */
const PLAN_KEPT_MICROS = 5000;
const WEBHOOK_TIMEOUT_MILLIS = 10_000;
const POSTGRES_EPOCH_UNIX_MICROS = 946_684_800_000_000n;

export interface MonitorOptions {
  readonly clock: Clock;
  readonly host: Host;
  readonly settings: ServerSettings;
  readonly sessions: SessionRegistry;
  readonly tables: TableStore;
  readonly transactions: TransactionManager;
  readonly counters: ServerCounters;
  readonly version: string;
  readonly log: (severity: 'LOG' | 'WARNING', line: string) => void;
}

export class ServerMonitor implements SessionMonitor {
  readonly isTracking: boolean;
  readonly statements: StatementStatistics;
  readonly waits: WaitSamples;
  readonly history: MetricHistory;
  readonly library: Library;
  readonly alerts: Alerts;
  readonly slow: SlowLog;
  readonly progress = new ProgressBoard();
  readonly counters: ServerCounters;
  readonly blocks: { readonly hits: number; readonly misses: number };
  /** Sessions opened since the start, and the time they lasted and worked. */
  readonly sessionTotals = { opened: 0, openMicros: 0, activeMicros: 0, errors: 0 };
  resetMicros: bigint;
  private readonly options: MonitorOptions;
  private readonly reader: MetricReader;
  private readonly prometheus: PrometheusEndpoint;
  private timer: Timer | undefined;
  private ticks = 0;
  private lastTickMicros = 0;
  private loopDelayMicros = 0;
  private isStopped = true;

  constructor(options: MonitorOptions) {
    const { clock, counters, sessions, tables, transactions } = options;
    this.options = options;
    this.isTracking = options.settings.get('fastpostgres.track_statements') === 'on';
    this.counters = counters;
    this.blocks = counters.blocks;
    this.resetMicros = clock.wallMicros();
    this.statements = new StatementStatistics(STATEMENTS_MAX, clock.wallMicros());
    this.waits = new WaitSamples(sessions);
    this.slow = new SlowLog((line) => options.log('LOG', line));
    this.library = new Library(tables, transactions);
    this.alerts = new Alerts(
      this.library,
      (url, body) => options.host.postJson?.(url, body, WEBHOOK_TIMEOUT_MILLIS) ?? Promise.resolve(false),
    );
    this.reader = new MetricReader({
      sessions,
      statements: this.statements,
      host: options.host,
      counters,
      takeLoopDelayMicros: () => {
        const delay = this.loopDelayMicros;
        this.loopDelayMicros = 0;
        return delay;
      },
    });
    this.history = new MetricHistory(
      tables,
      transactions,
      METRIC_DEFINITIONS.map(({ name }) => name),
      (error) => options.log('WARNING', `could not write metrics: ${error.message}`),
    );
    this.prometheus = new PrometheusEndpoint(this.reader, this.statements, options.version);
  }

  /** Makes or reads its tables and begins to look. */
  async start(): Promise<void> {
    await this.library.open();
    await this.history.open();
    this.alerts.load();
    this.isStopped = false;
    this.lastTickMicros = this.options.clock.monotonicMicros();
    this.arm();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.options.clock.clearTimer(this.timer);
    await this.history.flush();
  }

  private arm(): void {
    this.timer = this.options.clock.setTimer(() => this.tick(), TICK_MILLIS, { background: true });
  }

  private tick(): void {
    if (this.isStopped) return;
    const { clock } = this.options;
    const now = clock.monotonicMicros();
    const delay = now - this.lastTickMicros - TICK_MILLIS * 1000;
    if (delay > this.loopDelayMicros) this.loopDelayMicros = delay;
    this.lastTickMicros = now;
    this.waits.sample(now / 1000);
    if (++this.ticks % TICKS_PER_SECOND === 0) {
      const atMillis = Number(clock.wallMicros() / 1000n);
      const values = this.reader.read(now);
      this.history.add(atMillis, values);
      this.alerts.look(this.history.names, values, atMillis);
    }
    this.arm();
  }

  /** pg_stat_reset(). */
  resetTables(): void {
    this.counters.resetTables();
    this.resetMicros = this.options.clock.wallMicros();
  }

  /** What `/metrics` shows. */
  metricsText(): Promise<string> {
    return this.prometheus.text();
  }

  /** An action in the console. */
  audit(user: string, record: object): void {
    const at = this.options.clock.wallMicros() - POSTGRES_EPOCH_UNIX_MICROS;
    this.library.audit(user, at, JSON.stringify(record)).catch((error: unknown) => {
      this.options.log(
        'WARNING',
        `could not write the audit log: ${error instanceof Error ? error.message : ''}`,
      );
    });
  }

  // ------------------------------------------------------------------------------------------ SessionMonitor

  record(userOid: Oid, databaseOid: Oid, text: string): StatementRecord {
    return this.statements.account(userOid, databaseOid, text);
  }

  finished(session: BackendSession, record: StatementRecord, finished: FinishedStatement): void {
    const account = record as StatementAccount;
    this.statements.finished(account, finished);
    this.sessionTotals.activeMicros += finished.micros;
    if (finished.plan !== null) this.notePlan(session, account, finished.plan, finished.micros);
    const thresholdMillis = session.settings.number('log_min_duration_statement');
    if (thresholdMillis < 0 || finished.micros < thresholdMillis * 1000) return;
    const { entry } = session;
    this.slow.add({
      atMicros: this.options.clock.wallMicros(),
      processId: entry.processId,
      userOid: account.userOid,
      userName: entry.userName,
      micros: finished.micros,
      text: account.text,
      queryId: account.queryId,
      rows: finished.rows,
      plan: finished.plan === null ? null : planText(finished.plan, session),
    });
  }

  private notePlan(
    session: BackendSession,
    account: StatementAccount,
    plan: PhysicalPlan,
    micros: number,
  ): void {
    if (account.lastPlan !== plan) {
      account.lastPlan = plan;
      account.lastPlanAccount = account.planAccount(planNumber(plan), this.options.clock.wallMicros());
    }
    const shape = account.lastPlanAccount;
    if (shape === null) return;
    shape.calls++;
    shape.totalMicros += micros;
    // Statements that take a while are worth a look at the clock and, once a shape, their plan in words.
    if (micros < PLAN_KEPT_MICROS) return;
    shape.lastSeenMicros = this.options.clock.wallMicros();
    shape.plan ??= planText(plan, session);
  }

  commandStarted(session: BackendSession, statement: ParsedStatement): RunningCommand | null {
    return this.progress.begin(session, statement, this.options.clock.wallMicros());
  }

  failed(): void {
    this.sessionTotals.errors++;
  }

  sessionOpened(): void {
    this.sessionTotals.opened++;
  }

  sessionClosed(session: BackendSession): void {
    this.sessionTotals.openMicros += Number(session.wallTimestamp() - session.entry.backendStart);
  }

  logPosition(): number {
    return this.counters.logPosition();
  }

  scalar(name: string, session: BackendSession): DatumFunction | null {
    return scalarFunctionOf(this, name, session) ?? advisorScalar(this, name, session);
  }

  set(
    name: string,
    session: BackendSession,
  ): ((...args: Datum[]) => Iterable<Datum | readonly Datum[]>) | null {
    return setFunctionOf(this, name, session) ?? advisorSet(name, session);
  }
}
