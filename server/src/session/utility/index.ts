/** Commands that act on the session itself. Everything else goes to the utility executor. */
import { DbError } from '../../base/error.ts';
import type { Datum } from '../../types/datum.ts';
import type { ResultColumn } from '../contract.ts';
import type { ParsedStatement } from '../engine.ts';
import type { BackendSession } from '../session.ts';
import { alterSystem } from './alter-system.ts';
import { callProcedure, describeCall, runBlock } from './call.ts';
import { copy } from './copy.ts';
import { closeCursor, declareCursor, describeFetch, fetchCursor } from './cursor.ts';
import { describeExplain, explain } from './explain.ts';
import { listen, notify, unlisten } from './notify.ts';
import { deallocate, describeExecute, executePrepared, prepare } from './prepare.ts';
import { describeShow, discard, setConstraints, setVariable, showVariable } from './settings.ts';
import { transactionCommand } from './transaction.ts';

/** One command being run. */
export interface SessionCommand {
  readonly session: BackendSession;
  readonly statement: ParsedStatement;
  readonly text: string;
  readonly parameters: readonly Datum[];
  readonly parameterTypes: readonly number[];
  readonly resultFormats: readonly number[];
  /** Simple protocol: the command sends its RowDescription itself. */
  readonly isSimple: boolean;
}

type Runner = (command: SessionCommand) => Promise<string> | string;

const RUNNERS: ReadonlyMap<string, Runner> = new Map<string, Runner>([
  ['TransactionStmt', transactionCommand],
  ['VariableSetStmt', setVariable],
  ['VariableShowStmt', showVariable],
  ['AlterSystemStmt', alterSystem],
  ['ConstraintsSetStmt', setConstraints],
  ['DiscardStmt', discard],
  ['PrepareStmt', prepare],
  ['ExecuteStmt', executePrepared],
  ['DeallocateStmt', deallocate],
  ['DeclareCursorStmt', declareCursor],
  ['FetchStmt', fetchCursor],
  ['ExplainStmt', explain],
  ['CopyStmt', copy],
  ['ClosePortalStmt', closeCursor],
  ['ListenStmt', listen],
  ['UnlistenStmt', unlisten],
  ['NotifyStmt', notify],
  ['CallStmt', callProcedure],
  ['DoStmt', runBlock],
]);

export function isSessionCommand(node: string): boolean {
  return RUNNERS.has(node);
}

export async function runSessionCommand(command: SessionCommand): Promise<string> {
  const { node } = command.statement;
  const runner = RUNNERS.get(node);
  if (runner === undefined) throw new DbError('internal_error', `no session command ${node}`);
  return runner(command);
}

/** Columns of the rows the command returns; null for none. */
export function describeSessionCommand(
  session: BackendSession,
  statement: ParsedStatement,
  parameterTypes: readonly number[] = [],
): readonly ResultColumn[] | null {
  switch (statement.node) {
    case 'VariableShowStmt':
      return describeShow(statement);
    case 'ExecuteStmt':
      return describeExecute(session, statement);
    case 'ExplainStmt':
      return describeExplain(statement);
    case 'FetchStmt':
      return describeFetch(session, statement);
    case 'CallStmt':
      return describeCall(session, statement, parameterTypes);
    default:
      return null;
  }
}
