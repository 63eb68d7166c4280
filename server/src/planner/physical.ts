/**
 * Physical plans: plain serialisable data, instantiated by an executor (row or compiled) where they run.
 *
 * Frame slots. A statement has one frame: an array of Datum. Every value that flows between operators lives in a slot that the
 * planner assigned, unique in the whole statement (subplans and CTEs included), so filters and joins copy nothing, and correlated
 * subplans read the outer row's slots directly. `outputs` of a node lists the slots that are valid (and needed above)
 * after its `next()` returned true; materialising operators (hash build, sort …) save and restore exactly these.
 */
import type { Oid } from '../base/brands.ts';
import type { Expr, ExprBase, RowMark, TargetEntry } from '../sql/tree.ts';
import type { ComparisonOperator } from '../table/contract.ts';

/** A slot of the frame: what a Var becomes in a plan. */
export interface SlotExpr extends ExprBase {
  kind: 'slot';
  slot: number;
}

/**
 * A subquery left inside an expression. `parameters` are the outer slots it depends on: none = evaluated once (InitPlan),
 * else re-run when they change.
 */
export interface SubPlanExpr extends ExprBase {
  kind: 'subPlan';
  type: 'exists' | 'any' | 'all' | 'scalar' | 'array' | 'rowCompare';
  /** Index into PhysicalPlan.subplans. */
  plan: number;
  parameters: number[];
  left: PlanExpr[];
  operatorOids: Oid[];
  /** Expressions over the subplan's output slots, already cast. */
  right: PlanExpr[];
  /** ANY/ALL over an uncorrelated subplan may be probed through a hash table. */
  hashable: boolean;
}

/** Reference to the result of an aggregate or window function computed by the node below: just a slot as well. */
export type PlanExpr = Expr | SlotExpr | SubPlanExpr;

export interface PlanSortKey {
  expr: PlanExpr;
  operatorOid: Oid;
  equalityOid: Oid;
  descending: boolean;
  nullsFirst: boolean;
}

export interface PlanNodeBase {
  /** Unique in the statement, stable between EXPLAIN runs; indexes instrumentation. */
  id: number;
  outputs: number[];
  startupCost: number;
  totalCost: number;
  estimatedRows: number;
  width: number;
}

/** A predicate pushed into a scan; `value` may use outer slots, params and constants, evaluated once per (re)scan. */
export interface PushedPredicate {
  /** 0-based column. */
  column: number;
  operator: ComparisonOperator | '<>' | 'in' | 'is null' | 'is not null';
  value: PlanExpr | null;
  /** The same as an expression, for EXPLAIN and for executors that cannot push it. */
  source: PlanExpr;
  /** True: implied by a condition that also stands in `filter` (LIKE prefix); may be ignored, and EXPLAIN does not show it. */
  derived: boolean;
}

export interface ScanColumn {
  /** 0-based column, or SYSTEM_COLUMN */ column: number;
  slot: number;
  typeOid: Oid;
  typmod: number;
}

export interface SeqScanNode extends PlanNodeBase {
  kind: 'seqScan';
  relationOid: Oid;
  alias: string;
  columns: ScanColumn[];
  /** Columns that only pushed predicates read: their slots are never filled, EXPLAIN names them. */
  pruned?: ScanColumn[];
  pushed: PushedPredicate[];
  /** Remaining condition. */
  filter: PlanExpr | null;
  /** Slot that receives the row id (UPDATE/DELETE/FOR UPDATE), or -1. */
  rowIdSlot: number;
  /** `ctid = value` stands in the filter: only that row is fetched. */
  tid?: PlanExpr;
}
export interface IndexScanNode extends PlanNodeBase {
  kind: 'indexScan';
  relationOid: Oid;
  alias: string;
  indexOid: Oid;
  indexName: string;
  columns: ScanColumn[];
  /** Columns that only the index conditions read: their slots are never filled, EXPLAIN names them. */
  pruned?: ScanColumn[];
  equal: PlanExpr[];
  lower: { value: PlanExpr; inclusive: boolean } | null;
  upper: { value: PlanExpr; inclusive: boolean } | null;
  /** col IN (…) / = ANY(array) on the key after `equal`: one probe per element. */
  anyOf: PlanExpr | null;
  backward: boolean;
  /** The conditions as written, for EXPLAIN. */
  conditions: PlanExpr[];
  filter: PlanExpr | null;
  rowIdSlot: number;
}
/** Scan of a relation whose rows are computed (RelationDescriptor.virtualRows). */
export interface VirtualScanNode extends PlanNodeBase {
  kind: 'virtualScan';
  relationOid: Oid;
  alias: string;
  columns: ScanColumn[];
  /** Rows wanted by a column's value, or by a list of values; the filter holds the condition too. */
  key?: { column: number; value: PlanExpr; isList: boolean };
  filter: PlanExpr | null;
}
/** One row without columns; none when the one-time condition is not true. */
export interface ResultNode extends PlanNodeBase {
  kind: 'result';
  condition: PlanExpr | null;
}
export interface ValuesScanNode extends PlanNodeBase {
  kind: 'valuesScan';
  alias: string;
  rows: PlanExpr[][];
  slots: number[];
  /** Names of the columns, in slot order, for EXPLAIN. */
  names?: string[];
  filter: PlanExpr | null;
}
export interface FunctionScanNode extends PlanNodeBase {
  kind: 'functionScan';
  alias: string;
  functions: {
    expr: PlanExpr;
    slots: number[] /** result is composite: spread its fields */;
    spread: boolean;
  }[];
  ordinalitySlot: number;
  /** Names of the columns, in slot order, for EXPLAIN. */
  names?: string[];
  filter: PlanExpr | null;
}
/** Computes expressions into slots; `child` null = one row. */
export interface ProjectNode extends PlanNodeBase {
  kind: 'project';
  child: PlanNode;
  exprs: { expr: PlanExpr; slot: number }[];
}
/** Like project, with set-returning functions in the list. */
export interface ProjectSetNode extends PlanNodeBase {
  kind: 'projectSet';
  child: PlanNode;
  exprs: { expr: PlanExpr; slot: number }[];
}
export interface FilterNode extends PlanNodeBase {
  kind: 'filter';
  child: PlanNode;
  condition: PlanExpr;
  /** The condition reads no slot of the child: testing it once per (re)scan, before the child starts, is enough. */
  oneTime?: boolean;
}

export type PhysicalJoinType =
  | 'inner'
  | 'left'
  | 'right'
  | 'full'
  | 'semi'
  | 'anti'
  | 'rightSemi'
  | 'rightAnti';
/** The inner side is re-run per outer row (its scans may use outer slots). For left: inner outputs become NULL. */
export interface NestedLoopNode extends PlanNodeBase {
  kind: 'nestedLoop';
  type: 'inner' | 'left' | 'semi' | 'anti';
  outer: PlanNode;
  inner: PlanNode;
  condition: PlanExpr | null;
}
/** The inner side is built. `condition` is the rest of the join condition beyond the equal keys. nullAware: NOT IN semantics for anti. */
export interface HashJoinNode extends PlanNodeBase {
  kind: 'hashJoin';
  type: PhysicalJoinType;
  outer: PlanNode;
  inner: PlanNode;
  keys: { outer: PlanExpr; inner: PlanExpr; operatorOid: Oid }[];
  condition: PlanExpr | null;
  nullAware: boolean;
}
export interface MergeJoinNode extends PlanNodeBase {
  kind: 'mergeJoin';
  type: PhysicalJoinType;
  outer: PlanNode;
  inner: PlanNode;
  keys: { outer: PlanExpr; inner: PlanExpr; operatorOid: Oid; descending: boolean; nullsFirst: boolean }[];
  condition: PlanExpr | null;
}
export interface MaterializeNode extends PlanNodeBase {
  kind: 'materialize';
  child: PlanNode;
}
export interface SortNode extends PlanNodeBase {
  kind: 'sort';
  child: PlanNode;
  keys: PlanSortKey[] /** Leading keys already sorted. */;
  presorted: number /** top-N: LIMIT + OFFSET expression or null */;
  bound: PlanExpr | null;
}
export interface LimitNode extends PlanNodeBase {
  kind: 'limit';
  child: PlanNode;
  limit: PlanExpr | null;
  offset: PlanExpr | null;
  tiesKeys: PlanSortKey[] | null;
}
export interface UniqueNode extends PlanNodeBase {
  kind: 'unique';
  child: PlanNode;
  keys: PlanSortKey[];
}

export interface PlanAggregate {
  slot: number;
  aggregateOid: Oid;
  /** Aggregate function is `functionOid` of an AggregateExpr; args evaluated per input row. */
  args: PlanExpr[];
  directArgs: PlanExpr[];
  orderBy: PlanSortKey[];
  distinct: boolean;
  filter: PlanExpr | null;
  star: boolean;
  typeOid: Oid;
  typmod: number;
  /** For EXPLAIN. */
  source: Expr;
}
export interface AggregateNode extends PlanNodeBase {
  kind: 'aggregate';
  strategy: 'plain' | 'sorted' | 'hashed' | 'mixed';
  child: PlanNode;
  groups: { expr: PlanExpr; slot: number; equalityOid: Oid }[];
  /** Grouping sets as lists of indexes into groups; null = one set of all. */
  sets: number[][] | null;
  /** GROUPING() results: slot gets the bit mask for `groups` indexes. */
  grouping: { slot: number; groups: number[] }[];
  aggregates: PlanAggregate[];
  having: PlanExpr | null;
}
export interface WindowNode extends PlanNodeBase {
  kind: 'window';
  child: PlanNode;
  partitionBy: PlanSortKey[];
  orderBy: PlanSortKey[];
  frame: {
    mode: 'range' | 'rows' | 'groups';
    start: { kind: string; offset: PlanExpr | null };
    end: { kind: string; offset: PlanExpr | null };
    exclude: 'none' | 'current row' | 'group' | 'ties';
    startInRange: Oid;
    endInRange: Oid;
  };
  functions: {
    slot: number;
    functionOid: Oid;
    isAggregate: boolean;
    args: PlanExpr[];
    filter: PlanExpr | null;
    star: boolean;
    typeOid: Oid;
    source: Expr;
  }[];
}
/** Children write to their own slots; `maps[i][j]` of child i is copied to `slots[j]`. */
export interface AppendNode extends PlanNodeBase {
  kind: 'append';
  children: PlanNode[];
  /** Slots of each child in the order of `slots`. */
  maps: number[][];
  /** Target slots: the same list as `outputs`. */
  slots: number[];
}
export interface SetOperationNode extends PlanNodeBase {
  kind: 'setOperation';
  op: 'intersect' | 'except';
  all: boolean;
  left: PlanNode;
  right: PlanNode;
  leftSlots: number[];
  rightSlots: number[];
  /** Target slots of the result's columns: the same list as `outputs`. */
  slots: number[];
  /** Over `slots`; empty for a type's default equality. */
  keys: PlanSortKey[];
}
export interface RecursiveUnionNode extends PlanNodeBase {
  kind: 'recursiveUnion';
  base: PlanNode;
  recursive: PlanNode;
  baseSlots: number[];
  recursiveSlots: number[];
  /** Target slots of the result's columns: the same list as `outputs`. */
  slots: number[];
  distinct: boolean;
  workTable: number;
  keys: PlanSortKey[];
}
/** Reads the rows of the recursive union's last round. */
export interface WorkTableScanNode extends PlanNodeBase {
  kind: 'workTableScan';
  workTable: number;
  alias: string;
  slots: number[];
  /** Names of the columns, in slot order, for EXPLAIN. */
  names?: string[];
  filter: PlanExpr | null;
}
/** Reads CTE number `cte` (materialised once, shared); copies its outputs to `slots`. */
export interface CteScanNode extends PlanNodeBase {
  kind: 'cteScan';
  cte: number;
  name: string;
  alias: string;
  slots: number[];
  /** Names of the columns, in slot order, for EXPLAIN. */
  names?: string[];
  filter: PlanExpr | null;
}
export interface LockRowsNode extends PlanNodeBase {
  kind: 'lockRows';
  child: PlanNode;
  marks: {
    mark: RowMark;
    relationOid: Oid;
    rowIdSlot: number;
    columns: ScanColumn[];
  }[] /** Re-checked after a wait (EvalPlanQual). */;
  recheck: PlanExpr | null;
}
export interface ModifyNode extends PlanNodeBase {
  kind: 'modify';
  /** A MERGE is an 'update' with `mergeActions`: per row of `child` the first fitting one; a NULL row id means "not matched". */
  command: 'insert' | 'update' | 'delete';
  relationOid: Oid;
  alias: string;
  child: PlanNode;
  /** Full new row in column order (insert/update): expression per column; update: null = keep old. */
  row: (PlanExpr | null)[];
  rowIdSlot: number;
  /** Slots where the target's (old or new) columns are visible to RETURNING and recheck. */
  targetColumns: ScanColumn[];
  /** Update/delete in READ COMMITTED: condition on the newest version. */
  recheck: PlanExpr | null;
  onConflict: {
    action: 'nothing' | 'update';
    indexOids: Oid[];
    row: (PlanExpr | null)[];
    where: PlanExpr | null;
    excludedColumns: ScanColumn[];
  } | null;
  /** View with INSTEAD OF triggers: expressions of its columns before the change (UPDATE, DELETE). */
  oldRow?: PlanExpr[];
  returning: { expr: PlanExpr; slot: number }[];
  /** WITH CHECK OPTION of views: what each written row must satisfy. */
  viewChecks?: { viewName: string; condition: PlanExpr }[];
  mergeActions: {
    matched: boolean;
    command: 'insert' | 'update' | 'delete' | 'nothing';
    condition: PlanExpr | null;
    row: (PlanExpr | null)[];
  }[];
}

export type PlanNode =
  | SeqScanNode
  | IndexScanNode
  | VirtualScanNode
  | ResultNode
  | ValuesScanNode
  | FunctionScanNode
  | ProjectNode
  | ProjectSetNode
  | FilterNode
  | NestedLoopNode
  | HashJoinNode
  | MergeJoinNode
  | MaterializeNode
  | SortNode
  | LimitNode
  | UniqueNode
  | AggregateNode
  | WindowNode
  | AppendNode
  | SetOperationNode
  | RecursiveUnionNode
  | WorkTableScanNode
  | CteScanNode
  | LockRowsNode
  | ModifyNode;

export interface OutputColumn {
  name: string;
  typeOid: Oid;
  typmod: number;
  slot: number;
  originTable: Oid;
  originColumn: number;
}

export interface PhysicalPlan {
  command: 'select' | 'insert' | 'update' | 'delete' | 'merge';
  root: PlanNode;
  slotCount: number;
  /** Columns of the result; empty for DML without RETURNING. */
  columns: OutputColumn[];
  subplans: {
    root: PlanNode;
    outputs: number[] /** evaluated at most once per execution */;
    once: boolean;
  }[];
  /**
   * CTEs in evaluation order. A data-modifying one runs to its end even if nobody reads it; one that is read once is handed
   * on row by row and not kept.
   */
  ctes: { name: string; root: PlanNode; outputs: number[]; modifies: boolean; readOnce: boolean }[];
  workTableCount: number;
  parameterTypes: Oid[];
  /** Every relation with the privileges it needs, and its lock. */
  relations: {
    relationOid: Oid;
    privileges: { privilege: string; columns: number[] }[];
    asRole: Oid;
    lockMode: 'AccessShare' | 'RowShare' | 'RowExclusive';
  }[];
  /** No writes, no row locks, only parallel-safe functions. */
  parallelSafe: boolean;
  readOnly: boolean;
  catalogVersion: number;
  targets: TargetEntry[];
  /** Rules made several statements of it: they run in order, `main` (-1 = none) gives rows and count. */
  sequence?: { plans: PhysicalPlan[]; main: number };
}
