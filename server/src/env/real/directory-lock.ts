/**
 * Exclusive ownership of a data directory.
 *
 * Two locks, since Node offers no flock:
 * 1. On Linux an abstract Unix socket named after the directory's device and inode. The kernel grants the name to one
 *    process of the network namespace and frees it at that process's death: no stale state, no race.
 * 2. A lock file made with O_EXCL that holds the process id, the start time of that process and the boot it belongs
 *    to. It covers other namespaces and systems and tells people who holds the directory. A file whose process is
 *    gone (or whose id now belongs to a later process) is taken over.
 *
 * Crash     the file stays; the next start finds its process dead and takes it over.
 */

import * as fs from 'node:fs';
import * as net from 'node:net';
import type { DirectoryLock } from '../contract.ts';
import { EnvironmentError } from '../contract.ts';
import { translateError } from './errors.ts';

/** Locks this process holds: worker threads and tests share its id, so the file alone cannot tell. */
const heldHere = new Set<string>();

/** See the module comment. `lockPath` is absolute and inside `root`. */
export async function lockDirectory(root: string, lockPath: string): Promise<DirectoryLock> {
  let identity: string;
  try {
    const status = fs.statSync(root, { bigint: true });
    identity = `${status.dev}-${status.ino}`;
  } catch (error) {
    throw translateError(error, 'open directory', root);
  }
  if (heldHere.has(identity)) throw lockedBy(root, process.pid);
  heldHere.add(identity);
  let socket: net.Server | undefined;
  try {
    socket = await takeSocket(root, identity, lockPath);
    takeFile(root, lockPath);
  } catch (error) {
    heldHere.delete(identity);
    socket?.close();
    throw error;
  }
  let isReleased = false;
  return {
    async release() {
      if (isReleased) return;
      isReleased = true;
      // The file first: whoever gets the socket must not find our file gone a moment later.
      fs.rmSync(lockPath, { force: true });
      heldHere.delete(identity);
      if (socket) await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}

function takeSocket(root: string, identity: string, lockPath: string): Promise<net.Server | undefined> {
  if (process.platform !== 'linux') return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const server = net.createServer((connection) => connection.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') reject(lockedBy(root, readHolder(lockPath)?.processId));
      else resolve(undefined); // Sandboxes may forbid abstract sockets; the file remains.
    });
    server.listen(`\0fastpostgres-${identity}`, () => {
      server.unref();
      resolve(server);
    });
  });
}

function takeFile(root: string, lockPath: string): void {
  const attemptsMax = 5;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    try {
      const descriptor = fs.openSync(lockPath, 'wx', 0o600);
      try {
        fs.writeSync(
          descriptor,
          `${process.pid}\n${root}\n${startOf(process.pid) ?? ''}\n${bootIdentity()}\n`,
        );
        fs.fsyncSync(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
      return;
    } catch (error) {
      const translated = translateError(error, 'create lock file', lockPath);
      if (translated.code !== 'EEXIST') throw translated;
    }
    const holder = readHolder(lockPath);
    if (holder && isAlive(holder)) throw lockedBy(root, holder.processId);
    fs.rmSync(lockPath, { force: true });
  }
  throw lockedBy(root, undefined);
}

interface Holder {
  readonly processId: number;
  readonly start: string;
  readonly boot: string;
}

function readHolder(lockPath: string): Holder | undefined {
  try {
    const lines = fs.readFileSync(lockPath, 'utf8').split('\n');
    const processId = Number.parseInt(lines[0] ?? '', 10);
    if (!Number.isInteger(processId) || processId <= 0) return undefined;
    return { processId, start: lines[2] ?? '', boot: lines[3] ?? '' };
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.boot !== '' && holder.boot !== bootIdentity()) return false;
  try {
    process.kill(holder.processId, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const start = startOf(holder.processId);
  // A container restart often gives the same id to the new process: the start time tells them apart.
  return start === undefined || holder.start === '' || start === holder.start;
}

/** Start time in clock ticks since boot: field 22 of /proc/PID/stat, counted after the parenthesised name. */
function startOf(processId: number): string | undefined {
  try {
    const text = fs.readFileSync(`/proc/${processId}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function bootIdentity(): string {
  try {
    return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

function lockedBy(root: string, processId: number | undefined): EnvironmentError {
  const holder = processId === undefined ? 'another process' : `process ${processId}`;
  return new EnvironmentError('ELOCKED', root, `data directory "${root}" is in use by ${holder}`);
}
