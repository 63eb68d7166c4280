/** Saved queries, history, workspace: kept in the database by functions that know whose they are. */
import type { ConsoleSession } from '../console-sessions.ts';
import type { HistoryEntry, SavedQuery } from '../contract.ts';
import { notFound } from '../http/failure.ts';
import { type AdminContext, ask, DONE, millis } from './context.ts';

const LIST = `select id::text, extract(epoch from at)::text, value from pg_catalog.fastpostgres_library_list($1, $2, $3::int8, $4::int4)`;
const PUT = 'select pg_catalog.fastpostgres_library_put($1, $2::int8, $3)::text';
const DELETE = 'select pg_catalog.fastpostgres_library_delete($1, $2::int8)::text';
const HISTORY_SQL_MAX = 100_000;
const HISTORY_PAGE = 200;

/** How long what has run waits to be written: the statements of a busy moment are written together, and none waits for it. */
const HISTORY_DELAY_MILLIS = 300;
const pending = new WeakMap<ConsoleSession, string[]>();

/** Adds a statement to the role's history; a failure to do so is nobody's concern. */
export function recordHistory(
  context: AdminContext,
  session: ConsoleSession,
  sql: string,
  durationMillis: number,
  rowCount: number | null,
  errorCode: string | null,
): void {
  if (sql.trim() === '') return;
  const value = JSON.stringify({
    database: session.database,
    // Passwords have no business in a history.
    sql: /\bpassword\b/i.test(sql) ? '<statement with a password>' : sql.slice(0, HISTORY_SQL_MAX),
    durationMillis: Math.round(durationMillis * 1000) / 1000,
    rowCount,
    errorCode,
  });
  const waiting = pending.get(session);
  if (waiting !== undefined) {
    waiting.push(value);
    return;
  }
  pending.set(session, [value]);
  context.environment.clock.setTimer(() => void writeHistory(session), HISTORY_DELAY_MILLIS, {
    background: true,
  });
}

/** Writes what waits, in the order it ran. */
export async function writeHistory(session: ConsoleSession): Promise<void> {
  const values = pending.get(session);
  if (values === undefined) return;
  pending.delete(session);
  if (session.isEnded) return;
  const rows = values.map((_, index) => `($${index + 1})`).join(', ');
  await ask(
    session,
    `select pg_catalog.fastpostgres_library_put('history', null, v)::text from (values ${rows}) t(v)`,
    values,
  ).catch(() => {});
}

export function libraryRoutes(context: AdminContext): void {
  const { router } = context;

  router.on('GET /saved-queries', async ({ session }) => {
    const rows = await ask(session, LIST, ['query', '', null, '10000']);
    return {
      queries: rows.map(([id, at, value]): SavedQuery => {
        const saved = JSON.parse(value ?? '{}') as Omit<SavedQuery, 'id' | 'updatedAt'>;
        return { ...saved, id: id ?? '', updatedAt: millis(at) ?? 0 };
      }),
    };
  });

  router.on('POST /saved-queries', async ({ session, body }) => {
    const value = JSON.stringify({
      name: body.name,
      folder: body.folder ?? '',
      sql: body.sql,
      isFavourite: body.isFavourite ?? false,
    });
    const [[id]] = await ask(session, PUT, ['query', body.id ?? null, value]);
    return { id: id ?? '' };
  });

  router.on('POST /saved-queries/delete', async ({ session, body }) => {
    const [[count]] = await ask(session, DELETE, ['query', body.id]);
    if (count === '0') throw notFound('there is no such query');
    return DONE;
  });

  router.on('GET /history', async ({ session, query }) => {
    await writeHistory(session);
    const limit = query.limit ?? HISTORY_PAGE;
    const rows = await ask(session, LIST, [
      'history',
      query.search ?? '',
      query.before ?? null,
      String(limit),
    ]);
    const entries = rows.map(([id, at, value]): HistoryEntry => {
      const entry = JSON.parse(value ?? '{}') as Omit<HistoryEntry, 'id' | 'at'>;
      return { ...entry, id: id ?? '', at: millis(at) ?? 0 };
    });
    return { entries, next: entries.length === limit ? (entries.at(-1)?.id ?? null) : null };
  });

  router.on('POST /history/clear', async ({ session }) => {
    await writeHistory(session);
    await ask(session, DELETE, ['history', null]);
    return DONE;
  });

  router.on('GET /workspace', async ({ session }) => {
    const [row] = await ask(session, LIST, ['workspace', '', null, '1']);
    return row === undefined
      ? { value: null, updatedAt: null }
      : { value: row[2], updatedAt: millis(row[1]) };
  });

  router.on('POST /workspace', async ({ session, body }) => {
    const [row] = await ask(session, LIST, ['workspace', '', null, '1']);
    await ask(session, PUT, ['workspace', row?.[0] ?? null, body.value]);
    return DONE;
  });
}
