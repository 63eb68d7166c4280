/**
 * A table's statistics as bytes (docs/format/checkpoint.md, blob kind 3), so that a start knows what the last ANALYZE learned.
 *
 * They are estimates: an image that no longer fits its table (a column retyped, bytes of a newer version) is left out, never
 * an error.
 */
import { LogBuffer } from '../txn/log-buffer.ts';
import type { TypeSupport } from '../types/contract.ts';
import type { Datum } from '../types/datum.ts';
import { decodeValue, encodeValue } from '../types/value-bytes.ts';
import type { ColumnStatistics, GroupStatistics, TableColumn } from './contract.ts';
import { LogReader } from './log-reader.ts';

const VERSION = 2;
/** Length that says NULL. */
const NULL_LENGTH = 0xffffffff;

export interface StatisticsImage {
  /** Live rows when they were computed. */
  readonly rows: number;
  /** Rows changed since. */
  readonly changes: number;
  /** By column number, counted from 0. */
  readonly columns: ReadonlyMap<number, ColumnStatistics>;
  readonly groups: readonly GroupStatistics[];
}

export function writeStatistics(columns: readonly TableColumn[], image: StatisticsImage): Uint8Array {
  const buffer = new LogBuffer();
  buffer.u8(VERSION);
  buffer.u64(image.rows);
  buffer.u64(image.changes);
  buffer.u16(image.columns.size);
  for (const [number, statistics] of image.columns) {
    const { support } = columns[number];
    buffer.u16(number);
    buffer.u32(support.oid);
    buffer.f64(statistics.nullFraction);
    buffer.f64(statistics.distinctCount);
    buffer.u32(statistics.averageWidth);
    buffer.f64(statistics.correlation);
    writeValue(buffer, support, statistics.minimum);
    writeValue(buffer, support, statistics.maximum);
    buffer.u32(statistics.mostCommon.length);
    for (const { value, fraction } of statistics.mostCommon) {
      buffer.f64(fraction);
      writeValue(buffer, support, value);
    }
    buffer.u32(statistics.histogram.length);
    for (const value of statistics.histogram) writeValue(buffer, support, value);
  }
  buffer.u16(image.groups.length);
  for (const group of image.groups) writeGroup(buffer, columns, group);
  return buffer.bytes.slice(0, buffer.length);
}

/** Null when the bytes are of a version unknown here. Columns whose type changed are left out. */
export function readStatistics(columns: readonly TableColumn[], bytes: Uint8Array): StatisticsImage | null {
  const reader = new LogReader(bytes);
  if (reader.u8() !== VERSION) return null;
  const rows = reader.u64();
  const changes = reader.u64();
  const count = reader.u16();
  const result = new Map<number, ColumnStatistics>();
  for (let at = 0; at < count; at++) {
    const number = reader.u16();
    const column: TableColumn | undefined = columns[number];
    const isSame = reader.u32() === column?.support.oid && !column.dropped;
    const value = (): Datum => readValue(reader, isSame ? column.support : null);
    const nullFraction = reader.f64();
    const distinctCount = reader.f64();
    const averageWidth = reader.u32();
    const correlation = reader.f64();
    const minimum = value();
    const maximum = value();
    const mostCommon: { value: Datum; fraction: number }[] = [];
    for (let left = reader.u32(); left > 0; left--) {
      const fraction = reader.f64();
      mostCommon.push({ fraction, value: value() });
    }
    const histogram: Datum[] = [];
    for (let left = reader.u32(); left > 0; left--) histogram.push(value());
    if (!isSame) continue;
    result.set(number, {
      nullFraction,
      distinctCount,
      averageWidth,
      minimum,
      maximum,
      mostCommon,
      histogram,
      correlation,
    });
  }
  const groups: GroupStatistics[] = [];
  for (let left = reader.u16(); left > 0; left--) {
    const group = readGroup(reader, columns);
    if (group.columns.every((number) => result.has(number))) groups.push(group);
  }
  return { rows, changes, columns: result, groups };
}

function writeGroup(buffer: LogBuffer, columns: readonly TableColumn[], group: GroupStatistics): void {
  const numbers = (list: readonly number[]): void => {
    buffer.u8(list.length);
    for (const number of list) buffer.u16(number);
  };
  buffer.u32(group.oid);
  numbers(group.columns);
  for (const column of group.columns) buffer.u32(columns[column].support.oid);
  buffer.u32(group.distinct.length);
  for (const { columns: subset, count } of group.distinct) {
    numbers(subset);
    buffer.f64(count);
  }
  buffer.u32(group.dependencies.length);
  for (const { from, to, degree } of group.dependencies) {
    numbers(from);
    buffer.u16(to);
    buffer.f64(degree);
  }
  buffer.u32(group.mostCommon.length);
  for (const { values, fraction, baseFraction } of group.mostCommon) {
    buffer.f64(fraction);
    buffer.f64(baseFraction);
    for (const [at, value] of values.entries()) writeValue(buffer, columns[group.columns[at]].support, value);
  }
}

function readGroup(reader: LogReader, columns: readonly TableColumn[]): GroupStatistics {
  const numbers = (): number[] => Array.from({ length: reader.u8() }, () => reader.u16());
  const list = <T>(read: () => T): T[] => {
    const result: T[] = [];
    for (let left = reader.u32(); left > 0; left--) result.push(read());
    return result;
  };
  const oid = reader.u32();
  const members = numbers();
  const supports = members.map((number) => {
    const column: TableColumn | undefined = columns[number];
    return reader.u32() === column?.support.oid ? column.support : null;
  });
  return {
    oid,
    columns: members,
    distinct: list(() => ({ columns: numbers(), count: reader.f64() })),
    dependencies: list(() => ({ from: numbers(), to: reader.u16(), degree: reader.f64() })),
    mostCommon: list(() => ({
      fraction: reader.f64(),
      baseFraction: reader.f64(),
      values: supports.map((support) => readValue(reader, support)),
    })),
  };
}

function writeValue(buffer: LogBuffer, support: TypeSupport, value: Datum): void {
  if (value === null) {
    buffer.u32(NULL_LENGTH);
    return;
  }
  const bytes = encodeValue(support, value);
  buffer.u32(bytes.length);
  buffer.raw(bytes);
}

function readValue(reader: LogReader, support: TypeSupport | null): Datum {
  const length = reader.u32();
  if (length === NULL_LENGTH) return null;
  const bytes = reader.bytes(length);
  return support === null ? null : decodeValue(support, bytes.slice());
}
