/** Running statements and working with results that the server holds. */
import Type, { type Static } from 'typebox';
import { ApiError, Cell, FilterCondition, nullable, ResultColumn } from './shapes.ts';

/** Which connection of the session: each query tab has its own, made when first used. Default 'main'. */
export const ConnectionName = Type.String({ minLength: 1, maxLength: 64 });

export const QueryParameter = Type.Object({
  value: Cell,
  /** Type name as SQL writes it; absent = inferred. */
  type: Type.Optional(Type.String({ maxLength: 200 })),
});
export type QueryParameter = Static<typeof QueryParameter>;

export const QueryRequest = Type.Object({
  sql: Type.String({ maxLength: 16_000_000 }),
  connection: Type.Optional(ConnectionName),
  /** Values of $1, $2 …; only with a single statement. */
  parameters: Type.Optional(Type.Array(QueryParameter, { maxItems: 1000 })),
  /** Rows of each result that come with the answer; more by `rows`. */
  pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  /** BEGIN is sent first when the connection is idle. */
  isManualCommit: Type.Optional(Type.Boolean()),
  /** Held results that are looked at no more. */
  closes: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 1000 })),
});
export type QueryRequest = Static<typeof QueryRequest>;

export const StatementResult = Type.Object({
  /** Names the rows kept on the server. */
  id: Type.String(),
  tag: Type.String(),
  columns: Type.Array(ResultColumn),
  rowCount: Type.Integer(),
  /** True when the server kept only the first rows (its limit of memory). */
  isTruncated: Type.Boolean(),
  rows: Type.Array(Type.Array(Cell)),
});
export type StatementResult = Static<typeof StatementResult>;

export const QueryResponse = Type.Object({
  results: Type.Array(StatementResult),
  notices: Type.Array(ApiError),
  error: nullable(ApiError),
  durationMillis: Type.Number(),
  /** I idle, T in a transaction, E in a failed one. */
  transactionStatus: Type.String(),
});
export type QueryResponse = Static<typeof QueryResponse>;

/**
 * Lines of `POST /query/stream` (application/x-ndjson), in this order for each statement: columns, rows once (the first
 * page, as soon as it is there), progress now and then, complete; notices anywhere; at last end.
 */
export const QueryEvent = Type.Union([
  Type.Object({
    type: Type.Literal('columns'),
    id: Type.String(),
    columns: Type.Array(ResultColumn),
  }),
  Type.Object({ type: Type.Literal('rows'), id: Type.String(), rows: Type.Array(Type.Array(Cell)) }),
  Type.Object({
    type: Type.Literal('progress'),
    id: nullable(Type.String()),
    rowCount: Type.Integer(),
    elapsedMillis: Type.Number(),
  }),
  Type.Object({
    type: Type.Literal('complete'),
    id: Type.String(),
    tag: Type.String(),
    rowCount: Type.Integer(),
    isTruncated: Type.Boolean(),
  }),
  Type.Object({ type: Type.Literal('notice'), notice: ApiError }),
  Type.Object({
    type: Type.Literal('end'),
    error: nullable(ApiError),
    durationMillis: Type.Number(),
    transactionStatus: Type.String(),
  }),
]);
export type QueryEvent = Static<typeof QueryEvent>;

/** A window of a held result, sorted and filtered on the server by the columns' types. Columns are named by their index. */
export const RowsRequest = Type.Object({
  id: Type.String({ maxLength: 64 }),
  offset: Type.Integer({ minimum: 0 }),
  limit: Type.Integer({ minimum: 1, maximum: 10_000 }),
  sort: Type.Optional(
    Type.Array(Type.Object({ column: Type.Integer({ minimum: 0 }), descending: Type.Boolean() }), {
      maxItems: 8,
    }),
  ),
  filter: Type.Optional(
    Type.Array(
      Type.Object({
        column: Type.Integer({ minimum: 0 }),
        operator: FilterCondition.properties.operator,
        value: Type.Optional(Type.String({ maxLength: 1_000_000 })),
      }),
      { maxItems: 32 },
    ),
  ),
});
export type RowsRequest = Static<typeof RowsRequest>;
export const RowsResponse = Type.Object({
  rows: Type.Array(Type.Array(Cell)),
  /** Rows that pass the filter. */
  total: Type.Integer(),
});
export type RowsResponse = Static<typeof RowsResponse>;

export const ExportFormat = Type.Union([
  Type.Literal('csv'),
  Type.Literal('tsv'),
  Type.Literal('json'),
  Type.Literal('ndjson'),
  Type.Literal('sql'),
  Type.Literal('markdown'),
  Type.Literal('parquet'),
]);
export type ExportFormat = Static<typeof ExportFormat>;

/** `GET /results/:id/export`: an attachment, streamed from the held rows; the statement does not run again. */
export const ExportQuery = Type.Object({
  format: ExportFormat,
  /** Table named in the INSERT statements of `sql`. */
  table: Type.Optional(Type.String({ maxLength: 200 })),
  fileName: Type.Optional(Type.String({ maxLength: 100 })),
  /** JSON of RowsRequest's sort and filter: the view as it is shown. */
  sort: Type.Optional(Type.String({ maxLength: 10_000 })),
  filter: Type.Optional(Type.String({ maxLength: 100_000 })),
});
export type ExportQuery = Static<typeof ExportQuery>;

/** Summary of one column of a held result. */
export const ColumnProfile = Type.Object({
  nulls: Type.Integer(),
  distinct: Type.Integer(),
  minimum: Cell,
  maximum: Cell,
  top: Type.Array(Type.Object({ value: Cell, count: Type.Integer() })),
});
export type ColumnProfile = Static<typeof ColumnProfile>;

export const CancelRequest = Type.Object({ connection: Type.Optional(ConnectionName) });
export type CancelRequest = Static<typeof CancelRequest>;

export const ExplainRequest = Type.Object({
  sql: Type.String({ maxLength: 16_000_000 }),
  connection: Type.Optional(ConnectionName),
  parameters: Type.Optional(Type.Array(QueryParameter, { maxItems: 1000 })),
  /** ANALYZE: the statement runs. Statements that write run inside a transaction that is rolled back. */
  analyze: Type.Boolean(),
});
export type ExplainRequest = Static<typeof ExplainRequest>;
export const ExplainResponse = Type.Object({
  /** What EXPLAIN (FORMAT JSON) printed; parse it with exact numbers in mind. */
  plan: Type.String(),
  durationMillis: Type.Number(),
  /** Findings in plain language, worst first; node counts the plan's nodes in depth-first order from 0. */
  findings: Type.Array(
    Type.Object({
      severity: Type.Union([Type.Literal('high'), Type.Literal('medium'), Type.Literal('low')]),
      node: Type.Integer(),
      message: Type.String(),
    }),
  ),
});
export type ExplainResponse = Static<typeof ExplainResponse>;
