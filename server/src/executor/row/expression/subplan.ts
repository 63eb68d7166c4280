/**
 * Subqueries inside expressions.
 *
 * A {@link SubplanRunner} owns the operator tree of one subplan and keeps its progress: when the tree suspends, the signal
 * passes through the expression, and evaluating the expression again finds the runner in the middle and goes on. Results are remembered by
 * the outer values (`parameters`), so a finished subplan answers again without running.
 */
import { DbError, internalError, notSupported } from '../../../base/error.ts';
import { isSuspension } from '../../../base/suspend.ts';
import type { SubPlanExpr } from '../../../planner/physical.ts';
import { type Datum, SqlArray } from '../../../types/datum.ts';
import { isInt32Key, type KeyColumn, KeyTable, keyOf } from '../keys.ts';
import { buildOperator } from '../operators/build.ts';
import type { Operator } from '../operators/operator.ts';
import { dependencies } from '../walk.ts';
import { type Compiled, dynamic, type Evaluate, type ExpressionCompiler } from './compile.ts';

/** Results remembered per subplan; then the memo starts afresh. */
const MEMO_ENTRIES_MAX = 4096;
const MEMO_VALUE_CHARACTERS_MAX = 256;

/** Consumes the subplan's rows for one evaluation. */
interface Collector {
  begin(frame: Datum[]): void;
  /** Takes the row in the frame; true = the answer is known. */
  row(frame: Datum[]): boolean;
  result(): Datum;
}

export class SubplanRunner {
  readonly root: Operator;
  private readonly parameters: readonly number[];
  private readonly memoizes: boolean;
  private collector: Collector;
  private phase: 'idle' | 'running' = 'idle';
  private opened = false;
  private current: Datum[] = [];
  private hasLast = false;
  private lastParameters: Datum[] = [];
  private last: Datum = null;
  private readonly memo = new Map<string, Datum>();

  constructor(root: Operator, parameters: readonly number[], memoizes: boolean, collector: Collector) {
    this.root = root;
    this.parameters = parameters;
    this.memoizes = memoizes;
    this.collector = collector;
  }

  /** Forgets everything: a new execution begins. */
  reset(): void {
    if (this.opened) this.root.close();
    this.opened = false;
    this.phase = 'idle';
    this.hasLast = false;
    this.memo.clear();
  }

  evaluate(frame: Datum[]): Datum {
    const { parameters } = this;
    if (this.phase === 'running' && !same(this.current, parameters, frame)) this.phase = 'idle';
    if (this.phase === 'idle') {
      if (this.memoizes && this.hasLast && same(this.lastParameters, parameters, frame)) return this.last;
      const key = this.memoizes && parameters.length > 0 ? memoKey(parameters, frame) : null;
      if (key !== null) {
        const known = this.memo.get(key);
        if (known !== undefined) return known;
      }
      this.current = parameters.map((slot) => frame[slot]!);
      if (this.opened) this.root.rescan();
      else {
        this.root.open();
        this.opened = true;
      }
      this.collector.begin(frame);
      this.phase = 'running';
    }
    try {
      while (this.root.next()) if (this.collector.row(frame)) break;
    } catch (thrown) {
      if (!isSuspension(thrown)) this.phase = 'idle';
      throw thrown;
    }
    const value = this.collector.result();
    this.phase = 'idle';
    this.remember(value, frame);
    return value;
  }

  private remember(value: Datum, frame: Datum[]): void {
    if (!this.memoizes) return;
    this.hasLast = true;
    this.lastParameters = this.current;
    this.last = value;
    if (this.parameters.length === 0) return;
    const key = memoKey(this.parameters, frame);
    if (key === null) return;
    if (this.memo.size >= MEMO_ENTRIES_MAX) this.memo.clear();
    this.memo.set(key, value);
  }
}

function same(values: readonly Datum[], slots: readonly number[], frame: readonly Datum[]): boolean {
  for (let index = 0; index < slots.length; index++) if (values[index] !== frame[slots[index]!]) return false;
  return true;
}

/** Key of the parameter values, or null when they hold something that has no short exact spelling. */
function memoKey(slots: readonly number[], frame: readonly Datum[]): string | null {
  let key = '';
  for (const slot of slots) {
    const value = frame[slot]!;
    switch (typeof value) {
      case 'number':
        key += `n${Object.is(value, -0) ? '-0' : value};`;
        break;
      case 'bigint':
        key += `b${value};`;
        break;
      case 'boolean':
        key += value ? 't' : 'f';
        break;
      case 'string':
        if (value.length > MEMO_VALUE_CHARACTERS_MAX) return null;
        key += `s${value.length}:${value}`;
        break;
      default:
        if (value !== null) return null;
        key += '0';
    }
  }
  return key;
}

export function compileSubPlan(compiler: ExpressionCompiler, expr: SubPlanExpr): Compiled {
  const { state } = compiler;
  if (state === null) {
    throw new DbError('feature_not_supported', 'cannot use subquery in this context');
  }
  const plan = state.plan.subplans[expr.plan];
  if (plan === undefined) throw internalError(`subplan ${expr.plan} does not exist`);
  const left = expr.left.map((side) => compiler.node(side).run);
  const runners = state.subplans;
  const site = `${expr.plan}:${runners.size}`;
  const sharedKey = `${expr.plan}:${expr.type}`;
  const shares = expr.type === 'exists' || expr.type === 'scalar' || expr.type === 'array';
  const known = shares ? runners.get(sharedKey) : undefined;
  if (known !== undefined) return dynamic((frame) => known.evaluate(frame));

  const root = buildOperator(plan.root, state);
  const found = dependencies(plan.root, state.plan, state.environment.resolver);
  const slots = [...new Set([...expr.parameters, ...found.slots])];
  const parameters = slots;
  // A volatile subplan runs anew for every evaluation, unless it has no outer values: then it is evaluated once.
  const memoizes = plan.once || slots.length === 0 || !found.volatile;
  const make = (key: string, collector: Collector, remember = memoizes): SubplanRunner => {
    const runner = new SubplanRunner(root, parameters, remember, collector);
    runners.set(key, runner);
    return runner;
  };

  switch (expr.type) {
    case 'exists': {
      const runner = make(sharedKey, new ExistsCollector());
      return dynamic((frame) => runner.evaluate(frame));
    }
    case 'scalar': {
      const slot = plan.outputs[0];
      const value: Evaluate =
        expr.right.length > 0 ? compiler.node(expr.right[0]!).run : (frame) => frame[slot!]!;
      const runner = make(sharedKey, new ScalarCollector(value));
      return dynamic((frame) => runner.evaluate(frame));
    }
    case 'array': {
      const slot = plan.outputs[0];
      const value: Evaluate =
        expr.right.length > 0 ? compiler.node(expr.right[0]!).run : (frame) => frame[slot!]!;
      const elementType = state.environment.resolver.typeSupport(expr.typeOid).elementType ?? 25;
      const runner = make(sharedKey, new ArrayCollector(value, elementType));
      return dynamic((frame) => runner.evaluate(frame));
    }
    case 'rowCompare': {
      const runner = make(site, new RowCompareCollector(compiler, expr, left), false);
      return dynamic((frame) => runner.evaluate(frame));
    }
    case 'any':
    case 'all': {
      const isEquality = expr.operatorOids.every((oid) => compiler.resolver.operatorName(oid) === '=');
      if (expr.type === 'any' && expr.hashable && slots.length === 0 && isEquality && !found.volatile) {
        const table = new HashedAny(compiler, expr);
        const runner = make(site, table);
        return dynamic((frame) => {
          runner.evaluate(frame);
          return table.probe(left, frame);
        });
      }
      const runner = make(site, new QuantifiedCollector(compiler, expr, left), false);
      return dynamic((frame) => runner.evaluate(frame));
    }
    default:
      throw notSupported(`subquery of kind ${expr.type}`);
  }
}

class ExistsCollector implements Collector {
  private found = false;
  begin(): void {
    this.found = false;
  }
  row(): boolean {
    this.found = true;
    return true;
  }
  result(): Datum {
    return this.found;
  }
}

class ScalarCollector implements Collector {
  private readonly value: Evaluate;
  private rows = 0;
  private found: Datum = null;
  constructor(value: Evaluate) {
    this.value = value;
  }
  begin(): void {
    this.rows = 0;
    this.found = null;
  }
  row(frame: Datum[]): boolean {
    if (++this.rows > 1) {
      throw new DbError(
        'cardinality_violation',
        'more than one row returned by a subquery used as an expression',
      );
    }
    this.found = this.value(frame);
    return false;
  }
  result(): Datum {
    return this.found;
  }
}

class ArrayCollector implements Collector {
  private readonly value: Evaluate;
  private readonly elementType: number;
  private elements: Datum[] = [];
  constructor(value: Evaluate, elementType: number) {
    this.value = value;
    this.elementType = elementType;
  }
  begin(): void {
    this.elements = [];
  }
  row(frame: Datum[]): boolean {
    this.elements.push(this.value(frame));
    return false;
  }
  result(): Datum {
    const first = this.elements[0];
    if (first instanceof SqlArray) {
      const all = this.elements.flatMap((element) => [...(element as SqlArray).elements]);
      return new SqlArray(this.elementType, all, [this.elements.length, ...first.dimensions]);
    }
    return new SqlArray(this.elementType, this.elements);
  }
}

/** Compares the left values with one row; null = unknown. */
type RowComparison = (values: readonly Datum[], frame: Datum[]) => boolean | null;

function rowComparison(compiler: ExpressionCompiler, expr: SubPlanExpr): RowComparison {
  const right = expr.right.map((side) => compiler.node(side).run);
  const names = expr.operatorOids.map((oid) => compiler.resolver.operatorName(oid));
  const resolved = expr.operatorOids.map((oid, index) =>
    compiler.resolver.scalar(compiler.resolver.operatorFunction(oid), {
      argumentTypes: [expr.left[index]!.typeOid, expr.right[index]!.typeOid],
      resultType: 16,
      variadic: false,
      collation: 0,
    }),
  );
  const isDisjunction = names.length > 1 && names.every((name) => name === '<>');
  return (values, frame) => {
    let unknown = false;
    for (let index = 0; index < resolved.length; index++) {
      const { call, strict } = resolved[index]!;
      const a = values[index]!;
      const b = right[index]!(frame);
      const result = strict && (a === null || b === null) ? null : call(a, b);
      if (result === null) unknown = true;
      else if (result === isDisjunction) return isDisjunction;
    }
    return unknown ? null : !isDisjunction;
  };
}

class QuantifiedCollector implements Collector {
  private readonly left: readonly Evaluate[];
  private readonly compare: RowComparison;
  private readonly any: boolean;
  private values: Datum[] = [];
  private decided = false;
  private unknown = false;
  constructor(compiler: ExpressionCompiler, expr: SubPlanExpr, left: readonly Evaluate[]) {
    this.left = left;
    this.compare = rowComparison(compiler, expr);
    this.any = expr.type === 'any';
  }
  begin(frame: Datum[]): void {
    this.values = this.left.map((side) => side(frame));
    this.decided = false;
    this.unknown = false;
  }
  row(frame: Datum[]): boolean {
    const result = this.compare(this.values, frame);
    if (result === null) this.unknown = true;
    else if (result === this.any) this.decided = true;
    return this.decided;
  }
  result(): Datum {
    if (this.decided) return this.any;
    return this.unknown ? null : !this.any;
  }
}

class RowCompareCollector implements Collector {
  private readonly left: readonly Evaluate[];
  private readonly right: readonly Evaluate[];
  private readonly orders: ((left: Datum, right: Datum) => number)[];
  private readonly name: string;
  private values: Datum[] = [];
  private rows = 0;
  private answer: Datum = null;
  constructor(compiler: ExpressionCompiler, expr: SubPlanExpr, left: readonly Evaluate[]) {
    this.left = left;
    this.right = expr.right.map((side) => compiler.node(side).run);
    this.orders = expr.left.map((side, index) => compiler.comparer(side.typeOid, expr.right[index]!.typeOid));
    this.name = compiler.resolver.operatorName(expr.operatorOids[0]!);
  }
  begin(frame: Datum[]): void {
    this.values = this.left.map((side) => side(frame));
    this.rows = 0;
    this.answer = null;
  }
  row(frame: Datum[]): boolean {
    if (++this.rows > 1) {
      throw new DbError(
        'cardinality_violation',
        'more than one row returned by a subquery used as an expression',
      );
    }
    this.answer = this.compare(frame);
    return false;
  }
  private compare(frame: Datum[]): Datum {
    const { name } = this;
    const isEquality = name === '=' || name === '<>';
    let unknown = false;
    for (let index = 0; index < this.orders.length; index++) {
      const a = this.values[index]!;
      const b = this.right[index]!(frame);
      if (a === null || b === null) {
        if (!isEquality) return null;
        unknown = true;
        continue;
      }
      const order = this.orders[index]!(a, b);
      if (order === 0) continue;
      if (isEquality) return name === '<>';
      return name.startsWith('<') ? order < 0 : order > 0;
    }
    if (unknown) return null;
    return name === '=' || name.endsWith('=');
  }
  result(): Datum {
    return this.answer;
  }
}

/** `(a, b) IN (subquery)` through a key table over the subquery's rows. */
class HashedAny implements Collector {
  private readonly right: readonly Evaluate[];
  private readonly leftColumns: KeyColumn[];
  private readonly table: KeyTable;
  /** Rows with a NULL among their keys, and all rows when a probe itself has one. */
  private readonly rows: Datum[][] = [];
  private readonly withNull: Datum[][] = [];
  private readonly equals: ((left: Datum, right: Datum) => Datum)[];
  private readonly single: boolean;
  private hasNull = false;

  constructor(compiler: ExpressionCompiler, expr: SubPlanExpr) {
    const { resolver } = compiler;
    this.right = expr.right.map((side) => compiler.node(side).run);
    this.single = expr.right.length === 1;
    const columns = expr.right.map((side, index): KeyColumn => {
      const rightType = side.typeOid;
      const leftType = expr.left[index]!.typeOid;
      return {
        int32: isInt32Key(rightType) && isInt32Key(leftType),
        keyOf: keyOf(rightType, () => resolver.typeSupport(rightType)),
      };
    });
    this.leftColumns = expr.left.map((side, index) => ({
      int32: columns[index]!.int32,
      keyOf: keyOf(side.typeOid, () => resolver.typeSupport(side.typeOid)),
    }));
    this.table = new KeyTable(columns);
    this.equals = expr.operatorOids.map((oid, index) =>
      compiler.operator(resolver.operatorFunction(oid), [expr.left[index]!, expr.right[index]!], 16, 0),
    );
  }

  begin(): void {
    this.table.clear();
    this.rows.length = 0;
    this.withNull.length = 0;
    this.hasNull = false;
  }

  row(frame: Datum[]): boolean {
    const values = this.right.map((side) => side(frame));
    const isNull = values.some((value) => value === null);
    if (this.single) {
      if (isNull) this.hasNull = true;
    } else {
      if (isNull) this.withNull.push(values);
      this.rows.push(values);
    }
    if (isNull) return false;
    this.table.begin();
    for (let index = 0; index < values.length; index++) this.table.put(index, values[index]!);
    this.table.insert();
    return false;
  }

  result(): Datum {
    return true;
  }

  probe(left: readonly Evaluate[], frame: Datum[]): Datum {
    const values = left.map((side) => side(frame));
    if (values.every((value) => value !== null)) {
      if (this.contains(values)) return true;
      if (this.single) return this.hasNull ? null : false;
      return this.withNull.some((row) => this.maybeEqual(values, row)) ? null : false;
    }
    if (this.single) return this.table.count > 0 || this.hasNull ? null : false;
    return this.rows.some((row) => this.maybeEqual(values, row)) ? null : false;
  }

  private contains(values: readonly Datum[]): boolean {
    const { table } = this;
    table.begin();
    for (let index = 0; index < values.length; index++) {
      if (!table.seekBy(index, values[index]!, this.leftColumns[index]!.keyOf)) return false;
    }
    return table.find() >= 0;
  }

  /** No column is known to differ. */
  private maybeEqual(values: readonly Datum[], row: readonly Datum[]): boolean {
    for (let index = 0; index < values.length; index++) {
      const a = values[index]!;
      const b = row[index]!;
      if (a !== null && b !== null && this.equals[index]!(a, b) !== true) return false;
    }
    return true;
  }
}
