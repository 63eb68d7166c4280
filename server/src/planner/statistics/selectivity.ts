/**
 * Share of rows that pass a condition.
 *
 * Equality by most common values, then by distinct count; ranges by most common values and histogram; patterns and other
 * operators by running them over the most common values and the histogram's bounds. Two bounds on one column count as one
 * interval. Columns that extended statistics connect are judged together (`correlated.ts`). Everything else is multiplied as if
 * independent.
 */
import type { OperatorDescriptor } from '../../catalog/contract.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import { expressionKey } from '../expression/key.ts';
import { BOOL, makeConst } from '../expression/make.ts';
import { asTree, type LExpr } from '../expression/walk.ts';
import { usedSlots } from '../logical/nodes.ts';
import type { PlannerState } from '../state.ts';
import { fractionBelow, plainSlot, type SlotStatistics, slotStatistics } from './column.ts';
import { correlatedSelectivity } from './correlated.ts';

const DEFAULT_EQUAL = 0.005;
const DEFAULT_RANGE = 1 / 3;
const DEFAULT_INTERVAL = 0.005;
const DEFAULT_MATCH = 0.005;
/** A condition with a subquery that could not be unnested. */
const DEFAULT_SUBQUERY = 0.5;
/** Histogram bounds tried against an operator we cannot estimate otherwise. */
const SAMPLE_VALUES = 50;

export function clamp(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : Number.isNaN(value) ? 0.5 : value;
}

/** Selectivity of a conjunction. */
export function conjunctionSelectivity(state: PlannerState, predicates: readonly LExpr[]): number {
  const { share, rest } = correlatedSelectivity(state, predicates, (one) => selectivity(state, one));
  let result = share;
  const intervals = new Map<number, { low: number; high: number; unknown: boolean }>();
  for (const predicate of rest) {
    const bound = boundSelectivity(state, predicate);
    if (bound === null) {
      result *= selectivity(state, predicate);
      continue;
    }
    const interval = intervals.get(bound.slot) ?? { low: 1, high: 1, unknown: false };
    if (bound.upper) interval.high = Math.min(interval.high, bound.selectivity);
    else interval.low = Math.min(interval.low, bound.selectivity);
    interval.unknown ||= bound.unknown;
    intervals.set(bound.slot, interval);
  }
  for (const [slot, { low, high, unknown }] of intervals) {
    if (low === 1 || high === 1) result *= low * high;
    else if (unknown) result *= DEFAULT_INTERVAL;
    else {
      // NULLs are in neither.
      const both = low + high - 1 + slotStatistics(state, slot).nullFraction;
      result *= both <= 0 ? Math.min(0.0001, low, high) : both;
    }
  }
  return clamp(result);
}

/** A one-sided bound `slot < constant` (or >), with its own selectivity. */
function boundSelectivity(
  state: PlannerState,
  expr: LExpr,
): { slot: number; upper: boolean; selectivity: number; unknown: boolean } | null {
  if (expr.kind !== 'operator' || expr.args.length !== 2) return null;
  const operator = state.catalog.operator(expr.operatorOid);
  if (operator === null) return null;
  const strategy = operator.btreeStrategy;
  if (strategy === 0 || strategy === 3) return null;
  const slot = plainSlot(expr.args[0]);
  if (slot < 0 || usedSlots(expr.args[1]).size > 0) return null;
  const right = expr.args[1];
  const upper = strategy <= 2;
  if (right.kind !== 'const') return { slot, upper, selectivity: DEFAULT_RANGE, unknown: true };
  const value = rangeSelectivity(state, slot, operator, right.value, expr.args[0].typeOid);
  return { slot, upper, selectivity: value ?? DEFAULT_RANGE, unknown: value === null };
}

export function selectivity(state: PlannerState, expr: LExpr): number {
  switch (expr.kind) {
    case 'const':
      return expr.value === true ? 1 : 0;
    case 'slot':
      return booleanSlot(state, expr.slot, true);
    case 'bool':
      switch (expr.op) {
        case 'and':
          return conjunctionSelectivity(state, expr.args);
        case 'or': {
          if (state.orCorrections.size > 0) {
            const correction = state.orCorrections.get(expressionKey(expr));
            if (correction !== undefined) {
              let result = correction.whole;
              for (const part of correction.derived.values()) result /= Math.max(part, 1e-9);
              return clamp(result);
            }
          }
          let none = 1;
          for (const arg of expr.args) none *= 1 - selectivity(state, arg);
          return clamp(1 - none);
        }
        default:
          return clamp(1 - selectivity(state, expr.args[0]));
      }
    case 'operator':
    case 'arrayOperator': {
      const key = expressionKey(expr);
      let known = state.selectivities.get(key);
      if (known === undefined) {
        known = expr.kind === 'operator' ? operatorSelectivity(state, expr) : arraySelectivity(state, expr);
        state.selectivities.set(key, known);
      }
      return known;
    }
    case 'nullTest': {
      const slot = plainSlot(expr.arg);
      const nulls = slot < 0 ? 0.005 : slotStatistics(state, slot).nullFraction;
      return expr.isNull ? clamp(nulls) : clamp(1 - nulls);
    }
    case 'booleanTest': {
      const slot = plainSlot(expr.arg);
      const isTrue = slot < 0 ? selectivity(state, expr.arg) : booleanSlot(state, slot, true);
      switch (expr.test) {
        case 'true':
          return isTrue;
        case 'notTrue':
          return clamp(1 - isTrue);
        case 'false':
          return clamp(1 - isTrue);
        case 'notFalse':
          return isTrue;
        case 'unknown':
          return 0.005;
        default:
          return 0.995;
      }
    }
    case 'distinct':
      return 1 - DEFAULT_EQUAL;
    case 'subquery':
    case 'subPlan':
      return DEFAULT_SUBQUERY;
    case 'rowCompare':
      return DEFAULT_RANGE;
    case 'function':
      return 0.3333;
    default:
      return 0.5;
  }
}

function booleanSlot(state: PlannerState, slot: number, value: boolean): number {
  const statistics = slotStatistics(state, slot);
  const common = statistics.column?.mostCommon.find((item) => item.value === value);
  if (common !== undefined) return clamp(common.fraction);
  return clamp((1 - statistics.nullFraction) / 2);
}

function operatorSelectivity(state: PlannerState, expr: Extract<LExpr, { kind: 'operator' }>): number {
  const operator = state.catalog.operator(expr.operatorOid);
  if (operator === null || expr.args.length !== 2) return 0.5;
  const [left, right] = expr.args as [LExpr, LExpr];
  const slot = plainSlot(left);
  const isEqual = operator.btreeStrategy === 3 || operator.name === '=';
  const isUnequal = operator.name === '<>';
  if (isEqual || isUnequal) {
    const rightSlot = plainSlot(right);
    let equal: number;
    // A constant of another type (int4 = int8) cannot be compared with the statistics.
    const isComparable = operator.leftType === operator.rightType || operator.rightType === left.typeOid;
    if (slot >= 0 && right.kind === 'const' && isComparable)
      equal = equalSelectivity(state, slot, right.value, left.typeOid);
    else if (slot >= 0 && rightSlot >= 0) {
      const a = slotStatistics(state, slot);
      const b = slotStatistics(state, rightSlot);
      equal = ((1 - a.nullFraction) * (1 - b.nullFraction)) / Math.max(a.distinct, b.distinct, 1);
    } else if (slot >= 0) {
      const statistics = slotStatistics(state, slot);
      equal = (1 - statistics.nullFraction) / statistics.distinct;
    } else {
      const distinct = Math.max(expressionDistinct(state, left), expressionDistinct(state, right));
      equal = distinct > 0 ? 1 / distinct : DEFAULT_EQUAL;
    }
    return clamp(isEqual ? equal : 1 - equal);
  }
  if (operator.btreeStrategy !== 0) {
    if (slot >= 0 && right.kind === 'const')
      return rangeSelectivity(state, slot, operator, right.value, left.typeOid) ?? DEFAULT_RANGE;
    return DEFAULT_RANGE;
  }
  const negated = operator.name.startsWith('!');
  if (slot >= 0 && right.kind === 'const') {
    const sampled = sampleOperator(state, expr, slot, right.value);
    if (sampled !== null) return clamp(sampled);
    if (operator.name.endsWith('~~') || operator.name.endsWith('~~*')) {
      const match = patternGuess(right.value);
      return clamp(negated ? 1 - match : match);
    }
  }
  if (operator.name.includes('~')) return negated ? 1 - DEFAULT_MATCH : DEFAULT_MATCH;
  return DEFAULT_EQUAL;
}

/** Distinct values of an expression: those of the slots in it, 0 when it reads none. */
export function expressionDistinct(state: PlannerState, expr: LExpr): number {
  const slot = plainSlot(expr);
  if (slot >= 0) return slotStatistics(state, slot).distinct;
  if (expr.kind === 'const') return 1;
  if (expr.typeOid === BOOL) return 2;
  let result = 0;
  for (const used of usedSlots(expr)) result = Math.max(1, result) * slotStatistics(state, used).distinct;
  return result;
}

function commonFraction(statistics: SlotStatistics): number {
  let sum = 0;
  for (const item of statistics.column?.mostCommon ?? []) sum += item.fraction;
  return sum;
}

function equalSelectivity(state: PlannerState, slot: number, value: Datum, typeOid: number): number {
  if (value === null) return 0;
  const statistics = slotStatistics(state, slot);
  const compare = state.catalog.type(typeOid)?.support.compare;
  const { column } = statistics;
  if (column !== null && compare !== undefined) {
    for (const item of column.mostCommon) if (compare(item.value, value) === 0) return item.fraction;
    if (column.minimum !== null && compare(value, column.minimum) < 0)
      return 0.5 / Math.max(1, statistics.tableRows);
    if (column.maximum !== null && compare(value, column.maximum) > 0)
      return 0.5 / Math.max(1, statistics.tableRows);
    const rest = 1 - commonFraction(statistics) - statistics.nullFraction;
    return clamp(rest / Math.max(1, statistics.distinct - column.mostCommon.length));
  }
  return (1 - statistics.nullFraction) / statistics.distinct;
}

function rangeSelectivity(
  state: PlannerState,
  slot: number,
  operator: OperatorDescriptor,
  value: Datum,
  typeOid: number,
): number | null {
  if (value === null) return 0;
  const statistics = slotStatistics(state, slot);
  const { column } = statistics;
  const compare = state.catalog.type(typeOid)?.support.compare;
  if (column === null || compare === undefined) return null;
  // A constant of another type cannot be compared with the statistics.
  if (operator.leftType !== operator.rightType && operator.rightType !== typeOid) return null;
  const strategy = operator.btreeStrategy;
  let common = 0;
  for (const item of column.mostCommon) {
    const order = compare(item.value, value);
    if (
      (strategy <= 2 && order < 0) ||
      (strategy >= 4 && order > 0) ||
      (order === 0 && (strategy === 2 || strategy === 4))
    )
      common += item.fraction;
  }
  const below = fractionBelow(state, typeOid, column, value);
  if (below === null) return null;
  const rest = Math.max(0, 1 - commonFraction(statistics) - statistics.nullFraction);
  const share = strategy <= 2 ? below : 1 - below;
  return clamp(common + rest * Math.min(1, Math.max(share, 0.0001)));
}

/** Runs the operator over known values of the column; null when too few are known. */
function sampleOperator(
  state: PlannerState,
  expr: Extract<LExpr, { kind: 'operator' }>,
  slot: number,
  constant: Datum,
): number | null {
  const statistics = slotStatistics(state, slot);
  const { column } = statistics;
  if (column === null) return null;
  const values = column.histogram;
  if (values.length < 10 && column.mostCommon.length === 0) return null;
  const [left, right] = expr.args;
  const passes = (value: Datum): boolean =>
    state.options.evaluateConstant({
      ...expr,
      args: [
        asTree(makeConst(left.typeOid, value, left.collation)),
        asTree(makeConst(right.typeOid, constant, right.collation)),
      ],
    }) === true;
  try {
    let common = 0;
    let commonAll = 0;
    for (const item of column.mostCommon.slice(0, SAMPLE_VALUES)) {
      commonAll += item.fraction;
      if (passes(item.value)) common += item.fraction;
    }
    let matched = 0;
    let tried = 0;
    const step = Math.max(1, Math.floor(values.length / SAMPLE_VALUES));
    for (let i = 0; i < values.length; i += step) {
      tried++;
      if (passes(values[i])) matched++;
    }
    const share =
      tried >= 10
        ? Math.min(0.9999, Math.max(0.0001, matched / tried))
        : commonAll > 0
          ? common / commonAll
          : DEFAULT_MATCH;
    return common + Math.max(0, 1 - commonAll - statistics.nullFraction) * share;
  } catch {
    return null;
  }
}

/** Guess for LIKE patterns from their literal characters, as PostgreSQL does without a histogram. */
function patternGuess(pattern: Datum): number {
  if (typeof pattern !== 'string') return DEFAULT_MATCH;
  let result = 1;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i];
    if (c === '%') result *= 5;
    else if (c === '\\') {
      i++;
      result *= 0.2;
    } else if (c !== '_') result *= 0.2;
  }
  return Math.min(0.9999, Math.max(0.0001, result));
}

function arraySelectivity(state: PlannerState, expr: Extract<LExpr, { kind: 'arrayOperator' }>): number {
  const [left, list] = expr.args as [LExpr, LExpr];
  const operator = state.catalog.operator(expr.operatorOid);
  const slot = plainSlot(left);
  const isEqual = operator?.name === '=';
  const count =
    list.kind === 'const' && list.value instanceof SqlArray
      ? list.value.elements.length
      : list.kind === 'array'
        ? list.elements.length
        : 10;
  if (isEqual || operator?.name === '<>') {
    let equal = 0;
    if (slot >= 0 && list.kind === 'const' && list.value instanceof SqlArray && count <= 200)
      for (const element of list.value.elements)
        equal += equalSelectivity(state, slot, element, left.typeOid);
    else if (slot >= 0) {
      const statistics = slotStatistics(state, slot);
      equal = (count * (1 - statistics.nullFraction)) / statistics.distinct;
    } else equal = count * DEFAULT_EQUAL;
    equal = clamp(equal);
    if (isEqual && expr.any) return equal;
    if (!isEqual && !expr.any) return 1 - equal;
    return isEqual ? equal / Math.max(1, count) : clamp(1 - equal / Math.max(1, count));
  }
  let single = DEFAULT_EQUAL;
  if (list.kind === 'const' && list.value instanceof SqlArray && operator !== null) {
    const { elements } = list.value;
    let none = 1;
    let all = 1;
    for (const element of elements.slice(0, 20)) {
      const one = operatorSelectivity(state, {
        kind: 'operator',
        operatorOid: expr.operatorOid,
        functionOid: expr.functionOid,
        args: [asTree(left), makeConst(operator.rightType, element)],
        returnsSet: false,
        typeOid: BOOL,
        typmod: -1,
        collation: expr.collation,
      });
      none *= 1 - one;
      all *= one;
    }
    return clamp(expr.any ? 1 - none : all);
  }
  single = operator !== null && operator.btreeStrategy !== 0 ? DEFAULT_RANGE : DEFAULT_EQUAL;
  return clamp(expr.any ? 1 - (1 - single) ** count : single ** count);
}
