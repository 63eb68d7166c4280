/**
 * Suspension by exception: how synchronous, re-entrant code gives the event loop back.
 *
 * The row executor's operators are plain synchronous state machines. When a leaf has used up its time slice it throws
 * {@link SuspendSignal.instance}; when it must wait for a lock or for a block it throws a {@link WaitSignal}. The driver
 * catches, yields (or awaits the promise) and calls the same operator again. Rule for every operator and every
 * expression that holds state: leaving by a throw at any call of a child or of an expression and being called again must
 * repeat no effect and lose no row. So: store what was fetched in a field before evaluating anything on it.
 */
export class SuspendSignal {
  static readonly instance = new SuspendSignal();
  private constructor() {}
}

/** Thrown to wait for `promise`; the driver calls again when it is settled (a rejection ends the statement). */
export class WaitSignal {
  readonly promise: Promise<void>;
  constructor(promise: Promise<void>) {
    this.promise = promise;
  }
}

export function isSuspension(thrown: unknown): thrown is SuspendSignal | WaitSignal {
  return thrown instanceof SuspendSignal || thrown instanceof WaitSignal;
}
