/**
 * The machine code of one pipeline of a query: one WebAssembly module per variant.
 *
 *   run(params, from, to) -> trap        rows of a morsel (words of its bitmap), or tuples of a chunk (addresses)
 *   relink(params, from, to)             sink groups: puts the tuples of a chunk into the directory anew (it has grown)
 *   merge(params, other, from, to)       sink groups: cells [from, to) of another worker's directory go into this one's
 *
 * A row runs through the steps as nested code: what follows a probe stands inside its loop over the chain. Values are computed once, where they are
 * first needed, and known to everything inside. Imports: `chunk()` makes room for tuples of the sink, `grow()` a larger directory.
 */
import { assert } from '../../../base/error.ts';
import { ExpressionEmitter, floatCompare, MorselLocals, type Slot } from '../expression.ts';
import { PARAM } from '../layout.ts';
import type { AccumulatorSpec, Node } from '../spec.ts';
import { initialBits } from '../variant.ts';
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
  select,
  unary,
} from '../wasm/function-builder.ts';
import { ModuleBuilder } from '../wasm/module-builder.ts';
import { GroupCode } from './emit-groups.ts';
import {
  addSum,
  filterBits,
  hashOf,
  keepString,
  keyKinds,
  keysDiffer,
  MEMORY,
  type QueryVariant,
  type StoreVariant,
  wordOf,
} from './emit-keys.ts';
import { type CallFunctions, type ReadableStore, TupleExpressions } from './expressions.ts';
import type { QueryPipeline, QueryStep, StoreSpec } from './ir.ts';
import { DEAD, isWideField, MARK_BIT, QUERY_PARAM, TUPLE_NEXT, TUPLE_NULLS, tupleLayout } from './layout.ts';
import { type StringFunctions, stringFunctions } from './strings.ts';

/** Rows of a word of 64 from which on its filter is asked for all of them at once. */
const PREFILTER_ROWS_MIN = 10n;

/** Bytes of the module. */
export function compileQueryPipeline(
  pipeline: QueryPipeline,
  stores: readonly StoreSpec[],
  variant: QueryVariant,
  callIndex: CallFunctions['index'],
): Uint8Array {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', MEMORY);
  const chunk = module.importFunction('env', 'chunk', [], ['i32']);
  const grow = module.importFunction('env', 'grow', [], []);
  const imported = module.importFunction('env', 'call', ['i32'], []);
  const calls: CallFunctions = { imported, index: callIndex };
  const strings = stringFunctions(module);
  module.function('run', ['i32', 'i32', 'i32'], ['i32'], (builder) => {
    new PipelineCode(builder, pipeline, stores, variant, strings, calls, { chunk, grow }).emit();
  });
  if (pipeline.sink.kind === 'groups' && pipeline.sink.keys.length > 0) {
    const code = new GroupCode(stores[pipeline.sink.store]!, variant, strings);
    module.function('relink', ['i32', 'i32', 'i32'], [], (builder) => code.relink(builder));
    module.function('merge', ['i32', 'i32', 'i32', 'i32'], [], (builder) => code.merge(builder));
  }
  return module.finish();
}

class PipelineCode {
  private readonly builder: FunctionBuilder;
  private readonly pipeline: QueryPipeline;
  private readonly stores: readonly StoreSpec[];
  private readonly variant: QueryVariant;
  private readonly strings: StringFunctions;
  private readonly imports: { chunk: number; grow: number };
  private readonly locals: MorselLocals;
  private readonly row: Local<'i32'>;
  private readonly readable = new Map<number, ReadableStore>();
  private readonly expressions: TupleExpressions;
  private readonly rows: Local<'i64'>;
  private groupDirectory: Local<'i32'> | null = null;
  private groupMask: Local<'i32'> | null = null;
  /** A group of everything: its tuple. */
  private single: Local<'i32'> | null = null;

  constructor(
    builder: FunctionBuilder,
    pipeline: QueryPipeline,
    stores: readonly StoreSpec[],
    variant: QueryVariant,
    strings: StringFunctions,
    calls: CallFunctions,
    imports: { chunk: number; grow: number },
  ) {
    this.builder = builder;
    this.pipeline = pipeline;
    this.stores = stores;
    this.variant = variant;
    this.strings = strings;
    this.imports = imports;
    this.locals = new MorselLocals(builder, builder.parameter(0, 'i32'));
    this.row = builder.local('i32');
    this.rows = builder.local('i64');
    this.expressions = new TupleExpressions(
      this.locals,
      variant.columns,
      this.readable,
      () => strings,
      calls,
    );
    const read = new Set<number>();
    if (pipeline.source.kind === 'store') read.add(pipeline.source.store);
    for (const step of pipeline.steps) if (step.kind === 'probe') read.add(step.store);
    for (const number of read) {
      const store = stores[number]!;
      this.readable.set(number, {
        tuple: builder.local('i32'),
        isOptional: false,
        offsets: tupleLayout(store).offsets,
        nullable: variant.stores[number]!.nullable,
        isBool: store.fields.map(({ type }) => type.kind === 'bool'),
        isFloat: store.fields.map(({ type }) => type.kind === 'float'),
        countedBy: store.fields.map(({ countedBy }) => countedBy),
      });
    }
  }

  emit(): void {
    const { builder, pipeline } = this;
    this.setup();
    const { source } = pipeline;
    if (source.kind === 'scan') this.scanLoop(() => this.body());
    else this.tupleLoop(source.store, source.marks, () => this.body());
    const rows = binary(
      'i64Add',
      load('i64Load', this.locals.params.get(), QUERY_PARAM.rows),
      this.rows.get(),
    );
    builder.store('i64Store', this.locals.params.get(), rows, QUERY_PARAM.rows);
    builder.return(this.locals.trap.get());
  }

  private emitter(): ExpressionEmitter {
    return new ExpressionEmitter(this.variant, this.locals, this.row, this.expressions);
  }

  private setup(): void {
    const { pipeline, variant, builder } = this;
    const emitter = this.emitter();
    const prepare = (node: Node | null): void => {
      if (node !== null) emitter.prepare(node);
    };
    if (pipeline.source.kind === 'scan') {
      this.locals.i32(PARAM.bitmap);
      for (const index of variant.filters) prepare(pipeline.source.filters[index]!);
    }
    for (const step of pipeline.steps) {
      prepare(step.condition);
      if (step.kind !== 'probe') continue;
      step.keys.forEach(prepare);
      const at = QUERY_PARAM.store(step.store);
      const { mode, hasFilter } = variant.stores[step.store]!;
      this.locals.i32(at);
      this.locals.i32(at + 4);
      if (hasFilter) {
        this.locals.i32(at + 8);
        this.locals.i32(at + 12);
      }
      if (mode === 'direct') this.locals.i64(at + 16);
    }
    const { sink } = pipeline;
    if (sink.kind === 'tuples') sink.values.forEach(prepare);
    if (sink.kind !== 'groups') return;
    sink.keys.forEach(prepare);
    for (const { arg, filter } of this.stores[sink.store]!.accumulators) {
      prepare(arg);
      prepare(filter);
    }
    const params = this.locals.params;
    this.groupDirectory = builder.keep(load('i32Load', params.get(), QUERY_PARAM.directory));
    this.groupMask = builder.keep(load('i32Load', params.get(), QUERY_PARAM.mask));
    if (sink.keys.length === 0)
      this.single = builder.keep(load('i32Load', params.get(), QUERY_PARAM.directory));
    if (variant.sinkMode === 'direct') this.locals.i64(QUERY_PARAM.low);
  }

  private scanLoop(body: () => void): void {
    const { builder } = this;
    const word = builder.local('i32');
    const bits = builder.local('i64');
    const bitmap = this.locals.i32(PARAM.bitmap);
    builder.set(word, builder.parameter(1, 'i32').get());
    builder.forRange(word, builder.parameter(2, 'i32').get(), 1, () => {
      builder.set(
        bits,
        load('i64Load', binary('i32Add', bitmap.get(), binary('i32Shl', word.get(), i32(3)))),
      );
      this.prefilter(word, bits);
      builder.block((next) => {
        builder.loop((again) => {
          builder.branchIf(unary('i64Eqz', bits.get()), next);
          const offset = unary('i32WrapI64', unary('i64Ctz', bits.get()));
          builder.set(this.row, binary('i32Add', binary('i32Shl', word.get(), i32(6)), offset));
          builder.set(bits, binary('i64And', bits.get(), binary('i64Sub', bits.get(), i64(1n))));
          body();
          builder.branch(again);
        });
      });
    });
  }

  /**
   * The first probe's filter over all rows of a word, without a branch per row, where many are left: what it drops never enters the loop.
   * Rows that are not there or whose key is NULL may have any bit; they are dropped by `bits` and by the probe.
   */
  private prefilter(word: Local<'i32'>, bits: Local<'i64'>): void {
    const { builder, pipeline } = this;
    const [step] = pipeline.steps;
    if (step?.kind !== 'probe' || (step.join !== 'inner' && step.join !== 'semi')) return;
    const variant = this.variant.stores[step.store]!;
    if (!variant.hasFilter || keyKinds(this.stores[step.store]!).some(Boolean)) return;
    const at = QUERY_PARAM.store(step.store);
    const kept = builder.local('i64');
    const place = builder.local('i32');
    const isDense = binary('i64GeU', unary('i64Popcnt', bits.get()), i64(PREFILTER_ROWS_MIN));
    builder.if(isDense, () => {
      builder.set(kept, i64(0n));
      builder.set(place, i32(0));
      builder.set(this.row, binary('i32Shl', word.get(), i32(6)));
      builder.loop((again) => {
        const emitter = this.emitter();
        const words = step.keys.map((key) => wordOf(builder, emitter.emit(key)));
        let found: I32;
        if (variant.mode === 'direct') {
          const cell = builder.keep(binary('i64Sub', words[0]!.get(), this.locals.i64(at + 16).get()));
          const isInside = builder.keep(
            binary('i64LtU', cell.get(), unary('i64ExtendI32U', this.locals.i32(at + 4).get())),
          );
          const safe = builder.keep(select(isInside.get(), unary('i32WrapI64', cell.get()), i32(0)));
          const offset = binary('i32Shl', binary('i32ShrU', safe.get(), i32(5)), i32(2));
          const part = load('i32Load', binary('i32Add', this.locals.i32(at + 8).get(), offset));
          const bit = binary('i32ShrU', part, binary('i32And', safe.get(), i32(31)));
          found = binary('i32And', binary('i32And', bit, i32(1)), isInside.get());
        } else {
          const hash = hashOf(builder, words, [], null, this.strings);
          const { word: offset, bits: wantedBits } = filterBits(hash, this.locals.i32(at + 12));
          const wanted = builder.keep(wantedBits);
          const part = load('i32Load', binary('i32Add', this.locals.i32(at + 8).get(), offset));
          found = binary('i32Eq', binary('i32And', part, wanted.get()), wanted.get());
        }
        const shifted = binary('i64Shl', unary('i64ExtendI32U', found), unary('i64ExtendI32U', place.get()));
        builder.set(kept, binary('i64Or', kept.get(), shifted));
        builder.set(this.row, binary('i32Add', this.row.get(), i32(1)));
        builder.set(place, binary('i32Add', place.get(), i32(1)));
        builder.branchIf(binary('i32LtU', place.get(), i32(64)), again);
      });
      builder.set(bits, binary('i64And', bits.get(), kept.get()));
    });
  }

  private tupleLoop(number: number, marks: 'all' | 'marked' | 'unmarked', body: () => void): void {
    const { builder } = this;
    const store = this.stores[number]!;
    const { tuple } = this.readable.get(number)!;
    builder.set(tuple, builder.parameter(1, 'i32').get());
    builder.forRange(tuple, builder.parameter(2, 'i32').get(), tupleLayout(store).bytes, () => {
      builder.block((skip) => {
        if (store.kind === 'groups')
          builder.branchIf(binary('i32Eq', load('i32Load', tuple.get(), TUPLE_NEXT), i32(DEAD)), skip);
        if (marks !== 'all') {
          const mark = binary('i32And', load('i32Load', tuple.get(), TUPLE_NULLS), i32(MARK_BIT));
          builder.branchIf(marks === 'marked' ? unary('i32Eqz', mark) : mark, skip);
        }
        body();
      });
    });
  }

  private body(): void {
    const { builder, pipeline, variant } = this;
    builder.block((skip) => {
      const emitter = this.emitter();
      if (pipeline.source.kind === 'scan')
        for (const index of variant.filters)
          builder.branchIf(unary('i32Eqz', emitter.truth(pipeline.source.filters[index]!)), skip);
      this.steps(0, emitter, skip);
    });
  }

  private steps(index: number, emitter: ExpressionEmitter, skip: Label): void {
    const { builder, pipeline } = this;
    const step = pipeline.steps[index];
    if (step === undefined) {
      this.sink(emitter);
      return;
    }
    if (step.kind === 'filter') {
      builder.branchIf(unary('i32Eqz', emitter.truth(step.condition)), skip);
      this.steps(index + 1, emitter, skip);
      return;
    }
    this.probe(step, emitter, skip, (inner, next) => this.steps(index + 1, inner, next));
  }

  // --------------------------------------------------------------------------------------------------- probes

  private probe(
    step: Extract<QueryStep, { kind: 'probe' }>,
    emitter: ExpressionEmitter,
    skip: Label,
    rest: (emitter: ExpressionEmitter, next: Label) => void,
  ): void {
    const { builder } = this;
    const readable = this.readable.get(step.store)!;
    const store = this.stores[step.store]!;
    const variant = this.variant.stores[step.store]!;
    const kinds = keyKinds(store);
    readable.isOptional = false;
    const slots = step.keys.map((key) => emitter.emit(key));
    const words = slots.map((slot) => wordOf(builder, slot));
    const current = builder.local('i32');
    const { tuple } = readable;
    builder.set(current, i32(0));
    builder.block((miss) => {
      for (const { isNull } of slots) if (isNull !== null) builder.branchIf(isNull.get(), miss);
      builder.set(current, this.chain(step.store, variant, words, kinds, miss));
    });

    /** Moves on to the next tuple that matches; leaves through `none` at the end of the chain. */
    const search = (none: Label, found: Label, atEnd: () => void): void => {
      builder.loop((again) => {
        builder.if(unary('i32Eqz', current.get()), () => {
          atEnd();
          builder.branch(none);
        });
        builder.set(tuple, current.get());
        builder.set(current, load('i32Load', tuple.get(), TUPLE_NEXT));
        if (variant.mode === 'hash')
          builder.branchIf(keysDiffer(builder, tuple, readable.offsets, words, kinds, this.strings), again);
        if (step.condition !== null)
          builder.branchIf(unary('i32Eqz', emitter.fork().truth(step.condition)), again);
        if (step.marks) {
          const bits = load('i32Load8U', tuple.get(), TUPLE_NULLS + 3);
          builder.store('i32Store8', tuple.get(), binary('i32Or', bits, i32(0x80)), TUPLE_NULLS + 3);
        }
        builder.branch(found);
      });
    };

    if (step.join === 'semi' || step.join === 'anti') {
      if (step.condition === null && variant.mode === 'direct' && !step.marks) {
        const isMissing = unary('i32Eqz', current.get());
        builder.branchIf(step.join === 'semi' ? isMissing : unary('i32Eqz', isMissing), skip);
      } else if (step.join === 'semi') {
        builder.block((found) => search(skip, found, () => {}));
      } else {
        builder.block((none) => {
          builder.block((found) => search(none, found, () => {}));
          builder.branch(skip);
        });
      }
      rest(emitter, skip);
      return;
    }
    if (variant.isUnique) {
      if (step.join === 'inner') builder.block((found) => search(skip, found, () => {}));
      else {
        builder.block((done) => {
          builder.block((found) => search(done, found, () => builder.set(tuple, i32(0))));
        });
        readable.isOptional = true;
      }
      rest(emitter, skip);
      return;
    }
    const matched = builder.local('i32');
    if (step.join === 'left') builder.set(matched, i32(0));
    builder.block((exit) => {
      builder.loop((again) => {
        builder.block((row) => {
          if (step.join === 'inner') search(exit, row, () => {});
          else {
            builder.block((found) => {
              search(row, found, () => {
                builder.branchIf(matched.get(), exit);
                builder.set(matched, i32(1));
                builder.set(tuple, i32(0));
              });
            });
            builder.set(matched, i32(1));
          }
        });
        builder.block((next) => {
          readable.isOptional = step.join === 'left';
          rest(emitter.fork(), next);
        });
        builder.branch(again);
      });
    });
    builder.branch(skip);
  }

  /** First tuple of the chain that a key belongs to; 0 where it is empty. */
  private chain(
    number: number,
    variant: StoreVariant,
    words: readonly Local<'i64'>[],
    kinds: readonly boolean[],
    miss: Label,
  ): I32 {
    const { builder } = this;
    const at = QUERY_PARAM.store(number);
    const directory = this.locals.i32(at);
    const size = this.locals.i32(at + 4);
    if (variant.mode === 'direct') {
      const place = builder.keep(binary('i64Sub', words[0]!.get(), this.locals.i64(at + 16).get()));
      builder.branchIf(binary('i64GeU', place.get(), unary('i64ExtendI32U', size.get())), miss);
      const cell = builder.keep(unary('i32WrapI64', place.get()));
      if (variant.hasFilter) {
        const word = binary('i32Shl', binary('i32ShrU', cell.get(), i32(5)), i32(2));
        const bits = load('i32Load', binary('i32Add', this.locals.i32(at + 8).get(), word));
        const bit = binary('i32And', binary('i32ShrU', bits, binary('i32And', cell.get(), i32(31))), i32(1));
        builder.branchIf(unary('i32Eqz', bit), miss);
      }
      return load('i32Load', binary('i32Add', directory.get(), binary('i32Shl', cell.get(), i32(2))));
    }
    const hash = hashOf(builder, words, kinds, null, this.strings);
    if (variant.hasFilter) {
      const { word, bits } = filterBits(hash, this.locals.i32(at + 12));
      const wanted = builder.keep(bits);
      const present = load('i32Load', binary('i32Add', this.locals.i32(at + 8).get(), word));
      builder.branchIf(binary('i32Ne', binary('i32And', present, wanted.get()), wanted.get()), miss);
    }
    const cell = binary('i32And', unary('i32WrapI64', hash.get()), size.get());
    return load('i32Load', binary('i32Add', directory.get(), binary('i32Shl', cell, i32(2))));
  }

  // ---------------------------------------------------------------------------------------------------- sinks

  private sink(emitter: ExpressionEmitter): void {
    const { builder, pipeline } = this;
    const { sink } = pipeline;
    builder.set(this.rows, binary('i64Add', this.rows.get(), i64(1n)));
    if (sink.kind === 'none') return;
    const store = this.stores[sink.store]!;
    if (sink.kind === 'tuples') {
      const slots = sink.values.map((value) => emitter.emit(value));
      const address = this.room(tupleLayout(store).bytes);
      this.writeFields(store, address, slots);
      return;
    }
    this.groups(store, sink.keys, emitter);
  }

  /** Address of a new tuple of the sink. */
  private room(bytes: number): Local<'i32'> {
    const { builder } = this;
    const { params } = this.locals;
    const address = builder.keep(load('i32Load', params.get(), QUERY_PARAM.cursor));
    const end = load('i32Load', params.get(), QUERY_PARAM.end);
    // Both below 4 GiB, and a chunk never ends there.
    const isFull = binary('i32GtU', binary('i32Add', address.get(), i32(bytes)), end);
    builder.if(isFull, () => {
      builder.set(address, builder.callValue(this.imports.chunk, [], [], 'i32'));
    });
    builder.store('i32Store', params.get(), binary('i32Add', address.get(), i32(bytes)), QUERY_PARAM.cursor);
    return address;
  }

  private writeFields(store: StoreSpec, address: Local<'i32'>, slots: readonly Slot[]): void {
    const { builder } = this;
    const { offsets } = tupleLayout(store);
    const nulls: I32[] = [i32(0)];
    slots.forEach((slot, index) => {
      if (slot.value.type === 'f64')
        builder.store('f64Store', address.get(), (slot.value as Local<'f64'>).get(), offsets[index]!);
      else builder.store('i64Store', address.get(), wordOf(builder, slot).get(), offsets[index]!);
      if (slot.isNull !== null) nulls.push(binary('i32Shl', slot.isNull.get(), i32(index)));
    });
    const bits = nulls.reduce((left, right) => binary('i32Or', left, right));
    builder.store('i32Store', address.get(), bits, TUPLE_NULLS);
  }

  private groups(store: StoreSpec, keys: readonly Node[], emitter: ExpressionEmitter): void {
    const { builder } = this;
    const { offsets, bytes } = tupleLayout(store);
    if (keys.length === 0) {
      this.accumulate(store, this.single!, emitter);
      return;
    }
    const kinds = keyKinds(store);
    const slots = keys.map((key) => emitter.emit(key));
    const nullBits: I32[] = [];
    const words = slots.map((slot, index) => {
      const word = wordOf(builder, slot);
      if (slot.isNull === null) return word;
      nullBits.push(binary('i32Shl', slot.isNull.get(), i32(index)));
      // NULLs are equal to each other: what lies under them must be too.
      return builder.keep(select(slot.isNull.get(), i64(kinds[index] ? 65536n : 0n), word.get()));
    });
    // The same for every morsel of the pipeline, whatever its columns.
    assert(nullBits.length === 0 || this.variant.keyNulls, 'a group key that may be NULL after all');
    if (nullBits.length === 0 && this.variant.keyNulls) nullBits.push(i32(0));
    const nulls =
      nullBits.length === 0
        ? null
        : builder.keep(nullBits.reduce((left, right) => binary('i32Or', left, right)));
    let cell: I32;
    if (this.variant.sinkMode === 'direct') {
      cell = unary('i32WrapI64', binary('i64Sub', words[0]!.get(), this.locals.i64(QUERY_PARAM.low).get()));
      // NULL has the last cell.
      if (nulls !== null) cell = select(nulls.get(), binary('i32Sub', this.groupMask!.get(), i32(1)), cell);
    } else {
      const hash = hashOf(builder, words, kinds, nulls, this.strings, this.variant.isBrief);
      cell = binary('i32And', unary('i32WrapI64', hash.get()), this.groupMask!.get());
    }
    const place = builder.keep(binary('i32Add', this.groupDirectory!.get(), binary('i32Shl', cell, i32(2))));
    const tuple = builder.keep(load('i32Load', place.get()));
    builder.block((found) => {
      if (this.variant.sinkMode === 'direct') builder.branchIf(tuple.get(), found);
      else {
        builder.block((none) => {
          builder.loop((again) => {
            builder.branchIf(unary('i32Eqz', tuple.get()), none);
            let differs = keysDiffer(builder, tuple, offsets, words, kinds, this.strings);
            if (nulls !== null)
              differs = binary(
                'i32Or',
                differs,
                binary('i32Xor', load('i32Load', tuple.get(), TUPLE_NULLS), nulls.get()),
              );
            builder.branchIf(unary('i32Eqz', differs), found);
            builder.set(tuple, load('i32Load', tuple.get(), TUPLE_NEXT));
            builder.branch(again);
          });
        });
      }
      builder.set(tuple, this.room(bytes).get());
      words.forEach((word, index) => {
        builder.store('i64Store', tuple.get(), word.get(), offsets[index]!);
      });
      builder.store('i32Store', tuple.get(), nulls === null ? i32(0) : nulls.get(), TUPLE_NULLS);
      builder.store('i32Store', tuple.get(), load('i32Load', place.get()), TUPLE_NEXT);
      builder.store('i32Store', place.get(), tuple.get());
      store.fields.forEach((field, index) => {
        if (field.accumulator < 0) return;
        const bits = initialBits(store.accumulators[field.accumulator]!);
        builder.store('i64Store', tuple.get(), i64(bits), offsets[index]!);
        if (isWideField(store, field)) builder.store('i64Store', tuple.get(), i64(0n), offsets[index]! + 8);
      });
      const { params } = this.locals;
      const count = builder.keep(binary('i32Add', load('i32Load', params.get(), QUERY_PARAM.count), i32(1)));
      builder.store('i32Store', params.get(), count.get(), QUERY_PARAM.count);
      if (this.variant.sinkMode === 'direct') return;
      builder.if(binary('i32GtU', count.get(), load('i32Load', params.get(), QUERY_PARAM.limit)), () => {
        builder.call(this.imports.grow, [], []);
        builder.set(this.groupDirectory!, load('i32Load', params.get(), QUERY_PARAM.directory));
        builder.set(this.groupMask!, load('i32Load', params.get(), QUERY_PARAM.mask));
      });
    });
    this.accumulate(store, tuple, emitter);
  }

  private accumulate(store: StoreSpec, tuple: Local<'i32'>, emitter: ExpressionEmitter): void {
    const { offsets } = tupleLayout(store);
    store.fields.forEach((field, index) => {
      if (field.accumulator < 0) return;
      const accumulator = store.accumulators[field.accumulator]!;
      this.accumulateOne(accumulator, tuple, offsets[index]!, this.variant.wide[index] === true, emitter);
    });
  }

  private accumulateOne(
    accumulator: AccumulatorSpec,
    tuple: Local<'i32'>,
    offset: number,
    isWide: boolean,
    emitter: ExpressionEmitter,
  ): void {
    const { builder } = this;
    const slot = accumulator.arg === null ? null : emitter.emit(accumulator.arg);
    let out: Local<'i32'> | null = slot?.isNull ?? null;
    if (accumulator.filter !== null) {
      const refused = unary('i32Eqz', emitter.truth(accumulator.filter));
      out = builder.keep(out === null ? refused : binary('i32Or', refused, out.get()));
    }
    const before = (): I64 => load('i64Load', tuple.get(), offset);
    if (accumulator.op === 'count') {
      const one = out === null ? i64(1n) : unary('i64ExtendI32U', unary('i32Eqz', out.get()));
      builder.store('i64Store', tuple.get(), binary('i64Add', before(), one), offset);
      return;
    }
    const { value } = slot!;
    if (value.type === 'f64') {
      const float = value as Local<'f64'>;
      const old = builder.keep(load('f64Load', tuple.get(), offset));
      let next =
        accumulator.op === 'sum'
          ? binary('f64Add', old.get(), float.get())
          : select(floatCompare(accumulator.op === 'min' ? '<' : '>', float, old), float.get(), old.get());
      if (out !== null) next = select(out.get(), old.get(), next);
      builder.store('f64Store', tuple.get(), next, offset);
      return;
    }
    const word = wordOf(builder, slot!);
    if (accumulator.arg!.type.kind === 'string') {
      const kept = builder.keep(before());
      builder.block((done) => {
        if (out !== null) builder.branchIf(out.get(), done);
        keepString(builder, this.strings, accumulator.op, tuple, offset, kept, word, done);
      });
      return;
    }
    if (accumulator.op === 'sum') {
      const term = out === null ? word : builder.keep(select(out.get(), i64(0n), word.get()));
      addSum(builder, tuple, offset, term, isWide ? binary('i64ShrS', term.get(), i64(63n)) : null);
      return;
    }
    const old = builder.keep(before());
    const wins = accumulator.op === 'min' ? 'i64LtS' : 'i64GtS';
    let better: I32 = binary(wins, word.get(), old.get());
    if (out !== null) better = binary('i32And', better, unary('i32Eqz', out.get()));
    builder.store('i64Store', tuple.get(), select(better, word.get(), old.get()), offset);
  }
}
