/** This process and this machine. */

import { statfsSync, writeSync } from 'node:fs';
import * as os from 'node:os';
import type { Host } from '../contract.ts';

/** The one host of a process. */
export const realHost: Host = {
  processId: process.pid,
  platform: process.platform,
  architecture: process.arch,
  runtimeVersion: process.version,
  hostName: os.hostname(),
  totalMemoryBytes: os.totalmem(),
  get userName() {
    try {
      return os.userInfo().username;
    } catch {
      return ''; // A container may run under an id without a name.
    }
  },
  arguments: process.argv.slice(2),
  variable(name) {
    return process.env[name];
  },
  memoryUsage() {
    const usage = process.memoryUsage();
    return { residentBytes: usage.rss, heapUsedBytes: usage.heapUsed, externalBytes: usage.external };
  },
  processorMicros() {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  diskSpace(path) {
    try {
      const { bsize, blocks, bavail } = statfsSync(path);
      return { totalBytes: bsize * blocks, freeBytes: bsize * bavail };
    } catch {
      return null;
    }
  },
  async postJson(url, body, timeoutMillis) {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMillis),
      });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  },
  writeOut(text) {
    writeStandard(1, text);
  },
  writeError(text) {
    writeStandard(2, text);
  },
  onSignal(signal, handler) {
    process.on(signal, handler);
  },
  onFatal(handler) {
    process.on('uncaughtException', handler);
    process.on('unhandledRejection', handler);
  },
  exit(code) {
    process.exit(code);
  },
};

/** Synchronous, so that the last words before an exit arrive; a full or closed pipe must not end the server. */
function writeStandard(descriptor: number, text: string): void {
  let rest: Uint8Array = Buffer.from(text, 'utf8');
  for (let attempt = 0; rest.length > 0 && attempt < 100; attempt++) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
    }
  }
}
