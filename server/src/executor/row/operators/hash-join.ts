/**
 * Hash join: the inner side is built, the outer side probes.
 *
 * Build rows are stored column by column; a {@link KeyTable} numbers the distinct keys and two integer arrays chain the rows of a key in
 * arrival order. A NULL key joins nothing, but its row is kept where unmatched inner rows are wanted.
 * Over the statement's memory both inputs are divided into temporary files by the hash of their keys, and joined file by file.
 * With `nullAware` (NOT IN) the rules for unknown apply: an empty inner side keeps every outer row; otherwise an outer row with a NULL key,
 * or any NULL key on the inner side, keeps none.
 */
import type { HashJoinNode } from '../../../planner/physical.ts';
import { RowFile } from '../../spill/row-file.ts';
import type { ExecutionState } from '../../state.ts';
import { type Evaluate, ExpressionCompiler, type Test } from '../expression/compile.ts';
import {
  hashOfKey,
  isInt32Key,
  KEYS_EXPECTED_MAX,
  type KeyColumn,
  KeyTable,
  keyOf,
  mixHash,
} from '../keys.ts';
import { RowStore } from '../store.ts';
import { dependencies } from '../walk.ts';
import type { Operator } from './operator.ts';

/** Files the inputs are divided into. */
const PART_COUNT = 16;

interface Part {
  inner: RowFile;
  outer: RowFile;
}

export class HashJoin implements Operator {
  private readonly state: ExecutionState;
  private readonly node: HashJoinNode;
  private readonly outer: Operator;
  private readonly inner: Operator;
  private readonly innerKeys: Evaluate[];
  private readonly outerKeys: Evaluate[];
  private readonly outerKeyOf: KeyColumn['keyOf'][];
  private readonly innerKeyOf: KeyColumn['keyOf'][];
  private readonly keyColumns: KeyColumn[];
  private readonly condition: Test | null;
  private readonly keepsBuild: boolean;
  private readonly keepsUnmatched: boolean;
  private readonly rows: RowStore;
  private table: KeyTable;
  /** First and last row of each key, next row of each row; -1 ends. */
  private head = new Int32Array(64);
  private tail = new Int32Array(64);
  private chain = new Int32Array(64);
  private matchedRows = new Uint8Array(0);
  private hasNullKey = false;
  private keysSeen = 0;
  private chargedBytes = 0;
  private phase: 'build' | 'divide' | 'outer' | 'probe' | 'chain' | 'check' | 'unmatched' | 'done' = 'build';
  private parts: Part[] | null = null;
  /** Part that is being joined; -1 while the inputs are being divided. */
  private part = -1;
  /** Stored rows already moved to the parts' files. */
  private moved = 0;
  private storedMoved = false;
  private outerPending = false;
  /** Rows of the whole inner side, with a key or without. */
  private innerTotal = 0;
  private innerPending = false;
  private innerOpened = false;
  private outerOpened = false;
  private candidate = -1;
  private matched = false;
  private position = 0;

  constructor(state: ExecutionState, node: HashJoinNode, outer: Operator, inner: Operator) {
    const { resolver } = state.environment;
    const compiler = new ExpressionCompiler(state, resolver);
    this.state = state;
    this.node = node;
    this.outer = outer;
    this.inner = inner;
    this.innerKeys = node.keys.map((key) => compiler.compile(key.inner));
    this.outerKeys = node.keys.map((key) => compiler.compile(key.outer));
    this.keyColumns = node.keys.map((key) => ({
      int32: isInt32Key(key.inner.typeOid) && isInt32Key(key.outer.typeOid),
      keyOf: keyOf(key.inner.typeOid, () => resolver.typeSupport(key.inner.typeOid)),
    }));
    this.outerKeyOf = node.keys.map((key) =>
      keyOf(key.outer.typeOid, () => resolver.typeSupport(key.outer.typeOid)),
    );
    this.innerKeyOf = this.keyColumns.map((column) => column.keyOf);
    this.condition = compiler.testOrNull(node.condition);
    const found = dependencies(node.inner, state.plan, resolver);
    this.keepsBuild = found.slots.length === 0 && !found.volatile;
    this.keepsUnmatched = ['right', 'full', 'rightSemi', 'rightAnti'].includes(node.type);
    this.rows = new RowStore(node.inner.outputs, state.memory);
    this.table = new KeyTable(this.keyColumns, Math.min(node.inner.estimatedRows, KEYS_EXPECTED_MAX));
  }

  open(): void {
    this.dropBuild();
    this.phase = 'build';
    this.innerOpened = false;
    this.outerOpened = false;
  }

  rescan(): void {
    if (this.keepsBuild && this.phase !== 'build' && this.parts === null) {
      this.phase = 'outer';
      if (this.keepsUnmatched) this.matchedRows.fill(0);
    } else {
      this.dropBuild();
      this.phase = 'build';
      if (this.innerOpened) this.inner.rescan();
    }
    this.outerPending = false;
    if (this.outerOpened) this.outer.rescan();
  }

  close(): void {
    this.inner.close();
    this.outer.close();
    this.dropBuild();
    this.innerOpened = false;
    this.outerOpened = false;
    this.phase = 'done';
  }

  private dropBuild(): void {
    this.state.memory.release(this.chargedBytes);
    this.chargedBytes = 0;
    this.rows.clear();
    if (this.table.count > 0) this.table = new KeyTable(this.keyColumns);
    this.hasNullKey = false;
    this.keysSeen = 0;
    this.innerPending = false;
    this.position = 0;
    this.innerTotal = 0;
    for (const part of this.parts ?? []) {
      part.inner.close();
      part.outer.close();
    }
    this.parts = null;
    this.part = -1;
    this.moved = 0;
    this.storedMoved = false;
    this.outerPending = false;
  }

  private fetchInner(): boolean {
    if (this.part < 0) return this.inner.next();
    this.state.tick();
    return this.parts![this.part]!.inner.read(this.state.frame, this.node.inner.outputs);
  }

  private fetchOuter(): boolean {
    if (this.part < 0) return this.outer.next();
    return this.parts![this.part]!.outer.read(this.state.frame, this.node.outer.outputs);
  }

  /** The current input is joined: goes on to the next part, if the inputs were divided. */
  private finishPart(): void {
    if (this.parts === null) this.phase = 'done';
    else this.nextPart();
  }

  private nextPart(): void {
    const parts = this.parts!;
    if (this.part >= 0) {
      parts[this.part]!.inner.close();
      parts[this.part]!.outer.close();
    }
    this.part++;
    this.dropTable();
    if (this.part >= parts.length) {
      this.phase = 'done';
      return;
    }
    parts[this.part]!.inner.rewind();
    parts[this.part]!.outer.rewind();
    this.phase = 'build';
  }

  private dropTable(): void {
    this.state.memory.release(this.chargedBytes);
    this.chargedBytes = 0;
    this.rows.clear();
    if (this.table.count > 0) this.table = new KeyTable(this.keyColumns);
    this.keysSeen = 0;
    this.position = 0;
  }

  /** Part of the key that `runs` give for the row in the frame; rows without a key go to the first. */
  private partOf(
    runs: readonly Evaluate[],
    keyOfs: readonly KeyColumn['keyOf'][],
  ): { part: Part; isNull: boolean } {
    const { frame } = this.state;
    const parts = this.parts!;
    let hash = 17;
    for (let index = 0; index < runs.length; index++) {
      const value = runs[index]!(frame);
      if (value === null) return { part: parts[0]!, isNull: true };
      hash = mixHash(hash, hashOfKey(keyOfs[index]!(value)));
    }
    return { part: parts[(hash >>> 0) % parts.length]!, isNull: false };
  }

  /** Moves the rows stored so far to the parts' files; may suspend and is then called again. */
  private moveStored(): void {
    const { state, rows, node } = this;
    const { spill, resolver } = state.environment;
    const make = (slots: readonly number[]): RowFile =>
      new RowFile(spill!, slots.length, (oid) => resolver.typeSupport(oid));
    this.parts ??= Array.from({ length: PART_COUNT }, () => ({
      inner: make(node.inner.outputs),
      outer: make(node.outer.outputs),
    }));
    while (this.moved < rows.count) {
      state.tick();
      rows.restore(this.moved, state.frame);
      const { part } = this.partOf(this.innerKeys, this.innerKeyOf);
      part.inner.writeSlots(state.frame, node.inner.outputs);
      this.moved++;
    }
    this.dropTable();
    this.moved = 0;
  }

  private divideInner(): void {
    const { state, node } = this;
    for (;;) {
      if (!this.innerPending) {
        if (!this.inner.next()) return;
        this.innerPending = true;
      }
      const { part, isNull } = this.partOf(this.innerKeys, this.innerKeyOf);
      this.innerPending = false;
      this.innerTotal++;
      if (isNull) this.hasNullKey = true;
      if (!isNull || this.keepsUnmatched) part.inner.writeSlots(state.frame, node.inner.outputs);
    }
  }

  private divideOuter(): void {
    const { state, node, outer } = this;
    if (!this.outerOpened) {
      outer.open();
      this.outerOpened = true;
    }
    for (;;) {
      if (!this.outerPending) {
        state.tick();
        if (!outer.next()) return;
        this.outerPending = true;
      }
      const { part } = this.partOf(this.outerKeys, this.outerKeyOf);
      part.outer.writeSlots(state.frame, node.outer.outputs);
      this.outerPending = false;
    }
  }

  next(): boolean {
    const { state, node } = this;
    const { frame } = state;
    const { type } = node;
    for (;;) {
      switch (this.phase) {
        case 'build':
          this.build();
          this.phase = this.parts !== null && this.part < 0 ? 'divide' : 'outer';
          break;
        case 'divide':
          this.divideOuter();
          this.nextPart();
          break;
        case 'outer':
          if (!this.outerOpened) {
            this.outer.open();
            this.outerOpened = true;
          }
          state.tick();
          if (!this.fetchOuter()) {
            this.position = 0;
            if (this.keepsUnmatched) this.phase = 'unmatched';
            else this.finishPart();
            break;
          }
          this.matched = false;
          this.phase = 'probe';
          break;
        case 'probe': {
          const decided = this.probe();
          if (decided === 'keep') {
            this.phase = 'outer';
            return true;
          }
          this.phase = decided === 'drop' ? 'outer' : 'chain';
          break;
        }
        case 'chain': {
          const row = this.candidate;
          if (row < 0) {
            this.phase = 'outer';
            if (this.matched) break;
            if (type === 'left' || type === 'full') {
              for (const slot of node.inner.outputs) frame[slot] = null;
              return true;
            }
            if (type === 'anti') return true;
            break;
          }
          if ((type === 'rightSemi' || type === 'rightAnti') && this.matchedRows[row] === 1) {
            this.candidate = this.chain[row]!;
            break;
          }
          this.rows.restore(row, frame);
          this.phase = 'check';
          break;
        }
        case 'check': {
          if (this.condition !== null) {
            state.tick();
            if (!this.condition(frame)) {
              this.candidate = this.chain[this.candidate]!;
              this.phase = 'chain';
              break;
            }
          }
          const row = this.candidate;
          this.matched = true;
          if (this.keepsUnmatched) this.matchedRows[row] = 1;
          this.candidate = this.chain[row]!;
          this.phase = 'chain';
          if (type === 'inner' || type === 'left' || type === 'right' || type === 'full') return true;
          if (type === 'rightSemi') return true;
          if (type === 'rightAnti') break;
          this.phase = 'outer';
          if (type === 'semi') return true;
          break;
        }
        case 'unmatched': {
          while (this.position < this.rows.count) {
            state.tick();
            const row = this.position++;
            if (type === 'rightSemi' || this.matchedRows[row] === 1) continue;
            this.rows.restore(row, frame);
            if (type !== 'rightAnti') for (const slot of node.outer.outputs) frame[slot] = null;
            return true;
          }
          this.finishPart();
          break;
        }
        case 'done':
          return false;
      }
    }
  }

  private build(): void {
    const { state, inner, innerKeys, rows, node } = this;
    const { frame } = state;
    if (!this.innerOpened) {
      inner.open();
      this.innerOpened = true;
    }
    const isSemi = node.type === 'semi' || (node.type === 'anti' && !node.nullAware);
    for (;;) {
      if (this.part < 0 && (this.parts !== null || (!this.innerPending && this.mustDivide()))) {
        // Begins to divide, or goes on where it was left.
        if (!this.storedMoved) {
          this.moveStored();
          this.storedMoved = true;
        }
        this.divideInner();
        return;
      }
      if (!this.innerPending) {
        if (!this.fetchInner()) break;
        this.innerPending = true;
      }
      const { table } = this;
      table.begin();
      let isNull = false;
      for (let index = 0; index < innerKeys.length; index++) {
        const value = innerKeys[index]!(frame);
        if (value === null) {
          isNull = true;
          break;
        }
        table.put(index, value);
      }
      this.innerPending = false;
      if (this.part < 0) this.innerTotal++;
      if (isNull) {
        this.hasNullKey = true;
        if (!this.keepsUnmatched) continue;
        const row = rows.save(frame);
        this.reserveRow(row);
        this.chain[row] = -1;
        continue;
      }
      const key = table.insert();
      // Keys are numbered densely in order of first sight.
      const isNew = key >= this.keysSeen;
      // A semi join without further condition needs one row a key.
      if (!isNew && isSemi && this.condition === null) continue;
      const row = rows.save(frame);
      this.reserveRow(row);
      this.reserveKey(key);
      this.chain[row] = -1;
      if (isNew) this.head[key] = row;
      else this.chain[this.tail[key]!] = row;
      this.tail[key] = row;
      if (isNew) this.keysSeen = key + 1;
      if ((row & 0xffff) === 0xffff) this.recharge();
    }
    this.recharge();
    if (this.keepsUnmatched) this.matchedRows = new Uint8Array(rows.count);
  }

  private mustDivide(): boolean {
    const { spill } = this.state.environment;
    if (spill === null || this.rows.count % 256 !== 255) return false;
    return this.state.memory.mustSpill(this.rows.bytes + this.chargedBytes);
  }

  private reserveRow(row: number): void {
    if (row >= this.chain.length) this.chain = doubled(this.chain);
  }

  private reserveKey(key: number): void {
    if (key >= this.head.length) {
      this.head = doubled(this.head);
      this.tail = doubled(this.tail);
    }
  }

  private recharge(): void {
    const bytes = this.table.bytes + this.head.byteLength * 2 + this.chain.byteLength;
    if (bytes > this.chargedBytes) {
      this.state.memory.reserve(bytes - this.chargedBytes);
      this.chargedBytes = bytes;
    }
  }

  /** Looks the outer row's key up; sets `candidate`. */
  private probe(): 'keep' | 'drop' | 'chain' {
    const { state, node, table, outerKeys } = this;
    const { frame } = state;
    const isOuter = node.type === 'left' || node.type === 'full' || node.type === 'anti';
    let isNull = false;
    let exists = true;
    table.begin();
    for (let index = 0; index < outerKeys.length; index++) {
      const value = outerKeys[index]!(frame);
      if (value === null) {
        isNull = true;
        break;
      }
      if (exists && !table.seekBy(index, value, this.outerKeyOf[index]!)) exists = false;
    }
    if (node.nullAware && node.type === 'anti') {
      if (this.innerTotal === 0) return 'keep';
      if (isNull || this.hasNullKey) return 'drop';
    }
    const key = isNull || !exists ? -1 : table.find();
    if (key < 0) {
      if (!isOuter) return 'drop';
      this.candidate = -1;
      return 'chain';
    }
    this.candidate = this.head[key]!;
    return 'chain';
  }
}

function doubled(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(array.length * 2);
  grown.set(array);
  return grown;
}
