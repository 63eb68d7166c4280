import { beforeAll, describe, expect, it } from 'vitest';
import type { PlanNode } from '../physical.ts';
import { forEachPlanNode } from '../plan-walk.ts';
import { PlannerFixture } from '../testing.ts';
import type { NodeInstrumentation } from './instrumentation.ts';

let db: PlannerFixture;
beforeAll(async () => {
  db = await PlannerFixture.create();
});

const JOIN =
  'select t.b, count(*) from t join u on t.id = u.a where u.b = 3 group by t.b having count(*) > 2 order by 2 desc';

/** Made-up measurements: node n ran n + 1 times. */
function measured(
  root: PlanNode,
  skip: (node: PlanNode) => boolean = () => false,
): Map<number, NodeInstrumentation> {
  const nodes = new Map<number, NodeInstrumentation>();
  forEachPlanNode(root, (node) => {
    if (skip(node)) return;
    nodes.set(node.id, {
      loops: node.id + 1,
      rows: 10 * (node.id + 1),
      startupMicros: 500,
      totalMicros: 2000 * (node.id + 1),
      removed: node.kind === 'seqScan' ? 30 * (node.id + 1) : 0,
      ...(node.kind === 'sort' ? { extra: [['Sort Method', 'quicksort  Memory: 25kB'] as const] } : {}),
    });
  });
  return nodes;
}

describe('text', () => {
  it('has costs, rows and width', () => {
    const text = db.explain('select id from t where a = 1', { costs: true });
    expect(text).toMatch(
      /^Seq Scan on t {2}\(cost=0\.00\.\.\d+\.\d\d rows=90 width=4\)\n {2}Filter: \(a = 1\)$/,
    );
  });

  it('indents children by six', () => {
    expect(db.explain(JOIN)).toMatchInlineSnapshot(`
      "Sort
        Sort Key: (count(*)) DESC
        ->  HashAggregate
              Group Key: t.b
              Filter: (count(*) > '2'::bigint)
              ->  Nested Loop
                    ->  Seq Scan on u
                          Filter: (u.b = 3)
                    ->  Index Scan using t_pkey on t
                          Index Cond: (t.id = u.a)"
    `);
  });

  it('prints measurements per loop', () => {
    const plan = db.plan(JOIN);
    const text = db.explain(JOIN, { analyze: true, summary: true }, {}, { nodes: measured(plan.root) });
    expect(text).toMatchInlineSnapshot(`
      "Sort (actual time=0.500..2.000 rows=10 loops=1)
        Sort Key: (count(*)) DESC
        Sort Method: quicksort  Memory: 25kB
        ->  HashAggregate (actual time=0.250..2.000 rows=10 loops=2)
              Group Key: t.b
              Filter: (count(*) > '2'::bigint)
              ->  Nested Loop (actual time=0.167..2.000 rows=10 loops=3)
                    ->  Seq Scan on u (actual time=0.125..2.000 rows=10 loops=4)
                          Filter: (u.b = 3)
                          Rows Removed by Filter: 30
                    ->  Index Scan using t_pkey on t (actual time=0.100..2.000 rows=10 loops=5)
                          Index Cond: (t.id = u.a)
      Planning Time: 0.125 ms
      Execution Time: 1.500 ms"
    `);
  });

  it('without timing prints rows only', () => {
    const sql = 'select * from t';
    const text = db.explain(
      sql,
      { analyze: true, timing: false },
      {},
      { nodes: measured(db.plan(sql).root) },
    );
    expect(text).toBe('Seq Scan on t (actual rows=10 loops=1)\n  Rows Removed by Filter: 30');
  });

  it('lists settings and the log bytes of the whole statement', () => {
    const options = { analyze: true, timing: false, wal: true, settings: true };
    const sql = 'delete from t';
    const nodes = measured(db.plan(sql).root);
    expect(db.explain(sql, options, {}, { nodes })).toMatchInlineSnapshot(`
      "Delete on t (actual rows=10 loops=1)
        WAL: records=3 bytes=210
        ->  Seq Scan on t (actual rows=10 loops=2)
              Rows Removed by Filter: 30
      Settings: enable_sort = 'off', work_mem = '32MB'"
    `);
    const [{ Plan: plan, Settings: settings }] = JSON.parse(
      db.explain(sql, { ...options, format: 'json' }, {}, { nodes }),
    );
    expect(plan).toMatchObject({ 'WAL Records': 3, 'WAL FPI': 0, 'WAL Bytes': 210 });
    expect(settings).toEqual({ enable_sort: 'off', work_mem: '32MB' });
  });

  it('says when a node never ran', () => {
    const plan = db.plan(JOIN);
    const nodes = measured(plan.root, (node) => node.kind === 'seqScan');
    const text = db.explain(JOIN, { analyze: true }, {}, { nodes });
    expect(text).toContain('Seq Scan on u (never executed)');
  });

  it('VERBOSE adds output lists, schemas and qualified names', () => {
    expect(db.explain('select a + 1, c from t where id = 4', { verbose: true })).toMatchInlineSnapshot(`
      "Index Scan using t_pkey on public.t
        Output: (t.a + 1), t.c
        Index Cond: (t.id = 4)"
    `);
    expect(
      db.explain('insert into t (id, a) select id, a from u returning id + 1', { verbose: true }),
    ).toMatchInlineSnapshot(`
      "Insert on public.t
        Output: (t.id + 1)
        ->  Seq Scan on public.u
              Output: u.id, u.a"
    `);
  });

  it('names subplans, init plans and common tables', () => {
    expect(
      db.explain(
        'with w as materialized (select a from u) select (select max(b) from u where u.a < t.a) from t where a in (select a from w) or b = (select min(a) from w)',
      ),
    ).toMatchInlineSnapshot(`
      "Seq Scan on t
        Filter: ((hashed SubPlan 2) OR (t.b = $1))
        CTE w
          ->  Seq Scan on u u_1
        InitPlan 3 (returns $1)
          ->  Aggregate
                ->  CTE Scan on w w_1
        SubPlan 2
          ->  CTE Scan on w
        SubPlan 4
          ->  Aggregate
                ->  Seq Scan on u
                      Filter: (u.a < t.a)"
    `);
  });

  it('tells two uses of one table apart', () => {
    expect(
      db.explain('select 1 from t join t x on t.a = x.b where t.c in (select c from t)'),
    ).toMatchInlineSnapshot(`
      "Hash Join
        Hash Cond: (t.a = x.b)
        ->  Hash Semi Join
              Hash Cond: (t.c = t_1.c)
              ->  Seq Scan on t
              ->  Hash
                    ->  Seq Scan on t t_1
        ->  Hash
              ->  Seq Scan on t x"
    `);
  });
});

describe('expressions', () => {
  const filter = (condition: string): string => {
    const line = db
      .explain(`select * from t where ${condition}`)
      .split('\n')
      .find((text) => text.includes('Filter: '));
    return line?.trim().slice('Filter: '.length) ?? '';
  };
  it.each([
    ["c = 'it''s'", "(c = 'it''s'::text)"],
    ['a = -5', "(a = '-5'::integer)"],
    ['big = 5000000000', "(big = '5000000000'::bigint)"],
    ['a::numeric > 1.5', '((a)::numeric > 1.5)'],
    ['a / 2.0 > 3', "(((a)::numeric / 2.0) > '3'::numeric)"],
    ["d > '2020-01-01'", "(d > '2020-01-01'::date)"],
    ['a is distinct from b', '(a IS DISTINCT FROM b)'],
    ['flag is not true', '(flag IS NOT TRUE)'],
    ['not flag', '(NOT flag)'],
    ['a in (1, 2, 3)', "(a = ANY ('{1,2,3}'::integer[]))"],
    ['a not in (1, 2)', "(a <> ALL ('{1,2}'::integer[]))"],
    ['a = any (array[b, 2])', '(a = ANY (ARRAY[b, 2]))'],
    ['coalesce(a, b, 1) = 1', '(COALESCE(a, b, 1) = 1)'],
    ['greatest(a, b) = 1', '(GREATEST(a, b) = 1)'],
    ['nullif(a, b) = 1', '(NULLIF(a, b) = 1)'],
    [
      "case when a = 1 then 'x' else c end = 'y'",
      "(CASE WHEN (a = 1) THEN 'x'::text ELSE c END = 'y'::text)",
    ],
    ["case a when 1 then 'x' end = 'y'", "(CASE a WHEN 1 THEN 'x'::text ELSE NULL::text END = 'y'::text)"],
    ["c like 'a%' and c !~ '^b'", "((c ~~ 'a%'::text) AND (c !~ '^b'::text))"],
    ["upper(c) = 'X' or length(c) > 3", "((upper(c) = 'X'::text) OR (length(c) > 3))"],
    ['extract(year from d) = 2020', "(EXTRACT(year FROM d) = '2020'::numeric)"],
    ["substring(c from 1 for 2) = 'ab'", "(SUBSTRING(c FROM 1 FOR 2) = 'ab'::text)"],
    ['- a = 3', '((- a) = 3)'],
    ['row(a, b) < row(1, 2)', '(ROW(a, b) < ROW(1, 2))'],
    ['c is null', '(c IS NULL)'],
    ["c::varchar(3) = 'abc'", "(((c)::character varying(3))::text = 'abc'::text)"],
    ['d = current_date', '(d = CURRENT_DATE)'],
    ['a = any (array[1, 2])', "(a = ANY ('{1,2}'::integer[]))"],
  ])('%s', (condition, expected) => {
    expect(filter(condition)).toBe(expected);
  });

  it('sort keys, aggregates and windows', () => {
    expect(
      db.explain(
        "select count(distinct a) filter (where b > 1), string_agg(c, ',' order by d desc) from t group by b order by 1 desc nulls last, b",
      ),
    ).toMatchInlineSnapshot(`
      "Sort
        Sort Key: (count(DISTINCT a) FILTER (WHERE (b > 1))) DESC NULLS LAST, b
        ->  HashAggregate
              Group Key: b
              ->  Seq Scan on t"
    `);
  });
});

describe('structured formats', () => {
  it('JSON has what plan viewers read', () => {
    const plan = db.plan(JOIN);
    const text = db.explain(
      JOIN,
      { format: 'json', costs: true, analyze: true, summary: true },
      {},
      { nodes: measured(plan.root) },
    );
    const [query] = JSON.parse(text) as { Plan: Record<string, unknown>; 'Execution Time': number }[];
    expect(query['Execution Time']).toBe(1.5);
    expect(query.Plan).toMatchObject({
      'Node Type': 'Sort',
      'Actual Loops': 1,
      'Sort Key': ['(count(*)) DESC'],
    });
    const [aggregate] = query.Plan.Plans as Record<string, unknown>[];
    expect(aggregate).toMatchObject({
      'Node Type': 'Aggregate',
      Strategy: 'Hashed',
      'Parent Relationship': 'Outer',
    });
    const [join] = aggregate.Plans as Record<string, unknown>[];
    expect(join['Node Type']).toMatch(/Join|Loop/);
    expect(join['Join Type']).toBe('Inner');
    expect((join.Plans as unknown[]).length).toBe(2);
  });

  it('YAML and XML say the same', () => {
    expect(db.explain('select * from t where a = 1', { format: 'yaml' })).toMatchInlineSnapshot(`
      "- Plan: 
          Node Type: "Seq Scan"
          Parallel Aware: false
          Async Capable: false
          Relation Name: "t"
          Alias: "t"
          Node Id: 0
          Filter: "(a = 1)""
    `);
    expect(db.explain("select * from t where c < 'x'", { format: 'xml' })).toMatchInlineSnapshot(`
      "<explain xmlns="http://www.postgresql.org/2009/explain">
        <Query>
          <Plan>
            <Node-Type>Seq Scan</Node-Type>
            <Parallel-Aware>false</Parallel-Aware>
            <Async-Capable>false</Async-Capable>
            <Relation-Name>t</Relation-Name>
            <Alias>t</Alias>
            <Node-Id>0</Node-Id>
            <Filter>(c &lt; 'x'::text)</Filter>
          </Plan>
        </Query>
      </explain>"
    `);
  });
});
