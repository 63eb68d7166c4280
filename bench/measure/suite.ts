/**
 * A suite of queries on several systems: the same files loaded, the same queries, alternating (A B C A B C …), results compared
 * with each other before times are believed.
 */
import { closeSync, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
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
import { difference, orderColumnsOf } from './compare.ts';
import { keep, machine, machineLine, table } from './report.ts';
import { geometricMean, typicalMillis } from './statistics.ts';

export interface SuiteQuery {
  readonly name: string;
  /** Run one after the other; the last one that returns rows is the answer. */
  readonly statements: readonly string[];
}

/** Tables, their data and the queries. */
export interface Suite {
  /** Of the record of a run. */
  readonly name: string;
  readonly title: string;
  /** For the record: scale, rows, seed. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly tables: readonly string[];
  generate(table: string): Iterable<Buffer>;
  readonly schema: readonly string[];
  /** Primary and foreign keys, for systems that take them; empty = none. */
  readonly keys: readonly string[];
  readonly queries: readonly SuiteQuery[];
  /** Run after a query that failed. */
  readonly cleanUp: readonly string[];
}

export interface SuiteOptions {
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
  readonly name: string;
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

/** Runs it; true when every system answered every query alike. */
export async function benchmarkSuite(suite: Suite, options: SuiteOptions): Promise<boolean> {
  const fingerprint = machine();
  say(`${suite.title}, ${options.rounds} rounds\n${machineLine(fingerprint)}\n`);
  const files = temporaryDirectory(suite.name);
  const systems: System[] = [];
  try {
    const bytes = writeFiles(suite, files);
    const loads: Record<string, LoadRecord> = {};
    for (const name of options.systems) {
      const system = await start(name, options.executor);
      if (system === null) {
        say(`${name}: not installed, left out\n`);
        continue;
      }
      systems.push(system);
      say(`${name}: ${system.description}\n`);
      loads[name] = await load(suite, system, files, bytes);
    }
    const queries = await measure(suite, systems, options);
    const isSame = queries.every((query) => Object.keys(query.errors).length === 0);
    print(systems, loads, queries);
    const file = keep(suite.name, {
      benchmark: suite.name,
      date: new Date().toISOString(),
      machine: fingerprint,
      options: { ...suite.parameters, ...options },
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

function writeFiles(suite: Suite, directory: string): number {
  const from = performance.now();
  let bytes = 0;
  for (const name of suite.tables) {
    const file = openSync(join(directory, `${name}.tbl`), 'w');
    for (const chunk of suite.generate(name)) bytes += writeSync(file, chunk);
    closeSync(file);
  }
  say(`${(bytes / 1e6).toFixed(1)} MB generated in ${seconds(from).toFixed(1)} s\n`);
  return bytes;
}

async function load(suite: Suite, system: System, files: string, bytes: number): Promise<LoadRecord> {
  await system.run(suite.schema);
  const loadFrom = performance.now();
  for (const name of readdirSync(files).sort(
    (left, right) => statSync(join(files, right)).size - statSync(join(files, left)).size,
  ))
    await system.load(name.replace('.tbl', ''), join(files, name));
  const loadSeconds = seconds(loadFrom);
  let keySeconds: number | null = null;
  if (system.takesKeys && suite.keys.length > 0) {
    const keysFrom = performance.now();
    await system.run(suite.keys);
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
async function measure(
  suite: Suite,
  systems: readonly System[],
  options: SuiteOptions,
): Promise<QueryRecord[]> {
  const records: QueryRecord[] = [];
  for (const { name, statements } of suite.queries) {
    const record: QueryRecord = { name, millis: {}, errors: {} };
    const main = statements.find((statement) => /^(?:select|with)\b/i.test(statement)) ?? '';
    const results = new Map<System, QueryResult>();
    for (const system of systems) {
      let answer = await runQuery(suite, system, statements);
      if (typeof answer !== 'string') {
        const check = fixedOrder(main, answer.result.columns.length);
        if (check !== null) answer = await runQuery(suite, system, [check]);
      }
      if (typeof answer === 'string') record.errors[system.name] = answer;
      else results.set(system, answer.result);
    }
    // PostgreSQL is the reference, then DuckDB.
    const reference = ['postgres', 'duckdb']
      .map((known) => systems.find((system) => system.name === known && results.has(system)))
      .find((system) => system !== undefined);
    for (const [system, result] of results) {
      if (reference === undefined || system === reference) continue;
      const found = difference(result, results.get(reference)!, orderColumnsOf(main));
      if (found !== null) record.errors[system.name] = `differs from ${reference.name}: ${found}`;
    }
    for (let round = 0; round < options.rounds; round++) {
      for (const system of systems) {
        if (record.errors[system.name] !== undefined) continue;
        const answer = await runQuery(suite, system, statements);
        if (typeof answer === 'string') record.errors[system.name] = answer;
        else (record.millis[system.name] ??= []).push(answer.millis);
      }
    }
    records.push(record);
    say(`${name}: ${systems.map((system) => `${system.name} ${cell(record, system)}`).join(', ')}\n`);
    for (const [system, error] of Object.entries(record.errors)) say(`  ${system}: ${error}\n`);
  }
  return records;
}

/**
 * A query whose LIMIT may cut among equals, with all its columns as further keys, so that it has one answer; null: nothing to do. Queries that
 * have all rows, or no place for keys (LIMIT within), are compared as they are.
 */
export function fixedOrder(query: string, columns: number): string | null {
  const limit = /\s+limit\s+\d+(?:\s+offset\s+\d+)?\s*$/i.exec(query);
  if (limit === null) return null;
  const keys = Array.from({ length: columns }, (_, index) => index + 1).join(', ');
  const head = query.slice(0, limit.index);
  const hasOrder = /\border\s+by\b/i.test(head);
  return `${head}${hasOrder ? ', ' : ' order by '}${keys}${limit[0]}`;
}

/** The result and its time, or the error. A statement past the time limit counts as the limit. */
async function runQuery(
  suite: Suite,
  system: System,
  statements: readonly string[],
): Promise<{ result: QueryResult; millis: number } | string> {
  const from = performance.now();
  try {
    const result = await system.run(statements);
    return { result, millis: performance.now() - from };
  } catch (error) {
    const millis = performance.now() - from;
    // What it left must not disturb the next run.
    if (suite.cleanUp.length > 0) await system.run(suite.cleanUp).catch(() => {});
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
        `${query.name}, ms`,
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
