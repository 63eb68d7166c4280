/** Starts the admin worker and waits until it listens. */
import { fileURLToPath } from 'node:url';
import type { AdminMessage, AdminStart } from '../admin/worker.ts';
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

export async function startAdmin(
  environment: Environment,
  options: { host: string; httpPort: number; enginePort: number },
): Promise<RunningAdmin> {
  const data: AdminStart = {
    host: options.host,
    port: options.httpPort,
    engineHost: options.host === '0.0.0.0' ? '127.0.0.1' : options.host,
    enginePort: options.enginePort,
    staticRoot: await consoleRoot(environment),
  };
  const worker = environment.workers.spawn(new URL('../admin/worker.ts', import.meta.url), {
    name: 'admin',
    data,
  });
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
  worker.post('close');
  await Promise.race([ended, environment.clock.sleep(CLOSE_MILLIS_MAX)]);
  if (!isEnded) await worker.terminate();
}
