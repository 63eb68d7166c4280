/** AND, OR, NOT with three-valued logic, IS tests and CASE. */
import type { PlanExpr } from '../../../planner/physical.ts';
import type { BoolExpr, BooleanTestExpr, CaseExpr, NullTestExpr } from '../../../sql/tree.ts';
import { type Datum, SqlRecord } from '../../../types/datum.ts';
import {
  type Compiled,
  constant,
  dynamic,
  type Evaluate,
  type ExpressionCompiler,
  type Test,
} from './compile.ts';

export function compileBoolean(compiler: ExpressionCompiler, expr: BoolExpr): Compiled {
  const compiled = expr.args.map((arg) => compiler.node(arg));
  const args = compiled.map((arg) => arg.run);
  if (expr.op === 'not') {
    const arg = args[0]!;
    if (compiled[0]!.constant) {
      const value = compiled[0]!.value;
      return constant(value === null ? null : !value);
    }
    return dynamic((frame) => {
      const value = arg(frame);
      return value === null ? null : !value;
    });
  }
  const deciding = expr.op === 'or';
  if (compiled.some((arg) => arg.constant && arg.value === deciding)) return constant(deciding);
  return dynamic((frame) => {
    let unknown = false;
    for (const arg of args) {
      const value = arg(frame);
      if (value === deciding) return deciding;
      if (value === null) unknown = true;
    }
    return unknown ? null : !deciding;
  });
}

export function compileNullTest(compiler: ExpressionCompiler, expr: NullTestExpr): Compiled {
  const arg = compiler.node(expr.arg);
  const { run } = arg;
  const wantsNull = expr.isNull;
  if (arg.constant && !expr.argIsRow) return constant((arg.value === null) === wantsNull);
  if (!expr.argIsRow) return dynamic((frame) => (run(frame) === null) === wantsNull);
  return dynamic((frame) => {
    const value = run(frame);
    if (value === null) return wantsNull;
    if (!(value instanceof SqlRecord)) return !wantsNull;
    return value.fields.every((field) => (field === null) === wantsNull);
  });
}

export function compileBooleanTest(compiler: ExpressionCompiler, expr: BooleanTestExpr): Compiled {
  const arg = compiler.node(expr.arg).run;
  switch (expr.test) {
    case 'true':
      return dynamic((frame) => arg(frame) === true);
    case 'notTrue':
      return dynamic((frame) => arg(frame) !== true);
    case 'false':
      return dynamic((frame) => arg(frame) === false);
    case 'notFalse':
      return dynamic((frame) => arg(frame) !== false);
    case 'unknown':
      return dynamic((frame) => arg(frame) === null);
    case 'notUnknown':
      return dynamic((frame) => arg(frame) !== null);
  }
}

export function compileCase(compiler: ExpressionCompiler, expr: CaseExpr): Compiled {
  const cell: { value: Datum } = { value: null };
  const arg = expr.arg === null ? null : compiler.node(expr.arg).run;
  const conditions: Test[] = [];
  const results: Evaluate[] = [];
  for (const when of expr.whens) {
    if (arg !== null) compiler.caseCells.push(cell);
    try {
      conditions.push(compiler.testNode(when.condition as PlanExpr));
    } finally {
      if (arg !== null) compiler.caseCells.pop();
    }
    results.push(compiler.node(when.result).run);
  }
  const otherwise = expr.defaultResult === null ? () => null : compiler.node(expr.defaultResult).run;
  if (arg === null && conditions.length === 1) {
    const condition = conditions[0]!;
    const result = results[0]!;
    return dynamic((frame) => (condition(frame) ? result(frame) : otherwise(frame)));
  }
  return dynamic((frame) => {
    if (arg !== null) cell.value = arg(frame);
    for (let index = 0; index < conditions.length; index++) {
      if (conditions[index]!(frame)) return results[index]!(frame);
    }
    return otherwise(frame);
  });
}
