/** Exact accumulators for sum, avg and the variance family over integers and numeric. */
import { Numeric } from './numeric.ts';
import {
  makeNumeric,
  NUMERIC_INFINITY,
  NUMERIC_NAN,
  NUMERIC_NEGATIVE_INFINITY,
  numericAdd,
  numericDivide,
  powerOfTen,
} from './numeric-core.ts';

const MAX_SAFE = Number.MAX_SAFE_INTEGER;

/**
 * Sum of numerics, exact and independent of the order. A plain number collects while it stays safe and is flushed into a
 * bigint before it could round. NaN and infinities are counted apart so that they can be taken out again.
 */
export class NumericSum {
  count = 0;
  private small = 0;
  private big = 0n;
  private scale = 0;
  /** How many of the summed values have the largest scale. */
  private atScale = 0;
  private nanCount = 0;
  private positiveCount = 0;
  private negativeCount = 0;

  add(value: Numeric): void {
    this.count++;
    if (value.kind !== 'finite') {
      this.countSpecial(value, 1);
      return;
    }
    const { coefficient } = value;
    this.countScale(value.scale);
    if (value.scale === this.scale && typeof coefficient === 'number') {
      const sum = this.small + coefficient;
      if (sum <= MAX_SAFE && sum >= -MAX_SAFE) {
        this.small = sum;
        return;
      }
    }
    this.addWide(coefficient, value.scale);
  }

  /** Adds coefficient * 10^-scale. */
  addScaled(coefficient: number, scale: number): void {
    this.count++;
    this.countScale(scale);
    if (scale === this.scale) {
      const sum = this.small + coefficient;
      if (sum <= MAX_SAFE && sum >= -MAX_SAFE) {
        this.small = sum;
        return;
      }
    }
    this.addWide(coefficient, scale);
  }

  private countScale(scale: number): void {
    if (scale === this.scale) this.atScale++;
    else if (scale > this.scale) this.atScale = 1;
  }

  /** Takes a value out again; false (and nothing done) when the shown scale would no longer be known. */
  subtract(value: Numeric): boolean {
    if (this.count <= 1) return false;
    if (value.kind === 'finite') {
      if (value.scale === this.scale && this.atScale-- === 1) {
        this.atScale = 1;
        return false;
      }
      this.addWide(-value.coefficient, value.scale);
    } else this.countSpecial(value, -1);
    this.count--;
    return true;
  }

  merge(source: NumericSum): void {
    this.count += source.count;
    this.nanCount += source.nanCount;
    this.positiveCount += source.positiveCount;
    this.negativeCount += source.negativeCount;
    if (source.scale > this.scale) this.atScale = source.atScale;
    else if (source.scale === this.scale) this.atScale += source.atScale;
    this.addWide(source.big + BigInt(source.small), source.scale);
  }

  private countSpecial(value: Numeric, by: number): void {
    if (value.kind === 'NaN') this.nanCount += by;
    else if (value.kind === 'Infinity') this.positiveCount += by;
    else this.negativeCount += by;
  }

  private addWide(coefficient: number | bigint, scale: number): void {
    this.big += BigInt(this.small);
    this.small = 0;
    if (scale > this.scale) {
      this.big *= powerOfTen(scale - this.scale);
      this.scale = scale;
      this.big += BigInt(coefficient);
    } else if (scale < this.scale) this.big += BigInt(coefficient) * powerOfTen(this.scale - scale);
    else this.big += BigInt(coefficient);
  }

  total(): Numeric {
    if (this.nanCount > 0 || (this.positiveCount > 0 && this.negativeCount > 0)) return NUMERIC_NAN;
    if (this.positiveCount > 0) return NUMERIC_INFINITY;
    if (this.negativeCount > 0) return NUMERIC_NEGATIVE_INFINITY;
    return this.big === 0n
      ? new Numeric(this.small, this.scale)
      : makeNumeric(this.big + BigInt(this.small), this.scale);
  }

  average(): Numeric {
    return numericDivide(this.total(), new Numeric(this.count, 0));
  }
}

/** Sum of integers, exact: a number collects, a bigint takes over before it could round. */
export class IntegerSum {
  count = 0;
  private small = 0;
  private big = 0n;

  add(value: number): void {
    this.count++;
    const sum = this.small + value;
    if (sum <= MAX_SAFE && sum >= -MAX_SAFE) this.small = sum;
    else {
      this.big += BigInt(this.small) + BigInt(value);
      this.small = 0;
    }
  }

  addBig(value: bigint): void {
    this.count++;
    this.big += value;
  }

  subtract(value: number | bigint): void {
    this.count--;
    this.big -= BigInt(value);
  }

  merge(source: IntegerSum): void {
    this.count += source.count;
    this.big += source.big + BigInt(source.small);
  }

  total(): bigint {
    return this.big + BigInt(this.small);
  }

  totalNumeric(): Numeric {
    return this.big === 0n ? new Numeric(this.small, 0) : makeNumeric(this.total(), 0);
  }

  average(): Numeric {
    return numericDivide(this.totalNumeric(), new Numeric(this.count, 0));
  }
}

/** sum(a) of two partial results in the order given; kept for callers that hold plain values. */
export function sumOf(left: Numeric | null, right: Numeric): Numeric {
  return left === null ? right : numericAdd(left, right);
}
