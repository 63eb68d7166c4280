/** Frames of COPY's binary format: signature, flags, extension, rows of length-prefixed fields, trailer. */
import { DbError } from '../../base/error.ts';

/** "PGCOPY\n\377\r\n\0" */
export const BINARY_SIGNATURE = Uint8Array.of(80, 71, 67, 79, 80, 89, 10, 255, 13, 10, 0);

/** Cuts the stream into rows, whatever the split points. */
export class BinaryReader {
  private pending: Uint8Array = new Uint8Array(0);
  private position = 0;
  private phase: 'header' | 'rows' | 'done' = 'header';
  /** Fields of the current row; null = NULL. */
  fields: (Uint8Array | null)[] = [];

  push(chunk: Uint8Array): void {
    const rest = this.pending.length - this.position;
    if (rest === 0) this.pending = chunk;
    else {
      const joined = new Uint8Array(rest + chunk.length);
      joined.set(this.pending.subarray(this.position));
      joined.set(chunk, rest);
      this.pending = joined;
    }
    this.position = 0;
  }

  /** No more bytes: a stream that stops inside a row or header is refused; a missing trailer too. */
  end(): void {
    if (this.phase === 'done') return;
    if (this.phase === 'header') {
      throw new DbError('bad_copy_file_format', 'COPY file signature not recognized');
    }
    throw new DbError('bad_copy_file_format', 'unexpected EOF in COPY data');
  }

  /** Moves to the next complete row. */
  next(): boolean {
    if (this.phase === 'header' && !this.readHeader()) return false;
    if (this.phase === 'done') {
      if (this.position < this.pending.length) {
        throw new DbError('bad_copy_file_format', 'received copy data after EOF marker');
      }
      return false;
    }
    const { pending } = this;
    const view = new DataView(pending.buffer, pending.byteOffset, pending.byteLength);
    let at = this.position;
    if (at + 2 > pending.length) return false;
    const count = view.getInt16(at);
    at += 2;
    if (count === -1) {
      this.position = at;
      this.phase = 'done';
      return this.next();
    }
    if (count < 0) throw new DbError('bad_copy_file_format', 'unexpected field count in COPY data');
    const fields: (Uint8Array | null)[] = [];
    for (let index = 0; index < count; index++) {
      if (at + 4 > pending.length) return false;
      const size = view.getInt32(at);
      at += 4;
      if (size === -1) {
        fields.push(null);
        continue;
      }
      if (size < 0) throw new DbError('bad_copy_file_format', 'invalid field size');
      if (at + size > pending.length) return false;
      fields.push(pending.subarray(at, at + size));
      at += size;
    }
    this.position = at;
    this.fields = fields;
    return true;
  }

  private readHeader(): boolean {
    const { pending } = this;
    const fixed = BINARY_SIGNATURE.length + 8;
    const known = Math.min(pending.length, BINARY_SIGNATURE.length);
    for (let index = 0; index < known; index++) {
      if (pending[index] !== BINARY_SIGNATURE[index]) {
        throw new DbError('bad_copy_file_format', 'COPY file signature not recognized');
      }
    }
    if (pending.length < fixed) return false;
    const view = new DataView(pending.buffer, pending.byteOffset, pending.byteLength);
    const flags = view.getInt32(BINARY_SIGNATURE.length);
    if ((flags & (1 << 16)) !== 0) {
      throw new DbError('bad_copy_file_format', 'invalid COPY file header (WITH OIDS)');
    }
    if (flags >>> 16 !== 0) {
      throw new DbError('bad_copy_file_format', 'unrecognized critical flags in COPY file header');
    }
    const extension = view.getInt32(BINARY_SIGNATURE.length + 4);
    if (extension < 0) throw new DbError('bad_copy_file_format', 'invalid COPY file header (missing length)');
    if (pending.length < fixed + extension) return false;
    this.position = fixed + extension;
    this.phase = 'rows';
    return true;
  }
}

/** Header of a stream we write. */
export function binaryHeader(): Uint8Array {
  const header = new Uint8Array(BINARY_SIGNATURE.length + 8);
  header.set(BINARY_SIGNATURE);
  return header;
}

export const BINARY_TRAILER = Uint8Array.of(255, 255);
