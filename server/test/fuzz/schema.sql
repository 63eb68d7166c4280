create type mood as enum ('sad', 'ok', 'happy');
create domain positive as int check (value > 0);
create table city (id int primary key, name text not null, area float8, people bigint, founded date);
create table person (
  id serial primary key,
  name varchar(40),
  age smallint,
  salary numeric(12,2),
  born timestamp,
  seen timestamptz default now(),
  city_id int references city (id),
  feeling mood,
  tags text[],
  extra jsonb,
  active bool
);
create table event (
  id bigint primary key,
  person_id int,
  at timestamptz,
  took interval,
  during tstzrange,
  kind char(3),
  payload json,
  code uuid,
  size positive,
  address inet,
  mask bit(8),
  raw bytea,
  spot point,
  ratio real
);
create table empty_one (a int, b text, c numeric, d int[]);
create index person_city on person (city_id);
create index person_name on person (name);
create index event_person on event (person_id, at);
insert into city select n, 'city ' || n, n * 1.5, n * 100000, date '1000-01-01' + n * 1000 from generate_series(1, 20) n;
insert into person (name, age, salary, born, city_id, feeling, tags, extra, active)
  select nullif('person ' || n, 'person 13'), n % 90, n * 1000.25, timestamp '1950-01-01' + n * interval '30 days',
    nullif(n % 21, 0), (array['sad', 'ok', 'happy'])[n % 3 + 1]::mood, array['a' || n, 'b'],
    jsonb_build_object('n', n, 'list', jsonb_build_array(n, n + 1)), n % 2 = 0
  from generate_series(1, 200) n;
insert into event
  select n, n % 200, timestamptz '2020-01-01 00:00+00' + n * interval '1 hour', n * interval '1 minute',
    tstzrange(timestamptz '2020-01-01 00:00+00' + n * interval '1 hour', null), (n % 1000)::text,
    json_build_object('k', n), md5(n::text)::uuid, n, ('10.0.0.' || n % 256)::inet, (n % 256)::bit(8),
    decode(md5(n::text), 'hex'), point(n, -n), n / 7.0
  from generate_series(1, 500) n;
create view person_place as select p.id, p.name, c.name as city, c.people from person p left join city c on c.id = p.city_id;
create view totals as select city_id, count(*) as persons, sum(salary) as paid, avg(age) as age from person group by city_id;
create function add_one(int) returns int language sql immutable as 'select $1 + 1';
create function greet(who text) returns text language plpgsql as $$ begin return 'hello ' || coalesce(who, 'nobody'); end $$;
create function persons_of(city int) returns setof person language sql stable as 'select * from person where city_id = $1';
analyze;
