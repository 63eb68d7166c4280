/** Arbitrary-precision decimal numbers (numeric). See README for the representation. */
export class Numeric {
  /** Digits without the point, with sign. A safe integer where it fits (fast path), else a bigint. */
  readonly coefficient: number | bigint;
  /** Digits after the point that are displayed (PostgreSQL's dscale), 0 … 16383. */
  readonly scale: number;
  /** 'finite' unless NaN or ±Infinity. */
  readonly kind: 'finite' | 'NaN' | 'Infinity' | '-Infinity';

  constructor(
    coefficient: number | bigint,
    scale: number,
    kind: 'finite' | 'NaN' | 'Infinity' | '-Infinity' = 'finite',
  ) {
    this.coefficient = coefficient;
    this.scale = scale;
    this.kind = kind;
  }
}
