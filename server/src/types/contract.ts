/** What the types room gives to all others. `types/index.ts` exports `typeSupport(oid)` returning these. */
import type { Datum } from './datum.ts';
import type { RangeType } from './range.ts';

/** Session state that text formats depend on; frozen for the length of one statement. */
export interface FormatContext {
  /** `ISO, MDY` split in its two halves. */
  dateStyle: 'ISO' | 'SQL' | 'Postgres' | 'German';
  dateOrder: 'MDY' | 'DMY' | 'YMD';
  intervalStyle: 'postgres' | 'postgres_verbose' | 'sql_standard' | 'iso_8601';
  timeZone: string;
  /** extra_float_digits > 0 means shortest round trip. */
  extraFloatDigits: number;
  byteaOutput: 'hex' | 'escape';
  /** Microseconds since 2000-01-01 UTC at statement/transaction start, for 'now', 'today'. */
  transactionTimestamp: bigint;
  /** Resolves and prints names of reg* types; absent where no catalog is at hand. */
  names?: NameService;
}

/** Catalog look-ups the text formats of reg* and composite types need. Handed in from above. */
export interface NameService {
  resolve(
    kind:
      | 'class'
      | 'proc'
      | 'procedure'
      | 'oper'
      | 'operator'
      | 'type'
      | 'namespace'
      | 'role'
      | 'config'
      | 'dictionary'
      | 'collation',
    name: string,
  ): number;
  print(
    kind:
      | 'class'
      | 'proc'
      | 'procedure'
      | 'oper'
      | 'operator'
      | 'type'
      | 'namespace'
      | 'role'
      | 'config'
      | 'dictionary'
      | 'collation',
    oid: number,
  ): string | null;
  /** Element/field types of user-defined types (enums, composites, domains). */
  typeSupport(oid: number): TypeSupport;
}

/** How values of one type are physically held in columns (delta chunks, segments, batches). */
export type PhysicalType =
  | 'bool' // u8
  | 'int16'
  | 'int32' // int4, date, oid (as u32 bits), reg*
  | 'int64' // int8, time, timestamp, timestamptz
  | 'float32'
  | 'float64'
  | 'decimal64' // numeric(p<=18, s): value * 10^s as int64; NaN = int64 max
  | 'bytes16' // uuid
  | 'varlen'; // everything else, as the bytes of `encode`

/** Takes the bytes of an index key; what is written must end itself and sort as the values do (memcmp). */
export interface SortKeyWriter {
  byte(value: number): void;
  /** Bytes of a length that is the same for all values, or follows from what was written before. */
  raw(bytes: Uint8Array): void;
  /** Bytes of any length. */
  escaped(bytes: Uint8Array): void;
  text(text: string): void;
  int32(value: number): void;
  float64(value: number): void;
  /** A non-null value of another type. */
  value(support: TypeSupport, value: Datum): void;
}

export interface TypeSupport {
  readonly oid: number;
  readonly name: string;
  /** pg_type.typlen: fixed size, -1 varlena, -2 cstring. */
  readonly length: number;
  /** Parses text (22P02 and friends). `typmod` -1 = none; applies length coercion as an input function does. */
  input(text: string, typmod: number, context: FormatContext): Datum;
  output(value: Datum, context: FormatContext): string;
  /** Binary wire format. */
  receive(bytes: Uint8Array, typmod: number, context: FormatContext): Datum;
  send(value: Datum, context: FormatContext): Uint8Array;
  /** Total order used by btree (NaN greatest, NULL never passed). For text: C collation = UTF-8 byte order. Absent when the type has no order. */
  compare?(left: Datum, right: Datum): number;
  /** Equal values give an equal primitive usable as a Map key (string | number | bigint | boolean). */
  hashKey(value: Datum): string | number | bigint | boolean;
  physical(typmod: number): PhysicalType;
  /** Storage bytes of a `varlen` value (canonical; not necessarily the wire format). */
  encode?(value: Datum): Uint8Array;
  decode?(bytes: Uint8Array): Datum;
  /** As `decode` of bytes that nobody else will write to: the value may keep them. */
  decodeOwned?(bytes: Uint8Array): Datum;
  /** Order-preserving key bytes of a type that the index room does not know by itself. */
  sortKey?(value: Datum, writer: SortKeyWriter): void;
  /** Set on range types. */
  readonly range?: RangeType;
  /** Set on multirange types: the range type of their members. */
  readonly multirange?: RangeType;
  /** pg_type.typelem etc. for arrays. */
  readonly elementType?: number;
  /** Labels of an enum in their order. */
  enumLabels?(): readonly string[];
  /** Columns of a composite type. */
  readonly compositeFields?: readonly {
    readonly name: string;
    readonly type: number;
    readonly typmod: number;
  }[];
}
