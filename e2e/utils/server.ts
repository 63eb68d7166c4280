/** A server of its own for a run: a fresh directory, free ports, ended with the run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PASSWORD = 'end-to-end secret';

export interface TestServer {
  readonly consoleUrl: string;
  readonly port: number;
  stop(): Promise<void>;
}

const READY_MILLIS_MAX = 90_000;

/** `settings` are `name=value` pairs for its command line. */
export async function startTestServer(settings: readonly string[] = []): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), 'fastpostgres-e2e-'));
  const command = fileURLToPath(new URL('../../server/bin/fastpostgres.mjs', import.meta.url));
  const child = spawn(
    process.execPath,
    [
      command,
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
      env: { ...process.env, FASTPOSTGRES_PASSWORD: PASSWORD },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ready = await readyLine(child);
  const consoleUrl = /https?:\/\/\S+/.exec(ready)?.[0];
  const port = /:(\d+)\/postgres/.exec(ready)?.[1];
  if (consoleUrl === undefined || port === undefined) throw new Error(`not a ready line: ${ready}`);
  return {
    consoleUrl,
    port: Number(port),
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function readyLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(
      () => reject(new Error(`the server was not ready in time: ${output}`)),
      READY_MILLIS_MAX,
    );
    child.stdout?.on('data', (bytes: Buffer) => {
      output += bytes.toString();
      const line = output.split('\n').find((text) => text.startsWith('ready'));
      if (line === undefined) return;
      clearTimeout(timer);
      resolve(line);
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the server ended with code ${code}: ${output}`));
    });
  });
}
