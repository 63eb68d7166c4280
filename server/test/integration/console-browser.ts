/** A server with its console for a test, and a browser without a screen that has one session of it. */
import { expect } from 'vitest';
import type { BodyOf, EndpointKey, ResponseOf } from '../../src/admin/contract.ts';
import { createRealEnvironment } from '../../src/env/real/environment.ts';
import { type RunningServer, startServer } from '../../src/main/server.ts';

export const PASSWORD = 'correct horse';

/** `settings` as on the command line. */
export function startConsoleServer(
  root: string,
  settings: readonly (readonly [string, string])[] = [],
): Promise<RunningServer> {
  const base = createRealEnvironment(root);
  const environment = {
    ...base,
    host: {
      ...base.host,
      onSignal: () => {},
      onFatal: () => {},
      writeOut: () => {},
      writeError: () => {},
      variable: (name: string) => (name === 'FASTPOSTGRES_PASSWORD' ? PASSWORD : base.host.variable(name)),
    },
  };
  return startServer(environment, {
    dataDirectory: root,
    port: 0,
    httpPort: 0,
    host: '127.0.0.1',
    passwordFile: null,
    settings: [['log_min_duration_statement', '0'], ...settings],
  });
}

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
  readonly text: string;
  readonly headers: Headers;
}

/** A browser with one session. */
export class ConsoleBrowser {
  cookie = '';
  csrf = '';
  private readonly address: () => string;

  /** `address`: of the console, without a slash at the end. */
  constructor(address: () => string) {
    this.address = address;
  }

  async call<K extends EndpointKey>(
    key: K,
    options: {
      path?: string;
      query?: Record<string, string>;
      body?: BodyOf<K> | Record<string, unknown>;
      bytes?: Uint8Array;
      headers?: Record<string, string>;
    } = {},
  ): Promise<Answer<ResponseOf<K>>> {
    const [method, route] = key.split(' ');
    const query = options.query === undefined ? '' : `?${new URLSearchParams(options.query)}`;
    const url = `${this.address()}/api/v1${options.path ?? route}${query}`;
    const response = await fetch(url, {
      method,
      headers: {
        cookie: this.cookie,
        'x-csrf-token': this.csrf,
        ...(method === 'POST'
          ? { 'content-type': options.bytes === undefined ? 'application/json' : 'application/octet-stream' }
          : {}),
        ...options.headers,
      },
      body: method === 'GET' ? undefined : (options.bytes ?? JSON.stringify(options.body ?? {})),
    });
    const set = response.headers.get('set-cookie');
    if (set !== null) this.cookie = set.split(';')[0];
    const text = await response.text();
    let body: unknown = text;
    try {
      body = JSON.parse(text);
    } catch {
      // Not every answer is JSON.
    }
    return { status: response.status, body: body as ResponseOf<K>, text, headers: response.headers };
  }

  async login(user = 'postgres', password = PASSWORD): Promise<number> {
    const answer = await this.call('POST /login', { body: { user, password, database: 'postgres' } });
    this.csrf = answer.body.csrfToken;
    return answer.status;
  }

  async query(sql: string) {
    const answer = await this.call('POST /query', { body: { sql } });
    expect(answer.status).toBe(200);
    expect(answer.body.error).toBeNull();
    return answer.body.results;
  }
}
