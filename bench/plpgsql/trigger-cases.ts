/** Triggers of rows and statements, for every kind of change. */
import type { Case } from '../measure/cases.ts';
import { body } from './cases.ts';

const ROW_TABLE = [
  'drop table if exists watched',
  'drop table if exists journal',
  'create table watched (id int primary key, v int, t text)',
  'create table journal (op text, id int, old_v int, new_v int)',
];

const NOTE = body(
  'note_row',
  '() returns trigger',
  "begin if tg_op = 'INSERT' then insert into journal values (tg_op, new.id, null, new.v); elsif tg_op = 'UPDATE' then insert into journal values (tg_op, new.id, old.v, new.v); else insert into journal values (tg_op, old.id, old.v, null); end if; return null; end",
);

const STAMP = body(
  'stamp_row',
  '() returns trigger',
  "begin if tg_op = 'DELETE' then return old; end if; new.t := 'v' || new.v; return new; end",
);

const AUDITED = [
  ...ROW_TABLE,
  NOTE,
  STAMP,
  'create trigger stamp before insert or update or delete on watched for each row execute function stamp_row()',
  'create trigger note after insert or update or delete on watched for each row execute function note_row()',
];

const SUMMARY = 'select op, count(*), sum(id), sum(old_v), sum(new_v) from journal group by op order by op';
const FILL = "insert into watched select g, g, 'x' from generate_series(1, 20000) g";
const REFILL = ['truncate watched, journal', FILL, 'truncate journal'];

export const TRIGGER_CASES: readonly Case[] = [
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
  {
    name: 'BEFORE and AFTER ROW, insert',
    setup: AUDITED,
    before: ['truncate watched, journal'],
    statement: FILL,
    check: SUMMARY,
  },
  {
    name: 'BEFORE and AFTER ROW, update',
    setup: AUDITED,
    before: REFILL,
    statement: 'update watched set v = v + 1',
    check: SUMMARY,
  },
  {
    name: 'BEFORE and AFTER ROW, delete',
    setup: AUDITED,
    before: REFILL,
    statement: 'delete from watched',
    check: SUMMARY,
  },
  {
    name: 'AFTER STATEMENT, transition tables',
    setup: [
      ...ROW_TABLE,
      'drop table if exists totals',
      'create table totals (n bigint, old_sum bigint, new_sum bigint)',
      body(
        'note_statement',
        '() returns trigger',
        'begin insert into totals select count(*), sum(o.v), sum(n.v) from old_rows o join new_rows n using (id); return null; end',
      ),
      'create trigger note after update on watched referencing old table as old_rows new table as new_rows for each statement execute function note_statement()',
    ],
    before: ['truncate watched, totals', FILL],
    statement: 'update watched set v = v + 1',
    check: 'select * from totals',
  },
  {
    name: 'AFTER ROW with WHEN',
    setup: [
      ...ROW_TABLE,
      NOTE,
      'create trigger note after update on watched for each row when (old.v is distinct from new.v and new.v % 100 = 0) execute function note_row()',
    ],
    before: ['truncate watched, journal', FILL],
    statement: 'update watched set v = v + 1',
    check: SUMMARY,
  },
  {
    name: 'constraint trigger, deferred',
    setup: [
      ...ROW_TABLE,
      NOTE,
      'create constraint trigger note after insert on watched deferrable initially deferred for each row execute function note_row()',
    ],
    before: ['truncate watched, journal'],
    statement: FILL,
    check: SUMMARY,
  },
];
