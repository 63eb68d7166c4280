/** What one call of a builtin function costs, estimated from its operands before it begins. */
import { isWorkLimited, spend } from '../../base/work.ts';
import type { DatumFunction } from '../../sql/functions/contract.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import { Jsonb } from '../../types/jsonb.ts';
import { Numeric } from '../../types/numeric.ts';

/** Work one thread does on the event loop's thread before the rest goes elsewhere: some 2 ms. */
export const WORK_LIMIT = 200_000;

/** Shorter texts cost nothing worth counting. */
const TEXT_FREE = 2048;
const ITEMS_FREE = 512;
/** About 10,000 decimal digits: beyond, multiplying and printing take milliseconds. */
const GREAT = 1n << 33_000n;

/** Units for a character, byte or item of an operand; those not named take a quarter. */
const WEIGHTS: Readonly<Record<string, number>> = {
  jsonb_in: 6,
  json_in: 4,
  to_tsvector: 60,
  to_tsvector_byid: 60,
  plainto_tsquery: 60,
  to_tsquery: 60,
  ts_headline: 60,
  ts_headline_byid: 60,
  json_to_tsvector: 60,
  jsonb_to_tsvector: 60,
  numeric_in: 40,
  tsvectorin: 10,
  array_in: 10,
  byteain: 2,
  byteaout: 2,
  binary_encode: 2,
  binary_decode: 3,
  md5_text: 1,
  similarity: 40,
  show_trgm: 40,
  translate: 2,
  text_to_array: 4,
  text_to_array_null: 4,
  array_to_text: 8,
  array_to_text_null: 8,
  array_out: 10,
  levenshtein: 4,
  array_length: 0,
  array_lower: 0,
  array_upper: 0,
  array_ndims: 0,
  array_dims: 0,
  array_cardinality: 0,
};
const DEFAULT_WEIGHT = 0.25;
const ITEM_WEIGHT = 4;

/** Input and output functions of a type by what they cost a character. */
const INPUT_WEIGHTS: Readonly<Record<string, number>> = {
  json: 4,
  jsonb: 6,
  numeric: 40,
  tsvector: 10,
  tsquery: 10,
  bytea: 2,
};

export function inputWeight(typeName: string): number {
  return INPUT_WEIGHTS[typeName] ?? (typeName.startsWith('_') ? 10 : DEFAULT_WEIGHT);
}

/** Charges reading or writing `value`; `weight` is for a character or byte. */
export function charge(value: Datum, weight: number): void {
  if (typeof value === 'string') {
    if (value.length > TEXT_FREE) spend(value.length * weight);
    return;
  }
  if (typeof value === 'object' && value !== null) chargeObject(value, weight);
}

function chargeObject(value: Exclude<Datum, null>, weight: number): void {
  if (value instanceof Numeric) {
    const { coefficient } = value;
    if (typeof coefficient === 'bigint' && (coefficient > GREAT || coefficient < -GREAT))
      spend(WORK_LIMIT + 1);
  } else if (value instanceof Uint8Array) {
    if (value.length > TEXT_FREE) spend(value.length * weight);
  } else if (value instanceof SqlArray) {
    if (value.elements.length > ITEMS_FREE) spend(value.elements.length * Math.max(weight, ITEM_WEIGHT));
  } else if (value instanceof Jsonb) {
    const size = value.weight;
    if (size > TEXT_FREE) spend(size * Math.max(weight, 1));
  }
}

/** The function, charging for its operands where work is limited. */
export function charged(source: string, call: DatumFunction, arity: number): DatumFunction {
  const weight = WEIGHTS[source] ?? DEFAULT_WEIGHT;
  if (weight === 0) return call;
  switch (arity) {
    case 0:
      return call;
    case 1:
      return (a) => {
        if (isWorkLimited()) charge(a!, weight);
        return call(a!);
      };
    case 2:
      return (a, b) => {
        if (isWorkLimited()) {
          charge(a!, weight);
          charge(b!, weight);
        }
        return call(a!, b!);
      };
    default:
      return (...args) => {
        if (isWorkLimited()) for (const arg of args) charge(arg, weight);
        return call(...args);
      };
  }
}
