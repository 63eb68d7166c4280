/**
 * Kernels for threads without the addon, over one shared memory: the filter that dominates scans as WebAssembly SIMD, the rest as TypeScript twins.
 *
 * 16 rows a step; the rows after the last whole step are decided one by one. Checked against the TypeScript twin for all counts.
 */
import type { Kernels } from '../../native/index.ts';
import { typescriptKernels } from '../../native/twins/index.ts';
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
  type V128,
} from './wasm/function-builder.ts';
import { ModuleBuilder } from './wasm/module-builder.ts';

type Filter = (
  values: number,
  count: number,
  low: bigint,
  span: bigint,
  flip: number,
  target: number,
  intersect: number,
) => void;

const PARAMETERS = ['i32', 'i32', 'i64', 'i64', 'i32', 'i32', 'i32'] as const;

/** Bytes of the module: imports `env.memory`, exports `filter1`, `filter2`, `filter4`, `filter8`. */
export function kernelModule(): Uint8Array {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', { initial: 1, maximum: 65536, shared: true });
  for (const width of [1, 2, 4, 8] as const)
    module.function(`filter${width}`, PARAMETERS, [], (builder) => emitFilter(builder, width));
  return module.finish();
}

function emitFilter(builder: FunctionBuilder, width: 1 | 2 | 4 | 8): void {
  const values = builder.parameter(0, 'i32');
  const count = builder.parameter(1, 'i32');
  const low = builder.parameter(2, 'i64');
  const span = builder.parameter(3, 'i64');
  const flip = builder.parameter(4, 'i32');
  const target = builder.parameter(5, 'i32');
  const intersect = builder.parameter(6, 'i32');
  const shift = Math.log2(width);
  const row = builder.keep(i32(0));
  const at = (index: I32): I32 => binary('i32Add', values.get(), binary('i32Shl', index, i32(shift)));
  const bitmapAt = (): I32 => binary('i32Add', target.get(), binary('i32ShrU', row.get(), i32(3)));

  const loadOne = (index: I32): I64 => {
    const address = at(index);
    if (width === 1) return load('i64Load8U', address);
    if (width === 2) return load('i64Load16U', address);
    return width === 4 ? load('i64Load32U', address) : load('i64Load', address);
  };
  const mask = width === 8 ? -1n : (1n << BigInt(8 * width)) - 1n;
  const passes = (index: I32): I32 =>
    binary(
      'i64LeU',
      binary('i64And', binary('i64Sub', loadOne(index), low.get()), i64(mask)),
      binary('i64And', span.get(), i64(mask)),
    );

  const whole = builder.keep(binary('i32And', count.get(), i32(~15)));
  const bits = builder.local('i32');
  const lanes = width === 8 ? null : emitSplats(builder, width, low, span);
  builder.forRange(row, whole.get(), 16, () => {
    if (lanes === null) {
      let all: I32 = i32(0);
      for (let k = 0; k < 16; k++)
        all = binary('i32Or', all, binary('i32Shl', passes(binary('i32Add', row.get(), i32(k))), i32(k)));
      builder.set(bits, all);
    } else
      builder.set(bits, simdUnary('i8x16Bitmask', step(width as 1 | 2 | 4, at(row.get()), lanes, builder)));
    builder.set(bits, binary('i32Xor', bits.get(), binary('i32And', flip.get(), i32(0xffff))));
    builder.if(intersect.get(), () =>
      builder.set(bits, binary('i32And', bits.get(), load('i32Load16U', bitmapAt()))),
    );
    builder.store('i32Store16', bitmapAt(), bits.get());
  });
  // The rest, a byte of the bitmap at a time.
  builder.set(row, whole.get());
  builder.block((exit) => {
    builder.loop((again) => {
      builder.branchIf(binary('i32GeU', row.get(), count.get()), exit);
      const left = builder.keep(binary('i32Sub', count.get(), row.get()));
      const rows = builder.keep(select(binary('i32LtU', left.get(), i32(8)), left.get(), i32(8)));
      const k = builder.keep(i32(0));
      builder.set(bits, i32(0));
      builder.forRange(k, rows.get(), 1, () => {
        const bit = binary('i32Shl', passes(binary('i32Add', row.get(), k.get())), k.get());
        builder.set(bits, binary('i32Or', bits.get(), bit));
      });
      const valid = binary('i32Sub', binary('i32Shl', i32(1), rows.get()), i32(1));
      builder.set(bits, binary('i32And', binary('i32Xor', bits.get(), flip.get()), valid));
      builder.if(intersect.get(), () =>
        builder.set(bits, binary('i32And', bits.get(), load('i32Load8U', bitmapAt()))),
      );
      builder.store('i32Store8', bitmapAt(), bits.get());
      builder.set(row, binary('i32Add', row.get(), i32(8)));
      builder.branch(again);
    });
  });
}

interface Splats {
  readonly low: Local<'v128'>;
  readonly span: Local<'v128'>;
}

function emitSplats(
  builder: FunctionBuilder,
  width: 1 | 2 | 4,
  low: Local<'i64'>,
  span: Local<'i64'>,
): Splats {
  const name = ({ 1: 'i8x16Splat', 2: 'i16x8Splat', 4: 'i32x4Splat' } as const)[width];
  return {
    low: builder.keep(simdUnary(name, unary('i32WrapI64', low.get()))),
    span: builder.keep(simdUnary(name, unary('i32WrapI64', span.get()))),
  };
}

/** Sixteen bytes, each all ones where the row passes. */
function step(width: 1 | 2 | 4, address: I32, lanes: Splats, builder: FunctionBuilder): V128 {
  const base = builder.keep(address);
  const subtract = ({ 1: 'i8x16Sub', 2: 'i16x8Sub', 4: 'i32x4Sub' } as const)[width];
  const compare = ({ 1: 'i8x16LeU', 2: 'i16x8LeU', 4: 'i32x4LeU' } as const)[width];
  const vector = (index: number): V128 =>
    simd(compare, simd(subtract, loadVector(base.get(), index * 16), lanes.low.get()), lanes.span.get());
  if (width === 1) return vector(0);
  if (width === 2) return simd('i8x16NarrowI16x8S', vector(0), vector(1));
  return simd(
    'i8x16NarrowI16x8S',
    simd('i16x8NarrowI32x4S', vector(0), vector(1)),
    simd('i16x8NarrowI32x4S', vector(2), vector(3)),
  );
}

/** The kernels of a thread without the addon; views of other memory go to the TypeScript twin. */
export function wasmKernels(memory: WebAssembly.Memory): Kernels {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(kernelModule()), { env: { memory } });
  const { buffer } = memory;
  return {
    ...typescriptKernels,
    instructionSet: () => 'wasm-simd128',
    filterRange: (values, width, count, low, high, negate, target, intersect) => {
      if (values.buffer !== buffer || target.buffer !== buffer) {
        typescriptKernels.filterRange(values, width, count, low, high, negate, target, intersect);
        return;
      }
      const filter = instance.exports[`filter${width}`] as Filter;
      filter(
        values.byteOffset,
        count,
        low,
        high - low,
        negate ? -1 : 0,
        target.byteOffset,
        intersect ? 1 : 0,
      );
    },
  };
}
