/** ALTER SYSTEM. */
import { DbError } from '../../base/error.ts';
import type { SessionCommand } from './index.ts';
import { argumentText } from './settings.ts';
import { child, list, text } from './tree.ts';

export async function alterSystem(command: SessionCommand): Promise<string> {
  const { session, statement } = command;
  const clause = child(statement.tree, 'setstmt') ?? {};
  if (session.isInTransactionBlock)
    throw new DbError('active_sql_transaction', 'ALTER SYSTEM cannot run inside a transaction block');
  const name = text(clause, 'name');
  const isReset = clause.kind === 'VAR_RESET' || clause.kind === 'VAR_SET_DEFAULT';
  if (session.catalog().role(session.roleOid())?.superuser !== true)
    throw new DbError(
      'insufficient_privilege',
      clause.kind === 'VAR_RESET_ALL'
        ? 'permission denied to perform ALTER SYSTEM RESET ALL'
        : `permission denied to set parameter "${name}"`,
    );
  const { configuration } = session.engine;
  if (clause.kind === 'VAR_RESET_ALL') {
    await configuration.alterSystem(null, null);
    return 'ALTER SYSTEM';
  }
  const value = isReset ? null : argumentText(name, list(clause, 'args'));
  const proper = session.engine.serverSettings.checkForFile(name, value);
  await configuration.alterSystem(proper, value);
  return 'ALTER SYSTEM';
}
