/** ALTER ROLE … SET and ALTER DATABASE … SET: settings that sessions start with (pg_db_role_setting). */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import { PG_DATABASE } from '../../catalog/data/columns.ts';
import { strings } from '../../catalog/describe.ts';
import type { AlterDatabaseSetStmt, AlterRoleSetStmt, VariableSetStmt } from '../../sql/parse/nodes.ts';
import { SqlArray } from '../../types/datum.ts';
import type { Ddl } from './common.ts';
import type { UtilityResult } from './contract.ts';

const SETCONFIG = 2;

/** `name=value` items after a SET or RESET. */
export function changedSettings(
  ddl: Ddl,
  old: readonly string[],
  statement: VariableSetStmt,
): readonly string[] {
  const change = ddl.context.storedSetting(statement);
  if (change.kind === 'resetAll') return old.filter((item) => !ddl.context.mayResetStored(nameOf(item)));
  const rest = old.filter((item) => nameOf(item).toLowerCase() !== change.name.toLowerCase());
  if (change.kind === 'reset') return rest;
  const item = `${change.name}=${change.value}`;
  const at = old.findIndex((candidate) => nameOf(candidate).toLowerCase() === change.name.toLowerCase());
  return at < 0 ? [...old, item] : old.map((candidate, index) => (index === at ? item : candidate));
}

function nameOf(item: string): string {
  return item.slice(0, item.indexOf('='));
}

function change(ddl: Ddl, database: Oid, role: Oid, statement: VariableSetStmt): void {
  const key = `${database}.${role}`;
  const row = ddl.reader.view.get('pg_db_role_setting', key);
  const old = row === null ? [] : (strings(row.values[SETCONFIG]!) ?? []);
  const items = changedSettings(ddl, old, statement);
  if (items.length === 0) {
    if (row !== null) ddl.writer.remove('pg_db_role_setting', key);
    return;
  }
  const value = new SqlArray(25, items);
  if (row === null) ddl.writer.insert('pg_db_role_setting', [database, role, value]);
  else ddl.writer.update('pg_db_role_setting', key, { [SETCONFIG]: value });
}

function databaseRow(ddl: Ddl, name: string) {
  const row = ddl.reader.view.findOne('pg_database', 'name', name);
  if (row === null) throw new DbError('undefined_database', `database "${name}" does not exist`);
  return row;
}

function requireDatabaseOwner(ddl: Ddl, row: ReturnType<typeof databaseRow>): void {
  if (!ddl.isOwner(row.values[PG_DATABASE.datdba] as Oid))
    throw new DbError(
      'insufficient_privilege',
      `must be owner of database ${row.values[PG_DATABASE.datname] as string}`,
    );
}

export async function alterRoleSet(ddl: Ddl, statement: AlterRoleSetStmt): Promise<UtilityResult> {
  let role = 0;
  if (statement.role !== undefined) {
    role = ddl.roleOid(statement.role);
    const descriptor = ddl.reader.role(role)!;
    if (descriptor.name.startsWith('pg_'))
      throw new DbError('reserved_name', `role name "${descriptor.name}" is reserved`, {
        detail: 'Cannot alter reserved roles.',
      });
    const self = ddl.reader.role(ddl.role)!;
    if (descriptor.superuser) {
      if (!self.superuser)
        throw new DbError('insufficient_privilege', 'must be superuser to alter superusers');
    } else if (!self.superuser && !self.createRole && role !== ddl.role)
      throw new DbError('insufficient_privilege', 'permission denied');
  }
  let database = 0;
  if (statement.database !== undefined) {
    const row = databaseRow(ddl, statement.database);
    database = row.key as number;
    if (statement.role === undefined) requireDatabaseOwner(ddl, row);
  }
  if (statement.role === undefined && statement.database === undefined && !ddl.isSuperuser)
    throw new DbError('insufficient_privilege', 'must be superuser to alter settings globally');
  change(ddl, database, role, statement.setstmt!);
  return { tag: 'ALTER ROLE' };
}

export async function alterDatabaseSet(ddl: Ddl, statement: AlterDatabaseSetStmt): Promise<UtilityResult> {
  const row = databaseRow(ddl, statement.dbname!);
  requireDatabaseOwner(ddl, row);
  change(ddl, row.key as number, 0, statement.setstmt!);
  return { tag: 'ALTER DATABASE' };
}
