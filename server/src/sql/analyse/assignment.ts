/** Values for target columns: coercion on assignment, and assignment to array elements and row fields. */
import { DbError } from '../../base/error.ts';
import type { ColumnDescriptor, RelationDescriptor } from '../../catalog/contract.ts';
import { FIXED_ARRAYS } from '../../types/geometry/index.ts';
import { type Node, positionOf, type ResTarget, stringOf } from '../parse/ast.ts';
import { closestNames } from '../parse/spelling.ts';
import type { Expr } from '../tree.ts';
import { mapExpr } from '../walk.ts';
import { baseType, coerceToDomain, coerceToTarget } from './coerce.ts';
import { SYSTEM_COLUMNS } from './columns.ts';
import { jsonSubscript, transformIndices } from './containers.ts';
import { exprPosition } from './location.ts';
import { makeConst } from './make.ts';
import type { Scope } from './scope.ts';
import { typeLabel } from './type-name.ts';

/** The column an INSERT or UPDATE names. */
export function targetColumn(
  relation: RelationDescriptor,
  target: ResTarget,
  isInsert = false,
): ColumnDescriptor {
  const name = target.name ?? '';
  const position = positionOf(target.location);
  const column = relation.columns.find((item) => item.name === name && !item.dropped);
  if (column) return column;
  if (!isInsert && SYSTEM_COLUMNS.has(name))
    throw new DbError('feature_not_supported', `cannot assign to system column "${name}"`).at(position);
  const close = closestNames(
    name,
    relation.columns.filter((item) => !item.dropped).map((item) => item.name),
  );
  throw new DbError('undefined_column', `column "${name}" of relation "${relation.name}" does not exist`, {
    ...(close.length > 0
      ? { hint: `Perhaps you meant to reference the column "${relation.name}.${close[0]}".` }
      : {}),
  }).at(position);
}

export function defaultMarker(column: ColumnDescriptor, position?: number): Expr {
  return {
    kind: 'default',
    typeOid: column.typeOid,
    typmod: column.typmod,
    collation: column.collation,
    position,
  };
}

/**
 * Makes `expr` fit the column, through `indirection` if an element or field is assigned.
 * `current` gives the column's value before (a NULL of its type in INSERT).
 */
export function assignToColumn(
  scope: Scope,
  expr: Expr,
  column: ColumnDescriptor,
  indirection: readonly Node[] | undefined,
  current: Expr,
  position: number | undefined,
): Expr {
  if (expr.kind === 'default') {
    if (indirection?.length)
      throw new DbError(
        'feature_not_supported',
        'A_Indices' in indirection[0]
          ? 'cannot set an array element to DEFAULT'
          : 'cannot set a subfield to DEFAULT',
      ).at(position);
    return { ...expr, typeOid: column.typeOid, typmod: column.typmod, collation: column.collation };
  }
  if (indirection?.length)
    return assignIndirect(scope, current, column.name, false, column, indirection, expr, position);
  const result = coerceToTarget(
    scope,
    expr,
    expr.typeOid,
    column.typeOid,
    column.typmod,
    'assignment',
    'implicitCast',
    exprPosition(expr),
  );
  if (!result)
    throw new DbError(
      'datatype_mismatch',
      `column "${column.name}" is of type ${typeLabel(scope.context, column.typeOid)} but expression is of type ${typeLabel(scope.context, expr.typeOid)}`,
      { hint: 'You will need to rewrite or cast the expression.' },
    ).at(exprPosition(expr) ?? position);
  return result;
}

interface TargetType {
  typeOid: number;
  typmod: number;
  collation: number;
}

function assignIndirect(
  scope: Scope,
  container: Expr,
  name: string,
  isSubscripting: boolean,
  target: TargetType,
  steps: readonly Node[],
  value: Expr,
  position: number | undefined,
): Expr {
  const subscripts: { uidx?: Node; lidx?: Node; is_slice?: boolean }[] = [];
  let rest = 0;
  while (rest < steps.length && 'A_Indices' in steps[rest]) {
    subscripts.push(
      (steps[rest] as { A_Indices: { uidx?: Node; lidx?: Node; is_slice?: boolean } }).A_Indices,
    );
    rest++;
  }
  if (subscripts.length > 0)
    return assignSubscript(scope, container, name, target, subscripts, steps.slice(rest), value, position);
  if (steps.length === 0) {
    const result = coerceToTarget(
      scope,
      value,
      value.typeOid,
      target.typeOid,
      target.typmod,
      'assignment',
      'implicitCast',
      exprPosition(value),
    );
    if (result) return result;
    throw new DbError(
      'datatype_mismatch',
      isSubscripting
        ? `subscripted assignment to "${name}" requires type ${typeLabel(scope.context, target.typeOid)} but expression is of type ${typeLabel(scope.context, value.typeOid)}`
        : `subfield "${name}" is of type ${typeLabel(scope.context, target.typeOid)} but expression is of type ${typeLabel(scope.context, value.typeOid)}`,
      { hint: 'You will need to rewrite or cast the expression.' },
    ).at(exprPosition(value) ?? position);
  }
  const step = steps[0];
  if ('A_Star' in step)
    throw new DbError('feature_not_supported', 'row expansion via "*" is not supported here').at(position);
  const field = stringOf(step);
  const base = baseType(scope.catalog, target.typeOid, target.typmod);
  const relation = scope.catalog.relation(scope.typeOf(base.typeOid).relationOid);
  if (!relation)
    throw new DbError(
      'datatype_mismatch',
      `cannot assign to field "${field}" of column "${name}" because its type ${typeLabel(scope.context, target.typeOid)} is not a composite type`,
    ).at(position);
  const column = relation.columns.find((item) => item.name === field && !item.dropped);
  if (!column)
    throw new DbError(
      'undefined_column',
      `cannot assign to field "${field}" of column "${name}" because there is no such column in data type ${typeLabel(scope.context, target.typeOid)}`,
    ).at(position);
  const inner: Expr = {
    kind: 'fieldSelect',
    arg: container,
    field: column.number,
    fieldName: field,
    typeOid: column.typeOid,
    typmod: column.typmod,
    collation: column.collation,
  };
  const assigned = assignIndirect(scope, inner, field, false, column, steps.slice(1), value, position);
  const store: Expr = {
    kind: 'fieldStore',
    arg: container,
    fields: [column.number],
    values: [assigned],
    typeOid: base.typeOid,
    typmod: -1,
    collation: 0,
    position,
  };
  return base.typeOid === target.typeOid
    ? store
    : coerceToDomain(scope, store, target.typeOid, 'assignment', 'implicitCast', position);
}

function assignSubscript(
  scope: Scope,
  container: Expr,
  name: string,
  target: TargetType,
  subscripts: readonly { uidx?: Node; lidx?: Node; is_slice?: boolean }[],
  steps: readonly Node[],
  value: Expr,
  position: number | undefined,
): Expr {
  const base = baseType(scope.catalog, target.typeOid, target.typmod);
  const type = scope.typeOf(base.typeOid);
  if (type.oid === JSONB)
    return assignJsonPart(scope, container, name, target, subscripts, steps, value, position);
  if (!type.isTrueArray && !FIXED_ARRAYS.has(type.oid))
    throw new DbError(
      'datatype_mismatch',
      `cannot subscript type ${typeLabel(scope.context, target.typeOid)} because it does not support subscripting`,
    ).at(position);
  const isSlice = subscripts.some((item) => item.is_slice);
  const { upper, lower } = transformIndices(scope, subscripts, isSlice);
  const element = scope.typeOf(type.elementOid);
  const elementTarget: TargetType = isSlice
    ? { typeOid: base.typeOid, typmod: base.typmod, collation: type.collation }
    : { typeOid: type.elementOid, typmod: base.typmod, collation: element.collation };
  const read: Expr = {
    kind: 'subscript',
    arg: container,
    upper,
    lower,
    assignment: null,
    typeOid: elementTarget.typeOid,
    typmod: base.typmod,
    collation: elementTarget.collation,
  };
  const assigned = assignIndirect(scope, read, name, true, elementTarget, steps, value, position);
  const node: Expr = {
    kind: 'subscript',
    arg: container,
    upper,
    lower,
    assignment: assigned,
    typeOid: base.typeOid,
    typmod: base.typmod,
    collation: type.collation,
    position,
  };
  return base.typeOid === target.typeOid
    ? node
    : coerceToDomain(scope, node, target.typeOid, 'assignment', 'implicitCast', position);
}

const JSONB = 3802;

/** `column['key'][0] = value`: the path as it is written, integers and texts. */
function assignJsonPart(
  scope: Scope,
  container: Expr,
  name: string,
  target: TargetType,
  subscripts: readonly { uidx?: Node; lidx?: Node; is_slice?: boolean }[],
  steps: readonly Node[],
  value: Expr,
  position: number | undefined,
): Expr {
  const path = subscripts.map((item) => jsonSubscript(scope, item, position));
  const part: TargetType = { typeOid: JSONB, typmod: -1, collation: 0 };
  const read: Expr = {
    kind: 'subscript',
    arg: container,
    upper: path,
    lower: null,
    assignment: null,
    ...part,
  };
  const assigned = assignIndirect(scope, read, name, true, part, steps, value, position);
  const node: Expr = { ...read, assignment: assigned, position };
  return target.typeOid === JSONB
    ? node
    : coerceToDomain(scope, node, target.typeOid, 'assignment', 'implicitCast', position);
}

/** Stands for the column's value before, in INSERT: a NULL that a later assignment to the same column replaces. */
const beginnings = new WeakSet<Expr>();

export function beginningValue(scope: Scope, column: ColumnDescriptor): Expr {
  const value = makeConst(scope.catalog, column.typeOid, null, { typmod: column.typmod });
  beginnings.add(value);
  return value;
}

/**
 * Two assignments to parts of one column: the later one works on what the earlier one made. A domain around the earlier one
 * is checked only once, on the whole.
 */
export function mergeAssignments(earlier: Expr, later: Expr, isBeginning = isInsertBeginning): Expr {
  const value = earlier.kind === 'domainCast' ? earlier.arg : earlier;
  return mapExpr(later, (node, depth) => (depth === 0 && isBeginning(node) ? value : undefined));
}

function isInsertBeginning(expr: Expr): boolean {
  return beginnings.has(expr);
}

/** True for what an assignment to a part of a column became. */
export function isPartialAssignment(expr: Expr): boolean {
  const stored = expr.kind === 'domainCast' ? expr.arg : expr;
  return (stored.kind === 'subscript' && stored.assignment !== null) || stored.kind === 'fieldStore';
}

/** The value that an assignment stores, taken out of its `steps` levels of parts. */
export function assignedPart(expr: Expr): Expr {
  let part = expr;
  while (isPartialAssignment(part)) {
    const stored = part.kind === 'domainCast' ? part.arg : part;
    if (stored.kind === 'fieldStore') part = stored.values[0];
    else if (stored.kind === 'subscript') part = stored.assignment!;
  }
  return part;
}
