/** Seeded generator: sfc32 (Doty-Humphrey, PractRand), 128 bits of state, about 1 ns a draw. */

import type { Random } from '../contract.ts';

/** Deterministic randomness. `fork` gives independent streams, so that one part's draws do not shift another's. */
export class SimulatedRandom implements Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /** `seed` is any safe integer; its 53 bits all count. */
  constructor(seed: number) {
    this.a = 0x9e3779b9;
    this.b = seed >>> 0;
    this.c = Math.floor(seed / 2 ** 32) >>> 0;
    // The first outputs of nearby seeds are alike.
    for (let round = 0; round < 15; round++) this.seed();
  }

  seed(): number {
    const result = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  next(): number {
    return ((this.seed() >>> 5) * 2 ** 26 + (this.seed() >>> 6)) / 2 ** 53;
  }

  int(limit: number): number {
    const end = 2 ** 32 - (2 ** 32 % limit);
    for (;;) {
      const value = this.seed();
      if (value < end) return value % limit;
    }
  }

  bytes(count: number): Uint8Array {
    const target = new Uint8Array(count);
    for (let index = 0; index < count; index++) target[index] = this.seed() >>> 24;
    return target;
  }

  /** True with the given probability; draws even for 0 and 1, so that changing a rate does not shift the stream. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** An integer in [first, last]. */
  between(first: number, last: number): number {
    return first + this.int(last - first + 1);
  }

  /** An independent stream derived from this one's next draw. */
  fork(): SimulatedRandom {
    return new SimulatedRandom(this.seed() + this.seed() * 2 ** 20);
  }

  /** In place, uniformly (Fisher and Yates). */
  shuffle<T>(items: T[]): T[] {
    for (let index = items.length - 1; index > 0; index--) {
      const other = this.int(index + 1);
      const item = items[index]!;
      items[index] = items[other]!;
      items[other] = item;
    }
    return items;
  }
}
