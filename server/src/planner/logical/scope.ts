/**
 * Name-free resolution: what each range table entry of a query level gives, and the conversion of tree expressions into
 * expressions over slots. Aggregates and window functions met on the way are collected at the level they belong to.
 */
import { assert, internalError } from '../../base/error.ts';
import type {
  AggregateExpr,
  GroupingExpr,
  Query,
  RowExpr,
  SubLinkExpr,
  WindowFunctionExpr,
} from '../../sql/tree.ts';
import { expressionKey } from '../expression/key.ts';
import { isVolatile } from '../expression/properties.ts';
import { asTree, type LExpr, mapChildren } from '../expression/walk.ts';
import { simplify } from '../rules/simplify.ts';
import { type PlannerState, typeOf } from '../state.ts';
import type { LAggregateCall, LogicalNode, LScan } from './algebra.ts';

/** Result of building a query: its plan and one expression per visible target, over the plan's slots. */
export interface BuiltQuery {
  node: LogicalNode;
  columns: LExpr[];
  /** Only scans, joins and filters: may be merged into the query around it. */
  simple: boolean;
}

/** How Vars of one range table entry resolve. */
export interface Binding {
  node: LogicalNode | null;
  column(attribute: number): LExpr;
  scan: LScan | null;
  /** Not NULL where there is a row: set when an outer join may have none and the whole row is asked for. */
  present?: LExpr;
}

export interface CteBinding {
  /** Gives the node and columns for one more reference. */
  reference(alias: string, names: string[]): BuiltQuery;
}

export interface Scope {
  query: Query;
  parent: Scope | null;
  bindings: (Binding | null)[];
  ctes: Map<string, CteBinding>;
  aggregates: LAggregateCall[];
  aggregateSlots: Map<string, number>;
  groupingCalls: { slot: number; call: GroupingExpr }[];
  windowCalls: Map<number, { slot: number; call: WindowFunctionExpr }[]>;
}

/** What the parts of the builder share; `buildQuery` closes the circle between them. */
export interface BuildContext {
  state: PlannerState;
  buildQuery(query: Query, parent: Scope | null): BuiltQuery;
}

export function newScope(query: Query, parent: Scope | null): Scope {
  return {
    query,
    parent,
    bindings: new Array(query.rangeTable.length + 1).fill(null),
    ctes: new Map(),
    aggregates: [],
    aggregateSlots: new Map(),
    groupingCalls: [],
    windowCalls: new Map(),
  };
}

export function scopeAt(scope: Scope, levelsUp: number): Scope {
  let at: Scope = scope;
  for (let i = 0; i < levelsUp; i++) {
    if (at.parent === null) throw internalError(`no query level ${levelsUp} levels up`);
    at = at.parent;
  }
  return at;
}

/** Converts a tree expression of this scope and simplifies it. */
export function convertExpression(context: BuildContext, scope: Scope, expr: LExpr): LExpr {
  return expr.kind === 'const' ? expr : simplify(context.state, convert(context, scope, expr));
}

function convert(context: BuildContext, scope: Scope, expr: LExpr): LExpr {
  switch (expr.kind) {
    case 'var': {
      const at = scopeAt(scope, expr.levelsUp);
      return resolveColumn(context, at, expr.relation, expr.attribute, expr);
    }
    case 'aggregate':
      return collectAggregate(context, scope, expr);
    case 'grouping':
      return collectGrouping(context, scope, expr);
    case 'window':
      return collectWindow(context, scope, expr);
    case 'subLink':
      return convertSubLink(context, scope, expr);
    default:
      return mapChildren(expr, (child) => convert(context, scope, child));
  }
}

export function resolveColumn(
  context: BuildContext,
  scope: Scope,
  relation: number,
  attribute: number,
  like: LExpr,
): LExpr {
  const binding = bindingOf(context, scope, relation);
  if (attribute !== 0) return binding.column(attribute);
  const entry = scope.query.rangeTable[relation - 1];
  const args: LExpr[] = [];
  const fieldNames: string[] = [];
  entry.columnNames.forEach((name, i) => {
    if (name === '') return;
    args.push(binding.column(i + 1));
    fieldNames.push(name);
  });
  const row: RowExpr = { kind: 'row', args: args.map(asTree), fieldNames, ...typeOf(like) };
  if (binding.present === undefined) return row;
  const boolean = { typeOid: 16, typmod: -1, collation: 0 };
  const condition = {
    kind: 'nullTest' as const,
    arg: asTree(binding.present),
    isNull: false,
    argIsRow: false,
    ...boolean,
  };
  return {
    kind: 'case',
    arg: null,
    whens: [{ condition, result: row }],
    defaultResult: null,
    ...typeOf(like),
  };
}

/** The binding of a range table entry; those of joins are made on first use. */
export function bindingOf(context: BuildContext, scope: Scope, relation: number): Binding {
  const known = scope.bindings[relation];
  if (known !== null && known !== undefined) return known;
  const entry = scope.query.rangeTable[relation - 1];
  assert(
    entry !== undefined && entry.kind === 'join',
    `range table entry ${relation} is referenced before it is built`,
  );
  const columns = new Map<number, LExpr>();
  const binding: Binding = {
    node: null,
    scan: null,
    column(attribute) {
      let expr = columns.get(attribute);
      if (expr === undefined) {
        expr = convertExpression(context, scope, entry.columns[attribute - 1]);
        columns.set(attribute, expr);
      }
      return expr;
    },
  };
  scope.bindings[relation] = binding;
  return binding;
}

function collectAggregate(context: BuildContext, scope: Scope, expr: AggregateExpr): LExpr {
  const at = scopeAt(scope, expr.levelsUp);
  const call = mapChildren(expr, (child) =>
    simplify(context.state, convert(context, scope, child)),
  ) as AggregateExpr;
  const key = expressionKey(call);
  // Two aggregates over random() are two.
  let slot = isVolatile(context.state.catalog, call) ? undefined : at.aggregateSlots.get(key);
  if (slot === undefined) {
    slot = context.state.newSlot(typeOf(expr), { notNull: isCount(context.state, expr) });
    at.aggregateSlots.set(key, slot);
    at.aggregates.push({ slot, call });
  }
  return context.state.slot(slot);
}

function isCount(state: PlannerState, expr: AggregateExpr): boolean {
  return state.catalog.function(expr.aggregateOid)?.name === 'count';
}

function collectGrouping(context: BuildContext, scope: Scope, expr: GroupingExpr): LExpr {
  const at = scopeAt(scope, expr.levelsUp);
  const call = mapChildren(expr, (child) => convert(context, scope, child)) as GroupingExpr;
  const slot = context.state.newSlot(typeOf(expr), { notNull: true });
  at.groupingCalls.push({ slot, call });
  return context.state.slot(slot);
}

function collectWindow(context: BuildContext, scope: Scope, expr: WindowFunctionExpr): LExpr {
  const call = mapChildren(expr, (child) =>
    simplify(context.state, convert(context, scope, child)),
  ) as WindowFunctionExpr;
  const calls = scope.windowCalls.get(expr.window) ?? [];
  scope.windowCalls.set(expr.window, calls);
  const key = expressionKey(call);
  const same = calls.find((item) => expressionKey(item.call) === key);
  if (same !== undefined) return context.state.slot(same.slot);
  const slot = context.state.newSlot(typeOf(expr));
  calls.push({ slot, call });
  return context.state.slot(slot);
}

/**
 * The subquery of an EXISTS, which is asked for rows only: its columns, their order and their being distinct are never computed, unless
 * they decide whether there is a row. As in PostgreSQL, an error in them never shows.
 */
function withoutOutput(query: Query): Query {
  const { limit } = query;
  const isCounted =
    limit !== null && !(limit.kind === 'const' && (limit.value === null || Number(limit.value) > 0));
  if (
    query.command !== 'select' ||
    query.setOperation !== null ||
    query.hasAggregates ||
    query.groupingSets !== null ||
    query.hasWindowFunctions ||
    query.hasTargetSets ||
    query.hasModifyingCte ||
    query.having !== null ||
    query.offset !== null ||
    query.rowMarks.length > 0 ||
    isCounted
  )
    return query;
  return {
    ...query,
    targets: [],
    groupBy: [],
    windows: [],
    distinct: 'none',
    distinctOn: [],
    orderBy: [],
    limit: null,
    withTies: false,
  };
}

function convertSubLink(context: BuildContext, scope: Scope, expr: SubLinkExpr): LExpr {
  const subquery = expr.type === 'exists' ? withoutOutput(expr.subquery) : expr.subquery;
  const built = context.buildQuery(subquery, scope);
  const left = expr.left.map((item) => convertExpression(context, scope, item));
  const right =
    expr.type === 'exists'
      ? []
      : built.columns.map((column, i) => {
          const cast = expr.rightCasts[i];
          if (cast === null || cast === undefined) return column;
          return simplify(context.state, replaceCaseTest(convert(context, scope, cast), column));
        });
  return {
    kind: 'subquery',
    type: expr.type,
    left,
    operatorOids: expr.operatorOids,
    operatorName: expr.operatorName,
    right,
    plan: built.node,
    ...typeOf(expr),
  };
}

function replaceCaseTest(expr: LExpr, value: LExpr): LExpr {
  return expr.kind === 'caseTest' ? value : mapChildren(expr, (child) => replaceCaseTest(child, value));
}
