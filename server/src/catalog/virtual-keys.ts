/**
 * Catalogs read by key: an equality on one of these columns finds its rows through the look-ups the reader itself uses, instead
 * of going over every row. With many tables that is the difference between microseconds and a tenth of a second per question.
 *
 * A look-up may give more rows than the condition wants, never fewer: the scan filters what comes.
 */
import type { Datum } from '../types/datum.ts';
import {
  PG_ATTRDEF,
  PG_ATTRIBUTE,
  PG_CLASS,
  PG_CONSTRAINT,
  PG_DEPEND,
  PG_DESCRIPTION,
  PG_ENUM,
  PG_INDEX,
  PG_INHERITS,
  PG_NAMESPACE,
  PG_POLICY,
  PG_PROC,
  PG_REWRITE,
  PG_SHDEPEND,
  PG_STATISTIC_EXT,
  PG_TRIGGER,
  PG_TYPE,
} from './data/columns.ts';
import type { CatalogName } from './data/index.ts';
import { CATALOGS, CLASS_OID, pairKey } from './definitions.ts';
import type { LayerView, StoredRow } from './layers.ts';

interface KeyedColumn {
  /** Rows to expect, for the planner. */
  readonly rows: number;
  find(view: LayerView, value: Datum): Iterable<StoredRow>;
}

/** A look-up whose key is the column's value. Zero is no key of some: then every row is asked for. */
function direct(catalog: CatalogName, lookup: string, rows: number, zeroIsNoKey = false): KeyedColumn {
  return {
    rows,
    find: (view, value) =>
      zeroIsNoKey && value === 0 ? view.all(catalog) : view.find(catalog, lookup, value as number),
  };
}

/** A look-up by schema and name, asked for every schema. */
function nameAnywhere(catalog: CatalogName, lookup: string): KeyedColumn {
  return {
    rows: 2,
    *find(view, value) {
      for (const { key } of view.all('pg_namespace'))
        yield* view.find(catalog, lookup, pairKey(key as number, value));
    },
  };
}

/** A look-up by class and object, asked for every class of objects. */
function objectOfAnyClass(catalog: CatalogName, lookup: string, rows: number): KeyedColumn {
  return {
    rows,
    *find(view, value) {
      for (const classId of ALL_CLASSES) yield* view.find(catalog, lookup, pairKey(classId, value));
    },
  };
}

/** Objects are rows of a catalog with an oid; any of them can be named by a dependency. */
const ALL_CLASSES: readonly number[] = [
  ...new Set([
    ...Object.values(CLASS_OID),
    ...[...CATALOGS.values()].filter(({ columns }) => columns[0]![0] === 'oid').map(({ oid }) => oid),
  ]),
];

const LOOKED_UP: Partial<Record<CatalogName, Readonly<Record<number, KeyedColumn>>>> = {
  pg_class: {
    [PG_CLASS.relname]: nameAnywhere('pg_class', 'name'),
    [PG_CLASS.relnamespace]: direct('pg_class', 'namespace', 100),
  },
  pg_type: { [PG_TYPE.typname]: nameAnywhere('pg_type', 'name') },
  pg_namespace: { [PG_NAMESPACE.nspname]: direct('pg_namespace', 'name', 1) },
  pg_proc: {
    [PG_PROC.proname]: direct('pg_proc', 'name', 3),
    [PG_PROC.pronamespace]: direct('pg_proc', 'namespace', 500),
  },
  pg_attribute: { [PG_ATTRIBUTE.attrelid]: direct('pg_attribute', 'relation', 10) },
  pg_attrdef: { [PG_ATTRDEF.adrelid]: direct('pg_attrdef', 'relation', 2) },
  pg_constraint: {
    [PG_CONSTRAINT.conrelid]: direct('pg_constraint', 'relation', 3, true),
    [PG_CONSTRAINT.confrelid]: direct('pg_constraint', 'referenced', 3, true),
    [PG_CONSTRAINT.conindid]: direct('pg_constraint', 'index', 1, true),
    [PG_CONSTRAINT.contypid]: direct('pg_constraint', 'type', 1, true),
  },
  pg_index: { [PG_INDEX.indrelid]: direct('pg_index', 'table', 2) },
  pg_inherits: {
    [PG_INHERITS.inhrelid]: direct('pg_inherits', 'child', 1),
    [PG_INHERITS.inhparent]: direct('pg_inherits', 'parent', 3),
  },
  pg_trigger: { [PG_TRIGGER.tgrelid]: direct('pg_trigger', 'relation', 2) },
  pg_rewrite: { [PG_REWRITE.ev_class]: direct('pg_rewrite', 'relation', 1) },
  pg_policy: { [PG_POLICY.polrelid]: direct('pg_policy', 'relation', 1) },
  pg_statistic_ext: { [PG_STATISTIC_EXT.stxrelid]: direct('pg_statistic_ext', 'relation', 1) },
  pg_enum: { [PG_ENUM.enumtypid]: direct('pg_enum', 'type', 5) },
  pg_depend: {
    [PG_DEPEND.objid]: objectOfAnyClass('pg_depend', 'dependent', 3),
    [PG_DEPEND.refobjid]: objectOfAnyClass('pg_depend', 'referenced', 5),
  },
  pg_shdepend: { [PG_SHDEPEND.objid]: objectOfAnyClass('pg_shdepend', 'dependent', 2) },
  pg_description: { [PG_DESCRIPTION.objoid]: objectOfAnyClass('pg_description', 'object', 2) },
};

/** Catalogs whose key is one column: `oid`, or the table's or type's they belong to. */
const KEY_COLUMNS: Partial<Record<CatalogName, string>> = {
  pg_index: 'indexrelid',
  pg_sequence: 'seqrelid',
  pg_range: 'rngtypid',
  pg_aggregate: 'aggfnoid',
};

const KEYED: ReadonlyMap<CatalogName, ReadonlyMap<number, KeyedColumn>> = new Map(
  [...CATALOGS.values()].map(({ name, columns }) => {
    const keyed = new Map<number, KeyedColumn>(
      Object.entries(LOOKED_UP[name] ?? {}).map(([column, item]) => [Number(column), item]),
    );
    const own = columns.findIndex(([column]) => column === (KEY_COLUMNS[name] ?? 'oid'));
    if (own >= 0)
      keyed.set(own, {
        rows: 1,
        find(view, value) {
          const row = view.get(name, value as number);
          return row === null ? [] : [row];
        },
      });
    return [name, keyed];
  }),
);

/** Columns (from 0) by which a catalog is found, with the rows to expect. */
export function keyedColumns(name: CatalogName): ReadonlyMap<number, number> {
  return new Map([...KEYED.get(name)!].map(([column, { rows }]) => [column, rows]));
}

/** Rows whose column has one of the values, each once. */
export function* rowsByKey(
  view: LayerView,
  name: CatalogName,
  column: number,
  values: readonly Datum[],
): Generator<StoredRow> {
  const keyed = KEYED.get(name)!.get(column)!;
  if (values.length === 1) {
    if (values[0] !== null) yield* keyed.find(view, values[0]!);
    return;
  }
  for (const value of new Set(values)) if (value !== null) yield* keyed.find(view, value);
}
