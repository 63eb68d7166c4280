/** Tablespaces: names kept for dumps and tools. All data stays in the data directory, wherever a location points. */
import { DbError } from '../../base/error.ts';
import { PG_CLASS, PG_TABLESPACE } from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { address } from '../../catalog/mutations.ts';
import type {
  AlterTableSpaceOptionsStmt,
  CreateTableSpaceStmt,
  DropTableSpaceStmt,
} from '../../sql/parse/nodes.ts';
import { mergeOptions } from './alter-table.ts';
import type { Ddl } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { findNamed, requireNamedOwner, requireNameIsFree } from './named-objects.ts';
import { makeRow } from './relation.ts';

export async function createTablespace(ddl: Ddl, statement: CreateTableSpaceStmt): Promise<UtilityResult> {
  const name = statement.tablespacename!;
  if (ddl.context.isInTransactionBlock)
    throw new DbError('active_sql_transaction', 'CREATE TABLESPACE cannot run inside a transaction block');
  if (!ddl.isSuperuser)
    throw new DbError('insufficient_privilege', `permission denied to create tablespace "${name}"`, {
      hint: 'Must be superuser to create a tablespace.',
    });
  const location = statement.location ?? '';
  if (location.includes("'"))
    throw new DbError('invalid_name', 'tablespace location cannot contain single quotes');
  if (!location.startsWith('/') && location !== '')
    throw new DbError('invalid_object_definition', 'tablespace location must be an absolute path');
  if (name.startsWith('pg_'))
    throw new DbError('reserved_name', `unacceptable tablespace name "${name}"`, {
      detail: 'The prefix "pg_" is reserved for system tablespaces.',
    });
  requireNameIsFree(ddl, 'OBJECT_TABLESPACE', name, null);
  const owner = statement.owner === undefined ? ddl.role : ddl.roleOid(statement.owner);
  const oid = ddl.writer.allocateOid();
  ddl.writer.insert(
    'pg_tablespace',
    makeRow(PG_TABLESPACE, {
      oid,
      spcname: name,
      spcowner: owner,
      spcoptions: mergeOptions(null, { List: { items: statement.options ?? [] } }, false),
    }),
  );
  ddl.writer.recordOwner(address(CLASS_OID.tablespace, oid), owner);
  return { tag: 'CREATE TABLESPACE' };
}

export async function dropTablespace(ddl: Ddl, statement: DropTableSpaceStmt): Promise<UtilityResult> {
  const tag = { tag: 'DROP TABLESPACE' };
  const name = statement.tablespacename!;
  if (ddl.context.isInTransactionBlock)
    throw new DbError('active_sql_transaction', 'DROP TABLESPACE cannot run inside a transaction block');
  const object = findNamed(
    ddl,
    'OBJECT_TABLESPACE',
    { String: { sval: name } },
    statement.missing_ok === true,
  );
  if (object === null) return tag;
  requireNamedOwner(ddl, object);
  if (object.oid < 16384)
    throw new DbError('insufficient_privilege', `permission denied for tablespace ${name}`);
  for (const { values } of ddl.reader.view.all('pg_class'))
    if (values[PG_CLASS.reltablespace] === object.oid)
      throw new DbError('object_not_in_prerequisite_state', `tablespace "${name}" is not empty`);
  await ddl.drop([address(CLASS_OID.tablespace, object.oid)], false);
  return tag;
}

export async function alterTablespace(
  ddl: Ddl,
  statement: AlterTableSpaceOptionsStmt,
): Promise<UtilityResult> {
  const object = findNamed(ddl, 'OBJECT_TABLESPACE', { String: { sval: statement.tablespacename! } })!;
  requireNamedOwner(ddl, object);
  ddl.writer.update('pg_tablespace', object.oid, {
    [PG_TABLESPACE.spcoptions]: mergeOptions(
      object.row[PG_TABLESPACE.spcoptions]!,
      { List: { items: statement.options ?? [] } },
      statement.isReset === true,
    ),
  });
  return { tag: 'ALTER TABLESPACE' };
}
