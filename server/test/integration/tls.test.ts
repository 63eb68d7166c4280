/** TLS on the same port, as libpq and the drivers ask for it: SSLRequest, handshake, SCRAM bound to the channel. */
import { readFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, type ServerProcess, startServerProcess } from '../process.ts';

const certificateFile = fileURLToPath(new URL('./testdata/server.crt', import.meta.url));
const keyFile = fileURLToPath(new URL('./testdata/server.key', import.meta.url));
let server: ServerProcess;

beforeAll(async () => {
  server = await startServerProcess([
    'ssl=on',
    `ssl_cert_file=${certificateFile}`,
    `ssl_key_file=${keyFile}`,
  ]);
}, 60_000);

afterAll(async () => {
  await server.stop();
});

function client(options: pg.ClientConfig): pg.Client {
  return new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: 'postgres',
    database: 'postgres',
    password: PASSWORD,
    ...options,
  });
}

/** Sends bytes, resolves with what has come when the server hung up or `until` bytes are there. */
function exchange(bytes: Buffer, until: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(server.port, '127.0.0.1');
    let answer = Buffer.alloc(0);
    socket.on('data', (piece) => {
      answer = Buffer.concat([answer, piece]);
      if (answer.length >= until) socket.destroy();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
    socket.write(bytes);
  });
}

const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

describe('TLS', () => {
  it('encrypts, with the certificate checked', async () => {
    const secure = client({ ssl: { ca: readFileSync(certificateFile, 'utf8') } });
    await secure.connect();
    const { rows } = await secure.query("select 'over ' || 'TLS' as text, repeat('x', 300000) as long");
    expect(rows[0].text).toBe('over TLS');
    expect(rows[0].long).toHaveLength(300_000);
    const told = await secure.query(
      'select ssl, version, bits from pg_stat_ssl where pid = pg_backend_pid()',
    );
    expect(told.rows).toEqual([{ ssl: true, version: 'TLSv1.3', bits: expect.any(Number) }]);
    await secure.end();
  });

  it('binds SCRAM to the channel', async () => {
    const bound = client({
      ssl: { rejectUnauthorized: false },
      enableChannelBinding: true,
    } as pg.ClientConfig);
    await bound.connect();
    expect((await bound.query('select current_user as name')).rows).toEqual([{ name: 'postgres' }]);
    await bound.end();
  });

  it('refuses a wrong password inside as outside', async () => {
    const wrong = client({ ssl: { rejectUnauthorized: false }, password: 'wrong' });
    await expect(wrong.connect()).rejects.toMatchObject({ code: '28P01' });
    await wrong.end().catch(() => {});
  });

  it('still serves those who do not ask', async () => {
    const plain = client({});
    await plain.connect();
    expect((await plain.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await plain.end();
  });

  it('answers S to an SSLRequest, and refuses clear text sent along with it', async () => {
    expect((await exchange(sslRequest, 1)).toString()).toBe('S');
    // Bytes that came before the handshake may be a stranger's: nothing of them is taken.
    const startup = Buffer.from('\0\0\0\x12\0\x03\0\0user\0postgres\0\0', 'latin1');
    const answer = await exchange(Buffer.concat([sslRequest, startup]), 100);
    expect(answer.includes('Z\0\0\0\x05I')).toBe(false);
    expect(answer.includes('SCRAM')).toBe(false);
  });
});
