/** First module of every worker thread: builds the thread's environment and hands over to the module asked for. */

import { parentPort, workerData } from 'node:worker_threads';
import type { WorkerModule, WorkerScope } from '../contract.ts';
import { EnvironmentError } from '../contract.ts';
import { createRealEnvironment } from './environment.ts';

/** What `RealWorkers.spawn` passes. */
export interface WorkerEntryData {
  readonly module: string;
  readonly dataRoot: string;
  readonly data: unknown;
}

const port = parentPort;
if (!port)
  throw new EnvironmentError('EWORKER', import.meta.url, 'worker entry was started outside a worker');
const start = workerData as WorkerEntryData;

const scope: WorkerScope = {
  data: start.data,
  environment: createRealEnvironment(start.dataRoot),
  post(message, transfer) {
    port.postMessage(message, transfer as ArrayBuffer[] | undefined);
  },
  onMessage(handler) {
    // The port starts flowing with its first listener: earlier messages wait in it.
    port.on('message', handler);
  },
  exit() {
    port.close();
  },
};

const module = (await import(start.module)) as WorkerModule;
await module.start(scope);
