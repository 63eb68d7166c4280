/**
 * Compiles the addon to build/<platform>-<arch>/fastpostgres.node. Plain JavaScript for Node 20 and later, no build tool.
 *
 * Every file of dispatch/simd.cc is compiled once per instruction set; all objects are hash-stamped, so that a second run does nothing.
 * Without a compiler it says so in one line and ends with 0: the server then runs on its twins.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const target = path.join(here, 'build', `${process.platform}-${process.arch}`);
const output = path.join(target, 'fastpostgres.node');
const stampFile = path.join(target, 'stamp');
const compiler = process.env.CXX || 'g++';

const common = [
  '-std=c++20',
  '-O3',
  '-fPIC',
  '-fvisibility=hidden',
  '-fno-exceptions',
  '-fno-rtti',
  '-fno-strict-aliasing',
  '-DNAPI_VERSION=9',
];
/** Warnings do not cost a user the addon: another compiler knows others. */
const warnings = ['-Wall', '-Wextra', '-Wno-psabi'];

/** Object files: name, source, extra flags. */
function units() {
  const families = readdirSync(path.join(here, 'kernels')).sort();
  const list = families.map((family) => ({
    name: `${family}_scalar`,
    source: `kernels/${family}/${family}_scalar.cc`,
    flags: [],
  }));
  list.push({ name: 'dispatch', source: 'dispatch/dispatch.cc', flags: [] });
  list.push({ name: 'addon', source: 'napi/addon.cc', flags: [] });
  if (process.arch === 'x64') {
    list.push({
      name: 'simd_sse42',
      source: 'dispatch/simd.cc',
      flags: ['-DKERNEL_ISA=sse42', '-msse4.2', '-mpopcnt'],
    });
    list.push({
      name: 'simd_avx2',
      source: 'dispatch/simd.cc',
      flags: ['-DKERNEL_ISA=avx2', '-mavx2', '-mbmi', '-mbmi2', '-mpopcnt'],
    });
  }
  return list;
}

function sources() {
  const found = [];
  const walk = (folder) => {
    for (const entry of readdirSync(path.join(here, folder), { withFileTypes: true })) {
      const name = path.join(folder, entry.name);
      if (entry.isDirectory()) walk(name);
      else if (/\.(?:cc|h|inl)$/.test(entry.name)) found.push(name);
    }
  };
  for (const folder of ['dispatch', 'include', 'kernels', 'napi']) walk(folder);
  return found.sort();
}

function run(commandArguments) {
  return spawnSync(compiler, commandArguments, { cwd: here, encoding: 'utf8' });
}

function fail(message) {
  rmSync(output, { force: true });
  process.stdout.write(`fastpostgres: native addon not built: ${message}; the server runs without it\n`);
}

function main() {
  if (!['x64', 'arm64'].includes(process.arch) || process.platform === 'win32') {
    fail(`${process.platform} on ${process.arch} is not supported`);
    return 0;
  }
  const version = run(['-dumpfullversion', '-dumpversion']);
  if (version.error || version.status !== 0) {
    fail(`no C++ compiler (${compiler})`);
    return 0;
  }
  const require = createRequire(import.meta.url);
  let headers;
  try {
    headers = require('node-api-headers').include_dir;
  } catch {
    fail('package node-api-headers is not installed');
    return 0;
  }
  const hash = createHash('sha256')
    .update(version.stdout)
    .update(readFileSync(fileURLToPath(import.meta.url)));
  for (const file of sources()) hash.update(file).update(readFileSync(path.join(here, file)));
  const stamp = hash.digest('hex');
  if (existsSync(output) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return 0;
  mkdirSync(target, { recursive: true });
  const objects = [];
  for (const unit of units()) {
    const object = path.join(target, `${unit.name}.o`);
    const result = run([
      ...common,
      ...warnings,
      ...unit.flags,
      '-isystem',
      headers,
      '-c',
      unit.source,
      '-o',
      object,
    ]);
    if (result.status !== 0) {
      process.stderr.write(result.stderr);
      fail(`${unit.source} does not compile`);
      return 1;
    }
    objects.push(object);
  }
  // Linked aside and renamed: a running server keeps the old file.
  const fresh = `${output}.new`;
  const linked = run(['-shared', '-static-libstdc++', '-static-libgcc', '-o', fresh, ...objects]);
  if (linked.status !== 0) {
    process.stderr.write(linked.stderr);
    fail('linking failed');
    return 1;
  }
  renameSync(fresh, output);
  writeFileSync(stampFile, stamp);
  return 0;
}

process.exitCode = main();
