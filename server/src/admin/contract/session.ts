/** Login, the console's session and its connections. */
import Type, { type Static } from 'typebox';
import { Millis, nullable } from './shapes.ts';

export const LoginRequest = Type.Object({
  user: Type.String({ minLength: 1, maxLength: 63 }),
  password: Type.String({ maxLength: 1024 }),
  database: Type.String({ minLength: 1, maxLength: 63 }),
});
export type LoginRequest = Static<typeof LoginRequest>;

export const SessionInfo = Type.Object({
  user: Type.String(),
  database: Type.String(),
  serverVersion: Type.String(),
  csrfToken: Type.String(),
  isSuperuser: Type.Optional(Type.Boolean()),
  /** The session ends at this moment whatever happens. */
  expiresAt: Type.Optional(Millis),
  /** … and this long after the last request. */
  idleMillis: Type.Optional(Type.Number()),
});
export type SessionInfo = Static<typeof SessionInfo>;

/** Before login: what the page must know. */
export const ServerInfo = Type.Object({
  status: Type.String(),
  /** False: this page came by plain HTTP from another machine, and the server refuses logins there. */
  isLoginAllowed: Type.Boolean(),
  reason: nullable(Type.String()),
});
export type ServerInfo = Static<typeof ServerInfo>;

/** Console sessions of the logged-in role. */
export const ConsoleSessionEntry = Type.Object({
  id: Type.String(),
  isCurrent: Type.Boolean(),
  address: Type.String(),
  startedAt: Millis,
  lastUsedAt: Millis,
});
export type ConsoleSessionEntry = Static<typeof ConsoleSessionEntry>;

export const ConsoleSessionsResponse = Type.Object({ sessions: Type.Array(ConsoleSessionEntry) });
export type ConsoleSessionsResponse = Static<typeof ConsoleSessionsResponse>;

/** The state of one connection (a query tab has its own, named by the tab). */
export const ConnectionState = Type.Object({
  connection: Type.String(),
  processId: Type.Integer(),
  /** I idle, T in a transaction, E in a failed one. */
  transactionStatus: Type.String(),
  /** When the open transaction began, null outside one. */
  transactionStartedAt: nullable(Millis),
  isBusy: Type.Boolean(),
});
export type ConnectionState = Static<typeof ConnectionState>;

export const TransactionRequest = Type.Object({
  connection: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  action: Type.Union([Type.Literal('begin'), Type.Literal('commit'), Type.Literal('rollback')]),
});
export type TransactionRequest = Static<typeof TransactionRequest>;
