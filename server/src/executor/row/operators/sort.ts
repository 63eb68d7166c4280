/**
 * Sort, and top-N when a bound is known: then a heap keeps only the rows that can still be wanted.
 *
 * Over the statement's memory, what is there is sorted and written to a temporary file as a run; at the end the runs are merged.
 */
import type { SortNode } from '../../../planner/physical.ts';
import type { Datum } from '../../../types/datum.ts';
import { RowFile } from '../../spill/row-file.ts';
import type { ExecutionState } from '../../state.ts';
import { type Evaluate, ExpressionCompiler } from '../expression/compile.ts';
import { compareUnder, type KeyOrder, keyOrder, type RowOrder, rowOrder, Sorter } from '../sorter.ts';
import { RowStore } from '../store.ts';
import { dependencies } from '../walk.ts';
import type { Operator } from './operator.ts';

/** Above this many wanted rows a full sort is no worse than the heap. */
const HEAP_ROWS_MAX = 100_000;

/** A sorted run in a temporary file and its first row that is not yet out. */
interface Run {
  file: RowFile;
  values: Datum[];
  isDone: boolean;
}

export class Sort implements Operator {
  private readonly state: ExecutionState;
  private readonly child: Operator;
  private readonly keys: KeyOrder[];
  private readonly keyRuns: (Evaluate | null)[];
  /** Column of the store that holds the key, or -1 when it is computed. */
  private readonly keyColumns: number[];
  private readonly bound: Evaluate | null;
  private readonly keepsRows: boolean;
  private readonly rows: RowStore;
  /** Computed keys, beside the stored columns. */
  private computed: Datum[][];
  private order: RowOrder;
  private sorter: Sorter | null = null;
  private sorted: Uint32Array | null = null;
  private sorterBytes = 0;
  private phase: 'start' | 'fill' | 'sort' | 'emit' | 'merge' = 'start';
  private readonly runs: Run[] = [];
  /** A run being written: sorted rows and how many are out. */
  private writing: { sorter: Sorter; file: RowFile; position: number } | null = null;
  private readonly outputs: readonly number[];
  private pending = false;
  private wanted = -1;
  private heap: number[] = [];
  private freeRow = -1;
  private position = 0;

  constructor(state: ExecutionState, node: SortNode, child: Operator) {
    const { resolver } = state.environment;
    const compiler = new ExpressionCompiler(state, resolver);
    this.state = state;
    this.child = child;
    this.outputs = node.outputs;
    this.keys = node.keys.map((key) => keyOrder(key, resolver));
    this.keyColumns = node.keys.map(({ expr }) =>
      expr.kind === 'slot' ? node.outputs.indexOf(expr.slot) : -1,
    );
    this.keyRuns = node.keys.map(({ expr }, index) =>
      this.keyColumns[index]! >= 0 ? null : compiler.compile(expr),
    );
    this.bound = node.bound === null ? null : compiler.compile(node.bound);
    const found = dependencies(node.child, state.plan, resolver);
    this.keepsRows = found.slots.length === 0 && !found.volatile && node.bound === null;
    this.rows = new RowStore(node.outputs, state.memory);
    this.computed = this.keyRuns.map(() => []);
    this.order = () => 0;
  }

  open(): void {
    this.clear();
    this.child.open();
  }

  rescan(): void {
    if (this.keepsRows && (this.phase === 'emit' || this.phase === 'merge')) {
      this.position = 0;
      for (const run of this.runs) {
        run.file.rewind();
        run.isDone = !run.file.read(run.values);
      }
      return;
    }
    this.clear();
    this.child.rescan();
  }

  close(): void {
    this.clear();
    this.child.close();
  }

  private clear(): void {
    this.rows.clear();
    this.computed = this.keyRuns.map(() => []);
    this.state.memory.release(this.sorterBytes);
    this.sorterBytes = 0;
    this.sorter = null;
    this.sorted = null;
    this.heap = [];
    this.freeRow = -1;
    this.wanted = -1;
    this.phase = 'start';
    this.pending = false;
    this.position = 0;
    this.writing?.file.close();
    this.writing = null;
    for (const run of this.runs) run.file.close();
    this.runs.length = 0;
  }

  next(): boolean {
    const { state, rows } = this;
    if (this.phase === 'start') {
      if (this.bound !== null) {
        const value = this.bound(state.frame);
        const wanted = value === null ? -1 : Number(value as bigint);
        this.wanted = wanted >= 0 && wanted <= HEAP_ROWS_MAX ? wanted : -1;
      }
      this.bindOrder();
      this.phase = 'fill';
    }
    if (this.phase === 'fill') {
      if (this.wanted !== 0) this.fill();
      if (this.runs.length > 0) {
        if (rows.count > 0) this.writeRun();
        for (const run of this.runs) {
          run.file.rewind();
          run.isDone = !run.file.read(run.values);
        }
        this.phase = 'merge';
      } else this.phase = 'sort';
    }
    if (this.phase === 'merge') return this.emitMerged();
    if (this.phase === 'sort') {
      if (this.sorter === null) {
        const count = this.wanted >= 0 ? this.heap.length : rows.count;
        if (this.wanted >= 0) {
          this.sorted = new Uint32Array(this.heap).sort((a, b) => this.order(a, b));
        } else {
          this.sorterBytes = Sorter.bytes(count);
          state.memory.reserve(this.sorterBytes);
          this.sorter = new Sorter(state, count, this.order);
        }
      }
      if (this.sorter !== null) this.sorted = this.sorter.run();
      this.sorter = null;
      this.phase = 'emit';
    }
    const sorted = this.sorted!;
    if (this.position >= sorted.length) return false;
    state.tick();
    rows.restore(sorted[this.position++]!, state.frame);
    return true;
  }

  facts(): readonly (readonly [string, string])[] {
    const kilobytes = (bytes: number): number => Math.max(1, Math.round(bytes / 1024));
    if (this.phase === 'merge') {
      let bytes = 0;
      for (const run of this.runs) bytes += run.file.sizeBytes;
      return [['Sort Method', `external merge  Disk: ${kilobytes(bytes)}kB`]];
    }
    if (this.phase !== 'emit') return [];
    const method = this.wanted >= 0 ? 'top-N heapsort' : 'quicksort';
    return [['Sort Method', `${method}  Memory: ${kilobytes(this.rows.bytes + this.sorterBytes)}kB`]];
  }

  /** The comparison reads the store's columns, which are new arrays after every clearing. */
  private bindOrder(): void {
    const columns = this.keyColumns.map((column, index) =>
      column >= 0 ? this.rows.columns[column]! : this.computed[index]!,
    );
    this.order = rowOrder(this.keys, columns);
  }

  /** Sorts what is in memory and writes it out; may suspend and is then called again. */
  private writeRun(): void {
    const { state, rows } = this;
    const { resolver, spill } = state.environment;
    const computed = this.computed.filter((_, index) => this.keyRuns[index] !== null);
    this.writing ??= {
      sorter: new Sorter(state, rows.count, this.order),
      file: new RowFile(spill!, this.outputs.length + computed.length, (oid) => resolver.typeSupport(oid)),
      position: 0,
    };
    const { writing } = this;
    const sorted = writing.sorter.run();
    const values: Datum[] = [];
    while (writing.position < sorted.length) {
      state.tick();
      const row = sorted[writing.position++]!;
      for (let column = 0; column < this.outputs.length; column++)
        values[column] = rows.columns[column]![row]!;
      for (let index = 0; index < computed.length; index++)
        values[this.outputs.length + index] = computed[index]![row]!;
      writing.file.write(values);
    }
    this.runs.push({ file: writing.file, values: [], isDone: false });
    this.writing = null;
    rows.clear();
    this.computed = this.keyRuns.map(() => []);
    this.bindOrder();
  }

  /** Next row of the merge: the smallest of the runs' first rows, the earliest run among equals. */
  private emitMerged(): boolean {
    const { runs, state } = this;
    state.tick();
    let best: Run | null = null;
    for (const run of runs) {
      if (!run.isDone && (best === null || this.compareRuns(run, best) < 0)) best = run;
    }
    if (best === null) return false;
    for (let column = 0; column < this.outputs.length; column++) {
      state.frame[this.outputs[column]!] = best.values[column]!;
    }
    best.isDone = !best.file.read(best.values);
    return true;
  }

  private compareRuns(left: Run, right: Run): number {
    let extra = this.outputs.length;
    for (let index = 0; index < this.keys.length; index++) {
      const column = this.keyColumns[index]! >= 0 ? this.keyColumns[index]! : extra++;
      const order = compareUnder(this.keys[index]!, left.values[column]!, right.values[column]!);
      if (order !== 0) return order;
    }
    return 0;
  }

  private fill(): void {
    const { child } = this;
    for (;;) {
      if (!this.pending) {
        const { rows, state } = this;
        const isLarge =
          this.writing !== null || (rows.count % 256 === 255 && state.memory.mustSpill(rows.bytes));
        if (isLarge && this.wanted < 0) this.writeRun();
        if (!child.next()) return;
        this.pending = true;
      }
      if (this.wanted > 0) this.offer();
      else this.keep(this.rows.count);
      this.pending = false;
    }
  }

  /** Stores the frame's row as number `row`, keys first: their evaluation may suspend. */
  private keep(row: number): void {
    const { frame } = this.state;
    for (let index = 0; index < this.keyRuns.length; index++) {
      const run = this.keyRuns[index]!;
      if (run !== null) this.computed[index]![row] = run(frame);
    }
    if (row === this.rows.count) this.rows.save(frame);
    else this.rows.replace(row, frame);
  }

  /** Top-N: the heap's first row is the worst kept one. */
  private offer(): void {
    const { heap, order } = this;
    if (heap.length < this.wanted) {
      const row = this.rows.count;
      this.keep(row);
      heap.push(row);
      this.siftUp(heap.length - 1);
      return;
    }
    if (this.freeRow < 0) this.freeRow = this.rows.count;
    this.keep(this.freeRow);
    if (order(this.freeRow, heap[0]!) >= 0) return;
    const freed = heap[0]!;
    heap[0] = this.freeRow;
    this.freeRow = freed;
    this.siftDown();
  }

  private siftUp(position: number): void {
    const { heap, order } = this;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (order(heap[parent]!, heap[position]!) >= 0) return;
      const swap = heap[parent]!;
      heap[parent] = heap[position]!;
      heap[position] = swap;
      position = parent;
    }
  }

  private siftDown(): void {
    const { heap, order } = this;
    let position = 0;
    for (;;) {
      let largest = position;
      for (const child of [2 * position + 1, 2 * position + 2]) {
        if (child < heap.length && order(heap[child]!, heap[largest]!) > 0) largest = child;
      }
      if (largest === position) return;
      const swap = heap[largest]!;
      heap[largest] = heap[position]!;
      heap[position] = swap;
      position = largest;
    }
  }
}
