/**
 * Seeded random numbers for data generation: xorshift128 on 32-bit words.
 *
 * Every table and column group has a stream of its own, so that a table can be generated alone and a changed column does not
 * disturb the others.
 */
export class Stream {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  constructor(seed: number, name: string) {
    let hash = (seed ^ 0x9e3779b9) | 0;
    for (let index = 0; index < name.length; index++)
      hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
    const next = (): number => {
      hash = (hash + 0x6d2b79f5) | 0;
      let mixed = Math.imul(hash ^ (hash >>> 15), hash | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return (mixed ^ (mixed >>> 14)) | 0;
    };
    this.a = next();
    this.b = next();
    this.c = next();
    this.d = next() | 1;
  }

  /** 32 random bits, unsigned. */
  bits(): number {
    let t = this.d;
    const s = this.a;
    this.d = this.c;
    this.c = this.b;
    this.b = s;
    t ^= t << 11;
    t ^= t >>> 8;
    this.a = t ^ s ^ (s >>> 19);
    return this.a >>> 0;
  }

  /** Uniform integer in [low, high], both ends included (as the specification writes ranges). */
  between(low: number, high: number): number {
    return low + Math.floor((this.bits() / 4294967296) * (high - low + 1));
  }
}
