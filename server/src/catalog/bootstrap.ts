/**
 * Opens the catalog of a directory; fills the catalogs of a new one.
 *
 * New directory: one transaction makes every catalog's table (fixed oids), the sequence of oids, and the rows users may change
 * (roles, databases, schemas, tablespaces). A crash before its commit leaves tables without committed rows; the next
 * start finds no catalogs and does it again. Later starts read the tables into memory, in row order.
 */
import type { Oid } from '../base/brands.ts';
import type { TableSchema, TableStore } from '../table/contract.ts';
import type { Transaction, TransactionManager } from '../txn/contract.ts';
import type { Datum } from '../types/datum.ts';
import { findTypeSupport, typeSupport } from '../types/index.ts';
import { Catalog, CatalogFamily } from './catalog.ts';
import { PG_AUTHID, PG_DATABASE, PG_INDEX } from './data/columns.ts';
import type { CatalogName } from './data/index.ts';
import {
  databaseTables,
  isSharedCatalog,
  POSTGRES_DATABASE,
  TEMPLATE0_DATABASE,
  TEMPLATE1_DATABASE,
} from './databases.ts';
import { CATALOGS, type CatalogDefinition } from './definitions.ts';
import { FIRST_USER_OID, OID_SEQUENCE } from './mutations.ts';
import type { CatalogServices } from './services.ts';
import { staticRows } from './static-rows.ts';
import { removeOrphanedTemporaries } from './temporary.ts';

export interface OpenCatalogOptions {
  readonly tables: TableStore;
  readonly transactions: TransactionManager;
  readonly services: CatalogServices;
  /** True when the store was empty: the catalogs are made. */
  readonly isNew: boolean;
  /** For a new directory. */
  readonly superuserName: string;
  /** SCRAM verifier, null = no password. */
  readonly superuserPassword: string | null;
}

const SUPERUSER_OID = 10;

/** Comments that tools compare with: pg_dump prints the one of public when it differs. */
const WELL_KNOWN_COMMENTS: readonly (readonly [CatalogName, readonly Datum[]])[] = [
  ['pg_description', [2200, 2615, 0, 'standard public schema']],
  ['pg_shdescription', [5, 1262, 'default administrative connection database']],
  ['pg_shdescription', [1, 1262, 'default template for new databases']],
  ['pg_shdescription', [4, 1262, 'unmodifiable empty database']],
];

/** Columns are stored as what they hold: missing values as an array of texts, because anyarray has no element type. */
const STORED_TYPES: Readonly<Record<string, Oid>> = { anyarray: 1009 };

const TYPE_OIDS: ReadonlyMap<string, Oid> = new Map(
  staticRows('pg_type').map((row) => [row[1] as string, row[0] as number]),
);

/** How the table of a catalog stores its rows. */
export function catalogTableSchema(definition: CatalogDefinition): TableSchema {
  return {
    tableOid: definition.oid,
    name: definition.name,
    persistence: 'permanent',
    columns: definition.columns.map(([name, type]) => {
      const oid = STORED_TYPES[type] ?? TYPE_OIDS.get(type)!;
      return {
        name,
        typeOid: oid,
        typmod: -1,
        support: findTypeSupport(oid) ?? typeSupport(25),
        notNull: false,
        dropped: false,
        missingValue: null,
      };
    }),
  };
}

function begin(transactions: TransactionManager): Transaction {
  return transactions.begin({ isolation: 'read committed', readOnly: false, sessionId: 0 });
}

function seedRow(definition: CatalogDefinition, row: readonly Datum[], options: OpenCatalogOptions): Datum[] {
  const values = [...row];
  if (definition.name === 'pg_authid' && values[PG_AUTHID.oid] === SUPERUSER_OID) {
    values[PG_AUTHID.rolname] = options.superuserName;
    values[PG_AUTHID.rolpassword] = options.superuserPassword;
  }
  if (definition.name === 'pg_database') values[PG_DATABASE.datcollversion] = null;
  return values;
}

/** Makes the tables of a database's own catalogs (all of them with the shared ones for the first database). */
function createCatalogTables(options: OpenCatalogOptions, transaction: Transaction, databaseOid: Oid): void {
  const tables = databaseTables(options.tables, databaseOid);
  const isFirst = databaseOid === POSTGRES_DATABASE;
  for (const definition of CATALOGS.values()) {
    if (!isFirst && isSharedCatalog(definition.name)) continue;
    const table = tables.createTable(transaction, catalogTableSchema(definition));
    if (!definition.seeded) continue;
    for (const row of staticRows(definition.name))
      table.insert(transaction, seedRow(definition, row, options));
  }
  for (const [catalog, row] of WELL_KNOWN_COMMENTS)
    if (isFirst || !isSharedCatalog(catalog))
      tables.table(CATALOGS.get(catalog)!.oid).insert(transaction, row);
}

async function commit(transactions: TransactionManager, transaction: Transaction): Promise<void> {
  const committed = transactions.commit(transaction, { synchronous: true });
  if (committed !== null) await committed;
}

function hasTables(tables: TableStore, databaseOid: Oid): boolean {
  try {
    databaseTables(tables, databaseOid).table(CATALOGS.get('pg_class')!.oid);
    return true;
  } catch {
    return false;
  }
}

/** Reads the rows of catalogs into a catalog's layers. */
function load(
  catalog: Catalog,
  options: OpenCatalogOptions,
  transaction: Transaction,
  wanted: (name: CatalogName) => boolean,
): void {
  const tables = databaseTables(options.tables, catalog.databaseOid);
  const snapshot = transaction.latestSnapshot();
  for (const definition of CATALOGS.values()) {
    if (!wanted(definition.name)) continue;
    const columns = definition.columns.map((_, index) => index);
    const cursor = tables.table(definition.oid).scan({ snapshot, columns, slots: columns, predicates: [] });
    const frame: Datum[] = new Array<Datum>(columns.length).fill(null);
    while (cursor.next(frame)) {
      const values = frame.slice(0, columns.length);
      catalog.load(definition.name, { key: definition.key(values), values, rowId: cursor.rowId });
    }
    cursor.close();
  }
}

/** Opens (or first makes) the catalogs of all databases. */
export async function openCatalogs(options: OpenCatalogOptions): Promise<CatalogFamily> {
  const { tables, transactions } = options;
  if (options.isNew) {
    const transaction = begin(transactions);
    createCatalogTables(options, transaction, POSTGRES_DATABASE);
    createCatalogTables(options, transaction, TEMPLATE1_DATABASE);
    tables.createSequence(transaction, OID_SEQUENCE, {
      start: BigInt(FIRST_USER_OID),
      increment: 1n,
      minimum: BigInt(FIRST_USER_OID),
      maximum: 4294967295n,
      cache: 1n,
      cycle: false,
      lastValue: BigInt(FIRST_USER_OID),
      isCalled: false,
    });
    await commit(transactions, transaction);
  } else if (!hasTables(tables, TEMPLATE1_DATABASE)) {
    // A directory of the time when there was one database.
    const transaction = begin(transactions);
    createCatalogTables(options, transaction, TEMPLATE1_DATABASE);
    await commit(transactions, transaction);
  }
  const family = new CatalogFamily();
  const first = new Catalog(options.services, POSTGRES_DATABASE, family);
  const transaction = begin(transactions);
  load(first, options, transaction, isSharedCatalog);
  for (const { key } of family.sharedLayer.table('pg_database')?.rows.values() ?? []) {
    const databaseOid = key as Oid;
    if (databaseOid === TEMPLATE0_DATABASE) continue;
    const catalog =
      databaseOid === POSTGRES_DATABASE ? first : new Catalog(options.services, databaseOid, family);
    load(catalog, options, transaction, (name) => !isSharedCatalog(name));
  }
  transactions.rollback(transaction);
  for (const catalog of family.catalogs)
    await removeOrphanedTemporaries(catalog, databaseTables(tables, catalog.databaseOid), transactions);
  return family;
}

/** The catalog of the database `postgres`, for callers that know no other. */
export async function openCatalog(options: OpenCatalogOptions): Promise<Catalog> {
  return (await openCatalogs(options)).catalog(POSTGRES_DATABASE)!;
}

/**
 * Gives expression and partial indexes their functions back, which storage cannot keep. After a start, once functions can
 * be compiled, before any table is written.
 */
export async function attachIndexes(catalog: Catalog, tables: TableStore): Promise<void> {
  for (const { key, values } of catalog.committed.view.all('pg_index')) {
    if ((key as number) < FIRST_USER_OID) continue;
    if (values[PG_INDEX.indexprs] === null && values[PG_INDEX.indpred] === null) continue;
    const index = catalog.committed
      .relation(values[PG_INDEX.indrelid] as number)
      ?.indexes.find((candidate) => candidate.oid === key);
    if (index !== undefined) await tables.attachIndex(index.schema);
  }
}
