/**
 * An expression that moves to another thread when its work exceeds a slice.
 *
 * It is begun here under a budget (base/work.ts). When that is used up the statement waits for the same expression to be
 * evaluated elsewhere over the same inputs; what was begun is forgotten, which is harmless because nothing in it has effects.
 */

import { WaitSignal } from '../../../base/suspend.ts';
import { limitWork, restoreWork, TooMuchWork } from '../../../base/work.ts';
import type { Datum } from '../../../types/datum.ts';
import type { Shipment } from '../../offload/messages.ts';
import type { OffloadJob } from '../../offload/service.ts';
import { WORK_LIMIT } from '../../offload/weight.ts';
import type { Evaluate } from './compile.ts';

/** Starts evaluations elsewhere on behalf of one session. */
export interface OffloadHost {
  start(shipment: Shipment, inputs: readonly Datum[]): OffloadJob;
}

export interface OffloadedExpression {
  readonly host: OffloadHost;
  readonly shipment: Shipment;
  readonly inner: Evaluate;
  readonly inputs: readonly Evaluate[];
  /** Inputs computed first, and where `inner` and `inputs` read them. */
  readonly computed: readonly { readonly run: Evaluate; value: Datum }[];
  /** Memory over suspensions. */
  get(frame: Datum[]): unknown;
  set(frame: Datum[], value: unknown): void;
}

export function offloaded(expression: OffloadedExpression): Evaluate {
  const { host, shipment, inner, inputs, computed } = expression;
  const resume = (frame: Datum[], job: OffloadJob): Datum => {
    if (job.outcome === null) throw new WaitSignal(job.settled);
    expression.set(frame, null);
    const value = job.take();
    return value === undefined ? inner(frame) : value;
  };
  return (frame) => {
    const job = expression.get(frame) as OffloadJob | null;
    if (job !== null) return resume(frame, job);
    if (computed.length > 0) {
      const values = computed.map(({ run }) => run(frame));
      for (let index = 0; index < values.length; index++) computed[index]!.value = values[index]!;
    }
    const outer = limitWork(WORK_LIMIT);
    try {
      return inner(frame);
    } catch (thrown) {
      if (thrown !== TooMuchWork.instance) throw thrown;
    } finally {
      restoreWork(outer);
    }
    const started = host.start(
      shipment,
      inputs.map((input) => input(frame)),
    );
    expression.set(frame, started);
    throw new WaitSignal(started.settled);
  };
}
