/**
 * Expressions of a pipeline as WebAssembly, for the row under the loop.
 *
 * Every result is kept in a local together with its NULL flag (absent where the type says NOT NULL, so such columns cost no NULL code), and is
 * computed once per row however often the pipeline uses it. Nothing here can trap: interval analysis has proved the ranges, and
 * doubtful doubles (overflow, underflow, division by zero) set the trap flag, whereupon the row executor runs the statement instead.
 */
import { PARAM } from './layout.ts';
import { type CompareOperator, type Node, nodeKey, type QueryNode } from './spec.ts';
import type { Variant } from './variant.ts';
import {
  binary,
  type F64,
  type FunctionBuilder,
  f64,
  type I32,
  type I64,
  i32,
  i64,
  type Local,
  load,
  select,
  unary,
  type Value,
} from './wasm/function-builder.ts';
import type { BinaryName } from './wasm/opcodes.ts';

/** Value and NULL flag of an expression; booleans are i32, integers and decimals i64, doubles f64, dictionary codes i32. */
export interface Slot {
  readonly value: Local<'i32'> | Local<'i64'> | Local<'f64'>;
  readonly isNull: Local<'i32'> | null;
}

export const INTEGER_COMPARE: Readonly<Record<CompareOperator, BinaryName>> = {
  '=': 'i64Eq',
  '<>': 'i64Ne',
  '<': 'i64LtS',
  '<=': 'i64LeS',
  '>': 'i64GtS',
  '>=': 'i64GeS',
};

/** Locals that live as long as the function: addresses, bases and constants of the morsel. */
export class MorselLocals {
  readonly builder: FunctionBuilder;
  readonly params: Local<'i32'>;
  readonly trap: Local<'i32'>;
  private readonly kept = new Map<string, Local>();

  constructor(builder: FunctionBuilder, params: Local<'i32'>) {
    this.builder = builder;
    this.params = params;
    this.trap = builder.local('i32');
  }

  i32(offset: number): Local<'i32'> {
    return this.find(`i${offset}`, () => load('i32Load', this.params.get(), offset)) as Local<'i32'>;
  }

  i64(offset: number): Local<'i64'> {
    return this.find(`l${offset}`, () => load('i64Load', this.params.get(), offset)) as Local<'i64'>;
  }

  f64(offset: number): Local<'f64'> {
    return this.find(`f${offset}`, () => load('f64Load', this.params.get(), offset)) as Local<'f64'>;
  }

  /** Must be asked for before the loop is entered: see {@link ExpressionEmitter.prepare}. */
  private find(key: string, make: () => Value): Local {
    let local = this.kept.get(key);
    if (local === undefined) {
      local = this.builder.keep(make());
      this.kept.set(key, local);
    }
    return local;
  }
}

/** Computes what only pipelines of whole queries have. */
export interface QueryExpressions {
  prepare(node: QueryNode, emitter: ExpressionEmitter): void;
  compute(node: QueryNode, emitter: ExpressionEmitter): Slot;
}

/** Emits expressions for the row in `row`; one per straight run of code. */
export class ExpressionEmitter {
  private readonly variant: Pick<Variant, 'columns'>;
  private readonly locals: MorselLocals;
  private readonly row: Local<'i32'>;
  private readonly known: Map<string, Slot>;
  private readonly query: QueryExpressions | null;

  constructor(
    variant: Pick<Variant, 'columns'>,
    locals: MorselLocals,
    row: Local<'i32'>,
    query: QueryExpressions | null = null,
    known: ReadonlyMap<string, Slot> = new Map(),
  ) {
    this.variant = variant;
    this.locals = locals;
    this.row = row;
    this.query = query;
    this.known = new Map(known);
  }

  /** An emitter for code inside: it knows what this one has computed, and this one nothing of it. */
  fork(): ExpressionEmitter {
    return new ExpressionEmitter(this.variant, this.locals, this.row, this.query, this.known);
  }

  get builder(): FunctionBuilder {
    return this.locals.builder;
  }

  /** Loads the morsel's locals that a node needs; call it before the loop for every node emitted inside. */
  prepare(node: Node): void {
    switch (node.op) {
      case 'column':
        this.prepareColumn(node.column);
        return;
      case 'param':
        if (node.type.kind === 'float') this.locals.f64(PARAM.constant(node.param));
        else this.locals.i64(PARAM.constant(node.param));
        return;
      case 'stringTest':
        if (this.testsBytes(node)) this.prepare(node.otherwise!);
        else {
          this.prepareColumn(node.column);
          this.locals.i32(PARAM.stringTest(node.test));
        }
        return;
      case 'number':
      case 'field':
      case 'stringRef':
      case 'stringEqual':
      case 'like':
      case 'substring':
      case 'trimEnd':
      case 'datePart':
      case 'stringCompare':
      case 'stringLength':
      case 'floorDiv':
      case 'floorMod':
      case 'call':
      case 'compareAverage':
        this.query!.prepare(node, this);
        return;
      case 'add':
      case 'sub':
      case 'mul':
      case 'div':
      case 'mod':
      case 'compare':
        this.prepare(node.left);
        this.prepare(node.right);
        return;
      case 'neg':
      case 'scale':
      case 'toFloat':
      case 'not':
      case 'isNull':
        this.prepare(node.arg);
        return;
      case 'and':
      case 'or':
      case 'coalesce':
        for (const arg of node.args) this.prepare(arg);
        return;
      case 'case':
        for (const branch of node.branches) {
          this.prepare(branch.when);
          this.prepare(branch.result);
        }
        if (node.otherwise !== null) this.prepare(node.otherwise);
        return;
    }
  }

  /** The column has no dictionary in this morsel, and the condition another form. */
  private testsBytes(node: Extract<Node, { op: 'stringTest' }>): boolean {
    return node.otherwise !== undefined && this.variant.columns[node.column]!.kind === 'text';
  }

  prepareColumn(column: number): void {
    const { width, nullable, kind } = this.variant.columns[column]!;
    const at = PARAM.column(column);
    if (width > 0 || kind !== 'integer') this.locals.i32(at);
    if (nullable) this.locals.i32(at + 4);
    if (kind === 'integer') this.locals.i64(at + 8);
  }

  /** The node's slot, computed now unless this run of code has it. */
  emit(node: Node): Slot {
    const key = nodeKey(node);
    let slot = this.known.get(key);
    if (slot === undefined) {
      slot = this.compute(node);
      this.known.set(key, slot);
    }
    return slot;
  }

  /** True and not NULL. */
  truth(node: Node): I32 {
    const { value, isNull } = this.emit(node);
    const truth = (value as Local<'i32'>).get();
    return isNull === null ? truth : binary('i32And', truth, unary('i32Eqz', isNull.get()));
  }

  /** Code of a column within its frame. */
  code(column: number): I32 {
    const { width } = this.variant.columns[column]!;
    if (width === 0) return i32(0);
    const address = this.locals.i32(PARAM.column(column)).get();
    if (width === 1) return load('i32Load8U', binary('i32Add', address, this.row.get()));
    const scaled = binary('i32Shl', this.row.get(), i32(width === 2 ? 1 : 2));
    return load(width === 2 ? 'i32Load16U' : 'i32Load', binary('i32Add', address, scaled));
  }

  columnIsNull(column: number): Local<'i32'> | null {
    if (!this.variant.columns[column]!.nullable) return null;
    const bitmap = this.locals.i32(PARAM.column(column) + 4).get();
    const byte = load('i32Load8U', binary('i32Add', bitmap, binary('i32ShrU', this.row.get(), i32(3))));
    const bit = binary('i32And', binary('i32ShrU', byte, binary('i32And', this.row.get(), i32(7))), i32(1));
    return this.builder.keep(unary('i32Eqz', bit));
  }

  private compute(node: Node): Slot {
    const { builder } = this;
    switch (node.op) {
      case 'column':
        return this.computeColumn(node.column, node.type.kind === 'bool');
      case 'param': {
        if (node.type.kind === 'float')
          return { value: this.locals.f64(PARAM.constant(node.param)), isNull: null };
        const value = this.locals.i64(PARAM.constant(node.param));
        if (node.type.kind !== 'bool') return { value, isNull: null };
        return { value: builder.keep(unary('i32WrapI64', value.get())), isNull: null };
      }
      case 'number':
      case 'field':
      case 'stringRef':
      case 'stringEqual':
      case 'like':
      case 'substring':
      case 'trimEnd':
      case 'datePart':
      case 'stringCompare':
      case 'stringLength':
      case 'floorDiv':
      case 'floorMod':
      case 'call':
      case 'compareAverage':
        return this.query!.compute(node, this);
      case 'stringTest': {
        if (this.testsBytes(node)) return this.emit(node.otherwise!);
        const table = this.locals.i32(PARAM.stringTest(node.test)).get();
        const entry = builder.keep(load('i32Load8U', binary('i32Add', table, this.code(node.column))));
        const columnNull = this.columnIsNull(node.column);
        const testNull = binary('i32Eq', entry.get(), i32(2));
        const isNull = builder.keep(
          columnNull === null ? testNull : binary('i32Or', columnNull.get(), testNull),
        );
        return { value: builder.keep(binary('i32Eq', entry.get(), i32(1))), isNull };
      }
      case 'add':
      case 'sub':
      case 'mul':
      case 'div':
      case 'mod': {
        const left = this.emit(node.left);
        const right = this.emit(node.right);
        const isNull = this.either(left.isNull, right.isNull);
        if (node.type.kind === 'float')
          return this.floatArithmetic(
            node.op === 'mod' ? 'div' : node.op,
            left.value as Local<'f64'>,
            right.value as Local<'f64'>,
            isNull,
          );
        if (node.op === 'div' || node.op === 'mod')
          return this.integerDivision(
            node.op,
            left.value as Local<'i64'>,
            right.value as Local<'i64'>,
            isNull,
          );
        const name = node.op === 'add' ? 'i64Add' : node.op === 'sub' ? 'i64Sub' : 'i64Mul';
        const value = binary(name, (left.value as Local<'i64'>).get(), (right.value as Local<'i64'>).get());
        return { value: builder.keep(value), isNull };
      }
      case 'neg': {
        const { value, isNull } = this.emit(node.arg);
        if (value.type === 'f64')
          return { value: builder.keep(unary('f64Neg', (value as Local<'f64'>).get())), isNull };
        return { value: builder.keep(binary('i64Sub', i64(0n), (value as Local<'i64'>).get())), isNull };
      }
      case 'scale': {
        const { value, isNull } = this.emit(node.arg);
        return {
          value: builder.keep(binary('i64Mul', (value as Local<'i64'>).get(), i64(node.factor))),
          isNull,
        };
      }
      case 'toFloat': {
        const { value, isNull } = this.emit(node.arg);
        if (value.type === 'f64') return { value, isNull };
        const converted = unary('f64ConvertI64S', (value as Local<'i64'>).get());
        return {
          value: builder.keep(
            node.divisor === 1 ? converted : binary('f64Div', converted, f64(node.divisor)),
          ),
          isNull,
        };
      }
      case 'compare':
        return this.compare(node.operator, node.left, node.right);
      case 'and':
      case 'or':
        return this.connect(node.op, node.args);
      case 'not': {
        const { value, isNull } = this.emit(node.arg);
        return { value: builder.keep(unary('i32Eqz', (value as Local<'i32'>).get())), isNull };
      }
      case 'isNull': {
        const isNull =
          node.arg.op === 'column' ? this.columnIsNull(node.arg.column) : this.emit(node.arg).isNull;
        const truth = isNull === null ? i32(0) : isNull.get();
        return { value: builder.keep(node.negate ? unary('i32Eqz', truth) : truth), isNull: null };
      }
      case 'case':
        return this.computeCase(node);
      case 'coalesce': {
        const slots = node.args.map((arg) => this.emit(arg));
        let result = slots.at(-1)!;
        for (let index = slots.length - 2; index >= 0; index--) {
          const slot = slots[index]!;
          if (slot.isNull === null) result = slot;
          else {
            const value = builder.keep(this.choose(slot.isNull.get(), result.value, slot.value));
            const isNull =
              result.isNull === null
                ? null
                : builder.keep(binary('i32And', slot.isNull.get(), result.isNull.get()));
            result = { value: value as Slot['value'], isNull };
          }
        }
        return result;
      }
    }
  }

  private computeColumn(column: number, isBool: boolean): Slot {
    const { builder } = this;
    const { kind, width } = this.variant.columns[column]!;
    const isNull = this.columnIsNull(column);
    if (kind === 'dictionary') return { value: builder.keep(this.code(column)), isNull };
    if (kind === 'float64' || kind === 'float32') {
      const address = binary(
        'i32Add',
        this.locals.i32(PARAM.column(column)).get(),
        binary('i32Shl', this.row.get(), i32(kind === 'float64' ? 3 : 2)),
      );
      const value =
        kind === 'float64' ? load('f64Load', address) : unary('f64PromoteF32', load('f32Load', address));
      return { value: builder.keep(value), isNull };
    }
    const base = this.locals.i64(PARAM.column(column) + 8).get();
    const value = width === 0 ? base : binary('i64Add', base, this.wideCode(column, width));
    if (isBool) return { value: builder.keep(unary('i32WrapI64', value)), isNull };
    return { value: builder.keep(value), isNull };
  }

  wideCode(column: number, width: number): I64 {
    const address = this.locals.i32(PARAM.column(column)).get();
    if (width === 1) return load('i64Load8U', binary('i32Add', address, this.row.get()));
    const scaled = binary('i32Shl', this.row.get(), i32(width === 2 ? 1 : width === 4 ? 2 : 3));
    const at = binary('i32Add', address, scaled);
    return width === 2 ? load('i64Load16U', at) : width === 4 ? load('i64Load32U', at) : load('i64Load', at);
  }

  either(left: Local<'i32'> | null, right: Local<'i32'> | null): Local<'i32'> | null {
    if (left === null) return right;
    if (right === null || left === right) return left;
    return this.builder.keep(binary('i32Or', left.get(), right.get()));
  }

  private choose(condition: I32, first: Slot['value'], second: Slot['value']): Value {
    return select<'i64'>(condition, (first as Local<'i64'>).get(), (second as Local<'i64'>).get());
  }

  /** A divisor of 0 sets the trap flag: the row executor raises the error. Interval analysis has excluded the overflow of -2^63 / -1. */
  private integerDivision(
    op: 'div' | 'mod',
    left: Local<'i64'>,
    right: Local<'i64'>,
    isNull: Local<'i32'> | null,
  ): Slot {
    const { builder } = this;
    const isZero = builder.keep(unary('i64Eqz', right.get()));
    const doubtful =
      isNull === null ? isZero.get() : binary('i32And', isZero.get(), unary('i32Eqz', isNull.get()));
    builder.set(this.locals.trap, binary('i32Or', this.locals.trap.get(), doubtful));
    const divisor = select(isZero.get(), i64(1n), right.get());
    return { value: builder.keep(binary(op === 'div' ? 'i64DivS' : 'i64RemS', left.get(), divisor)), isNull };
  }

  /** Infinite or vanished results of finite operands are left to the row executor (PostgreSQL raises errors there). */
  private floatArithmetic(
    op: 'add' | 'sub' | 'mul' | 'div',
    left: Local<'f64'>,
    right: Local<'f64'>,
    isNull: Local<'i32'> | null,
  ): Slot {
    const { builder } = this;
    const name = ({ add: 'f64Add', sub: 'f64Sub', mul: 'f64Mul', div: 'f64Div' } as const)[op];
    const value = builder.keep(binary(name, left.get(), right.get()));
    let doubtful: I32 = binary('f64Ge', unary('f64Abs', value.get()), f64(Infinity));
    if (op === 'mul' || op === 'div') {
      doubtful = binary('i32Or', doubtful, binary('f64Eq', value.get(), f64(0)));
      const isExactZero =
        op === 'mul'
          ? binary('i32Or', binary('f64Eq', left.get(), f64(0)), binary('f64Eq', right.get(), f64(0)))
          : binary('f64Eq', left.get(), f64(0));
      doubtful = binary('i32And', doubtful, unary('i32Eqz', isExactZero));
      if (op === 'div') doubtful = binary('i32Or', doubtful, binary('f64Eq', right.get(), f64(0)));
    }
    if (isNull !== null) doubtful = binary('i32And', doubtful, unary('i32Eqz', isNull.get()));
    builder.set(this.locals.trap, binary('i32Or', this.locals.trap.get(), doubtful));
    return { value, isNull };
  }

  private compare(operator: CompareOperator, leftNode: Node, rightNode: Node): Slot {
    const { builder } = this;
    const left = this.emit(leftNode);
    const right = this.emit(rightNode);
    const isNull = this.either(left.isNull, right.isNull);
    if (left.value.type === 'f64') {
      const truth = floatCompare(operator, left.value as Local<'f64'>, right.value as Local<'f64'>);
      return { value: builder.keep(truth), isNull };
    }
    if (left.value.type === 'i32') {
      const wide = (slot: Slot) => unary('i64ExtendI32U', (slot.value as Local<'i32'>).get());
      return {
        value: builder.keep(
          binary(INTEGER_COMPARE[operator], wide(left) as never, wide(right) as never) as I32,
        ),
        isNull,
      };
    }
    const truth = binary(
      INTEGER_COMPARE[operator],
      (left.value as Local<'i64'>).get() as never,
      (right.value as Local<'i64'>).get() as never,
    ) as I32;
    return { value: builder.keep(truth), isNull };
  }

  /** Three-valued AND and OR: an operand that decides makes the result not NULL. */
  private connect(op: 'and' | 'or', args: readonly Node[]): Slot {
    const { builder } = this;
    const slots = args.map((arg) => this.emit(arg));
    const values = slots.map((slot) => {
      const value = (slot.value as Local<'i32'>).get();
      // A NULL operand counts as what does not decide.
      if (slot.isNull === null) return value;
      return op === 'and'
        ? binary('i32Or', value, slot.isNull.get())
        : binary('i32And', value, unary('i32Eqz', slot.isNull.get()));
    });
    const value = builder.keep(
      values.reduce((left, right) => binary(op === 'and' ? 'i32And' : 'i32Or', left, right)),
    );
    const nulls = slots.flatMap((slot) => (slot.isNull === null ? [] : [slot.isNull.get() as I32]));
    if (nulls.length === 0) return { value, isNull: null };
    const anyNull = nulls.reduce((left, right) => binary('i32Or', left, right));
    const undecided = op === 'and' ? value.get() : unary('i32Eqz', value.get());
    const isNull = builder.keep(binary('i32And', anyNull, undecided));
    // The value under a NULL must be false for OR and may be anything for AND: `truth` looks at the flag.
    return { value, isNull };
  }

  private computeCase(node: Extract<Node, { op: 'case' }>): Slot {
    const { builder } = this;
    const branches = node.branches.map((branch) => ({
      when: builder.keep(this.truth(branch.when)),
      result: this.emit(branch.result),
    }));
    const last = branches.at(-1)!;
    let result: Slot =
      node.otherwise === null
        ? { value: last.result.value, isNull: builder.keep(i32(1)) }
        : this.emit(node.otherwise);
    for (let index = branches.length - 1; index >= 0; index--) {
      const { when, result: chosen } = branches[index]!;
      const value = builder.keep(
        this.choose(when.get(), chosen.value, result.value),
      ) as unknown as Slot['value'];
      let isNull: Local<'i32'> | null = null;
      if (chosen.isNull !== null || result.isNull !== null) {
        isNull = builder.keep(
          select(
            when.get(),
            chosen.isNull === null ? i32(0) : chosen.isNull.get(),
            result.isNull === null ? i32(0) : result.isNull.get(),
          ),
        );
      }
      result = { value, isNull };
    }
    return result;
  }
}

/** PostgreSQL's order of doubles: NaN equals NaN and is greater than everything else. */
export function floatCompare(operator: CompareOperator, left: Local<'f64'>, right: Local<'f64'>): I32 {
  const isNan = (local: Local<'f64'>): I32 => binary('f64Ne', local.get(), local.get());
  const l = (): F64 => left.get();
  const r = (): F64 => right.get();
  const equal = (): I32 =>
    binary('i32Or', binary('f64Eq', l(), r()), binary('i32And', isNan(left), isNan(right)));
  const less = (from: Local<'f64'>, to: Local<'f64'>): I32 =>
    binary(
      'i32Or',
      binary('f64Lt', from.get(), to.get()),
      binary('i32And', isNan(to), unary('i32Eqz', isNan(from))),
    );
  switch (operator) {
    case '=':
      return equal();
    case '<>':
      return unary('i32Eqz', equal());
    case '<':
      return less(left, right);
    case '<=':
      return unary('i32Eqz', less(right, left));
    case '>':
      return less(right, left);
    case '>=':
      return unary('i32Eqz', less(left, right));
  }
}
