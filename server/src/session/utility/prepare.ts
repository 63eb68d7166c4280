/** SQL-level PREPARE, EXECUTE, DEALLOCATE. */

import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { Datum } from '../../types/datum.ts';
import type { ResultColumn } from '../contract.ts';
import type { ParsedStatement } from '../engine.ts';
import type { BackendSession } from '../session.ts';
import { commandTag, isPlannableNode } from '../statements.ts';
import type { SessionCommand } from './index.ts';
import { child, list, text, unwrap } from './tree.ts';

export function prepare(command: SessionCommand): string {
  const { session, statement } = command;
  const name = text(statement.tree, 'name');
  if (session.prepared.has(name)) {
    throw new DbError('duplicate_prepared_statement', `prepared statement "${name}" already exists`);
  }
  const query = child(statement.tree, 'query');
  const { node, tree } = query === null ? { node: '', tree: {} } : unwrap(query);
  if (!isPlannableNode(node))
    throw new DbError('invalid_prepared_statement_definition', 'utility statements cannot be prepared');
  session.block.forStatement();
  const declaredTypes = list(statement.tree, 'argtypes').map((type) => resolveType(session, type));
  const inner: ParsedStatement = { node, tree, text: statement.text, start: statement.start };
  const compiled = session.compilation.compile(inner, command.text, declaredTypes);
  session.extended.storePrepared({
    name,
    compiled,
    declaredTypes,
    fromSql: true,
    preparedAt: session.functionContext.statementTimestamp,
    customPlanCount: 0,
  });
  return 'PREPARE';
}

function resolveType(session: BackendSession, node: Readonly<Record<string, unknown>>): Oid {
  const { tree } = unwrap(node);
  return session.engine.compiler.resolveTypeName(tree, session.compileEnvironment());
}

export function describeExecute(
  session: BackendSession,
  statement: ParsedStatement,
): readonly ResultColumn[] | null {
  const prepared = session.extended.requirePrepared(text(statement.tree, 'name'));
  const { plan } = prepared.compiled;
  return plan === null || plan.columns.length === 0 ? null : plan.columns;
}

export async function executePrepared(command: SessionCommand): Promise<string> {
  const { session, statement } = command;
  const name = text(statement.tree, 'name');
  const prepared = session.extended.requirePrepared(name);
  session.block.forStatement();
  const plan = await session.executions.lockedPlan(() => {
    const { plan: current } = session.compilation.revalidate(prepared);
    if (current === null)
      throw new DbError('invalid_sql_statement_name', `prepared statement "${name}" does not exist`);
    return current;
  });
  const { compiled } = prepared;
  const args = list(statement.tree, 'params');
  if (args.length !== compiled.parameterTypes.length) {
    throw new DbError('syntax_error', `wrong number of parameters for prepared statement "${name}"`, {
      detail: `Expected ${compiled.parameterTypes.length} parameters but got ${args.length}.`,
    });
  }
  const parameters: Datum[] = args.map((argument, index) =>
    session.engine.compiler.evaluateExpression(
      argument,
      compiled.parameterTypes[index],
      command.text,
      session.compileEnvironment(),
    ),
  );
  if (plan.columns.length > 0 || plan.command === 'select') {
    if (command.isSimple) session.sink.rowDescription(plan.columns, []);
    session.sink.beginRows(plan.columns, command.resultFormats, session.functionContext.format);
  }
  const rowCount = await session.runPlan(plan, parameters, (frame) => session.sink.row(frame));
  return commandTag(plan, rowCount);
}

export function deallocate(command: SessionCommand): string {
  const { session, statement } = command;
  const name = text(statement.tree, 'name');
  if (name === '') {
    session.prepared.clear();
    return 'DEALLOCATE ALL';
  }
  if (!session.prepared.delete(name)) {
    throw new DbError('invalid_sql_statement_name', `prepared statement "${name}" does not exist`);
  }
  return 'DEALLOCATE';
}
