/** Filters that kernels decide: ranges of integer and double columns, and string tests. Their result is the bitmap of the morsel. */
import type { Kernels } from '../../native/index.ts';
import type { FrameInfo } from './layout.ts';
import { type ColumnRange, type IntegerRange, intersect, rangeOf } from './range.ts';
import type { Node, ParamValue } from './spec.ts';

/** Filters of a pipeline split into kernels and the rest, for given parameters. */
export interface FilterPlan {
  readonly ranges: readonly ColumnRange[];
  /** (column, test) of conjuncts that are a string test. */
  readonly strings: readonly { readonly column: number; readonly test: number }[];
  /** Indexes of filters left for the fused loop. */
  readonly rest: readonly number[];
}

export function planFilters(
  filters: readonly Node[],
  params: readonly ParamValue[],
  columns: readonly { readonly kind: FrameInfo['kind'] }[],
): FilterPlan {
  const ranges: ColumnRange[] = [];
  const strings: { column: number; test: number }[] = [];
  const rest: number[] = [];
  filters.forEach((filter, index) => {
    if (filter.op === 'stringTest' && columns[filter.column]!.kind !== 'text') {
      strings.push({ column: filter.column, test: filter.test });
      return;
    }
    const range = rangeOf(filter, params);
    if (range === null || (range.kind === 'float') !== (columns[range.column]!.kind === 'float64')) {
      rest.push(index);
      return;
    }
    const known =
      range.kind === 'integer' && !range.negate
        ? ranges.findIndex(
            (other) => other.kind === 'integer' && !other.negate && other.column === range.column,
          )
        : -1;
    if (known >= 0) ranges[known] = intersect(ranges[known] as IntegerRange, range as IntegerRange);
    else ranges.push(range);
  });
  return { ranges, strings, rest };
}

/** How a filter looks over one frame before its values are read. */
type Verdict = 'none' | 'all' | { low: bigint; high: bigint };

/** Clips a range to the frame's bounds, in codes. NULLs never pass and are not looked at here. */
function clip(range: IntegerRange, frame: FrameInfo): Verdict {
  const low = range.low > frame.low ? range.low : frame.low;
  const high = range.high < frame.high ? range.high : frame.high;
  if (low > high) return range.negate ? 'all' : 'none';
  if (low === frame.low && high === frame.high) return range.negate ? 'none' : 'all';
  return { low: low - frame.low, high: high - frame.low };
}

/** Views of frames in shared memory. */
export interface FrameBytes {
  codes(frame: FrameInfo): Uint8Array;
  validity(frame: FrameInfo): Uint8Array;
}

/**
 * Fills `bitmap` with the rows of the morsel that pass. False = none can (found without reading a value).
 * `mask` are the rows to look at, null = all.
 */
export function filterMorsel(
  plan: FilterPlan,
  frames: readonly FrameInfo[],
  tests: readonly Uint8Array[],
  mask: Uint8Array | null,
  rowCount: number,
  bitmap: Uint8Array,
  memory: FrameBytes,
  kernels: Kernels,
): boolean {
  const bytes = (rowCount + 7) >>> 3;
  // Whether the bitmap holds something to intersect with.
  let started = mask !== null;
  if (mask !== null) bitmap.set(mask.subarray(0, bytes));
  const work: (() => void)[] = [];
  const validities: Uint8Array[] = [];
  for (const range of plan.ranges) {
    const frame = frames[range.column]!;
    if (frame.validity !== 0) validities.push(memory.validity(frame));
    if (range.kind === 'float') {
      work.push(() =>
        kernels.filterRangeF64(
          memory.codes(frame),
          rowCount,
          range.low,
          range.high,
          range.nanPasses,
          range.negate,
          bitmap,
          started,
        ),
      );
      continue;
    }
    const verdict = clip(range, frame);
    if (verdict === 'none') return false;
    if (verdict === 'all') continue;
    work.push(() =>
      kernels.filterRange(
        memory.codes(frame),
        frame.width,
        rowCount,
        verdict.low,
        verdict.high,
        range.negate,
        bitmap,
        started,
      ),
    );
  }
  for (const { column, test } of plan.strings) {
    const frame = frames[column]!;
    if (frame.validity !== 0) validities.push(memory.validity(frame));
    const table = tests[test]!.map((entry) => (entry === 1 ? 1 : 0));
    if (!table.includes(1)) return false;
    if (!table.includes(0)) continue;
    work.push(() => kernels.filterCodes(memory.codes(frame), frame.width, rowCount, table, bitmap, started));
  }
  for (const run of work) {
    run();
    started = true;
  }
  if (!started) {
    bitmap.fill(255, 0, bytes);
    if ((rowCount & 7) !== 0) bitmap[bytes - 1] = (1 << (rowCount & 7)) - 1;
  }
  for (const validity of validities) for (let at = 0; at < bytes; at++) bitmap[at]! &= validity[at]!;
  // Compiled code reads whole words.
  bitmap.fill(0, bytes, (bytes + 7) & ~7);
  return true;
}
