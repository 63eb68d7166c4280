/**
 * One execution of a query, from the main thread: its pipelines one after the other, each on all workers.
 *
 * Per pipeline the frames are pinned, what it may compute is proved (`facts.ts`), the workers run it over the morsels, and the store it fills is finished:
 * tuples that will be probed get a directory, groups of several workers become one.
 *
 * Memory    everything the query makes lies in blocks of its number; they and the frames whose strings it refers to are given back by `release`,
 *           when the result has been read.
 * Cancel    as in `../job.ts`: the shared flag stops workers within a call; the promise settles after all have confirmed.
 */
import { internalError } from '../../../base/error.ts';
import type { Clock } from '../../../env/contract.ts';
import type { ParallelScan, TableSchema } from '../../../table/contract.ts';
import type { Frame } from '../frame-store.ts';
import { NotCompilable } from '../interval.ts';
import type { FromWorker } from '../messages.ts';
import { type Node, type ParamValue, walkNode } from '../spec.ts';
import type { WorkerPool } from '../worker-pool.ts';
import { BLOCK_BYTES, STATEMENT_WORDS, type StatementWords } from './blocks.ts';
import type { StoreVariant } from './emit-keys.ts';
import { mergeFacts, PipelineFacts } from './facts.ts';
import type { Chunk, Directory, FieldFacts, QueryPipeline, StoreSpec, StoreState } from './ir.ts';
import { tupleLayout, writeDirectory } from './layout.ts';
import { type LoadCounts, type LoadedRun, loadRuns } from './loader.ts';
import type { QueryAnswer, QueryMorsel, QueryTask } from './messages.ts';
import { combineSingles } from './single.ts';
import type { SortKeySpec } from './sort.ts';
import type { TranslatedQuery } from './translate.ts';

const SLICE_MICROS = 3000;
const INTERRUPT_MILLIS = 5;
/** Directories up to this size are cleared by the main thread itself. */
const CLEAR_BYTES_MAX = 128 * 1024;
const CLEAR_PART_BYTES = 1 << 20;
const MERGE_CELLS = 16_384;
/** Tuples up to which the main thread makes a directory itself: some 50 µs. */
const LINKED_HERE_MAX = 1000;
/** First rows of an order up to which each worker sorts its part; more are sorted by one. */
const PARTIAL_SORT_MAX = 10_000;
/** One call sorts them, so they bound how long a cancel waits. */
const SORTED_TUPLES_MAX = 1_000_000;
const DIRECT_CELLS_MAX = 1 << 24;

export interface QueryScanSource {
  readonly schema: TableSchema;
  readonly source: ParallelScan;
  /** Columns in the order in which its rest delivers them. */
  readonly order: readonly number[];
}

export interface QueryJobOptions {
  readonly pool: WorkerPool;
  readonly clock: Clock;
  readonly query: TranslatedQuery;
  readonly scans: readonly QueryScanSource[];
  readonly checkInterrupt: () => void;
  readonly native: boolean;
  /** Bytes of working memory that the query may have; null = what there is. */
  readonly budgetBytes: number | null;
  readonly instructionSet: string;
}

/** What one pipeline did, for EXPLAIN ANALYZE. */
export interface PipelineReport {
  readonly pipeline: number;
  readonly morsels: number;
  readonly rows: number;
  readonly elapsedMicros: number;
  readonly workerMicros: readonly number[];
}

export interface QueryStatistics {
  readonly instructionSet: string;
  readonly loads: LoadCounts;
  readonly pipelines: PipelineReport[];
  modules: number;
  compileMicros: number;
  elapsedMicros: number;
}

/** A finished store while its query lives. */
export interface QueryResult {
  readonly spec: StoreSpec;
  readonly state: StoreState;
  readonly memory: WebAssembly.Memory;
  /** Tuples in the order that was asked for, by worker: several lists are still to be merged. Null = not sorted. */
  readonly sorted: readonly Chunk[] | null;
}

type Work = QueryTask['work'];

/** How groups of a store are found. */
interface GroupVariant {
  readonly mode: 'direct' | 'hash';
  readonly keyNulls: boolean;
  readonly isBrief: boolean;
  readonly cells: number;
  readonly low: bigint;
}

/** A number among group keys with so many possible values tells most groups apart. */
const BRIEF_RANGE_MIN = 10_000n;

/** See the module comment. */
export class QueryJob {
  readonly statistics: QueryStatistics;
  private readonly options: QueryJobOptions;
  private readonly statement: number;
  private readonly control = new SharedArrayBuffer(STATEMENT_WORDS.bytes);
  private readonly words: StatementWords = new Int32Array(this.control);
  private readonly states: (StoreState | null)[];
  /** By store: what each worker has put into it. */
  private readonly answers: Map<number, QueryAnswer>[];
  private readonly facts: (FieldFacts[] | null)[];
  private readonly rows: number[];
  private readonly wide: (boolean[] | null)[];
  private readonly groupVariants: GroupVariant[] = [];
  private readonly kept: Frame[] = [];
  private params: ParamValue[] = [];
  private failure: unknown = null;
  private nextTask = 0;
  private waiting: {
    task: number;
    missing: Set<number>;
    answers: QueryAnswer[];
    resolve: () => void;
  } | null = null;
  private readonly lost = new Set<number>();
  private sliceStart = 0;
  private isReleased = false;
  private isRunning = true;

  constructor(options: QueryJobOptions) {
    this.options = options;
    const { stores } = options.query;
    const { budgetBytes } = options;
    this.words[STATEMENT_WORDS.most] = budgetBytes === null ? 2 ** 30 : Math.ceil(budgetBytes / BLOCK_BYTES);
    this.states = stores.map(() => null);
    this.answers = stores.map(() => new Map());
    this.facts = stores.map(() => null);
    this.rows = stores.map(() => 0);
    this.wide = stores.map(() => null);
    this.statistics = {
      instructionSet: options.instructionSet,
      loads: { skipped: 0, regions: 0, filled: 0, deltaRows: 0 },
      pipelines: [],
      modules: 0,
      compileMicros: 0,
      elapsedMicros: 0,
    };
    this.statement = options.pool.open({
      message: (worker, message) => this.receive(worker, message),
      lost: (worker, error) => {
        this.lost.add(worker);
        this.fail(error);
        this.settle(worker, null);
      },
    });
  }

  /** Asks the workers to stop; the promise of `run` then rejects with `error`. */
  cancel(error: unknown): void {
    this.fail(error);
  }

  /** Gives back all memory. After `run` has settled, or as soon as it does. */
  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    if (!this.isRunning) this.free();
  }

  private free(): void {
    const { pool } = this.options;
    for (const frame of this.kept.splice(0)) pool.frames.unpin(frame);
    pool.blocks.releaseAll(this.statement);
    for (let worker = 0; worker < pool.count; worker++)
      if (!this.lost.has(worker)) pool.post(worker, { kind: 'queryEnd', statement: this.statement });
    pool.closeStatement(this.statement);
    pool.announceDropped();
  }

  /** Rejects with the statement's error, or with NotCompilable when the row executor has to do it. */
  async run(): Promise<QueryResult> {
    const { clock, query, pool } = this.options;
    const start = clock.monotonicMicros();
    this.sliceStart = start;
    let timer = clock.setTimer(() => poll(), INTERRUPT_MILLIS, { background: true });
    const poll = (): void => {
      try {
        this.options.checkInterrupt();
      } catch (error) {
        this.fail(error);
        return;
      }
      timer = clock.setTimer(() => poll(), INTERRUPT_MILLIS, { background: true });
    };
    try {
      this.params = query.params.values.map((value) => {
        if (!(value instanceof Uint8Array)) return value;
        const reference = pool.frames.intern(value);
        if (reference === 0n) throw new NotCompilable('a long constant');
        return reference;
      });
      for (let index = 0; index < query.pipelines.length; index++) {
        await this.pipeline(index);
        const { sink } = query.pipelines[index]!;
        if (sink.kind !== 'none' && !this.isFilledLater(index, sink.store)) await this.complete(sink.store);
      }
      return {
        spec: query.stores[query.result]!,
        state: this.states[query.result]!,
        memory: pool.frames.memory,
        sorted: await this.sorted(),
      };
    } catch (error) {
      this.fail(error);
      throw this.failure;
    } finally {
      clock.clearTimer(timer);
      this.isRunning = false;
      if (this.failure !== null) this.isReleased = true;
      if (this.isReleased) this.free();
      this.statistics.elapsedMicros = clock.monotonicMicros() - start;
    }
  }

  /** Sorts the result on the workers where its keys admit it. */
  private async sorted(): Promise<readonly Chunk[] | null> {
    const { order, bound, result, stores } = this.options.query;
    const spec = stores[result]!;
    const state = this.states[result]!;
    if (order.length === 0 || bound === 0) return null;
    const keys = sortKeys(this.options.query, spec, state);
    if (keys === null) return null;
    const isPartial = bound !== null && bound <= PARTIAL_SORT_MAX;
    if (!isPartial && state.tuples > SORTED_TUPLES_MAX) throw new NotCompilable('many rows in an order');
    const work: Work = {
      kind: 'sort',
      store: spec,
      keys,
      chunks: state.chunks,
      bound: isPartial ? bound : Number.POSITIVE_INFINITY,
    };
    const answers = await this.onWorkers(work, isPartial ? state.chunks.length : 1);
    return answers.flatMap((answer) => (answer?.sorted ? [answer.sorted] : []));
  }

  private isFilledLater(index: number, store: number): boolean {
    return this.options.query.pipelines
      .slice(index + 1)
      .some(({ sink }) => sink.kind !== 'none' && sink.store === store);
  }

  private fail(error: unknown): void {
    this.failure ??= error;
    Atomics.store(this.words, STATEMENT_WORDS.stop, 1);
  }

  private throwFailure(): void {
    if (this.failure !== null) throw this.failure;
  }

  private async breathe(): Promise<void> {
    const { clock } = this.options;
    if (clock.monotonicMicros() - this.sliceStart < SLICE_MICROS) return;
    await clock.yieldToLoop();
    this.options.checkInterrupt();
    this.throwFailure();
    this.sliceStart = clock.monotonicMicros();
  }

  // ------------------------------------------------------------------------------------------------- workers

  private receive(worker: number, message: FromWorker): void {
    if (message.kind !== 'queryDone') return;
    if (message.refusal !== null) this.fail(new NotCompilable(message.refusal));
    else if (message.failure !== null) this.fail(internalError(`pipeline: ${message.failure}`));
    this.settle(worker, message);
  }

  private settle(worker: number, answer: QueryAnswer | null): void {
    const { waiting } = this;
    if (waiting === null || (answer !== null && answer.task !== waiting.task)) return;
    if (answer !== null) {
      waiting.answers[worker] = answer;
      this.statistics.modules += answer.statistics.modules;
      this.statistics.compileMicros += answer.statistics.compileMicros;
    }
    waiting.missing.delete(worker);
    if (waiting.missing.size === 0) waiting.resolve();
  }

  /** All workers do it; answers by worker. */
  private async onWorkers(
    work: Work,
    pieces = Number.POSITIVE_INFINITY,
  ): Promise<(QueryAnswer | undefined)[]> {
    const { pool, native } = this.options;
    this.throwFailure();
    const task = this.nextTask++;
    const answers: QueryAnswer[] = [];
    // A worker for which there is nothing to take is not woken.
    const count = Math.min(pool.count, Math.max(1, pieces));
    const missing = new Set(Array.from({ length: count }, (_, worker) => worker));
    const done = new Promise<void>((resolve) => {
      this.waiting = { task, missing, answers, resolve };
    });
    const message: QueryTask = {
      kind: 'query',
      statement: this.statement,
      task,
      control: this.control,
      next: new SharedArrayBuffer(4),
      native,
      work,
    };
    for (let worker = 0; worker < count; worker++)
      if (this.lost.has(worker) || !pool.post(worker, message)) this.settle(worker, null);
    await done;
    this.waiting = null;
    this.sliceStart = this.options.clock.monotonicMicros();
    this.throwFailure();
    return answers;
  }

  // ----------------------------------------------------------------------------------------------- pipelines

  private async pipeline(index: number): Promise<void> {
    const { pool, query, clock } = this.options;
    const start = clock.monotonicMicros();
    let pipeline = query.pipelines[index]!;
    const { source, sink } = pipeline;
    let runs: LoadedRun[] = [];
    const morsels: QueryMorsel[] = [];
    let sourceRows = 0;
    try {
      if (source.kind === 'scan') {
        const scan = this.options.scans[source.scan]!;
        runs = await loadRuns(
          {
            frames: pool.frames,
            schema: scan.schema,
            source: scan.source,
            columns: source.columns,
            order: scan.order,
            breathe: () => this.breathe(),
          },
          this.statistics.loads,
        );
        const byBytes = largeTests(pipeline, query.tests[index]!, runs);
        pipeline = withoutTests(pipeline, byBytes) as QueryPipeline;
        for (const run of runs) {
          const tests: Uint8Array[] = [];
          for (const [number, { column, test }] of query.tests[index]!.entries())
            if (byBytes.has(number)) tests.push(new Uint8Array(0));
            else
              tests.push(
                await this.testTable(run.frames[column]!, scan.schema, source.columns[column]!.column, test),
              );
          sourceRows += run.rowCount;
          morsels.push({
            frames: run.frames.map(({ info }) => info.id),
            rowCount: run.rowCount,
            mask: run.mask,
            tests,
            chunk: null,
          });
        }
      } else {
        const state = this.states[source.store]!;
        sourceRows = state.tuples;
        for (const chunk of state.chunks)
          morsels.push({ frames: [], rowCount: 0, mask: null, tests: [], chunk });
      }
      const columns = source.kind === 'scan' ? source.columns : [];
      const frames = columns.map((_, column) => runs.map((run) => run.frames[column]!.info));
      const facts = new PipelineFacts(pipeline, frames, this.states, this.params);
      const store = sink.kind === 'none' ? null : query.stores[sink.store]!;
      facts.check(store);
      const work = this.work(pipeline, store, facts, morsels, sourceRows);
      const all = runs.flatMap((run) => run.frames);
      for (let worker = 0; worker < pool.count; worker++) pool.shareFrames(worker, all);
      const answers = await this.onWorkers(work, morsels.length);
      const rows = answers.reduce((sum, answer) => sum + (answer?.rows ?? 0), 0);
      if (sink.kind !== 'none') {
        answers.forEach((answer, worker) => {
          if (answer !== undefined) this.answers[sink.store]!.set(worker, answer);
        });
        this.rows[sink.store]! += rows;
        this.learn(pipeline, sink.store, store!, facts);
      }
      this.statistics.pipelines.push({
        pipeline: index,
        morsels: morsels.length,
        rows,
        elapsedMicros: clock.monotonicMicros() - start,
        workerMicros: answers.map((answer) => answer?.statistics.busyMicros ?? 0),
      });
    } finally {
      // Strings that were stored are references into the frames.
      const keepsStrings = readsStrings(pipeline, sink.kind === 'none' ? null : query.stores[sink.store]!);
      for (const run of runs)
        for (const frame of run.frames) {
          const isText = frame.info.kind === 'text' || frame.info.kind === 'coded';
          if (isText && keepsStrings && this.failure === null) this.kept.push(frame);
          else pool.frames.unpin(frame);
        }
    }
  }

  /** A string test over the entries of a dictionary: 0 false, 1 true, 2 NULL. */
  private async testTable(
    frame: Frame,
    schema: TableSchema,
    column: number,
    test: TranslatedQuery['tests'][number][number]['test'],
  ): Promise<Uint8Array> {
    const { support } = schema.columns[column]!;
    const entries = frame.entries ?? [];
    const table = new Uint8Array(entries.length);
    for (let code = 0; code < entries.length; code++) {
      const truth = test(support.decode!(entries[code]!));
      table[code] = truth === null ? 2 : truth === true ? 1 : 0;
      if (code % 256 === 255) await this.breathe();
    }
    return table;
  }

  private work(
    pipeline: QueryPipeline,
    store: StoreSpec | null,
    facts: PipelineFacts,
    morsels: readonly QueryMorsel[],
    sourceRows: number,
  ): Work {
    const { query } = this.options;
    const { sink, steps, source } = pipeline;
    const stores: Record<number, StoreVariant> = {};
    const directories: Record<number, Directory> = {};
    const variantOf = (number: number): StoreVariant => {
      const state = this.states[number]!;
      return {
        mode: state.directory?.mode ?? 'hash',
        hasFilter: (state.directory?.filter ?? 0) !== 0,
        isUnique: state.isUnique,
        nullable: state.fields.map(({ nullable }) => nullable),
      };
    };
    if (source.kind === 'store') stores[source.store] = variantOf(source.store);
    let most = sourceRows;
    for (const step of steps) {
      if (step.kind !== 'probe') continue;
      stores[step.store] = variantOf(step.store);
      const state = this.states[step.store]!;
      directories[step.store] = state.directory!;
      if (!state.isUnique && (step.join === 'inner' || step.join === 'left'))
        most *= Math.max(1, state.tuples);
    }
    let group: GroupVariant = { mode: 'hash', keyNulls: false, isBrief: false, cells: 0, low: 0n };
    let wide: boolean[] = [];
    if (sink.kind === 'groups') {
      this.groupVariants[sink.store] ??= this.groupVariant(sink.keys, facts, sourceRows);
      group = this.groupVariants[sink.store]!;
      this.wide[sink.store] ??= facts.wideSums(store!, most);
      wide = this.wide[sink.store]!;
    }
    return {
      kind: 'run',
      pipeline,
      hasCalls: callsFunctions(pipeline, store),
      stores: query.stores,
      variant: { stores, sinkMode: group.mode, keyNulls: group.keyNulls, isBrief: group.isBrief, wide },
      params: this.params,
      directories,
      morsels,
      cells: group.cells,
      low: group.low,
    };
  }

  private groupVariant(keys: readonly Node[], facts: PipelineFacts, sourceRows: number): GroupVariant {
    const keyNulls = keys.some((key) => facts.isNullable(key));
    const [key] = keys;
    if (keys.length === 1 && key!.type.kind !== 'string') {
      const { low, high } = facts.interval(key!);
      const cells = high - low + 2n;
      if (cells <= BigInt(Math.min(DIRECT_CELLS_MAX, Math.max(4096, sourceRows * 2))))
        return { mode: 'direct', keyNulls, isBrief: false, cells: Number(cells), low };
    }
    const isBrief = keys.some((one) => {
      if (one.type.kind === 'string') return false;
      const { low, high } = facts.interval(one);
      return high - low >= BRIEF_RANGE_MIN;
    });
    return { mode: 'hash', keyNulls, isBrief, cells: 0, low: 0n };
  }

  /** What is now known of the fields of a store. */
  private learn(pipeline: QueryPipeline, store: number, spec: StoreSpec, facts: PipelineFacts): void {
    const { sink } = pipeline;
    let found: FieldFacts[];
    if (sink.kind === 'tuples') found = sink.values.map((value) => facts.of(value));
    else if (sink.kind === 'groups')
      found = [...sink.keys.map((key) => facts.of(key)), ...facts.accumulated(spec, this.rows[store]!)];
    else return;
    const known = this.facts[store];
    this.facts[store] =
      known === null || known === undefined
        ? found
        : known.map((fact, index) => mergeFacts(fact, found[index]!));
  }

  // -------------------------------------------------------------------------------------------------- stores

  private async complete(store: number): Promise<void> {
    const spec = this.options.query.stores[store]!;
    const { bytes } = tupleLayout(spec);
    if (spec.kind === 'groups') await this.mergeGroups(store, spec);
    const chunks: Chunk[] = [];
    let tuples = 0;
    for (const answer of this.answers[store]!.values())
      for (const chunk of answer.chunks) {
        if (chunk.bytes === 0) continue;
        chunks.push(chunk);
        tuples += chunk.bytes / bytes;
      }
    const fields = this.facts[store]!;
    const state: StoreState = { chunks, tuples, fields, directory: null, isUnique: spec.kind === 'groups' };
    this.states[store] = state;
    if (spec.kind === 'tuples' && spec.keys > 0) this.states[store] = await this.link(spec, state);
  }

  private async mergeGroups(store: number, spec: StoreSpec): Promise<void> {
    const { pool } = this.options;
    const answers = this.answers[store]!;
    const filled = (): [number, QueryAnswer][] =>
      [...answers].filter(
        ([, answer]) => answer.directory !== 0 && answer.chunks.some(({ bytes }) => bytes > 0),
      );
    if (spec.keys === 0) {
      combineSingles(
        spec,
        pool.frames.memory,
        filled().map(([, { directory }]) => directory),
        this.wide[store]!,
      );
      return;
    }
    if (filled().length <= 1) return;
    const cells = Math.max(...filled().map(([, answer]) => answer.cells));
    if (filled().some(([, answer]) => answer.cells !== cells)) {
      const resized = await this.onWorkers({ kind: 'resize', store, cells });
      resized.forEach((answer, worker) => {
        const before = answers.get(worker);
        if (answer === undefined || before === undefined || answer.directory === 0) return;
        answers.set(worker, { ...before, directory: answer.directory, cells: answer.cells });
      });
    }
    const [into, ...others] = filled().map(([, { directory }]) => directory);
    const parts: [number, number][] = [];
    for (let from = 0; from < cells; from += MERGE_CELLS)
      parts.push([from, Math.min(cells, from + MERGE_CELLS)]);
    await this.onWorkers({ kind: 'merge', store, into: into!, others, parts });
  }

  private async link(spec: StoreSpec, state: StoreState): Promise<StoreState> {
    const { pool } = this.options;
    const { tuples } = state;
    const [key] = state.fields;
    let directory: Directory | null = null;
    if (spec.keys === 1 && spec.fields[0]!.type.kind !== 'string') {
      const { low, high } = key!.bounds ?? { low: 0n, high: 0n };
      const range = high - low + 1n;
      if (range <= BigInt(Math.min(DIRECT_CELLS_MAX, Math.max(65_536, tuples * 8)))) {
        const cells = Number(range);
        const filterWords = tuples * 2 < cells ? Math.ceil(cells / 32) : 0;
        directory = { mode: 'direct', address: 0, cells, low, filter: 0, filterWords };
      }
    }
    if (directory === null) {
      let cells = 1024;
      while (cells < tuples * 2) cells *= 2;
      directory = {
        mode: 'hash',
        address: 0,
        cells,
        low: 0n,
        filter: 0,
        filterWords: cells / 4,
      };
    }
    const directoryBytes = directory.cells * 4;
    const size = directoryBytes + directory.filterWords * 4;
    const address = pool.blocks.allocate(size, this.statement, this.words);
    directory = {
      ...directory,
      address,
      filter: directory.filterWords > 0 ? address + directoryBytes : 0,
    };
    if (size <= CLEAR_BYTES_MAX) new Uint8Array(pool.frames.memory.buffer, address, size).fill(0);
    else {
      const ranges: Chunk[] = [];
      for (let at = 0; at < size; at += CLEAR_PART_BYTES)
        ranges.push({ address: address + at, bytes: Math.min(CLEAR_PART_BYTES, size - at) });
      await this.onWorkers({ kind: 'clear', ranges }, ranges.length);
    }
    const linked: StoreState = { ...state, directory };
    if (tuples === 0) return { ...linked, isUnique: true };
    const variant: StoreVariant = {
      mode: directory.mode,
      hasFilter: directory.filter !== 0,
      isUnique: false,
      nullable: state.fields.map(({ nullable }) => nullable),
    };
    // Waking a worker takes longer than a few tuples.
    if (tuples <= LINKED_HERE_MAX)
      return { ...linked, isUnique: !this.linkHere(spec, variant, directory, state.chunks) };
    const answers = await this.onWorkers(
      {
        kind: 'link',
        store: spec,
        variant,
        directory,
        chunks: state.chunks,
      },
      state.chunks.length,
    );
    return { ...linked, isUnique: answers.every((answer) => answer?.duplicates !== true) };
  }

  /** Puts few tuples into their directory on this thread; true when two have the same key. */
  private linkHere(
    spec: StoreSpec,
    variant: StoreVariant,
    directory: Directory,
    chunks: readonly Chunk[],
  ): boolean {
    const { pool } = this.options;
    const link = pool.link(spec, variant);
    const area = pool.blocks.allocate(1, this.statement, this.words);
    writeDirectory(new DataView(pool.frames.memory.buffer), area, 0, directory);
    let duplicates = 0;
    for (const { address, bytes } of chunks) duplicates |= link(area, address, address + bytes);
    return duplicates !== 0;
  }
}

/** The order as a module can compute it; null when a key is no plain field. */
function sortKeys(query: TranslatedQuery, spec: StoreSpec, state: StoreState): SortKeySpec[] | null {
  const { offsets } = tupleLayout(spec);
  const keys: SortKeySpec[] = [];
  for (const { column, key } of query.order) {
    const place = query.columns[column]!;
    if (place.kind !== 'field') return null;
    const { type, countedBy } = spec.fields[place.field]!;
    const { bounds, nullable } = state.fields[place.field]!;
    let kind: SortKeySpec['kind'] = 'integer';
    if (type.kind === 'float') kind = 'float';
    else if (type.kind === 'string') {
      if (place.typeOid === 1042) kind = 'char';
      else if (place.typeOid === 25 || place.typeOid === 1043) kind = 'text';
      else return null;
    } else if (bounds !== null && (bounds.low < -(1n << 63n) || bounds.high >= 1n << 63n)) return null;
    keys.push({
      offset: offsets[place.field]!,
      kind,
      nullBit: countedBy < 0 && nullable ? place.field : -1,
      countOffset: countedBy < 0 ? -1 : offsets[countedBy]!,
      descending: key.descending,
      nullsFirst: key.nullsFirst,
    });
  }
  return keys;
}

/** Tests of so many dictionary entries take longer than reading the bytes of each row. */
const TESTED_ENTRIES_MAX = 512;

/** Tests that are decided by the bytes of each row: they can be, and some dictionary is large. */
function largeTests(
  pipeline: QueryPipeline,
  tests: TranslatedQuery['tests'][number],
  runs: readonly LoadedRun[],
): Set<number> {
  const large = new Set<number>();
  if (tests.length === 0) return large;
  const decidable = new Set<number>();
  eachTest(pipeline, (test, otherwise) => {
    if (otherwise !== undefined) decidable.add(test);
  });
  tests.forEach(({ column }, test) => {
    const most = runs.reduce((size, run) => Math.max(size, run.frames[column]!.entries?.length ?? 0), 0);
    if (decidable.has(test) && most > TESTED_ENTRIES_MAX) large.add(test);
  });
  return large;
}

function eachTest(value: unknown, visit: (test: number, otherwise: unknown) => void): void {
  if (value === null || typeof value !== 'object') return;
  const node = value as { op?: string; test?: number; otherwise?: unknown };
  if (node.op === 'stringTest') visit(node.test!, node.otherwise);
  for (const part of Object.values(value)) eachTest(part, visit);
}

/** A copy with what tests of bytes say in place of the tests. */
function withoutTests(value: unknown, tests: ReadonlySet<number>): unknown {
  if (tests.size === 0 || value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((part) => withoutTests(part, tests));
  const node = value as { op?: string; test?: number; otherwise?: unknown };
  if (node.op === 'stringTest' && tests.has(node.test!)) return withoutTests(node.otherwise, tests);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withoutTests(part, tests)]));
}

/** Whether some expression of a pipeline is a call. */
function callsFunctions(pipeline: QueryPipeline, store: StoreSpec | null): boolean {
  return JSON.stringify([pipeline, store?.accumulators], (_, part: unknown) =>
    typeof part === 'bigint' ? 0 : part,
  ).includes('"op":"call"');
}

/** Whether what a pipeline stores refers to strings of its frames. */
function readsStrings(pipeline: QueryPipeline, store: StoreSpec | null): boolean {
  if (store === null) return false;
  const { sink } = pipeline;
  const extremes = store.accumulators.flatMap(({ op, arg }) =>
    arg !== null && op !== 'count' && arg.type.kind === 'string' ? [arg] : [],
  );
  const values =
    sink.kind === 'tuples' ? sink.values : sink.kind === 'groups' ? [...sink.keys, ...extremes] : [];
  let found = false;
  for (const value of values)
    walkNode(value, (part) => {
      if (part.op === 'stringRef') found = true;
    });
  return found;
}
