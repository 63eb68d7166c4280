/**
 * Kills a real server (SIGKILL) under a mixed write load and checks what is there afterwards.
 *
 *     node server/test/kill/kill-campaign.ts [rounds] [seed]
 *
 * Each client runs transactions of known content and remembers what was acknowledged. After the restart:
 * every acknowledged transaction is wholly there, every other one wholly there or wholly absent, sums agree, and the primary key
 * index finds what the table holds. Ends with `N rounds, N failed` and the slowest recovery.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

const CLIENTS = 4;
const ROWS_PER_TRANSACTION = 3;
const MAIN = fileURLToPath(new URL('../../src/main/main.ts', import.meta.url));

export interface KillReport {
  rounds: number;
  failures: string[];
  acknowledged: number;
  slowestStartMillis: number;
}

interface Server {
  child: ChildProcess;
  port: number;
  startMillis: number;
}

/** Small generator: the campaign is repeatable as far as a real machine lets it be. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

async function start(directory: string): Promise<Server> {
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [MAIN, 'start', '--data-dir', directory, '--port', '0', '--http-port', '0'],
    {
      env: {
        ...process.env,
        FASTPOSTGRES_PASSWORD: 'kill',
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'fastpostgres-compile-cache'),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    let output = '';
    const look = (bytes: Buffer): void => {
      output += bytes.toString();
      const found = /^ready.*:(\d+)\/postgres/m.exec(output);
      if (found !== null) resolve(Number(found[1]));
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('exit', (code, signal) =>
      reject(new Error(`the server ended (${code ?? signal}): ${output}`)),
    );
  });
  return { child, port, startMillis: performance.now() - startedAt };
}

async function connect(port: number): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: 'kill',
    database: 'postgres',
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Runs transactions until the connection breaks; records what was acknowledged and what was begun. */
async function writeUntilKilled(
  client: pg.Client,
  id: number,
  from: number,
  acknowledged: Set<string>,
  begun: Set<string>,
): Promise<void> {
  for (let number = from; ; number++) {
    const key = `${id}:${number}`;
    begun.add(key);
    try {
      await client.query('begin');
      for (let row = 0; row < ROWS_PER_TRANSACTION; row++) {
        await client.query('insert into ledger values ($1, $2, $3, $4)', [
          id,
          number,
          row,
          `${key}:${row}`.repeat(20),
        ]);
      }
      await client.query('update balance set amount = amount + 1 where id = $1', [number % 10]);
      if (number % 5 === 0) {
        await client.query('savepoint s');
        await client.query('insert into ledger values ($1, $2, 99, $3)', [id, number, 'rolled back']);
        await client.query('rollback to s');
      }
      await client.query('commit');
      acknowledged.add(key);
    } catch {
      return;
    }
  }
}

async function check(port: number, acknowledged: Set<string>, begun: Set<string>): Promise<string[]> {
  const problems: string[] = [];
  const client = await connect(port);
  try {
    const { rows } = await client.query(
      'select client, number, count(*)::int as n, min(part)::int as low, max(part)::int as high from ledger group by client, number',
    );
    const present = new Set<string>();
    for (const row of rows) {
      const key = `${row.client}:${row.number}`;
      present.add(key);
      if (row.n !== ROWS_PER_TRANSACTION || row.low !== 0 || row.high !== ROWS_PER_TRANSACTION - 1)
        problems.push(`transaction ${key} is there in part (${row.n} rows)`);
      if (!begun.has(key)) problems.push(`transaction ${key} was never begun`);
    }
    for (const key of acknowledged)
      if (!present.has(key)) problems.push(`acknowledged transaction ${key} is lost`);
    const total = await client.query('select sum(amount)::int as total from balance');
    if (total.rows[0].total !== present.size)
      problems.push(`balances sum to ${total.rows[0].total}, transactions are ${present.size}`);
    for (const key of [...present].slice(-5)) {
      const [id, number] = key.split(':');
      const found = await client.query(
        'select count(*)::int as n from ledger where client = $1 and number = $2 and part = 1',
        [id, number],
      );
      if (found.rows[0].n !== 1) problems.push(`the index does not find transaction ${key}`);
    }
  } finally {
    await client.end();
  }
  return problems;
}

/** Runs the campaign in a directory of its own. */
export async function killCampaign(
  rounds: number,
  seed: number,
  progress: (text: string) => void = () => {},
): Promise<KillReport> {
  const random = generator(seed);
  const directory = mkdtempSync(join(tmpdir(), 'fastpostgres-kill-'));
  const acknowledged = new Set<string>();
  const begun = new Set<string>();
  const report: KillReport = { rounds: 0, failures: [], acknowledged: 0, slowestStartMillis: 0 };
  try {
    let server = await start(directory);
    const setup = await connect(server.port);
    await setup.query(
      'create table ledger(client int, number int, part int, payload text, primary key (client, number, part))',
    );
    await setup.query('create table balance(id int primary key, amount int)');
    await setup.query('insert into balance select g, 0 from generate_series(0, 9) g');
    await setup.end();
    let number = 0;
    for (let round = 0; round < rounds; round++) {
      const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connect(server.port)));
      const writers = clients.map((client, id) => writeUntilKilled(client, id, number, acknowledged, begun));
      await new Promise((resolve) => setTimeout(resolve, 20 + random() * 400));
      if (random() < 0.2) clients[0].query('checkpoint').catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, random() * 100));
      const ended = new Promise((resolve) => server.child.once('exit', resolve));
      server.child.kill('SIGKILL');
      await ended;
      await Promise.all(writers);
      for (const key of begun) number = Math.max(number, Number(key.split(':')[1]) + 1);
      server = await start(directory);
      report.slowestStartMillis = Math.max(report.slowestStartMillis, server.startMillis);
      const problems = await check(server.port, acknowledged, begun);
      // What was not acknowledged and is absent can never appear later.
      report.rounds++;
      report.failures.push(...problems.map((problem) => `round ${round}: ${problem}`));
      progress(
        `round ${round + 1}: ${acknowledged.size} acknowledged, start ${server.startMillis.toFixed(0)} ms, ${problems.length} problems\n`,
      );
    }
    report.acknowledged = acknowledged.size;
    const ended = new Promise((resolve) => server.child.once('exit', resolve));
    server.child.kill('SIGTERM');
    await ended;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return report;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const rounds = Number(process.argv[2] ?? 300);
  const report = await killCampaign(rounds, Number(process.argv[3] ?? 1), (text) =>
    process.stdout.write(text),
  );
  for (const failure of report.failures.slice(0, 50)) process.stdout.write(`${failure}\n`);
  process.stdout.write(
    `${report.acknowledged} acknowledged transactions, slowest start ${report.slowestStartMillis.toFixed(0)} ms\n`,
  );
  process.stdout.write(`${report.rounds} rounds, ${report.failures.length} failed\n`);
  process.exitCode = report.failures.length > 0 ? 1 : 0;
}
