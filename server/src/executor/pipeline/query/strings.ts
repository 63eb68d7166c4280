/** WebAssembly functions over string references: equality, hash, search. References are described in `layout.ts`. */
import { INTERNED } from '../frame-store.ts';
import {
  binary,
  type FunctionBuilder,
  type I32,
  type I64,
  i32,
  i64,
  type Local,
  load,
  loadVector,
  select,
  simd,
  simdUnary,
  unary,
} from '../wasm/function-builder.ts';
import type { ModuleBuilder } from '../wasm/module-builder.ts';

const LENGTH_MASK = 0x3fffffff;
export const HASH_MULTIPLIER = -7046029254386353131n;

/** Indexes of the functions in the module. */
export interface StringFunctions {
  /** (left i64, right i64) -> i32 */
  readonly equal: number;
  /** (reference i64) -> i64 */
  readonly hash: number;
  /** (reference i64) -> i64: of the length and the first eight bytes */
  readonly brief: number;
  /** (left address, right address, bytes) -> i32 */
  readonly equalBytes: number;
  /** (from, end, piece i64) -> address behind the first occurrence, or 0 */
  readonly find: number;
  /** (left i64, right i64) -> below, at, above 0: by bytes */
  readonly compare: number;
  /** (reference i64) -> the same without the blanks at its end */
  readonly trimmed: number;
  /** (reference i64) -> characters */
  readonly characters: number;
}

export function addressOf(reference: I64): I32 {
  return unary('i32WrapI64', reference);
}

export function lengthOf(reference: I64): I32 {
  const upper = unary('i32WrapI64', binary('i64ShrU', reference, i64(32n)));
  return binary('i32And', upper, i32(LENGTH_MASK));
}

/** One round of the hash: the same in every module, and in what JavaScript never computes. */
export function mixed(builder: FunctionBuilder, hash: I64 | null, word: I64): I64 {
  const input = hash === null ? word : binary('i64Xor', hash, word);
  const product = builder.keep(binary('i64Mul', input, i64(HASH_MULTIPLIER)));
  return binary('i64Xor', product.get(), binary('i64ShrU', product.get(), i64(32n)));
}

/** Bytes [0, count) of a word, count from 0 to 7. */
function lowBytes(word: I64, count: I32): I64 {
  const bits = unary('i64ExtendI32U', binary('i32Shl', count, i32(3)));
  const mask = binary('i64Sub', binary('i64Shl', i64(1n), bits), i64(1n));
  return binary('i64And', word, mask);
}

export function stringFunctions(module: ModuleBuilder): StringFunctions {
  const equalBytes = module.function(null, ['i32', 'i32', 'i32'], ['i32'], (builder) => {
    const left = builder.parameter(0, 'i32');
    const right = builder.parameter(1, 'i32');
    const rest = builder.parameter(2, 'i32');
    builder.block((tail) => {
      builder.loop((again) => {
        builder.branchIf(binary('i32LtU', rest.get(), i32(8)), tail);
        builder.if(binary('i64Ne', load('i64Load', left.get()), load('i64Load', right.get())), () =>
          builder.return(i32(0)),
        );
        builder.set(left, binary('i32Add', left.get(), i32(8)));
        builder.set(right, binary('i32Add', right.get(), i32(8)));
        builder.set(rest, binary('i32Sub', rest.get(), i32(8)));
        builder.branch(again);
      });
    });
    const difference = binary('i64Xor', load('i64Load', left.get()), load('i64Load', right.get()));
    builder.return(unary('i64Eqz', lowBytes(difference, rest.get())));
  });
  const equal = module.function(null, ['i64', 'i64'], ['i32'], (builder) => {
    const left = builder.parameter(0, 'i64');
    const right = builder.parameter(1, 'i64');
    builder.if(binary('i64Eq', left.get(), right.get()), () => builder.return(i32(1)));
    const both = binary('i64And', binary('i64And', left.get(), right.get()), i64(INTERNED));
    builder.if(unary('i32Eqz', unary('i64Eqz', both)), () => builder.return(i32(0)));
    builder.if(binary('i32Ne', lengthOf(left.get()), lengthOf(right.get())), () => builder.return(i32(0)));
    builder.return(
      builder.callValue(
        equalBytes,
        [addressOf(left.get()), addressOf(right.get()), lengthOf(left.get())],
        ['i32', 'i32', 'i32'],
        'i32',
      ),
    );
  });
  const hash = module.function(null, ['i64'], ['i64'], (builder) => {
    const reference = builder.parameter(0, 'i64');
    const at = builder.keep(addressOf(reference.get()));
    const rest = builder.keep(lengthOf(reference.get()));
    const value = builder.keep(unary('i64ExtendI32U', rest.get()));
    builder.block((tail) => {
      builder.loop((again) => {
        builder.branchIf(binary('i32LtU', rest.get(), i32(8)), tail);
        builder.set(value, mixed(builder, value.get(), load('i64Load', at.get())));
        builder.set(at, binary('i32Add', at.get(), i32(8)));
        builder.set(rest, binary('i32Sub', rest.get(), i32(8)));
        builder.branch(again);
      });
    });
    builder.return(mixed(builder, value.get(), lowBytes(load('i64Load', at.get()), rest.get())));
  });
  const brief = module.function(null, ['i64'], ['i64'], (builder) => {
    const reference = builder.parameter(0, 'i64');
    const length = builder.keep(lengthOf(reference.get()));
    const word = load('i64Load', addressOf(reference.get()));
    const first = builder.keep(word);
    builder.if(binary('i32LtU', length.get(), i32(8)), () =>
      builder.set(first, lowBytes(first.get(), length.get())),
    );
    builder.return(binary('i64Xor', first.get(), unary('i64ExtendI32U', length.get())));
  });
  const find = module.function(null, ['i32', 'i32', 'i64'], ['i32'], (builder) => {
    const at = builder.parameter(0, 'i32');
    const end = builder.parameter(1, 'i32');
    const piece = builder.parameter(2, 'i64');
    const length = builder.keep(lengthOf(piece.get()));
    const wanted = builder.keep(addressOf(piece.get()));
    builder.if(binary('i32LtU', binary('i32Sub', end.get(), at.get()), length.get()), () =>
      builder.return(i32(0)),
    );
    const last = builder.keep(binary('i32Sub', end.get(), length.get()));
    const isShort = builder.keep(binary('i32Eq', length.get(), i32(1)));
    const first = builder.keep(simdUnary('i8x16Splat', load('i32Load8U', wanted.get())));
    const second = builder.keep(simdUnary('i8x16Splat', load('i32Load8U', wanted.get(), 1)));
    const hits = builder.local('i32');
    const place = builder.local('i32');
    builder.loop((next) => {
      const starts = simdUnary('i8x16Bitmask', simd('i8x16Eq', loadVector(at.get()), first.get()));
      const follows = simdUnary('i8x16Bitmask', simd('i8x16Eq', loadVector(at.get(), 1), second.get()));
      builder.set(hits, binary('i32And', starts, select(isShort.get(), i32(0xffff), follows)));
      builder.block((none) => {
        builder.loop((again) => {
          builder.branchIf(unary('i32Eqz', hits.get()), none);
          builder.set(place, binary('i32Add', at.get(), unary('i32Ctz', hits.get())));
          builder.if(binary('i32GtU', place.get(), last.get()), () => builder.return(i32(0)));
          const isHere = builder.callValue(
            equalBytes,
            [place.get(), wanted.get(), length.get()],
            ['i32', 'i32', 'i32'],
            'i32',
          );
          builder.if(isHere, () => builder.return(binary('i32Add', place.get(), length.get())));
          builder.set(hits, binary('i32And', hits.get(), binary('i32Sub', hits.get(), i32(1))));
          builder.branch(again);
        });
      });
      builder.set(at, binary('i32Add', at.get(), i32(16)));
      builder.branchIf(binary('i32LeU', at.get(), last.get()), next);
    });
    builder.return(i32(0));
  });
  const bytes = module.function(null, ['i32', 'i32', 'i32', 'i32'], ['i32'], (builder) =>
    emitCompareBytes(builder),
  );
  const compare = module.function(null, ['i64', 'i64'], ['i32'], (builder) => {
    const left = builder.parameter(0, 'i64');
    const right = builder.parameter(1, 'i64');
    builder.if(binary('i64Eq', left.get(), right.get()), () => builder.return(i32(0)));
    const args = [addressOf(left.get()), lengthOf(left.get()), addressOf(right.get()), lengthOf(right.get())];
    builder.return(builder.callValue(bytes, args, ['i32', 'i32', 'i32', 'i32'], 'i32'));
  });
  const trimmed = module.function(null, ['i64'], ['i64'], (builder) => {
    const reference = builder.parameter(0, 'i64');
    const start = builder.keep(addressOf(reference.get()));
    const end = builder.keep(binary('i32Add', start.get(), lengthOf(reference.get())));
    builder.block((done) => {
      builder.loop((again) => {
        builder.branchIf(binary('i32Eq', end.get(), start.get()), done);
        const last = load('i32Load8U', binary('i32Sub', end.get(), i32(1)));
        builder.branchIf(binary('i32Ne', last, i32(32)), done);
        builder.set(end, binary('i32Sub', end.get(), i32(1)));
        builder.branch(again);
      });
    });
    const length = unary('i64ExtendI32U', binary('i32Sub', end.get(), start.get()));
    const high = binary('i64Shl', length, i64(32n));
    builder.return(binary('i64Or', unary('i64ExtendI32U', start.get()), high));
  });
  // Characters are the bytes that do not continue one: those that are not 10xxxxxx. Sixteen at once; what lies behind the end is masked.
  const characters = module.function(null, ['i64'], ['i64'], (builder) => {
    const reference = builder.parameter(0, 'i64');
    const at = builder.keep(addressOf(reference.get()));
    const rest = builder.keep(lengthOf(reference.get()));
    const count = builder.keep(rest.get());
    const bits = builder.local('i32');
    const limit = builder.keep(simdUnary('i8x16Splat', i32(-64)));
    builder.block((done) => {
      builder.loop((again) => {
        builder.branchIf(unary('i32Eqz', rest.get()), done);
        builder.set(bits, simdUnary('i8x16Bitmask', simd('i8x16LtS', loadVector(at.get()), limit.get())));
        builder.if(binary('i32LtU', rest.get(), i32(16)), () => {
          const mask = binary('i32Sub', binary('i32Shl', i32(1), rest.get()), i32(1));
          builder.set(bits, binary('i32And', bits.get(), mask));
          builder.set(rest, i32(16));
        });
        builder.set(count, binary('i32Sub', count.get(), unary('i32Popcnt', bits.get())));
        builder.set(at, binary('i32Add', at.get(), i32(16)));
        builder.set(rest, binary('i32Sub', rest.get(), i32(16)));
        builder.branch(again);
      });
    });
    builder.return(unary('i64ExtendI32U', count.get()));
  });
  return { equal, hash, brief, equalBytes, find, compare, trimmed, characters };
}

/** (left, left bytes, right, right bytes) -> below, at, above 0 */
export function emitCompareBytes(builder: FunctionBuilder): void {
  const left = builder.parameter(0, 'i32');
  const leftLength = builder.parameter(1, 'i32');
  const right = builder.parameter(2, 'i32');
  const rightLength = builder.parameter(3, 'i32');
  const shorter = binary('i32LtU', leftLength.get(), rightLength.get());
  const common = builder.keep(select(shorter, leftLength.get(), rightLength.get()));
  const at = builder.local('i32');
  const one = builder.local('i32');
  const other = builder.local('i32');
  builder.block((equal) => {
    builder.loop((again) => {
      builder.branchIf(binary('i32GeU', at.get(), common.get()), equal);
      // Eight bytes at once while they are the same: what lies behind the end of a string may be read, not used.
      const difference = binary(
        'i64Xor',
        load('i64Load', binary('i32Add', left.get(), at.get())),
        load('i64Load', binary('i32Add', right.get(), at.get())),
      );
      const bits = builder.keep(difference);
      builder.if(unary('i64Eqz', bits.get()), () => {
        builder.set(at, binary('i32Add', at.get(), i32(8)));
        builder.branch(again);
      });
      const byte = binary('i32ShrU', unary('i32WrapI64', unary('i64Ctz', bits.get())), i32(3));
      builder.set(at, binary('i32Add', at.get(), byte));
      builder.branchIf(binary('i32GeU', at.get(), common.get()), equal);
      builder.set(one, load('i32Load8U', binary('i32Add', left.get(), at.get())));
      builder.set(other, load('i32Load8U', binary('i32Add', right.get(), at.get())));
      builder.return(binary('i32Sub', one.get(), other.get()));
    });
  });
  builder.return(binary('i32Sub', leftLength.get(), rightLength.get()));
}

/** LIKE over pieces in locals; true or false. */
export function emitLike(
  builder: FunctionBuilder,
  functions: StringFunctions,
  reference: Local<'i64'>,
  pieces: readonly Local<'i64'>[],
  atStart: boolean,
  atEnd: boolean,
): Local<'i32'> {
  const result = builder.local('i32');
  const at = builder.local('i32');
  const end = builder.local('i32');
  const isAt = (address: I32, piece: Local<'i64'>): I32 =>
    builder.callValue(
      functions.equalBytes,
      [address, addressOf(piece.get()), lengthOf(piece.get())],
      ['i32', 'i32', 'i32'],
      'i32',
    );
  builder.set(result, i32(0));
  builder.set(at, addressOf(reference.get()));
  builder.set(end, binary('i32Add', at.get(), lengthOf(reference.get())));
  builder.block((out) => {
    pieces.forEach((piece, index) => {
      const isLast = atEnd && index === pieces.length - 1;
      if (isLast || (atStart && index === 0)) {
        const room = binary('i32Sub', end.get(), at.get());
        builder.branchIf(binary('i32LtU', room, lengthOf(piece.get())), out);
        const place = isLast ? binary('i32Sub', end.get(), lengthOf(piece.get())) : at.get();
        builder.branchIf(unary('i32Eqz', isAt(place, piece)), out);
        builder.set(at, binary('i32Add', at.get(), lengthOf(piece.get())));
        return;
      }
      // The piece at the end must not overlap: it is looked at last, behind what was found before.
      builder.set(
        at,
        builder.callValue(functions.find, [at.get(), end.get(), piece.get()], ['i32', 'i32', 'i64'], 'i32'),
      );
      builder.branchIf(unary('i32Eqz', at.get()), out);
    });
    builder.set(result, i32(1));
  });
  return result;
}
