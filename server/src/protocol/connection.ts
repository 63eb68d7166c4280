/**
 * One client connection: startup, authentication, then messages to a session and results back.
 *
 * Order      messages are handled strictly one after the other. While a statement runs (its promise is pending) nothing is decoded,
 *            except the messages of a COPY … FROM STDIN that it reads.
 * Turn       everything decoded from one socket turn is answered with one write.
 * Fairness   after TURN_MICROS the connection lets the loop turn before it handles the next message.
 * Errors     08P01 and other FATAL errors end the connection; an error of an extended-protocol message skips to the next Sync.
 */
import { DbError, type Notice } from '../base/error.ts';
import type { Clock, Connection, EnvironmentError, Timer, TlsContext } from '../env/contract.ts';
import type { Pending, ResultColumn, ResultSink, Session, SessionHost } from '../session/contract.ts';
import type { FormatContext, TypeSupport } from '../types/contract.ts';
import type { Datum } from '../types/datum.ts';
import type { AuthenticationExchange, AuthenticationStep, Authenticator } from './contract.ts';
import * as backend from './wire/backend.ts';
import {
  FrontendDecoder,
  type FrontendMessage,
  protocolViolation,
  type StartupMessage,
} from './wire/frontend.ts';
import { OutputBuffer } from './wire/output-buffer.ts';
import { RowEncoder } from './wire/row-encoder.ts';

/** Time one connection may handle messages before others have their turn. */
const TURN_MICROS = 4000;
/** Written to the socket as soon as this much is waiting. */
const FLUSH_BYTES = 64 << 10;
/** A client that reads this much slower than we produce stops the statement. */
const CONGESTION_BYTES = 1 << 20;
/** Input that may wait while a statement runs before reading stops. */
const INPUT_BYTES_MAX = 1 << 20;

export interface ConnectionServices {
  readonly clock: Clock;
  readonly host: SessionHost;
  readonly authenticator: Authenticator;
  readonly tlsContext: () => TlsContext | null;
  /** Certificate hash for channel binding, null when there is none. */
  readonly channelBinding: () => Uint8Array | null;
  readonly typeSupport: (oid: number) => TypeSupport;
  readonly authenticationTimeoutMillis: () => number;
  /** Told of errors that are ours. */
  readonly reportInternalError: (error: unknown) => DbError;
  readonly closed: (connection: ClientConnection) => void;
}

type Phase = 'startup' | 'authentication' | 'ready' | 'closed';

export class ClientConnection implements ResultSink {
  private phase: Phase = 'startup';
  private readonly socket: Connection;
  private readonly services: ConnectionServices;
  private readonly decoder = new FrontendDecoder();
  private readonly output = new OutputBuffer();
  private session: Session | null = null;
  private exchange: AuthenticationExchange | null = null;
  private startup: { user: string; database: string; parameters: Map<string, string> } | null = null;
  private isBusy = false;
  private isSkippingToSync = false;
  private isPaused = false;
  private isInputEnded = false;
  private hasNegotiatedTls = false;
  private hasNegotiatedGss = false;
  private isTurnScheduled = false;
  private encoder: RowEncoder | null = null;
  private readonly encoders = new WeakMap<readonly ResultColumn[], RowEncoder>();
  private drainWaiters: (() => void)[] = [];
  private authenticationTimer: Timer | undefined;

  constructor(socket: Connection, services: ConnectionServices) {
    this.socket = socket;
    this.services = services;
    this.authenticationTimer = services.clock.setTimer(
      () => this.fatal(new DbError('query_canceled', 'canceling authentication due to timeout').fatal()),
      services.authenticationTimeoutMillis(),
      { background: true },
    );
    this.listen();
  }

  private listen(): void {
    this.socket.start({
      data: (bytes) => {
        if (this.phase === 'closed') return;
        this.decoder.push(bytes);
        if (!this.isBusy || this.session?.copyInActive === true) this.pump();
        else if (this.decoder.bufferedBytes > INPUT_BYTES_MAX) this.pauseInput();
      },
      end: () => {
        this.isInputEnded = true;
        if (!this.isBusy) this.shut();
        else this.session?.cancel();
      },
      drain: () => this.releaseDrainWaiters(),
      close: (error: EnvironmentError | undefined) => {
        void error;
        this.dispose();
      },
    });
  }

  // ------------------------------------------------------------------------------------------------- message loop

  /** Handles what is decoded until input, time or patience ends, then writes the answers. */
  private pump(): void {
    const { clock } = this.services;
    const startMicros = clock.monotonicMicros();
    try {
      for (let count = 1; this.phase !== 'closed'; count++) {
        if (this.isBusy && this.session?.copyInActive !== true) break;
        if (!this.handleNext()) break;
        if ((count & 15) === 0 && clock.monotonicMicros() - startMicros > TURN_MICROS) {
          this.scheduleTurn();
          break;
        }
      }
    } catch (error) {
      this.fatal(this.asDbError(error));
      return;
    }
    this.flush();
    if (this.isPaused && this.decoder.bufferedBytes < INPUT_BYTES_MAX && !this.isBusy) this.resumeInput();
  }

  private scheduleTurn(): void {
    if (this.isTurnScheduled) return;
    this.isTurnScheduled = true;
    this.services.clock.nextTurn(() => {
      this.isTurnScheduled = false;
      if (this.phase !== 'closed') this.pump();
    });
  }

  /** Decodes and handles one message; false when none is complete. */
  private handleNext(): boolean {
    switch (this.phase) {
      case 'startup': {
        const message = this.decoder.nextStartup();
        if (message === null) return false;
        this.handleStartup(message);
        return true;
      }
      case 'authentication': {
        const message = this.decoder.next();
        if (message === null) return false;
        if (message.kind === 'terminate') {
          this.shut();
          return false;
        }
        if (message.kind !== 'authentication' || this.exchange === null) {
          throw protocolViolation('expected SASL response, got another message type');
        }
        const step = this.exchange.respond(message.body);
        if (step instanceof Promise) this.wait(step.then((settled) => this.takeStep(settled)));
        else this.takeStep(step);
        return true;
      }
      case 'ready': {
        const message = this.decoder.next();
        if (message === null) return false;
        this.handleMessage(message);
        return true;
      }
      case 'closed':
        return false;
    }
  }

  private handleMessage(message: FrontendMessage): void {
    const session = this.session as Session;
    if (this.isBusy) {
      this.handleCopyMessage(session, message);
      return;
    }
    if (this.isSkippingToSync && message.kind !== 'sync' && message.kind !== 'terminate') return;
    try {
      const pending = this.dispatch(session, message);
      if (pending === null) {
        this.completed(session, message);
        return;
      }
      this.flush();
      this.wait(
        pending.then(
          () => this.completed(session, message),
          (error: unknown) => this.statementFailed(session, message, error),
        ),
      );
    } catch (error) {
      this.statementFailed(session, message, error);
    }
  }

  private dispatch(session: Session, message: FrontendMessage): Pending {
    switch (message.kind) {
      case 'query':
        return session.simpleQuery(message.text);
      case 'parse':
        return session.parse(message.name, message.text, message.parameterTypes);
      case 'bind':
        return session.bind(
          message.portal,
          message.statement,
          message.parameterFormats,
          message.values,
          message.resultFormats,
        );
      case 'describe':
        return message.target === 'statement'
          ? session.describeStatement(message.name)
          : session.describePortal(message.name);
      case 'execute':
        return session.execute(message.portal, message.maxRows);
      case 'close':
        return message.target === 'statement'
          ? session.closeStatement(message.name)
          : session.closePortal(message.name);
      case 'sync':
        this.isSkippingToSync = false;
        return session.sync();
      case 'flush':
        return null;
      case 'functionCall':
        return session
          .functionCall(message.functionOid, message.argumentFormats, message.values, message.resultFormat)
          .then((value) => backend.functionCallResponse(this.output, value));
      case 'copyData':
      case 'copyDone':
      case 'copyFail':
        // Left over from a COPY that failed: the client had not heard of it yet.
        return null;
      case 'terminate':
        this.shut();
        return null;
      case 'authentication':
        throw protocolViolation('unexpected authentication message');
    }
  }

  private completed(session: Session, message: FrontendMessage): void {
    if (this.phase === 'closed') return;
    if (message.kind === 'query' || message.kind === 'sync' || message.kind === 'functionCall') {
      backend.readyForQuery(this.output, session.transactionStatus);
    }
  }

  private statementFailed(session: Session, message: FrontendMessage, thrown: unknown): void {
    const error = this.asDbError(thrown);
    if (this.phase === 'closed') return;
    if (error.severity !== 'ERROR') {
      this.fatal(error);
      return;
    }
    if (this.output.isInsideMessage) this.output.abandon();
    backend.errorResponse(this.output, error);
    if (message.kind === 'query' || message.kind === 'functionCall' || message.kind === 'sync') {
      backend.readyForQuery(this.output, session.transactionStatus);
    } else this.isSkippingToSync = true;
  }

  /** Messages while COPY … FROM STDIN reads: data, end, failure; Flush and Sync are ignored, others break the COPY. */
  private handleCopyMessage(session: Session, message: FrontendMessage): void {
    switch (message.kind) {
      case 'copyData': {
        const pending = session.copyData(message.bytes);
        if (pending !== null) {
          this.pauseInput();
          void pending.then(() => {
            this.resumeInput();
            if (this.session?.copyInActive === true) this.pump();
          });
        }
        return;
      }
      case 'copyDone':
        session.copyDone();
        return;
      case 'copyFail':
        session.copyFail(message.message);
        return;
      case 'flush':
      case 'sync':
        return;
      case 'terminate':
        session.copyFail('connection terminated by client');
        this.shut();
        return;
      default:
        throw protocolViolation('unexpected message type during COPY from stdin');
    }
  }

  /** Marks the connection busy until the promise settles, then goes on. */
  private wait(pending: Promise<void>): void {
    this.isBusy = true;
    void pending.then(
      () => this.afterWait(),
      (error: unknown) => {
        this.isBusy = false;
        this.fatal(this.asDbError(error));
      },
    );
  }

  private afterWait(): void {
    this.isBusy = false;
    if (this.phase === 'closed') return;
    this.resumeInput();
    this.pump();
    if (this.isInputEnded && !this.isBusy) this.shut();
  }

  // -------------------------------------------------------------------------------------- startup, authentication

  private handleStartup(message: StartupMessage): void {
    switch (message.kind) {
      case 'sslRequest':
        if (this.hasNegotiatedTls)
          throw protocolViolation('unsupported frontend protocol: repeated SSL request');
        this.hasNegotiatedTls = true;
        this.negotiateTls();
        return;
      case 'gssEncryptionRequest':
        if (this.hasNegotiatedGss)
          throw protocolViolation('unsupported frontend protocol: repeated GSS encryption request');
        this.hasNegotiatedGss = true;
        this.output.byte(0x4e);
        return;
      case 'cancelRequest':
        this.services.host.cancel(message.processId, message.secretKey);
        this.shut();
        return;
      case 'startup':
        this.beginSession(message);
    }
  }

  private negotiateTls(): void {
    const context = this.services.tlsContext();
    if (context === null || this.socket.remote.kind === 'unix') {
      this.output.byte(0x4e);
      return;
    }
    if (this.decoder.bufferedBytes > 0) {
      throw new DbError('protocol_violation', 'received unencrypted data after SSL request', {
        detail:
          'This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.',
      }).fatal();
    }
    this.output.byte(0x53);
    this.flush();
    this.isBusy = true;
    this.socket.startTls({ role: 'server', context }).then(
      () => {
        this.isBusy = false;
        if (this.phase !== 'closed') this.pump();
      },
      () => this.dispose(),
    );
  }

  private beginSession(message: StartupMessage & { kind: 'startup' }): void {
    if (message.major !== 3) {
      throw new DbError(
        'feature_not_supported',
        `unsupported frontend protocol ${message.major}.${message.minor}: server supports 3.0 to 3.0`,
      ).fatal();
    }
    const unknownOptions = [...message.parameters.keys()].filter((name) => name.startsWith('_pq_.'));
    if (message.minor > 0 || unknownOptions.length > 0)
      backend.negotiateProtocolVersion(this.output, 0, unknownOptions);
    const user = truncateName(message.parameters.get('user') ?? '');
    if (user === '') {
      throw new DbError(
        'invalid_authorization_specification',
        'no PostgreSQL user name specified in startup packet',
      ).fatal();
    }
    const database = truncateName(message.parameters.get('database') || user);
    const replication = message.parameters.get('replication');
    if (replication !== undefined && !['', 'false', 'off', 'no', '0'].includes(replication)) {
      throw new DbError('feature_not_supported', 'replication connections are not supported').fatal();
    }
    this.startup = { user, database, parameters: message.parameters };
    const { remote } = this.socket;
    const isEncrypted = this.socket.tls !== undefined;
    this.phase = 'authentication';
    this.exchange = this.services.authenticator.begin(user, database, {
      transport: remote.kind,
      address: remote.kind === 'tcp' ? remote.host : '',
      isEncrypted,
      channelBinding: isEncrypted ? this.services.channelBinding() : null,
    });
    this.takeStep(this.exchange.start());
  }

  private takeStep(step: AuthenticationStep): void {
    switch (step.kind) {
      case 'sasl':
        backend.authenticationSasl(this.output, step.mechanisms);
        return;
      case 'saslContinue':
        backend.authenticationSaslData(this.output, 11, step.data);
        return;
      case 'saslFinal':
        backend.authenticationSaslData(this.output, 12, step.data);
        this.accepted();
        return;
      case 'accepted':
        this.accepted();
    }
  }

  private accepted(): void {
    const { user, database, parameters } = this.startup as NonNullable<typeof this.startup>;
    this.exchange = null;
    backend.authenticationOk(this.output);
    const { remote } = this.socket;
    const session = this.services.host.openSession({
      user,
      database,
      parameters,
      clientAddress: remote.kind === 'tcp' ? remote.host : '',
      clientPort: remote.kind === 'tcp' ? remote.port : -1,
      tls: this.socket.tls,
      backendType: 'client backend',
      sink: this,
    });
    session.onTerminate = (error) => this.fatal(error);
    this.session = session;
    this.phase = 'ready';
    this.services.clock.clearTimer(this.authenticationTimer);
    this.authenticationTimer = undefined;
    if (remote.kind === 'tcp') this.socket.keepAlive(60_000);
    for (const [name, value] of session.initialParameters())
      backend.parameterStatus(this.output, name, value);
    backend.backendKeyData(this.output, session.processId, session.secretKey);
    backend.readyForQuery(this.output, session.transactionStatus);
  }

  // ------------------------------------------------------------------------------------------------- ResultSink

  rowDescription(columns: readonly ResultColumn[], formats: readonly number[]): void {
    backend.rowDescription(this.output, columns, formats, (oid) => this.typeSupport(oid).length);
  }

  private typeSupport(oid: number): TypeSupport {
    return this.session?.typeSupport?.(oid) ?? this.services.typeSupport(oid);
  }

  noData(): void {
    backend.emptyMessage(this.output, backend.EMPTY_MESSAGE.noData);
  }

  parameterDescription(types: readonly number[]): void {
    backend.parameterDescription(this.output, types);
  }

  beginRows(columns: readonly ResultColumn[], formats: readonly number[], context: FormatContext): void {
    const known = this.encoders.get(columns);
    if (known !== undefined && sameFormats(known.formats, formats) && known.context === context) {
      this.encoder = known;
      return;
    }
    this.encoder = new RowEncoder({ columns, formats, context, typeSupport: (oid) => this.typeSupport(oid) });
    this.encoders.set(columns, this.encoder);
  }

  row(frame: readonly Datum[]): void {
    try {
      (this.encoder as RowEncoder).encode(this.output, frame);
    } catch (error) {
      // Other messages may come before the error is reported: half a row must not stand before them.
      if (this.output.isInsideMessage) this.output.abandon();
      throw error;
    }
    if (this.output.length >= FLUSH_BYTES) this.flush();
  }

  parseComplete(): void {
    backend.emptyMessage(this.output, backend.EMPTY_MESSAGE.parseComplete);
  }

  bindComplete(): void {
    backend.emptyMessage(this.output, backend.EMPTY_MESSAGE.bindComplete);
  }

  closeComplete(): void {
    backend.emptyMessage(this.output, backend.EMPTY_MESSAGE.closeComplete);
  }

  commandComplete(tag: string): void {
    backend.commandComplete(this.output, tag);
  }

  emptyQueryResponse(): void {
    backend.emptyMessage(this.output, backend.EMPTY_MESSAGE.emptyQueryResponse);
  }

  portalSuspended(): void {
    backend.emptyMessage(this.output, backend.EMPTY_MESSAGE.portalSuspended);
  }

  notice(notice: Notice): void {
    backend.noticeResponse(this.output, notice);
  }

  parameterStatus(name: string, value: string): void {
    if (this.phase === 'ready') backend.parameterStatus(this.output, name, value);
  }

  notification(processId: number, channel: string, payload: string): void {
    backend.notification(this.output, processId, channel, payload);
    if (!this.isBusy) this.services.clock.nextTurn(() => this.flush());
  }

  copyInResponse(format: number, columnFormats: readonly number[]): void {
    backend.copyResponse(this.output, 'in', format, columnFormats);
    this.flush();
    // Data may already be waiting behind the statement.
    this.scheduleTurn();
  }

  copyOutResponse(format: number, columnFormats: readonly number[]): void {
    backend.copyResponse(this.output, 'out', format, columnFormats);
  }

  copyData(bytes: Uint8Array): void {
    backend.copyData(this.output, bytes);
    if (this.output.length >= FLUSH_BYTES) this.flush();
  }

  copyDone(): void {
    backend.emptyMessage(this.output, backend.EMPTY_MESSAGE.copyDone);
  }

  isCongested(): boolean {
    return this.socket.bufferedBytes > CONGESTION_BYTES;
  }

  drained(): Promise<void> {
    this.flush();
    if (this.phase === 'closed' || this.socket.bufferedBytes <= CONGESTION_BYTES) return Promise.resolve();
    return new Promise((resolve) => {
      this.drainWaiters.push(resolve);
    });
  }

  // --------------------------------------------------------------------------------------------------------- socket

  private flush(): void {
    if (this.output.length === 0 || this.phase === 'closed') return;
    this.socket.write(this.output.take());
    if (this.socket.bufferedBytes === 0) this.output.reuse();
    else this.output.replace();
  }

  private pauseInput(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.socket.pause();
  }

  private resumeInput(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.socket.resume();
  }

  private releaseDrainWaiters(): void {
    const waiters = this.drainWaiters;
    this.drainWaiters = [];
    for (const waiter of waiters) waiter();
  }

  /** Ends the connection with an error the client gets to see. */
  fatal(error: DbError): void {
    if (this.phase === 'closed') return;
    if (this.output.isInsideMessage) this.output.abandon();
    if (error.severity === 'ERROR') error.fatal();
    backend.errorResponse(this.output, error);
    this.shut();
  }

  /** Ends the connection after what is written has gone out. */
  private shut(): void {
    if (this.phase === 'closed') return;
    this.flush();
    this.socket.end();
    this.dispose();
  }

  private dispose(): void {
    if (this.phase === 'closed') return;
    this.phase = 'closed';
    this.services.clock.clearTimer(this.authenticationTimer);
    this.releaseDrainWaiters();
    const { session } = this;
    this.session = null;
    if (session !== null) {
      session
        .close(new DbError('connection_failure', 'connection to client lost').fatal())
        .catch((error: unknown) => {
          this.services.reportInternalError(error);
        });
    }
    this.services.closed(this);
  }

  private asDbError(thrown: unknown): DbError {
    return thrown instanceof DbError ? thrown : this.services.reportInternalError(thrown);
  }
}

function sameFormats(left: readonly number[], right: readonly number[]): boolean {
  if (left === right) return true;
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}

/** Names of users and databases end at 63 bytes. */
function truncateName(name: string): string {
  if (name.length <= 21) return name;
  const bytes = Buffer.from(name, 'utf8');
  if (bytes.length <= 63) return name;
  let end = 63;
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
