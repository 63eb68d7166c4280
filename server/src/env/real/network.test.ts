import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Address, Connection, TlsContext } from '../contract.ts';
import { RealNetwork } from './network.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'fastpostgres-net-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

const network = new RealNetwork();

function echo(connection: Connection): void {
  connection.start({
    data: (bytes) => void connection.write(bytes),
    end: () => connection.end(),
    drain: () => {},
    close: () => {},
  });
}

async function exchange(connection: Connection, sent: Uint8Array): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  await new Promise<unknown>((resolve) => {
    connection.start({
      data: (bytes) => void pieces.push(bytes),
      end: () => {},
      drain: () => {},
      close: resolve,
    });
    connection.cork();
    for (let start = 0; start < sent.length; start += 5000)
      connection.write(sent.subarray(start, start + 5000));
    connection.uncork();
    connection.end();
  });
  return Buffer.concat(pieces);
}

const sent = new Uint8Array(1_000_000).map((_, index) => index * 31);

test.each<[string, () => Address]>([
  ['tcp', () => ({ kind: 'tcp', host: '127.0.0.1', port: 0 })],
  ['unix', () => ({ kind: 'unix', path: join(directory, 's') })],
])('%s: bytes go round, half-close works', async (_, address) => {
  const listener = await network.listen(address(), echo, { socketMode: 0o700 });
  const connection = await network.dial(listener.address);
  expect(Buffer.compare(await exchange(connection, sent), sent)).toBe(0);
  await listener.close();
  await expect(network.dial(listener.address)).rejects.toMatchObject({
    code: expect.stringMatching(/ECONN|ENOENT/),
  });
});

test('a port in use is refused, a busy Unix socket too', async () => {
  for (const asked of [
    { kind: 'tcp', host: '127.0.0.1', port: 0 },
    { kind: 'unix', path: join(directory, 'busy') },
  ] satisfies Address[]) {
    const listener = await network.listen(asked, echo);
    await expect(network.listen(listener.address, echo)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await listener.close();
  }
});

test('destroy reaches both handlers once', async () => {
  let serverClosed!: (error: unknown) => void;
  const whenServerClosed = new Promise<unknown>((resolve) => (serverClosed = resolve));
  const listener = await network.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }, (connection) => {
    connection.start({
      data: () => connection.destroy(),
      end: () => {},
      drain: () => {},
      close: serverClosed,
    });
  });
  const client = await network.dial(listener.address);
  const closed = exchange(client, new Uint8Array(1));
  await Promise.all([whenServerClosed, closed]);
  client.write(new Uint8Array(1));
  client.destroy();
  await listener.close();
});

test('TLS on an accepted connection; wrong keys are refused by name', async () => {
  const key = join(directory, 'server.key');
  const certificate = join(directory, 'server.crt');
  const command = `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout ${key} -out ${certificate}`;
  execFileSync('openssl', command.split(' '), { stdio: 'ignore' });
  const context = network.createTlsContext({
    certificate: readFileSync(certificate, 'utf8'),
    key: readFileSync(key, 'utf8'),
    authorities: readFileSync(certificate, 'utf8'),
  });
  const sessions: unknown[] = [];
  const listener = await network.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }, (connection) => {
    // As the protocol does: one byte in clear asks for TLS, one byte answers.
    connection.start({
      data: (bytes) => {
        if (connection.tls) return void connection.write(bytes);
        connection.write(new Uint8Array([83]));
        const started = connection.startTls({ role: 'server', context, requestClientCertificate: true });
        started.then(
          () => sessions.push(connection.tls),
          () => {},
        );
      },
      end: () => connection.end(),
      drain: () => {},
      close: () => {},
    });
  });
  const authorities = readFileSync(certificate, 'utf8');
  const dialTls = async (clientContext: TlsContext) => {
    const client = await network.dial(listener.address);
    await new Promise<void>((resolve) => {
      client.start({ data: () => resolve(), end: () => {}, drain: () => {}, close: () => {} });
      client.write(new Uint8Array([1]));
    });
    await client.startTls({ role: 'client', context: clientContext, serverName: 'localhost', verify: true });
    return client;
  };
  const client = await dialTls(network.createTlsContext({ authorities }));
  expect(client.tls?.protocol).toBe('TLSv1.3');
  expect(client.tls?.isPeerVerified).toBe(true);
  expect(Buffer.compare(await exchange(client, sent), sent)).toBe(0);
  expect(sessions).toMatchObject([
    { protocol: 'TLSv1.3', isPeerVerified: false, peerCertificate: undefined },
  ]);
  const known = await dialTls(context);
  expect(Buffer.compare(await exchange(known, sent), sent)).toBe(0);
  expect(sessions[1]).toMatchObject({ isPeerVerified: true, peerCertificate: expect.any(Uint8Array) });
  await expect(dialTls(network.createTlsContext({}))).rejects.toMatchObject({ code: 'ETLS' });
  expect(() => network.createTlsContext({ certificate: 'x', key: 'y' })).toThrow(
    /could not load certificate or key/,
  );
  await listener.close();
});
