/**
 * Where the catalogs of each database are kept.
 *
 * One table store serves all databases. Shared catalogs (roles, databases, tablespaces …) are one table each, under their own
 * oid. Of every other catalog each database has a table of its own; its storage number is
 *
 * | database        | storage number of catalog number i (by oid, counted from 0) |
 * | --------------- | ----------------------------------------------------------- |
 * | postgres (5)    | the catalog's oid                                           |
 * | template1 (1)   | 14000 + i                                                   |
 * | any other       | oid of the database + 1 + i                                 |
 *
 * CREATE DATABASE takes {@link RESERVED_OIDS} oids for that. template0 has none: nobody can connect to it. Oids of user objects come from
 * one sequence for all databases, so that their storage numbers, which are their oids, never meet.
 */
import type { Oid } from '../base/brands.ts';
import type { AnalyzedTable, Table, TableStore } from '../table/contract.ts';
import type { CatalogName } from './data/index.ts';
import { CATALOGS, CATALOGS_BY_OID } from './definitions.ts';

export const POSTGRES_DATABASE: Oid = 5;
export const TEMPLATE1_DATABASE: Oid = 1;
export const TEMPLATE0_DATABASE: Oid = 4;

/** Oids taken by a new database: its own and those of its catalogs, with room for catalogs to come. */
export const RESERVED_OIDS = 100;

const TEMPLATE1_BASE = 14000;

const SHARED: ReadonlySet<CatalogName> = new Set([
  'pg_authid',
  'pg_auth_members',
  'pg_database',
  'pg_db_role_setting',
  'pg_parameter_acl',
  'pg_replication_origin',
  'pg_shdepend',
  'pg_shdescription',
  'pg_shseclabel',
  'pg_subscription',
  'pg_tablespace',
]);

export function isSharedCatalog(name: CatalogName): boolean {
  return SHARED.has(name);
}

const PLACES: ReadonlyMap<Oid, number> = new Map(
  [...CATALOGS.values()].sort((a, b) => a.oid - b.oid).map(({ oid }, index) => [oid, index]),
);

/** Storage number of a catalog's table in a database. */
export function catalogStorage(databaseOid: Oid, catalogOid: Oid): Oid {
  const definition = CATALOGS_BY_OID.get(catalogOid);
  if (definition === undefined || databaseOid === POSTGRES_DATABASE || SHARED.has(definition.name))
    return catalogOid;
  const base = databaseOid === TEMPLATE1_DATABASE ? TEMPLATE1_BASE : databaseOid + 1;
  return base + PLACES.get(catalogOid)!;
}

const FIRST_USER_OID = 16384;

/** The store as one database sees it: its own catalogs stand under their oids. */
export function databaseTables(store: TableStore, databaseOid: Oid): TableStore {
  if (databaseOid === POSTGRES_DATABASE) return store;
  const place = (oid: Oid): Oid => (oid >= FIRST_USER_OID ? oid : catalogStorage(databaseOid, oid));
  return {
    table: (oid): Table => store.table(place(oid)),
    createTable: (transaction, schema) =>
      store.createTable(transaction, { ...schema, tableOid: place(schema.tableOid) }),
    dropTable: (transaction, oid) => store.dropTable(transaction, place(oid)),
    alterTable: (transaction, schema) => store.alterTable(transaction, schema),
    truncate: (transaction, oid) => store.truncate(transaction, place(oid)),
    createIndex: (transaction, oid, index) => store.createIndex(transaction, oid, index),
    dropIndex: (transaction, oid) => store.dropIndex(transaction, oid),
    attachIndex: (index) => store.attachIndex(index),
    createSequence: (transaction, oid, state) => store.createSequence(transaction, oid, state),
    sequence: (oid) => store.sequence(oid),
    alterSequence: (transaction, oid, state) => store.alterSequence(transaction, oid, state),
    dropSequence: (transaction, oid) => store.dropSequence(transaction, oid),
    vacuum: (oid) => store.vacuum(place(oid)),
    analyze: (oid, transaction, groups) => store.analyze(place(oid), transaction, groups),
    *analyzed(): Generator<AnalyzedTable> {
      for (const table of store.analyzed()) if (table.relationOid >= FIRST_USER_OID) yield table;
    },
    seal: (oid) => store.seal(place(oid)),
    checkpoint: () => store.checkpoint(),
  };
}
