/**
 * Where things are in tuples and in the parameter page of query pipelines.
 *
 * Tuple
 *   0   u32   next tuple of the chain, 0 = last; 1 = the tuple is dead (its group went into another one)
 *   4   u32   bit f: field f is NULL (the first 31 fields); bit 31: the tuple was found by a marking probe
 *   8   8 bytes a field: integers and decimals as i64, doubles, booleans as 0 and 1, strings as references; sums 16 where 64 bits may not do
 *
 * String reference: address in the low 32 bits, length in bits 32 to 61, bit 62: equal strings with this bit have equal references.
 *
 * Parameter page: columns, constants and string tests as for plain pipelines (`../layout.ts`), then what is here.
 */
import type { Directory, FieldSpec, StoreSpec } from './ir.ts';

export const TUPLE_NEXT = 0;
export const TUPLE_NULLS = 4;
export const TUPLE_FIELDS = 8;
export const DEAD = 1;
export const MARK_BIT = 1 << 31;
export const NULLABLE_FIELDS_MAX = 31;

export const QUERY_LIMITS = { stores: 24, callArguments: 16 } as const;

const BASE = 2048;
/** Byte offsets in the parameter page. */
export const QUERY_PARAM = {
  /** Per store 32 bytes: directory (i32), mask or cells (i32), filter (i32), mask of its words (i32), low (i64). */
  store: (index: number) => BASE + index * 32,
  /** The sink: next free byte, end of the chunk, directory, mask, groups so far, groups at which it grows, rows that came. */
  cursor: BASE + 24 * 32,
  end: BASE + 24 * 32 + 4,
  directory: BASE + 24 * 32 + 8,
  mask: BASE + 24 * 32 + 12,
  count: BASE + 24 * 32 + 16,
  limit: BASE + 24 * 32 + 20,
  low: BASE + 24 * 32 + 24,
  rows: BASE + 24 * 32 + 32,
  /** Per column: address of the references of a coded column (i32). */
  references: (column: number) => BASE + 24 * 32 + 40 + column * 4,
  /** A call of JavaScript: arguments of 8 bytes, and the result. */
  callArgument: (index: number) => BASE + 1280 + index * 8,
  callResult: BASE + 1280 + 16 * 8,
} as const;

export interface TupleLayout {
  readonly offsets: readonly number[];
  readonly bytes: number;
}

/** Sums of integers have room for 128 bits. */
export function isWideField(store: StoreSpec, field: FieldSpec): boolean {
  if (field.accumulator < 0) return false;
  const { op, arg } = store.accumulators[field.accumulator]!;
  return op === 'sum' && arg?.type.kind !== 'float';
}

export function tupleLayout(store: StoreSpec): TupleLayout {
  let at = TUPLE_FIELDS;
  const offsets = store.fields.map((field) => {
    const offset = at;
    at += isWideField(store, field) ? 16 : 8;
    return offset;
  });
  return { offsets, bytes: at };
}

/** Writes where a store's directory is into the parameter page at `area`. */
export function writeDirectory(view: DataView, area: number, store: number, directory: Directory): void {
  const at = area + QUERY_PARAM.store(store);
  view.setInt32(at, directory.address, true);
  view.setInt32(at + 4, directory.mode === 'direct' ? directory.cells : directory.cells - 1, true);
  view.setInt32(at + 8, directory.filter, true);
  view.setInt32(at + 12, directory.filterWords - 1, true);
  view.setBigInt64(at + 16, directory.low, true);
}
