/** Rows of tables: browsing, staged edits, import. */
import Type, { type Static } from 'typebox';
import { ApiError, Cell, FilterCondition, Millis, nullable, ResultColumn, SortKey } from './shapes.ts';

export const TableRowsRequest = Type.Object({
  offset: Type.Integer({ minimum: 0 }),
  limit: Type.Integer({ minimum: 1, maximum: 5000 }),
  filter: Type.Optional(Type.Array(FilterCondition, { maxItems: 32 })),
  /** AND-ed to the filter: an SQL condition as the user wrote it. */
  where: Type.Optional(Type.String({ maxLength: 100_000 })),
  sort: Type.Optional(Type.Array(SortKey, { maxItems: 8 })),
  /** Counts the rows that pass (may be slow); else the estimate alone. */
  isCounted: Type.Optional(Type.Boolean()),
});
export type TableRowsRequest = Static<typeof TableRowsRequest>;
export const TableRowsResponse = Type.Object({
  columns: Type.Array(ResultColumn),
  rows: Type.Array(Type.Array(Cell)),
  /** Columns that name a row for edits (primary key, else a unique not-null one); empty = not editable. */
  keyColumns: Type.Array(Type.String()),
  count: nullable(Type.String()),
  hasMore: Type.Boolean(),
  sql: Type.String(),
});
export type TableRowsResponse = Static<typeof TableRowsResponse>;

/** One staged change. `key`: values of the key columns as they were read. Values are text forms; null is NULL; a column that is absent keeps its value or takes its default. */
export const RowEdit = Type.Union([
  Type.Object({ kind: Type.Literal('insert'), values: Type.Record(Type.String(), Cell) }),
  Type.Object({
    kind: Type.Literal('update'),
    key: Type.Record(Type.String(), Cell),
    values: Type.Record(Type.String(), Cell),
    /** Values of the changed columns as they were read: the row is refused if another session changed them. */
    before: Type.Optional(Type.Record(Type.String(), Cell)),
  }),
  Type.Object({ kind: Type.Literal('delete'), key: Type.Record(Type.String(), Cell) }),
]);
export type RowEdit = Static<typeof RowEdit>;
export const EditsRequest = Type.Object({
  edits: Type.Array(RowEdit, { minItems: 1, maxItems: 10_000 }),
});
export type EditsRequest = Static<typeof EditsRequest>;
/** The statements as they will run, one for each edit. */
export const EditsPreviewResponse = Type.Object({ statements: Type.Array(Type.String()) });
export type EditsPreviewResponse = Static<typeof EditsPreviewResponse>;
/** All edits in one transaction on a connection of their own: all or none. */
export const EditsApplyResponse = Type.Object({
  isApplied: Type.Boolean(),
  /** Index of the edit that failed. */
  failedEdit: nullable(Type.Integer()),
  error: nullable(ApiError),
});
export type EditsApplyResponse = Static<typeof EditsApplyResponse>;

export const CsvOptions = Type.Object({
  delimiter: Type.Optional(Type.String({ minLength: 1, maxLength: 1 })),
  quote: Type.Optional(Type.String({ minLength: 1, maxLength: 1 })),
  hasHeader: Type.Optional(Type.Boolean()),
  /** Text that stands for NULL when it is not quoted. */
  nullText: Type.Optional(Type.String({ maxLength: 100 })),
});
export type CsvOptions = Static<typeof CsvOptions>;

/** The head of a file: what it seems to be. */
export const ImportPreviewRequest = Type.Object({
  sample: Type.String({ maxLength: 1_000_000 }),
  options: Type.Optional(CsvOptions),
});
export type ImportPreviewRequest = Static<typeof ImportPreviewRequest>;
export const ImportPreviewResponse = Type.Object({
  /** Guessed where not given. */
  options: CsvOptions,
  columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })),
  rows: Type.Array(Type.Array(Cell)),
});
export type ImportPreviewResponse = Static<typeof ImportPreviewResponse>;

/**
 * An import: open it, post the file's bytes in order (`POST /imports/:id/chunk`, application/octet-stream, at most 4 MiB
 * each), finish it. One transaction; nothing of it is seen before it is finished, and all of it goes if it is aborted.
 */
export const ImportRequest = Type.Object({
  schema: Type.String({ maxLength: 63 }),
  table: Type.String({ maxLength: 63 }),
  /** Target columns in the file's order; null skips a field of the file. */
  columns: Type.Array(nullable(Type.String({ maxLength: 63 })), { minItems: 1, maxItems: 1600 }),
  options: CsvOptions,
  /** Makes the table first. */
  create: Type.Optional(
    Type.Array(Type.Object({ name: Type.String(), type: Type.String({ maxLength: 200 }) })),
  ),
  totalBytes: Type.Optional(Type.Integer({ minimum: 0 })),
});
export type ImportRequest = Static<typeof ImportRequest>;
export const ImportState = Type.Object({
  id: Type.String(),
  bytes: Type.Number(),
  totalBytes: nullable(Type.Number()),
  rows: Type.Number(),
  state: Type.Union([
    Type.Literal('open'),
    Type.Literal('done'),
    Type.Literal('failed'),
    Type.Literal('aborted'),
  ]),
  startedAt: Millis,
  error: nullable(ApiError),
});
export type ImportState = Static<typeof ImportState>;
