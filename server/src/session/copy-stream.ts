/** The bytes of COPY … FROM STDIN on their way from the wire to the statement, with back-pressure. */
import type { DbError } from '../base/error.ts';
import type { Pending } from './contract.ts';

/** Bytes that may wait unread before the connection is told to pause. */
const BUFFER_BYTES_MAX = 4 << 20;

export class CopyInStream {
  private readonly chunks: Uint8Array[] = [];
  private bufferedBytes = 0;
  private isEnded = false;
  private error: DbError | null = null;
  private wakeReader: (() => void) | null = null;
  private releaseWriters: (() => void)[] = [];
  private readonly closed: () => void;

  constructor(closed: () => void) {
    this.closed = closed;
  }

  /** From the wire; the bytes are the stream's to keep. A promise asks the sender to wait. */
  push(bytes: Uint8Array): Pending {
    if (this.isEnded || this.error !== null) return null;
    this.chunks.push(bytes);
    this.bufferedBytes += bytes.length;
    this.wake();
    if (this.bufferedBytes < BUFFER_BYTES_MAX) return null;
    return new Promise((resolve) => {
      this.releaseWriters.push(resolve);
    });
  }

  end(): void {
    this.isEnded = true;
    this.finish();
  }

  fail(error: DbError): void {
    if (this.isEnded) return;
    this.error ??= error;
    this.finish();
  }

  /** The statement failed: what still arrives is thrown away by the connection. */
  abandon(): void {
    this.isEnded = true;
    this.chunks.length = 0;
    this.finish();
  }

  /** What waits, at once; null at the end, undefined when the reader must wait. Throws what `fail` was given. */
  tryRead(): Uint8Array | null | undefined {
    if (this.error !== null) throw this.error;
    if (this.chunks.length > 0) {
      const joined = this.takeAll();
      this.release();
      return joined;
    }
    return this.isEnded ? null : undefined;
  }

  /** Resolves when `tryRead` has something to say. */
  readable(): Promise<void> {
    if (this.chunks.length > 0 || this.isEnded || this.error !== null) return Promise.resolve();
    return new Promise((resolve) => {
      this.wakeReader = resolve;
    });
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      const chunk = this.tryRead();
      if (chunk !== undefined) return chunk;
      await this.readable();
    }
  }

  /** Everything that waits, as one piece: clients may send a message per row. */
  private takeAll(): Uint8Array {
    const { chunks } = this;
    let joined = chunks[0];
    if (chunks.length > 1) {
      joined = new Uint8Array(this.bufferedBytes);
      let at = 0;
      for (const chunk of chunks) {
        joined.set(chunk, at);
        at += chunk.length;
      }
    }
    chunks.length = 0;
    this.bufferedBytes = 0;
    return joined;
  }

  private finish(): void {
    this.closed();
    this.wake();
    this.release();
  }

  private wake(): void {
    const reader = this.wakeReader;
    this.wakeReader = null;
    reader?.();
  }

  private release(): void {
    const writers = this.releaseWriters;
    this.releaseWriters = [];
    for (const writer of writers) writer();
  }
}
