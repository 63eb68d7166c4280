/**
 * One index of one table: its key codec, its tree, and keys of rows wherever they lie.
 *
 * An entry is a hint. It exists for every version some snapshot may see; it may outlive them. Whoever follows an entry
 * rechecks visibility and key.
 */

import type { RowId } from '../base/brands.ts';
import { ByteTree, ByteTreeBuilder } from '../index/byte-tree.ts';
import { type IndexCursor, KeyBuffer, KeyRange, type OrderedIndex } from '../index/contract.ts';
import { KeyCodec, KeyTooWide } from '../index/key-codec.ts';
import { NumericTree } from '../index/numeric-tree.ts';
import type { Datum } from '../types/datum.ts';
import { IndexActivity } from './activity.ts';
import type { IndexSchema } from './contract.ts';
import { FOUND_SLOT, type RowStore } from './row-store.ts';

/** See the module comment. */
export class TableIndex {
  schema: IndexSchema;
  codec: KeyCodec;
  tree: OrderedIndex;
  /** Key of the row being written. */
  readonly key = new KeyBuffer();
  readonly activity = new IndexActivity();
  /** Key of a row found. */
  readonly other = new KeyBuffer();
  /** Index columns of the table that a change must touch to matter here; null = any (expressions, predicate). */
  relevant: readonly number[] | null;
  /** False while the functions of an expression or partial index are not attached (after a start). */
  isAttached: boolean;
  /** Its definition as stored, while functions are missing and it could not be written again. */
  storedText: string | null = null;
  private readonly values: Datum[] = [];
  private readonly probeRange = new KeyRange();
  private probeCursor: IndexCursor | null = null;

  constructor(schema: IndexSchema, notNull: readonly boolean[], isAttached = true) {
    this.schema = schema;
    this.isAttached = isAttached;
    this.codec = new KeyCodec(
      schema.keys.map((key) => ({
        support: key.support,
        descending: key.descending,
        nullsFirst: key.nullsFirst,
        // Only primary keys: a later DROP NOT NULL cannot change how their bytes read.
        notNull: schema.primary && key.column >= 0 && notNull[key.column],
      })),
      schema.name,
    );
    this.tree = this.codec.isNumeric ? new NumericTree() : new ByteTree();
    this.relevant = relevantColumns(schema);
  }

  /** True if the row belongs into the index. */
  covers(row: readonly Datum[]): boolean {
    return this.schema.predicate === null || this.schema.predicate(row);
  }

  /** Encodes the key of a full row into `key`; true if it has a NULL. */
  encodeRow(row: readonly Datum[], target: KeyBuffer): boolean {
    const { keys } = this.schema;
    const { values } = this;
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index];
      const value =
        key.column >= 0 ? row[key.column] : (key.expression as (row: readonly Datum[]) => Datum)(row);
      values[index] = value === undefined ? null : value;
    }
    return this.encodeValues(target);
  }

  /** Encodes the key of the version at the store's current location; null if the index does not cover it. */
  encodeFound(store: RowStore, target: KeyBuffer): boolean | null {
    const { keys, predicate } = this.schema;
    if (predicate !== null || this.relevant === null) {
      const row = store.loadRow();
      if (predicate !== null && !predicate(row)) return null;
      return this.encodeRow(row, target);
    }
    for (let index = 0; index < keys.length; index++) this.values[index] = store.load(keys[index].column);
    return this.encodeValues(target);
  }

  private encodeValues(target: KeyBuffer): boolean {
    try {
      return this.codec.encode(this.values, target);
    } catch (error) {
      if (!(error instanceof KeyTooWide)) throw error;
      this.toByteForm();
      return this.codec.encode(this.values, target);
    }
  }

  /** True if the version at the store's current location has the key in `key`. */
  matchesFound(store: RowStore, key: KeyBuffer): boolean {
    if (this.codec.isNumeric && this.relevant !== null && store.found === FOUND_SLOT) {
      // The common point look-up: compare one cell.
      const hasNull = this.encodeFound(store, this.other);
      return hasNull !== null && this.other.number === key.number;
    }
    if (this.encodeFound(store, this.other) === null) return false;
    return this.codec.isNumeric ? this.other.number === key.number : this.other.equals(key);
  }

  /** The same for an entry of the numeric tree this index had before it went over to bytes. */
  matchesNumber(store: RowStore, number: number): boolean {
    const column = this.codec.columns[0];
    const value = store.load(this.schema.keys[0].column);
    if (value === null) return !Number.isFinite(number);
    const own = Number(value as bigint | number);
    return (column.descending ? 0 - own : own) === number;
  }

  insert(key: KeyBuffer, rowId: RowId): boolean {
    return this.tree.insert(key, rowId);
  }

  remove(key: KeyBuffer, rowId: RowId): boolean {
    return this.tree.remove(key, rowId);
  }

  /** Row ids with exactly the key in `key`; one probe at a time. */
  probe(key: KeyBuffer): IndexCursor {
    const range = this.probeRange;
    range.isEmpty = false;
    if (this.codec.isNumeric) {
      range.from.number = key.number;
      range.to.number = key.number;
      range.from.length = 0;
      range.to.length = 0;
    } else {
      range.from.copyFrom(key);
      range.to.copyFrom(key);
      // Keys are self-delimiting: the next longer byte string bounds them.
      range.to.byte(0);
    }
    const cursor = (this.probeCursor ??= this.tree.cursor());
    cursor.reset(range, false);
    return cursor;
  }

  /** Empties the index (truncate, rebuild). */
  clear(): void {
    this.tree = this.codec.isNumeric ? new NumericTree() : new ByteTree();
    this.probeCursor = null;
  }

  replaceTree(tree: OrderedIndex): void {
    this.tree = tree;
    this.probeCursor = null;
  }

  /** An integer came that a double cannot hold: the tree is rebuilt over bytes. Old cursors keep the old tree. */
  toByteForm(): void {
    const old = this.tree as NumericTree;
    const column = this.codec.columns[0];
    const isBigint = [20, 1114, 1184].includes(column.support.oid);
    this.codec.isNumeric = false;
    const entries: { bytes: Uint8Array; row: number }[] = [];
    const cursor = old.cursor();
    cursor.resetNumbers(-Infinity, Infinity, false);
    const key = new KeyBuffer();
    while (cursor.next()) {
      const number = column.descending ? 0 - cursor.key : cursor.key;
      const value = Number.isFinite(cursor.key) ? (isBigint ? BigInt(number) : number) : null;
      this.codec.encode([value], key);
      entries.push({ bytes: key.bytes.slice(0, key.length), row: cursor.rowId });
    }
    const tree = new ByteTree();
    const builder = new ByteTreeBuilder(tree);
    for (const entry of entries) builder.add(entry.bytes, 0, entry.bytes.length, entry.row);
    builder.finish();
    this.replaceTree(tree);
  }
}

function relevantColumns(schema: IndexSchema): readonly number[] | null {
  if (schema.predicate !== null) return null;
  const columns: number[] = [];
  for (const key of schema.keys) {
    if (key.column < 0) return null;
    columns.push(key.column);
  }
  return columns;
}
