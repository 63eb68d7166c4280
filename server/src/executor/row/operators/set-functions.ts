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
  /** Whether its arguments have been evaluated for the present input row. */
  isStarted: boolean;
}

interface Projection {
  run: Evaluate;
  slot: number;
}

/**
 * Set-returning functions in a SELECT list. One pass over the list gives a row: every set gives its next item, every other expression is
 * evaluated, in the order of the list. The pass in which no set has an item left gives none, but its expressions were evaluated too.
 */
export class ProjectSet implements Operator {
  private readonly state: ExecutionState;
  private readonly child: Operator;
  /** Sets and expressions without one, in order. */
  private readonly steps: (SetCell | Projection)[] = [];
  /** What is made of the sets' items. */
  private readonly made: Projection[] = [];
  private phase: 'fetch' | 'pass' | 'make' = 'fetch';
  /** Steps of the present pass that are done. */
  private advanced = 0;
  private hasItem = false;
  private projected = 0;

  constructor(state: ExecutionState, node: ProjectSetNode, child: Operator) {
    this.state = state;
    this.child = child;
    for (const { expr, slot } of node.exprs) {
      const projection = { run: this.compile(expr), slot };
      (containsSetCall(expr) ? this.made : this.steps).push(projection);
    }
  }

  /** Set calls inside the expression become cells, and steps. */
  private compile(expr: PlanExpr): Evaluate {
    const { state } = this;
    const found = new Map<PlanExpr, SetCell>();
    const compiler = new ExpressionCompiler(state, state.environment.resolver);
    const visit = (node: PlanExpr): void => {
      if (isSetCall(node)) {
        for (const arg of node.args) {
          if (containsSetCall(arg)) throw notSupported('a set-returning function as argument of another');
        }
        const cell: SetCell = {
          value: null,
          ...compileSet(compiler, node),
          iterator: null,
          isStarted: false,
        };
        found.set(node, cell);
        this.steps.push(cell);
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
    this.advanced = 0;
    this.hasItem = false;
    this.projected = 0;
    this.dropSets();
  }

  private dropSets(): void {
    for (const step of this.steps) {
      if (!('start' in step)) continue;
      step.iterator = null;
      step.isStarted = false;
    }
  }

  close(): void {
    this.child.close();
    this.dropSets();
  }

  next(): boolean {
    const { state } = this;
    const { frame } = state;
    for (;;) {
      if (this.phase === 'fetch') {
        if (!this.child.next()) return false;
        this.dropSets();
        this.phase = 'pass';
      }
      if (this.phase === 'pass') {
        state.tick();
        for (; this.advanced < this.steps.length; this.advanced++) {
          const step = this.steps[this.advanced]!;
          if ('start' in step) this.advance(step);
          else frame[step.slot] = step.run(frame);
        }
        const any = this.hasItem;
        this.advanced = 0;
        this.hasItem = false;
        this.projected = 0;
        this.phase = any ? 'make' : 'fetch';
        if (!any) continue;
      }
      for (; this.projected < this.made.length; this.projected++) {
        const { run, slot } = this.made[this.projected]!;
        frame[slot] = run(frame);
      }
      this.phase = 'pass';
      return true;
    }
  }

  private advance(cell: SetCell): void {
    if (!cell.isStarted) {
      cell.iterator = cell.start(this.state.frame);
      cell.isStarted = true;
    }
    const item = cell.iterator?.next();
    if (item === undefined || item.done === true) {
      cell.iterator = null;
      cell.value = null;
      return;
    }
    this.hasItem = true;
    cell.value = item.value as Datum;
    if (Array.isArray(item.value)) {
      const { typeOid, types, names } = cell.shape();
      cell.value = new SqlRecord(typeOid, item.value, types, names);
    }
  }
}

function containsSetCall(expr: PlanExpr): boolean {
  return isSetCall(expr) || expressionChildren(expr).some(containsSetCall);
}
