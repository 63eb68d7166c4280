import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanNode } from '../physical.ts';
import { FakeStatistics, type FakeTable, PlannerFixture } from '../testing.ts';

let db: PlannerFixture;
const STATISTICS: Readonly<Record<string, FakeTable>> = {
  t: {
    rows: 10_000,
    columns: {
      a: {
        distinctCount: 102,
        nullFraction: 0.1,
        mostCommon: [
          { value: 7, fraction: 0.3 },
          { value: 8, fraction: 0.1 },
        ],
        minimum: 0,
        maximum: 1000,
        histogram: Array.from({ length: 101 }, (_, i) => i * 10),
      },
      b: { distinctCount: 10, minimum: 0, maximum: 100 },
      c: {
        distinctCount: 100,
        histogram: Array.from({ length: 20 }, (_, i) => `${i % 4 === 0 ? 'x' : 'y'}${i}`),
      },
    },
  },
  u: { rows: 1000, columns: { a: { distinctCount: 50 }, b: { distinctCount: 1000 } } },
};

beforeAll(async () => {
  db = await PlannerFixture.create();
  db.statistics = new FakeStatistics(db.database.reader, STATISTICS);
});

/** Number of a column, counted from 0. */
function columnOf(table: string, name: string): number {
  const relation = db.database.reader.relationByName('public', table, {
    namespaces: [],
    creationNamespace: 0,
  });
  return relation?.columns.findIndex((column) => column.name === name) ?? -1;
}

function rows(sql: string): number {
  return db.plan(sql).root.estimatedRows;
}

function scanRows(condition: string): number {
  return rows(`select * from t where ${condition}`);
}

describe('columns that have to do with each other', () => {
  beforeAll(() => {
    db.statistics = new FakeStatistics(db.database.reader, {
      ...STATISTICS,
      u: {
        rows: 10_000,
        columns: {
          a: { distinctCount: 100, minimum: 0, maximum: 100 },
          b: { distinctCount: 50, minimum: 0, maximum: 100 },
        },
        groups: [
          {
            oid: 1,
            columns: [columnOf('u', 'a'), columnOf('u', 'b')],
            distinct: [{ columns: [columnOf('u', 'a'), columnOf('u', 'b')], count: 100 }],
            dependencies: [{ from: [columnOf('u', 'a')], to: columnOf('u', 'b'), degree: 0.9 }],
            mostCommon: [{ values: [1, 2], fraction: 0.25, baseFraction: 0.01 }],
          },
        ],
      },
    });
  });
  it('a common combination has its own share', () =>
    expect(rows('select * from u where a = 1 and b = 2')).toBe(2500));
  it('a dependency makes the second condition nearly implied', () =>
    // 10,000 / 100 * (0.9 + 0.1 / 50)
    expect(rows('select * from u where b = 7 and a = 3')).toBe(90));
  it('groups are the combinations there are', () =>
    expect(rows('select a, b, count(*) from u group by a, b')).toBe(100));
  it('a single condition is judged alone', () => expect(rows('select * from u where b = 7')).toBe(200));
  afterAll(() => {
    db.statistics = new FakeStatistics(db.database.reader, STATISTICS);
  });
});

describe('equality', () => {
  it('takes the share of a most common value', () => expect(scanRows('a = 7')).toBe(3000));
  it('spreads the rest over the other values', () => expect(scanRows('a = 20')).toBe(50));
  it('of a value outside the range finds next to nothing', () => expect(scanRows('a = 5000')).toBe(1));
  it('of an unknown value takes the average', () => expect(scanRows('b = $1'.replace('$1', 'id'))).toBe(1));
  it('<> is the opposite', () => expect(scanRows('a <> 7')).toBe(7000));
  it('of a unique key finds one row', () => expect(scanRows('id = 3')).toBe(1));
  it('a list adds up', () => expect(scanRows('a in (7, 8, 20)')).toBe(4050));
});

describe('ranges', () => {
  it('use the histogram beside the most common values', () => expect(scanRows('a > 900')).toBe(500));
  it('two bounds are one interval', () => expect(scanRows('a > 500 and a <= 600')).toBe(500));
  it('without a histogram interpolate between minimum and maximum', () =>
    expect(scanRows('b < 25')).toBe(2500));
  it('outside find nothing', () => expect(scanRows('a > 5000')).toBeLessThan(2));
});

describe('others', () => {
  it('NULL', () => {
    expect(scanRows('a is null')).toBe(1000);
    expect(scanRows('a is not null')).toBe(9000);
  });
  it('patterns run over the histogram', () => expect(scanRows("c like 'x%'")).toBe(2500));
  it('AND multiplies, OR adds without the overlap', () => {
    expect(scanRows('a = 7 and b = 1')).toBe(300);
    expect(scanRows('a = 7 or b = 1')).toBe(3700);
  });
});

describe('joins', () => {
  it('divide by the larger number of values', () => {
    expect(rows('select * from t, u where t.b = u.b')).toBe(10_000);
    expect(rows('select * from t, u where t.b = u.a')).toBe(200_000);
  });
  it('on a unique key find one partner', () =>
    expect(rows('select * from t, u where t.b = u.id')).toBe(10_000));
  it('of three tables on one value count the chain once', () =>
    expect(rows('select * from t, u, u v where t.id = u.id and u.id = v.id and v.id = t.id')).toBe(1000));
  it('know a key of two columns', () => {
    const fixture = db.statistics;
    db.statistics = new FakeStatistics(db.database.reader, {
      lineitem: {
        rows: 600_000,
        columns: { l_partkey: { distinctCount: 20_000 }, l_suppkey: { distinctCount: 1000 } },
      },
      partsupp: {
        rows: 80_000,
        columns: { ps_partkey: { distinctCount: 20_000 }, ps_suppkey: { distinctCount: 1000 } },
      },
    });
    expect(
      rows('select * from lineitem, partsupp where l_partkey = ps_partkey and l_suppkey = ps_suppkey'),
    ).toBe(600_000);
    db.statistics = fixture;
  });
  it('outer joins keep their rows', () =>
    expect(rows('select * from t left join u on t.id = u.id and u.a = 1')).toBe(10_000));
  it('semi joins keep at most the outer rows', () => {
    expect(rows('select * from t where exists (select 1 from u where u.b = t.b)')).toBe(10_000);
    expect(rows('select * from u where exists (select 1 from t where t.b = u.b)')).toBe(10);
    expect(rows('select * from u where not exists (select 1 from t where t.b = u.b)')).toBe(990);
  });
});

describe('groups', () => {
  it('are the distinct values of the keys', () => {
    expect(rows('select b, count(*) from t group by b')).toBe(10);
    expect(rows('select a, b, count(*) from t group by a, b')).toBe(1020);
  });
  it('never outnumber the rows', () =>
    expect(rows('select b, a, c, count(*) from t where id = 3 group by 1, 2, 3')).toBe(1));
});

describe('widths and costs', () => {
  it('grow with the columns read', () => {
    const width = (sql: string): number => db.plan(sql).root.width;
    expect(width('select id from t')).toBe(4);
    expect(width('select id, big from t')).toBe(12);
  });
  it('a plan costs more than its inputs', () => {
    const check = (node: PlanNode): void => {
      const children = [
        ...('child' in node ? [node.child] : []),
        ...('outer' in node ? [node.outer, node.inner] : []),
      ];
      expect(node.startupCost).toBeLessThanOrEqual(node.totalCost);
      for (const child of children) {
        if (node.kind !== 'limit' && !('inner' in node))
          expect(child.totalCost).toBeLessThanOrEqual(node.totalCost);
        check(child);
      }
    };
    check(db.plan('select t.b, count(*) from t, u where t.b = u.b and t.a > 3 group by t.b order by 2').root);
  });
});
