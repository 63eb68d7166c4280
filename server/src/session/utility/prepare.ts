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

/** Values of EXECUTE's arguments for the parameters of a prepared statement. Errors 42601, 42804. */
export function executeArguments(
  session: BackendSession,
  statement: Readonly<Record<string, unknown>>,
  parameterTypes: readonly Oid[],
  sourceText: string,
): Datum[] {
  const args = list(statement, 'params');
  if (args.length !== parameterTypes.length) {
    throw new DbError(
      'syntax_error',
      `wrong number of parameters for prepared statement "${text(statement, 'name')}"`,
      { detail: `Expected ${parameterTypes.length} parameters but got ${args.length}.` },
    );
  }
  return args.map((argument, index) =>
    session.engine.compiler.evaluateExpression(
      argument,
      parameterTypes[index],
      sourceText,
      session.compileEnvironment(),
      index + 1,
    ),
  );
}

/** CREATE TABLE … AS EXECUTE is CREATE TABLE AS of the prepared query with the arguments in place of its parameters. */
export function withPreparedQuery(
  session: BackendSession,
  statement: ParsedStatement,
  sourceText: string,
): ParsedStatement {
  const query = statement.node === 'CreateTableAsStmt' ? child(statement.tree, 'query') : null;
  const execute = query === null ? null : unwrap(query);
  if (execute === null || execute.node !== 'ExecuteStmt') return statement;
  const prepared = session.extended.requirePrepared(text(execute.tree, 'name'));
  session.block.forStatement();
  const { statement: source, parameterTypes } = session.compilation.revalidate(prepared);
  if (source === null || source.node !== 'SelectStmt')
    throw new DbError('wrong_object_type', 'prepared statement is not a SELECT');
  const values = executeArguments(session, execute.tree, parameterTypes, sourceText);
  const constants = values.map((value, index) => literal(session, value, parameterTypes[index]));
  const tree = replaceParameters(source.tree, constants) as Readonly<Record<string, unknown>>;
  return { ...statement, tree: { ...statement.tree, query: { [source.node]: tree } } };
}

/** A value as the parser would give its literal. */
function literal(session: BackendSession, value: Datum, typeOid: Oid): object {
  const type = session.catalog().type(typeOid);
  const names = [session.catalog().namespaceName(type?.namespaceOid ?? 11) ?? 'pg_catalog', type?.name ?? ''];
  const written =
    value === null
      ? { isnull: true, location: -1 }
      : {
          sval: { sval: session.typeSupport(typeOid).output(value, session.functionContext.format) },
          location: -1,
        };
  return {
    TypeCast: {
      arg: { A_Const: written },
      typeName: { names: names.map((sval) => ({ String: { sval } })), typemod: -1, location: -1 },
      location: -1,
    },
  };
}

function replaceParameters(node: unknown, values: readonly object[]): unknown {
  if (Array.isArray(node)) return node.map((item) => replaceParameters(item, values));
  if (typeof node !== 'object' || node === null) return node;
  if ('ParamRef' in node) return values[((node.ParamRef as { number?: number }).number ?? 1) - 1] ?? node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, replaceParameters(value, values)]),
  );
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
  const parameters = executeArguments(session, statement.tree, compiled.parameterTypes, command.text);
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
