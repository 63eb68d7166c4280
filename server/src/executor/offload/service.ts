/**
 * Threads for expressions that would hold the event loop: a regular expression over a great text, a document of megabytes.
 *
 * Life    a thread is started when a job finds none idle and ends after some seconds without work (the last one after a minute), so
 *         that what a great value took is given back. More jobs than threads wait in line.
 * Cancel  looked for every few milliseconds while a job runs; its thread is ended, whatever it is doing.
 * Death   a thread that ends by itself (its heap is bounded) fails its job with 53200, nothing else.
 */
import { DbError, internalError } from '../../base/error.ts';
import { unpackError } from '../../base/error-transfer.ts';
import { WaitSignal } from '../../base/suspend.ts';
import type { Clock, Timer, WorkerHandle, Workers } from '../../env/contract.ts';
import type { Datum } from '../../types/datum.ts';
import type { FromWorker, Packed, PackedFormat, Shipment, ToWorker } from './messages.ts';
import { TEXT_PART } from './messages.ts';
import { pack, unpack } from './values.ts';

export interface OffloadSurroundings {
  readonly format: PackedFormat;
  readonly settings: Readonly<Record<string, string>>;
  readonly timestamps: readonly [transaction: bigint, statement: bigint];
}

export interface OffloadOptions {
  readonly workers: Workers;
  readonly clock: Clock;
  /** Default: as many as there are hardware threads, at most 4. */
  readonly threads?: number;
}

type Task =
  | {
      readonly kind: 'evaluate';
      readonly shipment: Shipment;
      readonly inputs: readonly Datum[];
      readonly surroundings: OffloadSurroundings;
      interrupt(): DbError | null;
    }
  | { readonly kind: 'parse'; readonly text: string; interrupt(): DbError | null };

type Outcome =
  | { readonly kind: 'value'; readonly value: Datum }
  | { readonly kind: 'error'; readonly error: DbError }
  | { readonly kind: 'refused' };

const POLL_MILLIS = 10;
const IDLE_MILLIS = 5000;
const IDLE_MILLIS_LAST = 60_000;
const HEAP_MEGABYTES = 4096;
/** Expressions nested some 50,000 deep end in 54001, as do jsonb values beyond their own limit. */
const STACK_MEGABYTES = 8;
/** Bytes that are copied at once before the loop turns. */
const COPY_BYTES = 1 << 22;

/** One evaluation elsewhere. */
export class OffloadJob {
  readonly task: Task;
  readonly settled: Promise<void>;
  outcome: Outcome | null = null;
  private resolve!: () => void;

  constructor(task: Task) {
    this.task = task;
    this.settled = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  settle(outcome: Outcome): void {
    if (this.outcome !== null) return;
    this.outcome = outcome;
    this.resolve();
  }

  /** The value; throws its error, or a wait while there is none. `undefined` = it has to be evaluated here. */
  take(): Datum | undefined {
    const { outcome } = this;
    if (outcome === null) throw new WaitSignal(this.settled);
    if (outcome.kind === 'error') throw outcome.error;
    return outcome.kind === 'value' ? outcome.value : undefined;
  }
}

class Thread {
  readonly handle: WorkerHandle;
  job: OffloadJob | null = null;
  idleTimer: Timer | undefined;
  /** A long result as it comes in. */
  text: { value: string; length: number } | null = null;
  constructor(handle: WorkerHandle) {
    this.handle = handle;
  }
  post(message: ToWorker): void {
    this.handle.post(message);
  }
}

export class OffloadService {
  private readonly options: OffloadOptions;
  private readonly threads = new Set<Thread>();
  private readonly waiting: OffloadJob[] = [];
  private readonly threadsMax: number;
  private poll: Timer | undefined;
  /** Jobs begun since the start, for tests. */
  started = 0;

  constructor(options: OffloadOptions) {
    this.options = options;
    this.threadsMax = options.threads ?? Math.max(1, Math.min(4, options.workers.hardwareThreads));
  }

  /** `interrupt` gives the error a cancelled statement must end with. */
  start(
    shipment: Shipment,
    inputs: readonly Datum[],
    surroundings: OffloadSurroundings,
    interrupt: () => DbError | null,
  ): OffloadJob {
    return this.begin({ kind: 'evaluate', shipment, inputs, surroundings, interrupt });
  }

  /** Parses a text that is long or deep; answers its trees as JSON, or throws the text's error. */
  async parse(text: string, interrupt: () => DbError | null): Promise<string> {
    const job = this.begin({ kind: 'parse', text, interrupt });
    await job.settled;
    return job.take() as string;
  }

  private begin(task: Task): OffloadJob {
    const job = new OffloadJob(task);
    this.started++;
    this.waiting.push(job);
    this.dispatch();
    this.watch();
    return job;
  }

  async close(): Promise<void> {
    this.options.clock.clearTimer(this.poll);
    const threads = [...this.threads];
    this.threads.clear();
    await Promise.all(
      threads.map((thread) => {
        this.options.clock.clearTimer(thread.idleTimer);
        return thread.handle.terminate();
      }),
    );
  }

  private dispatch(): void {
    while (this.waiting.length > 0) {
      let free: Thread | null = null;
      for (const thread of this.threads) if (thread.job === null) free = thread;
      if (free === null) {
        if (this.threads.size >= this.threadsMax) return;
        free = this.spawn();
      }
      const job = this.waiting.shift()!;
      this.options.clock.clearTimer(free.idleTimer);
      free.job = job;
      void this.send(free, job).catch((error: unknown) => {
        job.settle({ kind: 'error', error: error instanceof DbError ? error : internalError(String(error)) });
        this.discard(free);
      });
    }
  }

  private spawn(): Thread {
    const handle = this.options.workers.spawn(new URL('./worker.ts', import.meta.url), {
      name: 'expression',
      stackMegabytes: STACK_MEGABYTES,
      heapMegabytes: HEAP_MEGABYTES,
    });
    const thread = new Thread(handle);
    this.threads.add(thread);
    handle.onMessage((message) => this.receive(thread, message as FromWorker));
    handle.onExit((error) => {
      if (!this.threads.delete(thread)) return;
      const { job } = thread;
      const text = error?.message ?? '';
      job?.settle({
        kind: 'error',
        error: /memory/i.test(text)
          ? new DbError('out_of_memory', 'out of memory', {
              detail: 'The evaluation of an expression exceeded the memory of its thread.',
            })
          : internalError(`a thread that evaluates expressions ended: ${text}`),
      });
      this.dispatch();
    });
    handle.background();
    return thread;
  }

  /** Inputs in portions, so that a great one does not hold the loop. */
  private async send(thread: Thread, job: OffloadJob): Promise<void> {
    if (job.task.kind === 'parse') {
      const { text } = job.task;
      thread.post({
        kind: 'parse',
        text: text.length > TEXT_PART ? { kind: 'text', length: text.length } : text,
      });
      if (text.length > TEXT_PART) await this.sendText(thread, text);
      thread.post({ kind: 'start' });
      return;
    }
    const { shipment, inputs, surroundings } = job.task;
    const packed: Packed[] = [];
    for (let index = 0; index < inputs.length; index++) {
      const item = pack(inputs[index]!, shipment.inputTypes[index]!);
      // A view would take the whole buffer behind it along.
      packed.push(
        typeof item === 'object' && item !== null && item.kind !== 'text'
          ? {
              ...item,
              bytes:
                item.bytes.length > COPY_BYTES
                  ? await this.sharedCopy(item.bytes)
                  : new Uint8Array(item.bytes),
            }
          : item,
      );
    }
    const { format, settings, timestamps } = surroundings;
    thread.post({ kind: 'run', shipment, inputs: packed, format, settings, timestamps });
    for (let index = 0; index < packed.length; index++) {
      const item = packed[index]!;
      if (typeof item !== 'object' || item === null || item.kind !== 'text') continue;
      await this.sendText(thread, inputs[index] as string);
    }
    thread.post({ kind: 'start' });
  }

  private async sendText(thread: Thread, text: string): Promise<void> {
    for (let at = 0; at < text.length; at += TEXT_PART) {
      thread.post({ kind: 'part', text: text.slice(at, at + TEXT_PART) });
      await this.options.clock.yieldToLoop();
    }
  }

  private async sharedCopy(bytes: Uint8Array): Promise<Uint8Array> {
    const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
    for (let at = 0; at < bytes.length; at += COPY_BYTES) {
      copy.set(bytes.subarray(at, at + COPY_BYTES), at);
      await this.options.clock.yieldToLoop();
    }
    return copy;
  }

  private receive(thread: Thread, message: FromWorker): void {
    const { job } = thread;
    if (job === null) return;
    switch (message.kind) {
      case 'value': {
        const { value } = message;
        if (typeof value === 'object' && value !== null && value.kind === 'text') {
          thread.text = { value: '', length: value.length };
          thread.post({ kind: 'next' });
          return;
        }
        try {
          const typeOid = job.task.kind === 'parse' ? 0 : job.task.shipment.expr.typeOid;
          job.settle({ kind: 'value', value: unpack(value, typeOid, () => '') });
        } catch (error) {
          job.settle({
            kind: 'error',
            error: error instanceof DbError ? error : internalError(String(error)),
          });
        }
        break;
      }
      case 'part': {
        const text = thread.text!;
        text.value += message.text;
        if (text.value.length < text.length) {
          this.options.clock.nextTurn(() => thread.post({ kind: 'next' }));
          return;
        }
        thread.text = null;
        job.settle({ kind: 'value', value: text.value });
        break;
      }
      case 'error':
        job.settle({ kind: 'error', error: unpackError(message.error) });
        break;
      case 'refused':
        job.settle({ kind: 'refused' });
        break;
    }
    thread.job = null;
    const idleMillis = this.threads.size === 1 ? IDLE_MILLIS_LAST : IDLE_MILLIS;
    thread.idleTimer = this.options.clock.setTimer(() => this.discard(thread), idleMillis, {
      background: true,
    });
    this.dispatch();
  }

  private discard(thread: Thread): void {
    if (!this.threads.delete(thread)) return;
    void thread.handle.terminate();
    this.dispatch();
  }

  /** Looks for cancelled statements while there are jobs. */
  private watch(): void {
    if (this.poll !== undefined) return;
    this.poll = this.options.clock.setTimer(
      () => {
        this.poll = undefined;
        for (const thread of [...this.threads]) {
          const { job } = thread;
          const error = job?.task.interrupt() ?? null;
          if (job === null || error === null) continue;
          job.settle({ kind: 'error', error });
          this.discard(thread);
        }
        for (let index = this.waiting.length - 1; index >= 0; index--) {
          const job = this.waiting[index]!;
          const error = job.task.interrupt();
          if (error === null) continue;
          job.settle({ kind: 'error', error });
          this.waiting.splice(index, 1);
        }
        if (this.waiting.length > 0 || [...this.threads].some((thread) => thread.job !== null)) this.watch();
      },
      POLL_MILLIS,
      { background: true },
    );
  }
}
