/** Comparison operators, btree comparison functions, and larger/smaller of every type with an order. */
import { compareDateTimestamp, compareDateTimestampTz } from '../../types/datetime-arithmetic.ts';
import type { Datum, SqlArray, SqlRecord } from '../../types/datum.ts';
import { typeSupport } from '../../types/index.ts';
import type { Interval, TimeTz } from '../../types/interval.ts';
import { compareJson } from '../../types/json-text.ts';
import type { Jsonb } from '../../types/jsonb.ts';
import type { Numeric } from '../../types/numeric.ts';
import { numericCompare } from '../../types/numeric-core.ts';
import { OID } from '../../types/oid.ts';
import {
  compareBpchar,
  compareBytes,
  compareFloat,
  compareText,
  lsnValue,
  singleCharToByte,
  trimTrailingSpaces,
  uuidToBytes,
} from '../../types/scalars.ts';
import { compareArrays, compareRecords } from '../../types/support-container.ts';
import { compareInterval, compareTimeTz } from '../../types/support-datetime.ts';
import { fromLocal, zoneByName } from '../../types/zone.ts';
import { boundTable, type FunctionTable, type Implementation, pureTable } from './registry.ts';

type Compare<Left, Right> = (left: Left, right: Right) => number;

/** Names of the six operators, in the order eq ne lt le gt ge, for a pattern with `*`. */
function six(pattern: string): string[] {
  return ['eq', 'ne', 'lt', 'le', 'gt', 'ge'].map((operator) => pattern.replace('*', operator));
}

/** What memcmp answers, the first different byte's distance; when one is the other's beginning, 1 or -1. */
function byteDistance(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length);
  return (
    compareBytes(left.subarray(0, length), right.subarray(0, length)) || Math.sign(left.length - right.length)
  );
}

/** Trailing spaces do not count. */
function bpcharDistance(left: string, right: string): number {
  return byteDistance(Buffer.from(trimTrailingSpaces(left)), Buffer.from(trimTrailingSpaces(right)));
}

function byCompare<Left, Right>(
  names: string[],
  compare: Compare<Left, Right>,
): Record<string, Implementation> {
  const [eq, ne, lt, le, gt, ge] = names as [string, string, string, string, string, string];
  return {
    [eq]: (left: Left, right: Right) => compare(left, right) === 0,
    [ne]: (left: Left, right: Right) => compare(left, right) !== 0,
    [lt]: (left: Left, right: Right) => compare(left, right) < 0,
    [le]: (left: Left, right: Right) => compare(left, right) <= 0,
    [gt]: (left: Left, right: Right) => compare(left, right) > 0,
    [ge]: (left: Left, right: Right) => compare(left, right) >= 0,
  };
}

/** Values that JavaScript compares as SQL does; both sides of one primitive type. */
function primitive(names: string[]): Record<string, Implementation> {
  const [eq, ne, lt, le, gt, ge] = names as [string, string, string, string, string, string];
  return {
    [eq]: (left: number, right: number) => left === right,
    [ne]: (left: number, right: number) => left !== right,
    [lt]: (left: number, right: number) => left < right,
    [le]: (left: number, right: number) => left <= right,
    [gt]: (left: number, right: number) => left > right,
    [ge]: (left: number, right: number) => left >= right,
  };
}

/** A number on one side, a bigint on the other: ordered exactly by JavaScript, equality asked as "neither less nor greater". */
function mixed(names: string[]): Record<string, Implementation> {
  const [eq, ne, lt, le, gt, ge] = names as [string, string, string, string, string, string];
  return {
    [eq]: (left: number, right: bigint) => !(left < right) && !(left > right),
    [ne]: (left: number, right: bigint) => left < right || left > right,
    [lt]: (left: number, right: bigint) => left < right,
    [le]: (left: number, right: bigint) => left <= right,
    [gt]: (left: number, right: bigint) => left > right,
    [ge]: (left: number, right: bigint) => left >= right,
  };
}

function extremes<Value>(prefix: string, compare: Compare<Value, Value>): Record<string, Implementation> {
  return {
    [`${prefix}larger`]: ((left: Value, right: Value) =>
      compare(left, right) > 0 ? left : right) as unknown as Implementation,
    [`${prefix}smaller`]: ((left: Value, right: Value) =>
      compare(left, right) < 0 ? left : right) as unknown as Implementation,
  };
}

const numbers: Compare<number, number> = (left, right) => left - right;
const sign = (value: number): number => (value < 0 ? -1 : value > 0 ? 1 : 0);
const order = <Value>(left: Value, right: Value): number => (left < right ? -1 : left > right ? 1 : 0);
const equalText = (left: string, right: string): boolean => left === right;
const jsonb: Compare<Jsonb, Jsonb> = (left, right) => compareJson(left.value, right.value);
const chars: Compare<string, string> = (left, right) => singleCharToByte(left) - singleCharToByte(right);
const lsn: Compare<string, string> = (left, right) => order(lsnValue(left), lsnValue(right));
const vectors: Compare<SqlArray, SqlArray> = (left, right) => {
  if (left.elements.length !== right.elements.length) return left.elements.length - right.elements.length;
  return compareArrays(typeSupport(OID.OID), left, right);
};
const tids = (left: Datum, right: Datum): number => typeSupport(OID.TID).compare!(left, right);

const pure: Record<string, Implementation> = {
  ...primitive(['booleq', 'boolne', 'boollt', 'boolle', 'boolgt', 'boolge']),
  ...primitive(six('int2*')),
  ...primitive(six('int4*')),
  ...primitive(six('int24*')),
  ...primitive(six('int42*')),
  ...primitive(six('int8*')),
  ...mixed(six('int28*')),
  ...mixed(six('int82*')),
  ...mixed(six('int48*')),
  ...mixed(six('int84*')),
  ...primitive(six('oid*')),
  ...primitive(six('date_*')),
  ...primitive(six('time_*')),
  ...primitive(six('timestamp_*')),
  ...primitive(six('uuid_*')),
  ...primitive(six('xid8*')),
  ...primitive(['xideq', 'xidneq', 'xidlt', 'xidle', 'xidgt', 'xidge']),
  cideq: (left: number, right: number) => left === right,
  ...byCompare(six('float4*'), compareFloat),
  ...byCompare(six('float8*'), compareFloat),
  ...byCompare(six('float48*'), compareFloat),
  ...byCompare(six('float84*'), compareFloat),
  ...byCompare(six('numeric_*'), numericCompare),
  ...byCompare(['texteq', 'textne', 'text_lt', 'text_le', 'text_gt', 'text_ge'], compareText),
  texteq: equalText,
  textne: (left: string, right: string) => left !== right,
  ...byCompare(six('name*'), compareText),
  nameeq: equalText,
  namene: (left: string, right: string) => left !== right,
  ...byCompare(six('name*text'), compareText),
  ...byCompare(six('text*name'), compareText),
  ...byCompare(
    ['', '', 'text_pattern_lt', 'text_pattern_le', 'text_pattern_gt', 'text_pattern_ge'],
    compareText,
  ),
  ...byCompare(
    ['', '', 'bpchar_pattern_lt', 'bpchar_pattern_le', 'bpchar_pattern_gt', 'bpchar_pattern_ge'],
    compareBpchar,
  ),
  ...byCompare(six('bpchar*'), compareBpchar),
  bpchareq: (left: string, right: string) =>
    left === right || trimTrailingSpaces(left) === trimTrailingSpaces(right),
  ...byCompare(six('char*'), chars),
  ...byCompare(six('bytea*'), compareBytes),
  ...byCompare(six('interval_*'), compareInterval),
  ...byCompare(six('timetz_*'), compareTimeTz),
  ...byCompare(six('jsonb_*'), jsonb),
  ...byCompare(six('pg_lsn_*'), lsn),
  ...byCompare(six('oidvector*'), vectors),
  ...byCompare(six('tid*'), tids),
  ...byCompare(six('date_*_timestamp'), compareDateTimestamp),
  ...byCompare(six('timestamp_*_date'), (left: bigint, right: number) => -compareDateTimestamp(right, left)),
  btint2cmp: (left: number, right: number) => sign(left - right),
  btint4cmp: (left: number, right: number) => sign(left - right),
  btint8cmp: order,
  btoidcmp: (left: number, right: number) => sign(left - right),
  btboolcmp: order,
  booland_statefunc: (left: boolean, right: boolean) => left && right,
  boolor_statefunc: (left: boolean, right: boolean) => left || right,
  btfloat4cmp: compareFloat,
  btfloat8cmp: compareFloat,
  btfloat48cmp: compareFloat,
  btfloat84cmp: compareFloat,
  btint24cmp: order,
  btint42cmp: order,
  btint28cmp: order,
  btint82cmp: order,
  btint48cmp: order,
  btint84cmp: order,
  btcharcmp: chars,
  btnamecmp: (left: string, right: string) => sign(compareText(left, right)),
  btnametextcmp: (left: string, right: string) => sign(compareText(left, right)),
  bttextnamecmp: (left: string, right: string) => sign(compareText(left, right)),
  bttextcmp: (left: string, right: string) => sign(compareText(left, right)),
  bttext_pattern_cmp: (left: string, right: string) => byteDistance(Buffer.from(left), Buffer.from(right)),
  btbpchar_pattern_cmp: bpcharDistance,
  btoidvectorcmp: vectors,
  bttidcmp: tids,
  bpcharcmp: bpcharDistance,
  byteacmp: byteDistance,
  date_cmp: (left: number, right: number) => sign(left - right),
  time_cmp: (left: number, right: number) => sign(left - right),
  timetz_cmp: (left: TimeTz, right: TimeTz) => sign(compareTimeTz(left, right)),
  timestamp_cmp: order,
  interval_cmp: (left: Interval, right: Interval) => compareInterval(left, right),
  numeric_cmp: (left: Numeric, right: Numeric) => sign(numericCompare(left, right)),
  uuid_cmp: (left: string, right: string) => byteDistance(uuidToBytes(left), uuidToBytes(right)),
  jsonb_cmp: (left: Jsonb, right: Jsonb) => sign(jsonb(left, right)),
  pg_lsn_cmp: lsn,
  xid8cmp: order,
  date_cmp_timestamp: compareDateTimestamp,
  timestamp_cmp_date: (left: bigint, right: number) => -compareDateTimestamp(right, left),
  ...extremes('int2', numbers),
  ...extremes('int4', numbers),
  ...extremes('int8', order<bigint>),
  ...extremes('oid', numbers),
  ...extremes('float4', compareFloat),
  ...extremes('float8', compareFloat),
  ...extremes('numeric_', numericCompare),
  ...extremes('text_', compareText),
  ...extremes('bpchar_', compareBpchar),
  ...extremes('date_', numbers),
  ...extremes('time_', numbers),
  ...extremes('timetz_', compareTimeTz),
  ...extremes('timestamp_', order<bigint>),
  ...extremes('interval_', compareInterval),
  ...extremes('pg_lsn_', lsn),
  ...extremes('xid8_', order<bigint>),
  ...extremes<Datum>('tid', tids),
};
delete pure[''];

interface LocalOrder {
  date(left: number, right: bigint): number;
  timestamp(left: bigint, right: bigint): number;
}

function localOrder(zoneName: string): LocalOrder {
  const zone = zoneByName(zoneName);
  return {
    date: (left, right) => compareDateTimestampTz(left, right, zone),
    timestamp: (left, right) => order(fromLocal(zone, left), right),
  };
}

/** Comparisons across timestamptz read the other side in the session's zone. */
function zoned(): FunctionTable {
  const names = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const;
  const tests: Record<string, (result: number) => boolean> = {
    eq: (result) => result === 0,
    ne: (result) => result !== 0,
    lt: (result) => result < 0,
    le: (result) => result <= 0,
    gt: (result) => result > 0,
    ge: (result) => result >= 0,
  };
  const table: Parameters<typeof boundTable>[0] = {};
  for (const name of names) {
    const test = tests[name]!;
    table[`date_${name}_timestamptz`] = (context) => {
      const { date } = localOrder(context.format.timeZone);
      return (left: number, right: bigint) => test(date(left, right));
    };
    table[`timestamptz_${name}_date`] = (context) => {
      const { date } = localOrder(context.format.timeZone);
      return (left: bigint, right: number) => test(-date(right, left));
    };
    table[`timestamp_${name}_timestamptz`] = (context) => {
      const { timestamp } = localOrder(context.format.timeZone);
      return (left: bigint, right: bigint) => test(timestamp(left, right));
    };
    table[`timestamptz_${name}_timestamp`] = (context) => {
      const { timestamp } = localOrder(context.format.timeZone);
      return (left: bigint, right: bigint) => test(-timestamp(right, left));
    };
  }
  table['timestamptz_cmp_date'] = (context) => {
    const { date } = localOrder(context.format.timeZone);
    return (left: bigint, right: number) => -date(right, left);
  };
  table['timestamptz_cmp_timestamp'] = (context) => {
    const { timestamp } = localOrder(context.format.timeZone);
    return (left: bigint, right: bigint) => -timestamp(right, left);
  };
  table['date_cmp_timestamptz'] = (context) => localOrder(context.format.timeZone).date;
  table['timestamp_cmp_timestamptz'] = (context) => localOrder(context.format.timeZone).timestamp;
  return boundTable(table);
}

/** Arrays, rows and enums compare through their element types. */
function polymorphic(): FunctionTable {
  const table: Parameters<typeof boundTable>[0] = {};
  const add = (
    names: string[],
    make: (element: (oid: number) => ReturnType<typeof typeSupport>, type: number) => Compare<Datum, Datum>,
  ): void => {
    const tests = [
      (result: number) => result === 0,
      (result: number) => result !== 0,
      (result: number) => result < 0,
      (result: number) => result <= 0,
      (result: number) => result > 0,
      (result: number) => result >= 0,
    ];
    names.forEach((name, index) => {
      const test = tests[index]!;
      table[name] = (context, site) => {
        const compare = make((oid) => context.typeSupport(oid), site.argumentTypes[0] ?? 0);
        return (left: Datum, right: Datum) => test(compare(left, right));
      };
    });
  };
  const arrays = (resolve: (oid: number) => ReturnType<typeof typeSupport>) => {
    return (left: Datum, right: Datum): number =>
      compareArrays(resolve((left as SqlArray).elementType), left as SqlArray, right as SqlArray);
  };
  const records = (resolve: (oid: number) => ReturnType<typeof typeSupport>) => {
    return (left: Datum, right: Datum): number =>
      compareRecords(left as SqlRecord, right as SqlRecord, resolve);
  };
  const enums = (resolve: (oid: number) => ReturnType<typeof typeSupport>, type: number) => {
    const { compare } = resolve(type);
    return (left: Datum, right: Datum): number => compare!(left, right);
  };
  add(six('array_*'), arrays);
  add(six('record_*'), records);
  add(six('record_image_*'), records);
  add(six('enum_*'), enums);
  const addOrder = (prefix: string, cmp: string, make: typeof arrays): void => {
    table[cmp] = (context) => {
      const compare = make((oid) => context.typeSupport(oid));
      return (left: Datum, right: Datum) => sign(compare(left, right));
    };
    table[`${prefix}larger`] = (context) => {
      const compare = make((oid) => context.typeSupport(oid));
      return (left: Datum, right: Datum) => (compare(left, right) >= 0 ? left : right);
    };
    table[`${prefix}smaller`] = (context) => {
      const compare = make((oid) => context.typeSupport(oid));
      return (left: Datum, right: Datum) => (compare(left, right) <= 0 ? left : right);
    };
  };
  addOrder('array_', 'btarraycmp', arrays);
  addOrder('record_', 'btrecordcmp', records);
  table['btrecordimagecmp'] = table['btrecordcmp']!;
  const ofEnum = (pick: (compare: Compare<Datum, Datum>) => Implementation) => {
    return (context: Parameters<(typeof table)[string]>[0], site: Parameters<(typeof table)[string]>[1]) =>
      pick(context.typeSupport(site.argumentTypes[0]!).compare!);
  };
  table['enum_cmp'] = ofEnum((compare) => (left: Datum, right: Datum) => sign(compare(left, right)));
  table['enum_larger'] = ofEnum(
    (compare) => (left: Datum, right: Datum) => (compare(left, right) >= 0 ? left : right),
  );
  table['enum_smaller'] = ofEnum(
    (compare) => (left: Datum, right: Datum) => (compare(left, right) <= 0 ? left : right),
  );
  return boundTable(table);
}

export const comparisonFunctions: FunctionTable = { ...pureTable(pure), ...zoned(), ...polymorphic() };
