import { floatCompare } from '../expression.ts';
import {
  binary,
  type FunctionBuilder,
  i32,
  type Local,
  load,
  select,
  unary,
} from '../wasm/function-builder.ts';
import { addSum, hashOf, keepString, keyKinds, keysDiffer, type QueryVariant } from './emit-keys.ts';
import type { StoreSpec } from './ir.ts';
import { DEAD, QUERY_PARAM, TUPLE_NEXT, TUPLE_NULLS, tupleLayout } from './layout.ts';
import type { StringFunctions } from './strings.ts';

/** Groups of several workers, and of a directory that has grown. */
export class GroupCode {
  private readonly store: StoreSpec;
  private readonly variant: QueryVariant;
  private readonly strings: StringFunctions;

  constructor(store: StoreSpec, variant: QueryVariant, strings: StringFunctions) {
    this.store = store;
    this.variant = variant;
    this.strings = strings;
  }

  private hash(builder: FunctionBuilder, tuple: Local<'i32'>, withNulls: boolean): Local<'i64'> {
    const { offsets } = tupleLayout(this.store);
    const kinds = keyKinds(this.store);
    const words = kinds.map((_, index) => builder.keep(load('i64Load', tuple.get(), offsets[index]!)));
    const nulls = withNulls ? builder.keep(load('i32Load', tuple.get(), TUPLE_NULLS)) : null;
    return hashOf(builder, words, kinds, nulls, this.strings, this.variant.isBrief);
  }

  /** Whether the hash of the pipeline's keys includes which of them are NULL. */
  private get hasNulls(): boolean {
    return this.variant.keyNulls;
  }

  relink(builder: FunctionBuilder): void {
    const params = builder.parameter(0, 'i32');
    const tuple = builder.local('i32');
    builder.set(tuple, builder.parameter(1, 'i32').get());
    const directory = builder.keep(load('i32Load', params.get(), QUERY_PARAM.directory));
    const mask = builder.keep(load('i32Load', params.get(), QUERY_PARAM.mask));
    builder.forRange(tuple, builder.parameter(2, 'i32').get(), tupleLayout(this.store).bytes, () => {
      const hash = this.hash(builder, tuple, this.hasNulls);
      const cell = binary('i32And', unary('i32WrapI64', hash.get()), mask.get());
      const place = builder.keep(binary('i32Add', directory.get(), binary('i32Shl', cell, i32(2))));
      builder.store('i32Store', tuple.get(), load('i32Load', place.get()), TUPLE_NEXT);
      builder.store('i32Store', place.get(), tuple.get());
    });
  }

  merge(builder: FunctionBuilder): void {
    const { store } = this;
    const { offsets } = tupleLayout(store);
    const params = builder.parameter(0, 'i32');
    const other = builder.parameter(1, 'i32');
    const cell = builder.local('i32');
    const tuple = builder.local('i32');
    const next = builder.local('i32');
    const known = builder.local('i32');
    const kinds = keyKinds(store);
    const directory = builder.keep(load('i32Load', params.get(), QUERY_PARAM.directory));
    builder.set(cell, builder.parameter(2, 'i32').get());
    builder.forRange(cell, builder.parameter(3, 'i32').get(), 1, () => {
      const offset = builder.keep(binary('i32Shl', cell.get(), i32(2)));
      const place = builder.keep(binary('i32Add', directory.get(), offset.get()));
      builder.set(tuple, load('i32Load', binary('i32Add', other.get(), offset.get())));
      builder.block((done) => {
        builder.loop((again) => {
          builder.branchIf(unary('i32Eqz', tuple.get()), done);
          builder.set(next, load('i32Load', tuple.get(), TUPLE_NEXT));
          const words = kinds.map((_, index) => builder.keep(load('i64Load', tuple.get(), offsets[index]!)));
          builder.set(known, load('i32Load', place.get()));
          builder.block((merged) => {
            builder.block((none) => {
              builder.loop((search) => {
                builder.branchIf(unary('i32Eqz', known.get()), none);
                builder.block((differs) => {
                  if (this.variant.sinkMode === 'hash') {
                    builder.branchIf(
                      keysDiffer(builder, known, offsets, words, kinds, this.strings),
                      differs,
                    );
                    builder.branchIf(
                      binary(
                        'i32Xor',
                        load('i32Load', known.get(), TUPLE_NULLS),
                        load('i32Load', tuple.get(), TUPLE_NULLS),
                      ),
                      differs,
                    );
                  }
                  this.combine(builder, known, tuple);
                  builder.store('i32Store', tuple.get(), i32(DEAD), TUPLE_NEXT);
                  builder.branch(merged);
                });
                builder.set(known, load('i32Load', known.get(), TUPLE_NEXT));
                builder.branch(search);
              });
            });
            builder.store('i32Store', tuple.get(), load('i32Load', place.get()), TUPLE_NEXT);
            builder.store('i32Store', place.get(), tuple.get());
          });
          builder.set(tuple, next.get());
          builder.branch(again);
        });
      });
    });
  }

  /** Adds what `from` has accumulated to `into`. */
  private combine(builder: FunctionBuilder, into: Local<'i32'>, from: Local<'i32'>): void {
    const { store } = this;
    const { offsets } = tupleLayout(store);
    store.fields.forEach((field, index) => {
      if (field.accumulator < 0) return;
      const { op, arg } = store.accumulators[field.accumulator]!;
      const offset = offsets[index]!;
      if (arg?.type.kind === 'float' && op !== 'count') {
        const left = builder.keep(load('f64Load', into.get(), offset));
        const right = builder.keep(load('f64Load', from.get(), offset));
        const value =
          op === 'sum'
            ? binary('f64Add', left.get(), right.get())
            : select(floatCompare(op === 'min' ? '<' : '>', right, left), right.get(), left.get());
        builder.store('f64Store', into.get(), value, offset);
        return;
      }
      const right = builder.keep(load('i64Load', from.get(), offset));
      if (arg?.type.kind === 'string' && op !== 'count') {
        const kept = builder.keep(load('i64Load', into.get(), offset));
        builder.block((done) => {
          builder.branchIf(unary('i64Eqz', right.get()), done);
          keepString(builder, this.strings, op, into, offset, kept, right, done);
        });
        return;
      }
      if (op === 'count' || op === 'sum') {
        const high = this.variant.wide[index] === true ? load('i64Load', from.get(), offset + 8) : null;
        addSum(builder, into, offset, right, high);
        return;
      }
      const left = builder.keep(load('i64Load', into.get(), offset));
      const better = binary(op === 'min' ? 'i64LtS' : 'i64GtS', right.get(), left.get());
      builder.store('i64Store', into.get(), select(better, right.get(), left.get()), offset);
    });
  }
}
