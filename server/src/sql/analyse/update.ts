/** UPDATE and DELETE. */
import { DbError } from '../../base/error.ts';
import type { RelationDescriptor } from '../../catalog/contract.ts';
import {
  as,
  type DeleteStmt,
  type MultiAssignRef,
  type Node,
  positionOf,
  type ResTarget,
  type RowExpr,
  type SubLink,
  type UpdateStmt,
} from '../parse/ast.ts';
import type { Expr, Query, TargetEntry } from '../tree.ts';
import {
  assignToColumn,
  defaultMarker,
  isPartialAssignment,
  mergeAssignments,
  targetColumn,
} from './assignment.ts';
import { coerceToBoolean } from './coerce.ts';
import { transformWith } from './cte.ts';
import { transformExpr } from './expressions.ts';
import { transformFrom } from './from.ts';
import { exprPosition, rawPosition } from './location.ts';
import { makeTarget, makeVar } from './make.ts';
import { openTarget, transformReturning } from './modify.ts';
import { emptyQuery, type Scope } from './scope.ts';
import { finish } from './select.ts';
import { expandRowArgs } from './targets.ts';

export function analyseUpdate(scope: Scope, statement: UpdateStmt): Query {
  const query = emptyQuery('update');
  if (statement.withClause) transformWith(scope, query, statement.withClause);
  const target = openTarget(scope, statement.relation!, 'UPDATE', true);
  query.resultRelation = target.item.index;
  target.item.isLateralOnly = true;
  target.item.isLateralOk = false;
  scope.target = target.item;
  query.from = [
    { kind: 'relationRef', relation: target.item.index },
    ...transformFrom(scope, statement.fromClause),
  ];
  target.item.isLateralOnly = false;
  target.item.isLateralOk = true;
  if (statement.whereClause)
    query.where = coerceToBoolean(scope, transformExpr(scope, statement.whereClause, 'where'), 'WHERE');
  query.returning = transformReturning(scope, statement.returningClause, scope.namespace);
  query.targets = transformAssignments(scope, target.relation, target.item.index, statement.targetList ?? []);
  target.entry.privileges.find((item) => item.privilege === 'UPDATE')!.columns = query.targets.map(
    (item) => item.targetColumn,
  );
  finish(scope, query);
  return query;
}

export function analyseDelete(scope: Scope, statement: DeleteStmt): Query {
  const query = emptyQuery('delete');
  if (statement.withClause) transformWith(scope, query, statement.withClause);
  const target = openTarget(scope, statement.relation!, 'DELETE', true);
  query.resultRelation = target.item.index;
  target.item.isLateralOnly = true;
  target.item.isLateralOk = false;
  scope.target = target.item;
  query.from = [
    { kind: 'relationRef', relation: target.item.index },
    ...transformFrom(scope, statement.usingClause),
  ];
  target.item.isLateralOnly = false;
  target.item.isLateralOk = true;
  if (statement.whereClause)
    query.where = coerceToBoolean(scope, transformExpr(scope, statement.whereClause, 'where'), 'WHERE');
  query.returning = transformReturning(scope, statement.returningClause, scope.namespace);
  finish(scope, query);
  return query;
}

/** SET a = …, (b, c) = …, d[1] = … : one target per column. */
export function transformAssignments(
  scope: Scope,
  relation: RelationDescriptor,
  targetIndex: number,
  nodes: readonly Node[],
): TargetEntry[] {
  const targets: TargetEntry[] = [];
  const savedKind = scope.kind;
  scope.kind = 'updateSource';
  const raws = nodes.map((node) => as(node, 'ResTarget') as ResTarget);
  // All sources first: their errors come before those of the columns.
  const sources = raws.map((raw) => assignmentSource(scope, raw));
  let repeated: string | null = null;
  /** Columns as the target of an assignment, not as part of its source. */
  const currents = new Set<Expr>();
  for (const [index, raw] of raws.entries()) {
    const source = sources[index];
    const column = targetColumn(relation, raw);
    const position = positionOf(raw.location);
    const value = 'marker' in source ? defaultMarker(column, source.marker) : source.expr;
    const known = targets.find((item) => item.targetColumn === column.number);
    if (value.kind !== 'default') checkGenerated(column.name, column.generated, column.identity);
    const current: Expr = makeVar(targetIndex, column.number, column);
    currents.add(current);
    const expr = assignToColumn(scope, value, column, raw.indirection, current, position);
    if (known) {
      if (!isPartialAssignment(known.expr) || !raw.indirection?.length) {
        repeated ??= column.name;
        continue;
      }
      // The later assignment works on what the earlier ones have made of the column.
      known.expr = mergeAssignments(
        known.expr,
        expr,
        (node) =>
          node.kind === 'var' &&
          node.relation === targetIndex &&
          node.attribute === column.number &&
          node.levelsUp === 0 &&
          currents.has(node),
      );
      continue;
    }
    const target = makeTarget(expr, column.name);
    target.targetColumn = column.number;
    targets.push(target);
  }
  scope.kind = savedKind;
  if (repeated !== null)
    throw new DbError('syntax_error', `multiple assignments to same column "${repeated}"`);
  return targets;
}

function checkGenerated(name: string, generated: string, identity: string): void {
  if (generated)
    throw new DbError('generated_always', `column "${name}" can only be updated to DEFAULT`, {
      detail: `Column "${name}" is a generated column.`,
    });
  if (identity === 'a')
    throw new DbError('generated_always', `column "${name}" can only be updated to DEFAULT`, {
      detail: `Column "${name}" is an identity column defined as GENERATED ALWAYS.`,
    });
}

function assignmentSource(scope: Scope, raw: ResTarget): { expr: Expr } | { marker: number | undefined } {
  const marker = as(raw.val, 'SetToDefault') as { location?: number } | undefined;
  if (marker) return { marker: positionOf(marker.location) };
  const multi = as(raw.val, 'MultiAssignRef') as MultiAssignRef | undefined;
  if (!multi) return { expr: transformExpr(scope, raw.val!) };
  const number = multi.colno ?? 1;
  const count = multi.ncolumns ?? 1;
  const row = as(multi.source, 'RowExpr') as RowExpr | undefined;
  if (row && row.args?.some(isStarItem)) {
    const items = expandRowArgs(scope, row.args);
    if (items.length !== count)
      throw new DbError('syntax_error', 'number of columns does not match number of values').at(
        positionOf(row.location),
      );
    return { expr: items[number - 1] };
  }
  if (row) {
    const items = row.args ?? [];
    if (items.length !== count)
      throw new DbError('syntax_error', 'number of columns does not match number of values').at(
        positionOf(row.location),
      );
    const item = items[number - 1];
    const itemMarker = as(item, 'SetToDefault') as { location?: number } | undefined;
    return itemMarker ? { marker: positionOf(itemMarker.location) } : { expr: transformExpr(scope, item) };
  }
  const link = as(multi.source, 'SubLink') as SubLink | undefined;
  if (link?.subLinkType === 'EXPR_SUBLINK' || link?.subLinkType === 'MULTIEXPR_SUBLINK')
    return { expr: columnOfSubquery(scope, link, number, count) };
  throw new DbError(
    'feature_not_supported',
    'source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression',
  ).at(rawPosition(multi.source));
}

function isStarItem(node: Node): boolean {
  const fields = (as(node, 'ColumnRef') as { fields?: Node[] } | undefined)?.fields;
  const steps = (as(node, 'A_Indirection') as { indirection?: Node[] } | undefined)?.indirection;
  const last = (fields ?? steps)?.at(-1);
  return last !== undefined && 'A_Star' in last;
}

/** `(SELECT a, b …)` for several columns: one scalar subquery per column over the same SELECT. */
function columnOfSubquery(scope: Scope, link: SubLink, number: number, count: number): Expr {
  const names = Array.from(
    { length: count },
    (_, index) => ({ String: { sval: `column${index + 1}` } }) as Node,
  );
  const probe = transformExpr(scope, {
    SubLink: { subLinkType: 'EXISTS_SUBLINK', subselect: link.subselect, location: link.location },
  } as Node);
  if (probe.kind === 'subLink') {
    const width = probe.subquery.targets.filter((item) => !item.junk).length;
    if (width !== count)
      throw new DbError('syntax_error', 'number of columns does not match number of values').at(
        positionOf(link.location),
      );
  }
  const column = transformExpr(scope, {
    SubLink: {
      subLinkType: 'EXPR_SUBLINK',
      location: link.location,
      subselect: {
        SelectStmt: {
          targetList: [
            {
              ResTarget: {
                val: {
                  ColumnRef: { fields: [{ String: { sval: '*row*' } }, names[number - 1]], location: -1 },
                },
              },
            },
          ],
          fromClause: [
            { RangeSubselect: { subquery: link.subselect, alias: { aliasname: '*row*', colnames: names } } },
          ],
          limitOption: 'LIMIT_OPTION_DEFAULT',
          op: 'SETOP_NONE',
        },
      },
    },
  } as Node);
  // Errors point at the column's expression inside.
  if (probe.kind === 'subLink') {
    const inner = probe.subquery.targets.filter((item) => !item.junk)[number - 1];
    if (inner !== undefined) return { ...column, position: exprPosition(inner.expr) };
  }
  return column;
}
