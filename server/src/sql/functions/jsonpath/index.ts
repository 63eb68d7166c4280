/** jsonb_path_* functions and the operators @? and @@. */
import { DbError } from '../../../base/error.ts';
import type { Datum } from '../../../types/datum.ts';
import { Jsonb } from '../../../types/jsonb.ts';
import type { JsonPath } from '../../../types/jsonpath/tree.ts';
import { type TimeZone, zoneByName } from '../../../types/zone.ts';
import type { FunctionContext, SetFunction } from '../contract.ts';
import { boundTable, type FunctionTable, type Implementation, setFunction } from '../registry.ts';
import { PathEvaluator, PathFailure } from './evaluate.ts';
import { type PathValue, toJson } from './items.ts';

type Evaluate = (target: Jsonb, path: JsonPath, vars: Jsonb | undefined) => PathEvaluator;

function evaluator(context: FunctionContext, usesZone: boolean): Evaluate {
  let zone: TimeZone | null = null;
  const zones = { isAllowed: usesZone, zone: () => (zone ??= zoneByName(context.format.timeZone)) };
  return (target, path, vars) =>
    new PathEvaluator(path, target.value, {
      vars: vars?.value,
      zones,
      checkInterrupt: context.checkInterrupt && (() => context.checkInterrupt!()),
    });
}

/** Runs; a path failure is null when silent, its error otherwise. */
function attempt<Result>(isSilent: boolean, run: () => Result): Result | null {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof PathFailure)) throw error;
    if (isSilent) return null;
    throw error.error;
  }
}

/** The results; when silent, those before the first failure. */
function results(
  evaluate: Evaluate,
  target: Jsonb,
  path: JsonPath,
  vars: Jsonb | undefined,
  isSilent: boolean,
): PathValue[] {
  const found: PathValue[] = [];
  attempt(isSilent, () => evaluate(target, path, vars).collect(found));
  return found;
}

function matches(
  evaluate: Evaluate,
  target: Jsonb,
  path: JsonPath,
  vars: Jsonb | undefined,
  isSilent: boolean,
): boolean | null {
  const found = results(evaluate, target, path, vars, isSilent);
  if (found.length === 1) {
    const only = found[0]!;
    if (typeof only === 'boolean') return only;
    if (only === null) return null;
  }
  if (isSilent) return null;
  throw new DbError('singleton_sql_json_item_required', 'single boolean result is expected');
}

function variants(suffix: string, usesZone: boolean): FunctionTable {
  const make =
    (body: (evaluate: Evaluate) => Implementation) =>
    (context: FunctionContext): Implementation =>
      body(evaluator(context, usesZone));
  return boundTable({
    [`jsonb_path_exists${suffix}`]: make(
      (evaluate) => (target: Jsonb, path: JsonPath, vars: Jsonb, isSilent: boolean) =>
        attempt(isSilent, () => evaluate(target, path, vars).exists()),
    ),
    [`jsonb_path_match${suffix}`]: make(
      (evaluate) => (target: Jsonb, path: JsonPath, vars: Jsonb, isSilent: boolean) =>
        matches(evaluate, target, path, vars, isSilent),
    ),
    [`jsonb_path_query_array${suffix}`]: make(
      (evaluate) => (target: Jsonb, path: JsonPath, vars: Jsonb, isSilent: boolean) =>
        new Jsonb(results(evaluate, target, path, vars, isSilent).map(toJson)),
    ),
    [`jsonb_path_query_first${suffix}`]: make(
      (evaluate) => (target: Jsonb, path: JsonPath, vars: Jsonb, isSilent: boolean) => {
        const found = results(evaluate, target, path, vars, isSilent);
        return found.length === 0 ? null : new Jsonb(toJson(found[0]!));
      },
    ),
  });
}

export const jsonPathFunctions: FunctionTable = {
  ...variants('', false),
  ...variants('_tz', true),
  ...boundTable({
    jsonb_path_exists_opr: (context) => {
      const evaluate = evaluator(context, false);
      return (target: Jsonb, path: JsonPath) =>
        attempt(true, () => evaluate(target, path, undefined).exists());
    },
    jsonb_path_match_opr: (context) => {
      const evaluate = evaluator(context, false);
      return (target: Jsonb, path: JsonPath) => matches(evaluate, target, path, undefined, true);
    },
  }),
};

const query = (usesZone: boolean): SetFunction =>
  setFunction(false, (context) => {
    const evaluate = evaluator(context, usesZone);
    return (target: Jsonb, path: JsonPath, vars: Jsonb, isSilent: boolean): Datum[] =>
      results(evaluate, target, path, vars, isSilent).map((item) => new Jsonb(toJson(item)));
  });

export const jsonPathSetFunctions: Record<string, SetFunction> = {
  jsonb_path_query: query(false),
  jsonb_path_query_tz: query(true),
};
