/** The runner itself, on small inputs: it must see what differs. */
import { describe, expect, it } from 'vitest';
import { splitBlocks, splitOutput } from './blocks.ts';
import { readSchedule, withPrerequisites } from './schedule.ts';
import { causeOf, scoreFile } from './score.ts';

const SCRIPT = `-- numbers
SELECT 1 AS one;

SELECT 'a;b' AS text,
  $$ ; $$ AS dollar; -- a remark; here
COPY t FROM stdin;
1
SELECT 9;
\\.
SELECT 2 AS two \\gx
EXPLAIN SELECT 1;
CREATE TABLE parted (a int) PARTITION BY LIST (a);
INSERT INTO parted VALUES (1);
CREATE FUNCTION f() RETURNS int LANGUAGE SQL BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END;
SELECT nothing;
`;
const EXPECTED = `-- numbers
SELECT 1 AS one;
 one 
-----
   1
(1 row)

SELECT 'a;b' AS text,
  $$ ; $$ AS dollar; -- a remark; here
 text | dollar 
------+--------
 a;b  |  ; 
(1 row)

COPY t FROM stdin;
SELECT 2 AS two \\gx
-[ RECORD 1 ]
two | 2

EXPLAIN SELECT 1;
                QUERY PLAN                
------------------------------------------
 Result  (cost=0.00..0.01 rows=1 width=4)
(1 row)

CREATE TABLE parted (a int) PARTITION BY LIST (a);
INSERT INTO parted VALUES (1);
CREATE FUNCTION f() RETURNS int LANGUAGE SQL BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END;
SELECT nothing;
ERROR:  column "nothing" does not exist
LINE 1: SELECT nothing;
               ^
`;

describe('blocks', () => {
  it('cuts at the ends of statements', () => {
    const blocks = splitBlocks(SCRIPT);
    expect(blocks.map((block) => block.line)).toEqual([1, 4, 6, 10, 11, 12, 13, 14, 15]);
    expect(blocks[0]!.text).toBe('\nSELECT 1 AS one;\n');
  });
  it('gives each block its answer', () => {
    const answers = splitOutput(splitBlocks(SCRIPT), EXPECTED);
    expect(answers[0]!.filter((line) => line !== '')).toHaveLength(4);
    expect(answers[2]).toEqual([]);
    expect(answers[8]).toHaveLength(3);
  });
  it('follows backslashes where strings are not standard', () => {
    const script = `SET standard_conforming_strings TO off;\nSELECT 'a\\'; b';\nSELECT 2;\n`;
    expect(splitBlocks(script)).toHaveLength(3);
  });
});

describe('score', () => {
  it('is full for the same output, whatever the width of white space', () => {
    const score = scoreFile('x', SCRIPT, [EXPECTED], EXPECTED.replaceAll('     ', '       '));
    expect([score.passed, score.eligible]).toEqual([6, 6]);
    expect(score.blocks.filter((block) => block.leftOut !== null).map((block) => block.leftOut)).toEqual([
      'plan',
      'partitioning',
      'partitioning',
    ]);
  });
  it.each([
    ['(1 row)', '(2 rows)'],
    ['two | 2', 'two | 3'],
    ['column "nothing"', 'column "something"'],
    ['               ^\n', '               ^\nHINT:  planted\n'],
  ])('falls by a planted error: %s', (from, to) => {
    const score = scoreFile('x', SCRIPT, [EXPECTED.replace(from, to)], EXPECTED);
    expect([score.passed, score.eligible]).toEqual([5, 6]);
  });
  it('falls when a line of the answer is missing or the output ends early', () => {
    expect(scoreFile('x', SCRIPT, [EXPECTED], EXPECTED.replace('   1\n', '')).passed).toBe(5);
    const ended = scoreFile('x', SCRIPT, [EXPECTED], EXPECTED.slice(0, EXPECTED.indexOf('SELECT 2')));
    expect(ended.passed).toBe(3);
    expect(causeOf(ended.blocks.at(-1)!)).toBe('the output ends before');
  });
  it('takes the best of the variants', () => {
    const other = EXPECTED.replace('   1\n', '   7\n');
    expect(scoreFile('x', SCRIPT, [other, EXPECTED], EXPECTED).passed).toBe(6);
  });
  it('lets unordered rows come in any order, and only those', () => {
    const table = (text: string, rows: string): string => `${text}\n a \n---\n${rows}(2 rows)\n\n`;
    for (const [text, passed] of [
      ['SELECT a FROM t;', 1],
      ['SELECT a FROM t ORDER BY 1;', 0],
    ] as const) {
      const expected = table(text, ' 1\n 2\n');
      const score = scoreFile('x', text, [expected], table(text, ' 2\n 1\n'));
      expect([score.passed, score.reordered]).toEqual([passed, passed]);
      expect(scoreFile('x', text, [expected], table(text, ' 2\n 2\n')).passed).toBe(0);
    }
  });
  it('names the cause', () => {
    const actual = EXPECTED.replace('   1\n(1 row)', 'ERROR:  relation "t7" does not exist');
    const score = scoreFile('x', SCRIPT, [EXPECTED], actual);
    expect(causeOf(score.blocks[0]!)).toBe('ERROR:  relation "…" does not exist');
  });
});

describe('schedule', () => {
  it('keeps the order and adds what is needed', () => {
    const schedule = readSchedule(
      '# x\ntest: test_setup\ntest: int4 create_aggregate\ntest: aggregates join\n',
    );
    expect(schedule).toEqual(['test_setup', 'int4', 'create_aggregate', 'aggregates', 'join']);
    expect(withPrerequisites(['aggregates'], schedule, false)).toEqual([
      'test_setup',
      'create_aggregate',
      'aggregates',
    ]);
  });
});
