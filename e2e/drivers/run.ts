/**
 * Journeys of client libraries against a server of their own: TLS with a self-signed certificate, SCRAM, a database per client.
 * Ends with `N passed, N failed, N skipped`.
 *
 *     node e2e/drivers/run.ts              every client that is installed
 *     node e2e/drivers/run.ts pg jdbc      only these
 *     node e2e/drivers/run.ts --quick      the subset of the fast tests
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { PASSWORD, startTestServer } from '../utils/server.ts';
import { CLIENTS } from './clients.ts';
import { isThere, runProgram } from './programs.ts';

const CLIENT_MILLIS_MAX = 120_000;
const testdata = (name: string): string =>
  fileURLToPath(new URL(`../../server/test/integration/testdata/${name}`, import.meta.url));

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const isQuick = process.argv.includes('--quick');
const clients = CLIENTS.filter(({ name, quick }) =>
  wanted.length > 0 ? wanted.includes(name) : !isQuick || quick === true,
);

const counts = { passed: 0, failed: 0, skipped: 0 };
const folder = mkdtempSync(join(tmpdir(), 'fastpostgres-drivers-'));
const server = await startTestServer([
  'ssl=on',
  `ssl_cert_file=${testdata('server.crt')}`,
  `ssl_key_file=${testdata('server.key')}`,
]);
try {
  for (const client of clients) {
    const startedAt = performance.now();
    const missing = client.needs === undefined ? null : await isThere(client.needs);
    if (missing !== null) {
      counts.skipped++;
      process.stdout.write(`skip ${client.name}: not installed (${missing})\n`);
      continue;
    }
    const database = `journey_${client.name.replaceAll('-', '_')}`;
    await createDatabase(database);
    const environment = {
      ...process.env,
      PGHOST: '127.0.0.1',
      PGPORT: String(server.port),
      PGUSER: 'postgres',
      PGPASSWORD: PASSWORD,
      PGDATABASE: database,
      PGSSLMODE: 'require',
      JOURNEY_CERTIFICATE: testdata('server.crt'),
      JOURNEY_FOLDER: folder,
    };
    for (const command of client.commands(folder)) {
      const { output, code } = await runProgram(command, environment, CLIENT_MILLIS_MAX);
      let failed = 0;
      for (const line of output.split('\n').filter((text) => text !== '')) {
        const mark = /^(ok|FAIL|skip) /.exec(line)?.[1];
        if (mark === 'ok') counts.passed++;
        else if (mark === 'FAIL') failed++;
        else if (mark === 'skip') counts.skipped++;
        process.stdout.write(
          mark === undefined
            ? `     ${line}\n`
            : `${mark.padEnd(4)} ${client.name}: ${line.slice(5).trim()}\n`,
        );
      }
      counts.failed += failed;
      if (code === 0 || failed > 0) continue;
      counts.failed++;
      process.stdout.write(`FAIL ${client.name}: the program ended with ${code}\n`);
    }
    process.stdout.write(`--   ${client.name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)\n`);
  }
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
process.exitCode = counts.failed > 0 ? 1 : 0;

async function createDatabase(name: string): Promise<void> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: 'postgres',
    password: PASSWORD,
    database: 'postgres',
  });
  await client.connect();
  try {
    await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
}
