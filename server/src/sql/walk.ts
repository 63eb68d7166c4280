/**
 * Generic traversal of the typed tree. One place knows which fields of which node hold children; everything else
 * (rules, search for aggregates, substitution of columns) is built on the four primitives here:
 *
 * - {@link forEachChild} / {@link mapChildren}: direct child expressions of an expression, not entering subqueries;
 * - {@link forEachQueryExpr} / {@link mapQueryExprs}: the expressions a query owns directly.
 *
 * Trees are treated as immutable: `map…` functions share what did not change and copy what did.
 * `depth` counts query levels entered: a Var with `levelsUp === depth` belongs to the level where the walk began.
 * Node kinds unknown here (the planner's slots) are leaves.
 */
import type { CommonTable, Expr, FromNode, Query, RangeTableEntry, SortKey, TargetEntry } from './tree.ts';

/** Calls `visit` for each direct child expression. Subqueries of sublinks are not entered (their `left` is). */
export function forEachChild(expr: Expr, visit: (child: Expr) => void): void {
  switch (expr.kind) {
    case 'const':
    case 'var':
    case 'param':
    case 'caseTest':
    case 'sqlValue':
    case 'currentOf':
    case 'default':
      return;
    case 'function':
    case 'operator':
    case 'distinct':
    case 'nullif':
    case 'arrayOperator':
    case 'bool':
    case 'coalesce':
    case 'minmax':
    case 'row':
    case 'grouping':
      for (const arg of expr.args) visit(arg);
      return;
    case 'nullTest':
    case 'booleanTest':
    case 'relabel':
    case 'ioCast':
    case 'domainCast':
    case 'collate':
    case 'fieldSelect':
      visit(expr.arg);
      return;
    case 'arrayCast':
      visit(expr.arg);
      visit(expr.element);
      return;
    case 'case':
      if (expr.arg) visit(expr.arg);
      for (const when of expr.whens) {
        visit(when.condition);
        visit(when.result);
      }
      if (expr.defaultResult) visit(expr.defaultResult);
      return;
    case 'array':
      for (const element of expr.elements) visit(element);
      return;
    case 'rowCompare':
      for (const item of expr.left) visit(item);
      for (const item of expr.right) visit(item);
      return;
    case 'subscript':
      visit(expr.arg);
      for (const item of expr.upper) if (item) visit(item);
      if (expr.lower) for (const item of expr.lower) if (item) visit(item);
      if (expr.assignment) visit(expr.assignment);
      return;
    case 'fieldStore':
      visit(expr.arg);
      for (const item of expr.values) visit(item);
      return;
    case 'aggregate':
      for (const item of expr.directArgs) visit(item);
      for (const item of expr.args) visit(item);
      for (const key of expr.orderBy) visit(key.expr);
      if (expr.filter) visit(expr.filter);
      return;
    case 'window':
      for (const item of expr.args) visit(item);
      if (expr.filter) visit(expr.filter);
      return;
    case 'subLink':
      for (const item of expr.left) visit(item);
      for (const item of expr.rightCasts) if (item) visit(item);
      return;
  }
}

function mapList<T>(list: readonly T[], map: (item: T) => T): T[] {
  let result: T[] | null = null;
  for (let index = 0; index < list.length; index++) {
    const mapped = map(list[index]);
    if (result) result.push(mapped);
    else if (mapped !== list[index]) {
      result = list.slice(0, index);
      result.push(mapped);
    }
  }
  return result ?? (list as T[]);
}

function mapNullable(map: (expr: Expr) => Expr): (expr: Expr | null) => Expr | null {
  return (expr) => (expr === null ? null : map(expr));
}

export function mapSortKeys(keys: readonly SortKey[], map: (expr: Expr) => Expr): SortKey[] {
  return mapList(keys, (key) => {
    const expr = map(key.expr);
    return expr === key.expr ? key : { ...key, expr };
  });
}

export function mapTargets(targets: readonly TargetEntry[], map: (expr: Expr) => Expr): TargetEntry[] {
  return mapList(targets, (target) => {
    const expr = map(target.expr);
    return expr === target.expr ? target : { ...target, expr };
  });
}

/** Replaces the direct children by `map(child)`; returns the same object when nothing changed. Subqueries are kept. */
export function mapChildren(expr: Expr, map: (child: Expr) => Expr): Expr {
  switch (expr.kind) {
    case 'const':
    case 'var':
    case 'param':
    case 'caseTest':
    case 'sqlValue':
    case 'currentOf':
    case 'default':
      return expr;
    case 'function':
    case 'operator':
    case 'distinct':
    case 'nullif':
    case 'arrayOperator':
    case 'bool':
    case 'coalesce':
    case 'minmax':
    case 'row':
    case 'grouping': {
      const args = mapList<Expr>(expr.args, map);
      return args === expr.args ? expr : ({ ...expr, args } as Expr);
    }
    case 'nullTest':
    case 'booleanTest':
    case 'relabel':
    case 'ioCast':
    case 'domainCast':
    case 'collate':
    case 'fieldSelect': {
      const arg = map(expr.arg);
      return arg === expr.arg ? expr : { ...expr, arg };
    }
    case 'arrayCast': {
      const arg = map(expr.arg);
      const element = map(expr.element);
      return arg === expr.arg && element === expr.element ? expr : { ...expr, arg, element };
    }
    case 'case': {
      const arg = expr.arg ? map(expr.arg) : null;
      const whens = mapList(expr.whens, (when) => {
        const condition = map(when.condition);
        const result = map(when.result);
        return condition === when.condition && result === when.result ? when : { condition, result };
      });
      const defaultResult = expr.defaultResult ? map(expr.defaultResult) : null;
      return arg === expr.arg && whens === expr.whens && defaultResult === expr.defaultResult
        ? expr
        : { ...expr, arg, whens, defaultResult };
    }
    case 'array': {
      const elements = mapList(expr.elements, map);
      return elements === expr.elements ? expr : { ...expr, elements };
    }
    case 'rowCompare': {
      const left = mapList(expr.left, map);
      const right = mapList(expr.right, map);
      return left === expr.left && right === expr.right ? expr : { ...expr, left, right };
    }
    case 'subscript': {
      const arg = map(expr.arg);
      const upper = mapList(expr.upper, mapNullable(map));
      const lower = expr.lower ? mapList(expr.lower, mapNullable(map)) : null;
      const assignment = expr.assignment ? map(expr.assignment) : null;
      return arg === expr.arg &&
        upper === expr.upper &&
        lower === expr.lower &&
        assignment === expr.assignment
        ? expr
        : { ...expr, arg, upper, lower, assignment };
    }
    case 'fieldStore': {
      const arg = map(expr.arg);
      const values = mapList(expr.values, map);
      return arg === expr.arg && values === expr.values ? expr : { ...expr, arg, values };
    }
    case 'aggregate': {
      const directArgs = mapList(expr.directArgs, map);
      const args = mapList(expr.args, map);
      const orderBy = mapSortKeys(expr.orderBy, map);
      const filter = expr.filter ? map(expr.filter) : null;
      return directArgs === expr.directArgs &&
        args === expr.args &&
        orderBy === expr.orderBy &&
        filter === expr.filter
        ? expr
        : { ...expr, directArgs, args, orderBy, filter };
    }
    case 'window': {
      const args = mapList(expr.args, map);
      const filter = expr.filter ? map(expr.filter) : null;
      return args === expr.args && filter === expr.filter ? expr : { ...expr, args, filter };
    }
    case 'subLink': {
      const left = mapList(expr.left, map);
      const rightCasts = mapList(expr.rightCasts, mapNullable(map));
      return left === expr.left && rightCasts === expr.rightCasts ? expr : { ...expr, left, rightCasts };
    }
    default:
      return expr;
  }
}

/** Expression visitor: return false to skip the node's children. */
export type ExprVisitor = (expr: Expr, depth: number) => unknown;

/** Visits `expr` and all below, pre-order, subqueries of sublinks included (with depth + 1). */
export function walkExpr(expr: Expr, visit: ExprVisitor, depth = 0): void {
  if (visit(expr, depth) === false) return;
  forEachChild(expr, (child) => walkExpr(child, visit, depth));
  if (expr.kind === 'subLink') walkQuery(expr.subquery, visit, depth + 1);
}

/** Visits every expression of the query and of all queries inside it (range table, CTEs, sublinks: depth + 1). */
export function walkQuery(query: Query, visit: ExprVisitor, depth = 0): void {
  forEachQueryExpr(query, (expr) => walkExpr(expr, visit, depth));
  forEachChildQuery(query, (child) => walkQuery(child, visit, depth + 1));
}

/** Direct child queries: CTEs and subqueries in the range table (those in sublinks hang on expressions). */
export function forEachChildQuery(query: Query, visit: (child: Query) => void): void {
  for (const table of query.commonTables) visit(table.query);
  for (const entry of query.rangeTable) if (entry.kind === 'subquery') visit(entry.query);
}

function fromExprs(node: FromNode, visit: (expr: Expr) => void): void {
  if (node.kind !== 'join') return;
  fromExprs(node.left, visit);
  fromExprs(node.right, visit);
  if (node.condition) visit(node.condition);
}

/** Calls `visit` for the root of every expression the query owns directly (not those of child queries). */
export function forEachQueryExpr(query: Query, visit: (expr: Expr) => void): void {
  for (const entry of query.rangeTable) {
    switch (entry.kind) {
      case 'relation':
        if (entry.sample) {
          for (const arg of entry.sample.args) visit(arg);
          if (entry.sample.repeatable) visit(entry.sample.repeatable);
        }
        break;
      case 'function':
        for (const item of entry.functions) visit(item.expr);
        break;
      case 'values':
        for (const row of entry.rows) for (const item of row) visit(item);
        break;
      case 'join':
        for (const item of entry.columns) visit(item);
        break;
      case 'subquery':
      case 'cte':
        break;
    }
  }
  for (const node of query.from) fromExprs(node, visit);
  if (query.where) visit(query.where);
  for (const target of query.targets) visit(target.expr);
  for (const key of query.groupBy) visit(key.expr);
  if (query.having) visit(query.having);
  for (const key of query.distinctOn) visit(key.expr);
  for (const window of query.windows) {
    for (const key of window.partitionBy) visit(key.expr);
    for (const key of window.orderBy) visit(key.expr);
    for (const bound of [window.frame.start, window.frame.end]) {
      if (bound.kind === 'preceding' || bound.kind === 'following') visit(bound.offset);
    }
  }
  for (const key of query.orderBy) visit(key.expr);
  if (query.limit) visit(query.limit);
  if (query.offset) visit(query.offset);
  for (const target of query.returning) visit(target.expr);
  for (const expr of query.insteadOldRow ?? []) visit(expr);
  if (query.onConflict) {
    for (const target of query.onConflict.set) visit(target.expr);
    if (query.onConflict.where) visit(query.onConflict.where);
  }
  for (const check of query.viewChecks ?? []) if (check.condition) visit(check.condition);
  for (const action of query.mergeActions) {
    if (action.condition) visit(action.condition);
    for (const target of action.targets) visit(target.expr);
  }
}

/** Expression mutator: return an expression to use it as it is (no descent), undefined to descend. */
export type ExprMapper = (expr: Expr, depth: number) => Expr | undefined;

/** Rewrites `expr` top-down; enters subqueries of sublinks with depth + 1. */
export function mapExpr(expr: Expr, map: ExprMapper, depth = 0): Expr {
  const replaced = map(expr, depth);
  if (replaced !== undefined) return replaced;
  const mapped = mapChildren(expr, (child) => mapExpr(child, map, depth));
  if (mapped.kind === 'subLink') {
    const subquery = mapQuery(mapped.subquery, map, depth + 1);
    if (subquery !== mapped.subquery) return { ...mapped, subquery };
  }
  return mapped;
}

function mapFrom(node: FromNode, map: (expr: Expr) => Expr): FromNode {
  if (node.kind !== 'join') return node;
  const left = mapFrom(node.left, map);
  const right = mapFrom(node.right, map);
  const condition = node.condition ? map(node.condition) : null;
  return left === node.left && right === node.right && condition === node.condition
    ? node
    : { ...node, left, right, condition };
}

/** Replaces every expression root the query owns directly; child queries are kept. */
export function mapQueryExprs(query: Query, map: (expr: Expr) => Expr): Query {
  const rangeTable = mapList<RangeTableEntry>(query.rangeTable, (entry) => {
    switch (entry.kind) {
      case 'relation': {
        if (!entry.sample) return entry;
        const args = mapList(entry.sample.args, map);
        const repeatable = entry.sample.repeatable ? map(entry.sample.repeatable) : null;
        return args === entry.sample.args && repeatable === entry.sample.repeatable
          ? entry
          : { ...entry, sample: { ...entry.sample, args, repeatable } };
      }
      case 'function': {
        const functions = mapList(entry.functions, (item) => {
          const expr = map(item.expr);
          return expr === item.expr ? item : { ...item, expr };
        });
        return functions === entry.functions ? entry : { ...entry, functions };
      }
      case 'values': {
        const rows = mapList(entry.rows, (row) => mapList(row, map));
        return rows === entry.rows ? entry : { ...entry, rows };
      }
      case 'join': {
        const columns = mapList(entry.columns, map);
        return columns === entry.columns ? entry : { ...entry, columns };
      }
      default:
        return entry;
    }
  });
  const windows = mapList(query.windows, (window) => {
    const partitionBy = mapSortKeys(window.partitionBy, map);
    const orderBy = mapSortKeys(window.orderBy, map);
    let { start, end } = window.frame;
    if (start.kind === 'preceding' || start.kind === 'following') {
      const offset = map(start.offset);
      if (offset !== start.offset) start = { ...start, offset };
    }
    if (end.kind === 'preceding' || end.kind === 'following') {
      const offset = map(end.offset);
      if (offset !== end.offset) end = { ...end, offset };
    }
    return partitionBy === window.partitionBy &&
      orderBy === window.orderBy &&
      start === window.frame.start &&
      end === window.frame.end
      ? window
      : { ...window, partitionBy, orderBy, frame: { ...window.frame, start, end } };
  });
  const onConflict = query.onConflict
    ? {
        ...query.onConflict,
        set: mapTargets(query.onConflict.set, map),
        where: query.onConflict.where ? map(query.onConflict.where) : null,
      }
    : null;
  return {
    ...query,
    rangeTable,
    from: mapList(query.from, (node) => mapFrom(node, map)),
    where: query.where ? map(query.where) : null,
    targets: mapTargets(query.targets, map),
    groupBy: mapSortKeys(query.groupBy, map),
    having: query.having ? map(query.having) : null,
    distinctOn: mapSortKeys(query.distinctOn, map),
    windows,
    orderBy: mapSortKeys(query.orderBy, map),
    limit: query.limit ? map(query.limit) : null,
    offset: query.offset ? map(query.offset) : null,
    returning: mapTargets(query.returning, map),
    onConflict,
    ...(query.insteadOldRow === undefined ? {} : { insteadOldRow: query.insteadOldRow.map(map) }),
    ...(query.viewChecks === undefined
      ? {}
      : {
          viewChecks: mapList(query.viewChecks, (check) =>
            check.condition === null ? check : { ...check, condition: map(check.condition) },
          ),
        }),
    mergeActions: mapList(query.mergeActions, (action) => ({
      ...action,
      condition: action.condition ? map(action.condition) : null,
      targets: mapTargets(action.targets, map),
    })),
  };
}

/** Replaces the child queries (CTEs, subquery entries). */
export function mapChildQueries(query: Query, map: (child: Query) => Query): Query {
  const commonTables = mapList<CommonTable>(query.commonTables, (table) => {
    const mapped = map(table.query);
    return mapped === table.query ? table : { ...table, query: mapped };
  });
  const rangeTable = mapList<RangeTableEntry>(query.rangeTable, (entry) => {
    if (entry.kind !== 'subquery') return entry;
    const mapped = map(entry.query);
    return mapped === entry.query ? entry : { ...entry, query: mapped };
  });
  return commonTables === query.commonTables && rangeTable === query.rangeTable
    ? query
    : { ...query, commonTables, rangeTable };
}

/** Rewrites every expression of the query and of the queries inside it. */
export function mapQuery(query: Query, map: ExprMapper, depth = 0): Query {
  return mapChildQueries(
    mapQueryExprs(query, (expr) => mapExpr(expr, map, depth)),
    (child) => mapQuery(child, map, depth + 1),
  );
}

/**
 * Adds `delta` to the `levelsUp` of everything that refers to query levels at or outside `minimumLevel`: needed when a
 * tree moves to another nesting depth. Covers columns, aggregates, GROUPING and references to CTEs.
 */
export function shiftExprLevels(expr: Expr, delta: number, minimumLevel = 0): Expr {
  if (delta === 0) return expr;
  const shifted = shiftNode(expr, delta, minimumLevel);
  if (shifted.kind === 'var') return shifted;
  const mapped = mapChildren(shifted, (child) => shiftExprLevels(child, delta, minimumLevel));
  if (mapped.kind !== 'subLink') return mapped;
  return { ...mapped, subquery: shiftQueryLevels(mapped.subquery, delta, minimumLevel + 1) };
}

function shiftNode(expr: Expr, delta: number, minimumLevel: number): Expr {
  if (
    (expr.kind === 'var' || expr.kind === 'aggregate' || expr.kind === 'grouping') &&
    expr.levelsUp >= minimumLevel
  )
    return { ...expr, levelsUp: expr.levelsUp + delta };
  return expr;
}

/** See {@link shiftExprLevels}; `minimumLevel` 1 shifts references that leave `query` itself. */
export function shiftQueryLevels(query: Query, delta: number, minimumLevel = 1): Query {
  if (delta === 0) return query;
  const mapped = mapChildQueries(
    mapQueryExprs(query, (expr) => shiftExprLevels(expr, delta, minimumLevel)),
    (child) => shiftQueryLevels(child, delta, minimumLevel + 1),
  );
  return {
    ...mapped,
    rangeTable: mapped.rangeTable.map((entry) =>
      entry.kind === 'cte' && entry.levelsUp >= minimumLevel
        ? { ...entry, levelsUp: entry.levelsUp + delta }
        : entry,
    ),
  };
}

/** True if any node (subqueries included) satisfies `test`. */
export function someExpr(expr: Expr, test: (expr: Expr, depth: number) => boolean): boolean {
  let found = false;
  walkExpr(expr, (node, depth) => {
    if (found) return false;
    if (test(node, depth)) found = true;
    return !found;
  });
  return found;
}

/** True if the expression holds an aggregate of its own query level. */
export function containsAggregate(expr: Expr): boolean {
  return someExpr(
    expr,
    (node, depth) => (node.kind === 'aggregate' || node.kind === 'grouping') && node.levelsUp === depth,
  );
}

/** True if the expression holds a window function of its own query level. */
export function containsWindowFunction(expr: Expr): boolean {
  return someExpr(expr, (node, depth) => node.kind === 'window' && depth === 0);
}

/** True if the expression holds a set-returning function or operator of its own query level. */
export function containsSetReturning(expr: Expr): boolean {
  return someExpr(
    expr,
    (node, depth) => depth === 0 && (node.kind === 'function' || node.kind === 'operator') && node.returnsSet,
  );
}

/** True if the expression holds a subquery. */
export function containsSubLink(expr: Expr): boolean {
  return someExpr(expr, (node) => node.kind === 'subLink');
}

/** True if the expression refers to a column of the query level `level` (0 = its own). */
export function containsVarOfLevel(expr: Expr, level: number): boolean {
  return someExpr(expr, (node, depth) => node.kind === 'var' && node.levelsUp === depth + level);
}

/** Columns of its own query level: range table indexes → attribute numbers. */
export function collectVars(expr: Expr): Map<number, Set<number>> {
  const result = new Map<number, Set<number>>();
  walkExpr(expr, (node, depth) => {
    if (node.kind !== 'var' || node.levelsUp !== depth) return;
    let attributes = result.get(node.relation);
    if (!attributes) result.set(node.relation, (attributes = new Set()));
    attributes.add(node.attribute);
  });
  return result;
}
