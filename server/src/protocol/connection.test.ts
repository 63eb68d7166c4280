import { describe, expect, it } from 'vitest';
import { DbError } from '../base/error.ts';
import type { Clock, Connection, ConnectionHandler } from '../env/contract.ts';
import type { Pending, ResultSink, Session, SessionHost, SessionOptions } from '../session/contract.ts';
import { typeSupport } from '../types/index.ts';
import { ClientConnection, type ConnectionServices } from './connection.ts';
import {
  bind,
  concat,
  cString,
  execute,
  int32,
  message,
  parse,
  query,
  startup,
  sync,
} from './wire/testing.ts';

/** A socket whose output is kept. */
class FakeSocket implements Connection {
  readonly remote = { kind: 'tcp', host: '127.0.0.1', port: 5000 } as const;
  readonly local = { kind: 'tcp', host: '127.0.0.1', port: 5432 } as const;
  readonly tls = undefined;
  bufferedBytes = 0;
  handler: ConnectionHandler | null = null;
  readonly written: Uint8Array[] = [];
  isEnded = false;
  start(handler: ConnectionHandler): void {
    this.handler = handler;
  }
  write(bytes: Uint8Array): boolean {
    this.written.push(new Uint8Array(bytes));
    return true;
  }
  cork(): void {}
  uncork(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {
    this.isEnded = true;
  }
  destroy(): void {
    this.isEnded = true;
  }
  keepAlive(): void {}
  startTls(): Promise<void> {
    return Promise.reject(new Error('not here'));
  }
  send(bytes: Uint8Array): void {
    this.handler?.data(bytes);
  }
  /** Type letters of the messages written since the last call. */
  take(): string {
    const bytes = concat(this.written);
    this.written.length = 0;
    let types = '';
    for (let at = 0; at < bytes.length; ) {
      types += String.fromCharCode(bytes[at]);
      if (bytes[at] === 0x4e && at + 1 === bytes.length) break;
      at += 1 + ((bytes[at + 1] << 24) | (bytes[at + 2] << 16) | (bytes[at + 3] << 8) | bytes[at + 4]);
    }
    return types;
  }
  /** Code of the last error written. */
  lastText(): string {
    return new TextDecoder().decode(concat(this.written));
  }
}

const clock = {
  monotonicMicros: () => 0,
  setTimer: () => ({}),
  clearTimer: () => {},
  nextTurn: (callback: () => void) => queueMicrotask(callback),
} as unknown as Clock;

/** A session that answers by a script: `error` fails, `wait` is pending, `copy` reads data. */
class ScriptedSession implements Session {
  readonly processId = 7;
  readonly secretKey = 99;
  transactionStatus: 'I' | 'T' | 'E' = 'I';
  copyInActive = false;
  onTerminate: ((error: DbError) => void) | null = null;
  readonly calls: string[] = [];
  isClosed = false;
  private readonly sink: ResultSink;
  private release: (() => void) | null = null;

  constructor(sink: ResultSink) {
    this.sink = sink;
  }
  initialParameters(): Iterable<readonly [string, string]> {
    return [['server_version', '15.18']];
  }
  simpleQuery(text: string): Pending {
    this.calls.push(`query ${text}`);
    if (text === 'error') throw new DbError('syntax_error', 'no');
    if (text === 'fatal') throw new DbError('admin_shutdown', 'bye').fatal();
    if (text === 'wait' || text === 'copy') {
      if (text === 'copy') {
        this.copyInActive = true;
        this.sink.copyInResponse(0, [0]);
      }
      return new Promise((resolve) => {
        this.release = () => {
          this.sink.commandComplete('DONE');
          resolve();
        };
      });
    }
    this.sink.commandComplete('SELECT 0');
    return null;
  }
  finish(): void {
    this.release?.();
  }
  parse(_name: string, text: string): Pending {
    this.calls.push(`parse ${text}`);
    if (text === 'error') throw new DbError('syntax_error', 'no');
    this.sink.parseComplete();
    return null;
  }
  bind(): Pending {
    this.calls.push('bind');
    this.sink.bindComplete();
    return null;
  }
  describeStatement(): Pending {
    this.sink.noData();
    return null;
  }
  describePortal(): Pending {
    this.sink.noData();
    return null;
  }
  execute(): Pending {
    this.calls.push('execute');
    this.sink.commandComplete('SELECT 1');
    return null;
  }
  closeStatement(): Pending {
    this.sink.closeComplete();
    return null;
  }
  closePortal(): Pending {
    this.sink.closeComplete();
    return null;
  }
  sync(): Pending {
    this.calls.push('sync');
    return null;
  }
  copyData(bytes: Uint8Array): Pending {
    this.calls.push(`data ${new TextDecoder().decode(bytes)}`);
    return null;
  }
  copyDone(): Pending {
    this.calls.push('done');
    this.copyInActive = false;
    this.finish();
    return null;
  }
  copyFail(reason: string): Pending {
    this.calls.push(`fail ${reason}`);
    this.copyInActive = false;
    this.finish();
    return null;
  }
  functionCall(): Promise<Uint8Array | null> {
    return Promise.resolve(null);
  }
  cancel(): void {
    this.calls.push('cancel');
  }
  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

function connect(): { socket: FakeSocket; session: () => ScriptedSession; cancelled: number[][] } {
  const socket = new FakeSocket();
  let session: ScriptedSession | null = null;
  const cancelled: number[][] = [];
  const host: SessionHost = {
    logins: { lookup: () => null, databaseExists: () => true },
    openSession: (options: SessionOptions) => {
      session = new ScriptedSession(options.sink);
      return session;
    },
    cancel: (processId, secretKey) => cancelled.push([processId, secretKey]),
  };
  const services: ConnectionServices = {
    clock,
    host,
    authenticator: {
      begin: () => ({ start: () => ({ kind: 'accepted' }), respond: () => ({ kind: 'accepted' }) }),
    },
    tlsContext: () => null,
    channelBinding: () => null,
    typeSupport,
    authenticationTimeoutMillis: () => 60_000,
    reportInternalError: (error) => new DbError('internal_error', String(error)),
    closed: () => {},
  };
  new ClientConnection(socket, services);
  return { socket, session: () => session as unknown as ScriptedSession, cancelled };
}

const SSL_REQUEST = concat([int32(8), int32(80877103)]);
const GSS_REQUEST = concat([int32(8), int32(80877104)]);
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('client connection', () => {
  it('refuses TLS and GSS politely, once each, then starts', () => {
    const { socket } = connect();
    socket.send(SSL_REQUEST);
    expect(socket.take()).toBe('N');
    socket.send(GSS_REQUEST);
    expect(socket.take()).toBe('N');
    socket.send(startup({ user: 'alice' }));
    expect(socket.take()).toBe('RSKZ');
    const second = connect();
    second.socket.send(SSL_REQUEST);
    second.socket.take();
    second.socket.send(SSL_REQUEST);
    expect(second.socket.lastText()).toContain('08P01');
    expect(second.socket.isEnded).toBe(true);
  });

  it('starts at every split of its bytes', () => {
    const bytes = concat([
      startup({ user: 'alice', database: 'db' }),
      query('select 1'),
      parse('', 'x'),
      bind('', ''),
      execute(),
      sync,
    ]);
    for (let split = 0; split <= bytes.length; split++) {
      const { socket } = connect();
      socket.send(bytes.slice(0, split));
      socket.send(bytes.slice(split));
      expect(socket.take()).toBe('RSKZCZ12CZ');
    }
  });

  it('answers a protocol it does not speak and a missing user', () => {
    const old = connect();
    old.socket.send(startup({ user: 'a' }, 0x20000));
    expect(old.socket.lastText()).toContain('unsupported frontend protocol 2.0');
    const nobody = connect();
    nobody.socket.send(startup({}));
    expect(nobody.socket.lastText()).toContain('28000');
    const newer = connect();
    newer.socket.send(startup({ user: 'a', '_pq_.fancy': '1' }, 0x30002));
    expect(newer.socket.take()).toBe('vRSKZ');
  });

  it('skips to Sync after an error of the extended protocol', () => {
    const { socket, session } = connect();
    socket.send(startup({ user: 'a' }));
    socket.take();
    socket.send(
      concat([parse('', 'error'), bind('', ''), execute(), query('ignored'), sync, query('select 1')]),
    );
    expect(socket.take()).toBe('EZCZ');
    expect(session().calls).toEqual(['parse error', 'sync', 'query select 1']);
  });

  it('keeps the order of pipelined messages while a statement runs', async () => {
    const { socket, session } = connect();
    socket.send(startup({ user: 'a' }));
    socket.take();
    socket.send(concat([query('wait'), query('select 1')]));
    expect(session().calls).toEqual(['query wait']);
    session().finish();
    await settle();
    expect(session().calls).toEqual(['query wait', 'query select 1']);
    expect(socket.take()).toBe('CZCZ');
  });

  it('feeds COPY data to the statement that waits for it and ignores Sync meanwhile', async () => {
    const { socket, session } = connect();
    socket.send(startup({ user: 'a' }));
    socket.take();
    socket.send(query('copy'));
    expect(socket.take()).toBe('G');
    socket.send(
      concat([
        message('d', new TextEncoder().encode('1\n')),
        sync,
        message('d', new TextEncoder().encode('2\n')),
        message('c'),
      ]),
    );
    await settle();
    expect(session().calls).toEqual(['query copy', 'data 1\n', 'data 2\n', 'done']);
    expect(socket.take()).toBe('CZ');
    socket.send(concat([message('d', new Uint8Array(3)), message('f', cString('late')), query('select 1')]));
    expect(socket.take()).toBe('CZ');
  });

  it('ends with the error of a broken message and closes the session', () => {
    const { socket, session } = connect();
    socket.send(startup({ user: 'a' }));
    socket.take();
    socket.send(message('B', cString('x')));
    expect(socket.lastText()).toContain('08P01');
    expect(socket.isEnded).toBe(true);
    expect(session().isClosed).toBe(true);
  });

  it('passes CancelRequest on and says nothing', () => {
    const { socket, cancelled } = connect();
    socket.send(concat([int32(16), int32(80877102), int32(7), int32(99)]));
    expect(cancelled).toEqual([[7, 99]]);
    expect(socket.take()).toBe('');
    expect(socket.isEnded).toBe(true);
  });

  it('ends the session when the client goes away, and on FATAL', () => {
    const { socket, session } = connect();
    socket.send(startup({ user: 'a' }));
    socket.handler?.end();
    expect(session().isClosed).toBe(true);
    const other = connect();
    other.socket.send(startup({ user: 'a' }));
    other.socket.take();
    other.socket.send(query('fatal'));
    expect(other.socket.lastText()).toContain('57P01');
    expect(other.socket.isEnded).toBe(true);
  });

  it('survives random message streams without an exception', () => {
    let state = 99;
    const random = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    const pieces = [
      query('select 1'),
      query('error'),
      parse('', 'x'),
      bind('', ''),
      execute(),
      sync,
      message('H'),
      message('c'),
      message('d'),
      message('X'),
      message('p'),
    ];
    for (let round = 0; round < 2000; round++) {
      const { socket } = connect();
      const stream = concat([
        startup({ user: 'a' }),
        ...Array.from({ length: random(8) }, () => pieces[random(pieces.length)]),
      ]);
      for (let flips = random(4); flips > 0; flips--) stream[random(stream.length)] = random(256);
      const split = random(stream.length);
      socket.send(stream.slice(0, split));
      socket.send(stream.slice(split));
    }
  });
});
