/** Large objects: the functions in SQL, the FunctionCall message in both formats, savepoints, rights, a restart. */
import { connect, type Socket } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, type ServerProcess, startServerProcess } from '../process.ts';

let server: ServerProcess;
let client: pg.Client;

beforeAll(async () => {
  server = await startServerProcess();
  client = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: 'postgres',
    password: PASSWORD,
    database: 'postgres',
  });
  await client.connect();
}, 60_000);

afterAll(async () => {
  await client.end();
  await server.stop();
});

async function value(text: string): Promise<unknown> {
  const { rows } = await client.query({ text, rowMode: 'array' });
  return (rows as unknown[][])[0]?.[0];
}

/** A connection that speaks the protocol by hand. */
class Wire {
  private readonly socket: Socket;
  private received = Buffer.alloc(0);
  private wake: () => void = () => {};

  constructor(path: string) {
    this.socket = connect(path);
    this.socket.on('data', (bytes) => {
      this.received = Buffer.concat([this.received, bytes]);
      this.wake();
    });
  }

  startup(): Promise<[string, Buffer][]> {
    const words = Buffer.from('user\0postgres\0database\0postgres\0\0');
    const head = Buffer.alloc(8);
    head.writeInt32BE(8 + words.length, 0);
    head.writeInt32BE(196608, 4);
    return this.exchange(Buffer.concat([head, words]));
  }

  query(text: string): Promise<[string, Buffer][]> {
    return this.exchange(message('Q', Buffer.from(`${text}\0`)));
  }

  call(oid: number, format: number, values: readonly Buffer[]): Promise<[string, Buffer][]> {
    const parts = [int32(oid), int16(1), int16(format), int16(values.length)];
    for (const bytes of values) parts.push(int32(bytes.length), bytes);
    parts.push(int16(format));
    return this.exchange(message('F', Buffer.concat(parts)));
  }

  end(): void {
    this.socket.destroy();
  }

  /** Messages up to ReadyForQuery. */
  private async exchange(bytes: Buffer): Promise<[string, Buffer][]> {
    this.socket.write(bytes);
    const messages: [string, Buffer][] = [];
    for (;;) {
      while (this.received.length < 5 || this.received.length < 1 + this.received.readInt32BE(1))
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      const length = 1 + this.received.readInt32BE(1);
      const kind = String.fromCharCode(this.received[0]!);
      messages.push([kind, this.received.subarray(5, length)]);
      this.received = this.received.subarray(length);
      if (kind === 'Z') return messages;
    }
  }
}

function int32(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(number);
  return bytes;
}

function int16(number: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(number);
  return bytes;
}

function message(kind: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(kind), int32(4 + body.length), body]);
}

describe('large objects', () => {
  it('are bytes that can be read, written, stretched and cut anywhere', async () => {
    expect(await value(`select lo_from_bytea(4711, '\\xdeadbeef')`)).toBe(4711);
    await client.query(`select lo_put(4711, 4094, '\\x010203')`);
    expect(await value('select length(lo_get(4711))')).toBe(4097);
    expect(await value('select lo_get(4711, 4092, 10)')).toEqual(Buffer.from([0, 0, 1, 2, 3]));
    expect(await value('select count(*)::int from pg_largeobject where loid = 4711')).toBe(3);
    await client.query('begin');
    expect(await value(`select lo_open(4711, x'60000'::int)`)).toBe(0);
    expect(await value('select lo_lseek64(0, -1, 2)')).toBe('4096');
    expect(await value(`select lowrite(0, 'abc')`)).toBe(3);
    expect(await value('select lo_tell(0)')).toBe(4099);
    await client.query('select lo_truncate64(0, 3)');
    expect(await value('select lo_get(4711)')).toEqual(Buffer.from([0xde, 0xad, 0xbe]));
    await client.query('select lo_truncate(0, 4096)');
    expect(await value('select length(lo_get(4711))')).toBe(4096);
    await client.query('rollback');
    expect(await value('select length(lo_get(4711))')).toBe(4097);
  });

  it('follow savepoints, and descriptors end with their transaction', async () => {
    await client.query('begin; savepoint s');
    const made = await value('select lo_create(0)');
    await client.query(`select lo_open(${made}, 131072)`);
    await client.query('rollback to s');
    await expect(client.query('select lo_tell(0)')).rejects.toMatchObject({
      code: '42704',
      message: 'invalid large-object descriptor: 0',
    });
    await client.query('rollback');
    await expect(client.query(`select lo_get(${made})`)).rejects.toMatchObject({ code: '42704' });
  });

  it('have owners and rights', async () => {
    await client.query('create role reader; grant select on large object 4711 to reader; set role reader');
    expect(await value('select length(lo_get(4711))')).toBe(4097);
    await expect(client.query(`select lo_put(4711, 0, 'x')`)).rejects.toMatchObject({
      code: '42501',
      message: 'permission denied for large object 4711',
    });
    await expect(client.query('select lo_unlink(4711)')).rejects.toMatchObject({
      message: 'must be owner of large object 4711',
    });
    await client.query('reset role; alter large object 4711 owner to reader');
    expect(await value('select lomowner::regrole::text from pg_largeobject_metadata')).toBe('reader');
    expect(await value('select lo_unlink(4711)')).toBe(1);
    await client.query('drop role reader');
  });
});

describe('FunctionCall', () => {
  const LO_CREAT = 957;
  const LO_GET = 3458;
  const PI = 1610;

  it('calls functions in both formats and joins transactions', async () => {
    const wire = new Wire(server.socketPath);
    await wire.startup();
    const [[kind, body], ready] = (await wire.call(LO_CREAT, 1, [int32(-1)])) as [
      [string, Buffer],
      [string, Buffer],
    ];
    expect(kind).toBe('V');
    expect(ready[1].toString()).toBe('I');
    const oid = body.readUInt32BE(4);
    expect(await value(`select count(*)::int from pg_largeobject_metadata where oid = ${oid}`)).toBe(1);
    const text = await wire.call(PI, 0, []);
    expect(text[0]![1].subarray(4).toString()).toBe('3.141592653589793');
    await wire.query('begin');
    const refused = await wire.call(LO_GET, 0, [Buffer.from('1')]);
    expect(refused.map(([letter]) => letter)).toEqual(['E', 'Z']);
    expect(refused[1]![1].toString()).toBe('E');
    await wire.query('rollback');
    const missing = await wire.call(1, 0, []);
    expect(missing[0]![1].toString()).toContain('C42883');
    wire.end();
  });
});
