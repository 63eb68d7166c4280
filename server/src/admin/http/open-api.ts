/** The contract as an OpenAPI document, and as a page that needs no script. */
import type { TSchema } from 'typebox';
import { API_PREFIX, CSRF_HEADER, ENDPOINTS, type Endpoint } from '../contract.ts';

interface Properties {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
}

function parametersOf(schema: TSchema | undefined, place: 'path' | 'query'): object[] {
  const { properties = {}, required = [] } = (schema ?? {}) as Properties;
  return Object.entries(properties).map(([name, value]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: value,
  }));
}

/** OpenAPI 3.1: TypeBox schemas are JSON Schema as they stand. */
export function openApiDocument(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [key, value] of Object.entries(ENDPOINTS)) {
    const endpoint: Endpoint = value;
    const [method, path] = key.split(' ');
    const url = API_PREFIX + path.replaceAll(/:(\w+)/g, '{$1}');
    const isOpen = key === 'GET /health' || key === 'POST /login';
    const parameters = [...parametersOf(endpoint.params, 'path'), ...parametersOf(endpoint.query, 'query')];
    if (method === 'POST' && !isOpen)
      parameters.push({ name: CSRF_HEADER, in: 'header', required: true, schema: { type: 'string' } });
    paths[url] ??= {};
    paths[url][method.toLowerCase()] = {
      summary: endpoint.summary,
      tags: [path.split('/')[1]],
      ...(isOpen ? { security: [] } : {}),
      ...(parameters.length > 0 ? { parameters } : {}),
      ...(endpoint.body === undefined
        ? {}
        : { requestBody: { content: { 'application/json': { schema: endpoint.body } } } }),
      responses: {
        200: {
          description: 'done',
          ...(endpoint.response === undefined
            ? {}
            : { content: { 'application/json': { schema: endpoint.response } } }),
        },
        default: { description: 'an ApiError' },
      },
    };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'FastPostgres admin API', version: '1' },
    components: {
      securitySchemes: { session: { type: 'apiKey', in: 'cookie', name: '__Host-fastpostgres_console' } },
    },
    security: [{ session: [] }],
    paths,
  };
}

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export function openApiPage(): string {
  const rows = Object.entries(ENDPOINTS).map(([key, value]) => {
    const endpoint: Endpoint = value;
    const [method, path] = key.split(' ');
    const part = (title: string, schema: TSchema | undefined): string =>
      schema === undefined
        ? ''
        : `<details><summary>${title}</summary><pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre></details>`;
    return `<tr><td><code>${method}</code></td><td><code>${escapeHtml(API_PREFIX + path)}</code></td><td>${escapeHtml(endpoint.summary)}${part('Path', endpoint.params)}${part('Query', endpoint.query)}${part('Body', endpoint.body)}${part('Answer', endpoint.response)}</td></tr>`;
  });
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>FastPostgres admin API</title><style>
body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color-scheme:light dark}
td{vertical-align:top;padding:.3rem .6rem;border-top:1px solid #8884}pre{overflow:auto}</style></head>
<body><h1>FastPostgres admin API</h1><p>As a document: <a href="${API_PREFIX}/openapi.json">openapi.json</a>. Every POST carries the header <code>${CSRF_HEADER}</code>.</p>
<table>${rows.join('\n')}</table></body></html>`;
}
