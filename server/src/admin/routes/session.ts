/** Login, logout, the role's console sessions, connections. */
import type { FastifyRequest } from 'fastify';
import type { ConsoleSession } from '../console-sessions.ts';
import { IDLE_MILLIS, LIFE_MILLIS, MAIN_CONNECTION } from '../console-sessions.ts';
import type { ConnectionState, SessionInfo } from '../contract.ts';
import { ApiFailure, apiError, notFound } from '../http/failure.ts';
import { isLoopback, LoginThrottle } from '../http/login-throttle.ts';
import { ServerError, WireClient } from '../wire/wire-client.ts';
import { type AdminContext, auditOf, DONE } from './context.ts';

export interface LoginOptions {
  readonly engineHost: string;
  readonly enginePort: number;
  /** Logins by plain HTTP from other machines: the setting fastpostgres.console_allow_http. */
  readonly allowsPlainHttp: boolean;
  /** Throws 403 for requests that another site's page sent. */
  checkOrigin(request: FastifyRequest): void;
  /** Name of the cookie: __Host-… over https. */
  cookieName(request: FastifyRequest): string;
}

const PLAIN_HTTP =
  'Passwords are not taken over plain HTTP from another machine. Use https (settings ssl, ssl_cert_file, ssl_key_file), a tunnel to this ' +
  'machine, or set fastpostgres.console_allow_http if the network is trusted.';

export function sessionRoutes(context: AdminContext, options: LoginOptions): void {
  const { environment, router, sessions } = context;
  const throttle = new LoginThrottle(() => sessions.nowMillis());
  const mayLogIn = (request: FastifyRequest): boolean =>
    options.allowsPlainHttp || request.protocol === 'https' || isLoopback(request.ip);
  const wall = (monotonicMillis: number): number =>
    Math.round(context.now() - (sessions.nowMillis() - monotonicMillis));
  const infoOf = (session: ConsoleSession): SessionInfo => ({
    user: session.user,
    database: session.database,
    serverVersion: session.serverVersion,
    csrfToken: session.csrfToken,
    isSuperuser: session.isSuperuser,
    expiresAt: wall(session.startedMillis) + LIFE_MILLIS,
    idleMillis: IDLE_MILLIS,
  });

  router.open('GET /health', async (request) => ({
    status: 'ok',
    isLoginAllowed: mayLogIn(request),
    reason: mayLogIn(request) ? null : PLAIN_HTTP,
  }));

  router.open('POST /login', async (request, reply, body) => {
    options.checkOrigin(request);
    if (!mayLogIn(request)) throw new ApiFailure(403, { code: 'plain_http', message: PLAIN_HTTP });
    const { user, password, database } = body;
    if (throttle.isBlocked(request.ip, user)) {
      context.audit({ user, address: request.ip, action: 'login', detail: 'throttled', isSuccess: false });
      throw new ApiFailure(429, {
        code: 'too_many_attempts',
        message: 'too many failed logins from this address; wait a quarter of an hour',
      });
    }
    const connect = {
      network: environment.network,
      cryptography: environment.cryptography,
      random: environment.random,
      address: { kind: 'tcp', host: options.engineHost, port: options.enginePort } as const,
      nowMillis: () => sessions.nowMillis(),
    };
    let client: WireClient;
    try {
      client = await WireClient.connect({
        ...connect,
        user,
        database,
        password,
        applicationName: 'FastPostgres console',
      });
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      // Only wrong credentials count: a missing database or a full server is nobody's guess.
      if (error.report.code.startsWith('28')) {
        context.audit({
          user,
          address: request.ip,
          action: 'login',
          detail: error.report.code,
          isSuccess: false,
        });
        await environment.clock.sleep(throttle.failed(request.ip, user));
      }
      throw new ApiFailure(401, apiError(error.report));
    }
    throttle.succeeded(request.ip, user);
    const { token, session } = sessions.open({ user, database, address: request.ip, client, connect });
    context.audit(auditOf(session, 'login', database));
    reply.setCookie(options.cookieName(request), token, {
      path: '/',
      httpOnly: true,
      sameSite: 'strict',
      secure: request.protocol === 'https',
    });
    return infoOf(session);
  });

  router.on('GET /session', async ({ session }) => infoOf(session));

  router.on('POST /logout', async ({ session, request, reply }) => {
    sessions.close(request.cookies[options.cookieName(request)] ?? '');
    context.audit(auditOf(session, 'logout', ''));
    reply.clearCookie(options.cookieName(request), { path: '/', secure: request.protocol === 'https' });
    return DONE;
  });

  router.on('GET /console-sessions', async ({ session }) => ({
    sessions: sessions.of(session.user).map((other) => ({
      id: other.id,
      isCurrent: other === session,
      address: other.address,
      startedAt: wall(other.startedMillis),
      lastUsedAt: wall(other.lastUsedMillis),
    })),
  }));

  router.on('POST /console-sessions/end', async ({ session, body }) => {
    if (!sessions.closeById(session.user, body.id)) throw notFound('there is no such session');
    context.audit(auditOf(session, 'end session', body.id));
    return DONE;
  });

  const stateOf = (name: string, client: WireClient): ConnectionState => ({
    connection: name,
    processId: client.processId,
    transactionStatus: client.transactionStatus,
    transactionStartedAt: client.transactionStartMillis === null ? null : wall(client.transactionStartMillis),
    isBusy: client.isBusy,
  });

  router.on('GET /connections', async ({ session }) => ({
    connections: (await session.all()).map(([name, client]) => stateOf(name, client)),
  }));

  router.on('POST /connections/close', async ({ session, body }) => {
    await session.closeConnection(body.connection);
    return DONE;
  });

  router.on('POST /transaction', async ({ session, body }) => {
    const name = body.connection ?? MAIN_CONNECTION;
    const client = await session.connection(name);
    await client.query(body.action);
    return stateOf(name, client);
  });
}
