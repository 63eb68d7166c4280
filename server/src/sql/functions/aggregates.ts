/** Aggregates by the OID of their pg_proc row: sums, averages, extremes, counts, collections, bit and boolean folds. */
import { DbError } from '../../base/error.ts';
import { type BitString, combineBits } from '../../types/bits.ts';
import { addIntervals, divideInterval, subtractIntervals } from '../../types/datetime-arithmetic.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import { Interval } from '../../types/interval.ts';
import { makeJsonObject, quoteJson } from '../../types/json-text.ts';
import { Jsonb, type JsonValue } from '../../types/jsonb.ts';
import { checkMoney } from '../../types/money.ts';
import type { Numeric } from '../../types/numeric.ts';
import { IntegerSum, NumericSum } from '../../types/numeric-sum.ts';
import { OID } from '../../types/oid.ts';
import { plainAggregate } from './aggregate-parts.ts';
import type { AggregateFunction } from './contract.ts';
import { rangeError } from './integer.ts';
import { jsonKey, toJsonText, toJsonValue } from './json-values.ts';
import { orderedSetAggregates } from './ordered-set.ts';
import { rangeAggregates } from './range.ts';
import { statisticalAggregates } from './statistics.ts';

class CountState {
  count = 0;
}

/** count(*) sees every row; count(x) is strict. */
const count = (strict: boolean): AggregateFunction =>
  plainAggregate<CountState>(() => ({
    strict,
    createState: () => new CountState(),
    step: (state) => {
      state.count++;
    },
    merge: (target, source) => {
      target.count += source.count;
    },
    final: (state) => BigInt(state.count),
    inverse: (state) => {
      state.count--;
      return true;
    },
  }));

function toBigint(total: bigint): bigint {
  if (total > 9223372036854775807n || total < -9223372036854775808n) throw rangeError('bigint');
  return total;
}

/** sum and avg over int2 and int4 (number) and int8 (bigint). */
function integerAggregate(isBig: boolean, final: (state: IntegerSum) => Datum): AggregateFunction {
  return plainAggregate<IntegerSum>(() => ({
    createState: () => new IntegerSum(),
    step: isBig
      ? (state: IntegerSum, value: bigint) => state.addBig(value)
      : (state: IntegerSum, value: number) => state.add(value),
    merge: (target, source) => target.merge(source),
    final: (state) => (state.count === 0 ? null : final(state)),
    inverse: (state: IntegerSum, value: number | bigint) => {
      state.subtract(value);
      return true;
    },
  }));
}

function numericAggregate(final: (state: NumericSum) => Datum): AggregateFunction {
  return plainAggregate<NumericSum>(() => ({
    createState: () => new NumericSum(),
    step: (state: NumericSum, value: Numeric) => state.add(value),
    merge: (target, source) => target.merge(source),
    final: (state) => (state.count === 0 ? null : final(state)),
    inverse: (state: NumericSum, value: Numeric) => state.subtract(value),
  }));
}

class FloatSum {
  count = 0;
  sum = 0;
}

function checkFloat(sum: number, value: number): number {
  if ((sum === Number.POSITIVE_INFINITY || sum === Number.NEGATIVE_INFINITY) && Number.isFinite(value)) {
    throw new DbError('numeric_value_out_of_range', 'value out of range: overflow');
  }
  return sum;
}

function floatAggregate(isSingle: boolean, final: (state: FloatSum) => Datum): AggregateFunction {
  return plainAggregate<FloatSum>(() => ({
    createState: () => new FloatSum(),
    step: (state: FloatSum, value: number) => {
      const before = state.sum;
      const sum = isSingle ? Math.fround(before + value) : before + value;
      state.sum = Number.isFinite(before) ? checkFloat(sum, value) : sum;
      state.count++;
    },
    merge: (target, source) => {
      target.sum = isSingle ? Math.fround(target.sum + source.sum) : target.sum + source.sum;
      target.count += source.count;
    },
    final: (state) => (state.count === 0 ? null : final(state)),
  }));
}

class IntervalSum {
  count = 0;
  sum = new Interval(0, 0, 0n);
}

function intervalAggregate(final: (state: IntervalSum) => Datum): AggregateFunction {
  return plainAggregate<IntervalSum>(() => ({
    createState: () => new IntervalSum(),
    step: (state: IntervalSum, value: Interval) => {
      state.count++;
      state.sum = addIntervals(state.sum, value);
    },
    merge: (target, source) => {
      target.count += source.count;
      target.sum = addIntervals(target.sum, source.sum);
    },
    final: (state) => (state.count === 0 ? null : final(state)),
    inverse: (state: IntervalSum, value: Interval) => {
      state.count--;
      state.sum = subtractIntervals(state.sum, value);
      return true;
    },
  }));
}

class ValueState {
  value: Datum = null;
}

const PRIMITIVES: ReadonlySet<number> = new Set<number>([
  OID.INT2,
  OID.INT4,
  OID.INT8,
  OID.OID,
  OID.DATE,
  OID.TIME,
  OID.TIMESTAMP,
  OID.TIMESTAMPTZ,
  OID.XID8,
]);

/** max (sign 1) and min (sign -1) of any type with an order. */
function extreme(sign: 1 | -1): AggregateFunction {
  return plainAggregate<ValueState>((context, site) => {
    const type = site.argumentTypes[0]!;
    const support = context.typeSupport(type);
    const { compare } = support;
    let step: (state: ValueState, value: Datum) => void;
    if (PRIMITIVES.has(type)) {
      step =
        sign > 0
          ? (state, value) => {
              if (state.value === null || (value as number) > (state.value as number)) state.value = value;
            }
          : (state, value) => {
              if (state.value === null || (value as number) < (state.value as number)) state.value = value;
            };
    } else {
      if (compare === undefined) {
        throw new DbError(
          'undefined_function',
          `could not identify a comparison function for type ${support.name}`,
        );
      }
      step = (state, value) => {
        if (state.value === null || compare(value, state.value) * sign > 0) state.value = value;
      };
    }
    return {
      createState: () => new ValueState(),
      step: step as (state: ValueState, ...args: never[]) => void,
      merge: (target, source) => {
        if (source.value !== null) step(target, source.value);
      },
      final: (state) => state.value,
    };
  });
}

/** Folds values of one type, starting with the first. */
function fold<Value extends Datum>(combine: (left: Value, right: Value) => Value): AggregateFunction {
  const add = (state: ValueState, value: Value): void => {
    state.value = state.value === null ? value : combine(state.value as Value, value);
  };
  return plainAggregate<ValueState>(() => ({
    createState: () => new ValueState(),
    step: add as (state: ValueState, ...args: never[]) => void,
    merge: (target, source) => {
      if (source.value !== null) add(target, source.value as Value);
    },
    final: (state) => state.value,
  }));
}

class ListState {
  readonly values: Datum[] = [];
}

const arrayAggregate = plainAggregate<ListState>((_context, site) => ({
  strict: false,
  createState: () => new ListState(),
  step: (state: ListState, value: Datum) => {
    state.values.push(value);
  },
  merge: (target, source) => {
    for (const value of source.values) target.values.push(value);
  },
  final: (state) =>
    state.values.length === 0 ? null : new SqlArray(site.argumentTypes[0]!, state.values.slice()),
}));

/** array_agg over arrays: one dimension more. */
const arrayOfArrays = plainAggregate<ListState>(() => ({
  strict: false,
  createState: () => new ListState(),
  step: (state: ListState, value: SqlArray | null) => {
    if (value === null) throw new DbError('null_value_not_allowed', 'cannot accumulate null arrays');
    if (value.dimensions.length === 0)
      throw new DbError('array_subscript_error', 'cannot accumulate empty arrays');
    const first = state.values[0] as SqlArray | undefined;
    if (first !== undefined) {
      const same =
        first.dimensions.length === value.dimensions.length &&
        first.dimensions.every((length, index) => length === value.dimensions[index]);
      if (!same)
        throw new DbError('array_subscript_error', 'cannot accumulate arrays of different dimensionality');
    } else if (value.dimensions.length >= 6) {
      throw new DbError(
        'program_limit_exceeded',
        'number of array dimensions (7) exceeds the maximum allowed (6)',
      );
    }
    state.values.push(value);
  },
  final: (state) => {
    if (state.values.length === 0) return null;
    const arrays = state.values as SqlArray[];
    const first = arrays[0]!;
    return new SqlArray(
      first.elementType,
      arrays.flatMap((array) => array.elements as Datum[]),
      [arrays.length, ...first.dimensions],
      [1, ...first.lowerBounds],
    );
  },
}));

class TextState {
  parts: string[] = [];
  isEmpty = true;
}

const stringAggregate = plainAggregate<TextState>(() => ({
  strict: false,
  createState: () => new TextState(),
  step: (state: TextState, value: string | null, separator: string | null) => {
    if (value === null) return;
    if (state.isEmpty) state.isEmpty = false;
    else if (separator !== null && separator !== '') state.parts.push(separator);
    state.parts.push(value);
  },
  final: (state) => (state.isEmpty ? null : state.parts.join('')),
}));

class BytesState {
  parts: Uint8Array[] = [];
  isEmpty = true;
}

const byteaAggregate = plainAggregate<BytesState>(() => ({
  strict: false,
  createState: () => new BytesState(),
  step: (state: BytesState, value: Uint8Array | null, separator: Uint8Array | null) => {
    if (value === null) return;
    if (state.isEmpty) state.isEmpty = false;
    else if (separator !== null) state.parts.push(separator);
    state.parts.push(value);
  },
  final: (state) => (state.isEmpty ? null : new Uint8Array(Buffer.concat(state.parts))),
}));

const jsonAggregate = plainAggregate<TextState>((context, site) => {
  const type = site.argumentTypes[0]!;
  // Arrays and rows go on lines of their own.
  const isContainer =
    context.typeSupport(type).elementType !== undefined || context.typeSupport(type).output === undefined;
  return {
    strict: false,
    createState: () => new TextState(),
    step: (state: TextState, value: Datum) => {
      const isComposite = isContainer || (typeof value === 'object' && value !== null && 'fields' in value);
      if (state.isEmpty) state.isEmpty = false;
      else state.parts.push(isComposite ? ', \n ' : ', ');
      state.parts.push(toJsonText(value, type, context));
    },
    final: (state) => (state.isEmpty ? null : `[${state.parts.join('')}]`),
  };
});

const jsonObjectAggregate = plainAggregate<TextState>((context, site) => ({
  strict: false,
  createState: () => new TextState(),
  step: (state: TextState, key: Datum, value: Datum) => {
    const name = jsonKey(key, site.argumentTypes[0]!, null, context);
    state.parts.push(`${quoteJson(name)} : ${toJsonText(value, site.argumentTypes[1]!, context)}`);
    state.isEmpty = false;
  },
  final: (state) => (state.isEmpty ? null : `{ ${state.parts.join(', ')} }`),
}));

class JsonState {
  values: JsonValue[] = [];
  keys: string[] = [];
}

const jsonbAggregate = plainAggregate<JsonState>((context, site) => ({
  strict: false,
  createState: () => new JsonState(),
  step: (state: JsonState, value: Datum) => {
    state.values.push(toJsonValue(value, site.argumentTypes[0]!, context));
  },
  final: (state) => (state.values.length === 0 ? null : new Jsonb(state.values.slice())),
}));

const jsonbObjectAggregate = plainAggregate<JsonState>((context, site) => ({
  strict: false,
  createState: () => new JsonState(),
  step: (state: JsonState, key: Datum, value: Datum) => {
    state.keys.push(jsonKey(key, site.argumentTypes[0]!, null, context));
    state.values.push(toJsonValue(value, site.argumentTypes[1]!, context));
  },
  final: (state) =>
    state.keys.length === 0
      ? null
      : new Jsonb(makeJsonObject(state.keys.map((key, index) => [key, state.values[index]!] as const))),
}));

const sumToBigint = (state: IntegerSum): Datum => toBigint(state.total());
const sumToNumeric = (state: IntegerSum): Datum => state.totalNumeric();
const average = (state: IntegerSum): Datum => state.average();

const maximum = extreme(1);
const minimum = extreme(-1);
const MAX_OIDS = [
  2050, 2125, 3564, 2115, 2116, 2117, 2118, 2119, 2120, 2122, 2123, 2124, 2126, 2127, 2128, 2129, 2130, 2244,
  2797, 3526, 4189, 5099,
];
const MIN_OIDS = [
  2051, 2141, 3565, 2131, 2132, 2133, 2134, 2135, 2136, 2138, 2139, 2140, 2142, 2143, 2144, 2145, 2146, 2245,
  2798, 3527, 4190, 5100,
];
const and = fold<boolean>((left, right) => left && right);

export const aggregateFunctions: ReadonlyMap<number, AggregateFunction> = new Map<number, AggregateFunction>([
  [2803, count(false)],
  [2147, count(true)],
  [2107, integerAggregate(true, sumToNumeric)],
  [2108, integerAggregate(false, sumToBigint)],
  [2109, integerAggregate(false, sumToBigint)],
  [2110, floatAggregate(true, (state) => state.sum)],
  [2111, floatAggregate(false, (state) => state.sum)],
  [2113, intervalAggregate((state) => state.sum)],
  [2114, numericAggregate((state) => state.total())],
  [2100, integerAggregate(true, average)],
  [2101, integerAggregate(false, average)],
  [2102, integerAggregate(false, average)],
  [2103, numericAggregate((state) => state.average())],
  [2104, floatAggregate(false, (state) => state.sum / state.count)],
  [2105, floatAggregate(false, (state) => state.sum / state.count)],
  [2106, intervalAggregate((state) => divideInterval(state.sum, state.count))],
  ...MAX_OIDS.map((oid) => [oid, maximum] as [number, AggregateFunction]),
  ...MIN_OIDS.map((oid) => [oid, minimum] as [number, AggregateFunction]),
  [2517, and],
  [2519, and],
  [2518, fold<boolean>((left, right) => left || right)],
  [2236, fold<number>((left, right) => left & right)],
  [2238, fold<number>((left, right) => left & right)],
  [2240, fold<bigint>((left, right) => left & right)],
  [2237, fold<number>((left, right) => left | right)],
  [2239, fold<number>((left, right) => left | right)],
  [2241, fold<bigint>((left, right) => left | right)],
  [6164, fold<number>((left, right) => left ^ right)],
  [6165, fold<number>((left, right) => left ^ right)],
  [6166, fold<bigint>((left, right) => left ^ right)],
  [2242, fold<BitString>((left, right) => combineBits(left, right, 'AND'))],
  [2243, fold<BitString>((left, right) => combineBits(left, right, 'OR'))],
  [6167, fold<BitString>((left, right) => combineBits(left, right, 'XOR'))],
  [2112, fold<bigint>((left, right) => checkMoney(left + right))],
  ...rangeAggregates,
  [2335, arrayAggregate],
  [4053, arrayOfArrays],
  [3538, stringAggregate],
  [3545, byteaAggregate],
  [3175, jsonAggregate],
  [3197, jsonObjectAggregate],
  [3267, jsonbAggregate],
  [3270, jsonbObjectAggregate],
  ...statisticalAggregates(),
  ...orderedSetAggregates(),
]);
