/** Statements that change many rows: plain tables, indexes, foreign keys, checks. */
import type { Case } from '../measure/cases.ts';

const PLAIN = [
  'drop table if exists plain',
  'create table plain (id int, a int, b bigint, n numeric(12,2), t text)',
];
const KEYED = [
  'drop table if exists keyed',
  'create table keyed (id int primary key, a int, b bigint, n numeric(12,2), t text)',
];
const INDEXED = [
  ...KEYED,
  'create index on keyed (a)',
  'create index on keyed (t)',
  'create index on keyed (b, a)',
];
const rows = (table: string, count: number): string =>
  `insert into ${table} select g, g * 7919 % 10007, g * 100, g * 0.25, 'name ' || g * 31 % 1000 from generate_series(1, ${count}) g`;
const check = (table: string): string =>
  `select count(*), sum(id), sum(a), sum(b), sum(n), max(t) from ${table}`;

const values = Array.from(
  { length: 1000 },
  (_, index) => `(${index}, ${index * 7}, ${index * 100}, ${index}.25, 'name ${index}')`,
).join(', ');

const REFERRING = [
  'drop table if exists child',
  'drop table if exists parent',
  'create table parent (id int primary key, t text)',
  "insert into parent select g, 'p' || g from generate_series(1, 10000) g",
  'create table child (id int primary key, parent int references parent on delete cascade, v int)',
];

export const CHANGE_CASES: readonly Case[] = [
  {
    name: 'INSERT SELECT, no key',
    setup: PLAIN,
    before: ['truncate plain'],
    statement: rows('plain', 100_000),
    check: check('plain'),
  },
  {
    name: 'INSERT SELECT, key',
    setup: KEYED,
    before: ['truncate keyed'],
    statement: rows('keyed', 100_000),
    check: check('keyed'),
  },
  {
    name: 'INSERT SELECT, key and 3 indexes',
    setup: INDEXED,
    before: ['truncate keyed'],
    statement: rows('keyed', 50_000),
    check: check('keyed'),
  },
  {
    name: 'INSERT 1,000 VALUES',
    setup: KEYED,
    before: ['truncate keyed'],
    statement: `insert into keyed values ${values}`,
    check: check('keyed'),
  },
  {
    name: 'INSERT ON CONFLICT DO UPDATE',
    setup: KEYED,
    before: ['truncate keyed', rows('keyed', 20_000)],
    statement: `${rows('keyed', 40_000)} on conflict (id) do update set a = excluded.a + keyed.a`,
    check: check('keyed'),
  },
  {
    name: 'UPDATE all rows, no indexed column',
    setup: KEYED,
    before: ['truncate keyed', rows('keyed', 50_000)],
    statement: 'update keyed set a = a + 1, n = n * 2',
    check: check('keyed'),
  },
  {
    name: 'UPDATE all rows, indexed columns',
    setup: INDEXED,
    before: ['truncate keyed', rows('keyed', 50_000)],
    statement: 'update keyed set a = a + 1',
    check: check('keyed'),
  },
  {
    name: 'UPDATE of a tenth, scan',
    setup: KEYED,
    before: ['truncate keyed', rows('keyed', 100_000)],
    statement: 'update keyed set b = b + 1 where id % 10 = 3',
    check: check('keyed'),
  },
  {
    name: 'UPDATE FROM, join',
    setup: [
      ...KEYED,
      'drop table if exists news',
      'create table news as select g * 2 as id, g as a from generate_series(1, 20000) g',
    ],
    before: ['truncate keyed', rows('keyed', 50_000)],
    statement: 'update keyed set a = news.a from news where news.id = keyed.id',
    check: check('keyed'),
  },
  {
    name: 'DELETE half',
    setup: KEYED,
    before: ['truncate keyed', rows('keyed', 100_000)],
    statement: 'delete from keyed where id % 2 = 0',
    check: check('keyed'),
  },
  {
    name: 'DELETE all, 3 indexes',
    setup: INDEXED,
    before: ['truncate keyed', rows('keyed', 50_000)],
    statement: 'delete from keyed',
    check: check('keyed'),
  },
  {
    name: 'INSERT with a foreign key',
    setup: REFERRING,
    before: ['truncate child'],
    statement: 'insert into child select g, g % 10000 + 1, g from generate_series(1, 50000) g',
    check: 'select count(*), sum(parent), sum(v) from child',
  },
  {
    name: 'DELETE of parents, cascade',
    setup: [...REFERRING, 'create index on child (parent)'],
    before: [
      'truncate child, parent',
      "insert into parent select g, 'p' || g from generate_series(1, 10000) g",
      'insert into child select g, g % 10000 + 1, g from generate_series(1, 30000) g',
    ],
    statement: 'delete from parent where id % 2 = 0',
    check: 'select count(*), sum(parent), sum(v) from child',
  },
  {
    name: 'INSERT with checks, default, identity',
    setup: [
      'drop table if exists checked',
      "create table checked (id bigint generated always as identity, a int not null check (a > 0), t text default 'none', c int generated always as (a * 2) stored)",
    ],
    before: ['truncate checked restart identity'],
    statement: 'insert into checked (a) select g from generate_series(1, 50000) g',
    check: 'select count(*), sum(id), sum(a), sum(c), min(t) from checked',
  },
  {
    name: 'CREATE INDEX',
    setup: [...KEYED, rows('keyed', 100_000)],
    before: ['drop index if exists keyed_made'],
    statement: 'create index keyed_made on keyed (t, a)',
    check: 'select count(*) from keyed',
  },
  {
    name: 'MERGE',
    setup: [
      ...KEYED,
      'drop table if exists news',
      'create table news as select g * 2 as id, g as a from generate_series(1, 20000) g',
    ],
    before: ['truncate keyed', rows('keyed', 20_000)],
    statement:
      'merge into keyed k using news n on k.id = n.id when matched then update set a = n.a when not matched then insert (id, a) values (n.id, n.a)',
    check: check('keyed'),
  },
];
