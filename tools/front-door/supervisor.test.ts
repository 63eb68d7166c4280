import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const engineModule = path.resolve(import.meta.dirname, '../../scripts/engine.mjs');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fastpostgres-supervisor-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Supervises an engine whose body is `source`; `life` counts its lives from 1. */
function supervise(source: string): {
  child: ChildProcess;
  exitCode: Promise<number | null>;
  lives: () => number;
} {
  const engine = path.join(folder, 'engine.mjs');
  const count = path.join(folder, 'lives');
  writeFileSync(count, '');
  writeFileSync(
    engine,
    `import { appendFileSync, readFileSync } from 'node:fs';
     appendFileSync(${JSON.stringify(count)}, 'x');
     const life = readFileSync(${JSON.stringify(count)}, 'utf8').length;
     ${source}`,
  );
  const program = `
    const { supervise } = await import(${JSON.stringify(engineModule)});
    process.exit(await supervise(process.execPath, [${JSON.stringify(engine)}]));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exitCode = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, exitCode, lives: () => readFileSync(count, 'utf8').length };
}

const firstOutput = (child: ChildProcess) => new Promise((resolve) => child.stdout!.once('data', resolve));

test('an exit code the engine chose passes through, without a restart', async () => {
  for (const code of [0, 1, 3]) {
    const { exitCode, lives } = supervise(`process.exit(${code});`);
    expect(await exitCode).toBe(code);
    expect(lives()).toBe(1);
  }
});

test('an engine that was killed or asked for it is started again', async () => {
  const { exitCode, lives } = supervise(`
    if (life === 1) process.kill(process.pid, 'SIGKILL');
    else process.exit(life === 2 ? 70 : 4);
    setInterval(() => {}, 1000);`);
  expect(await exitCode).toBe(4);
  expect(lives()).toBe(3);
});

test('signals reach the engine, and its last word counts', async () => {
  const { child, exitCode, lives } = supervise(`
    process.on('SIGTERM', () => process.exit(5));
    setInterval(() => {}, 1000);
    console.log('ready');`);
  await firstOutput(child);
  child.kill('SIGTERM');
  expect(await exitCode).toBe(5);
  expect(lives()).toBe(1);
});

test('an engine that dies of the forwarded signal is not restarted', async () => {
  const { child, exitCode, lives } = supervise(`setInterval(() => {}, 1000); console.log('ready');`);
  await firstOutput(child);
  child.kill('SIGINT');
  expect(await exitCode).toBe(130);
  expect(lives()).toBe(1);
});
