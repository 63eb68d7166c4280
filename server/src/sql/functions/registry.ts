/** Helpers to write tables of functions. */
import type { Datum } from '../../types/datum.ts';
import type { CallSite, DatumFunction, FunctionContext, ScalarFunction, SetFunction } from './contract.ts';

/** An implementation with the parameter types it really takes; the catalog's signatures guarantee them. */
export type Implementation = (...args: never[]) => Datum;
export type FunctionTable = Record<string, ScalarFunction>;

/** Functions that need nothing but their arguments. */
export function pureTable(table: Record<string, Implementation>): FunctionTable {
  const result: FunctionTable = {};
  for (const [name, call] of Object.entries(table)) result[name] = { pure: call as unknown as DatumFunction };
  return result;
}

/** Functions bound to the statement's context and the call. */
export function boundTable(
  table: Record<string, (context: FunctionContext, site: CallSite) => Implementation>,
): FunctionTable {
  const result: FunctionTable = {};
  for (const [name, make] of Object.entries(table)) {
    result[name] = { make: (context, site) => make(context, site) as unknown as DatumFunction };
  }
  return result;
}

export type SetImplementation = (...args: never[]) => Iterable<Datum | readonly Datum[]>;

export function setFunction(
  columns: boolean,
  make: (context: FunctionContext, site: CallSite) => SetImplementation,
): SetFunction {
  return {
    columns,
    make: (context, site) =>
      make(context, site) as unknown as (...args: Datum[]) => Iterable<Datum | readonly Datum[]>,
  };
}
