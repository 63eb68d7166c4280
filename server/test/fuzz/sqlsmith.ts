/**
 * SQLsmith's random statements against a real server.
 *
 *     node server/test/fuzz/sqlsmith.ts [statements, default 2000] [seed, default 1]
 *
 * SQLsmith reads our catalog and prints statements (`--dry-run`); we send them, so that the SQLSTATE of each answer is seen.
 * Half of the batches know the catalog's tables too. Each statement runs in a transaction that is rolled back.
 *
 * Promised   the server lives, every statement ends within 60 s (its own timeout is 10 s), and none in XX000.
 * Without SQLsmith (Debian package `sqlsmith`) nothing is run, and the report says so.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { connect, type ServerProcess, startServerProcess } from '../process.ts';

const SCHEMA = readFileSync(new URL('./schema.sql', import.meta.url), 'utf8');
const BATCH_STATEMENTS = 2000;
const STATEMENT_TIMEOUT_MILLIS = 10_000;
const HANG_MILLIS = 60_000;
const GENERATE_MILLIS_MAX = 900_000;
const PROBLEMS_MAX = 100;

export interface SmithReport {
  /** Why nothing was run; null when it was. */
  skipped: string | null;
  statements: number;
  /** Statements by SQLSTATE; 00000 for those that ended in rows. */
  states: Record<string, number>;
  /** Crashes, hangs and internal errors, each with its statement. */
  problems: string[];
}

export async function smithCampaign(
  statements: number,
  seed: number,
  progress: (text: string) => void = () => {},
): Promise<SmithReport> {
  const report: SmithReport = { skipped: null, statements: 0, states: {}, problems: [] };
  if (!(await isInstalled())) {
    report.skipped = 'sqlsmith is not installed';
    return report;
  }
  const server = await startServerProcess();
  try {
    const setup = await connect(server.port);
    await setup.query(SCHEMA);
    await setup.end();
    for (let batch = 0; report.statements < statements && report.problems.length < PROBLEMS_MAX; batch++) {
      const count = Math.min(BATCH_STATEMENTS, statements - report.statements);
      const generated = await generate(server, seed * 10_000 + batch, count, batch % 2 === 0);
      if (generated.length === 0) throw new Error('sqlsmith printed no statements');
      await send(server, generated, report);
      progress(`${report.statements} statements, ${report.problems.length} problems\n`);
      if (!server.isAlive()) break;
    }
  } finally {
    await server.stop();
  }
  return report;
}

/** Sends a batch; opens a new session when one was ended. */
async function send(server: ServerProcess, batch: readonly string[], report: SmithReport): Promise<void> {
  let client = await session(server);
  for (const statement of batch) {
    if (report.problems.length >= PROBLEMS_MAX) break;
    report.statements++;
    const state = await answer(client, statement);
    report.states[state] = (report.states[state] ?? 0) + 1;
    if (state === 'XX000' || state === 'hang' || !server.isAlive())
      report.problems.push(`${server.isAlive() ? state : 'crash'}: ${statement}`);
    if (!server.isAlive()) {
      report.problems.push(server.output());
      return;
    }
    if (/^(08|57P|hang|closed)/.test(state)) {
      client.end().catch(() => {});
      client = await session(server);
    }
  }
  await client.end();
}

async function session(server: ServerProcess): Promise<pg.Client> {
  const client = await connect(server.port);
  await client.query(`set statement_timeout = ${STATEMENT_TIMEOUT_MILLIS}`);
  return client;
}

/** The SQLSTATE it ended in, or `hang`. */
async function answer(client: pg.Client, statement: string): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('hang'), HANG_MILLIS);
  });
  const run = async (): Promise<string> => {
    try {
      await client.query('begin');
      await client.query(statement);
      return '00000';
    } catch (error) {
      return (error as { code?: string }).code ?? 'closed';
    } finally {
      await client.query('rollback').catch(() => {});
    }
  };
  const state = await Promise.race([run(), hang]);
  clearTimeout(timer);
  return state;
}

function isInstalled(): Promise<boolean> {
  return new Promise((resolve) => execFile('sqlsmith', ['--version'], (error) => resolve(error === null)));
}

/** Its statements for a seed. It connects over the socket, whose owner needs no password. */
function generate(
  server: ServerProcess,
  seed: number,
  count: number,
  withoutCatalog: boolean,
): Promise<string[]> {
  const target = `host=${dirname(server.socketPath)} port=${server.port} user=postgres dbname=postgres`;
  const options = [`--target=${target}`, `--seed=${seed}`, `--max-queries=${count}`, '--dry-run'];
  if (withoutCatalog) options.push('--exclude-catalog');
  return new Promise((resolve, reject) =>
    execFile(
      'sqlsmith',
      options,
      { timeout: GENERATE_MILLIS_MAX, maxBuffer: 1 << 30 },
      (error, printed, complaints) => {
        if (error !== null) return reject(new Error(`sqlsmith: ${error.message} ${complaints}`));
        resolve(
          printed
            .split(/;\s*\n/)
            .map((statement) => statement.trim())
            .filter((statement) => statement !== ''),
        );
      },
    ),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const report = await smithCampaign(Number(process.argv[2] ?? 2000), Number(process.argv[3] ?? 1), (text) =>
    process.stdout.write(text),
  );
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  process.exitCode = report.problems.length > 0 ? 1 : 0;
}
