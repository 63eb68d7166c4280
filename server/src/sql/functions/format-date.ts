/**
 * to_char of timestamps and intervals, to_date and to_timestamp. Source: PostgreSQL 15 manual 9.8; checked against the server.
 *
 * A template is cut once into nodes (keyword with its modifiers, literal text, separator) and kept.
 */
import { DbError } from '../../base/error.ts';
import {
  civilFromTimestamp,
  dateFromCivil,
  dayOfWeek,
  isFiniteTimestamp,
  POSTGRES_EPOCH_JULIAN,
} from '../../types/calendar.ts';
import { isoYearAndWeek } from '../../types/datetime-extract.ts';
import { formatOffset, unixSeconds } from '../../types/datetime-format.ts';
import type { Interval } from '../../types/interval.ts';
import { intervalParts } from '../../types/interval-text.ts';
import { offsetAtTimestamp, type TimeZone, zoneByName } from '../../types/zone.ts';
import { toDate, toTimestamp } from './read-date.ts';
import { boundTable, type FunctionTable, pureTable } from './registry.ts';

export const MONTH_NAMES = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
export const DAY_NAMES = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
export const ROMAN_MONTHS = ['I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X', 'XI', 'XII'];

/** Keywords, longest first where one starts another. */
const KEYWORDS = [
  'A.D.',
  'A.M.',
  'AD',
  'AM',
  'B.C.',
  'BC',
  'CC',
  'DAY',
  'DDD',
  'DD',
  'DY',
  'Day',
  'Dy',
  'D',
  'FF1',
  'FF2',
  'FF3',
  'FF4',
  'FF5',
  'FF6',
  'FX',
  'HH24',
  'HH12',
  'HH',
  'IDDD',
  'ID',
  'IW',
  'IYYY',
  'IYY',
  'IY',
  'I',
  'J',
  'MI',
  'MM',
  'MONTH',
  'MON',
  'MS',
  'Month',
  'Mon',
  'OF',
  'P.M.',
  'PM',
  'Q',
  'RM',
  'SSSSS',
  'SSSS',
  'SS',
  'TZH',
  'TZM',
  'TZ',
  'US',
  'WW',
  'W',
  'Y,YYY',
  'YYYY',
  'YYY',
  'YY',
  'Y',
  'a.d.',
  'a.m.',
  'ad',
  'am',
  'b.c.',
  'bc',
  'cc',
  'day',
  'ddd',
  'dd',
  'dy',
  'd',
  'ff1',
  'ff2',
  'ff3',
  'ff4',
  'ff5',
  'ff6',
  'fx',
  'hh24',
  'hh12',
  'hh',
  'iddd',
  'id',
  'iw',
  'iyyy',
  'iyy',
  'iy',
  'i',
  'j',
  'mi',
  'mm',
  'month',
  'mon',
  'ms',
  'p.m.',
  'pm',
  'q',
  'rm',
  'sssss',
  'ssss',
  'ss',
  'tz',
  'us',
  'ww',
  'w',
  'y,yyy',
  'yyyy',
  'yyy',
  'yy',
  'y',
];

export interface Node {
  /** Upper-case keyword, null for literal text. */
  readonly keyword: string | null;
  /** The keyword as written, or the literal text. */
  readonly text: string;
  readonly isFill: boolean;
  readonly ordinal: 'TH' | 'th' | null;
  /** Literal characters from a quoted string. */
  readonly isQuoted: boolean;
}

const templates = new Map<string, readonly Node[]>();

export function parseTemplate(template: string): readonly Node[] {
  const known = templates.get(template);
  if (known !== undefined) return known;
  const nodes: Node[] = [];
  let at = 0;
  while (at < template.length) {
    let isFill = false;
    let start = at;
    for (;;) {
      const two = template.slice(start, start + 2);
      if (two === 'FM' || two === 'fm') {
        isFill = true;
        start += 2;
      } else if (two === 'TM' || two === 'tm') {
        // Names in the locale's language are not padded; ours is always the C locale.
        isFill = true;
        start += 2;
      } else break;
    }
    const keyword = KEYWORDS.find((word) => template.startsWith(word, start));
    if (keyword !== undefined) {
      at = start + keyword.length;
      let ordinal: Node['ordinal'] = null;
      const two = template.slice(at, at + 2);
      if (two === 'TH' || two === 'th') {
        ordinal = two;
        at += 2;
      }
      if (/^SP/i.test(template.slice(at, at + 2))) at += 2;
      nodes.push({ keyword: keyword.toUpperCase(), text: keyword, isFill, ordinal, isQuoted: false });
      continue;
    }
    at = start;
    if (at >= template.length) break;
    if (template[at] === '"') {
      let text = '';
      at++;
      while (at < template.length && template[at] !== '"') {
        if (template[at] === '\\' && at + 1 < template.length) at++;
        text += template[at++];
      }
      at++;
      for (const character of text)
        nodes.push({ keyword: null, text: character, isFill: false, ordinal: null, isQuoted: true });
      continue;
    }
    if (template[at] === '\\' && template[at + 1] === '"') at++;
    const character = String.fromCodePoint(template.codePointAt(at)!);
    nodes.push({ keyword: null, text: character, isFill: false, ordinal: null, isQuoted: false });
    at += character.length;
  }
  if (templates.size > 500) templates.clear();
  templates.set(template, nodes);
  return nodes;
}

/** What can be printed: a civil time, or the fields of an interval. */
interface Printable {
  isInterval: boolean;
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  microsecond: number;
  /** Days since 2000-01-01; of no meaning for intervals. */
  date: number;
  zone: { offset: number; abbreviation: string } | null;
}

function ordinalSuffix(digits: string, form: 'TH' | 'th'): string {
  const last = Number(digits.at(-1));
  const suffix =
    digits.length > 1 && digits.at(-2) === '1'
      ? 'th'
      : last === 1
        ? 'st'
        : last === 2
          ? 'nd'
          : last === 3
            ? 'rd'
            : 'th';
  return form === 'TH' ? suffix.toUpperCase() : suffix;
}

function invalidForInterval(): DbError {
  return new DbError('invalid_datetime_format', 'invalid format specification for an interval value', {
    hint: 'Intervals are not tied to specific calendar dates.',
  });
}

/** Letter case of a name as the keyword is written. */
function inCase(name: string, keyword: string): string {
  if (keyword === keyword.toUpperCase()) return name.toUpperCase();
  return keyword === keyword.toLowerCase() ? name.toLowerCase() : name;
}

/** Zero-padded to a width that counts the sign, as C's %0*d. */
const pad = (value: number, width: number): string =>
  value < 0 ? `-${(-value).toString().padStart(width - 1, '0')}` : value.toString().padStart(width, '0');

function printNode(node: Node, value: Printable): string {
  const { keyword, text, isFill } = node;
  const digits = (number: number, width: number): string => {
    const shown = isFill ? String(number) : pad(number, width);
    return node.ordinal === null ? shown : shown + ordinalSuffix(String(Math.abs(number)), node.ordinal);
  };
  const noInterval = (): void => {
    if (value.isInterval) throw invalidForInterval();
  };
  const shownYear = value.isInterval ? value.year : value.year <= 0 ? 1 - value.year : value.year;
  switch (keyword) {
    case null:
      return text;
    case 'A.M.':
    case 'P.M.':
      return inCase(value.hour % 24 >= 12 ? 'P.M.' : 'A.M.', text);
    case 'AM':
    case 'PM':
      return inCase(value.hour % 24 >= 12 ? 'PM' : 'AM', text);
    case 'HH':
    case 'HH12': {
      const hour = value.hour % 12 === 0 ? 12 : value.hour % 12;
      return digits(hour, value.hour >= 0 ? 2 : 3);
    }
    case 'HH24':
      return digits(value.hour, value.hour >= 0 ? 2 : 3);
    case 'MI':
      return digits(value.minute, value.minute >= 0 ? 2 : 3);
    case 'SS':
      return digits(value.second, value.second >= 0 ? 2 : 3);
    case 'FF1':
    case 'FF2':
    case 'FF3':
    case 'FF4':
    case 'FF5':
    case 'FF6': {
      const count = Number(keyword[2]);
      return digits(Math.trunc(value.microsecond / 10 ** (6 - count)), count);
    }
    case 'MS':
      return digits(Math.trunc(value.microsecond / 1000), 3);
    case 'US':
      return digits(value.microsecond, 6);
    case 'SSSS':
    case 'SSSSS': {
      const seconds = value.hour * 3600 + value.minute * 60 + value.second;
      return node.ordinal === null
        ? String(seconds)
        : String(seconds) + ordinalSuffix(String(seconds), node.ordinal);
    }
    case 'TZ':
      noInterval();
      return value.zone === null
        ? ''
        : text === 'tz'
          ? value.zone.abbreviation.toLowerCase()
          : value.zone.abbreviation;
    case 'TZH': {
      noInterval();
      const offset = value.zone?.offset ?? 0;
      return `${offset < 0 ? '-' : '+'}${pad(Math.trunc(Math.abs(offset) / 3600), 2)}`;
    }
    case 'TZM':
      noInterval();
      return pad(Math.trunc((Math.abs(value.zone?.offset ?? 0) % 3600) / 60), 2);
    case 'OF':
      noInterval();
      return value.zone === null ? '+00' : formatOffset(Math.trunc(value.zone.offset / 60) * 60);
    case 'A.D.':
    case 'B.C.':
      noInterval();
      return inCase(value.year <= 0 ? 'B.C.' : 'A.D.', text);
    case 'AD':
    case 'BC':
      noInterval();
      return inCase(value.year <= 0 ? 'BC' : 'AD', text);
    case 'MONTH':
    case 'MON': {
      noInterval();
      if (value.month === 0) return '';
      const name = MONTH_NAMES[value.month - 1]!;
      if (keyword === 'MON') return inCase(name.slice(0, 3), text);
      const shown = inCase(name, text);
      return isFill ? shown : shown.padEnd(9);
    }
    case 'MM':
      return digits(value.month, value.month >= 0 ? 2 : 3);
    case 'DAY':
    case 'DY': {
      noInterval();
      const name = DAY_NAMES[dayOfWeek(value.date)]!;
      if (keyword === 'DY') return inCase(name.slice(0, 3), text);
      const shown = inCase(name, text);
      return isFill ? shown : shown.padEnd(9);
    }
    case 'DDD':
      return digits(dayOfYear(value), 3);
    case 'IDDD': {
      const { week } = isoYearAndWeek(value.date);
      return digits((week - 1) * 7 + (dayOfWeek(value.date) || 7), 3);
    }
    case 'DD':
      return digits(value.day, 2);
    case 'D':
      noInterval();
      return digits(dayOfWeek(value.date) + 1, 1);
    case 'ID':
      noInterval();
      return digits(dayOfWeek(value.date) || 7, 1);
    case 'WW': {
      return digits(Math.trunc((dayOfYear(value) - 1) / 7) + 1, 2);
    }
    case 'IW':
      return digits(isoYearAndWeek(value.date).week, 2);
    case 'W':
      return digits(Math.trunc((value.day - 1) / 7) + 1, 1);
    case 'Q':
      return value.month === 0 ? '' : digits(Math.trunc((value.month - 1) / 3) + 1, 1);
    case 'CC': {
      let century: number;
      if (value.isInterval) century = Math.trunc(value.year / 100);
      else
        century = value.year > 0 ? Math.trunc((value.year - 1) / 100) + 1 : Math.trunc(value.year / 100) - 1;
      return century <= 99 && century >= -99 ? digits(century, century >= 0 ? 2 : 3) : digits(century, 1);
    }
    case 'Y,YYY': {
      const thousands = Math.trunc(shownYear / 1000);
      const shown = `${thousands},${pad(shownYear - thousands * 1000, 3)}`;
      return node.ordinal === null ? shown : shown + ordinalSuffix(shown, node.ordinal);
    }
    case 'YYYY':
      return digits(shownYear, shownYear >= 0 ? 4 : 5);
    case 'IYYY':
      return digits(isoYear(value), 4);
    case 'YYY':
      return digits(shownYear % 1000, shownYear >= 0 ? 3 : 4);
    case 'IYY':
      return digits(isoYear(value) % 1000, 3);
    case 'YY':
      return digits(shownYear % 100, shownYear >= 0 ? 2 : 3);
    case 'IY':
      return digits(isoYear(value) % 100, 2);
    case 'Y':
      return digits(shownYear % 10, 1);
    case 'I':
      return digits(isoYear(value) % 10, 1);
    case 'RM': {
      if (value.month === 0 && value.year === 0) return '';
      const month =
        value.month === 0 ? (value.year >= 0 ? 12 : 1) : value.month < 0 ? 13 + value.month : value.month;
      const shown = inCase(ROMAN_MONTHS[month - 1]!, text === 'rm' ? 'rm' : 'RM');
      return isFill ? shown : shown.padEnd(4);
    }
    case 'J':
      return digits(value.date + POSTGRES_EPOCH_JULIAN, 1);
    default:
      return '';
  }
}

function isoYear(value: Printable): number {
  const { year } = isoYearAndWeek(value.date);
  return !value.isInterval && year <= 0 ? 1 - year : year;
}

/** An interval's days count its months as thirty. */
function dayOfYear(value: Printable): number {
  return value.isInterval
    ? (value.year * 12 + value.month) * 30 + value.day
    : value.date - dateFromCivil(value.year, 1, 1) + 1;
}

/** PostgreSQL's day number of year, month and day, which an interval's fields need not be: months may be zero or negative. */
function dateOfParts(year: number, month: number, day: number): number {
  const shifted = month > 2 ? month + 1 : month + 13;
  const years = year + (month > 2 ? 4800 : 4799);
  const century = Math.trunc(years / 100);
  const julian =
    years * 365 -
    32167 +
    Math.trunc(years / 4) -
    century +
    Math.trunc(century / 4) +
    Math.trunc((7834 * shifted) / 256) +
    day;
  return julian - POSTGRES_EPOCH_JULIAN;
}

function print(template: string, value: Printable): string {
  let result = '';
  for (const node of parseTemplate(template)) result += printNode(node, value);
  return result;
}

export function timestampToChar(timestamp: bigint, template: string, zone: TimeZone | null): string | null {
  if (template === '' || !isFiniteTimestamp(timestamp)) return null;
  const offset = zone === null ? 0 : offsetAtTimestamp(zone, timestamp);
  const time = civilFromTimestamp(timestamp + BigInt(offset) * 1_000_000n);
  return print(template, {
    ...time,
    isInterval: false,
    date: dateFromCivil(time.year, time.month, time.day),
    zone: zone === null ? null : { offset, abbreviation: zone.abbreviationAt(unixSeconds(timestamp)) },
  });
}

export function intervalToChar(span: Interval, template: string): string | null {
  if (template === '') return null;
  const parts = intervalParts(span);
  const date = dateOfParts(parts.year, parts.month, parts.day);
  return print(template, { ...parts, isInterval: true, date, zone: null });
}

export const dateFormatFunctions: FunctionTable = {
  ...pureTable({
    timestamp_to_char: (timestamp: bigint, template: string) => timestampToChar(timestamp, template, null),
    interval_to_char: intervalToChar,
    to_date: toDate,
  }),
  ...boundTable({
    timestamptz_to_char: (context) => {
      const zone = zoneByName(context.format.timeZone);
      return (timestamp: bigint, template: string) => timestampToChar(timestamp, template, zone);
    },
    to_timestamp: (context) => {
      const zone = zoneByName(context.format.timeZone);
      return (text: string, template: string) => toTimestamp(text, template, zone);
    },
  }),
};
