import { beforeAll, describe, expect, it } from 'vitest';
import { PlannerFixture } from '../testing.ts';

let db: PlannerFixture;
beforeAll(async () => {
  db = await PlannerFixture.create();
});

describe('constant folding', () => {
  it('arithmetic over constants is done once', () => {
    expect(db.explain(`select * from t where a = 2 + 3 * 4`)).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: (a = 14)"
    `);
  });
  it('a date minus an interval is compared as a date', () => {
    expect(
      db.explain(`select * from lineitem where l_shipdate <= date '1998-12-01' - interval '90 day'`),
    ).toMatchInlineSnapshot(`
      "Seq Scan on lineitem
        Filter: (l_shipdate <= '1998-09-02'::date)"
    `);
  });
  it('a bound between two midnights is rounded the right way', () => {
    expect(
      db.explain(
        `select * from t where d < timestamp '2020-01-01 12:00' and d > timestamp '2019-01-01 12:00'`,
      ),
    ).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: ((d <= '2020-01-01'::date) AND (d > '2019-01-01'::date))"
    `);
  });
  it('a constant on the left changes sides', () => {
    expect(db.explain(`select * from t where 5 < a`)).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: (a > 5)"
    `);
  });
  it('int4 against an int8 constant is a comparison of int4', () => {
    expect(db.explain(`select * from t where id = 5::int8`)).toMatchInlineSnapshot(`
      "Index Scan using t_pkey on t
        Index Cond: (id = 5)"
    `);
  });
  it('a condition that is never true empties the plan', () => {
    expect(db.explain(`select * from t where a = 1 and 1 = 2`)).toMatchInlineSnapshot(`
      "Result
        One-Time Filter: false"
    `);
  });
  it('a condition that is always true goes', () => {
    expect(db.explain(`select * from t where a = 1 or 1 = 1`)).toMatchInlineSnapshot(`"Seq Scan on t"`);
  });
  it('NULL in a strict operator is NULL', () => {
    expect(db.explain(`select * from t where a = null`)).toMatchInlineSnapshot(`
      "Result
        One-Time Filter: false"
    `);
  });
  it('what fails is left for run time', () => {
    expect(db.explain(`select * from t where a = 1 / 0`)).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: (a = (1 / 0))"
    `);
  });
  it('volatile calls stay', () => {
    expect(db.explain(`select * from t where random() < 0.5`)).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: (random() < '0.5'::double precision)"
    `);
  });
});

describe('boolean simplification', () => {
  it('NOT moves to the operator', () => {
    expect(db.explain(`select * from t where not (a < 5 or b = 3)`)).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: ((a >= 5) AND (b <> 3))"
    `);
  });
  it('NOT of NOT goes', () => {
    expect(db.explain(`select * from t where not (not flag)`)).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: flag"
    `);
  });
  it('NOT of IS NULL', () => {
    expect(db.explain(`select * from t where not (a is null)`)).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: (a IS NOT NULL)"
    `);
  });
  it('boolean = true is the boolean', () => {
    expect(db.explain(`select * from t where flag = true and (a = 1) = false`)).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: (flag AND (a <> 1))"
    `);
  });
  it('repeated conditions count once', () => {
    expect(db.explain(`select * from t where a = 1 and a = 1`)).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: (a = 1)"
    `);
  });
  it('a list of one is a comparison', () => {
    expect(db.explain(`select * from t where a in (7)`)).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: (a = 7)"
    `);
  });
  it('CASE with a constant condition', () => {
    expect(
      db.explain(`select case when 1 = 1 then a else b end from t where coalesce(null, a, 3) = 4`),
    ).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: (COALESCE(a, 3) = 4)"
    `);
  });
});
