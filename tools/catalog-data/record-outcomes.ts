/**
 * Records what PostgreSQL 15 answers to the statements of server/src/executor/ddl/testdata/outcomes.sql, one a line, in order.
 *
 *   node tools/catalog-data/record-outcomes.ts "postgresql://postgres@/database?host=/tmp/socket&port=5432"
 *
 * Run against an empty database of a fresh cluster (locale C.UTF-8).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const requireFromServer = createRequire(new URL('../../server/package.json', import.meta.url));
const { Client } = requireFromServer('pg') as typeof import('pg');

const folder = new URL('../../server/src/executor/ddl/testdata/', import.meta.url);
const client = new Client({ connectionString: process.argv[2] });
await client.connect();

type Message = { code?: string; message?: string; detail?: string; hint?: string; position?: string };
const keep = ({ code, message, detail, hint, position }: Message): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ code, message, detail, hint, position }).filter(([, value]) => value !== undefined),
  ) as Record<string, string>;

let notices: Record<string, string>[] = [];
client.on('notice', (notice) => notices.push(keep(notice as Message)));
const outcomes: object[] = [];
for (const sql of readFileSync(new URL('outcomes.sql', folder), 'utf8').trim().split('\n')) {
  notices = [];
  try {
    const { command, rowCount, rows } = await client.query({ text: sql, rowMode: 'array' });
    outcomes.push({
      sql,
      command,
      ...(rowCount === null ? {} : { rowCount }),
      ...(rows.length === 0 ? {} : { rows }),
      ...(notices.length === 0 ? {} : { notices }),
    });
  } catch (error) {
    outcomes.push({ sql, error: keep(error as Message), ...(notices.length === 0 ? {} : { notices }) });
  }
}
await client.end();
writeFileSync(
  new URL('outcomes.json', folder),
  `[\n${outcomes.map((outcome) => JSON.stringify(outcome)).join(',\n')}\n]\n`,
);
