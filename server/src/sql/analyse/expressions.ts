/** Raw expressions → typed expressions. One function per kind of raw node; names and calls are resolved in their own files. */
import { DbError, internalError, notSupported } from '../../base/error.ts';
import { Numeric } from '../../types/numeric.ts';
import {
  type A_ArrayExpr,
  type A_Const,
  type A_Expr,
  type A_Indirection,
  as,
  type ColumnRef,
  type FuncCall,
  type Node,
  positionOf,
  type RowExpr as RawRowExpr,
  type SQLValueFunction,
  type SubLink,
  stringOf,
  stringsOf,
  type TypeCast,
} from '../parse/ast.ts';
import type { BoolExpr, CaseExpr, Expr, SqlValueExpr, SubLinkExpr } from '../tree.ts';
import { finishGrouping } from './aggregates.ts';
import {
  baseType,
  coerceToBoolean,
  coerceToCommonType,
  coerceToTarget,
  elementTypeOf,
  selectCommonType,
  selectCommonTypmod,
} from './coerce.ts';
import {
  columnOfItem,
  findColumn,
  findItem,
  missingColumn,
  missingField,
  missingTable,
  selectField,
  wholeRow,
} from './columns.ts';
import { type CallParts, makeCall, namedArgument } from './functions.ts';
import { exprPosition } from './location.ts';
import { makeBool, makeBoolExpr, makeConst } from './make.ts';
import * as T from './oids.ts';
import { makeArrayOperator, makeOperator } from './operators.ts';
import type { ExpressionKind, Scope } from './scope.ts';
import { analyseSubquery } from './select.ts';
import { expandRowArgs } from './targets.ts';
import { resolveTypeName, typeLabel } from './type-name.ts';

/** A raw node that holds an expression already analysed (arguments used twice). */
interface AnalysedNode {
  Analysed: Expr;
}

function analysed(expr: Expr): Node {
  return { Analysed: expr } satisfies AnalysedNode as unknown as Node;
}

/** Analyses one expression; `kind` says where it stands (default: as around it). */
export function transformExpr(scope: Scope, node: Node, kind?: ExpressionKind): Expr {
  if (kind === undefined) return transform(scope, node);
  const saved = scope.kind;
  scope.kind = kind;
  const result = transform(scope, node);
  scope.kind = saved;
  return result;
}

function transform(scope: Scope, node: Node): Expr {
  for (const tag in node) {
    const content = (node as Record<string, unknown>)[tag];
    switch (tag) {
      case 'ColumnRef':
        return transformColumnRef(scope, content as ColumnRef);
      case 'A_Const':
        return transformConst(scope, content as A_Const);
      case 'A_Expr':
        return transformAExpr(scope, content as A_Expr);
      case 'FuncCall':
        return transformCall(scope, content as FuncCall);
      case 'TypeCast':
        return transformTypeCast(scope, content as TypeCast);
      case 'BoolExpr':
        return transformBool(scope, content as { boolop?: string; args?: Node[]; location?: number });
      case 'SubLink':
        return transformSubLink(scope, content as SubLink);
      case 'ParamRef': {
        const reference = content as { number?: number; location?: number };
        return scope.context.parameters.reference(reference.number ?? 0, positionOf(reference.location));
      }
      case 'CaseExpr':
        return transformCase(scope, content as RawCase);
      case 'NullTest':
        return transformNullTest(scope, content as { arg?: Node; nulltesttype?: string; location?: number });
      case 'BooleanTest':
        return transformBooleanTest(
          scope,
          content as { arg?: Node; booltesttype?: string; location?: number },
        );
      case 'A_ArrayExpr':
        return transformArray(scope, content as A_ArrayExpr, 0, 0, -1);
      case 'RowExpr':
        return transformRow(scope, content as RawRowExpr);
      case 'CoalesceExpr':
        return transformCoalesce(scope, content as { args?: Node[]; location?: number });
      case 'MinMaxExpr':
        return transformMinMax(scope, content as { op?: string; args?: Node[]; location?: number });
      case 'SQLValueFunction':
        return transformSqlValue(scope, content as SQLValueFunction);
      case 'A_Indirection':
        return transformIndirection(scope, content as A_Indirection);
      case 'CollateClause':
        return transformCollate(scope, content as { arg?: Node; collname?: Node[]; location?: number });
      case 'GroupingFunc': {
        const grouping = content as { args?: Node[]; location?: number };
        return finishGrouping(
          scope,
          (grouping.args ?? []).map((arg) => transform(scope, arg)),
          positionOf(grouping.location),
        );
      }
      case 'SetToDefault': {
        const position = positionOf((content as { location?: number }).location);
        throw new DbError('syntax_error', 'DEFAULT is not allowed in this context').at(position);
      }
      case 'NamedArgExpr':
        return transform(scope, (content as { arg: Node }).arg);
      case 'CurrentOfExpr':
        throw notSupported('WHERE CURRENT OF');
      case 'MultiAssignRef':
        throw internalError('multi-assignment outside UPDATE');
      case 'Analysed':
        return content as Expr;
      case 'XmlExpr':
      case 'XmlSerialize':
        throw notSupported('XML');
      default:
        throw notSupported(`${tag} in an expression`);
    }
  }
  throw internalError('empty raw node');
}

function transformConst(scope: Scope, constant: A_Const): Expr {
  const position = positionOf(constant.location);
  if (constant.isnull)
    return { kind: 'const', value: null, typeOid: T.UNKNOWN, typmod: -1, collation: 0, position };
  if (constant.ival)
    return {
      kind: 'const',
      value: constant.ival.ival ?? 0,
      typeOid: T.INT4,
      typmod: -1,
      collation: 0,
      position,
    };
  if (constant.sval !== undefined)
    return {
      kind: 'const',
      value: constant.sval.sval ?? '',
      typeOid: T.UNKNOWN,
      typmod: -1,
      collation: 0,
      position,
    };
  if (constant.boolval) return { ...makeBool(constant.boolval.boolval ?? false), position };
  if (constant.fval) {
    const text = (constant.fval.fval ?? '0').replaceAll('_', '');
    // Integers beyond int4 come as floats: int8 where they fit.
    if (/^[+-]?\d+$/.test(text)) {
      const value = BigInt(text);
      if (value >= -2147483648n && value <= 2147483647n)
        return { kind: 'const', value: Number(value), typeOid: T.INT4, typmod: -1, collation: 0, position };
      if (value >= -9223372036854775808n && value <= 9223372036854775807n)
        return { kind: 'const', value, typeOid: T.INT8, typmod: -1, collation: 0, position };
    }
    if (/^[+-]?0[xXoObB]/.test(text)) {
      const value = BigInt(text.replace(/^[+]/, ''));
      if (value <= 9223372036854775807n)
        return { kind: 'const', value, typeOid: T.INT8, typmod: -1, collation: 0, position };
    }
    const value =
      simpleNumeric(text) ?? scope.typeOf(T.NUMERIC).support.input(text, -1, scope.context.format);
    return { kind: 'const', value, typeOid: T.NUMERIC, typmod: -1, collation: 0, position };
  }
  if (constant.bsval) {
    // b'…' and x'…': hexadecimal digits stand for four bits each.
    const written = constant.bsval.bsval ?? 'b';
    const source = written.startsWith('x')
      ? [...written.slice(1)].map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0')).join('')
      : written.slice(1);
    try {
      return makeConst(
        scope.catalog,
        T.BIT,
        scope.typeOf(T.BIT).support.input(source, -1, scope.context.format),
        { position },
      );
    } catch (error) {
      if (error instanceof DbError) throw error.at(position);
      throw error;
    }
  }
  return { kind: 'const', value: null, typeOid: T.UNKNOWN, typmod: -1, collation: 0, position };
}

/** Plain short decimals without an exponent; others go through the type's input. */
function simpleNumeric(text: string): Numeric | null {
  const match = /^(\d{0,15})\.(\d{0,15})$/.exec(text);
  if (!match || match[1].length + match[2].length > 15 || match[1].length + match[2].length === 0)
    return null;
  return new Numeric(Number(match[1] + match[2]), match[2].length);
}

const NO_COLUMNS: Partial<Record<ExpressionKind, string>> = {
  columnDefault: 'cannot use column reference in DEFAULT expression',
  functionDefault: 'cannot use column reference in parameter default value',
};

function transformColumnRef(scope: Scope, reference: ColumnRef): Expr {
  const fields = reference.fields ?? [];
  const position = positionOf(reference.location);
  const forbidden = NO_COLUMNS[scope.kind];
  if (forbidden !== undefined) throw new DbError('feature_not_supported', forbidden).at(position);
  const last = fields[fields.length - 1];
  const isStar = 'A_Star' in last;
  if (fields.length === 1) {
    const name = stringOf(last);
    const column = findColumn(scope, name, position);
    if (column) return column;
    if (name === 'value' && scope.domainValue) return { ...scope.domainValue, position };
    const found = findItem(scope, null, name, position);
    if (found) return wholeRow(scope, found.item, found.levelsUp, position);
    throw missingColumn(scope, null, name, position);
  }
  const names = fields.map(stringOf);
  let schema: string | null = null;
  let relation: string;
  if (fields.length === 2) relation = names[0];
  else if (fields.length === 3) [schema, relation] = names;
  else if (fields.length === 4) {
    if (names[0] !== scope.catalog.databaseName)
      throw new DbError(
        'feature_not_supported',
        `cross-database references are not implemented: ${names.join('.')}`,
      ).at(position);
    [, schema, relation] = names;
  } else
    throw new DbError(
      'syntax_error',
      `improper qualified name (too many dotted names): ${names.join('.')}`,
    ).at(position);
  const found = findItem(scope, schema, relation, position);
  if (!found) throw missingTable(scope, relation, position);
  if (isStar) return wholeRow(scope, found.item, found.levelsUp, position);
  const name = names[names.length - 1];
  const column = columnOfItem(scope, found.item, name, found.levelsUp, position);
  if (column) return column;
  // A function of the row in column notation.
  const row = wholeRow(scope, found.item, found.levelsUp, position);
  if (
    row.kind === 'var' &&
    row.attribute === 0 &&
    scope.catalog.functionsByName(null, name, scope.context.path).length > 0
  ) {
    try {
      return makeCall(
        scope,
        { funcname: [{ String: { sval: name } } as Node] },
        {
          args: [row],
          argumentNames: [null],
          filter: null,
          orderedCount: 0,
          lastSetReturningBefore: scope.lastSetReturning,
        },
        position,
      );
    } catch (error) {
      if (!(error instanceof DbError) || error.code !== '42883') throw error;
    }
  }
  throw missingColumn(scope, relation, name, position);
}

function op(name: string): Node[] {
  return [{ String: { sval: name } } as Node];
}

function transformAExpr(scope: Scope, expr: A_Expr): Expr {
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
        left ? transform(scope, left) : null,
        transform(scope, right),
        position,
      );
    }
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL':
      return makeArrayOperator(
        scope,
        expr.name!,
        expr.kind === 'AEXPR_OP_ANY',
        transform(scope, expr.lexpr!),
        transform(scope, expr.rexpr!),
        position,
      );
    case 'AEXPR_DISTINCT':
    case 'AEXPR_NOT_DISTINCT': {
      const rightConst = as(expr.rexpr, 'A_Const');
      const leftConst = as(expr.lexpr, 'A_Const');
      const isNull = expr.kind === 'AEXPR_NOT_DISTINCT';
      if (rightConst?.isnull) return nullTest(transform(scope, expr.lexpr!), isNull, position);
      if (leftConst?.isnull) return nullTest(transform(scope, expr.rexpr!), isNull, position);
      const distinct = makeDistinct(
        scope,
        expr.name!,
        transform(scope, expr.lexpr!),
        transform(scope, expr.rexpr!),
        position,
      );
      return isNull ? makeBoolExpr('not', [distinct], position) : distinct;
    }
    case 'AEXPR_NULLIF': {
      const left = transform(scope, expr.lexpr!);
      const right = transform(scope, expr.rexpr!);
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
        transform(scope, expr.lexpr!),
        transform(scope, expr.rexpr!),
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

function rowComparison(scope: Scope, operatorOids: readonly number[]): string | null {
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
  const left = transform(scope, expr.lexpr!);
  const items = (as(expr.rexpr, 'List')?.items ?? []).map((item) => transform(scope, item));
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

function transformBool(scope: Scope, expr: { boolop?: string; args?: Node[]; location?: number }): Expr {
  const position = positionOf(expr.location);
  const name = expr.boolop === 'AND_EXPR' ? 'AND' : expr.boolop === 'OR_EXPR' ? 'OR' : 'NOT';
  const args = (expr.args ?? []).map((arg) => coerceToBoolean(scope, transform(scope, arg), name));
  return makeBoolExpr(name.toLowerCase() as BoolExpr['op'], args, position);
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

function transformNullTest(
  scope: Scope,
  test: { arg?: Node; nulltesttype?: string; location?: number },
): Expr {
  const arg = transform(scope, test.arg!);
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

function transformBooleanTest(
  scope: Scope,
  test: { arg?: Node; booltesttype?: string; location?: number },
): Expr {
  const [kind, label] = BOOLEAN_TESTS[(test.booltesttype ?? 'IS_TRUE') as keyof typeof BOOLEAN_TESTS];
  return {
    kind: 'booleanTest',
    arg: coerceToBoolean(scope, transform(scope, test.arg!), label),
    test: kind,
    typeOid: T.BOOL,
    typmod: -1,
    collation: 0,
    position: positionOf(test.location),
  };
}

interface RawCase {
  arg?: Node;
  args?: Node[];
  defresult?: Node;
  location?: number;
}

const LATERAL_HINT = 'You might be able to move the set-returning function into a LATERAL FROM item.';

function transformCase(scope: Scope, raw: RawCase): Expr {
  const before = scope.lastSetReturning;
  let arg: Expr | null = null;
  let placeholder: Expr | null = null;
  if (raw.arg) {
    arg = transform(scope, raw.arg);
    if (arg.typeOid === T.UNKNOWN) arg = coerceToCommonType(scope, arg, T.TEXT, 'CASE');
    placeholder = { kind: 'caseTest', typeOid: arg.typeOid, typmod: arg.typmod, collation: arg.collation };
  }
  const whens: CaseExpr['whens'] = [];
  for (const item of raw.args ?? []) {
    const when = as(item, 'CaseWhen') as { expr?: Node; result?: Node; location?: number };
    const test = placeholder
      ? transformAExpr(scope, {
          kind: 'AEXPR_OP',
          name: op('='),
          lexpr: analysed(placeholder),
          rexpr: when.expr,
          location: when.location,
        })
      : transform(scope, when.expr!);
    whens.push({
      condition: coerceToBoolean(scope, test, 'CASE/WHEN'),
      result: transform(scope, when.result!),
    });
  }
  const otherwise: Expr = raw.defresult
    ? transform(scope, raw.defresult)
    : { kind: 'const', value: null, typeOid: T.UNKNOWN, typmod: -1, collation: 0 };
  const results = [otherwise, ...whens.map((when) => when.result)];
  const common = selectCommonType(scope, results, 'CASE');
  for (const when of whens) when.result = coerceToCommonType(scope, when.result, common, 'CASE/WHEN');
  const defaultResult = coerceToCommonType(scope, otherwise, common, 'CASE/ELSE');
  if (scope.lastSetReturning !== before)
    throw new DbError('feature_not_supported', 'set-returning functions are not allowed in CASE', {
      hint: LATERAL_HINT,
    }).at(scope.lastSetReturning?.position);
  return {
    kind: 'case',
    arg,
    whens,
    defaultResult,
    typeOid: common,
    typmod: selectCommonTypmod([defaultResult, ...whens.map((when) => when.result)], common),
    collation: 0,
    position: positionOf(raw.location),
  };
}

function transformCoalesce(scope: Scope, raw: { args?: Node[]; location?: number }): Expr {
  const before = scope.lastSetReturning;
  const args = (raw.args ?? []).map((arg) => transform(scope, arg));
  const common = selectCommonType(scope, args, 'COALESCE');
  const coerced = args.map((arg) => coerceToCommonType(scope, arg, common, 'COALESCE'));
  if (scope.lastSetReturning !== before)
    throw new DbError('feature_not_supported', 'set-returning functions are not allowed in COALESCE', {
      hint: LATERAL_HINT,
    }).at(scope.lastSetReturning?.position);
  return {
    kind: 'coalesce',
    args: coerced,
    typeOid: common,
    typmod: selectCommonTypmod(coerced, common),
    collation: 0,
    position: positionOf(raw.location),
  };
}

function transformMinMax(scope: Scope, raw: { op?: string; args?: Node[]; location?: number }): Expr {
  const name = raw.op === 'IS_LEAST' ? 'LEAST' : 'GREATEST';
  const args = (raw.args ?? []).map((arg) => transform(scope, arg));
  const common = selectCommonType(scope, args, name);
  const coerced = args.map((arg) => coerceToCommonType(scope, arg, common, name));
  const position = positionOf(raw.location);
  if (!scope.catalog.orderingOperators(common).less)
    throw new DbError(
      'undefined_function',
      `could not identify a comparison function for type ${typeLabel(scope.context, common)}`,
    ).at(position);
  return {
    kind: 'minmax',
    op: name === 'LEAST' ? 'least' : 'greatest',
    args: coerced,
    typeOid: common,
    typmod: selectCommonTypmod(coerced, common),
    collation: 0,
    position,
  };
}

const SQL_VALUES: Readonly<Record<string, { op: SqlValueExpr['op']; typeOid: number }>> = {
  SVFOP_CURRENT_DATE: { op: 'current_date', typeOid: T.DATE },
  SVFOP_CURRENT_TIME: { op: 'current_time', typeOid: T.TIMETZ },
  SVFOP_CURRENT_TIME_N: { op: 'current_time', typeOid: T.TIMETZ },
  SVFOP_CURRENT_TIMESTAMP: { op: 'current_timestamp', typeOid: T.TIMESTAMPTZ },
  SVFOP_CURRENT_TIMESTAMP_N: { op: 'current_timestamp', typeOid: T.TIMESTAMPTZ },
  SVFOP_LOCALTIME: { op: 'localtime', typeOid: T.TIME },
  SVFOP_LOCALTIME_N: { op: 'localtime', typeOid: T.TIME },
  SVFOP_LOCALTIMESTAMP: { op: 'localtimestamp', typeOid: T.TIMESTAMP },
  SVFOP_LOCALTIMESTAMP_N: { op: 'localtimestamp', typeOid: T.TIMESTAMP },
  SVFOP_CURRENT_ROLE: { op: 'current_role', typeOid: T.NAME },
  SVFOP_CURRENT_USER: { op: 'current_user', typeOid: T.NAME },
  SVFOP_USER: { op: 'user', typeOid: T.NAME },
  SVFOP_SESSION_USER: { op: 'session_user', typeOid: T.NAME },
  SVFOP_CURRENT_CATALOG: { op: 'current_catalog', typeOid: T.NAME },
  SVFOP_CURRENT_SCHEMA: { op: 'current_schema', typeOid: T.NAME },
};

function transformSqlValue(scope: Scope, raw: SQLValueFunction): Expr {
  const known = SQL_VALUES[raw.op ?? ''];
  if (!known) throw notSupported(raw.op ?? 'SQL value function');
  const typmod = raw.typmod ?? 0;
  return {
    kind: 'sqlValue',
    op: known.op,
    typeOid: known.typeOid,
    typmod: raw.op?.endsWith('_N') ? Math.min(typmod, 6) : -1,
    collation: scope.typeOf(known.typeOid).collation,
    position: positionOf(raw.location),
  };
}

function transformTypeCast(scope: Scope, cast: TypeCast): Expr {
  const target = resolveTypeName(scope.context, cast.typeName!);
  const array = as(cast.arg, 'A_ArrayExpr') as A_ArrayExpr | undefined;
  let arg: Expr;
  let position = positionOf(cast.location);
  if (array) {
    const base = baseType(scope.catalog, target.typeOid, target.typmod);
    const element = elementTypeOf(scope.catalog, base.typeOid);
    arg = element
      ? transformArray(scope, array, base.typeOid, element, base.typmod)
      : transform(scope, cast.arg!);
  } else arg = transform(scope, cast.arg!);
  if (position === undefined) position = positionOf(cast.typeName?.location);
  if (arg.typeOid === 0) return arg;
  const result = coerceToTarget(
    scope,
    arg,
    arg.typeOid,
    target.typeOid,
    target.typmod,
    'explicit',
    'explicitCast',
    position,
  );
  if (!result)
    throw new DbError(
      'cannot_coerce',
      `cannot cast type ${typeLabel(scope.context, arg.typeOid)} to ${typeLabel(scope.context, target.typeOid)}`,
    ).at(position);
  return result;
}

function transformArray(
  scope: Scope,
  raw: A_ArrayExpr,
  arrayType: number,
  elementType: number,
  typmod: number,
): Expr {
  const { catalog } = scope;
  let multidimensional = false;
  const elements = (raw.elements ?? []).map((node) => {
    const nested = as(node, 'A_ArrayExpr') as A_ArrayExpr | undefined;
    if (nested) {
      multidimensional = true;
      return transformArray(scope, nested, arrayType, elementType, typmod);
    }
    const expr = transform(scope, node);
    if (!multidimensional && catalog.type(expr.typeOid)?.isTrueArray) multidimensional = true;
    return expr;
  });
  const position = positionOf(raw.location);
  const isHard = arrayType !== 0;
  let coerceTo: number;
  if (arrayType) {
    coerceTo = multidimensional ? arrayType : elementType;
  } else {
    if (elements.length === 0)
      throw new DbError('indeterminate_datatype', 'cannot determine type of empty array', {
        hint: 'Explicitly cast to the desired type, for example ARRAY[]::integer[].',
      }).at(position);
    coerceTo = selectCommonType(scope, elements, 'ARRAY');
    if (multidimensional) {
      arrayType = coerceTo;
      elementType = elementTypeOf(catalog, arrayType);
      if (!elementType)
        throw new DbError(
          'undefined_object',
          `could not find element type for data type ${typeLabel(scope.context, arrayType)}`,
        ).at(position);
    } else {
      elementType = coerceTo;
      arrayType = catalog.type(elementType)?.arrayOid ?? 0;
      if (!arrayType)
        throw new DbError(
          'undefined_object',
          `could not find array type for data type ${typeLabel(scope.context, elementType)}`,
        ).at(position);
    }
  }
  const coerced = elements.map((element) => {
    if (!isHard) return coerceToCommonType(scope, element, coerceTo, 'ARRAY');
    const result = coerceToTarget(
      scope,
      element,
      element.typeOid,
      coerceTo,
      typmod,
      'explicit',
      'explicitCast',
      exprPosition(element),
    );
    if (!result)
      throw new DbError(
        'cannot_coerce',
        `cannot cast type ${typeLabel(scope.context, element.typeOid)} to ${typeLabel(scope.context, coerceTo)}`,
      ).at(exprPosition(element));
    return result;
  });
  return {
    kind: 'array',
    elementType,
    elements: coerced,
    multidimensional,
    typeOid: arrayType,
    typmod:
      coerced.length > 0 && coerced.every((item) => item.typmod === coerced[0].typmod)
        ? coerced[0].typmod
        : -1,
    collation: scope.typeOf(arrayType).collation,
    position,
  };
}

function transformRow(scope: Scope, raw: RawRowExpr): Expr {
  const args = expandRowArgs(scope, raw.args ?? []);
  if (args.length > 1664)
    throw new DbError('too_many_columns', 'ROW expressions can have at most 1664 entries').at(
      positionOf(raw.location),
    );
  return {
    kind: 'row',
    args,
    fieldNames: args.map((_, index) => `f${index + 1}`),
    typeOid: T.RECORD,
    typmod: -1,
    collation: 0,
    position: positionOf(raw.location),
  };
}

function transformCollate(scope: Scope, raw: { arg?: Node; collname?: Node[]; location?: number }): Expr {
  const arg = transform(scope, raw.arg!);
  const position = positionOf(raw.location);
  const type = scope.typeOf(arg.typeOid);
  if (type.collation === 0 && arg.typeOid !== T.UNKNOWN)
    throw new DbError(
      'datatype_mismatch',
      `collations are not supported by type ${typeLabel(scope.context, arg.typeOid)}`,
    ).at(position);
  const names = stringsOf(raw.collname);
  const schema = names.length > 1 ? names[names.length - 2] : null;
  const name = names[names.length - 1];
  if (schema !== null && !scope.catalog.namespaceByName(schema))
    throw new DbError('undefined_schema', `schema "${schema}" does not exist`).at(position);
  const collation = scope.catalog.collationByName(schema, name, scope.context.path);
  if (!collation)
    throw new DbError(
      'undefined_object',
      `collation "${names.join('.')}" for encoding "UTF8" does not exist`,
    ).at(position);
  return {
    kind: 'collate',
    arg,
    collationName: collation.name,
    typeOid: arg.typeOid,
    typmod: arg.typmod,
    collation: collation.oid,
    position,
  };
}

function transformIndirection(scope: Scope, raw: A_Indirection): Expr {
  let result = transform(scope, raw.arg!);
  const steps = raw.indirection ?? [];
  let subscripts: { uidx?: Node; lidx?: Node; is_slice?: boolean }[] = [];
  const flush = (): void => {
    if (subscripts.length > 0) result = makeSubscript(scope, result, subscripts);
    subscripts = [];
  };
  for (const step of steps) {
    if ('A_Indices' in step) {
      subscripts.push(step.A_Indices as { uidx?: Node; lidx?: Node; is_slice?: boolean });
      continue;
    }
    if ('A_Star' in step)
      throw new DbError('feature_not_supported', 'row expansion via "*" is not supported here').at(
        result.position,
      );
    flush();
    const name = stringOf(step);
    const field = selectField(scope, result, name, result.position);
    if (field) {
      result = field;
      continue;
    }
    // Function in field notation.
    try {
      result = makeCall(
        scope,
        { funcname: [step] },
        {
          args: [result],
          argumentNames: [null],
          filter: null,
          orderedCount: 0,
          lastSetReturningBefore: scope.lastSetReturning,
        },
        result.position,
      );
    } catch (error) {
      if (error instanceof DbError && error.code === '42883')
        throw missingField(scope, result, name, result.position);
      throw error;
    }
  }
  flush();
  return result;
}

/** Builds `container[…]`, for reading. */
export function makeSubscript(
  scope: Scope,
  container: Expr,
  indices: readonly { uidx?: Node; lidx?: Node; is_slice?: boolean }[],
): Expr {
  const base = baseType(scope.catalog, container.typeOid, container.typmod);
  const type = scope.typeOf(base.typeOid);
  if (type.oid === 3802) return makeJsonbSubscript(scope, container, indices);
  if (!type.elementOid || (type.length !== -1 && !type.isTrueArray && type.oid !== T.NAME))
    throw new DbError(
      'datatype_mismatch',
      `cannot subscript type ${typeLabel(scope.context, container.typeOid)} because it does not support subscripting`,
    ).at(container.position);
  const isSlice = indices.some((item) => item.is_slice);
  const { upper, lower } = transformIndices(scope, indices, isSlice);
  const elementType = type.oid === T.NAME ? T.CHAR_TYPE : type.elementOid;
  return {
    kind: 'subscript',
    arg: container,
    upper,
    lower,
    assignment: null,
    typeOid: isSlice ? base.typeOid : elementType,
    typmod: base.typmod,
    collation: isSlice ? type.collation : (scope.catalog.type(elementType)?.collation ?? 0),
    position: container.position,
  };
}

export function transformIndices(
  scope: Scope,
  indices: readonly { uidx?: Node; lidx?: Node; is_slice?: boolean }[],
  isSlice: boolean,
): { upper: (Expr | null)[]; lower: (Expr | null)[] | null } {
  const index = (node: Node | undefined): Expr | null => {
    if (!node) return null;
    const expr = transform(scope, node);
    const result = coerceToTarget(
      scope,
      expr,
      expr.typeOid,
      T.INT4,
      -1,
      'assignment',
      'implicitCast',
      expr.position,
    );
    if (!result)
      throw new DbError('datatype_mismatch', 'array subscript must have type integer').at(exprPosition(expr));
    return result;
  };
  const upper: (Expr | null)[] = [];
  const lower: (Expr | null)[] = [];
  for (const item of indices) {
    // In a slice a single subscript means 1:n.
    if (isSlice && !item.is_slice)
      lower.push({ kind: 'const', value: 1, typeOid: T.INT4, typmod: -1, collation: 0 });
    else lower.push(index(item.lidx));
    upper.push(index(item.uidx));
  }
  return { upper, lower: isSlice ? lower : null };
}

function makeJsonbSubscript(
  scope: Scope,
  container: Expr,
  indices: readonly { uidx?: Node; is_slice?: boolean }[],
): Expr {
  let result = container;
  for (const item of indices) {
    if (item.is_slice || !item.uidx)
      throw new DbError('datatype_mismatch', 'jsonb subscript does not support slices').at(
        container.position,
      );
    const index = transform(scope, item.uidx);
    const target = index.typeOid === T.INT4 || index.typeOid === T.INT2 ? T.INT4 : T.TEXT;
    const key = coerceToTarget(
      scope,
      index,
      index.typeOid,
      target,
      -1,
      'implicit',
      'implicitCast',
      exprPosition(index),
    );
    if (!key)
      throw new DbError(
        'datatype_mismatch',
        `subscript type ${typeLabel(scope.context, index.typeOid)} is not supported`,
        { hint: 'jsonb subscript must be coercible to either integer or text.' },
      ).at(exprPosition(index));
    result = makeOperator(scope, op('->'), result, key, container.position);
  }
  return result;
}

function transformCall(scope: Scope, call: FuncCall): Expr {
  const lastSetReturningBefore = scope.lastSetReturning;
  const args: Expr[] = [];
  const argumentNames: (string | null)[] = [];
  for (const node of call.args ?? []) {
    const named = namedArgument(node);
    args.push(transform(scope, (named ? named.arg : node) as Node));
    argumentNames.push(named ? named.name : null);
  }
  let orderedCount = 0;
  if (call.agg_within_group) {
    for (const node of call.agg_order ?? []) {
      const sortBy = as(node, 'SortBy') as { node?: Node };
      args.push(transformExpr(scope, sortBy.node!, 'orderBy'));
      argumentNames.push(null);
      orderedCount++;
    }
  }
  let filter: Expr | null = null;
  if (call.agg_filter)
    filter = coerceToBoolean(scope, transformExpr(scope, call.agg_filter, 'filter'), 'FILTER');
  const parts: CallParts = { args, argumentNames, filter, orderedCount, lastSetReturningBefore };
  return makeCall(scope, call, parts, positionOf(call.location));
}

function transformSubLink(scope: Scope, link: SubLink): Expr {
  const position = positionOf(link.location);
  checkSubqueryPlace(scope, position);
  scope.hasSubLinks = true;
  const subquery = analyseSubquery(scope, link.subselect!, { isLocked: false, resolveUnknowns: true });
  const columns = subquery.targets.filter((target) => !target.junk);
  const base = {
    kind: 'subLink' as const,
    left: [] as Expr[],
    operatorOids: [] as number[],
    operatorName: null as string | null,
    rightCasts: [] as (Expr | null)[],
    subquery,
    typeOid: T.BOOL,
    typmod: -1,
    collation: 0,
    position,
  };
  switch (link.subLinkType) {
    case 'EXISTS_SUBLINK':
      return { ...base, type: 'exists' };
    case 'EXPR_SUBLINK':
    case 'ARRAY_SUBLINK': {
      if (columns.length !== 1)
        throw new DbError('syntax_error', 'subquery must return only one column').at(position);
      const column = columns[0].expr;
      if (link.subLinkType === 'EXPR_SUBLINK')
        return {
          ...base,
          type: 'scalar',
          typeOid: column.typeOid,
          typmod: column.typmod,
          collation: column.collation,
        };
      const type = scope.catalog.type(column.typeOid);
      const arrayType = type?.isTrueArray ? type.oid : (type?.arrayOid ?? 0);
      if (!arrayType)
        throw new DbError(
          'undefined_object',
          `could not find array type for data type ${typeLabel(scope.context, column.typeOid)}`,
        ).at(position);
      return {
        ...base,
        type: 'array',
        typeOid: arrayType,
        typmod: column.typmod,
        collation: column.collation,
      };
    }
    default: {
      const name = link.operName?.length ? link.operName : op('=');
      const leftExpr = transform(scope, link.testexpr!);
      const left = leftExpr.kind === 'row' ? leftExpr.args : [leftExpr];
      if (left.length < columns.length)
        throw new DbError('syntax_error', 'subquery has too many columns').at(position);
      if (left.length > columns.length)
        throw new DbError('syntax_error', 'subquery has too few columns').at(position);
      const type: SubLinkExpr['type'] =
        link.subLinkType === 'ALL_SUBLINK'
          ? 'all'
          : link.subLinkType === 'ROWCOMPARE_SUBLINK'
            ? 'rowCompare'
            : 'any';
      const node: SubLinkExpr = {
        ...base,
        type,
        operatorName: stringOf(name[name.length - 1]),
      };
      left.forEach((expr, index) => {
        const column = columns[index].expr;
        const placeholder: Expr = {
          kind: 'caseTest',
          typeOid: column.typeOid,
          typmod: column.typmod,
          collation: column.collation,
        };
        const operator = makeOperator(scope, name, expr, placeholder, position);
        if (operator.typeOid !== T.BOOL)
          throw new DbError(
            'datatype_mismatch',
            `row comparison operator must yield type boolean, not type ${typeLabel(scope.context, operator.typeOid)}`,
          ).at(position);
        node.left.push(operator.args[0]);
        node.operatorOids.push(operator.operatorOid);
        node.rightCasts.push(operator.args[1] === placeholder ? null : operator.args[1]);
      });
      if (node.left.length > 1 && rowComparison(scope, node.operatorOids) === null)
        throw new DbError(
          'feature_not_supported',
          `could not determine interpretation of row comparison operator ${stringsOf(name).join('.')}`,
          { hint: 'Row comparison operators must be associated with btree operator families.' },
        ).at(position);
      return node;
    }
  }
}

function checkSubqueryPlace(scope: Scope, position: number | undefined): void {
  const places: Partial<Record<ExpressionKind, string>> = {
    check: 'cannot use subquery in check constraint',
    columnDefault: 'cannot use subquery in DEFAULT expression',
    functionDefault: 'cannot use subquery in DEFAULT expression',
    indexExpression: 'cannot use subquery in index expression',
    indexPredicate: 'cannot use subquery in index predicate',
    alterTransform: 'cannot use subquery in transform expression',
    executeParameter: 'cannot use subquery in EXECUTE parameter',
    generated: 'cannot use subquery in column generation expression',
    call: 'cannot use subquery in CALL argument',
    copyWhere: 'cannot use subquery in COPY FROM WHERE condition',
  };
  const message = places[scope.kind];
  if (message !== undefined) throw new DbError('feature_not_supported', message).at(position);
}
