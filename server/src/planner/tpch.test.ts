import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseStatements } from '../sql/parse/parser.ts';
import type { PhysicalPlan, PlanNode } from './physical.ts';
import { forEachPlanNode } from './plan-walk.ts';
import { PlannerFixture } from './testing.ts';

const FOLDER = new URL('../../test/sql/tpch/', import.meta.url);

let db: PlannerFixture;
beforeAll(async () => {
  db = await PlannerFixture.create();
});

/** The query's text; views it needs are defined. */
function queryText(number: number): string {
  const text = readFileSync(new URL(`q${String(number).padStart(2, '0')}.sql`, FOLDER), 'utf8');
  let query = '';
  for (const statement of parseStatements(text).statements) {
    const part = text.slice(statement.start, statement.start + statement.length);
    if ('ViewStmt' in statement.tree) db.database.define(part);
    else if ('SelectStmt' in statement.tree) query = part;
  }
  return query;
}

function nodes(plan: PhysicalPlan): PlanNode[] {
  const result: PlanNode[] = [];
  forEachPlanNode(plan.root, (node) => result.push(node));
  for (const cte of plan.ctes) forEachPlanNode(cte.root, (node) => result.push(node));
  return result;
}

describe('TPC-H at scale factor 1', () => {
  for (let number = 1; number <= 22; number++)
    it(`query ${number} has a plan without accidents`, () => {
      const plan = db.plan(queryText(number));
      expect(plan.readOnly).toBe(true);
      for (const node of nodes(plan)) {
        // The smaller side is built.
        if (node.kind === 'hashJoin')
          expect(node.inner.estimatedRows).toBeLessThanOrEqual(node.outer.estimatedRows * 4 + 1000);
        // Loops over large inputs go through an index.
        if (node.kind === 'nestedLoop' && node.inner.kind !== 'indexScan')
          expect(node.outer.estimatedRows * node.inner.estimatedRows).toBeLessThan(1_000_000);
      }
      // Only the cheap correlated lookup of query 2 may run per row.
      if (number !== 2) for (const subplan of plan.subplans) expect(subplan.once).toBe(true);
    });

  it('query 17 and 20 aggregate once', () => {
    for (const number of [17, 20]) expect(db.plan(queryText(number)).subplans).toEqual([]);
  });

  it('query 4, 21 and 22 use semi and anti joins', () => {
    const joins = (number: number): string[] =>
      nodes(db.plan(queryText(number))).flatMap((node) =>
        'type' in node && typeof node.type === 'string' ? [node.type] : [],
      );
    expect(joins(4).some((type) => /semi/i.test(type))).toBe(true);
    expect(joins(21)).toEqual(expect.arrayContaining(['semi', 'anti']));
    expect(joins(22).some((type) => /anti/i.test(type))).toBe(true);
  });

  it('query 13 keeps its outer join, query 16 needs no care for NULL', () => {
    const find = (number: number, kind: string): PlanNode[] =>
      nodes(db.plan(queryText(number))).filter((node) => node.kind === kind);
    expect(find(13, 'hashJoin').map((node) => node.kind === 'hashJoin' && node.type)).toEqual(['right']);
    for (const node of find(16, 'hashJoin')) expect(node.kind === 'hashJoin' && node.nullAware).toBe(false);
  });
});

describe('size limits', () => {
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  const chain = (count: number): string =>
    `select count(*) from ${numbers(count)
      .map((i) => `nation t${i}`)
      .join(', ')} where ${numbers(count - 1)
      .map((i) => `t${i}.n_nationkey = t${i + 1}.n_regionkey`)
      .join(' and ')}`;
  const nested = (depth: number): string =>
    depth === 0
      ? 'select n_nationkey as x from nation'
      : `select x from (${nested(depth - 1)}) s where x > ${depth % 3}`;
  const nestedIn = (depth: number): string =>
    `select n_nationkey from nation${depth === 0 ? '' : ` where n_nationkey in (${nestedIn(depth - 1)})`}`;

  it('a list of 50,000 values', () => {
    const plan = db.plan(`select * from orders where o_orderkey in (${numbers(50_000).join(',')})`);
    expect(['indexScan', 'seqScan']).toContain(plan.root.kind);
  });
  it('100 levels of subqueries merge into one scan', () => {
    expect(db.plan(nested(100)).root.kind).toBe('seqScan');
  });
  it('100 levels of IN', () => {
    expect(
      nodes(db.plan(nestedIn(100))).filter((node) => node.kind === 'seqScan' || node.kind === 'indexScan'),
    ).toHaveLength(101);
  });
  it('20 and 40 tables in one join', () => {
    for (const count of [20, 40])
      expect(nodes(db.plan(chain(count))).filter((node) => 'alias' in node)).toHaveLength(count);
  });
  it('a star of 14 tables goes to the greedy search', () => {
    const star = `select count(*) from orders f, ${numbers(13)
      .map((i) => `nation t${i}`)
      .join(', ')} where ${numbers(13)
      .map((i) => `f.o_custkey + ${i} = t${i}.n_nationkey`)
      .join(' and ')}`;
    expect(nodes(db.plan(star)).filter((node) => 'alias' in node)).toHaveLength(14);
  });
  it('500 branches of a union are one append', () => {
    const { root } = db.plan(
      numbers(500)
        .map((i) => `select ${i}`)
        .join(' union all '),
    );
    expect(root.kind === 'append' && root.children.length).toBe(500);
  });
});
