import { describe, expect, it } from 'vitest';
import wabt from 'wabt';
import { ByteWriter } from './bytes.ts';
import {
  binary,
  f64,
  i32,
  i64,
  load,
  loadVector,
  select,
  simd,
  simdUnary,
  unary,
} from './function-builder.ts';
import { ModuleBuilder } from './module-builder.ts';
import {
  BINARY,
  type BinaryName,
  LOAD,
  type LoadName,
  SIMD_BINARY,
  SIMD_UNARY,
  type SimdBinaryName,
  type SimdUnaryName,
  STORE,
  type StoreName,
  UNARY,
  type UnaryName,
} from './opcodes.ts';

/** Checks the bytes with wabt and gives the text. */
async function disassemble(bytes: Uint8Array): Promise<string> {
  const tools = await wabt();
  const module = tools.readWasm(bytes, { readDebugNames: false, simd: true, threads: true });
  // The declarations lack the features that the function takes.
  (module.validate as (features: object) => void).call(module, { simd: true, threads: true });
  return module.toText({ foldExprs: false, inlineExport: false });
}

function instantiate(module: ModuleBuilder, imports = {}): Record<string, (...args: unknown[]) => unknown> {
  return new WebAssembly.Instance(new WebAssembly.Module(module.finish()), imports).exports as never;
}

describe('encoder', () => {
  it('writes variable-length integers', () => {
    const read = (write: (out: ByteWriter) => void) => {
      const out = new ByteWriter();
      write(out);
      return [...out.finish()];
    };
    expect(read((out) => out.unsigned(624485))).toEqual([0xe5, 0x8e, 0x26]);
    expect(read((out) => out.signed(-123456))).toEqual([0xc0, 0xbb, 0x78]);
    expect(read((out) => out.signed64(-(1n << 63n)))).toEqual([
      128, 128, 128, 128, 128, 128, 128, 128, 128, 0x7f,
    ]);
    expect(read((out) => out.signed(63))).toEqual([63]);
    expect(read((out) => out.signed(64))).toEqual([0xc0, 0]);
  });

  it('names every instruction as wabt does', async () => {
    const module = new ModuleBuilder();
    module.importMemory('env', 'memory', { initial: 1, maximum: 65536, shared: true });
    const names: string[] = [];
    const spell = (name: string) =>
      name
        .replace(/^([a-z]+[0-9]+(?:x[0-9]+)?)([A-Z])/, (_, type, letter) => `${type}.${letter.toLowerCase()}`)
        .replace(/(?<=\..*)[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const constant = {
      i32: () => i32(1),
      i64: () => i64(1n),
      f64: () => f64(1),
      v128: () => loadVector(i32(0)),
      f32: () => load('f32Load', i32(0)),
    };
    module.function(null, [], [], (builder) => {
      const drop = (value: never) => void builder.keep(value);
      for (const name of Object.keys(BINARY) as BinaryName[]) {
        names.push(spell(name));
        const type = BINARY[name][2];
        drop(binary(name, constant[type]() as never, constant[type]() as never) as never);
      }
      for (const name of Object.keys(UNARY) as UnaryName[]) {
        names.push(spell(name).replace('convert_i64_s', 'convert_i64_s'));
        drop(unary(name, constant[UNARY[name][2]]() as never) as never);
      }
      for (const name of Object.keys(LOAD) as LoadName[]) {
        names.push(spell(name).replace(/load(\d+)_?([su])/, 'load$1_$2'));
        drop(load(name, i32(0), 8) as never);
      }
      for (const name of Object.keys(STORE) as StoreName[]) {
        names.push(spell(name));
        builder.store(name, i32(0), constant[STORE[name][1]](), 8);
      }
      for (const name of Object.keys(SIMD_BINARY) as SimdBinaryName[]) {
        names.push(spell(name));
        drop(simd(name, constant.v128(), constant.v128()) as never);
      }
      for (const name of Object.keys(SIMD_UNARY) as SimdUnaryName[]) {
        names.push(spell(name));
        drop(simdUnary(name, constant[SIMD_UNARY[name][2]]() as never) as never);
      }
    });
    const text = await disassemble(module.finish());
    const seen = new Set(text.match(/[a-z]+\d+(?:x\d+)?\.[a-z0-9_]+/g));
    expect(names.filter((name) => !seen.has(name))).toEqual([]);
  });

  it('computes with control flow, memory and calls', async () => {
    const module = new ModuleBuilder();
    module.importMemory('env', 'memory', { initial: 1, maximum: 1, shared: true });
    const told = module.importFunction('env', 'tell', ['i64'], []);
    const sum = module.function('sum', ['i32', 'i32'], ['i64'], (builder) => {
      const index = builder.keep(i32(0));
      const total = builder.local('i64');
      builder.forRange(index, builder.parameter(1, 'i32').get(), 1, () => {
        const address = binary(
          'i32Add',
          builder.parameter(0, 'i32').get(),
          binary('i32Shl', index.get(), i32(3)),
        );
        builder.set(total, binary('i64Add', total.get(), load('i64Load', address)));
      });
      builder.if(
        binary('i64LtS', total.get(), i64(0n)),
        () => builder.call(told, [total.get()], ['i64']),
        () => builder.call(told, [i64(7n)], ['i64']),
      );
      builder.return(total.get());
    });
    module.function('twice', ['i32'], ['i64'], (builder) => {
      const count = builder.parameter(0, 'i32');
      const value = builder.keep(builder.callValue(sum, [i32(0), count.get()], ['i32', 'i32'], 'i64'));
      builder.return(
        select(unary('i64Eqz', value.get()), i64(-1n), binary('i64Add', value.get(), value.get())),
      );
    });
    await disassemble(module.finish());
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const said: bigint[] = [];
    const exports = instantiate(module, { env: { memory, tell: (value: bigint) => void said.push(value) } });
    new BigInt64Array(memory.buffer).set([1n, 2n, -10n]);
    expect(exports.sum!(0, 3)).toBe(-7n);
    expect(exports.sum!(0, 0)).toBe(0n);
    expect(exports.twice!(2)).toBe(6n);
    expect(exports.twice!(0)).toBe(-1n);
    expect(said).toEqual([-7n, 7n, 7n, 7n]);
  });

  it('refuses a value consumed twice, a wrong type and an unclosed function', () => {
    const module = new ModuleBuilder();
    const once = i32(1);
    expect(() =>
      module.function(null, [], [], (builder) => void builder.keep(binary('i32Add', once, once))),
    ).toThrow(/twice/);
    expect(() =>
      module.function(
        null,
        [],
        [],
        (builder) => void builder.keep(binary('i64Add', i32(1) as never, i64(1n))),
      ),
    ).toThrow(/where i64/);
  });
});
