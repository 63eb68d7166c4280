import { beforeAll, describe, expect, it } from 'vitest';
import { PlannerFixture } from './testing.ts';

let db: PlannerFixture;
beforeAll(async () => {
  db = await PlannerFixture.create();
  db.database.define('create index t_part on t (b) where a > 50 and c is not null');
});

const uses = (sql: string): boolean => db.explain(sql).includes('t_part');

describe('partial indexes', () => {
  it('serve a query that implies their condition', () => {
    expect(uses("select * from t where b = 1 and a > 50 and c is not null and d = '2020-01-01'")).toBe(true);
    expect(uses("select * from t where b = 1 and a = 60 and c = 'x'")).toBe(true);
    expect(uses("select * from t where b = 1 and a > 70 and c like 'x%'")).toBe(true);
    expect(uses("select * from t where b = 1 and 51 <= a and c = 'x'")).toBe(true);
  });
  it('but no other', () => {
    expect(uses('select * from t where b = 1 and a > 50')).toBe(false);
    expect(uses("select * from t where b = 1 and a > 49 and c = 'x'")).toBe(false);
    expect(uses("select * from t where b = 1 and a >= 50 and c = 'x'")).toBe(false);
    expect(uses("select * from t where b = 1 and (a > 50 or c = 'x')")).toBe(false);
    expect(uses('select * from t where b = 1')).toBe(false);
    expect(uses('select b from t order by b limit 1')).toBe(false);
  });
});
