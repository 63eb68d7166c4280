/**
 * SQL values as the row executor holds them. SQL NULL is `null` everywhere.
 *
 * | SQL type                                   | JavaScript                                                     |
 * | ------------------------------------------ | -------------------------------------------------------------- |
 * | boolean                                    | boolean                                                        |
 * | int2, int4, oid, reg*, xid, cid            | number (integer)                                               |
 * | int8, xid8                                 | bigint                                                         |
 * | float4, float8                             | number                                                         |
 * | numeric                                    | {@link Numeric}                                                |
 * | text, varchar, char(n), name, "char", unknown, json, cstring, xml, refcursor, pg_lsn… | string              |
 * | bytea                                      | Uint8Array                                                     |
 * | date                                       | number: days since 2000-01-01; ±infinity = ±DATE_INFINITY      |
 * | time                                       | number: microseconds since midnight                            |
 * | timetz                                     | {@link TimeTz}                                                 |
 * | timestamp, timestamptz                     | bigint: microseconds since 2000-01-01; ±infinity = int64 limits |
 * | interval                                   | {@link Interval}                                               |
 * | uuid                                       | string: 36 characters, lower case                              |
 * | jsonb                                      | {@link Jsonb}                                                  |
 * | arrays, int2vector, oidvector              | {@link SqlArray}                                               |
 * | composite, record                          | {@link SqlRecord}                                              |
 * | tid                                        | {@link Tid}                                                    |
 *
 * Values are immutable: nobody writes into a Datum it did not create.
 */

import type { Interval, TimeTz } from './interval.ts';
import type { Jsonb } from './jsonb.ts';
import type { Numeric } from './numeric.ts';

export type Datum =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Numeric
  | Interval
  | TimeTz
  | Jsonb
  | SqlArray
  | SqlRecord
  | Tid
  | OpaqueDatum;

/** Base class for values of types that live in one room only (ranges, inet, tsvector … as they come). */
export abstract class OpaqueDatum {
  abstract readonly typeOid: number;
}

/** An array of any dimension. `elements` is row-major; an empty array has no dimensions. */
export class SqlArray {
  readonly elementType: number;
  readonly elements: readonly Datum[];
  readonly dimensions: readonly number[];
  readonly lowerBounds: readonly number[];

  constructor(
    elementType: number,
    elements: readonly Datum[],
    dimensions: readonly number[] = elements.length === 0 ? [] : [elements.length],
    lowerBounds: readonly number[] = dimensions.map(() => 1),
  ) {
    this.elementType = elementType;
    this.elements = elements;
    this.dimensions = dimensions;
    this.lowerBounds = lowerBounds;
  }
}

/** A row value. `typeOid` is the composite type, or 2249 (record) for an anonymous row. */
export class SqlRecord {
  readonly typeOid: number;
  readonly fields: readonly Datum[];
  readonly fieldTypes: readonly number[];
  readonly fieldNames: readonly string[];

  constructor(
    typeOid: number,
    fields: readonly Datum[],
    fieldTypes: readonly number[],
    fieldNames: readonly string[],
  ) {
    this.typeOid = typeOid;
    this.fields = fields;
    this.fieldTypes = fieldTypes;
    this.fieldNames = fieldNames;
  }
}

/** ctid as PostgreSQL shows it: (block, offset). */
export class Tid {
  readonly block: number;
  readonly offset: number;
  constructor(block: number, offset: number) {
    this.block = block;
    this.offset = offset;
  }
}
