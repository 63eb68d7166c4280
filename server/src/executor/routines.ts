/**
 * Functions written in SQL or PL/pgSQL as the executor calls them. The interpreters live in a room below (`plpgsql/`) and are handed in
 * per session.
 *
 * A call may be left by a suspension in the middle of its body. It is then an object of its own, an {@link Invocation}, which the place
 * of the call keeps; evaluating the expression again finds it there and goes on with it.
 */
import type { Oid } from '../base/brands.ts';
import type { FunctionDescriptor, RelationDescriptor, TriggerDescriptor } from '../catalog/contract.ts';
import type { CallSite } from '../sql/functions/contract.ts';
import type { Snapshot } from '../txn/contract.ts';
import type { Datum } from '../types/datum.ts';

/** A call under way. `run` gives the result, or leaves by a suspension and is called again. */
export interface Invocation {
  run(): Datum;
}

/** A function bound to one place of call. */
export interface BoundRoutine {
  start(args: readonly Datum[]): Invocation;
  /** Rows of a set-returning function: values, or SqlRecord for several columns. `next` may leave by a suspension and is called again. */
  startSet(args: readonly Datum[]): Iterator<Datum>;
}

export type TriggerOperation = 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE';

/** One firing of a trigger. Rows are by column, dropped ones included. */
export interface TriggerCall {
  readonly trigger: TriggerDescriptor;
  readonly relation: RelationDescriptor;
  readonly operation: TriggerOperation;
  readonly when: 'BEFORE' | 'AFTER' | 'INSTEAD OF';
  readonly level: 'ROW' | 'STATEMENT';
  readonly oldRow: readonly Datum[] | null;
  readonly newRow: readonly Datum[] | null;
  /** Transition tables, where the trigger names them. */
  readonly oldTable: Datum;
  readonly newTable: Datum;
}

/** Binds user functions for one session. */
export interface RoutineHost {
  /** Errors 42501 when the current role may not execute it. */
  bind(descriptor: FunctionDescriptor, site: CallSite): BoundRoutine;
  /** Calls a trigger function; the result of `run` is the row it returns, or null. */
  startTrigger(functionOid: Oid, call: TriggerCall): Invocation;
}

/**
 * What the statement that runs now in a session shares with the functions it calls: its time slice and its snapshot.
 * Infinity outside a slice: then functions run to their end.
 */
export interface Activity {
  /** End of the running slice on the monotonic clock, microseconds. */
  deadline: number;
  /** Executions that are inside `step` at this moment. */
  depth: number;
  /** Snapshot of the innermost of them: what functions that are not volatile see. */
  snapshot: Snapshot | null;
}

export function newActivity(): Activity {
  return { deadline: Number.POSITIVE_INFINITY, depth: 0, snapshot: null };
}
