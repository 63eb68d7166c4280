/**
 * Byte streams in memory: every write is cut at random places and arrives after a random delay, in order.
 *
 * TLS is not spoken: `startTls` resolves once both sides asked for it and only sets `tls`.
 */

import type {
  Address,
  Connection,
  ConnectionHandler,
  Listener,
  Network,
  TlsContext,
  TlsSession,
  TlsStart,
} from '../contract.ts';
import { EnvironmentError } from '../contract.ts';
import type { SimulatedRandom } from './random.ts';
import { type Simulation, traceKind } from './simulation.ts';

/** Options of the simulated network. */
export interface SimulatedNetworkOptions {
  /** Delay of each piece, uniform in [first, last]. Default 10 to 500. */
  readonly delayMicros?: readonly [number, number];
  /** Probability that a write is cut into pieces. Default 0.25. */
  readonly splitRate?: number;
  /** Probability per write that the connection is reset. Default 0. */
  readonly resetRate?: number;
}

/** Bytes under way at which `write` answers false, as on a real socket. */
const highWaterBytes = 16 * 1024;

/** All listeners and connections of a simulated world. */
export class SimulatedNetwork implements Network {
  readonly options: SimulatedNetworkOptions;
  readonly simulation: Simulation;
  readonly random: SimulatedRandom;
  private readonly listeners = new Map<string, (connection: Connection) => void>();
  private nextPort = 40_000;
  private nextConnection = 1;

  constructor(simulation: Simulation, options: SimulatedNetworkOptions = {}) {
    this.simulation = simulation;
    this.options = options;
    this.random = simulation.random.fork();
  }

  listen(asked: Address, accept: (connection: Connection) => void): Promise<Listener> {
    const address: Address =
      asked.kind === 'tcp' && asked.port === 0 ? { ...asked, port: this.nextPort++ } : asked;
    const key = keyOf(address);
    if (this.listeners.has(key)) {
      return Promise.reject(new EnvironmentError('EADDRINUSE', key, `could not listen on "${key}": in use`));
    }
    this.listeners.set(key, accept);
    return Promise.resolve({
      address,
      close: () => {
        this.listeners.delete(key);
        return Promise.resolve();
      },
    });
  }

  dial(address: Address): Promise<Connection> {
    const local: Address =
      address.kind === 'tcp' ? { kind: 'tcp', host: '127.0.0.1', port: this.nextPort++ } : address;
    return new Promise((resolve, reject) => {
      this.simulation.schedule(this.delay(), () => {
        const key = keyOf(address);
        const accept = this.listeners.get(key);
        if (!accept) {
          reject(
            new EnvironmentError('ECONNREFUSED', key, `could not connect to "${key}": Connection refused`),
          );
          return;
        }
        const id = this.nextConnection++;
        const client = new SimulatedConnection(this, id * 2, local, address);
        const server = new SimulatedConnection(this, id * 2 + 1, address, local);
        client.peer = server;
        server.peer = client;
        accept(server);
        resolve(client);
      });
    });
  }

  createTlsContext(): TlsContext {
    return { tlsContextBrand: 'tls-context' };
  }

  delay(): number {
    const [first, last] = this.options.delayMicros ?? [10, 500];
    return this.random.between(first, last);
  }
}

class SimulatedConnection implements Connection {
  readonly local: Address;
  readonly remote: Address;
  tls: TlsSession | undefined;
  peer: SimulatedConnection | undefined;
  private readonly id: number;
  private readonly network: SimulatedNetwork;
  private handler: ConnectionHandler | undefined;
  private isPaused = false;
  private isEnding = false;
  private isClosed = false;
  private hasPeerEnded = false;
  private mustDrain = false;
  private underWayBytes = 0;
  private corkDepth = 0;
  private corked: { bytes: Uint8Array; flushed: (() => void) | undefined }[] = [];
  /** Arrived, but not yet wanted: undefined stands for the end of the stream. */
  private arrived: (Uint8Array | undefined)[] = [];
  /** Arrival time of the last piece sent: later pieces may not overtake it. */
  private lastArrivalMicros = 0;
  private tlsWaiter: { role: string; resolve: () => void } | undefined;
  private closeError: EnvironmentError | undefined;

  constructor(network: SimulatedNetwork, id: number, local: Address, remote: Address) {
    this.network = network;
    this.id = id;
    this.local = local;
    this.remote = remote;
  }

  get bufferedBytes(): number {
    return this.underWayBytes + this.corked.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  start(handler: ConnectionHandler): void {
    this.handler = handler;
    this.network.simulation.schedule(0, () => {
      this.deliver();
      if (this.isClosed) this.handler?.close(this.closeError);
    });
  }

  write(bytes: Uint8Array, flushed?: () => void): boolean {
    if (this.isClosed || this.isEnding) return true;
    if (this.corkDepth > 0) {
      this.corked.push({ bytes, flushed });
      return this.bufferedBytes < highWaterBytes;
    }
    this.send(bytes, flushed);
    if (this.underWayBytes < highWaterBytes) return true;
    this.mustDrain = true;
    return false;
  }

  cork(): void {
    this.corkDepth++;
  }

  uncork(): void {
    if (this.corkDepth === 0 || --this.corkDepth > 0) return;
    const held = this.corked;
    this.corked = [];
    for (const { bytes, flushed } of held) this.send(bytes, flushed);
    if (this.underWayBytes >= highWaterBytes) this.mustDrain = true;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.network.simulation.schedule(0, () => this.deliver());
  }

  end(): void {
    if (this.isEnding || this.isClosed) return;
    while (this.corkDepth > 0) this.uncork();
    this.isEnding = true;
    this.arriveAtPeer(() => this.peer?.receive(undefined));
  }

  destroy(): void {
    if (this.isClosed) return;
    this.close(undefined);
    this.arriveAtPeer(() => this.peer?.reset());
  }

  keepAlive(): void {}

  startTls(options: TlsStart): Promise<void> {
    return new Promise((resolve) => {
      const mine = { role: options.role, resolve };
      this.tlsWaiter = mine;
      const other = this.peer?.tlsWaiter;
      if (!other || other.role === mine.role) return;
      for (const side of [this, this.peer!]) {
        const waiter = side.tlsWaiter!;
        side.tlsWaiter = undefined;
        this.network.simulation.schedule(this.network.delay(), () => {
          side.tls = {
            protocol: 'TLSv1.3',
            cipher: 'TLS_AES_256_GCM_SHA384',
            bits: 256,
            peerCertificate: undefined,
            isPeerVerified: false,
          };
          waiter.resolve();
        });
      }
    });
  }

  private send(bytes: Uint8Array, flushed: (() => void) | undefined): void {
    const { random, options, simulation } = this.network;
    if (random.chance(options.resetRate ?? 0)) {
      this.peer?.reset();
      this.close(
        new EnvironmentError('ECONNRESET', keyOf(this.remote), 'connection reset by the simulation'),
      );
      return;
    }
    // Copied now: the writer may reuse its buffer once `flushed` ran, and here it never needs to wait.
    const copy = bytes.slice();
    simulation.record(traceKind.networkSend, this.id, copy.length);
    this.underWayBytes += copy.length;
    let start = 0;
    const isSplit = random.chance(options.splitRate ?? 0.25);
    while (start < copy.length) {
      const left = copy.length - start;
      const length = isSplit && left > 1 ? random.between(1, left) : left;
      const piece = copy.subarray(start, start + length);
      const isLast = start + length === copy.length;
      this.arriveAtPeer(() => {
        this.peer?.receive(piece);
        this.arrivedThere(piece.length);
        if (isLast) flushed?.();
      });
      start += length;
    }
    if (copy.length === 0 && flushed) simulation.schedule(0, flushed);
  }

  private arriveAtPeer(callback: () => void): void {
    const { simulation } = this.network;
    this.lastArrivalMicros = Math.max(this.lastArrivalMicros, simulation.nowMicros + this.network.delay());
    simulation.schedule(this.lastArrivalMicros - simulation.nowMicros, callback);
  }

  private arrivedThere(count: number): void {
    this.underWayBytes -= count;
    if (this.mustDrain && this.underWayBytes < highWaterBytes / 2 && !this.isClosed) {
      this.mustDrain = false;
      this.handler?.drain();
    }
  }

  private receive(piece: Uint8Array | undefined): void {
    if (this.isClosed) return;
    this.arrived.push(piece);
    this.deliver();
  }

  private deliver(): void {
    while (this.handler && !this.isPaused && !this.isClosed && this.arrived.length > 0) {
      const piece = this.arrived.shift();
      if (piece) {
        this.network.simulation.record(traceKind.networkDeliver, this.id, piece.length);
        this.handler.data(piece);
      } else {
        this.hasPeerEnded = true;
        this.handler.end();
      }
    }
    if (this.isEnding && this.hasPeerEnded && !this.isClosed) {
      this.close(undefined);
      this.peer?.deliver();
    }
  }

  private reset(): void {
    if (this.isClosed) return;
    this.close(new EnvironmentError('ECONNRESET', keyOf(this.remote), 'Connection reset by peer'));
  }

  private close(error: EnvironmentError | undefined): void {
    this.isClosed = true;
    this.closeError = error;
    this.corked = [];
    this.network.simulation.record(traceKind.networkClose, this.id);
    this.network.simulation.schedule(0, () => this.handler?.close(error));
  }
}

function keyOf(address: Address): string {
  return address.kind === 'tcp' ? `${address.host}:${address.port}` : address.path;
}
