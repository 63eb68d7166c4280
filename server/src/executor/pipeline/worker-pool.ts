/**
 * The pipeline workers and their one shared memory. Started with the first statement that wants them.
 *
 * Death     a worker that ends unexpectedly fails the statements it had work of (XX000), nothing else: it holds no lock and writes only its own
 *           work area. The next statement starts another in its place.
 */
import { type DbError, internalError } from '../../base/error.ts';
import type { WorkerHandle, Workers } from '../../env/contract.ts';
import type { KernelChoice } from '../../native/index.ts';
import { chooseKernels } from '../../native/index.ts';
import { type Frame, FrameStore } from './frame-store.ts';
import { WORK_AREA_BYTES } from './layout.ts';
import type { FromWorker, Morsel, ToWorker, WorkerStart } from './messages.ts';
import { BLOCK_BYTES, BlockAllocator } from './query/blocks.ts';
import type { StoreVariant } from './query/emit-keys.ts';
import { compileLink } from './query/emit-link.ts';
import type { StoreSpec } from './query/ir.ts';

/** First bytes stay unused: address 0 means "none". */
const RESERVED_BYTES = 65_536;
const PAGE_BYTES = 65_536;
const LINKS_MAX = 256;

/** Receives what workers say about one statement. */
export interface StatementListener {
  message(worker: number, message: FromWorker): void;
  /** The worker ended and will say nothing more. */
  lost(worker: number, error: DbError): void;
}

export interface PoolOptions {
  readonly workers: Workers;
  readonly workerCount: number;
  readonly kernels: KernelChoice;
  /** Shared memory for frames; address space, used as needed. */
  readonly memoryBytes: number;
  /** Working memory of queries in blocks of 64 KiB, a power of two. */
  readonly workBlocks: number;
}

export class WorkerPool {
  readonly count: number;
  readonly frames: FrameStore;
  readonly blocks: BlockAllocator;
  private readonly blocksAt: number;
  private readonly links = new Map<string, (params: number, from: number, to: number) => number>();
  private readonly options: PoolOptions;
  private readonly handles: (WorkerHandle | null)[];
  private readonly listeners = new Map<number, StatementListener>();
  private nextStatement = 1;
  private isClosed = false;

  constructor(options: PoolOptions) {
    this.options = options;
    this.count = Math.max(1, Math.min(32, options.workerCount));
    this.blocksAt = RESERVED_BYTES + this.count * WORK_AREA_BYTES;
    const blockBytes = BlockAllocator.stateBytes(options.workBlocks) + options.workBlocks * BLOCK_BYTES;
    const areas = this.blocksAt + blockBytes;
    const pages = Math.min(65_535, Math.ceil((areas + options.memoryBytes) / PAGE_BYTES));
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.blocks = new BlockAllocator(memory, this.blocksAt, options.workBlocks);
    this.blocks.initialise();
    this.frames = new FrameStore({
      memory,
      start: areas,
      end: pages * PAGE_BYTES,
      kernels: chooseKernels(options.kernels).kernels,
    });
    this.handles = new Array(this.count).fill(null);
  }

  /** The code that links tuples of a store, for the main thread. */
  link(store: StoreSpec, variant: StoreVariant): (params: number, from: number, to: number) => number {
    const key = JSON.stringify([store.keys, store.kind, store.fields, variant]);
    let link = this.links.get(key);
    if (link === undefined) {
      const module = new WebAssembly.Module(compileLink(store, variant) as Uint8Array<ArrayBuffer>);
      const { exports } = new WebAssembly.Instance(module, { env: { memory: this.frames.memory } });
      link = exports.link as (params: number, from: number, to: number) => number;
      if (this.links.size >= LINKS_MAX) this.links.clear();
      this.links.set(key, link);
    }
    return link;
  }

  /** Registers a statement; its number goes into all messages. */
  open(listener: StatementListener): number {
    for (let worker = 0; worker < this.count; worker++) this.handles[worker] ??= this.spawn(worker);
    const statement = this.nextStatement++;
    this.listeners.set(statement, listener);
    return statement;
  }

  closeStatement(statement: number): void {
    this.listeners.delete(statement);
  }

  /** False when the worker has died since the statement began. */
  post(worker: number, message: ToWorker): boolean {
    const handle = this.handles[worker];
    if (handle === null || handle === undefined) return false;
    handle.post(message);
    return true;
  }

  /** Tells a worker about frames it does not know yet, and about those given up. */
  shareFrames(worker: number, frames: readonly Frame[]): void {
    const bit = 1 << worker;
    const add = frames.filter((frame) => (frame.knownBy & bit) === 0);
    for (const frame of add) frame.knownBy |= bit;
    if (add.length > 0) this.post(worker, { kind: 'frames', add: add.map((frame) => frame.info), drop: [] });
  }

  /** Lets workers forget frames that were evicted. */
  announceDropped(): void {
    const drop = this.frames.dropped;
    if (drop.length === 0) return;
    this.frames.dropped = [];
    for (let worker = 0; worker < this.count; worker++) this.post(worker, { kind: 'frames', add: [], drop });
  }

  wave(
    worker: number,
    statement: number,
    wave: number,
    morsels: readonly Morsel[],
    next: SharedArrayBuffer,
  ): boolean {
    return this.post(worker, { kind: 'wave', statement, wave, morsels, next });
  }

  async killForTest(worker: number): Promise<void> {
    await this.handles[worker]?.terminate();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(this.handles.map((handle) => handle?.terminate()));
    this.handles.fill(null);
  }

  private spawn(worker: number): WorkerHandle {
    const start: WorkerStart = {
      memory: this.frames.memory,
      area: RESERVED_BYTES + worker * WORK_AREA_BYTES,
      kernels: this.options.kernels,
      blocks: { at: this.blocksAt, count: this.options.workBlocks },
    };
    const handle = this.options.workers.spawn(new URL('./worker.ts', import.meta.url), {
      name: `pipeline-${worker}`,
      data: start,
    });
    handle.onMessage((received) => {
      const message = received as FromWorker;
      this.listeners.get(message.statement)?.message(worker, message);
    });
    handle.onExit((error) => {
      if (this.handles[worker] !== handle) return;
      this.handles[worker] = null;
      // A new worker at this place knows no frame.
      this.frames.forgetWorker(worker);
      if (this.isClosed) return;
      const failure = internalError(
        `pipeline worker ended unexpectedly: ${error?.message ?? 'no reason given'}`,
      );
      for (const listener of [...this.listeners.values()]) listener.lost(worker, failure);
    });
    handle.background();
    return handle;
  }
}
