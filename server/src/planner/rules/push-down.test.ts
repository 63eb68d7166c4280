import { beforeAll, describe, expect, it } from 'vitest';
import { PlannerFixture } from '../testing.ts';

let db: PlannerFixture;
beforeAll(async () => {
  db = await PlannerFixture.create();
});

describe('push-down', () => {
  it('through a join, to both sides', () => {
    expect(
      db.explain(`select * from t join u on t.id = u.id where t.a = 1 and u.a = 2`),
    ).toMatchInlineSnapshot(`
      "Nested Loop
        ->  Seq Scan on u
              Filter: (u.a = 2)
        ->  Index Scan using t_pkey on t
              Index Cond: (t.id = u.id)
              Filter: (t.a = 1)"
    `);
  });
  it('from ON to the inner side of a left join', () => {
    expect(db.explain(`select * from t left join u on t.id = u.id and u.a = 2`)).toMatchInlineSnapshot(`
      "Hash Left Join
        Hash Cond: (t.id = u.id)
        ->  Seq Scan on t
        ->  Hash
              ->  Seq Scan on u
                    Filter: (u.a = 2)"
    `);
  });
  it('not from ON to the outer side of a left join', () => {
    expect(db.explain(`select * from t left join u on t.id = u.id and t.a = 2`)).toMatchInlineSnapshot(`
      "Hash Left Join
        Hash Cond: (t.id = u.id)
        Join Filter: (t.a = 2)
        ->  Seq Scan on t
        ->  Hash
              ->  Seq Scan on u"
    `);
  });
  it('from WHERE to the outer side of a left join', () => {
    expect(db.explain(`select * from t left join u on t.id = u.id where t.a = 2`)).toMatchInlineSnapshot(`
      "Hash Right Join
        Hash Cond: (u.id = t.id)
        ->  Seq Scan on u
        ->  Hash
              ->  Seq Scan on t
                    Filter: (t.a = 2)"
    `);
  });
  it('not below a left join when NULL is accepted', () => {
    expect(db.explain(`select * from t left join u on t.id = u.id where u.a is null`)).toMatchInlineSnapshot(`
      "Hash Left Join
        Hash Cond: (t.id = u.id)
        Filter: (u.a IS NULL)
        ->  Seq Scan on t
        ->  Hash
              ->  Seq Scan on u"
    `);
  });
  it('into a subquery', () => {
    expect(db.explain(`select * from (select a + 1 as x, b from t) s where x = 5`)).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: ((a + 1) = 5)"
    `);
  });
  it('through GROUP BY on its key', () => {
    expect(
      db.explain(`select * from (select a, count(*) from t group by a) s where a = 5`),
    ).toMatchInlineSnapshot(`
      "HashAggregate
        Group Key: a
        ->  Seq Scan on t
              Filter: (a = 5)"
    `);
  });
  it('not through GROUP BY on an aggregate', () => {
    expect(
      db.explain(`select * from (select a, count(*) as n from t group by a) s where n = 5`),
    ).toMatchInlineSnapshot(`
      "HashAggregate
        Group Key: a
        Filter: (count(*) = '5'::bigint)
        ->  Seq Scan on t"
    `);
  });
  it('not through grouping sets', () => {
    expect(
      db.explain(`select * from (select a, b, count(*) from t group by rollup (a, b)) s where a = 5`),
    ).toMatchInlineSnapshot(`
      "MixedAggregate
        Hash Key: a, b
        Hash Key: a
        Group Key: ()
        Filter: (a = 5)
        ->  Seq Scan on t"
    `);
  });
  it('through UNION ALL', () => {
    expect(
      db.explain(`select * from (select a from t union all select b from u) s where a = 5`),
    ).toMatchInlineSnapshot(`
      "Append
        ->  Seq Scan on t
              Filter: (t.a = 5)
        ->  Seq Scan on u
              Filter: (u.b = 5)"
    `);
  });
  it('through DISTINCT', () => {
    expect(db.explain(`select * from (select distinct a, b from t) s where a = 5`)).toMatchInlineSnapshot(`
      "HashAggregate
        Group Key: a, b
        ->  Seq Scan on t
              Filter: (a = 5)"
    `);
  });
  it('through DISTINCT ON on its key only', () => {
    expect(
      db.explain(`select * from (select distinct on (a) a, b from t order by a, b) s where a = 5 and b = 6`),
    ).toMatchInlineSnapshot(`
      "Subquery Scan on "*SELECT*"
        Filter: (b = 6)
        ->  Unique
              ->  Sort
                    Sort Key: a, b
                    ->  Seq Scan on t
                          Filter: (a = 5)"
    `);
  });
  it('through PARTITION BY', () => {
    expect(
      db.explain(
        `select * from (select a, b, rank() over (partition by a order by b) as r from t) s where a = 5 and r = 1`,
      ),
    ).toMatchInlineSnapshot(`
      "Subquery Scan on "*SELECT*"
        Filter: ((rank() OVER (?)) = '1'::bigint)
        ->  WindowAgg
              ->  Sort
                    Sort Key: a, b
                    ->  Seq Scan on t
                          Filter: (a = 5)"
    `);
  });
  it('not through LIMIT', () => {
    expect(db.explain(`select * from (select a from t limit 10) s where a = 5`)).toMatchInlineSnapshot(`
      "Subquery Scan on "*SELECT*"
        Filter: (a = 5)
        ->  Limit
              ->  Seq Scan on t"
    `);
  });
  it('not past a volatile target', () => {
    expect(
      db.explain(`select * from (select random() as r, a from t) s where r < 0.5`),
    ).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: ((random()) < '0.5'::double precision)"
    `);
  });
  it('from HAVING on a key to WHERE', () => {
    expect(
      db.explain(`select a, count(*) from t group by a having a > 3 and count(*) > 1`),
    ).toMatchInlineSnapshot(`
      "HashAggregate
        Group Key: a
        Filter: (count(*) > '1'::bigint)
        ->  Seq Scan on t
              Filter: (a > 3)"
    `);
  });
});

describe('outer to inner joins', () => {
  it('a refused NULL makes a left join inner', () => {
    expect(db.explain(`select * from t left join u on t.id = u.id where u.a > 2`)).toMatchInlineSnapshot(`
      "Hash Join
        Hash Cond: (t.id = u.id)
        ->  Seq Scan on t
        ->  Hash
              ->  Seq Scan on u
                    Filter: (u.a > 2)"
    `);
  });
  it('a full join becomes left', () => {
    expect(db.explain(`select * from t full join u on t.id = u.id where t.a = 2`)).toMatchInlineSnapshot(`
      "Hash Right Join
        Hash Cond: (u.id = t.id)
        ->  Seq Scan on u
        ->  Hash
              ->  Seq Scan on t
                    Filter: (t.a = 2)"
    `);
  });
  it('a full join becomes inner', () => {
    expect(
      db.explain(`select * from t full join u on t.id = u.id where t.a = 2 and u.a = 3`),
    ).toMatchInlineSnapshot(`
      "Nested Loop
        ->  Seq Scan on u
              Filter: (u.a = 3)
        ->  Index Scan using t_pkey on t
              Index Cond: (t.id = u.id)
              Filter: (t.a = 2)"
    `);
  });
  it('IS NOT NULL refuses NULL, COALESCE does not', () => {
    expect(
      db.explain(
        `select * from t left join u on t.id = u.id left join u v on t.id = v.id where u.a is not null and coalesce(v.a, 1) = 1`,
      ),
    ).toMatchInlineSnapshot(`
      "Hash Left Join
        Hash Cond: (t.id = v.id)
        Filter: (COALESCE(v.a, 1) = 1)
        ->  Hash Join
              Hash Cond: (t.id = u.id)
              ->  Seq Scan on t
              ->  Hash
                    ->  Seq Scan on u
                          Filter: (u.a IS NOT NULL)
        ->  Hash
              ->  Seq Scan on u v"
    `);
  });
  it('an OR must refuse NULL in every arm', () => {
    expect(
      db.explain(`select * from t left join u on t.id = u.id where u.a = 1 or t.a = 2`),
    ).toMatchInlineSnapshot(`
      "Hash Left Join
        Hash Cond: (t.id = u.id)
        Filter: ((u.a = 1) OR (t.a = 2))
        ->  Seq Scan on t
        ->  Hash
              ->  Seq Scan on u"
    `);
  });
});

describe('inference', () => {
  it('a constant follows an equality', () => {
    expect(db.explain(`select * from t, u where t.id = u.id and t.id = 7`)).toMatchInlineSnapshot(`
      "Nested Loop
        Join Filter: (t.id = u.id)
        ->  Index Scan using t_pkey on t
              Index Cond: (t.id = 7)
        ->  Index Scan using u_pkey on u
              Index Cond: (u.id = 7)"
    `);
  });
  it('a range follows an equality', () => {
    expect(db.explain(`select * from t, u where t.id = u.id and t.id < 7`)).toMatchInlineSnapshot(`
      "Hash Join
        Hash Cond: (t.id = u.id)
        ->  Seq Scan on t
              Filter: (t.id < 7)
        ->  Hash
              ->  Seq Scan on u
                    Filter: (u.id < 7)"
    `);
  });
  it('a chain of equalities', () => {
    expect(
      db.explain(`select * from t, u, u v where t.id = u.id and u.id = v.id and v.id = 7`),
    ).toMatchInlineSnapshot(`
      "Nested Loop
        Join Filter: (t.id = u.id)
        ->  Index Scan using t_pkey on t
              Index Cond: (t.id = 7)
        ->  Nested Loop
              ->  Index Scan using u_pkey on u
                    Index Cond: (u.id = 7)
              ->  Index Scan using u_pkey on u v
                    Index Cond: (u.id = v.id)
                    Filter: (v.id = 7)"
    `);
  });
  it('into the inner side of a left join', () => {
    expect(db.explain(`select * from t left join u on t.id = u.id where t.id = 7`)).toMatchInlineSnapshot(`
      "Nested Loop Left Join
        Join Filter: (t.id = u.id)
        ->  Index Scan using t_pkey on t
              Index Cond: (t.id = 7)
        ->  Index Scan using u_pkey on u
              Index Cond: (u.id = 7)"
    `);
  });
});
