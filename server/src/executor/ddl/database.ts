/**
 * CREATE, ALTER and DROP DATABASE.
 *
 * A new database is a copy of its template: the rows of its catalogs and, where it has any, its tables, indexes and sequences. Objects
 * made by users get new oids on the way, because one store keeps the tables of all databases by oid; references in rows and in
 * stored trees are translated. Objects that came with the server are in no table and need no copy.
 *
 * Crash story: everything happens in one transaction, so that a database is there wholly or not at all.
 */
import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import { catalogTableSchema } from '../../catalog/bootstrap.ts';
import { Catalog } from '../../catalog/catalog.ts';
import { PG_CLASS, PG_DATABASE, PG_SHDEPEND } from '../../catalog/data/columns.ts';
import type { CatalogName } from '../../catalog/data/index.ts';
import {
  databaseTables,
  isSharedCatalog,
  RESERVED_OIDS,
  TEMPLATE0_DATABASE,
} from '../../catalog/databases.ts';
import { CATALOGS, CLASS_OID } from '../../catalog/definitions.ts';
import { address, FIRST_USER_OID } from '../../catalog/mutations.ts';
import { positionOf } from '../../sql/parse/ast.ts';
import type { AlterDatabaseStmt, CreatedbStmt, DefElem, DropdbStmt } from '../../sql/parse/nodes.ts';
import type { TableStore } from '../../table/contract.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import { booleanOption, type Ddl, defElems, integerOption } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { optionName } from './define-objects.ts';
import { makeRow } from './relation.ts';

interface DatabaseOptions {
  owner?: string;
  template?: string;
  encoding?: string;
  locale?: string;
  collate?: string;
  ctype?: string;
  isTemplate?: boolean;
  allowConnections?: boolean;
  connectionLimit?: number;
  tablespace?: string;
  provider?: string;
  icuLocale?: string;
}

function readOptions(nodes: CreatedbStmt['options']): DatabaseOptions {
  const options: DatabaseOptions = {};
  const seen = new Set<string>();
  const text = (element: DefElem): string | undefined =>
    // DEFAULT comes without an argument.
    element.arg === undefined ? undefined : optionName(element);
  for (const element of defElems(nodes)) {
    const name = element.defname!;
    if (seen.has(name))
      throw new DbError('syntax_error', 'conflicting or redundant options').at(positionOf(element.location));
    seen.add(name);
    switch (name) {
      case 'owner':
        options.owner = text(element);
        break;
      case 'template':
        options.template = text(element);
        break;
      case 'encoding':
        options.encoding = text(element);
        break;
      case 'locale':
        options.locale = text(element);
        break;
      case 'lc_collate':
        options.collate = text(element);
        break;
      case 'lc_ctype':
        options.ctype = text(element);
        break;
      case 'icu_locale':
        options.icuLocale = text(element);
        break;
      case 'locale_provider':
        options.provider = text(element);
        break;
      case 'is_template':
        options.isTemplate = booleanOption(element);
        break;
      case 'allow_connections':
        options.allowConnections = booleanOption(element);
        break;
      case 'connection_limit':
        if (element.arg !== undefined) {
          options.connectionLimit = Number(integerOption(element));
          if (options.connectionLimit < -1)
            throw new DbError(
              'invalid_parameter_value',
              `invalid connection limit: ${options.connectionLimit}`,
            );
        }
        break;
      case 'tablespace':
        options.tablespace = text(element);
        break;
      case 'location':
        break;
      case 'strategy':
      case 'oid':
      case 'collation_version':
        break;
      default:
        throw new DbError('syntax_error', `option "${name}" not recognized`).at(positionOf(element.location));
    }
  }
  return options;
}

function findDatabase(ddl: Ddl, name: string) {
  return ddl.reader.view.findOne('pg_database', 'name', name);
}

function mayCreateDatabase(ddl: Ddl): boolean {
  return ddl.isSuperuser || ddl.reader.role(ddl.role)?.createDatabase === true;
}

const ENCODING_UTF8 = 6;

export async function createDatabase(ddl: Ddl, statement: CreatedbStmt): Promise<UtilityResult> {
  if (ddl.context.isInTransactionBlock)
    throw new DbError('active_sql_transaction', 'CREATE DATABASE cannot run inside a transaction block');
  const name = statement.dbname!;
  const options = readOptions(statement.options);
  const owner = options.owner === undefined ? ddl.role : ddl.roleByName(options.owner).oid;
  if (!mayCreateDatabase(ddl))
    throw new DbError('insufficient_privilege', 'permission denied to create database');
  ddl.requireMember(owner);
  const templateName = options.template ?? 'template1';
  const template = findDatabase(ddl, templateName);
  if (template === null)
    throw new DbError('undefined_database', `template database "${templateName}" does not exist`);
  if (
    template.values[PG_DATABASE.datistemplate] !== true &&
    !ddl.isOwner(template.values[PG_DATABASE.datdba] as Oid)
  )
    throw new DbError('insufficient_privilege', `permission denied to copy database "${templateName}"`);
  if (options.encoding !== undefined) {
    const folded = options.encoding.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
    if (folded !== 'utf8' && folded !== 'unicode' && folded !== '6')
      throw notSupported(`a database of encoding ${options.encoding}`);
  }
  if (options.provider !== undefined && options.provider !== 'libc')
    throw notSupported(`locale provider ${options.provider}`);
  const collate = options.collate ?? options.locale ?? (template.values[PG_DATABASE.datcollate] as string);
  const ctype = options.ctype ?? options.locale ?? (template.values[PG_DATABASE.datctype] as string);
  let tablespace = template.values[PG_DATABASE.dattablespace] as Oid;
  if (options.tablespace !== undefined) {
    const found = [...ddl.reader.view.all('pg_tablespace')].find(
      ({ values }) => values[1] === options.tablespace,
    );
    if (found === undefined)
      throw new DbError('undefined_object', `tablespace "${options.tablespace}" does not exist`);
    tablespace = found.key as Oid;
  }
  await ddl.reserve(CLASS_OID.database, name);
  if (findDatabase(ddl, name) !== null)
    throw new DbError('duplicate_database', `database "${name}" already exists`);
  const source = template.key as Oid;
  if (source !== ddl.reader.databaseOid) refuseUsers(ddl, source, `source database "${templateName}"`);
  const oid = reserveOids(ddl);
  ddl.writer.insert(
    'pg_database',
    makeRow(PG_DATABASE, {
      oid,
      datname: name,
      datdba: owner,
      encoding: ENCODING_UTF8,
      datlocprovider: 'c',
      datistemplate: options.isTemplate ?? false,
      datallowconn: options.allowConnections ?? true,
      datconnlimit: options.connectionLimit ?? -1,
      datfrozenxid: template.values[PG_DATABASE.datfrozenxid],
      datminmxid: template.values[PG_DATABASE.datminmxid],
      dattablespace: tablespace,
      datcollate: collate,
      datctype: ctype,
      daticulocale: null,
      datcollversion: null,
      datacl: null,
    }),
  );
  ddl.writer.recordOwner(address(CLASS_OID.database, oid), owner);
  const copy = new DatabaseCopy(ddl, source, oid);
  await copy.run();
  return { tag: 'CREATE DATABASE' };
}

/** The first of a run of oids that nothing else will get. */
function reserveOids(ddl: Ddl): Oid {
  const first = ddl.writer.allocateOid();
  let last = first;
  while (last - first < RESERVED_OIDS) {
    const next = ddl.writer.allocateOid();
    // Somebody else took one in between: the run begins again.
    if (next !== last + 1) return reserveOids(ddl);
    last = next;
  }
  return first;
}

function refuseUsers(ddl: Ddl, databaseOid: Oid, what: string): void {
  const count = ddl.context.otherSessions(databaseOid).length;
  if (count > 0)
    throw new DbError('object_in_use', `${what} is being accessed by other users`, {
      detail:
        count === 1
          ? 'There is 1 other session using the database.'
          : `There are ${count} other sessions using the database.`,
    });
}

const REFERENCE_TYPES = new Set(['oid', 'regproc', 'oidvector', '_oid']);

/** Copies one database's catalogs and tables under new oids. */
class DatabaseCopy {
  private readonly ddl: Ddl;
  private readonly source: Catalog | undefined;
  private readonly target: Oid;
  private readonly from: TableStore;
  private readonly to: TableStore;
  private readonly newOids = new Map<Oid, Oid>();

  constructor(ddl: Ddl, source: Oid, target: Oid) {
    this.ddl = ddl;
    const { family } = ddl.context.catalog;
    this.source = family.catalog(source === TEMPLATE0_DATABASE ? -1 : source);
    this.target = target;
    this.from = databaseTables(ddl.context.baseTables, source);
    this.to = databaseTables(ddl.context.baseTables, target);
  }

  async run(): Promise<void> {
    const { ddl, target } = this;
    const { transaction, catalog } = ddl.context;
    const copy = new Catalog(catalog.services, target, catalog.family);
    // Until the transaction commits nobody may find it.
    catalog.family.remove(target);
    const names = [...CATALOGS.keys()].filter((name) => !isSharedCatalog(name));
    for (const name of names) this.to.createTable(transaction, catalogTableSchema(CATALOGS.get(name)!));
    if (this.source !== undefined) this.chooseOids(this.source, names);
    for (const name of names) {
      const definition = CATALOGS.get(name)!;
      const rows =
        this.source === undefined
          ? freshRows(ddl, name)
          : [...(this.source.committedLayer.table(name)?.rows.values() ?? [])].map(({ values }) => values);
      for (const row of rows) {
        if (this.isTemporary(name, row)) continue;
        const values = row.map((value, index) => this.translate(value, definition.columns[index]![1]));
        const outcome = this.to.table(definition.oid).insert(transaction, values);
        if ('conflict' in outcome) throw new DbError('internal_error', `could not copy a row of ${name}`);
        copy.load(name, { key: definition.key(values), values, rowId: outcome.rowId });
      }
    }
    this.copyDependencies();
    if (this.source !== undefined) await this.copyTables(this.source, copy);
    transaction.onCommit(() => catalog.family.add(copy));
  }

  private readonly temporary = new Set<Oid>();

  /** New oids for all objects that users made in the source. */
  private chooseOids(source: Catalog, names: readonly CatalogName[]): void {
    for (const { key, values } of source.committed.view.all('pg_class'))
      if (values[PG_CLASS.relpersistence] === 't') this.temporary.add(key as Oid);
    for (const name of names) {
      if (CATALOGS.get(name)!.columns[0]![0] !== 'oid') continue;
      for (const { values } of source.committedLayer.table(name)?.rows.values() ?? []) {
        const oid = values[0] as Oid;
        if (oid >= FIRST_USER_OID) this.newOids.set(oid, this.ddl.writer.allocateOid());
      }
    }
  }

  /** Rows that belong to temporary relations of sessions of the source. */
  private isTemporary(name: CatalogName, row: readonly Datum[]): boolean {
    if (this.temporary.size === 0) return false;
    return CATALOGS.get(name)!.columns.some(
      ([, type], index) => type === 'oid' && this.temporary.has(row[index] as Oid),
    );
  }

  private oid(value: Oid): Oid {
    return this.newOids.get(value) ?? value;
  }

  private translate(value: Datum, type: string): Datum {
    if (value === null || this.newOids.size === 0) return value;
    if (REFERENCE_TYPES.has(type)) {
      if (value instanceof SqlArray)
        return new SqlArray(
          value.elementType,
          value.elements.map((element) => this.oid(element as Oid)),
          value.dimensions,
          value.lowerBounds,
        );
      return this.oid(value as Oid);
    }
    if (type === 'pg_node_tree' && typeof value === 'string') return this.translateTree(value);
    return value;
  }

  /** Stored trees: oids stand under names that say so. Oids are unique over all databases, so that no other number is one. */
  private translateTree(text: string): string {
    if (!text.startsWith('{') && !text.startsWith('[')) return text;
    const visit = (value: unknown, key: string): unknown => {
      if (typeof value === 'number')
        return /oid|collation|type|^t$|^ts$|^value$/i.test(key) ? this.oid(value) : value;
      if (typeof value === 'string') return value.startsWith('{"') ? this.translateTree(value) : value;
      if (value === null || typeof value !== 'object') return value;
      if (Array.isArray(value)) return value.map((item) => visit(item, key));
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, visit(item, name)]));
    };
    return JSON.stringify(visit(JSON.parse(text), ''));
  }

  /** What roles own or may use in the source, they own and may use in the copy. */
  private copyDependencies(): void {
    if (this.source === undefined) return;
    for (const { values } of [...this.ddl.reader.view.all('pg_shdepend')]) {
      if (values[PG_SHDEPEND.dbid] !== this.source.databaseOid) continue;
      const row = [...values];
      row[PG_SHDEPEND.dbid] = this.target;
      row[PG_SHDEPEND.objid] = this.oid(row[PG_SHDEPEND.objid] as Oid);
      this.ddl.writer.insert('pg_shdepend', row);
    }
  }

  private async copyTables(source: Catalog, copy: Catalog): Promise<void> {
    const { transaction } = this.ddl.context;
    const reader = copy.committed;
    for (const [old, fresh] of this.newOids) {
      const row = source.committed.view.get('pg_class', old)?.values;
      if (row === undefined || this.temporary.has(old)) continue;
      const kind = row[PG_CLASS.relkind];
      if (kind === 'S') {
        this.to.createSequence(transaction, fresh, this.from.sequence(old).state);
        continue;
      }
      if (kind !== 'r' && kind !== 'm') continue;
      const relation = reader.relation(fresh)!;
      if (relation.table === null) continue;
      const table = this.to.createTable(transaction, relation.table);
      const columns = relation.table.columns.map((_, index) => index);
      const frame: Datum[] = new Array<Datum>(columns.length).fill(null);
      transaction.advanceCommand();
      const cursor = this.from
        .table(old)
        .scan({ snapshot: transaction.latestSnapshot(), columns, slots: columns, predicates: [] });
      while (cursor.next(frame)) table.insert(transaction, [...frame]);
      cursor.close();
      transaction.advanceCommand();
      for (const index of relation.indexes)
        if (index.schema.keys.length > 0) await this.to.createIndex(transaction, fresh, index.schema);
    }
  }
}

/** Rows of a database that never had any of its own: the server's own schemas, extensions. */
function freshRows(ddl: Ddl, name: CatalogName): (readonly Datum[])[] {
  const rows: (readonly Datum[])[] = [];
  // template1's rows below the first user oid are those a directory begins with.
  for (const { values } of ddl.context.catalog.family.catalog(1)?.committedLayer.table(name)?.rows.values() ??
    []) {
    const oids = CATALOGS.get(name)!.columns.map(([, type], index) =>
      type === 'oid' ? (values[index] as Oid) : 0,
    );
    if (oids.every((oid) => oid < FIRST_USER_OID)) rows.push(values);
  }
  return rows;
}

export async function dropDatabase(ddl: Ddl, statement: DropdbStmt): Promise<UtilityResult> {
  const tag = { tag: 'DROP DATABASE' };
  if (ddl.context.isInTransactionBlock)
    throw new DbError('active_sql_transaction', 'DROP DATABASE cannot run inside a transaction block');
  const name = statement.dbname!;
  const row = findDatabase(ddl, name);
  if (row === null) {
    if (statement.missing_ok !== true)
      throw new DbError('undefined_database', `database "${name}" does not exist`);
    ddl.notice(`database "${name}" does not exist, skipping`);
    return tag;
  }
  const oid = row.key as Oid;
  if (!ddl.isOwner(row.values[PG_DATABASE.datdba] as Oid))
    throw new DbError('insufficient_privilege', `must be owner of database ${name}`);
  if (oid === ddl.reader.databaseOid)
    throw new DbError('object_in_use', 'cannot drop the currently open database');
  if (row.values[PG_DATABASE.datistemplate] === true)
    throw new DbError('wrong_object_type', 'cannot drop a template database');
  if (oid < FIRST_USER_OID) throw notSupported(`DROP DATABASE ${name}`);
  if (defElems(statement.options).some(({ defname }) => defname === 'force'))
    for (const session of ddl.context.otherSessions(oid)) session.terminate();
  refuseUsers(ddl, oid, `database "${name}"`);
  dropContents(ddl, oid);
  const { writer } = ddl;
  for (const entry of [...ddl.reader.view.all('pg_shdepend')])
    if (entry.values[PG_SHDEPEND.dbid] === oid) writer.remove('pg_shdepend', entry.key);
  for (const entry of [...ddl.reader.view.all('pg_db_role_setting')])
    if (entry.values[0] === oid) writer.remove('pg_db_role_setting', entry.key);
  const self = address(CLASS_OID.database, oid);
  writer.removeSharedDependencies(self);
  writer.removeComments(self);
  writer.remove('pg_database', oid);
  return tag;
}

function dropContents(ddl: Ddl, oid: Oid): void {
  const { transaction, catalog, baseTables } = ddl.context;
  const { family } = catalog;
  const gone = family.catalog(oid);
  const tables = databaseTables(baseTables, oid);
  if (gone !== undefined) {
    for (const { key, values } of gone.committed.view.all('pg_class')) {
      if ((key as Oid) < FIRST_USER_OID) continue;
      const kind = values[PG_CLASS.relkind];
      if (kind === 'S') tables.dropSequence(transaction, key as Oid);
      // Dropping a table takes its indexes along.
      else if (kind === 'r' || kind === 'm') tables.dropTable(transaction, key as Oid);
    }
    for (const definition of CATALOGS.values())
      if (!isSharedCatalog(definition.name)) tables.dropTable(transaction, definition.oid);
  }
  transaction.onCommit(() => family.remove(oid));
}

export async function alterDatabase(ddl: Ddl, statement: AlterDatabaseStmt): Promise<UtilityResult> {
  const name = statement.dbname!;
  const row = findDatabase(ddl, name);
  if (row === null) throw new DbError('undefined_database', `database "${name}" does not exist`);
  if (!ddl.isOwner(row.values[PG_DATABASE.datdba] as Oid))
    throw new DbError('insufficient_privilege', `must be owner of database ${name}`);
  const options = readOptions(statement.options);
  if (options.allowConnections === false && row.key === ddl.reader.databaseOid)
    throw new DbError('invalid_parameter_value', 'cannot disallow connections for current database');
  const changes: Record<number, Datum> = {};
  if (options.isTemplate !== undefined) changes[PG_DATABASE.datistemplate] = options.isTemplate;
  if (options.allowConnections !== undefined) changes[PG_DATABASE.datallowconn] = options.allowConnections;
  if (options.connectionLimit !== undefined) changes[PG_DATABASE.datconnlimit] = options.connectionLimit;
  if (options.tablespace !== undefined) {
    const found = [...ddl.reader.view.all('pg_tablespace')].find(
      ({ values }) => values[1] === options.tablespace,
    );
    if (found === undefined)
      throw new DbError('undefined_object', `tablespace "${options.tablespace}" does not exist`);
    changes[PG_DATABASE.dattablespace] = found.key as Oid;
  }
  ddl.writer.update('pg_database', row.key, changes);
  return { tag: 'ALTER DATABASE' };
}
