/** The admin worker's life: spawned, opened, closed. */
import { fileURLToPath } from 'node:url';
import type { AuditRecord } from '../admin/routes/context.ts';
import type { AdminCommand, AdminMessage, AdminStart } from '../admin/worker.ts';
import { DbError } from '../base/error.ts';
import type { Environment, WorkerHandle } from '../env/contract.ts';
import type { ServerSettings } from '../session/settings/session-settings.ts';
import { readCertificate, readText } from './tls.ts';

export interface RunningAdmin {
  readonly port: number;
  close(): Promise<void>;
}

const CLOSE_MILLIS_MAX = 2000;
/** Held results live outside the heap; a worker that fills it is ended alone. */
const ADMIN_HEAP_MEGABYTES = 768;

/** Directory of the built console, or null. */
async function consoleRoot(environment: Environment): Promise<string | null> {
  const root = fileURLToPath(new URL('../../../console/dist', import.meta.url));
  const index = await environment
    .diskAt(root)
    .stat('index.html')
    .catch(() => undefined);
  return index === undefined ? null : root;
}

/** The first line of the file; '' without one. */
async function metricsToken(environment: Environment, path: string): Promise<string> {
  return path === '' ? '' : (await readText(environment, path)).split('\n')[0].trim();
}

/** Spawned early: the worker loads its modules while the engine loads its own. */
export function spawnAdmin(environment: Environment): WorkerHandle {
  return environment.workers.spawn(new URL('../admin/worker.ts', import.meta.url), {
    name: 'admin',
    heapMegabytes: ADMIN_HEAP_MEGABYTES,
  });
}

/** Opens the console's door on a spawned worker. */
export async function openAdmin(
  environment: Environment,
  worker: WorkerHandle,
  options: {
    host: string;
    httpPort: number;
    enginePort: number;
    settings: ServerSettings;
    audit: (record: AuditRecord) => void;
    metrics: () => Promise<string>;
    /** A session of the console that is no part of the workload. */
    declareInternal: (processId: number) => void;
  },
): Promise<RunningAdmin> {
  const { settings } = options;
  const start: AdminStart = {
    host: options.host,
    port: options.httpPort,
    engineHost: options.host === '0.0.0.0' ? '127.0.0.1' : options.host,
    enginePort: options.enginePort,
    staticRoot: await consoleRoot(environment),
    tls: await readCertificate(environment, settings),
    allowsPlainHttp: settings.get('fastpostgres.console_allow_http') === 'on',
    metricsToken: await metricsToken(environment, settings.get('fastpostgres.metrics_token_file')),
  };
  const port = await new Promise<number>((resolve, reject) => {
    worker.onMessage((message) => {
      const answer = message as AdminMessage;
      if (answer.kind === 'listening') resolve(answer.port);
      else if (answer.kind === 'audit') options.audit(answer.record);
      else if (answer.kind === 'internal') {
        options.declareInternal(answer.processId);
        worker.post({ kind: 'internal', processId: answer.processId } satisfies AdminCommand);
      } else if (answer.kind === 'metrics')
        void options.metrics().then((text) => worker.post({ kind: 'metrics', text } satisfies AdminCommand));
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
