/** Wrong statements, made systematically: a class of mistake times the places where it can be made. */

/** Objects the statements talk about. */
export const SETUP: readonly string[] = [
  "create type mood as enum ('sad', 'ok', 'happy')",
  'create domain posint as int check (value > 0)',
  'create type pair as (x int, y text)',
  'create table t (a int primary key, b text not null, c numeric(5,2), d date, e boolean, f int[], g jsonb, h mood, p posint, check (a < 1000))',
  'create table u (a int references t, x text unique, y timestamptz)',
  'create view v as select a, b from t where a > 1',
  'create sequence s maxvalue 2',
  "insert into t (a, b, c) values (1, 'one', 1.5), (2, 'two', 2.5), (3, 'three', null)",
  "insert into u values (1, 'x1'), (2, 'x2')",
];

export interface WrongStatement {
  readonly kind: string;
  readonly sql: string;
}

/** Replaces `@` in every pattern by every word. */
function cross(patterns: readonly string[], words: readonly string[]): string[] {
  return patterns.flatMap((pattern) => words.map((word) => pattern.replaceAll('@', word)));
}

const TYPES = [
  'int', 'int2', 'int8', 'numeric', 'float4', 'float8', 'boolean', 'text', 'date', 'time', 'timestamp',
  'timestamptz', 'interval', 'uuid', 'json', 'jsonb', 'bytea', 'int[]', 'text[]', 'mood', 'oid', 'pair',
] as const;

const VALUES: Readonly<Record<string, string>> = {
  int: '1',
  int8: '1::int8',
  numeric: '1.5',
  float8: '1.5::float8',
  boolean: 'true',
  text: "'x'::text",
  date: "date '2020-01-01'",
  time: "time '10:00'",
  timestamp: "timestamp '2020-01-01'",
  timestamptz: "timestamptz '2020-01-01 00:00+00'",
  interval: "interval '1 day'",
  uuid: "'00000000-0000-0000-0000-000000000000'::uuid",
  json: "'{}'::json",
  jsonb: "'{}'::jsonb",
  bytea: "'\\x00'::bytea",
  'int[]': 'array[1,2]',
  mood: "'ok'::mood",
  pair: "row(1,'x')::pair",
};

function undefinedNames(): string[] {
  return [
    ...cross(
      [
        'select @ from t', 'select t.@ from t', 'select x.@ from t x', 'select a from t where @ = 1',
        'select a from t order by @', 'select a from t group by @', 'select a from t group by a having @ > 1',
        'select count(*) filter (where @) from t', 'select sum(a) over (partition by @) from t',
        'select sum(a) over (order by @) from t', 'select distinct on (@) a from t',
        'insert into t (@) values (1)', 'insert into t (a, b) values (9, @)', 'update t set @ = 1',
        'update t set a = @', 'update t set a = 1 where @ > 2', 'delete from t where @ = 1',
        "insert into t (a, b) values (9, 'x') returning @", 'delete from t returning @',
        'select * from t join u on t.a = u.@', 'select * from t join u using (@)',
        'select (select @ from u) from t', 'select * from t where exists (select 1 from u where u.@ = t.a)',
        'create index on t (@)', 'create view w as select @ from t', 'alter table t drop column @',
        'alter table t alter column @ set not null', 'alter table t rename column @ to z',
        "insert into t (a, b) values (1, 'x') on conflict (@) do nothing",
        "insert into t (a, b) values (1, 'x') on conflict (a) do update set @ = 1",
        'merge into t using u on t.a = u.a when matched then update set @ = 1',
        'with q as (select a from t) select @ from q', 'select * from (select a from t) q where q.@ = 1',
        'create table z (a int, check (@ > 1))', 'create table z (a int, primary key (@))',
        'create table z (q int, foreign key (@) references t)', 'comment on column t.@ is null',
        'select * from t, lateral (select @) q', 'values (@)', 'copy t (@) to stdout', 'analyze t (@)',
        'alter table t add constraint k unique (@)', 'create statistics st on @, a from t',
      ],
      ['nosuch', 'aa', '"A"'],
    ),
    ...cross(
      [
        'select * from @', 'select * from @ x', 'select * from public.@', 'insert into @ values (1)',
        'update @ set a = 1', 'delete from @', 'truncate @', 'drop table @', 'alter table @ add column z int',
        'create index on @ (a)', 'create view w as select * from @', 'select @.a from t', 'select * from t join @ on true',
        'select (select 1 from @)', 'with q as (select * from @) select 1', 'lock table @', 'analyze @', 'vacuum @',
        'copy @ to stdout', 'create table z (a int references @)', 'create table z (like @)', 'grant select on @ to public',
        'comment on table @ is null', 'merge into @ using t on true when matched then do nothing',
        'alter table @ rename to q', "select '@'::regclass", 'drop view @', 'drop sequence @', "select nextval('@')",
        'alter sequence @ restart', 'refresh materialized view @', 'cluster @', 'reindex table @', 'drop index @',
        'drop materialized view @', 'alter view @ rename to q', 'alter index @ rename to q', 'drop trigger g on @',
        'table @', 'explain select * from @', 'select * from t for update of @',
      ],
      ['nosuch', 'tt', 'noschema.t'],
    ),
    ...cross(
      [
        'drop type @', 'create table z (a @)', 'select 1::@', "select cast('1' as @)", 'alter type @ rename to q',
        "select null::@[]", 'drop domain @', 'alter domain @ drop not null', 'create domain z as @',
        "alter type @ add value 'x'", 'comment on type @ is null', 'alter table t alter column a type @',
        'create table z of @', 'create sequence z as @', 'select @ \'x\'', 'create function z(@) returns int language sql as $$select 1$$',
        'create aggregate z(@) (sfunc = int4pl, stype = int)', 'create cast (@ as int) without function',
      ],
      ['nosuch', 'moood'],
    ),
    ...cross(
      ['drop schema @', 'create table @.z (a int)', 'drop role @', 'alter role @ login', 'grant @ to postgres', 'set role @',
        'drop database @', 'alter schema @ rename to q', 'drop extension @', 'create extension @', 'drop language @',
        'drop tablespace @', 'create table z (a int) tablespace @', 'create table z (a text collate @)', 'drop collation @',
        'drop publication @', 'drop function @', 'drop function @(int)', 'drop aggregate @(int)', 'drop procedure @()',
        'drop operator @ (int, int)', 'deallocate @', 'execute @', 'close @', 'fetch @', 'move @', 'set @ = 1', 'show @',
        'reset @', 'alter function @() volatile', 'call @()', 'drop rule @ on t', 'drop policy @ on t', 'drop trigger @ on t',
        'alter table t drop constraint @', 'alter table t validate constraint @', 'drop cast (@ as int)', 'drop access method @',
        'drop statistics @', 'savepoint x; rollback to @', 'release @', 'set constraints @ deferred', 'drop event trigger @',
        'drop server @', 'drop text search configuration @', 'alter table t owner to @', 'alter table t set schema @',
        'create index on t using @ (a)', 'select * from t tablesample @ (10)', "select 'x' collate @", 'revoke @ from postgres',
        'comment on schema @ is null', 'security label on table t is null'],
      ['nosuch'],
    ),
  ];
}

function functionCalls(): string[] {
  const args = Object.values(VALUES);
  return [
    ...cross(['select nosuch(@)', 'select upper(@)', 'select abs(@)', 'select length(@)', 'select sum(@)'], args),
    ...cross(
      ['select substr(@)', 'select round(@)', 'select date_trunc(@)', 'select lpad(@)', 'select array_append(@)', 'select coalesce(@)',
        'select to_char(@)', 'select now(@)', 'select generate_series(@)', 'select string_agg(@)', 'select nullif(@)', 'select greatest(@)'],
      ['', '1', "'x'", '1, 2', '1, true', "date '2020-01-01', 1", 'array[1], true', '*', 'distinct 1', 'variadic array[1]', 'a => 1'],
    ),
    'select upper(nosuch => 1)', 'select count()', 'select count(1, 2)', 'select count(distinct *)', 'select upper(distinct b) from t',
    'select upper(b order by b) from t', 'select upper(b) filter (where true) from t', 'select upper(b) over () from t',
    'select row_number() from t', 'select rank(1) from t', 'select percentile_cont(0.5) from t', 'select sum(a) within group (order by a) from t',
    'select mode() within group (order by a) over () from t', 'select lag(a) from t', 'select sum(sum(a)) from t',
    'select sum(a) over (order by sum(a) over ()) from t', 'select * from sum(1)', 'select * from upper(1)', 'select 1 from t where sum(a) > 1',
    'select a from t group by sum(a)', 'select a from t join u on sum(t.a) > 1', 'insert into t (a) values (sum(1))', 'update t set a = sum(a)',
    'delete from t where sum(a) > 1', 'delete from t returning sum(a)', 'select a from t limit sum(1)', 'select a from t where row_number() over () = 1',
    'select a from t group by a having row_number() over () = 1', 'select a from t limit a', 'select a from t limit (select a from t)',
    'select generate_series(1,2) from t where generate_series(1,2) = 1', 'select case when true then generate_series(1,2) end',
    'select coalesce(generate_series(1,2), 1)', 'update t set a = generate_series(1,2)', 'select sum(generate_series(1,2))',
    'select a from t group by a having generate_series(1,2) > 1', 'create table z (a int default generate_series(1,2))',
    'create table z (a int check ((select 1) > 0))', 'create table z (a int default (select 1))', 'create table z (a int check (sum(a) > 0))',
    'create index on t ((sum(a)))', 'create index on t ((random()))', 'create index on t (a) where random() > 0.5', 'create index on t ((select 1))',
    'create table z (a int, b int generated always as (random()) stored)', 'create table z (a int, b int generated always as (c) stored, c int generated always as (a) stored)',
    'select grouping(a) from t', 'select grouping(b) from t group by a', 'select a, grouping(a) from t group by b',
  ];
}

function operators(): string[] {
  const names = Object.keys(VALUES);
  const result: string[] = [];
  for (const left of names)
    for (const right of names) {
      result.push(`select ${VALUES[left]} + ${VALUES[right]}`);
      result.push(`select ${VALUES[left]} = ${VALUES[right]}`);
    }
  for (const name of names) {
    result.push(`select - ${VALUES[name]}`, `select not ${VALUES[name]}`, `select ${VALUES[name]} || 1`, `select ${VALUES[name]} like 'x'`);
    result.push(`select ${VALUES[name]} is true`, `select 1 where ${VALUES[name]}`, `select ${VALUES[name]} and true`, `select @#@ ${VALUES[name]}`);
    result.push(`select case when ${VALUES[name]} then 1 end`, `select ${VALUES[name]} in (1, 2)`, `select ${VALUES[name]} between 1 and 2`);
    result.push(`select (${VALUES[name]})[1]`, `select (${VALUES[name]}).z`, `select ${VALUES[name]} = any (1)`, `select ${VALUES[name]} = any ('{1}'::int[])`);
    result.push(`select 1 union select ${VALUES[name]}`, `select coalesce(1, ${VALUES[name]})`, `select array[1, ${VALUES[name]}]`, `values (1), (${VALUES[name]})`);
    result.push(`select case when true then 1 else ${VALUES[name]} end`, `select greatest(true, ${VALUES[name]})`, `select 1 limit ${VALUES[name]}`);
    result.push(`select ${VALUES[name]} at time zone 'UTC'`, `select ${VALUES[name]} collate "C"`, `select 1 where (1, 2) = (1, ${VALUES[name]})`);
    for (const column of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'p']) result.push(`update t set ${column} = ${VALUES[name]}`);
  }
  return result;
}

function casts(): string[] {
  const result: string[] = [];
  for (const [name, value] of Object.entries(VALUES))
    for (const type of TYPES) if (name !== 'text') result.push(`select (${value})::${type}`);
  return result;
}

function literals(): string[] {
  return cross(
    TYPES.map((type) => `select '@'::${type}`),
    ['', ' ', 'x', '1x', '1.5.5', '99999999999999999999999', '{1,2', '{"a":}', '2020-13-45', '25:61:00', '\\x0', '(1', 'nan', 'infinity',
      '--1', '1e400', '[1,2]', 'zzzzzzzz-0000-0000-0000-000000000000', '10:00 nowhere', '1 fortnight', '{{1},{2,3}}', '(1,2,3)', '"x'],
  );
}

function values(): string[] {
  return [
    'select 1/0', 'select 1.0/0', 'select 1::float8/0', 'select 1%0', 'select 2147483647 + 1', 'select -2147483648 - 1', 'select 2147483647 * 2',
    'select 32767::int2 + 1::int2', 'select 9223372036854775807 + 1', 'select (-9223372036854775808) / (-1)', 'select abs((-2147483648))',
    'select -(-2147483648)::int', 'select 1e308::float8 * 10', 'select 1e-308::float8 / 1e308', 'select 3e38::float4 * 10', 'select sqrt(-1)',
    'select sqrt(-1.0)', 'select ln(0)', 'select ln(-1.5)', 'select log(0.0)', 'select power(0, -1)', 'select power(-1, 0.5)', 'select exp(1000.0)',
    'select exp(1000::float8)', 'select factorial(-1)', 'select factorial(40000)', 'select acos(2)', 'select asin(2)', 'select 300::"char"', 'select chr(-1)',
    'select chr(0)', 'select chr(1114112)', "select repeat('x', 2000000000)", "select substring('abc' from 1 for -1)", "select overlay('abc' placing 'x' from 0)",
    "select lpad('x', 2000000000)", "select 'abc' ~ '('", "select 'abc' ~ '['", "select 'abc' ~ '*'", "select 'abc' ~ 'a{2,1}'", "select regexp_replace('a', '(', 'x')",
    "select 'abc' like 'a\\'", "select 'abc' like 'a' escape 'xx'", "select 'x' similar to 'a' escape 'xx'", "select regexp_match('a', 'a', 'g')",
    "select regexp_matches('a', 'a', 'z')", "select split_part('a', ',', 0)", "select string_to_array('a', ',')::int[]", "select to_number('x', '9')",
    "select to_date('x', 'YYYY')", "select to_date('2020-13-01', 'YYYY-MM-DD')", "select to_timestamp('x', 'HH24')", "select to_char(1, 'EEEE9')", "select to_date('1', 'J Y')",
    "select date '2020-02-30'", "select date '5874898-01-01'", "select timestamp '294277-01-01'", "select date 'infinity' - date 'infinity'", "select make_date(2020, 13, 1)",
    "select make_time(25, 0, 0)", "select make_timestamp(2020, 2, 30, 0, 0, 0)", "select extract(nosuch from now())", "select extract(hour from date '2020-01-01')",
    "select date_trunc('nosuch', now())", "select date_part('nosuch', interval '1 day')", "select now() at time zone 'nowhere'", "select age('x')", "set timezone = 'nowhere'",
    "select interval '1 nosuch'", "select interval '99999999999 years'", "select timestamp '2020-01-01' + interval '300000 years'", "select date_bin('1 month', now(), now())",
    "select array[1,2] || array[[[1]]]", "select array[[1],[2,3]]", "select array_fill(1, array[-1])", "select array_fill(1, null)", "select (array[1,2,3])[1:2:3]", "select array_position(array[[1]], 1)",
    "select array[]", "select array[1,'x']", "select unnest(1)", "select array_to_string(1, ',')", "select array_append(1, 2)", "select array_length(array[1])", "select cardinality(1)",
    "select '[1]'::jsonb -> 'a' -> 0 ->> true", "select jsonb_build_object(1)", "select jsonb_build_object(null, 1)", "select jsonb_object('{a}')", "select json_object('{a,b,c}')",
    "select jsonb_set('{}', '{}', '1', 'x')", "select jsonb_set('1', '{a}', '1')", "select jsonb_insert('[1]', '{x}', '2')", "select jsonb_array_elements('{}')", "select jsonb_array_length('{}')",
    "select jsonb_each('[]')", "select jsonb_object_keys('[]')", "select '{}'::jsonb::int", "select '\"x\"'::jsonb::int", "select '[1]'::jsonb::boolean", "select '{}'::jsonb - 1", "select '1'::jsonb - 1", "select '1'::jsonb - 'a'",
    "select '1'::jsonb || '{}'::jsonb #- '{a}'", "select '{\"a\":1}'::jsonb #- '{a,b}' - true", "select jsonb_path_query('{}', '$.')", "select '$.a['::jsonpath", "select decode('zz', 'hex')", "select decode('a', 'base64')", "select decode('x', 'nosuch')",
    "select encode('x', 'nosuch')", "select convert_from('\\xff', 'utf8')", "select convert_to('x', 'nosuch')", "select set_byte('x', 5, 0)", "select get_bit('x', 99)", "select md5(1)", "select sha256('x'::text)",
    "select nextval('s'), nextval('s'), nextval('s')", "select currval('s')", 'select lastval()', "select setval('s', 100)", "select 'sad'::mood + 1", "select 'angry'::mood", "select enum_range('x')", "select (-1)::posint", "select 0::posint",
    "select row(1,2) = row(1)", "select row(1,2) = 1", "select row() = row()", "select (1,2) in (select 1)", "select 1 in (select 1, 2)", "select (select 1, 2)", "select (select a from t)", "select array(select 1, 2)", "select exists (select)  + 1",
    "select (1, 2) < (1, 'x'::text, 3)", "select (row(1,2)).f3", "select (t).nosuch from t", "select t.* + 1 from t", "select (t.*).* .a from t", "select width_bucket(1, 1, 1, 0)", "select width_bucket(1, 2, 2, 5)", "select generate_series(1, 2, 0)",
    "select generate_series(now(), now(), interval '0')", "select ntile(0) over () from t", "select nth_value(a, 0) over () from t", "select percentile_cont(2) within group (order by a) from t", "select setseed(2)", "select pg_sleep('x')",
    "select gen_random_uuid(1)", "select quote_ident(1)", "select format('%s')", "select format('%z', 1)", "select format('%1$s %s')", "select format('%I', null)", "select concat_ws()", "select 1::numeric(2,1) + 1::numeric(1001)", "select 123.45::numeric(3,1)",
    "select 1::numeric(0)", "select 'x'::varchar(0)", "select 'x'::char(0)", "select 1::float(54)", "select 1::float(0)", "select now()::timestamp(9)", "select 'x'::bit(0)", "select b'12'", "select x'zz'", "select e'\\xzz'", "select u&'\\zzzz'", "select 'a' 'b'",
  ];
}

function grouping(): string[] {
  return [
    'select a, b from t group by b', 'select a, sum(a) from t', 'select * from t group by b', 'select a from t having sum(a) > 1', 'select b from t group by a + 1', 'select a + 1 from t group by a + 2',
    'select t.b, count(*) from t join u on true group by u.x', 'select a from t group by 2', 'select a from t order by 2', 'select a from t group by 0', 'select a from t order by -1', 'select distinct a from t order by b',
    'select distinct on (a) a from t order by b', 'select a from t union select 1, 2', 'select a from t union select b from t', 'select a from t union select a from t order by a + 1', 'select a from t intersect select b from t', 'select 1 except select true',
    'select a from t order by nosuch.a', 'select a x, b x from t order by x', 'select count(*) x from t group by x', 'select a from t, u', 'select x.a from t', 'select t.a from t x', 'select * from t, t', 'select * from t x, u x', 'select a from t natural join u x natural join t',
    'select * from t join u using (b)', 'select * from t join u using (a) where u.nosuch = 1', 'select * from t left join u', 'select * from t join u', 'select * from t cross join u on true', 'select * from t join lateral (select t.a) q on q.b = 1', 'select * from (select t.a from t) x, (select x.a) y',
    'select * from u join (select t.a) q on true', 'select *', 'select t.*', 'select nosuch.* from t', 'select count(*), * from t', 'insert into t values (1)', "insert into t (a, a) values (1, 2)", "insert into t (a, b) values (1)", "insert into t (a) values (1, 2)", "insert into t (a, b) values (8, 'x'), (9)",
    'insert into t select 1, 2, 3, 4, 5, 6, 7, 8, 9, 10', 'insert into t (a, b) select 1', "insert into t (a, b) values (1, 'x')", "insert into t (a) values (7)", "insert into t (a, b) values (1001, 'x')", "insert into t (a, b, c) values (9, 'x', 99999)", "insert into t (a, b, p) values (9, 'x', -1)", "insert into t (a, b, h) values (9, 'x', 'angry')",
    "insert into u values (99, 'z')", "insert into u values (1, 'x1')", 'delete from t where a = 1', 'update t set a = 5 where a = 1', 'update t set a = 2 where a = 1', 'update t set b = null', 'update t set a = 1, a = 2', 'update t set (a, b) = (1)', 'update t set (a, b) = (select 1)', 'update t set (a, b) = 1', 'update t set (a) = row(1, 2)',
    'update t set a = default + 1', 'update t set nosuch.a = 1', 'update t set t.a = 1', 'update t x set a = 1 where t.a = 1', 'delete from t using t', 'delete from t x where t.a = 1', 'update t set ctid = null', 'insert into t (ctid) values (null)', 'insert into v values (1, null)', "insert into v values (1, 'x')", 'insert into s values (1)', 'update pg_class set relname = 1',
    "insert into t (a, b) values (1, 'x') on conflict (b) do nothing", "insert into t (a, b) values (1, 'x') on conflict do update set a = 1", "insert into t (a, b) values (1, 'x') on conflict on constraint nosuch do nothing", "insert into t (a, b) values (7, 'x'), (7, 'y') on conflict (a) do update set b = 'z'", 'insert into t default values', 'insert into t (a, b) default values',
    'merge into t using u on t.a = u.a when matched then insert values (1)', 'merge into t using u on t.a = u.a when not matched then update set b = 1', "merge into t using (values (1), (1)) q(a) on t.a = q.a when matched then update set b = 'x'", 'merge into t using t on true when matched then delete', 'merge into t using u on t.a = u.a when matched then delete when matched then delete', 'merge into v using u on v.a = u.a when matched then delete', 'merge into t using u on t.a = u.a when not matched then insert (a) values (1, 2)', 'merge into t using u on t.a = u.a when not matched then insert (a, b) values (t.a, 1)',
    'with q as (select 1), q as (select 2) select 1', 'with q(a, b) as (select 1) select 1', 'with q as (insert into t values (1)) select * from q', 'select * from (with q as (delete from t returning a) select * from q) x', 'with q as (select * from r), r as (select 1) select * from q', 'with recursive q as (select * from q) select 1', 'with recursive q as (select 1 union all select 1 from q, q) select 1', 'with recursive q as (select 1 union all select sum(1) from q) select 1', 'with recursive q(n) as (select 1 union all select n + 1.5 from q) select 1', 'with recursive q as (select 1 intersect select 1 from q) select 1', 'with recursive q(n) as (select 1 union all (select n from q order by n)) select 1', 'with recursive q(n) as (select 1 union all select a from t left join q on true) select 1', 'with recursive q(n) as (select 1 union all select 1 where exists (select from q)) select 1', 'with recursive q(n) as (select n from q union all select 1) select 1', 'with recursive q as (select 1 union select 1 from r), r as (select 1 from q) select 1',
    'select a from t for update of nosuch', 'select count(*) from t for update', 'select distinct a from t for update', 'select a from t group by a for update', 'select 1 union select 2 for update', 'select a from (select a from t) q for update of t', 'select a from t fetch first 1 row with ties', 'select a from t order by a offset 1 limit -1', 'select a from t limit -1', 'select a from t offset -1', "select a from t limit 'x'", 'select a from t limit null + true', 'select a from t order by a fetch first -1 rows only',
    'select sum(a) over w from t', 'select sum(a) over (w) from t window w as (), w as ()', 'select sum(a) over (w partition by a) from t window w as ()', 'select sum(a) over (w order by a) from t window w as (order by a)', 'select sum(a) over (w) from t window w as (rows unbounded preceding)', 'select sum(a) over (rows between unbounded following and current row) from t', 'select sum(a) over (rows between current row and unbounded preceding) from t', 'select sum(a) over (rows between 1 following and current row) from t', 'select sum(a) over (range 1 preceding) from t', 'select sum(a) over (order by b range 1 preceding) from t', 'select sum(a) over (order by a, b range 1 preceding) from t', 'select sum(a) over (order by a range between -1 preceding and current row) from t', 'select sum(a) over (rows -1 preceding) from t', 'select sum(a) over (groups 1 preceding) from t', 'select sum(a) over (rows a preceding) from t', "select sum(a) over (rows 'x' preceding) from t", 'select sum(distinct a) over () from t', 'select rank() filter (where true) over () from t', 'select sum(a order by b) over () from t', 'select a from t group by grouping sets ((a), (nosuch))', 'select a, b from t group by rollup(a)', 'select array_agg(distinct a order by b) from t', 'select string_agg(distinct b, b order by a) from t',
  ];
}

function definitions(): string[] {
  return [
    'create table t (a int)', 'create table z (a int, a int)', 'create table z (a int primary key, b int primary key)', 'create table z (a int primary key primary key)', 'create table z (a int null not null)', "create table z (a int default 'x')", 'create table z (a int default nosuch)', 'create table z (a int default b, b int)', 'create table z (a int unique, unique (a, a))', 'create table z (a serial[])', 'create table z (a int references u)', 'create table z (a int references t (b))', 'create table z (a text references t)', 'create table z (a int references v)', 'create table z (a int, foreign key (a) references t (a, b))', 'create table z (a int check (b > 1))', 'create table z (a int check (a))', "create table z (a int check (a = 'x'))", 'create table z (a int generated always as (a) stored)', 'create table z (a int default 1 generated always as (1) stored)', 'create table z (a text generated by default as identity)', 'create table z (a int generated always as identity generated always as identity)', 'create table z (a int generated always as identity default 1)', 'create table z (ctid int)', 'create table z (a unknown)', 'create table z (a anyelement)', 'create table z (a record)', 'create table z (a cstring)', 'create table z (a int collate "C")', 'create table pg_catalog.z (a int)', 'create table pg_temp.z (a int, constraint k check (true), constraint k check (true))', 'create table z (a int) with (nosuch = 1)', 'create table z (a int) with (fillfactor = 5)', 'create table z (a int) inherits (nosuch)', 'create table z as select 1 a, 2 a', 'create table z (a, b) as select 1', 'create table z as select', 'create temp table public.z (a int)', 'create table z (like t including nosuch)', 'create table z (a int) on commit drop', 'create table z (a int deferrable)', 'create table z (a int not null deferrable)', 'create table z (a int unique not deferrable initially deferred)',
    'create view t as select 1', 'create view v as select 1', 'create view z (a, b) as select 1', 'create view z as select 1, 1', 'create view z as select 1 a, 2 a', 'create or replace view v as select 1', 'create or replace view v as select b, a from t', 'create or replace view t as select 1', 'create view z as select a from t into q', 'create view z as select $1', 'create view z as select a from t with check option; insert into z values (5000)', 'create materialized view z as select nosuch', 'create view pg_temp.z as select 1; create view public.y as select * from z; select nosuch from y',
    'create index t on t (a)', 'create index z on v (a)', 'create index z on t (a, a) include (nosuch)', 'create index z on t (g)', 'create index z on t (a nosuch)', 'create index z on t (a text_ops)', 'create index z on t using hash (a, b)', 'create unique index z on t using hash (a)', 'create index z on t (a) where 1', 'create index z on t (a) with (fillfactor = 1)', 'create index concurrently z on nosuch (a)', 'create unique index z on t ((1)); create unique index y on t ((b || null))', 'create index z on s (last_value)', 'create index z on pg_class (relname)',
    "create type mood as enum ('a')", "create type z as enum ('a', 'a')", 'create type z as enum (1)', 'create type z as (a int, a int)', 'create type z as (a nosuch)', 'create type t as (a int)', 'create domain mood as int', 'create domain z as int check (value)', 'create domain z as int check (nosuch > 1)', 'create domain z as int default true', 'create domain z as int not null null', 'create domain z as int unique', 'create domain z as anyelement', "alter type mood add value 'ok'", "alter type mood rename value 'nosuch' to 'x'", "alter type mood rename value 'ok' to 'sad'", "alter type mood add value 'x' before 'nosuch'", 'alter domain posint add check (value > 5)', 'alter domain posint drop constraint nosuch', 'alter domain mood drop default', 'drop type t', 'drop type posint', 'drop type mood', 'drop domain mood', 'drop type posint restrict', 'drop table v', 'drop view t', 'drop index t', 'drop sequence t', 'drop table s', 'drop table t', 'drop index t_pkey', 'drop sequence v', 'drop materialized view v', 'drop schema public', 'drop schema pg_catalog', 'drop table pg_class', 'drop type int4', 'drop function upper(text)', 'drop function now', 'drop role postgres', 'drop database postgres', 'create database postgres', 'create role postgres', 'create schema public', 'create schema pg_x', 'create sequence t', 'create sequence z increment 0', 'create sequence z minvalue 5 maxvalue 1', 'create sequence z start 0', 'create sequence z maxvalue 99999999999 as int', 'create sequence z cache 0', 'create sequence z as text', 'create sequence z owned by nosuch.a', 'create sequence z owned by t.nosuch', 'create sequence z increment 1 increment 2', 'alter sequence s restart 99', 'alter sequence s maxvalue 0', 'alter sequence s owned by v.a',
    'alter table t add column a int', 'alter table t add column z nosuch', 'alter table t add column z int not null', 'alter table t add column z int primary key', "alter table t add column z int default 'x'", 'alter table t add column z int references nosuch', 'alter table t drop column a', 'alter table t drop column ctid', 'alter table t alter a type text', 'alter table t alter b type int', "alter table t alter b type int using 'x'", 'alter table t alter a drop not null', 'alter table t alter c set not null', "alter table t alter a set default 'x'", 'alter table t alter a set statistics 100000', 'alter table t alter b set storage nosuch', 'alter table t add primary key (c)', 'alter table t add constraint t_pkey check (true)', 'alter table t add check (a > 2)', 'alter table t add check (nosuch)', 'alter table t add unique (c, nosuch)', 'alter table t add foreign key (a) references u', 'alter table t add foreign key (b) references t (a)', 'alter table u add foreign key (a) references t (b)', 'alter table t rename to u', 'alter table t rename a to b', 'alter table t rename constraint nosuch to z', 'alter table t set (nosuch = 1)', 'alter table t alter nosuch drop default', 'alter table t drop constraint t_pkey', 'alter table v add column z int', 'alter view t rename to z', 'alter table t add generated always as identity', 'alter table t alter a add generated always as identity; alter table t alter a add generated always as identity', 'alter table t alter a drop identity', 'alter table t alter b add generated always as identity', 'alter table t alter a drop expression', 'alter table t enable trigger nosuch', 'alter table t disable rule nosuch', 'alter table t inherit u', 'alter table t of pair', 'alter table t set tablespace nosuch', 'alter table t set schema public', 'alter table t cluster on nosuch', 'alter table t replica identity using index nosuch', 'alter table t alter a set data type int using b', 'alter table t validate constraint t_a_check; alter table t validate constraint t_pkey', 'alter index t_pkey set (nosuch = 1)', 'alter table t attach partition u for values in (1)', 'alter table t detach partition u',
    'begin; begin; select nosuch', 'commit and chain', 'rollback and chain', 'savepoint', 'release savepoint a', 'rollback to savepoint a', 'set transaction isolation level nosuch', 'select 1; set transaction isolation level serializable', 'begin isolation level nosuch', 'prepare p as select nosuch', 'prepare p (nosuch) as select 1', 'prepare p as select $1; execute p', 'prepare p (int) as select $1; execute p', 'prepare p (int) as select $1; execute p (1, 2)', "prepare p (int) as select $1; execute p ('x')", 'prepare p as select 1; prepare p as select 2', 'prepare p (int) as select $2', 'prepare p as create table z (a int)', 'select $1', 'select $0', 'declare c cursor for select nosuch', 'declare c cursor for insert into t values (1)', 'declare c cursor for select 1; declare c cursor for select 2', 'declare c no scroll cursor for select 1; fetch 1 c; fetch prior c', 'declare c scroll cursor for select a from t for update; fetch c', 'declare c insensitive cursor for select a from t for update', 'fetch nosuch in c', 'declare c cursor for select 1; update t set a = 1 where current of c', 'declare c cursor for select a from t; update t set a = 1 where current of c', 'update t set a = 1 where current of nosuch', 'set work_mem = 1', "set work_mem = 'x'", "set work_mem = '1 parsec'", 'set work_mem = -1', "set enable_seqscan = 'maybe'", "set datestyle = 'nosuch'", "set client_encoding = 'nosuch'", "set intervalstyle = 'nosuch'", "set statement_timeout = 'x'", "set statement_timeout = -1", "set search_path = ''", 'set max_connections = 5', 'set server_version = 5', 'set nosuch.x.y = 1', 'set session authorization nosuch', 'set local nosuch = 1', 'show nosuch.x', 'reset max_connections', 'set default_transaction_isolation = nosuch', "set bytea_output = 'x'", "set extra_float_digits = 99", "set seed = 5", 'set names nosuch', "set xmloption = 'x'", "set role 'nosuch'", "select set_config('nosuch', '1', false)", "select current_setting('nosuch')", "select current_setting('work_mem', 'x')", 'lock table t in nosuch mode', 'lock table v in row share mode nowait; lock nosuch', 'copy t from stdin (format nosuch)', 'copy t to stdout (delimiter \'xx\')', "copy t to stdout (delimiter '')", "copy t to stdout (format csv, quote 'xx')", "copy t to stdout (quote 'x')", "copy t to stdout (null 'a\nb')", 'copy t to stdout (format csv, format csv)', 'copy t to stdout (header maybe)', 'copy t to stdout (force_quote (a))', 'copy t to stdout (format csv, force_quote (nosuch))', 'copy t to stdout (format csv, force_null (a))', 'copy t from stdin (format csv, force_quote (a))', 'copy t to stdout (nosuch)', "copy t to stdout (encoding 'nosuch')", 'copy t (a, a) to stdout', 'copy v from stdin', 'copy v to stdout', 'copy s to stdout', 'copy (select nosuch) to stdout', 'copy (insert into t values (1)) to stdout', 'copy t to stdout where a = 1', "copy t to stdout (format binary, delimiter ',')", "copy t to stdout (freeze)", "copy t to stdout (delimiter 'a')", "copy t to stdout (delimiter ',', null ',')", "copy t to 'relative/path'", 'truncate v', 'truncate t', 'vacuum (nosuch) t', 'explain (nosuch) select 1', 'explain (format nosuch) select 1', 'explain (analyze maybe) select 1', 'explain (buffers) nosuch', 'explain (timing) select 1', 'explain create table z (a int)', 'grant nosuch on t to public', 'grant select on t to nosuch', 'grant select (nosuch) on t to public', 'grant insert on sequence s to public', 'grant execute on t to public', 'grant usage on t to public', 'revoke select on nosuch from public', 'comment on nosuch t is null', 'comment on table v is null', 'comment on column t is null', 'discard nosuch', 'notify', 'listen', 'checkpoint nosuch', 'do $$ x $$ language nosuch', "create function z() returns int language nosuch as ''", "create function z() returns nosuch language sql as ''", "create function z() returns int language sql as 'select true'", "create function z() returns int language sql as 'select nosuch'", "create function z() language sql as 'select 1'", "create function z(a int, a int) returns int language sql as 'select 1'", "create function z(a int default 1, b int) returns int language sql as 'select 1'", "create function z(out a int) returns text language sql as 'select 1'", "create function z() returns int language sql immutable stable as 'select 1'", "create function z() returns int language sql", "create function z() returns int as 'select 1'", "create function z(variadic a int) returns int language sql as 'select 1'", "create function z(variadic a int[], b int) returns int language sql as 'select 1'", "create function z(a anyelement default 'x') returns int language sql as 'select 1'", "create function z() returns anyelement language sql as 'select 1'", "create function z() returns trigger language sql as 'select 1'",
  ];
}

const WHOLE = [
  'select a, b from t where a = 1 and b is not null order by a desc nulls last limit 1 offset 2',
  'select t.a, count(*) from t left join u on t.a = u.a group by t.a having count(*) > 1',
  "insert into t (a, b) values (1, 'x') on conflict (a) do update set b = excluded.b returning a",
  'update t set a = 1, b = default from u where t.a = u.a returning t.a',
  'delete from t using u where t.a = u.a returning *',
  'with recursive q (n) as (select 1 union select n from q where n < 5) select * from q',
  'select sum(a) over (partition by b order by c rows between 1 preceding and current row) from t',
  'select case when a > 1 then 2 else 3 end, cast(b as text), array[1, 2], row(1, 2) from t',
  'create table z (a int primary key, b text not null default 1, constraint k check (a > 1), foreign key (a) references t (a) on delete cascade)',
  'create unique index i on t using btree (a desc, lower(b)) where a > 1',
  'create or replace view w (a) as select a from t with local check option',
  'alter table t add column z int, drop column c, alter column b set default 1',
  'grant select, insert on table t to public with grant option',
  'merge into t using u on t.a = u.a when matched and t.a > 1 then update set b = 1 when not matched then insert (a) values (1)',
  'declare c scroll cursor with hold for select 1',
  'select distinct on (a) a from t tablesample system (10) for update of t skip locked',
  'select * from (values (1, 2), (3, 4)) as q (x, y) where (x, y) in (select 1, 2) or x between 1 and 2',
  'copy t (a, b) from stdin with (format csv, header true)',
  'create function z(a int) returns int language sql immutable as $$ select 1 $$',
  "select extract(year from d), position('a' in b), substring(b from 1 for 2), trim(both 'x' from b) from t",
];

/** Each statement without one of its words, with one word twice, and cut off behind each word. */
function brokenSyntax(): string[] {
  const result: string[] = [];
  for (const statement of WHOLE) {
    const words = statement.match(/\$\$[^$]*\$\$|'[^']*'|[\w.]+|[^\s\w]/g) ?? [];
    for (let index = 0; index < words.length; index++) {
      result.push([...words.slice(0, index), ...words.slice(index + 1)].join(' '));
      if (index % 2 === 0) result.push(words.slice(0, index + 1).join(' '));
      if (index % 3 === 0) result.push([...words.slice(0, index + 1), ...words.slice(index)].join(' '));
    }
  }
  return result;
}

/** All of them, without repetitions. Which of them are wrong PostgreSQL decides when the answers are recorded. */
export function wrongStatements(): WrongStatement[] {
  const classes: Record<string, () => string[]> = {
    name: undefinedNames,
    call: functionCalls,
    operator: operators,
    cast: casts,
    literal: literals,
    value: values,
    query: grouping,
    definition: definitions,
    syntax: brokenSyntax,
  };
  const seen = new Set<string>();
  const result: WrongStatement[] = [];
  for (const [kind, make] of Object.entries(classes))
    for (const sql of make()) {
      if (seen.has(sql)) continue;
      seen.add(sql);
      result.push({ kind, sql });
    }
  return result;
}
