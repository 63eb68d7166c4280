/** Rows that are in no region (the delta) as vectors, so that workers treat them like any other run of rows. */

import type { TypeSupport } from '../../types/contract.ts';
import type { Datum } from '../../types/datum.ts';
import { Numeric } from '../../types/numeric.ts';
import { coefficientAt } from '../../types/numeric-core.ts';
import type { ColumnVector } from '../../types/vector.ts';
import { NotCompilable } from './interval.ts';
import type { PipelineColumn } from './spec.ts';

/** Rows of the delta that make one morsel. */
export const REST_ROWS = 16_384;

/** Collects rows of SQL values by column. */
export class RestBatch {
  count = 0;
  private readonly columns: readonly PipelineColumn[];
  private readonly supports: readonly TypeSupport[];
  private readonly values: Datum[][];

  constructor(columns: readonly PipelineColumn[], supports: readonly TypeSupport[]) {
    this.columns = columns;
    this.supports = supports;
    this.values = columns.map(() => []);
  }

  /** Adds the row in `frame`, whose column i is at slot i. */
  add(frame: readonly Datum[]): void {
    for (let index = 0; index < this.values.length; index++) this.values[index]!.push(frame[index]!);
    this.count++;
  }

  /** The vector of column `index`. */
  vector(index: number): ColumnVector {
    return vectorOf(this.values[index]!, this.columns[index]!, this.supports[index]!);
  }
}

/** SQL values as a vector in the physical form that frames are made of. */
export function vectorOf(
  values: readonly Datum[],
  column: PipelineColumn,
  support: TypeSupport,
): ColumnVector {
  const count = values.length;
  let validity: Uint8Array | null = null;
  values.forEach((value, row) => {
    if (value !== null) return;
    validity ??= new Uint8Array((count + 7) >>> 3).fill(255);
    validity[row >>> 3]! &= ~(1 << (row & 7));
  });
  const base = { count, validity, offsets: null, bytes: null };
  switch (column.type.kind) {
    case 'string': {
      const { encode } = support;
      if (encode === undefined) throw new NotCompilable(`type ${support.name} has no storage form`);
      const parts = values.map((value) => (value === null ? new Uint8Array(0) : encode.call(support, value)));
      const offsets = new Uint32Array(count + 1);
      parts.forEach((part, row) => {
        offsets[row + 1] = offsets[row]! + part.length;
      });
      const bytes = new Uint8Array(offsets[count]!);
      parts.forEach((part, row) => {
        bytes.set(part, offsets[row]!);
      });
      return { ...base, physical: 'varlen', values: null, offsets, bytes };
    }
    case 'float':
      return {
        ...base,
        physical: 'float64',
        values: Float64Array.from(values as (number | null)[], (value) => value ?? 0),
      };
    case 'decimal': {
      const { scale } = column.type;
      const numbers = new BigInt64Array(count);
      values.forEach((value, row) => {
        if (value === null) return;
        if (!(value instanceof Numeric) || value.kind !== 'finite')
          throw new NotCompilable('NaN among decimals');
        numbers[row] = coefficientAt(value, scale);
      });
      return { ...base, physical: 'decimal64', values: numbers };
    }
    case 'bool':
    case 'int':
      return {
        ...base,
        physical: 'int64',
        values: BigInt64Array.from(values as (number | bigint | boolean | null)[], (value) =>
          BigInt(value ?? 0),
        ),
      };
  }
}
