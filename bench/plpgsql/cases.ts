/** Loops, expressions, SQL in functions, cursors, exceptions. */
import type { Case } from '../measure/cases.ts';

/** The text that creates a function. */
export function body(name: string, signature: string, text: string): string {
  return `create or replace function ${name}${signature} language plpgsql as $$ ${text} $$`;
}

const TABLE = [
  'create table if not exists points (id int primary key, v int)',
  'truncate points',
  'insert into points select g, g from generate_series(1, 10000) g',
];

export const CASES: readonly Case[] = [
  {
    name: 'FOR, int sum',
    setup: [
      body(
        'loop_int',
        '(n int) returns int',
        'declare s int := 0; begin for i in 1..n loop s := (s + i) % 1000003; end loop; return s; end',
      ),
    ],
    statement: 'select loop_int(1000000)',
  },
  {
    name: 'FOR, bigint sum',
    setup: [
      body(
        'loop_bigint',
        '(n int) returns bigint',
        'declare s bigint := 0; begin for i in 1..n loop s := s + i; end loop; return s; end',
      ),
    ],
    statement: 'select loop_bigint(1000000)',
  },
  {
    name: 'WHILE, IF, ELSIF',
    setup: [
      body(
        'loop_while',
        '(n int) returns int',
        'declare i int := 0; k int := 0; begin while i < n loop i := i + 1; if i % 3 = 0 then k := k + 1; elsif i % 5 = 0 then k := k - 1; end if; end loop; return k; end',
      ),
    ],
    statement: 'select loop_while(500000)',
  },
  {
    name: 'numeric sum',
    setup: [
      body(
        'loop_numeric',
        '(n int) returns numeric',
        'declare s numeric := 0; begin for i in 1..n loop s := s + i * 1.5; end loop; return s; end',
      ),
    ],
    statement: 'select loop_numeric(300000)',
  },
  {
    name: 'strings',
    setup: [
      body(
        'loop_text',
        '(n int) returns int',
        "declare s text := ''; begin for i in 1..n loop s := substr(s || chr(65 + i % 26), 1, 20); end loop; return length(s); end",
      ),
    ],
    statement: 'select loop_text(200000)',
  },
  {
    name: 'array elements',
    setup: [
      body(
        'loop_array',
        '(n int) returns int',
        'declare a int[] := array_fill(0, array[1000]); begin for i in 1..n loop a[i % 1000 + 1] := a[(i + 7) % 1000 + 1] + 1; end loop; return a[5]; end',
      ),
    ],
    statement: 'select loop_array(300000)',
  },
  {
    name: 'recursion',
    setup: [
      body(
        'fibonacci',
        '(n int) returns int',
        'begin if n < 2 then return n; end if; return fibonacci(n-1) + fibonacci(n-2); end',
      ),
    ],
    statement: 'select fibonacci(22)',
  },
  {
    name: 'SELECT INTO by key',
    setup: [
      ...TABLE,
      body(
        'select_into',
        '(n int) returns bigint',
        'declare s bigint := 0; x int; begin for i in 1..n loop select v into x from points where id = i % 10000 + 1; s := s + x; end loop; return s; end',
      ),
    ],
    statement: 'select select_into(50000)',
  },
  {
    name: 'FOR over rows',
    setup: [
      ...TABLE,
      body(
        'scan_rows',
        '(n int) returns bigint',
        'declare s bigint := 0; r record; begin for k in 1..n loop for r in select id, v from points loop s := s + r.v; end loop; end loop; return s; end',
      ),
    ],
    statement: 'select scan_rows(20)',
  },
  {
    name: 'dynamic SQL',
    setup: [
      ...TABLE,
      body(
        'dynamic_sql',
        '(n int) returns bigint',
        "declare s bigint := 0; x int; begin for i in 1..n loop execute 'select v from points where id = $1' into x using i; s := s + x; end loop; return s; end",
      ),
    ],
    statement: 'select dynamic_sql(10000)',
  },
  {
    name: 'exceptions',
    setup: [
      body(
        'catch_errors',
        '(n int) returns int',
        'declare k int := 0; begin for i in 1..n loop begin if i % 2 = 0 then raise division_by_zero; end if; exception when division_by_zero then k := k + 1; end; end loop; return k; end',
      ),
    ],
    statement: 'select catch_errors(30000)',
  },
  {
    name: 'function per row',
    setup: [body('per_row', '(x int) returns int', 'begin return x * 2 + 1; end')],
    statement: 'select sum(per_row(g)) from generate_series(1, 200000) g',
  },
  {
    name: 'string building',
    setup: [
      body(
        'build_text',
        '(n int) returns text',
        "declare s text := ''; begin for i in 1..n loop s := s || 'item ' || i || ', '; end loop; return md5(s); end",
      ),
    ],
    statement: 'select build_text(10000)',
  },
  {
    name: 'array building',
    setup: [
      body(
        'build_array',
        '(n int) returns bigint',
        'declare a int[] := array[]::int[]; s bigint := 0; x int; begin for i in 1..n loop a := array_append(a, i * 2); end loop; foreach x in array a loop s := s + x; end loop; return s; end',
      ),
    ],
    statement: 'select build_array(20000)',
  },
  {
    name: 'record fields',
    setup: [
      ...TABLE,
      body(
        'record_fields',
        '(n int) returns bigint',
        'declare p points; s bigint := 0; begin for i in 1..n loop p.id := i; p.v := p.id * 2; s := s + p.v; end loop; return s; end',
      ),
    ],
    statement: 'select record_fields(200000)',
  },
  {
    name: 'FOR over 100,000 rows',
    setup: [
      'create table if not exists many (id int primary key, v int, t text)',
      'truncate many',
      "insert into many select g, g % 1000, 'name ' || g from generate_series(1, 100000) g",
      body(
        'scan_many',
        '() returns bigint',
        'declare s bigint := 0; r record; begin for r in select * from many where v < 900 loop if r.t is not null then s := s + r.v + length(r.t); end if; end loop; return s; end',
      ),
    ],
    statement: 'select scan_many()',
  },
  {
    name: 'cursor',
    setup: [
      ...TABLE,
      body(
        'cursor_rows',
        '(n int) returns bigint',
        'declare c cursor for select id, v from points; i int; x int; s bigint := 0; begin for k in 1..n loop open c; loop fetch c into i, x; exit when not found; s := s + x; end loop; close c; end loop; return s; end',
      ),
    ],
    statement: 'select cursor_rows(5)',
  },
  {
    name: 'INSERT in a loop',
    setup: [
      'create table if not exists sink (id int primary key, t text)',
      body(
        'insert_rows',
        '(n int) returns int',
        "begin for i in 1..n loop insert into sink values (i, 'row ' || i); end loop; return n; end",
      ),
    ],
    before: ['truncate sink'],
    statement: 'select insert_rows(100000)',
    check: 'select count(*), sum(id), max(t) from sink',
  },
  {
    name: 'UPDATE in a loop',
    setup: [
      ...TABLE,
      body(
        'update_rows',
        '(n int) returns int',
        'begin for i in 1..n loop update points set v = v + 1 where id = i; end loop; return n; end',
      ),
    ],
    statement: 'select update_rows(10000)',
    check: 'select count(*), sum(v) from points',
  },
  {
    name: 'exception at INSERT',
    setup: [
      'create table if not exists uniques (id int primary key)',
      body(
        'insert_or_skip',
        '(n int) returns int',
        'declare k int := 0; begin for i in 1..n loop begin insert into uniques values (i / 2); exception when unique_violation then k := k + 1; end; end loop; return k; end',
      ),
    ],
    before: ['truncate uniques'],
    statement: 'select insert_or_skip(20000)',
  },
  {
    name: 'set of rows, RETURN NEXT',
    setup: [
      body(
        'give_rows',
        '(n int) returns table(a int, b text)',
        "begin for i in 1..n loop a := i; b := 'row ' || i; return next; end loop; end",
      ),
    ],
    statement: 'select count(*), sum(a), max(b) from give_rows(100000)',
  },
  {
    name: 'dynamic SQL, texts differ',
    setup: [
      ...TABLE,
      body(
        'dynamic_texts',
        '(n int) returns bigint',
        "declare s bigint := 0; x int; begin for i in 1..n loop execute format('select v from %I where id = %s', 'points', i) into x; s := s + x; end loop; return s; end",
      ),
    ],
    statement: 'select dynamic_texts(3000)',
  },
  {
    name: 'SQL function per row, inlined',
    setup: [
      "create or replace function sql_row(x int) returns int language sql immutable as 'select x * 2 + 1'",
    ],
    statement: 'select sum(sql_row(g)) from generate_series(1, 200000) g',
  },
  {
    name: 'SQL function per row, with a query',
    setup: [
      ...TABLE,
      "create or replace function sql_lookup(x int) returns int language sql stable as 'select v from points where id = x'",
    ],
    statement: 'select sum(sql_lookup(g)) from generate_series(1, 10000) g',
  },
  {
    name: 'SQL function in FROM',
    setup: [
      ...TABLE,
      "create or replace function sql_points(x int) returns setof points language sql stable as 'select * from points where v >= x'",
    ],
    statement: 'select count(*), sum(v) from sql_points(100) where id < 5000',
  },
];
