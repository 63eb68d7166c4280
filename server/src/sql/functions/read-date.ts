/** to_date and to_timestamp: reads a text by a template of {@link parseTemplate}. */
import { DbError } from '../../base/error.ts';
import {
  dateFromCivil,
  dayOfWeek,
  daysInMonth,
  fromJulianDay,
  POSTGRES_EPOCH_JULIAN,
  timestampFromParts,
} from '../../types/calendar.ts';
import { abbreviationOffset, fromLocal, type TimeZone } from '../../types/zone.ts';
import { DAY_NAMES, MONTH_NAMES, type Node, parseTemplate, ROMAN_MONTHS } from './format-date.ts';

/** Fields read from text; null = not given. */
interface Fields {
  [name: string]: number | null | boolean | string;
}

function mismatch(value: string, keyword: string): DbError {
  return new DbError('invalid_datetime_format', `invalid value "${value}" for "${keyword}"`);
}

const WIDTHS: Readonly<Record<string, number>> = {
  HH: 2,
  HH12: 2,
  HH24: 2,
  MI: 2,
  SS: 2,
  MS: 3,
  US: 6,
  SSSS: 5,
  SSSSS: 5,
  MM: 2,
  DD: 2,
  DDD: 3,
  IDDD: 3,
  D: 1,
  ID: 1,
  WW: 2,
  IW: 2,
  W: 1,
  Q: 1,
  CC: 2,
  YYYY: 4,
  IYYY: 4,
  YYY: 3,
  IYY: 3,
  YY: 2,
  IY: 2,
  Y: 1,
  I: 1,
  J: 9,
  FF1: 1,
  FF2: 2,
  FF3: 3,
  FF4: 4,
  FF5: 5,
  FF6: 6,
};

const STANDARD_SEPARATORS = "-./,':; ";

class DateReader {
  private readonly text: string;
  private at = 0;
  private readonly fields: Fields = {};
  private isFixed = false;
  /** The standard's rules: separators and quoted text match themselves, nothing is left over on either side. */
  private readonly isStandard: boolean;

  constructor(text: string, isStandard = false) {
    this.text = text;
    this.isStandard = isStandard;
  }

  private space(): void {
    while (this.at < this.text.length && /\s/.test(this.text[this.at]!)) this.at++;
  }

  private set(name: string, value: number | boolean | string, keyword: string): void {
    const known = this.fields[name];
    if (known !== undefined && known !== null && known !== value) {
      throw new DbError(
        'invalid_datetime_format',
        `conflicting values for "${keyword}" field in formatting string`,
        {
          detail: 'This value contradicts a previous setting for the same field type.',
        },
      );
    }
    this.fields[name] = value;
  }

  /** An integer; limited to the keyword's width when digits of the next field follow directly. */
  private integer(node: Node, next: Node | undefined): { value: number; length: number } {
    this.space();
    const keyword = node.keyword!;
    const isBounded = !node.isFill && next !== undefined && next.keyword !== null && isNumeric(next.keyword);
    const width = WIDTHS[keyword] ?? 4;
    const start = this.at;
    let end = start;
    if (this.text[end] === '-' || this.text[end] === '+') end++;
    const firstDigit = end;
    while (end < this.text.length && /\d/.test(this.text[end]!) && (!isBounded || end - start < width)) end++;
    if (end === firstDigit) {
      const shown = this.text.slice(start, start + width);
      if (shown === '') {
        throw mismatch(shown, node.text);
      }
      throw new DbError('invalid_datetime_format', `invalid value "${shown}" for "${node.text}"`, {
        detail: 'Value must be an integer.',
      });
    }
    if (isBounded && end - start < width) {
      throw new DbError(
        'invalid_datetime_format',
        `source string too short for "${node.text}" formatting field`,
        {
          detail: `Field requires ${width} characters, but only ${end - start} remain.`,
          hint: 'If your source string is not fixed-width, try using the "FM" modifier.',
        },
      );
    }
    this.at = end;
    const value = Number(this.text.slice(start, end));
    if (Math.abs(value) > 2147483647) {
      throw new DbError(
        'datetime_field_overflow',
        `value for "${node.text}" in source string is out of range`,
        {
          detail: 'Value must be in the range -2147483648 to 2147483647.',
        },
      );
    }
    return { value, length: end - firstDigit };
  }

  private name(names: readonly string[], node: Node, shortest: number | null): number {
    this.space();
    const rest = this.text.slice(this.at).toLowerCase();
    let best = -1;
    let bestLength = 0;
    names.forEach((name, index) => {
      const wanted = (shortest === null ? name : name.slice(0, shortest)).toLowerCase();
      if (rest.startsWith(wanted) && wanted.length > bestLength) {
        best = index;
        bestLength = wanted.length;
      }
    });
    if (best < 0) {
      const shown = /^\S*/.exec(this.text.slice(this.at))![0];
      throw new DbError('invalid_datetime_format', `invalid value "${shown}" for "${node.text}"`, {
        detail: 'The given value did not match any of the allowed values for this field.',
      });
    }
    this.at += bestLength;
    return best;
  }

  read(template: string): Fields {
    const nodes = parseTemplate(template);
    for (let index = 0; index < nodes.length; index++) {
      const node = nodes[index]!;
      if (this.isStandard) {
        this.standard(node, nodes[index + 1]);
        continue;
      }
      if (this.at >= this.text.length) break;
      if (node.keyword === null) {
        this.literal(node, nodes[index - 1]);
        continue;
      }
      if (node.keyword === 'FX') {
        this.isFixed = true;
        continue;
      }
      if (!this.isFixed) this.space();
      this.keyword(node, nodes[index + 1]);
      if (node.ordinal !== null) this.at += 2;
      if (!this.isFixed) this.space();
    }
    if (this.isStandard && this.at < this.text.length) {
      throw new DbError(
        'invalid_datetime_format',
        'trailing characters remain in input string after datetime format',
      );
    }
    return this.fields;
  }

  private standard(node: Node, next: Node | undefined): void {
    if (node.keyword === 'FX') return;
    if (this.at >= this.text.length) {
      throw new DbError('invalid_datetime_format', 'input string is too short for datetime format');
    }
    if (node.keyword !== null) {
      this.keyword(node, next);
      return;
    }
    if (!node.isQuoted && !STANDARD_SEPARATORS.includes(node.text)) {
      throw new DbError('invalid_datetime_format', `invalid datetime format separator: "${node.text}"`);
    }
    if (!this.text.startsWith(node.text, this.at)) {
      throw new DbError(
        'invalid_datetime_format',
        `unmatched format ${node.isQuoted ? 'character' : 'separator'} "${node.text}"`,
      );
    }
    this.at += node.text.length;
  }

  /** Separators match any separators; other characters are skipped one for one. */
  private literal(node: Node, _previous: Node | undefined): void {
    const isSeparator = /[^A-Za-z0-9]/.test(node.text) && !node.isQuoted;
    if (isSeparator) {
      if (this.isFixed) {
        this.at++;
        return;
      }
      if (/\s/.test(node.text)) {
        this.space();
        return;
      }
      this.space();
      const here = this.text[this.at];
      if (here !== undefined && /[^A-Za-z0-9\s]/.test(here)) {
        // A sign before a number belongs to the number only when the template has no separator left for it.
        this.at++;
      }
      return;
    }
    if (!this.isFixed) this.space();
    this.at++;
  }

  private keyword(node: Node, next: Node | undefined): void {
    const keyword = node.keyword!;
    const put = (name: string, value: number | boolean | string): void => this.set(name, value, node.text);
    const year = (value: number, length: number, width: number): number => {
      if (length >= 4 || width === 4) return value;
      if (value < 70) return value + 2000;
      if (value < 100) return value + 1900;
      if (value < 520) return value + 2000;
      return value < 1000 ? value + 1000 : value;
    };
    switch (keyword) {
      case 'A.M.':
      case 'P.M.':
        put('meridiem', this.name(['A.M.', 'P.M.'], node, null));
        break;
      case 'AM':
      case 'PM':
        put('meridiem', this.name(['AM', 'PM'], node, null));
        break;
      case 'A.D.':
      case 'B.C.':
        put('bc', this.name(['A.D.', 'B.C.'], node, null) === 1);
        break;
      case 'AD':
      case 'BC':
        put('bc', this.name(['AD', 'BC'], node, null) === 1);
        break;
      case 'MONTH':
        put('month', this.name(MONTH_NAMES, node, null) + 1);
        break;
      case 'MON':
        put('month', this.name(MONTH_NAMES, node, 3) + 1);
        break;
      case 'RM':
        put('month', this.name(ROMAN_MONTHS, node, null) + 1);
        break;
      case 'DAY':
        put('weekday', this.name(DAY_NAMES, node, null));
        break;
      case 'DY':
        put('weekday', this.name(DAY_NAMES, node, 3));
        break;
      case 'HH':
      case 'HH12':
        put('hour', this.integer(node, next).value);
        this.fields['isTwelve'] = true;
        break;
      case 'HH24':
        put('hour', this.integer(node, next).value);
        break;
      case 'MI':
        put('minute', this.integer(node, next).value);
        break;
      case 'SS':
        put('second', this.integer(node, next).value);
        break;
      case 'MS': {
        const { value, length } = this.integer(node, next);
        put('millisecond', value * (length === 1 ? 100 : length === 2 ? 10 : 1));
        break;
      }
      case 'FF1':
      case 'FF2':
      case 'FF3':
      case 'FF4':
      case 'FF5':
      case 'FF6':
      case 'US': {
        const { value, length } = this.integer(node, next);
        put('microsecond', Math.round(value * 10 ** Math.max(0, 6 - length)));
        break;
      }
      case 'SSSS':
      case 'SSSSS':
        put('daySeconds', this.integer(node, next).value);
        break;
      case 'TZH': {
        this.space();
        const sign = this.text[this.at] === '-' ? -1 : 1;
        if (/[+-]/.test(this.text[this.at] ?? '')) this.at++;
        put('zoneSign', sign);
        put('zoneHour', this.integer({ ...node, isFill: false }, next).value);
        break;
      }
      case 'TZM':
        put('zoneMinute', this.integer(node, next).value);
        break;
      case 'TZ':
      case 'OF': {
        const match = /^[A-Za-z]+|^[+-]\d{1,2}(?::?\d{2})?/.exec(this.text.slice(this.at));
        if (match === null || keyword === 'TZ') {
          throw new DbError(
            'feature_not_supported',
            `formatting field "${node.text}" is only supported in to_char`,
          );
        }
        const known = abbreviationOffset(match[0]);
        if (known === null)
          throw new DbError(
            'feature_not_supported',
            `formatting field "${node.text}" is only supported in to_char`,
          );
        break;
      }
      case 'MM':
        put('month', this.integer(node, next).value);
        break;
      case 'DD':
        put('day', this.integer(node, next).value);
        break;
      case 'DDD':
        put('dayOfYear', this.integer(node, next).value);
        break;
      case 'IDDD':
        put('isoDayOfYear', this.integer(node, next).value);
        break;
      case 'D':
        put('weekday', (this.integer(node, next).value + 6) % 7);
        break;
      case 'ID':
        put('isoWeekday', this.integer(node, next).value);
        break;
      case 'WW':
        put('week', this.integer(node, next).value);
        break;
      case 'IW':
        put('isoWeek', this.integer(node, next).value);
        break;
      case 'W':
        put('monthWeek', this.integer(node, next).value);
        break;
      case 'Q':
        this.integer(node, next);
        break;
      case 'CC':
        put('century', this.integer(node, next).value);
        break;
      case 'Y,YYY': {
        const match = /^\s*(\d+),(\d{3})/.exec(this.text.slice(this.at));
        if (match === null) throw new DbError('invalid_datetime_format', 'invalid input string for "Y,YYY"');
        this.at += match[0].length;
        put('year', Number(match[1]) * 1000 + Number(match[2]));
        break;
      }
      case 'YYYY':
      case 'IYYY': {
        const { value } = this.integer(node, next);
        put(keyword[0] === 'I' ? 'isoYear' : 'year', value);
        this.fields['yearDigits'] = 4;
        break;
      }
      case 'YYY':
      case 'IYY':
      case 'YY':
      case 'IY':
      case 'Y':
      case 'I': {
        const { value, length } = this.integer(node, next);
        const width = keyword.replace('I', 'Y').length;
        put(keyword[0] === 'I' ? 'isoYear' : 'year', year(value, length, 0));
        this.fields['yearDigits'] = width;
        break;
      }
      case 'J':
        put('julian', this.integer(node, next).value);
        break;
    }
  }
}

function isNumeric(keyword: string): boolean {
  return Object.hasOwn(WIDTHS, keyword) || keyword === 'Y,YYY' || keyword === 'TZM';
}

interface Assembled {
  date: number;
  microseconds: number;
  offset: number | null;
}

function assemble(text: string, fields: Fields): Assembled {
  const number = (name: string): number | null =>
    typeof fields[name] === 'number' ? (fields[name] as number) : null;
  const outOfRange = (): DbError =>
    new DbError('datetime_field_overflow', `date/time field value out of range: "${text}"`);
  let hour = number('hour') ?? 0;
  let minute = number('minute') ?? 0;
  let second = number('second') ?? 0;
  const daySeconds = number('daySeconds');
  if (daySeconds !== null) {
    hour = Math.trunc(daySeconds / 3600);
    minute = Math.trunc((daySeconds % 3600) / 60);
    second = daySeconds % 60;
  }
  if (fields['isTwelve'] === true) {
    if (hour < 1 || hour > 12) {
      throw new DbError('invalid_datetime_format', `hour "${hour}" is invalid for the 12-hour clock`, {
        hint: 'Use the 24-hour clock, or give an hour between 1 and 12.',
      });
    }
    if (fields['meridiem'] === 1 && hour < 12) hour += 12;
    else if (fields['meridiem'] === 0 && hour === 12) hour = 0;
  }
  let year = number('year');
  const century = number('century');
  if (year !== null) {
    if (century !== null && (number('yearDigits') ?? 4) <= 2) {
      const within = year % 100;
      year = within === 0 ? century * 100 : (century - 1) * 100 + within;
    } else if (fields['bc'] === true && year > 0) year = -(year - 1);
    if (year < 0 && fields['bc'] !== true) year += 1;
  } else if (century !== null) year = (century - 1) * 100 + 1;
  let month = number('month') ?? 1;
  let day = number('day') ?? 1;
  const julian = number('julian');
  const isoWeek = number('isoWeek');
  const isoYearValue = number('isoYear');
  let date: number | null = null;
  if (julian !== null) date = julian - POSTGRES_EPOCH_JULIAN;
  else if (isoWeek !== null || isoYearValue !== null) {
    const base = isoYearValue ?? year ?? 0;
    const fourth = dateFromCivil(base, 1, 4);
    const monday = fourth - ((dayOfWeek(fourth) + 6) % 7);
    const isoDayOfYear = number('isoDayOfYear');
    if (isoDayOfYear !== null) date = monday + isoDayOfYear - 1;
    else {
      const weekday = number('isoWeekday') ?? (number('weekday') === null ? 1 : number('weekday') || 7);
      date = monday + ((isoWeek ?? 1) - 1) * 7 + weekday - 1;
    }
  } else if (number('dayOfYear') !== null && fields['month'] === undefined) {
    if (year === null) {
      throw new DbError('invalid_datetime_format', 'cannot calculate day of year without year information');
    }
    date = dateFromCivil(year, 1, 1) + number('dayOfYear')! - 1;
  } else if (number('week') !== null) date = dateFromCivil(year ?? 0, 1, 1) + (number('week')! - 1) * 7;
  else if (number('monthWeek') !== null && fields['day'] === undefined)
    day = (number('monthWeek')! - 1) * 7 + 1;
  if (date === null) {
    const astronomical = year ?? 0;
    if (month < 1 || month > 12) throw outOfRange();
    if (day < 1 || day > daysInMonth(astronomical, month)) throw outOfRange();
    date = dateFromCivil(astronomical, month, day);
  } else ({ month, day } = fromJulianDay(date + POSTGRES_EPOCH_JULIAN));
  if (hour < 0 || hour >= 24 || minute < 0 || minute >= 60 || second < 0 || second >= 60) throw outOfRange();
  const microsecond = (number('microsecond') ?? 0) + (number('millisecond') ?? 0) * 1000;
  if (microsecond < 0 || microsecond >= 1_000_000) throw outOfRange();
  const zoneHour = number('zoneHour');
  const offset =
    zoneHour === null && number('zoneMinute') === null
      ? null
      : (number('zoneSign') ?? 1) * ((zoneHour ?? 0) * 3600 + (number('zoneMinute') ?? 0) * 60);
  return { date, microseconds: ((hour * 60 + minute) * 60 + second) * 1_000_000 + microsecond, offset };
}

const TIME_KEYWORDS = /^(?:HH|MI|SS|MS|US|FF|A\.?M|P\.?M)/;
const ZONE_KEYWORDS = new Set(['TZH', 'TZM', 'TZ', 'OF']);

/** Reads by the standard's rules; says which kinds of field the template has. `offset` is in seconds east of Greenwich. */
export function readStandardDateTime(
  text: string,
  template: string,
): Assembled & { hasDate: boolean; hasTime: boolean; hasZone: boolean } {
  let [hasDate, hasTime, hasZone] = [false, false, false];
  for (const { keyword } of parseTemplate(template)) {
    if (keyword === null || keyword === 'FX') continue;
    if (ZONE_KEYWORDS.has(keyword)) hasZone = true;
    else if (TIME_KEYWORDS.test(keyword)) hasTime = true;
    else hasDate = true;
  }
  return { ...assemble(text, new DateReader(text, true).read(template)), hasDate, hasTime, hasZone };
}

export function toDate(text: string, template: string): number {
  return assemble(text, new DateReader(text).read(template)).date;
}

export function toTimestamp(text: string, template: string, zone: TimeZone): bigint {
  const { date, microseconds, offset } = assemble(text, new DateReader(text).read(template));
  const local = timestampFromParts(date, microseconds);
  return offset === null ? fromLocal(zone, local) : local - BigInt(offset) * 1_000_000n;
}
