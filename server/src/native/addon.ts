/**
 * Loads the addon. Only this file knows where the `.node` file is.
 *
 * The file is looked for once per thread; whether it is there does not change while the server runs. `native/build.mjs` writes it.
 */
import { createRequire } from 'node:module';
import type { NativeKernels } from './contract.ts';

const require = createRequire(import.meta.url);
let loaded: { kernels: NativeKernels | null; reason: string } | undefined;

/** The addon's kernels, or null with the reason in one line. `platform` and `architecture` as Node spells them. */
export function loadAddon(
  platform: string,
  architecture: string,
): { kernels: NativeKernels | null; reason: string } {
  if (loaded === undefined) {
    const file = `../../../native/build/${platform}-${architecture}/fastpostgres.node`;
    try {
      loaded = { kernels: require(file) as NativeKernels, reason: '' };
    } catch (error) {
      const code = (error as { code?: string }).code;
      loaded = {
        kernels: null,
        reason:
          code === 'MODULE_NOT_FOUND' ? 'it has not been built' : (error as Error).message.split('\n')[0]!,
      };
    }
  }
  return loaded;
}
