/** Threads of Node. */

import * as os from 'node:os';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { Transfer, TransferablePort, WorkerHandle, WorkerOptions, Workers } from '../contract.ts';
import { EnvironmentError } from '../contract.ts';
import type { WorkerEntryData } from './worker-entry.ts';

const entry = new URL('./worker-entry.ts', import.meta.url);

/** Spawns worker threads; `dataRoot` is the data directory the threads' own environments open. */
export class RealWorkers implements Workers {
  readonly hardwareThreads = os.availableParallelism();
  private readonly dataRoot: string;

  constructor(dataRoot: string) {
    this.dataRoot = dataRoot;
  }

  spawn(module: URL, options: WorkerOptions): WorkerHandle {
    const workerData: WorkerEntryData = { module: module.href, dataRoot: this.dataRoot, data: options.data };
    const worker = new Worker(entry, {
      name: options.name,
      workerData,
      transferList: options.transfer as ArrayBuffer[] | undefined,
      resourceLimits: {
        ...(options.stackMegabytes === undefined ? {} : { stackSizeMb: options.stackMegabytes }),
        ...(options.heapMegabytes === undefined ? {} : { maxOldGenerationSizeMb: options.heapMegabytes }),
      },
    });
    return new RealWorkerHandle(options.name, worker);
  }

  channel(): readonly [TransferablePort, TransferablePort] {
    const { port1, port2 } = new MessageChannel();
    return [port1, port2] as unknown as readonly [TransferablePort, TransferablePort];
  }
}

class RealWorkerHandle implements WorkerHandle {
  readonly name: string;
  private readonly worker: Worker;
  private messageHandler: ((message: unknown) => void) | undefined;
  private exitHandler: ((error: EnvironmentError | undefined) => void) | undefined;
  private isTerminating = false;
  private failure: EnvironmentError | undefined;
  private ended: { error: EnvironmentError | undefined } | undefined;

  constructor(name: string, worker: Worker) {
    this.name = name;
    this.worker = worker;
    worker.on('message', (message: unknown) => this.messageHandler?.(message));
    worker.on('error', (error) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.failure = new EnvironmentError('EWORKER', name, `worker "${name}" failed: ${text}`, error);
    });
    worker.on('exit', (code) => {
      let error = this.failure;
      if (!error && code !== 0 && !this.isTerminating) {
        error = new EnvironmentError('EWORKER', name, `worker "${name}" ended with exit code ${code}`);
      }
      this.ended = { error };
      this.exitHandler?.(error);
    });
  }

  post(message: unknown, transfer?: Transfer): void {
    this.worker.postMessage(message, transfer as ArrayBuffer[] | undefined);
  }

  onMessage(handler: (message: unknown) => void): void {
    this.messageHandler = handler;
  }

  onExit(handler: (error: EnvironmentError | undefined) => void): void {
    this.exitHandler = handler;
    if (this.ended) handler(this.ended.error);
  }

  background(): void {
    this.worker.unref();
  }

  async terminate(): Promise<void> {
    this.isTerminating = true;
    await this.worker.terminate();
  }
}
