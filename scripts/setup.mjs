/**
 * Brings a checkout to the state in which the server runs: packages, addon, console. Each step is skipped when nothing
 * it depends on has changed; stamps are kept in node_modules. Plain JavaScript for Node 20.
 */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { bundleFolder, bundleStamp, engineEnvironment, engineNode, newestChange, root } from './engine.mjs';

/** The version the lockfile was written with. */
const packageManager = 'pnpm@12.21.0';

const stampFolder = path.join(root, 'node_modules', '.cache', 'stamps');

/** Installs the packages of the lockfile if it differs from the installed one. Ends the process if that fails. */
export async function ensurePackages() {
  const stamp = hashOf(['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json']);
  if (readStamp('packages') === stamp) return;
  process.stderr.write('fastpostgres: installing packages\n');
  const npx = path.join(path.dirname(process.execPath), 'npx');
  const result = await runQuietly(
    existsSync(npx) ? npx : 'npx',
    ['-y', packageManager, 'install', '--frozen-lockfile'],
    {
      ...process.env,
      // Without it pnpm asks before it replaces a node_modules of another version.
      CI: '1',
      npm_config_update_notifier: 'false',
      // For packages with an addon of their own: the headers are in the package of Node itself.
      npm_config_nodedir: path.join(root, 'node_modules', `node-${process.platform}-${process.arch}`),
    },
  );
  if (result.code !== 0) {
    process.stderr.write(`${result.output}\nfastpostgres: could not install the packages (see above)\n`);
    process.exit(1);
  }
  writeStamp('packages', stamp);
}

/** Compiles the addon if its sources are newer than the last attempt; a failure costs speed, not function. */
export async function ensureAddon() {
  const script = path.join(root, 'native', 'build.mjs');
  if (!existsSync(script)) return;
  const stamp = String(newestChange([path.join(root, 'native')]));
  if (readStamp('addon') === stamp) return;
  const node = engineNode();
  const result = await runQuietly(node, [script], engineEnvironment(node));
  if (result.code !== 0) {
    const log = path.join(stampFolder, 'addon.log');
    mkdirSync(stampFolder, { recursive: true });
    writeFileSync(log, result.output);
    process.stderr.write(
      `fastpostgres: the native addon was not built (${path.relative(root, log)}); continuing without it\n`,
    );
  }
  // The attempt counts, not its success: a machine without a compiler is told once.
  writeStamp('addon', stamp);
}

/** Builds the console if its sources are newer than the built page. */
export async function ensureConsole() {
  const folder = path.join(root, 'console');
  if (!['ts', 'js', 'mjs'].some((extension) => existsSync(path.join(folder, `vite.config.${extension}`))))
    return;
  const sources = ['console', 'server/src/admin/contract.ts'].map((file) => path.join(root, file));
  const stamp = String(newestChange(sources));
  if (readStamp('console') === stamp && existsSync(path.join(folder, 'dist', 'index.html'))) return;
  const node = engineNode();
  const vite = path.join(folder, 'node_modules', 'vite', 'bin', 'vite.js');
  const result = await runQuietly(node, [vite, 'build'], engineEnvironment(node), folder);
  if (result.code !== 0) {
    process.stderr.write(
      `${result.output}\nfastpostgres: the console was not built; continuing without it\n`,
    );
    return;
  }
  writeStamp('console', stamp);
}

/** Joins the server's modules if a source is newer than the last attempt; without the bundle a start takes longer. */
export async function ensureBundle() {
  const stamp = bundleStamp();
  if (readStamp('bundle') === stamp && existsSync(path.join(bundleFolder, 'stamp'))) return;
  const node = engineNode();
  const script = path.join(root, 'scripts', 'bundle.mjs');
  const result = await runQuietly(node, [script], engineEnvironment(node));
  if (result.code === 0) writeFileSync(path.join(bundleFolder, 'stamp'), stamp);
  else
    process.stderr.write(
      `${result.output}\nfastpostgres: the modules were not joined; starting from the sources\n`,
    );
  writeStamp('bundle', stamp);
}

/** All of it, what does not depend on each other side by side. */
export async function ensureAll() {
  await ensurePackages();
  await Promise.all([ensureAddon(), ensureConsole(), ensureBundle()]);
}

/** Runs a program, keeping its output for the case of a failure. */
function runQuietly(command, commandArguments, env, cwd = root) {
  return new Promise((resolve) => {
    const child = spawn(command, commandArguments, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (bytes) => {
      output = (output + bytes.toString()).slice(-20_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', (error) => resolve({ code: 127, output: `${command}: ${error.message}` }));
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(path.join(root, file)));
  return `${process.platform}-${process.arch}-${hash.digest('hex')}`;
}

function readStamp(name) {
  const file = path.join(stampFolder, name);
  return existsSync(file) && statSync(file).isFile() ? readFileSync(file, 'utf8') : undefined;
}

function writeStamp(name, stamp) {
  mkdirSync(stampFolder, { recursive: true });
  writeFileSync(path.join(stampFolder, name), stamp);
}
