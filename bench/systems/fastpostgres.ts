/** FastPostgres: its command under a temporary data directory, spoken to over TCP. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Session } from './session.ts';
import {
  directoryBytes,
  endProcess,
  type NetworkSystem,
  processorMillisOf,
  removeDirectory,
  temporaryDirectory,
} from './system.ts';

export const EXECUTORS = ['auto', 'row', 'compiled'] as const;
export type Executor = (typeof EXECUTORS)[number];

const COMMAND = fileURLToPath(new URL('../../server/bin/fastpostgres.mjs', import.meta.url));

/** Starts it and waits until it says ready. */
export async function startFastPostgres(executor: Executor): Promise<NetworkSystem> {
  const directory = temporaryDirectory('fastpostgres');
  const password = randomBytes(12).toString('hex');
  const child = spawn(
    process.execPath,
    [COMMAND, 'start', '--data-dir', directory, '--port', '0', '--http-port', '0'],
    { env: { ...process.env, FASTPOSTGRES_PASSWORD: password }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const port = await new Promise<number>((resolve, reject) => {
    let output = '';
    const look = (bytes: Buffer): void => {
      output = (output + bytes.toString()).slice(-20_000);
      const found = /^ready.*:(\d+)\/postgres/m.exec(output);
      if (found !== null) resolve(Number(found[1]));
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.once('exit', (code, signal) =>
      reject(new Error(`FastPostgres ended (${code ?? signal}): ${output}`)),
    );
  });
  const session = await Session.open(port, password, [`set fastpostgres.executor = ${executor}`]);
  return {
    name: 'fastpostgres',
    description: `${await session.text('select version()')}; fastpostgres.executor=${executor} synchronous_commit=${await session.text('show synchronous_commit')}`,
    port,
    password,
    takesKeys: true,
    processorMillis: () => processorMillisOf(child.pid!),
    run: (statements) => session.run(statements),
    load: (table, file) => session.load(table, file),
    async settle() {
      await session.run(['vacuum analyze', 'checkpoint']);
    },
    size: async () => directoryBytes(directory, /^(?:wal|pg_wal)$/),
    async stop() {
      await session.close().catch(() => {});
      await endProcess(child, 'SIGTERM');
      removeDirectory(directory);
    },
  };
}
