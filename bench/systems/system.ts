/** What a benchmark sees of a database system, and what all of them need to be started. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const SYSTEM_NAMES = ['fastpostgres', 'duckdb', 'postgres'] as const;
export type SystemName = (typeof SYSTEM_NAMES)[number];

/** A result as text; `isFloat` tells by column whether the system computed it in floating point. */
export interface QueryResult {
  readonly columns: readonly string[];
  readonly isFloat: readonly boolean[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** One running system with an empty database and one session. */
export interface System {
  readonly name: SystemName;
  /** Version and the settings that matter, for the record. */
  readonly description: string;
  /** Runs statements one after the other; the result is the last one that returned rows. */
  run(statements: readonly string[]): Promise<QueryResult>;
  /** Loads a file of lines with fields separated by `|`. */
  load(table: string, file: string): Promise<void>;
  /** Whether it takes primary and foreign keys by ALTER TABLE. */
  readonly takesKeys: boolean;
  /** After loading: statistics, checkpoint. */
  settle(): Promise<void>;
  /** Bytes on disk of the database, without its log. */
  size(): Promise<number>;
  /** Ends it and removes its directory. */
  stop(): Promise<void>;
}

/** A system spoken to over TCP with PostgreSQL's protocol. */
export interface NetworkSystem extends System {
  readonly port: number;
  readonly password: string;
  /** Processor time its processes have used so far, in milliseconds; 0 where the machine does not tell. */
  processorMillis(): number;
}

/** A statement that runs longer is interrupted and counts as this long. */
export const STATEMENT_TIMEOUT_MILLIS = 180_000;

export const NO_ROWS: QueryResult = { columns: [], isFloat: [], rows: [] };

export function temporaryDirectory(name: string): string {
  return mkdtempSync(join(tmpdir(), `fastpostgres-bench-${name}-`));
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

/** Allocated bytes of the files below a directory; folders and files `ignored` by name do not count. */
export function directoryBytes(directory: string, ignored: RegExp = /^$/): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (ignored.test(entry.name)) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) bytes += directoryBytes(path, ignored);
    else if (entry.isFile()) bytes += statSync(path).blocks * 512;
  }
  return bytes;
}

/**
 * Processor time of a process, its threads and its descendants in milliseconds. The scheduler's counters (nanoseconds) are read:
 * a process's own count in ticks of 10 ms.
 */
export function processorMillisOf(processId: number): number {
  let nanoseconds = 0;
  try {
    for (const thread of readdirSync(`/proc/${processId}/task`)) {
      const folder = `/proc/${processId}/task/${thread}`;
      nanoseconds += Number(readFileSync(`${folder}/schedstat`, 'latin1').split(' ')[0]);
      for (const child of readFileSync(`${folder}/children`, 'latin1').split(' '))
        if (child.trim() !== '') nanoseconds += processorMillisOf(Number(child)) * 1e6;
    }
  } catch {
    // The process ended meanwhile, or there is no such file system.
  }
  return nanoseconds / 1e6;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Runs a program to its end; resolves to its standard output, rejects with its errors. */
export function runProgram(
  program: string,
  programArguments: readonly string[],
  options: { uid?: number; gid?: number; env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, programArguments, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.on('data', (bytes: Buffer) => void (output += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => void (errors += bytes.toString()));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${program} ended with ${code ?? signal}: ${errors.slice(-2000)}`));
    });
  });
}

/** Asks a process to end; one that does not within a minute is killed. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  await ended;
  clearTimeout(timer);
}
