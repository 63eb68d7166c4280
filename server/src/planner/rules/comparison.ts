/**
 * Rule: comparisons take the form "column operator value" with both sides of one type, so that indexes, zone maps and
 * statistics understand them.
 *
 * - a constant on the left changes sides through the commutator;
 * - `date < timestamp constant` becomes a comparison of dates, `int4 = int8 constant` one of int4, where that loses nothing;
 * - `boolean = true` is the boolean itself.
 */
import type { Oid } from '../../base/brands.ts';
import type { OperatorExpr } from '../../sql/tree.ts';
import type { Datum } from '../../types/datum.ts';
import { BOOL, FALSE, makeConst, TRUE } from '../expression/make.ts';
import { asTree, type LExpr, someExpr } from '../expression/walk.ts';
import type { PlannerState } from '../state.ts';

const INT2 = 21;
const INT4 = 23;
const INT8 = 20;
const DATE = 1082;
const TIMESTAMP = 1114;
const MICROSECONDS_PER_DAY = 86_400_000_000n;
const INT4_MIN = -2147483648n;
const INT4_MAX = 2147483647n;
/** Infinite dates and timestamps are left alone. */
const FINITE_DAYS = 100_000_000n;

export function normaliseComparison(state: PlannerState, expr: OperatorExpr): LExpr {
  if (expr.args.length !== 2) return expr;
  const operator = state.catalog.operator(expr.operatorOid);
  if (operator === null || (operator.btreeStrategy === 0 && operator.name !== '<>')) return expr;
  let [left, right] = expr.args as [LExpr, LExpr];
  let current = expr;
  let descriptor = operator;
  if (isFixed(left) && !isFixed(right) && descriptor.commutator !== 0) {
    const commuted = state.catalog.operator(descriptor.commutator);
    if (commuted !== null) {
      [left, right] = [right, left];
      descriptor = commuted;
      current = {
        ...expr,
        operatorOid: commuted.oid,
        functionOid: commuted.functionOid,
        args: [asTree(left), asTree(right)],
      };
    }
  }
  if (right.kind !== 'const' || right.value === null) return current;
  if (left.typeOid === BOOL && right.typeOid === BOOL) {
    if (descriptor.name === '=') return right.value === true ? left : notOf(left);
    if (descriptor.name === '<>') return right.value === true ? notOf(left) : left;
    return current;
  }
  if (left.typeOid === right.typeOid) return current;
  const converted = convertConstant(left.typeOid, descriptor.name, right.typeOid, right.value);
  if (converted === null) return current;
  const same = sameTypeOperator(state, left.typeOid, converted.operator);
  if (same === null) return current;
  return {
    ...current,
    operatorOid: same.oid,
    functionOid: same.functionOid,
    args: [asTree(left), asTree(makeConst(left.typeOid, converted.value, right.collation))],
  };
}

function isFixed(expr: LExpr): boolean {
  return !someExpr(
    expr,
    (e) => e.kind === 'slot' || e.kind === 'var' || e.kind === 'subquery' || e.kind === 'caseTest',
  );
}

function notOf(expr: LExpr): LExpr {
  if (expr === TRUE) return FALSE;
  return { kind: 'bool', op: 'not', args: [asTree(expr)], typeOid: BOOL, typmod: -1, collation: 0 };
}

function sameTypeOperator(
  state: PlannerState,
  typeOid: Oid,
  name: string,
): { oid: Oid; functionOid: Oid } | null {
  const { catalog } = state;
  const ordering = catalog.orderingOperators(typeOid);
  const find = (oid: Oid) => (oid === 0 ? null : catalog.operator(oid));
  switch (name) {
    case '=':
      return find(ordering.equal);
    case '<':
      return find(ordering.less);
    case '>':
      return find(ordering.greater);
    case '<=':
      return find(find(ordering.greater)?.negator ?? 0);
    case '>=':
      return find(find(ordering.less)?.negator ?? 0);
    case '<>':
      return find(find(ordering.equal)?.negator ?? 0);
    default:
      return null;
  }
}

function convertConstant(
  columnType: Oid,
  operator: string,
  constantType: Oid,
  value: Datum,
): { value: Datum; operator: string } | null {
  if (
    (columnType === INT4 || columnType === INT2) &&
    (constantType === INT8 || constantType === INT4 || constantType === INT2)
  ) {
    const wide = typeof value === 'bigint' ? value : BigInt(value as number);
    const [low, high] = columnType === INT4 ? [INT4_MIN, INT4_MAX] : [-32768n, 32767n];
    if (wide < low || wide > high) return null;
    return { value: Number(wide), operator };
  }
  if (columnType === INT8 && (constantType === INT4 || constantType === INT2))
    return { value: BigInt(value as number), operator };
  if (columnType === TIMESTAMP && constantType === DATE) {
    const days = BigInt(value as number);
    if (days > FINITE_DAYS || days < -FINITE_DAYS) return null;
    return { value: days * MICROSECONDS_PER_DAY, operator };
  }
  if (columnType === DATE && constantType === TIMESTAMP) {
    const micros = value as bigint;
    let days = micros / MICROSECONDS_PER_DAY;
    if (micros < 0n && micros % MICROSECONDS_PER_DAY !== 0n) days -= 1n;
    if (days > FINITE_DAYS || days < -FINITE_DAYS) return null;
    const exact = days * MICROSECONDS_PER_DAY === micros;
    if (exact) return { value: Number(days), operator };
    // Between two midnights: d < t is d <= floor(t), d >= t is d > floor(t).
    switch (operator) {
      case '<':
      case '<=':
        return { value: Number(days), operator: '<=' };
      case '>':
      case '>=':
        return { value: Number(days), operator: '>' };
      default:
        return null;
    }
  }
  return null;
}
