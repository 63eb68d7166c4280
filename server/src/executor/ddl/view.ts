/** CREATE [OR REPLACE] VIEW; CREATE TABLE AS, SELECT INTO, CREATE MATERIALIZED VIEW, REFRESH. */

import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import type { RelationDescriptor } from '../../catalog/contract.ts';
import { PG_CLASS, PG_REWRITE } from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { formatType } from '../../catalog/format-type.ts';
import { address } from '../../catalog/mutations.ts';
import { positionOf, stringsOf } from '../../sql/parse/ast.ts';
import type {
  CreateTableAsStmt,
  Node,
  RangeVar,
  RefreshMatViewStmt,
  SelectStmt,
  ViewStmt,
} from '../../sql/parse/nodes.ts';
import type { Query } from '../../sql/tree.ts';
import { serialiseQuery } from '../../sql/tree-json.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import { type Ddl, defElems } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { optionText } from './create-table.ts';
import { DependencyCollector } from './expression-dependencies.ts';
import { type ColumnSpec, createRelation, duplicateRelation, insertColumn, makeRow } from './relation.ts';

/** Columns of a relation made from a query's visible targets, renamed by `aliases`. */
function columnsOfQuery(
  ddl: Ddl,
  query: Query,
  aliases: readonly string[],
  what: 'view' | 'table',
): ColumnSpec[] {
  const targets = query.targets.filter(({ junk }) => !junk);
  if (aliases.length > targets.length)
    throw new DbError(
      'syntax_error',
      what === 'view'
        ? 'CREATE VIEW specifies more column names than columns'
        : 'too many column names were specified',
    );
  const seen = new Set<string>();
  return targets.map((target, index) => {
    const name = aliases[index] ?? target.name;
    if (seen.has(name)) throw new DbError('duplicate_column', `column "${name}" specified more than once`);
    seen.add(name);
    const { typeOid, typmod, collation } = target.expr;
    const type = ddl.reader.type(typeOid);
    if (type?.kind === 'p')
      throw new DbError(
        'invalid_table_definition',
        `column "${name}" has pseudo-type ${formatType(ddl.reader, typeOid, { path: ddl.path })}`,
      );
    if (what === 'table') ddl.requireTypeUsage(typeOid);
    return {
      name,
      typeOid,
      typmod,
      collation: collation !== 0 ? collation : (type?.collation ?? 0),
      notNull: false,
      dimensions: 0,
      identity: '',
      generated: '',
    };
  });
}

function isTemporaryQuery(ddl: Ddl, query: Query): boolean {
  const collector = new DependencyCollector();
  collector.query(query);
  return collector.addresses.some(
    ({ classId, objectId }) =>
      classId === CLASS_OID.relation && ddl.reader.relation(objectId)?.persistence === 't',
  );
}

/** Stores (or replaces) the query of a view. */
function storeRule(ddl: Ddl, relationOid: Oid, query: Query): void {
  const { writer } = ddl;
  const old =
    ddl.reader.view
      .find('pg_rewrite', 'relation', relationOid)
      .find(({ values }) => values[PG_REWRITE.ev_type] === '1') ?? null;
  const action = serialiseQuery(query);
  let oid: Oid;
  if (old === null) {
    oid = writer.allocateOid();
    writer.insert(
      'pg_rewrite',
      makeRow(PG_REWRITE, {
        oid,
        rulename: '_RETURN',
        ev_class: relationOid,
        ev_type: '1',
        ev_enabled: 'O',
        is_instead: true,
        ev_qual: '<>',
        ev_action: action,
      }),
    );
  } else {
    oid = old.key as number;
    writer.update('pg_rewrite', oid, { [PG_REWRITE.ev_action]: action });
    writer.removeDependenciesOf(address(CLASS_OID.rewrite, oid));
  }
  const self = address(CLASS_OID.rewrite, oid);
  writer.dependOn(self, address(CLASS_OID.relation, relationOid), 'i');
  const collector = new DependencyCollector();
  collector.query(query);
  for (const referenced of collector.addresses) writer.dependOn(self, referenced, 'n');
}

/** The query with its visible targets renamed, as the view shows them. */
function renamed(query: Query, columns: readonly ColumnSpec[]): Query {
  let next = 0;
  return {
    ...query,
    targets: query.targets.map((target) =>
      target.junk ? target : { ...target, name: columns[next++]!.name },
    ),
  };
}

export async function createView(ddl: Ddl, statement: ViewStmt): Promise<UtilityResult> {
  const target = statement.view!;
  const position = positionOf(target.location);
  if (target.relpersistence === 'u')
    throw new DbError('syntax_error', 'views cannot be unlogged because they do not have storage');
  if ((statement.query as { SelectStmt?: SelectStmt }).SelectStmt?.intoClause !== undefined)
    throw new DbError('feature_not_supported', 'views must not contain SELECT INTO');
  const query = ddl.context.sql.query(statement.query!);
  if (query.hasModifyingCte)
    throw new DbError('feature_not_supported', 'views must not contain data-modifying statements in WITH');
  let isTemporary = target.relpersistence === 't' || target.schemaname === 'pg_temp';
  if (!isTemporary && isTemporaryQuery(ddl, query)) {
    isTemporary = true;
    ddl.notice(`view "${target.relname}" will be a temporary view`);
  }
  const namespace = ddl.creationNamespace(isTemporary ? undefined : target.schemaname, {
    temporary: isTemporary,
    position,
  });
  const columns = columnsOfQuery(ddl, query, stringsOf(statement.aliases), 'view');
  const options = defElems(statement.options).map(({ defname, arg }) => `${defname}=${optionText(arg)}`);
  if (statement.withCheckOption === 'LOCAL_CHECK_OPTION') options.push('check_option=local');
  if (statement.withCheckOption === 'CASCADED_CHECK_OPTION') options.push('check_option=cascaded');
  const optionsDatum = options.length === 0 ? null : new SqlArray(25, options);
  const name = target.relname!;
  await ddl.reserve(namespace, name);
  const existing = ddl.reader.relationOid(namespace, name);
  if (existing !== null) {
    if (statement.replace !== true) throw duplicateRelation(name);
    await ddl.lock(existing, 'AccessExclusive');
    const view = ddl.current(existing);
    if (view.kind !== 'v') throw new DbError('wrong_object_type', `"${name}" is not a view`);
    ddl.requireRelationOwner(view);
    replaceColumns(ddl, view, columns);
    ddl.writer.update('pg_class', existing, { [PG_CLASS.reloptions]: optionsDatum });
    storeRule(ddl, existing, renamed(query, columns));
    return { tag: 'CREATE VIEW' };
  }
  const oid = createRelation(ddl, {
    name,
    namespace,
    kind: 'v',
    persistence: isTemporary ? 't' : 'p',
    owner: ddl.role,
    columns,
    hasRules: true,
    options: optionsDatum,
  });
  storeRule(ddl, oid, renamed(query, columns));
  return { tag: 'CREATE VIEW' };
}

/** CREATE OR REPLACE VIEW may only add columns at the end. */
function replaceColumns(ddl: Ddl, view: RelationDescriptor, columns: readonly ColumnSpec[]): void {
  if (columns.length < view.columns.length)
    throw new DbError('invalid_table_definition', 'cannot drop columns from view');
  view.columns.forEach((old, index) => {
    const column = columns[index]!;
    if (old.name !== column.name)
      throw new DbError(
        'invalid_table_definition',
        `cannot change name of view column "${old.name}" to "${column.name}"`,
        { hint: 'Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.' },
      );
    if (old.typeOid !== column.typeOid || old.typmod !== column.typmod) {
      const text = (typeOid: Oid, typmod: number): string =>
        formatType(ddl.reader, typeOid, { path: ddl.path, typmod });
      throw new DbError(
        'invalid_table_definition',
        `cannot change data type of view column "${old.name}" from ${text(old.typeOid, old.typmod)} to ${text(column.typeOid, column.typmod)}`,
      );
    }
  });
  columns.slice(view.columns.length).forEach((column, index) => {
    insertColumn(ddl, view.oid, view.columns.length + index + 1, column);
  });
  if (columns.length > view.columns.length)
    ddl.writer.update('pg_class', view.oid, { [PG_CLASS.relnatts]: columns.length });
}

// --------------------------------------------------------------------------------------------------- CREATE TABLE AS

/** SELECT … INTO is CREATE TABLE AS with the INTO clause taken out. */
export function selectIntoStatement(select: SelectStmt): CreateTableAsStmt {
  const { intoClause, ...query } = select;
  return { query: { SelectStmt: query }, into: intoClause, objtype: 'OBJECT_TABLE', is_select_into: true };
}

export async function createTableAs(ddl: Ddl, statement: CreateTableAsStmt): Promise<UtilityResult> {
  const into = statement.into!;
  const target = into.rel!;
  const isMaterialized = statement.objtype === 'OBJECT_MATVIEW';
  if (statement.query !== undefined && 'ExecuteStmt' in statement.query)
    throw notSupported('CREATE TABLE AS EXECUTE');
  const isTemporary = target.relpersistence === 't' || target.schemaname === 'pg_temp';
  if (isTemporary) ddl.requireDatabasePrivilege('TEMPORARY');
  const namespace = ddl.creationNamespace(target.schemaname, {
    temporary: isTemporary,
    position: positionOf(target.location),
  });
  const name = target.relname!;
  await ddl.reserve(namespace, name);
  if (ddl.reader.relationOid(namespace, name) !== null) {
    if (statement.if_not_exists === true) {
      ddl.message('NOTICE', 'duplicate_table', `relation "${name}" already exists, skipping`);
      return { tag: isMaterialized ? 'CREATE MATERIALIZED VIEW' : 'CREATE TABLE AS' };
    }
    throw duplicateRelation(name);
  }
  const query = ddl.context.sql.query(statement.query!);
  const columns = columnsOfQuery(ddl, query, stringsOf(into.colNames), 'table');
  const options = defElems(into.options).map(({ defname, arg }) => `${defname}=${optionText(arg)}`);
  const oid = createRelation(ddl, {
    name,
    namespace,
    kind: isMaterialized ? 'm' : 'r',
    persistence: isTemporary ? 't' : target.relpersistence === 'u' ? 'u' : 'p',
    owner: ddl.role,
    columns,
    hasRules: isMaterialized,
    isPopulated: !isMaterialized || into.skipData !== true,
    options: options.length === 0 ? null : new SqlArray(25, options),
  });
  if (isMaterialized) storeRule(ddl, oid, renamed(query, columns));
  ddl.context.tables.createTable(ddl.context.transaction, ddl.current(oid).table!);
  if (into.onCommit === 'ONCOMMIT_DROP') ddl.dropAtCommit(oid);
  if (into.onCommit === 'ONCOMMIT_DELETE_ROWS') ddl.context.onCommitTemporary(oid, 'delete');
  if (into.skipData === true) return { tag: isMaterialized ? 'CREATE MATERIALIZED VIEW' : 'CREATE TABLE AS' };
  const count = isMaterialized
    ? await fillMaterializedView(ddl, ddl.current(oid))
    : await insertQuery(ddl, ddl.current(oid), statement.query!);
  return { tag: `SELECT ${count}` };
}

async function insertQuery(ddl: Ddl, relation: RelationDescriptor, query: Node): Promise<number> {
  ddl.advance();
  const rel: RangeVar = {
    schemaname: relation.namespaceName,
    relname: relation.name,
    inh: true,
    relpersistence: 'p',
    location: -1,
  };
  return ddl.context.queries.modifyTree({
    InsertStmt: { relation: rel, selectStmt: query, override: 'OVERRIDING_NOT_SET', populates: true },
  } as unknown as Node);
}

export async function refreshMaterializedView(
  ddl: Ddl,
  statement: RefreshMatViewStmt,
): Promise<UtilityResult> {
  const relation = await ddl.relation(statement.relation!, 'AccessExclusive');
  if (relation.kind !== 'm')
    throw new DbError('wrong_object_type', `"${relation.name}" is not a materialized view`);
  ddl.requireRelationOwner(relation);
  const rows = statement.skipData === true ? null : await storedRows(ddl, relation);
  ddl.context.tables.truncate(ddl.context.transaction, relation.oid);
  if (rows !== null) insertRows(ddl, relation, rows);
  ddl.writer.update('pg_class', relation.oid, { [PG_CLASS.relispopulated]: statement.skipData !== true });
  return { tag: 'REFRESH MATERIALIZED VIEW' };
}

/** Rows of the view's query, as it is stored. */
async function storedRows(ddl: Ddl, relation: RelationDescriptor): Promise<readonly (readonly Datum[])[]> {
  ddl.advance();
  return ddl.context.queries.queryStored(relation.viewQuery!);
}

async function fillMaterializedView(ddl: Ddl, relation: RelationDescriptor): Promise<number> {
  const rows = await storedRows(ddl, relation);
  insertRows(ddl, relation, rows);
  return rows.length;
}

/** Writes a materialized view's rows; nothing else may write it. */
function insertRows(ddl: Ddl, relation: RelationDescriptor, rows: readonly (readonly Datum[])[]): void {
  ddl.advance();
  const table = ddl.context.tables.table(relation.oid);
  for (const row of rows) {
    const outcome = table.insert(ddl.context.transaction, row);
    if ('conflict' in outcome) {
      const index = relation.indexes.find(({ oid }) => oid === outcome.conflict.indexOid);
      throw new DbError(
        'unique_violation',
        `duplicate key value violates unique constraint "${index?.name ?? outcome.conflict.indexOid}"`,
        { schema: relation.namespaceName, table: relation.name, constraint: index?.name },
      );
    }
  }
}
