/**
 * Time zones: offsets from UTC by instant and by local time.
 *
 * Rules come from the runtime's own copy of the IANA data (Intl). Asking Intl for one offset costs microseconds, so each
 * zone keeps a table of its transitions, filled year by year when first needed: instants are probed in steps, each change is
 * found by bisection. A year costs some 70 questions, a tenth of a millisecond.
 *
 * Offsets are seconds east of UTC. (PostgreSQL's internal sign is west; {@link TimeTz} keeps that one.)
 */
import { DbError } from '../base/error.ts';
import {
  civilFromDate,
  dateFromCivil,
  EPOCH_DIFFERENCE_SECONDS,
  isFiniteTimestamp,
  MICROSECONDS_PER_SECOND,
  timestampDays,
  timestampTime,
} from './calendar.ts';
import { ZONE_ABBREVIATIONS } from './zone-abbreviations.ts';

const DAY = 86400;
/** Changes can be as close as a month (Ramadan interruptions); half of that is probed. */
const STEP = 14 * DAY;
/** Largest instant Intl can format. */
const INTL_LIMIT = 8.64e12 - DAY;
/** No zone had rules before; the earliest changes from local mean time came in the 1830s. */
const FIRST_RULE = Date.UTC(1800, 0, 1) / 1000;
const CYCLE = 146097 * DAY;

function yearStart(year: number): number {
  return dateFromCivil(year, 1, 1) * DAY + EPOCH_DIFFERENCE_SECONDS;
}

export interface TimeZone {
  readonly name: string;
  /** Set for zones with one offset for all times. */
  readonly fixedOffset: number | null;
  /** Seconds east of UTC at an instant (seconds since 1970). */
  offsetAt(unixSeconds: number): number;
  isDaylight(unixSeconds: number): boolean;
  abbreviationAt(unixSeconds: number): string;
}

class FixedZone implements TimeZone {
  readonly name: string;
  readonly fixedOffset: number;
  private readonly abbreviation: string;
  constructor(name: string, offset: number, abbreviation: string) {
    this.name = name;
    this.fixedOffset = offset;
    this.abbreviation = abbreviation;
  }
  offsetAt(): number {
    return this.fixedOffset;
  }
  isDaylight(): boolean {
    return false;
  }
  abbreviationAt(): string {
    return this.abbreviation;
  }
}

class RuleZone implements TimeZone {
  readonly name: string;
  readonly fixedOffset = null;
  private readonly formatter: Intl.DateTimeFormat;
  private readonly abbreviations: Intl.DateTimeFormat;
  /** Per year: transitions[i] is the first instant at which offsets[i + 1] holds. */
  private readonly years = new Map<number, { transitions: number[]; offsets: number[] }>();
  private readonly abbreviationCache = new Map<number, string>();
  private lastFrom = 1;
  private lastTo = 0;
  private lastOffset = 0;

  constructor(name: string, formatter: Intl.DateTimeFormat) {
    this.name = name;
    this.formatter = formatter;
    this.abbreviations = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'short' });
  }

  offsetAt(unixSeconds: number): number {
    if (unixSeconds >= this.lastFrom && unixSeconds < this.lastTo) return this.lastOffset;
    // Before the first rules local mean time holds; after the last year Intl can format, the calendar's 400-year cycle.
    let at = unixSeconds < FIRST_RULE ? FIRST_RULE : unixSeconds;
    if (at > INTL_LIMIT) at -= Math.ceil((at - INTL_LIMIT) / CYCLE) * CYCLE;
    const { year } = civilFromDate(Math.floor((at - EPOCH_DIFFERENCE_SECONDS) / DAY));
    const start = yearStart(year);
    const end = yearStart(year + 1);
    let known = this.years.get(year);
    if (known === undefined) {
      known = this.probe(start, Math.min(end, INTL_LIMIT), STEP);
      this.years.set(year, known);
    }
    const { transitions, offsets } = known;
    let index = 0;
    while (index < transitions.length && transitions[index]! <= at) index++;
    const offset = offsets[index]!;
    if (at === unixSeconds) {
      this.lastFrom = index === 0 ? start : transitions[index - 1]!;
      this.lastTo = index === transitions.length ? end : transitions[index]!;
      this.lastOffset = offset;
    }
    return offset;
  }

  isDaylight(unixSeconds: number): boolean {
    // Daylight time is the larger of the offsets around: compare with half a year before and after.
    const here = this.offsetAt(unixSeconds);
    return here > Math.min(this.offsetAt(unixSeconds - 182 * DAY), this.offsetAt(unixSeconds + 182 * DAY));
  }

  abbreviationAt(unixSeconds: number): string {
    const offset = this.offsetAt(unixSeconds);
    const key = offset * 2 + (this.isDaylight(unixSeconds) ? 1 : 0);
    let known = this.abbreviationCache.get(key);
    if (known === undefined) {
      const short =
        this.abbreviations
          .formatToParts(new Date(unixSeconds * 1000))
          .find((part) => part.type === 'timeZoneName')?.value ?? '';
      known = /^[A-Z]{3,5}$/.test(short)
        ? short
        : regionalAbbreviation(this.name, offset, this.isDaylight(unixSeconds));
      this.abbreviationCache.set(key, known);
    }
    return known;
  }

  private probe(from: number, to: number, step: number): { transitions: number[]; offsets: number[] } {
    const transitions: number[] = [];
    let offset = this.ask(from);
    const offsets = [offset];
    for (let at = from; at < to; ) {
      const next = Math.min(at + step, to);
      const nextOffset = this.ask(next);
      if (nextOffset !== offset) {
        let low = at;
        let high = next;
        while (high - low > 1) {
          const middle = Math.floor((low + high) / 2);
          if (this.ask(middle) === offset) low = middle;
          else high = middle;
        }
        if (high >= to) break;
        offset = this.ask(high);
        transitions.push(high);
        offsets.push(offset);
        at = high;
      } else at = next;
    }
    return { transitions, offsets };
  }

  /** One offset from Intl. */
  private ask(unixSeconds: number): number {
    let year = 0;
    let month = 0;
    let day = 0;
    let hour = 0;
    let minute = 0;
    let second = 0;
    let isBefore = false;
    for (const part of this.formatter.formatToParts(new Date(unixSeconds * 1000))) {
      switch (part.type) {
        case 'year':
          year = Number(part.value);
          break;
        case 'month':
          month = Number(part.value);
          break;
        case 'day':
          day = Number(part.value);
          break;
        case 'hour':
          hour = Number(part.value) % 24;
          break;
        case 'minute':
          minute = Number(part.value);
          break;
        case 'second':
          second = Number(part.value);
          break;
        case 'era':
          isBefore = part.value.startsWith('B');
          break;
      }
    }
    const days = dateFromCivil(isBefore ? 1 - year : year, month, day);
    return days * DAY + hour * 3600 + minute * 60 + second + EPOCH_DIFFERENCE_SECONDS - unixSeconds;
  }
}

/** Abbreviations the runtime does not know, by region; others print as an offset, as the IANA data does for many zones. */
function regionalAbbreviation(name: string, offset: number, isDaylight: boolean): string {
  if (name.startsWith('Europe/') || name.startsWith('Arctic/') || name === 'CET' || name === 'MET') {
    if (name === 'Europe/Moscow' || name === 'Europe/Simferopol') return 'MSK';
    if (name === 'Europe/London' || name === 'Europe/Dublin')
      return isDaylight ? (name === 'Europe/London' ? 'BST' : 'IST') : 'GMT';
    if (!/Istanbul|Minsk|Samara|Saratov|Ulyanovsk|Astrakhan/.test(name)) {
      const standard = offset - (isDaylight ? 3600 : 0);
      if (standard === 0) return isDaylight ? 'WEST' : 'WET';
      if (standard === 3600) return isDaylight ? 'CEST' : 'CET';
      if (standard === 7200) return isDaylight ? 'EEST' : 'EET';
    }
  }
  // Offsets with seconds are local mean times.
  if (offset % 60 !== 0) return 'LMT';
  const known = OTHER_ABBREVIATIONS[name];
  if (known !== undefined) return isDaylight ? (known[1] ?? known[0]) : known[0];
  const magnitude = Math.abs(offset);
  const hours = Math.floor(magnitude / 3600)
    .toString()
    .padStart(2, '0');
  const minutes = Math.floor((magnitude % 3600) / 60);
  return `${offset < 0 ? '-' : '+'}${hours}${minutes === 0 ? '' : minutes.toString().padStart(2, '0')}`;
}

const OTHER_ABBREVIATIONS: Readonly<Record<string, readonly [string, string?]>> = {
  'Asia/Tokyo': ['JST'],
  Japan: ['JST'],
  'Asia/Seoul': ['KST'],
  'Asia/Shanghai': ['CST', 'CDT'],
  'Asia/Taipei': ['CST', 'CDT'],
  'Asia/Hong_Kong': ['HKT', 'HKST'],
  'Asia/Kolkata': ['IST'],
  'Asia/Calcutta': ['IST'],
  'Asia/Karachi': ['PKT', 'PKST'],
  'Asia/Manila': ['PST', 'PDT'],
  'Asia/Jakarta': ['WIB'],
  'Asia/Jerusalem': ['IST', 'IDT'],
  'Asia/Beirut': ['EET', 'EEST'],
  'Australia/Sydney': ['AEST', 'AEDT'],
  'Australia/Melbourne': ['AEST', 'AEDT'],
  'Australia/Hobart': ['AEST', 'AEDT'],
  'Australia/Brisbane': ['AEST', 'AEDT'],
  'Australia/Adelaide': ['ACST', 'ACDT'],
  'Australia/Darwin': ['ACST', 'ACDT'],
  'Australia/Perth': ['AWST', 'AWDT'],
  'Pacific/Auckland': ['NZST', 'NZDT'],
  'Pacific/Guam': ['ChST'],
  'Africa/Cairo': ['EET', 'EEST'],
  'Africa/Johannesburg': ['SAST'],
  'Africa/Lagos': ['WAT'],
  'Africa/Nairobi': ['EAT'],
  'Africa/Maputo': ['CAT'],
};

const zones = new Map<string, TimeZone | null>();
const UTC_NAMES = new Set([
  'utc',
  'gmt',
  'etc/utc',
  'etc/gmt',
  'zulu',
  'uct',
  'universal',
  'etc/zulu',
  'etc/uct',
  'etc/universal',
  'greenwich',
  'etc/greenwich',
  'gmt0',
  'etc/gmt0',
]);
const MAX_CACHED_ZONES = 2000;

export const UTC: TimeZone = new FixedZone('UTC', 0, 'UTC');

/** Looks a zone up by IANA name (any case), POSIX form (`EST5`, `<+03>-3`) or plain offset; null when unknown. */
export function findZone(name: string): TimeZone | null {
  const exact = zones.get(name);
  if (exact !== undefined) return exact;
  const found = createZone(name);
  if (zones.size > MAX_CACHED_ZONES) zones.clear();
  zones.set(name, found);
  return found;
}

function createZone(name: string): TimeZone | null {
  const lower = name.toLowerCase();
  if (UTC_NAMES.has(lower)) {
    const shown = lower.includes('/')
      ? `Etc/${lower.slice(4).toUpperCase()}`
      : lower === 'zulu' || lower === 'universal' || lower === 'greenwich'
        ? `${lower[0]!.toUpperCase()}${lower.slice(1)}`
        : name.toUpperCase();
    return new FixedZone(shown, 0, lower.includes('gmt') || lower.includes('greenwich') ? 'GMT' : 'UTC');
  }
  if (name.length > 255 || name.length === 0) return null;
  // Intl also takes offsets like +05:30, whose sign convention differs from PostgreSQL's: only names reach it.
  if (/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) {
    try {
      const formatter = new Intl.DateTimeFormat('en-US', {
        timeZone: name,
        calendar: 'gregory',
        hourCycle: 'h23',
        era: 'short',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
      if (name.length > 3 || /^(est|mst|hst|cet|met|eet|wet|prc|roc|rok)$/.test(lower))
        return new RuleZone(displayName(name), formatter);
    } catch {
      // not an IANA name
    }
  }
  return posixZone(name);
}

let canonicalNames: Map<string, string> | null = null;
/** The spelling of the IANA data for a name given in any case. */
function displayName(name: string): string {
  canonicalNames ??= new Map(Intl.supportedValuesOf('timeZone').map((zone) => [zone.toLowerCase(), zone]));
  const known = canonicalNames.get(name.toLowerCase());
  if (known !== undefined) return known;
  if (name !== name.toLowerCase()) return name;
  return name.replace(
    /(^|[/_-])([a-z])/g,
    (_, before: string, letter: string) => before + letter.toUpperCase(),
  );
}

/** POSIX names: abbreviation and hours west of UTC, without daylight-saving rules. */
function posixZone(name: string): TimeZone | null {
  // Also without a name: +05:30 is west of UTC as POSIX has it. (SET TIME ZONE reads plain numbers itself.)
  const match =
    /^(?:([A-Za-z]{3,})|<([A-Za-z0-9+-]+)>|(?=[+\-\d]))([+-]?)(\d{1,2})(?::(\d{1,2})(?::(\d{1,2}))?)?$/.exec(
      name,
    );
  if (match === null) return null;
  const seconds = Number(match[4]) * 3600 + Number(match[5] ?? 0) * 60 + Number(match[6] ?? 0);
  if (Number(match[4]) > 167) return null;
  const west = match[3] === '-' ? -seconds : seconds;
  return new FixedZone(name, 0 - west, match[1] ?? match[2] ?? '');
}

/** A zone with a constant offset in seconds east, named as PostgreSQL names `SET TIME ZONE` intervals. */
export function fixedZone(offsetEast: number): TimeZone {
  const magnitude = Math.abs(offsetEast);
  const two = (value: number): string => value.toString().padStart(2, '0');
  const hours = Math.floor(magnitude / 3600);
  const minutes = Math.floor((magnitude % 3600) / 60);
  const seconds = magnitude % 60;
  const text = `${two(hours)}${minutes !== 0 || seconds !== 0 ? `:${two(minutes)}` : ''}${seconds !== 0 ? `:${two(seconds)}` : ''}`;
  const sign = offsetEast < 0 ? '-' : '+';
  return new FixedZone(`<${sign}${text}>${sign === '-' ? '+' : '-'}${text}`, offsetEast, `${sign}${text}`);
}

/** The zone of a session; settings are validated when set, so an unknown name is an error of the caller. */
export function zoneByName(name: string): TimeZone {
  const zone = findZone(name);
  if (zone === null) throw new DbError('invalid_parameter_value', `time zone "${name}" not recognized`);
  return zone;
}

/** Offset (seconds east) of an input abbreviation, null when unknown. */
export function abbreviationOffset(abbreviation: string): { offset: number; isDaylight: boolean } | null {
  const lower = abbreviation.toLowerCase();
  if (!Object.hasOwn(ZONE_ABBREVIATIONS, lower)) return null;
  const known = ZONE_ABBREVIATIONS[lower]!;
  return { offset: known[0], isDaylight: known[1] };
}

/**
 * Offset for a local time (seconds since 1970 as if local were UTC). In a gap the time is read with the offset before the
 * change, in an overlap with standard time: PostgreSQL's rule.
 */
export function offsetForLocal(zone: TimeZone, localSeconds: number): number {
  if (zone.fixedOffset !== null) return zone.fixedOffset;
  const before = zone.offsetAt(localSeconds - DAY);
  const after = zone.offsetAt(localSeconds + DAY);
  if (before === after && zone.offsetAt(localSeconds - before) === before) return before;
  // Find the change near this local time: the instant between both candidate readings.
  const first = zone.offsetAt(localSeconds - before);
  const second = zone.offsetAt(localSeconds - after);
  const beforeHolds = first === before;
  const afterHolds = second === after;
  if (beforeHolds && afterHolds) {
    if (before === after) return before;
    // Overlap: both readings exist; the standard-time one wins.
    return zone.isDaylight(localSeconds - before) && !zone.isDaylight(localSeconds - after)
      ? after
      : zone.isDaylight(localSeconds - after)
        ? before
        : after;
  }
  if (beforeHolds) return before;
  if (afterHolds) return after;
  // Gap: neither reading exists.
  return before;
}

function floorSeconds(timestamp: bigint): number {
  return timestampDays(timestamp) * DAY + Math.floor(timestampTime(timestamp) / MICROSECONDS_PER_SECOND);
}

/** Offset (seconds east) in force at a timestamptz. */
export function offsetAtTimestamp(zone: TimeZone, timestamp: bigint): number {
  if (zone.fixedOffset !== null) return zone.fixedOffset;
  return zone.offsetAt(floorSeconds(timestamp) + EPOCH_DIFFERENCE_SECONDS);
}

/** timestamptz to local timestamp. */
export function toLocal(zone: TimeZone, timestamp: bigint): bigint {
  if (!isFiniteTimestamp(timestamp)) return timestamp;
  const offset = offsetAtTimestamp(zone, timestamp);
  return offset === 0 ? timestamp : timestamp + BigInt(offset) * 1_000_000n;
}

/** Local timestamp to timestamptz. */
export function fromLocal(zone: TimeZone, timestamp: bigint): bigint {
  if (!isFiniteTimestamp(timestamp)) return timestamp;
  const offset = offsetForLocal(zone, floorSeconds(timestamp) + EPOCH_DIFFERENCE_SECONDS);
  return offset === 0 ? timestamp : timestamp - BigInt(offset) * 1_000_000n;
}
