/** INSERT, with ON CONFLICT and RETURNING. */

import { DbError } from '../../base/error.ts';
import type { ColumnDescriptor, IndexDescriptor, RelationDescriptor } from '../../catalog/contract.ts';
import { equalExpr } from '../equal.ts';
import {
  as,
  type IndexElem,
  type InsertStmt,
  type Node,
  type OnConflictClause,
  positionOf,
  type ResTarget,
  type SelectStmt,
} from '../parse/ast.ts';
import type { Expr, OnConflict, Query } from '../tree.ts';
import { parseExpr } from '../tree-json.ts';
import { containsSetReturning, mapExpr, shiftExprLevels } from '../walk.ts';
import {
  assignedPart,
  assignToColumn,
  beginningValue,
  defaultMarker,
  mergeAssignments,
  targetColumn,
} from './assignment.ts';
import { coerceToBoolean } from './coerce.ts';
import { assignCollations } from './collations.ts';
import { transformWith } from './cte.ts';
import { transformExpr } from './expressions.ts';
import { exprPosition } from './location.ts';
import { makeConst, makeTarget, makeVar } from './make.ts';
import { openTarget, transformReturning } from './modify.ts';
import * as T from './oids.ts';
import { columnTypeOf, makeItem, outputColumns, subqueryEntry, valuesEntry } from './range-table.ts';
import { emptyQuery, type Scope } from './scope.ts';
import { analyseSelect, finish } from './select.ts';
import { expandStarExprs } from './targets.ts';
import { transformAssignments } from './update.ts';

interface InsertColumn {
  column: ColumnDescriptor;
  indirection: Node[] | undefined;
  position: number | undefined;
}

export function analyseInsert(scope: Scope, statement: InsertStmt): Query {
  const query = emptyQuery('insert');
  if (statement.withClause) transformWith(scope, query, statement.withClause);
  // `populates` is set by DDL only; the grammar knows no such thing.
  const populates = (statement as { populates?: boolean }).populates === true;
  const target = openTarget(scope, statement.relation!, 'INSERT', false, populates);
  const { relation } = target;
  query.resultRelation = target.item.index;
  query.overriding =
    statement.override === 'OVERRIDING_USER_VALUE'
      ? 'user'
      : statement.override === 'OVERRIDING_SYSTEM_VALUE'
        ? 'system'
        : 'none';
  const isExplicit = (statement.cols?.length ?? 0) > 0;
  const columns = insertColumns(relation, statement.cols);
  const insertPrivilege = target.entry.privileges.find((item) => item.privilege === 'INSERT')!;
  const select = as(statement.selectStmt, 'SelectStmt') as SelectStmt | undefined;
  if (select) {
    const isPlainValues =
      (select.valuesLists?.length ?? 0) > 0 &&
      !select.sortClause &&
      !select.limitCount &&
      !select.limitOffset &&
      !select.lockingClause &&
      !select.withClause;
    if (!isPlainValues) insertSelect(scope, query, select, columns, isExplicit);
    else if (select.valuesLists!.length === 1) insertOneRow(scope, query, select, columns, isExplicit);
    else insertRows(scope, query, select, columns, isExplicit);
  }
  insertPrivilege.columns = query.targets.map((item) => item.targetColumn);
  if (query.targets.length === 0) insertPrivilege.columns = [];
  const { onConflictClause } = statement;
  // The choice of indexes comes last: PostgreSQL makes it when planning.
  let chooseIndexes: (() => number[]) | null = null;
  if (onConflictClause) {
    const made = transformOnConflict(scope, relation, onConflictClause, target.item.index);
    query.onConflict = made.onConflict;
    chooseIndexes = made.chooseIndexes;
  }
  query.returning = transformReturning(scope, statement.returningClause, [target.item]);
  finish(scope, query);
  if (query.onConflict && chooseIndexes) query.onConflict.indexOids = chooseIndexes();
  return query;
}

function insertColumns(relation: RelationDescriptor, nodes: readonly Node[] | undefined): InsertColumn[] {
  if (!nodes || nodes.length === 0)
    return relation.columns
      .filter((column) => !column.dropped)
      .map((column) => ({ column, indirection: undefined, position: undefined }));
  const whole = new Set<number>();
  const partial = new Set<number>();
  return nodes.map((node) => {
    const target = as(node, 'ResTarget') as ResTarget;
    const column = targetColumn(relation, target, true);
    const position = positionOf(target.location);
    const isWhole = !target.indirection?.length;
    if (whole.has(column.number) || (isWhole && partial.has(column.number)))
      throw new DbError('duplicate_column', `column "${column.name}" specified more than once`).at(position);
    (isWhole ? whole : partial).add(column.number);
    return { column, indirection: target.indirection, position };
  });
}

/** Coerces one row of source expressions to the target columns. */
function prepareRow(
  scope: Scope,
  exprs: readonly Expr[],
  columns: readonly InsertColumn[],
  isExplicit: boolean,
): Expr[] {
  if (exprs.length > columns.length)
    throw new DbError('syntax_error', 'INSERT has more expressions than target columns').at(
      exprPosition(exprs[columns.length]),
    );
  if (isExplicit && exprs.length < columns.length)
    throw new DbError('syntax_error', 'INSERT has more target columns than expressions', {
      ...(exprs.length === 1 && exprs[0].kind === 'row' && exprs[0].args.length === columns.length
        ? {
            hint: 'The insertion source is a row expression containing the same number of columns expected by the INSERT. Did you accidentally use extra parentheses?',
          }
        : {}),
    }).at(columns[exprs.length].position);
  return exprs.map((expr, index) => {
    const { column, indirection, position } = columns[index];
    return assignToColumn(scope, expr, column, indirection, beginningValue(scope, column), position);
  });
}

function sourceExpr(
  scope: Scope,
  node: Node,
  column: ColumnDescriptor | undefined,
  kind: 'values' | 'valuesSingle',
): Expr {
  const marker = as(node, 'SetToDefault') as { location?: number } | undefined;
  if (marker) {
    const position = positionOf(marker.location);
    return column
      ? defaultMarker(column, position)
      : { kind: 'default', typeOid: T.UNKNOWN, typmod: -1, collation: 0, position };
  }
  return transformExpr(scope, node, kind);
}

/** One row of VALUES; `x.*` of an outer row (NEW in a rule) stands for its columns. */
function sourceRow(
  scope: Scope,
  items: readonly Node[],
  columns: readonly InsertColumn[],
  kind: 'values' | 'valuesSingle',
): Expr[] {
  const row: Expr[] = [];
  for (const item of items) {
    const expanded = expandStarExprs(scope, item);
    if (expanded !== null) row.push(...expanded);
    else row.push(sourceExpr(scope, item, columns[row.length]?.column, kind));
  }
  return row;
}

/** Several assignments to parts of one column nest into one value. */
function pushTarget(query: Query, column: ColumnDescriptor, expr: Expr): void {
  const known = query.targets.find((item) => item.targetColumn === column.number);
  if (known) {
    known.expr = mergeAssignments(known.expr, expr);
    return;
  }
  const target = makeTarget(expr, column.name);
  target.targetColumn = column.number;
  query.targets.push(target);
}

function insertOneRow(
  scope: Scope,
  query: Query,
  select: SelectStmt,
  columns: InsertColumn[],
  isExplicit: boolean,
): void {
  const items = as(select.valuesLists![0], 'List')?.items ?? [];
  const exprs = sourceRow(scope, items, columns, 'valuesSingle');
  const row = prepareRow(scope, exprs, columns, isExplicit);
  if (!row.some(containsSetReturning)) {
    row.forEach((expr, index) => {
      pushTarget(query, columns[index].column, expr);
    });
    return;
  }
  // Set-returning functions make several rows: then the row is the list of a SELECT.
  const source = emptyQuery('select');
  source.hasTargetSets = true;
  source.hasSubLinks = scope.hasSubLinks;
  for (const expr of row) assignCollations(scope, expr);
  const isDefault = (expr: Expr): boolean => expr.kind === 'default';
  source.targets = row
    .filter((expr) => !isDefault(expr))
    .map((expr, index) => makeTarget(shiftExprLevels(expr, 1), `column${index + 1}`));
  subqueryEntry(scope, source, { aliasname: '*SELECT*' }, false, true);
  const index = scope.rangeTable.length;
  query.from = [{ kind: 'relationRef', relation: index }];
  let used = 0;
  row.forEach((expr, number) => {
    pushTarget(
      query,
      columns[number].column,
      isDefault(expr) ? expr : makeVar(index, ++used, columnTypeOf(expr)),
    );
  });
}

function insertRows(
  scope: Scope,
  query: Query,
  select: SelectStmt,
  columns: InsertColumn[],
  isExplicit: boolean,
): void {
  let width = -1;
  const rows = select.valuesLists!.map((node) => {
    const items = as(node, 'List')?.items ?? [];
    const exprs = sourceRow(scope, items, columns, 'values');
    if (width < 0) width = exprs.length;
    else if (width !== exprs.length)
      throw new DbError('syntax_error', 'VALUES lists must all be the same length').at(
        exprs[0] && exprPosition(exprs[0]),
      );
    // What goes into a part of a column is stored above the VALUES, row by row.
    const row = prepareRow(scope, exprs, columns, isExplicit).map((expr, index) =>
      columns[index].indirection?.length ? assignedPart(expr) : expr,
    );
    for (const item of row) assignCollations(scope, item);
    return row;
  });
  const used = columns.slice(0, width);
  const types = used.map(({ column, indirection }, index) =>
    indirection?.length
      ? columnTypeOf(rows[0][index])
      : { typeOid: column.typeOid, typmod: column.typmod, collation: column.collation },
  );
  valuesEntry(scope, rows, types, true);
  const index = scope.rangeTable.length;
  query.from = [{ kind: 'relationRef', relation: index }];
  used.forEach(({ column, indirection, position }, number) => {
    const value = makeVar(index, number + 1, types[number]);
    const before = beginningValue(scope, column);
    pushTarget(query, column, assignToColumn(scope, value, column, indirection, before, position));
  });
}

function insertSelect(
  scope: Scope,
  query: Query,
  select: SelectStmt,
  columns: InsertColumn[],
  isExplicit: boolean,
): void {
  const child = scope.child();
  child.resolveUnknowns = false;
  // The source sees the WITH items but not the target.
  const savedNamespace = scope.namespace;
  scope.namespace = [];
  const source = analyseSelect(child, select);
  scope.namespace = savedNamespace;
  if (source.command !== 'select')
    throw new DbError('syntax_error', 'unexpected non-SELECT command in INSERT ... SELECT');
  subqueryEntry(scope, source, { aliasname: '*SELECT*' }, false, true);
  const index = scope.rangeTable.length;
  query.from = [{ kind: 'relationRef', relation: index }];
  const visible = source.targets.filter((item) => !item.junk);
  const outputs = outputColumns(source);
  const entry = scope.rangeTable[index - 1];
  const exprs: Expr[] = visible.map((target, number) => {
    // Untyped literals and parameters take the column's type directly.
    if (target.expr.typeOid === T.UNKNOWN && (target.expr.kind === 'const' || target.expr.kind === 'param'))
      return target.expr;
    return { ...makeVar(index, number + 1, outputs[number]), position: exprPosition(target.expr) };
  });
  prepareRow(scope, exprs, columns, isExplicit).forEach((expr, number) => {
    const before = visible[number].expr;
    if (before.typeOid === T.UNKNOWN && exprs[number] === before) {
      // Keep the source's own column typed: it takes over what became of the literal.
      if (expr.kind === 'const' || expr.kind === 'param') {
        visible[number].expr = expr;
        entry.columnTypes[number] = columnTypeOf(expr);
        for (const key of [...source.orderBy, ...source.distinctOn, ...source.groupBy])
          if (key.expr === before) key.expr = expr;
        expr = makeVar(index, number + 1, columnTypeOf(expr));
      } else {
        visible[number].expr = { ...makeConst(scope.catalog, T.TEXT, null), position: before.position };
        entry.columnTypes[number] = columnTypeOf(visible[number].expr);
      }
    }
    pushTarget(query, columns[number].column, expr);
  });
}

function transformOnConflict(
  scope: Scope,
  relation: RelationDescriptor,
  clause: OnConflictClause,
  targetIndex: number,
): { onConflict: OnConflict; chooseIndexes: (() => number[]) | null } {
  const isUpdate = clause.action === 'ONCONFLICT_UPDATE';
  const position = positionOf(clause.location);
  const { infer } = clause;
  if (isUpdate && !infer)
    throw new DbError(
      'syntax_error',
      'ON CONFLICT DO UPDATE requires inference specification or constraint name',
      { hint: 'For example, ON CONFLICT (column_name).' },
    ).at(position);
  if (relation.kind !== 'r' && relation.kind !== 'p')
    throw new DbError('wrong_object_type', `cannot use ON CONFLICT on "${relation.name}"`).at(position);
  const targetEntry = scope.rangeTable[targetIndex - 1];
  const targetItem = makeItem(targetEntry, targetIndex);
  let indexOids: number[] = [];
  let chooseIndexes: (() => number[]) | null = null;
  if (infer?.conname) {
    const constraint = relation.constraints.find(
      (item) => item.name === infer.conname && (item.kind === 'p' || item.kind === 'u' || item.kind === 'x'),
    );
    if (!constraint)
      throw new DbError(
        'undefined_object',
        `constraint "${infer.conname}" for table "${relation.name}" does not exist`,
      );
    indexOids = [constraint.indexOid];
  } else if (infer)
    chooseIndexes = inferIndexes(
      scope,
      relation,
      infer.indexElems ?? [],
      infer.whereClause,
      targetItem,
      targetIndex,
      infer.location,
    );
  const result: OnConflict = {
    action: isUpdate ? 'update' : 'nothing',
    indexOids,
    set: [],
    where: null,
    excludedRelation: 0,
  };
  if (!isUpdate) return { onConflict: result, chooseIndexes };
  scope.addEntry({
    kind: 'relation',
    relationOid: relation.oid,
    only: false,
    lockMode: 'RowExclusive',
    privileges: [],
    asRole: 0,
    sample: null,
    alias: 'excluded',
    columnNames: [...targetEntry.columnNames],
    columnTypes: targetEntry.columnTypes.map((type) => ({ ...type })),
    lateral: false,
    inFrom: false,
  });
  result.excludedRelation = scope.rangeTable.length;
  const excluded = scope.rangeTable[result.excludedRelation - 1];
  const savedNamespace = scope.namespace;
  scope.namespace = [makeItem(excluded, result.excludedRelation), targetItem];
  result.set = transformAssignments(scope, relation, targetIndex, clause.targetList ?? []);
  if (clause.whereClause) {
    result.where = coerceToBoolean(scope, transformExpr(scope, clause.whereClause, 'where'), 'WHERE');
  }
  scope.namespace = savedNamespace;
  if (excluded.kind === 'relation') excluded.privileges = [];
  if (targetEntry.kind === 'relation')
    targetEntry.privileges.push({
      privilege: 'UPDATE',
      columns: result.set.map((item) => item.targetColumn),
    });
  return { onConflict: result, chooseIndexes };
}

/** Unique indexes that match ON CONFLICT (…): same set of keys, and a predicate the clause names too. */
function inferIndexes(
  scope: Scope,
  relation: RelationDescriptor,
  elements: readonly Node[],
  whereClause: Node | undefined,
  targetItem: ReturnType<typeof makeItem>,
  targetIndex: number,
  location: number | undefined,
): () => number[] {
  const savedNamespace = scope.namespace;
  scope.namespace = [targetItem];
  const columns = new Set<number>();
  const exprs: Expr[] = [];
  for (const node of elements) {
    const element = as(node, 'IndexElem') as IndexElem;
    if (element.ordering && element.ordering !== 'SORTBY_DEFAULT')
      throw new DbError('invalid_column_reference', 'ASC/DESC is not allowed in ON CONFLICT clause').at(
        positionOf(location),
      );
    if (element.nulls_ordering && element.nulls_ordering !== 'SORTBY_NULLS_DEFAULT')
      throw new DbError(
        'invalid_column_reference',
        'NULLS FIRST/LAST is not allowed in ON CONFLICT clause',
      ).at(positionOf(location));
    const raw: Node =
      element.expr ??
      ({ ColumnRef: { fields: [{ String: { sval: element.name ?? '' } }], location } } as Node);
    const expr = transformExpr(scope, raw, 'indexExpression');
    if (expr.kind === 'var' && expr.attribute > 0) columns.add(expr.attribute);
    else exprs.push(expr);
  }
  const predicate = whereClause
    ? coerceToBoolean(scope, transformExpr(scope, whereClause, 'indexPredicate'), 'WHERE')
    : null;
  scope.namespace = savedNamespace;
  const lookup = (oid: number) => scope.typeOf(oid).support;
  const atTarget = (text: string): Expr =>
    mapExpr(parseExpr(text, lookup), (node, depth) =>
      node.kind === 'var' && node.levelsUp === depth ? { ...node, relation: targetIndex } : undefined,
    );
  const matches = (index: IndexDescriptor): boolean => {
    if (!index.unique || !index.valid) return false;
    const own = index.keyColumns.filter((attribute) => attribute !== 0);
    if (new Set(own).size !== columns.size || !own.every((attribute) => columns.has(attribute))) return false;
    const ownExprs = index.expressions.map(atTarget);
    if (ownExprs.length !== exprs.length) return false;
    if (!exprs.every((expr) => ownExprs.some((other) => equalExpr(stripInput(expr), stripInput(other)))))
      return false;
    if (!index.predicate) return true;
    if (!predicate) return false;
    const clauses = predicate.kind === 'bool' && predicate.op === 'and' ? predicate.args : [predicate];
    const wanted = atTarget(index.predicate);
    const wantedClauses = wanted.kind === 'bool' && wanted.op === 'and' ? wanted.args : [wanted];
    return wantedClauses.every((item) =>
      clauses.some((clause) => equalExpr(stripInput(clause), stripInput(item))),
    );
  };
  return () => {
    if (exprs.some((expr) => expr.kind === 'var' && expr.attribute === 0))
      throw new DbError(
        'feature_not_supported',
        'whole row unique index inference specifications are not supported',
      );
    const found = relation.indexes.filter(matches);
    if (found.length === 0)
      throw new DbError(
        'invalid_column_reference',
        'there is no unique or exclusion constraint matching the ON CONFLICT specification',
      );
    return found.map((index) => index.oid);
  };
}

/** Collations are not derived yet on one side: they do not count here. */
function stripInput(expr: Expr): Expr {
  return mapExpr(expr, () => undefined) === expr ? clean(expr) : expr;
}

function clean(expr: Expr): Expr {
  return JSON.parse(
    JSON.stringify(expr, (key, value) =>
      key === 'inputCollation' || key === 'collation' || key === 'position'
        ? undefined
        : typeof value === 'bigint'
          ? String(value)
          : value,
    ),
  ) as Expr;
}
