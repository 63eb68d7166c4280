/**
 * Assignment to single elements of array variables without copying the array each time.
 *
 * Invariant   an {@link OwnedArray} that is not `shared` is held by one variable only, so it may be changed in place. Whoever takes the
 *             array as a whole out of the variable marks it shared first; the next assignment then makes a copy.
 */
import { type Datum, SqlArray } from '../types/datum.ts';
import type { Expression } from './parse/ast.ts';

export class OwnedArray extends SqlArray {
  shared = false;
}

/** The subscript of `name[expression] := …`, where the target is just that; null for anything more. */
export function arrayElementTarget(expression: Expression): Expression | null {
  const target = expression.text.slice(0, expression.valueStart - expression.start);
  const found = /^\s*[A-Za-z_][A-Za-z0-9_]*\s*\[/.exec(target);
  if (found === null) return null;
  const from = found[0].length;
  const end = target.lastIndexOf(']');
  const inner = target.slice(from, end);
  // One plain subscript: no slice, no second dimension, nothing that could hide a bracket.
  if (end < from || /[[\]:'"$]/.test(inner) || !/^\s*(:=|=)\s*$/.test(target.slice(end + 1))) return null;
  if (inner.trim() === '') return null;
  return {
    text: inner,
    start: expression.start + from,
    mode: 'expression',
    names: expression.names,
    valueStart: expression.start + from,
  };
}

/** Stores in place, or after a copy of its own; false where the general way must do it (NULL, new bounds, more dimensions). */
export function storeElement(frame: Datum[], slot: number, subscript: Datum, value: Datum): boolean {
  const array = frame[slot];
  if (!(array instanceof SqlArray) || array.dimensions.length !== 1 || typeof subscript !== 'number')
    return false;
  const index = subscript - array.lowerBounds[0];
  const count = array.elements.length;
  if (index < 0 || index > count) return false;
  const owned = ownedArray(frame, slot, array);
  const elements = owned.elements as Datum[];
  if (index === count) {
    elements.push(value);
    (owned.dimensions as number[])[0] = count + 1;
  } else elements[index] = value;
  return true;
}

/** Most elements of an array. */
const ELEMENTS_MAX = 134_217_727;

/**
 * Appends to the array of a variable in place, or to a copy of its own; `more` are one element or the elements of another array.
 * Null where the general way must do it (no array yet, more dimensions, too large).
 */
export function appendElements(frame: Datum[], slot: number, more: readonly Datum[]): Datum {
  const array = frame[slot];
  if (!(array instanceof SqlArray) || array.dimensions.length !== 1) return null;
  if (array.elements.length + more.length > ELEMENTS_MAX) return null;
  const owned = ownedArray(frame, slot, array);
  const elements = owned.elements as Datum[];
  for (const element of more) elements.push(element);
  (owned.dimensions as number[])[0] = elements.length;
  return owned;
}

/** The variable's array, made its own first where others hold it too. */
function ownedArray(frame: Datum[], slot: number, array: SqlArray): OwnedArray {
  if (array instanceof OwnedArray && !array.shared) return array;
  const owned = new OwnedArray(
    array.elementType,
    array.elements.slice(),
    [...array.dimensions],
    array.lowerBounds,
  );
  frame[slot] = owned;
  return owned;
}

/** For reads of the whole array. */
export function shareArray(value: Datum): Datum {
  if (value instanceof OwnedArray) value.shared = true;
  return value;
}
