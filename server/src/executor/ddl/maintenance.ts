/** VACUUM, ANALYZE, CHECKPOINT, REINDEX, CLUSTER, LOCK TABLE. */

import { DbError } from '../../base/error.ts';
import type { RelationDescriptor } from '../../catalog/contract.ts';
import { PG_CLASS } from '../../catalog/data/columns.ts';
import { hasStorage } from '../../catalog/definitions.ts';
import type {
  ClusterStmt,
  LockStmt,
  ReindexStmt,
  VacuumRelation,
  VacuumStmt,
} from '../../sql/parse/nodes.ts';
import { booleanOption, type Ddl, defElems } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { buildIndex } from './create-index.ts';

/** Stored user tables the role may maintain. */
function allTables(ddl: Ddl): RelationDescriptor[] {
  const tables: RelationDescriptor[] = [];
  for (const { key, values } of [...ddl.reader.view.all('pg_class')]) {
    if ((key as number) < 16384 || (values[PG_CLASS.relkind] !== 'r' && values[PG_CLASS.relkind] !== 'm'))
      continue;
    const relation = ddl.reader.relation(key as number);
    if (relation !== null && ddl.isOwner(relation.ownerOid)) tables.push(relation);
  }
  return tables;
}

export async function vacuum(ddl: Ddl, statement: VacuumStmt): Promise<UtilityResult> {
  const isVacuum = statement.is_vacuumcmd === true;
  const tag = isVacuum ? 'VACUUM' : 'ANALYZE';
  if (isVacuum && ddl.context.isInTransactionBlock)
    throw new DbError('active_sql_transaction', 'VACUUM cannot run inside a transaction block');
  const options = defElems(statement.options);
  const has = (name: string): boolean => {
    const option = options.find(({ defname }) => defname === name);
    return option !== undefined && booleanOption(option);
  };
  const withAnalyze = !isVacuum || has('analyze');
  const tables: RelationDescriptor[] = [];
  const named = (statement.rels ?? []).map(
    (node) => (node as { VacuumRelation: VacuumRelation }).VacuumRelation,
  );
  for (const { relation: target } of named) {
    const relation = ddl.findRelation(target!);
    if (relation === null) throw ddl.undefinedRelation(target!);
    if (relation.kind !== 'r' && relation.kind !== 'm') {
      ddl.message(
        'WARNING',
        'wrong_object_type',
        `skipping "${relation.name}" --- cannot ${isVacuum ? 'vacuum' : 'analyze'} non-tables or special system tables`,
      );
      continue;
    }
    if (!ddl.isOwner(relation.ownerOid)) {
      ddl.message(
        'WARNING',
        'insufficient_privilege',
        `permission denied to ${isVacuum ? 'vacuum' : 'analyze'} "${relation.name}", skipping it`,
      );
      continue;
    }
    // The facts tables of information_schema are not stored: there is nothing to clean.
    if (hasStorage(relation)) tables.push(relation);
  }
  if (named.length === 0) tables.push(...allTables(ddl));
  for (const table of tables) {
    // One maintenance command a table at a time; readers and writers go on.
    await ddl.lock(table.oid, isVacuum && has('full') ? 'AccessExclusive' : 'ShareUpdateExclusive');
    if (ddl.reader.relation(table.oid) === null) continue;
    if (isVacuum) {
      if (has('full')) await ddl.context.tables.seal(table.oid);
      await ddl.context.tables.vacuum(table.oid);
    }
    if (withAnalyze) {
      const groups = ddl.reader.columnGroups(table.oid);
      await ddl.context.tables.analyze(table.oid, ddl.context.transaction, groups);
    }
    if (table.oid >= 16384) recordEstimate(ddl, table);
  }
  return { tag };
}

/** pg_class.reltuples and relpages, for those who read them. */
function recordEstimate(ddl: Ddl, table: RelationDescriptor): void {
  const { rows, bytes } = ddl.context.tables.table(table.oid).estimate();
  const pages = Math.ceil(bytes / 8192);
  const row = ddl.writer.row('pg_class', table.oid);
  if (row[PG_CLASS.reltuples] === rows && row[PG_CLASS.relpages] === pages) return;
  ddl.writer.update('pg_class', table.oid, {
    [PG_CLASS.reltuples]: Math.fround(rows),
    [PG_CLASS.relpages]: pages,
  });
}

export async function checkpoint(ddl: Ddl): Promise<UtilityResult> {
  // 4544 = pg_checkpoint
  if (!ddl.reader.roles.hasPrivilegesOf(ddl.role, 4544))
    throw new DbError(
      'insufficient_privilege',
      'must be superuser or have privileges of pg_checkpoint to do CHECKPOINT',
    );
  await ddl.context.tables.checkpoint();
  return { tag: 'CHECKPOINT' };
}

export async function reindex(ddl: Ddl, statement: ReindexStmt): Promise<UtilityResult> {
  const isConcurrent = defElems(statement.params).some(({ defname }) => defname === 'concurrently');
  if (isConcurrent && ddl.context.isInTransactionBlock)
    throw new DbError('active_sql_transaction', 'REINDEX CONCURRENTLY cannot run inside a transaction block');
  const rebuild = async (table: RelationDescriptor, only: number | null): Promise<void> => {
    for (const index of table.indexes) {
      if (only !== null && index.oid !== only) continue;
      ddl.context.tables.dropIndex(ddl.context.transaction, index.oid);
      await buildIndex(ddl, table.oid, index.oid);
    }
  };
  switch (statement.kind) {
    case 'REINDEX_OBJECT_INDEX': {
      const index = await ddl.relation(statement.relation!, 'AccessExclusive');
      if (index.kind !== 'i') throw new DbError('wrong_object_type', `"${index.name}" is not an index`);
      ddl.requireRelationOwner(index);
      const tableOid = ddl.writer.row('pg_index', index.oid)[1] as number;
      await ddl.lock(tableOid, 'Share');
      await rebuild(ddl.current(tableOid), index.oid);
      break;
    }
    case 'REINDEX_OBJECT_TABLE': {
      const table = await ddl.relation(statement.relation!, 'Share');
      if (table.kind !== 'r' && table.kind !== 'm')
        throw new DbError('wrong_object_type', `"${table.name}" is not a table or materialized view`);
      ddl.requireRelationOwner(table);
      if (table.indexes.length === 0) ddl.notice(`table "${table.name}" has no indexes to reindex`);
      await rebuild(table, null);
      break;
    }
    default: {
      if (ddl.context.isInTransactionBlock)
        throw new DbError(
          'active_sql_transaction',
          `REINDEX ${statement.kind === 'REINDEX_OBJECT_SCHEMA' ? 'SCHEMA' : 'DATABASE'} cannot run inside a transaction block`,
        );
      const namespace = statement.kind === 'REINDEX_OBJECT_SCHEMA' ? ddl.namespace(statement.name!) : null;
      for (const table of allTables(ddl)) {
        if (namespace !== null && table.namespaceOid !== namespace) continue;
        await ddl.lock(table.oid, 'Share');
        await rebuild(table, null);
      }
    }
  }
  return { tag: 'REINDEX' };
}

/** Rows have no physical order of their own here: the command checks its names, then seals the table. */
export async function cluster(ddl: Ddl, statement: ClusterStmt): Promise<UtilityResult> {
  if (statement.relation !== undefined) {
    const table = await ddl.relation(statement.relation, 'AccessExclusive');
    ddl.requireRelationOwner(table);
    if (statement.indexname !== undefined && !table.indexes.some(({ name }) => name === statement.indexname))
      throw new DbError(
        'undefined_object',
        `index "${statement.indexname}" for table "${table.name}" does not exist`,
      );
    await ddl.context.tables.seal(table.oid);
  }
  return { tag: 'CLUSTER' };
}

const LOCK_MODES = [
  'AccessShare',
  'AccessShare',
  'RowShare',
  'RowExclusive',
  'ShareUpdateExclusive',
  'Share',
  'ShareRowExclusive',
  'Exclusive',
  'AccessExclusive',
] as const;

export async function lockTables(ddl: Ddl, statement: LockStmt): Promise<UtilityResult> {
  if (!ddl.context.isInTransactionBlock)
    throw new DbError('no_active_sql_transaction', 'LOCK TABLE can only be used in transaction blocks');
  const mode = LOCK_MODES[statement.mode ?? 8]!;
  for (const node of statement.relations ?? []) {
    if (!('RangeVar' in node)) continue;
    const relation = ddl.findRelation(node.RangeVar);
    if (relation === null) throw ddl.undefinedRelation(node.RangeVar);
    if (relation.kind !== 'r' && relation.kind !== 'v')
      throw new DbError('wrong_object_type', `cannot lock relation "${relation.name}"`);
    const wanted =
      mode === 'AccessShare' ? (['SELECT'] as const) : (['UPDATE', 'DELETE', 'TRUNCATE'] as const);
    const isAllowed =
      wanted.some((privilege) => ddl.reader.hasRelationPrivilege(ddl.role, relation, privilege, null)) ||
      (mode === 'RowExclusive' && ddl.reader.hasRelationPrivilege(ddl.role, relation, 'INSERT', null));
    if (!isAllowed)
      throw new DbError(
        'insufficient_privilege',
        `permission denied for ${relation.kind === 'v' ? 'view' : 'table'} ${relation.name}`,
      );
    const options = ddl.context.lockOptions();
    const wait = ddl.context.locks.lockTable(
      ddl.context.transaction,
      relation.oid,
      mode,
      statement.nowait === true ? { ...options, policy: 'nowait' } : options,
    );
    if (wait !== null) {
      try {
        await wait;
      } catch (error) {
        if (statement.nowait === true && error instanceof DbError && error.code === '55P03')
          throw new DbError('lock_not_available', `could not obtain lock on relation "${relation.name}"`);
        throw error;
      }
    }
  }
  return { tag: 'LOCK TABLE' };
}
