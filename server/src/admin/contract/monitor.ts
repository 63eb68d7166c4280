/** Dashboard and health: sessions, locks, statements, metrics, storage, sequences, settings. */
import Type, { type Static } from 'typebox';
import { BigText, Cell, Millis, nullable } from './shapes.ts';

/** The older, short form of `GET /monitor/sessions`. */
export const ActivityResponse = Type.Object({
  sessions: Type.Array(
    Type.Object({
      processId: Type.Integer(),
      user: Cell,
      database: Cell,
      state: Cell,
      applicationName: Cell,
      clientAddress: Cell,
      query: Cell,
    }),
  ),
});
export type ActivityResponse = Static<typeof ActivityResponse>;

export const SessionEntry = Type.Object({
  processId: Type.Integer(),
  user: Cell,
  database: Cell,
  applicationName: Cell,
  clientAddress: Cell,
  backendType: Cell,
  state: Cell,
  waitEventType: Cell,
  waitEvent: Cell,
  query: Cell,
  queryId: Cell,
  startedAt: nullable(Millis),
  transactionStartedAt: nullable(Millis),
  queryStartedAt: nullable(Millis),
  stateChangedAt: nullable(Millis),
  blockedBy: Type.Array(Type.Integer()),
});
export type SessionEntry = Static<typeof SessionEntry>;
export const SessionsResponse = Type.Object({ now: Millis, sessions: Type.Array(SessionEntry) });
export type SessionsResponse = Static<typeof SessionsResponse>;

export const SignalRequest = Type.Object({
  processId: Type.Integer({ minimum: 1 }),
  action: Type.Union([Type.Literal('cancel'), Type.Literal('terminate')]),
});
export type SignalRequest = Static<typeof SignalRequest>;
export const SignalResponse = Type.Object({ isSent: Type.Boolean() });
export type SignalResponse = Static<typeof SignalResponse>;

/** A session in the blocking forest: who waits for it hangs below. */
export const LockNode = Type.Object({
  processId: Type.Integer(),
  user: Cell,
  state: Cell,
  query: Cell,
  transactionStartedAt: nullable(Millis),
  /** What it waits for; null at a root. */
  waitsFor: nullable(Type.Object({ lockType: Type.String(), mode: Type.String(), object: Type.String() })),
  /** Locks it holds, by object and mode; the first 20 groups. */
  holds: Type.Array(
    Type.Object({
      lockType: Type.String(),
      mode: Type.String(),
      object: Type.String(),
      count: Type.Integer(),
    }),
  ),
  /** Sessions waiting below, directly or not. */
  blockedCount: Type.Integer(),
  /** Indexes into `nodes` of those that wait for it. */
  children: Type.Array(Type.Integer()),
});
export type LockNode = Static<typeof LockNode>;
export const LocksResponse = Type.Object({
  now: Millis,
  totalLocks: Type.Integer(),
  waitingLocks: Type.Integer(),
  nodes: Type.Array(LockNode),
  /** Indexes of the nodes nobody blocks, most blocked first. */
  roots: Type.Array(Type.Integer()),
  /** One sentence a root: "pid 812 idle in transaction for 6 min holds RowExclusiveLock on orders and blocks 14". */
  sentences: Type.Array(Type.Object({ processId: Type.Integer(), text: Type.String() })),
  /** Held and waited-for locks grouped by object and mode, most first; at most 200. */
  groups: Type.Array(
    Type.Object({
      lockType: Type.String(),
      object: Type.String(),
      mode: Type.String(),
      granted: Type.Integer(),
      waiting: Type.Integer(),
    }),
  ),
});
export type LocksResponse = Static<typeof LocksResponse>;

export const StatementsQuery = Type.Object({
  order: Type.Optional(
    Type.Union([
      Type.Literal('total_time'),
      Type.Literal('mean_time'),
      Type.Literal('max_time'),
      Type.Literal('calls'),
      Type.Literal('rows'),
      Type.Literal('blocks'),
      Type.Literal('wal_bytes'),
    ]),
  ),
  search: Type.Optional(Type.String({ maxLength: 200 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
});
export type StatementsQuery = Static<typeof StatementsQuery>;
export const StatementEntry = Type.Object({
  queryId: BigText,
  user: Cell,
  query: Cell,
  calls: BigText,
  totalMillis: Type.Number(),
  minMillis: Type.Number(),
  maxMillis: Type.Number(),
  meanMillis: Type.Number(),
  stddevMillis: Type.Number(),
  p50Millis: Type.Number(),
  p95Millis: Type.Number(),
  p99Millis: Type.Number(),
  rows: BigText,
  blocksHit: BigText,
  blocksRead: BigText,
  walBytes: BigText,
  /** Share of the time of all statements, 0–1. */
  share: Type.Number(),
});
export type StatementEntry = Static<typeof StatementEntry>;
export const StatementsResponse = Type.Object({
  since: nullable(Millis),
  statements: Type.Array(StatementEntry),
});
export type StatementsResponse = Static<typeof StatementsResponse>;
export const StatementDetails = Type.Object({
  statement: StatementEntry,
  /** Latency histogram: calls with a duration up to `upToMillis` (the last one has Infinity as null). */
  histogram: Type.Array(Type.Object({ upToMillis: nullable(Type.Number()), calls: Type.Number() })),
  plans: Type.Array(
    Type.Object({
      planId: BigText,
      firstSeenAt: Millis,
      lastSeenAt: Millis,
      calls: Type.Number(),
      meanMillis: Type.Number(),
      /** EXPLAIN (FORMAT JSON) text; null when it was not kept. */
      plan: nullable(Type.String()),
    }),
  ),
});
export type StatementDetails = Static<typeof StatementDetails>;

/** Logged because they took at least log_min_duration_statement. Newest first. Literals are redacted. */
export const SlowStatement = Type.Object({
  at: Millis,
  processId: Type.Integer(),
  user: Type.String(),
  durationMillis: Type.Number(),
  query: Type.String(),
  queryId: BigText,
  rows: Type.Number(),
  plan: nullable(Type.String()),
});
export type SlowStatement = Static<typeof SlowStatement>;
export const SlowStatementsResponse = Type.Object({ statements: Type.Array(SlowStatement) });
export type SlowStatementsResponse = Static<typeof SlowStatementsResponse>;

export const MetricInfo = Type.Object({
  name: Type.String(),
  help: Type.String(),
  unit: Type.String(),
  /** gauge: as it is; rate: per second; */
  kind: Type.Union([Type.Literal('gauge'), Type.Literal('rate')]),
  group: Type.String(),
});
export type MetricInfo = Static<typeof MetricInfo>;
export const MetricCatalogResponse = Type.Object({ metrics: Type.Array(MetricInfo) });
export type MetricCatalogResponse = Static<typeof MetricCatalogResponse>;

export const MetricsQuery = Type.Object({
  /** Names joined by commas; absent = all. */
  names: Type.Optional(Type.String({ maxLength: 4000 })),
  from: Type.Optional(Type.Number()),
  to: Type.Optional(Type.Number()),
  /** Points wanted at most; the server chooses 1 s, 10 s or 1 min. */
  points: Type.Optional(Type.Integer({ minimum: 2, maximum: 5000 })),
});
export type MetricsQuery = Static<typeof MetricsQuery>;
export const MetricsResponse = Type.Object({
  stepMillis: Type.Number(),
  times: Type.Array(Millis),
  series: Type.Array(Type.Object({ name: Type.String(), values: Type.Array(nullable(Type.Number())) })),
});
export type MetricsResponse = Static<typeof MetricsResponse>;

export const OverviewResponse = Type.Object({
  now: Millis,
  serverVersion: Type.String(),
  startedAt: Millis,
  database: Type.String(),
  databaseBytes: BigText,
  connections: Type.Integer(),
  connectionsMax: Type.Integer(),
  activeSessions: Type.Integer(),
  waitingSessions: Type.Integer(),
  idleInTransaction: Type.Integer(),
  /** Newest value of every metric. */
  metrics: Type.Record(Type.String(), Type.Number()),
});
export type OverviewResponse = Static<typeof OverviewResponse>;

export const WaitsResponse = Type.Object({
  /** Samples in the window; 10 a second. */
  samples: Type.Number(),
  from: Millis,
  to: Millis,
  events: Type.Array(
    Type.Object({
      type: Type.String(),
      event: Type.String(),
      samples: Type.Number(),
      averageSessions: Type.Number(),
    }),
  ),
});
export type WaitsResponse = Static<typeof WaitsResponse>;

export const ProgressEntry = Type.Object({
  processId: Type.Integer(),
  command: Type.String(),
  phase: Type.String(),
  relation: nullable(Type.String()),
  done: Type.Number(),
  total: nullable(Type.Number()),
  startedAt: nullable(Millis),
});
export type ProgressEntry = Static<typeof ProgressEntry>;
export const ProgressResponse = Type.Object({ running: Type.Array(ProgressEntry) });
export type ProgressResponse = Static<typeof ProgressResponse>;

export const StorageResponse = Type.Object({
  now: Millis,
  databaseBytes: BigText,
  walBytes: nullable(Type.Number()),
  disk: nullable(Type.Object({ totalBytes: Type.Number(), freeBytes: Type.Number() })),
  /** Least-squares growth over the history that there is; null with less than ten minutes of it. */
  growthBytesPerDay: nullable(Type.Number()),
  /** When the disk is full if growth goes on; null when it shrinks or nothing can be said. */
  fullAt: nullable(Millis),
  relations: Type.Array(
    Type.Object({
      oid: Type.Integer(),
      schema: Type.String(),
      name: Type.String(),
      kind: Type.String(),
      tableBytes: BigText,
      indexBytes: BigText,
      estimatedRows: Type.Number(),
    }),
  ),
});
export type StorageResponse = Static<typeof StorageResponse>;

export const SequencesResponse = Type.Object({
  sequences: Type.Array(
    Type.Object({
      schema: Type.String(),
      name: Type.String(),
      dataType: Type.String(),
      lastValue: nullable(BigText),
      maximum: BigText,
      /** Used part of the range, 0–1; the column's type counts when it is narrower. */
      used: Type.Number(),
      /** Column it feeds. */
      ownedBy: nullable(Type.String()),
    }),
  ),
});
export type SequencesResponse = Static<typeof SequencesResponse>;

export const SettingsResponse = Type.Object({
  settings: Type.Array(
    Type.Object({
      name: Type.String(),
      value: Cell,
      unit: Cell,
      category: Cell,
      description: Cell,
      context: Cell,
      type: Cell,
      source: Cell,
      minimum: Cell,
      maximum: Cell,
      bootValue: Cell,
      resetValue: Cell,
      isRestartPending: Type.Boolean(),
    }),
  ),
});
export type SettingsResponse = Static<typeof SettingsResponse>;

export const HealthFinding = Type.Object({
  id: Type.String(),
  severity: Type.Union([
    Type.Literal('ok'),
    Type.Literal('notice'),
    Type.Literal('warning'),
    Type.Literal('critical'),
  ]),
  /** One plain sentence. */
  sentence: Type.String(),
  /** What to do about it; null when nothing. */
  advice: nullable(Type.String()),
  /** A page of the console with the evidence, for example '/health/locks'. */
  link: nullable(Type.String()),
  /** The same as a statement. */
  sql: nullable(Type.String()),
});
export type HealthFinding = Static<typeof HealthFinding>;
export const HealthResponse = Type.Object({
  now: Millis,
  status: Type.Union([
    Type.Literal('ok'),
    Type.Literal('notice'),
    Type.Literal('warning'),
    Type.Literal('critical'),
  ]),
  findings: Type.Array(HealthFinding),
});
export type HealthResponse = Static<typeof HealthResponse>;

export const TableActivityResponse = Type.Object({
  tables: Type.Array(
    Type.Object({
      oid: Type.Integer(),
      schema: Type.String(),
      name: Type.String(),
      sequentialScans: BigText,
      sequentialRows: BigText,
      indexScans: BigText,
      inserted: BigText,
      updated: BigText,
      deleted: BigText,
      liveRows: BigText,
      deadRows: BigText,
      lastVacuum: nullable(Millis),
      lastAnalyze: nullable(Millis),
    }),
  ),
});
export type TableActivityResponse = Static<typeof TableActivityResponse>;

/**
 * `GET /live?topics=overview,sessions,locks,progress,statements,health&interval=1000`: server-sent events. Each event's name is its
 * topic, its data the JSON of the same GET's answer; an `error` event carries an ApiError. Nothing is computed for topics nobody asks.
 */
export const LiveQuery = Type.Object({
  topics: Type.String({ maxLength: 200 }),
  /** Milliseconds between events. */
  interval: Type.Optional(Type.Integer({ minimum: 250, maximum: 60_000 })),
});
export type LiveQuery = Static<typeof LiveQuery>;
