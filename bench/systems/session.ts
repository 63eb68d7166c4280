/** One session over PostgreSQL's protocol: queries with text results, COPY from a file. */
import { createReadStream } from 'node:fs';
import pg from 'pg';
import { NO_ROWS, type QueryResult, STATEMENT_TIMEOUT_MILLIS } from './system.ts';

const FLOAT_TYPES: ReadonlySet<number> = new Set([700, 701]);
const CHUNK_BYTES = 1 << 18;

/** The part of the driver's connection that COPY needs. */
interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
  readonly stream: NodeJS.WritableStream & { readonly writableNeedDrain: boolean };
}

/** A query of the driver that answers the server's wish for data from a file. */
class CopyFromFile {
  readonly done: Promise<void>;
  private readonly text: string;
  private readonly file: string;
  private settle: (error: Error | null) => void = () => {};
  private failure: Error | null = null;

  constructor(text: string, file: string) {
    this.text = text;
    this.file = file;
    this.done = new Promise((resolve, reject) => {
      this.settle = (error) => (error === null ? resolve() : reject(error));
    });
  }

  submit(connection: CopyConnection): void {
    connection.query(this.text);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    this.send(connection).then(
      () => connection.endCopyFrom(),
      (error: Error) => connection.sendCopyFail(error.message),
    );
  }

  private async send(connection: CopyConnection): Promise<void> {
    for await (const chunk of createReadStream(this.file, { highWaterMark: CHUNK_BYTES })) {
      if (this.failure !== null) return;
      connection.sendCopyFromChunk(chunk as Buffer);
      if (connection.stream.writableNeedDrain)
        await new Promise<void>((resolve) => connection.stream.once('drain', resolve));
    }
  }

  handleError(error: Error): void {
    this.failure = error;
    this.settle(error);
  }

  handleReadyForQuery(): void {
    this.settle(this.failure);
  }

  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
}

export class Session {
  private readonly client: pg.Client;

  private constructor(client: pg.Client) {
    this.client = client;
  }

  static async open(port: number, password: string, settings: readonly string[] = []): Promise<Session> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user: 'postgres',
      password,
      database: 'postgres',
      types: { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig,
    });
    client.on('error', () => {});
    await client.connect();
    await client.query(`set statement_timeout = ${STATEMENT_TIMEOUT_MILLIS}`);
    for (const setting of settings) await client.query(setting);
    return new Session(client);
  }

  async run(statements: readonly string[]): Promise<QueryResult> {
    let last = NO_ROWS;
    for (const text of statements) {
      const result = await this.client.query<(string | null)[]>({ text, rowMode: 'array' });
      if (result.fields.length === 0) continue;
      last = {
        columns: result.fields.map((field) => field.name),
        isFloat: result.fields.map((field) => FLOAT_TYPES.has(field.dataTypeID)),
        rows: result.rows,
      };
    }
    return last;
  }

  async text(statement: string): Promise<string> {
    return (await this.run([statement])).rows[0]?.[0] ?? '';
  }

  async load(table: string, file: string): Promise<void> {
    const copy = new CopyFromFile(`copy ${table} from stdin with (delimiter '|')`, file);
    this.client.query(copy as unknown as pg.Submittable);
    await copy.done;
  }

  close(): Promise<void> {
    return this.client.end();
  }
}
