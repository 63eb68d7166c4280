/** Calls of the admin API. Routes and types come from the contract the server is built on. */
import type {
  ApiError,
  BodyOf,
  EndpointKey,
  ParamsOf,
  QueryOf,
  ResponseOf,
  SessionInfo,
} from '../../../server/src/admin/contract.ts';

export type * from '../../../server/src/admin/contract.ts';

const PREFIX = '/api/v1';

/** An answer that is not a success. Status 0: there was no answer. */
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
let onLoggedOut: () => void = () => {};

/** Called when the server says that the session has ended. */
export function setLoggedOutHandler(handler: () => void): void {
  onLoggedOut = handler;
}

export interface Input<K extends EndpointKey> {
  readonly params?: ParamsOf<K>;
  readonly query?: QueryOf<K>;
  readonly body?: BodyOf<K>;
  readonly signal?: AbortSignal;
}

/** The address of a route with its parameters filled in. */
export function addressOf<K extends EndpointKey>(key: K, input: Input<K> = {}): string {
  const params = (input.params ?? {}) as Readonly<Record<string, string | number>>;
  const path = key
    .slice(key.indexOf(' ') + 1)
    .replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name])));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries((input.query ?? {}) as Record<string, unknown>)) {
    if (value !== undefined && value !== null) search.set(name, String(value));
  }
  const query = search.toString();
  return `${PREFIX}${path}${query === '' ? '' : `?${query}`}`;
}

async function send(address: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, { ...init, credentials: 'same-origin' });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new RequestError(0, { code: 'unreachable', message: 'The server does not answer.' });
  }
  if (response.ok) return response;
  const body = (await response
    .json()
    .catch(() => ({ code: 'unreadable', message: response.statusText }))) as ApiError;
  const failure = new RequestError(response.status, body);
  if (response.status === 401 && !/\/(?:login|session)$/.test(address)) onLoggedOut();
  throw failure;
}

/** Calls a route by its key, for example `'GET /monitor/sessions'`. */
export async function request<K extends EndpointKey>(key: K, input: Input<K> = {}): Promise<ResponseOf<K>> {
  const isGet = key.startsWith('GET ');
  const response = await send(addressOf(key, input), {
    method: isGet ? 'GET' : 'POST',
    headers: isGet ? {} : { 'content-type': 'application/json', 'x-csrf-token': csrfToken },
    body: isGet ? undefined : JSON.stringify(input.body ?? {}),
    signal: input.signal,
  });
  return (await response.json()) as ResponseOf<K>;
}

/** Posts bytes to a route that takes a piece of a file. */
export async function sendBytes<K extends EndpointKey>(
  key: K,
  input: Input<K>,
  bytes: Blob,
): Promise<ResponseOf<K>> {
  const response = await send(addressOf(key, input), {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', 'x-csrf-token': csrfToken },
    body: bytes,
    signal: input.signal,
  });
  return (await response.json()) as ResponseOf<K>;
}

function remember(info: SessionInfo): SessionInfo {
  csrfToken = info.csrfToken;
  return info;
}

export const login = async (body: BodyOf<'POST /login'>): Promise<SessionInfo> =>
  remember(await request('POST /login', { body }));
export const currentSession = async (): Promise<SessionInfo> => remember(await request('GET /session'));
