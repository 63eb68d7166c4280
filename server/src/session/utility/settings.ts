/** SET, RESET, SHOW, SET CONSTRAINTS, DISCARD. */

import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import { SQLSTATE } from '../../base/sqlstate.ts';
import { forgetSequences } from '../../executor/ddl/functions/sequences.ts';
import type { ResultColumn } from '../contract.ts';
import type { ParsedStatement } from '../engine.ts';
import type { BackendSession } from '../session.ts';
import type { SessionCommand } from './index.ts';
import { transactionModes } from './transaction.ts';
import { child, constantText, flag, list, text, unwrap } from './tree.ts';

export function setVariable(command: SessionCommand): string {
  const { session, statement } = command;
  const { tree } = statement;
  const name = text(tree, 'name');
  const isLocal = flag(tree, 'is_local');
  switch (tree.kind) {
    case 'VAR_SET_VALUE': {
      if (isLocal && !session.isInTransactionBlock) warnLocal(session, name);
      assignSetting(session, name, argumentText(name, list(tree, 'args')), isLocal);
      return 'SET';
    }
    case 'VAR_SET_DEFAULT':
    case 'VAR_RESET':
      if (name === 'role' || name === 'session_authorization') resetIdentity(session, name);
      else if (name.startsWith('transaction_')) {
        throw new DbError('feature_not_supported', `parameter "${name}" cannot be reset`);
      } else session.settings.reset(name);
      return tree.kind === 'VAR_RESET' ? 'RESET' : 'SET';
    case 'VAR_RESET_ALL':
      session.settings.resetAll();
      return 'RESET';
    case 'VAR_SET_CURRENT':
      session.settings.set(name, session.settings.get(name), isLocal ? 'local' : 'session');
      return 'SET';
    case 'VAR_SET_MULTI':
      setMulti(session, name, list(tree, 'args'));
      return 'SET';
    default:
      throw notSupported(`SET of kind ${String(tree.kind)}`);
  }
}

function setMulti(
  session: BackendSession,
  name: string,
  args: readonly Readonly<Record<string, unknown>>[],
): void {
  const modes = transactionModes(args);
  if (name === 'TRANSACTION') {
    if (!session.isInTransactionBlock) {
      session.notice({
        severity: 'WARNING',
        code: SQLSTATE.no_active_sql_transaction,
        message: 'SET TRANSACTION can only be used in transaction blocks',
        fields: {},
      });
    }
    session.block.changeModes(modes);
    return;
  }
  if (name === 'SESSION CHARACTERISTICS') {
    if (modes.isolation !== undefined)
      session.settings.set('default_transaction_isolation', modes.isolation, 'session');
    if (modes.readOnly !== undefined)
      session.settings.set('default_transaction_read_only', modes.readOnly ? 'on' : 'off', 'session');
    if (modes.deferrable !== undefined)
      session.settings.set('default_transaction_deferrable', modes.deferrable ? 'on' : 'off', 'session');
    return;
  }
  throw notSupported(`SET ${name}`);
}

/** Settings that follow the session's state rather than a stored value. */
export function isIdentitySetting(name: string): boolean {
  return ['role', 'session_authorization', 'is_superuser'].includes(name.toLowerCase());
}

/** SET name TO value, and set_config(). */
export function assignSetting(session: BackendSession, name: string, value: string, isLocal: boolean): void {
  const scope = isLocal ? 'local' : 'session';
  if (session.isInSecurityDefiner && isIdentitySetting(name))
    throw new DbError(
      'insufficient_privilege',
      `cannot set parameter "${name.toLowerCase()}" within security-definer function`,
    );
  switch (name.toLowerCase()) {
    case 'role':
      setRole(session, value, scope);
      return;
    case 'session_authorization':
      setSessionAuthorization(session, value, scope);
      return;
    case 'transaction_isolation':
      session.block.changeModes({ isolation: value as 'read committed' });
      return;
    case 'transaction_read_only':
      session.block.changeModes({ readOnly: value === 'on' || value === 'true' || value === '1' });
      return;
    case 'transaction_deferrable':
      session.block.changeModes({ deferrable: value === 'on' || value === 'true' || value === '1' });
      return;
    case 'application_name':
      session.settings.set(name, value, isLocal ? 'local' : 'session');
      session.entry.applicationName = session.settings.get('application_name');
      return;
    default:
      session.settings.set(name, value, isLocal ? 'local' : 'session');
  }
}

function setRole(session: BackendSession, name: string, scope: 'session' | 'local'): void {
  if (name === 'none') {
    session.settings.setIdentity('role', null, scope);
    return;
  }
  const catalog = session.catalog();
  const role = catalog.roleByName(name);
  if (role === null) throw new DbError('invalid_parameter_value', `role "${name}" does not exist`);
  const isMember =
    catalog.role(session.sessionUserOid)?.superuser === true ||
    catalog.isMemberOfRole(session.sessionUserOid, role.oid);
  if (!isMember) throw new DbError('insufficient_privilege', `permission denied to set role "${name}"`);
  session.settings.setIdentity('role', role.oid, scope);
}

function setSessionAuthorization(session: BackendSession, name: string, scope: 'session' | 'local'): void {
  const catalog = session.catalog();
  const role = catalog.roleByName(name);
  if (role === null) throw new DbError('invalid_parameter_value', `role "${name}" does not exist`);
  if (role.oid !== session.sessionUserOid && catalog.role(session.entry.userOid)?.superuser !== true) {
    throw new DbError('insufficient_privilege', 'permission denied to set session authorization');
  }
  session.settings.setIdentity('session_authorization', role.oid, scope);
  session.settings.setIdentity('role', null, scope);
}

function resetIdentity(session: BackendSession, name: string): void {
  if (name === 'session_authorization')
    session.settings.setIdentity('session_authorization', null, 'session');
  session.settings.setIdentity('role', null, 'session');
}

function warnLocal(session: BackendSession, name: string): void {
  void name;
  session.notice({
    severity: 'WARNING',
    code: SQLSTATE.no_active_sql_transaction,
    message: 'SET LOCAL can only be used in transaction blocks',
    fields: {},
  });
}

/** The right side of SET: a list of identifiers or constants; lists are joined as PostgreSQL flattens them. */
export function argumentText(name: string, args: readonly Readonly<Record<string, unknown>>[]): string {
  const isList = name.toLowerCase() === 'search_path' || name.toLowerCase() === 'temp_tablespaces';
  const parts: string[] = [];
  for (const argument of args) {
    const { node, tree } = unwrap(argument);
    if (node === 'TypeCast' && child(tree, 'typeName') !== null && name.toLowerCase() === 'timezone') {
      const inner = child(tree, 'arg');
      const literal = inner === null ? null : constantText(inner);
      if (literal !== null) {
        parts.push(intervalZone(literal));
        continue;
      }
    }
    const value = constantText(argument);
    if (value === null) throw new DbError('syntax_error', `unsupported value for parameter "${name}"`);
    parts.push(isList ? quoteIdentifier(value) : value);
  }
  return parts.join(', ');
}

/** SET TIME ZONE INTERVAL '+02:00' … as a POSIX-style zone. */
function intervalZone(literal: string): string {
  return literal.trim();
}

function quoteIdentifier(name: string): string {
  let isPlain = name !== '';
  for (let index = 0; index < name.length; index++) {
    const character = name[index];
    const isLetter = (character >= 'a' && character <= 'z') || character === '_';
    const isDigit = character >= '0' && character <= '9';
    if (!isLetter && (index === 0 || !isDigit)) isPlain = false;
  }
  return isPlain ? name : `"${name.replaceAll('"', '""')}"`;
}

const TEXT = 25;

function column(name: string, slot: number): ResultColumn {
  return { name, typeOid: TEXT, typmod: -1, slot, originTable: 0, originColumn: 0 };
}

const SHOW_ALL_COLUMNS = [column('name', 0), column('setting', 1), column('description', 2)];

export function describeShow(statement: ParsedStatement): readonly ResultColumn[] {
  const name = text(statement.tree, 'name');
  return name === 'all' ? SHOW_ALL_COLUMNS : [column(shownName(name), 0)];
}

/** The column's name is the setting's proper spelling. */
function shownName(name: string): string {
  switch (name.toLowerCase()) {
    case 'timezone':
      return 'TimeZone';
    case 'datestyle':
      return 'DateStyle';
    case 'intervalstyle':
      return 'IntervalStyle';
    default:
      return name;
  }
}

export function showVariable(command: SessionCommand): string {
  const { session, statement } = command;
  const name = text(statement.tree, 'name');
  const columns = describeShow(statement);
  const rows: string[][] = [];
  if (name === 'all') {
    for (const { definition } of session.settings.all())
      rows.push([definition.name, session.settings.show(definition.name), '']);
  } else rows.push([shownValue(session, name)]);
  if (command.isSimple) session.sink.rowDescription(columns, []);
  session.sink.beginRows(columns, command.resultFormats, session.functionContext.format);
  for (const row of rows) session.sink.row(row);
  return 'SHOW';
}

/** What SHOW and current_setting() give: some settings follow the session's state. */
export function shownValue(session: BackendSession, name: string): string {
  const transaction = session.block.transaction;
  switch (name.toLowerCase()) {
    case 'transaction_deferrable': {
      const { deferrable } = session.block.modes;
      return (deferrable ?? session.settings.boolean('default_transaction_deferrable')) ? 'on' : 'off';
    }
    case 'transaction_isolation':
      return transaction?.isolation ?? session.settings.get('default_transaction_isolation');
    case 'transaction_read_only':
      return (transaction?.readOnly ?? session.settings.boolean('default_transaction_read_only'))
        ? 'on'
        : 'off';
    case 'session_authorization':
      return session.catalog().role(session.sessionUserOid)?.name ?? '';
    case 'role': {
      const role = session.settings.identity('role');
      return role === null ? 'none' : (session.catalog().role(role)?.name ?? '');
    }
    case 'is_superuser':
      return session.catalog().role(session.roleOid())?.superuser === true ? 'on' : 'off';
    default:
      return session.settings.show(name);
  }
}

export async function setConstraints(command: SessionCommand): Promise<string> {
  const { session, statement } = command;
  const deferred = flag(statement.tree, 'deferred');
  const oids: Oid[] = [];
  for (const item of list(statement.tree, 'constraints')) {
    const { tree } = unwrap(item);
    const name = text(tree, 'relname');
    const found = session
      .catalog()
      .constraintsByName(text(tree, 'schemaname') || null, name, session.searchPath());
    if (found.length === 0) throw new DbError('undefined_object', `constraint "${name}" does not exist`);
    for (const constraint of found) {
      if (deferred && !constraint.deferrable) {
        throw new DbError('wrong_object_type', `constraint "${name}" is not deferrable`);
      }
      oids.push(constraint.oid);
    }
  }
  await session.deferredConstraints.setModes(oids, deferred);
  return 'SET CONSTRAINTS';
}

async function discardTemporary(session: BackendSession): Promise<void> {
  const transaction = session.block.forStatement();
  await session.temporary.drop(transaction);
  transaction.advanceCommand();
}

export async function discard(command: SessionCommand): Promise<string> {
  const { session, statement } = command;
  switch (statement.tree.target) {
    case 'DISCARD_ALL': {
      if (session.isInTransactionBlock)
        throw new DbError('active_sql_transaction', 'DISCARD ALL cannot run inside a transaction block');
      session.settings.resetAll();
      resetIdentity(session, 'session_authorization');
      for (const cursor of session.cursors.values()) cursor.close();
      session.cursors.clear();
      for (const name of [...session.portals.keys()]) if (name !== '') session.extended.dropPortal(name);
      session.prepared.clear();
      session.engine.sessions.unlistenAll(session.entry);
      session.engine.transactions.locks.unlockAllAdvisory(session);
      forgetSequences(session.functionContext.session);
      await discardTemporary(session);
      return 'DISCARD ALL';
    }
    case 'DISCARD_PLANS':
      return 'DISCARD PLANS';
    case 'DISCARD_SEQUENCES':
      forgetSequences(session.functionContext.session);
      return 'DISCARD SEQUENCES';
    case 'DISCARD_TEMP':
      await discardTemporary(session);
      return 'DISCARD TEMP';
    default:
      throw notSupported('this form of DISCARD');
  }
}
