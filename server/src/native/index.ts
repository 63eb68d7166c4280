/** The door to the kernels: the addon's where it is built and wanted, else the twins. */
import { loadAddon } from './addon.ts';
import type { Kernels } from './contract.ts';
import { typescriptKernels } from './twins/index.ts';

export type { Kernels, NativeKernels } from './contract.ts';

/** What the choice depends on. Structured-clonable, so that workers choose as the main thread did. */
export interface KernelChoice {
  /** As Node spells them. */
  readonly platform: string;
  readonly architecture: string;
  /** False = twins only (`fastpostgres.native` off). */
  readonly native: boolean;
}

/**
 * The kernels of this thread.
 *
 * `message` is null, or one line for the log on why the twins are used although the addon is wanted: say it once, at start, on the main thread.
 */
export function chooseKernels(choice: KernelChoice): { kernels: Kernels; message: string | null } {
  if (!choice.native) return { kernels: typescriptKernels, message: null };
  const { kernels, reason } = loadAddon(choice.platform, choice.architecture);
  if (kernels !== null) return { kernels, message: null };
  return {
    kernels: typescriptKernels,
    message: `native addon not loaded: ${reason}; running on the TypeScript and WebAssembly twins`,
  };
}
