/** Calls of the admin API. Types come from the contract the server is built on. */
import type {
  ActivityResponse,
  ApiError,
  LoginRequest,
  QueryResponse,
  RowsResponse,
  SchemaResponse,
  SessionInfo,
} from '../../../server/src/admin/contract.ts';

export type {
  ActivityResponse,
  ApiError,
  Cell,
  LoginRequest,
  QueryResponse,
  ResultColumn,
  SchemaTable,
  SessionInfo,
  StatementResult,
} from '../../../server/src/admin/contract.ts';

const PREFIX = '/api/v1';

/** An answer that is not a success. */
export class RequestError extends Error {
  readonly status: number;
  readonly body: ApiError;
  constructor(status: number, body: ApiError) {
    super(body.message);
    this.status = status;
    this.body = body;
  }
}

let csrfToken = '';

async function call<T>(
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const headers: Record<string, string> = {};
  if (method === 'POST') {
    headers['content-type'] = 'application/json';
    headers['x-csrf-token'] = csrfToken;
  }
  let response: Response;
  try {
    response = await fetch(PREFIX + path, {
      method,
      headers,
      body: method === 'POST' ? JSON.stringify(body ?? {}) : undefined,
      signal,
      credentials: 'same-origin',
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new RequestError(0, { code: 'unreachable', message: 'The server does not answer.' });
  }
  const content = (await response
    .json()
    .catch(() => ({ code: 'unreadable', message: response.statusText }))) as unknown;
  if (!response.ok) throw new RequestError(response.status, content as ApiError);
  return content as T;
}

async function remember(session: Promise<SessionInfo>): Promise<SessionInfo> {
  const info = await session;
  csrfToken = info.csrfToken;
  return info;
}

export const api = {
  session: (): Promise<SessionInfo> => remember(call('GET', '/session')),
  login: (request: LoginRequest): Promise<SessionInfo> => remember(call('POST', '/login', request)),
  logout: (): Promise<void> => call('POST', '/logout'),
  query: (sql: string): Promise<QueryResponse> => call('POST', '/query', { sql }),
  rows: (id: string, offset: number, limit: number): Promise<RowsResponse> =>
    call('POST', '/rows', { id, offset, limit }),
  cancel: (): Promise<void> => call('POST', '/cancel'),
  schema: (signal?: AbortSignal): Promise<SchemaResponse> => call('GET', '/schema', undefined, signal),
  activity: (signal?: AbortSignal): Promise<ActivityResponse> => call('GET', '/activity', undefined, signal),
};
