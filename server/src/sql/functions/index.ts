/** The builtin functions, looked up by PostgreSQL's internal names. */
import { aggregateFunctions } from './aggregates.ts';
import { arrayFunctions } from './array.ts';
import { bitFunctions } from './bit.ts';
import { catalogFactFunctions } from './catalog-facts.ts';
import { comparisonFunctions } from './comparison.ts';
import type {
  AggregateFunction,
  CallSite,
  DatumFunction,
  FunctionContext,
  ScalarFunction,
  SetFunction,
  WindowFunction,
} from './contract.ts';
import { dateTimeFunctions } from './datetime.ts';
import { extendedStatisticsFunctions } from './extended-statistics.ts';
import { extensionFunctions, extensionSetFunctions } from './extensions/index.ts';
import { floatFunctions } from './float.ts';
import { dateFormatFunctions } from './format-date.ts';
import { numberFormatFunctions } from './format-number.ts';
import { formatFunctions } from './format-text.ts';
import { areaFunctions } from './geometry/areas.ts';
import { pointFunctions } from './geometry/points.ts';
import { hashFunctions } from './hash.ts';
import { informationSchemaFunctions, informationSchemaSetFunctions } from './information-schema.ts';
import { integerFunctions } from './integer.ts';
import { jsonFunctions, jsonSetFunctions } from './json.ts';
import { jsonPathFunctions, jsonPathSetFunctions } from './jsonpath/index.ts';
import { likeFunctions } from './like.ts';
import { moneyFunctions } from './money.ts';
import { networkFunctions } from './network.ts';
import { numericFunctions } from './numeric.ts';
import { rangeFunctions, rangeSetFunctions } from './range.ts';
import { regexpFunctions, regexpSetFunctions } from './regexp.ts';
import { sampleFunctions } from './sample.ts';
import { seriesFunctions } from './series.ts';
import { snapshotFunctions, snapshotSetFunctions } from './snapshot.ts';
import { delegatedSetFunctions, systemFunctions } from './system.ts';
import { textFunctions } from './text.ts';
import { documentFunctions, documentSetFunctions } from './textsearch/documents.ts';
import { queryFunctions } from './textsearch/queries.ts';
import { vectorFunctions, vectorSetFunctions } from './textsearch/vectors.ts';
import { typeIoFunctions } from './type-io.ts';
import { windowFunctions } from './window.ts';

const scalars: ReadonlyMap<string, ScalarFunction> = new Map(
  [
    typeIoFunctions,
    comparisonFunctions,
    integerFunctions,
    floatFunctions,
    numericFunctions,
    dateTimeFunctions,
    textFunctions,
    likeFunctions,
    regexpFunctions,
    formatFunctions,
    informationSchemaFunctions,
    dateFormatFunctions,
    numberFormatFunctions,
    arrayFunctions,
    jsonFunctions,
    jsonPathFunctions,
    systemFunctions,
    sampleFunctions,
    pointFunctions,
    areaFunctions,
    bitFunctions,
    networkFunctions,
    moneyFunctions,
    rangeFunctions,
    hashFunctions,
    snapshotFunctions,
    vectorFunctions,
    queryFunctions,
    documentFunctions,
    extensionFunctions,
  ].flatMap((table) => Object.entries(table)),
);
const sets: ReadonlyMap<string, SetFunction> = new Map(
  [
    seriesFunctions,
    extendedStatisticsFunctions,
    regexpSetFunctions,
    jsonSetFunctions,
    jsonPathSetFunctions,
    vectorSetFunctions,
    documentSetFunctions,
    extensionSetFunctions,
    informationSchemaSetFunctions,
    delegatedSetFunctions(),
    catalogFactFunctions,
    rangeSetFunctions,
    snapshotSetFunctions,
  ].flatMap((table) => Object.entries(table)),
);
const windows: ReadonlyMap<string, WindowFunction> = new Map(Object.entries(windowFunctions));

/**
 * A scalar function by `pg_proc.prosrc`. Builtin functions of language SQL (no C source) are found as `#` and their OID, e.g.
 * `#1386` for age(timestamptz). Undefined = not there; the caller raises 0A000 naming the function.
 */
export function scalarFunction(source: string): ScalarFunction | undefined {
  return scalars.get(source);
}

/** A set-returning function by `pg_proc.prosrc`. */
export function setReturningFunction(source: string): SetFunction | undefined {
  return sets.get(source);
}

/** An aggregate by the OID of its `pg_proc` row. */
export function aggregateFunction(oid: number): AggregateFunction | undefined {
  return aggregateFunctions.get(oid);
}

/** A window function by `pg_proc.prosrc` (`window_rank` …). Aggregates serve as window functions through {@link aggregateFunction}. */
export function windowFunction(source: string): WindowFunction | undefined {
  return windows.get(source);
}

/** Binds a scalar function to its statement and call. */
export function bindScalar(
  implementation: ScalarFunction,
  context: FunctionContext,
  site: CallSite,
): DatumFunction {
  return implementation.pure ?? implementation.make(context, site);
}

/** All names, for tests and coverage reports. */
export function functionNames(): { scalar: string[]; set: string[]; aggregate: number[]; window: string[] } {
  return {
    scalar: [...scalars.keys()],
    set: [...sets.keys()],
    aggregate: [...aggregateFunctions.keys()],
    window: [...windows.keys()],
  };
}
