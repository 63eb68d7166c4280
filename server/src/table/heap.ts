/**
 * Side heap of one delta region: the bytes of variable-length values.
 *
 * Cells are multiples of 16 bytes in size classes; freed cells are reused by class, and the whole heap goes when its
 * region is sealed or dropped. An address is block number * 65536 + offset / 16, an unsigned 32-bit number.
 */
import type { Arena, ArenaBlock } from './arena.ts';

const UNIT = 16;
const BLOCK_LIMIT = 1 << 20;

/** Size class of a length: index and cell bytes. Up to 256 bytes every 16, above four classes per power of two. */
export function cellBytes(length: number): number {
  if (length <= 256) return (length + UNIT - 1) & ~(UNIT - 1);
  const step = 1 << (29 - Math.clz32(length - 1));
  return Math.ceil(length / step) * step;
}

/** See the module comment. */
export class VarHeap {
  readonly blocks: Buffer[] = [];
  private readonly arena: Arena;
  private readonly arenaBlocks: ArenaBlock[] = [];
  private current = -1;
  private position = 0;
  private end = 0;
  private readonly free = new Map<number, number[]>();
  bytes = 0;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /** Address of a cell for `length` (> 0) bytes. */
  allocate(length: number): number {
    const cell = cellBytes(length);
    const list = this.free.get(cell);
    if (list !== undefined && list.length > 0) return list.pop() as number;
    if (cell > BLOCK_LIMIT / 4) {
      const block = this.addBlock(cell);
      return (block * 65536) >>> 0;
    }
    if (this.end - this.position < cell) {
      this.current = this.addBlock(Math.max(cell, Math.min(BLOCK_LIMIT, Math.max(4096, this.bytes))));
      this.position = 0;
      this.end = Math.min(BLOCK_LIMIT, this.blocks[this.current].length);
    }
    const address = this.current * 65536 + this.position / UNIT;
    this.position += cell;
    return address >>> 0;
  }

  release(address: number, length: number): void {
    const cell = cellBytes(length);
    const list = this.free.get(cell);
    if (list === undefined) this.free.set(cell, [address]);
    else list.push(address);
  }

  block(address: number): Buffer {
    return this.blocks[address >>> 16];
  }

  /** Byte offset of the address within its block. */
  static offset(address: number): number {
    return (address & 0xffff) * UNIT;
  }

  write(bytes: Uint8Array): number {
    const address = this.allocate(bytes.length);
    this.blocks[address >>> 16].set(bytes, (address & 0xffff) * UNIT);
    return address;
  }

  drop(): void {
    for (const block of this.arenaBlocks) this.arena.release(block);
    this.arenaBlocks.length = 0;
    this.blocks.length = 0;
    this.free.clear();
    this.current = -1;
    this.position = 0;
    this.end = 0;
    this.bytes = 0;
  }

  private addBlock(bytes: number): number {
    const block = this.arena.allocate(bytes);
    this.arenaBlocks.push(block);
    this.blocks.push(Buffer.from(block.buffer, block.offset, block.bytes));
    this.bytes += block.bytes;
    return this.blocks.length - 1;
  }
}
