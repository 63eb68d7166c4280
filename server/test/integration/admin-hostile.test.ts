/** What the console must withstand: other sites' requests, roles without privileges on every route, plain HTTP, wrong tokens. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request as requestOverTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENDPOINTS, type EndpointKey } from '../../src/admin/contract.ts';
import type { RunningServer } from '../../src/main/server.ts';
import { ConsoleBrowser, PASSWORD, startConsoleServer } from './console-browser.ts';

const root = mkdtempSync(join(tmpdir(), 'fastpostgres-hostile-'));
const tokenFile = join(tmpdir(), `fastpostgres-metrics-token-${process.pid}`);
const METRICS_TOKEN = 'a token for the metrics';
let server: RunningServer;
let database: pg.Client;
const address = (): string => `http://127.0.0.1:${server.httpPort}`;
const browser = (): ConsoleBrowser => new ConsoleBrowser(address);
const admin = browser();

beforeAll(async () => {
  writeFileSync(tokenFile, `${METRICS_TOKEN}\n`);
  server = await startConsoleServer(root, [['fastpostgres.metrics_token_file', tokenFile]]);
  database = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: 'postgres',
    password: PASSWORD,
    database: 'postgres',
  });
  await database.connect();
  expect(await admin.login()).toBe(200);
}, 60_000);

afterAll(async () => {
  await database.end();
  await server.stop();
  rmSync(root, { recursive: true, force: true });
  rmSync(tokenFile, { force: true });
});

const POSTS = (Object.keys(ENDPOINTS) as EndpointKey[]).filter((key) => key.startsWith('POST '));
const filled = (key: string): string =>
  key
    .slice(key.indexOf(' ') + 1)
    .replace(':oid', '16384')
    .replace(':queryId', '1')
    .replace(':id', 'abc');

describe('requests that other sites send', () => {
  it('are refused on every route that changes something', async () => {
    await database.query('create table standing (n int)');
    const attacks: readonly Record<string, string>[] = [
      { 'x-csrf-token': '' },
      { 'x-csrf-token': 'guessed' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://127.0.0.1.evil.example:${server.httpPort}` },
      { origin: `http://localhost:${server.httpPort}` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'content-type': 'text/plain', 'x-csrf-token': '' },
      { 'content-type': 'application/x-www-form-urlencoded', 'x-csrf-token': '' },
      { 'content-type': 'multipart/form-data; boundary=x', 'x-csrf-token': '' },
    ];
    const through: string[] = [];
    for (const key of POSTS)
      for (const headers of attacks) {
        // Logging in has no session to abuse, and so no token to want.
        if (key === 'POST /login' && 'x-csrf-token' in headers && headers['content-type'] === undefined)
          continue;
        const { status } = await admin.call(key, {
          path: filled(key),
          headers,
          body: { sql: 'drop table standing', user: 'postgres', password: PASSWORD, database: 'postgres' },
        });
        if (status !== 403 && status !== 415 && !(key === 'POST /login' && status === 400))
          through.push(`${key} ${JSON.stringify(headers)}: ${status}`);
      }
    expect(through).toEqual([]);
    expect((await database.query('select count(*) from standing')).rows).toEqual([{ count: '0' }]);
    expect((await admin.call('GET /session')).status).toBe(200);
  });

  it('change nothing by GET, and get no answer they could read', async () => {
    for (const key of POSTS) {
      const response = await fetch(`${address()}/api/v1${filled(key)}`, {
        headers: { cookie: admin.cookie, 'x-csrf-token': admin.csrf },
      });
      const isAlsoGet = Object.hasOwn(ENDPOINTS, key.replace('POST', 'GET'));
      if (!isAlsoGet && response.status < 400) expect.fail(`${key} answers to GET with ${response.status}`);
    }
    const preflight = await fetch(`${address()}/api/v1/query`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
    const { headers } = await admin.call('GET /session');
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(headers.get('content-security-policy')).not.toMatch(/script-src[^;]*unsafe/);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('find nothing without a session on any route', async () => {
    for (const key of Object.keys(ENDPOINTS) as EndpointKey[]) {
      if (key === 'GET /health' || key === 'POST /login') continue;
      const { status } = await browser().call(key, { path: filled(key) });
      expect([key, status]).toEqual([key, 401]);
    }
  });
});

describe('a role without privileges', () => {
  it('sees on no route what it may not', async () => {
    const canary = 'canary7391';
    await database.query(`create schema hidden`);
    await database.query(`create table hidden.safe (id int primary key, word text, amount numeric)`);
    await database.query(
      `insert into hidden.safe select g, '${canary}' || g, 73917391 + g from generate_series(1, 500) g`,
    );
    await database.query('analyze hidden.safe');
    await database.query(`create role outsider login password 'an outsider of sorts'`);
    await database.query(`create role other login password '${canary}'`);
    await database.query(`select '${canary}' as seen_nowhere, count(*) from hidden.safe`);
    await admin.query(`select '${canary}' from hidden.safe where word = '${canary}'`);
    await admin.call('POST /saved-queries', { body: { name: canary, sql: `select '${canary}'` } });
    await admin.call('POST /workspace', { body: { value: `{"tab":"${canary}"}` } });
    await admin.call('POST /alerts', {
      body: {
        name: canary,
        metric: 'sessions',
        comparison: '>',
        threshold: 1e9,
        forSeconds: 0,
        severity: 'notice',
        isEnabled: true,
      },
    });
    await admin.call('POST /alerts/webhook', { body: { url: `http://127.0.0.1:9/${canary}` } });
    const held = await admin.query(`select word from hidden.safe`);
    const { rows } = await database.query<{ oid: number; queryid: string }>(
      `select 'hidden.safe'::regclass::oid::int as oid, (select queryid::text from pg_stat_statements where query like '%seen_nowhere%' limit 1) as queryid`,
    );
    const outsider = browser();
    expect(await outsider.login('outsider', 'an outsider of sorts')).toBe(200);
    const open = rows[0];
    const seen: string[] = [];
    const path = (key: string): string =>
      key
        .slice(key.indexOf(' ') + 1)
        .replace(':oid', String(open.oid))
        .replace(':queryId', open.queryid)
        .replace(':id', held[0].id);
    const query: Record<string, Record<string, string>> = {
      'GET /results/:id/profile': { column: '0' },
      'GET /results/:id/export': { format: 'csv' },
      'GET /catalog/diagram': { schema: 'hidden' },
      'GET /security/access': { relation: 'hidden.safe' },
      'GET /live': { topics: 'overview,sessions,statements,locks' },
    };
    const bodies: Record<string, Record<string, unknown>> = {
      'POST /rows': { id: held[0].id, offset: 0, limit: 10 },
      'POST /results/close': { id: held[0].id },
      'POST /tables/:oid/rows': { offset: 0, limit: 10 },
      'POST /tables/:oid/edits/preview': { edits: [{ kind: 'delete', key: { id: '1' } }] },
      'POST /tables/:oid/edits/apply': { edits: [{ kind: 'delete', key: { id: '1' } }] },
      'POST /query': { sql: 'select * from hidden.safe; table pg_authid; table pg_statistic' },
      'POST /query/stream': { sql: 'select * from hidden.safe' },
      'POST /explain': { sql: 'select * from hidden.safe', analyze: true },
      'POST /imports': { schema: 'hidden', table: 'safe', columns: ['id'], options: {} },
      'POST /monitor/sessions/signal': { processId: 1, action: 'terminate' },
      'POST /advisor/run': {},
      'POST /advisor/verify': { sql: 'create index on hidden.safe (word)' },
      'POST /advisor/what-if': { sql: `select * from hidden.safe where word = 'x'`, indexes: [] },
      'POST /alerts/webhook': { url: 'http://127.0.0.1:9/' },
    };
    for (const key of Object.keys(ENDPOINTS) as EndpointKey[]) {
      if (key === 'POST /logout' || key === 'POST /login') continue;
      if (key === 'GET /live') {
        const response = await fetch(`${address()}/api/v1/live?${new URLSearchParams(query[key])}`, {
          headers: { cookie: outsider.cookie },
        });
        const reader = response.body?.getReader();
        let text = '';
        for (let turn = 0; turn < 4; turn++)
          text += Buffer.from((await reader?.read())?.value ?? []).toString();
        await reader?.cancel();
        if (text.includes(canary)) seen.push(key);
        continue;
      }
      const answer = await outsider.call(key, { path: path(key), query: query[key], body: bodies[key] });
      if (answer.text.includes(canary) || answer.text.includes('7391739'))
        seen.push(`${key}: ${answer.text.slice(0, 300)}`);
      if (answer.status >= 500) seen.push(`${key} fails with ${answer.status} ${answer.text.slice(0, 200)}`);
    }
    expect(seen).toEqual([]);
    expect((await database.query('select count(*) from hidden.safe')).rows).toEqual([{ count: '500' }]);
    expect((await admin.call('GET /session')).status).toBe(200);
  });
});

describe("the console's own questions", () => {
  it('are no part of the workload', async () => {
    for (const key of [
      'GET /schema',
      'GET /catalog/schemas',
      'GET /monitor/overview',
      'GET /monitor/locks',
      'GET /monitor/health',
    ] as const)
      expect((await admin.call(key)).status).toBe(200);
    const statements = (await admin.call('GET /monitor/statements', { query: { limit: '1000' } })).body
      .statements;
    expect(
      statements.filter(({ query }) =>
        /pg_namespace|pg_locks|fastpostgres_|pg_stat_activity/.test(query ?? ''),
      ),
    ).toEqual([]);
    expect(statements.some(({ query }) => /hidden\.safe/.test(query ?? ''))).toBe(true);
    const slow = (await admin.call('GET /monitor/slow')).body.statements;
    expect(slow.filter(({ query }) => /pg_namespace|fastpostgres_/.test(query))).toEqual([]);
  });
});

describe('metrics', () => {
  it('want the token when there is one', async () => {
    const status = async (authorization?: string): Promise<number> =>
      (await fetch(`${address()}/metrics`, { headers: authorization === undefined ? {} : { authorization } }))
        .status;
    expect(await status()).toBe(401);
    expect(await status('Bearer wrong')).toBe(401);
    expect(await status(`Basic ${Buffer.from(`x:${METRICS_TOKEN}`).toString('base64')}`)).toBe(401);
    expect(await status(`Bearer ${METRICS_TOKEN}`)).toBe(200);
  });
});

describe('alerts', () => {
  it('are posted to the webhook when they begin and when they end', async () => {
    const posted: { status: string; name: string; value: number }[] = [];
    const hook = createServer((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => {
        body += part.toString();
      });
      request.on('end', () => {
        posted.push(JSON.parse(body) as (typeof posted)[number]);
        response.end();
      });
    });
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
    const { port } = hook.address() as AddressInfo;
    const rule = {
      name: 'many sessions',
      metric: 'sessions',
      comparison: '>' as const,
      threshold: 0,
      forSeconds: 0,
      severity: 'warning' as const,
      isEnabled: true,
    };
    expect(
      (await admin.call('POST /alerts/webhook', { body: { url: `http://127.0.0.1:${port}/hook` } })).status,
    ).toBe(200);
    const { id } = (await admin.call('POST /alerts', { body: rule })).body;
    const told = async (status: string): Promise<void> => {
      for (
        let turn = 0;
        turn < 100 && !posted.some((one) => one.status === status && one.name === rule.name);
        turn++
      )
        await new Promise((resolve) => setTimeout(resolve, 100));
      expect(posted.filter((one) => one.name === rule.name).map((one) => one.status)).toContain(status);
    };
    await told('firing');
    await admin.call('POST /alerts', { body: { ...rule, id, threshold: 1e9 } });
    await told('resolved');
    for (const url of ['ftp://127.0.0.1/', 'file:///etc/passwd', 'http://name:word@127.0.0.1/', 'nowhere'])
      expect([url, (await admin.call('POST /alerts/webhook', { body: { url } })).status]).toEqual([url, 400]);
    await admin.call('POST /alerts/webhook', { body: { url: null } });
    hook.close();
  }, 60_000);
});

describe('over https', () => {
  it('the cookie is a __Host- one, and browsers are told to stay', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fastpostgres-https-'));
    const file = (name: string): string => fileURLToPath(new URL(`./testdata/${name}`, import.meta.url));
    const secure = await startConsoleServer(folder, [
      ['ssl', 'on'],
      ['ssl_cert_file', file('server.crt')],
      ['ssl_key_file', file('server.key')],
    ]);
    try {
      const answer = await new Promise<{ status: number; cookie: string; transport: string }>(
        (resolve, reject) => {
          const body = JSON.stringify({ user: 'postgres', password: PASSWORD, database: 'postgres' });
          const sent = requestOverTls(
            {
              host: '127.0.0.1',
              port: secure.httpPort,
              path: '/api/v1/login',
              method: 'POST',
              ca: readFileSync(file('server.crt')),
              checkServerIdentity: () => undefined,
              headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
            },
            (response) => {
              response.resume();
              resolve({
                status: response.statusCode ?? 0,
                cookie: response.headers['set-cookie']?.[0] ?? '',
                transport: response.headers['strict-transport-security'] ?? '',
              });
            },
          );
          sent.on('error', reject);
          sent.end(body);
        },
      );
      expect(answer.status).toBe(200);
      expect(answer.cookie).toMatch(
        /^__Host-fastpostgres_console=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
      );
      expect(answer.transport).toMatch(/max-age=31536000/);
      // The same door does not speak plain HTTP.
      await expect(fetch(`http://127.0.0.1:${secure.httpPort}/api/v1/health`)).rejects.toThrow();
    } finally {
      await secure.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);
});
