/** Values of each type written down, and the tables of `schema.sql`. Types have the names `pg_type` gives them. */

/** Written after a quoted value, without its type now and then: what an unknown literal becomes is part of the comparison. */
const QUOTED: Readonly<Record<string, readonly string[]>> = {
  name: ['abc', '', 'A Name'],
  bpchar: ['ab', 'x  ', ''],
  varchar: ['varying', ' v', ''],
  bytea: ['\\x00ff', '', 'ab'],
  date: ['2024-01-31', '1999-12-31', 'infinity', '0044-03-15 BC', '2020-02-29'],
  time: ['10:20:30.5', '00:00', '24:00'],
  timetz: ['10:20:30+02', '23:59:59.999999-12'],
  timestamp: ['2024-01-31 10:00', '0001-01-01 BC', '-infinity', '2020-02-29 23:59:59.999999'],
  timestamptz: ['2024-03-31 01:30+00', '-infinity', '2023-11-05 01:30-04'],
  interval: ['1 day', '-2 mons 3 days 04:00', '90 minutes', '1 year', '-00:00:01.5'],
  json: ['{"a": [1, {"b": null}], "a": 2}', '[]', '"s"', '[1, "x", 2.50]'],
  jsonb: ['{"a": [1, 2]}', '[]', '1.0', '"s"', '{"a": {"b": null}, "c": true}', 'null'],
  jsonpath: ['$.a[*]', 'strict $.a ? (@ > 1)', '$'],
  uuid: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  inet: ['192.168.1.5/24', '10.0.0.1', '::1/64', 'fe80::abcd'],
  cidr: ['192.168.0.0/16', '10.1.2.3/32', '2001:db8::/32'],
  macaddr: ['08:00:2b:01:02:03', 'ff:ff:ff:ff:ff:ff'],
  bit: ['1', '0'],
  varbit: ['10110', '', '1'],
  money: ['12.34', '-0.05', '1000000'],
  int8range: ['[1,10)', 'empty', '(,5]'],
  int4range: ['[1,10)', 'empty', '(3,7]'],
  numrange: ['[1.5,2.5]', '(,)', '(1.0,1.0]'],
  daterange: ['[2024-01-01,2024-02-01)', '(,2020-01-01]'],
  tsrange: ['[2024-01-01 10:00,2024-01-02)', 'empty'],
  int4multirange: ['{[1,3),[5,9)}', '{}', '{(,0),[100,)}'],
  nummultirange: ['{[1.1,2.2]}', '{}'],
  'int4[]': ['{1,2}', '{}', '{{1},{2}}', '{3,NULL,1}', '[0:1]={7,8}'],
  'text[]': ['{a,NULL}', '{}', '{"a b",c}', '{{a,b},{c,d}}'],
  'numeric[]': ['{1.0,2.50}', '{}'],
  'date[]': ['{2024-01-01,NULL}', '{}'],
  'float8[]': ['{1.5,-2}', '{}'],
  'bool[]': ['{t,f,NULL}', '{}'],
  tsvector: ["''cat'':1A ''dog'':2", '', "''a'' ''b'':3,5"],
  tsquery: ['cat & !dog', "''a'' <-> ''b''", 'x | y:*'],
  point: ['(1,2)', '(-0.5,3e2)', '(0,0)'],
  box: ['(1,2),(3,4)', '(0,0),(0,0)'],
  lseg: ['[(0,0),(1,1)]', '[(2,0),(2,5)]'],
  path: ['[(0,0),(1,1),(2,0)]', '((0,0),(1,1),(1,0))'],
  polygon: ['((0,0),(4,0),(4,4),(0,4))', '((1,1),(2,2),(3,0))'],
  circle: ['<(0,0),2>', '<(1,1),0>'],
  mood: ['sad', 'ok', 'happy'],
  oid: ['0', '1259', '4294967295'],
};

const BARE: Readonly<Record<string, readonly string[]>> = {
  int2: ['0::int2', '3::int2', '(-7)::int2', '32767::int2'],
  int4: ['0', '1', '-1', '5', '42', '2147483647', '(-2147483648)'],
  int8: ['0::int8', '3::int8', '9223372036854775807', '-5::int8', '10000000000'],
  numeric: [
    '0.0',
    '1.50',
    '-2.5',
    '1e10',
    '0.333',
    '12345678901234567890.123',
    "'NaN'::numeric",
    "'-Infinity'::numeric",
    '100.000',
  ],
  float8: ['0::float8', '1.5::float8', '-0.5::float8', "'infinity'::float8", "'-0'::float8", '1e15::float8'],
  float4: ['0::float4', '2.5::float4', '1e10::float4', "'nan'::float4", '0.1::float4'],
  bool: ['true', 'false'],
  text: [
    "'alpha'::text",
    "''::text",
    "'b'::text",
    "'Hello'::text",
    "'a,b'::text",
    "' x '::text",
    "'12'::text",
    "'äß€'::text",
  ],
  '"char"': [`'a'::"char"`, `''::"char"`],
  positive: ['1::positive', '77::positive'],
  pair: ["row(1, 'x')::pair", "row(null, 'y')::pair", "row(1, 'w')::pair"],
};

/** By type; each list has a null. */
export const LITERALS: Readonly<Record<string, readonly string[]>> = Object.fromEntries([
  ...Object.entries(BARE).map(([type, values]) => [type, [...values, `null::${type}`]] as const),
  ...Object.entries(QUOTED).map(
    ([type, values]) => [type, [...values.map((value) => `'${value}'::${type}`), `null::${type}`]] as const,
  ),
]);

/** The same without their types. */
export const UNTYPED: Readonly<Record<string, readonly string[]>> = Object.fromEntries([
  ...Object.entries(QUOTED).map(([type, values]) => [type, values.map((value) => `'${value}'`)] as const),
  ['int4', ["'7'", "' -3 '"]],
  ['numeric', ["'1.25'", '7']],
  ['float8', ["'1e3'", '2.5']],
  ['bool', ["'t'", "'off'"]],
  ['text', ["'abc'", "'10'", "''", 'null']],
]);

export const TYPES: readonly string[] = Object.keys(LITERALS);
/** Types whose values have an order and an equality. */
export const ORDERED_TYPES: readonly string[] = TYPES.filter(
  (type) => !['json', 'jsonpath', 'point', 'box', 'lseg', 'path', 'polygon', 'circle'].includes(type),
);
/** Types that come up often. */
export const COMMON_TYPES: readonly string[] = [
  'int4',
  'int8',
  'numeric',
  'float8',
  'text',
  'bool',
  'date',
  'timestamp',
  'timestamptz',
  'interval',
  'jsonb',
  'int4[]',
  'text[]',
];

export interface Column {
  readonly name: string;
  readonly type: string;
}

/** Each has the primary key `id`. */
export const TABLES: Readonly<Record<string, readonly Column[]>> = {
  numbers: columnsOf(
    'id int4, i2 int2, i4 int4, i8 int8, n numeric, m numeric, f4 float4, f8 float8, b bool',
  ),
  words: columnsOf('id int4, t text, v varchar, c bpchar, y bytea, u uuid, j jsonb, ta text[], ia int4[]'),
  times: columnsOf('id int4, d date, h time, ts timestamp, tz timestamptz, iv interval, r int4range'),
  things: columnsOf(
    'id int4, ip inet, net cidr, mac macaddr, vb varbit, hz timetz, mo mood, po positive, pr pair, js json, tv tsvector, ' +
      'pt point, nr numrange, dr daterange, mr int4multirange, na numeric[], da date[], nm name, ca money',
  ),
};
export const TABLE_NAMES: readonly string[] = Object.keys(TABLES);

function columnsOf(text: string): Column[] {
  return text.split(', ').map((pair) => {
    const [name, type] = pair.split(' ') as [string, string];
    return { name, type };
  });
}
