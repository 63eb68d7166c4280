/**
 * A small client of our own wire protocol: the console's statements take the same path, with the same rights, as any driver's.
 *
 * One statement text at a time. Rows stay text. Authentication is SCRAM-SHA-256 (TCP) or none (Unix socket).
 */

import { serialize } from 'pg-protocol';
import { Parser } from 'pg-protocol/dist/parser.js';
import { DbError } from '../base/error.ts';
import type { Address, Connection, Cryptography, Network, Random } from '../env/contract.ts';
import { ScramClient } from './scram-client.ts';

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

export interface WireResult {
  columns: { name: string; typeOid: number }[];
  rows: (string | null)[][];
  rowCount: number;
  isTruncated: boolean;
  tag: string;
}

export interface WireOutcome {
  readonly results: readonly WireResult[];
  readonly notices: readonly ServerReport[];
  readonly error: ServerReport | null;
}

/** Rows of one result that are kept; the rest is counted and dropped. */
const ROWS_MAX = 1_000_000;
const BYTES_MAX = 256 << 20;
/** What a NULL or the head of a string costs in memory, about. */
const CELL_BYTES = 16;

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
  readonly password: string;
  readonly applicationName: string;
}

export class WireClient {
  transactionStatus = 'I';
  readonly parameters = new Map<string, string>();
  isClosed = false;
  private processId = 0;
  private secretKey = 0;
  private readonly options: WireClientOptions;
  private readonly connection: Connection;
  private readonly parser = new Parser();
  private handler: ((message: BackendMessage) => void) | null = null;
  private fail: ((error: DbError) => void) | null = null;
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
      drain: () => {},
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
  }

  private login(): Promise<void> {
    const { options } = this;
    const scram = new ScramClient(options.password, options.cryptography, options.random);
    return new Promise((resolve, reject) => {
      this.fail = reject;
      const refuse = (error: unknown): void => {
        this.handler = null;
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
        }),
      );
    });
  }

  /** Runs a text of one or many statements. Calls queue up. */
  query(sql: string): Promise<WireOutcome> {
    const run = this.queue.then(() => this.runQuery(sql));
    this.queue = run.catch(() => {});
    return run;
  }

  private runQuery(sql: string): Promise<WireOutcome> {
    if (this.isClosed)
      return Promise.reject(new DbError('connection_does_not_exist', 'the console session has ended'));
    return new Promise((resolve, reject) => {
      const results: WireResult[] = [];
      const notices: ServerReport[] = [];
      let error: ServerReport | null = null;
      let current: WireResult | null = null;
      let bytes = 0;
      const open = (): WireResult => {
        if (current === null) {
          current = { columns: [], rows: [], rowCount: 0, isTruncated: false, tag: '' };
          results.push(current);
        }
        return current;
      };
      this.fail = reject;
      this.handler = (message) => {
        switch (message.name) {
          case 'rowDescription':
            open().columns = (message.fields as { name: string; dataTypeID: number }[]).map((field) => ({
              name: field.name,
              typeOid: field.dataTypeID,
            }));
            return;
          case 'dataRow': {
            const result = open();
            const fields = message.fields as (string | null)[];
            result.rowCount++;
            if (result.rows.length >= ROWS_MAX || bytes >= BYTES_MAX) {
              result.isTruncated = true;
              return;
            }
            for (const field of fields) bytes += CELL_BYTES + (field === null ? 0 : field.length);
            result.rows.push(fields);
            return;
          }
          case 'commandComplete':
            open().tag = String(message.text);
            current = null;
            return;
          case 'copyInResponse':
            this.send(serialize.copyFail('COPY FROM STDIN is not possible here'));
            return;
          case 'notice':
            notices.push(reportOf(message));
            return;
          case 'error':
            error = reportOf(message);
            current = null;
            return;
          case 'readyForQuery':
            this.transactionStatus = String(message.status);
            this.handler = null;
            this.fail = null;
            resolve({ results, notices, error });
        }
      };
      this.send(serialize.query(sql));
    });
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
