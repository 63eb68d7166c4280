/** What is measured: set up once, then one statement that gives one row. */
export interface Case {
  readonly name: string;
  readonly setup: readonly string[];
  /** Before every run. */
  readonly before?: readonly string[];
  readonly statement: string;
  /** Asked afterwards where the statement itself gives no row. */
  readonly check?: string;
}

function body(name: string, signature: string, text: string): string {
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
    name: 'BEFORE ROW trigger, insert',
    setup: [
      'create table if not exists before_rows (id int, v int)',
      body('raise_value', '() returns trigger', 'begin new.v := new.v + 1; return new; end'),
      'drop trigger if exists t on before_rows',
      'create trigger t before insert on before_rows for each row execute function raise_value()',
    ],
    before: ['truncate before_rows'],
    statement: 'insert into before_rows select g, g from generate_series(1, 50000) g',
    check: 'select sum(v) from before_rows',
  },
  {
    name: 'AFTER ROW trigger that inserts',
    setup: [
      'create table if not exists after_rows (id int, v int)',
      'create table if not exists audit (id int, op text)',
      body(
        'note_change',
        '() returns trigger',
        'begin insert into audit values (new.id, tg_op); return null; end',
      ),
      'drop trigger if exists t on after_rows',
      'create trigger t after insert on after_rows for each row execute function note_change()',
    ],
    before: ['truncate after_rows', 'truncate audit'],
    statement: 'insert into after_rows select g, g from generate_series(1, 20000) g',
    check: 'select count(*), sum(id) from audit',
  },
];
