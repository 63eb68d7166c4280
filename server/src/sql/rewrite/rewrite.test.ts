import { beforeAll, describe, expect, it } from 'vitest';
import { analyseStatement } from '../analyse/index.ts';
import { parseStatements } from '../parse/parser.ts';
import { TestDatabase } from '../testing.ts';
import type { Query } from '../tree.ts';
import { rewriteStatement } from './index.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.create();
  database.define(`
    create table t (a int primary key, b text default 'x', c int generated always as identity, d int generated always as (a + 1) stored);
    create table plain (a int, b text);
    create view v as select a, b from plain where a > 0;
    create view w as select a + 1 as a1, b from v;
    create view grouped as select a, count(*) as n from plain group by a;
  `);
});

function rewrite(text: string): Query {
  const [statement] = parseStatements(text).statements;
  const result = rewriteStatement(analyseStatement(statement, database.options()), database.reader);
  if (result.kind !== 'query') throw new TypeError('no query');
  return result.query;
}

describe('rewrite', () => {
  it('fills defaults, identity and generated columns of INSERT', () => {
    const query = rewrite('insert into t (a) values (5)');
    expect(query.targets.map((target) => target.name)).toEqual(['a', 'b', 'c', 'd']);
    // The identity value is volatile: the row's values come from a subquery.
    expect(query.from).toEqual([{ kind: 'relationRef', relation: 2 }]);
    const source = query.rangeTable[1];
    expect(source.kind === 'subquery' && source.query.targets.map((target) => target.expr.kind)).toEqual([
      'const',
      'const',
      'function',
      'const',
    ]);
    expect(query.targets[3].expr).toMatchObject({
      kind: 'operator',
      args: [{ kind: 'var', attribute: 1 }, { value: 1 }],
    });
  });
  it('replaces DEFAULT in rows', () => {
    const query = rewrite("insert into t (a, b) values (1, default), (2, 'y')");
    const inner = query.rangeTable.find((entry) => entry.kind === 'values');
    expect(inner?.kind === 'values' && inner.rows.map((row) => row[1])).toMatchObject([
      { kind: 'const', value: 'x' },
      { kind: 'const', value: 'y' },
    ]);
  });
  it('guards generated and identity columns', () => {
    expect(() => rewrite('insert into t (a, c) values (1, 2)')).toThrow(
      'cannot insert a non-DEFAULT value into column "c"',
    );
    expect(() => rewrite('insert into t (a, d) values (1, 2)')).toThrow(/column "d"/);
    expect(rewrite('insert into t (a, c) overriding system value values (1, 2)').targets).toHaveLength(4);
    expect(() => rewrite('update t set c = 1')).toThrow('column "c" can only be updated to DEFAULT');
  });
  it('recomputes generated columns on UPDATE', () => {
    const query = rewrite('update t set a = a * 2');
    expect(query.targets).toHaveLength(2);
    expect(query.targets[1].expr).toMatchObject({
      kind: 'operator',
      args: [{ kind: 'operator' }, { value: 1 }],
    });
  });
  it('expands views with the owner as role', () => {
    const query = rewrite('select * from w where a1 = 2');
    const outer = query.rangeTable[0];
    expect(outer).toMatchObject({
      kind: 'subquery',
      alias: 'w',
      privileges: [{ privilege: 'SELECT', columns: [1, 2] }],
    });
    const middle = outer.kind === 'subquery' ? outer.query.rangeTable[0] : outer;
    expect(middle).toMatchObject({ kind: 'subquery', alias: 'v', asRole: 10 });
    const inner = middle.kind === 'subquery' ? middle.query.rangeTable[0] : middle;
    expect(inner).toMatchObject({ kind: 'relation', alias: 'plain', asRole: 10 });
  });
  it('changes tables through simple views', () => {
    const query = rewrite("update v set b = 'z' where a = 3 returning a");
    expect(query.rangeTable[0]).toMatchObject({ kind: 'relation', alias: 'v', asRole: 10 });
    expect(query.where).toMatchObject({ kind: 'bool', op: 'and' });
    expect(() => rewrite('update w set a1 = 1')).toThrow(/cannot update column "a1" of view "w"/);
    expect(() => rewrite('delete from grouped')).toThrow(/cannot delete from view "grouped"/);
    expect(rewrite('delete from w').rangeTable[0]).toMatchObject({ kind: 'relation' });
  });
});
