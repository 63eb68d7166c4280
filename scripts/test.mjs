/**
 * All tests, one after the other: format and lint, types of every package, unit and integration tests, end to end.
 * The last line is `N passed, N failed`; every check counts as one.
 */

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { engineEnvironment, engineNode, root } from './engine.mjs';

const packages = ['server', 'tools', 'native', 'bench', 'e2e', 'console'];

/** Runs everything; `filters` (paths) narrow it to the unit tests below them. Resolves to the exit code. */
export async function runTests(filters, { isFull }) {
  const node = engineNode();
  const env = { ...engineEnvironment(node), ...(isFull ? { FASTPOSTGRES_TEST_FULL: '1' } : {}) };
  const total = { passed: 0, failed: 0 };
  const failures = [];
  const step = async (name, work) => {
    const startedAt = Date.now();
    const { passed, failed } = await work();
    total.passed += passed;
    total.failed += failed;
    if (failed > 0) failures.push(name);
    process.stdout.write(
      `-- ${name}: ${passed} passed, ${failed} failed, ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`,
    );
  };
  const script = (file) => path.join(root, 'node_modules', file);

  if (filters.length === 0) {
    for (const { name, file, commandArguments } of checks(script)) {
      await step(name, () => runCheck(node, [file, ...commandArguments], env));
    }
  }
  await step('unit and integration tests', () => runVitest(node, root, filters, env));
  if (filters.length === 0) {
    const consoleFolder = path.join(root, 'console');
    if (existsSync(path.join(consoleFolder, 'vitest.config.ts'))) {
      await step('console tests', () => runVitest(node, consoleFolder, [], env));
    }
    const endToEnd = path.join(root, 'e2e', 'run.ts');
    if (existsSync(endToEnd)) await step('end-to-end tests', () => runCounting(node, [endToEnd], env));
    const drivers = path.join(root, 'e2e', 'drivers', 'run.ts');
    if (existsSync(drivers))
      await step('client libraries', () => runCounting(node, [drivers, ...(isFull ? [] : ['--quick'])], env));
  }
  if (failures.length > 0) process.stdout.write(`failed: ${failures.join(', ')}\n`);
  process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
  return total.failed > 0 ? 1 : 0;
}

/** Format, lint and types: also `npm run check`. */
export function checks(script) {
  const list = [
    {
      name: 'format and lint',
      file: script('@biomejs/biome/bin/biome'),
      commandArguments: ['ci', '--diagnostic-level=error', '--max-diagnostics=30', '--colors=off'],
    },
  ];
  for (const name of packages) {
    const project = path.join(root, name, 'tsconfig.json');
    if (!existsSync(project)) continue;
    list.push({
      name: `types of ${name}`,
      file: script('typescript/bin/tsc'),
      commandArguments: ['-p', project],
    });
  }
  return list;
}

/** One program that passes or fails as a whole; its output is shown. */
function runCheck(node, commandArguments, env) {
  return new Promise((resolve) => {
    const child = spawn(node, commandArguments, { cwd: root, env, stdio: 'inherit' });
    child.once('error', () => resolve({ passed: 0, failed: 1 }));
    child.once('exit', (code) => resolve(code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }));
  });
}

async function runVitest(node, folder, filters, env) {
  const temporary = mkdtempSync(path.join(tmpdir(), 'fastpostgres-test-'));
  const report = path.join(temporary, 'report.json');
  const own = path.join(folder, 'node_modules', 'vitest', 'vitest.mjs');
  const vitest = existsSync(own) ? own : path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const { failed } = await new Promise((resolve) => {
    const child = spawn(
      node,
      [vitest, 'run', ...filters, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
      { cwd: folder, env, stdio: 'inherit' },
    );
    child.once('error', () => resolve({ failed: 1 }));
    child.once('exit', (code) => resolve({ failed: code === 0 ? 0 : 1 }));
  });
  let counts = { passed: 0, failed };
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    // A file that does not load has no tests, but vitest's exit code tells.
    counts = { passed: result.numPassedTests, failed: Math.max(result.numFailedTests, failed) };
  } catch {
    counts.failed = 1;
  }
  rmSync(temporary, { recursive: true, force: true });
  return counts;
}

/** A program whose last line of that form tells its counts. */
function runCounting(node, commandArguments, env) {
  return new Promise((resolve) => {
    const child = spawn(node, commandArguments, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (bytes) => {
      process.stdout.write(bytes);
      output = (output + bytes.toString()).slice(-10_000);
    });
    child.once('error', () => resolve({ passed: 0, failed: 1 }));
    child.once('close', (code) => {
      const counts = [...output.matchAll(/^(\d+) passed, (\d+) failed/gm)].at(-1);
      const passed = counts ? Number(counts[1]) : 0;
      const failed = counts ? Number(counts[2]) : 0;
      resolve({ passed, failed: code === 0 && counts ? failed : Math.max(failed, 1) });
    });
  });
}
