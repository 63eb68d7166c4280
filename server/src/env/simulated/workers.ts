/**
 * Workers that run inline, on the one thread of the simulation.
 *
 * Messages are copied as between threads and delivered as events after a random delay: the order between workers is
 * the seed's, the order on one line is kept. Modules are loaded once for all workers, so that module-level variables
 * are shared here and are not on real threads: worker modules must not have any.
 */

import type {
  Environment,
  Transfer,
  TransferablePort,
  WorkerHandle,
  WorkerModule,
  WorkerOptions,
  Workers,
} from '../contract.ts';
import { EnvironmentError } from '../contract.ts';
import { copyMessage } from './message-copy.ts';
import { type Simulation, traceKind } from './simulation.ts';

/** `environment` is asked late: it contains these workers. */
export class SimulatedWorkers implements Workers {
  readonly hardwareThreads: number;
  private readonly simulation: Simulation;
  private readonly environment: () => Environment;
  private nextLine = 1;

  constructor(simulation: Simulation, environment: () => Environment, hardwareThreads = 2) {
    this.simulation = simulation;
    this.environment = environment;
    this.hardwareThreads = hardwareThreads;
  }

  spawn(module: URL, options: WorkerOptions): WorkerHandle {
    const toWorker = new Line(this.simulation, this.nextLine++);
    const toOwner = new Line(this.simulation, this.nextLine++);
    const data = copyMessage(options.data, options.transfer, isPort);
    let exitHandler: ((error: EnvironmentError | undefined) => void) | undefined;
    let hasEnded = false;
    const end = (error: EnvironmentError | undefined) => {
      if (hasEnded) return;
      hasEnded = true;
      toWorker.close();
      this.simulation.schedule(0, () => {
        toOwner.close();
        exitHandler?.(error);
      });
    };
    const begin = async () => {
      const loaded = (await this.simulation.external(import(module.href))) as WorkerModule;
      if (hasEnded) return;
      await loaded.start({
        data,
        environment: this.environment(),
        post: (message, transfer) => toOwner.post(message, transfer),
        onMessage: (handler) => toWorker.onMessage(handler),
        exit: () => end(undefined),
      });
    };
    begin().catch((error: unknown) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      end(new EnvironmentError('EWORKER', options.name, `worker "${options.name}" failed: ${text}`, error));
    });
    return {
      name: options.name,
      post: (message, transfer) => toWorker.post(message, transfer),
      onMessage: (handler) => toOwner.onMessage(handler),
      onExit: (handler) => {
        exitHandler = handler;
      },
      background: () => {},
      terminate: () => {
        end(undefined);
        return Promise.resolve();
      },
    };
  }

  channel(): readonly [TransferablePort, TransferablePort] {
    const first = new SimulatedPort(new Line(this.simulation, this.nextLine++));
    const second = new SimulatedPort(new Line(this.simulation, this.nextLine++));
    first.target = second.line;
    second.target = first.line;
    return [first, second];
  }
}

/** One direction of messages. */
class Line {
  private readonly simulation: Simulation;
  private readonly id: number;
  private handler: ((message: unknown) => void) | undefined;
  private waiting: unknown[] = [];
  private lastArrivalMicros = 0;
  private isClosed = false;

  constructor(simulation: Simulation, id: number) {
    this.simulation = simulation;
    this.id = id;
  }

  post(message: unknown, transfer: Transfer | undefined): void {
    const copy = copyMessage(message, transfer, isPort);
    const { simulation } = this;
    const arrival = simulation.nowMicros + simulation.random.between(1, 50);
    this.lastArrivalMicros = Math.max(this.lastArrivalMicros, arrival);
    simulation.schedule(this.lastArrivalMicros - simulation.nowMicros, () => {
      if (this.isClosed) return;
      simulation.record(traceKind.workerMessage, this.id);
      if (this.handler) this.handler(copy);
      else this.waiting.push(copy);
    });
  }

  onMessage(handler: (message: unknown) => void): void {
    this.handler = handler;
    const waiting = this.waiting;
    this.waiting = [];
    for (const message of waiting) {
      this.simulation.schedule(0, () => {
        if (!this.isClosed) handler(message);
      });
    }
  }

  close(): void {
    this.isClosed = true;
  }
}

/** Offers what users of Node's MessagePort use: postMessage, on('message'), close. */
class SimulatedPort implements TransferablePort {
  readonly line: Line;
  target: Line | undefined;

  constructor(line: Line) {
    this.line = line;
  }

  postMessage(message: unknown, transfer?: Transfer): void {
    this.target?.post(message, transfer);
  }

  on(_event: 'message', handler: (message: unknown) => void): this {
    this.line.onMessage(handler);
    return this;
  }

  close(): void {
    this.line.close();
    this.target?.close();
  }
}

function isPort(value: object): boolean {
  return value instanceof SimulatedPort;
}
