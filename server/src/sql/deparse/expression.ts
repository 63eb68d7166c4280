/** Typed expressions → SQL text, with ruleutils' parentheses, casts and spellings. */
import type { Oid } from '../../base/brands.ts';
import { internalError } from '../../base/error.ts';
import type { CatalogReader, SearchPath } from '../../catalog/contract.ts';
import type { FormatContext } from '../../types/contract.ts';
import { formatTypeWithTypmod } from '../analyse/type-name.ts';
import { quoteIdentifier, quoteQualified } from '../parse/keywords.ts';
import type {
  AggregateExpr,
  ConstExpr,
  Expr,
  FunctionExpr,
  Query,
  SortKey,
  SubLinkExpr,
  VarExpr,
  WindowClause,
  WindowFunctionExpr,
} from '../tree.ts';
import type { Writer } from './writer.ts';

/** What printing needs to know beside the tree. */
export interface DeparseScope {
  readonly catalog: CatalogReader;
  readonly path: SearchPath;
  readonly format: FormatContext;
  /** Text of a column reference; `isTopLevel` = alone in a target list. */
  variable(variable: VarExpr, isTopLevel: boolean): string;
  /** Windows of the query whose expressions are printed. */
  windows: readonly WindowClause[];
  /** Prints a nested query at the writer's position. */
  subquery(writer: Writer, query: Query): void;
  /** Text of nodes that belong to plans (slots, subplans); undefined = unknown to it as well. */
  planNode?(expr: Expr): string | undefined;
}

const UNKNOWN = 705;
const BOOL = 16;
const INT4 = 23;
const NUMERIC = 1700;

/** A string literal as it reads with standard_conforming_strings on. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function typeText(scope: DeparseScope, oid: Oid, typmod: number): string {
  return formatTypeWithTypmod(scope.catalog, scope.path, oid, typmod);
}

export function operatorText(scope: DeparseScope, oid: Oid): string {
  const operator = scope.catalog.operator(oid);
  if (!operator) throw internalError(`operator ${oid} does not exist`);
  const isVisible = scope.catalog
    .operatorsByName(null, operator.name, scope.path)
    .some((candidate) => candidate.oid === oid);
  return isVisible
    ? operator.name
    : `OPERATOR(${quoteIdentifier(scope.catalog.namespaceName(operator.namespaceOid) ?? '')}.${operator.name})`;
}

export function functionText(scope: DeparseScope, oid: Oid): string {
  const descriptor = scope.catalog.function(oid);
  if (!descriptor) throw internalError(`function ${oid} does not exist`);
  const isVisible = scope.catalog
    .functionsByName(null, descriptor.name, scope.path)
    .some((candidate) => candidate.oid === oid);
  return quoteQualified(
    isVisible ? null : scope.catalog.namespaceName(descriptor.namespaceOid),
    descriptor.name,
  );
}

/** Writes a constant. `showType`: -1 never, 0 where needed to read it back as the same type, 1 always. */
export function writeConst(
  writer: Writer,
  scope: DeparseScope,
  constant: ConstExpr,
  showType: -1 | 0 | 1,
): void {
  const { typeOid, typmod } = constant;
  if (constant.value === null) {
    writer.write('NULL');
    if (showType >= 0) writer.write(`::${typeText(scope, typeOid, typmod)}`);
    return;
  }
  const text =
    typeOid === UNKNOWN
      ? String(constant.value)
      : scope.catalog.type(typeOid)!.support.output(constant.value, scope.format);
  let needsLabel = false;
  switch (typeOid) {
    case INT4:
      if (text.startsWith('-')) {
        writer.write(`'${text}'`);
        needsLabel = true;
      } else writer.write(text);
      break;
    case NUMERIC:
      if (/^[0-9]/.test(text) && /[eE.]/.test(text)) writer.write(text);
      else {
        writer.write(`'${text}'`);
        needsLabel = true;
      }
      break;
    case BOOL:
      writer.write(constant.value === true ? 'true' : 'false');
      break;
    default:
      writer.write(quoteLiteral(text));
      break;
  }
  if (showType < 0) return;
  if (typeOid === NUMERIC) needsLabel ||= typmod >= 0;
  else if (typeOid !== BOOL && typeOid !== UNKNOWN && typeOid !== INT4) needsLabel = true;
  if (needsLabel || showType > 0) writer.write(`::${typeText(scope, typeOid, typmod)}`);
}

/** An expression inside another one: pretty printing keeps only the parentheses it needs. */
function writeInner(
  writer: Writer,
  scope: DeparseScope,
  expr: Expr,
  showImplicit: boolean,
  parent: Expr | null,
): void {
  const needsParens = writer.prettyParens && !isSimple(expr, parent, scope);
  if (needsParens) writer.write('(');
  writeExpr(writer, scope, expr, showImplicit);
  if (needsParens) writer.write(')');
}

function binaryOperatorName(expr: Expr, scope: DeparseScope): string | null {
  if (expr.kind !== 'operator' || expr.args.length !== 2) return null;
  const name = operatorText(scope, expr.operatorOid);
  return name.length === 1 ? name : null;
}

function isCallLike(parent: Expr): boolean {
  return (
    parent.kind === 'subscript' ||
    parent.kind === 'array' ||
    parent.kind === 'row' ||
    parent.kind === 'coalesce' ||
    parent.kind === 'minmax' ||
    parent.kind === 'nullif' ||
    parent.kind === 'aggregate' ||
    parent.kind === 'grouping' ||
    parent.kind === 'window' ||
    parent.kind === 'case'
  );
}

/** True if the node needs no parentheses under its parent. */
function isSimple(expr: Expr, parent: Expr | null, scope: DeparseScope): boolean {
  if (parent === null) return true;
  switch (expr.kind) {
    case 'var':
    case 'const':
    case 'param':
    case 'default':
    case 'caseTest':
    case 'subscript':
    case 'array':
    case 'row':
    case 'coalesce':
    case 'minmax':
    case 'sqlValue':
    case 'currentOf':
    case 'nullif':
    case 'aggregate':
    case 'grouping':
    case 'window':
    case 'function':
    case 'case':
      return true;
    case 'fieldSelect':
      return parent.kind !== 'fieldSelect';
    case 'relabel':
    case 'ioCast':
    case 'arrayCast':
    case 'domainCast':
      return isSimple(expr.arg, expr, scope);
    case 'operator': {
      if (parent.kind !== 'operator') break;
      const own = binaryOperatorName(expr, scope);
      const outer = binaryOperatorName(parent, scope);
      if (own === null || outer === null) return false;
      const isLow = '+-'.includes(own);
      const isHigh = '*/%'.includes(own);
      const isOuterLow = '+-'.includes(outer);
      const isOuterHigh = '*/%'.includes(outer);
      if (!(isLow || isHigh) || !(isOuterLow || isOuterHigh)) return false;
      if (isHigh && isOuterLow) return true;
      if (isLow && isOuterHigh) return false;
      // (a - b) - c can do without, a - (b - c) cannot.
      return expr === parent.args[0];
    }
    case 'subLink':
    case 'nullTest':
    case 'booleanTest':
    case 'distinct':
      break;
    case 'bool': {
      if (parent.kind === 'bool') {
        if (expr.op === 'or') return parent.op === 'or';
        return parent.op !== 'not';
      }
      if (parent.kind === 'function') return parent.form === 'call';
      return isCallLike(parent);
    }
    default:
      return false;
  }
  if (parent.kind === 'function') return parent.form === 'call';
  return parent.kind === 'bool' || isCallLike(parent);
}

function open(writer: Writer): void {
  if (!writer.prettyParens) writer.write('(');
}
function close(writer: Writer): void {
  if (!writer.prettyParens) writer.write(')');
}

export function writeList(
  writer: Writer,
  scope: DeparseScope,
  exprs: readonly Expr[],
  showImplicit = true,
  separator = ', ',
): void {
  exprs.forEach((expr, index) => {
    if (index > 0) writer.write(separator);
    writeExpr(writer, scope, expr, showImplicit);
  });
}

function writeCast(
  writer: Writer,
  scope: DeparseScope,
  arg: Expr,
  typeOid: Oid,
  typmod: number,
  parent: Expr,
): void {
  if (arg.kind === 'const' && arg.typeOid === typeOid && arg.typmod === -1)
    writeConst(writer, scope, arg, -1);
  else {
    open(writer);
    writeInner(writer, scope, arg, false, parent);
    close(writer);
  }
  writer.write(`::${typeText(scope, typeOid, typmod)}`);
}

/** Writes an expression. `showImplicit` prints casts nobody wrote, where leaving them out could change the meaning. */
export function writeExpr(writer: Writer, scope: DeparseScope, expr: Expr, showImplicit = false): void {
  switch (expr.kind) {
    case 'const':
      writeConst(writer, scope, expr, 0);
      return;
    case 'var':
      writer.write(scope.variable(expr, false));
      return;
    case 'param':
      writer.write(`$${expr.number}`);
      return;
    case 'function':
      writeFunction(writer, scope, expr, showImplicit);
      return;
    case 'operator': {
      open(writer);
      if (expr.args.length === 2) {
        writeInner(writer, scope, expr.args[0], true, expr);
        writer.write(` ${operatorText(scope, expr.operatorOid)} `);
        writeInner(writer, scope, expr.args[1], true, expr);
      } else {
        writer.write(`${operatorText(scope, expr.operatorOid)} `);
        writeInner(writer, scope, expr.args[0], true, expr);
      }
      close(writer);
      return;
    }
    case 'distinct':
      open(writer);
      writeInner(writer, scope, expr.args[0], true, expr);
      writer.write(' IS DISTINCT FROM ');
      writeInner(writer, scope, expr.args[1], true, expr);
      close(writer);
      return;
    case 'nullif':
      writer.write('NULLIF(');
      writeList(writer, scope, expr.args);
      writer.write(')');
      return;
    case 'arrayOperator':
      open(writer);
      writeInner(writer, scope, expr.args[0], true, expr);
      writer.write(` ${operatorText(scope, expr.operatorOid)} ${expr.any ? 'ANY' : 'ALL'} (`);
      writeInner(writer, scope, expr.args[1], true, expr);
      // A bare subquery here would read back as ANY (SELECT …).
      if (expr.args[1].kind === 'subLink' && expr.args[1].type === 'scalar')
        writer.write(`::${typeText(scope, expr.args[1].typeOid, expr.args[1].typmod)}`);
      writer.write(')');
      close(writer);
      return;
    case 'bool':
      if (expr.op === 'not') {
        open(writer);
        writer.write('NOT ');
        writeInner(writer, scope, expr.args[0], false, expr);
        close(writer);
        return;
      }
      open(writer);
      expr.args.forEach((arg, index) => {
        if (index > 0) writer.write(expr.op === 'and' ? ' AND ' : ' OR ');
        writeInner(writer, scope, arg, false, expr);
      });
      close(writer);
      return;
    case 'nullTest':
      open(writer);
      writeInner(writer, scope, expr.arg, true, expr);
      writer.write(expr.isNull ? ' IS NULL' : ' IS NOT NULL');
      close(writer);
      return;
    case 'booleanTest': {
      const words = {
        true: 'IS TRUE',
        notTrue: 'IS NOT TRUE',
        false: 'IS FALSE',
        notFalse: 'IS NOT FALSE',
        unknown: 'IS UNKNOWN',
        notUnknown: 'IS NOT UNKNOWN',
      } as const;
      open(writer);
      writeInner(writer, scope, expr.arg, false, expr);
      writer.write(` ${words[expr.test]}`);
      close(writer);
      return;
    }
    case 'case':
      writeCase(writer, scope, expr);
      return;
    case 'caseTest':
      writer.write('CASE_TEST_EXPR');
      return;
    case 'coalesce':
      writer.write('COALESCE(');
      writeList(writer, scope, expr.args);
      writer.write(')');
      return;
    case 'minmax':
      writer.write(expr.op === 'greatest' ? 'GREATEST(' : 'LEAST(');
      writeList(writer, scope, expr.args);
      writer.write(')');
      return;
    case 'array':
      writer.write('ARRAY[');
      writeList(writer, scope, expr.elements);
      writer.write(']');
      if (expr.elements.length === 0) writer.write(`::${typeText(scope, expr.typeOid, -1)}`);
      return;
    case 'row':
      writer.write('ROW(');
      writeList(writer, scope, expr.args);
      writer.write(')');
      if (expr.typeOid !== 2249) writer.write(`::${typeText(scope, expr.typeOid, -1)}`);
      return;
    case 'rowCompare':
      // Always in parentheses, pretty or not.
      writer.write('(ROW(');
      writeList(writer, scope, expr.left);
      writer.write(`) ${operatorText(scope, expr.operatorOids[0])} ROW(`);
      writeList(writer, scope, expr.right);
      writer.write('))');
      return;
    case 'relabel':
    case 'ioCast':
    case 'arrayCast':
    case 'domainCast':
      if (expr.form === 'implicitCast' && !showImplicit) writeInner(writer, scope, expr.arg, false, expr);
      else writeCast(writer, scope, expr.arg, expr.typeOid, expr.typmod, expr);
      return;
    case 'collate':
      open(writer);
      writeInner(writer, scope, expr.arg, showImplicit, expr);
      writer.write(` COLLATE ${quoteIdentifier(expr.collationName)}`);
      close(writer);
      return;
    case 'subscript': {
      const needsParens = expr.arg.kind !== 'var' && expr.arg.kind !== 'fieldSelect';
      if (needsParens) writer.write('(');
      writeExpr(writer, scope, expr.arg, showImplicit);
      if (needsParens) writer.write(')');
      expr.upper.forEach((upper, index) => {
        writer.write('[');
        if (expr.lower) {
          const lower = expr.lower[index];
          if (lower) writeExpr(writer, scope, lower, false);
          writer.write(':');
        }
        if (upper) writeExpr(writer, scope, upper, false);
        writer.write(']');
      });
      if (expr.assignment) {
        writer.write(' := ');
        writeExpr(writer, scope, expr.assignment, showImplicit);
      }
      return;
    }
    case 'fieldSelect': {
      const needsParens = expr.arg.kind !== 'fieldSelect';
      if (needsParens) writer.write('(');
      writeExpr(writer, scope, expr.arg, true);
      if (needsParens) writer.write(')');
      writer.write(`.${quoteIdentifier(expr.fieldName)}`);
      return;
    }
    case 'fieldStore':
      writer.write('ROW(');
      writeList(writer, scope, expr.values);
      writer.write(')');
      return;
    case 'sqlValue': {
      const precision = expr.typmod >= 0 ? `(${expr.typmod})` : '';
      writer.write(`${expr.op.toUpperCase()}${precision}`);
      return;
    }
    case 'currentOf':
      writer.write(`CURRENT OF ${quoteIdentifier(expr.cursorName)}`);
      return;
    case 'default':
      writer.write('DEFAULT');
      return;
    case 'aggregate':
      writeAggregate(writer, scope, expr);
      return;
    case 'grouping':
      writer.write('GROUPING(');
      writeList(writer, scope, expr.args);
      writer.write(')');
      return;
    case 'window':
      writeWindowCall(writer, scope, expr);
      return;
    case 'subLink':
      writeSubLink(writer, scope, expr);
      return;
    default: {
      const text = scope.planNode?.(expr);
      if (text === undefined)
        throw internalError(`cannot print expression ${(expr as { kind: string }).kind}`);
      writer.write(text);
    }
  }
}

function writeCase(writer: Writer, scope: DeparseScope, expr: Extract<Expr, { kind: 'case' }>): void {
  writer.keyword('CASE', 0, 4, 0);
  if (expr.arg) {
    writer.write(' ');
    writeExpr(writer, scope, expr.arg, true);
  }
  for (const when of expr.whens) {
    if (!writer.prettyIndent) writer.write(' ');
    writer.keyword('WHEN ', 0, 0, 0);
    let condition = when.condition;
    // CASE x WHEN y holds "placeholder = y".
    if (expr.arg && condition.kind === 'operator' && condition.args.length === 2) {
      let left = condition.args[0];
      while (
        left.kind === 'relabel' ||
        left.kind === 'ioCast' ||
        (left.kind === 'function' && left.args.length > 0)
      )
        left = left.kind === 'function' ? left.args[0] : left.arg;
      if (left.kind === 'caseTest') condition = condition.args[1];
    }
    writeExpr(writer, scope, condition, false);
    writer.write(' THEN ');
    writeExpr(writer, scope, when.result, true);
  }
  if (!writer.prettyIndent) writer.write(' ');
  writer.keyword('ELSE ', 0, 0, 0);
  if (expr.defaultResult) writeExpr(writer, scope, expr.defaultResult, true);
  else writer.write('NULL');
  if (!writer.prettyIndent) writer.write(' ');
  writer.keyword('END', -4, 0, 0);
}

function writeFunction(writer: Writer, scope: DeparseScope, expr: FunctionExpr, showImplicit: boolean): void {
  if (expr.form === 'implicitCast' && !showImplicit) {
    writeInner(writer, scope, expr.args[0], false, expr);
    return;
  }
  if (expr.form === 'implicitCast' || expr.form === 'explicitCast') {
    writeCast(writer, scope, expr.args[0], expr.typeOid, expr.typmod, expr);
    return;
  }
  if (expr.form === 'sqlSyntax' && writeSqlSyntax(writer, scope, expr)) return;
  writer.write(`${functionText(scope, expr.functionOid)}(`);
  expr.args.forEach((arg, index) => {
    if (index > 0) writer.write(', ');
    if (expr.variadic && index === expr.args.length - 1) writer.write('VARIADIC ');
    writeExpr(writer, scope, arg, true);
  });
  writer.write(')');
}

/** Functions written with keywords instead of a plain argument list. */
function writeSqlSyntax(writer: Writer, scope: DeparseScope, expr: FunctionExpr): boolean {
  const name = scope.catalog.function(expr.functionOid)?.name;
  const { args } = expr;
  const inner = (index: number): void => writeInner(writer, scope, args[index], false, expr);
  const plain = (index: number): void => writeExpr(writer, scope, args[index], false);
  const words = (parts: readonly (string | number)[], finish = ')'): void => {
    for (const part of parts) {
      if (typeof part === 'string') writer.write(part);
      else plain(part);
    }
    writer.write(finish);
  };
  switch (name) {
    case 'timezone':
      if (args.length !== 2) return false;
      writer.write('(');
      inner(1);
      writer.write(' AT TIME ZONE ');
      inner(0);
      writer.write(')');
      return true;
    case 'overlaps':
      words(['((', 0, ', ', 1, ') OVERLAPS (', 2, ', ', 3], '))');
      return true;
    case 'extract':
      if (args[0].kind !== 'const') return false;
      words([`EXTRACT(${String(args[0].value)} FROM `, 1]);
      return true;
    case 'is_normalized':
      words(
        args.length > 1 && args[1].kind === 'const'
          ? ['(', 0, ` IS ${String(args[1].value)} NORMALIZED`]
          : ['(', 0, ' IS NORMALIZED'],
      );
      return true;
    case 'normalize':
      words(
        args.length > 1 && args[1].kind === 'const'
          ? ['NORMALIZE(', 0, `, ${String(args[1].value)}`]
          : ['NORMALIZE(', 0],
      );
      return true;
    case 'overlay':
      words(
        args.length === 4
          ? ['OVERLAY(', 0, ' PLACING ', 1, ' FROM ', 2, ' FOR ', 3]
          : ['OVERLAY(', 0, ' PLACING ', 1, ' FROM ', 2],
      );
      return true;
    case 'position':
      writer.write('POSITION(');
      writer.write('(');
      plain(1);
      writer.write(') IN (');
      plain(0);
      writer.write('))');
      return true;
    case 'substring':
      words(args.length === 3 ? ['SUBSTRING(', 0, ' FROM ', 1, ' FOR ', 2] : ['SUBSTRING(', 0, ' FROM ', 1]);
      return true;
    case 'btrim':
    case 'ltrim':
    case 'rtrim': {
      const side = name === 'btrim' ? 'BOTH' : name === 'ltrim' ? 'LEADING' : 'TRAILING';
      words(args.length === 2 ? [`TRIM(${side} `, 1, ' FROM ', 0] : [`TRIM(${side} FROM `, 0]);
      return true;
    }
    case 'pg_collation_for':
      words(['COLLATION FOR (', 0]);
      return true;
    default:
      return false;
  }
}

export function writeSortKeys(
  writer: Writer,
  scope: DeparseScope,
  keys: readonly SortKey[],
  writeKey: (key: SortKey) => void = (key) => writeSortExpr(writer, scope, key.expr),
): void {
  keys.forEach((key, index) => {
    if (index > 0) writer.write(', ');
    writeKey(key);
    const ordering = scope.catalog.orderingOperators(key.expr.typeOid);
    if (key.operatorOid === ordering.greater || key.descending) {
      writer.write(' DESC');
      if (!key.nullsFirst) writer.write(' NULLS LAST');
    } else {
      if (key.operatorOid !== ordering.less && ordering.less !== 0 && key.operatorOid !== 0) {
        writer.write(` USING ${operatorText(scope, key.operatorOid)}`);
      }
      if (key.nullsFirst) writer.write(' NULLS FIRST');
    }
  });
}

/** A sort or group expression: constants need a type so as not to be ordinals, and most others parentheses. */
export function writeSortExpr(writer: Writer, scope: DeparseScope, expr: Expr): void {
  if (expr.kind === 'const') {
    writeConst(writer, scope, expr, 1);
    return;
  }
  if (expr.kind === 'var') {
    writeExpr(writer, scope, expr, true);
    return;
  }
  const needsParens =
    writer.prettyParens || expr.kind === 'function' || expr.kind === 'aggregate' || expr.kind === 'window';
  if (needsParens) writer.write('(');
  writeExpr(writer, scope, expr, true);
  if (needsParens) writer.write(')');
}

function writeFilter(writer: Writer, scope: DeparseScope, filter: Expr | null): void {
  if (!filter) return;
  writer.write(' FILTER (WHERE ');
  writeExpr(writer, scope, filter, false);
  writer.write(')');
}

function writeAggregate(writer: Writer, scope: DeparseScope, expr: AggregateExpr): void {
  writer.write(`${functionText(scope, expr.aggregateOid)}(${expr.distinct ? 'DISTINCT ' : ''}`);
  const kind = scope.catalog.function(expr.aggregateOid)?.aggregate?.kind ?? 'n';
  if (kind !== 'n') {
    writeList(writer, scope, expr.directArgs);
    writer.write(') WITHIN GROUP (ORDER BY ');
    writeSortKeys(writer, scope, expr.orderBy);
  } else {
    if (expr.star) writer.write('*');
    expr.args.forEach((arg, index) => {
      if (index > 0) writer.write(', ');
      if (expr.variadic && index === expr.args.length - 1) writer.write('VARIADIC ');
      writeExpr(writer, scope, arg, true);
    });
    if (expr.orderBy.length > 0) {
      writer.write(' ORDER BY ');
      writeSortKeys(writer, scope, expr.orderBy);
    }
  }
  writer.write(')');
  writeFilter(writer, scope, expr.filter);
}

function writeWindowCall(writer: Writer, scope: DeparseScope, expr: WindowFunctionExpr): void {
  writer.write(`${functionText(scope, expr.functionOid)}(`);
  if (expr.star) writer.write('*');
  else writeList(writer, scope, expr.args);
  writer.write(')');
  writeFilter(writer, scope, expr.filter);
  writer.write(' OVER ');
  const window = scope.windows[expr.window];
  // Plans have no window list: EXPLAIN prints a question mark.
  if (!window) writer.write('(?)');
  else if (window.name !== null) writer.write(quoteIdentifier(window.name));
  else writeWindowSpec(writer, scope, window);
}

export function writeWindowSpec(writer: Writer, scope: DeparseScope, window: WindowClause): void {
  writer.write('(');
  let separator = '';
  if (window.reference !== undefined) {
    writer.write(quoteIdentifier(window.reference));
    separator = ' ';
  }
  if (window.partitionBy.length > 0 && window.reference === undefined) {
    writer.write('PARTITION BY ');
    window.partitionBy.forEach((key, index) => {
      if (index > 0) writer.write(', ');
      writeSortExpr(writer, scope, key.expr);
    });
    separator = ' ';
  }
  const inherited = scope.windows.find((other) => other.name === window.reference)?.orderBy.length ?? 0;
  if (window.orderBy.length > 0 && (window.reference === undefined || inherited === 0)) {
    writer.write(`${separator}ORDER BY `);
    writeSortKeys(writer, scope, window.orderBy);
    separator = ' ';
  }
  const { frame } = window;
  const isDefault =
    frame.mode === 'range' &&
    frame.start.kind === 'unboundedPreceding' &&
    frame.end.kind === 'currentRow' &&
    frame.exclude === 'none';
  if (!isDefault) {
    writer.write(`${separator}${frame.mode.toUpperCase()} `);
    if (frame.between === false) writeBound(frame.start);
    else {
      writer.write('BETWEEN ');
      writeBound(frame.start);
      writer.write(' AND ');
      writeBound(frame.end);
    }
    if (frame.exclude !== 'none') writer.write(` EXCLUDE ${frame.exclude.toUpperCase()}`);
  }
  writer.write(')');

  function writeBound(bound: WindowClause['frame']['start']): void {
    switch (bound.kind) {
      case 'unboundedPreceding':
        writer.write('UNBOUNDED PRECEDING');
        return;
      case 'unboundedFollowing':
        writer.write('UNBOUNDED FOLLOWING');
        return;
      case 'currentRow':
        writer.write('CURRENT ROW');
        return;
      default:
        writeExpr(writer, scope, bound.offset, false);
        writer.write(bound.kind === 'preceding' ? ' PRECEDING' : ' FOLLOWING');
    }
  }
}

function writeSubLink(writer: Writer, scope: DeparseScope, expr: SubLinkExpr): void {
  writer.write(expr.type === 'array' ? 'ARRAY(' : '(');
  if (expr.left.length === 1) writeExpr(writer, scope, expr.left[0], true);
  else if (expr.left.length > 1) {
    writer.write('(');
    writeList(writer, scope, expr.left);
    writer.write(')');
  }
  let needsParens = true;
  const operator = expr.operatorOids.length > 0 ? operatorText(scope, expr.operatorOids[0]) : '';
  switch (expr.type) {
    case 'exists':
      writer.write('EXISTS ');
      break;
    case 'any':
      writer.write(operator === '=' ? ' IN ' : ` ${operator} ANY `);
      break;
    case 'all':
      writer.write(` ${operator} ALL `);
      break;
    case 'rowCompare':
      writer.write(` ${operator} `);
      break;
    default:
      needsParens = false;
  }
  if (needsParens) writer.write('(');
  scope.subquery(writer, expr.subquery);
  writer.write(needsParens ? '))' : ')');
}
