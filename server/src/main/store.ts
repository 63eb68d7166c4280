/** Opens the table store of the data directory. */
import type { Environment } from '../env/contract.ts';
import { chooseKernels } from '../native/index.ts';
import type { ServerSettings } from '../session/settings/session-settings.ts';
import { useKernels } from '../storage/index.ts';
import { type OpenedStore, openTableStore, type TableStore } from '../table/index.ts';
import { findTypeSupport, typeSupport } from '../types/index.ts';
import type { ServerLog } from './log.ts';

const TEXT = 25;
const PG_AUTHID = 1260;

/** Exit code by which the supervisor knows to start the engine again. */
export const EXIT_RESTART = 70;

export async function openStore(
  environment: Environment,
  settings: ServerSettings,
  log: ServerLog,
): Promise<OpenedStore> {
  const { host, workers } = environment;
  const { kernels, message } = chooseKernels({
    platform: host.platform,
    architecture: host.architecture,
    native: settings.get('fastpostgres.native_kernels') === 'on',
  });
  if (message !== null) log.write('LOG', message);
  useKernels(kernels);
  const opened = await openTableStore({
    environment,
    // Types made by users are stored as text or as bytes of their own; their supports come from the catalog later.
    typeSupport: (oid) => findTypeSupport(oid) ?? typeSupport(TEXT),
    // Loading parses on the main thread and encodes beside it.
    encoders: {
      workers,
      threads: Math.max(1, Math.min(4, workers.hardwareThreads - 1)),
    },
    cacheBytes: settings.number('shared_buffers') * 8192,
    onFatal: (error) => {
      log.write('PANIC', `could not write the log: ${error.message}`);
      environment.host.exit(EXIT_RESTART);
    },
    onWarning: (error) => log.write('WARNING', error.message),
  });
  if (opened.recovery !== null) {
    const { commits, tables } = opened.recovery;
    log.write('LOG', `database system was recovered: ${commits} transactions replayed, ${tables} tables`);
  }
  return opened;
}

/** False after a crash during the very first start: the catalogs have to be made again. */
export function hasCatalog(tables: TableStore): boolean {
  try {
    return tables.table(PG_AUTHID).estimate().rows > 0;
  } catch {
    return false;
  }
}
