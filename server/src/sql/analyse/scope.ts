/**
 * State of analysis: what one statement shares ({@link StatementContext}) and what one query level knows ({@link Scope}).
 *
 * A Scope is made per SELECT level and lives only during analysis. Name look-up walks outward along `parent`, counting levels.
 */
import type { Oid } from '../../base/brands.ts';
import { DbError, internalError } from '../../base/error.ts';
import type {
  CatalogReader,
  RelationDescriptor,
  SearchPath,
  TypeDescriptor,
} from '../../catalog/contract.ts';
import type { FormatContext } from '../../types/contract.ts';
import type { WindowDef } from '../parse/ast.ts';
import type { CommonTable, Expr, Query, RangeTableEntry, WindowClause } from '../tree.ts';
import type { RowField } from './columns.ts';
import type { ParameterTypes } from './parameters.ts';

/** Names that are neither tables nor columns: arguments and variables of a function whose body is analysed. */
export interface NameHook {
  /**
   * What a dotted name means beside columns. `column` is what it means as a column (null = nothing); `isStar` for `name.*`,
   * where `names` leaves the star out. Null = the hook does not know it (then `column` or the error stands).
   * May throw 42702 when both know the name.
   */
  resolve(
    scope: Scope,
    names: readonly string[],
    isStar: boolean,
    position: number | undefined,
    column: Expr | null,
  ): Expr | null;
  /** A table that exists for the function only (transition tables): its rows come from a parameter. */
  relation?(name: string): { value: Expr; relation: RelationDescriptor } | null;
  /** Fields of a value of type record that the hook gave out; null when unknown. */
  fieldsOf(expr: Expr): RowField[] | null;
}

/** What analysis needs beside the raw tree. */
export interface StatementContext {
  readonly catalog: CatalogReader;
  readonly path: SearchPath;
  /** For folding literals; `names` should be `catalog.names(path)`. */
  readonly format: FormatContext;
  readonly parameters: ParameterTypes;
  readonly names?: NameHook;
}

/** Where an expression stands; decides what is allowed in it and how errors name the place. */
export type ExpressionKind =
  | 'other'
  | 'joinOn'
  | 'joinUsing'
  | 'fromSubselect'
  | 'fromFunction'
  | 'where'
  | 'having'
  | 'filter'
  | 'windowPartition'
  | 'windowOrder'
  | 'windowRange'
  | 'windowRows'
  | 'windowGroups'
  | 'selectTarget'
  | 'insertTarget'
  | 'updateSource'
  | 'updateTarget'
  | 'mergeWhen'
  | 'groupBy'
  | 'orderBy'
  | 'distinctOn'
  | 'limit'
  | 'offset'
  | 'returning'
  | 'values'
  | 'valuesSingle'
  | 'check'
  | 'columnDefault'
  | 'functionDefault'
  | 'indexExpression'
  | 'indexPredicate'
  | 'alterTransform'
  | 'executeParameter'
  | 'generated'
  | 'call'
  | 'copyWhere'
  | 'triggerWhen'
  | 'cycleMark';

/** Short name in messages like "aggregate functions are not allowed in WHERE". */
export const KIND_NAME: Readonly<Record<ExpressionKind, string>> = {
  other: 'expression',
  joinOn: 'JOIN/ON',
  joinUsing: 'JOIN/USING',
  fromSubselect: 'sub-SELECT in FROM',
  fromFunction: 'function in FROM',
  where: 'WHERE',
  having: 'HAVING',
  filter: 'FILTER',
  windowPartition: 'window PARTITION BY',
  windowOrder: 'window ORDER BY',
  windowRange: 'window RANGE',
  windowRows: 'window ROWS',
  windowGroups: 'window GROUPS',
  selectTarget: 'SELECT',
  insertTarget: 'INSERT',
  updateSource: 'UPDATE',
  updateTarget: 'UPDATE',
  mergeWhen: 'MERGE WHEN',
  groupBy: 'GROUP BY',
  orderBy: 'ORDER BY',
  distinctOn: 'DISTINCT ON',
  limit: 'LIMIT',
  offset: 'OFFSET',
  returning: 'RETURNING',
  values: 'VALUES',
  valuesSingle: 'VALUES',
  check: 'CHECK',
  columnDefault: 'DEFAULT',
  functionDefault: 'DEFAULT',
  indexExpression: 'index expression',
  indexPredicate: 'index predicate',
  alterTransform: 'USING',
  executeParameter: 'EXECUTE',
  generated: 'GENERATED AS',
  call: 'CALL',
  copyWhere: 'WHERE',
  triggerWhen: 'trigger WHEN',
  cycleMark: 'CYCLE',
};

/** One column as a namespace item shows it: the Var it stands for. */
export interface NamespaceColumn {
  name: string;
  relation: number;
  attribute: number;
  typeOid: Oid;
  typmod: number;
  collation: Oid;
  displayRelation: number;
  displayAttribute: number;
}

/** A table, join or alias that names can refer to. */
export interface NamespaceItem {
  /** Name to qualify with; null for an unaliased join. */
  name: string | null;
  index: number;
  entry: RangeTableEntry;
  columns: NamespaceColumn[];
  isRelationVisible: boolean;
  areColumnsVisible: boolean;
  isLateralOnly: boolean;
  isLateralOk: boolean;
}

/** A CTE while its query level is analysed. `query` is null until it is known (self-reference of a recursive one). */
export interface CommonTableState {
  table: CommonTable;
  isAnalysed: boolean;
  /** Raw query, analysed on its turn. */
  isRecursive: boolean;
  isModifying: boolean;
  hasReturning: boolean;
}

export class Scope {
  readonly context: StatementContext;
  readonly parent: Scope | null;
  rangeTable: RangeTableEntry[] = [];
  namespace: NamespaceItem[] = [];
  commonTables: CommonTableState[] = [];
  /** CTE names declared later in the same WITH, for the hint. */
  futureTables: string[] = [];
  /** The CTE whose query this level is. */
  parentTable: CommonTableState | null = null;
  kind: ExpressionKind = 'other';
  isLateralActive = false;
  /** Unknown-type outputs become text (not in the branches of set operations or INSERT … SELECT). */
  resolveUnknowns = true;
  target: NamespaceItem | null = null;
  hasAggregates = false;
  hasWindowFunctions = false;
  hasSubLinks = false;
  hasTargetSets = false;
  hasModifyingCte = false;
  /** Raw definitions: the WINDOW clause first, then inline OVER (…) ones. */
  windowDefs: WindowDef[] = [];
  /** The last set-returning call seen: tells whether a sub-expression contains one. */
  lastSetReturning: Expr | null = null;
  /** Value stood for by VALUE in a domain's CHECK. */
  domainValue: Expr | null = null;
  /** Assignments without a cast go through text, as in PL/pgSQL. */
  convertsThroughText = false;
  /** FOR UPDATE of an outer level applies to subqueries here. */
  isLockedFromParent = false;

  constructor(context: StatementContext, parent: Scope | null) {
    this.context = context;
    this.parent = parent;
  }

  get catalog(): CatalogReader {
    return this.context.catalog;
  }

  /** A level inside this one. */
  child(): Scope {
    return new Scope(this.context, this);
  }

  addEntry(entry: RangeTableEntry): number {
    this.rangeTable.push(entry);
    return this.rangeTable.length;
  }

  /** The scope `levels` out. */
  outer(levels: number): Scope {
    let scope: Scope | null = this;
    for (let level = 0; level < levels && scope; level++) scope = scope.parent;
    if (!scope) throw internalError('query level out of range');
    return scope;
  }

  typeOf(oid: Oid): TypeDescriptor {
    return typeOf(this.catalog, oid);
  }
}

export function typeOf(catalog: CatalogReader, oid: Oid): TypeDescriptor {
  const type = catalog.type(oid);
  if (!type) throw new DbError('undefined_object', `type with OID ${oid} does not exist`);
  return type;
}

/** An empty query of a command. */
export function emptyQuery(command: Query['command']): Query {
  return {
    command,
    commonTables: [],
    recursive: false,
    rangeTable: [],
    from: [],
    where: null,
    targets: [],
    groupBy: [],
    groupingSets: null,
    groupDistinct: false,
    having: null,
    distinct: 'none',
    distinctOn: [],
    windows: [] as WindowClause[],
    orderBy: [],
    limit: null,
    offset: null,
    withTies: false,
    setOperation: null,
    rowMarks: [],
    resultRelation: 0,
    returning: [],
    onConflict: null,
    overriding: 'none',
    mergeActions: [],
    hasAggregates: false,
    hasWindowFunctions: false,
    hasSubLinks: false,
    hasTargetSets: false,
    hasModifyingCte: false,
  };
}
