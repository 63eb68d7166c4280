import { beforeAll, describe, expect, it } from 'vitest';
import { PlannerFixture } from '../testing.ts';

let db: PlannerFixture;
beforeAll(async () => {
  db = await PlannerFixture.create();
});

describe('semi and anti joins', () => {
  it('EXISTS', () => {
    expect(
      db.explain(`select * from t where exists (select 1 from u where u.a = t.a)`),
    ).toMatchInlineSnapshot(`
      "Hash Semi Join
        Hash Cond: (t.a = u.a)
        ->  Seq Scan on t
        ->  Hash
              ->  Seq Scan on u"
    `);
  });
  it('EXISTS with a further condition on both', () => {
    expect(
      db.explain(`select * from t where exists (select 1 from u where u.a = t.a and u.b <> t.b)`),
    ).toMatchInlineSnapshot(`
      "Hash Semi Join
        Hash Cond: (t.a = u.a)
        Join Filter: (u.b <> t.b)
        ->  Seq Scan on t
        ->  Hash
              ->  Seq Scan on u"
    `);
  });
  it('NOT EXISTS', () => {
    expect(
      db.explain(`select * from t where not exists (select 1 from u where u.a = t.a)`),
    ).toMatchInlineSnapshot(`
      "Hash Anti Join
        Hash Cond: (t.a = u.a)
        ->  Seq Scan on t
        ->  Hash
              ->  Seq Scan on u"
    `);
  });
  it('IN', () => {
    expect(db.explain(`select * from t where a in (select a from u where b = 1)`)).toMatchInlineSnapshot(`
      "Hash Semi Join
        Hash Cond: (t.a = u.a)
        ->  Seq Scan on t
        ->  Hash
              ->  Seq Scan on u
                    Filter: (u.b = 1)"
    `);
  });
  it('IN over a grouped subquery is an inner join', () => {
    expect(
      db.explain(`select * from t where a in (select a from u group by a having count(*) > 2)`),
    ).toMatchInlineSnapshot(`
      "Hash Join
        Hash Cond: (t.a = u.a)
        ->  Seq Scan on t
        ->  Hash
              ->  HashAggregate
                    Group Key: u.a
                    Filter: (count(*) > '2'::bigint)
                    ->  Seq Scan on u"
    `);
  });
  it('IN over a unique key is an inner join', () => {
    expect(db.explain(`select * from t where a in (select id from u)`)).toMatchInlineSnapshot(`
      "Hash Join
        Hash Cond: (t.a = u.id)
        ->  Seq Scan on t
        ->  Hash
              ->  Seq Scan on u"
    `);
  });
  it('NOT IN over columns that cannot be NULL is a plain anti join', () => {
    expect(db.explain(`select * from t where id not in (select b from u)`)).toMatchInlineSnapshot(`
      "Hash Anti Join
        Hash Cond: (t.id = u.b)
        ->  Seq Scan on t
        ->  Hash
              ->  Seq Scan on u"
    `);
  });
  it('NOT IN over nullable columns minds NULL', () => {
    expect(db.explain(`select * from t where a not in (select a from u)`)).toMatchInlineSnapshot(`
      "Hash Anti Join
        Hash Cond: (t.a = u.a)
        ->  Seq Scan on t
        ->  Hash
              ->  Seq Scan on u"
    `);
  });
  it('op ALL', () => {
    expect(db.explain(`select * from t where id > all (select b from u)`)).toMatchInlineSnapshot(`
      "Nested Loop Anti Join
        Join Filter: (t.id <= u.b)
        ->  Seq Scan on t
        ->  Materialize
              ->  Seq Scan on u"
    `);
  });
  it('nested IN', () => {
    expect(
      db.explain(
        `select * from t where a in (select a from u where b in (select n_nationkey from nation where n_name = 'X'))`,
      ),
    ).toMatchInlineSnapshot(`
      "Hash Semi Join
        Hash Cond: (t.a = u.a)
        ->  Seq Scan on t
        ->  Hash
              ->  Nested Loop
                    Join Filter: (u.b = nation.n_nationkey)
                    ->  Seq Scan on nation
                          Filter: (nation.n_name = 'X'::bpchar)
                    ->  Seq Scan on u"
    `);
  });
  it('EXISTS under OR stays a subplan', () => {
    expect(
      db.explain(`select * from t where a = 1 or exists (select 1 from u where u.id = t.a)`),
    ).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: ((t.a = 1) OR (SubPlan 1))
        SubPlan 1
          ->  Index Scan using u_pkey on u
                Index Cond: (u.id = t.a)"
    `);
  });
  it('uncorrelated EXISTS runs once', () => {
    expect(db.explain(`select * from t where exists (select 1 from u where a = 1)`)).toMatchInlineSnapshot(`
      "Result
        One-Time Filter: $0
        InitPlan 1 (returns $0)
          ->  Seq Scan on u
                Filter: (u.a = 1)
        ->  Seq Scan on t"
    `);
  });
  it('IN under OR is hashed', () => {
    expect(db.explain(`select * from t where a = 1 or b in (select b from u)`)).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: ((t.a = 1) OR (hashed SubPlan 1))
        SubPlan 1
          ->  Seq Scan on u"
    `);
  });
  it('DISTINCT and ORDER BY inside do not matter', () => {
    expect(
      db.explain(`select * from t where a in (select distinct u.a from u where u.b = t.b order by u.a)`),
    ).toMatchInlineSnapshot(`
      "Hash Semi Join
        Hash Cond: ((t.b = u.b) AND (t.a = u.a))
        ->  Seq Scan on t
        ->  Hash
              ->  Seq Scan on u"
    `);
  });
  it('EXISTS ignores a limit', () => {
    expect(
      db.explain(`select * from t where exists (select u.a from u where u.b = t.b limit 3)`),
    ).toMatchInlineSnapshot(`
      "Hash Semi Join
        Hash Cond: (t.b = u.b)
        ->  Seq Scan on t
        ->  Hash
              ->  Seq Scan on u"
    `);
  });
  it('not one below a condition', () => {
    expect(
      db.explain(
        `select * from t where exists (select 1 from (select * from u where u.b = t.b limit 3) s where s.a = 1)`,
      ),
    ).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: (SubPlan 1)
        SubPlan 1
          ->  Subquery Scan on "*SELECT*"
                Filter: (u.a = 1)
                ->  Limit
                      ->  Seq Scan on u
                            Filter: (u.b = t.b)"
    `);
  });
  it('minds NULL only where there may be one', () => {
    const isNullAware = (sql: string): boolean => {
      const { root } = db.plan(sql);
      return root.kind === 'hashJoin' && root.nullAware;
    };
    expect(isNullAware('select * from t where id not in (select b from u)')).toBe(false);
    expect(isNullAware('select * from t where a not in (select a from u)')).toBe(true);
    expect(isNullAware('select * from t where id not in (select a from u)')).toBe(true);
  });
  it('a limit inside keeps the subplan', () => {
    expect(
      db.explain(`select * from t where a in (select u.a from u where u.b = t.b limit 3)`),
    ).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: (SubPlan 1)
        SubPlan 1
          ->  Limit
                ->  Seq Scan on u
                      Filter: (u.b = t.b)"
    `);
  });
});

describe('scalar subqueries', () => {
  it('an uncorrelated one runs once', () => {
    expect(db.explain(`select * from t where a > (select avg(a) from u)`)).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: ((t.a)::numeric > $0)
        InitPlan 1 (returns $0)
          ->  Aggregate
                ->  Seq Scan on u"
    `);
  });
  it('a correlated aggregate is grouped and joined', () => {
    expect(
      db.explain(`select * from t where a < (select avg(u.a) from u where u.b = t.b)`),
    ).toMatchInlineSnapshot(`
      "Hash Join
        Hash Cond: (t.b = u.b)
        Join Filter: ((t.a)::numeric < (avg(u.a)))
        ->  Seq Scan on t
        ->  Hash
              ->  HashAggregate
                    Group Key: u.b
                    ->  Seq Scan on u"
    `);
  });
  it('count of nothing is zero', () => {
    expect(db.explain(`select t.id, (select count(*) from u where u.a = t.a) from t`)).toMatchInlineSnapshot(`
      "Hash Left Join
        Hash Cond: (t.a = u.a)
        ->  Seq Scan on t
        ->  Hash
              ->  HashAggregate
                    Group Key: u.a
                    ->  Seq Scan on u"
    `);
  });
  it('count of nothing in a condition keeps the outer join', () => {
    expect(
      db.explain(`select * from t where 0 = (select count(*) from u where u.a = t.a)`),
    ).toMatchInlineSnapshot(`
      "Hash Left Join
        Hash Cond: (t.a = u.a)
        Filter: (COALESCE((count(*)), '0'::bigint) = '0'::bigint)
        ->  Seq Scan on t
        ->  Hash
              ->  HashAggregate
                    Group Key: u.a
                    ->  Seq Scan on u"
    `);
  });
  it('a lookup by unique key is a left join', () => {
    expect(db.explain(`select t.id, (select u.c from u where u.id = t.a) from t`)).toMatchInlineSnapshot(`
      "Hash Left Join
        Hash Cond: (t.a = u.id)
        ->  Seq Scan on t
        ->  Hash
              ->  Seq Scan on u"
    `);
  });
  it('a lookup that may find two rows stays', () => {
    expect(db.explain(`select t.id, (select u.c from u where u.a = t.a) from t`)).toMatchInlineSnapshot(`
      "Seq Scan on t
        SubPlan 1
          ->  Seq Scan on u
                Filter: (u.a = t.a)"
    `);
  });
  it('correlation by inequality stays', () => {
    expect(db.explain(`select t.id, (select max(u.a) from u where u.a < t.a) from t`)).toMatchInlineSnapshot(`
      "Seq Scan on t
        SubPlan 1
          ->  Aggregate
                ->  Seq Scan on u
                      Filter: (u.a < t.a)"
    `);
  });
  it('few outer rows keep the subplan', () => {
    expect(
      db.explain(`select t.id, (select count(*) from orders where o_orderkey = t.a) from t where t.id = 5`),
    ).toMatchInlineSnapshot(`
      "Index Scan using t_pkey on t
        Index Cond: (t.id = 5)
        SubPlan 1
          ->  Aggregate
                ->  Index Scan using orders_pkey on orders
                      Index Cond: (orders.o_orderkey = t.a)"
    `);
  });
  it('above a limit the subplan stays and the order too', () => {
    expect(
      db.explain(`select t.id, (select count(*) from u where u.a = t.a) from t order by t.c limit 3`),
    ).toMatchInlineSnapshot(`
      "Limit
        ->  Sort
              Sort Key: t.c
              ->  Seq Scan on t
        SubPlan 1
          ->  Aggregate
                ->  Seq Scan on u
                      Filter: (u.a = t.a)"
    `);
  });
  it('under CASE it stays', () => {
    expect(
      db.explain(`select case when a = 1 then (select u.c from u where u.id = t.a) end from t`),
    ).toMatchInlineSnapshot(`
      "Seq Scan on t
        SubPlan 1
          ->  Index Scan using u_pkey on u
                Index Cond: (u.id = t.a)"
    `);
  });
});

describe('LATERAL', () => {
  it('what can be made independent is joined', () => {
    expect(
      db.explain(`select * from t, lateral (select * from u where u.a = t.a and u.b > 3) s`),
    ).toMatchInlineSnapshot(`
      "Hash Join
        Hash Cond: (t.a = u.a)
        ->  Seq Scan on t
        ->  Hash
              ->  Seq Scan on u
                    Filter: (u.b > 3)"
    `);
  });
  it('an aggregate is run per row', () => {
    expect(
      db.explain(`select * from t, lateral (select count(*) from u where u.a = t.a) s`),
    ).toMatchInlineSnapshot(`
      "Nested Loop
        ->  Seq Scan on t
        ->  Aggregate
              ->  Seq Scan on u
                    Filter: (u.a = t.a)"
    `);
  });
  it("below an outer join's NULLs", () => {
    expect(
      db.explain(
        `select * from t left join u on t.a = u.id cross join lateral (select count(*) from u v where v.id = u.b) s`,
      ),
    ).toMatchInlineSnapshot(`
      "Nested Loop
        ->  Hash Left Join
              Hash Cond: (t.a = u.id)
              ->  Seq Scan on t
              ->  Hash
                    ->  Seq Scan on u
        ->  Aggregate
              ->  Index Scan using u_pkey on u v
                    Index Cond: (v.id = u.b)"
    `);
  });
});

describe('columns of an enclosing query', () => {
  /** The subquery depends on the outer row: it must not run once. */
  const runsPerRow = (subquery: string): boolean => {
    const plan = db.plan(`select (${subquery}) from t where t.id < 5`);
    return plan.subplans.length > 0 && plan.subplans.every((subplan) => !subplan.once);
  };
  it.each([
    'select count(*) from (select distinct t.a, u.b from u) s',
    'select sum(q) from (select t.a as q, count(*) from u group by t.a) s',
    'with c as materialized (select t.a as v) select v from c',
    'with recursive r(n) as (select t.a union all select n + 1 from r where n < 6) select count(*) from r',
    'select max(v) from (select t.a as v union select u.b from u) s',
    'select min(v) from (values (t.a), (t.b)) x(v)',
  ])('%s', (subquery) => {
    expect(runsPerRow(subquery)).toBe(true);
  });
});
