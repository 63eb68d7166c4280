/**
 * Calendar arithmetic on Julian days and the split of timestamps into days and microseconds.
 *
 * Dates count days from 2000-01-01 in the proleptic Gregorian calendar; years are astronomical (1 BC = 0).
 */
import { DbError } from '../base/error.ts';

export const DATE_INFINITY = 2147483647;
export const DATE_NEGATIVE_INFINITY = -2147483648;
export const TIMESTAMP_INFINITY = 9223372036854775807n;
export const TIMESTAMP_NEGATIVE_INFINITY = -9223372036854775808n;

/** Julian day of 2000-01-01 and of 1970-01-01. */
export const POSTGRES_EPOCH_JULIAN = 2451545;
export const UNIX_EPOCH_JULIAN = 2440588;
/** Seconds from 1970-01-01 to 2000-01-01. */
export const EPOCH_DIFFERENCE_SECONDS = 946684800;

export const MICROSECONDS_PER_SECOND = 1_000_000;
export const MICROSECONDS_PER_MINUTE = 60_000_000;
export const MICROSECONDS_PER_HOUR = 3_600_000_000;
export const MICROSECONDS_PER_DAY = 86_400_000_000;
export const MICROSECONDS_PER_DAY_BIG = 86_400_000_000n;

/** First valid and first invalid values: 4713-11-24 BC, 5874898-01-01, 294277-01-01. */
export const MIN_DATE = -POSTGRES_EPOCH_JULIAN;
export const END_DATE = 2147483494 - POSTGRES_EPOCH_JULIAN;
export const MIN_TIMESTAMP = -211813488000000000n;
export const END_TIMESTAMP = 9223371331200000000n;

/** Julian day number of a date; month and day may overflow their ranges. */
export function julianDay(year: number, month: number, day: number): number {
  if (month > 2) {
    month += 1;
    year += 4800;
  } else {
    month += 13;
    year += 4799;
  }
  const century = Math.floor(year / 100);
  return (
    year * 365 -
    32167 +
    Math.floor(year / 4) -
    century +
    Math.floor(century / 4) +
    Math.floor((7834 * month) / 256) +
    day
  );
}

export interface CivilDate {
  year: number;
  month: number;
  day: number;
}

export function fromJulianDay(julian: number): CivilDate {
  // Days from 0000-03-01; eras of 400 years.
  const shifted = julian - 1721120;
  const era = Math.floor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** Days since 2000-01-01. */
export function dateFromCivil(year: number, month: number, day: number): number {
  return julianDay(year, month, day) - POSTGRES_EPOCH_JULIAN;
}

export function civilFromDate(date: number): CivilDate {
  return fromJulianDay(date + POSTGRES_EPOCH_JULIAN);
}

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
export function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : DAYS[month - 1]!;
}

/** 0 = Sunday. */
export function dayOfWeek(date: number): number {
  return (((date + 6) % 7) + 7) % 7;
}

/** Broken-down time; seconds are whole, microseconds 0 … 999999. */
export interface CivilTime extends CivilDate {
  hour: number;
  minute: number;
  second: number;
  microsecond: number;
}

/** Days part (floor) of a timestamp. */
export function timestampDays(timestamp: bigint): number {
  if (timestamp < 9007199254740991n && timestamp > -9007199254740991n)
    return Math.floor(Number(timestamp) / MICROSECONDS_PER_DAY);
  const days = timestamp / MICROSECONDS_PER_DAY_BIG;
  return Number(timestamp < 0n && days * MICROSECONDS_PER_DAY_BIG !== timestamp ? days - 1n : days);
}

/** Microseconds within the day, 0 … 86399999999. */
export function timestampTime(timestamp: bigint): number {
  if (timestamp < 9007199254740991n && timestamp > -9007199254740991n) {
    const value = Number(timestamp);
    return value - Math.floor(value / MICROSECONDS_PER_DAY) * MICROSECONDS_PER_DAY;
  }
  const rest = timestamp % MICROSECONDS_PER_DAY_BIG;
  return Number(rest < 0n ? rest + MICROSECONDS_PER_DAY_BIG : rest);
}

export function timestampFromParts(days: number, microseconds: number): bigint {
  if (days < 100_000 && days > -100_000) return BigInt(days * MICROSECONDS_PER_DAY + microseconds);
  return BigInt(days) * MICROSECONDS_PER_DAY_BIG + BigInt(microseconds);
}

export function civilFromTimestamp(timestamp: bigint): CivilTime {
  const { year, month, day } = civilFromDate(timestampDays(timestamp));
  let rest = timestampTime(timestamp);
  const hour = Math.floor(rest / MICROSECONDS_PER_HOUR);
  rest -= hour * MICROSECONDS_PER_HOUR;
  const minute = Math.floor(rest / MICROSECONDS_PER_MINUTE);
  rest -= minute * MICROSECONDS_PER_MINUTE;
  const second = Math.floor(rest / MICROSECONDS_PER_SECOND);
  return { year, month, day, hour, minute, second, microsecond: rest - second * MICROSECONDS_PER_SECOND };
}

export function timeFromParts(hour: number, minute: number, second: number, microsecond: number): number {
  return ((hour * 60 + minute) * 60 + second) * MICROSECONDS_PER_SECOND + microsecond;
}

export function timestampFromCivil(time: CivilTime): bigint {
  return timestampFromParts(
    dateFromCivil(time.year, time.month, time.day),
    timeFromParts(time.hour, time.minute, time.second, time.microsecond),
  );
}

export function isFiniteTimestamp(timestamp: bigint): boolean {
  return timestamp !== TIMESTAMP_INFINITY && timestamp !== TIMESTAMP_NEGATIVE_INFINITY;
}

export function isFiniteDate(date: number): boolean {
  return date !== DATE_INFINITY && date !== DATE_NEGATIVE_INFINITY;
}

export function checkTimestamp(timestamp: bigint): bigint {
  if (timestamp < MIN_TIMESTAMP || timestamp >= END_TIMESTAMP) throw timestampOutOfRange();
  return timestamp;
}

export function checkDate(date: number): number {
  if (date < MIN_DATE || date >= END_DATE) throw dateOutOfRange();
  return date;
}

export function timestampOutOfRange(): DbError {
  return new DbError('datetime_value_out_of_range', 'timestamp out of range');
}

export function dateOutOfRange(): DbError {
  return new DbError('datetime_value_out_of_range', 'date out of range');
}
