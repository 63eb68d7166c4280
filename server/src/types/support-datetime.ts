/** TypeSupport of date, time, timetz, timestamp, timestamptz and interval. */

import { DbError } from '../base/error.ts';
import { int32Bytes, int64Bytes, view } from './binary.ts';
import {
  checkDate,
  checkTimestamp,
  isFiniteDate,
  isFiniteTimestamp,
  MICROSECONDS_PER_DAY,
} from './calendar.ts';
import type { TypeSupport } from './contract.ts';
import {
  formatDate,
  formatTime,
  formatTimestamp,
  formatTimestampTz,
  formatTimeTz,
} from './datetime-format.ts';
import {
  parseDate,
  parseTime,
  parseTimestamp,
  parseTimestampTz,
  parseTimeTz,
  roundTime,
  roundTimestamp,
} from './datetime-parse.ts';
import type { Datum } from './datum.ts';
import { Interval, TimeTz } from './interval.ts';
import { applyIntervalTypmod, formatInterval, parseInterval } from './interval-text.ts';
import { OID } from './oid.ts';

const compareBigints = (left: Datum, right: Datum): number =>
  (left as bigint) < (right as bigint) ? -1 : (left as bigint) > (right as bigint) ? 1 : 0;
const bigintKey = (value: Datum): number | bigint => {
  const big = value as bigint;
  return big <= 9007199254740991n && big >= -9007199254740991n ? Number(big) : big;
};

/** Comparable length: months count as 30 days, days as 24 hours. */
export function intervalSpan(value: Interval): bigint {
  return (BigInt(value.months) * 30n + BigInt(value.days)) * 86_400_000_000n + value.microseconds;
}

export function compareInterval(left: Interval, right: Interval): number {
  const a = intervalSpan(left);
  const b = intervalSpan(right);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** timetz sorts by instant, then by zone. */
export function compareTimeTz(left: TimeTz, right: TimeTz): number {
  const a = left.microseconds + left.zoneSeconds * 1_000_000;
  const b = right.microseconds + right.zoneSeconds * 1_000_000;
  return a - b || left.zoneSeconds - right.zoneSeconds;
}

const dateSupport: TypeSupport = {
  oid: OID.DATE,
  name: 'date',
  length: 4,
  input: (text, _typmod, context) => parseDate(text, context),
  output: (value, context) => formatDate(value as number, context),
  receive: (bytes) => {
    const value = view(bytes, 4).getInt32(0);
    return isFiniteDate(value) ? checkDate(value) : value;
  },
  send: (value) => int32Bytes(value as number),
  compare: (left, right) => (left as number) - (right as number),
  hashKey: (value) => value as number,
  physical: () => 'int32',
};

function checkTime(value: number): number {
  if (value < 0 || value > MICROSECONDS_PER_DAY)
    throw new DbError('datetime_value_out_of_range', 'time out of range');
  return value;
}

const timeSupport: TypeSupport = {
  oid: OID.TIME,
  name: 'time',
  length: 8,
  input: parseTime,
  output: (value) => formatTime(value as number),
  receive: (bytes, typmod) => roundTime(checkTime(Number(view(bytes, 8).getBigInt64(0))), typmod),
  send: (value) => int64Bytes(BigInt(value as number)),
  compare: (left, right) => (left as number) - (right as number),
  hashKey: (value) => value as number,
  physical: () => 'int64',
};

const timeTzSupport: TypeSupport = {
  oid: OID.TIMETZ,
  name: 'timetz',
  length: 12,
  input: parseTimeTz,
  output: (value) => formatTimeTz(value as TimeTz),
  receive: (bytes, typmod) => {
    const data = view(bytes, 12);
    const zone = data.getInt32(8);
    if (zone <= -57600 || zone >= 57600) {
      throw new DbError('invalid_time_zone_displacement_value', 'time zone displacement out of range');
    }
    return new TimeTz(roundTime(checkTime(Number(data.getBigInt64(0))), typmod), zone);
  },
  send: (value) => timeTzBytes(value as TimeTz),
  compare: (left, right) => compareTimeTz(left as TimeTz, right as TimeTz),
  hashKey: (value) => `${(value as TimeTz).microseconds},${(value as TimeTz).zoneSeconds}`,
  physical: () => 'varlen',
  encode: (value) => timeTzBytes(value as TimeTz),
  decode: (bytes) => {
    const data = view(bytes, 12);
    return new TimeTz(Number(data.getBigInt64(0)), data.getInt32(8));
  },
};

function timeTzBytes(value: TimeTz): Uint8Array {
  const bytes = new Uint8Array(12);
  const data = new DataView(bytes.buffer);
  data.setBigInt64(0, BigInt(value.microseconds));
  data.setInt32(8, value.zoneSeconds);
  return bytes;
}

const timestampSupport: TypeSupport = {
  oid: OID.TIMESTAMP,
  name: 'timestamp',
  length: 8,
  input: parseTimestamp,
  output: (value, context) => formatTimestamp(value as bigint, context),
  receive: (bytes, typmod) => {
    const value = view(bytes, 8).getBigInt64(0);
    return isFiniteTimestamp(value) ? roundTimestamp(checkTimestamp(value), typmod) : value;
  },
  send: (value) => int64Bytes(value as bigint),
  compare: compareBigints,
  hashKey: bigintKey,
  physical: () => 'int64',
};

const timestampTzSupport: TypeSupport = {
  ...timestampSupport,
  oid: OID.TIMESTAMPTZ,
  name: 'timestamptz',
  input: parseTimestampTz,
  output: (value, context) => formatTimestampTz(value as bigint, context),
};

function intervalBytes(value: Interval): Uint8Array {
  const bytes = new Uint8Array(16);
  const data = new DataView(bytes.buffer);
  data.setBigInt64(0, value.microseconds);
  data.setInt32(8, value.days);
  data.setInt32(12, value.months);
  return bytes;
}

function intervalFromBytes(bytes: Uint8Array): Interval {
  const data = view(bytes, 16);
  return new Interval(data.getInt32(12), data.getInt32(8), data.getBigInt64(0));
}

const intervalSupport: TypeSupport = {
  oid: OID.INTERVAL,
  name: 'interval',
  length: 16,
  input: parseInterval,
  output: (value, context) => formatInterval(value as Interval, context.intervalStyle),
  receive: (bytes, typmod) => applyIntervalTypmod(intervalFromBytes(bytes), typmod),
  send: (value) => intervalBytes(value as Interval),
  compare: (left, right) => compareInterval(left as Interval, right as Interval),
  hashKey: (value) => {
    const span = intervalSpan(value as Interval);
    return span <= 9007199254740991n && span >= -9007199254740991n ? Number(span) : span;
  },
  physical: () => 'varlen',
  encode: (value) => intervalBytes(value as Interval),
  decode: intervalFromBytes,
};

export function dateTimeSupports(): TypeSupport[] {
  return [dateSupport, timeSupport, timeTzSupport, timestampSupport, timestampTzSupport, intervalSupport];
}
