/** Functions and operators of dates, times and intervals. */
import { DbError } from '../../base/error.ts';
import {
  checkTimestamp,
  civilFromTimestamp,
  dateFromCivil,
  dayOfWeek,
  isFiniteDate,
  isFiniteTimestamp,
  MICROSECONDS_PER_DAY,
  MICROSECONDS_PER_DAY_BIG,
  timestampFromParts,
  timestampTime,
} from '../../types/calendar.ts';
import {
  addDays,
  addInterval,
  addIntervals,
  addIntervalTz,
  addToTime,
  binTimestamp,
  dateToTimestamp,
  dateToTimestampTz,
  divideInterval,
  justifyDays,
  justifyHours,
  justifyInterval,
  makeDate,
  makeTime,
  multiplyInterval,
  negateInterval,
  subtractDates,
  subtractIntervals,
  subtractTimestamps,
  timestampAge,
  timestampToDate,
} from '../../types/datetime-arithmetic.ts';
import {
  extractDate,
  extractInterval,
  extractTime,
  extractTimestamp,
  extractTimestampTz,
  extractTimeTz,
  truncateInterval,
  truncateTimestamp,
  truncateTimestampTz,
} from '../../types/datetime-extract.ts';
import { MONTHS, WEEKDAYS } from '../../types/datetime-format.ts';
import { decodeZoneOffset, roundHalfEven, roundTime, roundTimestamp } from '../../types/datetime-parse.ts';
import { Interval, TimeTz } from '../../types/interval.ts';
import { applyIntervalTypmod, intervalOutOfRange } from '../../types/interval-text.ts';
import type { Numeric } from '../../types/numeric.ts';
import { numericToFloat8 } from '../../types/numeric-text.ts';
import { compareTimeTz, intervalSpan } from '../../types/support-datetime.ts';
import {
  abbreviationOffset,
  findZone,
  fixedZone,
  fromLocal,
  offsetAtTimestamp,
  type TimeZone,
  toLocal,
  zoneByName,
} from '../../types/zone.ts';
import { boundTable, type FunctionTable, type Implementation, pureTable } from './registry.ts';

const spanOfMicroseconds = (microseconds: bigint): Interval => new Interval(0, 0, microseconds);
const toFloat = (value: Numeric | null): number | null => (value === null ? null : numericToFloat8(value));

/** The zone of AT TIME ZONE: an abbreviation, a name, or an offset. */
function zoneArgument(text: string): TimeZone {
  const abbreviation = abbreviationOffset(text);
  if (abbreviation !== null) return fixedZone(abbreviation.offset);
  const zone = findZone(text);
  if (zone !== null) return zone;
  // A bare offset counts west of UTC, as in POSIX.
  if (/^[+-]?\d/.test(text)) {
    const signed = /^[+-]/.test(text) ? text : `+${text}`;
    try {
      return fixedZone(0 - decodeZoneOffset(signed));
    } catch {
      // falls through to the error below
    }
  }
  throw new DbError('invalid_parameter_value', `time zone "${text}" not recognized`);
}

/** The offset of AT TIME ZONE INTERVAL, in seconds east. */
function zoneInterval(span: Interval, print: () => string): number {
  if (span.months !== 0 || span.days !== 0) {
    throw new DbError(
      'invalid_parameter_value',
      `interval time zone "${print()}" must not include months or days`,
    );
  }
  return Number(span.microseconds / 1_000_000n);
}

const checked = (timestamp: bigint): bigint =>
  isFiniteTimestamp(timestamp) ? checkTimestamp(timestamp) : timestamp;

function overlaps<Value>(compare: (left: Value, right: Value) => number) {
  return (
    start1: Value | null,
    end1: Value | null,
    start2: Value | null,
    end2: Value | null,
  ): boolean | null => {
    // NULLs as in the standard: a period with one NULL end is that one instant, unless it matters.
    let [ts1, te1, ts2, te2] = [start1, end1, start2, end2];
    if (ts1 === null) {
      if (te1 === null) return null;
      [ts1, te1] = [te1, null];
    } else if (te1 !== null && compare(ts1, te1) > 0) [ts1, te1] = [te1, ts1];
    if (ts2 === null) {
      if (te2 === null) return null;
      [ts2, te2] = [te2, null];
    } else if (te2 !== null && compare(ts2, te2) > 0) [ts2, te2] = [te2, ts2];
    const order = compare(ts1, ts2);
    if (order > 0) {
      if (te2 === null) return null;
      if (compare(ts1, te2) < 0) return true;
      return te1 === null ? null : false;
    }
    if (order < 0) {
      if (te1 === null) return null;
      if (compare(ts2, te1) < 0) return true;
      return te2 === null ? null : false;
    }
    return te1 === null || te2 === null ? null : true;
  };
}
function scaleTimestamp(timestamp: bigint, precision: number): bigint {
  if (isFiniteTimestamp(timestamp) && precision !== -1 && (precision < 0 || precision > 6))
    throw new DbError('invalid_parameter_value', `timestamp(${precision}) precision must be between 0 and 6`);
  return roundTimestamp(timestamp, precision);
}

/** The end of a period given by its length; NULL when either is. */
function periodEnd<Value>(
  start: Value | null,
  length: Interval | null,
  add: (start: Value, length: Interval) => Value,
): Value | null {
  return start === null || length === null ? null : add(start, length);
}
const zonedEnd =
  (zone: ReturnType<typeof zoneByName>) =>
  (start: Moment, length: Length): Moment =>
    periodEnd(start, length, (moment, span) => addIntervalTz(moment, span, zone));
type Moment = bigint | null;
type DayTime = number | null;
type Length = Interval | null;
const addTimeInterval = (time: number, span: Interval): number => addToTime(time, span.microseconds);
const byOrder = <Value>(left: Value, right: Value): number => (left < right ? -1 : left > right ? 1 : 0);

function makeTimestamp(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): bigint {
  let date: number;
  try {
    date = makeDate(year, month, day);
  } catch {
    throw new DbError(
      'datetime_field_overflow',
      `date field value out of range: ${year}-${month.toString().padStart(2, '0')}-${day.toString().padStart(2, '0')}`,
    );
  }
  const result = timestampFromParts(date, makeTime(hour, minute, second));
  return checkTimestamp(result);
}

/** As C's %g prints it. */
function general(value: number): string {
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  if (exponent >= -4 && exponent < 6) return String(Number(value.toPrecision(6)));
  const [digits, power] = value.toExponential(5).split('e') as [string, string];
  const places = power.slice(1).padStart(2, '0');
  return `${digits.replace(/\.?0+$/, '')}e${power[0]}${places}`;
}

function floatToTimestampTz(seconds: number): bigint {
  if (Number.isNaN(seconds)) throw new DbError('datetime_value_out_of_range', 'timestamp cannot be NaN');
  if (seconds === Number.POSITIVE_INFINITY) return 9223372036854775807n;
  if (seconds === Number.NEGATIVE_INFINITY) return -9223372036854775808n;
  if (!(seconds >= -210866803200 && seconds < 9224318016000)) {
    throw new DbError('datetime_value_out_of_range', `timestamp out of range: "${general(seconds)}"`);
  }
  return checkTimestamp(BigInt(roundHalfEven((seconds - 946684800) * 1e6)));
}

function invalidOffset(): DbError {
  return new DbError(
    'invalid_preceding_or_following_size',
    'invalid preceding or following size in window function',
  );
}

/** RANGE frames over timestamps: value within base ± offset. */
function rangeOver<Value>(shift: (base: Value, offset: Interval) => Value) {
  return (value: Value, base: Value, offset: Interval, isSubtract: boolean, isLess: boolean): boolean => {
    if (intervalSpan(offset) < 0n) throw invalidOffset();
    const bound = shift(base, isSubtract ? negateInterval(offset) : offset);
    return isLess ? value <= bound : value >= bound;
  };
}

function inRangeInteger(
  value: bigint | number,
  base: bigint | number,
  offset: bigint | number,
  isSubtract: boolean,
  isLess: boolean,
): boolean {
  if (offset < 0) throw invalidOffset();
  const bound = isSubtract ? BigInt(base) - BigInt(offset) : BigInt(base) + BigInt(offset);
  return isLess ? value <= bound : value >= bound;
}

function dateAndTime(date: number, time: number): bigint {
  const start = dateToTimestamp(date);
  return isFiniteTimestamp(start) ? checkTimestamp(start + BigInt(time)) : start;
}

function dateAndTimeTz(date: number, time: TimeTz): bigint {
  const start = dateToTimestamp(date);
  if (!isFiniteTimestamp(start)) return start;
  return checkTimestamp(start + BigInt(time.microseconds) + BigInt(time.zoneSeconds) * 1_000_000n);
}

const pure: Record<string, Implementation> = {
  date_pli: addDays,
  date_mii: (date: number, days: number) => addDays(date, -days),
  date_mi: subtractDates,
  date_pl_interval: (date: number, span: Interval) => addInterval(dateToTimestamp(date), span),
  date_mi_interval: (date: number, span: Interval) =>
    addInterval(dateToTimestamp(date), negateInterval(span)),
  date_finite: isFiniteDate,
  timestamp_finite: isFiniteTimestamp,
  interval_finite: () => true,
  timestamp_pl_interval: addInterval,
  timestamp_mi_interval: (timestamp: bigint, span: Interval) => addInterval(timestamp, negateInterval(span)),
  timestamp_mi: subtractTimestamps,
  interval_pl: addIntervals,
  interval_mi: subtractIntervals,
  interval_um: negateInterval,
  interval_mul: multiplyInterval,
  mul_d_interval: (factor: number, span: Interval) => multiplyInterval(span, factor),
  interval_div: divideInterval,
  interval_justify_hours: justifyHours,
  interval_justify_days: justifyDays,
  interval_justify_interval: justifyInterval,
  time_pl_interval: (time: number, span: Interval) => addToTime(time, span.microseconds),
  time_mi_interval: (time: number, span: Interval) => addToTime(time, -span.microseconds),
  time_mi_time: (left: number, right: number) => spanOfMicroseconds(BigInt(left - right)),
  timetz_pl_interval: (value: TimeTz, span: Interval) =>
    new TimeTz(addToTime(value.microseconds, span.microseconds), value.zoneSeconds),
  timetz_mi_interval: (value: TimeTz, span: Interval) =>
    new TimeTz(addToTime(value.microseconds, -span.microseconds), value.zoneSeconds),
  datetime_timestamp: dateAndTime,
  datetimetz_timestamptz: dateAndTimeTz,
  timestamp_age: timestampAge,
  timestamp_bin: binTimestamp,
  timestamptz_bin: binTimestamp,
  timestamp_trunc: (unit: string, timestamp: bigint) => truncateTimestamp(unit, timestamp),
  interval_trunc: truncateInterval,
  extract_date: extractDate,
  extract_timestamp: extractTimestamp,
  extract_time: extractTime,
  extract_timetz: extractTimeTz,
  extract_interval: extractInterval,
  timestamp_part: (unit: string, timestamp: bigint) => toFloat(extractTimestamp(unit, timestamp)),
  time_part: (unit: string, time: number) => toFloat(extractTime(unit, time)),
  timetz_part: (unit: string, value: TimeTz) => toFloat(extractTimeTz(unit, value)),
  interval_part: (unit: string, span: Interval) => toFloat(extractInterval(unit, span)),
  '#1384': (unit: string, date: number) => toFloat(extractTimestamp(unit, dateToTimestamp(date))),
  // casts
  date_timestamp: dateToTimestamp,
  timestamp_date: timestampToDate,
  timestamp_time: (timestamp: bigint) => (isFiniteTimestamp(timestamp) ? timestampTime(timestamp) : null),
  interval_time: (span: Interval) => addToTime(0, span.microseconds),
  time_interval: (time: number) => spanOfMicroseconds(BigInt(time)),
  timetz_time: (value: TimeTz) => value.microseconds,
  time_scale: (time: number, typmod: number) => roundTime(time, typmod),
  timetz_scale: (value: TimeTz, typmod: number) =>
    new TimeTz(roundTime(value.microseconds, typmod), value.zoneSeconds),
  timestamp_scale: scaleTimestamp,
  timestamptz_scale: scaleTimestamp,
  interval_scale: applyIntervalTypmod,
  float8_timestamptz: floatToTimestampTz,
  // AT TIME ZONE
  // Infinity is answered before the zone is looked up.
  timestamp_zone: (zone: string, timestamp: bigint) =>
    isFiniteTimestamp(timestamp) ? checked(fromLocal(zoneArgument(zone), timestamp)) : timestamp,
  timestamptz_zone: (zone: string, timestamp: bigint) =>
    isFiniteTimestamp(timestamp) ? checked(toLocal(zoneArgument(zone), timestamp)) : timestamp,
  make_date: makeDate,
  make_time: makeTime,
  make_timestamp: makeTimestamp,
  make_interval: (
    years: number,
    months: number,
    weeks: number,
    days: number,
    hours: number,
    minutes: number,
    seconds: number,
  ) => {
    if (!Number.isFinite(seconds)) throw intervalOutOfRange();
    const totalMonths = years * 12 + months;
    const totalDays = weeks * 7 + days;
    if (Math.abs(totalMonths) > 2147483647 || Math.abs(totalDays) > 2147483647) throw intervalOutOfRange();
    const time =
      BigInt(hours) * 3_600_000_000n + BigInt(minutes) * 60_000_000n + BigInt(roundHalfEven(seconds * 1e6));
    return new Interval(totalMonths, totalDays, time);
  },
  overlaps_time: overlaps(byOrder<number>),
  overlaps_timetz: overlaps(compareTimeTz),
  overlaps_timestamp: overlaps(byOrder<bigint>),
  // the SQL-language variants
  '#1296': (time: number, date: number) => dateAndTime(date, time),
  '#1298': (time: TimeTz, date: number) => dateAndTimeTz(date, time),
  '#1848': (span: Interval, time: number) => addToTime(time, span.microseconds),
  '#2546': (span: Interval, date: number) => addInterval(dateToTimestamp(date), span),
  '#2547': (span: Interval, value: TimeTz) =>
    new TimeTz(addToTime(value.microseconds, span.microseconds), value.zoneSeconds),
  '#2548': (span: Interval, timestamp: bigint) => addInterval(timestamp, span),
  '#2550': (days: number, date: number) => addDays(date, days),
  '#2043': (a: Moment, b: Moment, c: Moment, d: Length) =>
    overlaps(byOrder<bigint>)(a, b, c, periodEnd(c, d, addInterval)),
  '#2044': (a: Moment, b: Length, c: Moment, d: Moment) =>
    overlaps(byOrder<bigint>)(a, periodEnd(a, b, addInterval), c, d),
  '#2042': (a: Moment, b: Length, c: Moment, d: Length) =>
    overlaps(byOrder<bigint>)(a, periodEnd(a, b, addInterval), c, periodEnd(c, d, addInterval)),
  '#1309': (a: DayTime, b: Length, c: DayTime, d: Length) =>
    overlaps(byOrder<number>)(a, periodEnd(a, b, addTimeInterval), c, periodEnd(c, d, addTimeInterval)),
  '#1310': (a: DayTime, b: DayTime, c: DayTime, d: Length) =>
    overlaps(byOrder<number>)(a, b, c, periodEnd(c, d, addTimeInterval)),
  '#1311': (a: DayTime, b: Length, c: DayTime, d: DayTime) =>
    overlaps(byOrder<number>)(a, periodEnd(a, b, addTimeInterval), c, d),
  in_range_timestamp_interval: rangeOver(addInterval),
  in_range_date_interval: (
    value: number,
    base: number,
    offset: Interval,
    isSubtract: boolean,
    isLess: boolean,
  ) => rangeOver(addInterval)(dateToTimestamp(value), dateToTimestamp(base), offset, isSubtract, isLess),
  in_range_time_interval: (
    value: number,
    base: number,
    offset: Interval,
    isSubtract: boolean,
    isLess: boolean,
  ) => {
    if (offset.microseconds < 0n) throw invalidOffset();
    const bound = BigInt(base) + (isSubtract ? -offset.microseconds : offset.microseconds);
    return isLess ? value <= bound : value >= bound;
  },
  in_range_timetz_interval: (
    value: TimeTz,
    base: TimeTz,
    offset: Interval,
    isSubtract: boolean,
    isLess: boolean,
  ) => {
    if (offset.microseconds < 0n) throw invalidOffset();
    const moved = Number(
      BigInt(base.microseconds) + (isSubtract ? -offset.microseconds : offset.microseconds),
    );
    const order = compareTimeTz(value, new TimeTz(moved, base.zoneSeconds));
    return isLess ? order <= 0 : order >= 0;
  },
  in_range_interval_interval: (
    value: Interval,
    base: Interval,
    offset: Interval,
    isSubtract: boolean,
    isLess: boolean,
  ) => {
    if (intervalSpan(offset) < 0n) throw invalidOffset();
    const bound = isSubtract ? subtractIntervals(base, offset) : addIntervals(base, offset);
    const difference = intervalSpan(value) - intervalSpan(bound);
    return isLess ? difference <= 0n : difference >= 0n;
  },
  in_range_int2_int2: inRangeInteger,
  in_range_int2_int4: inRangeInteger,
  in_range_int2_int8: inRangeInteger,
  in_range_int4_int2: inRangeInteger,
  in_range_int4_int4: inRangeInteger,
  in_range_int4_int8: inRangeInteger,
  in_range_int8_int8: inRangeInteger,
};

const bound = boundTable({
  now: (context) => () => context.transactionTimestamp,
  statement_timestamp: (context) => () => context.statementTimestamp,
  clock_timestamp: (context) => () => context.clockTimestamp(),
  timeofday: (context) => () => {
    const zone = zoneByName(context.format.timeZone);
    const now = context.clockTimestamp();
    const time = civilFromTimestamp(toLocal(zone, now));
    const two = (value: number): string => value.toString().padStart(2, '0');
    const weekday = WEEKDAYS[dayOfWeek(dateFromCivil(time.year, time.month, time.day))];
    const unix = Number(now / 1_000_000n) + 946684800;
    return `${weekday} ${MONTHS[time.month - 1]} ${two(time.day)} ${two(time.hour)}:${two(time.minute)}:${two(time.second)}.${time.microsecond.toString().padStart(6, '0')} ${time.year} ${zone.abbreviationAt(unix)}`;
  },
  timestamptz_pl_interval: (context) => {
    const zone = zoneByName(context.format.timeZone);
    return (timestamp: bigint, span: Interval) => addIntervalTz(timestamp, span, zone);
  },
  timestamptz_mi_interval: (context) => {
    const zone = zoneByName(context.format.timeZone);
    return (timestamp: bigint, span: Interval) => addIntervalTz(timestamp, negateInterval(span), zone);
  },
  '#2549': (context) => {
    const zone = zoneByName(context.format.timeZone);
    return (span: Interval, timestamp: bigint) => addIntervalTz(timestamp, span, zone);
  },
  timestamptz_age: (context) => {
    const zone = zoneByName(context.format.timeZone);
    return (left: bigint, right: bigint) => timestampAge(toLocal(zone, left), toLocal(zone, right));
  },
  '#1386': (context) => {
    const zone = zoneByName(context.format.timeZone);
    const today = timestampFromParts(timestampToDate(toLocal(zone, context.transactionTimestamp)), 0);
    return (timestamp: bigint) => timestampAge(today, toLocal(zone, timestamp));
  },
  '#2059': (context) => {
    const zone = zoneByName(context.format.timeZone);
    const today = timestampFromParts(timestampToDate(toLocal(zone, context.transactionTimestamp)), 0);
    return (timestamp: bigint) => timestampAge(today, timestamp);
  },
  '#1305': (context) => {
    const end = zonedEnd(zoneByName(context.format.timeZone));
    return (a: Moment, b: Length, c: Moment, d: Length) =>
      overlaps(byOrder<bigint>)(a, end(a, b), c, end(c, d));
  },
  '#1306': (context) => {
    const end = zonedEnd(zoneByName(context.format.timeZone));
    return (a: Moment, b: Moment, c: Moment, d: Length) => overlaps(byOrder<bigint>)(a, b, c, end(c, d));
  },
  '#1307': (context) => {
    const end = zonedEnd(zoneByName(context.format.timeZone));
    return (a: Moment, b: Length, c: Moment, d: Moment) => overlaps(byOrder<bigint>)(a, end(a, b), c, d);
  },
  timestamptz_trunc: (context) => {
    const zone = zoneByName(context.format.timeZone);
    return (unit: string, timestamp: bigint) => truncateTimestampTz(unit, timestamp, zone);
  },
  timestamptz_trunc_zone: () => (unit: string, timestamp: bigint, zone: string) =>
    isFiniteTimestamp(timestamp) ? truncateTimestampTz(unit, timestamp, zoneArgument(zone)) : timestamp,
  extract_timestamptz: (context) => {
    const zone = zoneByName(context.format.timeZone);
    return (unit: string, timestamp: bigint) => extractTimestampTz(unit, timestamp, zone);
  },
  timestamptz_part: (context) => {
    const zone = zoneByName(context.format.timeZone);
    return (unit: string, timestamp: bigint) => toFloat(extractTimestampTz(unit, timestamp, zone));
  },
  date_timestamptz: (context) => {
    const zone = zoneByName(context.format.timeZone);
    return (date: number) => dateToTimestampTz(date, zone);
  },
  '#1176': (context) => {
    const zone = zoneByName(context.format.timeZone);
    return (date: number, time: number) => {
      const start = dateToTimestamp(date);
      return isFiniteTimestamp(start) ? checked(fromLocal(zone, start + BigInt(time))) : start;
    };
  },
  timestamp_timestamptz: (context) => {
    const zone = zoneByName(context.format.timeZone);
    return (timestamp: bigint) => checked(fromLocal(zone, timestamp));
  },
  timestamptz_timestamp: (context) => {
    const zone = zoneByName(context.format.timeZone);
    return (timestamp: bigint) => toLocal(zone, timestamp);
  },
  timestamptz_date: (context) => {
    const zone = zoneByName(context.format.timeZone);
    return (timestamp: bigint) => timestampToDate(toLocal(zone, timestamp));
  },
  timestamptz_time: (context) => {
    const zone = zoneByName(context.format.timeZone);
    return (timestamp: bigint) =>
      isFiniteTimestamp(timestamp) ? timestampTime(toLocal(zone, timestamp)) : null;
  },
  timestamptz_timetz: (context) => {
    const zone = zoneByName(context.format.timeZone);
    return (timestamp: bigint) =>
      isFiniteTimestamp(timestamp)
        ? new TimeTz(timestampTime(toLocal(zone, timestamp)), 0 - offsetAtTimestamp(zone, timestamp))
        : null;
  },
  time_timetz: (context) => {
    const zone = zoneByName(context.format.timeZone);
    const offset = offsetAtTimestamp(zone, context.transactionTimestamp);
    return (time: number) => new TimeTz(time, 0 - offset);
  },
  timetz_zone: (context) => (zoneName: string, value: TimeTz) => {
    const zone = zoneArgument(zoneName);
    return shiftZone(value, offsetAtTimestamp(zone, context.transactionTimestamp));
  },
  timetz_izone: (context) => (span: Interval, value: TimeTz) =>
    shiftZone(
      value,
      zoneInterval(span, () => context.typeSupport(1186).output(span, context.format)),
    ),
  timestamp_izone: (context) => (span: Interval, timestamp: bigint) => {
    if (!isFiniteTimestamp(timestamp)) return timestamp;
    return checked(
      timestamp -
        BigInt(zoneInterval(span, () => context.typeSupport(1186).output(span, context.format))) * 1_000_000n,
    );
  },
  timestamptz_izone: (context) => (span: Interval, timestamp: bigint) => {
    if (!isFiniteTimestamp(timestamp)) return timestamp;
    return checked(
      timestamp +
        BigInt(zoneInterval(span, () => context.typeSupport(1186).output(span, context.format))) * 1_000_000n,
    );
  },
  make_timestamptz: (context) => {
    const zone = zoneByName(context.format.timeZone);
    return (year: number, month: number, day: number, hour: number, minute: number, second: number) =>
      checked(fromLocal(zone, makeTimestamp(year, month, day, hour, minute, second)));
  },
  make_timestamptz_at_timezone:
    () =>
    (year: number, month: number, day: number, hour: number, minute: number, second: number, zone: string) =>
      checked(fromLocal(zoneArgument(zone), makeTimestamp(year, month, day, hour, minute, second))),
  in_range_timestamptz_interval: (context) => {
    const zone = zoneByName(context.format.timeZone);
    return rangeOver((base: bigint, offset: Interval) => addIntervalTz(base, offset, zone));
  },
});

/** The same instant's time of day in another offset. */
function shiftZone(value: TimeTz, offset: number): TimeTz {
  const moved = BigInt(value.microseconds) + BigInt(value.zoneSeconds + offset) * 1_000_000n;
  const wrapped = moved % MICROSECONDS_PER_DAY_BIG;
  return new TimeTz(Number(wrapped < 0n ? wrapped + BigInt(MICROSECONDS_PER_DAY) : wrapped), 0 - offset);
}

export const dateTimeFunctions: FunctionTable = { ...pureTable(pure), ...bound };
