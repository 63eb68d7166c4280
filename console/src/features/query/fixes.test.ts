import { describe, expect, it } from 'vitest';
import { editDistance, fixesFor } from './fixes.ts';

const column = (name: string) => ({ name, type: 'integer', isNotNull: false });
const CATALOG = {
  tables: [
    { schema: 'public', name: 'orders', kind: 'r', estimatedRows: '0', columns: ['id', 'total'].map(column) },
    {
      schema: 'public',
      name: 'customer',
      kind: 'r',
      estimatedRows: '0',
      columns: ['id', 'name'].map(column),
    },
    { schema: 'other', name: 'secret', kind: 'r', estimatedRows: '0', columns: [] },
  ],
  functions: [{ schema: 'pg_catalog', name: 'count', arguments: '', result: 'bigint', kind: 'a' }],
  foreignKeys: [],
  types: [],
  settings: [],
  searchPath: ['public'],
};
/** Texts after each fix. */
const mended = (
  text: string,
  at: string,
  error: { code: string; message: string; hint?: string },
): string[] =>
  fixesFor(text, error, text.indexOf(at), CATALOG).map(
    (fix) => text.slice(0, fix.start) + fix.text + text.slice(fix.end),
  );

describe('fixes from the words of the server', () => {
  it('takes the name from the HINT', () => {
    expect(
      mended('select o.totl from orders o', 'o.totl', {
        code: '42703',
        message: 'column o.totl does not exist',
        hint: 'Perhaps you meant to reference the column "o.total".',
      }),
    ).toEqual(['select o.total from orders o']);
    expect(
      mended('select orders.id from orders o', 'orders.id', {
        code: '42P01',
        message: 'invalid reference to FROM-clause entry for table "orders"',
        hint: 'Perhaps you meant to reference the table alias "o".',
      })[0],
    ).toBe('select o.id from orders o');
    expect(
      mended('select * from ordrs', 'ordrs', {
        code: '42P01',
        message: '',
        hint: 'Did you mean "orders"?',
      })[0],
    ).toBe('select * from orders');
  });

  it('finds near names by itself', () => {
    expect(mended('select nme from customer', 'nme', { code: '42703', message: '' })).toEqual([
      'select name from customer',
    ]);
    expect(mended('select * from secret', 'secret', { code: '42P01', message: '' })).toEqual([
      'select * from other.secret',
    ]);
    expect(
      mended('select cuont(*) from orders', 'cuont', {
        code: '42883',
        message: 'function cuont() does not exist',
      }),
    ).toEqual(['select count(*) from orders']);
  });

  it('qualifies what is ambiguous', () => {
    expect(mended('select id from orders o, customer c', 'id', { code: '42702', message: '' })).toEqual([
      'select o.id from orders o, customer c',
      'select c.id from orders o, customer c',
    ]);
  });

  it('completes GROUP BY, casts and aliases', () => {
    const error = {
      code: '42803',
      message: 'column "o.id" must appear in the GROUP BY clause or be used in an aggregate function',
    };
    expect(mended('select o.id, count(*) from orders o', 'o.id', error)).toEqual([
      'select o.id, count(*) from orders o group by o.id',
    ]);
    expect(mended('select o.id, count(*) from orders o order by 1', 'o.id', error)).toEqual([
      'select o.id, count(*) from orders o group by o.id order by 1',
    ]);
    expect(mended('select o.id, total from orders o group by total', 'o.id', error)).toEqual([
      'select o.id, total from orders o group by o.id, total',
    ]);
    expect(
      mended('select * from orders where id = name', '=', {
        code: '42883',
        message: 'operator does not exist: integer = text',
      }),
    ).toEqual(['select * from orders where id = name::integer']);
    expect(
      mended('select * from (select 1)', '(', {
        code: '42601',
        message: 'subquery in FROM must have an alias',
      }),
    ).toEqual(['select * from (select 1) as subquery']);
  });

  it('measures how far words are apart', () => {
    expect(editDistance('total', 'totl', 3)).toBe(1);
    expect(editDistance('abc', 'xyzuvw', 2)).toBe(3);
  });
});
