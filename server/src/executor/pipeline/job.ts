/**
 * One execution of a pipeline, from the main thread.
 *
 * 1. Regions of the table that zone maps cannot exclude get their frames: from the cache, else decoded now, in slices.
 * 2. Morsels go to the workers in waves as they become ready; a wave pins its frames until every worker has confirmed it.
 * 3. Rows of the delta become morsels of their own.
 * 4. The workers hand over their groups, so many a message as the main thread merges within a slice.
 *
 * Cancel    the interrupt of the statement is looked at every few milliseconds and in every slice; workers look at the shared flag in every call
 *           (2,048 rows). The promise settles only after all workers have confirmed, so that nothing is freed under them.
 */
import { assert, internalError } from '../../base/error.ts';
import { WaitSignal } from '../../base/suspend.ts';
import type { Clock } from '../../env/contract.ts';
import type { ParallelScan, RegionDictionary, RegionView, TableSchema } from '../../table/contract.ts';
import type { Datum } from '../../types/datum.ts';
import type { ColumnVector } from '../../types/vector.ts';
import { toDatum } from './finalize.ts';
import { type Frame, NoRoom } from './frame-store.ts';
import { NotCompilable } from './interval.ts';
import {
  emptyStatistics,
  type FromWorker,
  type Morsel,
  type PartialGroup,
  type WorkerStatistics,
} from './messages.ts';
import { REST_ROWS, RestBatch, vectorOf } from './rest-batch.ts';
import { mergeValues } from './runner.ts';
import type { Fragment } from './translate.ts';
import type { WorkerPool } from './worker-pool.ts';

/** Length of a slice of the main thread. */
const SLICE_MICROS = 3000;
const INTERRUPT_MILLIS = 5;
const DELTA_ROWS_MAX = 2 ** 32;
/** Morsels that are handed out at the latest when so many are ready. */
const WAVE_MORSELS = 32;
/** Regions whose blocks are read at the same time. */
const LANES = 4;

/** What a pipeline did, for EXPLAIN ANALYZE. */
export interface PipelineStatistics {
  workers: WorkerStatistics[];
  instructionSet: string;
  segmentsTotal: number;
  segmentsSkipped: number;
  deltaRows: number;
  framesFilled: number;
  elapsedMicros: number;
}

/** A group with its key as SQL values. */
export interface Group {
  readonly keys: readonly Datum[];
  readonly values: (bigint | number)[];
}

export interface JobOptions {
  readonly pool: WorkerPool;
  readonly clock: Clock;
  readonly fragment: Fragment;
  readonly schema: TableSchema;
  readonly source: ParallelScan;
  /** Throws the statement's error when it has to end. */
  readonly checkInterrupt: () => void;
  /** False = the addon's kernels are not wanted. */
  readonly native: boolean;
  readonly instructionSet: string;
}

interface Wave {
  readonly frames: readonly Frame[];
  readonly waiting: Set<number>;
}

/** See the module comment. */
export class PipelineJob {
  readonly statistics: PipelineStatistics;
  private readonly options: JobOptions;
  private readonly control = new SharedArrayBuffer(4);
  private readonly statement: number;
  private readonly waves = new Map<number, Wave>();
  private nextWave = 0;
  private ready: { morsel: Morsel; frames: Frame[] }[] = [];
  private sliceStart = 0;
  private failure: unknown = null;
  /** Workers that have handed over all their groups. */
  private readonly finished = new Set<number>();
  private readonly groups = new Map<string, Group>();
  private readonly decoded = new Map<string, { datum: Datum; key: string }>();
  private readonly waiting: (() => void)[] = [];
  /** Workers that died under this statement. */
  private readonly lost = new Set<number>();

  constructor(options: JobOptions) {
    this.options = options;
    this.statistics = {
      workers: [],
      instructionSet: options.instructionSet,
      segmentsTotal: options.source.regions.length,
      segmentsSkipped: 0,
      deltaRows: 0,
      framesFilled: 0,
      elapsedMicros: 0,
    };
    this.statement = options.pool.open({
      message: (worker, message) => this.receive(worker, message),
      lost: (worker, error) => {
        this.lost.add(worker);
        this.fail(error);
        for (const [number, wave] of this.waves) this.confirm(number, wave, worker);
        this.finished.add(worker);
        this.wake();
      },
    });
  }

  /** Asks the workers to stop; the promise of `run` then rejects with `error`. */
  cancel(error: unknown): void {
    this.fail(error);
  }

  /** Rejects with the statement's error, or with NotCompilable when the row executor has to do it. */
  async run(): Promise<Group[]> {
    const { pool, clock, fragment } = this.options;
    const start = clock.monotonicMicros();
    let timer = clock.setTimer(() => this.poll(), INTERRUPT_MILLIS, { background: true });
    this.poll = () => {
      try {
        this.options.checkInterrupt();
      } catch (error) {
        this.fail(error);
        return;
      }
      timer = clock.setTimer(() => this.poll(), INTERRUPT_MILLIS, { background: true });
    };
    try {
      for (let worker = 0; worker < pool.count; worker++) {
        pool.post(worker, {
          kind: 'start',
          statement: this.statement,
          spec: fragment.spec,
          params: fragment.params,
          control: this.control,
          rowsMax: this.rowsMax(),
          native: this.options.native,
        });
      }
      try {
        await this.produce();
      } catch (error) {
        this.fail(error);
      }
      for (const { frames } of this.ready) for (const frame of frames) pool.frames.unpin(frame);
      this.ready = [];
      await this.until(() => this.waves.size === 0);
      for (let worker = 0; worker < pool.count; worker++) {
        if (!this.lost.has(worker)) pool.post(worker, { kind: 'finish', statement: this.statement });
      }
      await this.until(() => this.finished.size === pool.count);
      if (this.failure !== null) throw this.failure;
      return [...this.groups.values()];
    } finally {
      clock.clearTimer(timer);
      pool.closeStatement(this.statement);
      pool.announceDropped();
      this.statistics.elapsedMicros = clock.monotonicMicros() - start;
    }
  }

  /** Rows of the delta are not counted beforehand: a bound no delta reaches. */
  private rowsMax(): number {
    return this.options.source.regions.reduce((sum, region) => sum + region.rowCount, DELTA_ROWS_MAX);
  }

  private poll: () => void = () => {};

  private fail(error: unknown): void {
    this.failure ??= error;
    Atomics.store(new Int32Array(this.control), 0, 1);
    this.wake();
  }

  private receive(worker: number, message: FromWorker): void {
    if (message.kind === 'queryDone') return;
    if (message.kind === 'result') {
      if (this.failure === null) this.mergeGroups(message.groups);
      // Also after a failure: a stopped worker answers with nothing more and forgets the statement.
      if (message.more) this.options.pool.post(worker, { kind: 'finish', statement: this.statement });
      else {
        this.finished.add(worker);
        this.statistics.workers.push(message.statistics);
      }
    } else {
      if (message.kind === 'refused') this.fail(new NotCompilable(message.reason));
      else if (message.kind === 'failed') this.fail(internalError(`pipeline: ${message.message}`));
      const wave = this.waves.get(message.wave);
      if (wave !== undefined) this.confirm(message.wave, wave, worker);
    }
    this.wake();
  }

  private confirm(number: number, wave: Wave, worker: number): void {
    wave.waiting.delete(worker);
    if (wave.waiting.size > 0) return;
    this.waves.delete(number);
    for (const frame of wave.frames) this.options.pool.frames.unpin(frame);
  }

  private async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
      });
    }
  }

  /** Something changed: whoever waits looks again. */
  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  // ------------------------------------------------------------------------------------------------- producing

  private async produce(): Promise<void> {
    const { clock, source, fragment, schema } = this.options;
    this.sliceStart = clock.monotonicMicros();
    // Lanes read blocks side by side; decoding itself takes turns on this thread.
    const regions = source.regions.values();
    await Promise.all(Array.from({ length: LANES }, (_, lane) => this.lane(regions, lane)));
    const supports = fragment.spec.columns.map(({ column }) => schema.columns[column]!.support);
    const frame: Datum[] = [];
    let batch = new RestBatch(fragment.spec.columns, supports);
    for (;;) {
      if (this.failure !== null) return;
      const found = await this.attempt(() => source.rest.next(frame));
      if (found) {
        batch.add(frame);
        if (batch.count % 256 === 0) await this.breathe();
      }
      if (batch.count === REST_ROWS || (!found && batch.count > 0)) {
        this.statistics.deltaRows += batch.count;
        const frames: Frame[] = [];
        try {
          for (let index = 0; index < supports.length; index++)
            frames.push(await this.fill(null, index, batch.vector(index)));
        } catch (error) {
          for (const frame of frames) this.options.pool.frames.unpin(frame);
          throw error;
        }
        await this.enqueue(frames, batch.count, null);
        batch = new RestBatch(fragment.spec.columns, supports);
      }
      if (!found) break;
    }
    this.dispatch();
  }

  /** Takes region after region; the first lane always, others while there is room to spare. Never rejects: failures are the job's. */
  private async lane(regions: Iterator<RegionView>, lane: number): Promise<void> {
    const { pool } = this.options;
    try {
      while (this.failure === null && (lane === 0 || pool.frames.isRoomy)) {
        const next = regions.next();
        if (next.done === true) return;
        const region = next.value;
        if (region.canSkip()) {
          this.statistics.segmentsSkipped++;
          continue;
        }
        const frames = await this.framesOf(region);
        await this.enqueue(frames, region.rowCount, region.mask);
        await this.breathe();
      }
    } catch (error) {
      this.fail(error);
    }
  }

  /** Repeats an action after its waits for blocks. */
  private async attempt<T>(action: () => T): Promise<T> {
    for (;;) {
      try {
        return action();
      } catch (thrown) {
        if (!(thrown instanceof WaitSignal)) throw thrown;
        this.dispatch();
        await thrown.promise;
      }
    }
  }

  private async framesOf(region: RegionView): Promise<Frame[]> {
    const { pool, fragment } = this.options;
    const frames: Frame[] = [];
    try {
      for (let index = 0; index < fragment.spec.columns.length; index++) {
        const { column } = fragment.spec.columns[index]!;
        const cached = pool.frames.find(region.key, region.rowCount, column);
        if (cached === null) pool.frames.expectDictionary(region.key, column);
        frames.push(cached ?? (await this.decodeFrame(region, index)));
        if (cached === null) await this.breathe();
      }
    } catch (error) {
      for (const frame of frames) pool.frames.unpin(frame);
      throw error;
    }
    return frames;
  }

  private async decodeFrame(region: RegionView, index: number): Promise<Frame> {
    const { fragment, schema } = this.options;
    const { column } = fragment.spec.columns[index]!;
    if (column >= region.columnCount) {
      const { missingValue, support } = schema.columns[column]!;
      const values = new Array<Datum>(region.rowCount).fill(missingValue);
      return this.fill(region.key, index, vectorOf(values, fragment.spec.columns[index]!, support));
    }
    const vector: ColumnVector = {
      physical: 'bool',
      count: 0,
      values: null,
      offsets: null,
      bytes: null,
      validity: null,
    };
    const dictionary = await this.attempt(() => region.readDictionary?.(column) ?? null);
    if (dictionary === null) {
      await this.attempt(() => region.readColumn(column, vector));
      return this.fill(region.key, index, vector);
    }
    const coded = {
      ...vector,
      physical: 'varlen' as const,
      count: region.rowCount,
      validity: dictionary.validity,
    };
    return this.fill(region.key, index, coded, dictionary);
  }

  /** Makes a frame; when the memory is full it waits for waves. */
  private async fill(
    region: object | null,
    index: number,
    vector: ColumnVector,
    dictionary: RegionDictionary | null = null,
  ): Promise<Frame> {
    const { pool, fragment } = this.options;
    for (;;) {
      try {
        const frame = pool.frames.fill(region, fragment.spec.columns[index]!, vector, dictionary);
        this.statistics.framesFilled++;
        return frame;
      } catch (thrown) {
        if (thrown instanceof NoRoom) {
          this.dispatch();
          if (this.waves.size > 0 && this.failure === null) {
            const before = this.waves.size;
            await this.until(() => this.waves.size < before || this.failure !== null);
            continue;
          }
        }
        if (thrown instanceof NoRoom) throw new NotCompilable('no room in the shared memory');
        throw thrown;
      }
    }
  }

  private async enqueue(frames: Frame[], rowCount: number, mask: Uint8Array | null): Promise<void> {
    const { fragment } = this.options;
    const tests: Uint8Array[] = [];
    try {
      for (const { column, test } of fragment.stringTests)
        tests.push(await this.testTable(frames[column]!, column, test));
    } catch (error) {
      for (const frame of frames) this.options.pool.frames.unpin(frame);
      throw error;
    }
    this.ready.push({
      morsel: { frames: frames.map((frame) => frame.info.id), rowCount, mask, tests },
      frames,
    });
    if (this.ready.length >= WAVE_MORSELS) this.dispatch();
  }

  /** A string test over the entries of a dictionary: 0 false, 1 true, 2 NULL. */
  private async testTable(frame: Frame, column: number, test: (value: Datum) => Datum): Promise<Uint8Array> {
    const { fragment, schema } = this.options;
    const { support } = schema.columns[fragment.spec.columns[column]!.column]!;
    const entries = frame.info.dictionary ?? [];
    const table = new Uint8Array(entries.length);
    for (let code = 0; code < entries.length; code++) {
      const truth = test(support.decode!(entries[code]!));
      table[code] = truth === null ? 2 : truth === true ? 1 : 0;
      if (code % 256 === 255) await this.breathe();
    }
    return table;
  }

  /** Gives the loop back when the slice is used up. */
  private async breathe(): Promise<void> {
    const { clock } = this.options;
    if (clock.monotonicMicros() - this.sliceStart < SLICE_MICROS) return;
    this.dispatch();
    await clock.yieldToLoop();
    this.options.checkInterrupt();
    this.sliceStart = clock.monotonicMicros();
  }

  /** Hands what is ready to the workers. */
  private dispatch(): void {
    const { pool } = this.options;
    if (this.ready.length === 0) return;
    const morsels = this.ready.map(({ morsel }) => morsel);
    const frames = this.ready.flatMap((item) => item.frames);
    this.ready = [];
    const number = this.nextWave++;
    const wave: Wave = { frames, waiting: new Set() };
    this.waves.set(number, wave);
    const next = new SharedArrayBuffer(4);
    pool.announceDropped();
    for (let worker = 0; worker < pool.count; worker++) {
      if (this.lost.has(worker)) continue;
      pool.shareFrames(worker, frames);
      if (pool.wave(worker, this.statement, number, morsels, next)) wave.waiting.add(worker);
    }
    if (wave.waiting.size === 0) {
      this.waves.delete(number);
      for (const frame of frames) pool.frames.unpin(frame);
    }
  }

  // --------------------------------------------------------------------------------------------------- merging

  /** Adds one message's groups. */
  private mergeGroups(partial: readonly PartialGroup[]): void {
    const { fragment } = this.options;
    for (const { keys, values } of partial) {
      let text = '';
      const datums = keys.map((key, index): Datum => {
        if (key === null) {
          text += 'n;';
          return null;
        }
        if (typeof key === 'bigint') {
          text += `${key};`;
          return toDatum(key, fragment.groups[index]!.type, fragment.groups[index]!.typeOid);
        }
        const entry = this.decode(key, index);
        text += entry.key;
        return entry.datum;
      });
      const known = this.groups.get(text);
      if (known === undefined) this.groups.set(text, { keys: datums, values: [...values] });
      else mergeValues(fragment.spec, known.values, values);
    }
  }

  /** A string key: its value, and a text that equal values share. */
  private decode(bytes: Uint8Array, index: number): { datum: Datum; key: string } {
    const text = `${index}:${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')}`;
    let entry = this.decoded.get(text);
    if (entry === undefined) {
      const { fragment, schema } = this.options;
      const node = fragment.spec.groups[index]!;
      assert(node.op === 'column', 'a string key that is no column');
      const { support } = schema.columns[fragment.spec.columns[node.column]!.column]!;
      const datum = support.decode!(bytes);
      const hashKey = String(support.hashKey(datum));
      entry = { datum, key: `${hashKey.length}:${hashKey};` };
      this.decoded.set(text, entry);
    }
    return entry;
  }
}

/** Sum over the workers. */
export function totalStatistics(statistics: PipelineStatistics): WorkerStatistics {
  const total = emptyStatistics();
  for (const one of statistics.workers) {
    for (const name of Object.keys(total) as (keyof WorkerStatistics)[]) total[name] += one[name];
  }
  return total;
}
