/** Operators: look-up by operand types, construction of operator nodes, ordering operators of a type. */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { OperatorDescriptor } from '../../catalog/contract.ts';
import { type Node, stringsOf } from '../parse/ast.ts';
import type { Expr, OperatorExpr } from '../tree.ts';
import { matchCandidates, selectCandidate } from './candidates.ts';
import { baseTypeOid, coerceType } from './coerce.ts';
import { exprPosition } from './location.ts';
import * as T from './oids.ts';
import { resolveGenericTypes } from './polymorphic.ts';
import type { Scope } from './scope.ts';
import { typeLabel } from './type-name.ts';

function split(names: readonly Node[]): { schema: string | null; name: string; text: string } {
  const parts = stringsOf(names);
  return {
    schema: parts.length > 1 ? parts[parts.length - 2] : null,
    name: parts[parts.length - 1],
    text: parts.join('.'),
  };
}

function signature(scope: Scope, text: string, left: Oid, right: Oid): string {
  const rightText = typeLabel(scope.context, right);
  return left ? `${typeLabel(scope.context, left)} ${text} ${rightText}` : `${text} ${rightText}`;
}

/** The operator for these operand types (left 0 = prefix). 42883 or 42725 when none or several fit. */
export function findOperator(
  scope: Scope,
  names: readonly Node[],
  left: Oid,
  right: Oid,
  position?: number,
): OperatorDescriptor {
  const { schema, name, text } = split(names);
  if (schema !== null && !scope.catalog.namespaceByName(schema))
    throw new DbError('undefined_schema', `schema "${schema}" does not exist`).at(position);
  const found = lookUp(scope, schema, name, left, right);
  if (found.operator) return found.operator;
  const operands = left ? 'types' : 'type';
  if (found.isAmbiguous)
    throw new DbError(
      'ambiguous_function',
      `operator is not unique: ${signature(scope, text, left, right)}`,
      {
        hint: 'Could not choose a best candidate operator. You might need to add explicit type casts.',
      },
    ).at(position);
  throw new DbError('undefined_function', `operator does not exist: ${signature(scope, text, left, right)}`, {
    hint: left
      ? `No operator matches the given name and argument ${operands}. You might need to add explicit type casts.`
      : `No operator matches the given name and argument ${operands}. You might need to add an explicit type cast.`,
  }).at(position);
}

function lookUp(
  scope: Scope,
  schema: string | null,
  name: string,
  left: Oid,
  right: Oid,
): { operator: OperatorDescriptor | null; isAmbiguous: boolean } {
  const { catalog } = scope;
  const all = catalog.operatorsByName(schema, name, scope.context.path);
  // Exact match, an unknown operand taken as the other's type.
  const exactLeft = left === T.UNKNOWN && right !== T.UNKNOWN ? right : left;
  const exactRight = right === T.UNKNOWN && left !== T.UNKNOWN && left !== 0 ? left : right;
  for (const operator of all)
    if (operator.leftType === exactLeft && operator.rightType === exactRight)
      return { operator, isAmbiguous: false };
  if ((left === T.UNKNOWN || right === T.UNKNOWN) && left !== 0) {
    const base = baseTypeOid(catalog, exactLeft);
    if (base !== exactLeft) {
      for (const operator of all)
        if (operator.leftType === base && operator.rightType === base)
          return { operator, isAmbiguous: false };
    }
  }
  const isPrefix = left === 0;
  const inputs = isPrefix ? [right] : [left, right];
  const candidates = all
    .filter((operator) => (operator.leftType === 0) === isPrefix)
    .map((operator) => ({
      oid: operator.oid,
      args: isPrefix ? [operator.rightType] : [operator.leftType, operator.rightType],
      operator,
    }));
  const matching = matchCandidates(scope, inputs, candidates);
  if (matching.length === 0) return { operator: null, isAmbiguous: false };
  if (matching.length === 1) return { operator: matching[0].operator, isAmbiguous: false };
  const chosen = selectCandidate(scope, inputs, matching);
  return chosen ? { operator: chosen.operator, isAmbiguous: false } : { operator: null, isAmbiguous: true };
}

/** Builds `left op right` (left null = prefix). */
export function makeOperator(
  scope: Scope,
  names: readonly Node[],
  left: Expr | null,
  right: Expr,
  position?: number,
): OperatorExpr {
  const operator = findOperator(scope, names, left ? left.typeOid : 0, right.typeOid, position);
  return applyOperator(scope, operator, left, right, position);
}

export function applyOperator(
  scope: Scope,
  operator: OperatorDescriptor,
  left: Expr | null,
  right: Expr,
  position?: number,
): OperatorExpr {
  const args = left ? [left, right] : [right];
  const declared = left ? [operator.leftType, operator.rightType] : [operator.rightType];
  const resultType = resolveGenericTypes(
    scope,
    args.map((arg) => arg.typeOid),
    declared,
    operator.resultType,
  );
  for (let index = 0; index < args.length; index++)
    args[index] = coerceArgument(scope, args[index], declared[index]);
  const isSet = scope.catalog.function(operator.functionOid)?.returnsSet ?? false;
  return {
    kind: 'operator',
    operatorOid: operator.oid,
    functionOid: operator.functionOid,
    args,
    returnsSet: isSet,
    typeOid: resultType,
    typmod: -1,
    collation: 0,
    position,
  };
}

/** Implicit coercion of one argument to the declared type. */
export function coerceArgument(scope: Scope, arg: Expr, declared: Oid): Expr {
  if (arg.typeOid === declared) return arg;
  return coerceType(scope, arg, arg.typeOid, declared, -1, 'implicit', 'implicitCast', exprPosition(arg));
}

/** Builds `left op ANY|ALL (array)`. */
export function makeArrayOperator(
  scope: Scope,
  names: readonly Node[],
  any: boolean,
  left: Expr,
  right: Expr,
  position?: number,
): Expr {
  const { catalog } = scope;
  let elementType: Oid;
  if (right.typeOid === T.UNKNOWN) elementType = T.UNKNOWN;
  else {
    const type = catalog.type(baseTypeOid(catalog, right.typeOid));
    elementType =
      type && (type.isTrueArray || type.oid === T.INT2VECTOR || type.oid === T.OIDVECTOR)
        ? type.elementOid
        : 0;
    if (!elementType)
      throw new DbError('wrong_object_type', 'op ANY/ALL (array) requires array on right side').at(position);
  }
  const operator = findOperator(scope, names, left.typeOid, elementType, position);
  const declared = [operator.leftType, operator.rightType];
  const resultType = resolveGenericTypes(scope, [left.typeOid, elementType], declared, operator.resultType);
  if (resultType !== T.BOOL)
    throw new DbError('wrong_object_type', 'op ANY/ALL (array) requires operator to yield boolean').at(
      position,
    );
  const descriptor = catalog.function(operator.functionOid);
  if (descriptor?.returnsSet)
    throw new DbError('wrong_object_type', 'op ANY/ALL (array) requires operator not to return a set').at(
      position,
    );
  // int2vector and oidvector are arrays to operators: keep them where the element type already fits.
  let arrayType: Oid;
  if (declared[1] === elementType) arrayType = baseTypeOid(catalog, right.typeOid);
  else arrayType = catalog.type(declared[1])?.arrayOid ?? 0;
  if (right.typeOid === T.UNKNOWN) arrayType = catalog.type(declared[1])?.arrayOid ?? 0;
  if (!arrayType)
    throw new DbError(
      'undefined_object',
      `could not find array type for data type ${typeLabel(scope.context, declared[1])}`,
    ).at(position);
  return {
    kind: 'arrayOperator',
    operatorOid: operator.oid,
    functionOid: operator.functionOid,
    any,
    args: [coerceArgument(scope, left, declared[0]), coerceArgument(scope, right, arrayType)],
    typeOid: T.BOOL,
    typmod: -1,
    collation: 0,
    position,
  };
}

export interface SortOperators {
  equal: Oid;
  less: Oid;
  greater: Oid;
}

/** Ordering operators of a type; 42883 with hint when it has none. */
export function sortOperators(
  scope: Scope,
  typeOid: Oid,
  need: 'order' | 'equal',
  position?: number,
): SortOperators {
  const operators = scope.catalog.orderingOperators(typeOid);
  if (need === 'order' && (!operators.less || !operators.greater || !operators.equal))
    throw new DbError(
      'undefined_function',
      `could not identify an ordering operator for type ${typeLabel(scope.context, typeOid)}`,
      { hint: 'Use an explicit ordering operator or modify the query.' },
    ).at(position);
  if (need === 'equal' && !operators.equal)
    throw new DbError(
      'undefined_function',
      `could not identify an equality operator for type ${typeLabel(scope.context, typeOid)}`,
    ).at(position);
  return operators;
}
