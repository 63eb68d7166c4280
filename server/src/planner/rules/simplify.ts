/**
 * Rule: constant folding and boolean simplification.
 *
 * Calls of immutable functions over constants are evaluated now, through the injected evaluator; strict calls with a NULL
 * constant become NULL; conditions lose constant arms; NOT moves inwards to negated operators. An evaluation that throws is
 * left for run time, so that `CASE WHEN false THEN 1/0 END` stays harmless.
 */
import type { Expr } from '../../sql/tree.ts';
import { SqlArray } from '../../types/datum.ts';
import { relabelled } from '../../types/relabel.ts';
import { expressionKey } from '../expression/key.ts';
import { BOOL, FALSE, makeBool, makeConst, NULL_BOOL, TRUE } from '../expression/make.ts';
import { isImmutableCall, isStrictFunction, isVolatile } from '../expression/properties.ts';
import { asTree, type LExpr, mapChildren } from '../expression/walk.ts';
import type { PlannerState } from '../state.ts';
import { normaliseComparison } from './comparison.ts';
import { factorOr } from './or-factor.ts';
import { orToList } from './or-to-list.ts';

export function simplify(state: PlannerState, expr: LExpr): LExpr {
  if (expr.kind === 'param') return substituteParameter(state, expr);
  if (expr.kind === 'slot' || expr.kind === 'const' || expr.kind === 'subquery')
    return simplifyTop(state, expr);
  // Arguments of CASE may only be folded as far as they cannot fail: folding never throws, so all may be.
  const below = mapChildren(expr, (child) => simplify(state, child));
  return simplifyTop(state, below);
}

function substituteParameter(state: PlannerState, expr: LExpr): LExpr {
  const values = state.options.parameterValues;
  if (expr.kind !== 'param' || values === undefined || expr.number > values.length) return expr;
  return makeConst(expr.typeOid, values[expr.number - 1], expr.collation, expr.typmod);
}

function isConst(expr: LExpr | null): boolean {
  return expr === null || expr.kind === 'const';
}

function evaluate(state: PlannerState, expr: LExpr): LExpr {
  try {
    const value = state.options.evaluateConstant(asTree(expr));
    return makeConst(expr.typeOid, value, expr.collation, expr.typmod);
  } catch {
    return expr;
  }
}

/** Simplifies one node whose children are simplified already. */
function simplifyTop(state: PlannerState, expr: LExpr): LExpr {
  switch (expr.kind) {
    case 'function':
    case 'operator': {
      if (expr.returnsSet) return expr;
      const { catalog } = state;
      if (
        expr.args.some((arg) => arg.kind === 'const' && arg.value === null) &&
        isStrictFunction(catalog, expr.functionOid) &&
        !expr.args.some((arg) => isVolatile(catalog, arg))
      )
        return makeConst(expr.typeOid, null, expr.collation, expr.typmod);
      if (expr.args.every(isConst)) {
        if (isImmutableCall(catalog, expr.functionOid)) return evaluate(state, expr);
        return expr;
      }
      return expr.kind === 'operator' ? normaliseComparison(state, expr) : expr;
    }
    case 'bool':
      return simplifyBool(state, expr);
    case 'arrayOperator':
      return simplifyArrayOperator(state, expr);
    case 'array':
      if (
        expr.elements.length > 0 &&
        !expr.multidimensional &&
        expr.elements.every((element) => element.kind === 'const')
      )
        return makeConst(
          expr.typeOid,
          new SqlArray(
            expr.elementType,
            expr.elements.map((element) => (element.kind === 'const' ? element.value : null)),
          ),
          expr.collation,
          expr.typmod,
        );
      return expr;
    case 'nullTest':
      if (expr.arg.kind === 'const' && !expr.argIsRow)
        return (expr.arg.value === null) === expr.isNull ? TRUE : FALSE;
      {
        const arg = expr.arg as LExpr;
        if (arg.kind === 'slot' && !expr.argIsRow) return expr;
      }
      return expr;
    case 'booleanTest':
      if (expr.arg.kind === 'const') {
        const { value } = expr.arg;
        switch (expr.test) {
          case 'true':
            return value === true ? TRUE : FALSE;
          case 'notTrue':
            return value !== true ? TRUE : FALSE;
          case 'false':
            return value === false ? TRUE : FALSE;
          case 'notFalse':
            return value !== false ? TRUE : FALSE;
          case 'unknown':
            return value === null ? TRUE : FALSE;
          case 'notUnknown':
            return value !== null ? TRUE : FALSE;
        }
      }
      return expr;
    case 'distinct':
      if (expr.args.every(isConst) && isImmutableCall(state.catalog, expr.functionOid))
        return evaluate(state, expr);
      return expr;
    case 'relabel':
      if (expr.arg.kind === 'const')
        return makeConst(
          expr.typeOid,
          relabelled(expr.arg.value, expr.arg.typeOid, expr.typeOid),
          expr.collation,
          expr.typmod,
        );
      return expr;
    case 'ioCast':
      if (expr.arg.kind === 'const') {
        if (expr.arg.value === null) return makeConst(expr.typeOid, null, expr.collation, expr.typmod);
        if (TEXT_FORM_IS_IMMUTABLE.has(expr.typeOid) && TEXT_FORM_IS_IMMUTABLE.has(expr.arg.typeOid))
          return evaluate(state, expr);
      }
      return expr;
    case 'coalesce': {
      const args: LExpr[] = [];
      for (const arg of expr.args) {
        if (arg.kind === 'const' && arg.value === null) continue;
        args.push(arg);
        if (arg.kind === 'const') break;
      }
      if (args.length === 0) return makeConst(expr.typeOid, null, expr.collation, expr.typmod);
      if (args.length === 1 || args[0].kind === 'const') return args[0];
      return args.length === expr.args.length ? expr : { ...expr, args: args.map(asTree) };
    }
    case 'case':
      return simplifyCase(expr);
    case 'nullif':
    case 'minmax':
      return expr;
    default:
      return expr;
  }
}

/** Types whose text form depends on no setting: boolean, integers, numeric, text types, oid. */
const TEXT_FORM_IS_IMMUTABLE = new Set([16, 20, 21, 23, 25, 26, 1042, 1043, 1700, 19, 2950]);

function simplifyCase(expr: Extract<LExpr, { kind: 'case' }>): LExpr {
  if (expr.arg !== null) return expr;
  const whens: { condition: Expr; result: Expr }[] = [];
  let defaultResult = expr.defaultResult;
  for (const when of expr.whens) {
    if (when.condition.kind === 'const') {
      if (when.condition.value !== true) continue;
      defaultResult = when.result;
      break;
    }
    whens.push(when);
  }
  if (whens.length === 0) return defaultResult ?? makeConst(expr.typeOid, null, expr.collation, expr.typmod);
  if (whens.length === expr.whens.length && defaultResult === expr.defaultResult) return expr;
  return { ...expr, whens, defaultResult };
}

function simplifyBool(state: PlannerState, expr: Extract<LExpr, { kind: 'bool' }>): LExpr {
  if (expr.op === 'not') return negate(state, expr.args[0]) ?? expr;
  const absorbing = expr.op === 'or';
  const args: LExpr[] = [];
  const seen = new Set<string>();
  let hasNull = false;
  const stack: LExpr[] = [...expr.args].reverse();
  while (stack.length > 0) {
    const arg = stack.pop() as LExpr;
    if (arg.kind === 'bool' && arg.op === expr.op) {
      for (let i = arg.args.length - 1; i >= 0; i--) stack.push(arg.args[i]);
      continue;
    }
    if (arg.kind === 'const') {
      if (arg.value === null) hasNull = true;
      else if (arg.value === absorbing) return absorbing ? TRUE : FALSE;
      continue;
    }
    if (arg.kind !== 'subquery') {
      const key = expressionKey(arg);
      if (seen.has(key) && !isVolatile(state.catalog, arg)) continue;
      seen.add(key);
    }
    args.push(arg);
  }
  if (hasNull) args.push(NULL_BOOL);
  if (args.length === 0) return absorbing ? FALSE : TRUE;
  if (args.length === 1) return args[0];
  const result = makeBool(expr.op, args);
  if (expr.op === 'and') return result;
  const merged = orToList(state, result);
  return merged.kind === 'bool' && merged.op === 'or' ? factorOr(state, merged) : merged;
}

/** NOT of an expression, moved inwards; null when it cannot be. */
function negate(state: PlannerState, arg: LExpr): LExpr | null {
  switch (arg.kind) {
    case 'const':
      return arg.value === null ? NULL_BOOL : arg.value === true ? FALSE : TRUE;
    case 'bool':
      if (arg.op === 'not') return arg.args[0];
      return simplifyBool(
        state,
        makeBool(
          arg.op === 'and' ? 'or' : 'and',
          arg.args.map((item) => negate(state, item) ?? makeBool('not', [item])),
        ),
      );
    case 'nullTest':
      return arg.argIsRow ? null : { ...arg, isNull: !arg.isNull };
    case 'booleanTest': {
      const opposite = {
        true: 'notTrue',
        notTrue: 'true',
        false: 'notFalse',
        notFalse: 'false',
        unknown: 'notUnknown',
        notUnknown: 'unknown',
      } as const;
      return { ...arg, test: opposite[arg.test] };
    }
    case 'operator': {
      const negator = state.catalog.operator(arg.operatorOid)?.negator ?? 0;
      const operator = negator === 0 ? null : state.catalog.operator(negator);
      if (!operator) return null;
      return { ...arg, operatorOid: negator, functionOid: operator.functionOid };
    }
    case 'arrayOperator': {
      const negator = state.catalog.operator(arg.operatorOid)?.negator ?? 0;
      const operator = negator === 0 ? null : state.catalog.operator(negator);
      if (!operator) return null;
      return { ...arg, any: !arg.any, operatorOid: negator, functionOid: operator.functionOid };
    }
    default:
      return null;
  }
}

/** `x = ANY (ARRAY[c])` is `x = c`; a NULL array gives NULL. */
function simplifyArrayOperator(state: PlannerState, expr: Extract<LExpr, { kind: 'arrayOperator' }>): LExpr {
  const [left, list] = expr.args as [LExpr, LExpr];
  if (list.kind === 'const' && list.value === null) return NULL_BOOL;
  if (list.kind === 'const' && left.kind === 'const' && isImmutableCall(state.catalog, expr.functionOid))
    return evaluate(state, expr);
  let single: LExpr | null = null;
  if (list.kind === 'const' && list.value instanceof SqlArray && list.value.elements.length === 1) {
    const right = state.catalog.operator(expr.operatorOid);
    const elementType =
      right !== null && right.rightType !== 2283 && right.rightType !== 0
        ? right.rightType
        : list.value.elementType;
    single = makeConst(elementType, list.value.elements[0], list.collation);
  } else if (list.kind === 'array' && list.elements.length === 1 && !list.multidimensional)
    single = list.elements[0];
  if (single === null) return expr;
  return simplifyTop(state, {
    kind: 'operator',
    operatorOid: expr.operatorOid,
    functionOid: expr.functionOid,
    args: [asTree(left), asTree(single)],
    returnsSet: false,
    typeOid: BOOL,
    typmod: -1,
    collation: expr.collation,
    position: expr.position,
  });
}
