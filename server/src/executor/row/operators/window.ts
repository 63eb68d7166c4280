/**
 * Window functions over sorted input: one partition at a time is kept, its functions are evaluated row by row in order.
 *
 * Frames   bounds are found with pointers that only move forward; aggregates add what enters the frame and take out what leaves
 *          it (if the aggregate can), else start again. All loops keep their progress in fields.
 */
import { DbError, internalError } from '../../../base/error.ts';
import { isSuspension } from '../../../base/suspend.ts';
import type { WindowNode } from '../../../planner/physical.ts';
import type {
  AggregateState,
  BoundAggregate,
  BoundWindowFunction,
  WindowPartition,
} from '../../../sql/functions/contract.ts';
import type { Datum } from '../../../types/datum.ts';
import type { ExecutionState } from '../../state.ts';
import { type Evaluate, ExpressionCompiler, type Test } from '../expression/compile.ts';
import { compareUnder, type KeyOrder, keyOrder } from '../sorter.ts';
import { RowStore } from '../store.ts';
import type { Operator } from './operator.ts';

interface FunctionState {
  slot: number;
  args: Evaluate[];
  filter: Test | null;
  window: BoundWindowFunction | null;
  aggregate: FrameAggregate | null;
  /** Argument values per row of the partition. */
  columns: Datum[][];
  accepted: boolean[];
}

export class Window implements Operator {
  private readonly state: ExecutionState;
  private readonly child: Operator;
  private readonly partitionRuns: Evaluate[];
  private readonly partitionOrders: KeyOrder[];
  private readonly orderRuns: Evaluate[];
  private readonly orderOrders: KeyOrder[];
  private readonly functions: FunctionState[];
  private readonly frames: Frames;
  private readonly rows: RowStore;
  private readonly ahead: RowStore;
  private partitionKey: Datum[] | null = null;
  private aheadKey: Datum[] | null = null;
  private phase: 'load' | 'emit' | 'done' = 'load';
  private inputDone = false;
  private pending = false;
  private row = 0;
  private functionProgress = 0;
  private readonly results: Datum[] = [];

  constructor(state: ExecutionState, node: WindowNode, child: Operator) {
    const { resolver } = state.environment;
    const compiler = new ExpressionCompiler(state, resolver);
    this.state = state;
    this.child = child;
    this.partitionRuns = node.partitionBy.map(({ expr }) => compiler.compile(expr));
    this.partitionOrders = node.partitionBy.map((key) => keyOrder(key, resolver));
    this.orderRuns = node.orderBy.map(({ expr }) => compiler.compile(expr));
    this.orderOrders = node.orderBy.map((key) => keyOrder(key, resolver));
    this.rows = new RowStore(node.child.outputs, state.memory);
    this.ahead = new RowStore(node.child.outputs, state.memory);
    this.frames = new Frames(state, node, this.orderOrders, compiler);
    this.functions = node.functions.map((item): FunctionState => {
      const site = {
        argumentTypes: item.args.map((arg) => arg.typeOid),
        resultType: item.typeOid,
        variadic: false,
        collation: 0,
      };
      const args = compiler.compileAll(item.args);
      const result: FunctionState = {
        slot: item.slot,
        args,
        filter: compiler.testOrNull(item.filter),
        window: item.isAggregate ? null : resolver.window(item.functionOid, site).bound,
        aggregate: null,
        columns: args.map(() => []),
        accepted: [],
      };
      if (item.isAggregate) {
        result.aggregate = new FrameAggregate(
          state,
          resolver.aggregate(item.functionOid, site),
          result,
          this.frames,
        );
      }
      return result;
    });
  }

  open(): void {
    this.clear();
    this.child.open();
  }

  rescan(): void {
    this.clear();
    this.child.rescan();
  }

  close(): void {
    this.clear();
    this.child.close();
    this.phase = 'done';
  }

  private clear(): void {
    this.dropPartition();
    this.ahead.clear();
    this.aheadKey = null;
    this.phase = 'load';
    this.inputDone = false;
    this.pending = false;
    this.frames.reset();
  }

  private dropPartition(): void {
    this.rows.clear();
    this.partitionKey = null;
    this.row = 0;
    this.functionProgress = 0;
    this.frames.clear();
    for (const item of this.functions) {
      item.columns = item.args.map(() => []);
      item.accepted = [];
    }
  }

  next(): boolean {
    const { state, rows } = this;
    const { frame } = state;
    for (;;) {
      if (this.phase === 'done') return false;
      if (this.phase === 'load') {
        if (!this.load()) {
          this.phase = 'done';
          return false;
        }
        this.frames.begin(rows.count);
        for (const item of this.functions) {
          item.window?.start(this.frames.partition(item.columns));
          item.aggregate?.begin();
        }
        this.phase = 'emit';
        this.row = 0;
        this.functionProgress = 0;
      }
      if (this.row >= rows.count) {
        this.dropPartition();
        this.phase = 'load';
        continue;
      }
      state.tick();
      const { row } = this;
      this.frames.locate(row);
      for (; this.functionProgress < this.functions.length; this.functionProgress++) {
        const item = this.functions[this.functionProgress]!;
        const value =
          item.window !== null
            ? item.window.value(this.frames.partition(item.columns), row)
            : item.aggregate!.value(row);
        this.results[this.functionProgress] = value;
      }
      rows.restore(row, frame);
      for (let index = 0; index < this.functions.length; index++) {
        frame[this.functions[index]!.slot] = this.results[index]!;
      }
      this.functionProgress = 0;
      this.row++;
      return true;
    }
  }

  /** Reads one partition; false at the end of the input. */
  private load(): boolean {
    const { state, rows, ahead } = this;
    const { frame } = state;
    for (;;) {
      if (!this.pending) {
        if (this.partitionKey === null && this.aheadKey !== null) {
          ahead.restore(0, frame);
          ahead.clear();
          this.aheadKey = null;
        } else {
          if (this.inputDone) return rows.count > 0;
          if (!this.child.next()) {
            this.inputDone = true;
            return rows.count > 0;
          }
        }
        this.pending = true;
      }
      const key = this.partitionRuns.map((run) => run(frame));
      if (this.partitionKey !== null && !this.samePartition(key)) {
        ahead.save(frame);
        this.aheadKey = key;
        this.pending = false;
        return true;
      }
      const orderValues = this.orderRuns.map((run) => run(frame));
      const argumentValues = this.functions.map((item) => item.args.map((run) => attempt(run, frame)));
      const accepted = this.functions.map((item) => item.filter === null || item.filter(frame));
      // Nothing below can suspend: the row is taken as a whole.
      this.partitionKey ??= key;
      this.frames.add(orderValues);
      for (let index = 0; index < this.functions.length; index++) {
        const item = this.functions[index]!;
        for (let arg = 0; arg < item.args.length; arg++)
          item.columns[arg]!.push(argumentValues[index]![arg]!);
        item.accepted.push(accepted[index]!);
      }
      rows.save(frame);
      this.pending = false;
    }
  }

  private samePartition(key: readonly Datum[]): boolean {
    for (let index = 0; index < key.length; index++) {
      if (compareUnder(this.partitionOrders[index]!, this.partitionKey![index]!, key[index]!) !== 0)
        return false;
    }
    return true;
  }
}

/**
 * An argument that could not be computed. It is an error only where a function asks for it: lag never looks at its last row, and an
 * aggregate neither at rows outside of all frames nor at those its FILTER drops.
 */
class FailedArgument {
  readonly error: DbError;

  constructor(error: DbError) {
    this.error = error;
  }
}

function attempt(run: Evaluate, frame: Datum[]): Datum {
  try {
    return run(frame);
  } catch (thrown) {
    if (!(thrown instanceof DbError) || isSuspension(thrown)) throw thrown;
    return new FailedArgument(thrown) as unknown as Datum;
  }
}

function wanted(value: Datum): Datum {
  if ((value as unknown) instanceof FailedArgument) throw (value as unknown as FailedArgument).error;
  return value;
}

/** Peer groups and frame bounds of the current partition. */
class Frames {
  private readonly state: ExecutionState;
  private readonly node: WindowNode;
  private readonly orders: readonly KeyOrder[];
  private readonly startOffset: Evaluate | null;
  private readonly endOffset: Evaluate | null;
  private readonly startInRange: ((...args: Datum[]) => Datum) | null;
  private readonly endInRange: ((...args: Datum[]) => Datum) | null;
  private orderColumns: Datum[][];
  private count = 0;
  /** Peer group of each row, and the first row of each group (with the end as a last entry). */
  private groupOf: number[] = [];
  private groupStart: number[] = [];
  private offsets: { start: Datum; end: Datum } | null = null;
  start = 0;
  end = 0;
  private located = -1;

  constructor(
    state: ExecutionState,
    node: WindowNode,
    orders: readonly KeyOrder[],
    compiler: ExpressionCompiler,
  ) {
    this.state = state;
    this.node = node;
    this.orders = orders;
    this.orderColumns = orders.map(() => []);
    const { start, end, startInRange, endInRange, mode } = node.frame;
    this.startOffset = start.offset === null ? null : compiler.compile(start.offset);
    this.endOffset = end.offset === null ? null : compiler.compile(end.offset);
    const inRange = (oid: number, offset: { typeOid: number } | null) => {
      if (mode !== 'range' || offset === null || oid === 0) return null;
      const type = node.orderBy[0]!.expr.typeOid;
      return compiler.resolver.scalar(oid, {
        argumentTypes: [type, type, offset.typeOid, 16, 16],
        resultType: 16,
        variadic: false,
        collation: 0,
      }).call;
    };
    this.startInRange = inRange(startInRange, start.offset);
    this.endInRange = inRange(endInRange, end.offset);
  }

  /** A new execution: offsets are evaluated anew. */
  reset(): void {
    this.clear();
    this.offsets = null;
  }

  clear(): void {
    this.orderColumns = this.orders.map(() => []);
    this.groupOf = [];
    this.groupStart = [];
    this.count = 0;
    this.located = -1;
  }

  /** Takes the next row's order values; peer groups grow with the rows, so that no loop over a whole partition is needed. */
  add(values: readonly Datum[]): void {
    for (let index = 0; index < values.length; index++) this.orderColumns[index]!.push(values[index]!);
    const row = this.groupOf.length;
    if (row === 0 || !this.peers(row - 1, row)) this.groupStart.push(row);
    this.groupOf.push(this.groupStart.length - 1);
  }

  begin(count: number): void {
    this.count = count;
    this.groupStart.push(count);
    this.start = 0;
    this.end = 0;
    this.located = -1;
    this.offsets ??= this.evaluateOffsets();
  }

  private evaluateOffsets(): { start: Datum; end: Datum } {
    const { frame } = this.state;
    const check = (value: Datum, which: string): Datum => {
      if (value === null) {
        throw new DbError('null_value_not_allowed', `frame ${which} offset must not be null`);
      }
      const isNegative = (typeof value === 'bigint' || typeof value === 'number') && value < 0;
      if (isNegative) {
        throw new DbError(
          'invalid_preceding_or_following_size',
          `frame ${which} offset must not be negative`,
        );
      }
      return value;
    };
    return {
      start: this.startOffset === null ? null : check(this.startOffset(frame), 'starting'),
      end: this.endOffset === null ? null : check(this.endOffset(frame), 'ending'),
    };
  }

  private peers(left: number, right: number): boolean {
    for (let index = 0; index < this.orders.length; index++) {
      const column = this.orderColumns[index]!;
      if (compareUnder(this.orders[index]!, column[left]!, column[right]!) !== 0) return false;
    }
    return true;
  }

  arePeers(left: number, right: number): boolean {
    return this.groupOf[left] === this.groupOf[right];
  }

  peerStart(row: number): number {
    return this.groupStart[this.groupOf[row]!]!;
  }

  peerEnd(row: number): number {
    return this.groupStart[this.groupOf[row]! + 1]!;
  }

  /** Finds the frame of `row`; rows come in ascending order. */
  locate(row: number): void {
    if (this.located === row) return;
    const start = this.bound(row, this.node.frame.start.kind, this.offsets!.start, true);
    const end = this.bound(row, this.node.frame.end.kind, this.offsets!.end, false);
    this.start = start;
    this.end = Math.max(start, end);
    this.located = row;
  }

  /** First row of the frame, or the row after its last. */
  private bound(row: number, kind: string, offset: Datum, isStart: boolean): number {
    const { mode } = this.node.frame;
    const { count } = this;
    switch (kind) {
      case 'unboundedPreceding':
        return 0;
      case 'unboundedFollowing':
        return count;
      case 'currentRow':
        if (mode === 'rows') return isStart ? row : row + 1;
        return isStart ? this.peerStart(row) : this.peerEnd(row);
      default: {
        const sign = kind === 'preceding' ? -1 : 1;
        if (mode === 'rows') {
          const target = row + sign * Number(offset as bigint) + (isStart ? 0 : 1);
          return Math.max(0, Math.min(count, target));
        }
        if (mode === 'groups') {
          const group = this.groupOf[row]! + sign * Number(offset as bigint) + (isStart ? 0 : 1);
          const last = this.groupStart.length - 1;
          return this.groupStart[Math.max(0, Math.min(last, group))]!;
        }
        return this.rangeBound(row, sign < 0, offset, isStart);
      }
    }
  }

  /** RANGE with an offset: rows are taken while the type's in_range function holds; it is monotonic over the sorted column. */
  private rangeBound(row: number, preceding: boolean, offset: Datum, isStart: boolean): number {
    const column = this.orderColumns[0]!;
    const key = this.orders[0]!;
    const base = column[row]!;
    if (base === null) return isStart ? this.peerStart(row) : this.peerEnd(row);
    const inRange = isStart ? this.startInRange : this.endInRange;
    if (inRange === null) throw internalError('RANGE frame without its in_range function');
    const subtract = preceding !== key.descending;
    // "less": value <= base ± offset; the frame's start wants the first row at or past the bound, its end the first past it.
    const less = isStart === key.descending;
    const inside = (candidate: number): boolean => {
      const value = column[candidate]!;
      if (value === null) return isStart ? !key.nullsFirst : key.nullsFirst;
      return inRange(value, base, offset, subtract, less) === true;
    };
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (inside(middle) === isStart) high = middle;
      else low = middle + 1;
    }
    // NULL rows lie at one end and never belong to a bound of values.
    return low;
  }

  isExcluded(row: number, candidate: number): boolean {
    switch (this.node.frame.exclude) {
      case 'none':
        return false;
      case 'current row':
        return row === candidate;
      case 'group':
        return this.arePeers(row, candidate);
      case 'ties':
        return row !== candidate && this.arePeers(row, candidate);
    }
  }

  get excludes(): boolean {
    return this.node.frame.exclude !== 'none';
  }

  partition(columns: readonly (readonly Datum[])[]): WindowPartition {
    return {
      rowCount: this.count,
      argument: (argument, row) => wanted(columns[argument]![row]!),
      arePeers: (left, right) => this.arePeers(left, right),
      frameStart: (row) => {
        this.locate(row);
        return this.start;
      },
      frameEnd: (row) => {
        this.locate(row);
        return this.end;
      },
      isExcluded: (row, candidate) => this.isExcluded(row, candidate),
    };
  }
}

/** An aggregate over the frame of each row. */
class FrameAggregate {
  private readonly state: ExecutionState;
  private readonly bound: BoundAggregate;
  private readonly source: FunctionState;
  private readonly frames: Frames;
  private aggregate: AggregateState;
  private start = 0;
  private end = 0;
  private excludedRow = -1;
  private cached: Datum = null;
  private cachedStart = -1;
  private cachedEnd = -1;

  constructor(state: ExecutionState, bound: BoundAggregate, source: FunctionState, frames: Frames) {
    this.state = state;
    this.bound = bound;
    this.source = source;
    this.frames = frames;
    this.aggregate = bound.createState();
  }

  begin(): void {
    this.restart(0);
    this.excludedRow = -1;
    this.cachedStart = -1;
    this.cachedEnd = -1;
  }

  private restart(start: number): void {
    this.aggregate = this.bound.createState();
    this.start = start;
    this.end = start;
  }

  value(row: number): Datum {
    const { frames } = this;
    if (frames.excludes) return this.valueWithExclusion(row);
    const { start, end } = frames;
    if (start === this.cachedStart && end === this.cachedEnd) return this.cached;
    if (start >= end) {
      this.restart(start);
    } else {
      if (start >= this.end || start < this.start || end < this.end) this.restart(start);
      while (this.start < start) {
        this.state.tick();
        if (!this.remove(this.start)) {
          this.restart(start);
          break;
        }
        this.start++;
      }
      while (this.end < end) {
        this.state.tick();
        this.add(this.end++);
      }
    }
    this.cached = this.bound.final(this.aggregate);
    this.cachedStart = start;
    this.cachedEnd = end;
    return this.cached;
  }

  private valueWithExclusion(row: number): Datum {
    const { frames } = this;
    if (this.excludedRow !== row) {
      this.restart(frames.start);
      this.excludedRow = row;
    }
    while (this.end < frames.end) {
      this.state.tick();
      const candidate = this.end++;
      if (!frames.isExcluded(row, candidate)) this.add(candidate);
    }
    return this.bound.final(this.aggregate);
  }

  private values(row: number): Datum[] | null {
    const { source, bound } = this;
    if (!source.accepted[row]) return null;
    const values: Datum[] = [];
    for (const column of source.columns) {
      const value = wanted(column[row]!);
      if (value === null && bound.strict) return null;
      values.push(value);
    }
    return values;
  }

  private add(row: number): void {
    const values = this.values(row);
    if (values !== null) this.bound.step(this.aggregate, ...values);
  }

  private remove(row: number): boolean {
    const values = this.values(row);
    if (values === null) return true;
    return this.bound.inverse?.(this.aggregate, ...values) ?? false;
  }
}
