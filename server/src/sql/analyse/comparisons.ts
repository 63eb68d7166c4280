/** Operators as written: comparisons of values and rows, IN, BETWEEN, IS DISTINCT FROM, NULLIF, IS tests. */
import { DbError, notSupported } from '../../base/error.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import {
  type A_Expr,
  as,
  type Node,
  positionOf,
  type RowExpr as RawRowExpr,
  type SubLink,
  stringOf,
  stringsOf,
} from '../parse/ast.ts';
import type { PackedList } from '../parse/pack.ts';
import type { Expr } from '../tree.ts';
import { coerceToBoolean, coerceToCommonType, selectCommonType } from './coerce.ts';
import { transformRow } from './containers.ts';
import { transformExpr } from './expressions.ts';
import { makeBool, makeBoolExpr } from './make.ts';
import * as T from './oids.ts';
import { makeArrayOperator, makeOperator } from './operators.ts';
import type { Scope } from './scope.ts';
import { transformSubLink } from './sublinks.ts';
import { typeLabel } from './type-name.ts';

export function op(name: string): Node[] {
  return [{ String: { sval: name } } as Node];
}

export function transformAExpr(scope: Scope, expr: A_Expr): Expr {
  const position = positionOf(expr.location);
  switch (expr.kind) {
    case 'AEXPR_OP': {
      const left = expr.lexpr;
      const right = expr.rexpr!;
      const leftRow = as(left, 'RowExpr') as RawRowExpr | undefined;
      if (leftRow) {
        const link = as(right, 'SubLink') as SubLink | undefined;
        if (link?.subLinkType === 'EXPR_SUBLINK')
          return transformSubLink(scope, {
            ...link,
            subLinkType: 'ROWCOMPARE_SUBLINK',
            testexpr: left,
            operName: expr.name,
            location: expr.location,
          });
        const rightRow = as(right, 'RowExpr') as RawRowExpr | undefined;
        if (rightRow) {
          const leftExpr = transformRow(scope, leftRow);
          const rightExpr = transformRow(scope, rightRow);
          if (leftExpr.kind === 'row' && rightExpr.kind === 'row')
            return compareRows(scope, expr.name!, leftExpr.args, rightExpr.args, position);
        }
      }
      return makeSetAware(
        scope,
        expr.name!,
        left ? transformExpr(scope, left) : null,
        transformExpr(scope, right),
        position,
      );
    }
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL':
      return makeArrayOperator(
        scope,
        expr.name!,
        expr.kind === 'AEXPR_OP_ANY',
        transformExpr(scope, expr.lexpr!),
        transformExpr(scope, expr.rexpr!),
        position,
      );
    case 'AEXPR_DISTINCT':
    case 'AEXPR_NOT_DISTINCT': {
      const rightConst = as(expr.rexpr, 'A_Const');
      const leftConst = as(expr.lexpr, 'A_Const');
      const isNull = expr.kind === 'AEXPR_NOT_DISTINCT';
      if (rightConst?.isnull) return nullTest(transformExpr(scope, expr.lexpr!), isNull, position);
      if (leftConst?.isnull) return nullTest(transformExpr(scope, expr.rexpr!), isNull, position);
      const distinct = makeDistinct(
        scope,
        expr.name!,
        transformExpr(scope, expr.lexpr!),
        transformExpr(scope, expr.rexpr!),
        position,
      );
      return isNull ? makeBoolExpr('not', [distinct], position) : distinct;
    }
    case 'AEXPR_NULLIF': {
      const left = transformExpr(scope, expr.lexpr!);
      const right = transformExpr(scope, expr.rexpr!);
      const equal = makeOperator(scope, expr.name!, left, right, position);
      if (equal.typeOid !== T.BOOL)
        throw new DbError('datatype_mismatch', 'NULLIF requires = operator to yield boolean').at(position);
      if (equal.returnsSet)
        throw new DbError('datatype_mismatch', 'NULLIF must not return a set').at(position);
      return {
        kind: 'nullif',
        operatorOid: equal.operatorOid,
        functionOid: equal.functionOid,
        args: [equal.args[0], equal.args[1]],
        typeOid: equal.args[0].typeOid,
        typmod: equal.args[0].typmod,
        collation: 0,
        position,
      };
    }
    case 'AEXPR_IN':
      return transformIn(scope, expr);
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
    case 'AEXPR_SIMILAR':
      return makeSetAware(
        scope,
        expr.name!,
        transformExpr(scope, expr.lexpr!),
        transformExpr(scope, expr.rexpr!),
        position,
      );
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
    case 'AEXPR_NOT_BETWEEN_SYM':
      return transformBetween(scope, expr);
    default:
      throw notSupported(`expression ${expr.kind}`);
  }
}

function makeSetAware(
  scope: Scope,
  name: Node[],
  left: Expr | null,
  right: Expr,
  position: number | undefined,
): Expr {
  const node = makeOperator(scope, name, left, right, position);
  if (node.returnsSet) scope.lastSetReturning = node;
  return node;
}

function makeDistinct(
  scope: Scope,
  name: Node[],
  left: Expr,
  right: Expr,
  position: number | undefined,
): Expr {
  if (left.kind === 'row' && right.kind === 'row') {
    if (left.args.length !== right.args.length)
      throw new DbError('syntax_error', 'unequal number of entries in row expressions').at(position);
    if (left.args.length === 0) return { ...makeBool(false), position };
    const parts = left.args.map((arg, index) => makeDistinct(scope, name, arg, right.args[index], position));
    return parts.length === 1 ? parts[0] : makeBoolExpr('or', parts, position);
  }
  const equal = makeOperator(scope, name, left, right, position);
  if (equal.typeOid !== T.BOOL)
    throw new DbError('datatype_mismatch', 'IS DISTINCT FROM requires = operator to yield boolean').at(
      position,
    );
  if (equal.returnsSet)
    throw new DbError('datatype_mismatch', 'IS DISTINCT FROM must not return a set').at(position);
  return {
    kind: 'distinct',
    operatorOid: equal.operatorOid,
    functionOid: equal.functionOid,
    args: [equal.args[0], equal.args[1]],
    typeOid: T.BOOL,
    typmod: -1,
    collation: 0,
    position,
  };
}

/** Row-wise comparison: AND of '=', OR of '<>', or a row comparison for the orderings. */
function compareRows(
  scope: Scope,
  name: Node[],
  left: readonly Expr[],
  right: readonly Expr[],
  position: number | undefined,
): Expr {
  if (left.length !== right.length)
    throw new DbError('syntax_error', 'unequal number of entries in row expressions').at(position);
  if (left.length === 0)
    throw new DbError('feature_not_supported', 'cannot compare rows of zero length').at(position);
  const operators = left.map((arg, index) => {
    const operator = makeOperator(scope, name, arg, right[index], position);
    if (operator.typeOid !== T.BOOL)
      throw new DbError(
        'datatype_mismatch',
        `row comparison operator must yield type boolean, not type ${typeLabel(scope.context, operator.typeOid)}`,
      ).at(position);
    if (operator.returnsSet)
      throw new DbError('datatype_mismatch', 'row comparison operator must not return a set').at(position);
    return operator;
  });
  if (operators.length === 1) return operators[0];
  switch (
    rowComparison(
      scope,
      operators.map((operator) => operator.operatorOid),
    )
  ) {
    case '=':
      return makeBoolExpr('and', operators, position);
    case '<>':
      return makeBoolExpr('or', operators, position);
    case '<':
      return rowCompare('<');
    case '<=':
      return rowCompare('<=');
    case '>':
      return rowCompare('>');
    case '>=':
      return rowCompare('>=');
    default:
      throw new DbError(
        'feature_not_supported',
        `could not determine interpretation of row comparison operator ${stringsOf(name).join('.')}`,
        { hint: 'Row comparison operators must be associated with btree operator families.' },
      ).at(position);
  }
  function rowCompare(comparison: '<' | '<=' | '>' | '>='): Expr {
    return {
      kind: 'rowCompare',
      op: comparison,
      operatorOids: operators.map((operator) => operator.operatorOid),
      left: operators.map((operator) => operator.args[0]),
      right: operators.map((operator) => operator.args[1]),
      typeOid: T.BOOL,
      typmod: -1,
      collation: 0,
      position,
    };
  }
}

const STRATEGY = ['', '<', '<=', '=', '>=', '>'] as const;

export function rowComparison(scope: Scope, operatorOids: readonly number[]): string | null {
  let meaning: string | null = null;
  for (const oid of operatorOids) {
    const operator = scope.catalog.operator(oid);
    let own: string = STRATEGY[operator?.btreeStrategy ?? 0];
    if (own === '' && operator?.negator && scope.catalog.operator(operator.negator)?.btreeStrategy === 3)
      own = '<>';
    if (own === '') return null;
    if (meaning !== null && meaning !== own) return null;
    meaning = own;
  }
  return meaning;
}

function containsVar(expr: Expr): boolean {
  switch (expr.kind) {
    case 'const':
    case 'param':
      return false;
    case 'var':
    case 'subLink':
    case 'aggregate':
      return true;
    case 'function':
    case 'operator':
      return expr.args.some(containsVar);
    case 'relabel':
    case 'ioCast':
    case 'collate':
      return containsVar(expr.arg);
    default:
      return true;
  }
}

function transformIn(scope: Scope, expr: A_Expr): Expr {
  const position = positionOf(expr.location);
  const isAny = stringOf(expr.name?.[0]) !== '<>';
  const left = transformExpr(scope, expr.lexpr!);
  const packed = (expr.rexpr as { PackedList?: PackedList } | undefined)?.PackedList;
  if (packed !== undefined) {
    const parts = packedIn(scope, expr, left, packed, isAny);
    if (parts !== null) return parts;
  }
  const items = (packed === undefined ? (as(expr.rexpr, 'List')?.items ?? []) : unpackedItems(packed)).map(
    (item) => transformExpr(scope, item),
  );
  const constants = items.filter((item) => !containsVar(item));
  const variables = items.filter((item) => containsVar(item));
  const parts: Expr[] = [];
  if (constants.length > 1 && left.kind !== 'row' && !constants.some((item) => item.kind === 'row')) {
    const common = selectCommonType(scope, [left, ...constants], null);
    const arrayType = common && common !== T.RECORD ? (scope.catalog.type(common)?.arrayOid ?? 0) : 0;
    if (arrayType) {
      const elements = constants.map((item) => coerceToCommonType(scope, item, common, 'IN'));
      const array: Expr = {
        kind: 'array',
        elementType: common,
        elements,
        multidimensional: false,
        typeOid: arrayType,
        typmod: -1,
        collation: scope.typeOf(arrayType).collation,
        position: undefined,
      };
      parts.push(makeArrayOperator(scope, expr.name!, isAny, left, array, position));
    } else variables.unshift(...constants);
  } else variables.splice(0, variables.length, ...items);
  for (const item of variables) {
    const comparison =
      left.kind === 'row' && item.kind === 'row'
        ? compareRows(scope, expr.name!, left.args, item.args, position)
        : makeOperator(scope, expr.name!, left, item, position);
    parts.push(coerceToBoolean(scope, comparison, 'IN'));
  }
  return parts.length === 1 ? parts[0] : makeBoolExpr(isAny ? 'or' : 'and', parts, position);
}

/** IN over a packed list: one array constant. Null when its items have to be looked at one by one. */
function packedIn(scope: Scope, expr: A_Expr, left: Expr, packed: PackedList, isAny: boolean): Expr | null {
  if (left.kind === 'row') return null;
  const constant = (value: number | string): Expr => transformExpr(scope, constantNode(packed, value));
  const first = constant(packed.values[0]!);
  // int8 and numeric look alike in the parser's eyes, and so only here.
  const values = packed.kind === 'float' ? packed.values.map((value) => constant(value)) : null;
  const types = values === null ? [first] : [...new Map(values.map((item) => [item.typeOid, item])).values()];
  const common = selectCommonType(scope, [left, ...types], null);
  const arrayType = common && common !== T.RECORD ? (scope.catalog.type(common)?.arrayOid ?? 0) : 0;
  if (!arrayType) return null;
  let elements: Datum[];
  if (packed.kind === 'int4' && common === T.INT4) elements = packed.values as number[];
  else if (packed.kind === 'int4' && common === T.INT8)
    elements = packed.values.map((value) => BigInt(value as number));
  else if (packed.kind === 'string' && common === T.TEXT) elements = packed.values as string[];
  else {
    elements = [];
    for (let index = 0; index < packed.values.length; index++) {
      const item = values === null ? constant(packed.values[index]!) : values[index]!;
      const coerced = coerceToCommonType(scope, item, common, 'IN');
      if (coerced.kind !== 'const') return null;
      elements.push(coerced.value);
    }
  }
  const array: Expr = {
    kind: 'const',
    value: new SqlArray(common, elements),
    typeOid: arrayType,
    typmod: -1,
    collation: scope.typeOf(arrayType).collation,
    position: positionOf(packed.location),
  };
  return makeArrayOperator(scope, expr.name!, isAny, left, array, positionOf(expr.location));
}

function constantNode({ kind, location }: PackedList, value: number | string): Node {
  const content =
    kind === 'int4'
      ? { ival: { ival: value } }
      : kind === 'float'
        ? { fval: { fval: value } }
        : { sval: { sval: value } };
  return { A_Const: { ...content, location } } as Node;
}

function unpackedItems(packed: PackedList): Node[] {
  return packed.values.map((value) => constantNode(packed, value));
}

function transformBetween(scope: Scope, expr: A_Expr): Expr {
  const position = positionOf(expr.location);
  const [low, high] = as(expr.rexpr, 'List')?.items ?? [];
  const compare = (name: string, left: Node, right: Node): Expr =>
    transformAExpr(scope, {
      kind: 'AEXPR_OP',
      name: op(name),
      lexpr: left,
      rexpr: right,
      location: expr.location,
    });
  const value = expr.lexpr!;
  const within = (a: Node, b: Node): Expr =>
    makeBoolExpr('and', [compare('>=', value, a), compare('<=', value, b)].map(asBool), position);
  const outside = (a: Node, b: Node): Expr =>
    makeBoolExpr('or', [compare('<', value, a), compare('>', value, b)].map(asBool), position);
  function asBool(part: Expr): Expr {
    return coerceToBoolean(scope, part, 'BETWEEN');
  }
  switch (expr.kind) {
    case 'AEXPR_BETWEEN':
      return within(low, high);
    case 'AEXPR_NOT_BETWEEN':
      return outside(low, high);
    case 'AEXPR_BETWEEN_SYM':
      return makeBoolExpr('or', [within(low, high), within(high, low)], position);
    default:
      return makeBoolExpr('and', [outside(low, high), outside(high, low)], position);
  }
}

function nullTest(arg: Expr, isNull: boolean, position: number | undefined): Expr {
  return {
    kind: 'nullTest',
    arg,
    isNull,
    argIsRow: arg.kind === 'row' || arg.typeOid === T.RECORD,
    typeOid: T.BOOL,
    typmod: -1,
    collation: 0,
    position,
  };
}

export function transformNullTest(
  scope: Scope,
  test: { arg?: Node; nulltesttype?: string; location?: number },
): Expr {
  const arg = transformExpr(scope, test.arg!);
  const node = nullTest(arg, test.nulltesttype !== 'IS_NOT_NULL', positionOf(test.location));
  if (node.kind === 'nullTest')
    node.argIsRow = arg.typeOid === T.RECORD || scope.catalog.type(arg.typeOid)?.kind === 'c';
  return node;
}

const BOOLEAN_TESTS = {
  IS_TRUE: ['true', 'IS TRUE'],
  IS_NOT_TRUE: ['notTrue', 'IS NOT TRUE'],
  IS_FALSE: ['false', 'IS FALSE'],
  IS_NOT_FALSE: ['notFalse', 'IS NOT FALSE'],
  IS_UNKNOWN: ['unknown', 'IS UNKNOWN'],
  IS_NOT_UNKNOWN: ['notUnknown', 'IS NOT UNKNOWN'],
} as const;

export function transformBooleanTest(
  scope: Scope,
  test: { arg?: Node; booltesttype?: string; location?: number },
): Expr {
  const [kind, label] = BOOLEAN_TESTS[(test.booltesttype ?? 'IS_TRUE') as keyof typeof BOOLEAN_TESTS];
  return {
    kind: 'booleanTest',
    arg: coerceToBoolean(scope, transformExpr(scope, test.arg!), label),
    test: kind,
    typeOid: T.BOOL,
    typmod: -1,
    collation: 0,
    position: positionOf(test.location),
  };
}
