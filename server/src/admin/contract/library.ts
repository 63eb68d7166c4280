/** What is kept in the database for the people of the console: saved queries, history, alerts, audit. */
import Type, { type Static } from 'typebox';
import { BigText, Millis, nullable } from './shapes.ts';

export const SavedQuery = Type.Object({
  id: BigText,
  name: Type.String(),
  /** Path of folders, '' at the top. */
  folder: Type.String(),
  sql: Type.String(),
  isFavourite: Type.Boolean(),
  updatedAt: Millis,
});
export type SavedQuery = Static<typeof SavedQuery>;
export const SavedQueriesResponse = Type.Object({ queries: Type.Array(SavedQuery) });
export type SavedQueriesResponse = Static<typeof SavedQueriesResponse>;
/** Without id: a new one. */
export const SaveQueryRequest = Type.Object({
  id: Type.Optional(BigText),
  name: Type.String({ minLength: 1, maxLength: 200 }),
  folder: Type.Optional(Type.String({ maxLength: 500 })),
  sql: Type.String({ maxLength: 1_000_000 }),
  isFavourite: Type.Optional(Type.Boolean()),
});
export type SaveQueryRequest = Static<typeof SaveQueryRequest>;
export const IdRequest = Type.Object({ id: BigText });
export type IdRequest = Static<typeof IdRequest>;

export const HistoryQuery = Type.Object({
  search: Type.Optional(Type.String({ maxLength: 200 })),
  /** Entries older than this id. */
  before: Type.Optional(BigText),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
});
export type HistoryQuery = Static<typeof HistoryQuery>;
export const HistoryEntry = Type.Object({
  id: BigText,
  at: Millis,
  database: Type.String(),
  sql: Type.String(),
  durationMillis: Type.Number(),
  rowCount: nullable(Type.Number()),
  /** SQLSTATE of a statement that failed. */
  errorCode: nullable(Type.String()),
});
export type HistoryEntry = Static<typeof HistoryEntry>;
export const HistoryResponse = Type.Object({ entries: Type.Array(HistoryEntry), next: nullable(BigText) });
export type HistoryResponse = Static<typeof HistoryResponse>;

/** State of the role's console (open tabs, layout, theme): one JSON text, last writer wins. */
export const WorkspaceResponse = Type.Object({ value: nullable(Type.String()), updatedAt: nullable(Millis) });
export type WorkspaceResponse = Static<typeof WorkspaceResponse>;
export const WorkspaceRequest = Type.Object({ value: Type.String({ maxLength: 4_000_000 }) });
export type WorkspaceRequest = Static<typeof WorkspaceRequest>;

export const AlertRule = Type.Object({
  id: BigText,
  name: Type.String(),
  /** A metric of /monitor/metrics/catalog. */
  metric: Type.String(),
  comparison: Type.Union([Type.Literal('>'), Type.Literal('<')]),
  threshold: Type.Number(),
  /** The condition must hold this long. */
  forSeconds: Type.Integer({ minimum: 0, maximum: 86_400 }),
  severity: Type.Union([Type.Literal('notice'), Type.Literal('warning'), Type.Literal('critical')]),
  isEnabled: Type.Boolean(),
  silencedUntil: nullable(Millis),
  /** Now. */
  state: Type.Union([Type.Literal('ok'), Type.Literal('pending'), Type.Literal('firing')]),
  since: nullable(Millis),
  value: nullable(Type.Number()),
});
export type AlertRule = Static<typeof AlertRule>;
export const AlertsResponse = Type.Object({
  rules: Type.Array(AlertRule),
  /** Gets a POST of JSON when an alert begins or ends; null = none. Only superusers see and set it. */
  webhook: nullable(Type.String()),
  /** May this role change rules? */
  isEditable: Type.Boolean(),
});
export type AlertsResponse = Static<typeof AlertsResponse>;
export const SaveAlertRequest = Type.Object({
  id: Type.Optional(BigText),
  name: Type.String({ minLength: 1, maxLength: 200 }),
  metric: Type.String({ maxLength: 200 }),
  comparison: Type.Union([Type.Literal('>'), Type.Literal('<')]),
  threshold: Type.Number(),
  forSeconds: Type.Integer({ minimum: 0, maximum: 86_400 }),
  severity: Type.Union([Type.Literal('notice'), Type.Literal('warning'), Type.Literal('critical')]),
  isEnabled: Type.Boolean(),
});
export type SaveAlertRequest = Static<typeof SaveAlertRequest>;
export const SilenceRequest = Type.Object({
  id: BigText,
  /** Milliseconds since 1970; null ends the silence. */
  until: nullable(Type.Number()),
});
export type SilenceRequest = Static<typeof SilenceRequest>;
export const WebhookRequest = Type.Object({ url: nullable(Type.String({ maxLength: 2000 })) });
export type WebhookRequest = Static<typeof WebhookRequest>;

export const AuditQuery = Type.Object({
  before: Type.Optional(BigText),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
});
export type AuditQuery = Static<typeof AuditQuery>;
/** Actions in the console; superusers and pg_monitor see all, others their own. Nothing can be changed or removed. */
export const AuditEntry = Type.Object({
  id: BigText,
  at: Millis,
  user: Type.String(),
  address: Type.String(),
  action: Type.String(),
  detail: Type.String(),
  isSuccess: Type.Boolean(),
});
export type AuditEntry = Static<typeof AuditEntry>;
export const AuditResponse = Type.Object({ entries: Type.Array(AuditEntry), next: nullable(BigText) });
export type AuditResponse = Static<typeof AuditResponse>;
