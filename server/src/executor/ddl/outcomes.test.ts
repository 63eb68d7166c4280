/** Statements in order, with what PostgreSQL 15 answered (recorded by tools/catalog-data/record-outcomes.ts). */
import { beforeAll, describe, expect, it } from 'vitest';
import { RealClock } from '../../env/real/clock.ts';
import recorded from './testdata/outcomes.json' with { type: 'json' };
import { DdlTestDatabase } from './testing.ts';

interface Message {
  code?: string;
  message?: string;
  detail?: string;
  hint?: string;
  position?: string;
}

interface Outcome {
  sql: string;
  command?: string;
  rows?: unknown[][];
  error?: Message;
  notices?: Message[];
}

const outcomes = recorded as unknown as Outcome[];

describe('outcomes of commands', () => {
  let database: DdlTestDatabase;
  beforeAll(async () => {
    database = await DdlTestDatabase.create(new RealClock());
  });

  const text = (value: unknown): string | null =>
    value === null ? null : typeof value === 'boolean' ? (value ? 't' : 'f') : String(value);

  it('are PostgreSQL’s', async () => {
    const differences: object[] = [];
    for (const { sql, rows, error, notices } of outcomes) {
      database.notices.length = 0;
      const failure = await database.failure(sql);
      const last = database.lastResult;
      const got = {
        ...(failure === null
          ? {}
          : {
              error: {
                ...failure,
                ...(failure.position === undefined ? {} : { position: String(failure.position) }),
              },
            }),
        ...(failure === null && last.rows.length > 0 ? { rows: last.rows } : {}),
        ...(database.notices.length === 0
          ? {}
          : {
              notices: database.notices.map(({ code, message, fields: { detail, hint } }) => ({
                code,
                message,
                ...(detail === undefined ? {} : { detail }),
                ...(hint === undefined ? {} : { hint }),
              })),
            }),
      };
      const wanted = {
        ...(error === undefined ? {} : { error }),
        ...(rows === undefined ? {} : { rows: rows.map((row) => row.map(text)) }),
        ...(notices === undefined ? {} : { notices }),
      };
      try {
        expect(got).toEqual(wanted);
      } catch {
        differences.push({ sql, got, wanted });
      }
    }
    expect(differences).toEqual([]);
  });
});
