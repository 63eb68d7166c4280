/**
 * Relations whose rows are computed at scan time.
 *
 * Every catalog is one: its rows are in memory anyway, and static rows are in no table. Rows come as the reader sees them
 * (own uncommitted DDL included). Sequences show their counter. Upper rooms register further providers by relation name.
 */
import type { Oid } from '../base/brands.ts';
import type { Datum } from '../types/datum.ts';
import { printAclDatum } from './acl.ts';
import type { RelationDescriptor, RelationKind, VirtualContext } from './contract.ts';
import { PG_ATTRIBUTE, PG_CLASS, PG_TYPE } from './data/columns.ts';
import sqlStandard from './data/sql-standard.json' with { type: 'json' };
import { CATALOGS_BY_OID, type CatalogDefinition } from './definitions.ts';
import type { LayerView, StoredRow } from './layers.ts';
import type { CatalogReaderImplementation } from './reader.ts';
import { parseValue } from './static-rows.ts';
import { extendedStatisticRows, statisticRows } from './statistic-rows.ts';
import { rowsByKey } from './virtual-keys.ts';

type Provider = NonNullable<RelationDescriptor['virtualRows']>;

const registered = new Map<string, Provider>();

/** Gives a relation of pg_catalog computed rows (columns as its pg_attribute rows say). */
export function registerVirtualRelation(name: string, provider: Provider): void {
  registered.set(name, provider);
}

const PG_CATALOG = 11;

/** The provider of a relation, null when it is stored or a view. */
export function virtualProvider(
  oid: Oid,
  kind: RelationKind,
  name: string,
  namespaceOid: Oid,
): Provider | null {
  const definition = CATALOGS_BY_OID.get(oid);
  if (definition?.name === 'pg_statistic_ext_data')
    return (context) => extendedStatisticRows(readerOf(context));
  if (definition?.name === 'pg_statistic') return (context) => statisticRows(readerOf(context));
  if (definition !== undefined)
    return (context) => catalogRows(readerOf(context), definition, context.key ?? null);
  if (kind === 'S') return (context) => sequenceRows(readerOf(context), oid);
  // A toast table of a catalog, never filled.
  if (kind === 't') return () => [];
  if (kind === 'r' && oid < 16384) return () => standardRows(name);
  return namespaceOid === PG_CATALOG ? (registered.get(name) ?? null) : null;
}

const STANDARD_TABLES = sqlStandard as Readonly<Record<string, readonly string[]>>;

/** The tables of information_schema: what is said about features of the standard. Numbers stand in their own columns. */
function standardRows(name: string): (readonly Datum[])[] {
  const numbers = name === 'sql_implementation_info' ? [2] : name === 'sql_sizing' ? [0, 2] : [];
  return (STANDARD_TABLES[name] ?? []).map((line) =>
    line.split('\t').map((field, index) => parseValue(field, numbers.includes(index) ? 'int4' : 'text')),
  );
}

function readerOf(context: VirtualContext): CatalogReaderImplementation {
  return context.catalog as CatalogReaderImplementation;
}

function* sequenceRows(reader: CatalogReaderImplementation, oid: Oid): Generator<readonly Datum[]> {
  const state = reader.services.sequenceState(oid);
  // log_cnt tells how many values the log still covers; our log is not visible here.
  if (state !== null) yield [state.lastValue, 0n, state.isCalled];
}

function* catalogRows(
  reader: CatalogReaderImplementation,
  definition: CatalogDefinition,
  key: VirtualContext['key'],
): Generator<readonly Datum[]> {
  const aclColumns = definition.columns.flatMap(([, type], index) => (type === '_aclitem' ? [index] : []));
  const roleName = (oid: Oid): string | null => reader.role(oid)?.name ?? null;
  const { view } = reader;
  const isKeyed = key !== null && key !== undefined;
  const stored = isKeyed
    ? rowsByKey(view, definition.name, key.column, key.values)
    : view.all(definition.name);
  for (const { values } of stored) {
    let row: readonly Datum[] = values;
    for (const column of aclColumns) {
      if (row[column] === null) continue;
      const copy: Datum[] = [...row];
      copy[column] = printAclDatum(row[column]!, roleName);
      row = copy;
    }
    yield row;
  }
  if (definition.name !== 'pg_attribute') return;
  yield* systemColumns(
    isKeyed && key.column === PG_ATTRIBUTE.attrelid
      ? rowsByKey(view, 'pg_class', PG_CLASS.oid, key.values)
      : view.all('pg_class'),
  );
}

/** name, type, attnum, length, by value, alignment of the columns every table has. */
const SYSTEM_COLUMNS: readonly (readonly [string, Oid, number, number, boolean, string])[] = [
  ['ctid', 27, -1, 6, false, 's'],
  ['xmin', 28, -2, 4, true, 'i'],
  ['cmin', 29, -3, 4, true, 'i'],
  ['xmax', 28, -4, 4, true, 'i'],
  ['cmax', 29, -5, 4, true, 'i'],
  ['tableoid', 26, -6, 4, true, 'i'],
];

/** pg_attribute rows of system columns are not kept: they are the same for every table. */
function* systemColumns(relations: Iterable<StoredRow>): Generator<readonly Datum[]> {
  for (const { values } of relations) {
    const kind = values[PG_CLASS.relkind];
    if (kind !== 'r' && kind !== 'm' && kind !== 'p' && kind !== 'f' && kind !== 'S' && kind !== 't')
      continue;
    for (const [name, typeOid, attnum, length, byValue, alignment] of SYSTEM_COLUMNS) {
      yield attributeRow({
        relationOid: values[PG_CLASS.oid] as number,
        name,
        typeOid,
        number: attnum,
        length,
        byValue,
        alignment,
        storage: 'p',
        typmod: -1,
        collation: 0,
        notNull: true,
        dimensions: 0,
      });
    }
  }
}

/** What varies between the pg_attribute rows of newly made columns. */
export interface AttributeValues {
  relationOid: Oid;
  name: string;
  typeOid: Oid;
  number: number;
  length: number;
  byValue: boolean;
  alignment: string;
  storage: string;
  typmod: number;
  collation: Oid;
  notNull: boolean;
  dimensions: number;
}

/** A pg_attribute row of a new column. */
export function attributeRow(values: AttributeValues): Datum[] {
  const row: Datum[] = new Array<Datum>(Object.keys(PG_ATTRIBUTE).length).fill(null);
  row[PG_ATTRIBUTE.attrelid] = values.relationOid;
  row[PG_ATTRIBUTE.attname] = values.name;
  row[PG_ATTRIBUTE.atttypid] = values.typeOid;
  row[PG_ATTRIBUTE.attstattarget] = values.number < 0 ? 0 : -1;
  row[PG_ATTRIBUTE.attlen] = values.length;
  row[PG_ATTRIBUTE.attnum] = values.number;
  row[PG_ATTRIBUTE.attndims] = values.dimensions;
  row[PG_ATTRIBUTE.attcacheoff] = -1;
  row[PG_ATTRIBUTE.atttypmod] = values.typmod;
  row[PG_ATTRIBUTE.attbyval] = values.byValue;
  row[PG_ATTRIBUTE.attalign] = values.alignment;
  row[PG_ATTRIBUTE.attstorage] = values.storage;
  row[PG_ATTRIBUTE.attcompression] = '';
  row[PG_ATTRIBUTE.attnotnull] = values.notNull;
  row[PG_ATTRIBUTE.atthasdef] = false;
  row[PG_ATTRIBUTE.atthasmissing] = false;
  row[PG_ATTRIBUTE.attidentity] = '';
  row[PG_ATTRIBUTE.attgenerated] = '';
  row[PG_ATTRIBUTE.attisdropped] = false;
  row[PG_ATTRIBUTE.attislocal] = true;
  row[PG_ATTRIBUTE.attinhcount] = 0;
  row[PG_ATTRIBUTE.attcollation] = values.collation;
  return row;
}

/** The parts of a pg_attribute row that follow from its type. */
export function typeProperties(
  view: LayerView,
  typeOid: Oid,
): { length: number; byValue: boolean; alignment: string; storage: string; collation: Oid } {
  const row = view.get('pg_type', typeOid)?.values;
  return {
    length: (row?.[PG_TYPE.typlen] as number | undefined) ?? -1,
    byValue: (row?.[PG_TYPE.typbyval] as boolean | undefined) ?? false,
    alignment: (row?.[PG_TYPE.typalign] as string | undefined) ?? 'i',
    storage: (row?.[PG_TYPE.typstorage] as string | undefined) ?? 'x',
    collation: (row?.[PG_TYPE.typcollation] as number | undefined) ?? 0,
  };
}
