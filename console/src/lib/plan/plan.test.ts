import { describe, expect, it } from 'vitest';
import { comparePlans } from './compare.ts';
import { findingsOf } from './findings.ts';
import { edgeWidth, layoutPlan, NODE_WIDTH } from './layout.ts';
import { PlanError, parsePlan } from './parse.ts';

const TEXT = `                                                             QUERY PLAN
------------------------------------------------------------------------------------------------------------------------------------
 Limit  (cost=700.00..700.01 rows=5 width=40) (actual time=90.100..90.200 rows=5 loops=1)
   Buffers: shared hit=120 read=30, temp read=5 written=6
   CTE big
     ->  Seq Scan on public.orders  (cost=0.00..400.00 rows=100 width=12) (actual time=0.010..20.000 rows=20000 loops=1)
           Filter: (total > '10'::numeric)
           Rows Removed by Filter: 480000
   ->  Sort  (cost=700.00..701.00 rows=200 width=40) (actual time=90.000..90.100 rows=5 loops=1)
         Sort Key: (sum(b.total)) DESC
         Sort Method: external merge  Disk: 2048kB
         ->  Hash Left Join  (cost=30.00..600.00 rows=200 width=40) (actual time=5.000..80.000 rows=1000 loops=1)
               Hash Cond: (b.customer = c.id)
               ->  CTE Scan on big b  (cost=0.00..2.00 rows=100 width=12) (actual time=0.100..30.000 rows=20000 loops=1)
               ->  Hash  (cost=18.00..18.00 rows=1000 width=12) (actual time=4.000..4.000 rows=1000 loops=1)
                     Buckets: 1024  Batches: 4 (originally 1)  Memory Usage: 48kB
                     ->  Index Scan using customer_pkey on customer c  (cost=0.00..18.00 rows=1000 width=12) (actual time=0.100..3.000 rows=1000 loops=1)
                           Index Cond: (id > 0)
               SubPlan 1
                 ->  Result  (cost=0.00..0.01 rows=1 width=4) (never executed)
 Planning Time: 1.500 ms
 Execution Time: 95.000 ms
(18 rows)
`;

const node = (type: string, extra: object, plans: object[] = []) => ({
  'Node Type': type,
  ...extra,
  Plans: plans,
});
const json = (plan: object, more: object = {}): string => JSON.stringify([{ Plan: plan, ...more }]);

describe('reading plans', () => {
  it('reads text as psql prints it', () => {
    const plan = parsePlan(TEXT);
    expect(plan.nodes.map((one) => `${one.depth} ${one.title}`)).toEqual([
      '0 Limit',
      '1 Seq Scan',
      '1 Sort',
      '2 Hash Left Join',
      '3 CTE Scan',
      '3 Hash',
      '4 Index Scan',
      '3 Result',
    ]);
    expect(plan.planningMillis).toBe(1.5);
    expect(plan.executionMillis).toBe(95);
    const [limit, scan, sort, join, cte, hash, index, result] = plan.nodes;
    expect(limit.buffers).toMatchObject({ hit: 120, read: 30, temporaryRead: 5, temporaryWritten: 6 });
    expect(scan).toMatchObject({ relation: 'orders', subplanName: 'CTE big', rowsRemoved: 480_000 });
    expect(scan.estimateFactor).toBe(200);
    expect(sort.diskKilobytes).toBe(2048);
    expect(join.condition).toBe('(b.customer = c.id)');
    expect(hash.memoryKilobytes).toBe(48);
    expect(index).toMatchObject({ index: 'customer_pkey', relation: 'customer', alias: 'c' });
    expect(result.isNeverExecuted).toBe(true);
    // The time of the CTE is counted once: in its own node, not in the scan that pulls it.
    expect(cte.exclusiveMillis).toBeCloseTo(10);
    expect(join.exclusiveMillis).toBeCloseTo(46);
  });

  it('reads text without costs, framed text, and JSON with line marks', () => {
    expect(
      parsePlan(
        'Nested Loop\n  ->  Seq Scan on a\n  ->  Index Scan using i on b\n        Index Cond: (x = a.x)',
      ).nodes,
    ).toHaveLength(3);
    const framed = TEXT.split('\n')
      .slice(2, 6)
      .map((line) => `| ${line} |`)
      .join('\n');
    expect(parsePlan(framed).nodes[0].title).toBe('Limit');
    const marked = JSON.stringify([{ Plan: node('Seq Scan', { 'Relation Name': 't' }) }], null, 2).replaceAll(
      '\n',
      ' +\n',
    );
    expect(parsePlan(`QUERY PLAN\n----\n${marked}\n(1 row)`).nodes[0].relation).toBe('t');
  });

  it('reads what our server adds', () => {
    const plan = parsePlan(
      json(
        node('Seq Scan', {
          'Relation Name': 'facts',
          'Actual Rows': 10,
          'Actual Loops': 1,
          'Actual Total Time': 5,
          Segments: 'total=40 skipped by zone map=37 skipped by bounds=0',
          'Worker Time': '4.179 ms, 0.500 ms',
          'Sort Method': 'quicksort  Memory: 25kB',
        }),
        { 'Execution Time': 6 },
      ),
    );
    expect(plan.nodes[0].segments).toEqual({
      total: 40,
      skippedByZoneMap: 37,
      skippedByBloom: 0,
      skippedByBounds: 0,
      read: 3,
    });
    expect(plan.nodes[0].workers.map((worker) => worker.end)).toEqual([4.179, 0.5]);
    expect(plan.nodes[0].memoryKilobytes).toBe(25);
  });

  it('divides the loops of parallel nodes among the workers', () => {
    const plan = parsePlan(
      json(
        node(
          'Gather',
          {
            'Workers Launched': 2,
            'Workers Planned': 2,
            'Actual Total Time': 100,
            'Actual Rows': 30,
            'Actual Loops': 1,
          },
          [
            node('Seq Scan', {
              'Parallel Aware': true,
              'Actual Total Time': 90,
              'Actual Rows': 10,
              'Actual Loops': 3,
            }),
          ],
        ),
      ),
    );
    expect(plan.nodes[1].inclusiveMillis).toBe(90);
    expect(plan.nodes[0].exclusiveMillis).toBe(10);
    expect(plan.nodes[1].rows).toBe(30);
  });

  it('says what is wrong with a text that is no plan', () => {
    for (const text of ['', 'hello', '[{"Plan": ', '{"a": 1}', 'select 1;'])
      expect(() => parsePlan(text)).toThrow(PlanError);
  });
});

describe('findings', () => {
  it('are plain and the worst comes first', () => {
    const messages = findingsOf(parsePlan(TEXT)).map((finding) => finding.message);
    expect(messages[0]).toMatch(/more rows than expected|threw away|wrote|of the time/);
    expect(messages.join('\n')).toContain(
      'Seq Scan on orders read 500,000 rows and threw away 96 % of them.',
    );
    expect(messages.join('\n')).toContain('Sort did not fit into memory and wrote 2 MiB to disk.');
    expect(messages.join('\n')).toContain('The hash table was split into 4 batches.');
    expect(messages.join('\n')).toContain('Result was never executed.');
  });
});

describe('comparing', () => {
  const scan = (relation: string, time: number, extra: object = {}) =>
    node('Seq Scan', {
      'Relation Name': relation,
      Alias: relation,
      'Actual Total Time': time,
      'Actual Rows': 1,
      'Actual Loops': 1,
      ...extra,
    });
  it('pairs by relations and says why', () => {
    const before = parsePlan(
      json(
        node('Nested Loop', { 'Actual Total Time': 100, 'Actual Rows': 1, 'Actual Loops': 1 }, [
          scan('a', 10),
          scan('b', 80),
        ]),
      ),
    );
    const after = parsePlan(
      json(
        node('Hash Join', { 'Actual Total Time': 25, 'Actual Rows': 1, 'Actual Loops': 1 }, [
          scan('b', 10),
          node('Hash', { 'Actual Total Time': 5, 'Actual Rows': 1, 'Actual Loops': 1 }, [scan('a', 5)]),
        ]),
      ),
    );
    const comparison = comparePlans(before, after);
    expect(comparison.verdict).toBe(
      '4.0 × faster (100 ms → 25 ms): hash join replaced nested loop; new: Hash.',
    );
    expect(comparison.pairs.find((pair) => pair.before?.relation === 'a')?.after?.relation).toBe('a');
    expect(comparePlans(after, before).verdict).toMatch(/^4\.0 × slower/);
    expect(comparePlans(after, after).verdict).toMatch(/^About the same/);
  });
});

describe('layout', () => {
  const wide = (depth: number, width: number): object =>
    node(
      'Append',
      { 'Actual Total Time': 1, 'Actual Rows': 1, 'Actual Loops': 1 },
      depth === 0 ? [] : Array.from({ length: width }, () => wide(depth - 1, width)),
    );

  it('keeps nodes of a level apart', () => {
    const plan = parsePlan(json(wide(4, 3)));
    const layout = layoutPlan(plan);
    const levels = new Map<number, number[]>();
    for (const one of plan.nodes) levels.set(one.depth, [...(levels.get(one.depth) ?? []), layout.x[one.id]]);
    for (const places of levels.values()) {
      places.sort((left, right) => left - right);
      for (let at = 1; at < places.length; at++)
        expect(places[at] - places[at - 1]).toBeGreaterThanOrEqual(NODE_WIDTH);
    }
  });

  it('of 1,000 nodes takes a few milliseconds', () => {
    const plan = parsePlan(json(wide(3, 10)));
    expect(plan.nodes.length).toBe(1111);
    const start = performance.now();
    layoutPlan(plan);
    expect(performance.now() - start).toBeLessThan(50);
  });

  it('widens edges with the logarithm of the rows', () => {
    expect(edgeWidth(0)).toBe(1);
    expect(edgeWidth(1e9)).toBe(24);
  });
});
