/** PL/pgSQL beside PostgreSQL in one run, and how a function without end is cancelled. */
import pg from 'pg';
import { type CaseBenchmarkOptions, runCaseBenchmark } from '../measure/case-benchmark.ts';
import type { NetworkSystem } from '../systems/system.ts';
import { CASES } from './cases.ts';
import { TRIGGER_CASES } from './trigger-cases.ts';

interface Cancellation {
  readonly cancelMillis: number[];
  readonly slowestAnswerMillis: number;
}

const RUNAWAYS = 3;
const CANCEL_MILLIS_MAX = 100;

/** Runs it; true when all answers agree and cancellation took less than 100 ms. */
export function benchmarkPlpgsql(options: CaseBenchmarkOptions): Promise<boolean> {
  return runCaseBenchmark(
    'plpgsql',
    [...CASES, ...TRIGGER_CASES],
    options,
    async (systems, problems, say) => {
      const cancellations: Record<string, Cancellation> = {};
      for (const system of systems) {
        const found = await cancel(system);
        cancellations[system.name] = found;
        const millis = found.cancelMillis.map((one) => one.toFixed(0)).join(', ');
        say(
          `${system.name}: cancelled after ${millis} ms; slowest answer of another session meanwhile ${found.slowestAnswerMillis.toFixed(0)} ms\n`,
        );
        if (system.name === 'fastpostgres' && Math.max(...found.cancelMillis) > CANCEL_MILLIS_MAX)
          problems.push(`${system.name}: cancelling took longer than ${CANCEL_MILLIS_MAX} ms`);
      }
      return { cancellations };
    },
  );
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
