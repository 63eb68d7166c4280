import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  readFully,
  readFullySync,
  readWholeFile,
  replaceFile,
  writeFully,
  writeFullySync,
} from '../file-helpers.ts';
import { RealDisk } from './disk.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fastpostgres-disk-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

test('reads back what was written, blocking or not, in one or many parts', async () => {
  const disk = new RealDisk(root);
  await disk.mkdir('a/b');
  const file = await disk.open('a/b/f', 'create-new');
  const parts = Array.from({ length: 3000 }, (_, index) => new Uint8Array(index % 7).fill(index));
  await file.writeAll(5, parts);
  const expected = Buffer.concat(parts);
  const target = new Uint8Array(expected.length);
  expect(await readFully(file, 5, target)).toBe(expected.length);
  expect(Buffer.compare(target, expected)).toBe(0);
  file.writeAllSync(10_005, parts);
  expect(readFullySync(file, 10_005, target)).toBe(expected.length);
  expect(Buffer.compare(target, expected)).toBe(0);
  await writeFully(file, 0, new Uint8Array([1, 2]));
  writeFullySync(file, 2, new Uint8Array([3]));
  const shared = new Uint8Array(new SharedArrayBuffer(4));
  expect(await file.read(0, shared)).toBe(4);
  expect([...shared]).toEqual([1, 2, 3, 0]);
  expect(await file.read(1e9, shared)).toBe(0);
  await file.dataSync();
  file.dataSyncSync();
  await file.close();
  await expect(file.close()).rejects.toMatchObject({ code: 'EBADF' });
  await expect(file.write(0, shared)).rejects.toMatchObject({ code: 'EBADF' });
});

test('sizes: truncate, preallocate', async () => {
  const disk = new RealDisk(root);
  const file = await disk.open('f', 'create');
  await file.write(0, new Uint8Array([7]));
  await file.preallocate(3 * 1024 * 1024 + 17);
  expect(await file.size()).toBe(3 * 1024 * 1024 + 17);
  await file.preallocate(5);
  expect(file.sizeSync()).toBe(3 * 1024 * 1024 + 17);
  const target = new Uint8Array(3);
  file.readSync(0, target);
  expect([...target]).toEqual([7, 0, 0]);
  await file.truncate(1);
  expect(file.sizeSync()).toBe(1);
  await file.close();
});

test('names: rename, unlink, list, stat, errors with codes', async () => {
  const disk = new RealDisk(root);
  await expect(disk.open('f', 'read')).rejects.toMatchObject({ code: 'ENOENT', subject: 'f' });
  await expect(disk.open('../f', 'create')).rejects.toMatchObject({ code: 'EINVAL' });
  await replaceFile(disk, 'f', new Uint8Array([1]));
  await replaceFile(disk, 'f', new Uint8Array([2, 3]));
  expect([...(await readWholeFile(disk, 'f'))!]).toEqual([2, 3]);
  expect(await readWholeFile(disk, 'none')).toBeUndefined();
  await disk.rename('f', 'g');
  await disk.mkdir('d');
  await disk.syncDirectory('');
  expect(await disk.list('')).toEqual(['d', 'g']);
  expect(await disk.stat('g')).toMatchObject({ sizeBytes: 2, isDirectory: false });
  expect(await disk.stat('f')).toBeUndefined();
  await expect(disk.unlink('f')).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(disk.list('g')).rejects.toMatchObject({ code: 'ENOTDIR' });
  await disk.unlink('g');
  await disk.removeDirectory('d');
  expect(await disk.free()).toBeGreaterThan(0);
});

const holder = `
  const { RealDisk } = await import(process.argv[1]);
  await new RealDisk(process.argv[2]).lock('postmaster.pid');
  console.log('locked');
  setInterval(() => {}, 1000);
`;

function hold(directory: string) {
  const module = fileURLToPath(new URL('./disk.ts', import.meta.url));
  return spawn(process.execPath, ['--input-type=module', '-e', holder, module, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

test('a directory belongs to one process; a killed one leaves it to the next', async () => {
  const child = hold(root);
  await new Promise((resolve) => child.stdout!.once('data', resolve));
  const disk = new RealDisk(root);
  await expect(disk.lock('postmaster.pid')).rejects.toMatchObject({
    code: 'ELOCKED',
    message: `data directory "${root}" is in use by process ${child.pid}`,
  });
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
  expect(readFileSync(join(root, 'postmaster.pid'), 'utf8')).toMatch(new RegExp(`^${child.pid}\n`));
  const lock = await disk.lock('postmaster.pid');
  await expect(new RealDisk(root).lock('postmaster.pid')).rejects.toMatchObject({ code: 'ELOCKED' });
  await lock.release();
  expect(await disk.list('')).toEqual([]);
});

test('a lock file whose process id was given to another process is taken over', async () => {
  writeFileSync(join(root, 'postmaster.pid'), `${process.pid}\n${root}\n1\n\n`);
  const lock = await new RealDisk(root).lock('postmaster.pid');
  await lock.release();
});
