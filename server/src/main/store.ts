/** Opens the table store of the data directory. */
import type { Environment } from '../env/contract.ts';
import type { ServerSettings } from '../session/settings/session-settings.ts';
import { type OpenedStore, openMemoryStore } from '../table/index.ts';
import { typeSupport } from '../types/index.ts';
import type { ServerLog } from './log.ts';

export async function openStore(
  environment: Environment,
  _settings: ServerSettings,
  _log: ServerLog,
): Promise<OpenedStore & { isNew: boolean }> {
  return { ...openMemoryStore({ clock: environment.clock, typeSupport }), isNew: true };
}
