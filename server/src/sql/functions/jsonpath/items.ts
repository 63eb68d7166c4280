/** Values that flow through a path: jsonb values, and dates and times that `.datetime()` makes. */
import { DbError } from '../../../base/error.ts';
import { MICROSECONDS_PER_DAY_BIG } from '../../../types/calendar.ts';
import { dateToTimestampTz } from '../../../types/datetime-arithmetic.ts';
import { formatDate, formatTime, formatTimestampJson } from '../../../types/datetime-format.ts';
import { DEFAULT_FORMAT } from '../../../types/index.ts';
import type { TimeTz } from '../../../types/interval.ts';
import { isJsonArray } from '../../../types/json-text.ts';
import type { JsonValue } from '../../../types/jsonb.ts';
import { Numeric } from '../../../types/numeric.ts';
import { OID } from '../../../types/oid.ts';
import { fromLocal, offsetAtTimestamp, type TimeZone } from '../../../types/zone.ts';

/** A date or time; `offset` is the zone's seconds east of Greenwich where the text gave one. */
export class DateTimeItem {
  readonly type: number;
  readonly value: number | bigint | TimeTz;
  readonly offset: number;
  constructor(type: number, value: number | bigint | TimeTz, offset: number) {
    this.type = type;
    this.value = value;
    this.offset = offset;
  }
}

export type PathValue = JsonValue | DateTimeItem;

export function isDateTime(value: PathValue): value is DateTimeItem {
  return value instanceof DateTimeItem;
}

const TYPE_NAMES: Readonly<Record<number, string>> = {
  [OID.DATE]: 'date',
  [OID.TIME]: 'time without time zone',
  [OID.TIMETZ]: 'time with time zone',
  [OID.TIMESTAMP]: 'timestamp without time zone',
  [OID.TIMESTAMPTZ]: 'timestamp with time zone',
};

/** The name `.type()` gives. */
export function pathTypeName(value: PathValue): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'string') return 'string';
  if (value instanceof Numeric) return 'number';
  if (isDateTime(value)) return TYPE_NAMES[value.type]!;
  return isJsonArray(value) ? 'array' : 'object';
}

function offsetText(offset: number): string {
  const size = Math.abs(offset);
  const two = (part: number): string => String(part).padStart(2, '0');
  const hours = Math.floor(size / 3600);
  const minutes = Math.floor(size / 60) % 60;
  const seconds = size % 60;
  return `${offset < 0 ? '-' : '+'}${two(hours)}:${two(minutes)}${seconds === 0 ? '' : `:${two(seconds)}`}`;
}

/** The jsonb value of an item: dates and times in ISO 8601, with the zone they came with. */
export function toJson(value: PathValue): JsonValue {
  if (!isDateTime(value)) return value;
  switch (value.type) {
    case OID.DATE:
      return formatDate(value.value as number, DEFAULT_FORMAT);
    case OID.TIME:
      return formatTime(value.value as number);
    case OID.TIMETZ:
      return formatTime((value.value as TimeTz).microseconds) + offsetText(value.offset);
    case OID.TIMESTAMP:
      return formatTimestampJson(value.value as bigint, null);
    default: {
      const local = (value.value as bigint) + BigInt(value.offset) * 1_000_000n;
      return formatTimestampJson(local, null) + offsetText(value.offset);
    }
  }
}

/** How comparisons may convert between types with and without a zone. */
export interface ZoneUse {
  /** False in functions that must give the same answer in every session: then such a conversion is an error. */
  readonly isAllowed: boolean;
  readonly zone: () => TimeZone;
}

function needsZone(from: string, to: string): DbError {
  return new DbError(
    'feature_not_supported',
    `cannot convert value from ${from} to ${to} without time zone usage`,
    { hint: 'Use *_tz() function for time zone support.' },
  );
}

/** Position of a timestamp-like item on one axis; UTC microseconds when either side has a zone. */
function instant(item: DateTimeItem, isZoned: boolean, use: ZoneUse): bigint {
  switch (item.type) {
    case OID.DATE:
      // A date beyond the range of timestamps is later (earlier) than all of them.
      if (!isZoned) return BigInt(item.value as number) * MICROSECONDS_PER_DAY_BIG;
      if (!use.isAllowed) throw needsZone('date', 'timestamptz');
      return dateToTimestampTz(item.value as number, use.zone());
    case OID.TIMESTAMP:
      if (!isZoned) return item.value as bigint;
      if (!use.isAllowed) throw needsZone('timestamp', 'timestamptz');
      return fromLocal(use.zone(), item.value as bigint);
    default:
      return item.value as bigint;
  }
}

const order = (left: bigint | number, right: bigint | number): number =>
  left < right ? -1 : left > right ? 1 : 0;

/** Order of two dates or times; null when they cannot be compared. */
export function compareDateTimes(left: DateTimeItem, right: DateTimeItem, use: ZoneUse): number | null {
  const isTime = (item: DateTimeItem): boolean => item.type === OID.TIME || item.type === OID.TIMETZ;
  if (isTime(left) !== isTime(right)) return null;
  if (!isTime(left)) {
    const isZoned = left.type === OID.TIMESTAMPTZ || right.type === OID.TIMESTAMPTZ;
    return order(instant(left, isZoned, use), instant(right, isZoned, use));
  }
  if (left.type === OID.TIME && right.type === OID.TIME)
    return order(left.value as number, right.value as number);
  const zoned = (item: DateTimeItem): { time: number; offset: number } => {
    if (item.type === OID.TIMETZ) {
      return { time: (item.value as TimeTz).microseconds, offset: item.offset };
    }
    if (!use.isAllowed) throw needsZone('time', 'timetz');
    return { time: item.value as number, offset: offsetAtTimestamp(use.zone(), 0n) };
  };
  const a = zoned(left);
  const b = zoned(right);
  const instantOrder = order(a.time - a.offset * 1_000_000, b.time - b.offset * 1_000_000);
  return instantOrder !== 0 ? instantOrder : order(-a.offset, -b.offset);
}
