/**
 * A small client of our own wire protocol: the console's statements take the same path, with the same rights, as any driver's.
 *
 * One request at a time; calls queue up. Values stay text. Authentication is SCRAM-SHA-256.
 */
import { serialize } from 'pg-protocol';
import { Parser } from 'pg-protocol/dist/parser.js';
import { DbError } from '../../base/error.ts';
import type { Address, Connection, Cryptography, Network, Random } from '../../env/contract.ts';
import { ScramClient, type ScramSecret } from './scram-client.ts';

/** An error or notice as the server sent it. */
export interface ServerReport {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly position?: number;
  readonly where?: string;
}

/** The server refused or failed a statement (or the login). */
export class ServerError extends DbError {
  readonly report: ServerReport;
  constructor(report: ServerReport) {
    super('external_routine_exception', report.message);
    this.report = report;
  }
}

export interface WireColumn {
  readonly name: string;
  readonly typeOid: number;
}

/** Gets what a request brings, in order. */
export interface Receiver {
  columns(columns: readonly WireColumn[]): void;
  row(fields: readonly (string | null)[]): void;
  complete(tag: string): void;
  notice(report: ServerReport): void;
}

export interface WireResult {
  columns: WireColumn[];
  rows: (string | null)[][];
  tag: string;
}

/** A value for $n. Type 0 lets the server infer it. */
export interface WireParameter {
  readonly value: string | null;
  readonly typeOid: number;
}

interface BackendMessage {
  readonly name: string;
  readonly [field: string]: unknown;
}

export interface WireClientOptions {
  readonly network: Network;
  readonly cryptography: Cryptography;
  readonly random: Random;
  readonly address: Address;
  readonly user: string;
  readonly database: string;
  readonly password: string | ScramSecret;
  readonly applicationName: string;
  /** Settings of the session, as `options` has them. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Monotonic milliseconds, for the age of transactions. */
  readonly nowMillis: () => number;
}

/** A COPY FROM STDIN under way. */
export interface CopyStream {
  /** Resolves when more may be written. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends it; the tag, or ServerError. */
  finish(): Promise<string>;
  abort(reason: string): Promise<void>;
}

export class WireClient {
  transactionStatus = 'I';
  /** When the open transaction block began (nowMillis), null outside one. */
  transactionStartMillis: number | null = null;
  readonly parameters = new Map<string, string>();
  isClosed = false;
  isBusy = false;
  processId = 0;
  /** Logs further connections of the same role in. */
  secret: ScramSecret | null = null;
  private secretKey = 0;
  private readonly options: WireClientOptions;
  private readonly connection: Connection;
  private readonly parser = new Parser();
  private handler: ((message: BackendMessage) => void) | null = null;
  private fail: ((error: DbError) => void) | null = null;
  private drained: (() => void) | null = null;
  private queue: Promise<unknown> = Promise.resolve();

  private constructor(connection: Connection, options: WireClientOptions) {
    this.connection = connection;
    this.options = options;
    connection.start({
      data: (bytes) => {
        const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        this.parser.parse(chunk, (message) => this.handler?.(message as unknown as BackendMessage));
      },
      end: () => this.lost(),
      drain: () => this.drained?.(),
      close: () => this.lost(),
    });
  }

  static async connect(options: WireClientOptions): Promise<WireClient> {
    const connection = await options.network.dial(options.address, { timeoutMillis: 5000 });
    const client = new WireClient(connection, options);
    await client.login();
    return client;
  }

  private lost(): void {
    this.isClosed = true;
    this.fail?.(new DbError('connection_failure', 'the connection to the server was lost'));
    this.fail = null;
    this.handler = null;
    this.drained?.();
  }

  private login(): Promise<void> {
    const { options } = this;
    const scram = new ScramClient(options.password, options.cryptography, options.random);
    return new Promise((resolve, reject) => {
      this.fail = reject;
      const refuse = (error: unknown): void => {
        this.handler = null;
        this.fail = null;
        this.close();
        reject(error);
      };
      this.handler = (message) => {
        switch (message.name) {
          case 'authenticationSASL':
            if (!(message.mechanisms as string[]).includes('SCRAM-SHA-256'))
              refuse(new DbError('invalid_authorization_specification', 'no known login method'));
            else this.send(serialize.sendSASLInitialResponseMessage('SCRAM-SHA-256', scram.first()));
            return;
          case 'authenticationSASLContinue':
            scram
              .answer(String(message.data))
              .then((answer) => this.send(serialize.sendSCRAMClientFinalMessage(answer)), refuse);
            return;
          case 'authenticationSASLFinal':
            if (!scram.verify(String(message.data)))
              refuse(new DbError('invalid_authorization_specification', 'the server did not prove itself'));
            return;
          case 'parameterStatus':
            this.parameters.set(String(message.parameterName), String(message.parameterValue));
            return;
          case 'backendKeyData':
            this.processId = Number(message.processID);
            this.secretKey = Number(message.secretKey);
            return;
          case 'readyForQuery':
            this.handler = null;
            this.fail = null;
            this.secret = scram.secret;
            resolve();
            return;
          case 'error':
            refuse(new ServerError(reportOf(message)));
            return;
          case 'authenticationCleartextPassword':
          case 'authenticationMD5Password':
            refuse(new DbError('invalid_authorization_specification', 'no known login method'));
        }
      };
      this.send(
        serialize.startup({
          user: options.user,
          database: options.database,
          application_name: options.applicationName,
          ...options.settings,
        }),
      );
    });
  }

  /** Runs a text of one or many statements; the error that ended it, or null. */
  run(sql: string, receiver: Receiver): Promise<ServerReport | null> {
    return this.enqueue(() => this.exchange(receiver, () => this.send(serialize.query(sql))));
  }

  /** Runs one statement with values for $1, $2 …. */
  runWithParameters(
    sql: string,
    parameters: readonly WireParameter[],
    receiver: Receiver,
  ): Promise<ServerReport | null> {
    return this.enqueue(() =>
      this.exchange(receiver, () => {
        this.connection.cork();
        this.send(serialize.parse({ text: sql, types: parameters.map(({ typeOid }) => typeOid) }));
        this.send(serialize.bind({ values: parameters.map(({ value }) => value) }));
        this.send(serialize.describe({ type: 'P' }));
        this.send(serialize.execute({}));
        this.send(serialize.sync());
        this.connection.uncork();
      }),
    );
  }

  /** Results in memory: for questions of our own, whose answers are small. Throws ServerError. */
  async query(sql: string, parameters: readonly (string | null)[] = []): Promise<WireResult[]> {
    const results: WireResult[] = [];
    let current: WireResult | null = null;
    const open = (): WireResult => {
      if (current === null) {
        current = { columns: [], rows: [], tag: '' };
        results.push(current);
      }
      return current;
    };
    const receiver: Receiver = {
      columns: (columns) => {
        open().columns = [...columns];
      },
      row: (fields) => open().rows.push(fields as (string | null)[]),
      complete: (tag) => {
        open().tag = tag;
        current = null;
      },
      notice: () => {},
    };
    const error =
      parameters.length === 0
        ? await this.run(sql, receiver)
        : await this.runWithParameters(
            sql,
            parameters.map((value) => ({ value, typeOid: 0 })),
            receiver,
          );
    if (error !== null) throw new ServerError(error);
    return results;
  }

  /** Starts COPY … FROM STDIN; other requests wait until it ends. */
  copyIn(sql: string): Promise<CopyStream> {
    return new Promise((resolve, reject) => {
      const turn = this.enqueue(async () => {
        let tag = '';
        let isOpen = false;
        const done = this.exchange(
          { columns: () => {}, row: () => {}, complete: (text) => (tag = text), notice: () => {} },
          () => this.send(serialize.query(sql)),
          () => {
            isOpen = true;
            resolve(stream);
          },
        );
        const stream: CopyStream = {
          write: async (bytes) => {
            const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
            if (!this.connection.write(serialize.copyData(chunk)) && !this.isClosed) await this.drain();
          },
          finish: async () => {
            this.send(serialize.copyDone());
            const error = await done;
            if (error !== null) throw new ServerError(error);
            return tag;
          },
          abort: async (reason) => {
            this.send(serialize.copyFail(reason));
            await done;
          },
        };
        const error = await done;
        if (error !== null && !isOpen) reject(new ServerError(error));
        else if (!isOpen) reject(new DbError('protocol_violation', 'the statement asked for no data'));
      });
      turn.catch(reject);
    });
  }

  private drain(): Promise<void> {
    return new Promise((resolve) => {
      this.drained = () => {
        this.drained = null;
        resolve();
      };
    });
  }

  private enqueue<T>(request: () => Promise<T>): Promise<T> {
    const run = this.queue.then(request);
    this.queue = run.catch(() => {});
    return run;
  }

  private exchange(
    receiver: Receiver,
    start: () => void,
    copyIn: (() => void) | null = null,
  ): Promise<ServerReport | null> {
    if (this.isClosed)
      return Promise.reject(new DbError('connection_does_not_exist', 'the connection has ended'));
    this.isBusy = true;
    return new Promise<ServerReport | null>((resolve, reject) => {
      let error: ServerReport | null = null;
      this.fail = reject;
      this.handler = (message) => {
        switch (message.name) {
          case 'rowDescription':
            receiver.columns(
              (message.fields as { name: string; dataTypeID: number }[]).map((field) => ({
                name: field.name,
                typeOid: field.dataTypeID,
              })),
            );
            return;
          case 'dataRow':
            receiver.row(message.fields as (string | null)[]);
            return;
          case 'commandComplete':
            receiver.complete(String(message.text));
            return;
          case 'copyInResponse':
            if (copyIn === null) this.send(serialize.copyFail('COPY FROM STDIN is not possible here'));
            else copyIn();
            return;
          case 'notice':
            receiver.notice(reportOf(message));
            return;
          case 'error':
            error = reportOf(message);
            return;
          case 'readyForQuery':
            this.noteStatus(String(message.status));
            this.handler = null;
            this.fail = null;
            resolve(error);
        }
      };
      start();
    }).finally(() => {
      this.isBusy = false;
    });
  }

  private noteStatus(status: string): void {
    this.transactionStatus = status;
    if (status === 'I') this.transactionStartMillis = null;
    else this.transactionStartMillis ??= this.options.nowMillis();
  }

  /** CancelRequest on a connection of its own. */
  async cancel(): Promise<void> {
    const connection = await this.options.network.dial(this.options.address, { timeoutMillis: 5000 });
    connection.start({ data: () => {}, end: () => connection.end(), drain: () => {}, close: () => {} });
    connection.write(serialize.cancel(this.processId, this.secretKey));
    connection.end();
  }

  close(): void {
    if (this.isClosed) return;
    this.send(serialize.end());
    this.isClosed = true;
    this.connection.end();
  }

  private send(bytes: Buffer): void {
    this.connection.write(bytes);
  }
}

function reportOf(message: BackendMessage): ServerReport {
  const text = (field: string): string | undefined =>
    typeof message[field] === 'string' ? (message[field] as string) : undefined;
  const position = text('position');
  return {
    severity: text('severity') ?? 'ERROR',
    code: text('code') ?? 'XX000',
    message: text('message') ?? '',
    detail: text('detail'),
    hint: text('hint'),
    position: position === undefined ? undefined : Number(position),
    where: text('where'),
  };
}
