import { describe, expect, it } from 'vitest';
import { formatRows, jsonValue } from './rows.ts';

const columns = [
  { name: 'a', typeOid: 20, typeName: 'bigint' },
  { name: 'b c', typeOid: 25, typeName: 'text' },
  { name: 'j', typeOid: 3802, typeName: 'jsonb' },
];
const rows = [
  ['9223372036854775807', 'x"y,\n|\\', '{"n": 1.10}'],
  [null, '', null],
];

describe('rows as text', () => {
  it('keeps every digit in every format', () => {
    for (const format of ['tsv', 'csv', 'json', 'sql', 'markdown'] as const)
      expect(formatRows(format, columns, rows)).toContain('9223372036854775807');
    expect(jsonValue(1700, '0.10000000000000000000000000001')).toBe('0.10000000000000000000000000001');
    expect(jsonValue(1700, 'NaN')).toBe('"NaN"');
    expect(jsonValue(701, 'Infinity')).toBe('"Infinity"');
    expect(jsonValue(16, 't')).toBe('true');
    expect(formatRows('json', columns, rows)).toContain('"j": {"n": 1.10}');
  });

  it('tells NULL from the empty string', () => {
    expect(formatRows('csv', columns, rows)).toBe(
      'a,b c,j\r\n9223372036854775807,"x""y,\n|\\","{""n"": 1.10}"\r\n,"",\r\n',
    );
    expect(formatRows('sql', columns, [rows[1]], { table: 't' })).toBe(
      `INSERT INTO t (a, "b c", j) VALUES (NULL, '', NULL);\n`,
    );
  });

  it('quotes what a format needs quoted', () => {
    expect(formatRows('tsv', columns, [rows[0]])).toBe('9223372036854775807\t"x""y,\n|\\"\t"{""n"": 1.10}"');
    expect(formatRows('markdown', columns, [rows[0]])).toContain('x"y,<br>\\|\\\\');
    expect(JSON.parse(formatRows('json', columns, rows))).toHaveLength(2);
  });
});
