create table a(x int primary key, y int)
create table a(x int)
create table if not exists a(x int)
create table b(x int references a, y int references a(y))
create table b(x int references nope)
create table b(x int references a(nope))
create table b(x text references a)
create table b(x int, x text)
create table b(x nosuchtype)
create table b(x int default 'abc')
create table b(x int default y)
create table b(x int check (z > 0))
create table b(x int check (x))
create table b(x int primary key, y int primary key)
create table b(x int, primary key (q))
create table b(x int, unique (x, x))
create table b(x int not null null)
create table b(x text generated always as identity)
create table nosch.b(x int)
create table b(x int references a on delete cascade)
create view v as select * from a
create view v2 as select x from v
drop table a
drop table a restrict
drop view v
drop table nope
drop table if exists nope
drop table if exists nosch.nope
drop view a
drop table v
drop index a_pkey
drop sequence a
alter table a drop column x
alter table a drop column nope
alter table a drop column if exists nope
alter table a add column x int
alter table a add column if not exists x int
alter table nope add column x int
alter table if exists nope add column x int
alter table a rename x to y
alter table a rename nope to y
alter table a rename to v
alter table a drop constraint nope
alter table a add constraint a_pkey check (y > 0)
alter table a add primary key (y)
insert into a values (1, 2), (2, null), (3, -1)
alter table a add check (y > 0)
alter table a alter y set not null
alter table a add constraint uq unique (y)
insert into a values (4, 2)
insert into b values (9)
alter table a add constraint uq2 unique (y)
create unique index on a (y)
insert into a values (5, 2)
alter table a alter column y type text
alter table a alter column nope type text
create table t1 (a int, b text)
alter table t1 alter b type int
alter table t1 alter b type int using b::int
alter table t1 alter a set default 'x'
alter table t1 alter a drop not null
create index i on nope(x)
create index i on t1(nope)
create index i on v(x)
create index t1 on t1(a)
create index if not exists t1 on t1(a)
create index i on t1 using nosuch (a)
create index i on t1 (a nosuch_ops)
create index i on t1 (random())
create sequence s increment 0
create sequence s minvalue 10 maxvalue 5
create sequence s start 5 maxvalue 3
create sequence s
create sequence s
create sequence s owned by t1.nope
alter sequence s owned by t1.a
alter sequence nope restart
drop table t1
select nextval('s')
create schema sc
create schema sc
create schema if not exists sc
create schema pg_foo
create table sc.t(a int)
drop schema sc
drop schema sc cascade
drop schema nope
drop schema if exists nope
create role r1
create role r1
create role pg_x
drop role nope
drop role if exists nope
grant select on a to nope
grant select on nope to r1
grant foo on a to r1
grant execute on a to r1
grant select on a to r1
drop role r1
revoke select on a from r1
drop role r1
create view v3 as select 1 as a, 2 as a
create view v3 (a,b,c) as select 1
create view v as select 1
create or replace view v as select 1 as x
create or replace view v as select x, y as z from a
truncate a
truncate a, b
truncate a cascade
truncate v
comment on table nope is 'x'
comment on column a.nope is 'x'
create type e as enum ('a','b')
create type e as enum ('a')
alter type e add value 'a'
alter type e add value if not exists 'a'
create table te (e e)
drop type e
insert into te values ('zz')
create domain d as int check (value > 0)
create table td (d d)
drop domain d
drop table a cascade
vacuum nope
reindex table nope
begin
lock table b in exclusive mode
commit
create table ctas as select 1 as a, 'x' as b
create table ctas as select 1
create table if not exists ctas as select 1
select 1 as q into ctas2
create table c3 (a,b) as select 1
create table c3 (a,b) as select 1, 2 with no data
create table public.g (a int, b int generated always as (a*2) stored, c int generated always as identity)
insert into g values (1,2,3)
insert into g (a,b) values (1,5)
alter table g alter b set default 3
alter table g alter c drop default
alter table g alter c drop identity
alter table g alter b drop expression
alter table g owner to nope
alter table g set schema nope
alter table g set (fillfactor=70)
create database postgres
drop database nope
create user u1 password 'x' valid until '2030-01-01' connection limit 5
alter user u1 with nologin createdb
alter role u1 rename to u2
drop user u2
create group gg
create role m1 in role gg
grant gg to m1
revoke gg from m1
drop role m1
drop group gg
create table q (id serial primary key, name varchar(20) not null, total numeric(10,2) default 1.5 check (total > 0), parent int references q on delete cascade on update set null)
create index q_lower on q using btree (lower(name) desc nulls last, total) include (parent) where total > 10
create unique index q_u on q (name, (total + 1))
select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'q'::regclass order by 1
select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index where indrelid = 'q'::regclass order by 1
select attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid) from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum where attrelid = 'q'::regclass and attnum > 0 order by attnum
select pg_get_serial_sequence('q', 'id'), has_table_privilege('q', 'select'), has_sequence_privilege('q_id_seq', 'usage'), to_regclass('nope')::text
insert into q (name, total) values ('a', 5), ('b', 20)
alter table q add column flag bool not null default true, add column note text default 'n/a', add column rnd float8 default random()
select id, name, flag, note, rnd is not null from q order by id
alter table q alter column total type bigint using (total * 10)::bigint
select id, total from q order by id
alter table q drop column note
alter table q add column note int
select id, note from q order by id
alter table q rename column name to label
select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index where indrelid = 'q'::regclass order by 1
alter table q rename to q2
insert into q2 (label, total) values ('a', 50)
insert into q2 (label, total, rnd) values ('c', -5, 1)
begin
create table inner_table (a int)
insert into inner_table values (1)
savepoint one
create table second_table (b int)
alter table inner_table add column c int default 7
select * from inner_table
rollback to one
select * from inner_table
select to_regclass('second_table')::text
drop table q2
rollback
select to_regclass('inner_table')::text, to_regclass('q2')::text
select count(*) from q2
create view qv as select id, label from q2 where total > 10
select pg_get_viewdef('qv'::regclass)
create or replace view qv as select id, label, total from q2
select table_name, table_type from information_schema.tables where table_schema = 'public' and table_name like 'q%' order by 1
select column_name, data_type, is_nullable, column_default, numeric_precision from information_schema.columns where table_name = 'q2' order by ordinal_position
select constraint_name, constraint_type from information_schema.table_constraints where table_name = 'q2' and constraint_type <> 'CHECK' order by 1
select constraint_name, column_name, ordinal_position from information_schema.key_column_usage where table_name = 'q2' order by 1, 3
select tablename, tableowner, hasindexes from pg_tables where tablename = 'q2'
create schema nsp
alter table q2 set schema nsp
select nspname, relname from pg_class c join pg_namespace n on n.oid = relnamespace where relname like 'q2%' or relname like 'q\_%' order by 2
drop schema nsp
drop schema nsp cascade
create role owner_role
create table owned (a int)
alter table owned owner to owner_role
grant select (a) on owned to public
select relacl::text, attacl::text from pg_class c join pg_attribute a on attrelid = c.oid where relname = 'owned' and attnum = 1
grant all on owned to owner_role with grant option
select relacl::text from pg_class where relname = 'owned'
revoke insert, update on owned from owner_role
select relacl::text from pg_class where relname = 'owned'
drop role owner_role
reassign owned by owner_role to current_user
drop owned by owner_role
drop role owner_role
create table fkp (a int, b int, primary key (a, b))
create table fkc (x int, y int, constraint fkc_fk foreign key (x, y) references fkp match full on delete set null)
select pg_get_constraintdef(oid) from pg_constraint where conname = 'fkc_fk'
insert into fkp values (1, 2)
insert into fkc values (1, 2), (null, null)
alter table fkc drop constraint fkc_fk
insert into fkc values (7, 7)
alter table fkc add constraint fkc_fk foreign key (x, y) references fkp (a, b)
alter table fkc add constraint fkc_fk foreign key (x, y) references fkp (a, b) not valid
alter table fkc validate constraint fkc_fk
delete from fkc where x = 7
alter table fkc validate constraint fkc_fk
drop table fkp
drop table fkp, fkc
create sequence sq as smallint increment by 10 start 100 maxvalue 120 cycle
select nextval('sq'), nextval('sq'), nextval('sq'), nextval('sq')
alter sequence sq restart with 105 maxvalue 200 no cycle
select nextval('sq'), currval('sq'), lastval()
select setval('sq', 500)
select start_value, min_value, max_value, increment_by, cycle, last_value from pg_sequences where sequencename = 'sq'
drop sequence sq
create domain age as int not null default 3 check (value > 0) constraint small check (value < 150)
create table people (a age, b age default 7, c int)
insert into people values (200)
insert into people values (null)
insert into people (c) values (1)
insert into people (a, c) values (3, 1) returning *
select 151::age
alter domain age add constraint odd check (value % 2 = 1)
alter domain age drop constraint small
select pg_get_constraintdef(oid) from pg_constraint where contypid = 'age'::regtype order by conname
drop domain age cascade
create materialized view mv as select c, count(*) as n from people group by c
select * from mv
insert into people values (5)
refresh materialized view mv
select * from mv order by 1 nulls first
drop table people
drop materialized view mv
select typname, typtype, typcategory, typarray <> 0 from pg_type where typname in ('e', 'te', '_te') order by 1
create type pair as (x int, y text)
create table holder (p pair)
insert into holder values (row(1, 'a'))
select (p).x, (p).y from holder
drop type pair
drop type pair cascade
select count(*) from holder
select pg_describe_object('pg_class'::regclass, 'holder'::regclass, 0)
comment on table holder is 'a holder'
select obj_description('holder'::regclass, 'pg_class')
alter table holder add column v int generated always as identity (start 10 increment 5)
insert into holder default values returning v
alter table holder alter column v set generated by default set start 3 restart
insert into holder default values returning v
select attidentity from pg_attribute where attrelid = 'holder'::regclass and attname = 'v'
drop table holder
