/**
 * Parquet files read in the browser, piece by piece: every value becomes PostgreSQL's text without passing through a number that could
 * round it, so that the import goes on as that of a CSV file.
 */
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { Cell } from '../../api/client.ts';

export interface ParquetSource {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rowCount: number;
  /** Rows from `first` up to, without, `end`. */
  readonly read: (first: number, end: number) => Promise<Cell[][]>;
}

type Element = FileMetaData['schema'][number];
/** Text of a value that the reader gives for a column. */
type TextOf = (value: unknown) => string;

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const two = (value: bigint | number): string => String(value).padStart(2, '0');

/** The file's first bytes say what it is. */
export async function isParquet(file: File): Promise<boolean> {
  return utf8.decode(await file.slice(0, 4).arrayBuffer()) === 'PAR1';
}

/** Days since 1970 in the proleptic Gregorian calendar, as a date; years before 1 are BC. */
export function dateText(days: bigint): { date: string; era: string } {
  // The civil calendar from days: eras of 400 years from the first of March of year 0.
  const shifted = days + 719_468n;
  const era = (shifted >= 0n ? shifted : shifted - 146_096n) / 146_097n;
  const ofEra = shifted - era * 146_097n;
  const yearOfEra = (ofEra - ofEra / 1460n + ofEra / 36_524n - ofEra / 146_096n) / 365n;
  const ofYear = ofEra - (365n * yearOfEra + yearOfEra / 4n - yearOfEra / 100n);
  const month = (5n * ofYear + 2n) / 153n;
  const day = ofYear - (153n * month + 2n) / 5n + 1n;
  const civilMonth = month < 10n ? month + 3n : month - 9n;
  const year = yearOfEra + era * 400n + (civilMonth <= 2n ? 1n : 0n);
  const shown = year > 0n ? year : 1n - year;
  return {
    date: `${String(shown).padStart(4, '0')}-${two(civilMonth)}-${two(day)}`,
    era: year > 0n ? '' : ' BC',
  };
}

function timeText(micros: bigint): string {
  const seconds = micros / 1_000_000n;
  const part = micros % 1_000_000n;
  const clock = `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}`;
  return part === 0n ? clock : `${clock}.${String(part).padStart(6, '0')}`;
}

const MICROS_OF_DAY = 86_400_000_000n;

export function timestampText(micros: bigint, zone: string): string {
  let days = micros / MICROS_OF_DAY;
  let rest = micros % MICROS_OF_DAY;
  if (rest < 0n) {
    days -= 1n;
    rest += MICROS_OF_DAY;
  }
  const { date, era } = dateText(days);
  return `${date} ${timeText(rest)}${zone}${era}`;
}

/** An unscaled number with its decimal point. */
export function decimalText(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : '';
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Big-endian two's complement. */
function wholeOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}

const hexOf = (bytes: Uint8Array): string =>
  `\\x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;

/** What is nested has no text of its own: it becomes JSON, its large numbers whole. */
function jsonText(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return JSON.stringify(hexOf(value));
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  if (typeof value !== 'object' || value instanceof Date) return JSON.stringify(value) ?? 'null';
  return `{${Object.entries(value)
    .map(([key, part]) => `${JSON.stringify(key)}:${jsonText(part)}`)
    .join(',')}}`;
}

function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return hexOf(value);
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'object') return jsonText(value);
  return String(value);
}

/** How a column is read: what the reader would round is taken from it raw. */
function columnOf(element: Element, isNested: boolean): { type: string; text: TextOf } {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (isNested) return { type: 'jsonb', text: jsonText };
  if (converted === 'DECIMAL' || logical?.type === 'DECIMAL') {
    const scale = element.scale ?? 0;
    element.converted_type = undefined;
    element.logical_type = undefined;
    return {
      type: `numeric(${element.precision ?? 38},${scale})`,
      text: (value) =>
        decimalText(value instanceof Uint8Array ? wholeOf(value) : BigInt(value as number | bigint), scale),
    };
  }
  if (logical?.type === 'TIMESTAMP' || converted === 'TIMESTAMP_MILLIS' || converted === 'TIMESTAMP_MICROS') {
    const unit =
      logical?.type === 'TIMESTAMP' ? logical.unit : converted === 'TIMESTAMP_MILLIS' ? 'MILLIS' : 'MICROS';
    const zone = logical?.type === 'TIMESTAMP' && !logical.isAdjustedToUTC ? '' : '+00';
    element.converted_type = undefined;
    element.logical_type = undefined;
    return {
      type: zone === '' ? 'timestamp' : 'timestamptz',
      text: (value) => {
        const count = BigInt(value as bigint);
        return timestampText(
          unit === 'MILLIS' ? count * 1000n : unit === 'NANOS' ? count / 1000n : count,
          zone,
        );
      },
    };
  }
  if (logical?.type === 'TIME' || converted === 'TIME_MILLIS' || converted === 'TIME_MICROS') {
    const unit = logical?.type === 'TIME' ? logical.unit : converted === 'TIME_MILLIS' ? 'MILLIS' : 'MICROS';
    element.converted_type = undefined;
    element.logical_type = undefined;
    return {
      type: 'time',
      text: (value) => {
        const count = BigInt(value as bigint | number);
        return timeText(unit === 'MILLIS' ? count * 1000n : unit === 'NANOS' ? count / 1000n : count);
      },
    };
  }
  if (converted === 'DATE' || logical?.type === 'DATE') {
    element.converted_type = undefined;
    element.logical_type = undefined;
    return {
      type: 'date',
      text: (value) => {
        const { date, era } = dateText(BigInt(value as number));
        return date + era;
      },
    };
  }
  if (converted === 'JSON' || logical?.type === 'JSON') {
    element.converted_type = 'UTF8';
    element.logical_type = undefined;
    return { type: 'json', text: plainText };
  }
  if (logical?.type === 'UUID') return { type: 'uuid', text: plainText };
  if (
    converted === 'UTF8' ||
    converted === 'ENUM' ||
    logical?.type === 'STRING' ||
    logical?.type === 'ENUM'
  ) {
    element.converted_type = 'UTF8';
    return { type: 'text', text: plainText };
  }
  switch (type) {
    case 'BOOLEAN':
      return { type: 'boolean', text: plainText };
    case 'INT32':
      return { type: converted === 'UINT_32' ? 'bigint' : 'integer', text: plainText };
    case 'INT64':
      return { type: converted === 'UINT_64' ? 'numeric' : 'bigint', text: plainText };
    case 'FLOAT':
      return { type: 'real', text: plainText };
    case 'DOUBLE':
      return { type: 'double precision', text: plainText };
    case 'INT96':
      return { type: 'timestamp', text: (value) => timestampText(BigInt(value as bigint) / 1000n, '') };
    default:
      return { type: 'bytea', text: plainText };
  }
}

export async function openParquet(file: File): Promise<ParquetSource> {
  const buffer: AsyncBuffer = {
    byteLength: file.size,
    slice: (from, to) => file.slice(from, to).arrayBuffer(),
  };
  const metadata = await parquetMetadataAsync(buffer);
  const columns = parquetSchema(metadata).children.map(({ element, children }) => ({
    name: element.name,
    ...columnOf(element, children.length > 0 || element.repetition_type === 'REPEATED'),
  }));
  return {
    columns: columns.map(({ name, type }) => ({ name, type })),
    rowCount: Number(metadata.num_rows),
    read: async (first, end) => {
      const rows = await parquetReadObjects({
        file: buffer,
        metadata,
        compressors,
        utf8: false,
        rowStart: first,
        rowEnd: end,
        parsers: {
          // A mark of the byte order at the start of a text is a part of it.
          stringFromBytes: (bytes: Uint8Array) => utf8.decode(bytes),
          timestampFromNanoseconds: (nanos: bigint) => nanos,
        } as NonNullable<Parameters<typeof parquetReadObjects>[0]['parsers']>,
      });
      return rows.map((row) =>
        columns.map(({ name, text }) => {
          const value = row[name] as unknown;
          return value === null || value === undefined ? null : text(value);
        }),
      );
    },
  };
}

/** Rows as CSV: NULL is an empty field, the empty text a quoted one. */
export function csvOf(rows: readonly (readonly Cell[])[]): string {
  const field = (cell: Cell): string => (cell === null ? '' : `"${cell.replaceAll('"', '""')}"`);
  return rows.map((row) => `${row.map(field).join(',')}\n`).join('');
}
