import { describe, expect, it } from 'vitest';
import { tokenize } from './lexer.ts';
import { fillParameters, isTypeName, parametersOf } from './parameters.ts';
import { qualifiedName, quoteName, quoteValue } from './quote.ts';
import { dangersOf, splitStatements, statementAt } from './statements.ts';

const texts = (sql: string): string[] => splitStatements(sql).map((statement) => statement.text);
const kinds = (sql: string): string[] => tokenize(sql).map((token) => `${token.kind} ${token.text}`);

describe('tokens', () => {
  it('follows quotes, dollar quotes and nested comments', () => {
    expect(kinds(`select 'it''s', E'a\\'b', $x$ ; $x$, "A""b" /* /* ; */ */ -- ;`)).toEqual([
      'word select',
      "string 'it''s'",
      'punctuation ,',
      "string E'a\\'b'",
      'punctuation ,',
      'string $x$ ; $x$',
      'punctuation ,',
      'name A"b',
      'comment /* /* ; */ */',
      'comment -- ;',
    ]);
  });

  it('tells parameters from casts and slices', () => {
    expect(parametersOf("select $2, x::int, ':no', :name, $1, a[1:n]")).toContain('$1');
    expect(parametersOf('select x::int, \':no\', a[1:n], "q":n')).toEqual([]);
  });

  it('never ends in a fault', () => {
    for (const sql of ["'", '"', '$a$', '/*', "e'\\", '$', ':', '\u0000', '1e', '0x'])
      expect(() => tokenize(sql)).not.toThrow();
  });
});

describe('statements', () => {
  it('are cut at semicolons outside of quotes and bodies', () => {
    expect(texts("select 1; select ';' ; -- nothing\n ;")).toEqual(['select 1', "select ';'"]);
    expect(
      texts('create function f() begin atomic select 1; select case when true then 1 end; end; select 2'),
    ).toHaveLength(2);
    expect(texts('create rule r as on insert to t do also (select 1; select 2); select 3')).toHaveLength(2);
    expect(texts('begin; select 1; end; select 2')).toEqual(['begin', 'select 1', 'end', 'select 2']);
  });

  it('are found by the caret', () => {
    const list = splitStatements('select 1;\n\nselect 2;\nselect 3');
    expect(statementAt(list, 0)?.text).toBe('select 1');
    expect(statementAt(list, 9)?.text).toBe('select 1');
    expect(statementAt(list, 12)?.text).toBe('select 2');
    expect(statementAt(list, 99)?.text).toBe('select 3');
    expect(statementAt([], 3)).toBeNull();
  });

  it('tell what they destroy', () => {
    const kindsOf = (sql: string): string[] =>
      splitStatements(sql)
        .flatMap(dangersOf)
        .map((danger) => `${danger.kind} ${danger.target}`);
    expect(kindsOf('delete from orders')).toEqual(['delete orders']);
    expect(kindsOf('delete from orders where id = 1')).toEqual([]);
    expect(kindsOf('update public.orders set a = (select 1 where true)')).toEqual(['update public.orders']);
    expect(kindsOf('with gone as (delete from a returning *) select * from gone where true')).toEqual([
      'delete a',
    ]);
    expect(kindsOf('drop table orders cascade')).toEqual(['drop table orders cascade']);
    expect(kindsOf('truncate a, b')).toEqual(['truncate a, b']);
    expect(kindsOf('select * from a for update')).toEqual([]);
    expect(kindsOf('insert into a values (1) on conflict (id) do update set b = 1')).toEqual([]);
    expect(kindsOf('explain delete from a')).toEqual([]);
    expect(kindsOf('explain analyze delete from a')).toEqual(['delete a']);
    expect(kindsOf('alter table a drop column b')).toEqual(['drop column b']);
    expect(kindsOf('alter table a alter column b drop not null')).toEqual([]);
    expect(kindsOf('create table a (b int references c on delete cascade)')).toEqual([]);
    expect(kindsOf("select 'delete from a'")).toEqual([]);
  });
});

describe('names and values', () => {
  it('are quoted when they must be', () => {
    expect(quoteName('orders')).toBe('orders');
    expect(quoteName('Orders')).toBe('"Orders"');
    expect(quoteName('select')).toBe('"select"');
    expect(qualifiedName('a"b', 'x')).toBe('"a""b".x');
    expect(quoteValue("it's")).toBe("'it''s'");
    expect(quoteValue('a\\b')).toBe("E'a\\\\b'");
    expect(quoteValue(null)).toBe('NULL');
  });

  it('fill parameters, and errors find their way back', () => {
    const filled = fillParameters(
      'select :a, $1 from nothing',
      new Map([
        [':a', { value: "x'y", type: 'text' }],
        ['$1', { value: null, type: '' }],
      ]),
    );
    expect(filled.text).toBe("select ('x''y'::text), NULL from nothing");
    expect(filled.sourceOffset(filled.text.indexOf('nothing'))).toBe('select :a, $1 from '.length);
    expect(filled.sourceOffset(filled.text.indexOf('::text'))).toBe(7);
  });

  it('only names of types are types', () => {
    expect(
      ['int', 'numeric(10, 2)', 'text[]', 'timestamp with time zone', 'public."My"'].every(isTypeName),
    ).toBe(true);
    expect(["int'; drop", 'a;b', '', 'int) or (1'].some(isTypeName)).toBe(false);
  });
});
