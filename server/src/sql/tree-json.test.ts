import { describe, expect, it } from 'vitest';
import { SqlArray, SqlRecord, Tid } from '../types/datum.ts';
import { Interval, TimeTz } from '../types/interval.ts';
import { Jsonb } from '../types/jsonb.ts';
import { Numeric } from '../types/numeric.ts';
import { equalExpr } from './equal.ts';
import type { ConstExpr, Expr, FunctionExpr } from './tree.ts';
import { datumFromJson, datumToJson, parseExpr, serialiseExpr } from './tree-json.ts';
import { mapExpr, someExpr, walkExpr } from './walk.ts';

const constant = (value: ConstExpr['value']): ConstExpr => ({
  kind: 'const',
  value,
  typeOid: 25,
  typmod: -1,
  collation: 0,
  position: 7,
});
const call = (...args: Expr[]): FunctionExpr => ({
  kind: 'function',
  functionOid: 1,
  args,
  returnsSet: false,
  form: 'call',
  variadic: false,
  typeOid: 25,
  typmod: -1,
  collation: 0,
});

describe('tree-json', () => {
  const values: ConstExpr['value'][] = [
    null,
    true,
    'a"b\u0000é',
    1,
    -0,
    Number.NaN,
    Number.NEGATIVE_INFINITY,
    9223372036854775807n,
    new Numeric(12345, 2),
    new Numeric(123456789012345678901234567890n, 10),
    new Numeric(0, 0, 'NaN'),
    new Interval(1, -2, -3n),
    new TimeTz(5, 3600),
    new Uint8Array([0, 255]),
    new Jsonb({ entries: [['a', [new Numeric(1, 0), null, 'x', { entries: [] }]]] }),
    new SqlArray(23, [1, null, 3]),
    new SqlRecord(2249, [1, 'x'], [23, 25], ['f1', 'f2']),
    new Tid(1, 2),
  ];
  it('gives back each kind of constant exactly', () => {
    for (const value of values) {
      expect(datumFromJson(JSON.parse(JSON.stringify(datumToJson(value))))).toEqual(value);
      const back = parseExpr(serialiseExpr(call(constant(value))));
      expect(equalExpr(back, call(constant(value)))).toBe(true);
    }
  });
  it('refuses what it did not write', () => {
    expect(() => parseExpr('{"kind":"const","value":{"#":"?"}}')).toThrow(/invalid stored expression/);
    expect(() => parseExpr('nonsense')).toThrow(/invalid stored expression/);
  });
});

describe('walkers', () => {
  it('visit each node once, in order, and can stop', () => {
    const tree = call(constant(1), call(constant(2)), constant(3));
    const seen: unknown[] = [];
    walkExpr(tree, (node) => {
      seen.push(node.kind === 'const' ? node.value : node.kind);
    });
    expect(seen).toEqual(['function', 1, 'function', 2, 3]);
    expect(someExpr(tree, (node) => node.kind === 'const' && node.value === 2)).toBe(true);
  });
  it('map shares what it does not change', () => {
    const inner = call(constant(2));
    const tree = call(inner, constant(3));
    expect(mapExpr(tree, () => undefined)).toBe(tree);
    const mapped = mapExpr(tree, (node) =>
      node.kind === 'const' && node.value === 3 ? constant(4) : undefined,
    ) as FunctionExpr;
    expect(mapped.args[0]).toBe(inner);
    expect(mapped.args[1]).toMatchObject({ value: 4 });
    expect(equalExpr(tree, call(call(constant(2)), constant(3)))).toBe(true);
    expect(equalExpr(tree, mapped)).toBe(false);
  });
});
