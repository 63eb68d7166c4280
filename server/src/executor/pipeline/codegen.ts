/**
 * The fused loop of a pipeline: one WebAssembly function per variant.
 *
 *   run(params, firstWord, endWord) -> trap
 *
 * Setup     addresses, bases and constants of the morsel go from the parameter page into locals; so do the accumulators of a single group.
 * Pipeline  the bitmap of rows that passed the kernels is read by words of 64: empty words cost one test, full ones run without tests, others
 *           by their set bits. Per row: remaining filters, group, accumulators.
 * Teardown  the accumulators of a single group go back to memory; the trap flag is the result (1: a double needs the row executor).
 *
 * Memory is the engine's one shared memory; nothing outside of frames, the parameter page, the bitmap and this worker's states is touched.
 */
import { ExpressionEmitter, floatCompare, MorselLocals } from './expression.ts';
import { PARAM } from './layout.ts';
import type { AccumulatorSpec, Node, PipelineSpec } from './spec.ts';
import { initialBits, type StateLayout, sameCount, stateLayout, type Variant } from './variant.ts';
import {
  binary,
  type FunctionBuilder,
  type I32,
  type I64,
  i32,
  i64,
  type Local,
  load,
  select,
  unary,
} from './wasm/function-builder.ts';
import { ModuleBuilder } from './wasm/module-builder.ts';

/** Bytes of the module for one variant of a pipeline. It imports `env.memory` and exports `run`. */
export function compilePipeline(spec: PipelineSpec, variant: Variant): Uint8Array {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', { initial: 1, maximum: 65536, shared: true });
  module.function('run', ['i32', 'i32', 'i32'], ['i32'], (builder) => {
    new PipelineEmitter(builder, spec, variant).emit();
  });
  return module.finish();
}

/** Where a row's accumulators are: locals (plain), or memory behind an address. */
type Target = { kind: 'locals' } | { kind: 'memory'; address: Local<'i32'> };

class PipelineEmitter {
  private readonly builder: FunctionBuilder;
  private readonly spec: PipelineSpec;
  private readonly variant: Variant;
  private readonly layout: StateLayout;
  private readonly locals: MorselLocals;
  private readonly row: Local<'i32'>;
  private readonly registers: { low: Local<'i64'> | Local<'f64'>; high: Local<'i64'> | null }[] = [];
  private groupCount: Local<'i32'> | null = null;

  constructor(builder: FunctionBuilder, spec: PipelineSpec, variant: Variant) {
    this.builder = builder;
    this.spec = spec;
    this.variant = variant;
    this.layout = stateLayout(spec, variant);
    this.locals = new MorselLocals(builder, builder.parameter(0, 'i32'));
    this.row = builder.local('i32');
  }

  emit(): void {
    const { builder } = this;
    this.setup();
    const word = builder.local('i32');
    const bits = builder.local('i64');
    const bitmap = this.locals.i32(PARAM.bitmap);
    builder.set(word, builder.parameter(1, 'i32').get());
    builder.forRange(word, builder.parameter(2, 'i32').get(), 1, () => {
      builder.block((next) => {
        builder.set(
          bits,
          load('i64Load', binary('i32Add', bitmap.get(), binary('i32Shl', word.get(), i32(3)))),
        );
        builder.branchIf(unary('i64Eqz', bits.get()), next);
        builder.if(
          binary('i64Eq', bits.get(), i64(-1n)),
          () => {
            builder.set(this.row, binary('i32Shl', word.get(), i32(6)));
            const end = binary('i32Add', binary('i32Shl', word.get(), i32(6)), i32(64));
            builder.forRange(this.row, end, 1, () => this.body());
          },
          () => {
            builder.loop((again) => {
              builder.set(
                this.row,
                binary(
                  'i32Add',
                  binary('i32Shl', word.get(), i32(6)),
                  unary('i32WrapI64', unary('i64Ctz', bits.get())),
                ),
              );
              builder.set(bits, binary('i64And', bits.get(), binary('i64Sub', bits.get(), i64(1n))));
              this.body();
              builder.branchIf(unary('i32Eqz', unary('i64Eqz', bits.get())), again);
            });
          },
        );
      });
    });
    this.teardown();
    builder.return(this.locals.trap.get());
  }

  private setup(): void {
    const { builder, spec, variant, layout } = this;
    const emitter = new ExpressionEmitter(variant, this.locals, this.row);
    for (const index of variant.filters) emitter.prepare(spec.filters[index]!);
    spec.groups.forEach((group, index) => {
      emitter.prepare(group);
      const at = PARAM.group(index);
      if (variant.mode === 'dense') {
        this.locals.i64(at);
        this.locals.i32(at + 8);
        this.locals.i32(at + 12);
      } else if (group.type.kind === 'string') this.locals.i32(at);
    });
    for (const { arg, filter } of spec.accumulators) {
      if (arg !== null) emitter.prepare(arg);
      if (filter !== null) emitter.prepare(filter);
    }
    this.locals.i32(PARAM.bitmap);
    const states = this.locals.i32(PARAM.states);
    if (variant.mode === 'hash') {
      this.locals.i32(PARAM.table);
      this.locals.i32(PARAM.mask);
      this.groupCount = builder.keep(load('i32Load', this.locals.params.get(), PARAM.groupCount));
    }
    if (variant.mode !== 'plain') return;
    spec.accumulators.forEach((accumulator, index) => {
      const offset = layout.accumulatorOffsets[index]!;
      const low = isFloat(accumulator)
        ? builder.keep(load('f64Load', states.get(), offset))
        : builder.keep(load('i64Load', states.get(), offset));
      const high = variant.wide[index] ? builder.keep(load('i64Load', states.get(), offset + 8)) : null;
      this.registers.push({ low, high });
    });
  }

  private teardown(): void {
    const { builder, spec, layout } = this;
    if (this.groupCount !== null)
      builder.store('i32Store', this.locals.params.get(), this.groupCount.get(), PARAM.groupCount);
    if (this.variant.mode !== 'plain') return;
    const states = this.locals.i32(PARAM.states);
    spec.accumulators.forEach((accumulator, index) => {
      if (sameCount(spec, this.variant, index) >= 0) return;
      const { low, high } = this.registers[index]!;
      const offset = layout.accumulatorOffsets[index]!;
      builder.store(isFloat(accumulator) ? 'f64Store' : 'i64Store', states.get(), low.get(), offset);
      if (high !== null) builder.store('i64Store', states.get(), high.get(), offset + 8);
    });
  }

  /** One row. */
  private body(): void {
    const { builder, spec, variant } = this;
    const emitter = new ExpressionEmitter(variant, this.locals, this.row);
    builder.block((skip) => {
      for (const index of variant.filters)
        builder.branchIf(unary('i32Eqz', emitter.truth(spec.filters[index]!)), skip);
      const target = this.findGroup(emitter);
      spec.accumulators.forEach((accumulator, index) => {
        this.accumulate(emitter, accumulator, index, target);
      });
    });
  }

  private findGroup(emitter: ExpressionEmitter): Target {
    if (this.variant.mode === 'plain') return { kind: 'locals' };
    const address = this.variant.mode === 'dense' ? this.denseGroup(emitter) : this.hashGroup(emitter);
    return { kind: 'memory', address };
  }

  private denseGroup(emitter: ExpressionEmitter): Local<'i32'> {
    const { builder, spec } = this;
    const parts = spec.groups.map((group, index) => {
      const at = PARAM.group(index);
      let code: I32;
      let isNull: Local<'i32'> | null;
      if (group.op === 'column' && this.variant.columns[group.column]!.width <= 4 && !isFloatColumn(group)) {
        // The frame's own code: its base is the lowest value.
        code = emitter.code(group.column);
        isNull = emitter.columnIsNull(group.column);
      } else {
        const slot = emitter.emit(group);
        isNull = slot.isNull;
        code =
          slot.value.type === 'i32'
            ? (slot.value as Local<'i32'>).get()
            : unary(
                'i32WrapI64',
                binary('i64Sub', (slot.value as Local<'i64'>).get(), this.locals.i64(at).get()),
              );
      }
      if (isNull !== null) code = select(isNull.get(), this.locals.i32(at + 8).get(), code);
      return binary('i32Mul', code, this.locals.i32(at + 12).get());
    });
    // Strides are in bytes.
    const offset = parts.reduce((left, right) => binary('i32Add', left, right));
    return builder.keep(binary('i32Add', this.locals.i32(PARAM.states).get(), offset));
  }

  /** Key words of the row: NULL keys are 0 with their bit in the last word. */
  private keyWords(emitter: ExpressionEmitter): { words: Local<'i64'>[]; nulls: Local<'i64'> | null } {
    const { builder, spec } = this;
    let nulls: I64 | null = null;
    const words = spec.groups.map((group, index) => {
      let value: I64;
      let isNull: Local<'i32'> | null;
      if (group.type.kind === 'string' && group.op === 'column') {
        // Codes differ from frame to frame: the remap gives the worker's number of the string.
        isNull = emitter.columnIsNull(group.column);
        const remap = this.locals.i32(PARAM.group(index));
        const at = binary('i32Add', remap.get(), binary('i32Shl', emitter.code(group.column), i32(2)));
        value = load('i64Load32U', at);
      } else {
        const slot = emitter.emit(group);
        isNull = slot.isNull;
        value =
          slot.value.type === 'i32'
            ? unary('i64ExtendI32U', (slot.value as Local<'i32'>).get())
            : (slot.value as Local<'i64'>).get();
      }
      if (isNull !== null) {
        const bit = binary('i64Shl', unary('i64ExtendI32U', isNull.get()), i64(BigInt(index)));
        nulls = nulls === null ? bit : binary('i64Or', nulls, bit);
        value = select(isNull.get(), i64(0n), value);
      }
      return builder.keep(value);
    });
    return { words, nulls: nulls === null ? null : builder.keep(nulls) };
  }

  private hashGroup(emitter: ExpressionEmitter): Local<'i32'> {
    const { builder, layout } = this;
    const { words, nulls } = this.keyWords(emitter);
    const states = this.locals.i32(PARAM.states);
    const table = this.locals.i32(PARAM.table);
    const mask = this.locals.i32(PARAM.mask);
    let hash: I64 | null = nulls === null ? null : nulls.get();
    for (const word of words) {
      const input = hash === null ? word.get() : binary('i64Xor', hash, word.get());
      const mixed = builder.keep(binary('i64Mul', input, i64(HASH_MULTIPLIER)));
      hash = binary('i64Xor', mixed.get(), binary('i64ShrU', mixed.get(), i64(32n)));
    }
    const position = builder.keep(binary('i32And', unary('i32WrapI64', hash!), mask.get()));
    const entry = builder.local('i32');
    const address = builder.local('i32');
    const cell = (): I32 => binary('i32Add', table.get(), binary('i32Shl', position.get(), i32(2)));
    const stateOf = (number: I32): I32 =>
      binary('i32Add', states.get(), binary('i32Mul', number, i32(layout.bytes)));
    builder.block((found) => {
      builder.loop((again) => {
        builder.set(entry, load('i32Load', cell()));
        builder.if(unary('i32Eqz', entry.get()), () => {
          builder.set(address, stateOf(this.groupCount!.get()));
          builder.set(this.groupCount!, binary('i32Add', this.groupCount!.get(), i32(1)));
          builder.store('i32Store', cell(), this.groupCount!.get());
          words.forEach((word, index) => {
            builder.store('i64Store', address.get(), word.get(), layout.keyOffsets[index]!);
          });
          if (nulls !== null) builder.store('i64Store', address.get(), nulls.get(), layout.nullOffset);
          this.spec.accumulators.forEach((accumulator, index) => {
            const offset = layout.accumulatorOffsets[index]!;
            builder.store('i64Store', address.get(), i64(initialBits(accumulator)), offset);
            if (this.variant.wide[index]) builder.store('i64Store', address.get(), i64(0n), offset + 8);
          });
          builder.branch(found);
        });
        builder.set(address, stateOf(binary('i32Sub', entry.get(), i32(1))));
        const differences = words.map((word, index) =>
          binary('i64Xor', load('i64Load', address.get(), layout.keyOffsets[index]!), word.get()),
        );
        if (nulls !== null)
          differences.push(binary('i64Xor', load('i64Load', address.get(), layout.nullOffset), nulls.get()));
        const differs = differences.reduce((left, right) => binary('i64Or', left, right));
        builder.branchIf(unary('i64Eqz', differs), found);
        builder.set(position, binary('i32And', binary('i32Add', position.get(), i32(1)), mask.get()));
        builder.branch(again);
      });
    });
    return address;
  }

  private accumulate(
    emitter: ExpressionEmitter,
    accumulator: AccumulatorSpec,
    index: number,
    target: Target,
  ): void {
    const { builder } = this;
    if (sameCount(this.spec, this.variant, index) >= 0) return;
    const arg = accumulator.arg === null ? null : emitter.emit(accumulator.arg);
    // What keeps this row out of this accumulator: NULL, or its FILTER.
    let out: Local<'i32'> | null = arg?.isNull ?? null;
    if (accumulator.filter !== null) {
      const refused = unary('i32Eqz', emitter.truth(accumulator.filter));
      out = builder.keep(out === null ? refused : binary('i32Or', refused, out.get()));
    }
    if (accumulator.op === 'count') {
      const one = out === null ? i64(1n) : unary('i64ExtendI32U', unary('i32Eqz', out.get()));
      this.change(target, index, (before) => binary('i64Add', before as I64, one));
      return;
    }
    const slot = arg!.value;
    if (slot.type === 'f64') {
      this.accumulateFloat(accumulator.op, slot as Local<'f64'>, out, index, target);
      return;
    }
    const value: Local<'i64'> =
      slot.type === 'i32'
        ? builder.keep(unary('i64ExtendI32U', (slot as Local<'i32'>).get()))
        : (slot as Local<'i64'>);
    if (accumulator.op === 'sum') {
      const term = out === null ? value : builder.keep(select(out.get(), i64(0n), value.get()));
      if (this.variant.wide[index]) this.addWide(target, index, term);
      else this.change(target, index, (before) => binary('i64Add', before as I64, term.get()));
      return;
    }
    const wins = accumulator.op === 'min' ? 'i64LtS' : 'i64GtS';
    this.changeKept(target, index, (before) => {
      let better: I32 = binary(wins, value.get(), (before as Local<'i64'>).get());
      if (out !== null) better = binary('i32And', better, unary('i32Eqz', out.get()));
      return select(better, value.get(), (before as Local<'i64'>).get());
    });
  }

  private accumulateFloat(
    op: 'sum' | 'min' | 'max',
    value: Local<'f64'>,
    out: Local<'i32'> | null,
    index: number,
    target: Target,
  ): void {
    this.changeKept(target, index, (kept) => {
      const before = kept as Local<'f64'>;
      if (op === 'sum') {
        const sum = binary('f64Add', before.get(), value.get());
        return out === null ? sum : select(out.get(), before.get(), sum);
      }
      let better = floatCompare(op === 'min' ? '<' : '>', value, before);
      if (out !== null) better = binary('i32And', better, unary('i32Eqz', out.get()));
      return select(better, value.get(), before.get());
    });
  }

  /** Reads, changes and writes an accumulator; `next` uses the value once. */
  private change(target: Target, index: number, next: (before: I64) => I64): void {
    const { builder } = this;
    if (target.kind === 'locals') {
      const register = this.registers[index]!.low as Local<'i64'>;
      builder.set(register, next(register.get()));
      return;
    }
    const offset = this.layout.accumulatorOffsets[index]!;
    builder.store(
      'i64Store',
      target.address.get(),
      next(load('i64Load', target.address.get(), offset)),
      offset,
    );
  }

  /** The same with the old value in a local. */
  private changeKept(
    target: Target,
    index: number,
    next: (before: Local<'i64'> | Local<'f64'>) => I64 | ReturnType<Local<'f64'>['get']>,
  ): void {
    const { builder } = this;
    if (target.kind === 'locals') {
      const register = this.registers[index]!.low;
      builder.set(register as Local<'i64'>, next(register) as I64);
      return;
    }
    const offset = this.layout.accumulatorOffsets[index]!;
    const isDouble = isFloat(this.spec.accumulators[index]!);
    const before = isDouble
      ? builder.keep(load('f64Load', target.address.get(), offset))
      : builder.keep(load('i64Load', target.address.get(), offset));
    builder.store(isDouble ? 'f64Store' : 'i64Store', target.address.get(), next(before), offset);
  }

  /** 128-bit sum: low word, carry, sign. */
  private addWide(target: Target, index: number, term: Local<'i64'>): void {
    const { builder } = this;
    const offset = this.layout.accumulatorOffsets[index]!;
    const before =
      target.kind === 'locals'
        ? (this.registers[index]!.low as Local<'i64'>)
        : builder.keep(load('i64Load', target.address.get(), offset));
    const sum = builder.keep(binary('i64Add', before.get(), term.get()));
    const carry = unary('i64ExtendI32U', binary('i64LtU', sum.get(), term.get()));
    const upper = binary('i64Add', binary('i64ShrS', term.get(), i64(63n)), carry);
    if (target.kind === 'locals') {
      const { high } = this.registers[index]!;
      builder.set(high!, binary('i64Add', high!.get(), upper));
      builder.set(before, sum.get());
      return;
    }
    const high = binary('i64Add', load('i64Load', target.address.get(), offset + 8), upper);
    builder.store('i64Store', target.address.get(), high, offset + 8);
    builder.store('i64Store', target.address.get(), sum.get(), offset);
  }
}

/** Odd, with bits spread evenly (2^64 divided by the golden ratio). */
const HASH_MULTIPLIER = -7046029254386353131n;

function isFloat(accumulator: AccumulatorSpec): boolean {
  return accumulator.op !== 'count' && accumulator.arg?.type.kind === 'float';
}

function isFloatColumn(node: Node): boolean {
  return node.type.kind === 'float';
}
