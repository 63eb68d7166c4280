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
import type { BoolExpr, Expr, SqlValueExpr } from '../tree.ts';
import { finishGrouping } from './aggregates.ts';
import { baseType, coerceToBoolean, coerceToTarget, elementTypeOf } from './coerce.ts';
import { columnOfItem, findColumn, findItem, missingColumn, missingTable, wholeRow } from './columns.ts';
import { transformAExpr, transformBooleanTest, transformNullTest } from './comparisons.ts';
import { type RawCase, transformCase, transformCoalesce, transformMinMax } from './conditionals.ts';
import { transformArray, transformIndirection, transformRow } from './containers.ts';
import { type CallParts, makeCall, namedArgument } from './functions.ts';
import { makeBool, makeBoolExpr, makeConst, makeVar } from './make.ts';
import * as T from './oids.ts';
import type { ExpressionKind, Scope } from './scope.ts';
import { transformSubLink } from './sublinks.ts';
import { resolveTypeName, typeLabel } from './type-name.ts';

/** A raw node that holds an expression already analysed (arguments used twice). */
interface AnalysedNode {
  Analysed: Expr;
}

export function analysed(expr: Expr): Node {
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

export function transform(scope: Scope, node: Node): Expr {
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
        return currentOf(scope, content as { cursor_name?: string });
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

/** Of an int8 with its sign and some leading zeros; longer ones are numeric by their value or by their form. */
const INTEGER_DIGITS_MAX = 64;

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
    if (text.length <= INTEGER_DIGITS_MAX && /^[+-]?\d+$/.test(text)) {
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

/** A name: a column, or what the function body around it calls so. */
function transformColumnRef(scope: Scope, reference: ColumnRef): Expr {
  const hook = scope.context.names;
  if (hook === undefined) return transformColumn(scope, reference);
  const fields = reference.fields ?? [];
  const isStar = 'A_Star' in fields[fields.length - 1];
  const names = (isStar ? fields.slice(0, -1) : fields).map(stringOf);
  const position = positionOf(reference.location);
  let column: Expr | null = null;
  let failure: DbError | null = null;
  try {
    column = transformColumn(scope, reference);
  } catch (error) {
    if (!(error instanceof DbError) || (error.code !== '42703' && error.code !== '42P01')) throw error;
    failure = error;
  }
  const found = hook.resolve(scope, names, isStar, position, column) ?? column;
  if (found === null) throw failure;
  return found;
}

function transformColumn(scope: Scope, reference: ColumnRef): Expr {
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

function transformBool(scope: Scope, expr: { boolop?: string; args?: Node[]; location?: number }): Expr {
  const position = positionOf(expr.location);
  const name = expr.boolop === 'AND_EXPR' ? 'AND' : expr.boolop === 'OR_EXPR' ? 'OR' : 'NOT';
  const args = (expr.args ?? []).map((arg) => coerceToBoolean(scope, transform(scope, arg), name));
  return makeBoolExpr(name.toLowerCase() as BoolExpr['op'], args, position);
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

const TID_EQUAL_OPERATOR = 402;
const TID_EQUAL_FUNCTION = 1292;
const CTID = -1;

/** WHERE CURRENT OF: the target's ctid is that of the cursor's row. */
function currentOf(scope: Scope, raw: { cursor_name?: string }): Expr {
  const { target } = scope;
  if (!target || target.entry.kind !== 'relation' || scope.kind !== 'where')
    throw new DbError('syntax_error', 'CURRENT OF cannot be used in this context');
  if (scope.catalog.relation(target.entry.relationOid)?.kind === 'v')
    throw new DbError('feature_not_supported', 'WHERE CURRENT OF on a view is not implemented');
  const tid = { typeOid: T.TID, typmod: -1, collation: 0 };
  const cursorRow: Expr = {
    kind: 'currentOf',
    cursorName: raw.cursor_name ?? '',
    relationOid: target.entry.relationOid,
    ...tid,
  };
  return {
    kind: 'operator',
    operatorOid: TID_EQUAL_OPERATOR,
    functionOid: TID_EQUAL_FUNCTION,
    args: [makeVar(target.index, CTID, tid), cursorRow],
    returnsSet: false,
    typeOid: T.BOOL,
    typmod: -1,
    collation: 0,
  };
}
