/**
 * Splits date/time text into fields, and the words PostgreSQL knows there.
 *
 * Rules as in the PostgreSQL 15 manual, appendix B.1 ("Date/Time Input Interpretation").
 */

export type FieldKind = 'number' | 'date' | 'time' | 'zone' | 'string' | 'special';

export interface DateTimeField {
  readonly kind: FieldKind;
  readonly text: string;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
function isAlpha(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
}
function isPunctuation(code: number): boolean {
  return (
    (code >= 33 && code <= 47) ||
    (code >= 58 && code <= 64) ||
    (code >= 91 && code <= 96) ||
    (code >= 123 && code <= 126)
  );
}

const MAX_FIELDS = 25;

/** Fields of `text`, or null when it cannot be split. */
export function splitDateTime(text: string): DateTimeField[] | null {
  const fields: DateTimeField[] = [];
  const length = text.length;
  let at = 0;
  const code = (offset = 0): number => (at + offset < length ? text.charCodeAt(at + offset) : 0);
  while (at < length) {
    const first = code();
    if (first === 32 || (first >= 9 && first <= 13)) {
      at++;
      continue;
    }
    const start = at;
    let kind: FieldKind;
    if (isDigit(first)) {
      while (isDigit(code())) at++;
      const next = code();
      if (next === 58) {
        kind = 'time';
        while (isDigit(code()) || code() === 58 || code() === 46) at++;
      } else if (next === 45 || next === 47 || next === 46) {
        const delimiter = next;
        at++;
        if (isDigit(code())) {
          kind = delimiter === 46 ? 'number' : 'date';
          while (isDigit(code())) at++;
          if (code() === delimiter) {
            kind = 'date';
            at++;
            while (isDigit(code()) || code() === delimiter) at++;
          }
        } else {
          kind = 'date';
          while (isDigit(code()) || isAlpha(code()) || code() === delimiter) at++;
        }
      } else kind = 'number';
    } else if (first === 46) {
      at++;
      while (isDigit(code())) at++;
      kind = 'number';
    } else if (isAlpha(first)) {
      kind = 'string';
      while (isAlpha(code())) at++;
      const next = code();
      let isDate = next === 45 || next === 47 || next === 46;
      if (!isDate && (next === 43 || isDigit(next)))
        isDate = !Object.hasOwn(DATE_WORDS, wordKey(text.slice(start, at)));
      if (isDate) {
        kind = 'date';
        while (isDigit(code()) || isAlpha(code()) || [43, 45, 47, 95, 46, 58].includes(code())) at++;
      }
    } else if (first === 43 || first === 45) {
      at++;
      while (code() === 32 || (code() >= 9 && code() <= 13)) at++;
      let body: string;
      const bodyStart = at;
      if (isDigit(code())) {
        kind = 'zone';
        while (isDigit(code()) || code() === 58 || code() === 46 || code() === 45) at++;
        body = text.slice(bodyStart, at);
      } else if (isAlpha(code())) {
        kind = 'special';
        while (isAlpha(code())) at++;
        body = text.slice(bodyStart, at).toLowerCase();
      } else return null;
      fields.push({ kind, text: String.fromCharCode(first) + body });
      if (fields.length > MAX_FIELDS) return null;
      continue;
    } else if (isPunctuation(first)) {
      at++;
      continue;
    } else return null;
    const slice = text.slice(start, at);
    fields.push({ kind, text: kind === 'string' || kind === 'date' ? slice.toLowerCase() : slice });
    if (fields.length > MAX_FIELDS) return null;
  }
  return fields;
}

/** Words are compared by their first ten letters. */
export function wordKey(word: string): string {
  return word.slice(0, 10).toLowerCase();
}

export type WordType =
  | 'reserved'
  | 'month'
  | 'weekday'
  | 'ampm'
  | 'era'
  | 'units'
  | 'isotime'
  | 'ignore'
  | 'daylight'
  | 'ago';
export interface DateWord {
  readonly type: WordType;
  readonly value: number | string;
}

const word = (type: WordType, value: number | string): DateWord => ({ type, value });

export const DATE_WORDS: Readonly<Record<string, DateWord>> = {
  '-infinity': word('reserved', 'early'),
  ad: word('era', 'ad'),
  allballs: word('reserved', 'zulu'),
  am: word('ampm', 'am'),
  apr: word('month', 4),
  april: word('month', 4),
  at: word('ignore', 0),
  aug: word('month', 8),
  august: word('month', 8),
  bc: word('era', 'bc'),
  d: word('units', 'day'),
  dec: word('month', 12),
  december: word('month', 12),
  dow: word('units', 'dow'),
  doy: word('units', 'doy'),
  dst: word('daylight', 3600),
  epoch: word('reserved', 'epoch'),
  feb: word('month', 2),
  february: word('month', 2),
  fri: word('weekday', 5),
  friday: word('weekday', 5),
  h: word('units', 'hour'),
  infinity: word('reserved', 'late'),
  isodow: word('units', 'isodow'),
  isoyear: word('units', 'isoyear'),
  j: word('units', 'julian'),
  jan: word('month', 1),
  january: word('month', 1),
  jd: word('units', 'julian'),
  jul: word('month', 7),
  julian: word('units', 'julian'),
  july: word('month', 7),
  jun: word('month', 6),
  june: word('month', 6),
  m: word('units', 'month'),
  mar: word('month', 3),
  march: word('month', 3),
  may: word('month', 5),
  mm: word('units', 'minute'),
  mon: word('weekday', 1),
  monday: word('weekday', 1),
  nov: word('month', 11),
  november: word('month', 11),
  now: word('reserved', 'now'),
  oct: word('month', 10),
  october: word('month', 10),
  on: word('ignore', 0),
  pm: word('ampm', 'pm'),
  s: word('units', 'second'),
  sat: word('weekday', 6),
  saturday: word('weekday', 6),
  sep: word('month', 9),
  sept: word('month', 9),
  september: word('month', 9),
  sun: word('weekday', 0),
  sunday: word('weekday', 0),
  t: word('isotime', 'time'),
  thu: word('weekday', 4),
  thur: word('weekday', 4),
  thurs: word('weekday', 4),
  thursday: word('weekday', 4),
  today: word('reserved', 'today'),
  tomorrow: word('reserved', 'tomorrow'),
  tue: word('weekday', 2),
  tues: word('weekday', 2),
  tuesday: word('weekday', 2),
  wed: word('weekday', 3),
  wednesday: word('weekday', 3),
  weds: word('weekday', 3),
  y: word('units', 'year'),
  yesterday: word('reserved', 'yesterday'),
};

export function dateWord(text: string): DateWord | null {
  const key = wordKey(text);
  return Object.hasOwn(DATE_WORDS, key) ? DATE_WORDS[key]! : null;
}

export type IntervalUnit =
  | 'microsecond'
  | 'millisecond'
  | 'second'
  | 'minute'
  | 'hour'
  | 'day'
  | 'week'
  | 'month'
  | 'quarter'
  | 'year'
  | 'decade'
  | 'century'
  | 'millennium';
/** Units of interval input and of extract and date_trunc. */
export type DateUnit =
  | IntervalUnit
  | 'timezone'
  | 'timezone_hour'
  | 'timezone_minute'
  | 'dow'
  | 'doy'
  | 'isodow'
  | 'isoyear'
  | 'julian'
  | 'epoch'
  | 'ago';

const UNIT_WORDS: Readonly<Record<string, DateUnit>> = {
  '@': 'ago',
  ago: 'ago',
  c: 'century',
  cent: 'century',
  centuries: 'century',
  century: 'century',
  d: 'day',
  day: 'day',
  days: 'day',
  dec: 'decade',
  decade: 'decade',
  decades: 'decade',
  decs: 'decade',
  h: 'hour',
  hour: 'hour',
  hours: 'hour',
  hr: 'hour',
  hrs: 'hour',
  m: 'minute',
  microsecon: 'microsecond',
  mil: 'millennium',
  millennia: 'millennium',
  millennium: 'millennium',
  millisecon: 'millisecond',
  mils: 'millennium',
  min: 'minute',
  mins: 'minute',
  minute: 'minute',
  minutes: 'minute',
  mon: 'month',
  mons: 'month',
  month: 'month',
  months: 'month',
  ms: 'millisecond',
  msec: 'millisecond',
  msecond: 'millisecond',
  mseconds: 'millisecond',
  msecs: 'millisecond',
  qtr: 'quarter',
  quarter: 'quarter',
  s: 'second',
  sec: 'second',
  second: 'second',
  seconds: 'second',
  secs: 'second',
  timezone: 'timezone',
  timezone_h: 'timezone_hour',
  timezone_m: 'timezone_minute',
  us: 'microsecond',
  usec: 'microsecond',
  usecond: 'microsecond',
  useconds: 'microsecond',
  usecs: 'microsecond',
  w: 'week',
  week: 'week',
  weeks: 'week',
  y: 'year',
  year: 'year',
  years: 'year',
  yr: 'year',
  yrs: 'year',
};

export function unitWord(text: string): DateUnit | null {
  const key = wordKey(text);
  return Object.hasOwn(UNIT_WORDS, key) ? UNIT_WORDS[key]! : null;
}

/** Units for extract and date_trunc: unit words first, then field words (dow, doy, epoch, julian …). */
export function extractUnit(text: string): DateUnit | null {
  const lower = text.toLowerCase();
  const unit = unitWord(lower);
  if (unit !== null && unit !== 'ago') return unit;
  const special = dateWord(lower);
  if (special === null) return null;
  if (special.type === 'units') return special.value as DateUnit;
  return special.value === 'epoch' ? 'epoch' : null;
}
