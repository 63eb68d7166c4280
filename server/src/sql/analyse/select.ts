/** SELECT, VALUES and the entry into subqueries. */
import { DbError, notSupported } from '../../base/error.ts';
import { as, type Node, type SelectStmt, tagOf, type WindowDef } from '../parse/ast.ts';
import type { Expr, Query } from '../tree.ts';
import { containsSetReturning } from '../walk.ts';
import { checkGrouping } from './aggregates.ts';
import {
  transformDistinct,
  transformDistinctOn,
  transformGroupClause,
  transformLimit,
  transformLocking,
  transformSortClause,
  transformWindows,
} from './clauses.ts';
import { coerceToBoolean, coerceToCommonType, selectCommonType, selectCommonTypmod } from './coerce.ts';
import { assignCollations, assignQueryCollations } from './collations.ts';
import { transformWith } from './cte.ts';
import { transformExpr } from './expressions.ts';
import { transformFrom } from './from.ts';
import { exprPosition } from './location.ts';
import { makeItem, valuesEntry } from './range-table.ts';
import { emptyQuery, type Scope } from './scope.ts';
import { analyseSetOperation } from './set-operations.ts';
import {
  expandItem,
  expandStarExprs,
  markOrigins,
  resolveUnknownTargets,
  transformTargetList,
} from './targets.ts';

export interface SubqueryOptions {
  isLocked: boolean;
  resolveUnknowns: boolean;
}

/** Analyses a SELECT one level inside `parent`. */
export function analyseSubquery(parent: Scope, node: Node, options: SubqueryOptions): Query {
  const select = as(node, 'SelectStmt') as SelectStmt | undefined;
  if (!select) throw notSupported(`${tagOf(node)} as a subquery`);
  const scope = parent.child();
  scope.resolveUnknowns = options.resolveUnknowns;
  const query = analyseSelect(scope, select);
  if (options.isLocked) query.rowMarks = query.rowMarks.slice();
  return query;
}

/** Analyses a SELECT whose level `scope` is. */
export function analyseSelect(scope: Scope, select: SelectStmt): Query {
  if (select.intoClause && scope.parent !== null)
    throw new DbError('syntax_error', 'SELECT ... INTO is not allowed here');
  if (select.valuesLists?.length) return analyseValues(scope, select);
  if (select.op !== undefined && select.op !== 'SETOP_NONE') return analyseSetOperation(scope, select);
  return analysePlainSelect(scope, select);
}

function analysePlainSelect(scope: Scope, select: SelectStmt): Query {
  const query = emptyQuery('select');
  if (select.withClause) transformWith(scope, query, select.withClause);
  scope.windowDefs = (select.windowClause ?? []).map((node) => as(node, 'WindowDef') as WindowDef);
  scope.isLockedFromParent = select.lockingClause !== undefined;
  query.from = transformFrom(scope, select.fromClause);
  query.targets = transformTargetList(scope, select.targetList, 'selectTarget');
  markOrigins(scope, query.targets);
  if (select.whereClause)
    query.where = coerceToBoolean(scope, transformExpr(scope, select.whereClause, 'where'), 'WHERE');
  if (select.havingClause)
    query.having = coerceToBoolean(scope, transformExpr(scope, select.havingClause, 'having'), 'HAVING');
  // Before GROUP BY and DISTINCT, which may take over its sort operators.
  query.orderBy = transformSortClause(scope, select.sortClause, query.targets);
  const groups = transformGroupClause(scope, select.groupClause, query.targets, query.orderBy);
  query.groupBy = groups.keys;
  query.groupingSets = groups.sets;
  query.groupDistinct = select.groupDistinct === true;
  if (select.distinctClause) {
    const [first] = select.distinctClause;
    const isOn = first !== undefined && Object.keys(first).length > 0;
    if (isOn) {
      query.distinct = 'on';
      query.distinctOn = transformDistinctOn(scope, select.distinctClause, query.targets, query.orderBy);
    } else {
      query.distinct = 'all';
      query.distinctOn = transformDistinct(scope, query.targets, query.orderBy);
    }
  }
  query.offset = transformLimit(scope, select.limitOffset, 'offset', false);
  const withTies = select.limitOption === 'LIMIT_OPTION_WITH_TIES';
  query.limit = transformLimit(scope, select.limitCount, 'limit', withTies);
  query.withTies = withTies;
  query.windows = transformWindows(scope, query.targets);
  if (scope.resolveUnknowns) resolveUnknownTargets(scope, query.targets);
  finish(scope, query);
  if (select.lockingClause) transformLocking(query, select.lockingClause);
  return query;
}

/** Common end of all query kinds: flags, collations, grouping check. */
export function finish(scope: Scope, query: Query): void {
  query.rangeTable = scope.rangeTable;
  query.hasAggregates = scope.hasAggregates;
  query.hasWindowFunctions = scope.hasWindowFunctions;
  query.hasSubLinks = scope.hasSubLinks;
  query.hasModifyingCte = scope.hasModifyingCte;
  query.hasTargetSets =
    scope.lastSetReturning !== null && query.targets.some((target) => containsSetReturning(target.expr));
  assignQueryCollations(scope, query);
  checkGrouping(scope, query);
}

function analyseValues(scope: Scope, select: SelectStmt): Query {
  const query = emptyQuery('select');
  if (select.withClause) transformWith(scope, query, select.withClause);
  const lists = select.valuesLists ?? [];
  let width = -1;
  const rows: Expr[][] = lists.map((node) => {
    const items = as(node, 'List')?.items ?? [];
    const row = items.flatMap(
      (item) => expandStarExprs(scope, item) ?? [transformExpr(scope, item, 'values')],
    );
    if (width < 0) width = row.length;
    else if (row.length !== width)
      throw new DbError('syntax_error', 'VALUES lists must all be the same length').at(
        row[0] && exprPosition(row[0]),
      );
    return row;
  });
  const columnTypes = [];
  for (let column = 0; column < width; column++) {
    const exprs = rows.map((row) => row[column]);
    const common = selectCommonType(scope, exprs, 'VALUES');
    rows.forEach((row) => {
      row[column] = coerceToCommonType(scope, row[column], common, 'VALUES');
    });
    columnTypes.push({
      typeOid: common,
      typmod: selectCommonTypmod(
        rows.map((row) => row[column]),
        common,
      ),
      collation: scope.typeOf(common).collation,
    });
  }
  for (const row of rows) for (const item of row) assignCollations(scope, item);
  const entry = valuesEntry(scope, rows, columnTypes, true);
  const index = scope.rangeTable.length;
  const item = makeItem(entry, index);
  scope.namespace = [...scope.namespace, item];
  query.from = [{ kind: 'relationRef', relation: index }];
  query.targets = expandItem(scope, item, 0, undefined);
  query.orderBy = transformSortClause(scope, select.sortClause, query.targets);
  query.offset = transformLimit(scope, select.limitOffset, 'offset', false);
  const withTies = select.limitOption === 'LIMIT_OPTION_WITH_TIES';
  query.limit = transformLimit(scope, select.limitCount, 'limit', withTies);
  query.withTies = withTies;
  if (select.lockingClause)
    throw new DbError('feature_not_supported', 'SELECT FOR UPDATE/SHARE cannot be applied to VALUES');
  finish(scope, query);
  return query;
}
