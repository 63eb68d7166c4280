/**
 * Reads dates, times and timestamps as PostgreSQL does: fields in nearly any order, with a mask of what has been seen, so that a
 * second day or an orphaned unit is refused.
 *
 * Source  PostgreSQL 15 manual 8.5.1 and appendix B; behaviour checked against the server.
 */
import { DbError } from '../base/error.ts';
import {
  type CivilTime,
  civilFromTimestamp,
  DATE_INFINITY,
  DATE_NEGATIVE_INFINITY,
  dateFromCivil,
  daysInMonth,
  END_DATE,
  END_TIMESTAMP,
  EPOCH_DIFFERENCE_SECONDS,
  fromJulianDay,
  julianDay,
  MICROSECONDS_PER_DAY,
  MICROSECONDS_PER_SECOND,
  MIN_DATE,
  MIN_TIMESTAMP,
  TIMESTAMP_INFINITY,
  TIMESTAMP_NEGATIVE_INFINITY,
  timeFromParts,
  timestampFromCivil,
  timestampFromParts,
} from './calendar.ts';
import type { FormatContext } from './contract.ts';
import { type DateTimeField, dateWord, splitDateTime } from './datetime-tokens.ts';
import { TimeTz } from './interval.ts';
import { abbreviationOffset, findZone, offsetForLocal, type TimeZone, toLocal, zoneByName } from './zone.ts';

export type DateTimeProblem = 'format' | 'overflow' | 'month-day' | 'interval' | 'displacement';

/** Thrown inside the parser; {@link dateTimeError} makes it PostgreSQL's error. */
export class DateTimeFailure {
  readonly problem: DateTimeProblem;
  constructor(problem: DateTimeProblem) {
    this.problem = problem;
  }
}

export function dateTimeError(problem: DateTimeProblem, text: string, type: string): DbError {
  switch (problem) {
    case 'format':
      return new DbError('invalid_datetime_format', `invalid input syntax for type ${type}: "${text}"`);
    case 'overflow':
      return new DbError('datetime_field_overflow', `date/time field value out of range: "${text}"`);
    case 'month-day':
      return new DbError('datetime_field_overflow', `date/time field value out of range: "${text}"`, {
        hint: 'Perhaps you need a different "datestyle" setting.',
      });
    case 'interval':
      return new DbError('interval_field_overflow', `interval field value out of range: "${text}"`);
    case 'displacement':
      return new DbError(
        'invalid_time_zone_displacement_value',
        `time zone displacement out of range: "${text}"`,
      );
  }
}

function fail(problem: DateTimeProblem): never {
  throw new DateTimeFailure(problem);
}

/** Runs a parse, turning failures into PostgreSQL's errors. */
export function withDateTimeErrors<Result>(text: string, type: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (error instanceof DateTimeFailure) throw dateTimeError(error.problem, text, type);
    throw error;
  }
}

// Bits of the field mask.
const YEAR = 1;
const MONTH = 2;
const DAY = 4;
const HOUR = 8;
const MINUTE = 16;
const SECOND = 32;
const ZONE = 64;
const DAYLIGHT = 128;
const DAY_OF_YEAR = 256;
const WEEKDAY = 512;
const AMPM = 1024;
const ERA = 2048;
const DATE = YEAR | MONTH | DAY;
const TIME = HOUR | MINUTE | SECOND;

interface Decoded extends CivilTime {
  dayOfYear: number;
  /** Seconds east of UTC, when given or determined. */
  offset: number;
}

type Outcome = 'datetime' | 'early' | 'late' | 'epoch';

const MAX_INT = 2147483647;

/** Digits at `at`: C's strtol for non-negative text, refusing more than int4. */
function wholeNumber(text: string): number {
  const value = Number(text);
  if (value > MAX_INT) fail('overflow');
  return value;
}

/** Microseconds of a fraction ".ddd". */
function fractionMicroseconds(text: string): number {
  if (text === '.') return 0;
  if (!/^\.\d+$/.test(text)) fail('format');
  return roundHalfEven(Number(`0${text}`) * MICROSECONDS_PER_SECOND);
}

/** C's rint. */
export function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** Offset in seconds east from "+hh", "+hhmm", "+hh:mm[:ss]". */
export function decodeZoneOffset(text: string): number {
  const match = /^[+-](\d+)(?::(\d*)(?::(\d*))?)?(.*)$/s.exec(text);
  if (match === null) fail('format');
  let hours = Number(match[1]);
  let minutes = Number(match[2] ?? 0);
  const seconds = Number(match[3] ?? 0);
  if (match[2] === undefined && match[4] === '' && text.length > 3) {
    minutes = hours % 100;
    hours = Math.floor(hours / 100);
  }
  if (hours > 15 || minutes > 59 || seconds > 59) fail('displacement');
  if (match[4] !== '') fail('format');
  const total = (hours * 60 + minutes) * 60 + seconds;
  return text[0] === '-' ? 0 - total : total;
}

class Decoder {
  readonly fields: readonly DateTimeField[];
  readonly context: FormatContext;
  readonly isTimeOnly: boolean;
  readonly time: Decoded = {
    year: 0,
    month: 0,
    day: 0,
    hour: 0,
    minute: 0,
    second: 0,
    microsecond: 0,
    dayOfYear: 0,
    offset: 0,
  };
  seen = 0;
  outcome: Outcome = 'datetime';
  private mask = 0;
  private hasTextMonth = false;
  private isTwoDigitYear = false;
  private isJulian = false;
  private isBeforeChrist = false;
  private meridiem: 'am' | 'pm' | null = null;
  private namedZone: TimeZone | null = null;
  /** Unit prefix waiting for its number ("y2001", "t0405"). */
  private prefix: string | null = null;
  private zoneLocal: TimeZone | null = null;

  constructor(fields: readonly DateTimeField[], context: FormatContext, isTimeOnly: boolean) {
    this.fields = fields;
    this.context = context;
    this.isTimeOnly = isTimeOnly;
  }

  /** The session's zone, looked up only when needed. */
  get sessionZone(): TimeZone {
    return (this.zoneLocal ??= zoneByName(this.context.timeZone));
  }

  run(): void {
    if (this.fields.length === 0) fail('format');
    for (let index = 0; index < this.fields.length; index++) {
      const field = this.fields[index]!;
      this.mask = 0;
      switch (field.kind) {
        case 'date':
          this.dateField(field.text, index);
          break;
        case 'time':
          if (this.prefix !== null) {
            if (this.prefix !== 'time') fail('format');
            this.prefix = null;
          }
          this.timeField(field.text);
          break;
        case 'zone':
          this.time.offset = decodeZoneOffset(field.text);
          this.mask = ZONE;
          break;
        case 'number':
          this.numberField(field.text);
          break;
        default:
          this.wordField(field.text);
      }
      if ((this.mask & this.seen) !== 0) fail('format');
      this.seen |= this.mask;
    }
    if (this.prefix !== null) fail('format');
    if (this.outcome !== 'datetime') return;
    this.finish();
  }

  private finish(): void {
    const { time } = this;
    if ((this.seen & (DATE | DAY_OF_YEAR)) !== 0 || !this.isTimeOnly) this.validateDate();
    if (this.meridiem !== null) {
      if (time.hour > 12) fail('overflow');
      if (this.meridiem === 'am' && time.hour === 12) time.hour = 0;
      else if (this.meridiem === 'pm' && time.hour !== 12) time.hour += 12;
    }
    if (this.isTimeOnly) {
      this.checkTime();
      if ((this.seen & TIME) !== TIME) fail('format');
    } else if ((this.seen & DATE) !== DATE) fail('format');
    if (this.namedZone !== null) {
      if ((this.seen & DAYLIGHT) !== 0) fail('format');
      if (this.isTimeOnly && this.namedZone.fixedOffset === null && (this.seen & DATE) !== DATE)
        fail('format');
      time.offset = this.localOffset(this.namedZone);
    } else if ((this.seen & ZONE) === 0) {
      if ((this.seen & DAYLIGHT) !== 0) fail('format');
      if (this.isTimeOnly && (this.seen & DATE) !== DATE) {
        const now = civilFromTimestamp(toLocal(this.sessionZone, this.context.transactionTimestamp));
        const { hour, minute, second } = time;
        time.offset =
          this.sessionZone.fixedOffset ??
          offsetForLocal(this.sessionZone, localSeconds({ ...now, hour, minute, second }));
      } else if (time.year > -4800 && time.year < 400000) time.offset = this.localOffset(this.sessionZone);
    }
  }

  private localOffset(zone: TimeZone): number {
    return zone.fixedOffset ?? offsetForLocal(zone, localSeconds(this.time));
  }

  private checkTime(): void {
    const { hour, minute, second, microsecond } = this.time;
    if (
      hour > 24 ||
      minute > 59 ||
      second > 60 ||
      timeFromParts(hour, minute, second, microsecond) > MICROSECONDS_PER_DAY
    ) {
      fail('overflow');
    }
  }

  private validateDate(): void {
    const { time, seen } = this;
    if ((seen & YEAR) !== 0 && !this.isJulian) {
      if (this.isBeforeChrist) {
        if (time.year <= 0) fail('overflow');
        time.year = 1 - time.year;
      } else if (this.isTwoDigitYear) time.year += time.year < 70 ? 2000 : time.year < 100 ? 1900 : 0;
      else if (time.year <= 0) fail('overflow');
    }
    if ((seen & DAY_OF_YEAR) !== 0)
      Object.assign(time, fromJulianDay(julianDay(time.year, 1, 1) + time.dayOfYear - 1));
    if ((seen & MONTH) !== 0 && (time.month < 1 || time.month > 12)) fail('month-day');
    if ((seen & DAY) !== 0 && (time.day < 1 || time.day > 31)) fail('month-day');
    if ((seen & DATE) === DATE && time.day > daysInMonth(time.year, time.month)) fail('overflow');
  }

  private dateField(text: string, index: number): void {
    const digitFirst = text.charCodeAt(0) <= 57;
    if (this.prefix === 'julian') {
      const match = /^(\d+)([+-].*)$/.exec(text);
      if (match === null) fail('format');
      Object.assign(this.time, fromJulianDay(wholeNumber(match[1]!)));
      this.isJulian = true;
      this.time.offset = decodeZoneOffset(match[2]!);
      this.mask = DATE | TIME | ZONE;
      this.prefix = null;
      return;
    }
    const timeOnlyDate =
      this.isTimeOnly &&
      !(
        index === 0 &&
        this.fields.length >= 2 &&
        (this.fields.at(-1)!.kind === 'date' || this.fields[1]!.kind === 'time')
      );
    if (this.prefix !== null || (this.seen & (MONTH | DAY)) === (MONTH | DAY) || timeOnlyDate) {
      if (digitFirst || this.prefix !== null) {
        if (this.prefix !== null && this.prefix !== 'time') fail('format');
        this.prefix = null;
        if ((this.seen & TIME) === TIME) fail('format');
        const dash = text.indexOf('-');
        if (dash < 0) fail('format');
        this.time.offset = decodeZoneOffset(text.slice(dash));
        this.concatenated(text.slice(0, dash), this.isTimeOnly ? this.seen | DATE : this.seen);
        this.mask |= ZONE;
      } else {
        this.namedZone = findZone(text);
        if (this.namedZone === null)
          throw new DbError('invalid_parameter_value', `time zone "${text}" not recognized`);
        this.mask = ZONE;
      }
      return;
    }
    this.decodeDate(text);
  }

  private decodeDate(text: string): void {
    const parts = text.match(/\d+|[a-z]+/g);
    if (parts === null || !/[a-z\d]$/.test(text)) fail('format');
    let seen = this.seen;
    let total = 0;
    const take = (mask: number): void => {
      if ((seen & mask) !== 0) fail('format');
      seen |= mask;
      total |= mask;
    };
    let hasTextMonth = false;
    const numbers: string[] = [];
    for (const part of parts) {
      if (part.charCodeAt(0) <= 57) {
        numbers.push(part);
        continue;
      }
      const word = dateWord(part);
      if (word?.type === 'ignore') continue;
      if (word?.type !== 'month') fail('format');
      this.time.month = word.value as number;
      hasTextMonth = true;
      take(MONTH);
    }
    for (const part of numbers) take(this.decodeNumber(part, hasTextMonth, seen));
    if ((seen & DATE) !== DATE || (seen & ~(DATE | DAY_OF_YEAR | ZONE)) !== 0) fail('format');
    this.mask = total;
  }

  private timeField(text: string): void {
    const match = /^(\d+):(\d*)(?::(\d*))?(\.\d*)?$/.exec(text);
    if (match === null) fail('format');
    const { time } = this;
    this.mask = TIME;
    time.hour = wholeNumber(match[1]!);
    time.minute = wholeNumber(match[2]!);
    time.second = wholeNumber(match[3] ?? '0');
    time.microsecond = match[4] === undefined ? 0 : fractionMicroseconds(match[4]);
    if (match[3] === undefined && match[4] !== undefined) {
      time.second = time.minute;
      time.minute = time.hour;
      time.hour = 0;
    }
    if (time.minute > 59 || time.second > 60) fail('overflow');
    this.checkTime();
  }

  private numberField(text: string): void {
    if (this.prefix !== null) {
      this.prefixedNumber(text, this.prefix);
      this.prefix = null;
      return;
    }
    const point = text.indexOf('.');
    const seen = this.isTimeOnly ? this.seen | DATE : this.seen;
    if (point >= 0 && (this.seen & DATE) === 0 && !this.isTimeOnly) this.decodeDate(text);
    else if (point > 2) this.concatenated(text, seen);
    else if (
      this.isTimeOnly ? text.length > 4 : text.length >= 6 && ((seen & DATE) === 0 || (seen & TIME) === 0)
    ) {
      this.concatenated(text, seen);
    } else this.mask = this.decodeNumber(text, this.hasTextMonth, seen);
  }

  private prefixedNumber(text: string, prefix: string): void {
    const { time } = this;
    const point = text.indexOf('.');
    if (point >= 0 && prefix !== 'julian' && prefix !== 'time' && prefix !== 'second') fail('format');
    const value = prefix === 'time' ? 0 : wholeNumber(point >= 0 ? text.slice(0, point) : text);
    switch (prefix) {
      case 'year':
        time.year = value;
        this.mask = YEAR;
        break;
      case 'month':
        if ((this.seen & MONTH) !== 0 && (this.seen & HOUR) !== 0) {
          time.minute = value;
          this.mask = MINUTE;
        } else {
          time.month = value;
          this.mask = MONTH;
        }
        break;
      case 'day':
        time.day = value;
        this.mask = DAY;
        break;
      case 'hour':
        time.hour = value;
        this.mask = HOUR;
        break;
      case 'minute':
        time.minute = value;
        this.mask = MINUTE;
        break;
      case 'second':
        time.second = value;
        this.mask = SECOND;
        if (point >= 0) time.microsecond = fractionMicroseconds(text.slice(point));
        break;
      case 'julian':
        Object.assign(time, fromJulianDay(value));
        this.isJulian = true;
        this.mask = DATE;
        if (point >= 0) {
          let rest = Math.round(Number(`0${text.slice(point)}`) * MICROSECONDS_PER_DAY);
          time.microsecond = rest % MICROSECONDS_PER_SECOND;
          rest = Math.floor(rest / MICROSECONDS_PER_SECOND);
          time.second = rest % 60;
          time.minute = Math.floor(rest / 60) % 60;
          time.hour = Math.floor(rest / 3600);
          this.mask |= TIME;
        }
        break;
      case 'time':
        this.concatenated(text, this.seen | DATE);
        if (this.mask !== TIME) fail('format');
        break;
      default:
        fail('format');
    }
  }

  /** A plain number: day, month or year by what is known and by DateStyle. */
  private decodeNumber(text: string, hasTextMonth: boolean, seen: number): number {
    const { time } = this;
    const point = text.indexOf('.');
    if (point >= 0) {
      if (point > 2) {
        this.concatenated(text, seen | DATE);
        return this.mask;
      }
      if (point === 0) fail('format');
      time.microsecond = fractionMicroseconds(text.slice(point));
    }
    const value = wholeNumber(point >= 0 ? text.slice(0, point) : text);
    const length = text.length;
    if (length === 3 && (seen & DATE) === YEAR && value >= 1 && value <= 366) {
      time.dayOfYear = value;
      return DAY_OF_YEAR | MONTH | DAY;
    }
    const order = this.context.dateOrder;
    let mask: number;
    switch (seen & DATE) {
      case 0:
        mask = length >= 3 || order === 'YMD' ? YEAR : order === 'DMY' ? DAY : MONTH;
        break;
      case YEAR:
        mask = MONTH;
        break;
      case MONTH:
        mask = hasTextMonth && (length >= 3 || order === 'YMD') ? YEAR : DAY;
        break;
      case YEAR | MONTH:
        if (hasTextMonth && length >= 3 && this.isTwoDigitYear) {
          time.day = time.year;
          time.year = value;
          this.isTwoDigitYear = false;
          return DAY;
        }
        mask = DAY;
        break;
      case DAY:
        mask = MONTH;
        break;
      case MONTH | DAY:
        mask = YEAR;
        break;
      case DATE:
        this.concatenated(text, seen);
        return this.mask;
      default:
        return fail('format');
    }
    if (mask === YEAR) {
      time.year = value;
      this.isTwoDigitYear = length <= 2;
    } else if (mask === MONTH) time.month = value;
    else time.day = value;
    return mask;
  }

  /** Run-together digits: yymmdd, yyyymmdd, hhmmss, hhmm. */
  private concatenated(text: string, seen: number): void {
    const { time } = this;
    let digits = text;
    const point = text.indexOf('.');
    if (point >= 0) {
      time.microsecond = fractionMicroseconds(text.slice(point));
      digits = text.slice(0, point);
    } else if ((seen & DATE) !== DATE && digits.length >= 6) {
      time.day = Number(digits.slice(-2));
      time.month = Number(digits.slice(-4, -2));
      time.year = wholeNumber(digits.slice(0, -4));
      if (digits.length === 6) this.isTwoDigitYear = true;
      this.mask = DATE;
      return;
    }
    if ((seen & TIME) !== TIME && (digits.length === 6 || digits.length === 4)) {
      time.hour = Number(digits.slice(0, 2));
      time.minute = Number(digits.slice(2, 4));
      time.second = Number(digits.slice(4, 6));
      this.mask = TIME;
      return;
    }
    fail('format');
  }

  private wordField(text: string): void {
    const { time } = this;
    const zone = abbreviationOffset(text);
    if (zone !== null) {
      this.mask = ZONE;
      time.offset = zone.offset;
      return;
    }
    const word = dateWord(text);
    if (word === null) {
      this.namedZone = findZone(text);
      if (this.namedZone === null) fail('format');
      this.mask = ZONE;
      return;
    }
    switch (word.type) {
      case 'ignore':
        return;
      case 'reserved':
        this.reservedWord(word.value as string);
        return;
      case 'month':
        if (
          (this.seen & MONTH) !== 0 &&
          !this.hasTextMonth &&
          (this.seen & DAY) === 0 &&
          time.month >= 1 &&
          time.month <= 31
        ) {
          time.day = time.month;
          this.mask = DAY;
        } else this.mask = MONTH;
        this.hasTextMonth = true;
        time.month = word.value as number;
        return;
      case 'daylight':
        this.mask = DAYLIGHT;
        time.offset += word.value as number;
        return;
      case 'ampm':
        this.mask = AMPM;
        this.meridiem = word.value as 'am' | 'pm';
        return;
      case 'era':
        this.mask = ERA;
        this.isBeforeChrist = word.value === 'bc';
        return;
      case 'weekday':
        this.mask = WEEKDAY;
        return;
      case 'units':
        if (this.prefix !== null) fail('format');
        this.prefix = word.value as string;
        return;
      case 'isotime':
        if ((this.seen & DATE) !== DATE && !this.isTimeOnly) fail('format');
        if (this.prefix !== null) fail('format');
        this.prefix = 'time';
        return;
      default:
        fail('format');
    }
  }

  private reservedWord(word: string): void {
    const { time } = this;
    switch (word) {
      case 'now':
      case 'today':
      case 'tomorrow':
      case 'yesterday': {
        const local = toLocal(this.sessionZone, this.context.transactionTimestamp);
        const now = civilFromTimestamp(local);
        if (word === 'now') {
          Object.assign(time, now);
          time.offset = Number((local - this.context.transactionTimestamp) / 1_000_000n);
          this.mask = DATE | TIME | ZONE;
        } else {
          const shift = word === 'tomorrow' ? 1 : word === 'yesterday' ? -1 : 0;
          Object.assign(time, fromJulianDay(julianDay(now.year, now.month, now.day) + shift));
          this.mask = DATE;
        }
        this.isJulian = true;
        return;
      }
      case 'zulu':
        time.hour = 0;
        time.minute = 0;
        time.second = 0;
        time.offset = 0;
        this.mask = TIME | ZONE;
        return;
      default:
        if (this.isTimeOnly) fail('format');
        this.outcome = word as Outcome;
        this.mask = DATE | TIME | ZONE;
    }
  }
}

/** Seconds since 1970 of a local time read as UTC. */
function localSeconds(time: CivilTime): number {
  return (
    dateFromCivil(time.year, time.month, time.day) * 86400 +
    time.hour * 3600 +
    time.minute * 60 +
    time.second +
    EPOCH_DIFFERENCE_SECONDS
  );
}

function decode(text: string, context: FormatContext, isTimeOnly: boolean): Decoder {
  const fields = splitDateTime(text);
  if (fields === null) fail('format');
  const decoder = new Decoder(fields, context, isTimeOnly);
  decoder.run();
  return decoder;
}

/** Two digits at `at`, or NaN. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/** Days of an exact `yyyy-mm-dd` at the start of the text, or null. */
function plainDate(text: string): number | null {
  if (text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45) return null;
  const year = two(text, 0) * 100 + two(text, 2);
  const month = two(text, 5);
  const day = two(text, 8);
  if (!(year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= 28)) return null;
  return dateFromCivil(year, month, day);
}

/** Microseconds of an exact `hh:mm:ss[.ffffff]` from `at` to the end, or null. */
function plainTime(text: string, at: number): number | null {
  if (text.charCodeAt(at + 2) !== 58 || text.charCodeAt(at + 5) !== 58) return null;
  const hour = two(text, at);
  const minute = two(text, at + 3);
  const second = two(text, at + 6);
  if (!(hour < 24 && minute < 60 && second < 60)) return null;
  let microsecond = 0;
  if (text.length > at + 8) {
    if (text.charCodeAt(at + 8) !== 46 || text.length > at + 15 || text.length === at + 9) return null;
    for (let index = at + 9; index < at + 15; index++) {
      const digit = index < text.length ? text.charCodeAt(index) - 48 : 0;
      if (digit < 0 || digit > 9) return null;
      microsecond = microsecond * 10 + digit;
    }
  }
  return timeFromParts(hour, minute, second, microsecond);
}

/** Days since 2000-01-01. */
export function parseDate(text: string, context: FormatContext): number {
  if (text.length === 10) {
    const plain = plainDate(text);
    if (plain !== null) return plain;
  }
  return withDateTimeErrors(text, 'date', () => {
    const { outcome, time } = decode(text, context, false);
    if (outcome === 'late') return DATE_INFINITY;
    if (outcome === 'early') return DATE_NEGATIVE_INFINITY;
    if (outcome === 'epoch') return dateFromCivil(1970, 1, 1);
    const date = dateFromCivil(time.year, time.month, time.day);
    if (!(date >= MIN_DATE && date < END_DATE))
      throw new DbError('datetime_value_out_of_range', `date out of range: "${text}"`);
    return date;
  });
}

/** Rounds microseconds to a typmod's precision; half away from zero as PostgreSQL's. */
export function roundTime(microseconds: number, precision: number): number {
  if (precision < 0 || precision >= 6) return microseconds;
  const unit = 10 ** (6 - precision);
  return Math.floor((microseconds + unit / 2) / unit) * unit;
}

export function roundTimestamp(timestamp: bigint, precision: number): bigint {
  if (precision < 0 || precision >= 6) return timestamp;
  if (timestamp === TIMESTAMP_INFINITY || timestamp === TIMESTAMP_NEGATIVE_INFINITY) return timestamp;
  const unit = 10n ** BigInt(6 - precision);
  return timestamp >= 0n
    ? ((timestamp + unit / 2n) / unit) * unit
    : -(((-timestamp + unit / 2n) / unit) * unit);
}

function timestampOf(decoder: Decoder, text: string, withZone: boolean): bigint {
  if (decoder.outcome === 'late') return TIMESTAMP_INFINITY;
  if (decoder.outcome === 'early') return TIMESTAMP_NEGATIVE_INFINITY;
  if (decoder.outcome === 'epoch') return -BigInt(EPOCH_DIFFERENCE_SECONDS) * 1_000_000n;
  const { time } = decoder;
  let timestamp = timestampFromCivil(time);
  const outOfRange = (): DbError =>
    new DbError('datetime_value_out_of_range', `timestamp out of range: "${text}"`);
  if (timestamp < MIN_TIMESTAMP - 86400000000n || timestamp >= END_TIMESTAMP + 86400000000n)
    throw outOfRange();
  if (withZone) timestamp -= BigInt(time.offset) * 1_000_000n;
  if (timestamp < MIN_TIMESTAMP || timestamp >= END_TIMESTAMP) throw outOfRange();
  return timestamp;
}

/** timestamp without time zone; a zone in the text is ignored. */
export function parseTimestamp(text: string, typmod: number, context: FormatContext): bigint {
  if (text.length >= 19 && text.length <= 26) {
    const date = plainDate(text);
    const separator = text.charCodeAt(10);
    const time = date !== null && (separator === 32 || separator === 84) ? plainTime(text, 11) : null;
    if (time !== null) return roundTimestamp(timestampFromParts(date!, time), typmod);
  }
  return roundTimestamp(
    withDateTimeErrors(text, 'timestamp', () => timestampOf(decode(text, context, false), text, false)),
    typmod,
  );
}

export function parseTimestampTz(text: string, typmod: number, context: FormatContext): bigint {
  return roundTimestamp(
    withDateTimeErrors(text, 'timestamp with time zone', () =>
      timestampOf(decode(text, context, false), text, true),
    ),
    typmod,
  );
}

/** Microseconds since midnight, up to 24:00:00. */
export function parseTime(text: string, typmod: number, context: FormatContext): number {
  if (text.length >= 8 && text.length <= 15) {
    const plain = plainTime(text, 0);
    if (plain !== null) return roundTime(plain, typmod);
  }
  return withDateTimeErrors(text, 'time', () => {
    const { time } = decode(text, context, true);
    return roundTime(timeFromParts(time.hour, time.minute, time.second, time.microsecond), typmod);
  });
}

export function parseTimeTz(text: string, typmod: number, context: FormatContext): TimeTz {
  return withDateTimeErrors(text, 'time with time zone', () => {
    const { time } = decode(text, context, true);
    return new TimeTz(
      roundTime(timeFromParts(time.hour, time.minute, time.second, time.microsecond), typmod),
      0 - time.offset,
    );
  });
}
