/**
 * The admin API and the console's files, as a Fastify application. Knows sessions and the wire, not the engine.
 *
 * Security  the console's session is an HttpOnly, SameSite=Strict cookie; changes need the CSRF header and a same-origin
 *           request; no inline scripts; nothing is loaded from elsewhere.
 */
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import fastifyStatic from '@fastify/static';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { DbError } from '../base/error.ts';
import type { Environment } from '../env/contract.ts';
import { ACTIVITY_SQL, SCHEMA_SQL } from './catalog-queries.ts';
import { type ConsoleSession, ConsoleSessions, LoginThrottle } from './console-sessions.ts';
import {
  ActivityResponse,
  API_PREFIX,
  type ApiError,
  CSRF_HEADER,
  LoginRequest,
  QueryRequest,
  QueryResponse,
  RowsRequest,
  RowsResponse,
  SchemaResponse,
  type SchemaTable,
  SessionInfo,
} from './contract.ts';
import { ServerError, type ServerReport, WireClient, type WireResult } from './wire-client.ts';

const COOKIE = 'fastpostgres_console';
const PAGE_ROWS_DEFAULT = 500;
const BODY_BYTES_MAX = 32 << 20;
/** How often expired sessions are looked for. */
const SWEEP_MILLIS = 60_000;

export interface AdminOptions {
  readonly environment: Environment;
  /** Where the engine listens for clients on this machine. */
  readonly enginePort: number;
  readonly engineHost: string;
  /** Built console, null when there is none. */
  readonly staticRoot: string | null;
}

declare module 'fastify' {
  interface FastifyRequest {
    consoleSession: ConsoleSession | null;
  }
}

export async function createAdminApp(options: AdminOptions) {
  const { environment } = options;
  const sessions = new ConsoleSessions(environment);
  const throttle = new LoginThrottle(() => sessions.nowMillis());
  const app = Fastify({
    bodyLimit: BODY_BYTES_MAX,
    logger: false,
    trustProxy: false,
  }).withTypeProvider<TypeBoxTypeProvider>();
  await app.register(cookie);
  await app.register(helmet, {
    contentSecurityPolicy: {
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        // Monaco positions its lines by style attributes.
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'", 'data:'],
        workerSrc: ["'self'", 'blob:'],
        connectSrc: ["'self'"],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        upgradeInsecureRequests: null,
      },
    },
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
    frameguard: { action: 'deny' },
  });
  app.decorateRequest('consoleSession', null);
  app.setErrorHandler((error: unknown, _request, reply) => sendError(reply, error));

  /** The session of the request's cookie; 401 without one. */
  const requireSession = async (request: FastifyRequest): Promise<void> => {
    const token = request.cookies[COOKIE];
    const session = token === undefined ? null : sessions.find(token);
    if (session === null) throw new ApiFailure(401, { code: 'not_logged_in', message: 'log in first' });
    request.consoleSession = session;
  };
  /** Changes come from our own page only. */
  const requireOwnPage = async (request: FastifyRequest): Promise<void> => {
    checkOrigin(request);
    const given = request.headers[CSRF_HEADER];
    if (typeof given !== 'string' || given !== request.consoleSession?.csrfToken) {
      throw new ApiFailure(403, { code: 'csrf', message: "the request lacks the console's token" });
    }
  };
  const sessionOf = (request: FastifyRequest): ConsoleSession => request.consoleSession as ConsoleSession;

  app.get(`${API_PREFIX}/health`, async () => ({ status: 'ok' }));

  app.post(
    `${API_PREFIX}/login`,
    { schema: { body: LoginRequest, response: { 200: SessionInfo } } },
    async (request, reply) => {
      checkOrigin(request);
      const { user, password, database } = request.body;
      const keys = [`address ${request.ip}`, `user ${user}`];
      if (throttle.isBlocked(...keys)) {
        throw new ApiFailure(429, {
          code: 'too_many_attempts',
          message: 'too many failed logins; wait a quarter of an hour',
        });
      }
      let client: WireClient;
      try {
        client = await WireClient.connect({
          network: environment.network,
          cryptography: environment.cryptography,
          random: environment.random,
          address: { kind: 'tcp', host: options.engineHost, port: options.enginePort },
          user,
          database,
          password,
          applicationName: 'FastPostgres console',
        });
      } catch (error) {
        throttle.failed(...keys);
        throw error instanceof ServerError ? new ApiFailure(401, apiError(error.report)) : error;
      }
      throttle.succeeded(...keys);
      const { token, session } = sessions.open(user, database, client);
      reply.setCookie(COOKIE, token, {
        path: '/',
        httpOnly: true,
        sameSite: 'strict',
        secure: request.protocol === 'https',
      });
      return infoOf(session);
    },
  );

  app.get(
    `${API_PREFIX}/session`,
    { preHandler: requireSession, schema: { response: { 200: SessionInfo } } },
    async (request) => infoOf(sessionOf(request)),
  );

  app.post(
    `${API_PREFIX}/logout`,
    { preHandler: [requireSession, requireOwnPage] },
    async (request, reply) => {
      sessions.close(request.cookies[COOKIE] ?? '');
      reply.clearCookie(COOKIE, { path: '/' });
      return { status: 'ok' };
    },
  );

  app.post(
    `${API_PREFIX}/query`,
    {
      preHandler: [requireSession, requireOwnPage],
      schema: { body: QueryRequest, response: { 200: QueryResponse } },
    },
    async (request) => {
      const session = sessionOf(request);
      const startMicros = environment.clock.monotonicMicros();
      const outcome = await session.client.query(request.body.sql);
      const durationMillis = (environment.clock.monotonicMicros() - startMicros) / 1000;
      const names = await typeNames(session, outcome.results);
      const pageSize = request.body.pageSize ?? PAGE_ROWS_DEFAULT;
      const results = outcome.results.map((result) => {
        const columns = result.columns.map((column) => ({
          ...column,
          typeName: names.get(column.typeOid) ?? String(column.typeOid),
        }));
        const kept = session.keep(columns, result.rows);
        return {
          id: kept.id,
          tag: result.tag,
          columns,
          rowCount: result.rowCount,
          isTruncated: result.isTruncated,
          rows: result.rows.slice(0, pageSize),
        };
      });
      return {
        results,
        notices: outcome.notices.map(apiError),
        error: outcome.error === null ? null : apiError(outcome.error),
        durationMillis,
        transactionStatus: session.client.transactionStatus,
      };
    },
  );

  app.post(
    `${API_PREFIX}/rows`,
    {
      preHandler: [requireSession, requireOwnPage],
      schema: { body: RowsRequest, response: { 200: RowsResponse } },
    },
    async (request) => {
      const { id, offset, limit } = request.body;
      const result = sessionOf(request).result(id);
      if (result === undefined)
        throw new ApiFailure(404, {
          code: 'result_gone',
          message: 'this result is not kept any more; run the statement again',
        });
      return {
        rows: result.rows.slice(offset, offset + limit).map((row) => [...row]),
        total: result.rows.length,
      };
    },
  );

  app.post(`${API_PREFIX}/cancel`, { preHandler: [requireSession, requireOwnPage] }, async (request) => {
    await sessionOf(request).client.cancel();
    return { status: 'ok' };
  });

  app.get(
    `${API_PREFIX}/schema`,
    { preHandler: requireSession, schema: { response: { 200: SchemaResponse } } },
    async (request) => {
      const [result] = await ownQuery(sessionOf(request), SCHEMA_SQL);
      const tables = new Map<string, SchemaTable>();
      for (const [schema, name, kind, estimatedRows, column, type, notNull] of result?.rows ?? []) {
        const key = `${schema}.${name}`;
        let table = tables.get(key);
        if (table === undefined) {
          table = {
            schema: schema ?? '',
            name: name ?? '',
            kind: kind ?? '',
            estimatedRows: estimatedRows ?? '0',
            columns: [],
          };
          tables.set(key, table);
        }
        if (column !== null)
          table.columns.push({ name: column, type: type ?? '', isNotNull: notNull === 't' });
      }
      return { tables: [...tables.values()] };
    },
  );

  app.get(
    `${API_PREFIX}/activity`,
    { preHandler: requireSession, schema: { response: { 200: ActivityResponse } } },
    async (request) => {
      const [result] = await ownQuery(sessionOf(request), ACTIVITY_SQL);
      return {
        sessions: (result?.rows ?? []).map(
          ([processId, user, database, state, applicationName, clientAddress, query]) => ({
            processId: Number(processId),
            user,
            database,
            state,
            applicationName,
            clientAddress,
            query,
          }),
        ),
      };
    },
  );

  if (options.staticRoot !== null) {
    await app.register(fastifyStatic, {
      root: options.staticRoot,
      preCompressed: true,
      cacheControl: true,
      maxAge: 0,
    });
    app.setNotFoundHandler((request, reply) => {
      if (request.method === 'GET' && !request.url.startsWith('/api/')) return reply.sendFile('index.html');
      return reply.code(404).send({ code: 'not_found', message: 'there is no such address' });
    });
  }
  // Expired sessions end by themselves: their connections may hold locks.
  let sweeper = environment.clock.setTimer(() => sweep(), SWEEP_MILLIS, { background: true });
  const sweep = (): void => {
    sessions.sweep();
    sweeper = environment.clock.setTimer(() => sweep(), SWEEP_MILLIS, { background: true });
  };
  app.addHook('onClose', async () => {
    environment.clock.clearTimer(sweeper);
    sessions.closeAll();
  });
  return app;
}

/** An answer that is not a success. */
class ApiFailure extends DbError {
  readonly status: number;
  readonly body: ApiError;
  constructor(status: number, body: ApiError) {
    super('external_routine_exception', body.message);
    this.status = status;
    this.body = body;
  }
}

function sendError(reply: FastifyReply, error: unknown): FastifyReply {
  if (error instanceof ApiFailure) return reply.code(error.status).send(error.body);
  if (error instanceof DbError) return reply.code(502).send({ code: error.code, message: error.message });
  const known = error as { statusCode?: number; message?: string; code?: string };
  const status = known.statusCode ?? 500;
  // Faults of ours say nothing of their inside.
  return reply.code(status).send({
    code: known.code ?? 'internal',
    message: status < 500 ? (known.message ?? '') : 'internal error',
  });
}

/** Browsers tell where a request comes from; another site's page is refused. */
function checkOrigin(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new ApiFailure(403, { code: 'cross_site', message: 'requests from other sites are refused' });
  }
  const { origin } = request.headers;
  if (origin === undefined) return;
  let host: string;
  try {
    host = new URL(origin).host;
  } catch {
    throw new ApiFailure(403, { code: 'cross_site', message: 'requests from other sites are refused' });
  }
  if (host !== request.headers.host)
    throw new ApiFailure(403, { code: 'cross_site', message: 'requests from other sites are refused' });
}

function infoOf(session: ConsoleSession): SessionInfo {
  return {
    user: session.user,
    database: session.database,
    serverVersion: session.client.parameters.get('server_version') ?? '',
    csrfToken: session.csrfToken,
  };
}

function apiError(report: ServerReport): ApiError {
  const { severity, code, message, detail, hint, position, where } = report;
  const error: ApiError = { severity, code, message };
  if (detail !== undefined) error.detail = detail;
  if (hint !== undefined) error.hint = hint;
  if (position !== undefined) error.position = position;
  if (where !== undefined) error.where = where;
  return error;
}

/** A query of ours on the user's connection, with their rights. */
async function ownQuery(session: ConsoleSession, sql: string): Promise<readonly WireResult[]> {
  const outcome = await session.client.query(sql);
  if (outcome.error !== null) throw new ApiFailure(409, apiError(outcome.error));
  return outcome.results;
}

const BUILTIN_TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [16, 'boolean'],
  [17, 'bytea'],
  [18, 'char'],
  [19, 'name'],
  [20, 'bigint'],
  [21, 'smallint'],
  [23, 'integer'],
  [25, 'text'],
  [26, 'oid'],
  [114, 'json'],
  [700, 'real'],
  [701, 'double precision'],
  [1042, 'character'],
  [1043, 'character varying'],
  [1082, 'date'],
  [1083, 'time'],
  [1114, 'timestamp'],
  [1184, 'timestamptz'],
  [1186, 'interval'],
  [1700, 'numeric'],
  [2950, 'uuid'],
  [3802, 'jsonb'],
]);

/** Names of the types in the results; unknown ones are asked for unless a failed transaction forbids it. */
async function typeNames(
  session: ConsoleSession,
  results: readonly WireResult[],
): Promise<Map<number, string>> {
  const names = new Map(BUILTIN_TYPE_NAMES);
  const wanted = new Set(
    results
      .flatMap((result) => result.columns.map((column) => column.typeOid))
      .filter((oid) => !names.has(oid)),
  );
  if (wanted.size === 0 || session.client.transactionStatus === 'E') return names;
  const list = [...wanted].map((oid) => `${oid}::oid`).join(',');
  const outcome = await session.client.query(
    `select t, pg_catalog.format_type(t, null) from unnest(array[${list}]) t`,
  );
  for (const [oid, name] of outcome.results[0]?.rows ?? []) if (name !== null) names.set(Number(oid), name);
  return names;
}
