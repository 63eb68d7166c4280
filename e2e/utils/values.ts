/** Random values of every type, from a seed: what PostgreSQL takes as text, edges first. */

export type Random = () => number;

/** Mulberry32: the same numbers for the same seed, 0 ≤ x < 1. */
export function randomOf(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export interface ValueType {
  readonly type: string;
  readonly edges: readonly string[];
  readonly make: (random: Random) => string;
}

const whole = (random: Random, below: number): number => Math.floor(random() * below);
const pick = <T>(random: Random, list: readonly T[]): T => list[whole(random, list.length)];
const digits = (random: Random, count: number): string =>
  Array.from({ length: count }, () => whole(random, 10)).join('');
const hex = (random: Random, bytes: number): string =>
  Array.from({ length: bytes }, () => whole(random, 256).toString(16).padStart(2, '0')).join('');
const two = (value: number): string => String(value).padStart(2, '0');
const bits = (random: Random, count: number): string =>
  Array.from({ length: count }, () => whole(random, 2)).join('');

function integer(bytes: number): (random: Random) => string {
  return (random) =>
    String(BigInt.asIntN(bytes * 8, BigInt(`0x${hex(random, bytes)}`)) >> BigInt(whole(random, bytes * 8)));
}

function numeric(random: Random): string {
  const sign = random() < 0.5 ? '-' : '';
  const before = digits(random, 1 + whole(random, pick(random, [3, 20, 60])));
  const after = whole(random, pick(random, [2, 10, 50]));
  return `${sign}${before}${after === 0 ? '' : `.${digits(random, after)}`}`;
}

function double(random: Random): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, whole(random, 4294967296));
  view.setUint32(4, whole(random, 4294967296));
  const value = view.getFloat64(0);
  return Number.isNaN(value) ? 'NaN' : value === 0 ? '-0' : String(value);
}

function single(random: Random): string {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, whole(random, 4294967296));
  const value = view.getFloat32(0);
  return Number.isNaN(value) ? 'NaN' : value === 0 ? '-0' : String(value);
}

/** Letters that have broken one tool or another. */
const PIECES: readonly string[] = [
  'a',
  'Z',
  '0',
  ' ',
  '  ',
  '\t',
  '\n',
  '\r\n',
  '\r',
  '"',
  '""',
  "'",
  '\\',
  '\\n',
  '\\N',
  '\\.',
  ',',
  ';',
  '|',
  '{',
  '}',
  '(',
  ')',
  'NULL',
  'null',
  'true',
  '=1+1',
  '@',
  '<b>',
  '</script>',
  '&amp;',
  '&',
  '%s',
  '$1',
  '${x}',
  '--',
  '/*',
  'ß',
  'ÿ',
  'Ω',
  'é',
  'e\u0301',
  '\u00a0',
  '\u200b',
  '\u200f',
  '\u202e',
  '\u2028',
  '\ufeff',
  '\ufffd',
  '中文',
  'हिन्दी',
  '😀',
  '👩‍👩‍👧',
  '𝒳',
  '\u0001',
  '\u001f',
  '\u007f',
  '\u0085',
];
export function text(random: Random, pieces = 12): string {
  let made = '';
  for (let count = whole(random, pieces); count > 0; count--) made += pick(random, PIECES);
  return made;
}

function date(random: Random): string {
  const year = pick(random, [1, 44, 1582, 1900, 1970, 2000, 2024, 9999, 12026, 294275]);
  return `${String(year).padStart(4, '0')}-${two(1 + whole(random, 12))}-${two(1 + whole(random, 28))}${random() < 0.2 && year < 4000 ? ' BC' : ''}`;
}
const time = (random: Random): string =>
  `${two(whole(random, 24))}:${two(whole(random, 60))}:${two(whole(random, 60))}.${digits(random, 6)}`;
const stamp = (random: Random): string => {
  const [day, era] = date(random).split(' ');
  return `${day} ${time(random)}${era === undefined ? '' : ' BC'}`;
};

function json(random: Random, depth = 3): string {
  const kind = whole(random, depth > 0 ? 7 : 5);
  if (kind === 0) return 'null';
  if (kind === 1) return random() < 0.5 ? 'true' : 'false';
  if (kind === 2) return numeric(random).replace(/^(-?)0+(?=\d)/, '$1');
  if (kind <= 4) return JSON.stringify(text(random, 6));
  const parts = Array.from({ length: whole(random, 4) }, (_, at) =>
    kind === 5
      ? json(random, depth - 1)
      : `${JSON.stringify(`${at}${text(random, 3)}`)} : ${json(random, depth - 1)}`,
  );
  const gap = pick(random, ['', ' ', '\n  ']);
  return kind === 5 ? `[${gap}${parts.join(`,${gap}`)}]` : `{${gap}${parts.join(`,${gap}`)}}`;
}

const quoted = (value: string): string => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
const point = (random: Random): string => `(${whole(random, 2000) / 8 - 100},${(random() - 0.5) * 1e6})`;
const address = (random: Random): string =>
  random() < 0.5
    ? Array.from({ length: 4 }, () => whole(random, 256)).join('.')
    : Array.from({ length: 8 }, () => whole(random, 65536).toString(16)).join(':');

export const VALUE_TYPES: readonly ValueType[] = [
  { type: 'boolean', edges: ['t', 'f'], make: (random) => (random() < 0.5 ? 't' : 'f') },
  { type: 'smallint', edges: ['-32768', '32767', '0'], make: integer(2) },
  { type: 'integer', edges: ['-2147483648', '2147483647'], make: integer(4) },
  {
    type: 'bigint',
    edges: ['-9223372036854775808', '9223372036854775807', '9007199254740993'],
    make: integer(8),
  },
  { type: 'oid', edges: ['0', '4294967295'], make: (random) => String(whole(random, 4294967296)) },
  {
    type: 'numeric',
    edges: ['NaN', 'Infinity', '-Infinity', '0.00', '-0', `${'9'.repeat(500)}.${'9'.repeat(500)}`, '1e-50'],
    make: numeric,
  },
  {
    type: 'numeric(20,4)',
    edges: ['9999999999999999.9999', '-0.0001'],
    make: (random) => `${digits(random, 1 + whole(random, 15))}.${digits(random, 4)}`,
  },
  { type: 'real', edges: ['NaN', 'Infinity', '-Infinity', '-0', '1e-45', '3.4028235e38'], make: single },
  {
    type: 'double precision',
    edges: ['NaN', 'Infinity', '-Infinity', '-0', '5e-324', '1.7976931348623157e308', '0.1', '1e22'],
    make: double,
  },
  {
    type: 'money',
    edges: ['-92233720368547758.08', '92233720368547758.07'],
    make: (random) => `${whole(random, 1e9)}.${digits(random, 2)}`,
  },
  { type: 'text', edges: ['', ' ', '\n', '\\.', 'NULL', 'x'.repeat(5000)], make: (random) => text(random) },
  {
    type: 'character varying(40)',
    edges: ['', ' '.repeat(40)],
    make: (random) => [...text(random)].slice(0, 40).join(''),
  },
  { type: 'character(12)', edges: ['', 'x  '], make: (random) => [...text(random, 6)].slice(0, 12).join('') },
  { type: '"char"', edges: ['', 'a'], make: (random) => pick(random, ['a', 'Z', '0', ' ', '"', '\\\\']) },
  {
    type: 'name',
    edges: ['', 'Mixed Case'],
    make: (random) => Buffer.from(text(random, 5)).subarray(0, 60).toString().replaceAll('\ufffd', ''),
  },
  {
    type: 'bytea',
    edges: ['\\x', '\\x00', '\\xff00ff'],
    make: (random) => `\\x${hex(random, whole(random, 40))}`,
  },
  { type: 'date', edges: ['infinity', '-infinity', '4713-01-01 BC', '5874897-12-31'], make: date },
  { type: 'time', edges: ['00:00:00', '24:00:00', '23:59:59.999999'], make: time },
  {
    type: 'time with time zone',
    edges: ['00:00:00+15:59', '12:00:00.000001-03:30'],
    make: (random) => `${time(random)}${pick(random, ['+00', '-08', '+05:45'])}`,
  },
  {
    type: 'timestamp',
    edges: ['infinity', '-infinity', '294276-12-31 23:59:59.999999', '4713-01-01 00:00:00 BC'],
    make: stamp,
  },
  {
    type: 'timestamp with time zone',
    edges: ['infinity', '-infinity', '2024-02-29 23:59:59.999999+00'],
    make: stamp,
  },
  {
    type: 'interval',
    edges: ['0', '-1 days +00:00:00.000001', '178000000 years'],
    make: (random) =>
      `${whole(random, 900) - 400} mons ${whole(random, 900) - 400} days ${pick(random, ['', '-'])}${time(random)}`,
  },
  { type: 'uuid', edges: ['00000000-0000-0000-0000-000000000000'], make: (random) => hex(random, 16) },
  { type: 'json', edges: ['{}', '[]', '"\\u0041"', '{"a": 1, "a": 2}', '9007199254740993'], make: json },
  { type: 'jsonb', edges: ['{}', '[]', '1.00', '{"b": 1, "a": 2}'], make: json },
  { type: 'inet', edges: ['0.0.0.0/0', '::/0', '::ffff:1.2.3.4'], make: (random) => address(random) },
  { type: 'cidr', edges: ['10.0.0.0/8', '::/0'], make: (random) => address(random) },
  { type: 'macaddr', edges: ['00:00:00:00:00:00'], make: (random) => hex(random, 6) },
  { type: 'macaddr8', edges: ['00:00:00:00:00:00:00:00'], make: (random) => hex(random, 8) },
  { type: 'bit(11)', edges: ['00000000000'], make: (random) => bits(random, 11) },
  { type: 'bit varying', edges: ['', '1'], make: (random) => bits(random, whole(random, 80)) },
  { type: 'point', edges: ['(0,-0)', '(1e300,1e-300)'], make: point },
  { type: 'lseg', edges: [], make: (random) => `[${point(random)},${point(random)}]` },
  { type: 'box', edges: [], make: (random) => `${point(random)},${point(random)}` },
  {
    type: 'path',
    edges: [],
    make: (random) =>
      `${pick(random, ['[]', '()'])[0] === '[' ? `[${point(random)},${point(random)}]` : `(${point(random)},${point(random)})`}`,
  },
  { type: 'polygon', edges: [], make: (random) => `(${point(random)},${point(random)},${point(random)})` },
  { type: 'circle', edges: [], make: (random) => `<${point(random)},${whole(random, 1000) / 7}>` },
  {
    type: 'int4range',
    edges: ['empty', '(,)'],
    make: (random) => `[${whole(random, 1000)},${1000 + whole(random, 1000)}${pick(random, [')', ']'])}`,
  },
  {
    type: 'numrange',
    edges: ['empty', '(,1.50]'],
    make: (random) => `(${digits(random, 3)}.${digits(random, 3)},1${digits(random, 6)})`,
  },
  {
    type: 'tsrange',
    edges: ['empty', '(-infinity,infinity)'],
    make: (random) => `["2001-01-01 ${time(random)}","2002-01-01 ${time(random)}")`,
  },
  {
    type: 'int4multirange',
    edges: ['{}'],
    make: (random) =>
      `{[${whole(random, 9)},${10 + whole(random, 9)}),[${30 + whole(random, 9)},${50 + whole(random, 9)})}`,
  },
  {
    type: 'integer[]',
    edges: ['{}', '{NULL}', '[2:3]={1,2}'],
    make: (random) =>
      `{${Array.from({ length: whole(random, 5) }, () => pick(random, ['NULL', integer(4)(random)])).join(',')}}`,
  },
  {
    type: 'text[]',
    edges: ['{}', '{""}', '{"NULL",NULL}'],
    make: (random) =>
      `{${Array.from({ length: whole(random, 5) }, () => quoted(text(random, 5))).join(',')}}`,
  },
  {
    type: 'numeric[]',
    edges: ['{{1.0,NaN},{0.00,NULL}}'],
    make: (random) => `{{${numeric(random)},${numeric(random)}},{${numeric(random)},NULL}}`,
  },
  { type: 'fidelity_mood', edges: [], make: (random) => pick(random, ['so so', 'very "good"', "it's bad"]) },
  {
    type: 'fidelity_pair',
    edges: ['(,)', '(1,"")'],
    make: (random) =>
      `(${integer(4)(random)},${`"${text(random, 5).replaceAll('\\', '\\\\').replaceAll('"', '""')}"`})`,
  },
  { type: 'fidelity_short', edges: [''], make: (random) => [...text(random, 4)].slice(0, 8).join('') },
  {
    type: 'pg_lsn',
    edges: ['0/0', 'FFFFFFFF/FFFFFFFF'],
    make: (random) => `${whole(random, 4294967296).toString(16)}/${whole(random, 4294967296).toString(16)}`,
  },
  {
    type: 'tsvector',
    edges: [''],
    make: (random) => `'w${digits(random, 3)}':${1 + whole(random, 90)}A 'x ''y':2`,
  },
  {
    type: 'tsquery',
    edges: [],
    make: (random) => `'a${digits(random, 2)}' & !'b' | 'c' <${1 + whole(random, 9)}> 'd':*`,
  },
  {
    type: 'jsonpath',
    edges: ['$'],
    make: (random) => `$.a[${whole(random, 100)}]?(@.b > ${whole(random, 100)})`,
  },
];

/** Types of the corpus' own. */
export const OWN_TYPES = `
create type fidelity_mood as enum ('so so', 'very "good"', 'it''s bad');
create type fidelity_pair as (number int, words text);
create domain fidelity_short as varchar(8);`;
