/** One engine for every database: its catalog, its view of the store, its plans. Made when the first session asks for it. */
import type { Oid } from '../base/brands.ts';
import { type Catalog, type CatalogFamily, databaseTables } from '../catalog/index.ts';
import type { Engine } from '../session/engine.ts';
import type { TableStore } from '../table/contract.ts';

export class DatabaseEngines {
  private readonly family: CatalogFamily;
  private readonly store: TableStore;
  private readonly make: (catalog: Catalog, tables: TableStore) => Engine;
  private readonly engines = new Map<Catalog, Engine>();

  constructor(
    family: CatalogFamily,
    store: TableStore,
    make: (catalog: Catalog, tables: TableStore) => Engine,
  ) {
    this.family = family;
    this.store = store;
    this.make = make;
  }

  /** Undefined when the database has no catalogs (template0) or is gone. */
  of(databaseOid: Oid): Engine | undefined {
    const catalog = this.family.catalog(databaseOid);
    if (catalog === undefined) return undefined;
    let engine = this.engines.get(catalog);
    if (engine === undefined) {
      engine = this.make(catalog, databaseTables(this.store, databaseOid));
      this.engines.set(catalog, engine);
    }
    for (const known of this.engines.keys())
      if (this.family.catalog(known.databaseOid) !== known) this.engines.delete(known);
    return engine;
  }
}
