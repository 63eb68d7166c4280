/** Names in scope: which table, column or whole row a reference means, and what was probably meant when none. */

import type { Oid } from '../../base/brands.ts';
import { DbError, internalError } from '../../base/error.ts';
import { editDistance } from '../parse/spelling.ts';
import type { Expr, RangeTableEntry, VarExpr } from '../tree.ts';
import { baseTypeOid } from './coerce.ts';
import * as T from './oids.ts';
import type { NamespaceColumn, NamespaceItem, Scope } from './scope.ts';
import { typeLabel } from './type-name.ts';

/** System columns by name: attribute number and type. */
export const SYSTEM_COLUMNS: ReadonlyMap<string, { attribute: number; typeOid: Oid }> = new Map([
  ['ctid', { attribute: -1, typeOid: T.TID }],
  ['xmin', { attribute: -2, typeOid: T.XID }],
  ['cmin', { attribute: -3, typeOid: T.CID }],
  ['xmax', { attribute: -4, typeOid: T.XID }],
  ['cmax', { attribute: -5, typeOid: T.CID }],
  ['tableoid', { attribute: -6, typeOid: T.OID }],
]);

export function systemColumnName(attribute: number): string {
  for (const [name, column] of SYSTEM_COLUMNS) if (column.attribute === attribute) return name;
  return '';
}

function checkLateral(scope: Scope, item: NamespaceItem, position: number | undefined): void {
  if (!item.isLateralOnly || item.isLateralOk) return;
  throw new DbError(
    'invalid_column_reference',
    `invalid reference to FROM-clause entry for table "${item.name ?? ''}"`,
    scope.target === item
      ? {
          hint: `There is an entry for table "${item.name ?? ''}", but it cannot be referenced from this part of the query.`,
        }
      : { detail: 'The combining JOIN type must be INNER or LEFT for a LATERAL reference.' },
  ).at(position);
}

/** The item of that name, innermost level first. */
export function findItem(
  scope: Scope,
  schema: string | null,
  name: string,
  position?: number,
): { item: NamespaceItem; levelsUp: number } | null {
  let relationOid = 0;
  if (schema !== null) {
    if (!scope.catalog.namespaceByName(schema)) return null;
    relationOid = scope.catalog.relationByName(schema, name, scope.context.path)?.oid ?? 0;
    if (!relationOid) return null;
  }
  let levelsUp = 0;
  for (let level: Scope | null = scope; level; level = level.parent, levelsUp++) {
    let found: NamespaceItem | null = null;
    for (const item of level.namespace) {
      if (!item.isRelationVisible || item.name !== name) continue;
      if (item.isLateralOnly && !level.isLateralActive) continue;
      if (schema !== null && !(item.entry.kind === 'relation' && item.entry.relationOid === relationOid))
        continue;
      if (found) throw new DbError('ambiguous_alias', `table reference "${name}" is ambiguous`).at(position);
      checkLateral(level, item, position);
      found = item;
    }
    if (found) return { item: found, levelsUp };
  }
  return null;
}

/** Column of one item, system columns included; null when it has none of that name. */
export function columnOfItem(
  scope: Scope,
  item: NamespaceItem,
  name: string,
  levelsUp: number,
  position?: number,
): Expr | null {
  let found: NamespaceColumn | null = null;
  for (const column of item.columns) {
    if (column.name !== name) continue;
    if (found) throw new DbError('ambiguous_column', `column reference "${name}" is ambiguous`).at(position);
    found = column;
  }
  if (found) return columnVar(scope, item, found, levelsUp, position);
  if (item.entry.kind === 'relation') {
    const system = SYSTEM_COLUMNS.get(name);
    if (system) {
      const relation = scope.catalog.relation(item.entry.relationOid);
      if (relation && relation.kind !== 'v' && relation.kind !== 'c') {
        if (scope.kind === 'check' && system.attribute !== -6)
          throw new DbError(
            'invalid_column_reference',
            `system column "${name}" reference in check constraint is invalid`,
          ).at(position);
        if (scope.kind === 'generated' && system.attribute !== -6)
          throw new DbError(
            'invalid_column_reference',
            `cannot use system column "${name}" in column generation expression`,
          ).at(position);
        requireColumn(item.entry, system.attribute);
        return {
          kind: 'var',
          relation: item.index,
          attribute: system.attribute,
          levelsUp,
          typeOid: system.typeOid,
          typmod: -1,
          collation: 0,
          position,
        };
      }
    }
  }
  return null;
}

function columnVar(
  scope: Scope,
  item: NamespaceItem,
  column: NamespaceColumn,
  levelsUp: number,
  position: number | undefined,
): VarExpr {
  const level = scope.outer(levelsUp);
  const variable: VarExpr = {
    kind: 'var',
    relation: column.relation,
    attribute: column.attribute,
    levelsUp,
    typeOid: column.typeOid,
    typmod: column.typmod,
    collation: column.collation,
    position,
  };
  if (item.entry.kind === 'join' && column.displayRelation !== column.relation) {
    variable.displayRelation = column.displayRelation;
    variable.displayAttribute = column.displayAttribute;
  }
  markColumn(level, variable);
  return variable;
}

/** Records that SELECT on the column is needed (through joins, on the columns below). */
export function markColumn(level: Scope, variable: VarExpr): void {
  const entry = level.rangeTable[variable.relation - 1];
  if (!entry) return;
  if (entry.kind === 'relation') requireColumn(entry, variable.attribute);
  else if (entry.kind === 'join' && variable.attribute > 0)
    markJoinInputs(level, entry.columns[variable.attribute - 1]);
  else if (entry.kind === 'join') for (const column of entry.columns) markJoinInputs(level, column);
}

function markJoinInputs(level: Scope, expr: Expr | undefined): void {
  if (!expr) return;
  if (expr.kind === 'var') markColumn(level, expr);
  else if (expr.kind === 'coalesce') for (const arg of expr.args) markJoinInputs(level, arg);
  else if (expr.kind === 'relabel' || expr.kind === 'ioCast') markJoinInputs(level, expr.arg);
  else if (expr.kind === 'function') for (const arg of expr.args) markJoinInputs(level, arg);
}

export function requireColumn(entry: RangeTableEntry, attribute: number): void {
  if (entry.kind !== 'relation') return;
  let select = entry.privileges.find((item) => item.privilege === 'SELECT');
  if (!select) {
    select = { privilege: 'SELECT', columns: [] };
    entry.privileges.push(select);
  }
  if (!select.columns.includes(attribute)) select.columns.push(attribute);
}

/** An unqualified column name, innermost level first; null when no level has it. */
export function findColumn(scope: Scope, name: string, position?: number, localOnly = false): Expr | null {
  let levelsUp = 0;
  for (let level: Scope | null = scope; level; level = level.parent, levelsUp++) {
    let found: Expr | null = null;
    for (const item of level.namespace) {
      if (!item.areColumnsVisible) continue;
      if (item.isLateralOnly && !level.isLateralActive) continue;
      const expr = columnOfItem(scope, item, name, levelsUp, position);
      if (!expr) continue;
      if (found)
        throw new DbError(
          'ambiguous_column',
          `column reference "${name}" is ambiguous`,
          ambiguityDetail(level, name),
        ).at(position);
      checkLateral(level, item, position);
      found = expr;
    }
    if (found || localOnly) return found;
  }
  return null;
}

function ambiguityDetail(level: Scope, name: string): { hint?: string } {
  const owners: string[] = [];
  for (const item of level.namespace) {
    if (!item.areColumnsVisible || item.name === null) continue;
    if (item.columns.some((column) => column.name === name)) owners.push(`"${item.name}.${name}"`);
  }
  return owners.length > 1 ? { hint: `It could be ${owners.join(' or ')}.` } : {};
}

/** Whole-row reference. */
export function wholeRow(scope: Scope, item: NamespaceItem, levelsUp: number, position?: number): Expr {
  const { entry } = item;
  const level = scope.outer(levelsUp);
  if (entry.kind === 'join') {
    // A join has no row type: its columns make an anonymous row.
    const args = item.columns.map((column) => columnVar(scope, item, column, levelsUp, position));
    return {
      kind: 'row',
      args,
      fieldNames: item.columns.map((column) => column.name),
      typeOid: T.RECORD,
      typmod: -1,
      collation: 0,
      position,
    };
  }
  let typeOid = T.RECORD;
  let attribute = 0;
  let collation = 0;
  if (entry.kind === 'relation') typeOid = scope.catalog.relation(entry.relationOid)?.rowTypeOid || T.RECORD;
  else if (entry.kind === 'function' && entry.functions.length === 1 && !entry.ordinality) {
    const result = entry.functions[0].expr.typeOid;
    if (isComposite(scope, result)) typeOid = result;
    else if (result !== T.RECORD && entry.columnTypes.length === 1) {
      // A scalar function's "row" is its only column.
      typeOid = entry.columnTypes[0].typeOid;
      attribute = 1;
      collation = entry.columnTypes[0].collation;
    }
  }
  const variable: VarExpr = {
    kind: 'var',
    relation: item.index,
    attribute,
    levelsUp,
    typeOid,
    typmod: -1,
    collation,
    position,
  };
  if (attribute === 0) requireColumn(level.rangeTable[item.index - 1], 0);
  return variable;
}

function isComposite(scope: Scope, oid: Oid): boolean {
  return scope.catalog.type(baseTypeOid(scope.catalog, oid))?.kind === 'c';
}

/** "column … does not exist", with the closest names as PostgreSQL chooses them. */
export function missingColumn(
  scope: Scope,
  relation: string | null,
  name: string,
  position?: number,
): DbError {
  const message =
    relation === null ? `column "${name}" does not exist` : `column ${relation}.${name} does not exist`;
  const found = closestColumns(scope, relation, name);
  const label = (match: { table: string; column: string }): string => `"${match.table}.${match.column}"`;
  let hint: string | undefined;
  if (found.exact)
    hint = `There is a column named "${found.exact.column}" in table "${found.exact.table}", but it cannot be referenced from this part of the query.`;
  else if (found.second)
    hint = `Perhaps you meant to reference the column ${label(found.first!)} or the column ${label(found.second)}.`;
  else if (found.first) hint = `Perhaps you meant to reference the column ${label(found.first)}.`;
  return new DbError('undefined_column', message, hint ? { hint } : {}).at(position);
}

interface ColumnMatch {
  table: string;
  column: string;
}

const FUZZY_DISTANCE_MAX = 3;

function closestColumns(
  scope: Scope,
  alias: string | null,
  name: string,
): { exact: ColumnMatch | null; first: ColumnMatch | null; second: ColumnMatch | null } {
  let distance = FUZZY_DISTANCE_MAX + 1;
  let first: ColumnMatch | null = null;
  let second: ColumnMatch | null = null;
  for (let level: Scope | null = scope; level; level = level.parent) {
    for (const entry of level.rangeTable) {
      if (entry.kind === 'join' || entry.alias === '') continue;
      const penalty = alias === null ? 0 : editDistance(alias, entry.alias, FUZZY_DISTANCE_MAX + 1);
      for (const column of entry.columnNames) {
        if (column === '' || penalty > distance) continue;
        if (column === name && penalty === 0)
          return { exact: { table: entry.alias, column }, first: null, second: null };
        let columnDistance = plainDistance(column, name);
        if (columnDistance > name.length / 2) continue;
        columnDistance += penalty;
        if (columnDistance < distance) {
          distance = columnDistance;
          first = { table: entry.alias, column };
          second = null;
        } else if (columnDistance === distance) {
          if (second) {
            first = null;
            second = null;
            distance = columnDistance - 1;
          } else if (first) second = { table: entry.alias, column };
          else if (distance <= FUZZY_DISTANCE_MAX) first = { table: entry.alias, column };
        }
      }
    }
  }
  return { exact: null, first, second };
}

/** Levenshtein distance without transpositions, as PostgreSQL counts it. */
function plainDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const current = [i];
    for (let j = 1; j <= right.length; j++) {
      const cost = left[i - 1] === right[j - 1] ? 0 : 1;
      current[j] = Math.min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost);
    }
    previous = current;
  }
  return previous[right.length];
}

/** "missing FROM-clause entry" or "invalid reference", whichever describes the case. */
export function missingTable(scope: Scope, name: string, position?: number): DbError {
  let hidden: { alias: string; relationName: string } | null = null;
  for (let level: Scope | null = scope; level && !hidden; level = level.parent) {
    for (const entry of level.rangeTable) {
      const relationName =
        entry.kind === 'relation' ? (scope.catalog.relation(entry.relationOid)?.name ?? '') : '';
      if (entry.alias === name || relationName === name) {
        hidden = { alias: entry.alias, relationName };
        break;
      }
    }
  }
  if (!hidden)
    return new DbError('undefined_table', `missing FROM-clause entry for table "${name}"`).at(position);
  const hint =
    hidden.alias !== name && visibleByAlias(scope, hidden.alias)
      ? `Perhaps you meant to reference the table alias "${hidden.alias}".`
      : hidden.alias === name
        ? `There is an entry for table "${name}", but it cannot be referenced from this part of the query.`
        : undefined;
  return new DbError(
    'undefined_table',
    `invalid reference to FROM-clause entry for table "${name}"`,
    hint ? { hint } : {},
  ).at(position);
}

function visibleByAlias(scope: Scope, alias: string): boolean {
  for (let level: Scope | null = scope; level; level = level.parent)
    if (level.namespace.some((item) => item.isRelationVisible && item.name === alias)) return true;
  return false;
}

/** Column of a row value: names and types of its fields in order. */
export interface RowField {
  name: string;
  typeOid: Oid;
  typmod: number;
  collation: Oid;
  dropped: boolean;
}

/** Fields of a composite-typed expression; null when it is none or cannot be known. */
export function fieldsOf(scope: Scope, expr: Expr): RowField[] | null {
  const type = scope.catalog.type(baseTypeOid(scope.catalog, expr.typeOid));
  if (type && type.relationOid !== 0) {
    const relation = scope.catalog.relation(type.relationOid);
    return relation
      ? relation.columns.map((column) => ({
          name: column.name,
          typeOid: column.typeOid,
          typmod: column.typmod,
          collation: column.collation,
          dropped: column.dropped,
        }))
      : null;
  }
  if (expr.typeOid !== T.RECORD) return null;
  if (expr.kind === 'row')
    return expr.args.map((arg, index) => ({
      name: expr.fieldNames[index] ?? `f${index + 1}`,
      typeOid: arg.typeOid,
      typmod: arg.typmod,
      collation: arg.collation,
      dropped: false,
    }));
  if (expr.kind === 'function') {
    const fields = outFieldsOf(scope, expr.functionOid);
    if (!fields) return null;
    const actual = polymorphicOutTypes(
      scope,
      expr,
      fields.map((field) => field.typeOid),
    );
    return fields.map((field, index) => ({
      ...field,
      typeOid: actual[index],
      collation: scope.catalog.type(actual[index])?.collation ?? 0,
    }));
  }
  if (expr.kind === 'var') return recordVarFields(scope, expr);
  if (expr.kind === 'param') return scope.context.names?.fieldsOf(expr) ?? null;
  return null;
}

function recordVarFields(scope: Scope, variable: VarExpr): RowField[] | null {
  const level = scope.outer(variable.levelsUp);
  const entry = level.rangeTable[variable.relation - 1];
  if (!entry) throw internalError('column of an unknown range table entry');
  if (variable.attribute === 0)
    return entry.columnNames.map((name, index) => ({
      name,
      ...entry.columnTypes[index],
      dropped: name === '',
    }));
  if (entry.kind === 'subquery') {
    const target = entry.query.targets.filter((item) => !item.junk)[variable.attribute - 1];
    if (!target) return null;
    if (target.expr.kind === 'row' || target.expr.kind === 'function') return fieldsOf(scope, target.expr);
    if (target.expr.kind === 'var' && target.expr.levelsUp === 0) {
      const inner = scope.child();
      inner.rangeTable = entry.query.rangeTable;
      return recordVarFields(inner, target.expr);
    }
    return null;
  }
  if (entry.kind === 'join') return fieldsOf(level, entry.columns[variable.attribute - 1]);
  if (entry.kind === 'values')
    return entry.rows[0] ? fieldsOf(level, entry.rows[0][variable.attribute - 1]) : null;
  if (entry.kind === 'function' && entry.functions[0]) return fieldsOf(level, entry.functions[0].expr);
  return null;
}

/** Columns a function returns through OUT and TABLE arguments; null when it has fewer than two. */
export function outFieldsOf(scope: Scope, functionOid: Oid): RowField[] | null {
  const descriptor = scope.catalog.function(functionOid);
  if (!descriptor?.allArgumentTypes || !descriptor.argumentModes) return null;
  const fields: RowField[] = [];
  descriptor.argumentModes.forEach((mode, index) => {
    if (mode !== 'o' && mode !== 'b' && mode !== 't') return;
    const typeOid = descriptor.allArgumentTypes![index];
    fields.push({
      name: descriptor.argumentNames?.[index] || `column${fields.length + 1}`,
      typeOid,
      typmod: -1,
      collation: scope.catalog.type(typeOid)?.collation ?? 0,
      dropped: false,
    });
  });
  return fields.length > 0 ? fields : null;
}

/** `(arg).name`: the field, or null when the row has none of that name. */
export function selectField(scope: Scope, arg: Expr, name: string, position?: number): Expr | null {
  if (arg.kind === 'var' && arg.attribute === 0) {
    const level = scope.outer(arg.levelsUp);
    const item = level.namespace.find(
      (candidate) => candidate.index === arg.relation && candidate.entry.kind !== 'join',
    );
    if (item) {
      const expr = columnOfItem(scope, item, name, arg.levelsUp, position);
      if (expr) return expr;
    }
  }
  const fields = fieldsOf(scope, arg);
  if (!fields) return null;
  const index = fields.findIndex((field) => field.name === name && !field.dropped);
  if (index < 0) return null;
  const field = fields[index];
  return {
    kind: 'fieldSelect',
    arg,
    field: index + 1,
    fieldName: name,
    typeOid: field.typeOid,
    typmod: field.typmod,
    collation: field.collation,
    position,
  };
}

export function missingField(scope: Scope, arg: Expr, name: string, position?: number): DbError {
  const { context } = scope;
  const fields = fieldsOf(scope, arg);
  if (fields) {
    if (arg.kind === 'var' && arg.attribute === 0) {
      const entry = scope.outer(arg.levelsUp).rangeTable[arg.relation - 1];
      return new DbError('undefined_column', `column ${entry.alias}.${name} does not exist`).at(position);
    }
    if (arg.typeOid === T.RECORD)
      return new DbError('undefined_column', `could not identify column "${name}" in record data type`).at(
        position,
      );
    return new DbError(
      'undefined_column',
      `column "${name}" not found in data type ${typeLabel(context, arg.typeOid)}`,
    ).at(position);
  }
  if (arg.typeOid === T.RECORD)
    return new DbError('undefined_column', `could not identify column "${name}" in record data type`).at(
      position,
    );
  return new DbError(
    'wrong_object_type',
    `column notation .${name} applied to type ${typeLabel(context, arg.typeOid)}, which is not a composite type`,
  ).at(position);
}

/** OUT arguments of polymorphic type take theirs from the call's arguments. */
export function polymorphicOutTypes(scope: Scope, expr: Expr, outTypes: number[]): number[] {
  if (expr.kind !== 'function' || !outTypes.some(T.isPolymorphic)) return outTypes;
  const { catalog } = scope;
  let element = 0;
  const declared = catalog.function(expr.functionOid)?.argumentTypes ?? [];
  declared.forEach((oid, index) => {
    const actual = expr.args[index]?.typeOid ?? 0;
    if (oid === T.ANYELEMENT || oid === T.ANYNONARRAY || oid === T.ANYCOMPATIBLE) element ||= actual;
    if (oid === T.ANYARRAY || oid === T.ANYCOMPATIBLEARRAY) element ||= catalog.type(actual)?.elementOid ?? 0;
  });
  return outTypes.map((oid) => {
    if (oid === T.ANYELEMENT || oid === T.ANYNONARRAY || oid === T.ANYCOMPATIBLE) return element;
    if (oid === T.ANYARRAY || oid === T.ANYCOMPATIBLEARRAY) return catalog.type(element)?.arrayOid ?? oid;
    return oid;
  });
}
