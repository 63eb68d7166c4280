/** The bytes of COPY … FROM STDIN on their way from the wire to the statement, with back-pressure. */
import type { DbError } from '../base/error.ts';
import type { Pending } from './contract.ts';

/** Bytes that may wait unread before the connection is told to pause. */
const BUFFER_BYTES_MAX = 4 << 20;
const BUFFER_BYTES_MIN = 1 << 16;
const NO_BYTES = new Uint8Array(0);

export class CopyInStream {
  /** Filled by the wire; handed to the reader whole and taken back two reads later, so that nothing is allocated on the way. */
  private readonly buffers: [Uint8Array, Uint8Array, Uint8Array] = [NO_BYTES, NO_BYTES, NO_BYTES];
  private filling = 0;
  private bufferedBytes = 0;
  private isEnded = false;
  private error: DbError | null = null;
  private wakeReader: (() => void) | null = null;
  private releaseWriters: (() => void)[] = [];
  private readonly closed: () => void;

  constructor(closed: () => void) {
    this.closed = closed;
  }

  /** From the wire; the bytes are copied. A promise asks the sender to wait. */
  push(bytes: Uint8Array): Pending {
    if (this.isEnded || this.error !== null) return null;
    let buffer = this.buffers[this.filling]!;
    const needed = this.bufferedBytes + bytes.length;
    if (needed > buffer.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * buffer.length, BUFFER_BYTES_MIN));
      larger.set(buffer.subarray(0, this.bufferedBytes));
      this.buffers[this.filling] = buffer = larger;
    }
    buffer.set(bytes, this.bufferedBytes);
    this.bufferedBytes = needed;
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
    this.bufferedBytes = 0;
    this.finish();
  }

  /**
   * What waits, at once; null at the end, undefined when the reader must wait. Throws what `fail` was given. The bytes stay as they are until the
   * second read after this one.
   */
  tryRead(): Uint8Array | null | undefined {
    if (this.error !== null) throw this.error;
    if (this.bufferedBytes > 0) {
      const bytes = this.buffers[this.filling]!.subarray(0, this.bufferedBytes);
      this.filling = (this.filling + 1) % this.buffers.length;
      this.bufferedBytes = 0;
      this.release();
      return bytes;
    }
    return this.isEnded ? null : undefined;
  }

  /** Resolves when `tryRead` has something to say. */
  readable(): Promise<void> {
    if (this.bufferedBytes > 0 || this.isEnded || this.error !== null) return Promise.resolve();
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
