/**
 * Finds the Node that runs the server and keeps the server running. Plain JavaScript for Node 20: it runs before
 * anything is installed.
 */

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Oldest Node that runs the server: TypeScript without a build, 64-bit WebAssembly memory. */
const nodeMajorMin = 24;

/** Exit code by which the engine asks for a restart (a PANIC: the state in memory is not to be trusted). */
export const exitCodeRestart = 70;

/** An engine that lived at least this long was healthy; its death is worth a restart at once. */
const healthyMillis = 5000;
const restartDelayMillisMax = 10_000;
/** So many deaths in a row without a healthy life, and it is not worth trying. */
const restartsMax = 5;

/** The Node binary for the server: the installed package's, else this one if it is new enough. */
export function engineNode() {
  const name = `node-${process.platform}-${process.arch}`;
  for (const candidate of [path.join(root, 'node_modules', name, 'bin', 'node'), nodeOfStore(name)]) {
    if (candidate && existsSync(candidate)) return candidate;
  }
  if (Number.parseInt(process.versions.node, 10) >= nodeMajorMin) return process.execPath;
  process.stderr.write(
    `fastpostgres: needs Node ${nodeMajorMin} or later; npm brings it for Linux on x64 and arm64, elsewhere install it (found ${process.version})\n`,
  );
  process.exit(1);
}

/** pnpm may hoist the package of an optional dependency only into its store. */
function nodeOfStore(name) {
  const store = path.join(root, 'node_modules', '.pnpm');
  if (!existsSync(store)) return undefined;
  const folder = readdirSync(store).find((entry) => entry.startsWith(`${name}@`));
  return folder && path.join(store, folder, 'node_modules', name, 'bin', 'node');
}

/** Environment of everything run under the engine's Node. */
export function engineEnvironment(node) {
  return {
    ...process.env,
    PATH: [path.dirname(node), path.join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(
      path.delimiter,
    ),
    NODE_COMPILE_CACHE:
      process.env.NODE_COMPILE_CACHE ?? path.join(root, 'node_modules', '.cache', 'compile'),
    // Node must not tell users of a server that it strips types.
    NODE_NO_WARNINGS: process.env.NODE_NO_WARNINGS ?? '1',
  };
}

/** Where `bundle.mjs` puts the joined modules; below the server, so that its packages are found from there. */
export const bundleFolder = path.join(root, 'server', 'node_modules', '.cache', 'engine');

/** What a bundle was made of: the newest change of a source, and the place of the checkout (paths are written into it). */
export function bundleStamp() {
  const sources = ['server/src', 'server/package.json', 'scripts/bundle.mjs', 'pnpm-lock.yaml'];
  return `${root} ${newestChange(sources.map((file) => path.join(root, file)))}`;
}

/**
 * Path of the server's main module, or undefined in a checkout without one: the bundle if it is of today's sources,
 * else the sources themselves, which run as well and start more slowly.
 */
export function engineMain() {
  const stamp = path.join(bundleFolder, 'stamp');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === bundleStamp())
    return path.join(bundleFolder, 'main-main.mjs');
  const main = path.join(root, 'server', 'src', 'main', 'main.ts');
  return existsSync(main) ? main : undefined;
}

/** Runs a program to its end with this process's streams; resolves to its exit code (128 + signal number if killed). */
export function run(command, commandArguments, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, commandArguments, { stdio: 'inherit', cwd: root, ...options });
    child.once('error', (error) => {
      process.stderr.write(`fastpostgres: could not run ${command}: ${error.message}\n`);
      resolve(127);
    });
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signalNumbers[signal] ?? 0)));
  });
}

const signalNumbers = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};

/**
 * Runs the engine as a child and restarts it when it dies of anything but its own decision; resolves to the exit code
 * of the last one.
 *
 * Restart   death by a signal nobody sent through us, exit code 70, or exit code 1 after a healthy life (an exception
 *           nobody caught). Waits 100 ms, doubling up to 10 s; gives up after five deaths in a row.
 * Signals   SIGTERM, SIGINT, SIGQUIT and SIGHUP go to the engine; after one of the first three it is not restarted.
 */
export function supervise(node, commandArguments) {
  return new Promise((resolve) => {
    let child;
    let isStopping = false;
    let deaths = 0;
    let timer;
    const begin = () => {
      timer = undefined;
      const startedAt = Date.now();
      child = spawn(node, commandArguments, {
        stdio: 'inherit',
        env: { ...engineEnvironment(node), FASTPOSTGRES_SUPERVISED: '1' },
      });
      child.once('error', (error) => {
        process.stderr.write(`fastpostgres: could not start the engine: ${error.message}\n`);
        resolve(127);
      });
      child.once('exit', (code, signal) => {
        const exitCode = code ?? 128 + (signalNumbers[signal] ?? 0);
        const wasHealthy = Date.now() - startedAt >= healthyMillis;
        if (wasHealthy) deaths = 0;
        const isCrash = signal !== null || code === exitCodeRestart || (code === 1 && wasHealthy);
        if (isStopping || !isCrash || ++deaths > restartsMax) {
          resolve(exitCode);
          return;
        }
        const delayMillis = Math.min(100 * 2 ** (deaths - 1), restartDelayMillisMax);
        const reason = signal === null ? `with exit code ${code}` : `by signal ${signal}`;
        process.stderr.write(
          `fastpostgres: the engine ended ${reason}; starting it again in ${delayMillis} ms\n`,
        );
        timer = setTimeout(begin, delayMillis);
      });
    };
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP']) {
      process.on(signal, () => {
        if (signal !== 'SIGHUP') isStopping = true;
        if (timer && isStopping) {
          clearTimeout(timer);
          resolve(0);
          return;
        }
        // Ctrl-C reaches the whole foreground group: forwarding it too would look like a second, impatient one.
        if (signal === 'SIGINT' && process.stdin.isTTY) return;
        child?.kill(signal);
      });
    }
    begin();
  });
}

/** Newest modification time in milliseconds of the files below the given paths. */
export function newestChange(paths, ignored = /^(?:node_modules|dist|build|\..*)$/) {
  let newest = 0;
  const visit = (file) => {
    let status;
    try {
      status = statSync(file);
    } catch {
      return;
    }
    if (!status.isDirectory()) {
      newest = Math.max(newest, status.mtimeMs);
      return;
    }
    for (const name of readdirSync(file)) if (!ignored.test(name)) visit(path.join(file, name));
  };
  for (const file of paths) visit(file);
  return newest;
}
