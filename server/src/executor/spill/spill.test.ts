/** Temporary files: values come back as they were, and operators that spill give what they give in memory. */
import { describe, expect, it } from 'vitest';
import type { PhysicalJoinType, PlanNode } from '../../planner/physical.ts';
import { type Datum, SqlArray, SqlRecord, Tid } from '../../types/datum.ts';
import { typeSupport } from '../../types/index.ts';
import { Interval, TimeTz } from '../../types/interval.ts';
import { Jsonb } from '../../types/jsonb.ts';
import { Numeric } from '../../types/numeric.ts';
import { common, int, op, scan, slot, TestBed } from '../testing.ts';
import { RowFile } from './row-file.ts';
import { MemorySpillStore } from './stores.ts';

const EQ = 65;
const LT = 66;
const GT = 147;

describe('row file', () => {
  it('gives every kind of value back', () => {
    const row: Datum[] = [
      null,
      true,
      false,
      0,
      -0,
      -5,
      2 ** 31,
      1.5,
      Number.NaN,
      -(2n ** 63n),
      'é\u0000x',
      '',
      Uint8Array.of(1, 2),
      new Numeric(-150, 2),
      new Numeric(12345678901234567890n, 3),
      new Numeric(0, 0, 'NaN'),
      new Interval(1, -2, 3n),
      new TimeTz(5, -3600),
      new SqlArray(23, [1, null, 3]),
      new SqlArray(25, ['a', 'b'], [1, 2], [0, 5]),
      new SqlRecord(2249, [1, 'x'], [23, 25], ['f1', 'f2']),
      new Tid(3, 4),
      new Jsonb([null, 'x', true]),
    ];
    const file = new RowFile(new MemorySpillStore(), row.length, typeSupport);
    for (let copy = 0; copy < 5000; copy++) file.write(row);
    for (let pass = 0; pass < 2; pass++) {
      file.rewind();
      const back: Datum[] = [];
      let count = 0;
      while (file.read(back)) {
        if (count++ % 1000 === 0) expect(back).toEqual(row);
      }
      expect(count).toBe(5000);
    }
  });
});

const ROWS = 4000;
function bed(spills: boolean, slice: number): TestBed {
  const made = new TestBed();
  made.sliceMicros = slice;
  if (spills) made.spillLimitBytes = 40_000;
  const left: Datum[][] = [];
  const right: Datum[][] = [];
  for (let number = 0; number < ROWS; number++) {
    left.push([number % 7 === 0 ? null : (number * 31) % 3000, number]);
    right.push([number % 11 === 0 ? null : (number * 17) % 3500, -number]);
  }
  made.table(
    1,
    'l',
    [
      ['a', 23],
      ['b', 23],
    ],
    left,
  );
  made.table(
    2,
    'r',
    [
      ['a', 23],
      ['c', 23],
    ],
    right,
  );
  return made;
}
const outputsOf = (type: PhysicalJoinType): number[] =>
  type === 'semi' || type === 'anti'
    ? [0, 1]
    : type === 'rightSemi' || type === 'rightAnti'
      ? [2, 3]
      : [0, 1, 2, 3];

async function bothWays(root: PlanNode, columns: number[], slice: number, inOrder: boolean): Promise<void> {
  const text = (rows: Datum[][]): string[] => rows.map((row) => row.join(' '));
  const spilling = bed(true, slice);
  const spilled = text(await spilling.run(root, columns));
  const kept = text(await bed(false, 1_000_000).run(root, columns));
  expect(spilling.spill.created).toBeGreaterThan(0);
  if (inOrder) expect(spilled).toEqual(kept);
  else expect(spilled.sort()).toEqual(kept.sort());
}

describe.each([1_000_000, 0])('spilling with slices of %i µs', (slice) => {
  it.each(['inner', 'left', 'right', 'full', 'semi', 'anti', 'rightSemi', 'rightAnti'] as const)(
    'hash join %s',
    async (type) => {
      const root: PlanNode = {
        kind: 'hashJoin',
        ...common(outputsOf(type)),
        type,
        outer: scan(1, [0, 1]),
        inner: scan(2, [2, 3]),
        keys: [{ outer: slot(0), inner: slot(2), operatorOid: EQ + 1000 }],
        condition: op(LT, slot(3), int(-5)),
        nullAware: false,
      };
      await bothWays(root, outputsOf(type), slice, false);
    },
  );

  it('sort', async () => {
    const root: PlanNode = {
      kind: 'sort',
      ...common([0, 1]),
      child: scan(1, [0, 1]),
      keys: [
        {
          expr: op(177, slot(0), int(1), 23),
          operatorOid: GT + 1000,
          equalityOid: EQ + 1000,
          descending: true,
          nullsFirst: true,
        },
        {
          expr: slot(1),
          operatorOid: LT + 1000,
          equalityOid: EQ + 1000,
          descending: false,
          nullsFirst: false,
        },
      ],
      presorted: 0,
      bound: null,
    };
    await bothWays(root, [0, 1], slice, true);
  });

  it('aggregate', async () => {
    const root: PlanNode = {
      kind: 'aggregate',
      ...common([5, 10]),
      strategy: 'hashed',
      child: scan(1, [0, 1]),
      groups: [{ expr: slot(0), slot: 5, equalityOid: EQ + 1000 }],
      sets: null,
      grouping: [],
      aggregates: [
        {
          slot: 10,
          aggregateOid: 2108,
          args: [slot(1)],
          directArgs: [],
          orderBy: [],
          distinct: false,
          filter: null,
          star: false,
          typeOid: 20,
          typmod: -1,
          source: int(0) as never,
        },
      ],
      having: null,
    };
    await bothWays(root, [5, 10], slice, false);
  });
});
