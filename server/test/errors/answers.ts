/** Asking a server for its answers to wrong statements, and comparing answers. */
import pg from 'pg';
import { SETUP, type WrongStatement } from './statements.ts';

/** What a client sees of an error; null for what is absent. */
export interface Answer {
  readonly code: string;
  readonly message: string;
  readonly position: string | null;
  readonly detail: string | null;
  readonly hint: string | null;
}

/** Answers in the order of the statements; null = no error. Each statement runs in a transaction that is rolled back. */
export async function ask(
  options: pg.ClientConfig,
  statements: readonly WrongStatement[],
): Promise<(Answer | null)[]> {
  const client = new pg.Client(options);
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query("set client_min_messages = error; set timezone = 'UTC'; set statement_timeout = '2s'");
    for (const statement of SETUP) await client.query(statement);
    const answers: (Answer | null)[] = [];
    for (const { sql } of statements) {
      await client.query('begin');
      answers.push(await answerTo(client, sql));
      await client.query('rollback');
      if (/^(?:set|reset|prepare|rollback|commit|begin|declare)\b/.test(sql))
        await client
          .query(
            "discard all; set client_min_messages = error; set timezone = 'UTC'; set statement_timeout = '2s'",
          )
          .catch(async () => {
            for (const command of [
              'rollback',
              'discard all',
              'set client_min_messages = error',
              "set timezone = 'UTC'",
            ])
              await client.query(command);
          });
    }
    return answers;
  } finally {
    await client.end();
  }
}

async function answerTo(client: pg.Client, sql: string): Promise<Answer | null> {
  try {
    await client.query(sql);
    return null;
  } catch (error) {
    const { code, message, position, detail, hint } = error as pg.DatabaseError;
    if (code === undefined) throw error;
    // Not a mistake, but a statement that would go on.
    if (code === '57014') return null;
    return {
      code,
      message,
      position: position ?? null,
      detail: detail ?? null,
      hint: hint ?? null,
    };
  }
}

/**
 * What differs, or null. A hint may say more than PostgreSQL's: ours counts as the same when it begins with PostgreSQL's, or
 * when PostgreSQL has none.
 */
export function difference(expected: Answer, actual: Answer | null): string | null {
  if (actual === null) return 'no error';
  if (actual.code !== expected.code) return `SQLSTATE ${actual.code}: ${actual.message}`;
  if (actual.message !== expected.message) return `message: ${actual.message}`;
  if (actual.position !== expected.position) return `position ${actual.position}`;
  if (actual.detail !== expected.detail) return `detail: ${actual.detail}`;
  if (expected.hint !== null && !(actual.hint ?? '').startsWith(expected.hint)) return `hint: ${actual.hint}`;
  return null;
}
