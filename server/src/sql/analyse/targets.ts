/** Lists of output columns: stars expanded, names found, unknown literals settled. */
import { DbError } from '../../base/error.ts';
import {
  type A_Indirection,
  as,
  type ColumnRef,
  type Node,
  positionOf,
  type ResTarget,
  type SelectStmt,
  stringOf,
  stringsOf,
  tagOf,
} from '../parse/ast.ts';
import type { Expr, TargetEntry } from '../tree.ts';
import { coerceType } from './coerce.ts';
import { fieldsOf, findItem, markColumn, missingTable } from './columns.ts';
import { transformExpr } from './expressions.ts';
import { makeTarget, makeVar } from './make.ts';
import * as T from './oids.ts';
import type { ExpressionKind, NamespaceItem, Scope } from './scope.ts';
import { typeLabel } from './type-name.ts';

/** Analyses a SELECT list or RETURNING list. */
export function transformTargetList(
  scope: Scope,
  nodes: readonly Node[] | undefined,
  kind: ExpressionKind,
): TargetEntry[] {
  const saved = scope.kind;
  scope.kind = kind;
  const targets: TargetEntry[] = [];
  for (const node of nodes ?? []) {
    const target = as(node, 'ResTarget') as ResTarget;
    const expanded = expandStar(scope, target.val!);
    if (expanded) {
      targets.push(...expanded);
      continue;
    }
    targets.push(makeTarget(transformExpr(scope, target.val!), target.name ?? figureColumnName(target.val!)));
  }
  scope.kind = saved;
  return targets;
}

/** `*`, `t.*` and `(row).*`; null for anything else. */
function expandStar(scope: Scope, node: Node): TargetEntry[] | null {
  const reference = as(node, 'ColumnRef') as ColumnRef | undefined;
  if (reference) {
    const fields = reference.fields ?? [];
    if (!('A_Star' in fields[fields.length - 1])) return null;
    return expandColumnStar(scope, reference);
  }
  const indirection = as(node, 'A_Indirection') as A_Indirection | undefined;
  if (indirection) {
    const steps = indirection.indirection ?? [];
    if (!('A_Star' in steps[steps.length - 1])) return null;
    const rest = steps.slice(0, -1);
    const row = transformExpr(
      scope,
      rest.length > 0
        ? ({ A_Indirection: { arg: indirection.arg, indirection: rest } } as Node)
        : indirection.arg!,
    );
    return expandRow(scope, row);
  }
  return null;
}

function expandRow(scope: Scope, row: Expr): TargetEntry[] {
  const fields = fieldsOf(scope, row);
  if (!fields)
    throw new DbError(
      'wrong_object_type',
      row.typeOid === T.RECORD
        ? 'record type has not been registered'
        : `type ${typeLabel(scope.context, row.typeOid)} is not composite`,
    );
  if (row.kind === 'row') return row.args.map((arg, index) => makeTarget(arg, row.fieldNames[index]));
  const targets: TargetEntry[] = [];
  fields.forEach((field, index) => {
    if (field.dropped) return;
    if (row.kind === 'var' && row.attribute === 0) {
      const variable = makeVar(row.relation, index + 1, field, row.levelsUp);
      variable.position = row.position;
      markColumn(scope.outer(row.levelsUp), variable);
      targets.push(makeTarget(variable, field.name));
      return;
    }
    targets.push(
      makeTarget(
        {
          kind: 'fieldSelect',
          arg: row,
          field: index + 1,
          fieldName: field.name,
          typeOid: field.typeOid,
          typmod: field.typmod,
          collation: field.collation,
          position: row.position,
        },
        field.name,
      ),
    );
  });
  return targets;
}

function expandColumnStar(scope: Scope, reference: ColumnRef): TargetEntry[] {
  const fields = reference.fields ?? [];
  const position = positionOf(reference.location);
  if (fields.length === 1) {
    const targets: TargetEntry[] = [];
    let sawTable = false;
    for (const item of scope.namespace) {
      if (!item.areColumnsVisible) continue;
      if (item.isLateralOnly && !scope.isLateralActive) continue;
      sawTable = true;
      targets.push(...expandItem(scope, item, 0, position));
    }
    if (!sawTable)
      throw new DbError('syntax_error', 'SELECT * with no tables specified is not valid').at(position);
    return targets;
  }
  const names = fields.map(stringOf);
  const relation = names[names.length - 2];
  const schema = names.length > 2 ? names[names.length - 3] : null;
  const found = findItem(scope, schema, relation, position);
  const hook = scope.context.names;
  if (hook !== undefined) {
    const row = hook.resolve(scope, names.slice(0, -1), true, position, null);
    if (row && !found) return expandRow(scope, row);
  }
  if (!found) throw missingTable(scope, relation, position);
  return expandItem(scope, found.item, found.levelsUp, position);
}

export function expandItem(
  scope: Scope,
  item: NamespaceItem,
  levelsUp: number,
  position: number | undefined,
): TargetEntry[] {
  const level = scope.outer(levelsUp);
  return item.columns.map((column) => {
    const variable = makeVar(column.relation, column.attribute, column, levelsUp);
    variable.position = position;
    if (item.entry.kind === 'join' && column.displayRelation !== column.relation) {
      variable.displayRelation = column.displayRelation;
      variable.displayAttribute = column.displayAttribute;
    }
    markColumn(level, variable);
    return makeTarget(variable, column.name);
  });
}

/** Columns that `x.*` stands for; null for any other expression. */
export function expandStarExprs(scope: Scope, node: Node): Expr[] | null {
  return expandStar(scope, node)?.map((target) => target.expr) ?? null;
}

/** Arguments of ROW(…): `t.*` stands for its columns. */
export function expandRowArgs(scope: Scope, nodes: readonly Node[]): Expr[] {
  const args: Expr[] = [];
  for (const node of nodes) {
    const expanded = expandStar(scope, node);
    if (expanded) args.push(...expanded.map((target) => target.expr));
    else args.push(transformExpr(scope, node));
  }
  return args;
}

/** Untyped literals that nobody asked a type of become text. */
export function resolveUnknownTargets(scope: Scope, targets: readonly TargetEntry[]): void {
  for (const target of targets)
    if (target.expr.typeOid === T.UNKNOWN)
      target.expr = coerceType(
        scope,
        target.expr,
        T.UNKNOWN,
        T.TEXT,
        -1,
        'implicit',
        'implicitCast',
        target.expr.position,
      );
}

/** Fills where output columns come from (RowDescription). */
export function markOrigins(scope: Scope, targets: readonly TargetEntry[]): void {
  for (const target of targets) {
    const origin = originOf(scope, target.expr);
    if (origin) {
      target.originTable = origin.table;
      target.originColumn = origin.column;
    }
  }
}

function originOf(scope: Scope, expr: Expr): { table: number; column: number } | null {
  if (expr.kind !== 'var' || expr.attribute === 0) return null;
  const level = scope.outer(expr.levelsUp);
  const entry = level.rangeTable[expr.relation - 1];
  if (!entry) return null;
  switch (entry.kind) {
    case 'relation':
      return { table: entry.relationOid, column: expr.attribute };
    case 'subquery': {
      const target = entry.query.targets.filter((item) => !item.junk)[expr.attribute - 1];
      return target?.originTable ? { table: target.originTable, column: target.originColumn } : null;
    }
    case 'join':
      return expr.attribute > 0 ? originOf(level, entry.columns[expr.attribute - 1]) : null;
    case 'cte': {
      const owner = level.outer(entry.levelsUp);
      const state = owner.commonTables.find((item) => item.table.name === entry.cteName);
      if (!state?.isAnalysed || !state.table.query) return null;
      const { query } = state.table;
      const targets = query.command === 'select' ? query.targets : query.returning;
      const target = targets.filter((item) => !item.junk)[expr.attribute - 1];
      return target?.originTable ? { table: target.originTable, column: target.originColumn } : null;
    }
    default:
      return null;
  }
}

/** The name of an output column without AS. */
export function figureColumnName(node: Node): string {
  return figure(node)?.name ?? '?column?';
}

/** strength 1: a weak name that CASE … ELSE and casts may replace. */
function figure(node: Node | undefined): { name: string; strength: 1 | 2 } | null {
  if (!node) return null;
  const strong = (name: string): { name: string; strength: 2 } => ({ name, strength: 2 });
  switch (tagOf(node)) {
    case 'ColumnRef': {
      const fields = (as(node, 'ColumnRef') as ColumnRef).fields ?? [];
      for (let index = fields.length - 1; index >= 0; index--)
        if ('String' in fields[index]) return strong(stringOf(fields[index]));
      return null;
    }
    case 'A_Indirection': {
      const indirection = as(node, 'A_Indirection') as A_Indirection;
      const steps = indirection.indirection ?? [];
      for (let index = steps.length - 1; index >= 0; index--)
        if ('String' in steps[index]) return strong(stringOf(steps[index]));
      return figure(indirection.arg);
    }
    case 'FuncCall':
      return strong(stringsOf((as(node, 'FuncCall') as { funcname?: Node[] }).funcname).pop() ?? '');
    case 'A_Expr':
      return (as(node, 'A_Expr') as { kind?: string }).kind === 'AEXPR_NULLIF' ? strong('nullif') : null;
    case 'TypeCast': {
      const cast = as(node, 'TypeCast') as { arg?: Node; typeName?: { names?: Node[] } };
      const inner = figure(cast.arg);
      if (inner?.strength === 2) return inner;
      const name = stringsOf(cast.typeName?.names).pop();
      return name ? { name, strength: 1 } : inner;
    }
    case 'CollateClause':
      return figure((as(node, 'CollateClause') as { arg?: Node }).arg);
    case 'GroupingFunc':
      return strong('grouping');
    case 'SubLink': {
      const link = as(node, 'SubLink') as { subLinkType?: string; subselect?: Node };
      if (link.subLinkType === 'EXISTS_SUBLINK') return strong('exists');
      if (link.subLinkType === 'ARRAY_SUBLINK') return strong('array');
      if (link.subLinkType === 'EXPR_SUBLINK') {
        let select = as(link.subselect, 'SelectStmt') as SelectStmt | undefined;
        while (select?.larg) select = select.larg;
        const target = as(select?.targetList?.[0], 'ResTarget') as ResTarget | undefined;
        // The subquery has named its column already, if only `?column?`: a cast around it changes nothing.
        if (target) return strong(target.name ?? figure(target.val)?.name ?? '?column?');
        if (select?.valuesLists) return strong('column1');
      }
      return null;
    }
    case 'CaseExpr': {
      const inner = figure((as(node, 'CaseExpr') as { defresult?: Node }).defresult);
      return inner?.strength === 2 ? inner : { name: 'case', strength: 1 };
    }
    case 'A_ArrayExpr':
      return strong('array');
    case 'RowExpr':
      return strong('row');
    case 'CoalesceExpr':
      return strong('coalesce');
    case 'MinMaxExpr':
      return strong((as(node, 'MinMaxExpr') as { op?: string }).op === 'IS_LEAST' ? 'least' : 'greatest');
    case 'SQLValueFunction': {
      const name = ((as(node, 'SQLValueFunction') as { op?: string }).op ?? '')
        .replace(/^SVFOP_/, '')
        .replace(/_N$/, '');
      return strong(name.toLowerCase());
    }
    default:
      return null;
  }
}
