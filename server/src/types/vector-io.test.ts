import { describe, expect, it } from 'vitest';
import { fieldAppender } from './bytes-input.ts';
import type { Datum } from './datum.ts';
import { DEFAULT_FORMAT, OID, typeSupport } from './index.ts';
import { packNumericTypmod } from './numeric-text.ts';
import { VectorBuilder, vectorReader } from './vector-io.ts';

const cases: [number, number, string[]][] = [
  [OID.BOOL, -1, ['t', 'f', 'true']],
  [OID.INT2, -1, ['0', '-32768', '32767']],
  [OID.INT4, -1, ['0', '-2147483648', '2147483647', ' 5 ']],
  [OID.OID, -1, ['0', '4294967295']],
  [OID.INT8, -1, ['0', '9007199254740993', '-9223372036854775808', '123456789012345', '-1']],
  [OID.FLOAT8, -1, ['0.1', '-2.5', '1e300', 'NaN', 'Infinity', '123456789.123456']],
  [OID.FLOAT4, -1, ['0.1', '-2.5', '1e30']],
  [OID.NUMERIC, -1, ['1.50', '123456789012345678901234567890.5', 'NaN', '-Infinity', '0', '-0.001']],
  [OID.NUMERIC, packNumericTypmod(15, 2), ['1.50', '-9999999999999.99', 'NaN', '0', '12', '0.005', '.5']],
  [
    OID.NUMERIC,
    packNumericTypmod(18, 4),
    ['12345678901234.5678', '-99999999999999.9999', '90071992547.4099'],
  ],
  [OID.DATE, -1, ['1998-12-01', '2000-02-29', 'infinity', '0044-03-15 BC', 'Jan 5, 2001']],
  [OID.TIME, -1, ['00:00:00', '23:59:59.999999', '24:00:00']],
  [
    OID.TIMESTAMP,
    -1,
    [
      '1998-12-01 01:02:03',
      '1998-12-01 01:02:03.4',
      '0001-01-01 00:00:00',
      'infinity',
      '294276-12-31 23:59:59',
    ],
  ],
  [OID.TIMESTAMPTZ, -1, ['1998-12-01 01:02:03+02', '-infinity']],
  [OID.TIMETZ, -1, ['01:02:03+02']],
  [OID.INTERVAL, -1, ['1 mon 2 days 03:04:05.6', '-5 days']],
  [OID.UUID, -1, ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']],
  [
    OID.TEXT,
    -1,
    ['', 'plain', 'grüße, 世界 😀', 'a much longer text that takes the other path of the copy loop'],
  ],
  [OID.VARCHAR, 9, ['', 'abcde', 'äöüßé', 'abc']],
  [OID.BPCHAR, 9, ['a', 'abcde', 'ä']],
  [OID.BYTEA, -1, ['\\x', '\\x00ff']],
  [OID.JSONB, -1, ['{"a": [1, 2.50, null, true, "x"], "bb": {}}', '[]']],
  [OID.INT4_ARRAY, -1, ['{}', '{1,NULL,3}', '[0:1]={1,2}', '{{1,2},{3,4}}']],
  [OID.TEXT_ARRAY, -1, ['{a,"b c",NULL}']],
  [OID.TID, -1, ['(1,2)']],
];

describe('columns', () => {
  for (const [oid, typmod, texts] of cases) {
    const support = typeSupport(oid);
    it(`${support.name} with typmod ${typmod}: append, read, COPY bytes and NULLs agree`, () => {
      const physical = support.physical(typmod);
      const byDatum = new VectorBuilder(physical, support, typmod, 8);
      const byBytes = new VectorBuilder(physical, support, typmod, 8);
      const append = fieldAppender(byBytes, DEFAULT_FORMAT);
      const expected: (string | null)[] = [];
      for (let round = 0; round < 7; round++) {
        for (const text of texts) {
          const value: Datum = support.input(text, typmod, DEFAULT_FORMAT);
          byDatum.append(value);
          const bytes = Buffer.from(`,${text},`);
          append(bytes, 1, bytes.length - 1);
          expected.push(support.output(value, DEFAULT_FORMAT));
          if (round % 3 === 1) {
            byDatum.append(null);
            byBytes.appendNull();
            expected.push(null);
          }
        }
      }
      const read = vectorReader(physical, support, typmod);
      for (const builder of [byDatum, byBytes]) {
        const vector = builder.finish();
        expect(vector.count).toBe(expected.length);
        const texts = expected.map((_, index) => {
          const value = read(vector, index);
          return value === null ? null : support.output(value, DEFAULT_FORMAT);
        });
        expect(texts).toEqual(expected);
      }
    });
  }

  it('refuses what the text form refuses, from bytes too', () => {
    const builder = new VectorBuilder('decimal64', typeSupport(OID.NUMERIC), packNumericTypmod(5, 2));
    const append = fieldAppender(builder, DEFAULT_FORMAT);
    const bytes = Buffer.from('1000.00');
    expect(() => append(bytes, 0, bytes.length)).toThrow('numeric field overflow');
    const text = new VectorBuilder('varlen', typeSupport(OID.VARCHAR), 7);
    const long = Buffer.from('abcd');
    expect(() => fieldAppender(text, DEFAULT_FORMAT)(long, 0, 4)).toThrow(
      'value too long for type character varying(3)',
    );
  });

  it('binary forms come back unchanged', () => {
    for (const [oid, typmod, texts] of cases) {
      const support = typeSupport(oid);
      for (const text of texts) {
        const value = support.input(text, typmod, DEFAULT_FORMAT);
        const again = support.receive(support.send(value, DEFAULT_FORMAT), typmod, DEFAULT_FORMAT);
        expect(support.output(again, DEFAULT_FORMAT)).toBe(support.output(value, DEFAULT_FORMAT));
        expect(support.hashKey(again)).toBe(support.hashKey(value));
        if (support.compare !== undefined) expect(support.compare(again, value)).toBe(0);
      }
    }
  });
});
