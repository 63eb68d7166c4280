/**
 * The raw syntax tree as libpg_query gives it (types of @pgsql/types), seen through small helpers.
 *
 * Each node is an object with one key, its tag: `{ ColumnRef: { fields: […], location: 7 } }`. Fields that are zero, empty
 * or false are left out; `location` -1 means unknown, a missing one means 0. Locations count characters here (the parser's
 * byte offsets are converted by parser.ts).
 */
import type { Node } from '@pgsql/types';

export type {
  A_ArrayExpr,
  A_Const,
  A_Expr,
  A_Indirection,
  Alias,
  ColumnDef,
  ColumnRef,
  CommonTableExpr,
  CopyStmt,
  CreateTableAsStmt,
  DeclareCursorStmt,
  DeleteStmt,
  ExplainStmt,
  FuncCall,
  IndexElem,
  InsertStmt,
  JoinExpr,
  LockingClause,
  MergeStmt,
  MergeWhenClause,
  MultiAssignRef,
  Node,
  OnConflictClause,
  RangeFunction,
  RangeSubselect,
  RangeTableSample,
  RangeVar,
  ResTarget,
  RowExpr,
  SelectStmt,
  SortBy,
  SQLValueFunction,
  SubLink,
  TypeCast,
  TypeName,
  UpdateStmt,
  WindowDef,
  WithClause,
} from '@pgsql/types';

/** Tag of a node: its only key. */
export function tagOf(node: Node): string {
  for (const key in node) return key;
  return '';
}

/** Content of a node with a known tag, or undefined. */
export function as<Tag extends string>(
  node: Node | undefined,
  tag: Tag,
): (Extract<Node, Record<Tag, unknown>> extends Record<Tag, infer Content> ? Content : never) | undefined {
  return node === undefined ? undefined : ((node as Record<string, unknown>)[tag] as never);
}

/** Text of a String node. */
export function stringOf(node: Node | undefined): string {
  return (node as { String?: { sval?: string } } | undefined)?.String?.sval ?? '';
}

/** Texts of a list of String nodes (qualified names). */
export function stringsOf(nodes: readonly Node[] | undefined): string[] {
  return nodes ? nodes.map(stringOf) : [];
}

/** Location field → 1-based character position, undefined when unknown. */
export function positionOf(location: number | undefined): number | undefined {
  return location === undefined ? 1 : location < 0 ? undefined : location + 1;
}

/** One statement of a text. */
export interface RawStatement {
  /** Node with the statement's tag, e.g. `{ SelectStmt: … }`. */
  tree: Node;
  /** UTF-16 offsets: `text.slice(start, start + length)` is the statement, leading space and the semicolon left out. */
  start: number;
  length: number;
}
