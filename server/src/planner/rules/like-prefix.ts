/**
 * Rule: `column LIKE 'abc%'` implies `column >= 'abc' AND column < 'abd'`, which indexes and zone maps can use.
 *
 * The pattern itself stays: the range is only a first sieve. Text is ordered by its bytes here, so the successor of a prefix
 * is the prefix with its last character increased.
 */
import { makeConst, makeOperator } from '../expression/make.ts';
import type { LExpr } from '../expression/walk.ts';
import type { PlannerState } from '../state.ts';
import { plainSlot } from '../statistics/column.ts';

/** Literal characters a LIKE pattern begins with. */
export function likePrefix(pattern: string): string {
  let prefix = '';
  for (let i = 0; i < pattern.length; i++) {
    let c = pattern[i];
    if (c === '%' || c === '_') break;
    if (c === '\\') {
      i++;
      if (i >= pattern.length) break;
      c = pattern[i];
    }
    prefix += c;
  }
  return prefix;
}

/** Smallest string above every string with that prefix, or null. */
export function prefixSuccessor(prefix: string): string | null {
  const points = Array.from(prefix);
  while (points.length > 0) {
    const last = points[points.length - 1].codePointAt(0) as number;
    let next = last + 1;
    if (next >= 0xd800 && next <= 0xdfff) next = 0xe000;
    if (next <= 0x10ffff) {
      points[points.length - 1] = String.fromCodePoint(next);
      return points.join('');
    }
    points.pop();
  }
  return null;
}

const TEXT = 25;
const VARCHAR = 1043;

/** The implied bounds of a LIKE condition, empty when there are none. */
export function prefixRange(state: PlannerState, predicate: LExpr): LExpr[] {
  if (predicate.kind !== 'operator' || predicate.args.length !== 2) return [];
  const [left, right] = predicate.args as [LExpr, LExpr];
  if (right.kind !== 'const' || typeof right.value !== 'string') return [];
  if (left.typeOid !== TEXT && left.typeOid !== VARCHAR) return [];
  if (plainSlot(left) < 0) return [];
  const { catalog } = state;
  if (catalog.operator(predicate.operatorOid)?.name !== '~~') return [];
  const prefix = likePrefix(right.value);
  if (prefix === '') return [];
  const ordering = catalog.orderingOperators(TEXT);
  const atLeast = catalog.operator(ordering.less)?.negator ?? 0;
  if (atLeast === 0) return [];
  const bounds: LExpr[] = [makeOperator(catalog, atLeast, left, makeConst(TEXT, prefix, left.collation))];
  const successor = prefixSuccessor(prefix);
  if (successor !== null)
    bounds.push(makeOperator(catalog, ordering.less, left, makeConst(TEXT, successor, left.collation)));
  return bounds;
}
