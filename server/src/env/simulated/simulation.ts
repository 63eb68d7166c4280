/**
 * The scheduler of a simulated world: virtual time and one heap of events.
 *
 * 1. pop the event with the smallest (time, sequence), set the clock to its time, run it
 * 2. let all microtasks run (one real `setImmediate`), so that every promise chain it woke comes to rest
 * 3. repeat
 *
 * V8 runs microtasks first in, first out; therefore the whole program is a function of the seed. Every event, disk
 * operation and message enters a rolling hash: two runs of one seed must end with equal hashes.
 */

import { EnvironmentError } from '../contract.ts';
import { SimulatedRandom } from './random.ts';

/** An event that can still be cancelled. */
export interface ScheduledEvent {
  timeMicros: number;
  sequence: number;
  callback: (() => void) | undefined;
}

/** What an entry of the trace is about. */
export const traceKind = {
  event: 1,
  diskRead: 2,
  diskWrite: 3,
  diskSync: 4,
  diskTruncate: 5,
  diskName: 6,
  diskCrash: 7,
  networkSend: 8,
  networkDeliver: 9,
  networkClose: 10,
  workerMessage: 11,
  fault: 12,
  user: 13,
} as const;

/** Limits of `Simulation.run`. */
export interface RunLimits {
  /** Virtual time after which the run fails; default one virtual day. */
  readonly timeMicrosMax?: number;
  readonly eventsMax?: number;
}

/** Virtual time, event order, trace. */
export class Simulation {
  readonly seed: number;
  readonly random: SimulatedRandom;
  nowMicros = 0;
  eventCount = 0;
  private readonly heap: ScheduledEvent[] = [];
  private nextSequence = 0;
  private externalCount = 0;
  private hashLow = 0x811c9dc5;
  private hashHigh = 0x1b873593;

  constructor(seed: number) {
    this.seed = seed;
    this.random = new SimulatedRandom(seed);
  }

  /** Runs `callback` at now + delay. Events of equal time run in the order of scheduling. */
  schedule(delayMicros: number, callback: () => void): ScheduledEvent {
    const event = {
      timeMicros: this.nowMicros + Math.max(0, delayMicros),
      sequence: this.nextSequence++,
      callback,
    };
    push(this.heap, event);
    return event;
  }

  cancel(event: ScheduledEvent): void {
    event.callback = undefined;
  }

  /** Adds to the rolling hash. */
  record(kind: number, first = 0, second = 0, third = 0): void {
    let low = this.hashLow;
    let high = this.hashHigh;
    low = Math.imul(low ^ kind, 0x01000193) ^ (first | 0);
    high = Math.imul(high ^ low, 0x85ebca6b) + (second | 0);
    low = Math.imul(low ^ (high >>> 15), 0xc2b2ae35) + (third | 0);
    this.hashLow = low ^ (low >>> 13);
    this.hashHigh = Math.imul(high ^ (high >>> 16), 0x27d4eb2f) ^ Math.floor(second / 2 ** 32);
  }

  /** Of everything that happened so far, 16 hexadecimal digits. */
  get hash(): string {
    const high = (this.hashHigh >>> 0).toString(16).padStart(8, '0');
    const low = (this.hashLow >>> 0).toString(16).padStart(8, '0');
    return high + low;
  }

  /** Stops virtual time while something real (loading a module) is under way. */
  async external<T>(work: Promise<T>): Promise<T> {
    this.externalCount++;
    try {
      return await work;
    } finally {
      this.externalCount--;
    }
  }

  /**
   * Runs the world until `main` has settled, and returns its result.
   * Errors    EnvironmentError ETIMEDOUT past a limit; ECANCELED when nothing is left to happen but `main` still
   *           waits (a deadlock of the code under test).
   */
  async run<T>(main: () => T | Promise<T>, limits: RunLimits = {}): Promise<T> {
    const timeMicrosMax = limits.timeMicrosMax ?? this.nowMicros + 86_400_000_000;
    const eventsMax = limits.eventsMax ?? Number.POSITIVE_INFINITY;
    let isSettled = false;
    const result = (async () => main())();
    const settle = () => {
      isSettled = true;
    };
    result.then(settle, settle);
    let events = 0;
    for (;;) {
      await drainMicrotasks();
      if (isSettled) return result;
      if (this.externalCount > 0) continue;
      if (!this.step()) throw this.stuck('nothing is left to happen, but the run still waits', 'ECANCELED');
      if (this.nowMicros > timeMicrosMax) throw this.stuck('virtual time limit passed', 'ETIMEDOUT');
      if (++events > eventsMax) throw this.stuck('event limit passed', 'ETIMEDOUT');
    }
  }

  /** Runs whatever is due within the next `durationMicros`, then sets the clock there. */
  async advance(durationMicros: number): Promise<void> {
    const end = this.nowMicros + durationMicros;
    for (;;) {
      await drainMicrotasks();
      if (this.externalCount > 0) continue;
      const next = this.peek();
      if (!next || next.timeMicros > end) break;
      this.step();
    }
    this.nowMicros = end;
  }

  private peek(): ScheduledEvent | undefined {
    while (this.heap.length > 0 && this.heap[0]!.callback === undefined) pop(this.heap);
    return this.heap[0];
  }

  private step(): boolean {
    const event = this.peek();
    if (!event) return false;
    pop(this.heap);
    this.nowMicros = event.timeMicros;
    this.eventCount++;
    this.record(traceKind.event, event.sequence, event.timeMicros);
    const callback = event.callback!;
    event.callback = undefined;
    callback();
    return true;
  }

  private stuck(reason: string, code: 'ECANCELED' | 'ETIMEDOUT'): EnvironmentError {
    const text = `simulation with seed ${this.seed}: ${reason} (at ${this.nowMicros} us, ${this.eventCount} events)`;
    return new EnvironmentError(code, 'simulation', text);
  }
}

/** Resolves when no microtask is left. */
export function drainMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(left: ScheduledEvent, right: ScheduledEvent): boolean {
  return (
    left.timeMicros < right.timeMicros ||
    (left.timeMicros === right.timeMicros && left.sequence < right.sequence)
  );
}

function push(heap: ScheduledEvent[], event: ScheduledEvent): void {
  let index = heap.length;
  heap.push(event);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (!isBefore(event, heap[parent]!)) break;
    heap[index] = heap[parent]!;
    index = parent;
  }
  heap[index] = event;
}

function pop(heap: ScheduledEvent[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(heap[child]!, last)) break;
    heap[index] = heap[child]!;
    index = child;
  }
  heap[index] = last;
}
