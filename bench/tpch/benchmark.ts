/**
 * TPC-H on several systems: the same files loaded, the same 22 queries, alternating (A B C A B C …), results compared
 * with each other before times are believed.
 */
import { closeSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { difference, orderColumnsOf } from '../measure/compare.ts';
import { keep, machine, machineLine, table } from '../measure/report.ts';
import { geometricMean, typicalMillis } from '../measure/statistics.ts';
import { startDuckDb } from '../systems/duckdb.ts';
import { type Executor, startFastPostgres } from '../systems/fastpostgres.ts';
import { startPostgres } from '../systems/postgres.ts';
import {
  type QueryResult,
  removeDirectory,
  STATEMENT_TIMEOUT_MILLIS,
  type System,
  type SystemName,
  temporaryDirectory,
} from '../systems/system.ts';
import { generateTable, TABLES } from './generate.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const QUERIES = fileURLToPath(new URL('../../server/test/sql/tpch/', import.meta.url));

export interface TpchOptions {
  readonly scale: number;
  /** Numbers 1 to 22. */
  readonly queries: readonly number[];
  readonly rounds: number;
  readonly systems: readonly SystemName[];
  readonly executor: Executor;
}

interface LoadRecord {
  loadSeconds: number;
  megabytesPerSecond: number;
  keySeconds: number | null;
  settleSeconds: number;
  diskBytes: number;
}

interface QueryRecord {
  readonly number: number;
  /** By system: every round's time, or why there is none. */
  readonly millis: Record<string, number[]>;
  readonly errors: Record<string, string>;
}

const say = (text: string): void => void process.stdout.write(text);
const seconds = (from: number): number => (performance.now() - from) / 1000;

/** Statements of a file; none of the files has a semicolon within a literal. */
export function statementsOf(text: string): string[] {
  return text
    .replace(/^--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

function queryText(number: number): string {
  return readFileSync(join(QUERIES, `q${String(number).padStart(2, '0')}.sql`), 'utf8');
}

/** Runs it; true when every system answered every query alike. */
export async function benchmarkTpch(options: TpchOptions): Promise<boolean> {
  const fingerprint = machine();
  say(`TPC-H, scale ${options.scale}, ${options.rounds} rounds\n${machineLine(fingerprint)}\n`);
  const files = temporaryDirectory('tpch');
  const systems: System[] = [];
  try {
    const bytes = writeFiles(files, options.scale);
    const loads: Record<string, LoadRecord> = {};
    for (const name of options.systems) {
      const system = await start(name, options.executor);
      if (system === null) {
        say(`${name}: not installed, left out\n`);
        continue;
      }
      systems.push(system);
      say(`${name}: ${system.description}\n`);
      loads[name] = await load(system, files, bytes);
    }
    const queries = await measure(systems, options);
    const isSame = queries.every((query) => Object.keys(query.errors).length === 0);
    print(systems, loads, queries);
    const file = keep('tpch', {
      benchmark: 'tpch',
      date: new Date().toISOString(),
      machine: fingerprint,
      options,
      textBytes: bytes,
      systems: Object.fromEntries(systems.map((system) => [system.name, system.description])),
      loads,
      queries,
      resultsAgree: isSame,
    });
    say(`kept in ${file}\n`);
    return isSame;
  } finally {
    for (const system of systems) await system.stop();
    removeDirectory(files);
  }
}

function start(name: SystemName, executor: Executor): Promise<System | null> {
  if (name === 'fastpostgres') return startFastPostgres(executor);
  return name === 'postgres' ? startPostgres() : startDuckDb();
}

function writeFiles(directory: string, scale: number): number {
  const from = performance.now();
  let bytes = 0;
  for (const name of TABLES) {
    const file = openSync(join(directory, `${name}.tbl`), 'w');
    for (const chunk of generateTable(name, scale)) bytes += writeSync(file, chunk);
    closeSync(file);
  }
  say(`${(bytes / 1e6).toFixed(1)} MB generated in ${seconds(from).toFixed(1)} s\n`);
  return bytes;
}

async function load(system: System, files: string, bytes: number): Promise<LoadRecord> {
  await system.run(statementsOf(readFileSync(join(HERE, 'schema.sql'), 'utf8')));
  const loadFrom = performance.now();
  for (const name of readdirSync(files).sort(
    (left, right) => statSync(join(files, right)).size - statSync(join(files, left)).size,
  ))
    await system.load(name.replace('.tbl', ''), join(files, name));
  const loadSeconds = seconds(loadFrom);
  let keySeconds: number | null = null;
  if (system.takesKeys) {
    const keysFrom = performance.now();
    await system.run(statementsOf(readFileSync(join(HERE, 'keys.sql'), 'utf8')));
    keySeconds = seconds(keysFrom);
  }
  const settleFrom = performance.now();
  await system.settle();
  const record = {
    loadSeconds,
    megabytesPerSecond: bytes / 1e6 / loadSeconds,
    keySeconds,
    settleSeconds: seconds(settleFrom),
    diskBytes: await system.size(),
  };
  say(
    `  loaded in ${loadSeconds.toFixed(2)} s (${record.megabytesPerSecond.toFixed(0)} MB/s), keys ${keySeconds === null ? 'none' : `${keySeconds.toFixed(2)} s`}, ` +
      `settled ${record.settleSeconds.toFixed(2)} s, ${(record.diskBytes / 1e6).toFixed(1)} MB on disk\n`,
  );
  return record;
}

/** Round 0 warms up and gives the results to compare; only systems that answer right are timed. */
async function measure(systems: readonly System[], options: TpchOptions): Promise<QueryRecord[]> {
  const records: QueryRecord[] = [];
  for (const number of options.queries) {
    const text = queryText(number);
    const statements = statementsOf(text);
    const record: QueryRecord = { number, millis: {}, errors: {} };
    const main = statements.find((statement) => /^(?:select|with)\b/i.test(statement)) ?? text;
    const results = new Map<System, QueryResult>();
    for (const system of systems) {
      const answer = await runQuery(system, statements);
      if (typeof answer === 'string') record.errors[system.name] = answer;
      else results.set(system, answer.result);
    }
    // PostgreSQL is the reference, then DuckDB.
    const reference = ['postgres', 'duckdb']
      .map((name) => systems.find((system) => system.name === name && results.has(system)))
      .find((system) => system !== undefined);
    for (const [system, result] of results) {
      if (reference === undefined || system === reference) continue;
      const found = difference(result, results.get(reference)!, orderColumnsOf(main));
      if (found !== null) record.errors[system.name] = `differs from ${reference.name}: ${found}`;
    }
    for (let round = 0; round < options.rounds; round++) {
      for (const system of systems) {
        if (record.errors[system.name] !== undefined) continue;
        const answer = await runQuery(system, statements);
        if (typeof answer === 'string') record.errors[system.name] = answer;
        else (record.millis[system.name] ??= []).push(answer.millis);
      }
    }
    records.push(record);
    say(`Q${number}: ${systems.map((system) => `${system.name} ${cell(record, system)}`).join(', ')}\n`);
    for (const [name, error] of Object.entries(record.errors)) say(`  ${name}: ${error}\n`);
  }
  return records;
}

/** The result and its time, or the error. A statement past the time limit counts as the limit. */
async function runQuery(
  system: System,
  statements: readonly string[],
): Promise<{ result: QueryResult; millis: number } | string> {
  const from = performance.now();
  try {
    const result = await system.run(statements);
    return { result, millis: performance.now() - from };
  } catch (error) {
    const millis = performance.now() - from;
    // Q15 makes a view: what it left must not disturb the next run.
    await system.run(['drop view if exists revenue0']).catch(() => {});
    const message = error instanceof Error ? error.message : String(error);
    return millis >= STATEMENT_TIMEOUT_MILLIS ? `timeout after ${(millis / 1000).toFixed(0)} s` : message;
  }
}

/** Milliseconds that count for a query, or null where there is no right answer. */
function countedMillis(record: QueryRecord, system: System): number | null {
  const error = record.errors[system.name];
  if (error?.startsWith('timeout')) return STATEMENT_TIMEOUT_MILLIS;
  if (error !== undefined) return null;
  return typicalMillis(record.millis[system.name]);
}

function cell(record: QueryRecord, system: System): string {
  const millis = countedMillis(record, system);
  if (millis === null) return 'wrong';
  return `${millis < 100 ? millis.toFixed(1) : millis.toFixed(0)} ms`;
}

function print(
  systems: readonly System[],
  loads: Record<string, LoadRecord>,
  queries: readonly QueryRecord[],
): void {
  const names = systems.map((system) => system.name);
  const first = systems[0];
  const ratios = systems.slice(1);
  const header = ['', ...names, ...ratios.map((system) => `${system.name}/${first.name}`)];
  const row = (title: string, values: readonly (number | null)[], digits: number): string[] => [
    title,
    ...values.map((value) => (value === null ? '-' : value.toFixed(digits))),
    ...values
      .slice(1)
      .map((value) => (value === null || values[0] === null ? '-' : (value / values[0]).toFixed(2))),
  ];
  const of = (pick: (record: LoadRecord) => number | null): (number | null)[] =>
    names.map((name) => pick(loads[name]));
  const rows = [
    row(
      'load, s',
      of((record) => record.loadSeconds),
      2,
    ),
    row(
      'load, MB/s',
      of((record) => record.megabytesPerSecond),
      0,
    ),
    row(
      'keys, s',
      of((record) => record.keySeconds),
      2,
    ),
    row(
      'settle, s',
      of((record) => record.settleSeconds),
      2,
    ),
    row(
      'disk, MB',
      of((record) => record.diskBytes / 1e6),
      1,
    ),
    ...queries.map((query) =>
      row(
        `Q${query.number}, ms`,
        systems.map((system) => countedMillis(query, system)),
        2,
      ),
    ),
  ];
  // The mean is over the queries every system answered right.
  const whole = queries.filter((query) => systems.every((system) => countedMillis(query, system) !== null));
  if (whole.length > 0) {
    const times = systems.map((system) => whole.map((query) => countedMillis(query, system) ?? 0));
    rows.push(row(`geometric mean of ${whole.length}, ms`, times.map(geometricMean), 2));
    rows.push(
      row(
        'sum, ms',
        times.map((values) => values.reduce((sum, value) => sum + value, 0)),
        1,
      ),
    );
  }
  say(`\n${table(header, rows)}\n`);
}
