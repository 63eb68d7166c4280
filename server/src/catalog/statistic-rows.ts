/**
 * pg_statistic: what the last ANALYZE of each table learned, in PostgreSQL's slots (its chapter "pg_statistic").
 *
 * Slot 1 holds the most common values (kind 1), slot 2 the histogram (kind 2), slot 3 the correlation (kind 3); a slot
 * without content is zero.
 */
import type { Oid } from '../base/brands.ts';
import type { ColumnStatistics } from '../table/contract.ts';
import { type Datum, SqlArray } from '../types/datum.ts';
import { DEFAULT_FORMAT, OID } from '../types/index.ts';
import type { CatalogReaderImplementation } from './reader.ts';

const KIND_COMMON = 1;
const KIND_HISTOGRAM = 2;
const KIND_CORRELATION = 3;
const SLOTS = 5;
/** Above this share of the rows, distinct values are given as a share (negative), as they then grow with the table. */
const SCALING_SHARE = 0.1;

interface Slot {
  readonly kind: number;
  readonly operator: Oid;
  readonly numbers: SqlArray | null;
  readonly values: SqlArray | null;
}

const EMPTY_SLOT: Slot = { kind: 0, operator: 0, numbers: null, values: null };

export function* statisticRows(reader: CatalogReaderImplementation): Generator<readonly Datum[]> {
  for (const { relationOid, rows, columns } of reader.services.analyzed()) {
    const relation = reader.relation(relationOid);
    if (relation === null) continue;
    for (const [number, statistics] of columns) {
      const column = relation.columns[number];
      if (column === undefined || column.dropped) continue;
      yield row(reader, relationOid, number + 1, column, statistics, rows);
    }
  }
}

/** One combination, as a pg_mcv_list holds it. */
export interface CommonCombination {
  readonly values: readonly (string | null)[];
  readonly fraction: number;
  readonly baseFraction: number;
}

/** pg_statistic_ext_data. The three kinds are texts here as PostgreSQL prints the first two; pg_mcv_list_items reads the third. */
export function* extendedStatisticRows(reader: CatalogReaderImplementation): Generator<readonly Datum[]> {
  for (const { relationOid, groups } of reader.services.analyzed()) {
    if (groups.length === 0) continue;
    const asked = reader.columnGroups(relationOid);
    const relation = reader.relation(relationOid);
    for (const group of groups) {
      if (relation === null || !asked.some(({ oid }) => oid === group.oid)) continue;
      const supports = group.columns.map((column) => reader.type(relation.columns[column].typeOid)?.support);
      const numbers = (columns: readonly number[]): string => columns.map((column) => column + 1).join(', ');
      const distinct = group.distinct.map(
        ({ columns, count }) => `"${numbers(columns)}": ${Math.round(count)}`,
      );
      const dependencies = group.dependencies.map(
        ({ from, to, degree }) => `"${numbers(from)} => ${to + 1}": ${degree.toFixed(6)}`,
      );
      const items: CommonCombination[] = group.mostCommon.map(({ values, fraction, baseFraction }) => ({
        values: values.map((value, at) =>
          value === null ? null : (supports[at]?.output(value, DEFAULT_FORMAT) ?? null),
        ),
        fraction,
        baseFraction,
      }));
      yield [
        group.oid,
        false,
        distinct.length === 0 ? null : `{${distinct.join(', ')}}`,
        dependencies.length === 0 ? null : `{${dependencies.join(', ')}}`,
        items.length === 0 ? null : JSON.stringify(items),
        null,
      ];
    }
  }
}

function row(
  reader: CatalogReaderImplementation,
  relationOid: Oid,
  attribute: number,
  column: { readonly typeOid: Oid; readonly collation: Oid },
  statistics: ColumnStatistics,
  rows: number,
): readonly Datum[] {
  const operators = reader.orderingOperators(column.typeOid);
  const numbers = (values: readonly number[]): SqlArray => new SqlArray(OID.FLOAT4, values.map(Math.fround));
  const slots: Slot[] = [];
  if (statistics.mostCommon.length > 0)
    slots.push({
      kind: KIND_COMMON,
      operator: operators.equal,
      numbers: numbers(statistics.mostCommon.map(({ fraction }) => fraction)),
      values: new SqlArray(
        column.typeOid,
        statistics.mostCommon.map(({ value }) => value),
      ),
    });
  if (statistics.histogram.length > 0)
    slots.push({
      kind: KIND_HISTOGRAM,
      operator: operators.less,
      numbers: null,
      values: new SqlArray(column.typeOid, statistics.histogram),
    });
  if (operators.less !== 0)
    slots.push({
      kind: KIND_CORRELATION,
      operator: operators.less,
      numbers: numbers([statistics.correlation]),
      values: null,
    });
  while (slots.length < SLOTS) slots.push(EMPTY_SLOT);
  const { distinctCount } = statistics;
  const distinct =
    rows > 0 && distinctCount > rows * SCALING_SHARE ? -Math.min(1, distinctCount / rows) : distinctCount;
  return [
    relationOid,
    attribute,
    false,
    Math.fround(statistics.nullFraction),
    statistics.averageWidth,
    Math.fround(distinct),
    ...slots.map((slot) => slot.kind),
    ...slots.map((slot) => slot.operator),
    ...slots.map((slot) => (slot.kind === 0 ? 0 : column.collation)),
    ...slots.map((slot) => slot.numbers),
    ...slots.map((slot) => slot.values),
  ];
}
