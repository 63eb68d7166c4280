/**
 * The admin API and the console's files, as a Fastify application. Knows sessions and the wire, not the engine.
 *
 * Security  the console's session is an HttpOnly, SameSite=Strict cookie (`__Host-` over https); changes need the token's header and a
 *           same-origin request; no inline scripts; nothing is loaded from elsewhere; passwords come over https or from this machine.
 */
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastifyStatic from '@fastify/static';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import type { Environment } from '../env/contract.ts';
import { ConsoleSessions } from './console-sessions.ts';
import { API_PREFIX, CSRF_HEADER } from './contract.ts';
import { ApiFailure, sendFailure } from './http/failure.ts';
import { openApiDocument, openApiPage } from './http/open-api.ts';
import { Router } from './http/router.ts';
import { validatorOf } from './http/validator.ts';
import { ResultStore } from './results/result-store.ts';
import { advisorRoutes } from './routes/advisor.ts';
import { alertRoutes } from './routes/alerts.ts';
import { catalogRoutes } from './routes/catalog.ts';
import type { AdminContext, AuditRecord } from './routes/context.ts';
import { dataRoutes } from './routes/data.ts';
import { importRoutes } from './routes/imports.ts';
import { libraryRoutes } from './routes/library.ts';
import { liveRoutes } from './routes/live.ts';
import { monitorRoutes } from './routes/monitor.ts';
import { queryRoutes } from './routes/query.ts';
import { securityRoutes } from './routes/security.ts';
import { sessionRoutes } from './routes/session.ts';
import { tableDetailRoutes } from './routes/table-details.ts';

const COOKIE = 'fastpostgres_console';
const SECURE_COOKIE = '__Host-fastpostgres_console';
const BODY_BYTES_MAX = 32 << 20;
const CHUNK_BYTES_MAX = 4 << 20;
/** How often expired sessions are looked for. */
const SWEEP_MILLIS = 60_000;
const REQUESTS_PER_MINUTE = 3000;

export interface AdminOptions {
  readonly environment: Environment;
  /** Where the engine listens for clients on this machine. */
  readonly enginePort: number;
  readonly engineHost: string;
  /** Built console, null when there is none. */
  readonly staticRoot: string | null;
  /** PEM texts; null = plain HTTP. */
  readonly tls: { readonly certificate: string; readonly key: string } | null;
  /** Logins by plain HTTP from other machines. */
  readonly allowsPlainHttp: boolean;
  /** Tells the engine that a session of ours asks for the panels, and is no part of the workload. */
  readonly declareInternal: (processId: number) => Promise<void>;
  /** Keeps an action in the audit log. */
  readonly audit: (record: AuditRecord) => void;
  /** Text of `/metrics`; null = there is none. Only asked by those with the token. */
  readonly metrics: (() => Promise<string>) | null;
  /** Bearer token that `/metrics` wants; '' = from this machine only. */
  readonly metricsToken: string;
}

export async function createAdminApp(options: AdminOptions): Promise<FastifyInstance> {
  const { environment } = options;
  const { clock, cryptography, random } = environment;
  const sessions = new ConsoleSessions({
    clock,
    random,
    cryptography,
    declareInternal: options.declareInternal,
  });
  const results = new ResultStore(() => sessions.newToken().slice(0, 22));
  sessions.onEnd = (session) => results.dropSession(session);
  const settings = { bodyLimit: BODY_BYTES_MAX, logger: false, trustProxy: false } as const;
  const app: FastifyInstance =
    options.tls === null
      ? Fastify(settings)
      : (Fastify({
          ...settings,
          https: { cert: options.tls.certificate, key: options.tls.key, minVersion: 'TLSv1.2' },
        }) as unknown as FastifyInstance);
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
    strictTransportSecurity: options.tls === null ? false : { maxAge: 31_536_000 },
    referrerPolicy: { policy: 'no-referrer' },
    frameguard: { action: 'deny' },
  });
  const cookieName = (request: FastifyRequest): string =>
    request.protocol === 'https' ? SECURE_COOKIE : COOKIE;
  await app.register(rateLimit, {
    max: REQUESTS_PER_MINUTE,
    timeWindow: 60_000,
    // A role's pages do not use up the allowance of others behind the same address.
    keyGenerator: (request) => request.cookies[cookieName(request)] ?? request.ip,
    errorResponseBuilder: () =>
      new ApiFailure(429, { code: 'too_many_requests', message: 'too many requests; wait a moment' }),
  });
  app.setValidatorCompiler(({ schema, httpPart }) => validatorOf(schema as TSchema, httpPart));
  // Answers are written as they are typed: checking each cell against its schema would cost more than the statement.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  app.setErrorHandler((error: unknown, _request, reply) => sendFailure(reply, error));
  app.addContentTypeParser(
    'application/octet-stream',
    { parseAs: 'buffer', bodyLimit: CHUNK_BYTES_MAX },
    (_request, body, done) => done(null, body),
  );
  // Answers hold people's data: no cache keeps them.
  app.addHook('onSend', async (request, reply) => {
    if (request.url.startsWith('/api/') && !reply.hasHeader('cache-control'))
      reply.header('cache-control', 'no-store');
  });

  const router = new Router(app, {
    session(request) {
      const token = request.cookies[cookieName(request)];
      const session = token === undefined ? null : sessions.find(token);
      if (session === null) throw new ApiFailure(401, { code: 'not_logged_in', message: 'log in first' });
      return session;
    },
    ownPage(request, session) {
      checkOrigin(request);
      const given = request.headers[CSRF_HEADER];
      if (typeof given !== 'string' || given !== session.csrfToken)
        throw new ApiFailure(403, { code: 'csrf', message: "the request lacks the console's token" });
    },
  });
  const context: AdminContext = {
    environment,
    router,
    sessions,
    results,
    now: () => Number(clock.wallMicros() / 1000n),
    audit: options.audit,
  };
  sessionRoutes(context, { ...options, checkOrigin, cookieName });
  queryRoutes(context);
  catalogRoutes(context);
  tableDetailRoutes(context);
  dataRoutes(context);
  importRoutes(context);
  monitorRoutes(context);
  liveRoutes(context);
  libraryRoutes(context);
  alertRoutes(context);
  securityRoutes(context);
  advisorRoutes(context);
  app.get(`${API_PREFIX}/openapi.json`, async () => openApiDocument());
  app.get(`${API_PREFIX}/docs`, async (_request, reply) =>
    reply.header('content-type', 'text/html; charset=utf-8').send(openApiPage()),
  );
  if (options.metrics !== null) metricsRoute(app, options.metrics, options.metricsToken, environment);

  if (options.staticRoot !== null) {
    await app.register(fastifyStatic, {
      root: options.staticRoot,
      preCompressed: true,
      cacheControl: false,
      // What is below assets/ carries a hash of its content in its name and never changes.
      setHeaders: (reply, path) => {
        void reply.header(
          'cache-control',
          /[\\/]assets[\\/]/.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
        );
      },
    });
    app.setNotFoundHandler((request, reply) => {
      if (request.method === 'GET' && !request.url.startsWith('/api/')) return reply.sendFile('index.html');
      return reply.code(404).send({ code: 'not_found', message: 'there is no such address' });
    });
  }
  // Expired sessions end by themselves: their connections may hold locks.
  const sweep = (): void => {
    sessions.sweep();
    sweeper = clock.setTimer(sweep, SWEEP_MILLIS, { background: true });
  };
  let sweeper = clock.setTimer(sweep, SWEEP_MILLIS, { background: true });
  app.addHook('onClose', async () => {
    clock.clearTimer(sweeper);
    sessions.closeAll();
  });
  return app;
}

/** Prometheus' format. Numbers about the whole server are not for everybody. */
function metricsRoute(
  app: FastifyInstance,
  metrics: () => Promise<string>,
  token: string,
  environment: Environment,
): void {
  const encoder = new TextEncoder();
  const digest = (text: string): Uint8Array => environment.cryptography.sha256(encoder.encode(text));
  app.get('/metrics', async (request, reply) => {
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const isAllowed =
      token === '' ? isLocal(request.ip) : environment.cryptography.equal(digest(given), digest(token));
    if (!isAllowed)
      throw new ApiFailure(401, {
        code: 'metrics_token',
        message: 'metrics are given to this machine, or with the token of fastpostgres.metrics_token_file',
      });
    return reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(await metrics());
  });
}

function isLocal(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}

/** Browsers tell where a request comes from; another site's page is refused. */
function checkOrigin(request: FastifyRequest): void {
  const refused = (): ApiFailure =>
    new ApiFailure(403, { code: 'cross_site', message: 'requests from other sites are refused' });
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw refused();
  const { origin } = request.headers;
  if (origin === undefined) return;
  let host: string;
  try {
    host = new URL(origin).host;
  } catch {
    throw refused();
  }
  if (host !== request.headers.host) throw refused();
}
