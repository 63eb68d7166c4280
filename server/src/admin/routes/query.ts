/** Running statements, streaming their progress, paging, exporting and cancelling. */
import type { FastifyReply } from 'fastify';
import { type ConsoleSession, MAIN_CONNECTION } from '../console-sessions.ts';
import type { ApiError, QueryEvent, QueryRequest, StatementResult } from '../contract.ts';
import { ApiFailure, apiError, failureOf } from '../http/failure.ts';
import { exportName, exportOf } from '../results/export.ts';
import type { HeldResult } from '../results/held-result.ts';
import { parquetFile } from '../results/parquet.ts';
import type { Receiver, ServerReport, WireClient, WireColumn, WireParameter } from '../wire/wire-client.ts';
import { type AdminContext, ask, DONE } from './context.ts';
import { explainStatement } from './explain.ts';
import { recordHistory } from './library.ts';
import { namedColumns } from './type-names.ts';

const PAGE_ROWS_DEFAULT = 500;
const PROGRESS_MILLIS = 250;
const ROWS_PER_CLOCK_LOOK = 1024;

/** Collects what a request brings into held results, and tells a listener about it. */
class Collector implements Receiver {
  readonly results: HeldResult[] = [];
  readonly notices: ApiError[] = [];
  /** Columns of every result, as the wire has them. */
  readonly wireColumns: (readonly WireColumn[])[] = [];
  private current: HeldResult | null = null;
  private readonly context: AdminContext;
  private readonly session: ConsoleSession;
  private readonly listener: CollectorListener | null;

  constructor(context: AdminContext, session: ConsoleSession, listener: CollectorListener | null) {
    this.context = context;
    this.session = session;
    this.listener = listener;
  }

  private open(columns: readonly WireColumn[]): HeldResult {
    const { results } = this.context;
    const plain = columns.map(({ name, typeOid }) => ({ name, typeOid, typeName: '' }));
    const result = results.open(this.session, this.session.user, plain);
    this.results.push(result);
    this.wireColumns.push(columns);
    this.current = result;
    return result;
  }

  columns(columns: readonly WireColumn[]): void {
    const result = this.open(columns);
    this.listener?.columns(result, columns);
  }

  row(fields: readonly (string | null)[]): void {
    if (this.current === null) return;
    this.context.results.append(this.current, fields);
    this.listener?.row(this.current);
  }

  complete(tag: string): void {
    const result = this.current ?? this.open([]);
    result.tag = tag;
    this.context.results.settle(result);
    this.listener?.complete(result);
    this.current = null;
  }

  notice(report: ServerReport): void {
    const notice = apiError(report);
    this.notices.push(notice);
    this.listener?.notice(notice);
  }
}

interface CollectorListener {
  columns(result: HeldResult, columns: readonly WireColumn[]): void;
  row(result: HeldResult): void;
  complete(result: HeldResult): void;
  notice(notice: ApiError): void;
}

/** Types of $n by their SQL names. */
async function resolveParameters(
  session: ConsoleSession,
  parameters: QueryRequest['parameters'],
): Promise<readonly WireParameter[]> {
  const resolved: WireParameter[] = [];
  for (const { value, type } of parameters ?? []) {
    const rows = type === undefined ? [] : await ask(session, 'select $1::regtype::oid', [type]);
    resolved.push({ value, typeOid: Number(rows[0]?.[0] ?? 0) });
  }
  return resolved;
}

async function runRequest(
  session: ConsoleSession,
  client: WireClient,
  request: QueryRequest,
  receiver: Receiver,
): Promise<ServerReport | null> {
  if (request.isManualCommit === true && client.transactionStatus === 'I') await client.query('begin');
  if ((request.parameters ?? []).length === 0) return client.run(request.sql, receiver);
  return client.runWithParameters(
    request.sql,
    await resolveParameters(session, request.parameters),
    receiver,
  );
}

export function queryRoutes(context: AdminContext): void {
  const { environment, router, results } = context;
  const nowMillis = (): number => environment.clock.monotonicMicros() / 1000;

  const closeUnused = (session: ConsoleSession, body: QueryRequest): void => {
    for (const id of body.closes ?? []) if (results.find(session, id) !== undefined) results.drop(id);
  };

  router.on('POST /query', async ({ session, body }) => {
    closeUnused(session, body);
    const client = await session.connection(body.connection ?? MAIN_CONNECTION);
    const collector = new Collector(context, session, null);
    const start = nowMillis();
    const error = await runRequest(session, client, body, collector);
    const durationMillis = nowMillis() - start;
    const pageSize = body.pageSize ?? PAGE_ROWS_DEFAULT;
    const answers: StatementResult[] = [];
    for (const [index, result] of collector.results.entries()) {
      result.columns = await namedColumns(session, collector.wireColumns[index]);
      answers.push({
        id: result.id,
        tag: result.tag,
        columns: result.columns,
        rowCount: result.rowCount,
        isTruncated: result.isTruncated,
        rows: window(result, null, 0, pageSize),
      });
    }
    recordHistory(context, session, body.sql, durationMillis, rowsOf(collector), error?.code ?? null);
    return {
      results: answers,
      notices: collector.notices,
      error: error === null ? null : apiError(error),
      durationMillis,
      transactionStatus: client.transactionStatus,
    };
  });

  router.raw('POST /query/stream', async ({ session, body, reply }) => {
    closeUnused(session, body);
    const client = await session.connection(body.connection ?? MAIN_CONNECTION);
    return streamQuery(context, session, client, body, reply);
  });

  router.on('POST /rows', async ({ session, body }) => {
    const result = held(context, session, body.id);
    const view = result.view(body.sort ?? [], body.filter ?? []);
    if (view !== null) results.settle(result);
    return {
      rows: window(result, view, body.offset, body.limit),
      total: view === null ? result.keptRows : view.length,
    };
  });

  router.raw('GET /results/:id/export', async ({ session, params, query, reply }) => {
    const result = held(context, session, params.id);
    const view = result.view(jsonList(query.sort), jsonList(query.filter));
    if (query.format === 'parquet') {
      const bytes = await parquetFile(result, view, () => environment.clock.yieldToLoop());
      if (result.isTruncated) reply.header('x-fastpostgres-truncated', String(result.rowCount));
      return reply
        .header('content-type', 'application/vnd.apache.parquet')
        .header('cache-control', 'no-store')
        .header('content-disposition', `attachment; filename="${exportName(query.fileName)}.parquet"`)
        .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    }
    return exportOf(result, view, query, reply);
  });

  router.on('GET /results/:id/profile', async ({ session, params, query }) => {
    const result = held(context, session, params.id);
    if (query.column >= result.columns.length)
      throw new ApiFailure(400, { code: 'no_such_column', message: 'the result has no such column' });
    return result.profile(query.column);
  });

  router.on('POST /results/close', async ({ session, body }) => {
    held(context, session, body.id);
    results.drop(body.id);
    return DONE;
  });

  router.on('POST /cancel', async ({ session, body }) => {
    const client = await session.existing(body?.connection ?? MAIN_CONNECTION);
    await client?.cancel();
    return DONE;
  });

  router.on('POST /explain', async ({ session, body }) => {
    const client = await session.connection(body.connection ?? MAIN_CONNECTION);
    const start = nowMillis();
    const explained = await explainStatement(
      client,
      body.sql,
      await resolveParameters(session, body.parameters),
      body.analyze,
    );
    return { ...explained, durationMillis: nowMillis() - start };
  });
}

function rowsOf(collector: Collector): number | null {
  const last = collector.results.at(-1);
  return last === undefined ? null : last.rowCount;
}

function held(context: AdminContext, session: ConsoleSession, id: string): HeldResult {
  const result = context.results.find(session, id);
  if (result === undefined) {
    throw new ApiFailure(404, {
      code: 'result_gone',
      message: 'this result is not kept any more; run the statement again',
    });
  }
  return result;
}

function window(
  result: HeldResult,
  view: Uint32Array | null,
  offset: number,
  limit: number,
): (string | null)[][] {
  const total = view === null ? result.keptRows : view.length;
  const rows: (string | null)[][] = [];
  for (let at = offset; at < Math.min(total, offset + limit); at++)
    rows.push(result.row(view === null ? at : view[at]));
  return rows;
}

/** Sort and filter of an export, which travel in the address. */
function jsonList<T>(text: string | undefined): T[] {
  if (text === undefined || text === '') return [];
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null))
      return value as T[];
  } catch {
    // Falls through to the refusal.
  }
  throw new ApiFailure(400, { code: 'bad_view', message: 'sort and filter must be JSON arrays' });
}

/** Lines of events while statements run. When the reader goes away, the statements are cancelled. */
function streamQuery(
  context: AdminContext,
  session: ConsoleSession,
  client: WireClient,
  body: QueryRequest,
  reply: FastifyReply,
): FastifyReply {
  const { clock } = context.environment;
  const nowMillis = (): number => clock.monotonicMicros() / 1000;
  const pageSize = body.pageSize ?? PAGE_ROWS_DEFAULT;
  const start = nowMillis();
  let isGone = false;
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      // Events leave in order although names of types may have to be asked for first.
      let tail: Promise<void> = Promise.resolve();
      const send = (make: () => QueryEvent | null | Promise<QueryEvent | null>): void => {
        tail = tail.then(async () => {
          const event = await make();
          if (event !== null && !isGone) controller.enqueue(encoder.encode(`${JSON.stringify(event)}\n`));
        });
      };
      let lastProgress = start;
      let sentRowsOf: HeldResult | null = null;
      const sendRows = (result: HeldResult): void => {
        if (sentRowsOf === result) return;
        sentRowsOf = result;
        const rows = window(result, null, 0, pageSize);
        send(() => ({ type: 'rows', id: result.id, rows }));
      };
      const progress = (result: HeldResult | null): void => {
        const now = nowMillis();
        if (now - lastProgress < PROGRESS_MILLIS) return;
        lastProgress = now;
        const rowCount = result?.rowCount ?? 0;
        send(() => ({ type: 'progress', id: result?.id ?? null, rowCount, elapsedMillis: now - start }));
      };
      const collector = new Collector(context, session, {
        columns: (result, columns) =>
          send(async () => {
            result.columns = await namedColumns(session, columns);
            return { type: 'columns', id: result.id, columns: result.columns };
          }),
        row: (result) => {
          if (result.rowCount === pageSize) sendRows(result);
          if (result.rowCount % ROWS_PER_CLOCK_LOOK === 0) progress(result);
        },
        complete: (result) => {
          if (result.columns.length > 0) sendRows(result);
          const { id, tag, rowCount, isTruncated } = result;
          send(() => ({ type: 'complete', id, tag, rowCount, isTruncated }));
        },
        notice: (notice) => send(() => ({ type: 'notice', notice })),
      });
      const finish = (error: ApiError | null): void => {
        const durationMillis = nowMillis() - start;
        recordHistory(context, session, body.sql, durationMillis, rowsOf(collector), error?.code ?? null);
        send(() => ({ type: 'end', error, durationMillis, transactionStatus: client.transactionStatus }));
        tail.finally(() => {
          if (!isGone) controller.close();
        });
      };
      runRequest(session, client, body, collector).then(
        (error) => finish(error === null ? null : apiError(error)),
        (thrown: unknown) => finish(failureOf(thrown).body),
      );
    },
    cancel() {
      isGone = true;
      void client.cancel().catch(() => {});
    },
  });
  return reply
    .header('content-type', 'application/x-ndjson; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(stream);
}
