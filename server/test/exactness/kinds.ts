/** Types, how often they come, the settings they are tried under, and what is computed of two values a and b. */
import {
  type Dice,
  dateText,
  float4Text,
  float8Text,
  int8Text,
  intervalText,
  numericText,
  timestampText,
  timestamptzText,
  timeText,
  timetzText,
  ZONES,
} from './values.ts';

export interface Kind {
  readonly type: string;
  /** Share of all values. */
  readonly share: number;
  text(dice: Dice): string;
  settings(dice: Dice): Readonly<Record<string, string>>;
  readonly expressions: readonly string[];
}

const FITS = (expression: string): string =>
  `(${expression}) between -9223372036854775808 and 9223372036854775807`;
const TAME = (name: string): string => `(abs(${name}) between 1e-120 and 1e120 or ${name} = 0)`;
const TAME4 = (name: string): string => `(abs(${name}) between 1e-15 and 1e15 or ${name} = 0)`;
const YEARS = (name: string): string =>
  `isfinite(${name}) and extract(year from ${name}) between -4000 and 200000`;

const numbers = (): Record<string, string> => ({});
const floats = (dice: Dice): Record<string, string> => ({
  extra_float_digits: dice.pick(['1', '1', '1', '3', '0', '-2']),
});
const dates = (dice: Dice): Record<string, string> => ({
  datestyle: dice.pick(['ISO, MDY', 'ISO, MDY', 'SQL, DMY', 'Postgres, MDY', 'German, DMY']),
  timezone: dice.pick(ZONES),
  intervalstyle: dice.pick(['postgres', 'postgres_verbose', 'sql_standard', 'iso_8601']),
});
/** Spellings with the month first are read in this order only. */
const isoDates = (dice: Dice): Record<string, string> => ({ ...dates(dice), datestyle: 'ISO, MDY' });

const moments = (name: 'timestamp' | 'timestamptz'): string[] => [
  `case when ${YEARS('a')} and ${YEARS('b')} then a - b end`,
  `case when ${YEARS('a')} and ${YEARS('b')} then age(a, b) end`,
  `case when ${YEARS('a')} then a + interval '1 mon' end`,
  `case when ${YEARS('a')} then a - interval '1 year 3 mons 31 days 25:00:00.000001' end`,
  `case when ${YEARS('a')} then date_trunc('week', a) end`,
  `case when ${YEARS('a')} then date_trunc('quarter', a) end`,
  `case when ${YEARS('a')} then date_trunc('millennium', a) end`,
  `extract(epoch from a)`,
  `case when isfinite(a) then extract(julian from a) end`,
  `case when isfinite(a) then extract(isoyear from a) * 1000 + extract(week from a) * 10 + extract(isodow from a) end`,
  `case when isfinite(a) then date_part('doy', a) + date_part('century', a) end`,
  `case when ${YEARS('a')} then to_char(a, 'YYYY-MM-DD HH24:MI:SS.US BC J IYYY-IW-ID Q DDD WW') end`,
  'a < b',
  'a::date',
  name === 'timestamp' ? 'timestamp_hash(a)' : `timestamp_hash(a at time zone 'UTC')`,
  name === 'timestamp'
    ? `case when ${YEARS('a')} then a at time zone 'America/New_York' end`
    : `a at time zone 'Europe/London'`,
  name === 'timestamp' ? `case when ${YEARS('a')} then a::timestamptz end` : 'a::timestamp',
];

export const KINDS: readonly Kind[] = [
  {
    type: 'int8',
    share: 0.2,
    text: int8Text,
    settings: numbers,
    expressions: [
      `case when ${FITS('a::numeric + b')} then a + b end`,
      `case when ${FITS('a::numeric - b')} then a - b end`,
      `case when ${FITS('a::numeric * b')} then a * b end`,
      'case when b <> 0 and b <> -1 then a / b end',
      'case when b <> 0 then a % b end',
      'a & b',
      'a | b',
      'a # b',
      '~a',
      'a << (b & 63)::int',
      'a >> (b & 63)::int',
      'a::numeric * b',
      'a::float8',
      'a::float4',
      'a < b',
      'to_hex(a)',
      'hashint8(a)',
      'int8send(a)',
      'case when a between -2147483648 and 2147483647 then a::int4 end',
    ],
  },
  {
    type: 'numeric',
    share: 0.25,
    text: numericText,
    settings: numbers,
    expressions: [
      'a + b',
      'a - b',
      'a * b',
      'case when b <> 0 then a / b end',
      'case when b <> 0 then a % b end',
      'case when b <> 0 then div(a, b) end',
      'round(a, 3)',
      'round(a, -2)',
      'trunc(a, 2)',
      'ceil(a)',
      'floor(a)',
      'sign(a)',
      '-a',
      'scale(a)',
      'min_scale(a)',
      'trim_scale(a)',
      'a < b',
      'a = b',
      'hash_numeric(a)',
      'numeric_send(a)',
      `case when a >= 0 then sqrt(a) end`,
      `case when abs(a) between 0.001 and 50 then exp(a) end`,
      `case when a > 0 and a < 1e60 then ln(a) end`,
      `case when abs(a) < 1e300 and (abs(a) > 1e-300 or a = 0) then a::float8 end`,
      `case when abs(a) < 9e18 then a::int8 end`,
    ],
  },
  {
    type: 'float8',
    share: 0.15,
    text: float8Text,
    settings: floats,
    expressions: [
      `case when ${TAME('a')} and ${TAME('b')} then a + b end`,
      `case when ${TAME('a')} and ${TAME('b')} then a - b end`,
      `case when ${TAME('a')} and ${TAME('b')} then a * b end`,
      `case when ${TAME('a')} and ${TAME('b')} and b <> 0 then a / b end`,
      '-a',
      'abs(a)',
      'round(a)',
      'trunc(a)',
      'floor(a)',
      'ceil(a)',
      'sqrt(abs(a))',
      'a < b',
      'a = b',
      'float8send(a)',
      'hashfloat8(a)',
      'a::numeric',
      'case when abs(a) < 9e18 then a::int8 end',
      `case when ${TAME4('a')} then a::float4 end`,
    ],
  },
  {
    type: 'float4',
    share: 0.1,
    text: float4Text,
    settings: floats,
    expressions: [
      `case when ${TAME4('a')} and ${TAME4('b')} then a + b end`,
      `case when ${TAME4('a')} and ${TAME4('b')} then a - b end`,
      `case when ${TAME4('a')} and ${TAME4('b')} then a * b end`,
      `case when ${TAME4('a')} and ${TAME4('b')} and b <> 0 then a / b end`,
      '-a',
      'a::float8',
      'a::numeric',
      'a < b',
      'float4send(a)',
      'hashfloat4(a)',
      'case when abs(a) < 2e9 then a::int4 end',
    ],
  },
  {
    type: 'date',
    share: 0.05,
    text: dateText,
    settings: isoDates,
    expressions: [
      'case when isfinite(a) and isfinite(b) then a - b end',
      'case when isfinite(a) and extract(year from a) < 5000000 then a + 1000 end',
      'case when isfinite(a) then a - 0 end',
      `case when ${YEARS('a')} then a + interval '1 mon' end`,
      `case when ${YEARS('a')} then a::timestamp end`,
      `case when ${YEARS('a')} then a::timestamptz end`,
      'case when isfinite(a) then extract(isoyear from a) * 100 + extract(week from a) end',
      'extract(epoch from a)',
      `case when ${YEARS('a')} then to_char(a::timestamp, 'FMDay, FMDDth FMMonth YYYY AD') end`,
      'a < b',
      'date_send(a)',
    ],
  },
  {
    type: 'time',
    share: 0.025,
    text: timeText,
    settings: dates,
    expressions: [
      'a - b',
      `a + interval '25:30:00.5'`,
      'extract(epoch from a)',
      'a < b',
      'a::interval',
      'time_hash(a)',
      'a::time(3)',
    ],
  },
  {
    type: 'timetz',
    share: 0.025,
    text: timetzText,
    settings: dates,
    expressions: [
      'a < b',
      'a = b',
      `a at time zone interval '02:00'`,
      'extract(epoch from a)',
      'extract(timezone from a)',
      'timetz_hash(a)',
      'a::time',
      'a::timetz(2)',
    ],
  },
  {
    type: 'timestamp',
    share: 0.1,
    text: timestampText,
    settings: isoDates,
    expressions: moments('timestamp'),
  },
  {
    type: 'timestamptz',
    share: 0.05,
    text: timestamptzText,
    settings: isoDates,
    expressions: moments('timestamptz'),
  },
  {
    type: 'interval',
    share: 0.05,
    text: intervalText,
    settings: dates,
    expressions: [
      `case when extract(year from a) between -1000000 and 1000000 and extract(year from b) between -1000000 and 1000000 and abs(extract(day from a)) < 1000000 and abs(extract(day from b)) < 1000000 then a + b end`,
      `case when extract(year from a) between -1000000 and 1000000 and abs(extract(day from a)) < 1000000 then a * 1.5 end`,
      'a / 3',
      'justify_days(a * 0)',
      'a < b',
      'a = b',
      'extract(epoch from a)',
      'extract(month from a)',
      'interval_hash(a)',
      'interval_send(a)',
      `case when extract(year from a) between -4000 and 4000 and abs(extract(day from a)) < 1000000 and abs(extract(hour from a)) < 1000000 then timestamp '2001-02-28 12:00' + a end`,
    ],
  },
];
