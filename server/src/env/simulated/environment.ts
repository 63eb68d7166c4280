/** Puts the simulated parts together. */

import type { Cryptography, Environment, Host } from '../contract.ts';
import { EnvironmentError } from '../contract.ts';
import { realCryptography } from '../real/cryptography.ts';
import { SimulatedClock } from './clock.ts';
import { SimulatedDisk, type SimulatedDiskOptions } from './disk.ts';
import { SimulatedNetwork, type SimulatedNetworkOptions } from './network.ts';
import { Simulation } from './simulation.ts';
import { SimulatedWorkers } from './workers.ts';

/** Options of `createSimulation`. */
export interface SimulationOptions {
  readonly disk?: Omit<SimulatedDiskOptions, 'simulation' | 'seed'>;
  readonly network?: SimulatedNetworkOptions;
  readonly hardwareThreads?: number;
  readonly variables?: Readonly<Record<string, string>>;
}

/** A simulated world with the concrete types, so that a test can crash its disk and move its clock. */
export interface SimulatedWorld {
  readonly simulation: Simulation;
  readonly environment: Environment;
  readonly disk: SimulatedDisk;
  readonly clock: SimulatedClock;
  readonly network: SimulatedNetwork;
  /** What the code under test wrote to its standard streams. */
  readonly output: string[];
}

/** One seed, one world. */
export function createSimulation(seed: number, options: SimulationOptions = {}): SimulatedWorld {
  const simulation = new Simulation(seed);
  const disk = new SimulatedDisk({ ...options.disk, simulation });
  const clock = new SimulatedClock(simulation);
  const network = new SimulatedNetwork(simulation, options.network);
  const otherDisks = new Map<string, SimulatedDisk>();
  const output: string[] = [];
  const environment: Environment = {
    disk,
    clock,
    network,
    random: simulation.random.fork(),
    workers: new SimulatedWorkers(simulation, () => environment, options.hardwareThreads),
    host: simulatedHost(output, options.variables ?? {}),
    cryptography: simulatedCryptography,
    diskAt(root) {
      let other = otherDisks.get(root);
      if (!other) {
        other = new SimulatedDisk({ ...options.disk, simulation, root });
        otherDisks.set(root, other);
      }
      return other;
    },
  };
  return { simulation, environment, disk, clock, network, output };
}

/** As the real one, but key derivation does not leave the thread: its completion would come at a real moment. */
const simulatedCryptography: Cryptography = {
  ...realCryptography,
  pbkdf2Sha256(password, salt, iterations) {
    // RFC 8018, one block: U1 = HMAC(password, salt ‖ 1), Un = HMAC(password, Un-1), all combined by XOR.
    const first = new Uint8Array(salt.length + 4);
    first.set(salt);
    first[salt.length + 3] = 1;
    let link = realCryptography.hmacSha256(password, first);
    const key = link.slice();
    for (let round = 1; round < iterations; round++) {
      link = realCryptography.hmacSha256(password, link);
      for (let index = 0; index < key.length; index++) key[index]! ^= link[index]!;
    }
    return Promise.resolve(key);
  },
};

function simulatedHost(output: string[], variables: Readonly<Record<string, string>>): Host {
  return {
    processId: 1,
    platform: 'linux',
    architecture: 'x64',
    runtimeVersion: 'v24.0.0',
    hostName: 'simulated',
    totalMemoryBytes: 8 * 2 ** 30,
    userName: 'postgres',
    arguments: [],
    variable: (name) => variables[name],
    memoryUsage: () => ({ residentBytes: 0, heapUsedBytes: 0, externalBytes: 0 }),
    writeOut: (text) => void output.push(text),
    writeError: (text) => void output.push(text),
    onSignal: () => {},
    onFatal: () => {},
    exit: (code) => {
      throw new EnvironmentError('ECANCELED', 'exit', `simulated process ended with exit code ${code}`);
    },
  };
}
