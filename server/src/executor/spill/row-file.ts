/** A temporary file of rows: written to its end once, then read from the start as often as wanted. */
import type { TypeSupport } from '../../types/contract.ts';
import type { Datum } from '../../types/datum.ts';
import type { SpillFile, SpillStore } from '../state.ts';
import { RowDecoder, RowEncoder } from './row-codec.ts';

const BLOCK_BYTES = 1 << 18;

export class RowFile {
  rowCount = 0;
  private readonly file: SpillFile;
  private readonly width: number;
  private readonly encoder: RowEncoder;
  private readonly decoder: RowDecoder;
  private block: Buffer = Buffer.alloc(0);
  /** Where `block` begins in the file and how many of its bytes are filled. */
  private blockFilled = 0;
  private fileOffset = 0;
  private position = 0;
  private rowsRead = 0;
  private rowStart = 0;

  /** `width` values a row. */
  constructor(store: SpillStore, width: number, support: (typeOid: number) => TypeSupport) {
    this.file = store.create();
    this.width = width;
    this.encoder = new RowEncoder(support);
    this.decoder = new RowDecoder(support);
  }

  get sizeBytes(): number {
    return this.file.size + this.encoder.length;
  }

  /** Appends a row: the values at `slots`, in order. */
  writeSlots(frame: readonly Datum[], slots: readonly number[]): void {
    this.beginRow();
    for (const slot of slots) this.encoder.value(frame[slot]!);
    this.endRow();
  }

  write(values: readonly Datum[]): void {
    this.beginRow();
    for (const value of values) this.encoder.value(value);
    this.endRow();
  }

  private beginRow(): void {
    const { encoder } = this;
    if (encoder.length > BLOCK_BYTES || encoder.length + 4 > encoder.buffer.length) this.flush();
    this.rowStart = encoder.length;
    encoder.length += 4;
  }

  private endRow(): void {
    const { encoder } = this;
    encoder.buffer.writeUInt32LE(encoder.length - this.rowStart - 4, this.rowStart);
    this.rowCount++;
  }

  private flush(): void {
    if (this.encoder.length === 0) return;
    this.file.append(this.encoder.buffer.subarray(0, this.encoder.length));
    this.encoder.length = 0;
  }

  /** Ends writing and goes to the first row. */
  rewind(): void {
    this.flush();
    this.fileOffset = 0;
    this.blockFilled = 0;
    this.position = 0;
    this.rowsRead = 0;
  }

  /** Next row into `target` at `slots` (or 0, 1 … without); false at the end. */
  read(target: Datum[], slots: readonly number[] | null = null): boolean {
    if (this.rowsRead === this.rowCount) return false;
    this.need(4);
    const size = this.block.readUInt32LE(this.position);
    this.need(4 + size);
    this.decoder.begin(this.block, this.position + 4);
    for (let index = 0; index < this.width; index++) {
      target[slots === null ? index : slots[index]!] = this.decoder.value();
    }
    this.position += 4 + size;
    this.rowsRead++;
    return true;
  }

  /** Makes `size` bytes from `position` on available in the block. */
  private need(size: number): void {
    if (this.blockFilled - this.position >= size) return;
    const rest = this.blockFilled - this.position;
    const wanted = Math.max(BLOCK_BYTES, size);
    const block = Buffer.allocUnsafeSlow(wanted);
    this.block.copy(block, 0, this.position, this.blockFilled);
    const count = this.file.read(this.fileOffset, block.subarray(rest));
    this.fileOffset += count;
    this.block = block;
    this.blockFilled = rest + count;
    this.position = 0;
  }

  close(): void {
    this.file.close();
  }
}
