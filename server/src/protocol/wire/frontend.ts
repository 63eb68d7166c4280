/**
 * Decoder of frontend messages: bytes in, messages out; no socket, no state but the bytes not yet used.
 *
 * Wire format (PostgreSQL manual 55.7): type byte, int32 length including itself, body. The startup packet has no type
 * byte. Integers are big-endian; strings end in a zero byte.
 *
 * Owner   `push` keeps views of the chunk it is given (the caller does not reuse it). Byte ranges in messages are views of such
 *         chunks: valid as long as the receiver keeps them.
 * Errors  DbError 08P01 for anything malformed; the connection is then closed, as there is no way to find the next message.
 */
import { DbError } from '../../base/error.ts';
import { LARGE_MESSAGE_BYTES_DEFAULT, SMALL_MESSAGE_BYTES_MAX, STARTUP_PACKET_BYTES_MAX } from './limits.ts';

export type StartupMessage =
  | {
      readonly kind: 'startup';
      readonly major: number;
      readonly minor: number;
      readonly parameters: Map<string, string>;
    }
  | { readonly kind: 'sslRequest' }
  | { readonly kind: 'gssEncryptionRequest' }
  | { readonly kind: 'cancelRequest'; readonly processId: number; readonly secretKey: number };

export type FrontendMessage =
  | { readonly kind: 'query'; readonly text: string }
  | {
      readonly kind: 'parse';
      readonly name: string;
      readonly text: string;
      readonly parameterTypes: readonly number[];
    }
  | BindMessage
  | { readonly kind: 'describe'; readonly target: 'statement' | 'portal'; readonly name: string }
  | { readonly kind: 'execute'; readonly portal: string; readonly maxRows: number }
  | { readonly kind: 'close'; readonly target: 'statement' | 'portal'; readonly name: string }
  | { readonly kind: 'sync' }
  | { readonly kind: 'flush' }
  | { readonly kind: 'terminate' }
  | { readonly kind: 'copyData'; readonly bytes: Uint8Array }
  | { readonly kind: 'copyDone' }
  | { readonly kind: 'copyFail'; readonly message: string }
  | {
      readonly kind: 'functionCall';
      readonly functionOid: number;
      readonly argumentFormats: readonly number[];
      readonly values: readonly (Uint8Array | null)[];
      readonly resultFormat: number;
    }
  /** PasswordMessage, SASLInitialResponse, SASLResponse, GSSResponse: which one depends on what was asked. */
  | { readonly kind: 'authentication'; readonly body: Uint8Array };

export interface BindMessage {
  readonly kind: 'bind';
  readonly portal: string;
  readonly statement: string;
  readonly parameterFormats: readonly number[];
  readonly values: readonly (Uint8Array | null)[];
  readonly resultFormats: readonly number[];
}

const SSL_REQUEST_CODE = 80877103;
const GSS_REQUEST_CODE = 80877104;
const CANCEL_REQUEST_CODE = 80877102;

const EMPTY_NUMBERS: readonly number[] = [];
const EMPTY_VALUES: readonly (Uint8Array | null)[] = [];
const ONE_TEXT: readonly number[] = [0];
const ONE_BINARY: readonly number[] = [1];
const SYNC: FrontendMessage = { kind: 'sync' };
const FLUSH: FrontendMessage = { kind: 'flush' };
const TERMINATE: FrontendMessage = { kind: 'terminate' };
const COPY_DONE: FrontendMessage = { kind: 'copyDone' };

const TYPE_QUERY = 0x51;
const TYPE_PARSE = 0x50;
const TYPE_BIND = 0x42;
const TYPE_DESCRIBE = 0x44;
const TYPE_EXECUTE = 0x45;
const TYPE_CLOSE = 0x43;
const TYPE_SYNC = 0x53;
const TYPE_FLUSH = 0x48;
const TYPE_TERMINATE = 0x58;
const TYPE_COPY_DATA = 0x64;
const TYPE_COPY_DONE = 0x63;
const TYPE_COPY_FAIL = 0x66;
const TYPE_FUNCTION_CALL = 0x46;
const TYPE_AUTHENTICATION = 0x70;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function protocolViolation(message: string): DbError {
  return new DbError('protocol_violation', message).fatal();
}

export class FrontendDecoder {
  /** Largest body of a message that carries statements or data. */
  largeMessageBytesMax = LARGE_MESSAGE_BYTES_DEFAULT;
  /** Largest authentication message; raised by nobody. */
  private chunk: Uint8Array = new Uint8Array(0);
  private offset = 0;
  /** Chunks behind `chunk`, while a message spans several. */
  private readonly waiting: Uint8Array[] = [];
  private waitingBytes = 0;

  /** Bytes received and not yet part of a decoded message. */
  get bufferedBytes(): number {
    return this.chunk.length - this.offset + this.waitingBytes;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.offset === this.chunk.length && this.waiting.length === 0) {
      this.chunk = bytes;
      this.offset = 0;
      return;
    }
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
  }

  /** The next startup-phase packet, or null until it is complete. */
  nextStartup(): StartupMessage | null {
    if (!this.ensure(4)) return null;
    const length = this.peekInt32(0);
    if (length < 8 || length > STARTUP_PACKET_BYTES_MAX)
      throw protocolViolation('invalid length of startup packet');
    if (!this.ensure(length)) return null;
    const body = this.take(length).subarray(4);
    const code = readInt32(body, 0);
    switch (code) {
      case SSL_REQUEST_CODE:
      case GSS_REQUEST_CODE:
        if (length !== 8) throw protocolViolation('invalid length of startup packet');
        return { kind: code === SSL_REQUEST_CODE ? 'sslRequest' : 'gssEncryptionRequest' };
      case CANCEL_REQUEST_CODE:
        if (length !== 16) throw protocolViolation('invalid length of cancel request');
        return { kind: 'cancelRequest', processId: readInt32(body, 4), secretKey: readInt32(body, 8) };
      default:
        return decodeStartup(code, body);
    }
  }

  /** The next message, or null until one is complete. */
  next(): FrontendMessage | null {
    if (!this.ensure(5)) return null;
    const type = this.chunk[this.offset];
    const length = this.peekInt32(1);
    if (length < 4 || length - 4 > this.bodyLimit(type)) {
      if (!isKnownType(type)) throw protocolViolation(`invalid frontend message type ${type}`);
      throw protocolViolation('invalid message length');
    }
    if (!this.ensure(length + 1)) return null;
    const start = this.offset + 5;
    const end = this.offset + 1 + length;
    const body = this.chunk;
    this.offset = end;
    return decodeMessage(type, body, start, end);
  }

  private bodyLimit(type: number): number {
    switch (type) {
      case TYPE_QUERY:
      case TYPE_PARSE:
      case TYPE_BIND:
      case TYPE_COPY_DATA:
      case TYPE_FUNCTION_CALL:
        return this.largeMessageBytesMax;
      case TYPE_AUTHENTICATION:
        return 65_535;
      default:
        return isKnownType(type) ? SMALL_MESSAGE_BYTES_MAX : -1;
    }
  }

  /** Makes `count` bytes contiguous at the current offset; false when they are not there yet. */
  private ensure(count: number): boolean {
    const here = this.chunk.length - this.offset;
    if (here >= count) return true;
    if (here + this.waitingBytes < count) return false;
    // Join only as many chunks as the message needs: a COPY stream is not copied as a whole.
    let total = here;
    let used = 0;
    while (total < count) total += this.waiting[used++].length;
    const joined = new Uint8Array(total);
    joined.set(this.chunk.subarray(this.offset), 0);
    let at = here;
    for (let index = 0; index < used; index++) {
      joined.set(this.waiting[index], at);
      at += this.waiting[index].length;
      this.waitingBytes -= this.waiting[index].length;
    }
    this.waiting.splice(0, used);
    this.chunk = joined;
    this.offset = 0;
    return true;
  }

  private take(count: number): Uint8Array {
    const bytes = this.chunk.subarray(this.offset, this.offset + count);
    this.offset += count;
    return bytes;
  }

  private peekInt32(relative: number): number {
    return readInt32(this.chunk, this.offset + relative);
  }
}

function isKnownType(type: number): boolean {
  switch (type) {
    case TYPE_QUERY:
    case TYPE_PARSE:
    case TYPE_BIND:
    case TYPE_DESCRIBE:
    case TYPE_EXECUTE:
    case TYPE_CLOSE:
    case TYPE_SYNC:
    case TYPE_FLUSH:
    case TYPE_TERMINATE:
    case TYPE_COPY_DATA:
    case TYPE_COPY_DONE:
    case TYPE_COPY_FAIL:
    case TYPE_FUNCTION_CALL:
    case TYPE_AUTHENTICATION:
      return true;
    default:
      return false;
  }
}

function readInt32(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] << 24) | (bytes[offset + 1] << 16) | (bytes[offset + 2] << 8) | bytes[offset + 3];
}

function decodeStartup(code: number, body: Uint8Array): StartupMessage {
  const major = code >>> 16;
  const minor = code & 0xffff;
  const parameters = new Map<string, string>();
  if (major !== 3) return { kind: 'startup', major, minor, parameters };
  const reader = new BodyReader(body, 4, body.length);
  for (;;) {
    if (reader.remaining === 0)
      throw protocolViolation('invalid startup packet layout: expected terminator as last byte');
    const name = reader.text();
    if (name === '') break;
    parameters.set(name, reader.text());
  }
  if (reader.remaining !== 0)
    throw protocolViolation('invalid startup packet layout: expected terminator as last byte');
  return { kind: 'startup', major, minor, parameters };
}

function decodeMessage(type: number, body: Uint8Array, start: number, end: number): FrontendMessage {
  switch (type) {
    case TYPE_SYNC:
      requireEmpty(start, end);
      return SYNC;
    case TYPE_FLUSH:
      requireEmpty(start, end);
      return FLUSH;
    case TYPE_TERMINATE:
      requireEmpty(start, end);
      return TERMINATE;
    case TYPE_COPY_DONE:
      requireEmpty(start, end);
      return COPY_DONE;
    case TYPE_COPY_DATA:
      return { kind: 'copyData', bytes: body.subarray(start, end) };
    case TYPE_AUTHENTICATION:
      return { kind: 'authentication', body: body.subarray(start, end) };
  }
  const reader = new BodyReader(body, start, end);
  const message = decodeBody(type, reader);
  reader.finish();
  return message;
}

function decodeBody(type: number, reader: BodyReader): FrontendMessage {
  switch (type) {
    case TYPE_BIND: {
      const portal = reader.text();
      const statement = reader.text();
      const parameterFormats = reader.formats();
      const values = reader.values();
      const resultFormats = reader.formats();
      return { kind: 'bind', portal, statement, parameterFormats, values, resultFormats };
    }
    case TYPE_EXECUTE: {
      const portal = reader.text();
      // A negative limit means no limit, as in PostgreSQL.
      const maxRows = reader.int32();
      return { kind: 'execute', portal, maxRows: Math.max(0, maxRows) };
    }
    case TYPE_QUERY:
      return { kind: 'query', text: reader.text() };
    case TYPE_PARSE: {
      const name = reader.text();
      const text = reader.text();
      const count = reader.uint16();
      if (count === 0) return { kind: 'parse', name, text, parameterTypes: EMPTY_NUMBERS };
      reader.require(count * 4);
      const parameterTypes: number[] = new Array(count);
      for (let index = 0; index < count; index++) parameterTypes[index] = reader.int32() >>> 0;
      return { kind: 'parse', name, text, parameterTypes };
    }
    case TYPE_DESCRIBE:
    case TYPE_CLOSE: {
      const letter = reader.byte();
      if (letter !== 0x53 && letter !== 0x50) {
        throw protocolViolation(
          `invalid ${type === TYPE_CLOSE ? 'CLOSE' : 'DESCRIBE'} message subtype ${letter}`,
        );
      }
      return {
        kind: type === TYPE_CLOSE ? 'close' : 'describe',
        target: letter === 0x53 ? 'statement' : 'portal',
        name: reader.text(),
      };
    }
    case TYPE_COPY_FAIL:
      return { kind: 'copyFail', message: reader.text() };
    case TYPE_FUNCTION_CALL: {
      const functionOid = reader.int32() >>> 0;
      const argumentFormats = reader.formats();
      const values = reader.values();
      return { kind: 'functionCall', functionOid, argumentFormats, values, resultFormat: reader.int16() };
    }
    default:
      throw protocolViolation(`invalid frontend message type ${type}`);
  }
}

function requireEmpty(start: number, end: number): void {
  if (start !== end) throw protocolViolation('invalid message format');
}

/** Reads the fields of one body; every read is checked against its end. */
class BodyReader {
  private readonly bytes: Uint8Array;
  private position: number;
  private readonly end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  require(count: number): void {
    if (this.end - this.position < count) throw protocolViolation('insufficient data left in message');
  }

  finish(): void {
    if (this.position !== this.end) throw protocolViolation('invalid message format');
  }

  byte(): number {
    this.require(1);
    return this.bytes[this.position++];
  }

  int16(): number {
    this.require(2);
    const value = ((this.bytes[this.position] << 24) >> 16) | this.bytes[this.position + 1];
    this.position += 2;
    return value;
  }

  uint16(): number {
    return this.int16() & 0xffff;
  }

  int32(): number {
    this.require(4);
    const value = readInt32(this.bytes, this.position);
    this.position += 4;
    return value;
  }

  text(): string {
    const { bytes, end } = this;
    const start = this.position;
    if (start < end && bytes[start] === 0) {
      this.position = start + 1;
      return '';
    }
    const zero = bytes.indexOf(0, start);
    if (zero < 0 || zero >= end) throw protocolViolation('invalid string in message');
    this.position = zero + 1;
    const length = zero - start;
    if (length <= 24) {
      let text = '';
      let index = start;
      for (; index < zero && bytes[index] < 0x80; index++) text += String.fromCharCode(bytes[index]);
      if (index === zero) return text;
    }
    try {
      return utf8.decode(bytes.subarray(start, zero));
    } catch {
      throw new DbError('character_not_in_repertoire', 'invalid byte sequence for encoding "UTF8"').fatal();
    }
  }

  formats(): readonly number[] {
    const count = this.uint16();
    if (count === 0) return EMPTY_NUMBERS;
    if (count === 1) {
      const format = this.int16();
      return format === 0 ? ONE_TEXT : format === 1 ? ONE_BINARY : [format];
    }
    this.require(count * 2);
    const formats: number[] = new Array(count);
    for (let index = 0; index < count; index++) formats[index] = this.int16();
    return formats;
  }

  values(): readonly (Uint8Array | null)[] {
    const count = this.uint16();
    if (count === 0) return EMPTY_VALUES;
    this.require(count * 4);
    const values: (Uint8Array | null)[] = new Array(count);
    for (let index = 0; index < count; index++) {
      const length = this.int32();
      if (length === -1) {
        values[index] = null;
        continue;
      }
      if (length < -1) throw protocolViolation('invalid message format');
      this.require(length);
      values[index] = this.bytes.subarray(this.position, this.position + length);
      this.position += length;
    }
    return values;
  }
}
