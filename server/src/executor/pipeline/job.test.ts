/**
 * Jobs against a reference in plain TypeScript: every width of frame, NULLs, masks, several regions, the delta, group tables that overflow, sums
 * beyond 64 bits, a memory too small for the table, both kinds of kernels, death of a worker.
 */

import { afterAll, describe, expect, it } from 'vitest';
import wabt from 'wabt';
import { createRealEnvironment } from '../../env/real/environment.ts';
import type { AggregateNode, PlanExpr } from '../../planner/physical.ts';
import type { ParallelScan, RegionView, TableSchema } from '../../table/contract.ts';
import type { Datum } from '../../types/datum.ts';
import { typeSupport } from '../../types/index.ts';
import { Numeric } from '../../types/numeric.ts';
import { makeNumeric } from '../../types/numeric-core.ts';
import { compilePipeline } from './codegen.ts';
import { finalValue } from './finalize.ts';
import { NotCompilable } from './interval.ts';
import { vectorOf } from './rest-batch.ts';
import { PipelineService } from './service.ts';
import type { PipelineColumn } from './spec.ts';
import { decimal, FLOAT, INT, STRING } from './spec.ts';
import { type Fragment, translate } from './translate.ts';
import type { Variant } from './variant.ts';

const environment = createRealEnvironment('.');
const services: PipelineService[] = [];
/** Starting workers costs more than most tests: those that need nothing special share them. */
const shared = new Map<boolean, PipelineService>();

afterAll(async () => {
  for (const service of services.splice(0)) await service.close();
});

function sharedService(native: boolean): PipelineService {
  const known = shared.get(native) ?? service({ native });
  shared.set(native, known);
  return known;
}

function service(
  options: { native?: boolean; memoryBytes?: number; workerCount?: number } = {},
): PipelineService {
  const made = new PipelineService({
    workers: environment.workers,
    clock: environment.clock,
    kernels: { platform: process.platform, architecture: process.arch, native: options.native ?? true },
    workerCount: options.workerCount ?? 2,
    memoryBytes: options.memoryBytes ?? 64 << 20,
  });
  services.push(made);
  return made;
}

/** Deterministic numbers below a limit. */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

// Table: 0 int4 key, 1 int8 value, 2 numeric(12,2) price, 3 float8 ratio, 4 text name.
const NUMERIC_12_2 = ((12 << 16) | 2) + 4;
const TYPES: readonly (readonly [string, number, number])[] = [
  ['key', 23, -1],
  ['value', 20, -1],
  ['price', 1700, NUMERIC_12_2],
  ['ratio', 701, -1],
  ['name', 25, -1],
];
const COLUMNS: readonly PipelineColumn[] = [
  { column: 0, typeOid: 23, type: INT },
  { column: 1, typeOid: 20, type: INT },
  { column: 2, typeOid: 1700, type: decimal(2) },
  { column: 3, typeOid: 701, type: FLOAT },
  { column: 4, typeOid: 25, type: STRING },
];
const schema = {
  tableOid: 1,
  name: 't',
  persistence: 'permanent',
  columns: TYPES.map(([name, typeOid, typmod]) => ({
    name,
    typeOid,
    typmod,
    support: typeSupport(typeOid),
    notNull: false,
    dropped: false,
    missingValue: null,
  })),
} as unknown as TableSchema;

type Row = readonly [number | null, bigint | null, Numeric | null, number | null, string | null];

interface Shape {
  readonly keys: number;
  readonly nulls: boolean;
  readonly value: bigint;
}

function makeRows(count: number, seed: number, shape: Shape): Row[] {
  const random = generator(seed);
  const orNull = <T>(value: T): T | null => (shape.nulls && random(9) === 0 ? null : value);
  return Array.from(
    { length: count },
    (): Row => [
      orNull(random(shape.keys) - 5),
      orNull((shape.value * BigInt(random(1000) - 400)) / 1000n),
      orNull(makeNumeric(random(100_000) - 20_000, 2)),
      orNull((random(64) - 10) / 4),
      orNull(`name ${random(300)}`),
    ],
  );
}

class FakeRegion implements RegionView {
  readonly key = {};
  readonly rowCount: number;
  readonly columnCount = 5;
  readonly mask: Uint8Array | null;
  readonly rows: readonly Row[];
  reads = 0;
  constructor(rows: readonly Row[], mask: Uint8Array | null = null) {
    this.rows = rows;
    this.rowCount = rows.length;
    this.mask = mask;
  }
  canSkip(): boolean {
    return false;
  }
  readColumn(column: number, target: object): void {
    this.reads++;
    Object.assign(
      target,
      vectorOf(
        this.rows.map((row) => row[column]!),
        COLUMNS[column]!,
        schema.columns[column]!.support,
      ),
    );
  }
}

function source(
  regions: readonly RegionView[],
  rest: readonly Row[],
  columns: readonly number[],
): ParallelScan {
  let at = 0;
  return {
    regions,
    rest: {
      rowId: 0 as never,
      next(frame: Datum[]): boolean {
        const row = rest[at++];
        if (row === undefined) return false;
        columns.forEach((column, index) => {
          frame[index] = row[column]!;
        });
        return true;
      },
      close: () => {},
    },
  };
}

const slot = (column: number): PlanExpr =>
  ({ kind: 'slot', slot: column, typeOid: TYPES[column]![1], typmod: -1, collation: 0 }) as PlanExpr;
const constant = (value: Datum, typeOid: number): PlanExpr =>
  ({ kind: 'const', value, typeOid, typmod: -1, collation: 0 }) as PlanExpr;
const call = (functionOid: number, typeOid: number, ...args: PlanExpr[]): PlanExpr =>
  ({
    kind: 'operator',
    operatorOid: 0,
    functionOid,
    args,
    typeOid,
    typmod: -1,
    collation: 0,
    returnsSet: false,
  }) as PlanExpr;
const aggregate = (oid: number, typeOid: number, ...args: PlanExpr[]) => ({
  slot: 100 + oid,
  aggregateOid: oid,
  args,
  directArgs: [],
  orderBy: [],
  distinct: false,
  filter: null,
  star: args.length === 0,
  typeOid,
  typmod: -1,
});

const SUM_INT8 = 2107;
const SUM_NUMERIC = 2114;
const AVG_NUMERIC = 2103;
const MIN_INT8 = 2131;
const MAX_FLOAT = 2120;
const COUNT_STAR = 2803;
const SUM_FLOAT = 2111;

/** sum(value), sum(price * price), avg(price), min(value), max(ratio), sum(ratio), count(*) where price > -50 by the given columns. */
function plan(groups: readonly number[], aggregates?: unknown[]): AggregateNode {
  return {
    id: 1,
    kind: 'aggregate',
    strategy: groups.length === 0 ? 'plain' : 'hashed',
    having: null,
    sets: null,
    grouping: [],
    child: {
      id: 2,
      kind: 'seqScan',
      relationOid: 1,
      columns: TYPES.map((_, column) => ({ column, slot: column })),
      rowIdSlot: -1,
      pushed: [],
      filter: call(1720, 16, slot(2), constant(makeNumeric(-50, 0), 1700)),
    },
    groups: groups.map((column) => ({ expr: slot(column), slot: 50 + column, equalityOid: 0 })),
    aggregates: aggregates ?? [
      aggregate(SUM_INT8, 1700, slot(1)),
      aggregate(SUM_NUMERIC, 1700, call(1726, 1700, slot(2), slot(2))),
      aggregate(AVG_NUMERIC, 1700, slot(2)),
      aggregate(MIN_INT8, 20, slot(1)),
      aggregate(MAX_FLOAT, 701, slot(3)),
      aggregate(SUM_FLOAT, 701, slot(3)),
      aggregate(COUNT_STAR, 20),
    ],
  } as unknown as AggregateNode;
}

function fragmentOf(node: AggregateNode): Fragment {
  return translate(node, {
    schema: () => schema,
    evaluate: (expr) => (expr as { value: Datum }).value,
    functionOf: () => () => null,
  });
}

const show = (value: Datum): string =>
  value instanceof Numeric ? `${BigInt(value.coefficient)}e-${value.scale}` : String(value);

async function run(
  pipelines: PipelineService,
  node: AggregateNode,
  regions: readonly RegionView[],
  rest: readonly Row[],
) {
  const fragment = fragmentOf(node);
  const columns = fragment.spec.columns.map(({ column }) => column);
  const job = pipelines.job({
    fragment,
    schema,
    source: source(regions, rest, columns),
    checkInterrupt: () => {},
    native: true,
  });
  const groups = await job.run();
  const lines = groups.map((group) =>
    [...group.keys, ...fragment.finals.map((final) => finalValue(final, group.values))].map(show).join(' '),
  );
  return { lines: lines.sort(), statistics: job.statistics };
}

/** The same in plain TypeScript. */
function reference(rows: readonly Row[], groups: readonly number[]): string[] {
  const byKey = new Map<string, { keys: Datum[]; rows: Row[] }>();
  for (const row of rows) {
    if (row[2] === null || BigInt(row[2].coefficient) <= -5000n) continue;
    const keys = groups.map((column) => row[column]!);
    const text = keys.map(show).join('|');
    const group = byKey.get(text) ?? { keys, rows: [] };
    group.rows.push(row);
    byKey.set(text, group);
  }
  const present = <T>(values: (T | null)[]): T[] => values.filter((value): value is T => value !== null);
  return [...byKey.values()]
    .map((group) => {
      const values = present(group.rows.map((row) => row[1]));
      const prices = present(group.rows.map((row) => row[2])).map((price) => BigInt(price.coefficient));
      const ratios = present(group.rows.map((row) => row[3]));
      const sum = prices.reduce((total, price) => total + price, 0n);
      const average = finalValue(
        { slot: 0, kind: 'avgNumeric', accumulator: 0, count: 1, type: decimal(2), typeOid: 1700 },
        [sum, BigInt(prices.length)],
      );
      return [
        ...group.keys,
        values.length === 0
          ? null
          : makeNumeric(
              values.reduce((total, value) => total + value, 0n),
              0,
            ),
        makeNumeric(
          prices.reduce((total, price) => total + price * price, 0n),
          4,
        ),
        average,
        values.length === 0 ? null : values.reduce((least, value) => (value < least ? value : least)),
        ratios.length === 0 ? null : Math.max(...ratios),
        // Quarters add up exactly in any order.
        ratios.length === 0 ? null : ratios.reduce((total, ratio) => total + ratio, 0),
        BigInt(group.rows.length),
      ]
        .map(show)
        .join(' ');
    })
    .sort();
}

const SHAPES: Record<string, Shape> = {
  'few keys, narrow': { keys: 3, nulls: false, value: 100n },
  'few keys with NULLs': { keys: 3, nulls: true, value: 100_000n },
  'many keys with NULLs': { keys: 5000, nulls: true, value: 10n ** 12n },
  'sums beyond 64 bits': { keys: 400, nulls: true, value: 2n ** 62n },
};

describe('pipeline jobs', () => {
  for (const [name, shape] of Object.entries(SHAPES)) {
    for (const groups of [[], [0], [4], [0, 4]]) {
      it(`${name}, by [${groups}]`, async () => {
        const first = makeRows(3000, 1, shape);
        const second = makeRows(321, 2, shape);
        const third = makeRows(64, 3, shape);
        const rest = makeRows(777, 4, shape);
        const mask = new Uint8Array(Math.ceil(321 / 8));
        for (let row = 0; row < 321; row++) if (row % 3 !== 0) mask[row >> 3]! |= 1 << (row & 7);
        const regions = [new FakeRegion(first), new FakeRegion(second, mask), new FakeRegion(third)];
        const expected = reference(
          [...first, ...second.filter((_, row) => row % 3 !== 0), ...third, ...rest],
          groups,
        );
        for (const native of [true, false]) {
          const pipelines = sharedService(native);
          expect((await run(pipelines, plan(groups), regions, rest)).lines).toEqual(expected);
          // Again from the cache: nothing is read.
          const reads = regions.map((region) => region.reads);
          expect((await run(pipelines, plan(groups), regions, rest)).lines).toEqual(expected);
          expect(regions.map((region) => region.reads)).toEqual(reads);
        }
      }, 20_000);
    }
  }

  it('empties group tables that are full', async () => {
    const shape = { keys: 10_000_000, nulls: false, value: 1000n };
    const regions = [1, 2].map((seed) => new FakeRegion(makeRows(48_000, seed, shape)));
    const expected = reference(
      regions.flatMap((region) => region.rows),
      [0, 4],
    );
    expect((await run(service({ workerCount: 1 }), plan([0, 4]), regions, [])).lines).toEqual(expected);
  }, 60_000);

  it('runs in less memory than the table takes, and refuses when not even one region fits', async () => {
    const shape = { keys: 100, nulls: true, value: 10n ** 15n };
    const regions = Array.from({ length: 12 }, (_, seed) => new FakeRegion(makeRows(4000, seed, shape)));
    const expected = reference(
      regions.flatMap((region) => region.rows),
      [0],
    );
    const pipelines = service({ memoryBytes: 256 << 10 });
    for (let round = 0; round < 3; round++)
      expect((await run(pipelines, plan([0]), regions, [])).lines).toEqual(expected);
    await expect(run(service({ memoryBytes: 16 << 10 }), plan([0]), regions, [])).rejects.toBeInstanceOf(
      NotCompilable,
    );
    // Nothing stays pinned: the same service goes on with a smaller table.
    expect((await run(pipelines, plan([0]), regions.slice(0, 2), [])).lines).toEqual(
      reference(
        regions.slice(0, 2).flatMap((region) => region.rows),
        [0],
      ),
    );
  }, 30_000);

  it('refuses sums of products that may leave 64 bits', async () => {
    const node = plan(
      [],
      [aggregate(SUM_NUMERIC, 1700, call(1726, 1700, call(1781, 1700, slot(1)), slot(2)))],
    );
    const regions = [new FakeRegion(makeRows(100, 1, { keys: 3, nulls: false, value: 2n ** 62n }))];
    await expect(run(sharedService(true), node, regions, [])).rejects.toBeInstanceOf(NotCompilable);
  });

  it('runs several statements at once', async () => {
    const shape = { keys: 3000, nulls: true, value: 10n ** 9n };
    const regions = [1, 2, 3, 4].map((seed) => new FakeRegion(makeRows(8000, seed, shape)));
    const rows = regions.flatMap((region) => region.rows);
    const pipelines = sharedService(true);
    const variants = [[], [0], [4], [0, 4], [0], []];
    const found = await Promise.all(variants.map((groups) => run(pipelines, plan(groups), regions, [])));
    found.forEach(({ lines }, index) => {
      expect(lines).toEqual(reference(rows, variants[index]!));
    });
  }, 30_000);

  it('stops when it is interrupted and can go on afterwards', async () => {
    const shape = { keys: 50_000, nulls: true, value: 10n ** 9n };
    const regions = Array.from({ length: 6 }, (_, seed) => new FakeRegion(makeRows(20_000, seed, shape)));
    const pipelines = sharedService(true);
    const fragment = fragmentOf(plan([0, 4]));
    const stop = { now: false };
    const job = pipelines.job({
      fragment,
      schema,
      source: source(regions, [], []),
      checkInterrupt: () => {
        if (stop.now) throw new NotCompilable('stopped');
      },
      native: true,
    });
    const running = job.run();
    stop.now = true;
    await expect(running).rejects.toMatchObject({ reason: 'stopped' });
    const expected = reference(regions[0]!.rows, [0]);
    expect((await run(pipelines, plan([0]), regions.slice(0, 1), [])).lines).toEqual(expected);
  }, 30_000);

  it('fails statements of a dead worker, never hangs, and starts another', async () => {
    const shape = { keys: 20, nulls: false, value: 1000n };
    const regions = [1, 2, 3].map((seed) => new FakeRegion(makeRows(5000, seed, shape)));
    const pipelines = service();
    const expected = reference(
      regions.flatMap((region) => region.rows),
      [0],
    );
    expect((await run(pipelines, plan([0]), regions, [])).lines).toEqual(expected);
    const running = run(pipelines, plan([0]), regions, []);
    await pipelines.killWorkerForTest(0);
    const outcome = await running.then(
      ({ lines }) => lines,
      (error: { code: string }) => error.code,
    );
    expect(outcome === 'XX000' || JSON.stringify(outcome) === JSON.stringify(expected)).toBe(true);
    expect((await run(pipelines, plan([0]), regions, [])).lines).toEqual(expected);
  }, 30_000);

  it('makes modules that an independent validator accepts', async () => {
    const tools = await wabt();
    for (const groups of [[], [0], [0, 4]]) {
      const { spec } = fragmentOf(plan(groups));
      for (const nullable of [false, true]) {
        for (const mode of groups.length === 0 ? (['plain'] as const) : (['dense', 'hash'] as const)) {
          for (const width of [0, 1, 2, 4, 8] as const) {
            const variant: Variant = {
              columns: spec.columns.map(({ type }) => ({
                kind: type.kind === 'float' ? 'float64' : type.kind === 'string' ? 'dictionary' : 'integer',
                width: type.kind === 'float' ? 8 : type.kind === 'string' ? 2 : mode === 'dense' ? 1 : width,
                nullable,
              })),
              mode,
              filters: [0],
              wide: spec.accumulators.map(
                ({ op, arg }) => op === 'sum' && arg?.type.kind !== 'float' && nullable,
              ),
            };
            const bytes = compilePipeline(spec, variant);
            const module = tools.readWasm(bytes, {
              readDebugNames: false,
              simd: true,
              threads: true,
            } as never);
            (module.validate as (features: object) => void).call(module, { simd: true, threads: true });
          }
        }
      }
    }
  });
});
