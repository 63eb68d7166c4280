/** From the accumulators of a group to SQL values, with PostgreSQL's result types and scales. */
import { DbError } from '../../base/error.ts';
import type { Datum } from '../../types/datum.ts';
import { makeNumeric, numericDivide } from '../../types/numeric-core.ts';
import { NotCompilable } from './interval.ts';
import type { PipelineType } from './spec.ts';
import type { FinalSpec } from './translate.ts';

const INT8_LOW = -(1n << 63n);
const INT8_HIGH = (1n << 63n) - 1n;
/** int8, timestamp, timestamptz are bigint; bool is boolean; the rest number (types/datum.ts). */
const BIGINT_OIDS = new Set([20, 1114, 1184]);
const BOOL_OID = 16;

/** A value of the pipeline as SQL holds it. */
export function toDatum(value: bigint | number, type: PipelineType, typeOid: number): Datum {
  if (typeof value === 'number') return value;
  if (type.kind === 'decimal') return makeNumeric(value, type.scale);
  if (typeOid === BOOL_OID) return value !== 0n;
  return BIGINT_OIDS.has(typeOid) ? value : Number(value);
}

function scaleOf(type: PipelineType): number {
  return type.kind === 'decimal' ? type.scale : 0;
}

/** A double that the row executor should compute again: it knows when PostgreSQL raises an overflow. */
function finite(value: number): number {
  if (!Number.isFinite(value)) throw new NotCompilable('a floating-point result is out of range');
  return value;
}

/**
 * Result of one aggregate over one group.
 * Errors   22003 for sums that leave int8; NotCompilable for doubles that are not finite.
 */
export function finalValue(final: FinalSpec, values: readonly (bigint | number)[]): Datum {
  const count = values[final.count] as bigint;
  const value = values[final.accumulator]!;
  if (final.kind === 'countRows' || final.kind === 'count') return count;
  if (count === 0n) return null;
  switch (final.kind) {
    case 'sumInt8': {
      const sum = (value as bigint) + (final.addend ?? 0n) * count;
      if (sum < INT8_LOW || sum > INT8_HIGH)
        throw new DbError('numeric_value_out_of_range', 'bigint out of range');
      return sum;
    }
    case 'sumNumeric':
      return makeNumeric(value, scaleOf(final.type));
    case 'sumFloat':
      return finite(value as number);
    case 'avgNumeric':
      return numericDivide(makeNumeric(value, scaleOf(final.type)), makeNumeric(count, 0));
    case 'avgFloat':
      return finite(value as number) / Number(count);
    case 'min':
    case 'max':
      return toDatum(value, final.type, final.typeOid);
  }
}
