/** Registers the contract's endpoints with Fastify: schemas, session, token and types from one place. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ConsoleSession } from '../console-sessions.ts';
import {
  API_PREFIX,
  type BodyOf,
  ENDPOINTS,
  type Endpoint,
  type EndpointKey,
  type ParamsOf,
  type QueryOf,
  type ResponseOf,
} from '../contract.ts';

/** What a handler gets. */
export interface Call<K extends EndpointKey> {
  readonly session: ConsoleSession;
  readonly params: ParamsOf<K>;
  readonly query: QueryOf<K>;
  readonly body: BodyOf<K>;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export interface Guards {
  /** The session of the request's cookie; throws without one. */
  session(request: FastifyRequest): ConsoleSession;
  /** Changes come from our own page only. */
  ownPage(request: FastifyRequest, session: ConsoleSession): void;
}

export type Handler<K extends EndpointKey> = (call: Call<K>) => Promise<ResponseOf<K>>;

export class Router {
  readonly registered = new Set<EndpointKey>();
  private readonly app: FastifyInstance;
  private readonly guards: Guards;

  constructor(app: FastifyInstance, guards: Guards) {
    this.app = app;
    this.guards = guards;
  }

  /** A route for logged-in people. */
  on<K extends EndpointKey>(key: K, handler: Handler<K>): void {
    this.add(key, async (request, reply) => handler(this.call<K>(key, request, reply)));
  }

  /** A route whose handler sends the answer itself (files, streams). */
  raw<K extends EndpointKey>(key: K, handler: (call: Call<K>) => Promise<FastifyReply>): void {
    this.add(key, async (request, reply) => handler(this.call<K>(key, request, reply)));
  }

  /** A route without a session. */
  open<K extends EndpointKey>(
    key: K,
    handler: (request: FastifyRequest, reply: FastifyReply, body: BodyOf<K>) => Promise<ResponseOf<K>>,
  ): void {
    this.add(key, async (request, reply) => handler(request, reply, request.body as BodyOf<K>));
  }

  private call<K extends EndpointKey>(key: K, request: FastifyRequest, reply: FastifyReply): Call<K> {
    const session = this.guards.session(request);
    if (!key.startsWith('GET ')) this.guards.ownPage(request, session);
    return {
      session,
      params: request.params as ParamsOf<K>,
      query: request.query as QueryOf<K>,
      body: request.body as BodyOf<K>,
      request,
      reply,
    };
  }

  private add(
    key: EndpointKey,
    handler: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>,
  ): void {
    this.registered.add(key);
    const endpoint: Endpoint = ENDPOINTS[key];
    const [method, path] = key.split(' ') as ['GET' | 'POST', string];
    this.app.route({
      method,
      url: API_PREFIX + path,
      schema: {
        ...(endpoint.params === undefined ? {} : { params: endpoint.params }),
        ...(endpoint.query === undefined ? {} : { querystring: endpoint.query }),
        ...(endpoint.body === undefined ? {} : { body: endpoint.body }),
        ...(endpoint.response === undefined ? {} : { response: { 200: endpoint.response } }),
      },
      // Who is not logged in learns nothing of what a request should look like.
      preValidation: async (request) => {
        if (key === 'GET /health' || key === 'POST /login') return;
        const session = this.guards.session(request);
        if (method === 'POST') this.guards.ownPage(request, session);
      },
      handler,
    });
  }
}
