/**
 * Wrong statements get PostgreSQL's answers: message, SQLSTATE, position, detail and hint. What differs today is listed in
 * `testdata/differing.txt`, one statement a line: the list may only shrink. With FASTPOSTGRES_ERRORS_RECORD set the list is
 * written anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { PASSWORD, startServerProcess } from '../process.ts';
import { type Answer, ask, difference } from './answers.ts';

type Row = [string, string, string, string, string | null, string | null, string | null];

const file = (name: string): string => fileURLToPath(new URL(`./testdata/${name}`, import.meta.url));

it('answers wrong statements as PostgreSQL does', { timeout: 300_000 }, async () => {
  const rows = JSON.parse(readFileSync(file('answers.json'), 'utf8')) as Row[];
  expect(rows.length).toBeGreaterThan(1500);
  const known = new Set(readFileSync(file('differing.txt'), 'utf8').split('\n').filter(Boolean));
  const server = await startServerProcess();
  let answers: (Answer | null)[];
  try {
    answers = await ask(
      { host: '127.0.0.1', port: server.port, user: 'postgres', password: PASSWORD, database: 'postgres' },
      rows.map(([kind, sql]) => ({ kind, sql })),
    );
  } finally {
    await server.stop();
  }
  const differing: string[] = [];
  const unexpected: string[] = [];
  rows.forEach(([, sql, code, message, position, detail, hint], index) => {
    const found = difference({ code, message, position, detail, hint }, answers[index]);
    if (found === null) return;
    const line = JSON.stringify(sql);
    differing.push(line);
    if (!known.has(line)) unexpected.push(`${line} -> ${found} <- wanted ${code} ${message}`);
  });
  if (process.env.FASTPOSTGRES_ERRORS_RECORD) {
    writeFileSync(file('differing.txt'), `${differing.join('\n')}\n`);
    writeFileSync(process.env.FASTPOSTGRES_ERRORS_RECORD, unexpected.join('\n'));
    return;
  }
  expect(unexpected).toEqual([]);
  const now = new Set(differing);
  expect([...known].filter((line) => !now.has(line)).slice(0, 20)).toEqual([]);
});
