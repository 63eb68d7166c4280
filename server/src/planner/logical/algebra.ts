/**
 * The logical plan: relational algebra over slots.
 *
 * Every value has a slot that is unique in the statement from the moment its Var is resolved, so moving a predicate or an
 * operator never renames anything. A node *provides* the slots produced below it; what it uses but does not provide are
 * its outer references (correlation). Nodes are immutable by convention; rules build new ones. Exception: a relation scan
 * gains columns while the tree is being built.
 */
import type { Oid } from '../../base/brands.ts';
import type { RelationDescriptor } from '../../catalog/contract.ts';
import type { AggregateExpr, RowMark, SortKey, WindowFunctionExpr } from '../../sql/tree.ts';
import type { LExpr } from '../expression/walk.ts';

export type LogicalJoinType = 'inner' | 'left' | 'full' | 'semi' | 'anti';

export interface LScan {
  kind: 'scan';
  relation: RelationDescriptor;
  alias: string;
  /** 0-based column (or SYSTEM_COLUMN) → slot. */
  columns: Map<number, number>;
  rowIdSlot: number;
}
/** One row without columns. */
export interface LResult {
  kind: 'result';
}
/** No rows: what a condition that folded to false leaves. `slots` are still provided (never read). */
export interface LEmpty {
  kind: 'empty';
  slots: number[];
}
export interface LValues {
  kind: 'values';
  alias: string;
  rows: LExpr[][];
  slots: number[];
  names: string[];
}
export interface LFunctionScan {
  kind: 'functionScan';
  alias: string;
  functions: { expr: LExpr; slots: number[]; spread: boolean }[];
  names: string[];
  ordinalitySlot: number;
}
export interface LCteScan {
  kind: 'cteScan';
  cte: number;
  name: string;
  alias: string;
  slots: number[];
  names: string[];
}
export interface LWorkTableScan {
  kind: 'workTableScan';
  workTable: number;
  alias: string;
  slots: number[];
  names: string[];
}
export interface LJoin {
  kind: 'join';
  type: LogicalJoinType;
  left: LogicalNode;
  right: LogicalNode;
  predicates: LExpr[];
  /** Anti join with NOT IN semantics: no row passes when the right side holds a NULL key (and so on). */
  nullAware: boolean;
}
export interface LFilter {
  kind: 'filter';
  child: LogicalNode;
  predicates: LExpr[];
}
export interface LProject {
  kind: 'project';
  child: LogicalNode;
  exprs: { expr: LExpr; slot: number }[];
}
export interface LProjectSet {
  kind: 'projectSet';
  child: LogicalNode;
  exprs: { expr: LExpr; slot: number }[];
}
export interface LAggregateCall {
  slot: number;
  call: AggregateExpr;
}
export interface LAggregate {
  kind: 'aggregate';
  child: LogicalNode;
  /** A group over a plain slot keeps that slot; others have their own. `key` gives the operators for sorting. */
  groups: { expr: LExpr; slot: number; key: SortKey }[];
  sets: number[][] | null;
  grouping: { slot: number; groups: number[] }[];
  aggregates: LAggregateCall[];
}
export interface LWindow {
  kind: 'window';
  child: LogicalNode;
  partitionBy: SortKey[];
  orderBy: SortKey[];
  frame: {
    mode: 'range' | 'rows' | 'groups';
    start: { kind: string; offset: LExpr | null };
    end: { kind: string; offset: LExpr | null };
    exclude: 'none' | 'current row' | 'group' | 'ties';
    startInRange: Oid;
    endInRange: Oid;
  };
  functions: { slot: number; call: WindowFunctionExpr }[];
}
/** DISTINCT: `keys` cover all of `columns` unless it is DISTINCT ON, which keeps the first row of each key in `order`. */
export interface LDistinct {
  kind: 'distinct';
  child: LogicalNode;
  keys: SortKey[];
  on: boolean;
  order: SortKey[];
}
export interface LSetOperation {
  kind: 'setOperation';
  op: 'union' | 'intersect' | 'except';
  all: boolean;
  /** UNION may have more than two inputs after flattening; the others have exactly two. */
  children: LogicalNode[];
  /** For each child the slots in order of `slots`. */
  maps: number[][];
  slots: number[];
  keys: SortKey[];
}
export interface LRecursiveUnion {
  kind: 'recursiveUnion';
  base: LogicalNode;
  recursive: LogicalNode;
  baseSlots: number[];
  recursiveSlots: number[];
  slots: number[];
  distinct: boolean;
  workTable: number;
  keys: SortKey[];
}
export interface LSort {
  kind: 'sort';
  child: LogicalNode;
  keys: SortKey[];
}
export interface LLimit {
  kind: 'limit';
  child: LogicalNode;
  limit: LExpr | null;
  offset: LExpr | null;
  tiesKeys: SortKey[] | null;
}
export interface LLockRows {
  kind: 'lockRows';
  child: LogicalNode;
  marks: { mark: RowMark; scan: LScan }[];
}
export interface LModify {
  kind: 'modify';
  command: 'insert' | 'update' | 'delete' | 'merge';
  relation: RelationDescriptor;
  alias: string;
  child: LogicalNode;
  /** Scan of the target inside `child` (update, delete, merge), or a detached one that only names the new row's slots (insert). */
  target: LScan;
  row: (LExpr | null)[];
  onConflict: {
    action: 'nothing' | 'update';
    indexOids: Oid[];
    row: (LExpr | null)[];
    where: LExpr | null;
    excluded: LScan;
  } | null;
  /** View with INSTEAD OF triggers: its columns before the change. */
  oldRow?: LExpr[];
  returning: { expr: LExpr; slot: number }[];
  /** WITH CHECK OPTION, in the order of checking. */
  viewChecks: { viewName: string; condition: LExpr }[];
  mergeActions: {
    matched: boolean;
    command: 'insert' | 'update' | 'delete' | 'nothing';
    condition: LExpr | null;
    row: (LExpr | null)[];
  }[];
}

export type LogicalNode =
  | LScan
  | LResult
  | LEmpty
  | LValues
  | LFunctionScan
  | LCteScan
  | LWorkTableScan
  | LJoin
  | LFilter
  | LProject
  | LProjectSet
  | LAggregate
  | LWindow
  | LDistinct
  | LSetOperation
  | LRecursiveUnion
  | LSort
  | LLimit
  | LLockRows
  | LModify;
