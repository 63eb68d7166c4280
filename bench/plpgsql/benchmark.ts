/** PL/pgSQL beside PostgreSQL in one run, and how a function without end is cancelled. */
import pg from 'pg';
import { caseTable, measureCases } from '../measure/cases.ts';
import { keep, machine, machineLine } from '../measure/report.ts';
import { type Executor, startFastPostgres } from '../systems/fastpostgres.ts';
import { startPostgres } from '../systems/postgres.ts';
import type { NetworkSystem, SystemName } from '../systems/system.ts';
import { CASES } from './cases.ts';
import { TRIGGER_CASES } from './trigger-cases.ts';

export interface PlpgsqlOptions {
  readonly rounds: number;
  readonly systems: readonly SystemName[];
  readonly executor: Executor;
  /** Part of the names of the cases to run. */
  readonly only: string;
}

interface Cancellation {
  readonly cancelMillis: number[];
  readonly slowestAnswerMillis: number;
}

const RUNAWAYS = 3;
const say = (text: string): void => void process.stdout.write(text);

/** Runs it; true when all answers agree and cancellation took less than 100 ms. */
export async function benchmarkPlpgsql(options: PlpgsqlOptions): Promise<boolean> {
  const fingerprint = machine();
  say(`plpgsql, ${options.rounds} rounds\n${machineLine(fingerprint)}\n`);
  const systems: NetworkSystem[] = [];
  const problems: string[] = [];
  try {
    for (const name of options.systems) {
      if (name === 'duckdb') continue;
      const system =
        name === 'fastpostgres' ? await startFastPostgres(options.executor) : await startPostgres();
      if (system === null) say(`${name}: not installed, left out\n`);
      else systems.push(system);
    }
    const cases = [...CASES, ...TRIGGER_CASES].filter(({ name }) => name.includes(options.only));
    const times = await measureCases(cases, systems, options.rounds, problems, say);
    say(`\n${caseTable(systems, times)}\n\n`);
    const cancellations: Record<string, Cancellation> = {};
    for (const system of systems) {
      const found = await cancel(system);
      cancellations[system.name] = found;
      say(
        `${system.name}: cancelled after ${found.cancelMillis.map((millis) => millis.toFixed(0)).join(', ')} ms; slowest answer of another session meanwhile ${found.slowestAnswerMillis.toFixed(0)} ms\n`,
      );
      if (system.name === 'fastpostgres' && Math.max(...found.cancelMillis) > 100)
        problems.push(`${system.name}: cancelling took longer than 100 ms`);
    }
    for (const problem of problems) say(`${problem}\n`);
    const file = keep('plpgsql', {
      benchmark: 'plpgsql',
      date: new Date().toISOString(),
      machine: fingerprint,
      options,
      systems: Object.fromEntries(systems.map((system) => [system.name, system.description])),
      times,
      cancellations,
      problems,
    });
    say(`kept in ${file}\n`);
    return problems.length === 0;
  } finally {
    for (const system of systems) await system.stop();
  }
}

/** Starts a function without end, cancels it after a while, and asks short questions meanwhile. */
async function cancel(system: NetworkSystem): Promise<Cancellation> {
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: system.port,
      user: 'postgres',
      password: system.password,
      database: 'postgres',
    });
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  const runaway = await connect();
  const other = await connect();
  await runaway.query(
    'create or replace function runaway() returns void language plpgsql as $$ declare i int := 0; begin loop i := (i + 1) % 1000; end loop; end $$',
  );
  const { rows } = await runaway.query<{ pid: number }>('select pg_backend_pid() as pid');
  const cancelMillis: number[] = [];
  let slowestAnswerMillis = 0;
  for (let run = 0; run < RUNAWAYS; run++) {
    const ended = runaway.query('select runaway()').then(
      () => 'finished',
      (error: Error) => error.message,
    );
    const until = performance.now() + 500;
    while (performance.now() < until) {
      const from = performance.now();
      await other.query('select 1');
      slowestAnswerMillis = Math.max(slowestAnswerMillis, performance.now() - from);
    }
    const from = performance.now();
    await other.query('select pg_cancel_backend($1)', [rows[0].pid]);
    await ended;
    cancelMillis.push(performance.now() - from);
  }
  await runaway.end();
  await other.end();
  return { cancelMillis, slowestAnswerMillis };
}
