/**
 * Shared memory of the delta: extents that workers map once, cut into power-of-two blocks.
 *
 * Owner     the main thread allocates and frees; workers only read, holding an epoch while they do.
 * Bound     `usedBytes` counts what is handed out; sealing is driven by it.
 */

/** A piece of shared memory; `bytes` is the rounded size. */
export interface ArenaBlock {
  readonly buffer: SharedArrayBuffer;
  readonly offset: number;
  readonly bytes: number;
}

const SMALLEST_SHIFT = 10;
const EXTENT_SHIFT = 22;

/** See the module comment. */
export class Arena {
  usedBytes = 0;
  reservedBytes = 0;
  private readonly free: ArenaBlock[][] = [];

  /** At least `bytes` zeroed bytes. */
  allocate(bytes: number): ArenaBlock {
    const shift = Math.max(SMALLEST_SHIFT, 32 - Math.clz32(Math.max(1, bytes) - 1));
    if (bytes > 1 << EXTENT_SHIFT) {
      this.usedBytes += bytes;
      this.reservedBytes += bytes;
      return { buffer: new SharedArrayBuffer(bytes), offset: 0, bytes };
    }
    const reused = this.take(shift);
    const block = reused ?? this.extend(shift);
    this.usedBytes += block.bytes;
    if (reused !== null) new Uint8Array(block.buffer, block.offset, block.bytes).fill(0);
    return block;
  }

  release(block: ArenaBlock): void {
    this.usedBytes -= block.bytes;
    if (block.bytes > 1 << EXTENT_SHIFT) {
      this.reservedBytes -= block.bytes;
      return;
    }
    const shift = 31 - Math.clz32(block.bytes);
    (this.free[shift] ??= []).push(block);
  }

  private take(shift: number): ArenaBlock | null {
    const list = this.free[shift];
    if (list !== undefined && list.length > 0) return list.pop() as ArenaBlock;
    for (let larger = shift + 1; larger <= EXTENT_SHIFT; larger++) {
      const block = this.free[larger]?.pop();
      if (block === undefined) continue;
      this.split(block, shift);
      return (this.free[shift] as ArenaBlock[]).pop() as ArenaBlock;
    }
    return null;
  }

  private split(block: ArenaBlock, shift: number): void {
    let bytes = block.bytes;
    while (bytes > 1 << shift) {
      bytes >>= 1;
      const half = 31 - Math.clz32(bytes);
      (this.free[half] ??= []).push({ buffer: block.buffer, offset: block.offset + bytes, bytes });
    }
    (this.free[shift] ??= []).push({ buffer: block.buffer, offset: block.offset, bytes });
  }

  private extend(shift: number): ArenaBlock {
    // Small engines (tests, fresh directories) start with small extents.
    const extentShift = Math.max(
      shift,
      Math.min(EXTENT_SHIFT, 16 + Math.floor(Math.log2(1 + this.reservedBytes / 65536))),
    );
    const bytes = 1 << extentShift;
    this.reservedBytes += bytes;
    this.split({ buffer: new SharedArrayBuffer(bytes), offset: 0, bytes }, shift);
    return (this.free[shift] as ArenaBlock[]).pop() as ArenaBlock;
  }
}
