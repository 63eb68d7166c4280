/** The admin worker's life: spawned, opened, closed. */
import { fileURLToPath } from 'node:url';
import type { AdminCommand, AdminMessage, AdminStart } from '../admin/worker.ts';
import { DbError } from '../base/error.ts';
import type { Environment, WorkerHandle } from '../env/contract.ts';

export interface RunningAdmin {
  readonly port: number;
  close(): Promise<void>;
}

const CLOSE_MILLIS_MAX = 2000;

/** Directory of the built console, or null. */
async function consoleRoot(environment: Environment): Promise<string | null> {
  const root = fileURLToPath(new URL('../../../console/dist', import.meta.url));
  const index = await environment
    .diskAt(root)
    .stat('index.html')
    .catch(() => undefined);
  return index === undefined ? null : root;
}

/** Spawned early: the worker loads its modules while the engine loads its own. */
export function spawnAdmin(environment: Environment): WorkerHandle {
  return environment.workers.spawn(new URL('../admin/worker.ts', import.meta.url), { name: 'admin' });
}

/** Opens the console's door on a spawned worker. */
export async function openAdmin(
  environment: Environment,
  worker: WorkerHandle,
  options: { host: string; httpPort: number; enginePort: number },
): Promise<RunningAdmin> {
  const start: AdminStart = {
    host: options.host,
    port: options.httpPort,
    engineHost: options.host === '0.0.0.0' ? '127.0.0.1' : options.host,
    enginePort: options.enginePort,
    staticRoot: await consoleRoot(environment),
  };
  const port = await new Promise<number>((resolve, reject) => {
    worker.onMessage((message) => {
      const answer = message as AdminMessage;
      if (answer.kind === 'listening') resolve(answer.port);
      else if (answer.kind === 'failed')
        reject(new DbError('io_error', `could not start the console: ${answer.message}`));
    });
    worker.onExit((error) =>
      reject(new DbError('io_error', `the console's worker ended: ${error?.message ?? 'no reason given'}`)),
    );
    worker.post({ kind: 'open', options: start } satisfies AdminCommand);
  });
  return { port, close: () => closeWorker(environment, worker) };
}

/** Asks it to end; after a while it is ended. */
async function closeWorker(environment: Environment, worker: WorkerHandle): Promise<void> {
  let isEnded = false;
  const ended = new Promise<void>((resolve) => {
    worker.onExit(() => {
      isEnded = true;
      resolve();
    });
  });
  worker.post({ kind: 'close' } satisfies AdminCommand);
  await Promise.race([ended, environment.clock.sleep(CLOSE_MILLIS_MAX)]);
  if (!isEnded) await worker.terminate();
}
