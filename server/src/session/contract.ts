/**
 * What a session gives to the wire protocol, the admin API and embedded callers.
 *
 * Every call may finish at once (returns null) or later (returns a promise). The caller processes its messages in order and must not
 * call again before the promise is settled, except `cancel`, `close` and, while `copyInActive`, `copyData`, `copyDone` and `copyFail`
 * (the COPY statement's own promise settles after the last of them). A call throws, or its promise rejects with, a DbError:
 * the session has then already rolled back what must be rolled back, and `transactionStatus` is right for ReadyForQuery.
 * Hot path: bind + execute + sync of a cached plan returns null three times and allocates next to nothing.
 */

import type { Oid } from '../base/brands.ts';
import type { DbError, Notice } from '../base/error.ts';
import type { FormatContext, TypeSupport } from '../types/contract.ts';
import type { Datum } from '../types/datum.ts';
import type { ConnectionTls } from './registry.ts';

export type Pending = Promise<void> | null;

/** One column of a result as RowDescription shows it. `slot` is its place in the frame handed to `row`. */
export interface ResultColumn {
  readonly name: string;
  readonly typeOid: Oid;
  readonly typmod: number;
  readonly slot: number;
  readonly originTable: Oid;
  readonly originColumn: number;
}

/** Where a session sends what a client is to see. All calls are synchronous; `isCongested` asks for back-pressure. */
export interface ResultSink {
  /** RowDescription (simple query, Describe). Formats: per column 0 text, 1 binary; empty = all text. */
  rowDescription(columns: readonly ResultColumn[], formats: readonly number[]): void;
  noData(): void;
  parameterDescription(types: readonly Oid[]): void;
  /** Announces rows of this shape; the sink prepares its encoders (cached by the identity of `columns` and `formats`). */
  beginRows(columns: readonly ResultColumn[], formats: readonly number[], context: FormatContext): void;
  row(frame: readonly Datum[]): void;
  parseComplete(): void;
  bindComplete(): void;
  closeComplete(): void;
  commandComplete(tag: string): void;
  emptyQueryResponse(): void;
  portalSuspended(): void;
  notice(notice: Notice): void;
  parameterStatus(name: string, value: string): void;
  notification(processId: number, channel: string, payload: string): void;
  /** 0 text, 1 binary overall; per column. */
  copyInResponse(format: number, columnFormats: readonly number[]): void;
  copyOutResponse(format: number, columnFormats: readonly number[]): void;
  /** Borrowed: valid only during the call. */
  copyData(bytes: Uint8Array): void;
  copyDone(): void;
  /** True when the client reads slower than we produce: the session then awaits `drained` before more rows. */
  isCongested(): boolean;
  drained(): Promise<void>;
}

export interface SessionOptions {
  user: string;
  database: string;
  /** Startup parameters other than user and database (client_encoding, options, application_name, any setting). */
  parameters: ReadonlyMap<string, string>;
  /** '127.0.0.1', '' for a Unix socket, 'console' … for pg_stat_activity. */
  clientAddress: string;
  clientPort: number;
  /** Of an encrypted connection. */
  tls?: ConnectionTls;
  /** 'client backend' etc. */
  backendType: string;
  sink: ResultSink;
}

export interface Session {
  /** Backend pid and secret for CancelRequest. */
  readonly processId: number;
  readonly secretKey: number;
  /** I idle, T in a transaction block, E failed block. */
  readonly transactionStatus: 'I' | 'T' | 'E';
  /** How values of a type are shown: types made by users differ between databases. */
  typeSupport?(oid: Oid): TypeSupport;
  /** ParameterStatus values to report at start. */
  initialParameters(): Iterable<readonly [string, string]>;
  /** Runs every statement of the text, sending results to the sink. ReadyForQuery is the caller's. */
  simpleQuery(text: string): Pending;
  parse(name: string, text: string, parameterTypes: readonly Oid[]): Pending;
  /** `values` borrow from the message; null = SQL NULL. Formats: empty = all text, one = for all, else one each. */
  bind(
    portal: string,
    statement: string,
    parameterFormats: readonly number[],
    values: readonly (Uint8Array | null)[],
    resultFormats: readonly number[],
  ): Pending;
  describeStatement(name: string): Pending;
  describePortal(name: string): Pending;
  /** maxRows 0 = all. */
  execute(portal: string, maxRows: number): Pending;
  closeStatement(name: string): Pending;
  closePortal(name: string): Pending;
  /** Ends the implicit transaction. */
  sync(): Pending;
  /** COPY … FROM STDIN: bytes of CopyData messages. A pending return is back-pressure. */
  copyData(bytes: Uint8Array): Pending;
  copyDone(): Pending;
  copyFail(message: string): Pending;
  /** True between copyInResponse and the end of that COPY. */
  readonly copyInActive: boolean;
  functionCall(
    functionOid: Oid,
    argumentFormats: readonly number[],
    values: readonly (Uint8Array | null)[],
    resultFormat: number,
  ): Promise<Uint8Array | null>;
  /** Set by the caller: told when the server ends this session on its own (timeouts). */
  onTerminate: ((error: DbError) => void) | null;
  /** From CancelRequest, pg_cancel_backend or the console: the running statement ends with 57014. */
  cancel(): void;
  /** Rolls back, releases everything. `error` (57P01 …) is what a running statement ends with. */
  close(error?: DbError): Promise<void>;
}

/** Checks passwords; implemented by `auth/`, used by protocol and admin through main. */
export interface LoginDirectory {
  /** SCRAM verifier and login rights of a role; null if there is no such role. */
  lookup(user: string): {
    oid: Oid;
    canLogin: boolean;
    password: string | null;
    validUntil: bigint | null;
    connectionLimit: number;
  } | null;
  databaseExists(name: string): boolean;
}

/** The engine as the front rooms see it. */
export interface SessionHost {
  readonly logins: LoginDirectory;
  openSession(options: SessionOptions): Session;
  /** CancelRequest: silently ignored unless both numbers match. */
  cancel(processId: number, secretKey: number): void;
}
