/**
 * Aggregation: plain (one group), sorted (groups arrive one after the other) and hashed, with grouping sets.
 *
 * Over the statement's memory, rows of groups that are not there yet go to temporary files by the hash of their key; when the groups in
 * memory are out, each file is aggregated like an input of its own.
 *
 * Each grouping set has its own numbering of groups; all sets are fed in one pass over the input. Groups come out in order
 * of first sight, so sorted input gives sorted output under every strategy.
 */
import type { AggregateNode } from '../../../planner/physical.ts';
import type { Datum } from '../../../types/datum.ts';
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
import { datumBytes } from '../store.ts';
import { maySuspend } from '../walk.ts';
import { Accumulator } from './accumulator.ts';
import type { Operator } from './operator.ts';

/** Files a statement divides its rows into, and how often. */
const SPILL_FILES = 16;
const SPILL_DEPTH_MAX = 4;

/** One grouping set: indexes of its group expressions, its groups and their aggregates. */
interface SetState {
  members: number[];
  table: KeyTable;
  groupCount: number;
  /** Values of each member per group. */
  values: Datum[][];
  accumulators: Accumulator[];
}

export class Aggregate implements Operator {
  private readonly state: ExecutionState;
  private readonly node: AggregateNode;
  private readonly child: Operator;
  private readonly groups: Evaluate[];
  private readonly keyColumns: KeyColumn[];
  private readonly having: Test | null;
  private readonly sets: SetState[];
  private readonly streams: boolean;
  private readonly suspends: boolean;
  private readonly rowValues: Datum[];
  private phase: 'fill' | 'emit' | 'done' = 'fill';
  private pending = false;
  /** Progress within one row: set and accumulator that come next. */
  private setProgress = 0;
  private accumulatorProgress = -1;
  private currentGroup = -1;
  private emitSet = 0;
  private emitGroup = 0;
  private emitAccumulator = 0;
  private emitPending = false;
  private chargedBytes = 0;
  private inputDone = false;
  /** Streaming: a row of the next group waits in `rowValues` and the frame. */
  private waiting = false;
  /** Rows put aside: being written, and waiting to be aggregated. */
  private overflow: RowFile[] | null = null;
  private readonly files: { file: RowFile; depth: number }[] = [];
  /** The file that is the input now. */
  private input: { file: RowFile; depth: number } | null = null;
  private saved: Datum[] | null = null;

  constructor(state: ExecutionState, node: AggregateNode, child: Operator) {
    const { resolver } = state.environment;
    const compiler = new ExpressionCompiler(state, resolver);
    this.state = state;
    this.node = node;
    this.child = child;
    this.groups = node.groups.map(({ expr }) => compiler.compile(expr));
    this.keyColumns = node.groups.map(({ expr: { typeOid } }) => ({
      int32: isInt32Key(typeOid),
      keyOf: keyOf(typeOid, () => resolver.typeSupport(typeOid)),
    }));
    this.having = compiler.testOrNull(node.having);
    const sets = node.sets ?? [node.groups.map((_, index) => index)];
    this.streams = node.strategy === 'sorted' && sets.length === 1 && node.groups.length > 0;
    this.suspends =
      node.groups.some(({ expr }) => maySuspend(expr, resolver)) ||
      node.aggregates.some((aggregate) =>
        [
          ...aggregate.args,
          ...(aggregate.filter === null ? [] : [aggregate.filter]),
          ...aggregate.orderBy.map((key) => key.expr),
        ].some((expr) => maySuspend(expr, resolver)),
      );
    this.rowValues = node.groups.map(() => null);
    const expected = Math.min(node.estimatedRows, KEYS_EXPECTED_MAX);
    this.sets = sets.map((members) => ({
      members: [...members],
      table: new KeyTable(
        members.map((member) => this.keyColumns[member]!),
        this.streams ? 0 : expected,
      ),
      groupCount: 0,
      values: members.map(() => []),
      accumulators: node.aggregates.map((aggregate) => new Accumulator(state, aggregate)),
    }));
  }

  open(): void {
    this.clear();
    this.child.open();
  }

  rescan(): void {
    this.clear();
    this.child.rescan();
  }

  close(): void {
    this.clear();
    this.child.close();
    this.phase = 'done';
  }

  private clear(): void {
    for (const set of this.sets) this.clearSet(set);
    this.state.memory.release(this.chargedBytes);
    this.chargedBytes = 0;
    this.phase = 'fill';
    this.pending = false;
    this.setProgress = 0;
    this.accumulatorProgress = -1;
    this.restartEmit();
    this.inputDone = false;
    this.waiting = false;
    this.saved = null;
    for (const file of this.overflow ?? []) file.close();
    this.overflow = null;
    for (const { file } of this.files) file.close();
    this.files.length = 0;
    this.input?.file.close();
    this.input = null;
  }

  private restartEmit(): void {
    this.emitSet = 0;
    this.emitGroup = 0;
    this.emitAccumulator = 0;
    this.emitPending = false;
  }

  private clearSet(set: SetState): void {
    if (set.table.count > KEYS_EXPECTED_MAX) {
      // A table that grew large is not kept by an idle statement.
      set.table = new KeyTable(set.members.map((member) => this.keyColumns[member]!));
    } else if (set.table.count > 0) set.table.clear();
    set.groupCount = 0;
    for (let index = 0; index < set.values.length; index++) set.values[index] = [];
    for (const accumulator of set.accumulators) accumulator.clear();
  }

  next(): boolean {
    for (;;) {
      if (this.phase === 'fill') {
        if (this.streams) {
          if (!this.fillOneGroup()) {
            this.phase = 'done';
            return false;
          }
        } else {
          if (this.suspends) this.fillCarefully();
          else this.fill();
          this.addEmptyGroups();
        }
        this.phase = 'emit';
        this.restartEmit();
      }
      if (this.phase === 'done') return false;
      if (this.emit()) return true;
      if (!this.streams && !this.nextFile()) {
        this.phase = 'done';
        return false;
      }
      for (const set of this.sets) this.clearSet(set);
      this.phase = 'fill';
    }
  }

  /** Without groups there is a result even for no input. */
  private addEmptyGroups(): void {
    for (const set of this.sets) {
      if (set.members.length === 0 && set.groupCount === 0) this.newGroup(set);
    }
  }

  private newGroup(set: SetState): number {
    const group = set.groupCount++;
    let bytes = 16;
    for (let index = 0; index < set.members.length; index++) {
      const value = this.rowValues[set.members[index]!]!;
      set.values[index]!.push(value);
      bytes += 8 + datumBytes(value);
    }
    for (const accumulator of set.accumulators) accumulator.addGroup(group);
    this.state.memory.reserve(bytes);
    this.chargedBytes += bytes;
    return group;
  }

  /** Number of the row's group in `set`. */
  private groupOf(set: SetState): number {
    const { table, members } = set;
    if (members.length === 0) return set.groupCount === 0 ? this.newGroup(set) : 0;
    table.begin();
    if (this.overflow !== null) {
      for (let index = 0; index < members.length; index++) {
        if (!table.seek(index, this.rowValues[members[index]!]!)) return this.putAside();
      }
      const known = table.find();
      return known >= 0 ? known : this.putAside();
    }
    for (let index = 0; index < members.length; index++) table.put(index, this.rowValues[members[index]!]!);
    const group = table.insert();
    if (group < set.groupCount) return group;
    const made = this.newGroup(set);
    if ((made & 255) === 255) this.checkMemory(set);
    return made;
  }

  /** Begins to put rows of new groups aside when memory is short. */
  private checkMemory(set: SetState): void {
    const { state } = this;
    const { spill, resolver } = state.environment;
    let bytes = this.chargedBytes + set.table.bytes;
    for (const accumulator of set.accumulators) bytes += accumulator.chargedBytes;
    if (spill === null || this.sets.length > 1 || this.streams || !state.memory.mustSpill(bytes)) return;
    // A key that repeated division does not spread is left to the hard limit.
    if ((this.input?.depth ?? 0) >= SPILL_DEPTH_MAX) return;
    const width = this.node.child.outputs.length;
    this.overflow = Array.from(
      { length: SPILL_FILES },
      () => new RowFile(spill, width, (oid) => resolver.typeSupport(oid)),
    );
  }

  /** Writes the row in the frame to the file of its key; -1 = in no group for now. */
  private putAside(): number {
    const seed = (this.input?.depth ?? 0) + 1;
    let hash = seed;
    for (let index = 0; index < this.rowValues.length; index++) {
      const value = this.rowValues[index]!;
      hash = mixHash(hash, value === null ? 0 : hashOfKey(this.keyColumns[index]!.keyOf(value)));
    }
    this.overflow![(hash >>> 0) % SPILL_FILES]!.writeSlots(this.state.frame, this.node.child.outputs);
    return -1;
  }

  private fetch(): boolean {
    if (this.input === null) return this.child.next();
    this.state.tick();
    return this.input.file.read(this.state.frame, this.node.child.outputs);
  }

  /** Goes on to the next file of rows put aside; false when there is none. */
  private nextFile(): boolean {
    const depth = (this.input?.depth ?? 0) + 1;
    for (const file of this.overflow ?? []) {
      if (file.rowCount > 0) this.files.push({ file, depth });
      else file.close();
    }
    this.overflow = null;
    this.input?.file.close();
    this.input = this.files.pop() ?? null;
    if (this.input === null) return false;
    this.input.file.rewind();
    this.state.memory.release(this.chargedBytes);
    this.chargedBytes = 0;
    return true;
  }

  private fill(): void {
    const { groups, rowValues, sets } = this;
    const { frame } = this.state;
    while (this.fetch()) {
      for (let index = 0; index < groups.length; index++) rowValues[index] = groups[index]!(frame);
      for (const set of sets) {
        const group = this.groupOf(set);
        if (group < 0) continue;
        const { accumulators } = set;
        for (let index = 0; index < accumulators.length; index++) accumulators[index]!.step(group, frame);
      }
    }
  }

  /** As `fill`, where an argument may suspend: each accumulator takes a row exactly once. */
  private fillCarefully(): void {
    for (;;) {
      if (!this.pending) {
        if (!this.fetch()) return;
        this.beginRow();
      }
      this.stepRow();
    }
  }

  private beginRow(): void {
    this.pending = true;
    this.setProgress = 0;
    this.accumulatorProgress = -1;
  }

  private stepRow(): void {
    const { frame } = this.state;
    const { groups, rowValues, sets } = this;
    if (this.setProgress === 0 && this.accumulatorProgress < 0) {
      for (let index = 0; index < groups.length; index++) rowValues[index] = groups[index]!(frame);
    }
    for (; this.setProgress < sets.length; this.setProgress++) {
      const set = sets[this.setProgress]!;
      if (this.accumulatorProgress < 0) {
        this.currentGroup = this.groupOf(set);
        this.accumulatorProgress = this.currentGroup < 0 ? set.accumulators.length : 0;
      }
      for (; this.accumulatorProgress < set.accumulators.length; this.accumulatorProgress++) {
        set.accumulators[this.accumulatorProgress]!.step(this.currentGroup, frame);
      }
      this.accumulatorProgress = -1;
    }
    this.pending = false;
  }

  /** Reads the rows of one group of sorted input; false when there is none left. */
  private fillOneGroup(): boolean {
    const { groups, rowValues, state } = this;
    const { frame } = state;
    const set = this.sets[0]!;
    for (;;) {
      if (!this.pending) {
        if (!this.waiting) {
          if (this.inputDone || !this.child.next()) {
            this.inputDone = true;
            return set.groupCount > 0;
          }
        }
        this.restoreWaiting();
        this.waiting = false;
        this.beginRow();
      }
      if (this.accumulatorProgress < 0) {
        for (let index = 0; index < groups.length; index++) rowValues[index] = groups[index]!(frame);
        if (set.groupCount > 0 && !this.sameGroup(set)) {
          this.pending = false;
          this.waiting = true;
          return true;
        }
        if (set.groupCount === 0) this.newGroup(set);
        this.accumulatorProgress = 0;
      }
      for (; this.accumulatorProgress < set.accumulators.length; this.accumulatorProgress++) {
        set.accumulators[this.accumulatorProgress]!.step(0, frame);
      }
      this.pending = false;
    }
  }

  private sameGroup(set: SetState): boolean {
    for (let index = 0; index < set.members.length; index++) {
      const member = set.members[index]!;
      const value = this.rowValues[member]!;
      const known = set.values[index]![0]!;
      if (value === null || known === null) {
        if (value !== known) return false;
      } else {
        const { keyOf: key } = this.keyColumns[member]!;
        const left = key(value);
        const right = key(known);
        if (left !== right && !(Number.isNaN(left) && Number.isNaN(right))) return false;
      }
    }
    return true;
  }

  private emit(): boolean {
    const { state, node, sets } = this;
    const { frame } = state;
    while (this.emitSet < sets.length) {
      const set = sets[this.emitSet]!;
      if (this.emitGroup >= set.groupCount) {
        this.emitSet++;
        this.emitGroup = 0;
        continue;
      }
      if (!this.emitPending) {
        state.tick();
        this.emitPending = true;
        this.emitAccumulator = 0;
      }
      const group = this.emitGroup;
      this.saveWaiting();
      for (let index = 0; index < node.groups.length; index++) frame[node.groups[index]!.slot] = null;
      for (let index = 0; index < set.members.length; index++) {
        frame[node.groups[set.members[index]!]!.slot] = set.values[index]![group]!;
      }
      for (const { slot, groups } of node.grouping) {
        let mask = 0;
        for (const member of groups) mask = mask * 2 + (set.members.includes(member) ? 0 : 1);
        frame[slot] = mask;
      }
      for (; this.emitAccumulator < set.accumulators.length; this.emitAccumulator++) {
        const accumulator = set.accumulators[this.emitAccumulator]!;
        frame[accumulator.slot] = accumulator.final(group, frame);
      }
      const passes = this.having === null || this.having(frame);
      this.emitPending = false;
      this.emitGroup++;
      if (passes) return true;
    }
    return false;
  }

  /**
   * Group slots may be the child's own slots when an expression is a bare column: the row that waits is put aside while
   * the finished group is in the frame.
   */
  private saveWaiting(): void {
    if (!this.waiting || this.saved !== null) return;
    const { frame } = this.state;
    this.saved = this.node.child.outputs.map((slot) => frame[slot]!);
  }

  private restoreWaiting(): void {
    if (this.saved === null) return;
    const { frame } = this.state;
    const { outputs } = this.node.child;
    for (let index = 0; index < outputs.length; index++) frame[outputs[index]!] = this.saved[index]!;
    this.saved = null;
  }
}
