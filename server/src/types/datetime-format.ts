/** Prints dates, times and timestamps in the four DateStyles. */
import {
  type CivilTime,
  civilFromDate,
  civilFromTimestamp,
  DATE_INFINITY,
  DATE_NEGATIVE_INFINITY,
  dateFromCivil,
  dayOfWeek,
  EPOCH_DIFFERENCE_SECONDS,
  MICROSECONDS_PER_HOUR,
  MICROSECONDS_PER_MINUTE,
  MICROSECONDS_PER_SECOND,
  TIMESTAMP_INFINITY,
  TIMESTAMP_NEGATIVE_INFINITY,
  timestampDays,
  timestampTime,
} from './calendar.ts';
import type { FormatContext } from './contract.ts';
import type { TimeTz } from './interval.ts';
import { offsetAtTimestamp, zoneByName } from './zone.ts';

const TWO: readonly string[] = Array.from({ length: 100 }, (_, value) => value.toString().padStart(2, '0'));
export const MONTHS = [
  'Jan',
  'Feb',
  'Mar',
  'Apr',
  'May',
  'Jun',
  'Jul',
  'Aug',
  'Sep',
  'Oct',
  'Nov',
  'Dec',
] as const;
export const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

/** Year as shown: BC years counted from 1, at least four digits. */
function year4(year: number): string {
  const shown = year > 0 ? year : 1 - year;
  return shown >= 1000 ? String(shown) : shown.toString().padStart(4, '0');
}

/** ".ffffff" without trailing zeros, or nothing. */
export function fraction(microseconds: number): string {
  if (microseconds === 0) return '';
  let end = 6;
  const digits = microseconds.toString().padStart(6, '0');
  while (digits.charCodeAt(end - 1) === 48) end--;
  return `.${digits.slice(0, end)}`;
}

function clock(time: CivilTime): string {
  return `${TWO[time.hour]}:${TWO[time.minute]}:${TWO[time.second]}${fraction(time.microsecond)}`;
}

/** "+hh[:mm[:ss]]" of an offset in seconds east. */
export function formatOffset(offset: number): string {
  const magnitude = offset < 0 ? -offset : offset;
  const hours = Math.floor(magnitude / 3600);
  const minutes = Math.floor((magnitude % 3600) / 60);
  const seconds = magnitude % 60;
  return `${offset < 0 ? '-' : '+'}${TWO[hours]}${minutes !== 0 || seconds !== 0 ? `:${TWO[minutes]}` : ''}${seconds !== 0 ? `:${TWO[seconds]}` : ''}`;
}

export function formatDate(date: number, context: FormatContext): string {
  if (date === DATE_INFINITY) return 'infinity';
  if (date === DATE_NEGATIVE_INFINITY) return '-infinity';
  const { year, month, day } = civilFromDate(date);
  const era = year <= 0 ? ' BC' : '';
  switch (context.dateStyle) {
    case 'ISO':
      return `${year4(year)}-${TWO[month]}-${TWO[day]}${era}`;
    case 'SQL':
      return context.dateOrder === 'DMY'
        ? `${TWO[day]}/${TWO[month]}/${year4(year)}${era}`
        : `${TWO[month]}/${TWO[day]}/${year4(year)}${era}`;
    case 'German':
      return `${TWO[day]}.${TWO[month]}.${year4(year)}${era}`;
    default:
      return context.dateOrder === 'YMD'
        ? `${year4(year)}-${TWO[month]}-${TWO[day]}${era}`
        : context.dateOrder === 'DMY'
          ? `${TWO[day]}-${TWO[month]}-${year4(year)}${era}`
          : `${TWO[month]}-${TWO[day]}-${year4(year)}${era}`;
  }
}

/** ISO date and time, the separator given ("T" for JSON). */
function isoDateTime(time: CivilTime, separator: string): string {
  return `${year4(time.year)}-${TWO[time.month]}-${TWO[time.day]}${separator}${clock(time)}`;
}

function formatCivil(
  time: CivilTime,
  offset: number | null,
  abbreviation: () => string,
  context: FormatContext,
): string {
  const era = time.year <= 0 ? ' BC' : '';
  const zone = (): string => {
    if (offset === null) return '';
    const name = abbreviation();
    return /^[A-Za-z]/.test(name) ? ` ${name}` : ` ${formatOffset(offset)}`;
  };
  const plainZone = (): string => {
    if (offset === null) return '';
    const name = abbreviation();
    return /^[A-Za-z]/.test(name) ? ` ${name}` : formatOffset(offset);
  };
  switch (context.dateStyle) {
    case 'ISO':
      return `${isoDateTime(time, ' ')}${offset === null ? '' : formatOffset(offset)}${era}`;
    case 'SQL': {
      const date =
        context.dateOrder === 'DMY'
          ? `${TWO[time.day]}/${TWO[time.month]}`
          : `${TWO[time.month]}/${TWO[time.day]}`;
      return `${date}/${year4(time.year)} ${clock(time)}${plainZone()}${era}`;
    }
    case 'German':
      return `${TWO[time.day]}.${TWO[time.month]}.${year4(time.year)} ${clock(time)}${plainZone()}${era}`;
    default: {
      const weekday = WEEKDAYS[dayOfWeek(dateFromCivil(time.year, time.month, time.day))]!;
      const month = MONTHS[time.month - 1]!;
      const date = context.dateOrder === 'DMY' ? `${TWO[time.day]} ${month}` : `${month} ${TWO[time.day]}`;
      return `${weekday} ${date} ${clock(time)} ${year4(time.year)}${zone()}${era}`;
    }
  }
}

export function formatTimestamp(timestamp: bigint, context: FormatContext): string {
  if (timestamp === TIMESTAMP_INFINITY) return 'infinity';
  if (timestamp === TIMESTAMP_NEGATIVE_INFINITY) return '-infinity';
  return formatCivil(civilFromTimestamp(timestamp), null, () => '', context);
}

export function formatTimestampTz(timestamp: bigint, context: FormatContext): string {
  if (timestamp === TIMESTAMP_INFINITY) return 'infinity';
  if (timestamp === TIMESTAMP_NEGATIVE_INFINITY) return '-infinity';
  const zone = zoneByName(context.timeZone);
  const offset = offsetAtTimestamp(zone, timestamp);
  const time = civilFromTimestamp(timestamp + BigInt(offset) * 1_000_000n);
  return formatCivil(time, offset, () => zone.abbreviationAt(unixSeconds(timestamp)), context);
}

export function unixSeconds(timestamp: bigint): number {
  return (
    timestampDays(timestamp) * 86400 +
    Math.floor(timestampTime(timestamp) / MICROSECONDS_PER_SECOND) +
    EPOCH_DIFFERENCE_SECONDS
  );
}

/** JSON and XML print timestamps in ISO 8601 whatever the DateStyle. */
export function formatTimestampJson(timestamp: bigint, zoneName: string | null): string {
  if (timestamp === TIMESTAMP_INFINITY) return 'infinity';
  if (timestamp === TIMESTAMP_NEGATIVE_INFINITY) return '-infinity';
  const offset = zoneName === null ? null : offsetAtTimestamp(zoneByName(zoneName), timestamp);
  const time = civilFromTimestamp(offset === null ? timestamp : timestamp + BigInt(offset) * 1_000_000n);
  let zone = '';
  if (offset !== null) {
    zone = formatOffset(offset);
    if (!zone.includes(':')) zone += ':00';
  }
  return `${isoDateTime(time, 'T')}${zone}${time.year <= 0 ? ' BC' : ''}`;
}

export function formatTime(microseconds: number): string {
  const hour = Math.floor(microseconds / MICROSECONDS_PER_HOUR);
  let rest = microseconds - hour * MICROSECONDS_PER_HOUR;
  const minute = Math.floor(rest / MICROSECONDS_PER_MINUTE);
  rest -= minute * MICROSECONDS_PER_MINUTE;
  const second = Math.floor(rest / MICROSECONDS_PER_SECOND);
  return `${TWO[hour]}:${TWO[minute]}:${TWO[second]}${fraction(rest - second * MICROSECONDS_PER_SECOND)}`;
}

export function formatTimeTz(value: TimeTz): string {
  return formatTime(value.microseconds) + formatOffset(0 - value.zoneSeconds);
}
