/** Health as plain sentences, each with what to do and where the evidence is. */
import type { ConsoleSession } from '../console-sessions.ts';
import type { HealthFinding, HealthResponse } from '../contract.ts';
import { type AdminContext, ask } from './context.ts';
import { ageText } from './locks.ts';
import { sequencesOf } from './monitor.ts';

const LEVELS = ['ok', 'notice', 'warning', 'critical'] as const;

const OLD_TRANSACTIONS = `
select pid, usename, state, extract(epoch from now() - xact_start)::text from pg_stat_activity
where xact_start is not null and pid <> pg_backend_pid() and now() - xact_start > interval '5 minutes' order by xact_start limit 5`;

const LONG_STATEMENTS = `
select pid, usename, extract(epoch from now() - query_start)::text from pg_stat_activity
where state = 'active' and pid <> pg_backend_pid() and now() - query_start > interval '10 minutes' order by query_start limit 5`;

const CONNECTIONS = `select count(*)::text, current_setting('max_connections') from pg_stat_activity where backend_type = 'client backend'`;

const WAITING = `select count(*)::text from pg_locks where not granted`;

const DEAD_ROWS = `
select schemaname, relname, n_live_tup::text, n_dead_tup::text from pg_stat_user_tables
where n_dead_tup > 10000 and n_dead_tup > n_live_tup order by n_dead_tup desc limit 5`;

const INVALID_INDEXES = `
select n.nspname || '.' || c.relname from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
where not i.indisvalid limit 10`;

const DUPLICATE_INDEXES = `
select n.nspname || '.' || a.relname, n.nspname || '.' || b.relname from pg_index i
join pg_index j on j.indrelid = i.indrelid and j.indexrelid > i.indexrelid and j.indkey::text = i.indkey::text and j.indclass::text = i.indclass::text
  and j.indoption::text = i.indoption::text and coalesce(j.indpred::text, '') = coalesce(i.indpred::text, '') and coalesce(j.indexprs::text, '') = coalesce(i.indexprs::text, '')
join pg_class a on a.oid = i.indexrelid join pg_class b on b.oid = j.indexrelid join pg_namespace n on n.oid = a.relnamespace limit 10`;

const PENDING_RESTART = `select name from pg_settings where pending_restart order by name`;

const STORAGE = `select disk_total::text, disk_free::text, growth_per_day::text, extract(epoch from full_at)::text from fastpostgres_storage()`;

type Level = HealthFinding['severity'];

export async function health(context: AdminContext, session: ConsoleSession): Promise<HealthResponse> {
  const findings: HealthFinding[] = [];
  const add = (
    id: string,
    severity: Level,
    sentence: string,
    more: { advice?: string; link?: string; sql?: string } = {},
  ): void => {
    findings.push({
      id,
      severity,
      sentence,
      advice: more.advice ?? null,
      link: more.link ?? null,
      sql: more.sql ?? null,
    });
  };
  const check = async (id: string, sql: string, look: (rows: (string | null)[][]) => void): Promise<void> => {
    try {
      look(await ask(session, sql));
    } catch (error) {
      add(
        id,
        'notice',
        `The check "${id}" could not run: ${error instanceof Error ? error.message : 'unknown'}.`,
      );
    }
  };

  await check('old transactions', OLD_TRANSACTIONS, (rows) => {
    for (const [pid, user, state, seconds] of rows) {
      const isIdle = state?.startsWith('idle') === true;
      add(
        `old transaction ${pid}`,
        Number(seconds) > 3600 ? 'critical' : 'warning',
        `Session ${pid} of ${user ?? 'a role you may not see'} has been in a transaction for ${ageText(Number(seconds) * 1000)}${isIdle ? ' and does nothing' : ''}; old row versions cannot be removed until it ends.`,
        {
          advice: isIdle
            ? 'End the session, or set idle_in_transaction_session_timeout.'
            : 'See what it runs.',
          link: '/health/sessions',
          sql: OLD_TRANSACTIONS.trim(),
        },
      );
    }
  });
  await check('long statements', LONG_STATEMENTS, (rows) => {
    for (const [pid, user, seconds] of rows)
      add(
        `long statement ${pid}`,
        'notice',
        `Session ${pid} of ${user ?? 'a role you may not see'} has run one statement for ${ageText(Number(seconds) * 1000)}.`,
        { link: '/health/sessions', sql: LONG_STATEMENTS.trim() },
      );
  });
  await check('connections', CONNECTIONS, ([row]) => {
    const used = Number(row?.[0]);
    const most = Number(row?.[1]);
    const share = used / Math.max(1, most);
    add(
      'connections',
      share > 0.95 ? 'critical' : share > 0.8 ? 'warning' : 'ok',
      `${used} of ${most} connections are in use.`,
      {
        ...(share > 0.8 ? { advice: 'Use a pool, or raise max_connections.' } : {}),
        link: '/health/sessions',
        sql: CONNECTIONS.trim(),
      },
    );
  });
  await check('locks', WAITING, ([row]) => {
    const waiting = Number(row?.[0]);
    add(
      'locks',
      waiting > 10 ? 'warning' : waiting > 0 ? 'notice' : 'ok',
      waiting === 0 ? 'Nobody waits for a lock.' : `${waiting} lock requests wait.`,
      { link: '/health/locks', sql: WAITING },
    );
  });
  await check('dead rows', DEAD_ROWS, (rows) => {
    for (const [schema, table, live, dead] of rows)
      add(
        `dead rows ${schema}.${table}`,
        'notice',
        `${schema}.${table} holds ${dead} dead row versions beside ${live} live rows.`,
        { advice: `VACUUM ${schema}.${table};`, link: '/health/tables', sql: DEAD_ROWS.trim() },
      );
  });
  await check('invalid indexes', INVALID_INDEXES, (rows) => {
    for (const [name] of rows)
      add(
        `invalid index ${name}`,
        'warning',
        `Index ${name} is not valid: statements do not use it, writes pay for it.`,
        {
          advice: `DROP INDEX ${name}; then make it again.`,
          sql: INVALID_INDEXES.trim(),
        },
      );
  });
  await check('duplicate indexes', DUPLICATE_INDEXES, (rows) => {
    for (const [first, second] of rows)
      add(`duplicate index ${second}`, 'notice', `Index ${second} is the same as ${first}.`, {
        advice: `DROP INDEX ${second};`,
        link: '/advisor',
        sql: DUPLICATE_INDEXES.trim(),
      });
  });
  await check('pending restart', PENDING_RESTART, (rows) => {
    if (rows.length > 0)
      add(
        'pending restart',
        'notice',
        `Changed settings wait for a restart: ${rows.map(([name]) => name).join(', ')}.`,
        { link: '/health/settings', sql: PENDING_RESTART },
      );
  });
  await check('disk', STORAGE, ([row]) => {
    if (row?.[0] == null || row[1] === null) return;
    const share = Number(row[1]) / Math.max(1, Number(row[0]));
    const full = row[3] === null ? null : Number(row[3]) * 1000 - context.now();
    const isSoon = full !== null && full < 7 * 86_400_000;
    add(
      'disk',
      share < 0.05 || (full !== null && full < 86_400_000)
        ? 'critical'
        : share < 0.15 || isSoon
          ? 'warning'
          : 'ok',
      `${Math.round(share * 100)} % of the disk is free${full === null ? '' : `; at the present growth it is full in ${ageText(full)}`}.`,
      { link: '/health/storage', sql: STORAGE },
    );
  });
  try {
    const near = (await sequencesOf(session)).filter((sequence) => sequence.used > 0.7);
    for (const sequence of near.slice(0, 10))
      add(
        `sequence ${sequence.schema}.${sequence.name}`,
        sequence.used > 0.9 ? 'critical' : 'warning',
        `Sequence ${sequence.schema}.${sequence.name} has used ${Math.round(sequence.used * 100)} % of its values${sequence.ownedBy === null ? '' : ` (it feeds ${sequence.ownedBy})`}.`,
        { advice: 'Change the column and the sequence to bigint.', link: '/health/sequences' },
      );
    if (near.length === 0)
      add('sequences', 'ok', 'No sequence is near its end.', { link: '/health/sequences' });
  } catch {
    add('sequences', 'notice', 'The sequences could not be looked at.');
  }
  findings.sort((left, right) => LEVELS.indexOf(right.severity) - LEVELS.indexOf(left.severity));
  return { now: context.now(), status: findings[0]?.severity ?? 'ok', findings };
}
