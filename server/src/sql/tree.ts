/**
 * The typed tree: what analysis makes of a statement, modelled on PostgreSQL's Query (parsenodes, primnodes).
 *
 * Every expression knows its type. Column references are (relation index, attribute number, levels up). The tree is plain
 * data: JSON-like apart from Datum constants; `sql/tree-json.ts` writes and reads it for views, defaults and checks.
 * `position` is the character offset in the statement, from 1, or undefined.
 */
import type { Oid } from '../base/brands.ts';
import type { Privilege } from '../catalog/contract.ts';
import type { Datum } from '../types/datum.ts';

export interface ExprBase {
  typeOid: Oid;
  typmod: number;
  collation: Oid;
  position?: number;
  /** Collation the node's function or operator works under, where it differs from 0 (functions, operators, aggregates, comparisons). */
  inputCollation?: Oid;
}

export interface ConstExpr extends ExprBase {
  kind: 'const';
  value: Datum;
}

/** Column of range table entry `relation` (index into Query.rangeTable, from 1), `levelsUp` query levels out. attribute 0 = whole row, negative = system. */
export interface VarExpr extends ExprBase {
  kind: 'var';
  relation: number;
  attribute: number;
  levelsUp: number;
  /** How the column was written when that differs (through the alias of a join): for printing only, ignored by comparison. */
  displayRelation?: number;
  displayAttribute?: number;
}

/** $n of the extended protocol (from 1); lifted literals use the same node. */
export interface ParamExpr extends ExprBase {
  kind: 'param';
  number: number;
}

export interface FunctionExpr extends ExprBase {
  kind: 'function';
  functionOid: Oid;
  args: Expr[];
  returnsSet: boolean;
  /** How to print it back. */
  form: 'call' | 'explicitCast' | 'implicitCast' | 'sqlSyntax';
  variadic: boolean;
  /** Column definition list of a call in FROM (`json_to_record(…) AS x(a int)`). */
  columns?: { name: string; type: Oid; typmod: number }[];
}

export interface OperatorExpr extends ExprBase {
  kind: 'operator';
  operatorOid: Oid;
  functionOid: Oid;
  args: Expr[];
  returnsSet: boolean;
}
/** IS [NOT] DISTINCT FROM is `distinct` with optional NOT around; NULLIF. */
export interface DistinctExpr extends ExprBase {
  kind: 'distinct';
  operatorOid: Oid;
  functionOid: Oid;
  args: [Expr, Expr];
}
export interface NullIfExpr extends ExprBase {
  kind: 'nullif';
  operatorOid: Oid;
  functionOid: Oid;
  args: [Expr, Expr];
}
/** scalar op ANY|ALL (array) */
export interface ArrayOperatorExpr extends ExprBase {
  kind: 'arrayOperator';
  operatorOid: Oid;
  functionOid: Oid;
  any: boolean;
  args: [Expr, Expr];
}
export interface BoolExpr extends ExprBase {
  kind: 'bool';
  op: 'and' | 'or' | 'not';
  args: Expr[];
}
export interface NullTestExpr extends ExprBase {
  kind: 'nullTest';
  arg: Expr;
  isNull: boolean;
  argIsRow: boolean;
}
export interface BooleanTestExpr extends ExprBase {
  kind: 'booleanTest';
  arg: Expr;
  test: 'true' | 'notTrue' | 'false' | 'notFalse' | 'unknown' | 'notUnknown';
}
export interface CaseExpr extends ExprBase {
  kind: 'case';
  arg: Expr | null;
  whens: { condition: Expr; result: Expr }[];
  defaultResult: Expr | null;
}
/** Stands for CASE's argument inside its WHEN conditions, and for the value in domain checks. */
export interface CaseTestExpr extends ExprBase {
  kind: 'caseTest';
}
export interface CoalesceExpr extends ExprBase {
  kind: 'coalesce';
  args: Expr[];
}
export interface MinMaxExpr extends ExprBase {
  kind: 'minmax';
  op: 'greatest' | 'least';
  args: Expr[];
}
export interface ArrayExpr extends ExprBase {
  kind: 'array';
  elementType: Oid;
  elements: Expr[];
  multidimensional: boolean;
}
export interface RowExpr extends ExprBase {
  kind: 'row';
  args: Expr[];
  fieldNames: string[];
}
/** (a, b) < (c, d) and friends; '=' and '<>' are expanded to AND/OR by analysis. */
export interface RowCompareExpr extends ExprBase {
  kind: 'rowCompare';
  op: '<' | '<=' | '>=' | '>';
  operatorOids: Oid[];
  left: Expr[];
  right: Expr[];
}
/** Binary-compatible re-labelling. */
export interface RelabelExpr extends ExprBase {
  kind: 'relabel';
  arg: Expr;
  form: 'explicitCast' | 'implicitCast';
}
/** Cast through text output and input. */
export interface IoCastExpr extends ExprBase {
  kind: 'ioCast';
  arg: Expr;
  form: 'explicitCast' | 'implicitCast';
}
/** Element-wise cast of an array; `element` uses caseTest as the element. */
export interface ArrayCastExpr extends ExprBase {
  kind: 'arrayCast';
  arg: Expr;
  element: Expr;
  form: 'explicitCast' | 'implicitCast';
}
export interface DomainCastExpr extends ExprBase {
  kind: 'domainCast';
  arg: Expr;
  form: 'explicitCast' | 'implicitCast';
}
export interface CollateExpr extends ExprBase {
  kind: 'collate';
  arg: Expr;
  collationName: string;
}
export interface SubscriptExpr extends ExprBase {
  kind: 'subscript';
  arg: Expr;
  upper: (Expr | null)[];
  lower: (Expr | null)[] | null;
  assignment: Expr | null;
}
export interface FieldSelectExpr extends ExprBase {
  kind: 'fieldSelect';
  arg: Expr;
  field: number;
  fieldName: string;
}
export interface FieldStoreExpr extends ExprBase {
  kind: 'fieldStore';
  arg: Expr;
  fields: number[];
  values: Expr[];
}
/** CURRENT_DATE, CURRENT_USER … */
export interface SqlValueExpr extends ExprBase {
  kind: 'sqlValue';
  op:
    | 'current_date'
    | 'current_time'
    | 'current_timestamp'
    | 'localtime'
    | 'localtimestamp'
    | 'current_role'
    | 'current_user'
    | 'user'
    | 'session_user'
    | 'current_catalog'
    | 'current_schema';
}
/** ctid of the row of `relationOid` that a cursor stands on (WHERE CURRENT OF). */
export interface CurrentOfExpr extends ExprBase {
  kind: 'currentOf';
  cursorName: string;
  relationOid: Oid;
}
/** DEFAULT in VALUES / UPDATE SET; rewritten away before planning. */
export interface DefaultExpr extends ExprBase {
  kind: 'default';
}

export interface AggregateExpr extends ExprBase {
  kind: 'aggregate';
  aggregateOid: Oid;
  directArgs: Expr[];
  args: Expr[];
  orderBy: SortKey[];
  distinct: boolean;
  filter: Expr | null;
  star: boolean;
  variadic: boolean;
  /** Query level the aggregate belongs to, as VarExpr.levelsUp. */
  levelsUp: number;
}
export interface GroupingExpr extends ExprBase {
  kind: 'grouping';
  args: Expr[];
  levelsUp: number;
}
export interface WindowFunctionExpr extends ExprBase {
  kind: 'window';
  functionOid: Oid;
  isAggregate: boolean;
  args: Expr[];
  filter: Expr | null;
  star: boolean /** index into Query.windows */;
  window: number;
}

export interface SubLinkExpr extends ExprBase {
  kind: 'subLink';
  type: 'exists' | 'any' | 'all' | 'scalar' | 'array' | 'rowCompare';
  /** ANY/ALL: comparison over `left` (outer expressions) and the subquery's columns: one operator per column, combined by AND ('=') or OR ('<>'). */
  left: Expr[];
  operatorOids: Oid[];
  /** Operator as written: '=' for IN, '<>' for NOT IN's inner … */
  operatorName: string | null;
  /** Casts of the subquery's columns to what the operators take: expressions over caseTest, one per column (null = none). */
  rightCasts: (Expr | null)[];
  subquery: Query;
}

export type Expr =
  | ConstExpr
  | VarExpr
  | ParamExpr
  | FunctionExpr
  | OperatorExpr
  | DistinctExpr
  | NullIfExpr
  | ArrayOperatorExpr
  | BoolExpr
  | NullTestExpr
  | BooleanTestExpr
  | CaseExpr
  | CaseTestExpr
  | CoalesceExpr
  | MinMaxExpr
  | ArrayExpr
  | RowExpr
  | RowCompareExpr
  | RelabelExpr
  | IoCastExpr
  | ArrayCastExpr
  | DomainCastExpr
  | CollateExpr
  | SubscriptExpr
  | FieldSelectExpr
  | FieldStoreExpr
  | SqlValueExpr
  | CurrentOfExpr
  | DefaultExpr
  | AggregateExpr
  | GroupingExpr
  | WindowFunctionExpr
  | SubLinkExpr;

export interface SortKey {
  expr: Expr;
  /** '<' or '>' operator (or USING's). */
  operatorOid: Oid;
  equalityOid: Oid;
  descending: boolean;
  nullsFirst: boolean;
}

export interface TargetEntry {
  expr: Expr;
  name: string;
  /** Not shown: sort or group helper. */
  junk: boolean;
  /** INSERT/UPDATE: attnum of the target column. */
  targetColumn: number;
  /** Where the column comes from, for RowDescription: table oid and attnum, 0 if computed. */
  originTable: Oid;
  originColumn: number;
}

export interface RangeTableBase {
  alias: string;
  /** Names of its columns as visible (after column aliases), by attribute number - 1 (dropped columns: ''). */
  columnNames: string[];
  columnTypes: { typeOid: Oid; typmod: number; collation: Oid }[];
  lateral: boolean;
  /** True when the query can see it by name (false for the join's hidden inputs, NEW/OLD of later rooms). */
  inFrom: boolean;
}
export interface RelationEntry extends RangeTableBase {
  kind: 'relation';
  relationOid: Oid;
  /** ONLY given. */
  only: boolean;
  lockMode: 'AccessShare' | 'RowShare' | 'RowExclusive';
  /** Privileges this reference needs: checked by the executor at start, cached plans included. asRole 0 = current role; a view's owner inside views. */
  privileges: { privilege: Privilege; columns: number[] }[];
  asRole: Oid;
  sample: { method: string; args: Expr[]; repeatable: Expr | null } | null;
}
export interface SubqueryEntry extends RangeTableBase {
  kind: 'subquery';
  query: Query /** Set when it came from a view. */;
  viewOid: Oid;
  securityBarrier: boolean;
  /** Views only: what the reference to the view itself needs, and as whom (see RelationEntry). */
  privileges?: { privilege: Privilege; columns: number[] }[];
  asRole?: Oid;
}
export interface FunctionEntry extends RangeTableBase {
  kind: 'function';
  /** `columns` is set for a call with a column definition list. */
  functions: {
    expr: Expr;
    columnCount: number;
    columns?: { name: string; typeOid: Oid; typmod: number }[];
  }[];
  ordinality: boolean;
}
export interface ValuesEntry extends RangeTableBase {
  kind: 'values';
  rows: Expr[][];
}
export interface CteEntry extends RangeTableBase {
  kind: 'cte';
  cteName: string /** Query level that owns the CTE. */;
  levelsUp: number;
  selfReference: boolean;
}
/** Output of a JOIN, so that merged USING columns and join aliases can be referenced: each column is an expression over its inputs. */
export interface JoinEntry extends RangeTableBase {
  kind: 'join';
  joinType: JoinType;
  columns: Expr[];
  /** Columns merged by USING or NATURAL, for printing; they come first in `columns`. */
  using?: string[];
  /** JOIN … USING (…) AS name. */
  usingAlias?: string;
}
export type RangeTableEntry =
  | RelationEntry
  | SubqueryEntry
  | FunctionEntry
  | ValuesEntry
  | CteEntry
  | JoinEntry;

export type JoinType = 'inner' | 'left' | 'right' | 'full' | 'cross';

export type FromNode =
  | { kind: 'relationRef'; relation: number }
  | {
      kind: 'join';
      type: JoinType;
      left: FromNode;
      right: FromNode;
      condition: Expr | null /** range table index of its JoinEntry */;
      relation: number;
    };

export interface CommonTable {
  name: string;
  query: Query;
  recursive: boolean;
  materialized: 'default' | 'always' | 'never';
  columnNames: string[];
  columnTypes: { typeOid: Oid; typmod: number; collation: Oid }[];
  references: number;
  /** Number of column names given after the table's name, for printing. */
  aliasCount?: number;
  /** SEARCH … SET; its column follows those of the query in `columnNames`. Columns are counted from 0. */
  search?: { columns: number[]; breadthFirst: boolean; sequenceName: string };
  /** CYCLE … SET … USING: two columns, after that of SEARCH. */
  cycle?: {
    columns: number[];
    markName: string;
    markValue: Expr;
    markDefault: Expr;
    notEqualOperator: Oid;
    notEqualFunction: Oid;
    pathName: string;
  };
}

export interface WindowClause {
  name: string | null;
  /** Window this one was written to extend, for printing (its clauses are merged in already). */
  reference?: string;
  partitionBy: SortKey[];
  orderBy: SortKey[];
  frame: WindowFrame;
}
export interface WindowFrame {
  mode: 'range' | 'rows' | 'groups';
  start: FrameBound;
  end: FrameBound;
  exclude: 'none' | 'current row' | 'group' | 'ties';
  /** Written as BETWEEN … AND …, for printing. */
  between?: boolean;
  /** RANGE offset: in_range support functions. */
  startInRange: Oid;
  endInRange: Oid;
}
export type FrameBound =
  | { kind: 'unboundedPreceding' }
  | { kind: 'unboundedFollowing' }
  | { kind: 'currentRow' }
  | { kind: 'preceding'; offset: Expr }
  | { kind: 'following'; offset: Expr };

export type GroupingSet =
  | { kind: 'empty' }
  | { kind: 'simple'; exprs: number[] }
  | { kind: 'rollup'; sets: number[][] }
  | { kind: 'cube'; sets: number[][] }
  | { kind: 'sets'; content: GroupingSet[] };

export interface RowMark {
  relation: number;
  strength: 'KeyShare' | 'Share' | 'NoKeyUpdate' | 'Update';
  waitPolicy: 'wait' | 'nowait' | 'skip';
}

export type SetOperationNode =
  | { kind: 'leaf' /** index into rangeTable, a subquery entry */; relation: number }
  | {
      kind: 'setOperation';
      op: 'union' | 'intersect' | 'except';
      all: boolean;
      left: SetOperationNode;
      right: SetOperationNode;
      columnTypes: { typeOid: Oid; typmod: number; collation: Oid }[];
      /** Equality/ordering of each column unless ALL. */
      keys: SortKey[];
    };

export interface OnConflict {
  action: 'nothing' | 'update';
  /** Unique indexes chosen by inference or ON CONSTRAINT; empty = any (DO NOTHING only). */
  indexOids: Oid[];
  set: TargetEntry[];
  where: Expr | null;
  /** Range table index of EXCLUDED. */
  excludedRelation: number;
}

/** One optimisable statement. */
export interface Query {
  command: 'select' | 'insert' | 'update' | 'delete' | 'merge';
  commonTables: CommonTable[];
  recursive: boolean;
  rangeTable: RangeTableEntry[];
  /** FROM items, combined by cross join; empty list = one row. For UPDATE/DELETE the target is the first. */
  from: FromNode[];
  where: Expr | null;
  /** SELECT list, INSERT source columns, UPDATE assignments. */
  targets: TargetEntry[];
  groupBy: SortKey[];
  groupingSets: GroupingSet[] | null;
  groupDistinct: boolean;
  having: Expr | null;
  distinct: 'none' | 'all' | 'on';
  /** For DISTINCT ON: the leading keys. For DISTINCT: one per visible target. */
  distinctOn: SortKey[];
  windows: WindowClause[];
  orderBy: SortKey[];
  limit: Expr | null;
  offset: Expr | null;
  withTies: boolean;
  setOperation: SetOperationNode | null;
  rowMarks: RowMark[];
  /** Target relation of DML (index into rangeTable), 0 for SELECT. */
  resultRelation: number;
  returning: TargetEntry[];
  onConflict: OnConflict | null;
  /** UPDATE and DELETE of a view by INSTEAD OF triggers: the view's columns, read from its query in FROM. */
  insteadOldRow?: Expr[];
  overriding: 'none' | 'user' | 'system';
  mergeActions: MergeAction[];
  /** WITH CHECK OPTION of the views a write came through, the innermost first. */
  viewChecks?: ViewCheck[];
  hasAggregates: boolean;
  hasWindowFunctions: boolean;
  hasSubLinks: boolean;
  hasTargetSets: boolean;
  hasModifyingCte: boolean;
  /** After rules were applied: the queries to run one after the other, and which of them counts (-1 = none). */
  ruleQueries?: { queries: Query[]; main: number };
  /** UPDATE and DELETE of a table with children, after rewriting: one query per table, this one being the first. */
  variants?: Query[];
}

/** New rows must satisfy `condition` (over the result relation); null for a cascading view without a WHERE of its own. */
export interface ViewCheck {
  viewName: string;
  condition: Expr | null;
  cascaded: boolean;
}

export interface MergeAction {
  matched: boolean;
  command: 'insert' | 'update' | 'delete' | 'nothing';
  condition: Expr | null;
  targets: TargetEntry[];
}

/** A statement after analysis: something to plan, or a utility command (DDL, SET, COPY …) as the parser gave it. */
export type AnalysedStatement =
  | { kind: 'query'; query: Query; parameterTypes: Oid[] }
  | {
      kind: 'utility' /** libpg_query node name, e.g. 'CreateStmt' */;
      node: string;
      tree: unknown;
      parameterTypes: Oid[];
      /** The analysed statement inside EXPLAIN, DECLARE CURSOR, CREATE TABLE AS, SELECT INTO, COPY (query). */
      inner?: AnalysedStatement;
    };
