/** PostgreSQL 15 of this machine: a cluster of its own under a temporary directory, spoken to over TCP. */
import { spawn } from 'node:child_process';
import { chownSync, existsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { Session } from './session.ts';
import {
  endProcess,
  freePort,
  type NetworkSystem,
  processorMillisOf,
  removeDirectory,
  runProgram,
  temporaryDirectory,
} from './system.ts';

const FOLDERS = ['/usr/lib/postgresql/15/bin', '/usr/pgsql-15/bin', '/usr/local/pgsql/bin'];
const START_MILLIS_MAX = 60_000;

/** Folder of PostgreSQL's programs, or null without one. */
export function postgresFolder(): string | null {
  return FOLDERS.find((folder) => existsSync(join(folder, 'initdb'))) ?? null;
}

/** PostgreSQL refuses to run as root: then the user `postgres` runs it. */
async function owner(): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = await Promise.all([
    runProgram('id', ['-u', 'postgres']),
    runProgram('id', ['-g', 'postgres']),
  ]);
  return { uid: Number(uid), gid: Number(gid) };
}

/** Settings of the comparison; a machine with less than 20 GB gives it a quarter of its memory as buffers. */
function settings(): string[] {
  const gigabytes = totalmem() / 2 ** 30;
  const buffers = gigabytes >= 20 ? '6GB' : `${Math.max(128, Math.floor(gigabytes * 256))}MB`;
  const cache = gigabytes >= 20 ? '16GB' : `${Math.max(256, Math.floor(gigabytes * 640))}MB`;
  return [
    `shared_buffers=${buffers}`,
    'work_mem=256MB',
    `effective_cache_size=${cache}`,
    'max_parallel_workers_per_gather=2',
    'max_wal_size=4GB',
    'jit=on',
    'synchronous_commit=on',
  ];
}

/** Starts it; null when this machine has none. */
export async function startPostgres(): Promise<NetworkSystem | null> {
  const folder = postgresFolder();
  if (folder === null) return null;
  const user = await owner();
  const directory = temporaryDirectory('postgres');
  if (user.uid !== undefined && user.gid !== undefined) chownSync(directory, user.uid, user.gid);
  const data = join(directory, 'data');
  await runProgram(
    join(folder, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '--locale=C', '-E', 'UTF8'],
    { ...user, cwd: directory },
  );
  const port = await freePort();
  const values = settings();
  const child = spawn(
    join(folder, 'postgres'),
    [
      '-D',
      data,
      '-p',
      String(port),
      '-k',
      directory,
      '-h',
      '127.0.0.1',
      ...values.flatMap((value) => ['-c', value]),
    ],
    { ...user, cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr.on('data', (bytes: Buffer) => void (log = (log + bytes.toString()).slice(-20_000)));
  const session = await connect(
    port,
    () => child.exitCode !== null,
    () => log,
  );
  return {
    name: 'postgres',
    description: `${await session.text('select version()')}; ${values.join(' ')}`,
    port,
    password: '',
    takesKeys: true,
    processorMillis: () => processorMillisOf(child.pid!),
    run: (statements) => session.run(statements),
    load: (table, file) => session.load(table, file),
    async settle() {
      await session.run(['vacuum analyze', 'checkpoint']);
    },
    size: async () => Number(await session.text('select pg_database_size(current_database())')),
    async stop() {
      await session.close().catch(() => {});
      // SIGINT is PostgreSQL's fast shutdown.
      await endProcess(child, 'SIGINT');
      removeDirectory(directory);
    },
  };
}

async function connect(port: number, hasEnded: () => boolean, log: () => string): Promise<Session> {
  const end = performance.now() + START_MILLIS_MAX;
  for (;;) {
    try {
      return await Session.open(port, '');
    } catch (error) {
      if (hasEnded() || performance.now() > end)
        throw new Error(`PostgreSQL does not start: ${log()}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
