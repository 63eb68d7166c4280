/** Every operator over small inputs, each also with a suspension every few ticks. */
import { describe, expect, it } from 'vitest';
import { DbError } from '../../../base/error.ts';
import type { PhysicalJoinType, PlanNode, PlanSortKey, SubPlanExpr } from '../../../planner/physical.ts';
import type { Datum } from '../../../types/datum.ts';
import { call, common, int, op, scan, scanColumn, sequence, slot, TestBed } from '../../testing.ts';

const L = 100;
const R = 200;
const EQ = 65;
const LT = 66;
const GT = 147;

function bed(slice: number): TestBed {
  const made = new TestBed();
  made.sliceMicros = slice;
  made.table(
    L,
    'l',
    [
      ['a', 23],
      ['b', 23],
    ],
    [
      [1, 10],
      [2, 20],
      [2, 21],
      [3, 30],
      [null, 40],
    ],
  );
  made.table(
    R,
    'r',
    [
      ['a', 23],
      ['c', 23],
    ],
    [
      [2, 200],
      [2, 201],
      [3, 300],
      [4, 400],
      [null, 500],
    ],
  );
  return made;
}
const key = (number: number, descending = false): PlanSortKey => ({
  expr: slot(number),
  operatorOid: descending ? GT + 1000 : LT + 1000,
  equalityOid: EQ + 1000,
  descending,
  nullsFirst: descending,
});
const left = (): PlanNode => scan(L, [0, 1]);
const right = (): PlanNode => scan(R, [2, 3]);
const sorted = (child: PlanNode, ...keys: PlanSortKey[]): PlanNode => ({
  kind: 'sort',
  ...common(child.outputs),
  child,
  keys,
  presorted: 0,
  bound: null,
});
const text = (rows: Datum[][]): string[] => rows.map((row) => row.map(String).join(' ')).sort();

const JOINS: Record<PhysicalJoinType, string[]> = {
  inner: ['2 20 2 200', '2 20 2 201', '2 21 2 200', '2 21 2 201', '3 30 3 300'],
  left: [
    '1 10 null null',
    '2 20 2 200',
    '2 20 2 201',
    '2 21 2 200',
    '2 21 2 201',
    '3 30 3 300',
    'null 40 null null',
  ],
  right: [
    '2 20 2 200',
    '2 20 2 201',
    '2 21 2 200',
    '2 21 2 201',
    '3 30 3 300',
    'null null 4 400',
    'null null null 500',
  ],
  full: [
    '1 10 null null',
    '2 20 2 200',
    '2 20 2 201',
    '2 21 2 200',
    '2 21 2 201',
    '3 30 3 300',
    'null 40 null null',
    'null null 4 400',
    'null null null 500',
  ],
  semi: ['2 20', '2 21', '3 30'],
  anti: ['1 10', 'null 40'],
  rightSemi: ['2 200', '2 201', '3 300'],
  rightAnti: ['4 400', 'null 500'],
};
const joinColumns = (type: PhysicalJoinType): number[] =>
  type === 'semi' || type === 'anti'
    ? [0, 1]
    : type === 'rightSemi' || type === 'rightAnti'
      ? [2, 3]
      : [0, 1, 2, 3];

describe.each([1_000_000, 0])('operators with slices of %i µs', (slice) => {
  it.each(Object.keys(JOINS) as PhysicalJoinType[])('hash join %s', async (type) => {
    const root: PlanNode = {
      kind: 'hashJoin',
      ...common(joinColumns(type)),
      type,
      outer: left(),
      inner: right(),
      keys: [{ outer: slot(0), inner: slot(2), operatorOid: EQ + 1000 }],
      condition: null,
      nullAware: false,
    };
    expect(text(await bed(slice).run(root, joinColumns(type)))).toEqual([...JOINS[type]].sort());
  });

  it.each(Object.keys(JOINS) as PhysicalJoinType[])('merge join %s', async (type) => {
    const root: PlanNode = {
      kind: 'mergeJoin',
      ...common(joinColumns(type)),
      type,
      outer: sorted(left(), key(0)),
      inner: sorted(right(), key(2)),
      keys: [
        { outer: slot(0), inner: slot(2), operatorOid: EQ + 1000, descending: false, nullsFirst: false },
      ],
      condition: null,
    };
    expect(text(await bed(slice).run(root, joinColumns(type)))).toEqual([...JOINS[type]].sort());
  });

  it('hash join with a residual condition keeps unmatched rows', async () => {
    const root: PlanNode = {
      kind: 'hashJoin',
      ...common([0, 1, 2, 3]),
      type: 'left',
      outer: left(),
      inner: right(),
      keys: [{ outer: slot(0), inner: slot(2), operatorOid: EQ + 1000 }],
      condition: op(GT, slot(3), int(200)),
      nullAware: false,
    };
    expect(text(await bed(slice).run(root, [1, 3]))).toEqual([
      '10 null',
      '20 201',
      '21 201',
      '30 300',
      '40 null',
    ]);
  });

  it('NOT IN is never true with a NULL on the inner side', async () => {
    const root: PlanNode = {
      kind: 'hashJoin',
      ...common([0, 1]),
      type: 'anti',
      outer: left(),
      inner: right(),
      keys: [{ outer: slot(0), inner: slot(2), operatorOid: EQ + 1000 }],
      condition: null,
      nullAware: true,
    };
    expect(await bed(slice).run(root, [0, 1])).toEqual([]);
    const made = bed(slice);
    made.tables.get(R)!.rows.pop();
    expect(await made.run(root, [0, 1])).toEqual([[1, 10]]);
    made.tables.get(R)!.rows.length = 0;
    expect(await made.run(root, [1])).toEqual([[10], [20], [21], [30], [40]]);
  });

  it.each(['inner', 'left', 'semi', 'anti'] as const)('nested loop %s', async (type) => {
    const root: PlanNode = {
      kind: 'nestedLoop',
      ...common(joinColumns(type)),
      type,
      outer: left(),
      inner: { kind: 'materialize', ...common([2, 3]), child: right() },
      condition: op(EQ, slot(0), slot(2)),
    };
    expect(text(await bed(slice).run(root, joinColumns(type)))).toEqual([...JOINS[type]].sort());
  });

  it('sorts with NULLs where they belong, and keeps the best N', async () => {
    expect(await bed(slice).run(sorted(left(), key(0, true), key(1)), [0, 1])).toEqual([
      [null, 40],
      [3, 30],
      [2, 20],
      [2, 21],
      [1, 10],
    ]);
    const top: PlanNode = {
      ...sorted(left(), key(1, true)),
      bound: { kind: 'const', value: 2n, typeOid: 20, typmod: -1, collation: 0 },
    } as PlanNode;
    expect(await bed(slice).run(top, [1])).toEqual([[40], [30]]);
  });

  it('sorts long inputs in merges', async () => {
    const made = bed(slice === 0 ? 5 : slice);
    const rows: Datum[][] = [];
    for (let number = 0; number < 10_000; number++) rows.push([(number * 7919) % 10_007, number]);
    made.table(
      300,
      'big',
      [
        ['a', 23],
        ['b', 23],
      ],
      rows,
    );
    const result = await made.run(sorted(scan(300, [0, 1]), key(0)), [0]);
    const values = result.map(([value]) => value as number);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(values.length).toBe(10_000);
  });

  it('limits, with offset and ties', async () => {
    const bigint = (value: bigint) => ({
      kind: 'const' as const,
      value,
      typeOid: 20,
      typmod: -1,
      collation: 0,
    });
    const limit = (ties: boolean): PlanNode => ({
      kind: 'limit',
      ...common([0, 1]),
      child: sorted(left(), key(0)),
      limit: bigint(1n),
      offset: bigint(1n),
      tiesKeys: ties ? [key(0)] : null,
    });
    expect(await bed(slice).run(limit(false), [1])).toEqual([[20]]);
    expect(await bed(slice).run(limit(true), [1])).toEqual([[20], [21]]);
    const negative = { ...limit(false), limit: bigint(-1n) } as PlanNode;
    await expect(bed(slice).run(negative, [1])).rejects.toThrow('LIMIT must not be negative');
  });

  const sum = (slotNumber: number, argument: number, more: object = {}) => ({
    slot: slotNumber,
    aggregateOid: 2108,
    args: [slot(argument)],
    directArgs: [],
    orderBy: [],
    distinct: false,
    filter: null,
    star: false,
    typeOid: 20,
    typmod: -1,
    source: int(0) as never,
    ...more,
  });

  it.each(['hashed', 'sorted'] as const)('aggregates %s', async (strategy) => {
    const root: PlanNode = {
      kind: 'aggregate',
      ...common([0, 10, 11]),
      strategy,
      child: sorted(left(), key(0)),
      groups: [{ expr: slot(0), slot: 0, equalityOid: EQ + 1000 }],
      sets: null,
      grouping: [],
      aggregates: [sum(10, 1), sum(11, 1, { filter: op(GT, slot(1), int(20)) })],
      having: op(GT, slot(10), int(10)),
    };
    expect(await bed(slice).run(root, [0, 10, 11])).toEqual([
      [2, 41, 21],
      [3, 30, 30],
      [null, 40, 40],
    ]);
  });

  it('aggregates grouping sets, DISTINCT and ORDER BY', async () => {
    const root: PlanNode = {
      kind: 'aggregate',
      ...common([5, 10, 11, 12]),
      strategy: 'mixed',
      child: left(),
      groups: [{ expr: slot(0), slot: 5, equalityOid: EQ + 1000 }],
      sets: [[0], []],
      grouping: [{ slot: 12, groups: [0] }],
      aggregates: [
        sum(10, 1, { aggregateOid: 2335, orderBy: [key(1, true)] }),
        sum(11, 0, { aggregateOid: 2335, distinct: true }),
      ],
      having: null,
    };
    expect(await bed(slice).run(root, [5, 10, 11, 12])).toEqual([
      [1, '10', '1', 0],
      [2, '21,20', '2', 0],
      [3, '30', '3', 0],
      [null, '40', '', 0],
      [null, '40,30,21,20,10', '1,2,3,', 1],
    ]);
  });

  it('gives one row for no input without groups', async () => {
    const made = bed(slice);
    made.tables.get(L)!.rows.length = 0;
    const root: PlanNode = {
      kind: 'aggregate',
      ...common([10]),
      strategy: 'plain',
      child: left(),
      groups: [],
      sets: null,
      grouping: [],
      aggregates: [sum(10, 1)],
      having: null,
    };
    expect(await made.run(root, [10])).toEqual([[null]]);
  });

  it('evaluates a volatile projection once per row, whatever the suspensions', async () => {
    sequence.value = 0;
    const sub: SubPlanExpr = {
      kind: 'subPlan',
      type: 'scalar',
      plan: 0,
      parameters: [0],
      left: [],
      operatorOids: [],
      right: [slot(20)],
      hashable: false,
      typeOid: 23,
      typmod: -1,
      collation: 0,
    };
    const root: PlanNode = {
      kind: 'project',
      ...common([30, 31]),
      child: left(),
      exprs: [
        { expr: call(1574, []), slot: 30 },
        { expr: op(177, call(1574, []), sub, 23), slot: 31 },
      ],
    };
    const correlated: PlanNode = {
      kind: 'aggregate',
      ...common([20]),
      strategy: 'plain',
      child: scan(R, [2, 3], op(EQ, slot(2), slot(0))),
      groups: [],
      sets: null,
      grouping: [],
      aggregates: [sum(20, 3)],
      having: null,
    };
    await bed(slice).run(root, [30, 31], {
      subplans: [{ root: correlated, outputs: [20], once: false }],
      readOnly: false,
    });
    expect(sequence.value).toBe(10);
  });

  it('evaluates correlated EXISTS and hashed IN', async () => {
    const subplan = (type: 'exists' | 'any', hashable: boolean): SubPlanExpr => ({
      kind: 'subPlan',
      type,
      plan: 0,
      parameters: type === 'exists' ? [0] : [],
      left: type === 'any' ? [slot(0)] : [],
      operatorOids: [EQ + 1000],
      right: [slot(2)],
      hashable,
      typeOid: 16,
      typmod: -1,
      collation: 0,
    });
    const filter = (condition: SubPlanExpr): PlanNode => ({
      kind: 'filter',
      ...common([0, 1]),
      child: left(),
      condition,
    });
    const exists = {
      subplans: [{ root: scan(R, [2, 3], op(EQ, slot(2), slot(0))), outputs: [2], once: false }],
    };
    const any = { subplans: [{ root: right(), outputs: [2], once: true }] };
    const expected = [[20], [21], [30]];
    expect(await bed(slice).run(filter(subplan('exists', false)), [1], exists)).toEqual(expected);
    expect(await bed(slice).run(filter(subplan('any', true)), [1], any)).toEqual(expected);
    expect(await bed(slice).run(filter(subplan('any', false)), [1], any)).toEqual(expected);
  });

  it('computes window functions and frames', async () => {
    const frame = (
      mode: 'rows' | 'range',
      back: number | null,
      exclude: 'none' | 'current row' = 'none',
    ) => ({
      mode,
      start:
        back === null
          ? { kind: 'unboundedPreceding', offset: null }
          : { kind: 'preceding', offset: { ...int(back), value: BigInt(back) } as never },
      end: { kind: 'currentRow', offset: null },
      exclude,
      startInRange: 0,
      endInRange: 0,
    });
    const window = (using: ReturnType<typeof frame>): PlanNode => ({
      kind: 'window',
      ...common([0, 1, 40, 41]),
      child: sorted(left(), key(0), key(1)),
      partitionBy: [],
      orderBy: [key(0)],
      frame: using,
      functions: [
        {
          slot: 40,
          functionOid: 3101,
          isAggregate: false,
          args: [],
          filter: null,
          star: false,
          typeOid: 20,
          source: int(0) as never,
        },
        {
          slot: 41,
          functionOid: 2108,
          isAggregate: true,
          args: [slot(1)],
          filter: null,
          star: false,
          typeOid: 20,
          source: int(0) as never,
        },
      ],
    });
    expect(await bed(slice).run(window(frame('range', null)), [40, 41])).toEqual([
      [1, 10],
      [2, 51],
      [2, 51],
      [4, 81],
      [5, 121],
    ]);
    expect(await bed(slice).run(window(frame('rows', 1)), [41])).toEqual([[10], [30], [41], [51], [70]]);
    expect(await bed(slice).run(window(frame('rows', 1, 'current row')), [41])).toEqual([
      [null],
      [10],
      [20],
      [21],
      [30],
    ]);
  });

  it('appends, intersects and subtracts', async () => {
    const append: PlanNode = {
      kind: 'append',
      ...common([50]),
      children: [left(), right()],
      maps: [[0], [2]],
      slots: [50],
    };
    expect((await bed(slice).run(append, [50])).length).toBe(10);
    const operation = (name: 'intersect' | 'except', all: boolean): PlanNode => ({
      kind: 'setOperation',
      ...common([50]),
      op: name,
      all,
      left: left(),
      right: right(),
      leftSlots: [0],
      rightSlots: [2],
      slots: [50],
      keys: [key(0)],
    });
    expect(await bed(slice).run(operation('intersect', false), [50])).toEqual([[2], [3], [null]]);
    expect(await bed(slice).run(operation('intersect', true), [50])).toEqual([[2], [2], [3], [null]]);
    expect(await bed(slice).run(operation('except', false), [50])).toEqual([[1]]);
  });

  it('recurses over a work table', async () => {
    const root: PlanNode = {
      kind: 'recursiveUnion',
      ...common([50]),
      base: {
        kind: 'project',
        ...common([51]),
        child: { kind: 'result', ...common([]), condition: null },
        exprs: [{ expr: int(1), slot: 51 }],
      },
      recursive: {
        kind: 'project',
        ...common([52]),
        child: {
          kind: 'workTableScan',
          ...common([53]),
          workTable: 0,
          alias: 'w',
          slots: [53],
          filter: op(LT, slot(53), int(5)),
        },
        exprs: [{ expr: op(177, slot(53), int(1), 23), slot: 52 }],
      },
      slots: [50],
      baseSlots: [51],
      recursiveSlots: [52],
      distinct: true,
      workTable: 0,
      keys: [key(50)],
    };
    expect(await bed(slice).run(root, [50])).toEqual([[1], [2], [3], [4], [5]]);
  });

  it('reads a shared CTE twice and evaluates it once', async () => {
    sequence.value = 0;
    const cte: PlanNode = {
      kind: 'project',
      ...common([60]),
      child: left(),
      exprs: [{ expr: call(1574, []), slot: 60 }],
    };
    const reader = (to: number): PlanNode => ({
      kind: 'cteScan',
      ...common([to]),
      cte: 0,
      name: 'c',
      alias: 'c',
      slots: [to],
      filter: null,
    });
    const root: PlanNode = {
      kind: 'nestedLoop',
      ...common([61, 62]),
      type: 'inner',
      outer: reader(61),
      inner: reader(62),
      condition: op(EQ, slot(61), slot(62)),
    };
    const rows = await bed(slice).run(root, [61, 62], {
      ctes: [{ name: 'c', root: cte, outputs: [60], modifies: false, readOnce: false }],
      readOnly: false,
    });
    expect(rows).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
      [5, 5],
    ]);
    expect(sequence.value).toBe(5);
  });

  it('expands set-returning functions in FROM and in the list', async () => {
    const fromScan: PlanNode = {
      kind: 'functionScan',
      ...common([50, 51]),
      alias: 'g',
      functions: [{ expr: call(1067, [int(1), int(3)], true), slots: [50], spread: false }],
      ordinalitySlot: 51,
      filter: null,
    };
    expect(await bed(slice).run(fromScan, [50, 51])).toEqual([
      [1, 1n],
      [2, 2n],
      [3, 3n],
    ]);
    const list: PlanNode = {
      kind: 'projectSet',
      ...common([50, 51]),
      child: scan(L, [0, 1], op(LT, slot(0), int(3))),
      exprs: [
        { expr: slot(1), slot: 50 },
        { expr: op(177, call(1067, [int(1), slot(0)], true), int(0), 23), slot: 51 },
      ],
    };
    expect(await bed(slice).run(list, [50, 51])).toEqual([
      [10, 1],
      [20, 1],
      [20, 2],
      [21, 1],
      [21, 2],
    ]);
  });
});

const modify = (more: object): PlanNode =>
  ({
    kind: 'modify',
    ...common([]),
    relationOid: L,
    alias: 'l',
    rowIdSlot: -1,
    targetColumns: [scanColumn(0, 0), scanColumn(1, 1)],
    recheck: null,
    onConflict: null,
    returning: [],
    mergeActions: [],
    ...more,
  }) as unknown as PlanNode;

function withPrimaryKey(made: TestBed): void {
  const table = made.tables.get(L)!;
  table.indexes.push({
    indexOid: 101,
    name: 'l_pkey',
    unique: true,
    primary: true,
    nullsNotDistinct: false,
    keys: [
      {
        column: 0,
        expression: null,
        support: table.schema.columns[0]!.support,
        descending: false,
        nullsFirst: false,
      },
    ],
    included: [],
    predicate: null,
  });
}

describe.each([1_000_000, 0])('modifications with slices of %i µs', (slice) => {
  it('inserts with RETURNING and words a unique violation', async () => {
    const made = bed(slice);
    withPrimaryKey(made);
    const values = (rows: number[][]): PlanNode => ({
      kind: 'valuesScan',
      ...common([20, 21]),
      alias: 'v',
      rows: rows.map((row) => row.map(int)),
      slots: [20, 21],
      filter: null,
    });
    const insert = (rows: number[][], more: object = {}): PlanNode =>
      modify({
        command: 'insert',
        child: values(rows),
        row: [slot(20), slot(21)],
        returning: [{ expr: op(177, slot(0), slot(1), 23), slot: 30 }],
        ...more,
      });
    const options = { command: 'insert' as const, readOnly: false };
    expect(
      await made.run(
        insert([
          [7, 70],
          [8, 80],
        ]),
        [30],
        options,
      ),
    ).toEqual([[77], [88]]);
    expect(made.rowCount).toBe(2);
    const error = (await made.run(insert([[7, 71]]), [30], options).catch((thrown) => thrown)) as DbError;
    expect(error).toBeInstanceOf(DbError);
    expect(error.code).toBe('23505');
    expect(error.fields.detail).toBe('Key (a)=(7) already exists.');
    const upsert = insert(
      [
        [7, 5],
        [9, 90],
      ],
      {
        onConflict: {
          action: 'update',
          indexOids: [101],
          row: [null, op(177, slot(1), slot(41), 23)],
          where: null,
          excludedColumns: [scanColumn(0, 40), scanColumn(1, 41)],
        },
      },
    );
    expect(await made.run(upsert, [30], options)).toEqual([[82], [99]]);
    expect(made.tables.get(L)!.rows.slice(5)).toEqual([
      [7, 75],
      [8, 80],
      [9, 90],
    ]);
  });

  it('updates and deletes, waiting where another transaction holds a row', async () => {
    const made = bed(slice);
    const table = made.tables.get(L)!;
    table.undecided.set(
      1,
      new Promise<void>((resolve) =>
        setImmediate(() => {
          table.undecided.delete(1);
          resolve();
        }),
      ),
    );
    const update = modify({
      command: 'update',
      child: scan(L, [0, 1], op(EQ, slot(0), int(2)), 5),
      rowIdSlot: 5,
      row: [null, op(177, slot(1), int(100), 23)],
    });
    await made.run(update, [], { command: 'update', readOnly: false });
    expect(made.rowCount).toBe(2);
    expect(table.rows.map((row) => row?.[1])).toEqual([10, 120, 121, 30, 40]);
    const remove = modify({
      command: 'delete',
      child: scan(L, [0, 1], op(GT, slot(1), int(100)), 5),
      rowIdSlot: 5,
      row: [],
    });
    await made.run(remove, [], { command: 'delete', readOnly: false });
    expect(made.rowCount).toBe(2);
    expect(table.rows.filter((row) => row !== null).length).toBe(3);
  });

  it('checks NOT NULL, CHECK and both sides of a foreign key', async () => {
    const made = bed(slice);
    withPrimaryKey(made);
    const parent = made.relations.get(L)!;
    const child = made.relations.get(R)!;
    const foreign = {
      oid: 900,
      name: 'r_a_fkey',
      kind: 'f',
      relationOid: R,
      columns: [1],
      indexOid: 101,
      expression: null,
      deferrable: false,
      deferred: false,
      validated: true,
      foreign: {
        referencedOid: L,
        referencedColumns: [1],
        onUpdate: 'a',
        onDelete: 'a',
        match: 's',
        operators: [] as number[],
      },
    };
    Object.assign(child, { constraints: [foreign] });
    Object.assign(parent, { referencedBy: [foreign] });
    const insert = (a: number): PlanNode =>
      modify({
        command: 'insert',
        relationOid: R,
        row: [int(a), int(1)],
        child: { kind: 'result', ...common([]), condition: null },
      });
    const fails = async (root: PlanNode, command: 'insert' | 'delete' | 'update'): Promise<DbError> =>
      (await made.run(root, [], { command, readOnly: false }).catch((thrown) => thrown)) as DbError;
    await made.run(insert(3), [], { command: 'insert', readOnly: false });
    const missing = await fails(insert(77), 'insert');
    expect(missing.message).toBe('insert or update on table "r" violates foreign key constraint "r_a_fkey"');
    expect(missing.fields.detail).toBe('Key (a)=(77) is not present in table "l".');
    const remove = (a: number): PlanNode =>
      modify({
        command: 'delete',
        child: scan(L, [0, 1], op(EQ, slot(0), int(a)), 5),
        rowIdSlot: 5,
        row: [],
      });
    const referenced = await fails(remove(3), 'delete');
    expect(referenced.message).toBe(
      'update or delete on table "l" violates foreign key constraint "r_a_fkey" on table "r"',
    );
    expect(referenced.fields.detail).toBe('Key (a)=(3) is still referenced from table "r".');
    foreign.foreign.onDelete = 'c';
    made.tables.get(L)!.rows[3] = [3, 30];
    await made.run(remove(3), [], { command: 'delete', readOnly: false });
    expect(made.tables.get(R)!.rows.filter((row) => row !== null && row[0] === 3)).toEqual([]);
    Object.assign(parent.columns[1]!, { notNull: true });
    const nothing = await fails(
      modify({
        command: 'insert',
        row: [int(50), int(null)],
        child: { kind: 'result', ...common([]), condition: null },
      }),
      'insert',
    );
    expect(nothing.code).toBe('23502');
    expect(nothing.fields.detail).toBe('Failing row contains (50, null).');
  });
});
