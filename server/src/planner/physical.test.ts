import { beforeAll, describe, expect, it } from 'vitest';
import { PlannerFixture } from './testing.ts';

let db: PlannerFixture;
beforeAll(async () => {
  db = await PlannerFixture.create();
});

describe('access paths', () => {
  it('equality on a unique key', () => {
    expect(db.explain(`select * from t where id = 5`)).toMatchInlineSnapshot(`
      "Index Scan using t_pkey on t
        Index Cond: (id = 5)"
    `);
  });
  it('equality with a further condition', () => {
    expect(db.explain(`select * from t where id = 5 and a = 1`)).toMatchInlineSnapshot(`
      "Index Scan using t_pkey on t
        Index Cond: (id = 5)
        Filter: (a = 1)"
    `);
  });
  it('a range', () => {
    expect(db.explain(`select * from orders where o_orderkey between 10 and 20`)).toMatchInlineSnapshot(`
      "Index Scan using orders_pkey on orders
        Index Cond: ((o_orderkey >= 10) AND (o_orderkey <= 20))"
    `);
  });
  it('a list', () => {
    expect(db.explain(`select * from orders where o_orderkey in (1, 2, 3)`)).toMatchInlineSnapshot(`
      "Index Scan using orders_pkey on orders
        Index Cond: (o_orderkey = ANY ('{1,2,3}'::integer[]))"
    `);
  });
  it('the first of two keys', () => {
    expect(db.explain(`select * from lineitem where l_orderkey = 5`)).toMatchInlineSnapshot(`
      "Index Scan using lineitem_pkey on lineitem
        Index Cond: (l_orderkey = 5)"
    `);
  });
  it('both keys, one as a range', () => {
    expect(
      db.explain(`select * from lineitem where l_orderkey = 5 and l_linenumber > 2`),
    ).toMatchInlineSnapshot(`
      "Index Scan using lineitem_pkey on lineitem
        Index Cond: ((l_orderkey = 5) AND (l_linenumber > 2))"
    `);
  });
  it('not the second key alone', () => {
    expect(db.explain(`select * from lineitem where l_linenumber = 2`)).toMatchInlineSnapshot(`
      "Seq Scan on lineitem
        Filter: (l_linenumber = 2)"
    `);
  });
  it('not an inequality', () => {
    expect(db.explain(`select * from orders where o_orderkey <> 2`)).toMatchInlineSnapshot(`
      "Seq Scan on orders
        Filter: (o_orderkey <> 2)"
    `);
  });
  it('a wide range reads the table', () => {
    expect(db.explain(`select * from orders where o_orderkey > 10`)).toMatchInlineSnapshot(`
      "Seq Scan on orders
        Filter: (o_orderkey > 10)"
    `);
  });
  it('a small table is read', () => {
    expect(db.explain(`select * from region where r_regionkey in (1, 2)`)).toMatchInlineSnapshot(`
      "Seq Scan on region
        Filter: (r_regionkey = ANY ('{1,2}'::integer[]))"
    `);
  });
  it('order and limit read the index', () => {
    expect(db.explain(`select * from orders order by o_orderkey limit 10`)).toMatchInlineSnapshot(`
      "Limit
        ->  Index Scan using orders_pkey on orders"
    `);
  });
  it('backwards', () => {
    expect(db.explain(`select * from orders order by o_orderkey desc limit 10`)).toMatchInlineSnapshot(`
      "Limit
        ->  Index Scan Backward using orders_pkey on orders"
    `);
  });
  it('not backwards with the other place for NULLs', () => {
    expect(
      db.explain(`select * from orders order by o_orderkey desc nulls last limit 10`),
    ).toMatchInlineSnapshot(`
      "Limit
        ->  Sort
              Sort Key: o_orderkey DESC NULLS LAST
              ->  Seq Scan on orders"
    `);
  });
  it('an equality does not disturb the order', () => {
    expect(
      db.explain(`select * from lineitem where l_orderkey = 5 order by l_linenumber`),
    ).toMatchInlineSnapshot(`
      "Index Scan using lineitem_pkey on lineitem
        Index Cond: (l_orderkey = 5)"
    `);
  });
  it('all rows are sorted', () => {
    expect(db.explain(`select * from orders order by o_orderkey`)).toMatchInlineSnapshot(`
      "Sort
        Sort Key: o_orderkey
        ->  Seq Scan on orders"
    `);
  });
  it('a limit that reads nearly everything sorts', () => {
    expect(db.explain(`select * from orders order by o_orderkey limit 1400000`)).toMatchInlineSnapshot(`
      "Limit
        ->  Sort
              Sort Key: o_orderkey
              ->  Seq Scan on orders"
    `);
  });
  it('a view over a function', () => {
    expect(db.explain(`select * from pg_settings where name = 'x'`)).toMatchInlineSnapshot(`
      "Function Scan on pg_show_all_settings a
        Filter: (name = 'x'::text)"
    `);
  });
});

describe('joins', () => {
  it('the smaller side is built', () => {
    expect(db.explain(`select * from lineitem, part where l_partkey = p_partkey`)).toMatchInlineSnapshot(`
      "Hash Join
        Hash Cond: (lineitem.l_partkey = part.p_partkey)
        ->  Seq Scan on lineitem
        ->  Hash
              ->  Seq Scan on part"
    `);
  });
  it('few outer rows probe the index', () => {
    expect(
      db.explain(`select * from orders, customer where o_custkey = c_custkey and o_orderkey = 7`),
    ).toMatchInlineSnapshot(`
      "Nested Loop
        ->  Index Scan using orders_pkey on orders
              Index Cond: (orders.o_orderkey = 7)
        ->  Index Scan using customer_pkey on customer
              Index Cond: (orders.o_custkey = customer.c_custkey)"
    `);
  });
  it('an index probe as the inner side of a left join', () => {
    expect(
      db.explain(
        `select * from orders left join customer on o_custkey = c_custkey where o_orderkey in (1, 2, 3)`,
      ),
    ).toMatchInlineSnapshot(`
      "Nested Loop Left Join
        ->  Index Scan using orders_pkey on orders
              Index Cond: (orders.o_orderkey = ANY ('{1,2,3}'::integer[]))
        ->  Index Scan using customer_pkey on customer
              Index Cond: (orders.o_custkey = customer.c_custkey)"
    `);
  });
  it('types are made equal for hashing', () => {
    expect(db.explain(`select * from t, u where t.big = u.a`)).toMatchInlineSnapshot(`
      "Hash Join
        Hash Cond: (t.big = u.a)
        ->  Seq Scan on t
        ->  Hash
              ->  Seq Scan on u"
    `);
  });
  it('an inequality needs a loop', () => {
    expect(db.explain(`select * from t, u where t.a < u.a`)).toMatchInlineSnapshot(`
      "Nested Loop
        Join Filter: (t.a < u.a)
        ->  Seq Scan on t
        ->  Materialize
              ->  Seq Scan on u"
    `);
  });
  it('full join without an equality', () => {
    expect(db.explain(`select * from t full join u on t.a < u.a`)).toMatchInlineSnapshot(`
      "Hash Full Join
        Join Filter: (t.a < u.a)
        ->  Seq Scan on t
        ->  Hash
              ->  Seq Scan on u"
    `);
  });
  it('a cross join', () => {
    expect(db.explain(`select * from region, nation`)).toMatchInlineSnapshot(`
      "Nested Loop
        ->  Seq Scan on nation
        ->  Materialize
              ->  Seq Scan on region"
    `);
  });
  it('left joins may change places', () => {
    expect(
      db.explain(`select * from t left join u on t.a = u.id left join u v on t.b = v.id`),
    ).toMatchInlineSnapshot(`
      "Hash Left Join
        Hash Cond: (t.b = v.id)
        ->  Hash Left Join
              Hash Cond: (t.a = u.id)
              ->  Seq Scan on t
              ->  Hash
                    ->  Seq Scan on u
        ->  Hash
              ->  Seq Scan on u v"
    `);
  });
  it('the inner side of a left join is not joined first', () => {
    expect(
      db.explain(`select * from t left join u on t.a = u.id join nation on n_nationkey = t.b`),
    ).toMatchInlineSnapshot(`
      "Hash Join
        Hash Cond: (t.b = nation.n_nationkey)
        ->  Hash Left Join
              Hash Cond: (t.a = u.id)
              ->  Seq Scan on t
              ->  Hash
                    ->  Seq Scan on u
        ->  Hash
              ->  Seq Scan on nation"
    `);
  });
  it('order of an index survives loops', () => {
    expect(
      db.explain(`select * from orders, customer where o_custkey = c_custkey order by o_orderkey limit 5`),
    ).toMatchInlineSnapshot(`
      "Limit
        ->  Nested Loop
              ->  Index Scan using orders_pkey on orders
              ->  Index Scan using customer_pkey on customer
                    Index Cond: (orders.o_custkey = customer.c_custkey)"
    `);
  });
});

describe('grouping and sorting', () => {
  it('hashed', () => {
    expect(db.explain(`select a, count(*) from t group by a`)).toMatchInlineSnapshot(`
      "HashAggregate
        Group Key: a
        ->  Seq Scan on t"
    `);
  });
  it('sorted when the order is wanted and given', () => {
    expect(
      db.explain(`select l_orderkey, count(*) from lineitem group by l_orderkey order by l_orderkey limit 5`),
    ).toMatchInlineSnapshot(`
      "Limit
        ->  GroupAggregate
              Group Key: l_orderkey
              ->  Index Scan using lineitem_pkey on lineitem"
    `);
  });
  it('keys and aggregates in expressions', () => {
    expect(
      db.explain(`select a + 1, sum(b) * 2 from t group by a + 1 having max(b) > 3 order by 2 desc`),
    ).toMatchInlineSnapshot(`
      "Sort
        Sort Key: ((sum(b)) * 2) DESC
        ->  HashAggregate
              Group Key: (a + 1)
              Filter: (max(b) > 3)
              ->  Seq Scan on t"
    `);
  });
  it('grouping sets', () => {
    expect(
      db.explain(`select a, b, count(*) from t group by grouping sets ((a, b), (a), ())`),
    ).toMatchInlineSnapshot(`
      "MixedAggregate
        Hash Key: a, b
        Hash Key: a
        Group Key: ()
        ->  Seq Scan on t"
    `);
  });
  it('columns that depend on the key', () => {
    expect(
      db.explain(`select t.id, t.c, count(*) from t join u on t.id = u.a group by t.id`),
    ).toMatchInlineSnapshot(`
      "HashAggregate
        Group Key: t.id, t.c
        ->  Hash Join
              Hash Cond: (t.id = u.a)
              ->  Seq Scan on t
              ->  Hash
                    ->  Seq Scan on u"
    `);
  });
  it('DISTINCT', () => {
    expect(db.explain(`select distinct a from t`)).toMatchInlineSnapshot(`
      "HashAggregate
        Group Key: a
        ->  Seq Scan on t"
    `);
  });
  it('DISTINCT ON', () => {
    expect(db.explain(`select distinct on (a) a, b from t order by a, b desc`)).toMatchInlineSnapshot(`
      "Unique
        ->  Sort
              Sort Key: a, b DESC
              ->  Seq Scan on t"
    `);
  });
  it('windows share a sort', () => {
    expect(
      db.explain(`select rank() over (partition by a order by b), sum(b) over (partition by a) from t`),
    ).toMatchInlineSnapshot(`
      "WindowAgg
        ->  WindowAgg
              ->  Sort
                    Sort Key: a, b
                    ->  Seq Scan on t"
    `);
  });
  it('top rows', () => {
    expect(db.explain(`select * from t order by b, c limit 5 offset 2`)).toMatchInlineSnapshot(`
      "Limit
        ->  Sort
              Sort Key: b, c
              ->  Seq Scan on t"
    `);
  });
  it('set-returning targets after the sort', () => {
    expect(db.explain(`select id, generate_series(1, 2) from t order by id limit 3`)).toMatchInlineSnapshot(`
      "Limit
        ->  ProjectSet
              ->  Index Scan using t_pkey on t"
    `);
  });
});
