/** Set-returning functions that need no catalog: series, unnest, subscripts, splits. */
import { DbError } from '../../base/error.ts';
import { isFiniteTimestamp } from '../../types/calendar.ts';
import { addInterval, addIntervalTz } from '../../types/datetime-arithmetic.ts';
import type { Datum, SqlArray } from '../../types/datum.ts';
import type { Interval } from '../../types/interval.ts';
import type { Numeric } from '../../types/numeric.ts';
import { NUMERIC_ONE, numericAdd, numericCompare, numericSign } from '../../types/numeric-core.ts';
import { intervalSpan } from '../../types/support-datetime.ts';
import { zoneByName } from '../../types/zone.ts';
import type { SetFunction } from './contract.ts';
import { setFunction } from './registry.ts';
import { splitText } from './text.ts';

function zeroStep(): DbError {
  return new DbError('invalid_parameter_value', 'step size cannot equal zero');
}

function* integers(start: number, stop: number, step: number): Generator<number> {
  if (step === 0) throw zeroStep();
  if (step > 0) for (let value = start; value <= stop; value += step) yield value;
  else for (let value = start; value >= stop; value += step) yield value;
}

function* bigints(start: bigint, stop: bigint, step: bigint): Generator<bigint> {
  if (step === 0n) throw zeroStep();
  if (step > 0n) for (let value = start; value <= stop; value += step) yield value;
  else for (let value = start; value >= stop; value += step) yield value;
}

function* numerics(start: Numeric, stop: Numeric, step: Numeric): Generator<Numeric> {
  for (const [value, name] of [
    [start, 'start'],
    [stop, 'stop'],
    [step, 'step size'],
  ] as const) {
    if (value.kind === 'finite') continue;
    const label = name === 'step size' ? 'step size' : `${name} value`;
    throw new DbError(
      'invalid_parameter_value',
      `${label} cannot be ${value.kind === 'NaN' ? 'NaN' : 'infinity'}`,
    );
  }
  const sign = numericSign(step);
  if (sign === 0) throw zeroStep();
  for (
    let value = start;
    sign > 0 ? numericCompare(value, stop) <= 0 : numericCompare(value, stop) >= 0;
    value = numericAdd(value, step)
  ) {
    yield value;
  }
}

function* timestamps(
  start: bigint,
  stop: bigint,
  step: Interval,
  add: (timestamp: bigint, span: Interval) => bigint,
): Generator<bigint> {
  const span = intervalSpan(step);
  if (span === 0n) throw zeroStep();
  for (let value = start; span > 0n ? value <= stop : value >= stop; value = add(value, step)) {
    yield value;
    if (!isFiniteTimestamp(value)) return;
  }
}

function* subscripts(array: SqlArray, dimension: number, isReverse: boolean): Generator<number> {
  const length = array.dimensions[dimension - 1];
  if (length === undefined) return;
  const low = array.lowerBounds[dimension - 1]!;
  if (isReverse) for (let index = length - 1; index >= 0; index--) yield low + index;
  else for (let index = 0; index < length; index++) yield low + index;
}

export const seriesFunctions: Record<string, SetFunction> = {
  generate_series_int4: setFunction(false, () => (start: number, stop: number) => integers(start, stop, 1)),
  generate_series_step_int4: setFunction(false, () => integers),
  generate_series_int8: setFunction(false, () => (start: bigint, stop: bigint) => bigints(start, stop, 1n)),
  generate_series_step_int8: setFunction(false, () => bigints),
  generate_series_numeric: setFunction(
    false,
    () => (start: Numeric, stop: Numeric) => numerics(start, stop, NUMERIC_ONE),
  ),
  generate_series_step_numeric: setFunction(false, () => numerics),
  generate_series_timestamp: setFunction(
    false,
    () => (start: bigint, stop: bigint, step: Interval) => timestamps(start, stop, step, addInterval),
  ),
  generate_series_timestamptz: setFunction(false, (context) => {
    const zone = zoneByName(context.format.timeZone);
    return (start: bigint, stop: bigint, step: Interval) =>
      timestamps(start, stop, step, (timestamp, span) => addIntervalTz(timestamp, span, zone));
  }),
  generate_subscripts: setFunction(false, () => subscripts),
  generate_subscripts_nodir: setFunction(
    false,
    () => (array: SqlArray, dimension: number) => subscripts(array, dimension, false),
  ),
  array_unnest: setFunction(false, () => (array: SqlArray) => array.elements),
  text_to_table: setFunction(
    false,
    () => (text: string | null, separator: string | null) =>
      text === null ? [] : splitText(text, separator, null),
  ),
  text_to_table_null: setFunction(
    false,
    () => (text: string | null, separator: string | null, nullText: string | null) =>
      text === null ? [] : splitText(text, separator, nullText),
  ),
  pg_options_to_table: setFunction(
    true,
    () =>
      function* (options: SqlArray): Generator<readonly Datum[]> {
        for (const option of options.elements) {
          const text = option as string;
          const equals = text.indexOf('=');
          yield equals < 0 ? [text, null] : [text.slice(0, equals), text.slice(equals + 1)];
        }
      },
  ),
};
