/** Test clock: turns are immediate, timers fire when the test says so. */
import type { Clock, Timer } from '../../env/contract.ts';

interface Pending extends Timer {
  readonly callback: () => void;
}

export class TestClock implements Clock {
  private timers = new Set<Pending>();

  monotonicMicros(): number {
    return 0;
  }
  wallMicros(): bigint {
    return 0n;
  }
  setTimer(callback: () => void): Timer {
    const timer: Pending = { timerBrand: 'timer', callback };
    this.timers.add(timer);
    return timer;
  }
  clearTimer(timer: Timer | undefined): void {
    if (timer !== undefined) this.timers.delete(timer as Pending);
  }
  sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.setTimer(resolve);
    });
  }
  yieldToLoop(): Promise<void> {
    return Promise.resolve();
  }
  nextTurn(callback: () => void): void {
    queueMicrotask(callback);
  }

  /** Fires every timer set so far. */
  fire(): void {
    const due = [...this.timers];
    this.timers.clear();
    for (const timer of due) timer.callback();
  }
}
