/**
 * What a worker does for queries: takes morsels of tasks and runs their code over them.
 *
 * The worker keeps, per statement and store, where its tuples are: the chunk it fills and those it has filled, and for groups its own directory, which
 * grows with them. All of it lies in blocks that the statement owns and the main thread gives back at its end.
 */
import { assert } from '../../../base/error.ts';
import { NotCompilable } from '../interval.ts';
import { BITMAP_OFFSET, CALL_WORDS, DYNAMIC_OFFSET, MORSEL_ROWS, PARAM } from '../layout.ts';
import { type FilterPlan, filterMorsel, planFilters } from '../morsel-filter.ts';
import type { MorselRunner } from '../runner.ts';
import { initialBits } from '../variant.ts';
import { BLOCK_BYTES, type BlockAllocator, type StatementWords } from './blocks.ts';
import type { CallSites } from './calls.ts';
import { compileQueryPipeline } from './emit.ts';
import type { QueryVariant } from './emit-keys.ts';
import { compileLink } from './emit-link.ts';
import type { Chunk, StoreSpec } from './ir.ts';
import { isWideField, QUERY_PARAM, tupleLayout, writeDirectory } from './layout.ts';
import type { QueryAnswer, QueryMorsel, QueryTask } from './messages.ts';
import { compileSort } from './sort.ts';

const MODULES_MAX = 512;
/** First chunk of a store, and the largest. */
const CHUNK_BYTES_MAX = 1 << 20;
const FIRST_CELLS = 4096;

interface Code {
  run(params: number, from: number, to: number): number;
  relink(params: number, from: number, to: number): void;
  merge(params: number, other: number, from: number, to: number): void;
  link(params: number, from: number, to: number): number;
  sort(list: number, spare: number, count: number): number;
  collect(from: number, to: number, worst: number, out: number): number;
}

/** A store as this worker fills it. */
interface Filling {
  readonly spec: StoreSpec;
  readonly chunks: { address: number; bytes: number; end: number }[];
  /** Next free byte of the last chunk. */
  cursor: number;
  directory: number;
  cells: number;
  count: number;
  code: Code | null;
}

type RunWork = Extract<QueryTask['work'], { kind: 'run' }>;

/** See the module comment. */
export class QueryWorker {
  private readonly memory: WebAssembly.Memory;
  private readonly area: number;
  private readonly runner: MorselRunner;
  private readonly blocks: BlockAllocator;
  private readonly now: () => number;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly modules = new Map<string, Code>();
  private readonly statements = new Map<number, Map<number, Filling>>();
  private statement = 0;
  private calls: CallSites | null = null;
  private words: StatementWords = new Int32Array(3);
  private filling: Filling | null = null;
  private statistics = { busyMicros: 0, compileMicros: 0, modules: 0, morsels: 0 };

  constructor(options: {
    memory: WebAssembly.Memory;
    area: number;
    runner: MorselRunner;
    blocks: BlockAllocator;
    now: () => number;
  }) {
    this.memory = options.memory;
    this.area = options.area;
    this.runner = options.runner;
    this.blocks = options.blocks;
    this.now = options.now;
    this.bytes = new Uint8Array(this.memory.buffer);
    this.view = new DataView(this.memory.buffer);
  }

  forget(statement: number): void {
    this.calls?.forget(statement);
    this.statements.delete(statement);
  }

  /** Loads what calls of functions need, before the first pipeline that has some; null = it is there. */
  prepare(task: QueryTask): Promise<void> | null {
    if (this.calls !== null || task.work.kind !== 'run' || !task.work.hasCalls) return null;
    return import('./calls.ts').then(({ CallSites }) => {
      this.calls ??= new CallSites(this.memory, this.area, (bytes) =>
        this.blocks.allocate(bytes, this.statement, this.words),
      );
    });
  }

  /** Never throws: what went wrong is in the answer. */
  run(task: QueryTask): QueryAnswer {
    const start = this.now();
    this.statement = task.statement;
    this.statistics = { busyMicros: 0, compileMicros: 0, modules: 0, morsels: 0 };
    const answer = {
      kind: 'queryDone' as const,
      statement: task.statement,
      task: task.task,
      refusal: null as string | null,
      failure: null as string | null,
      chunks: [] as Chunk[],
      rows: 0,
      directory: 0,
      cells: 0,
      duplicates: false,
      sorted: null as Chunk | null,
    };
    // What plain pipelines have in the work area goes first.
    this.runner.flush();
    const control = new Int32Array(task.control);
    this.words = control;
    this.calls?.begin();
    const next = new Int32Array(task.next);
    try {
      this.perform(task, control, next, answer);
    } catch (thrown) {
      Atomics.store(control, 0, 1);
      if (thrown instanceof NotCompilable) answer.refusal = thrown.reason;
      else answer.failure = thrown instanceof Error ? thrown.message : String(thrown);
    }
    this.filling = null;
    this.statistics.busyMicros = this.now() - start;
    return { ...answer, statistics: this.statistics };
  }

  private perform(
    task: QueryTask,
    control: Int32Array,
    next: Int32Array,
    answer: {
      chunks: Chunk[];
      rows: number;
      directory: number;
      cells: number;
      duplicates: boolean;
      sorted: Chunk | null;
    },
  ): void {
    const { work } = task;
    const each = (count: number, action: (index: number) => void): void => {
      for (;;) {
        const index = Atomics.add(next, 0, 1);
        if (index >= count || Atomics.load(control, 0) !== 0) return;
        this.statistics.morsels++;
        action(index);
      }
    };
    switch (work.kind) {
      case 'run':
        this.runPipeline(task, work, control, each, answer);
        return;
      case 'clear':
        each(work.ranges.length, (index) => {
          const { address, bytes } = work.ranges[index]!;
          this.bytes.fill(0, address, address + bytes);
        });
        return;
      case 'link': {
        const code = this.module(`link${textOf([shapeOf(work.store), work.variant])}`, () =>
          compileLink(work.store, work.variant),
        );
        writeDirectory(this.view, this.area, 0, work.directory);
        each(work.chunks.length, (index) => {
          const { address, bytes } = work.chunks[index]!;
          if (code.link(this.area, address, address + bytes) !== 0) answer.duplicates = true;
        });
        return;
      }
      case 'resize': {
        const filling = this.statements.get(task.statement)?.get(work.store);
        if (filling === undefined || filling.cells === work.cells) return;
        this.filling = filling;
        this.enlarge(filling, work.cells);
        answer.directory = filling.directory;
        answer.cells = filling.cells;
        return;
      }
      case 'sort':
        answer.sorted = this.sort(work, each);
        return;
      case 'merge': {
        const filling = this.statements.get(task.statement)?.get(work.store);
        const code = filling?.code;
        // A worker without groups has no code for them: those that have do it.
        if (code === null || code === undefined) return;
        this.view.setInt32(this.area + QUERY_PARAM.directory, work.into, true);
        each(work.parts.length, (index) => {
          const [from, to] = work.parts[index]!;
          for (const other of work.others) code.merge(this.area, other, from, to);
        });
        return;
      }
    }
  }

  /** The first `bound` tuples of the chunks that this worker gets, in order. */
  private sort(
    work: Extract<QueryTask['work'], { kind: 'sort' }>,
    each: (count: number, action: (index: number) => void) => void,
  ): Chunk {
    const { store, keys, chunks, bound } = work;
    const { bytes } = tupleLayout(store);
    const code = this.module(`sort${textOf([keys, bytes, store.kind])}`, () =>
      compileSort(keys, bytes, store.kind === 'groups'),
    );
    const most = Math.max(1, ...chunks.map((chunk) => chunk.bytes / bytes));
    const all = chunks.reduce((sum, chunk) => sum + chunk.bytes / bytes, 0);
    const room = (Number.isFinite(bound) ? Math.min(all, bound + most) : all) * 4 + 8;
    let list = this.blocks.allocate(room, this.statement, this.words);
    let spare = this.blocks.allocate(room, this.statement, this.words);
    let count = 0;
    let worst = 0;
    const order = (): void => {
      const sorted = code.sort(list, spare, count) >>> 0;
      if (sorted !== list) [list, spare] = [spare, list];
    };
    each(chunks.length, (index) => {
      const { address, bytes: length } = chunks[index]!;
      count += code.collect(address, address + length, worst, list + count * 4);
      if (!Number.isFinite(bound)) return;
      order();
      if (count < bound) return;
      count = bound;
      worst = this.view.getUint32(list + (bound - 1) * 4, true);
    });
    if (!Number.isFinite(bound)) order();
    return { address: list, bytes: count * 4 };
  }

  // --------------------------------------------------------------------------------------------------- running

  private runPipeline(
    task: QueryTask,
    work: RunWork,
    control: Int32Array,
    each: (count: number, action: (index: number) => void) => void,
    answer: { chunks: Chunk[]; rows: number; directory: number; cells: number },
  ): void {
    const { pipeline, stores } = work;
    const { view, area } = this;
    const { sink } = pipeline;
    const filling =
      sink.kind === 'none' ? null : this.fillingOf(task.statement, sink.store, stores[sink.store]!);
    this.filling = filling;
    const shape = textOf([pipeline, stores.map(shapeOf), work.variant]);
    work.params.forEach((value, index) => {
      const at = area + PARAM.constant(index);
      if (typeof value === 'bigint') view.setBigInt64(at, value, true);
      else view.setFloat64(at, value, true);
    });
    for (const [store, directory] of Object.entries(work.directories))
      writeDirectory(this.view, this.area, Number(store), directory);
    view.setBigInt64(area + QUERY_PARAM.rows, 0n, true);
    if (filling !== null) this.openFilling(filling, work);
    let plan: FilterPlan | null = null;
    let kindsOf = '';
    let code: Code | null = null;
    let codeKey = '';
    each(work.morsels.length, (index) => {
      const morsel = work.morsels[index]!;
      if (morsel.chunk !== null) {
        code ??= this.pipelineCode(shape, work, { ...work.variant, columns: [], filters: [] });
        if (filling !== null) filling.code = code;
        this.call(
          code,
          control,
          morsel.chunk.address,
          morsel.chunk.address + morsel.chunk.bytes,
          this.sliceOf(pipeline, stores),
        );
        return;
      }
      assert(pipeline.source.kind === 'scan', 'frames without a scan');
      const frames = morsel.frames.map((id) => {
        const frame = this.runner.frames.get(id);
        assert(frame !== undefined, `pipeline frame ${id} is not known here`);
        return frame;
      });
      const columns = frames.map((frame) => ({
        kind: frame.kind,
        width: frame.width,
        nullable: frame.validity !== 0,
      }));
      const kinds = columns.map(({ kind }) => kind).join();
      if (plan === null || kindsOf !== kinds) {
        plan = planFilters(pipeline.source.filters, work.params, columns);
        kindsOf = kinds;
      }
      const bitmap = this.bytes.subarray(area + BITMAP_OFFSET, area + BITMAP_OFFSET + MORSEL_ROWS / 8);
      const any = filterMorsel(
        plan,
        frames,
        morsel.tests,
        morsel.mask,
        morsel.rowCount,
        bitmap,
        this.runner,
        this.runner.kernels(task.native),
      );
      if (!any) return;
      const key = columns.map(({ kind, width, nullable }) => `${kind}${width}${nullable ? 'n' : ''}`).join();
      if (code === null || codeKey !== key) {
        code = this.pipelineCode(`${shape}${key}${plan.rest.join()}`, work, {
          ...work.variant,
          columns,
          filters: plan.rest,
        });
        codeKey = key;
      }
      if (filling !== null) filling.code = code;
      frames.forEach((frame, column) => {
        const at = area + PARAM.column(column);
        view.setInt32(at, frame.address, true);
        view.setInt32(at + 4, frame.validity, true);
        view.setBigInt64(at + 8, frame.low, true);
        if (frame.references !== undefined)
          view.setInt32(area + QUERY_PARAM.references(column), frame.references, true);
      });
      this.writeTests(morsel);
      view.setInt32(area + PARAM.bitmap, area + BITMAP_OFFSET, true);
      this.call(code, control, 0, (morsel.rowCount + 63) >>> 6, CALL_WORDS);
    });
    answer.rows = Number(view.getBigInt64(area + QUERY_PARAM.rows, true));
    if (filling === null) return;
    this.closeFilling(filling);
    answer.chunks = filling.chunks.map(({ address, bytes }) => ({ address, bytes }));
    answer.directory = filling.directory;
    answer.cells = filling.cells;
  }

  /** Bytes of tuples handed to one call. */
  private sliceOf(pipeline: RunWork['pipeline'], stores: readonly StoreSpec[]): number {
    assert(pipeline.source.kind === 'store', 'tuples without a store');
    return tupleLayout(stores[pipeline.source.store]!).bytes * 2048;
  }

  private call(code: Code, control: Int32Array, from: number, to: number, step: number): void {
    for (let at = from; at < to; at += step) {
      if (Atomics.load(control, 0) !== 0) return;
      if (code.run(this.area, at, Math.min(to, at + step)) !== 0)
        throw new NotCompilable('a division by zero, or a double out of range');
    }
  }

  private writeTests(morsel: QueryMorsel): void {
    let at = this.area + DYNAMIC_OFFSET;
    morsel.tests.forEach((table, index) => {
      this.bytes.set(table, at);
      this.view.setInt32(this.area + PARAM.stringTest(index), at, true);
      at = (at + table.length + 7) & ~7;
    });
  }

  private pipelineCode(key: string, work: RunWork, variant: QueryVariant): Code {
    return this.module(key, () =>
      compileQueryPipeline(work.pipeline, work.stores, variant, (node) => this.calls!.index(node)),
    );
  }

  private module(key: string, make: () => Uint8Array): Code {
    const known = this.modules.get(key);
    if (known !== undefined) return known;
    const start = this.now();
    const module = new WebAssembly.Module(make());
    const instance = new WebAssembly.Instance(module, {
      env: {
        memory: this.memory,
        chunk: () => this.nextChunk(),
        grow: () => this.grow(),
        call: (site: number) => this.calls!.call(site, this.statement),
      },
    });
    if (this.modules.size >= MODULES_MAX) {
      const [oldest] = this.modules.keys();
      this.modules.delete(oldest!);
    }
    const code = instance.exports as unknown as Code;
    this.modules.set(key, code);
    this.statistics.modules++;
    this.statistics.compileMicros += this.now() - start;
    return code;
  }

  // ---------------------------------------------------------------------------------------------------- stores

  private fillingOf(statement: number, store: number, spec: StoreSpec): Filling {
    let stores = this.statements.get(statement);
    if (stores === undefined) {
      stores = new Map();
      this.statements.set(statement, stores);
    }
    let filling = stores.get(store);
    if (filling === undefined) {
      filling = { spec, chunks: [], cursor: 0, directory: 0, cells: 0, count: 0, code: null };
      stores.set(store, filling);
    }
    return filling;
  }

  private openFilling(filling: Filling, work: RunWork): void {
    const { view, area } = this;
    const { spec } = filling;
    const last = filling.chunks.at(-1);
    view.setUint32(area + QUERY_PARAM.cursor, filling.cursor, true);
    view.setUint32(area + QUERY_PARAM.end, last === undefined ? 0 : last.end, true);
    if (spec.kind !== 'groups') return;
    if (spec.keys === 0) {
      if (filling.directory === 0) this.makeSingle(filling);
    } else if (filling.directory === 0) {
      const isDirect = work.variant.sinkMode === 'direct';
      filling.cells = isDirect ? work.cells : FIRST_CELLS;
      filling.directory = this.cleared(filling.cells * 4);
    }
    view.setInt32(area + QUERY_PARAM.directory, filling.directory, true);
    view.setInt32(
      area + QUERY_PARAM.mask,
      work.variant.sinkMode === 'direct' ? filling.cells : filling.cells - 1,
      true,
    );
    view.setInt32(area + QUERY_PARAM.count, filling.count, true);
    view.setInt32(area + QUERY_PARAM.limit, filling.cells / 2, true);
    view.setBigInt64(area + QUERY_PARAM.low, work.low, true);
  }

  private closeFilling(filling: Filling): void {
    const { view, area } = this;
    const last = filling.chunks.at(-1);
    filling.cursor = view.getUint32(area + QUERY_PARAM.cursor, true);
    if (last !== undefined) last.bytes = filling.cursor - last.address;
    if (filling.spec.kind === 'groups' && filling.spec.keys > 0)
      filling.count = view.getInt32(area + QUERY_PARAM.count, true);
  }

  /** The one group of an aggregate without keys: there before any row. */
  private makeSingle(filling: Filling): void {
    const { view, area } = this;
    const { spec } = filling;
    const { offsets, bytes } = tupleLayout(spec);
    const address = this.nextChunk();
    view.setUint32(area + QUERY_PARAM.cursor, address + bytes, true);
    this.bytes.fill(0, address, address + bytes);
    spec.fields.forEach((field, index) => {
      view.setBigInt64(address + offsets[index]!, initialBits(spec.accumulators[field.accumulator]!), true);
      if (isWideField(spec, field)) view.setBigInt64(address + offsets[index]! + 8, 0n, true);
    });
    filling.directory = address;
    filling.count = 1;
  }

  private cleared(bytes: number): number {
    const address = this.blocks.allocate(bytes, this.statement, this.words);
    this.bytes.fill(0, address, address + bytes);
    return address;
  }

  /** Called by compiled code: the chunk is full. Address of the first tuple of the next. */
  private nextChunk(): number {
    const { view, area } = this;
    const filling = this.filling!;
    const last = filling.chunks.at(-1);
    if (last !== undefined) last.bytes = view.getUint32(area + QUERY_PARAM.cursor, true) - last.address;
    const size = Math.min(CHUNK_BYTES_MAX, BLOCK_BYTES * 2 ** Math.min(4, filling.chunks.length));
    const address = this.blocks.allocate(size, this.statement, this.words);
    const layout = tupleLayout(filling.spec).bytes;
    filling.chunks.push({ address, bytes: 0, end: address + Math.floor(size / layout) * layout });
    view.setUint32(area + QUERY_PARAM.cursor, address, true);
    view.setUint32(area + QUERY_PARAM.end, filling.chunks.at(-1)!.end, true);
    return address;
  }

  /** Called by compiled code: the directory of groups is too small. */
  private grow(): void {
    const filling = this.filling!;
    const last = filling.chunks.at(-1)!;
    last.bytes = this.view.getUint32(this.area + QUERY_PARAM.cursor, true) - last.address;
    this.enlarge(filling, filling.cells * 4);
  }

  private enlarge(filling: Filling, cells: number): void {
    const { view, area } = this;
    const code = filling.code;
    const old = filling.directory;
    filling.cells = cells;
    filling.directory = this.cleared(cells * 4);
    if (old !== 0) this.blocks.release(old, this.words);
    view.setInt32(area + QUERY_PARAM.directory, filling.directory, true);
    view.setInt32(area + QUERY_PARAM.mask, cells - 1, true);
    view.setInt32(area + QUERY_PARAM.limit, cells / 2, true);
    if (code === null) return;
    for (const chunk of filling.chunks) code.relink(area, chunk.address, chunk.address + chunk.bytes);
  }
}

/** What of a store the machine code depends on. */
function shapeOf(store: StoreSpec): unknown {
  return [store.kind, store.keys, store.fields, store.accumulators];
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));
}
