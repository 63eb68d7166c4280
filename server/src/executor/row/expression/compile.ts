/**
 * Expressions as closures over the statement's frame.
 *
 * `compile` answers a function from the frame to a Datum, `test` one to "is true" (NULL counts as false), which saves the
 * three-valued detour wherever a condition is only asked for truth. Common shapes get closures of their own; immutable
 * subtrees over constants are computed once (an error in one is kept for run time, as a branch may never be taken).
 * An expression that may be left by a suspension is simply evaluated again: subplans keep their progress, and when there is more
 * than one point of suspension the results of volatile calls are kept until the whole expression is through.
 */

import { DbError, internalError, notSupported } from '../../../base/error.ts';
import { isSuspension } from '../../../base/suspend.ts';
import { isWorkLimited, limitWork, restoreWork, TooMuchWork } from '../../../base/work.ts';
import type { PlanExpr } from '../../../planner/physical.ts';
import type { FunctionExpr, OperatorExpr, ParamExpr, VarExpr } from '../../../sql/tree.ts';
import type { Datum } from '../../../types/datum.ts';
import { SqlRecord } from '../../../types/datum.ts';
import { changesSign, relabelled } from '../../../types/relabel.ts';
import type { FunctionResolver } from '../../functions.ts';
import { candidateOf } from '../../offload/shippable.ts';
import { charge, charged, inputWeight, WORK_LIMIT } from '../../offload/weight.ts';
import type { BoundRoutine, Invocation } from '../../routines.ts';
import type { ExecutionState } from '../../state.ts';
import { suspensionPoints } from '../walk.ts';
import { compileArray, compileArrayCast, compileArrayOperator, compileSubscript } from './arrays.ts';
import { comparisonTest, comparisonValue, looseComparison } from './comparison.ts';
import { compileBoolean, compileBooleanTest, compileCase, compileNullTest } from './conditional.ts';
import { compileDomainCast } from './domain.ts';
import { likeMatcher } from './like.ts';
import { offloaded } from './offload.ts';
import { compileSqlValue } from './sql-value.ts';
import { compileSubPlan } from './subplan.ts';

export type Evaluate = (frame: Datum[]) => Datum;
export type Test = (frame: Datum[]) => boolean;

/** A compiled node; `constant` ones have their value at hand. */
export interface Compiled {
  readonly run: Evaluate;
  readonly constant: boolean;
  readonly value: Datum;
}

/**
 * Memory of one place in an expression over suspensions. Where one compiled expression serves several activations of a function at once,
 * it lies in the activation's frame.
 */
interface Cell {
  get(frame: Datum[]): unknown;
  set(frame: Datum[], value: unknown): void;
}

/** Units a character of a text that a pattern is searched in. */
const LIKE_WEIGHT = 0.25;

/** A kept NULL, told from nothing kept. */
const KEPT_NULL = Symbol('NULL');

export function constant(value: Datum): Compiled {
  return { run: () => value, constant: true, value };
}
export function dynamic(run: Evaluate): Compiled {
  return { run, constant: false, value: null };
}

export interface CompilerOptions {
  /** What a Var means: plans have none; row expressions (checks, defaults) read column `attribute - 1` of the row given as frame. */
  readonly variable?: (expr: VarExpr) => Evaluate;
  /** What $n means; default: the statement's parameters. */
  readonly parameter?: (number: number, expr: ParamExpr) => Evaluate;
  /** Gives a place in the frame for what must survive a suspension; default: beside the expression. */
  readonly newSlot?: () => number;
  /** Without a statement: whether evaluations may wait for another thread. */
  readonly mayOffload?: boolean;
}

export class ExpressionCompiler {
  /** Null when expressions are compiled outside a statement (checks of index predicates, constants). */
  readonly state: ExecutionState | null;
  readonly resolver: FunctionResolver;
  /** Cells of the CASE arguments (or array elements) around the node being compiled, innermost last. */
  readonly caseCells: { value: Datum }[] = [];
  private readonly options: CompilerOptions;
  private volatileCells: Cell[] | null = null;
  /** Heavy parts may move to another thread: only where a suspension can be borne. */
  private readonly mayOffload: boolean;
  private isOffloaded = false;
  /** Nodes that were computed before the node around them is. */
  private readonly given = new Map<PlanExpr, Evaluate>();
  /** Where the value of a set-returning call comes from (projectSet); null = not one of them. */
  cellOf: ((expr: PlanExpr) => Evaluate | null) | null = null;

  constructor(state: ExecutionState | null, resolver: FunctionResolver, options: CompilerOptions = {}) {
    this.state = state;
    this.resolver = resolver;
    this.options = options;
    this.mayOffload = state !== null || options.mayOffload === true;
  }

  /** The expression's value. */
  compile(expr: PlanExpr): Evaluate {
    return this.guarded(expr, () => this.node(expr).run);
  }

  /** "Is true": false for false and NULL. */
  test(expr: PlanExpr): Test {
    return this.guarded(expr, () => this.testNode(expr));
  }

  testOrNull(expr: PlanExpr | null): Test | null {
    return expr === null ? null : this.test(expr);
  }

  compileAll(exprs: readonly PlanExpr[]): Evaluate[] {
    return exprs.map((expr) => this.compile(expr));
  }

  private guarded<T extends Evaluate | Test>(expr: PlanExpr, build: () => T): T {
    if (suspensionPoints(expr, this.resolver) < 2) return build();
    const outer = this.volatileCells;
    const cells: Cell[] = [];
    this.volatileCells = cells;
    const run = build();
    this.volatileCells = outer;
    if (cells.length === 0) return run;
    const clear = (frame: Datum[]): void => {
      for (const cell of cells) cell.set(frame, null);
    };
    return ((frame: Datum[]) => {
      try {
        const value = run(frame);
        clear(frame);
        return value;
      } catch (thrown) {
        if (!isSuspension(thrown)) clear(frame);
        throw thrown;
      }
    }) as T;
  }

  private newCell(): Cell {
    const { newSlot } = this.options;
    if (newSlot !== undefined) {
      const slot = newSlot();
      return {
        get: (frame) => frame[slot] ?? null,
        set: (frame, value) => {
          frame[slot] = value as Datum;
        },
      };
    }
    const cell: { pending: unknown } = { pending: null };
    this.state?.calls.push(cell);
    return {
      get: () => cell.pending,
      set: (_, value) => {
        cell.pending = value;
      },
    };
  }

  testNode(expr: PlanExpr): Test {
    switch (expr.kind) {
      case 'bool': {
        if (expr.op === 'not') break;
        const tests = expr.args.map((arg) => this.testNode(arg));
        return expr.op === 'and' ? conjunction(tests) : disjunction(tests);
      }
      case 'operator':
      case 'function': {
        if (expr.args.length !== 2) break;
        const test = comparisonTest(this, expr);
        if (test !== null) return test;
        break;
      }
      case 'nullTest': {
        if (expr.argIsRow) break;
        const run = this.node(expr.arg).run;
        return expr.isNull ? (frame) => run(frame) === null : (frame) => run(frame) !== null;
      }
      default:
        break;
    }
    const compiled = this.node(expr);
    if (compiled.constant) {
      const value = compiled.value === true;
      return () => value;
    }
    const { run } = compiled;
    return (frame) => run(frame) === true;
  }

  node(expr: PlanExpr): Compiled {
    const given = this.given.get(expr);
    if (given !== undefined) return dynamic(given);
    if (this.mayOffload && !this.isOffloaded) {
      const moved = this.offloadedNode(expr);
      if (moved !== null) return moved;
    }
    return this.plainNode(expr);
  }

  /** The expression under a budget of work, with another thread behind it; null when it cannot move or needs not. */
  private offloadedNode(expr: PlanExpr): Compiled | null {
    const host = this.resolver.offload;
    if (host === undefined) return null;
    const candidate = candidateOf(expr, this.resolver);
    if (candidate === null) return null;
    const cells = new Map<PlanExpr, { run: Evaluate; value: Datum }>();
    for (const input of candidate.computed) cells.set(input, { run: this.node(input).run, value: null });
    for (const [input, cell] of cells) this.given.set(input, () => cell.value);
    this.isOffloaded = true;
    const inner = this.plainNode(expr);
    const inputs = candidate.inputs.map((input) => this.node(input).run);
    this.isOffloaded = false;
    for (const input of cells.keys()) this.given.delete(input);
    if (inner.constant) return inner;
    const cell = this.newCell();
    return dynamic(
      offloaded({
        host,
        shipment: candidate.shipment,
        inner: inner.run,
        inputs,
        computed: [...cells.values()],
        get: (frame) => cell.get(frame),
        set: (frame, value) => cell.set(frame, value),
      }),
    );
  }

  private plainNode(expr: PlanExpr): Compiled {
    switch (expr.kind) {
      case 'const':
        return constant(expr.value);
      case 'slot': {
        const slot = expr.slot;
        return dynamic((frame) => frame[slot]!);
      }
      case 'var': {
        const { variable } = this.options;
        if (variable === undefined)
          throw internalError(`column reference ${expr.relation}.${expr.attribute} in a plan`);
        return dynamic(variable(expr));
      }
      case 'param':
        return this.options.parameter !== undefined
          ? dynamic(this.options.parameter(expr.number, expr))
          : this.parameter(expr.number);
      case 'function':
      case 'operator':
        return this.call(expr);
      case 'distinct': {
        const left = this.node(expr.args[0]).run;
        const right = this.node(expr.args[1]).run;
        const equal = this.operator(expr.functionOid, expr.args, expr.typeOid, expr.collation);
        return dynamic((frame) => {
          const a = left(frame);
          const b = right(frame);
          if (a === null || b === null) return a !== b;
          return equal(a, b) !== true;
        });
      }
      case 'nullif': {
        const left = this.node(expr.args[0]).run;
        const right = this.node(expr.args[1]).run;
        const equal = this.operator(expr.functionOid, expr.args, 16, expr.collation);
        return dynamic((frame) => {
          const a = left(frame);
          if (a === null) return null;
          const b = right(frame);
          return b !== null && equal(a, b) === true ? null : a;
        });
      }
      case 'arrayOperator':
        return compileArrayOperator(this, expr);
      case 'bool':
        return compileBoolean(this, expr);
      case 'nullTest':
        return compileNullTest(this, expr);
      case 'booleanTest':
        return compileBooleanTest(this, expr);
      case 'case':
        return compileCase(this, expr);
      case 'caseTest': {
        const cell = this.caseCells.at(-1);
        if (cell === undefined) throw internalError('CASE test value outside its expression');
        return dynamic(() => cell.value);
      }
      case 'coalesce': {
        const args = expr.args.map((arg) => this.node(arg).run);
        return dynamic((frame) => {
          for (const arg of args) {
            const value = arg(frame);
            if (value !== null) return value;
          }
          return null;
        });
      }
      case 'minmax': {
        const args = expr.args.map((arg) => this.node(arg).run);
        const support = this.resolver.typeSupport(expr.typeOid);
        const sign = expr.op === 'greatest' ? 1 : -1;
        return dynamic((frame) => {
          let best: Datum = null;
          for (const arg of args) {
            const value = arg(frame);
            if (value !== null && (best === null || support.compare!(value, best) * sign > 0)) best = value;
          }
          return best;
        });
      }
      case 'array':
        return compileArray(this, expr);
      case 'row': {
        const args = expr.args.map((arg) => this.node(arg).run);
        const types = expr.args.map((arg) => arg.typeOid);
        const { typeOid, fieldNames } = expr;
        return dynamic(
          (frame) =>
            new SqlRecord(
              typeOid,
              args.map((arg) => arg(frame)),
              types,
              fieldNames,
            ),
        );
      }
      case 'rowCompare':
        return this.rowCompare(expr.op, expr.left, expr.right);
      case 'relabel': {
        const arg = this.node(expr.arg);
        const [from, to] = [expr.arg.typeOid, expr.typeOid];
        if (!changesSign(from, to)) return arg;
        if (arg.constant) return constant(relabelled(arg.value, from, to));
        return dynamic((frame) => relabelled(arg.run(frame), from, to));
      }
      case 'collate':
        return this.node(expr.arg);
      case 'domainCast':
        return compileDomainCast(this, expr);
      case 'ioCast': {
        const arg = this.node(expr.arg);
        const source = this.resolver.typeSupport(expr.arg.typeOid);
        const target = this.resolver.typeSupport(expr.typeOid);
        const { typmod } = expr;
        const { context } = this.resolver;
        const run: Evaluate = (frame) => {
          const value = arg.run(frame);
          return value === null
            ? null
            : target.input(source.output(value, context.format), typmod, context.format);
        };
        if (this.isOffloaded) {
          const read = inputWeight(target.name);
          const write = inputWeight(source.name);
          return dynamic((frame) => {
            const value = arg.run(frame);
            if (value === null) return null;
            if (isWorkLimited()) charge(value, write);
            const text = source.output(value, context.format);
            if (isWorkLimited()) charge(text, read);
            return target.input(text, typmod, context.format);
          });
        }
        return arg.constant && arg.value === null ? constant(null) : dynamic(run);
      }
      case 'arrayCast':
        return compileArrayCast(this, expr);
      case 'subscript':
        return compileSubscript(this, expr);
      case 'fieldSelect': {
        const arg = this.node(expr.arg).run;
        const index = expr.field - 1;
        return dynamic((frame) => {
          const value = arg(frame);
          return value === null ? null : ((value as SqlRecord).fields[index] ?? null);
        });
      }
      case 'fieldStore': {
        const arg = this.node(expr.arg).run;
        const values = expr.values.map((value) => this.node(value).run);
        const { fields, typeOid } = expr;
        const shape = this.resolver.compositeShape?.(typeOid) ?? { types: [], names: [] };
        return dynamic((frame) => {
          const record = arg(frame) as SqlRecord | null;
          const stored: Datum[] = record === null ? shape.types.map(() => null) : [...record.fields];
          for (let index = 0; index < fields.length; index++)
            stored[fields[index]! - 1] = values[index]!(frame);
          return new SqlRecord(
            typeOid,
            stored,
            record?.fieldTypes ?? shape.types,
            record?.fieldNames ?? shape.names,
          );
        });
      }
      case 'sqlValue':
        return compileSqlValue(this, expr);
      case 'currentOf': {
        const site = { argumentTypes: [19, 26], resultType: expr.typeOid, variadic: false, collation: 0 };
        const rowOf = this.resolver.builtin('current_of', site);
        return dynamic(() => rowOf(expr.cursorName, expr.relationOid));
      }
      case 'subPlan':
        return compileSubPlan(this, expr);
      case 'aggregate':
      case 'grouping':
      case 'window':
      case 'subLink':
      case 'default':
        throw internalError(`expression kind ${expr.kind} reached execution`);
      default: {
        const never: never = expr;
        throw internalError(`unexpected expression ${JSON.stringify(never)}`);
      }
    }
  }

  private parameter(number: number): Compiled {
    const { state } = this;
    const index = number - 1;
    if (state === null) {
      return dynamic(() => {
        throw new DbError('undefined_parameter', `there is no parameter $${number}`);
      });
    }
    return dynamic(() => {
      const value = state.environment.parameters[index];
      if (value === undefined)
        throw new DbError('undefined_parameter', `no value found for parameter ${number}`);
      return value;
    });
  }

  /** Binds the function of an operator to two operands that are never NULL (a lax function is asked just the same). */
  operator(
    functionOid: number,
    args: readonly PlanExpr[],
    resultType: number,
    collation: number,
  ): (left: Datum, right: Datum) => Datum {
    const site = { argumentTypes: args.map((arg) => arg.typeOid), resultType, variadic: false, collation };
    return this.resolver.scalar(functionOid, site).call as (left: Datum, right: Datum) => Datum;
  }

  private call(expr: FunctionExpr | OperatorExpr): Compiled {
    if (expr.returnsSet) {
      const cell = this.cellOf?.(expr) ?? null;
      if (cell !== null) return dynamic(cell);
      throw new DbError(
        'feature_not_supported',
        'set-valued function called in context that cannot accept a set',
        { ...(expr.position === undefined ? {} : { position: expr.position }) },
      );
    }
    const args = expr.args.map((arg) => this.node(arg));
    const resolved = this.resolver.scalar(expr.functionOid, {
      argumentTypes: expr.args.map((arg) => arg.typeOid),
      resultType: expr.typeOid,
      variadic: expr.kind === 'function' && expr.variadic,
      collation: expr.args.find((arg) => arg.collation !== 0)?.collation ?? 0,
      ...(expr.kind === 'function' && expr.columns !== undefined ? { columns: expr.columns } : {}),
    });
    if (resolved.strict && args.some((arg) => arg.constant && arg.value === null)) return constant(null);
    if (resolved.routine !== undefined) {
      const call = this.routineCall(
        resolved.routine,
        resolved.strict,
        args.map((arg) => arg.run),
      );
      return dynamic(this.volatileCells === null ? call : this.kept(call));
    }
    const run =
      this.shortCut(expr, resolved.source, args) ??
      directCall(
        this.isOffloaded || this.state === null
          ? charged(resolved.source, resolved.call, args.length)
          : resolved.call,
        resolved.strict,
        args.map((arg) => arg.run),
      );
    if (resolved.volatility === 'i' && args.every((arg) => arg.constant)) return fold(run);
    if (resolved.volatility === 'v' && this.volatileCells !== null) return dynamic(this.kept(run));
    return dynamic(run);
  }

  private shortCut(
    expr: FunctionExpr | OperatorExpr,
    source: string,
    args: readonly Compiled[],
  ): Evaluate | null {
    if (args.length !== 2) return null;
    const [left, right] = args as [Compiled, Compiled];
    if (right.constant && typeof right.value === 'string' && !left.constant) {
      const matcher = likeMatcher(source, right.value);
      if (matcher !== null) {
        const { run } = left;
        if (this.isOffloaded) {
          return (frame) => {
            const value = run(frame);
            if (value === null) return null;
            if (isWorkLimited()) charge(value, LIKE_WEIGHT);
            return matcher(value as string);
          };
        }
        return (frame) => {
          const value = run(frame);
          return value === null ? null : matcher(value as string);
        };
      }
    }
    return comparisonValue(source, left.run, right.run, expr.args[0]!.typeOid);
  }

  /** Keeps the result of a volatile call while the expression around it is suspended. */
  private kept(run: Evaluate): Evaluate {
    const cell = this.newCell();
    this.volatileCells!.push(cell);
    return (frame) => {
      const known = cell.get(frame);
      if (known !== null) return known === KEPT_NULL ? null : (known as Datum);
      const value = run(frame);
      cell.set(frame, value === null ? KEPT_NULL : value);
      return value;
    };
  }

  /** A call of a user function: while it is suspended its invocation waits in a cell, and its arguments are not evaluated again. */
  private routineCall(routine: BoundRoutine, strict: boolean, args: readonly Evaluate[]): Evaluate {
    const cell = this.newCell();
    return (frame) => {
      let invocation = cell.get(frame) as Invocation | null;
      if (invocation === null) {
        const values: Datum[] = [];
        for (const arg of args) {
          const value = arg(frame);
          if (value === null && strict) return null;
          values.push(value);
        }
        invocation = routine.start(values);
      } else cell.set(frame, null);
      try {
        return invocation.run();
      } catch (thrown) {
        if (isSuspension(thrown)) cell.set(frame, invocation);
        throw thrown;
      }
    };
  }

  private rowCompare(
    op: '<' | '<=' | '>=' | '>',
    left: readonly PlanExpr[],
    right: readonly PlanExpr[],
  ): Compiled {
    const lefts = left.map((expr) => this.node(expr).run);
    const rights = right.map((expr) => this.node(expr).run);
    const compares = left.map((expr, index) => this.comparer(expr.typeOid, right[index]!.typeOid));
    return dynamic((frame) => {
      for (let index = 0; index < lefts.length; index++) {
        const a = lefts[index]!(frame);
        const b = rights[index]!(frame);
        if (a === null || b === null) return null;
        const order = compares[index]!(a, b);
        if (order !== 0) return op === '<' || op === '<=' ? order < 0 : order > 0;
      }
      return op === '<=' || op === '>=';
    });
  }

  /** Order of values of two types; different integer types compare by value. */
  comparer(leftType: number, rightType: number): (left: Datum, right: Datum) => number {
    if (leftType === rightType) {
      const support = this.resolver.typeSupport(leftType);
      if (support.compare === undefined) throw notSupported(`comparison of type ${support.name}`);
      return (left, right) => support.compare!(left, right);
    }
    const loose = looseComparison(leftType, rightType);
    if (loose !== null) return loose;
    const support = this.resolver.typeSupport(leftType);
    if (support.compare === undefined) throw notSupported(`comparison of type ${support.name}`);
    return (left, right) => support.compare!(left, right);
  }
}

/** Computes a call over constants now; an error waits until the expression is really evaluated. */
function fold(run: Evaluate): Compiled {
  const outer = limitWork(WORK_LIMIT);
  try {
    return constant(run([]));
  } catch (thrown) {
    if (!(thrown instanceof DbError) && thrown !== TooMuchWork.instance) throw thrown;
    return dynamic(run);
  } finally {
    restoreWork(outer);
  }
}

function directCall(call: (...args: Datum[]) => Datum, strict: boolean, args: readonly Evaluate[]): Evaluate {
  const [first, second, third] = args;
  switch (args.length) {
    case 0:
      return () => call();
    case 1: {
      const a = first!;
      if (!strict) return (frame) => call(a(frame));
      return (frame) => {
        const x = a(frame);
        return x === null ? null : call(x);
      };
    }
    case 2: {
      const a = first!;
      const b = second!;
      if (!strict) return (frame) => call(a(frame), b(frame));
      return (frame) => {
        const x = a(frame);
        if (x === null) return null;
        const y = b(frame);
        return y === null ? null : call(x, y);
      };
    }
    case 3: {
      const a = first!;
      const b = second!;
      const c = third!;
      if (!strict) return (frame) => call(a(frame), b(frame), c(frame));
      return (frame) => {
        const x = a(frame);
        if (x === null) return null;
        const y = b(frame);
        if (y === null) return null;
        const z = c(frame);
        return z === null ? null : call(x, y, z);
      };
    }
    default:
      return (frame) => {
        const values: Datum[] = [];
        for (const arg of args) {
          const value = arg(frame);
          if (value === null && strict) return null;
          values.push(value);
        }
        return call(...values);
      };
  }
}

function conjunction(tests: readonly Test[]): Test {
  const [a, b, c] = tests;
  if (tests.length === 1) return a!;
  if (tests.length === 2) return (frame) => a!(frame) && b!(frame);
  if (tests.length === 3) return (frame) => a!(frame) && b!(frame) && c!(frame);
  return (frame) => {
    for (const test of tests) if (!test(frame)) return false;
    return true;
  };
}

function disjunction(tests: readonly Test[]): Test {
  const [a, b] = tests;
  if (tests.length === 1) return a!;
  if (tests.length === 2) return (frame) => a!(frame) || b!(frame);
  return (frame) => {
    for (const test of tests) if (test(frame)) return true;
    return false;
  };
}
