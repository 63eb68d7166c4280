/** A value seen as another type of the same bytes: only the sign of 32-bit numbers has to follow. */
import type { Datum } from './datum.ts';
import { OID } from './oid.ts';

/** The signed one and those without a sign: oid and the types of names. */
const isSigned = (type: number): boolean => type === OID.INT4;
const UNSIGNED: ReadonlySet<number> = new Set([
  26, 24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191,
]);

/** True when a value of `from` is another number as `to`. */
export function changesSign(from: number, to: number): boolean {
  return (isSigned(from) && UNSIGNED.has(to)) || (isSigned(to) && UNSIGNED.has(from));
}

export function relabelled(value: Datum, from: number, to: number): Datum {
  if (typeof value !== 'number' || !changesSign(from, to)) return value;
  return isSigned(to) ? value | 0 : value >>> 0;
}
