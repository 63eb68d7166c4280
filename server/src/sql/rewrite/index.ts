/**
 * Between analysis and planning: defaults and generated columns are filled in, views become subqueries.
 *
 * The input is kept as it is (stored views, cached analyses); what changes is copied.
 */
import { DbError } from '../../base/error.ts';
import type { CatalogReader } from '../../catalog/contract.ts';
import type { AnalysedStatement, Query } from '../tree.ts';
import { mapChildQueries, mapExpr, mapQueryExprs } from '../walk.ts';
import { fillTargets } from './defaults.ts';
import { expandInheritance, inheritanceVariants } from './inheritance.ts';
import { fireInCommonTable, fireRules } from './rules.ts';
import { expandSearchAndCycle } from './search-cycle.ts';
import { redirectUpdatableView } from './updatable-views.ts';
import { expandViews } from './views.ts';

/** Rewrites a query and all queries inside it. */
export function rewriteQuery(query: Query, catalog: CatalogReader): Query {
  const fired = fireRules(query, catalog);
  if (fired === null) return rewriteLevel(query, catalog, 0);
  const queries = fired.queries.map((item) => rewriteLevel(item, catalog, 0));
  return { ...(queries[fired.main] ?? query), ruleQueries: { queries, main: fired.main } };
}

/** View expansions within view expansions: deeper than this means views that contain each other. */
const VIEW_DEPTH_MAX = 200;

function rewriteLevel(query: Query, catalog: CatalogReader, depth: number): Query {
  let result = query;
  if (result.commonTables.some((table) => table.query.resultRelation > 0))
    result = {
      ...result,
      commonTables: result.commonTables.map((table) =>
        table.query.resultRelation > 0 ? { ...table, query: fireInCommonTable(table.query, catalog) } : table,
      ),
    };
  if (result.resultRelation > 0) {
    result = redirectUpdatableView(result, catalog);
    const variants = inheritanceVariants(result, catalog);
    if (variants !== null && variants.length > 0) {
      const rewritten = variants.map((variant) => rewriteLevel(variant, catalog, depth));
      return { ...rewritten[0]!, variants: rewritten };
    }
    result = fillTargets(result, catalog);
  }
  if (result.commonTables.some((table) => table.search || table.cycle))
    result = {
      ...result,
      commonTables: result.commonTables.map((table) => expandSearchAndCycle(table, catalog)),
    };
  result = expandViews(result, catalog, (view) => {
    if (depth >= VIEW_DEPTH_MAX)
      throw new DbError('invalid_object_definition', 'infinite recursion detected in rules for views');
    return rewriteLevel(view, catalog, depth + 1);
  });
  result = expandInheritance(result, catalog);
  result = mapChildQueries(result, (child) =>
    expanded.has(child) ? child : rewriteLevel(child, catalog, depth),
  );
  if (!result.hasSubLinks) return result;
  return mapQueryExprs(result, (expr) =>
    mapExpr(expr, (node) => {
      if (node.kind !== 'subLink') return undefined;
      const subquery = rewriteLevel(node.subquery, catalog, depth);
      const left = node.left.map((item) => mapSubLinks(item, catalog, depth));
      return { ...node, left, subquery };
    }),
  );
}

function mapSubLinks(
  expr: Query['targets'][number]['expr'],
  catalog: CatalogReader,
  depth: number,
): typeof expr {
  return mapExpr(expr, (node) =>
    node.kind === 'subLink' ? { ...node, subquery: rewriteLevel(node.subquery, catalog, depth) } : undefined,
  );
}

/** Queries that came out of view expansion in this process and are rewritten already. */
const expanded = new WeakSet<Query>();

/** Marks a query as done, so that the walk over child queries leaves it alone. */
export function markExpanded(query: Query): Query {
  expanded.add(query);
  return query;
}

/** Rewrites the query of an analysed statement, that inside a utility statement included. */
export function rewriteStatement(statement: AnalysedStatement, catalog: CatalogReader): AnalysedStatement {
  if (statement.kind === 'query') return { ...statement, query: rewriteQuery(statement.query, catalog) };
  return statement.inner ? { ...statement, inner: rewriteStatement(statement.inner, catalog) } : statement;
}
