/** The admin worker: HTTP, JSON and paging beside the engine, not on its loop. */
import type { WorkerScope } from '../env/contract.ts';
import { createAdminApp } from './app.ts';

export interface AdminStart {
  readonly host: string;
  readonly port: number;
  readonly engineHost: string;
  readonly enginePort: number;
  readonly staticRoot: string | null;
}

/** To the worker. */
export type AdminCommand =
  | { readonly kind: 'open'; readonly options: AdminStart }
  | { readonly kind: 'close' };

/** From the worker. */
export type AdminMessage =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'closed' };

/** The worker is spawned before the engine is loaded, so that both load side by side; it opens its door when told. */
export function start(scope: WorkerScope): void {
  let closeApp: () => Promise<void> = () => Promise.resolve();
  const open = async (options: AdminStart): Promise<void> => {
    try {
      const app = await createAdminApp({
        environment: scope.environment,
        enginePort: options.enginePort,
        engineHost: options.engineHost,
        staticRoot: options.staticRoot,
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
    if (command.kind === 'open') {
      void open(command.options);
      return;
    }
    void closeApp().then(() => {
      scope.post({ kind: 'closed' } satisfies AdminMessage);
      scope.exit();
    });
  });
}
