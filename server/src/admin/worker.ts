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

export type AdminMessage =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'closed' };

export async function start(scope: WorkerScope): Promise<void> {
  const options = scope.data as AdminStart;
  const app = await createAdminApp({
    environment: scope.environment,
    enginePort: options.enginePort,
    engineHost: options.engineHost,
    staticRoot: options.staticRoot,
  });
  scope.onMessage((message) => {
    if (message !== 'close') return;
    void app.close().then(() => {
      scope.post({ kind: 'closed' } satisfies AdminMessage);
      scope.exit();
    });
  });
  try {
    await app.listen({ host: options.host, port: options.port });
    const address = app.server.address();
    const port = typeof address === 'object' && address !== null ? address.port : options.port;
    scope.post({ kind: 'listening', port } satisfies AdminMessage);
  } catch (error) {
    scope.post({
      kind: 'failed',
      message: error instanceof Error ? error.message : String(error),
    } satisfies AdminMessage);
  }
}
