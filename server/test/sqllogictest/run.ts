/**
 * Runs sqllogictest scripts (not kept here) against a fresh server and against PostgreSQL 15, and counts the records that
 * PostgreSQL passes and ours does not: part of every such corpus is another product's dialect.
 *
 *     node server/test/sqllogictest/run.ts [--executor row|auto|compiled] [--answers] [--url postgresql://…] PATH …
 *
 * PATH is a script, or a folder with `*.test` and `*.slt` files below it. `--url` asks that server in ours' place. With `--answers` the
 * expected results are not looked at: ours must answer what PostgreSQL answers, rows and SQLSTATE (for corpora of other dialects).
 * Each script gets a schema of its own.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startOracle } from '../oracle.ts';
import { PASSWORD, startServerProcess } from '../process.ts';
import { matches, parseScript, type Script } from './script.ts';

const STATEMENT_TIMEOUT = '60s';
const SHOWN_MAX = 40;

interface Outcome {
  readonly isGood: boolean;
  /** SQLSTATE, or 00000. */
  readonly state: string;
  readonly message: string;
  /** Rows as text, sorted unless the record orders them. */
  readonly rows: string;
}

export interface ScriptReport {
  readonly name: string;
  readonly records: number;
  /** Records that PostgreSQL passes. */
  passedThere: number;
  /** Of these, how many pass here. */
  passedHere: number;
  /** Of these, those that do not, with the reason. */
  readonly failures: string[];
}

/** The scripts at a path, in order. */
export function scriptsAt(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true })
    .map(String)
    .filter((name) => /\.(?:test|slt)$/.test(name))
    .sort()
    .map((name) => join(path, name));
}

/** Null for a script that needs a runner of its own. `answersOnly`: PostgreSQL's answer is what is expected. */
export async function runScript(
  file: string,
  here: pg.Client,
  there: pg.Client,
  answersOnly: boolean,
): Promise<ScriptReport | null> {
  const records = parseScript(readFileSync(file, 'utf8'));
  if (records === null) return null;
  const report: ScriptReport = {
    name: basename(file),
    records: records.length,
    passedThere: 0,
    passedHere: 0,
    failures: [],
  };
  for (const client of [here, there]) {
    await client.query(
      'drop schema if exists corpus cascade; create schema corpus; set search_path = corpus',
    );
    await client.query(`set statement_timeout = '${STATEMENT_TIMEOUT}'; set client_min_messages = error`);
  }
  for (const record of records) {
    const [ours, theirs] = await Promise.all([outcome(here, record), outcome(there, record)]);
    if (!answersOnly && !theirs.isGood) continue;
    report.passedThere++;
    const isGood = answersOnly ? ours.state === theirs.state && ours.rows === theirs.rows : ours.isGood;
    if (isGood) report.passedHere++;
    else
      report.failures.push(
        `${report.name}:${record.line} ${ours.state} ${ours.message} (PostgreSQL ${theirs.state}): ${record.sql.slice(0, 200)}`,
      );
  }
  return report;
}

async function outcome(client: pg.Client, record: Script): Promise<Outcome> {
  try {
    const result = (await client.query<(string | null)[]>({ text: record.sql, rowMode: 'array' })) as
      | pg.QueryArrayResult<(string | null)[]>
      | pg.QueryArrayResult<(string | null)[]>[];
    const rows = (Array.isArray(result) ? result.at(-1) : result)?.rows ?? [];
    const shown = rows.map((row) => JSON.stringify(row));
    if (record.sort !== 'nosort' || !/\border by\b/i.test(record.sql)) shown.sort();
    return {
      isGood: record.kind === 'statement' ? !record.isError : matches(record, rows),
      state: '00000',
      message: '',
      rows: shown.join('\n'),
    };
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === undefined) throw error;
    return { isGood: record.isError, state: code, message, rows: '' };
  }
}

async function connect(config: pg.ClientConfig): Promise<pg.Client> {
  const types = { getTypeParser: () => (text: string) => text } as never;
  const client = new pg.Client({ ...config, types });
  await client.connect();
  return client;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      executor: { type: 'string', default: 'auto' },
      answers: { type: 'boolean', default: false },
    },
  });
  const oracle = await startOracle();
  if (oracle === null) throw new Error('no PostgreSQL 15 on this machine');
  const server = values.url === undefined ? await startServerProcess() : null;
  const common = { host: '127.0.0.1', user: 'postgres', database: 'postgres' };
  const there = await connect({ ...common, port: oracle.port });
  const here = await connect(
    server === null
      ? { connectionString: values.url! }
      : { ...common, port: server.port, password: PASSWORD },
  );
  try {
    if (server !== null) await here.query(`set fastpostgres.executor = '${values.executor}'`);
    const total = { there: 0, here: 0, failures: [] as string[] };
    for (const file of positionals.flatMap(scriptsAt)) {
      const report = await runScript(file, here, there, values.answers);
      if (report === null) {
        process.stdout.write(`${basename(file)}: left out, it needs a runner of its own\n`);
        continue;
      }
      const { name, records, passedThere, passedHere, failures } = report;
      process.stdout.write(`${name}: ${passedHere} of ${passedThere} (${records} records)\n`);
      total.there += passedThere;
      total.here += passedHere;
      total.failures.push(...failures);
    }
    for (const failure of total.failures.slice(0, SHOWN_MAX)) process.stdout.write(`${failure}\n`);
    const share = (100 * total.here) / Math.max(total.there, 1);
    process.stdout.write(
      `of ${total.there} records that PostgreSQL passes ${total.here} pass: ${share.toFixed(3)} %\n`,
    );
    process.exitCode = total.failures.length > 0 ? 1 : 0;
  } finally {
    await here.end();
    await there.end();
    await server?.stop();
    await oracle.stop();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
