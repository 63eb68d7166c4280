import {
  atomic,
  binary,
  type FunctionBuilder,
  type I32,
  i32,
  load,
  unary,
} from '../wasm/function-builder.ts';
import { ModuleBuilder } from '../wasm/module-builder.ts';
import { filterBits, hashOf, keyKinds, keysDiffer, MEMORY, type StoreVariant } from './emit-keys.ts';
import type { StoreSpec } from './ir.ts';
import { QUERY_PARAM, TUPLE_NEXT, TUPLE_NULLS, tupleLayout } from './layout.ts';
import { type StringFunctions, stringFunctions } from './strings.ts';

/** link(params, from, to) -> duplicates: puts the tuples of a chunk into the store's directory, with other workers at the same time. */
export function compileLink(store: StoreSpec, variant: StoreVariant): Uint8Array {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', MEMORY);
  const strings = stringFunctions(module);
  module.function('link', ['i32', 'i32', 'i32'], ['i32'], (builder) => {
    const code = new LinkCode(builder, store, variant, strings);
    code.emit();
  });
  return module.finish();
}

class LinkCode {
  private readonly builder: FunctionBuilder;
  private readonly store: StoreSpec;
  private readonly variant: StoreVariant;
  private readonly strings: StringFunctions;

  constructor(builder: FunctionBuilder, store: StoreSpec, variant: StoreVariant, strings: StringFunctions) {
    this.builder = builder;
    this.store = store;
    this.variant = variant;
    this.strings = strings;
  }

  emit(): void {
    const { builder, store, variant } = this;
    const layout = tupleLayout(store);
    const params = builder.parameter(0, 'i32');
    const at = QUERY_PARAM.store(0);
    const directory = builder.keep(load('i32Load', params.get(), at));
    const mask = builder.keep(load('i32Load', params.get(), at + 4));
    const filter = builder.keep(load('i32Load', params.get(), at + 8));
    const filterMask = builder.keep(load('i32Load', params.get(), at + 12));
    const low = builder.keep(load('i64Load', params.get(), at + 16));
    const duplicates = builder.local('i32');
    const tuple = builder.local('i32');
    const kinds = keyKinds(store);
    let keyNulls = 0;
    for (let key = 0; key < store.keys; key++) if (variant.nullable[key]) keyNulls |= 1 << key;
    builder.set(tuple, builder.parameter(1, 'i32').get());
    builder.forRange(tuple, builder.parameter(2, 'i32').get(), layout.bytes, () => {
      builder.block((skip) => {
        if (keyNulls !== 0)
          builder.branchIf(binary('i32And', load('i32Load', tuple.get(), TUPLE_NULLS), i32(keyNulls)), skip);
        const words = kinds.map((_, index) =>
          builder.keep(load('i64Load', tuple.get(), layout.offsets[index]!)),
        );
        let cell: I32;
        if (variant.mode === 'direct') {
          const place = builder.keep(unary('i32WrapI64', binary('i64Sub', words[0]!.get(), low.get())));
          cell = place.get();
          if (variant.hasFilter) {
            const word = binary('i32Shl', binary('i32ShrU', place.get(), i32(5)), i32(2));
            const bit = binary('i32Shl', i32(1), binary('i32And', place.get(), i32(31)));
            builder.drop(atomic('i32AtomicOr', binary('i32Add', filter.get(), word), bit));
          }
        } else {
          const hash = hashOf(builder, words, kinds, null, this.strings);
          cell = binary('i32And', unary('i32WrapI64', hash.get()), mask.get());
          if (variant.hasFilter) {
            const { word, bits } = filterBits(hash, filterMask);
            builder.drop(atomic('i32AtomicOr', binary('i32Add', filter.get(), word), bits));
          }
        }
        const place = builder.keep(binary('i32Add', directory.get(), binary('i32Shl', cell, i32(2))));
        const before = builder.keep(atomic('i32AtomicExchange', place.get(), tuple.get()));
        builder.store('i32Store', tuple.get(), before.get(), TUPLE_NEXT);
        // Good enough: only whether there are any is asked, and two of a key meet in one chain.
        const known = builder.local('i32');
        builder.set(known, before.get());
        builder.block((done) => {
          builder.loop((again) => {
            builder.branchIf(unary('i32Eqz', known.get()), done);
            const differs =
              variant.mode === 'direct'
                ? i32(0)
                : keysDiffer(builder, known, layout.offsets, words, kinds, this.strings);
            builder.if(unary('i32Eqz', differs), () => {
              builder.set(duplicates, i32(1));
              builder.branch(done);
            });
            builder.set(known, load('i32Load', known.get(), TUPLE_NEXT));
            builder.branch(again);
          });
        });
      });
    });
    builder.return(duplicates.get());
  }
}
