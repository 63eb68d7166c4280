/** Views printed back, against pg_get_viewdef of PostgreSQL 15 in both its styles; stored expressions against pg_get_expr. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { analyseExpression, analyseStatement } from '../analyse/index.ts';
import { as, type Node } from '../parse/ast.ts';
import { parseStatements } from '../parse/parser.ts';
import { TestDatabase } from '../testing.ts';
import { parseQuery, serialiseQuery } from '../tree-json.ts';
import { deparseExpr, deparseView } from './index.ts';

interface Golden {
  sql: string;
  names: string[];
  plain: string;
  pretty: string;
}

const goldens = JSON.parse(
  readFileSync(new URL('./testdata/views.json', import.meta.url), 'utf8'),
) as Golden[];

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.create();
  database.define(readFileSync(new URL('../analyse/testdata/schema.sql', import.meta.url), 'utf8'));
});

describe('views as PostgreSQL prints them', () => {
  it.each(goldens)('$sql', ({ sql, names, plain, pretty }) => {
    const [raw] = parseStatements(sql).statements;
    const statement = analyseStatement(raw, database.options());
    if (statement.kind !== 'query') throw new TypeError('not a query');
    const query = parseQuery(serialiseQuery(statement.query));
    const options = {
      catalog: database.reader,
      path: database.path,
      format: database.format,
      columnNames: names,
    };
    expect(deparseView(query, options)).toBe(plain);
    expect(deparseView(query, { ...options, pretty: true })).toBe(pretty);
  });
});

describe('stored expressions', () => {
  it.each([
    ["a > 0 and b <> 'x'", "((a > 0) AND (b <> 'x'::text))", "a > 0 AND b <> 'x'::text"],
    [
      'c * (1 - c) > -5',
      "((c * ((1)::numeric - c)) > ('-5'::integer)::numeric)",
      "(c * (1::numeric - c)) > '-5'::integer::numeric",
    ],
    [
      "g in ('a', 'b')",
      "((g)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
      "g::text = ANY (ARRAY['a'::character varying, 'b'::character varying]::text[])",
    ],
    ['lower(b) is not null', '(lower(b) IS NOT NULL)', 'lower(b) IS NOT NULL'],
    [
      'case when l then 1 else 2 end',
      '\nCASE\n    WHEN l THEN 1\n    ELSE 2\nEND',
      '\nCASE\n    WHEN l THEN 1\n    ELSE 2\nEND',
    ],
  ])('%s', (text, plain, pretty) => {
    const select = as(parseStatements(`select ${text}`).statements[0].tree, 'SelectStmt');
    const node = as(select?.targetList?.[0], 'ResTarget')?.val as Node;
    const relation = database.reader.relationByName(null, 't', database.path)!;
    const expr = analyseExpression(node, { ...database.options(), kind: 'check', relation });
    const options = { catalog: database.reader, path: database.path, format: database.format, relation };
    expect(deparseExpr(expr, options)).toBe(plain);
    expect(deparseExpr(expr, { ...options, pretty: true })).toBe(pretty);
  });
});
