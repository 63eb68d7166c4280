/**
 * Rows of the catalogs in memory, in layers.
 *
 * A layer maps keys to rows and keeps the look-ups of the definitions. A *view* is a stack of layers, the upper hiding the
 * lower: static rows at the bottom, committed rows of the tables above, and for a transaction with uncommitted DDL its
 * overlay on top. A key is hidden below when the upper layer has a row for it or names it as deleted.
 */
import type { RowId } from '../base/brands.ts';
import type { CatalogName } from './data/index.ts';
import { CATALOGS, type CatalogDefinition, type CatalogKey } from './definitions.ts';
import { type CatalogRow, staticRows } from './static-rows.ts';

/** A row with its place in the catalog's table; -1 for a static row. */
export interface StoredRow {
  readonly key: CatalogKey;
  readonly values: CatalogRow;
  readonly rowId: RowId;
}

export const STATIC_ROW_ID = -1 as RowId;

/** Rows of one catalog in one layer. */
export class LayerTable {
  readonly definition: CatalogDefinition;
  readonly rows = new Map<CatalogKey, StoredRow>();
  /** Keys of lower layers deleted here. */
  readonly deleted = new Set<CatalogKey>();
  private readonly lookups = new Map<string, Map<CatalogKey, StoredRow[]>>();

  constructor(definition: CatalogDefinition) {
    this.definition = definition;
    for (const name of Object.keys(definition.lookups)) this.lookups.set(name, new Map());
  }

  put(row: StoredRow): void {
    this.remove(row.key);
    this.deleted.delete(row.key);
    this.rows.set(row.key, row);
    for (const [name, map] of this.lookups) {
      const key = this.definition.lookups[name]!(row.values);
      if (key === null) continue;
      const list = map.get(key);
      if (list === undefined) map.set(key, [row]);
      else list.push(row);
    }
  }

  /** Takes the row out of this layer, without a word about lower ones. */
  remove(key: CatalogKey): void {
    const row = this.rows.get(key);
    if (row === undefined) return;
    this.rows.delete(key);
    for (const [name, map] of this.lookups) {
      const lookupKey = this.definition.lookups[name]!(row.values);
      if (lookupKey === null) continue;
      const list = map.get(lookupKey);
      if (list === undefined) continue;
      // The newest row goes first more often than not.
      const at = list.lastIndexOf(row);
      if (at >= 0) list.splice(at, 1);
      if (list.length === 0) map.delete(lookupKey);
    }
  }

  lookup(name: string, key: CatalogKey): readonly StoredRow[] {
    return this.lookups.get(name)!.get(key) ?? NO_ROWS;
  }

  lookupKeys(name: string): Iterable<CatalogKey> {
    return this.lookups.get(name)!.keys();
  }

  hides(key: CatalogKey): boolean {
    return this.rows.has(key) || this.deleted.has(key);
  }

  get isEmpty(): boolean {
    return this.rows.size === 0 && this.deleted.size === 0;
  }
}

const NO_ROWS: readonly StoredRow[] = [];

/** A set of catalogs' rows. Tables appear when they are first written. */
export class Layer {
  protected readonly tables = new Map<CatalogName, LayerTable>();

  /** For reading: undefined when this layer has nothing to say. */
  table(name: CatalogName): LayerTable | undefined {
    return this.tables.get(name);
  }

  writable(name: CatalogName): LayerTable {
    let table = this.tables.get(name);
    if (table === undefined) {
      table = new LayerTable(CATALOGS.get(name)!);
      this.tables.set(name, table);
    }
    return table;
  }

  written(): Iterable<LayerTable> {
    return this.tables.values();
  }
}

/** PostgreSQL's own rows of the static catalogs, read from the data files on first use. Shared by the whole process. */
class StaticLayer extends Layer {
  override table(name: CatalogName): LayerTable | undefined {
    const known = this.tables.get(name);
    if (known !== undefined) return known;
    const definition = CATALOGS.get(name)!;
    const table = new LayerTable(definition);
    if (!definition.seeded)
      for (const values of staticRows(name))
        table.put({ key: definition.key(values), values, rowId: STATIC_ROW_ID });
    this.tables.set(name, table);
    return table;
  }
}

export const STATIC_LAYER: Layer = new StaticLayer();

/** A stack of layers read as one, top first. */
export class LayerView {
  readonly layers: readonly Layer[];

  constructor(layers: readonly Layer[]) {
    this.layers = layers;
  }

  get(name: CatalogName, key: CatalogKey): StoredRow | null {
    for (const layer of this.layers) {
      const table = layer.table(name);
      if (table === undefined) continue;
      const row = table.rows.get(key);
      if (row !== undefined) return row;
      if (table.deleted.has(key)) return null;
    }
    return null;
  }

  /** Rows whose look-up `lookup` has `key`. */
  find(name: CatalogName, lookup: string, key: CatalogKey): readonly StoredRow[] {
    let result: StoredRow[] | null = null;
    let only: readonly StoredRow[] = NO_ROWS;
    for (let depth = 0; depth < this.layers.length; depth++) {
      const rows = this.layers[depth]!.table(name)?.lookup(lookup, key);
      if (rows === undefined || rows.length === 0) continue;
      const visible = this.isHiddenAny(name, depth)
        ? rows.filter((row) => !this.isHidden(name, depth, row.key))
        : rows;
      if (visible.length === 0) continue;
      if (result !== null) result.push(...visible);
      else if (only.length === 0) only = visible;
      else result = [...only, ...visible];
    }
    return result ?? only;
  }

  findOne(name: CatalogName, lookup: string, key: CatalogKey): StoredRow | null {
    return this.find(name, lookup, key)[0] ?? null;
  }

  /** About how many rows there are: rows that an upper layer hides count too. */
  size(name: CatalogName): number {
    let count = 0;
    for (const layer of this.layers) count += layer.table(name)?.rows.size ?? 0;
    return count;
  }

  /** Every row: static ones first, as a table would hold them. */
  *all(name: CatalogName): Generator<StoredRow> {
    for (let depth = this.layers.length - 1; depth >= 0; depth--) {
      const table = this.layers[depth]!.table(name);
      if (table === undefined) continue;
      // A copy: the caller may run DDL while it walks.
      for (const row of [...table.rows.values()]) if (!this.isHidden(name, depth, row.key)) yield row;
    }
  }

  /** Distinct keys of a look-up; may include keys whose rows are hidden. */
  *lookupKeys(name: CatalogName, lookup: string): Generator<CatalogKey> {
    for (const layer of this.layers) {
      const table = layer.table(name);
      if (table !== undefined) yield* table.lookupKeys(lookup);
    }
  }

  private isHiddenAny(name: CatalogName, depth: number): boolean {
    for (let above = 0; above < depth; above++) {
      const table = this.layers[above]!.table(name);
      if (table !== undefined && !table.isEmpty) return true;
    }
    return false;
  }

  private isHidden(name: CatalogName, depth: number, key: CatalogKey): boolean {
    for (let above = 0; above < depth; above++) {
      if (this.layers[above]!.table(name)?.hides(key) === true) return true;
    }
    return false;
  }
}
