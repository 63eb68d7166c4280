/**
 * INSERT, UPDATE and DELETE on simple views (one table, plain columns, no grouping or limits) work on the table.
 *
 * The view's reference stays in the range table, outside FROM, so that its privileges are checked as the caller; the table is
 * used with the rights of the view's owner.
 */
import { DbError } from '../../base/error.ts';
import type { CatalogReader, RelationDescriptor } from '../../catalog/contract.ts';
import { makeAnd, makeVar } from '../analyse/make.ts';
import type { Expr, FromNode, Query, RangeTableEntry, RelationEntry, TargetEntry, VarExpr } from '../tree.ts';
import { parseExpr } from '../tree-json.ts';
import { containsSetReturning, mapExpr, mapQuery } from '../walk.ts';
import { isExpandableView, isInvokerView, viewQueryOf } from './views.ts';

const VERBS = {
  insert: ['insert into', 'inserting into', 'INSERT'],
  update: ['update', 'updating', 'UPDATE'],
  delete: ['delete from', 'deleting from', 'DELETE'],
} as const;

function refuse(relation: RelationDescriptor, command: keyof typeof VERBS, detail: string): DbError {
  const [verb, doing, event] = VERBS[command];
  return new DbError('object_not_in_prerequisite_state', `cannot ${verb} view "${relation.name}"`, {
    detail,
    hint: `To enable ${doing} the view, provide an INSTEAD OF ${event} trigger or an unconditional ON ${event} DO INSTEAD rule.`,
  });
}

/** Why a view cannot be changed through, or null. */
function notUpdatable(view: Query): string | null {
  if (view.distinct !== 'none') return 'Views containing DISTINCT are not automatically updatable.';
  if (view.groupBy.length > 0 || view.groupingSets)
    return 'Views containing GROUP BY are not automatically updatable.';
  if (view.having) return 'Views containing HAVING are not automatically updatable.';
  if (view.setOperation)
    return 'Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable.';
  if (view.commonTables.length > 0) return 'Views containing WITH are not automatically updatable.';
  if (view.limit || view.offset) return 'Views containing LIMIT or OFFSET are not automatically updatable.';
  if (view.hasAggregates) return 'Views that return aggregate functions are not automatically updatable.';
  if (view.hasWindowFunctions) return 'Views that return window functions are not automatically updatable.';
  if (view.targets.some((target) => containsSetReturning(target.expr)))
    return 'Views that return set-returning functions are not automatically updatable.';
  const [from] = view.from;
  if (
    view.from.length !== 1 ||
    from.kind !== 'relationRef' ||
    view.rangeTable[from.relation - 1].kind !== 'relation'
  )
    return 'Views that do not select from a single table or view are not automatically updatable.';
  return null;
}

/** Bits of pg_relation_is_updatable. */
const UPDATE_BIT = 4;
const INSERT_BIT = 8;
const DELETE_BIT = 16;
const ALL_BITS = UPDATE_BIT | INSERT_BIT | DELETE_BIT;

/**
 * The commands that a relation takes, by itself or through the tables under it; with `column` only if that column can be changed.
 * Bits as pg_relation_is_updatable has them: 4 UPDATE, 8 INSERT, 16 DELETE.
 */
export function updatableEvents(
  relation: RelationDescriptor | null,
  catalog: CatalogReader,
  withTriggers: boolean,
  column = 0,
): number {
  if (relation === null) return 0;
  if (relation.kind === 'r' || relation.kind === 'p') return ALL_BITS;
  if (!isExpandableView(relation)) return 0;
  let events = 0;
  if (withTriggers) {
    if (hasInsteadTrigger(relation, 'update')) events |= UPDATE_BIT;
    if (hasInsteadTrigger(relation, 'insert')) events |= INSERT_BIT;
    if (hasInsteadTrigger(relation, 'delete')) events |= DELETE_BIT;
    if (events === ALL_BITS) return events;
  }
  const view = viewQueryOf(relation, catalog);
  if (notUpdatable(view) !== null) return events;
  const from = view.from[0] as Extract<FromNode, { kind: 'relationRef' }>;
  const base = catalog.relation((view.rangeTable[from.relation - 1] as RelationEntry).relationOid);
  const visible = view.targets.filter((target) => !target.junk);
  const attributes = visible.map(({ expr }) =>
    expr.kind === 'var' && expr.relation === from.relation && expr.attribute > 0 ? expr.attribute : 0,
  );
  const wanted =
    column === 0 ? attributes.filter((attribute) => attribute > 0) : [attributes[column - 1] ?? 0];
  const under = (attribute: number): number => updatableEvents(base, catalog, withTriggers, attribute);
  // Rows can always be deleted from a simple view; INSERT and UPDATE need a column that can be changed.
  const changeable = wanted.some((attribute) => attribute > 0 && (under(attribute) & UPDATE_BIT) !== 0);
  return events | (changeable ? under(0) : under(0) & DELETE_BIT);
}

/** The statement on the table that updatable views lead to. */
export function redirectUpdatableView(query: Query, catalog: CatalogReader): Query {
  let result = query;
  for (;;) {
    const next = redirectOnce(result, catalog);
    if (next === result || next.insteadOldRow !== undefined) return next;
    result = next;
  }
}

/** One view less; the same query when its target is no view or has INSTEAD OF triggers for an INSERT. */
export function redirectOnce(query: Query, catalog: CatalogReader): Query {
  const entry = query.rangeTable[query.resultRelation - 1];
  if (entry.kind !== 'relation') return query;
  const relation = catalog.relation(entry.relationOid);
  if (relation?.virtualRows && query.command === 'update') return readThroughView(query, relation);
  if (!isExpandableView(relation)) return query;
  if (hasInsteadTrigger(relation, query.command)) return readThroughView(query, relation);
  const command = query.command === 'merge' || query.command === 'select' ? 'update' : query.command;
  const view = viewQueryOf(relation, catalog, entry.asRole);
  const reason = notUpdatable(view);
  if (reason !== null) throw refuse(relation, command, reason);
  const from = view.from[0] as Extract<FromNode, { kind: 'relationRef' }>;
  const base = view.rangeTable[from.relation - 1] as RelationEntry;
  const visible = view.targets.filter((target) => !target.junk);
  const columnOf = (attribute: number): VarExpr | null => {
    const expr = visible[attribute - 1]?.expr;
    return expr?.kind === 'var' && expr.relation === from.relation && expr.attribute > 0 ? expr : null;
  };
  const mapped = (attribute: number): number => {
    const column = columnOf(attribute);
    if (!column)
      throw new DbError(
        'feature_not_supported',
        `cannot ${VERBS[command][0]} column "${relation.columns[attribute - 1].name}" of view "${relation.name}"`,
        { detail: 'View columns that are not columns of their base relation are not updatable.' },
      );
    return column.attribute;
  };
  const index = query.resultRelation;
  const baseEntry: RelationEntry = {
    ...base,
    lockMode: 'RowExclusive',
    alias: entry.alias,
    inFrom: entry.inFrom,
    asRole: isInvokerView(relation) ? entry.asRole : relation.ownerOid,
    privileges: [
      ...base.privileges,
      ...entry.privileges
        .filter((item) => item.privilege !== 'SELECT')
        .map((item) => ({
          privilege: item.privilege,
          columns: item.columns.flatMap((attribute) => columnOf(attribute)?.attribute ?? []),
        })),
    ],
  };
  // Expressions over the view's columns are expressions over the table's.
  const toBase = (expr: Expr, depth: number): Expr | undefined => {
    if (expr.kind !== 'var' || expr.relation !== index || expr.levelsUp !== depth) return undefined;
    if (expr.attribute > 0) return lift(visible[expr.attribute - 1].expr, index, from.relation, depth);
    if (expr.attribute < 0) return expr;
    return {
      kind: 'row',
      args: visible.map((target) => lift(target.expr, index, from.relation, depth)),
      fieldNames: visible.map((target) => target.name),
      typeOid: relation.rowTypeOid,
      typmod: -1,
      collation: 0,
    };
  };
  let result: Query = {
    ...query,
    targets: withViewDefaults(query, relation, catalog).map((target) => ({
      ...target,
      targetColumn: mapped(target.targetColumn),
    })),
    onConflict: query.onConflict
      ? {
          ...query.onConflict,
          set: query.onConflict.set.map((target) => ({
            ...target,
            targetColumn: mapped(target.targetColumn),
          })),
        }
      : null,
  };
  result = mapQuery(result, toBase);
  const rangeTable: RangeTableEntry[] = [...result.rangeTable];
  rangeTable[index - 1] = baseEntry;
  rangeTable.push({ ...entry, inFrom: false });
  const where =
    query.command === 'insert' || !view.where
      ? result.where
      : makeAnd([lift(view.where, index, from.relation, 0), result.where]);
  result = {
    ...result,
    rangeTable,
    where,
    hasSubLinks: result.hasSubLinks || view.hasSubLinks,
    ...(command === 'delete' ? {} : viewChecks(result, relation, view.where, index, from.relation)),
  };
  return result;
}

/** Adds the view's own check, before those of views around it. A cascading one makes all views below it check. */
function viewChecks(
  query: Query,
  view: RelationDescriptor,
  where: Expr | null,
  index: number,
  from: number,
): Pick<Query, 'viewChecks'> {
  const outer = query.viewChecks ?? [];
  const isInherited = outer[0]?.cascaded === true;
  const cascaded = isInherited || view.options?.includes('check_option=cascaded') === true;
  const hasCheck = cascaded || view.options?.includes('check_option=local') === true;
  if (!hasCheck || (!cascaded && where === null)) return {};
  const condition = where === null ? null : lift(where, index, from, 0);
  return { viewChecks: [{ viewName: view.name, condition, cascaded }, ...outer] };
}

/** ALTER VIEW … SET DEFAULT: the view's defaults come before those of the table. */
export function withViewDefaults(
  query: Query,
  relation: RelationDescriptor,
  catalog: CatalogReader,
): readonly TargetEntry[] {
  const defaults = relation.columns.filter(
    ({ defaultExpression, dropped }) => defaultExpression !== null && !dropped,
  );
  if (defaults.length === 0 || query.command === 'delete') return query.targets;
  const viewDefault = (number: number): Expr | null => {
    const text = defaults.find((column) => column.number === number)?.defaultExpression;
    return text == null ? null : parseExpr(text, (oid) => catalog.type(oid)!.support);
  };
  const targets = query.targets.map((target) => {
    if (target.expr.kind !== 'default') return target;
    const expr = viewDefault(target.targetColumn);
    return expr === null ? target : { ...target, expr };
  });
  if (query.command !== 'insert') return targets;
  for (const column of defaults)
    if (!targets.some(({ targetColumn }) => targetColumn === column.number))
      targets.push({
        expr: viewDefault(column.number)!,
        name: column.name,
        junk: false,
        targetColumn: column.number,
        originTable: 0,
        originColumn: 0,
      });
  return targets;
}

/** Moves an expression of the view's level to where `relation` stands for the view's only table. */
function lift(expr: Expr, relation: number, from: number, depth: number): Expr {
  return mapExpr(expr, (node, inner) => {
    if (node.kind !== 'var' || node.levelsUp !== inner || node.relation !== from) return undefined;
    return { ...makeVar(relation, node.attribute, node, node.levelsUp + depth) };
  });
}

const INSTEAD_EVENTS: Partial<Record<Query['command'], number>> = { insert: 4, delete: 8, update: 16 };

/** Row triggers INSTEAD OF the command take it over. */
export function hasInsteadTrigger(relation: RelationDescriptor, command: Query['command']): boolean {
  const event = INSTEAD_EVENTS[command];
  if (event === undefined) return false;
  return (relation.triggers ?? []).some(({ type }) => (type & 64) !== 0 && (type & event) !== 0);
}

/** The view stays the target; UPDATE and DELETE read its rows from a second entry, which becomes its query. */
function readThroughView(query: Query, relation: RelationDescriptor): Query {
  if (query.command === 'insert') return query;
  const index = query.resultRelation;
  const entry = query.rangeTable[index - 1] as RelationEntry;
  const source = query.rangeTable.length + 1;
  const reading: RelationEntry = { ...entry, lockMode: 'AccessShare', privileges: [], inFrom: true };
  const mapped = mapQuery({ ...query, returning: [] }, (expr, depth) =>
    expr.kind === 'var' && expr.relation === index && expr.levelsUp === depth
      ? { ...expr, relation: source }
      : undefined,
  );
  const redirect = (node: FromNode): FromNode =>
    node.kind === 'relationRef'
      ? { ...node, relation: node.relation === index ? source : node.relation }
      : { ...node, left: redirect(node.left), right: redirect(node.right) };
  const from = mapped.from.map(redirect);
  const mentions = (node: FromNode): boolean =>
    node.kind === 'relationRef' ? node.relation === source : mentions(node.left) || mentions(node.right);
  if (!from.some(mentions)) from.unshift({ kind: 'relationRef', relation: source });
  return {
    ...mapped,
    from,
    rangeTable: [...mapped.rangeTable.map((item, at) => (at === index - 1 ? entry : item)), reading],
    returning: query.returning,
    insteadOldRow: relation.columns.map((column, at) => makeVar(source, at + 1, column)),
  };
}
