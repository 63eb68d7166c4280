/** Statements with a word missing, twice, or nothing behind it. */

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
export function brokenSyntax(): string[] {
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
