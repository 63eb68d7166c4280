/**
 * Building one function: typed expressions as trees, statements that emit them.
 *
 * An expression ({@link Value}) is built from others and emitted once, in the place where a statement uses it: evaluation order is the order of
 * emission. A value consumed twice, or of the wrong type, is a fault of the generator and ends the statement that asked for the module (XX000);
 * use a local for what is needed twice. All emitted text comes from tables of ours: nothing a user wrote can reach a module but numbers.
 */
import { assert } from '../../../base/error.ts';
import { ByteWriter } from './bytes.ts';
import {
  ATOMIC_RMW,
  type AtomicName,
  BINARY,
  type BinaryName,
  LOAD,
  type LoadName,
  OP,
  SIMD_BINARY,
  SIMD_UNARY,
  type SimdBinaryName,
  type SimdUnaryName,
  STORE,
  type StoreName,
  UNARY,
  type UnaryName,
  VALUE_TYPE,
  type WasmType,
} from './opcodes.ts';

/** An expression of one type, to be consumed exactly once. */
export class Value<T extends WasmType = WasmType> {
  readonly type: T;
  private readonly write: (code: ByteWriter) => void;
  private isConsumed = false;

  constructor(type: T, write: (code: ByteWriter) => void) {
    this.type = type;
    this.write = write;
  }

  /** Emits the expression; the second time is a fault. */
  emit(code: ByteWriter, expected: WasmType): void {
    assert(!this.isConsumed, `wasm value of type ${this.type} consumed twice`);
    assert(this.type === expected, `wasm value of type ${this.type} where ${expected} is wanted`);
    this.isConsumed = true;
    this.write(code);
  }
}

export type I32 = Value<'i32'>;
export type I64 = Value<'i64'>;
export type F64 = Value<'f64'>;
export type V128 = Value<'v128'>;

/** A local variable or parameter. */
export class Local<T extends WasmType = WasmType> {
  readonly index: number;
  readonly type: T;

  constructor(index: number, type: T) {
    this.index = index;
    this.type = type;
  }

  get(): Value<T> {
    return new Value(this.type, (code) => {
      code.u8(OP.localGet);
      code.unsigned(this.index);
    });
  }

  /** Stores and yields the value. */
  tee(value: Value<T>): Value<T> {
    return new Value(this.type, (code) => {
      value.emit(code, this.type);
      code.u8(OP.localTee);
      code.unsigned(this.index);
    });
  }
}

type ResultOf<N extends BinaryName> = (typeof BINARY)[N][1];
type OperandOf<N extends BinaryName> = (typeof BINARY)[N][2];

export function binary<N extends BinaryName>(
  name: N,
  left: Value<OperandOf<N>>,
  right: Value<OperandOf<N>>,
): Value<ResultOf<N>> {
  const [opcode, result, operand] = BINARY[name];
  return new Value(result, (code) => {
    left.emit(code, operand);
    right.emit(code, operand);
    code.u8(opcode);
  }) as Value<ResultOf<N>>;
}

export function unary<N extends UnaryName>(
  name: N,
  value: Value<(typeof UNARY)[N][2]>,
): Value<(typeof UNARY)[N][1]> {
  const [opcode, result, operand] = UNARY[name];
  return new Value(result, (code) => {
    value.emit(code, operand);
    code.u8(opcode);
  }) as Value<(typeof UNARY)[N][1]>;
}

export function i32(value: number): I32 {
  return new Value('i32', (code) => {
    code.u8(OP.i32Const);
    code.signed(value);
  });
}

export function i64(value: bigint): I64 {
  return new Value('i64', (code) => {
    code.u8(OP.i64Const);
    code.signed64(value);
  });
}

export function f64(value: number): F64 {
  return new Value('f64', (code) => {
    code.u8(OP.f64Const);
    code.f64(value);
  });
}

/** Loads from `address + offset`. */
export function load<N extends LoadName>(name: N, address: I32, offset = 0): Value<(typeof LOAD)[N][1]> {
  const [opcode, result, align] = LOAD[name];
  return new Value(result, (code) => {
    address.emit(code, 'i32');
    code.u8(opcode);
    code.unsigned(align);
    code.unsigned(offset);
  }) as Value<(typeof LOAD)[N][1]>;
}

/** `first` if the condition is not 0, else `second`; both are evaluated. */
export function select<T extends WasmType>(condition: I32, first: Value<T>, second: Value<T>): Value<T> {
  return new Value(first.type, (code) => {
    first.emit(code, first.type);
    second.emit(code, first.type);
    condition.emit(code, 'i32');
    code.u8(OP.select);
  });
}

/** Atomically changes the 32-bit word at `address + offset`; yields what was there. */
export function atomic(name: AtomicName, address: I32, value: I32, offset = 0): I32 {
  return new Value('i32', (code) => {
    address.emit(code, 'i32');
    value.emit(code, 'i32');
    code.u8(OP.atomic);
    code.unsigned(ATOMIC_RMW[name]);
    code.unsigned(2);
    code.unsigned(offset);
  });
}

function simdPrefix(code: ByteWriter, opcode: number): void {
  code.u8(OP.simd);
  code.unsigned(opcode);
}

export function loadVector(address: I32, offset = 0): V128 {
  return new Value('v128', (code) => {
    address.emit(code, 'i32');
    simdPrefix(code, 0x00);
    code.unsigned(0);
    code.unsigned(offset);
  });
}

export function simd(name: SimdBinaryName, left: V128, right: V128): V128 {
  return new Value('v128', (code) => {
    left.emit(code, 'v128');
    right.emit(code, 'v128');
    simdPrefix(code, SIMD_BINARY[name]);
  });
}

export function simdUnary<N extends SimdUnaryName>(
  name: N,
  value: Value<(typeof SIMD_UNARY)[N][2]>,
): Value<(typeof SIMD_UNARY)[N][1]> {
  const [opcode, result, operand] = SIMD_UNARY[name];
  return new Value(result, (code) => {
    value.emit(code, operand);
    simdPrefix(code, opcode);
  }) as Value<(typeof SIMD_UNARY)[N][1]>;
}

/** A place to branch to. */
export class Label {
  /** Depth of control structures at which the label lives. */
  readonly depth: number;
  constructor(depth: number) {
    this.depth = depth;
  }
}

/** See the module comment. */
export class FunctionBuilder {
  readonly parameters: readonly WasmType[];
  readonly results: readonly WasmType[];
  private readonly locals: WasmType[] = [];
  private readonly code = new ByteWriter();
  private depth = 0;

  constructor(parameters: readonly WasmType[], results: readonly WasmType[]) {
    this.parameters = parameters;
    this.results = results;
  }

  parameter<T extends WasmType>(index: number, type: T): Local<T> {
    assert(
      this.parameters[index] === type,
      `wasm parameter ${index} is ${this.parameters[index]}, not ${type}`,
    );
    return new Local(index, type);
  }

  /** A new local variable, zero at first. */
  local<T extends WasmType>(type: T): Local<T> {
    this.locals.push(type);
    return new Local(this.parameters.length + this.locals.length - 1, type);
  }

  /** A new local variable holding `value`. */
  keep<T extends WasmType>(value: Value<T>): Local<T> {
    const local = this.local(value.type);
    this.set(local, value);
    return local;
  }

  set<T extends WasmType>(local: Local<T>, value: Value<T>): void {
    value.emit(this.code, local.type);
    this.code.u8(OP.localSet);
    this.code.unsigned(local.index);
  }

  store(name: StoreName, address: I32, value: Value, offset = 0): void {
    const [opcode, operand, align] = STORE[name];
    address.emit(this.code, 'i32');
    value.emit(this.code, operand);
    this.code.u8(opcode);
    this.code.unsigned(align);
    this.code.unsigned(offset);
  }

  /** Evaluates and forgets. */
  drop(value: Value): void {
    value.emit(this.code, value.type);
    this.code.u8(OP.drop);
  }

  /** Calls a function of the module by index. */
  call(index: number, args: readonly Value[], types: readonly WasmType[]): void {
    args.forEach((arg, position) => {
      arg.emit(this.code, types[position]!);
    });
    this.code.u8(OP.call);
    this.code.unsigned(index);
  }

  /** A call that yields a value. */
  callValue<T extends WasmType>(
    index: number,
    args: readonly Value[],
    types: readonly WasmType[],
    result: T,
  ): Value<T> {
    return new Value(result, (code) => {
      args.forEach((arg, position) => {
        arg.emit(code, types[position]!);
      });
      code.u8(OP.call);
      code.unsigned(index);
    });
  }

  /** Statements that can be left through the label. */
  block(body: (exit: Label) => void): void {
    this.structure(OP.block, body);
  }

  /** Statements that are repeated by branching to the label. */
  loop(body: (again: Label) => void): void {
    this.structure(OP.loop, body);
  }

  if(condition: I32, then: () => void, otherwise?: () => void): void {
    condition.emit(this.code, 'i32');
    this.code.u8(OP.if);
    this.code.u8(0x40);
    this.depth++;
    then();
    if (otherwise !== undefined) {
      this.code.u8(OP.else);
      otherwise();
    }
    this.depth--;
    this.code.u8(OP.end);
  }

  branch(label: Label): void {
    this.code.u8(OP.br);
    this.code.unsigned(this.depth - label.depth);
  }

  branchIf(condition: I32, label: Label): void {
    condition.emit(this.code, 'i32');
    this.code.u8(OP.brIf);
    this.code.unsigned(this.depth - label.depth);
  }

  /** body for index = start, start + step, … while index < end (unsigned). `end` is evaluated once. */
  forRange(index: Local<'i32'>, end: I32, step: number, body: () => void): void {
    const last = this.keep(end);
    this.block((exit) => {
      this.branchIf(binary('i32GeU', index.get(), last.get()), exit);
      this.loop((again) => {
        body();
        this.set(index, binary('i32Add', index.get(), i32(step)));
        this.branchIf(binary('i32LtU', index.get(), last.get()), again);
      });
    });
  }

  return(value: Value | null): void {
    if (value !== null) value.emit(this.code, this.results[0]!);
    this.code.u8(OP.return);
  }

  private structure(opcode: number, body: (label: Label) => void): void {
    this.code.u8(opcode);
    this.code.u8(0x40);
    this.depth++;
    body(new Label(this.depth));
    this.depth--;
    this.code.u8(OP.end);
  }

  /** Local declarations and code, for the module's code section. */
  finish(): ByteWriter {
    assert(this.depth === 0, `wasm function ends at depth ${this.depth}`);
    const body = new ByteWriter();
    const groups: { type: WasmType; count: number }[] = [];
    for (const type of this.locals) {
      const last = groups.at(-1);
      if (last !== undefined && last.type === type) last.count++;
      else groups.push({ type, count: 1 });
    }
    body.unsigned(groups.length);
    for (const { type, count } of groups) {
      body.unsigned(count);
      body.u8(VALUE_TYPE[type]);
    }
    body.append(this.code);
    body.u8(OP.end);
    return body;
  }
}
