/** Edits of a table's rows, staged until they are committed together. Values are text forms; null is NULL. */
import type { Cell, RowEdit } from '../../api/client.ts';

export interface StagedEdits {
  /** Row of the page → column → value. */
  readonly updated: ReadonlyMap<number, ReadonlyMap<number, Cell>>;
  readonly deleted: ReadonlySet<number>;
  /** New rows: only the columns that were typed; the others take their defaults. */
  readonly inserted: readonly ReadonlyMap<number, Cell>[];
}

export const NO_EDITS: StagedEdits = { updated: new Map(), deleted: new Set(), inserted: [] };

export function countEdits(edits: StagedEdits): number {
  return edits.updated.size + edits.deleted.size + edits.inserted.length;
}

/** Stages a value. One that equals the value read takes the edit back. */
export function withValue(
  edits: StagedEdits,
  rowCount: number,
  place: { row: number; column: number },
  value: Cell,
  before: Cell | undefined,
): StagedEdits {
  if (place.row >= rowCount) {
    const inserted = edits.inserted.map((row, at) =>
      at === place.row - rowCount ? new Map(row).set(place.column, value) : row,
    );
    return { ...edits, inserted };
  }
  const row = new Map(edits.updated.get(place.row));
  if (value === before) row.delete(place.column);
  else row.set(place.column, value);
  const updated = new Map(edits.updated);
  if (row.size === 0) updated.delete(place.row);
  else updated.set(place.row, row);
  return { ...edits, updated };
}

/** Marks a row as deleted, or no longer; a new row just goes. */
export function withDeleted(edits: StagedEdits, rowCount: number, row: number): StagedEdits {
  if (row >= rowCount) return { ...edits, inserted: edits.inserted.filter((_, at) => at !== row - rowCount) };
  const deleted = new Set(edits.deleted);
  if (!deleted.delete(row)) deleted.add(row);
  return { ...edits, deleted };
}

/** As the API takes them: deletions, changes, new rows. */
export function toRowEdits(
  edits: StagedEdits,
  columns: readonly string[],
  keyColumns: readonly string[],
  rows: readonly (readonly Cell[])[],
): RowEdit[] {
  const keyOf = (row: number): Record<string, Cell> =>
    Object.fromEntries(keyColumns.map((name) => [name, rows[row][columns.indexOf(name)]]));
  const named = (values: ReadonlyMap<number, Cell>): Record<string, Cell> =>
    Object.fromEntries([...values].map(([column, value]) => [columns[column], value]));
  return [
    ...[...edits.deleted].map((row): RowEdit => ({ kind: 'delete', key: keyOf(row) })),
    ...[...edits.updated]
      .filter(([row]) => !edits.deleted.has(row))
      .map(
        ([row, values]): RowEdit => ({
          kind: 'update',
          key: keyOf(row),
          values: named(values),
          before: Object.fromEntries(
            [...values.keys()].map((column) => [columns[column], rows[row][column]]),
          ),
        }),
      ),
    ...edits.inserted.map((values): RowEdit => ({ kind: 'insert', values: named(values) })),
  ];
}
