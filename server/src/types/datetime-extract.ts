/** date_trunc, extract and date_part. Source: PostgreSQL 15 manual 9.9.1 and 9.9.2; checked against the server. */
import { DbError } from '../base/error.ts';
import {
  civilFromDate,
  DATE_INFINITY,
  DATE_NEGATIVE_INFINITY,
  dateFromCivil,
  dayOfWeek,
  isFiniteTimestamp,
  MICROSECONDS_PER_DAY,
  MICROSECONDS_PER_HOUR,
  MICROSECONDS_PER_MINUTE,
  MICROSECONDS_PER_SECOND,
  POSTGRES_EPOCH_JULIAN,
  TIMESTAMP_INFINITY,
  timestampDays,
  timestampFromParts,
  timestampTime,
} from './calendar.ts';
import { type DateUnit, extractUnit, unitWord } from './datetime-tokens.ts';
import { Interval, type TimeTz } from './interval.ts';
import { intervalParts } from './interval-text.ts';
import { Numeric } from './numeric.ts';
import {
  makeNumeric,
  NUMERIC_INFINITY,
  NUMERIC_NEGATIVE_INFINITY,
  numericAdd,
  numericDivide,
  numericRound,
} from './numeric-core.ts';
import { fromLocal, offsetAtTimestamp, type TimeZone, toLocal } from './zone.ts';

const knownUnits = new Map<string, DateUnit>();

/** The unit of a text, with PostgreSQL's error when unknown. */
export function requireUnit(text: string, typeName: string): DateUnit {
  const known = knownUnits.get(text);
  if (known !== undefined) return known;
  const unit = extractUnit(text);
  if (unit === null) {
    throw new DbError(
      'invalid_parameter_value',
      `unit "${text.toLowerCase()}" not recognized for type ${typeName}`,
    );
  }
  if (knownUnits.size < 200) knownUnits.set(text, unit);
  return unit;
}

/** date_trunc knows the units of intervals and zones only. */
function requireTruncationUnit(text: string, typeName: string): DateUnit {
  const unit = unitWord(text);
  if (unit === null || unit === 'ago') {
    throw new DbError(
      'invalid_parameter_value',
      `unit "${text.toLowerCase()}" not recognized for type ${typeName}`,
    );
  }
  return unit;
}

function unsupported(text: string, typeName: string): DbError {
  return new DbError(
    'feature_not_supported',
    `unit "${text.toLowerCase()}" not supported for type ${typeName}`,
  );
}

/** Years a unit of more than one year is cut to: the first year of its span. */
function truncateYear(unit: DateUnit, year: number): number {
  switch (unit) {
    case 'millennium':
      return year > 0
        ? Math.trunc((year + 999) / 1000) * 1000 - 999
        : -Math.trunc((999 - (year - 1)) / 1000) * 1000 + 1;
    case 'century':
      return year > 0
        ? Math.trunc((year + 99) / 100) * 100 - 99
        : -Math.trunc((99 - (year - 1)) / 100) * 100 + 1;
    default:
      return year > 0 ? Math.trunc(year / 10) * 10 : -Math.trunc((8 - (year - 1)) / 10) * 10;
  }
}

const TIME_UNITS: Readonly<Record<string, number>> = {
  hour: MICROSECONDS_PER_HOUR,
  minute: MICROSECONDS_PER_MINUTE,
  second: MICROSECONDS_PER_SECOND,
  millisecond: 1000,
  microsecond: 1,
};

/** date_trunc of a timestamp in its own (local) time. */
export function truncateTimestamp(
  text: string,
  timestamp: bigint,
  typeName = 'timestamp without time zone',
): bigint {
  if (!isFiniteTimestamp(timestamp)) return timestamp;
  const unit = requireTruncationUnit(text, typeName);
  const days = timestampDays(timestamp);
  const size = TIME_UNITS[unit];
  if (size !== undefined) {
    const time = timestampTime(timestamp);
    return timestampFromParts(days, time - (time % size));
  }
  const { year, month } = civilFromDate(days);
  switch (unit) {
    case 'day':
      return timestampFromParts(days, 0);
    case 'week':
      return timestampFromParts(days - ((dayOfWeek(days) + 6) % 7), 0);
    case 'month':
      return timestampFromParts(dateFromCivil(year, month, 1), 0);
    case 'quarter':
      return timestampFromParts(dateFromCivil(year, month - ((month - 1) % 3), 1), 0);
    case 'year':
      return timestampFromParts(dateFromCivil(year, 1, 1), 0);
    case 'decade':
    case 'century':
    case 'millennium':
      return timestampFromParts(dateFromCivil(truncateYear(unit, year), 1, 1), 0);
    default:
      throw unsupported(text, typeName);
  }
}

/** date_trunc of a timestamptz in a zone: days and more by local time, less by keeping the offset. */
export function truncateTimestampTz(text: string, timestamp: bigint, zone: TimeZone): bigint {
  const typeName = 'timestamp with time zone';
  if (!isFiniteTimestamp(timestamp)) return timestamp;
  const unit = requireTruncationUnit(text, typeName);
  const truncated = truncateTimestamp(text, toLocal(zone, timestamp), typeName);
  if (TIME_UNITS[unit] === undefined) return fromLocal(zone, truncated);
  return truncated - BigInt(offsetAtTimestamp(zone, timestamp)) * 1_000_000n;
}

export function truncateInterval(text: string, span: Interval): Interval {
  const unit = requireTruncationUnit(text, 'interval');
  const size = TIME_UNITS[unit];
  if (size !== undefined) {
    return new Interval(span.months, span.days, (span.microseconds / BigInt(size)) * BigInt(size));
  }
  const keepMonths = (multiple: number): Interval =>
    new Interval(Math.trunc(span.months / multiple) * multiple + 0, 0, 0n);
  switch (unit) {
    case 'day':
      return new Interval(span.months, span.days, 0n);
    case 'month':
      return keepMonths(1);
    case 'quarter':
      return keepMonths(3);
    case 'year':
      return keepMonths(12);
    case 'decade':
      return keepMonths(120);
    case 'century':
      return keepMonths(1200);
    case 'millennium':
      return keepMonths(12000);
    case 'week':
      throw new DbError('feature_not_supported', 'unit "week" not supported for type interval', {
        detail: 'Months usually have fractional weeks.',
      });
    default:
      throw unsupported(text, 'interval');
  }
}

/** Monday of ISO week 1 of a year. */
function isoYearStart(year: number): number {
  const fourth = dateFromCivil(year, 1, 4);
  return fourth - ((dayOfWeek(fourth) + 6) % 7);
}

export function isoYearAndWeek(date: number): { year: number; week: number } {
  let { year } = civilFromDate(date);
  if (date >= isoYearStart(year + 1)) year++;
  else if (date < isoYearStart(year)) year--;
  return { year, week: Math.floor((date - isoYearStart(year)) / 7) + 1 };
}

const integer = (value: number): Numeric => new Numeric(value + 0, 0);

/** Date fields of a day; null when the unit is not one. */
function datePart(unit: DateUnit, date: number): number | null {
  switch (unit) {
    case 'day':
      return civilFromDate(date).day;
    case 'month':
      return civilFromDate(date).month;
    case 'quarter':
      return Math.floor((civilFromDate(date).month - 1) / 3) + 1;
    case 'year': {
      const { year } = civilFromDate(date);
      return year > 0 ? year : year - 1;
    }
    case 'decade': {
      const { year } = civilFromDate(date);
      return year >= 0 ? Math.trunc(year / 10) : -Math.trunc((8 - (year - 1)) / 10);
    }
    case 'century': {
      const { year } = civilFromDate(date);
      return year > 0 ? Math.trunc((year + 99) / 100) : -Math.trunc((99 - (year - 1)) / 100);
    }
    case 'millennium': {
      const { year } = civilFromDate(date);
      return year > 0 ? Math.trunc((year + 999) / 1000) : -Math.trunc((999 - (year - 1)) / 1000);
    }
    case 'week':
      return isoYearAndWeek(date).week;
    case 'isoyear': {
      const { year } = isoYearAndWeek(date);
      return year > 0 ? year : year - 1;
    }
    case 'dow':
      return dayOfWeek(date);
    case 'isodow':
      return dayOfWeek(date) || 7;
    case 'doy': {
      const { year } = civilFromDate(date);
      return date - dateFromCivil(year, 1, 1) + 1;
    }
    default:
      return null;
  }
}

/** Time fields of microseconds within a day (or of an interval's time, signed). */
function timePart(unit: DateUnit, time: number): Numeric | null {
  switch (unit) {
    case 'microsecond':
      return integer(time % 60_000_000);
    case 'millisecond':
      return new Numeric((time % 60_000_000) + 0, 3);
    case 'second':
      return new Numeric((time % 60_000_000) + 0, 6);
    case 'minute':
      return integer(Math.trunc(time / MICROSECONDS_PER_MINUTE) % 60);
    case 'hour':
      return integer(Math.trunc(time / MICROSECONDS_PER_HOUR));
    default:
      return null;
  }
}

/** Fields that grow without bound: infinite for infinite timestamps; others are NULL then. */
function infinitePart(unit: DateUnit, isPositive: boolean, text: string, typeName: string): Numeric | null {
  switch (unit) {
    case 'year':
    case 'decade':
    case 'century':
    case 'millennium':
    case 'isoyear':
    case 'julian':
    case 'epoch':
      return isPositive ? NUMERIC_INFINITY : NUMERIC_NEGATIVE_INFINITY;
    case 'ago':
      throw unsupported(text, typeName);
    default:
      return null;
  }
}

/** Where the sum with the epoch exceeds int8 PostgreSQL divides numerics, and four decimals are left of the quotient. */
const EPOCH_EXACT_MAX = 9_223_372_036_854_775_807n - 946_684_800_000_000n;

function epochOf(timestamp: bigint): Numeric {
  if (timestamp >= EPOCH_EXACT_MAX) {
    const sum = makeNumeric(timestamp + 946_684_800_000_000n, 0);
    return numericRound(numericDivide(sum, makeNumeric(1_000_000, 0)), 6);
  }
  return makeNumeric(timestamp + 946_684_800_000_000n, 6);
}

function julianOf(local: bigint): Numeric {
  const whole = integer(timestampDays(local) + POSTGRES_EPOCH_JULIAN);
  return numericAdd(
    whole,
    numericDivide(new Numeric(timestampTime(local), 0), new Numeric(MICROSECONDS_PER_DAY, 0)),
  );
}

export function extractDate(text: string, date: number): Numeric | null {
  const unit = requireUnit(text, 'date');
  if (date === DATE_INFINITY || date === DATE_NEGATIVE_INFINITY) {
    if (isTimeUnit(unit)) throw unsupported(text, 'date');
    return infinitePart(unit, date > 0, text, 'date');
  }
  const part = datePart(unit, date);
  if (part !== null) return integer(part);
  if (unit === 'julian') return integer(date + POSTGRES_EPOCH_JULIAN);
  if (unit === 'epoch') return integer((date + 10957) * 86400);
  throw unsupported(text, 'date');
}

function isTimeUnit(unit: DateUnit): boolean {
  return TIME_UNITS[unit] !== undefined || unit.startsWith('timezone');
}

export function extractTimestamp(text: string, timestamp: bigint): Numeric | null {
  const typeName = 'timestamp without time zone';
  const unit = requireUnit(text, typeName);
  if (unit.startsWith('timezone')) throw unsupported(text, typeName);
  if (!isFiniteTimestamp(timestamp))
    return infinitePart(unit, timestamp === TIMESTAMP_INFINITY, text, typeName);
  const date = datePart(unit, timestampDays(timestamp));
  if (date !== null) return integer(date);
  const time = timePart(unit, timestampTime(timestamp));
  if (time !== null) return time;
  if (unit === 'epoch') return epochOf(timestamp);
  if (unit === 'julian') return julianOf(timestamp);
  throw unsupported(text, typeName);
}

function zonePart(unit: DateUnit, offset: number): Numeric | null {
  switch (unit) {
    case 'timezone':
      return integer(offset);
    case 'timezone_hour':
      return integer(Math.trunc(offset / 3600));
    case 'timezone_minute':
      return integer(Math.trunc(offset / 60) % 60);
    default:
      return null;
  }
}

export function extractTimestampTz(text: string, timestamp: bigint, zone: TimeZone): Numeric | null {
  const typeName = 'timestamp with time zone';
  const unit = requireUnit(text, typeName);
  if (!isFiniteTimestamp(timestamp))
    return infinitePart(unit, timestamp === TIMESTAMP_INFINITY, text, typeName);
  if (unit === 'epoch') return epochOf(timestamp);
  const offset = offsetAtTimestamp(zone, timestamp);
  const ofZone = zonePart(unit, offset);
  if (ofZone !== null) return ofZone;
  const local = timestamp + BigInt(offset) * 1_000_000n;
  const date = datePart(unit, timestampDays(local));
  if (date !== null) return integer(date);
  const time = timePart(unit, timestampTime(local));
  if (time !== null) return time;
  if (unit === 'julian') return julianOf(local);
  throw unsupported(text, typeName);
}

export function extractTime(text: string, time: number): Numeric {
  const typeName = 'time without time zone';
  const unit = requireUnit(text, typeName);
  const part = timePart(unit, time);
  if (part !== null) return part;
  if (unit === 'epoch') return new Numeric(time, 6);
  throw unsupported(text, typeName);
}

export function extractTimeTz(text: string, value: TimeTz): Numeric {
  const typeName = 'time with time zone';
  const unit = requireUnit(text, typeName);
  const part = timePart(unit, value.microseconds) ?? zonePart(unit, 0 - value.zoneSeconds);
  if (part !== null) return part;
  if (unit === 'epoch')
    return new Numeric(value.microseconds + value.zoneSeconds * MICROSECONDS_PER_SECOND, 6);
  throw unsupported(text, typeName);
}

export function extractInterval(text: string, span: Interval): Numeric {
  const unit = requireUnit(text, 'interval');
  const parts = intervalParts(span);
  switch (unit) {
    case 'microsecond':
      return integer(parts.second * MICROSECONDS_PER_SECOND + parts.microsecond);
    case 'millisecond':
      return new Numeric(parts.second * MICROSECONDS_PER_SECOND + parts.microsecond + 0, 3);
    case 'second':
      return new Numeric(parts.second * MICROSECONDS_PER_SECOND + parts.microsecond + 0, 6);
    case 'minute':
      return integer(parts.minute);
    case 'hour':
      return integer(parts.hour);
    case 'day':
      return integer(parts.day);
    case 'month':
      return integer(parts.month);
    case 'quarter':
      return integer(Math.trunc(parts.month / 3) + 1);
    case 'year':
      return integer(parts.year);
    case 'decade':
      return integer(Math.trunc(parts.year / 10));
    case 'century':
      return integer(Math.trunc(parts.year / 100));
    case 'millennium':
      return integer(Math.trunc(parts.year / 1000));
    case 'epoch': {
      // Years count 365.25 days, months beyond them 30.
      const days = BigInt(parts.year) * 1461n + BigInt(parts.month * 120 + parts.day * 4);
      return makeNumeric(days * 21600n * 1_000_000n + span.microseconds, 6);
    }
    default:
      throw unsupported(text, 'interval');
  }
}
