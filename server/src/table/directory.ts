/**
 * The committed structure of the store: which tables, indexes and sequences exist as of the last published commit.
 *
 * Live objects already show uncommitted DDL; checkpoints must not. Entries change only in commit actions, which run in
 * commit order, so a copy taken between two turns fits the visible sequence of that moment.
 */
import type { Oid } from '../base/brands.ts';
import type { OrderedIndex } from '../index/contract.ts';
import type { ColumnCodec } from './column-codec.ts';
import type { TableSchema } from './contract.ts';
import type { RowStore } from './row-store.ts';
import type { TableImplementation } from './table.ts';
import type { TableIndex } from './table-index.ts';

export interface DirectoryTable {
  readonly table: TableImplementation;
  readonly schemaText: string;
  readonly persistence: TableSchema['persistence'];
  readonly codecs: readonly (ColumnCodec | null)[];
  readonly rows: RowStore;
  readonly indexes: ReadonlyMap<Oid, { readonly text: string; readonly index: TableIndex }>;
}

/** A table as a checkpoint sees it; trees as of that moment. */
export interface CapturedTable extends DirectoryTable {
  readonly trees: ReadonlyMap<Oid, { tree: OrderedIndex; changes: number }>;
}

/** See the module comment. */
export class Directory {
  readonly tables = new Map<Oid, DirectoryTable>();
  readonly sequences = new Set<Oid>();
  /** Tables whose structure changed since the last checkpoint. */
  readonly touched = new Set<Oid>();

  set(oid: Oid, entry: DirectoryTable): void {
    this.tables.set(oid, entry);
    this.touched.add(oid);
  }

  remove(oid: Oid): void {
    this.tables.delete(oid);
    this.touched.add(oid);
  }
}
