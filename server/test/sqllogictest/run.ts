/**
 * Runs sqllogictest scripts (SQLite's corpus, not kept here) against a fresh server, or another one given.
 *
 *   node server/test/sqllogictest/run.ts [--url postgresql://…] [--save FILE] [--against FILE] script.test …
 *
 * `--save` writes which records passed; `--against` counts only those that passed there (PostgreSQL's own run), because part
 * of the corpus is SQLite's dialect. Each script gets a schema of its own.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { PASSWORD, startServerProcess } from '../process.ts';

interface Script {
  readonly line: number;
  readonly kind: 'statement' | 'query';
  readonly isError: boolean;
  readonly types: string;
  readonly sort: 'nosort' | 'rowsort' | 'valuesort';
  readonly sql: string;
  readonly expected: readonly string[];
}

/** Records for PostgreSQL, in order. */
export function parseScript(text: string): Script[] {
  const records: Script[] = [];
  const lines = text.split('\n');
  let skip = false;
  for (let at = 0; at < lines.length; at++) {
    const words = lines[at]!.trim().split(/\s+/);
    if (words[0] === 'skipif') skip ||= words[1] === 'postgresql';
    else if (words[0] === 'onlyif') skip ||= words[1] !== 'postgresql';
    else if (words[0] === 'halt') {
      if (!skip) break;
      skip = false;
    } else if (words[0] === 'statement' || words[0] === 'query') {
      const line = at + 1;
      const sql: string[] = [];
      const expected: string[] = [];
      for (at++; at < lines.length && lines[at]!.trim() !== '' && lines[at] !== '----'; at++)
        sql.push(lines[at]!);
      if (lines[at] === '----')
        for (at++; at < lines.length && lines[at]!.trim() !== ''; at++) expected.push(lines[at]!);
      if (!skip)
        records.push({
          line,
          kind: words[0],
          isError: words[0] === 'statement' && words[1] === 'error',
          types: words[0] === 'query' ? (words[1] ?? '') : '',
          sort: (words[2] as Script['sort'] | undefined) ?? 'nosort',
          sql: sql.join('\n'),
          expected,
        });
      skip = false;
    }
  }
  return records;
}

/** A value as sqllogictest prints it for a column of type I, R or T. */
export function show(value: string | null, type: string): string {
  if (value === null) return 'NULL';
  if (type === 'I')
    return /^[tf]$/.test(value) ? (value === 't' ? '1' : '0') : String(Math.trunc(Number(value)));
  if (type === 'R') return Number(value).toFixed(3);
  return value === '' ? '(empty)' : value.replace(/[^\x20-\x7e]/g, '@');
}

/** True when the rows are what the record expects, written out or as a hash. */
export function matches(record: Script, rows: readonly (readonly (string | null)[])[]): boolean {
  let values: string[];
  const shown = rows.map((row) => row.map((value, column) => show(value, record.types[column] ?? 'T')));
  if (record.sort === 'rowsort') shown.sort((a, b) => compare(a.join('\n'), b.join('\n')));
  values = shown.flat();
  if (record.sort === 'valuesort') values = [...values].sort(compare);
  const [first] = record.expected;
  const hashed = /^(\d+) values hashing to ([0-9a-f]{32})$/.exec(first ?? '');
  if (hashed !== null) {
    const digest = createHash('md5')
      .update(values.map((value) => `${value}\n`).join(''))
      .digest('hex');
    return Number(hashed[1]) === values.length && digest === hashed[2];
  }
  return (
    values.length === record.expected.length &&
    values.every((value, index) => value === record.expected[index])
  );
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

async function runScript(client: pg.Client, file: string, passed: Set<string>): Promise<number> {
  const name = basename(file, '.test');
  await client.query('drop schema if exists corpus cascade');
  await client.query('create schema corpus');
  await client.query('set search_path = corpus');
  let count = 0;
  for (const record of parseScript(readFileSync(file, 'utf8'))) {
    count++;
    let isGood: boolean;
    try {
      const result = await client.query<(string | null)[]>({ text: record.sql, rowMode: 'array' });
      isGood = record.kind === 'statement' ? !record.isError : matches(record, result.rows);
    } catch {
      isGood = record.isError;
    }
    if (isGood) passed.add(`${name}:${record.line}`);
  }
  return count;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { url: { type: 'string' }, save: { type: 'string' }, against: { type: 'string' } },
  });
  const server = values.url === undefined ? await startServerProcess() : null;
  const client = new pg.Client({
    ...(server === null
      ? { connectionString: values.url }
      : { host: '127.0.0.1', port: server.port, user: 'postgres', password: PASSWORD, database: 'postgres' }),
    types: { getTypeParser: () => (text: string) => text } as never,
  });
  await client.connect();
  try {
    const passed = new Set<string>();
    for (const file of positionals) {
      const before = passed.size;
      const count = await runScript(client, file, passed);
      process.stdout.write(`${basename(file)}: ${passed.size - before} of ${count}\n`);
    }
    if (values.save !== undefined) writeFileSync(values.save, [...passed].join('\n'));
    if (values.against !== undefined) {
      const wanted = readFileSync(values.against, 'utf8').split('\n').filter(Boolean);
      const missing = wanted.filter((record) => !passed.has(record));
      const share = (100 * (wanted.length - missing.length)) / wanted.length;
      process.stdout.write(
        `of ${wanted.length} that pass there ${share.toFixed(2)} % pass; not: ${missing.slice(0, 40).join(' ')}\n`,
      );
    }
  } finally {
    await client.end();
    await server?.stop();
  }
}

if (process.argv[1]?.endsWith('sqllogictest/run.ts')) await main();
