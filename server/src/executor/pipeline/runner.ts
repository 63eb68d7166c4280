/**
 * Runs morsels of statements in one work area: what a worker does, without the thread around it.
 *
 * Per morsel: kernels make the bitmap, interval analysis proves the ranges and picks the variant, compiled code runs over the bitmap in calls of
 * 2,048 rows, the groups found go into the statement's map. A hash table in the work area collects groups over many morsels and is
 * emptied into the map when it fills or another statement wants the area.
 */
import { assert } from '../../base/error.ts';
import type { Kernels } from '../../native/index.ts';
import { compilePipeline } from './codegen.ts';
import { type Interval, intervalOf, mayOverflowSum, NotCompilable } from './interval.ts';
import {
  BITMAP_OFFSET,
  CALL_WORDS,
  DYNAMIC_OFFSET,
  type FrameInfo,
  MORSEL_ROWS,
  PARAM,
  WORK_AREA_BYTES,
} from './layout.ts';
import { emptyStatistics, type Morsel, type PartialGroup, type WorkerStatistics } from './messages.ts';
import { type FilterPlan, filterMorsel, planFilters } from './morsel-filter.ts';
import { type ParamValue, type PipelineSpec, specKey } from './spec.ts';
import { initialBits, isNullable, type StateLayout, stateLayout, type Variant } from './variant.ts';
import { wasmKernels } from './wasm-kernels.ts';

/** Most group slots addressed directly; each is looked at after every morsel. */
const DENSE_SLOTS_MAX = 256;
const MODULES_MAX = 256;
/** More groups than this are left to the row executor, which can spill them. */
const GROUPS_MAX = 2_000_000;

type Run = (params: number, firstWord: number, endWord: number) => number;

/** Groups of one statement by the text of their key. */
interface Collected {
  readonly keys: PartialGroup['keys'];
  readonly values: (bigint | number)[];
}

/** One statement as this worker knows it. */
export class StatementRun {
  readonly spec: PipelineSpec;
  readonly key: string;
  readonly params: readonly ParamValue[];
  readonly control: Int32Array;
  readonly rowsMax: number;
  readonly wantsNative: boolean;
  readonly statistics: WorkerStatistics = emptyStatistics();
  readonly groups = new Map<string, Collected>();
  /** How far the groups have been handed out. */
  delivery: Iterator<Collected> | null = null;
  /** Strings of group keys by number, and their numbers by bytes (as Latin-1). */
  readonly strings: Uint8Array[] = [];
  readonly stringNumbers = new Map<string, number>();
  readonly remaps = new Map<number, Uint32Array>();
  filterPlan: FilterPlan | null = null;
  filterKinds = '';

  /** `rowsMax`: no group can have more rows than the scan. */
  constructor(
    spec: PipelineSpec,
    params: readonly ParamValue[],
    control: SharedArrayBuffer,
    rowsMax: number,
    wantsNative: boolean,
  ) {
    this.rowsMax = rowsMax;
    this.wantsNative = wantsNative;
    this.spec = spec;
    this.key = specKey(spec);
    this.params = params;
    this.control = new Int32Array(control);
  }

  get isStopped(): boolean {
    return Atomics.load(this.control, 0) !== 0;
  }

  intern(bytes: Uint8Array): number {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    let number = this.stringNumbers.get(text);
    if (number === undefined) {
      number = this.strings.length;
      this.strings.push(bytes);
      this.stringNumbers.set(text, number);
    }
    return number;
  }
}

/** The hash table that lies in the work area now. */
interface OpenTable {
  readonly statement: StatementRun;
  readonly variantKey: string;
  readonly layout: StateLayout;
  readonly variant: Variant;
  readonly states: number;
  readonly tableAt: number;
  readonly mask: number;
  readonly capacity: number;
}

export class MorselRunner {
  readonly frames = new Map<number, FrameInfo>();
  private readonly memory: WebAssembly.Memory;
  private readonly area: number;
  private readonly nativeKernels: Kernels | null;
  private twins: Kernels | null = null;
  private readonly now: () => number;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly modules = new Map<string, Run>();
  private table: OpenTable | null = null;

  /** `kernels` null = no addon. */
  constructor(options: {
    memory: WebAssembly.Memory;
    area: number;
    kernels: Kernels | null;
    now: () => number;
  }) {
    this.memory = options.memory;
    this.area = options.area;
    this.nativeKernels = options.kernels;
    this.now = options.now;
    this.bytes = new Uint8Array(this.memory.buffer);
    this.view = new DataView(this.memory.buffer);
  }

  /** The addon's kernels, or the WebAssembly ones where there is none or the statement does not want it. */
  private kernelsFor(statement: StatementRun): Kernels {
    return this.kernels(statement.wantsNative);
  }

  kernels(wantsNative: boolean): Kernels {
    if (wantsNative && this.nativeKernels !== null) return this.nativeKernels;
    this.twins ??= wasmKernels(this.memory);
    return this.twins;
  }

  codes(frame: FrameInfo): Uint8Array {
    return this.bytes.subarray(frame.address, frame.address + frame.rowCount * frame.width);
  }

  validity(frame: FrameInfo): Uint8Array {
    return this.bytes.subarray(frame.validity, frame.validity + ((frame.rowCount + 7) >>> 3));
  }

  /** Throws NotCompilable when the row executor has to do the work. Stops early when the statement is stopped. */
  run(statement: StatementRun, morsel: Morsel): void {
    const { spec, params, statistics } = statement;
    const start = this.now();
    statistics.morsels++;
    const frames = morsel.frames.map((id) => {
      const frame = this.frames.get(id);
      assert(frame !== undefined, `pipeline frame ${id} is not known here`);
      return frame;
    });
    const columns = frames.map((frame) => ({
      kind: frame.kind,
      width: frame.width,
      nullable: frame.validity !== 0,
    }));
    const kinds = columns.map(({ kind }) => kind).join();
    if (statement.filterPlan === null || statement.filterKinds !== kinds) {
      statement.filterPlan = planFilters(spec.filters, params, columns);
      statement.filterKinds = kinds;
    }
    const plan = statement.filterPlan;
    const bitmap = this.bytes.subarray(
      this.area + BITMAP_OFFSET,
      this.area + BITMAP_OFFSET + MORSEL_ROWS / 8,
    );
    if (
      !filterMorsel(
        plan,
        frames,
        morsel.tests,
        morsel.mask,
        morsel.rowCount,
        bitmap,
        this,
        this.kernelsFor(statement),
      )
    ) {
      statistics.skippedMorsels++;
      statistics.busyMicros += this.now() - start;
      return;
    }
    statistics.rowsRead += morsel.rowCount;
    const groups = this.groupRanges(statement, frames, columns);
    const slots = groups === null ? null : groups.reduce((product, group) => product * group.slots, 1);
    const mode =
      spec.groups.length === 0 ? 'plain' : slots !== null && slots <= DENSE_SLOTS_MAX ? 'dense' : 'hash';
    const context = {
      columns: frames.map((frame) =>
        frame.kind === 'integer' ? { low: frame.low, high: frame.high } : null,
      ),
      params,
    };
    for (const index of plan.rest) intervalOf(spec.filters[index]!, context);
    for (const group of spec.groups) intervalOf(group, context);
    for (const check of spec.checks) intervalOf(check, context);
    const wide = spec.accumulators.map(({ op, arg, filter }) => {
      if (filter !== null) intervalOf(filter, context);
      if (arg === null) return false;
      const interval = intervalOf(arg, context);
      if (op !== 'sum' || arg.type.kind === 'float') return false;
      // A table of groups lives over many morsels.
      return mayOverflowSum(interval, mode === 'hash' ? statement.rowsMax : MORSEL_ROWS);
    });
    const variant: Variant = { columns, mode, filters: plan.rest, wide };
    const variantKey = `${statement.key}${JSON.stringify(variant)}`;
    const call = this.compiled(statement, variant, variantKey);
    const layout = stateLayout(spec, variant);
    this.writeParams(statement, morsel, frames);
    if (mode === 'hash') this.runHashed(statement, morsel, frames, variant, variantKey, layout, call);
    else this.runDirect(statement, morsel, groups ?? [], slots ?? 1, variant, layout, call);
    statistics.busyMicros += this.now() - start;
  }

  /** Range of each group key's codes in this morsel; null when one has no small range. */
  private groupRanges(
    statement: StatementRun,
    frames: readonly FrameInfo[],
    columns: readonly { nullable: boolean }[],
  ): { low: bigint; size: number; slots: number }[] | null {
    const { spec, params } = statement;
    const context = {
      columns: frames.map((frame) =>
        frame.kind === 'integer' ? { low: frame.low, high: frame.high } : null,
      ),
      params,
    };
    const ranges: { low: bigint; size: number; slots: number }[] = [];
    for (const group of spec.groups) {
      let interval: Interval;
      if (group.op === 'column' && group.type.kind === 'string') {
        const entries = frames[group.column]!.dictionary?.length ?? 0;
        interval = { low: 0n, high: BigInt(Math.max(entries, 1) - 1) };
      } else interval = intervalOf(group, context);
      const size = interval.high - interval.low + 1n;
      if (size > BigInt(DENSE_SLOTS_MAX)) return null;
      const nullable = isNullable(group, columns);
      ranges.push({ low: interval.low, size: Number(size), slots: Number(size) + (nullable ? 1 : 0) });
    }
    return ranges;
  }

  private compiled(statement: StatementRun, variant: Variant, key: string): Run {
    const known = this.modules.get(key);
    if (known !== undefined) return known;
    const start = this.now();
    const module = new WebAssembly.Module(compilePipeline(statement.spec, variant));
    const instance = new WebAssembly.Instance(module, { env: { memory: this.memory } });
    const run = instance.exports.run as Run;
    if (this.modules.size >= MODULES_MAX) {
      const [oldest] = this.modules.keys();
      this.modules.delete(oldest!);
    }
    this.modules.set(key, run);
    statement.statistics.modulesCompiled++;
    statement.statistics.compileMicros += this.now() - start;
    return run;
  }

  private writeParams(statement: StatementRun, morsel: Morsel, frames: readonly FrameInfo[]): void {
    const { view, area } = this;
    frames.forEach((frame, index) => {
      const at = area + PARAM.column(index);
      view.setInt32(at, frame.address, true);
      view.setInt32(at + 4, frame.validity, true);
      view.setBigInt64(at + 8, frame.low, true);
    });
    statement.params.forEach((value, index) => {
      const at = area + PARAM.constant(index);
      if (typeof value === 'bigint') view.setBigInt64(at, value, true);
      else view.setFloat64(at, value, true);
    });
    let at = area + DYNAMIC_OFFSET;
    morsel.tests.forEach((table, index) => {
      this.bytes.set(table, at);
      view.setInt32(area + PARAM.stringTest(index), at, true);
      at = (at + table.length + 7) & ~7;
    });
    view.setInt32(area + PARAM.bitmap, area + BITMAP_OFFSET, true);
    this.dynamic = at;
  }

  /** First free byte of the area behind the string tests of the running morsel. */
  private dynamic = 0;

  private callAll(statement: StatementRun, call: Run, rowCount: number, between: (() => void) | null): void {
    const words = (rowCount + 63) >>> 6;
    for (let word = 0; word < words; word += CALL_WORDS) {
      if (statement.isStopped) return;
      between?.();
      if (call(this.area, word, Math.min(words, word + CALL_WORDS)) !== 0)
        throw new NotCompilable('a division by zero, or a double out of range');
    }
  }

  private runDirect(
    statement: StatementRun,
    morsel: Morsel,
    groups: readonly { low: bigint; size: number; slots: number }[],
    slots: number,
    variant: Variant,
    layout: StateLayout,
    call: Run,
  ): void {
    const { view, area } = this;
    const { accumulators } = statement.spec;
    // The table of another morsel may lie here.
    this.flush();
    let stride = 1;
    groups.forEach((group, index) => {
      const at = area + PARAM.group(index);
      view.setBigInt64(at, group.low, true);
      view.setInt32(at + 8, group.size, true);
      view.setInt32(at + 12, stride * layout.bytes, true);
      stride *= group.slots;
    });
    const states = (this.dynamic + 7) & ~7;
    view.setInt32(area + PARAM.states, states, true);
    this.bytes.fill(0, states, states + slots * layout.bytes);
    accumulators.forEach((accumulator, index) => {
      const bits = initialBits(accumulator);
      if (bits === 0n) return;
      const offset = layout.accumulatorOffsets[index]!;
      for (let slot = 0; slot < slots; slot++)
        view.setBigInt64(states + slot * layout.bytes + offset, bits, true);
    });
    this.callAll(statement, call, morsel.rowCount, null);
    const countAt = layout.accumulatorOffsets[0]!;
    for (let slot = 0; slot < slots; slot++) {
      const state = states + slot * layout.bytes;
      const count = view.getBigInt64(state + countAt, true);
      if (count === 0n) continue;
      statement.statistics.rowsPassed += Number(count);
      let rest = slot;
      const keys = groups.map((group, index) => {
        const code = rest % group.slots;
        rest = Math.floor(rest / group.slots);
        if (code === group.size) return null;
        const node = statement.spec.groups[index]!;
        if (node.type.kind === 'string' && node.op === 'column') {
          const frame = this.frames.get(morsel.frames[node.column]!)!;
          return frame.dictionary![code]!;
        }
        return group.low + BigInt(code);
      });
      this.merge(statement, keys, state, layout, variant);
    }
  }

  private runHashed(
    statement: StatementRun,
    morsel: Morsel,
    frames: readonly FrameInfo[],
    variant: Variant,
    variantKey: string,
    layout: StateLayout,
    call: Run,
  ): void {
    const { view, area, bytes } = this;
    let table = this.table;
    if (table === null || table.statement !== statement || table.variantKey !== variantKey) {
      this.flush();
      table = null;
    }
    // Remaps of string keys behind the tests; their places do not depend on the morsel, so an open table stays where it is.
    let at = area + DYNAMIC_OFFSET + 64 * 1024 * statement.spec.stringTests;
    statement.spec.groups.forEach((group, index) => {
      if (group.type.kind !== 'string' || group.op !== 'column') return;
      const remap = this.remapOf(statement, frames[group.column]!);
      new Uint32Array(this.memory.buffer, at, remap.length).set(remap);
      view.setInt32(area + PARAM.group(index), at, true);
      at += MORSEL_ROWS * 4;
    });
    if (table === null) {
      const room = area + WORK_AREA_BYTES - at;
      let cells = 8192;
      while (cells * 2 * (4 + layout.bytes / 2) <= room) cells *= 2;
      assert(cells * (4 + layout.bytes / 2) <= room, 'the work area has no room for a group table');
      table = {
        statement,
        variantKey,
        layout,
        variant,
        tableAt: at,
        mask: cells - 1,
        states: at + cells * 4,
        capacity: cells / 2,
      };
      this.table = table;
      bytes.fill(0, at, at + cells * 4);
      view.setInt32(area + PARAM.groupCount, 0, true);
    }
    const open = table;
    view.setInt32(area + PARAM.table, open.tableAt, true);
    view.setInt32(area + PARAM.mask, open.mask, true);
    view.setInt32(area + PARAM.states, open.states, true);
    this.callAll(statement, call, morsel.rowCount, () => {
      // Every row of the next call may be a new group.
      if (view.getInt32(area + PARAM.groupCount, true) + CALL_WORDS * 64 <= open.capacity) return;
      this.drain(open);
      bytes.fill(0, open.tableAt, open.tableAt + (open.mask + 1) * 4);
      view.setInt32(area + PARAM.groupCount, 0, true);
    });
  }

  private remapOf(statement: StatementRun, frame: FrameInfo): Uint32Array {
    let remap = statement.remaps.get(frame.id);
    if (remap === undefined) {
      const entries = frame.dictionary ?? [];
      remap = new Uint32Array(entries.length);
      for (let code = 0; code < entries.length; code++) remap[code] = statement.intern(entries[code]!);
      statement.remaps.set(frame.id, remap);
    }
    return remap;
  }

  /** Empties the open table into its statement's map; afterwards the area is free. */
  flush(): void {
    const { table } = this;
    if (table === null) return;
    this.table = null;
    this.drain(table);
  }

  private drain(table: OpenTable): void {
    const { view } = this;
    const { statement, layout, variant } = table;
    const count = view.getInt32(this.area + PARAM.groupCount, true);
    for (let group = 0; group < count; group++) {
      const state = table.states + group * layout.bytes;
      const nulls = layout.nullOffset < 0 ? 0n : view.getBigInt64(state + layout.nullOffset, true);
      const keys = statement.spec.groups.map((node, index) => {
        if (((nulls >> BigInt(index)) & 1n) !== 0n) return null;
        const word = view.getBigInt64(state + layout.keyOffsets[index]!, true);
        return node.type.kind === 'string' ? statement.strings[Number(word)]! : word;
      });
      statement.statistics.rowsPassed += Number(
        view.getBigInt64(state + layout.accumulatorOffsets[0]!, true),
      );
      this.merge(statement, keys, state, layout, variant);
    }
  }

  /** Adds one state in memory to the group of its keys. */
  private merge(
    statement: StatementRun,
    keys: PartialGroup['keys'],
    state: number,
    layout: StateLayout,
    variant: Variant,
  ): void {
    const { view } = this;
    const { accumulators } = statement.spec;
    let text = '';
    for (const key of keys) {
      if (key === null) text += 'n;';
      else if (typeof key === 'bigint') text += `${key};`;
      else text += `s${statement.intern(key)};`;
    }
    const values = accumulators.map((accumulator, index) => {
      const at = state + layout.accumulatorOffsets[index]!;
      if (accumulator.op !== 'count' && accumulator.arg?.type.kind === 'float')
        return view.getFloat64(at, true);
      if (variant.wide[index]) return (view.getBigInt64(at + 8, true) << 64n) + view.getBigUint64(at, true);
      return view.getBigInt64(at, true);
    });
    const known = statement.groups.get(text);
    if (known === undefined) {
      if (statement.groups.size >= GROUPS_MAX) throw new NotCompilable('too many groups');
      statement.groups.set(text, { keys, values });
    } else mergeValues(statement.spec, known.values, values);
  }
}

/** Adds the accumulators of one part of a group to another's. */
export function mergeValues(
  spec: PipelineSpec,
  target: (bigint | number)[],
  source: readonly (bigint | number)[],
): void {
  spec.accumulators.forEach(({ op }, index) => {
    const left = target[index]!;
    const right = source[index]!;
    if (op === 'count' || op === 'sum') {
      target[index] =
        typeof left === 'number' ? left + (right as number) : (left as bigint) + (right as bigint);
    } else if (typeof left === 'number') {
      // NaN is the greatest.
      const isLess = Number.isNaN(right) ? !Number.isNaN(left) : left < (right as number);
      if (op === 'min' ? !isLess && !Number.isNaN(right) : isLess) target[index] = right;
    } else if (op === 'min' ? right < left : right > left) target[index] = right;
  });
}
