/** Small helpers for tests of this room and for rooms that test on it: a store, schemas in one line. */
import type { Clock } from '../env/contract.ts';
import { findTypeSupport, typeSupport } from '../types/index.ts';
import type { IndexSchema, TableSchema } from './contract.ts';
import { type OpenedStore, openMemoryStore } from './open.ts';

/** A memory-only store. */
export function testStore(clock: Clock): OpenedStore {
  return openMemoryStore({
    clock,
    typeSupport: (oid) => findTypeSupport(oid) ?? typeSupport(oid),
  });
}

/** A table schema from (name, type oid) pairs. */
export function testSchema(
  tableOid: number,
  columns: readonly (readonly [string, number] | readonly [string, number, number])[],
  persistence: TableSchema['persistence'] = 'permanent',
): TableSchema {
  return {
    tableOid,
    name: `t${tableOid}`,
    persistence,
    columns: columns.map(([name, oid, typmod = -1]) => ({
      name,
      typeOid: oid,
      typmod,
      support: typeSupport(oid),
      notNull: false,
      dropped: false,
      missingValue: null,
    })),
  };
}

/** A plain ascending index over table columns. */
export function testIndex(
  indexOid: number,
  schema: TableSchema,
  columns: readonly number[],
  options: Partial<Pick<IndexSchema, 'unique' | 'primary' | 'nullsNotDistinct'>> = {},
): IndexSchema {
  return {
    indexOid,
    name: `i${indexOid}`,
    unique: options.unique ?? false,
    primary: options.primary ?? false,
    nullsNotDistinct: options.nullsNotDistinct ?? false,
    keys: columns.map((column) => ({
      column,
      expression: null,
      support: schema.columns[column].support,
      descending: false,
      nullsFirst: false,
    })),
    included: [],
    predicate: null,
  };
}
