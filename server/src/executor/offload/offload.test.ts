import { expect, it } from 'vitest';
import { DbError } from '../../base/error.ts';
import { createRealEnvironment } from '../../env/real/environment.ts';
import type { PlanExpr } from '../../planner/physical.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import { DEFAULT_FORMAT, OID, typeSupport } from '../../types/index.ts';
import { Jsonb } from '../../types/jsonb.ts';
import type { Shipment } from './messages.ts';
import { OffloadService } from './service.ts';
import { pack, unpack } from './values.ts';

const common = { typmod: -1, collation: 0 };
const slot = (number: number, typeOid: number): PlanExpr =>
  ({ kind: 'slot', slot: number, typeOid, ...common }) as PlanExpr;

function call(oid: number, source: string, resultType: number, types: number[]): Shipment {
  return {
    expr: {
      kind: 'function',
      functionOid: oid,
      args: types.map((type, index) => slot(index, type)) as never,
      returnsSet: false,
      form: 'call',
      variadic: false,
      typeOid: resultType,
      ...common,
    },
    functions: [{ oid, source, strict: true, volatility: 'i' }],
    inputTypes: types,
  };
}

const surroundings = { format: DEFAULT_FORMAT, settings: {}, timestamps: [0n, 0n] as const };

async function withService(test: (service: OffloadService) => Promise<void>): Promise<void> {
  const { workers, clock } = createRealEnvironment('/tmp');
  const service = new OffloadService({ workers, clock, threads: 1 });
  try {
    await test(service);
  } finally {
    await service.close();
  }
}

it('evaluates on a thread: values, errors, long texts both ways, cancelling', async () => {
  await withService(async (service) => {
    const run = async (shipment: Shipment, inputs: Datum[]): Promise<Datum | undefined> => {
      const job = service.start(shipment, inputs, surroundings, () => null);
      await job.settled;
      return job.take();
    };
    const repeat = call(1622, 'repeat', OID.TEXT, [OID.TEXT, OID.INT4]);
    expect(await run(repeat, ['ab', 3])).toBe('ababab');
    const long = (await run(repeat, ['xyz', 600_000])) as string;
    expect(long.length).toBe(1_800_000);
    expect(await run(call(1317, 'textlen', OID.INT4, [OID.TEXT]), [long])).toBe(1_800_000);
    await expect(run(repeat, ['x', 2_000_000_000])).rejects.toMatchObject({ code: '54000' });
    await expect(run(call(1, 'no_such_function', OID.TEXT, []), [])).resolves.toBeUndefined();
    const statements = await service.parse('select 1; select 2', () => null);
    expect(JSON.parse(statements)).toHaveLength(2);
    await expect(service.parse('selec', () => null)).rejects.toMatchObject({ code: '42601' });
    const cancel = new DbError('query_canceled', 'canceling statement due to user request');
    const match = call(1254, 'textregexeq', OID.BOOL, [OID.TEXT, OID.TEXT]);
    const endless = service.start(
      match,
      ['a'.repeat(40_000), '^(a*)(a*)(a*)\\1\\2\\3b$'],
      surroundings,
      () => cancel,
    );
    const begin = performance.now();
    await endless.settled;
    expect(performance.now() - begin).toBeLessThan(5000);
    expect(() => endless.take()).toThrow(cancel);
    expect(await run(repeat, ['again', 1])).toBe('again');
  });
});

it('carries values of every kind', () => {
  const values: [number, string][] = [
    [OID.NUMERIC, '123456789012345678901234567890.5'],
    [OID.JSONB, '{"a": [1, "x", null, true], "b": {"c": -1.5}}'],
    [OID.INTERVAL, '1 mon 2 days 03:04:05.6'],
    [OID.INT4_ARRAY, '{{1,2},{3,NULL}}'],
    [OID.TSVECTOR, "'a':1 'b':2A"],
    [OID.INT8, '9223372036854775807'],
    [OID.BYTEA, '\\x00ff'],
    [OID.INET, '10.0.0.1/8'],
    [OID.INT4RANGE, '[1,5)'],
    [OID.POINT, '(1,2)'],
    [OID.TIMETZ, '12:00:00+02'],
    [OID.TID, '(1,2)'],
  ];
  for (const [type, text] of values) {
    const support = typeSupport(type);
    const value = support.input(text, -1, DEFAULT_FORMAT);
    const moved = unpack(structuredClone(pack(value, type)), type, () => '');
    expect(support.output(moved, DEFAULT_FORMAT)).toBe(support.output(value, DEFAULT_FORMAT));
  }
  expect(pack(null, OID.TEXT)).toBeNull();
  const items = new SqlArray(OID.TEXT, ['a']);
  expect(unpack(pack(items, OID.TEXT_ARRAY), OID.TEXT_ARRAY, () => '')).toEqual(items);
  expect(new Jsonb(['x'.repeat(100)]).weight).toBe(116);
});
