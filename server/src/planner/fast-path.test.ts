import { beforeAll, describe, expect, it } from 'vitest';
import { planPointStatement } from './fast-path.ts';
import type { PhysicalPlan, PlanNode } from './physical.ts';
import { planQuery } from './plan-query.ts';
import { PlannerState } from './state.ts';
import { PlannerFixture } from './testing.ts';

let db: PlannerFixture;
beforeAll(async () => {
  db = await PlannerFixture.create();
});

const STATEMENTS = [
  'select c from t where id = 5',
  'select * from t where id = $1 and a > 3',
  'select a + 1, b, a + 1 from t where $1 = id',
  'select ctid, id from t where id = 1 and id = 2',
  'update t set a = a + 1, c = $2 where id = $1',
  'update t set a = 1 where id = $1 and b is null returning id, a * 2, c',
  'delete from t where id = 3',
  'delete from t where id = 3 returning *',
  'select * from partsupp where ps_suppkey = 2 and ps_partkey = 1',
];

/** What matters of a plan, costs and numbering of slots aside. */
function shape(plan: PhysicalPlan): unknown {
  const names = new Map<number, string>();
  const visit = (node: PlanNode): void => {
    if (node.kind === 'indexScan')
      for (const { column, slot } of [...node.columns, ...(node.pruned ?? [])])
        names.set(slot, `column ${column}`);
    if ('child' in node) visit(node.child);
  };
  visit(plan.root);
  const text = JSON.stringify({ ...plan, slotCount: 0 }, (key, value: unknown) => {
    if (['startupCost', 'totalCost', 'pruned', 'source', 'position', 'targets', 'id', 'width'].includes(key))
      return undefined;
    if ((key === 'slot' || key === 'rowIdSlot') && typeof value === 'number')
      return names.get(value) ?? 'computed';
    if (key === 'outputs' && Array.isArray(value))
      return value.map((slot: number) => names.get(slot) ?? 'computed').sort();
    if (
      key === 'columns' &&
      Array.isArray(value) &&
      value.length > 0 &&
      typeof value[0] === 'object' &&
      'column' in value[0]
    )
      return [...(value as { column: number }[])].sort((a, b) => a.column - b.column);
    if (typeof value === 'bigint') return `${value}n`;
    return value;
  });
  return JSON.parse(text);
}

describe('point statements', () => {
  for (const sql of STATEMENTS)
    it(`plans as the long way does: ${sql}`, () => {
      const { query, parameterTypes } = db.query(sql);
      const options = {
        catalog: db.database.reader,
        statistics: db.statistics,
        evaluateConstant: db.evaluateConstant,
        parameterTypes,
      };
      const fast = planQuery(query, options);
      const slow = planQuery(query, { ...options, isPointPlanningOff: true });
      expect(fast.root.kind === slow.root.kind).toBe(true);
      expect(shape(fast)).toEqual(shape(slow));
    });

  it('leaves everything else to the long way', () => {
    for (const sql of [
      'select * from t where a = 5',
      'select * from t where id = random()::int',
      'select * from t where id in (1, 2)',
      'select count(*) from t where id = 1',
      'select * from lineitem where l_orderkey = 1',
      'select * from t where id = (select 1)',
    ]) {
      const { query, parameterTypes } = db.query(sql);
      const state = new PlannerState({
        catalog: db.database.reader,
        statistics: db.statistics,
        evaluateConstant: db.evaluateConstant,
        parameterTypes,
      });
      expect(planPointStatement(state, query)).toBeNull();
    }
  });

  it('takes the privileges and locks of the relation along', () => {
    const { relations, readOnly, parallelSafe } = db.plan('update t set a = 1 where id = 5');
    expect(relations).toHaveLength(1);
    expect(relations[0].lockMode).toBe('RowExclusive');
    expect(relations[0].privileges.map((item) => item.privilege).sort()).toEqual(['SELECT', 'UPDATE']);
    expect([readOnly, parallelSafe]).toEqual([false, false]);
  });
});
