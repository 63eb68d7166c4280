/** Puts the real parts together. */

import type { Environment } from '../contract.ts';
import { RealClock } from './clock.ts';
import { realCryptography } from './cryptography.ts';
import { RealDisk } from './disk.ts';
import { realHost } from './host.ts';
import { RealNetwork } from './network.ts';
import { RealRandom } from './random.ts';
import { RealWorkers } from './workers.ts';

/** The environment of a server whose data directory is `dataRoot` (absolute; it must exist before files are opened). */
export function createRealEnvironment(dataRoot: string): Environment {
  return {
    disk: new RealDisk(dataRoot),
    clock: new RealClock(),
    network: new RealNetwork(),
    random: new RealRandom(),
    workers: new RealWorkers(dataRoot),
    host: realHost,
    cryptography: realCryptography,
    diskAt: (root) => new RealDisk(root),
  };
}
