/**
 * Small loops over `File` and `Disk` that everyone needs: complete reads and writes, whole files, safe replacement.
 */

import type { Disk, File } from './contract.ts';
import { EnvironmentError } from './contract.ts';

/** Writes all of `source`, repeating short writes. */
export async function writeFully(file: File, offset: number, source: Uint8Array): Promise<void> {
  let done = 0;
  while (done < source.length) {
    const count = await file.write(offset + done, done === 0 ? source : source.subarray(done));
    if (count <= 0)
      throw new EnvironmentError('EIO', file.path, `write of file "${file.path}" made no progress`);
    done += count;
  }
}

/** As `writeFully`, blocking. */
export function writeFullySync(file: File, offset: number, source: Uint8Array): void {
  let done = 0;
  while (done < source.length) {
    const count = file.writeSync(offset + done, done === 0 ? source : source.subarray(done));
    if (count <= 0)
      throw new EnvironmentError('EIO', file.path, `write of file "${file.path}" made no progress`);
    done += count;
  }
}

/** Reads until `target` is full or the file ends; returns the bytes read. */
export async function readFully(file: File, offset: number, target: Uint8Array): Promise<number> {
  let done = 0;
  while (done < target.length) {
    const count = await file.read(offset + done, done === 0 ? target : target.subarray(done));
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** As `readFully`, blocking. */
export function readFullySync(file: File, offset: number, target: Uint8Array): number {
  let done = 0;
  while (done < target.length) {
    const count = file.readSync(offset + done, done === 0 ? target : target.subarray(done));
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** The whole file as bytes; undefined if it does not exist. For small files (settings, superblocks, certificates). */
export async function readWholeFile(disk: Disk, path: string): Promise<Uint8Array | undefined> {
  let file: File;
  try {
    file = await disk.open(path, 'read');
  } catch (error) {
    if (error instanceof EnvironmentError && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const target = new Uint8Array(await file.size());
    const count = await readFully(file, 0, target);
    return count === target.length ? target : target.subarray(0, count);
  } finally {
    await file.close();
  }
}

/**
 * Replaces a small file so that after a crash either the old or the new contents are there, never a mixture.
 *
 * 1. write `path.tmp`, sync its data   (crash: old file, a stray .tmp)
 * 2. rename over `path`                (crash: either)
 * 3. sync the directory                (from here on: new)
 */
export async function replaceFile(disk: Disk, path: string, contents: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await disk.open(temporary, 'create');
  try {
    await file.truncate(0);
    await writeFully(file, 0, contents);
    await file.dataSync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, path);
  const slash = path.lastIndexOf('/');
  await disk.syncDirectory(slash < 0 ? '' : path.slice(0, slash));
}

/**
 * Checks and normalises a path of the contract: relative, `/` between parts, no empty, `.` or `..` parts, no NUL.
 * Errors    EINVAL.
 */
export function normalizePath(path: string): string {
  if (path === '') return '';
  if (path.startsWith('/') || path.includes('\0')) throw invalidPath(path);
  const parts = path.split('/');
  for (const part of parts) if (part === '' || part === '.' || part === '..') throw invalidPath(path);
  return path;
}

function invalidPath(path: string): EnvironmentError {
  return new EnvironmentError(
    'EINVAL',
    path,
    `path "${path.replaceAll('\0', '\\0')}" is not inside the directory`,
  );
}
