/** A CALL statement of a body: arguments become closures over the frame. */
import { isSuspension } from '../base/suspend.ts';
import type { Invocation } from '../executor/routines.ts';
import { type Evaluate, ExpressionCompiler } from '../executor/row/expression/compile.ts';
import { analyseCall } from '../sql/analyse/call.ts';
import type { NameHook } from '../sql/analyse/scope.ts';
import type { CallStmt } from '../sql/parse/nodes.ts';
import type { Datum } from '../types/datum.ts';
import type { Activation } from './activation.ts';
import type { Code, Variable } from './code.ts';
import type { Name } from './parse/ast.ts';
import { SqlText, VariableParameters } from './sql-text.ts';

export class CallText extends SqlText {
  /** Variables behind the procedure's output arguments; null where an argument is no variable. */
  outputs: ({ variable: Variable; field: string | null } | null)[] = [];
  outputNames: string[] = [];
  private readonly call: CallStmt;
  private arguments: Evaluate[] = [];
  private bound: ((args: readonly Datum[], isAtomic: boolean) => Invocation) | null = null;

  constructor(code: Code, text: string, names: Name | null, call: CallStmt) {
    super(code, text, 'statement', names);
    this.call = call;
  }

  override value(activation: Activation, frame: Datum[]): Datum {
    if (!this.isCurrent(frame)) this.prepare(activation, frame);
    let invocation = activation.scratch as Invocation | null;
    if (invocation === null) {
      const args = this.arguments.map((run) => run(frame));
      invocation = this.bound!(args, activation.isAtomic);
      activation.scratch = invocation;
    }
    activation.origin = this;
    try {
      const result = invocation.run();
      activation.scratch = null;
      activation.origin = null;
      return result;
    } catch (thrown) {
      if (!isSuspension(thrown)) activation.scratch = null;
      throw thrown;
    }
  }

  override prepare(activation: Activation, frame: Datum[]): void {
    const { session } = activation.manager;
    activation.origin = this;
    this.references = [];
    this.shapes = null;
    const parameters = new VariableParameters((number, position) => this.argument(number, position, frame));
    const names: NameHook = {
      resolve: (_scope, parts, isStar, position, column) =>
        this.resolve(activation, frame, parts, isStar, position, column),
      fieldsOf: (expr) => this.fieldsOf(expr, frame),
    };
    const analysed = analyseCall(this.call, { ...session.analysis(), parameters, names });
    const compiler = new ExpressionCompiler(null, session.resolver, {
      parameter: (number) => this.references[number - 1].read,
      newSlot: () => this.code.slotCount++,
      variable: () => () => null,
    });
    this.arguments = analysed.inputs.map((expr) => compiler.compile(expr));
    this.outputs = analysed.outputs.map(({ expr }) => {
      if (expr === null || expr.kind !== 'param') return null;
      const reference = this.references[expr.number - 1];
      return { variable: reference.variable, field: reference.field };
    });
    this.outputNames = analysed.outputs.map(({ name }) => name);
    this.bound = activation.manager.bindProcedure(analysed);
    this.generation = this.code.generation;
    activation.origin = null;
  }
}
