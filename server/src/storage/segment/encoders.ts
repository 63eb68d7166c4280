/**
 * Encoding on threads of its own: a full segment costs some 40 ms of computing, which the main thread does not have.
 *
 * The columns are copied (three to ten megabytes, a few milliseconds) because readers go on using them, and the copies move to a worker; the
 * encoded and compressed payloads move back. Without workers, or when one dies, the main thread does it column by column and gives the
 * turn back in between.
 */
import type { Clock, WorkerHandle, Workers } from '../../env/contract.ts';
import type { ColumnVector, FixedValues } from '../../types/vector.ts';
import type { EncodedSegment, SegmentInput } from '../contract.ts';
import { encodeColumn } from './column-encode.ts';
import { beginSegment, sequenceVector } from './writer.ts';

/** To the worker. */
export interface EncodeRequest {
  readonly id: number;
  readonly input: SegmentInput;
}

/** From the worker. */
export interface EncodeReply {
  readonly id: number;
  readonly segment: EncodedSegment | null;
  /** Set when encoding threw: the main thread tries itself, so that the error has its own type there. */
  readonly failure: string | null;
}

interface Pending {
  readonly input: SegmentInput;
  resolve(segment: EncodedSegment): void;
  reject(error: unknown): void;
}

interface Thread {
  readonly handle: WorkerHandle;
  readonly pending: Map<number, Pending>;
}

export class SegmentEncoders {
  private readonly clock: Clock;
  private readonly threads: Thread[] = [];
  private nextId = 1;

  constructor(clock: Clock, workers: Workers | null, threadCount: number) {
    this.clock = clock;
    for (let number = 0; workers !== null && number < threadCount; number++) this.start(workers, number);
  }

  private start(workers: Workers, number: number): void {
    const handle = workers.spawn(new URL('./encode-worker.ts', import.meta.url), {
      name: `encoder ${number}`,
    });
    const thread: Thread = { handle, pending: new Map() };
    handle.onMessage((message) => this.onReply(thread, message as EncodeReply));
    handle.onExit(() => {
      const at = this.threads.indexOf(thread);
      if (at >= 0) this.threads.splice(at, 1);
      for (const pending of thread.pending.values())
        this.encodeHere(pending.input).then(pending.resolve, pending.reject);
      thread.pending.clear();
    });
    handle.background();
    this.threads.push(thread);
  }

  private onReply(thread: Thread, reply: EncodeReply): void {
    const pending = thread.pending.get(reply.id);
    if (pending === undefined) return;
    thread.pending.delete(reply.id);
    if (reply.segment !== null) pending.resolve(reply.segment);
    else this.encodeHere(pending.input).then(pending.resolve, pending.reject);
  }

  /** As `encodeSegment`, without holding the loop. The columns must not change until it resolves. */
  encode(input: SegmentInput): Promise<EncodedSegment> {
    let thread: Thread | undefined;
    for (const candidate of this.threads)
      if (thread === undefined || candidate.pending.size < thread.pending.size) thread = candidate;
    if (thread === undefined) return this.encodeHere(input);
    const chosen = thread;
    return new Promise((resolve, reject) => {
      const id = this.nextId++;
      chosen.pending.set(id, { input, resolve, reject });
      const transfer: ArrayBuffer[] = [];
      const columns = input.columns.map((column) => copyVector(column, transfer));
      const request: EncodeRequest = { id, input: { ...input, columns } };
      chosen.handle.post(request, transfer);
    });
  }

  private async encodeHere(input: SegmentInput): Promise<EncodedSegment> {
    const segment = beginSegment(input);
    const columns = [];
    for (const column of input.columns) {
      columns.push(encodeColumn(column));
      await this.clock.yieldToLoop();
    }
    columns.push(encodeColumn(sequenceVector(input.sequences, input.rowCount)));
    return { ...segment, columns };
  }

  async close(): Promise<void> {
    const threads = this.threads.splice(0);
    for (const { handle } of threads) await handle.terminate();
  }
}

/** An exact private copy (never a view of something larger, which would travel whole). */
function copyVector(column: ColumnVector, transfer: ArrayBuffer[]): ColumnVector {
  const own = <T extends FixedValues | Uint32Array>(view: T, length: number): T => {
    const copy = view.slice(0, length) as T;
    transfer.push(copy.buffer as ArrayBuffer);
    return copy;
  };
  const { count } = column;
  const offsets = column.offsets === null ? null : own(column.offsets, count + 1);
  return {
    physical: column.physical,
    count,
    values:
      column.values === null ? null : own(column.values, column.physical === 'bytes16' ? count * 16 : count),
    offsets,
    bytes: column.bytes === null || offsets === null ? null : own(column.bytes, offsets[count]!),
    validity: column.validity === null ? null : own(column.validity, (count + 7) >>> 3),
  };
}
