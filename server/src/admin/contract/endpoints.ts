/**
 * Every route of the API under `/api/v1`, keyed by method and path as Fastify writes it. The server registers exactly these; the console
 * calls them by key: with `import type` it needs nothing of this at run time.
 *
 * GET changes nothing. Everything else carries the session's token in the header `x-csrf-token`.
 */
import Type, { type Static, type TSchema } from 'typebox';
import * as advisor from './advisor.ts';
import * as catalog from './catalog.ts';
import * as data from './data.ts';
import * as library from './library.ts';
import * as monitor from './monitor.ts';
import * as query from './query.ts';
import * as security from './security.ts';
import * as session from './session.ts';
import { Done } from './shapes.ts';

export interface Endpoint {
  readonly summary: string;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** Absent: not JSON (a stream or a file). */
  readonly response?: TSchema;
}

const Empty = Type.Optional(Type.Object({}));
const Id = Type.Object({ id: Type.String({ maxLength: 64 }) });
const Oid = Type.Object({ oid: Type.Integer({ minimum: 1, maximum: 4294967295 }) });
const QueryId = Type.Object({ queryId: Type.String({ maxLength: 20, pattern: '^-?[0-9]+$' }) });

export const ENDPOINTS = {
  'GET /health': {
    summary: 'Is the server there, and may one log in from here',
    response: session.ServerInfo,
  },
  'POST /login': {
    summary: 'Log in with a database role',
    body: session.LoginRequest,
    response: session.SessionInfo,
  },
  'GET /session': { summary: 'Who is logged in', response: session.SessionInfo },
  'POST /logout': { summary: 'End this session', body: Empty, response: Done },
  'GET /console-sessions': {
    summary: "The role's console sessions",
    response: session.ConsoleSessionsResponse,
  },
  'POST /console-sessions/end': { summary: 'End one of them', body: Id, response: Done },

  'POST /query': {
    summary: 'Run statements; answers when all are done',
    body: query.QueryRequest,
    response: query.QueryResponse,
  },
  'POST /query/stream': {
    summary: 'Run statements; lines of QueryEvent as they happen',
    body: query.QueryRequest,
  },
  'POST /cancel': {
    summary: 'Cancel what a connection runs',
    body: Type.Optional(query.CancelRequest),
    response: Done,
  },
  'POST /rows': {
    summary: 'A window of a held result, sorted and filtered',
    body: query.RowsRequest,
    response: query.RowsResponse,
  },
  'GET /results/:id/export': { summary: 'A held result as a file', params: Id, query: query.ExportQuery },
  'GET /results/:id/profile': {
    summary: 'Summary of one column of a held result',
    params: Id,
    query: Type.Object({ column: Type.Integer({ minimum: 0 }) }),
    response: query.ColumnProfile,
  },
  'POST /results/close': { summary: 'Forget a held result', body: Id, response: Done },
  'GET /connections': {
    summary: "The session's connections",
    response: Type.Object({ connections: Type.Array(session.ConnectionState) }),
  },
  'POST /connections/close': {
    summary: 'Close a connection (a query tab was closed); its transaction is rolled back',
    body: Type.Object({ connection: query.ConnectionName }),
    response: Done,
  },
  'POST /transaction': {
    summary: 'Begin, commit or roll back',
    body: session.TransactionRequest,
    response: session.ConnectionState,
  },
  'POST /explain': {
    summary: 'The plan of a statement, measured if wanted',
    body: query.ExplainRequest,
    response: query.ExplainResponse,
  },

  'GET /schema': {
    summary: 'Tables with columns for tree and completion (the first 5,000)',
    response: catalog.SchemaResponse,
  },
  'GET /catalog/schemas': { summary: 'Schemas', response: catalog.SchemasResponse },
  'GET /catalog/tree': {
    summary: 'A page of relations',
    query: catalog.TreeQuery,
    response: catalog.TreeResponse,
  },
  'GET /catalog/completion': {
    summary: 'Functions, foreign keys, types, settings',
    response: catalog.CompletionResponse,
  },
  'GET /catalog/diagram': {
    summary: 'Tables of a schema with their foreign keys',
    query: Type.Object({ schema: Type.String({ maxLength: 63 }) }),
    response: catalog.DiagramResponse,
  },
  'GET /tables/:oid': { summary: 'Everything about a relation', params: Oid, response: catalog.TableDetails },
  'GET /tables/:oid/storage': {
    summary: 'How its columns are stored',
    params: Oid,
    response: catalog.TableStorageResponse,
  },
  'POST /tables/:oid/rows': {
    summary: 'Rows, filtered, sorted, paged',
    params: Oid,
    body: data.TableRowsRequest,
    response: data.TableRowsResponse,
  },
  'POST /tables/:oid/edits/preview': {
    summary: 'The SQL of staged edits',
    params: Oid,
    body: data.EditsRequest,
    response: data.EditsPreviewResponse,
  },
  'POST /tables/:oid/edits/apply': {
    summary: 'Apply staged edits, all or none',
    params: Oid,
    body: data.EditsRequest,
    response: data.EditsApplyResponse,
  },
  'POST /imports/preview': {
    summary: 'What a CSV file seems to be',
    body: data.ImportPreviewRequest,
    response: data.ImportPreviewResponse,
  },
  'POST /imports': { summary: 'Open an import', body: data.ImportRequest, response: data.ImportState },
  'POST /imports/:id/chunk': {
    summary: 'The next bytes of the file (application/octet-stream)',
    params: Id,
    response: data.ImportState,
  },
  'POST /imports/:id/finish': {
    summary: 'The file is whole: commit',
    params: Id,
    body: Empty,
    response: data.ImportState,
  },
  'POST /imports/:id/abort': {
    summary: 'Roll the import back',
    params: Id,
    body: Empty,
    response: data.ImportState,
  },
  'GET /imports/:id': { summary: 'How far an import is', params: Id, response: data.ImportState },

  'GET /activity': { summary: 'Other sessions, in short', response: monitor.ActivityResponse },
  'GET /monitor/overview': { summary: 'The tiles of the dashboard', response: monitor.OverviewResponse },
  'GET /monitor/sessions': {
    summary: 'Sessions with states, waits and ages',
    response: monitor.SessionsResponse,
  },
  'POST /monitor/sessions/signal': {
    summary: 'Cancel a statement or end a session',
    body: monitor.SignalRequest,
    response: monitor.SignalResponse,
  },
  'GET /monitor/locks': { summary: 'Who blocks whom, grouped', response: monitor.LocksResponse },
  'GET /monitor/statements': {
    summary: 'Top statements',
    query: monitor.StatementsQuery,
    response: monitor.StatementsResponse,
  },
  'GET /monitor/statements/:queryId': {
    summary: 'Histogram and plans of a statement',
    params: QueryId,
    response: monitor.StatementDetails,
  },
  'POST /monitor/statements/reset': { summary: 'Forget statement statistics', body: Empty, response: Done },
  'GET /monitor/slow': { summary: 'Slow statements', response: monitor.SlowStatementsResponse },
  'GET /monitor/metrics/catalog': { summary: 'Metrics there are', response: monitor.MetricCatalogResponse },
  'GET /monitor/metrics': {
    summary: 'History of metrics',
    query: monitor.MetricsQuery,
    response: monitor.MetricsResponse,
  },
  'GET /monitor/waits': {
    summary: 'What sessions waited for',
    query: Type.Object({ minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 60 })) }),
    response: monitor.WaitsResponse,
  },
  'GET /monitor/progress': { summary: 'Long commands under way', response: monitor.ProgressResponse },
  'GET /monitor/tables': {
    summary: 'Scans, writes and vacuum of tables',
    response: monitor.TableActivityResponse,
  },
  'GET /monitor/storage': {
    summary: 'Sizes, growth, and when the disk is full',
    response: monitor.StorageResponse,
  },
  'GET /monitor/sequences': {
    summary: 'Sequences by how near their end is',
    response: monitor.SequencesResponse,
  },
  'GET /monitor/settings': { summary: 'Settings', response: monitor.SettingsResponse },
  'GET /monitor/health': { summary: 'Health in plain sentences', response: monitor.HealthResponse },
  'GET /live': { summary: 'Server-sent events of several panels', query: monitor.LiveQuery },

  'GET /alerts': { summary: 'Alert rules and their state', response: library.AlertsResponse },
  'POST /alerts': {
    summary: 'Make or change a rule',
    body: library.SaveAlertRequest,
    response: library.IdRequest,
  },
  'POST /alerts/delete': { summary: 'Remove a rule', body: library.IdRequest, response: Done },
  'POST /alerts/silence': {
    summary: 'Silence a rule for a while',
    body: library.SilenceRequest,
    response: Done,
  },
  'POST /alerts/webhook': {
    summary: 'Where alerts are posted',
    body: library.WebhookRequest,
    response: Done,
  },
  'GET /audit': {
    summary: 'What was done in the console',
    query: library.AuditQuery,
    response: library.AuditResponse,
  },
  'GET /saved-queries': { summary: "The role's saved queries", response: library.SavedQueriesResponse },
  'POST /saved-queries': {
    summary: 'Save a query',
    body: library.SaveQueryRequest,
    response: library.IdRequest,
  },
  'POST /saved-queries/delete': { summary: 'Remove a saved query', body: library.IdRequest, response: Done },
  'GET /history': {
    summary: "The role's statements, newest first",
    query: library.HistoryQuery,
    response: library.HistoryResponse,
  },
  'POST /history/clear': { summary: "Forget the role's history", body: Empty, response: Done },
  'GET /workspace': { summary: 'Open tabs and layout', response: library.WorkspaceResponse },
  'POST /workspace': { summary: 'Keep open tabs and layout', body: library.WorkspaceRequest, response: Done },

  'GET /security/roles': { summary: 'Roles and memberships', response: security.RolesResponse },
  'GET /security/grants': {
    summary: 'Grants and default privileges',
    query: security.GrantsQuery,
    response: security.GrantsResponse,
  },
  'GET /security/access': {
    summary: 'Who can do what on a relation, and why',
    query: security.AccessQuery,
    response: security.AccessResponse,
  },
  'GET /security/checks': {
    summary: 'What is wrong with privileges',
    response: security.SecurityCheckResponse,
  },

  'POST /advisor/run': {
    summary: 'Advise indexes for the workload',
    body: Type.Optional(advisor.AdvisorRequest),
    response: advisor.AdvisorResponse,
  },
  'POST /advisor/verify': {
    summary: 'Prove an advice with an invisible index',
    body: advisor.VerifyRequest,
    response: advisor.VerifyResponse,
  },
  'POST /advisor/what-if': {
    summary: 'Cost of a statement with indexes that do not exist',
    body: advisor.WhatIfRequest,
    response: advisor.WhatIfResponse,
  },
} as const satisfies Readonly<Record<`${'GET' | 'POST'} /${string}`, Endpoint>>;

export type Endpoints = typeof ENDPOINTS;
export type EndpointKey = keyof Endpoints;

type StaticOf<K extends EndpointKey, Part extends string> = Endpoints[K] extends {
  readonly [P in Part]: infer S extends TSchema;
}
  ? Static<S>
  : undefined;
export type ParamsOf<K extends EndpointKey> = StaticOf<K, 'params'>;
export type QueryOf<K extends EndpointKey> = StaticOf<K, 'query'>;
export type BodyOf<K extends EndpointKey> = StaticOf<K, 'body'>;
export type ResponseOf<K extends EndpointKey> = StaticOf<K, 'response'>;
