/** The schema tree, objects and what the editor completes from. */
import Type, { type Static } from 'typebox';
import { BigText, Cell, Millis, nullable } from './shapes.ts';

export const SchemaTable = Type.Object({
  schema: Type.String(),
  name: Type.String(),
  kind: Type.String(),
  estimatedRows: Type.String(),
  columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String(), isNotNull: Type.Boolean() })),
});
export type SchemaTable = Static<typeof SchemaTable>;
export const SchemaResponse = Type.Object({
  tables: Type.Array(SchemaTable),
  /** Changes whenever any object does; null when the catalog cannot tell. */
  version: Type.Optional(Type.String()),
  /** True when only the first tables are listed. */
  isTruncated: Type.Optional(Type.Boolean()),
});
export type SchemaResponse = Static<typeof SchemaResponse>;

export const SchemaEntry = Type.Object({
  name: Type.String(),
  owner: Type.String(),
  isSystem: Type.Boolean(),
  relations: Type.Integer(),
  functions: Type.Integer(),
  types: Type.Integer(),
});
export type SchemaEntry = Static<typeof SchemaEntry>;
export const SchemasResponse = Type.Object({ schemas: Type.Array(SchemaEntry) });
export type SchemasResponse = Static<typeof SchemasResponse>;

/** A page of the tree: relations of a schema (or of all) by name, after a given one. */
export const TreeQuery = Type.Object({
  schema: Type.Optional(Type.String({ maxLength: 63 })),
  /** Part of the name, any case. */
  search: Type.Optional(Type.String({ maxLength: 200 })),
  /** relkind letters, for example 'rp' or 'v'; absent = tables, views, materialised views, partitioned, foreign, sequences. */
  kinds: Type.Optional(Type.String({ maxLength: 10 })),
  /** `next` of the page before. */
  after: Type.Optional(Type.String({ maxLength: 300 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5000 })),
});
export type TreeQuery = Static<typeof TreeQuery>;
export const TreeEntry = Type.Object({
  oid: Type.Integer(),
  schema: Type.String(),
  name: Type.String(),
  kind: Type.String(),
  estimatedRows: Type.Number(),
});
export type TreeEntry = Static<typeof TreeEntry>;
export const TreeResponse = Type.Object({
  relations: Type.Array(TreeEntry),
  next: nullable(Type.String()),
});
export type TreeResponse = Static<typeof TreeResponse>;

export const FunctionEntry = Type.Object({
  schema: Type.String(),
  name: Type.String(),
  arguments: Type.String(),
  result: Type.String(),
  /** f function, p procedure, a aggregate, w window. */
  kind: Type.String(),
});
export type FunctionEntry = Static<typeof FunctionEntry>;
export const ForeignKeyEntry = Type.Object({
  name: Type.String(),
  schema: Type.String(),
  table: Type.String(),
  columns: Type.Array(Type.String()),
  targetSchema: Type.String(),
  targetTable: Type.String(),
  targetColumns: Type.Array(Type.String()),
});
export type ForeignKeyEntry = Static<typeof ForeignKeyEntry>;
/** What completion needs beside tables; ask again when `version` of /schema changes. */
export const CompletionResponse = Type.Object({
  functions: Type.Array(FunctionEntry),
  foreignKeys: Type.Array(ForeignKeyEntry),
  types: Type.Array(Type.String()),
  searchPath: Type.Array(Type.String()),
  settings: Type.Array(Type.String()),
});
export type CompletionResponse = Static<typeof CompletionResponse>;

/** Relations and their foreign keys, for the diagram. */
export const DiagramResponse = Type.Object({
  tables: Type.Array(SchemaTable),
  foreignKeys: Type.Array(ForeignKeyEntry),
  primaryKeys: Type.Array(
    Type.Object({ schema: Type.String(), table: Type.String(), columns: Type.Array(Type.String()) }),
  ),
});
export type DiagramResponse = Static<typeof DiagramResponse>;

export const TableColumn = Type.Object({
  number: Type.Integer(),
  name: Type.String(),
  type: Type.String(),
  isNotNull: Type.Boolean(),
  default: nullable(Type.String()),
  identity: Type.String(),
  generated: Type.String(),
  collation: nullable(Type.String()),
  comment: nullable(Type.String()),
  isPrimaryKey: Type.Boolean(),
});
export type TableColumn = Static<typeof TableColumn>;

export const TableDetails = Type.Object({
  oid: Type.Integer(),
  schema: Type.String(),
  name: Type.String(),
  kind: Type.String(),
  owner: Type.String(),
  comment: nullable(Type.String()),
  estimatedRows: Type.Number(),
  sizeBytes: BigText,
  indexBytes: BigText,
  isRowSecurityOn: Type.Boolean(),
  columns: Type.Array(TableColumn),
  constraints: Type.Array(
    Type.Object({
      name: Type.String(),
      /** c check, f foreign key, p primary key, u unique, x exclusion, t trigger. */
      kind: Type.String(),
      definition: Type.String(),
      isValidated: Type.Boolean(),
    }),
  ),
  indexes: Type.Array(
    Type.Object({
      oid: Type.Integer(),
      name: Type.String(),
      definition: Type.String(),
      isUnique: Type.Boolean(),
      isPrimary: Type.Boolean(),
      isValid: Type.Boolean(),
      sizeBytes: BigText,
      scans: BigText,
      rowsRead: BigText,
      lastUsedAt: nullable(Millis),
    }),
  ),
  triggers: Type.Array(
    Type.Object({ name: Type.String(), definition: Type.String(), isEnabled: Type.Boolean() }),
  ),
  policies: Type.Array(
    Type.Object({
      name: Type.String(),
      command: Type.String(),
      isPermissive: Type.Boolean(),
      using: nullable(Type.String()),
      check: nullable(Type.String()),
    }),
  ),
  privileges: Type.Array(
    Type.Object({
      grantee: Type.String(),
      grantor: Type.String(),
      privilege: Type.String(),
      isGrantable: Type.Boolean(),
      /** Null for the whole relation. */
      column: nullable(Type.String()),
    }),
  ),
  /** Objects this one needs. */
  dependsOn: Type.Array(Type.Object({ kind: Type.String(), name: Type.String() })),
  /** Objects that need this one. */
  dependents: Type.Array(Type.Object({ kind: Type.String(), name: Type.String() })),
  /** Statements that make the relation anew. */
  ddl: Type.String(),
  statistics: nullable(
    Type.Object({
      sequentialScans: BigText,
      indexScans: BigText,
      inserted: BigText,
      updated: BigText,
      deleted: BigText,
      liveRows: BigText,
      deadRows: BigText,
      lastVacuum: nullable(Millis),
      lastAnalyze: nullable(Millis),
    }),
  ),
});
export type TableDetails = Static<typeof TableDetails>;

/** How a column is stored and what is known of its values. */
export const ColumnStorage = Type.Object({
  column: Type.String(),
  /** Bytes of sealed segments; the row delta is not divided by columns. */
  compressedBytes: Type.Number(),
  plainBytes: Type.Number(),
  /** Encoding → number of segments. */
  encodings: Type.Array(Type.Object({ name: Type.String(), segments: Type.Integer(), rows: Type.Number() })),
  /**
   * Share of segments (0–1) that a lookup of one value can skip by zone maps: 1 is a perfectly clustered column, 0 says
   * that every segment overlaps every other. Null without sealed segments.
   */
  zoneMapQuality: nullable(Type.Number()),
  nullFraction: nullable(Type.Number()),
  /** As pg_stats has it: negative = share of the rows. */
  distinct: nullable(Type.Number()),
  correlation: nullable(Type.Number()),
  commonValues: Type.Array(Type.Object({ value: Cell, frequency: Type.Number() })),
  histogramBounds: Type.Array(Type.String()),
});
export type ColumnStorage = Static<typeof ColumnStorage>;
export const TableStorageResponse = Type.Object({
  rows: Type.Number(),
  segments: Type.Integer(),
  sealedRows: Type.Number(),
  deltaRows: Type.Number(),
  compressedBytes: Type.Number(),
  plainBytes: Type.Number(),
  columns: Type.Array(ColumnStorage),
});
export type TableStorageResponse = Static<typeof TableStorageResponse>;
