import { beforeAll, describe, expect, it } from 'vitest';
import { PlannerFixture } from '../testing.ts';

let db: PlannerFixture;
beforeAll(async () => {
  db = await PlannerFixture.create();
});

describe('common tables and set operations', () => {
  it('referenced once: merged', () => {
    expect(
      db.explain(`with x as (select * from t where a = 1) select * from x where b = 2`),
    ).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: ((a = 1) AND (b = 2))"
    `);
  });
  it('referenced twice: materialised', () => {
    expect(
      db.explain(`with x as (select * from t where a = 1) select * from x, x y where x.id = y.id`),
    ).toMatchInlineSnapshot(`
      "Hash Join
        Hash Cond: (x.id = y.id)
        CTE x
          ->  Seq Scan on t
                Filter: (t.a = 1)
        ->  CTE Scan on x
        ->  Hash
              ->  CTE Scan on x y"
    `);
  });
  it('MATERIALIZED', () => {
    expect(
      db.explain(`with x as materialized (select * from t where a = 1) select * from x where b = 2`),
    ).toMatchInlineSnapshot(`
      "CTE Scan on x
        Filter: (x.b = 2)
        CTE x
          ->  Seq Scan on t
                Filter: (t.a = 1)"
    `);
  });
  it('NOT MATERIALIZED', () => {
    expect(
      db.explain(
        `with x as not materialized (select * from t where a = 1) select * from x, x y where x.id = y.id`,
      ),
    ).toMatchInlineSnapshot(`
      "Nested Loop
        ->  Seq Scan on t
              Filter: (t.a = 1)
        ->  Index Scan using t_pkey on t t_1
              Index Cond: (t.id = t_1.id)
              Filter: (t_1.a = 1)"
    `);
  });
  it('volatile: materialised', () => {
    expect(
      db.explain(`with x as (select random() as r from t) select * from x where r < 0.5`),
    ).toMatchInlineSnapshot(`
      "CTE Scan on x
        Filter: (x.r < '0.5'::double precision)
        CTE x
          ->  Seq Scan on t"
    `);
  });
  it('unreferenced: gone', () => {
    expect(db.explain(`with x as (select * from t) select 1`)).toMatchInlineSnapshot(`"Result"`);
  });
  it('data-modifying, unreferenced: kept', () => {
    expect(db.explain(`with x as (delete from t where a = 1) select 1`)).toMatchInlineSnapshot(`
      "Result
        CTE x
          ->  Delete on t
                ->  Seq Scan on t
                      Filter: (a = 1)"
    `);
  });
  it('recursive', () => {
    expect(
      db.explain(
        `with recursive r(n) as (select 1 union all select n + 1 from r where n < 10) select * from r`,
      ),
    ).toMatchInlineSnapshot(`
      "CTE Scan on r
        CTE r
          ->  Recursive Union
                ->  Result
                ->  WorkTable Scan on r r_1
                      Filter: (r_1.n < 10)"
    `);
  });
  it('UNION', () => {
    expect(db.explain(`select a from t union select b from u`)).toMatchInlineSnapshot(`
      "HashAggregate
        Group Key: t.a
        ->  Append
              ->  Seq Scan on t
              ->  Seq Scan on u"
    `);
  });
  it('nested UNION ALL is one append', () => {
    expect(db.explain(`select a from t union all select b from u union all select 1`)).toMatchInlineSnapshot(`
      "Append
        ->  Seq Scan on t
        ->  Seq Scan on u
        ->  Result"
    `);
  });
  it('INTERSECT and EXCEPT', () => {
    expect(
      db.explain(`select a from t intersect select a from u except all select 1`),
    ).toMatchInlineSnapshot(`
      "HashSetOp Except All
        ->  HashSetOp Intersect
              ->  Seq Scan on t
              ->  Seq Scan on u
        ->  Result"
    `);
  });
});

describe('modifications', () => {
  it('INSERT of values', () => {
    expect(db.explain(`insert into t (id, a) values (1, 2), (3, 4)`)).toMatchInlineSnapshot(`
      "Insert on t
        ->  Values Scan on "*VALUES*""
    `);
  });
  it('INSERT with conflict', () => {
    expect(
      db.explain(
        `insert into t (id, a) values (1, 2) on conflict (id) do update set a = excluded.a where t.a < 5`,
      ),
    ).toMatchInlineSnapshot(`
      "Insert on t
        Conflict Resolution: UPDATE
        Conflict Arbiter Indexes: t_pkey
        Conflict Filter: (a < 5)
        ->  Result"
    `);
  });
  it('UPDATE by key', () => {
    expect(db.explain(`update t set a = a + 1 where id = 5`)).toMatchInlineSnapshot(`
      "Update on t
        ->  Index Scan using t_pkey on t
              Index Cond: (id = 5)"
    `);
  });
  it('UPDATE FROM', () => {
    expect(
      db.explain(`update t set a = u.a from u where u.id = t.b returning t.id, u.c`),
    ).toMatchInlineSnapshot(`
      "Update on t
        ->  Hash Join
              Hash Cond: (t.b = u.id)
              ->  Seq Scan on t
              ->  Hash
                    ->  Seq Scan on u"
    `);
  });
  it('DELETE USING', () => {
    expect(db.explain(`delete from t using u where u.id = t.b and u.a = 1`)).toMatchInlineSnapshot(`
      "Delete on t
        ->  Hash Join
              Hash Cond: (t.b = u.id)
              ->  Seq Scan on t
              ->  Hash
                    ->  Seq Scan on u
                          Filter: (u.a = 1)"
    `);
  });
  it('DELETE with a subquery', () => {
    expect(db.explain(`delete from t where a in (select a from u where b = 1)`)).toMatchInlineSnapshot(`
      "Delete on t
        ->  Hash Semi Join
              Hash Cond: (t.a = u.a)
              ->  Seq Scan on t
              ->  Hash
                    ->  Seq Scan on u
                          Filter: (u.b = 1)"
    `);
  });
  it('MERGE', () => {
    expect(
      db.explain(
        `merge into t using u on t.id = u.id when matched then update set a = u.a when not matched then insert (id, a) values (u.id, u.a)`,
      ),
    ).toMatchInlineSnapshot(`
      "Merge on t
        ->  Hash Right Join
              Hash Cond: (t.id = u.id)
              ->  Seq Scan on t
              ->  Hash
                    ->  Seq Scan on u"
    `);
  });
  it('row locks', () => {
    expect(db.explain(`select * from t where a = 1 for update`)).toMatchInlineSnapshot(`
      "LockRows
        ->  Seq Scan on t
              Filter: (a = 1)"
    `);
  });
});

describe('other sources', () => {
  it('VALUES', () => {
    expect(
      db.explain(`select * from (values (1, 'a'), (2, 'b')) v (x, y) where x = 2`),
    ).toMatchInlineSnapshot(`
      "Values Scan on "*VALUES*"
        Filter: (column1 = 2)"
    `);
  });
  it('a function with ordinality', () => {
    expect(
      db.explain(`select * from generate_series(1, 10) with ordinality g (x, n) where n > 3`),
    ).toMatchInlineSnapshot(`
      "Function Scan on generate_series g
        Filter: (n > '3'::bigint)"
    `);
  });
  it('nothing', () => {
    expect(db.explain(`select 1`)).toMatchInlineSnapshot(`"Result"`);
  });
  it('a condition only', () => {
    expect(db.explain(`select 1 where 1 = 2`)).toMatchInlineSnapshot(`
      "Result
        One-Time Filter: false"
    `);
  });
});
