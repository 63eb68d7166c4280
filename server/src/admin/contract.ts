/**
 * The admin API, typed once for server and console (`/api/v1`). Shapes only; no code that needs a server.
 *
 * Values travel as PostgreSQL's text form, so that int8 and numeric arrive exactly; NULL is null.
 */
import Type, { type Static } from 'typebox';

export const API_PREFIX = '/api/v1';
/** Every request that changes something carries the session's token in this header. */
export const CSRF_HEADER = 'x-csrf-token';

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
});
export type SessionInfo = Static<typeof SessionInfo>;

export const ApiError = Type.Object({
  /** SQLSTATE, or a word for errors of the API itself. */
  code: Type.String(),
  message: Type.String(),
  severity: Type.Optional(Type.String()),
  detail: Type.Optional(Type.String()),
  hint: Type.Optional(Type.String()),
  /** Character in the statement text that was sent, from 1. */
  position: Type.Optional(Type.Integer()),
  where: Type.Optional(Type.String()),
});
export type ApiError = Static<typeof ApiError>;

export const QueryRequest = Type.Object({
  sql: Type.String({ maxLength: 16_000_000 }),
  /** Rows of each result that come with the answer; more by `rows`. */
  pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
});
export type QueryRequest = Static<typeof QueryRequest>;

export const ResultColumn = Type.Object({
  name: Type.String(),
  typeOid: Type.Integer(),
  typeName: Type.String(),
});
export type ResultColumn = Static<typeof ResultColumn>;

export const Cell = Type.Union([Type.String(), Type.Null()]);
export type Cell = Static<typeof Cell>;

export const StatementResult = Type.Object({
  /** Names the rows kept on the server. */
  id: Type.String(),
  tag: Type.String(),
  columns: Type.Array(ResultColumn),
  rowCount: Type.Integer(),
  /** True when the server kept only the first rows (its limit of memory per result). */
  isTruncated: Type.Boolean(),
  rows: Type.Array(Type.Array(Cell)),
});
export type StatementResult = Static<typeof StatementResult>;

export const QueryResponse = Type.Object({
  results: Type.Array(StatementResult),
  notices: Type.Array(ApiError),
  error: Type.Union([ApiError, Type.Null()]),
  durationMillis: Type.Number(),
  /** I idle, T in a transaction, E in a failed one. */
  transactionStatus: Type.String(),
});
export type QueryResponse = Static<typeof QueryResponse>;

export const RowsRequest = Type.Object({
  id: Type.String({ maxLength: 64 }),
  offset: Type.Integer({ minimum: 0 }),
  limit: Type.Integer({ minimum: 1, maximum: 10_000 }),
});
export type RowsRequest = Static<typeof RowsRequest>;
export const RowsResponse = Type.Object({ rows: Type.Array(Type.Array(Cell)) });
export type RowsResponse = Static<typeof RowsResponse>;

export const SchemaTable = Type.Object({
  schema: Type.String(),
  name: Type.String(),
  kind: Type.String(),
  estimatedRows: Type.String(),
  columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String(), isNotNull: Type.Boolean() })),
});
export type SchemaTable = Static<typeof SchemaTable>;
export const SchemaResponse = Type.Object({ tables: Type.Array(SchemaTable) });
export type SchemaResponse = Static<typeof SchemaResponse>;

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
