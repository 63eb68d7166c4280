/**
 * Hash join: the inner side is built, the outer side probes.
 *
 * Build rows are stored column by column; a {@link KeyTable} numbers the distinct keys and two integer arrays chain the rows of a key in
 * arrival order. A NULL key joins nothing, but its row is kept where unmatched inner rows are wanted.
 * With `nullAware` (NOT IN) the rules for unknown apply: an empty inner side keeps every outer row; otherwise an outer row with a NULL key,
 * or any NULL key on the inner side, keeps none.
 */
import type { HashJoinNode } from '../../../planner/physical.ts';
import type { ExecutionState } from '../../state.ts';
import { type Evaluate, ExpressionCompiler, type Test } from '../expression/compile.ts';
import { isInt32Key, type KeyColumn, KeyTable, keyOf } from '../keys.ts';
import { RowStore } from '../store.ts';
import { dependencies } from '../walk.ts';
import type { Operator } from './operator.ts';

export class HashJoin implements Operator {
  private readonly state: ExecutionState;
  private readonly node: HashJoinNode;
  private readonly outer: Operator;
  private readonly inner: Operator;
  private readonly innerKeys: Evaluate[];
  private readonly outerKeys: Evaluate[];
  private readonly outerKeyOf: KeyColumn['keyOf'][];
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
  private phase: 'build' | 'outer' | 'probe' | 'chain' | 'check' | 'unmatched' | 'done' = 'build';
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
    this.condition = compiler.testOrNull(node.condition);
    const found = dependencies(node.inner, state.plan, resolver);
    this.keepsBuild = found.slots.length === 0 && !found.volatile;
    this.keepsUnmatched = ['right', 'full', 'rightSemi', 'rightAnti'].includes(node.type);
    this.rows = new RowStore(node.inner.outputs, state.memory);
    this.table = new KeyTable(this.keyColumns, Math.min(node.inner.estimatedRows, 1 << 20));
  }

  open(): void {
    this.dropBuild();
    this.phase = 'build';
    this.innerOpened = false;
    this.outerOpened = false;
  }

  rescan(): void {
    if (this.keepsBuild && this.phase !== 'build') {
      this.phase = 'outer';
      if (this.keepsUnmatched) this.matchedRows.fill(0);
    } else {
      this.dropBuild();
      this.phase = 'build';
      if (this.innerOpened) this.inner.rescan();
    }
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
  }

  next(): boolean {
    const { state, node } = this;
    const { frame } = state;
    const { type } = node;
    for (;;) {
      switch (this.phase) {
        case 'build':
          this.build();
          this.phase = 'outer';
          break;
        case 'outer':
          if (!this.outerOpened) {
            this.outer.open();
            this.outerOpened = true;
          }
          state.tick();
          if (!this.outer.next()) {
            this.phase = this.keepsUnmatched ? 'unmatched' : 'done';
            this.position = 0;
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
          this.phase = 'done';
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
      if (!this.innerPending) {
        if (!inner.next()) break;
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
      if (this.rows.count === 0 && !this.hasNullKey) return 'keep';
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
