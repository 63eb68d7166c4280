create table t (a int primary key, b text, c numeric(10,2), d date, e timestamptz, f float8, g varchar(10), h char(5), i bigint, j jsonb, k int[], l bool, m text[], s smallint);
create table u (a int, x int, y text, z int);
create table w (a int, b int, primary key (a,b));
create table gen (id int generated always as identity primary key, v int, n int generated always as (v * 2) stored);
create view v as select a, b from t;
