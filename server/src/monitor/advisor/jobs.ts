/**
 * SQL functions that take long: the work runs in slices beside the statement, which waits for it as for a lock and can be cancelled.
 *
 * The function is called again after the wait; it then finds the finished job of its session and answers.
 */
import { WaitSignal } from '../../base/suspend.ts';
import type { BackendSession } from '../../session/session.ts';
import type { Datum } from '../../types/datum.ts';

interface Job {
  readonly key: string;
  promise: Promise<void>;
  outcome: { readonly value: Datum } | { readonly error: unknown } | null;
}

const jobs = new WeakMap<BackendSession, Job>();

/** Errors of the job are the statement's. */
export function runAsJob(session: BackendSession, key: string, work: () => Promise<Datum>): Datum {
  const known = jobs.get(session);
  if (known !== undefined && known.key === key && known.outcome !== null) {
    jobs.delete(session);
    if ('error' in known.outcome) throw known.outcome.error;
    return known.outcome.value;
  }
  if (known !== undefined && known.key === key) throw new WaitSignal(known.promise);
  const job: Job = { key, promise: Promise.resolve(), outcome: null };
  jobs.set(session, job);
  job.promise = work().then(
    (value) => {
      job.outcome = { value };
    },
    (error: unknown) => {
      job.outcome = { error };
    },
  );
  throw new WaitSignal(job.promise);
}

/** Lets others run when the slice is used up; ends with the statement's error when it was cancelled. */
export function slicer(session: BackendSession, sliceMicros = 3000): () => Promise<void> {
  const { clock } = session.engine;
  let since = clock.monotonicMicros();
  return async () => {
    if (clock.monotonicMicros() - since < sliceMicros) return;
    await clock.yieldToLoop();
    session.checkInterrupt();
    since = clock.monotonicMicros();
  };
}
