/**
 * B+tree over doubles: single keys of integer-like types (int2, int4, oid, date, int8 and timestamps within ±2^53).
 *
 * Nodes are typed arrays of fixed capacity; leaves are linked both ways. Keys ascending; equal keys by row id. Appending
 * at the right edge leaves full nodes behind. An emptied node is taken out at once; there is no other rebalancing, so
 * height only falls when the root has one child left.
 */
import type { RowId } from '../base/brands.ts';
import type { IndexCursor, KeyBuffer, KeyRange, OrderedIndex } from './contract.ts';

const LEAF_CAPACITY = 128;
const INNER_CAPACITY = 128;

class Leaf {
  count = 0;
  readonly keys = new Float64Array(LEAF_CAPACITY);
  readonly rows = new Float64Array(LEAF_CAPACITY);
  next: Leaf | null = null;
  previous: Leaf | null = null;
}

/** `keys[i]`, `rows[i]` = smallest entry of `children[i]`; entry 0 is not looked at. */
class Inner {
  count = 0;
  readonly keys = new Float64Array(INNER_CAPACITY);
  readonly rows = new Float64Array(INNER_CAPACITY);
  readonly children: Node[] = [];
}

type Node = Leaf | Inner;

/** First position with entry >= (key, row). */
function lowerBound(keys: Float64Array, rows: Float64Array, count: number, key: number, row: number): number {
  let low = 0;
  let high = count;
  if (count > 8) {
    // Dense keys (serials): a guess by proportion usually hits, and saves the cache misses of the search.
    const first = keys[0];
    const guess = Math.floor(((key - first) / (keys[count - 1] - first)) * (count - 1));
    if (guess > 0 && guess < count && keys[guess] === key && keys[guess - 1] < key) {
      if (rows[guess] >= row) return guess;
      low = guess + 1;
    }
  }
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = keys[middle];
    if (at < key || (at === key && rows[middle] < row)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Child that holds (key, row): the last whose smallest entry is <= it. */
function childIndex(node: Inner, key: number, row: number): number {
  const { keys, rows, count } = node;
  let low = 1;
  let high = count;
  if (count > 8) {
    const first = keys[1];
    const guess = 1 + Math.floor(((key - first) / (keys[count - 1] - first)) * (count - 2));
    if (guess > 0 && guess + 1 < count && keys[guess] < key && key < keys[guess + 1]) return guess;
  }
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = keys[middle];
    if (at < key || (at === key && rows[middle] <= row)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** See the module comment. */
export class NumericTree implements OrderedIndex {
  size = 0;
  changes = 0;
  /** Counts structural and positional changes: cursors re-seek when it moved. */
  version = 0;
  private root: Node = new Leaf();
  private nodeCount = 1;

  get bytes(): number {
    return this.nodeCount * (LEAF_CAPACITY * 16 + 128);
  }

  insert(key: KeyBuffer, rowId: RowId): boolean {
    return this.insertNumber(key.number, rowId);
  }

  remove(key: KeyBuffer, rowId: RowId): boolean {
    return this.removeNumber(key.number, rowId);
  }

  cursor(): NumericCursor {
    return new NumericCursor(this);
  }

  insertNumber(key: number, row: number): boolean {
    const before = this.size;
    const split = this.insertInto(this.root, key, row, true);
    if (split !== null) {
      const root = new Inner();
      this.nodeCount++;
      root.children.push(this.root, split);
      root.count = 2;
      setSmallest(root, 0, this.root);
      setSmallest(root, 1, split);
      this.root = root;
    }
    if (this.size === before) return false;
    this.version++;
    this.changes++;
    return true;
  }

  private insertInto(node: Node, key: number, row: number, isRightEdge: boolean): Node | null {
    if (node instanceof Leaf) return this.insertIntoLeaf(node, key, row, isRightEdge);
    const index = childIndex(node, key, row);
    const isLast = index === node.count - 1;
    const split = this.insertInto(node.children[index], key, row, isRightEdge && isLast);
    if (index === 0 || key < node.keys[index]) setSmallest(node, index, node.children[index]);
    if (split === null) return null;
    if (node.count < INNER_CAPACITY) {
      insertChild(node, index + 1, split);
      return null;
    }
    const right = new Inner();
    this.nodeCount++;
    const middle = isRightEdge && isLast ? node.count - 1 : node.count >>> 1;
    moveChildren(node, middle, right);
    if (index < middle) insertChild(node, index + 1, split);
    else insertChild(right, index + 1 - middle, split);
    return right;
  }

  private insertIntoLeaf(leaf: Leaf, key: number, row: number, isRightEdge: boolean): Leaf | null {
    const at = lowerBound(leaf.keys, leaf.rows, leaf.count, key, row);
    if (at < leaf.count && leaf.keys[at] === key && leaf.rows[at] === row) return null;
    this.size++;
    if (leaf.count < LEAF_CAPACITY) {
      leaf.keys.copyWithin(at + 1, at, leaf.count);
      leaf.rows.copyWithin(at + 1, at, leaf.count);
      leaf.keys[at] = key;
      leaf.rows[at] = row;
      leaf.count++;
      return null;
    }
    const right = new Leaf();
    this.nodeCount++;
    right.next = leaf.next;
    right.previous = leaf;
    if (leaf.next !== null) leaf.next.previous = right;
    leaf.next = right;
    const middle = isRightEdge && at === leaf.count ? leaf.count : leaf.count >>> 1;
    right.count = leaf.count - middle;
    right.keys.set(leaf.keys.subarray(middle, leaf.count));
    right.rows.set(leaf.rows.subarray(middle, leaf.count));
    leaf.count = middle;
    this.size--;
    if (at <= middle && middle < LEAF_CAPACITY) this.insertIntoLeaf(leaf, key, row, false);
    else this.insertIntoLeaf(right, key, row, false);
    return right;
  }

  removeNumber(key: number, row: number): boolean {
    if (!this.removeFrom(this.root, key, row)) return false;
    this.size--;
    this.version++;
    this.changes++;
    while (this.root instanceof Inner && this.root.count === 1) {
      this.root = this.root.children[0];
      this.nodeCount--;
    }
    if (this.root instanceof Inner && this.root.count === 0) this.root = new Leaf();
    return true;
  }

  private removeFrom(node: Node, key: number, row: number): boolean {
    if (node instanceof Leaf) {
      const at = lowerBound(node.keys, node.rows, node.count, key, row);
      if (at >= node.count || node.keys[at] !== key || node.rows[at] !== row) return false;
      node.keys.copyWithin(at, at + 1, node.count);
      node.rows.copyWithin(at, at + 1, node.count);
      node.count--;
      return true;
    }
    const index = childIndex(node, key, row);
    const child = node.children[index];
    if (!this.removeFrom(child, key, row)) return false;
    if (child.count === 0) {
      if (child instanceof Leaf) {
        if (child.previous !== null) child.previous.next = child.next;
        if (child.next !== null) child.next.previous = child.previous;
      }
      this.nodeCount--;
      node.children.splice(index, 1);
      node.keys.copyWithin(index, index + 1, node.count);
      node.rows.copyWithin(index, index + 1, node.count);
      node.count--;
    }
    return true;
  }

  /** Row id of the first entry with exactly this key, or -1. The point look-up. */
  find(key: number): number {
    let node = this.root;
    while (node instanceof Inner) node = node.children[childIndex(node, key, -1)];
    let leaf: Leaf | null = node;
    const at = lowerBound(leaf.keys, leaf.rows, leaf.count, key, -1);
    if (at < leaf.count) return leaf.keys[at] === key ? leaf.rows[at] : -1;
    leaf = leaf.next;
    return leaf !== null && leaf.count > 0 && leaf.keys[0] === key ? leaf.rows[0] : -1;
  }

  /** Leaf and position of the first entry >= (key, row), as [leaf, position]; position may be `leaf.count`. */
  locate(key: number, row: number, target: NumericCursor): void {
    let node = this.root;
    while (node instanceof Inner) node = node.children[childIndex(node, key, row)];
    target.leaf = node;
    target.position = lowerBound(node.keys, node.rows, node.count, key, row);
  }

  /** Replaces the content by entries that are already in order. */
  load(keys: Float64Array, rows: Float64Array, count: number): void {
    const builder = new NumericTreeBuilder(this);
    for (let at = 0; at < count; at++) builder.add(keys[at], rows[at]);
    builder.finish();
  }

  /** Used by the builder. */
  replaceRoot(leaves: Leaf[], size: number): void {
    this.size = size;
    this.version++;
    this.changes++;
    this.nodeCount = leaves.length;
    if (leaves.length === 0) {
      this.root = new Leaf();
      this.nodeCount = 1;
      return;
    }
    let level: Node[] = leaves;
    while (level.length > 1) {
      const above: Inner[] = [];
      for (let start = 0; start < level.length; start += INNER_CAPACITY) {
        const inner = new Inner();
        for (let at = start; at < Math.min(level.length, start + INNER_CAPACITY); at++) {
          inner.children.push(level[at]);
          inner.count++;
          setSmallest(inner, inner.count - 1, level[at]);
        }
        above.push(inner);
      }
      this.nodeCount += above.length;
      level = above;
    }
    this.root = level[0];
  }
}

/** Fills leaves in order; entries must ascend by (key, row). */
export class NumericTreeBuilder {
  private readonly tree: NumericTree;
  private readonly leaves: Leaf[] = [];
  private leaf: Leaf | null = null;
  private size = 0;

  constructor(tree: NumericTree) {
    this.tree = tree;
  }

  add(key: number, row: number): void {
    let leaf = this.leaf;
    if (leaf === null || leaf.count === LEAF_CAPACITY) {
      const next = new Leaf();
      next.previous = leaf;
      if (leaf !== null) leaf.next = next;
      this.leaves.push(next);
      this.leaf = leaf = next;
    }
    leaf.keys[leaf.count] = key;
    leaf.rows[leaf.count++] = row;
    this.size++;
  }

  finish(): void {
    this.tree.replaceRoot(this.leaves, this.size);
  }
}

function setSmallest(node: Inner, index: number, child: Node): void {
  // A child's own entry 0 holds its smallest entry at the time it was last touched on its left edge.
  node.keys[index] = child.keys[0];
  node.rows[index] = child.rows[0];
}

function insertChild(node: Inner, index: number, child: Node): void {
  node.keys.copyWithin(index + 1, index, node.count);
  node.rows.copyWithin(index + 1, index, node.count);
  node.children.splice(index, 0, child);
  node.count++;
  setSmallest(node, index, child);
}

function moveChildren(node: Inner, from: number, target: Inner): void {
  target.count = node.count - from;
  target.keys.set(node.keys.subarray(from, node.count));
  target.rows.set(node.rows.subarray(from, node.count));
  for (let at = from; at < node.count; at++) target.children.push(node.children[at]);
  node.children.length = from;
  node.count = from;
}

/** See {@link IndexCursor}. */
export class NumericCursor implements IndexCursor {
  leaf: Leaf | null = null;
  position = 0;
  key = 0;
  rowId: RowId = 0 as RowId;
  private readonly tree: NumericTree;
  private from = 0;
  private to = 0;
  private backward = false;
  private version = -1;
  private isStarted = false;
  private isEnded = false;

  constructor(tree: NumericTree) {
    this.tree = tree;
  }

  reset(range: KeyRange, backward: boolean): void {
    this.resetNumbers(range.from.number, range.to.number, backward);
    if (range.isEmpty) this.isEnded = true;
  }

  /** Keys in [from, to]. */
  resetNumbers(from: number, to: number, backward: boolean): void {
    this.from = from;
    this.to = to;
    this.backward = backward;
    this.version = -1;
    this.isStarted = false;
    this.isEnded = from > to;
  }

  next(): boolean {
    if (this.isEnded) return false;
    return this.backward ? this.nextBackward() : this.nextForward();
  }

  private nextForward(): boolean {
    if (this.version !== this.tree.version) {
      if (this.isStarted) this.tree.locate(this.key, this.rowId + 1, this);
      else this.tree.locate(this.from, -1, this);
      this.version = this.tree.version;
      this.isStarted = true;
    } else {
      this.position++;
    }
    let leaf = this.leaf as Leaf;
    while (this.position >= leaf.count) {
      const next = leaf.next;
      if (next === null) {
        this.isEnded = true;
        return false;
      }
      this.leaf = leaf = next;
      this.position = 0;
    }
    const key = leaf.keys[this.position];
    if (key > this.to) {
      this.isEnded = true;
      return false;
    }
    this.key = key;
    this.rowId = leaf.rows[this.position] as RowId;
    return true;
  }

  private nextBackward(): boolean {
    if (this.version !== this.tree.version) {
      if (this.isStarted) this.tree.locate(this.key, this.rowId, this);
      else this.tree.locate(this.to, Infinity, this);
      this.version = this.tree.version;
      this.isStarted = true;
    }
    this.position--;
    let leaf = this.leaf as Leaf;
    while (this.position < 0) {
      const previous = leaf.previous;
      if (previous === null) {
        this.isEnded = true;
        return false;
      }
      this.leaf = leaf = previous;
      this.position = leaf.count - 1;
    }
    const key = leaf.keys[this.position];
    if (key < this.from) {
      this.isEnded = true;
      return false;
    }
    this.key = key;
    this.rowId = leaf.rows[this.position] as RowId;
    return true;
  }
}
