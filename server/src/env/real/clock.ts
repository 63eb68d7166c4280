/** Node's clocks and timers. */

import { performance } from 'node:perf_hooks';
import type { Clock, Timer, TimerOptions } from '../contract.ts';

/** The wall clock is re-read from the system when it differs by more than this (it has whole milliseconds only). */
const wallToleranceMicros = 2000;

/** Longest delay of Node's timers; longer ones would fire at once. */
const delayMillisMax = 2 ** 31 - 1;

/** Time of this machine. */
export class RealClock implements Clock {
  private wallOffsetMicros = Date.now() * 1000 - performance.now() * 1000;

  monotonicMicros(): number {
    return performance.now() * 1000;
  }

  wallMicros(): bigint {
    // Microseconds come from the monotonic clock, the date from the system: now() must tell two statements apart.
    const monotonic = performance.now() * 1000;
    const system = Date.now() * 1000;
    let wall = monotonic + this.wallOffsetMicros;
    if (Math.abs(wall - system) > wallToleranceMicros) {
      this.wallOffsetMicros = system - monotonic;
      wall = system;
    }
    return BigInt(Math.floor(wall));
  }

  setTimer(callback: () => void, delayMillis: number, options?: TimerOptions): Timer {
    const timer = setTimeout(callback, Math.min(delayMillis, delayMillisMax));
    if (options?.background) timer.unref();
    return timer as unknown as Timer;
  }

  clearTimer(timer: Timer | undefined): void {
    if (timer !== undefined) clearTimeout(timer as unknown as NodeJS.Timeout);
  }

  sleep(delayMillis: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, Math.min(delayMillis, delayMillisMax)));
  }

  yieldToLoop(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  nextTurn(callback: () => void): void {
    setImmediate(callback);
  }
}
