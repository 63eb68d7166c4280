import type { Slot } from '../expression.ts';
import type { ColumnVariant } from '../variant.ts';
import {
  binary,
  type FunctionBuilder,
  type I32,
  type I64,
  i32,
  i64,
  type Label,
  type Local,
  load,
  unary,
} from '../wasm/function-builder.ts';
import type { StoreSpec } from './ir.ts';
import { mixed, type StringFunctions } from './strings.ts';

/** What code for a store depends on, beyond its specification. */
export interface StoreVariant {
  readonly mode: 'direct' | 'hash';
  readonly hasFilter: boolean;
  readonly isUnique: boolean;
  readonly nullable: readonly boolean[];
}

export interface QueryVariant {
  readonly columns: readonly ColumnVariant[];
  /** Filters (indexes) of a scan that kernels did not decide. */
  readonly filters: readonly number[];
  /** Stores that are read, by number. */
  readonly stores: Readonly<Record<number, StoreVariant>>;
  /** Groups: how their cells are found, and which sums need 128 bits (by field). */
  readonly sinkMode: 'direct' | 'hash';
  readonly wide: readonly boolean[];
  /** Groups: some key may be NULL, so the hash has the NULL bits in it. */
  readonly keyNulls: boolean;
  /** Groups: the numbers among the keys tell most groups apart. */
  readonly isBrief: boolean;
}

export const MEMORY = { initial: 1, maximum: 65536, shared: true };

export function wordOf(builder: FunctionBuilder, slot: Slot): Local<'i64'> {
  const { value } = slot;
  if (value.type === 'i64') return value as Local<'i64'>;
  return builder.keep(unary('i64ExtendI32U', (value as Local<'i32'>).get()));
}

/** How strings go into a hash: whole, or by their length and first bytes where other keys tell the tuples apart. */
export function hashOf(
  builder: FunctionBuilder,
  words: readonly Local<'i64'>[],
  isString: readonly boolean[],
  nulls: Local<'i32'> | null,
  strings: StringFunctions,
  isBrief = false,
): Local<'i64'> {
  let hash: I64 | null = nulls === null ? null : unary('i64ExtendI32U', nulls.get());
  words.forEach((word, index) => {
    const value = isString[index]
      ? builder.callValue(isBrief ? strings.brief : strings.hash, [word.get()], ['i64'], 'i64')
      : word.get();
    hash = mixed(builder, hash, value);
  });
  return builder.keep(hash ?? i64(0n));
}

/** Keys of a tuple against words; null = they are equal by construction. */
export function keysDiffer(
  builder: FunctionBuilder,
  tuple: Local<'i32'>,
  offsets: readonly number[],
  words: readonly Local<'i64'>[],
  isString: readonly boolean[],
  strings: StringFunctions,
): I32 {
  const differences: I64[] = [];
  const unequal: I32[] = [];
  words.forEach((word, index) => {
    const stored = load('i64Load', tuple.get(), offsets[index]!);
    if (isString[index])
      unequal.push(
        unary('i32Eqz', builder.callValue(strings.equal, [stored, word.get()], ['i64', 'i64'], 'i32')),
      );
    else differences.push(binary('i64Xor', stored, word.get()));
  });
  if (differences.length > 0)
    unequal.unshift(
      unary(
        'i32Eqz',
        unary(
          'i64Eqz',
          differences.reduce((left, right) => binary('i64Or', left, right)),
        ),
      ),
    );
  return unequal.reduce((left, right) => binary('i32Or', left, right));
}

export function keyKinds(store: StoreSpec): boolean[] {
  return store.fields.slice(0, store.keys).map(({ type }) => type.kind === 'string');
}

/** Byte offset of the word and the two bits of a hash in a filter. */
export function filterBits(hash: Local<'i64'>, wordMask: Local<'i32'>): { word: I32; bits: I32 } {
  const upper = (shift: bigint): I32 => unary('i32WrapI64', binary('i64ShrU', hash.get(), i64(shift)));
  const word = binary('i32Shl', binary('i32And', upper(10n), wordMask.get()), i32(2));
  const first = binary('i32Shl', i32(1), binary('i32And', upper(40n), i32(31)));
  const second = binary('i32Shl', i32(1), binary('i32And', upper(46n), i32(31)));
  return { word, bits: binary('i32Or', first, second) };
}

/** Stores `word` where it is further than `kept`, the least or greatest string so far (0 = none). */
export function keepString(
  builder: FunctionBuilder,
  strings: StringFunctions,
  op: 'count' | 'sum' | 'min' | 'max',
  tuple: Local<'i32'>,
  offset: number,
  kept: Local<'i64'>,
  word: Local<'i64'>,
  done: Label,
): void {
  builder.if(unary('i32Eqz', unary('i64Eqz', kept.get())), () => {
    const order = builder.callValue(strings.compare, [word.get(), kept.get()], ['i64', 'i64'], 'i32');
    builder.branchIf(binary(op === 'min' ? 'i32GeS' : 'i32LeS', order, i32(0)), done);
  });
  builder.store('i64Store', tuple.get(), word.get(), offset);
}

/** Adds (low, high) to the sum in a tuple; `high` null: 64 bits do. */
export function addSum(
  builder: FunctionBuilder,
  tuple: Local<'i32'>,
  offset: number,
  low: Local<'i64'>,
  high: I64 | null,
): void {
  const sum = builder.keep(binary('i64Add', load('i64Load', tuple.get(), offset), low.get()));
  builder.store('i64Store', tuple.get(), sum.get(), offset);
  if (high === null) return;
  const carry = unary('i64ExtendI32U', binary('i64LtU', sum.get(), low.get()));
  const upper = binary('i64Add', load('i64Load', tuple.get(), offset + 8), binary('i64Add', high, carry));
  builder.store('i64Store', tuple.get(), upper, offset + 8);
}
