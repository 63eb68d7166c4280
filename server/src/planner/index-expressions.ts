/**
 * Expression and partial indexes: their stored expressions over the slots of one scan, and the proof that a query's
 * conditions imply an index predicate.
 */
import type { IndexDescriptor } from '../catalog/contract.ts';
import type { Expr } from '../sql/tree.ts';
import { parseExpr } from '../sql/tree-json.ts';
import { expressionKey } from './expression/key.ts';
import { splitConjuncts } from './expression/make.ts';
import { isNullWhen } from './expression/properties.ts';
import { type LExpr, mapChildren } from './expression/walk.ts';
import type { LScan } from './logical/algebra.ts';
import { simplify } from './rules/simplify.ts';
import type { PlannerState } from './state.ts';

const parsedKeys = new WeakMap<IndexDescriptor, Expr[]>();
const parsedPredicate = new WeakMap<IndexDescriptor, Expr>();

/** The expression behind key number `key` of the index, or null when the scan lacks one of its columns. */
export function indexKeyExpression(
  state: PlannerState,
  scan: LScan,
  index: IndexDescriptor,
  key: number,
): LExpr | null {
  let parsed = parsedKeys.get(index);
  if (parsed === undefined) {
    parsed = index.expressions.map((text) => parseExpr(text));
    parsedKeys.set(index, parsed);
  }
  const position = index.keyColumns.slice(0, key).filter((column) => column === 0).length;
  const expr = parsed[position];
  return expr === undefined ? null : bind(state, scan, expr);
}

/** The conditions of a partial index, empty for others; null when the scan lacks one of their columns. */
export function indexPredicates(state: PlannerState, scan: LScan, index: IndexDescriptor): LExpr[] | null {
  if (index.predicate === null) return [];
  let parsed = parsedPredicate.get(index);
  if (parsed === undefined) {
    parsed = parseExpr(index.predicate);
    parsedPredicate.set(index, parsed);
  }
  const bound = bind(state, scan, parsed);
  return bound === null ? null : splitConjuncts(bound);
}

/** True when rows that pass `predicates` are all in the (partial) index. */
export function impliesIndexPredicate(
  state: PlannerState,
  scan: LScan,
  index: IndexDescriptor,
  predicates: readonly LExpr[],
): boolean {
  const parts = indexPredicates(state, scan, index);
  return parts?.every((part) => predicates.some((predicate) => implies(state, predicate, part))) ?? false;
}

/** Column references become slots of the scan; null when a column has none. */
function bind(state: PlannerState, scan: LScan, expr: Expr): LExpr | null {
  let isComplete = true;
  const deep = (e: LExpr): LExpr => {
    if (e.kind !== 'var') return mapChildren(e, deep);
    const slot = scan.columns.get(e.attribute > 0 ? e.attribute - 1 : e.attribute);
    if (slot === undefined) {
      isComplete = false;
      return e;
    }
    return state.slot(slot);
  };
  const bound = deep(expr);
  return isComplete ? simplify(state, bound) : null;
}

/** A true `fact` makes `wanted` true: the same condition, a narrower bound, or any strict condition for IS NOT NULL. */
function implies(state: PlannerState, fact: LExpr, wanted: LExpr): boolean {
  if (expressionKey(fact) === expressionKey(wanted)) return true;
  const { catalog } = state;
  if (wanted.kind === 'nullTest' && !wanted.isNull && !wanted.argIsRow) {
    const arg = wanted.arg as LExpr;
    return arg.kind === 'slot' && isNullWhen(catalog, fact, new Set([arg.slot]));
  }
  if (
    fact.kind !== 'operator' ||
    wanted.kind !== 'operator' ||
    fact.args.length !== 2 ||
    wanted.args.length !== 2
  )
    return false;
  const [left, right] = fact.args as [LExpr, LExpr];
  const [wantedLeft, wantedRight] = wanted.args as [LExpr, LExpr];
  if (
    expressionKey(left) !== expressionKey(wantedLeft) ||
    right.kind !== 'const' ||
    wantedRight.kind !== 'const'
  )
    return false;
  if (right.typeOid !== wantedRight.typeOid || right.value === null || wantedRight.value === null)
    return false;
  const compare = catalog.type(right.typeOid)?.support.compare;
  const factStrategy = catalog.operator(fact.operatorOid)?.btreeStrategy ?? 0;
  const wantedStrategy = catalog.operator(wanted.operatorOid)?.btreeStrategy ?? 0;
  if (compare === undefined || factStrategy === 0 || wantedStrategy === 0) return false;
  const order = compare(right.value, wantedRight.value);
  switch (wantedStrategy) {
    case 1:
      return (factStrategy === 1 && order <= 0) || ((factStrategy === 2 || factStrategy === 3) && order < 0);
    case 2:
      return factStrategy <= 3 && order <= 0;
    case 4:
      return factStrategy >= 3 && order >= 0;
    case 5:
      return (factStrategy === 5 && order >= 0) || ((factStrategy === 4 || factStrategy === 3) && order > 0);
    default:
      return factStrategy === 3 && order === 0;
  }
}
