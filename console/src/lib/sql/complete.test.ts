import { describe, expect, it } from 'vitest';
import { aliasFor, type CompletionCatalog, complete } from './complete.ts';

const table = (name: string, columns: string, schema = 'public') => ({
  schema,
  name,
  kind: 'r',
  estimatedRows: '0',
  columns: columns.split(' ').map((column) => ({ name: column, type: 'integer', isNotNull: false })),
});
const CATALOG: CompletionCatalog = {
  tables: [
    table('customer', 'id name'),
    table('orders', 'id customer_id total'),
    table('hidden', 'x y', 'other'),
  ],
  functions: [{ schema: 'pg_catalog', name: 'count', arguments: '"any"', result: 'bigint', kind: 'a' }],
  foreignKeys: [
    {
      name: 'f',
      schema: 'public',
      table: 'orders',
      columns: ['customer_id'],
      targetSchema: 'public',
      targetTable: 'customer',
      targetColumns: ['id'],
    },
  ],
  types: ['integer', 'text'],
  settings: ['work_mem'],
  searchPath: ['public'],
};
/** Labels at the mark | in the text. */
const at = (marked: string): string[] => {
  const offset = marked.indexOf('|');
  return complete(marked.replace('|', ''), offset, CATALOG).proposals.map((proposal) => proposal.insert);
};

describe('completion', () => {
  it('knows aliases, also before FROM is reached and inside JOIN … ON', () => {
    expect(at('select c.| from customer c')).toEqual(['id', 'name']);
    expect(at('select * from orders o join customer c on o.|').slice(0, 3)).toEqual([
      'customer_id',
      'id',
      'total',
    ]);
    expect(at('update orders set to| where id = 1')[0]).toBe('total');
  });

  it('proposes joins along foreign keys, both ways', () => {
    expect(at('select * from customer c join |')[0]).toBe('orders o on o.customer_id = c.id');
    expect(at('select * from orders o join |')[0]).toBe('customer c on c.id = o.customer_id');
    expect(at('select * from orders o join customer c on |')[0]).toBe('o.customer_id = c.id');
  });

  it('knows columns of CTEs and subqueries, through stars', () => {
    expect(
      at('with big as (select id, total * 2 as twice, count(*) from orders) select b.| from big b'),
    ).toEqual(['count', 'id', 'twice']);
    expect(
      at('with a as (select * from customer), b as (select a.*, 1 as one from a) select b.| from b'),
    ).toEqual(['id', 'name', 'one']);
    expect(at('with n(p, q) as (values (1, 2)) select n.| from n')).toEqual(['p', 'q']);
    expect(at('select s.| from (select total from orders) as s')).toEqual(['total']);
  });

  it('names tables outside of the search path in full', () => {
    expect(at('select * from hid|')).toEqual(['other.hidden']);
    expect(at('select * from other.|')).toContain('hidden');
    expect(at('select * from customer, ord|')[0]).toBe('orders');
  });

  it('qualifies a column that two tables have', () => {
    expect(at('select i| from orders o, customer c').slice(0, 2)).toEqual(['o.id', 'c.id']);
  });

  it('sees the tables of the outer query from a subquery', () => {
    expect(
      at('select * from customer c where exists (select 1 from orders o where o.customer_id = c.|)'),
    ).toEqual(['id', 'name']);
  });

  it('proposes functions with their signatures, types and settings', () => {
    expect(at('select cou|')).toContain('count(');
    expect(at('select 1::te|')[0]).toBe('text');
    expect(at('set wo|')).toEqual(['work_mem']);
  });

  it('makes aliases that are free and need no quotes', () => {
    expect(aliasFor('order_items', new Set())).toBe('oi');
    expect(aliasFor('orders', new Set(['o']))).toBe('o2');
    expect(aliasFor('a_s', new Set())).toBe('as2');
  });

  it('stays quick with 100,000 tables', () => {
    const tables = Array.from({ length: 100_000 }, (_, index) => table(`table_${index}`, 'a b'));
    const catalog = { ...CATALOG, tables };
    complete('select * from t', 15, catalog);
    const start = performance.now();
    expect(complete('select * from table_9999', 24, catalog).proposals[0].label).toBe('table_9999');
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
