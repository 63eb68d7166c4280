/** The SQL functions behind the statistics views, the metrics and the console's library. */
import type { Oid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import { PG_INDEX } from '../catalog/data/columns.ts';
import type { CatalogReaderImplementation } from '../catalog/reader.ts';
import type { BackendSession } from '../session/session.ts';
import type { DatumFunction } from '../sql/functions/contract.ts';
import { TableImplementation } from '../table/table.ts';
import { type Datum, SqlArray, SqlRecord } from '../types/datum.ts';
import { Numeric } from '../types/numeric.ts';
import { OID } from '../types/oid.ts';
import { METRIC_DEFINITIONS } from './metrics.ts';
import type { ServerMonitor } from './server-monitor.ts';
import { BUCKETS, bucketEnd, type StatementAccount } from './statement-statistics.ts';
import { tableStorageRows } from './table-storage.ts';

type Row = readonly Datum[];
type SetImplementation = (...args: Datum[]) => Iterable<Datum | Row>;

const EPOCH_MICROS = 946_684_800_000_000n;
const READ_ALL_STATS = 3375;
const HIDDEN = '<insufficient privilege>';
const ZERO = 0n;

/** timestamptz of microseconds since 1970; NULL for 0. */
const timestamp = (unixMicros: bigint): Datum => (unixMicros === ZERO ? null : unixMicros - EPOCH_MICROS);
const millisTimestamp = (unixMillis: number): Datum => BigInt(Math.round(unixMillis)) * 1000n - EPOCH_MICROS;
const integer = (value: number): bigint => BigInt(Math.round(value));
const number = (value: number): Datum => (Number.isNaN(value) ? null : value);

function mayReadAll(session: BackendSession): boolean {
  return session.catalog().hasPrivilegesOfRole(session.roleOid(), READ_ALL_STATS);
}

function requireReadAll(session: BackendSession, what: string): void {
  if (!mayReadAll(session)) throw new DbError('insufficient_privilege', `permission denied for ${what}`);
}

/** Statistics are everybody's: only superusers throw them away. */
function requireReset(session: BackendSession, name: string): void {
  if (session.catalog().role(session.roleOid())?.superuser !== true)
    throw new DbError('insufficient_privilege', `permission denied for function ${name}`);
}

function tableOf(session: BackendSession, oid: Datum): TableImplementation | null {
  const relation = session.catalog().relation(oid as Oid);
  if (relation?.table == null || relation.virtualRows !== null) return null;
  const table = session.engine.tables.table(oid as Oid);
  return table instanceof TableImplementation ? table : null;
}

/** Counters of a table (or index) by function name; null = neither, or another function. */
function tableCounter(name: string, session: BackendSession): DatumFunction | null {
  const ofTable =
    (read: (table: TableImplementation) => Datum): DatumFunction =>
    (oid) => {
      const table = tableOf(session, oid);
      return table === null ? ZERO : read(table);
    };
  const ofBoth =
    (
      table: (found: TableImplementation) => number,
      index: (activity: { scans: number; rows: number }) => number,
    ): DatumFunction =>
    (oid) => {
      const found = tableOf(session, oid);
      if (found !== null) return integer(table(found));
      const relation = session.catalog().relation(oid as Oid);
      if (relation === null || (relation.kind !== 'i' && relation.kind !== 'I')) return ZERO;
      const activity = indexActivity(session, oid as Oid);
      return activity === null ? ZERO : integer(index(activity));
    };
  switch (name) {
    case 'pg_stat_get_numscans':
      return ofBoth(
        (table) => table.activity.sequentialScans,
        (index) => index.scans,
      );
    case 'pg_stat_get_tuples_returned':
      return ofBoth(
        (table) => table.activity.sequentialRows,
        (index) => index.rows,
      );
    case 'pg_stat_get_tuples_fetched':
      return ofBoth(
        (table) => table.activity.indexRows,
        (index) => index.rows,
      );
    case 'pg_stat_get_tuples_inserted':
      return ofTable((table) => integer(table.activity.inserted));
    case 'pg_stat_get_tuples_updated':
      return ofTable((table) => integer(table.activity.updated));
    case 'pg_stat_get_tuples_deleted':
      return ofTable((table) => integer(table.activity.deleted));
    case 'pg_stat_get_vacuum_count':
      return ofTable((table) => integer(table.activity.vacuums));
    case 'pg_stat_get_analyze_count':
      return ofTable((table) => integer(table.activity.analyses));
    case 'pg_stat_get_mod_since_analyze':
      return ofTable((table) => integer(table.modifications));
    case 'pg_stat_get_last_vacuum_time':
      return (oid) => timestamp(tableOf(session, oid)?.activity.lastVacuum ?? ZERO);
    case 'pg_stat_get_last_analyze_time':
      return (oid) => timestamp(tableOf(session, oid)?.activity.lastAnalyze ?? ZERO);
    case 'pg_stat_get_last_autovacuum_time':
    case 'pg_stat_get_last_autoanalyze_time':
      return () => null;
    default:
      return null;
  }
}

function indexActivity(session: BackendSession, oid: Oid): { scans: number; rows: number } | null {
  const row = (session.catalog() as CatalogReaderImplementation).view.get('pg_index', oid);
  const table = row == null ? null : tableOf(session, row.values[PG_INDEX.indrelid] as Oid);
  return table?.tableIndexes.find((index) => index.schema.indexOid === oid)?.activity ?? null;
}

/** One row: what is not counted is zero. */
function walRecord(monitor: ServerMonitor): SqlRecord {
  const columns: readonly (readonly [name: string, typeOid: number, value: Datum])[] = [
    ['wal_records', OID.INT8, ZERO],
    ['wal_fpi', OID.INT8, ZERO],
    ['wal_bytes', OID.NUMERIC, new Numeric(monitor.counters.logPosition(), 0)],
    ['wal_buffers_full', OID.INT8, ZERO],
    ['wal_write', OID.INT8, ZERO],
    ['wal_sync', OID.INT8, ZERO],
    ['wal_write_time', OID.FLOAT8, 0],
    ['wal_sync_time', OID.FLOAT8, 0],
    ['stats_reset', OID.TIMESTAMPTZ, timestamp(monitor.resetMicros)],
  ];
  return new SqlRecord(
    OID.RECORD,
    columns.map(([, , value]) => value),
    columns.map(([, typeOid]) => typeOid),
    columns.map(([name]) => name),
  );
}

export function scalarFunctionOf(
  monitor: ServerMonitor,
  name: string,
  session: BackendSession,
): DatumFunction | null {
  const counter = tableCounter(name, session);
  if (counter !== null) return counter;
  const { counters, library, sessionTotals } = monitor;
  const sums = (read: (sums: ReturnType<typeof counters.tables>) => number): DatumFunction => {
    return (oid) => (oid === session.catalog().databaseOid ? integer(read(counters.tables())) : ZERO);
  };
  const own = (read: () => number): DatumFunction => {
    return (oid) => (oid === session.catalog().databaseOid ? integer(read()) : ZERO);
  };
  switch (name) {
    case 'pg_stat_get_wal':
      return () => walRecord(monitor);
    case 'pg_stat_get_db_xact_commit':
      return own(() => counters.commits());
    case 'pg_stat_get_db_xact_rollback':
      return own(() => counters.rollbacks());
    case 'pg_stat_get_db_deadlocks':
      return own(() => counters.deadlocks());
    case 'pg_stat_get_db_blocks_hit':
      return own(() => counters.blocks.hits);
    case 'pg_stat_get_db_blocks_fetched':
      return own(() => counters.blocks.hits + counters.blocks.misses);
    case 'pg_stat_get_db_tuples_returned':
      return sums(({ sequentialRows, indexRows }) => sequentialRows + indexRows);
    case 'pg_stat_get_db_tuples_fetched':
      return sums(({ indexRows }) => indexRows);
    case 'pg_stat_get_db_tuples_inserted':
      return sums(({ inserted }) => inserted);
    case 'pg_stat_get_db_tuples_updated':
      return sums(({ updated }) => updated);
    case 'pg_stat_get_db_tuples_deleted':
      return sums(({ deleted }) => deleted);
    case 'pg_stat_get_db_sessions':
      return own(() => sessionTotals.opened);
    case 'pg_stat_get_db_session_time':
      return () => sessionTotals.openMicros / 1000;
    case 'pg_stat_get_db_active_time':
      return () => sessionTotals.activeMicros / 1000;
    case 'pg_stat_get_db_stat_reset_time':
      return () => timestamp(monitor.resetMicros);
    case 'pg_stat_get_bgwriter_stat_reset_time':
      return () => timestamp(monitor.resetMicros);
    case 'pg_stat_get_bgwriter_timed_checkpoints':
      return () => ZERO;
    case 'pg_stat_get_bgwriter_requested_checkpoints':
      return () => integer(counters.checkpoints().count);
    case 'pg_stat_get_bgwriter_buf_written_checkpoints':
      return () => ZERO;
    case 'pg_stat_get_checkpoint_write_time':
      return () => counters.checkpoints().durationMillis;
    case 'pg_stat_reset':
    case 'pg_stat_reset_shared':
      return () => {
        requireReset(session, name);
        monitor.resetTables();
        return '';
      };
    case 'pg_stat_reset_single_table_counters':
      return (oid) => {
        requireReset(session, name);
        tableOf(session, oid)?.activity.reset();
        return '';
      };
    case 'pg_stat_statements_reset':
      return () => {
        requireReset(session, name);
        monitor.statements.reset(session.engine.clock.wallMicros());
        return '';
      };
    case 'fastpostgres_catalog_version':
      return () => BigInt(session.catalog().version);
    case 'fastpostgres_library_put':
      return (kind, id, value) => library.put(session, textOf(kind), id as bigint | null, textOf(value));
    case 'fastpostgres_library_delete':
      return (kind, id) => library.delete(session, textOf(kind), id as bigint | null);
    default:
      return null;
  }
}

function textOf(value: Datum | undefined): string {
  if (typeof value !== 'string') throw new DbError('null_value_not_allowed', 'argument must not be null');
  return value;
}

export function setFunctionOf(
  monitor: ServerMonitor,
  name: string,
  session: BackendSession,
): SetImplementation | null {
  switch (name) {
    case 'pg_stat_statements':
      return (showText) => statementRows(monitor, session, showText === true);
    case 'pg_stat_statements_info':
      return () => [[integer(monitor.statements.deallocations), timestamp(monitor.statements.resetMicros)]];
    case 'fastpostgres_statement_histogram':
      return (queryId) => histogramRows(visibleAccounts(monitor, session, queryId));
    case 'fastpostgres_statement_plans':
      return (queryId) => planRows(visibleAccounts(monitor, session, queryId));
    case 'fastpostgres_slow_statements':
      return () => slowRows(monitor, session);
    case 'fastpostgres_metrics_now':
      return () => {
        requireReadAll(session, 'metrics');
        const { latest, names } = monitor.history;
        return names.map(
          (metric, index): Row => [metric, latest === undefined ? null : number(latest.values[index])],
        );
      };
    case 'fastpostgres_metric_catalog':
      return () =>
        METRIC_DEFINITIONS.map(
          ({ name: metric, help, unit, kind, group }): Row => [metric, help, unit, kind, group],
        );
    case 'fastpostgres_metric_history':
      return (names, from, to, points) => {
        requireReadAll(session, 'metrics');
        return historyRows(monitor, names as string, from as bigint, to as bigint, points as number);
      };
    case 'fastpostgres_wait_samples':
      return (minutes) => {
        requireReadAll(session, 'wait samples');
        const { samples, waits } = monitor.waits.over(minutes as number);
        return waits.map(
          ({ type, event, samples: count }): Row => [type, event, integer(count), integer(samples)],
        );
      };
    case 'fastpostgres_progress':
      return () =>
        monitor.progress
          .visible(session, mayReadAll(session))
          .map(
            (entry): Row => [
              entry.processId,
              entry.command,
              entry.phase,
              entry.relationOid,
              entry.done(),
              entry.total(),
              timestamp(entry.startedMicros),
            ],
          );
    case 'pg_stat_get_progress_info':
      return (command) =>
        monitor.progress.rows(monitor.progress.visible(session, mayReadAll(session)), command as string);
    case 'fastpostgres_storage':
      return () => storageRows(monitor, session);
    case 'fastpostgres_table_storage':
      return (oid) => {
        const relation = session.catalog().relation(oid as Oid);
        if (relation === null) return [];
        if (!session.catalog().hasRelationPrivilege(session.roleOid(), relation, 'SELECT', null))
          throw new DbError('insufficient_privilege', `permission denied for table ${relation.name}`);
        const table = tableOf(session, oid);
        return table === null ? [] : tableStorageRows(table);
      };
    case 'fastpostgres_library_list':
      return (kind, search, before, maximum) =>
        monitor.library
          .list(
            session,
            textOf(kind),
            (search as string | null) ?? '',
            before as bigint | null,
            (maximum as number | null) ?? 100,
          )
          .map(({ id, at, owner, value }): Row => [id, at, owner, value]);
    case 'fastpostgres_alert_states':
      return () => {
        requireReadAll(session, 'alert rules');
        return [...monitor.alerts.states.values()].map(
          ({ id, state, sinceMillis, value }): Row => [
            id,
            state,
            millisTimestamp(sinceMillis),
            number(value),
          ],
        );
      };
    default:
      return null;
  }
}

/** Rows of pg_stat_statements. Others' texts and numbers are hidden from those who may not see them. */
function* statementRows(monitor: ServerMonitor, session: BackendSession, showText: boolean): Generator<Row> {
  const catalog = session.catalog();
  const isAll = mayReadAll(session);
  for (const account of monitor.statements.all()) {
    if (account.calls === 0) continue;
    const isVisible = isAll || catalog.hasPrivilegesOfRole(session.roleOid(), account.userOid);
    const milliseconds = (micros: number): number => micros / 1000;
    yield [
      account.userOid,
      account.databaseOid,
      true,
      isVisible ? account.queryId : null,
      showText ? (isVisible ? account.text : HIDDEN) : null,
      ZERO,
      0,
      0,
      0,
      0,
      0,
      integer(account.calls),
      milliseconds(account.totalMicros),
      milliseconds(account.minimumMicros),
      milliseconds(account.maximumMicros),
      milliseconds(account.meanMicros),
      milliseconds(account.deviationMicros),
      integer(account.rows),
      integer(account.blocksHit),
      integer(account.blocksRead),
      ZERO,
      ZERO,
      ZERO,
      ZERO,
      ZERO,
      ZERO,
      ZERO,
      ZERO,
      0,
      0,
      0,
      0,
      ZERO,
      ZERO,
      new Numeric(Math.round(account.walBytes), 0),
      ZERO,
      0,
      ZERO,
      0,
      ZERO,
      0,
      ZERO,
      0,
      account.percentileMillis(0.5),
      account.percentileMillis(0.95),
      account.percentileMillis(0.99),
      account.plans.at(-1)?.planId ?? null,
    ];
  }
}

function visibleAccounts(
  monitor: ServerMonitor,
  session: BackendSession,
  queryId: Datum,
): StatementAccount[] {
  const isAll = mayReadAll(session);
  return monitor.statements
    .byQueryId(queryId as bigint)
    .filter((account) => isAll || session.catalog().hasPrivilegesOfRole(session.roleOid(), account.userOid));
}

function* histogramRows(accounts: readonly StatementAccount[]): Generator<Row> {
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    let calls = 0;
    for (const { histogram } of accounts) calls += histogram[bucket];
    if (calls > 0) yield [bucketEnd(bucket) / 1000, integer(calls)];
  }
}

function* planRows(accounts: readonly StatementAccount[]): Generator<Row> {
  for (const { plans } of accounts)
    for (const plan of plans)
      yield [
        plan.planId,
        timestamp(plan.firstSeenMicros),
        timestamp(plan.lastSeenMicros),
        integer(plan.calls),
        plan.totalMicros / Math.max(1, plan.calls) / 1000,
        plan.plan,
      ];
}

function* slowRows(monitor: ServerMonitor, session: BackendSession): Generator<Row> {
  const isAll = mayReadAll(session);
  for (const entry of monitor.slow.all()) {
    if (!isAll && !session.catalog().hasPrivilegesOfRole(session.roleOid(), entry.userOid)) continue;
    yield [
      timestamp(entry.atMicros),
      entry.processId,
      entry.userName,
      entry.micros / 1000,
      entry.text,
      entry.queryId,
      integer(entry.rows),
      entry.plan,
    ];
  }
}

function historyRows(
  monitor: ServerMonitor,
  wanted: string,
  from: bigint,
  to: bigint,
  points: number,
): Row[] {
  const { history } = monitor;
  const names =
    wanted === '' ? [...history.names] : wanted.split(',').filter((name) => history.names.includes(name));
  const places = names.map((name) => history.names.indexOf(name));
  const unixMillis = (at: bigint): number => Number((at + EPOCH_MICROS) / 1000n);
  const range = history.range(unixMillis(from), unixMillis(to), Math.max(2, points));
  const nameArray = new SqlArray(25, names);
  return range.points.map(
    ({ atMillis, values }): Row => [
      integer(range.stepMillis),
      millisTimestamp(atMillis),
      new SqlArray(
        701,
        places.map((place) => number(values[place])),
      ),
      nameArray,
    ],
  );
}

function storageRows(monitor: ServerMonitor, session: BackendSession): Row[] {
  requireReadAll(session, 'storage statistics');
  const space = monitor.counters.diskSpace();
  const growth = monitor.history.growthPerDay('database_bytes');
  let fullAt: Datum = null;
  if (space !== null && growth !== null && growth > 0) {
    const days = space.freeBytes / growth;
    if (days < 36_500) fullAt = session.wallTimestamp() + BigInt(Math.round(days * 86_400)) * 1_000_000n;
  }
  return [
    [
      monitor.counters.logBytesSinceCheckpoint(),
      space?.totalBytes ?? null,
      space?.freeBytes ?? null,
      growth,
      fullAt,
    ],
  ];
}
