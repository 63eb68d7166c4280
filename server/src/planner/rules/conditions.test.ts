import { beforeAll, describe, expect, it } from 'vitest';
import { PlannerFixture } from '../testing.ts';

let db: PlannerFixture;
beforeAll(async () => {
  db = await PlannerFixture.create();
  db.database.define('create table words (word text not null); create index words_word on words (word)');
});

describe('OR', () => {
  it('common conditions leave it', () => {
    expect(
      db.explain(`select * from t where (a = 1 and b = 2) or (a = 1 and b = 3 and d is null)`),
    ).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: ((a = 1) AND ((b = 2) OR ((b = 3) AND (d IS NULL))))"
    `);
  });
  it('an arm that is nothing else makes the rest superfluous', () => {
    expect(db.explain(`select * from t where a = 1 or (a = 1 and b = 3)`)).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: (a = 1)"
    `);
  });
  it('equalities become a list', () => {
    expect(db.explain(`select * from t where id = 1 or id = 2 or id in (3, 4)`)).toMatchInlineSnapshot(`
      "Index Scan using t_pkey on t
        Index Cond: (id = ANY ('{1,2,3,4}'::integer[]))"
    `);
  });
  it('other arms stay beside the list', () => {
    expect(db.explain(`select * from t where a = 1 or b = 5 or a = 2`)).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: ((a = ANY ('{1,2}'::integer[])) OR (b = 5))"
    `);
  });
  it('an OR over two tables restricts both', () => {
    expect(
      db.explain(`select * from t, u where t.id = u.id and ((t.a = 1 and u.a = 2) or (t.a = 3 and u.a = 4))`),
    ).toMatchInlineSnapshot(`
      "Nested Loop
        Join Filter: (((t.a = 1) AND (u.a = 2)) OR ((t.a = 3) AND (u.a = 4)))
        ->  Seq Scan on u
              Filter: (u.a = ANY ('{2,4}'::integer[]))
        ->  Index Scan using t_pkey on t
              Index Cond: (t.id = u.id)
              Filter: (t.a = ANY ('{1,3}'::integer[]))"
    `);
  });
  it('an arm without a condition on a table leaves that table alone', () => {
    expect(
      db.explain(`select * from t, u where t.id = u.id and ((t.a = 1 and u.a = 2) or t.b = 3)`),
    ).toMatchInlineSnapshot(`
      "Hash Join
        Hash Cond: (t.id = u.id)
        Join Filter: (((t.a = 1) AND (u.a = 2)) OR (t.b = 3))
        ->  Seq Scan on t
              Filter: ((t.a = 1) OR (t.b = 3))
        ->  Hash
              ->  Seq Scan on u"
    `);
  });
});

describe('LIKE', () => {
  it('a prefix becomes a range of the index', () => {
    expect(db.explain(`select * from words where word like 'abc%'`)).toMatchInlineSnapshot(`
      "Index Scan using words_word on words
        Index Cond: ((word >= 'abc'::text) AND (word < 'abd'::text))
        Filter: (word ~~ 'abc%'::text)"
    `);
  });
  it('a literal percent sign is part of the prefix', () => {
    expect(db.explain(`select * from words where word like 'a\\%b%'`)).toMatchInlineSnapshot(`
      "Index Scan using words_word on words
        Index Cond: ((word >= 'a%b'::text) AND (word < 'a%c'::text))
        Filter: (word ~~ E'a\\\\%b%'::text)"
    `);
  });
  it('a leading wildcard has no range', () => {
    expect(db.explain(`select * from words where word like '%abc'`)).toMatchInlineSnapshot(`
      "Seq Scan on words
        Filter: (word ~~ '%abc'::text)"
    `);
  });
  it('NOT LIKE has no range', () => {
    expect(db.explain(`select * from words where word not like 'abc%'`)).toMatchInlineSnapshot(`
      "Seq Scan on words
        Filter: (word !~~ 'abc%'::text)"
    `);
  });
});

describe('min and max', () => {
  it('of an indexed column read one entry', () => {
    expect(db.explain(`select min(o_orderkey), max(o_orderkey) from orders`)).toMatchInlineSnapshot(`
      "Result
        InitPlan 1 (returns $0)
          ->  Limit
                ->  Index Scan using orders_pkey on orders
                      Filter: (orders.o_orderkey IS NOT NULL)
        InitPlan 2 (returns $1)
          ->  Limit
                ->  Index Scan Backward using orders_pkey on orders orders_1
                      Filter: (orders_1.o_orderkey IS NOT NULL)"
    `);
  });
  it('with a condition too', () => {
    expect(db.explain(`select max(id) from t where id < 100`)).toMatchInlineSnapshot(`
      "Result
        InitPlan 1 (returns $0)
          ->  Limit
                ->  Index Scan Backward using t_pkey on t
                      Index Cond: (id < 100)
                      Filter: (id IS NOT NULL)"
    `);
  });
  it('not of a column without index', () => {
    expect(db.explain(`select max(a) from t`)).toMatchInlineSnapshot(`
      "Aggregate
        ->  Seq Scan on t"
    `);
  });
  it('not with a group', () => {
    expect(db.explain(`select max(id) from t group by a`)).toMatchInlineSnapshot(`
      "HashAggregate
        Group Key: a
        ->  Seq Scan on t"
    `);
  });
  it('not beside another aggregate', () => {
    expect(db.explain(`select max(id), count(*) from t`)).toMatchInlineSnapshot(`
      "Aggregate
        ->  Seq Scan on t"
    `);
  });
});

describe('aggregates read only the groups that are asked for', () => {
  it('a selective table in the chain of equalities', () => {
    expect(
      db.explain(
        `select sum(l_quantity) from lineitem, part where p_partkey = l_partkey and p_brand = 'Brand#23' and p_container = 'MED BOX' and l_quantity < (select 0.2 * avg(l_quantity) from lineitem where l_partkey = p_partkey)`,
      ),
    ).toMatchInlineSnapshot(`
      "Aggregate
        ->  Hash Join
              Hash Cond: (lineitem.l_partkey = part_1.p_partkey)
              Join Filter: (lineitem.l_quantity < (0.2 * (avg(lineitem_1.l_quantity))))
              ->  Seq Scan on lineitem
              ->  Hash
                    ->  Hash Join
                          Hash Cond: (lineitem_1.l_partkey = part_1.p_partkey)
                          ->  HashAggregate
                                Group Key: lineitem_1.l_partkey
                                ->  Hash Semi Join
                                      Hash Cond: (lineitem_1.l_partkey = part.p_partkey)
                                      ->  Seq Scan on lineitem lineitem_1
                                      ->  Hash
                                            ->  Seq Scan on part
                                                  Filter: ((part.p_brand = 'Brand#23'::bpchar) AND (part.p_container = 'MED BOX'::bpchar))
                          ->  Hash
                                ->  Seq Scan on part part_1
                                      Filter: ((part_1.p_brand = 'Brand#23'::bpchar) AND (part_1.p_container = 'MED BOX'::bpchar))"
    `);
  });
  it('not without a selective one', () => {
    expect(
      db.explain(
        `select sum(l_quantity) from lineitem, part where p_partkey = l_partkey and l_quantity < (select 0.2 * avg(l_quantity) from lineitem where l_partkey = p_partkey)`,
      ),
    ).toMatchInlineSnapshot(`
      "Aggregate
        ->  Hash Join
              Hash Cond: (lineitem.l_partkey = part.p_partkey)
              Join Filter: (lineitem.l_quantity < (0.2 * (avg(lineitem_1.l_quantity))))
              ->  Seq Scan on lineitem
              ->  Hash
                    ->  Hash Join
                          Hash Cond: (part.p_partkey = lineitem_1.l_partkey)
                          ->  Seq Scan on part
                          ->  Hash
                                ->  HashAggregate
                                      Group Key: lineitem_1.l_partkey
                                      ->  Seq Scan on lineitem lineitem_1"
    `);
  });
});
