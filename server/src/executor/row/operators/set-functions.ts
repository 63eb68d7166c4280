/** Set-returning functions: in FROM (functionScan) and in a SELECT list (projectSet). */
import { notSupported } from '../../../base/error.ts';
import type { FunctionScanNode, PlanExpr, ProjectSetNode } from '../../../planner/physical.ts';
import type { FunctionExpr, OperatorExpr } from '../../../sql/tree.ts';
import { type Datum, SqlRecord } from '../../../types/datum.ts';
import type { RowShape } from '../../functions.ts';
import type { ExecutionState } from '../../state.ts';
import { RowSet } from '../../triggers/row-set.ts';
import { type Evaluate, ExpressionCompiler, type Test } from '../expression/compile.ts';
import { expressionChildren } from '../walk.ts';
import type { Operator } from './operator.ts';

/** One item of a set: a value, or a row of values. */
type Item = Datum | readonly Datum[];
type StartSet = (frame: Datum[]) => Iterator<Item>;

const EMPTY: readonly Item[] = [];

function isSetCall(expr: PlanExpr): expr is FunctionExpr | OperatorExpr {
  return (expr.kind === 'function' || expr.kind === 'operator') && expr.returnsSet;
}

/** Starts the set of a call; its arguments are evaluated at the start. */
function compileSet(
  compiler: ExpressionCompiler,
  expr: FunctionExpr | OperatorExpr,
): { start: StartSet; shape: () => RowShape } {
  const resolved = compiler.resolver.set(expr.functionOid, {
    argumentTypes: expr.args.map((arg) => arg.typeOid),
    resultType: expr.typeOid,
    variadic: expr.kind === 'function' && expr.variadic,
    collation: expr.collation,
    ...columnsOf(expr),
  });
  const args = compiler.compileAll(expr.args);
  // Arguments already evaluated when a later one suspends.
  const progress: { pending: unknown } = { pending: null };
  compiler.state?.calls.push(progress);
  const start: StartSet = (frame) => {
    const values = (progress.pending as Datum[] | null) ?? [];
    progress.pending = values;
    while (values.length < args.length) {
      const value = args[values.length]!(frame);
      if (value === null && resolved.strict) {
        progress.pending = null;
        return EMPTY[Symbol.iterator]();
      }
      values.push(value);
    }
    progress.pending = null;
    return resolved.call(...values)[Symbol.iterator]();
  };
  let shape: RowShape | null = null;
  const unknown: RowShape = { typeOid: expr.typeOid, types: [], names: [] };
  return { start, shape: () => (shape ??= resolved.rowShape?.() ?? unknown) };
}

function columnsOf(expr: unknown): { columns?: readonly { name: string; type: number; typmod: number }[] } {
  const { columns } = expr as { columns?: readonly { name: string; type: number; typmod: number }[] };
  return columns === undefined ? {} : { columns };
}

interface ScannedFunction {
  start: StartSet;
  slots: readonly number[];
  spread: boolean;
}

export class FunctionScan implements Operator {
  private readonly state: ExecutionState;
  private readonly node: FunctionScanNode;
  private readonly functions: ScannedFunction[];
  private readonly filter: Test | null;
  private iterators: (Iterator<Item> | null)[] = [];
  /** Functions that have given their item of the present row. */
  private advanced = 0;
  private hasItem = false;
  private ordinal = 0;
  private pending = false;

  constructor(state: ExecutionState, node: FunctionScanNode) {
    const compiler = new ExpressionCompiler(state, state.environment.resolver);
    this.state = state;
    this.node = node;
    this.functions = node.functions.map(({ expr, slots, spread }) => {
      if (isSetCall(expr)) return { start: compileSet(compiler, expr).start, slots, spread };
      const value = compiler.compile(expr);
      return {
        start: (frame: Datum[]): Iterator<Item> => {
          const item = value(frame);
          return item instanceof RowSet ? item.rows[Symbol.iterator]() : [item][Symbol.iterator]();
        },
        slots,
        spread,
      };
    });
    this.filter = compiler.testOrNull(node.filter);
  }

  open(): void {
    this.rescan();
  }

  rescan(): void {
    this.iterators = [];
    this.advanced = 0;
    this.hasItem = false;
    this.ordinal = 0;
    this.pending = false;
  }

  close(): void {
    this.rescan();
  }

  next(): boolean {
    const { state, filter } = this;
    const { frame } = state;
    while (this.iterators.length < this.functions.length)
      this.iterators.push(this.functions[this.iterators.length]!.start(frame));
    for (;;) {
      if (!this.pending) {
        state.tick();
        if (!this.advance(this.iterators)) return false;
        this.pending = true;
      }
      const passes = filter === null || filter(frame);
      this.pending = false;
      if (passes) return true;
    }
  }

  /** Takes one item of every function; shorter sets are filled up with NULLs. */
  private advance(iterators: (Iterator<Item> | null)[]): boolean {
    const { frame } = this.state;
    for (; this.advanced < iterators.length; this.advanced++) {
      const index = this.advanced;
      const { slots, spread } = this.functions[index]!;
      const item = iterators[index]?.next();
      if (item === undefined || item.done === true) {
        iterators[index] = null;
        for (const slot of slots) frame[slot] = null;
        continue;
      }
      this.hasItem = true;
      writeItem(frame, slots, item.value, spread);
    }
    const any = this.hasItem;
    this.advanced = 0;
    this.hasItem = false;
    if (any && this.node.ordinalitySlot >= 0) frame[this.node.ordinalitySlot] = BigInt(++this.ordinal);
    return any;
  }
}

function writeItem(frame: Datum[], slots: readonly number[], value: Item, spread: boolean): void {
  if (Array.isArray(value)) {
    const row = value as readonly Datum[];
    for (let column = 0; column < slots.length; column++) frame[slots[column]!] = row[column] ?? null;
  } else if (spread || (slots.length > 1 && value instanceof SqlRecord)) {
    const fields = value === null ? [] : (value as SqlRecord).fields;
    for (let column = 0; column < slots.length; column++) frame[slots[column]!] = fields[column] ?? null;
  } else if (slots.length > 0) frame[slots[0]!] = value as Datum;
}

interface SetCell {
  value: Datum;
  start: StartSet;
  /** How a row becomes a value. */
  shape: () => RowShape;
  iterator: Iterator<Item> | null;
}

export class ProjectSet implements Operator {
  private readonly state: ExecutionState;
  private readonly child: Operator;
  private readonly exprs: { run: Evaluate; slot: number }[];
  private readonly cells: SetCell[] = [];
  private phase: 'fetch' | 'start' | 'emit' = 'fetch';
  private started = 0;
  private stepped = false;
  /** Cells that have given their item of the present row. */
  private advanced = 0;
  private hasItem = false;
  private projected = 0;

  constructor(state: ExecutionState, node: ProjectSetNode, child: Operator) {
    this.state = state;
    this.child = child;
    this.exprs = node.exprs.map(({ expr, slot }) => ({ run: this.compile(expr), slot }));
  }

  /** Set calls inside the expression become cells; the rest of it is evaluated for every combination. */
  private compile(expr: PlanExpr): Evaluate {
    const { state } = this;
    const found = new Map<PlanExpr, SetCell>();
    const compiler = new ExpressionCompiler(state, state.environment.resolver);
    const visit = (node: PlanExpr): void => {
      if (isSetCall(node)) {
        for (const arg of node.args) {
          if (containsSetCall(arg)) throw notSupported('a set-returning function as argument of another');
        }
        const cell: SetCell = { value: null, ...compileSet(compiler, node), iterator: null };
        found.set(node, cell);
        this.cells.push(cell);
        return;
      }
      for (const child of expressionChildren(node)) visit(child);
    };
    visit(expr);
    compiler.cellOf = (node) => {
      const cell = found.get(node);
      return cell === undefined ? null : () => cell.value;
    };
    return compiler.compile(expr);
  }

  open(): void {
    this.child.open();
    this.restart();
  }

  rescan(): void {
    this.child.rescan();
    this.restart();
  }

  private restart(): void {
    this.phase = 'fetch';
    this.started = 0;
    this.stepped = false;
    this.advanced = 0;
    this.hasItem = false;
    this.projected = 0;
  }

  close(): void {
    this.child.close();
    for (const cell of this.cells) cell.iterator = null;
  }

  next(): boolean {
    const { state, cells } = this;
    const { frame } = state;
    for (;;) {
      if (this.phase === 'fetch') {
        if (!this.child.next()) return false;
        this.phase = 'start';
        this.started = 0;
      }
      if (this.phase === 'start') {
        for (; this.started < cells.length; this.started++) {
          const cell = cells[this.started]!;
          cell.iterator = cell.start(frame);
        }
        this.phase = 'emit';
        this.stepped = false;
      }
      if (!this.stepped) {
        state.tick();
        for (; this.advanced < cells.length; this.advanced++) {
          const cell = cells[this.advanced]!;
          const item = cell.iterator?.next();
          if (item === undefined || item.done === true) {
            cell.iterator = null;
            cell.value = null;
          } else {
            this.hasItem = true;
            cell.value = item.value as Datum;
            if (Array.isArray(item.value)) {
              const { typeOid, types, names } = cell.shape();
              cell.value = new SqlRecord(typeOid, item.value, types, names);
            }
          }
        }
        const any = this.hasItem;
        this.advanced = 0;
        this.hasItem = false;
        if (!any) {
          this.phase = 'fetch';
          continue;
        }
        this.projected = 0;
        this.stepped = true;
      }
      for (; this.projected < this.exprs.length; this.projected++) {
        const { run, slot } = this.exprs[this.projected]!;
        frame[slot] = run(frame);
      }
      this.stepped = false;
      return true;
    }
  }
}

function containsSetCall(expr: PlanExpr): boolean {
  return isSetCall(expr) || expressionChildren(expr).some(containsSetCall);
}
