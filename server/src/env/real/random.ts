/** The system's cryptographic generator, drawn in pages so that small requests cost no call. */

import { randomFillSync } from 'node:crypto';
import type { Random } from '../contract.ts';

const poolBytes = 4096;

/** Cryptographically strong randomness. */
export class RealRandom implements Random {
  private readonly pool = new Uint8Array(poolBytes);
  private readonly words = new DataView(this.pool.buffer);
  private used = poolBytes;

  bytes(count: number): Uint8Array {
    const target = new Uint8Array(count);
    if (count > poolBytes / 4) return randomFillSync(target);
    const start = this.take(count);
    target.set(this.pool.subarray(start, start + count));
    // What was handed out may become a key: it does not stay in the pool.
    this.pool.fill(0, start, start + count);
    return target;
  }

  next(): number {
    const start = this.take(8);
    const high = this.words.getUint32(start, true) >>> 5;
    const low = this.words.getUint32(start + 4, true) >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  int(limit: number): number {
    // Values from the incomplete last round are drawn again, so that every result is equally likely.
    const end = 2 ** 32 - (2 ** 32 % limit);
    for (;;) {
      const value = this.seed();
      if (value < end) return value % limit;
    }
  }

  seed(): number {
    return this.words.getUint32(this.take(4), true);
  }

  private take(count: number): number {
    if (this.used + count > poolBytes) {
      randomFillSync(this.pool);
      this.used = 0;
    }
    const start = this.used;
    this.used += count;
    return start;
  }
}
