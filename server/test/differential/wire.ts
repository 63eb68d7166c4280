/**
 * A client that sends many statements in one write and reads all their answers: simple queries one behind the other, each answered up
 * to its ReadyForQuery. Rows stay bytes until someone wants to see them.
 */
import { connect, type Socket } from 'node:net';

/** What one statement was answered. */
export interface Answer {
  /** SQLSTATE, or 00000. */
  readonly state: string;
  readonly message: string;
  /** Character the error points to; empty for none, as detail and hint. */
  readonly position: string;
  readonly detail: string;
  readonly hint: string;
  readonly columns: readonly { readonly name: string; readonly type: number; readonly modifier: number }[];
  readonly tag: string;
  /** The bodies of the DataRow messages. */
  readonly rowBytes: readonly Buffer[];
}

const EMPTY: Answer = {
  state: '00000',
  message: '',
  position: '',
  detail: '',
  hint: '',
  columns: [],
  tag: '',
  rowBytes: [],
};
/** In the place of a SQLSTATE when the connection ended before the answer. */
export const CLOSED = 'closed';

/** The rows as text. */
export function rowsOf(answer: Answer): (string | null)[][] {
  return answer.rowBytes.map((body) => {
    const row: (string | null)[] = [];
    let at = 2;
    for (let left = body.readUInt16BE(0); left > 0; left--) {
      const length = body.readInt32BE(at);
      at += 4;
      row.push(length < 0 ? null : body.toString('utf8', at, at + length));
      at += Math.max(length, 0);
    }
    return row;
  });
}

export class WireClient {
  private readonly socket: Socket;
  private pending: Buffer = Buffer.alloc(0);
  private answers: Answer[] = [];
  private current: Answer = EMPTY;
  private rows: Buffer[] = [];
  private wanted = 0;
  private settle: (() => void) | null = null;
  private isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => this.receive(bytes));
    socket.on('error', () => this.close());
    socket.on('close', () => this.close());
  }

  /** To a server that asks no password there. */
  static async open(target: { path: string } | { port: number; host: string }): Promise<WireClient> {
    const socket = connect(target);
    socket.setNoDelay(true);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve());
      socket.once('error', reject);
    });
    const client = new WireClient(socket);
    const text = Buffer.from('user\0postgres\0database\0postgres\0client_encoding\0UTF8\0\0');
    const head = Buffer.alloc(8);
    head.writeInt32BE(text.length + 8, 0);
    head.writeInt32BE(196_608, 4);
    client.wanted = 1;
    socket.write(Buffer.concat([head, text]));
    await client.settled();
    return client;
  }

  /** Answers in the order of the statements, each of which may be a transaction of its own or part of one. */
  async ask(statements: readonly string[]): Promise<Answer[]> {
    this.answers = [];
    this.wanted = statements.length;
    this.socket.write(
      Buffer.concat(
        statements.map((sql) => {
          const text = Buffer.from(sql);
          const message = Buffer.alloc(text.length + 6);
          message[0] = 0x51;
          message.writeInt32BE(text.length + 5, 1);
          text.copy(message, 5);
          return message;
        }),
      ),
    );
    await this.settled();
    while (this.answers.length < statements.length)
      this.answers.push({ ...EMPTY, state: CLOSED, message: 'the connection ended' });
    return this.answers;
  }

  async one(sql: string): Promise<Answer> {
    return (await this.ask([sql]))[0]!;
  }

  end(): void {
    this.socket.end(Buffer.from([0x58, 0, 0, 0, 4]));
  }

  private async settled(): Promise<void> {
    if (this.isClosed || this.wanted === 0) return;
    await new Promise<void>((resolve) => {
      this.settle = resolve;
    });
  }

  private close(): void {
    this.isClosed = true;
    this.settle?.();
  }

  private receive(bytes: Buffer): void {
    const all = this.pending.length === 0 ? bytes : Buffer.concat([this.pending, bytes]);
    let at = 0;
    while (at + 5 <= all.length) {
      const end = at + 1 + all.readInt32BE(at + 1);
      if (end > all.length) break;
      this.message(all[at]!, all.subarray(at + 5, end));
      at = end;
    }
    this.pending = all.subarray(at);
  }

  private message(kind: number, body: Buffer): void {
    switch (kind) {
      case 0x44:
        this.rows.push(body);
        break;
      case 0x54:
        this.current = { ...this.current, columns: columnsOf(body) };
        break;
      case 0x43:
        this.current = { ...this.current, tag: body.toString('utf8', 0, body.length - 1) };
        break;
      case 0x45:
        this.current = { ...this.current, ...errorOf(body) };
        this.rows = [];
        break;
      case 0x5a:
        this.answers.push({ ...this.current, rowBytes: this.rows });
        this.current = EMPTY;
        this.rows = [];
        if (--this.wanted === 0) {
          this.settle?.();
          this.settle = null;
        }
        break;
      default:
    }
  }
}

function columnsOf(body: Buffer): Answer['columns'] {
  const columns: { name: string; type: number; modifier: number }[] = [];
  let at = 2;
  for (let left = body.readUInt16BE(0); left > 0; left--) {
    const end = body.indexOf(0, at);
    columns.push({
      name: body.toString('utf8', at, end),
      type: body.readUInt32BE(end + 7),
      modifier: body.readInt32BE(end + 13),
    });
    at = end + 19;
  }
  return columns;
}

function errorOf(body: Buffer): Partial<Answer> {
  const fields: Record<string, string> = {};
  for (let at = 0; body[at] !== 0; ) {
    const end = body.indexOf(0, at + 1);
    fields[String.fromCharCode(body[at]!)] = body.toString('utf8', at + 1, end);
    at = end + 1;
  }
  return {
    state: fields.C ?? 'none',
    message: fields.M ?? '',
    position: fields.P ?? '',
    detail: fields.D ?? '',
    hint: fields.H ?? '',
    columns: [],
  };
}
