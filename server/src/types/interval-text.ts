/**
 * Text of interval: PostgreSQL's verbose and short forms, the SQL standard's and ISO 8601's, input and output; typmods.
 *
 * Source  PostgreSQL 15 manual 8.5.4 and 8.5.5.
 */
import { DbError } from '../base/error.ts';
import type { FormatContext } from './contract.ts';
import { fraction } from './datetime-format.ts';
import { DateTimeFailure, roundHalfEven, withDateTimeErrors } from './datetime-parse.ts';
import { type DateTimeField, type IntervalUnit, splitDateTime, unitWord } from './datetime-tokens.ts';
import { Interval } from './interval.ts';

const INT4_MAX = 2147483647;
const INT8_MAX = 9223372036854775807n;
const SECOND = 1_000_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function fail(problem: 'format' | 'overflow' | 'interval'): never {
  throw new DateTimeFailure(problem);
}

/** Sums up fields; months and days must fit int4, microseconds int8. */
class IntervalBuilder {
  months = 0n;
  private years = 0n;
  days = 0n;
  microseconds = 0n;

  /** Adds value + fraction of a unit of `scale` microseconds. */
  addTime(value: bigint, fractional: number, scale: number): void {
    this.microseconds += value * BigInt(scale);
    this.addFractionalTime(fractional, scale);
  }

  addFractionalTime(fractional: number, scale: number): void {
    if (fractional === 0) return;
    const exact = fractional * scale;
    const whole = Math.trunc(exact);
    const rest = exact - whole;
    this.microseconds += BigInt(whole + (rest > 0.5 ? 1 : rest < -0.5 ? -1 : 0));
  }

  addFractionalDays(fractional: number, scale: number): void {
    if (fractional === 0) return;
    const exact = fractional * scale;
    const whole = Math.trunc(exact);
    this.days += BigInt(whole);
    this.addFractionalTime(exact - whole, DAY);
  }

  addFractionalYears(fractional: number, scale: number): void {
    this.months += BigInt(roundHalfEven(fractional * scale * 12));
  }

  add(unit: IntervalUnit, value: bigint, fractional: number): void {
    switch (unit) {
      case 'microsecond':
        this.addTime(value, fractional, 1);
        break;
      case 'millisecond':
        this.addTime(value, fractional, 1000);
        break;
      case 'second':
        this.addTime(value, fractional, SECOND);
        break;
      case 'minute':
        this.addTime(value, fractional, MINUTE);
        break;
      case 'hour':
        this.addTime(value, fractional, HOUR);
        break;
      case 'day':
        this.days += value;
        this.addFractionalTime(fractional, DAY);
        break;
      case 'week':
        this.days += value * 7n;
        this.addFractionalDays(fractional, 7);
        break;
      case 'month':
        if (value > BigInt(INT4_MAX) || value < -BigInt(INT4_MAX) - 1n) fail('interval');
        this.months += value;
        this.addFractionalDays(fractional, 30);
        break;
      case 'year':
        this.addYears(value * 1n);
        this.addFractionalYears(fractional, 1);
        break;
      case 'decade':
        this.addYears(value * 10n);
        this.addFractionalYears(fractional, 10);
        break;
      case 'century':
        this.addYears(value * 100n);
        this.addFractionalYears(fractional, 100);
        break;
      case 'millennium':
        this.addYears(value * 1000n);
        this.addFractionalYears(fractional, 1000);
        break;
      default:
        fail('format');
    }
  }

  /** The years alone must fit; whether they do as months shows at the end. */
  private addYears(years: bigint): void {
    this.years += years;
    if (this.years > BigInt(INT4_MAX) || this.years < -BigInt(INT4_MAX) - 1n) fail('interval');
    this.months += years * 12n;
  }

  negate(): void {
    this.months = -this.months;
    this.days = -this.days;
    this.microseconds = -this.microseconds;
  }

  finish(): Interval {
    const { months, days, microseconds } = this;
    const fits = (value: bigint): boolean => value <= BigInt(INT4_MAX) && value >= -BigInt(INT4_MAX) - 1n;
    if (!fits(months)) throw intervalOutOfRange();
    if (!fits(days) || microseconds > INT8_MAX || microseconds < -INT8_MAX - 1n) fail('interval');
    return new Interval(Number(months), Number(days), microseconds);
  }
}

// Bits of interval typmod ranges (PostgreSQL's datetime field numbers).
const MONTH_BIT = 1 << 1;
const YEAR_BIT = 1 << 2;
const DAY_BIT = 1 << 3;
const HOUR_BIT = 1 << 10;
const MINUTE_BIT = 1 << 11;
const SECOND_BIT = 1 << 12;
export const INTERVAL_FULL_RANGE = 0x7fff;
export const INTERVAL_FULL_PRECISION = 0xffff;
export const INTERVAL_BITS = {
  month: MONTH_BIT,
  year: YEAR_BIT,
  day: DAY_BIT,
  hour: HOUR_BIT,
  minute: MINUTE_BIT,
  second: SECOND_BIT,
} as const;

/** The rightmost unit of a typmod's range, used for a number without a unit. */
function unitOfRange(range: number): IntervalUnit {
  if (range === INTERVAL_FULL_RANGE || (range & SECOND_BIT) !== 0) return 'second';
  if ((range & MINUTE_BIT) !== 0) return 'minute';
  if ((range & HOUR_BIT) !== 0) return 'hour';
  if ((range & DAY_BIT) !== 0) return 'day';
  if ((range & MONTH_BIT) !== 0) return 'month';
  if ((range & YEAR_BIT) !== 0) return 'year';
  return 'second';
}

/** "hh:mm[:ss[.ffffff]]" in microseconds; with two parts and MINUTE TO SECOND they are mm:ss. */
function decodeClock(text: string, range: number): bigint | null {
  const match = /^(\d+):(\d*)(?::(\d*))?(\.\d*)?$/.exec(text);
  if (match === null) return null;
  let hours = BigInt(match[1]!);
  let minutes = Number(match[2]!);
  let seconds = Number(match[3] ?? 0);
  const microseconds =
    match[4] === undefined || match[4] === '.' ? 0 : roundHalfEven(Number(`0${match[4]}`) * SECOND);
  if (match[3] === undefined && (match[4] !== undefined || range === (MINUTE_BIT | SECOND_BIT))) {
    seconds = minutes;
    minutes = Number(hours);
    hours = 0n;
  }
  if (minutes > 59 || seconds > 60) fail('overflow');
  const total = hours * BigInt(HOUR) + BigInt(minutes * MINUTE + seconds * SECOND + microseconds);
  if (total > INT8_MAX) fail('overflow');
  return total;
}

function decodeFields(
  fields: readonly DateTimeField[],
  range: number,
  style: FormatContext['intervalStyle'],
): Interval {
  const builder = new IntervalBuilder();
  let unit: IntervalUnit | null = null;
  let isAgo = false;
  let seen = new Set<string>();
  // In the SQL standard's style a leading minus applies to all fields, when no other sign is written.
  const forceNegative =
    style === 'sql_standard' &&
    fields.length > 0 &&
    fields[0]!.text[0] === '-' &&
    !fields.slice(1).some((field) => field.text[0] === '-' || field.text[0] === '+');
  const mark = (...names: string[]): void => {
    for (const name of names) {
      if (seen.has(name)) fail('format');
    }
    seen = new Set([...seen, ...names]);
  };
  for (let index = fields.length - 1; index >= 0; index--) {
    const { kind, text } = fields[index]!;
    switch (kind) {
      case 'time':
      case 'zone':
        if (kind === 'time' || text.includes(':')) {
          const signed = kind === 'zone';
          const value = decodeClock(signed ? text.slice(1) : text, range);
          if (value !== null) {
            mark('hour', 'minute', 'second');
            builder.microseconds += text[0] === '-' || forceNegative ? -value : value;
            unit = 'day';
            break;
          }
          if (kind === 'time') fail('format');
        }
        unit = decodeQuantity(text, unit ?? unitOfRange(range), forceNegative, builder, mark);
        break;
      case 'date':
      case 'number':
        if (unit === null && index === fields.length - 1 && isHoursAfterDays(fields, index, range))
          unit = 'hour';
        unit = decodeQuantity(text, unit ?? unitOfRange(range), forceNegative, builder, mark);
        // `1 2` with DAY TO HOUR: the number before the hours counts days.
        if (unit === 'hour' && index > 0 && isHoursAfterDays(fields, index, range)) unit = 'day';
        break;
      default: {
        const word = unitWord(text);
        if (word === null) fail('format');
        if (word === 'ago') {
          if (text === '@') break;
          isAgo = true;
          unit = 'second';
          break;
        }
        if (!UNITS.has(word)) fail('format');
        unit = word as IntervalUnit;
      }
    }
  }
  if (seen.size === 0) fail('format');
  if (isAgo) builder.negate();
  return builder.finish();
}

/** Two plain numbers under DAY TO HOUR are days and hours. */
function isHoursAfterDays(fields: readonly DateTimeField[], index: number, range: number): boolean {
  return (
    range === (DAY_BIT | HOUR_BIT) && fields.length === 2 && index === 1 && /^[+-]?\d+$/.test(fields[0]!.text)
  );
}

const UNITS = new Set<string>([
  'microsecond',
  'millisecond',
  'second',
  'minute',
  'hour',
  'day',
  'week',
  'month',
  'year',
  'decade',
  'century',
  'millennium',
]);

function decodeQuantity(
  text: string,
  unit: IntervalUnit,
  forceNegative: boolean,
  builder: IntervalBuilder,
  mark: (...names: string[]) => void,
): IntervalUnit {
  const match = /^([+-]?)(\d*)(?:(\.\d*)|-(\d+))?$/.exec(text);
  if (match === null || (match[2] === '' && match[3] === undefined)) fail('format');
  const negative = match[1] === '-' || (forceNegative && match[1] === '');
  let value = BigInt(match[2] === '' ? '0' : match[2]!);
  if (value > INT8_MAX + (negative ? 1n : 0n)) fail('overflow');
  let fractional = 0;
  if (match[4] !== undefined) {
    // years-months
    const months = Number(match[4]);
    if (months >= 12) fail('overflow');
    value = value * 12n + BigInt(months);
    unit = 'month';
  } else if (match[3] !== undefined && match[3] !== '.') fractional = Number(`0${match[3]}`);
  if (negative) {
    value = -value;
    fractional = -fractional;
  }
  if (unit === 'second' && fractional !== 0) mark('second', 'millisecond', 'microsecond');
  else mark(unit);
  builder.add(unit, value, fractional);
  return unit;
}

/** ISO 8601: P1Y2M3W4DT5H6M7.8S and P0001-02-03T04:05:06. Null when the text is not of that form. */
function decodeIso8601(text: string): Interval | null {
  if (text.length < 2 || text[0] !== 'P') return null;
  const builder = new IntervalBuilder();
  let isDatePart = true;
  let hasField = false;
  let rest = text.slice(1);
  while (rest !== '') {
    if (rest[0] === 'T') {
      isDatePart = false;
      hasField = false;
      rest = rest.slice(1);
      continue;
    }
    const match = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d+)?/.exec(rest);
    if (match === null) return null;
    rest = rest.slice(match[0].length);
    const point = match[2]!.indexOf('.');
    const integer = point < 0 ? match[2]! : match[2]!.slice(0, point);
    let value = BigInt(integer === '' ? '0' : integer);
    let fractional = point < 0 ? 0 : Number(`0${match[2]!.slice(point)}`);
    if (match[3] !== undefined) {
      const number = Number(match[2]! + match[3]);
      if (!(Math.abs(number) <= Number(INT8_MAX))) fail('interval');
      value = BigInt(Math.trunc(number));
      fractional = number - Math.trunc(number);
    }
    if (match[1] === '-') {
      value = -value;
      fractional = -fractional;
    }
    const designator = rest[0] ?? '';
    if (isDatePart) {
      const units: Record<string, IntervalUnit> = { Y: 'year', M: 'month', W: 'week', D: 'day' };
      if (Object.hasOwn(units, designator)) {
        builder.add(units[designator]!, value, fractional);
        rest = rest.slice(1);
      } else if (designator === '-' && !hasField) {
        const extended = /^-(\d+)(?:-(\d+))?(?=T|$)/.exec(rest);
        if (extended === null) return null;
        builder.add('year', value, fractional);
        builder.add('month', BigInt(extended[1]!), 0);
        if (extended[2] !== undefined) builder.add('day', BigInt(extended[2]), 0);
        rest = rest.slice(extended[0].length);
      } else if ((designator === '' || designator === 'T') && !hasField && integer.length === 8) {
        // basic form yyyymmdd
        builder.add('year', BigInt(integer.slice(0, 4)), 0);
        builder.add('month', BigInt(integer.slice(4, 6)), 0);
        builder.add('day', BigInt(integer.slice(6, 8)), 0);
      } else if ((designator === '' || designator === 'T') && !hasField)
        builder.add('year', value, fractional);
      else return null;
    } else {
      const units: Record<string, IntervalUnit> = { H: 'hour', M: 'minute', S: 'second' };
      if (Object.hasOwn(units, designator)) {
        builder.add(units[designator]!, value, fractional);
        rest = rest.slice(1);
      } else if (designator === ':' && !hasField) {
        const extended = /^:(\d+)(?::(\d+(?:\.\d*)?))?$/.exec(rest);
        if (extended === null) return null;
        builder.add('hour', value, fractional);
        builder.add('minute', BigInt(extended[1]!), 0);
        if (extended[2] !== undefined) {
          const seconds = Number(extended[2]);
          builder.addTime(BigInt(Math.trunc(seconds)), seconds - Math.trunc(seconds), SECOND);
        }
        rest = '';
      } else if (designator === '' && !hasField && integer.length === 6) {
        builder.add('hour', BigInt(integer.slice(0, 2)), 0);
        builder.add('minute', BigInt(integer.slice(2, 4)), 0);
        builder.add('second', BigInt(integer.slice(4, 6)), fractional);
      } else if (designator === '' && !hasField) builder.add('hour', value, fractional);
      else return null;
    }
    hasField = true;
  }
  return builder.finish();
}

/** Range bits and precision of an interval typmod; full when none. */
export function intervalTypmod(typmod: number): { range: number; precision: number } {
  if (typmod < 0) return { range: INTERVAL_FULL_RANGE, precision: INTERVAL_FULL_PRECISION };
  return { range: (typmod >> 16) & 0x7fff, precision: typmod & 0xffff };
}

export function parseInterval(text: string, typmod: number, context: FormatContext): Interval {
  const { range } = intervalTypmod(typmod);
  const value = withDateTimeErrors(text, 'interval', () => {
    const fields = splitDateTime(text);
    if (fields !== null) {
      try {
        return decodeFields(fields, range, context.intervalStyle);
      } catch (error) {
        if (!(error instanceof DateTimeFailure)) throw error;
        if (error.problem === 'overflow') fail('interval');
        if (error.problem !== 'format') throw error;
      }
    }
    const iso = decodeIso8601(text);
    if (iso === null) return fail('format');
    return iso;
  });
  return applyIntervalTypmod(value, typmod);
}

/** Drops what lies outside of a typmod's fields and rounds to its precision. */
export function applyIntervalTypmod(value: Interval, typmod: number): Interval {
  if (typmod < 0) return value;
  const { range, precision } = intervalTypmod(typmod);
  let { months, days, microseconds } = value;
  const cut = (unit: number): bigint => (microseconds / BigInt(unit)) * BigInt(unit);
  if (range !== INTERVAL_FULL_RANGE) {
    if ((range & (SECOND_BIT | MINUTE_BIT | HOUR_BIT | DAY_BIT)) === 0) {
      if ((range & MONTH_BIT) === 0) months = Math.trunc(months / 12) * 12;
      days = 0;
      microseconds = 0n;
    } else if ((range & SECOND_BIT) !== 0) {
      // all down to seconds
    } else if ((range & MINUTE_BIT) !== 0) microseconds = cut(MINUTE);
    else if ((range & HOUR_BIT) !== 0) microseconds = cut(HOUR);
    else microseconds = 0n;
  }
  if (precision < 6) {
    const unit = 10n ** BigInt(6 - precision);
    const half = unit / 2n;
    microseconds = ((microseconds + (microseconds >= 0n ? half : -half)) / unit) * unit;
  }
  return new Interval(months, days, microseconds);
}

export function intervalOutOfRange(): DbError {
  return new DbError('datetime_value_out_of_range', 'interval out of range');
}

interface IntervalParts {
  year: number;
  month: number;
  day: number;
  /** May exceed 2^31, never 2^53. */
  hour: number;
  minute: number;
  second: number;
  microsecond: number;
}

/** Fields with C's truncation: all parts of the time carry its sign. */
export function intervalParts(value: Interval): IntervalParts {
  const year = Math.trunc(value.months / 12) + 0;
  let rest = value.microseconds;
  const hour = Number(rest / BigInt(HOUR));
  rest -= BigInt(hour) * BigInt(HOUR);
  let small = Number(rest);
  const minute = Math.trunc(small / MINUTE) + 0;
  small -= minute * MINUTE;
  const second = Math.trunc(small / SECOND) + 0;
  return {
    year,
    month: value.months - year * 12,
    day: value.days,
    hour,
    minute,
    second,
    microsecond: small - second * SECOND,
  };
}

const pad2 = (value: number): string => value.toString().padStart(2, '0');

export function formatInterval(value: Interval, style: FormatContext['intervalStyle']): string {
  const parts = intervalParts(value);
  switch (style) {
    case 'postgres':
      return formatPostgres(parts);
    case 'postgres_verbose':
      return formatVerbose(parts);
    case 'sql_standard':
      return formatSqlStandard(parts);
    case 'iso_8601':
      return formatIso(parts);
  }
}

function clockText(parts: IntervalParts, digits: number): string {
  return `${Math.abs(parts.hour).toString().padStart(digits, '0')}:${pad2(Math.abs(parts.minute))}:${pad2(Math.abs(parts.second))}${fraction(Math.abs(parts.microsecond))}`;
}

function formatPostgres(parts: IntervalParts): string {
  let text = '';
  let isBefore = false;
  const add = (value: number, unit: string): void => {
    if (value === 0) return;
    text += `${text === '' ? '' : ' '}${isBefore && value > 0 ? '+' : ''}${value} ${unit}${value === 1 ? '' : 's'}`;
    isBefore = value < 0;
  };
  add(parts.year, 'year');
  add(parts.month, 'mon');
  add(parts.day, 'day');
  const { hour, minute, second, microsecond } = parts;
  if (text === '' || hour !== 0 || minute !== 0 || second !== 0 || microsecond !== 0) {
    const minus = hour < 0 || minute < 0 || second < 0 || microsecond < 0;
    text += `${text === '' ? '' : ' '}${minus ? '-' : isBefore ? '+' : ''}${clockText(parts, 2)}`;
  }
  return text;
}

function formatVerbose(parts: IntervalParts): string {
  let text = '@';
  let isZero = true;
  let isBefore = false;
  const add = (value: number, unit: string): void => {
    if (value === 0) return;
    if (isZero) {
      isBefore = value < 0;
      value = Math.abs(value);
    } else if (isBefore) value = -value;
    text += ` ${value} ${unit}${value === 1 ? '' : 's'}`;
    isZero = false;
  };
  add(parts.year, 'year');
  add(parts.month, 'mon');
  add(parts.day, 'day');
  add(parts.hour, 'hour');
  add(parts.minute, 'min');
  let { second, microsecond } = parts;
  if (second !== 0 || microsecond !== 0) {
    let sign = '';
    if (second < 0 || (second === 0 && microsecond < 0)) {
      if (isZero) isBefore = true;
      else if (!isBefore) sign = '-';
    } else if (isBefore) sign = '-';
    second = Math.abs(second);
    microsecond = Math.abs(microsecond);
    text += ` ${sign}${second}${fraction(microsecond)} sec${second !== 1 || microsecond !== 0 ? 's' : ''}`;
    isZero = false;
  }
  if (isZero) text += ' 0';
  return isBefore ? `${text} ago` : text;
}

function formatSqlStandard(parts: IntervalParts): string {
  const { year, month, day, hour, minute, second, microsecond } = parts;
  const values = [year, month, day, hour, minute, second, microsecond];
  const hasNegative = values.some((value) => value < 0);
  const hasPositive = values.some((value) => value > 0);
  const hasYearMonth = year !== 0 || month !== 0;
  const hasTime = hour !== 0 || minute !== 0 || second !== 0 || microsecond !== 0;
  const hasDayTime = day !== 0 || hasTime;
  if (!hasNegative && !hasPositive) return '0';
  const isStandard = !(hasNegative && hasPositive) && !(hasYearMonth && hasDayTime);
  if (!isStandard) {
    const timeSign = hour < 0 || minute < 0 || second < 0 || microsecond < 0 ? '-' : '+';
    return `${year < 0 || month < 0 ? '-' : '+'}${Math.abs(year)}-${Math.abs(month)} ${day < 0 ? '-' : '+'}${Math.abs(day)} ${timeSign}${clockText(parts, 1)}`;
  }
  const sign = hasNegative ? '-' : '';
  if (hasYearMonth) return `${sign}${Math.abs(year)}-${Math.abs(month)}`;
  if (day !== 0) return `${sign}${Math.abs(day)} ${clockText(parts, 1)}`;
  return `${sign}${clockText(parts, 1)}`;
}

function formatIso(parts: IntervalParts): string {
  const { year, month, day, hour, minute, second, microsecond } = parts;
  let text = 'P';
  if (year !== 0) text += `${year}Y`;
  if (month !== 0) text += `${month}M`;
  if (day !== 0) text += `${day}D`;
  if (hour !== 0 || minute !== 0 || second !== 0 || microsecond !== 0) text += 'T';
  if (hour !== 0) text += `${hour}H`;
  if (minute !== 0) text += `${minute}M`;
  if (second !== 0 || microsecond !== 0) {
    text += `${second < 0 || microsecond < 0 ? '-' : ''}${Math.abs(second)}${fraction(Math.abs(microsecond))}S`;
  }
  return text === 'P' ? 'PT0S' : text;
}
