/** The admin worker: HTTP, JSON and paging beside the engine, not on its loop. */
import type { WorkerScope } from '../env/contract.ts';
import { createAdminApp } from './app.ts';
import type { AuditRecord } from './routes/context.ts';

export interface AdminStart {
  readonly host: string;
  readonly port: number;
  readonly engineHost: string;
  readonly enginePort: number;
  readonly staticRoot: string | null;
  readonly tls: { readonly certificate: string; readonly key: string } | null;
  readonly allowsPlainHttp: boolean;
  readonly metricsToken: string;
}

/** To the worker. */
export type AdminCommand =
  | { readonly kind: 'open'; readonly options: AdminStart }
  | { readonly kind: 'metrics'; readonly text: string }
  /** Answers `internal`. */
  | { readonly kind: 'internal'; readonly processId: number }
  | { readonly kind: 'close' };

/** From the worker. */
export type AdminMessage =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'audit'; readonly record: AuditRecord }
  /** A session of ours that is no part of the workload. */
  | { readonly kind: 'internal'; readonly processId: number }
  /** Asks for a `metrics` command. */
  | { readonly kind: 'metrics' }
  | { readonly kind: 'closed' };

/** The worker is spawned before the engine is loaded, so that both load side by side; it opens its door when told. */
export function start(scope: WorkerScope): void {
  let closeApp: () => Promise<void> = () => Promise.resolve();
  const waiting: ((text: string) => void)[] = [];
  const unknown = new Map<number, () => void>();
  const open = async (options: AdminStart): Promise<void> => {
    try {
      const app = await createAdminApp({
        ...options,
        environment: scope.environment,
        audit: (record) => scope.post({ kind: 'audit', record } satisfies AdminMessage),
        declareInternal: (processId) =>
          new Promise((resolve) => {
            unknown.set(processId, resolve);
            scope.post({ kind: 'internal', processId } satisfies AdminMessage);
          }),
        metrics: () =>
          new Promise((resolve) => {
            waiting.push(resolve);
            if (waiting.length === 1) scope.post({ kind: 'metrics' } satisfies AdminMessage);
          }),
      });
      closeApp = async () => {
        await app.close();
      };
      await app.listen({ host: options.host, port: options.port });
      const address = app.server.address();
      const port = typeof address === 'object' && address !== null ? address.port : options.port;
      scope.post({ kind: 'listening', port } satisfies AdminMessage);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      scope.post({ kind: 'failed', message } satisfies AdminMessage);
    }
  };
  scope.onMessage((message) => {
    const command = message as AdminCommand;
    if (command.kind === 'open') void open(command.options);
    else if (command.kind === 'internal') {
      unknown.get(command.processId)?.();
      unknown.delete(command.processId);
    } else if (command.kind === 'metrics') for (const resolve of waiting.splice(0)) resolve(command.text);
    else {
      void closeApp().then(() => {
        scope.post({ kind: 'closed' } satisfies AdminMessage);
        scope.exit();
      });
    }
  });
}
