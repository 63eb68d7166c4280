/** UPDATE of catalog rows by superusers: estimates that tools and tests plant, nothing that objects depend on. */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import { PG_CLASS } from '../../catalog/data/columns.ts';
import type { CatalogWriter, RowChanges } from '../../catalog/mutations.ts';
import type { Datum } from '../../types/datum.ts';

/** Columns of pg_class that describe contents only. */
const ESTIMATES: readonly number[] = [PG_CLASS.relpages, PG_CLASS.reltuples, PG_CLASS.relallvisible];

const PG_CLASS_COLUMN_NAMES = new Map<number, string>(
  Object.entries(PG_CLASS).map(([name, column]) => [column, name]),
);

/** Writes what differs between two rows of pg_class; 0A000 when that is more than estimates. */
export function changeCatalogRow(
  writer: CatalogWriter,
  relationOid: Oid,
  oldRow: readonly Datum[],
  newRow: readonly Datum[],
): void {
  const oid = oldRow[PG_CLASS.oid] as Oid;
  const changes: Record<number, Datum> = {};
  newRow.forEach((value, column) => {
    if (value === oldRow[column]) return;
    if (relationOid !== 1259 || !ESTIMATES.includes(column))
      throw new DbError(
        'feature_not_supported',
        `changing column "${PG_CLASS_COLUMN_NAMES.get(column) ?? column}" of a system catalog by UPDATE is not supported`,
        { hint: 'Use the command that alters the object.' },
      );
    changes[column] = value;
  });
  if (Object.keys(changes).length > 0) writer.update('pg_class', oid, changes satisfies RowChanges);
}
