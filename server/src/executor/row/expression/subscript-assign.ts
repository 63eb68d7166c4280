/** Assignment through subscripts: array elements, array slices, and parts of a jsonb value. */
import { DbError } from '../../../base/error.ts';
import { type Datum, SqlArray } from '../../../types/datum.ts';
import { Jsonb, type JsonValue } from '../../../types/jsonb.ts';

const ARRAY_ITEMS_MAX = 134_217_727;

function nullSubscript(): DbError {
  return new DbError('null_value_not_allowed', 'array subscript in assignment must not be null');
}

function subscriptError(message: string): DbError {
  return new DbError('array_subscript_error', message);
}

/** `array[s1][s2]… := value`. One dimension grows as needed, filled with NULLs; several do not. */
export function assignElement(array: SqlArray, subscripts: readonly Datum[], value: Datum): SqlArray {
  for (const subscript of subscripts) if (subscript === null) throw nullSubscript();
  const indexes = subscripts as readonly number[];
  const { dimensions, lowerBounds, elementType } = array;
  if (dimensions.length === 0)
    return new SqlArray(
      elementType,
      [value],
      indexes.map(() => 1),
      [...indexes],
    );
  if (indexes.length !== dimensions.length) throw subscriptError('wrong number of array subscripts');
  if (dimensions.length === 1) {
    const { elements, low } = grown(array, indexes[0]!, indexes[0]!);
    elements[indexes[0]! - low] = value;
    return new SqlArray(elementType, elements, [elements.length], [low]);
  }
  let offset = 0;
  for (let index = 0; index < dimensions.length; index++) {
    const at = indexes[index]! - lowerBounds[index]!;
    if (at < 0 || at >= dimensions[index]!) throw subscriptError('array subscript out of range');
    offset = offset * dimensions[index]! + at;
  }
  const elements = [...array.elements];
  elements[offset] = value;
  return new SqlArray(elementType, elements, dimensions, lowerBounds);
}

/** The elements of a one-dimensional array made long enough to hold `from` to `to`. */
function grown(array: SqlArray, from: number, to: number): { elements: Datum[]; low: number } {
  const before = array.lowerBounds[0]!;
  const low = Math.min(before, from);
  const high = Math.max(before + array.dimensions[0]! - 1, to);
  if (high - low + 1 > ARRAY_ITEMS_MAX)
    throw new DbError(
      'program_limit_exceeded',
      `array size exceeds the maximum allowed (${ARRAY_ITEMS_MAX})`,
    );
  const elements: Datum[] = new Array<Datum>(high - low + 1).fill(null);
  for (let index = 0; index < array.elements.length; index++)
    elements[before - low + index] = array.elements[index]!;
  return { elements, low };
}

/** `array[l1:u1][l2:u2]… := source`; null stands for a bound left out. A NULL source changes nothing. */
export function assignSlice(
  array: SqlArray,
  lowers: readonly (number | null)[],
  uppers: readonly (number | null)[],
  source: SqlArray | null,
): SqlArray {
  if (source === null) return array;
  const { dimensions, lowerBounds, elementType } = array;
  const count = uppers.length;
  if (dimensions.length === 0) {
    const sizes: number[] = [];
    for (let index = 0; index < count; index++) {
      const low = lowers[index] ?? null;
      const high = uppers[index] ?? null;
      if (low === null || high === null)
        throw new DbError('array_subscript_error', 'array slice subscript must provide both boundaries', {
          detail:
            'When assigning to a slice of an empty array value, slice boundaries must be fully specified.',
        });
      sizes.push(high - low + 1);
    }
    const total = sizes.reduce((product, size) => product * Math.max(size, 0), 1);
    if (source.elements.length < total) throw subscriptError('source array too small');
    return new SqlArray(elementType, source.elements.slice(0, total), sizes, lowers as number[]);
  }
  if (dimensions.length < count) throw subscriptError('wrong number of array subscripts');
  const from: number[] = [];
  const to: number[] = [];
  for (let index = 0; index < dimensions.length; index++) {
    const low = lowerBounds[index]!;
    const high = low + dimensions[index]! - 1;
    from.push(index < count ? (lowers[index] ?? low) : low);
    to.push(index < count ? (uppers[index] ?? high) : high);
    if (index < count && from[index]! > to[index]!)
      throw subscriptError('upper bound cannot be less than lower bound');
    if (dimensions.length > 1 && (from[index]! < low || to[index]! > high))
      throw subscriptError('array subscript out of range');
  }
  const sizes = from.map((low, index) => to[index]! - low + 1);
  const total = sizes.reduce((product, size) => product * size, 1);
  if (source.elements.length < total) throw subscriptError('source array too small');
  if (dimensions.length === 1) {
    const { elements, low } = grown(array, from[0]!, to[0]!);
    for (let index = 0; index < total; index++) elements[from[0]! - low + index] = source.elements[index]!;
    return new SqlArray(elementType, elements, [elements.length], [low]);
  }
  const elements = [...array.elements];
  let next = 0;
  const visit = (dimension: number, offset: number): void => {
    if (dimension === dimensions.length) {
      elements[offset] = source.elements[next++]!;
      return;
    }
    const start = from[dimension]! - lowerBounds[dimension]!;
    for (let at = 0; at < sizes[dimension]!; at++)
      visit(dimension + 1, offset * dimensions[dimension]! + start + at);
  };
  visit(0, 0);
  return new SqlArray(elementType, elements, dimensions, lowerBounds);
}

/** `json[p1][p2]… := value`: what is missing on the way is made, arrays are filled up with nulls. */
export function assignJson(container: Jsonb | null, path: readonly Datum[], value: Jsonb | null): Jsonb {
  for (const step of path)
    if (step === null)
      throw new DbError('null_value_not_allowed', 'jsonb subscript in assignment must not be null');
  const steps = path as readonly (number | string)[];
  const item = value === null ? null : value.value;
  return new Jsonb(setPart(container === null ? fresh(steps[0]!) : container.value, steps, 0, item));
}

function fresh(step: number | string): JsonValue {
  return typeof step === 'number' ? [] : { entries: [] };
}

function setPart(
  container: JsonValue,
  steps: readonly (number | string)[],
  level: number,
  value: JsonValue,
): JsonValue {
  if (level === steps.length) return value;
  const step = steps[level]!;
  const inner = (present: JsonValue | undefined): JsonValue => {
    if (level + 1 === steps.length) return value;
    return setPart(present === undefined ? fresh(steps[level + 1]!) : present, steps, level + 1, value);
  };
  if (Array.isArray(container)) {
    const list = container as readonly JsonValue[];
    const wanted = typeof step === 'number' ? step : integerStep(step, level);
    const index = wanted < 0 ? list.length + wanted : wanted;
    if (index < 0)
      throw new DbError(
        'invalid_parameter_value',
        `path element at position ${level + 1} is out of range: ${wanted}`,
      );
    const result = [...list];
    while (result.length < index) result.push(null);
    result[index] = inner(list[index]);
    return result;
  }
  if (typeof container === 'object' && container !== null && 'entries' in container) {
    const key = String(step);
    const entries = [...(container as { entries: readonly (readonly [string, JsonValue])[] }).entries];
    const at = entries.findIndex(([name]) => name === key);
    if (at >= 0) entries[at] = [key, inner(entries[at]![1])];
    else {
      entries.push([key, inner(undefined)]);
      entries.sort(([left], [right]) => compareKeys(left, right));
    }
    return { entries };
  }
  throw new DbError('invalid_parameter_value', 'cannot replace existing key', {
    detail: 'The path assumes key is a composite object, but it is a scalar value.',
  });
}

function integerStep(step: string, level: number): number {
  if (!/^\s*[+-]?\d+$/.test(step))
    throw new DbError(
      'invalid_text_representation',
      `path element at position ${level + 1} is not an integer: "${step}"`,
    );
  return Number(step);
}

/** Order of keys in jsonb: shorter first, then by bytes. */
function compareKeys(left: string, right: string): number {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length - b.length || Buffer.compare(a, b);
}
