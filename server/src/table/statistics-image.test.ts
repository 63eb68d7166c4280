import { describe, expect, it } from 'vitest';
import { OID, typeSupport } from '../types/index.ts';
import type { ColumnStatistics, TableColumn } from './contract.ts';
import { readStatistics, type StatisticsImage, writeStatistics } from './statistics-image.ts';
import { testSchema } from './testing.ts';

const { columns } = testSchema(1, [
  ['a', OID.INT4],
  ['b', OID.TEXT],
]);

const known: ColumnStatistics = {
  nullFraction: 0.25,
  distinctCount: 3,
  averageWidth: 4,
  minimum: 1,
  maximum: 9,
  mostCommon: [{ value: 5, fraction: 0.5 }],
  histogram: [1, 7, 9],
  correlation: -0.5,
};

const image: StatisticsImage = {
  rows: 100,
  changes: 7,
  columns: new Map([
    [0, known],
    [1, { ...known, minimum: 'x', maximum: null, mostCommon: [], histogram: ['x', 'y'] }],
  ]),
  groups: [
    {
      oid: 77,
      columns: [0, 1],
      distinct: [{ columns: [0, 1], count: 12 }],
      dependencies: [{ from: [0], to: 1, degree: 0.75 }],
      mostCommon: [{ values: [5, null], fraction: 0.5, baseFraction: 0.125 }],
    },
  ],
};

describe('statistics as bytes', () => {
  it('come back as they were', () => {
    expect(readStatistics(columns, writeStatistics(columns, image))).toEqual(image);
  });
  it('leave out columns of another type and the groups over them', () => {
    const retyped: TableColumn[] = [{ ...columns[0], support: typeSupport(OID.INT8) }, columns[1]];
    const read = readStatistics(retyped, writeStatistics(columns, image));
    expect([...(read?.columns.keys() ?? [])]).toEqual([1]);
    expect(read?.groups).toEqual([]);
  });
  it('of another version are not read', () => {
    const bytes = writeStatistics(columns, image);
    bytes[0] = 1;
    expect(readStatistics(columns, bytes)).toBeNull();
  });
});
