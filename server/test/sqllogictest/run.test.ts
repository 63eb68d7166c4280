/** The runner sees wrong values, wrong hashes and wrong outcomes. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { matches, parseScript } from './script.ts';

const SCRIPT = `statement ok
create table t (a int)

onlyif mysql
query I nosort
select 1
----
1

query IR rowsort
select a, a from t
----
1
1.500
2
2.500

statement error
nonsense
`;

it('reads records, compares values and hashes', () => {
  const records = parseScript(SCRIPT)!;
  expect(records.map((record) => [record.kind, record.line, record.isError])).toEqual([
    ['statement', 1, false],
    ['query', 10, false],
    ['statement', 18, true],
  ]);
  const query = records[1]!;
  const rows = [
    ['2', '2.5'],
    ['1', '1.5'],
  ];
  expect(matches(query, rows)).toBe(true);
  expect(matches(query, [rows[0]!])).toBe(false);
  expect(matches(query, [rows[0]!, ['1', '1.6']])).toBe(false);
  const digest = createHash('md5').update('1\n1.500\n2\n2.500\n').digest('hex');
  expect(matches({ ...query, expected: [`4 values hashing to ${digest}`] }, rows)).toBe(true);
  expect(matches({ ...query, expected: [`4 values hashing to ${'0'.repeat(32)}`] }, rows)).toBe(false);
});

it('reads rows written one a line, and leaves out what needs another runner', () => {
  const [query] = parseScript('query IT\nselect 1, 2\n----\n1\ta\n2\tb\n')!;
  expect(
    matches(query!, [
      ['1', 'a'],
      ['2', 'b'],
    ]),
  ).toBe(true);
  expect(
    matches(query!, [
      ['1', 'a'],
      ['2', 'c'],
    ]),
  ).toBe(false);
  expect(parseScript('require json\n\nstatement ok\nselect 1\n')).toBe(null);
});
