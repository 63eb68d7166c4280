/** Sort, and top-N when a bound is known: then a heap keeps only the rows that can still be wanted. */
import type { SortNode } from '../../../planner/physical.ts';
import type { Datum } from '../../../types/datum.ts';
import type { ExecutionState } from '../../state.ts';
import { type Evaluate, ExpressionCompiler } from '../expression/compile.ts';
import { type KeyOrder, keyOrder, type RowOrder, rowOrder, Sorter } from '../sorter.ts';
import { RowStore } from '../store.ts';
import { dependencies } from '../walk.ts';
import type { Operator } from './operator.ts';

/** Above this many wanted rows a full sort is no worse than the heap. */
const HEAP_ROWS_MAX = 100_000;

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
  private phase: 'start' | 'fill' | 'sort' | 'emit' = 'start';
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
    if (this.keepsRows && this.phase === 'emit') {
      this.position = 0;
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
  }

  next(): boolean {
    const { state, rows } = this;
    if (this.phase === 'start') {
      if (this.bound !== null) {
        const value = this.bound(state.frame);
        const wanted = value === null ? -1 : Number(value as bigint);
        this.wanted = wanted >= 0 && wanted <= HEAP_ROWS_MAX ? wanted : -1;
      }
      const columns = this.keyColumns.map((column, index) =>
        column >= 0 ? rows.columns[column]! : this.computed[index]!,
      );
      this.order = rowOrder(this.keys, columns);
      this.phase = 'fill';
    }
    if (this.phase === 'fill') {
      if (this.wanted !== 0) this.fill();
      this.phase = 'sort';
    }
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

  private fill(): void {
    const { child } = this;
    for (;;) {
      if (!this.pending) {
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
