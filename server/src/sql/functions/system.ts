/** Session facts, sizes, nulls, uuids, and the functions that other rooms answer. */
import { DbError } from '../../base/error.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import { Numeric } from '../../types/numeric.ts';
import {
  numericAbs,
  numericAdd,
  numericCompare,
  numericDivideTruncated,
  numericMultiply,
  numericRound,
  numericSubtract,
} from '../../types/numeric-core.ts';
import {
  formatNumeric,
  numericFromInteger,
  numericToInteger,
  parseNumeric,
} from '../../types/numeric-text.ts';
import { OID } from '../../types/oid.ts';
import { bytesToHex, formatLsn, hexToUuid, lsnValue } from '../../types/scalars.ts';
import { encodeValue } from '../../types/value-bytes.ts';
import {
  BACKEND_FUNCTIONS,
  BACKEND_SET_FUNCTIONS,
  type BackendFunctionName,
  CATALOG_FUNCTIONS,
  CATALOG_SET_FUNCTIONS,
  type CatalogFunctionName,
  type FunctionContext,
  type ScalarFunction,
  type SetFunction,
} from './contract.ts';
import { boundTable, type FunctionTable, type Implementation, pureTable } from './registry.ts';
import { spreadVariadic } from './text.ts';

const UNITS: readonly (readonly [string, bigint, boolean])[] = [
  ['bytes', 10n * 1024n, false],
  ['kB', 20n * 1024n - 1n, true],
  ['MB', 20n * 1024n - 1n, true],
  ['GB', 20n * 1024n - 1n, true],
  ['TB', 20n * 1024n - 1n, true],
  ['PB', 20n * 1024n - 1n, true],
];

/** Sizes keep one more binary digit than shown while dividing, then round half up. */
export function prettySize(size: bigint): string {
  let value = size;
  const magnitude = (): bigint => (value < 0n ? -value : value);
  const halfRounded = (): bigint => (value + (value < 0n ? -1n : 1n)) / 2n;
  if (magnitude() < UNITS[0]![1]) return `${value} bytes`;
  value = value / 512n;
  for (let unit = 1; ; unit++) {
    if (magnitude() < UNITS[unit]![1] || unit === UNITS.length - 1)
      return `${halfRounded()} ${UNITS[unit]![0]}`;
    value = value / 1024n;
  }
}

const SIZE_FACTORS: Readonly<Record<string, number>> = {
  bytes: 0,
  b: 0,
  kb: 10,
  mb: 20,
  gb: 30,
  tb: 40,
  pb: 50,
};

function sizeBytes(text: string): bigint {
  const invalid = (): DbError => new DbError('invalid_parameter_value', `invalid size: "${text}"`);
  const match = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S*?)\s*$/.exec(text);
  if (match === null) throw invalid();
  let value = parseNumeric(match[1]!);
  const unit = match[2]!.toLowerCase();
  if (unit !== '') {
    const shift = Object.hasOwn(SIZE_FACTORS, unit) ? SIZE_FACTORS[unit] : undefined;
    if (shift === undefined) {
      throw new DbError('invalid_parameter_value', `invalid size: "${text}"`, {
        detail: `Invalid size unit: "${match[2]}".`,
        hint: 'Valid units are "bytes", "kB", "MB", "GB", "TB", and "PB".',
      });
    }
    value = numericMultiply(value, new Numeric(2 ** shift, 0));
  }
  return numericToInteger(value, 'bigint') as bigint;
}

/** Encoding numbers of PostgreSQL that matter here. */
const ENCODING_NAMES = [
  'SQL_ASCII',
  'EUC_JP',
  'EUC_CN',
  'EUC_KR',
  'EUC_TW',
  'EUC_JIS_2004',
  'UTF8',
  'MULE_INTERNAL',
  'LATIN1',
  'LATIN2',
  'LATIN3',
  'LATIN4',
  'LATIN5',
  'LATIN6',
  'LATIN7',
  'LATIN8',
  'LATIN9',
  'LATIN10',
  'WIN1256',
  'WIN1258',
  'WIN866',
  'WIN874',
  'KOI8R',
  'WIN1251',
  'WIN1252',
  'ISO_8859_5',
  'ISO_8859_6',
  'ISO_8859_7',
  'ISO_8859_8',
  'WIN1250',
  'WIN1253',
  'WIN1254',
  'WIN1255',
  'WIN1257',
  'KOI8U',
  'SJIS',
  'BIG5',
  'GBK',
  'UHC',
  'GB18030',
  'JOHAB',
  'SHIFT_JIS_2004',
];

function uuidFromBytes(bytes: Uint8Array): string {
  const copy = bytes.slice(0, 16);
  copy[6] = (copy[6]! & 0x0f) | 0x40;
  copy[8] = (copy[8]! & 0x3f) | 0x80;
  return hexToUuid(bytesToHex(copy));
}

/** Name of an encoding, empty for an unknown number. */
export function encodingName(encoding: number): string {
  return ENCODING_NAMES[encoding] ?? '';
}

/** Number of an encoding by any spelling of its name, -1 when there is none. */
export function encodingByName(name: string): number {
  const key = name.toUpperCase().replace(/[^A-Z0-9]/g, '');
  return ENCODING_NAMES.findIndex((known) => known.replaceAll('_', '') === key);
}

const pure: Record<string, Implementation> = {
  pg_size_pretty: prettySize,
  pg_size_pretty_numeric: (value: Numeric) => {
    if (value.kind !== 'finite') return `${value.kind} bytes`;
    const limit = new Numeric(10240, 0);
    if (numericCompare(numericAbs(value), limit) < 0) {
      return `${formatPlain(value)} bytes`;
    }
    return prettySize(BigInt(numericDivideTruncated(numericRound(value, 0), new Numeric(1, 0)).coefficient));
  },
  pg_size_bytes: sizeBytes,
  PG_encoding_to_char: encodingName,
  PG_char_to_encoding: encodingByName,
  pg_encoding_max_length_sql: (encoding: number) =>
    encoding === 6 ? 4 : encoding >= 0 && encoding < ENCODING_NAMES.length ? 1 : null,
  pg_lsn_mi: (left: string, right: string) => parseNumeric((lsnValue(left) - lsnValue(right)).toString()),
  pg_lsn_pli: (lsn: string, offset: Numeric) => shiftLsn(lsn, offset, 1n),
  pg_lsn_mii: (lsn: string, offset: Numeric) => shiftLsn(lsn, offset, -1n),
  '#5023': (offset: Numeric, lsn: string) => shiftLsn(lsn, offset, 1n),
  oidvectortypes: () => '',
};

function formatPlain(value: Numeric): string {
  return formatNumeric(value);
}

function shiftLsn(lsn: string, offset: Numeric, sign: bigint): string {
  if (offset.kind !== 'finite') {
    throw new DbError(
      'feature_not_supported',
      offset.kind === 'NaN'
        ? `cannot ${sign > 0n ? 'add NaN to' : 'subtract NaN from'} pg_lsn`
        : 'cannot convert infinity to pg_lsn',
    );
  }
  const position = numericFromInteger(lsnValue(lsn));
  const moved = sign > 0n ? numericAdd(position, offset) : numericSubtract(position, offset);
  const result = BigInt(numericRound(moved, 0).coefficient);
  if (result < 0n || result > 0xffffffffffffffffn)
    throw new DbError('invalid_parameter_value', 'pg_lsn out of range');
  return formatLsn(result);
}

function settingOrFail(context: FunctionContext, name: string): string {
  const value = context.session.setting(name);
  if (value === undefined) {
    throw new DbError('undefined_object', `unrecognized configuration parameter "${name}"`);
  }
  return value;
}

function countNulls(args: readonly Datum[], isVariadic: boolean, wantNull: boolean): number | null {
  const { values, isNull } = spreadVariadic(args, 0, isVariadic);
  if (isNull) return null;
  return values.filter((value) => (value === null) === wantNull).length;
}

const bound = boundTable({
  current_user: (context) => () => context.session.currentUser,
  session_user: (context) => () => context.session.sessionUser,
  current_database: (context) => () => context.session.database,
  current_schema: (context) => () => context.session.searchPath(false)[0] ?? null,
  current_schemas: (context) => (withImplicit: boolean) =>
    new SqlArray(OID.NAME, [...context.session.searchPath(withImplicit)]),
  current_query: (context) => () => context.session.setting('fastpostgres.current_query') ?? null,
  pgsql_version: (context) => () => context.session.version,
  pg_backend_pid: (context) => () => context.session.backendPid,
  getdatabaseencoding: () => () => 'UTF8',
  pg_client_encoding: (context) => () => context.session.setting('client_encoding') ?? 'UTF8',
  show_config_by_name: (context) => (name: string) => settingOrFail(context, name),
  show_config_by_name_missing_ok: (context) => (name: string, isMissingOk: boolean) =>
    isMissingOk ? (context.session.setting(name) ?? null) : settingOrFail(context, name),
  set_config_by_name: (context) => (name: string | null, value: string | null, isLocal: boolean | null) => {
    if (name === null) throw new DbError('null_value_not_allowed', 'SET requires parameter name');
    return context.session.setSetting(name, value ?? '', isLocal === true);
  },
  pg_typeof: (_context, site) => () => site.argumentTypes[0] ?? 0,
  pg_collation_for: (_context, site) => () =>
    site.collation === 0
      ? null
      : site.collation === 950
        ? '"C"'
        : site.collation === 951
          ? '"POSIX"'
          : '"default"',
  pg_column_size: (context, site) => (value: Datum) => {
    const support = context.typeSupport(site.argumentTypes[0]!);
    if (support.length > 0) return support.length;
    const size = encodeValue(support, value).length;
    return size + (size < 127 ? 1 : 4);
  },
  pg_column_compression: () => () => null,
  pg_num_nulls:
    (_context, site) =>
    (...args: Datum[]) =>
      countNulls(args, site.variadic, true),
  pg_num_nonnulls:
    (_context, site) =>
    (...args: Datum[]) =>
      countNulls(args, site.variadic, false),
  gen_random_uuid: (context) => () => uuidFromBytes(context.randomBytes(16)),
  oidvectortypes: (context) => (vector: SqlArray) =>
    vector.elements.map((oid) => context.typeSupport(OID.REGTYPE).output(oid, context.format)).join(', '),
  enum_first: (context, site) => () => enumLabel(context, site.argumentTypes[0]!, 0),
  enum_last: (context, site) => () => enumLabel(context, site.argumentTypes[0]!, -1),
});
delete pure['oidvectortypes'];

function enumLabel(context: FunctionContext, type: number, index: number): Datum {
  const labels = context.typeSupport(type).enumLabels?.() ?? [];
  return labels.at(index) ?? null;
}

function delegated(): FunctionTable {
  const table: Record<string, ScalarFunction> = {};
  for (const name of CATALOG_FUNCTIONS)
    table[name] = { make: (context, site) => context.catalog.bind(name, context, site) };
  for (const name of BACKEND_FUNCTIONS)
    table[name] = { make: (context, site) => context.backend.bind(name, context, site) };
  // SQL-language functions of the catalog, under their OIDs.
  const byOid: Record<number, CatalogFunctionName> = {
    1215: 'obj_description',
    1348: 'obj_description',
    1993: 'shobj_description',
    1216: 'col_description',
    2325: 'pg_relation_size',
  };
  for (const [oid, name] of Object.entries(byOid)) {
    table[`#${oid}`] = { make: (context, site) => context.catalog.bind(name, context, site) };
  }
  return table;
}

export const systemFunctions: FunctionTable = { ...pureTable(pure), ...bound, ...delegated() };

/** Set-returning functions of other rooms. */
export function delegatedSetFunctions(): Record<string, SetFunction> {
  const table: Record<string, SetFunction> = {};
  const missing = (name: string): DbError =>
    new DbError('feature_not_supported', `function ${name} is not supported`);
  for (const name of CATALOG_SET_FUNCTIONS) {
    table[name] = {
      columns: name !== 'pg_partition_ancestors',
      make: (context, site) => {
        if (context.catalog.bindSet === undefined) throw missing(name);
        return context.catalog.bindSet(name as CatalogFunctionName, context, site);
      },
    };
  }
  for (const name of BACKEND_SET_FUNCTIONS) {
    table[name] = {
      columns: name !== 'pg_listening_channels',
      make: (context, site) => {
        if (context.backend.bindSet === undefined) throw missing(name);
        return context.backend.bindSet(name as BackendFunctionName, context, site);
      },
    };
  }
  return table;
}
