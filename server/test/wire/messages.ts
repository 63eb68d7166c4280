/** Malformed messages of the protocol: bodies made up or bent out of valid ones, and broken frames. Repeatable by seed. */

const PROTOCOL = 196608;
const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;

/** Texts of valid sessions. None is dangerous however bent: nothing runs long and nothing reaches the file system. */
const QUERIES = [
  'select 1',
  'select $1::int4 + 1, $2::text',
  'insert into junk values ($1, $2)',
  'select id, value from junk where id < 3',
  'copy junk from stdin',
  'begin',
  'savepoint s',
  'rollback',
  "set application_name = 'bent'",
  'declare c cursor for select 1',
  'fetch all from c',
  "select '\\xdeadbeef'::bytea, array[1, 2], '{\"a\": 1}'::jsonb",
  '',
];
const NAMES = ['', 's', 'p', 'a name', 'x'.repeat(200)];
/** Messages a client may send after login, but Terminate. */
const TYPES = 'QPBDECSHdcfF';

export class MessageSource {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0 || 1;
  }

  /** From 0 to bound - 1 (xorshift). */
  below(bound: number): number {
    let state = this.state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.state = state >>> 0;
    return this.state % bound;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /**
   * A message after login whose frame is right: mostly readable nonsense (the session goes on, in states nobody meant it
   * to be in), else a bent or random body, which ends the session when it cannot be read.
   */
  framed(): Buffer {
    const type = TYPES[this.below(TYPES.length)];
    switch (this.below(50)) {
      case 0:
        return frame(type, this.bytes(this.below(64)));
      case 1:
        return frame(type, this.bent(this.body(type)));
      default:
        return frame(type, this.body(type));
    }
  }

  /** A message whose frame is broken: the session cannot go on after it. */
  broken(): Buffer {
    const type = TYPES[this.below(TYPES.length)];
    const body = this.body(type);
    const message = frame(type, body);
    switch (this.below(5)) {
      case 0:
        message.writeInt32BE(this.pick([0, 1, 3, -1, -2147483648, 2147483647, 1 << 30]), 1);
        return message;
      case 1:
        message[0] = this.below(256);
        return message;
      case 2:
        return message.subarray(0, this.below(message.length));
      case 3:
        message.writeInt32BE(Math.max(4, body.length + 4 + this.below(40) - 20), 1);
        return Buffer.concat([message, this.bytes(this.below(100))]);
      default:
        return this.bytes(1 + this.below(200));
    }
  }

  /** The first bytes of a connection, wrong in some way. */
  startup(): Buffer {
    const parameters = Buffer.from('user\0postgres\0database\0postgres\0\0');
    switch (this.below(8)) {
      case 0:
        return this.bytes(this.below(300));
      case 1:
        return startupFrame(this.pick([SSL_REQUEST, GSS_REQUEST]), this.bytes(this.below(50)));
      case 2:
        return startupFrame(CANCEL_REQUEST, this.bytes(this.pick([0, 4, 7, 8, 9, 300])));
      case 3:
        return startupFrame(
          this.below(2) === 0 ? PROTOCOL : this.below(2 ** 31),
          this.bytes(this.below(200)),
        );
      case 4:
        return startupFrame(PROTOCOL, this.bent(parameters));
      case 5: {
        const message = startupFrame(PROTOCOL, parameters);
        message.writeInt32BE(this.pick([0, 4, 7, 8, -1, 9999, 10001, 2147483647]), 0);
        return message;
      }
      case 6:
        // Login begun, then nonsense where the password belongs.
        return Buffer.concat([startupFrame(PROTOCOL, parameters), this.framed(), this.broken()]);
      default:
        return Buffer.concat([startupFrame(PROTOCOL, parameters), frame('p', this.bytes(this.below(100)))]);
    }
  }

  private bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; at++) bytes[at] = this.below(256);
    return bytes;
  }

  /** Bits flipped, bytes cut, doubled, inserted or overwritten; now and then nothing. */
  private bent(body: Buffer): Buffer {
    let bytes = Buffer.from(body);
    for (let count = this.below(4); count > 0; count--) {
      const at = this.below(bytes.length + 1);
      switch (this.below(5)) {
        case 0:
          if (at < bytes.length) bytes[at] ^= 1 << this.below(8);
          break;
        case 1:
          bytes = bytes.subarray(0, at);
          break;
        case 2:
          bytes = Buffer.concat([bytes.subarray(0, at), this.bytes(this.below(9)), bytes.subarray(at)]);
          break;
        case 3:
          bytes = Buffer.concat([bytes, bytes.subarray(at)]);
          break;
        default:
          if (at + 2 <= bytes.length) bytes.writeInt16BE(this.pick([-1, -32768, 32767, 0, 255]), at);
      }
    }
    return bytes;
  }

  private body(type: string): Buffer {
    const parts: Buffer[] = [];
    const text = (value: string): void => void parts.push(Buffer.from(`${value}\0`));
    const int16 = (value: number): void => {
      const bytes = Buffer.alloc(2);
      bytes.writeInt16BE(value);
      parts.push(bytes);
    };
    const int32 = (value: number): void => {
      const bytes = Buffer.alloc(4);
      bytes.writeInt32BE(value);
      parts.push(bytes);
    };
    const values = (): void => {
      const count = this.below(3);
      int16(this.below(2));
      if (parts.at(-1)?.readInt16BE() === 1) int16(this.below(3));
      int16(count);
      for (let value = 0; value < count; value++) {
        const bytes = this.pick([Buffer.from('7'), Buffer.from('text'), this.bytes(4), null]);
        int32(bytes === null ? -1 : bytes.length);
        if (bytes !== null) parts.push(bytes);
      }
    };
    switch (type) {
      case 'Q':
        text(this.pick(QUERIES));
        break;
      case 'P':
        text(this.pick(NAMES));
        text(this.pick(QUERIES));
        int16(1);
        int32(this.pick([0, 23, 25, 17, 1700, -1, 999999]));
        break;
      case 'B':
        text(this.pick(NAMES));
        text(this.pick(NAMES));
        values();
        int16(this.below(2));
        if (parts.at(-1)?.readInt16BE() === 1) int16(this.below(3));
        break;
      case 'D':
      case 'C':
        parts.push(Buffer.from(this.pick(['S', 'P'])));
        text(this.pick(NAMES));
        break;
      case 'E':
        text(this.pick(NAMES));
        int32(this.pick([0, 1, -1, 2147483647]));
        break;
      case 'd':
        parts.push(Buffer.from(this.pick(['1\tone\n', '2\ttwo', '\\.\n', 'x\ty\tz\n', '\\N\t\\N\n'])));
        break;
      case 'f':
        text('no more');
        break;
      case 'F':
        int32(this.pick([0, 1, 2000, -1]));
        values();
        int16(this.below(2));
        break;
    }
    return Buffer.concat(parts);
  }
}

export function frame(type: string, body: Buffer): Buffer {
  const message = Buffer.alloc(5 + body.length);
  message.write(type, 0, 'latin1');
  message.writeInt32BE(4 + body.length, 1);
  body.copy(message, 5);
  return message;
}

export function startupFrame(code: number, body: Buffer): Buffer {
  const message = Buffer.alloc(8 + body.length);
  message.writeInt32BE(message.length, 0);
  message.writeInt32BE(code, 4);
  body.copy(message, 8);
  return message;
}

export const STARTUP = startupFrame(PROTOCOL, Buffer.from('user\0postgres\0database\0postgres\0\0'));
