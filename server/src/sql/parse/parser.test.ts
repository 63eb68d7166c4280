import { beforeAll, describe, expect, it } from 'vitest';
import { DbError } from '../../base/error.ts';
import { unpackError } from '../../base/error-transfer.ts';
import { as } from './ast.ts';
import { loadParser, parseStatements, type SqlParser } from './parser.ts';
import { prescan } from './prescan.ts';
import { parseInWorker, unpackStatements } from './worker-parse.ts';

let parser: SqlParser;
beforeAll(async () => {
  parser = await loadParser();
});

function errorOf(text: string): DbError {
  try {
    parser.parse(text);
  } catch (error) {
    if (error instanceof DbError) return error;
    throw error;
  }
  throw new TypeError(`no error for ${text}`);
}

describe('parser', () => {
  it('splits a text into statements and knows their bounds', () => {
    const text = " select 1;; select 'é😀', 2 ;\n-- end\n";
    const { statements } = parseStatements(text);
    expect(statements.map((s) => text.slice(s.start, s.start + s.length))).toEqual([
      'select 1',
      "select 'é😀', 2",
    ]);
    expect(parseStatements('').statements).toEqual([]);
    expect(parseStatements(' ; ; ').statements).toEqual([]);
  });
  it('counts locations in characters', () => {
    const select = as(parser.parse("select 'é😀', x")[0].tree, 'SelectStmt');
    expect(as(select?.targetList?.[1], 'ResTarget')?.location).toBe(13);
  });
  it('reports position, code and hints', () => {
    expect(errorOf("select 'é' from where").fields.position).toBe(17);
    expect(errorOf('select 1 +')).toMatchObject({ code: '42601', message: 'syntax error at end of input' });
    expect(errorOf("select E'\\u00'")).toMatchObject({ code: '22025' });
    expect(errorOf('select 1\0')).toMatchObject({ code: '22021' });
  });
  it.each([
    ['selec 1', 'SELECT', 'selec'],
    ['select a form t', 'FROM', 'form'],
    ['select a from t wher x = 1', 'WHERE', 'wher'],
    ['select a from t group bye a', 'BY', 'bye'],
    ['insret into t values (1)', 'INSERT', 'insret'],
    ['create tabel t (a int)', 'TABLE', 'tabel'],
    ['delete fro t', 'FROM', 'fro'],
    ['select * from t ordr by a', 'ORDER', 'ordr'],
  ])('guesses the keyword in %s', (text, keyword, wrong) => {
    expect(errorOf(text).fields.hint).toBe(`Did you mean "${keyword}" instead of "${wrong}"?`);
  });
  it('ends deep nesting with 54001 and heals', async () => {
    const deep = `select ${'1+'.repeat(20_000)}1`;
    const nested = `select ${'('.repeat(20_000)}1${')'.repeat(20_000)}`;
    expect(errorOf(nested).code).toBe('42601');
    for (let round = 0; round < 40; round++) {
      expect(errorOf(deep).code).toBe('54001');
      if (round % 10 === 9) await parser.settled();
    }
    await parser.settled();
    expect(parser.parse('select 1')).toHaveLength(1);
    expect(prescan(nested).isLight).toBe(false);
    expect(prescan(`select ${'1+'.repeat(1000)}1`).isLight).toBe(false);
    expect(prescan('select 1').isLight).toBe(true);
  });
  it('replies through a worker job', async () => {
    const reply = await parseInWorker('select 1');
    expect(reply.ok && unpackStatements(reply.json)).toHaveLength(1);
    expect(await parseInWorker('selec 1')).toMatchObject({
      ok: false,
      error: { code: '42601', message: 'syntax error at or near "selec"' },
    });
  });
  it('packs long lists of constants of one kind', async () => {
    const numbers = Array.from({ length: 100 }, (_, at) => at);
    const where = async (condition: string) => {
      const reply = await parseInWorker(`select 1 from t where ${condition}`);
      if (!reply.ok) throw unpackError(reply.error);
      return JSON.stringify(unpackStatements(reply.json)[0].tree);
    };
    const packed = `"values":${JSON.stringify(numbers)}`;
    expect(await where(`a in (${numbers.join()})`)).toContain(packed);
    expect(await where(numbers.map((n) => `a = ${n}`).join(' or '))).toContain(packed);
    expect(await where(`a in (${numbers.join()}, 'x')`)).not.toContain('PackedList');
    expect(await where(numbers.map((n) => `a${n} = ${n}`).join(' or '))).not.toContain('PackedList');
  });
});
