/** Aggregates and window calls: which query level they belong to, where they may stand, and which columns must be grouped. */

import type { Oid } from '../../base/brands.ts';
import { DbError, internalError } from '../../base/error.ts';
import type { FunctionDescriptor } from '../../catalog/contract.ts';
import { equalExpr } from '../equal.ts';
import { as, type FuncCall, positionOf, type SortBy, type WindowDef } from '../parse/ast.ts';
import type {
  AggregateExpr,
  Expr,
  GroupingExpr,
  GroupingSet,
  Query,
  SortKey,
  WindowFunctionExpr,
} from '../tree.ts';
import { forEachChild, forEachChildQuery, forEachQueryExpr, walkExpr } from '../walk.ts';
import { makeSortKey } from './clauses.ts';
import { coerceType } from './coerce.ts';
import { systemColumnName } from './columns.ts';
import { transformExpr } from './expressions.ts';
import type { CallParts } from './functions.ts';
import { exprPosition } from './location.ts';
import { TEXT, UNKNOWN } from './oids.ts';
import { sortOperators } from './operators.ts';
import { KIND_NAME, type Scope } from './scope.ts';

/** Completes a call of an aggregate (not as a window function). */
export function finishAggregate(
  scope: Scope,
  call: FuncCall,
  descriptor: FunctionDescriptor,
  args: Expr[],
  returnType: Oid,
  parts: CallParts,
  isVariadic: boolean,
  position: number | undefined,
): AggregateExpr {
  const kind = descriptor.aggregate?.kind ?? 'n';
  let directArgs: Expr[] = [];
  let aggregated = args;
  let orderBy: SortKey[] = [];
  if (kind !== 'n') {
    // VARIADIC "any" direct arguments are in the list as they came; the ordered ones are last.
    const directCount = args.length - parts.orderedCount;
    directArgs = args.slice(0, directCount);
    aggregated = args.slice(directCount);
    orderBy = (call.agg_order ?? []).map((node, index) =>
      makeSortKey(scope, aggregated[index], as(node, 'SortBy') as SortBy),
    );
  } else if (call.agg_order?.length) {
    const savedKind = scope.kind;
    scope.kind = 'orderBy';
    orderBy = call.agg_order.map((node) => {
      const sortBy = as(node, 'SortBy') as SortBy;
      const expr = transformExpr(scope, sortBy.node!);
      return makeSortKey(scope, aggregated.find((arg) => equalExpr(arg, expr)) ?? expr, sortBy);
    });
    scope.kind = savedKind;
  }
  if (call.agg_distinct) {
    if (aggregated.length === 0)
      throw new DbError('syntax_error', 'DISTINCT specified, but the aggregate has no arguments').at(
        position,
      );
    aggregated = aggregated.map((arg) =>
      arg.typeOid === UNKNOWN
        ? coerceType(scope, arg, UNKNOWN, TEXT, -1, 'implicit', 'implicitCast', exprPosition(arg))
        : arg,
    );
    for (const arg of aggregated) sortOperators(scope, arg.typeOid, 'equal', exprPosition(arg));
    for (const key of orderBy)
      if (!aggregated.some((arg) => equalExpr(arg, key.expr)))
        throw new DbError(
          'invalid_column_reference',
          'in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list',
        ).at(exprPosition(key.expr));
  }
  const node: AggregateExpr = {
    kind: 'aggregate',
    aggregateOid: descriptor.oid,
    directArgs,
    args: aggregated,
    orderBy,
    distinct: call.agg_distinct === true,
    filter: parts.filter,
    star: call.agg_star === true,
    variadic: isVariadic,
    levelsUp: 0,
    typeOid: returnType,
    typmod: -1,
    collation: 0,
    position,
  };
  node.levelsUp = levelOf(
    [...aggregated, ...orderBy.map((key) => key.expr), ...(parts.filter ? [parts.filter] : [])],
    directArgs,
    position,
  );
  const owner = scope.outer(node.levelsUp);
  owner.hasAggregates = true;
  checkAggregatePlace(owner, 'aggregate functions', position);
  return node;
}

/** GROUPING(…): like an aggregate as far as levels go. */
export function finishGrouping(scope: Scope, args: Expr[], position: number | undefined): GroupingExpr {
  if (args.length > 31)
    throw new DbError('too_many_arguments', 'GROUPING must have fewer than 32 arguments').at(position);
  const levelsUp = levelOf(args, [], position);
  const owner = scope.outer(levelsUp);
  owner.hasAggregates = true;
  checkAggregatePlace(owner, 'grouping operations', position);
  return { kind: 'grouping', args, levelsUp, typeOid: 23, typmod: -1, collation: 0, position };
}

function levelOf(args: readonly Expr[], directArgs: readonly Expr[], position?: number): number {
  let minVarLevel = -1;
  let minAggregateLevel = -1;
  let nested: Expr | null = null;
  const visit = (expr: Expr, depth: number): boolean => {
    if (expr.kind === 'var') {
      const level = expr.levelsUp - depth;
      if (level >= 0 && (minVarLevel < 0 || level < minVarLevel)) minVarLevel = level;
      return false;
    }
    if (expr.kind === 'aggregate' || expr.kind === 'grouping') {
      const level = expr.levelsUp - depth;
      if (level >= 0 && (minAggregateLevel < 0 || level < minAggregateLevel)) {
        minAggregateLevel = level;
        nested = expr;
      }
      return false;
    }
    if (depth === 0) {
      if ((expr.kind === 'function' || expr.kind === 'operator') && expr.returnsSet)
        throw new DbError(
          'feature_not_supported',
          'aggregate function calls cannot contain set-returning function calls',
          { hint: 'You might be able to move the set-returning function into a LATERAL FROM item.' },
        ).at(expr.position);
      if (expr.kind === 'window')
        throw new DbError(
          'grouping_error',
          'aggregate function calls cannot contain window function calls',
        ).at(expr.position);
    }
    return true;
  };
  for (const arg of args) walkExpr(arg, visit);
  let level: number;
  if (minVarLevel < 0) level = Math.max(minAggregateLevel, 0);
  else level = minAggregateLevel < 0 ? minVarLevel : Math.min(minVarLevel, minAggregateLevel);
  if (level === minAggregateLevel && nested !== null)
    throw new DbError('grouping_error', 'aggregate function calls cannot be nested').at(
      (nested as Expr).position ?? position,
    );
  minVarLevel = -1;
  minAggregateLevel = -1;
  for (const arg of directArgs) walkExpr(arg, visit);
  if (minVarLevel >= 0 && minVarLevel < level)
    throw new DbError(
      'grouping_error',
      'outer-level aggregate cannot contain a lower-level variable in its direct arguments',
    ).at(position);
  if (minAggregateLevel >= 0 && minAggregateLevel <= level)
    throw new DbError('grouping_error', 'aggregate function calls cannot be nested').at(position);
  return level;
}

function checkAggregatePlace(owner: Scope, what: string, position: number | undefined): void {
  const fail = (message: string): DbError => new DbError('grouping_error', message).at(position);
  switch (owner.kind) {
    case 'other':
    case 'having':
    case 'selectTarget':
    case 'orderBy':
    case 'distinctOn':
    case 'windowPartition':
    case 'windowOrder':
      return;
    case 'joinOn':
    case 'joinUsing':
      throw fail(`${what} are not allowed in JOIN conditions`);
    case 'fromSubselect':
      throw fail(`${what} are not allowed in FROM clause of their own query level`);
    case 'fromFunction':
      throw fail(`${what} are not allowed in functions in FROM`);
    case 'windowRange':
      throw fail(`${what} are not allowed in window RANGE`);
    case 'windowRows':
      throw fail(`${what} are not allowed in window ROWS`);
    case 'windowGroups':
      throw fail(`${what} are not allowed in window GROUPS`);
    case 'mergeWhen':
      throw fail(`${what} are not allowed in MERGE WHEN conditions`);
    case 'check':
      throw fail(`${what} are not allowed in check constraints`);
    case 'columnDefault':
    case 'functionDefault':
      throw fail(`${what} are not allowed in DEFAULT expressions`);
    case 'indexExpression':
      throw fail(`${what} are not allowed in index expressions`);
    case 'indexPredicate':
      throw fail(`${what} are not allowed in index predicates`);
    case 'alterTransform':
      throw fail(`${what} are not allowed in transform expressions`);
    case 'executeParameter':
      throw fail(`${what} are not allowed in EXECUTE parameters`);
    case 'generated':
      throw fail(`${what} are not allowed in column generation expressions`);
    case 'call':
      throw fail(`${what} are not allowed in CALL arguments`);
    case 'copyWhere':
      throw fail(`${what} are not allowed in COPY FROM WHERE conditions`);
    default:
      throw fail(`${what} are not allowed in ${KIND_NAME[owner.kind]}`);
  }
}

/** Completes a call with OVER. */
export function finishWindowCall(
  scope: Scope,
  call: FuncCall,
  descriptor: FunctionDescriptor,
  args: Expr[],
  returnType: Oid,
  parts: CallParts,
  position: number | undefined,
): WindowFunctionExpr {
  const unsupported = (message: string): DbError =>
    new DbError('feature_not_supported', message).at(position);
  const isAggregate = descriptor.kind === 'a';
  if (call.agg_distinct) throw unsupported('DISTINCT is not implemented for window functions');
  if (isAggregate && args.length === 0 && !call.agg_star)
    throw new DbError(
      'wrong_object_type',
      `${descriptor.name}(*) must be used to call a parameterless aggregate function`,
    ).at(position);
  if (call.agg_order?.length) throw unsupported('aggregate ORDER BY is not implemented for window functions');
  if (!isAggregate && parts.filter)
    throw unsupported('FILTER is not implemented for non-aggregate window functions');
  if (descriptor.returnsSet)
    throw new DbError('invalid_function_definition', 'window functions cannot return sets').at(position);
  checkWindowPlace(scope, position);
  for (const arg of args)
    walkExpr(arg, (expr, depth) => {
      if (depth === 0 && expr.kind === 'window')
        throw new DbError('windowing_error', 'window function calls cannot be nested').at(expr.position);
      if (depth === 0 && (expr.kind === 'function' || expr.kind === 'operator') && expr.returnsSet)
        throw new DbError(
          'feature_not_supported',
          'window function calls cannot contain set-returning function calls',
          { hint: 'You might be able to move the set-returning function into a LATERAL FROM item.' },
        ).at(expr.position);
    });
  scope.hasWindowFunctions = true;
  return {
    kind: 'window',
    functionOid: descriptor.oid,
    isAggregate,
    args,
    filter: parts.filter,
    star: call.agg_star === true,
    window: windowIndex(scope, call.over!),
    typeOid: returnType,
    typmod: -1,
    collation: 0,
    position,
  };
}

function checkWindowPlace(scope: Scope, position: number | undefined): void {
  const fail = (message: string): DbError => new DbError('windowing_error', message).at(position);
  switch (scope.kind) {
    case 'other':
    case 'selectTarget':
    case 'orderBy':
    case 'distinctOn':
      return;
    case 'joinOn':
    case 'joinUsing':
      throw fail('window functions are not allowed in JOIN conditions');
    case 'fromFunction':
      throw fail('window functions are not allowed in functions in FROM');
    case 'windowPartition':
    case 'windowOrder':
    case 'windowRange':
    case 'windowRows':
    case 'windowGroups':
      throw fail('window functions are not allowed in window definitions');
    case 'mergeWhen':
      throw fail('window functions are not allowed in MERGE WHEN conditions');
    case 'check':
      throw fail('window functions are not allowed in check constraints');
    case 'columnDefault':
    case 'functionDefault':
      throw fail('window functions are not allowed in DEFAULT expressions');
    case 'indexExpression':
      throw fail('window functions are not allowed in index expressions');
    case 'indexPredicate':
      throw fail('window functions are not allowed in index predicates');
    case 'alterTransform':
      throw fail('window functions are not allowed in transform expressions');
    case 'executeParameter':
      throw fail('window functions are not allowed in EXECUTE parameters');
    case 'generated':
      throw fail('window functions are not allowed in column generation expressions');
    case 'call':
      throw fail('window functions are not allowed in CALL arguments');
    case 'copyWhere':
      throw fail('window functions are not allowed in COPY FROM WHERE conditions');
    default:
      throw fail(`window functions are not allowed in ${KIND_NAME[scope.kind]}`);
  }
}

/** Text of a raw tree without positions, to see two OVER clauses as one. */
function shapeOf(node: unknown): string {
  return JSON.stringify(node, (key, value) => (key === 'location' ? undefined : value)) ?? '';
}

function windowIndex(scope: Scope, definition: WindowDef): number {
  const { windowDefs } = scope;
  if (definition.name) {
    const index = windowDefs.findIndex((item) => item.name === definition.name);
    if (index < 0)
      throw new DbError('undefined_object', `window "${definition.name}" does not exist`).at(
        positionOf(definition.location),
      );
    return index;
  }
  const shape = shapeOf(definition);
  const index = windowDefs.findIndex((item) => !item.name && shapeOf(item) === shape);
  if (index >= 0) return index;
  windowDefs.push(definition);
  return windowDefs.length - 1;
}

/** Checks that outside of aggregates only grouped expressions are used (parse-time rule of GROUP BY). */
export function checkGrouping(scope: Scope, query: Query): void {
  if (!scope.hasAggregates && query.groupBy.length === 0 && !query.having && !query.groupingSets) return;
  const groups = query.groupBy.map((key) => key.expr);
  const inAllSets = query.groupingSets
    ? query.groupingSets.flatMap(commonItems).map((index) => groups[index])
    : groups;
  const dependentRelations = new Map<number, boolean>();

  const isFunctionallyDependent = (relation: number): boolean => {
    const known = dependentRelations.get(relation);
    if (known !== undefined) return known;
    const entry = query.rangeTable[relation - 1];
    let result = false;
    if (entry.kind === 'relation') {
      const descriptor = scope.catalog.relation(entry.relationOid);
      const primary = descriptor?.constraints.find((item) => item.kind === 'p' && !item.deferrable);
      if (primary)
        result = primary.columns.every((attribute) =>
          inAllSets.some(
            (group) =>
              group.kind === 'var' &&
              group.levelsUp === 0 &&
              group.relation === relation &&
              group.attribute === attribute,
          ),
        );
    }
    dependentRelations.set(relation, result);
    return result;
  };

  const check = (expr: Expr, depth: number): void => {
    if (expr.kind === 'const' || expr.kind === 'param') return;
    if (expr.kind === 'aggregate') {
      if (expr.levelsUp === depth) {
        for (const arg of expr.directArgs) checkDirect(arg, depth);
        return;
      }
      if (expr.levelsUp > depth) return;
    }
    if (expr.kind === 'grouping') {
      if (expr.levelsUp === depth) {
        for (const arg of expr.args)
          if (!groups.some((group) => equalExpr(group, shiftDown(arg, depth))))
            throw new DbError(
              'grouping_error',
              'arguments to GROUPING must be grouping expressions of the associated query level',
            ).at(exprPosition(arg));
        return;
      }
      if (expr.levelsUp > depth) return;
    }
    if (depth === 0 && groups.some((group) => equalExpr(group, expr))) return;
    if (expr.kind === 'var') {
      if (expr.levelsUp !== depth) return;
      const isGrouped = groups.some(
        (group) =>
          group.kind === 'var' &&
          group.levelsUp === 0 &&
          group.relation === expr.relation &&
          group.attribute === expr.attribute,
      );
      if (isGrouped || isFunctionallyDependent(expr.relation)) return;
      throw ungrouped(query, expr.relation, expr.attribute, depth).at(expr.position);
    }
    forEachChild(expr, (child) => check(child, depth));
    if (expr.kind === 'subLink') checkQuery(expr.subquery, depth + 1);
  };
  const checkQuery = (inner: Query, depth: number): void => {
    forEachQueryExpr(inner, (expr) => check(expr, depth));
    forEachChildQuery(inner, (child) => checkQuery(child, depth + 1));
  };
  const checkDirect = (expr: Expr, depth: number): void => {
    try {
      check(expr, depth);
    } catch (error) {
      if (error instanceof DbError && error.code === '42803' && !error.fields.detail)
        throw new DbError('grouping_error', error.message, {
          ...error.fields,
          detail: 'Direct arguments of an ordered-set aggregate must use only grouped columns.',
        });
      throw error;
    }
  };
  const checkGroupingCalls = (root: Expr): void =>
    walkExpr(root, (expr, depth) => {
      if (expr.kind === 'grouping' && expr.levelsUp === depth) check(expr, depth);
    });
  for (const target of query.targets) checkGroupingCalls(target.expr);
  if (query.having) checkGroupingCalls(query.having);
  for (const target of query.targets) check(target.expr, 0);
  if (query.having) check(query.having, 0);
  for (const window of query.windows) {
    for (const key of window.partitionBy) check(key.expr, 0);
    for (const key of window.orderBy) check(key.expr, 0);
  }
}

/** Items of GROUP BY that every set of this element has. */
function commonItems(set: GroupingSet): number[] {
  switch (set.kind) {
    case 'simple':
      return set.exprs;
    case 'sets': {
      const [first, ...others] = set.content.map(commonItems);
      return (first ?? []).filter((index) => others.every((other) => other.includes(index)));
    }
    default:
      return [];
  }
}

function shiftDown(expr: Expr, depth: number): Expr {
  return expr.kind === 'var' && depth > 0 ? { ...expr, levelsUp: expr.levelsUp - depth } : expr;
}

function ungrouped(query: Query, relation: number, attribute: number, depth: number): DbError {
  const entry = query.rangeTable[relation - 1];
  if (!entry) throw internalError('column of an unknown range table entry');
  const column =
    attribute > 0 ? entry.columnNames[attribute - 1] : attribute < 0 ? systemColumnName(attribute) : '*';
  const name = `${entry.alias}.${column}`;
  return new DbError(
    'grouping_error',
    depth === 0
      ? `column "${name}" must appear in the GROUP BY clause or be used in an aggregate function`
      : `subquery uses ungrouped column "${name}" from outer query`,
  );
}
