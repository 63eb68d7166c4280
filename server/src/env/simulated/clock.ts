/** Virtual time. */

import type { Clock, Timer, TimerOptions } from '../contract.ts';
import type { ScheduledEvent, Simulation } from './simulation.ts';

/** 2001-09-09 01:46:40 UTC: far from any interesting date. */
const wallStartMicros = 1_000_000_000_000_000n;

/** The clock of a simulation; `wallSkewMicros` lets a test move the wall clock alone. */
export class SimulatedClock implements Clock {
  wallSkewMicros = 0n;
  private readonly simulation: Simulation;

  constructor(simulation: Simulation) {
    this.simulation = simulation;
  }

  monotonicMicros(): number {
    return this.simulation.nowMicros;
  }

  wallMicros(): bigint {
    return wallStartMicros + BigInt(Math.floor(this.simulation.nowMicros)) + this.wallSkewMicros;
  }

  setTimer(callback: () => void, delayMillis: number, _options?: TimerOptions): Timer {
    return this.simulation.schedule(delayMillis * 1000, callback) as unknown as Timer;
  }

  clearTimer(timer: Timer | undefined): void {
    if (timer !== undefined) this.simulation.cancel(timer as unknown as ScheduledEvent);
  }

  sleep(delayMillis: number): Promise<void> {
    return new Promise((resolve) => {
      this.simulation.schedule(delayMillis * 1000, resolve);
    });
  }

  yieldToLoop(): Promise<void> {
    return new Promise((resolve) => {
      this.simulation.schedule(0, resolve);
    });
  }

  nextTurn(callback: () => void): void {
    this.simulation.schedule(0, callback);
  }
}
