/** Kept data directories: packed files, and a server on an unpacked copy. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import pg from 'pg';

const MAIN = fileURLToPath(new URL('../../src/main/main.ts', import.meta.url));
const PASSWORD = 'kept directory';
/** Files that belong to a running server. */
const LEFT_OUT = /(?:^|\/)(?:\.s\.PGSQL.*|lock|.*\.lock|.*\.pid)$/;

export interface KeptDirectory {
  readonly files: Uint8Array;
  readonly answers: readonly unknown[];
}

/** All files of a directory: a line of JSON with names and lengths, then their bytes, compressed. */
export function pack(directory: string): Uint8Array {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => !LEFT_OUT.test(name) && statSync(join(directory, name)).isFile())
    .sort();
  const contents = names.map((name) => readFileSync(join(directory, name)));
  const index = JSON.stringify(names.map((name, at) => [name, contents[at]!.length]));
  return brotliCompressSync(Buffer.concat([Buffer.from(`${index}\n`), ...contents]), {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 },
  });
}

function unpack(packed: Uint8Array, directory: string): void {
  const bytes = brotliDecompressSync(packed);
  const end = bytes.indexOf('\n');
  let at = end + 1;
  for (const [name, length] of JSON.parse(bytes.subarray(0, end).toString()) as [string, number][]) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes.subarray(at, at + length));
    at += length;
  }
}

export interface KeptServer {
  readonly directory: string;
  readonly client: pg.Client;
  /** Ends it at once, as a crash would. The directory goes with `remove`. */
  kill(): Promise<void>;
  remove(): void;
}

/** A server on a copy of packed files, or on a new directory. */
export async function startOn(files: Uint8Array | null): Promise<KeptServer> {
  const directory = mkdtempSync(join(tmpdir(), 'fastpostgres-kept-'));
  if (files !== null) unpack(files, directory);
  const child: ChildProcess = spawn(
    process.execPath,
    [MAIN, 'start', '--data-dir', directory, '--port', '0', '--http-port', '0', '--set', 'timezone=UTC'],
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
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    const look = (bytes: Buffer): void => {
      output = (output + bytes.toString()).slice(-20_000);
      const found = /^ready.*:(\d+)\/postgres/m.exec(output);
      if (found !== null) resolve(Number(found[1]));
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('exit', (code) => reject(new Error(`the server ended (${code}): ${output}`)));
  });
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: PASSWORD,
    database: 'postgres',
  });
  client.on('error', () => {});
  await client.connect();
  return {
    directory,
    client,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Rows as text, or the SQLSTATE, of every question. */
export async function answers(client: pg.Client): Promise<unknown[]> {
  const questions = readFileSync(fileURLToPath(new URL('./questions.sql', import.meta.url)), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const result: unknown[] = [];
  for (const text of questions) {
    try {
      const { rows } = await client.query({
        text,
        rowMode: 'array',
        types: { getTypeParser: () => (value: string) => value },
      } as pg.QueryArrayConfig);
      result.push(rows);
    } catch (error) {
      result.push((error as { code?: string }).code);
    }
  }
  return result;
}
