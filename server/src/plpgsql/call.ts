/** CALL and DO inside PL/pgSQL: arguments, the call itself, and output arguments back into variables. */
import { DbError, notSupported } from '../base/error.ts';
import { ExpressionCompiler } from '../executor/row/expression/compile.ts';
import { type AnalysedCall, analyseCall } from '../sql/analyse/call.ts';
import { as } from '../sql/parse/ast.ts';
import type { CallStmt } from '../sql/parse/nodes.ts';
import { type Datum, SqlRecord } from '../types/datum.ts';
import type { Activation } from './activation.ts';
import { storeValue } from './assignment.ts';
import { CallText } from './call-text.ts';
import type { FunctionCompiler } from './compile.ts';
import type { Statement } from './parse/ast.ts';
import { parseText } from './sql-text.ts';

export function compileCall(
  compiler: FunctionCompiler,
  statement: Extract<Statement, { kind: 'sql' }>,
): void {
  const { line, query } = statement;
  const parsed = parseText(query.text, 'statement');
  const call = as(parsed?.statement.tree, 'CallStmt' as never) as CallStmt | undefined;
  if (call === undefined) throw notSupported('this form of CALL');
  compiler.sql(query);
  const text = new CallText(compiler.code, query.text, query.names, call);
  const next = compiler.here + 1;
  compiler.emit(
    (activation, frame) => {
      const result = text.value(activation, frame);
      const { outputs } = text;
      if (outputs.length > 0) {
        if (!(result instanceof SqlRecord))
          throw new DbError('internal_error', 'procedure gave no output arguments');
        outputs.forEach((output, index) => {
          if (output === null)
            throw new DbError(
              'syntax_error',
              `procedure parameter "${text.outputNames[index]}" is an output parameter but corresponding argument is not writable`,
            );
          storeValue(
            activation,
            output.variable,
            output.field,
            result.fields[index],
            result.fieldTypes[index],
          );
        });
      }
      activation.manager.refresh(compiler.code);
      return next;
    },
    line,
    'at CALL',
  );
}

export type { Activation, AnalysedCall, Datum };
export { analyseCall, ExpressionCompiler };
