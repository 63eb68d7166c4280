/** WebAssembly of the expressions that only query pipelines have: fields of tuples, strings as references, parts of dates, averages. */
import {
  type ExpressionEmitter,
  INTEGER_COMPARE,
  type MorselLocals,
  type QueryExpressions,
  type Slot,
} from '../expression.ts';
import { PARAM } from '../layout.ts';
import type { Node, QueryNode } from '../spec.ts';
import type { ColumnVariant } from '../variant.ts';
import {
  binary,
  type I32,
  type I64,
  i32,
  i64,
  type Local,
  load,
  select,
  unary,
} from '../wasm/function-builder.ts';
import { QUERY_PARAM, TUPLE_NULLS } from './layout.ts';
import { addressOf, emitLike, lengthOf, type StringFunctions } from './strings.ts';

/** How tuples of a store are read. */
export interface ReadableStore {
  /** Local with the address of the tuple, 0 = none (outer joins). */
  readonly tuple: Local<'i32'>;
  /** The tuple may be missing. */
  isOptional: boolean;
  readonly offsets: readonly number[];
  readonly nullable: readonly boolean[];
  readonly isBool: readonly boolean[];
  readonly isFloat: readonly boolean[];
  /** By field: the field that counts its values, or -1. */
  readonly countedBy: readonly number[];
}

/** How compiled code calls JavaScript. */
export interface CallFunctions {
  /** Index of the import (site i32) -> nothing. */
  readonly imported: number;
  /** Number of a call in this thread. */
  index(node: Extract<QueryNode, { op: 'call' }>): number;
}

const INT_COMPARE = {
  '=': 'i32Eq',
  '<>': 'i32Ne',
  '<': 'i32LtS',
  '<=': 'i32LeS',
  '>': 'i32GtS',
  '>=': 'i32GeS',
} as const;

const DAYS_TO_ERA = 730_425n + 20n * 146_097n;

/** See the module comment. */
export class TupleExpressions implements QueryExpressions {
  private readonly locals: MorselLocals;
  private readonly columns: readonly ColumnVariant[];
  private readonly stores: ReadonlyMap<number, ReadableStore>;
  private readonly strings: () => StringFunctions;
  private readonly calls: CallFunctions;

  constructor(
    locals: MorselLocals,
    columns: readonly ColumnVariant[],
    stores: ReadonlyMap<number, ReadableStore>,
    strings: () => StringFunctions,
    calls: CallFunctions,
  ) {
    this.locals = locals;
    this.columns = columns;
    this.stores = stores;
    this.strings = strings;
    this.calls = calls;
  }

  prepare(node: QueryNode, emitter: ExpressionEmitter): void {
    switch (node.op) {
      case 'number':
      case 'field':
        return;
      case 'stringRef': {
        const { kind, nullable } = this.columns[node.column]!;
        this.locals.i32(PARAM.column(node.column));
        if (nullable) this.locals.i32(PARAM.column(node.column) + 4);
        if (kind === 'coded') this.locals.i32(QUERY_PARAM.references(node.column));
        return;
      }
      case 'call':
        for (const arg of node.args) emitter.prepare(arg);
        return;
      case 'stringLength':
      case 'floorDiv':
      case 'floorMod':
        emitter.prepare(node.arg);
        return;
      case 'stringEqual':
      case 'stringCompare':
        emitter.prepare(node.left);
        emitter.prepare(node.right);
        return;
      case 'like':
        emitter.prepare(node.arg);
        for (const piece of node.pieces) this.locals.i64(PARAM.constant(piece));
        return;
      case 'substring':
        for (const part of [node.arg, node.start, node.length]) emitter.prepare(part);
        return;
      case 'trimEnd':
      case 'datePart':
        emitter.prepare(node.arg);
        return;
      case 'compareAverage':
        for (const part of [node.left, node.factor, node.sum, node.count]) emitter.prepare(part);
        return;
    }
  }

  compute(node: QueryNode, emitter: ExpressionEmitter): Slot {
    const { builder } = emitter;
    switch (node.op) {
      case 'number':
        return { value: builder.keep(i64(BigInt(node.value))), isNull: null };
      case 'field':
        return this.field(node.table, node.field, emitter);
      case 'stringRef': {
        const isNull = emitter.columnIsNull(node.column);
        let value: I64;
        if (this.columns[node.column]!.kind === 'text') value = emitter.wideCode(node.column, 8);
        else {
          const references = this.locals.i32(QUERY_PARAM.references(node.column)).get();
          const at = binary('i32Shl', emitter.code(node.column), i32(3));
          value = load('i64Load', binary('i32Add', references, at));
        }
        // Under a NULL there may be any code.
        if (isNull !== null) value = select(isNull.get(), i64(65536n), value);
        return { value: builder.keep(value), isNull };
      }
      case 'stringEqual': {
        const left = emitter.emit(node.left);
        const right = emitter.emit(node.right);
        const args = [left.value.get(), right.value.get()];
        const equal = builder.callValue(this.strings().equal, args, ['i64', 'i64'], 'i32');
        return {
          value: builder.keep(node.negate ? unary('i32Eqz', equal) : equal),
          isNull: emitter.either(left.isNull, right.isNull),
        };
      }
      case 'like': {
        const { value, isNull } = emitter.emit(node.arg);
        const pieces = node.pieces.map((piece) => this.locals.i64(PARAM.constant(piece)));
        const found = emitLike(
          builder,
          this.strings(),
          value as Local<'i64'>,
          pieces,
          node.atStart,
          node.atEnd,
        );
        return { value: node.negate ? builder.keep(unary('i32Eqz', found.get())) : found, isNull };
      }
      case 'substring':
        return this.substring(node, emitter);
      case 'trimEnd': {
        const { value, isNull } = emitter.emit(node.arg);
        const text = value as Local<'i64'>;
        const start = builder.keep(addressOf(text.get()));
        const end = builder.keep(binary('i32Add', start.get(), lengthOf(text.get())));
        builder.block((done) => {
          builder.loop((again) => {
            builder.branchIf(binary('i32Eq', end.get(), start.get()), done);
            const last = load('i32Load8U', binary('i32Sub', end.get(), i32(1)));
            builder.branchIf(binary('i32Ne', last, i32(32)), done);
            builder.set(end, binary('i32Sub', end.get(), i32(1)));
            builder.branch(again);
          });
        });
        return {
          value: builder.keep(makeReference(start, binary('i32Sub', end.get(), start.get()))),
          isNull,
        };
      }
      case 'datePart':
        return this.datePart(node, emitter);
      case 'stringCompare': {
        const left = emitter.emit(node.left);
        const right = emitter.emit(node.right);
        const args = [left, right].map(({ value }) =>
          node.isTrimmed
            ? builder.callValue(this.strings().trimmed, [(value as Local<'i64'>).get()], ['i64'], 'i64')
            : (value as Local<'i64'>).get(),
        );
        const order = builder.callValue(this.strings().compare, args, ['i64', 'i64'], 'i32');
        return {
          value: builder.keep(binary(INT_COMPARE[node.operator], order, i32(0))),
          isNull: emitter.either(left.isNull, right.isNull),
        };
      }
      case 'stringLength': {
        const { value, isNull } = emitter.emit(node.arg);
        const text = value as Local<'i64'>;
        const length =
          node.unit === 'bytes'
            ? unary('i64ExtendI32U', lengthOf(text.get()))
            : builder.callValue(this.strings().characters, [text.get()], ['i64'], 'i64');
        return { value: builder.keep(length), isNull };
      }
      case 'floorDiv':
      case 'floorMod': {
        const { value, isNull } = emitter.emit(node.arg);
        const number = value as Local<'i64'>;
        const divisor = (): I64 => i64(node.divisor);
        const rest = builder.keep(binary('i64RemS', number.get(), divisor()));
        const isBelow = builder.keep(binary('i64ShrS', rest.get(), i64(63n)));
        if (node.op === 'floorMod')
          return {
            value: builder.keep(binary('i64Add', rest.get(), binary('i64And', isBelow.get(), divisor()))),
            isNull,
          };
        const quotient = binary('i64DivS', number.get(), divisor());
        return { value: builder.keep(binary('i64Add', quotient, isBelow.get())), isNull };
      }
      case 'call':
        return this.call(node, emitter);
      case 'compareAverage': {
        const parts = [node.left, node.factor, node.sum, node.count].map((part) => emitter.emit(part));
        const [left, factor, sum, count] = parts.map((part) => part.value as Local<'i64'>) as [
          Local<'i64'>,
          Local<'i64'>,
          Local<'i64'>,
          Local<'i64'>,
        ];
        const shift = scaleOf(node.sum) + node.factorScale - scaleOf(node.left);
        const times = (value: I64, exponent: number): I64 =>
          exponent > 0 ? binary('i64Mul', value, i64(10n ** BigInt(exponent))) : value;
        const truth = binary(
          INTEGER_COMPARE[node.operator] as 'i64Eq',
          times(binary('i64Mul', left.get(), count.get()), shift),
          times(binary('i64Mul', factor.get(), sum.get()), -shift),
        );
        const isNull = emitter.either(parts[0]!.isNull, parts[2]!.isNull);
        return { value: builder.keep(truth), isNull };
      }
    }
  }

  /** Arguments and result pass through the parameter page; a NULL argument calls nothing. */
  private call(node: Extract<QueryNode, { op: 'call' }>, emitter: ExpressionEmitter): Slot {
    const { builder } = emitter;
    const slots = node.args.map((arg) => emitter.emit(arg));
    const params = this.locals.params;
    const isNull = slots.reduce<Local<'i32'> | null>((left, slot) => emitter.either(left, slot.isNull), null);
    const result = builder.local('i64');
    // Under a NULL there must be something that can be read.
    builder.set(result, i64(node.type.kind === 'string' ? 65536n : 0n));
    const run = (): void => {
      slots.forEach(({ value }, index) => {
        const word =
          value.type === 'i64'
            ? (value as Local<'i64'>).get()
            : unary('i64ExtendI32U', (value as Local<'i32'>).get());
        builder.store('i64Store', params.get(), word, QUERY_PARAM.callArgument(index));
      });
      builder.call(this.calls.imported, [i32(this.calls.index(node))], ['i32']);
      builder.set(result, load('i64Load', params.get(), QUERY_PARAM.callResult));
    };
    if (isNull === null) run();
    else builder.if(unary('i32Eqz', isNull.get()), run);
    if (node.type.kind !== 'bool') return { value: result, isNull };
    return { value: builder.keep(unary('i32WrapI64', result.get())), isNull };
  }

  private field(store: number, field: number, emitter: ExpressionEmitter): Slot {
    const { builder } = emitter;
    const { tuple, isOptional, offsets, nullable, isBool, isFloat, countedBy } = this.stores.get(store)!;
    const offset = offsets[field]!;
    let isNull: Local<'i32'> | null = null;
    const counted = countedBy[field]!;
    if (nullable[field]) {
      if (counted >= 0)
        isNull = builder.keep(unary('i64Eqz', load('i64Load', tuple.get(), offsets[counted]!)));
      else {
        const bits = load('i32Load', tuple.get(), TUPLE_NULLS);
        isNull = builder.keep(binary('i32And', binary('i32ShrU', bits, i32(field)), i32(1)));
      }
    }
    // Where there is no tuple its address is 0, and what lies there is 0: nothing is written to the first page.
    if (isOptional) {
      const missing = unary('i32Eqz', tuple.get());
      isNull = builder.keep(isNull === null ? missing : binary('i32Or', isNull.get(), missing));
    }
    if (isFloat[field]) return { value: builder.keep(load('f64Load', tuple.get(), offset)), isNull };
    const value = load('i64Load', tuple.get(), offset);
    return { value: isBool[field] ? builder.keep(unary('i32WrapI64', value)) : builder.keep(value), isNull };
  }

  private substring(node: Extract<QueryNode, { op: 'substring' }>, emitter: ExpressionEmitter): Slot {
    const { builder } = emitter;
    const { value, isNull } = emitter.emit(node.arg);
    const text = value as Local<'i64'>;
    const first = emitter.emit(node.start).value as Local<'i64'>;
    const count = emitter.emit(node.length).value as Local<'i64'>;
    const length = builder.keep(unary('i64ExtendI32U', lengthOf(text.get())));
    const clamp = (position: Local<'i64'>): I64 => {
      const low = select(binary('i64LtS', position.get(), i64(0n)), i64(0n), position.get());
      const kept = builder.keep(low);
      return select(binary('i64GtS', kept.get(), length.get()), length.get(), kept.get());
    };
    const from = builder.keep(binary('i64Sub', first.get(), i64(1n)));
    const to = builder.keep(binary('i64Add', from.get(), count.get()));
    const start = builder.keep(clamp(from));
    const end = builder.keep(clamp(to));
    const size = select(
      binary('i64LtS', end.get(), start.get()),
      i64(0n),
      binary('i64Sub', end.get(), start.get()),
    );
    const at = builder.keep(binary('i32Add', addressOf(text.get()), unary('i32WrapI64', start.get())));
    return { value: builder.keep(makeReference(at, unary('i32WrapI64', size))), isNull };
  }

  /** The proleptic Gregorian calendar by eras of 400 years, each beginning on a first of March. */
  private datePart(node: Extract<QueryNode, { op: 'datePart' }>, emitter: ExpressionEmitter): Slot {
    const { builder } = emitter;
    const { value, isNull } = emitter.emit(node.arg);
    const keep = (part: I64): Local<'i64'> => builder.keep(part);
    const divide = (left: Local<'i64'>, right: bigint): I64 => binary('i64DivS', left.get(), i64(right));
    const times = (left: Local<'i64'>, right: bigint): I64 => binary('i64Mul', left.get(), i64(right));
    const days = keep(binary('i64Add', (value as Local<'i64'>).get(), i64(DAYS_TO_ERA)));
    const era = keep(divide(days, 146_097n));
    const ofEra = keep(binary('i64Sub', days.get(), times(era, 146_097n)));
    const leapless = keep(
      binary(
        'i64Sub',
        binary('i64Add', binary('i64Sub', ofEra.get(), divide(ofEra, 1460n)), divide(ofEra, 36_524n)),
        divide(ofEra, 146_096n),
      ),
    );
    const year = keep(divide(leapless, 365n));
    const before = binary(
      'i64Sub',
      binary('i64Add', times(year, 365n), divide(year, 4n)),
      divide(year, 100n),
    );
    const ofYear = keep(binary('i64Sub', ofEra.get(), before));
    const month = keep(binary('i64DivS', binary('i64Add', times(ofYear, 5n), i64(2n)), i64(153n)));
    if (node.part === 'day') {
      const start = binary('i64DivS', binary('i64Add', times(month, 153n), i64(2n)), i64(5n));
      return { value: keep(binary('i64Add', binary('i64Sub', ofYear.get(), start), i64(1n))), isNull };
    }
    const isLate = keep(unary('i64ExtendI32U', binary('i64GeS', month.get(), i64(10n))));
    if (node.part === 'dayOfYear') {
      // January and February are the last days of a year that begins in March.
      const calendar = keep(binary('i64Add', binary('i64Add', year.get(), times(era, 400n)), isLate.get()));
      const isMultiple = (divisor: bigint): I32 =>
        unary('i64Eqz', binary('i64RemS', calendar.get(), i64(divisor)));
      const isLeap = binary(
        'i32And',
        isMultiple(4n),
        binary('i32Or', unary('i32Eqz', isMultiple(100n)), isMultiple(400n)),
      );
      const early = binary(
        'i64Add',
        binary('i64Add', ofYear.get(), i64(60n)),
        unary('i64ExtendI32U', isLeap),
      );
      const late = binary('i64Sub', ofYear.get(), i64(305n));
      return { value: keep(select(unary('i32WrapI64', isLate.get()), late, early)), isNull };
    }
    if (node.part === 'month') {
      const shifted = binary('i64Sub', binary('i64Add', month.get(), i64(3n)), times(isLate, 12n));
      return { value: keep(shifted), isNull };
    }
    const whole = binary('i64Add', binary('i64Add', year.get(), times(era, 400n)), isLate.get());
    return { value: keep(binary('i64Sub', whole, i64(8000n))), isNull };
  }
}

function makeReference(address: Local<'i32'>, length: ReturnType<typeof lengthOf>): I64 {
  return binary(
    'i64Or',
    unary('i64ExtendI32U', address.get()),
    binary('i64Shl', unary('i64ExtendI32U', length), i64(32n)),
  );
}

function scaleOf(node: Node): number {
  return node.type.kind === 'decimal' ? node.type.scale : 0;
}
