create type mood as enum ('sad', 'ok', 'happy');
create domain positive as int check (value > 0);
create type pair as (x int, y text);
create table numbers (id int primary key, i2 smallint, i4 int, i8 bigint, n numeric, m numeric(10,2), f4 real, f8 float8, b bool);
create table words (id int primary key, t text, v varchar(20), c char(5), y bytea, u uuid, j jsonb, ta text[], ia int[]);
create table times (id int primary key, d date, h time, ts timestamp, tz timestamptz, iv interval, r int4range);
insert into numbers values
  (1, 1, 1, 1, 1, 1.10, 1.5, 1.5, true), (2, -1, -1, -1, -1.5, -1.25, -0.25, -0.25, false), (3, 0, 0, 0, 0, 0, 0, 0, null),
  (4, null, null, null, null, null, null, null, true), (5, 32767, 2147483647, 9223372036854775807, 1e20, 99999999.99, 3e38, 1e300, false),
  (6, -32768, -2147483648, -9223372036854775808, -0.000001, -99999999.99, 1e-37, 1e-300, true),
  (7, 7, 42, 1000000000000, 123456789.987654321, 3.14, 'infinity', '-infinity', true), (8, 12, 42, -5, 'NaN', 0.01, 'NaN', 'NaN', false),
  (9, 12, 100, 77, 2.50, 2.50, 2.5, 2.5, true), (10, 3, -7, 3, 10.0, 10.00, 100, 1e10, null);
insert into words values
  (1, 'alpha', 'beta', 'gamma', '\x0102', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1, "b": [1, 2, null], "c": {"d": "x"}}', '{a,b,c}', '{1,2,3}'),
  (2, '', '', '', '\x', '00000000-0000-0000-0000-000000000000', '[]', '{}', '{}'),
  (3, null, null, null, null, null, null, null, null),
  (4, 'Hello World', 'hello', 'ab', '\xff00', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '[1, "two", 3.50, true]', '{"x y",NULL}', '{5,NULL,5}'),
  (5, 'a,b,,c', '  pad ', 'x', '\x61', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '"text"', '{z}', '{-1}'),
  (6, '123', '-4.5', '12', '\x313233', null, '12.0', '{1,2}', '{{1,2},{3,4}}'),
  (7, 'ünïcode ßtr', 'ÄÖ', 'é', '\xc3a9', '12345678-1234-1234-1234-1234567890ab', 'null', '{ü}', '{2147483647}'),
  (8, 'a\b%c_d', 'x''y', '%', '\x00', null, '{"a": {"b": [{"c": 1}, {"c": 2}]}}', '{a,a}', '{3,1,2}');
insert into times values
  (1, '2024-02-29', '12:34:56.789', '2024-02-29 23:59:59.999999', '2024-03-10 10:00:00+00', '1 year 2 mons 3 days 04:05:06', '[1,5)'),
  (2, '1970-01-01', '00:00', '1970-01-01 00:00:00', '1970-01-01 00:00:00+00', '0', 'empty'),
  (3, null, null, null, null, null, null),
  (4, 'infinity', '24:00:00', 'infinity', '-infinity', '-1 mon +40 days', '(,3]'),
  (5, '0044-03-15 BC', '23:59:59.999999', '0001-01-01 00:00:00 BC', '1883-11-18 12:00:00+00', '100 years', '[3,)'),
  (6, '1999-12-31', '06:00', '2000-01-01 12:00:00.5', '2021-06-30 23:59:59.5+00', '36:00:00', '[10,20)'),
  (7, '2023-10-29', '01:30', '2023-10-29 01:30:00', '2023-10-29 01:30:00+00', '-00:00:00.000001', '[4,4]');
create table things (id int primary key, ip inet, net cidr, mac macaddr, vb bit varying, hz timetz, mo mood, po positive, pr pair, js json,
  tv tsvector, pt point, nr numrange, dr daterange, mr int4multirange, na numeric[], da date[], nm name, ca money);
insert into things values
  (1, '192.168.1.5', '192.168.0.0/16', '08:00:2b:01:02:03', '101', '10:20:30+02', 'ok', 5, row(1, 'x'), '{"a": 1, "b": [1, 2]}',
    'cat:1A dog:2', '(1,2)', '[1.5,2.5)', '[2024-01-01,2024-02-01)', '{[1,3),[5,9)}', '{1.0,2.50}', '{2024-01-01}', 'name', '12.34'),
  (2, '10.0.0.1/8', '10.0.0.0/8', '00:00:00:00:00:00', '', '00:00-12', 'sad', 1, row(null, 'y'), '[]', '', '(0,0)', 'empty', 'empty', '{}',
    '{}', '{}', '', '0'),
  (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
  (4, '::1', '2001:db8::/32', 'ff:ff:ff:ff:ff:ff', '1111000011110000', '23:59:59.999999+15', 'happy', 2147483647, row(1, ''), '"text"',
    'a b c', '(-1.5,3e10)', '(,)', '(,2020-01-01)', '{(,)}', '{NaN,-Infinity,0}', '{infinity,NULL,-infinity}', 'A', '-92233720368547758.08'),
  (5, '192.168.1.5/24', '192.168.1.0/24', '08:00:2b:01:02:03', '0', '10:20:30+02', 'ok', 42, row(1, 'x'), '{"a": {"b": null}, "a": 2}',
    'fat:2B,4C rat:3', '(1,2)', '[2,2]', '[2024-01-15,)', '{[3,5)}', '{1.00,2.5}', '{2024-01-01,2024-12-31}', 'ünï', '0.01'),
  (6, 'fe80::1/64', '0.0.0.0/0', '12:34:56:78:9a:bc', '10', '12:00+05:30', 'sad', 7, row(2, 'x'), 'null', 'zebra', '(1e-10,-0)', '[0,1.5)',
    '[1999-12-31,2000-01-01]', '{[2147483646,2147483647)}', '{NULL}', '{NULL}', 'name', '1.00');
