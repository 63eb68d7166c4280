/**
 * The metrics: names, meanings, and how each is read. Names are those of the Prometheus endpoint without the prefix `fastpostgres_`.
 *
 * A gauge is read as it is; a rate is a counter whose growth per second is kept in the history.
 */
import type { Host } from '../env/contract.ts';
import type { SessionRegistry } from '../session/registry.ts';
import { BUCKETS, percentileMicros, type StatementStatistics } from './statement-statistics.ts';

export interface MetricDefinition {
  readonly name: string;
  readonly help: string;
  readonly unit: string;
  readonly kind: 'gauge' | 'rate';
  readonly group: string;
}

/** What the engine's rooms tell; put together in main/. */
export interface MetricSources {
  readonly sessions: SessionRegistry;
  readonly statements: StatementStatistics;
  readonly host: Host;
  readonly counters: ServerCounters;
  /** Longest delay of the event loop since the last call, microseconds. */
  takeLoopDelayMicros(): number;
}

/** Counters and sizes of transactions, tables, storage. */
export interface ServerCounters {
  commits(): number;
  rollbacks(): number;
  deadlocks(): number;
  readonly blocks: { readonly hits: number; readonly misses: number };
  cacheUsedBytes(): number;
  cacheBytes(): number;
  logPosition(): number;
  unflushedLogBytes(): number;
  checkpoints(): {
    readonly count: number;
    readonly lastMillis: number;
    readonly durationMillis: number;
    readonly isRunning: boolean;
  };
  logBytesSinceCheckpoint(): number;
  deltaBytes(): number;
  /** Sums over all tables. */
  tables(): {
    readonly bytes: number;
    readonly inserted: number;
    readonly updated: number;
    readonly deleted: number;
    readonly sequentialRows: number;
    readonly indexRows: number;
    readonly vacuums: number;
    readonly analyses: number;
  };
  /** Table and index counters begin at zero again. */
  resetTables(): void;
  plans(): { readonly size: number; readonly hits: number; readonly misses: number };
  waitingLocks(): number;
  /** Bytes of the disk the data lies on; null where unknown. */
  diskSpace(): { readonly totalBytes: number; readonly freeBytes: number } | null;
  /** Processor time of this process, microseconds; null where unknown. */
  processorMicros(): number | null;
}

type Reading = (sources: MetricSources, now: Snapshot) => number;

/** Values several metrics are made of, read once a second. */
interface Snapshot {
  readonly tables: ReturnType<ServerCounters['tables']>;
  readonly checkpoints: ReturnType<ServerCounters['checkpoints']>;
  readonly memory: ReturnType<Host['memoryUsage']>;
  readonly disk: ReturnType<ServerCounters['diskSpace']>;
  readonly states: Readonly<Record<'active' | 'idle' | 'inTransaction' | 'waiting' | 'total', number>>;
  readonly latency: { readonly calls: number; readonly percentile: (share: number) => number };
  readonly loopDelayMicros: number;
}

const METRICS: readonly (readonly [MetricDefinition, Reading])[] = [
  metric(
    'statements',
    'Statements finished',
    'statements/s',
    'rate',
    'throughput',
    ({ statements }) => statements.calls,
  ),
  metric(
    'transactions_committed',
    'Transactions committed',
    'transactions/s',
    'rate',
    'throughput',
    ({ counters }) => counters.commits(),
  ),
  metric(
    'transactions_rolled_back',
    'Transactions rolled back',
    'transactions/s',
    'rate',
    'throughput',
    ({ counters }) => counters.rollbacks(),
  ),
  metric(
    'statement_latency_p50',
    'Median latency of statements of the last second',
    'ms',
    'gauge',
    'latency',
    (_, now) => now.latency.percentile(0.5),
  ),
  metric(
    'statement_latency_p95',
    '95th percentile of latency of the last second',
    'ms',
    'gauge',
    'latency',
    (_, now) => now.latency.percentile(0.95),
  ),
  metric(
    'statement_latency_p99',
    '99th percentile of latency of the last second',
    'ms',
    'gauge',
    'latency',
    (_, now) => now.latency.percentile(0.99),
  ),
  metric(
    'statement_time',
    'Time spent in statements',
    'ms/s',
    'rate',
    'latency',
    ({ statements }) => statements.totalMicros / 1000,
  ),
  metric(
    'event_loop_delay',
    'Longest delay of the main loop in the last second',
    'ms',
    'gauge',
    'latency',
    (_, now) => now.loopDelayMicros / 1000,
  ),
  metric('sessions', 'Sessions', 'sessions', 'gauge', 'connections', (_, now) => now.states.total),
  metric(
    'sessions_active',
    'Sessions running a statement',
    'sessions',
    'gauge',
    'connections',
    (_, now) => now.states.active,
  ),
  metric(
    'sessions_idle',
    'Sessions waiting for their client',
    'sessions',
    'gauge',
    'connections',
    (_, now) => now.states.idle,
  ),
  metric(
    'sessions_idle_in_transaction',
    'Sessions idle inside a transaction',
    'sessions',
    'gauge',
    'connections',
    (_, now) => now.states.inTransaction,
  ),
  metric(
    'sessions_waiting',
    'Sessions waiting for a lock',
    'sessions',
    'gauge',
    'connections',
    (_, now) => now.states.waiting,
  ),
  metric('locks_waiting', 'Lock requests not granted', 'locks', 'gauge', 'locks', ({ counters }) =>
    counters.waitingLocks(),
  ),
  metric('deadlocks', 'Deadlocks found', 'deadlocks/s', 'rate', 'locks', ({ counters }) =>
    counters.deadlocks(),
  ),
  metric('rows_inserted', 'Rows inserted', 'rows/s', 'rate', 'rows', (_, now) => now.tables.inserted),
  metric('rows_updated', 'Rows updated', 'rows/s', 'rate', 'rows', (_, now) => now.tables.updated),
  metric('rows_deleted', 'Rows deleted', 'rows/s', 'rate', 'rows', (_, now) => now.tables.deleted),
  metric(
    'rows_scanned',
    'Rows read by sequential scans',
    'rows/s',
    'rate',
    'rows',
    (_, now) => now.tables.sequentialRows,
  ),
  metric(
    'rows_fetched',
    'Rows fetched through indexes',
    'rows/s',
    'rate',
    'rows',
    (_, now) => now.tables.indexRows,
  ),
  metric(
    'cache_hits',
    'Blocks found in the cache',
    'blocks/s',
    'rate',
    'cache',
    ({ counters }) => counters.blocks.hits,
  ),
  metric(
    'cache_misses',
    'Blocks read from disk',
    'blocks/s',
    'rate',
    'cache',
    ({ counters }) => counters.blocks.misses,
  ),
  metric('cache_used_bytes', 'Cache in use', 'bytes', 'gauge', 'cache', ({ counters }) =>
    counters.cacheUsedBytes(),
  ),
  metric('cache_size_bytes', 'Size of the cache', 'bytes', 'gauge', 'cache', ({ counters }) =>
    counters.cacheBytes(),
  ),
  metric(
    'plan_cache_entries',
    'Plans in the shared cache',
    'plans',
    'gauge',
    'cache',
    ({ counters }) => counters.plans().size,
  ),
  metric(
    'plan_cache_hits',
    'Plans found in the shared cache',
    'plans/s',
    'rate',
    'cache',
    ({ counters }) => counters.plans().hits,
  ),
  metric(
    'plan_cache_misses',
    'Plans not found in the shared cache',
    'plans/s',
    'rate',
    'cache',
    ({ counters }) => counters.plans().misses,
  ),
  metric('wal_bytes', 'Bytes written to the log', 'bytes/s', 'rate', 'wal', ({ counters }) =>
    counters.logPosition(),
  ),
  metric('wal_unflushed_bytes', 'Log bytes not yet durable', 'bytes', 'gauge', 'wal', ({ counters }) =>
    counters.unflushedLogBytes(),
  ),
  metric(
    'wal_since_checkpoint_bytes',
    'Log bytes a recovery would read',
    'bytes',
    'gauge',
    'wal',
    ({ counters }) => counters.logBytesSinceCheckpoint(),
  ),
  metric(
    'checkpoints',
    'Checkpoints finished',
    'checkpoints/s',
    'rate',
    'checkpoints',
    (_, now) => now.checkpoints.count,
  ),
  metric(
    'checkpoint_time',
    'Time spent in checkpoints',
    'ms/s',
    'rate',
    'checkpoints',
    (_, now) => now.checkpoints.durationMillis,
  ),
  metric('checkpoint_running', '1 while a checkpoint runs', '', 'gauge', 'checkpoints', (_, now) =>
    now.checkpoints.isRunning ? 1 : 0,
  ),
  metric('vacuums', 'Tables vacuumed', 'tables/s', 'rate', 'vacuum', (_, now) => now.tables.vacuums),
  metric('analyses', 'Tables analysed', 'tables/s', 'rate', 'vacuum', (_, now) => now.tables.analyses),
  metric(
    'delta_bytes',
    'Memory of rows not yet sealed into segments',
    'bytes',
    'gauge',
    'memory',
    ({ counters }) => counters.deltaBytes(),
  ),
  metric(
    'memory_resident_bytes',
    'Resident memory of the process',
    'bytes',
    'gauge',
    'memory',
    (_, now) => now.memory.residentBytes,
  ),
  metric(
    'memory_heap_bytes',
    'JavaScript heap in use',
    'bytes',
    'gauge',
    'memory',
    (_, now) => now.memory.heapUsedBytes,
  ),
  metric(
    'memory_external_bytes',
    'Buffers outside the heap',
    'bytes',
    'gauge',
    'memory',
    (_, now) => now.memory.externalBytes,
  ),
  metric(
    'database_bytes',
    'Size of all tables and indexes',
    'bytes',
    'gauge',
    'disk',
    (_, now) => now.tables.bytes,
  ),
  metric(
    'disk_free_bytes',
    'Free space of the disk',
    'bytes',
    'gauge',
    'disk',
    (_, now) => now.disk?.freeBytes ?? Number.NaN,
  ),
  metric(
    'disk_size_bytes',
    'Size of the disk',
    'bytes',
    'gauge',
    'disk',
    (_, now) => now.disk?.totalBytes ?? Number.NaN,
  ),
  metric(
    'processor_time',
    'Processor time of the process',
    'ms/s',
    'rate',
    'processor',
    ({ counters }) => (counters.processorMicros() ?? Number.NaN) / 1000,
  ),
];

function metric(
  name: string,
  help: string,
  unit: string,
  kind: 'gauge' | 'rate',
  group: string,
  read: Reading,
): readonly [MetricDefinition, Reading] {
  return [{ name, help, unit, kind, group }, read];
}

export const METRIC_DEFINITIONS: readonly MetricDefinition[] = METRICS.map(([definition]) => definition);

/** Reads all metrics; remembers what rates and latencies of a second need. */
export class MetricReader {
  /** Values as they are: counters grow. */
  readonly totals = new Float64Array(METRICS.length);
  private readonly sources: MetricSources;
  private readonly before = new Float64Array(METRICS.length).fill(Number.NaN);
  private readonly histogramBefore = new Uint32Array(BUCKETS);
  private readonly histogram = new Uint32Array(BUCKETS);
  private beforeMicros = Number.NaN;

  constructor(sources: MetricSources) {
    this.sources = sources;
  }

  /** Values of now, rates per second since the call before; NaN = unknown. */
  read(nowMicros: number): Float64Array {
    const snapshot = this.snapshot();
    const seconds = (nowMicros - this.beforeMicros) / 1e6;
    this.beforeMicros = nowMicros;
    const values = new Float64Array(METRICS.length);
    for (let index = 0; index < METRICS.length; index++) {
      const [definition, read] = METRICS[index];
      const value = read(this.sources, snapshot);
      this.totals[index] = value;
      if (definition.kind === 'gauge') values[index] = value;
      else {
        values[index] = seconds > 0 ? Math.max(0, (value - this.before[index]) / seconds) : Number.NaN;
        this.before[index] = value;
      }
    }
    return values;
  }

  private snapshot(): Snapshot {
    const { sources, histogram, histogramBefore } = this;
    const { counters } = sources;
    const states = { active: 0, idle: 0, inTransaction: 0, waiting: 0, total: 0 };
    for (const entry of sources.sessions.all()) {
      states.total++;
      if (entry.state === 'active') states.active++;
      else if (entry.state === 'idle') states.idle++;
      else states.inTransaction++;
      if (entry.waitEventType === 'Lock') states.waiting++;
    }
    let calls = 0;
    const all = sources.statements.histogram;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      histogram[bucket] = all[bucket] - histogramBefore[bucket];
      calls += histogram[bucket];
      histogramBefore[bucket] = all[bucket];
    }
    return {
      tables: counters.tables(),
      checkpoints: counters.checkpoints(),
      memory: sources.host.memoryUsage(),
      disk: counters.diskSpace(),
      states,
      latency: {
        calls,
        percentile: (share) =>
          calls === 0
            ? Number.NaN
            : percentileMicros(histogram, calls, share, Number.POSITIVE_INFINITY) / 1000,
      },
      loopDelayMicros: sources.takeLoopDelayMicros(),
    };
  }
}
