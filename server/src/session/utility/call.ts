/** CALL and DO. Outside a transaction block they may end transactions themselves. */
import { DbError } from '../../base/error.ts';
import { ExpressionCompiler } from '../../executor/row/expression/compile.ts';
import { type AnalysedCall, analyseCall } from '../../sql/analyse/call.ts';
import type { CallStmt } from '../../sql/parse/nodes.ts';
import { type Datum, SqlRecord } from '../../types/datum.ts';
import type { ResultColumn } from '../contract.ts';
import type { ParsedStatement } from '../engine.ts';
import type { BackendSession } from '../session.ts';
import type { SessionCommand } from './index.ts';
import { child, list, text, unwrap } from './tree.ts';

function analysed(
  session: BackendSession,
  statement: ParsedStatement,
  types: readonly number[],
): AnalysedCall {
  return analyseCall(statement.tree as unknown as CallStmt, {
    ...session.routines.analysis(),
    parameterTypes: types,
  });
}

function columnsOf(call: AnalysedCall): ResultColumn[] {
  return call.outputs.map(({ name, typeOid }, index) => ({
    name: name === '' ? `column${index + 1}` : name,
    typeOid,
    typmod: -1,
    slot: index,
    originTable: 0,
    originColumn: 0,
  }));
}

export function describeCall(
  session: BackendSession,
  statement: ParsedStatement,
  types: readonly number[] = [],
): readonly ResultColumn[] | null {
  const columns = columnsOf(analysed(session, statement, types));
  return columns.length === 0 ? null : columns;
}

export async function callProcedure(command: SessionCommand): Promise<string> {
  const { session } = command;
  const isAtomic = session.isInTransactionBlock;
  session.block.forStatement();
  session.compilation.refreshStatementContext();
  const call = analysed(session, command.statement, command.parameterTypes);
  const { resolver } = session.routines;
  const compiler = new ExpressionCompiler(null, resolver, {
    parameter: (number) => () => command.parameters[number - 1] ?? null,
    variable: () => () => null,
  });
  const start = session.routines.manager.bindProcedure(call);
  // Arguments are expressions without tables; calls of functions among them run to their end.
  const runs = call.inputs.map((expr) => compiler.compile(expr));
  const args: Datum[] = [];
  for (const run of runs) args.push(await session.routines.drive({ run: () => run([]) }));
  const result = await session.routines.drive(start(args, isAtomic));
  const columns = columnsOf(call);
  if (columns.length > 0) {
    if (command.isSimple) session.sink.rowDescription(columns, command.resultFormats);
    session.sink.beginRows(columns, command.resultFormats, session.functionContext.format);
    session.sink.row(result instanceof SqlRecord ? result.fields : columns.map(() => null));
  }
  return 'CALL';
}

export async function runBlock(command: SessionCommand): Promise<string> {
  const { session } = command;
  const isAtomic = session.isInTransactionBlock;
  let source: string | null = null;
  let language = 'plpgsql';
  for (const item of list(command.statement.tree, 'args')) {
    const { tree } = unwrap(item);
    const argument = child(tree, 'arg');
    const value = argument === null ? '' : text(unwrap(argument).tree, 'sval');
    if (text(tree, 'defname') === 'language') language = value;
    else source = value;
  }
  if (source === null) throw new DbError('syntax_error', 'no inline code specified');
  if (language !== 'plpgsql') {
    if (language === 'sql' || language === 'internal' || language === 'c')
      throw new DbError(
        'feature_not_supported',
        `language "${language}" does not support inline code execution`,
      );
    throw new DbError('undefined_object', `language "${language}" does not exist`);
  }
  session.block.forStatement();
  session.compilation.refreshStatementContext();
  let invocation: ReturnType<typeof session.routines.manager.block>;
  try {
    invocation = session.routines.manager.block(source, isAtomic);
  } catch (error) {
    if (error instanceof DbError && error.fields.position !== undefined) {
      const at = command.text.indexOf(source);
      if (at >= 0) error.fields.position += [...command.text.slice(0, at)].length;
    }
    throw error;
  }
  await session.routines.drive(invocation);
  return 'DO';
}
