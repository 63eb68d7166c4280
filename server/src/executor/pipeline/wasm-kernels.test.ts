import { describe, expect, it } from 'vitest';
import wabt from 'wabt';
import { typescriptKernels } from '../../native/twins/index.ts';
import { kernelModule, wasmKernels } from './wasm-kernels.ts';

describe('kernels in WebAssembly', () => {
  it('are valid', async () => {
    const tools = await wabt();
    const module = tools.readWasm(kernelModule(), {
      readDebugNames: false,
      simd: true,
      threads: true,
    } as never);
    (module.validate as (features: object) => void).call(module, { simd: true, threads: true });
  });

  it('filter as the TypeScript twin, for all counts and offsets of the bitmap', () => {
    const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
    const kernels = wasmKernels(memory);
    let state = 1;
    const random = () => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return state >>> 8;
    };
    for (const width of [1, 2, 4, 8]) {
      for (let count = 0; count <= 70; count++) {
        const values = new Uint8Array(memory.buffer, 64, count * width);
        for (let index = 0; index < values.length; index++) values[index] = random();
        for (let round = 0; round < 8; round++) {
          const low = BigInt(random() % 300);
          const high = low + (round % 4 === 0 ? 0n : BigInt(random()) ** (width === 8 ? 2n : 1n));
          const negate = (round & 1) !== 0;
          const intersect = (round & 2) !== 0;
          const target = new Uint8Array(memory.buffer, 65536 + round, (count + 7) >>> 3);
          const guard = new Uint8Array(memory.buffer, target.byteOffset + target.length, 4).fill(0xa5);
          for (let index = 0; index < target.length; index++) target[index] = random();
          const expected = new Uint8Array(target);
          kernels.filterRange(values, width, count, low, high, negate, target, intersect);
          typescriptKernels.filterRange(
            new Uint8Array(values),
            width,
            count,
            low,
            high,
            negate,
            expected,
            intersect,
          );
          expect(new Uint8Array(target), `width ${width} count ${count}`).toEqual(expected);
          expect([...guard]).toEqual([0xa5, 0xa5, 0xa5, 0xa5]);
        }
      }
    }
  });
});
