/**
 * pgbench against FastPostgres and PostgreSQL over TCP, alternating, both with synchronous_commit=on; afterwards the books
 * must balance.
 */
import { join } from 'node:path';
import { keep, machine, machineLine, table } from '../measure/report.ts';
import { median } from '../measure/statistics.ts';
import { type Executor, startFastPostgres } from '../systems/fastpostgres.ts';
import { postgresFolder, startPostgres } from '../systems/postgres.ts';
import { type NetworkSystem, runProgram, type SystemName } from '../systems/system.ts';

const POINTS = {
  'select, prepared': ['-S', '-M', 'prepared'],
  'select, simple': ['-S', '-M', 'simple'],
  'TPC-B-like, prepared': ['-M', 'prepared'],
  'TPC-B-like, simple': ['-M', 'simple'],
} as const;

export interface PgbenchOptions {
  /** 100,000 accounts each. */
  readonly scale: number;
  readonly rounds: number;
  readonly clients: readonly number[];
  /** Of pgbench itself; one is its own default. */
  readonly threads: number;
  readonly seconds: number;
  readonly systems: readonly SystemName[];
  readonly executor: Executor;
}

interface PointRecord {
  readonly point: string;
  readonly clients: number;
  /** By system: transactions per second of every round. */
  readonly rates: Record<string, number[]>;
  readonly errors: Record<string, string>;
}

const say = (text: string): void => void process.stdout.write(text);

/** Runs it; true when every point ran and the books balance everywhere. */
export async function benchmarkPgbench(options: PgbenchOptions): Promise<boolean> {
  const folder = postgresFolder();
  const program = folder === null ? 'pgbench' : join(folder, 'pgbench');
  const fingerprint = machine();
  say(
    `pgbench, scale ${options.scale}, ${options.rounds} rounds of ${options.seconds} s\n${machineLine(fingerprint)}\n`,
  );
  const systems: NetworkSystem[] = [];
  const problems: string[] = [];
  try {
    for (const name of options.systems) {
      if (name === 'duckdb') continue;
      const system =
        name === 'fastpostgres' ? await startFastPostgres(options.executor) : await startPostgres();
      if (system === null) {
        say(`${name}: not installed, left out\n`);
        continue;
      }
      systems.push(system);
      const from = performance.now();
      await pgbench(program, system, ['-i', '-q', '-s', String(options.scale)]);
      await system.settle();
      say(
        `${name}: ${system.description}\n  initialised in ${((performance.now() - from) / 1000).toFixed(1)} s\n`,
      );
    }
    const points = await measure(program, systems, options);
    for (const system of systems) problems.push(...(await imbalance(system)));
    for (const point of points)
      for (const [name, error] of Object.entries(point.errors))
        problems.push(`${name}, ${point.point}: ${error}`);
    print(systems, points);
    for (const problem of problems) say(`${problem}\n`);
    const file = keep('pgbench', {
      benchmark: 'pgbench',
      date: new Date().toISOString(),
      machine: fingerprint,
      options,
      systems: Object.fromEntries(systems.map((system) => [system.name, system.description])),
      points,
      problems,
    });
    say(`kept in ${file}\n`);
    return problems.length === 0;
  } finally {
    for (const system of systems) await system.stop();
  }
}

function pgbench(program: string, system: NetworkSystem, words: readonly string[]): Promise<string> {
  return runProgram(
    program,
    ['-h', '127.0.0.1', '-p', String(system.port), '-U', 'postgres', ...words, 'postgres'],
    {
      env: { ...process.env, PGPASSWORD: system.password },
    },
  );
}

async function measure(
  program: string,
  systems: readonly NetworkSystem[],
  options: PgbenchOptions,
): Promise<PointRecord[]> {
  const points: PointRecord[] = [];
  for (const [point, words] of Object.entries(POINTS)) {
    for (const clients of options.clients) {
      const record: PointRecord = { point, clients, rates: {}, errors: {} };
      for (let round = 0; round < options.rounds; round++) {
        for (const system of systems) {
          if (record.errors[system.name] !== undefined) continue;
          try {
            const output = await pgbench(program, system, [
              ...words,
              '-n',
              '-c',
              String(clients),
              '-j',
              String(options.threads),
              '-T',
              String(options.seconds),
            ]);
            const rate = Number(/^tps = ([\d.]+)/m.exec(output)?.[1]);
            const failed = Number(/^number of failed transactions: (\d+)/m.exec(output)?.[1] ?? 0);
            if (!(rate > 0) || failed > 0) record.errors[system.name] = `${failed} failed transactions`;
            (record.rates[system.name] ??= []).push(rate);
          } catch (error) {
            record.errors[system.name] = error instanceof Error ? error.message : String(error);
          }
        }
      }
      points.push(record);
      say(
        `${point}, ${clients} clients: ${systems.map((system) => `${system.name} ${shown(rateOf(record, system))}`).join(', ')}\n`,
      );
    }
  }
  return points;
}

/** TPC-B moves money: every sum must equal the sum of the history. */
async function imbalance(system: NetworkSystem): Promise<string[]> {
  const { columns, rows } = await system.run([
    `select (select coalesce(sum(delta), 0) from pgbench_history) as history,
            (select sum(abalance) from pgbench_accounts) as accounts,
            (select sum(tbalance) from pgbench_tellers) as tellers,
            (select sum(bbalance) from pgbench_branches) as branches`,
  ]);
  const sums = rows[0];
  if (sums.every((sum) => sum === sums[0])) return [];
  return [
    `${system.name}: the books do not balance: ${columns.map((name, index) => `${name} ${sums[index]}`).join(', ')}`,
  ];
}

function rateOf(record: PointRecord, system: NetworkSystem): number | null {
  const rates = record.rates[system.name];
  return record.errors[system.name] !== undefined || rates === undefined ? null : median(rates);
}

function shown(rate: number | null): string {
  return rate === null ? '-' : rate.toFixed(0);
}

function print(systems: readonly NetworkSystem[], points: readonly PointRecord[]): void {
  const [first, ...others] = systems;
  const header = [
    'transactions/s',
    ...systems.map(({ name }) => name),
    ...others.map(({ name }) => `${first.name}/${name}`),
  ];
  const rows = points.map((point) => {
    const rates = systems.map((system) => rateOf(point, system));
    const ratios = rates
      .slice(1)
      .map((rate) => (rate === null || rates[0] === null ? '-' : (rates[0] / rate).toFixed(2)));
    return [`${point.point}, c=${point.clients}`, ...rates.map(shown), ...ratios];
  });
  say(`\n${table(header, rows)}\n`);
}
