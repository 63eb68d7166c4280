import { beforeAll, describe, expect, it } from 'vitest';
import { PlannerFixture } from './testing.ts';

let db: PlannerFixture;
beforeAll(async () => {
  db = await PlannerFixture.create();
});

const RECURSION = 'with recursive r(n) as (select 1 union all select n + 1 from r where n < 5)';

function readOnce(text: string): boolean[] {
  return db.plan(text).ctes.map((cte) => cte.readOnce);
}

describe('common tables that need not be kept', () => {
  it('one reader at the top', () => {
    expect(readOnce(`${RECURSION} select count(*) from r`)).toEqual([true]);
    expect(readOnce(`${RECURSION} insert into t (id) select n from r`)).toEqual([true]);
    expect(readOnce(`${RECURSION} select * from r order by n desc limit 2`)).toEqual([true]);
  });
  it('two readers', () => {
    expect(readOnce(`${RECURSION} select * from r union all select * from r`)).toEqual([false]);
    expect(readOnce(`${RECURSION} select (select max(n) from r), n from r`)).toEqual([false]);
  });
  it('a reader that starts again for each row of another table', () => {
    expect(
      readOnce(`${RECURSION} select * from t, lateral (select * from r where n > t.a limit 1) x`),
    ).toEqual([false]);
  });
});
