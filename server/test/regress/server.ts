/** The server under test: one process in a temporary folder, started again if it dies. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main/main.ts', import.meta.url));
const STOP_MILLIS_MAX = 20_000;

export class ServerUnderTest {
  readonly directory = mkdtempSync(join(tmpdir(), 'fastpostgres-regress-'));
  port = 0;
  /** Times it ended by itself. */
  deaths = 0;
  output = '';
  #child: ChildProcess | null = null;

  async start(): Promise<void> {
    const child = spawn(
      process.execPath,
      [
        MAIN,
        'start',
        '--data-dir',
        this.directory,
        '--port',
        String(this.port),
        '--http-port',
        '0',
        '--set',
        'max_connections=50',
      ],
      {
        env: {
          ...process.env,
          FASTPOSTGRES_PASSWORD: 'regression',
          NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'fastpostgres-compile-cache'),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#child = child;
    this.port = await new Promise<number>((resolve, reject) => {
      const look = (bytes: Buffer): void => {
        this.output = (this.output + bytes.toString()).slice(-50_000);
        const found = /^ready.*:(\d+)\/postgres/m.exec(this.output);
        if (found !== null) resolve(Number(found[1]));
      };
      child.stdout?.on('data', look);
      child.stderr?.on('data', look);
      child.once('exit', (code, signal) =>
        reject(new Error(`the server ended (${code ?? signal}): ${this.output}`)),
      );
    });
  }

  isAlive(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Starts it again on its data if it has died. */
  async revive(): Promise<void> {
    if (this.isAlive()) return;
    this.deaths++;
    this.output = '';
    await this.start();
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== null && this.isAlive()) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MILLIS_MAX);
      await ended;
      clearTimeout(timer);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}
