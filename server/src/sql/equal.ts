/** Structural equality of typed trees: positions and how a thing was written do not count. */
import type { Expr, Query } from './tree.ts';

const IGNORED = new Set(['position', 'form', 'displayRelation', 'displayAttribute']);

function equalValue(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left === 'number' && typeof right === 'number') return Object.is(left, right);
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    for (let index = 0; index < left.length; index++)
      if (!equalValue(left[index], right[index])) return false;
    return true;
  }
  if (left instanceof Uint8Array) {
    return (
      right instanceof Uint8Array &&
      left.length === right.length &&
      left.every((byte, i) => byte === right[i])
    );
  }
  if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
  const leftRecord = left as Record<string, unknown>;
  const rightRecord = right as Record<string, unknown>;
  for (const key in leftRecord) {
    if (!IGNORED.has(key) && !equalValue(leftRecord[key], rightRecord[key])) return false;
  }
  for (const key in rightRecord) {
    if (!IGNORED.has(key) && rightRecord[key] !== undefined && !(key in leftRecord)) return false;
  }
  return true;
}

/** True if both expressions mean the same computation. Two calls of a volatile function are equal too. */
export function equalExpr(left: Expr | null, right: Expr | null): boolean {
  if (left === right) return true;
  if (left === null || right === null || left.kind !== right.kind) return false;
  if (left.kind === 'var' && right.kind === 'var')
    return (
      left.attribute === right.attribute &&
      left.relation === right.relation &&
      left.levelsUp === right.levelsUp
    );
  return equalValue(left, right);
}

export function equalQuery(left: Query, right: Query): boolean {
  return equalValue(left, right);
}
