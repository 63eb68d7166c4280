/**
 * Sorting the tuples of a store: a module with a merge sort over their addresses, made for the keys.
 *
 *   sort(addresses, spare, count) -> where the sorted addresses lie (one of the two)
 *   collect(from, to, worst, out) -> how many addresses of the tuples [from, to) were written: those that live and do not come after `worst` (0 = all)
 *
 * Texts are in the order of their bytes, char(n) without the blanks at the end, doubles with NaN last, as the row executor has it.
 */
import { floatCompare } from '../expression.ts';
import {
  binary,
  type FunctionBuilder,
  type I32,
  i32,
  type Label,
  type Local,
  load,
  select,
  unary,
} from '../wasm/function-builder.ts';
import { ModuleBuilder } from '../wasm/module-builder.ts';
import { DEAD, TUPLE_NEXT, TUPLE_NULLS } from './layout.ts';
import { addressOf, emitCompareBytes, lengthOf } from './strings.ts';

export interface SortKeySpec {
  readonly offset: number;
  readonly kind: 'integer' | 'float' | 'text' | 'char';
  /** Bit of the NULL word, or -1 = never NULL. */
  readonly nullBit: number;
  /** Offset of the count that is 0 where the value is NULL, or -1. */
  readonly countOffset: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export function compileSort(keys: readonly SortKeySpec[], tupleBytes: number, isGroups: boolean): Uint8Array {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', { initial: 1, maximum: 65536, shared: true });
  const trimmed = module.function(null, ['i64'], ['i32'], (builder) => emitTrimmed(builder));
  const compareBytes = module.function(null, ['i32', 'i32', 'i32', 'i32'], ['i32'], (builder) =>
    emitCompareBytes(builder),
  );
  const after = module.function(null, ['i32', 'i32'], ['i32'], (builder) =>
    emitAfter(builder, keys, trimmed, compareBytes),
  );
  module.function('sort', ['i32', 'i32', 'i32'], ['i32'], (builder) => emitSort(builder, after));
  module.function('collect', ['i32', 'i32', 'i32', 'i32'], ['i32'], (builder) =>
    emitCollect(builder, after, tupleBytes, isGroups),
  );
  return module.finish();
}

/** Bytes of a reference without the blanks at its end. */
function emitTrimmed(builder: FunctionBuilder): void {
  const reference = builder.parameter(0, 'i64');
  const start = builder.keep(addressOf(reference.get()));
  const length = builder.keep(lengthOf(reference.get()));
  builder.block((done) => {
    builder.loop((again) => {
      builder.branchIf(unary('i32Eqz', length.get()), done);
      const last = load('i32Load8U', binary('i32Sub', binary('i32Add', start.get(), length.get()), i32(1)));
      builder.branchIf(binary('i32Ne', last, i32(32)), done);
      builder.set(length, binary('i32Sub', length.get(), i32(1)));
      builder.branch(again);
    });
  });
  builder.return(length.get());
}

/** (left, right) -> 1 when the left tuple comes after the right one. */
function emitAfter(
  builder: FunctionBuilder,
  keys: readonly SortKeySpec[],
  trimmed: number,
  compareBytes: number,
): void {
  const left = builder.parameter(0, 'i32');
  const right = builder.parameter(1, 'i32');
  for (const key of keys) {
    builder.block((next) => {
      const isNull = (tuple: Local<'i32'>): I32 | null => {
        if (key.countOffset >= 0) return unary('i64Eqz', load('i64Load', tuple.get(), key.countOffset));
        if (key.nullBit < 0) return null;
        return binary(
          'i32And',
          binary('i32ShrU', load('i32Load', tuple.get(), TUPLE_NULLS), i32(key.nullBit)),
          i32(1),
        );
      };
      const leftNull = isNull(left);
      const rightNull = isNull(right);
      if (leftNull !== null && rightNull !== null) {
        const one = builder.keep(leftNull);
        const other = builder.keep(rightNull);
        builder.if(binary('i32Or', one.get(), other.get()), () => {
          builder.branchIf(binary('i32Eq', one.get(), other.get()), next);
          builder.return(key.nullsFirst ? other.get() : one.get());
        });
      }
      compareValues(builder, key, left, right, next, trimmed, compareBytes);
    });
  }
  builder.return(i32(0));
}

function compareValues(
  builder: FunctionBuilder,
  key: SortKeySpec,
  left: Local<'i32'>,
  right: Local<'i32'>,
  next: Label,
  trimmed: number,
  compareBytes: number,
): void {
  if (key.kind === 'float') {
    const one = builder.keep(load('f64Load', left.get(), key.offset));
    const other = builder.keep(load('f64Load', right.get(), key.offset));
    builder.branchIf(floatCompare('=', one, other), next);
    builder.return(floatCompare(key.descending ? '<' : '>', one, other));
    return;
  }
  const one = builder.keep(load('i64Load', left.get(), key.offset));
  const other = builder.keep(load('i64Load', right.get(), key.offset));
  builder.branchIf(binary('i64Eq', one.get(), other.get()), next);
  if (key.kind === 'integer') {
    builder.return(binary(key.descending ? 'i64LtS' : 'i64GtS', one.get(), other.get()));
    return;
  }
  const length = (reference: Local<'i64'>): I32 =>
    key.kind === 'char'
      ? builder.callValue(trimmed, [reference.get()], ['i64'], 'i32')
      : lengthOf(reference.get());
  const order = builder.keep(
    builder.callValue(
      compareBytes,
      [addressOf(one.get()), length(one), addressOf(other.get()), length(other)],
      ['i32', 'i32', 'i32', 'i32'],
      'i32',
    ),
  );
  builder.branchIf(unary('i32Eqz', order.get()), next);
  builder.return(binary(key.descending ? 'i32LtS' : 'i32GtS', order.get(), i32(0)));
}

function emitCollect(builder: FunctionBuilder, after: number, tupleBytes: number, isGroups: boolean): void {
  const tuple = builder.parameter(0, 'i32');
  const worst = builder.parameter(2, 'i32');
  const out = builder.parameter(3, 'i32');
  const count = builder.local('i32');
  builder.forRange(tuple, builder.parameter(1, 'i32').get(), tupleBytes, () => {
    builder.block((skip) => {
      if (isGroups)
        builder.branchIf(binary('i32Eq', load('i32Load', tuple.get(), TUPLE_NEXT), i32(DEAD)), skip);
      builder.if(worst.get(), () => {
        const isAfter = builder.callValue(after, [tuple.get(), worst.get()], ['i32', 'i32'], 'i32');
        builder.branchIf(isAfter, skip);
      });
      builder.store(
        'i32Store',
        binary('i32Add', out.get(), binary('i32Shl', count.get(), i32(2))),
        tuple.get(),
      );
      builder.set(count, binary('i32Add', count.get(), i32(1)));
    });
  });
  builder.return(count.get());
}

/** Bottom-up: runs of 1, 2, 4 … addresses from one array to the other. Stable. */
function emitSort(builder: FunctionBuilder, after: number): void {
  const from = builder.parameter(0, 'i32');
  const to = builder.parameter(1, 'i32');
  const count = builder.parameter(2, 'i32');
  const width = builder.local('i32');
  const start = builder.local('i32');
  const left = builder.local('i32');
  const right = builder.local('i32');
  const middle = builder.local('i32');
  const end = builder.local('i32');
  const out = builder.local('i32');
  const swap = builder.local('i32');
  const bytes = builder.keep(binary('i32Shl', count.get(), i32(2)));
  const least = (value: I32): I32 => {
    const kept = builder.keep(value);
    return select(binary('i32LtU', kept.get(), bytes.get()), kept.get(), bytes.get());
  };
  const takeLeft = (): void => {
    builder.store(
      'i32Store',
      binary('i32Add', to.get(), out.get()),
      load('i32Load', binary('i32Add', from.get(), left.get())),
    );
    builder.set(left, binary('i32Add', left.get(), i32(4)));
  };
  builder.set(width, i32(4));
  builder.block((sorted) => {
    builder.loop((wider) => {
      builder.branchIf(binary('i32GeU', width.get(), bytes.get()), sorted);
      builder.set(start, i32(0));
      builder.loop((run) => {
        builder.set(left, start.get());
        builder.set(middle, least(binary('i32Add', start.get(), width.get())));
        builder.set(end, least(binary('i32Add', middle.get(), width.get())));
        builder.set(right, middle.get());
        builder.set(out, start.get());
        builder.block((done) => {
          builder.loop((again) => {
            builder.branchIf(binary('i32GeU', out.get(), end.get()), done);
            builder.block((taken) => {
              builder.block((rightOnly) => {
                builder.branchIf(binary('i32GeU', left.get(), middle.get()), rightOnly);
                builder.if(binary('i32LtU', right.get(), end.get()), () => {
                  const args = [
                    load('i32Load', binary('i32Add', from.get(), left.get())),
                    load('i32Load', binary('i32Add', from.get(), right.get())),
                  ];
                  builder.branchIf(builder.callValue(after, args, ['i32', 'i32'], 'i32'), rightOnly);
                });
                takeLeft();
                builder.branch(taken);
              });
              builder.store(
                'i32Store',
                binary('i32Add', to.get(), out.get()),
                load('i32Load', binary('i32Add', from.get(), right.get())),
              );
              builder.set(right, binary('i32Add', right.get(), i32(4)));
            });
            builder.set(out, binary('i32Add', out.get(), i32(4)));
            builder.branch(again);
          });
        });
        builder.set(start, end.get());
        builder.branchIf(binary('i32LtU', start.get(), bytes.get()), run);
      });
      builder.set(swap, from.get());
      builder.set(from, to.get());
      builder.set(to, swap.get());
      builder.set(width, binary('i32Shl', width.get(), i32(1)));
      builder.branch(wider);
    });
  });
  builder.return(from.get());
}
