/** A server process of its own in a temporary directory, for tests that need a real one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

const MAIN = fileURLToPath(new URL('../src/main/main.ts', import.meta.url));
export const PASSWORD = 'test of a process';
const STOP_MILLIS_MAX = 30_000;

export interface ServerProcess {
  readonly port: number;
  /** Its owner is trusted on this socket: no password. */
  readonly socketPath: string;
  /** False once it has ended, for whatever reason. */
  isAlive(): boolean;
  /** Resident memory in bytes; 0 where the system does not tell. */
  residentBytes(): number;
  /** What it printed last. */
  output(): string;
  stop(): Promise<void>;
}

/** Starts it; resolves when it says ready. `nodeOptions` go to its Node. */
export async function startServerProcess(
  settings: readonly string[] = [],
  nodeOptions: readonly string[] = [],
): Promise<ServerProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'fastpostgres-process-'));
  const child = spawn(
    process.execPath,
    [
      ...nodeOptions,
      MAIN,
      'start',
      '--data-dir',
      directory,
      '--port',
      '0',
      '--http-port',
      '0',
      ...settings.flatMap((setting) => ['--set', setting]),
    ],
    {
      env: {
        ...process.env,
        FASTPOSTGRES_PASSWORD: PASSWORD,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'fastpostgres-compile-cache'),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  const port = await new Promise<number>((resolve, reject) => {
    const look = (bytes: Buffer): void => {
      output = (output + bytes.toString()).slice(-20_000);
      const found = /^ready.*:(\d+)\/postgres/m.exec(output);
      if (found !== null) resolve(Number(found[1]));
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('exit', (code, signal) =>
      reject(new Error(`the server ended (${code ?? signal}): ${output}`)),
    );
  });
  return {
    port,
    socketPath: join(directory, `.s.PGSQL.${port}`),
    isAlive: () => child.exitCode === null && child.signalCode === null,
    residentBytes: () => residentBytes(child),
    output: () => output,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MILLIS_MAX);
        await ended;
        clearTimeout(timer);
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function residentBytes(child: ChildProcess): number {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** A session of the superuser. */
export async function connect(port: number): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: PASSWORD,
    database: 'postgres',
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}
