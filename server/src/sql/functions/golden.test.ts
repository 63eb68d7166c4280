/**
 * Functions and aggregates against answers recorded from PostgreSQL 15 (C collation, time zone America/New_York). Argument and
 * result values are texts; errors read `ERR sqlstate message`.
 */
import { describe, expect, it } from 'vitest';
import type { Datum, SqlArray } from '../../types/datum.ts';
import { elementTypeOf, typeSupport } from '../../types/index.ts';
import { OID } from '../../types/oid.ts';
import { aggregateFunction, bindScalar, scalarFunction, setReturningFunction } from './index.ts';
import regexRows from './regex/testdata/regex.json' with { type: 'json' };
import aggregates from './testdata/aggregate.json' with { type: 'json' };
import dates from './testdata/datetime.json' with { type: 'json' };
import formats from './testdata/format.json' with { type: 'json' };
import hashes from './testdata/hash.json' with { type: 'json' };
import networkAndBits from './testdata/network-bits.json' with { type: 'json' };
import ranges from './testdata/ranges.json' with { type: 'json' };
import scalars from './testdata/scalar.json' with { type: 'json' };
import { TEST_CONTEXT } from './testing.ts';

type ScalarRow = [string, number[], string[], number, string];
type AggregateRow = [number, number[], number, (string | null)[][], string[], number, string];
const POLYMORPHIC = new Set<number>([
  OID.ANYELEMENT,
  OID.ANYARRAY,
  OID.ANYCOMPATIBLE,
  OID.ANYCOMPATIBLEARRAY,
  OID.ANY,
]);
const { format } = TEST_CONTEXT;

function outcome(run: () => string): string {
  try {
    return run();
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === undefined) throw error;
    return `ERR ${code} ${message}`;
  }
}

function missing(name: string): never {
  throw Object.assign(new Error(`${name} is missing`), { code: '0A000' });
}

function print(value: Datum, resultType: number, argumentTypes: readonly number[]): string {
  if (value === null) return '<NULL>';
  if (resultType === OID.BOOL) return value === true ? 'true' : 'false';
  let type = resultType;
  if (POLYMORPHIC.has(type)) {
    if (typeof value === 'object' && 'elementType' in value) {
      type = argumentTypes.find((candidate) => elementTypeOf(candidate) !== 0) ?? OID.INT4_ARRAY;
    } else type = typeof value === 'string' ? OID.TEXT : typeof value === 'number' ? OID.INT4 : OID.NUMERIC;
  }
  const text = typeSupport(type).output(value, format);
  return type === OID.BPCHAR ? text.trimEnd() : text;
}

function callScalar([name, types, texts, resultType]: ScalarRow): string {
  return outcome(() => {
    const args = texts.map((text, index) => typeSupport(types[index]!).input(text, -1, format));
    const site = {
      argumentTypes: types,
      resultType,
      variadic:
        /^(?:text_concat|text_concat_ws|text_format|pg_num_n|jsonb?_build)/.test(name) &&
        elementTypeOf(types.at(-1) ?? 0) !== 0,
      collation: 0,
    };
    return print(
      bindScalar(scalarFunction(name) ?? missing(name), TEST_CONTEXT, site)(...args),
      resultType,
      types,
    );
  });
}

describe('scalar functions answer as PostgreSQL', () => {
  for (const [file, rows] of [
    ['scalar', scalars],
    ['datetime', dates],
    ['format', formats],
    ['hash', hashes],
    ['network-bits', networkAndBits],
    ['ranges', ranges],
  ] as const) {
    it(`${rows.length} calls of ${file}.json`, () => {
      const wrong = (rows as unknown as ScalarRow[])
        .map((row) => ({ call: `${row[0]}(${row[2].join(' | ')})`, expected: row[4], got: callScalar(row) }))
        .filter(({ expected, got }) => expected !== got);
      expect(wrong).toEqual([]);
    });
  }
});

describe('aggregates answer as PostgreSQL', () => {
  it(`${aggregates.length} groups`, () => {
    const wrong = (aggregates as unknown as AggregateRow[])
      .map(([oid, types, direct, data, directTexts, resultType, expected]) => {
        const got = outcome(() => {
          const bound = aggregateFunction(oid)!.make(TEST_CONTEXT, {
            argumentTypes: types,
            resultType,
            variadic: false,
            collation: 0,
          });
          const rows = data.map((row) =>
            row.map((text, index) =>
              text === null ? null : typeSupport(types[direct + index]!).input(text, -1, format),
            ),
          );
          if (direct > 0 || oid === 3984) {
            const { compare } = typeSupport(types[direct]!);
            rows.sort((left, right) =>
              left[0] === null ? 1 : right[0] === null ? -1 : compare!(left[0]!, right[0]!),
            );
          }
          const state = bound.createState();
          for (const row of rows) if (!(bound.strict && row.includes(null))) bound.step(state, ...row);
          const args = directTexts.map((text, index) => typeSupport(types[index]!).input(text, -1, format));
          const value = bound.final(state, ...args);
          let type = resultType;
          if (type === OID.ANYARRAY) type = types.at(-1) === OID.TEXT ? OID.TEXT_ARRAY : OID.INT4_ARRAY;
          else if (POLYMORPHIC.has(type)) type = types.at(-1)!;
          return print(value, type, types);
        });
        return { oid, data: JSON.stringify(data), expected, got };
      })
      .filter(({ expected, got }) => expected !== got);
    expect(wrong).toEqual([]);
  });
});

describe('regular expressions answer as PostgreSQL', () => {
  const bind = (name: string) =>
    bindScalar(scalarFunction(name) ?? missing(name), TEST_CONTEXT, {
      argumentTypes: [],
      resultType: 0,
      variadic: false,
      collation: 0,
    });
  const array = (value: Datum): string =>
    value === null ? '<NULL>' : typeSupport(OID.TEXT_ARRAY).output(value as SqlArray, format);
  it(`${regexRows.length} pairs of pattern and text`, () => {
    const test = bind('textregexeq');
    const match = bind('regexp_match_no_flags');
    const replace = bind('textregexreplace');
    const split = bind('regexp_split_to_array_no_flags');
    const wrong = regexRows
      .map(([pattern, text, ...expected]) => ({
        pattern,
        text,
        expected,
        got: [
          outcome(() => String(test(text!, pattern!))),
          outcome(() => array(match(text!, pattern!))),
          outcome(() => replace(text!, pattern!, '<\\1\\&>', 'g') as string),
          outcome(() => array(split(text!, pattern!))),
        ],
      }))
      .filter(({ expected, got }) => expected.join('\0') !== got.join('\0'));
    expect(wrong).toEqual([]);
  });

  it('stays linear on expressions that ruin backtracking engines', () => {
    const text = `${'a'.repeat(20_000)}!`;
    expect(bind('textregexeq')(text, '^(a+)+$')).toBe(false);
    expect(bind('textregexeq')(text, '^(a|aa)*$')).toBe(false);
    expect(bind('textregexeq')(text, '(?=.*b)a')).toBe(false);
  });

  it('ends exponential back-references by budget', () => {
    expect(() => bind('textregexeq')('a'.repeat(60), '^(a*)*(a*)*(a*)*\\1b$')).not.toThrow();
  });
});

describe('set-returning functions', () => {
  const run = (name: string, ...args: Datum[]): unknown[] => [
    ...setReturningFunction(name)!.make(TEST_CONTEXT, {
      argumentTypes: [],
      resultType: 0,
      variadic: false,
      collation: 0,
    })(...args),
  ];
  it('series go up and down and refuse a zero step', () => {
    expect(run('generate_series_int4', 1, 3)).toEqual([1, 2, 3]);
    expect(run('generate_series_step_int4', 5, 1, -2)).toEqual([5, 3, 1]);
    expect(run('generate_series_step_int8', 1n, 2n, 1n)).toEqual([1n, 2n]);
    expect(() => run('generate_series_step_int4', 1, 2, 0)).toThrow('step size cannot equal zero');
  });
});
