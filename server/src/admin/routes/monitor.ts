/** Dashboard and health. Everything is asked with SQL, as the logged-in role: what it may not see, it does not get. */
import type { ConsoleSession } from '../console-sessions.ts';
import type {
  OverviewResponse,
  ProgressResponse,
  SessionsResponse,
  StatementEntry,
  StatementsQuery,
  StatementsResponse,
} from '../contract.ts';
import { notFound } from '../http/failure.ts';
import { ServerError } from '../wire/wire-client.ts';
import { type AdminContext, ask, auditOf, DONE, millis } from './context.ts';
import { health } from './health.ts';
import { lockForest } from './locks.ts';

const EPOCH = (column: string): string => `extract(epoch from ${column})::text`;

const SESSIONS = `
select pid, usename, datname, application_name, client_addr, backend_type, state, wait_event_type, wait_event, query, query_id::text,
  ${EPOCH('backend_start')}, ${EPOCH('xact_start')}, ${EPOCH('query_start')}, ${EPOCH('state_change')},
  array_to_string(case when wait_event_type = 'Lock' then pg_blocking_pids(pid) end, ',')
from pg_stat_activity where pid <> pg_backend_pid() order by state = 'active' desc nulls last, xact_start nulls last, pid`;

const STATEMENT_COLUMNS = `
queryid::text, pg_get_userbyid(userid), query, calls::text, total_exec_time::text, min_exec_time::text, max_exec_time::text, mean_exec_time::text,
stddev_exec_time::text, p50_exec_time::text, p95_exec_time::text, p99_exec_time::text, rows::text, shared_blks_hit::text, shared_blks_read::text,
wal_bytes::text, coalesce(total_exec_time / nullif(sum(total_exec_time) over (), 0), 0)::text`;

const ORDERS: Readonly<Record<NonNullable<StatementsQuery['order']>, string>> = {
  total_time: 'total_exec_time',
  mean_time: 'mean_exec_time',
  max_time: 'max_exec_time',
  calls: 'calls',
  rows: 'rows',
  blocks: 'shared_blks_hit + shared_blks_read',
  wal_bytes: 'wal_bytes',
};

function statementOf(row: readonly (string | null)[]): StatementEntry {
  const number = (at: number): number => Number(row[at] ?? 0);
  return {
    queryId: row[0] ?? '',
    user: row[1],
    query: row[2],
    calls: row[3] ?? '0',
    totalMillis: number(4),
    minMillis: number(5),
    maxMillis: number(6),
    meanMillis: number(7),
    stddevMillis: number(8),
    p50Millis: number(9),
    p95Millis: number(10),
    p99Millis: number(11),
    rows: row[12] ?? '0',
    blocksHit: row[13] ?? '0',
    blocksRead: row[14] ?? '0',
    walBytes: row[15] ?? '0',
    share: number(16),
  };
}

export async function sessionsAnswer(
  context: AdminContext,
  session: ConsoleSession,
): Promise<SessionsResponse> {
  const rows = await ask(session, SESSIONS);
  return {
    now: context.now(),
    sessions: rows.map((row) => ({
      processId: Number(row[0]),
      user: row[1],
      database: row[2],
      applicationName: row[3],
      clientAddress: row[4],
      backendType: row[5],
      state: row[6],
      waitEventType: row[7],
      waitEvent: row[8],
      query: row[9],
      queryId: row[10],
      startedAt: millis(row[11]),
      transactionStartedAt: millis(row[12]),
      queryStartedAt: millis(row[13]),
      stateChangedAt: millis(row[14]),
      blockedBy: row[15] === null || row[15] === '' ? [] : row[15].split(',').map(Number),
    })),
  };
}

export async function statementsAnswer(
  session: ConsoleSession,
  query: StatementsQuery,
): Promise<StatementsResponse> {
  const order = ORDERS[query.order ?? 'total_time'];
  const rows = await ask(
    session,
    `select * from (select ${STATEMENT_COLUMNS}, ${order} as ordering from pg_stat_statements) s
     where strpos(lower(coalesce(s.query, '')), lower($1)) > 0 order by ordering desc nulls last limit ${query.limit ?? 100}`,
    [query.search ?? ''],
  );
  const [since] = await ask(session, `select ${EPOCH('stats_reset')} from pg_stat_statements_info`);
  return { since: millis(since?.[0] ?? null), statements: rows.map(statementOf) };
}

export async function overviewAnswer(
  context: AdminContext,
  session: ConsoleSession,
): Promise<OverviewResponse> {
  const [row] = await ask(
    session,
    `select current_setting('server_version'), ${EPOCH('pg_postmaster_start_time()')}, current_database(), pg_database_size(current_database())::text,
       current_setting('max_connections'), count(*) filter (where backend_type = 'client backend'), count(*) filter (where state = 'active' and pid <> pg_backend_pid()),
       count(*) filter (where wait_event_type = 'Lock'), count(*) filter (where state like 'idle in transaction%')
     from pg_stat_activity`,
  );
  // Who may not read the metrics still sees the rest.
  const metrics = await ask(session, 'select name, value::text from fastpostgres_metrics_now()').catch(
    (error: unknown) => {
      if (error instanceof ServerError && error.report.code === '42501') return [];
      throw error;
    },
  );
  return {
    now: context.now(),
    serverVersion: row?.[0] ?? '',
    startedAt: millis(row?.[1] ?? null) ?? 0,
    database: row?.[2] ?? '',
    databaseBytes: row?.[3] ?? '0',
    connectionsMax: Number(row?.[4]),
    connections: Number(row?.[5]),
    activeSessions: Number(row?.[6]),
    waitingSessions: Number(row?.[7]),
    idleInTransaction: Number(row?.[8]),
    metrics: Object.fromEntries(
      metrics.flatMap(([name, value]) => (name === null || value === null ? [] : [[name, Number(value)]])),
    ),
  };
}

export async function progressAnswer(session: ConsoleSession): Promise<ProgressResponse> {
  const rows = await ask(
    session,
    `select p.pid, p.command, p.phase, case when p.relid <> 0 then p.relid::regclass::text end, p.done::text, p.total::text, ${EPOCH('p.started')}
     from fastpostgres_progress() p order by p.started`,
  );
  return {
    running: rows.map((row) => ({
      processId: Number(row[0]),
      command: row[1] ?? '',
      phase: row[2] ?? '',
      relation: row[3],
      done: Number(row[4]),
      total: row[5] === null ? null : Number(row[5]),
      startedAt: millis(row[6]),
    })),
  };
}

export function monitorRoutes(context: AdminContext): void {
  const { router } = context;

  router.on('GET /activity', async ({ session }) => {
    const { sessions } = await sessionsAnswer(context, session);
    return {
      sessions: sessions.map(
        ({ processId, user, database, state, applicationName, clientAddress, query }) => ({
          processId,
          user,
          database,
          state,
          applicationName,
          clientAddress,
          query,
        }),
      ),
    };
  });

  router.on('GET /monitor/overview', ({ session }) => overviewAnswer(context, session));
  router.on('GET /monitor/sessions', ({ session }) => sessionsAnswer(context, session));
  router.on('GET /monitor/locks', ({ session }) => lockForest(context, session));
  router.on('GET /monitor/statements', ({ session, query }) => statementsAnswer(session, query));
  router.on('GET /monitor/progress', ({ session }) => progressAnswer(session));
  router.on('GET /monitor/health', ({ session }) => health(context, session));

  router.on('POST /monitor/sessions/signal', async ({ session, body }) => {
    const name = body.action === 'cancel' ? 'pg_cancel_backend' : 'pg_terminate_backend';
    const [row] = await ask(session, `select ${name}($1::int4)`, [String(body.processId)]);
    context.audit(auditOf(session, body.action, `pid ${body.processId}`, row?.[0] === 't'));
    return { isSent: row?.[0] === 't' };
  });

  router.on('GET /monitor/statements/:queryId', async ({ session, params }) => {
    const [row] = await ask(
      session,
      `select * from (select ${STATEMENT_COLUMNS} from pg_stat_statements) s where s.queryid = $1 order by s.calls::int8 desc limit 1`,
      [params.queryId],
    );
    if (row === undefined) throw notFound('nothing is recorded of this statement');
    const histogram = await ask(
      session,
      'select up_to_ms::text, calls::text from fastpostgres_statement_histogram($1::int8) order by up_to_ms nulls last',
      [params.queryId],
    );
    const plans = await ask(
      session,
      `select planid::text, ${EPOCH('first_seen')}, ${EPOCH('last_seen')}, calls::text, mean_exec_time::text, plan from fastpostgres_statement_plans($1::int8) order by last_seen desc`,
      [params.queryId],
    );
    return {
      statement: statementOf(row),
      histogram: histogram.map(([upTo, calls]) => ({
        upToMillis: upTo === null ? null : Number(upTo),
        calls: Number(calls),
      })),
      plans: plans.map((plan) => ({
        planId: plan[0] ?? '',
        firstSeenAt: millis(plan[1]) ?? 0,
        lastSeenAt: millis(plan[2]) ?? 0,
        calls: Number(plan[3]),
        meanMillis: Number(plan[4]),
        plan: plan[5],
      })),
    };
  });

  router.on('POST /monitor/statements/reset', async ({ session }) => {
    await ask(session, 'select pg_stat_statements_reset()');
    context.audit(auditOf(session, 'reset statement statistics', ''));
    return DONE;
  });

  router.on('GET /monitor/slow', async ({ session }) => {
    const rows = await ask(
      session,
      `select ${EPOCH('at')}, pid, username, duration_ms::text, query, queryid::text, rows::text, plan from fastpostgres_slow_statements() order by at desc limit 500`,
    );
    return {
      statements: rows.map((row) => ({
        at: millis(row[0]) ?? 0,
        processId: Number(row[1]),
        user: row[2] ?? '',
        durationMillis: Number(row[3]),
        query: row[4] ?? '',
        queryId: row[5] ?? '0',
        rows: Number(row[6]),
        plan: row[7],
      })),
    };
  });

  router.on('GET /monitor/metrics/catalog', async ({ session }) => {
    const rows = await ask(
      session,
      'select name, help, unit, kind, category from fastpostgres_metric_catalog()',
    );
    return {
      metrics: rows.map(([name, help, unit, kind, group]) => ({
        name: name ?? '',
        help: help ?? '',
        unit: unit ?? '',
        kind: kind === 'rate' ? ('rate' as const) : ('gauge' as const),
        group: group ?? '',
      })),
    };
  });

  router.on('GET /monitor/metrics', async ({ session, query }) => {
    const to = query.to ?? context.now();
    const from = query.from ?? to - 15 * 60_000;
    const rows = await ask(
      session,
      `select step_ms::text, ${EPOCH('at')}, array_to_json(values)::text, array_to_json(names)::text
       from fastpostgres_metric_history($1, to_timestamp($2::float8), to_timestamp($3::float8), $4::int4) order by at`,
      [query.names ?? '', String(from / 1000), String(to / 1000), String(query.points ?? 600)],
    );
    const names = rows[0]?.[3] == null ? [] : (JSON.parse(rows[0][3]) as string[]);
    const points = rows.map((row) => JSON.parse(row[2] ?? '[]') as (number | null)[]);
    return {
      stepMillis: Number(rows[0]?.[0] ?? 1000),
      times: rows.map((row) => millis(row[1]) ?? 0),
      series: names.map((name, at) => ({ name, values: points.map((point) => point[at] ?? null) })),
    };
  });

  router.on('GET /monitor/waits', async ({ session, query }) => {
    const minutes = query.minutes ?? 15;
    const rows = await ask(
      session,
      `select wait_event_type, wait_event, samples::text, total::text from fastpostgres_wait_samples($1::int4) order by samples desc`,
      [String(minutes)],
    );
    const total = Number(rows[0]?.[3] ?? 0);
    return {
      samples: total,
      from: context.now() - minutes * 60_000,
      to: context.now(),
      events: rows.map(([type, event, samples]) => ({
        type: type ?? '',
        event: event ?? '',
        samples: Number(samples),
        averageSessions: total === 0 ? 0 : Number(samples) / total,
      })),
    };
  });

  router.on('GET /monitor/tables', async ({ session }) => {
    const rows = await ask(
      session,
      `select relid, schemaname, relname, seq_scan::text, seq_tup_read::text, coalesce(idx_scan, 0)::text, n_tup_ins::text, n_tup_upd::text, n_tup_del::text,
         n_live_tup::text, n_dead_tup::text, ${EPOCH('greatest(last_vacuum, last_autovacuum)')}, ${EPOCH('greatest(last_analyze, last_autoanalyze)')}
       from pg_stat_user_tables order by seq_tup_read desc, relname limit 2000`,
    );
    return {
      tables: rows.map((row) => ({
        oid: Number(row[0]),
        schema: row[1] ?? '',
        name: row[2] ?? '',
        sequentialScans: row[3] ?? '0',
        sequentialRows: row[4] ?? '0',
        indexScans: row[5] ?? '0',
        inserted: row[6] ?? '0',
        updated: row[7] ?? '0',
        deleted: row[8] ?? '0',
        liveRows: row[9] ?? '0',
        deadRows: row[10] ?? '0',
        lastVacuum: millis(row[11]),
        lastAnalyze: millis(row[12]),
      })),
    };
  });

  router.on('GET /monitor/storage', async ({ session }) => {
    const [facts] = await ask(
      session,
      `select pg_database_size(current_database())::text, wal_bytes::text, disk_total::text, disk_free::text, growth_per_day::text, ${EPOCH('full_at')} from fastpostgres_storage()`,
    );
    const rows = await ask(
      session,
      `select c.oid, n.nspname, c.relname, c.relkind, pg_table_size(c.oid)::text, pg_indexes_size(c.oid)::text, greatest(c.reltuples, 0)::text
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
       order by pg_table_size(c.oid) + pg_indexes_size(c.oid) desc limit 200`,
    );
    const number = (text: string | null | undefined): number | null => (text == null ? null : Number(text));
    const totalBytes = number(facts?.[2]);
    const freeBytes = number(facts?.[3]);
    return {
      now: context.now(),
      databaseBytes: facts?.[0] ?? '0',
      walBytes: number(facts?.[1]),
      disk: totalBytes === null || freeBytes === null ? null : { totalBytes, freeBytes },
      growthBytesPerDay: number(facts?.[4]),
      fullAt: millis(facts?.[5] ?? null),
      relations: rows.map((row) => ({
        oid: Number(row[0]),
        schema: row[1] ?? '',
        name: row[2] ?? '',
        kind: row[3] ?? '',
        tableBytes: row[4] ?? '0',
        indexBytes: row[5] ?? '0',
        estimatedRows: Number(row[6]),
      })),
    };
  });

  router.on('GET /monitor/sequences', async ({ session }) => ({ sequences: await sequencesOf(session) }));

  router.on('GET /monitor/settings', async ({ session }) => {
    const rows = await ask(
      session,
      `select name, setting, unit, category, short_desc, context, vartype, source, min_val, max_val, boot_val, reset_val, pending_restart from pg_settings order by category, name`,
    );
    return {
      settings: rows.map((row) => ({
        name: row[0] ?? '',
        value: row[1],
        unit: row[2],
        category: row[3],
        description: row[4],
        context: row[5],
        type: row[6],
        source: row[7],
        minimum: row[8],
        maximum: row[9],
        bootValue: row[10],
        resetValue: row[11],
        isRestartPending: row[12] === 't',
      })),
    };
  });
}

/** Sequences by the used part of their range; a serial column narrower than its sequence counts. */
export async function sequencesOf(session: ConsoleSession) {
  const rows = await ask(
    session,
    `select s.schemaname, s.sequencename, s.data_type::text, s.last_value::text, s.max_value::text, s.min_value::text, s.increment_by::text,
       o.name, o.typname
     from pg_sequences s
     left join (
       select c.oid, cn.nspname, c.relname, tn.nspname || '.' || t.relname || '.' || a.attname as name, ty.typname
       from pg_depend d join pg_class c on c.oid = d.objid join pg_namespace cn on cn.oid = c.relnamespace
       join pg_class t on t.oid = d.refobjid join pg_namespace tn on tn.oid = t.relnamespace
       join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid join pg_type ty on ty.oid = a.atttypid
       where d.classid = 1259 and d.refclassid = 1259 and c.relkind = 'S' and d.refobjsubid > 0) o
     on o.nspname = s.schemaname and o.relname = s.sequencename
     limit 5000`,
  );
  const limits: Readonly<Record<string, bigint>> = {
    int2: 32767n,
    int4: 2147483647n,
    int8: 9223372036854775807n,
  };
  return rows
    .map(([schema, name, dataType, last, max, min, increment, ownedBy, columnType]) => {
      const typeLimit = limits[columnType ?? 'int8'] ?? 9223372036854775807n;
      const most = BigInt(max ?? 0);
      const maximum = most < typeLimit ? most : typeLimit;
      const minimum = BigInt(min ?? 0);
      const value = last === null ? null : BigInt(last);
      const isFalling = (increment ?? '1').startsWith('-');
      const range = maximum - minimum;
      const gone = value === null ? 0n : isFalling ? maximum - value : value - minimum;
      return {
        schema: schema ?? '',
        name: name ?? '',
        dataType: dataType ?? '',
        lastValue: last,
        maximum: String(maximum),
        used: range <= 0n ? 1 : Math.max(0, Number((gone * 1_000_000n) / range) / 1_000_000),
        ownedBy,
      };
    })
    .sort((left, right) => right.used - left.used);
}
