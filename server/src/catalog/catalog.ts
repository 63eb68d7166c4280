/**
 * The catalog of one server: the committed state, readers over it, and the overlays of transactions with uncommitted DDL.
 *
 * Invariants
 * - A change is made in the catalog's table and in the transaction's overlay in the same turn; the overlay is merged into the
 *   committed layer by the transaction's onCommit action, in one turn and therefore in commit order.
 * - A rollback (whole, to a savepoint, of a statement) undoes overlay changes by onRollback actions; the table undoes its own.
 * - Every state, committed or not, has its own version number.
 */
import type { Oid } from '../base/brands.ts';
import type { Transaction } from '../txn/contract.ts';
import type { CatalogName } from './data/index.ts';
import { isSharedCatalog } from './databases.ts';
import { type CatalogKey, isSharedClass } from './definitions.ts';
import { Layer, LayerView, STATIC_LAYER, type StoredRow } from './layers.ts';
import { CatalogReaderImplementation, VersionCounter } from './reader.ts';
import type { CatalogServices } from './services.ts';
import type { CatalogRow } from './static-rows.ts';

/** Uncommitted catalog changes of one transaction. */
export class Overlay {
  readonly layer: Layer;
  readonly reader: CatalogReaderImplementation;

  constructor(reader: CatalogReaderImplementation, layer: Layer) {
    this.reader = reader;
    this.layer = layer;
  }
}

/** Pages of large objects are data: no statement means something else because they changed. */
function holdsData(catalog: CatalogName): boolean {
  return catalog === 'pg_largeobject';
}

/** State of a key in a layer, for undo. */
type KeyState = { row: StoredRow | undefined; deleted: boolean };

/** What the catalogs of all databases have in common: the rows of shared catalogs, version numbers, reserved names. */
export class CatalogFamily {
  readonly sharedLayer = new Layer();
  readonly versions = new VersionCounter();
  private readonly members = new Map<Oid, Catalog>();
  /** Names that undecided transactions are about to create. */
  readonly reservedNames = new Map<string, Transaction>();

  get catalogs(): Iterable<Catalog> {
    return this.members.values();
  }

  catalog(databaseOid: Oid): Catalog | undefined {
    return this.members.get(databaseOid);
  }

  add(catalog: Catalog): void {
    this.members.set(catalog.databaseOid, catalog);
  }

  /** A database was dropped. */
  remove(databaseOid: Oid): void {
    this.members.delete(databaseOid);
  }
}

export class Catalog {
  readonly services: CatalogServices;
  readonly databaseOid: Oid;
  readonly family: CatalogFamily;
  readonly committedLayer = new Layer();
  readonly committed: CatalogReaderImplementation;
  private readonly versions: VersionCounter;
  private readonly overlays = new Map<Transaction, Overlay>();

  constructor(services: CatalogServices, databaseOid: Oid, family: CatalogFamily = new CatalogFamily()) {
    this.services = services;
    this.databaseOid = databaseOid;
    this.family = family;
    this.versions = family.versions;
    this.committed = new CatalogReaderImplementation(
      new LayerView([this.committedLayer, family.sharedLayer, STATIC_LAYER]),
      services,
      databaseOid,
      this.versions.next(),
      null,
    );
    family.add(this);
  }

  /** The catalog as `transaction` sees it (null = the committed state). */
  reader(transaction: Transaction | null): CatalogReaderImplementation {
    return transaction === null ? this.committed : (this.overlays.get(transaction)?.reader ?? this.committed);
  }

  /** True when the transaction has uncommitted catalog changes: it must not use or fill shared plan caches. */
  hasOverlay(transaction: Transaction): boolean {
    return this.overlays.has(transaction);
  }

  /** Loads a row of a catalog's table at start. */
  load(catalog: CatalogName, row: StoredRow): void {
    this.layerOf(catalog).writable(catalog).put(row);
  }

  private layerOf(catalog: CatalogName): Layer {
    return isSharedCatalog(catalog) ? this.family.sharedLayer : this.committedLayer;
  }

  /** Records in the overlay that `transaction` put (`row`) or deleted (null) a row; undone when that work is rolled back. */
  record(transaction: Transaction, catalog: CatalogName, key: CatalogKey, row: StoredRow | null): void {
    const overlay = this.overlay(transaction);
    const before = overlay.reader.view.get(catalog, key);
    const table = overlay.layer.writable(catalog);
    const previous: KeyState = { row: table.rows.get(key), deleted: table.deleted.has(key) };
    if (row === null) {
      table.remove(key);
      table.deleted.add(key);
    } else table.put(row);
    this.touch(overlay, catalog, before?.values ?? null, row?.values ?? null);
    // Registered with every change: an action registered inside a savepoint is lost when that is rolled back.
    transaction.onCommit(() => this.publish(transaction));
    transaction.onRollback(() => {
      table.remove(key);
      table.deleted.delete(key);
      if (previous.row !== undefined) table.put(previous.row);
      else if (previous.deleted) table.deleted.add(key);
      this.touch(overlay, catalog, before?.values ?? null, row?.values ?? null);
      if ([...overlay.layer.written()].every((written) => written.isEmpty)) this.overlays.delete(transaction);
    });
  }

  /**
   * Reserves a name for `transaction` until it ends. Answers null when it is now (or was already) its own, else the
   * transaction that holds it.
   */
  nameHolder(scope: Oid, name: string, transaction: Transaction): Transaction | null {
    const { reservedNames } = this.family;
    const isShared = isSharedClass(scope);
    const key = `${isShared ? 0 : this.databaseOid}.${scope}.${name}`;
    const holder = reservedNames.get(key);
    if (holder === transaction) return null;
    if (holder !== undefined && holder.state !== 'committed' && holder.state !== 'aborted') return holder;
    reservedNames.set(key, transaction);
    const release = (): void => {
      if (reservedNames.get(key) === transaction) reservedNames.delete(key);
    };
    transaction.onCommit(release);
    transaction.onRollback(release);
    return null;
  }

  private touch(
    overlay: Overlay,
    catalog: CatalogName,
    before: CatalogRow | null,
    after: CatalogRow | null,
  ): void {
    if (before !== null) overlay.reader.invalidate(catalog, before);
    if (after !== null) overlay.reader.invalidate(catalog, after);
    if (!holdsData(catalog)) overlay.reader.setVersion(this.versions.next());
  }

  private overlay(transaction: Transaction): Overlay {
    let overlay = this.overlays.get(transaction);
    if (overlay !== undefined) return overlay;
    const layer = new Layer();
    const reader = new CatalogReaderImplementation(
      new LayerView([layer, this.committedLayer, this.family.sharedLayer, STATIC_LAYER]),
      this.services,
      this.databaseOid,
      this.versions.next(),
      this.committed,
    );
    overlay = new Overlay(reader, layer);
    this.overlays.set(transaction, overlay);
    return overlay;
  }

  /** Merges a committed transaction's overlay into the committed layer. Runs in commit order. */
  private publish(transaction: Transaction): void {
    const overlay = this.overlays.get(transaction);
    if (overlay === undefined) return;
    this.overlays.delete(transaction);
    let changesShared = false;
    let changesMeaning = false;
    for (const table of overlay.layer.written()) {
      if (table.isEmpty) continue;
      const name = table.definition.name;
      const target = this.layerOf(name).writable(name);
      if (isSharedCatalog(name)) changesShared = true;
      if (!holdsData(name)) changesMeaning = true;
      for (const key of table.deleted) {
        const before = this.committed.view.get(name, key);
        target.remove(key);
        if (before !== null) this.invalidate(name, before.values);
      }
      for (const row of table.rows.values()) {
        const before = this.committed.view.get(name, row.key);
        target.put(row);
        if (before !== null) this.invalidate(name, before.values);
        this.invalidate(name, row.values);
      }
    }
    if (!changesMeaning) return;
    for (const catalog of changesShared ? this.family.catalogs : [this])
      catalog.committed.setVersion(this.versions.next());
  }

  private invalidate(catalog: CatalogName, row: CatalogRow): void {
    for (const member of isSharedCatalog(catalog) ? this.family.catalogs : [this]) {
      member.committed.invalidate(catalog, row);
      for (const overlay of member.overlays.values()) overlay.reader.invalidate(catalog, row);
    }
  }
}
