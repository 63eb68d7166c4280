/** BEGIN, COMMIT, ROLLBACK, SAVEPOINT and their kin. */
import { DbError } from '../../base/error.ts';
import { SQLSTATE } from '../../base/sqlstate.ts';
import type { IsolationLevel } from '../../txn/contract.ts';
import type { BackendSession } from '../session.ts';
import { notInBlock, type TransactionModes } from '../transaction-block.ts';
import type { SessionCommand } from './index.ts';
import { child, constantText, flag, list, text, unwrap } from './tree.ts';

export async function transactionCommand(command: SessionCommand): Promise<string> {
  const { session } = command;
  const { tree } = command.statement;
  const { block } = session;
  switch (tree.kind) {
    case 'TRANS_STMT_BEGIN':
    case 'TRANS_STMT_START': {
      const outcome = block.begin(transactionModes(list(tree, 'options')));
      if (outcome === 'already')
        warn(session, SQLSTATE.active_sql_transaction, 'there is already a transaction in progress');
      return tree.kind === 'TRANS_STMT_BEGIN' ? 'BEGIN' : 'START TRANSACTION';
    }
    case 'TRANS_STMT_COMMIT': {
      if (flag(tree, 'chain') && !block.isInBlock) throw notInBlock('COMMIT AND CHAIN');
      if (!block.isInBlock) {
        warn(session, SQLSTATE.no_active_sql_transaction, 'there is no transaction in progress');
        const pending = session.endImplicit();
        if (pending !== null) await pending;
        return 'COMMIT';
      }
      const wasFailed = block.state === 'failed';
      const { modes } = block;
      const pending = session.commit();
      if (pending !== null) await pending;
      if (flag(tree, 'chain')) block.begin(modes);
      return wasFailed ? 'ROLLBACK' : 'COMMIT';
    }
    case 'TRANS_STMT_ROLLBACK': {
      if (flag(tree, 'chain') && !block.isInBlock) throw notInBlock('ROLLBACK AND CHAIN');
      if (!block.isInBlock)
        warn(session, SQLSTATE.no_active_sql_transaction, 'there is no transaction in progress');
      const { modes } = block;
      session.rollback();
      if (flag(tree, 'chain')) block.begin(modes);
      return 'ROLLBACK';
    }
    case 'TRANS_STMT_SAVEPOINT':
      block.savepoint(text(tree, 'savepoint_name'));
      return 'SAVEPOINT';
    case 'TRANS_STMT_RELEASE':
      session.release(text(tree, 'savepoint_name'));
      return 'RELEASE';
    case 'TRANS_STMT_ROLLBACK_TO':
      session.rollbackTo(text(tree, 'savepoint_name'));
      return 'ROLLBACK';
    case 'TRANS_STMT_PREPARE':
      // As a server that was started with max_prepared_transactions = 0.
      if (!block.isInBlock) {
        warn(session, SQLSTATE.no_active_sql_transaction, 'there is no transaction in progress');
        return 'ROLLBACK';
      }
      if (block.state === 'failed') {
        session.rollback();
        return 'ROLLBACK';
      }
      if (session.temporary.isUsed())
        throw new DbError(
          'feature_not_supported',
          'cannot PREPARE a transaction that has operated on temporary objects',
        );
      throw new DbError('object_not_in_prerequisite_state', 'prepared transactions are disabled', {
        hint: 'Set max_prepared_transactions to a nonzero value.',
      });
    default:
      throw new DbError(
        'undefined_object',
        `prepared transaction with identifier "${text(tree, 'gid')}" does not exist`,
      );
  }
}

function warn(session: BackendSession, code: string, message: string): void {
  session.notice({ severity: 'WARNING', code, message, fields: {} });
}

/** transaction_mode_list: DefElem nodes named transaction_isolation, transaction_read_only, transaction_deferrable. */
export function transactionModes(options: readonly Readonly<Record<string, unknown>>[]): TransactionModes {
  const modes: TransactionModes = {};
  for (const option of options) {
    const { tree } = unwrap(option);
    const argument = child(tree, 'arg');
    const value = argument === null ? '' : (constantText(argument) ?? '');
    switch (text(tree, 'defname')) {
      case 'transaction_isolation':
        modes.isolation = isolationLevel(value);
        break;
      case 'transaction_read_only':
        modes.readOnly = value !== '0' && value !== 'false';
        break;
      case 'transaction_deferrable':
        modes.deferrable = value !== '0' && value !== 'false';
    }
  }
  return modes;
}

/** READ UNCOMMITTED behaves as READ COMMITTED, as in PostgreSQL. */
export function isolationLevel(name: string): IsolationLevel {
  switch (name.toLowerCase()) {
    case 'serializable':
      return 'serializable';
    case 'repeatable read':
      return 'repeatable read';
    default:
      return 'read committed';
  }
}
