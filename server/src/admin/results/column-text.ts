/**
 * One column of a held result: texts as bytes in chunks outside the JavaScript heap.
 *
 * A million cells of ten bytes are 14 MB here and about 60 MB as strings. Appending copies; reading makes a string.
 */

/** Rows of a chunk. */
export const CHUNK_ROWS = 4096;
const NULL_LENGTH = 0xffffffff;

interface Chunk {
  /** Offset and length of each cell. */
  readonly cells: Uint32Array;
  bytes: Buffer;
  used: number;
}

export class TextColumn {
  /** Bytes held. */
  byteLength = 0;
  private readonly chunks: Chunk[] = [];
  private rows = 0;

  append(value: string | null): void {
    const at = this.rows % CHUNK_ROWS;
    if (at === 0) this.openChunk();
    const chunk = this.chunks[this.chunks.length - 1];
    this.rows++;
    if (value === null) {
      chunk.cells[at * 2 + 1] = NULL_LENGTH;
      return;
    }
    const most = value.length * 3;
    if (chunk.used + most > chunk.bytes.length) {
      const exact = Buffer.byteLength(value);
      if (chunk.used + exact > chunk.bytes.length) this.grow(chunk, chunk.used + exact);
    }
    const length = chunk.bytes.write(value, chunk.used);
    chunk.cells[at * 2] = chunk.used;
    chunk.cells[at * 2 + 1] = length;
    chunk.used += length;
  }

  get(row: number): string | null {
    const chunk = this.chunks[Math.floor(row / CHUNK_ROWS)];
    const at = (row % CHUNK_ROWS) * 2;
    const length = chunk.cells[at + 1];
    if (length === NULL_LENGTH) return null;
    return chunk.bytes.toString('utf8', chunk.cells[at], chunk.cells[at] + length);
  }

  isNull(row: number): boolean {
    return this.chunks[Math.floor(row / CHUNK_ROWS)].cells[(row % CHUNK_ROWS) * 2 + 1] === NULL_LENGTH;
  }

  /** Order of the two cells' bytes (that of the "C" collation); neither may be NULL. */
  compareBytes(left: number, right: number): number {
    const leftChunk = this.chunks[Math.floor(left / CHUNK_ROWS)];
    const rightChunk = this.chunks[Math.floor(right / CHUNK_ROWS)];
    const leftAt = (left % CHUNK_ROWS) * 2;
    const rightAt = (right % CHUNK_ROWS) * 2;
    const leftStart = leftChunk.cells[leftAt];
    const rightStart = rightChunk.cells[rightAt];
    return leftChunk.bytes.compare(
      rightChunk.bytes,
      rightStart,
      rightStart + rightChunk.cells[rightAt + 1],
      leftStart,
      leftStart + leftChunk.cells[leftAt + 1],
    );
  }

  private openChunk(): void {
    // The first chunk of a short result stays small.
    const bytes = this.chunks.length === 0 ? 256 : Math.max(1024, this.chunks[this.chunks.length - 1].used);
    const cells = new Uint32Array(CHUNK_ROWS * 2);
    this.chunks.push({ cells, bytes: Buffer.allocUnsafeSlow(bytes), used: 0 });
    this.byteLength += bytes + cells.byteLength;
  }

  private grow(chunk: Chunk, needed: number): void {
    const size = Math.max(needed, chunk.bytes.length * 2);
    const bytes = Buffer.allocUnsafeSlow(size);
    chunk.bytes.copy(bytes, 0, 0, chunk.used);
    this.byteLength += size - chunk.bytes.length;
    chunk.bytes = bytes;
  }
}
