/** Sockets of Node: TCP, Unix sockets, TLS on top. */

import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import * as net from 'node:net';
import * as tls from 'node:tls';
import type {
  Address,
  Connection,
  ConnectionHandler,
  Listener,
  ListenOptions,
  Network,
  TlsContext,
  TlsContextOptions,
  TlsSession,
  TlsStart,
} from '../contract.ts';
import { EnvironmentError } from '../contract.ts';
import { translateError } from './errors.ts';

/** Byte streams of the operating system. */
export class RealNetwork implements Network {
  async listen(
    address: Address,
    accept: (connection: Connection) => void,
    options?: ListenOptions,
  ): Promise<Listener> {
    if (address.kind === 'unix') await removeStaleSocket(address.path);
    return new Promise((resolve, reject) => {
      // allowHalfOpen: a client may close its sending side and still read our answers. pauseOnConnect: no byte is
      // read before the owner called start().
      const server = net.createServer(
        { allowHalfOpen: true, pauseOnConnect: true, noDelay: true },
        (socket) => {
          accept(new RealConnection(socket, address));
        },
      );
      const failed = (error: Error) => reject(translateError(error, 'listen on', textOf(address)));
      server.once('error', failed);
      const target =
        address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
      server.listen({ ...target, backlog: options?.backlog ?? 511 }, () => {
        server.off('error', failed);
        // EMFILE on accept and the like: the listener lives on, the client retries.
        server.on('error', () => {});
        if (address.kind === 'unix' && options?.socketMode !== undefined) {
          chmodSync(address.path, options.socketMode);
        }
        resolve(new RealListener(server, address));
      });
    });
  }

  dial(address: Address, options?: { readonly timeoutMillis?: number }): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const target =
        address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
      const socket = net.connect({ ...target, allowHalfOpen: true, noDelay: true });
      const timer =
        options?.timeoutMillis === undefined
          ? undefined
          : setTimeout(() => {
              const subject = textOf(address);
              socket.destroy(
                new EnvironmentError('ETIMEDOUT', subject, `could not connect to "${subject}": timeout`),
              );
            }, options.timeoutMillis);
      const failed = (error: Error) => {
        clearTimeout(timer);
        reject(translateError(error, 'connect to', textOf(address)));
      };
      socket.once('error', failed);
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.off('error', failed);
        socket.pause();
        resolve(new RealConnection(socket, address));
      });
    });
  }

  createTlsContext(options: TlsContextOptions): TlsContext {
    try {
      const context = tls.createSecureContext({
        cert: options.certificate,
        key: options.key,
        passphrase: options.keyPassphrase,
        ca: options.authorities,
        crl: options.revocationList,
        minVersion: options.minimumVersion ?? 'TLSv1.2',
        maxVersion: options.maximumVersion,
        ciphers: options.ciphers,
      });
      return new RealTlsContext(context);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new EnvironmentError(
        'ETLS',
        'certificate',
        `could not load certificate or key: ${reason}`,
        error,
      );
    }
  }
}

class RealTlsContext implements TlsContext {
  readonly tlsContextBrand = 'tls-context';
  readonly secureContext: tls.SecureContext;
  constructor(secureContext: tls.SecureContext) {
    this.secureContext = secureContext;
  }
}

class RealListener implements Listener {
  readonly address: Address;
  private readonly server: net.Server;

  constructor(server: net.Server, asked: Address) {
    this.server = server;
    const actual = server.address();
    this.address =
      asked.kind === 'tcp' && actual !== null && typeof actual === 'object'
        ? { kind: 'tcp', host: asked.host, port: actual.port }
        : asked;
  }

  close(): Promise<void> {
    // net.Server.close waits for open connections; accepting stops at once, which is all that is promised.
    this.server.close();
    return Promise.resolve();
  }
}

class RealConnection implements Connection {
  readonly remote: Address;
  readonly local: Address;
  tls: TlsSession | undefined;
  private socket: net.Socket;
  private handler: ConnectionHandler | undefined;
  private error: EnvironmentError | undefined;
  private isClosed = false;

  constructor(socket: net.Socket, listened: Address) {
    this.socket = socket;
    if (listened.kind === 'tcp') {
      this.remote = { kind: 'tcp', host: plainHost(socket.remoteAddress), port: socket.remotePort ?? 0 };
      this.local = { kind: 'tcp', host: plainHost(socket.localAddress), port: socket.localPort ?? 0 };
    } else {
      this.remote = listened;
      this.local = listened;
    }
    this.attach(socket);
  }

  get bufferedBytes(): number {
    return this.socket.writableLength;
  }

  start(handler: ConnectionHandler): void {
    const isFirst = this.handler === undefined;
    this.handler = handler;
    if (this.isClosed) {
      queueMicrotask(() => handler.close(this.error));
    } else if (isFirst) {
      this.socket.resume();
    }
  }

  write(bytes: Uint8Array, flushed?: () => void): boolean {
    if (this.isClosed || this.socket.destroyed || this.socket.writableEnded) return true;
    return flushed === undefined ? this.socket.write(bytes) : this.socket.write(bytes, () => flushed());
  }

  cork(): void {
    this.socket.cork();
  }

  uncork(): void {
    this.socket.uncork();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    if (!this.socket.destroyed) this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  keepAlive(idleMillis: number): void {
    this.socket.setKeepAlive(true, idleMillis);
  }

  startTls(options: TlsStart): Promise<void> {
    const plain = this.socket;
    this.detach(plain);
    const context = (options.context as RealTlsContext).secureContext;
    return new Promise((resolve, reject) => {
      const protocols = options.applicationProtocols;
      const secure =
        options.role === 'server'
          ? new tls.TLSSocket(plain, {
              isServer: true,
              secureContext: context,
              requestCert: options.requestClientCertificate ?? false,
              rejectUnauthorized: false,
              ...(protocols ? { ALPNProtocols: [...protocols] } : {}),
            })
          : tls.connect({
              socket: plain,
              secureContext: context,
              rejectUnauthorized: options.verify,
              ...(options.serverName === undefined || net.isIP(options.serverName) !== 0
                ? {}
                : { servername: options.serverName }),
              ...(options.serverName === undefined ? { checkServerIdentity: () => undefined } : {}),
              ...(protocols ? { ALPNProtocols: [...protocols] } : {}),
            });
      let isSettled = false;
      const failed = (error: Error | undefined) => {
        if (isSettled) return;
        isSettled = true;
        const reason = error?.message ?? 'connection closed during the handshake';
        this.error = new EnvironmentError(
          'ETLS',
          textOf(this.remote),
          `could not start TLS: ${reason}`,
          error,
        );
        plain.destroy();
        this.finish();
        reject(this.error);
      };
      secure.on('error', failed);
      secure.once('close', () => failed(undefined));
      // While TLS lies on top, errors of the plain socket surface on the secure one.
      plain.on('error', failed);
      const ready = () => {
        if (isSettled) return;
        isSettled = true;
        this.socket = secure;
        this.tls = sessionOf(secure);
        this.attach(secure);
        resolve();
        if (this.handler) secure.resume();
      };
      if (options.role === 'server') secure.once('secure', ready);
      else secure.once('secureConnect', ready);
      plain.resume();
    });
  }

  private readonly onData = (bytes: Uint8Array) => this.handler?.data(bytes);
  private readonly onEnd = () => this.handler?.end();
  private readonly onDrain = () => this.handler?.drain();
  private readonly onError = (error: Error) => {
    this.error ??= translateError(error, 'use connection from', textOf(this.remote));
  };
  private readonly onClose = () => this.finish();

  private attach(socket: net.Socket): void {
    // A 'data' listener alone would start the flow; the explicit pause keeps it stopped until start().
    if (this.handler === undefined) socket.pause();
    socket.on('data', this.onData);
    socket.on('end', this.onEnd);
    socket.on('drain', this.onDrain);
    socket.on('error', this.onError);
    socket.on('close', this.onClose);
  }

  private detach(socket: net.Socket): void {
    socket.pause();
    socket.off('data', this.onData);
    socket.off('end', this.onEnd);
    socket.off('drain', this.onDrain);
    socket.off('error', this.onError);
    socket.off('close', this.onClose);
  }

  private finish(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.handler?.close(this.error);
  }
}

function sessionOf(socket: tls.TLSSocket): TlsSession {
  const cipher = socket.getCipher() as { name?: string; standardName?: string } | undefined;
  const name = cipher?.name ?? '';
  const certificate = socket.getPeerCertificate() as { raw?: Uint8Array } | undefined;
  return {
    protocol: socket.getProtocol() ?? '',
    cipher: name,
    bits: name.includes('128') ? 128 : 256,
    peerCertificate: certificate?.raw,
    isPeerVerified: certificate?.raw !== undefined && isVerified(socket),
  };
}

/**
 * Node sets `authorized` only for sockets of its own tls.Server or tls.connect; a server-side upgrade must ask the
 * handle, as tls.Server does. Without that method nothing counts as verified.
 */
function isVerified(socket: tls.TLSSocket): boolean {
  if (socket.authorized) return true;
  const handle = (socket as unknown as { _handle?: { verifyError?: () => Error | null } })._handle;
  return typeof handle?.verifyError === 'function' && !handle.verifyError();
}

/** Removes the socket file of a server that died; a socket someone listens on is left, and listening then fails. */
function removeStaleSocket(path: string): Promise<void> {
  try {
    if (!lstatSync(path).isSocket()) return Promise.resolve();
  } catch {
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    const probe = net.connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve();
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') {
        try {
          unlinkSync(path);
        } catch {
          // Listening will report what is wrong.
        }
      }
      resolve();
    });
  });
}

/** IPv4 addresses arrive as ::ffff:127.0.0.1 on a dual-stack socket. */
function plainHost(host: string | undefined): string {
  if (host === undefined) return '';
  return host.startsWith('::ffff:') && host.includes('.') ? host.slice('::ffff:'.length) : host;
}

function textOf(address: Address): string {
  if (address.kind === 'unix') return address.path;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
