/** Arithmetic on dates, times and intervals. Source: PostgreSQL 15 manual 9.9; checked against the server. */
import { DbError } from '../base/error.ts';
import {
  type CivilTime,
  checkTimestamp,
  civilFromTimestamp,
  DATE_INFINITY,
  DATE_NEGATIVE_INFINITY,
  dateFromCivil,
  dateOutOfRange,
  daysInMonth,
  END_DATE,
  isFiniteTimestamp,
  MICROSECONDS_PER_DAY,
  MICROSECONDS_PER_DAY_BIG,
  MICROSECONDS_PER_HOUR,
  MICROSECONDS_PER_SECOND,
  MIN_DATE,
  TIMESTAMP_INFINITY,
  TIMESTAMP_NEGATIVE_INFINITY,
  timestampDays,
  timestampFromCivil,
  timestampFromParts,
  timestampOutOfRange,
  timestampTime,
} from './calendar.ts';
import { roundHalfEven } from './datetime-parse.ts';
import { Interval } from './interval.ts';
import { intervalOutOfRange } from './interval-text.ts';
import { formatFloat8 } from './scalars.ts';
import { fromLocal, type TimeZone, toLocal } from './zone.ts';

/** Last date that is a timestamp. */
const END_TIMESTAMP_DATE = 109203528 - 2451545;

export function dateToTimestamp(date: number): bigint {
  if (date === DATE_INFINITY) return TIMESTAMP_INFINITY;
  if (date === DATE_NEGATIVE_INFINITY) return TIMESTAMP_NEGATIVE_INFINITY;
  if (date >= END_TIMESTAMP_DATE)
    throw new DbError('datetime_value_out_of_range', 'date out of range for timestamp');
  return timestampFromParts(date, 0);
}

export function dateToTimestampTz(date: number, zone: TimeZone): bigint {
  return checked(fromLocal(zone, dateToTimestamp(date)));
}

function checked(timestamp: bigint): bigint {
  return isFiniteTimestamp(timestamp) ? checkTimestamp(timestamp) : timestamp;
}

/** Order of a date and a timestamp, dates beyond the timestamps' range included. */
export function compareDateTimestamp(date: number, timestamp: bigint): number {
  if (date >= END_TIMESTAMP_DATE && date !== DATE_INFINITY) return timestamp === TIMESTAMP_INFINITY ? -1 : 1;
  const converted = dateToTimestamp(date);
  return converted < timestamp ? -1 : converted > timestamp ? 1 : 0;
}

export function compareDateTimestampTz(date: number, timestamp: bigint, zone: TimeZone): number {
  if (date >= END_TIMESTAMP_DATE && date !== DATE_INFINITY) return timestamp === TIMESTAMP_INFINITY ? -1 : 1;
  const converted = fromLocal(zone, dateToTimestamp(date));
  return converted < timestamp ? -1 : converted > timestamp ? 1 : 0;
}

export function timestampToDate(timestamp: bigint): number {
  if (timestamp === TIMESTAMP_INFINITY) return DATE_INFINITY;
  if (timestamp === TIMESTAMP_NEGATIVE_INFINITY) return DATE_NEGATIVE_INFINITY;
  return timestampDays(timestamp);
}

export function addDays(date: number, days: number): number {
  if (date === DATE_INFINITY || date === DATE_NEGATIVE_INFINITY) return date;
  const result = date + days;
  if (result < MIN_DATE || result >= END_DATE) throw dateOutOfRange();
  return result;
}

export function subtractDates(left: number, right: number): number {
  if (!Number.isInteger(left) || isInfiniteDate(left) || isInfiniteDate(right)) {
    throw new DbError('datetime_value_out_of_range', 'cannot subtract infinite dates');
  }
  return left - right;
}

function isInfiniteDate(date: number): boolean {
  return date === DATE_INFINITY || date === DATE_NEGATIVE_INFINITY;
}

/** Adds months, keeping the day within the new month. */
function addMonths(timestamp: bigint, months: number): bigint {
  const time = civilFromTimestamp(timestamp);
  const total = time.year * 12 + (time.month - 1) + months;
  const year = Math.floor(total / 12);
  const month = total - year * 12 + 1;
  if (year < -4713 || year > 294276) throw timestampOutOfRange();
  const day = Math.min(time.day, daysInMonth(year, month));
  return timestampFromParts(dateFromCivil(year, month, day), timestampTime(timestamp));
}

export function addInterval(timestamp: bigint, span: Interval): bigint {
  if (!isFiniteTimestamp(timestamp)) return timestamp;
  let result = timestamp;
  if (span.months !== 0) result = addMonths(result, span.months);
  if (span.days !== 0) result += BigInt(span.days) * MICROSECONDS_PER_DAY_BIG;
  result += span.microseconds;
  return checkTimestamp(result);
}

/** Months and days move in local time, the rest in absolute time. */
export function addIntervalTz(timestamp: bigint, span: Interval, zone: TimeZone): bigint {
  if (!isFiniteTimestamp(timestamp)) return timestamp;
  let result = timestamp;
  if (span.months !== 0) result = fromLocal(zone, addMonths(toLocal(zone, result), span.months));
  if (span.days !== 0)
    result = fromLocal(zone, toLocal(zone, result) + BigInt(span.days) * MICROSECONDS_PER_DAY_BIG);
  result += span.microseconds;
  return checkTimestamp(result);
}

export function negateInterval(span: Interval): Interval {
  if (
    span.months === -2147483648 ||
    span.days === -2147483648 ||
    span.microseconds === -9223372036854775808n
  ) {
    throw intervalOutOfRange();
  }
  return new Interval(0 - span.months, 0 - span.days, -span.microseconds);
}

function checkedInterval(months: number, days: number, microseconds: bigint): Interval {
  if (!(months >= -2147483648 && months <= 2147483647 && days >= -2147483648 && days <= 2147483647))
    throw intervalOutOfRange();
  if (microseconds > 9223372036854775807n || microseconds < -9223372036854775808n) throw intervalOutOfRange();
  return new Interval(months, days, microseconds);
}

export function addIntervals(left: Interval, right: Interval): Interval {
  return checkedInterval(
    left.months + right.months,
    left.days + right.days,
    left.microseconds + right.microseconds,
  );
}

export function subtractIntervals(left: Interval, right: Interval): Interval {
  return checkedInterval(
    left.months - right.months,
    left.days - right.days,
    left.microseconds - right.microseconds,
  );
}

/** PostgreSQL's rounding of fractions of seconds in interval arithmetic. */
function roundSeconds(value: number): number {
  return roundHalfEven(value * 1e6) / 1e6;
}

/** Applies `scale` to each field; fractions of months cascade to days (30 each), fractions of days to seconds. */
function scaleInterval(span: Interval, scale: (value: number) => number): Interval {
  const exactMonths = scale(span.months);
  const exactDays = scale(span.days);
  if (Number.isNaN(exactMonths) || Number.isNaN(exactDays)) throw intervalOutOfRange();
  const months = Math.trunc(exactMonths) + 0;
  let days = Math.trunc(exactDays) + 0;
  const monthDays = roundSeconds((exactMonths - months) * 30);
  let seconds = roundSeconds((exactDays - days + monthDays - Math.trunc(monthDays)) * 86400);
  if (Math.abs(seconds) >= 86400) {
    const whole = Math.trunc(seconds / 86400);
    days += whole;
    seconds -= whole * 86400;
  }
  days += Math.trunc(monthDays);
  const microseconds = roundHalfEven(scale(Number(span.microseconds)) + seconds * MICROSECONDS_PER_SECOND);
  if (Number.isNaN(microseconds) || Math.abs(microseconds) >= 2 ** 63) throw intervalOutOfRange();
  return checkedInterval(months, days, BigInt(microseconds));
}

export function multiplyInterval(span: Interval, factor: number): Interval {
  return scaleInterval(span, (value) => value * factor);
}

export function divideInterval(span: Interval, divisor: number): Interval {
  if (divisor === 0) throw new DbError('division_by_zero', 'division by zero');
  return scaleInterval(span, (value) => value / divisor);
}

export function justifyHours(span: Interval): Interval {
  let whole = Number(span.microseconds / MICROSECONDS_PER_DAY_BIG);
  let microseconds = span.microseconds - BigInt(whole) * MICROSECONDS_PER_DAY_BIG;
  let days = span.days + whole;
  if (days > 0 && microseconds < 0n) {
    microseconds += MICROSECONDS_PER_DAY_BIG;
    days--;
  } else if (days < 0 && microseconds > 0n) {
    microseconds -= MICROSECONDS_PER_DAY_BIG;
    days++;
  }
  whole = days;
  return checkedInterval(span.months, whole, microseconds);
}

export function justifyDays(span: Interval): Interval {
  const whole = Math.trunc(span.days / 30);
  let days = span.days - whole * 30;
  let months = span.months + whole;
  if (months > 0 && days < 0) {
    days += 30;
    months--;
  } else if (months < 0 && days > 0) {
    days -= 30;
    months++;
  }
  return checkedInterval(months, days, span.microseconds);
}

export function justifyInterval(span: Interval): Interval {
  let { months, days, microseconds } = span;
  // Days first when they and the time point the same way as nothing may overflow later.
  let whole = Number(microseconds / MICROSECONDS_PER_DAY_BIG);
  microseconds -= BigInt(whole) * MICROSECONDS_PER_DAY_BIG;
  days += whole;
  whole = Math.trunc(days / 30);
  days -= whole * 30;
  months += whole;
  if (months > 0 && (days < 0 || (days === 0 && microseconds < 0n))) {
    days += 30;
    months--;
  } else if (months < 0 && (days > 0 || (days === 0 && microseconds > 0n))) {
    days -= 30;
    months++;
  }
  if (days > 0 && microseconds < 0n) {
    microseconds += MICROSECONDS_PER_DAY_BIG;
    days--;
  } else if (days < 0 && microseconds > 0n) {
    microseconds -= MICROSECONDS_PER_DAY_BIG;
    days++;
  }
  return checkedInterval(months + 0, days + 0, microseconds);
}

const MINUS_INFINITY = -9223372036854775808n;

/** left - right as days and time. */
export function subtractTimestamps(left: bigint, right: bigint): Interval {
  if (!isFiniteTimestamp(left) || !isFiniteTimestamp(right)) {
    throw new DbError('datetime_value_out_of_range', 'cannot subtract infinite timestamps');
  }
  return justifyHours(new Interval(0, 0, left - right));
}

/**
 * Difference in calendar fields: years, months, days and time, all of one sign. Local times. As in PostgreSQL 15, infinity counts as the
 * number it is stored as; -infinity has no calendar fields.
 */
export function timestampAge(left: bigint, right: bigint): Interval {
  if (left === MINUS_INFINITY || right === MINUS_INFINITY) throw timestampOutOfRange();
  const isNegative = left < right;
  const first = civilFromTimestamp(left);
  const second = civilFromTimestamp(right);
  const [late, early] = isNegative ? [second, first] : [first, second];
  let years = late.year - early.year;
  let months = late.month - early.month;
  let days = late.day - early.day;
  let time = timestampTime(timestampFromCivil(late)) - timestampTime(timestampFromCivil(early));
  if (time < 0) {
    time += MICROSECONDS_PER_DAY;
    days--;
  }
  while (days < 0) {
    // The month borrowed from is that of the first argument when the result is negative, of the second otherwise.
    const from: CivilTime = isNegative ? first : second;
    days += daysInMonth(from.year, from.month);
    months--;
  }
  while (months < 0) {
    months += 12;
    years--;
  }
  const result = new Interval(years * 12 + months, days, BigInt(time));
  return isNegative ? negateInterval(result) : result;
}

/** The start of the stride-long bin that holds `source`, bins counted from `origin`. */
export function binTimestamp(stride: Interval, source: bigint, origin: bigint): bigint {
  if (!isFiniteTimestamp(source)) return source;
  if (!isFiniteTimestamp(origin)) throw new DbError('datetime_value_out_of_range', 'origin out of range');
  if (stride.months !== 0) {
    throw new DbError(
      'feature_not_supported',
      'timestamps cannot be binned into intervals containing months or years',
    );
  }
  const length = BigInt(stride.days) * MICROSECONDS_PER_DAY_BIG + stride.microseconds;
  const outOfRange = (): DbError => new DbError('datetime_value_out_of_range', 'interval out of range');
  if (BigInt.asIntN(64, length) !== length) throw outOfRange();
  if (length <= 0n) throw new DbError('datetime_value_out_of_range', 'stride must be greater than zero');
  const difference = source - origin;
  if (BigInt.asIntN(64, difference) !== difference) throw outOfRange();
  let bins = difference / length;
  if (difference < 0n && bins * length !== difference) bins -= 1n;
  return checkTimestamp(origin + bins * length);
}

/** time + interval, wrapping around midnight. */
export function addToTime(time: number, microseconds: bigint): number {
  const sum = (BigInt(time) + microseconds) % MICROSECONDS_PER_DAY_BIG;
  return Number(sum < 0n ? sum + MICROSECONDS_PER_DAY_BIG : sum);
}

export function makeDate(year: number, month: number, day: number): number {
  const astronomical = year < 0 ? year + 1 : year;
  const broken = (): DbError =>
    new DbError(
      'datetime_field_overflow',
      `date field value out of range: ${year < 0 && year > -2147483648 ? astronomical : year}-${month.toString().padStart(2, '0')}-${day.toString().padStart(2, '0')}`,
    );
  if (
    year === 0 ||
    year < -2147483646 ||
    month < 1 ||
    month > 12 ||
    day < 1 ||
    day > daysInMonth(astronomical, month)
  )
    throw broken();
  const date = dateFromCivil(astronomical, month, day);
  if (date < MIN_DATE || date >= END_DATE) {
    throw new DbError(
      'datetime_field_overflow',
      `date out of range: ${year}-${month.toString().padStart(2, '0')}-${day.toString().padStart(2, '0')}`,
    );
  }
  return date;
}

export function makeTime(hour: number, minute: number, second: number): number {
  const isValid =
    hour >= 0 &&
    minute >= 0 &&
    minute <= 59 &&
    second >= 0 &&
    second <= 60 &&
    hour <= 24 &&
    !(hour === 24 && (minute > 0 || second > 0));
  const total =
    hour * MICROSECONDS_PER_HOUR +
    minute * 60 * MICROSECONDS_PER_SECOND +
    roundHalfEven(second * MICROSECONDS_PER_SECOND);
  if (!isValid || total > MICROSECONDS_PER_DAY) {
    throw new DbError(
      'datetime_field_overflow',
      `time field value out of range: ${hour}:${minute.toString().padStart(2, '0')}:${formatFloat8(second, -9).padStart(2, '0')}`,
    );
  }
  return total;
}
