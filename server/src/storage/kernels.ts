/**
 * The native kernels of this thread, when there are any. Decoding asks per range, not per value; without the addon (or below the size where
 * crossing to it pays) the TypeScript loops of `encoding/` do the work and give the same bytes.
 */
import type { Kernels } from '../native/contract.ts';

let native: Kernels | null = null;

/** Values below which a call to the addon costs more than it saves. */
export const NATIVE_FROM = 256;

/** Called once per thread at start. The twins are not used: the loops here are the faster TypeScript. */
export function useKernels(kernels: Kernels): void {
  native = kernels.instructionSet() === 'typescript' ? null : kernels;
}

export function nativeKernels(): Kernels | null {
  return native;
}
