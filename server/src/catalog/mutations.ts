/**
 * Changes of catalog rows inside a transaction: table, overlay and dependencies together.
 *
 * Every call changes the catalog's table and the overlay in one turn. The caller holds whatever lock keeps two transactions
 * from changing one object at once; where two still meet on a row, the second gets `tuple concurrently updated`, as in
 * PostgreSQL. Names are guarded by {@link CatalogWriter.reserveName}.
 */
import type { Oid } from '../base/brands.ts';
import { DbError, internalError } from '../base/error.ts';
import type { Table, TableStore } from '../table/contract.ts';
import type { LockManager, LockWaitOptions, Transaction } from '../txn/contract.ts';
import type { Datum } from '../types/datum.ts';
import type { Catalog } from './catalog.ts';
import { PG_DEPEND, PG_DESCRIPTION, PG_SHDEPEND } from './data/columns.ts';
import type { CatalogName } from './data/index.ts';
import { CATALOGS, type CatalogKey, CLASS_OID, isSharedClass, pairKey } from './definitions.ts';
import { STATIC_ROW_ID, type StoredRow } from './layers.ts';
import type { CatalogReaderImplementation } from './reader.ts';
import type { CatalogRow } from './static-rows.ts';

/** An object as pg_depend names it; `subId` is a column number, 0 for the whole object. */
export interface ObjectAddress {
  readonly classId: Oid;
  readonly objectId: Oid;
  readonly subId: number;
}

export function address(classId: Oid, objectId: Oid, subId = 0): ObjectAddress {
  return { classId, objectId, subId };
}

/** n normal, a auto, i internal, e member of an extension, P and S of partitions; o owner and a acl in pg_shdepend. */
export type DependencyType = 'n' | 'a' | 'i' | 'e' | 'P' | 'S';

/** Objects below this oid came with the server: nothing is recorded about depending on them, they cannot be dropped. */
export const FIRST_USER_OID = 16384;

/** Oid of the sequence that hands out oids; logged ahead like any sequence, so that no oid is used twice after a crash. */
export const OID_SEQUENCE = 9999;

/** public is the one builtin schema that may be dropped. */
const PUBLIC_NAMESPACE = 2200;

export function isPinned(object: ObjectAddress): boolean {
  return (
    object.objectId < FIRST_USER_OID &&
    !(object.classId === CLASS_OID.namespace && object.objectId === PUBLIC_NAMESPACE)
  );
}

/** Changes of a row: values by column position. */
export type RowChanges = Readonly<Record<number, Datum>>;

export class CatalogWriter {
  readonly catalog: Catalog;
  readonly tables: TableStore;
  readonly transaction: Transaction;

  constructor(catalog: Catalog, tables: TableStore, transaction: Transaction) {
    this.catalog = catalog;
    this.tables = tables;
    this.transaction = transaction;
  }

  get reader(): CatalogReaderImplementation {
    return this.catalog.reader(this.transaction);
  }

  /** An oid no object has or had. */
  allocateOid(): Oid {
    const sequence = this.tables.sequence(OID_SEQUENCE);
    for (;;) {
      const oid = Number(sequence.nextValue());
      if (this.reader.view.get('pg_class', oid) === null && this.reader.view.get('pg_type', oid) === null)
        return oid;
    }
  }

  private table(catalog: CatalogName): Table {
    return this.tables.table(CATALOGS.get(catalog)!.oid);
  }

  row(catalog: CatalogName, key: CatalogKey): CatalogRow {
    const stored = this.reader.view.get(catalog, key);
    if (stored === null) throw internalError(`no row ${key} in ${catalog}`);
    return stored.values;
  }

  insert(catalog: CatalogName, values: readonly Datum[]): void {
    const definition = CATALOGS.get(catalog)!;
    if (values.length !== definition.columns.length)
      throw internalError(`row of ${catalog} has ${values.length} values`);
    const key = definition.key(values);
    const outcome = this.table(catalog).insert(this.transaction, values);
    if ('conflict' in outcome) throw concurrentUpdate();
    this.catalog.record(this.transaction, catalog, key, { key, values, rowId: outcome.rowId });
  }

  update(catalog: CatalogName, key: CatalogKey, changes: RowChanges): void {
    const stored = this.reader.view.get(catalog, key);
    if (stored === null) throw internalError(`no row ${key} in ${catalog}`);
    const values = [...stored.values];
    const changed: number[] = [];
    for (const column of Object.keys(changes)) {
      values[Number(column)] = changes[Number(column)]!;
      changed.push(Number(column));
    }
    const newKey = CATALOGS.get(catalog)!.key(values);
    if (stored.rowId === STATIC_ROW_ID || newKey !== key) {
      // A static row is replaced by a row in the table; a changed key is a new row.
      if (newKey !== key) this.remove(catalog, key);
      this.insert(catalog, values);
      return;
    }
    this.transaction.advanceCommand();
    const outcome = this.table(catalog).update(
      this.transaction,
      this.transaction.latestSnapshot(),
      stored.rowId,
      values,
      changed,
    );
    if (outcome.kind !== 'ok') throw concurrentUpdate();
    this.catalog.record(this.transaction, catalog, key, { key, values, rowId: outcome.rowId });
  }

  /**
   * As `update`, for a row that transactions may change side by side: waits while another one holds it, then changes what it
   * left; nothing happens where the row already has the values. Promise only when it has to wait.
   */
  async updateAfterRivals(
    catalog: CatalogName,
    key: CatalogKey,
    changes: RowChanges,
    locks: LockManager,
    options: () => LockWaitOptions,
  ): Promise<void> {
    for (;;) {
      const stored = this.reader.view.get(catalog, key);
      if (stored === null) throw internalError(`no row ${key} in ${catalog}`);
      const isSame = Object.entries(changes).every(
        ([column, value]) => stored.values[Number(column)] === value,
      );
      if (isSame) return;
      if (stored.rowId !== STATIC_ROW_ID) {
        this.transaction.advanceCommand();
        const snapshot = this.transaction.latestSnapshot();
        const outcome = this.table(catalog).lock(this.transaction, snapshot, stored.rowId, 'NoKeyUpdate');
        if (outcome.kind === 'wait') {
          const wait = locks.waitForTransaction(this.transaction, outcome.xid, options());
          if (wait !== null) await wait;
          continue;
        }
      }
      this.update(catalog, key, changes);
      return;
    }
  }

  remove(catalog: CatalogName, key: CatalogKey): void {
    const stored = this.reader.view.get(catalog, key);
    if (stored === null) return;
    if (stored.rowId === STATIC_ROW_ID) throw internalError(`row ${key} of ${catalog} came with the server`);
    this.transaction.advanceCommand();
    const outcome = this.table(catalog).delete(
      this.transaction,
      this.transaction.latestSnapshot(),
      stored.rowId,
    );
    if (outcome.kind !== 'ok') throw concurrentUpdate();
    this.catalog.record(this.transaction, catalog, key, null);
  }

  removeAll(catalog: CatalogName, rows: readonly StoredRow[]): void {
    for (const row of [...rows]) this.remove(catalog, row.key);
  }

  /**
   * Makes this transaction the only one that may create or rename something to `name` within `scope`; waits while another
   * undecided one holds it. After it returns, look the name up again. Promise only when it has to wait.
   */
  async reserveName(locks: LockManager, scope: Oid, name: string, options: LockWaitOptions): Promise<void> {
    for (;;) {
      const holder = this.catalog.nameHolder(scope, name, this.transaction);
      if (holder === null) return;
      const wait = locks.waitForTransaction(this.transaction, holder.writeXid(), options);
      if (wait !== null) await wait;
      else if (holder.state === 'active' || holder.state === 'failed') await Promise.resolve();
    }
  }

  // ------------------------------------------------------------------------------------------------ dependencies

  /** Records that `dependent` needs `referenced`; pinned objects are not worth a row. */
  dependOn(dependent: ObjectAddress, referenced: ObjectAddress, type: DependencyType): void {
    if (isPinned(referenced)) return;
    if (
      dependent.classId === referenced.classId &&
      dependent.objectId === referenced.objectId &&
      dependent.subId === referenced.subId
    )
      return;
    const row: Datum[] = [];
    row[PG_DEPEND.classid] = dependent.classId;
    row[PG_DEPEND.objid] = dependent.objectId;
    row[PG_DEPEND.objsubid] = dependent.subId;
    row[PG_DEPEND.refclassid] = referenced.classId;
    row[PG_DEPEND.refobjid] = referenced.objectId;
    row[PG_DEPEND.refobjsubid] = referenced.subId;
    row[PG_DEPEND.deptype] = type;
    if (this.reader.view.get('pg_depend', CATALOGS.get('pg_depend')!.key(row)) !== null) return;
    this.insert('pg_depend', row);
  }

  /** Forgets what `object` (with all its columns when subId is 0) depends on; `keep` filters. */
  removeDependenciesOf(object: ObjectAddress, remove: (row: CatalogRow) => boolean = () => true): void {
    const rows = this.reader.view
      .find('pg_depend', 'dependent', pairKey(object.classId, object.objectId))
      .filter(
        ({ values }) => (object.subId === 0 || values[PG_DEPEND.objsubid] === object.subId) && remove(values),
      );
    this.removeAll('pg_depend', rows);
  }

  /** Replaces the dependency of `object` on one referenced object by one on another (change of schema). */
  replaceDependency(object: ObjectAddress, from: ObjectAddress, to: ObjectAddress): void {
    this.removeDependenciesOf(
      object,
      (row) => row[PG_DEPEND.refclassid] === from.classId && row[PG_DEPEND.refobjid] === from.objectId,
    );
    this.dependOn(object, to, 'n');
  }

  /** Records the owner of an object ('o') for DROP ROLE; the bootstrap superuser cannot be dropped. */
  recordOwner(object: ObjectAddress, owner: Oid): void {
    this.removeSharedDependencies(object, 'o');
    this.insertShared(object, owner, 'o');
  }

  /** Records which roles an access list names ('a'), the owner aside. */
  recordAclRoles(object: ObjectAddress, owner: Oid, roles: Iterable<Oid>): void {
    const old = this.reader.view
      .find('pg_shdepend', 'dependent', pairKey(object.classId, object.objectId))
      .filter(
        ({ values }) => values[PG_SHDEPEND.deptype] === 'a' && values[PG_SHDEPEND.objsubid] === object.subId,
      );
    this.removeAll('pg_shdepend', old);
    for (const role of new Set(roles)) if (role !== 0 && role !== owner) this.insertShared(object, role, 'a');
  }

  private insertShared(object: ObjectAddress, role: Oid, type: 'o' | 'a'): void {
    if (role < FIRST_USER_OID) return;
    const row: Datum[] = [];
    row[PG_SHDEPEND.dbid] = isSharedClass(object.classId) ? 0 : this.catalog.databaseOid;
    row[PG_SHDEPEND.classid] = object.classId;
    row[PG_SHDEPEND.objid] = object.objectId;
    row[PG_SHDEPEND.objsubid] = object.subId;
    row[PG_SHDEPEND.refclassid] = CLASS_OID.role;
    row[PG_SHDEPEND.refobjid] = role;
    row[PG_SHDEPEND.deptype] = type;
    this.insert('pg_shdepend', row);
  }

  removeSharedDependencies(object: ObjectAddress, type?: 'o' | 'a'): void {
    const rows = this.reader.view
      .find('pg_shdepend', 'dependent', pairKey(object.classId, object.objectId))
      .filter(
        ({ values }) =>
          (type === undefined || values[PG_SHDEPEND.deptype] === type) &&
          (object.subId === 0 || values[PG_SHDEPEND.objsubid] === object.subId),
      );
    this.removeAll('pg_shdepend', rows);
  }

  /** Sets, replaces or (null) removes the comment of an object. */
  setComment(object: ObjectAddress, comment: string | null): void {
    if (isSharedClass(object.classId)) {
      const key = `${object.objectId}.${object.classId}`;
      if (this.reader.view.get('pg_shdescription', key) !== null) this.remove('pg_shdescription', key);
      if (comment !== null && comment !== '')
        this.insert('pg_shdescription', [object.objectId, object.classId, comment]);
      return;
    }
    const key = `${object.objectId}.${object.classId}.${object.subId}`;
    if (this.reader.view.get('pg_description', key) !== null) this.remove('pg_description', key);
    if (comment !== null && comment !== '')
      this.insert('pg_description', [object.objectId, object.classId, object.subId, comment]);
  }

  /** Removes the comments of an object and, for a whole object, of its columns. */
  removeComments(object: ObjectAddress): void {
    if (isSharedClass(object.classId)) {
      this.setComment(object, null);
      return;
    }
    const rows = this.reader.view
      .find('pg_description', 'object', pairKey(object.classId, object.objectId))
      .filter(({ values }) => object.subId === 0 || values[PG_DESCRIPTION.objsubid] === object.subId);
    this.removeAll('pg_description', rows);
  }
}

function concurrentUpdate(): DbError {
  return new DbError('internal_error', 'tuple concurrently updated');
}
