/** The six comparison operators of a type, from its order. */
import type { Datum } from '../../types/datum.ts';
import type { Implementation } from './registry.ts';

/** `names` in the order =, <>, <, <=, >, >=. */
export function comparisonSet<Value extends Datum>(
  names: readonly [string, string, string, string, string, string],
  compare: (left: Value, right: Value) => number,
): Record<string, Implementation> {
  return {
    [names[0]]: (left: Value, right: Value) => compare(left, right) === 0,
    [names[1]]: (left: Value, right: Value) => compare(left, right) !== 0,
    [names[2]]: (left: Value, right: Value) => compare(left, right) < 0,
    [names[3]]: (left: Value, right: Value) => compare(left, right) <= 0,
    [names[4]]: (left: Value, right: Value) => compare(left, right) > 0,
    [names[5]]: (left: Value, right: Value) => compare(left, right) >= 0,
  };
}
