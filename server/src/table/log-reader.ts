/** Reads what `LogBuffer` wrote. Bounds are checked: log bytes come from disk. */
import { DbError } from '../base/error.ts';

/** Little-endian cursor over bytes; see `txn/log-buffer.ts` for the writing side. */
export class LogReader {
  private readonly source: Uint8Array;
  private readonly view: DataView;
  position = 0;
  readonly end: number;

  constructor(source: Uint8Array) {
    this.source = source;
    this.view = new DataView(source.buffer, source.byteOffset, source.length);
    this.end = source.length;
  }

  get isAtEnd(): boolean {
    return this.position >= this.end;
  }

  private take(count: number): number {
    const at = this.position;
    if (count < 0 || at + count > this.end) {
      throw new DbError('data_corrupted', 'log record is shorter than its content claims', {
        detail: `Needed ${count} bytes at ${at} of ${this.end}.`,
      });
    }
    this.position = at + count;
    return at;
  }

  u8(): number {
    return this.source[this.take(1)];
  }

  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  u64(): number {
    const at = this.take(8);
    return this.view.getUint32(at, true) + this.view.getUint32(at + 4, true) * 4294967296;
  }

  i64(): bigint {
    return this.view.getBigInt64(this.take(8), true);
  }

  f64(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  /** A view, valid as long as the source. */
  bytes(length: number): Uint8Array {
    const at = this.take(length);
    return this.source.subarray(at, at + length);
  }

  text(): string {
    const bytes = this.bytes(this.u32());
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  }
}
