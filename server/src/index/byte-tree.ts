/**
 * B+tree over byte keys (memcmp order): composite keys, strings, numerics, floats, everything that is not one integer.
 *
 * Entry      `heads[i]` = first six bytes as a 48-bit integer in a double (missing bytes are zero), `lengths[i]` = key
 *            length, the bytes after the sixth in the node's own byte store at `tails[i]`. Most comparisons end at the
 *            double. Equal keys are ordered by row id.
 * Nodes      as in the numeric tree: fixed capacity, leaves linked both ways, full nodes behind an appending edge.
 */
import type { RowId } from '../base/brands.ts';
import { type IndexCursor, KeyBuffer, type KeyRange, type OrderedIndex } from './contract.ts';

const CAPACITY = 96;
const HEAD_BYTES = 6;

/** First six bytes as a number that orders like the bytes. */
export function headOf(bytes: Uint8Array, length: number): number {
  if (length >= 6) {
    return (
      ((bytes[0] << 16) | (bytes[1] << 8) | bytes[2]) * 16777216 +
      ((bytes[3] << 16) | (bytes[4] << 8) | bytes[5])
    );
  }
  let head = 0;
  for (let index = 0; index < HEAD_BYTES; index++) head = head * 256 + (index < length ? bytes[index] : 0);
  return head;
}

class Entries {
  count = 0;
  readonly heads = new Float64Array(CAPACITY);
  readonly rows = new Float64Array(CAPACITY);
  readonly tails = new Uint32Array(CAPACITY);
  readonly lengths = new Uint32Array(CAPACITY);
  store: Uint8Array = EMPTY;
  used = 0;

  /** Sign of (entry at index) - (key, row). */
  compare(index: number, head: number, key: KeyBuffer, row: number): number {
    const own = this.heads[index];
    if (own !== head) return own < head ? -1 : 1;
    const length = this.lengths[index];
    const common = Math.min(length, key.length);
    if (common > HEAD_BYTES) {
      const { store } = this;
      const { bytes } = key;
      const shift = this.tails[index] - HEAD_BYTES;
      for (let at = HEAD_BYTES; at < common; at++) {
        const difference = store[shift + at] - bytes[at];
        if (difference !== 0) return difference;
      }
    }
    if (length !== key.length) return length - key.length;
    const own2 = this.rows[index];
    return own2 < row ? -1 : own2 > row ? 1 : 0;
  }

  lowerBound(head: number, key: KeyBuffer, row: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(middle, head, key, row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Last index >= 0 whose entry is <= (key, row), entry 0 counting as smaller than everything. */
  childIndex(head: number, key: KeyBuffer, row: number): number {
    let low = 1;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(middle, head, key, row) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  open(at: number): void {
    this.heads.copyWithin(at + 1, at, this.count);
    this.rows.copyWithin(at + 1, at, this.count);
    this.tails.copyWithin(at + 1, at, this.count);
    this.lengths.copyWithin(at + 1, at, this.count);
    this.count++;
  }

  close(at: number): void {
    this.heads.copyWithin(at, at + 1, this.count);
    this.rows.copyWithin(at, at + 1, this.count);
    this.tails.copyWithin(at, at + 1, this.count);
    this.lengths.copyWithin(at, at + 1, this.count);
    this.count--;
    if (this.count === 0) this.used = 0;
  }

  set(at: number, head: number, bytes: Uint8Array, start: number, length: number, row: number): void {
    this.heads[at] = head;
    this.rows[at] = row;
    this.lengths[at] = length;
    this.tails[at] = 0;
    if (length > HEAD_BYTES) this.tails[at] = this.keep(bytes, start + HEAD_BYTES, length - HEAD_BYTES);
  }

  setFrom(at: number, other: Entries, index: number): void {
    this.heads[at] = other.heads[index];
    this.rows[at] = other.rows[index];
    const length = other.lengths[index];
    this.lengths[at] = length;
    this.tails[at] =
      length > HEAD_BYTES ? this.keep(other.store, other.tails[index], length - HEAD_BYTES) : 0;
  }

  private keep(bytes: Uint8Array, start: number, length: number): number {
    if (this.used + length > this.store.length) this.makeRoom(length);
    const at = this.used;
    const { store } = this;
    if (length < 24) for (let index = 0; index < length; index++) store[at + index] = bytes[start + index];
    else store.set(bytes.subarray(start, start + length), at);
    this.used += length;
    return at;
  }

  private makeRoom(length: number): void {
    let live = 0;
    for (let at = 0; at < this.count; at++)
      if (this.lengths[at] > HEAD_BYTES) live += this.lengths[at] - HEAD_BYTES;
    const old = this.store;
    // The first allocation guesses that the node fills with keys like this one.
    const guess = old.length === 0 ? Math.min(4096, length * CAPACITY) : (live + length) * 2;
    const store = new Uint8Array(Math.max(64, live + length, guess));
    let used = 0;
    for (let at = 0; at < this.count; at++) {
      const tail = this.lengths[at] - HEAD_BYTES;
      if (tail <= 0) continue;
      // An entry just opened may still hold a stale position: it is set right after.
      const from = Math.min(this.tails[at], old.length);
      const stop = Math.min(old.length, from + tail);
      for (let index = from; index < stop; index++) store[used + index - from] = old[index];
      this.tails[at] = used;
      used += tail;
      if (used + length > store.length) break;
    }
    this.store = store;
    this.used = used;
  }

  copyKey(at: number, target: KeyBuffer): void {
    const length = this.lengths[at];
    target.length = 0;
    target.ensure(length);
    let head = this.heads[at];
    const { bytes } = target;
    for (let index = HEAD_BYTES - 1; index >= 0; index--) {
      const high = Math.floor(head / 256);
      if (index < length) bytes[index] = head - high * 256;
      head = high;
    }
    const shift = this.tails[at] - HEAD_BYTES;
    for (let index = HEAD_BYTES; index < length; index++) bytes[index] = this.store[shift + index];
    target.length = length;
  }

  moveFrom(source: Entries, from: number): void {
    this.count = 0;
    for (let at = from; at < source.count; at++) {
      this.setFrom(this.count, source, at);
      this.count++;
    }
    source.count = from;
  }
}

const EMPTY = new Uint8Array(0);

class Leaf extends Entries {
  next: Leaf | null = null;
  previous: Leaf | null = null;
}

class Inner extends Entries {
  readonly children: Node[] = [];
}

type Node = Leaf | Inner;

/** See the module comment. */
export class ByteTree implements OrderedIndex {
  size = 0;
  changes = 0;
  version = 0;
  private root: Node = new Leaf();
  private nodeCount = 1;
  private storeBytes = 0;

  get bytes(): number {
    return this.nodeCount * (CAPACITY * 24 + 160) + this.storeBytes;
  }

  insert(key: KeyBuffer, rowId: RowId): boolean {
    const before = this.size;
    const head = headOf(key.bytes, key.length);
    const split = this.insertInto(this.root, head, key, rowId, true);
    if (split !== null) {
      const root = new Inner();
      this.nodeCount++;
      root.children.push(this.root, split);
      root.count = 1;
      root.setFrom(0, this.root, 0);
      root.count = 2;
      root.setFrom(1, split, 0);
      this.root = root;
    }
    if (this.size === before) return false;
    this.storeBytes += Math.max(0, key.length - HEAD_BYTES);
    this.version++;
    this.changes++;
    return true;
  }

  private insertInto(
    node: Node,
    head: number,
    key: KeyBuffer,
    row: number,
    isRightEdge: boolean,
  ): Node | null {
    if (node instanceof Leaf) return this.insertIntoLeaf(node, head, key, row, isRightEdge);
    const index = node.childIndex(head, key, row);
    const isLast = index === node.count - 1;
    const child = node.children[index];
    const split = this.insertInto(child, head, key, row, isRightEdge && isLast);
    if (index === 0 && node.compare(0, head, key, row) > 0) node.setFrom(0, child, 0);
    if (split === null) return null;
    if (node.count < CAPACITY) {
      insertChild(node, index + 1, split);
      return null;
    }
    const right = new Inner();
    this.nodeCount++;
    const middle = isRightEdge && isLast ? node.count - 1 : node.count >>> 1;
    for (let at = middle; at < node.count; at++) right.children.push(node.children[at]);
    right.moveFrom(node, middle);
    node.children.length = middle;
    if (index < middle) insertChild(node, index + 1, split);
    else insertChild(right, index + 1 - middle, split);
    return right;
  }

  private insertIntoLeaf(
    leaf: Leaf,
    head: number,
    key: KeyBuffer,
    row: number,
    isRightEdge: boolean,
  ): Leaf | null {
    const at = leaf.lowerBound(head, key, row);
    if (at < leaf.count && leaf.compare(at, head, key, row) === 0) return null;
    if (leaf.count < CAPACITY) {
      this.size++;
      leaf.open(at);
      leaf.lengths[at] = 0;
      leaf.set(at, head, key.bytes, 0, key.length, row);
      return null;
    }
    const right = new Leaf();
    this.nodeCount++;
    right.next = leaf.next;
    right.previous = leaf;
    if (leaf.next !== null) leaf.next.previous = right;
    leaf.next = right;
    const middle = isRightEdge && at === leaf.count ? leaf.count : leaf.count >>> 1;
    right.moveFrom(leaf, middle);
    if (at <= middle && middle < CAPACITY) this.insertIntoLeaf(leaf, head, key, row, false);
    else this.insertIntoLeaf(right, head, key, row, false);
    return right;
  }

  remove(key: KeyBuffer, rowId: RowId): boolean {
    if (!this.removeFrom(this.root, headOf(key.bytes, key.length), key, rowId)) return false;
    this.size--;
    this.storeBytes -= Math.max(0, key.length - HEAD_BYTES);
    this.version++;
    this.changes++;
    while (this.root instanceof Inner && this.root.count === 1) {
      this.root = this.root.children[0];
      this.nodeCount--;
    }
    if (this.root instanceof Inner && this.root.count === 0) this.root = new Leaf();
    return true;
  }

  private removeFrom(node: Node, head: number, key: KeyBuffer, row: number): boolean {
    if (node instanceof Leaf) {
      const at = node.lowerBound(head, key, row);
      if (at >= node.count || node.compare(at, head, key, row) !== 0) return false;
      node.close(at);
      return true;
    }
    const index = node.childIndex(head, key, row);
    const child = node.children[index];
    if (!this.removeFrom(child, head, key, row)) return false;
    if (child.count === 0) {
      if (child instanceof Leaf) {
        if (child.previous !== null) child.previous.next = child.next;
        if (child.next !== null) child.next.previous = child.previous;
      }
      this.nodeCount--;
      node.children.splice(index, 1);
      node.close(index);
    }
    return true;
  }

  cursor(): ByteCursor {
    return new ByteCursor(this);
  }

  locate(key: KeyBuffer, row: number, target: ByteCursor): void {
    const head = headOf(key.bytes, key.length);
    let node = this.root;
    while (node instanceof Inner) node = node.children[node.childIndex(head, key, row)];
    target.leaf = node;
    target.position = node.lowerBound(head, key, row);
  }

  locateLast(target: ByteCursor): void {
    let node = this.root;
    while (node instanceof Inner) node = node.children[node.count - 1];
    target.leaf = node;
    target.position = node.count;
  }

  /** Used by the builder. */
  replaceRoot(leaves: Leaf[], size: number, storeBytes: number): void {
    this.size = size;
    this.storeBytes = storeBytes;
    this.version++;
    this.changes++;
    this.nodeCount = Math.max(1, leaves.length);
    if (leaves.length === 0) {
      this.root = new Leaf();
      return;
    }
    let level: Node[] = leaves;
    while (level.length > 1) {
      const above: Inner[] = [];
      for (let start = 0; start < level.length; start += CAPACITY) {
        const inner = new Inner();
        for (let at = start; at < Math.min(level.length, start + CAPACITY); at++) {
          inner.children.push(level[at]);
          inner.setFrom(inner.count, level[at], 0);
          inner.count++;
        }
        above.push(inner);
      }
      this.nodeCount += above.length;
      level = above;
    }
    this.root = level[0];
  }
}

function insertChild(node: Inner, index: number, child: Node): void {
  node.open(index);
  node.lengths[index] = 0;
  node.children.splice(index, 0, child);
  node.setFrom(index, child, 0);
}

/** Fills leaves in order; entries must ascend by (key, row). */
export class ByteTreeBuilder {
  private readonly tree: ByteTree;
  private readonly leaves: Leaf[] = [];
  private leaf: Leaf | null = null;
  private size = 0;
  private storeBytes = 0;

  constructor(tree: ByteTree) {
    this.tree = tree;
  }

  add(bytes: Uint8Array, start: number, length: number, row: number): void {
    let leaf = this.leaf;
    if (leaf === null || leaf.count === CAPACITY) {
      const next = new Leaf();
      next.previous = leaf;
      if (leaf !== null) leaf.next = next;
      this.leaves.push(next);
      this.leaf = leaf = next;
    }
    const head =
      start === 0
        ? headOf(bytes, length)
        : headOf(bytes.subarray(start, start + Math.min(length, 6)), length);
    leaf.set(leaf.count, head, bytes, start, length, row);
    leaf.count++;
    this.size++;
    this.storeBytes += Math.max(0, length - HEAD_BYTES);
  }

  finish(): void {
    this.tree.replaceRoot(this.leaves, this.size, this.storeBytes);
  }
}

/** See {@link IndexCursor}. */
export class ByteCursor implements IndexCursor {
  leaf: Leaf | null = null;
  position = 0;
  rowId: RowId = 0 as RowId;
  private readonly tree: ByteTree;
  private range: KeyRange | null = null;
  private lastKey: KeyBuffer | null = null;
  private fromHead = 0;
  private toHead = 0;
  private backward = false;
  private version = -1;
  private isStarted = false;
  private isEnded = false;

  constructor(tree: ByteTree) {
    this.tree = tree;
  }

  /** The range is kept by reference: leave it alone while the cursor is in use. */
  reset(range: KeyRange, backward: boolean): void {
    this.range = range;
    this.backward = backward;
    this.version = -1;
    this.isStarted = false;
    this.isEnded = range.isEmpty;
    this.fromHead = headOf(range.from.bytes, range.from.length);
    this.toHead = headOf(range.to.bytes, range.to.length);
    this.leaf = null;
  }

  /** Key of the current entry (valid until the next change). */
  copyKey(target: KeyBuffer): void {
    (this.leaf as Leaf).copyKey(this.position, target);
  }

  next(): boolean {
    if (this.isEnded) return false;
    return this.backward ? this.nextBackward() : this.nextForward();
  }

  private keep(): void {
    const leaf = this.leaf as Leaf;
    this.rowId = leaf.rows[this.position] as RowId;
    // Needed to find the place again after a change.
    leaf.copyKey(this.position, (this.lastKey ??= new KeyBuffer()));
  }

  private nextForward(): boolean {
    const range = this.range as KeyRange;
    if (this.version !== this.tree.version) {
      if (this.isStarted) this.tree.locate(this.lastKey as KeyBuffer, this.rowId + 1, this);
      else this.tree.locate(range.from, -1, this);
      this.version = this.tree.version;
      this.isStarted = true;
    } else {
      this.position++;
    }
    let leaf = this.leaf as Leaf;
    while (this.position >= leaf.count) {
      const next = leaf.next;
      if (next === null) return this.end();
      this.leaf = leaf = next;
      this.position = 0;
    }
    if (range.to.length > 0 && leaf.compare(this.position, this.toHead, range.to, -1) >= 0) return this.end();
    this.keep();
    return true;
  }

  private nextBackward(): boolean {
    const range = this.range as KeyRange;
    if (this.version !== this.tree.version) {
      if (this.isStarted) this.tree.locate(this.lastKey as KeyBuffer, this.rowId, this);
      else if (range.to.length > 0) this.tree.locate(range.to, -1, this);
      else this.tree.locateLast(this);
      this.version = this.tree.version;
      this.isStarted = true;
    }
    this.position--;
    let leaf = this.leaf as Leaf;
    while (this.position < 0) {
      const previous = leaf.previous;
      if (previous === null) return this.end();
      this.leaf = leaf = previous;
      this.position = leaf.count - 1;
    }
    if (leaf.compare(this.position, this.fromHead, range.from, -1) < 0) return this.end();
    this.keep();
    return true;
  }

  private end(): boolean {
    this.isEnded = true;
    return false;
  }
}
