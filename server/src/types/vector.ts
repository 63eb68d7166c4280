/** Columns of values in their physical form: what scans, encodings, sealing and COPY exchange. */
import type { PhysicalType } from './contract.ts';

export type FixedValues = Uint8Array | Int16Array | Int32Array | BigInt64Array | Float32Array | Float64Array;

/**
 * One column of `count` values.
 *
 * Shape  fixed types: `values[i]` (bool as 0/1 in a Uint8Array, bytes16 as 16 bytes a row); varlen: bytes [offsets[i], offsets[i+1]) of `bytes`.
 * NULL   `validity` has one bit per row, 1 = present, least significant bit first; null = no NULL in the column. The value under a NULL is unspecified
 *        (varlen: empty).
 */
export interface ColumnVector {
  physical: PhysicalType;
  count: number;
  values: FixedValues | null;
  offsets: Uint32Array | null;
  bytes: Uint8Array | null;
  validity: Uint8Array | null;
}
