/** RAISE, ASSERT, GET DIAGNOSTICS. */

import { DbError, type ErrorFields, type Notice } from '../base/error.ts';
import type { ConditionName } from '../base/sqlstate.ts';
import { SQLSTATE } from '../base/sqlstate.ts';
import type { Datum } from '../types/datum.ts';
import type { Activation } from './activation.ts';
import { storeValue } from './assignment.ts';
import type { FunctionCompiler } from './compile.ts';
import type { Expression, RaiseLevel, Statement } from './parse/ast.ts';
import { conditionCodes } from './parse/names.ts';

const TEXT = 25;
const INT8 = 20;

type Of<Kind extends Statement['kind']> = Extract<Statement, { kind: Kind }>;

const SEVERITIES: Readonly<Record<RaiseLevel, Notice['severity'] | 'ERROR'>> = {
  debug: 'DEBUG',
  log: 'LOG',
  info: 'INFO',
  notice: 'NOTICE',
  warning: 'WARNING',
  exception: 'ERROR',
};

interface RaiseOptions {
  code: string | null;
  message: string | null;
  fields: ErrorFields;
}

const FIELD_OF: Readonly<Record<string, keyof ErrorFields>> = {
  detail: 'detail',
  hint: 'hint',
  column: 'column',
  constraint: 'constraint',
  datatype: 'dataType',
  table: 'table',
  schema: 'schema',
};

/** An error of any SQLSTATE. */
export function errorOf(code: string, message: string, fields: ErrorFields): DbError {
  const error = new DbError('raise_exception', message, fields);
  (error as { code: string }).code = code;
  return error;
}

export function compileRaise(compiler: FunctionCompiler, statement: Of<'raise'>): void {
  const { line, level, condition, message } = statement;
  const text = 'at RAISE';
  const isRethrow =
    condition === null && message === null && statement.options.length === 0 && level === 'exception';
  if (isRethrow) {
    compiler.emit(
      (activation) => {
        const { currentError } = activation;
        if (currentError !== null) return activation.raise(currentError);
        throw new DbError(
          'stacked_diagnostics_accessed_without_active_handler',
          'RAISE without parameters cannot be used outside an exception handler',
        );
      },
      line,
      text,
    );
    return;
  }
  const params = statement.params.map((item) => textOf(compiler, item, line, text));
  const options = statement.options.map(({ option, value }) => ({
    option,
    value: textOf(compiler, value, line, text),
  }));
  const next = compiler.here + 1;
  compiler.emit(
    (activation, frame) => {
      const read: RaiseOptions = { code: null, message: null, fields: {} };
      let conditionName = condition;
      if (condition !== null) read.code = conditionCodes(condition)?.[0] ?? condition;
      if (message !== null)
        read.message = format(
          message,
          params.map((slot) => frame[slot] as string | null),
        );
      for (const { option, value } of options) {
        const given = frame[value] as string | null;
        if (given === null)
          throw new DbError('null_value_not_allowed', 'RAISE statement option cannot be null');
        if (option === 'errcode') {
          if (read.code !== null) throw repeated('ERRCODE');
          const codes = conditionCodes(given);
          if (codes === null && !/^[0-9A-Z]{5}$/.test(given))
            throw new DbError('undefined_object', `unrecognized exception condition "${given}"`);
          read.code = codes?.[0] ?? given;
          conditionName = given;
        } else if (option === 'message') {
          if (read.message !== null) throw repeated('MESSAGE');
          read.message = given;
        } else {
          const field = FIELD_OF[option];
          if (read.fields[field] !== undefined) throw repeated(option.toUpperCase());
          (read.fields as Record<string, string>)[field] = given;
        }
      }
      const isError = level === 'exception';
      const code =
        read.code ?? (isError ? SQLSTATE.raise_exception : level === 'warning' ? SQLSTATE.warning : '00000');
      const shown = read.message ?? conditionName ?? code;
      if (isError) return activation.raise(errorOf(code, shown, read.fields));
      activation.manager.session.notice({
        severity: SEVERITIES[level] as Notice['severity'],
        code,
        message: shown,
        fields: { ...read.fields, where: activation.manager.stack.context() },
      });
      return next;
    },
    line,
    text,
  );
}

function repeated(option: string): DbError {
  return new DbError('syntax_error', `RAISE option already specified: ${option}`);
}

/** Evaluates an expression and keeps its text. */
function textOf(compiler: FunctionCompiler, expression: Expression, line: number, text: string): number {
  const { slot, sql } = compiler.evaluate(expression, null, line, text);
  const next = compiler.here + 1;
  compiler.emit(
    (activation, frame) => {
      const value = frame[slot];
      if (value !== null) frame[slot] = activation.manager.print(value, sql.typeOid);
      return next;
    },
    line,
    text,
  );
  return slot;
}

function format(message: string, params: readonly (string | null)[]): string {
  let next = 0;
  let result = '';
  for (let index = 0; index < message.length; index++) {
    const character = message[index];
    if (character !== '%') {
      result += character;
      continue;
    }
    if (message[index + 1] === '%') {
      result += '%';
      index++;
      continue;
    }
    result += params[next++] ?? '<NULL>';
  }
  return result;
}

export function compileAssert(compiler: FunctionCompiler, statement: Of<'assert'>): void {
  const { line } = statement;
  const text = 'at ASSERT';
  const done = compiler.jump();
  const checks = compiler.here + 1;
  const off = done;
  compiler.emit(
    (activation) => (activation.manager.session.setting('plpgsql.check_asserts') === 'on' ? checks : off.at),
    line,
    text,
  );
  const test = compiler.evaluate(statement.condition, { typeOid: 16, typmod: -1 }, line, text);
  const fails = compiler.here + 1;
  compiler.emit((_, frame) => (frame[test.slot] === true ? done.at : fails), line, text);
  const message = statement.message === null ? -1 : textOf(compiler, statement.message, line, text);
  compiler.emit(
    (_, frame) => {
      const given = message < 0 ? null : (frame[message] as string | null);
      throw new DbError('assert_failure', given ?? 'assertion failed');
    },
    line,
    text,
  );
  compiler.land(done);
}

const STACKED: Readonly<Record<string, (error: DbError) => string | undefined>> = {
  returned_sqlstate: (error) => error.code,
  message_text: (error) => error.message,
  pg_exception_detail: (error) => error.fields.detail,
  pg_exception_hint: (error) => error.fields.hint,
  column_name: (error) => error.fields.column,
  constraint_name: (error) => error.fields.constraint,
  pg_datatype_name: (error) => error.fields.dataType,
  table_name: (error) => error.fields.table,
  schema_name: (error) => error.fields.schema,
};

export function compileDiagnostics(compiler: FunctionCompiler, statement: Of<'diagnostics'>): void {
  const { line, stacked } = statement;
  const items = statement.items.map(({ item, declaration, field }) => ({
    item,
    variable: compiler.variable(declaration),
    field,
  }));
  const next = compiler.here + 1;
  compiler.emit(
    (activation) => {
      const error = activation.currentError;
      if (stacked && error === null)
        throw new DbError(
          'stacked_diagnostics_accessed_without_active_handler',
          'GET STACKED DIAGNOSTICS cannot be used outside an exception handler',
        );
      for (const { item, variable, field } of items) {
        if (item === 'row_count') storeValue(activation, variable, field, activation.rowCount, INT8);
        else storeValue(activation, variable, field, diagnostic(activation, item, error), TEXT);
      }
      return next;
    },
    line,
    stacked ? 'at GET STACKED DIAGNOSTICS' : 'at GET DIAGNOSTICS',
  );
}

function diagnostic(activation: Activation, item: string, error: DbError | null): Datum {
  const { stack } = activation.manager;
  if (item === 'pg_context') return stack.context();
  if (item === 'pg_exception_context') {
    const outer = stack.context(activation);
    const own = error?.fields.where ?? '';
    return outer === '' ? own : `${own}\n${outer}`;
  }
  return STACKED[item]?.(error!) ?? '';
}

export type { ConditionName };
