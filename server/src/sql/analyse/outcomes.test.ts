/**
 * Some seven hundred statements, right and wrong, against what PostgreSQL 15 answered to Parse and Describe: result columns with
 * type and typmod, parameter types, or the error with code, message, position, detail and hint.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { DbError } from '../../base/error.ts';
import { parseStatements } from '../parse/parser.ts';
import { rewriteStatement } from '../rewrite/index.ts';
import { TestDatabase } from '../testing.ts';
import { analyseStatement } from './index.ts';

interface Outcome {
  sql: string;
  columns?: string;
  parameters?: string;
  error?: { code: string; message: string; position?: number; detail?: string; hint?: string };
}

const FOLDER = new URL('./testdata/', import.meta.url);
const outcomes = JSON.parse(readFileSync(new URL('outcomes.json', FOLDER), 'utf8')) as Outcome[];

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.create();
  database.define(readFileSync(new URL('schema.sql', FOLDER), 'utf8'));
});

function outcomeOf(sql: string): Outcome {
  try {
    const [raw] = parseStatements(sql).statements;
    const statement = rewriteStatement(analyseStatement(raw, database.options([])), database.reader);
    if (statement.kind !== 'query') return { sql };
    const { query } = statement;
    const list = query.command === 'select' ? query.targets : query.returning;
    return {
      sql,
      columns: list
        .filter((target) => !target.junk)
        .map(({ name, expr }) => `${name}:${expr.typeOid >= 16384 ? 'user' : expr.typeOid}:${expr.typmod}`)
        .join(' '),
      parameters: statement.parameterTypes.join(' '),
    };
  } catch (error) {
    if (!(error instanceof DbError)) throw error;
    const { position, detail, hint } = error.fields;
    return {
      sql,
      error: {
        code: error.code,
        message: error.message,
        ...(position === undefined ? {} : { position }),
        ...(detail === undefined ? {} : { detail }),
        ...(hint === undefined ? {} : { hint }),
      },
    };
  }
}

describe('outcomes as PostgreSQL 15', () => {
  it.each(outcomes)('$sql', (expected) => {
    const actual = outcomeOf(expected.sql);
    // Our hints may say more than PostgreSQL's, or something where it says nothing.
    if (actual.error?.hint !== undefined && expected.error) {
      if (expected.error.hint === undefined) delete actual.error.hint;
      else if (actual.error.hint.startsWith(expected.error.hint)) actual.error.hint = expected.error.hint;
    }
    expect(actual).toEqual(expected);
  });
});
